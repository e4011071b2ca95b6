/* The target of functions that are compiled for AVX-512 within a build for AVX2. */
#ifndef TAEDA_AVX512_H
#define TAEDA_AVX512_H
#ifdef __clang__                        /* drops an attribute of which it does not know a part, as this width */
#define AVX512 "avx512f,avx512vl,avx512dq"
#else
#define AVX512 "avx512f,avx512vl,avx512dq,prefer-vector-width=512"
#endif
#endif

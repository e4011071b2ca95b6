/* CRC-32 of long runs of bytes by carry-less products.
 *
 * A run of bytes is a polynomial over GF(2), its checksum the remainder by P.  64 bits that lie D bits before others may be replaced,
 * there, by their product with x^D mod P: four vectors are carried ahead of 64 bytes each time until one is left.  Its 16 bytes have the
 * run's remainder, and the caller ends with them in the usual way.  Bits are mirrored, so that x^D stands one place further.
 *
 * V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009. */
#pragma once
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

#define FOLDS __attribute__((target("pclmul,sse4.1")))

static int can_fold(void) {
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

FOLDS static inline __m128i ahead(__m128i a, __m128i by, __m128i there) {
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(a, by, 0x00), _mm_clmulepi64_si128(a, by, 0x11)), there);
}

/* The 16 bytes that n others (64 or more, a multiple of 16) come to; state is the register of the checksum before them. */
FOLDS static void fold(const unsigned char* p, size_t n, uint32_t state, unsigned char* out) {
    const __m128i by4 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);        /* x^(512 - 32), x^(512 + 32) mod P */
    const __m128i by1 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);        /* x^(128 - 32), x^(128 + 32) mod P */
    const __m128i* v = (const __m128i*)p;
    __m128i a[4];
    int i;
    for (i = 0; i < 4; ++i) a[i] = _mm_loadu_si128(v++);
    a[0] = _mm_xor_si128(a[0], _mm_cvtsi32_si128((int)state));
    for (n -= 64; n >= 64; n -= 64, v += 4)
        for (i = 0; i < 4; ++i) a[i] = ahead(a[i], by4, _mm_loadu_si128(v + i));
    for (i = 1; i < 4; ++i) a[0] = ahead(a[0], by1, a[i]);
    for (; n >= 16; n -= 16) a[0] = ahead(a[0], by1, _mm_loadu_si128(v++));
    _mm_storeu_si128((__m128i*)out, a[0]);
}

#else

static int can_fold(void) { return 0; }

static void fold(const unsigned char* p, size_t n, uint32_t state, unsigned char* out) { (void)p, (void)n, (void)state, (void)out; }

#endif

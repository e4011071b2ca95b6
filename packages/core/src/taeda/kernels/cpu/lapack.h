/* The routines of LAPACK and BLAS that kernels/cpu/lapack and lapack_blocks call, for the four dtypes: s, d, c and z.
 *
 * The hidden lengths of Fortran's character arguments are passed last, as gfortran's convention wants.
 */
#ifndef TAEDA_LAPACK_H
#define TAEDA_LAPACK_H
#include <stddef.h>
void scipy_openblas_set_num_threads(int);
#define TAEDA_LAPACK(s) \
void scipy_##s##laswp_(int *, void *, int *, int *, int *, int *, int *); \
void scipy_##s##gemm_(char *, char *, int *, int *, int *, void *, void *, int *, void *, int *, void *, void *, int *, size_t, size_t); \
void scipy_##s##larft_(char *, char *, int *, int *, void *, int *, void *, void *, int *, size_t, size_t); \
void scipy_##s##larfb_(char *, char *, char *, char *, int *, int *, int *, void *, int *, void *, int *, void *, int *, void *, int *, \
                       size_t, size_t, size_t, size_t); \
void scipy_##s##getrf_(int *, int *, void *, int *, int *, int *); \
void scipy_##s##getrs_(char *, int *, int *, void *, int *, int *, void *, int *, int *, size_t); \
void scipy_##s##potrf_(char *, int *, void *, int *, int *, size_t); \
void scipy_##s##potri_(char *, int *, void *, int *, int *, size_t); \
void scipy_##s##trsv_(char *, char *, char *, int *, void *, int *, void *, int *, size_t, size_t, size_t); \
void scipy_##s##trsm_(char *, char *, char *, char *, int *, int *, void *, void *, int *, void *, int *, \
                      size_t, size_t, size_t, size_t); \
void scipy_##s##geqrf_(int *, int *, void *, int *, void *, void *, int *, int *); \
void scipy_##s##sytrf_(char *, int *, void *, int *, int *, void *, int *, int *, size_t); \
void scipy_##s##sytrs_(char *, int *, int *, void *, int *, int *, void *, int *, int *, size_t); \
void scipy_##s##laic1_(int *, int *, void *, void *, void *, void *, void *, void *, void *); \
void scipy_##s##gels_(char *, int *, int *, int *, void *, int *, void *, int *, void *, int *, int *, size_t);
#define TAEDA_REAL(s) TAEDA_LAPACK(s) \
void scipy_##s##orgqr_(int *, int *, int *, void *, int *, void *, void *, int *, int *); \
void scipy_##s##ormqr_(char *, char *, int *, int *, int *, void *, int *, void *, void *, int *, void *, int *, int *, \
                       size_t, size_t); \
void scipy_##s##gesdd_(char *, int *, int *, void *, int *, void *, void *, int *, void *, int *, void *, int *, int *, \
                       int *, size_t); \
void scipy_##s##lasdq_(char *, int *, int *, int *, int *, int *, void *, void *, void *, int *, void *, int *, void *, int *, void *, \
                       int *, size_t); \
void scipy_##s##syevd_(char *, char *, int *, void *, int *, void *, void *, int *, int *, int *, int *, size_t, size_t); \
void scipy_##s##geev_(char *, char *, int *, void *, int *, void *, void *, void *, int *, void *, int *, void *, int *, \
                      int *, size_t, size_t); \
void scipy_##s##gelsy_(int *, int *, int *, void *, int *, void *, int *, int *, void *, int *, void *, int *, int *); \
void scipy_##s##gelsd_(int *, int *, int *, void *, int *, void *, int *, void *, void *, int *, void *, int *, int *, \
                       int *); \
void scipy_##s##gelss_(int *, int *, int *, void *, int *, void *, int *, void *, void *, int *, void *, int *, int *);
#define TAEDA_COMPLEX(s) TAEDA_LAPACK(s) \
void scipy_##s##ungqr_(int *, int *, int *, void *, int *, void *, void *, int *, int *); \
void scipy_##s##unmqr_(char *, char *, int *, int *, int *, void *, int *, void *, void *, int *, void *, int *, int *, \
                       size_t, size_t); \
void scipy_##s##hetrf_(char *, int *, void *, int *, int *, void *, int *, int *, size_t); \
void scipy_##s##hetrs_(char *, int *, int *, void *, int *, int *, void *, int *, int *, size_t); \
void scipy_##s##gesdd_(char *, int *, int *, void *, int *, void *, void *, int *, void *, int *, void *, int *, void *, \
                       int *, int *, size_t); \
void scipy_##s##heevd_(char *, char *, int *, void *, int *, void *, void *, int *, void *, int *, int *, int *, int *, \
                       size_t, size_t); \
void scipy_##s##geev_(char *, char *, int *, void *, int *, void *, void *, int *, void *, int *, void *, int *, void *, \
                      int *, size_t, size_t); \
void scipy_##s##gelsy_(int *, int *, int *, void *, int *, void *, int *, int *, void *, int *, void *, int *, void *, \
                       int *); \
void scipy_##s##gelsd_(int *, int *, int *, void *, int *, void *, int *, void *, void *, int *, void *, int *, void *, \
                       int *, int *); \
void scipy_##s##gelss_(int *, int *, int *, void *, int *, void *, int *, void *, void *, int *, void *, int *, void *, \
                       int *);
TAEDA_REAL(s)
TAEDA_REAL(d)
TAEDA_COMPLEX(c)
TAEDA_COMPLEX(z)
#endif

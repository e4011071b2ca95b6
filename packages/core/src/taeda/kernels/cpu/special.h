/* Loops over the special functions: float32 and float64 in, computed in double.
 *
 * A run is cut in blocks of SPECIAL_BLOCK elements, which are read into doubles, go through a block function
 *
 *     void NAME_block(double *y, const double *x, const double *w, int64_t n, const Param *p)
 *
 * and are rounded to the dtype.  One block function serves both dtypes.  Where the formula has no branches the compiler makes vectors of
 * it; rare arguments are done again, one at a time (CHECKED_BLOCK).
 */
#ifndef TAEDA_SPECIAL_H
#define TAEDA_SPECIAL_H
#include "abi.h"
#include "bessel.h"
#include "errors.h"
#include "incomplete_gamma.h"
#include "polynomials.h"

typedef void (*Block)(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p);

#define UNARY_BLOCK(NAME, EXPR) \
    static void NAME##_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) { \
        for (int64_t i = 0; i < n; i++) { const double a = x[i]; y[i] = EXPR; } \
    }
#define CHECKED_BLOCK(NAME) \
    static void NAME##_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) { \
        NOTE(double) rare = 0; \
        for (int64_t i = 0; i < n; i++) rare |= -(NOTE(double))(RARE_##NAME(x[i])); \
        for (int64_t i = 0; i < n; i++) y[i] = special_##NAME(x[i]); \
        if (rare) for (int64_t i = 0; i < n; i++) if (RARE_##NAME(x[i])) y[i] = exact_##NAME(x[i]); \
    }
/* near_NAME, and far_NAME of the arguments beyond, which are brought together */
#define NEAR_BLOCK(NAME) \
    static void NAME##_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) { \
        double beyond[SPECIAL_BLOCK], far[SPECIAL_BLOCK]; \
        int32_t at[SPECIAL_BLOCK]; \
        int64_t m = 0; \
        NOTE(double) rare = 0; \
        for (int64_t i = 0; i < n; i++) { at[m] = (int32_t)i; m += BEYOND_##NAME(x[i]); } \
        if (m < n) for (int64_t i = 0; i < n; i++) y[i] = near_##NAME(x[i]); \
        for (int64_t k = 0; k < m; k++) beyond[k] = x[at[k]]; \
        for (int64_t k = 0; k < m; k++) rare |= -(NOTE(double))(RARE_##NAME(beyond[k])); \
        for (int64_t k = 0; k < m; k++) far[k] = far_##NAME(beyond[k]); \
        if (rare) for (int64_t k = 0; k < m; k++) if (RARE_##NAME(beyond[k])) far[k] = exact_##NAME(beyond[k]); \
        for (int64_t k = 0; k < m; k++) y[at[k]] = far[k]; \
    }
/* near_NAME holds in the common range, special_NAME everywhere */
#define RANGED_BLOCK(NAME, OUTSIDE) \
    static void NAME##_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) { \
        NOTE(double) outside = 0; \
        for (int64_t i = 0; i < n; i++) outside += OUTSIDE(x[i]); \
        if (outside * 8 > n) { \
            for (int64_t i = 0; i < n; i++) y[i] = special_##NAME(x[i]); \
        } else { \
            for (int64_t i = 0; i < n; i++) y[i] = near_##NAME(x[i]); \
            if (outside) for (int64_t i = 0; i < n; i++) if (OUTSIDE(x[i])) y[i] = special_##NAME(x[i]); \
        } \
    }
#define BINARY_BLOCK(NAME, EXPR) \
    static void NAME##_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) { \
        for (int64_t i = 0; i < n; i++) { const double a = x[i], b = w[i]; y[i] = EXPR; } \
    }

INLINE void read_block(double *y, const char *x, int64_t stride, int64_t n, int single) {
    if (single) for (int64_t i = 0; i < n; i++) y[i] = ((const float *)x)[i * stride];
    else for (int64_t i = 0; i < n; i++) y[i] = ((const double *)x)[i * stride];
}
INLINE void write_block(char *y, int64_t stride, const double *x, int64_t n, int single) {
    if (single) for (int64_t i = 0; i < n; i++) ((float *)y)[i * stride] = (float)x[i];
    else for (int64_t i = 0; i < n; i++) ((double *)y)[i * stride] = x[i];
}

/* One or two operands through a block function; `single`: they are float32. */
static void through_double(char **ptr, const int64_t *s, int64_t n, const Param *p, Block block, int operands, int single) {
    _Alignas(64) double y[SPECIAL_BLOCK], x[SPECIAL_BLOCK], w[SPECIAL_BLOCK];
    const int64_t size = single ? 4 : 8;
    for (int64_t at = 0; at < n; at += SPECIAL_BLOCK) {
        const int64_t m = n - at < SPECIAL_BLOCK ? n - at : SPECIAL_BLOCK;
        read_block(x, ptr[1] + at * s[1] * size, s[1], m, single);
        if (operands == 2) read_block(w, ptr[2] + at * s[2] * size, s[2], m, single);
        block(y, x, w, m, p);
        write_block(ptr[0] + at * s[0] * size, s[0], y, m, single);
    }
}
#endif

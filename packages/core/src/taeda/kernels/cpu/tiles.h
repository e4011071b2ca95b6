/* Register tiles for convolution, and what moves memory: included once per dtype, with T, LANES, SUFFIX and
 * MASK (the integer type of T's size) defined.
 *
 *   tile, wide, pair   y[i][v] += sum_r  src_i[off[r]] * w[r][v]     places i, one or two panels of LANES
 *   wide9, pair9       the same of 9 places, which the 9 or 27 taps of small kernels fill
 *   narrow             the same, 8 places by a panel of LANES / 2
 *   rowsM, dots        the same sums with neighbouring pixels as lanes, for few channels
 *   transpose          dst[j][i] = src[i][j]
 *
 * tile and narrow serve any processor: tile 6 places by one panel, as two half vectors.  The others are for AVX-512 (8 places
 * by one or two panels) and are called only where taeda_wide() says so.  Each call sums from zero and then
 * adds to memory: long sums come out blocked, which keeps their float32 error small.
 */
#include <stdint.h>
#include <string.h>

#ifndef TAEDA_TILES_H
#define TAEDA_TILES_H
#if defined(__AVX2__) && defined(__GNUC__)   /* not in the baseline build */
#include "avx512.h"
#define WIDE __attribute__((target(AVX512)))
static int taeda_wide(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#else
#define WIDE
static int taeda_wide(void) { return 0; }
#endif
#ifdef __GNUC__
#define IN_VECTORS __asm__ volatile("")      /* in a loop that copies: else GCC takes it for memcpy, and rep movsq for 32 bytes */
#else
#define IN_VECTORS
#endif
#define LOCAL static __attribute__((unused))
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)
#define EACH6(M) M(0) M(1) M(2) M(3) M(4) M(5)
#define EACH8(M) EACH6(M) M(6) M(7)
#define EACH9(M) EACH8(M) M(8)

/* p_i = sum_r  src_i[off[r]] * w[r], for EACH of some places i; the next r's vector of weights lies `step` elements on. */
#define BEGIN1(i) const T *s##i = src[i]; V p##i = {0};
#define STEP1(i) { const T x = s##i[o]; p##i += x * u; }
#define SUMS1(EACH, step)                                                       \
    EACH(BEGIN1)                                                                \
    for (int64_t r = 0; r < n; r++) {                                           \
        const int64_t o = off[r];                                               \
        const V u = *(const V *)(w + r * (step));                               \
        EACH(STEP1)                                                             \
    }
/* The same of two vectors: q_i with the one that lies `beyond` elements after p_i's. */
#define BEGIN2(i) BEGIN1(i) V q##i = {0};
#define STEP2(i) { const T x = s##i[o]; p##i += x * u; q##i += x * v; }
#define SUMS2(EACH, beyond)                                                     \
    EACH(BEGIN2)                                                                \
    for (int64_t r = 0; r < n; r++) {                                           \
        const int64_t o = off[r];                                               \
        const V u = *(const V *)(w + r * LANES), v = *(const V *)(w + r * LANES + (beyond)); \
        EACH(STEP2)                                                             \
    }
#endif

typedef T NAME(half) __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
typedef T NAME(whole) __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));

/* -- sums through a table of offsets -- */
#define ADD1(i) *(V *)(y + i * LANES) += p##i;
#define ADD2(i) ADD1(i) *(V *)(y + i * LANES + gap) += q##i;
#define ADD_HALF(i) *(V *)(y + i * (LANES / 2)) += p##i;

LOCAL void NAME(tile)(int64_t n, const T *const *src, const int64_t *off, const T *w, T *y) {
    typedef NAME(half) V;
    const int64_t gap = LANES / 2;
    SUMS2(EACH6, gap)
    EACH6(ADD2)
}

LOCAL void NAME(narrow)(int64_t n, const T *const *src, const int64_t *off, const T *w, T *y) {
    typedef NAME(half) V;
    SUMS1(EACH8, LANES / 2)
    EACH8(ADD_HALF)
}

LOCAL WIDE void NAME(wide)(int64_t n, const T *const *src, const int64_t *off, const T *w, T *y) {
    typedef NAME(whole) V;
    SUMS1(EACH8, LANES)
    EACH8(ADD1)
}

/* The second panel of weights lies wgap elements on, the second panel of results gap elements on. */
LOCAL WIDE void NAME(pair)(int64_t n, const T *const *src, const int64_t *off, const T *w, int64_t wgap, T *y,
                            int64_t gap) {
    typedef NAME(whole) V;
    SUMS2(EACH8, wgap)
    EACH8(ADD2)
}

LOCAL WIDE void NAME(wide9)(int64_t n, const T *const *src, const int64_t *off, const T *w, T *y) {
    typedef NAME(whole) V;
    SUMS1(EACH9, LANES)
    EACH9(ADD1)
}

LOCAL WIDE void NAME(pair9)(int64_t n, const T *const *src, const int64_t *off, const T *w, int64_t wgap, T *y,
                            int64_t gap) {
    typedef NAME(whole) V;
    SUMS2(EACH9, wgap)
    EACH9(ADD2)
}
#undef ADD1
#undef ADD2
#undef ADD_HALF

/* -- sums over whole rows of pixels: few results share each load --
 * rowsM  y[i][x] += sum_r  w[r][i] * src[off[r] + x]     i < M results, x < LANES * NV
 *                    first: y begins as first[i], and need not be set before
 * dots   y[i][l] += sum_x  (x = l mod LANES)  g[x] * (src[off[i] + x] where mask[x])     i < 8 offsets
 * Unwanted x between two rows of an image are computed and dropped; dots masks them, as they may be NaN. */
#define SPAN(V) ((int64_t)(sizeof(V) / sizeof(T)))
#define PLACE(i, v) (*(V *)(y + (i) * gap + (v) * SPAN(V)))
#define ROWS(FUNCTION, TARGET, VEC, M, NV)                                                              \
    LOCAL TARGET void NAME(FUNCTION)(int64_t n, const int64_t *off, const T *w, const T *src, T *y,     \
                                     int64_t gap, const T *first) {                                     \
        typedef NAME(VEC) V;                                                                            \
        V acc[M][NV];                                                                                   \
        UNROLL for (int i = 0; i < M; i++)                                                              \
            UNROLL for (int v = 0; v < NV; v++)                                                         \
                acc[i][v] = (V){0};                                                                     \
        for (int64_t r = 0; r < n; r++) {                                                               \
            const T *at = src + off[r];                                                                 \
            V x[NV];                                                                                    \
            UNROLL for (int v = 0; v < NV; v++)                                                         \
                x[v] = *(const V *)(at + v * SPAN(V));                                                  \
            UNROLL for (int i = 0; i < M; i++) {                                                        \
                T s = w[r * M + i];                                                                     \
                UNROLL for (int v = 0; v < NV; v++)                                                     \
                    acc[i][v] += s * x[v];                                                              \
            }                                                                                           \
        }                                                                                               \
        UNROLL for (int i = 0; i < M; i++)                                                              \
            UNROLL for (int v = 0; v < NV; v++) {                                                       \
                if (first)                                                                              \
                    PLACE(i, v) = acc[i][v] + first[i];                                                 \
                else                                                                                    \
                    PLACE(i, v) += acc[i][v];                                                           \
            }                                                                                           \
    }
#define UNROLL _Pragma("GCC unroll 8")
ROWS(rows1, WIDE, whole, 1, 8)
ROWS(rows4, WIDE, whole, 4, 4)
ROWS(rows8, WIDE, whole, 8, 2)
ROWS(rows1_half, , half, 1, 8)
ROWS(rows4_half, , half, 4, 2)
ROWS(rows8_half, , half, 8, 1)
#undef ROWS
#undef UNROLL
#undef PLACE
#undef SPAN

#define DOT(i) { V x = *(const V *)(src + off[i] + r); s##i += u * (V)((Bits)x & m); }
#define BEGIN(i) V s##i = {0};
#define END1(i) *(V *)(y + i * LANES) += s##i;
#define DOTS(FUNCTION, TARGET, VEC)                                                                             \
    LOCAL TARGET void NAME(FUNCTION)(int64_t n, const T *g, const void *mask, const T *src, const int64_t *off, \
                                     T *y) {                                                                    \
        typedef NAME(VEC) V;                                                                                    \
        typedef MASK Bits __attribute__((vector_size(sizeof(V)), aligned(sizeof(T)), may_alias));               \
        EACH8(BEGIN)                                                                                            \
        for (int64_t r = 0; r < n; r += sizeof(V) / sizeof(T)) {                                                \
            V u = *(const V *)(g + r);                                                                          \
            Bits m = *(const Bits *)((const MASK *)mask + r);                                                   \
            EACH8(DOT)                                                                                          \
        }                                                                                                       \
        EACH8(END1)                                                                                             \
    }
DOTS(dots, WIDE, whole)
DOTS(dots_half, , half)
#undef DOTS
#undef DOT
#undef BEGIN
#undef END1

/* Whether n numbers are finite: zero times an infinity or a NaN is a NaN. */
LOCAL int NAME(finite)(const T *x, int64_t n) {
    T s = 0;
    _Pragma("omp simd reduction(+:s)")
    for (int64_t i = 0; i < n; i++)
        s += x[i] * 0;
    return s == 0;
}

/* -- moving -- */
/* d[i] = s[i]; the last vectors overlap, which short rows of images gain most from. */
LOCAL inline void NAME(copy)(T *restrict d, const T *restrict s, int64_t n) {
    typedef T Q __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
    const int64_t B = LANES / 2, C = LANES / 4;
    if (n >= B) {
        for (int64_t i = 0; i < n - B; i += B) {
            *(NAME(half) *)(d + i) = *(const NAME(half) *)(s + i);
            IN_VECTORS;
        }
        *(NAME(half) *)(d + n - B) = *(const NAME(half) *)(s + n - B);
    } else if (n >= C) {
        *(Q *)d = *(const Q *)s;
        *(Q *)(d + n - C) = *(const Q *)(s + n - C);
    } else {                               /* a loop would become a call of memmove */
#if LANES > 16
        memcpy(d, s, n * sizeof(T));
#else
        if (n & 2)
            memcpy(d, s, 2 * sizeof(T));
        if (n & 1)
            d[n - 1] = s[n - 1];
#endif
    }
}

#if LANES <= 16
/* d[i] = s[2 i]; reads nothing beyond s[2 n - 2]. */
LOCAL inline void NAME(every_second)(T *restrict d, const T *restrict s, int64_t n) {
    typedef NAME(half) V;
    const int64_t B = LANES / 2;
    int64_t i = 0;
    while (n >= B) {
        V a = *(const V *)(s + 2 * i), b = *(const V *)(s + 2 * i + B - 1);
#if LANES == 16
        *(V *)(d + i) = __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#else
        *(V *)(d + i) = __builtin_shufflevector(a, b, 0, 2, 5, 7);
#endif
        if (i == n - B)
            return;
        i = i + B < n - B ? i + B : n - B;
    }
#if LANES == 16
    typedef T Q __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
    while (n >= B / 2) {
        Q a = *(const Q *)(s + 2 * i), b = *(const Q *)(s + 2 * i + B / 2 - 1);
        *(Q *)(d + i) = __builtin_shufflevector(a, b, 0, 2, 5, 7);
        if (i == n - B / 2)
            return;
        i = n - B / 2;
    }
#endif
    for (; i < n; i++)
        d[i] = s[2 * i];
}
#endif

/* d[i] += s[i] for short runs: loops that the compiler widens pay more in their prologues. */
LOCAL inline void NAME(add)(T *d, const T *s, int64_t n) {
    typedef T Q __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
    const int64_t B = LANES / 4;
    for (; n >= B; n -= B, d += B, s += B)
        *(Q *)d += *(const Q *)s;
    for (; n > 0; n--, d++, s++)
        *d += *s;
}

#define LOAD(i) V r##i = *(const V *)(a + i * sld);
#define SHUFFLE __builtin_shufflevector
LOCAL void NAME(transpose)(const T *src, int64_t sld, T *dst, int64_t dld, int64_t rows, int64_t cols) {
    typedef NAME(half) V;
    const int64_t B = LANES / 2;
    int64_t i = 0, j;
#if LANES <= 16
    for (; i + B <= rows; i += B) {
        for (j = 0; j + B <= cols; j += B) {
            const T *a = src + i * sld + j;
            T *b = dst + j * dld + i;
#if LANES == 16
            EACH8(LOAD)
#define PAIR(i, j)                                                              \
    V l##i = SHUFFLE(r##i, r##j, 0, 8, 1, 9, 4, 12, 5, 13), h##i = SHUFFLE(r##i, r##j, 2, 10, 3, 11, 6, 14, 7, 15);
            PAIR(0, 1) PAIR(2, 3) PAIR(4, 5) PAIR(6, 7)
#define QUAD(k, x, y)                                                           \
    V t##k = SHUFFLE(x, y, 0, 1, 8, 9, 4, 5, 12, 13), v##k = SHUFFLE(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
            QUAD(0, l0, l2) QUAD(1, h0, h2) QUAD(2, l4, l6) QUAD(3, h4, h6)
#define PUT(k, x, y)                                                            \
    *(V *)(b + k * dld) = SHUFFLE(x, y, 0, 1, 2, 3, 8, 9, 10, 11);              \
    *(V *)(b + (k + 4) * dld) = SHUFFLE(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
            PUT(0, t0, t2) PUT(1, v0, v2) PUT(2, t1, t3) PUT(3, v1, v3)
#else
            LOAD(0) LOAD(1) LOAD(2) LOAD(3)
#define PAIR(i, j) V l##i = SHUFFLE(r##i, r##j, 0, 4, 2, 6), h##i = SHUFFLE(r##i, r##j, 1, 5, 3, 7);
            PAIR(0, 1) PAIR(2, 3)
#define PUT(k, x, y)                                                            \
    *(V *)(b + k * dld) = SHUFFLE(x, y, 0, 1, 4, 5);                            \
    *(V *)(b + (k + 2) * dld) = SHUFFLE(x, y, 2, 3, 6, 7);
            PUT(0, l0, l2) PUT(1, h0, h2)
#endif
#undef PAIR
#undef QUAD
#undef PUT
        }
        for (; j < cols; j++)
            for (int64_t k = i; k < i + B; k++)
                dst[j * dld + k] = src[k * sld + j];
    }
#endif
    for (; i < rows; i++)
        for (j = 0; j < cols; j++)
            dst[j * dld + i] = src[i * sld + j];
}
#undef LOAD
#undef SHUFFLE

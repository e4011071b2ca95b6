/* Sums and maxima of one contiguous row, and exponentials of what is not positive: shared by the kernels
 * of norms, softmax, losses and pools.
 *
 * A float row is added in four vectors of eight lanes over blocks of 1024 elements, and the blocks
 * in double: the error stays near one rounding of float, at the speed of loads.  Vector extensions
 * of GCC are used in place of arrays of lanes, which GCC 12 keeps in memory.
 */
#ifndef TAEDA_ROWS_H
#define TAEDA_ROWS_H
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "formulas.h"

typedef float t_v8f __attribute__((vector_size(32)));
typedef double t_v4d __attribute__((vector_size(32)));
typedef int32_t t_v8i __attribute__((vector_size(32)));
typedef int64_t t_v4l __attribute__((vector_size(32)));

static inline t_v8f t_load_f32(const float *x) { t_v8f v; memcpy(&v, x, sizeof v); return v; }
static inline t_v4d t_load_f64(const double *x) { t_v4d v; memcpy(&v, x, sizeof v); return v; }

static inline float t_lanes_f32(t_v8f v) {
    return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}
static inline double t_lanes_f64(t_v4d v) { return (v[0] + v[2]) + (v[1] + v[3]); }

/* e^x for x <= 0 (1 ulp), 0 below -87.7 (-708.7), where the power of two is made of no bits: a softmax's numerators, with half the
 * range to take care of */
static inline float t_exp_neg_f32(float x) {
    float c = x < -88.0f ? -88.0f : x;
    float m = c * 1.44269504f + 12582912.0f;
    float n = m - 12582912.0f;
    float r = c - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    return (t_expm1_core_f32(r) + 1.0f) * t_from_bits_f32((int32_t)(((uint32_t)t_to_bits_f32(m) << 23) + 0x3f800000u));
}
static inline double t_exp_neg_f64(double x) {
    double c = x < -709.0 ? -709.0 : x;
    double m = c * 1.4426950408889634 + 6755399441055744.0;
    double n = m - 6755399441055744.0;
    double r = c - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    return (t_expm1_core_f64(r) + 1.0) * t_from_bits_f64((int64_t)(((uint64_t)t_to_bits_f64(m) << 52) + 0x3ff0000000000000ULL));
}

/* log(1 + e) for 0 <= e <= 1, from the series of artanh(e / (2 + e)); NaN stays */
static inline float t_log1p_unit_f32(float e) {
    float s = e / (2.0f + e), z = s * s, q = 1.0f / 13;
    q = q * z + 1.0f / 11;
    q = q * z + 1.0f / 9;
    q = q * z + 1.0f / 7;
    q = q * z + 1.0f / 5;
    q = q * z + 1.0f / 3;
    return 2.0f * s + 2.0f * s * (z * q);
}
static inline double t_log1p_unit_f64(double e) {
    double s = e / (2.0 + e), z = s * s, q = 0;
#pragma GCC unroll 16
    for (int k = 33; k >= 3; k -= 2) q = q * z + 1.0 / k;
    return 2.0 * s + 2.0 * s * (z * q);
}

#define TAEDA_ROW_BLOCK 1024
#ifdef __AVX512F__
#define TAEDA_ROW_LANES 2      /* vectors of V that a register holds */
#else
#define TAEDA_ROW_LANES 1
#endif

/* T: scalar, V: vector of W lanes, S: suffix.
 *   row_sum(x, n)               sum x_i
 *   row_sumsq(x, n, m, &rest)   sum (x_i - m)^2, and rest = sum (x_i - m): what m, being rounded, is off by
 *   row_dot(a, b, n, m)         sum a_i (b_i - m)
 *   row_max(x, n)               the largest x_i, NaN left out; -inf of nothing
 *   row_expsum(e, x, n, m)      sum e_i, e_i = exp(x_i - m) for m = row_max; e may be NULL; what is left of a row
 *                               after whole vectors is one more vector that reaches back, not walked one by one (30 ns of 65 for 50)
 */
#define TAEDA_ROWS(S, T, V, I, W)                                                                 \
static inline V t_larger_##S(V a, V b) {                                                          \
    I take = (I)(b > a);                                                                          \
    return (V)((take & (I)b) | (~take & (I)a));                                                   \
}                                                                                                 \
static inline T row_max_##S(const T *x, int64_t n) {                                              \
    int64_t i = 0;                                                                                \
    T m = -(T)INFINITY;                                                                           \
    if (n >= W) {                                                                                 \
        V a0 = m - (V){0}, a1 = a0, a2 = a0, a3 = a0;                                             \
        for (; i + 4 * W <= n; i += 4 * W) {                                                      \
            a0 = t_larger_##S(a0, t_load_##S(x + i));                                             \
            a1 = t_larger_##S(a1, t_load_##S(x + i + W));                                         \
            a2 = t_larger_##S(a2, t_load_##S(x + i + 2 * W));                                     \
            a3 = t_larger_##S(a3, t_load_##S(x + i + 3 * W));                                     \
        }                                                                                         \
        for (; i + W <= n; i += W) a0 = t_larger_##S(a0, t_load_##S(x + i));                      \
        if (i < n) a0 = t_larger_##S(a0, t_load_##S(x + n - W));                                  \
        a0 = t_larger_##S(t_larger_##S(a0, a1), t_larger_##S(a2, a3));                            \
        for (int k = 0; k < W; k++) m = a0[k] > m ? a0[k] : m;                                    \
        return m;                                                                                 \
    }                                                                                             \
    for (; i < n; i++) m = x[i] > m ? x[i] : m;                                                   \
    return m;                                                                                     \
}                                                                                                 \
static inline double row_sum_##S(const T *x, int64_t n) {                                         \
    double total = 0;                                                                             \
    for (int64_t b = 0; b < n; b += TAEDA_ROW_BLOCK) {                                            \
        int64_t i = b, e = n - b < TAEDA_ROW_BLOCK ? n : b + TAEDA_ROW_BLOCK;                     \
        T s = 0;                                                                                  \
        if (e - i >= W) {                                                                         \
            V a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0};                                             \
            for (; i + 4 * W <= e; i += 4 * W) {                                                  \
                a0 += t_load_##S(x + i); a1 += t_load_##S(x + i + W);                             \
                a2 += t_load_##S(x + i + 2 * W); a3 += t_load_##S(x + i + 3 * W);                 \
            }                                                                                     \
            for (; i + W <= e; i += W) a0 += t_load_##S(x + i);                                   \
            s = t_lanes_##S((a0 + a1) + (a2 + a3));                                               \
        }                                                                                         \
        for (; i < e; i++) s += x[i];                                                             \
        total += s;                                                                               \
    }                                                                                             \
    return total;                                                                                 \
}                                                                                                 \
static inline double row_expsum_##S(T *restrict e, const T *restrict x, int64_t n, T m) {         \
    enum { L = TAEDA_ROW_LANES * W };                                                             \
    double total = 0;                                                                             \
    for (int64_t b = 0; b < n; b += TAEDA_ROW_BLOCK) {                                            \
        const int64_t end = n - b < TAEDA_ROW_BLOCK ? n : b + TAEDA_ROW_BLOCK, last = end - L;    \
        const int64_t whole = last < 0 ? end : b + (end - b) / L * L;                             \
        T s = 0;                                                                                  \
        if (e) {                                                                                  \
            _Pragma("omp simd reduction(+:s)")                                                    \
            for (int64_t i = b; i < whole; i++) { T v = t_exp_neg_##S(x[i] - m); e[i] = v; s += v; }\
        } else {                                                                                  \
            _Pragma("omp simd reduction(+:s)")                                                    \
            for (int64_t i = b; i < whole; i++) s += t_exp_neg_##S(x[i] - m);                     \
        }                                                                                         \
        if (whole < end) {                                                                        \
            const int first = (int)(whole - last);                                                \
            T sum[L];                                                                             \
            _Pragma("omp simd")                                                                   \
            for (int k = 0; k < L; k++) {                                                         \
                const T v = t_exp_neg_##S(x[last + k] - m);                                       \
                if (e) e[last + k] = v;                                                           \
                sum[k] = k < first ? 0 : v;                                                       \
            }                                                                                     \
            for (int w = L / 2; w > 0; w >>= 1)                                                   \
                for (int k = 0; k < w; k++) sum[k] += sum[k + w];                                 \
            s += sum[0];                                                                          \
        }                                                                                         \
        total += s;                                                                               \
    }                                                                                             \
    return total;                                                                                 \
}                                                                                                 \
static inline double row_sumsq_##S(const T *x, int64_t n, T m, double *rest) {                    \
    double total = 0, sum = 0;                                                                    \
    for (int64_t b = 0; b < n; b += TAEDA_ROW_BLOCK) {                                            \
        int64_t i = b, e = n - b < TAEDA_ROW_BLOCK ? n : b + TAEDA_ROW_BLOCK;                     \
        T q = 0, s = 0;                                                                           \
        if (e - i >= W) {                                                                         \
            V a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, b0 = {0}, b1 = {0}, b2 = {0}, b3 = {0};     \
            for (; i + 4 * W <= e; i += 4 * W) {                                                  \
                V d0 = t_load_##S(x + i) - m, d1 = t_load_##S(x + i + W) - m;                     \
                V d2 = t_load_##S(x + i + 2 * W) - m, d3 = t_load_##S(x + i + 3 * W) - m;         \
                a0 += d0 * d0; a1 += d1 * d1; a2 += d2 * d2; a3 += d3 * d3;                       \
                b0 += d0; b1 += d1; b2 += d2; b3 += d3;                                           \
            }                                                                                     \
            for (; i + W <= e; i += W) {                                                          \
                V d0 = t_load_##S(x + i) - m;                                                     \
                a0 += d0 * d0; b0 += d0;                                                          \
            }                                                                                     \
            q = t_lanes_##S((a0 + a1) + (a2 + a3));                                               \
            s = t_lanes_##S((b0 + b1) + (b2 + b3));                                               \
        }                                                                                         \
        for (; i < e; i++) { T d = x[i] - m; q += d * d; s += d; }                                \
        total += q;                                                                               \
        sum += s;                                                                                 \
    }                                                                                             \
    *rest = sum;                                                                                  \
    return total;                                                                                 \
}                                                                                                 \
static inline double row_dot_##S(const T *a, const T *x, int64_t n, T m) {                        \
    double total = 0;                                                                             \
    for (int64_t b = 0; b < n; b += TAEDA_ROW_BLOCK) {                                            \
        int64_t i = b, e = n - b < TAEDA_ROW_BLOCK ? n : b + TAEDA_ROW_BLOCK;                     \
        T s = 0;                                                                                  \
        if (e - i >= W) {                                                                         \
            V a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0};                                             \
            for (; i + 4 * W <= e; i += 4 * W) {                                                  \
                a0 += t_load_##S(a + i) * (t_load_##S(x + i) - m);                                \
                a1 += t_load_##S(a + i + W) * (t_load_##S(x + i + W) - m);                        \
                a2 += t_load_##S(a + i + 2 * W) * (t_load_##S(x + i + 2 * W) - m);                \
                a3 += t_load_##S(a + i + 3 * W) * (t_load_##S(x + i + 3 * W) - m);                \
            }                                                                                     \
            for (; i + W <= e; i += W) a0 += t_load_##S(a + i) * (t_load_##S(x + i) - m);         \
            s = t_lanes_##S((a0 + a1) + (a2 + a3));                                               \
        }                                                                                         \
        for (; i < e; i++) s += a[i] * (x[i] - m);                                                \
        total += s;                                                                               \
    }                                                                                             \
    return total;                                                                                 \
}

TAEDA_ROWS(f32, float, t_v8f, t_v8i, 8)
TAEDA_ROWS(f64, double, t_v4d, t_v4l, 4)

#endif

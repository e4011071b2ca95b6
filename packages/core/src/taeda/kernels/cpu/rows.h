/* Sums over one contiguous row, shared by the kernels of norms, softmax, losses and pools.
 *
 * A float row is added in four vectors of eight lanes over blocks of 1024 elements, and the blocks
 * in double: the error stays near one rounding of float, at the speed of loads.  Vector extensions
 * of GCC are used in place of arrays of lanes, which GCC 12 keeps in memory.
 */
#ifndef TAEDA_ROWS_H
#define TAEDA_ROWS_H
#include <stdint.h>
#include <string.h>

typedef float t_v8f __attribute__((vector_size(32)));
typedef double t_v4d __attribute__((vector_size(32)));

static inline t_v8f t_load_f32(const float *x) { t_v8f v; memcpy(&v, x, sizeof v); return v; }
static inline t_v4d t_load_f64(const double *x) { t_v4d v; memcpy(&v, x, sizeof v); return v; }

static inline float t_lanes_f32(t_v8f v)
{
    return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}
static inline double t_lanes_f64(t_v4d v) { return (v[0] + v[2]) + (v[1] + v[3]); }

#define TAEDA_ROW_BLOCK 1024

/* T: scalar, V: vector of W lanes, S: suffix.
 *   row_sum(x, n)               sum x_i
 *   row_sumsq(x, n, m)          sum (x_i - m)^2
 *   row_dot(a, b, n, m)         sum a_i (b_i - m)
 */
#define TAEDA_ROWS(S, T, V, W)                                                                    \
static inline double row_sum_##S(const T *x, int64_t n)                                           \
{                                                                                                 \
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
static inline double row_sumsq_##S(const T *x, int64_t n, T m)                                    \
{                                                                                                 \
    double total = 0;                                                                             \
    for (int64_t b = 0; b < n; b += TAEDA_ROW_BLOCK) {                                            \
        int64_t i = b, e = n - b < TAEDA_ROW_BLOCK ? n : b + TAEDA_ROW_BLOCK;                     \
        T s = 0;                                                                                  \
        if (e - i >= W) {                                                                         \
            V a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0};                                             \
            for (; i + 4 * W <= e; i += 4 * W) {                                                  \
                V d0 = t_load_##S(x + i) - m, d1 = t_load_##S(x + i + W) - m;                     \
                V d2 = t_load_##S(x + i + 2 * W) - m, d3 = t_load_##S(x + i + 3 * W) - m;         \
                a0 += d0 * d0; a1 += d1 * d1; a2 += d2 * d2; a3 += d3 * d3;                       \
            }                                                                                     \
            for (; i + W <= e; i += W) {                                                          \
                V d0 = t_load_##S(x + i) - m;                                                     \
                a0 += d0 * d0;                                                                    \
            }                                                                                     \
            s = t_lanes_##S((a0 + a1) + (a2 + a3));                                               \
        }                                                                                         \
        for (; i < e; i++) s += (x[i] - m) * (x[i] - m);                                          \
        total += s;                                                                               \
    }                                                                                             \
    return total;                                                                                 \
}                                                                                                 \
static inline double row_dot_##S(const T *a, const T *x, int64_t n, T m)                          \
{                                                                                                 \
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

TAEDA_ROWS(f32, float, t_v8f, 8)
TAEDA_ROWS(f64, double, t_v4d, 4)

#endif

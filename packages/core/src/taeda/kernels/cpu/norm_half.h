/* Channels, columns and groups of float16 and bfloat16 (`code`): a block at a time is widened in the first-level cache, where float32's
 * loops do the arithmetic, and what is stored is rounded once.  Halves are read from memory twice, as float32 numbers are, at half the
 * bytes.
 */
#ifndef TAEDA_NORM_HALF_H
#define TAEDA_NORM_HALF_H
#include <math.h>
#include <stdint.h>
#include "narrow.h"
#include "rows.h"
#define T float
#define SUFFIX f32
#include "norm_columns.h"
#include "norm_rows.h"
#undef T
#undef SUFFIX

enum { HALF_BLOCK = 1024 };      /* elements: 4 KiB wide; as many as NORM_COLS */

/* Element c of a parameter, which is a half or a float, `otherwise` where there is none; and writing one. */
static inline float half_part(const View *v, int64_t c, float otherwise) {
    if (v == NULL) return otherwise;
    if (v->dtype == TAEDA_F32) return ((const float *)v->data)[c];
    const uint16_t h = ((const uint16_t *)v->data)[c];
    return v->dtype == TAEDA_F16 ? f16_to_f32(h) : bf16_to_f32(h);
}
static inline void put_half_part(View *v, int64_t c, float x) {
    if (v == NULL) return;
    if (v->dtype == TAEDA_F32) ((float *)v->data)[c] = x;
    else ((uint16_t *)v->data)[c] = v->dtype == TAEDA_F16 ? f32_to_f16(x) : f32_to_bf16(x);
}

/* `rows` rows of n halves, `step` apart, side by side as floats; and back */
static inline void widen_rows(int code, float *y, const uint16_t *x, int64_t rows, int64_t step, int64_t n) {
    if (step == n) n *= rows, rows = 1;
    for (int64_t r = 0; r < rows; r++) widen(code, (char *)(y + r * n), (const char *)(x + r * step), 1, n);
}
static inline void narrow_rows(int code, uint16_t *y, const float *x, int64_t rows, int64_t step, int64_t n) {
    if (step == n) n *= rows, rows = 1;
    for (int64_t r = 0; r < rows; r++) narrow(code, (char *)(y + r * step), 1, (const char *)(x + r * n), n);
}

/* The light formulas over a run, which stays in registers from load to store (narrow.h) where the processor converts halves. */
#ifdef __F16C__
enum { HALF_RUN = HALF_TILE };       /* elements of the shortest */
#else
enum { HALF_RUN = INT32_MAX };
#endif
#define HALF_RUNS(S) \
    static void affine_run_##S(uint16_t *y, const uint16_t *x, int64_t n, float mean, float a, float b) { \
        int64_t i = 0; \
        HALF_TILES(S, (u[j] - mean) * a + b, , HALF_LOAD(S, u, x)) \
        for (; i < n; i++) y[i] = f32_to_##S((S##_to_f32(x[i]) - mean) * a + b); \
    } \
    static void gradient_run_##S(uint16_t *gx, const uint16_t *g, const uint16_t *x, int64_t n, float mean, float a, float k1, float k2) { \
        int64_t i = 0; \
        uint16_t *y = gx; \
        HALF_TILES(S, a * u[j] - k1 - (v[j] - mean) * k2, , HALF_LOAD(S, u, g); HALF_LOAD(S, v, x)) \
        for (; i < n; i++) y[i] = f32_to_##S(a * S##_to_f32(g[i]) - k1 - (S##_to_f32(x[i]) - mean) * k2); \
    }
HALF_RUNS(f16)
HALF_RUNS(bf16)
static void affine_run(int code, uint16_t *y, const uint16_t *x, int64_t n, float mean, float a, float b) {
    a = half_number((const char *)&a), b = half_number((const char *)&b);
    if (code == TAEDA_F16) affine_run_f16(y, x, n, mean, a, b);
    else affine_run_bf16(y, x, n, mean, a, b);
}
static void gradient_run(int code, uint16_t *gx, const uint16_t *g, const uint16_t *x, int64_t n, float mean, float a, float k1, float k2) {
    if (k1 == 0 && k2 == 0) {                       /* as row_bn_backward */
        affine_run(code, gx, g, n, 0, a, 0);
        return;
    }
    a = half_number((const char *)&a), mean = half_number((const char *)&mean);
    if (code == TAEDA_F16) gradient_run_f16(gx, g, x, n, mean, a, k1, k2);
    else gradient_run_bf16(gx, g, x, n, mean, a, k1, k2);
}

/* A channel is N rows of L, `step` apart.  Its blocks are some whole rows, or pieces of one: `rows` of `len` at `at`, `many` elements. */
#define HALF_BLOCKS(...) \
    { \
        const int64_t most = L < HALF_BLOCK ? L : HALF_BLOCK, each = HALF_BLOCK / most; \
        for (int64_t n_ = 0; n_ < N; n_ += each) \
            for (int64_t b_ = 0; b_ < L; b_ += most) { \
                const int64_t rows = N - n_ < each ? N - n_ : each, len = L - b_ < most ? L - b_ : most; \
                const int64_t at = n_ * step + b_, many = rows * len; \
                (void)many; \
                __VA_ARGS__ \
            } \
    }

/* mean and M2 = sum (x - mean)^2 of a channel; of values that are not finite the mean is their plain one */
static void half_moments(int code, const uint16_t *x, int64_t N, int64_t step, int64_t L, double *mean, double *m2) {
    float wide[HALF_BLOCK];
    double mu = 0, q = 0, count = 0, off;
    HALF_BLOCKS(
        widen_rows(code, wide, x + at, rows, step, len);
        const float m = (float)(row_sum_f32(wide, many) / (double)many);
        const double sq = row_sumsq_f32(wide, many, m, &off), total = count + (double)many;
        off /= (double)many;
        const double d = (double)m + off - mu;
        q += sq - off * off * (double)many + d * d * count * (double)many / total;
        mu += d * (double)many / total;
        count = total;
    )
    *m2 = q < 0 ? 0 : q;
    if (!isfinite(mu)) {
        mu = 0;
        HALF_BLOCKS(
            widen_rows(code, wide, x + at, rows, step, len);
            for (int64_t i = 0; i < many; i++) mu += wide[i];
        )
        mu /= (double)(N * L);
    }
    *mean = mu;
}

/* y = (x - mean) a + b */
static void half_affine(int code, uint16_t *y, const uint16_t *x, int64_t N, int64_t step, int64_t L, float mean, float a, float b) {
    float wide[HALF_BLOCK], out[HALF_BLOCK];
    if (L >= HALF_RUN) {
        for (int64_t n = 0; n < N; n++) affine_run(code, y + n * step, x + n * step, L, mean, a, b);
        return;
    }
    HALF_BLOCKS(
        widen_rows(code, wide, x + at, rows, step, len);
        row_affine_f32(out, wide, many, mean, a, b);
        narrow_rows(code, y + at, out, rows, step, len);
    )
}

/* sum g and sum g (x - mean) */
static void half_dots(int code, const uint16_t *g, const uint16_t *x, int64_t N, int64_t step, int64_t L, float mean, double *sg,
                      double *sgx) {
    float u[HALF_BLOCK], v[HALF_BLOCK];
    *sg = *sgx = 0;
    HALF_BLOCKS(
        widen_rows(code, u, g + at, rows, step, len);
        widen_rows(code, v, x + at, rows, step, len);
        *sg += row_sum_f32(u, many);
        *sgx += row_dot_f32(u, v, many, mean);
    )
}

/* gx = a g - k1 - (x - mean) k2 */
static void half_gradient(int code, uint16_t *gx, const uint16_t *g, const uint16_t *x, int64_t N, int64_t step, int64_t L, float mean,
                          float a, float k1, float k2) {
    float u[HALF_BLOCK], v[HALF_BLOCK], out[HALF_BLOCK];
    if (L >= HALF_RUN) {
        for (int64_t n = 0; n < N; n++) gradient_run(code, gx + n * step, g + n * step, x + n * step, L, mean, a, k1, k2);
        return;
    }
    HALF_BLOCKS(
        widen_rows(code, u, g + at, rows, step, len);
        widen_rows(code, v, x + at, rows, step, len);
        row_bn_backward_f32(out, u, v, many, mean, a, k1, k2);
        narrow_rows(code, gx + at, out, rows, step, len);
    )
}

/* The same of `cols` columns, up to NORM_COLS, of a block of rows.  The sums want the block whole: `room` is for rows cols floats. */
static void half_cols_moments(int code, const uint16_t *x, int64_t rows, int64_t step, int64_t cols, double *mean, double *m2,
                              float *room) {
    widen_rows(code, room, x, rows, step, cols);
    cols_moments_f32(room, rows, cols, cols, mean, m2);
}
static void half_cols_dots(int code, const uint16_t *g, const uint16_t *x, int64_t rows, int64_t step, int64_t cols, const float *mean,
                           double *sg, double *sgx, float *room) {
    widen_rows(code, room, g, rows, step, cols);
    widen_rows(code, room + rows * cols, x, rows, step, cols);
    cols_dots_f32(room, room + rows * cols, rows, cols, cols, mean, sg, sgx);
}
static void half_cols_affine(int code, uint16_t *y, const uint16_t *x, int64_t rows, int64_t step, int64_t cols, const float *mean,
                             const float *a, const float *b) {
    float wide[HALF_BLOCK], out[HALF_BLOCK];
    const int64_t each = HALF_BLOCK / cols;
    for (int64_t r = 0, m; r < rows; r += m) {
        m = rows - r < each ? rows - r : each;
        widen_rows(code, wide, x + r * step, m, step, cols);
        cols_affine_f32(out, wide, m, cols, cols, mean, a, b);
        narrow_rows(code, y + r * step, out, m, step, cols);
    }
}
static void half_cols_gradient(int code, uint16_t *gx, const uint16_t *g, const uint16_t *x, int64_t rows, int64_t step, int64_t cols,
                               const float *mean, const float *a, const float *k1, const float *k2) {
    float u[HALF_BLOCK], v[HALF_BLOCK], out[HALF_BLOCK];
    const int64_t each = HALF_BLOCK / cols;
    for (int64_t r = 0, m; r < rows; r += m) {
        m = rows - r < each ? rows - r : each;
        widen_rows(code, u, g + r * step, m, step, cols);
        widen_rows(code, v, x + r * step, m, step, cols);
        cols_backward_f32(out, u, v, m, cols, cols, mean, a, k1, k2);
        narrow_rows(code, gx + r * step, out, m, step, cols);
    }
}

/* A group is K channels of L, side by side.  Short ones are taken some at a time: channels [c, c + many) of len L, or a piece of one. */
#define GROUP_BLOCKS(...) \
    { \
        const int64_t some = L < HALF_BLOCK ? HALF_BLOCK / L : 1, piece = L < HALF_BLOCK ? L : HALF_BLOCK; \
        for (int64_t c = 0; c < K; c += some) { \
            const int64_t many = K - c < some ? K - c : some; \
            for (int64_t b_ = 0; b_ < L; b_ += piece) { \
                const int64_t len = L - b_ < piece ? L - b_ : piece, at = c * L + b_; \
                __VA_ARGS__ \
            } \
        } \
    }

/* y = (x - mean) rstd w + b of the group's channels from `first` on; off: what the rounded mean is off by */
static void half_group(int code, uint16_t *y, const uint16_t *x, int64_t K, int64_t L, float mean, float rstd, double off, const View *w,
                       const View *b, int64_t first) {
    float wide[HALF_BLOCK], out[HALF_BLOCK];
    if (L >= HALF_RUN) {
        for (int64_t k = 0; k < K; k++) {
            const float a = rstd * half_part(w, first + k, 1);
            affine_run(code, y + k * L, x + k * L, L, mean, a, half_part(b, first + k, 0) - (float)(off * a));
        }
        return;
    }
    GROUP_BLOCKS(
        widen(code, (char *)wide, (const char *)(x + at), 1, many * len);
        for (int64_t k = 0; k < many; k++) {
            const float a = rstd * half_part(w, first + c + k, 1);
            row_affine_f32(out + k * len, wide + k * len, len, mean, a, half_part(b, first + c + k, 0) - (float)(off * a));
        }
        narrow(code, (char *)(y + at), 1, (const char *)out, many * len);
    )
}

/* sums[2 c] and [2 c + 1]: of g, and of g (x - mean), over each channel; gx as half_gradient's, if it is wanted */
static void half_group_backward(int code, uint16_t *gx, const uint16_t *g, const uint16_t *x, int64_t K, int64_t L, float mean, float rstd,
                                const View *w, int64_t first, double *sums) {
    float u[HALF_BLOCK], v[HALF_BLOCK], out[HALF_BLOCK];
    double s1 = 0, s2 = 0;
    for (int64_t k = 0; k < 2 * K; k++) sums[k] = 0;
    GROUP_BLOCKS(
        widen(code, (char *)u, (const char *)(g + at), 1, many * len);
        widen(code, (char *)v, (const char *)(x + at), 1, many * len);
        for (int64_t k = 0; k < many; k++) {
            sums[2 * (c + k)] += row_sum_f32(u + k * len, len);
            sums[2 * (c + k) + 1] += row_dot_f32(u + k * len, v + k * len, len, mean);
        }
    )
    if (gx == NULL) return;
    for (int64_t k = 0; k < K; k++) {
        const double one = half_part(w, first + k, 1);
        s1 += one * sums[2 * k];
        s2 += one * sums[2 * k + 1];
    }
    const float k1 = (float)(rstd * s1 / (double)(K * L)), k2 = (float)((double)rstd * rstd * rstd * s2 / (double)(K * L));
    if (L >= HALF_RUN) {
        for (int64_t k = 0; k < K; k++)
            gradient_run(code, gx + k * L, g + k * L, x + k * L, L, mean, rstd * half_part(w, first + k, 1), k1, k2);
        return;
    }
    GROUP_BLOCKS(
        widen(code, (char *)u, (const char *)(g + at), 1, many * len);
        widen(code, (char *)v, (const char *)(x + at), 1, many * len);
        for (int64_t k = 0; k < many; k++)
            row_bn_backward_f32(out + k * len, u + k * len, v + k * len, len, mean, rstd * half_part(w, first + c + k, 1), k1, k2);
        narrow(code, (char *)(gx + at), 1, (const char *)out, many * len);
    )
}
#endif

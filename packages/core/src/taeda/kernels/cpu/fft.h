/* Discrete Fourier transforms: included once per dtype, with T, LANES (of a vector of LANE_BYTES) and SUFFIX defined.
 *
 * (a) LANES transforms run side by side, one a lane: a cell of a buffer holds the real parts of all, then the imaginary
 *     ones.  Passes of Stockham's algorithm (fft_passes.h) go from one buffer to the other and end in natural order; no lane
 *     is ever moved within a pass.  Where the lanes are neighbours in memory, the first pass reads them and the last one
 *     writes them there.
 * (b) What the lanes are: neighbouring columns, where the transformed dimension is not the last; rows of a batch, which
 *     are transposed on the way in and out; and else the columns and then the rows of one long
 *     transform written as a matrix of n1 x n2 numbers ("four-step"; Bailey, "FFTs in external or hierarchical memory", 1990):
 *         X[k1 + n1 k2] = sum_j2 w_n2^(j2 k2) [ w_n^(j2 k1) sum_j1 w_n1^(j1 k1) x[j1 n2 + j2] ]
 *     so that both parts stay in the first-level cache and a single transform fills the lanes.
 * (c) A length with a larger prime factor is a convolution of a length without (Bluestein, 1970).
 * (d) A real transform of even length is a complex one of half the length and a pass over its result.
 * (e) The inverse exchanges real and imaginary parts on the way in and out.
 *
 * Five n log2 n operations a transform; 50 GFLOP/s are reached with AVX-512, 20 to 40 without, where adds without a product allow 50.
 */
#ifndef TAEDA_FFT_H
#define TAEDA_FFT_H
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if LANE_BYTES == 64
#include <immintrin.h>
#endif
#define EVERY_LANE _Pragma("GCC unroll 16")

enum { MAX_RADIX = 128, MAX_PASSES = 64 };
enum { SPLIT_FROM = 64 };                             /* numbers from which on a transform alone is columns and rows */
enum { SIDE_BY_SIDE, ALONE, ROWS, SIDE_TO = 8192 };   /* how a plan's transforms are run */
enum { CELLS, NEIGHBOURS, EXCHANGED, TURNED };       /* what a pass reads and writes: fft_passes.h */

typedef struct FftPlan {
    int64_t n;
    int passes;                          /* side by side: how many, their radices and groups */
    int64_t radix[MAX_PASSES], groups[MAX_PASSES];
    void *twiddles;                      /* pass by pass: radix - 1 factors for each of its groups, then a large radix's own roots */
    struct FftPlan *first, *second;      /* one by one: split into n1 and n2 */
    void *between;                       /* w_n^(j2 k1), in cells as the first part leaves them */
    struct FftPlan *whole;               /* one by one: a convolution of this length */
    void *chirp, *spectrum;              /* exp(-i pi j^2 / n); transform of its conjugate, over the length */
    void *halves;                        /* exp(-i pi k / n): for a real transform of 2 n numbers */
} FftPlan;

/* exp(-2 pi i k / n), right to the last bit but one: the angle is taken within an eighth of the circle. */
static void taeda_root(int64_t k, int64_t n, double *re, double *im) {
    k %= n;
    const int64_t e = 8 * k / n;                                    /* which eighth */
    const int64_t rest = e % 2 ? (e + 1) * n - 8 * k : 8 * k - e * n;   /* of it, times 8 n; backwards in odd ones */
    const double angle = 0.78539816339744830962 * ((double)rest / (double)n), c = cos(angle), s = sin(angle);
    const int swap = (e + 1) / 2 % 2;                               /* eighths 1 2 5 6: nearer to the other axis */
    const double x = swap ? s : c, y = swap ? c : s;
    *re = e >= 2 && e < 6 ? -x : x;
    *im = e < 4 ? -y : y;
}

static inline int taeda_is_short(int64_t radix) { return radix <= 5 || radix == 7 || radix == 8; }     /* has a pass of its own */

static int taeda_odd_radix(int64_t n) {        /* smallest odd factor */
    for (int64_t r = 3; r <= MAX_RADIX && r * r <= n; r += 2) if (n % r == 0) return (int)r;
    return n <= MAX_RADIX ? (int)n : 0;
}

/* Radices whose product is n, odd ones first; 0 where a prime factor is too large.  Powers of two are fours, and eights where there
 * are 32 registers: an eight saves a pass. */
static int taeda_radices(int64_t n, int64_t *radix) {
    int count = 0, odd = 0;
    int64_t found[MAX_PASSES];
    int64_t twos = 0, rest = n;
    while (rest % 2 == 0) { rest /= 2; twos++; }
    while (rest > 1) {
        const int r = taeda_odd_radix(rest);
        if (r == 0) return 0;
        found[odd++] = r;
        rest /= r;
    }
    while (odd > 0) radix[count++] = found[--odd];
    if (LANE_BYTES == 64 ? twos == 1 : twos % 2) { radix[count++] = 2; twos--; }
    while (LANE_BYTES == 64 ? twos % 3 != 0 : twos > 0) { radix[count++] = 4; twos -= 2; }
    while (twos > 0) { radix[count++] = 8; twos -= 3; }
    if (n == 1) radix[count++] = 1;
    return count;
}
#endif

#include "side_by_side.h"
#define RE(b, i) (*(V *)((b) + 2 * LANES * (i)))
#define IM(b, i) (*(V *)((b) + 2 * LANES * (i) + LANES))
#include "fft_passes.h"
/* -- in and out: lane l is n complex numbers, `step` apart, from at[l] on -- */
typedef struct { const T *at[LANES]; int count; int64_t step; } NAME(Source);
typedef struct { T *at[LANES]; int count; int64_t step; } NAME(Target);

/* Fill cells 0 to n - 1; lanes beyond count are another lane's, or zeros.  flip: exchange real and imaginary parts. */
LOCAL void NAME(load)(const NAME(Source) *x, int64_t n, T *buffer, int flip) {
    enum { AT_ONCE = LANES / 2 };
    const int64_t step = 2 * x->step;
    const int re = flip ? LANES : 0, im = flip ? 0 : LANES;
    if (step == 2 && n >= AT_ONCE) {                                /* rows */
        const T *mine[LANES], *const *at = x->at;
        if (x->count < LANES) {
            for (int l = 0; l < LANES; l++) mine[l] = x->at[l < x->count ? l : 0];
            at = mine;
        }
        for (int64_t i = 0; i < n; i += AT_ONCE) {
            const int64_t j = i + AT_ONCE <= n ? i : n - AT_ONCE;
            V r[LANES];
            EVERY_LANE for (int l = 0; l < LANES; l++) r[l] = *(const V *)(at[l] + 2 * j);
            NAME(turn_lanes)(r);
            T *cells = buffer + 2 * LANES * j;
            EVERY_LANE for (int c = 0; c < AT_ONCE; c++) {
                *(V *)(cells + 2 * LANES * c + re) = r[2 * c];
                *(V *)(cells + 2 * LANES * c + im) = r[2 * c + 1];
            }
        }
        return;
    }
    for (int64_t j = 0; j < n; j++) {
        T *cell = buffer + 2 * LANES * j;
        for (int l = 0; l < x->count; l++) { cell[l + re] = x->at[l][j * step]; cell[l + im] = x->at[l][j * step + 1]; }
        for (int l = x->count; l < LANES; l++) cell[l] = cell[l + LANES] = 0;
    }
}

/* Give cells 0 to n - 1 to their places, times scale. */
LOCAL void NAME(store)(const T *buffer, int64_t n, const NAME(Target) *y, int flip, T scale) {
    enum { AT_ONCE = LANES / 2 };
    const int64_t step = 2 * y->step;
    const int re = flip ? LANES : 0, im = flip ? 0 : LANES;
    if (step == 2 && n >= AT_ONCE) {
        for (int64_t i = 0; i < n; i += AT_ONCE) {
            const int64_t j = i + AT_ONCE <= n ? i : n - AT_ONCE;
            const T *cells = buffer + 2 * LANES * j;
            V r[LANES];
            EVERY_LANE for (int c = 0; c < AT_ONCE; c++) {
                r[2 * c] = *(const V *)(cells + 2 * LANES * c + re) * scale;
                r[2 * c + 1] = *(const V *)(cells + 2 * LANES * c + im) * scale;
            }
            NAME(turn_lanes)(r);
            if (y->count == LANES) {
                EVERY_LANE for (int l = 0; l < LANES; l++) *(V *)(y->at[l] + 2 * j) = r[l];
            } else {
                EVERY_LANE for (int l = 0; l < LANES; l++) if (l < y->count) *(V *)(y->at[l] + 2 * j) = r[l];
            }
        }
        return;
    }
    for (int64_t j = 0; j < n; j++) {
        const T *cell = buffer + 2 * LANES * j;
        for (int l = 0; l < y->count; l++) { y->at[l][j * step] = cell[l + re] * scale; y->at[l][j * step + 1] = cell[l + im] * scale; }
    }
}

/* -- whole transforms -- */
/* Some lanes from x to y; room: two buffers of n cells. */
LOCAL void NAME(lanes)(const FftPlan *f, const NAME(Source) *x, const NAME(Target) *y, int flip, T scale, T *room) {
    const int last = x->count - 1;
    const NAME(Ends) ends = {.x = x->at[0], .xs = 2 * x->step, .x_count = x->count,
                             .y = y->at[0], .ys = 2 * y->step, .y_count = y->count, .scale = scale};
    const int from = x->at[last] - x->at[0] == 2 * last;                                              /* neighbours? */
    int to = y->at[last] - y->at[0] == 2 * last;
    for (int l = 1; to && l < last; l++) to = y->at[l] - y->at[0] == 2 * l;             /* they may be there in another order */
    if (!from) NAME(load)(x, f->n, room, flip);
    const T *cells = NAME(run)(f, &ends, from ? NEIGHBOURS + flip : CELLS, to ? NEIGHBOURS + flip : CELLS, room, room + 2 * LANES * f->n);
    if (!to) NAME(store)(cells, f->n, y, flip, scale);
}

/* Columns j2 on of one transform that is split: x (step apart) to the n1 x n2 matrix between. */
LOCAL void NAME(split_columns)(const FftPlan *f, const T *x, int64_t step, int64_t j2, T *between, int flip, T *room) {
    const int64_t n1 = f->first->n, n2 = f->second->n;
    const int count = n2 - j2 < LANES ? (int)(n2 - j2) : LANES;
    const NAME(Ends) ends = {.x = x + 2 * step * j2, .xs = 2 * step * n2, .x_count = count,
                             .y = between + 2 * j2, .ys = 2 * n2, .y_count = count, .w = (const T *)f->between + 2 * n1 * j2};
    if (step != 1) {
        NAME(Source) from = {.count = count, .step = step * n2};
        for (int l = 0; l < count; l++) from.at[l] = ends.x + 2 * step * l;
        NAME(load)(&from, n1, room, flip);
    }
    NAME(run)(f->first, &ends, step != 1 ? CELLS : NEIGHBOURS + flip, TURNED, room, room + 2 * LANES * n1);
}

LOCAL void NAME(split_rows)(const FftPlan *f, const T *between, int64_t k1, T *y, int64_t step, int flip, T scale, T *room) {
    const int64_t n1 = f->first->n, n2 = f->second->n;
    const int count = n1 - k1 < LANES ? (int)(n1 - k1) : LANES;
    const NAME(Ends) ends = {.y = y + 2 * step * k1, .ys = 2 * step * n1, .y_count = count, .scale = scale};
    NAME(Source) from = {.count = count, .step = 1};
    for (int l = 0; l < count; l++) from.at[l] = between + 2 * n2 * (k1 + l);
    NAME(load)(&from, n2, room, 0);
    const T *cells = NAME(run)(f->second, &ends, CELLS, step != 1 ? CELLS : NEIGHBOURS + flip, room, room + 2 * LANES * n2);
    if (step != 1) {
        NAME(Target) to = {.count = count, .step = step * n1};
        for (int l = 0; l < count; l++) to.at[l] = ends.y + 2 * step * l;
        NAME(store)(cells, n2, &to, flip, scale);
    }
}

LOCAL int64_t NAME(split_room)(const FftPlan *f) {
    return 4 * LANES * (f->first->n > f->second->n ? f->first->n : f->second->n);
}

/* Numbers of T that NAME(one) needs. */
LOCAL int64_t NAME(one_room)(const FftPlan *f) {
    if (f->whole) return 4 * f->whole->n + NAME(one_room)(f->whole);
    return f->first ? 2 * f->n + NAME(split_room)(f) : 4 * LANES * f->n;
}

/* One transform from x to y, which may be the same. */
LOCAL void NAME(one)(const FftPlan *f, const T *x, int64_t xs, T *y, int64_t ys, int flip, T scale, T *room) {
    const int64_t n = f->n;
    if (f->whole) {
        const int64_t N = f->whole->n;
        const T *c = f->chirp, *b = f->spectrum;
        T *u = room, *v = u + 2 * N;
        for (int64_t j = 0; j < n; j++) {
            const T p = x[2 * xs * j + flip], q = x[2 * xs * j + !flip];
            u[2 * j] = p * c[2 * j] - q * c[2 * j + 1];
            u[2 * j + 1] = p * c[2 * j + 1] + q * c[2 * j];
        }
        memset(u + 2 * n, 0, 2 * (N - n) * sizeof(T));
        NAME(one)(f->whole, u, 1, v, 1, 0, 1, v + 2 * N);
        for (int64_t j = 0; j < N; j++) {
            const T p = v[2 * j], q = v[2 * j + 1];
            v[2 * j] = p * b[2 * j] - q * b[2 * j + 1];
            v[2 * j + 1] = p * b[2 * j + 1] + q * b[2 * j];
        }
        NAME(one)(f->whole, v, 1, u, 1, 1, 1, v + 2 * N);
        for (int64_t j = 0; j < n; j++) {
            const T p = u[2 * j] * scale, q = u[2 * j + 1] * scale;
            y[2 * ys * j + flip] = p * c[2 * j] - q * c[2 * j + 1];
            y[2 * ys * j + !flip] = p * c[2 * j + 1] + q * c[2 * j];
        }
    } else if (f->first) {
        T *between = room, *cells = room + 2 * n;
        for (int64_t j = 0; j < f->second->n; j += LANES) NAME(split_columns)(f, x, xs, j, between, flip, cells);
        for (int64_t k = 0; k < f->first->n; k += LANES) NAME(split_rows)(f, between, k, y, ys, flip, scale, cells);
    } else {
        NAME(Source) from = {.at = {x}, .count = 1, .step = xs};
        NAME(Target) to = {.at = {y}, .count = 1, .step = ys};
        NAME(lanes)(f, &from, &to, flip, scale, room);
    }
}

/* -- real transforms of 2 n numbers: z the complex transform of x[2 j] + i x[2 j + 1] --
 *   X[k] = E + P,  X[n - k] = conj(E - P),   E = (z[k] + conj z[n - k]) / 2,  P = -i w (z[k] - conj z[n - k]) / 2,  w = exp(-i pi k / n) */
LOCAL void NAME(unfold_half)(const FftPlan *f, T *z) {
    const int64_t n = f->n;
    const T *w = f->halves, half = (T)0.5;
    int64_t k = 1;
    const T first = z[0], second = z[1];
    z[0] = first + second; z[1] = 0;
    z[2 * n] = first - second; z[2 * n + 1] = 0;
    for (; k + LANES - 1 < n - k - LANES + 1; k += LANES) {
        T *low = z + 2 * k, *high = z + 2 * (n - k - LANES + 1);
        const V a = *(V *)low, b = *(V *)(low + LANES), c = *(V *)high, d = *(V *)(high + LANES);
        const V g = *(V *)(w + 2 * k), h = *(V *)(w + 2 * k + LANES);
        const V ar = SHUFFLE(a, b, EVEN), ai = SHUFFLE(a, b, ODD), wr = SHUFFLE(g, h, EVEN), wi = SHUFFLE(g, h, ODD);
        const V ur = SHUFFLE(c, d, EVEN), ui = SHUFFLE(c, d, ODD), br = SHUFFLE(ur, ur, BACK), bi = SHUFFLE(ui, ui, BACK);
        const V er = (ar + br) * half, ei = (ai - bi) * half, or_ = (ai + bi) * half, oi = (br - ar) * half;
        const V pr = or_ * wr - oi * wi, pi = or_ * wi + oi * wr, xr = er + pr, xi = ei + pi, tr = er - pr, ti = pi - ei;
        const V yr = SHUFFLE(tr, tr, BACK), yi = SHUFFLE(ti, ti, BACK);
        *(V *)low = SHUFFLE(xr, xi, LOW); *(V *)(low + LANES) = SHUFFLE(xr, xi, HIGH);
        *(V *)high = SHUFFLE(yr, yi, LOW); *(V *)(high + LANES) = SHUFFLE(yr, yi, HIGH);
    }
    for (; 2 * k <= n; k++) {
        T *a = z + 2 * k, *b = z + 2 * (n - k);
        const T er = (a[0] + b[0]) * half, ei = (a[1] - b[1]) * half, or_ = (a[1] + b[1]) * half, oi = (b[0] - a[0]) * half;
        const T pr = or_ * w[2 * k] - oi * w[2 * k + 1], pi = or_ * w[2 * k + 1] + oi * w[2 * k];
        b[0] = er - pr; b[1] = pi - ei;
        a[0] = er + pr; a[1] = ei + pi;
    }
}

/* The inverse, times 2: z[k] = E + i O, z[n - k] = conj(E - i O) with E = X[k] + conj X[n - k], O = conj(w) (X[k] - conj X[n - k]). */
LOCAL void NAME(fold_half)(const FftPlan *f, const T *x, T *z) {
    const int64_t n = f->n;
    const T *w = f->halves;
    int64_t k = 1;
    z[0] = x[0] + x[2 * n]; z[1] = x[0] - x[2 * n];
    for (; k + LANES - 1 < n - k - LANES + 1; k += LANES) {
        const T *low = x + 2 * k, *high = x + 2 * (n - k - LANES + 1);
        T *zl = z + 2 * k, *zh = z + 2 * (n - k - LANES + 1);
        const V a = *(const V *)low, b = *(const V *)(low + LANES), c = *(const V *)high, d = *(const V *)(high + LANES);
        const V g = *(V *)(w + 2 * k), h = *(V *)(w + 2 * k + LANES);
        const V ar = SHUFFLE(a, b, EVEN), ai = SHUFFLE(a, b, ODD), wr = SHUFFLE(g, h, EVEN), wi = SHUFFLE(g, h, ODD);
        const V ur = SHUFFLE(c, d, EVEN), ui = SHUFFLE(c, d, ODD), br = SHUFFLE(ur, ur, BACK), bi = SHUFFLE(ui, ui, BACK);
        const V er = ar + br, ei = ai - bi, pr = ar - br, pi = ai + bi, or_ = pr * wr + pi * wi, oi = pi * wr - pr * wi;
        const V xr = er - oi, xi = ei + or_, tr = er + oi, ti = or_ - ei;
        const V yr = SHUFFLE(tr, tr, BACK), yi = SHUFFLE(ti, ti, BACK);
        *(V *)zl = SHUFFLE(xr, xi, LOW); *(V *)(zl + LANES) = SHUFFLE(xr, xi, HIGH);
        *(V *)zh = SHUFFLE(yr, yi, LOW); *(V *)(zh + LANES) = SHUFFLE(yr, yi, HIGH);
    }
    for (; 2 * k <= n; k++) {
        const T *a = x + 2 * k, *b = x + 2 * (n - k);
        const T er = a[0] + b[0], ei = a[1] - b[1], pr = a[0] - b[0], pi = a[1] + b[1];
        const T or_ = pr * w[2 * k] + pi * w[2 * k + 1], oi = pi * w[2 * k] - pr * w[2 * k + 1];
        z[2 * (n - k)] = er + oi; z[2 * (n - k) + 1] = or_ - ei;
        z[2 * k] = er - oi; z[2 * k + 1] = ei + or_;
    }
}

/* -- rows of n real numbers side by side: the same in cells, a row of each lane -- */
LOCAL void NAME(load_real)(const T *x, int64_t n, int count, T *buffer) {
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t j = i + LANES <= n || n < LANES ? i : n - LANES;
        V r[LANES];
        EVERY_LANE for (int l = 0; l < LANES; l++) NAME(get_some)(x + (l < count ? l : 0) * n + j, n < LANES ? (int)n : LANES, &r[l]);
        NAME(turn_lanes)(r);
        EVERY_LANE for (int c = 0; c < LANES; c++) if (j + c < n) { RE(buffer, j + c) = r[c]; IM(buffer, j + c) = (V){0}; }
    }
}

LOCAL void NAME(store_real)(const T *buffer, int64_t n, int count, T *y, T scale) {
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t j = i + LANES <= n || n < LANES ? i : n - LANES;
        V r[LANES];
        EVERY_LANE for (int c = 0; c < LANES; c++) r[c] = RE(buffer, j + c < n ? j + c : 0) * scale;
        NAME(turn_lanes)(r);
        EVERY_LANE for (int l = 0; l < LANES; l++) if (l < count) NAME(put_some)(y + l * n + j, r[l], n < LANES ? (int)n : LANES);
    }
}

/* x to the first n / 2 + 1 numbers of each transform, rows ys of T apart; room: two buffers of a cell more than f's. */
LOCAL void NAME(lanes_r2c)(const FftPlan *f, const T *x, T *y, int64_t n, int64_t ys, int count, T scale, T *room) {
    const int64_t m = f->n;
    T *other = room + 2 * LANES * (m + 1);
    NAME(Target) to = {.count = count, .step = 1};
    for (int l = 0; l < count; l++) to.at[l] = y + l * ys;
    if (n % 2) {
        NAME(load_real)(x, n, count, room);
        T *cells = NAME(run)(f, NULL, CELLS, CELLS, room, other);
        IM(cells, 0) = (V){0};
        NAME(store)(cells, n / 2 + 1, &to, 0, scale);
        return;
    }
    NAME(Source) from = {.count = count, .step = 1};
    for (int l = 0; l < count; l++) from.at[l] = x + l * n;
    NAME(load)(&from, m, room, 0);
    const T *z = NAME(run)(f, NULL, CELLS, CELLS, room, other), *w = f->halves, half = (T)0.5;
    T *c = z == room ? other : room;
    const V first = RE(z, 0), second = IM(z, 0);
    RE(c, 0) = first + second; IM(c, 0) = (V){0};
    RE(c, m) = first - second; IM(c, m) = (V){0};
    for (int64_t k = 1; 2 * k <= m; k++) {
        const V ar = RE(z, k), ai = IM(z, k), br = RE(z, m - k), bi = IM(z, m - k);
        const V er = (ar + br) * half, ei = (ai - bi) * half, or_ = (ai + bi) * half, oi = (br - ar) * half;
        const V pr = or_ * w[2 * k] - oi * w[2 * k + 1], pi = or_ * w[2 * k + 1] + oi * w[2 * k];
        RE(c, m - k) = er - pr; IM(c, m - k) = pi - ei;
        RE(c, k) = er + pr; IM(c, k) = ei + pi;
    }
    NAME(store)(c, m + 1, &to, 0, scale);
}

LOCAL void NAME(lanes_c2r)(const FftPlan *f, const T *x, T *y, int64_t n, int count, T scale, T *room) {
    const int64_t m = f->n, xs = 2 * (n / 2 + 1);
    T *other = room + 2 * LANES * (m + 1);
    NAME(Source) from = {.count = count, .step = 1};
    for (int l = 0; l < count; l++) from.at[l] = x + l * xs;
    NAME(load)(&from, n / 2 + 1, room, n % 2);
    if (n % 2) {                     /* both parts exchanged: the inverse */
        RE(room, 0) = (V){0};
        for (int64_t k = 1; k <= n / 2; k++) { RE(room, n - k) = -RE(room, k); IM(room, n - k) = IM(room, k); }
        T *cells = NAME(run)(f, NULL, CELLS, CELLS, room, other);
        NAME(store_real)(cells + LANES, n, count, y, scale);
        return;
    }
    const T *w = f->halves;
    const V first = RE(room, 0), second = RE(room, m);
    RE(other, 0) = first - second; IM(other, 0) = first + second;        /* exchanged too */
    for (int64_t k = 1; 2 * k <= m; k++) {
        const V ar = RE(room, k), ai = IM(room, k), br = RE(room, m - k), bi = IM(room, m - k);
        const V er = ar + br, ei = ai - bi, pr = ar - br, pi = ai + bi;
        const V or_ = pr * w[2 * k] + pi * w[2 * k + 1], oi = pi * w[2 * k] - pr * w[2 * k + 1];
        IM(other, m - k) = er + oi; RE(other, m - k) = or_ - ei;
        IM(other, k) = er - oi; RE(other, k) = ei + or_;
    }
    const T *cells = NAME(run)(f, NULL, CELLS, CELLS, other, room);
    NAME(Target) to = {.count = count, .step = 1};
    for (int l = 0; l < count; l++) to.at[l] = y + l * n;
    NAME(store)(cells, m, &to, 1, scale);
}

/* -- plans -- */
LOCAL void NAME(forget)(FftPlan *f) {
    if (f == NULL) return;
    if (f->second != f->first) NAME(forget)(f->second);
    NAME(forget)(f->first);
    NAME(forget)(f->whole);
    free(f->twiddles); free(f->between); free(f->chirp); free(f->spectrum); free(f->halves);
    free(f);
}

LOCAL T *NAME(roots)(int64_t count, int64_t n) {       /* exp(-2 pi i k / n) for k < count */
    T *w = malloc(2 * (count > 0 ? count : 1) * sizeof(T));
    for (int64_t k = 0; w && k < count; k++) {
        double re, im;
        taeda_root(k, n, &re, &im);
        w[2 * k] = (T)re; w[2 * k + 1] = (T)im;
    }
    return w;
}

LOCAL int NAME(plan_passes)(FftPlan *f) {
    int64_t size = 0, m = f->n;
    for (int i = 0; i < f->passes; i++) {
        const int64_t R = f->radix[i];
        f->groups[i] = m /= R;
        size += m * (R - 1) + (taeda_is_short(R) ? 0 : R);
    }
    T *w = f->twiddles = malloc(2 * (size + 1) * sizeof(T));
    if (w == NULL) return -1;
    m = f->n;
    for (int i = 0; i < f->passes; i++) {
        const int64_t R = f->radix[i], group = m;
        double re, im;
        m /= R;
        for (int64_t p = 0; p < m; p++)
            for (int64_t j = 1; j < R; j++, w += 2) { taeda_root(p * j, group, &re, &im); w[0] = (T)re; w[1] = (T)im; }
        for (int64_t j = 0; !taeda_is_short(R) && j < R; j++, w += 2) { taeda_root(j, R, &re, &im); w[0] = (T)re; w[1] = (T)im; }
    }
    return 0;
}

LOCAL FftPlan *NAME(plan)(int64_t n, int how);

/* n1 of n = n1 n2 with the least work for lanes of both parts, some of which stay empty; 0 if there is none. */
LOCAL int64_t NAME(split_at)(int64_t n) {
    double least = 1e300;
    int64_t best = 0;
    for (int64_t a = 4; a * 4 <= n && a <= 8192; a++) {
        if (n % a) continue;
        const int64_t b = n / a;
        const double columns = (double)((b + LANES - 1) / LANES * LANES * a), rows = (double)((a + LANES - 1) / LANES * LANES * b);
        const double work = columns * (2 + log2((double)a)) + rows * (2 + log2((double)b)) + (double)n * 4 * (a > 1024 || b > 1024);
        if (work < least) { least = work; best = a; }
    }
    return best;
}

LOCAL int NAME(fits)(int64_t n) {
    if (LANE_BYTES < 64 || n < 256) return 0;
    const int64_t n1 = NAME(split_at)(n);
    return n1 != 0 && n1 % LANES == 0 && n / n1 % LANES == 0;
}

LOCAL int NAME(plan_split)(FftPlan *f) {
    const int64_t n = f->n, n1 = NAME(split_at)(n);
    if (n1 == 0) return 0;
    const int64_t n2 = n / n1, groups = (n2 + LANES - 1) / LANES;
    f->first = NAME(plan)(n1, SIDE_BY_SIDE);
    f->second = n1 == n2 ? f->first : NAME(plan)(n2, SIDE_BY_SIDE);
    T *w = f->between = malloc(2 * n1 * groups * LANES * sizeof(T));
    if (!f->first || !f->second || !w) return -1;
    for (int64_t j = 0; j < groups * LANES; j++)
        for (int64_t k = 0; k < n1; k++) {
            double re, im;
            taeda_root(j % n2 * k, n, &re, &im);
            T *cell = w + 2 * LANES * (j / LANES * n1 + k) + j % LANES;
            cell[0] = (T)re; cell[LANES] = (T)im;
        }
    return 0;
}

LOCAL int NAME(plan_convolution)(FftPlan *f) {
    const int64_t n = f->n;
    int64_t N = 0;
    for (int64_t c = 1; c < 8 * n; c *= 5)
        for (int64_t b = c; b < 8 * n; b *= 3)
            for (int64_t a = 64 * b; a < 256 * n; a *= 2)
                if (a >= 2 * n - 1 && (N == 0 || a < N)) N = a;
    f->whole = NAME(plan)(N, ALONE);
    T *c = f->chirp = malloc(2 * n * sizeof(T)), *b = f->spectrum = calloc(2 * N, sizeof(T));
    T *room = f->whole ? malloc(NAME(one_room)(f->whole) * sizeof(T)) : NULL;
    if (!c || !b || !room) { free(room); return -1; }
    for (int64_t j = 0; j < n; j++) {
        double re, im;
        taeda_root((int64_t)((unsigned __int128)j * j % (2 * n)), 2 * n, &re, &im);
        c[2 * j] = (T)re; c[2 * j + 1] = (T)im;
        b[2 * j] = (T)(re / N); b[2 * j + 1] = (T)(-im / N);
        if (j) { b[2 * (N - j)] = b[2 * j]; b[2 * (N - j) + 1] = b[2 * j + 1]; }
    }
    NAME(one)(f->whole, b, 1, b, 1, 0, 1, room);
    free(room);
    return 0;
}

/* For transforms side by side, one by one (alone), or rows of a batch, which are taken side by side up to SIDE_TO numbers unless AVX-512's
 * lanes fit the parts of a split.  NULL: out of memory. */
LOCAL FftPlan *NAME(plan)(int64_t n, int how) {
    FftPlan *f = calloc(1, sizeof(FftPlan));
    if (f == NULL) return NULL;
    f->n = n;
    const int passes = taeda_radices(n, f->radix);
    int bad = 0;
    if (passes == 0) bad = NAME(plan_convolution)(f);
    else if (how == ALONE ? n >= SPLIT_FROM : how == ROWS && (n > SIDE_TO || NAME(fits)(n))) bad = NAME(plan_split)(f);
    if (!bad && !f->first && !f->whole) { f->passes = passes; bad = NAME(plan_passes)(f); }
    if (bad) { NAME(forget)(f); return NULL; }
    return f;
}
#undef V
#undef RE
#undef IM
#undef SHUFFLE
#undef EVEN
#undef ODD
#undef LOW
#undef HIGH
#undef BACK
#undef TWICE
#undef TWICE_AND_ONE
#undef IN_TURN
#undef IN_TURN_ON
#undef FROM_END
#undef BLOCKS_LOW
#undef BLOCKS_HIGH
#undef FOUR
#undef EACH_LANE

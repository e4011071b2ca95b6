/* Discrete Fourier transforms: included once per dtype, with T, LANES (of a vector of 32 bytes) and SUFFIX defined.
 *
 * (a) LANES transforms run side by side, one a lane: a cell of a buffer holds the real parts of all, then the imaginary
 *     ones.  Passes of Stockham's algorithm (radices 4, 2, 3, 5, and any odd number up to MAX_RADIX) go from one buffer to the
 *     other and end in natural order; no lane is ever moved within a pass.
 * (b) What the lanes are: neighbouring columns, where the transformed dimension is not the last; rows of a batch, which
 *     are transposed on the way in and out, where they are short; and else the columns and then the rows of one long
 *     transform written as a matrix of n1 x n2 numbers ("four-step"; Bailey, "FFTs in external or hierarchical memory", 1990):
 *         X[k1 + n1 k2] = sum_j2 w_n2^(j2 k2) [ w_n^(j2 k1) sum_j1 w_n1^(j1 k1) x[j1 n2 + j2] ]
 *     so that both parts stay in the first-level cache and a single transform fills the lanes.
 * (c) A length with a larger prime factor is a convolution of a length without (Bluestein, 1970).
 * (d) A real transform of even length is a complex one of half the length and a pass over its result.
 * (e) The inverse exchanges real and imaginary parts on the way in and out.
 *
 * Five n log2 n operations a transform; 15 to 25 GFLOP/s are reached in cache, where adds without a product allow 50.
 */
#ifndef TAEDA_FFT_H
#define TAEDA_FFT_H
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RADIX = 128, MAX_PASSES = 64, SPLIT_FROM = 64 };

typedef struct FftPlan {
    int64_t n;
    int passes;                          /* side by side: how many, and their radices */
    int64_t radix[MAX_PASSES];
    void *twiddles;                      /* pass by pass: radix - 1 factors for each of its groups, then a large radix's own roots */
    struct FftPlan *first, *second;      /* one by one: split into n1 and n2 */
    void *between;                       /* w_n^(j2 k1), in cells as the first part leaves them */
    struct FftPlan *whole;               /* one by one: a convolution of this length */
    void *chirp, *spectrum;              /* exp(-i pi j^2 / n); transform of its conjugate, over the length */
    void *halves;                        /* exp(-i pi k / n): for a real transform of 2 n numbers */
} FftPlan;

/* exp(-2 pi i k / n), right to the last bit but one: the angle is taken within an eighth of the circle. */
static void taeda_root(int64_t k, int64_t n, double *re, double *im)
{
    k %= n;
    const int64_t e = 8 * k / n;                                    /* which eighth */
    const int64_t rest = e % 2 ? (e + 1) * n - 8 * k : 8 * k - e * n;   /* of it, times 8 n; backwards in odd ones */
    const double angle = 0.78539816339744830962 * ((double)rest / (double)n), c = cos(angle), s = sin(angle);
    const int swap = (e + 1) / 2 % 2;                               /* eighths 1 2 5 6: nearer to the other axis */
    const double x = swap ? s : c, y = swap ? c : s;
    *re = e >= 2 && e < 6 ? -x : x;
    *im = e < 4 ? -y : y;
}

static int taeda_odd_radix(int64_t n)        /* smallest odd factor */
{
    for (int64_t r = 3; r <= MAX_RADIX && r * r <= n; r += 2) if (n % r == 0) return (int)r;
    return n <= MAX_RADIX ? (int)n : 0;
}

/* Radices whose product is n, small ones last; 0 where a prime factor is too large. */
static int taeda_radices(int64_t n, int64_t *radix)
{
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
    if (twos % 2) { radix[count++] = 2; twos--; }
    while (twos > 0) { radix[count++] = 4; twos -= 2; }
    if (n == 1) radix[count++] = 1;
    return count;
}
#endif

#include "side_by_side.h"
#define RE(b, i) (*(V *)((b) + 2 * LANES * (i)))
#define IM(b, i) (*(V *)((b) + 2 * LANES * (i) + LANES))

/* -- passes: x in groups of m cells by radix, each cell s wide, to y; b_j of group p is turned by w_p^j -- */
#define CELL(j) (q + s * (p + m * (j)))
#define TO(j) (q + s * (R * p + (j)))
#define PUT(j, re, im)                                                                \
    if (turn && (j) > 0) {                                                            \
        const T wr = w[2 * ((j) - 1)], wi = w[2 * ((j) - 1) + 1];                     \
        const V a_ = (re), b_ = (im);                                                 \
        RE(y, TO(j)) = a_ * wr - b_ * wi;                                             \
        IM(y, TO(j)) = a_ * wi + b_ * wr;                                             \
    } else {                                                                          \
        RE(y, TO(j)) = (re);                                                          \
        IM(y, TO(j)) = (im);                                                          \
    }
#define EACH_GROUP                                                                    \
    for (int64_t p = 0; p < m; p++, w += 2 * (R - 1))                                 \
        for (int64_t q = 0; q < s; q++)

INLINE void NAME(radix2)(const T *restrict x, T *restrict y, int64_t m, int64_t s, const T *restrict w, const int turn)
{
    enum { R = 2 };
    EACH_GROUP {
        const V ar = RE(x, CELL(0)), ai = IM(x, CELL(0)), br = RE(x, CELL(1)), bi = IM(x, CELL(1));
        PUT(0, ar + br, ai + bi)
        PUT(1, ar - br, ai - bi)
    }
}

INLINE void NAME(radix3)(const T *restrict x, T *restrict y, int64_t m, int64_t s, const T *restrict w, const int turn)
{
    enum { R = 3 };
    const T sine = (T)0.86602540378443864676;
    EACH_GROUP {
        const V ar = RE(x, CELL(0)), ai = IM(x, CELL(0)), br = RE(x, CELL(1)), bi = IM(x, CELL(1));
        const V cr = RE(x, CELL(2)), ci = IM(x, CELL(2));
        const V pr = br + cr, pi = bi + ci, dr = (br - cr) * sine, di = (bi - ci) * sine;
        const V er = ar - pr * (T)0.5, ei = ai - pi * (T)0.5;
        PUT(0, ar + pr, ai + pi)
        PUT(1, er + di, ei - dr)
        PUT(2, er - di, ei + dr)
    }
}

INLINE void NAME(radix4)(const T *restrict x, T *restrict y, int64_t m, int64_t s, const T *restrict w, const int turn)
{
    enum { R = 4 };
    EACH_GROUP {
        const V ar = RE(x, CELL(0)), ai = IM(x, CELL(0)), br = RE(x, CELL(1)), bi = IM(x, CELL(1));
        const V cr = RE(x, CELL(2)), ci = IM(x, CELL(2)), dr = RE(x, CELL(3)), di = IM(x, CELL(3));
        const V er = ar + cr, ei = ai + ci, fr = ar - cr, fi = ai - ci, gr = br + dr, gi = bi + di, hr = br - dr, hi = bi - di;
        PUT(0, er + gr, ei + gi)
        PUT(1, fr + hi, fi - hr)
        PUT(2, er - gr, ei - gi)
        PUT(3, fr - hi, fi + hr)
    }
}

INLINE void NAME(radix5)(const T *restrict x, T *restrict y, int64_t m, int64_t s, const T *restrict w, const int turn)
{
    enum { R = 5 };
    const T c1 = (T)0.30901699437494742410, c2 = (T)-0.80901699437494742410, s1 = (T)0.95105651629515357212, s2 = (T)0.58778525229247312917;
    EACH_GROUP {
        const V ar = RE(x, CELL(0)), ai = IM(x, CELL(0)), br = RE(x, CELL(1)), bi = IM(x, CELL(1));
        const V cr = RE(x, CELL(2)), ci = IM(x, CELL(2)), dr = RE(x, CELL(3)), di = IM(x, CELL(3));
        const V er = RE(x, CELL(4)), ei = IM(x, CELL(4));
        const V pr = br + er, pi = bi + ei, mr = br - er, mi = bi - ei, qr = cr + dr, qi = ci + di, nr = cr - dr, ni = ci - di;
        const V fr = ar + c1 * pr + c2 * qr, fi = ai + c1 * pi + c2 * qi, gr = ar + c2 * pr + c1 * qr, gi = ai + c2 * pi + c1 * qi;
        const V ur = s1 * mr + s2 * nr, ui = s1 * mi + s2 * ni, vr = s2 * mr - s1 * nr, vi = s2 * mi - s1 * ni;
        PUT(0, ar + pr + qr, ai + pi + qi)
        PUT(1, fr + ui, fi - ur)
        PUT(2, gr + vi, gi - vr)
        PUT(3, gr - vi, gi + vr)
        PUT(4, fr - ui, fi + ur)
    }
}

/* Any odd radix: sums and differences of the pairs a_k, a_(R-k), and a cosine and a sine of each pair for each result. */
LOCAL void NAME(radix_odd)(const T *restrict x, T *restrict y, int64_t m, int64_t s, const T *restrict w, const int turn, const int R,
                           const T *restrict roots)
{
    const int half = (R - 1) / 2;
    V pr[MAX_RADIX / 2], pi[MAX_RADIX / 2], mr[MAX_RADIX / 2], mi[MAX_RADIX / 2];
    EACH_GROUP {
        const V ar = RE(x, CELL(0)), ai = IM(x, CELL(0));
        V sr = ar, si = ai;
        for (int k = 1; k <= half; k++) {
            const V br = RE(x, CELL(k)), bi = IM(x, CELL(k)), cr = RE(x, CELL(R - k)), ci = IM(x, CELL(R - k));
            pr[k] = br + cr; pi[k] = bi + ci; mr[k] = br - cr; mi[k] = bi - ci;
            sr += pr[k]; si += pi[k];
        }
        PUT(0, sr, si)
        for (int j = 1; j <= half; j++) {
            V cr = ar, ci = ai, ur = {0}, ui = {0};
            for (int k = 1, at = j; k <= half; k++, at = at + j >= R ? at + j - R : at + j) {
                const T c = roots[2 * at], d = -roots[2 * at + 1];
                cr += c * pr[k]; ci += c * pi[k]; ur += d * mr[k]; ui += d * mi[k];
            }
            PUT(j, cr + ui, ci - ur)
            PUT(R - j, cr - ui, ci + ur)
        }
    }
}
#undef CELL
#undef TO
#undef PUT
#undef EACH_GROUP

/* Run all passes on the cells in a, with b as the other buffer; return the one that holds the result. */
LOCAL T *NAME(run)(const FftPlan *f, T *a, T *b)
{
    const T *w = f->twiddles;
    int64_t m = f->n, s = 1;
    for (int i = 0; i < f->passes; i++) {
        const int64_t R = f->radix[i];
        if (R == 1) break;
        m /= R;
        const int last = m == 1;
        if (R == 4) { if (last) NAME(radix4)(a, b, 1, s, w, 0); else NAME(radix4)(a, b, m, s, w, 1); }
        else if (R == 2) { if (last) NAME(radix2)(a, b, 1, s, w, 0); else NAME(radix2)(a, b, m, s, w, 1); }
        else if (R == 3) { if (last) NAME(radix3)(a, b, 1, s, w, 0); else NAME(radix3)(a, b, m, s, w, 1); }
        else if (R == 5) { if (last) NAME(radix5)(a, b, 1, s, w, 0); else NAME(radix5)(a, b, m, s, w, 1); }
        else NAME(radix_odd)(a, b, m, s, w, !last, (int)R, w + 2 * m * (R - 1));
        w += 2 * m * (R - 1) + (R > 5 ? 2 * R : 0);
        s *= R;
        T *other = a; a = b; b = other;
    }
    return a;
}

/* -- in and out: lane l is n complex numbers, `step` apart, from at[l] on -- */
typedef struct { const T *at[LANES]; int count; int64_t step; } NAME(Source);
typedef struct { T *at[LANES]; int count; int64_t step; } NAME(Target);

#if LANES == 8
#define MASK int32_t
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD 1, 3, 5, 7, 9, 11, 13, 15
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define BACK 7, 6, 5, 4, 3, 2, 1, 0
#else
#define MASK int64_t
#define EVEN 0, 2, 4, 6
#define ODD 1, 3, 5, 7
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define BACK 3, 2, 1, 0
#endif
typedef MASK NAME(order) __attribute__((vector_size(32)));
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (NAME(order)){__VA_ARGS__})

/* r[j][i] = r[i][j] */
INLINE void NAME(turn_lanes)(V *r)
{
#if LANES == 8
    V a[8], b[8];
    UNROLL for (int i = 0; i < 8; i += 2) {
        a[i] = SHUFFLE(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        a[i + 1] = SHUFFLE(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    UNROLL for (int i = 0; i < 8; i += 4)
        UNROLL for (int j = 0; j < 2; j++) {
            b[i + j] = SHUFFLE(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[i + j + 2] = SHUFFLE(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    UNROLL for (int i = 0; i < 4; i++) {
        r[i] = SHUFFLE(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = SHUFFLE(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#else
    const V a = SHUFFLE(r[0], r[1], 0, 4, 2, 6), b = SHUFFLE(r[0], r[1], 1, 5, 3, 7);
    const V c = SHUFFLE(r[2], r[3], 0, 4, 2, 6), d = SHUFFLE(r[2], r[3], 1, 5, 3, 7);
    r[0] = SHUFFLE(a, c, 0, 1, 4, 5); r[1] = SHUFFLE(b, d, 0, 1, 4, 5);
    r[2] = SHUFFLE(a, c, 2, 3, 6, 7); r[3] = SHUFFLE(b, d, 2, 3, 6, 7);
#endif
}

/* Fill cells 0 to n - 1; lanes beyond count are zeros.  flip: exchange real and imaginary parts. */
LOCAL void NAME(load)(const NAME(Source) *x, int64_t n, T *buffer, int flip)
{
    const int64_t step = 2 * x->step;
    const int re = flip ? LANES : 0, im = flip ? 0 : LANES;
    int64_t j = 0;
    if (x->count == LANES && x->at[LANES - 1] - x->at[0] == 2 * (LANES - 1) && x->at[1] - x->at[0] == 2)      /* neighbours */
        for (; j < n; j++) {
            const T *at = x->at[0] + j * step;
            const V u = *(const V *)at, v = *(const V *)(at + LANES);
            *(V *)(buffer + 2 * LANES * j + re) = SHUFFLE(u, v, EVEN);
            *(V *)(buffer + 2 * LANES * j + im) = SHUFFLE(u, v, ODD);
        }
    else if (x->count == LANES && step == 2)                                                                   /* rows */
        for (; j + LANES / 2 <= n; j += LANES / 2) {
            V r[LANES];
            UNROLL for (int l = 0; l < LANES; l++) r[l] = *(const V *)(x->at[l] + 2 * j);
            NAME(turn_lanes)(r);
            UNROLL for (int i = 0; i < LANES / 2; i++) {
                *(V *)(buffer + 2 * LANES * (j + i) + re) = r[2 * i];
                *(V *)(buffer + 2 * LANES * (j + i) + im) = r[2 * i + 1];
            }
        }
    for (; j < n; j++) {
        T *cell = buffer + 2 * LANES * j;
        for (int l = 0; l < x->count; l++) { cell[l + re] = x->at[l][j * step]; cell[l + im] = x->at[l][j * step + 1]; }
        for (int l = x->count; l < LANES; l++) cell[l] = cell[l + LANES] = 0;
    }
}

/* Give cells 0 to n - 1 to their places, times scale. */
LOCAL void NAME(store)(const T *buffer, int64_t n, const NAME(Target) *y, int flip, T scale)
{
    const int64_t step = 2 * y->step;
    const int re = flip ? LANES : 0, im = flip ? 0 : LANES;
    int64_t j = 0;
    if (y->count == LANES && y->at[LANES - 1] - y->at[0] == 2 * (LANES - 1) && y->at[1] - y->at[0] == 2)
        for (; j < n; j++) {
            T *at = y->at[0] + j * step;
            const V u = *(const V *)(buffer + 2 * LANES * j + re) * scale, v = *(const V *)(buffer + 2 * LANES * j + im) * scale;
            *(V *)at = SHUFFLE(u, v, LOW);
            *(V *)(at + LANES) = SHUFFLE(u, v, HIGH);
        }
    else if (y->count == LANES && step == 2)
        for (; j + LANES / 2 <= n; j += LANES / 2) {
            V r[LANES];
            UNROLL for (int i = 0; i < LANES / 2; i++) {
                r[2 * i] = *(const V *)(buffer + 2 * LANES * (j + i) + re) * scale;
                r[2 * i + 1] = *(const V *)(buffer + 2 * LANES * (j + i) + im) * scale;
            }
            NAME(turn_lanes)(r);
            UNROLL for (int l = 0; l < LANES; l++) *(V *)(y->at[l] + 2 * j) = r[l];
        }
    for (; j < n; j++) {
        const T *cell = buffer + 2 * LANES * j;
        for (int l = 0; l < y->count; l++) { y->at[l][j * step] = cell[l + re] * scale; y->at[l][j * step + 1] = cell[l + im] * scale; }
    }
}

/* -- whole transforms -- */
/* Some lanes from x to y; room: two buffers of n cells. */
LOCAL void NAME(lanes)(const FftPlan *f, const NAME(Source) *x, const NAME(Target) *y, int flip, T scale, T *room)
{
    NAME(load)(x, f->n, room, flip);
    NAME(store)(NAME(run)(f, room, room + 2 * LANES * f->n), f->n, y, flip, scale);
}

/* Columns j2 on of one transform that is split: x (step apart) to the n1 x n2 matrix between. */
LOCAL void NAME(split_columns)(const FftPlan *f, const T *x, int64_t step, int64_t j2, T *between, int flip, T *room)
{
    const int64_t n1 = f->first->n, n2 = f->second->n;
    NAME(Source) from = {.count = n2 - j2 < LANES ? (int)(n2 - j2) : LANES, .step = step * n2};
    NAME(Target) to = {.count = from.count, .step = n2};
    for (int l = 0; l < from.count; l++) { from.at[l] = x + 2 * step * (j2 + l); to.at[l] = between + 2 * (j2 + l); }
    NAME(load)(&from, n1, room, flip);
    T *cells = NAME(run)(f->first, room, room + 2 * LANES * n1);
    const T *w = (const T *)f->between + 2 * n1 * j2;
    for (int64_t k = 0; k < n1; k++) {
        const V a = RE(cells, k), b = IM(cells, k), wr = RE(w, k), wi = IM(w, k);
        RE(cells, k) = a * wr - b * wi;
        IM(cells, k) = a * wi + b * wr;
    }
    NAME(store)(cells, n1, &to, 0, 1);
}

LOCAL void NAME(split_rows)(const FftPlan *f, const T *between, int64_t k1, T *y, int64_t step, int flip, T scale, T *room)
{
    const int64_t n1 = f->first->n, n2 = f->second->n;
    NAME(Source) from = {.count = n1 - k1 < LANES ? (int)(n1 - k1) : LANES, .step = 1};
    NAME(Target) to = {.count = from.count, .step = step * n1};
    for (int l = 0; l < from.count; l++) { from.at[l] = between + 2 * n2 * (k1 + l); to.at[l] = y + 2 * step * (k1 + l); }
    NAME(load)(&from, n2, room, 0);
    NAME(store)(NAME(run)(f->second, room, room + 2 * LANES * n2), n2, &to, flip, scale);
}

LOCAL int64_t NAME(split_room)(const FftPlan *f)
{
    return 4 * LANES * (f->first->n > f->second->n ? f->first->n : f->second->n);
}

/* Numbers of T that NAME(one) needs. */
LOCAL int64_t NAME(one_room)(const FftPlan *f)
{
    if (f->whole) return 4 * f->whole->n + NAME(one_room)(f->whole);
    return f->first ? 2 * f->n + NAME(split_room)(f) : 4 * LANES * f->n;
}

/* One transform from x to y, which may be the same. */
LOCAL void NAME(one)(const FftPlan *f, const T *x, int64_t xs, T *y, int64_t ys, int flip, T scale, T *room)
{
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
LOCAL void NAME(unfold_half)(const FftPlan *f, T *z)
{
    const int64_t n = f->n;
    const T *w = f->halves, half = (T)0.5;
    int64_t k = 1;
    const T first = z[0], second = z[1];
    z[0] = first + second; z[1] = 0;
    z[2 * n] = first - second; z[2 * n + 1] = 0;
    for (; k + LANES - 1 < n - k - LANES + 1; k += LANES) {
        T *low = z + 2 * k, *high = z + 2 * (n - k - LANES + 1);
        const V a = *(V *)low, b = *(V *)(low + LANES), c = *(V *)high, d = *(V *)(high + LANES), g = *(V *)(w + 2 * k), h = *(V *)(w + 2 * k + LANES);
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
LOCAL void NAME(fold_half)(const FftPlan *f, const T *x, T *z)
{
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

/* -- plans -- */
LOCAL void NAME(forget)(FftPlan *f)
{
    if (f == NULL) return;
    if (f->second != f->first) NAME(forget)(f->second);
    NAME(forget)(f->first);
    NAME(forget)(f->whole);
    free(f->twiddles); free(f->between); free(f->chirp); free(f->spectrum); free(f->halves);
    free(f);
}

LOCAL T *NAME(roots)(int64_t count, int64_t n)       /* exp(-2 pi i k / n) for k < count */
{
    T *w = malloc(2 * (count > 0 ? count : 1) * sizeof(T));
    for (int64_t k = 0; w && k < count; k++) {
        double re, im;
        taeda_root(k, n, &re, &im);
        w[2 * k] = (T)re; w[2 * k + 1] = (T)im;
    }
    return w;
}

LOCAL int NAME(plan_passes)(FftPlan *f)
{
    int64_t size = 0, m = f->n;
    for (int i = 0; i < f->passes; i++) { const int64_t R = f->radix[i]; m /= R; size += m * (R - 1) + (R > 5 ? R : 0); }
    T *w = f->twiddles = malloc(2 * (size + 1) * sizeof(T));
    if (w == NULL) return -1;
    m = f->n;
    for (int i = 0; i < f->passes; i++) {
        const int64_t R = f->radix[i], group = m;
        double re, im;
        m /= R;
        for (int64_t p = 0; p < m; p++)
            for (int64_t j = 1; j < R; j++, w += 2) { taeda_root(p * j, group, &re, &im); w[0] = (T)re; w[1] = (T)im; }
        for (int64_t j = 0; R > 5 && j < R; j++, w += 2) { taeda_root(j, R, &re, &im); w[0] = (T)re; w[1] = (T)im; }
    }
    return 0;
}

LOCAL FftPlan *NAME(plan)(int64_t n, int alone);

/* n = n1 n2 with the least work for lanes of both parts, some of which stay empty. */
LOCAL int NAME(plan_split)(FftPlan *f)
{
    const int64_t n = f->n;
    double least = 1e300;
    int64_t best = 0;
    for (int64_t a = 4; a * 4 <= n && a <= 8192; a++) {
        if (n % a) continue;
        const int64_t b = n / a;
        const double work = (double)((b + LANES - 1) / LANES * LANES * a) * (2 + log2((double)a)) + (double)((a + LANES - 1) / LANES * LANES * b) * (2 + log2((double)b))
                            + (double)n * 4 * (a > 1024 || b > 1024);
        if (work < least) { least = work; best = a; }
    }
    if (best == 0) return 0;
    const int64_t n1 = best, n2 = n / best, groups = (n2 + LANES - 1) / LANES;
    f->first = NAME(plan)(n1, 0);
    f->second = n1 == n2 ? f->first : NAME(plan)(n2, 0);
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

LOCAL int NAME(plan_convolution)(FftPlan *f)
{
    const int64_t n = f->n;
    int64_t N = 0;
    for (int64_t c = 1; c < 8 * n; c *= 5)
        for (int64_t b = c; b < 8 * n; b *= 3)
            for (int64_t a = 64 * b; a < 256 * n; a *= 2)
                if (a >= 2 * n - 1 && (N == 0 || a < N)) N = a;
    f->whole = NAME(plan)(N, 1);
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

/* For transforms side by side, or (alone) one by one.  NULL: out of memory. */
LOCAL FftPlan *NAME(plan)(int64_t n, int alone)
{
    FftPlan *f = calloc(1, sizeof(FftPlan));
    if (f == NULL) return NULL;
    f->n = n;
    const int passes = taeda_radices(n, f->radix);
    int bad = 0;
    if (passes == 0) bad = NAME(plan_convolution)(f);
    else if (alone && n >= SPLIT_FROM) bad = NAME(plan_split)(f);
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
#undef MASK

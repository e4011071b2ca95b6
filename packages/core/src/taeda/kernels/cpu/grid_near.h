/* Nearest and linear sampling of a vector of positions at a time, whose taps stay in registers: included by grid.pyx once per real
 * dtype, with T, SUFFIX, VECTORS(name) (of AVX's intrinsics), ROUNDED(name) (of the library's functions) and, for double, DOUBLE
 * defined, after Sampling and grid_positions.
 *
 * The two pixels of a row that a position lies between are one load, so that four taps of eight positions are 16 loads and not 32; rows
 * of one pixel are left to the tables.  The limit is these loads and sorting them.
 */
#ifndef TAEDA_GRID_NEAR_H
#define TAEDA_GRID_NEAR_H
#include <stdint.h>
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif
enum { GRID_CHANNELS = 16 };                /* that are sampled together: their rows stay in the first-level cache */
#endif
#include "side_by_side.h"

#ifdef DOUBLE
#define LANES 4
#define INT int64_t
#define GRID_REGISTER __m256d
#else
#define LANES 8
#define INT int32_t
#define GRID_REGISTER __m256
#endif

typedef INT NAME(grid_m) __attribute__((vector_size(32)));                     /* masks */
typedef int32_t NAME(grid_i) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));        /* places in a plane */
typedef uint64_t NAME(grid_q) __attribute__((vector_size(4 * LANES)));

INLINE V NAME(grid_floor)(V x)
{
#ifdef __AVX__
    return (V)VECTORS(floor)((GRID_REGISTER)x);
#else
    for (int j = 0; j < LANES; j++) x[j] = ROUNDED(floor)(x[j]);
    return x;
#endif
}
INLINE V NAME(grid_round)(V x)
{
#ifdef __AVX__
    return (V)VECTORS(round)((GRID_REGISTER)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
    for (int j = 0; j < LANES; j++) x[j] = ROUNDED(rint)(x[j]);
    return x;
#endif
}

INLINE V NAME(grid_either)(NAME(grid_m) m, V a, V b)
{
#ifdef __AVX__
    return (V)VECTORS(blendv)((GRID_REGISTER)b, (GRID_REGISTER)a, (GRID_REGISTER)m);
#else
    return (V)(((NAME(grid_m))a & m) | ((NAME(grid_m))b & ~m));
#endif
}

/* as grid_index */
INLINE NAME(grid_i) NAME(grid_places)(V x, T n)
{
    const V low = (V){0} - 2, high = (V){0} + (n + 1);
    x = NAME(grid_either)(x > low, x, low);
    return __builtin_convertvector(NAME(grid_either)(x < high, x, high), NAME(grid_i));
}
INLINE NAME(grid_m) NAME(grid_within)(NAME(grid_i) at, int32_t n)
{
    return __builtin_convertvector((at >= 0) & (at < n), NAME(grid_m));
}
INLINE V NAME(grid_kept)(V x, NAME(grid_m) in) { return (V)((NAME(grid_m))x & in); }

/* x[at], and x[at + 1] */
INLINE V NAME(grid_gather)(const T *x, NAME(grid_i) at)
{
    const NAME(grid_q) q = (NAME(grid_q))at;
#ifdef DOUBLE
    return (V){x[(uint32_t)q[0]], x[q[0] >> 32], x[(uint32_t)q[1]], x[q[1] >> 32]};
#else
    return (V){x[(uint32_t)q[0]], x[q[0] >> 32], x[(uint32_t)q[1]], x[q[1] >> 32], x[(uint32_t)q[2]], x[q[2] >> 32],
               x[(uint32_t)q[3]], x[q[3] >> 32]};
#endif
}
INLINE void NAME(grid_pairs)(const T *x, NAME(grid_i) at, V *a, V *b)
{
    const NAME(grid_q) q = (NAME(grid_q))at;
#ifdef DOUBLE
    typedef double D __attribute__((vector_size(16), aligned(8), may_alias));
    const D k = *(const D *)(x + (uint32_t)q[0]), l = *(const D *)(x + (q[0] >> 32)), m = *(const D *)(x + (uint32_t)q[1]),
            n = *(const D *)(x + (q[1] >> 32));
    *a = (V){k[0], l[0], m[0], n[0]};
    *b = (V){k[1], l[1], m[1], n[1]};
#else
    typedef double D __attribute__((aligned(4), may_alias));
    typedef double E __attribute__((vector_size(32)));
    #define PAIR(i) *(const D *)(x + (i))
    const V u = (V)(E){PAIR((uint32_t)q[0]), PAIR(q[0] >> 32), PAIR((uint32_t)q[2]), PAIR(q[2] >> 32)},
            v = (V)(E){PAIR((uint32_t)q[1]), PAIR(q[1] >> 32), PAIR((uint32_t)q[3]), PAIR(q[3] >> 32)};
    #undef PAIR
    *a = __builtin_shufflevector(u, v, 0, 2, 8, 10, 4, 6, 12, 14);
    *b = __builtin_shufflevector(u, v, 1, 3, 9, 11, 5, 7, 13, 15);
#endif
}

/* Positions between pixels: weights, derivatives but for the slope, places and whether they lie inside, of the pixel before and after. */
typedef struct { V w[2], dw[2]; NAME(grid_m) in[2]; NAME(grid_i) at[2]; } NAME(Between);

INLINE NAME(Between) NAME(grid_between)(V x, int32_t n)
{
    NAME(Between) b;
    const V base = NAME(grid_floor)(x);
    b.w[1] = x - base;
    b.w[0] = 1 - b.w[1];
    b.dw[1] = (V){0} + 1;
    b.dw[0] = -b.dw[1];
    b.at[0] = NAME(grid_places)(base, n);
    b.at[1] = b.at[0] + 1;
    for (int k = 0; k < 2; k++) b.in[k] = NAME(grid_within)(b.at[k], n);
    return b;
}

/* Taps of a vector of positions: rows of two pixels side by side. */
typedef struct { NAME(grid_i) at[4]; V w[8]; NAME(grid_m) in[8]; } NAME(Near);

/* the weights of all taps, or their derivatives by the coordinate along dimension d: products over the dimensions */
INLINE void NAME(grid_products)(const NAME(Between) *b, const int D, const int d, V *w)
{
    UNROLL for (int r = 0; r < 1 << (D - 1); r++) {
        const V y = (d == 1 ? b[1].dw : b[1].w)[r & 1];
        UNROLL for (int k = 0; k < 2; k++) {
            w[2 * r + k] = (d == 0 ? b[0].dw : b[0].w)[k] * y;
            if (D == 3) w[2 * r + k] *= (d == 2 ? b[2].dw : b[2].w)[r >> 1];
        }
    }
}

INLINE void NAME(grid_near_taps)(const Sampling *p, const int D, NAME(Between) *b, NAME(Near) *t)
{
    const int32_t W = (int32_t)p->size[0], H = (int32_t)p->size[1];
    /* a row's two pixels are read inside; where only one of them is met, it may be the other one of the two */
    const NAME(grid_i) low = b->at[0] & (b->at[0] >= 0), beyond = low > W - 2, from = (low & ~beyond) | ((W - 2) & beyond);
    const NAME(grid_m) same = __builtin_convertvector(from == b->at[0], NAME(grid_m)), in = b->in[0];
    const V w = b->w[0], dw = b->dw[0];
    b->in[0] = (same & in) | (~same & b->in[1]);
    b->in[1] = (same & b->in[1]) | (~same & in);
    b->w[0] = NAME(grid_either)(same, w, b->w[1]);
    b->w[1] = NAME(grid_either)(same, b->w[1], w);
    b->dw[0] = NAME(grid_either)(same, dw, b->dw[1]);
    b->dw[1] = NAME(grid_either)(same, b->dw[1], dw);
    UNROLL for (int r = 0; r < 1 << (D - 1); r++) {
        const int y = r & 1, z = r >> 1;
        NAME(grid_i) row = b[1].at[y];
        NAME(grid_m) met = b[1].in[y];
        if (D == 3) {
            row += b[2].at[z] * H;
            met &= b[2].in[z];
        }
        t->at[r] = from + (row * W & __builtin_convertvector(met, NAME(grid_i)));
        t->in[2 * r] = met & b->in[0];
        t->in[2 * r + 1] = met & b->in[1];
    }
    NAME(grid_products)(b, D, -1, t->w);
}

/* positions of a block along each dimension, and their derivatives if wanted; what fills its last vector lies at the first pixel */
LOCAL void NAME(grid_block)(const Sampling *p, const T *grid, int64_t count, T at[3][GRID_BLOCK], T (*slope)[GRID_BLOCK])
{
    for (int d = 0; d < p->D; d++) {
        NAME(grid_positions)(p, d, grid, count, at[d], slope ? slope[d] : NULL);
        for (int64_t i = count; i % LANES; i++) {
            at[d][i] = 0;
            if (slope) slope[d][i] = 0;
        }
    }
}

INLINE void NAME(grid_put)(T *y, V v, int64_t left)
{
    if (left >= LANES) *(V *)y = v;
    else memcpy(y, &v, left * sizeof *y);
}

INLINE V NAME(grid_get)(const T *y, int64_t left)
{
    V v = {0};
    if (left >= LANES) return *(const V *)y;
    memcpy(&v, y, left * sizeof *y);
    return v;
}

/* `channels` channels of y */
INLINE void NAME(grid_linear)(const Sampling *p, T *y, const T *x, T at[3][GRID_BLOCK], int64_t count, int64_t channels, const int D)
{
    for (int64_t i = 0; i < count; i += LANES) {
        NAME(Between) b[3];
        NAME(Near) t;
        UNROLL for (int d = 0; d < D; d++) b[d] = NAME(grid_between)(*(const V *)(at[d] + i), (int32_t)p->size[d]);
        NAME(grid_near_taps)(p, D, b, &t);
        const T *from = x;
        T *to = y + i;
        for (int64_t c = 0; c < channels; c++, from += p->volume, to += p->P) {
            V u, v, sum;
            NAME(grid_pairs)(from, t.at[0], &u, &v);
            sum = t.w[0] * NAME(grid_kept)(u, t.in[0]);
            sum += t.w[1] * NAME(grid_kept)(v, t.in[1]);
            UNROLL for (int r = 1; r < 1 << (D - 1); r++) {
                NAME(grid_pairs)(from, t.at[r], &u, &v);
                sum += t.w[2 * r] * NAME(grid_kept)(u, t.in[2 * r]);
                sum += t.w[2 * r + 1] * NAME(grid_kept)(v, t.in[2 * r + 1]);
            }
            NAME(grid_put)(to, sum, count - i);
        }
    }
}

INLINE void NAME(grid_nearest)(const Sampling *p, T *y, const T *x, T at[3][GRID_BLOCK], int64_t count, int64_t channels, const int D)
{
    const int32_t W = (int32_t)p->size[0], H = (int32_t)p->size[1], Z = (int32_t)p->size[2];
    for (int64_t i = 0; i < count; i += LANES) {
        const NAME(grid_i) col = NAME(grid_places)(NAME(grid_round)(*(const V *)(at[0] + i)), W),
                           row = NAME(grid_places)(NAME(grid_round)(*(const V *)(at[1] + i)), H);
        NAME(grid_i) place = row;
        NAME(grid_m) in = NAME(grid_within)(col, W) & NAME(grid_within)(row, H);
        if (D == 3) {
            const NAME(grid_i) plane = NAME(grid_places)(NAME(grid_round)(*(const V *)(at[2] + i)), Z);
            in &= NAME(grid_within)(plane, Z);
            place += plane * H;
        }
        place = (place * W + col) & __builtin_convertvector(in, NAME(grid_i));
        const T *from = x;
        T *to = y + i;
        for (int64_t c = 0; c < channels; c++, from += p->volume, to += p->P)
            NAME(grid_put)(to, NAME(grid_kept)(NAME(grid_gather)(from, place), in), count - i);
    }
}

/* whether taps stay in registers */
INLINE int NAME(grid_near)(const Sampling *p) { return p->mode == GRID_NEAREST || (p->mode == GRID_BILINEAR && p->size[0] > 1); }

LOCAL void NAME(grid_forward_near)(const Sampling *p, T *y, const T *x, const T *grid, int64_t count)
{
    T at[3][GRID_BLOCK];
    NAME(grid_block)(p, grid, count, at, NULL);
    for (int64_t c = 0; c < p->C; c += GRID_CHANNELS, x += GRID_CHANNELS * p->volume, y += GRID_CHANNELS * p->P) {
        const int64_t channels = p->C - c < GRID_CHANNELS ? p->C - c : GRID_CHANNELS;
        if (p->mode == GRID_NEAREST && p->D == 2) NAME(grid_nearest)(p, y, x, at, count, channels, 2);
        else if (p->mode == GRID_NEAREST) NAME(grid_nearest)(p, y, x, at, count, channels, 3);
        else if (p->D == 2) NAME(grid_linear)(p, y, x, at, count, channels, 2);
        else NAME(grid_linear)(p, y, x, at, count, channels, 3);
    }
}

/* ggrid of `count` positions of one sample: the sum of g x over the channels of each tap, by the derivatives of its weight */
INLINE void NAME(grid_slopes_near)(const Sampling *p, T *ggrid, const T *g, const T *x, const T *grid, int64_t count, const int D)
{
    T at[3][GRID_BLOCK], slope[3][GRID_BLOCK];
    NAME(grid_block)(p, grid, count, at, slope);
    for (int64_t i = 0; i < count; i += LANES) {
        NAME(Between) b[3];
        NAME(Near) t;
        V sum[8], dw[8], total, u, v;
        UNROLL for (int d = 0; d < D; d++) b[d] = NAME(grid_between)(*(const V *)(at[d] + i), (int32_t)p->size[d]);
        NAME(grid_near_taps)(p, D, b, &t);
        UNROLL for (int k = 0; k < 1 << D; k++) sum[k] = (V){0};
        for (int64_t c = 0; c < p->C; c++) {
            const V from = NAME(grid_get)(g + c * p->P + i, count - i);
            UNROLL for (int r = 0; r < 1 << (D - 1); r++) {
                NAME(grid_pairs)(x + c * p->volume, t.at[r], &u, &v);
                sum[2 * r] += from * NAME(grid_kept)(u, t.in[2 * r]);
                sum[2 * r + 1] += from * NAME(grid_kept)(v, t.in[2 * r + 1]);
            }
        }
        UNROLL for (int d = 0; d < D; d++) {
            NAME(grid_products)(b, D, d, dw);
            total = dw[0] * sum[0];
            UNROLL for (int k = 1; k < 1 << D; k++) total += dw[k] * sum[k];
            total *= *(const V *)(slope[d] + i);
            for (int64_t j = i; j < count && j < i + LANES; j++) ggrid[j * D + d] = total[j - i];
        }
    }
}

/* gx of `channels` channels of one sample, linear: a vector of positions' weights at a time, each added where it belongs */
INLINE void NAME(grid_spread_linear)(const Sampling *p, T *gx, const T *g, T at[3][GRID_BLOCK], int64_t count, int64_t channels,
                                     const int D)
{
    for (int64_t i = 0; i < count; i += LANES) {
        NAME(Between) b[3];
        NAME(Near) t;
        T add[8][LANES];
        int32_t places[4][LANES];
        const int64_t many = count - i < LANES ? count - i : LANES;
        UNROLL for (int d = 0; d < D; d++) b[d] = NAME(grid_between)(*(const V *)(at[d] + i), (int32_t)p->size[d]);
        NAME(grid_near_taps)(p, D, b, &t);
        UNROLL for (int r = 0; r < 1 << (D - 1); r++) *(NAME(grid_i) *)places[r] = t.at[r];
        for (int64_t c = 0; c < channels; c++) {
            T *to = gx + c * p->volume;
            const V from = NAME(grid_get)(g + c * p->P + i, count - i);
            UNROLL for (int k = 0; k < 1 << D; k++) *(V *)add[k] = NAME(grid_kept)(t.w[k] * from, t.in[k]);
            for (int64_t j = 0; j < many; j++)
                UNROLL for (int r = 0; r < 1 << (D - 1); r++) {
                    T *pair = to + places[r][j];
                    pair[0] += add[2 * r][j];
                    pair[1] += add[2 * r + 1][j];
                }
        }
    }
}

#undef GRID_REGISTER
#undef INT
#undef LANES

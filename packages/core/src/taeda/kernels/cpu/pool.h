/* Geometry of pooling windows over the last three dimensions of contiguous volumes: shared by max_pool, avg_pool and pool_last. */
#ifndef TAEDA_POOL_H
#define TAEDA_POOL_H
#include <stdint.h>
#include <string.h>
#include "rows.h"

#define POOL_TILE 128
#define POOL_SPAN 512        /* input columns of a tile */
#define POOL_FEW 40          /* taps of a row of windows below which walking them one by one is faster */
#define POOL_INLINE static inline __attribute__((always_inline))

typedef struct {
    int64_t kd, kh, kw, sd, sh, sw, pd, ph, pw, dd, dh, dw, D, H, W, OD, OH, OW;
    const int64_t *parts[3];                        /* of adaptive pools: begin and end of each window, by depth, height, width */
    int64_t tiled;                                  /* of maxima: are rows of windows reduced in tiles? */
} Pool;
typedef struct { int64_t start, lo, hi; } Span;     /* taps [lo, hi) of a window that begins at start lie inside */

static inline int64_t pool_ceil_div(int64_t a, int64_t b) {       /* a division takes longer than a short row of windows */
    return a <= 0 ? 0 : b == 1 ? a : b == 2 ? (a + 1) >> 1 : (a + b - 1) / b;
}
static inline int64_t pool_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t pool_max(int64_t a, int64_t b) { return a > b ? a : b; }

static inline Span pool_span(int64_t out, int64_t k, int64_t s, int64_t p, int64_t d, int64_t size) {
    int64_t start = out * s - p;
    Span r = {start, pool_ceil_div(-start, d), pool_min(k, pool_ceil_div(size - start, d))};
    return r;
}
#define DEPTHS(g, o) pool_span(o, g->kd, g->sd, g->pd, g->dd, g->D)
#define ROWS(g, o) pool_span(o, g->kh, g->sh, g->ph, g->dh, g->H)
#define COLS(g, o) pool_span(o, g->kw, g->sw, g->pw, g->dw, g->W)

/* Outputs [*lo, *hi) of the tile [t0, t1) whose tap b lies inside the row. */
static inline void pool_range(const Pool *g, int64_t b, int64_t t0, int64_t t1, int64_t *lo, int64_t *hi) {
    int64_t shift = b * g->dw - g->pw;              /* column of the tap at output 0 */
    *lo = pool_max(t0, pool_ceil_div(-shift, g->sw));
    *hi = pool_max(*lo, pool_min(t1, pool_ceil_div(g->W - shift, g->sw)));
}
/* Are rows of windows reduced in tiles? */
static inline int pool_tiled(const Pool *g) {
    return (g->kw - 1) * g->dw < POOL_SPAN && g->OW * g->kd * g->kh * g->kw >= POOL_FEW;
}
/* Does every window hold a column?  Dilated ones may step over all. */
static inline int pool_meets(const Pool *g) {
    for (int64_t i = 0; g->dw > 1 && i < g->OW; i++) {
        Span c = COLS(g, i);
        if (c.lo >= c.hi) return 0;
    }
    return 1;
}
/* Window [floor(i n / m), ceil((i + 1) n / m)) of an adaptive pool from n places to m. */
static inline Span pool_part(int64_t i, int64_t n, int64_t m) {
    Span r = {0, i * n / m, ((i + 1) * n + m - 1) / m};
    return r;
}
/* Table the windows of an adaptive pool: two divisions each are most of a short window's time.  room: pool_room(g) numbers. */
static inline int64_t pool_room(const Pool *g) { return 2 * (g->OD + g->OH + g->OW); }
static inline void pool_table(Pool *g, int64_t *room) {
    const int64_t in[3] = {g->D, g->H, g->W}, out[3] = {g->OD, g->OH, g->OW};
    for (int d = 0; d < 3; d++, room += 2 * out[d - 1]) {
        g->parts[d] = room;
        for (int64_t i = 0; i < out[d]; i++) {
            const Span r = pool_part(i, in[d], out[d]);
            room[2 * i] = r.lo;
            room[2 * i + 1] = r.hi;
        }
    }
}
static inline Span pool_tabled(const Pool *g, int d, int64_t i) {
    Span r = {0, g->parts[d][2 * i], g->parts[d][2 * i + 1]};
    return r;
}
/* A row of adaptive windows, z deep and r high, in tiles [c0, c0 + n) of columns that hold windows [w0, w1): as many
   as fit, or a part of one. */
typedef struct { Span z, r; int64_t w0, w1, c0, n, end; } Tile;

static inline Tile pool_tiles(const Pool *g, int64_t row) {
    Tile t = {pool_tabled(g, 0, row / g->OH), pool_tabled(g, 1, row % g->OH), 0, 0, 0, 0, 0};
    return t;
}
static inline int next_tile(const Pool *g, Tile *t) {
    const int64_t *parts = g->parts[2];
    t->c0 += t->n;
    if (t->c0 >= t->end) {
        if (t->w1 >= g->OW) return 0;
        t->w0 = t->w1;
        t->c0 = parts[2 * t->w0];
        if (parts[2 * g->OW - 1] - t->c0 <= POOL_SPAN) t->w1 = g->OW;
        else do t->w1++; while (t->w1 < g->OW && parts[2 * t->w1 + 1] - t->c0 <= POOL_SPAN);
        t->end = parts[2 * t->w1 - 1];
    }
    t->n = pool_min(POOL_SPAN, t->end - t->c0);
    return 1;
}
/* The part of window c that lies in the tile, counted from its first column. */
static inline Span pool_inside(const Tile *t, Span c) {
    Span r = {0, pool_max(c.lo, t->c0) - t->c0, pool_min(c.hi, t->c0 + t->n) - t->c0};
    return r;
}
/* Number that the windows of a row of outputs are divided by, but for the columns' part. */
typedef struct { int64_t with_pad, override, padded, inside; } Share;

static inline int64_t avg_extent(int64_t out, int64_t k, int64_t s, int64_t p, int64_t size) {
    return pool_min(out * s - p + k, size + p) - (out * s - p);
}
static inline Share avg_share(const Pool *g, Span z, Span r, int64_t od, int64_t oh, int64_t with_pad, int64_t override) {
    Share v = {with_pad, override, avg_extent(od, g->kd, g->sd, g->pd, g->D) * avg_extent(oh, g->kh, g->sh, g->ph, g->H),
               (z.hi - z.lo) * (r.hi - r.lo)};
    return v;
}
/* Number that the window of output column ow is divided by: the override, else the window's size with
   the padding (as far as the padded volume goes), else its size inside the volume. */
static inline int64_t avg_divisor(const Pool *g, Share v, int64_t ow) {
    if (v.override) return v.override;
    if (v.with_pad) return v.padded * avg_extent(ow, g->kw, g->sw, g->pw, g->W);
    Span c = COLS(g, ow);
    return pool_max(1, v.inside * (c.hi - c.lo));
}
#endif

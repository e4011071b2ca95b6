/* Products of bfloat16 matrices by the processor's own multiply-adds of pairs (AVX512-BF16): twice the terms of float32's a step.
 *
 * (a) A step adds two neighbouring terms to each of 16 sums in float32, each with one rounding: a tile is up to 12 rows by one or two
 *     vectors of columns.  A sum is one chain over all of K, so that neither threads nor the size of blocks change a bit; alpha, beta S
 *     and the rounding to bfloat16 come once, at the end.
 * (b) B is packed into panels of columns, pairs of terms side by side: [panel][pair][column][2], zeros behind the last row and
 *     column.  A is read as it lies where its terms are contiguous, else packed the same way, [pair][row][2].
 * (c) Up to four rows of A whose terms, and B's, are contiguous (a linear layer of few rows) are dot products, and nothing is packed.
 * (d) The instruction takes numbers below 2^-126 for zero, in A, B and the result.
 *
 * 220 GFLOP/s on one core of Zen 4, whose peak is 236, and 430 on two; on float32 copies 110 and 220 are the limit.
 */
#ifndef TAEDA_GEMM_BF16_H
#define TAEDA_GEMM_BF16_H
#define T float
#define LANES 16
#define SUFFIX f32
#define MASK int32_t
#include "tiles.h"
#undef T
#undef LANES
#undef SUFFIX
#undef MASK
#include "bf16_runs.h"

enum { BF16_ROWS = 12, BF16_FAR_ROWS = 8, BF16_PANEL = 32,     /* of a tile, of one whose rows lie 4 KiB apart, of a panel of B */
       BF16_STRIP = 48, BF16_DOTS = 4,                         /* of packed A (whole tiles), dots */
       BF16_NEAR = 256 << 10 };                                /* bytes of A, and of B, that stay in the second-level cache */

typedef struct {
    const uint16_t *a, *b, *s;           /* s: what beta multiplies, or NULL */
    uint16_t *c;
    int64_t m, n, k, ars, acs, brs, bcs, crs, srs, scs;
    float alpha, beta;
    int64_t width, rows;                 /* of a panel: 32, or 16 where C has no more columns; of a tile */
    int pack_a, by_dots;
} Bf16Product;

static inline int64_t bf16_pairs(const Bf16Product *p) { return (p->k + 1) / 2; }
static inline int64_t bf16_panels(const Bf16Product *p) { return (p->n + p->width - 1) / p->width; }
static inline int64_t bf16_width(const Bf16Product *p, int64_t i) { return p->n - i * p->width > 16 ? BF16_PANEL : 16; }    /* of panel i */
static inline int64_t bf16_strips(const Bf16Product *p) { return (p->m + BF16_STRIP - 1) / BF16_STRIP; }

/* Rows of A, and panels of B, that stay near while the other's pass: 48, 96, 192 ... rows, 1, 2 ... panels. */
static inline int64_t bf16_height(const Bf16Product *p) {
    int64_t height = BF16_STRIP;
    while (height < p->m && 2 * height * 4 * bf16_pairs(p) <= BF16_NEAR) height *= 2;
    return height;
}
static inline int64_t bf16_group(const Bf16Product *p) {
    const int64_t some = BF16_NEAR / (p->width * 4 * bf16_pairs(p)), all = bf16_panels(p);
    return some < 1 ? 1 : some < all ? some : all;
}

/* Numbers of bfloat16 that so many panels of B and all strips of A take. */
static inline int64_t bf16_room_of_b(const Bf16Product *p, int64_t panels) {
    return p->by_dots ? 0 : panels * p->width * 2 * bf16_pairs(p);
}
static inline int64_t bf16_room_of_a(const Bf16Product *p) {
    return p->pack_a && !p->by_dots ? bf16_strips(p) * BF16_STRIP * 2 * bf16_pairs(p) : 0;
}

static inline void bf16_plan(Bf16Product *p) {
    p->width = p->n > 16 ? BF16_PANEL : 16;
    p->by_dots = p->m <= BF16_DOTS && p->acs == 1 && p->brs == 1;
    p->pack_a = p->acs != 1;
    p->rows = !p->pack_a && p->ars && p->ars % 2048 == 0 ? BF16_FAR_ROWS : BF16_ROWS;     /* as many lines has a set of the first cache */
}

/* to[pair][0 .. width)[2] from x(l, j) = x[l * rs + j * cs], l < k, j < n. */
LOCAL void bf16_pack(uint16_t *to, int64_t width, const uint16_t *x, int64_t rs, int64_t cs, int64_t k, int64_t n) {
    const int64_t pairs = k / 2;
    if (n < width) memset(to, 0, (size_t)(k + 1) / 2 * width * 4);
    if (rs == 1 && cs % 2 == 0 && (size_t)x % 4 == 0) {
        transpose_f32((const float *)(const void *)x, cs / 2, (float *)(void *)to, width, n, pairs);
    } else {
        for (int64_t r = 0; r < pairs; r++) {
            const uint16_t *one = x + 2 * r * rs, *two = one + rs;
            uint16_t *d = to + r * width * 2;
            if (cs == 1) for (int64_t j = 0; j < n; j++) d[2 * j] = one[j], d[2 * j + 1] = two[j];
            else for (int64_t j = 0; j < n; j++) d[2 * j] = one[j * cs], d[2 * j + 1] = two[j * cs];
        }
    }
    if (k % 2)
        for (int64_t j = 0; j < n; j++) to[(pairs * width + j) * 2] = x[(k - 1) * rs + j * cs], to[(pairs * width + j) * 2 + 1] = 0;
}

/* Panel number i of B. */
LOCAL void bf16_pack_panel(const Bf16Product *p, uint16_t *to, int64_t i) {
    const int64_t j = i * p->width, width = bf16_width(p, i), columns = p->n - j < width ? p->n - j : width;
    bf16_pack(to, width, p->b + j * p->bcs, p->brs, p->bcs, p->k, columns);
}

/* Strip number i of A, where A is packed. */
LOCAL void bf16_pack_strip(const Bf16Product *p, uint16_t *of_a, int64_t i) {
    const int64_t top = i * BF16_STRIP, rows = p->m - top < BF16_STRIP ? p->m - top : BF16_STRIP;
    bf16_pack(of_a + top * 2 * bf16_pairs(p), BF16_STRIP, p->a + top * p->ars, p->acs, p->ars, p->k, rows);
}

#ifdef PAIRED
/* alpha sums + beta s, rounded; lanes of `mask`. */
static inline PAIRED void bf16_put(const Bf16Product *p, __m512 sums, int64_t i, int64_t j, int64_t columns) {
    const __mmask16 mask = columns >= 16 ? 0xffff : (__mmask16)((1 << columns) - 1);
    if (p->alpha != 1) sums = _mm512_mul_ps(sums, _mm512_set1_ps(p->alpha));
    if (p->s) {
        const uint16_t *s = p->s + i * p->srs + j * p->scs;
        __m256i bits;
        if (p->scs == 1) bits = _mm256_maskz_loadu_epi16(mask, s);
        else {
            uint16_t gathered[16] = {0};
            for (int l = 0; l < 16 && l < columns; l++) gathered[l] = s[l * p->scs];
            bits = _mm256_loadu_si256((const __m256i *)gathered);
        }
        const __m512 added = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
        sums = _mm512_fmadd_ps(_mm512_set1_ps(p->beta), added, sums);
    }
    _mm256_mask_storeu_epi16(p->c + i * p->crs + j, mask, (__m256i)_mm512_cvtneps_pbh(sums));
}

/* A pair of terms, or the last one of an odd K.  Every fourth row has a pointer of its own: with one and 11 distances, GCC keeps some
 * in vector registers, and moving them costs a tenth of the speed. */
#define STEP(M, NV, BYTES) {                                                                                                    \
        __m512bh w[NV];                                                                                                         \
        UNROLL for (int v = 0; v < NV; v++) w[v] = (__m512bh)_mm512_loadu_si512(b + v * 32);                                    \
        UNROLL for (int x = 0; x < M; x++) {                                                                                    \
            int32_t pair = 0;                                                                                                   \
            memcpy(&pair, a[x / 4] + x % 4 * ais, BYTES);                                                                       \
            UNROLL for (int v = 0; v < NV; v++) s[x][v] = _mm512_dpbf16_ps(s[x][v], w[v], (__m512bh)_mm512_set1_epi32(pair));   \
        }                                                                                                                       \
    }
/* Rows i to i + M, columns j and on of C.  A's pair r of row x begins at top + x * ais + r * ars; `odd`: the last is half of one. */
#define TILE(M, NV)                                                                                                             \
    static PAIRED void bf16_tile_##M##_##NV(const Bf16Product *p, const uint16_t *top, int64_t ais, int64_t ars, int odd,       \
                                            const uint16_t *b, int64_t i, int64_t j) {                                          \
        const uint16_t *a[] = {top, top + 4 * ais, top + 8 * ais};                                                              \
        __m512 s[M][NV];                                                                                                        \
        UNROLL for (int x = 0; x < M; x++) UNROLL for (int v = 0; v < NV; v++) s[x][v] = _mm512_setzero_ps();                   \
        for (int64_t r = bf16_pairs(p) - odd; r > 0; r--, a[0] += ars, a[1] += ars, a[2] += ars, b += NV * 32) STEP(M, NV, 4)   \
        if (odd) STEP(M, NV, 2)                                                                                                 \
        UNROLL for (int x = 0; x < M; x++)                                                                                      \
            UNROLL for (int v = 0; v < NV; v++)                                                                                 \
                if (j + v * 16 < p->n) bf16_put(p, s[x][v], i + x, j + v * 16, p->n - j - v * 16);                              \
    }
#define UNROLL _Pragma("GCC unroll 16")
#define BOTH(M) TILE(M, 1) TILE(M, 2)
BOTH(1) BOTH(2) BOTH(3) BOTH(4) BOTH(5) BOTH(6) BOTH(7) BOTH(8) BOTH(9) BOTH(10) BOTH(11) BOTH(12)
#undef BOTH
#undef UNROLL
#undef TILE
#undef STEP

typedef void (*Bf16Tile)(const Bf16Product *, const uint16_t *, int64_t, int64_t, int, const uint16_t *, int64_t, int64_t);
#define PAIR(M) {bf16_tile_##M##_1, bf16_tile_##M##_2}
static const Bf16Tile bf16_tiles[BF16_ROWS + 1][2] = {
    {0}, PAIR(1), PAIR(2), PAIR(3), PAIR(4), PAIR(5), PAIR(6), PAIR(7), PAIR(8), PAIR(9), PAIR(10), PAIR(11), PAIR(12)};
#undef PAIR

/* Columns first to last - 1, each a dot product with every row; BF16_DOTS columns at a time. */
#define DOTS(M)                                                                                                                  \
    static PAIRED void bf16_dots_##M(const Bf16Product *p, int64_t first, int64_t last) {                                        \
        for (int64_t j = first; j < last; j += BF16_DOTS) {                                                                      \
            const int64_t columns = last - j < BF16_DOTS ? last - j : BF16_DOTS;                                                 \
            __m512 s[M][BF16_DOTS];                                                                                              \
            UNROLL for (int x = 0; x < M; x++) UNROLL for (int y = 0; y < BF16_DOTS; y++) s[x][y] = _mm512_setzero_ps();         \
            for (int64_t l = 0; l < p->k; l += 32) {                                                                             \
                const __mmask32 mask = p->k - l >= 32 ? 0xffffffff : (1u << (p->k - l)) - 1;                                     \
                __m512bh w[BF16_DOTS];                                                                                           \
                UNROLL for (int y = 0; y < BF16_DOTS; y++)                                                                       \
                    w[y] = (__m512bh)_mm512_maskz_loadu_epi16(mask, p->b + (j + (y < columns ? y : 0)) * p->bcs + l);            \
                UNROLL for (int x = 0; x < M; x++) {                                                                             \
                    const __m512bh u = (__m512bh)_mm512_maskz_loadu_epi16(mask, p->a + x * p->ars + l);                          \
                    UNROLL for (int y = 0; y < BF16_DOTS; y++) s[x][y] = _mm512_dpbf16_ps(s[x][y], w[y], u);                     \
                }                                                                                                                \
            }                                                                                                                    \
            UNROLL for (int x = 0; x < M; x++) {                                                                                 \
                float sums[16] = {0};                                                                                            \
                UNROLL for (int y = 0; y < BF16_DOTS; y++) sums[y] = _mm512_reduce_add_ps(s[x][y]);                              \
                bf16_put(p, _mm512_loadu_ps(sums), x, j, columns);                                                               \
            }                                                                                                                    \
        }                                                                                                                        \
    }
#define UNROLL _Pragma("GCC unroll 4")
DOTS(1) DOTS(2) DOTS(3) DOTS(4)
#undef UNROLL
#undef DOTS

LOCAL void bf16_dots(const Bf16Product *p, int64_t first, int64_t last) {
    static void (*const all[])(const Bf16Product *, int64_t, int64_t) = {bf16_dots_1, bf16_dots_2, bf16_dots_3, bf16_dots_4};
    all[p->m - 1](p, first, last);
}

/* Rows `top` to `end`, within a strip, by panel number i, which is b. */
static inline void bf16_strip(const Bf16Product *p, const uint16_t *b, const uint16_t *of_a, int64_t top, int64_t end, int64_t i) {
    const int64_t within = top % BF16_STRIP;
    const uint16_t *a = p->pack_a ? of_a + (top - within) * 2 * bf16_pairs(p) + 2 * within : p->a + top * p->ars;
    for (int64_t y = 0, rows = end - top, t = (rows + p->rows - 1) / p->rows, h; y < rows; y += h, t--) {
        h = (rows - y + t - 1) / t;                     /* rows shared out evenly: no thin tile at the end */
        const Bf16Tile tile = bf16_tiles[h][bf16_width(p, i) / BF16_PANEL];
        if (p->pack_a) tile(p, a + 2 * y, 2, 2 * BF16_STRIP, 0, b, top + y, i * p->width);
        else tile(p, a + y * p->ars, p->ars, 2, p->k % 2, b, top + y, i * p->width);
    }
}

/* Rows `top` to `end` by panels first to last - 1, the packed ones. */
LOCAL void bf16_rows(const Bf16Product *p, const uint16_t *packed, const uint16_t *of_a, int64_t top, int64_t end, int64_t first,
                     int64_t last) {
    for (int64_t i = first; i < last; i++, packed += bf16_room_of_b(p, 1))
        for (int64_t y = top, next; y < end; y = next) {
            next = y - y % BF16_STRIP + BF16_STRIP;
            next = next < end ? next : end;
            bf16_strip(p, packed, of_a, y, next, i);
        }
}
#else
LOCAL void bf16_rows(const Bf16Product *p, const uint16_t *packed, const uint16_t *of_a, int64_t top, int64_t end, int64_t first,
                     int64_t last) {
    (void)p; (void)packed; (void)of_a; (void)top; (void)end; (void)first; (void)last;
}
LOCAL void bf16_dots(const Bf16Product *p, int64_t first, int64_t last) { (void)p; (void)first; (void)last; }
#endif
#endif

/* One product on one thread, C (+)= alpha A B, on the tiles of products.h: included once per dtype after it.
 *
 * K is taken in even pieces of about TERMS, so that a panel of B (16 KiB) stays in the first-level cache and no thin piece is left
 * at the end; of B `columns` at a time are packed in panels, of A ROWS rows, to stay in the second level.  What is small, or
 * used but a few times, is read as it lies: packing costs as much as one to four rows of the product (measured on Zen 3: 93 GFLOP/s
 * as it lies and 95 packed at 64 x 64 x 64, of 100).  Few rows of A over a B whose rows lie far apart: SHORT rows of B at a time, each
 * read from end to end, since a panel of 64 bytes a page would wait for memory at every step (1.8 against 0.3 ms at 4 x 1024 x 1024).
 * Few rows of A over columns of B that are contiguous (a linear layer's weight): dot products of three rows and four columns at a time.
 * Columns behind the last whole panel go through a padded panel and a copy.
 */
#ifndef TAEDA_BLOCKS_H
#define TAEDA_BLOCKS_H
enum { TERMS = 256, SHORT = 8, LONG_ROW = 1024, ROWS_OF_A = 96, FEW_ROWS = 12, NEAR_BYTES = 1024, PAGES_APART = 2048, B_BYTES = 1 << 18 };
#endif
#define PANEL (2 * SLIM / (int64_t)sizeof(T))
#define UP(x, to) (((x) + (to) - 1) / (to) * (to))

typedef struct {
    int64_t terms, columns, rows;      /* of K, N and M at a time */
    int pack_a, pack_b, by_dots;
    int64_t room;                      /* elements of working memory */
} NAME(block_plan);

/* Even pieces of about TERMS, at most half as much again. */
LOCAL int64_t NAME(piece_of)(int64_t k) {
    int64_t pieces = (k + TERMS / 2) / TERMS;
    return pieces < 2 ? k : (k + pieces - 1) / pieces;
}

LOCAL void NAME(plan_block)(NAME(block_plan) *p, int64_t m, int64_t n, int64_t k, int64_t ars, int64_t acs, int64_t brs, int64_t bcs, T alpha) {
    const int64_t size = sizeof(T), wide = B_BYTES / TERMS / size;
    p->terms = NAME(piece_of)(k);
    p->columns = n < wide ? n : wide;
    p->rows = m < ROWS_OF_A ? m : ROWS_OF_A;
    p->by_dots = m <= FEW_ROWS && brs == 1 && bcs != 1 && acs == 1 && k >= 2 * LANES;
    p->pack_b = alpha != 1 || bcs != 1 || !(m <= FEW_ROWS || (m <= ROWS_OF_A && brs * size <= NEAR_BYTES));
    p->pack_a = n > 2 * PANEL && m > 6 && (acs != 1 || ars * size >= PAGES_APART);
    if (!p->pack_b && brs * size > NEAR_BYTES) {
        p->terms = k < SHORT ? k : SHORT;
        p->columns = n < LONG_ROW ? n : LONG_ROW;
        p->pack_a = 0;
    }
    p->room = p->by_dots ? 0 : (p->pack_b ? UP(p->columns, PANEL) : n % PANEL ? PANEL : 0) * p->terms
              + (p->pack_a ? UP(p->rows, 6) * (p->terms + LANES) : 0);
}

/* n columns of alpha B's kk rows, in panels */
LOCAL void NAME(pack_panels)(T *to, int64_t kk, int64_t n, const T *b, int64_t brs, int64_t bcs, T alpha) {
    if (bcs == 1) {
        NAME(tiled_by_panel)(to, b, brs, kk, n);
    } else {
        for (int64_t j = 0; j < n; j += PANEL) {
            T *d = to + j * kk;
            int64_t h = n - j < PANEL ? n - j : PANEL;
            if (h < PANEL)
                memset(d, 0, PANEL * kk * sizeof(T));
            if (brs == 1)
                NAME(transpose)(b + j * bcs, bcs, d, PANEL, h, kk);
            else
                for (int64_t l = 0; l < kk; l++)
                    for (int64_t x = 0; x < h; x++)
                        d[l * PANEL + x] = b[l * brs + (j + x) * bcs];
        }
    }
    if (alpha != 1)
        for (int64_t i = 0; i < kk * UP(n, PANEL); i++)
            to[i] *= alpha;
}

/* m rows of A, packed where that pays; the tiles' strides come out. */
LOCAL const T *NAME(pack_tiles)(T *to, int64_t m, int64_t kk, const T *a, int64_t ars, int64_t acs, int pack, int64_t *step, int64_t *between,
                                int64_t *gap) {
    *step = acs, *between = ars, *gap = 6 * ars;
    if (!pack)
        return a;
    if (ars == 1) {
        NAME(tiled_by_6)(to, a, acs, kk, m);
        *step = 6, *between = 1, *gap = 6 * kk;
        return to;
    }
    *step = 1, *between = kk + LANES, *gap = 6 * *between;         /* rows that lie pages apart share sets of the first-level cache */
    for (int64_t i = 0; i < m; i++)
        if (acs == 1)
            memcpy(to + i * *between, a + i * ars, kk * sizeof(T));
        else
            for (int64_t l = 0; l < kk; l++)
                to[i * *between + l] = a[i * ars + l * acs];
    return to;
}

/* n columns of C from tiles of A and panels of B; `last` is the padded panel of what stands behind the whole ones. */
LOCAL void NAME(tiles_by_panels)(T *c, int64_t crs, int64_t m, int64_t n, int64_t kk, const T *a, int64_t step, int64_t between, int64_t gap,
                                 const T *b, int64_t bgap, int64_t ldb, const T *last, int add) {
    const int64_t whole = n / PANEL * PANEL, tail = n - whole;
    T edge[ROWS_OF_A * PANEL];
    NAME(multiply_slim)(m, whole, kk, a, step, between, gap, b, bgap, ldb, c, crs, add);
    if (tail == 0)
        return;
    NAME(multiply_slim)(m, PANEL, kk, a, step, between, gap, last, 0, PANEL, edge, PANEL, 0);
    for (int64_t i = 0; i < m; i++)
        if (add)
            NAME(add)(c + i * crs + whole, edge + i * PANEL, tail);
        else
            NAME(copy)(c + i * crs + whole, edge + i * PANEL, tail);
}

#define UNROLL _Pragma("GCC unroll 4")
#if LANES == 16
#define EACH_LANE(d) 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d, 4 ^ d, 5 ^ d, 6 ^ d, 7 ^ d
#else
#define EACH_LANE(d) 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d
#endif
LOCAL T NAME(sum_of)(NAME(half) v) {
#if LANES == 16
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
#endif
    v += __builtin_shufflevector(v, v, EACH_LANE(2));
    v += __builtin_shufflevector(v, v, EACH_LANE(1));
    return v[0];
}

/* M rows of C, up to four columns: c[i][j] (+)= alpha sum_l a[i][l] b[j][l]; a column beyond the last is the last again, and not written. */
#define DOTS(M)                                                                                                              \
    LOCAL void NAME(dots_of_##M)(T *c, int64_t crs, int64_t columns, int64_t k, const T *a, int64_t ars, const T *b, int64_t bcs, \
                                 T alpha, int add) {                                                                         \
        typedef NAME(half) V;                                                                                                \
        const T *w[4];                                                                                                       \
        V s[M][4];                                                                                                           \
        int64_t l = 0;                                                                                                       \
        UNROLL for (int j = 0; j < 4; j++) w[j] = b + (j < columns ? j : columns - 1) * bcs;                                 \
        UNROLL for (int i = 0; i < M; i++) UNROLL for (int j = 0; j < 4; j++) s[i][j] = (V){0};                              \
        for (; l + LANES / 2 <= k; l += LANES / 2) {                                                                         \
            V x[4];                                                                                                          \
            UNROLL for (int j = 0; j < 4; j++) x[j] = *(const V *)(w[j] + l);                                                \
            UNROLL for (int i = 0; i < M; i++) {                                                                             \
                V u = *(const V *)(a + i * ars + l);                                                                         \
                UNROLL for (int j = 0; j < 4; j++) s[i][j] += u * x[j];                                                      \
            }                                                                                                                \
        }                                                                                                                    \
        for (int64_t i = 0; i < M; i++)                                                                                      \
            for (int64_t j = 0; j < columns; j++) {                                                                          \
                T y = NAME(sum_of)(s[i][j]);                                                                                 \
                for (int64_t t = l; t < k; t++) y += a[i * ars + t] * w[j][t];                                               \
                c[i * crs + j] = (add ? c[i * crs + j] : 0) + alpha * y;                                                     \
            }                                                                                                                \
    }
DOTS(1) DOTS(2) DOTS(3)
#undef DOTS
#undef UNROLL
#undef EACH_LANE

LOCAL void NAME(product_by_dots)(T *c, int64_t crs, int64_t m, int64_t n, int64_t k, const T *a, int64_t ars, const T *b, int64_t bcs, T alpha,
                                 int add) {
    for (int64_t j = 0; j < n; j += 4, b += 4 * bcs)
        for (int64_t i = 0; i < m; i += 3)
            switch (m - i) {
            case 1: NAME(dots_of_1)(c + i * crs + j, crs, n - j < 4 ? n - j : 4, k, a + i * ars, ars, b, bcs, alpha, add); break;
            case 2: NAME(dots_of_2)(c + i * crs + j, crs, n - j < 4 ? n - j : 4, k, a + i * ars, ars, b, bcs, alpha, add); break;
            default: NAME(dots_of_3)(c + i * crs + j, crs, n - j < 4 ? n - j : 4, k, a + i * ars, ars, b, bcs, alpha, add);
            }
}

LOCAL void NAME(block_product)(const NAME(block_plan) *p, T *room, T *c, int64_t crs, int64_t m, int64_t n, int64_t k, const T *a, int64_t ars,
                               int64_t acs, const T *b, int64_t brs, int64_t bcs, T alpha, int add) {
    if (p->by_dots) {
        NAME(product_by_dots)(c, crs, m, n, k, a, ars, b, bcs, alpha, add);
        return;
    }
    T *pa = room + (p->room - (p->pack_a ? UP(p->rows, 6) * (p->terms + LANES) : 0));
    for (int64_t j0 = 0; j0 < n; j0 += p->columns)
        for (int64_t k0 = 0; k0 < k; k0 += p->terms) {
            const int64_t nn = n - j0 < p->columns ? n - j0 : p->columns, kk = k - k0 < p->terms ? k - k0 : p->terms, whole = nn / PANEL * PANEL;
            const T *bk = b + k0 * brs + j0 * bcs, *last = room;
            int64_t bgap = PANEL, ldb = brs, step, between, gap;
            if (p->pack_b) {
                NAME(pack_panels)(room, kk, nn, bk, brs, bcs, alpha);
                bk = room, bgap = kk * PANEL, ldb = PANEL, last = room + whole * kk;
            } else if (nn > whole) {
                NAME(tiled_by_panel)(room, bk + whole, brs, kk, nn - whole);
            }
            for (int64_t i0 = 0; i0 < m; i0 += p->rows) {
                const int64_t mm = m - i0 < p->rows ? m - i0 : p->rows;
                const T *ak = NAME(pack_tiles)(pa, mm, kk, a + i0 * ars + k0 * acs, ars, acs, p->pack_a, &step, &between, &gap);
                NAME(tiles_by_panels)(c + i0 * crs + j0, crs, mm, nn, kk, ak, step, between, gap, bk, bgap, ldb, last, add || k0);
            }
        }
}
#undef PANEL
#undef UP

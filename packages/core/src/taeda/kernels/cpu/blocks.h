/* One product on one thread, C (+)= alpha A B, on the tiles of products.h: included once per dtype after it.
 *
 * K is taken in even pieces of about TERMS, so that a panel of B (16 KiB) stays in the first-level cache and no thin piece is left
 * at the end; of B `columns` at a time are packed in panels, of A ROWS rows, to stay in the second level.  What is small, or
 * used but a few times, is read as it lies: packing costs as much as one to four rows of the product (measured on Zen 3: 93 GFLOP/s
 * as it lies and 95 packed at 64 x 64 x 64, of 100).  Rows of A are packed where they lie about whole pages apart, so that those
 * of a tile share sets of the first-level cache; at other distances a tile reads them as they lie (512 x 784 x 512: 0.95 of the
 * time for packing them by each of eight blocks).  Few rows of A over a B whose rows lie far apart: SHORT rows of B at a time, each
 * read from end to end, since a panel of 64 bytes a page would wait for memory at every step (1.8 against 0.3 ms at 4 x 1024 x 1024).
 * Few rows of A, or few columns, where terms are contiguous in both (a linear layer): dot products of three rows and four columns at a
 * time, 45 to 95 GFLOP/s from 32 terms on.
 */
#ifndef TAEDA_BLOCKS_H
#define TAEDA_BLOCKS_H
enum {
    TERMS = 256,                    /* of a sum between two additions to memory */
    ROWS_OF_A = 96,                 /* of a block */
    B_BYTES = 1 << 18,              /* of B's columns in a block */
    FEW_ROWS = 12, FEW_COLS = 8,    /* up to which B is not packed, and products are dots */
    NEAR_BYTES = 1024,              /* that rows of B may lie apart and still be read as they lie */
    SHORT = 32, LONG_ROW = 512,     /* terms and columns of a block where they lie further */
    PAGE = 4096, NEAR_PAGE = 256,   /* bytes, and how far from whole pages rows still share sets of the cache */
};
enum { PAGES = 1, COLUMNS };        /* how rows of A are scattered: about whole pages apart, or their terms apart */
#endif
#define PANEL ((int64_t)NAME(PANEL))
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

/* Does A have to be packed: because its columns are contiguous, or its rows lie pages apart? */
LOCAL int NAME(scattered)(int64_t ars, int64_t acs) {
    const int64_t apart = (ars < 0 ? -ars : ars) * (int64_t)sizeof(T);
    return acs != 1 ? COLUMNS : apart + NEAR_PAGE >= PAGE && (apart + NEAR_PAGE) % PAGE <= 2 * NEAR_PAGE ? PAGES : 0;
}

/* Room for m rows of A: rows that lie pages apart would share sets of the first-level cache. */
LOCAL int64_t NAME(room_of_rows)(int64_t m, int64_t kk) { return m * (kk + LANES); }

LOCAL void NAME(plan_block)(NAME(block_plan) *p, int64_t m, int64_t n, int64_t k, int64_t ars, int64_t acs, int64_t brs, int64_t bcs,
                            T alpha) {
    const int64_t size = sizeof(T), wide = B_BYTES / TERMS / size;
    p->terms = NAME(piece_of)(k);
    p->columns = n < wide ? n : wide;
    p->rows = m < ROWS_OF_A ? m : ROWS_OF_A;
    p->by_dots = (m <= FEW_ROWS || n <= FEW_COLS) && brs == 1 && (bcs != 1 || n == 1) && acs == 1 && k >= 2 * LANES;
    p->pack_b = alpha != 1 || bcs != 1 || !(m <= FEW_ROWS || (m <= ROWS_OF_A && brs * size <= NEAR_BYTES && k * brs * size <= (1 << 16)));
    p->pack_a = n > 2 * PANEL && m > 6 && NAME(scattered)(ars, acs);
    if (!p->pack_b && brs * size > NEAR_BYTES) {
        p->terms = k < SHORT ? k : SHORT;
        p->columns = n < LONG_ROW ? n : LONG_ROW;
        p->pack_a = 0;
    }
    p->room = p->by_dots ? 0 : (p->pack_b ? UP(p->columns, PANEL) : n % PANEL ? PANEL : 0) * p->terms
              + (p->pack_a ? NAME(room_of_rows)(p->rows, p->terms) : 0);
}

/* m rows of A one behind the other: returns how far apart they lie. */
LOCAL int64_t NAME(pack_a)(T *to, int64_t m, int64_t kk, const T *a, int64_t ars, int64_t acs) {
    const int64_t apart = kk + LANES;
    if (ars == 1)
        NAME(transpose)(a, acs, to, apart, kk, m);
    else if (acs == 1)
        for (int64_t i = 0; i < m; i++)
            memcpy(to + i * apart, a + i * ars, kk * sizeof(T));
    else
        for (int64_t i = 0; i < m; i++)
            for (int64_t l = 0; l < kk; l++)
                to[i * apart + l] = a[i * ars + l * acs];
    return apart;
}

LOCAL void NAME(block_product)(const NAME(block_plan) *p, T *room, T *c, int64_t crs, int64_t m, int64_t n, int64_t k, const T *a,
                               int64_t ars, int64_t acs, const T *b, int64_t brs, int64_t bcs, T alpha, int add) {
    if (p->by_dots) {
        NAME(row_dots)(c, crs, m, n, k, a, ars, b, bcs, alpha, NULL, add);
        return;
    }
    T *pa = room + (p->room - (p->pack_a ? NAME(room_of_rows)(p->rows, p->terms) : 0));
    for (int64_t j0 = 0; j0 < n; j0 += p->columns)
        for (int64_t k0 = 0; k0 < k; k0 += p->terms) {
            const int64_t nn = n - j0 < p->columns ? n - j0 : p->columns, whole = nn / PANEL * PANEL;
            const int64_t kk = k - k0 < p->terms ? k - k0 : p->terms;
            const T *bk = b + k0 * brs + j0 * bcs, *last = room;
            int64_t bgap = PANEL, ldb = brs;
            if (p->pack_b) {
                NAME(pack_panels)(room, kk, nn, bk, brs, bcs, alpha);
                bk = room, bgap = kk * PANEL, ldb = PANEL, last = room + whole * kk;
            } else if (nn > whole) {
                NAME(pack_panels)(room, kk, nn - whole, bk + whole, brs, 1, 1);
            }
            for (int64_t i0 = 0; i0 < m; i0 += p->rows) {
                const int64_t mm = m - i0 < p->rows ? m - i0 : p->rows;
                const T *ak = a + i0 * ars + k0 * acs;
                T *ck = c + i0 * crs + j0;
                if (p->pack_a)
                    NAME(products)(ck, crs, mm, nn, kk, pa, 1, NAME(pack_a)(pa, mm, kk, ak, ars, acs), bk, bgap, ldb, last, NULL,
                                   add || k0);
                else
                    NAME(products)(ck, crs, mm, nn, kk, ak, acs, ars, bk, bgap, ldb, last, NULL, add || k0);
            }
        }
}

/* The n products of a row of a and a row of b, k terms each. */
LOCAL void NAME(vector_pairs)(T *c, int64_t crs, const T *a, int64_t ars, int64_t acs, const T *b, int64_t brs, int64_t bcs, int64_t n,
                              int64_t k, T alpha) {
    for (int64_t i = 0; i < n; i++, a += ars, b += brs) {
        T sum = 0;
        if (acs == 1 && bcs == 1) {
            _Pragma("omp simd reduction(+:sum)")
            for (int64_t l = 0; l < k; l++) sum += a[l] * b[l];
        } else {
            for (int64_t l = 0; l < k; l++) sum += a[l * acs] * b[l * bcs];
        }
        c[i * crs] = alpha * sum;
    }
}
#undef PANEL
#undef UP

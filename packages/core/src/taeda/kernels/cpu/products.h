/* Products on register tiles: included once per dtype after tiles.h, with its T, LANES and SUFFIX defined, and HALF_ONLY
 * where AVX-512 is not to be used.
 *
 *   multiply      c[i][j] = first[j] + s, c[i][j] + s or s,  s = sum_r a(r, i) b(r, j),  a(r, i) = a[r * ars + i * ais]
 *   products      the same for any number of columns
 *   panels        the same over all of a long K, with B packed once and used many times
 *   pack_panels   B, or the transpose of a matrix, as panels: [panel][row][PANEL columns], with zeros behind the last column
 *   row_dots      the same with B as the transpose of W as it lies, for so few rows of A that packing does not pay
 *
 * b is read in panels of PANEL columns, two vectors of SLIM bytes or one of AVX-512: row r of one starts at b + r * ldb, the next
 * panel lies gap elements on.  So a matrix can be packed, or read where it lies.  A tile is up to 6 rows by one panel (12 sums in
 * registers), 8 by two with AVX-512; few rows take more panels at a time, so that there are enough sums to hide the latency.
 * Every element is one chain of multiply-adds over r, in whichever tile: the number of rows, and how threads share them,
 * changes no bit.  Measured on Zen 3: 97 of 100 GFLOP/s with all in the second-level cache; with C in memory, asking for its
 * lines before the sums begin gives a tenth.
 */
#ifndef TAEDA_PRODUCTS_H
#define TAEDA_PRODUCTS_H
#ifdef __AVX2__
#define SLIM 32              /* bytes of a vector where there is no AVX-512 */
#else
#define SLIM 16              /* wider ones would be spilled to the stack */
#endif
enum {
    DEPTH = 256,             /* terms of a panel that stay in the first-level cache: 16 KiB */
    EDGE_ROWS = 96           /* of the columns behind the last whole panel, at a time */
};
#endif
typedef T NAME(slim) __attribute__((vector_size(SLIM), aligned(sizeof(T)), may_alias));
enum { NAME(PANEL) = 2 * SLIM / sizeof(T) };
#define PANEL ((int64_t)NAME(PANEL))
#define UP(x, to) (((x) + (to) - 1) / (to) * (to))

/* -- tiles -- */
#define UNROLL _Pragma("GCC unroll 8")
#define TILE(FUNCTION, TARGET, VEC, M, PANELS)                                                                      \
    LOCAL TARGET void NAME(FUNCTION)(int64_t n, const T *a, int64_t ars, int64_t ais, const T *b, int64_t gap,      \
                                     int64_t ldb, T *c, int64_t ldc, const T *first, int add) {                     \
        typedef NAME(VEC) V;                                                                                        \
        enum { W = sizeof(V) / sizeof(T), EACH = 2 * SLIM / sizeof(V), NV = PANELS * EACH };                        \
        V s[M][NV];                                                                                                 \
        UNROLL for (int i = 0; i < M; i++)                                                                          \
            UNROLL for (int p = 0; p < PANELS; p++) __builtin_prefetch(c + i * ldc + p * PANEL, 1);                 \
        UNROLL for (int i = 0; i < M; i++)                                                                          \
            UNROLL for (int v = 0; v < NV; v++) s[i][v] = (V){0};                                                   \
        for (int64_t r = 0; r < n; r++, a += ars, b += ldb) {                                                       \
            V x[NV];                                                                                                \
            UNROLL for (int v = 0; v < NV; v++) x[v] = *(const V *)(b + v / EACH * gap + v % EACH * W);             \
            UNROLL for (int i = 0; i < M; i++) {                                                                    \
                T y = a[i * ais];                                                                                   \
                UNROLL for (int v = 0; v < NV; v++) s[i][v] += y * x[v];                                            \
            }                                                                                                       \
        }                                                                                                           \
        UNROLL for (int i = 0; i < M; i++)                                                                          \
            UNROLL for (int v = 0; v < NV; v++) {                                                                   \
                V *to = (V *)(c + i * ldc + v * W);                                                                 \
                *to = (first ? *(const V *)(first + v * W) : add ? *to : (V){0}) + s[i][v];                         \
            }                                                                                                       \
    }
TILE(slim1, , slim, 1, 1) TILE(slim2, , slim, 2, 1) TILE(slim3, , slim, 3, 1)
TILE(slim4, , slim, 4, 1) TILE(slim5, , slim, 5, 1) TILE(slim6, , slim, 6, 1)
TILE(slims1, , slim, 1, 4) TILE(slims2, , slim, 2, 3) TILE(slims3, , slim, 3, 2)
#if SLIM == 32 && !defined(HALF_ONLY)
TILE(whole1, WIDE, whole, 1, 1) TILE(whole2, WIDE, whole, 2, 1) TILE(whole3, WIDE, whole, 3, 1) TILE(whole4, WIDE, whole, 4, 1)
TILE(whole5, WIDE, whole, 5, 1) TILE(whole6, WIDE, whole, 6, 1) TILE(whole7, WIDE, whole, 7, 1) TILE(whole8, WIDE, whole, 8, 1)
TILE(wholes1, WIDE, whole, 1, 8) TILE(wholes2, WIDE, whole, 2, 6) TILE(wholes3, WIDE, whole, 3, 4) TILE(wholes4, WIDE, whole, 4, 2)
TILE(wholes5, WIDE, whole, 5, 2) TILE(wholes6, WIDE, whole, 6, 2) TILE(wholes7, WIDE, whole, 7, 2) TILE(wholes8, WIDE, whole, 8, 2)
#endif
#undef TILE
#undef UNROLL

/* by rows: the tile of one panel, that of several, and how many those are */
typedef struct {
    void (*one)(int64_t, const T *, int64_t, int64_t, const T *, int64_t, int64_t, T *, int64_t, const T *, int);
    void (*many)(int64_t, const T *, int64_t, int64_t, const T *, int64_t, int64_t, T *, int64_t, const T *, int);
    int panels;
} NAME(tile_choice);

#define CHOICE(SHAPE, M, PANELS) {NAME(SHAPE##M), NAME(SHAPE##s##M), PANELS}
static const NAME(tile_choice) NAME(slim_choices)[7] = {
    {0}, CHOICE(slim, 1, 4), CHOICE(slim, 2, 3), CHOICE(slim, 3, 2), {NAME(slim4), NAME(slim4), 1}, {NAME(slim5), NAME(slim5), 1},
    {NAME(slim6), NAME(slim6), 1}};
#if SLIM == 32 && !defined(HALF_ONLY)
static const NAME(tile_choice) NAME(wide_choices)[9] = {
    {0}, CHOICE(whole, 1, 8), CHOICE(whole, 2, 6), CHOICE(whole, 3, 4), CHOICE(whole, 4, 2), CHOICE(whole, 5, 2), CHOICE(whole, 6, 2),
    CHOICE(whole, 7, 2), CHOICE(whole, 8, 2)};
#endif
#undef CHOICE

/* Rows of c are written in whole panels. */
LOCAL void NAME(multiply)(int64_t m, int64_t n, int64_t k, const T *a, int64_t ars, int64_t ais, const T *b, int64_t gap, int64_t ldb,
                          T *c, int64_t ldc, const T *first, int add) {
#if SLIM == 32 && !defined(HALF_ONLY)
    const int wide = taeda_wide();
    const NAME(tile_choice) *choices = wide ? NAME(wide_choices) : NAME(slim_choices);
#else
    const int wide = 0;
    const NAME(tile_choice) *choices = NAME(slim_choices);
#endif
    const int64_t most = wide ? 8 : 6, tiles = (m + most - 1) / most, several = tiles == 1 ? choices[m].panels : wide ? 2 : 1;
    for (int64_t left = (n + PANEL - 1) / PANEL, step; left > 0; left -= step) {
        step = left >= several ? several : 1;
        for (int64_t i = 0, t = tiles, h; i < m; i += h, t--) {
            h = (m - i + t - 1) / t;                 /* rows shared out evenly: no thin tile at the end */
            (step == 1 ? choices[h].one : choices[h].many)(k, a + i * ais, ars, ais, b, gap, ldb, c + i * ldc, ldc, first, add);
        }
        b += step * gap, c += step * PANEL;
        if (first) first += step * PANEL;
    }
}

/* Columns behind the last whole panel come from `last`, a panel with zeros, by way of a copy. */
LOCAL void NAME(products)(T *c, int64_t ldc, int64_t m, int64_t n, int64_t k, const T *a, int64_t ars, int64_t ais, const T *b, int64_t gap,
                          int64_t ldb, const T *last, const T *first, int add) {
    const int64_t whole = n / PANEL * PANEL, tail = n - whole;
    T edge[EDGE_ROWS * PANEL];
    NAME(multiply)(m, whole, k, a, ars, ais, b, gap, ldb, c, ldc, first, add);
    for (int64_t i0 = 0; tail && i0 < m; i0 += EDGE_ROWS) {
        const int64_t rows = m - i0 < EDGE_ROWS ? m - i0 : EDGE_ROWS;
        NAME(multiply)(rows, PANEL, k, a + i0 * ais, ars, ais, last, 0, PANEL, edge, PANEL, NULL, 0);
        for (int64_t i = 0; i < rows; i++) {
            T *to = c + (i0 + i) * ldc + whole;
            if (first) NAME(copy)(to, first + whole, tail);
            if (first || add) NAME(add)(to, edge + i * PANEL, tail);
            else NAME(copy)(to, edge + i * PANEL, tail);
        }
    }
}

LOCAL void NAME(panels)(T *c, int64_t ldc, int64_t m, int64_t n, int64_t K, const T *a, int64_t lda, const T *packed, const T *first) {
    for (int64_t k0 = 0; k0 < K || k0 == 0; k0 += DEPTH, first = NULL)
        NAME(products)(c, ldc, m, n, K - k0 < DEPTH ? K - k0 : DEPTH, a + k0, 1, lda, packed + k0 * PANEL, K * PANEL, PANEL,
                       packed + n / PANEL * PANEL * K + k0 * PANEL, first, !first);
}

/* -- packing -- */
/* n columns of alpha B's rows 0 to k; read row by row or column by column, as they lie: a page of B is walked once. */
LOCAL void NAME(pack_panels)(T *to, int64_t k, int64_t n, const T *b, int64_t brs, int64_t bcs, T alpha) {
    const int64_t whole = n / PANEL * PANEL, tail = n - whole;
    if (tail)
        memset(to + whole * k, 0, PANEL * k * sizeof(T));
    if (bcs == 1) {
        for (int64_t l = 0; l < k; l++, b += brs) {
            T *d = to + PANEL * l;
            for (int64_t j = 0; j < whole; j += PANEL, d += PANEL * k)
                memcpy(d, b + j, PANEL * sizeof(T));
            if (tail)
                memcpy(d, b + whole, tail * sizeof(T));
        }
    } else {
        for (int64_t j = 0; j < n; j += PANEL) {
            T *d = to + j * k;
            const int64_t h = n - j < PANEL ? n - j : PANEL;
            if (brs == 1)
                NAME(transpose)(b + j * bcs, bcs, d, PANEL, h, k);
            else
                for (int64_t l = 0; l < k; l++)
                    for (int64_t x = 0; x < h; x++)
                        d[l * PANEL + x] = b[l * brs + (j + x) * bcs];
        }
    }
    if (alpha != 1)
        for (int64_t i = 0; i < k * UP(n, PANEL); i++)
            to[i] *= alpha;
}

/* -- dot products -- */
#define UNROLL _Pragma("GCC unroll 4")
/* from element n on: a vector whose last n lanes are ones */
#define ONES8 -1, -1, -1, -1, -1, -1, -1, -1
static const MASK NAME(tail_masks)[LANES] = {
#if LANES == 8
    0, 0, 0, 0, -1, -1, -1, -1
#elif LANES == 16
    0, 0, 0, 0, 0, 0, 0, 0, ONES8
#elif LANES == 32
    [16] = ONES8, ONES8
#else
    [32] = ONES8, ONES8, ONES8, ONES8
#endif
};
#undef ONES8

/* y[j] = the sum of s[j]'s lanes, for four vectors at once */
#if LANES == 16 || LANES == 8
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
LOCAL void NAME(sums_of)(const NAME(half) *s, T *y) {
    typedef NAME(half) V;
#if LANES == 16
    const V p = SHUFFLE(s[0], s[1], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(s[0], s[1], 1, 9, 3, 11, 5, 13, 7, 15);
    const V q = SHUFFLE(s[2], s[3], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(s[2], s[3], 1, 9, 3, 11, 5, 13, 7, 15);
    const V r = SHUFFLE(p, q, 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(p, q, 2, 3, 10, 11, 6, 7, 14, 15);
    const V sum = r + SHUFFLE(r, r, 4, 5, 6, 7, 0, 1, 2, 3);
#else
    const V p = SHUFFLE(s[0], s[1], 0, 4, 2, 6) + SHUFFLE(s[0], s[1], 1, 5, 3, 7);
    const V q = SHUFFLE(s[2], s[3], 0, 4, 2, 6) + SHUFFLE(s[2], s[3], 1, 5, 3, 7);
    const V sum = SHUFFLE(p, q, 0, 1, 4, 5) + SHUFFLE(p, q, 2, 3, 6, 7);
#endif
    memcpy(y, &sum, 4 * sizeof(T));
}
#undef SHUFFLE
#else
LOCAL void NAME(sums_of)(const NAME(half) *s, T *y) {
    for (int j = 0; j < 4; j++) {
        T lanes[LANES / 2];
        memcpy(lanes, s + j, sizeof lanes);
        for (int step = LANES / 4; step > 0; step /= 2)
            for (int l = 0; l < step; l++)
                lanes[l] += lanes[l + step];
        y[j] = lanes[0];
    }
}
#endif

/* M rows of C, up to four columns: c[i][j] = ... + alpha sum_l a[i][l] w[j][l].  A column beyond the last is the last again, and is
 * not written. */
#define DOTS(M)                                                                                                              \
    LOCAL void NAME(dots_of_##M)(T *c, int64_t ldc, int64_t columns, int64_t k, const T *a, int64_t ais, const T *b, int64_t ldw, \
                                 T alpha, const T *first, int add) {                                                         \
        typedef NAME(half) V;                                                                                                \
        typedef MASK B __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));                                      \
        const T *w[4];                                                                                                       \
        V s[M][4];                                                                                                           \
        int64_t l = 0;                                                                                                       \
        UNROLL for (int j = 0; j < 4; j++) w[j] = b + (j < columns ? j : columns - 1) * ldw;                                 \
        UNROLL for (int i = 0; i < M; i++) UNROLL for (int j = 0; j < 4; j++) s[i][j] = (V){0};                              \
        for (; l + LANES / 2 <= k; l += LANES / 2) {                                                                         \
            V x[4];                                                                                                          \
            UNROLL for (int j = 0; j < 4; j++) x[j] = *(const V *)(w[j] + l);                                                \
            UNROLL for (int i = 0; i < M; i++) {                                                                             \
                V u = *(const V *)(a + i * ais + l);                                                                         \
                if (M == 3) __builtin_prefetch(a + (i + 3) * ais + l);                                                       \
                UNROLL for (int j = 0; j < 4; j++) s[i][j] += u * x[j];                                                      \
            }                                                                                                                \
        }                                                                                                                    \
        if (l < k && k >= LANES / 2) {                       /* the last vector again, without what was counted */           \
            const int64_t at = k - LANES / 2;                                                                                \
            const B left = *(const B *)(NAME(tail_masks) + (k - l));                                                         \
            V x[4];                                                                                                          \
            UNROLL for (int j = 0; j < 4; j++) x[j] = (V)(*(const B *)(w[j] + at) & left);                                   \
            UNROLL for (int i = 0; i < M; i++) {                                                                             \
                V u = (V)(*(const B *)(a + i * ais + at) & left);                                                            \
                UNROLL for (int j = 0; j < 4; j++) s[i][j] += u * x[j];                                                      \
            }                                                                                                                \
            l = k;                                                                                                           \
        }                                                                                                                    \
        UNROLL for (int64_t i = 0; i < M; i++) {                                                                             \
            T y[4];                                                                                                          \
            NAME(sums_of)(s[i], y);                                                                                          \
            for (int64_t t = l; t < k; t++)                                                                                  \
                UNROLL for (int j = 0; j < 4; j++) y[j] += a[i * ais + t] * w[j][t];                                         \
            for (int64_t j = 0; j < columns; j++)                                                                            \
                c[i * ldc + j] = (first ? first[j] : add ? c[i * ldc + j] : 0) + alpha * y[j];                               \
        }                                                                                                                    \
    }
DOTS(1) DOTS(2) DOTS(3)
#undef DOTS
#undef UNROLL

LOCAL void NAME(row_dots)(T *c, int64_t ldc, int64_t m, int64_t n, int64_t k, const T *a, int64_t ais, const T *w, int64_t ldw, T alpha,
                      const T *first, int add) {
    for (int64_t j = 0; j < n; j += 4, w += 4 * ldw)
        for (int64_t i = 0; i < m; i += 3) {
            const int64_t columns = n - j < 4 ? n - j : 4;
            const T *f = first ? first + j : NULL;
            switch (m - i) {
            case 1: NAME(dots_of_1)(c + i * ldc + j, ldc, columns, k, a + i * ais, ais, w, ldw, alpha, f, add); break;
            case 2: NAME(dots_of_2)(c + i * ldc + j, ldc, columns, k, a + i * ais, ais, w, ldw, alpha, f, add); break;
            default: NAME(dots_of_3)(c + i * ldc + j, ldc, columns, k, a + i * ais, ais, w, ldw, alpha, f, add);
            }
        }
}
#undef PANEL
#undef UP

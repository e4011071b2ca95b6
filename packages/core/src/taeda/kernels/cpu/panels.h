/* Products with a matrix that is packed once and used many times: included once per dtype, after tiles.h.
 *
 *   pack_rows, pack_cols   B (K, N), or the transpose of a (N, K) matrix, as panels of LANES columns, [panel][k][lane],
 *                          with zeros beyond the last column
 *   panels                 C = first + A B, or C += A B where first is NULL; A and C row-major, B packed
 *   row_dots               the same with B as the transpose of W (N, K) as it lies, for so few rows that packing does not pay
 *
 * Every element of C is one chain of multiply-adds over its k, cut every DEPTH terms, in whichever tile it is computed:
 * the number of rows, and how threads share them, changes no bit.  A tile is up to 6 rows by one panel of two half vectors
 * (12 sums in registers); fewer rows take more panels at a time, so that there are enough sums to hide the latency.
 * Where there is AVX-512, 8 rows by two panels.  Measured on Zen 3: 97 of 100 GFLOP/s with all in the second-level cache;
 * with C in memory, asking for its lines before the sums begin gives a tenth.
 */
#ifndef TAEDA_PANELS_H
#define TAEDA_PANELS_H
enum { DEPTH = 256 };       /* terms of a panel that stay in the first-level cache: 16 KiB */
#endif

LOCAL void NAME(pack_rows)(T *restrict dst, const T *b, int64_t ldb, int64_t K, int64_t N) {
    for (int64_t j = 0; j < N; j += LANES) {
        const int64_t h = N - j < LANES ? N - j : LANES;
        for (int64_t k = 0; k < K; k++, dst += LANES) {
            if (h == LANES) {
                memcpy(dst, b + k * ldb + j, LANES * sizeof(T));
                continue;
            }
            memcpy(dst, b + k * ldb + j, h * sizeof(T));
            memset(dst + h, 0, (LANES - h) * sizeof(T));
        }
    }
}

LOCAL void NAME(pack_cols)(T *restrict dst, const T *w, int64_t ldw, int64_t K, int64_t N) {
    for (int64_t j = 0; j < N; j += LANES, dst += K * LANES) {
        if (N - j < LANES)
            memset(dst, 0, K * LANES * sizeof(T));
        NAME(transpose)(w + j * ldw, ldw, dst, LANES, N - j < LANES ? N - j : LANES, K);
    }
}

#define UNROLL _Pragma("GCC unroll 8")
#define SPAN ((int64_t)(sizeof(V) / sizeof(T)))
#define TILE(FUNCTION, TARGET, VEC, M, NV)                                                                          \
    LOCAL TARGET void NAME(FUNCTION)(int64_t n, const T *a, int64_t lda, const T *b, int64_t gap, T *c, int64_t ldc, \
                                     const T *first) {                                                              \
        typedef NAME(VEC) V;                                                                                        \
        V acc[M][NV];                                                                                               \
        UNROLL for (int i = 0; i < M; i++)                                                                          \
            UNROLL for (int v = 0; v < NV; v += LANES / SPAN)                                                       \
                __builtin_prefetch(c + i * ldc + v * SPAN, 1);                                                      \
        UNROLL for (int i = 0; i < M; i++)                                                                          \
            UNROLL for (int v = 0; v < NV; v++)                                                                     \
                acc[i][v] = (V){0};                                                                                 \
        for (int64_t k = 0; k < n; k++, b += LANES) {                                                               \
            V x[NV];                                                                                                \
            UNROLL for (int v = 0; v < NV; v++)                                                                     \
                x[v] = *(const V *)(b + v * SPAN / LANES * gap + v * SPAN % LANES);                                 \
            UNROLL for (int i = 0; i < M; i++) {                                                                    \
                T s = a[i * lda + k];                                                                               \
                UNROLL for (int v = 0; v < NV; v++)                                                                 \
                    acc[i][v] += s * x[v];                                                                          \
            }                                                                                                       \
        }                                                                                                           \
        UNROLL for (int i = 0; i < M; i++)                                                                          \
            UNROLL for (int v = 0; v < NV; v++) {                                                                   \
                V *y = (V *)(c + i * ldc + v * SPAN);                                                               \
                *y = (first ? *(const V *)(first + v * SPAN) : *y) + acc[i][v];                                     \
            }                                                                                                       \
    }
TILE(panel1, , half, 1, 2)
TILE(panel2, , half, 2, 2)
TILE(panel3, , half, 3, 2)
TILE(panel4, , half, 4, 2)
TILE(panel5, , half, 5, 2)
TILE(panel6, , half, 6, 2)
TILE(panels1, , half, 1, 8)
TILE(panels2, , half, 2, 6)
TILE(panels3, , half, 3, 4)
TILE(wide1, WIDE, whole, 1, 1)
TILE(wide2, WIDE, whole, 2, 1)
TILE(wide3, WIDE, whole, 3, 1)
TILE(wide4, WIDE, whole, 4, 1)
TILE(wide5, WIDE, whole, 5, 1)
TILE(wide6, WIDE, whole, 6, 1)
TILE(wide7, WIDE, whole, 7, 1)
TILE(wide8, WIDE, whole, 8, 1)
TILE(wides1, WIDE, whole, 1, 8)
TILE(wides2, WIDE, whole, 2, 6)
TILE(wides3, WIDE, whole, 3, 4)
TILE(wides4, WIDE, whole, 4, 4)
TILE(wides5, WIDE, whole, 5, 3)
TILE(wides6, WIDE, whole, 6, 3)
TILE(wides7, WIDE, whole, 7, 2)
TILE(wides8, WIDE, whole, 8, 2)
#undef TILE
#undef SPAN
#undef UNROLL

typedef void (*NAME(panel_tile))(int64_t, const T *, int64_t, const T *, int64_t, T *, int64_t, const T *);

/* by rows: the tile of one panel, that of several, and how many those are */
typedef struct {
    NAME(panel_tile) one, many;
    int panels;
} NAME(panel_choice);

static const NAME(panel_choice) NAME(panel_tiles)[2][9] = {
    {{0}, {NAME(panel1), NAME(panels1), 4}, {NAME(panel2), NAME(panels2), 3}, {NAME(panel3), NAME(panels3), 2},
     {NAME(panel4), NAME(panel4), 1}, {NAME(panel5), NAME(panel5), 1}, {NAME(panel6), NAME(panel6), 1}},
    {{0}, {NAME(wide1), NAME(wides1), 8}, {NAME(wide2), NAME(wides2), 6}, {NAME(wide3), NAME(wides3), 4},
     {NAME(wide4), NAME(wides4), 4}, {NAME(wide5), NAME(wides5), 3}, {NAME(wide6), NAME(wides6), 3},
     {NAME(wide7), NAME(wides7), 2}, {NAME(wide8), NAME(wides8), 2}},
};

LOCAL void NAME(panels)(T *c, int64_t ldc, int64_t m, int64_t n, int64_t K, const T *a, int64_t lda, const T *packed,
                        const T *first) {
    const int wide = taeda_wide(), most = wide ? 8 : 6;
    const int64_t tiles = (m + most - 1) / most;
    T edge[8 * LANES];
    for (int64_t k0 = 0; k0 < K || k0 == 0; k0 += DEPTH, first = NULL) {
        const int64_t kk = K - k0 < DEPTH ? K - k0 : DEPTH;
        for (int64_t j = 0, step; j < n; j += step * LANES) {
            step = 1;
            for (int64_t i = 0, t = tiles, h; i < m; i += h, t--) {
                h = (m - i + t - 1) / t;            /* rows shared out evenly: no thin tile at the end */
                const NAME(panel_choice) *tile = &NAME(panel_tiles)[wide][h];
                const T *b = packed + j * K + k0 * LANES, *ai = a + i * lda + k0;
                T *ci = c + i * ldc + j;
                if (tiles == 1 && n - j >= tile->panels * LANES) {
                    step = tile->panels;
                    tile->many(kk, ai, lda, b, K * LANES, ci, ldc, first ? first + j : NULL);
                } else if (n - j >= LANES) {
                    tile->one(kk, ai, lda, b, 0, ci, ldc, first ? first + j : NULL);
                } else {
                    memset(edge, 0, sizeof edge);
                    tile->one(kk, ai, lda, b, 0, edge, LANES, NULL);
                    for (int64_t r = 0; r < h; r++)
                        for (int64_t l = 0; l < n - j; l++)
                            ci[r * ldc + l] = (first ? first[j + l] : ci[r * ldc + l]) + edge[r * LANES + l];
                }
            }
        }
    }
}

LOCAL inline T NAME(lane_sum)(NAME(half) v) {
    T s = 0;
    for (int l = 0; l < LANES / 2; l++)
        s += v[l];
    return s;
}

LOCAL void NAME(row_dots)(T *c, int64_t ldc, int64_t m, int64_t n, int64_t K, const T *a, int64_t lda, const T *w, int64_t ldw,
                      const T *first) {
    typedef NAME(half) V;
    const int64_t B = LANES / 2, whole = K / B * B;
    for (int64_t j = 0; j < n; j += 4)
        for (int64_t i = 0; i < m; i++) {
            const T *x = a + i * lda;
            const T *w0 = w + j * ldw;              /* the last rows of W stand in for those beyond it */
            const T *w1 = w + (j + 1 < n ? j + 1 : n - 1) * ldw, *w2 = w + (j + 2 < n ? j + 2 : n - 1) * ldw,
                    *w3 = w + (j + 3 < n ? j + 3 : n - 1) * ldw;
            V p0 = {0}, p1 = {0}, p2 = {0}, p3 = {0};
            for (int64_t k = 0; k < whole; k += B) {
                V u = *(const V *)(x + k);
                p0 += u * *(const V *)(w0 + k);
                p1 += u * *(const V *)(w1 + k);
                p2 += u * *(const V *)(w2 + k);
                p3 += u * *(const V *)(w3 + k);
            }
            T s[4] = {NAME(lane_sum)(p0), NAME(lane_sum)(p1), NAME(lane_sum)(p2), NAME(lane_sum)(p3)};
            for (int64_t k = whole; k < K; k++) {
                s[0] += x[k] * w0[k];
                s[1] += x[k] * w1[k];
                s[2] += x[k] * w2[k];
                s[3] += x[k] * w3[k];
            }
            for (int64_t l = 0; l < 4 && j + l < n; l++)
                c[i * ldc + j + l] = (first ? first[j + l] : c[i * ldc + j + l]) + s[l];
        }
}

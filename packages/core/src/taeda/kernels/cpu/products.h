/* Products of a matrix that is read as it lies with one in panels: included once per dtype after tiles.h, with its T,
 * LANES and SUFFIX defined.
 *
 *   multiply   c[i][j] (+)= sum_r  a(r, i) b(r, j)      a(r, i) = a[r * ars + i * ais] within a tile of rows
 *
 * A panel is two vectors wide (LANES elements, 2 LANES with AVX-512, half of LANES without AVX2): row r of it starts at b + r * ldb, the next panel
 * gap elements on.  Rows of c are written in whole panels.  Six rows of c (eight) stay in registers; each call sums from
 * zero over all r, then stores or adds.
 */
#ifndef TAEDA_PRODUCTS_H
#define TAEDA_PRODUCTS_H
#ifdef __AVX2__
#define SLIM 32          /* bytes of a vector where there is no AVX-512 */
#else
#define SLIM 16          /* wider ones would be spilled to the stack */
#endif
#endif
typedef T NAME(slim) __attribute__((vector_size(SLIM), aligned(sizeof(T)), may_alias));

#define UNROLL _Pragma("GCC unroll 8")
#define TILE(FUNCTION, TARGET, VEC, M)                                                                        \
    LOCAL TARGET void NAME(FUNCTION)(int64_t n, const T *a, int64_t ars, int64_t ais, const T *b, int64_t ldb, \
                                     T *c, int64_t ldc, int add) {                                            \
        typedef NAME(VEC) V;                                                                                  \
        enum { W = sizeof(V) / sizeof(T) };                                                                   \
        V p[M], q[M];                                                                                         \
        UNROLL for (int i = 0; i < M; i++) p[i] = q[i] = (V){0};                                              \
        for (int64_t r = 0; r < n; r++, a += ars, b += ldb) {                                                 \
            V u = *(const V *)b, v = *(const V *)(b + W);                                                     \
            UNROLL for (int i = 0; i < M; i++) { T x = a[i * ais]; p[i] += x * u; q[i] += x * v; }            \
        }                                                                                                     \
        UNROLL for (int i = 0; i < M; i++) {                                                                  \
            V *to = (V *)(c + i * ldc), *then = (V *)(c + i * ldc + W);                                       \
            if (add) { *to += p[i]; *then += q[i]; } else { *to = p[i]; *then = q[i]; }                       \
        }                                                                                                     \
    }
/* c is m by n, n rounded up to whole panels; of a, agap elements lie between the rows of one tile and the next. */
#define MULTIPLY(FUNCTION, TILE_OF, VEC, FULL, LAST)                                                          \
    LOCAL void NAME(FUNCTION)(int64_t m, int64_t n, int64_t k, const T *a, int64_t ars, int64_t ais, \
                              int64_t agap, const T *b, int64_t gap, int64_t ldb, T *c, int64_t ldc, int add) {                         \
        const int64_t panel = 2 * sizeof(NAME(VEC)) / sizeof(T);                                              \
        for (int64_t j = 0; j < n; j += panel, b += gap) {                                                    \
            int64_t i = 0;                                                                                    \
            for (; i + FULL <= m; i += FULL)                                                                  \
                NAME(TILE_OF##FULL)(k, a + i / FULL * agap, ars, ais, b, ldb, c + i * ldc + j, ldc, add);        \
            if (i < m) {                                                                                      \
                const T *x = a + i / FULL * agap;                                                                     \
                T *y = c + i * ldc + j;                                                                       \
                switch (m - i) { LAST(TILE_OF) }                                                              \
            }                                                                                                 \
        }                                                                                                     \
    }
#define CASE(TILE_OF, M) case M: NAME(TILE_OF##M)(k, x, ars, ais, b, ldb, y, ldc, add); break;
#define LAST6(TILE_OF) CASE(TILE_OF, 1) CASE(TILE_OF, 2) CASE(TILE_OF, 3) CASE(TILE_OF, 4) CASE(TILE_OF, 5)
#define LAST8(TILE_OF) LAST6(TILE_OF) CASE(TILE_OF, 6) CASE(TILE_OF, 7)
TILE(slim_tile1, , slim, 1) TILE(slim_tile2, , slim, 2) TILE(slim_tile3, , slim, 3)
TILE(slim_tile4, , slim, 4) TILE(slim_tile5, , slim, 5) TILE(slim_tile6, , slim, 6)
MULTIPLY(multiply_slim, slim_tile, slim, 6, LAST6)
TILE(whole_tile1, WIDE, whole, 1) TILE(whole_tile2, WIDE, whole, 2) TILE(whole_tile3, WIDE, whole, 3)
TILE(whole_tile4, WIDE, whole, 4) TILE(whole_tile5, WIDE, whole, 5) TILE(whole_tile6, WIDE, whole, 6)
TILE(whole_tile7, WIDE, whole, 7) TILE(whole_tile8, WIDE, whole, 8)
MULTIPLY(multiply_whole, whole_tile, whole, 8, LAST8)
#undef TILE
#undef MULTIPLY
#undef CASE
#undef LAST6
#undef LAST8
#undef UNROLL

/* Rows l of x (n, m), row l at x + l * stride, become tiles of `width` columns: [tile][l][width], zeros behind the last.
 * Read row by row: a page of x is walked once. */
#define TILED(FUNCTION, WIDTH)                                                                                \
    LOCAL void NAME(FUNCTION)(T *to, const T *x, int64_t stride, int64_t n, int64_t m) {                      \
        const int64_t whole = m / WIDTH, rest = m - WIDTH * whole;                                            \
        for (int64_t l = 0; l < n; l++, x += stride) {                                                        \
            T *d = to + WIDTH * l;                                                                            \
            for (int64_t t = 0; t < whole; t++, d += WIDTH * n) memcpy(d, x + WIDTH * t, WIDTH * sizeof(T));  \
            if (rest) {                                                                                       \
                memset(d, 0, WIDTH * sizeof(T));                                                              \
                memcpy(d, x + WIDTH * whole, rest * sizeof(T));                                               \
            }                                                                                                 \
        }                                                                                                     \
    }
TILED(tiled_by_6, 6)
TILED(tiled_by_panel, (2 * SLIM / (int64_t)sizeof(T)))
#undef TILED

/* Products whose columns are pixels: included once per dtype after tiles.h, with its T, LANES and SUFFIX defined.
 *
 *   times    c[i][x] = first[i] + sum_r  a(r, i) src[off[r] + x]     (or c[i][x] += the sum, where first is NULL)
 *   gather   b[r][x] = src[off[r] + place of pixel x]        for some terms r and the pixels of a panel
 *
 * a(r, i) = a[r * ars + i * ais] are weights, as they lie (ars = 1) or in tiles (ais = 1); a panel is two vectors
 * of pixels.  Up to 6 rows of c (8 with AVX-512) stay in registers: 12 multiply-adds for 8 loads, 93 of 100 GFLOP/s on Zen 3.
 * The lines of c that the next panel will write are asked for before the sum begins.
 */
#ifndef TAEDA_PIXELS_H
#define TAEDA_PIXELS_H
#ifdef __AVX2__
#define SLIM 32          /* bytes of a vector where there is no AVX-512 */
#else
#define SLIM 16          /* wider ones would be spilled to the stack */
#endif
typedef struct {
    int64_t src, at, count;      /* a run of pixels: where it begins in the source and in its panel, and its length */
} Run;
#define UNROLL _Pragma("GCC unroll 8")
#endif
typedef T NAME(slim) __attribute__((vector_size(SLIM), aligned(sizeof(T)), may_alias));

#define TILE(FUNCTION, TARGET, VEC, M)                                                                        \
    LOCAL TARGET void NAME(FUNCTION)(int64_t n, const T *a, int64_t ars, int64_t ais, const T *x, T *c,       \
                                     const int64_t *off, int64_t ldc, const T *first) {                       \
        typedef NAME(VEC) V;                                                                                  \
        enum { W = sizeof(V) / sizeof(T) };                                                                   \
        V p[M], q[M];                                                                                         \
        UNROLL for (int i = 0; i < M; i++) {                                                                  \
            p[i] = q[i] = (V){0};                                                                             \
            __builtin_prefetch(c + i * ldc + 2 * W, 1);                                                       \
        }                                                                                                     \
        for (int64_t r = 0; r < n; r++, a += ars) {                                                           \
            const T *b = x + off[r];                                                                          \
            V u = *(const V *)b, v = *(const V *)(b + W);                                                     \
            UNROLL for (int i = 0; i < M; i++) { T s = a[i * ais]; p[i] += s * u; q[i] += s * v; }            \
        }                                                                                                     \
        UNROLL for (int i = 0; i < M; i++) {                                                                  \
            V *to = (V *)(c + i * ldc), *then = (V *)(c + i * ldc + W);                                       \
            if (first) { *to = first[i] + p[i]; *then = first[i] + q[i]; } else { *to += p[i]; *then += q[i]; } \
        }                                                                                                     \
    }
TILE(slim_pixels1, , slim, 1) TILE(slim_pixels2, , slim, 2) TILE(slim_pixels3, , slim, 3)
TILE(slim_pixels4, , slim, 4) TILE(slim_pixels5, , slim, 5) TILE(slim_pixels6, , slim, 6)
TILE(wide_pixels1, WIDE, whole, 1) TILE(wide_pixels2, WIDE, whole, 2) TILE(wide_pixels3, WIDE, whole, 3)
TILE(wide_pixels4, WIDE, whole, 4) TILE(wide_pixels5, WIDE, whole, 5) TILE(wide_pixels6, WIDE, whole, 6)
TILE(wide_pixels7, WIDE, whole, 7) TILE(wide_pixels8, WIDE, whole, 8)
#undef TILE

typedef void (*NAME(pixel_tile))(int64_t, const T *, int64_t, int64_t, const T *, T *, const int64_t *, int64_t, const T *);

static const NAME(pixel_tile) NAME(pixel_tiles)[2][9] = {
    {0, NAME(slim_pixels1), NAME(slim_pixels2), NAME(slim_pixels3), NAME(slim_pixels4), NAME(slim_pixels5), NAME(slim_pixels6)},
    {0, NAME(wide_pixels1), NAME(wide_pixels2), NAME(wide_pixels3), NAME(wide_pixels4), NAME(wide_pixels5), NAME(wide_pixels6),
     NAME(wide_pixels7), NAME(wide_pixels8)},
};

LOCAL inline void NAME(times)(int wide, int64_t m, int64_t n, const T *a, int64_t ars, int64_t ais, const T *x,
                              const int64_t *off, T *c, int64_t ldc, const T *first) {
    NAME(pixel_tiles)[wide][m](n, a, ars, ais, x, c, off, ldc, first);
}

/* Row r of the panel is b[r * width ...]; the pixels of a run lie `step` apart in the source.  Those of the next panel, which
 * are likely beside them, are asked for.  loose: a panel's width may be read from the beginning of any run, and written, so
 * that whole vectors are copied: what comes after a run overwrites what that brought too much. */
LOCAL void NAME(gather)(T *b, int64_t width, const T *src, const int64_t *off, int64_t n, const Run *run, int64_t runs,
                        int64_t step, int loose) {
    const int64_t B = SLIM / sizeof(T);
    if (step == 1 && (loose || (runs == 1 && run->count == width))) {
        for (int64_t r = 0; r < n; r++, b += width) {
            const T *from = src + off[r];
            for (int64_t i = 0; i < runs; i++) {
                const T *s = from + run[i].src;
                T *d = b + run[i].at;
                __builtin_prefetch(s + width, 0, 2);
                for (int64_t x = 0; x < run[i].count; x += B)
                    *(NAME(slim) *)(d + x) = *(const NAME(slim) *)(s + x);
            }
        }
        return;
    }
    for (int64_t i = 0; i < runs; i++) {
        const T *from = src + run[i].src;
        const int64_t m = run[i].count;
        T *d = b + run[i].at;
        for (int64_t r = 0; r < n; r++, d += width) {
            const T *s = from + off[r];
            __builtin_prefetch(s + width * step, 0, 2);
            if (step == 1)
                NAME(copy)(d, s, m);
            else if (step == 2)
                NAME(every_second)(d, s, m);
            else
                for (int64_t x = 0; x < m; x++)
                    d[x] = s[x * step];
        }
    }
}

/* Whether n places lie `step` apart. */
LOCAL inline int NAME(evenly)(const int64_t *at, int64_t n, int64_t step) {
    int64_t odd = 0;
    for (int64_t i = 1; i < n; i++)
        odd |= at[i] - at[i - 1] - step;
    return odd == 0;
}

/* Weights in tiles of `height` rows: d[term][row of a tile] = src[row + term], as the tables say where both lie.  Sixteen terms of
 * a tile are written together, and the lines of src that they share with the next tile are still at hand then; those that lie
 * side by side, or whose rows do, are transposed or copied. */
LOCAL void NAME(pack_rows)(T *dst, const T *src, const int64_t *row, int64_t rows, const int64_t *term, int64_t terms, int64_t height) {
    for (int64_t k0 = 0; k0 < terms; k0 += 16) {
        const int64_t n = terms - k0 < 16 ? terms - k0 : 16, *at = term + k0;
        const int beside = NAME(evenly)(at, n, 1);
        for (int64_t r = 0; r < rows; r += height) {
            const int64_t m = rows - r < height ? rows - r : height, *of = row + r, apart = m > 1 ? of[1] - of[0] : 1;
            T *d = dst + r * terms + k0 * m;
            if (beside && NAME(evenly)(of, m, apart))
                NAME(transpose)(src + of[0] + at[0], apart, d, m, m, n);
            else if (NAME(evenly)(of, m, 1))
                for (int64_t k = 0; k < n; k++, d += m)
                    NAME(copy)(d, src + of[0] + at[k], m);
            else
                for (int64_t k = 0; k < n; k++, d += m)
                    for (int64_t i = 0; i < m; i++)
                        d[i] = src[of[i] + at[k]];
        }
    }
}

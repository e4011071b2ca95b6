/* Winograd's transforms for 3x3 convolution on tiles of 4x4 results, float32: included after tiles.h.
 *
 * Along one axis, four results of three taps come from six pixels d by six multiplications, the values of polynomials at six points:
 *
 *     y = A' ((G g) . (B' d)),      points 0, a, -a, b, -b and infinity,      a = sqrt(1/2), b = sqrt(2)
 *
 * (S. Winograd, "Arithmetic complexity of computations", 1980; A. Lavin and S. Gray, "Fast algorithms for convolutional
 * neural networks", 2016).  The same points give three taps of a weight gradient from six pixels and four cotangents.  These points
 * keep numbers of one size: the error of the result is a fifth of that of the usual 0, 1, -1, 2, -2 (4.7e-6 against 2.2e-5 for 64
 * channels of unit variance), and a b = 1 saves multiplications.
 *
 *   pixels6, pixels4   6x6 pixels of an image, or 4x4 of a cotangent -> 36 points
 *   weights            3x3 taps -> 36 points
 *   results            36 points -> 4x4 pixels of a result, with a bias
 *   taps               36 points -> 3x3 taps of a weight gradient
 *   multiply_rows      products of tiles and weights at one point, for results
 *   multiply_columns   products of pixels and cotangents at one point, for weight gradients
 *
 * A vector holds 8 channels, whatever the image's layout: take and put turn 8 channels by 4 pixels at a time, so narrow maps waste
 * nothing and channels-last ones need no turning.  Lanes beyond the last channel repeat it; what they give is never stored.
 * results and taps return whether every number is finite: a transform spreads an inf or NaN over its tile.
 */
#ifndef TAEDA_WINOGRAD_H
#define TAEDA_WINOGRAD_H
#include <string.h>

typedef half_f32 Lanes;
#ifdef __AVX2__
typedef half_f32 Slim;                    /* of the products, where there is no AVX-512 */
#else
typedef float Slim __attribute__((vector_size(16), aligned(4), may_alias));     /* wider ones would be spilled to the stack */
#endif
typedef float Quad __attribute__((vector_size(16), aligned(4), may_alias));
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")
#define AT(p) (*(const Lanes *)(p))
#define SHUFFLE __builtin_shufflevector
enum { RUN = 16, SPAN = 4 * RUN + 2, BATCH = 16, CHANNELS = 24 };     /* tiles, and columns, of a strip; weights turned
                                                                 at a time; channels of a block of the weight gradient */

typedef struct {
    float *data;
    int64_t image, channel, row, col;     /* steps in elements */
    int64_t rows, cols;
} Picture;

typedef struct {
    int64_t down, across;                 /* tiles of an image */
    int64_t top, left;                    /* where the first begins: at pixel (-top, -left) */
} Grid;

/* -- moving between channels in planes and channels in lanes -- */

/* dst[j][l] = src[l][j]: n places by 8 lanes, of which m are there. */
static void take(float *dst, const float *src, int64_t lane, int64_t place, int64_t m, int64_t n) {
    const float *p[8];
    for (int l = 0; l < 8; l++)
        p[l] = src + (l < m ? l : m - 1) * lane;
    if (place == 1 && n >= 4) {
        for (int64_t j = 0;; j = j + 8 < n ? j + 4 : n - 4) {       /* the last block overlaps */
#define ROW(i) Lanes r##i = SHUFFLE(*(const Quad *)(p[i] + j), *(const Quad *)(p[i + 4] + j), 0, 1, 2, 3, 4, 5, 6, 7);
            ROW(0) ROW(1) ROW(2) ROW(3)
#undef ROW
            Lanes s = SHUFFLE(r0, r1, 0, 8, 1, 9, 4, 12, 5, 13), t = SHUFFLE(r2, r3, 0, 8, 1, 9, 4, 12, 5, 13);
            Lanes u = SHUFFLE(r0, r1, 2, 10, 3, 11, 6, 14, 7, 15), v = SHUFFLE(r2, r3, 2, 10, 3, 11, 6, 14, 7, 15);
            Lanes *d = (Lanes *)(dst + 8 * j);
            d[0] = SHUFFLE(s, t, 0, 1, 8, 9, 4, 5, 12, 13);
            d[1] = SHUFFLE(s, t, 2, 3, 10, 11, 6, 7, 14, 15);
            d[2] = SHUFFLE(u, v, 0, 1, 8, 9, 4, 5, 12, 13);
            d[3] = SHUFFLE(u, v, 2, 3, 10, 11, 6, 7, 14, 15);
            if (j == n - 4)
                return;
        }
    }
    if (lane == 1 && m >= 8) {
        for (int64_t j = 0; j < n; j++)
            *(Lanes *)(dst + 8 * j) = AT(src + j * place);
        return;
    }
    for (int64_t j = 0; j < n; j++)
        for (int l = 0; l < 8; l++)
            dst[8 * j + l] = p[l][j * place];
}

/* dst[l][j] = src[j][l]: n places by m <= 8 lanes. */
static void put(float *dst, int64_t lane, int64_t place, const float *src, int64_t m, int64_t n) {
    if (place == 1 && n >= 4 && m == 8) {
        for (int64_t j = 0;; j = j + 8 < n ? j + 4 : n - 4) {
            const Lanes *s = (const Lanes *)(src + 8 * j);
            Lanes a = SHUFFLE(s[0], s[1], 0, 8, 1, 9, 4, 12, 5, 13), b = SHUFFLE(s[2], s[3], 0, 8, 1, 9, 4, 12, 5, 13);
            Lanes c = SHUFFLE(s[0], s[1], 2, 10, 3, 11, 6, 14, 7, 15), d = SHUFFLE(s[2], s[3], 2, 10, 3, 11, 6, 14, 7, 15);
            Lanes r[4] = {SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13), SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15),
                          SHUFFLE(c, d, 0, 1, 8, 9, 4, 5, 12, 13), SHUFFLE(c, d, 2, 3, 10, 11, 6, 7, 14, 15)};
            UNROLL for (int l = 0; l < 4; l++) {
                *(Quad *)(dst + l * lane + j) = SHUFFLE(r[l], r[l], 0, 1, 2, 3);
                *(Quad *)(dst + (l + 4) * lane + j) = SHUFFLE(r[l], r[l], 4, 5, 6, 7);
            }
            if (j == n - 4)
                return;
        }
    }
    if (lane == 1 && m == 8) {
        for (int64_t j = 0; j < n; j++)
            *(Lanes *)(dst + j * place) = AT(src + 8 * j);
        return;
    }
    for (int64_t j = 0; j < n; j++)
        for (int l = 0; l < m; l++)
            dst[l * lane + j * place] = src[8 * j + l];
}

/* The pixels of `many` tiles of `size` rows from tile (i, j) of image n on, as [row][column][8 channels], zero outside the image. */
INLINE void strip(float *z, const Picture *x, const Grid *g, int64_t n, int64_t i, int64_t j, int64_t many, int64_t c, int64_t m,
                  int size) {
    const int64_t top = 4 * i - g->top, left = 4 * j - g->left, cols = 4 * many + size - 4;
    const int64_t first = left > 0 ? left : 0, last = left + cols < x->cols ? left + cols : x->cols;
    const float *src = x->data + n * x->image + c * x->channel + first * x->col;
    for (int64_t r = top; r < top + size; r++, z += 8 * SPAN) {
        if (r < 0 || r >= x->rows || first >= last) {
            memset(z, 0, 8 * cols * sizeof(float));
            continue;
        }
        memset(z, 0, 8 * (first - left) * sizeof(float));
        take(z + 8 * (first - left), src + r * x->row, x->channel, x->col, m, last - first);
        memset(z + 8 * (last - left), 0, 8 * (left + cols - last) * sizeof(float));
    }
}

/* -- one axis -- */

static const float A1 = 0.70710678f, A3 = 0.35355339f, B1 = 1.41421356f, B3 = 2.82842712f;     /* a, a^3, b, b^3 */

/* B': six pixels -> points */
INLINE void from6(const Lanes *d, Lanes *v) {
    const Lanes e = d[4] - 2 * d[2], o = d[3] - 2 * d[1], f = d[4] - 0.5f * d[2], p = d[3] - 0.5f * d[1];
    v[0] = d[0] - 2.5f * d[2] + d[4];
    v[1] = e + A1 * o;
    v[2] = e - A1 * o;
    v[3] = f + B1 * p;
    v[4] = f - B1 * p;
    v[5] = d[1] - 2.5f * d[3] + d[5];
}

/* G: three taps -> points */
INLINE void from3(const Lanes *g, Lanes *v) {
    const Lanes e = (-2.0f / 3) * (g[0] + 0.5f * g[2]), f = (1.0f / 6) * (g[0] + 2 * g[2]);
    v[0] = g[0];
    v[1] = e - (A1 * 2 / 3) * g[1];
    v[2] = e + (A1 * 2 / 3) * g[1];
    v[3] = f + (B1 / 6) * g[1];
    v[4] = f - (B1 / 6) * g[1];
    v[5] = g[2];
}

/* G for four cotangents */
INLINE void from4(const Lanes *g, Lanes *v) {
    const Lanes e = (-2.0f / 3) * (g[0] + 0.5f * g[2]), o = g[1] + 0.5f * g[3], f = (1.0f / 6) * (g[0] + 2 * g[2]), p = g[1] + 2 * g[3];
    v[0] = g[0];
    v[1] = e - (A1 * 2 / 3) * o;
    v[2] = e + (A1 * 2 / 3) * o;
    v[3] = f + (B1 / 6) * p;
    v[4] = f - (B1 / 6) * p;
    v[5] = g[3];
}

/* A': points -> four results */
INLINE void to4(const Lanes *m, Lanes *y) {
    const Lanes s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4];
    y[0] = m[0] + s + t;
    y[1] = A1 * d + B1 * e;
    y[2] = 0.5f * s + 2 * t;
    y[3] = A3 * d + B3 * e + m[5];
}

/* A': points -> three taps */
INLINE void to3(const Lanes *m, Lanes *y) {
    const Lanes s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4];
    y[0] = m[0] + s + t;
    y[1] = A1 * d + B1 * e;
    y[2] = 0.5f * s + 2 * t + m[5];
}

/* -- two axes -- */

/* Tiles t0 to t1 of 8 channels from c on (m are there), counted through all images: point p of tile t0 + k goes to
 * v[k / height * group + p * step + k % height * width]; zeros fill up the last group of tiles. */
#define PIXELS(FUNCTION, SIZE)                                                                                                      \
    static void FUNCTION(float *v, int64_t group, int64_t step, int64_t height, int64_t width, const Picture *x, const Grid *g,     \
                         int64_t t0, int64_t t1, int64_t c, int64_t m) {                                                            \
        float z[6 * SPAN * 8] __attribute__((aligned(32)));                                                                         \
        const int64_t per = g->down * g->across;                                                                                    \
        int64_t row = 0;                                                                                                            \
        for (int64_t t = t0, many; t < t1; t += many) {                                                                             \
            const int64_t j = t % g->across;                                                                                        \
            many = t1 - t < RUN ? t1 - t : RUN;                                                                                     \
            many = g->across - j < many ? g->across - j : many;                                                                     \
            strip(z, x, g, t / per, t % per / g->across, j, many, c, m, SIZE);                                                      \
            for (float *at = z; at < z + 8 * (4 * many + SIZE - 4); at += 8) {                                                      \
                Lanes d[SIZE], u[6];                                                                                                \
                UNROLL for (int i = 0; i < SIZE; i++) d[i] = AT(at + i * SPAN * 8);                                                 \
                from##SIZE(d, u);                                                                                                   \
                UNROLL for (int i = 0; i < 6; i++) *(Lanes *)(at + i * SPAN * 8) = u[i];                                            \
            }                                                                                                                       \
            for (int64_t k = 0; k < many; k++) {                                                                                    \
                for (int i = 0; i < 6; i++) {                                                                                       \
                    Lanes d[SIZE], u[6];                                                                                            \
                    UNROLL for (int q = 0; q < SIZE; q++) d[q] = AT(z + (i * SPAN + 4 * k + q) * 8);                                \
                    from##SIZE(d, u);                                                                                               \
                    UNROLL for (int q = 0; q < 6; q++) *(Lanes *)(v + (6 * i + q) * step) = u[q];                                   \
                }                                                                                                                   \
                v += width;                                                                                                         \
                if (++row == height) {                                                                                              \
                    v += group - height * width;                                                                                    \
                    row = 0;                                                                                                        \
                }                                                                                                                   \
            }                                                                                                                       \
        }                                                                                                                           \
        for (; row > 0 && row < height; row++, v += width)                                                                          \
            for (int p = 0; p < 36; p++) *(Lanes *)(v + p * step) = (Lanes){0};                                                     \
    }
PIXELS(pixels6, 6)
PIXELS(pixels4, 4)
#undef PIXELS

/* Taps of `terms` terms by m lanes, turned by half a circle where wanted: point p of lane l goes to
 * u[p * step + l / panel * terms_room * panel + term * panel + l % panel]; panels are filled up with the last lane,
 * terms with zeros to a multiple of 8. */
static void weights(float *u, int64_t step, int64_t panel, int64_t terms_room, const float *w, int64_t lane, int64_t term, int64_t row,
                    int64_t col, int turned, int64_t terms, int64_t m) {
    float z[BATCH * 9 * 8] __attribute__((aligned(32)));
    const int64_t lanes = (m + panel - 1) / panel * panel;
    for (int64_t k = 0; k < terms; k += BATCH)
        for (int64_t l = 0; l < lanes; l += 8) {
            const float *src = w + (l < m ? l : m - 1) * lane + k * term;
            const int64_t n = terms - k < BATCH ? terms - k : BATCH, left = l < m ? m - l : 1;
            float *to = u + l / panel * terms_room * panel + k * panel + l % panel;
            int64_t tap = 8, next = 9 * 8;               /* steps in z */
            if (row == 3 && col == 1 && term == 9) {
                take(z, src, lane, 1, left, 9 * n);
            } else if (row == 3 && col == 1) {
                for (int64_t i = 0; i < n; i++)
                    take(z + i * next, src + i * term, lane, 1, left, 9);
            } else {
                tap = BATCH * 8, next = 8;
                for (int i = 0; i < 9; i++)
                    take(z + i * tap, src + i / 3 * row + i % 3 * col, lane, term, left, n);
            }
            const float *at = turned ? z + 8 * tap : z;
            tap = turned ? -tap : tap;
            for (int64_t i = 0; i < n; i++, at += next, to += panel) {
                Lanes h[3][6], v[6];
                UNROLL for (int q = 0; q < 3; q++)
                    from3((Lanes[3]){AT(at + q * tap), AT(at + (3 + q) * tap), AT(at + (6 + q) * tap)}, h[q]);
                UNROLL for (int p = 0; p < 6; p++) {
                    from3((Lanes[3]){h[0][p], h[1][p], h[2][p]}, v);
                    UNROLL for (int q = 0; q < 6; q++) *(Lanes *)(to + (6 * p + q) * step) = v[q];
                }
            }
        }
    for (int64_t k = terms; k % 8; k++)
        for (int64_t l = 0; l < lanes; l += 8)
            for (int p = 0; p < 36; p++)
                *(Lanes *)(u + p * step + l / panel * terms_room * panel + k * panel + l % panel) = (Lanes){0};
}

INLINE int all_finite(Lanes nothing) {                   /* a sum of numbers times zero */
    int bad = 0;
    for (int l = 0; l < 8; l++)
        bad |= nothing[l] != 0;
    return !bad;
}

/* Results of tiles t0 to t1 and m channels from c on: point p of tile t0 + k and
 * channel c + l lies at at[k / height * group + p * step + k % height * width + l]. */
static int results(const Picture *y, const Grid *g, int64_t t0, int64_t t1, int64_t c, int64_t m, const float *at, int64_t group,
                   int64_t step, int64_t height, int64_t width, const float *bias) {
    float z[4 * SPAN * 8] __attribute__((aligned(32)));
    const int64_t per = g->down * g->across;
    Lanes nothing = {0};
    for (int64_t t = t0, many; t < t1; t += many) {
        const int64_t j = t % g->across, top = 4 * (t % per / g->across), left = 4 * j;
        many = t1 - t < RUN ? t1 - t : RUN;
        many = g->across - j < many ? g->across - j : many;
        const int64_t rows = y->rows - top < 4 ? y->rows - top : 4, cols = y->cols - left < 4 * many ? y->cols - left : 4 * many;
        for (int64_t l = 0; l < m; l += 8) {
            const Lanes b = AT(bias + l);
            for (int64_t k = 0; k < many; k++) {
                const int64_t tile = t - t0 + k;
                const float *from = at + tile / height * group + tile % height * width + l;
                Lanes h[6][4], d[6], v[4];
                UNROLL for (int q = 0; q < 6; q++) {
                    UNROLL for (int p = 0; p < 6; p++) d[p] = AT(from + (6 * p + q) * step);
                    to4(d, h[q]);
                }
                UNROLL for (int p = 0; p < 4; p++) {
                    UNROLL for (int q = 0; q < 6; q++) d[q] = h[q][p];
                    to4(d, v);
                    UNROLL for (int q = 0; q < 4; q++) {
                        *(Lanes *)(z + (p * SPAN + 4 * k + q) * 8) = v[q] + b;
                        nothing += 0 * v[q];
                    }
                }
            }
            float *to = y->data + t / per * y->image + (c + l) * y->channel + top * y->row + left * y->col;
            for (int64_t r = 0; r < rows; r++)
                put(to + r * y->row, y->channel, y->col, z + r * SPAN * 8, m - l < 8 ? m - l : 8, cols);
        }
    }
    return all_finite(nothing);
}

/* Taps of `terms` terms and m lanes, set or added to dw[l * lane + 9 * term]: point p lies at at[p * step + term * width + l]. */
static int taps(float *dw, int64_t lane, const float *at, int64_t step, int64_t width, int64_t terms, int64_t m, int add) {
    float z[BATCH * 9 * 8] __attribute__((aligned(32))), sums[8 * BATCH * 9];
    Lanes nothing = {0};
    for (int64_t l = 0; l < m; l += 8)
        for (int64_t k = 0; k < terms; k += BATCH) {
            const int64_t n = terms - k < BATCH ? terms - k : BATCH, lanes = m - l < 8 ? m - l : 8;
            for (int64_t i = 0; i < n; i++) {
                const float *from = at + (k + i) * width + l;
                Lanes h[6][3], d[6], v[3];
                UNROLL for (int q = 0; q < 6; q++) {
                    UNROLL for (int p = 0; p < 6; p++) d[p] = AT(from + (6 * p + q) * step);
                    to3(d, h[q]);
                }
                UNROLL for (int p = 0; p < 3; p++) {
                    UNROLL for (int q = 0; q < 6; q++) d[q] = h[q][p];
                    to3(d, v);
                    UNROLL for (int q = 0; q < 3; q++) {
                        *(Lanes *)(z + (9 * i + 3 * p + q) * 8) = v[q];
                        nothing += 0 * v[q];
                    }
                }
            }
            float *to = dw + l * lane + 9 * k;
            if (!add) {
                put(to, lane, 1, z, lanes, 9 * n);
                continue;
            }
            put(sums, 9 * n, 1, z, lanes, 9 * n);
            for (int64_t i = 0; i < lanes; i++)
                for (int64_t e = 0; e < 9 * n; e++)
                    to[i * lane + e] += sums[i * 9 * n + e];
        }
    return all_finite(nothing);
}

/* -- products -- */

/* c[i][j] (+)= sum_k a[i][k] b[k][j] for M rows and one panel of two vectors, 8 terms at a time: of the next 8 a lies astep elements on,
 * b bstep.
 *   rows      a as [row][8 terms], one stream; asks for the rows of the tile after this one, which lie `ahead` elements on
 *   columns   a as [8 terms][CHANNELS]; asks for the next terms */
#define TILE(FUNCTION, TARGET, VEC, M, A, PREFETCH)                                                                                 \
    static TARGET void FUNCTION##M(int64_t n, const float *a, int64_t astep, int64_t ahead, const float *b, int64_t bstep, float *c, \
                                   int64_t ldc, int add) {                                                                          \
        enum { W = sizeof(VEC) / sizeof(float) };                                                                                   \
        VEC p[M], q[M];                                                                                                             \
        UNROLL for (int i = 0; i < M; i++) p[i] = q[i] = (VEC){0};                                                                  \
        for (; n > 0; n -= 8, a += astep, b += bstep) {                                                                             \
            PREFETCH                                                                                                                \
            _Pragma("GCC unroll 1") for (int k = 0; k < 8; k++) {       /* unrolled, sums would be spilled */                       \
                const VEC u = *(const VEC *)(b + k * 2 * W), v = *(const VEC *)(b + k * 2 * W + W);                                 \
                UNROLL for (int i = 0; i < M; i++) {                                                                                \
                    const float x = a[A];                                                                                           \
                    p[i] += x * u;                                                                                                  \
                    q[i] += x * v;                                                                                                  \
                }                                                                                                                   \
            }                                                                                                                       \
        }                                                                                                                           \
        UNROLL for (int i = 0; i < M; i++) {                                                                                        \
            VEC *to = (VEC *)(c + i * ldc), *then = (VEC *)(c + i * ldc + W);                                                       \
            if (add) p[i] += *to, q[i] += *then;                                                                                    \
            *to = p[i], *then = q[i];                                                                                               \
        }                                                                                                                           \
    }
#define LINES(from, bytes) UNROLL for (int l = 0; l < (bytes) / 64; l++) __builtin_prefetch((from) + 16 * l);
#define ROWS(FUNCTION, TARGET, VEC, M) TILE(FUNCTION, TARGET, VEC, M, 8 * i + k, LINES(a + ahead, 32 * M + 32))
#define COLUMNS(FUNCTION, TARGET, VEC, M) \
    TILE(FUNCTION, TARGET, VEC, M, CHANNELS * k + i, LINES(a + astep, 32 * CHANNELS) LINES(b + bstep, 16 * sizeof(VEC)))
ROWS(rows, , Slim, 1) ROWS(rows, , Slim, 2) ROWS(rows, , Slim, 3)
ROWS(rows, , Slim, 4) ROWS(rows, , Slim, 5) ROWS(rows, , Slim, 6)
ROWS(wide_rows, WIDE, whole_f32, 2) ROWS(wide_rows, WIDE, whole_f32, 4)
ROWS(wide_rows, WIDE, whole_f32, 6) ROWS(wide_rows, WIDE, whole_f32, 8)
COLUMNS(columns, , Slim, 2) COLUMNS(columns, , Slim, 4) COLUMNS(columns, , Slim, 6)
COLUMNS(wide_columns, WIDE, whole_f32, 8)
#undef TILE
#undef LINES
#undef ROWS
#undef COLUMNS

typedef void (*Tile)(int64_t, const float *, int64_t, int64_t, const float *, int64_t, float *, int64_t, int);

INLINE int64_t panel_of(int wide) {
    return wide ? 32 : 2 * (int64_t)sizeof(Slim) / 4;
}

/* How many rows the register tiles have that serve m rows best. */
static int height_for(int64_t m, int wide) {
    return wide ? (m > 6 ? 8 : (int)(m + 1) / 2 * 2) : m > 6 ? 6 : (int)m;
}

/* Rows of tiles by n lanes (whole panels): agap, bgap and cgap lie from one tile or panel to the next. */
static void multiply_rows(int wide, int height, int64_t tiles, int64_t n, int64_t terms, const float *a, int64_t agap, const float *b,
                          int64_t bgap, float *c, int64_t cgap, int64_t ldc, int add) {
    static const Tile slim[] = {0, rows1, rows2, rows3, rows4, rows5, rows6};
    static const Tile wider[] = {0, 0, wide_rows2, 0, wide_rows4, 0, wide_rows6, 0, wide_rows8};
    const Tile tile = (wide ? wider : slim)[height];
    const int64_t panel = panel_of(wide);
    for (int64_t j = 0; j < n; j += panel, b += bgap)
        for (int64_t i = 0; i < tiles; i++)
            tile(terms, a + i * agap, 8 * height, agap, b, 8 * panel, c + i * cgap + j, ldc, add);
}

/* CHANNELS rows or fewer by n lanes (whole panels). */
static void multiply_columns(int wide, int64_t m, int64_t n, int64_t terms, const float *a, int64_t astep, const float *b, int64_t bstep,
                             float *c, int64_t ldc) {
    const int64_t panel = panel_of(wide);
    for (int64_t j = 0; j < n; j += panel, b += 8 * panel)
        for (int64_t i = 0, h; i < m; i += h) {
            const Tile tile = wide ? wide_columns8 : m - i > 4 ? columns6 : m - i > 2 ? columns4 : columns2;
            h = wide ? 8 : 6;
            tile(terms, a + i, astep, 0, b, bstep, c + i * ldc + j, ldc, 0);
        }
}
#undef INLINE
#undef UNROLL
#undef AT
#undef SHUFFLE
#endif

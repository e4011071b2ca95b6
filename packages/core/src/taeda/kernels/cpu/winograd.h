/* Winograd's transforms for convolution by small kernels, float32: included after tiles.h.
 *
 * Along one axis, M results of R taps, M + R = 7, come from six pixels d by six multiplications, the values of polynomials at six points:
 *
 *     y = A' ((G g) . (B' d)),      points 0, a, -a, b, -b and infinity,      a = sqrt(1/2), b = sqrt(2)
 *
 * (S. Winograd, "Arithmetic complexity of computations", 1980; A. Lavin and S. Gray, "Fast algorithms for convolutional
 * neural networks", 2016).  The same points give R taps of a weight gradient from six pixels and M cotangents.  These points
 * keep numbers of one size: the error of the result is a fifth of that of the usual 0, 1, -1, 2, -2 (4.7e-6 against 2.2e-5 for 64
 * channels of unit variance, R = 3), and a b = 1 saves multiplications.
 *
 *   pixels6, pixelsM   6x6 pixels of an image, or MxM of a cotangent -> 36 points
 *   weightsR_S         RxR taps -> 36 points, of each S-th tap of a kernel (S: the stride)
 *   resultsM           36 points -> MxM pixels of a result, with a bias
 *   tapsR              36 points -> RxR taps of a weight gradient
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
enum { RUN = 16, SPAN = 98, BATCH = 16, CHANNELS = 24 };     /* tiles, and columns, of a strip; weights turned at a time;
                                                        channels of a block of the weight gradient */

typedef struct {
    float *data;
    int64_t image, channel, plane, row, col;     /* steps in elements */
    int64_t planes, rows, cols;
} Picture;

/* Tiles along one axis.  A tile's pixels lie `apart` (stride, dilation); `lattices` tiles lie between each other, so that
 * those of a dilated kernel take every pixel once. */
typedef struct {
    int64_t tiles, lattices, apart, start;       /* start: the first pixel of the first tile, negative in padding */
} Axis;

typedef struct {
    Axis down, across;
    int64_t size;                                /* M: results of a tile along an axis */
    int64_t deep, first, next;                   /* tiles lie in planes first, first + next, ...: `deep` of them an image */
} Grid;

/* Where tile i begins. */
static inline int64_t begins(const Grid *g, const Axis *a, int64_t i) {
    return a->start + (a->lattices == 1 ? i * g->size * a->apart : i / a->lattices * g->size * a->apart + i % a->lattices);
}

/* How many tiles of `size` pixels from tile j on, and t1 - t at most, make one strip. */
static inline int64_t strip_of(const Grid *g, int64_t j, int64_t left, int size) {
    const int64_t row = g->across.tiles - j;
    left = left < RUN ? left : RUN;
    left = left < row ? left : row;
    while (left > 1 && begins(g, &g->across, j + left - 1) - begins(g, &g->across, j) + (size - 1) * g->across.apart >= SPAN)
        left--;
    return left;
}

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

/* The pixels of `many` tiles of `size` rows from tile t on, the first at column `left`, as [row][column][8 channels], zero outside the
 * image.  Returns the number of columns. */
INLINE int64_t strip(float *z, const Picture *x, const Grid *g, int64_t t, int64_t many, int64_t c, int64_t m, int size) {
    const int64_t j = t % g->across.tiles, nz = t / g->across.tiles / g->down.tiles, plane = g->first + nz % g->deep * g->next;
    const int64_t top = begins(g, &g->down, t / g->across.tiles % g->down.tiles), left = begins(g, &g->across, j);
    const int64_t cols = begins(g, &g->across, j + many - 1) - left + (size - 1) * g->across.apart + 1;
    const int64_t first = left > 0 ? left : 0, last = left + cols < x->cols ? left + cols : x->cols;
    const float *src = x->data + nz / g->deep * x->image + plane * x->plane + c * x->channel + first * x->col;
    for (int64_t i = 0, r = top; i < size; i++, r += g->down.apart, z += 8 * SPAN) {
        if (plane < 0 || plane >= x->planes || r < 0 || r >= x->rows || first >= last) {
            memset(z, 0, 8 * cols * sizeof(float));
            continue;
        }
        memset(z, 0, 8 * (first - left) * sizeof(float));
        take(z + 8 * (first - left), src + r * x->row, x->channel, x->col, m, last - first);
        memset(z + 8 * (last - left), 0, 8 * (left + cols - last) * sizeof(float));
    }
    return cols;
}

/* -- one axis -- */

static const float A1 = 0.70710678f, A3 = 0.35355339f, B1 = 1.41421356f, B3 = 2.82842712f;     /* a, a^3, b, b^3 */

/* B': six pixels -> points */
INLINE void points_of(const Lanes *d, Lanes *v) {
    const Lanes e = d[4] - 2 * d[2], o = d[3] - 2 * d[1], f = d[4] - 0.5f * d[2], p = d[3] - 0.5f * d[1];
    v[0] = d[0] - 2.5f * d[2] + d[4];
    v[1] = e + A1 * o;
    v[2] = e - A1 * o;
    v[3] = f + B1 * p;
    v[4] = f - B1 * p;
    v[5] = d[1] - 2.5f * d[3] + d[5];
}

/* G: n = 2 to 5 taps or cotangents -> points; B' for six pixels */
INLINE void from(int n, const Lanes *g, Lanes *v) {
    if (n == 6) {
        points_of(g, v);
        return;
    }
    Lanes e = g[0], o = g[1], f = g[0], p = g[1];
    if (n > 2) e = e + 0.5f * g[2], f = f + 2 * g[2];
    if (n > 3) o = o + 0.5f * g[3], p = p + 2 * g[3];
    if (n > 4) e = e + 0.25f * g[4], f = f + 4 * g[4];
    e = (-2.0f / 3) * e, f = (1.0f / 6) * f;
    v[0] = g[0];
    v[1] = e - (A1 * 2 / 3) * o;
    v[2] = e + (A1 * 2 / 3) * o;
    v[3] = f + (B1 / 6) * p;
    v[4] = f - (B1 / 6) * p;
    v[5] = g[n - 1];
}

/* A': points -> n = 2 to 5 results or taps */
INLINE void to(int n, const Lanes *m, Lanes *y) {
    const Lanes s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4];
    y[0] = m[0] + s + t;
    y[1] = A1 * d + B1 * e;
    if (n > 2) y[2] = 0.5f * s + 2 * t;
    if (n > 3) y[3] = A3 * d + B3 * e;
    if (n > 4) y[4] = 0.25f * s + 4 * t;
    y[n - 1] += m[5];
}

/* -- two axes -- */

/* Tiles t0 to t1 of 8 channels from c on (m are there), counted through all images: point p of tile t0 + k goes to
 * v[k / height * group + p * step + k % height * width]; zeros fill up the last group of tiles. */
#define PIXELS(SIZE)                                                                                                                \
    static void pixels##SIZE(float *v, int64_t group, int64_t step, int64_t height, int64_t width, const Picture *x, const Grid *g, \
                             int64_t t0, int64_t t1, int64_t c, int64_t m) {                                                        \
        float z[6 * SPAN * 8] __attribute__((aligned(32)));                                                                         \
        const int64_t apart = g->across.apart, every = g->across.lattices == 1 ? apart : 1;     /* columns that tiles have */       \
        int64_t row = 0;                                                                                                            \
        for (int64_t t = t0, many; t < t1; t += many) {                                                                             \
            const int64_t j = t % g->across.tiles, left = begins(g, &g->across, j);                                                 \
            many = strip_of(g, j, t1 - t, SIZE);                                                                                    \
            const int64_t cols = strip(z, x, g, t, many, c, m, SIZE);                                                               \
            for (float *at = z; at < z + 8 * cols; at += 8 * every) {                                                               \
                Lanes d[SIZE], u[6];                                                                                                \
                UNROLL for (int i = 0; i < SIZE; i++) d[i] = AT(at + i * SPAN * 8);                                                 \
                from(SIZE, d, u);                                                                                                   \
                UNROLL for (int i = 0; i < 6; i++) *(Lanes *)(at + i * SPAN * 8) = u[i];                                            \
            }                                                                                                                       \
            for (int64_t k = 0; k < many; k++) {                                                                                    \
                const float *at = z + 8 * (begins(g, &g->across, j + k) - left);                                                    \
                for (int i = 0; i < 6; i++) {                                                                                       \
                    Lanes d[SIZE], u[6];                                                                                            \
                    UNROLL for (int q = 0; q < SIZE; q++) d[q] = AT(at + (i * SPAN + q * apart) * 8);                               \
                    from(SIZE, d, u);                                                                                               \
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
PIXELS(6)
PIXELS(5)
PIXELS(4)
PIXELS(2)
#undef PIXELS

/* Taps (S i + down, S j + across) of kernels of `side` by `side` taps, i, j < R, zero where there are none, turned by half a circle where
 * wanted, of `terms` terms by m lanes: point p of lane l goes to u[p * step + l / panel * terms_room * panel + term * panel + l % panel];
 * panels are filled up with the last lane, terms with zeros to a multiple of 8. */
#define WEIGHTS(R, S)                                                                                                               \
    static void weights##R##_##S(float *u, int64_t step, int64_t panel, int64_t terms_room, const float *w, int64_t lane, int64_t term, \
                                 int64_t row, int64_t col, int64_t side, int64_t down, int64_t across, int turned, int64_t terms,   \
                                 int64_t m) {                                                                                       \
        float z[BATCH * R * S * R * S * 8] __attribute__((aligned(32)));                                                            \
        const int64_t lanes = (m + panel - 1) / panel * panel, all = S == 1 ? R * R : side * side;                                  \
        for (int64_t k = 0; k < terms; k += BATCH)                                                                                  \
            for (int64_t l = 0; l < lanes; l += 8) {                                                                                \
                const float *src = w + (l < m ? l : m - 1) * lane + k * term, *at = z;                                              \
                const int64_t n = terms - k < BATCH ? terms - k : BATCH, left = l < m ? m - l : 1;                                  \
                float *out = u + l / panel * terms_room * panel + k * panel + l % panel;                                            \
                int64_t tap = 8, next = all * 8;               /* steps in z */                                                     \
                if (row == side && col == 1 && term == all) {                                                                       \
                    take(z, src, lane, 1, left, all * n);                                                                           \
                } else if (row == side && col == 1) {                                                                               \
                    for (int64_t i = 0; i < n; i++)                                                                                 \
                        take(z + i * next, src + i * term, lane, 1, left, all);                                                     \
                } else {                                                                                                            \
                    tap = BATCH * 8, next = 8;                                                                                      \
                    for (int64_t i = 0; i < all; i++)                                                                               \
                        take(z + i * tap, src + i / side * row + i % side * col, lane, term, left, n);                              \
                }                                                                                                                   \
                for (int64_t i = 0; i < n; i++, at += next, out += panel) {                                                         \
                    Lanes g[R][R], h[R][6], v[6];                                                                                   \
                    UNROLL for (int p = 0; p < R; p++)                                                                              \
                        UNROLL for (int q = 0; q < R; q++) {                                                                        \
                            const int64_t r = S * (turned ? R - 1 - p : p) + down, c = S * (turned ? R - 1 - q : q) + across;       \
                            g[q][p] = S == 1 || (r < side && c < side) ? AT(at + (r * (S == 1 ? R : side) + c) * tap) : (Lanes){0}; \
                        }                                                                                                           \
                    UNROLL for (int q = 0; q < R; q++) from(R, g[q], h[q]);                                                         \
                    UNROLL for (int p = 0; p < 6; p++) {                                                                            \
                        UNROLL for (int q = 0; q < R; q++) g[0][q] = h[q][p];                                                       \
                        from(R, g[0], v);                                                                                           \
                        UNROLL for (int q = 0; q < 6; q++) *(Lanes *)(out + (6 * p + q) * step) = v[q];                             \
                    }                                                                                                               \
                }                                                                                                                   \
            }                                                                                                                       \
        for (int64_t k = terms; k % 8; k++)                                                                                         \
            for (int64_t l = 0; l < lanes; l += 8)                                                                                  \
                for (int p = 0; p < 36; p++)                                                                                        \
                    *(Lanes *)(u + p * step + l / panel * terms_room * panel + k * panel + l % panel) = (Lanes){0};                 \
    }
WEIGHTS(3, 1)
WEIGHTS(5, 1)
WEIGHTS(2, 2)
WEIGHTS(3, 2)
#undef WEIGHTS

INLINE int all_finite(Lanes nothing) {                   /* a sum of numbers times zero */
    int bad = 0;
    for (int l = 0; l < 8; l++)
        bad |= nothing[l] != 0;
    return !bad;
}

/* Of the pixels start, start + apart, ... those inside 0 to n: *first to *last. */
INLINE void clip(int64_t start, int64_t apart, int64_t n, int64_t *first, int64_t *last) {
    const int64_t end = (n - start + apart - 1) / apart;
    *first = start < 0 ? (apart - 1 - start) / apart : 0;
    *last = n <= start ? 0 : end < *last ? end : *last;
}

/* Results of tiles t0 to t1 and m channels from c on: point p of tile t0 + k and
 * channel c + l lies at at[k / height * group + p * step + k % height * width + l].  Those outside the image are left out. */
#define RESULTS(M)                                                                                                                  \
    static int results##M(const Picture *y, const Grid *g, int64_t t0, int64_t t1, int64_t c, int64_t m, const float *at, int64_t group, \
                          int64_t step, int64_t height, int64_t width, const float *bias) {                                         \
        float z[M * M * RUN * 8] __attribute__((aligned(32)));         /* [row][tile][column] */                                    \
        const int64_t apart = g->across.apart;                                                                                      \
        Lanes nothing = {0};                                                                                                        \
        for (int64_t t = t0, many; t < t1; t += many) {                                                                             \
            const int64_t j = t % g->across.tiles, nz = t / g->across.tiles / g->down.tiles;                                        \
            const int64_t top = begins(g, &g->down, t / g->across.tiles % g->down.tiles);                                           \
            int64_t first, last = M;                                                                                                \
            clip(top, g->down.apart, y->rows, &first, &last);                                                                       \
            many = strip_of(g, j, t1 - t, M);                                                                                       \
            for (int64_t l = 0; l < m; l += 8) {                                                                                    \
                const Lanes b = AT(bias + l);                                                                                       \
                for (int64_t k = 0; k < many; k++) {                                                                                \
                    const int64_t tile = t - t0 + k;                                                                                \
                    const float *src = at + tile / height * group + tile % height * width + l;                                      \
                    Lanes h[6][M], d[6], v[M];                                                                                      \
                    UNROLL for (int q = 0; q < 6; q++) {                                                                            \
                        UNROLL for (int p = 0; p < 6; p++) d[p] = AT(src + (6 * p + q) * step);                                     \
                        to(M, d, h[q]);                                                                                             \
                    }                                                                                                               \
                    UNROLL for (int p = 0; p < M; p++) {                                                                            \
                        UNROLL for (int q = 0; q < 6; q++) d[q] = h[q][p];                                                          \
                        to(M, d, v);                                                                                                \
                        UNROLL for (int q = 0; q < M; q++) {                                                                        \
                            *(Lanes *)(z + (M * (p * RUN + k) + q) * 8) = v[q] + b;                                                 \
                            nothing += 0 * v[q];                                                                                    \
                        }                                                                                                           \
                    }                                                                                                               \
                }                                                                                                                   \
                const int64_t lanes = m - l < 8 ? m - l : 8;                                                                        \
                float *out = y->data + nz / g->deep * y->image + nz % g->deep * y->plane + (c + l) * y->channel;                    \
                for (int64_t k = 0, n; k < many; k += n) {             /* tiles side by side are one row */                         \
                    const int64_t left = begins(g, &g->across, j + k);                                                              \
                    n = apart == 1 ? many : 1;                                                                                      \
                    int64_t begin, end = M * n;                                                                                     \
                    clip(left, apart, y->cols, &begin, &end);                                                                       \
                    for (int64_t r = first; r < last && begin < end; r++)                                                           \
                        put(out + (top + r * g->down.apart) * y->row + (left + begin * apart) * y->col, y->channel, apart * y->col, \
                            z + (M * (r * RUN + k) + begin) * 8, lanes, end - begin);                                               \
                }                                                                                                                   \
            }                                                                                                                       \
        }                                                                                                                           \
        return all_finite(nothing);                                                                                                 \
    }
RESULTS(2)
RESULTS(4)
RESULTS(5)
#undef RESULTS

/* put, or add to what is there. */
static void store(float *dst, int64_t lane, int64_t place, const float *src, int64_t m, int64_t n, int add) {
    if (!add) {
        put(dst, lane, place, src, m, n);
        return;
    }
    for (int64_t j = 0; j < n; j++)
        for (int l = 0; l < m; l++)
            dst[l * lane + j * place] += src[8 * j + l];
}
/* Taps of `terms` terms and m lanes, set or added to dw[l * lane + term * gap + (i * side + j) * every], i, j < R, where (i, j) is one of
 * the kernel, within down and across of them: point p lies at at[p * step + term * width + l]. */
#define TAPS(R)                                                                                                                     \
    static int taps##R(float *dw, int64_t lane, int64_t gap, int64_t side, int64_t every, int64_t down, int64_t across, const float *at, \
                       int64_t step, int64_t width, int64_t terms, int64_t m, int add) {                                            \
        float z[BATCH * R * R * 8] __attribute__((aligned(32)));                                                                    \
        const int whole = gap == R * R && every == 1;           /* the taps of a channel and of the next are one run */             \
        const int64_t tap = whole ? 8 : BATCH * 8, next = whole ? R * R * 8 : 8;                                                    \
        Lanes nothing = {0};                                                                                                        \
        for (int64_t l = 0; l < m; l += 8)                                                                                          \
            for (int64_t k = 0; k < terms; k += BATCH) {                                                                            \
                const int64_t n = terms - k < BATCH ? terms - k : BATCH, lanes = m - l < 8 ? m - l : 8;                             \
                for (int64_t i = 0; i < n; i++) {                                                                                   \
                    const float *src = at + (k + i) * width + l;                                                                    \
                    Lanes h[6][R], d[6], v[R];                                                                                      \
                    UNROLL for (int q = 0; q < 6; q++) {                                                                            \
                        UNROLL for (int p = 0; p < 6; p++) d[p] = AT(src + (6 * p + q) * step);                                     \
                        to(R, d, h[q]);                                                                                             \
                    }                                                                                                               \
                    UNROLL for (int p = 0; p < R; p++) {                                                                            \
                        UNROLL for (int q = 0; q < 6; q++) d[q] = h[q][p];                                                          \
                        to(R, d, v);                                                                                                \
                        UNROLL for (int q = 0; q < R; q++) {                                                                        \
                            *(Lanes *)(z + i * next + (R * p + q) * tap) = v[q];                                                    \
                            nothing += 0 * v[q];                                                                                    \
                        }                                                                                                           \
                    }                                                                                                               \
                }                                                                                                                   \
                float *out = dw + l * lane + gap * k;                                                                               \
                if (whole)                                                                                                          \
                    store(out, lane, 1, z, lanes, R * R * n, add);                                                                  \
                else                                                                                                                \
                    for (int64_t p = 0; p < R; p++)                                                                                 \
                        for (int64_t q = 0; q < R; q++)                                                                             \
                            if (p < down && q < across)                                                                             \
                                store(out + (p * side + q) * every, lane, gap, z + (R * p + q) * tap, lanes, n, add);               \
            }                                                                                                                       \
        return all_finite(nothing);                                                                                                 \
    }

TAPS(2)
TAPS(3)
TAPS(5)
#undef TAPS

/* -- one method for each R and stride -- */

typedef struct {
    int taps, size, stride;               /* R, M and S */
    void (*cotangents)(float *, int64_t, int64_t, int64_t, int64_t, const Picture *, const Grid *, int64_t, int64_t, int64_t, int64_t);
    void (*weights)(float *, int64_t, int64_t, int64_t, const float *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int,
                    int64_t, int64_t);
    int (*results)(const Picture *, const Grid *, int64_t, int64_t, int64_t, int64_t, const float *, int64_t, int64_t, int64_t, int64_t,
                   const float *);
    int (*back)(float *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, const float *, int64_t, int64_t, int64_t, int64_t, int);
} Method;

/* For kernels of `side` by `side` taps. */
static const Method *method_for(int64_t side, int64_t stride) {
    static const Method methods[] = {{3, 4, 1, pixels4, weights3_1, results4, taps3}, {5, 2, 1, pixels2, weights5_1, results2, taps5},
                                     {2, 5, 2, pixels5, weights2_2, results5, taps2}, {3, 4, 2, pixels4, weights3_2, results4, taps3}};
    return methods + (stride == 1 ? side == 5 : 2 + (side > 4));
}

/* -- products -- */

/* c[i][j] (+)= sum_k a[i][k] b[k][j] for M rows and one panel of two vectors, 8 terms at a time: of the next 8 a lies astep elements on,
 * b bstep.
 *   rows      a as [row][8 terms], one stream; asks for the rows of the tile after this one, which lie `ahead` elements on
 *   columns   a as [8 terms][CHANNELS]; asks for the next terms */
#define TILE(FUNCTION, TARGET, VEC, M, A, PREFETCH)                                                                                 \
    static TARGET void FUNCTION##M(int64_t n, const float *a, int64_t astep, int64_t ahead, const float *b, int64_t bstep, float *c,\
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

/* Elementwise work whose runs are short (x + y of 10000 x 10 and 10, differences of all pairs of points): a call of the loop for
 * each would cost more than its elements.  Many rows are one run: an operand that does not lie without gaps over two dimensions is
 * written out for them in the first-level cache, one that repeats its row once for all; an output that does not (the first columns of a
 * matrix, scaled in place) is computed there, and its rows of a few elements are put where they belong.
 *
 * No element depends on another, and the cut is by shape alone.
 */
#ifndef TAEDA_SHORT_ROWS_H
#define TAEDA_SHORT_ROWS_H

enum { SHORT_ROW = 32, SHORT_FILL_BYTES = 112, SHORT_FILL_HALVES = 256,                /* bytes; HALVES: of elements of two */
       SHORT_REPEAT = 256, SHORT_GAPS = 8, SHORT_HALF_GAPS = 16, SHORT_RUN = 1024, SHORT_BYTES = 8, SHORT_OPERANDS = 3, SHORT_VECTOR = 32 };

/* One element for all rows: it stays one, as loops take a number apart from the rest (x ** 2). */
static inline int short_number(const Walk *w, int k) { return w->stride[k][0] == 0 && w->stride[k][1] == 0; }
static inline int short_lies(const Walk *w, int k) { return w->stride[k][0] == 1 && w->stride[k][1] == w->shape[0]; }

/* Whether rows are so short, and what to write out fits the buffers.  They may be longer where each is one element again and again (a value
 * for each plane of pixels), a store a vector, and longer still where all are one row (a bias), written out once. */
static inline int short_rows(const Walk *w, View **t) {
    if (w->ndim < 2 || w->shape[0] > SHORT_REPEAT || w->shape[1] < 8) return 0;
    const int64_t gaps = t[0]->itemsize <= 2 ? SHORT_HALF_GAPS : SHORT_GAPS;       /* from so many on a row fills a vector */
    if (!short_lies(w, 0) && (w->shape[0] >= gaps || t[0]->itemsize > SHORT_BYTES)) return 0;
    int spread = 0;
    int64_t longest = SHORT_REPEAT;
    for (int k = 1; k < w->n; k++) {
        if (short_lies(w, k) || short_number(w, k)) continue;
        spread += t[k]->itemsize > SHORT_BYTES ? SHORT_OPERANDS + 1 : 1;
        const int64_t fill = (t[k]->itemsize == 2 ? SHORT_FILL_HALVES : SHORT_FILL_BYTES) / t[k]->itemsize;
        const int64_t most = w->stride[k][1] == 0 ? SHORT_REPEAT : w->stride[k][0] == 0 ? fill : SHORT_ROW;
        longest = most < longest ? most : longest;
    }
    return spread <= SHORT_OPERANDS && w->shape[0] <= longest;
}

/* A row is written in whole vectors: what a vector writes behind it, the next row overwrites.  Rows without gaps are read so too, as long
 * as another row lies behind what is read. */
#define SHORT_SPREAD(T) \
    typedef T Vector_##T __attribute__((vector_size(SHORT_VECTOR), aligned(1), may_alias)); \
    int64_t i = 0; \
    if (s0 == 0) { \
        for (; i < rows; i++, x += s1 * sizeof(T), y += bytes) { \
            const Vector_##T many = (Vector_##T){0} + *(const T *)x; \
            for (int64_t at = 0; at < bytes; at += SHORT_VECTOR) *(Vector_##T *)(y + at) = many; \
        } \
    } else if (s0 == 1 && s1 >= n) { \
        const int64_t pitch = s1 * sizeof(T); \
        for (; i * pitch + SHORT_VECTOR <= (rows - 1) * pitch; i++, x += pitch, y += bytes) \
            for (int64_t at = 0; at < bytes; at += SHORT_VECTOR) *(Vector_##T *)(y + at) = *(const Vector_##T *)(x + at); \
    } \
    for (; i < rows; i++, x += s1 * sizeof(T), y += bytes) \
        for (int64_t j = 0; j < n; j++) ((T *)y)[j] = ((const T *)x)[j * s0];
/* `rows` rows of n elements, whose strides are s1 and s0, side by side; up to SHORT_VECTOR bytes behind them are written too */
static void short_spread(char *y, const char *x, int64_t n, int64_t s0, int64_t rows, int64_t s1, int size) {
    const int64_t all = rows * n * size, bytes = n * size;
    if (s1 == 0) rows = 1;
    switch (size) {
    case 1: { SHORT_SPREAD(uint8_t) } break;
    case 2: { SHORT_SPREAD(uint16_t) } break;
    case 4: { SHORT_SPREAD(uint32_t) } break;
    default: { SHORT_SPREAD(uint64_t) }
    }
    if (s1 == 0)                                  /* y is behind the first row: twice as much each time */
        for (int64_t have = n * size, left = all - have; left > 0; y += have, left -= have, have *= 2)
            memcpy(y, y - have, (size_t)(left < have ? left : have));
}

#define SHORT_PUT(T) \
    for (int64_t i = 0; i < rows; i++, x += n * sizeof(T), y += s1 * sizeof(T)) \
        for (int64_t j = 0; j < n; j++) ((T *)y)[j * s0] = ((const T *)x)[j];
/* The other way: rows that lie side by side to where they belong. */
static void short_put(char *y, const char *x, int64_t n, int64_t s0, int64_t rows, int64_t s1, int size) {
    switch (size) {
    case 1: SHORT_PUT(uint8_t) break;
    case 2: SHORT_PUT(uint16_t) break;
    case 4: SHORT_PUT(uint32_t) break;
    default: SHORT_PUT(uint64_t)
    }
}

static __attribute__((noinline)) void short_rows_run(const Walk *w, View **t, Loop loop, const Param *p, int threads) {
    int64_t side[MAX_OPERANDS];
    const int64_t n = w->shape[0], per = SHORT_RUN / n, outer = t[0]->numel / (n * w->shape[1]);
    const int64_t share = PIECE / n < w->shape[1] ? PIECE / n : w->shape[1], parts = (w->shape[1] + share - 1) / share;
    for (int k = 0; k < w->n; k++) side[k] = !short_number(w, k);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t unit = 0; unit < outer * parts; unit++) {
        _Alignas(64) char room[SHORT_OPERANDS + 1][SHORT_RUN * SHORT_BYTES + SHORT_VECTOR];
        char *ptr[MAX_OPERANDS], *block[MAX_OPERANDS], *run[MAX_OPERANDS];
        const int64_t from = unit % parts * share, to = from + share < w->shape[1] ? from + share : w->shape[1];
        int64_t rest = unit / parts;
        int spread = 0;
        for (int k = 0; k < w->n; k++) ptr[k] = t[k]->data + from * w->stride[k][1] * t[k]->itemsize;
        for (int d = 2; d < w->ndim; d++) {
            for (int k = 0; k < w->n; k++) ptr[k] += rest % w->shape[d] * w->stride[k][d] * t[k]->itemsize;
            rest /= w->shape[d];
        }
        block[0] = short_lies(w, 0) ? NULL : room[SHORT_OPERANDS];
        for (int k = 1; k < w->n; k++) {
            block[k] = NULL;
            if (short_lies(w, k) || short_number(w, k)) continue;
            block[k] = room[spread++];
            if (w->stride[k][1] == 0)
                short_spread(block[k], ptr[k], n, w->stride[k][0], to - from < per ? to - from : per, 0, t[k]->itemsize);
        }
        for (int64_t row = from; row < to; row += per) {
            const int64_t rows = to - row < per ? to - row : per;
            for (int k = 0; k < w->n; k++) {
                run[k] = block[k] ? block[k] : ptr[k];
                if (k && block[k] && w->stride[k][1] != 0)
                    short_spread(block[k], ptr[k], n, w->stride[k][0], rows, w->stride[k][1], t[k]->itemsize);
            }
            loop(run, side, rows * n, p);
            if (block[0]) short_put(ptr[0], block[0], n, w->stride[0][0], rows, w->stride[0][1], t[0]->itemsize);
            for (int k = 0; k < w->n; k++) ptr[k] += per * w->stride[k][1] * t[k]->itemsize;
        }
    }
}
#endif

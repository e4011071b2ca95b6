/* Elementwise work whose runs are short (x + y of 10000 x 10 and 10, differences of all pairs of points): a call of the loop for
 * each would cost more than its elements.  Where the output lies without gaps over two dimensions, many rows are one run; an operand
 * that does not is written out for them in the first-level cache, one that repeats its row once for all.
 *
 * No element depends on another, and the cut is by shape alone.
 */
#ifndef TAEDA_SHORT_ROWS_H
#define TAEDA_SHORT_ROWS_H

enum { SHORT_ROW = 32, SHORT_RUN = 1024, SHORT_BYTES = 8, SHORT_OPERANDS = 3 };

/* Whether rows are so short, and what to write out fits the buffers. */
static inline int short_rows(const Walk *w, View **t) {
    if (w->ndim < 2 || w->shape[0] > SHORT_ROW || w->shape[1] < 8 || w->stride[0][0] != 1 || w->stride[0][1] != w->shape[0]) return 0;
    int spread = 0;
    for (int k = 1; k < w->n; k++)
        if (w->stride[k][0] != 1 || w->stride[k][1] != w->shape[0]) spread += t[k]->itemsize > SHORT_BYTES ? SHORT_OPERANDS + 1 : 1;
    return spread <= SHORT_OPERANDS;
}

#define SHORT_SPREAD(T) \
    for (int64_t i = 0; i < rows; i++, x += s1 * sizeof(T), y += n * sizeof(T)) \
        for (int64_t j = 0; j < n; j++) ((T *)y)[j] = ((const T *)x)[j * s0];
/* `rows` rows of n elements, whose strides are s1 and s0, side by side */
static void short_spread(char *y, const char *x, int64_t n, int64_t s0, int64_t rows, int64_t s1, int size) {
    int64_t all = rows * n * size;
    if (s1 == 0) rows = 1;
    switch (size) {
    case 1: SHORT_SPREAD(uint8_t); break;
    case 2: SHORT_SPREAD(uint16_t); break;
    case 4: SHORT_SPREAD(uint32_t); break;
    default: SHORT_SPREAD(uint64_t);
    }
    if (s1 == 0)                                  /* y is behind the first row: twice as much each time */
        for (int64_t have = n * size, left = all - have; left > 0; y += have, left -= have, have *= 2)
            memcpy(y, y - have, (size_t)(left < have ? left : have));
}

static __attribute__((noinline)) void short_rows_run(const Walk *w, View **t, Loop loop, const Param *p, int threads) {
    static const int64_t ones[MAX_OPERANDS] = {1, 1, 1, 1, 1, 1, 1, 1};
    const int64_t n = w->shape[0], per = SHORT_RUN / n, outer = t[0]->numel / (n * w->shape[1]);
    const int64_t share = PIECE / n < w->shape[1] ? PIECE / n : w->shape[1], parts = (w->shape[1] + share - 1) / share;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t unit = 0; unit < outer * parts; unit++) {
        _Alignas(64) char room[SHORT_OPERANDS][SHORT_RUN * SHORT_BYTES];
        char *ptr[MAX_OPERANDS], *block[MAX_OPERANDS], *run[MAX_OPERANDS];
        const int64_t from = unit % parts * share, to = from + share < w->shape[1] ? from + share : w->shape[1];
        int64_t rest = unit / parts;
        int spread = 0;
        for (int k = 0; k < w->n; k++) ptr[k] = t[k]->data + from * w->stride[k][1] * t[k]->itemsize;
        for (int d = 2; d < w->ndim; d++) {
            for (int k = 0; k < w->n; k++) ptr[k] += rest % w->shape[d] * w->stride[k][d] * t[k]->itemsize;
            rest /= w->shape[d];
        }
        for (int k = 0; k < w->n; k++) {
            block[k] = NULL;
            if (w->stride[k][0] == 1 && w->stride[k][1] == n) continue;
            block[k] = room[spread++];
            if (w->stride[k][1] == 0)
                short_spread(block[k], ptr[k], n, w->stride[k][0], to - from < per ? to - from : per, 0, t[k]->itemsize);
        }
        for (int64_t row = from; row < to; row += per) {
            const int64_t rows = to - row < per ? to - row : per;
            for (int k = 0; k < w->n; k++) {
                run[k] = block[k] ? block[k] : ptr[k];
                if (block[k] && w->stride[k][1] != 0)
                    short_spread(block[k], ptr[k], n, w->stride[k][0], rows, w->stride[k][1], t[k]->itemsize);
                ptr[k] += per * w->stride[k][1] * t[k]->itemsize;
            }
            loop(run, ones, rows * n, p);
        }
    }
}
#endif

/* Elementwise work whose runs are short (x + y of 10000 x 10 and 10, differences of all pairs of points): a call of the loop for
 * each would cost more than its elements.  Many rows are one run: an operand that does not lie without gaps over two dimensions is
 * written out for them in the first-level cache, one that repeats its row once for all; an output that does not (the first columns of a
 * matrix, scaled in place) is computed there, and its rows are put where they belong.  Where two dimensions together are short too,
 * rows are counted through all of them.
 *
 * No element depends on another, and the cut is by shape alone.
 */
#ifndef TAEDA_SHORT_ROWS_H
#define TAEDA_SHORT_ROWS_H
#include "few_bytes.h"

enum {
    SHORT_PLANE = 64,                               /* elements: two dimensions of less are short, and all are taken together */
    SHORT_ROW_BYTES = 256, SHORT_WIDE_BYTES = 128,  /* of rows without gaps; of elements of more than two bytes, whose loops cost less */
    SHORT_ROW = 32,                                 /* elements of rows with gaps */
    SHORT_FILL_BYTES = 112, SHORT_FILL_HALVES = 256,    /* bytes of rows that are one element each; of elements of two bytes */
    SHORT_REPEAT = 256,                             /* elements of a row that all share */
    SHORT_RUN = 1024,                               /* elements of the rows that are one run */
    SHORT_BYTES = 8, SHORT_OPERANDS = 3,            /* of an element, and how many operands are written out */
    SHORT_VECTOR = 32                               /* bytes */
};

typedef struct {
    int64_t stretch;                   /* rows that are taken together: those of a plane, or all */
    int lies[MAX_OPERANDS], once[MAX_OPERANDS], number[MAX_OPERANDS];      /* without gaps; one row again and again; one element */
} Short;

/* How operand k lies over the dimensions that are taken together. */
static inline void short_operand(Short *m, const Walk *w, int k, int dims) {
    int64_t size = w->shape[0];
    m->lies[k] = w->stride[k][0] == 1;
    m->once[k] = 1;
    for (int d = 1; d < dims; d++) {
        m->lies[k] &= w->stride[k][d] == size;
        m->once[k] &= w->stride[k][d] == 0;
        size *= w->shape[d];
    }
    m->number[k] = m->once[k] && w->stride[k][0] == 0;       /* it stays one, as loops take a number apart from the rest (x ** 2) */
}

/* Whether rows are so short, and what to write out fits the buffers.  They may be longer where each is one element again and again (a value
 * for each plane of pixels), a store a vector, and longer still where all are one row (a bias), written out once,
 * or where three operands have no loop for it. */
static inline int short_rows(Short *m, const Walk *w, View **t) {
    const int64_t n = w->shape[0];
    if (w->ndim < 2 || n > SHORT_REPEAT) return 0;
    const int planes = n * w->shape[1] < SHORT_PLANE && w->ndim > 2, dims = planes ? w->ndim : 2;
    m->stretch = planes ? t[0]->numel / n : w->shape[1];
    if (m->stretch < 8) return 0;
    int spread = 0, narrow = 0;
    for (int k = 0; k < w->n; k++) narrow |= t[k]->itemsize <= 2;
    const int64_t beside_bytes = narrow ? SHORT_ROW_BYTES : SHORT_WIDE_BYTES;
    for (int k = 0; k < w->n; k++) {
        short_operand(m, w, k, dims);
        if (m->lies[k] || (k && m->number[k])) continue;
        const int size = t[k]->itemsize;
        const int64_t fill = w->n > 3 ? SHORT_REPEAT : (size == 2 ? SHORT_FILL_HALVES : SHORT_FILL_BYTES) / size;
        int64_t most = w->stride[k][0] == 1 ? beside_bytes / size : SHORT_ROW;
        if (k && w->stride[k][0] == 0) most = fill;
        if (k && m->once[k]) most = SHORT_REPEAT;
        if (size > SHORT_BYTES || n > most || (k && ++spread > SHORT_OPERANDS)) return 0;
    }
    return 1;
}

/* One element is written as whole vectors: what a vector writes behind its row, the next row overwrites. */
#define SHORT_SPREAD(T) \
    typedef T Vector_##T __attribute__((vector_size(SHORT_VECTOR), aligned(1), may_alias)); \
    if (s0 == 0) \
        for (int64_t i = 0; i < rows; i++, x += pitch, y += bytes) { \
            const Vector_##T many = (Vector_##T){0} + *(const T *)x; \
            for (int64_t at = 0; at < bytes; at += SHORT_VECTOR) *(Vector_##T *)(y + at) = many; \
        } \
    else \
        for (int64_t i = 0; i < rows; i++, x += pitch, y += bytes) \
            for (int64_t j = 0; j < n; j++) ((T *)y)[j] = ((const T *)x)[j * s0];
/* `rows` rows of n elements, whose strides are s1 and s0, side by side; up to SHORT_VECTOR bytes behind them are written too */
static void short_spread(char *y, const char *x, int64_t n, int64_t s0, int64_t rows, int64_t s1, int size) {
    const int64_t bytes = n * size, pitch = s1 * size;
    if (s0 == 1) rows_of_bytes(y, bytes, x, pitch, bytes, rows);
    else switch (size) {
    case 1: { SHORT_SPREAD(uint8_t) } break;
    case 2: { SHORT_SPREAD(uint16_t) } break;
    case 4: { SHORT_SPREAD(uint32_t) } break;
    default: { SHORT_SPREAD(uint64_t) }
    }
}

/* One row, `rows` times. */
static void short_repeat(char *y, const char *x, int64_t n, int64_t s0, int64_t rows, int size) {
    const int64_t row = n * size;
    short_spread(y, x, n, s0, 1, 0, size);
    for (int64_t have = row, left = (rows - 1) * row, m; left > 0; have += m, left -= m) {       /* twice as much each time */
        m = left < have ? left : have;
        memcpy(y + have, y, (size_t)m);
    }
}

#define SHORT_PUT(T) \
    for (int64_t i = 0; i < rows; i++, x += bytes, y += pitch) \
        for (int64_t j = 0; j < n; j++) ((T *)y)[j * s0] = ((const T *)x)[j];
/* The other way: rows that lie side by side to where they belong. */
static void short_put(char *y, const char *x, int64_t n, int64_t s0, int64_t rows, int64_t s1, int size) {
    const int64_t bytes = n * size, pitch = s1 * size;
    if (s0 == 1) rows_of_bytes(y, pitch, x, bytes, bytes, rows);
    else switch (size) {
    case 1: SHORT_PUT(uint8_t) break;
    case 2: SHORT_PUT(uint16_t) break;
    case 4: SHORT_PUT(uint32_t) break;
    default: SHORT_PUT(uint64_t)
    }
}

/* The rows from `row` on of operand k to `block`, or back from there: runs of the second dimension, one after the other. */
static void short_move(const Walk *w, int k, char *data, char *block, int64_t row, int64_t rows, int size, int back) {
    const int64_t n = w->shape[0], s0 = w->stride[k][0], s1 = w->stride[k][1];
    int64_t at[TAEDA_MAX_DIM], rest = row;
    for (int d = 1; d < w->ndim; d++) {
        at[d] = rest % w->shape[d];
        data += at[d] * w->stride[k][d] * size;
        rest /= w->shape[d];
    }
    for (;;) {
        const int64_t left = w->shape[1] - at[1], m = left < rows ? left : rows;
        if (back) short_put(data, block, n, s0, m, s1, size);
        else short_spread(block, data, n, s0, m, s1, size);
        if ((rows -= m) == 0) return;
        block += m * n * size;
        data -= at[1] * s1 * size;
        at[1] = 0;
        for (int d = 2; data += w->stride[k][d] * size, ++at[d] == w->shape[d]; d++) {
            data -= w->shape[d] * w->stride[k][d] * size;
            at[d] = 0;
        }
    }
}

static __attribute__((noinline)) void short_rows_run(const Short *m, const Walk *w, View **t, Loop loop, const Param *p, int threads) {
    int64_t side[MAX_OPERANDS];
    const int64_t n = w->shape[0], per = SHORT_RUN / n, outer = t[0]->numel / (n * m->stretch);
    const int64_t share = PIECE / n < m->stretch ? PIECE / n : m->stretch, parts = (m->stretch + share - 1) / share;
    for (int k = 0; k < w->n; k++) side[k] = !m->number[k];
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t unit = 0; unit < outer * parts; unit++) {
        _Alignas(64) char room[SHORT_OPERANDS + 1][SHORT_RUN * SHORT_BYTES + SHORT_VECTOR];
        char *first[MAX_OPERANDS], *block[MAX_OPERANDS], *run[MAX_OPERANDS];
        const int64_t from = unit % parts * share, to = from + share < m->stretch ? from + share : m->stretch;
        int spread = 0;
        for (int k = 0; k < w->n; k++) {
            int64_t rest = unit / parts * m->stretch / w->shape[1];
            first[k] = t[k]->data;
            for (int d = 2; d < w->ndim; d++) {
                first[k] += rest % w->shape[d] * w->stride[k][d] * t[k]->itemsize;
                rest /= w->shape[d];
            }
            block[k] = m->lies[k] || (k && m->number[k]) ? NULL : room[spread++];
            if (k && block[k] && m->once[k])
                short_repeat(block[k], first[k], n, w->stride[k][0], to - from < per ? to - from : per, t[k]->itemsize);
        }
        for (int64_t row = from; row < to; row += per) {
            const int64_t rows = to - row < per ? to - row : per;
            for (int k = 0; k < w->n; k++) {
                run[k] = block[k] ? block[k] : m->lies[k] ? first[k] + row * n * t[k]->itemsize : first[k];
                if (k && block[k] && !m->once[k]) short_move(w, k, first[k], block[k], row, rows, t[k]->itemsize, 0);
            }
            loop(run, side, rows * n, p);
            if (block[0]) short_move(w, 0, first[0], block[0], row, rows, t[0]->itemsize, 1);
        }
    }
}
#endif

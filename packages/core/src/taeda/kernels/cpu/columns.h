/* A formula of two operands where one has an element for each row of the other (x - x.mean(1, keepdim=True), a bias a channel): rows
 * of 8 to some thousand numbers.  A call of the loop for each cost more than a short row's elements, and so did writing the column out;
 * here the rows are a loop of the formula's own.
 */
#ifndef TAEDA_COLUMNS_H
#define TAEDA_COLUMNS_H
#include "loops.h"

enum { COLUMN_VECTOR = 32, COLUMN_ROWS = 8, COLUMN_LEAST = 8, COLUMN_MOST = 4096 };      /* bytes; elements: what few threads share evenly */

typedef struct {
    char *out;
    const char *wide, *column;
    int64_t n, rows, step, period;     /* row r, of n elements, `step` apart in wide, meets column[r % period] */
    int first;                         /* whether the column is the first operand */
} Columns;
typedef void (*ColumnsLoop)(const Columns *w, int64_t from, int64_t to, const Param *p);

/* How far v's rows of n elements without gaps are apart; -1 where they are not so, or not evenly. */
static inline int64_t rows_apart(const View *v, int64_t n) {
    int64_t run = 1, step = n, next = -1;
    int d = v->ndim - 1;
    if (v->contiguous) return n;
    for (; d >= 0 && run < n; run *= v->shape[d--]) if (v->shape[d] != 1 && v->strides[d] != run) return -1;
    if (run != n) return -1;
    for (; d >= 0; d--) {
        if (v->shape[d] == 1) continue;
        if (next < 0) step = next = v->strides[d];
        else if (v->strides[d] != next) return -1;
        next *= v->shape[d];
    }
    return step < n ? -1 : step;
}

static inline int columns_plan(Columns *w, View **t) {
    if (t[1]->numel == t[2]->numel || !t[0]->contiguous) return 0;
    w->first = t[1]->numel < t[2]->numel;
    const View *out = t[0], *column = t[w->first ? 1 : 2], *wide = t[w->first ? 2 : 1];
    if (column->numel < 2 || wide->numel != out->numel || !column->contiguous) return 0;
    int d = out->ndim - 1, e = column->ndim - 1;
    int64_t n = 1;
    for (; column->shape[e] == 1; d--, e--) n *= out->shape[d];
    for (; e >= 0 && column->shape[e] == out->shape[d]; d--, e--) {}
    for (; e >= 0; e--) if (column->shape[e] != 1) return 0;
    const int64_t vector = COLUMN_VECTOR / wide->itemsize;                     /* what a row has over whole vectors goes one by one */
    if (n < COLUMN_LEAST || n < vector || n > COLUMN_MOST || (n % vector && n < 4 * vector)) return 0;
    w->step = rows_apart(wide, n);
    if (w->step < 0) return 0;
    w->out = out->data;
    w->wide = wide->data;
    w->column = column->data;
    w->n = n;
    w->rows = out->numel / n;
    w->period = column->numel;
    return w->rows >= COLUMN_ROWS;
}

/* Run `rows` where the operands lie so, else `loop`. */
static inline int64_t by_columns(View **t, ColumnsLoop rows, Loop loop, const Param *p, int threads) {
    Columns w;
    if (!columns_plan(&w, t)) return elementwise(t, 3, loop, p, threads);
    if (t[0]->numel <= GRAIN || threads <= 1) {
        rows(&w, 0, w.rows, p);
        return 0;
    }
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int me = 0; me < threads; me++) rows(&w, w.rows * me / threads, w.rows * (me + 1) / threads, p);
    return 0;
}

#define COLUMNS_LOOP(NAME, T, TO, EXPR, CONST) \
    static void NAME##_columns(const Columns *w, int64_t from, int64_t to, const Param *p) { \
        const int64_t n = w->n, step = w->step; \
        int64_t at = from % w->period; (void)p; CONST; \
        TO *z = (TO *)w->out + from * n; const T *x = (const T *)w->wide + from * step, *y = (const T *)w->column; \
        for (int64_t row = from; row < to; row++, z += n, x += step, at = at + 1 == w->period ? 0 : at + 1) { \
            if (w->first) { \
                const T a = y[at]; \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T b = x[i]; z[i] = EXPR; } \
            } else { \
                const T b = y[at]; \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i]; z[i] = EXPR; } \
            } \
        } \
    }
#endif

/* Rows as a loop of the formula's own: where runs are short, a call of the loop for each costs more than its elements (rows of a slice,
 * in place or not; x - x.mean(1, keepdim=True); a bias a channel).  In a row each operand lies side by side or is one element.
 *
 * No element depends on another, and the cut is by shape alone.
 */
#ifndef TAEDA_ROW_LOOPS_H
#define TAEDA_ROW_LOOPS_H

enum {
    ROWS_BYTES = 64,            /* of a row, from which on short_rows.h does not take it over */
    ROWS_MOST = 4096,           /* elements of a row */
    ROWS_LEAST = 8              /* rows */
};

/* `rows` rows of n elements, `step` bytes apart */
typedef void (*RowsLoop)(char **ptr, const int64_t *s, const int64_t *step, int64_t n, int64_t rows, const Param *p);

/* Whether rows are of a length, and operands lie so, that this pays. */
static inline int row_loops(const Walk *w, View **t) {
    const int64_t n = w->shape[0];
    if (w->ndim < 2 || w->shape[1] < ROWS_LEAST || w->stride[0][0] != 1) return 0;
    if (n > ROWS_MOST || n * t[w->n - 1]->itemsize < ROWS_BYTES) return 0;
    int beside = 0;
    for (int k = 1; k < w->n; k++) {
        if (w->stride[k][0] != 1 && (w->stride[k][0] != 0 || w->n > 3 && k < w->n - 1)) return 0;
        beside |= w->stride[k][0] == 1;
    }
    return beside;
}

static void row_loops_part(const Walk *w, View **t, RowsLoop loop, const Param *p, int64_t from, int64_t to) {
    int64_t step[MAX_OPERANDS], stride[MAX_OPERANDS];
    for (int k = 0; k < w->n; k++) stride[k] = w->stride[k][0], step[k] = w->stride[k][1] * t[k]->itemsize;
    for (int64_t row = from, rows; row < to; row += rows) {
        char *ptr[MAX_OPERANDS];
        int64_t rest = row;
        rows = w->shape[1] - row % w->shape[1];
        rows = rows < to - row ? rows : to - row;
        for (int k = 0; k < w->n; k++) ptr[k] = t[k]->data;
        for (int d = 1; d < w->ndim; d++) {
            for (int k = 0; k < w->n; k++) ptr[k] += rest % w->shape[d] * w->stride[k][d] * t[k]->itemsize;
            rest /= w->shape[d];
        }
        loop(ptr, stride, step, w->shape[0], rows, p);
    }
}

static void row_loops_run(const Walk *w, View **t, RowsLoop loop, const Param *p, int threads) {
    const int64_t rows = t[0]->numel / w->shape[0];
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int me = 0; me < threads; me++) row_loops_part(w, t, loop, p, rows * me / threads, rows * (me + 1) / threads);
}

/* Loops of a formula of one operand, of two, and of three; last come its constants, whose declarations may have commas. */
#define UNARY_ROWS(NAME, T, TO, EXPR, ...) \
    static void NAME##_rows(char **ptr, const int64_t *s, const int64_t *step, int64_t n, int64_t rows, const Param *p) { \
        char *out = ptr[0], *in = ptr[1]; (void)p; (void)s; __VA_ARGS__; \
        for (; rows > 0; rows--, out += step[0], in += step[1]) { \
            TO *y = (TO *)out; const T *x = (const T *)in; \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i]; y[i] = EXPR; } \
        } \
    }
#define BINARY_ROWS(NAME, T, TO, EXPR, ...) \
    static void NAME##_rows(char **ptr, const int64_t *s, const int64_t *step, int64_t n, int64_t rows, const Param *p) { \
        char *out = ptr[0], *first = ptr[1], *second = ptr[2]; (void)p; __VA_ARGS__; \
        for (; rows > 0; rows--, out += step[0], first += step[1], second += step[2]) { \
            TO *z = (TO *)out; const T *x = (const T *)first, *y = (const T *)second; \
            if (s[1] == 0) { \
                const T a = *x; \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T b = y[i]; z[i] = EXPR; } \
            } else if (s[2] == 0) { \
                const T b = *y; \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i]; z[i] = EXPR; } \
            } else { \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i]; z[i] = EXPR; } \
            } \
        } \
    }
/* Only the third may be one number a row. */
#define TERNARY_ROWS(NAME, T, TO, EXPR, ...) \
    static void NAME##_rows(char **ptr, const int64_t *s, const int64_t *step, int64_t n, int64_t rows, const Param *p) { \
        char *at[4] = {ptr[0], ptr[1], ptr[2], ptr[3]}; (void)p; __VA_ARGS__; \
        for (; rows > 0; rows--, at[0] += step[0], at[1] += step[1], at[2] += step[2], at[3] += step[3]) { \
            TO *z = (TO *)at[0]; const T *x = (const T *)at[1], *y = (const T *)at[2], *w = (const T *)at[3]; \
            if (s[3] == 0) { \
                const T c = *w; \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i]; z[i] = EXPR; } \
            } else { \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i], c = w[i]; z[i] = EXPR; } \
            } \
        } \
    }
#endif

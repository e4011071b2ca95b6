/* The elementwise driver: walks any number of broadcast, strided operands and hands a typed inner
 * loop runs that are as long as the layouts allow.
 *
 * a. Contiguous operands of one size (or with one element) are a single run, cut for the threads.
 * b. Otherwise dimensions are sorted by the output's strides and merged where every operand allows it;
 *    the innermost merged dimension is the run, the others are counted like an odometer.
 * c. An operand that runs along another dimension than the output (a + b.t(), channels last among others) is turned patch by
 *    patch into a buffer in the first-level cache, from which the loop reads it without gaps: turned.h.
 * d. Short runs are made long ones, many rows at a time: short_rows.h; rows of some vectors are a loop of the formula's own, where it
 *    has one: row_loops.h.
 *
 * Elements are independent of one another, so the cut among threads changes no result.
 */
#ifndef TAEDA_LOOPS_H
#define TAEDA_LOOPS_H
#include "abi.h"
#include <string.h>

#ifndef TAEDA_GRAIN
#define TAEDA_GRAIN 32768        /* modules of long formulas say less (meson.build) */
#endif
enum {
    MAX_OPERANDS = 8,
    GRAIN = TAEDA_GRAIN,        /* elements beyond which threads pay */
    PIECE = GRAIN / 4,          /* of a block that a thread takes, */
    STRIP = 1024,               /* or of the strips of a single run: the same vectors however many threads there are */
    REPEATED = 16,              /* times that one element is written; less often is a short row */
    IN_ORDER = 0                /* in place of a number of threads: one, which takes elements in the order of the output's memory */
};

typedef struct {
    int n, ndim;
    int64_t shape[TAEDA_MAX_DIM];
    int64_t stride[MAX_OPERANDS][TAEDA_MAX_DIM]; /* dimension 0 is the innermost */
} Walk;

static inline void walk_swap(Walk *w, int a, int b) {
    int64_t s = w->shape[a];
    w->shape[a] = w->shape[b];
    w->shape[b] = s;
    for (int k = 0; k < w->n; k++) {
        s = w->stride[k][a];
        w->stride[k][a] = w->stride[k][b];
        w->stride[k][b] = s;
    }
}

/* Dimensions of size 1 dropped, the rest innermost first by t[0]'s strides, merged where possible. */
static inline void walk_plan(Walk *w, View **t, int n) {
    const View *y = t[0];
    w->n = n;
    w->ndim = 0;
    for (int d = y->ndim - 1; d >= 0; d--) {
        if (y->shape[d] == 1) continue;
        int at = w->ndim++;
        w->shape[at] = y->shape[d];
        for (int k = 0; k < n; k++) {
            int e = d - (y->ndim - t[k]->ndim);
            w->stride[k][at] = (e < 0 || t[k]->shape[e] == 1) ? 0 : t[k]->strides[e];
        }
    }
    for (int i = 1; i < w->ndim; i++)
        for (int j = i; j > 0; j--) {
            int64_t a = w->stride[0][j - 1], b = w->stride[0][j];
            a = a < 0 ? -a : a;
            b = b < 0 ? -b : b;
            if (b == 0 || a <= b) break;
            walk_swap(w, j - 1, j);
        }
    int m = 0;
    for (int d = 1; d < w->ndim; d++) {
        int ok = 1;
        for (int k = 0; k < n && ok; k++) ok = w->stride[k][d] == w->stride[k][m] * w->shape[m];
        if (ok) {
            w->shape[m] *= w->shape[d];
        } else {
            m++;
            w->shape[m] = w->shape[d];
            for (int k = 0; k < n; k++) w->stride[k][m] = w->stride[k][d];
        }
    }
    w->ndim = w->ndim ? m + 1 : 1;
    if (y->ndim == 0 || y->numel == 1) {
        w->ndim = 1;
        w->shape[0] = 1;
        for (int k = 0; k < n; k++) w->stride[k][0] = 0;
    }
}

#define REPEAT(T) do { const T one = *(const T *)x; for (int64_t i = 0; i < n; i++) ((T *)y)[i] = one; } while (0)
/* n elements at y, `size` bytes each, become what stands at x. */
static inline void repeat(char *y, const char *x, int64_t n, int size) {
    switch (size) {
    case 1: memset(y, *x, (size_t)n); break;
    case 2: REPEAT(uint16_t); break;
    case 4: REPEAT(uint32_t); break;
    case 8: REPEAT(uint64_t); break;
    default: for (int64_t i = 0; i < n; i++) memcpy(y + i * size, x, (size_t)size);
    }
}

/* Whether a run's elements are all of one set of operands, so that one is computed and written many times. */
static inline int walk_repeats(const Walk *w) {
    if (w->n < 2 || w->stride[0][0] != 1 || w->shape[0] == 1) return 0;
    for (int k = 1; k < w->n; k++)
        if (w->stride[k][0] != 0) return 0;
    return 1;
}

/* Runs [from, to) of the outer dimensions; each is one piece [lo, hi) of the inner one.  The pointers of a few operands stay in
 * registers while they go along a dimension: written as one vector and read one by one they took longer than a row of 64 numbers. */
static inline void walk_runs(const Walk *w, View **t, Loop loop, const Param *p, int64_t from, int64_t to,
                             int64_t lo, int64_t hi) {
    int64_t at[TAEDA_MAX_DIM], step[TAEDA_MAX_DIM][MAX_OPERANDS];        /* bytes from the last run inside of a dimension to the next */
    char *ptr[MAX_OPERANDS];
    int64_t stride[MAX_OPERANDS], rest = from;
    const int few = w->n <= MAX_OPERANDS / 2;
    for (int k = 0; k < (few ? MAX_OPERANDS / 2 : MAX_OPERANDS); k++) {
        const int in = k < w->n ? k : 0;
        int64_t back = 0;
        stride[k] = w->stride[in][0];
        ptr[k] = t[in]->data + lo * stride[k] * t[in]->itemsize;
        for (int d = 1; d < w->ndim; d++) {
            const int64_t one = w->stride[in][d] * t[in]->itemsize;
            step[d][k] = one - back;
            back += (w->shape[d] - 1) * one;
        }
    }
    for (int d = 1; d < w->ndim; d++) {
        at[d] = rest % w->shape[d];
        rest /= w->shape[d];
        for (int k = 0; k < w->n; k++) ptr[k] += at[d] * w->stride[k][d] * t[k]->itemsize;
    }
    for (int64_t r = from;;) {
        const int64_t left = w->ndim > 1 ? w->shape[1] - at[1] : 1, rows = left < to - r ? left : to - r;
        if (few) {
            char *p0 = ptr[0], *p1 = ptr[1], *p2 = ptr[2], *p3 = ptr[3];
            for (int64_t i = 1; i < rows; i++) {
                loop(ptr, stride, hi - lo, p);
                p0 += step[1][0], p1 += step[1][1], p2 += step[1][2], p3 += step[1][3];
                __asm__("" : "+r"(p0), "+r"(p1), "+r"(p2), "+r"(p3));          /* not as vectors */
                ptr[0] = p0, ptr[1] = p1, ptr[2] = p2, ptr[3] = p3;
            }
        } else for (int64_t i = 1; i < rows; i++) {
            loop(ptr, stride, hi - lo, p);
            for (int k = 0; k < MAX_OPERANDS; k++) ptr[k] += step[1][k];
        }
        loop(ptr, stride, hi - lo, p);
        if ((r += rows) >= to) return;
        int d = 2;
        at[1] = 0;
        while (++at[d] == w->shape[d]) at[d++] = 0;
        if (few) for (int k = 0; k < MAX_OPERANDS / 2; k++) ptr[k] += step[d][k];
        else for (int k = 0; k < MAX_OPERANDS; k++) ptr[k] += step[d][k];
    }
}

/* The same where walk_repeats: the elements of many runs are computed side by side, then each is written again and again. */
static void walk_repeated(const Walk *w, View **t, Loop loop, const Param *p, int64_t from, int64_t to, int64_t lo, int64_t hi) {
    enum { MANY = 256 };
    _Alignas(64) char once[MANY * 16];
    const int size = t[0]->itemsize;
    int64_t stride[MAX_OPERANDS];
    for (int k = 0; k < w->n; k++) stride[k] = k == 0 ? 1 : w->ndim > 1 ? w->stride[k][1] : 0;
    for (int64_t r = from, m; r < to; r += m) {
        char *ptr[MAX_OPERANDS], *y;
        int64_t rest = r;
        m = w->ndim > 1 ? w->shape[1] - r % w->shape[1] : 1;
        m = m > to - r ? to - r : m;
        m = m > MANY ? MANY : m;
        for (int k = 0; k < w->n; k++) ptr[k] = t[k]->data;
        for (int d = 1; d < w->ndim; d++) {
            for (int k = 0; k < w->n; k++) ptr[k] += rest % w->shape[d] * w->stride[k][d] * t[k]->itemsize;
            rest /= w->shape[d];
        }
        y = ptr[0] + lo * size;
        ptr[0] = once;
        loop(ptr, stride, m, p);
        for (int64_t i = 0; i < m; i++) repeat(y + (w->ndim > 1 ? i * w->stride[0][1] * size : 0), once + i * size, hi - lo, size);
    }
}

/* Elements of a strided operand side by side, or (out) back to their places.  Every second one is read by vectors that are
 * sorted out afterwards; the last is not, as nothing may lie behind it. */
typedef uint64_t spread_16 __attribute__((vector_size(16), aligned(8), may_alias));
#define TAEDA_SPREAD(T) \
    if (out) for (int64_t i = 0; i < n; i++) ((T *)strided)[i * s] = ((const T *)block)[i]; \
    else if (s == 2 && n > 1) { \
        for (int64_t i = 0; i < n - 1; i++) ((T *)block)[i] = ((const T *)strided)[2 * i]; \
        ((T *)block)[n - 1] = ((const T *)strided)[2 * n - 2]; \
    } else for (int64_t i = 0; i < n; i++) ((T *)block)[i] = ((const T *)strided)[i * s];
static inline void spread(char *block, char *strided, int64_t s, int64_t n, int size, int out) {
    switch (size) {
    case 1: TAEDA_SPREAD(uint8_t); break;
    case 2: TAEDA_SPREAD(uint16_t); break;
    case 4: TAEDA_SPREAD(uint32_t); break;
    case 8: TAEDA_SPREAD(uint64_t); break;
    default: TAEDA_SPREAD(spread_16);
    }
}

/* Run `loop`, which is for operands without gaps, over others: block by block through copies in the first-level cache, a
 * broadcast operand copied once.  What costs more than a copy is so compiled once, with vectors, and gives the same bits for
 * every layout.  Operands have `size` bytes, the first of the k, which is written, has out_size. */
enum { SPREAD_BLOCK = 256, SPREAD_OPERANDS = 4 };
static __attribute__((noinline)) void in_blocks_of(char **ptr, const int64_t *s, int64_t n, const Param *p, Loop loop, int sizes) {
    const int k = sizes >> 16, out_size = sizes >> 8 & 255, size = sizes & 255;
    _Alignas(64) char block[SPREAD_OPERANDS][SPREAD_BLOCK * 16];
    static const int64_t ones[SPREAD_OPERANDS] = {1, 1, 1, 1};
    char *at[SPREAD_OPERANDS];
    for (int j = 0; j < k; j++) {
        at[j] = block[j];
        if (j > 0 && s[j] == 0) spread(block[j], ptr[j], 0, n < SPREAD_BLOCK ? n : SPREAD_BLOCK, size, 0);
    }
    for (int64_t from = 0; from < n; from += SPREAD_BLOCK) {
        const int64_t m = n - from < SPREAD_BLOCK ? n - from : SPREAD_BLOCK;
        for (int j = 0; j < k; j++) {
            char *here = ptr[j] + from * s[j] * (j ? size : out_size);
            if (s[j] == 1) at[j] = here;
            else if (j > 0 && s[j] != 0) spread(block[j], here, s[j], m, size, 0);
        }
        loop(at, ones, m, p);
        if (s[0] != 1) spread(block[0], ptr[0] + from * s[0] * out_size, s[0], m, out_size, 1);
    }
}

/* Six arguments are a jump at the end of a loop; more would have to be laid on the stack, which every short row paid for. */
static inline void in_blocks(char **ptr, const int64_t *s, int64_t n, const Param *p, Loop loop, int k, int out_size, int size) {
    in_blocks_of(ptr, s, n, p, loop, k << 16 | out_size << 8 | size);
}

#include "turned.h"
#include "short_rows.h"
#include "row_loops.h"

/* Run loop over the n operands of t, broadcast to t[0]'s shape; the last ones are only read.  by_rows: the formula's loop of rows, or
 * NULL.  Threads: IN_ORDER has one, which takes the elements in the order of the output's memory, as random numbers are drawn. */
static inline int64_t elementwise_rows(View **t, int n, Loop loop, RowsLoop by_rows, const Param *p, int threads) {
    const int64_t numel = t[0]->numel;
    if (numel == 0) return 0;
    int flat = t[0]->contiguous;
    for (int k = 1; k < n && flat; k++) flat = t[k]->numel == 1 || (t[k]->contiguous && t[k]->numel == numel);
    if (flat) {
        int64_t stride[MAX_OPERANDS];
        for (int k = 0; k < n; k++) stride[k] = (t[k]->numel == 1 && k > 0) ? 0 : 1;
        if (numel <= GRAIN || threads <= 1) {
            char *ptr[MAX_OPERANDS];
            for (int k = 0; k < n; k++) ptr[k] = t[k]->data;
            loop(ptr, stride, numel, p);
            return 0;
        }
        const int64_t most = (numel + GRAIN / 2 - 1) / (GRAIN / 2), strips = (numel + STRIP - 1) / STRIP;
        if (threads > most) threads = (int)most;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (int me = 0; me < threads; me++) {                         /* equal shares, the same in every call (share.h) */
            char *ptr[MAX_OPERANDS];
            const int64_t from = strips * me / threads * STRIP, to = strips * (me + 1) / threads * STRIP;
            for (int k = 0; k < n; k++) ptr[k] = t[k]->data + from * stride[k] * t[k]->itemsize;
            loop(ptr, stride, (to < numel ? to : numel) - from, p);
        }
        return 0;
    }
    Walk w;
    walk_plan(&w, t, n);
    Patches patches;
    if (threads != IN_ORDER && patches_plan(&patches, &w, t)) {
        patches_run(&patches, t, loop, p, numel <= GRAIN ? 1 : threads);
        return 0;
    }
    if (by_rows && row_loops(&w, t)) {
        row_loops_run(&w, t, by_rows, p, numel <= GRAIN ? 1 : threads);
        return 0;
    }
    const int repeats = threads != IN_ORDER && walk_repeats(&w);
    Short rows;
    if (threads != IN_ORDER && !(repeats && w.shape[0] >= REPEATED) && short_rows(&rows, &w, t)) {
        short_rows_run(&rows, &w, t, loop, p, numel <= GRAIN ? 1 : threads);
        return 0;
    }
    const int64_t inner = w.shape[0], outer = numel / inner;
    void (*runs)(const Walk *, View **, Loop, const Param *, int64_t, int64_t, int64_t, int64_t) =
        repeats ? walk_repeated : walk_runs;
    if (numel <= GRAIN || threads <= 1) {
        runs(&w, t, loop, p, 0, outer, 0, inner);
        return 0;
    }
    const int64_t pieces = (inner + PIECE - 1) / PIECE, per = PIECE / inner > 1 ? PIECE / inner : 1;
    const int64_t groups = (outer + per - 1) / per;
#pragma omp parallel for num_threads(threads) schedule(static) collapse(2)
    for (int64_t g = 0; g < groups; g++)
        for (int64_t c = 0; c < pieces; c++) {
            int64_t to = (g + 1) * per < outer ? (g + 1) * per : outer;
            int64_t hi = (c + 1) * PIECE < inner ? (c + 1) * PIECE : inner;
            runs(&w, t, loop, p, g * per, to, c * PIECE, hi);
        }
    return 0;
}
static inline int64_t elementwise(View **t, int n, Loop loop, const Param *p, int threads) {
    return elementwise_rows(t, n, loop, NULL, p, threads);
}
#endif

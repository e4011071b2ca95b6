/* What every kernel that follows indices needs first: are they all in range?
 *
 * All are looked at before the answer, so that the loop is one of vectors; a dimension along which the indices repeat (stride 0)
 * is looked at once.  Large ones are cut in blocks of CHECK_BLOCK for the threads; the answer is the first of all.
 */
#ifndef TAEDA_INDICES_H
#define TAEDA_INDICES_H
#include "inorder.h"

enum {
    AHEAD = 8,            /* rows: a fetch from memory takes as long as a few of them */
    CHECK_BLOCK = 65536
};

static inline void prefetch(const char *row, int64_t nbytes) {
    for (int64_t i = 0; i < nbytes && i < 256; i += 64) __builtin_prefetch(row + i);
}

/* The first index outside [low, size), or -1. */
static inline int64_t first_outside(const int64_t *ix, int64_t n, int64_t stride, int64_t low, int64_t size) {
    uint64_t bad = 0;                      /* the sign of either difference */
    if (stride == 1)
        for (int64_t i = 0; i < n; i++) bad |= ((uint64_t)ix[i] - (uint64_t)low) | ((uint64_t)size - 1 - (uint64_t)ix[i]);
    else
        for (int64_t i = 0; i < n; i++)
            bad |= ((uint64_t)ix[i * stride] - (uint64_t)low) | ((uint64_t)size - 1 - (uint64_t)ix[i * stride]);
    bad >>= 63;
    if (!bad) return -1;
    for (int64_t i = 0; i < n; i++)
        if (ix[i * stride] < low || ix[i * stride] >= size) return i;
    return -1;
}

/* 1 + the position, in row-major order of `shape`, of the first index outside [low, size), or 0. */
static inline int64_t check_shape(const View *ix, const int64_t *shape, int64_t low, int64_t size, int threads) {
    Scan w;
    const int64_t *strides[1] = {ix->strides};
    scan_init(&w, ix->ndim, shape, 1, strides);
    const Scan *shared = &w;
    const int64_t blocks = (w.numel + CHECK_BLOCK - 1) / CHECK_BLOCK, stride = w.stride[0][w.nd - 1];
    int64_t first = INT64_MAX;
    #pragma omp parallel for num_threads(threads) schedule(static) reduction(min : first) if (threads > 1 && blocks > 1)
    for (int64_t b = 0; b < blocks; b++) {
        Cursor c;
        int64_t done = b * CHECK_BLOCK;
        scan_at(shared, &c, 1, done, CHECK_BLOCK);
        while (c.left > 0 && done < first) {
            const int64_t n = scan_run(shared, &c);
            const int64_t bad = first_outside((const int64_t *)ix->data + c.offset[0], n, stride, low, size);
            if (bad >= 0 && done + bad < first) first = done + bad;
            done += n;
            scan_next(shared, &c, 1, n);
        }
    }
    return first == INT64_MAX ? 0 : 1 + first;
}

static inline int64_t check_index(const View *ix, int64_t low, int64_t size, int threads) {
    int64_t once[TAEDA_MAX_DIM];
    int repeats = 0;
    if (ix->numel == 0) return 0;
    for (int d = 0; d < ix->ndim; d++) {
        repeats |= ix->strides[d] == 0 && ix->shape[d] > 1;
        once[d] = ix->strides[d] == 0 ? 1 : ix->shape[d];
    }
    if (repeats && check_shape(ix, once, low, size, threads) == 0) return 0;
    return check_shape(ix, ix->shape, low, size, threads);
}

#endif

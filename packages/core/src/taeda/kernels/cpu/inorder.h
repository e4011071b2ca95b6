/* Reading strided views in row-major order.
 *
 * loops.h may visit elements in any order; the index and join kernels may not, because what they write
 * is dense in the order of what they read.  A Scan merges the dimensions that lie behind each other in
 * memory in all of its operands, so that what is left is few dimensions and a long innermost run.  Work
 * is cut by element numbers, so a block can start anywhere: scan_at() places a cursor, and scan_run()
 * gives the next run inside the block.
 */
#ifndef TAEDA_INORDER_H
#define TAEDA_INORDER_H
#include <string.h>

#include "abi.h"

#define SCAN_OPERANDS 4
#define SCAN_BLOCK 16384 /* elements a thread takes at a time; independent of the number of threads */

typedef struct {
    int nd;
    int64_t numel;
    int64_t shape[TAEDA_MAX_DIM];
    int64_t stride[SCAN_OPERANDS][TAEDA_MAX_DIM];
} Scan;

typedef struct {
    int64_t left;                     /* elements of the block that are still to come */
    int64_t at[TAEDA_MAX_DIM];        /* coordinates */
    int64_t offset[SCAN_OPERANDS];    /* of each operand, in elements */
} Cursor;

/* Collapse `nd` dimensions of `k` operands; strides[j] belongs to operand j. */
static inline void scan_init(Scan *w, int nd, const int64_t *shape, int k, const int64_t *const *strides) {
    w->nd = 0;
    w->numel = 1;
    for (int d = 0; d < nd; d++) {
        w->numel *= shape[d];
        if (shape[d] == 1) continue;
        int last = w->nd - 1, merge = last >= 0;
        for (int j = 0; merge && j < k; j++)
            merge = w->stride[j][last] == strides[j][d] * shape[d];
        if (merge) {
            w->shape[last] *= shape[d];
        } else {
            last = w->nd++;
            w->shape[last] = shape[d];
        }
        for (int j = 0; j < k; j++) w->stride[j][last] = strides[j][d];
    }
    if (w->nd == 0) {
        w->nd = 1;
        w->shape[0] = 1;
        for (int j = 0; j < k; j++) w->stride[j][0] = 1;
    }
}

/* Put the cursor on element `first`, with `count` elements to go. */
static inline void scan_at(const Scan *w, Cursor *c, int k, int64_t first, int64_t count) {
    c->left = count < w->numel - first ? count : w->numel - first;
    for (int j = 0; j < k; j++) c->offset[j] = 0;
    for (int d = w->nd - 1; d >= 0; d--) {
        int64_t i = first % w->shape[d];
        first /= w->shape[d];
        c->at[d] = i;
        for (int j = 0; j < k; j++) c->offset[j] += i * w->stride[j][d];
    }
}

/* Length of the run that starts at the cursor, 0 at the end. */
static inline int64_t scan_run(const Scan *w, const Cursor *c) {
    int64_t n = w->shape[w->nd - 1] - c->at[w->nd - 1];
    return n < c->left ? n : c->left;
}

/* Step over a run of n elements that scan_run() gave. */
static inline void scan_next(const Scan *w, Cursor *c, int k, int64_t n) {
    int d = w->nd - 1;
    c->left -= n;
    c->at[d] += n;
    for (int j = 0; j < k; j++) c->offset[j] += n * w->stride[j][d];
    while (d > 0 && c->at[d] == w->shape[d]) {
        c->at[d] = 0;
        for (int j = 0; j < k; j++)
            c->offset[j] += w->stride[j][d - 1] - w->shape[d] * w->stride[j][d];
        c->at[--d] += 1;
    }
}

#endif

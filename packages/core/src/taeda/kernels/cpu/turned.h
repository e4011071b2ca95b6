/* Elementwise work where an operand runs along another dimension than the output: the two dimensions make a plane, which is cut in
 * patches.  Of a patch the operand is turned, as move.h does it, into a buffer; then the loop takes it row by row.
 *
 * A patch is up to 128 runs of 512 bytes: what is read comes in stretches that the processor fetches ahead (lines of
 * 64 bytes alone took twice as long), and the buffer stays in the second-level cache.
 *
 * The cut is by shape alone, and no element depends on another.
 */
#ifndef TAEDA_TURNED_H
#define TAEDA_TURNED_H
#include "planes.h"

enum {
    PATCH_RUN = 512, PATCH_ROWS = 128,      /* bytes of a run, and runs of a patch */
    PATCH_PITCH = PATCH_RUN + 16 + 64,      /* bytes from row to row of the buffer */
    PATCH_LEAST = 1024,                     /* elements of an output for which planning pays */
    TURNED = 2                              /* operands that are turned, at most */
};

typedef struct {
    const Walk *w;
    int turned[TURNED];              /* the operands */
    int n_turned, size;
    int64_t bi, bj, ni, nj, outer;   /* sizes and numbers of the patches of a plane, and the planes */
} Patches;

/* The number of pieces of about *b elements, all of a size for the threads' sake; the last takes a rest of less than `least` in. */
static inline int64_t patches_of(int64_t n, int64_t *b, int64_t least) {
    const int64_t pieces = (n + *b - 1) / *b, whole = (n + pieces - 1) / pieces;
    *b = (whole + 15) / 16 * 16 < *b ? (whole + 15) / 16 * 16 : *b;
    return n <= *b ? 1 : n / *b + (n % *b >= least);
}

/* Whether there is something to turn.  J becomes the walk's dimension 1. */
static inline int patches_plan(Patches *m, Walk *w, View **t) {
    if (w->ndim < 2 || t[0]->numel < PATCH_LEAST || w->stride[0][0] != 1) return 0;
    int J = 0, size = 0;
    for (int k = 1; k < w->n && !J; k++) {
        if (w->stride[k][0] == 0 || w->stride[k][0] == 1) continue;
        for (int d = 1; d < w->ndim; d++)
            if (w->stride[k][d] == 1) J = d, size = t[k]->itemsize;
    }
    if (!J || w->shape[0] < 16 || w->shape[J] < 16) return 0;      /* 16: no side of a tile is longer */
    walk_swap(w, 1, J);
    m->w = w;
    m->n_turned = 0;
    m->size = size;
    for (int k = 1; k < w->n && m->n_turned < TURNED; k++)
        if (w->stride[k][1] == 1 && w->stride[k][0] > 1 && t[k]->itemsize == size) m->turned[m->n_turned++] = k;
    if (!m->n_turned) return 0;                                     /* it runs backwards */
    const int lanes = 16 / size;
    m->bi = PATCH_RUN / size;
    m->bj = PATCH_ROWS;
    m->ni = patches_of(w->shape[0], &m->bi, lanes);
    m->nj = patches_of(w->shape[1], &m->bj, lanes);
    m->outer = t[0]->numel / (w->shape[0] * w->shape[1]);
    return 1;
}

static void patch_run(const Patches *m, View **t, Loop loop, const Param *p, int64_t unit) {
    _Alignas(64) char room[TURNED][(PATCH_ROWS + 16) * PATCH_PITCH];           /* rows begin in different sets of the cache */
    const Walk *w = m->w;
    const int64_t i = unit % m->ni, j = unit / m->ni % m->nj;
    const int64_t I = i == m->ni - 1 ? w->shape[0] - i * m->bi : m->bi, J = j == m->nj - 1 ? w->shape[1] - j * m->bj : m->bj;
    int64_t rest = unit / (m->ni * m->nj), stride[MAX_OPERANDS], step[MAX_OPERANDS];
    char *ptr[MAX_OPERANDS];
    for (int k = 0; k < w->n; k++) {
        stride[k] = w->stride[k][0];
        step[k] = w->stride[k][1] * t[k]->itemsize;
        ptr[k] = t[k]->data + i * m->bi * stride[k] * t[k]->itemsize + j * m->bj * step[k];
    }
    for (int d = 2; d < w->ndim; d++) {
        for (int k = 0; k < w->n; k++) ptr[k] += rest % w->shape[d] * w->stride[k][d] * t[k]->itemsize;
        rest /= w->shape[d];
    }
    for (int r = 0; r < m->n_turned; r++) {
        const int k = m->turned[r];
        BY_SIZE(m->size, block, room[r], PATCH_PITCH, ptr[k], stride[k] * m->size, I, J)
        ptr[k] = room[r], stride[k] = 1, step[k] = PATCH_PITCH;
    }
    for (int64_t row = 0; row < J; row++) {
        char *run[MAX_OPERANDS];
        for (int k = 0; k < w->n; k++) run[k] = ptr[k] + row * step[k];
        loop(run, stride, I, p);
    }
}

static void patches_run(const Patches *m, View **t, Loop loop, const Param *p, int threads) {
    const int64_t units = m->outer * m->nj * m->ni;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t unit = 0; unit < units; unit++) patch_run(m, t, loop, p, unit);
}
#endif

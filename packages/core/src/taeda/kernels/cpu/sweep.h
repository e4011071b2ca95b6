/* The frame of the multi-tensor steps: parameter, gradient and state are read once and written once.
 *
 * A call holds n tensors with k views each, t[k * i + j]; what is written comes first, the gradient last.
 * Constants that all share are in c, those of one tensor (Adam's bias corrections) in own.
 *
 * A  All tensors are cut into blocks of TAEDA_BLOCK elements, and the blocks of all tensors are one parallel loop:
 *    62 tensors of a resnet18 pay for one fork, and a large embedding is shared by all threads.
 * B  Every element is computed alone, so the result does not depend on the cut.
 * C  Elements are walked in the order of the first view's memory.  A view that is dense in that order is used as it
 *    is (all of them, if all are row-major, or all channels-last); any other is gathered and scattered in pieces.
 * D  float16 and bfloat16 are gathered into float, whatever their layout; the step rounds where PyTorch's does.
 */
#ifndef TAEDA_SWEEP_H
#define TAEDA_SWEEP_H
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "abi.h"
#include "narrow.h"

#define TAEDA_BLOCK 16384
#define TAEDA_PIECE 512
#define TAEDA_OPERANDS 5
#define TAEDA_WORTH_THREADS (1 << 17)   /* elements, 40 us of Adam: below, waking a thread may cost more than the step */
#define TAEDA_CONSTANT static inline __attribute__((always_inline))

/* n elements at ptr[0..k): float or double. */
typedef void (*taeda_step)(int64_t n, char **ptr, const Param *c, const Param *own);

/* How the k views of one tensor are walked: their dimensions in the order of the first view's memory,
   neighbours merged where all views allow it; flat[j]: view j lies in that order without gaps. */
typedef struct {
    int ndim, flat[TAEDA_OPERANDS], all_flat;
    int64_t shape[TAEDA_MAX_DIM], strides[TAEDA_OPERANDS][TAEDA_MAX_DIM];
} taeda_walk;

static void taeda_plan(View **t, int k, taeda_walk *w) {
    int all = 1, order[TAEDA_MAX_DIM], n = 0;
    for (int j = 0; j < k; j++) all &= t[j]->contiguous;
    w->all_flat = all;
    if (all) {
        w->ndim = 1;
        w->shape[0] = t[0]->numel;
        for (int j = 0; j < k; j++) w->strides[j][0] = w->flat[j] = 1;
        return;
    }
    const View *a = t[0];
    for (int d = 0; d < a->ndim; d++) {                    /* largest stride first; stable */
        if (a->shape[d] == 1) continue;
        int at = n++;
        while (at > 0 && a->strides[order[at - 1]] < a->strides[d]) { order[at] = order[at - 1]; at--; }
        order[at] = d;
    }
    w->ndim = 0;
    for (int i = 0; i < n; i++) {
        int d = order[i], last = w->ndim - 1, merge = last >= 0;
        for (int j = 0; j < k && merge; j++)
            merge = w->strides[j][last] == t[j]->strides[d] * a->shape[d];
        int to = merge ? last : w->ndim++;
        w->shape[to] = a->shape[d] * (merge ? w->shape[to] : 1);
        for (int j = 0; j < k; j++) w->strides[j][to] = t[j]->strides[d];
    }
    all = 1;
    for (int j = 0; j < k; j++) {
        int64_t expected = 1;
        w->flat[j] = 1;
        for (int d = w->ndim - 1; d >= 0; d--) {
            w->flat[j] &= w->strides[j][d] == expected;
            expected *= w->shape[d];
        }
        all &= w->flat[j];
    }
    w->all_flat = all;
}

/* A run of n elements with a stride, to or from a flat one. */
#define TAEDA_RUN(T)                                                                                     \
    do {                                                                                                 \
        T *x = (T *)data, *y = (T *)flat;                                                                \
        if (step == 1) memcpy(scatter ? x : y, scatter ? y : x, n * sizeof(T));                          \
        else if (scatter) for (int64_t i = 0; i < n; i++) x[i * step] = y[i];                            \
        else for (int64_t i = 0; i < n; i++) y[i] = x[i * step];                                         \
    } while (0)

static void taeda_run(int code, char *data, int64_t step, int64_t n, char *flat, int scatter) {
    switch (code) {
    case TAEDA_F64: TAEDA_RUN(double); break;
    case TAEDA_F32: TAEDA_RUN(float); break;
    default:
        if (scatter) narrow(code, data, step, flat, n);
        else widen(code, flat, data, step, n);
    }
}

/* Copy elements [start, start + n) of view j, in the order of the walk, to or from a flat buffer. */
static void taeda_move(const taeda_walk *w, int j, const View *v, int64_t start, int64_t n, char *flat, int scatter) {
    int64_t at[TAEDA_MAX_DIM], offset = 0, rest = start;
    const int last = w->ndim - 1, width = v->dtype == TAEDA_F64 ? 8 : 4;
    const int64_t *strides = w->strides[j];
    if (last < 0) {                                        /* one element */
        taeda_run(v->dtype, v->data, 1, n, flat, scatter);
        return;
    }
    for (int d = last; d >= 0; d--) {
        at[d] = rest % w->shape[d];
        rest /= w->shape[d];
        offset += at[d] * strides[d];
    }
    const int64_t step = strides[last];
    while (n > 0) {
        int64_t run = w->shape[last] - at[last];
        if (run > n) run = n;
        taeda_run(v->dtype, v->data + offset * v->itemsize, step, run, flat, scatter);
        flat += run * width;
        n -= run;
        at[last] += run;
        offset += run * step;
        for (int d = last; d > 0 && at[d] == w->shape[d]; d--) {
            offset += strides[d - 1] - at[d] * strides[d];
            at[d] = 0;
            at[d - 1]++;
        }
    }
}

/* What a launch does to each tensor: k views, the first of which are written. */
typedef struct {
    taeda_step step;
    const Param *c, *own;
    int k, written, per;                                   /* per: constants in own of each tensor */
} taeda_job;

static void taeda_block(View **t, const taeda_job *job, const Param *own, int64_t start, int64_t n) {
    const int k = job->k, narrow = t[0]->itemsize == 2, size = t[0]->itemsize;
    char *ptr[TAEDA_OPERANDS];
    taeda_walk w;
    taeda_plan(t, k, &w);
    if (w.all_flat && !narrow) {
        for (int j = 0; j < k; j++) ptr[j] = t[j]->data + start * size;
        job->step(n, ptr, job->c, own);
        return;
    }
    double buffer[TAEDA_OPERANDS][TAEDA_PIECE];
    for (int64_t i = start; i < start + n; i += TAEDA_PIECE) {
        int64_t m = start + n - i < TAEDA_PIECE ? start + n - i : TAEDA_PIECE;
        for (int j = 0; j < k; j++) {
            int direct = w.flat[j] && !narrow;
            ptr[j] = direct ? t[j]->data + i * size : (char *)buffer[j];
            if (!direct) taeda_move(&w, j, t[j], i, m, ptr[j], 0);
        }
        job->step(m, ptr, job->c, own);
        for (int j = 0; j < job->written; j++)
            if (ptr[j] == (char *)buffer[j]) taeda_move(&w, j, t[j], i, m, ptr[j], 1);
    }
}

static int64_t taeda_pieces(int64_t numel) { return (numel + TAEDA_BLOCK - 1) / TAEDA_BLOCK; }

/* Run the job over the blocks of all n tensors. */
static int64_t taeda_sweep(View **t, int64_t n, const taeda_job *job, int threads) {
    const int k = job->k;
    int64_t elements = 0, blocks = 0;
    for (int64_t i = 0; i < n; i++) {
        elements += t[k * i]->numel;
        blocks += taeda_pieces(t[k * i]->numel);
    }
    if (threads == 1 || blocks == 1 || elements < TAEDA_WORTH_THREADS) {
        for (int64_t i = 0; i < n; i++)
            if (t[k * i]->numel) taeda_block(t + k * i, job, job->own + job->per * i, 0, t[k * i]->numel);
        return 0;
    }
    if (threads > blocks) threads = (int)blocks;
    #pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int w = 0; w < threads; w++) {                    /* blocks [b, end) of the row of all blocks */
        int64_t b = blocks * w / threads, end = blocks * (w + 1) / threads, first = 0;
        for (int64_t i = 0; i < n && b < end; i++) {
            const int64_t numel = t[k * i]->numel, count = taeda_pieces(numel);
            for (; b < end && b < first + count; b++) {
                int64_t start = (b - first) * TAEDA_BLOCK;
                int64_t m = numel - start < TAEDA_BLOCK ? numel - start : TAEDA_BLOCK;
                taeda_block(t + k * i, job, job->own + job->per * i, start, m);
            }
            first += count;
        }
    }
    return 0;
}

/* x rounded to float16 or bfloat16, in steps that make vector loops; a conversion there and back does not.  A float16 below
 * 2^(e+1) counts in steps of 2^(e-10), of 2^-24 at least: adding 2^(e+13) rounds to them, to even. */
static inline float taeda_round_f16(float x) {
    int32_t bits, step;
    float y;
    memcpy(&bits, &x, 4);
    const int32_t sign = bits & INT32_MIN;
    step = bits & 0x7f800000;
    step = step > 0x38800000 ? step : 0x38800000;
    step = (step < 0x48000000 ? step : 0x48000000) + (13 << 23);       /* what is 2^17 or more becomes infinite anyway */
    step |= sign;
    memcpy(&y, &step, 4);
    y = (x + y) - y;
    y = fabsf(y) > 65504.0f ? INFINITY : y;
    memcpy(&bits, &y, 4);
    bits = (bits & INT32_MAX) | sign;
    memcpy(&y, &bits, 4);
    return y;
}
static inline float taeda_round_bf16(float x) { return bf16_to_f32(f32_to_bf16(x)); }

/* Of halves eight floats make an element of the formulas (element.h), since rounding a vector is two instructions that the compiler
 * does not find in a loop; where n is no multiple of eight, the last one takes in what lies behind it in the buffer (see D). */
typedef float taeda_f8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t taeda_i8 __attribute__((vector_size(32), aligned(4), may_alias));
#pragma GCC diagnostic ignored "-Wpsabi"

static inline taeda_f8 taeda_sqrt8(taeda_f8 x) {
#ifdef __AVX2__
    return (taeda_f8)_mm256_sqrt_ps((__m256)x);
#else
    for (int i = 0; i < 8; i++) x[i] = sqrtf(x[i]);
    return x;
#endif
}
static inline taeda_f8 taeda_round_f168(taeda_f8 x) {
#if defined(__F16C__) && defined(__AVX2__)
    return (taeda_f8)_mm256_cvtph_ps(_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT));
#else
    for (int i = 0; i < 8; i++) x[i] = taeda_round_f16(x[i]);
    return x;
#endif
}
static inline taeda_f8 taeda_round_bf168(taeda_f8 x) {
#ifdef __AVX2__
    const taeda_i8 b = (taeda_i8)x, rounded = (b + (((b >> 16) & 1) + 0x7fff)) & (int32_t)0xffff0000;
    return (taeda_f8)_mm256_blendv_epi8((__m256i)rounded, _mm256_set1_epi32(0x7fc00000), (__m256i)(x != x));
#else
    for (int i = 0; i < 8; i++) x[i] = taeda_round_bf16(x[i]);
    return x;
#endif
}
static inline taeda_f8 taeda_abs8(taeda_f8 x) { return (taeda_f8)((taeda_i8)x & INT32_MAX); }
static inline taeda_f8 taeda_pick8(taeda_i8 c, taeda_f8 a, taeda_f8 b) { return (taeda_f8)(((taeda_i8)a & c) | ((taeda_i8)b & ~c)); }
#endif

/* Factorisations of many small matrices: included once per dtype, with T, INT (as wide), LANES (of a vector of 32 bytes), SUFFIX and
 * SMALLEST (below which a reciprocal may overflow) defined.
 *
 * (a) LANES matrices are worked on side by side, one a lane: cell (i, j) of the buffer, at column j and row i, holds that number of all of
 *     them.  Matrices come from memory by transposition and go back so; a group that is not full repeats its last matrix.
 * (b) No lane waits for another: where matrices choose different pivots, rows are exchanged by masks.  An exchange costs a blend for
 *     each number it passes, and is done in the same pass as the elimination that follows.
 * (c) Results are those of LAPACK's unblocked routines but for rounding: the first of the largest pivots; reciprocals of pivots
 *     (quotients for 2 x 2); products that are rounded before they are taken off, so that what is singular in whole numbers mostly has a
 *     pivot of 0 (3 - (1/3) 9 is not 0 when fused); a reflector's sign opposite to that of its first number, tau = 0 where nothing lies
 *     below it.
 *
 * The limit, for eight float32 matrices of 16 x 16: LU takes 1,365 products and differences of vectors, each with two loads and a store,
 * and two blends: some 3,000 cycles, so 0.1 us a matrix; to move one in and out takes 2 KiB, 0.03 us.  QR with Q takes 5,461 multiply-adds.
 * Reached: 0.24 us and 0.36.
 */
#ifndef TAEDA_SMALL_MATRICES_H
#define TAEDA_SMALL_MATRICES_H
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "abi.h"

enum { SMALL_SIZE = 32, SMALL_COLUMNS = 32 };       /* rows and columns of a matrix; right-hand sides at once */

typedef struct { char *data; const View *view; int64_t step, rs, cs; } SmallBatch;      /* step: numbers between matrices, or -1 */

/* Where the matrices of a batch lie; turned: its transposed ones. */
static inline SmallBatch small_batch(const View *v, int turned) {
    SmallBatch s = {v->data, v, 0, v->strides[v->ndim - 2], v->strides[v->ndim - 1]};
    int64_t inner = 0, size = 1;
    for (int d = v->ndim - 3; d >= 0; d--) {
        if (v->shape[d] == 1) continue;
        if (size == 1) s.step = v->strides[d];
        else if (v->strides[d] != inner) { s.step = -1; break; }
        size *= v->shape[d];
        inner = v->strides[d] * v->shape[d];
    }
    if (turned) { const int64_t r = s.rs; s.rs = s.cs; s.cs = r; }
    return s;
}

static inline int64_t small_offset(const SmallBatch *s, int64_t b) {
    if (s->step >= 0) return b * s->step;
    int64_t at = 0;
    for (int d = s->view->ndim - 3; d >= 0; d--) {
        at += b % s->view->shape[d] * s->view->strides[d];
        b /= s->view->shape[d];
    }
    return at;
}

static inline int small_rows(const View *v) { return (int)v->shape[v->ndim - 2]; }
static inline int small_cols(const View *v) { return (int)v->shape[v->ndim - 1]; }
#endif

#include "side_by_side.h"
typedef INT NAME(bits) __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
#define W NAME(bits)
#define SHUFFLE __builtin_shufflevector

INLINE V NAME(choose)(W mask, V a, V b) {
#ifdef __AVX__
#if LANES == 8
    return __builtin_ia32_blendvps256(b, a, (V)mask);
#else
    return __builtin_ia32_blendvpd256(b, a, (V)mask);
#endif
#else
    return (V)((mask & (W)a) | (~mask & (W)b));
#endif
}

INLINE V NAME(magnitude)(V x) { return (V)((W)x & ~(W)(-(V){0})); }
INLINE V NAME(number)(T x) { return x - (V){0}; }
INLINE V NAME(root)(V x) {
#if defined(__AVX__) && LANES == 8
    return __builtin_ia32_sqrtps256(x);
#elif defined(__AVX__)
    return __builtin_ia32_sqrtpd256(x);
#else
    UNROLL for (int l = 0; l < LANES; l++) x[l] = sizeof(T) == 4 ? (T)__builtin_sqrtf((float)x[l]) : (T)__builtin_sqrt((double)x[l]);
    return x;
#endif
}

/* x y, rounded before anything is done with it. */
INLINE V NAME(product)(V x, V y) {
    V z = x * y;
#ifdef __FMA__
    __asm__("" : "+x"(z));
#endif
    return z;
}

INLINE int NAME(any)(W mask) {
    INT all = 0;
    UNROLL for (int l = 0; l < LANES; l++) all |= mask[l];
    return all != 0;
}

/* Rows to columns and back. */
INLINE void NAME(transpose)(V *r) {
#if LANES == 8
    const V a = SHUFFLE(r[0], r[1], 0, 8, 1, 9, 4, 12, 5, 13), b = SHUFFLE(r[0], r[1], 2, 10, 3, 11, 6, 14, 7, 15);
    const V c = SHUFFLE(r[2], r[3], 0, 8, 1, 9, 4, 12, 5, 13), d = SHUFFLE(r[2], r[3], 2, 10, 3, 11, 6, 14, 7, 15);
    const V e = SHUFFLE(r[4], r[5], 0, 8, 1, 9, 4, 12, 5, 13), f = SHUFFLE(r[4], r[5], 2, 10, 3, 11, 6, 14, 7, 15);
    const V g = SHUFFLE(r[6], r[7], 0, 8, 1, 9, 4, 12, 5, 13), h = SHUFFLE(r[6], r[7], 2, 10, 3, 11, 6, 14, 7, 15);
    const V p = SHUFFLE(a, c, 0, 1, 8, 9, 4, 5, 12, 13), q = SHUFFLE(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
    const V s = SHUFFLE(b, d, 0, 1, 8, 9, 4, 5, 12, 13), t = SHUFFLE(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
    const V u = SHUFFLE(e, g, 0, 1, 8, 9, 4, 5, 12, 13), v = SHUFFLE(e, g, 2, 3, 10, 11, 6, 7, 14, 15);
    const V w = SHUFFLE(f, h, 0, 1, 8, 9, 4, 5, 12, 13), x = SHUFFLE(f, h, 2, 3, 10, 11, 6, 7, 14, 15);
    r[0] = SHUFFLE(p, u, 0, 1, 2, 3, 8, 9, 10, 11); r[4] = SHUFFLE(p, u, 4, 5, 6, 7, 12, 13, 14, 15);
    r[1] = SHUFFLE(q, v, 0, 1, 2, 3, 8, 9, 10, 11); r[5] = SHUFFLE(q, v, 4, 5, 6, 7, 12, 13, 14, 15);
    r[2] = SHUFFLE(s, w, 0, 1, 2, 3, 8, 9, 10, 11); r[6] = SHUFFLE(s, w, 4, 5, 6, 7, 12, 13, 14, 15);
    r[3] = SHUFFLE(t, x, 0, 1, 2, 3, 8, 9, 10, 11); r[7] = SHUFFLE(t, x, 4, 5, 6, 7, 12, 13, 14, 15);
#else
    const V a = SHUFFLE(r[0], r[1], 0, 4, 2, 6), b = SHUFFLE(r[0], r[1], 1, 5, 3, 7);
    const V c = SHUFFLE(r[2], r[3], 0, 4, 2, 6), d = SHUFFLE(r[2], r[3], 1, 5, 3, 7);
    r[0] = SHUFFLE(a, c, 0, 1, 4, 5); r[1] = SHUFFLE(b, d, 0, 1, 4, 5);
    r[2] = SHUFFLE(a, c, 2, 3, 6, 7); r[3] = SHUFFLE(b, d, 2, 3, 6, 7);
#endif
}

/* -- between memory and cells; a matrix is a run of numbers where it is dense, by columns or by rows -- */

typedef struct { T *at[LANES]; int count; int64_t rs, cs; } NAME(Group);

INLINE NAME(Group) NAME(group)(const SmallBatch *s, int64_t first, int count) {
    NAME(Group) g = {.count = count, .rs = s->rs, .cs = s->cs};
    for (int l = 0; l < LANES; l++) g.at[l] = (T *)s->data + small_offset(s, first + (l < count ? l : count - 1));
    return g;
}

/* The cell of number e of a run, one after another: the rest of a column (or row), then the next. */
#define STEP_RUN if (by_columns) to++; else { to += m; if (++along == n) { along = 0; to += 1 - (int64_t)m * n; } }

LOCAL void NAME(load)(const NAME(Group) *g, int m, int n, V *a) {
    const int by_columns = g->rs == 1 && (g->cs == m || n == 1), by_rows = g->cs == 1 && (g->rs == n || m == 1);
    if (by_columns || by_rows) {
        const int size = m * n;
        int64_t to = 0;
        int e = 0, along = 0;
        for (; e + LANES <= size; e += LANES) {
            V r[LANES];
            UNROLL for (int l = 0; l < LANES; l++) r[l] = *(const V *)(g->at[l] + e);
            NAME(transpose)(r);
            UNROLL for (int l = 0; l < LANES; l++) { a[to] = r[l]; STEP_RUN }
        }
        for (; e < size; e++) {
            V x;
            UNROLL for (int l = 0; l < LANES; l++) x[l] = g->at[l][e];
            a[to] = x;
            STEP_RUN
        }
        return;
    }
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++) {
            V x;
            UNROLL for (int l = 0; l < LANES; l++) x[l] = g->at[l][i * g->rs + j * g->cs];
            a[j * m + i] = x;
        }
}

LOCAL void NAME(store)(const NAME(Group) *g, int m, int n, const V *a) {
    const int by_columns = g->rs == 1 && (g->cs == m || n == 1), by_rows = g->cs == 1 && (g->rs == n || m == 1);
    if (by_columns || by_rows) {
        const int size = m * n;
        int64_t to = 0;
        int e = 0, along = 0;
        if (g->count == LANES)
            for (; e + LANES <= size; e += LANES) {
                V r[LANES];
                UNROLL for (int l = 0; l < LANES; l++) { r[l] = a[to]; STEP_RUN }
                NAME(transpose)(r);
                UNROLL for (int l = 0; l < LANES; l++) *(V *)(g->at[l] + e) = r[l];
            }
        for (; e < size; e++) {
            for (int l = 0; l < g->count; l++) g->at[l][e] = ((const T *)(a + to))[l];
            STEP_RUN
        }
        return;
    }
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++)
            for (int l = 0; l < g->count; l++) g->at[l][i * g->rs + j * g->cs] = ((const T *)(a + j * m + i))[l];
}
#undef STEP_RUN

/* -- LU: A = P L U; what lu.h does to cells -- */

INLINE V NAME(masked)(V x, W mask) { return (V)((W)x & mask); }
INLINE V NAME(either)(V x, V y) { return (V)((W)x | (W)y); }
INLINE V NAME(less_product)(V x, V l, V u) { x -= NAME(product)(l, u); return x; }
INLINE V NAME(times)(V x, V y) { return x * y; }
INLINE V NAME(by_real)(V x, V v) { return x * v; }
INLINE V NAME(real)(V v) { return v; }
INLINE V NAME(size)(V x) { return NAME(magnitude)(x); }
INLINE W NAME(is_zero)(V x) { return x == 0; }
INLINE void NAME(divide)(V *x, int i, int n, V p) { for (; i < n; i++) x[i] /= p; }
INLINE void NAME(multiply)(V *x, int i, int n, V p) {
    const V by = 1 / p;
    for (; i < n; i++) x[i] *= by;
}
INLINE void NAME(put)(T *to, int64_t i, V x, int l) { to[i] = x[l]; }

#define CELL V
#define OF NAME
#define KERNEL NAME(small_lu)
#include "lu.h"

/* -- triangles -- */

/* C columns of op(A) X = B for one triangle.  A's element (i, k) lies at i * ri + k * rk; by: reciprocals of the diagonal, NULL for
 * ones. */
INLINE void NAME(substitute)(V *b, const int C, int n, const V *a, int ri, int rk, int forward, const V *by) {
    for (int s = 0; s < n; s++) {
        const int i = forward ? s : n - 1 - s;
        V x[4];
        UNROLL for (int c = 0; c < C; c++) x[c] = b[c * n + i];
        if (C == 1) {                        /* by columns of A: sums of one right-hand side would wait for each other */
            if (by) b[i] = x[0] *= by[i];
            for (int k = forward ? i + 1 : 0; k < (forward ? n : i); k++) b[k] -= a[k * ri + i * rk] * x[0];
            continue;
        }
        for (int k = forward ? 0 : i + 1; k < (forward ? i : n); k++) {
            const V w = a[i * ri + k * rk];
            UNROLL for (int c = 0; c < C; c++) x[c] -= w * b[c * n + k];
        }
        if (by) UNROLL for (int c = 0; c < C; c++) x[c] *= by[i];
        UNROLL for (int c = 0; c < C; c++) b[c * n + i] = x[c];
    }
}

LOCAL void NAME(substitute_all)(V *b, int columns, int n, const V *a, int lower, int turned, const V *by) {
    const int ri = turned ? n : 1, rk = turned ? 1 : n, forward = lower != turned;
    int j = 0;
    for (; j + 4 <= columns; j += 4) NAME(substitute)(b + j * n, 4, n, a, ri, rk, forward, by);
    for (; j + 2 <= columns; j += 2) NAME(substitute)(b + j * n, 2, n, a, ri, rk, forward, by);
    for (; j < columns; j++) NAME(substitute)(b + j * n, 1, n, a, ri, rk, forward, by);
}

INLINE void NAME(reciprocals)(const V *a, int n, V *by) {
    for (int i = 0; i < n; i++) by[i] = 1 / a[i * n + i];
}

/* Columns `from` on of a group. */
INLINE NAME(Group) NAME(beyond)(NAME(Group) g, int from) {
    UNROLL for (int l = 0; l < LANES; l++) g.at[l] += from * g.cs;
    return g;
}

/* One solution with a triangle of A's; by: NULL for ones on its diagonal. */
typedef struct { int lower, turned; const V *by; } NAME(Pass);

/* Which row of A each row of L U is, lane by lane. */
typedef int NAME(Rows)[SMALL_SIZE];

INLINE void NAME(rows_of)(const View *exchanges, int64_t first, int count, int n, NAME(Rows) *row) {
    for (int l = 0; l < LANES; l++) {
        const int32_t *pivots = (const int32_t *)exchanges->data + (first + (l < count ? l : count - 1)) * n;
        for (int i = 0; i < n; i++) row[l][i] = i;
        for (int i = 0; i < n; i++) {
            const int other = row[l][pivots[i] - 1];
            row[l][pivots[i] - 1] = row[l][i];
            row[l][i] = other;
        }
    }
}

/* Right-hand sides `from` to solutions `to`, SMALL_COLUMNS at a time, by one pass or two.  take: rows that right-hand sides come from;
 * give: rows that solutions go to; NULL: the same.  Without `from` they are the columns of the permutation itself. */
LOCAL void NAME(solve)(const SmallBatch *from, const SmallBatch *to, int64_t first, int count, int n, int columns, const V *a, V *b,
                       const NAME(Pass) *passes, int number, const NAME(Rows) *take, const NAME(Rows) *give) {
    const NAME(Group) g = NAME(group)(from ? from : to, first, count), h = NAME(group)(to, first, count);
    T *numbers = (T *)b;
    for (int j = 0; j < columns; j += SMALL_COLUMNS) {
        const int some = columns - j < SMALL_COLUMNS ? columns - j : SMALL_COLUMNS;
        const NAME(Group) x = NAME(beyond)(g, j), y = NAME(beyond)(h, j);
        if (!from) {
            memset(b, 0, (size_t)n * some * sizeof(V));
            for (int l = 0; l < LANES; l++)
                for (int i = 0; i < n; i++) numbers[(take[l][i] * n + i) * LANES + l] = 1;
        } else if (take) {
            for (int c = 0; c < some; c++)
                for (int i = 0; i < n; i++)
                    UNROLL for (int l = 0; l < LANES; l++) numbers[(c * n + i) * LANES + l] = x.at[l][take[l][i] * x.rs + c * x.cs];
        } else {
            NAME(load)(&x, n, some, b);
        }
        for (int p = 0; p < number; p++) NAME(substitute_all)(b, some, n, a, passes[p].lower, passes[p].turned, passes[p].by);
        if (!give) NAME(store)(&y, n, some, b);
        else
            for (int c = 0; c < some; c++)
                for (int i = 0; i < n; i++)
                    for (int l = 0; l < count; l++) y.at[l][give[l][i] * y.rs + c * y.cs] = numbers[(c * n + i) * LANES + l];
    }
}

/* (X, A, B): op(A) X = B for a triangle.  1: L or R, 2: U or L, 3: T or N, 4: U for ones on the diagonal. */
LOCAL void NAME(small_triangular)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int right = p[1].i == 'R', n = small_rows(t[1]), columns = right ? small_rows(t[0]) : small_cols(t[0]), unit = p[4].i == 'U';
    const SmallBatch A = small_batch(t[1], 0), from = small_batch(t[2], right), to = small_batch(t[0], right);
    const NAME(Group) g = NAME(group)(&A, first, count);
    V *a = room, *by = a + n * n;
    const NAME(Pass) pass = {p[2].i == 'L', (p[3].i != 'N') != right, unit ? NULL : by};         /* X A = B: A^T X^T = B^T */
    NAME(load)(&g, n, n, a);
    if (!unit) NAME(reciprocals)(a, n, by);
    NAME(solve)(&from, &to, first, count, n, columns, a, by + n, &pass, 1, NULL, NULL);
}

/* (X, L, B): L L^T X = B, or U^T U X = B.  1: U or L. */
LOCAL void NAME(small_from_cholesky)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int n = small_rows(t[1]), lower = p[1].i == 'L';
    const SmallBatch A = small_batch(t[1], 0), from = small_batch(t[2], 0), to = small_batch(t[0], 0);
    const NAME(Group) g = NAME(group)(&A, first, count);
    V *a = room, *by = a + n * n;
    const NAME(Pass) passes[2] = {{lower, !lower, by}, {lower, lower, by}};
    NAME(load)(&g, n, n, a);
    NAME(reciprocals)(a, n, by);
    NAME(solve)(&from, &to, first, count, n, small_cols(t[0]), a, by + n, passes, 2, NULL, NULL);
}

/* (X, LU, pivots, B): A X = B from small_lu's factors, or A^T X = B; without B, X is the inverse.  1: op (N, or else T). */
LOCAL void NAME(small_from_lu)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int n = small_rows(t[1]), turned = p[1].i != 'N' && p[1].i != 'n';
    const SmallBatch A = small_batch(t[1], 0), to = small_batch(t[0], 0), from = t[3] ? small_batch(t[3], 0) : to;
    const NAME(Group) g = NAME(group)(&A, first, count);
    V *a = room, *by = a + n * n;
    const NAME(Pass) L = {1, turned, NULL}, U = {0, turned, by}, passes[2] = {turned ? U : L, turned ? L : U};
    NAME(Rows) row[LANES];
    NAME(rows_of)(t[2], first, count, n, row);
    NAME(load)(&g, n, n, a);
    NAME(reciprocals)(a, n, by);
    NAME(solve)(t[3] ? &from : NULL, &to, first, count, n, small_cols(t[0]), a, by + n, passes, 2, turned ? NULL : row,
                turned ? row : NULL);
}

/* -- Cholesky: A = L L^T -- */

/* Rows i to i + C of column j: what the columns before leave of it. */
INLINE void NAME(cholesky_rows)(V *a, int n, int i, int j, const int C) {
    V x[4];
    UNROLL for (int c = 0; c < C; c++) x[c] = a[j * n + i + c];
    for (int k = 0; k < j; k++)
        UNROLL for (int c = 0; c < C; c++) x[c] -= a[k * n + i + c] * a[k * n + j];
    UNROLL for (int c = 0; c < C; c++) a[j * n + i + c] = x[c];
}

/* (L, info, A); 1: U or L.  Zeros in the other half.  From the first minor that is not positive-definite on, A's numbers stay. */
LOCAL void NAME(small_cholesky)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int n = small_rows(t[0]);
    const SmallBatch from = small_batch(t[2], p[1].i == 'U'), to = small_batch(t[0], p[1].i == 'U');
    const NAME(Group) g = NAME(group)(&from, first, count), h = NAME(group)(&to, first, count);
    V *a = room;
    W info = {0};
    NAME(load)(&g, n, n, a);
    for (int j = 0; j < n; j++) {
        int i = j;
        for (; i + 4 <= n; i += 4) NAME(cholesky_rows)(a, n, i, j, 4);
        for (; i < n; i++) NAME(cholesky_rows)(a, n, i, j, 1);
        const V d = a[j * n + j];
        const W bad = ~(d > 0) & (info == 0);
        info |= bad & (j + 1);
        const V l = NAME(root)(d), by = 1 / l;
        a[j * n + j] = NAME(choose)(bad, d, l);
        for (i = j + 1; i < n; i++) a[j * n + i] *= by;
        for (i = 0; i < j; i++) a[j * n + i] = (V){0};
    }
    if (NAME(any)(info)) {
        for (int l = 0; l < count; l++)
            for (int j = info[l] ? (int)info[l] - 1 : n; j < n; j++)
                for (int i = j + (j == info[l] - 1); i < n; i++) ((T *)(a + j * n + i))[l] = g.at[l][i * g.rs + j * g.cs];
    }
    NAME(store)(&h, n, n, a);
    for (int l = 0; l < count; l++) ((int32_t *)t[1]->data)[first + l] = (int32_t)info[l];
}

/* -- QR by reflectors I - tau v v^T, v = (1, ...) -- */

/* C columns from b on, rows k to m: b - tau v (v^T b). */
INLINE void NAME(reflect)(V *b, int m, int k, const int C, const V *v, V tau) {
    V s[4];
    UNROLL for (int c = 0; c < C; c++) s[c] = b[c * m + k];
    for (int i = k + 1; i < m; i++)
        UNROLL for (int c = 0; c < C; c++) s[c] += v[i] * b[c * m + i];
    UNROLL for (int c = 0; c < C; c++) b[c * m + k] -= (s[c] *= tau);
    for (int i = k + 1; i < m; i++)
        UNROLL for (int c = 0; c < C; c++) b[c * m + i] -= v[i] * s[c];
}

INLINE void NAME(reflect_all)(V *b, int columns, int m, int k, const V *v, V tau) {
    int j = 0;
    for (; j + 4 <= columns; j += 4) NAME(reflect)(b + j * m, m, k, 4, v, tau);
    for (; j + 2 <= columns; j += 2) NAME(reflect)(b + j * m, m, k, 2, v, tau);
    for (; j < columns; j++) NAME(reflect)(b + j * m, m, k, 1, v, tau);
}

/* The reflector that clears column k below its first number: v in its place, tau returned.  Squares are taken of numbers scaled by a
 * power of two. */
INLINE V NAME(reflector)(V *col, int m, int k) {
    const int digits = sizeof(T) == 4 ? 23 : 52;
    const INT bias = sizeof(T) == 4 ? 127 : 1023;
    const V alpha = col[k];
    V below = {0}, sum = {0};
    for (int i = k + 1; i < m; i++) {
        const V x = NAME(magnitude)(col[i]);
        below = NAME(choose)(~(x <= below), x, below);                       /* nan stays */
    }
    const V size = NAME(choose)(NAME(magnitude)(alpha) > below, NAME(magnitude)(alpha), below);
    W exponent = (W)size >> digits;                                         /* of size, which is not negative */
    exponent = (W)NAME(choose)(exponent > 2 * bias - 1, (V)((W){0} + (2 * bias - 1)), (V)exponent);
    exponent = (W)NAME(choose)(exponent < 1, (V)((W){0} + 1), (V)exponent);
    const V down = (V)((2 * bias - exponent) << digits), up = (V)(exponent << digits);
    for (int i = k + 1; i < m; i++) {
        const V x = col[i] * down;
        sum += x * x;
        col[i] = x;
    }
    const V a = alpha * down, norm = NAME(root)(a * a + sum), beta = (V)((W)norm | (~(W)a & (W)(-(V){0})));
    const W plain = below == 0;
    const V by = 1 / (a - beta), tau = (beta - a) / beta;
    for (int i = k + 1; i < m; i++) col[i] = NAME(choose)(plain, (V){0}, col[i] * by);
    col[k] = NAME(choose)(plain, alpha, beta * up);
    return NAME(choose)(plain, (V){0}, tau);
}

/* (Q, R, A), all but A column-major; 1: rows of R and columns of Q, 2: whether there is a Q. */
LOCAL void NAME(small_qr)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int m = small_rows(t[2]), n = small_cols(t[2]), size = m < n ? m : n, wide = (int)p[1].i;
    const SmallBatch from = small_batch(t[2], 0), to_q = small_batch(t[0], 0), to_r = small_batch(t[1], 0);
    NAME(Group) g = NAME(group)(&from, first, count);
    V *a = room, *q = a + (int64_t)m * n, tau[SMALL_SIZE];
    NAME(load)(&g, m, n, a);
    for (int k = 0; k < size; k++) {
        tau[k] = NAME(reflector)(a + k * m, m, k);
        NAME(reflect_all)(a + (k + 1) * m, n - k - 1, m, k, a + k * m, tau[k]);
    }
    for (int j = 0; j < n; j++)
        for (int i = 0; i < wide; i++) q[j * wide + i] = i <= j ? a[j * m + i] : (V){0};
    g = NAME(group)(&to_r, first, count);
    NAME(store)(&g, wide, n, q);
    if (!p[2].i) return;
    memset(q, 0, (size_t)m * wide * sizeof(V));
    for (int j = size; j < wide; j++) q[j * m + j] = NAME(number)(1);
    for (int k = size - 1; k >= 0; k--) {            /* columns k and on of H_k ... H_last; column k is H_k's own */
        const V *v = a + k * m;
        NAME(reflect_all)(q + (k + 1) * m, wide - k - 1, m, k, v, tau[k]);
        q[k * m + k] = 1 - tau[k];
        for (int i = k + 1; i < m; i++) q[k * m + i] = -tau[k] * v[i];
    }
    g = NAME(group)(&to_q, first, count);
    NAME(store)(&g, m, wide, q);
}

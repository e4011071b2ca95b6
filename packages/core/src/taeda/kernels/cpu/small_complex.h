/* LU, Cholesky and solutions of many small complex matrices: included once per dtype of their parts, after small_matrices.h, with what
 * that defines.
 *
 * (a) As there, but that a cell holds two vectors: the real parts of LANES matrices, then the imaginary ones.  A dense column-major
 *     matrix is one of twice as many real rows, and comes from memory and goes back as such.
 * (b) Results are those of LAPACK's unblocked routines but for rounding: pivots are the first of the largest |re| + |im|; quotients
 *     are Smith's (1962), which neither overflow nor vanish before their parts do; the diagonal of a Cholesky factor is real, and
 *     imaginary parts of A's diagonal are not read.  Real matrices have the real parts that small_matrices.h gives.
 */
typedef struct { V re, im; } NAME(Cell);
#define Z NAME(Cell)

INLINE Z NAME(complex_choose)(W mask, Z a, Z b) { return (Z){NAME(choose)(mask, a.re, b.re), NAME(choose)(mask, a.im, b.im)}; }
INLINE Z NAME(complex_times)(Z a, Z b) { return (Z){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

/* Smith's x / y = ((x.re + x.im r) + i (x.im - x.re r)) / d, r = y.im / y.re, d = y.re + y.im r, where y.re is the larger part (wide);
 * where it is not, the parts of x and of y change places, and the quotient's imaginary part its sign. */
typedef struct { W wide; V r, d; } NAME(Divisor);

INLINE NAME(Divisor) NAME(divisor)(Z y) {
    const W wide = NAME(magnitude)(y.re) >= NAME(magnitude)(y.im);
    const V large = NAME(choose)(wide, y.re, y.im), less = NAME(choose)(wide, y.im, y.re), r = less / large;
    return (NAME(Divisor)){wide, r, large + less * r};
}

INLINE Z NAME(quotient)(Z x, const NAME(Divisor) *y) {
    const V a = NAME(choose)(y->wide, x.re, x.im), b = NAME(choose)(y->wide, x.im, x.re), s = (b - a * y->r) / y->d;
    return (Z){(a + b * y->r) / y->d, NAME(choose)(y->wide, s, -s)};
}

INLINE Z NAME(complex_reciprocal)(Z y) {
    const NAME(Divisor) by = NAME(divisor)(y);
    const V one = 1 / by.d, less = by.r * one;
    return (Z){NAME(choose)(by.wide, one, less), -NAME(choose)(by.wide, less, one)};
}

/* -- between memory and cells; strides of a group count complex numbers, what it points to are parts -- */

INLINE NAME(Group) NAME(complex_group)(const SmallBatch *s, int64_t first, int count) {
    NAME(Group) g = {.count = count, .rs = s->rs, .cs = s->cs};
    for (int l = 0; l < LANES; l++) g.at[l] = (T *)s->data + 2 * small_offset(s, first + (l < count ? l : count - 1));
    return g;
}

/* Is the matrix a run by columns, so that it is one of real numbers?  Its group then. */
INLINE int NAME(as_real)(const NAME(Group) *g, int m, int n, NAME(Group) *real) {
    if (g->rs != 1 || (g->cs != m && n != 1)) return 0;
    *real = *g;
    real->cs = 2 * m;
    return 1;
}

LOCAL void NAME(complex_load)(const NAME(Group) *g, int m, int n, Z *a) {
    NAME(Group) real;
    if (NAME(as_real)(g, m, n, &real)) { NAME(load)(&real, 2 * m, n, (V *)a); return; }
    for (int i = 0; i < m; i++) {
        int j = 0;
        if (g->cs == 1)
            for (; j + LANES / 2 <= n; j += LANES / 2) {
                V r[LANES];
                UNROLL for (int l = 0; l < LANES; l++) r[l] = *(const V *)(g->at[l] + 2 * (i * g->rs + j));
                NAME(transpose)(r);
                UNROLL for (int c = 0; c < LANES / 2; c++) a[(j + c) * m + i] = (Z){r[2 * c], r[2 * c + 1]};
            }
        for (; j < n; j++) {
            Z x;
            UNROLL for (int l = 0; l < LANES; l++) {
                const T *at = g->at[l] + 2 * (i * g->rs + j * g->cs);
                x.re[l] = at[0];
                x.im[l] = at[1];
            }
            a[j * m + i] = x;
        }
    }
}

LOCAL void NAME(complex_store)(const NAME(Group) *g, int m, int n, const Z *a) {
    NAME(Group) real;
    if (NAME(as_real)(g, m, n, &real)) { NAME(store)(&real, 2 * m, n, (const V *)a); return; }
    for (int i = 0; i < m; i++) {
        int j = 0;
        if (g->cs == 1 && g->count == LANES)
            for (; j + LANES / 2 <= n; j += LANES / 2) {
                V r[LANES];
                UNROLL for (int c = 0; c < LANES / 2; c++) { r[2 * c] = a[(j + c) * m + i].re; r[2 * c + 1] = a[(j + c) * m + i].im; }
                NAME(transpose)(r);
                UNROLL for (int l = 0; l < LANES; l++) *(V *)(g->at[l] + 2 * (i * g->rs + j)) = r[l];
            }
        for (; j < n; j++)
            for (int l = 0; l < g->count; l++) {
                T *at = g->at[l] + 2 * (i * g->rs + j * g->cs);
                at[0] = a[j * m + i].re[l];
                at[1] = a[j * m + i].im[l];
            }
    }
}

/* -- LU: A = P L U; what lu.h does to cells -- */

INLINE Z NAME(complex_masked)(Z x, W mask) { return (Z){NAME(masked)(x.re, mask), NAME(masked)(x.im, mask)}; }
INLINE Z NAME(complex_either)(Z x, Z y) { return (Z){NAME(either)(x.re, y.re), NAME(either)(x.im, y.im)}; }
INLINE Z NAME(complex_less_product)(Z x, Z l, Z u) {
    x.re = x.re - NAME(product)(l.re, u.re) + NAME(product)(l.im, u.im);
    x.im = x.im - NAME(product)(l.re, u.im) - NAME(product)(l.im, u.re);
    return x;
}
INLINE Z NAME(complex_by_real)(Z x, V v) { return (Z){x.re * v, x.im * v}; }
INLINE Z NAME(complex_real)(V v) { return (Z){v, {0}}; }
INLINE V NAME(complex_size)(Z x) { return NAME(magnitude)(x.re) + NAME(magnitude)(x.im); }
INLINE W NAME(complex_is_zero)(Z x) { return (x.re == 0) & (x.im == 0); }
INLINE void NAME(complex_divide)(Z *x, int i, int n, Z p) {
    const NAME(Divisor) by = NAME(divisor)(p);
    for (; i < n; i++) x[i] = NAME(quotient)(x[i], &by);
}
INLINE void NAME(complex_multiply)(Z *x, int i, int n, Z p) {
    const Z by = NAME(complex_reciprocal)(p);
    for (; i < n; i++) x[i] = NAME(complex_times)(x[i], by);
}
INLINE void NAME(complex_put)(T *to, int64_t i, Z x, int l) { to[2 * i] = x.re[l]; to[2 * i + 1] = x.im[l]; }

#define CELL Z
#define OF(x) NAME(complex_##x)
#define KERNEL NAME(complex_lu)
#include "lu.h"

/* -- triangles; flip: the sign of imaginary parts of A -- */

INLINE void NAME(complex_substitute)(Z *b, const int C, int n, const Z *a, int ri, int rk, int forward, W flip, const Z *by) {
    for (int s = 0; s < n; s++) {
        const int i = forward ? s : n - 1 - s;
        Z x[2], d = {{0}, {0}};
        if (by) d = (Z){by[i].re, (V)((W)by[i].im ^ flip)};
        UNROLL for (int c = 0; c < C; c++) x[c] = b[c * n + i];
        if (C == 1) {
            if (by) b[i] = x[0] = NAME(complex_times)(x[0], d);
            for (int k = forward ? i + 1 : 0; k < (forward ? n : i); k++) {
                const V re = a[k * ri + i * rk].re, im = (V)((W)a[k * ri + i * rk].im ^ flip);
                b[k].re = b[k].re - re * x[0].re + im * x[0].im;
                b[k].im = b[k].im - re * x[0].im - im * x[0].re;
            }
            continue;
        }
        for (int k = forward ? 0 : i + 1; k < (forward ? i : n); k++) {
            const V re = a[i * ri + k * rk].re, im = (V)((W)a[i * ri + k * rk].im ^ flip);
            UNROLL for (int c = 0; c < C; c++) {
                const Z y = b[c * n + k];
                x[c].re = x[c].re - re * y.re + im * y.im;
                x[c].im = x[c].im - re * y.im - im * y.re;
            }
        }
        UNROLL for (int c = 0; c < C; c++) b[c * n + i] = by ? NAME(complex_times)(x[c], d) : x[c];
    }
}

/* One solution with a triangle of A's, turned (transposed), flipped (conjugate) or both. */
typedef struct { int lower, turned, flipped; const Z *by; } NAME(ComplexPass);

LOCAL void NAME(complex_substitute_all)(Z *b, int columns, int n, const Z *a, const NAME(ComplexPass) *p) {
    const int ri = p->turned ? n : 1, rk = p->turned ? 1 : n, forward = p->lower != p->turned;
    const W flip = p->flipped ? (W)(-(V){0}) : (W){0};
    int j = 0;
    for (; j + 2 <= columns; j += 2) NAME(complex_substitute)(b + j * n, 2, n, a, ri, rk, forward, flip, p->by);
    for (; j < columns; j++) NAME(complex_substitute)(b + j * n, 1, n, a, ri, rk, forward, flip, p->by);
}

INLINE void NAME(complex_reciprocals)(const Z *a, int n, Z *by) {
    for (int i = 0; i < n; i++) by[i] = NAME(complex_reciprocal)(a[i * n + i]);
}

/* As solve of small_matrices.h. */
LOCAL void NAME(complex_solve)(const SmallBatch *from, const SmallBatch *to, int64_t first, int count, int n, int columns, const Z *a, Z *b,
                               const NAME(ComplexPass) *passes, int number, const NAME(Rows) *take, const NAME(Rows) *give) {
    const NAME(Group) g = NAME(complex_group)(from ? from : to, first, count), h = NAME(complex_group)(to, first, count);
    T *parts = (T *)b;
    for (int j = 0; j < columns; j += SMALL_COLUMNS) {
        const int some = columns - j < SMALL_COLUMNS ? columns - j : SMALL_COLUMNS;
        NAME(Group) x = g, y = h;
        UNROLL for (int l = 0; l < LANES; l++) { x.at[l] += 2 * j * g.cs; y.at[l] += 2 * j * h.cs; }
        if (!from) {
            memset(b, 0, (size_t)n * some * sizeof(Z));
            for (int l = 0; l < LANES; l++)
                for (int i = 0; i < n; i++) parts[(take[l][i] * n + i) * 2 * LANES + l] = 1;
        } else if (take) {
            for (int c = 0; c < some; c++)
                for (int i = 0; i < n; i++)
                    UNROLL for (int l = 0; l < LANES; l++) {
                        const T *at = x.at[l] + 2 * (take[l][i] * x.rs + c * x.cs);
                        parts[(c * n + i) * 2 * LANES + l] = at[0];
                        parts[((c * n + i) * 2 + 1) * LANES + l] = at[1];
                    }
        } else {
            NAME(complex_load)(&x, n, some, b);
        }
        for (int p = 0; p < number; p++) NAME(complex_substitute_all)(b, some, n, a, passes + p);
        if (!give) NAME(complex_store)(&y, n, some, b);
        else
            for (int c = 0; c < some; c++)
                for (int i = 0; i < n; i++)
                    for (int l = 0; l < count; l++) {
                        T *at = y.at[l] + 2 * (give[l][i] * y.rs + c * y.cs);
                        at[0] = parts[(c * n + i) * 2 * LANES + l];
                        at[1] = parts[((c * n + i) * 2 + 1) * LANES + l];
                    }
    }
}

/* As small_triangular; 3: T, C or N. */
LOCAL void NAME(complex_triangular)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int right = p[1].i == 'R', n = small_rows(t[1]), columns = right ? small_rows(t[0]) : small_cols(t[0]), unit = p[4].i == 'U';
    const SmallBatch A = small_batch(t[1], 0), from = small_batch(t[2], right), to = small_batch(t[0], right);
    const NAME(Group) g = NAME(complex_group)(&A, first, count);
    Z *a = room, *by = a + n * n;
    const NAME(ComplexPass) pass = {p[2].i == 'L', (p[3].i != 'N') != right, p[3].i == 'C', unit ? NULL : by};
    NAME(complex_load)(&g, n, n, a);
    if (!unit) NAME(complex_reciprocals)(a, n, by);
    NAME(complex_solve)(&from, &to, first, count, n, columns, a, by + n, &pass, 1, NULL, NULL);
}

/* (X, L, B): L L^H X = B, or U^H U X = B.  1: U or L. */
LOCAL void NAME(complex_from_cholesky)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int n = small_rows(t[1]), lower = p[1].i == 'L';
    const SmallBatch A = small_batch(t[1], 0), from = small_batch(t[2], 0), to = small_batch(t[0], 0);
    const NAME(Group) g = NAME(complex_group)(&A, first, count);
    Z *a = room, *by = a + n * n;
    const NAME(ComplexPass) passes[2] = {{lower, !lower, !lower, by}, {lower, lower, lower, by}};
    NAME(complex_load)(&g, n, n, a);
    NAME(complex_reciprocals)(a, n, by);
    NAME(complex_solve)(&from, &to, first, count, n, small_cols(t[0]), a, by + n, passes, 2, NULL, NULL);
}

/* As small_from_lu; 1: N, T or C. */
LOCAL void NAME(complex_from_lu)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int n = small_rows(t[1]), turned = p[1].i != 'N', flipped = p[1].i == 'C';
    const SmallBatch A = small_batch(t[1], 0), to = small_batch(t[0], 0), from = t[3] ? small_batch(t[3], 0) : to;
    const NAME(Group) g = NAME(complex_group)(&A, first, count);
    Z *a = room, *by = a + n * n;
    const NAME(ComplexPass) L = {1, turned, flipped, NULL}, U = {0, turned, flipped, by}, passes[2] = {turned ? U : L, turned ? L : U};
    NAME(Rows) row[LANES];
    NAME(rows_of)(t[2], first, count, n, row);
    NAME(complex_load)(&g, n, n, a);
    NAME(complex_reciprocals)(a, n, by);
    NAME(complex_solve)(t[3] ? &from : NULL, &to, first, count, n, small_cols(t[0]), a, by + n, passes, 2, turned ? NULL : row,
                        turned ? row : NULL);
}

/* -- Cholesky: A = L L^H; for U, the transposed matrix has a factor that is U's transposed -- */

INLINE void NAME(complex_cholesky_rows)(Z *a, int n, int i, int j, const int C) {
    Z x[2];
    UNROLL for (int c = 0; c < C; c++) x[c] = a[j * n + i + c];
    for (int k = 0; k < j; k++) {
        const Z y = a[k * n + j];
        UNROLL for (int c = 0; c < C; c++) {
            const Z l = a[k * n + i + c];
            x[c].re = x[c].re - l.re * y.re - l.im * y.im;
            x[c].im = x[c].im - l.im * y.re + l.re * y.im;
        }
    }
    UNROLL for (int c = 0; c < C; c++) a[j * n + i + c] = x[c];
}

/* As small_cholesky. */
LOCAL void NAME(complex_cholesky)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int n = small_rows(t[0]);
    const SmallBatch from = small_batch(t[2], p[1].i == 'U'), to = small_batch(t[0], p[1].i == 'U');
    const NAME(Group) g = NAME(complex_group)(&from, first, count), h = NAME(complex_group)(&to, first, count);
    Z *a = room;
    W info = {0};
    NAME(complex_load)(&g, n, n, a);
    for (int j = 0; j < n; j++) {
        int i = j;
        for (; i + 2 <= n; i += 2) NAME(complex_cholesky_rows)(a, n, i, j, 2);
        for (; i < n; i++) NAME(complex_cholesky_rows)(a, n, i, j, 1);
        const V d = a[j * n + j].re;
        const W bad = ~(d > 0) & (info == 0);
        info |= bad & (j + 1);
        const V l = NAME(root)(d), by = 1 / l;
        a[j * n + j] = (Z){NAME(choose)(bad, d, l), {0}};
        for (i = j + 1; i < n; i++) { a[j * n + i].re *= by; a[j * n + i].im *= by; }
        for (i = 0; i < j; i++) a[j * n + i] = (Z){{0}, {0}};
    }
    if (NAME(any)(info)) {
        for (int l = 0; l < count; l++)
            for (int j = info[l] ? (int)info[l] - 1 : n; j < n; j++)
                for (int i = j + (j == info[l] - 1); i < n; i++) {
                    const T *at = g.at[l] + 2 * (i * g.rs + j * g.cs);
                    ((T *)(a + j * n + i))[l] = at[0];
                    ((T *)(a + j * n + i))[LANES + l] = at[1];
                }
    }
    NAME(complex_store)(&h, n, n, a);
    for (int l = 0; l < count; l++) ((int32_t *)t[1]->data)[first + l] = (int32_t)info[l];
}
#undef Z

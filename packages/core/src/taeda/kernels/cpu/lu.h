/* A = P L U of many small matrices, with real or complex cells: included for each by small_matrices.h and small_complex.h, with CELL, the
 * type of a cell, OF(x), the name of x for such cells, and KERNEL, the kernel's name, defined.  What is done to cells is theirs:
 *
 *   choose(mask, a, b), masked(a, mask), either(a, b)     by lanes: a where the mask is set, else b; else nothing; a | b bit by bit
 *   less_product(x, l, u), times(x, y), by_real(x, v)     x - l u with products that are rounded; x y; x by a real number
 *   size(x), is_zero(x)                                   what pivots are chosen by
 *   divide(x, i, n, p), multiply(x, i, n, p)              cells i to n by p: by quotients, or by the reciprocal
 *   real(v), put(at, x, l)                                a real number as a cell; lane l to memory
 *   group, load, store                                    between memory and cells
 */

/* C columns from b on: exchange row k with the pivots' rows (`mask`, for rows k and on, where `swap`); take l times row k off the rows
 * below (where `update`). */
INLINE void OF(lu_columns)(CELL *b, int m, int k, const int C, const W *mask, const CELL *l, const int swap, const int update) {
    CELL top[2], u[2];
    UNROLL for (int c = 0; c < C; c++) u[c] = top[c] = b[c * m + k];
    if (swap) {
        UNROLL for (int c = 0; c < C; c++) u[c] = OF(masked)(top[c], mask[k]);
        for (int i = k + 1; i < m; i++)
            UNROLL for (int c = 0; c < C; c++) u[c] = OF(either)(u[c], OF(masked)(b[c * m + i], mask[i]));
        UNROLL for (int c = 0; c < C; c++) b[c * m + k] = u[c];
    }
    for (int i = k + 1; i < m; i++)
        UNROLL for (int c = 0; c < C; c++) {
            CELL x = b[c * m + i];
            if (swap) x = OF(choose)(mask[i], top[c], x);
            if (update) x = OF(less_product)(x, l[i], u[c]);
            b[c * m + i] = x;
        }
}

INLINE void OF(lu_all)(CELL *a, int m, int n, int k, const W *mask, const int swap) {
    const CELL *l = a + k * m;
    int j = 0;
    if (swap) {
        for (; j + 2 <= k; j += 2) OF(lu_columns)(a + j * m, m, k, 2, mask, l, 1, 0);
        if (j < k) OF(lu_columns)(a + j * m, m, k, 1, mask, l, 1, 0);
    }
    j = k + 1;
    for (; j + 2 <= n; j += 2) OF(lu_columns)(a + j * m, m, k, 2, mask, l, swap, 1);
    if (j < n) OF(lu_columns)(a + j * m, m, k, 1, mask, l, swap, 1);
}

/* In place.  pivot[k]: the row that row k was exchanged with, from 0; info: 1 + the first k whose pivot is 0; parity: -1 for odd
 * permutations. */
INLINE void OF(factor)(CELL *a, int m, int n, W *pivot, W *info, V *parity) {
    W mask[SMALL_SIZE], none = {0}, flips = {0};
    const int size = m < n ? m : n;
    *info = none;
    for (int k = 0; k < size; k++) {
        CELL *col = a + k * m;
        CELL top = col[k];
        V best = OF(size)(top);
        W at = none + k;
        for (int i = k + 1; i < m; i++) {
            const V x = OF(size)(col[i]);
            const W more = x > best;
            best = NAME(choose)(more, x, best);
            at = (W)NAME(choose)(more, (V)(none + i), (V)at);
        }
        pivot[k] = at;
        const W moved = at != k;
        flips ^= moved;
        const int swap = NAME(any)(moved);
        if (swap) {
            CELL found = OF(masked)(top, mask[k] = at == k);
            for (int i = k + 1; i < m; i++) {
                mask[i] = at == i;
                found = OF(either)(found, OF(masked)(col[i], mask[i]));
                col[i] = OF(choose)(mask[i], top, col[i]);
            }
            col[k] = found;
        }
        CELL p = col[k];
        const W zero = OF(is_zero)(p);
        *info |= zero & (*info == 0) & (k + 1);
        if (m == 2 || NAME(any)(best < (T)SMALLEST))
            OF(divide)(col, k + 1, m, OF(choose)(zero, OF(real)(NAME(number)(1)), p));
        else
            OF(multiply)(col, k + 1, m, p);
        if (swap) OF(lu_all)(a, m, n, k, mask, 1);
        else OF(lu_all)(a, m, n, k, mask, 0);
    }
    *parity = (V)((W)NAME(number)(1) | (flips & (W)(-(V){0})));
}

/* (LU, pivots, info, A, det); 1: det is the determinant (1), or the permutation's sign (2), or not there (0).  LU is column-major. */
LOCAL void KERNEL(View **t, const Param *p, int64_t first, int count, void *room) {
    const int m = small_rows(t[0]), n = small_cols(t[0]), size = m < n ? m : n;
    const SmallBatch from = small_batch(t[3], 0), to = small_batch(t[0], 0);
    NAME(Group) g = OF(group)(&from, first, count);
    CELL *a = room, det;
    V parity;
    W pivot[SMALL_SIZE], info;
    OF(load)(&g, m, n, a);
    OF(factor)(a, m, n, pivot, &info, &parity);
    g = OF(group)(&to, first, count);
    OF(store)(&g, m, n, a);
    det = OF(real)(parity);
    if (p[1].i == 1) for (int k = 0; k < size; k++) det = k ? OF(times)(det, a[k * m + k]) : OF(by_real)(a[0], parity);
    for (int l = 0; l < count; l++) {
        int32_t *pivots = (int32_t *)t[1]->data + (first + l) * size;
        for (int k = 0; k < size; k++) pivots[k] = (int32_t)pivot[k][l] + 1;
        ((int32_t *)t[2]->data)[first + l] = (int32_t)info[l];
        if (p[1].i) OF(put)((T *)t[4]->data, first + l, det, l);
    }
}
#undef CELL
#undef OF
#undef KERNEL

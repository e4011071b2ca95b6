/* Eigenvalues of symmetric matrices and singular values, for many small matrices side by side: included once per dtype after
 * small_matrices.h, with what that defines.
 *
 * (a) Symmetric matrices become tridiagonal by reflectors, then diagonal by the implicit QL method (Bowdler, Martin, Reinsch and
 *     Wilkinson, 1968).  All lanes look for the same eigenvalue; a lane that has it, or whose matrix falls apart further up, turns by
 *     nothing while the others go on.  2 x 2 have a formula of their own, whose signs are those of LAPACK's.
 * (b) Singular values: columns of A are turned in pairs until all are orthogonal (Hestenes, 1958); their lengths are the values,
 *     small ones right to the last digits too.
 * (c) Numbers are scaled by a power of two before, so that squares neither overflow nor vanish.  A matrix that holds inf or nan is
 *     taken for 0, and its results are set at the end.
 *
 * The limit for eight float32 matrices of 4 x 4 is how long a rotation takes from its first product to its last, 60 cycles: some 25 of
 * them, 50 ns a matrix.  Reached: 0.1 us on Zen 4, where LAPACK takes 1.4.
 */
#ifndef TAEDA_SMALL_EIGEN_H
#define TAEDA_SMALL_EIGEN_H
enum { SMALL_NOT_A_NUMBER = -4, SMALL_SWEEPS = 30 };       /* info for nan; sweeps that one eigenvalue may take */
#endif
#define DIGITS (sizeof(T) == 4 ? 23 : 52)
#define BIAS (sizeof(T) == 4 ? 127 : 1023)
#define EPS (sizeof(T) == 4 ? (T)0x1p-24 : (T)0x1p-53)

/* The power of two that brings numbers of this size near 1, and the one that takes them back; 0 and what is no number stay. */
INLINE V NAME(scale)(V size, V *back) {
    W exponent = (W)size >> DIGITS;
    const W plain = (size == 0) | (exponent > 2 * BIAS);
    exponent = (W)NAME(choose)(exponent > 2 * BIAS - 2, (V)((W){0} + (2 * BIAS - 2)), (V)exponent);
    exponent = (W)NAME(choose)(exponent < 2, (V)((W){0} + 2), (V)exponent);
    *back = NAME(choose)(plain, NAME(number)(1), (V)(exponent << DIGITS));
    return NAME(choose)(plain, NAME(number)(1), (V)((2 * BIAS - exponent) << DIGITS));
}

/* The largest number of a matrix (below and on the diagonal, for a triangle), and what is wrong: 1 inf, 2 nan. */
INLINE V NAME(largest)(const V *a, int m, int n, int triangle, W *flaw) {
    V size = {0};
    W bad = {0}, nan = {0};
    for (int j = 0; j < n; j++)
        for (int i = triangle ? j : 0; i < m; i++) {
            const V x = a[j * m + i];
            bad |= x - x != 0;
            nan |= x != x;
            size = NAME(choose)(NAME(magnitude)(x) > size, NAME(magnitude)(x), size);
        }
    *flaw = (bad & 1) + (nan & 1);
    return size;
}

/* Scale a matrix by a power of two, to 0 where it has a flaw: returns what takes it back. */
INLINE V NAME(scaled)(V *a, int m, int n, int triangle, W *flaw) {
    V back;
    const V size = NAME(largest)(a, m, n, triangle, flaw), down = NAME(scale)(size, &back);
    const W bad = *flaw != 0;
    const int mend = NAME(any)(bad);
    for (int e = 0; e < m * n; e++) {
        a[e] *= down;
        if (mend) a[e] = NAME(choose)(bad, (V){0}, a[e]);
    }
    return back;
}

/* c and s with c g + s f = r, s g = c f; what is as good as 0 turns by nothing. */
INLINE void NAME(rotation)(V f, V g, V *c, V *s, V *r) {
    const T least = sizeof(T) == 4 ? (T)0x1p-45 : (T)0x1p-400, lift = sizeof(T) == 4 ? (T)0x1p70 : (T)0x1p500;
    const V size = NAME(choose)(NAME(magnitude)(f) > NAME(magnitude)(g), NAME(magnitude)(f), NAME(magnitude)(g));
    const W low = size < least;
    const V up = NAME(choose)(low, NAME(number)(lift), NAME(number)(1)), down = NAME(choose)(low, NAME(number)(1 / lift), NAME(number)(1));
    const V F = f * up, G = g * up, square = F * F + G * G;
    const W none = square < (sizeof(T) == 4 ? (T)0x1p-100 : (T)0x1p-900);
    const V root = NAME(root)(NAME(choose)(none, NAME(number)(1), square)), by = 1 / root;
    *c = NAME(choose)(none, NAME(number)(1), G * by);
    *s = NAME(choose)(none, (V){0}, F * by);
    *r = NAME(choose)(none, g, root * down);
}

/* A (lower triangle, n x n) to the tridiagonal d, e: A = Q T Q^T; reflectors below A's diagonal, Q in z unless NULL. */
LOCAL void NAME(tridiagonal)(V *a, int n, V *d, V *e, V *z) {
    V tau[SMALL_SIZE], w[SMALL_SIZE];
    for (int k = 0; k < n - 1; k++) {
        V *v = a + k * n;
        tau[k] = NAME(reflector)(v, n, k + 1);
        d[k] = v[k];
        e[k] = v[k + 1];
        v[k + 1] = NAME(number)(1);
        for (int i = k + 1; i < n; i++) w[i] = (V){0};
        for (int j = k + 1; j < n; j++) {
            const V x = v[j];
            V sum = a[j * n + j] * x;
            for (int i = j + 1; i < n; i++) {
                w[i] += a[j * n + i] * x;
                sum += a[j * n + i] * v[i];
            }
            w[j] += sum;
        }
        V dot = {0};
        for (int i = k + 1; i < n; i++) dot += w[i] * v[i];
        const V half = dot * tau[k] * (T)0.5;
        for (int i = k + 1; i < n; i++) w[i] = tau[k] * (w[i] - half * v[i]);
        for (int j = k + 1; j < n; j++) {
            const V x = v[j], y = w[j];
            for (int i = j; i < n; i++) a[j * n + i] -= v[i] * y + w[i] * x;
        }
    }
    d[n - 1] = a[n * n - 1];
    if (!z) return;
    memset(z, 0, (size_t)n * n * sizeof(V));
    for (int j = 0; j < n; j++) z[j * n + j] = NAME(number)(1);
    for (int k = n - 3; k >= 0; k--) NAME(reflect_all)(z + (k + 1) * n, n - k - 1, n, k + 1, a + k * n, tau[k]);
}

/* T = Z diag(d) Z^T by implicit QL: d becomes the eigenvalues, in no order, and z, unless NULL, z Z.  Returns which lanes failed. */
LOCAL W NAME(ql)(V *d, V *e, int n, V *z) {
    const T least = sizeof(T) == 4 ? (T)0x1p-60 : (T)0x1p-300;
    W failed = {0};
    for (int l = 0; l < n - 1; l++)
        for (int sweep = 0;; sweep++) {
            const T enough = EPS * (T)(2 + sweep / 4);      /* rounding can keep what is left at an ulp */
            W end = (W){0} + (n - 1);
            for (int i = n - 2; i >= l; i--) {
                const V size = NAME(magnitude)(e[i]), near = NAME(magnitude)(d[i]) + NAME(magnitude)(d[i + 1]);
                end = (W)NAME(choose)((size <= near * enough) | (size < least), (V)((W){0} + i), (V)end);
            }
            const W left = end > l;
            if (!NAME(any)(left)) break;
            if (sweep == SMALL_SWEEPS) { failed |= left; break; }
            V half = (d[l + 1] - d[l]) / (2 * NAME(choose)(left, e[l], NAME(number)(1)));
            const V huge = NAME(number)(sizeof(T) == 4 ? (T)0x1p60 : (T)0x1p500), size = NAME(magnitude)(half);
            const V far = NAME(root)(1 + NAME(choose)(size < huge, half * half, (V){0}));
            half += (V)((W)NAME(choose)(size < huge, far, size) | ((W)half & (W)(-(V){0})));
            const V shift = d[l] - e[l] / half;
            V s = {0}, c = NAME(number)(1), p = {0}, g = {0};
            for (int i = n - 2; i >= l; i--) {
                const W on = (end > i) & left, first = end == i + 1;
                if (!NAME(any)(on)) continue;
                g = NAME(choose)(first, d[i + 1] - shift, g);
                s = NAME(choose)(first, NAME(number)(1), s);
                c = NAME(choose)(first, NAME(number)(1), c);
                p = NAME(choose)(first, (V){0}, p);
                const V b = c * e[i];
                V r;
                NAME(rotation)(s * e[i], g, &c, &s, &r);
                c = NAME(choose)(on, c, NAME(number)(1));
                s = NAME(choose)(on, s, (V){0});
                e[i + 1] = NAME(choose)(on, NAME(choose)(first, (V){0}, r), e[i + 1]);
                const V h = d[i + 1] - p, q = (d[i] - h) * s + 2 * c * b;
                p = NAME(choose)(on, s * q, p);
                d[i + 1] = NAME(choose)(on, h + p, d[i + 1]);
                g = c * q - b;
                if (z) {
                    V *x = z + i * n, *y = x + n;
                    for (int r0 = 0; r0 < n; r0++) {
                        const V u = x[r0], v = y[r0];
                        x[r0] = c * u - s * v;
                        y[r0] = s * u + c * v;
                    }
                }
            }
            d[l] = NAME(choose)(left, d[l] - p, d[l]);
            e[l] = NAME(choose)(left, g, e[l]);
        }
    return failed;
}

/* The eigenvalues of 2 x 2 matrices and their vectors: LAPACK's formula (laev2), and its signs. */
INLINE void NAME(eigen2)(V *d, V e, V *z) {
    const V zero = {0}, one = NAME(number)(1), a = d[0], b = d[1];
    const V sum = a + b, rise = a - b, far = NAME(magnitude)(rise), twice = e + e, wide = NAME(magnitude)(twice);
    const W order = NAME(magnitude)(a) > NAME(magnitude)(b);
    const V more = NAME(choose)(order, a, b), less = NAME(choose)(order, b, a);
    const V large = NAME(choose)(far > wide, far, wide), small = NAME(choose)(far > wide, wide, far);
    const V ratio = small / NAME(choose)(large == 0, one, large), root = large * NAME(root)(1 + ratio * ratio);
    const V first = (T)0.5 * NAME(choose)(sum < 0, sum - root, sum + root), by = NAME(choose)(first == 0, one, first);
    const V second = NAME(choose)(sum == 0, (T)-0.5 * root, more / by * less - e / by * e);
    const W up = rise >= 0, alike = (sum < 0) ^ up;
    const V c = NAME(choose)(up, rise + root, rise - root);
    const W steep = NAME(magnitude)(c) > wide, flat = wide == 0;
    const V slope = -NAME(choose)(steep, twice, c) / NAME(choose)(steep, c, NAME(choose)(flat, one, twice));
    const V length = 1 / NAME(root)(1 + slope * slope);
    V cs = NAME(choose)(steep, slope * length, NAME(choose)(flat, one, length));
    V sn = NAME(choose)(steep, length, NAME(choose)(flat, zero, slope * length));
    const V other = cs;
    cs = NAME(choose)(alike, -sn, cs);
    sn = NAME(choose)(alike, other, sn);
    const W none = e * e <= EPS * NAME(magnitude)(a) * (EPS * NAME(magnitude)(b)) + (T)SMALLEST;
    d[0] = NAME(choose)(none, a, first);
    d[1] = NAME(choose)(none, b, second);
    if (!z) return;
    cs = NAME(choose)(none, one, cs);
    sn = NAME(choose)(none, zero, sn);
    z[0] = cs, z[1] = sn, z[2] = -sn, z[3] = cs;
}

/* Order values, ascending or descending, with m numbers of each in the columns of z and y unless NULL. */
LOCAL void NAME(sort)(V *d, int n, int descending, V *z, int m, V *y, int k) {
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0; j--) {
            const V low = d[j - 1], high = d[j];
            const W turn = descending ? high > low : high < low;
            if (!NAME(any)(turn)) break;
            d[j - 1] = NAME(choose)(turn, high, low);
            d[j] = NAME(choose)(turn, low, high);
            for (int part = 0; part < 2; part++) {
                V *p = part ? y : z;
                const int rows = part ? k : m;
                if (p)
                    for (int r = 0; r < rows; r++) {
                        const V u = p[(j - 1) * rows + r], v = p[j * rows + r];
                        p[(j - 1) * rows + r] = NAME(choose)(turn, v, u);
                        p[j * rows + r] = NAME(choose)(turn, u, v);
                    }
            }
        }
}

/* Values times `back`, nan where the matrix had a flaw, and info: nan in the matrix, or a number of values that were not found. */
INLINE void NAME(give_values)(const V *d, int n, V back, W flaw, W failed, T *to, int32_t *info, int count) {
    for (int l = 0; l < count; l++) {
        for (int i = 0; i < n; i++) to[l * n + i] = flaw[l] ? (T)NAN : ((const T *)(d + i))[l] * back[l];
        info[l] = flaw[l] == 2 ? SMALL_NOT_A_NUMBER : failed[l] ? 1 : 0;
    }
}

/* The unit matrix where there was a flaw. */
INLINE void NAME(mend)(V *z, int m, int n, W flaw) {
    if (!NAME(any)(flaw)) return;
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++) z[j * m + i] = NAME(choose)(flaw != 0, NAME(number)(i == j), z[j * m + i]);
}

/* (V, w, info, A): A = V diag(w) V^T, w ascending.  1: V (with vectors) or N, 2: U or L. */
LOCAL void NAME(small_eigh)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int n = small_rows(t[3]), vectors = p[1].i == 'V';
    const SmallBatch from = small_batch(t[3], p[2].i == 'U'), to = small_batch(t[0], 0);
    NAME(Group) g = NAME(group)(&from, first, count);
    V *a = room, *z = vectors ? a + n * n : NULL, d[SMALL_SIZE], e[SMALL_SIZE];
    W flaw, failed = {0};
    NAME(load)(&g, n, n, a);
    const V back = NAME(scaled)(a, n, n, 1, &flaw);
    if (n == 2) {
        d[0] = a[0], d[1] = a[3];
        NAME(eigen2)(d, a[1], z);
    } else {
        NAME(tridiagonal)(a, n, d, e, z);
        failed = NAME(ql)(d, e, n, z);
    }
    NAME(sort)(d, n, 0, z, n, NULL, 0);
    NAME(give_values)(d, n, back, flaw, failed, (T *)t[1]->data + first * n, (int32_t *)t[2]->data + first, count);
    if (!vectors) return;
    NAME(mend)(z, n, n, flaw);
    g = NAME(group)(&to, first, count);
    NAME(store)(&g, n, n, z);
}

/* Turn two columns until they are orthogonal; v: what has been done to them so far, or NULL.  Returns whether any lane needed it. */
INLINE int NAME(turn_pair)(V *x, V *y, int m, V *v, V *w, int n) {
    V xx = {0}, yy = {0}, xy = {0};
    for (int i = 0; i < m; i++) {
        xx += x[i] * x[i];
        yy += y[i] * y[i];
        xy += x[i] * y[i];
    }
    const T least = sizeof(T) == 4 ? (T)0x1p-100 : (T)0x1p-900;
    const W on = (NAME(magnitude)(xy) > (EPS * (T)(m + 8)) * NAME(root)(xx) * NAME(root)(yy)) & (NAME(magnitude)(xy) > least);
    if (!NAME(any)(on)) return 0;
    const V zeta = (yy - xx) / (2 * NAME(choose)(on, xy, NAME(number)(1))), size = NAME(magnitude)(zeta);
    const V huge = NAME(number)(sizeof(T) == 4 ? (T)0x1p60 : (T)0x1p500);
    const V steep = 1 / (size + NAME(choose)(size < huge, NAME(root)(1 + zeta * zeta), size));
    const V slope = NAME(choose)(on, (V)((W)steep | ((W)zeta & (W)(-(V){0}))), (V){0});
    const V c = 1 / NAME(root)(1 + slope * slope), s = c * slope;
    for (int i = 0; i < m; i++) {
        const V p = x[i], q = y[i];
        x[i] = c * p - s * q;
        y[i] = s * p + c * q;
    }
    if (v)
        for (int i = 0; i < n; i++) {
            const V p = v[i], q = w[i];
            v[i] = c * p - s * q;
            w[i] = s * p + c * q;
        }
    return 1;
}

/* (A, S, info, U, V): A = U diag(S) V^T, S descending; U and V (as many columns as S) where they are, both or neither; U's columns of
 * values 0 are 0.  1: whether A's rows are turned in place of its columns, since there are fewer of them; then U and V change places. */
LOCAL void NAME(small_svd)(View **t, const Param *p, int64_t first, int count, void *room) {
    const int wide = (int)p[1].i, m = wide ? small_cols(t[0]) : small_rows(t[0]), n = wide ? small_rows(t[0]) : small_cols(t[0]);
    const int vectors = t[3] != NULL;
    const SmallBatch from = small_batch(t[0], wide);
    NAME(Group) g = NAME(group)(&from, first, count);
    V *a = room, *v = vectors ? a + m * n : NULL, d[SMALL_SIZE];
    W flaw, failed = {0};
    NAME(load)(&g, m, n, a);
    const V back = NAME(scaled)(a, m, n, 0, &flaw);
    if (v) {
        memset(v, 0, (size_t)n * n * sizeof(V));
        for (int j = 0; j < n; j++) v[j * n + j] = NAME(number)(1);
    }
    int turned = 1;
    for (int sweep = 0; turned && sweep < SMALL_SWEEPS; sweep++) {
        turned = 0;
        for (int j = 1; j < n; j++)
            for (int i = 0; i < j; i++) turned |= NAME(turn_pair)(a + i * m, a + j * m, m, v ? v + i * n : NULL, v + j * n, n);
    }
    if (turned) failed = ~failed;
    for (int j = 0; j < n; j++) {
        V sum = {0};
        for (int i = 0; i < m; i++) sum += a[j * m + i] * a[j * m + i];
        d[j] = NAME(root)(sum);
    }
    NAME(sort)(d, n, 1, vectors ? a : NULL, m, v, n);
    NAME(give_values)(d, n, back, flaw, failed, (T *)t[1]->data + first * n, (int32_t *)t[2]->data + first, count);
    if (!vectors) return;
    for (int j = 0; j < n; j++) {
        const V by = NAME(choose)(d[j] == 0, (V){0}, 1 / d[j]);
        for (int i = 0; i < m; i++) a[j * m + i] *= by;
    }
    NAME(mend)(a, m, n, flaw);
    NAME(mend)(v, n, n, flaw);
    const SmallBatch to_u = small_batch(t[wide ? 4 : 3], 0), to_v = small_batch(t[wide ? 3 : 4], 0);
    g = NAME(group)(&to_u, first, count);
    NAME(store)(&g, m, n, a);
    g = NAME(group)(&to_v, first, count);
    NAME(store)(&g, n, n, v);
}
#undef DIGITS
#undef BIAS
#undef EPS

/* A = Q R of one matrix by Householder's reflections: included once per dtype, with T (a real type), WIDTH (how many of it make 32
 * bytes), PARTS (1, or 2 of complex numbers), SUFFIX, LAPACK (the name of its routine for this dtype) and, from tiles.h, NAME and LOCAL.
 *
 *   reflectors_load      copies a column-major matrix into a room, whose columns lie `apart` and end in zeros
 *   reflectors_factor    the first k columns become those of A = Q R, Q as reflectors I - tau v v^H with v = 1 on the diagonal; the
 *                        others Q^H times what they were; as LAPACK's geqrf, signs too
 *   reflectors_pivot     the same of the columns in the order of what is left of them: LAPACK's geqp3
 *   reflectors_make      n columns of Q from k reflectors: orgqr
 *   least_squares        the X for which |A X - B| is least, of a matrix of full rank, with or without pivots: gelsy, gels
 *
 * A reflection is two walks over eight columns (four of complex numbers) at a time: products with v summed in registers, then v's
 * multiple taken off; the columns stay in the first-level cache between.  Vectors begin at multiples of their size: v holds zeros above
 * its first number.  A complex v comes with i v, so that products are those of real numbers.  The limit is loads, 1.1 a multiply-add
 * and a store for two: `qr` of 100 x 100 in float takes 105 us on Zen 4, with OpenBLAS 178.
 */
#ifndef TAEDA_REFLECTORS_H
#define TAEDA_REFLECTORS_H
#include <math.h>
#endif
typedef T NAME(line) __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
#define V NAME(line)
#define W WIDTH
#define UNROLL _Pragma("GCC unroll 8")
#define COLUMNS (8 / PARTS)
#define SQUARE_LOW 0x1p-900                                      /* sums of squares between these have lost nothing */
#define SQUARE_HIGH 0x1p1000
#define FEW (sizeof(T) == 4 ? (T)0x1p-60 : (T)0x1p-500)          /* numbers between these may be squared */
#define MANY (1 / FEW)

/* How far apart columns of m numbers lie: an odd number of lines of the cache, at least a vector of zeros at the end. */
LOCAL int64_t NAME(reflectors_apart)(int64_t m) {
    const int64_t line = 64 / sizeof(T);
    return ((m * PARTS + W + line - 1) / line | 1) * line;
}

/* Numbers of T for m x n, some columns that nobody reads, v and i v. */
LOCAL int64_t NAME(reflectors_room)(int64_t m, int64_t n) { return NAME(reflectors_apart)(m) * (n + COLUMNS + 1); }

LOCAL void NAME(reflectors_load)(const T *a, int64_t m, int64_t n, int64_t ld, T *w) {
    const int64_t apart = NAME(reflectors_apart)(m);
    for (int64_t j = 0; j < n; j++) {
        memcpy(w + j * apart, a + j * ld * PARTS, m * PARTS * sizeof(T));
        memset(w + j * apart + m * PARTS, 0, (apart - m * PARTS) * sizeof(T));
    }
    memset(w + n * apart, 0, (COLUMNS - 1) * apart * sizeof(T));
}

LOCAL void NAME(reflectors_store)(const T *w, int64_t m, int64_t n, T *a, int64_t ld) {
    for (int64_t j = 0; j < n; j++) memcpy(a + j * ld * PARTS, w + j * NAME(reflectors_apart)(m), m * PARTS * sizeof(T));
}

#define PAIRS(a, b, ...) (__builtin_shufflevector(a, b, EVEN) + __builtin_shufflevector(a, b, ODD))
/* The sums of W vectors. */
LOCAL void NAME(line_sums)(const V *s, T *sums) {
#if WIDTH == 8
#define EVEN 0, 8, 2, 10, 4, 12, 6, 14
#define ODD 1, 9, 3, 11, 5, 13, 7, 15
    const V ab = PAIRS(s[0], s[1]), cd = PAIRS(s[2], s[3]), ef = PAIRS(s[4], s[5]), gh = PAIRS(s[6], s[7]);
#undef EVEN
#undef ODD
#define EVEN 0, 1, 8, 9, 4, 5, 12, 13
#define ODD 2, 3, 10, 11, 6, 7, 14, 15
    const V low = PAIRS(ab, cd), high = PAIRS(ef, gh);
#undef EVEN
#undef ODD
#define EVEN 0, 1, 2, 3, 8, 9, 10, 11
#define ODD 4, 5, 6, 7, 12, 13, 14, 15
    *(V *)sums = PAIRS(low, high);
#else
#define EVEN 0, 4, 2, 6
#define ODD 1, 5, 3, 7
    const V ab = PAIRS(s[0], s[1]), cd = PAIRS(s[2], s[3]);
#undef EVEN
#undef ODD
#define EVEN 0, 1, 4, 5
#define ODD 2, 3, 6, 7
    *(V *)sums = PAIRS(ab, cd);
#endif
#undef EVEN
#undef ODD
}
#undef PAIRS

/* y_j -= tau v (v^H y_j) for n columns, COLUMNS at a time: some beyond the last may be written.  v's numbers lie from `from` to `to`. */
LOCAL void NAME(reflect)(const T *v, int64_t from, int64_t to, T *y, int64_t n, int64_t apart, const T *tau, int conjugate) {
#if PARTS == 2
    const T *iv = v + apart, ti = conjugate ? -tau[1] : tau[1];
#endif
    for (int64_t j = 0; j < n; j += COLUMNS, y += COLUMNS * apart) {
        V s[8];
        V by[8];                                                /* w in registers: stores to y might change it in memory */
        T w[8] __attribute__((aligned(32)));
        UNROLL for (int c = 0; c < 8; c++) s[c] = (V){0};
        for (int64_t i = from; i < to; i += W) {
            const V x = *(const V *)(v + i);
#if PARTS == 2
            const V z = *(const V *)(iv + i);
            UNROLL for (int c = 0; c < 4; c++) {
                const V u = *(const V *)(y + c * apart + i);
                s[c] += x * u;
                s[4 + c] += z * u;
            }
#else
            UNROLL for (int c = 0; c < 8; c++) s[c] += x * *(const V *)(y + c * apart + i);
#endif
        }
        UNROLL for (int c = 0; c < 8; c += W) NAME(line_sums)(s + c, w + c);
#if PARTS == 2
        UNROLL for (int c = 0; c < 4; c++) {
            const T re = w[c], im = w[4 + c];
            w[c] = tau[0] * re - ti * im;
            w[4 + c] = tau[0] * im + ti * re;
        }
        UNROLL for (int c = 0; c < 8; c++) by[c] = (V){0} + w[c];
        for (int64_t i = from; i < to; i += W) {
            const V x = *(const V *)(v + i), z = *(const V *)(iv + i);
            UNROLL for (int c = 0; c < 4; c++) {
                V *u = (V *)(y + c * apart + i);
                *u = *u - x * by[c] - z * by[4 + c];
            }
        }
#else
        UNROLL for (int c = 0; c < 8; c++) by[c] = (V){0} + w[c] * tau[0];
        for (int64_t i = from; i < to; i += W) {
            const V x = *(const V *)(v + i);
            UNROLL for (int c = 0; c < 8; c++) *(V *)(y + c * apart + i) -= x * by[c];
        }
#endif
    }
}

/* v: 0 above number k, 1 there, and what x holds below; i v after it. */
LOCAL void NAME(reflectors_take)(const T *x, int64_t k, int64_t from, int64_t to, int64_t apart, T *v) {
    k *= PARTS;
    memset(v + from, 0, (k - from) * sizeof(T));
    memcpy(v + k, x + k, (to - k) * sizeof(T));
    v[k] = 1;
#if PARTS == 2
    v[k + 1] = 0;
    for (int64_t i = from; i < to; i += 2) { v[apart + i] = -v[i + 1]; v[apart + i + 1] = v[i]; }
#else
    (void)apart;
#endif
}

/* In double: neither overflow nor the sum's length count then in float. */
LOCAL double NAME(squares)(const T *x, int64_t from, int64_t to) {
    typedef double D __attribute__((vector_size(32)));
    D s = {0}, u = {0};
    for (int64_t i = from; i < to; i += W) {
        const V y = *(const V *)(x + i);
#if WIDTH == 8
        const D low = __builtin_convertvector(__builtin_shufflevector(y, y, 0, 1, 2, 3), D);
        const D high = __builtin_convertvector(__builtin_shufflevector(y, y, 4, 5, 6, 7), D);
        s += low * low;
        u += high * high;
#else
        s += y * y;
#endif
    }
    s += u;
    return (s[0] + s[2]) + (s[1] + s[3]);
}

/* The norm of x's numbers after k; v is written. */
LOCAL T NAME(norm_below)(const T *x, int64_t k, int64_t to, T *v) {
    const int64_t first = (k + 1) * PARTS, from = first / W * W;
    double s;
    T most = 0;
    if (from >= to) return 0;
    memset(v + from, 0, (first - from) * sizeof(T));
    memcpy(v + first, x + first, (to - first) * sizeof(T));
    s = NAME(squares)(v, from, to);
    if (s >= SQUARE_LOW && s < SQUARE_HIGH) return (T)sqrt(s);
    for (int64_t i = from; i < to; i++) {
        const T size = v[i] < 0 ? -v[i] : v[i];
        if (!(size <= most)) most = size;                       /* nan stays */
    }
    if (!(most > 0 && most - most == 0)) return most;           /* 0, inf, nan */
    for (int64_t i = from; i < to; i++) v[i] /= most;
    return most * (T)sqrt(NAME(squares)(v, from, to));
}

/* Make a reflector of the numbers k and on of a column; v and tau are set, and the column holds R's number and v below. */
LOCAL void NAME(reflector)(T *x, int64_t k, int64_t from, int64_t to, int64_t apart, T *v, T *tau) {
    T *at = x + k * PARTS;
    T below = NAME(norm_below)(x, k, to, v), size, scale = 1, beta;
    const T ai = PARTS == 2 ? at[1] : 0;
    memset(tau, 0, PARTS * sizeof(T));
    if (below == 0 && ai == 0) return;
    if (!(below > FEW && below < MANY && at[0] * at[0] + ai * ai < MANY * MANY)) {
        T most = at[0] < 0 ? -at[0] : at[0];                    /* by a power of two, so that nothing is rounded */
        int power;
        if (below > most) most = below;
        if ((ai < 0 ? -ai : ai) > most) most = ai < 0 ? -ai : ai;
        if (most - most == 0) {
            frexp(most, &power);
            scale = (T)ldexp(1, power > -(sizeof(T) == 4 ? 120 : 1000) ? -power : (sizeof(T) == 4 ? 120 : 1000));
            for (int64_t i = k * PARTS; i < to; i++) x[i] *= scale;
            below = NAME(norm_below)(x, k, to, v);
        }
    }
    {
        const T re = at[0], im = PARTS == 2 ? at[1] : 0;
        size = (T)sqrt(re * re + im * im + below * below);
        beta = re >= 0 ? -size : size;
        tau[0] = (beta - re) / beta;
#if PARTS == 2
        tau[1] = -im / beta;
        {
            const T dr = re - beta, d = dr * dr + im * im, br = dr / d, bi = -im / d;
            for (int64_t i = (k + 1) * 2; i < to; i += 2) {
                const T xr = x[i], xi = x[i + 1];
                x[i] = xr * br - xi * bi;
                x[i + 1] = xr * bi + xi * br;
            }
            at[1] = 0;
        }
#else
        {
            const T by = 1 / (re - beta);
            for (int64_t i = k + 1; i < to; i++) x[i] *= by;
        }
#endif
    }
    at[0] = beta / scale;
    NAME(reflectors_take)(x, k, from, to, apart, v);
}

#define SPAN_OF(k) const int64_t from = (k) * PARTS / W * W
#define ENDS                                                                                                         \
    const int64_t apart = NAME(reflectors_apart)(m), to = (m * PARTS + W - 1) / W * W;                               \
    T *v = w + (n + COLUMNS - 1) * apart

LOCAL void NAME(reflectors_factor)(T *w, int64_t m, int64_t n, int64_t k, T *tau) {
    ENDS;
    for (int64_t j = 0; j < k; j++) {
        SPAN_OF(j);
        NAME(reflector)(w + j * apart, j, from, to, apart, v, tau + j * PARTS);
        if (tau[j * PARTS] != 0) NAME(reflect)(v, from, to, w + (j + 1) * apart, n - j - 1, apart, tau + j * PARTS, 1);
    }
}

LOCAL void NAME(reflectors_make)(T *w, int64_t m, int64_t n, int64_t k, const T *tau) {
    ENDS;
    for (int64_t j = k; j < n; j++) {
        memset(w + j * apart, 0, to * sizeof(T));
        w[j * apart + j * PARTS] = 1;
    }
    for (int64_t j = k - 1; j >= 0; j--) {
        T *x = w + j * apart;
        const T *t = tau + j * PARTS;
        SPAN_OF(j);
        NAME(reflectors_take)(x, j, from, to, apart, v);
        if (j + 1 < n) NAME(reflect)(v, from, to, x + apart, n - j - 1, apart, t, 0);
        memset(x, 0, j * PARTS * sizeof(T));
        for (int64_t i = j * PARTS; i < to; i += PARTS) {
#if PARTS == 2
            x[i] = v[i + 1] * t[1] - v[i] * t[0];
            x[i + 1] = -v[i + 1] * t[0] - v[i] * t[1];
#else
            x[i] = -v[i] * t[0];
#endif
        }
        x[j * PARTS] += 1;
    }
}

/* As factor, of the first k columns (m >= k) the one with most left first: place[j] says (from 1) which it was.  norms: 2 k numbers. */
LOCAL void NAME(reflectors_pivot)(T *w, int64_t m, int64_t n, int64_t k, T *tau, int *place, T *norms) {
    ENDS;
    const T doubtful = (T)sqrt(sizeof(T) == 4 ? 0x1p-24 : 0x1p-53);
    T *exact = norms + k;
    for (int64_t j = 0; j < k; j++) {
        place[j] = (int)j + 1;
        norms[j] = exact[j] = NAME(norm_below)(w + j * apart, -1, to, v);
    }
    for (int64_t r = 0; r < k; r++) {
        int64_t most = r;
        SPAN_OF(r);
        for (int64_t j = r + 1; j < k; j++) if (norms[j] > norms[most]) most = j;
        if (most != r) {
            T *x = w + r * apart, *y = w + most * apart;
            const int was = place[r];
            for (int64_t i = 0; i < to; i++) { const T z = x[i]; x[i] = y[i]; y[i] = z; }
            place[r] = place[most];
            place[most] = was;
            norms[most] = norms[r];
            exact[most] = exact[r];
        }
        NAME(reflector)(w + r * apart, r, from, to, apart, v, tau + r * PARTS);
        if (tau[r * PARTS] != 0) NAME(reflect)(v, from, to, w + (r + 1) * apart, n - r - 1, apart, tau + r * PARTS, 1);
        for (int64_t j = r + 1; j < k; j++) {
            const T *x = w + j * apart + r * PARTS;
            T part, left;
            if (norms[j] == 0) continue;
            part = (T)sqrt(x[0] * x[0] + (PARTS == 2 ? x[PARTS - 1] * x[PARTS - 1] : 0)) / norms[j];
            left = 1 - part * part;
            if (left < 0) left = 0;
            part = norms[j] / exact[j];
            if (left * part * part <= doubtful) norms[j] = exact[j] = NAME(norm_below)(w + j * apart, r, to, v);
            else norms[j] *= (T)sqrt(left);
        }
    }
}

/* How many columns of a triangle come before one that makes its condition worse than 1 / rcond, as LAPACK's gelsy estimates it. */
LOCAL int NAME(rank_of)(T *r, int n, int64_t apart, T rcond, T *room) {
    int rank = 1, smallest = 2, largest = 1;
    T *low = room, *high = room + PARTS * n, turn[8];           /* sines and cosines, complex where the matrix is */
    T least = (T)sqrt(r[0] * r[0] + (PARTS == 2 ? r[1] * r[1] : 0)), most = least, less, more;
    memset(room, 0, 2 * PARTS * n * sizeof(T));
    low[0] = high[0] = 1;
    for (; rank < n; rank++) {
        T *x = r + rank * apart;
        LAPACK(laic1)(&smallest, &rank, low, &least, x, x + rank * PARTS, &less, turn, turn + 2);
        LAPACK(laic1)(&largest, &rank, high, &most, x, x + rank * PARTS, &more, turn + 4, turn + 6);
        if (!(more * rcond <= less)) break;
        for (int side = 0; side < 2; side++) {
            T *y = side ? high : low;
            const T *by = turn + 4 * side;
            for (int i = 0; i < rank; i++) {
#if PARTS == 2
                const T re = y[2 * i], im = y[2 * i + 1];
                y[2 * i] = re * by[0] - im * by[1];
                y[2 * i + 1] = re * by[1] + im * by[0];
#else
                y[i] *= by[0];
#endif
            }
            memcpy(y + rank * PARTS, by + 2, PARTS * sizeof(T));
        }
        least = less;
        most = more;
    }
    return rank;
}

LOCAL int64_t NAME(least_squares_room)(int64_t m, int64_t n, int64_t k) { return NAME(reflectors_room)(m, n + k) + 3 * PARTS * n; }

/* a: m x n, m >= n; b: m x k, columns ldb apart, becomes X and, without pivots, what of Q^H B is left.  [A B] becomes [R Q^H B] in one
 * go.  1, and nothing is written, where the rank is not full or numbers are so large or small that LAPACK would scale them. */
LOCAL int NAME(least_squares)(const T *a, T *b, int m, int n, int k, int ldb, int pivots, T rcond, T *w, int *place) {
    const int64_t apart = NAME(reflectors_apart)(m);
    T *x = w + n * apart, *more = w + NAME(reflectors_room)(m, n + k), one[2] = {1, 0};
    int ld = (int)(apart / PARTS), step = 1;
    NAME(reflectors_load)(a, m, n, m, w);
    NAME(reflectors_load)(b, m, k, ldb, x);
    for (int64_t i = 0; i < k * apart; i++) if (!(x[i] < MANY && x[i] > -MANY)) return 1;
    if (pivots) NAME(reflectors_pivot)(w, m, n + k, n, more, place, more + PARTS * n);
    else NAME(reflectors_factor)(w, m, n + k, n, more);
    for (int i = 0; i < n; i++) {
        const T d = w[i * (apart + PARTS)], size = d < 0 ? -d : d;
        if (!(size > 0 && size < MANY && (i || size > FEW))) return 1;
    }
    if (pivots && NAME(rank_of)(w, n, apart, rcond, more) < n) return 1;
    if (k <= 3)                                                 /* trsm would pack the triangle for them */
        for (int j = 0; j < k; j++) LAPACK(trsv)("U", "N", "N", &n, w, &ld, x + j * apart, &step, 1, 1, 1);
    else LAPACK(trsm)("L", "U", "N", "N", &n, &k, one, w, &ld, x, &ld, 1, 1, 1, 1);
    if (!pivots) { NAME(reflectors_store)(x, m, k, b, ldb); return 0; }
    for (int64_t j = 0; j < k; j++)
        for (int i = 0; i < n; i++) memcpy(b + (j * ldb + place[i] - 1) * PARTS, x + j * apart + i * PARTS, PARTS * sizeof(T));
    return 0;
}
#undef ENDS
#undef SPAN_OF
#undef V
#undef W
#undef UNROLL
#undef COLUMNS
#undef SQUARE_LOW
#undef SQUARE_HIGH
#undef FEW
#undef MANY

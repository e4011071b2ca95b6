/* U, S and V^T of one square matrix of a few rows: included once per real dtype, with T, LAPACK (the name of a routine) and, from tiles.h,
 * NAME and LOCAL.
 *
 * LAPACK's gesdd takes the same steps for such a matrix and asks for block sizes and work space before each, which takes longer than they
 * do: 3 x 3 in float32 take 0.6 us for 1.9.  Reflectors H_i from the left and G_i from the right make A upper bidiagonal, LAPACK's
 * iteration gives the values and vectors of that, and A's vectors are H_1 H_2 .. U and V^T .. G_2 G_1.
 */
#ifndef TAEDA_SQUARE_SVD_H
#define TAEDA_SQUARE_SVD_H
#include <math.h>
enum { SQUARE_SVD_MOST = 25 };      /* rows up to which gesdd, too, iterates on the whole matrix */
#endif

/* The reflector 1 - tau v v^T, v = (1, x), that maps (first, x) to (a number, 0): x becomes v's, the number is returned. */
static inline T NAME(householder)(T first, T *x, int n, int step, T *tau) {
    double rest = 0, length;
    for (int i = 0; i < n; i++) rest += (double)x[i * step] * x[i * step];
    *tau = 0;
    if (rest == 0) return first;
    length = -copysign(sqrt((double)first * first + rest), first);
    *tau = (T)((length - first) / length);
    for (int i = 0; i < n; i++) x[i * step] = (T)(x[i * step] / (first - length));
    return (T)length;
}

/* Apply it to `lines` of n + 1 numbers: those of x are `step` apart, as those of v are, and lines `apart`. */
static inline void NAME(householder_apply)(const T *v, T tau, int n, int vstep, T *x, int step, int lines, int apart) {
    if (tau == 0) return;
    for (; lines-- > 0; x += apart) {
        T sum = x[0];
        for (int i = 0; i < n; i++) sum += v[i * vstep] * x[(i + 1) * step];
        sum *= tau;
        x[0] -= sum;
        for (int i = 0; i < n; i++) x[(i + 1) * step] -= sum * v[i * vstep];
    }
}

/* All matrices are n by n, column-major; a is lost; u and vt are NULL where only s is wanted.  Answers LAPACK's info, or -1, having done
 * nothing, for a matrix that gesdd would scale. */
LOCAL int NAME(square_svd)(T *a, int n, T *s, T *u, T *vt) {
    const T huge = sizeof(T) == 4 ? 1e12f : (T)1e138;
    T largest = 0, between[SQUARE_SVD_MOST], left[SQUARE_SVD_MOST], right[SQUARE_SVD_MOST], work[4 * SQUARE_SVD_MOST];
    int info = 0, none = 0, vectors = u ? n : 0;
    char upper = 'U';
    if (n < 2 || n > SQUARE_SVD_MOST) return -1;
    for (int i = 0; i < n * n; i++) largest = fabs(a[i]) > largest ? fabs(a[i]) : largest;
    if (largest > huge || (largest > 0 && largest < 1 / huge)) return -1;
    for (int i = 0; i < n; i++) {
        T *here = a + i * (n + 1), *next = here + n;
        s[i] = NAME(householder)(*here, here + 1, n - 1 - i, 1, left + i);
        NAME(householder_apply)(here + 1, left[i], n - 1 - i, 1, next, 1, n - 1 - i, n);
        if (i == n - 1) break;
        between[i] = NAME(householder)(*next, next + n, n - 2 - i, n, right + i);
        NAME(householder_apply)(next + n, right[i], n - 2 - i, n, next + 1, n, n - 1 - i, 1);
    }
    if (vectors) NAME(identity)(u, n, n);
    if (vectors) NAME(identity)(vt, n, n);
    LAPACK(lasdq)(&upper, &none, &n, &vectors, &vectors, &none, s, between, vt, &n, u, &n, u, &n, work, &info, (size_t)1);
    for (int i = 0; i < n - 1; i++) {          /* lasdq leaves them in ascending order */
        int k = i;
        for (int j = i + 1; j < n; j++) k = s[j] > s[k] ? j : k;
        if (k == i) continue;
        const T value = s[k];
        s[k] = s[i];
        s[i] = value;
        for (int j = 0; j < vectors; j++) {
            const T one = u[k * n + j], two = vt[j * n + k];
            u[k * n + j] = u[i * n + j];
            u[i * n + j] = one;
            vt[j * n + k] = vt[j * n + i];
            vt[j * n + i] = two;
        }
    }
    for (int i = n - 2; vectors && i >= 0; i--) {
        const T *here = a + i * (n + 1), *next = here + n;
        NAME(householder_apply)(here + 1, left[i], n - 1 - i, 1, u + i, 1, n, n);
        NAME(householder_apply)(next + n, right[i], n - 2 - i, n, vt + (i + 1) * n, n, n, 1);
    }
    return info;
}

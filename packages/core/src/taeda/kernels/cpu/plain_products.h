/* Products by plain loops, for what is too small for tiles or a call of BLAS: included once per dtype with T and SUFFIX defined.
 *
 *   begin   C = beta S, or 0 where there is no S
 *   loops   C += alpha A B
 *   outer   C = beta S + alpha a b of a column and a row
 */
#include <stdint.h>
#include <string.h>
#ifndef TAEDA_PLAIN_PRODUCTS_H
#define TAEDA_PLAIN_PRODUCTS_H
#define PLAIN static __attribute__((unused))
#define PLAIN_JOIN_(a, b) a##_##b
#define PLAIN_JOIN(a, b) PLAIN_JOIN_(a, b)
#define PLAIN_NAME(a) PLAIN_JOIN(a, SUFFIX)
#endif

PLAIN void PLAIN_NAME(begin)(T *c, int64_t m, int64_t n, int64_t crs, int64_t ccs, const T *src, int64_t srs, int64_t scs, T beta) {
    if (n == 1 && m > 1) {                                   /* a column is written as a row */
        n = m, m = 1;
        ccs = crs, scs = srs;
    }
    if (!src && ccs == 1 && (crs == n || m == 1)) {
        memset(c, 0, m * n * sizeof(T));
        return;
    }
    for (int64_t i = 0; i < m; i++) {
        T *row = c + i * crs;
        const T *from = src + i * srs;
        if (!src)
            for (int64_t j = 0; j < n; j++) row[j * ccs] = 0;
        else if (ccs == 1 && scs == 1)
            for (int64_t j = 0; j < n; j++) row[j] = beta * from[j];
        else if (ccs == 1 && scs == 0)
            for (int64_t j = 0; j < n; j++) row[j] = beta * from[0];
        else
            for (int64_t j = 0; j < n; j++) row[j * ccs] = beta * from[j * scs];
    }
}

/* Along rows of B where they are contiguous and no short ones, else a sum for each element. */
PLAIN void PLAIN_NAME(loops)(T *c, int64_t m, int64_t n, int64_t k, int64_t crs, int64_t ccs, const T *a, int64_t ars, int64_t acs,
                             const T *b, int64_t brs, int64_t bcs, T alpha) {
    for (int64_t i = 0; i < m; i++) {
        if (bcs == 1 && ccs == 1 && n >= 8) {
            for (int64_t l = 0; l < k; l++) {
                const T x = alpha * a[i * ars + l * acs];
                for (int64_t j = 0; j < n; j++) c[i * crs + j] += x * b[l * brs + j];
            }
            continue;
        }
        for (int64_t j = 0; j < n; j++) {
            T x = 0, x1 = 0, x2 = 0, x3 = 0;                 /* four sums: none waits for the one before */
            const T *pa = a + i * ars, *pb = b + j * bcs;
            for (int64_t l = 0; l < k / 4; l++, pa += 4 * acs, pb += 4 * brs) {
                x += pa[0] * pb[0];
                x1 += pa[acs] * pb[brs];
                x2 += pa[2 * acs] * pb[2 * brs];
                x3 += pa[3 * acs] * pb[3 * brs];
            }
            for (int64_t l = 0; l < k % 4; l++) x += pa[l * acs] * pb[l * brs];
            x += x1, x2 += x3, x += x2;
            c[i * crs + j * ccs] += (T)(alpha * x);
        }
    }
}

PLAIN void PLAIN_NAME(outer)(T *c, int64_t m, int64_t n, int64_t crs, int64_t ccs, const T *a, int64_t ars, const T *b, int64_t bcs,
                             T alpha, const T *src, int64_t srs, int64_t scs, T beta) {
    if (crs == 1 && n < m) {                                    /* columns lie side by side */
        PLAIN_NAME(outer)(c, n, m, ccs, crs, b, bcs, a, ars, alpha, src, scs, srs, beta);
        return;
    }
    for (int64_t i = 0; i < m; i++) {
        const T x = alpha * a[i * ars], *from = src + i * srs;
        T *row = c + i * crs;
        if (!src && ccs == 1 && bcs == 1)
            for (int64_t j = 0; j < n; j++) row[j] = x * b[j];
        else if (!src)
            for (int64_t j = 0; j < n; j++) row[j * ccs] = x * b[j * bcs];
        else if (ccs == 1 && bcs == 1 && scs == 1)
            for (int64_t j = 0; j < n; j++) row[j] = beta * from[j] + x * b[j];
        else
            for (int64_t j = 0; j < n; j++) row[j * ccs] = beta * from[j * scs] + x * b[j * bcs];
    }
}

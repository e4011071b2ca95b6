/* Columns of a block of rows, `step` elements apart, for batch normalisation where channels lie side by side: included once a type,
 * with T and SUFFIX defined.
 *
 * A block stays in the second-level cache, so that its mean is taken and subtracted before the next one is read.  Four rows are added up
 * before they meet the sums, which lie in the first-level cache: the next row would wait for an addition each.  No block has so many rows
 * that sums in T lose what matters; blocks are merged in double.
 */
#ifndef TAEDA_NORM_COLUMNS_H
#define TAEDA_NORM_COLUMNS_H
#include <stdint.h>

enum { NORM_COLS = 1024 };       /* columns at most: their sums are 4 to 8 KiB */
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

/* mean and m2 of `count` rows and those of `more` others become those of all of them */
static void cols_merge(double *restrict mean, double *restrict m2, double count, const double *restrict mean_too,
                       const double *restrict m2_too, double more, int64_t cols) {
    const double part = more / (count + more);
    for (int64_t c = 0; c < cols; c++) {
        const double d = mean_too[c] - mean[c];
        mean[c] += d * part;
        m2[c] += m2_too[c] + d * d * count * part;
    }
}
#endif

/* mean and m2 = sum (x - mean)^2 of `cols` columns */
static void NAME(cols_moments)(const T *restrict x, int64_t rows, int64_t step, int64_t cols, double *restrict mean, double *restrict m2) {
    T s[NORM_COLS], q[NORM_COLS], mu[NORM_COLS];
    int64_t n = 0;
    for (int64_t c = 0; c < cols; c++) s[c] = 0;
    for (; n + 4 <= rows; n += 4) {
        const T *r = x + n * step;
        for (int64_t c = 0; c < cols; c++) s[c] += (r[c] + r[step + c]) + (r[2 * step + c] + r[3 * step + c]);
    }
    for (; n < rows; n++)
        for (int64_t c = 0; c < cols; c++) s[c] += x[n * step + c];
    for (int64_t c = 0; c < cols; c++) {
        mu[c] = s[c] / (T)rows;
        s[c] = q[c] = 0;
    }
    for (n = 0; n + 4 <= rows; n += 4) {
        const T *r = x + n * step;
        for (int64_t c = 0; c < cols; c++) {
            const T d0 = r[c] - mu[c], d1 = r[step + c] - mu[c], d2 = r[2 * step + c] - mu[c], d3 = r[3 * step + c] - mu[c];
            s[c] += (d0 + d1) + (d2 + d3);
            q[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
        }
    }
    for (; n < rows; n++)
        for (int64_t c = 0; c < cols; c++) {
            const T d = x[n * step + c] - mu[c];
            s[c] += d;
            q[c] += d * d;
        }
    for (int64_t c = 0; c < cols; c++) {
        const double off = s[c] / (double)rows, rest = q[c] - off * off * (double)rows;
        mean[c] = (double)mu[c] + off;
        m2[c] = rest < 0 ? 0 : rest;
    }
}

static void NAME(cols_affine)(T *restrict y, const T *restrict x, int64_t rows, int64_t step, int64_t cols,
                              const T *restrict mean, const T *restrict a, const T *restrict b) {
    for (int64_t n = 0; n < rows; n++, x += step, y += step)
        for (int64_t c = 0; c < cols; c++) y[c] = (x[c] - mean[c]) * a[c] + b[c];
}

/* sum g and sum g (x - mean) of the columns of a block of rows */
static void NAME(cols_dots)(const T *restrict g, const T *restrict x, int64_t rows, int64_t step, int64_t cols,
                            const T *restrict mean, double *restrict sg, double *restrict sgx) {
    T s[NORM_COLS], q[NORM_COLS];
    int64_t n = 0;
    for (int64_t c = 0; c < cols; c++) s[c] = q[c] = 0;
    for (; n + 4 <= rows; n += 4) {
        const T *h = g + n * step, *r = x + n * step;
        for (int64_t c = 0; c < cols; c++) {
            const T m = mean[c], h0 = h[c], h1 = h[step + c], h2 = h[2 * step + c], h3 = h[3 * step + c];
            s[c] += (h0 + h1) + (h2 + h3);
            q[c] += (h0 * (r[c] - m) + h1 * (r[step + c] - m)) + (h2 * (r[2 * step + c] - m) + h3 * (r[3 * step + c] - m));
        }
    }
    for (; n < rows; n++)
        for (int64_t c = 0; c < cols; c++) {
            s[c] += g[n * step + c];
            q[c] += g[n * step + c] * (x[n * step + c] - mean[c]);
        }
    for (int64_t c = 0; c < cols; c++) { sg[c] = s[c]; sgx[c] = q[c]; }
}

static void NAME(cols_backward)(T *restrict gx, const T *restrict g, const T *restrict x, int64_t rows, int64_t step,
                                int64_t cols, const T *restrict mean, const T *restrict a, const T *restrict k1,
                                const T *restrict k2) {
    int moved = 0;                                  /* 0 in evaluation: the result does not depend on x, inf and nan included */
    for (int64_t c = 0; c < cols; c++) moved |= k1[c] != 0 || k2[c] != 0;
    for (int64_t n = 0; n < rows; n++, g += step, x += step, gx += step) {
        if (!moved) for (int64_t c = 0; c < cols; c++) gx[c] = a[c] * g[c];
        else for (int64_t c = 0; c < cols; c++) gx[c] = a[c] * g[c] - k1[c] - (x[c] - mean[c]) * k2[c];
    }
}

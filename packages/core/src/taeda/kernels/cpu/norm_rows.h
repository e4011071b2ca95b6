/* Rows and channels of normalisation: included once a type, with T and SUFFIX defined, after norm_columns.h and rows.h.
 *
 * Deviations are taken from a mean that is rounded to T, block by block in the first-level cache; what that mean was off by is summed on
 * the way, and blocks are merged in double (Chan, Golub and LeVeque, 1979).  So a large mean costs no digits.
 */
#ifndef TAEDA_NORM_ROWS_H
#define TAEDA_NORM_ROWS_H
enum { NORM_BLOCK = 2048 };      /* elements whose mean and deviation are taken together: 8 to 16 KiB */
#endif

/* mean and M2 = sum (x - mean)^2 of a channel: N rows of length L, `step` apart */
static void NAME(bn_moments)(const T *x, int64_t N, int64_t step, int64_t L, double *mean, double *m2) {
    double mu = 0, q = 0, off;
    if (L >= 64) {
        double count = 0;
        for (int64_t n = 0; n < N; n++)
            for (int64_t b = 0; b < L; b += NORM_BLOCK) {
                int64_t len = L - b < NORM_BLOCK ? L - b : NORM_BLOCK;
                const T *row = x + n * step + b;
                const T m = (T)(NAME(row_sum)(row, len) / (double)len);
                double sq = NAME(row_sumsq)(row, len, m, &off), total = count + (double)len;
                off /= (double)len;
                double d = (double)m + off - mu;
                q += sq - off * off * (double)len + d * d * count * (double)len / total;
                mu += d * (double)len / total;
                count = total;
            }
    } else {
        for (int64_t n = 0; n < N; n++) mu += NAME(row_sum)(x + n * step, L);
        const T m = (T)(mu / (double)(N * L));
        mu = 0;
        for (int64_t n = 0; n < N; n++) {
            q += NAME(row_sumsq)(x + n * step, L, m, &off);
            mu += off;
        }
        mu /= (double)(N * L);
        q -= mu * mu * (double)(N * L);
        mu += m;
    }
    *mean = mu;
    *m2 = q < 0 ? 0 : q;
}

/* y = (x - mean) a + b over a row */
static inline void NAME(row_affine)(T *restrict y, const T *restrict x, int64_t n, T mean, T a, T b) {
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * a + b;
}

/* gx = a g - k1 - (x - mean) k2 over a row */
static inline void NAME(row_bn_backward)(T *restrict gx, const T *restrict g, const T *restrict x,
                                         int64_t n, T mean, T a, T k1, T k2) {
    if (k1 == 0 && k2 == 0) for (int64_t i = 0; i < n; i++) gx[i] = a * g[i];      /* in evaluation: whatever x is, inf and nan too */
    else for (int64_t i = 0; i < n; i++) gx[i] = a * g[i] - k1 - (x[i] - mean) * k2;
}

/* y = ((x - mean) rstd - off) w + b over a row; w and b may be NULL */
static inline void NAME(row_norm)(T *restrict y, const T *restrict x, int64_t n, T mean, T rstd,
                                  T off, const T *restrict w, const T *restrict b) {
    if (w && b) for (int64_t i = 0; i < n; i++) y[i] = ((x[i] - mean) * rstd - off) * w[i] + b[i];
    else if (w) for (int64_t i = 0; i < n; i++) y[i] = ((x[i] - mean) * rstd - off) * w[i];
    else if (b) for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd - off + b[i];
    else for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd - off;
}

/* h = g w:  gx = rstd (h - mean(h) - xhat mean(h xhat)) over a row, without mean(h) if not centred;
   w may be NULL */
static inline void NAME(row_norm_backward)(T *restrict gx, const T *restrict g, const T *restrict x,
                                           int64_t n, T mean, T rstd, int centred,
                                           const T *restrict w) {
    double t1 = 0, t2 = 0;
    if (n == 1 && centred) {                    /* y does not depend on x: rounding of h - h k would be magnified by rstd */
        gx[0] = 0 * g[0] * rstd;
        return;
    }
    for (int64_t b = 0; b < n; b += TAEDA_ROW_BLOCK) {
        int64_t e = n - b < TAEDA_ROW_BLOCK ? n : b + TAEDA_ROW_BLOCK;
        T s1 = 0, s2 = 0;
        if (w) {
            _Pragma("omp simd reduction(+:s1,s2)")
            for (int64_t i = b; i < e; i++) {
                T h = g[i] * w[i];
                s1 += h;
                s2 += h * (x[i] - mean);
            }
        } else {
            _Pragma("omp simd reduction(+:s1,s2)")
            for (int64_t i = b; i < e; i++) {
                s1 += g[i];
                s2 += g[i] * (x[i] - mean);
            }
        }
        t1 += s1;
        t2 += s2;
    }
    T k1 = centred ? (T)(t1 / (double)n) : 0, k2 = (T)(t2 * rstd * rstd / (double)n);
    if (w) for (int64_t i = 0; i < n; i++) gx[i] = rstd * (g[i] * w[i] - k1 - (x[i] - mean) * k2);
    else for (int64_t i = 0; i < n; i++) gx[i] = rstd * (g[i] - k1 - (x[i] - mean) * k2);
}

/* gw += g (x - mean) rstd, gb += g over a row; either may be NULL */
static inline void NAME(row_norm_params)(T *restrict gw, T *restrict gb, const T *restrict g,
                                         const T *restrict x, int64_t n, T mean, T rstd) {
    if (gw) for (int64_t i = 0; i < n; i++) gw[i] += g[i] * (x[i] - mean) * rstd;
    if (gb) for (int64_t i = 0; i < n; i++) gb[i] += g[i];
}

/* Logarithms of sums of exponentials for reduce.pyx.in, of T, whose name is SUFFIX; included once a type.
 *
 * An accumulator is two doubles: the running maximum, and the sum of exp(x - maximum).  Both are T's within a block.
 */
#define TYPED__(a, s, b) a##s##b
#define TYPED_(a, s, b) TYPED__(a, s, b)
#define TYPED(a, b) TYPED_(a, SUFFIX, b)
#ifndef TAEDA_LOG_SUM_EXP_H
#define TAEDA_LOG_SUM_EXP_H
static inline void peak_join(double *a, double top, double sum) {
    if (sum == 0 || a[0] != a[0]) return;   /* nothing there, or NaN here */
    if (a[1] == 0 || top != top) { a[0] = top; a[1] = sum; return; }
    if (top == a[0]) a[1] += sum;
    else if (top > a[0]) { a[1] = a[1] * exp(a[0] - top) + sum; a[0] = top; }
    else a[1] += sum * exp(top - a[0]);
}
static void peak_init(void *acc, int64_t m) {
    for (int64_t j = 0; j < m; j++) { ((double *)acc)[2 * j] = -INFINITY; ((double *)acc)[2 * j + 1] = 0; }
}
static void peak_merge(void *acc, const void *other, int64_t m) {
    const double *v = (const double *)other;
    for (int64_t j = 0; j < m; j++) peak_join((double *)acc + 2 * j, v[2 * j], v[2 * j + 1]);
}
#endif

static void TYPED(peak_, _tile)(const char *data, int64_t n, int64_t sn, int64_t m, int64_t sm, void *into, int64_t base,
                            const Param *p) {
    const T *x = (const T *)data;
    double *acc = (double *)into;
    const int columns = sm == 1 && m > 1 && sn != 1;
    const int64_t step = columns ? ROWS : BLOCK;
    T top[TILE], sum[TILE];
    (void)base;
    for (int64_t lo = 0; lo < n; lo += step, x += step * sn) {
        const int64_t len = n - lo < step ? n - lo : step;
        if (columns) {
            for (int64_t j = 0; j < m; j++) { top[j] = -INFINITY; sum[j] = 0; }
            for (int64_t i = 0; i < len; i++) {
                #pragma omp simd
                for (int64_t j = 0; j < m; j++) top[j] = TYPED(amax_, _comb)(top[j], x[i * sn + j]);
            }
            for (int64_t i = 0; i < len; i++) {
                #pragma omp simd
                for (int64_t j = 0; j < m; j++) sum[j] += TYPED(t_exp_, )(x[i * sn + j] - top[j]);
            }
        } else {
            for (int64_t j = 0; j < m; j++) {
                const T *r = x + j * sm;
                const T t = TYPED(amax_, _row)(r, len, sn, p);
                T total = 0;
                if (sn == 1) {
                    #pragma omp simd reduction(+ : total)
                    for (int64_t i = 0; i < len; i++) total += TYPED(t_exp_, )(r[i] - t);
                } else {
                    for (int64_t i = 0; i < len; i++) total += TYPED(t_exp_, )(r[i * sn] - t);
                }
                top[j] = t;
                sum[j] = total;
            }
        }
        for (int64_t j = 0; j < m; j++) {
            if (top[j] == -INFINITY) continue;
            peak_join(acc + 2 * j, top[j], top[j] == INFINITY ? 1 : (double)sum[j]);
        }
    }
}
static void TYPED(peak_, _finish)(const void *acc, int64_t m, char *const *out, int64_t at, int64_t so, int64_t count,
                              const Param *p) {
    T *o = (T *)out[0] + at;
    const double *a = (const double *)acc;
    (void)count; (void)p;
    for (int64_t j = 0; j < m; j++) o[j * so] = (T)(a[2 * j] + (a[2 * j + 1] == 0 ? 0 : log(a[2 * j + 1])));
}
static const Spec TYPED(logsumexp_, _spec) = {16, 0, peak_init, TYPED(peak_, _tile), peak_merge, TYPED(peak_, _finish)};
#undef TYPED
#undef TYPED_
#undef TYPED__

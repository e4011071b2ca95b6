/* Mean and variance for reduce.pyx.in, of T, whose name is SUFFIX; included once a type.
 *
 * Exact two passes inside a block; blocks are joined by Chan's formula.
 */
#define TYPED__(a, s, b) a##s##b
#define TYPED_(a, s, b) TYPED__(a, s, b)
#define TYPED(a, b) TYPED_(a, SUFFIX, b)
#ifndef TAEDA_MOMENTS_H
#define TAEDA_MOMENTS_H
typedef struct { double n, mean, m2; } Moments;

static inline void moments_join(Moments *a, double n, double mean, double m2) {
    const double all = a->n + n, d = mean - a->mean;
    if (a->n == 0) { a->n = n; a->mean = mean; a->m2 = m2; return; }
    if (n == 0) return;
    a->mean += d * (n / all);
    a->m2 += m2 + d * d * (a->n * n / all);
    a->n = all;
}
static void moments_init(void *acc, int64_t m) {
    const Moments none = {0, 0, 0};
    for (int64_t j = 0; j < m; j++) ((Moments *)acc)[j] = none;
}
static void moments_merge(void *acc, const void *other, int64_t m) {
    const Moments *v = (const Moments *)other;
    for (int64_t j = 0; j < m; j++) moments_join((Moments *)acc + j, v[j].n, v[j].mean, v[j].m2);
}
#endif

static void TYPED(moments_, _tile)(const char *data, int64_t n, int64_t sn, int64_t m, int64_t sm, void *into, int64_t base,
                               const Param *p) {
    const T *x = (const T *)data;
    Moments *acc = (Moments *)into;
    const int columns = sm == 1 && m > 1 && sn != 1;
    const int64_t step = columns ? ROWS : BLOCK;
    double mean[TILE], m2[TILE];
    (void)base; (void)p;
    for (int64_t lo = 0; lo < n; lo += step, x += step * sn) {
        const int64_t len = n - lo < step ? n - lo : step;
        if (columns) {
            for (int64_t j = 0; j < m; j++) mean[j] = m2[j] = 0;
            for (int64_t i = 0; i < len; i++) {
                #pragma omp simd
                for (int64_t j = 0; j < m; j++) mean[j] += x[i * sn + j];
            }
            for (int64_t j = 0; j < m; j++) mean[j] /= (double)len;
            for (int64_t i = 0; i < len; i++) {
                #pragma omp simd
                for (int64_t j = 0; j < m; j++) { const double d = x[i * sn + j] - mean[j]; m2[j] += d * d; }
            }
            for (int64_t j = 0; j < m; j++) moments_join(acc + j, (double)len, mean[j], m2[j]);
        } else {
            for (int64_t j = 0; j < m; j++) {
                const T *r = x + j * sm;
                double total = 0, square = 0;
                if (sn == 1) {
                    #pragma omp simd reduction(+ : total)
                    for (int64_t i = 0; i < len; i++) total += r[i];
                } else {
                    for (int64_t i = 0; i < len; i++) total += r[i * sn];
                }
                total /= (double)len;
                if (sn == 1) {
                    #pragma omp simd reduction(+ : square)
                    for (int64_t i = 0; i < len; i++) { const double d = r[i] - total; square += d * d; }
                } else {
                    for (int64_t i = 0; i < len; i++) { const double d = r[i * sn] - total; square += d * d; }
                }
                moments_join(acc + j, (double)len, total, square);
            }
        }
    }
}
/* p[0].f: correction; p[1].i: 1 for the square root */
static void TYPED(moments_, _finish)(const void *acc, int64_t m, char *const *out, int64_t at, int64_t so, int64_t count,
                                 const Param *p) {
    const double left = (double)count - p[0].f;
    T *o = (T *)out[0] + at, *mean = (T *)out[1];
    for (int64_t j = 0; j < m; j++) {
        const Moments *a = (const Moments *)acc + j;
        const double v = count == 0 ? NAN : a->m2 / (left > 0 ? left : 0);
        o[j * so] = (T)(p[1].i ? sqrt(v) : v);
        if (mean) mean[at + j * so] = (T)(count == 0 ? NAN : a->mean);
    }
}
static const Spec TYPED(var_, _spec) = {sizeof(Moments), 0, moments_init, TYPED(moments_, _tile), moments_merge, TYPED(moments_, _finish)};
#undef TYPED
#undef TYPED_
#undef TYPED__

/* Sums, means and products of complex numbers for reduce.pyx.in, of parts T; SUFFIX is the name of the dtype, WIDTH the parts of a
 * vector, PART(name) a function of the sum of the parts' dtype.  Included once a type.
 *
 * Columns are twice as many real ones; in a row every second lane is an imaginary part.  An accumulator is two doubles.
 */
#ifndef TAEDA_REDUCE_COMPLEX_H
#define TAEDA_REDUCE_COMPLEX_H
#define C_JOIN__(a, s, b) a##s##b
#define C_JOIN_(a, s, b) C_JOIN__(a, s, b)
#define NAMED(a, b) C_JOIN_(a, SUFFIX, b)

static inline void complex_product_into(double *a, double re, double im) {
    const double was = a[0];
    a[0] = was * re - a[1] * im;
    a[1] = was * im + a[1] * re;
}
static void complex_ones(void *acc, int64_t m) {
    for (int64_t j = 0; j < m; j++) { ((double *)acc)[2 * j] = 1; ((double *)acc)[2 * j + 1] = 0; }
}
static void complex_products(void *acc, const void *other, int64_t m) {
    const double *v = (const double *)other;
    for (int64_t j = 0; j < m; j++) complex_product_into((double *)acc + 2 * j, v[2 * j], v[2 * j + 1]);
}
#endif
#define VECTOR NAMED(reduce_, _vector)

static inline void NAMED(fold_, )(VECTOR a, double *acc) {
    double re = 0, im = 0;
    for (int i = 0; i < WIDTH; i += 2) { re += a[i]; im += a[i + 1]; }
    acc[0] += re;
    acc[1] += im;
}
static void NAMED(sum_, _row)(const T *x, int64_t n, int64_t s, double *acc) {
    double re = 0, im = 0;
    int64_t i = 0;
    const int64_t all = 2 * n;
    if (s == 1) {
        while (all - i >= WIDTH) {
            const int64_t hi = all - i < BLOCK ? all : i + BLOCK;
            VECTOR a0 = PART(load)(x + i);
            i += WIDTH;
            if (i + 3 * WIDTH <= hi) {
                VECTOR a1 = PART(load)(x + i), a2 = PART(load)(x + i + WIDTH), a3 = PART(load)(x + i + 2 * WIDTH);
                for (i += 3 * WIDTH; i + 4 * WIDTH <= hi; i += 4 * WIDTH) {
                    a0 += PART(load)(x + i);
                    a1 += PART(load)(x + i + WIDTH);
                    a2 += PART(load)(x + i + 2 * WIDTH);
                    a3 += PART(load)(x + i + 3 * WIDTH);
                }
                a0 = (a0 + a1) + (a2 + a3);
            }
            for (; i + WIDTH <= hi; i += WIDTH) a0 += PART(load)(x + i);
            NAMED(fold_, )(a0, acc);
        }
        for (; i < all; i += 2) { re += x[i]; im += x[i + 1]; }
    } else {
        for (; i < n; i++) { re += x[2 * i * s]; im += x[2 * i * s + 1]; }
    }
    acc[0] += re;
    acc[1] += im;
}
static void NAMED(sum_, _init)(void *acc, int64_t m) { PART(init)(acc, 2 * m); }
static void NAMED(sum_, _merge)(void *acc, const void *other, int64_t m) { PART(merge)(acc, other, 2 * m); }
static void NAMED(sum_, _tile)(const char *data, int64_t n, int64_t sn, int64_t m, int64_t sm, void *into, int64_t base, const Param *p) {
    const T *x = (const T *)data;
    double *acc = (double *)into;
    (void)base;
    if (sm == 1 && m > 1 && sn != 1) {
        for (int64_t j = 0; j < 2 * m; j += TILE) PART(cols)(x + j, n, 2 * sn, 2 * m - j < TILE ? 2 * m - j : TILE, acc + j, p);
    } else {
        for (int64_t j = 0; j < m; j++) NAMED(sum_, _row)(x + 2 * j * sm, n, sn, acc + 2 * j);
    }
}
static void NAMED(sum_, _finish)(const void *acc, int64_t m, char *const *out, int64_t at, int64_t so, int64_t count, const Param *p) {
    T *o = (T *)out[0] + 2 * at;
    const double *a = (const double *)acc;
    (void)count;
    (void)p;
    for (int64_t j = 0; j < m; j++) { o[2 * j * so] = (T)a[2 * j]; o[2 * j * so + 1] = (T)a[2 * j + 1]; }
}
static void NAMED(mean_, _finish)(const void *acc, int64_t m, char *const *out, int64_t at, int64_t so, int64_t count, const Param *p) {
    T *o = (T *)out[0] + 2 * at;
    const double *a = (const double *)acc, n = (double)count;
    (void)p;
    for (int64_t j = 0; j < m; j++) { o[2 * j * so] = (T)(a[2 * j] / n); o[2 * j * so + 1] = (T)(a[2 * j + 1] / n); }
}
static const Spec NAMED(sum_, _spec) = {16, 0, NAMED(sum_, _init), NAMED(sum_, _tile), NAMED(sum_, _merge), NAMED(sum_, _finish)};
static const Spec NAMED(mean_, _spec) = {16, 0, NAMED(sum_, _init), NAMED(sum_, _tile), NAMED(sum_, _merge), NAMED(mean_, _finish)};

static void NAMED(prod_, _tile)(const char *data, int64_t n, int64_t sn, int64_t m, int64_t sm, void *into, int64_t base, const Param *p) {
    const T *x = (const T *)data;
    double *acc = (double *)into;
    (void)base;
    (void)p;
    if (sm == 1 && m > 1 && sn != 1) {
        for (int64_t i = 0; i < n; i++, x += 2 * sn) {
            _Pragma("GCC ivdep")
            for (int64_t j = 0; j < m; j++) {
                const double re = acc[2 * j], im = acc[2 * j + 1], u = x[2 * j], v = x[2 * j + 1];
                acc[2 * j] = re * u - im * v;
                acc[2 * j + 1] = re * v + im * u;
            }
        }
        return;
    }
    for (int64_t j = 0; j < m; j++, x += 2 * sm, acc += 2) {          /* four chains, as each product waits for the last */
        double part[8] = {1, 0, 1, 0, 1, 0, 1, 0};
        int64_t i = 0;
        for (; i + 4 <= n; i += 4)
            for (int k = 0; k < 4; k++) complex_product_into(part + 2 * k, x[2 * (i + k) * sn], x[2 * (i + k) * sn + 1]);
        for (; i < n; i++) complex_product_into(part, x[2 * i * sn], x[2 * i * sn + 1]);
        if (n >= 4) {
            complex_product_into(part, part[2], part[3]);
            complex_product_into(part + 4, part[6], part[7]);
            complex_product_into(part, part[4], part[5]);
        }
        complex_product_into(acc, part[0], part[1]);
    }
}
static const Spec NAMED(prod_, _spec) = {16, 0, complex_ones, NAMED(prod_, _tile), complex_products, NAMED(sum_, _finish)};
#undef VECTOR

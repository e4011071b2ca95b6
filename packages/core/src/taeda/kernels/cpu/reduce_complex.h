/* Sums, means and products of complex numbers for reduce.pyx.in, of parts T; SUFFIX is the name of the dtype, WIDTH the parts of a
 * vector, PART(name) a function of the sum of the parts' dtype.  Included once a type, c128 first.
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
static inline V_double4 four_c64(const float *x) {
#ifdef __AVX2__
    return (V_double4)_mm256_cvtps_pd(_mm_loadu_ps(x));     /* the compiler converts halves: twice the time of a product */
#else
    return (V_double4){x[0], x[1], x[2], x[3]};
#endif
}
static inline V_double4 four_c128(const double *x) { V_double4 v; memcpy(&v, x, sizeof v); return v; }
static inline void four_products(V_double4 *a, V_double4 *b, V_double4 re, V_double4 im) {
    const V_double4 was = *a;
    *a = was * re - *b * im;
    *b = was * im + *b * re;
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

/* The parts of four complex numbers as vectors of doubles, in the order 0, 2, 1, 3. */
static inline void NAMED(split_, )(const T *x, V_double4 *re, V_double4 *im) {
    const V_double4 u = NAMED(four_, )(x), v = NAMED(four_, )(x + 4);
    *re = __builtin_shufflevector(u, v, 0, 4, 2, 6);
    *im = __builtin_shufflevector(u, v, 1, 5, 3, 7);
}
/* acc times the products of the columns; four rows are multiplied before acc is read and written */
static void NAMED(prod_, _cols)(const T *x, int64_t n, int64_t sn, int64_t m, double *acc) {
    int64_t i = 0;
    for (; i + 4 <= n; i += 4, x += 8 * sn) {
        int64_t j = 0;
        for (; j + 4 <= m; j += 4) {
            V_double4 re[4], im[4], a, b;
            _Pragma("GCC unroll 4")
            for (int k = 0; k < 4; k++) NAMED(split_, )(x + 2 * (k * sn + j), re + k, im + k);
            four_products(re, im, re[1], im[1]);
            four_products(re + 2, im + 2, re[3], im[3]);
            four_products(re, im, re[2], im[2]);
            split_c128(acc + 2 * j, &a, &b);
            four_products(&a, &b, re[0], im[0]);
            re[0] = __builtin_shufflevector(a, b, 0, 4, 2, 6);
            re[1] = __builtin_shufflevector(a, b, 1, 5, 3, 7);
            memcpy(acc + 2 * j, re, 2 * sizeof a);
        }
        for (; j < m; j++)
            for (int k = 0; k < 4; k++) complex_product_into(acc + 2 * j, x[2 * (k * sn + j)], x[2 * (k * sn + j) + 1]);
    }
    for (; i < n; i++, x += 2 * sn)
        for (int64_t j = 0; j < m; j++) complex_product_into(acc + 2 * j, x[2 * j], x[2 * j + 1]);
}
static void NAMED(prod_, _row)(const T *x, int64_t n, int64_t s, double *acc) {
    int64_t i = 0;
    if (s == 1 && n >= 16) {                    /* sixteen chains in four vectors, as each product waits for the last */
        V_double4 re[4], im[4], u, v;
        _Pragma("GCC unroll 4")
        for (int k = 0; k < 4; k++) NAMED(split_, )(x + 8 * k, re + k, im + k);
        for (i = 16; i + 16 <= n; i += 16)
            _Pragma("GCC unroll 4")
            for (int k = 0; k < 4; k++) {
                NAMED(split_, )(x + 2 * i + 8 * k, &u, &v);
                four_products(re + k, im + k, u, v);
            }
        four_products(re, im, re[1], im[1]);
        four_products(re + 2, im + 2, re[3], im[3]);
        four_products(re, im, re[2], im[2]);
        for (int k = 0; k < 4; k++) complex_product_into(acc, re[0][k], im[0][k]);
    }
    for (; i < n; i++) complex_product_into(acc, x[2 * i * s], x[2 * i * s + 1]);
}
static void NAMED(prod_, _tile)(const char *data, int64_t n, int64_t sn, int64_t m, int64_t sm, void *into, int64_t base, const Param *p) {
    const T *x = (const T *)data;
    double *acc = (double *)into;
    (void)base;
    (void)p;
    if (sm == 1 && m > 1 && sn != 1) NAMED(prod_, _cols)(x, n, sn, m, acc);
    else for (int64_t j = 0; j < m; j++) NAMED(prod_, _row)(x + 2 * j * sm, n, sn, acc + 2 * j);
}
static const Spec NAMED(prod_, _spec) = {16, 0, complex_ones, NAMED(prod_, _tile), complex_products, NAMED(sum_, _finish)};
#undef VECTOR

/* Orthogonal polynomials of degree n at x; n is truncated to an integer, and one of -1 or below gives 0, as in PyTorch.
 *
 * Low degrees go by the recurrence of three terms.  Beyond, Chebyshev's are trigonometric in t = arccos x, hyperbolic in
 * t = arcosh x for |x| > 1: any degree takes the same time.  The sign of x is taken out first, so t is exact near x = -1 too.
 */
#ifndef TAEDA_POLYNOMIALS_H
#define TAEDA_POLYNOMIALS_H
#include "abi.h"
#include "series.h"

enum {
    CHEBYSHEV_STEPS = 30,
    HERMITE_LIMIT_f32 = 128, HERMITE_LIMIT_f64 = 512,       /* PyTorch's: nan beyond */
    RECURRENCE_LIMIT = 1 << 26                              /* a third of a second an element; nan beyond */
};

/* p_n of p_k = 2 x p_(k-1) - p_(k-2) from p_0 = 1, p_1 = first */
static double chebyshev_steps(double x, double first, int64_t n) {
    double p = 1, q = first;
    if (n == 0) return p;
    for (int64_t k = 2; k <= n && q == q; k++) {
        const double r = 2 * x * q - p;
        p = q;
        q = r;
    }
    return q;
}

static int64_t degree(double n) { return n > -1 && n < 9.2e18 ? (int64_t)n : -1; }
static double odd_sign(int64_t n) { return n & 1 ? -1 : 1; }
static double angle_of(double x) { return 2 * asin(sqrt((1 - x) / 2)); }

/* T_n = cos(n t), U_n = sin((n+1) t) / sin t, V_n = cos((n+1/2) t) / cos(t/2), W_n = sin((n+1/2) t) / sin(t/2) */
static double special_chebyshev_polynomial_t(double x, double degree_n) {
    const int64_t n = degree(degree_n);
    if (n < 0) return 0;
    if (n <= CHEBYSHEV_STEPS || !(fabs(x) < INFINITY)) return fabs(x) == 1 ? (x < 0 ? odd_sign(n) : 1) : chebyshev_steps(x, x, n);
    if (x < 0) return odd_sign(n) * special_chebyshev_polynomial_t(-x, degree_n);
    return x <= 1 ? cos(n * angle_of(x)) : cosh(n * acosh(x));
}
static double special_chebyshev_polynomial_u(double x, double degree_n) {
    const int64_t n = degree(degree_n);
    if (n < 0) return 0;
    if (n <= CHEBYSHEV_STEPS || !(fabs(x) < INFINITY)) return chebyshev_steps(x, 2 * x, n);
    if (x < 0) return odd_sign(n) * special_chebyshev_polynomial_u(-x, degree_n);
    if (x == 1) return n + 1.0;
    const double slope = sqrt(fabs(1 - x)) * sqrt(1 + x);
    return (x < 1 ? sin((n + 1.0) * angle_of(x)) : sinh((n + 1.0) * acosh(x))) / slope;
}
static double special_chebyshev_polynomial_w(double x, double degree_n);
static double special_chebyshev_polynomial_v(double x, double degree_n) {
    const int64_t n = degree(degree_n);
    if (n < 0) return 0;
    if (n <= CHEBYSHEV_STEPS || !(fabs(x) < INFINITY)) return chebyshev_steps(x, 2 * x - 1, n);
    if (x < 0) return odd_sign(n) * special_chebyshev_polynomial_w(-x, degree_n);
    return (x <= 1 ? cos((n + 0.5) * angle_of(x)) : cosh((n + 0.5) * acosh(x))) / sqrt((1 + x) / 2);
}
static double special_chebyshev_polynomial_w(double x, double degree_n) {
    const int64_t n = degree(degree_n);
    if (n < 0) return 0;
    if (n <= CHEBYSHEV_STEPS || !(fabs(x) < INFINITY)) return chebyshev_steps(x, 2 * x + 1, n);
    if (x < 0) return odd_sign(n) * special_chebyshev_polynomial_v(-x, degree_n);
    if (x == 1) return 2.0 * n + 1;
    return (x < 1 ? sin((n + 0.5) * angle_of(x)) : sinh((n + 0.5) * acosh(x))) / sqrt(fabs(1 - x) / 2);
}

/* Blocks of one low degree, which is what a number gives, step side by side. */
#define CHEBYSHEV_BLOCK(KIND, FIRST, ARGUMENT, NAME) \
    static void NAME##_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) { \
        const int64_t m = n ? degree(w[0]) : 0; \
        int one = m >= 1 && m <= CHEBYSHEV_STEPS; \
        double before[SPECIAL_BLOCK]; \
        for (int64_t i = 0; i < n; i++) one &= w[i] == w[0]; \
        if (!one) { \
            for (int64_t i = 0; i < n; i++) y[i] = special_chebyshev_polynomial_##KIND(ARGUMENT(x[i]), w[i]); \
            return; \
        } \
        for (int64_t i = 0; i < n; i++) { const double a = ARGUMENT(x[i]); before[i] = 1, y[i] = FIRST; } \
        for (int64_t k = 2; k <= m; k++) \
            for (int64_t i = 0; i < n; i++) { \
                const double q = y[i], r = 2 * ARGUMENT(x[i]) * q - before[i]; \
                before[i] = q, y[i] = r; \
            } \
    }
#define AS_IT_IS(x) (x)
#define SHIFTED(x) (2 * (x) - 1)
#define CHEBYSHEV_BLOCKS(KIND, FIRST) \
    CHEBYSHEV_BLOCK(KIND, FIRST, AS_IT_IS, chebyshev_polynomial_##KIND) \
    CHEBYSHEV_BLOCK(KIND, FIRST, SHIFTED, shifted_chebyshev_polynomial_##KIND)
CHEBYSHEV_BLOCKS(t, a)
CHEBYSHEV_BLOCKS(u, 2 * a)
CHEBYSHEV_BLOCKS(v, 2 * a - 1)
CHEBYSHEV_BLOCKS(w, 2 * a + 1)

/* H_k = 2 x H_(k-1) - 2 (k-1) H_(k-2); He_k = x He_(k-1) - (k-1) He_(k-2); beyond the limit nan */
static double hermite(double x, int64_t n, double scale, int64_t limit) {
    double p = 1, q = scale * x;
    if (n <= 0) return n < 0 ? 0 : 1;
    if (n > limit) return NAN;
    for (int64_t k = 2; k <= n && q == q; k++) {
        const double r = scale * (x * q - (k - 1) * p);
        p = q;
        q = r;
    }
    return q;
}

/* k L_k = (2k - 1 - x) L_(k-1) - (k-1) L_(k-2) */
static double special_laguerre_polynomial_l(double x, double degree_n) {
    const int64_t n = degree(degree_n);
    double p = 1, q = 1 - x;
    if (n <= 0) return n < 0 ? 0 : 1;
    if (x == 0) return 1;
    if (n > RECURRENCE_LIMIT) return NAN;
    for (int64_t k = 2; k <= n && q == q; k++) {
        const double r = ((2.0 * k - 1 - x) * q - (k - 1.0) * p) / k;
        p = q;
        q = r;
    }
    return q;
}

/* k P_k = (2k - 1) x P_(k-1) - (k-1) P_(k-2) */
static double special_legendre_polynomial_p(double x, double degree_n) {
    const int64_t n = degree(degree_n);
    double p = 1, q = x;
    if (n <= 0) return n < 0 ? 0 : 1;
    if (fabs(x) == 1) return x < 0 ? odd_sign(n) : 1;
    if (n > RECURRENCE_LIMIT) return NAN;
    for (int64_t k = 2; k <= n && q == q; k++) {
        const double r = ((2.0 * k - 1) * x * q - (k - 1.0) * p) / k;
        p = q;
        q = r;
    }
    return q;
}

/* A low degree that is the same for a block goes by P_k = (a x + b) P_(k-1) - c P_(k-2), step by step for all of its elements. */
enum { BLOCK_STEPS = 64 };
typedef struct { double a, b, c; } Step;
INLINE Step hermite_h_step(double k) { const Step s = {2, 0, 2 * (k - 1)}; return s; }
INLINE Step hermite_he_step(double k) { const Step s = {1, 0, k - 1}; return s; }
INLINE Step laguerre_step(double k) { const Step s = {-1 / k, (2 * k - 1) / k, (k - 1) / k}; return s; }
INLINE Step legendre_step(double k) { const Step s = {(2 * k - 1) / k, 0, (k - 1) / k}; return s; }
#define RECURRENCE_BLOCK(NAME, STEP, ONE) \
    static void NAME##_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) { \
        double before[SPECIAL_BLOCK]; \
        int same = w[0] >= 2 && w[0] <= BLOCK_STEPS; \
        for (int64_t i = 0; i < n; i++) same &= w[i] == w[0]; \
        if (!same) { \
            for (int64_t i = 0; i < n; i++) y[i] = ONE(x[i], w[i]); \
            return; \
        } \
        const Step first = STEP(1); \
        for (int64_t i = 0; i < n; i++) { before[i] = 1; y[i] = first.a * x[i] + first.b; } \
        for (int64_t k = 2; k <= (int64_t)w[0]; k++) { \
            const Step s = STEP((double)k); \
            for (int64_t i = 0; i < n; i++) { \
                const double next = (s.a * x[i] + s.b) * y[i] - s.c * before[i]; \
                before[i] = y[i]; \
                y[i] = next; \
            } \
        } \
    }
#define HERMITE_H_f32(x, n) hermite(x, degree(n), 2, HERMITE_LIMIT_f32)
#define HERMITE_H_f64(x, n) hermite(x, degree(n), 2, HERMITE_LIMIT_f64)
#define HERMITE_HE_f32(x, n) hermite(x, degree(n), 1, HERMITE_LIMIT_f32)
#define HERMITE_HE_f64(x, n) hermite(x, degree(n), 1, HERMITE_LIMIT_f64)
RECURRENCE_BLOCK(hermite_polynomial_h_f32, hermite_h_step, HERMITE_H_f32)
RECURRENCE_BLOCK(hermite_polynomial_h_f64, hermite_h_step, HERMITE_H_f64)
RECURRENCE_BLOCK(hermite_polynomial_he_f32, hermite_he_step, HERMITE_HE_f32)
RECURRENCE_BLOCK(hermite_polynomial_he_f64, hermite_he_step, HERMITE_HE_f64)
RECURRENCE_BLOCK(laguerre_polynomial_l, laguerre_step, special_laguerre_polynomial_l)
RECURRENCE_BLOCK(legendre_polynomial_p, legendre_step, special_legendre_polynomial_p)
#endif

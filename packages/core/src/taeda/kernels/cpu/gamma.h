/* The gamma function's family: digamma, ln Gamma, Hurwitz's zeta, polygamma; incomplete_gamma.h has P and Q.
 *
 * a. digamma: a polynomial with the zero divided out on [1, 2], reached by psi(x + 1) = psi(x) + 1/x; Stirling's
 *    series from 10 on; reflection below 0.
 * b. zeta(s, q): terms up to q + k = 10 + s/2, the rest by Euler and Maclaurin.  For negative q the terms of either sign are
 *    two zeta functions of positive arguments, so nothing takes longer for q = -1e15.
 */
#ifndef TAEDA_GAMMA_H
#define TAEDA_GAMMA_H
#include "abi.h"
#include "errors.h"
#include "series.h"
#include "special_tables.h"

#define EPSILON 1.1e-16

/* psi(x) for x >= 0: n / d gathers the terms of psi(x + 1) = psi(x) + 1/x, so that there is one division */
INLINE double digamma_positive(double x) {
    const int far = x >= 10;
    double y = far ? 1.5 : x < 1 ? x + 1 : x, n = x < 1 ? -1 : 0, d = x < 1 ? x : 1;
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
        const int more = y > 2;
        y = more ? y - 1 : y;
        n = more ? n * y + d : n;
        d = more ? d * y : d;
    }
    const double large = far ? x : 10, r = 1 / large, t = r * r;
    const double tail = t * (1 / 12.0 - t * (1 / 120.0 - t * (1 / 252.0 - t * (1 / 240.0 - t * (1 / 132.0 - t
                        * (691 / 32760.0 - t * (1 / 12.0 - t * (3617 / 8160.0))))))));
    return far ? t_log_f64(large) - 0.5 * r - tail : (y - PSI_ZERO_HI - PSI_ZERO_LO) * fit_digamma(y) + n / d;
}
/* pi cot(pi x) */
INLINE double pi_cot_pi(double x) {
    double s, c;
    turn_pi(x, &s, &c);
    return PI * c / s;
}
static double special_digamma(double x) {
    if (x == 0) return copysign(INFINITY, -x);
    if (x > 0 || x != x) return digamma_positive(x);
    return x == rint(x) ? NAN : digamma_positive(1 - x) - pi_cot_pi(x);
}
static void digamma_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    int all = 1;
    for (int64_t i = 0; i < n; i++) all &= x[i] > 0;
    for (int64_t i = 0; i < n; i++) y[i] = digamma_positive(x[i] > 0 ? x[i] : 1 - x[i]);
    if (all) return;
    for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? y[i] : y[i] - pi_cot_pi(x[i]);
    for (int64_t i = 0; i < n; i++) if (x[i] <= 0 && x[i] == rint(x[i])) y[i] = special_digamma(x[i]);
}

/* ln Gamma(x) for x >= 0.  Up to 9.5, x = m + d with |d| <= 1/2: ln Gamma(2 + d) = d (1 + d) fit(d), and the product of the steps
 * from 2 + d to x has one logarithm; d is exact, so the values near 1 and 2 keep their digits. */
INLINE double lgamma_product(double x) {
    int64_t unused;
    const int far = x >= 9.5;
    const double near = far ? 2 : x, m = nearest(near, &unused), d = near - m;
    double product = 1;
#pragma GCC unroll 8
    for (int k = 2; k < 9; k++) product *= m > k ? d + k : 1;
    product = m == 1 ? x : m == 0 ? x * (1 + x) : product;
    return far ? x : product;
}
INLINE double lgamma_from_log(double x, double l) {
    int64_t unused;
    const int far = x >= 9.5;
    const double near = far ? 2 : x, m = nearest(near, &unused), d = near - m, y = d * (1 + d) * fit_lgamma2(d);
    const double large = far ? x : 10, r = 1 / large, t = r * r;
    const double series = 1 / 12.0 - t * (1 / 360.0 - t * (1 / 1260.0 - t * (1 / 1680.0 - t * (1 / 1188.0 - t * (691 / 360360.0)))));
    const double stirling = (large - 0.5) * l - large + LN_SQRT_2PI + r * series;
    return x == INFINITY ? x : far ? stirling : m < 2 ? y - l : y + l;
}
INLINE double lgamma_positive(double x) { return lgamma_from_log(x, t_log_f64(lgamma_product(x))); }

/* For x <= 0 from y = ln Gamma(-x): ln(pi / (-x sin(-pi x))) - y.  Beside its zeros there, and next to 0, libm knows the digits that this
 * loses.  In passes, as the processor cannot work on two such long chains at a time. */
static void lgamma_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    double u[SPECIAL_BLOCK];
    int all = 1, sign;
    for (int64_t i = 0; i < n; i++) all &= x[i] > 0;
    for (int64_t i = 0; i < n; i++) u[i] = lgamma_product(fabs(x[i]));
    for (int64_t i = 0; i < n; i++) u[i] = t_log_f64(u[i]);
    for (int64_t i = 0; i < n; i++) y[i] = lgamma_from_log(fabs(x[i]), u[i]);
    if (all) return;
    for (int64_t i = 0; i < n; i++) {
        double s, c;
        turn_pi(x[i], &s, &c);
        u[i] = PI / fabs(x[i] * s);
    }
    for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? y[i] : t_log_f64(u[i]) - y[i];
    NOTE(double) rare = 0;
#define LGAMMA_RARE(x, y) ((x <= 0) & ((fabs(y) < 0.01) | !((x < -1e-150) & (x > -1e15))))
    for (int64_t i = 0; i < n; i++) rare |= -(NOTE(double))LGAMMA_RARE(x[i], y[i]);
    if (rare) for (int64_t i = 0; i < n; i++) if (LGAMMA_RARE(x[i], y[i])) y[i] = lgamma_r(x[i], &sign);
}

/* q^(s-1) zeta(s, q) for s > 1, q > 0: the power is left to the caller, who may know that it underflows.
 * Powers (q / (q + k))^s are made eight at a time, in vectors. */
static double zeta_scaled(double s, double q) {
    double sum = 0, power[8], last = 1, a = q;
    for (int64_t k = 0, found = 0; !found; k += 8) {
_Pragma("GCC unroll 1")
        for (int j = 0; j < 8; j++) power[j] = t_exp_f64(-s * t_log1p_f64(((double)k + j) / q));
        for (int j = 0; j < 8 && !found; j++) {
            last = power[j];
            a = q + (k + j);
            found = a >= 10 + s / 2;
            if (!found && last < EPSILON / 8 * sum) return sum / q;
            sum += found ? 0 : last;
        }
    }
    double tail = a / (s - 1) + 0.5, factor = s / a;
    for (int j = 0; j < 12; j++) {
        const double term = EULER_MACLAURIN[j] * factor;
        tail += term;
        if (fabs(term) < EPSILON / 8 * tail) break;
        factor *= (s + 2 * j + 1) / a * ((s + 2 * j + 2) / a);
    }
    return (sum + last * tail) / q;
}

static double zeta_positive(double s, double q) {
    return q < 1 ? pow(q, -s) * (zeta_scaled(s, q) * q) : pow(q, 1 - s) * zeta_scaled(s, q);
}

/* sum_k (q + k)^-s; at infinite arguments PyTorch's values */
static double special_zeta(double s, double q) {
    if (s == 1) return INFINITY;
    if (s < 1) return NAN;
    if (q <= 0 && q == floor(q)) return INFINITY;
    if (s != s || q != q || fabs(q) == INFINITY || (q < 0 && s != floor(s))) return NAN;
    if (s == INFINITY) return q < 1 ? INFINITY : q == 1 ? 1 : NAN;
    if (q > 0) return zeta_positive(s, q);
    const double left = -q - floor(-q), sign = fmod(s, 2) == 0 ? 1 : -1;      /* left is exact, for q next to 0 too */
    return zeta_positive(s, 1 - left) + sign * zeta_positive(s, left) - sign * zeta_positive(s, 1 - q);
}

/* psi' for x > 0: ten terms of 1 / (x + k)^2, two by two, and Stirling's series of the rest */
INLINE double trigamma(double x) {
    const int far = x >= 10;
    const double near = far ? 10 : x;
    double sum = 0;
#pragma GCC unroll 8
    for (int k = 0; k < 10; k += 2) {
        const double a = (near + k) * (near + k), b = (near + k + 1) * (near + k + 1);
        sum += (a + b) / (a * b);
    }
    const double r = 1 / (far ? x : x + 10), t = r * r;
    const double tail = 0.5 * t + r * (1 + t * (1 / 6.0 - t * (1 / 30.0 - t * (1 / 42.0 - t * (1 / 30.0 - t * (5 / 66.0 - t
                        * (691 / 2730.0 - t * (7 / 6.0 - t * (3617 / 510.0)))))))));
    return far ? tail : sum + tail;
}

/* the n-th derivative of digamma: (-1)^(n+1) n! zeta(n + 1, x) */
static double special_polygamma(double n, double x) {
    if (n == 0) return special_digamma(x);
    const double sign = fmod(n, 2) == 0 ? -1 : 1;
    if (n == 1 && x > 0) return trigamma(x);
    if (n == 1 && x == -INFINITY) return NAN;
    const double factorial = n <= 170 ? tgamma(n + 1) : INFINITY, zeta = special_zeta(n + 1, x);
    if (!(x > 0 && x < INFINITY) || (factorial < INFINITY && zeta > 1e-290 && zeta < INFINITY)) return sign * factorial * zeta;
    return sign * exp(lgamma(n + 1) - n * log(x)) * zeta_scaled(n + 1, x);
}

static void polygamma_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    const double order = (double)p[0].i;
    if (order == 0) {
        digamma_block(y, x, w, n, p);
    } else if (order == 1) {
        int all = 1;
        for (int64_t i = 0; i < n; i++) all &= x[i] > 0;
        for (int64_t i = 0; i < n; i++) y[i] = trigamma(x[i] > 0 ? x[i] : 1 - x[i]);
        if (all) return;
        for (int64_t i = 0; i < n; i++) {
            double s, c;
            turn_pi(x[i], &s, &c);
            y[i] = x[i] > 0 ? y[i] : (PI / s) * (PI / s) - y[i];             /* by reflection; both terms are far apart */
        }
        for (int64_t i = 0; i < n; i++) if (x[i] <= 0 && x[i] == rint(x[i])) y[i] = special_polygamma(1, x[i]);
    } else {
        for (int64_t i = 0; i < n; i++) y[i] = special_polygamma(order, x[i]);
    }
}

/* ln of the multivariate gamma function: p (p-1) / 4 ln pi + sum over j < p of ln Gamma(x - j/2) */
static void mvlgamma_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    double shifted[SPECIAL_BLOCK], term[SPECIAL_BLOCK];
    for (int64_t i = 0; i < n; i++) y[i] = (double)p[0].i * (p[0].i - 1) / 4 * LN_PI;
    for (int64_t j = 0; j < p[0].i; j++) {
        for (int64_t i = 0; i < n; i++) shifted[i] = x[i] - 0.5 * j;
        lgamma_block(term, shifted, w, n, p);
        for (int64_t i = 0; i < n; i++) y[i] += term[i];
    }
}

#endif

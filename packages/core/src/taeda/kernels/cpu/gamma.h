/* The gamma function's family: digamma, Hurwitz's zeta, polygamma, the regularised incomplete gamma functions.
 *
 * a. digamma: a Chebyshev sum with the zero divided out on [1, 2], reached by psi(x + 1) = psi(x) + 1/x; Stirling's
 *    series from 10 on; reflection below 0.
 * b. zeta(s, q): terms up to q + k = 10 + s/2, the rest by Euler and Maclaurin.  For negative q the terms of either sign are
 *    two zeta functions of positive arguments, so nothing takes longer for q = -1e15.
 * c. P(a, x), Q(a, x): Temme's uniform expansion (1979; DLMF 8.12) where a is large and x near it, else the power series
 *    of P below x = a + 1 and the continued fraction of Q above; each of the two is computed where it is the smaller one.
 */
#ifndef TAEDA_GAMMA_H
#define TAEDA_GAMMA_H
#include "series.h"
#include "special_tables.h"

#define EPSILON 1.1e-16

static double special_digamma(double x) {
    if (x == 0) return copysign(INFINITY, -x);
    if (x < 0) {
        const double r = x - rint(x);
        return r == 0 || x == -INFINITY ? NAN : special_digamma(1 - x) - PI / tan(PI * r);
    }
    if (x >= 10) {
        const double t = 1 / (x * x);
        return log(x) - 0.5 / x - t * (1 / 12.0 - t * (1 / 120.0 - t * (1 / 252.0 - t * (1 / 240.0 - t * (1 / 132.0 - t
               * (691 / 32760.0 - t * (1 / 12.0 - t * 3617 / 8160.0)))))));
    }
    double shift = 0;
    if (x < 1) {
        shift = -1 / x;
        x += 1;
    }
    while (x > 2) {
        x -= 1;
        shift += 1 / x;
    }
    return (x - PSI_ZERO_HI - PSI_ZERO_LO) * CHEBYSHEV(DIGAMMA, x, 1, 2) + shift;
}

/* q^(s-1) zeta(s, q) for s > 1, q > 0: the power is left to the caller, who may know that it underflows */
static double zeta_scaled(double s, double q) {
    double sum = 0, power = 1, k = 0;                           /* power = (q / (q + k))^s */
    while (q + k < 10 + s / 2) {
        sum += power;
        k += 1;
        power = exp(-s * log1p(k / q));
        if (power < EPSILON / 8 * sum) return sum / q;
    }
    const double a = q + k;
    double tail = a / (s - 1) + 0.5, factor = s / a;
    for (int j = 0; j < 12; j++) {
        const double term = EULER_MACLAURIN[j] * factor;
        tail += term;
        if (fabs(term) < EPSILON / 8 * tail) break;
        factor *= (s + 2 * j + 1) / a * ((s + 2 * j + 2) / a);
    }
    return (sum + power * tail) / q;
}

static double zeta_positive(double s, double q) {
    return q < 1 ? pow(q, -s) * (zeta_scaled(s, q) * q) : pow(q, 1 - s) * zeta_scaled(s, q);
}

/* sum_k (q + k)^-s; at infinite arguments PyTorch's values */
static double special_zeta(double s, double q) {
    if (s == 1) return INFINITY;
    if (s < 1) return NAN;
    if (q <= 0 && q == floor(q) && q > -INFINITY) return INFINITY;
    if (s != s || q != q || fabs(q) == INFINITY || (q < 0 && s != floor(s))) return NAN;
    if (s == INFINITY) return q < 1 ? INFINITY : q == 1 ? 1 : NAN;
    if (q > 0) return zeta_positive(s, q);
    const double left = -q - floor(-q), sign = fmod(s, 2) == 0 ? 1 : -1;      /* left is exact, for q next to 0 too */
    return zeta_positive(s, 1 - left) + sign * zeta_positive(s, left) - sign * zeta_positive(s, 1 - q);
}

/* psi' for finite x > 0, without powers */
static double trigamma(double x) {
    double sum = 0;
    for (; x < 10; x += 1) sum += 1 / (x * x);
    const double t = 1 / (x * x);
    return sum + 0.5 * t + (1 + t * (1 / 6.0 - t * (1 / 30.0 - t * (1 / 42.0 - t * (1 / 30.0 - t * (5 / 66.0 - t
           * (691 / 2730.0 - t * (7 / 6.0 - t * 3617 / 510.0)))))))) / x;
}

/* the n-th derivative of digamma: (-1)^(n+1) n! zeta(n + 1, x) */
static double special_polygamma(double n, double x) {
    if (n == 0) return special_digamma(x);
    const double sign = fmod(n, 2) == 0 ? -1 : 1;
    if (n == 1 && x > 0) return x == INFINITY ? 0 : trigamma(x);
    const double factorial = n <= 170 ? tgamma(n + 1) : INFINITY, zeta = special_zeta(n + 1, x);
    if (!(x > 0 && x < INFINITY) || (factorial < INFINITY && zeta > 1e-290 && zeta < INFINITY)) return sign * factorial * zeta;
    return sign * exp(lgamma(n + 1) - n * log(x)) * zeta_scaled(n + 1, x);
}

/* ln of the multivariate gamma function: p (p-1) / 4 ln pi + sum over j < p of ln Gamma(x - j/2) */
static double special_mvlgamma(double p, double x) {
    double sum = p * (p - 1) / 4 * LN_PI;
    for (int64_t j = 0; j < p; j++) sum += lgamma(x - 0.5 * j);
    return sum;
}

/* mu - ln(1 + mu) for mu = x/a - 1 */
static double log_gap(double a, double x) {
    const double mu = (x - a) / a;
    if (fabs(mu) > 0.5) return mu - log(x / a);
    const double t = mu / (2 + mu), z = t * t;
    double power = 1, sum = 0;
    for (int k = 3; k < 45; k += 2) {
        sum += power / k;
        power *= z;
    }
    return mu * t - 2 * t * z * sum;
}

/* ln Gamma(1 + a) */
static double lgamma1p(double a) { return fabs(a) <= 0.5 ? a * CHEBYSHEV(LGAMMA1P, a, -0.5, 0.5) : lgamma(1 + a); }

/* x^a e^-x / Gamma(a + 1) */
static double gamma_term(double a, double x) {
    if (a < 20) {
        if (x > 2000) return 0;
        const double half = exp(-x / 2);
        return pow(x, a) * half * half / tgamma(a + 1);
    }
    const double t = 1 / (a * a);
    const double stirling = (1 / 12.0 - t * (1 / 360.0 - t * (1 / 1260.0 - t * (1 / 1680.0 - t / 1188)))) / a;
    return exp(-a * log_gap(a, x) - stirling) / (SQRT_2PI * sqrt(a));
}

/* P(a, x) = x^a e^-x / Gamma(a + 1) (1 + x / (a+1) + x^2 / ((a+1) (a+2)) + ...) */
static double gamma_series(double a, double x) {
    double term = 1, sum = 1;
    for (int k = 1; k < 2000 && term > EPSILON / 8 * sum; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return gamma_term(a, x) * sum;
}

/* Q(a, x) = x^a e^-x / Gamma(a) / (x+1-a - (1-a) / (x+3-a - 2 (2-a) / (x+5-a - ...))), from the front (Lentz 1976) */
static double gamma_fraction(double a, double x) {
    double b = x + 1 - a, c = INFINITY, d = 1 / b, h = d;
    for (int k = 1; k < 2000; k++) {
        const double n = k * (a - k);
        b += 2;
        d = 1 / (b + n * d);
        c = b + n / c;
        h *= c * d;
        if (fabs(c * d - 1) < EPSILON) break;
    }
    return gamma_term(a, x) * a * h;
}

/* Q(a, x) for x < 1.1 and a < 1: 1 - x^a / Gamma(1+a) (1 + a sum_k (-x)^k / (k! (a+k))), without the cancelling 1 */
static double gamma_complement(double a, double x) {
    const double power = a * log(x) - lgamma1p(a);
    double term = 1, sum = 0;
    for (int k = 1; k < 40; k++) {
        term *= -x / k;
        sum += term / (a + k);
    }
    return -expm1(power) - exp(power) * a * sum;
}

/* Q(a, x), or P(a, x) for side = -1: erfc(+-eta sqrt(a/2)) / 2 +- e^(-a eta^2 / 2) / sqrt(2 pi a) sum_k C_k(eta) a^-k */
static double gamma_uniform(double a, double x, double side) {
    const double gap = log_gap(a, x), eta = copysign(sqrt(2 * gap), x - a);
    double sum = 0;
    for (int k = TEMME_ORDERS - 1; k >= 0; k--) {
        double c = 0;
        for (int n = TEMME_TERMS - 1; n >= 0; n--) c = c * eta + TEMME[k * TEMME_TERMS + n];
        sum = sum / a + c;
    }
    return 0.5 * erfc(side * eta * sqrt(a / 2)) + side * exp(-a * gap) / (SQRT_2PI * sqrt(a)) * sum;
}

static int gamma_is_uniform(double a, double x) { return a >= 20 && fabs(x - a) < 0.3 * a; }

static double special_igamma(double a, double x) {
    if (x < 0 || a < 0) return NAN;
    if (a == 0) return x > 0 ? 1 : NAN;
    if (x == 0) return 0;
    if (a == INFINITY) return x == INFINITY ? NAN : 0;
    if (x == INFINITY) return 1;
    if (a != a || x != x) return NAN;
    if (gamma_is_uniform(a, x)) return gamma_uniform(a, x, -1);
    return x < a + 1 || x < 1.1 ? fmin(gamma_series(a, x), 1) : 1 - gamma_fraction(a, x);
}

static double special_igammac(double a, double x) {
    if (x < 0 || a < 0) return NAN;
    if (a == 0) return x > 0 ? 0 : NAN;
    if (x == 0) return 1;
    if (a == INFINITY) return x == INFINITY ? NAN : 1;
    if (x == INFINITY) return 0;
    if (a != a || x != x) return NAN;
    if (gamma_is_uniform(a, x)) return gamma_uniform(a, x, 1);
    if (x < 1.1 && a < 1) return gamma_complement(a, x);
    return x < a + 1 || x < 1.1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
}
#endif

/* How a gamma or beta variable moves with its parameter while its quantile stays: dx/da = -(dF/da) / (dF/dx), the gradient of a
 * sample that was drawn by rejection (Figurnov, Mohamed and Mnih, 2018, "Implicit reparameterization gradients").
 *
 * Below the middle F is a series or fraction, above it 1 - F; each side's derivative in the parameter is a sum of positive terms
 * there, so that nothing cancels.  A fraction is run as its numerators and denominators together with their derivatives, scaled
 * so that they neither overflow nor vanish.
 *
 * a. gamma, x <= max(a + 1/2, 2): x^a e^-x sum_k x^k / Gamma(a+k+1), the derivative term by term.
 * b. gamma, above: Q = x^a e^-x / Gamma(a) h, h = 1 / (x+1-a - (1-a) / (x+3-a - 2 (2-a) / (x+5-a - ...))).
 * c. gamma, a >= 300 within 6 deviations: Cornish and Fisher's expansion of x in the normal quantile z (1938), whose z is found by
 *    Newton's steps; below 1e-9 of the true slope.  Series and fraction would take some sqrt(a) terms.
 * d. beta: the fraction of DLMF 8.17.22 for F(x; a, b), or for F(1-x; b, a) above (a+1) / (a+b+2).
 */
#ifndef TAEDA_SAMPLE_SLOPE_H
#define TAEDA_SAMPLE_SLOPE_H
#include "gamma.h"

enum { SLOPE_STEPS = 20000 };

/* A fraction's last two numerators p and denominators q, with their derivatives. */
typedef struct { double p0, q0, p, q, dp0, dq0, dp, dq; } Fraction;

/* Take one more term: next = b current + a previous. */
INLINE void fraction_step(Fraction *f, double a, double da, double b, double db) {
    const double dp = b * f->dp + db * f->p + a * f->dp0 + da * f->p0, dq = b * f->dq + db * f->q + a * f->dq0 + da * f->q0;
    const double p = b * f->p + a * f->p0, q = b * f->q + a * f->q0;
    f->p0 = f->p, f->q0 = f->q, f->dp0 = f->dp, f->dq0 = f->dq;
    f->p = p, f->q = q, f->dp = dp, f->dq = dq;
}
INLINE void fraction_scale(Fraction *f) {
    const double size = fabs(f->q);
    if (size > 1e-100 && size < 1e100) return;
    const double s = 1 / size;
    f->p0 *= s, f->q0 *= s, f->p *= s, f->q *= s;
    f->dp0 *= s, f->dq0 *= s, f->dp *= s, f->dq *= s;
}
/* The value and its derivative so far; 1 where both stand still. */
INLINE int fraction_value(const Fraction *f, double eps, double *value, double *slope) {
    const double v = f->p / f->q, d = (f->dp - v * f->dq) / f->q;
    const int done = fabs(v - *value) <= eps * fabs(v) && fabs(d - *slope) <= eps * (fabs(d) + fabs(v));
    *value = v, *slope = d;
    return done;
}

static double gamma_slope_series(double a, double x, double eps) {
    double rise = digamma_positive(a + 1) - log(x), term = x / a, sum = term * rise, size = fabs(sum);
    for (int k = 1; k < SLOPE_STEPS; k++) {
        term *= x / (a + k);
        rise += 1 / (a + k);
        const double add = term * rise;
        sum += add;
        size += fabs(add);
        if (fabs(add) <= eps * size && k > x - a) break;
    }
    return sum;
}
static double gamma_slope_fraction(double a, double x, double eps) {
    Fraction f = {0, 1, 1, x + 1 - a, 0, 0, 0, -1};
    double h = 0, slope = 0;
    for (int n = 1; n < SLOPE_STEPS; n++) {
        fraction_step(&f, -n * (n - a), n, x + 2 * n + 1 - a, -1);
        fraction_scale(&f);
        if (fraction_value(&f, eps, &h, &slope)) break;
    }
    return x * ((log(x) - special_digamma(a)) * h + slope);
}
/* x = a + z sqrt(a) + c2 + c3 / sqrt(a) + c4 / a + c5 / a^(3/2) + c6 / a^2 with polynomials c of z */
static double gamma_slope_large(double a, double x) {
    const double r = 1 / sqrt(a), away = (x - a) * r;
    double z = away, c2, c3, c4, c5, c6, t;
    for (int i = 0; i < 5; i++) {
        t = z * z;
        c2 = (t - 1) / 3;
        c3 = z * (t - 7) / 36;
        c4 = (16 - t * (7 + 3 * t)) / 810;
        c5 = z * (t * (9 * t + 256) - 433) / 38880;
        c6 = (t * (t * (12 * t - 243) - 923) + 1472) / 204120;
        const double slope = 1 + r * (2 * z / 3 + r * ((3 * t - 7) / 36 - r * z * (14 + 12 * t) / 810));
        z -= (z + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * c6)))) - away) / slope;
    }
    return 1 + r * (z / 2 - r * r * (c3 / 2 + r * (c4 + r * (1.5 * c5 + r * 2 * c6))));
}
static double gamma_slope(double a, double x, double eps) {
    if (!(a > 0) || !(x > 0) || x == INFINITY) return x <= 0 ? 0 : NAN;
    if (a >= 300 && fabs(x - a) < 6 * sqrt(a)) return gamma_slope_large(a, x);
    return x <= fmax(a + 0.5, 2) ? gamma_slope_series(a, x, eps) : gamma_slope_fraction(a, x, eps);
}

/* The fraction of F(x; a, b) a / (x^a (1-x)^b) B(a, b) and its derivative, in a (first) or in b. */
static void beta_fraction(double a, double b, double x, int first, double eps, double *value, double *slope) {
    Fraction f = {0, 1, 1, 1, 0, 0, 0, 0};       /* 1 / (1 + d1 / (1 + d2 / ...)): the numerators start one step late */
    const double s = a + b;
    *value = *slope = 0;
    for (int m = 0; m < SLOPE_STEPS; m++) {
        const double n = a + 2 * m, odd = -(a + m) * (s + m) * x / (n * (n + 1));
        const double d_odd = first ? odd * (1 / (a + m) + 1 / (s + m) - 1 / n - 1 / (n + 1)) : odd / (s + m);
        fraction_step(&f, odd, d_odd, 1, 0);
        const double k = m + 1, from = (n + 1) * (n + 2), even = k * (b - k) * x / from;
        const double d_even = first ? -even * (1 / (n + 1) + 1 / (n + 2)) : k * x / from;
        fraction_step(&f, even, d_even, 1, 0);
        fraction_scale(&f);
        if (fraction_value(&f, eps, value, slope)) break;
    }
}
/* dx/da / (1 - x) for x of Beta(a, b): what a share of a Dirichlet variable takes from all shares alike */
static double dirichlet_slope(double x, double a, double total, double eps) {
    const double b = total - a;
    double f, slope;
    if (x != x || a != a || b != b) return NAN;
    if (!(x > 0) || !(a > 0) || !(b > 0) || x > 1) return 0;
    const double c = special_digamma(total) - special_digamma(a) + log(x);      /* log x less its mean */
    if (x <= (a + 1) / (total + 2)) {
        beta_fraction(a, b, x, 1, eps, &f, &slope);
        return x / a * ((1 / a - c) * f - slope);
    }
    beta_fraction(b, a, 1 - x, 0, eps, &f, &slope);
    return x / b * (c * f + slope);
}
#endif

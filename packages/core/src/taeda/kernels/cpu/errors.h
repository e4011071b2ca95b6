/* Functions of the normal distribution: erfcx, the inverses of erf and of the distribution, its logarithm; and the
 * pointwise forms of probability and entropy (logit, entr, sinc).
 *
 * Inverses come from Chebyshev sums: erfinv(x) / x by x^2 in the middle, and beyond by s = sqrt(-ln q), where q is the
 * probability that is left over; 1 - |x| is exact there, so the tails keep their digits.
 */
#ifndef TAEDA_ERRORS_H
#define TAEDA_ERRORS_H
#include "formulas.h"
#include "series.h"
#include "special_tables.h"

/* y with erfc(y) = q for q in [0, 1/2] */
static double erfc_inverse(double q) {
    if (q == 0) return INFINITY;
    const double s = sqrt(-log(q));
    return s < 2 ? CHEBYSHEV(ERFCINV0, s, 0.8, 2.0)
         : s < 6 ? CHEBYSHEV(ERFCINV1, s, 2.0, 6.0) : s * CHEBYSHEV(ERFCINV2, 1 / s, 1 / 28.0, 1 / 6.0);
}

static double special_erfinv(double x) {
    const double a = fabs(x);
    if (!(a <= 1)) return NAN;
    return a <= 0.5 ? x * CHEBYSHEV(ERFINV, x * x, 0, 0.25) : copysign(erfc_inverse(1 - a), x);
}

/* e^(x^2) erfc(x); from 25 on by its asymptotic series, before erfc becomes subnormal */
static double special_erfcx(double x) {
    if (x < 25) return x < -27 ? INFINITY : exp_square(x, 1) * erfc(x);
    const double t = 0.5 / (x * x);
    return (1 - t * (1 - 3 * t * (1 - 5 * t * (1 - 7 * t * (1 - 9 * t * (1 - 11 * t)))))) / (x * SQRT_PI);
}

static double special_ndtr(double x) {
    return x < -5 ? 0.5 * exp_square(x, -0.5) * special_erfcx(-x * SQRT1_2) : 0.5 * erfc(-x * SQRT1_2);
}

static double special_log_ndtr(double x) {
    if (x < -1) return log(special_erfcx(-x * SQRT1_2) / 2) - x * x / 2;
    return log1p(-erfc(x * SQRT1_2) / 2);
}

static double special_ndtri(double p) {
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p >= 0.25 && p <= 0.75) return special_erfinv(2 * p - 1) / SQRT1_2;
    return p < 0.5 ? -erfc_inverse(2 * p) / SQRT1_2 : erfc_inverse(2 * (1 - p)) / SQRT1_2;
}

/* ln(x / (1 - x)); around 1/2 ln(1 + d) with d = (2 x - 1) / (1 - x), which is exact.  Blends, for the vectoriser. */
static inline double special_logit(double x) {
    const double d = (2 * x - 1) / (1 - x), middle = 1 + d, outer = x / (1 - x);
    const int near = x > 0.25 && x < 0.75;
    return t_log_f64(near ? middle : outer) + (near ? (d - (middle - 1)) / middle : 0);
}

static inline double special_entr(double x) {
    const double y = -x * t_log_f64(x > 0 ? x : 1);
    return x < 0 ? -INFINITY : x == 0 ? 0 : y;
}

static double special_sinc(double x) { return x == 0 ? 1 : sin_pi(x) / (PI * x); }

/* d sinc / dx = (cos(pi x) - sinc x) / x, near 0 by its series, where the difference would cancel */
static double special_sinc_slope(double x) {
    if (fabs(x) > 0.25) return (cos_pi(x) - special_sinc(x)) / x;
    const double z = PI * x * (PI * x);
    double term = -PI * PI * x / 3, sum = term;
    for (int k = 1; k < 10; k++) {
        term *= -z * (k + 1) / ((double)k * (2 * k + 2) * (2 * k + 3));
        sum += term;
    }
    return sum;
}

static inline double special_xlog1py(double x, double y) {
    const double product = x * t_log1p_f64(y);
    return x == 0 && y == y ? 0 : product;
}
#endif

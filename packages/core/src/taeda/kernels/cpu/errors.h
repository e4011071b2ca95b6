/* Functions of the normal distribution: erfcx, the inverses of erf and of the distribution, its logarithm; and the
 * pointwise forms of probability and entropy (entr, sinc).
 *
 * Inverses come from polynomials: erfinv(x) / x by x^2 in the middle, and beyond by s = sqrt(-ln q), where q is the
 * probability that is left over; 1 - |x| is exact there, so the tails keep their digits.
 *
 * As in all headers of special functions: special_NAME has no branches and is vectorised in a loop (special.h); where it does not
 * hold, RARE_NAME says so and exact_NAME, one element at a time, does.
 */
#ifndef TAEDA_ERRORS_H
#define TAEDA_ERRORS_H
#include "abi.h"
#include "erf.h"
#include "once.h"
#include "series.h"
#include "special_tables.h"

/* y with erfc(y) = q from s = sqrt(-ln q), for q in [LEFT_OVER, 1/2]; for smaller q by 1 / s */
#define LEFT_OVER 2.4e-16
INLINE double erfc_inverse(double s) { return s < 2 ? fit_erfcinv0(s) : fit_erfcinv1(s); }
static double erfc_inverse_tail(double q) {
    if (q == 0) return INFINITY;
    const double s = sqrt(-log(q));
    return s < 6 ? erfc_inverse(s) : s * fit_erfcinv2(1 / s);
}

/* Two passes: the chain of log, sqrt and polynomial is too long for the processor to work on two of them at a time. */
static void erfinv_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    double s[SPECIAL_BLOCK];
    NOTE(double) rare = 0;
    for (int64_t i = 0; i < n; i++) rare |= -(NOTE(double))!(1 - fabs(x[i]) >= LEFT_OVER);
    for (int64_t i = 0; i < n; i++) s[i] = sqrt(-t_log_f64_usual(1 - fabs(x[i])));
    for (int64_t i = 0; i < n; i++) {
        const double a = x[i];
        y[i] = fabs(a) <= 0.5 ? a * fit_erfinv(a * a) : copysign(erfc_inverse(s[i]), a);
    }
    if (rare) for (int64_t i = 0; i < n; i++) if (!(1 - fabs(x[i]) >= LEFT_OVER))
        y[i] = fabs(x[i]) <= 1 ? copysign(erfc_inverse_tail(1 - fabs(x[i])), x[i]) : NAN;
}
/* Phi(y) = p: -sqrt(2) erfcinv(2 p) below 1/2, and so on */
static double ndtri_tail(double p) {
    if (!(p >= 0 && p <= 1)) return NAN;
    return p < 0.5 ? -SQRT_2 * erfc_inverse_tail(2 * p) : SQRT_2 * erfc_inverse_tail(2 * (1 - p));
}
static void ndtri_f64_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    double s[SPECIAL_BLOCK];
    NOTE(double) rare = 0;
    for (int64_t i = 0; i < n; i++) rare |= -(NOTE(double))!(x[i] >= LEFT_OVER && 1 - x[i] >= LEFT_OVER);
    for (int64_t i = 0; i < n; i++) s[i] = sqrt(-t_log_f64_usual(x[i] < 0.5 ? 2 * x[i] : 2 * (1 - x[i])));
    for (int64_t i = 0; i < n; i++) {
        const double m = 2 * x[i] - 1;
        y[i] = SQRT_2 * (fabs(m) <= 0.5 ? m * fit_erfinv(m * m) : copysign(erfc_inverse(s[i]), m));
    }
    if (rare) for (int64_t i = 0; i < n; i++) if (!(x[i] >= LEFT_OVER && 1 - x[i] >= LEFT_OVER)) y[i] = ndtri_tail(x[i]);
}
/* to float32's digits: sqrt(2) erfinv(2 p - 1) but in the ends */
#define NDTRI_MIDDLE(p) (fabs((p) - 0.5) <= 0.4999)
static void ndtri_f32_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    NOTE(double) rare = 0;
    for (int64_t i = 0; i < n; i++) rare |= -(NOTE(double))!NDTRI_MIDDLE(x[i]);
    for (int64_t i = 0; i < n; i++) y[i] = t_once_erfinv_middle(t_once_erfinv_u(4 * x[i] * (1 - x[i]))) * (SQRT_2 * (2 * x[i] - 1));
    if (rare) for (int64_t i = 0; i < n; i++) if (!NDTRI_MIDDLE(x[i])) y[i] = ndtri_tail(x[i]);
}

/* e^(a^2) erfc(a) for a >= 0 */
INLINE double erfcx_positive(double a) {
    const double c = a > 1e300 ? 1e300 : a;
    return 0.5 * t_erfcx_core_f64((c - 4) / (c + 4)) / (0.5 + a);
}
/* for x < 0 by 2 e^(x^2) - erfcx(-x) */
INLINE double special_erfcx(double x) {
    const double a = fabs(x), c = a > 28 ? 28 : a, y = erfcx_positive(a);
    double low;
    const double e = t_exp_f64(t_square_parts_f64(c, &low));
    return x < 0 ? 2 * (e * (1 + low * (1 + low * (0.5 + low * (1 / 6.0))))) - y : y;
}

/* Phi(-a) / erfcx(a / sqrt 2) for a >= 0: e^(-a^2 / 2) / 2 */
INLINE double normal_tail(double a) {
    const double c = a > 40 ? 40 : a;
    double low;
    const double e = t_exp_f64(-0.5 * t_square_parts_f64(c, &low));
    low *= 0.5;
    return 0.5 * (e * (1 - low * (1 - low * (0.5 - low * (1 / 6.0)))));
}
INLINE double special_ndtr(double x) {
    const double a = fabs(x), y = normal_tail(a) * erfcx_positive(a * SQRT1_2);
    return x > 0 ? 1 - y : y;
}
/* ln Phi(x): below -1 without the exponential, which would vanish; above 0 ln(1 - Phi(-x)) */
INLINE double special_log_ndtr(double x) {
    const double a = fabs(x), scaled = erfcx_positive(a * SQRT1_2), y = normal_tail(a) * scaled, u = 1 - y;
    const double l = t_log_f64(x < -1 ? 0.5 * scaled : x < 0 ? y : u);
    return x < -1 ? l - 0.5 * x * x : x < 0 ? l : -((y - (1 - u)) / u - l);
}

INLINE double special_entr(double x) {
    const double y = -x * t_log_f64(x > 0 ? x : 1);
    return x < 0 ? -INFINITY : x == 0 ? 0 : y;
}

/* sin(pi x) and cos(pi x) for |x| <= 1e15, with exact zeros */
INLINE void turn_pi(double x, double *sine, double *cosine) {
    int64_t k;
    const double f = x - 0.5 * nearest(2 * x, &k);
    double s, c;
    t_turn_f64(PI * f, 0, &s, &c);
    const double a = k & 1 ? c : s, b = k & 1 ? s : c;
    *sine = k & 2 ? -a : a;
    *cosine = (k + 1) & 2 ? -b : b;
}
INLINE double special_sinc(double x) {
    double s, c;
    turn_pi(x, &s, &c);
    return x == 0 ? 1 : s == 0 ? 0 : s / (PI * x);
}
#define RARE_sinc(x) (!(fabs(x) <= 1e15))
static double exact_sinc(double x) { return sin_pi(x) / (PI * x); }

/* d sinc / dx = (cos(pi x) - sinc x) / x, near 0 by its series, where the difference would cancel: terms (-1)^k 2k z^k / (2k + 1)! / x */
INLINE double special_sinc_slope(double x) {
    double s, c;
    turn_pi(x, &s, &c);
    const int near = fabs(x) <= 0.25;
    const double z = near ? PI * x * (PI * x) : 0, y = near ? 1 : x;
    double q = 1 / 22230464256000.0 - z * (1 / 6758061133824000.0);
    q = 1 / 518918400.0 - z * (1 / 93405312000.0 - z * q);
    q = 1 / 840.0 - z * (1 / 45360.0 - z * (1 / 3991680.0 - z * q));
    const double series = -PI * PI * x * (1 / 3.0 - z * (1 / 30.0 - z * q));
    return near ? series : (c - s / (PI * y)) / y;
}
#define RARE_sinc_slope RARE_sinc
static double exact_sinc_slope(double x) { return (cos_pi(x) - sin_pi(x) / (PI * x)) / x; }

INLINE double special_xlog1py(double x, double y) {
    const double product = x * t_log1p_f64(y);
    return x == 0 && y == y ? 0 : product;
}
#endif

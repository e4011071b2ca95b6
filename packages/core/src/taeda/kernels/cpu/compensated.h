/* float64's elementary functions with sums and quotients in two parts: t_NAME_compensated where formulas.h has a short form (1 to 3 units
 * in the last place), for the insides of other formulas; else t_NAME_f64.
 *
 * A number in two parts (a double-double) is a rounded one and what rounding took off it.  A result whose first part is exact to some
 * bits and whose second is smaller by a tenth or more errs by half a unit, and by a tenth of one, as the second's own rounding is a tenth
 * as large.
 * Largest errors (docs/accuracy.md): 0.7 units, of sin, cos and tan 0.9.
 *
 *     exp, expm1          x = k ln2 + r + r1, 2^k (1 + r + (r1 + r^2 P(r))); exp2 1 + f ln2 + (f^2 Q(f)) with x = k + f
 *     log and kin         log m = f - f^2/2 + s (f^2/2 + R(s^2)), f = m - 1 and s = f / (2 + f); f - f^2/2 in two parts
 *     log1p, asinh ..     log(u + u1) = log u + u1 / u, where u + u1 is 1 + x, x + sqrt(x^2 + 1), x + sqrt(x^2 - 1), (1 + x) / (1 - x)
 *     sinh, cosh          (e^x -+ 1 / e^x) / 2; tanh n / (1 + n) with n = (e^-2x - 1) / 2
 *     tan                 sin / cos or - cos / sin of the rest of a quarter turn
 *     atan                k pi/4 +- atan(q), q the ratio, or its turn (t - 1) / (t + 1) above tan(pi/8)
 *     asin, acos          x + x^3 P(x^2), or pi/2 less twice that of sqrt((1 - x) / 2) above 1/2
 *
 * Compilers may fuse a product with the sum after it: what is exact is not changed by that, and what must be rounded is written by
 * t_rounded_product_f64.
 */
#ifndef TAEDA_COMPENSATED_H
#define TAEDA_COMPENSATED_H
#include "formulas.h"

/* -- numbers in two parts ------------------------------------------------------------------------------------ */

/* what rounding took off the sum s = a + b: of any numbers (Knuth's), and where |a| >= |b| or a is 0 (Dekker's) */
INLINE double t_sum_error_f64(double a, double b, double s) {
    const double t = s - a;
    return (a - (s - t)) + (b - t);
}
INLINE double t_fast_sum_error_f64(double a, double b, double s) { return (a - s) + b; }

/* c - a b, which are nearly the same */
INLINE double t_difference_f64(double c, double a, double b) {
    const double p = t_rounded_product_f64(a, b);
    return TAEDA_FUSED ? FMA_F64(-a, b, c) : (c - p) - t_product_error_f64(a, b, p);
}
/* (n + n1) / (d + d1), for 2^-1000 < d < 2^1000 */
INLINE double t_quotient_f64(double n, double n1, double d, double d1, double *rest) {
    const double r = 1.0 / d, q = t_rounded_product_f64(n, r);
    *rest = (t_difference_f64(n, q, d) + (n1 - q * d1)) * r;
    return q;
}
/* sqrt(x + x1) for x >= 0 */
INLINE double t_root_f64(double x, double x1, double *rest) {
    const double r = sqrt(x), t = (t_difference_f64(x, r, r) + x1) * 0.5 / r;
    *rest = x > 0 ? t : 0;
    return r;
}

/* -- exponentials -------------------------------------------------------------------------------------------- */

#define LN2 6.93147180559945286227e-01
#define LN2_REST 2.31904681384629955842e-17
#define LN2_HIGH 6.93147180369123816490e-01              /* 21 zeros at the end: products by an exponent are exact */
#define LN2_LOW 1.90821492927058770002e-10

/* x = n ln2 + r + r1; the bits of the result are n's, above those of 0x4338000000000000 */
INLINE double t_exp_rest_f64(double x, double *r, double *r1) {
    const double m = x * 1.4426950408889634 + 6755399441055744.0, n = m - 6755399441055744.0;
    const double high = x - n * LN2_HIGH, low = t_rounded_product_f64(n, LN2_LOW);
    *r = high - low;
    *r1 = (high - *r) - low;
    return m;
}
/* e^(r + r1) - 1 - r - r^2 / 2 for |r| <= ln2 / 2 and z = r^2: a fit times r^3 */
INLINE double t_exp_tail_f64(double r, double r1, double z) {
    const double a = r * 0.041666666666666664 + 0.16666666666666669, b = r * 0.0013888888888886554 + 0.0083333333333300633;
    const double c = r * 2.4801587317136892e-05 + 0.00019841269863042963, d = r * 2.7557282981373398e-07 + 2.7557268476553695e-06;
    const double e = r * 2.0911231005922852e-09 + 2.5100377619606372e-08;
    return (((e * z + d) * z + c) * (z * z) + (b * z + a)) * (r * z) + (r1 + r1 * r);
}
INLINE int64_t t_exp_exponent(double m) { return t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL); }
/* y 2^k, rounded once where that is subnormal */
INLINE double t_scaled_f64(double y, int64_t k) {
    const int64_t h = t_half_i64(k);
    return y * t_pow2i_f64(h) * t_pow2i_f64(t_minus_i64(k, (uint64_t)h));
}
/* e^(r + r1) */
INLINE double t_exp_of_rest_f64(double r, double r1, double *rest) {
    const double z = r * r, one = 1.0 + r, low = t_fast_sum_error_f64(1.0, r, one) + (0.5 * z + t_exp_tail_f64(r, r1, z)), y = one + low;
    *rest = t_fast_sum_error_f64(one, low, y);
    return y;
}

INLINE double t_exp_compensated(double x) {
    double c = x > 710.0 ? 710.0 : x, r, r1, rest;
    c = c < -746.0 ? -746.0 : c;
    const int64_t k = t_exp_exponent(t_exp_rest_f64(c, &r, &r1));
    return t_scaled_f64(t_exp_of_rest_f64(r, r1, &rest), k);
}
/* the same bits where the result is normal */
#define EXP_COMPENSATED_USUAL(x) (fabs(x) <= 708.0)
INLINE double t_exp_compensated_usual(double x) {
    double r, r1, rest;
    const double m = t_exp_rest_f64(x, &r, &r1), y = t_exp_of_rest_f64(r, r1, &rest);
    return t_from_bits_f64((int64_t)((uint64_t)t_to_bits_f64(y) + ((uint64_t)t_to_bits_f64(m) << 52)));
}
/* 2^f = 1 + f ln2 + f^2 Q(f), Q a fit on |f| <= 1/2 */
INLINE double t_exp2_f64(double x) {
    double c = x > 1025.0 ? 1025.0 : x;
    c = c < -1080.0 ? -1080.0 : c;
    const double m = c + 6755399441055744.0, f = c - (m - 6755399441055744.0), one = FMA_F64(f, LN2, 1.0), z = f * f, v = z * z;
    const double a = f * 0.055504108664821597 + 0.24022650695910072, b = f * 0.0013333558146416936 + 0.0096181291076284786;
    const double d = f * 1.5252733829836119e-05 + 0.00015403530393375914;
    const double e = f * 1.0178062445845774e-07 + 1.3215486802903931e-06, g = f * 4.4549605981865527e-10 + 7.0548999563726488e-09;
    const double q = (((z * 2.5725080576836531e-11 + g) * z + e) * v + (d * z + b)) * z + a;
    return t_scaled_f64(one + (q * z + FMA_F64(f, LN2, 1.0 - one)), t_exp_exponent(m));
}
/* (e^x - 1) / 2 for -40 <= x <= 710: 2^k - 1 + 2^k (r + r^2 / 2 + ..), halved, so that 2^1024 is a number */
INLINE double t_expm1_half_f64(double x, double *rest) {
    double r, r1;
    const double s = t_pow2i_f64(t_minus_i64(t_exp_exponent(t_exp_rest_f64(x, &r, &r1)), 1)), z = t_rounded_product_f64(r, r);
    const double a = s - 0.5, b = s * r, h = 0.5 * z * s, one = a + b, two = one + h;
    const double tail = s * (t_exp_tail_f64(r, r1, z) + 0.5 * t_product_error_f64(r, r, z)) + t_sum_error_f64(s, -0.5, a);
    const double low = (t_fast_sum_error_f64(a, b, one) + t_fast_sum_error_f64(one, h, two)) + tail, y = two + low;
    *rest = t_fast_sum_error_f64(two, low, y);
    return y;
}
INLINE double t_expm1_compensated(double x) {
    double c = x > 710.0 ? 710.0 : x, rest;
    c = c < -40.0 ? -40.0 : c;
    const double y = 2.0 * t_expm1_half_f64(c, &rest);
    return fabs(x) < 1e-17 ? x : y;
}
/* e^x / 4 and e^-x / 4 of x >= 0 */
INLINE double t_exp_both_f64(double x, double *rest, double *inverse, double *inverse_rest) {
    double r, r1, y1, v1;
    const int64_t k = t_exp_exponent(t_exp_rest_f64(x > 710.6 ? 710.6 : x, &r, &r1));
    const double y = t_exp_of_rest_f64(r, r1, &y1), v = t_quotient_f64(1.0, 0.0, y, y1, &v1);
    const double up = t_pow2i_f64(t_minus_i64(k, 2)), down = x > 600.0 ? 0.0 : t_pow2i_f64(t_minus_i64(-2, (uint64_t)k));
    *rest = y1 * up;
    *inverse = v * down;
    *inverse_rest = v1 * down;
    return y * up;
}
INLINE double t_sinh_f64(double x) {
    double a1, b, b1;
    const double size = fabs(x), z = x * x, a = t_exp_both_f64(size, &a1, &b, &b1), d = a - b;
    const double far = 2.0 * (d + (t_fast_sum_error_f64(a, -b, d) + (a1 - b1)));
    double q = 1.0 / 1307674368000.0;
    q = q * z + 1.0 / 6227020800.0;
    q = q * z + 1.0 / 39916800.0;
    q = q * z + 1.0 / 362880.0;
    q = q * z + 1.0 / 5040.0;
    q = q * z + 1.0 / 120.0;
    q = q * z + 1.0 / 6.0;
    return size < 0.5 ? x + x * (z * q) : copysign(far, x);
}
INLINE double t_cosh_f64(double x) {
    double a1, b, b1;
    const double a = t_exp_both_f64(fabs(x), &a1, &b, &b1), s = a + b;
    return 2.0 * (s + (t_fast_sum_error_f64(a, b, s) + (a1 + b1)));
}
INLINE double t_tanh_compensated(double x) {
    double c = -2.0 * fabs(x), n1, q1;
    c = c < -40.0 ? -40.0 : c;
    const double n = t_expm1_half_f64(c, &n1), d = 1.0 + n, q = t_quotient_f64(n, n1, d, t_fast_sum_error_f64(1.0, n, d) + n1, &q1);
    return x != x || fabs(x) < 1e-17 ? x : copysign(q + q1, x);
}
/* from e^-|x|, which does not overflow; the sum is rounded: 1.8 units, and as fast as the short form */
INLINE double t_sigmoid_compensated(double x) {
    const double e = t_exp_compensated(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
INLINE double t_sigmoid_compensated_usual(double x) {
    const double e = t_exp_compensated_usual(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/* -- logarithms ---------------------------------------------------------------------------------------------- */

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)): log(m), for x that is positive, normal or told as SMALL, and finite */
INLINE double t_log_parts_f64(double x, int small, double *e, double *rest) {
    const double f = t_mantissa_f64(x, small, e), s = f / (2.0 + f), half = 0.5 * f, h = t_rounded_product_f64(half, f), y = f - h;
    *rest = (t_fast_sum_error_f64(f, -h, y) - t_product_error_f64(half, f, h)) + s * t_log_series_f64(s, h);
    return y;
}
/* log(x + x1) + more ln2 for positive finite x */
INLINE double t_log_sum_f64(double x, double x1, double more) {
    double e, rest;
    const double l = t_log_parts_f64(x, SMALL_F64(x), &e, &rest), a = (e + more) * LN2_HIGH, y = a + l;
    return y + (t_fast_sum_error_f64(a, l, y) + (x1 / x + rest + (e + more) * LN2_LOW));
}
/* the corners of a logarithm whose value elsewhere is y */
INLINE double t_log_corners_f64(double x, double y) {
    y = x == INFINITY ? x : y;
    y = x == 0.0 ? -INFINITY : y;
    return x >= 0.0 ? y : NAN;
}
/* Each logarithm for what is told as SMALL, for all numbers, and for those that are positive, normal and finite: the same bits, so where a
 * compiler could fuse one product or another, the source says which. */
#define LOG_F64_USUAL(x) (t_minus_i64(t_to_bits_f64(x), 0x8010000000000000u) < -0x0020000000000000)
#define ALL_AND_USUAL(NAME, OF) \
    INLINE double NAME(double x) { return t_log_corners_f64(x, OF(x, SMALL_F64(x))); } \
    INLINE double NAME##_usual(double x) { return OF(x, 0); }
INLINE double t_log_of_compensated(double x, int small) {
    double e, rest;
    const double l = t_log_parts_f64(x, small, &e, &rest), a = e * LN2_HIGH, y = a + l;
    return y + (t_fast_sum_error_f64(a, l, y) + (rest + e * LN2_LOW));
}
INLINE double t_log2_of_f64(double x, int small) {
    const double scale = 1.44269504088896338700e+00, scale_rest = 2.03552737409310331e-17;
    double e, rest;
    const double l = t_log_parts_f64(x, small, &e, &rest), p = t_rounded_product_f64(l, scale), y = e + p;
    return y + (t_fast_sum_error_f64(e, p, y) + (t_product_error_f64(l, scale, p) + FMA_F64(l, scale_rest, rest * scale)));
}
INLINE double t_log10_of_f64(double x, int small) {
    const double scale = 4.34294481903251816668e-01, scale_rest = 1.09831965021676510e-17;
    double e, rest;
    const double l = t_log_parts_f64(x, small, &e, &rest), p = t_rounded_product_f64(l, scale);
    const double a = e * 3.01029995663611771306e-01, y = a + p;
    const double low = FMA_F64(e, 3.69423907715893078616e-13, t_product_error_f64(l, scale, p) + FMA_F64(l, scale_rest, rest * scale));
    return y + (t_fast_sum_error_f64(a, p, y) + low);
}
ALL_AND_USUAL(t_log_compensated, t_log_of_compensated)
ALL_AND_USUAL(t_log2_f64, t_log2_of_f64)
ALL_AND_USUAL(t_log10_f64, t_log10_of_f64)
INLINE double t_log1p_compensated(double x) {
    const double u = 1.0 + x, y = t_log_sum_f64(u, t_sum_error_f64(1.0, x, u), 0.0);
    return fabs(x) < 1e-17 ? x : t_log_corners_f64(u, y);
}
/* Beyond 1e9 the root is x itself; below 1e-8 the function is x. */
INLINE double t_asinh_f64(double x) {
    const double a = fabs(x), c = a > 1e9 ? 1e9 : a, s = t_rounded_product_f64(c, c), w = s + 1.0;
    double r1;
    const double r = t_root_f64(w, t_sum_error_f64(s, 1.0, w) + t_product_error_f64(c, c, s), &r1), v = r + c;
    const double y = t_log_sum_f64(a > 1e9 ? a : v, a > 1e9 ? 0.0 : t_fast_sum_error_f64(r, c, v) + r1, a > 1e9 ? 1.0 : 0.0);
    return a < 1e-8 || !(a < INFINITY) ? x : copysign(y, x);
}
INLINE double t_acosh_f64(double x) {
    const double c = x > 1e9 ? 1e9 : x, s = t_rounded_product_f64(c, c), w = s - 1.0;
    double r1;
    const double r = t_root_f64(w, t_sum_error_f64(s, -1.0, w) + t_product_error_f64(c, c, s), &r1), v = c + r;
    const double y = t_log_sum_f64(x > 1e9 ? x : v, x > 1e9 ? 0.0 : t_fast_sum_error_f64(c, r, v) + r1, x > 1e9 ? 1.0 : 0.0);
    return x < 1.0 ? NAN : x < INFINITY ? y : x;
}
INLINE double t_atanh_f64(double x) {
    const double a = fabs(x), n = 1.0 + a, d = 1.0 - a;
    double q1;
    const double q = t_quotient_f64(n, t_fast_sum_error_f64(1.0, a, n), d, t_fast_sum_error_f64(1.0, -a, d), &q1);
    const double y = 0.5 * t_log_sum_f64(q, q1, 0.0);
    return a < 1e-9 ? x : a < 1.0 ? copysign(y, x) : a == 1.0 ? copysign(INFINITY, x) : NAN;
}

/* -- turns --------------------------------------------------------------------------------------------------- */

INLINE double t_tan_f64(double x) {
    double y, tail, s1, c1, rest;
    const int64_t k = t_quarter_f64(x, &y, &tail);
    const double w = t_turn_parts_f64(y, tail, &s1, &c1), s = y + s1, c = w + c1;
    const double s2 = t_fast_sum_error_f64(y, s1, s), c2 = t_fast_sum_error_f64(w, c1, c);
    const double q = t_quotient_f64((k & 1) ? -c : s, (k & 1) ? -c2 : s2, (k & 1) ? s : c, (k & 1) ? s2 : c2, &rest);
    return x == 0.0 ? x : q + rest;
}

/* pi/4 in two parts, of which the first has 48 digits, so that one to four of it are exact */
#define QUARTER_PI_HIGH 7.8539816339744561e-01
#define QUARTER_PI_LOW 2.6951514290790595e-15

/* atan(n / d) = u pi/4 + q + rest for 0 <= n <= d, u = 0 or 1 */
INLINE double t_atan_parts_f64(double n, double d, double *u, double *rest) {
    const int up = n > 0.41421356237309504880 * d;
    const double a = up ? n - d : n, b = up ? n + d : d;
    double q1;
    const double q = t_quotient_f64(a, up ? t_fast_sum_error_f64(-d, n, a) : 0.0, b, up ? t_fast_sum_error_f64(d, n, b) : 0.0, &q1);
    const double z = q * q;
    double p = 0.016271944751624061879;
    p = p * z - 0.034558092551413797482;
    p = p * z + 0.045511081263251719366;
    p = p * z - 0.052303478730160741945;
    p = p * z + 0.058789145444006216976;
    p = p * z - 0.066664236280692575789;
    p = p * z + 0.076922963049744700568;
    p = p * z - 0.090909087510766358766;
    p = p * z + 0.11111111105106705143;
    p = p * z - 0.14285714285659327298;
    p = p * z + 0.19999999999999802534;
    p = p * z - 0.33333333333333333216;
    *u = up ? 1.0 : 0.0;
    *rest = q * (z * p) + (q1 - z * q1);
    return q;
}
/* k pi/4 + q + rest, |q| <= tan(pi/8) */
INLINE double t_quarters_f64(double k, double q, double rest) {
    const double a = k * QUARTER_PI_HIGH, y = a + q;
    return y + (t_fast_sum_error_f64(a, q, y) + (rest + k * QUARTER_PI_LOW));
}
INLINE double t_atan_f64(double x) {
    const double a = fabs(x), most = 1e30;
    const int far = a > 1.0;
    double u, rest;
    const double q = t_atan_parts_f64(far ? 1.0 : a, far ? (a > most ? most : a) : 1.0, &u, &rest);
    return x != x ? x : copysign(t_quarters_f64(far ? 2.0 - u : u, far ? -q : q, far ? -rest : rest), x);
}
INLINE double t_atan2_f64(double y, double x) {
    const double ay = fabs(y), ax = fabs(x), more = ay > ax ? ay : ax, less = ay > ax ? ax : ay;
    const double s = more > 6.668014432879854e+240 ? 6.223015277861142e-61 : more < 1.499696813895631e-241 ? 1.6069380442589903e+60 : 1.0;
    const int same = less == more, turned = ay > ax, back = copysign(1.0, x) < 0.0;                /* s: 2^-200 above 2^800, ... */
    const double d = more * s, n = more == INFINITY ? 0.0 : less * s;
    double u, rest, below = n == 0.0 ? 1.0 : d;
    below = same ? 1.0 : below;                    /* GCC makes no vectors of two choices in one */
    double q = t_atan_parts_f64(same ? 1.0 : n, below, &u, &rest);
    u = turned ? 2.0 - u : u;
    u = back ? 4.0 - u : u;
    q = more == 0.0 ? 0.0 : turned != back ? -q : q;
    u = more == 0.0 ? (back ? 4.0 : 0.0) : u;
    const double p = t_quarters_f64(u, q, turned != back ? -rest : rest);
    return x != x || y != y ? x + y : copysign(p, y);
}

/* of |x| up to 1/2, or sqrt((1 - |x|) / 2) beyond, in two parts: s + rest is its arc sine */
INLINE double t_asin_parts_f64(double a, double *rest) {
    const int far = a > 0.5;
    const double z = far ? 0.5 * (1.0 - a) : a * a;
    double q = 0.029635026263548548346, s1;
    q = q * z - 0.019277545928584555356;
    q = q * z + 0.019579201619744684717;
    q = q * z + 0.0030350071727267624046;
    q = q * z + 0.0093221015010827738673;
    q = q * z + 0.0096214027473448303384;
    q = q * z + 0.01156651182189094295;
    q = q * z + 0.013963775787848136425;
    q = q * z + 0.017352816768546472724;
    q = q * z + 0.022372157435623815414;
    q = q * z + 0.030381944475693704864;
    q = q * z + 0.044642857142550185061;
    q = q * z + 0.075000000000001184573;
    q = q * z + 0.16666666666666666591;
    const double root = t_root_f64(far ? z : 0.25, 0.0, &s1), s = far ? root : a;
    *rest = (far ? s1 : 0.0) + s * (z * q);
    return s;
}
INLINE double t_asin_f64(double x) {
    const double a = fabs(x);
    double rest;
    const double s = t_asin_parts_f64(a, &rest), far = t_quarters_f64(2.0, -2.0 * s, -2.0 * rest);
    return copysign(a > 0.5 ? far : s + rest, x);
}
INLINE double t_acos_f64(double x) {
    const double a = fabs(x);
    double rest;
    const double s = t_asin_parts_f64(a, &rest), by = a > 0.5 ? (x < 0.0 ? -2.0 : 2.0) : x < 0.0 ? 1.0 : -1.0;
    return t_quarters_f64(a <= 0.5 ? 2.0 : x < 0.0 ? 4.0 : 0.0, by * s, by * rest);
}
#undef QUARTER_PI_HIGH
#undef QUARTER_PI_LOW
#undef LN2
#undef LN2_REST
#undef LN2_HIGH
#undef LN2_LOW

#endif

/* float32's elementary functions, computed in float64 and rounded once: t_NAME_f32.
 *
 * A polynomial right to 2^-31 .. 2^-37 takes half the terms of float64's own, and nothing after it needs care: what is rounded at the
 * end is the function itself but for one number in some thousands, so that the error is half a unit in the last place.  With twice the
 * vectors that costs as much as float32's compensated sums would, or less.  tools/fit_once.py finds the polynomials.
 *
 *     e^x - 1     x = k ln2 + r, 2^k (e^r - 1) + (2^k - 1)
 *     log(1 + t)  1 + t = 2^k m, m in [sqrt(1/2), sqrt(2)): atanh's series in f / (2 + f), where f = m - 1, and t itself for k = 0
 *     sin, cos    x less n pi/2 in two parts, right up to LARGE_F32
 *     atan, asin  t, or (t - 1) / (t + 1) above tan(pi/8); x, or sqrt((1 - x) / 2) above 1/2
 *     erf         -(e^(x Q(x)) - 1), Q a polynomial for log(erfc(x)) / x
 *     erfc        e^(-x^2) times a polynomial in (x - 2) / (x + 2), over 1 + 2x
 *
 * exp, tanh, sin and cos have short forms too (formulas.h: 1 to 3 units), for what is rounded further: float16, bfloat16 and the insides of
 * other formulas.  The rounded ones are t_exp_once and so on.  exp, log2, log10, sin, cos, tan, asin, acos, erf, erfc, ndtr and the middle of
 * erfinv are these only where products are not fused; where they are, fused.h's take less time.  log is formulas.h's alone, right within
 * 0.75 units.
 */
#ifndef TAEDA_ONCE_H
#define TAEDA_ONCE_H
#include "formulas.h"

/* e^r - 1 for |r| <= ln2 / 2 */
INLINE double t_once_expm1_core(double r) {
    const double z = r * r;
    const double a = r * 1.9790350655251476e-4 + 1.3944650726565662e-3, b = r * 8.3334970334204339e-3 + 4.166629506506668e-2;
    const double c = r * 0.1666666586932663 + 0.50000000676503398;
    return ((a * z + b) * z + c) * z + r;
}
/* e^x and e^x - 1 for |x| <= 700 */
INLINE double t_once_exp(double x) {
    const double m = x * 1.4426950408889634 + 6755399441055744.0, n = m - 6755399441055744.0;
    const double s = t_from_bits_f64((int64_t)(((uint64_t)t_to_bits_f64(m) << 52) + 0x3ff0000000000000ULL));
    return t_once_expm1_core(x - n * 0.69314718055994530942) * s + s;
}
INLINE double t_once_expm1(double x) {
    const double m = x * 1.4426950408889634 + 6755399441055744.0, n = m - 6755399441055744.0;
    const double s = t_from_bits_f64((int64_t)(((uint64_t)t_to_bits_f64(m) << 52) + 0x3ff0000000000000ULL));
    return t_once_expm1_core(x - n * 0.69314718055994530942) * s + (s - 1.0);
}
INLINE float t_once_clip(float x) {                         /* to where e^x is not a float32 any more */
    const float c = x > 89.0f ? 89.0f : x;
    return c < -104.0f ? -104.0f : c;
}

/* log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)]: a division, which goes on beside products, is faster than seven terms more */
INLINE double t_once_log_core(double f) {
    const double s = f / (2.0 + f), z = s * s, v = z * z;
    const double a = z * 0.28534943709729549 + 0.40000386645760233, b = z * 0.66666665235880918 + 2.000000000008467;
    return ((0.23618182919638181 * v + a) * v + b) * s;
}
/* x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for 0 < x < inf */
INLINE double t_once_mantissa(double x, double *e) {
    const int64_t ix = t_minus_i64(t_to_bits_f64(x), 0x3fe6a09e667f3bcdULL);
    const uint64_t biased = ((uint64_t)ix + 0x4000000000000000ULL) >> 52;
    *e = t_from_bits_f64((int64_t)(biased | 0x4330000000000000ULL)) - (4503599627370496.0 + 1024.0);
    return t_from_bits_f64((ix & 0x000fffffffffffffLL) + 0x3fe6a09e667f3bcdLL) - 1.0;
}
INLINE double t_once_log(double x, double *e) { return t_once_log_core(t_once_mantissa(x, e)); }
INLINE double t_once_log1p(double t) {
    double e, f = t_once_mantissa(1.0 + t, &e);
    f = e == 0.0 ? t : f;
    return t_once_log_core(f) + e * 0.69314718055994530942;
}
/* what every logarithm does at the ends */
INLINE float t_once_log_ends(float x, float y) {
    y = x == INFINITY ? x : y;
    y = x == 0.0f ? -INFINITY : y;
    return x >= 0.0f ? y : NAN;
}

INLINE float t_exp_once(float x) { return (float)t_once_exp((double)t_once_clip(x)); }
INLINE float t_expm1_f32(float x) {
    const float y = (float)t_once_expm1((double)t_once_clip(x));
    return x == 0.0f ? x : y;
}
INLINE float t_tanh_once(float x) {
    const float a = fabsf(x), c = a > 10.0f ? 10.0f : a;
    const double t = t_once_expm1(2.0 * (double)c);
    return copysignf((float)(t / (t + 2.0)), x);
}
INLINE float t_expm1_low_f32(float x) { return t_expm1_f32(x); }
INLINE float t_sinh_f32(float x) {
    const float a = fabsf(x);
    const double t = t_once_expm1((double)(a > 90.0f ? 90.0f : a));
    return copysignf((float)(0.5 * (t + t / (t + 1.0))), x);
}
INLINE float t_cosh_f32(float x) {
    const float a = fabsf(x);
    const double e = t_once_exp((double)(a > 90.0f ? 90.0f : a));
    return (float)(0.5 * (e + 1.0 / e));
}

INLINE float t_log2_f32(float x) {
    double e;
    const double l = t_once_log((double)x, &e);
    return t_once_log_ends(x, (float)(l * 1.4426950408889634074 + e));
}
INLINE float t_log10_f32(float x) {
    double e;
    const double l = t_once_log((double)x, &e);
    return t_once_log_ends(x, (float)(e * 0.30102999566398119521 + l * 0.43429448190325182765));
}
INLINE float t_log1p_f32(float x) {
    float y = (float)t_once_log1p((double)x);
    y = x == INFINITY || x == 0.0f ? x : y;
    y = x == -1.0f ? -INFINITY : y;
    return x >= -1.0f ? y : NAN;
}
INLINE float t_asinh_f32(float x) {
    const double a = (double)fabsf(x), s = a * a;
    const float y = (float)t_once_log1p(a + s / (1.0 + sqrt(1.0 + s)));
    return fabsf(x) < INFINITY ? copysignf(y, x) : x;
}
INLINE float t_acosh_f32(float x) {
    const double a = (double)x, t = a - 1.0;
    const float y = (float)t_once_log1p(t + sqrt(t * (a + 1.0)));
    return x >= 1.0f ? x == INFINITY ? x : y : NAN;
}
INLINE float t_atanh_f32(float x) {
    const double a = (double)fabsf(x);
    float y = (float)(0.5 * t_once_log1p(2.0 * a / (1.0 - a)));
    y = a == 1.0 ? INFINITY : y;
    return a <= 1.0 ? copysignf(y, x) : NAN;
}

INLINE void t_once_turn(float x, double *n, double *sine, double *cosine) {
    const double m = (double)x * 0.63661977236758134 + 6755399441055744.0;
    *n = m - 6755399441055744.0;
    const double r = ((double)x - *n * 1.57079632673412561417e+00) - *n * 6.07710050650619224932e-11, z = r * r, v = z * z;
    const double a = z * 2.7173456142061914e-6 - 1.983920232184592e-4, b = z * 8.3333287833376526e-3 - 0.16666666631607666;
    const double c = z * -1.3886618307357122e-3 + 0.041666616709374237, d = z * -0.49999999615126856 + 0.9999999999525534;
    *sine = (a * v + b) * z * r + r;
    *cosine = (v * 2.4379845728037933e-5 + c) * v + d;
}
INLINE float t_once_sincos(float x, int32_t quarter) {
    double n, s, c;
    t_once_turn(x, &n, &s, &c);
    const int32_t k = (int32_t)n + quarter;
    const float y = (float)((k & 1) ? c : s);
    return (k & 2) ? -y : y;
}
INLINE float t_sin_once(float x) { return x == 0.0f ? x : t_once_sincos(x, 0); }
INLINE float t_cos_once(float x) { return t_once_sincos(x, 1); }
INLINE float t_tan_f32(float x) {
    double n, s, c;
    t_once_turn(x, &n, &s, &c);
    const int32_t odd = (int32_t)n & 1;
    const float y = (float)((odd ? -c : s) / (odd ? s : c));
    return x == 0.0f ? x : y;
}

/* atan(n / d) for 0 <= n <= d; above tan(pi/8) by (n - d) / (n + d).  A choice by a sign: of comparisons the compiler makes two copies of
 * all that follows. */
INLINE double t_once_atan(double n, double d) {
    const double up = 0.5 + copysign(0.5, n - 0.41421356237309504880 * d), r = (n - up * d) / (d + up * n), z = r * r, v = z * z;
    const double a = z * -0.084596960326928261 + 0.1104116947859333, b = z * -0.14281649705282545 + 0.19999886326539693;
    const double c = z * -0.33333332134293037 + 0.99999999997928357, p = (((0.047141173126467782 * v + a) * v + b) * v + c) * r;
    return p + up * 0.78539816339744830962;
}
INLINE float t_atan_f32(float x) {
    const double a = (double)fabsf(x), d = a > 1e30 ? 1e30 : a;
    const double p = t_once_atan(d > 1.0 ? 1.0 : d, d > 1.0 ? d : 1.0);
    return copysignf((float)(a > 1.0 ? 1.57079632679489661923 - p : p), x);
}
INLINE float t_atan2_f32(float y, float x) {
    const float ay = fabsf(y), ax = fabsf(x), more = ay > ax ? ay : ax, less = ay > ax ? ax : ay;
    double p = t_once_atan((double)less, (double)more);
    p = more == INFINITY ? less == INFINITY ? 0.78539816339744830962 : 0.0 : p;
    p = more == 0.0f ? 0.0 : p;
    p = ay > ax ? 1.57079632679489661923 - p : p;
    p = copysignf(1.0f, x) < 0.0f ? 3.14159265358979323846 - p : p;
    return x != x || y != y ? x + y : copysignf((float)p, y);
}
/* asin(s) for 0 <= s <= 1/2 */
INLINE double t_once_asin(double s) {
    const double z = s * s, v = z * z;
    const double a = z * 0.034951571477525881 + 0.0072238133186670016, b = z * 0.024711547817040821 + 0.030092208417861296;
    const double c = z * 0.044662035616538531 + 0.074999381987605279, d = z * 0.16666667421671547 + 0.99999999998490308;
    return (((a * v + b) * v + c) * v + d) * s;
}
INLINE float t_asin_f32(float x) {
    const double a = (double)fabsf(x);
    const double p = t_once_asin(a > 0.5 ? sqrt(0.5 * (1.0 - a)) : a);
    return copysignf((float)(a > 0.5 ? 1.57079632679489661923 - 2.0 * p : p), x);
}
INLINE float t_acos_f32(float x) {
    const double a = (double)fabsf(x), p = t_once_asin(a > 0.5 ? sqrt(0.5 * (1.0 - a)) : a), q = 2.0 * p;
    const double far = x < 0.0f ? 3.14159265358979323846 - q : q, near = 1.57079632679489661923 - (x < 0.0f ? -p : p);
    return (float)(a > 0.5 ? far : near);
}

INLINE float t_erf_f32(float x) {
    const float a = fabsf(x);
    const double c = (double)(a > 4.0f ? 4.0f : a), z = c * c, v = z * z;
    const double g = c * -1.193295023130007e-6 + 2.1354562846434089e-5;
    const double h = c * -1.6748085275263754e-4 + 7.4068571989056246e-4, i = c * -1.7993536576735895e-3 + 2.5306091104137178e-4;
    const double j = c * 0.019117694942271571 - 0.10277127717623138, k = c * -0.636619834574358 - 1.1283791666278671;
    const double l = ((g * z + h) * v + (i * z + j)) * z + k;
    return copysignf((float)-t_once_expm1(l * c), x);
}
/* erfc(c) for 0 <= c <= 10.5 */
INLINE double t_once_erfc(double c) {
    const double up = c + 2.0, two = 1.0 + 2.0 * c, r = 1.0 / (up * two), u = (c - 2.0) * (two * r);
    const double z = u * u, v = z * z;
    const double g = u * -1.0660516586904546e-5 - 4.3530302450083475e-6, h = u * 1.1934068294645199e-4 + 1.9719885064452847e-4;
    const double i = u * -4.3765426374474896e-4 - 1.4497374568165267e-3, j = u * 1.2669281579225959e-3 + 8.7206196143184301e-3;
    const double k = u * -8.0334215922105243e-3 - 0.054219750988270136, l = u * 0.16405124339298693 - 0.16603040856227422;
    const double m = u * -0.092763825873564798 + 1.2769783816282547;
    const double q = ((g * z + h) * v + (i * z + j)) * v + (k * z + l);
    return t_once_exp(-(c * c)) * ((q * z + m) * (up * r));
}
INLINE float t_erfc_f32(float x) {
    const float a = fabsf(x);
    const double y = t_once_erfc((double)(a > 10.5f ? 10.5f : a));
    return (float)(x < 0.0f ? 2.0 - y : y);
}
/* the normal distribution's function, erfc(-x / sqrt 2) / 2 */
INLINE float t_ndtr_f32(float x) {
    const float a = fabsf(x);
    const double y = 0.5 * t_once_erfc((double)(a > 14.5f ? 14.5f : a) * 0.70710678118654752440);
    return (float)(x > 0.0f ? 1.0 - y : y);
}
/* erfinv(x) / x by w = -log(h), h = 1 - x^2: up to 8 by u = (w - 4) / 4, and by u - 2 beyond */
INLINE double t_once_erfinv_u(double h) {
    double e;
    const double l = t_once_log(h, &e);
    return (l + e * 0.69314718055994530942) * -0.25 - 1.0;
}
INLINE double t_once_erfinv_middle(double u) {
    const double u2 = u * u;
    double p = u * -4.868302768688407e-06 - 1.9222335945118945e-05;
    p = p * u2 + (u * 6.554830952675339e-05 + 4.9640297811726254e-05);
    p = p * u2 + (u * -0.00033536116286697387 + 0.00033759448501964276);
    p = p * u2 + (u * 0.0005053723520097171 - 0.002206257794282328);
    p = p * u2 + (u * 0.0028969486103703848 + 0.0019965895021869357);
    p = p * u2 + (u * -0.01588620793686517 + 0.030432265673465676);
    p = p * u2 + (u * -0.013054317959347056 - 0.1155369388070162);
    return p * u2 + (u * 0.9134187440444946 + 1.8587791122766186);
}
#define ERFINV_MIDDLE 0.9998f       /* w is below 8 */
INLINE float t_erfinv_middle_f32(float x) { return (float)(t_once_erfinv_middle(t_once_erfinv_u((1.0 - x) * (1.0 + x))) * x); }
INLINE float t_erfinv_f32(float x) {
    const double u = t_once_erfinv_u((1.0 - x) * (1.0 + x)), v = u - 2.0, v2 = v * v;
    double q = v * -2.875110193820587e-07 + 1.0484565603328113e-06;
    q = q * v2 + (v * -2.2909080972944198e-06 + 4.252332736272864e-06);
    q = q * v2 + (v * -1.8999216313964578e-06 - 3.65268568859706e-05);
    q = q * v2 + (v * 0.00026099083090174157 - 0.0013986189895832141);
    q = q * v2 + (v * 0.007451967764969048 - 0.047286059374405255);
    q = q * v2 + (v * 0.5814640976552303 + 3.2993271239010267);
    const float y = (float)((u < 1.0 ? t_once_erfinv_middle(u) : q) * (double)x);
    return fabsf(x) == 1.0f ? copysignf(INFINITY, x) : fabsf(x) < 1.0f ? y : NAN;
}
#endif

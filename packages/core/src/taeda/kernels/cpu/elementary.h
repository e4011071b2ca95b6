/* More elementary functions that the compiler vectorises inside a loop, built on those of formulas.h.
 *
 * t_NAME_f32 and t_NAME_f64; largest errors in units in the last place (test_formulas.py measures them):
 *
 *     exp2 1   log2 log10 2   tan sinh cosh 3   asin acos atan atan2 2   asinh acosh atanh 4   erfc_f32 4   erfinv_f32 4
 *     pow_f32 hypot_f32 1
 *
 * Method.  log2, log10: log of the mantissa times a constant, added to the exponent's share, whose leading part is
 * exact: powers of the base come out exact.  atan: min(x, 1/x), then (t - 1) / (t + 1) above tan(pi/8), then a polynomial in
 * t^2; asin: sqrt((1 - x) / 2) above 1/2, then a polynomial; both are Chebyshev fits.  erfc: a polynomial for (1 + 2x) e^(x^2) erfc(x)
 * in (x - 2) / (x + 2), times e^(-x^2) with the square in two parts.  pow, fmod, hypot of float32: in double.
 */
#ifndef TAEDA_ELEMENTARY_H
#define TAEDA_ELEMENTARY_H
#include "formulas.h"

/* -- exponentials and logarithms -------------------------------------------------------------------------- */

static inline float t_exp2_f32(float x) {
    float c = x > 129.0f ? 129.0f : x;
    c = c < -152.0f ? -152.0f : c;
    const float m = c + 12582912.0f, n = m - 12582912.0f;
    const int32_t k = t_minus_i32(t_to_bits_f32(m), 0x4b400000u), h = k >> 1;
    const float y = t_expm1_core_f32((c - n) * 0.693147181f) + 1.0f;
    return y * t_pow2i_f32(h) * t_pow2i_f32(k - h);
}
static inline double t_exp2_f64(double x) {
    double c = x > 1025.0 ? 1025.0 : x;
    c = c < -1080.0 ? -1080.0 : c;
    const double m = c + 6755399441055744.0, n = m - 6755399441055744.0;
    const int64_t k = t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL), h = (int64_t)((uint64_t)(k + 4096) >> 1) - 2048;
    const double y = t_expm1_core_f64((c - n) * 0.69314718055994530942) + 1.0;
    return y * t_pow2i_f64(h) * t_pow2i_f64(k - h);
}
/* e^x / 2, which overflows later than e^x */
static inline float t_exp_half_f32(float x) {
    float c = x > 90.0f ? 90.0f : x;
    c = c < -104.0f ? -104.0f : c;
    const float m = c * 1.44269504f + 12582912.0f, n = m - 12582912.0f;
    const int32_t k = t_minus_i32(t_to_bits_f32(m), 0x4b400001u), h = k >> 1;
    float r = c - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    return (t_expm1_core_f32(r) + 1.0f) * t_pow2i_f32(h) * t_pow2i_f32(k - h);
}
static inline double t_exp_half_f64(double x) {
    double c = x > 711.0 ? 711.0 : x;
    c = c < -746.0 ? -746.0 : c;
    const double m = c * 1.4426950408889634 + 6755399441055744.0, n = m - 6755399441055744.0;
    const int64_t k = t_minus_i64(t_to_bits_f64(m), 0x4338000000000001ULL), h = (int64_t)((uint64_t)(k + 4096) >> 1) - 2048;
    double r = c - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    return (t_expm1_core_f64(r) + 1.0) * t_pow2i_f64(h) * t_pow2i_f64(k - h);
}

/* e^x - 1 for x <= 0, which needs no care about overflow */
static inline float t_expm1_low_f32(float x) {
    const float c = x < -20.0f ? -20.0f : x, m = c * 1.44269504f + 12582912.0f, n = m - 12582912.0f;
    float r = c - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    const float s = t_pow2i_f32(t_minus_i32(t_to_bits_f32(m), 0x4b400000u));
    const float y = s * t_expm1_core_f32(r) + (s - 1.0f);
    return x == 0.0f ? x : y;
}
static inline double t_expm1_low_f64(double x) {
    const double c = x < -40.0 ? -40.0 : x, m = c * 1.4426950408889634 + 6755399441055744.0, n = m - 6755399441055744.0;
    double r = c - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    const double s = t_pow2i_f64(t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL));
    const double y = s * t_expm1_core_f64(r) + (s - 1.0);
    return x == 0.0 ? x : y;
}

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)): return log(m), for positive finite x */
static inline float t_log_mantissa_f32(float x, float *e) {
    const float sub = x < 1.17549435e-38f ? 8388608.0f : 1.0f;
    const int32_t ix = t_minus_i32(t_to_bits_f32(x * sub), 0x3f3504f3u);
    const float f = t_from_bits_f32((ix & 0x007fffff) + 0x3f3504f3) - 1.0f;
    *e = (float)(ix >> 23) - (x < 1.17549435e-38f ? 23.0f : 0.0f);
    const float s = f / (2.0f + f), z = s * s, h = 0.5f * f * f;
    float q = 0.24279078841f;
    q = q * z + 0.28498786688f;
    q = q * z + 0.40000972152f;
    q = q * z + 0.66666662693f;
    return (s * (h + z * q) - h) + f;
}
static inline double t_log_mantissa_f64(double x, double *e) {
    const double sub = x < 2.2250738585072014e-308 ? 18014398509481984.0 : 1.0;
    const int64_t ix = t_minus_i64(t_to_bits_f64(x * sub), 0x3fe6a09e667f3bcdULL);
    const double f = t_from_bits_f64((ix & 0x000fffffffffffffLL) + 0x3fe6a09e667f3bcdLL) - 1.0;
    const uint64_t biased = ((uint64_t)ix + 0x4000000000000000ULL) >> 52;
    *e = t_from_bits_f64((int64_t)(biased | 0x4330000000000000ULL)) - (4503599627370496.0 + 1024.0)
         - (x < 2.2250738585072014e-308 ? 54.0 : 0.0);
    const double s = f / (2.0 + f), z = s * s, h = 0.5 * f * f;
    double q = 1.479819860511658591e-01;
    q = q * z + 1.531383769920937332e-01;
    q = q * z + 1.818357216161805012e-01;
    q = q * z + 2.222219843214978396e-01;
    q = q * z + 2.857142874366239149e-01;
    q = q * z + 3.999999999940941908e-01;
    q = q * z + 6.666666666666735130e-01;
    return (s * (h + z * q) - h) + f;
}

/* -- polynomials: (atan(x) / x - 1) / x^2 in z = x^2 <= tan(pi/8)^2; (asin(x) / x - 1) / x^2 in z = x^2 <= 1/4 -------- */

static inline float t_atan_poly_f32(float z) {
    float q = -0.064498352f;
    q = q * z + 0.10743100f;
    q = q * z - 0.14263897f;
    q = q * z + 0.19999539f;
    return q * z - 0.33333332f;
}
static inline double t_atan_poly_f64(double z) {
    double q = 0.016271944751624061879;
    q = q * z - 0.034558092551413797482;
    q = q * z + 0.045511081263251719366;
    q = q * z - 0.052303478730160741945;
    q = q * z + 0.058789145444006216976;
    q = q * z - 0.066664236280692575789;
    q = q * z + 0.076922963049744700568;
    q = q * z - 0.090909087510766358766;
    q = q * z + 0.11111111105106705143;
    q = q * z - 0.14285714285659327298;
    q = q * z + 0.19999999999999802534;
    return q * z - 0.33333333333333333216;
}
static inline float t_asin_poly_f32(float z) {
    float q = 0.033700726f;
    q = q * z + 0.017143717f;
    q = q * z + 0.031101728f;
    q = q * z + 0.044599319f;
    q = q * z + 0.075000948f;
    return q * z + 0.16666666f;
}
static inline double t_asin_poly_f64(double z) {
    double q = 0.029635026263548548346;
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
    return q * z + 0.16666666666666666591;
}

/* -- both types alike.  HI + LO: pi/2 and pi/4 in two parts ------------------------------------------------ */

#define TAEDA_ELEMENTARY(S, T, LF, HALF_PI, HALF_PI_LO, LOG10_2, LOG10_2_LO, SINH_MOST)                              \
static inline T t_log2_##S(T x) {                                                                                    \
    T e, l = t_log_mantissa_##S(x, &e);                                                                              \
    T y = e + l * (T)1.4426950408889634074;                                                                          \
    y = x == (T)INFINITY ? x : y;                                                                                    \
    y = x == 0 ? -(T)INFINITY : y;                                                                                   \
    return x >= 0 ? y : (T)NAN;                                                                                      \
}                                                                                                                    \
static inline T t_log10_##S(T x) {                                                                                   \
    T e, l = t_log_mantissa_##S(x, &e);                                                                              \
    T y = e * LOG10_2 + (e * LOG10_2_LO + l * (T)0.43429448190325182765);                                            \
    y = x == (T)INFINITY ? x : y;                                                                                    \
    y = x == 0 ? -(T)INFINITY : y;                                                                                   \
    return x >= 0 ? y : (T)NAN;                                                                                      \
}                                                                                                                    \
static inline T t_tan_##S(T x) { return t_sin_##S(x) / t_cos_##S(x); }                                               \
static inline T t_sinh_##S(T x) {                                                                                    \
    const T a = LF(fabs)(x), t = t_expm1_##S(a);                                                                     \
    return LF(copysign)(a > SINH_MOST ? t_exp_half_##S(a) : (T)0.5 * (t + t / (t + 1)), x);                          \
}                                                                                                                    \
static inline T t_cosh_##S(T x) {                                                                                    \
    const T e = t_exp_half_##S(LF(fabs)(x));                                                                         \
    return e + (T)0.25 / e;                                                                                          \
}                                                                                                                    \
static inline T t_asin_##S(T x) {                                                                                    \
    const T a = LF(fabs)(x), z = a > (T)0.5 ? (T)0.5 * (1 - a) : a * a, s = a > (T)0.5 ? LF(sqrt)(z) : a;            \
    const T p = s + s * (z * t_asin_poly_##S(z));                                                                    \
    return LF(copysign)(a > (T)0.5 ? (HALF_PI - 2 * p) + HALF_PI_LO : p, x);                                         \
}                                                                                                                    \
static inline T t_acos_##S(T x) {                                                                                    \
    const T a = LF(fabs)(x), z = a > (T)0.5 ? (T)0.5 * (1 - a) : a * a, s = a > (T)0.5 ? LF(sqrt)(z) : a;            \
    const T p = s + s * (z * t_asin_poly_##S(z));                                                                    \
    const T far = x < 0 ? 2 * HALF_PI - (2 * p - 2 * HALF_PI_LO) : 2 * p;                                            \
    return a > (T)0.5 ? far : HALF_PI - (LF(copysign)(p, x) - HALF_PI_LO);                                           \
}                                                                                                                    \
/* atan(n / d) for 0 <= n <= d */                                                                                    \
static inline T t_atan_unit_##S(T n, T d) {                                                                          \
    const T t = n / d, up = t > (T)0.41421356237309504880;                                                           \
    const T r = up != 0 ? (t - 1) / (t + 1) : t, z = r * r, p = r + r * (z * t_atan_poly_##S(z));                    \
    return up != 0 ? (T)0.5 * HALF_PI + (p + (T)0.5 * HALF_PI_LO) : p;                                               \
}                                                                                                                    \
static inline T t_atan_##S(T x) {                                                                                    \
    const T a = LF(fabs)(x), most = (T)1e30;                                                                         \
    const T n = a > 1 ? (T)1 : a, d = a > 1 ? (a > most ? most : a) : (T)1, p = t_atan_unit_##S(n, d);               \
    return x != x ? x : LF(copysign)(a > 1 ? HALF_PI - (p - HALF_PI_LO) : p, x);                                     \
}                                                                                                                    \
static inline T t_atan2_##S(T y, T x) {                                                                              \
    const T ay = LF(fabs)(y), ax = LF(fabs)(x), more = ay > ax ? ay : ax, less = ay > ax ? ax : ay;                  \
    T p = less == more ? (T)0.5 * HALF_PI : t_atan_unit_##S(less, more);                                             \
    p = more == 0 ? (T)0 : p;                                                                                        \
    p = ay > ax ? HALF_PI - (p - HALF_PI_LO) : p;                                                                    \
    p = LF(copysign)((T)1, x) < 0 ? 2 * HALF_PI - (p - 2 * HALF_PI_LO) : p;                                          \
    return x != x || y != y ? x + y : LF(copysign)(p, y);                                                            \
}                                                                                                                    \
static inline T t_asinh_##S(T x) {                                                                                   \
    const T a = LF(fabs)(x), c = a > (T)1e9 ? (T)1e9 : a;                                                            \
    const T near = t_log1p_##S(c + c * c / (1 + LF(sqrt)(c * c + 1)));                                               \
    return LF(copysign)(a > (T)1e9 ? t_log_##S(a) + (T)0.69314718055994530942 : near, x);                            \
}                                                                                                                    \
static inline T t_acosh_##S(T x) {                                                                                   \
    const T t = (x > (T)1e9 ? (T)1e9 : x) - 1, near = t_log1p_##S(t + LF(sqrt)(2 * t + t * t));                      \
    return x < 1 ? (T)NAN : x > (T)1e9 ? t_log_##S(x) + (T)0.69314718055994530942 : near;                            \
}                                                                                                                    \
static inline T t_atanh_##S(T x) {                                                                                   \
    const T a = LF(fabs)(x);                                                                                         \
    return LF(copysign)((T)0.5 * t_log1p_##S(2 * a / (1 - a)), x);                                                   \
}
#define TAEDA_F(name) name##f
#define TAEDA_D(name) name
TAEDA_ELEMENTARY(f32, float, TAEDA_F, 1.57079637f, -4.37113883e-8f, 0.301025391f, 4.60503794e-6f, 88.0f)
TAEDA_ELEMENTARY(f64, double, TAEDA_D, 1.57079632679489655800, 6.12323399573676603587e-17, 3.01029995663611771306e-01, 3.69423907715893078616e-13, 709.0)
#undef TAEDA_F
#undef TAEDA_D

/* -- float32 with help of double, or of a second part ------------------------------------------------------ */

static inline float t_erfc_f32(float x) {
    const float a = fabsf(x), c = a > 10.5f ? 10.5f : a, u = (c - 2.0f) / (c + 2.0f);
    float q = -0.00042251547f;
    q = q * u - 0.0012606344f;
    q = q * u + 0.0013287677f;
    q = q * u + 0.0086619983f;
    q = q * u - 0.0080620684f;
    q = q * u - 0.054213877f;
    q = q * u + 0.16405520f;
    q = q * u - 0.16603043f;
    q = q * u - 0.092763963f;
    q = q * u + 1.2769784f;
    const float high = t_from_bits_f32(t_to_bits_f32(c) & (int32_t)0xfffff000), low = (c - high) * (c + high);
    const float y = t_exp_f32(-high * high) * t_exp_f32(-low) * (q / (1.0f + 2.0f * c));
    return x != x ? x : x < 0.0f ? 2.0f - y : y;
}

/* erfinv(x) / x by w = -log(1 - x^2) up to 5, by its root beyond: Chebyshev fits */
static inline float t_erfinv_f32(float x) {
    const float w = -t_log_f32((1.0f - x) * (1.0f + x)), u = w - 2.5f, v = sqrtf(w < 0.0f ? 0.0f : w) - 3.0f;
    float p = -8.9319260e-9f;
    p = p * u + 2.3335967e-8f;
    p = p * u + 4.6813135e-7f;
    p = p * u - 3.4639853e-6f;
    p = p * u - 4.9724197e-6f;
    p = p * u + 2.1834939e-4f;
    p = p * u - 1.2527264e-3f;
    p = p * u - 4.1773729e-3f;
    p = p * u + 0.24664028f;
    p = p * u + 1.5014094f;
    float q = 1.0748661e-4f;
    q = q * v - 3.0110998e-4f;
    q = q * v - 4.5034770e-5f;
    q = q * v + 1.4741308e-3f;
    q = q * v - 3.6035170e-3f;
    q = q * v + 5.6914079e-3f;
    q = q * v - 7.6359626e-3f;
    q = q * v + 9.4447215e-3f;
    q = q * v + 1.0016749f;
    q = q * v + 2.8329768f;
    const float y = (w < 5.0f ? p : q) * x;
    return fabsf(x) == 1.0f ? copysignf(INFINITY, x) : fabsf(x) < 1.0f ? y : NAN;
}

static inline float t_hypot_f32(float x, float y) {
    const float z = (float)sqrt((double)x * x + (double)y * y);
    return fabsf(x) == INFINITY || fabsf(y) == INFINITY ? INFINITY : z;
}

/* |x| - floor(|x| / |y|) |y|, exact while the quotient is below 2^29 (T_FMOD_LARGE says where it is not) */
#define T_FMOD_LARGE(x, y) (fabsf(x) < INFINITY && fabs((double)(x)) >= 536870912.0 * fabs((double)(y)) && (y) != 0.0f)
static inline float t_fmod_f32(float x, float y) {
    const double a = fabs((double)x), b = fabs((double)y), q = floor(a / b);
    double r = a - q * b;
    r = r < 0 ? r + b : r;
    r = r >= b ? r - b : r;
    const float z = copysignf((float)r, x);
    return b == (double)INFINITY && a < (double)INFINITY ? x : z;
}

/* 2^(y log2 |x|) in double, to about 1e-10, and the signs and the corners of C's pow */
static inline float t_pow_f32(float x, float y) {
    const float a = fabsf(x);
    const double m = (double)a, d = (double)y;
    const int64_t ix = t_minus_i64(t_to_bits_f64(m), 0x3fe6a09e667f3bcdULL);
    const double f = t_from_bits_f64((ix & 0x000fffffffffffffLL) + 0x3fe6a09e667f3bcdLL) - 1.0;
    const uint64_t biased = ((uint64_t)ix + 0x4000000000000000ULL) >> 52;
    const double e = t_from_bits_f64((int64_t)(biased | 0x4330000000000000ULL)) - (4503599627370496.0 + 1024.0);
    const double s = f / (2.0 + f), z = s * s;
    double q = 0.19362726844869669694;
    q = q * z + 0.22191397066339860038;
    q = q * z + 0.28571754595200793097;
    q = q * z + 0.39999998797047206275;
    q = q * z + 0.66666666667375303235;
    double l = e + (2.0 * s + s * (z * q)) * 1.4426950408889634074;
    l = a == 0.0f ? -(double)INFINITY : l;
    l = a == INFINITY ? (double)INFINITY : l;
    double p = a == 1.0f ? 0.0 : l * d;
    p = p > 200.0 ? 200.0 : p;
    p = p < -200.0 ? -200.0 : p;
    const double k = p + 6755399441055744.0, n = k - 6755399441055744.0, r = p - n;
    double v = 0.000015297323760701074108;
    v = v * r + 0.00015461444698569129083;
    v = v * r + 0.0013333502386162770741;
    v = v * r + 0.0096180566785246380754;
    v = v * r + 0.055504108839096183929;
    v = v * r + 0.24022650922288758071;
    v = v * r + 0.69314718055994530942;
    const double w = (v * r + 1.0) * t_pow2i_f64(t_minus_i64(t_to_bits_f64(k), 0x4338000000000000ULL));
    const float half = 0.5f * y, odd = rintf(y) == y && rintf(half) != half && fabsf(y) < 16777216.0f;
    float g = (float)w;
    g = odd != 0 ? copysignf(g, x) : g;
    g = x < 0.0f && rintf(y) != y && a < INFINITY ? NAN : g;
    g = x != x || y != y ? NAN : g;
    return y == 0.0f || x == 1.0f ? 1.0f : g;
}

/* the next number towards b, by its bits */
static inline float t_nextafter_f32(float a, float b) {
    const int32_t i = t_to_bits_f32(a), step = (b > a) == (a > 0.0f) ? 1 : -1;
    float y = t_from_bits_f32((int32_t)((uint32_t)i + (uint32_t)step));
    y = a == 0.0f ? copysignf(1.40129846e-45f, b) : y;
    y = a == b ? b : y;
    return a != a || b != b ? a + b : y;
}
static inline double t_nextafter_f64(double a, double b) {
    const int64_t i = t_to_bits_f64(a), step = (b > a) == (a > 0.0) ? 1 : -1;
    double y = t_from_bits_f64((int64_t)((uint64_t)i + (uint64_t)step));
    y = a == 0.0 ? copysign(4.94065645841246544177e-324, b) : y;
    y = a == b ? b : y;
    return a != a || b != b ? a + b : y;
}

/* a 2^n rounded once; n is limited by what an int holds */
static inline float t_ldexp_f32(float a, float n) {
    float c = n > 400.0f ? 400.0f : n;
    c = c < -400.0f ? -400.0f : c;
    return (float)((double)a * t_pow2i_f64((int64_t)(int32_t)c));
}
static inline double t_ldexp_f64(double a, double n) { return ldexp(a, (int)n); }

#endif

/* The error function and its relatives as branch-free formulas for loops; largest errors in units in the last place:
 *
 *     erf 2   erfc_f32 4   erfc_f64 7   ndtr_f32 6   erfinv_f32 4   normal_f32 4
 *
 * Method.  erf: x P(x^2) up to 0.9 (float32) or 1 (float64), beyond by 1 - 2^P(|x|), with P a fit of log2 erfc weighted by erfc.
 * erfc: (1 + 2x) e^(x^2) erfc(x) is smooth in (x - k) / (x + k), and e^(-x^2) keeps its digits because the leading half of x has an
 * exact square.
 */
#ifndef TAEDA_ERF_H
#define TAEDA_ERF_H
#include "formulas.h"

/* x^2 = high^2 + low with an exact high^2 */
INLINE float t_square_parts_f32(float x, float *low) {
    const float high = t_from_bits_f32(t_to_bits_f32(x) & (int32_t)0xfffff000);
    *low = (x - high) * (x + high);
    return high * high;
}
INLINE double t_square_parts_f64(double x, double *low) {
    const double high = t_from_bits_f64(t_to_bits_f64(x) & (int64_t)0xfffffffff8000000LL);
    *low = (x - high) * (x + high);
    return high * high;
}
/* e^(-x^2) for 0 <= x <= 28 */
INLINE float t_exp_minus_square_f32(float x) {
    float l;
    const float e = t_exp_f32(-t_square_parts_f32(x, &l));
    return e - e * (l * (1.0f - l * (0.5f - l * (0.16666667f - l * 0.041666668f))));
}
INLINE double t_exp_minus_square_f64(double x) {
    double l;
    const double e = t_exp_f64(-t_square_parts_f64(x, &l));
    return e - e * (l * (1.0 - l * (0.5 - l * 0.16666666666666666)));
}

/* (1 + 2x) e^(x^2) erfc(x) by u = (x - 2) / (x + 2) (float32), (x - 4) / (x + 4) (float64).  Pairs of terms first,
 * in two sums: the chain of multiply-adds that wait for one another is what costs. */
INLINE float t_erfcx_core_f32(float u) {
    const float v = u * u;
    float q = -0.00042251547f;
    q = q * v + 0.0013287677f;
    q = q * v - 0.0080620684f;
    q = q * v + 0.16405520f;
    q = q * v - 0.092763963f;
    float p = -0.0012606344f;
    p = p * v + 0.0086619983f;
    p = p * v - 0.054213877f;
    p = p * v - 0.16603043f;
    p = p * v + 1.2769784f;
    return q * u + p;
}
INLINE double t_erfcx_core_f64(double u) {
    const double v = u * u, w = v * v;
    double p = -2.6595995416157343883e-10;
    p = p * w + (u * -1.2346866085004360295e-08 - 2.0560649061419426295e-08);
    p = p * w + (u * -8.2109390438924200294e-07 + 2.9197333807680103173e-07);
    p = p * w + (u * -2.4397746422498889954e-05 + 0.00015062149001247179488);
    p = p * w + (u * 0.0050319700676574839748 - 0.016197734059799264589);
    p = p * w + (u * 0.093732834999094405415 - 0.10103906603630055661);
    p = p * w + (u * -0.13962111684056230376 + 1.2329951186255525553);
    double q = u * 9.311745053158518962e-10 + 3.1695881061641063174e-09;
    q = q * w + (u * 1.0633855628415333639e-07 + 7.7469926961962918195e-08);
    q = q * w + (u * 5.7066044150088626654e-06 - 1.1221287012521665924e-05);
    q = q * w + (u * -0.00019925714661088932914 - 0.00075777326137311314547);
    q = q * w + (u * 0.037167515526555672256 - 0.066330365812186972696);
    q = q * w + (u * 0.068097054254669081574 + 0.015379652102619604387);
    return q * v + p;
}

/* erfc(a) for a >= 0; in float64 both quotients by one division */
INLINE float t_erfc_positive_f32(float a) {
    const float c = a > 10.5f ? 10.5f : a;
    return t_exp_minus_square_f32(c) * (t_erfcx_core_f32((c - 2.0f) / (c + 2.0f)) / (1.0f + 2.0f * c));
}
INLINE double t_erfc_positive_f64(double a) {
    const double c = a > 28.0 ? 28.0 : a, up = c + 4.0, two = 1.0 + 2.0 * c, r = 1.0 / (up * two);
    return t_exp_minus_square_f64(c) * (t_erfcx_core_f64((c - 4.0) * (two * r)) * (up * r));
}
INLINE float t_erfc_f32(float x) {
    const float y = t_erfc_positive_f32(fabsf(x));
    return x < 0.0f ? 2.0f - y : y;
}
INLINE double t_erfc_f64(double x) {
    const double y = t_erfc_positive_f64(fabs(x));
    return x < 0.0 ? 2.0 - y : y;
}

INLINE float t_erf_f32(float x) {
    const float a = fabsf(x), c = a > 4.0f ? 4.0f : a, z = x * x, z2 = z * z, c2 = c * c;
    float q = z * -0.000609035778f + 0.00501196226f;
    q = q * z2 + (z * -0.0267789084f + 0.112821408f);
    q = q * z2 + (z * -0.376125246f + 0.12837911f);            /* erf(x) / x - 1: the sum x + x q is rounded once */
    float p = 0.000284474401f;                 /* log2 erfc(c), -26 at 4, beyond which erf is 1 */
    p = p * c2 + (c * -0.00440832181f + 0.0321390852f);
    p = p * c2 + (c * -0.150094271f - 0.91908288f);
    p = p * c2 + (c * -1.62699878f - 0.000256059953f);
    const float m = p + 12582912.0f, f = p - (m - 12582912.0f), f2 = f * f;
    float e = f * 0.00132764096f + 0.00967554096f;
    e = e * f2 + (f * 0.0555071346f + 0.240221202f);
    e = e * f2 + (f * 0.693146944f + 1.0f);
    const float y = 1.0f - e * t_pow2i_f32(t_minus_i32(t_to_bits_f32(m), 0x4b400000u));
    return a < 0.9f ? x + x * q : copysignf(y, x);
}
INLINE double t_erf_f64(double x) {
    const double a = fabs(x), c = a > 6.0 ? 6.0 : a, z = x * x, z2 = z * z, c2 = c * c;
    double q = 5.9589307431345045189e-11;
    q = q * z2 + (z * -1.1373902296430648751e-09 + 1.4660051998394778546e-08);
    q = q * z2 + (z * -1.6350354461959644135e-07 + 1.646100448096203395e-06);
    q = q * z2 + (z * -1.4925595519506043135e-05 + 0.00012055331122299265843);
    q = q * z2 + (z * -0.00085483269811296655472 + 0.005223977624823222983);
    q = q * z2 + (z * -0.026866170645077333545 + 0.11283791670954881892);
    q = q * z2 + (z * -0.37612638903183748251 + 0.1283791670955125586);
    /* log2 erfc(c), -56 at 6 */
    double p = 2.4582333617351018464e-11;
    p = p * c2 + (c * -9.0636188311445780181e-10 + 1.51740172394359809e-08);
    p = p * c2 + (c * -1.5055882961568406275e-07 + 9.5396591359899756912e-07);
    p = p * c2 + (c * -3.6654196520030317595e-06 + 4.4933904188822735526e-06);
    p = p * c2 + (c * 4.2452705641947759304e-05 - 0.00033734857801584439922);
    p = p * c2 + (c * 0.0013351697988519847619 - 0.0030386266175778035674);
    p = p * c2 + (c * 0.00085372486141652235547 + 0.027208356614234031207);
    p = p * c2 + (c * -0.14806993250819772134 - 0.9185190634643227714);
    p = p * c2 + (c * -1.6278914906257597739 - 1.5846379590616671634e-06);
    const double m = p + 6755399441055744.0, r = (p - (m - 6755399441055744.0)) * 0.69314718055994530942;
    const double y = 1.0 - (t_expm1_core_f64(r) + 1.0) * t_pow2i_f64(t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL));
    return a < 1.0 ? x + x * q : copysign(y, x);
}

/* The normal distribution's function less 1/2, for gelu: x P(x^2) / Q(x^2), a fit with positive coefficients, so that nothing cancels.
 * Within 1.4e-7 of the number; exactly +-1/2 from 6 on, where P is lifted by 8e-8. */
INLINE float t_normal_f32(float x) {
    float c = x > 6.0f ? 6.0f : x;
    c = c < -6.0f ? -6.0f : c;
    const float z = c * c, z2 = z * z;
    float p = z * 2.01284411e-8f + 6.36311188e-6f, q = z * 1.12098758e-6f + 7.99806876e-5f;
    p = p * z2 + (z * 0.000191117651f + 0.00481440686f);
    q = q * z2 + (z * 0.00201325724f + 0.0299682226f);
    p = p * z2 + (z * 0.0361936055f + 0.398942262f);
    q = q * z2 + (z * 0.257389784f + 1.0f);
    float t = c * p / q;
    t = t > 0.5f ? 0.5f : t;
    return t < -0.5f ? -0.5f : t;
}

/* the normal distribution's function, erfc(-x / sqrt 2) / 2, with the square of x itself: the tail keeps its digits */
INLINE float t_ndtr_f32(float x) {
    const float a = fabsf(x), c = a > 14.5f ? 14.5f : a, d = c * 0.70710678f, up = d + 2.0f, two = 1.0f + 2.0f * d, r = 1.0f / (up * two);
    float l;
    const float e = t_exp_f32(-0.5f * t_square_parts_f32(c, &l));
    l *= 0.5f;
    const float s = e * (1.0f - l * (1.0f - l * (0.5f - l * (0.16666667f - l * 0.041666668f))));
    const float y = 0.5f * s * (t_erfcx_core_f32((d - 2.0f) * (two * r)) * (up * r));
    return x > 0.0f ? 1.0f - y : y;
}

/* erfinv(x) / x by w = -log(1 - x^2) up to 5, by its root beyond */
INLINE float t_erfinv_f32(float x) {
    const float w = -t_log_f32((1.0f - x) * (1.0f + x)), u = w - 2.5f, v = sqrtf(w < 0.0f ? 0.0f : w) - 3.0f;
    const float u2 = u * u, v2 = v * v;
    float p = u * -8.9319260e-9f + 2.3335967e-8f;
    p = p * u2 + (u * 4.6813135e-7f - 3.4639853e-6f);
    p = p * u2 + (u * -4.9724197e-6f + 2.1834939e-4f);
    p = p * u2 + (u * -1.2527264e-3f - 4.1773729e-3f);
    p = p * u2 + (u * 0.24664028f + 1.5014094f);
    float q = v * 1.0748661e-4f - 3.0110998e-4f;
    q = q * v2 + (v * -4.5034770e-5f + 1.4741308e-3f);
    q = q * v2 + (v * -3.6035170e-3f + 5.6914079e-3f);
    q = q * v2 + (v * -7.6359626e-3f + 9.4447215e-3f);
    q = q * v2 + (v * 1.0016749f + 2.8329768f);
    const float y = (w < 5.0f ? p : q) * x;
    return fabsf(x) == 1.0f ? copysignf(INFINITY, x) : fabsf(x) < 1.0f ? y : NAN;
}
#endif

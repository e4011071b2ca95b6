/* float64's error function and its relatives as branch-free formulas for loops, and gelu's float32 one; largest errors in units in the
 * last place:
 *
 *     erf 2   erfc 7   normal_f32 4
 *
 * Method.  erf: x P(x^2) up to 1, beyond by 1 - 2^P(|x|), with P a fit of log2 erfc weighted by erfc.
 * erfc: (1 + 2x) e^(x^2) erfc(x) is smooth in (x - k) / (x + k), and e^(-x^2) keeps its digits because the leading half of x has an
 * exact square.
 */
#ifndef TAEDA_ERF_H
#define TAEDA_ERF_H
#include "formulas.h"

/* x^2 = high^2 + low with an exact high^2 */
INLINE double t_square_parts_f64(double x, double *low) {
    const double high = t_from_bits_f64(t_to_bits_f64(x) & (int64_t)0xfffffffff8000000LL);
    *low = (x - high) * (x + high);
    return high * high;
}
/* e^(-x^2) for 0 <= x <= 28 */
INLINE double t_exp_minus_square_f64(double x) {
    double l;
    const double e = t_exp_f64(-t_square_parts_f64(x, &l));
    return e - e * (l * (1.0 - l * (0.5 - l * 0.16666666666666666)));
}

/* (1 + 2x) e^(x^2) erfc(x) by u = (x - 4) / (x + 4).  Pairs of terms first,
 * in two sums: the chain of multiply-adds that wait for one another is what costs. */
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

/* erfc(a) for a >= 0; both quotients by one division */
INLINE double t_erfc_positive_f64(double a) {
    const double c = a > 28.0 ? 28.0 : a, up = c + 4.0, two = 1.0 + 2.0 * c, r = 1.0 / (up * two);
    return t_exp_minus_square_f64(c) * (t_erfcx_core_f64((c - 4.0) * (two * r)) * (up * r));
}
INLINE double t_erfc_f64(double x) {
    const double y = t_erfc_positive_f64(fabs(x));
    return x < 0.0 ? 2.0 - y : y;
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
#endif

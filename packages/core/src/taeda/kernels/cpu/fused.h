/* float32's elementary functions, computed in float32 by fused products and sums: t_NAME_fused.
 *
 * What rounding takes off the largest sums and products is kept and added at the end, so that the error is 0.6 to 1.2 units in the last
 * place and one number in some hundred to some thousand is not what correct rounding gives.  They take half to three quarters of the time
 * of once.h's, which go by float64 and so by twice the vectors, and which stand in where products are not fused.
 *
 *     e^x         x = k ln2 + r + rest; 1 + r, what that lost, and r^2 times a polynomial
 *     log2, 10    2^k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)): f - f^2 / 2 in two parts, f^3 times a polynomial; times 1 / log(base)
 *     sin, cos    x less n pi/2 as r + rest, right up to LARGE_F32: r + (r^3 S + rest), (1 - r^2 / 2) + (r^4 C - r rest)
 *     tan         their quotient, and what is left of it
 *     asin, acos  s + s^3 times a polynomial of s = x, or of sqrt((1 - x) / 2) above 1/2
 *     erf         x + x times a polynomial up to 1, 1 - erfc(1) e^g beyond, g a polynomial in x - 1
 *     erfc        e^(-x^2), with what rounding takes off x^2, times s Q(s), s = 1 / (x + 2)
 *     erfinv      up to ERFINV_MIDDLE x (sqrt(pi) / 2 + w times a polynomial of w), w = -log(1 - x^2)
 *     logit       log of q + rest, q = x / (1 - x)
 *
 * What is added to a product and depends on a choice stands as FMA_F32: the compiler fuses the two in vectors, but around a branch it may
 * not, and a number is to have the same bits alone as in a vector.
 *
 * log is formulas.h's, whose bits are mostly PyTorch's.  tools/fit_once.py finds the polynomials.  USUAL is where the plain form, which needs
 * no care for subnormal numbers and the ends, is right: the same bits.
 */
#ifndef TAEDA_FUSED_H
#define TAEDA_FUSED_H
#include "once.h"

#define EXP_USUAL(x) (fabsf(x) <= 87.0f)
#define LOG_USUAL(x) (t_minus_i32(t_to_bits_f32(x), 0x80800000u) < -0x01000000)      /* positive, normal and finite */

#define ERFC_USUAL(x) (fabsf(x) <= 9.0f)
#define LOGIT_USUAL(x) (t_minus_i32(t_to_bits_f32(x), 0x80800000u) < -0x41000000)    /* positive, normal and less than 1 */

#if TAEDA_FUSED
/* 1.5 2^23: a number added to it is rounded to an integer, which the low bits hold */
#define ROUNDER 12582912.0f

/* e^x = 2^k y for |x| <= 104, with k in the low bits of *bits */
INLINE float t_fused_exp(float x, int32_t *bits) {
    const float m = x * 1.44269504f + ROUNDER, n = m - ROUNDER;
    const float a = FMA_F32(n, -0.693147182f, x), r = FMA_F32(n, 1.90465421e-9f, a), rest = FMA_F32(n, 1.90465421e-9f, a - r), z = r * r;
    const float p = r * 1.97903506e-4f + 1.39446507e-3f, q = r * 8.33349675e-3f + 4.16662954e-2f, h = r * 0.166666657f + 0.5f;
    const float u = 1.0f + r;
    *bits = t_to_bits_f32(m);
    return u + (((1.0f - u) + r) + (((p * z + q) * z + h) * z + rest));
}
/* y 2^k: a normal number, or any */
INLINE float t_fused_raise(float y, int32_t bits) {
    return t_from_bits_f32((int32_t)((uint32_t)t_to_bits_f32(y) + ((uint32_t)bits << 23)));
}
INLINE float t_fused_scale(float y, int32_t bits) {
    const int32_t k = t_minus_i32(bits, 0x4b400000u), half = k >> 1;
    return y * t_pow2i_f32(half) * t_pow2i_f32(k - half);
}
INLINE float t_exp_fused_usual(float x) {
    int32_t k;
    const float y = t_fused_exp(x, &k);
    return t_fused_raise(y, k);
}
INLINE float t_exp_fused(float x) {
    int32_t k;
    const float y = t_fused_exp(t_once_clip(x), &k);
    return t_fused_scale(y, k);
}

/* x = 2^*e (1 + f) for positive normal x, and for a subnormal one that is told as SMALL */
INLINE float t_fused_mantissa(float x, int small, float *e) {
    const int32_t ix = t_minus_i32(t_to_bits_f32(x * (small ? 8388608.0f : 1.0f)), 0x3f3504f3u);
    *e = (float)(ix >> 23) - (small ? 23.0f : 0.0f);
    return t_from_bits_f32((ix & 0x007fffff) + 0x3f3504f3) - 1.0f;
}
/* e k + log(1 + f) c: the constants are in two parts, and e times the first is exact */
INLINE float t_fused_log_of(float f, float e, float k, float k_rest, float c, float c_rest) {
    const float z = f * f, v = z * z;
    const float p = f * -0.2500082f + 0.333333313f, q = f * -0.166233569f + 0.200012267f;
    const float r = f * -0.131601825f + 0.142017588f, s = f * -0.0763449296f + 0.12761575f;
    const float h = FMA_F32(z, -0.5f, f), lost = FMA_F32(z, -0.5f, f - h);
    const float rest = ((s * z + r) * v + (q * z + p)) * (z * f) + lost, g = e * k, u = FMA_F32(h, c, g);
    const float low = k_rest == 0.0f ? h * c_rest : FMA_F32(e, k_rest, h * c_rest);
    return u + (FMA_F32(h, c, g - u) + FMA_F32(rest, c, low));
}
INLINE float t_fused_log(float x, int small, float k, float k_rest, float c, float c_rest) {
    float e;
    const float f = t_fused_mantissa(x, small, &e);
    return t_fused_log_of(f, e, k, k_rest, c, c_rest);
}
INLINE float t_fused_log2(float x, int small) { return t_fused_log(x, small, 1.0f, 0.0f, 1.44269502f, 1.92596303e-8f); }
INLINE float t_fused_log10(float x, int small) {
    return t_fused_log(x, small, 0.301025390625f, 4.60503898e-6f, 0.434294492f, -1.01030500e-8f);
}
INLINE float t_log2_fused_usual(float x) { return t_fused_log2(x, 0); }
INLINE float t_log10_fused_usual(float x) { return t_fused_log10(x, 0); }
INLINE float t_log2_fused(float x) { return t_once_log_ends(x, t_fused_log2(x, x < 1.17549435e-38f)); }
INLINE float t_log10_fused(float x) { return t_once_log_ends(x, t_fused_log10(x, x < 1.17549435e-38f)); }

/* ln(x / (1 - x)): what rounding takes off 1 - x and off the quotient is added to the mantissa */
INLINE float t_fused_logit(float x, int small) {
    const float r = 1.0f - x, inverse = 1.0f / r, q = x * inverse;
    const float rest = (FMA_F32(-q, r, x) - q * ((1.0f - r) - x)) * inverse;
    float e, f = t_fused_mantissa(q, small, &e);
    f += small ? 0.0f : rest * t_pow2i_f32(-(int32_t)e);
    return t_fused_log_of(f, e, 0.693359375f, -2.12194440e-4f, 1.0f, 0.0f);
}
INLINE float t_logit_fused_usual(float x) { return t_fused_logit(x, 0); }
INLINE float t_logit_fused(float x) { return t_once_log_ends(x / (1.0f - x), t_fused_logit(x, x < 1.17549435e-38f)); }

/* The sine and the cosine of x less *quarters pi/2, each in two parts that are yet to be added. */
INLINE void t_fused_turn(float x, int32_t *quarters, float *sine, float *sine_rest, float *cosine, float *cosine_rest) {
    const float m = x * 0.636619747f + ROUNDER, n = m - ROUNDER;
    const float a = FMA_F32(n, -1.57079637f, x), c = FMA_F32(n, 4.37113883e-8f, 0.0f), r = a + c;    /* a may be less than c */
    const float rest = ((a - r) + c) + FMA_F32(n, 1.71512451e-15f, FMA_F32(n, 4.37113883e-8f, -c));
    const float z = r * r, v = z * z, half = 0.5f * z, u = 1.0f - half;
    const float s = (z * 2.71830413e-6f - 1.9839335e-4f) * v + (z * 8.33332911e-3f - 0.166666672f);
    const float q = (z * 2.44381391e-5f - 1.38873665e-3f) * z + 0.0416666456f;
    *quarters = t_to_bits_f32(m);
    *sine = r;
    *sine_rest = FMA_F32(s, z * r, rest);
    *cosine = u;
    *cosine_rest = ((1.0f - u) - half) + FMA_F32(q, v, -(r * rest));
}
INLINE float t_fused_sincos(float x, int32_t quarter) {
    int32_t k;
    float s, s_rest, c, c_rest;
    t_fused_turn(x, &k, &s, &s_rest, &c, &c_rest);
    k += quarter;
    const float y = (int32_t)((uint32_t)k << 31) < 0 ? c + c_rest : s + s_rest;
    return t_from_bits_f32(t_to_bits_f32(y) ^ (int32_t)((uint32_t)(k & 2) << 30));
}
INLINE float t_sin_fused(float x) { return x == 0.0f ? x : t_fused_sincos(x, 0); }
INLINE float t_cos_fused(float x) { return t_fused_sincos(x, 1); }
INLINE float t_tan_fused(float x) {
    int32_t k;
    float s, s_rest, c, c_rest;
    t_fused_turn(x, &k, &s, &s_rest, &c, &c_rest);
    const float sine = s + s_rest, cosine = c + c_rest, sine_lost = (s - sine) + s_rest, cosine_lost = (c - cosine) + c_rest;
    const int odd = k & 1;
    const float over = odd ? -cosine : sine, under = odd ? sine : cosine;
    const float over_lost = odd ? -cosine_lost : sine_lost, under_lost = odd ? sine_lost : cosine_lost;
    const float inverse = 1.0f / under, y = over * inverse;
    return x == 0.0f ? x : FMA_F32(FMA_F32(-y, under, over) + FMA_F32(-y, under_lost, over_lost), inverse, y);
}

/* asin(a) = *sine + result for 0 <= a <= 1/2; above, asin(sqrt((1 - a) / 2)) so */
INLINE float t_fused_asin(float a, int far, float *sine) {
    const float half = 0.5f - 0.5f * a, z = far ? half : a * a, s = far ? sqrtf(half) : a, v = z * z;
    const float q = (z * 0.0375164747f + 0.0144385872f) * v + (z * 0.0318077244f + 0.0445169546f);
    const float p = q * v + (z * 0.0750050396f + 0.166666597f);
    const float lost = FMA_F32(-s, s, half) / (s + s + 1e-30f);         /* of the root */
    *sine = s;
    return FMA_F32(p, z * s, far ? lost : 0.0f);
}
INLINE float t_asin_fused(float x) {
    float s;
    const float a = fabsf(x);
    const int far = a > 0.5f;
    const float rest = t_fused_asin(a, far, &s), w = s + s, u = 1.57079637f - w;
    return copysignf(far ? u + (((1.57079637f - u) - w) - (2.0f * rest + 4.37113883e-8f)) : s + rest, x);
}
/* pi, pi/2 or 0, less or more than asin's sum */
INLINE float t_acos_fused(float x) {
    float s;
    const float a = fabsf(x);
    const int far = a > 0.5f, left = x < 0.0f;
    const float l = t_fused_asin(a, far, &s), w = far ? s + s : s, w_rest = far ? l + l : l;
    const float top = far ? (left ? 3.14159274f : 0.0f) : 1.57079637f;
    const int32_t minus = (far != left) ? 0 : (int32_t)0x80000000;
    const float p = t_from_bits_f32(t_to_bits_f32(w) ^ minus), p_rest = t_from_bits_f32(t_to_bits_f32(w_rest) ^ minus), u = top + p;
    return u + (((top - u) + p) + FMA_F32(top, -2.78275341e-8f, p_rest));
}

INLINE float t_erf_fused(float x) {
    const float a = fabsf(x), z = x * x, v = z * z;
    float near = z * 7.85386073e-5f - 8.01019371e-4f;
    near = near * z + 5.18832775e-3f;
    near = near * v + (z * -0.0268538129f + 0.112835854f);
    near = near * v + (z * -0.37612626f + 0.128379166f);
    const float c = (a > 3.95f ? 3.95f : a) - 1.0f, d = c * c;
    const float k = c * -1.1572215e-3f + 9.04574245e-3f, l = c * -0.0410445519f - 0.843220353f;
    const float g = (k * d + l) * d + (c * -2.63895917f - 8.65902336e-8f);
    /* e^g to 2^-23: what it is taken from is six times as large */
    const float m = g * 1.44269504f + ROUNDER, n = m - ROUNDER, r = FMA_F32(n, -0.693147182f, g);
    const float e = ((r * 8.31252429e-3f + 0.041890122f) * (r * r) + (r * 0.166671142f + 0.499992311f)) * (r * r) + (r + 1.0f);
    const float far = FMA_F32(t_fused_raise(e, t_to_bits_f32(m)), -0.157299207f, 1.0f);
    return copysignf(a > 1.0f ? far : FMA_F32(a, near, a), x);
}
/* erfc(c) = result 2^k for 0 <= c <= 10.5, with c^2 = h + l; k is in the low bits of *bits.  e^(c^2) erfc(c) = s Q(s), s = 1 / (c + 2);
 * what rounding takes off s and c + 2 goes, by the slope of the logarithm, about -(0.93 + 2.75 s) s, into the power with l. */
INLINE float t_fused_erfc(float c, float h, float l, int32_t *bits) {
    const float up = c + 2.0f, s = 1.0f / up, gap = FMA_F32(FMA_F32(up, s, -1.0f), up, c - (up - 2.0f));
    const float low = FMA_F32(FMA_F32(2.75f, s, 0.93f) * s, gap, l);
    const float u = FMA_F32(-4.0f, s, 1.0f), z = u * u, v = z * z;
    const float g = u * 7.09329033e-5f + 4.96413595e-5f, i = u * -5.9269846e-4f - 8.34525621e-4f, j = u * 3.06200236e-3f + 6.47663279e-3f;
    const float k = u * -0.0215055067f - 0.03644187f, p = ((g * z + i) * z + j) * v + (k * z + (u * 0.279471755f - 0.687160671f));
    const float q = u * p, t = q + 1.02158272f, y = s * t, rest = FMA_F32(s, t, -y) + s * (((1.02158272f - t) + q) - 1.37403855e-8f);
    const float m = h * -1.44269504f + ROUNDER, n = m - ROUNDER;
    const float r = FMA_F32(n, -0.693147182f, -h) + FMA_F32(n, 1.90465421e-9f, -low), w = r * r;
    const float a = r * 1.97903506e-4f + 1.39446507e-3f, b = r * 8.33349675e-3f + 4.16662954e-2f, e = r * 0.166666657f + 0.5f;
    const float power = ((a * w + b) * w + e) * w + r;
    *bits = t_to_bits_f32(m);
    return y + FMA_F32(y, power, FMA_F32(rest, power, rest));
}
INLINE float t_erfc_fused(float x) {
    int32_t bits;
    const float a = fabsf(x), c = a > 10.5f ? 10.5f : a, h = c * c, e = t_fused_erfc(c, h, FMA_F32(c, c, -h), &bits);
    const float y = t_fused_scale(e, bits);
    return x < 0.0f ? 2.0f - y : y;
}
INLINE float t_erfc_fused_usual(float x) {
    int32_t bits;
    const float c = fabsf(x), h = c * c, e = t_fused_erfc(c, h, FMA_F32(c, c, -h), &bits);
    const float y = t_fused_raise(e, bits);
    return x < 0.0f ? 2.0f - y : y;
}
/* the normal distribution's function, erfc(-x / sqrt 2) / 2 */
INLINE float t_ndtr_fused(float x) {
    int32_t bits;
    const float a = fabsf(x), c = a > 14.5f ? 14.5f : a, h = c * c;
    const float e = 0.5f * t_fused_erfc(c * 0.707106769f, 0.5f * h, 0.5f * FMA_F32(c, c, -h), &bits), y = t_fused_scale(e, bits);
    return x > 0.0f ? 1.0f - y : y;
}
/* erfinv(x) for |x| <= ERFINV_MIDDLE: x (sqrt(pi) / 2 + w Q((w - 4) / 4)), w = -log(1 - x^2), in two steps: the chain of both is so long
 * that processors do not begin the next numbers before its end */
INLINE float t_erfinv_first(float x) { return -t_log_f32_usual(FMA_F32(-x, x, 1.0f)); }
INLINE float t_erfinv_second(float x, float w) {
    const float u = w * 0.25f - 1.0f, z = u * u, v = z * z;
    const float g = z * -3.31878546e-5f + (u * 1.28952888e-4f - 7.02809848e-5f), h = u * -4.85815923e-4f + 1.2549602e-3f;
    const float i = u * -7.54852837e-4f - 3.23141157e-3f, j = u * 0.0108392565f - 0.0141007528f, k = u * -0.0147834439f + 0.243138045f;
    const float p = ((g * z + h) * z + i) * v + (j * z + k);
    /* sqrt(pi) / 2 in two parts that are positive, so that -0 stays -0 */
    const float y = FMA_F32(w, p, 0.886226892f), lost = FMA_F32(w, p, 0.886226892f - y) + 3.29814e-8f;
    return FMA_F32(x, y, x * lost);
}
#else
#define t_logit_fused t_logit_f32
#define t_logit_fused_usual t_logit_f32
#define t_erfc_fused t_erfc_f32
#define t_erfc_fused_usual t_erfc_f32
#define t_ndtr_fused t_ndtr_f32
#define t_erfinv_first(x) 0.0f
#define t_erfinv_second(x, w) t_erfinv_middle_f32(x)
#define t_exp_fused t_exp_once
#define t_exp_fused_usual t_exp_once
#define t_log2_fused t_log2_f32
#define t_log2_fused_usual t_log2_f32
#define t_log10_fused t_log10_f32
#define t_log10_fused_usual t_log10_f32
#define t_sin_fused t_sin_once
#define t_cos_fused t_cos_once
#define t_tan_fused t_tan_f32
#define t_asin_fused t_asin_f32
#define t_acos_fused t_acos_f32
#define t_erf_fused t_erf_f32
#endif
#endif

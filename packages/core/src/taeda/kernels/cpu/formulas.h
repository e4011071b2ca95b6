/* Elementary functions as branch-free polynomials that the compiler vectorises inside a loop.
 *
 * t_NAME_f32 and t_NAME_f64; largest errors against a 100-digit reference, over the whole range, in
 * units in the last place (packages/core/tests/test_formulas.py measures them):
 *
 *     exp 1   expm1 2   log 1   log1p 2   tanh 3   sigmoid 3   sin cos of float32 2, of float64 0.8
 *
 * Where the result is the op's own, fused.h and once.h compute it in float32 and compensated.h in float64; these short forms are for the insides of
 * other formulas and for float16 and bfloat16, which are rounded further.
 *
 * Method.  exp: x = n ln2 + r with n from the 1.5*2^k rounding trick, a polynomial in r, and 2^n put in
 * by the exponent bits in two halves, so that subnormal results come out right.  log: the exponent is
 * split off so that the mantissa lies in [sqrt(1/2), sqrt(2)), then atanh's series in f/(2+f).
 * sin, cos: Cody-Waite reduction by pi/2 in three parts; arguments beyond it go to libm (LARGE_*).
 * NaN goes through every comparison as "false", which each blend below is written for.
 */
#ifndef TAEDA_FORMULAS_H
#define TAEDA_FORMULAS_H
#include <math.h>
#include <stdint.h>

/* a loop becomes vectors only if everything that it calls is in it, whatever its size */
#define INLINE static inline __attribute__((always_inline))

typedef union { float f; int32_t i; uint32_t u; } t_bits32;
typedef union { double f; int64_t i; uint64_t u; } t_bits64;

INLINE float t_from_bits_f32(int32_t i) { t_bits32 b; b.i = i; return b.f; }
INLINE int32_t t_to_bits_f32(float f) { t_bits32 b; b.f = f; return b.i; }
INLINE double t_from_bits_f64(int64_t i) { t_bits64 b; b.i = i; return b.f; }
INLINE int64_t t_to_bits_f64(double f) { t_bits64 b; b.f = f; return b.i; }

#if defined __FMA__ || defined __ARM_FEATURE_FMA
#define TAEDA_FUSED 1
#define FMA_F64(a, b, c) __builtin_fma(a, b, c)
#define FMA_F32(a, b, c) __builtin_fmaf(a, b, c)
#else
#define TAEDA_FUSED 0
#define FMA_F64(a, b, c) ((a) * (b) + (c))
#define FMA_F32(a, b, c) ((a) * (b) + (c))
#endif

/* a b rounded, whatever is added to it, and what rounding took off: by Dekker's halves (below 2^995) where products are not fused */
INLINE double t_rounded_product_f64(double a, double b) { return TAEDA_FUSED ? FMA_F64(a, b, -0.0) : a * b; }
INLINE double t_product_error_f64(double a, double b, double p) {
#if TAEDA_FUSED
    return FMA_F64(a, b, -p);
#else
    const double ca = 134217729.0 * a, cb = 134217729.0 * b, ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh;
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
#endif
}

/* Bits are shifted and subtracted as unsigned ones: nan and numbers out of range come through here too, and wrap around. */
INLINE int32_t t_minus_i32(int32_t a, uint32_t b) { return (int32_t)((uint32_t)a - b); }
INLINE int64_t t_minus_i64(int64_t a, uint64_t b) { return (int64_t)((uint64_t)a - b); }
/* an exponent's half, without an arithmetic shift; the exponent of a nan may be any number */
INLINE int64_t t_half_i64(int64_t k) { return (int64_t)(((uint64_t)k + 4096) >> 1) - 2048; }

/* What a loop over numbers notes of any of them: as wide as they are, since each vector of notes of another width is packed first (exp of
 * float64 on Zen 1: 3.6 ns, with an int 5.2). */
#define NOTE(T) __typeof__(_Generic((char (*)[sizeof(T)])0, char (*)[8] : (int64_t)0, default : 0))

/* 2^n for n in [-126, 127] (f32), [-1022, 1023] (f64) */
INLINE float t_pow2i_f32(int32_t n) { return t_from_bits_f32((int32_t)((uint32_t)(n + 127) << 23)); }
INLINE double t_pow2i_f64(int64_t n) { return t_from_bits_f64((int64_t)(((uint64_t)n + 1023) << 52)); }

/* exp(r) - 1 for |r| <= ln2 / 2.  Pairs of terms first: the chain of multiply-adds that wait for one another is what costs. */
INLINE float t_expm1_core_f32(float r) {
    const float z = r * r;
    const float a = 1.9875691500e-4f * r + 1.3981999507e-3f, b = 8.3334519073e-3f * r + 4.1665795894e-2f;
    const float c = 1.6666665459e-1f * r + 5.0000001201e-1f;
    return ((a * z + b) * z + c) * z + r;
}
INLINE double t_expm1_core_f64(double r) {
    const double z = r * r, v = z * z;
    const double a = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0, b = r * (1.0 / 39916800.0) + 1.0 / 3628800.0;
    const double c = r * (1.0 / 362880.0) + 1.0 / 40320.0, d = r * (1.0 / 5040.0) + 1.0 / 720.0;
    const double e = r * (1.0 / 120.0) + 1.0 / 24.0, f = r * (1.0 / 6.0) + 0.5;
    return (((a * z + b) * v + (c * z + d)) * v + (e * z + f)) * z + r;
}

INLINE float t_exp_f32(float x) {
    float c = x > 89.0f ? 89.0f : x;
    c = c < -104.0f ? -104.0f : c;
    float m = c * 1.44269504f + 12582912.0f;
    float n = m - 12582912.0f;
    int32_t k = t_minus_i32(t_to_bits_f32(m), 0x4b400000u);
    float r = c - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float y = t_expm1_core_f32(r) + 1.0f;
    int32_t h = k >> 1;
    return y * t_pow2i_f32(h) * t_pow2i_f32(k - h);
}
INLINE double t_exp_f64(double x) {
    double c = x > 710.0 ? 710.0 : x;
    c = c < -746.0 ? -746.0 : c;
    double m = c * 1.4426950408889634 + 6755399441055744.0;
    double n = m - 6755399441055744.0;
    int64_t k = t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL);
    double r = c - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    double y = t_expm1_core_f64(r) + 1.0;
    int64_t h = t_half_i64(k);
    return y * t_pow2i_f64(h) * t_pow2i_f64(t_minus_i64(k, (uint64_t)h));
}

/* 2^k (e^r - 1) + (2^k - 1): exact where k = 0, so small x keep all their digits */
INLINE double t_expm1_f64(double x) {
    double c = x > 709.0 ? 709.0 : x;
    c = c < -40.0 ? -40.0 : c;
    double m = c * 1.4426950408889634 + 6755399441055744.0;
    double n = m - 6755399441055744.0;
    int64_t k = t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL);
    double r = c - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    double s = t_pow2i_f64(k);
    double y = s * t_expm1_core_f64(r) + (s - 1.0);
    y = x == 0.0 ? x : y;
    return x > 709.0 ? t_exp_f64(x) : y;
}

/* log(m) for m in [sqrt(1/2), sqrt(2)) plus e ln2, for x that is positive, normal or told as SMALL, and finite */
INLINE float t_log_of_f32(float x, int small) {
    int32_t ix = t_minus_i32(t_to_bits_f32(x * (small ? 8388608.0f : 1.0f)), 0x3f3504f3u);
    int32_t k = ix >> 23;
    float f = t_from_bits_f32((ix & 0x007fffff) + 0x3f3504f3) - 1.0f;
    float e = (float)k - (small ? 23.0f : 0.0f);
    float s = f / (2.0f + f), z = s * s;
    float q = 0.24279078841f;
    q = q * z + 0.28498786688f;
    q = q * z + 0.40000972152f;
    q = q * z + 0.66666662693f;
    float h = 0.5f * f * f;
    float y = FMA_F32(s, h + z * q, e * 9.0580006145e-6f);
    y = (y - h) + f;
    return y + e * 6.9313812256e-1f;
}
INLINE float t_log_f32_usual(float x) { return t_log_of_f32(x, 0); }
INLINE float t_log_f32(float x) {
    float y = t_log_of_f32(x, x < 1.17549435e-38f);
    y = x == INFINITY ? x : y;
    y = x == 0.0f ? -INFINITY : y;
    return x >= 0.0f ? y : NAN;
}
/* x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for x that is positive, normal or told as SMALL, and finite */
#define SMALL_F64(x) ((x) < 2.2250738585072014e-308)
INLINE double t_mantissa_f64(double x, int small, double *e) {
    const int64_t ix = t_minus_i64(t_to_bits_f64(x * (small ? 18014398509481984.0 : 1.0)), 0x3fe6a09e667f3bcdULL);
    /* (ix >> 52) as a double without a 64-bit arithmetic shift or conversion */
    const uint64_t biased = ((uint64_t)ix + 0x4000000000000000ULL) >> 52;
    *e = t_from_bits_f64((int64_t)(biased | 0x4330000000000000ULL)) - (4503599627370496.0 + 1024.0) - (small ? 54.0 : 0.0);
    return t_from_bits_f64((ix & 0x000fffffffffffffLL) + 0x3fe6a09e667f3bcdLL) - 1.0;
}
/* (log(1 + f) - f + f^2 / 2) / s for s = f / (2 + f), given h = f^2 / 2 */
INLINE double t_log_series_f64(double s, double h) {
    const double z = s * s;
    double q = 1.479819860511658591e-01;
    q = q * z + 1.531383769920937332e-01;
    q = q * z + 1.818357216161805012e-01;
    q = q * z + 2.222219843214978396e-01;
    q = q * z + 2.857142874366239149e-01;
    q = q * z + 3.999999999940941908e-01;
    q = q * z + 6.666666666666735130e-01;
    return h + z * q;
}
INLINE double t_log_of_f64(double x, int small) {
    double e;
    const double f = t_mantissa_f64(x, small, &e), s = f / (2.0 + f), h = 0.5 * f * f;
    const double y = s * t_log_series_f64(s, h) + e * 1.90821492927058770002e-10;
    return ((y - h) + f) + e * 6.93147180369123816490e-01;
}
INLINE double t_log_f64_usual(double x) { return t_log_of_f64(x, 0); }
INLINE double t_log_f64(double x) {
    double y = t_log_of_f64(x, SMALL_F64(x));
    y = x == INFINITY ? x : y;
    y = x == 0.0 ? -INFINITY : y;
    return x >= 0.0 ? y : NAN;
}

/* log(1 + x) = log(u) + (x - (u - 1)) / u with u = 1 + x rounded */
INLINE double t_log1p_f64(double x) {
    double u = 1.0 + x;
    double y = t_log_f64(u) + (x - (u - 1.0)) / u;
    y = u == 1.0 ? x : y;
    y = u == 0.0 ? -INFINITY : y;
    return x == INFINITY ? x : y;
}

INLINE float t_tanh_f32(float x) {                          /* t / (t + 2), t = e^2|x| - 1, and 1 from 10 up */
    float c = 2.0f * fabsf(x);
    c = c > 20.0f ? 20.0f : c;
    const float m = c * 1.44269504f + 12582912.0f, n = m - 12582912.0f;
    const float s = t_from_bits_f32((int32_t)(((uint32_t)t_to_bits_f32(m) << 23) + 0x3f800000u));
    float r = c - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    const float t = s * t_expm1_core_f32(r) + (s - 1.0f);
    return x != x ? x : copysignf(t / (t + 2.0f), x);
}
INLINE double t_tanh_f64(double x) {
    double c = 2.0 * fabs(x);
    c = c > 40.0 ? 40.0 : c;
    const double m = c * 1.4426950408889634 + 6755399441055744.0, n = m - 6755399441055744.0;
    const double s = t_from_bits_f64((int64_t)(((uint64_t)t_to_bits_f64(m) << 52) + 0x3ff0000000000000ULL));
    double r = c - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    const double t = s * t_expm1_core_f64(r) + (s - 1.0);
    return x != x ? x : copysign(t / (t + 2.0), x);
}

/* 1 / (1 + e^-x), which is 0 where e^-x overflows: half of what exp costs is its care for numbers that are smaller still */
INLINE float t_sigmoid_f32(float x) {
    float c = x < -89.0f ? -89.0f : x;
    c = c > 80.0f ? 80.0f : c;
    const float m = c * -1.44269504f + 12582912.0f, n = m - 12582912.0f;
    const float half = t_from_bits_f32((int32_t)(((uint32_t)t_to_bits_f32(m) << 23) + 0x3f000000u));        /* of 2^n */
    float r = -c - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    return 1.0f / ((2.0f * t_expm1_core_f32(r) + 2.0f) * half + 1.0f);
}
/* from exp(-|x|), which does not overflow */
INLINE double t_sigmoid_f64(double x) {
    double e = t_exp_f64(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/* Arguments from here on are reduced by libm, in a scalar pass over the block that has one. */
#define LARGE_F32 1.0e6f
#define LARGE_F64 8.0e5

INLINE float t_sin_poly_f32(float r) {
    float z = r * r;
    float q = -1.9515295891e-4f;
    q = q * z + 8.3321608736e-3f;
    q = q * z - 1.6666654611e-1f;
    return q * z * r + r;
}
INLINE float t_cos_poly_f32(float r) {
    float z = r * r;
    float q = 2.443315711809948e-5f;
    q = q * z - 1.388731625493765e-3f;
    q = q * z + 4.166664568298827e-2f;
    return q * z * z - 0.5f * z + 1.0f;
}
/* x less n times pi/2 in three parts: with a fused product and sum each step rounds once, and the first is exact up to LARGE. */
INLINE float t_sincos_f32(float x, int32_t quarter) {
#ifdef __FMA__
    const float n = __builtin_fmaf(x, 0.63661977f, 12582912.0f) - 12582912.0f;
    const int32_t k = (int32_t)n + quarter;
    float r = __builtin_fmaf(-n, 1.57079637f, x);
    r = __builtin_fmaf(-n, -4.37113883e-8f, r);
    r = __builtin_fmaf(-n, -1.71512451e-15f, r);
#else
    double m = (double)x * 0.63661977236758134 + 6755399441055744.0;
    double n = m - 6755399441055744.0;
    int32_t k = (int32_t)n + quarter;
    float r = (float)(((double)x - n * 1.57079632673412561417e+00) - n * 6.07710050650619224932e-11);
#endif
    float y = (k & 1) ? t_cos_poly_f32(r) : t_sin_poly_f32(r);
    return (k & 2) ? -y : y;
}
INLINE float t_sin_f32(float x) { return x == 0.0f ? x : t_sincos_f32(x, 0); }
INLINE float t_cos_f32(float x) { return t_sincos_f32(x, 1); }

/* sin and cos of y + tail for |y| <= pi/4 and a tail below its last place: y + *sine_rest, and the result + *cosine_rest */
INLINE double t_turn_parts_f64(double y, double tail, double *sine_rest, double *cosine_rest) {
    const double z = t_rounded_product_f64(y, y), v = z * z;
    double q = 2.50507602534068634195e-08 - 1.58969099521155010221e-10 * z;         /* less by its signs, so that -0 stays -0 */
    q = q * v + (1.98412698298579493134e-04 - 2.75573137070700676789e-06 * z);
    q = q * v + (1.66666666666666324348e-01 - 8.33333333332248946124e-03 * z);
    double c = -1.13596475577881948265e-11 * z + 2.08757232129817482790e-09;
    c = c * v + (-2.75573143513906633035e-07 * z + 2.48015872894767294178e-05);
    c = c * v + (-1.38888888888741095749e-03 * z + 4.16666666666666019037e-02);
    const double h = 0.5 * z, w = 1.0 - h;
    *sine_rest = -(q * z * y + (h * tail - tail));
    *cosine_rest = ((1.0 - w) - h) + (v * c - (y * tail + 0.5 * t_product_error_f64(y, y, z)));
    return w;
}
INLINE void t_turn_f64(double y, double tail, double *sine, double *cosine) {
    double s, c;
    const double w = t_turn_parts_f64(y, tail, &s, &c);
    *sine = y + s;
    *cosine = w + c;
}
/* What n quarter turns leave of x, y + *tail; returns a number that ends in n's bits. */
INLINE int64_t t_quarter_f64(double x, double *y, double *tail) {
    const double m = x * 0.63661977236758134 + 6755399441055744.0, n = m - 6755399441055744.0;
    const double r = x - n * 1.57079632673412561417e+00, w = n * 6.07710050630396597660e-11, r1 = r - w;
    const double low = (w - (r - r1)) + n * 2.02226624879595063154e-21;
    *y = r1 - low;
    *tail = (r1 - *y) - low;
    return t_to_bits_f64(m);
}
INLINE double t_sincos_f64(double x, int64_t quarter) {
    double y, tail, s, c;
    const int64_t k = t_quarter_f64(x, &y, &tail) + quarter;
    t_turn_f64(y, tail, &s, &c);
    const double turned = (k & 1) ? c : s;
    return (k & 2) ? -turned : turned;
}
INLINE double t_sin_f64(double x) { return t_sincos_f64(x, 0); }
INLINE double t_cos_f64(double x) { return t_sincos_f64(x, 1); }

#endif

/* More elementary functions that the compiler vectorises inside a loop, built on those of formulas.h, once.h and compensated.h.
 *
 * t_NAME_f32 and t_NAME_f64 (what a dtype lacks here is in once.h or compensated.h); largest errors in units in the last place:
 * exp2 of float32, pow and hypot 1, fmod 0.
 *
 * Method.  pow: the logarithm to 80 bits, in double for float32, in two doubles for float64.  fmod: |x| - trunc(|x / y|) |y| in one
 * rounding.  What needs a fused multiply-add is left to libm on processors that have none (TAEDA_FUSED is 0).
 */
#ifndef TAEDA_ELEMENTARY_H
#define TAEDA_ELEMENTARY_H
#include "compensated.h"
#include "erf.h"
#include "formulas.h"
#include "once.h"

/* -- exponentials and logarithms -------------------------------------------------------------------------- */

INLINE float t_exp2_f32(float x) {
    float c = x > 129.0f ? 129.0f : x;
    c = c < -152.0f ? -152.0f : c;
    const float m = c + 12582912.0f, n = m - 12582912.0f;
    const int32_t k = t_minus_i32(t_to_bits_f32(m), 0x4b400000u), h = k >> 1;
    const float y = t_expm1_core_f32((c - n) * 0.693147181f) + 1.0f;
    return y * t_pow2i_f32(h) * t_pow2i_f32(k - h);
}
/* e^x - 1 for x <= 0, which needs no care about overflow */
INLINE double t_expm1_low_f64(double x) {
    const double c = x < -40.0 ? -40.0 : x, m = c * 1.4426950408889634 + 6755399441055744.0, n = m - 6755399441055744.0;
    double r = c - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    const double s = t_pow2i_f64(t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL));
    const double y = s * t_expm1_core_f64(r) + (s - 1.0);
    return x == 0.0 ? x : y;
}

/* log(1 + e) for 0 <= e <= 1: atanh's series in s = e / (2 + e) needs no exponent and keeps small e; 2 s is e - s e */
INLINE float t_log1p_unit_f32(float e) {
    const float s = e / (2.0f + e), z = s * s;
    float q = 0.281783253f;
    q = q * z + 0.279606044f;
    q = q * z + 0.400249094f;
    q = q * z + 0.66666317f;
    return e - s * (e - q * z);
}
INLINE double t_log1p_unit_f64(double e) {
    const double s = e / (2.0 + e), z = s * s;
    double q = 0.1705657450294702504;
    q = q * z + 0.08317620940429157339;
    q = q * z + 0.12111792015819999868;
    q = q * z + 0.13300162200565393555;
    q = q * z + 0.15386630743249171682;
    q = q * z + 0.18181740017812253463;
    q = q * z + 0.22222224104933036015;
    q = q * z + 0.28571428545041910319;
    q = q * z + 0.40000000000189311899;
    q = q * z + 0.66666666666666141161;
    return e - s * (e - q * z);
}

/* ln(x / (1 - x)); around 1/2 ln(1 + d) with d = (2 x - 1) / (1 - x), whose numerator is exact */
INLINE float t_logit_f32(float x) {
    const int near = x > 0.25f && x < 0.75f;
    const float r = 1.0f - x, q = (near ? 2.0f * x - 1.0f : x) / r, u = near ? 1.0f + q : q;
    return t_log_f32(u) + (near ? (q - (u - 1.0f)) / u : 0.0f);
}
INLINE double t_logit_f64(double x) {
    const int near = x > 0.25 && x < 0.75;
    const double r = 1.0 - x, q = (near ? 2.0 * x - 1.0 : x) / r, u = near ? 1.0 + q : q;
    return t_log_f64(u) + (near ? (q - (u - 1.0)) / u : 0.0);
}

/* -- float32 with help of double, or of a second part ------------------------------------------------------ */

INLINE float t_hypot_f32(float x, float y) {
    const float z = (float)sqrt((double)x * x + (double)y * y);
    return fabsf(x) == INFINITY || fabsf(y) == INFINITY ? INFINITY : z;
}

/* Scaled by a power of two where the squares would overflow or vanish; one step of Newton's adds what they and the root lost. */
INLINE double t_hypot_f64(double x, double y) {
#if !TAEDA_FUSED
    return hypot(x, y);
#else
    const double ax = fabs(x), ay = fabs(y), more = ax > ay ? ax : ay, less = ax > ay ? ay : ax;
    const double up = 4.149515568880993e+180, down = 2.409919865102884e-181;                        /* 2^600, 2^-600 */
    const double s = more > 1e150 ? down : more < 1e-140 ? up : 1.0, back = more > 1e150 ? up : more < 1e-140 ? down : 1.0;
    const double m = more * s, n = less * s, m2 = m * m, n2 = n * n, sum = m2 + n2, root = sqrt(sum);
    const double lost = FMA_F64(-root, root, sum) + (((m2 - sum) + n2) + (FMA_F64(m, m, -m2) + FMA_F64(n, n, -n2)));
    const double z = (root + (root > 0.0 ? lost / (2.0 * root) : 0.0)) * back;
    return ax == INFINITY || ay == INFINITY ? INFINITY : x != x || y != y ? x + y : z;
#endif
}

/* exact while the quotient has no more digits than the type (T_FMOD_LARGE says where it has); nan for y = 0 */
#define T_FMOD_LARGE_F32(x, y) (!TAEDA_FUSED | ((y != 0) & \
    (((fabsf(x) < INFINITY) & (fabsf(x) >= 4194304.0f * fabsf(y))) | (fabsf(y) < 1e-30f))))
#define T_FMOD_LARGE_F64(x, y) (!TAEDA_FUSED | ((y != 0) & \
    (((fabs(x) < INFINITY) & (fabs(x) >= 2251799813685248.0 * fabs(y))) | (fabs(y) < 1e-290))))
INLINE float t_fmod_f32(float x, float y) {
    const float a = fabsf(x), b = fabsf(y);
    float r = FMA_F32(-truncf(a / b), b, a);
    r = r < 0.0f ? r + b : r;
    r = r >= b ? r - b : r;
    return b == INFINITY && a < INFINITY ? x : copysignf(r, x);
}
INLINE double t_fmod_f64(double x, double y) {
    const double a = fabs(x), b = fabs(y);
    double r = FMA_F64(-trunc(a / b), b, a);
    r = r < 0.0 ? r + b : r;
    r = r >= b ? r - b : r;
    return b == INFINITY && a < INFINITY ? x : copysign(r, x);
}

/* The same for every quotient, one by one.  Of large ones the digits that a double holds are taken at a time: with q = x / y rounded,
 * x - q y is at most half of q's last digit times y, whose bits a double has room for, so that one fused multiply-add gives it without
 * error; what it has overshot is turned back at the end.  libm's takes a binary digit after the other, 190 ns for 1e20. */
static inline double exact_fmod_f64(double x, double y) {
    const double b = fabs(y);
    double r = fabs(x), q = r / b;
    int beyond = 0;
    if (!TAEDA_FUSED || !(b >= 1e-290 && q <= 1.7976931348623157e308)) return fmod(x, y);
    while (q >= 4503599627370496.0) {                   /* 2^52: q is a whole number */
        r = FMA_F64(-q, b, r);
        beyond ^= r < 0.0;
        r = fabs(r);
        q = r / b;
    }
    r = t_fmod_f64(r, b);
    return copysign(beyond && r > 0.0 ? b - r : r, x);
}
static inline float exact_fmod_f32(float x, float y) {          /* 28 digits need no fused multiply-add */
    if (!TAEDA_FUSED && fabsf(x) < INFINITY && fabsf(x) < 268435456.0f * fabsf(y)) return (float)t_fmod_f64(x, y);
    return (float)exact_fmod_f64(x, y);
}

/* 2^(d log2 a) in double, to about 1e-10, for a >= 0; not for d = 0 */
INLINE double t_pow_size_f32(float a, double d) {
    double e;
    const double f = t_once_mantissa((double)a, &e), s = f / (2.0 + f), z = s * s;
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
    return (v * r + 1.0) * t_pow2i_f64(t_minus_i64(t_to_bits_f64(k), 0x4338000000000000ULL));
}
/* that, with the signs and the corners of C's pow */
INLINE float t_pow_f32(float x, float y) {
    const float a = fabsf(x), half = 0.5f * y, odd = rintf(y) == y && rintf(half) != half && fabsf(y) < 16777216.0f;
    float g = (float)t_pow_size_f32(a, (double)y);
    g = odd != 0 ? copysignf(g, x) : g;
    g = x < 0.0f && rintf(y) != y && a < INFINITY ? NAN : g;
    g = x != x || y != y ? NAN : g;
    return y == 0.0f || x == 1.0f ? 1.0f : g;
}

/* a^y = 2^(y log2 a) for a >= 0 and y other than 0, with the logarithm and its product in two doubles */
INLINE double t_pow_size_f64(double a, double y) {
#if !TAEDA_FUSED
    return pow(a, y);
#else
    double e;
    const double f = t_mantissa_f64(a, SMALL_F64(a), &e);
    /* s + s1 = f / (2 + f), z + z1 = s^2; log m = 2 s + s z (2/3 + z P(z)) */
    const double d = 2.0 + f, r = 1.0 / d, s = f * r, s1 = (FMA_F64(-s, d, f) - s * (f - (d - 2.0))) * r;
    const double z = s * s, z1 = FMA_F64(s, s, -z) + 2.0 * s * s1;
    double q = 8.3333333333333333e-02;
    q = q * z + 8.6956521739130435e-02;
    q = q * z + 9.5238095238095238e-02;
    q = q * z + 1.0526315789473684e-01;
    q = q * z + 1.1764705882352941e-01;
    q = q * z + 1.3333333333333333e-01;
    q = q * z + 1.5384615384615385e-01;
    q = q * z + 1.8181818181818182e-01;
    q = q * z + 2.2222222222222222e-01;
    q = q * z + 2.8571428571428571e-01;
    q = q * z + 0.4;
    const double p = z * q, c = 0.66666666666666663 + p, c1 = ((0.66666666666666663 - c) + p) + 3.7007434154171883e-17;
    const double w = z * c, w1 = FMA_F64(z, c, -w) + FMA_F64(z, c1, z1 * c);
    const double v = s * w, v1 = FMA_F64(s, w, -v) + FMA_F64(s, w1, s1 * w);
    const double h = 2.0 * s + v, h1 = ((2.0 * s - h) + v) + (v1 + 2.0 * s1);
    const double g = h * 1.4426950408889634;
    const double g1 = FMA_F64(h, 1.4426950408889634, -g) + FMA_F64(h, 2.0355273740931033e-17, h1 * 1.4426950408889634);
    const double t = e + g, t1 = ((e - t) + g) + g1;
    double l = a == 0.0 ? -INFINITY : t;
    l = a == INFINITY ? INFINITY : l;
    double k = a == 1.0 ? 0.0 : l * y, k1 = FMA_F64(t1, y, FMA_F64(l, y, -k));
    k1 = fabs(k) < 1100.0 ? k1 : 0.0;
    k1 = a == 1.0 ? 0.0 : k1;
    k = k > 1100.0 ? 1100.0 : k;
    k = k < -1100.0 ? -1100.0 : k;
    const double m = k + 6755399441055744.0, rest = (k - (m - 6755399441055744.0)) + k1, u = rest * 0.69314718055994530942;
    const double u1 = FMA_F64(rest, 0.69314718055994530942, -u) + rest * 2.3190468138462996e-17;
    const double y1 = 1.0 + u, y0 = y1 + (((1.0 - y1) + u) + ((t_expm1_core_f64(u) - u) + u1));
    const int64_t n = t_minus_i64(t_to_bits_f64(m), 0x4338000000000000ULL), half_n = t_half_i64(n);
    return y0 * t_pow2i_f64(half_n) * t_pow2i_f64(t_minus_i64(n, (uint64_t)half_n));
#endif
}
/* that, with the signs and the corners of C's pow */
INLINE double t_pow_f64(double x, double y) {
#if !TAEDA_FUSED
    return pow(x, y);
#else
    const double a = fabs(x), half = 0.5 * y;
    double out = t_pow_size_f64(a, y);
    const int whole = rint(y) == y, odd = whole && rint(half) != half && fabs(y) < 9007199254740992.0;
    out = odd ? copysign(out, x) : out;
    out = x < 0.0 && !whole && a < INFINITY ? NAN : out;
    out = x != x || y != y ? NAN : out;
    return y == 0.0 || x == 1.0 ? 1.0 : out;
#endif
}

/* a = mantissa 2^exponent with 1/2 <= |mantissa| < 1; zeros, infinities and nan are their own mantissa */
INLINE float t_frexp_mantissa_f32(float a) {
    const float b = fabsf(a) < 1.17549435e-38f ? a * 33554432.0f : a;
    const float m = t_from_bits_f32((t_to_bits_f32(b) & (int32_t)0x807fffff) | 0x3f000000);
    return a == 0.0f || !(fabsf(a) < INFINITY) ? a : m;
}
INLINE float t_frexp_exponent_f32(float a) {
    const int small = fabsf(a) < 1.17549435e-38f;
    const float b = small ? a * 33554432.0f : a, e = (float)((t_to_bits_f32(b) >> 23) & 255) - (small ? 151.0f : 126.0f);
    return a == 0.0f || !(fabsf(a) < INFINITY) ? 0.0f : e;
}
INLINE double t_frexp_mantissa_f64(double a) {
    const double b = fabs(a) < 2.2250738585072014e-308 ? a * 18014398509481984.0 : a;
    const double m = t_from_bits_f64((t_to_bits_f64(b) & (int64_t)0x800fffffffffffffULL) | 0x3fe0000000000000LL);
    return a == 0.0 || !(fabs(a) < INFINITY) ? a : m;
}
INLINE double t_frexp_exponent_f64(double a) {
    const int small = fabs(a) < 2.2250738585072014e-308;
    const double b = fabs(small ? a * 18014398509481984.0 : a);
    const double e = t_from_bits_f64((int64_t)(((uint64_t)t_to_bits_f64(b) >> 52) | 0x4330000000000000ULL)) - 4503599627370496.0;
    return a == 0.0 || !(fabs(a) < INFINITY) ? 0.0 : e - (small ? 1076.0 : 1022.0);
}

/* the next number towards b, by its bits */
INLINE float t_nextafter_f32(float a, float b) {
    const int32_t i = t_to_bits_f32(a), step = (b > a) == (a > 0.0f) ? 1 : -1;
    float y = t_from_bits_f32((int32_t)((uint32_t)i + (uint32_t)step));
    y = a == 0.0f ? copysignf(1.40129846e-45f, b) : y;
    y = a == b ? b : y;
    return a != a || b != b ? a + b : y;
}
INLINE double t_nextafter_f64(double a, double b) {
    const int64_t i = t_to_bits_f64(a), step = (b > a) == (a > 0.0) ? 1 : -1;
    double y = t_from_bits_f64((int64_t)((uint64_t)i + (uint64_t)step));
    y = a == 0.0 ? copysign(4.94065645841246544177e-324, b) : y;
    y = a == b ? b : y;
    return a != a || b != b ? a + b : y;
}

/* a 2^n rounded once; n is limited by what an int holds */
INLINE float t_ldexp_f32(float a, float n) {
    float c = n > 400.0f ? 400.0f : n;
    c = c < -400.0f ? -400.0f : c;
    return (float)((double)a * t_pow2i_f64((int64_t)(int32_t)c));
}
INLINE double t_ldexp_f64(double a, double n) { return ldexp(a, (int)n); }

#endif

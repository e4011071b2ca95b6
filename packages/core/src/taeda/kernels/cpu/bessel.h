/* Bessel functions of order 0 and 1, Airy's Ai and the spherical j0.
 *
 * a. J, Y: below 3 a polynomial with the zero divided out; from 3 on J + i Y = M e^(i theta), where the modulus and
 *    theta - x are smooth.  The angle is reduced by pi/4 with its low part kept, so values near the zeros, where theta is
 *    an odd multiple of pi/2, keep their digits too.
 * b. I, K: e^-x I0 and the like by x up to 8 and by 1/x beyond; K up to 2 by ln(x/2) I and an even function.
 * c. Ai: by zeta = (2/3) |x|^(3/2), in two doubles on the side where it oscillates.
 */
#ifndef TAEDA_BESSEL_H
#define TAEDA_BESSEL_H
#include "series.h"
#include "special_tables.h"

typedef struct { double cos, sin; } Angle;

/* pi/4 in four parts: the first three have 33 bits, so that their products with integers below 2^20 are exact */
#define QUARTER_1 0.7853981633670628
#define QUARTER_2 3.038550253151983e-11
#define QUARTER_3 1.0111331243555832e-21
#define QUARTER_4 4.23921383018445e-32

/* cos and sin of x + low - pi/4 for 0 <= x <= FAR and a small low */
#define FAR 8e5
INLINE Angle angle_less_quarter(double x, double low) {
    int64_t k;
    const double m = 2 * nearest((x - PI / 4) * (2 / PI), &k) + 1;              /* x = m pi/4 + rest */
    const double a = x - m * QUARTER_1, w = m * QUARTER_2;
    const double high = a - w, rest = ((a - high) - w) - m * QUARTER_3 - m * QUARTER_4;
    const double t = high + (rest + low), tail = (high - t) + (rest + low);
    double s, c;
    t_turn_f64(t, tail, &s, &c);
    const double p = k & 1 ? s : c, q = k & 1 ? c : s;
    const Angle y = {(k + 1) & 2 ? -p : p, k & 2 ? -q : q};
    return y;
}
/* the same for larger x: cos and sin of x itself are exact in libm whatever its size */
static Angle angle_far(double x, double low) {
    const double c = cos(x), s = sin(x), cl = cos(low), sl = sin(low), a = (c + s) * SQRT1_2, b = (s - c) * SQRT1_2;
    const Angle y = {a * cl - b * sl, b * cl + a * sl};
    return y;
}

/* J0 + i Y0 and J1 + i Y1 for x >= 3, as (cos, sin) */
#define WAVES(NAME, ANGLE) \
    INLINE Angle wave0##NAME(double x) { \
        const double r = 1 / x, t = r * r, size = fit_modulus0(t) * sqrt(r * (2 / PI)); \
        const Angle a = ANGLE(x, fit_phase0(t) * r), y = {size * a.cos, size * a.sin}; \
        return y; \
    } \
    INLINE Angle wave1##NAME(double x) { \
        const double r = 1 / x, t = r * r, size = fit_modulus1(t) * sqrt(r * (2 / PI)); \
        const Angle a = ANGLE(x, fit_phase1(t) * r), y = {size * a.sin, -size * a.cos};     /* a quarter turn back: 3 pi/4 */ \
        return y; \
    }
WAVES(, angle_less_quarter)
WAVES(_far, angle_far)

INLINE double j0_small(double x) { return (x - J0_ZERO_HI - J0_ZERO_LO) * (x + J0_ZERO_HI) * fit_j0_small(x * x); }

INLINE double near_bessel_j0(double x) { return x == 0 ? 1 : j0_small(fabs(x)); }
INLINE double near_bessel_j1(double x) { return x * fit_j1_small(x * x); }
INLINE double far_bessel_j0(double x) { return wave0(fabs(x)).cos; }
INLINE double far_bessel_j1(double x) {
    const double y = wave1(fabs(x)).cos;
    return x < 0 ? -y : y;
}
/* 2/pi ln(x / zero), without cancellation near the zero */
INLINE double log_ratio(double x, double gap, double zero, double log_zero) {
    const double ratio = gap / zero, u = 1 + ratio;
    const int close = fabs(ratio) < 0.5;
    return 2 / PI * (t_log_f64(close ? u : x) + (close ? (ratio - (u - 1)) / u : -log_zero));
}
INLINE double near_bessel_y0(double x) {
    const double gap = x - Y0_ZERO_HI - Y0_ZERO_LO;
    return log_ratio(x, gap, Y0_ZERO_HI, Y0_ZERO_LOG) * j0_small(x) + gap * (x + Y0_ZERO_HI) * fit_y0_small(x * x);
}
INLINE double near_bessel_y1(double x) {
    const double gap = x - Y1_ZERO_HI - Y1_ZERO_LO;
    return log_ratio(x, gap, Y1_ZERO_HI, Y1_ZERO_LOG) * near_bessel_j1(x) + gap * (x + Y1_ZERO_HI) * fit_y1_small(x * x) / x;
}
INLINE double far_bessel_y0(double x) { return wave0(x).sin; }
INLINE double far_bessel_y1(double x) { return wave1(x).sin; }
#define BEYOND_bessel_j0(x) (!(fabs(x) < 3))
#define BEYOND_bessel_j1(x) (!(fabs(x) < 3))
#define BEYOND_bessel_y0(x) (!((x > 0) & (x < 3)))
#define BEYOND_bessel_y1(x) (!((x > 0) & (x < 3)))
#define RARE_bessel_j0(x) (!(fabs(x) <= FAR))
#define RARE_bessel_j1(x) (!(fabs(x) <= FAR))
#define RARE_bessel_y0(x) (!(x > 0 && x <= FAR))
#define RARE_bessel_y1(x) (!(x > 0 && x <= FAR))
static double exact_bessel_j0(double x) { return fabs(x) < INFINITY ? wave0_far(fabs(x)).cos : NAN; }
static double exact_bessel_j1(double x) { return fabs(x) < INFINITY ? copysign(1, x) * wave1_far(fabs(x)).cos : NAN; }
static double exact_bessel_y0(double x) { return x == 0 ? -INFINITY : x > 0 && x < INFINITY ? wave0_far(x).sin : NAN; }
static double exact_bessel_y1(double x) { return x == 0 ? -INFINITY : x > 0 && x < INFINITY ? wave1_far(x).sin : NAN; }

/* e^-|x| I0(x) and e^-|x| I1(x); near_*: for |x| <= 8 */
#define BEYOND_8(x) (!(fabs(x) <= 8))
INLINE double near_i0e(double x) { return fit_i0_small(fabs(x)); }
INLINE double near_i1e(double x) { return x * fit_i1_small(fabs(x)); }
INLINE double special_i0e(double x) {
    const double a = fabs(x), near = a > 8 ? 8 : a, r = 1 / (a > 8 ? a : 8);
    return a > 8 ? fit_i0_large(r) * sqrt(r) : fit_i0_small(near);
}
INLINE double special_i1e(double x) {
    const double a = fabs(x), near = a > 8 ? 8 : a, r = 1 / (a > 8 ? a : 8);
    return a > 8 ? copysign(fit_i1_large(r) * sqrt(r), x) : x * fit_i1_small(near);
}
/* e^x in two halves, as I0 is finite a little longer than e^x is; at infinity nan, as PyTorch has it */
INLINE double special_i0(double x) {
    const double half = t_exp_f64(0.5 * fabs(x));
    return half * special_i0e(x) * half;
}
INLINE double special_i1(double x) {
    const double half = t_exp_f64(0.5 * fabs(x));
    return half * special_i1e(x) * half;
}

INLINE double near_i0(double x) {
    const double half = t_exp_f64(0.5 * fabs(x));
    return half * near_i0e(x) * half;
}
INLINE double near_i1(double x) {
    const double half = t_exp_f64(0.5 * fabs(x));
    return half * near_i1e(x) * half;
}

/* K0 and K1 times e^x for x > 2; K0 and K1 for x in (0, 2], from e^x */
INLINE double k0_large(double x) { return fit_k0_large(1 / x) / sqrt(x); }
INLINE double k1_large(double x) { return fit_k1_large(1 / x) / sqrt(x); }
INLINE double k0_small(double x, double e) { return fit_k0_small(x * x) - (t_log_f64(x) - LN_2) * (e * fit_i0_small(x)); }
INLINE double k1_small(double x, double e) { return fit_k1_small(x * x) / x + (t_log_f64(x) - LN_2) * (e * x * fit_i1_small(x)); }
#define MODIFIED_K(ORDER) \
    INLINE double special_modified_bessel_k##ORDER(double x) { \
        const double near = x > 2 ? 2 : x, far = x > 2 ? x : 2, e = t_exp_f64(x > 2 ? -x : x); \
        const double y = x > 2 ? e * k##ORDER##_large(far) : k##ORDER##_small(near, e); \
        return x == 0 ? INFINITY : y; \
    } \
    INLINE double special_scaled_modified_bessel_k##ORDER(double x) { \
        const double near = x > 2 ? 2 : x, far = x > 2 ? x : 2, e = t_exp_f64(near); \
        const double y = x > 2 ? k##ORDER##_large(far) : e * k##ORDER##_small(near, e); \
        return x == 0 ? INFINITY : y; \
    }
MODIFIED_K(0)
MODIFIED_K(1)

/* Ai by (2/3) |x|^(3/2) = zeta + low; each of the three forms in its range */
INLINE double special_airy_ai(double x) {
    const double middle = x < -3 ? -3 : x > 2 ? 2 : x, z = x < -3 || x > 2 ? fabs(x) : 3, root = sqrt(z);
    const double root_low = fma(-root, root, z) / (2 * root);
    const double cube = z * root, cube_low = fma(z, root, -cube) + z * root_low;
    const double zeta = 2 * cube / 3, low = (fma(-3, zeta, 2 * cube) + 2 * cube_low) / 3, r = 1 / zeta, t = r * r, size = 1 / sqrt(root);
    const double decay = t_exp_f64(-zeta) * (1 - low) * fit_airy_decay(r) * size;
    const Angle y = angle_less_quarter(zeta, low - fit_airy_phase(t) * r);
    const double wave = fit_airy_modulus(t) * y.cos * size * (1 / SQRT_PI);
    return x > 2 ? decay : x < -3 ? wave : (middle - AIRY_ZERO_HI - AIRY_ZERO_LO) * fit_airy_middle(middle);
}
#define RARE_airy_ai(x) (!(x >= -11000 && x < 200))          /* zeta is FAR there */
static double exact_airy_ai(double x) {
    if (x >= 200) return x == INFINITY ? NAN : 0;             /* nan at infinity, as PyTorch has it */
    if (!(x > -INFINITY)) return NAN;
    const double z = -x, root = sqrt(z), root_low = fma(-root, root, z) / (2 * root);
    const double cube = z * root, cube_low = fma(z, root, -cube) + z * root_low;
    const double zeta = 2 * cube / 3, low = (fma(-3, zeta, 2 * cube) + 2 * cube_low) / 3, r = 1 / zeta;
    return fit_airy_modulus(r * r) * angle_far(zeta, low - fit_airy_phase(r * r) * r).cos / (SQRT_PI * sqrt(root));
}

INLINE double special_spherical_bessel_j0(double x) { return x == 0 ? 1 : t_sin_f64(x) / x; }
#define RARE_spherical_bessel_j0(x) (!(fabs(x) <= LARGE_F64))
static double exact_spherical_bessel_j0(double x) { return fabs(x) == INFINITY ? 0 : sin(x) / x; }
#endif

/* Bessel functions of order 0 and 1, Airy's Ai and the spherical j0.
 *
 * a. J, Y: below 3 a Chebyshev sum with the zero divided out; from 3 on J + i Y = M e^(i theta), where the modulus and
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

/* cos and sin of x + low - pi/4 for x >= 0 and a small low */
static Angle angle_less_quarter(double x, double low) {
    Angle y;
    if (x > 8e5) {                       /* cos and sin of x itself are exact in libm whatever its size */
        const double c = cos(x), s = sin(x), cl = cos(low), sl = sin(low);
        const double a = (c + s) * SQRT1_2, b = (s - c) * SQRT1_2;
        y.cos = a * cl - b * sl;
        y.sin = b * cl + a * sl;
        return y;
    }
    const double turns = rint((x - PI / 4) * (2 / PI)), m = 2 * turns + 1;      /* x = m pi/4 + rest */
    const double a = x - m * QUARTER_1, w = m * QUARTER_2;
    const double high = a - w, rest = ((a - high) - w) - m * QUARTER_3 - m * QUARTER_4;
    const double t = high + (rest + low), tail = (high - t) + (rest + low);
    const double c = cos(t), s = sin(t), ct = c - s * tail, st = s + c * tail;
    switch ((int64_t)turns & 3) {
        case 0: y.cos = ct; y.sin = st; break;
        case 1: y.cos = -st; y.sin = ct; break;
        case 2: y.cos = -ct; y.sin = -st; break;
        default: y.cos = st; y.sin = -ct;
    }
    return y;
}

/* J0 + i Y0 and J1 + i Y1 for x >= 3, as (cos, sin) */
static Angle wave0(double x) {
    const double t = 1 / (x * x), size = CHEBYSHEV(MODULUS0, t, 0, 1 / 9.0) / sqrt(x * (PI / 2));
    Angle y = angle_less_quarter(x, CHEBYSHEV(PHASE0, t, 0, 1 / 9.0) / x);
    y.cos *= size;
    y.sin *= size;
    return y;
}
static Angle wave1(double x) {
    const double t = 1 / (x * x), size = CHEBYSHEV(MODULUS1, t, 0, 1 / 9.0) / sqrt(x * (PI / 2));
    const Angle a = angle_less_quarter(x, CHEBYSHEV(PHASE1, t, 0, 1 / 9.0) / x);
    const Angle y = {size * a.sin, -size * a.cos};       /* a quarter turn back: 3 pi/4 in place of pi/4 */
    return y;
}

static double special_bessel_j0(double x) {
    x = fabs(x);
    if (x >= 3) return x == INFINITY ? NAN : wave0(x).cos;
    return (x - J0_ZERO_HI - J0_ZERO_LO) * (x + J0_ZERO_HI) * CHEBYSHEV(J0_SMALL, x * x, 0, 9);
}
static double special_bessel_j1(double x) {
    const double a = fabs(x);
    if (a >= 3) return a == INFINITY ? NAN : copysign(1, x) * wave1(a).cos;
    return x * CHEBYSHEV(J1_SMALL, x * x, 0, 9);
}
static double special_bessel_y0(double x) {
    if (x >= 3) return x == INFINITY ? NAN : wave0(x).sin;
    if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
    const double gap = x - Y0_ZERO_HI - Y0_ZERO_LO, ratio = gap / Y0_ZERO_HI;
    const double logarithm = fabs(ratio) < 0.5 ? log1p(ratio) : log(x) - log(Y0_ZERO_HI);
    return 2 / PI * logarithm * special_bessel_j0(x) + gap * (x + Y0_ZERO_HI) * CHEBYSHEV(Y0_SMALL, x * x, 0, 9);
}
static double special_bessel_y1(double x) {
    if (x >= 3) return x == INFINITY ? NAN : wave1(x).sin;
    if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
    const double gap = x - Y1_ZERO_HI - Y1_ZERO_LO, ratio = gap / Y1_ZERO_HI;
    const double logarithm = fabs(ratio) < 0.5 ? log1p(ratio) : log(x) - log(Y1_ZERO_HI);
    return 2 / PI * logarithm * special_bessel_j1(x) + gap * (x + Y1_ZERO_HI) * CHEBYSHEV(Y1_SMALL, x * x, 0, 9) / x;
}

/* e^-|x| I0(x) and e^-|x| I1(x) */
static double special_i0e(double x) {
    x = fabs(x);
    return x <= 8 ? CHEBYSHEV(I0_SMALL, x, 0, 8) : CHEBYSHEV(I0_LARGE, 1 / x, 0, 0.125) / sqrt(x);
}
static double special_i1e(double x) {
    const double a = fabs(x);
    return a <= 8 ? x * CHEBYSHEV(I1_SMALL, a, 0, 8) : copysign(CHEBYSHEV(I1_LARGE, 1 / a, 0, 0.125) / sqrt(a), x);
}
/* e^x in two halves, as I0 is finite a little longer than e^x is; at infinity nan, as PyTorch has it */
static double special_i0(double x) {
    const double half = exp(fabs(x) / 2);
    return half * special_i0e(x) * (fabs(x) == INFINITY ? NAN : half);
}
static double special_i1(double x) {
    const double half = exp(fabs(x) / 2);
    return half * special_i1e(x) * (fabs(x) == INFINITY ? NAN : half);
}

/* e^x K0(x) and e^x K1(x) for x > 2; K0 and K1 for x in (0, 2] */
static double k0_large(double x) { return CHEBYSHEV(K0_LARGE, 1 / x, 0, 0.5) / sqrt(x); }
static double k1_large(double x) { return CHEBYSHEV(K1_LARGE, 1 / x, 0, 0.5) / sqrt(x); }
static double k0_small(double x) { return CHEBYSHEV(K0_SMALL, x * x, 0, 4) - (log(x) - LN_2) * special_i0(x); }
static double k1_small(double x) { return CHEBYSHEV(K1_SMALL, x * x, 0, 4) / x + (log(x) - LN_2) * special_i1(x); }

static double special_modified_bessel_k0(double x) {
    return x > 2 ? exp(-x) * k0_large(x) : x > 0 ? k0_small(x) : x == 0 ? INFINITY : NAN;
}
static double special_modified_bessel_k1(double x) {
    return x > 2 ? exp(-x) * k1_large(x) : x > 0 ? k1_small(x) : x == 0 ? INFINITY : NAN;
}
static double special_scaled_modified_bessel_k0(double x) {
    return x > 2 ? k0_large(x) : x > 0 ? exp(x) * k0_small(x) : x == 0 ? INFINITY : NAN;
}
static double special_scaled_modified_bessel_k1(double x) {
    return x > 2 ? k1_large(x) : x > 0 ? exp(x) * k1_small(x) : x == 0 ? INFINITY : NAN;
}

static double special_airy_ai(double x) {
    if (fabs(x) == INFINITY) return NAN;                        /* as PyTorch has it */
    if (x > 200) return 0;
    if (x > -3 && x <= 2) return (x - AIRY_ZERO_HI - AIRY_ZERO_LO) * CHEBYSHEV(AIRY_MIDDLE, x, -3, 2);
    /* (2/3) |x|^(3/2) = zeta + low */
    const double z = fabs(x), root = sqrt(z), root_low = fma(-root, root, z) / (2 * root);
    const double cube = z * root, cube_low = fma(z, root, -cube) + z * root_low;
    const double zeta = 2 * cube / 3, low = (fma(-3, zeta, 2 * cube) + 2 * cube_low) / 3;
    if (x > 0) return exp(-zeta) * (1 - low) * CHEBYSHEV(AIRY_DECAY, 1 / zeta, 0, 0.54) / sqrt(root);
    const double t = 1 / (zeta * zeta);
    const Angle y = angle_less_quarter(zeta, low - CHEBYSHEV(AIRY_PHASE, t, 0, 1 / 12.0) / zeta);
    return CHEBYSHEV(AIRY_MODULUS, t, 0, 1 / 12.0) * y.cos / (SQRT_PI * sqrt(root));
}

static double special_spherical_bessel_j0(double x) { return x == 0 ? 1 : fabs(x) == INFINITY ? 0 : sin(x) / x; }
#endif

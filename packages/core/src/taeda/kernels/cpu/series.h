/* Pieces that the special functions share: constants, rounding, sin and cos of pi x. */
#ifndef TAEDA_SERIES_H
#define TAEDA_SERIES_H
#include "formulas.h"
#include <math.h>
#include <stdint.h>

#define PI 3.14159265358979323846
#define LN_2 0.69314718055994530942
#define LN_PI 1.14472988584940017414
#define SQRT_2PI 2.50662827463100050242
#define LN_SQRT_2PI 0.91893853320467274178
#define SQRT_PI 1.77245385090551602730
#define SQRT_2 1.41421356237309504880
#define SQRT1_2 0.70710678118654752440

enum { SPECIAL_BLOCK = 256 };        /* elements computed together, in the first-level cache */

/* the nearest integer of |x| < 2^51, as a double and, in the low bits of *k, as an integer */
#define MAGIC 6755399441055744.0
INLINE double nearest(double x, int64_t *k) {
    const double m = x + MAGIC;
    *k = t_to_bits_f64(m);
    return m - MAGIC;
}

/* sin(pi x) and cos(pi x): the reduction to [-1, 1] is exact, so integers and halves give exact zeros */
static double sin_pi(double x) {
    const double r = x - 2 * rint(x / 2), a = fabs(r);
    return a <= 0.25 ? sin(PI * r) : copysign(a <= 0.75 ? cos(PI * (0.5 - a)) : sin(PI * (1 - a)), r);
}
static double cos_pi(double x) { return sin_pi(0.5 - fabs(x - 2 * rint(x / 2))); }

#endif

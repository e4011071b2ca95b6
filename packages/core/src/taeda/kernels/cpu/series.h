/* Pieces that the special functions share: Chebyshev sums, pi in parts, exp of a square without its rounding error. */
#ifndef TAEDA_SERIES_H
#define TAEDA_SERIES_H
#include <math.h>
#include <stdint.h>

#define PI 3.14159265358979323846
#define LN_2 0.69314718055994530942
#define LN_PI 1.14472988584940017414
#define SQRT_2PI 2.50662827463100050242
#define SQRT_PI 1.77245385090551602730
#define SQRT1_2 0.70710678118654752440

/* c0 + c1 T1(u) + ... with u = t mapped from [low, high] to [-1, 1], by Clenshaw's recurrence.  Even and odd terms go apart,
 * as T_2k(u) = T_k(v) and T_2k+1(u) = u V_k(v) with v = 2 u^2 - 1: two chains that do not wait for one another. */
static double chebyshev(const double *c, int n, double t, double low, double high) {
    const double u = (2 * t - (low + high)) / (high - low), v2 = 4 * u * u - 2;
    double even0 = 0, even1 = 0, odd0 = 0, odd1 = 0;
    for (int k = (n - 1) / 2; k > 0; k--) {
        const double even = v2 * even0 - even1 + c[2 * k], odd = v2 * odd0 - odd1 + (2 * k + 1 < n ? c[2 * k + 1] : 0);
        even1 = even0;
        even0 = even;
        odd1 = odd0;
        odd0 = odd;
    }
    return 0.5 * v2 * even0 - even1 + c[0] + u * ((v2 - 1) * odd0 - odd1 + c[1]);
}
#define CHEBYSHEV(table, t, low, high) chebyshev(table, (int)(sizeof(table) / sizeof(double)), t, low, high)

/* sin(pi x) and cos(pi x): the reduction to [-1, 1] is exact, so integers and halves give exact zeros */
static double sin_pi(double x) {
    const double r = x - 2 * rint(x / 2), a = fabs(r);
    return a <= 0.25 ? sin(PI * r) : copysign(a <= 0.75 ? cos(PI * (0.5 - a)) : sin(PI * (1 - a)), r);
}
static double cos_pi(double x) { return sin_pi(0.5 - fabs(x - 2 * rint(x / 2))); }

/* e^(scale x^2): the rounding error of x^2 is put back, which matters as x^2 is large */
static double exp_square(double x, double scale) {
    const double square = x * x, y = exp(scale * square);
    return y > 0 && y < INFINITY ? y * (1 + scale * fma(x, x, -square)) : y;
}
#endif

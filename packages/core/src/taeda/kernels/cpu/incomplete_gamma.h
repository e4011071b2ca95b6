/* The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x).
 *
 * Temme's uniform expansion (1979; DLMF 8.12) where a is large and x near it, else the power series of P below x = a + 1 and the
 * continued fraction of Q above; each of the two is computed where it is the smaller one.  The elements of a block are sorted by
 * the method that they need, and eight of a kind go together, in vectors, until all eight have converged.
 */
#ifndef TAEDA_INCOMPLETE_GAMMA_H
#define TAEDA_INCOMPLETE_GAMMA_H
#include "gamma.h"

/* unrolled by the compiler, eight steps would be scalar ones */
#define EACH_LANE _Pragma("GCC unroll 1") for (int i = 0; i < LANES; i++)
enum { LANES = 8, SERIES, FRACTION, COMPLEMENT, UNIFORM, CORNER };

/* ln Gamma(1 + a) for 0 < a < 1; fit_lgamma1p is that over a up to 1/2 */
INLINE double lgamma1p(double a) { return a <= 0.5 ? a * fit_lgamma1p(a) : lgamma_positive(1 + a); }

/* x^a e^-x / Gamma(a + 1); Stirling's series from a = 20 on, where x is not near a (gamma_uniform has those) */
INLINE double gamma_term(double a, double x) {
    const int far = a >= 20;
    const double large = far ? a : 20, t = 1 / (large * large), l = t_log_f64(far ? x / large : x);
    const double stirling = (1 / 12.0 - t * (1 / 360.0 - t * (1 / 1260.0 - t * (1 / 1680.0 - t / 1188)))) / large;
    const double near = a * l - x - lgamma_positive(a + 1), e = t_exp_f64(far ? -large * ((x - large) / large - l) - stirling : near);
    return far ? e / (SQRT_2PI * sqrt(large)) : e;
}

/* 1 + x / (a+1) + x^2 / ((a+1) (a+2)) + ...: P(a, x) over gamma_term */
static void gamma_series(double *restrict y, const double *restrict a, const double *restrict x) {
    double term[LANES], sum[LANES];
    EACH_LANE term[i] = sum[i] = 1;
    for (int k = 1, more = 1; more && k < 2000;) {
        for (int step = 0; step < 4; step++, k++)
            EACH_LANE {
                term[i] *= x[i] / (a[i] + k);
                sum[i] += term[i];
            }
        more = 0;
        EACH_LANE more |= term[i] > EPSILON / 8 * sum[i];
    }
    EACH_LANE y[i] = sum[i] * gamma_term(a[i], x[i]);
}

/* a / (x+1-a - (1-a) / (x+3-a - 2 (2-a) / (x+5-a - ...))): Q(a, x) over gamma_term, by the recurrences of numerators p and
 * denominators q */
static void gamma_fraction(double *restrict y, const double *restrict a, const double *restrict x) {
    double b[LANES], p0[LANES], p[LANES], q0[LANES], q[LANES];
    EACH_LANE {
        b[i] = x[i] + 1 - a[i];
        p0[i] = 0;
        p[i] = q0[i] = 1;
        q[i] = b[i];
    }
    for (int k = 1, more = 1; more && k < 2000;) {
        for (int step = 0; step < 4; step++, k++)
            EACH_LANE {
                const double n = k * (a[i] - k), p1 = p[i], q1 = q[i];
                b[i] += 2;
                p[i] = b[i] * p1 + n * p0[i];
                q[i] = b[i] * q1 + n * q0[i];
                p0[i] = p1;
                q0[i] = q1;
            }
        more = 0;
        EACH_LANE {
            const double down = fabs(q[i]) > 1e100 ? 1e-100 : 1;
            more |= fabs(p[i] * q0[i] - p0[i] * q[i]) > 4 * EPSILON * fabs(p[i] * q0[i]);
            p[i] *= down;
            q[i] *= down;
            p0[i] *= down;
            q0[i] *= down;
        }
    }
    EACH_LANE y[i] = p[i] / q[i] * a[i] * gamma_term(a[i], x[i]);
}

/* Q(a, x) for x < 1.1 and a < 1: 1 - x^a / Gamma(1+a) (1 + a sum_k (-x)^k / (k! (a+k))), without the cancelling 1 */
static void gamma_complement(double *restrict y, const double *restrict a, const double *restrict x) {
    double term[LANES], sum[LANES];
    EACH_LANE {
        term[i] = 1;
        sum[i] = 0;
    }
    for (int k = 1; k < 22; k++)
        EACH_LANE {
            term[i] *= x[i] * (-1.0 / k);
            sum[i] += term[i] / (a[i] + k);
        }
    EACH_LANE {
        const double power = a[i] * t_log_f64(x[i]) - lgamma1p(a[i]);
        y[i] = -t_expm1_f64(power) - t_exp_f64(power) * a[i] * sum[i];
    }
}

/* mu - ln(1 + mu) for mu = x/a - 1 */
static double log_gap(double a, double x) {
    const double mu = (x - a) / a;
    if (fabs(mu) > 0.5) return mu - log(x / a);
    const double t = mu / (2 + mu), z = t * t;
    double power = 1, sum = 0;
    for (int k = 3; k < 45; k += 2) {
        sum += power / k;
        power *= z;
    }
    return mu * t - 2 * t * z * sum;
}

/* Q(a, x), or P(a, x) for side = -1: erfc(+-eta sqrt(a/2)) / 2 +- e^(-a eta^2 / 2) / sqrt(2 pi a) sum_k C_k(eta) a^-k */
static double gamma_uniform(double a, double x, double side) {
    const double gap = log_gap(a, x), eta = copysign(sqrt(2 * gap), x - a);
    double sum = 0;
    for (int k = TEMME_ORDERS - 1; k >= 0; k--) {
        double c = 0;
        for (int n = TEMME_TERMS - 1; n >= 0; n--) c = c * eta + TEMME[k * TEMME_TERMS + n];
        sum = sum / a + c;
    }
    return 0.5 * erfc(side * eta * sqrt(a / 2)) + side * exp(-a * gap) / (SQRT_2PI * sqrt(a)) * sum;
}

/* the ends: nan, zeros, infinities; P for side = -1, Q for side = 1 */
static double gamma_corner(double a, double x, double side) {
    const double below = side < 0, above = 1 - below;                   /* where the whole mass lies below x, or above */
    if (x < 0 || a < 0) return NAN;
    if (a == 0) return x > 0 ? below : NAN;
    if (x == 0) return above;
    if (a == INFINITY) return x == INFINITY ? NAN : above;
    return x == INFINITY || (a == a && x == x) ? below : NAN;
}

static int gamma_kind(double a, double x, double side) {
    if (!(a > 0 && x > 0 && a < INFINITY && x < INFINITY)) return CORNER;
    if (a >= 20 && fabs(x - a) < 0.3 * a) return UNIFORM;
    if (x > 1e30 && x > a) return CORNER;                               /* all of the mass lies below */
    if (side > 0 && x < 1.1 && a < 1) return COMPLEMENT;
    return x < a + 1 || x < 1.1 ? SERIES : FRACTION;
}

/* y[at[0]], ... from m <= LANES elements of one kind; missing ones are the first again */
static void gamma_lanes(double *y, const double *a, const double *x, const int *at, int m, int kind, double side) {
    double as[LANES], xs[LANES], ys[LANES];
    EACH_LANE {
        as[i] = a[at[i < m ? i : 0]];
        xs[i] = x[at[i < m ? i : 0]];
    }
    if (kind == SERIES) gamma_series(ys, as, xs);
    else if (kind == FRACTION) gamma_fraction(ys, as, xs);
    else gamma_complement(ys, as, xs);
    const int other = kind == (side < 0 ? FRACTION : SERIES);           /* the sum is that of the other function */
    for (int i = 0; i < m; i++) {
        const double v = fmin(ys[i], 1);
        y[at[i]] = other ? 1 - v : v;
    }
}

static void gamma_block(double *restrict y, const double *restrict a, const double *restrict x, int64_t n, double side) {
    int at[CORNER][LANES], filled[CORNER] = {0};
    for (int64_t i = 0; i < n; i++) {
        const int kind = gamma_kind(a[i], x[i], side);
        if (kind == CORNER) {
            y[i] = gamma_corner(a[i], x[i], side);
        } else if (kind == UNIFORM) {
            y[i] = gamma_uniform(a[i], x[i], side);
        } else {
            at[kind][filled[kind]++] = (int)i;
            if (filled[kind] == LANES) {
                gamma_lanes(y, a, x, at[kind], LANES, kind, side);
                filled[kind] = 0;
            }
        }
    }
    for (int kind = SERIES; kind <= COMPLEMENT; kind++)
        if (filled[kind]) gamma_lanes(y, a, x, at[kind], filled[kind], kind, side);
}
static void igamma_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    gamma_block(y, x, w, n, -1);
}
static void igammac_block(double *restrict y, const double *restrict x, const double *restrict w, int64_t n, const Param *p) {
    gamma_block(y, x, w, n, 1);
}
#endif

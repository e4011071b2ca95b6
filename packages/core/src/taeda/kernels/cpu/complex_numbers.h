/* Complex arithmetic for the pointwise kernels: float complex is `C64`, double complex `C128`.
 *
 * a. Sums and products are written out (no recovery of infinities, as vector units do it); division scales
 *    by the larger part of the divisor (Smith, 1962), so that it neither overflows nor vanishes early.
 * b. Transcendental functions are computed in double complex for both and rounded: their float32 values are
 *    right to the last place or nearly so.
 */
#ifndef TAEDA_COMPLEX_NUMBERS_H
#define TAEDA_COMPLEX_NUMBERS_H
#include "elementary.h"
#include <complex.h>
#include <math.h>
#include <stdint.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif
#undef I

typedef float complex C64;
typedef double complex C128;

static inline C128 z_(double re, double im) { C128 z; ((double *)&z)[0] = re; ((double *)&z)[1] = im; return z; }
static inline C64 c_(float re, float im) { C64 z; ((float *)&z)[0] = re; ((float *)&z)[1] = im; return z; }
#define RE(z) (__real__(z))
#define IM(z) (__imag__(z))

/* a product that is rounded before it is added: z times its conjugate is real, and the bits are those of PyTorch's vectors */
#if defined(__has_builtin) && __has_builtin(__builtin_assoc_barrier)
#define ROUNDED(x) __builtin_assoc_barrier(x)
#else                   /* clang joins only what stands in one expression */
#define ROUNDED(x) ({ __typeof__(x) product_ = (x); product_; })
#endif
#define COMPLEX_MUL(MAKE, a, b) MAKE(ROUNDED(RE(a) * RE(b)) - ROUNDED(IM(a) * IM(b)), ROUNDED(RE(a) * IM(b)) + ROUNDED(IM(a) * RE(b)))
static inline C128 z_mul(C128 a, C128 b) { return COMPLEX_MUL(z_, a, b); }
static inline C64 c_mul(C64 a, C64 b) { return COMPLEX_MUL(c_, a, b); }

/* z = x y of n numbers, y one for all where sy = 0.  The compiler takes vectors of numbers apart into two of parts and back, which
 * costs twice as much as multiplying them as they lie. */
#ifdef __AVX2__
#define PRODUCTS(NAME, C, R, V, LANES, RE_OF, IM_OF, TURNED, P) \
    static inline void NAME##_run(C *z, const C *x, const C *y, int64_t sy, int64_t n) { \
        int64_t i = 0; \
        C one[LANES]; \
        for (int j = 0; j < LANES; j++) one[j] = *y; \
        for (; i + LANES <= n; i += LANES) { \
            const V a = _mm256_loadu_##P((const R *)(x + i)), b = _mm256_loadu_##P((const R *)(sy ? y + i : one)); \
            const V straight = ROUNDED(_mm256_mul_##P(RE_OF(b), a)), across = ROUNDED(_mm256_mul_##P(IM_OF(b), TURNED(a))); \
            _mm256_storeu_##P((R *)(z + i), _mm256_addsub_##P(straight, across)); \
        } \
        for (; i < n; i++) z[i] = NAME(x[i], y[i * sy]); \
    }
#define RE_PD(b) _mm256_movedup_pd(b)
#define IM_PD(b) _mm256_permute_pd(b, 15)
#define TURNED_PS(a) _mm256_permute_ps(a, 0xb1)
#define TURNED_PD(a) _mm256_permute_pd(a, 5)
PRODUCTS(c_mul, C64, float, __m256, 4, _mm256_moveldup_ps, _mm256_movehdup_ps, TURNED_PS, ps)
PRODUCTS(z_mul, C128, double, __m256d, 2, RE_PD, IM_PD, TURNED_PD, pd)
#else
#define PRODUCTS(NAME, C) \
    static inline void NAME##_run(C *z, const C *x, const C *y, int64_t sy, int64_t n) { \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) z[i] = NAME(x[i], y[i * sy]); \
    }
PRODUCTS(c_mul, C64)
PRODUCTS(z_mul, C128)
#endif
/* Operands 1 and 2 of 3 are the factors, operand 1 of 2 is both. */
#define PRODUCT_LOOP(NAME, T, RUN, OPERANDS) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        const int turn = OPERANDS == 3 && s[1] == 0;    /* a number in front: products commute to the last bit */ \
        const int first = turn ? 2 : 1, second = turn ? 1 : OPERANDS - 1; \
        const int64_t side = s[second]; \
        if (n > 1 && (s[0] != 1 || s[first] != 1 || (side != 1 && side != 0))) \
            in_blocks(ptr, s, n, p, NAME##_loop, OPERANDS, sizeof(T), sizeof(T)); \
        else RUN((T *)ptr[0], (const T *)ptr[first], (const T *)ptr[second], n > 1 ? side : 0, n); \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, OPERANDS, NAME##_loop, p, THREADS); }

#define COMPLEX_DIV(NAME, C, R, MAKE, ABS) \
    static inline C NAME(C a, C b) { \
        const R c = RE(b), d = IM(b); \
        if (ABS(c) >= ABS(d)) { \
            if (c == 0 && d == 0) return MAKE(RE(a) / ABS(c), IM(a) / ABS(d)); \
            const R r = d / c, s = (R)1 / (c + d * r); \
            return MAKE((RE(a) + IM(a) * r) * s, (IM(a) - RE(a) * r) * s); \
        } \
        const R r = c / d, s = (R)1 / (d + c * r); \
        return MAKE((RE(a) * r + IM(a)) * s, (IM(a) * r - RE(a)) * s); \
    }
COMPLEX_DIV(z_div, C128, double, z_, fabs)
COMPLEX_DIV(c_div, C64, float, c_, fabsf)

static inline C128 z_rsqrt(C128 a) { return z_div(z_(1, 0), csqrt(a)); }
static inline C128 z_exp2(C128 a) { return cexp(z_(RE(a) * 0.69314718055994530942, IM(a) * 0.69314718055994530942)); }
static inline C128 z_log2(C128 a) { C128 y = clog(a); return z_(RE(y) * 1.44269504088896340736, IM(y) * 1.44269504088896340736); }
static inline C128 z_log10(C128 a) { C128 y = clog(a); return z_(RE(y) * 0.43429448190325182765, IM(y) * 0.43429448190325182765); }
/* e^z - 1 = expm1(x) cos y - 2 sin^2(y/2) + i e^x sin y */
static inline C128 z_expm1(C128 a) {
    const double h = sin(0.5 * IM(a));
    return z_(expm1(RE(a)) * cos(IM(a)) - 2 * h * h, exp(RE(a)) * sin(IM(a)));
}
/* log|1 + z| = log1p(x (2 + x) + y^2) / 2 */
static inline C128 z_log1p(C128 a) {
    const double x = RE(a), y = IM(a);
    const double re = hypot(x, y) < 0.5 ? 0.5 * log1p(x * (2 + x) + y * y) : log(hypot(1 + x, y));
    return z_(re, atan2(y, 1 + x));
}
static inline C128 z_sigmoid(C128 a) { return z_div(z_(1, 0), z_(1, 0) + cexp(-a)); }
static inline C128 z_pow(C128 a, C128 b) {
    if (RE(a) == 0 && IM(a) == 0) {
        if (RE(b) == 0 && IM(b) == 0) return z_(1, 0);
        if (RE(b) > 0) return z_(0, 0);
    }
    if (IM(b) == 0 && RE(b) == 2) return z_mul(a, a);
    if (IM(b) == 0 && RE(b) == 1) return a;
    return cpow(a, b);
}
/* without branches, for vectors: z / |z|; 1 / z with the smaller part of z divided by the larger one */
#define COMPLEX_POLAR(C, R, S, Z, ABS) \
    INLINE R Z##abs(C a) { return t_hypot_##S(RE(a), IM(a)); } \
    INLINE R Z##angle(C a) { return t_atan2_##S(IM(a), RE(a)); } \
    static inline C Z##sgn(C a) { \
        const R r = Z##abs(a), d = r == 0 ? 1 : r; \
        return Z(RE(a) / d, IM(a) / d); \
    } \
    static inline C Z##reciprocal(C a) { \
        const R c = RE(a), d = IM(a), ac = ABS(c), ad = ABS(d); \
        const R more = ac >= ad ? c : d, less = ac >= ad ? d : c, r = less / more, s = (R)1 / (more + less * r); \
        const R re = ac >= ad ? s : r * s, im = ac >= ad ? -r * s : -s; \
        return Z(ac == 0 && ad == 0 ? (R)1 / ac : re, ac == 0 && ad == 0 ? (R)0 / ad : im); \
    }
COMPLEX_POLAR(C64, float, f32, c_, fabsf)
COMPLEX_POLAR(C128, double, f64, z_, fabs)
static inline int z_isnan(C128 a) { return RE(a) != RE(a) || IM(a) != IM(a); }
static inline int z_isinf(C128 a) { return isinf(RE(a)) || isinf(IM(a)); }
static inline int z_isfinite(C128 a) { return isfinite(RE(a)) && isfinite(IM(a)); }
#endif

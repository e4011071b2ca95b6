/* Pairs of standard normals from pairs of uniforms (Box and Muller, 1958), to the bit as PyTorch computes them.
 *
 * In float32 PyTorch's vector code evaluates Cephes' single-precision polynomials (Moshier, 1992) for log, sin and cos,
 * its compiler contracting a product and the sum after it to one rounding.  The same operations in the same order give
 * the same bits; every contraction is written out, and this file is compiled with -ffp-contract=off.  In float64 it
 * calls the C library, and so do we.
 */
#ifndef TAEDA_NORMAL_H
#define TAEDA_NORMAL_H
#include <math.h>
#include <stdint.h>
#include <string.h>

#define FMA __builtin_fmaf

/* log x for normal x > 0: x = 2^e m with m in [sqrt 1/2, sqrt 2), a polynomial in m - 1, and log 2 in two parts. */
static inline float cephes_log(float x) {
    uint32_t bits;
    float m, y;
    memcpy(&bits, &x, 4);
    float e = (float)((int32_t)(bits >> 23) - 126);
    bits = (bits & 0x007fffffu) | 0x3f000000u;
    memcpy(&m, &bits, 4);
    const int below = m < 0.707106781186547524f;
    const float again = below ? m : 0.0f;
    m -= 1.0f;
    e -= below ? 1.0f : 0.0f;
    m += again;
    const float z = m * m;
    y = 7.0376836292e-2f;
    y = FMA(y, m, -1.1514610310e-1f);
    y = FMA(y, m, 1.1676998740e-1f);
    y = FMA(y, m, -1.2420140846e-1f);
    y = FMA(y, m, 1.4249322787e-1f);
    y = FMA(y, m, -1.6668057665e-1f);
    y = FMA(y, m, 2.0000714765e-1f);
    y = FMA(y, m, -2.4999993993e-1f);
    y = FMA(y, m, 3.3333331174e-1f);
    y = y * m;
    y = FMA(y, z, e * -2.12194440e-4f);
    y = FMA(z, -0.5f, y);
    return FMA(e, 0.693359375f, m + y);
}

/* sin x and cos x for x >= 0: j is the octant rounded up to even, the rest of x is taken off in three parts. */
static inline void cephes_sincos(float x, float *s, float *c) {
    const int32_t j = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
    const float k = (float)j;
    x = FMA(k, -0.78515625f, x);
    x = FMA(k, -2.4187564849853515625e-4f, x);
    x = FMA(k, -3.77489497744594108e-8f, x);
    const float z = x * x;
    float even = 2.443315711809948e-5f, odd = -1.9515295891e-4f;
    even = FMA(even, z, -1.388731625493765e-3f);
    even = FMA(even, z, 4.166664568298827e-2f);
    even = FMA(even * z, z, -(z * 0.5f)) + 1.0f;
    odd = FMA(odd, z, 8.3321608736e-3f);
    odd = FMA(odd, z, -1.6666654611e-1f);
    odd = FMA(odd * z, x, x);
    const float sine = j & 2 ? even : odd, cosine = j & 2 ? odd : even;
    *s = j & 4 ? -sine : sine;
    *c = (j + 2) & 4 ? -cosine : cosine;
}

/* Turn 16 uniforms into normals: element j and j + 8 are a pair,
 *     r = sqrt(-2 log(1 - y[j])), a = 2 pi y[j + 8];  y[j] = r cos(a) std + mean, y[j + 8] = r sin(a) std + mean. */
static inline void box_muller_f32(float *y, float mean, float std) {
    for (int j = 0; j < 8; j++) {
        float s, c;
        const float r = sqrtf(-2.0f * cephes_log(1.0f - y[j]));
        cephes_sincos(6.28318530717958647692f * y[j + 8], &s, &c);
        y[j] = FMA(r * c, std, mean);
        y[j + 8] = FMA(r * s, std, mean);
    }
}

static inline void box_muller_f64(double *y, double mean, double std) {
    for (int j = 0; j < 8; j++) {
        const double r = sqrt(-2.0 * log(1.0 - y[j])), a = 6.28318530717958647692 * y[j + 8];
        y[j] = __builtin_fma(r * cos(a), std, mean);
        y[j + 8] = __builtin_fma(r * sin(a), std, mean);
    }
}
#undef FMA
#endif

/* What convolutions of bfloat16 are made of where the processor multiplies and adds pairs (AVX512-BF16); included after tiles.h.
 *
 *   tile     y[i][lane] += sum_r  pair(src_i[off[r]]) . w[r][lane]     places i, a panel of 16 to 64 lanes
 *   round    d[i] = bfloat16(s[i])
 *   weave    d[i] = (a[i], b[i])
 */
#ifndef TAEDA_BF16_PAIRS_H
#define TAEDA_BF16_PAIRS_H
#include "bf16_runs.h"

typedef uint32_t Pair __attribute__((may_alias));       /* two numbers of bfloat16; transposed as if it were a float */

/* b may be NULL: zeros. */
LOCAL inline void pairs_weave(Pair *d, const uint16_t *a, const uint16_t *b, int64_t n) {
    if (b) for (int64_t i = 0; i < n; i++) d[i] = a[i] | (uint32_t)b[i] << 16;
    else for (int64_t i = 0; i < n; i++) d[i] = a[i];
}

/* The same for rows whose elements lie `step` apart. */
LOCAL inline void pairs_weave_apart(Pair *d, const uint16_t *a, const uint16_t *b, int64_t step, int64_t n) {
    for (int64_t i = 0; i < n; i++) d[i] = a[i * step] | (b ? (uint32_t)b[i * step] << 16 : 0);
}

/* d[p * taps + t] = (s[2p][t], s[2p + 1][t]) of n channels with `taps` numbers each. */
LOCAL inline void pairs_of_channels(Pair *d, const uint16_t *s, int64_t taps, int64_t n) {
    for (; n > 1; n -= 2, s += 2 * taps, d += taps) {
        if (taps == 1) memcpy(d, s, 4);
        else if (taps == 9) for (int t = 0; t < 9; t++) d[t] = s[t] | (uint32_t)s[t + 9] << 16;
        else for (int64_t t = 0; t < taps; t++) d[t] = s[t] | (uint32_t)s[t + taps] << 16;
    }
    if (n) for (int64_t t = 0; t < taps; t++) d[t] = s[t];
}

/* a[i] and b[i] = the two numbers of s[i]; b may be NULL. */
LOCAL inline void pairs_apart(uint16_t *a, uint16_t *b, const Pair *s, int64_t n) {
    for (int64_t i = 0; i < n; i++) a[i] = (uint16_t)s[i];
    if (b) for (int64_t i = 0; i < n; i++) b[i] = (uint16_t)(s[i] >> 16);
}

LOCAL inline void pairs_turn(const Pair *s, int64_t sld, Pair *d, int64_t dld, int64_t rows, int64_t cols) {
    transpose_f32((const float *)(const void *)s, sld, (float *)(void *)d, dld, rows, cols);
}

LOCAL inline float pairs_widened(uint16_t x) {
    const uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, 4);
    return y;
}

/* Whether n numbers are neither infinite nor NaN. */
LOCAL inline int pairs_finite(const uint16_t *s, int64_t n) {
    int odd = 0;
    for (int64_t i = 0; i < n; i++) odd |= (s[i] & 0x7f80) == 0x7f80;
    return !odd;
}

#ifdef PAIRED
#define TILE(NV, M)                                                                                                             \
    static PAIRED void pairs_tile_##NV(int64_t n, const uint16_t *const *at, const int64_t *off, const uint16_t *w, float *y) { \
        __m512 s[M][NV];                                                                                                        \
        const uint16_t *a[M];                                                                                                   \
        UNROLL for (int x = 0; x < M; x++) {                                                                                    \
            a[x] = at[x];                                                                                                       \
            UNROLL for (int v = 0; v < NV; v++) s[x][v] = _mm512_setzero_ps();                                                  \
        }                                                                                                                       \
        for (int64_t r = 0; r < n; r++, w += NV * 32) {                                                                         \
            const int64_t o = off[r];                                                                                           \
            __m512bh u[NV];                                                                                                     \
            UNROLL for (int v = 0; v < NV; v++) u[v] = (__m512bh)_mm512_loadu_si512(w + v * 32);                                \
            UNROLL for (int x = 0; x < M; x++) {                                                                                \
                int32_t pair;                                                                                                   \
                memcpy(&pair, a[x] + o, 4);                                                                                     \
                UNROLL for (int v = 0; v < NV; v++) s[x][v] = _mm512_dpbf16_ps(s[x][v], u[v], (__m512bh)_mm512_set1_epi32(pair)); \
            }                                                                                                                   \
        }                                                                                                                       \
        UNROLL for (int x = 0; x < M; x++)                                                                                      \
            UNROLL for (int v = 0; v < NV; v++) {                                                                               \
                float *to = y + (x * NV + v) * 16;                                                                              \
                _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), s[x][v]));                                              \
            }                                                                                                                   \
    }
#define UNROLL _Pragma("GCC unroll 8")
TILE(1, 8) TILE(2, 8) TILE(3, 8) TILE(4, 6)
#undef UNROLL
#undef TILE

/* Places of a tile by a panel of so many lanes. */
static inline int64_t pairs_height(int64_t width) { return width == 64 ? 6 : 8; }

LOCAL inline void pairs_tile(int64_t width, int64_t n, const uint16_t *const *at, const int64_t *off, const uint16_t *w, float *y) {
    if (width == 64) pairs_tile_4(n, at, off, w, y);
    else if (width == 48) pairs_tile_3(n, at, off, w, y);
    else if (width == 32) pairs_tile_2(n, at, off, w, y);
    else pairs_tile_1(n, at, off, w, y);
}

LOCAL PAIRED void pairs_round(uint16_t *d, const float *s, int64_t n) {
    for (; n >= 16; n -= 16, s += 16, d += 16) _mm256_storeu_si256((__m256i *)d, (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(s)));
    if (n > 0) {
        const __mmask16 mask = (__mmask16)((1 << n) - 1);
        _mm256_mask_storeu_epi16(d, mask, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, s)));
    }
}
#else
static inline int64_t pairs_height(int64_t width) { return width; }
LOCAL void pairs_tile(int64_t width, int64_t n, const uint16_t *const *at, const int64_t *off, const uint16_t *w, float *y) {
    (void)width; (void)n; (void)at; (void)off; (void)w; (void)y;
}
LOCAL void pairs_round(uint16_t *d, const float *s, int64_t n) { (void)d; (void)s; (void)n; }
#endif
#endif

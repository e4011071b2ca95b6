/* Dot products of float16 and bfloat16: widened in registers, summed in float32 by four vectors side by side. */
#ifndef TAEDA_HALF_DOTS_H
#define TAEDA_HALF_DOTS_H
#include "narrow.h"

static float dot_f16(const uint16_t *a, const uint16_t *b, int64_t n) {
    float total = 0;
    int64_t i = 0;
#if defined(__F16C__) && defined(__FMA__)
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    float lanes[8];
    for (; i + 32 <= n; i += 32)
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)
            sum[k] = _mm256_fmadd_ps(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(a + i + 8 * k))),
                                     _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(b + i + 8 * k))), sum[k]);
    _mm256_storeu_ps(lanes, _mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3])));
    for (int k = 0; k < 4; k++) total += lanes[k] + lanes[k + 4];
#endif
    for (; i < n; i++) total += f16_to_f32(a[i]) * f16_to_f32(b[i]);
    return total;
}

/* Of a pair of neighbours in 32 bits, the second is the upper half and the first is shifted there. */
static float dot_bf16(const uint16_t *a, const uint16_t *b, int64_t n) {
    float total = 0;
    int64_t i = 0;
#if defined(__AVX2__) && defined(__FMA__)
    const __m256i upper = _mm256_set1_epi32((int32_t)0xffff0000);
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    float lanes[8];
    for (; i + 32 <= n; i += 32)
        _Pragma("GCC unroll 2") for (int k = 0; k < 2; k++) {
            const __m256i x = _mm256_loadu_si256((const __m256i *)(a + i + 16 * k));
            const __m256i y = _mm256_loadu_si256((const __m256i *)(b + i + 16 * k));
            sum[2 * k] = _mm256_fmadd_ps((__m256)_mm256_slli_epi32(x, 16), (__m256)_mm256_slli_epi32(y, 16), sum[2 * k]);
            sum[2 * k + 1] = _mm256_fmadd_ps((__m256)_mm256_and_si256(x, upper), (__m256)_mm256_and_si256(y, upper), sum[2 * k + 1]);
        }
    _mm256_storeu_ps(lanes, _mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3])));
    for (int k = 0; k < 4; k++) total += lanes[k] + lanes[k + 4];
#endif
    for (; i < n; i++) total += bf16_to_f32(a[i]) * bf16_to_f32(b[i]);
    return total;
}
#endif

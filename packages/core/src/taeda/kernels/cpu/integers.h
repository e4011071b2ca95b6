/* Integer arithmetic that needs more than C's operators: division rounded down, powers, gcd.
 *
 * a. Processors have no vector division of integers.  Quotients of numbers below 2^51 are exact in double after rounding down: a / b
 *    is at least 1 / |b| away from the next integer, which is more than its rounding error.  All of int32 is below; a block of int64
 *    that is not goes by one element at a time (INT64_LARGE).  Division by -1 wraps around like negation.
 * b. The caller has refused division by zero.
 */
#ifndef TAEDA_INTEGERS_H
#define TAEDA_INTEGERS_H
#include "formulas.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

/* the largest integer <= x, x rounded towards zero, for |x| < 2^51, without SSE4.1's instruction */
INLINE double t_floor_small(double x) {
    const double n = (x + 6755399441055744.0) - 6755399441055744.0;
    return n > x ? n - 1 : n;
}
INLINE double t_trunc_small(double x) { return copysign(t_floor_small(fabs(x)), x); }

/* int64 below 2^51 in size <-> double, by the bits */
INLINE double t_double_i64(int64_t a) { return t_from_bits_f64((int64_t)((uint64_t)a + 0x4338000000000000ULL)) - 6755399441055744.0; }
INLINE int64_t t_int_f64(double a) { return t_minus_i64(t_to_bits_f64(a + 6755399441055744.0), 0x4338000000000000ULL); }
#define INT64_LARGE(a, b) \
    ((((uint64_t)(a) + 0x4000000000000ULL) | ((uint64_t)(b) + 0x4000000000000ULL)) >> 51 != 0)

#define INTEGER_DIVISION(KIND) \
    INLINE int32_t t_##KIND##_i32(int32_t a, int32_t b) { \
        const int32_t q = (int32_t)t_##KIND##_small((double)a / (double)(b == -1 ? 1 : b)); \
        return b == -1 ? t_minus_i32(0, (uint32_t)a) : q; \
    } \
    INLINE int64_t t_##KIND##_i64(int64_t a, int64_t b) { return t_int_f64(t_##KIND##_small(t_double_i64(a) / t_double_i64(b))); } \
    INLINE int32_t t_##KIND##_rest_i32(int32_t a, int32_t b) { return t_minus_i32(a, (uint32_t)t_##KIND##_i32(a, b) * (uint32_t)b); } \
    INLINE int64_t t_##KIND##_rest_i64(int64_t a, int64_t b) { return t_minus_i64(a, (uint64_t)t_##KIND##_i64(a, b) * (uint64_t)b); }
INTEGER_DIVISION(floor)
INTEGER_DIVISION(trunc)

/* any int64 */
INLINE int64_t int_trunc_i64(int64_t a, int64_t b) { return b == -1 ? t_minus_i64(0, (uint64_t)a) : a / b; }
INLINE int64_t int_trunc_rest_i64(int64_t a, int64_t b) { return b == -1 ? 0 : a % b; }
INLINE int64_t int_floor_i64(int64_t a, int64_t b) {
    const int64_t q = int_trunc_i64(a, b);
    return int_trunc_rest_i64(a, b) != 0 && ((a < 0) != (b < 0)) ? q - 1 : q;
}
INLINE int64_t int_floor_rest_i64(int64_t a, int64_t b) {
    const int64_t m = int_trunc_rest_i64(a, b);
    return m != 0 && ((b < 0) != (m < 0)) ? m + b : m;
}

/* Bytes shifted by 4, 2 and 1 where b has that bit: processors have no vector shift of bytes by each its own count. */
#define SHIFT_U8(KIND, OP) \
    INLINE uint8_t t_##KIND##_u8(uint8_t a, uint8_t b) { \
        a = b & 4 ? (uint8_t)(a OP 4) : a; \
        a = b & 2 ? (uint8_t)(a OP 2) : a; \
        a = b & 1 ? (uint8_t)(a OP 1) : a; \
        return b > 7 ? 0 : a; \
    }
SHIFT_U8(left, <<)
SHIFT_U8(right, >>)
INLINE uint16_t t_left_u16(uint16_t a, uint16_t b) {
    a = b & 8 ? (uint16_t)(a << 8) : a;
    a = b & 4 ? (uint16_t)(a << 4) : a;
    a = b & 2 ? (uint16_t)(a << 2) : a;
    a = b & 1 ? (uint16_t)(a << 1) : a;
    return b > 15 ? 0 : a;
}
/* of signed ones: what lies beyond the width is the sign */
INLINE int8_t t_right_i8(int8_t a, int8_t shift) {
    const uint8_t b = (uint8_t)shift > 7 ? 7 : (uint8_t)shift;
    a = b & 4 ? (int8_t)(a >> 4) : a;
    a = b & 2 ? (int8_t)(a >> 2) : a;
    return b & 1 ? (int8_t)(a >> 1) : a;
}
INLINE int16_t t_right_i16(int16_t a, int16_t shift) {
    const uint16_t b = (uint16_t)shift > 15 ? 15 : (uint16_t)shift;
    a = b & 8 ? (int16_t)(a >> 8) : a;
    a = b & 4 ? (int16_t)(a >> 4) : a;
    a = b & 2 ? (int16_t)(a >> 2) : a;
    return b & 1 ? (int16_t)(a >> 1) : a;
}
/* Runs of 16-bit ones, z = x shifted by y: AVX2 shifts 32 bits each by its own count, so the upper and the lower halves go by themselves.
 * sy: 1, or 0 where y is one number. */
#ifdef __AVX2__
#define SHIFT_RUN(HIGH, LOW) \
    _Pragma("GCC unroll 2") for (; i + 16 <= n; i += 16) { \
        const __m256i a = _mm256_loadu_si256((const __m256i *)(x + i)); \
        const __m256i b = sy ? _mm256_loadu_si256((const __m256i *)(y + i)) : _mm256_set1_epi16(y[0]); \
        const __m256i up = _mm256_srli_epi32(b, 16), down = _mm256_and_si256(b, _mm256_set1_epi32(0xffff)); \
        _mm256_storeu_si256((__m256i *)(z + i), _mm256_blend_epi16(LOW, HIGH, 0xaa)); \
    }
#else
#define SHIFT_RUN(HIGH, LOW)
#endif
static void t_left_run(int16_t *z, const int16_t *x, const int16_t *y, int64_t sy, int64_t n) {
    int64_t i = 0;
    SHIFT_RUN(_mm256_sllv_epi32(_mm256_and_si256(a, _mm256_set1_epi32((int)0xffff0000)), up), _mm256_sllv_epi32(a, down))
    for (; i < n; i++) z[i] = (int16_t)t_left_u16((uint16_t)x[i], (uint16_t)y[i * sy]);
}
static void t_right_run(int16_t *z, const int16_t *x, const int16_t *y, int64_t sy, int64_t n) {
    int64_t i = 0;
    SHIFT_RUN(_mm256_srav_epi32(a, up), _mm256_srli_epi32(_mm256_srav_epi32(_mm256_slli_epi32(a, 16), down), 16))
    for (; i < n; i++) z[i] = t_right_i16(x[i], y[i * sy]);
}
INLINE uint64_t t_right_u64(uint64_t a, uint64_t b) { return b > 63 ? 0 : a >> b; }

/* Runs of powers of bytes, z = x^y, as many steps for all 32 as the greatest exponent has bits.  sy: 1, or 0 where y is one number. */
typedef uint8_t t_bytes __attribute__((vector_size(32), aligned(1), may_alias));
static void t_pow_run(uint8_t *z, const uint8_t *x, const uint8_t *y, int64_t sy, int64_t n) {
    for (int64_t i = 0; i < n; i += 32) {
        const size_t m = n - i < 32 ? (size_t)(n - i) : 32;
        t_bytes a = {0}, b = {0}, r = (t_bytes){0} + (uint8_t)1;
        memcpy(&a, x + i, m);
        if (sy) memcpy(&b, y + i, m);
        else b += y[0];
        for (;;) {
            const t_bytes odd = -(b & (uint8_t)1);
            r = (r * a & odd) | (r & ~odd);
            b >>= 1;
            uint64_t left[4];
            memcpy(left, &b, 32);
            if (!(left[0] | left[1] | left[2] | left[3])) break;
            a *= a;
        }
        memcpy(z + i, &r, m);
    }
}
#define INT_POWER(S, T, W) \
    static inline T int_pow_##S(T a, T n) { \
        if (n < 0) return a == 1 ? 1 : (a == (T)-1 ? ((n & 1) ? (T)-1 : 1) : 0); \
        W r = 1, base = (W)a; \
        while (n > 0) { if (n & 1) r *= base; base *= base; n >>= 1; } \
        return (T)r; \
    }
INT_POWER(i32, int32_t, uint32_t)
INT_POWER(i64, int64_t, uint64_t)
INT_POWER(u64, uint64_t, uint64_t)

/* gcd by differences of odd numbers, whose difference is even: shifts take a fraction of a quotient's time (Stein, 1967) */
#define INT_HELPERS(S, T, W) \
    static inline T int_gcd_##S(T a, T b) { \
        W u = a < 0 ? (W)(0 - (W)a) : (W)a, v = b < 0 ? (W)(0 - (W)b) : (W)b; \
        if (u == 0 || v == 0) return (T)(u | v); \
        const int even = __builtin_ctzll((uint64_t)(u | v)); \
        u = (W)(u >> __builtin_ctzll((uint64_t)u)); \
        while (v) { \
            v = (W)(v >> __builtin_ctzll((uint64_t)v)); \
            const W low = u < v ? u : v; \
            v = u < v ? (W)(v - u) : (W)(u - v); \
            u = low; \
        } \
        return (T)(W)(u << even); \
    } \
    static inline T int_lcm_##S(T a, T b) { \
        W g = (W)int_gcd_##S(a, b); \
        if (g == 0) return 0; \
        T m = (T)((a < 0 ? (W)(0 - (W)a) : (W)a) / g * (W)b); \
        return m < 0 ? (T)(0 - (W)m) : m; \
    }
INT_HELPERS(u8, uint8_t, uint8_t)
INT_HELPERS(i32, int32_t, uint32_t)
INT_HELPERS(i64, int64_t, uint64_t)
INT_HELPERS(u64, uint64_t, uint64_t)
#endif

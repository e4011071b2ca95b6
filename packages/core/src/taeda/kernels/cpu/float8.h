/* Numbers of eight bits, as float32 reads them and as it is rounded to them: to nearest, ties to even.
 *
 * format        exponent, mantissa, bias   beyond the largest number     not a number      zero
 * e4m3fn        4, 3, 7                    the largest number            0x7f, 0xff        signed
 * e5m2          5, 2, 15                   infinity                      above 0x7c        signed
 * e4m3fnuz      4, 3, 8                    NaN                           0x80              one
 * e5m2fnuz      5, 2, 16                   NaN                           0x80              one
 * e8m0fnu       8, 0, 127, no sign         NaN; a sign is dropped        0xff              none: 0 is 2^-127
 *
 * a. Up: exponent and mantissa become float32's, whose bias the factor 2^(127 - bias) takes back; this is exact, for numbers below
 *    the smallest normal one too.
 * b. Down: what is below the smallest normal number is rounded by adding a number whose last bit weighs as much as the format's.
 */
#ifndef TAEDA_FLOAT8_H
#define TAEDA_FLOAT8_H
#include <stdint.h>
#include <string.h>

static inline float float8_bits(uint32_t b) { float x; memcpy(&x, &b, 4); return x; }
static inline uint32_t float8_of(float x) { uint32_t b; memcpy(&b, &x, 4); return b; }

static inline float float8_up(uint8_t v, int mantissa, int bias) {
    const float x = float8_bits((uint32_t)(v & 0x7f) << (23 - mantissa)) * float8_bits((uint32_t)(254 - bias) << 23);
    return float8_bits(float8_of(x) | (uint32_t)(v & 0x80) << 24);
}

/* the bits without the sign, as large as they come */
static inline uint32_t float8_down(uint32_t b, int mantissa, int bias) {
    const int cut = 23 - mantissa;
    const uint32_t smallest = (uint32_t)(128 - bias) << 23, magic = (uint32_t)(151 - bias - mantissa) << 23;
    const uint32_t below = float8_of(float8_bits(b) + float8_bits(magic)) - magic;
    const uint32_t above = (b + (1u << (cut - 1)) - 1 + (b >> cut & 1) - ((uint32_t)(127 - bias) << 23)) >> cut;
    return b < smallest ? below : above;
}

static inline float e4m3fn_to_f32(uint8_t v) {
    return (v & 0x7f) == 0x7f ? float8_bits(0x7fc00000u | (uint32_t)(v & 0x80) << 24) : float8_up(v, 3, 7);
}
static inline float e5m2_to_f32(uint8_t v) {
    const float x = float8_up(v, 2, 15);
    return (v & 0x7c) == 0x7c ? float8_bits(float8_of(x) | 0x7f800000u) : x;
}
static inline float e4m3fnuz_to_f32(uint8_t v) { return v == 0x80 ? float8_bits(0x7fc00000u) : float8_up(v, 3, 8); }
static inline float e5m2fnuz_to_f32(uint8_t v) { return v == 0x80 ? float8_bits(0x7fc00000u) : float8_up(v, 2, 16); }
static inline float e8m0fnu_to_f32(uint8_t v) {
    return float8_bits(v == 0xff ? 0x7fc00000u : v == 0 ? 0x00400000u : (uint32_t)v << 23);
}

#define FLOAT8_DOWN(NAME, MANTISSA, BIAS, LARGEST, BEYOND, NOT, SIGN) \
    static inline uint8_t f32_to_##NAME(float x) { \
        const uint32_t bits = float8_of(x), b = bits & 0x7fffffffu, sign = bits >> 24 & 0x80; \
        const uint32_t y = float8_down(b < 0x4b000000u ? b : 0x4b000000u, MANTISSA, BIAS); \
        const uint32_t found = b > 0x7f800000u ? NOT : y > LARGEST ? BEYOND : y; \
        return (uint8_t)(SIGN); \
    }
FLOAT8_DOWN(e4m3fn, 3, 7, 0x7e, 0x7e, 0x7f, found | sign)
FLOAT8_DOWN(e5m2, 2, 15, 0x7b, 0x7c, 0x7f, found | sign)
FLOAT8_DOWN(e4m3fnuz, 3, 8, 0x7f, 0x80, 0x80, found ? found | sign : 0)
FLOAT8_DOWN(e5m2fnuz, 2, 16, 0x7f, 0x80, 0x80, found ? found | sign : 0)
static inline uint8_t f32_to_e8m0fnu(float x) {
    const uint32_t b = float8_of(x) & 0x7fffffffu, e = b >> 23, rest = b & 0x7fffffu;
    return (uint8_t)(e == 0xff ? 0xff : e + (rest > 0x400000u || (rest == 0x400000u && e > 0)));
}
#endif

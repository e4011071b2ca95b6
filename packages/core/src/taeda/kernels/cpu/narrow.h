/* Dtypes that have no arithmetic of their own: read into a wider dtype, computed there, written back.
 *
 * float16, bfloat16, float8 -> float32;  int8, int16, uint16 -> int32;  uint32 -> int64.
 * Integer results wrap around when they are written back, which is what arithmetic in the narrow dtype
 * gives; float results are rounded to nearest, ties to even.
 *
 * a. Runs are cut in blocks of NARROW_BLOCK elements whose wide copies stay in the first-level cache (through_wide).
 * b. A broadcast operand (stride 0) is widened once.
 * c. Where the arithmetic is light, the trips through that cache are most of the time: a + b took 1.9 times as long as its
 *    memory.  Such formulas of float16 and bfloat16 have loops over tiles of HALF_TILE elements instead (HALF_*_LOOP): a tile's
 *XX */
#ifndef TAEDA_NARROW_H
#define TAEDA_NARROW_H
#include "abi.h"
#include "few_bytes.h"
#include "float8.h"
#if defined(__F16C__) || defined(__AVX2__)
#include <immintrin.h>
#endif

enum { NARROW_BLOCK = 512, NARROW_OPERANDS = 5 };

static inline float bf16_to_f32(uint16_t h) {
    uint32_t b = (uint32_t)h << 16;
    float x;
    memcpy(&x, &b, 4);
    return x;
}

static inline uint16_t f32_to_bf16(float x) {
    uint32_t b;
    memcpy(&b, &x, 4);
    uint32_t rounded = (b + 0x7fffu + ((b >> 16) & 1u)) >> 16;
    return (uint16_t)(x != x ? 0x7fc0u : rounded);
}

static inline float f16_to_f32(uint16_t h) {
#ifdef __F16C__
    return _cvtsh_ss(h);
#else
    /* exponent and mantissa as float32's, scaled by 2^112; infinities and nan keep a full exponent */
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = (uint32_t)(h & 0x7fffu) << 13, out;
    float x;
    memcpy(&x, &rest, 4);
    x *= 5.192296858534828e33f;
    memcpy(&out, &x, 4);
    if (rest >= 0x0f800000u) out |= 0x7f800000u;
    out |= sign;
    memcpy(&x, &out, 4);
    return x;
#endif
}

static inline uint16_t f32_to_f16(float x) {
#ifdef __F16C__
    return (uint16_t)_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT);
#else
    uint32_t b, sign, out;
    memcpy(&b, &x, 4);
    sign = (b >> 16) & 0x8000u;
    b &= 0x7fffffffu;
    if (b > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
    if (b >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);   /* 65520 and more */
    if (b < 0x38800000u) {                                     /* subnormal: the sum rounds at 2^-24 */
        float y;
        memcpy(&y, &b, 4);
        y += 0.5f;
        memcpy(&out, &y, 4);
        return (uint16_t)(sign | (out - 0x3f000000u));
    }
    out = b + 0xfffu + ((b >> 13) & 1u) - 0x38000000u;
    return (uint16_t)(sign | (out >> 13));
#endif
}

/* The wide dtype of a narrow one, or the code itself. */
static inline int wide_code(int code) {
    switch (code) {
    case TAEDA_F16: case TAEDA_BF16: return TAEDA_F32;
    case TAEDA_E4M3FN: case TAEDA_E5M2: case TAEDA_E4M3FNUZ: case TAEDA_E5M2FNUZ: case TAEDA_E8M0FNU: return TAEDA_F32;
    case TAEDA_I8: case TAEDA_I16: case TAEDA_U16: return TAEDA_I32;
    case TAEDA_U32: return TAEDA_I64;
    default: return code;
    }
}

#define NARROW_LOOPS(S, N, W, UP, DOWN) \
    static inline void widen_##S(W *restrict y, const N *restrict x, int64_t sx, int64_t n) { \
        if (sx == 1) for (int64_t i = 0; i < n; i++) y[i] = UP(x[i]); \
        else for (int64_t i = 0; i < n; i++) y[i] = UP(x[i * sx]); \
    } \
    static inline void narrow_##S(N *restrict y, int64_t sy, const W *restrict x, int64_t n) { \
        if (sy == 1) for (int64_t i = 0; i < n; i++) y[i] = DOWN(x[i]); \
        else for (int64_t i = 0; i < n; i++) y[i * sy] = DOWN(x[i]); \
    }
NARROW_LOOPS(i8, int8_t, int32_t, , (int8_t))
NARROW_LOOPS(i16, int16_t, int32_t, , (int16_t))
NARROW_LOOPS(u16, uint16_t, int32_t, , (uint16_t))
NARROW_LOOPS(u32, uint32_t, int64_t, , (uint32_t))
NARROW_LOOPS(e4m3fn, uint8_t, float, e4m3fn_to_f32, f32_to_e4m3fn)
NARROW_LOOPS(e5m2, uint8_t, float, e5m2_to_f32, f32_to_e5m2)
NARROW_LOOPS(e4m3fnuz, uint8_t, float, e4m3fnuz_to_f32, f32_to_e4m3fnuz)
NARROW_LOOPS(e5m2fnuz, uint8_t, float, e5m2fnuz_to_f32, f32_to_e5m2fnuz)
NARROW_LOOPS(e8m0fnu, uint8_t, float, e8m0fnu_to_f32, f32_to_e8m0fnu)
NARROW_LOOPS(bf16_one, uint16_t, float, bf16_to_f32, f32_to_bf16)
NARROW_LOOPS(f16_one, uint16_t, float, f16_to_f32, f32_to_f16)

static inline void widen_bf16(float *y, const uint16_t *x, int64_t sx, int64_t n) {
    int64_t i = 0;
#ifdef __AVX512BW__
    if (sx == 1)
        for (; i + 16 <= n; i += 16) {
            const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(x + i)));
            _mm512_storeu_si512(y + i, _mm512_slli_epi32(wide, 16));
        }
#endif
#ifdef __AVX2__
    if (sx == 1) {
        _Pragma("GCC unroll 4")
        for (; i + 8 <= n; i += 8) {
            const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(x + i)));
            _mm256_storeu_si256((__m256i *)(y + i), _mm256_slli_epi32(wide, 16));
        }
    }
    if (sx == 2)                        /* the lower half of each 4 bytes; those of the last element may not be there */
        for (; i + 8 < n; i += 8) {
            const __m256i pairs = _mm256_loadu_si256((const __m256i *)(x + 2 * i));
            _mm256_storeu_si256((__m256i *)(y + i), _mm256_slli_epi32(pairs, 16));
        }
#endif
    widen_bf16_one(y + i, x + i * sx, sx, n - i);
}

#ifdef __AVX2__
/* the upper halves of 8 floats, rounded to nearest, ties to even */
static inline __m256i upper_halves(__m256 x) {
    const __m256i b = _mm256_castps_si256(x), odd = _mm256_and_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(b, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256 nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
    return _mm256_srli_epi32(_mm256_blendv_epi8(rounded, _mm256_set1_epi32(0x7fc00000), _mm256_castps_si256(nan)), 16);
}
#endif

static inline void narrow_bf16(uint16_t *y, int64_t sy, const float *x, int64_t n) {
    int64_t i = 0;
#ifdef __AVX512BW__
    if (sy == 1)
        for (; i + 16 <= n; i += 16) {
            const __m512 v = _mm512_loadu_ps(x + i);
            const __m512i b = _mm512_castps_si512(v), odd = _mm512_and_si512(_mm512_srli_epi32(b, 16), _mm512_set1_epi32(1));
            const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(b, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
            const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
            _mm256_storeu_si256((__m256i *)(y + i), _mm512_cvtepi32_epi16(_mm512_mask_set1_epi32(rounded, nan, 0x7fc0)));
        }
#endif
#ifdef __AVX2__
    if (sy == 1)
        for (; i + 16 <= n; i += 16) {
            const __m256i a = upper_halves(_mm256_loadu_ps(x + i)), b = upper_halves(_mm256_loadu_ps(x + i + 8));
            _mm256_storeu_si256((__m256i *)(y + i), _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8));
        }
#endif
    narrow_bf16_one(y + i * sy, sy, x + i, n - i);
}

/* HALF_TILE results of arithmetic on halves.  A NaN among them is the processor's own or came as a half, with zeros below its upper 16
 * bits: it rounds to itself, and need not be looked for. */
enum { HALF_TILE = 16 };
static inline void narrow_tile_bf16(uint16_t *y, const float *x) {
#if defined(__AVX512BW__)
    const __m512i b = _mm512_castps_si512(_mm512_loadu_ps(x)), odd = _mm512_and_si512(_mm512_srli_epi32(b, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(b, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    _mm256_storeu_si256((__m256i *)y, _mm512_cvtepi32_epi16(rounded));
#elif defined(__AVX2__)
    __m256i half[2];
    for (int k = 0; k < 2; k++) {
        const __m256i b = _mm256_castps_si256(_mm256_loadu_ps(x + 8 * k));
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(1));
        half[k] = _mm256_srli_epi32(_mm256_add_epi32(b, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    }
    _mm256_storeu_si256((__m256i *)y, _mm256_permute4x64_epi64(_mm256_packus_epi32(half[0], half[1]), 0xd8));
#else
    narrow_bf16_one(y, 1, x, HALF_TILE);
#endif
}

static inline void widen_f16(float *y, const uint16_t *x, int64_t sx, int64_t n) {
    int64_t i = 0;
#ifdef __AVX512BW__
    if (sx == 1)
        for (; i + 16 <= n; i += 16) _mm512_storeu_ps(y + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(x + i))));
#endif
#ifdef __F16C__
    if (sx == 1)
        _Pragma("GCC unroll 4")
        for (; i + 8 <= n; i += 8) _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
#endif
#if defined(__F16C__) && defined(__AVX2__)
    if (sx == 2)
        for (; i + 8 < n; i += 8) {
            const __m256i pairs = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(x + 2 * i)), _mm256_set1_epi32(0xffff));
            const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(pairs, pairs), 0x08);
            _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm256_castsi256_si128(packed)));
        }
#endif
    widen_f16_one(y + i, x + i * sx, sx, n - i);
}

static inline void narrow_f16(uint16_t *y, int64_t sy, const float *x, int64_t n) {
    int64_t i = 0;
#ifdef __AVX512BW__
    if (sy == 1)
        for (; i + 16 <= n; i += 16)
            _mm256_storeu_si256((__m256i *)(y + i), _mm512_cvtps_ph(_mm512_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
#endif
#ifdef __F16C__
    if (sy == 1)
        _Pragma("GCC unroll 4")
        for (; i + 8 <= n; i += 8)
            _mm_storeu_si128((__m128i *)(y + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
#endif
    narrow_f16_one(y + i * sy, sy, x + i, n - i);
}

static inline void narrow_tile_f16(uint16_t *y, const float *x) { narrow_f16(y, 1, x, HALF_TILE); }

/* n elements at x, sx apart, of a narrow dtype -> y, wide and adjacent */
static void widen(int code, char *y, const char *x, int64_t sx, int64_t n) {
    switch (code) {
    case TAEDA_F16: widen_f16((float *)y, (const uint16_t *)x, sx, n); break;
    case TAEDA_BF16: widen_bf16((float *)y, (const uint16_t *)x, sx, n); break;
    case TAEDA_I8: widen_i8((int32_t *)y, (const int8_t *)x, sx, n); break;
    case TAEDA_I16: widen_i16((int32_t *)y, (const int16_t *)x, sx, n); break;
    case TAEDA_U16: widen_u16((int32_t *)y, (const uint16_t *)x, sx, n); break;
    case TAEDA_U32: widen_u32((int64_t *)y, (const uint32_t *)x, sx, n); break;
    case TAEDA_E4M3FN: widen_e4m3fn((float *)y, (const uint8_t *)x, sx, n); break;
    case TAEDA_E5M2: widen_e5m2((float *)y, (const uint8_t *)x, sx, n); break;
    case TAEDA_E4M3FNUZ: widen_e4m3fnuz((float *)y, (const uint8_t *)x, sx, n); break;
    case TAEDA_E5M2FNUZ: widen_e5m2fnuz((float *)y, (const uint8_t *)x, sx, n); break;
    case TAEDA_E8M0FNU: widen_e8m0fnu((float *)y, (const uint8_t *)x, sx, n); break;
    }
}

static void narrow(int code, char *y, int64_t sy, const char *x, int64_t n) {
    switch (code) {
    case TAEDA_F16: narrow_f16((uint16_t *)y, sy, (const float *)x, n); break;
    case TAEDA_BF16: narrow_bf16((uint16_t *)y, sy, (const float *)x, n); break;
    case TAEDA_I8: narrow_i8((int8_t *)y, sy, (const int32_t *)x, n); break;
    case TAEDA_I16: narrow_i16((int16_t *)y, sy, (const int32_t *)x, n); break;
    case TAEDA_U16: narrow_u16((uint16_t *)y, sy, (const int32_t *)x, n); break;
    case TAEDA_U32: narrow_u32((uint32_t *)y, sy, (const int64_t *)x, n); break;
    case TAEDA_E4M3FN: narrow_e4m3fn((uint8_t *)y, sy, (const float *)x, n); break;
    case TAEDA_E5M2: narrow_e5m2((uint8_t *)y, sy, (const float *)x, n); break;
    case TAEDA_E4M3FNUZ: narrow_e4m3fnuz((uint8_t *)y, sy, (const float *)x, n); break;
    case TAEDA_E5M2FNUZ: narrow_e5m2fnuz((uint8_t *)y, sy, (const float *)x, n); break;
    case TAEDA_E8M0FNU: narrow_e8m0fnu((uint8_t *)y, sy, (const float *)x, n); break;
    }
}

static inline int narrow_size(int code) {
    return code == TAEDA_I8 || code >= TAEDA_E4M3FN ? 1 : code == TAEDA_U32 ? 4 : 2;
}

/* Run the wide loop `inner` over k operands, output first, of the narrow dtype `code`; the output is bytes if `to_bool`.
 * Operand `already` (-1: none) is one wide element: a number that is not rounded to the narrow dtype. */
static void through_wide(char **ptr, const int64_t *s, int64_t n, const Param *p, Loop inner, int k, int code, int to_bool,
                         int already) {
    _Alignas(64) char wide[NARROW_OPERANDS][NARROW_BLOCK * 8];
    char *at[NARROW_OPERANDS];
    int64_t stride[NARROW_OPERANDS];
    const int size = narrow_size(code);
    for (int j = 0; j < k; j++) {
        at[j] = wide[j];
        stride[j] = j > 0 && s[j] == 0 ? 0 : 1;
        if (j == already) {
            at[j] = ptr[j];
            stride[j] = 0;
        } else if (stride[j] == 0) {
            widen(code, wide[j], ptr[j], 1, 1);
        }
    }
    for (int64_t from = 0; from < n; from += NARROW_BLOCK) {
        const int64_t m = n - from < NARROW_BLOCK ? n - from : NARROW_BLOCK;
        for (int j = 1; j < k; j++)
            if (stride[j]) widen(code, wide[j], ptr[j] + from * s[j] * size, s[j], m);
        if (to_bool) {
            at[0] = ptr[0] + from * s[0];
            stride[0] = s[0];
        }
        inner(at, stride, m, p);
        if (!to_bool) narrow(code, ptr[0] + from * s[0] * size, s[0], wide[0], m);
    }
}

/* the elements from i on: one tile more of `tiles` if they are fewer and lie side by side, else by blocks */
#ifdef __F16C__
enum { HALF_OPERANDS = 4, HALF_IN_TILES = 1 };
#else
enum { HALF_OPERANDS = 4, HALF_IN_TILES = 0 };
#endif
static __attribute__((noinline)) void half_rest(char **ptr, const int64_t *s, int64_t i, int64_t n, const Param *p, Loop tiles, Loop inner,
                                                int k, int code, int already) {
    char *at[HALF_OPERANDS];
    int beside = n - i < HALF_TILE && s[0] == 1;
    for (int j = 0; j < k; j++) {
        at[j] = ptr[j] + (j == already ? 0 : i * s[j] * 2);
        beside &= s[j] == 1 || s[j] == 0;
    }
    if (!beside || !HALF_IN_TILES) {
        through_wide(at, s, n - i, p, inner, k, code, 0, already);
        return;
    }
    _Alignas(64) uint16_t room[HALF_OPERANDS][HALF_TILE];
    char *run[HALF_OPERANDS] = {(char *)room[0]};
    for (int j = 1; j < k; j++) {
        run[j] = at[j];
        if (s[j] == 0) continue;
        memset(room[j], 0, sizeof room[j]);
        few_bytes((char *)room[j], at[j], (n - i) * 2);
        run[j] = (char *)room[j];
    }
    tiles(run, s, HALF_TILE, p);
    few_bytes(at[0], run[0], (n - i) * 2);
}

/* NAME_loop of a light formula EXPR in float16 or bfloat16 (S); WIDE_loop is float32's, LOAD makes the operands from tiles.  Without
   instructions that convert, the conversions are most of the time and all goes by blocks. */
#ifndef __F16C__
#define HALF_TILES(S, EXPR, OPERANDS, LOAD) {}
#else
#define HALF_TILES(S, EXPR, OPERANDS, LOAD) \
    for (; i + HALF_TILE <= n; i += HALF_TILE) { \
        float u[HALF_TILE], v[HALF_TILE], w[HALF_TILE], out[HALF_TILE]; \
        (void)u; (void)v; (void)w; \
        LOAD; \
        _Pragma("GCC unroll 2") for (int j = 0; j < HALF_TILE; j++) { OPERANDS; out[j] = EXPR; } \
        narrow_tile_##S(y + i, out); \
    }
#endif
/* a float that goes with halves; its NaN, if it is one, has zeros where theirs has */
static inline float half_number(const char *at) {
    const float x = *(const float *)at;
    return x != x ? bf16_to_f32(0x7fc0) : x;
}
#define HALF_LOAD(S, TILE, X) widen_##S(TILE, X + i, 1, HALF_TILE)

#define HALF_UNARY_LOOP(NAME, WIDE, S, CODE, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        uint16_t *y = (uint16_t *)ptr[0]; const uint16_t *x1 = (const uint16_t *)ptr[1]; \
        int64_t i = 0; CONST; \
        if (s[0] == 1 && s[1] == 1) HALF_TILES(S, EXPR, const float a = u[j], HALF_LOAD(S, u, x1)) \
        if (i < n) half_rest(ptr, s, i, n, p, NAME##_loop, WIDE##_loop, 2, CODE, -1); \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 2, NAME##_loop, p, THREADS); }

/* `already`: the operand that is one float, not rounded to the narrow dtype; -1: none */
#define HALF_BINARY_TILES(NAME, WIDE, S, CODE, EXPR, CONST) \
    static inline void NAME##_tiles(char **ptr, const int64_t *s, int64_t n, const Param *p, int already, Loop self) { \
        uint16_t *y = (uint16_t *)ptr[0]; \
        const uint16_t *x1 = (const uint16_t *)ptr[1], *x2 = (const uint16_t *)ptr[2]; \
        int64_t i = 0; CONST; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 1) { \
            HALF_TILES(S, EXPR, const float a = u[j]; const float b = v[j], HALF_LOAD(S, u, x1); HALF_LOAD(S, v, x2)) \
        } else if (s[0] == 1 && s[1] == 1 && s[2] == 0) { \
            const float b = already == 2 ? half_number(ptr[2]) : S##_to_f32(*x2); \
            HALF_TILES(S, EXPR, const float a = u[j], HALF_LOAD(S, u, x1)) \
        } else if (s[0] == 1 && s[1] == 0 && s[2] == 1) { \
            const float a = already == 1 ? half_number(ptr[1]) : S##_to_f32(*x1); \
            HALF_TILES(S, EXPR, const float b = u[j], HALF_LOAD(S, u, x2)) \
        } \
        if (i < n) half_rest(ptr, s, i, n, p, self, WIDE##_loop, 3, CODE, already); \
    }
#define HALF_BINARY_LOOP(NAME, WIDE, S, CODE, EXPR, CONST) \
    HALF_BINARY_TILES(NAME, WIDE, S, CODE, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { NAME##_tiles(ptr, s, n, p, -1, NAME##_loop); } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 3, NAME##_loop, p, THREADS); }
/* The same where either operand may be a number in the wide dtype. */
#define HALF_BINARY_LOOP_NUMBER(NAME, WIDE, S, CODE, EXPR, CONST) \
    HALF_BINARY_TILES(NAME, WIDE, S, CODE, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { NAME##_tiles(ptr, s, n, p, -1, NAME##_loop); } \
    static void NAME##_loop_a(char **ptr, const int64_t *s, int64_t n, const Param *p) { NAME##_tiles(ptr, s, n, p, 1, NAME##_loop_a); } \
    static void NAME##_loop_b(char **ptr, const int64_t *s, int64_t n, const Param *p) { NAME##_tiles(ptr, s, n, p, 2, NAME##_loop_b); } \
    static int64_t NAME(View **t, const Param *p) { \
        Loop loop = t[1]->dtype != CODE ? NAME##_loop_a : t[2]->dtype != CODE ? NAME##_loop_b : NAME##_loop; \
        return elementwise(t, 3, loop, p, THREADS); \
    }

/* `already`: 3 where the third operand is one float, not rounded to the narrow dtype; -1 */
#define HALF_TERNARY_TILES(NAME, WIDE, S, CODE, EXPR, CONST) \
    static inline void NAME##_tiles(char **ptr, const int64_t *s, int64_t n, const Param *p, int already, Loop self) { \
        uint16_t *y = (uint16_t *)ptr[0]; \
        const uint16_t *x1 = (const uint16_t *)ptr[1], *x2 = (const uint16_t *)ptr[2], *x3 = (const uint16_t *)ptr[3]; \
        int64_t i = 0; CONST; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 1) { \
            HALF_TILES(S, EXPR, const float a = u[j]; const float b = v[j]; const float c = w[j], \
                       HALF_LOAD(S, u, x1); HALF_LOAD(S, v, x2); HALF_LOAD(S, w, x3)) \
        } else if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 0) { \
            const float c = already == 3 ? half_number(ptr[3]) : S##_to_f32(*x3); \
            HALF_TILES(S, EXPR, const float a = u[j]; const float b = v[j], HALF_LOAD(S, u, x1); HALF_LOAD(S, v, x2)) \
        } \
        if (i < n) half_rest(ptr, s, i, n, p, self, WIDE##_loop, 4, CODE, already); \
    }
#define HALF_TERNARY_LOOP(NAME, WIDE, S, CODE, EXPR, CONST) \
    HALF_TERNARY_TILES(NAME, WIDE, S, CODE, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { NAME##_tiles(ptr, s, n, p, -1, NAME##_loop); } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 4, NAME##_loop, p, THREADS); }
#define HALF_TERNARY_LOOP_NUMBER(NAME, WIDE, S, CODE, EXPR, CONST) \
    HALF_TERNARY_TILES(NAME, WIDE, S, CODE, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { NAME##_tiles(ptr, s, n, p, -1, NAME##_loop); } \
    static void NAME##_loop_c(char **ptr, const int64_t *s, int64_t n, const Param *p) { NAME##_tiles(ptr, s, n, p, 3, NAME##_loop_c); } \
    static int64_t NAME(View **t, const Param *p) { \
        return elementwise(t, 4, t[3]->dtype != CODE ? NAME##_loop_c : NAME##_loop, p, THREADS); \
    }
#endif

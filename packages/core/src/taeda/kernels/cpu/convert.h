/* Conversion between any two dtypes: through the wide dtype of a narrow one, and part by part of a complex one.
 *
 * `core[source][target]` holds the loops between the dtypes that have arithmetic of their own; everything else is a
 * run of blocks: widen, core loop, narrow.  The result is the one of a direct conversion: narrow integers wrap around,
 * float64 reaches float16 by way of float32, the imaginary part is dropped or zero.
 */
#ifndef TAEDA_CONVERT_H
#define TAEDA_CONVERT_H
#include "narrow.h"

static Loop core[TAEDA_NDTYPES][TAEDA_NDTYPES];

static inline int part_of(int code) {
    return code == TAEDA_C64 ? TAEDA_F32 : code == TAEDA_C128 ? TAEDA_F64 : code == TAEDA_C32 ? TAEDA_F16 : code;
}

static inline int bytes_of(int code) {
    static const uint8_t bytes[TAEDA_NDTYPES] = {1, 1, 2, 4, 8, 2, 4, 8, 4, 8, 16, 1, 2, 2, 4, 8, 1, 1, 1, 1, 1};
    return bytes[code];
}

/* Between integers of one or two bytes, and from them to bool: what lies side by side is converted in registers. */
static inline int bytes_signed(int code) { return code == TAEDA_I8 || code == TAEDA_I16; }
static inline int short_integer(int code) {
    return code == TAEDA_BOOL || code == TAEDA_U8 || code == TAEDA_I8 || code == TAEDA_I16 || code == TAEDA_U16;
}
#define SHORT_LOOP(TARGET, SOURCE, EXPR) \
    { TARGET *restrict to = (TARGET *)y; const SOURCE *restrict from = (const SOURCE *)x; \
      for (int64_t i = 0; i < n; i++) { const SOURCE v = from[i]; to[i] = EXPR; } }
static void convert_short(int s, int d, char *y, const char *x, int64_t n) {
    const int wide = bytes_of(s) == 2;
    if (d == TAEDA_BOOL && wide) SHORT_LOOP(uint8_t, int16_t, v != 0)
    else if (d == TAEDA_BOOL) SHORT_LOOP(uint8_t, int8_t, v != 0)
    else if (bytes_of(s) == bytes_of(d)) memcpy(y, x, n * bytes_of(s));
    else if (wide) SHORT_LOOP(uint8_t, uint16_t, (uint8_t)v)
    else if (bytes_signed(s)) SHORT_LOOP(int16_t, int8_t, v)
    else SHORT_LOOP(int16_t, uint8_t, v)
}

/* From one or two bytes to a wider number that holds them, in one step. */
#define WIDENED(SOURCE) \
    switch (d) { \
    case TAEDA_F32: SHORT_LOOP(float, SOURCE, v) return 1; \
    case TAEDA_F64: SHORT_LOOP(double, SOURCE, v) return 1; \
    case TAEDA_I64: SHORT_LOOP(int64_t, SOURCE, v) return 1; \
    default: return 0; \
    }
static int convert_widening(int s, int d, char *y, const char *x, int64_t n) {
    switch (s) {
    case TAEDA_I8: WIDENED(int8_t)
    case TAEDA_I16: WIDENED(int16_t)
    case TAEDA_U16: WIDENED(uint16_t)
    default: return 0;
    }
}

/* Real numbers to int64: processors have no vectors for it before AVX-512, but for what int32 holds. */
#define TO_INT64(S, T) \
    static void S##_to_i64(int64_t *restrict y, const T *restrict x, int64_t n) { \
        for (; n > 0; x += 64, y += 64, n -= 64) { \
            const int64_t m = n < 64 ? n : 64; \
            int far = 0; \
            if (m == 64) for (int i = 0; i < 64; i++) far |= !(x[i] < (T)2147483648.0 && x[i] > (T)-2147483648.0); \
            if (m == 64 && !far) for (int i = 0; i < 64; i++) y[i] = (int32_t)x[i]; \
            else for (int64_t i = 0; i < m; i++) y[i] = (int64_t)x[i]; \
        } \
    }
TO_INT64(f32, float)
TO_INT64(f64, double)

/* From integers to bfloat16 by way of float32, in registers; no number is NaN. */
static inline uint16_t bf16_of_number(float x) {
    uint32_t b;
    memcpy(&b, &x, 4);
    return (uint16_t)((b + 0x7fffu + ((b >> 16) & 1u)) >> 16);
}
static int integers_to_bf16(int s, char *y, const char *x, int64_t n) {
    switch (s) {
    case TAEDA_BOOL: case TAEDA_U8: SHORT_LOOP(uint16_t, uint8_t, bf16_of_number((float)v)) return 1;
    case TAEDA_I8: SHORT_LOOP(uint16_t, int8_t, bf16_of_number((float)v)) return 1;
    case TAEDA_I16: SHORT_LOOP(uint16_t, int16_t, bf16_of_number((float)v)) return 1;
    case TAEDA_I32: SHORT_LOOP(uint16_t, int32_t, bf16_of_number((float)v)) return 1;
    default: return 0;
    }
}

/* The real parts of complex numbers side by side, and whether either part is not 0. */
#define REAL_PARTS(T) \
    { const T *restrict from = (const T *)x; \
      for (int64_t i = 0; i < n; i++) ((T *)y)[i] = from[2 * i]; }
static void real_parts(char *restrict y, const char *x, int64_t n, int size) {
    if (size == 2) REAL_PARTS(uint16_t)
    else if (size == 4) REAL_PARTS(uint32_t)
    else REAL_PARTS(uint64_t)
}
#define ANY_PART(T) \
    { const T *restrict from = (const T *)x; \
      for (int64_t i = 0; i < n; i++) y[i] = (from[2 * i] != 0) | (from[2 * i + 1] != 0); }

/* Real numbers side by side become complex ones: in a vector of wider integers the parts of zero come by themselves. */
static void beside_zeros(char *y, const char *x, int64_t n, int size) {
    if (size == 2) SHORT_LOOP(uint32_t, uint16_t, v)
    else if (size == 4) SHORT_LOOP(uint64_t, uint32_t, v)
    else for (int64_t i = 0; i < n; i++) ((uint64_t *)y)[2 * i] = ((const uint64_t *)x)[i], ((uint64_t *)y)[2 * i + 1] = 0;
}

static void convert_parts(int s, int d, char *y, int64_t sy, const char *x, int64_t sx, int64_t n) {
    _Alignas(64) char in[NARROW_BLOCK * 8], out[NARROW_BLOCK * 8];
    const int sw = wide_code(s), dw = wide_code(d);
    if (sx == 1 && sy == 1 && short_integer(s) && short_integer(d)) {
        convert_short(s, d, y, x, n);
        return;
    }
    if (s != sw && d == sw && sy == 1) {
        widen(s, y, x, sx, n);
        return;
    }
    if (sx == 1 && sy == 1 && (d == TAEDA_BF16 ? integers_to_bf16(s, y, x, n) : convert_widening(s, d, y, x, n))) return;
    if (d != dw && s == dw && sx == 1) {
        narrow(d, y, sy, x, n);
        return;
    }
    for (int64_t from = 0; from < n; from += NARROW_BLOCK) {
        const int64_t m = n - from < NARROW_BLOCK ? n - from : NARROW_BLOCK;
        char *target = y + from * sy * bytes_of(d), *source = (char *)x + from * sx * bytes_of(s);
        int64_t at = sx;
        if (d != dw && dw == TAEDA_F32 && sx == 1 && convert_widening(s, dw, in, source, m)) {
            narrow(d, target, sy, in, m);
            continue;
        }
        if (s != sw) {
            widen(s, in, source, sx, m);
            source = in;
            at = 1;
        }
        if (sw != dw || d == dw) {
            char *ptr[2] = {d == dw ? target : out, source};
            const int64_t stride[2] = {d == dw ? sy : 1, at};
            core[sw][dw](ptr, stride, m, NULL);
            source = out;
        } else if (at != 1) {               /* wide already, but strided: narrow reads adjacent elements */
            char *ptr[2] = {in, source};
            const int64_t stride[2] = {1, at};
            core[sw][sw](ptr, stride, m, NULL);
            source = in;
        }
        if (d != dw) narrow(d, target, sy, source, m);
    }
}

static void convert_run(char **ptr, const int64_t *st, int64_t n, const Param *p) {
    const int s = (int)p[0].i, d = (int)p[1].i, sp = part_of(s), dp = part_of(d);
    const int from_complex = sp != s, to_complex = dp != d;
    char *y = ptr[0], *x = ptr[1];
    const int64_t sx = st[1] << from_complex, sy = st[0] << to_complex;
    if (d == TAEDA_BOOL && from_complex) {
        uint8_t im[NARROW_BLOCK];
        if (sx == 2 && sy == 1 && sp != TAEDA_F16) {
            if (sp == TAEDA_F32) ANY_PART(float)
            else ANY_PART(double)
            return;
        }
        for (int64_t from = 0; from < n; from += NARROW_BLOCK) {
            const int64_t m = n - from < NARROW_BLOCK ? n - from : NARROW_BLOCK;
            char *at = x + from * sx * bytes_of(sp);
            uint8_t *to = (uint8_t *)y + from * sy;
            convert_parts(sp, d, (char *)im, 1, at + bytes_of(sp), sx, m);
            convert_parts(sp, d, (char *)to, sy, at, sx, m);
            for (int64_t i = 0; i < m; i++) to[i * sy] |= im[i];
        }
        return;
    }
    if (s == dp && to_complex && sx == 1 && sy == 2) {
        beside_zeros(y, x, n, bytes_of(dp));
        return;
    }
    if (to_complex && !from_complex && sy == 2) {
        _Alignas(64) char real[NARROW_BLOCK * 8];
        for (int64_t from = 0; from < n; from += NARROW_BLOCK) {
            const int64_t m = n - from < NARROW_BLOCK ? n - from : NARROW_BLOCK;
            convert_parts(s, dp, real, 1, x + from * sx * bytes_of(s), sx, m);
            beside_zeros(y + from * 2 * bytes_of(dp), real, m, bytes_of(dp));
        }
        return;
    }
    if (to_complex && from_complex && sx == 2 && sy == 2) {                    /* all parts are side by side */
        convert_parts(sp, dp, y, 1, x, 1, 2 * n);
        return;
    }
    if (from_complex && !to_complex && sx == 2 && sy == 1) {
        _Alignas(64) char real[NARROW_BLOCK * 8];
        if (sp == d) real_parts(y, x, n, bytes_of(sp));
        else for (int64_t from = 0; from < n; from += NARROW_BLOCK) {
            const int64_t m = n - from < NARROW_BLOCK ? n - from : NARROW_BLOCK;
            real_parts(real, x + from * 2 * bytes_of(sp), m, bytes_of(sp));
            convert_parts(sp, d, y + from * bytes_of(d), 1, real, 1, m);
        }
        return;
    }
    convert_parts(sp, dp, y, sy, x, sx, n);
    if (!to_complex) return;
    if (from_complex) convert_parts(sp, dp, y + bytes_of(dp), sy, x + bytes_of(sp), sx, n);
    else for (int64_t i = 0; i < n; i++) memset(y + (i * sy + 1) * bytes_of(dp), 0, bytes_of(dp));
}
#endif

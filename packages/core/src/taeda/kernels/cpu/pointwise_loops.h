/* The loops that formulas.py fills in: macros that make a kernel NAME of an expression EXPR of its operands a, b, c.  T is what they
 * are, TO what is written, CONST declares the parameters that EXPR uses.  A loop is given runs of memory (loops.h); THREADS is the
 * includer's. */
#pragma once
#include "elementary.h"
#include "fused.h"
#include "integers.h"
#include "loops.h"
#include "narrow.h"
#include "complex_numbers.h"

#define T_f32(name) t_##name##_f32
#define T_f64(name) t_##name##_f64
#define L_f32(name) name##f
#define L_f64(name) name
#define CLIP(a, low, high) ((a < low ? low : a) > high ? high : (a < low ? low : a))

/* 0 and 6 as numbers that the compiler does not know: it would turn a clip by known ones from two instructions into seven */
#define SOME_NUMBERS(T) T K0 = 0, K6 = 6; __asm__("" : "+m"(K0), "+m"(K6))

#define FLOAT_HELPERS(S, T, I, LF, EXPONENT) \
    INLINE T nan_to_num_##S(T a, T nan, T high, T low) { \
        const I bits = t_to_bits_##S(a), size = bits & (I)(~0ull >> (65 - 8 * sizeof(I))); \
        const T rest = size > EXPONENT ? nan : bits < 0 ? low : high; \
        return size >= EXPONENT ? rest : a; \
    } \
    INLINE T between_##S(T a, T low, T high) {       /* two choices and two blends; `a != a || a > low` would be branches */ \
        const T m = a > low ? a : low, k = a != a ? a : m, y = k < high ? k : high; \
        return k != k ? k : y; \
    } \
    INLINE T floor_div_##S(T a, T b, T m) {          /* m = fmod(a, b) */ \
        T q = (a - m) / b; \
        q = m != 0 && ((b < 0) != (m < 0)) ? q - 1 : q; \
        const T f = LF(floor)(q), y = q - f > (T)0.5 ? f + 1 : f; \
        return b == 0 ? a / b : q == 0 ? LF(copysign)((T)0, a / b) : y; \
    } \
    INLINE T remainder_##S(T a, T b, T m) { return m != 0 && ((b < 0) != (m < 0)) ? m + b : m; } \
    INLINE T logaddexp_##S(T a, T b) { \
        const T m = a > b ? a : b, d = LF(fabs)(a - b), y = m + t_log1p_unit_##S(t_exp_##S(-d)); \
        return a != a || b != b ? a + b : d == d ? y : m;           /* two equal infinities */ \
    } \
    INLINE T logaddexp2_##S(T a, T b) { \
        const T m = a > b ? a : b, d = LF(fabs)(a - b); \
        const T y = m + t_log1p_unit_##S(t_exp2_##S(-d)) * (T)1.44269504088896340736; \
        return a != a || b != b ? a + b : d == d ? y : m; \
    } \
    INLINE T softplus_##S(T a) { return (a < 0 ? (T)0 : a) + t_log1p_unit_##S(t_exp_##S(-LF(fabs)(a))); } \
    INLINE T silu_backward_##S(T g, T x) { \
        T s = t_sigmoid_##S(x); \
        return g * s * ((T)1 + x * ((T)1 - s)); \
    } \
    INLINE T gelu_tanh_backward_##S(T g, T x) { \
        const T c = (T)0.79788456080286535588, t = t_tanh_##S(c * (x + (T)0.044715 * x * x * x)); \
        return g * (T)0.5 * ((T)1 + t + x * ((T)1 - t * t) * (c * ((T)1 + (T)0.134145 * x * x))); \
    }
FLOAT_HELPERS(f32, float, int32_t, L_f32, 0x7f800000)
FLOAT_HELPERS(f64, double, int64_t, L_f64, 0x7ff0000000000000LL)

/* In and out may be the same memory, element by element: ivdep says that nothing else overlaps. */
#define UNARY_RUNS(NAME, T, TO, EXPR, ...) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        TO *y = (TO *)ptr[0]; const T *x = (const T *)ptr[1]; __VA_ARGS__; \
        if (n > 1 && (s[0] != 1 || s[1] != 1)) { in_blocks(ptr, s, n, p, NAME##_loop, 2, sizeof(TO), sizeof(T)); return; } \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i]; y[i] = EXPR; } \
    }
#define UNARY_LOOP(NAME, T, TO, EXPR, CONST) \
    UNARY_RUNS(NAME, T, TO, EXPR, CONST) \
    UNARY_ROWS(NAME, T, TO, EXPR, CONST) \
    static int64_t NAME(View **t, const Param *p) { return elementwise_rows(t, 2, NAME##_loop, NAME##_rows, p, THREADS); }

/* HEAVY: formulas that cost more than a copy of their operands. */
#define UNARY_LOOP_HEAVY(NAME, T, TO, EXPR, CONST) \
    UNARY_RUNS(NAME, T, TO, EXPR, CONST) \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 2, NAME##_loop, p, THREADS); }
#define BINARY_LOOP_HEAVY(NAME, T, TO, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        TO *z = (TO *)ptr[0]; const T *x = (const T *)ptr[1], *y = (const T *)ptr[2]; CONST; \
        if (n > 1 && (s[0] != 1 || s[1] != 1 || s[2] != 1)) { \
            in_blocks(ptr, s, n, p, NAME##_loop, 3, sizeof(TO), sizeof(T)); \
            return; \
        } \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i]; z[i] = EXPR; } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 3, NAME##_loop, p, THREADS); }

#define BINARY_LOOP(NAME, T, TO, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        TO *z = (TO *)ptr[0]; const T *x = (const T *)ptr[1], *y = (const T *)ptr[2]; (void)p; CONST; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 1) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i]; z[i] = EXPR; } \
        } else if (s[0] == 1 && s[1] == 1 && s[2] == 0) { \
            const T b = *y; \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i]; z[i] = EXPR; } \
        } else if (s[0] == 1 && s[1] == 0 && s[2] == 1) { \
            const T a = *x; \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T b = y[i]; z[i] = EXPR; } \
        } else if (s[0] == 1 && (s[1] == 2 || s[2] == 2)) { \
            in_blocks(ptr, s, n, p, NAME##_loop, 3, sizeof(TO), sizeof(T)); \
        } else { \
            const int64_t sz = s[0], sx = s[1], sy = s[2]; \
            for (int64_t i = 0; i < n; i++) { const T a = x[i * sx], b = y[i * sy]; z[i * sz] = EXPR; } \
        } \
    } \
    BINARY_ROWS(NAME, T, TO, EXPR, CONST) \
    static int64_t NAME(View **t, const Param *p) { return elementwise_rows(t, 3, NAME##_loop, NAME##_rows, p, THREADS); }

#define TERNARY_LOOP(NAME, T, TO, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        TO *z = (TO *)ptr[0]; (void)p; CONST; \
        const T *x = (const T *)ptr[1], *y = (const T *)ptr[2], *w = (const T *)ptr[3]; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 1) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i], c = w[i]; z[i] = EXPR; } \
        } else if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 0) { \
            const T c = *w; \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i]; z[i] = EXPR; } \
        } else if (n == 1) { \
            const T a = *x, b = *y, c = *w; *z = EXPR; \
        } else { \
            in_blocks(ptr, s, n, p, NAME##_loop, 4, sizeof(TO), sizeof(T)); \
        } \
    } \
    TERNARY_ROWS(NAME, T, TO, EXPR, CONST) \
    static int64_t NAME(View **t, const Param *p) { return elementwise_rows(t, 4, NAME##_loop, NAME##_rows, p, THREADS); }

/* Blocks of numbers for which a cheaper formula is right (elu after another activation, finite ones for nan_to_num) take it. */
#define SPARED_LOOP(NAME, T, SPARED, EXPR, CHEAP, CONST) \
    UNARY_RUNS(NAME##_any, T, T, EXPR, CONST) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        CONST; \
        for (int64_t at = 0; at < n; at += 2048) { \
            const int64_t m = n - at < 2048 ? n - at : 2048, sy = s[0], sx = s[1]; \
            T *y = (T *)ptr[0] + at * sy; const T *x = (const T *)ptr[1] + at * sx; \
            NOTE(T) spared = sy == 1 && sx == 1; \
            if (spared && y == x) for (int64_t i = 0; i < m; i++) { const T a = x[i]; spared &= -(NOTE(T))(SPARED); }; \
            if (spared) { /* tried at once, which does not overwrite an x that was not found to be spared before */ \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < m; i++) { const T a = x[i]; spared &= -(NOTE(T))(SPARED); y[i] = CHEAP; } \
            } \
            char *block[2] = {(char *)y, (char *)x}; \
            if (!spared) NAME##_any_loop(block, s, m, p); \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 2, NAME##_loop, p, THREADS); }

/* Arithmetic of short integers that is written by runs (integers.h). */
#define RUN_LOOP(NAME, T, RUN) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        if (n > 1 && (s[0] != 1 || s[1] != 1 || (s[2] != 1 && s[2] != 0))) in_blocks(ptr, s, n, p, NAME##_loop, 3, sizeof(T), sizeof(T)); \
        else RUN((T *)ptr[0], (const T *)ptr[1], (const T *)ptr[2], n > 1 ? s[2] : 0, n); \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 3, NAME##_loop, p, THREADS); }

/* VECTOR is right but where LARGE holds; a block that has such operands goes by one element at a time. */
#define CHECKED_LOOP(NAME, T, LARGE, VECTOR, EXACT) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        if (n > 1 && (s[0] != 1 || s[1] != 1 || s[2] != 1)) { \
            in_blocks(ptr, s, n, p, NAME##_loop, 3, sizeof(T), sizeof(T)); \
            return; \
        } \
        for (int64_t at = 0; at < n; at += 256) { \
            const int64_t m = n - at < 256 ? n - at : 256; \
            T *z = (T *)ptr[0] + at; const T *x = (const T *)ptr[1] + at, *y = (const T *)ptr[2] + at; int large = 0; \
            for (int64_t i = 0; i < m; i++) large |= LARGE(x[i], y[i]); \
            if (!large) { \
                _Pragma("GCC ivdep") for (int64_t i = 0; i < m; i++) { const T a = x[i], b = y[i]; z[i] = VECTOR; } \
            } else for (int64_t i = 0; i < m; i++) { const T a = x[i], b = y[i]; z[i] = LARGE(a, b) ? EXACT : VECTOR; } \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 3, NAME##_loop, p, THREADS); }

/* Powers that are products or roots where one number is the exponent of all. */
#define POWER_LOOP(NAME, T, LF, ANY) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        T *z = (T *)ptr[0]; const T *x = (const T *)ptr[1], *y = (const T *)ptr[2]; (void)p; \
        const T k = *y; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 1) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i]; z[i] = ANY; } \
        } else if (s[2] != 0) { \
            in_blocks(ptr, s, n, p, NAME##_loop, 3, sizeof(T), sizeof(T)); \
        } else if (n > 1 && (s[0] != 1 || s[1] != 1)) {         /* the exponent stays a number */ \
            T block[SPREAD_BLOCK]; \
            const int64_t side[3] = {1, 1, 0}; \
            for (int64_t at = 0; at < n; at += SPREAD_BLOCK) { \
                const int64_t m = n - at < SPREAD_BLOCK ? n - at : SPREAD_BLOCK; \
                char *run[3] = {(char *)block, (char *)block, ptr[2]}; \
                spread(run[0], (char *)(x + at * s[1]), s[1], m, sizeof(T), 0); \
                NAME##_loop(run, side, m, p); \
                spread(run[0], (char *)(z + at * s[0]), s[0], m, sizeof(T), 1); \
            } \
        } else if (k == 0) { \
            for (int64_t i = 0; i < n; i++) z[i] = 1; \
        } else if (k == 1) { \
            memmove(z, x, n * sizeof(T)); \
        } else if (k == 2) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) z[i] = x[i] * x[i]; \
        } else if (k == 3) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) z[i] = x[i] * x[i] * x[i]; \
        } else if (k == (T)0.5) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) z[i] = LF(sqrt)(x[i]); \
        } else if (k == -1) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) z[i] = 1 / x[i]; \
        } else if (k == -2) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) z[i] = 1 / (x[i] * x[i]); \
        } else if (k == (T)-0.5) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) z[i] = 1 / LF(sqrt)(x[i]); \
        } else if (n > 1) { \
            in_blocks(ptr, s, n, p, NAME##_loop, 3, sizeof(T), sizeof(T)); \
        } else { \
            const T a = *x, b = k; *z = ANY; \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 3, NAME##_loop, p, THREADS); }

/* A narrow dtype's kernel: the wide dtype's loop over blocks. */
#define NARROW_LOOP(NAME, WIDE, OPERANDS, CODE, TO_BOOL) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        through_wide(ptr, s, n, p, WIDE##_loop, OPERANDS, CODE, TO_BOOL, -1); \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, OPERANDS, NAME##_loop, p, THREADS); }

/* Squares of float16 and bfloat16 stay in registers; other powers go by blocks. */
#define HALF_POWER_LOOP(NAME, WIDE, S, CODE) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        const float k = S##_to_f32(*(const uint16_t *)ptr[2]); \
        uint16_t *y = (uint16_t *)ptr[0]; const uint16_t *x = (const uint16_t *)ptr[1]; \
        int64_t i = 0; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 0 && k == 2) HALF_TILES(S, a * a, const float a = u[j], HALF_LOAD(S, u, x)) \
        if (i < n) half_rest(ptr, s, i, n, p, NAME##_loop, WIDE##_loop, 3, CODE, -1); \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 3, NAME##_loop, p, THREADS); }

/* The next number after a towards b, by its bits, which count up with its magnitude. */
INLINE uint16_t half_nextafter(uint16_t a, uint16_t b, int infinity) {
    const int u = a & 0x7fff, v = b & 0x7fff, s = a & 0x8000 ? -u : u, t = b & 0x8000 ? -v : v;     /* in order; both zeros are 0 */
    const int away = (t > s) == (s > 0), next = (a & 0x8000) | (away ? u + 1 : u - 1), least = (b & 0x8000) | 1;
    const int y = s == t ? b : s == 0 ? least : next;
    return (uint16_t)(u > infinity || v > infinity ? infinity | infinity >> 1 : y);
}

/* VECTOR, of a, is right up to LIMIT (the polynomials' reduction of sin and cos, the middle of erfinv): one scalar pass more over a block
 * that has larger arguments, or none that is a number.  ABS is the dtype's fabs.  FIRST: nothing, or FIRST_STEP, whose results w[i] VECTOR
 * takes.  The note is an int: vectors of float64 then go two at a time, in which cos waits less (5.9 ns, else 6.6 on Zen 1). */
#define FIRST_STEP(T, F) T w[512]; _Pragma("GCC ivdep") for (int64_t i = 0; i < m; i++) w[i] = F(x[i]);
#define RARE_LOOP(NAME, T, ABS, LIMIT, FIRST, VECTOR, EXACT) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        if (n > 1 && s[0] != 1) { in_blocks(ptr, s, n, p, NAME##_loop, 2, sizeof(T), sizeof(T)); return; } \
        for (int64_t at = 0; at < n; at += 512) { \
            const int64_t m = n - at < 512 ? n - at : 512, sx = s[1]; \
            T *y = (T *)ptr[0] + at; const T *x = (const T *)ptr[1] + at * sx; \
            T kept[512]; int large = 0; \
            if (sx != 1 || y == x) { \
                for (int64_t i = 0; i < m; i++) kept[i] = x[i * sx]; \
                x = kept; \
            } \
            FIRST \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < m; i++) { const T a = x[i]; large |= !(ABS(a) <= LIMIT); y[i] = VECTOR; } \
            if (large) for (int64_t i = 0; i < m; i++) if (!(ABS(x[i]) <= LIMIT)) y[i] = EXACT(x[i]); \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 2, NAME##_loop, p, THREADS); }

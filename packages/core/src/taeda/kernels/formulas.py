"""The table of pointwise kernels: name -> C expression, shared by both devices.

``a``, ``b``, ``c`` are the operands, ``PF(i)`` the i-th parameter (a double), ``PI(i)`` the same as an
integer; ``T`` is the compute type, ``F(name)`` the function ``t_name`` or libm's ``name`` for it.
Expressions have no branches that a vectoriser cannot turn into blends.

``python formulas.py DIR`` writes ``pointwise.h`` (a loop for each name and dtype) and ``pointwise.pyx``
(the table of their addresses) into DIR; the build calls it.
"""

from __future__ import annotations

import pathlib
import sys

FLOAT = ("f32", "f64")
INT = ("u8", "i32", "i64")
BOOL = ("b8",)
REAL = FLOAT + INT
ALL = REAL + BOOL
CTYPE = {"f32": "float", "f64": "double", "u8": "uint8_t", "i32": "int32_t", "i64": "int64_t", "b8": "uint8_t"}
# unsigned arithmetic wraps; signed overflow in C is undefined, in PyTorch it wraps too
WRAP = {"u8": "uint8_t", "i32": "uint32_t", "i64": "uint64_t"}

# name: {dtypes: expression}.  Operands are read as T; the result is stored as the output type.
UNARY: dict[str, dict[tuple[str, ...], str]] = {
    "exp": {FLOAT: "T_(exp)(a)"},
    "exp2": {FLOAT: "L_(exp2)(a)"},
    "expm1": {FLOAT: "T_(expm1)(a)"},
    "log": {FLOAT: "T_(log)(a)"},
    "log1p": {FLOAT: "T_(log1p)(a)"},
    "log2": {FLOAT: "L_(log2)(a)"},
    "log10": {FLOAT: "L_(log10)(a)"},
    "sqrt": {FLOAT: "L_(sqrt)(a)"},
    "rsqrt": {FLOAT: "(T)1 / L_(sqrt)(a)"},
    "reciprocal": {FLOAT: "(T)1 / a"},
    "sin": {FLOAT: "T_(sin)(a)"},
    "cos": {FLOAT: "T_(cos)(a)"},
    "tan": {FLOAT: "L_(tan)(a)"},
    "sinh": {FLOAT: "L_(sinh)(a)"},
    "cosh": {FLOAT: "L_(cosh)(a)"},
    "tanh": {FLOAT: "T_(tanh)(a)"},
    "asin": {FLOAT: "L_(asin)(a)"},
    "acos": {FLOAT: "L_(acos)(a)"},
    "atan": {FLOAT: "L_(atan)(a)"},
    "asinh": {FLOAT: "L_(asinh)(a)"},
    "acosh": {FLOAT: "L_(acosh)(a)"},
    "atanh": {FLOAT: "L_(atanh)(a)"},
    "sigmoid": {FLOAT: "T_(sigmoid)(a)"},
    "erf": {FLOAT: "T_(erf)(a)"},
    "erfc": {FLOAT: "L_(erfc)(a)"},
    "lgamma": {FLOAT: "L_(lgamma)(a)"},
    "floor": {FLOAT: "L_(floor)(a)", INT: "a"},
    "ceil": {FLOAT: "L_(ceil)(a)", INT: "a"},
    "round": {FLOAT: "L_(rint)(a)", INT: "a"},
    "trunc": {FLOAT: "L_(trunc)(a)", INT: "a"},
    "frac": {FLOAT: "a - L_(trunc)(a)"},
    "abs": {FLOAT: "L_(fabs)(a)", ("i32", "i64"): "a < 0 ? (T)(0 - (W)a) : a", ("u8", "b8"): "a"},
    "neg": {FLOAT: "-a", INT: "(T)(0 - (W)a)"},
    "sign": {REAL: "(T)((a > 0) - (a < 0))", BOOL: "a"},
    "square": {FLOAT: "a * a", INT: "(T)((W)a * (W)a)"},
    "relu": {FLOAT: "a < 0 ? (T)0 : a", INT: "a < 0 ? (T)0 : a"},
    "bitwise_not": {INT: "(T)~a", BOOL: "!a"},
    "logical_not": {ALL: "!a"},
    "deg2rad": {FLOAT: "a * (T)0.017453292519943295769"},
    "rad2deg": {FLOAT: "a * (T)57.295779513082320877"},
    # a = mantissa * 2^exponent with 1/2 <= |mantissa| < 1
    "frexp_mantissa": {FLOAT: "F2(frexp_mantissa)(a)"},
    "frexp_exponent": {FLOAT: "F2(frexp_exponent)(a)"},
    "isposinf": {FLOAT: "a == (T)INFINITY"},
    "isneginf": {FLOAT: "a == -(T)INFINITY"},
    "isnan": {FLOAT: "a != a"},
    "isinf": {FLOAT: "L_(fabs)(a) == (T)INFINITY"},
    "isfinite": {FLOAT: "L_(fabs)(a) < (T)INFINITY"},
    "signbit": {FLOAT: "(uint8_t)(L_(copysign)((T)1, a) < 0)", INT: "a < 0"},
    # 0.5 x (1 + erf(x / sqrt 2)); 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    "gelu": {FLOAT: "(T)0.5 * a * ((T)1 + T_(erf)(a * (T)0.70710678118654752440))"},
    "gelu_tanh": {FLOAT: "(T)0.5 * a * ((T)1 + T_(tanh)((T)0.79788456080286535588 * (a + (T)0.044715 * a * a * a)))"},
    "silu": {FLOAT: "a * T_(sigmoid)(a)"},
    # log(1 + e^(beta x)) / beta, and x itself where beta x is above the threshold
    "softplus": {FLOAT: "a * (T)PF(0) > (T)PF(1) ? a : T_(log1p)(T_(exp)(a * (T)PF(0))) / (T)PF(0)"},
    "log_sigmoid": {FLOAT: "(a < 0 ? a : (T)0) - T_(log1p)(T_(exp)(-L_(fabs)(a)))"},
    "leaky_relu": {FLOAT: "a > 0 ? a : a * (T)PF(0)"},
    # scale * (x > 0 ? x : alpha (e^(x input_scale) - 1)): elu, selu, celu
    "elu": {FLOAT: "a > 0 ? a * (T)PF(1) : (T)PF(0) * (T)PF(1) * T_(expm1)(a * (T)PF(2))"},
    # min(max(x, low), high); NaN stays
    "clamp": {FLOAT: "(a < (T)PF(0) ? (T)PF(0) : a) > (T)PF(1) ? (T)PF(1) : (a < (T)PF(0) ? (T)PF(0) : a)",
              INT: "(a < (T)PI(0) ? (T)PI(0) : a) > (T)PI(1) ? (T)PI(1) : (a < (T)PI(0) ? (T)PI(0) : a)"},
    "nan_to_num": {FLOAT: "a != a ? (T)PF(0) : (a == (T)INFINITY ? (T)PF(1) : (a == -(T)INFINITY ? (T)PF(2) : a))"},
    "threshold": {FLOAT: "a <= (T)PF(0) ? (T)PF(1) : a", INT: "a <= (T)PI(0) ? (T)PI(1) : a"},
}
BOOL_RESULT = {"logical_not", "isnan", "isinf", "isfinite", "signbit", "isposinf", "isneginf",
               "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"}

BINARY: dict[str, dict[tuple[str, ...], str]] = {
    "add": {FLOAT: "a + b", INT: "(T)((W)a + (W)b)", BOOL: "a | b"},
    "sub": {FLOAT: "a - b", INT: "(T)((W)a - (W)b)"},
    "mul": {FLOAT: "a * b", INT: "(T)((W)a * (W)b)", BOOL: "a & b"},
    "div": {FLOAT: "a / b"},
    # rounding towards minus infinity; the caller has refused integer division by zero
    "floor_divide": {FLOAT: "F2(floor_div)(a, b)", ("i32", "i64"): "int_floor_div_S(a, b)", ("u8",): "a / b"},
    "trunc_divide": {FLOAT: "L_(trunc)(a / b)", ("i32", "i64"): "b == -1 ? (T)(0 - (W)a) : a / b", ("u8",): "a / b"},
    "remainder": {FLOAT: "F2(remainder)(a, b)", ("i32", "i64"): "int_remainder_S(a, b)", ("u8",): "a % b"},
    "fmod": {FLOAT: "L_(fmod)(a, b)", ("i32", "i64"): "b == -1 ? 0 : a % b", ("u8",): "a % b"},
    "pow": {FLOAT: "F2(pow)(a, b)", INT: "int_pow_S(a, b)"},
    "maximum": {FLOAT: "(a != a || a > b) ? a : b", INT + BOOL: "a > b ? a : b"},
    "minimum": {FLOAT: "(a != a || a < b) ? a : b", INT + BOOL: "a < b ? a : b"},
    "fmax": {FLOAT: "L_(fmax)(a, b)", INT + BOOL: "a > b ? a : b"},
    "fmin": {FLOAT: "L_(fmin)(a, b)", INT + BOOL: "a < b ? a : b"},
    "atan2": {FLOAT: "L_(atan2)(a, b)"},
    "hypot": {FLOAT: "L_(hypot)(a, b)"},
    "copysign": {FLOAT: "L_(copysign)(a, b)"},
    "xlogy": {FLOAT: "b != b ? b : (a == 0 ? (T)0 : a * T_(log)(b))"},
    "logaddexp": {FLOAT: "F2(logaddexp)(a, b)"},
    "logaddexp2": {FLOAT: "F2(logaddexp2)(a, b)"},
    "nextafter": {FLOAT: "L_(nextafter)(a, b)"},
    # the caller has limited b to what an int holds
    "ldexp": {FLOAT: "L_(ldexp)(a, (int)b)"},
    "heaviside": {FLOAT: "a == 0 ? b : (T)(a > 0)", INT + BOOL: "a == 0 ? b : (T)(a > 0)"},
    "gcd": {INT: "int_gcd_S(a, b)"},
    "lcm": {INT: "int_lcm_S(a, b)"},
    "eq": {ALL: "a == b"},
    "ne": {ALL: "a != b"},
    "lt": {ALL: "a < b"},
    "le": {ALL: "a <= b"},
    "gt": {ALL: "a > b"},
    "ge": {ALL: "a >= b"},
    "logical_and": {ALL: "(uint8_t)((a != 0) & (b != 0))"},
    "logical_or": {ALL: "(uint8_t)((a != 0) | (b != 0))"},
    "logical_xor": {ALL: "(uint8_t)((a != 0) ^ (b != 0))"},
    "bitwise_and": {INT + BOOL: "a & b"},
    "bitwise_or": {INT + BOOL: "a | b"},
    "bitwise_xor": {INT + BOOL: "a ^ b"},
    "bitwise_left_shift": {INT: "(b < 0 || b >= (T)(8 * sizeof(T))) ? (T)0 : (T)((W)a << b)"},
    "bitwise_right_shift": {INT: "a >> ((b < 0 || b >= (T)(8 * sizeof(T))) ? (T)(8 * sizeof(T) - 1) : b)"},
    # backward passes of unary ops: a = cotangent, b = what the op saved (x or y)
    "relu_backward": {FLOAT: "b <= 0 ? (T)0 : a"},
    "sigmoid_backward": {FLOAT: "a * ((T)1 - b) * b"},
    "tanh_backward": {FLOAT: "a * ((T)1 - b * b)"},
    "gelu_backward": {FLOAT: "a * ((T)0.5 * ((T)1 + T_(erf)(b * (T)0.70710678118654752440)) "
                             "+ b * (T)0.39894228040143267794 * T_(exp)((T)-0.5 * b * b))"},
    "leaky_relu_backward": {FLOAT: "b > 0 ? a : a * (T)PF(0)"},
    "silu_backward": {FLOAT: "F2(silu_backward)(a, b)"},
    "clamp_backward": {FLOAT: "(b >= (T)PF(0) && b <= (T)PF(1)) ? a : (T)0"},
}

TERNARY: dict[str, dict[tuple[str, ...], str]] = {
    "addcmul": {FLOAT: "a + (T)PF(0) * b * c", INT: "(T)((W)a + (W)PI(0) * (W)b * (W)c)"},
    "addcdiv": {FLOAT: "a + (T)PF(0) * (b / c)"},
    # from the nearer end, so that weight 0 and 1 give the ends exactly
    "lerp": {FLOAT: "c < (T)0.5 ? a + c * (b - a) : b - (b - a) * ((T)1 - c)"},
}

PRELUDE = r"""
#define T_f32(name) t_##name##_f32
#define T_f64(name) t_##name##_f64
#define L_f32(name) name##f
#define L_f64(name) name
#define PF(k) (p[k].f)
#define PI(k) (p[k].i)

#define FLOAT_HELPERS(S, T, LF) \
    static inline T floor_div_##S(T a, T b) { \
        T m = LF(fmod)(a, b), q = (a - m) / b; \
        if (b == 0) return a / b; \
        if (m != 0 && ((b < 0) != (m < 0))) q -= 1; \
        if (q == 0) return LF(copysign)((T)0, a / b); \
        T f = LF(floor)(q); \
        return q - f > (T)0.5 ? f + 1 : f; \
    } \
    static inline T remainder_##S(T a, T b) { \
        T m = LF(fmod)(a, b); \
        return m != 0 && ((b < 0) != (m < 0)) ? m + b : m; \
    } \
    static inline T pow_##S(T a, T b) { return LF(pow)(a, b); } \
    static inline T logaddexp_##S(T a, T b) { \
        T m = a > b ? a : b, d = LF(fabs)(a - b); \
        if (a == b && LF(fabs)(a) == (T)INFINITY) return a; \
        return a + b != a + b ? a + b : m + t_log1p_##S(t_exp_##S(-d)); \
    } \
    static inline T logaddexp2_##S(T a, T b) { \
        T m = a > b ? a : b, d = LF(fabs)(a - b); \
        if (a == b && LF(fabs)(a) == (T)INFINITY) return a; \
        return a + b != a + b ? a + b : m + t_log1p_##S(LF(exp2)(-d)) * (T)1.44269504088896340736; \
    } \
    static inline T frexp_mantissa_##S(T a) { int e; return LF(frexp)(a, &e); } \
    static inline T frexp_exponent_##S(T a) { \
        int e = 0; \
        if (LF(fabs)(a) < (T)INFINITY) LF(frexp)(a, &e); \
        return (T)e; \
    } \
    static inline T silu_backward_##S(T g, T x) { \
        T s = t_sigmoid_##S(x); \
        return g * s * ((T)1 + x * ((T)1 - s)); \
    }
FLOAT_HELPERS(f32, float, L_f32)
FLOAT_HELPERS(f64, double, L_f64)

#define INT_HELPERS(S, T, W) \
    static inline T int_pow_##S(T a, T n) { \
        if (n < 0) return a == 1 ? 1 : (a == (T)-1 ? ((n & 1) ? (T)-1 : 1) : 0); \
        W r = 1, base = (W)a; \
        while (n > 0) { if (n & 1) r *= base; base *= base; n >>= 1; } \
        return (T)r; \
    } \
    static inline T int_gcd_##S(T a, T b) { \
        W u = a < 0 ? (W)(0 - (W)a) : (W)a, v = b < 0 ? (W)(0 - (W)b) : (W)b; \
        while (v) { W r = u % v; u = v; v = r; } \
        return (T)u; \
    } \
    static inline T int_lcm_##S(T a, T b) { \
        W g = (W)int_gcd_##S(a, b); \
        if (g == 0) return 0; \
        T m = (T)((a < 0 ? (W)(0 - (W)a) : (W)a) / g * (W)b); \
        return m < 0 ? (T)(0 - (W)m) : m; \
    }
#define SIGNED_HELPERS(S, T, W) \
    static inline T int_floor_div_##S(T a, T b) { \
        if (b == -1) return (T)(0 - (W)a); \
        T q = a / b; \
        return (a % b != 0 && ((a < 0) != (b < 0))) ? q - 1 : q; \
    } \
    static inline T int_remainder_##S(T a, T b) { \
        if (b == -1) return 0; \
        T m = a % b; \
        return m != 0 && ((b < 0) != (m < 0)) ? m + b : m; \
    }
INT_HELPERS(u8, uint8_t, uint8_t)
INT_HELPERS(i32, int32_t, uint32_t)
INT_HELPERS(i64, int64_t, uint64_t)
SIGNED_HELPERS(i32, int32_t, uint32_t)
SIGNED_HELPERS(i64, int64_t, uint64_t)

/* In and out may be the same memory, element by element: ivdep says that nothing else overlaps. */
#define UNARY_LOOP(NAME, T, TO, EXPR) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        TO *y = (TO *)ptr[0]; const T *x = (const T *)ptr[1]; (void)p; \
        if (s[0] == 1 && s[1] == 1) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i]; y[i] = EXPR; } \
        } else { \
            const int64_t sy = s[0], sx = s[1]; \
            for (int64_t i = 0; i < n; i++) { const T a = x[i * sx]; y[i * sy] = EXPR; } \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 2, NAME##_loop, p, THREADS); }

#define BINARY_LOOP(NAME, T, TO, EXPR) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        TO *z = (TO *)ptr[0]; const T *x = (const T *)ptr[1], *y = (const T *)ptr[2]; (void)p; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 1) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i]; z[i] = EXPR; } \
        } else if (s[0] == 1 && s[1] == 1 && s[2] == 0) { \
            const T b = *y; \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i]; z[i] = EXPR; } \
        } else if (s[0] == 1 && s[1] == 0 && s[2] == 1) { \
            const T a = *x; \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T b = y[i]; z[i] = EXPR; } \
        } else { \
            const int64_t sz = s[0], sx = s[1], sy = s[2]; \
            for (int64_t i = 0; i < n; i++) { const T a = x[i * sx], b = y[i * sy]; z[i * sz] = EXPR; } \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 3, NAME##_loop, p, THREADS); }

#define TERNARY_LOOP(NAME, T, TO, EXPR) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        TO *z = (TO *)ptr[0]; (void)p; \
        const T *x = (const T *)ptr[1], *y = (const T *)ptr[2], *w = (const T *)ptr[3]; \
        if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 1) { \
            _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { const T a = x[i], b = y[i], c = w[i]; z[i] = EXPR; } \
        } else { \
            for (int64_t i = 0; i < n; i++) { \
                const T a = x[i * s[1]], b = y[i * s[2]], c = w[i * s[3]]; z[i * s[0]] = EXPR; } \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 4, NAME##_loop, p, THREADS); }

/* sin and cos of arguments beyond the polynomials' reduction: one scalar pass more over such a block. */
#define TRIG_LOOP(NAME, T, LIMIT, VECTOR, EXACT) \
    static void NAME##_loop(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        (void)p; \
        for (int64_t at = 0; at < n; at += 512) { \
            const int64_t m = n - at < 512 ? n - at : 512, sy = s[0], sx = s[1]; \
            T *y = (T *)ptr[0] + at * sy; const T *x = (const T *)ptr[1] + at * sx; \
            T in[512]; int large = 0; \
            for (int64_t i = 0; i < m; i++) { in[i] = x[i * sx]; large |= !(in[i] <= LIMIT && in[i] >= -LIMIT); } \
            if (sy == 1) for (int64_t i = 0; i < m; i++) y[i] = VECTOR(in[i]); \
            else for (int64_t i = 0; i < m; i++) y[i * sy] = VECTOR(in[i]); \
            if (large) for (int64_t i = 0; i < m; i++) \
                if (!(in[i] <= LIMIT && in[i] >= -LIMIT)) y[i * sy] = EXACT(in[i]); \
        } \
    } \
    static int64_t NAME(View **t, const Param *p) { return elementwise(t, 2, NAME##_loop, p, THREADS); }
"""


def expand(expr: str, suffix: str) -> str:
    """Fill in the dtype's functions and types."""
    out = expr.replace("T_(", f"T_{suffix}(").replace("L_(", f"L_{suffix}(").replace("_S(", f"_{suffix}(")
    while "F2(" in out:
        head, _, tail = out.partition("F2(")
        name, _, tail = tail.partition(")")
        out = f"{head}{name}_{suffix}{tail}"
    out = out.replace("(T)", f"({CTYPE[suffix]})").replace("sizeof(T)", f"sizeof({CTYPE[suffix]})")
    return out.replace("(W)", f"({WRAP.get(suffix, CTYPE[suffix])})")


def kernels() -> list[tuple[str, str]]:
    """Return (kernel name, C text of its loop) for each row and dtype."""
    found = []
    for table, macro in ((UNARY, "UNARY_LOOP"), (BINARY, "BINARY_LOOP"), (TERNARY, "TERNARY_LOOP")):
        for name, rows in table.items():
            for dtypes, expr in rows.items():
                for s in dtypes:
                    kernel, ctype = f"{name}_{s}", CTYPE[s]
                    if name in ("sin", "cos"):
                        limit = f"LARGE_{s.upper()}"
                        text = f"TRIG_LOOP(k_{kernel}, {ctype}, {limit}, t_{kernel}, L_{s}({name}))"
                    else:
                        out = "uint8_t" if name in BOOL_RESULT else ctype
                        text = f"{macro}(k_{kernel}, {ctype}, {out}, {expand(expr, s)})"
                    found.append((kernel, text))
    return found


def write(folder: pathlib.Path) -> None:
    """Write pointwise.h and pointwise.pyx."""
    rows = kernels()
    header = ["/* Made by formulas.py: one loop for each pointwise kernel and dtype. */",
              '#include "formulas.h"', '#include "loops.h"', PRELUDE, *(text for _, text in rows)]
    (folder / "pointwise.h").write_text("\n".join(header) + "\n")
    names = [name for name, _ in rows]
    pyx = ["# cython: language_level=3", '"""Made by formulas.py: the table of pointwise kernels."""',
           "from libc.stdint cimport int64_t", "from taeda.kernels.cpu.abi cimport Param, View",
           "from taeda.kernels.cpu.runtime cimport num_threads", "",
           "cdef extern from *:", '    """', "    #define THREADS (*taeda_threads)", "    static int *taeda_threads;", '    """',
           "    int *taeda_threads", "", 'cdef extern from "pointwise.h" nogil:']
    pyx += [f"    int64_t k_{n}(View **t, const Param *p) noexcept" for n in names]
    pyx += ["", "taeda_threads = &num_threads", "", "", "def table():",
            '    """Return kernel name -> address."""', "    return {"]
    pyx += [f'        "{n}": <size_t>&k_{n},' for n in names]
    pyx += ["    }", ""]
    (folder / "pointwise.pyx").write_text("\n".join(pyx))


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))

"""The table of pointwise kernels: name -> C expression, shared by both devices.

``a``, ``b``, ``c`` are the operands, ``(T)PF(i)`` the i-th parameter (a double), ``(T)PI(i)`` the same as an
integer; ``T`` is the compute type, ``F(name)`` the function ``t_name`` or libm's ``name`` for it.
Expressions have no branches that a vectoriser cannot turn into blends.

``python formulas.py DIR`` writes into DIR ``pointwise.h`` (a loop for each name and dtype) and ``pointwise.pyx`` (the table of their
addresses), and the same of ``transcendental``: the formulas that cost more than their memory, which are also built for AVX-512.
The build calls it.
"""

from __future__ import annotations

import pathlib
import re
import sys

FLOAT = ("f32", "f64")
INT = ("u8", "i32", "i64")
BOOL = ("b8",)
REAL = FLOAT + INT
ALL = REAL + BOOL
COMPLEX = ("c64", "c128")
CTYPE = {"f32": "float", "f64": "double", "u8": "uint8_t", "i32": "int32_t", "i64": "int64_t", "b8": "uint8_t", "u64": "uint64_t",
         "u16": "uint16_t", "i8": "int8_t", "i16": "int16_t", "c64": "C64", "c128": "C128"}
# unsigned arithmetic wraps; signed overflow in C is undefined, in PyTorch it wraps too
WRAP = {"u8": "uint8_t", "i32": "uint32_t", "i64": "uint64_t", "u64": "uint64_t", "u16": "uint32_t", "i8": "uint8_t", "i16": "uint32_t"}
# narrow dtypes are computed in a wider one, block by block (narrow.h): wide suffix -> narrow ones with their codes
NARROW = {"f32": {"f16": "TAEDA_F16", "bf16": "TAEDA_BF16"}, "i32": {"i8": "TAEDA_I8", "i16": "TAEDA_I16", "u16": "TAEDA_U16"},
          "i64": {"u32": "TAEDA_U32"}}
# where the sign of a 64-bit integer matters, uint64 has loops of its own; elsewhere it has int64's
SIGN_MATTERS = {"floor_divide", "trunc_divide", "remainder", "fmod", "maximum", "minimum", "fmax", "fmin", "lt", "le", "gt", "ge",
                "sign", "relu", "signbit", "abs", "clamp", "clamp_between", "threshold", "pow", "bitwise_right_shift", "gcd", "lcm",
                "heaviside"}

# What does not look at an integer's sign is one kernel for both; a narrow integer then needs no wider one.
SIGN_FREE = {"add", "sub", "mul", "neg", "square", "eq", "ne", "logical_and", "logical_or", "logical_xor", "logical_not",
             "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "add_scaled", "addcmul"}
# Compared and chosen from, narrow integers need no wider one either
CHOICES = {"maximum", "minimum", "fmax", "fmin", "lt", "le", "gt", "ge", "relu", "abs", "sign", "clamp", "clamp_between"}
SHARED = {"u8": ("i8",), "i32": ("u32",), "u16": ("i16",)}
# float16 and bfloat16 keep their sign in the same bit
HALF_UNARY = {"neg": "(uint16_t)(a ^ 0x8000)", "abs": "(uint16_t)(a & 0x7fff)"}
HALF_BINARY = {"copysign": "(uint16_t)((a & 0x7fff) | (b & 0x8000))"}
# what depends on where the exponent begins; the number is what infinity is
HALF_BITS = {"nextafter": "half_nextafter(a, b, {})"}
INFINITY = {"f16": "0x7c00", "bf16": "0x7f80"}

# So little arithmetic that float16 and bfloat16 keep it in registers from load to store (narrow.h, HALF_*_LOOP)
LIGHT = {"sqrt", "rsqrt", "reciprocal", "floor", "ceil", "round", "trunc", "frac", "sign", "square", "relu", "deg2rad", "rad2deg",
         "leaky_relu", "clamp", "nan_to_num", "plus_zero", "threshold", "hardsigmoid", "hardswish", "hardshrink", "softshrink",
         "add", "sub", "mul", "div", "mse_loss_apart", "maximum", "minimum", "fmax", "fmin", "prelu", "add_scaled", "relu_backward",
         "sigmoid_backward", "tanh_backward", "leaky_relu_backward", "clamp_backward", "hardtanh_backward", "threshold_backward",
         "hardsigmoid_backward", "hardswish_backward", "shrink_backward", "addcmul", "addcdiv", "lerp", "clamp_between"}

# float16 and bfloat16 round what a short form gives, which has a loop of its own: NAME_short
SHORT = {"exp": "t_exp_f32(a)", "sin": "t_sin_f32(a)", "cos": "t_cos_f32(a)", "tanh": "t_tanh_f32(a)", "log2": "1.44269504f * t_log_f32(a)",
         "log10": "0.434294482f * t_log_f32(a)", "erf": "2.0f * t_normal_f32(a * 1.41421356f)"}
# forms that are right wherever the condition holds have a plainer one for blocks in which it holds throughout
USUAL = {"t_exp_fused(a)": "EXP_USUAL(a)", "t_exp_compensated(a)": "EXP_COMPENSATED_USUAL(a)",
         "t_sigmoid_compensated(a)": "EXP_COMPENSATED_USUAL(a)", "t_log_compensated(a)": "LOG_F64_USUAL(a)",
         "t_log2_f64(a)": "LOG_F64_USUAL(a)", "t_log10_f64(a)": "LOG_F64_USUAL(a)",
         "t_log_f32(a)": "LOG_USUAL(a)", "t_log2_fused(a)": "LOG_USUAL(a)", "t_log10_fused(a)": "LOG_USUAL(a)",
         "t_logit_fused(a)": "LOGIT_USUAL(a)", "t_erfc_fused(a)": "ERFC_USUAL(a)"}

BETWEEN = "a < (T)PF(0) ? (T)PF(0) : a > (T)PF(1) ? (T)PF(1) : a"

# name: {dtypes: expression}.  Operands are read as T; the result is stored as the output type.
UNARY: dict[str, dict[tuple[str, ...], str]] = {
    "exp": {("f32",): "t_exp_fused(a)", ("f64",): "t_exp_compensated(a)"},
    "exp2": {FLOAT: "T_(exp2)(a)"},
    "expm1": {("f32",): "t_expm1_f32(a)", ("f64",): "t_expm1_compensated(a)"},
    "log": {("f32",): "t_log_f32(a)", ("f64",): "t_log_compensated(a)"},
    "log1p": {("f32",): "t_log1p_f32(a)", ("f64",): "t_log1p_compensated(a)"},
    "log2": {("f32",): "t_log2_fused(a)", ("f64",): "t_log2_f64(a)"},
    "log10": {("f32",): "t_log10_fused(a)", ("f64",): "t_log10_f64(a)"},
    "sqrt": {FLOAT: "L_(sqrt)(a)"},
    "rsqrt": {FLOAT: "(T)1 / L_(sqrt)(a)"},
    "reciprocal": {FLOAT: "(T)1 / a"},
    "sin": {("f32",): "t_sin_fused(a)", ("f64",): "t_sin_f64(a)"},
    "cos": {("f32",): "t_cos_fused(a)", ("f64",): "t_cos_f64(a)"},
    "tan": {("f32",): "t_tan_fused(a)", ("f64",): "t_tan_f64(a)"},
    "sinh": {FLOAT: "T_(sinh)(a)"},
    "cosh": {FLOAT: "T_(cosh)(a)"},
    "tanh": {("f32",): "t_tanh_once(a)", ("f64",): "t_tanh_compensated(a)"},
    "asin": {("f32",): "t_asin_fused(a)", ("f64",): "t_asin_f64(a)"},
    "acos": {("f32",): "t_acos_fused(a)", ("f64",): "t_acos_f64(a)"},
    "atan": {FLOAT: "T_(atan)(a)"},
    "asinh": {FLOAT: "T_(asinh)(a)"},
    "acosh": {FLOAT: "T_(acosh)(a)"},
    "atanh": {FLOAT: "T_(atanh)(a)"},
    "sigmoid": {("f32",): "t_sigmoid_f32(a)", ("f64",): "t_sigmoid_compensated(a)"},
    "erf": {("f32",): "t_erf_fused(a)", ("f64",): "t_erf_f64(a)"},
    "erfc": {("f32",): "t_erfc_fused(a)", ("f64",): "t_erfc_f64(a)"},
    "logit": {("f32",): "t_logit_fused(a)", ("f64",): "t_logit_f64(a)"},
    "logit_clamped": {("f32",): f"t_logit_fused({BETWEEN})", ("f64",): f"t_logit_f64({BETWEEN})"},
    "erfinv": {("f32",): "t_erfinv_f32(a)"},                  # float64's: special.pyx.in
    "ndtr": {("f32",): "t_ndtr_fused(a)"},
    "entr": {("f32",): "a > 0 ? -a * t_log_f32(a) : a == 0 ? 0 : a < 0 ? -INFINITY : a"},
    "floor": {FLOAT: "L_(floor)(a)", INT: "a"},
    "ceil": {FLOAT: "L_(ceil)(a)", INT: "a"},
    "round": {FLOAT: "L_(rint)(a)", INT: "a"},
    "trunc": {FLOAT: "L_(trunc)(a)", INT: "a"},
    "frac": {FLOAT: "a - L_(trunc)(a)"},
    "abs": {FLOAT: "L_(fabs)(a)", ("i32", "i64"): "a < 0 ? (T)(0 - (W)a) : a", ("u8", "b8"): "a"},
    "neg": {FLOAT: "-a", INT: "(T)(0 - (W)a)"},
    "plus_zero": {FLOAT: "a + 0"},
    "sign": {FLOAT: "__builtin_islessgreater(a, (T)0) ? L_(copysign)((T)1, a) : (T)0",
             INT: "(a > 0 ? (T)1 : (T)0) - (a < 0 ? (T)1 : (T)0)", BOOL: "a"},
    "square": {FLOAT: "a * a", INT: "(T)((W)a * (W)a)"},
    "angle": {FLOAT: "a != a ? a : a < 0 ? (T)3.14159265358979323846 : (T)0"},
    "relu": {FLOAT: "a < 0 ? (T)0 : a", INT: "a < 0 ? (T)0 : a"},
    "bitwise_not": {INT: "(T)~a", BOOL: "!a"},
    "logical_not": {ALL: "!a"},
    "deg2rad": {FLOAT: "a * (T)0.017453292519943295769"},
    "rad2deg": {FLOAT: "a * (T)57.295779513082320877"},
    # a = mantissa * 2^exponent with 1/2 <= |mantissa| < 1
    "frexp_mantissa": {FLOAT: "T_(frexp_mantissa)(a)"},
    "frexp_exponent": {FLOAT: "T_(frexp_exponent)(a)"},
    "isposinf": {FLOAT: "a == (T)INFINITY"},
    "isneginf": {FLOAT: "a == -(T)INFINITY"},
    "isnan": {FLOAT: "a != a"},
    "isinf": {FLOAT: "L_(fabs)(a) == (T)INFINITY"},
    "isfinite": {FLOAT: "L_(fabs)(a) < (T)INFINITY"},
    "signbit": {FLOAT: "(uint8_t)(L_(copysign)((T)1, a) < 0)", INT: "a < 0"},
    # 0.5 x (1 + erf(x / sqrt 2)); 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    "gelu": {("f32",): "a * (0.5f + t_normal_f32(a))", ("f64",): "0.5 * a * (1.0 + t_erf_f64(a * 0.70710678118654752440))"},
    "gelu_tanh": {FLOAT: "(T)0.5 * a * ((T)1 + T_(tanh)((T)0.79788456080286535588 * (a + (T)0.044715 * a * a * a)))"},
    "silu": {FLOAT: "a * T_(sigmoid)(a)"},
    # log(1 + e^(beta x)) / beta, and x itself where beta x is above the threshold
    "softplus": {FLOAT: "a * (T)PF(0) > (T)PF(1) ? a : F2(softplus)(a * (T)PF(0)) / (T)PF(0)"},
    "log_sigmoid": {FLOAT: "-F2(softplus)(-a)"},
    "leaky_relu": {FLOAT: "a > 0 ? a : a * (T)PF(0)"},
    # scale * (x > 0 ? x : alpha (e^(x input_scale) - 1)): elu, selu, celu
    "elu": {FLOAT: "a > 0 ? a * (T)PF(1) : (T)PF(0) * (T)PF(1) * T_(expm1_low)((a > 0 ? 0 : a) * (T)PF(2))"},
    # min(max(x, low), high); NaN stays
    "clamp": {FLOAT: "CLIP(a, (T)PF(0), (T)PF(1))", INT: "CLIP(a, (T)PI(0), (T)PI(1))"},
    # by its bits: comparisons of numbers were made three times as many by the compiler
    "nan_to_num": {FLOAT: "F2(nan_to_num)(a, (T)PF(0), (T)PF(1), (T)PF(2))"},
    "threshold": {FLOAT: "a <= (T)PF(0) ? (T)PF(1) : a", INT: "a <= (T)PI(0) ? (T)PI(1) : a"},
    "hardsigmoid": {FLOAT: "CLIP(a + 3, K0, K6) / 6"},
    "hardswish": {FLOAT: "a * CLIP(a + 3, K0, K6) / 6"},
    "hardshrink": {FLOAT: "L_(fabs)(a) <= (T)PF(0) ? (T)0 : a"},
    # a less the part of it from -lambd to lambd; zeros keep a's sign
    "softshrink": {FLOAT: "L_(copysign)(a - CLIP(a, -(T)PF(0), (T)PF(0)), a)"},
}
BOOL_RESULT = {"logical_not", "isnan", "isinf", "isfinite", "signbit", "isposinf", "isneginf",
               "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"}

BINARY: dict[str, dict[tuple[str, ...], str]] = {
    "add": {FLOAT: "a + b", INT: "(T)((W)a + (W)b)", BOOL: "a | b"},
    "sub": {FLOAT: "a - b", INT: "(T)((W)a - (W)b)"},
    "mul": {FLOAT: "a * b", INT: "(T)((W)a * (W)b)", BOOL: "a & b"},
    "div": {FLOAT: "a / b"},
    # rounding towards minus infinity; the caller has refused integer division by zero
    "floor_divide": {FLOAT: "F2(floor_div)(a, b, L_(fmod)(a, b))", ("i32", "i64"): "t_floor_S(a, b)", ("u8",): "a / b"},
    "trunc_divide": {FLOAT: "L_(trunc)(a / b)", ("i32", "i64"): "t_trunc_S(a, b)", ("u8",): "a / b"},
    "remainder": {FLOAT: "F2(remainder)(a, b, L_(fmod)(a, b))", ("i32", "i64"): "t_floor_rest_S(a, b)", ("u8",): "a % b"},
    "fmod": {FLOAT: "L_(fmod)(a, b)", ("i32", "i64"): "t_trunc_rest_S(a, b)", ("u8",): "a % b"},
    "pow": {FLOAT: "T_(pow)(a, b)", INT: "int_pow_S(a, b)"},
    "maximum": {FLOAT: "(a != a || a > b) ? a : b", INT + BOOL: "a > b ? a : b"},
    "minimum": {FLOAT: "(a != a || a < b) ? a : b", INT + BOOL: "a < b ? a : b"},
    "fmax": {FLOAT: "b != b || a > b ? a : b", INT + BOOL: "a > b ? a : b"},
    "fmin": {FLOAT: "b != b || a < b ? a : b", INT + BOOL: "a < b ? a : b"},
    "atan2": {FLOAT: "T_(atan2)(a, b)"},
    "hypot": {FLOAT: "T_(hypot)(a, b)"},
    "copysign": {FLOAT: "L_(copysign)(a, b)"},
    "xlogy": {FLOAT: "b != b ? b : (a == 0 ? (T)0 : a * T_(log)(b))"},
    "logaddexp": {FLOAT: "F2(logaddexp)(a, b)"},
    "logaddexp2": {FLOAT: "F2(logaddexp2)(a, b)"},
    "nextafter": {FLOAT: "T_(nextafter)(a, b)"},
    # the caller has limited b to what an int holds
    "ldexp": {FLOAT: "T_(ldexp)(a, b)"},
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
    "bitwise_left_shift": {("u8",): "t_left_S(a, b)", ("i8",): "(int8_t)t_left_u8((uint8_t)a, (uint8_t)b)", ("i16",): "t_left_run",
                           ("i32", "i64"): "(b < 0 || b >= (T)(8 * sizeof(T))) ? (T)0 : (T)((W)a << b)"},
    "bitwise_right_shift": {("u8", "i8"): "t_right_S(a, b)", ("i16",): "t_right_run",
                            ("i32", "i64"): "a >> ((b < 0 || b >= (T)(8 * sizeof(T))) ? (T)(8 * sizeof(T) - 1) : b)"},
    "mse_loss_apart": {FLOAT: "(a - b) * (a - b)"},
    "prelu": {FLOAT: "a > 0 ? a : a * b"},
    "glu_apart": {FLOAT: "a * T_(sigmoid)(b)"},
    "add_scaled": {FLOAT: "a + (T)PF(0) * b", INT: "(T)((W)a + (W)PI(0) * (W)b)"},
    # backward passes of unary ops: a = cotangent, b = what the op saved (x or y)
    "relu_backward": {FLOAT: "b <= 0 ? (T)0 : a"},
    "sigmoid_backward": {FLOAT: "a * ((T)1 - b) * b"},
    "tanh_backward": {FLOAT: "a * ((T)1 - b * b)"},
    "gelu_backward": {
        ("f32",): "a * (0.5f + t_normal_f32(b) + b * 0.398942280f * t_exp_f32(-0.5f * b * b))",
        ("f64",): "a * FMA_F64(b * 0.39894228040143267794, t_exp_f64(-0.5 * b * b), 0.5 * (1.0 + t_erf_f64(b * 0.70710678118654752440)))"},
    "gelu_tanh_backward": {FLOAT: "F2(gelu_tanh_backward)(a, b)"},
    "leaky_relu_backward": {FLOAT: "b > 0 ? a : a * (T)PF(0)"},
    "silu_backward": {FLOAT: "F2(silu_backward)(a, b)"},
    "clamp_backward": {FLOAT: "(b >= (T)PF(0) && b <= (T)PF(1)) ? a : (T)0"},
    "hardtanh_backward": {FLOAT: "b > (T)PF(0) && b < (T)PF(1) ? a : (T)0"},
    "threshold_backward": {FLOAT: "b <= (T)PF(0) ? (T)0 : a"},
    "elu_backward": {FLOAT: "a * (b > 0 ? (T)PF(1) : (T)PF(0) * (T)PF(1) * (T)PF(2) * T_(exp)(b * (T)PF(2)))"},
    "softplus_backward": {FLOAT: "b * (T)PF(0) > (T)PF(1) ? a : a * T_(sigmoid)(b * (T)PF(0))"},
    "log_sigmoid_backward": {FLOAT: "a * T_(sigmoid)(-b)"},
    "hardsigmoid_backward": {FLOAT: "b > -3 && b < 3 ? a / 6 : (T)0"},
    "hardswish_backward": {FLOAT: "b <= -3 ? (T)0 : (b >= 3 ? a : a * (b / 3 + (T)0.5))"},
    "shrink_backward": {FLOAT: "b >= -(T)PF(0) && b <= (T)PF(0) ? (T)0 : a"},
}

TERNARY: dict[str, dict[tuple[str, ...], str]] = {
    "addcmul": {FLOAT: "a + (T)PF(0) * b * c", INT: "(T)((W)a + (W)PI(0) * (W)b * (W)c)"},
    "addcdiv": {FLOAT: "a + (T)PF(0) * (b / c)"},
    # from the nearer end, so that weight 0 and 1 give the ends exactly
    "lerp": {FLOAT: "c * c < (T)0.25 ? a + c * (b - a) : b - (b - a) * ((T)1 - c)"},
    # min(max(a, b), c), where any nan stays
    "clamp_between": {FLOAT: "F2(between)(a, b, c)", INT: "CLIP(a, b, c)"},
}

# Complex rows; z_* and M_(*) are complex_numbers.h's, c* the C library's.
COMPLEX_UNARY: dict[str, str] = {
    "exp": "cexp(a)", "exp2": "z_exp2(a)", "expm1": "z_expm1(a)", "log": "clog(a)", "log1p": "z_log1p(a)", "log2": "z_log2(a)",
    "log10": "z_log10(a)", "sqrt": "csqrt(a)", "rsqrt": "z_rsqrt(a)", "reciprocal": "M_(reciprocal)(a)", "sin": "csin(a)",
    "cos": "ccos(a)", "tan": "ctan(a)", "sinh": "csinh(a)", "cosh": "ccosh(a)", "tanh": "ctanh(a)", "asin": "casin(a)",
    "acos": "cacos(a)", "atan": "catan(a)", "asinh": "casinh(a)", "acosh": "cacosh(a)", "atanh": "catanh(a)",
    "sigmoid": "z_sigmoid(a)", "silu": "z_mul(a, z_sigmoid(a))", "neg": "-a", "square": "M_(mul)(a, a)",
    "complex_conj": "M_()(RE(a), -IM(a))", "complex_sgn": "M_(sgn)(a)", "complex_abs": "M_(abs)(a)", "complex_angle": "M_(angle)(a)",
    "logical_not": "RE(a) == 0 && IM(a) == 0", "isnan": "z_isnan(a)", "isinf": "z_isinf(a)", "isfinite": "z_isfinite(a)",
}
COMPLEX_BINARY: dict[str, str] = {
    "add": "a + b", "sub": "a - b", "mul": "M_(mul)(a, b)", "div": "M_(div)(a, b)", "pow": "z_pow(a, b)",
    "eq": "a == b", "ne": "a != b",
    "logical_and": "(a != 0) & (b != 0)", "logical_or": "(a != 0) | (b != 0)", "logical_xor": "(a != 0) ^ (b != 0)",
    "sigmoid_backward": "M_(mul)(a, M_(mul)((T)1 - b, b))", "tanh_backward": "M_(mul)(a, (T)1 - M_(mul)(b, b))",
}
WITH_NUMBER = {"add", "sub", "mul", "div", "lerp"}      # beside float16 and bfloat16 a Python number stays float32
REAL_RESULT = {"complex_abs", "complex_angle"}
OPERANDS = {"UNARY_LOOP": 2, "BINARY_LOOP": 3, "TERNARY_LOOP": 4}       # with the result


def expand(expr: str, suffix: str) -> str:
    """Fill in the dtype's functions and types; ``(T)PF(k)`` becomes a constant that the loop has read before."""
    out = re.sub(r"P([FI])\((\d)\)", r"P\1\2", expr.replace("(T)PF", "PF").replace("(T)PI", "PI"))
    out = out.replace("T_(", f"T_{suffix}(").replace("L_(", f"L_{suffix}(").replace("_S(", f"_{suffix}(")
    while "F2(" in out:
        head, _, tail = out.partition("F2(")
        name, _, tail = tail.partition(")")
        out = f"{head}{name}_{suffix}{tail}"
    out = out.replace("(T)", f"({CTYPE[suffix]})").replace("sizeof(T)", f"sizeof({CTYPE[suffix]})")
    return out.replace("(W)", f"({WRAP.get(suffix, CTYPE[suffix])})")


def is_long(expr: str) -> bool:
    """Whether a formula of floats costs more than a copy of its operands."""
    return any(call in expr for call in ("T_(", "F2(", "L_(fmod)")) or re.search(r"\bt_", expr) is not None


def constants(expr: str, suffix: str) -> str:
    """Return the declarations of the parameters that an expression uses."""
    used = sorted(set(re.findall(r"P([FI])\((\d)\)", expr)))
    found = [f"const {CTYPE[suffix]} P{kind}{k} = ({CTYPE[suffix]})p[{k}].{kind.lower()}" for kind, k in used]
    return "; ".join([*found, f"SOME_NUMBERS({CTYPE[suffix]})"] if "K6" in expr else found)


def complex_text(macro: str, name: str, suffix: str, expr: str) -> str:
    """Return the loop of a complex row."""
    real = {"c64": "float", "c128": "double"}[suffix]
    out = "uint8_t" if name in BOOL_RESULT else real if name in REAL_RESULT else CTYPE[suffix]
    letter = {"c64": "c_", "c128": "z_"}[suffix]
    if name in ("mul", "square"):
        return f"PRODUCT_LOOP(k_{name}_{suffix}, {CTYPE[suffix]}, {letter}mul_run, {3 if name == 'mul' else 2})"
    for inner in ("mul", "div", "abs", "angle", "sgn", "reciprocal", ""):
        expr = expr.replace(f"M_({inner})", letter + inner)
    return f"{macro}(k_{name}_{suffix}, {CTYPE[suffix]}, {out}, {expr.replace('(T)', f'({CTYPE[suffix]})')}, )"


def loop_of(macro: str, kernel: str, name: str, s: str, expr: str) -> str:
    """Return the loop of a row for one dtype of arithmetic: ``macro`` for most."""
    ctype = CTYPE[s]
    if name in ("sin", "cos", "tan"):
        return f"RARE_LOOP({kernel}, {ctype}, L_{s}(fabs), LARGE_{s.upper()}, , {expand(expr, s)}, L_{s}({name}))"
    if expr in USUAL:
        return f"SPARED_LOOP({kernel}, {ctype}, {USUAL[expr]}, {expr}, {expr.replace('(a)', '_usual(a)')}, )"
    if name == "erfinv" and s == "f32":
        steps = "FIRST_STEP(float, t_erfinv_first), t_erfinv_second(a, w[i])"
        return f"RARE_LOOP({kernel}, {ctype}, fabsf, ERFINV_MIDDLE, {steps}, t_erfinv_f32)"
    if name == "pow" and s in FLOAT:
        return f"POWER_LOOP({kernel}, {ctype}, L_{s}, {expand(expr, s)})"
    if s in FLOAT and "L_(fmod)(a, b)" in expr:
        vector, exact = expand(expr.replace("L_(fmod)", "T_(fmod)"), s), expand(expr.replace("L_(fmod)", f"exact_fmod_{s}"), s)
        return f"CHECKED_LOOP({kernel}, {ctype}, T_FMOD_LARGE_{s.upper()}, {vector}, {exact})"
    if s == "i64" and expr.startswith(("t_floor", "t_trunc")):
        exact = expand(expr.replace("t_", "int_", 1), s)
        return f"CHECKED_LOOP({kernel}, {ctype}, INT64_LARGE, {expand(expr, s)}, {exact})"
    if s == "i16" and name.endswith("_shift"):
        return f"RUN_LOOP({kernel}, {ctype}, t_{name[8:-6]}_run)"
    if s == "u8" and name == "pow":
        return f"RUN_LOOP({kernel}, {ctype}, t_pow_run)"
    if name == "elu":
        return f"SPARED_LOOP({kernel}, {ctype}, a > 0, {expand(expr, s)}, {expand('a * (T)PF(1)', s)}, {constants(expr, s)})"
    if name == "nan_to_num":
        return f"SPARED_LOOP({kernel}, {ctype}, L_{s}(fabs)(a) < ({ctype})INFINITY, {expand(expr, s)}, a, {constants(expr, s)})"
    out = "uint8_t" if name in BOOL_RESULT else ctype
    heavy = "_HEAVY" if macro != "TERNARY_LOOP" and s in FLOAT and is_long(expr) else ""
    return f"{macro}{heavy}({kernel}, {ctype}, {out}, {expand(expr, s)}, {constants(expr, s)})"


def has_own_narrow(name: str, s: str, narrow: str, own: set[str]) -> bool:
    """Whether a narrow dtype needs no loop by way of the wide one ``s``: it has its own, or another's."""
    if s in INT:
        return name in SIGN_FREE or (name in CHOICES and narrow != "u32") or narrow in own
    return name in HALF_UNARY or name in HALF_BINARY or name in HALF_BITS


def narrow_loop(macro: str, wide: str, name: str, s: str, narrow: str, expr: str) -> str:
    """Return the loop of a narrow dtype that ``wide`` computes, a loop of ``s``: in registers if the formula is light, else by blocks."""
    kernel, code = f"k_{name}_{narrow}", NARROW[s][narrow]
    tiles = f"({kernel}, {wide}, {narrow}, {code}, {expand(expr, s)}, {constants(expr, s)})"
    if s == "f32" and name in LIGHT:
        return f"HALF_{macro}{'_NUMBER' if name in WITH_NUMBER else ''}{tiles}"
    if s == "f32" and name == "pow":
        return f"HALF_POWER_LOOP({kernel}, {wide}, {narrow}, {code})"
    blocks = f"NARROW_LOOP({kernel}, {wide}, {OPERANDS[macro]}, {code}, {int(name in BOOL_RESULT)})"
    heavy = loop_of(macro, wide, name, s, expr).startswith(("UNARY_LOOP_HEAVY(", "BINARY_LOOP_HEAVY("))
    if s == "f32" and is_long(expr) and (heavy or expr in USUAL):
        return f"#ifdef __AVX512BW__\nHALF_{macro}{tiles}\n#else\n{blocks}\n#endif"
    return blocks


def with_kin(name: str, dtypes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dtypes of a row's formula and those that share it, each with a loop of its own."""
    if name in SIGN_MATTERS and "u8" in dtypes:
        dtypes = (*dtypes, "u64")
    if name in SIGN_FREE and "u8" in dtypes:
        dtypes = (*dtypes, "u16")
    if name in CHOICES and "i32" in dtypes:
        dtypes = (*dtypes, "i8", "i16", "u16")
    return dtypes


def kernels() -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return (kernel name, C text of its loop) for each row and dtype, and the kernels that are another's by a second name."""
    found: list[tuple[str, str]] = []
    same: dict[str, str] = {}
    for table, macro in ((UNARY, "UNARY_LOOP"), (BINARY, "BINARY_LOOP"), (TERNARY, "TERNARY_LOOP")):
        for name, rows in table.items():
            own = {s for dtypes in rows for s in dtypes}
            for s, expr in [(s, expr) for dtypes, expr in rows.items() for s in with_kin(name, dtypes)]:
                kernel = wide = f"{name}_{s}"
                found.append((kernel, loop_of(macro, f"k_{kernel}", name, s, expr)))
                if name in SHORT and s == "f32":
                    wide, expr = f"{name}_short", SHORT[name]
                    found.append((wide, loop_of(macro, f"k_{wide}", name, s, expr)))
                found += [(f"{name}_{narrow}", narrow_loop(macro, f"k_{wide}", name, s, narrow, expr)) for narrow in NARROW.get(s, {})
                          if not has_own_narrow(name, s, narrow, own)]
                if name in SIGN_FREE:
                    same |= {f"{name}_{other}": kernel for other in SHARED.get(s, ())}
                if s == "i64" and name not in SIGN_MATTERS:
                    same[f"{name}_u64"] = kernel
    for halves, macro in ((HALF_UNARY, "UNARY_LOOP"), (HALF_BINARY, "BINARY_LOOP")):
        for name, expr in halves.items():
            found.append((f"{name}_half", f"{macro}(k_{name}_half, uint16_t, uint16_t, {expr}, )"))
            same |= {f"{name}_f16": f"{name}_half", f"{name}_bf16": f"{name}_half"}
    for name, expr in HALF_BITS.items():
        for s, infinity in INFINITY.items():
            found.append((f"{name}_{s}", f"BINARY_LOOP_HEAVY(k_{name}_{s}, uint16_t, uint16_t, {expr.format(infinity)}, )"))
    for formulas, macro in ((COMPLEX_UNARY, "UNARY_LOOP"), (COMPLEX_BINARY, "BINARY_LOOP")):
        for name, expr in formulas.items():
            heavy = "_HEAVY" if macro == "BINARY_LOOP" and name not in WITH_NUMBER else ""
            found += [(f"{name}_{s}", complex_text(macro + heavy, name, s, expr)) for s in COMPLEX]
    return found, same


def write(folder: pathlib.Path) -> None:
    """Write the headers and modules of both kinds."""
    rows, same = kernels()
    long = {f"{name}_{s}" for table in (UNARY, BINARY, TERNARY) for name, kinds in table.items() for dtypes, expr in kinds.items()
            for wide in FLOAT if wide in dtypes and is_long(expr) and name not in LIGHT for s in (wide, *NARROW.get(wide, ()))}
    long |= {f"{name}_short" for name in SHORT}
    write_module(folder, "transcendental", [row for row in rows if row[0] in long], {})
    write_module(folder, "pointwise", [row for row in rows if row[0] not in long], same)


def write_module(folder: pathlib.Path, module: str, rows: list[tuple[str, str]], same: dict[str, str]) -> None:
    """Write a header of loops, and the module that tells their addresses."""
    header = ["/* Made by formulas.py: one loop for each kernel and dtype. */", '#include "pointwise_loops.h"', *(text for _, text in rows)]
    (folder / f"{module}.h").write_text("\n".join(header) + "\n")
    names = [name for name, _ in rows]
    pyx = ["# cython: language_level=3", f'"""Made by formulas.py: the table of {module} kernels."""',
           "from libc.stdint cimport int64_t", "from taeda.kernels.cpu.abi cimport Param, View",
           "from taeda.kernels.cpu.runtime cimport num_threads", "",
           "cdef extern from *:", '    """', "    #define THREADS (*taeda_threads)", "    static int *taeda_threads;", '    """',
           "    int *taeda_threads", "", f'cdef extern from "{module}.h" nogil:']
    pyx += [f"    int64_t k_{n}(View **t, const Param *p) noexcept" for n in names]
    pyx += ["", "taeda_threads = &num_threads", "", "", "def table():",
            '    """Return kernel name -> address."""', "    return {"]
    pyx += [f'        "{n}": <size_t>&k_{n},' for n in names]
    pyx += [f'        "{n}": <size_t>&k_{kernel},' for n, kernel in same.items()]
    pyx += ["    }", ""]
    (folder / f"{module}.pyx").write_text("\n".join(pyx))


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))

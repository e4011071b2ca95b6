# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Pointwise functions of one tensor: each op is its formula, its derivative and its kernel's name."""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (COMPARE, FLOAT, IN0, NOTHING, OUT, SAME, Op, as_tensor, define, empty_as, to_dtype, unary, unary_,
                             integer, unary_params, unary_params_, write_out)
from taeda.dtype cimport is_complex_, is_integral
from taeda.kernels.cpu.abi cimport BOOL, I64, Param
from taeda.tensor_base cimport TensorBase

from taeda.ops._help import describe

cdef double LN2 = 0.69314718055994530942
cdef double LN10 = 2.30258509299404568402
cdef double TWO_OVER_SQRT_PI = 1.12837916709551257390


# exp: y = e^x, dy = y dx
cdef object exp_vjp(Node n, object g):
    return g * n.load(0)

cdef Op EXP = define("exp", exp_vjp, OUT, FLOAT)

def exp(input, *, out=None):
    """Return e raised to each element."""
    return unary(EXP, input, out)

def exp_(input):
    """In-place :func:`exp`."""
    return unary_(EXP, input)


# exp2: y = 2^x, dy = y ln 2 dx
cdef object exp2_vjp(Node n, object g):
    return g * n.load(0) * LN2

cdef Op EXP2 = define("exp2", exp2_vjp, OUT, FLOAT)

def exp2(input, *, out=None):
    """Return 2 raised to each element."""
    return unary(EXP2, input, out)

def exp2_(input):
    """In-place :func:`exp2`."""
    return unary_(EXP2, input)


# expm1: y = e^x - 1, dy = (y + 1) dx
cdef object expm1_vjp(Node n, object g):
    return g * (n.load(0) + 1)

cdef Op EXPM1 = define("expm1", expm1_vjp, OUT, FLOAT)

def expm1(input, *, out=None):
    """Return e^x - 1, exact to the last places for small x."""
    return unary(EXPM1, input, out)

def expm1_(input):
    """In-place :func:`expm1`."""
    return unary_(EXPM1, input)


# log: y = ln x, dy = dx / x
cdef object log_vjp(Node n, object g):
    return g / n.load(0)

cdef Op LOG = define("log", log_vjp, IN0, FLOAT)

def log(input, *, out=None):
    """Return the natural logarithm; nan below zero, -inf at zero."""
    return unary(LOG, input, out)

def log_(input):
    """In-place :func:`log`."""
    return unary_(LOG, input)


# log1p: y = ln(1 + x), dy = dx / (1 + x)
cdef object log1p_vjp(Node n, object g):
    return g / (n.load(0) + 1)

cdef Op LOG1P = define("log1p", log1p_vjp, IN0, FLOAT, None, "Log1PBackward0")

def log1p(input, *, out=None):
    """Return ln(1 + x), exact to the last places for small x."""
    return unary(LOG1P, input, out)

def log1p_(input):
    """In-place :func:`log1p`."""
    return unary_(LOG1P, input)


# log2: y = log2 x, dy = dx / (x ln 2)
cdef object log2_vjp(Node n, object g):
    return g / (n.load(0) * LN2)

cdef Op LOG2 = define("log2", log2_vjp, IN0, FLOAT)

def log2(input, *, out=None):
    """Return the logarithm to base 2."""
    return unary(LOG2, input, out)

def log2_(input):
    """In-place :func:`log2`."""
    return unary_(LOG2, input)


# log10: y = log10 x, dy = dx / (x ln 10)
cdef object log10_vjp(Node n, object g):
    return g / (n.load(0) * LN10)

cdef Op LOG10 = define("log10", log10_vjp, IN0, FLOAT)

def log10(input, *, out=None):
    """Return the logarithm to base 10."""
    return unary(LOG10, input, out)

def log10_(input):
    """In-place :func:`log10`."""
    return unary_(LOG10, input)


# sqrt: y = x^(1/2), dy = dx / (2 y)
cdef object sqrt_vjp(Node n, object g):
    return g / (2 * n.load(0))

cdef Op SQRT = define("sqrt", sqrt_vjp, OUT, FLOAT)

def sqrt(input, *, out=None):
    """Return the square root; nan below zero."""
    return unary(SQRT, input, out)

def sqrt_(input):
    """In-place :func:`sqrt`."""
    return unary_(SQRT, input)


# rsqrt: y = x^(-1/2), dy = -y^3 dx / 2
cdef object rsqrt_vjp(Node n, object g):
    y = n.load(0)
    return g * (y * y * y) * -0.5

cdef Op RSQRT = define("rsqrt", rsqrt_vjp, OUT, FLOAT)

def rsqrt(input, *, out=None):
    """Return the reciprocal of the square root."""
    return unary(RSQRT, input, out)

def rsqrt_(input):
    """In-place :func:`rsqrt`."""
    return unary_(RSQRT, input)


# reciprocal: y = 1 / x, dy = -y^2 dx
cdef object reciprocal_vjp(Node n, object g):
    y = n.load(0)
    return -g * (y * y)

cdef Op RECIPROCAL = define("reciprocal", reciprocal_vjp, OUT, FLOAT)

def reciprocal(input, *, out=None):
    """Return 1 / x."""
    return unary(RECIPROCAL, input, out)

def reciprocal_(input):
    """In-place :func:`reciprocal`."""
    return unary_(RECIPROCAL, input)


# sin: dy = cos x dx
cdef object sin_vjp(Node n, object g):
    return g * n.load(0).cos()

cdef Op SIN = define("sin", sin_vjp, IN0, FLOAT)

def sin(input, *, out=None):
    """Return the sine of x radians."""
    return unary(SIN, input, out)

def sin_(input):
    """In-place :func:`sin`."""
    return unary_(SIN, input)


# cos: dy = -sin x dx
cdef object cos_vjp(Node n, object g):
    return g * -n.load(0).sin()

cdef Op COS = define("cos", cos_vjp, IN0, FLOAT)

def cos(input, *, out=None):
    """Return the cosine of x radians."""
    return unary(COS, input, out)

def cos_(input):
    """In-place :func:`cos`."""
    return unary_(COS, input)


# tan: dy = (1 + y^2) dx
cdef object tan_vjp(Node n, object g):
    return g * (1 + n.load(0).square())

cdef Op TAN = define("tan", tan_vjp, OUT, FLOAT)

def tan(input, *, out=None):
    """Return the tangent of x radians."""
    return unary(TAN, input, out)

def tan_(input):
    """In-place :func:`tan`."""
    return unary_(TAN, input)


# sinh: dy = cosh x dx
cdef object sinh_vjp(Node n, object g):
    return g * n.load(0).cosh()

cdef Op SINH = define("sinh", sinh_vjp, IN0, FLOAT)

def sinh(input, *, out=None):
    """Return the hyperbolic sine."""
    return unary(SINH, input, out)

def sinh_(input):
    """In-place :func:`sinh`."""
    return unary_(SINH, input)


# cosh: dy = sinh x dx
cdef object cosh_vjp(Node n, object g):
    return g * n.load(0).sinh()

cdef Op COSH = define("cosh", cosh_vjp, IN0, FLOAT)

def cosh(input, *, out=None):
    """Return the hyperbolic cosine."""
    return unary(COSH, input, out)

def cosh_(input):
    """In-place :func:`cosh`."""
    return unary_(COSH, input)


# asin: dy = dx / sqrt(1 - x^2)
cdef object asin_vjp(Node n, object g):
    return g * (1 - n.load(0).square()).rsqrt()

cdef Op ASIN = define("asin", asin_vjp, IN0, FLOAT)

def asin(input, *, out=None):
    """Return the inverse sine in radians; nan outside [-1, 1]."""
    return unary(ASIN, input, out)

def asin_(input):
    """In-place :func:`asin`."""
    return unary_(ASIN, input)


# acos: dy = -dx / sqrt(1 - x^2)
cdef object acos_vjp(Node n, object g):
    return g * -(1 - n.load(0).square()).rsqrt()

cdef Op ACOS = define("acos", acos_vjp, IN0, FLOAT)

def acos(input, *, out=None):
    """Return the inverse cosine in radians; nan outside [-1, 1]."""
    return unary(ACOS, input, out)

def acos_(input):
    """In-place :func:`acos`."""
    return unary_(ACOS, input)


# atan: dy = dx / (1 + x^2)
cdef object atan_vjp(Node n, object g):
    return g / (n.load(0).square() + 1)

cdef Op ATAN = define("atan", atan_vjp, IN0, FLOAT)

def atan(input, *, out=None):
    """Return the inverse tangent in radians."""
    return unary(ATAN, input, out)

def atan_(input):
    """In-place :func:`atan`."""
    return unary_(ATAN, input)


# asinh: dy = dx / sqrt(x^2 + 1)
cdef object asinh_vjp(Node n, object g):
    return g * (n.load(0).square() + 1).rsqrt()

cdef Op ASINH = define("asinh", asinh_vjp, IN0, FLOAT)

def asinh(input, *, out=None):
    """Return the inverse hyperbolic sine."""
    return unary(ASINH, input, out)

def asinh_(input):
    """In-place :func:`asinh`."""
    return unary_(ASINH, input)


# acosh: dy = dx / sqrt(x^2 - 1)
cdef object acosh_vjp(Node n, object g):
    x = n.load(0)                # sqrt(x - 1) sqrt(x + 1): the branch cut of a complex x is acosh's
    return g * ((x - 1).rsqrt() * (x + 1).rsqrt() if is_complex_((<TensorBase>x).view.dtype) else (x.square() - 1).rsqrt())

cdef Op ACOSH = define("acosh", acosh_vjp, IN0, FLOAT)

def acosh(input, *, out=None):
    """Return the inverse hyperbolic cosine; nan below 1."""
    return unary(ACOSH, input, out)

def acosh_(input):
    """In-place :func:`acosh`."""
    return unary_(ACOSH, input)


# atanh: dy = dx / (1 - x^2)
cdef object atanh_vjp(Node n, object g):
    return g / (1 - n.load(0).square())

cdef Op ATANH = define("atanh", atanh_vjp, IN0, FLOAT)

def atanh(input, *, out=None):
    """Return the inverse hyperbolic tangent; nan outside [-1, 1]."""
    return unary(ATANH, input, out)

def atanh_(input):
    """In-place :func:`atanh`."""
    return unary_(ATANH, input)


# erf: y = 2/sqrt(pi) int_0^x e^(-t^2) dt
cdef object erf_vjp(Node n, object g):
    return g * ((-n.load(0).square()).exp() * TWO_OVER_SQRT_PI)

cdef Op ERF = define("erf", erf_vjp, IN0, FLOAT)

def erf(input, *, out=None):
    """Return the error function."""
    return unary(ERF, input, out)

def erf_(input):
    """In-place :func:`erf`."""
    return unary_(ERF, input)


# erfc: y = 1 - erf x
cdef object erfc_vjp(Node n, object g):
    return g * ((-n.load(0).square()).exp() * -TWO_OVER_SQRT_PI)

cdef Op ERFC = define("erfc", erfc_vjp, IN0, FLOAT)

def erfc(input, *, out=None):
    """Return 1 - erf(x), exact where erf(x) is near 1."""
    return unary(ERFC, input, out)

def erfc_(input):
    """In-place :func:`erfc`."""
    return unary_(ERFC, input)


# square: y = x^2, dy = 2 x dx
cdef object square_vjp(Node n, object g):
    return g * (n.load(0) * 2)

cdef Op SQUARE = define("square", square_vjp, IN0, SAME, None, "PowBackward0")

def square(input, *, out=None):
    """Return x^2; bools count as int64."""
    cdef TensorBase x = as_tensor(input, "square")
    return unary(SQUARE, to_dtype(x, I64) if x.view.dtype == BOOL else x, out)

def square_(input):
    """In-place :func:`square`."""
    return unary_(SQUARE, input)


# abs: dy = sign x dx
cdef object abs_vjp(Node n, object g):
    return g * n.load(0).sign()

cdef Op ABS = define("abs", abs_vjp, IN0, SAME)

def abs(input, *, out=None):
    """Return the absolute value."""
    if as_tensor(input, "abs").view.dtype == BOOL:
        raise NotImplementedError("[abs] not implemented for dtype bool")
    if is_complex_((<TensorBase>input).view.dtype):
        from taeda.ops.complex_numbers import absolute
        return absolute(input) if out is None else write_out(out, absolute(input), "abs")
    return unary(ABS, input, out)

def abs_(input):
    """In-place :func:`abs`."""
    return unary_(ABS, input)


# neg: dy = -dx
cdef object neg_vjp(Node n, object g):
    return -g

cdef Op NEG = define("neg", neg_vjp, NOTHING, SAME)

def neg(input, *, out=None):
    """Return -x; integers wrap around."""
    if as_tensor(input, "neg").view.dtype == BOOL:
        raise RuntimeError("[neg] negation, the `-` operator, of a bool tensor is not supported; use `~` or logical_not()")
    return unary(NEG, input, out)

def neg_(input):
    """In-place :func:`neg`."""
    if as_tensor(input, "neg_").view.dtype == BOOL:
        raise RuntimeError("[neg_] negation, the `-` operator, of a bool tensor is not supported; use `~` or logical_not()")
    return unary_(NEG, input)


# sign: y in {-1, 0, 1}
cdef object sign_vjp(Node n, object g):
    return g.new_zeros(g.shape)

cdef Op SIGN = define("sign", sign_vjp, NOTHING, SAME)

def sign(input, *, out=None):
    """Return -1, 0 or 1 by the sign of x."""
    return unary(SIGN, input, out)

def sign_(input):
    """In-place :func:`sign`."""
    return unary_(SIGN, input)


# floor: the largest integer not above x
cdef object floor_vjp(Node n, object g):
    return g.new_zeros(g.shape)

cdef Op FLOOR = define("floor", floor_vjp, NOTHING, SAME)

def floor(input, *, out=None):
    """Return the largest integer that is not above x."""
    return unary(FLOOR, input, out)

def floor_(input):
    """In-place :func:`floor`."""
    return unary_(FLOOR, input)


# ceil: the smallest integer not below x
cdef object ceil_vjp(Node n, object g):
    return g.new_zeros(g.shape)

cdef Op CEIL = define("ceil", ceil_vjp, NOTHING, SAME)

def ceil(input, *, out=None):
    """Return the smallest integer that is not below x."""
    return unary(CEIL, input, out)

def ceil_(input):
    """In-place :func:`ceil`."""
    return unary_(CEIL, input)


# trunc: towards zero
cdef object trunc_vjp(Node n, object g):
    return g.new_zeros(g.shape)

cdef Op TRUNC = define("trunc", trunc_vjp, NOTHING, SAME)

def trunc(input, *, out=None):
    """Return the integer part, rounding towards zero."""
    return unary(TRUNC, input, out)

def trunc_(input):
    """In-place :func:`trunc`."""
    return unary_(TRUNC, input)


# frac: x - trunc(x)
cdef object frac_vjp(Node n, object g):
    return g

cdef Op FRAC = define("frac", frac_vjp, NOTHING, SAME)

def frac(input, *, out=None):
    """Return x - trunc(x)."""
    return unary(FRAC, input, out)

def frac_(input):
    """In-place :func:`frac`."""
    return unary_(FRAC, input)


cdef object constant(TensorBase x, bint value):
    """A bool tensor of x's shape: integers are never nan or infinite."""
    return (<object>empty_as(x, BOOL, x.device)).fill_(value)


# isnan: x != x
cdef Op ISNAN = define("isnan", NULL, NOTHING, COMPARE)

def isnan(input):
    """Return where x is not a number."""
    cdef TensorBase x = as_tensor(input, "isnan")
    if is_integral(x.view.dtype):
        return constant(x, False)
    return unary(ISNAN, x)


# isinf: |x| = inf
cdef Op ISINF = define("isinf", NULL, NOTHING, COMPARE)

def isinf(input):
    """Return where x is infinite."""
    cdef TensorBase x = as_tensor(input, "isinf")
    if is_integral(x.view.dtype):
        return constant(x, False)
    return unary(ISINF, x)


# isfinite: |x| < inf
cdef Op ISFINITE = define("isfinite", NULL, NOTHING, COMPARE)

def isfinite(input):
    """Return where x is finite."""
    cdef TensorBase x = as_tensor(input, "isfinite")
    if is_integral(x.view.dtype):
        return constant(x, True)
    return unary(ISFINITE, x)


# signbit: the sign bit, of -0.0 too
cdef Op SIGNBIT = define("signbit", NULL, NOTHING, COMPARE)

def signbit(input, *, out=None):
    """Return where the sign bit is set."""
    if out is None and as_tensor(input, "signbit").view.dtype == BOOL:
        return constant(<TensorBase>input, False)
    return unary(SIGNBIT, input, out)


# logical_not: x == 0
cdef Op LOGICAL_NOT = define("logical_not", NULL, NOTHING, COMPARE)

def logical_not(input, *, out=None):
    """Return where x is zero."""
    return unary(LOGICAL_NOT, input, out)

def logical_not_(input):
    """In-place :func:`logical_not`."""
    return unary_(LOGICAL_NOT, input)


# bitwise_not: ~x
cdef Op BITWISE_NOT = define("bitwise_not", NULL, NOTHING, SAME)

def bitwise_not(input, *, out=None):
    """Return the bitwise complement; of bool the negation."""
    return unary(BITWISE_NOT, input, out)

def bitwise_not_(input):
    """In-place :func:`bitwise_not`."""
    return unary_(BITWISE_NOT, input)


# round: half to even; decimals: round(x 10^d) / 10^d
cdef object round_vjp(Node n, object g):
    return g.new_zeros(g.shape)

cdef Op ROUND = define("round", round_vjp, NOTHING, SAME)

def round(input, *, decimals=0, out=None):
    """Round to the nearest integer, halves to the even one; ``decimals`` places if given."""
    if decimals == 0:
        return unary(ROUND, input, out)
    if is_integral(as_tensor(input, "round").view.dtype):
        raise RuntimeError("[round] decimals is for floating-point tensors, got an integer one")
    decimals = integer(decimals, "round")
    scale = 10.0 ** abs_int(decimals) if abs_int(decimals) <= 308 else float("inf")
    scaled = unary(ROUND, input * scale if decimals > 0 else input / scale)
    y = scaled / scale if decimals > 0 else scaled * scale
    return y if out is None else write_out(out, y, "round")

def round_(input, *, decimals=0):
    """In-place :func:`round`."""
    return unary_(ROUND, input) if decimals == 0 else input.copy_(round(input, decimals=decimals))

cdef object abs_int(object i):
    return -i if i < 0 else i


# nan_to_num: nan, inf and -inf replaced; the derivative is 1 where x was finite
cdef object nan_to_num_vjp(Node n, object g):
    return g * n.load(0).isfinite()

cdef Op NAN_TO_NUM = define("nan_to_num", nan_to_num_vjp, IN0, SAME)

cdef int nan_parameters(TensorBase x, object nan, object posinf, object neginf, Param* p) except -1:
    from taeda.dtype import finfo
    limits = finfo((<object>x).dtype)
    p[0].f = 0.0 if nan is None else nan
    p[1].f = limits.max if posinf is None else posinf
    p[2].f = limits.min if neginf is None else neginf
    return 0

def nan_to_num(input, nan=0.0, posinf=None, neginf=None, *, out=None):
    """Replace nan by ``nan``, inf and -inf by ``posinf`` and ``neginf`` (by default the largest finite values)."""
    cdef TensorBase x = as_tensor(input, "nan_to_num")
    cdef Param p[3]
    if is_integral(x.view.dtype):
        return (<object>x).clone()
    if is_complex_(x.view.dtype):                    # part by part
        from taeda.ops.complex_numbers import view_as_complex, view_as_real
        y = view_as_complex(nan_to_num(view_as_real(x), nan, posinf, neginf))
        return y if out is None else write_out(out, y, "nan_to_num")
    nan_parameters(x, nan, posinf, neginf, p)
    return unary_params(NAN_TO_NUM, x, p, None, out)

def nan_to_num_(input, nan=0.0, posinf=None, neginf=None):
    """In-place :func:`nan_to_num`."""
    cdef TensorBase x = as_tensor(input, "nan_to_num_")
    cdef Param p[3]
    if is_integral(x.view.dtype):
        return x
    if is_complex_(x.view.dtype):
        return input.copy_(nan_to_num(input, nan, posinf, neginf))
    nan_parameters(x, nan, posinf, neginf, p)
    return unary_params_(NAN_TO_NUM, x, p, None)


absolute = abs
absolute_ = abs_
negative = neg
negative_ = neg_
arcsin = asin
arcsin_ = asin_
arccos = acos
arccos_ = acos_
arctan = atan
arctan_ = atan_
arcsinh = asinh
arcsinh_ = asinh_
arccosh = acosh
arccosh_ = acosh_
arctanh = atanh
arctanh_ = atanh_
fix = trunc
fix_ = trunc_

PUBLIC = (
    "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "sin", "cos", "tan",
    "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "erf", "erfc", "square", "abs", "neg",
    "sign", "floor", "ceil", "trunc", "frac", "isnan", "isinf", "isfinite", "signbit", "logical_not",
    "bitwise_not", "round", "nan_to_num", "absolute", "negative", "arcsin", "arccos", "arctan", "arcsinh",
    "arccosh", "arctanh", "fix", "exp_", "exp2_", "expm1_", "log_", "log1p_", "log2_", "log10_", "sqrt_",
    "rsqrt_", "reciprocal_", "sin_", "cos_", "tan_", "sinh_", "cosh_", "asin_", "acos_", "atan_", "asinh_",
    "acosh_", "atanh_", "erf_", "erfc_", "square_", "abs_", "neg_", "sign_", "floor_", "ceil_", "trunc_",
    "frac_", "logical_not_", "bitwise_not_", "round_", "nan_to_num_", "absolute_", "negative_", "arcsin_",
    "arccos_", "arctan_", "arcsinh_", "arccosh_", "arctanh_", "fix_",
)
__all__ = PUBLIC
METHODS = {name: globals()[name] for name in PUBLIC}

describe(METHODS.values())

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Exponentials, roots, circular functions and their inverses: each op is its formula, its derivative and its kernel's name."""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport FLOAT, IN0, OUT, Op, define, unary, unary_
from taeda.dtype cimport is_complex_
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
    """Return e raised to each element: y = e^x.

    >>> import taeda
    >>> taeda.exp(taeda.tensor([0.0, 1.0, -taeda.inf]))
    tensor([1.0000, 2.7183, 0.0000])
    """
    return unary(EXP, input, out)

def exp_(input):
    """In-place :func:`exp`."""
    return unary_(EXP, input)


# exp2: y = 2^x, dy = y ln 2 dx
cdef object exp2_vjp(Node n, object g):
    return g * n.load(0) * LN2

cdef Op EXP2 = define("exp2", exp2_vjp, OUT, FLOAT)

def exp2(input, *, out=None):
    """Return 2 raised to each element: y = 2^x.

    >>> import taeda
    >>> taeda.exp2(taeda.tensor([3, -1]))
    tensor([8.0000, 0.5000])
    """
    return unary(EXP2, input, out)

def exp2_(input):
    """In-place :func:`exp2`."""
    return unary_(EXP2, input)


# expm1: y = e^x - 1, dy = (y + 1) dx
cdef object expm1_vjp(Node n, object g):
    return g * (n.load(0) + 1)

cdef Op EXPM1 = define("expm1", expm1_vjp, OUT, FLOAT)

def expm1(input, *, out=None):
    """Return e^x - 1, exact to the last places for small x.

    >>> import taeda
    >>> x = taeda.tensor(1e-8)
    >>> taeda.expm1(x), taeda.exp(x) - 1
    (tensor(1.0000e-08), tensor(0.))
    """
    return unary(EXPM1, input, out)

def expm1_(input):
    """In-place :func:`expm1`."""
    return unary_(EXPM1, input)


# log: y = ln x, dy = dx / x
cdef object log_vjp(Node n, object g):
    return g / n.load(0)

cdef Op LOG = define("log", log_vjp, IN0, FLOAT)

def log(input, *, out=None):
    """Return the natural logarithm; nan below zero, -inf at zero.

    >>> import taeda
    >>> taeda.log(taeda.tensor([1.0, taeda.e, 0.0, -1.0]))
    tensor([0., 1., -inf, nan])
    """
    return unary(LOG, input, out)

def log_(input):
    """In-place :func:`log`."""
    return unary_(LOG, input)


# log1p: y = ln(1 + x), dy = dx / (1 + x)
cdef object log1p_vjp(Node n, object g):
    return g / (n.load(0) + 1)

cdef Op LOG1P = define("log1p", log1p_vjp, IN0, FLOAT, None, "Log1PBackward0")

def log1p(input, *, out=None):
    """Return ln(1 + x), exact to the last places for small x.

    >>> import taeda
    >>> x = taeda.tensor(1e-8)
    >>> taeda.log1p(x), taeda.log(1 + x)
    (tensor(1.0000e-08), tensor(0.))
    """
    return unary(LOG1P, input, out)

def log1p_(input):
    """In-place :func:`log1p`."""
    return unary_(LOG1P, input)


# log2: y = log2 x, dy = dx / (x ln 2)
cdef object log2_vjp(Node n, object g):
    return g / (n.load(0) * LN2)

cdef Op LOG2 = define("log2", log2_vjp, IN0, FLOAT)

def log2(input, *, out=None):
    """Return the logarithm to base 2; nan below zero, -inf at zero.

    >>> import taeda
    >>> taeda.log2(taeda.tensor([8.0, 0.5, 0.0]))
    tensor([ 3., -1., -inf])
    """
    return unary(LOG2, input, out)

def log2_(input):
    """In-place :func:`log2`."""
    return unary_(LOG2, input)


# log10: y = log10 x, dy = dx / (x ln 10)
cdef object log10_vjp(Node n, object g):
    return g / (n.load(0) * LN10)

cdef Op LOG10 = define("log10", log10_vjp, IN0, FLOAT)

def log10(input, *, out=None):
    """Return the logarithm to base 10; nan below zero, -inf at zero.

    >>> import taeda
    >>> taeda.log10(taeda.tensor([1000.0, 0.01]))
    tensor([ 3., -2.])
    """
    return unary(LOG10, input, out)

def log10_(input):
    """In-place :func:`log10`."""
    return unary_(LOG10, input)


# sqrt: y = x^(1/2), dy = dx / (2 y)
cdef object sqrt_vjp(Node n, object g):
    return g / (2 * n.load(0))

cdef Op SQRT = define("sqrt", sqrt_vjp, OUT, FLOAT)

def sqrt(input, *, out=None):
    """Return the square root; nan below zero.

    >>> import taeda
    >>> taeda.sqrt(taeda.tensor([9, 2, -1]))
    tensor([3.0000, 1.4142,    nan])
    """
    return unary(SQRT, input, out)

def sqrt_(input):
    """In-place :func:`sqrt`."""
    return unary_(SQRT, input)


# rsqrt: y = x^(-1/2), dy = -y^3 dx / 2
cdef object rsqrt_vjp(Node n, object g):
    y = n.load(0)
    return g * -0.5 * y ** 3                     # halved first: less overflows in float16

cdef Op RSQRT = define("rsqrt", rsqrt_vjp, OUT, FLOAT)

def rsqrt(input, *, out=None):
    """Return the reciprocal of the square root: y = x^(-1/2); inf at zero, nan below.

    >>> import taeda
    >>> taeda.rsqrt(taeda.tensor([4.0, 0.0, -1.0]))
    tensor([0.5000,    inf,    nan])
    """
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
    """Return 1 / x.

    >>> import taeda
    >>> taeda.reciprocal(taeda.tensor([4, -2, 0]))
    tensor([ 0.2500, -0.5000,     inf])
    """
    return unary(RECIPROCAL, input, out)

def reciprocal_(input):
    """In-place :func:`reciprocal`."""
    return unary_(RECIPROCAL, input)


# sin: dy = cos x dx
cdef object sin_vjp(Node n, object g):
    return g * n.load(0).cos()

cdef Op SIN = define("sin", sin_vjp, IN0, FLOAT)

def sin(input, *, out=None):
    """Return the sine of x radians.

    >>> import taeda
    >>> taeda.sin(taeda.tensor([0, taeda.pi / 6, taeda.pi / 2]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return unary(SIN, input, out)

def sin_(input):
    """In-place :func:`sin`."""
    return unary_(SIN, input)


# cos: dy = -sin x dx
cdef object cos_vjp(Node n, object g):
    return g * -n.load(0).sin()

cdef Op COS = define("cos", cos_vjp, IN0, FLOAT)

def cos(input, *, out=None):
    """Return the cosine of x radians.

    >>> import taeda
    >>> taeda.cos(taeda.tensor([0, taeda.pi / 3, taeda.pi]))
    tensor([ 1.0000,  0.5000, -1.0000])
    """
    return unary(COS, input, out)

def cos_(input):
    """In-place :func:`cos`."""
    return unary_(COS, input)


# tan: dy = (1 + y^2) dx
cdef object tan_vjp(Node n, object g):
    return g * (1 + n.load(0).square())

cdef Op TAN = define("tan", tan_vjp, OUT, FLOAT)

def tan(input, *, out=None):
    """Return the tangent of x radians.

    >>> import taeda
    >>> taeda.tan(taeda.tensor([0, taeda.pi / 4, -taeda.pi / 4]))
    tensor([ 0.,  1., -1.])
    """
    return unary(TAN, input, out)

def tan_(input):
    """In-place :func:`tan`."""
    return unary_(TAN, input)


# sinh: dy = cosh x dx
cdef object sinh_vjp(Node n, object g):
    return g * n.load(0).cosh()

cdef Op SINH = define("sinh", sinh_vjp, IN0, FLOAT)

def sinh(input, *, out=None):
    """Return the hyperbolic sine: y = (e^x - e^-x) / 2.

    >>> import taeda
    >>> taeda.sinh(taeda.tensor([0.0, 1.0, -1.0]))
    tensor([ 0.0000,  1.1752, -1.1752])
    """
    return unary(SINH, input, out)

def sinh_(input):
    """In-place :func:`sinh`."""
    return unary_(SINH, input)


# cosh: dy = sinh x dx
cdef object cosh_vjp(Node n, object g):
    return g * n.load(0).sinh()

cdef Op COSH = define("cosh", cosh_vjp, IN0, FLOAT)

def cosh(input, *, out=None):
    """Return the hyperbolic cosine: y = (e^x + e^-x) / 2.

    >>> import taeda
    >>> taeda.cosh(taeda.tensor([0.0, 1.0, -1.0]))
    tensor([1.0000, 1.5431, 1.5431])
    """
    return unary(COSH, input, out)

def cosh_(input):
    """In-place :func:`cosh`."""
    return unary_(COSH, input)


# asin: dy = dx / sqrt(1 - x^2)
cdef object asin_vjp(Node n, object g):
    return g * one_less_square(n.load(0)).rsqrt()

cdef object one_less_square(object x):
    """1 - x^2; of a complex x with the sign of a zero imaginary part, which says on what side of the cut it lies."""
    return -(x.square() - 1) if is_complex_((<TensorBase>x).view.dtype) else 1 - x.square()

cdef Op ASIN = define("asin", asin_vjp, IN0, FLOAT)

def asin(input, *, out=None):
    """Return the inverse sine in radians; nan outside [-1, 1].

    >>> import taeda
    >>> taeda.asin(taeda.tensor([0.5, 1.0, 2.0]))
    tensor([0.5236, 1.5708,    nan])
    """
    return unary(ASIN, input, out)

def asin_(input):
    """In-place :func:`asin`."""
    return unary_(ASIN, input)


# acos: dy = -dx / sqrt(1 - x^2)
cdef object acos_vjp(Node n, object g):
    return g * -one_less_square(n.load(0)).rsqrt()

cdef Op ACOS = define("acos", acos_vjp, IN0, FLOAT)

def acos(input, *, out=None):
    """Return the inverse cosine in radians; nan outside [-1, 1].

    >>> import taeda
    >>> taeda.acos(taeda.tensor([0.5, -1.0, 2.0]))
    tensor([1.0472, 3.1416,    nan])
    """
    return unary(ACOS, input, out)

def acos_(input):
    """In-place :func:`acos`."""
    return unary_(ACOS, input)


# atan: dy = dx / (1 + x^2)
cdef object atan_vjp(Node n, object g):
    return g / (n.load(0).square() + 1)

cdef Op ATAN = define("atan", atan_vjp, IN0, FLOAT)

def atan(input, *, out=None):
    """Return the inverse tangent in radians, in [-pi / 2, pi / 2].

    >>> import taeda
    >>> taeda.atan(taeda.tensor([1.0, -taeda.inf]))
    tensor([ 0.7854, -1.5708])
    """
    return unary(ATAN, input, out)

def atan_(input):
    """In-place :func:`atan`."""
    return unary_(ATAN, input)


# asinh: dy = dx / sqrt(x^2 + 1)
cdef object asinh_vjp(Node n, object g):
    return g * (n.load(0).square() - -1).rsqrt()       # + 1 would lose the sign of a zero imaginary part

cdef Op ASINH = define("asinh", asinh_vjp, IN0, FLOAT)
cdef Op ASINH_ = define("asinh", asinh_vjp, IN0, FLOAT, None, "AsinhBackward1")

def asinh(input, *, out=None):
    """Return the inverse hyperbolic sine: y = ln(x + sqrt(x^2 + 1)).

    >>> import taeda
    >>> taeda.asinh(taeda.sinh(taeda.tensor([-1.0, 3.0])))
    tensor([-1.,  3.])
    """
    return unary(ASINH, input, out)

def asinh_(input):
    """In-place :func:`asinh`."""
    return unary_(ASINH_, input)


# acosh: dy = dx / sqrt(x^2 - 1)
cdef object acosh_vjp(Node n, object g):
    x = n.load(0)                # sqrt(x - 1) sqrt(x + 1): the branch cut of a complex x is acosh's
    return g * ((x - 1).rsqrt() * (x - -1).rsqrt() if is_complex_((<TensorBase>x).view.dtype) else (x.square() - 1).rsqrt())

cdef Op ACOSH = define("acosh", acosh_vjp, IN0, FLOAT)
cdef Op ACOSH_ = define("acosh", acosh_vjp, IN0, FLOAT, None, "AcoshBackward1")

def acosh(input, *, out=None):
    """Return the inverse hyperbolic cosine: y = ln(x + sqrt(x^2 - 1)); nan below 1.

    >>> import taeda
    >>> taeda.acosh(taeda.tensor([1.0, 2.0, 0.5]))
    tensor([0.0000, 1.3170,    nan])
    """
    return unary(ACOSH, input, out)

def acosh_(input):
    """In-place :func:`acosh`."""
    return unary_(ACOSH_, input)


# atanh: dy = dx / (1 - x^2)
cdef object atanh_vjp(Node n, object g):
    return g / (1 - n.load(0).square())

cdef Op ATANH = define("atanh", atanh_vjp, IN0, FLOAT)
cdef Op ATANH_ = define("atanh", atanh_vjp, IN0, FLOAT, None, "AtanhBackward1")

def atanh(input, *, out=None):
    """Return the inverse hyperbolic tangent: y = ln((1 + x) / (1 - x)) / 2; nan outside [-1, 1].

    >>> import taeda
    >>> taeda.atanh(taeda.tensor([0.5, 1.0, 2.0]))
    tensor([0.5493,    inf,    nan])
    """
    return unary(ATANH, input, out)

def atanh_(input):
    """In-place :func:`atanh`."""
    return unary_(ATANH_, input)


# erf: y = 2/sqrt(pi) int_0^x e^(-t^2) dt
cdef object erf_vjp(Node n, object g):
    return g * ((-n.load(0).square()).exp() * TWO_OVER_SQRT_PI)

cdef Op ERF = define("erf", erf_vjp, IN0, FLOAT)

def erf(input, *, out=None):
    """Return the error function: y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.

    >>> import taeda
    >>> taeda.erf(taeda.tensor([0.0, 1.0, -taeda.inf]))
    tensor([ 0.0000,  0.8427, -1.0000])
    """
    return unary(ERF, input, out)

def erf_(input):
    """In-place :func:`erf`."""
    return unary_(ERF, input)


# erfc: y = 1 - erf x
cdef object erfc_vjp(Node n, object g):
    return g * ((-n.load(0).square()).exp() * -TWO_OVER_SQRT_PI)

cdef Op ERFC = define("erfc", erfc_vjp, IN0, FLOAT)

def erfc(input, *, out=None):
    """Return 1 - erf(x), exact where erf(x) is near 1.

    >>> import taeda
    >>> x = taeda.tensor(5.0)
    >>> taeda.erfc(x), 1 - taeda.erf(x)
    (tensor(1.5375e-12), tensor(0.))
    """
    return unary(ERFC, input, out)

def erfc_(input):
    """In-place :func:`erfc`."""
    return unary_(ERFC, input)


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

PUBLIC = (
    "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "sin", "cos", "tan",
    "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "erf", "erfc", "arcsin", "arccos", "arctan",
    "arcsinh", "arccosh", "arctanh", "exp_", "exp2_", "expm1_", "log_", "log1p_", "log2_", "log10_", "sqrt_", "rsqrt_",
    "reciprocal_", "sin_", "cos_", "tan_", "sinh_", "cosh_", "asin_", "acos_", "atan_", "asinh_", "acosh_", "atanh_",
    "erf_", "erfc_", "arcsin_", "arccos_", "arctan_", "arcsinh_", "arccosh_", "arctanh_",
)
__all__ = PUBLIC
METHODS = {name: globals()[name] for name in PUBLIC}

describe(METHODS.values())

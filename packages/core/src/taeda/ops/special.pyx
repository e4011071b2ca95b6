# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Special functions: the gamma function's family, the normal distribution's, entropy and sinc.

PyTorch's names for them are in :mod:`taeda.special`; some stand in ``taeda`` itself too.
"""
from cpython.number cimport PyIndex_Check

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (FLOAT, IN0, IN1, OUT, SAME, Op, any_needs_grad, as_tensor, binary, binary_, define, unary,
                             unary_, unary_params, unary_params_, write_out)
from taeda.dtype cimport is_complex_, is_integral
from taeda.kernels.cpu.abi cimport BOOL, Param
from taeda.operands cimport plain_number
from taeda.tensor_base cimport TensorBase

from taeda.dispatch import in_place
from taeda.operands import as_index
from taeda.ops.masking import where
from taeda.ops.sequences import arange

cdef double SQRT_2 = 1.41421356237309504880
cdef double SQRT_PI = 1.77245385090551602730
cdef double SQRT_2PI = 2.50662827463100050242
cdef double PI = 3.14159265358979323846


cdef int both_tensors(str op, object a, object b) except -1:
    as_tensor(a, op)
    as_tensor(b, op)
    return 0


cdef object order_of(str op, str name, object n):
    """An order as an int, also out of a tensor; what is no int is refused, as by PyTorch."""
    if isinstance(n, bool) or not PyIndex_Check(n):
        raise TypeError(f"[{op}] argument {name!r} must be int, not {type(n).__name__}")
    return as_index(op, n)


# -- the gamma function and its derivatives -----------------------------------------------------------


# lgamma: y = ln |Gamma(x)|, dy = psi(x) dx
cdef object lgamma_vjp(Node n, object g):
    return g * n.load(0).digamma()

cdef Op LGAMMA = define("lgamma", lgamma_vjp, IN0, FLOAT)

def lgamma(input, *, out=None):
    """Return the logarithm of the absolute value of the gamma function; inf at its poles 0, -1, -2, ...

    >>> import taeda
    >>> taeda.lgamma(taeda.tensor([1., 2., 5.]))
    tensor([0.0000, 0.0000, 3.1781])
    """
    return unary(LGAMMA, input, out)

def lgamma_(input):
    """In-place :func:`lgamma`."""
    return unary_(LGAMMA, input)


# digamma: y = psi(x) = Gamma'(x) / Gamma(x)
cdef object digamma_vjp(Node n, object g):
    return g * n.load(0).polygamma(1)

cdef Op DIGAMMA = define("digamma", digamma_vjp, IN0, FLOAT)

def digamma(input, *, out=None):
    """Return psi(x), the derivative of ln Gamma(x); -inf at 0, nan at the negative integers.

    >>> import taeda
    >>> taeda.digamma(taeda.tensor([1., 0.5]))
    tensor([-0.5772, -1.9635])
    """
    return unary(DIGAMMA, input, out)

def digamma_(input):
    """In-place :func:`digamma`."""
    return unary_(DIGAMMA, input)


# polygamma: the n-th derivative of psi
cdef object polygamma_vjp(Node n, object g):
    return g * polygamma(n.extra + 1, n.load(0))

cdef Op POLYGAMMA = define("polygamma", polygamma_vjp, IN0, FLOAT)

cdef int polygamma_parameter(str op, object n, Param* p) except -1:
    n = order_of(op, "n", n)
    if n < 0:
        raise RuntimeError(f"[{op}] polygamma(n, x) does not support negative n, got n = {n}")
    p[0].i = n
    return 0

def polygamma(n, input, *, out=None):
    """Return the n-th derivative of psi: (-1)^(n+1) n! sum_k (x + k)^-(n+1), and psi itself for n = 0.

    Raises:
        RuntimeError: ``n`` is negative.

    >>> import taeda
    >>> taeda.polygamma(1, taeda.tensor([1., 0.5]))
    tensor([1.6449, 4.9348])
    """
    cdef Param p[1]
    polygamma_parameter("polygamma", n, p)
    return unary_params(POLYGAMMA, input, p, int(n), out)

def polygamma_method(input, n):
    """Return the n-th derivative of psi; see :func:`polygamma`."""
    return polygamma(n, input)

def polygamma_(input, n):
    """In-place :func:`polygamma`."""
    cdef Param p[1]
    polygamma_parameter("polygamma_", n, p)
    return unary_params_(POLYGAMMA, input, p, int(n))


# mvlgamma: y = p (p-1) / 4 ln pi + sum_j<p ln Gamma(x - j/2)
cdef object mvlgamma_vjp(Node n, object g):
    x, total = (<object>n.load(0)).unsqueeze(-1), 0
    for j in range(0, n.extra, MVLGAMMA_BLOCK):
        total = total + (x - 0.5 * arange(j, min(j + MVLGAMMA_BLOCK, n.extra), dtype=x.dtype, device=x.device)).digamma().sum(-1)
    return g * total

cdef Op MVLGAMMA = define("mvlgamma", mvlgamma_vjp, IN0, FLOAT)

cdef enum:
    MVLGAMMA_BLOCK = 4096            # terms of the derivative's sum that are held at once
    MVLGAMMA_TERMS = 1 << 30         # of the sums of all elements: more take minutes (PyTorch, which holds them all, has no memory)

cdef int mvlgamma_parameter(str op, object input, object p, Param* kernel) except -1:
    p = order_of(op, "p", p)
    if p < 1:
        raise RuntimeError(f"[{op}] p has to be greater than or equal to 1, got {p}")
    if as_tensor(input, op).view.dtype == BOOL:
        raise RuntimeError(f"[{op}] The input tensor may not be a boolean tensor.")
    if p > MVLGAMMA_TERMS or p * max(input.numel(), 1) > MVLGAMMA_TERMS:
        raise RuntimeError(f"[{op}] p={p} makes sums of p terms for each of {input.numel()} elements, which is more than {MVLGAMMA_TERMS}")
    kernel[0].i = p
    return 0

def mvlgamma(input, p, *, out=None):
    """Return the logarithm of the multivariate gamma function of dimension p.

    y = p (p-1) / 4 ln pi + sum over j < p of ln Gamma(x - j/2).

    Raises:
        RuntimeError: ``p`` is below 1, or the sums have more than 2^30 terms, or ``input`` is a bool tensor.

    >>> import taeda
    >>> taeda.mvlgamma(taeda.tensor([2., 3.]), 2)
    tensor([0.4516, 1.5502])
    """
    cdef Param kernel[1]
    mvlgamma_parameter("mvlgamma", input, p, kernel)
    return unary_params(MVLGAMMA, input.contiguous(), kernel, int(p), out)         # a sum over rows, laid out so

def mvlgamma_(input, p):
    """In-place :func:`mvlgamma`."""
    cdef Param kernel[1]
    mvlgamma_parameter("mvlgamma_", input, p, kernel)
    return unary_params_(MVLGAMMA, input, kernel, int(p))


# igamma: y = P(a, x); igammac: y = Q(a, x) = 1 - P(a, x); dP = x^(a-1) e^-x / Gamma(a) dx
cdef int no_derivative(Node n, str op, str name) except -1:
    if n.needs(0):
        raise NotImplementedError(f"[{op}] the derivative for '{op}: {name}' is not implemented; detach() it")
    return 0

cdef object gamma_density(object a, object x):
    return ((a - 1).xlogy(x) - x - a.lgamma()).exp()

cdef object igamma_vjp(Node n, object g):
    no_derivative(n, "igamma", "input")
    return None, g * gamma_density(n.load(0), n.load(1))

cdef object igammac_vjp(Node n, object g):
    no_derivative(n, "igammac", "input")
    return None, -g * gamma_density(n.load(0), n.load(1))

cdef Op IGAMMA = define("igamma", igamma_vjp, IN0 + IN1, SAME)
cdef Op IGAMMAC = define("igammac", igammac_vjp, IN0 + IN1, SAME)

cdef int real_pair(str op, object a, object b) except -1:
    """Refuse two integer tensors, as PyTorch does: one of the two has to be floating point."""
    both_tensors(op, a, b)
    if is_integral((<TensorBase>a).view.dtype) and is_integral((<TensorBase>b).view.dtype):
        raise NotImplementedError(f"[{op}] not implemented for integers, got {a.dtype} and {b.dtype}; convert one with .float()")
    return 0

def igamma(input, other, *, out=None):
    """Return the regularised lower incomplete gamma function P(a, x) of a = ``input`` >= 0 and x = ``other`` >= 0.

    P(a, x) = 1 / Gamma(a) int_0^x t^(a-1) e^-t dt.  It has a derivative with respect to x only.

    Source: N. M. Temme, The asymptotic expansion of the incomplete gamma functions, 1979.

    >>> import taeda
    >>> taeda.igamma(taeda.tensor([1., 2.]), taeda.tensor([1., 2.]))
    tensor([0.6321, 0.5940])
    """
    real_pair("igamma", input, other)
    return binary(IGAMMA, input, other, out)

def igamma_(input, other):
    """In-place :func:`igamma`."""
    real_pair("igamma_", input, other)
    return binary_(IGAMMA, input, other)

def igammac(input, other, *, out=None):
    """Return the regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x), see :func:`igamma`.

    >>> import taeda
    >>> taeda.igammac(taeda.tensor([1., 2.]), taeda.tensor([1., 2.]))
    tensor([0.3679, 0.4060])
    """
    real_pair("igammac", input, other)
    return binary(IGAMMAC, input, other, out)

def igammac_(input, other):
    """In-place :func:`igammac`."""
    real_pair("igammac_", input, other)
    return binary_(IGAMMAC, input, other)


# zeta: y = sum_k (q + k)^-s, dy = -s zeta(s + 1, q) dq
cdef object zeta_vjp(Node n, object g):
    no_derivative(n, "zeta", "self")
    s = n.load(0)
    return None, g * (-s * zeta(s + 1, n.load(1)))

cdef Op ZETA = define("zeta", zeta_vjp, IN0 + IN1, FLOAT, None, "SpecialZetaBackward0")
cdef Op ZETA_OF_NUMBER = define("zeta", zeta_vjp, IN0 + IN1, FLOAT, None, "SpecialZetaBackward1")
cdef Op ZETA_AT_NUMBER = define("zeta", zeta_vjp, IN0 + IN1, FLOAT, None, "SpecialZetaBackward2")

def zeta(input, other, *, out=None):
    """Return Hurwitz's zeta function sum_k (q + k)^-s of s = ``input`` and q = ``other``; either may be a number.

    It is inf at s = 1 and where q is 0 or a negative integer, nan for s < 1, and has a derivative with respect to q only.

    >>> import taeda
    >>> taeda.special.zeta(taeda.tensor([2., 3.]), 1)
    tensor([1.6449, 1.2021])
    """
    op = ZETA_AT_NUMBER if not isinstance(other, TensorBase) else ZETA if isinstance(input, TensorBase) else ZETA_OF_NUMBER
    return binary(op, input, other, out)


# -- the normal distribution and the error functions --------------------------------------------------


# erfinv: dy = sqrt(pi) / 2 e^(y^2) dx; y is computed again, since the result may be written to
cdef object erfinv_vjp(Node n, object g):
    return g * (n.load(0).erfinv().square().exp() * (SQRT_PI / 2))

cdef Op ERFINV = define("erfinv", erfinv_vjp, IN0, FLOAT)

def erfinv(input, *, out=None):
    """Return the inverse of the error function: erf(y) = x; nan outside [-1, 1].

    >>> import taeda
    >>> taeda.erfinv(taeda.tensor([0., 0.5, -1.]))
    tensor([0.0000, 0.4769,   -inf])
    """
    return unary(ERFINV, input, out)

def erfinv_(input):
    """In-place :func:`erfinv`."""
    return unary_(ERFINV, input)


# erfcx: y = e^(x^2) erfc(x), dy = (2 x y - 2 / sqrt(pi)) dx
cdef object erfcx_vjp(Node n, object g):
    return g * (2 * n.load(0) * n.load(1) - 2 / SQRT_PI)

cdef Op ERFCX = define("erfcx", erfcx_vjp, IN0 + OUT, FLOAT, None, "SpecialErfcxBackward0")

def erfcx(input, *, out=None):
    """Return the scaled complementary error function e^(x^2) erfc(x), which does not vanish for large x.

    >>> import taeda
    >>> taeda.special.erfcx(taeda.tensor([0., 1., 100.]))
    tensor([1.0000, 0.4276, 0.0056])
    """
    return unary(ERFCX, input, out)


# ndtr: y = erfc(-x / sqrt 2) / 2, dy = e^(-x^2 / 2) / sqrt(2 pi) dx
cdef object ndtr_vjp(Node n, object g):
    return g * ((n.load(0).square() * -0.5).exp() / SQRT_2PI)

cdef Op NDTR = define("ndtr", ndtr_vjp, IN0, FLOAT, None, "MulBackward1")

def ndtr(input, *, out=None):
    """Return the distribution function of the standard normal distribution.

    >>> import taeda
    >>> taeda.special.ndtr(taeda.tensor([-1., 0., 2.]))
    tensor([0.1587, 0.5000, 0.9772])
    """
    return unary(NDTR, input, out)


# log_ndtr: dy = sqrt(2 / pi) / erfcx(-x / sqrt 2) dx
cdef object log_ndtr_vjp(Node n, object g):
    cdef object x = n.load(0), up
    if not any_needs_grad((g, x)):
        return g / erfcx(x * (-1 / SQRT_2)) * (SQRT_2 / SQRT_PI)
    # to be differentiated again: erfcx, which overflows for large x, serves the negative ones alone
    up = x.clamp(min=0)
    up = (up.square() * -0.5 - log_ndtr(up)).exp() / SQRT_2PI
    return g * where(x < 0, (SQRT_2 / SQRT_PI) / erfcx(x.clamp(max=0) * (-1 / SQRT_2)), up)

cdef Op LOG_NDTR = define("log_ndtr", log_ndtr_vjp, IN0, FLOAT, None, "SpecialLogNdtrBackward0")

def log_ndtr(input, *, out=None):
    """Return the logarithm of :func:`ndtr`, exact where that is next to 0 or 1.

    >>> import taeda
    >>> taeda.special.log_ndtr(taeda.tensor([-10., 0.]))
    tensor([-53.2313,  -0.6931])
    """
    return unary(LOG_NDTR, input, out)


# ndtri: dy = sqrt(2 pi) e^(y^2 / 2) dx
cdef object ndtri_vjp(Node n, object g):
    return g * ((n.load(0).square() * 0.5).exp() * SQRT_2PI)

cdef Op NDTRI = define("ndtri", ndtri_vjp, OUT, FLOAT, None, "SpecialNdtriBackward0")

def ndtri(input, *, out=None):
    """Return the inverse of :func:`ndtr`: the quantile of the probability x; nan outside [0, 1].

    >>> import taeda
    >>> taeda.special.ndtri(taeda.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9600])
    """
    return unary(NDTRI, input, out)


# -- entropy, logit, sinc -----------------------------------------------------------------------------


# entr: y = -x ln x, dy = -(1 + ln x) dx
cdef object entr_vjp(Node n, object g):
    return g * -(n.load(0).log() + 1)

cdef Op ENTR = define("entr", entr_vjp, IN0, FLOAT, None, "SpecialEntrBackward0")

def entr(input, *, out=None):
    """Return -x ln(x), 0 at 0 and -inf below.

    >>> import taeda
    >>> taeda.special.entr(taeda.tensor([-1., 0., 0.5]))
    tensor([  -inf, 0.0000, 0.3466])
    """
    return unary(ENTR, input, out)


# xlog1py: y = a ln(1 + b), 0 where a = 0 whatever b
cdef object xlog1py_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    return (xlog1py(g, b).masked_fill((a == 0) & (b <= -1), 0.0) if n.needs(0) else None, g * a / (b + 1) if n.needs(1) else None)

cdef Op XLOG1PY = define("xlog1py", xlog1py_vjp, IN0 + IN1, FLOAT, None, "SpecialXlog1PyBackward0")
cdef Op XLOG1PY_OF_NUMBER = define("xlog1py", xlog1py_vjp, IN0 + IN1, FLOAT, None, "SpecialXlog1PyBackward1")
cdef Op XLOG1PY_AT_NUMBER = define("xlog1py", xlog1py_vjp, IN0 + IN1, FLOAT, None, "SpecialXlog1PyBackward2")

def xlog1py(input, other, *, out=None):
    """Return input * ln(1 + other), 0 where input is 0 and other is no nan; either may be a number.

    >>> import taeda
    >>> taeda.special.xlog1py(taeda.tensor([0., 2.]), taeda.tensor([-1., 1.]))
    tensor([0.0000, 1.3863])
    """
    return binary(XLOG1PY if isinstance(input, TensorBase) and isinstance(other, TensorBase) else XLOG1PY_OF_NUMBER
                  if isinstance(other, TensorBase) else XLOG1PY_AT_NUMBER, input, other, out)


# logit: y = ln(x / (1 - x)), x clamped to [eps, 1 - eps] if eps is given
cdef object logit_vjp(Node n, object g):
    x = n.load(0)
    dx = g / (x * (1 - x))
    if n.extra is None:
        return dx.masked_fill((x < 0) | (x > 1), float("nan"))
    return dx.masked_fill((x < n.extra) | (x > 1 - n.extra), 0.0)

cdef Op LOGIT = define("logit", logit_vjp, IN0, FLOAT)
cdef Op LOGIT_CLAMPED = define("logit", logit_vjp, IN0, FLOAT, "logit_clamped")

cdef object logit_bounds(str op, object eps, Param* p):
    """eps as a float, or None where nothing is clamped; p: the bounds."""
    if eps is None:
        return None
    if isinstance(eps, (str, bytes)) or not hasattr(eps, "__float__"):
        raise TypeError(f"[{op}] argument 'eps' must be float, not {type(eps).__name__}")
    p[0].f = plain_number(op, "eps", eps)
    p[1].f = 1 - p[0].f
    return p[0].f if p[0].f >= 0 else None

def logit(input, eps=None, *, out=None):
    """Return ln(x / (1 - x)), the inverse of the sigmoid; x is clamped to [eps, 1 - eps] if ``eps`` is given.

    >>> import taeda
    >>> taeda.logit(taeda.tensor([0., 0.5, 0.9]), eps=1e-6)
    tensor([-13.8155,   0.0000,   2.1972])
    """
    cdef Param p[2]
    eps = logit_bounds("logit", eps, p)
    return unary_params(LOGIT if eps is None else LOGIT_CLAMPED, input, p, eps, out)

def logit_(input, eps=None):
    """In-place :func:`logit`."""
    cdef Param p[2]
    eps = logit_bounds("logit_", eps, p)
    return unary_params_(LOGIT if eps is None else LOGIT_CLAMPED, input, p, eps)


# sinc: y = sin(pi x) / (pi x); sinc_slope: y', so y'' = -pi^2 sinc x - 2 y' / x, which is -pi^2 / 3 at 0
cdef object sinc_vjp(Node n, object g):
    return g * unary(SINC_SLOPE, n.load(0))

cdef object sinc_slope_vjp(Node n, object g):
    x, slope = n.load(0), n.load(1)
    zero = x == 0
    return g * (sinc(x) * (-PI * PI) - 2 * slope / x.masked_fill(zero, 1.0)).masked_fill(zero, -PI * PI / 3)

cdef Op SINC = define("sinc", sinc_vjp, IN0, FLOAT)
cdef Op SINC_SLOPE = define("sinc_slope", sinc_slope_vjp, IN0 + OUT, FLOAT)

cdef object complex_sinc(object z):
    """sinc of complex numbers, composed of differentiable ops."""
    other = z != 0
    z = (z * PI).where(other, 1.0)                     # lies as z does, which masked_fill would not
    return (z.sin() / z).where(other, 1.0)

def sinc(input, *, out=None):
    """Return sin(pi x) / (pi x), 1 at 0 and exactly 0 at the other integers.

    >>> import taeda
    >>> taeda.sinc(taeda.tensor([0., 0.5, 1.]))
    tensor([1.0000, 0.6366, 0.0000])
    """
    if is_complex_(as_tensor(input, "sinc").view.dtype):
        return complex_sinc(input) if out is None else write_out(out, complex_sinc(input), "sinc")
    return unary(SINC, input, out)

def sinc_(input):
    """In-place :func:`sinc`."""
    if is_complex_(as_tensor(input, "sinc_").view.dtype):
        return in_place("sinc_", complex_sinc, input)
    return unary_(SINC, input)


PUBLIC = ("digamma", "erfinv", "igamma", "igammac", "lgamma", "logit", "logit_", "mvlgamma", "polygamma", "sinc", "sinc_")
INPLACE = ("digamma_", "erfinv_", "igamma_", "igammac_", "lgamma_", "mvlgamma_", "polygamma_")
__all__ = PUBLIC + INPLACE + ("entr", "erfcx", "log_ndtr", "ndtr", "ndtri", "xlog1py", "zeta")
METHODS = {name: globals()[name] for name in PUBLIC + INPLACE} | {"polygamma": polygamma_method}

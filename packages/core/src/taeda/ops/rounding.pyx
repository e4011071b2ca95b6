# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Sizes and signs, rounding, and what kind of number an element is."""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (COMPARE, IN0, NOTHING, SAME, Op, as_tensor, define, empty_as, integer, to_dtype, unary, unary_,
                             unary_params, unary_params_, write_out)
from taeda.dtype cimport is_complex_, is_integral, largest_of
from taeda.kernels.cpu.abi cimport BOOL, I64, Param
from taeda.operands cimport real_number
from taeda.tensor_base cimport TensorBase

from taeda.autograd.node import named
from taeda.dispatch import in_place
from taeda.ops._help import describe
from taeda.ops.complex_numbers import modulus, view_as_complex, view_as_real


# square: y = x^2, dy = 2 x dx
cdef object square_vjp(Node n, object g):
    return g * (n.load(0) * 2)

cdef Op SQUARE = define("square", square_vjp, IN0, SAME, None, "PowBackward0")

def square(input, *, out=None):
    """Return x^2; bools count as int64.

    >>> import taeda
    >>> taeda.square(taeda.tensor([-3, 0.5]))
    tensor([9.0000, 0.2500])
    """
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
    """Return the absolute value.

    >>> import taeda
    >>> taeda.abs(taeda.tensor([-2, 3])), taeda.abs(taeda.tensor([3 + 4j]))
    (tensor([2, 3]), tensor([5.]))
    """
    if as_tensor(input, "abs").view.dtype == BOOL:
        raise NotImplementedError("[abs] not implemented for 'Bool'")
    if is_complex_((<TensorBase>input).view.dtype):
        y = modulus(input)
        return y if out is None else write_out(out, <TensorBase>y.contiguous(), "abs")     # rows, if resized
    return unary(ABS, input, out)

def abs_(input):
    """In-place :func:`abs`."""
    if as_tensor(input, "abs_").view.dtype == BOOL:
        raise NotImplementedError("[abs_] not implemented for 'Bool'")
    return unary_(ABS, input)


# neg: dy = -dx
cdef object neg_vjp(Node n, object g):
    return -g

cdef Op NEG = define("neg", neg_vjp, NOTHING, SAME)

def neg(input, *, out=None):
    """Return -x; integers wrap around.

    >>> import taeda
    >>> taeda.neg(taeda.tensor([1.5, -2.0]))
    tensor([-1.5000,  2.0000])
    """
    if as_tensor(input, "neg").view.dtype == BOOL:
        raise RuntimeError("[neg] Negation, the `-` operator, on a bool tensor is not supported; use `~` or logical_not()")
    return unary(NEG, input, out)

def neg_(input):
    """In-place :func:`neg`."""
    if as_tensor(input, "neg_").view.dtype == BOOL:
        raise RuntimeError("[neg_] Negation, the `-` operator, on a bool tensor is not supported; use `~` or logical_not()")
    return unary_(NEG, input)


# What goes by steps has a derivative of 0: sign, floor, ceil, trunc and round.
cdef object steps_vjp(Node n, object g):
    return g.new_zeros(g.shape)


# sign: y in {-1, 0, 1}
cdef Op SIGN = define("sign", steps_vjp, NOTHING, SAME)

def sign(input, *, out=None):
    """Return -1, 0 or 1 by the sign of x.

    >>> import taeda
    >>> taeda.sign(taeda.tensor([-3.0, 0.0, 0.2]))
    tensor([-1.,  0.,  1.])
    """
    return unary(SIGN, input, out)

def sign_(input):
    """In-place :func:`sign`."""
    return unary_(SIGN, input)


# floor: the largest integer not above x
cdef Op FLOOR = define("floor", steps_vjp, NOTHING, SAME)

def floor(input, *, out=None):
    """Return the largest integer that is not above x.

    >>> import taeda
    >>> taeda.floor(taeda.tensor([1.8, -1.2]))
    tensor([ 1., -2.])
    """
    return unary(FLOOR, input, out)

def floor_(input):
    """In-place :func:`floor`."""
    return unary_(FLOOR, input)


# ceil: the smallest integer not below x
cdef Op CEIL = define("ceil", steps_vjp, NOTHING, SAME)

def ceil(input, *, out=None):
    """Return the smallest integer that is not below x.

    >>> import taeda
    >>> taeda.ceil(taeda.tensor([1.2, -1.2]))
    tensor([ 2., -1.])
    """
    return unary(CEIL, input, out)

def ceil_(input):
    """In-place :func:`ceil`."""
    return unary_(CEIL, input)


# trunc: towards zero
cdef Op TRUNC = define("trunc", steps_vjp, NOTHING, SAME)

def trunc(input, *, out=None):
    """Return the integer part, rounding towards zero.

    >>> import taeda
    >>> taeda.trunc(taeda.tensor([1.8, -1.8]))
    tensor([ 1., -1.])
    """
    return unary(TRUNC, input, out)

def trunc_(input):
    """In-place :func:`trunc`."""
    return unary_(TRUNC, input)


# frac: x - trunc(x)
cdef object frac_vjp(Node n, object g):
    return g

cdef Op FRAC = define("frac", frac_vjp, NOTHING, SAME)

def frac(input, *, out=None):
    """Return x - trunc(x).

    >>> import taeda
    >>> taeda.frac(taeda.tensor([1.75, -1.75]))
    tensor([ 0.7500, -0.7500])
    """
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
    """Return where x is not a number.

    >>> import taeda
    >>> taeda.isnan(taeda.tensor([1.0, taeda.nan, taeda.inf]))
    tensor([False,  True, False])
    """
    cdef TensorBase x = as_tensor(input, "isnan")
    if is_integral(x.view.dtype):
        return constant(x, False)
    return unary(ISNAN, x)


# isinf: |x| = inf
cdef Op ISINF = define("isinf", NULL, NOTHING, COMPARE)

def isinf(input):
    """Return where x is infinite.

    >>> import taeda
    >>> taeda.isinf(taeda.tensor([1.0, taeda.nan, -taeda.inf]))
    tensor([False, False,  True])
    """
    cdef TensorBase x = as_tensor(input, "isinf")
    if is_integral(x.view.dtype):
        return constant(x, False)
    return unary(ISINF, x)


# isfinite: |x| < inf
cdef Op ISFINITE = define("isfinite", NULL, NOTHING, COMPARE)

def isfinite(input):
    """Return where x is finite.

    >>> import taeda
    >>> taeda.isfinite(taeda.tensor([1.0, taeda.nan, taeda.inf]))
    tensor([ True, False, False])
    """
    cdef TensorBase x = as_tensor(input, "isfinite")
    if is_integral(x.view.dtype):
        return constant(x, True)
    return unary(ISFINITE, x)


# signbit: the sign bit, of -0.0 too
cdef Op SIGNBIT = define("signbit", NULL, NOTHING, COMPARE)

def signbit(input, *, out=None):
    """Return where the sign bit is set.

    >>> import taeda
    >>> taeda.signbit(taeda.tensor([1.0, -1.0, -0.0]))
    tensor([False,  True,  True])
    """
    if as_tensor(input, "signbit").view.dtype == BOOL:
        y = constant(<TensorBase>input, False)
        return y if out is None else write_out(out, y, "signbit")
    return unary(SIGNBIT, input, out)


# logical_not: x == 0
cdef Op LOGICAL_NOT = define("logical_not", NULL, NOTHING, COMPARE)

def logical_not(input, *, out=None):
    """Return where x is zero.

    >>> import taeda
    >>> taeda.logical_not(taeda.tensor([0, 1, -2]))
    tensor([ True, False, False])
    """
    return unary(LOGICAL_NOT, input, out)

def logical_not_(input):
    """In-place :func:`logical_not`."""
    return unary_(LOGICAL_NOT, input)


# bitwise_not: ~x
cdef Op BITWISE_NOT = define("bitwise_not", NULL, NOTHING, SAME)

def bitwise_not(input, *, out=None):
    """Return the bitwise complement; of bool the negation.

    >>> import taeda
    >>> taeda.bitwise_not(taeda.tensor([0, 5])), taeda.bitwise_not(taeda.tensor([True]))
    (tensor([-1, -6]), tensor([False]))
    """
    return unary(BITWISE_NOT, input, out)

def bitwise_not_(input):
    """In-place :func:`bitwise_not`."""
    return unary_(BITWISE_NOT, input)


# round: half to even; decimals: round(x 10^d) / 10^d
cdef Op ROUND = define("round", steps_vjp, NOTHING, SAME)

def round(input, *, decimals=0, out=None):
    """Round to the nearest integer, halves to the even one; ``decimals`` places if given.

    >>> import taeda
    >>> taeda.round(taeda.tensor([0.5, 1.5, -2.5])), taeda.round(taeda.tensor([3.14159]), decimals=2)
    (tensor([ 0.,  2., -2.]), tensor([3.1400]))
    """
    if decimals == 0:
        return unary(ROUND, input, out)
    if is_integral(as_tensor(input, "round").view.dtype):
        raise RuntimeError("[round] decimals is for floating-point tensors, got an integer one")
    decimals = integer(decimals, "round")
    scale = 10.0 ** abs_int(decimals) if abs_int(decimals) <= 308 else float("inf")
    scaled = unary(ROUND, input * scale if decimals > 0 else input / scale)
    y = named(scaled / scale if decimals > 0 else scaled * scale, "RoundBackward1")
    return y if out is None else write_out(out, y, "round")

def round_(input, *, decimals=0):
    """In-place :func:`round`."""
    return unary_(ROUND, input) if decimals == 0 else in_place("round_", round, input, decimals=decimals)

cdef object abs_int(object i):
    return -i if i < 0 else i


# nan_to_num: nan, inf and -inf replaced; the derivative is 1 where x was finite
cdef object nan_to_num_vjp(Node n, object g):
    return g * n.load(0).isfinite()

cdef Op NAN_TO_NUM = define("nan_to_num", nan_to_num_vjp, IN0, SAME)

cdef int nan_parameters(TensorBase x, object nan, object posinf, object neginf, Param* p) except -1:
    cdef int dtype = x.view.dtype
    cdef double most = largest_of(dtype)
    p[0].f = 0.0 if nan is None else real_number("nan_to_num", "nan", nan)
    p[1].f = most if posinf is None else real_number("nan_to_num", "posinf", posinf)
    p[2].f = -most if neginf is None else real_number("nan_to_num", "neginf", neginf)
    return 0

def nan_to_num(input, nan=0.0, posinf=None, neginf=None, *, out=None):
    """Replace nan by ``nan``, inf and -inf by ``posinf`` and ``neginf`` (by default the largest finite values).

    >>> import taeda
    >>> taeda.nan_to_num(taeda.tensor([taeda.nan, taeda.inf, -taeda.inf]), nan=0.0, posinf=9.0, neginf=-9.0)
    tensor([ 0.,  9., -9.])
    """
    cdef TensorBase x = as_tensor(input, "nan_to_num")
    cdef Param p[3]
    if is_integral(x.view.dtype):
        y = (<object>x).clone()
        return y if out is None else write_out(out, y, "nan_to_num")
    if is_complex_(x.view.dtype):                    # part by part
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
        return in_place("nan_to_num_", nan_to_num, input, nan, posinf, neginf)
    nan_parameters(x, nan, posinf, neginf, p)
    return unary_params_(NAN_TO_NUM, x, p, None)


absolute = abs
absolute_ = abs_
negative = neg
negative_ = neg_
fix = trunc
fix_ = trunc_

PUBLIC = (
    "square", "abs", "neg", "sign", "floor", "ceil", "trunc", "frac", "isnan", "isinf", "isfinite", "signbit",
    "logical_not", "bitwise_not", "round", "nan_to_num", "absolute", "negative", "fix", "square_", "abs_", "neg_",
    "sign_", "floor_", "ceil_", "trunc_", "frac_", "logical_not_", "bitwise_not_", "round_", "nan_to_num_",
    "absolute_", "negative_", "fix_",
)
__all__ = PUBLIC
METHODS = {name: globals()[name] for name in PUBLIC}

describe(METHODS.values())

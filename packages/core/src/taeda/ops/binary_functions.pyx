# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Functions of two tensors that are no arithmetic: the larger and the smaller, angles and lengths, signs, logarithms of sums."""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport FLOAT, IN0, IN1, OUT, SAME, Op, as_tensor, binary, binary_, define, write_out
from taeda.dtype cimport is_complex_
from taeda.tensor_base cimport TensorBase

from taeda.ops._help import describe
from taeda.ops.binary import result_type


# maximum, minimum: nan wins and sends the gradient to both sides; equal elements share it
cdef object maximum_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    shared = (g / 2).where(a == b, g)
    return (shared.masked_fill(a < b, 0.0) if n.needs(0) else None, shared.masked_fill(a > b, 0.0) if n.needs(1) else None)

cdef object minimum_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    shared = (g / 2).where(a == b, g)
    return (shared.masked_fill(a > b, 0.0) if n.needs(0) else None, shared.masked_fill(a < b, 0.0) if n.needs(1) else None)

# fmax, fmin: a number wins over nan; equal elements send the gradient to the first
cdef object fmax_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    second = ~((a >= b) | b.isnan())
    return (g.masked_fill(second, 0.0) if n.needs(0) else None, g.masked_fill(~second, 0.0) if n.needs(1) else None)

cdef object fmin_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    second = ~((a <= b) | b.isnan())
    return (g.masked_fill(second, 0.0) if n.needs(0) else None, g.masked_fill(~second, 0.0) if n.needs(1) else None)

cdef Op MAXIMUM = define("maximum", maximum_vjp, IN0 + IN1, SAME)
cdef Op MINIMUM = define("minimum", minimum_vjp, IN0 + IN1, SAME)
cdef Op FMAX = define("fmax", fmax_vjp, IN0 + IN1, SAME)
cdef Op FMIN = define("fmin", fmin_vjp, IN0 + IN1, SAME)

cdef int both_tensors(str op, object a, object b) except -1:
    as_tensor(a, op)
    as_tensor(b, op)
    return 0

def maximum(input, other, *, out=None):
    """Return the larger of each pair; nan where either is nan.

    >>> import taeda
    >>> taeda.maximum(taeda.tensor([1.0, 5.0, taeda.nan]), taeda.tensor(3.0))
    tensor([3., 5., nan])
    """
    both_tensors("maximum", input, other)
    return binary(MAXIMUM, input, other, out)

def minimum(input, other, *, out=None):
    """Return the smaller of each pair; nan where either is nan.

    >>> import taeda
    >>> taeda.minimum(taeda.tensor([1.0, 5.0, taeda.nan]), taeda.tensor(3.0))
    tensor([1., 3., nan])
    """
    both_tensors("minimum", input, other)
    return binary(MINIMUM, input, other, out)

def fmax(input, other, *, out=None):
    """Return the larger of each pair; the number where one is nan.

    >>> import taeda
    >>> taeda.fmax(taeda.tensor([1.0, 5.0, taeda.nan]), taeda.tensor(3.0))
    tensor([3., 5., 3.])
    """
    both_tensors("fmax", input, other)
    return binary(FMAX, input, other, out)

def fmin(input, other, *, out=None):
    """Return the smaller of each pair; the number where one is nan.

    >>> import taeda
    >>> taeda.fmin(taeda.tensor([1.0, 5.0, taeda.nan]), taeda.tensor(3.0))
    tensor([1., 3., 3.])
    """
    both_tensors("fmin", input, other)
    return binary(FMIN, input, other, out)


# atan2: the angle of the point (b, a), whose derivative at the origin counts as 0; hypot: sqrt(a^2 + b^2)
cdef object atan2_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    square = a * a + b * b
    s = (g / square).masked_fill(square == 0, 0.0)
    return (s * b if n.needs(0) else None, -s * a if n.needs(1) else None)

cdef object hypot_vjp(Node n, object g):
    y = n.load(2)
    return (g * (n.load(0) / y) if n.needs(0) else None, g * (n.load(1) / y) if n.needs(1) else None)

cdef Op ATAN2 = define("atan2", atan2_vjp, IN0 + IN1, FLOAT)
cdef Op HYPOT = define("hypot", hypot_vjp, IN0 + IN1 + OUT, SAME)

def atan2(input, other, *, out=None):
    """Return the angle in radians of the points (other, input), in (-pi, pi].

    >>> import taeda
    >>> taeda.atan2(taeda.tensor([1.0, -1.0]), taeda.tensor([0.0, -1.0]))
    tensor([ 1.5708, -2.3562])
    """
    both_tensors("atan2", input, other)
    return binary(ATAN2, input, other, out)

def atan2_(input, other):
    """In-place :func:`atan2`."""
    both_tensors("atan2_", input, other)
    return binary_(ATAN2, input, other)

def hypot(input, other, *, out=None):
    """Return sqrt(input^2 + other^2) without overflow.

    >>> import taeda
    >>> taeda.hypot(taeda.tensor([3.0, 1e30]), taeda.tensor([4.0, 1e30]))
    tensor([5.0000e+00, 1.4142e+30])
    """
    both_tensors("hypot", input, other)
    return binary(HYPOT, input, other, out)

def hypot_(input, other):
    """In-place :func:`hypot`."""
    both_tensors("hypot_", input, other)
    return binary_(HYPOT, input, other)


# copysign: |a| with the sign of b
cdef object copysign_vjp(Node n, object g):
    a, y = n.load(0), n.load(1)
    return (g * (a.sign() * y.sign()) if n.needs(0) else None, g.new_zeros(g.shape) if n.needs(1) else None)

cdef Op COPYSIGN = define("copysign", copysign_vjp, IN0 + OUT, FLOAT)
cdef Op COPYSIGN_OF_NUMBER = define("copysign", copysign_vjp, IN0 + OUT, FLOAT, None, "CopysignBackward1")

def copysign(input, other, *, out=None):
    """Return the magnitude of input with the sign of other.

    >>> import taeda
    >>> taeda.copysign(taeda.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """
    return binary(COPYSIGN if isinstance(other, TensorBase) else COPYSIGN_OF_NUMBER, as_tensor(input, "copysign"), other, out)

def copysign_(input, other):
    """In-place :func:`copysign`."""
    return binary_(COPYSIGN if isinstance(other, TensorBase) else COPYSIGN_OF_NUMBER, input, other)


# xlogy: a ln b, 0 where a = 0 whatever b; logaddexp: ln(e^a + e^b)
cdef object xlogy_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    return (xlogy(g, b).masked_fill((a == 0) & (b <= 0), 0.0) if n.needs(0) else None, g * a / b if n.needs(1) else None)

cdef object logaddexp_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    d = b - a
    d = d.masked_fill((a == b) & (d != d), 0.0)        # equal infinities share
    return (g * (-d).sigmoid() if n.needs(0) else None, g * d.sigmoid() if n.needs(1) else None)

cdef Op XLOGY = define("xlogy", xlogy_vjp, IN0 + IN1, FLOAT)
cdef Op XLOGY_OF_NUMBER = define("xlogy", xlogy_vjp, IN0 + IN1, FLOAT, None, "XlogyBackward1")
cdef Op XLOGY_NUMBER = define("xlogy", xlogy_vjp, IN0 + IN1, FLOAT, None, "XlogyBackward2")
cdef Op LOGADDEXP = define("logaddexp", logaddexp_vjp, IN0 + IN1, SAME)

cdef Op xlogy_op(object input, object other):
    """PyTorch names the three overloads apart."""
    return XLOGY_NUMBER if not isinstance(other, TensorBase) else XLOGY if isinstance(input, TensorBase) else XLOGY_OF_NUMBER

def xlogy(input, other, *, out=None):
    """Return input * ln(other), 0 where input is 0 and other is no nan.

    >>> import taeda
    >>> taeda.xlogy(taeda.tensor([0.0, 2.0]), taeda.tensor([0.0, taeda.e]))
    tensor([0., 2.])
    """
    return binary(xlogy_op(input, other), input, other, out)

def xlogy_(input, other):
    """In-place :func:`xlogy`."""
    return binary_(xlogy_op(input, other), input, other)

cdef object complex_logaddexp(object a, object b):
    """From the operand of the larger real part, whose angle is kept as it is, not brought between -pi and pi."""
    first = a.real >= b.real
    high, low = a.where(first, b), b.where(first, a)
    alone = high.real.isinf() & (low == low)                # infinite: the other one does not count
    y = high + (low - high).masked_fill(alone, -float("inf")).exp().log1p()
    return y.where(~alone, a.where(a.real > b.real, b)).masked_fill((a != a) | (b != b), complex("nan+nanj"))

def logaddexp(input, other, *, out=None):
    """Return ln(e^input + e^other) without overflow.

    >>> import taeda
    >>> taeda.logaddexp(taeda.tensor(1000.0), taeda.tensor(1000.0))
    tensor(1000.6932)
    """
    both_tensors("logaddexp", input, other)
    if is_complex_((<TensorBase>input).view.dtype) or is_complex_((<TensorBase>other).view.dtype):
        dtype = result_type(input, other)
        y = complex_logaddexp(input.to(dtype), other.to(dtype))
        return y if out is None else write_out(out, <TensorBase>y, "logaddexp")
    return binary(LOGADDEXP, input, other, out)


arctan2, arctan2_ = atan2, atan2_

PUBLIC = ("maximum", "minimum", "fmax", "fmin", "atan2", "hypot", "copysign", "xlogy", "xlogy_", "logaddexp", "arctan2")
INPLACE = ("copysign_", "atan2_", "hypot_", "arctan2_")
__all__ = PUBLIC + INPLACE
METHODS = {name: globals()[name] for name in __all__}
describe([globals()[name] for name in __all__])

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Comparison, logic and bits: results are bool, or the bits of integers.

Nothing here has a derivative, so what a comparison has written over gets a gradient of zeros.
"""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport COMPARE, NOTHING, SAME, Op, as_tensor, binary, binary_, define
from taeda.tensor_base cimport TensorBase

from taeda.ops._help import describe

cdef object compare_vjp(Node n, object g):
    return tuple([g.new_zeros(g.shape) if n.needs(i) else None for i in range(2)])

cdef Op EQ = define("eq", compare_vjp, NOTHING, COMPARE)
cdef Op NE = define("ne", compare_vjp, NOTHING, COMPARE)
cdef Op LT = define("lt", compare_vjp, NOTHING, COMPARE)
cdef Op LE = define("le", compare_vjp, NOTHING, COMPARE)
cdef Op GT = define("gt", compare_vjp, NOTHING, COMPARE)
cdef Op GE = define("ge", compare_vjp, NOTHING, COMPARE)
cdef Op EQ_TENSOR = define("eq", compare_vjp, NOTHING, COMPARE, None, "EqBackward1")
cdef Op NE_TENSOR = define("ne", compare_vjp, NOTHING, COMPARE, None, "NeBackward1")
cdef Op LT_TENSOR = define("lt", compare_vjp, NOTHING, COMPARE, None, "LtBackward1")
cdef Op LE_TENSOR = define("le", compare_vjp, NOTHING, COMPARE, None, "LeBackward1")
cdef Op GT_TENSOR = define("gt", compare_vjp, NOTHING, COMPARE, None, "GtBackward1")
cdef Op GE_TENSOR = define("ge", compare_vjp, NOTHING, COMPARE, None, "GeBackward1")
cdef Op LOGICAL_AND = define("logical_and", NULL, NOTHING, COMPARE)
cdef Op LOGICAL_OR = define("logical_or", NULL, NOTHING, COMPARE)
cdef Op LOGICAL_XOR = define("logical_xor", NULL, NOTHING, COMPARE)
cdef Op BITWISE_AND = define("bitwise_and", NULL, NOTHING, SAME)
cdef Op BITWISE_OR = define("bitwise_or", NULL, NOTHING, SAME)
cdef Op BITWISE_XOR = define("bitwise_xor", NULL, NOTHING, SAME)
cdef Op LEFT_SHIFT = define("bitwise_left_shift", NULL, NOTHING, SAME)
cdef Op RIGHT_SHIFT = define("bitwise_right_shift", NULL, NOTHING, SAME)


def eq(input, other, *, out=None):
    """Return where input == other.

    >>> import taeda
    >>> taeda.eq(taeda.tensor([1.0, 2.0, taeda.nan]), taeda.tensor([1.0, 3.0, taeda.nan]))
    tensor([ True, False, False])
    """
    return binary(EQ, as_tensor(input, "eq"), other, out)

def eq_(input, other):
    """In-place :func:`eq`."""
    return binary_(EQ_TENSOR if isinstance(other, TensorBase) else EQ, input, other)


def ne(input, other, *, out=None):
    """Return where input != other.

    >>> import taeda
    >>> taeda.ne(taeda.tensor([1.0, 2.0, taeda.nan]), taeda.tensor([1.0, 3.0, taeda.nan]))
    tensor([False,  True,  True])
    """
    return binary(NE, as_tensor(input, "ne"), other, out)

def ne_(input, other):
    """In-place :func:`ne`."""
    return binary_(NE_TENSOR if isinstance(other, TensorBase) else NE, input, other)


def lt(input, other, *, out=None):
    """Return where input < other.

    >>> import taeda
    >>> taeda.lt(taeda.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """
    return binary(LT, as_tensor(input, "lt"), other, out)

def lt_(input, other):
    """In-place :func:`lt`."""
    return binary_(LT_TENSOR if isinstance(other, TensorBase) else LT, input, other)


def le(input, other, *, out=None):
    """Return where input <= other.

    >>> import taeda
    >>> taeda.le(taeda.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """
    return binary(LE, as_tensor(input, "le"), other, out)

def le_(input, other):
    """In-place :func:`le`."""
    return binary_(LE_TENSOR if isinstance(other, TensorBase) else LE, input, other)


def gt(input, other, *, out=None):
    """Return where input > other.

    >>> import taeda
    >>> taeda.gt(taeda.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """
    return binary(GT, as_tensor(input, "gt"), other, out)

def gt_(input, other):
    """In-place :func:`gt`."""
    return binary_(GT_TENSOR if isinstance(other, TensorBase) else GT, input, other)


def ge(input, other, *, out=None):
    """Return where input >= other.

    >>> import taeda
    >>> taeda.ge(taeda.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """
    return binary(GE, as_tensor(input, "ge"), other, out)

def ge_(input, other):
    """In-place :func:`ge`."""
    return binary_(GE_TENSOR if isinstance(other, TensorBase) else GE, input, other)


def logical_and(input, other, *, out=None):
    """Return where both are nonzero.

    >>> import taeda
    >>> taeda.logical_and(taeda.tensor([0, 1, 2]), taeda.tensor([5.0, 0.0, -1.0]))
    tensor([False, False,  True])
    """
    as_tensor(other, "logical_and")
    return binary(LOGICAL_AND, as_tensor(input, "logical_and"), other, out)

def logical_and_(input, other):
    """In-place :func:`logical_and`."""
    as_tensor(other, "logical_and_")
    return binary_(LOGICAL_AND, input, other)


def logical_or(input, other, *, out=None):
    """Return where either is nonzero.

    >>> import taeda
    >>> taeda.logical_or(taeda.tensor([0, 1, 0]), taeda.tensor([5.0, 0.0, 0.0]))
    tensor([ True,  True, False])
    """
    as_tensor(other, "logical_or")
    return binary(LOGICAL_OR, as_tensor(input, "logical_or"), other, out)

def logical_or_(input, other):
    """In-place :func:`logical_or`."""
    as_tensor(other, "logical_or_")
    return binary_(LOGICAL_OR, input, other)


def logical_xor(input, other, *, out=None):
    """Return where just one is nonzero.

    >>> import taeda
    >>> taeda.logical_xor(taeda.tensor([0, 1, 2]), taeda.tensor([5.0, 0.0, -1.0]))
    tensor([ True,  True, False])
    """
    as_tensor(other, "logical_xor")
    return binary(LOGICAL_XOR, as_tensor(input, "logical_xor"), other, out)

def logical_xor_(input, other):
    """In-place :func:`logical_xor`."""
    as_tensor(other, "logical_xor_")
    return binary_(LOGICAL_XOR, input, other)


def bitwise_and(input, other, *, out=None):
    """Return input & other (integers and bool).

    >>> import taeda
    >>> taeda.bitwise_and(taeda.tensor([6, -1]), 3)
    tensor([2, 3])
    """
    return binary(BITWISE_AND, input, other, out)

def bitwise_and_(input, other):
    """In-place :func:`bitwise_and`."""
    return binary_(BITWISE_AND, input, other)


def bitwise_or(input, other, *, out=None):
    """Return input | other (integers and bool).

    >>> import taeda
    >>> taeda.bitwise_or(taeda.tensor([6, 8]), 3)
    tensor([ 7, 11])
    """
    return binary(BITWISE_OR, input, other, out)

def bitwise_or_(input, other):
    """In-place :func:`bitwise_or`."""
    return binary_(BITWISE_OR, input, other)


def bitwise_xor(input, other, *, out=None):
    """Return input ^ other (integers and bool).

    >>> import taeda
    >>> taeda.bitwise_xor(taeda.tensor([6, 8]), 3)
    tensor([ 5, 11])
    """
    return binary(BITWISE_XOR, input, other, out)

def bitwise_xor_(input, other):
    """In-place :func:`bitwise_xor`."""
    return binary_(BITWISE_XOR, input, other)


def bitwise_left_shift(input, other, *, out=None):
    """Return input << other; 0 for shifts beyond the width.

    >>> import taeda
    >>> taeda.bitwise_left_shift(taeda.tensor([1, 3]), taeda.tensor([4, 1]))
    tensor([16,  6])
    """
    return binary(LEFT_SHIFT, input, other, out)

def bitwise_left_shift_(input, other):
    """In-place :func:`bitwise_left_shift`."""
    return binary_(LEFT_SHIFT, input, other)


def bitwise_right_shift(input, other, *, out=None):
    """Return input >> other, arithmetic for signed integers.

    >>> import taeda
    >>> taeda.bitwise_right_shift(taeda.tensor([16, -16]), 2)
    tensor([ 4, -4])
    """
    return binary(RIGHT_SHIFT, input, other, out)

def bitwise_right_shift_(input, other):
    """In-place :func:`bitwise_right_shift`."""
    return binary_(RIGHT_SHIFT, input, other)


not_equal, not_equal_ = ne, ne_
less, less_ = lt, lt_
less_equal, less_equal_ = le, le_
greater, greater_ = gt, gt_
greater_equal, greater_equal_ = ge, ge_

PUBLIC = (
    "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or",
    "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "not_equal", "less", "less_equal", "greater",
    "greater_equal",
)
__all__ = PUBLIC + tuple([name + "_" for name in PUBLIC])
METHODS = {name: globals()[name] for name in __all__}
describe(METHODS.values())

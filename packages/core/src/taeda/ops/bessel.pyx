# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Bessel functions of order 0 and 1, Airy's function and the spherical j0.

Of these PyTorch differentiates i0, i0e, i1 and i1e; the results of the others are constants to autograd.
"""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport FLOAT, IN0, NOTHING, OUT, Op, define, unary, unary_


# i0: dy = I1 dx
cdef object i0_vjp(Node n, object g):
    return g * i1(n.load(0))

cdef Op I0 = define("i0", i0_vjp, IN0, FLOAT)

def i0(input, *, out=None):
    """Return the modified Bessel function of the first kind of order 0.

    >>> import taeda
    >>> taeda.i0(taeda.tensor([0., 1., -2.]))
    tensor([1.0000, 1.2661, 2.2796])
    """
    return unary(I0, input, out)

def i0_(input):
    """In-place :func:`i0`."""
    return unary_(I0, input)


# i0e: y = e^-|x| I0, dy = (i1e - sign(x) y) dx
cdef object i0e_vjp(Node n, object g):
    x = n.load(0)
    return g * (i1e(x) - x.sign() * n.load(1))

cdef Op I0E = define("i0e", i0e_vjp, IN0 + OUT, FLOAT, None, "SpecialI0EBackward0")

def i0e(input, *, out=None):
    """Return e^-|x| I0(x), which does not overflow.

    I0 is that of :func:`i0`.

    >>> import taeda
    >>> taeda.special.i0e(taeda.tensor([0.5, 2.0]))
    tensor([0.6450, 0.3085])
    """
    return unary(I0E, input, out)


cdef object over(object y, object x):
    """y / x for y = I1 or e^-|x| I1, and its limit 1/2 at 0, where the derivative of the quotient is 0."""
    zero = x == 0
    return (y / x.masked_fill(zero, 1.0)).masked_fill(zero, 0.5)


# i1: dy = (I0 - y / x) dx
cdef object i1_vjp(Node n, object g):
    x = n.load(0)
    return g * (i0(x) - over(n.load(1), x))

cdef Op I1 = define("i1", i1_vjp, IN0 + OUT, FLOAT, None, "SpecialI1Backward0")

def i1(input, *, out=None):
    """Return the modified Bessel function of the first kind of order 1.

    y = sum_k (x / 2)^(2k + 1) / (k! (k + 1)!).

    >>> import taeda
    >>> taeda.special.i1(taeda.tensor([0.5, 2.0]))
    tensor([0.2579, 1.5906])
    """
    return unary(I1, input, out)


# i1e: y = e^-|x| I1, dy = (i0e - sign(x) y - y / x) dx
cdef object i1e_vjp(Node n, object g):
    x, y = n.load(0), n.load(1)
    return g * (i0e(x) - x.sign() * y - over(y, x))

cdef Op I1E = define("i1e", i1e_vjp, IN0 + OUT, FLOAT, None, "SpecialI1EBackward0")

def i1e(input, *, out=None):
    """Return e^-|x| I1(x), which does not overflow.

    I1 is that of :func:`i1`.

    >>> import taeda
    >>> taeda.special.i1e(taeda.tensor([0.5, 2.0]))
    tensor([0.1564, 0.2153])
    """
    return unary(I1E, input, out)


cdef Op AIRY_AI = define("airy_ai", NULL, NOTHING, FLOAT)
cdef Op BESSEL_J0 = define("bessel_j0", NULL, NOTHING, FLOAT)
cdef Op BESSEL_J1 = define("bessel_j1", NULL, NOTHING, FLOAT)
cdef Op BESSEL_Y0 = define("bessel_y0", NULL, NOTHING, FLOAT)
cdef Op BESSEL_Y1 = define("bessel_y1", NULL, NOTHING, FLOAT)
cdef Op MODIFIED_I0 = define("modified_bessel_i0", NULL, NOTHING, FLOAT, "i0")
cdef Op MODIFIED_I1 = define("modified_bessel_i1", NULL, NOTHING, FLOAT, "i1")
cdef Op MODIFIED_K0 = define("modified_bessel_k0", NULL, NOTHING, FLOAT)
cdef Op MODIFIED_K1 = define("modified_bessel_k1", NULL, NOTHING, FLOAT)
cdef Op SCALED_K0 = define("scaled_modified_bessel_k0", NULL, NOTHING, FLOAT)
cdef Op SCALED_K1 = define("scaled_modified_bessel_k1", NULL, NOTHING, FLOAT)
cdef Op SPHERICAL_J0 = define("spherical_bessel_j0", NULL, NOTHING, FLOAT)

def airy_ai(input, *, out=None):
    """Return Airy's function Ai, the solution of y'' = x y that vanishes at inf.

    >>> import taeda
    >>> taeda.special.airy_ai(taeda.tensor([-1., 0., 1.]))
    tensor([0.5356, 0.3550, 0.1353])
    """
    return unary(AIRY_AI, input, out)

def bessel_j0(input, *, out=None):
    """Return the Bessel function of the first kind of order 0.

    >>> import taeda
    >>> taeda.special.bessel_j0(taeda.tensor([0., 1., 5.]))
    tensor([ 1.0000,  0.7652, -0.1776])
    """
    return unary(BESSEL_J0, input, out)

def bessel_j1(input, *, out=None):
    """Return the Bessel function of the first kind of order 1.

    y = sum_k (-1)^k (x / 2)^(2k + 1) / (k! (k + 1)!); it has no derivative here, as in PyTorch.

    >>> import taeda
    >>> taeda.special.bessel_j1(taeda.tensor([0.5, 2.0]))
    tensor([0.2423, 0.5767])
    """
    return unary(BESSEL_J1, input, out)

def bessel_y0(input, *, out=None):
    """Return the Bessel function of the second kind of order 0; -inf at 0, nan below.

    It is -inf at 0 and nan below, and has no derivative here, as in PyTorch.

    >>> import taeda
    >>> taeda.special.bessel_y0(taeda.tensor([0.5, 2.0]))
    tensor([-0.4445,  0.5104])
    """
    return unary(BESSEL_Y0, input, out)

def bessel_y1(input, *, out=None):
    """Return the Bessel function of the second kind of order 1; -inf at 0, nan below.

    It is -inf at 0 and nan below, and has no derivative here, as in PyTorch.

    >>> import taeda
    >>> taeda.special.bessel_y1(taeda.tensor([0.5, 2.0]))
    tensor([-1.4715, -0.1070])
    """
    return unary(BESSEL_Y1, input, out)

def modified_bessel_i0(input, *, out=None):
    """Return the modified Bessel function of the first kind of order 0; :func:`i0` is the same with a derivative.

    >>> import taeda
    >>> taeda.special.modified_bessel_i0(taeda.tensor([0.5, 2.0]))
    tensor([1.0635, 2.2796])
    """
    return unary(MODIFIED_I0, input, out)

def modified_bessel_i1(input, *, out=None):
    """Return the modified Bessel function of the first kind of order 1; :func:`i1` is the same with a derivative.

    >>> import taeda
    >>> taeda.special.modified_bessel_i1(taeda.tensor([0.5, 2.0]))
    tensor([0.2579, 1.5906])
    """
    return unary(MODIFIED_I1, input, out)

def modified_bessel_k0(input, *, out=None):
    """Return the modified Bessel function of the second kind of order 0; inf at 0, nan below.

    >>> import taeda
    >>> taeda.special.modified_bessel_k0(taeda.tensor([0.5, 2.0]))
    tensor([0.9244, 0.1139])
    """
    return unary(MODIFIED_K0, input, out)

def modified_bessel_k1(input, *, out=None):
    """Return the modified Bessel function of the second kind of order 1; inf at 0, nan below.

    >>> import taeda
    >>> taeda.special.modified_bessel_k1(taeda.tensor([0.5, 2.0]))
    tensor([1.6564, 0.1399])
    """
    return unary(MODIFIED_K1, input, out)

def scaled_modified_bessel_k0(input, *, out=None):
    """Return e^x K0(x), which does not vanish for large x; inf at 0, nan below.

    >>> import taeda
    >>> taeda.special.scaled_modified_bessel_k0(taeda.tensor([0.5, 2.0]))
    tensor([1.5241, 0.8416])
    """
    return unary(SCALED_K0, input, out)

def scaled_modified_bessel_k1(input, *, out=None):
    """Return e^x K1(x), which does not vanish for large x; inf at 0, nan below.

    >>> import taeda
    >>> taeda.special.scaled_modified_bessel_k1(taeda.tensor([0.5, 2.0]))
    tensor([2.7310, 1.0335])
    """
    return unary(SCALED_K1, input, out)

def spherical_bessel_j0(input, *, out=None):
    """Return the spherical Bessel function of the first kind of order 0: sin(x) / x, 1 at 0.

    It is 1 at 0.

    >>> import taeda
    >>> taeda.special.spherical_bessel_j0(taeda.tensor([0.5, 2.0]))
    tensor([0.9589, 0.4546])
    """
    return unary(SPHERICAL_J0, input, out)


PUBLIC = ("i0", "i0_")
__all__ = PUBLIC + (
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "i0e", "i1", "i1e", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
)
METHODS = {"i0": i0, "i0_": i0_}

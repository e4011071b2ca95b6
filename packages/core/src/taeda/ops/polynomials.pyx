# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Orthogonal polynomials of degree n at x; either may be a number.  PyTorch does not differentiate them.

The degree is truncated to an integer; one that is then negative gives 0.
"""
from taeda.dispatch cimport FLOAT, NOTHING, Op, binary, define

cdef Op CHEBYSHEV_T = define("chebyshev_polynomial_t", NULL, NOTHING, FLOAT)
cdef Op CHEBYSHEV_U = define("chebyshev_polynomial_u", NULL, NOTHING, FLOAT)
cdef Op CHEBYSHEV_V = define("chebyshev_polynomial_v", NULL, NOTHING, FLOAT)
cdef Op CHEBYSHEV_W = define("chebyshev_polynomial_w", NULL, NOTHING, FLOAT)
cdef Op SHIFTED_T = define("shifted_chebyshev_polynomial_t", NULL, NOTHING, FLOAT)
cdef Op SHIFTED_U = define("shifted_chebyshev_polynomial_u", NULL, NOTHING, FLOAT)
cdef Op SHIFTED_V = define("shifted_chebyshev_polynomial_v", NULL, NOTHING, FLOAT)
cdef Op SHIFTED_W = define("shifted_chebyshev_polynomial_w", NULL, NOTHING, FLOAT)
cdef Op HERMITE_H = define("hermite_polynomial_h", NULL, NOTHING, FLOAT)
cdef Op HERMITE_HE = define("hermite_polynomial_he", NULL, NOTHING, FLOAT)
cdef Op LAGUERRE = define("laguerre_polynomial_l", NULL, NOTHING, FLOAT)
cdef Op LEGENDRE = define("legendre_polynomial_p", NULL, NOTHING, FLOAT)


def chebyshev_polynomial_t(input, n, *, out=None):
    """Return Chebyshev's polynomial of the first kind: T_n(cos t) = cos(n t).

    >>> import taeda
    >>> taeda.special.chebyshev_polynomial_t(taeda.tensor([0.5, 2.]), 3)
    tensor([-1., 26.])
    """
    return binary(CHEBYSHEV_T, input, n, out)

def chebyshev_polynomial_u(input, n, *, out=None):
    """Return Chebyshev's polynomial of the second kind: U_n(cos t) = sin((n+1) t) / sin t.

    U_0 = 1, U_1 = 2x, U_n = 2x U_(n-1) - U_(n-2).

    >>> import taeda
    >>> taeda.special.chebyshev_polynomial_u(taeda.tensor([0.5, 0.9]), 2)
    tensor([0.0000, 2.2400])
    """
    return binary(CHEBYSHEV_U, input, n, out)

def chebyshev_polynomial_v(input, n, *, out=None):
    """Return Chebyshev's polynomial of the third kind: V_n(cos t) = cos((n+1/2) t) / cos(t/2).

    V_0 = 1, V_1 = 2x - 1, V_n = 2x V_(n-1) - V_(n-2).

    >>> import taeda
    >>> taeda.special.chebyshev_polynomial_v(taeda.tensor([0.5, 0.9]), 2)
    tensor([-1.0000,  0.4400])
    """
    return binary(CHEBYSHEV_V, input, n, out)

def chebyshev_polynomial_w(input, n, *, out=None):
    """Return Chebyshev's polynomial of the fourth kind: W_n(cos t) = sin((n+1/2) t) / sin(t/2).

    W_0 = 1, W_1 = 2x + 1, W_n = 2x W_(n-1) - W_(n-2).

    >>> import taeda
    >>> taeda.special.chebyshev_polynomial_w(taeda.tensor([0.5, 0.9]), 2)
    tensor([1.0000, 4.0400])
    """
    return binary(CHEBYSHEV_W, input, n, out)

def shifted_chebyshev_polynomial_t(input, n, *, out=None):
    """Return T_n(2 x - 1), see :func:`chebyshev_polynomial_t`.

    >>> import taeda
    >>> taeda.special.shifted_chebyshev_polynomial_t(taeda.tensor([0.5, 0.9]), 2)
    tensor([-1.0000,  0.2800])
    """
    return binary(SHIFTED_T, input, n, out)

def shifted_chebyshev_polynomial_u(input, n, *, out=None):
    """Return U_n(2 x - 1), see :func:`chebyshev_polynomial_u`.

    >>> import taeda
    >>> taeda.special.shifted_chebyshev_polynomial_u(taeda.tensor([0.5, 0.9]), 2)
    tensor([-1.0000,  1.5600])
    """
    return binary(SHIFTED_U, input, n, out)

def shifted_chebyshev_polynomial_v(input, n, *, out=None):
    """Return V_n(2 x - 1), see :func:`chebyshev_polynomial_v`.

    >>> import taeda
    >>> taeda.special.shifted_chebyshev_polynomial_v(taeda.tensor([0.5, 0.9]), 2)
    tensor([-1.0000, -0.0400])
    """
    return binary(SHIFTED_V, input, n, out)

def shifted_chebyshev_polynomial_w(input, n, *, out=None):
    """Return W_n(2 x - 1), see :func:`chebyshev_polynomial_w`.

    >>> import taeda
    >>> taeda.special.shifted_chebyshev_polynomial_w(taeda.tensor([0.5, 0.9]), 2)
    tensor([-1.0000,  3.1600])
    """
    return binary(SHIFTED_W, input, n, out)

def hermite_polynomial_h(input, n, *, out=None):
    """Return the physicist's Hermite polynomial: H_n = 2x H_(n-1) - 2 (n-1) H_(n-2), where H_0 = 1 and H_1 = 2x.

    >>> import taeda
    >>> taeda.special.hermite_polynomial_h(taeda.tensor([0.5, 0.9]), 2)
    tensor([-1.0000,  1.2400])
    """
    return binary(HERMITE_H, input, n, out)

def hermite_polynomial_he(input, n, *, out=None):
    """Return the probabilist's Hermite polynomial: He_n = x He_(n-1) - (n-1) He_(n-2), where He_0 = 1 and He_1 = x.

    >>> import taeda
    >>> taeda.special.hermite_polynomial_he(taeda.tensor([0.5, 0.9]), 2)
    tensor([-0.7500, -0.1900])
    """
    return binary(HERMITE_HE, input, n, out)

def laguerre_polynomial_l(input, n, *, out=None):
    """Return Laguerre's polynomial: n L_n = (2n - 1 - x) L_(n-1) - (n-1) L_(n-2), where L_0 = 1 and L_1 = 1 - x.

    >>> import taeda
    >>> taeda.special.laguerre_polynomial_l(taeda.tensor([0.5, 0.9]), 2)
    tensor([ 0.1250, -0.3950])
    """
    return binary(LAGUERRE, input, n, out)

def legendre_polynomial_p(input, n, *, out=None):
    """Return Legendre's polynomial: n P_n = (2n - 1) x P_(n-1) - (n-1) P_(n-2), where P_0 = 1 and P_1 = x.

    >>> import taeda
    >>> taeda.special.legendre_polynomial_p(taeda.tensor([0.5, 0.9]), 2)
    tensor([-0.1250,  0.7150])
    """
    return binary(LEGENDRE, input, n, out)


__all__ = (
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
    "legendre_polynomial_p",
)

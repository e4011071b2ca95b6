"""Windows of signals: bartlett, blackman, hamming, hann, kaiser.

``periodic`` leaves out the last sample of the symmetric window one longer, so that copies of the window join seamlessly, as
the transforms of ``taeda.fft`` and ``taeda.stft`` want.  ``taeda.signal.windows`` has the same under newer signatures, and others.
"""

from __future__ import annotations

import functools
import math

from taeda.dtype import NAMES, get_default_dtype, type_name
from taeda.layout import strided
from taeda.operands import as_index
from taeda.ops.bessel import i0, i0e
from taeda.ops.conversion import tensor
from taeda.ops.creation import empty, ones
from taeda.ops.matmul import write_result
from taeda.ops.sequences import arange

PUBLIC = ("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window")
__all__ = list(PUBLIC)
METHODS: dict = {}

_NARROW = ("float16", "bfloat16")


def _samples(op, window_length, periodic, dtype, layout, device):
    """Check the arguments; return the sample numbers (None: the window has at most one) and the symmetric window's length."""
    if isinstance(window_length, bool) or not hasattr(window_length, "__index__"):
        raise TypeError(f"[{op}] argument 'window_length' must be int, not {type(window_length).__name__}")
    n = as_index(op, window_length)
    dtype = dtype or get_default_dtype()
    if layout is not None and layout != strided:
        raise RuntimeError(f"[{op}] {op} is not implemented for sparse types, got: {layout}")
    if not isinstance(dtype, type(get_default_dtype())):
        raise TypeError(f"[{op}] argument 'dtype' must be a dtype, not {type(dtype).__name__}")
    if dtype.is_complex:
        raise NotImplementedError(f"[{op}] not implemented for '{type_name(dtype)}'")
    if not dtype.is_floating_point:
        raise RuntimeError(f"[{op}] {op} expects floating point dtypes, got: {dtype}")
    if n < 0:
        raise RuntimeError(f"[{op}] {op} requires non-negative window_length, got window_length={n}")
    if n == 0:
        return empty(0, dtype=dtype, device=device), 0, dtype
    if n == 1:
        return ones(1, dtype=dtype, device=device), 1, dtype
    length = n + 1 if periodic else n
    return ramp(n, dtype, device), length, dtype


def ramp(n, dtype, device=None):
    """Return 0, 1, ..., n - 1 as floating-point numbers, of single precision where ``dtype`` is narrower."""
    return arange(n, dtype=NAMES["float32"] if dtype.name in _NARROW else dtype, device=device)


def cosines(angle, coefficients):
    """Return a_0 - a_1 cos(angle) + a_2 cos(2 angle) - ..."""
    y = angle.new_full(angle.shape, coefficients[0])
    for k, a in enumerate(coefficients[1:], 1):
        y = y + (angle * k).cos() * (-a if k % 2 else a)
    return y


def _finished(y, dtype, out, requires_grad, op):
    y = y.to(dtype)
    return write_result(out, y, op) if out is not None else y.requires_grad_(bool(requires_grad))


def _cosine_window(op, coefficients, window_length, periodic, out, dtype, layout, device, requires_grad):
    y, length, dtype = _samples(op, window_length, periodic, dtype, layout, device)
    if length > 1:
        angle = y * (2 * math.pi / (length - 1))
        terms = [(angle * k).cos() * (-a if k % 2 else a) for k, a in enumerate(coefficients) if k]
        y = sum(terms[-2::-1], terms[-1]) + coefficients[0]          # PyTorch's order, the constant last: it rounds otherwise
    return _finished(y, dtype, out, requires_grad, op)


def hann_window(window_length, periodic=True, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
                pin_memory=False):
    """Return the Hann window: w_k = 1/2 - 1/2 cos(2 pi k / N), N the length if ``periodic``, else the length - 1.

    Raises RuntimeError for negative lengths and dtypes that are not floating-point.

    >>> import taeda
    >>> taeda.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _cosine_window("hann_window", (0.5, 0.5), window_length, periodic, out, dtype, layout, device, requires_grad)


def hamming_window(window_length, periodic=True, alpha=0.54, beta=0.46, *, out=None, dtype=None, layout=None, device=None,
                   requires_grad=False, pin_memory=False):
    """Return the Hamming window: w_k = alpha - beta cos(2 pi k / N).

    >>> import taeda
    >>> taeda.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _cosine_window("hamming_window", (alpha, beta), window_length, periodic, out, dtype, layout, device, requires_grad)


def blackman_window(window_length, periodic=True, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
                    pin_memory=False):
    """Return the Blackman window: w_k = 0.42 - 0.5 cos(2 pi k / N) + 0.08 cos(4 pi k / N).

    >>> import taeda
    >>> taeda.blackman_window(4)[1]
    tensor(0.3400)
    """
    return _cosine_window("blackman_window", (0.42, 0.5, 0.08), window_length, periodic, out, dtype, layout, device, requires_grad)


def bartlett_window(window_length, periodic=True, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
                    pin_memory=False):
    """Return the triangle from 0 to 1 and back: w_k = 1 - |2 k / N - 1|.

    >>> import taeda
    >>> taeda.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    k, length, dtype = _samples("bartlett_window", window_length, periodic, dtype, layout, device)
    if length > 1:
        k = k * (2 / (length - 1))
        k = k.minimum(2 - k)
    return _finished(k, dtype, out, requires_grad, "bartlett_window")


def kaiser_window(window_length, periodic=True, beta=12.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
                  pin_memory=False):
    """Return the Kaiser window: w_k = I0(beta sqrt(1 - (2 k / N - 1)^2)) / I0(beta).

    >>> import taeda
    >>> taeda.kaiser_window(4, beta=0.0)
    tensor([1., 1., 1., 1.])
    """
    k, length, dtype = _samples("kaiser_window", window_length, periodic, dtype, layout, device)
    y = kaiser(k, length, beta) if length > 1 else k
    return _finished(y, dtype, out, requires_grad, "kaiser_window")


def kaiser(k, length, beta):
    """Return the Kaiser window of ``length`` at the samples k, in double precision."""
    place = k.to(NAMES["float64"]) * (2 / (length - 1)) - 1
    height = (1 - place * place).clamp(min=0).sqrt()
    if beta > 700:                                  # I0 overflows beyond 713: both with their exponentials divided out
        return (beta * (height - 1)).exp() * i0e(beta * height) / _at(i0e, float(beta))
    return i0(beta * height) / _at(i0, float(beta))


@functools.lru_cache(maxsize=64)
def _at(function, beta):
    return float(function(tensor(beta, dtype=NAMES["float64"], device="cpu")))

"""Windows of signals (PyTorch's ``torch.signal.windows``): symmetric unless ``sym=False``, of float32 or float64."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import math
import sys

from taeda.dtype import get_default_dtype
from taeda.layout import strided
from taeda.ops.creation import empty, ones
from taeda.ops.windows import cosines, kaiser as kaiser_at, ramp

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann", "kaiser",
    "nuttall",
]  # fmt: skip


def _window(formula):
    """Make a public window of ``formula(k, N, **parameters)``, k being the samples and N the symmetric window's length."""
    op = formula.__name__

    @functools.wraps(formula)
    def window(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False, **parameters):
        wanted = dtype or get_default_dtype()
        if isinstance(M, bool) or not hasattr(M, "__index__"):
            raise TypeError(f"[{op}] argument 'M' must be int, not {type(M).__name__}")
        if M < 0:
            raise ValueError(f"[{op}] {op} requires non-negative window length, got M={M}")
        if layout is not strided:
            raise ValueError(f"[{op}] {op} is implemented for strided tensors only, got: {layout}")
        if wanted.name not in ("float32", "float64"):
            raise ValueError(f"[{op}] {op} expects float32 or float64 dtypes, got: {wanted}")
        values = formula(ramp(M, wanted, device), M if sym or M < 1 else M + 1, sym=sym, **parameters)
        if M == 0 or (M == 1 and "center" not in parameters):      # whatever the formula divides by; its parameters have been checked
            values = ones(1, dtype=wanted, device=device) if M else empty(0, dtype=wanted, device=device)
        return values.to(wanted).requires_grad_(requires_grad)

    size, *tensors, _ = inspect.signature(window, follow_wrapped=False).parameters.values()
    own = [p for name, p in inspect.signature(formula).parameters.items() if name not in ("k", "length")]
    window.__signature__ = inspect.Signature([size, *own, *(p for p in tensors if p.name != "sym")])  # type: ignore[attr-defined]
    return window


def _step(length):
    """Return 1 / (length - 1), for windows of one sample anything."""
    return 1 / max(length - 1, 1)


@_window
def exponential(k, length, *, center=None, tau=1.0, sym=True):
    """Return w_k = exp(-|k - center| / tau); center is (M - 1) / 2, or M / 2 without ``sym``, where it may be given.

    ValueError for tau <= 0 and for a center of a symmetric window.

    >>> import taeda.signal
    >>> taeda.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ValueError(f"[exponential] Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError(f"[exponential] Center must be None for symmetric windows, got {center}")
    return (-(k - ((length - 1) / 2 if center is None else center)).abs() / tau).exp()


@_window
def cosine(k, length, *, sym=True):
    """Return w_k = sin(pi (k + 1/2) / N), N the length of the symmetric window.

    >>> import taeda.signal
    >>> taeda.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return ((k + 0.5) * (math.pi / max(length, 1))).sin()


@_window
def gaussian(k, length, *, std=1.0, sym=True):
    """Return w_k = exp(-((k - (N - 1) / 2) / std)^2 / 2).  ValueError for std <= 0.

    >>> import taeda.signal
    >>> taeda.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"[gaussian] Standard deviation must be positive, got: {std} instead.")
    return (((k - (length - 1) / 2) / std) ** 2 * -0.5).exp()


@_window
def kaiser(k, length, *, beta=12.0, sym=True):
    """Return w_k = I0(beta sqrt(1 - (2 k / (N - 1) - 1)^2)) / I0(beta).  ValueError for beta < 0.

    >>> import taeda.signal
    >>> taeda.signal.windows.kaiser(3, beta=1.0)
    tensor([0.7898, 1.0000, 0.7898])
    """
    if beta < 0:
        raise ValueError(f"[kaiser] beta must be non-negative, got: {beta} instead.")
    return kaiser_at(k, max(length, 2), beta)


@_window
def bartlett(k, length, *, sym=True):
    """Return w_k = 1 - |2 k / (N - 1) - 1|.

    >>> import taeda.signal
    >>> taeda.signal.windows.bartlett(3)
    tensor([0., 1., 0.])
    """
    return 1 - (k * (2 * _step(length)) - 1).abs()


@_window
def general_cosine(k, length, *, a, sym=True):
    """Return w_k = a_0 - a_1 cos(t) + a_2 cos(2 t) - ..., t = 2 pi k / (N - 1).  ``a`` is a list of numbers.

    >>> import taeda.signal
    >>> taeda.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    if not isinstance(a, collections.abc.Iterable):
        raise TypeError(f"[general_cosine] Coefficients must be a list/tuple, got {type(a).__name__}")
    if not a:
        raise ValueError("[general_cosine] Coefficients cannot be empty")
    return cosines(k * (2 * math.pi * _step(length)), list(a))


def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Return w_k = alpha - (1 - alpha) cos(2 pi k / (N - 1)).

    >>> import taeda.signal
    >>> taeda.signal.windows.general_hamming(3, alpha=0.6)
    tensor([0.2000, 1.0000, 0.2000])
    """
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hamming(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Return w_k = 0.54 - 0.46 cos(2 pi k / (N - 1)).

    >>> import taeda.signal
    >>> taeda.signal.windows.hamming(5)
    tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Return w_k = 1/2 - 1/2 cos(2 pi k / (N - 1)).

    >>> import taeda.signal
    >>> taeda.signal.windows.hann(3)
    tensor([0., 1., 0.])
    """
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def blackman(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Return w_k = 0.42 - 0.5 cos(t) + 0.08 cos(2 t), t = 2 pi k / (N - 1).

    >>> import taeda.signal
    >>> taeda.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def nuttall(M, *, sym=True, dtype=None, layout=strided, device=None, requires_grad=False):
    """Return the four-term window with the lowest side lobes.

    Source: Nuttall, Some windows with very good sidelobe behavior, IEEE Trans. ASSP 29 (1981), the minimum four-term window.

    >>> import taeda.signal
    >>> taeda.signal.windows.nuttall(5)[1:4]
    tensor([0.2270, 1.0000, 0.2270])
    """
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)


sys.modules[f"{__name__}.windows"] = windows = sys.modules[__name__]     # the file in which PyTorch keeps them

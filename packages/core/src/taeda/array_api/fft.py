"""The standard's extension of Fourier transforms, by ``taeda.fft``: ``axis`` and ``axes`` for ``dim``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda import Tensor, fft as transforms

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip


def _one(name: str) -> Callable[..., Tensor]:
    f = getattr(transforms, name)

    def transform(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
        return f(x, n, axis, norm)

    return _named(transform, name)


def _many(name: str) -> Callable[..., Tensor]:
    f = getattr(transforms, name)

    def transform(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Tensor:
        return f(x, s, axes, norm)

    return _named(transform, name)


def _named(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"As :func:`taeda.fft.{name}`."
    return function


fft, ifft, rfft, irfft, hfft, ihfft = [_one(name) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")]
fftn, ifftn, rfftn, irfftn = [_many(name) for name in ("fftn", "ifftn", "rfftn", "irfftn")]


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the frequencies of :func:`fft`'s n elements for samples ``d`` apart."""
    return transforms.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return the frequencies of :func:`rfft`'s elements for n samples ``d`` apart."""
    return transforms.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x: Any, /, *, axes: Any = None) -> Tensor:
    """Return x with the zero frequency in the middle of some axes, all by default."""
    return transforms.fftshift(x, axes)


def ifftshift(x: Any, /, *, axes: Any = None) -> Tensor:
    """Undo :func:`fftshift`."""
    return transforms.ifftshift(x, axes)

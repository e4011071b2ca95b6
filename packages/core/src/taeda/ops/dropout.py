"""Dropout: zeroes at random, and what is left scaled up so that the expected value stays.

The mask is one Bernoulli draw an element (or a channel) from the tensor's generator, in memory order, as
PyTorch draws it on the CPU: the same seed gives the same mask, bit for bit.
"""

from __future__ import annotations

from typing import Any

from taeda import _above
from taeda.dtype import type_name
from taeda.layout import contiguous_format, preserve_format
from taeda.operands import need_tensor, real_number
from taeda.ops.creation import empty_like

__all__ = [
    "alpha_dropout", "alpha_dropout_", "dropout", "dropout_", "feature_alpha_dropout", "feature_alpha_dropout_", "feature_dropout",
    "feature_dropout_",
]  # fmt: skip
PUBLIC = tuple(__all__)
METHODS: dict[str, Any] = {}

SELU_DEPTH = 1.7580993408473766        # SELU's alpha times its scale: what it never falls below, but for the sign


def _check(op: str, x: Any, p: Any) -> float:
    """Return p as a number: no draw from a tensor of probabilities."""
    need_tensor(op, "input", x)
    p = real_number(op, "p", p)
    if not 0 <= p <= 1:  # also when p is NaN
        raise ValueError(f"[{op}] dropout probability has to be between 0 and 1, but got {p}")
    return p


def _noise(op: str, x: Any, p: float, by_channel: bool) -> Any:
    """Draw 1 / (1 - p) with probability 1 - p, else 0: for each element, or each channel of each sample."""
    if by_channel:
        if x.dim() < 2:
            raise RuntimeError(f"[{op}] Feature dropout requires at least 2 dimensions in the input, got {tuple(x.shape)}")
        noise = x.new_empty(tuple(x.shape[:2]) + (1,) * (x.dim() - 2))
    else:                                 # under a transform PyTorch has another dropout, which draws in rows
        noise = empty_like(x, memory_format=contiguous_format if "alpha" not in op and _above.transforms_run() else preserve_format)
    if x.is_complex():
        raise NotImplementedError(f"[{op}] not implemented for '{type_name(x.dtype)}'; dropout takes floating point tensors")
    if not x.is_floating_point():
        raise RuntimeError(f"[{op}] result type Float can't be cast to the desired output type {type_name(x.dtype)}; "
                           "dropout takes floating point tensors")
    return noise.bernoulli_(1 - p)


def _dropout(op: str, x: Any, p: float, train: bool, by_channel: bool, inplace: bool) -> Any:
    p = _check(op, x, p)
    if p == 0 or not train or x.numel() == 0:
        return x
    if p == 1:
        noise = x.new_zeros(())
    else:
        noise = _noise(op, x, p, by_channel).div_(1 - p)
    return x.mul_(noise) if inplace else x * noise


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero each element with probability p and divide the rest by 1 - p; the input itself when not training.

    Args:
        input: floating point tensor of any shape.
        p: probability in [0, 1], else ValueError.
        training: if false, nothing happens.
        inplace: write into the input.

    Source: Hinton et al. 2012, https://arxiv.org/abs/1207.0580.

    >>> import taeda
    >>> taeda.dropout(taeda.ones(3), 1.0, True)
    tensor([0., 0., 0.])
    """
    return _dropout("dropout", input, p, training, False, inplace)


def dropout_(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In-place :func:`dropout`."""
    return _dropout("dropout_", input, p, training, False, True)


def feature_dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, ...) with probability p and divide the rest by 1 - p.

    >>> import taeda
    >>> taeda.feature_dropout(taeda.ones(1, 2, 2), 0.0, True)
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    return _dropout("feature_dropout", input, p, training, True, inplace)


def feature_dropout_(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In-place :func:`feature_dropout`."""
    return _dropout("feature_dropout_", input, p, training, True, True)


def _alpha(op: str, x: Any, p: float, train: bool, by_channel: bool, inplace: bool) -> Any:
    """y = a (x b + d): dropped values become -1.758, and mean and variance are put back."""
    p = _check(op, x, p)
    if p == 0 or not train or x.numel() == 0:
        return x
    if p == 1:
        return x.mul_(x.new_zeros(())) if inplace else x * x.new_zeros(())
    noise = _noise(op, x, p, by_channel)
    scale = alpha_scale(p)
    shift = noise.sub(1).mul_(SELU_DEPTH * scale).add_(SELU_DEPTH * scale * p)
    noise.mul_(scale)
    return x.mul_(noise).add_(shift) if inplace else x * noise + shift


def alpha_scale(p: float) -> float:
    """What mean 0 and variance 1 are kept by, where elements fall to -SELU_DEPTH with probability p."""
    return 1.0 / ((SELU_DEPTH * SELU_DEPTH * p + 1) * (1 - p)) ** 0.5


def alpha_dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Drop elements to SELU's lower limit with probability p, keeping zero mean and unit variance.

    Source: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.

    >>> import taeda
    >>> taeda.alpha_dropout(taeda.ones(2), 0.0, True)
    tensor([1., 1.])
    """
    return _alpha("alpha_dropout", input, p, training, False, inplace)


def alpha_dropout_(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In-place :func:`alpha_dropout`."""
    return _alpha("alpha_dropout_", input, p, training, False, True)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """:func:`alpha_dropout` of whole channels of (N, C, ...).

    >>> import taeda
    >>> taeda.feature_alpha_dropout(taeda.ones(1, 2, 1), 0.0, True)
    tensor([[[1.],
             [1.]]])
    """
    return _alpha("feature_alpha_dropout", input, p, training, True, inplace)


def feature_alpha_dropout_(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In-place :func:`feature_alpha_dropout`."""
    return _alpha("feature_alpha_dropout_", input, p, training, True, True)

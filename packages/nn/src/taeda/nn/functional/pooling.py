"""Pooling: maxima and means over windows, and their inverses.  The arithmetic is core's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.nn.functional._common import need_tensors, prod, tuple_of

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices", "avg_pool1d", "avg_pool2d", "lp_pool1d",
    "lp_pool2d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices",
    "max_unpool1d", "max_unpool2d",
]  # fmt: skip

avg_pool1d = ops.avg_pool1d
avg_pool2d = ops.avg_pool2d
adaptive_avg_pool1d = ops.adaptive_avg_pool1d


def _output_size(output_size: Any, input: Tensor, n: int) -> tuple[int, ...]:
    """Fill each None of an adaptive output size with the input's own size."""
    if not isinstance(output_size, Sequence):
        output_size = (output_size,) * n
    sizes = input.shape[-n:] if input.ndim >= n else (0,) * n
    return tuple(own if want is None else want for want, own in zip(output_size, sizes, strict=False))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Average over windows chosen so that the result is ``output_size``.

    Args:
        input: (B, C, H, W) or (C, H, W); output_size: a number or (h, w), where None keeps the input's.
    """
    need_tensors("adaptive_avg_pool2d", input)
    return ops.adaptive_avg_pool2d(input, _output_size(output_size, input, 2))


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Take maxima over windows chosen so that the result has ``output_size`` values; also their places."""
    return ops.adaptive_max_pool1d(input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the maxima of ``adaptive_max_pool1d`` and their places."""
    return ops.adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Take maxima over windows chosen so that the result is ``output_size``; also their places."""
    need_tensors("adaptive_max_pool2d", input)
    return ops.adaptive_max_pool2d(input, _output_size(output_size, input, 2), return_indices)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the maxima of ``adaptive_max_pool2d`` and their places."""
    need_tensors("adaptive_max_pool2d_with_indices", input)
    return ops.adaptive_max_pool2d(input, _output_size(output_size, input, 2), True)


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the maximum of each window of (B, C, L) or (C, L); with ``return_indices`` also its place."""
    return ops.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima of ``max_pool1d`` and their places."""
    return ops.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the maximum of each window of (B, C, H, W) or (C, H, W); with ``return_indices`` also its place."""
    return ops.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima of ``max_pool2d`` and their places."""
    return ops.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def _unpool(input: Tensor, indices: Tensor, kernel: Any, stride: Any, padding: Any, output_size: Any, n: int) -> Tensor:
    op = f"max_unpool{n}d"
    need_tensors(op, input, indices)
    if input.shape != indices.shape:
        raise RuntimeError(
            f"[{op}] input and indices must have the same shape, got {tuple(input.shape)} and {tuple(indices.shape)}"
        )
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(f"[{op}] input must have {n + 1} or {n + 2} dimensions, got {tuple(input.shape)}")
    kernel = tuple_of(kernel, n, op, "kernel_size")
    stride = kernel if stride is None or stride == [] else tuple_of(stride, n, op, "stride")
    padding = tuple_of(padding, n, op, "padding")
    lead, spatial = tuple(input.shape[:-n]), input.shape[-n:]
    default = [(s - 1) * st - 2 * p + k for s, st, p, k in zip(spatial, stride, padding, kernel, strict=True)]
    size = default
    if output_size is not None:
        size = list(output_size)[-n:]
        for d, (want, usual, st) in enumerate(zip(size, default, stride, strict=True)):
            if not usual - st < want < usual + st:
                raise ValueError(
                    f'[{op}] invalid output_size "{tuple(size)}" (dim {d} must be between {usual - st} and {usual + st})'
                )
    length = prod(size)
    flat = indices.flatten(-n)
    if flat.numel() and not flat.is_meta and (int(flat.max()) >= length or int(flat.min()) < 0):
        raise RuntimeError(
            f"[{op}] Found an invalid max index: {int(flat.max())} (output volumes are of size {'x'.join(map(str, size))})"
        )
    y = taeda.zeros((*lead, length), dtype=input.dtype, device=input.device)
    return y.scatter(-1, flat, input.flatten(-n)).reshape(*lead, *size)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Put the maxima of ``max_pool1d`` back in their places, zeros elsewhere."""
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 1)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Put the maxima of ``max_pool2d`` back in their places, zeros elsewhere."""
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 2)


def _lp(mean: Tensor, norm_type: float, count: int) -> Tensor:
    # The sign is kept for odd powers of negative windows, as PyTorch keeps it.
    return (taeda.sign(mean) * ops.relu(mean.abs()) * count).pow(1.0 / norm_type)


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: int, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """Return (sum over each window of x^p)^(1/p)."""
    need_tensors("lp_pool1d", input)
    mean = ops.avg_pool1d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return _lp(mean, norm_type, tuple_of(kernel_size, 1, "lp_pool1d", "kernel_size")[0])


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """Return (sum over each window of x^p)^(1/p)."""
    need_tensors("lp_pool2d", input)
    mean = ops.avg_pool2d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return _lp(mean, norm_type, prod(tuple_of(kernel_size, 2, "lp_pool2d", "kernel_size")))

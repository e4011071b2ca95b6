"""Pooling: maxima and means over windows, and their inverses.  The arithmetic is core's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.nn.functional._common import need_tensors, tuple_of, with_indices

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d",
    "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices",
    "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

avg_pool1d = ops.avg_pool1d
avg_pool2d = ops.avg_pool2d
avg_pool3d = ops.avg_pool3d
adaptive_avg_pool1d = ops.adaptive_avg_pool1d


def _output_size(op: str, output_size: Any, input: Tensor, n: int) -> Any:
    """Fill each None of an adaptive output size with the input's own size."""
    if output_size is None:
        output_size = (None,) * n
    if not isinstance(output_size, Sequence):
        return output_size
    if input.ndim <= len(output_size):
        raise ValueError(
            f"[{op}] Input dimension should be at least {len(output_size) + 1} for output_size {tuple(output_size)}, "
            f"but got input of shape {tuple(input.shape)}"
        )
    if not output_size:
        raise RuntimeError(f"[{op}] output_size must be {n} numbers, got none")
    sizes = input.shape[-len(output_size) :]
    return tuple(own if want is None else want for want, own in zip(output_size, sizes, strict=True))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Average over windows chosen so that the result is ``output_size``.

    Args:
        input: (B, C, H, W) or (C, H, W); where the output_size is 1, any number of dimensions before these.
        output_size: a number or (h, w), where None keeps the input's.

    An output covers the inputs from floor(i n / m) to ceil((i + 1) n / m).

    >>> import taeda, taeda.nn.functional as F
    >>> F.adaptive_avg_pool2d(taeda.arange(16.0).reshape(1, 1, 4, 4), 1).flatten()
    tensor([7.5000])
    """
    need_tensors("adaptive_avg_pool2d", input)
    size = _output_size("adaptive_avg_pool2d", output_size, input, 2)
    if input.ndim > 4 and size in (1, (1, 1)):
        return input.mean((-2, -1), keepdim=True)
    return ops.adaptive_avg_pool2d(input, size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Average over windows chosen so that the result is ``output_size``.

    Args:
        input: (B, C, D, H, W) or (C, D, H, W); where the output_size is 1, any number of dimensions before these.
        output_size: a number or (d, h, w), where None keeps the input's.

    An output covers the inputs from floor(i n / m) to ceil((i + 1) n / m).

    >>> import taeda, taeda.nn.functional as F
    >>> F.adaptive_avg_pool3d(taeda.arange(64.0).reshape(1, 1, 4, 4, 4), 1).flatten()
    tensor([31.5000])
    """
    need_tensors("adaptive_avg_pool3d", input)
    size = _output_size("adaptive_avg_pool3d", output_size, input, 3)
    if input.ndim > 5 and size in (1, (1, 1, 1)):
        return input.mean((-3, -2, -1), keepdim=True)
    return ops.adaptive_avg_pool3d(input, size)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Take maxima over windows chosen so that the result has ``output_size`` values; also their places.

    An output covers the inputs from floor(i n / m) to ceil((i + 1) n / m).

    >>> import taeda, taeda.nn.functional as F
    >>> F.adaptive_max_pool1d(taeda.arange(6.0).reshape(1, 1, 6), 1).flatten()
    tensor([5.])
    """
    return ops.adaptive_max_pool1d(input, output_size, return_indices)


adaptive_max_pool1d_with_indices = with_indices(adaptive_max_pool1d)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Take maxima over windows chosen so that the result is ``output_size``; also their places.

    An output covers the inputs from floor(i n / m) to ceil((i + 1) n / m).

    >>> import taeda, taeda.nn.functional as F
    >>> F.adaptive_max_pool2d(taeda.arange(16.0).reshape(1, 1, 4, 4), 1).flatten()
    tensor([15.])
    """
    need_tensors("adaptive_max_pool2d", input)
    return ops.adaptive_max_pool2d(
        input, _output_size("adaptive_max_pool2d", output_size, input, 2), return_indices
    )


adaptive_max_pool2d_with_indices = with_indices(adaptive_max_pool2d)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Take maxima over windows chosen so that the result is ``output_size``; also their places.

    An output covers the inputs from floor(i n / m) to ceil((i + 1) n / m).

    >>> import taeda, taeda.nn.functional as F
    >>> F.adaptive_max_pool3d(taeda.arange(64.0).reshape(1, 1, 4, 4, 4), 1).flatten()
    tensor([63.])
    """
    need_tensors("adaptive_max_pool3d", input)
    return ops.adaptive_max_pool3d(
        input, _output_size("adaptive_max_pool3d", output_size, input, 3), return_indices
    )


adaptive_max_pool3d_with_indices = with_indices(adaptive_max_pool3d)


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the maximum of each window of (B, C, L) or (C, L); with ``return_indices`` also its place.

    Args:
        kernel_size: length of a window.
        stride: from one window to the next; kernel_size by default.
        padding: elements of -inf added at both ends, at most half of the window.
        dilation: from one element of a window to the next.
        ceil_mode: also take a last window that begins inside and ends outside.
        return_indices: return (maxima, places in L).

    The result has (L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1 elements, rounded down.

    >>> import taeda, taeda.nn.functional as F
    >>> F.max_pool1d(taeda.arange(6.0).reshape(1, 1, 6), 2).flatten()
    tensor([1., 3., 5.])
    """
    return ops.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


max_pool1d_with_indices = with_indices(max_pool1d)


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the maximum of each window of (B, C, H, W) or (C, H, W); with ``return_indices`` also its place.

    Args:
        kernel_size: a number or (rows, columns), as are stride, padding and dilation.
        stride: from one window to the next; kernel_size by default.
        padding: rows and columns of -inf added at each side, at most half of the window.
        dilation: from one element of a window to the next.
        ceil_mode: also take a last window that begins inside and ends outside.
        return_indices: return (maxima, places in the image, counted row by row).

    The result has (H + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1 rows, rounded down, and as many columns of W.

    >>> import taeda, taeda.nn.functional as F
    >>> F.max_pool2d(taeda.arange(16.0).reshape(1, 1, 4, 4), 2).flatten()
    tensor([ 5.,  7., 13., 15.])
    """
    return ops.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


max_pool2d_with_indices = with_indices(max_pool2d)


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Take the maximum of each window of (B, C, D, H, W) or (C, D, H, W); with ``return_indices`` also its place.

    Arguments as ``max_pool2d``, with three numbers for two.

    >>> import taeda, taeda.nn.functional as F
    >>> F.max_pool3d(taeda.arange(64.0).reshape(1, 1, 4, 4, 4), 2).flatten()
    tensor([21., 23., 29., 31., 53., 55., 61., 63.])
    """
    return ops.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


max_pool3d_with_indices = with_indices(max_pool3d)


def _unpooled_size(
    input: Tensor, kernel: Any, stride: Any, padding: Any, output_size: Any, n: int
) -> tuple[int, ...]:
    """Return the size that pooling came from: the smallest, or one of the others that fit."""
    op = f"max_unpool{n}d"
    need_tensors(op, input)
    if input.ndim < n:
        raise RuntimeError(
            f"[{op}] Input should be a {n + 1}d or {n + 2}d tensor, but got a tensor of shape {tuple(input.shape)}"
        )
    kernel = tuple_of(kernel, n, op, "kernel_size")
    stride = kernel if stride is None or stride == [] else tuple_of(stride, n, op, "stride")
    padding = tuple_of(padding, n, op, "padding")
    if any(s <= 0 for s in stride):
        raise RuntimeError(f"[{op}] strides should be greater than zero, but got stride: {list(stride)}")
    default = tuple(
        (s - 1) * st - 2 * p + k
        for s, st, p, k in zip(input.shape[-n:], stride, padding, kernel, strict=True)
    )
    if output_size is None:
        return default
    size = tuple(output_size)
    if len(size) == n + 2:
        size = size[2:]
    if len(size) != n:
        raise ValueError(
            f"[{op}] output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
            f"'{len(size)}'"
        )
    for d, (want, usual, st) in enumerate(zip(size, default, stride, strict=True)):
        if not usual - st < want < usual + st:
            raise ValueError(
                f'[{op}] invalid output_size "{size}" (dim {d} must be between {usual - st} and {usual + st})'
            )
    return size


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Put the maxima of ``max_pool1d`` back in their places, zeros elsewhere.

    Arguments as ``max_unpool2d``, with one number for two.

    >>> import taeda, taeda.nn.functional as F
    >>> F.max_unpool1d(*F.max_pool1d(taeda.arange(6.0).reshape(1, 1, 6), 2, return_indices=True), 2).shape
    taeda.Size([1, 1, 6])
    """
    (length,) = _unpooled_size(input, kernel_size, stride, padding, output_size, 1)
    return ops.max_unpool2d(input.unsqueeze(-2), indices.unsqueeze(-2), (1, length)).squeeze(-2)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Put the maxima of ``max_pool2d`` back in their places, zeros elsewhere.

    Args:
        input, indices: what ``max_pool2d(..., return_indices=True)`` returned.
        kernel_size, stride, padding: those of the pool.
        output_size: size of the image that was pooled, where several sizes give the same result.

    >>> import taeda, taeda.nn.functional as F
    >>> F.max_unpool2d(*F.max_pool2d(taeda.arange(16.0).reshape(1, 1, 4, 4), 2, return_indices=True), 2).shape
    taeda.Size([1, 1, 4, 4])
    """
    size = _unpooled_size(input, kernel_size, stride, padding, output_size, 2)
    return ops.max_unpool2d(input, indices, size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Put the maxima of ``max_pool3d`` back in their places, zeros elsewhere.

    Arguments as ``max_unpool2d``, with three numbers for two.

    >>> import taeda, taeda.nn.functional as F
    >>> F.max_unpool3d(*F.max_pool3d(taeda.arange(64.0).reshape(1, 1, 4, 4, 4), 2, return_indices=True), 2).shape
    taeda.Size([1, 1, 4, 4, 4])
    """
    size = _unpooled_size(input, kernel_size, stride, padding, output_size, 3)
    return ops.max_unpool3d(input, indices, size)


def _lp_pool(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool, n: int
) -> Tensor:
    need_tensors(f"lp_pool{n}d", input)
    if not isinstance(kernel_size, Sequence):
        kernel_size = (kernel_size,) * n
    if len(kernel_size) != n:
        raise ValueError(
            f"[lp_pool{n}d] kernel_size must be a number or {n} numbers, got {tuple(kernel_size)}"
        )
    if norm_type in (math.inf, -math.inf):
        largest = (ops.max_pool1d, ops.max_pool2d, ops.max_pool3d)[n - 1]
        sign = 1 if norm_type > 0 else -1
        return sign * largest(sign * input.abs(), kernel_size, stride, 0, 1, ceil_mode)
    mean = (ops.avg_pool1d, ops.avg_pool2d, ops.avg_pool3d)[n - 1](
        input.pow(norm_type), kernel_size, stride, 0, ceil_mode
    )
    # The sign is kept for odd powers of negative windows, as PyTorch keeps it.
    return (taeda.sign(mean) * ops.relu(mean.abs()) * math.prod(kernel_size)).pow(1.0 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: int, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """Return (sum over each window of x^p)^(1/p); the largest |x| for p = inf.

    Arguments as ``lp_pool2d``, with one number for two.

    >>> import taeda, taeda.nn.functional as F
    >>> F.lp_pool1d(taeda.arange(6.0).reshape(1, 1, 6), 2, 2).shape
    taeda.Size([1, 1, 3])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 1)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """Return (sum over each window of x^p)^(1/p); the largest |x| for p = inf.

    Args:
        norm_type: p.
        kernel_size: a number or (rows, columns).
        stride: likewise, kernel_size by default.
        ceil_mode: also take a last window that begins inside and ends outside.

    >>> import taeda, taeda.nn.functional as F
    >>> F.lp_pool2d(taeda.arange(16.0).reshape(1, 1, 4, 4), 2, 2).shape
    taeda.Size([1, 1, 2, 2])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 2)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Tensor:
    """Return (sum over each window of x^p)^(1/p); the largest |x| for p = inf.

    Arguments as ``lp_pool2d``, with three numbers for two.

    >>> import taeda, taeda.nn.functional as F
    >>> F.lp_pool3d(taeda.arange(64.0).reshape(1, 1, 4, 4, 4), 2, 2).shape
    taeda.Size([1, 1, 2, 2, 2])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, 3)

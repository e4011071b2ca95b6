"""Sliding windows of images as columns, and back.  The arithmetic is core's."""

from __future__ import annotations

from typing import Any

from taeda import Tensor, ops

__all__ = ["fold", "unfold"]


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Return every window of an image as a column.

    Args:
        input: (B, C, H, W) or (C, H, W); the others: a number or (height, width).

    Returns:
        (B, C kh kw, L), or without B: L windows in row-major order.

    Raises:
        RuntimeError: no window fits.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.unfold(taeda.arange(9.0).view(1, 1, 3, 3), 2)
    tensor([[[0., 1., 3., 4.],
             [1., 2., 4., 5.],
             [3., 4., 6., 7.],
             [4., 5., 7., 8.]]])
    """
    return ops.im2col(input, kernel_size, dilation, padding, stride)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Add the columns of ``unfold`` up where they came from.

    Args:
        input: (B, C kh kw, L) or (C kh kw, L).
        output_size: (H, W) or a number; the others as in ``unfold``.

    Returns:
        (B, C, H, W), or without B.

    Raises:
        RuntimeError: rows or columns are not as many as ``unfold`` would give.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.fold(taeda.ones(1, 4, 4), (3, 3), 2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    return ops.col2im(input, output_size, kernel_size, dilation, padding, stride)

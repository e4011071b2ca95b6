"""Sliding windows of images as columns, and back."""

from __future__ import annotations

from typing import Any

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.modules.module import Module

__all__ = ["Fold", "Unfold"]


class Fold(Module):
    """Add columns, each a window of an image, up where they belong: y[b, c, i s + k d - p] += x[b, c k, i].

    Args:
        output_size: (H, W) or a number.
        kernel_size, dilation, padding, stride: of the windows, numbers or pairs.

    Shapes:
        x: (B, C kh kw, L) or (C kh kw, L), L the number of windows; y: (B, C, H, W) or (C, H, W).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Fold((2, 3), kernel_size=2)(taeda.ones(1, 4, 2))
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """

    __constants__ = ["output_size", "kernel_size", "dilation", "padding", "stride"]

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """Return the windows of images as columns: y[b, c k, i] = x[b, c, i s + k d - p].

    Args:
        kernel_size, dilation, padding, stride: of the windows, numbers or pairs.

    Shapes:
        x: (B, C, H, W) or (C, H, W); y: (B, C kh kw, L) or (C kh kw, L), L the number of windows.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Unfold(kernel_size=(2, 3))(taeda.randn(2, 5, 3, 4)).shape
    taeda.Size([2, 30, 4])
    """

    __constants__ = ["kernel_size", "dilation", "padding", "stride"]

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"

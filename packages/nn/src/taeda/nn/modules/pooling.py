"""Pooling layers: maxima and means over windows of signals, images and volumes."""

from __future__ import annotations

from typing import Any

from taeda import Tensor, ops
from taeda.nn import functional as F
from taeda.nn.modules.module import Module
from taeda.nn.modules.utils import ntuple

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip


class _MaxPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]
    _op: Any  # of the core

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return self._op(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """y[b, c, l] = max over k of x[b, c, l stride + k dilation - padding].

    Args:
        kernel_size: length of a window.
        stride: None takes kernel_size.
        padding: minus infinities added at both ends, at most half a window.
        dilation: step inside a window.
        return_indices: also give the places of the maxima.
        ceil_mode: round the length up.

    Shapes:
        x: (B, C, L) or (C, L); y: L' = (L + 2 padding - dilation (k - 1) - 1) / stride + 1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MaxPool1d(2)(taeda.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    _op = staticmethod(ops.max_pool1d)


class MaxPool2d(_MaxPoolNd):
    """Take the maximum of each window of an image.

    Args:
        kernel_size: of a window.
        stride: None takes kernel_size.
        padding: minus infinities added at each side, at most half a window.
        dilation: step inside a window.
        return_indices: also give the places of the maxima in each H W plane.
        ceil_mode: round the sizes up.

    Shapes:
        x: (B, C, H, W) or (C, H, W); y: H' = (H + 2 padding - dilation (k - 1) - 1) / stride + 1, W' alike.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MaxPool2d(3, stride=2)(taeda.randn(20, 16, 50, 32)).shape
    taeda.Size([20, 16, 24, 15])
    """

    _op = staticmethod(ops.max_pool2d)


class MaxPool3d(_MaxPoolNd):
    """Take the maximum of each window of a volume.

    Args:
        kernel_size: of a window.
        stride: None takes kernel_size.
        padding: minus infinities added at each side, at most half a window.
        dilation: step inside a window.
        return_indices: also give the places of the maxima in each D H W volume.
        ceil_mode: round the sizes up.

    Shapes:
        x: (B, C, D, H, W) or (C, D, H, W); y: D' = (D + 2 padding - dilation (k - 1) - 1) / stride + 1, H', W' alike.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MaxPool3d((3, 2, 2), stride=(2, 1, 2))(taeda.randn(2, 4, 50, 44, 31)).shape
    taeda.Size([2, 4, 24, 43, 15])
    """

    _op = staticmethod(ops.max_pool3d)


class _MaxUnpoolNd(Module):
    _n: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = ntuple(kernel_size, self._n)
        self.stride = ntuple(stride if stride is not None else kernel_size, self._n)
        self.padding = ntuple(padding, self._n)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Put the maxima of ``MaxPool1d`` back in their places, zeros elsewhere.

    >>> import taeda
    >>> from taeda import nn
    >>> y, at = nn.MaxPool1d(2, return_indices=True)(taeda.tensor([[1.0, 3.0, 2.0, 0.0]]))
    >>> nn.MaxUnpool1d(2)(y, at)
    tensor([[0., 3., 2., 0.]])
    """

    _n = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """Put the maxima of ``MaxPool2d`` back in their places, zeros elsewhere.

    >>> import taeda
    >>> from taeda import nn
    >>> y, at = nn.MaxPool2d(2, return_indices=True)(taeda.tensor([[[1.0, 2.0], [4.0, 3.0]]]))
    >>> nn.MaxUnpool2d(2)(y, at).tolist()
    [[[0.0, 0.0], [4.0, 0.0]]]
    """

    _n = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """Put the maxima of ``MaxPool3d`` back in their places, zeros elsewhere.

    >>> import taeda
    >>> from taeda import nn
    >>> y, at = nn.MaxPool3d(3, stride=2, return_indices=True)(taeda.randn(2, 4, 11, 9, 7))
    >>> nn.MaxUnpool3d(3, stride=2)(y, at).shape
    taeda.Size([2, 4, 11, 9, 7])
    """

    _n = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class _AvgPoolNd(Module):
    """The base of average pools, for those who ask whether a layer is one."""

    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]
    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """y[b, c, l] = mean over k of x[b, c, l stride + k - padding].

    Args:
        kernel_size, stride (None: kernel_size), padding (zeros): numbers.
        ceil_mode: round the length up.
        count_include_pad: let the zeros of the padding count.

    Shapes:
        x: (B, C, L) or (C, L); y: L' = (L + 2 padding - k) / stride + 1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AvgPool1d(2)(taeda.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = ntuple(kernel_size, 1)
        self.stride = ntuple(stride if stride is not None else kernel_size, 1)
        self.padding = ntuple(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return ops.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class _AvgPoolOverDims(_AvgPoolNd):
    _op: Any  # of the core

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        y: Tensor = self._op(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )
        return y


class AvgPool2d(_AvgPoolOverDims):
    """Take the mean of each window of an image.

    Args:
        kernel_size, stride (None: kernel_size), padding (zeros): a number or two.
        ceil_mode: round the sizes up.
        count_include_pad: let the zeros of the padding count.
        divisor_override: divide the sums by this instead.

    Shapes:
        x: (B, C, H, W) or (C, H, W); y: H' = (H + 2 padding - k) / stride + 1, W' alike.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AvgPool2d((3, 2), stride=(2, 1))(taeda.randn(20, 16, 50, 32)).shape
    taeda.Size([20, 16, 24, 31])
    """

    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]
    _op = staticmethod(ops.avg_pool2d)


class AvgPool3d(_AvgPoolOverDims):
    """Take the mean of each window of a volume.

    Args:
        kernel_size, stride (None: kernel_size), padding (zeros): a number or three.
        ceil_mode: round the sizes up.
        count_include_pad: let the zeros of the padding count.
        divisor_override: divide the sums by this instead.

    Shapes:
        x: (B, C, D, H, W) or (C, D, H, W); y: D' = (D + 2 padding - k) / stride + 1, H' and W' alike.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AvgPool3d((3, 2, 2), stride=(2, 1, 2))(taeda.randn(2, 4, 50, 44, 31)).shape
    taeda.Size([2, 4, 24, 43, 15])
    """

    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]
    _op = staticmethod(ops.avg_pool3d)

    def __setstate__(self, state: dict[str, Any]) -> None:  # of early versions, which had no such options
        super().__setstate__({"padding": 0, "ceil_mode": False, "count_include_pad": True, **state})


class _LPPoolNd(Module):
    __constants__ = ["norm_type", "kernel_size", "stride", "ceil_mode"]

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """y = (sum over each window of x^p)^(1/p).

    Args:
        norm_type: p; inf takes the largest magnitude.
        kernel_size: length of a window.
        stride: from one to the next, kernel_size by default.
        ceil_mode: also take a last window that begins inside and ends outside.

    Shapes:
        x: (B, C, L) or (C, L).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LPPool1d(2, 2)(taeda.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPoolNd):
    """y = (sum over each window of x^p)^(1/p).

    Arguments are those of ``LPPool1d``, with two numbers for one.

    Shapes:
        x: (B, C, H, W) or (C, H, W).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LPPool2d(1.2, (3, 2), stride=(2, 1))(taeda.rand(20, 16, 50, 32)).shape
    taeda.Size([20, 16, 24, 31])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPoolNd):
    """y = (sum over each window of x^p)^(1/p).

    Arguments are those of ``LPPool1d``, with three numbers for one.

    Shapes:
        x: (B, C, D, H, W) or (C, D, H, W).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LPPool3d(1.2, (3, 2, 2), stride=(2, 1, 2))(taeda.rand(2, 4, 50, 44, 31)).shape
    taeda.Size([2, 4, 24, 43, 15])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _AdaptiveNd(Module):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveAvgPoolNd(_AdaptiveNd):
    """The base of adaptive average pools."""

    __constants__ = ["output_size"]


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Average over ``output_size`` windows: window i is from floor(i L / n) to ceil((i + 1) L / n).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AdaptiveAvgPool1d(2)(taeda.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Average over a grid of windows so that the result is ``output_size``: a number or (h, w), None keeps.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AdaptiveAvgPool2d((5, None))(taeda.randn(1, 64, 8, 9)).shape
    taeda.Size([1, 64, 5, 9])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Average over a grid of windows so that the result is ``output_size``: a number or (d, h, w), None keeps.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AdaptiveAvgPool3d((7, None, None))(taeda.randn(1, 64, 10, 9, 8)).shape
    taeda.Size([1, 64, 7, 9, 8])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPoolNd(_AdaptiveNd):
    __constants__ = ["output_size", "return_indices"]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Take maxima over ``output_size`` windows; with ``return_indices`` also their places.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AdaptiveMaxPool1d(2)(taeda.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Take maxima over a grid of windows so that the result is ``output_size``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AdaptiveMaxPool2d(7)(taeda.randn(1, 64, 10, 9)).shape
    taeda.Size([1, 64, 7, 7])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Take maxima over a grid of windows so that the result is ``output_size``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AdaptiveMaxPool3d((5, 7, 9))(taeda.randn(1, 64, 8, 9, 10)).shape
    taeda.Size([1, 64, 5, 7, 9])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)

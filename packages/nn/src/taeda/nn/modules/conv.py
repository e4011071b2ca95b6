"""Convolutions and transposed convolutions of signals, images and volumes."""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.nn import init
from taeda.nn.modules.linear import dtype_cure
from taeda.nn.modules.module import Module
from taeda.nn.modules.utils import _reverse_repeat_tuple, ntuple
from taeda.nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_ONE = ("a signal", "an image", "a volume")
_PADDINGS = ("same", "valid")
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _check_arguments(
    name: str, in_channels: int, out_channels: int, groups: int, stride: tuple[int, ...], padding: tuple[int, ...] | str, padding_mode: str
) -> None:
    """Raise ValueError for what no convolution can have."""
    if groups <= 0:
        raise ValueError(f"[{name}] groups must be a positive integer, got {groups}")
    for what, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"[{name}] {what} must be divisible by groups, got {channels} and {groups}")
    if isinstance(padding, str):
        if padding not in _PADDINGS:
            raise ValueError(f"[{name}] Invalid padding string {padding!r}, should be one of {_PADDINGS}")
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError(f"[{name}] padding='same' is not supported for strided convolutions")
    if padding_mode not in _PADDING_MODES:
        raise ValueError(f"[{name}] padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'")


def _ends(padding: tuple[int, ...] | str, dilation: tuple[int, ...], kernel_size: tuple[int, ...]) -> list[int]:
    """Return the elements added in front and behind, as F.pad takes them: the last dimension first."""
    if not isinstance(padding, str):
        return list(_reverse_repeat_tuple(padding, 2))
    reach = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel_size, strict=False)]
    return [p for total in reversed(reach) for p in (total // 2, total - total // 2)]      # the odd one behind


class _ConvNd(Module):
    """What all convolutions share: their arguments, weights, initial values and repr."""

    __constants__ = [
        "stride", "padding", "dilation", "groups", "padding_mode", "output_padding", "in_channels", "out_channels", "kernel_size",
    ]  # fmt: skip
    _n: int  # spatial dimensions
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...] | str,
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_arguments(type(self).__name__, in_channels, out_channels, groups, stride, padding, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = _ends(padding, dilation, kernel_size)
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (first, second // groups, *kernel_size)
        self.weight = Parameter(taeda.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(taeda.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]
        if self.padding != (0,) * len(self.padding):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.dilation):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * len(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        x = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor):
            return None
        name, n, shape = type(self).__name__, self._n, tuple(x.shape)
        dims = ", ".join(("BCL", "BCHW", "BCDHW")[n - 1])
        line = f"{name}(in_channels={self.in_channels}) got {shape}"
        if len(shape) not in (n + 1, n + 2):
            one = f"; did you mean x.unsqueeze(0), {_ONE[n - 1]} of one channel? It takes ({dims})"
            return line + (one if len(shape) == n and self.in_channels == 1 else f"; it takes ({dims})")
        if shape[-n - 1] == self.in_channels:
            return dtype_cure(name, x, self.weight)
        if shape[-1] == self.in_channels:
            places = range(len(shape) - n - 1)
            order = ", ".join(map(str, (*places, len(shape) - 1, *range(len(places), len(shape) - 1))))
            return f"{line}; channels come before positions: did you mean x.permute({order})?"
        if len(shape) == n + 1 and self.in_channels == 1:
            return f"{line}, read as {_ONE[n - 1]} of {shape[0]} channels; a batch of one channel is ({dims}): did you mean x.unsqueeze(1)?"
        return f"{line}; dimension {len(shape) - n - 1} must be {self.in_channels}, its channels"


class _Conv(_ConvNd):
    _op: Any  # of the core

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        n = self._n
        super().__init__(
            in_channels,
            out_channels,
            ntuple(kernel_size, n),
            ntuple(stride, n),
            padding if isinstance(padding, str) else ntuple(padding, n),
            ntuple(dilation, n),
            False,
            (0,) * n,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve by a weight of the caller's: what subclasses call that change it first."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = ops.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = 0
        y: Tensor = self._op(input, weight, bias, self.stride, padding, self.dilation, self.groups)
        return y


class Conv1d(_Conv):
    """y[b, o, l] = bias[o] + sum over i, k of weight[o, i, k] x[b, i, l stride + k dilation - padding].

    Args:
        in_channels, out_channels: C and C' below.
        kernel_size, stride, dilation: a number or a tuple of one.
        padding: elements added at both ends, or "same" or "valid".
        groups: input channel groups that see only their own output channels.
        bias: whether there is a bias.
        padding_mode: zeros, reflect, replicate or circular.

    Shapes:
        x: (B, C, L) or (C, L); y: (B, C', L') with L' = (L + 2 padding - dilation (k - 1) - 1) / stride + 1,
        rounded down; weight: (C', C / groups, k).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Conv1d(16, 33, 3, stride=2)(taeda.randn(20, 16, 50)).shape
    taeda.Size([20, 33, 24])
    """

    _n = 1
    _op = staticmethod(ops.conv1d)


class Conv2d(_Conv):
    """y[b, o] = bias[o] + sum over i of weight[o, i] * x[b, i], where * is cross-correlation.

    Args:
        in_channels, out_channels: C and C' below.
        kernel_size, stride, dilation: a number or a tuple of two.
        padding: rows and columns added at each side, or "same" or "valid".
        groups: input channel groups that see only their own output channels.
        bias: whether there is a bias.
        padding_mode: zeros, reflect, replicate or circular.

    Shapes:
        x: (B, C, H, W) or (C, H, W); y: (B, C', H', W') with
        H' = (H + 2 padding - dilation (k - 1) - 1) / stride + 1, rounded down; weight: (C', C / groups, k, k).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))(taeda.randn(2, 16, 50, 100)).shape
    taeda.Size([2, 33, 28, 100])
    """

    _n = 2
    _op = staticmethod(ops.conv2d)


class Conv3d(_Conv):
    """y[b, o] = bias[o] + sum over i of weight[o, i] * x[b, i], where * is cross-correlation of volumes.

    Args:
        in_channels, out_channels: C and C' below.
        kernel_size, stride, dilation: a number or a tuple of three.
        padding: planes, rows and columns added at each side, or "same" or "valid".
        groups: input channel groups that see only their own output channels.
        bias: whether there is a bias.
        padding_mode: zeros, reflect, replicate or circular.

    Shapes:
        x: (B, C, D, H, W) or (C, D, H, W); y: (B, C', D', H', W') with
        D' = (D + 2 padding - dilation (k - 1) - 1) / stride + 1, rounded down; weight: (C', C / groups, k, k, k).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Conv3d(16, 33, (3, 5, 2), stride=(2, 1, 1), padding=(4, 2, 0))(taeda.randn(1, 16, 10, 20, 30)).shape
    taeda.Size([1, 33, 8, 20, 29])
    """

    _n = 3
    _op = staticmethod(ops.conv3d)


class _ConvTransposeNd(_ConvNd):
    _op: Any  # of the core

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        n = self._n
        if padding_mode != "zeros":
            raise ValueError(
                f'[{type(self).__name__}] Only "zeros" padding mode is supported for {type(self).__name__}'
            )
        super().__init__(
            in_channels,
            out_channels,
            ntuple(kernel_size, n),
            ntuple(stride, n),
            ntuple(padding, n),
            ntuple(dilation, n),
            True,
            ntuple(output_padding, n),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        extra = self._output_padding(input, output_size)
        y: Tensor = self._op(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )
        return y

    def _output_padding(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """Return the padding that gives ``output_size``, which several outputs of the strides share."""
        if output_size is None:
            return self.output_padding
        n = self._n
        size = list(output_size)
        if len(size) == n + 2 or (len(size) == n + 1 and input.ndim == n + 1):
            size = size[-n:]
        if len(size) != n:
            raise ValueError(
                f"[{type(self).__name__}] for {input.ndim}D input, output_size must have {n} or {input.ndim} elements "
                f"(got {len(size)})"
            )
        assert not isinstance(self.padding, str)
        low = [
            (s - 1) * st - 2 * p + d * (k - 1) + 1
            for s, st, p, d, k in zip(
                input.shape[-n:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        high = [lo + st - 1 for lo, st in zip(low, self.stride, strict=True)]
        if any(not lo <= s <= hi for lo, s, hi in zip(low, size, high, strict=True)):
            raise ValueError(
                f"[{type(self).__name__}] requested an output size of {size}, but valid sizes range from {low} to {high} (for an input of "
                f"{list(input.shape[-n:])})"
            )
        return tuple(s - lo for s, lo in zip(size, low, strict=True))


class _ConvTransposeMixin(_ConvTransposeNd):
    """The old name of the base of transposed convolutions, which no layer has: libraries ask whether one is it."""


class ConvTranspose1d(_ConvTransposeNd):
    """The gradient of ``Conv1d`` with respect to its input, as a layer: it lengthens a signal.

    Args:
        in_channels, out_channels: C and C' below.
        kernel_size, stride, padding, dilation: those of the convolution that it undoes.
        output_padding: added to the length at one end.
        groups, bias: as in ``Conv1d``.

    Shapes:
        x: (B, C, L) or (C, L); y: (B, C', L') with
        L' = (L - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1; weight: (C, C' / groups, k).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ConvTranspose1d(4, 2, 3, stride=2)(taeda.randn(1, 4, 5)).shape
    taeda.Size([1, 2, 11])
    """

    _n = 1
    _op = staticmethod(ops.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of ``Conv2d`` with respect to its input, as a layer: it enlarges an image.

    Args:
        in_channels, out_channels: C and C' below.
        kernel_size, stride, padding, dilation: those of the convolution that it undoes.
        output_padding: added to the size at one side.
        groups, bias: as in ``Conv2d``.

    Shapes:
        x: (B, C, H, W) or (C, H, W); y: (B, C', H', W') with
        H' = (H - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1; weight: (C, C' / groups, k, k).

    >>> import taeda
    >>> from taeda import nn
    >>> up = nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1)
    >>> up(taeda.randn(1, 16, 6, 6), output_size=(12, 12)).shape
    taeda.Size([1, 16, 12, 12])
    """

    _n = 2
    _op = staticmethod(ops.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """The gradient of ``Conv3d`` with respect to its input, as a layer: it enlarges a volume.

    Args:
        in_channels, out_channels: C and C' below.
        kernel_size, stride, padding, dilation: those of the convolution that it undoes.
        output_padding: added to the size at one side.
        groups, bias: as in ``Conv3d``.

    Shapes:
        x: (B, C, D, H, W) or (C, D, H, W); y: (B, C', D', H', W') with
        D' = (D - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1; weight: (C, C' / groups, k, k, k).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ConvTranspose3d(16, 33, 3, stride=2)(taeda.randn(1, 16, 5, 4, 3)).shape
    taeda.Size([1, 33, 11, 9, 7])
    """

    _n = 3
    _op = staticmethod(ops.conv_transpose3d)

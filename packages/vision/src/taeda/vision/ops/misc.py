"""Blocks that many models share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import Tensor, nn

__all__ = [
    "MLP",
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "ConvNormActivation",
    "FrozenBatchNorm2d",
    "Permute",
    "SqueezeExcitation",
]

Layer = Callable[..., nn.Module]


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation whose statistics and affine parameters are fixed: all four are buffers.

    y = (x - running_mean) / sqrt(running_var + eps) weight + bias, per channel. Checkpoints of BatchNorm2d load into it.

    Args:
        num_features: channels.
        eps: added to the variance.

    Shape: B x C x H x W gives the same shape.

    >>> import taeda
    >>> from taeda.vision.ops import FrozenBatchNorm2d
    >>> norm = FrozenBatchNorm2d(1, eps=0.0)
    >>> norm.running_mean += 3.0
    >>> norm(taeda.full((1, 1, 1, 2), 5.0)).tolist(), len(list(norm.parameters()))
    ([[[[2.0, 2.0]]]], 0)
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", taeda.ones(num_features))
        self.register_buffer("bias", taeda.zeros(num_features))
        self.register_buffer("running_mean", taeda.zeros(num_features))
        self.register_buffer("running_var", taeda.ones(num_features))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        state_dict.pop(prefix + "num_batches_tracked", None)     # a checkpoint of BatchNorm2d has it
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


def _tuple(value: Any, n: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * n


class ConvNormActivation(nn.Sequential):
    """A convolution, a normalisation and an activation, of any number of dimensions.

    `Conv2dNormActivation` and `Conv3dNormActivation` are to be used in its place; made directly, it warns. Arguments are theirs, and
    `conv_layer`, the class of the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...] = 3,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: int | tuple[int, ...] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
        conv_layer: Layer = nn.Conv2d,
    ) -> None:
        if padding is None:
            if isinstance(kernel_size, int) and isinstance(dilation, int):
                padding = (kernel_size - 1) // 2 * dilation
            else:
                n = len(kernel_size) if isinstance(kernel_size, Sequence) else len(dilation)  # type: ignore[arg-type]
                kernel_size, dilation = _tuple(kernel_size, n), _tuple(dilation, n)
                padding = tuple((k - 1) // 2 * d for k, d in zip(kernel_size, dilation, strict=True))
        bias = norm_layer is None if bias is None else bias
        layers = [conv_layer(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation, groups=groups, bias=bias)]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**_in_place(inplace)))
        super().__init__(*layers)
        self.out_channels = out_channels
        if type(self) is ConvNormActivation:
            warnings.warn(
                "Don't use ConvNormActivation directly, please use Conv2dNormActivation and Conv3dNormActivation instead.",
                stacklevel=2,
            )


def _in_place(inplace: bool | None) -> dict[str, bool]:
    return {} if inplace is None else {"inplace": inplace}


class Conv2dNormActivation(ConvNormActivation):
    """A convolution of images, a normalisation and an activation.

    Args:
        in_channels, out_channels, kernel_size, stride, groups, dilation: of the convolution.
        padding: by default what keeps the size at stride 1.
        norm_layer, activation_layer: classes, or None to leave them out.
        inplace: given to the activation, unless None.
        bias: by default only where there is no normalisation.

    >>> from taeda.vision.ops import Conv2dNormActivation
    >>> Conv2dNormActivation(3, 8, kernel_size=5)[0].padding
    (2, 2)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: int | tuple[int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer, dilation, inplace, bias
        )


class Conv3dNormActivation(ConvNormActivation):
    """A convolution of volumes, a normalisation and an activation; see `Conv2dNormActivation`.

    >>> import taeda
    >>> from taeda.vision.ops import Conv3dNormActivation
    >>> Conv3dNormActivation(3, 8)(taeda.zeros(1, 3, 4, 16, 16)).shape
    taeda.Size([1, 8, 4, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int, int] = 3,
        stride: int | tuple[int, int, int] = 1,
        padding: int | tuple[int, int, int] | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm3d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: int | tuple[int, int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            groups,
            norm_layer,
            activation_layer,
            dilation,
            inplace,
            bias,
            nn.Conv3d,
        )


class SqueezeExcitation(nn.Module):
    """Scale every channel by a number made of all channels' means (Hu, Shen, Sun, 2017).

    Args:
        input_channels: channels of the maps.
        squeeze_channels: width between the two 1x1 convolutions.
        activation, scale_activation: classes of what follows the first and the second.

    Shape: B x C x H x W gives the same shape.

    >>> import taeda
    >>> from taeda.vision.ops import SqueezeExcitation
    >>> SqueezeExcitation(8, 2)(taeda.zeros(1, 8, 4, 4)).shape
    taeda.Size([1, 8, 4, 4])
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Layer = nn.ReLU,
        scale_activation: Layer = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def _scale(self, input: Tensor) -> Tensor:
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input)))))

    def forward(self, input: Tensor) -> Tensor:
        return self._scale(input) * input


class MLP(nn.Sequential):
    """Linear layers, each but the last with a normalisation, an activation and dropout; the last with dropout.

    Args:
        in_channels: features of the input.
        hidden_channels: features after each layer, the last ones those of the result.
        norm_layer, activation_layer: classes; no normalisation by default.
        inplace: given to activations and dropouts, unless None.
        bias: of the linear layers.
        dropout: probability.

    >>> import taeda
    >>> from taeda.vision.ops import MLP
    >>> MLP(8, [16, 4])(taeda.zeros(2, 8)).shape
    taeda.Size([2, 4])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: list[int],
        norm_layer: Layer | None = None,
        activation_layer: Layer | None = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        options: Any = _in_place(inplace)
        layers: list[nn.Module] = []
        *inner, last = hidden_channels
        for channels in inner:
            layers.append(nn.Linear(in_channels, channels, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(channels))
            layers += [activation_layer(**options), nn.Dropout(dropout, **options)]  # type: ignore[misc]
            in_channels = channels
        layers += [nn.Linear(in_channels, last, bias=bias), nn.Dropout(dropout, **options)]
        super().__init__(*layers)


class Permute(nn.Module):
    """Bring the dimensions into another order.

    Args:
        dims: for each dimension of the result the one of the input.

    >>> import taeda
    >>> from taeda.vision.ops import Permute
    >>> Permute([0, 2, 3, 1])(taeda.zeros(1, 3, 4, 5)).shape
    taeda.Size([1, 4, 5, 3])
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return taeda.permute(x, self.dims)

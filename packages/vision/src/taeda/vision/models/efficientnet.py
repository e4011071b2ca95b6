"""EfficientNet: depth, width and resolution scaled together (Tan, Le, 2019), and its second version (2021)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import built, he, make_divisible, start
from taeda.vision.models.registry import builder
from taeda.vision.ops.drop import StochasticDepth
from taeda.vision.ops.misc import Conv2dNormActivation, Layer, SqueezeExcitation

__all__ = [
    "EfficientNet",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
]


@dataclass
class _MBConvConfig:
    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: Layer

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, min_value: int | None = None) -> int:
        """Return a width times a factor, a multiple of 8."""
        return make_divisible(channels * width_mult, 8, min_value)


class MBConvConfig(_MBConvConfig):
    """A stage of MBConv: how much wider, kernel, stride, channels in and out, blocks."""

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        block: Layer | None = None,
    ) -> None:
        before, after = (self.adjust_channels(c, width_mult) for c in (input_channels, out_channels))
        super().__init__(expand_ratio, kernel, stride, before, after, self.adjust_depth(num_layers, depth_mult), block or MBConv)

    @staticmethod
    def adjust_depth(num_layers: int, depth_mult: float) -> int:
        """Return a depth times a factor, rounded up."""
        return math.ceil(num_layers * depth_mult)


class FusedMBConvConfig(_MBConvConfig):
    """A stage of FusedMBConv; see `MBConvConfig`."""

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        block: Layer | None = None,
    ) -> None:
        super().__init__(expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block or FusedMBConv)


class _Block(nn.Module):
    """What both blocks have: a shortcut where the shape stays, and stochastic depth."""

    block: nn.Sequential

    def __init__(self, cnf: _MBConvConfig, stochastic_depth_prob: float, layers: list[nn.Module]) -> None:
        super().__init__()
        if not 1 <= cnf.stride <= 2:
            raise ValueError(f"[{type(self).__name__}] illegal stride value {cnf.stride}")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        if self.use_res_connect:
            result = self.stochastic_depth(result)
            result += input
        return result


class MBConv(_Block):
    """Widen, filter each channel, squeeze and excite, narrow."""

    def __init__(
        self, cnf: MBConvConfig, stochastic_depth_prob: float, norm_layer: Layer, se_layer: Layer = SqueezeExcitation
    ) -> None:
        wide = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        conv: Any = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        layers: list[nn.Module] = [conv(cnf.input_channels, wide, kernel_size=1)] if wide != cnf.input_channels else []
        layers += [
            conv(wide, wide, kernel_size=cnf.kernel, stride=cnf.stride, groups=wide),
            se_layer(wide, max(1, cnf.input_channels // 4), activation=partial(nn.SiLU, inplace=True)),
            Conv2dNormActivation(wide, cnf.out_channels, kernel_size=1, norm_layer=norm_layer, activation_layer=None),
        ]
        super().__init__(cnf, stochastic_depth_prob, layers)


class FusedMBConv(_Block):
    """Widen by a whole convolution instead of a 1x1 and a depthwise one."""

    def __init__(self, cnf: FusedMBConvConfig, stochastic_depth_prob: float, norm_layer: Layer) -> None:
        wide = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        conv: Any = partial(Conv2dNormActivation, norm_layer=norm_layer)
        first: Any = partial(conv, kernel_size=cnf.kernel, stride=cnf.stride, activation_layer=nn.SiLU)
        if wide != cnf.input_channels:
            layers = [first(cnf.input_channels, wide), conv(wide, cnf.out_channels, kernel_size=1, activation_layer=None)]
        else:
            layers = [first(cnf.input_channels, cnf.out_channels)]
        super().__init__(cnf, stochastic_depth_prob, layers)


class EfficientNet(nn.Module):
    """A stem, stages of blocks, a 1x1 convolution, a mean and a linear layer.

    Args:
        inverted_residual_setting: the stages.
        dropout: before the linear layer.
        stochastic_depth_prob: of the last block; it grows from 0 with depth.
        last_channel: width of the last convolution; 4 times the last stage's by default.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.efficientnet import EfficientNet, MBConvConfig
    >>> stages = [MBConvConfig(1, 3, 1, 8, 8, 1), MBConvConfig(6, 3, 2, 8, 16, 2)]
    >>> EfficientNet(stages, dropout=0.2, num_classes=10)(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[_MBConvConfig],
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ValueError("[EfficientNet] The inverted_residual_setting should not be empty")
        if not (isinstance(setting, Sequence) and all(isinstance(s, _MBConvConfig) for s in setting)):
            raise TypeError("[EfficientNet] The inverted_residual_setting should be List[MBConvConfig]")
        norm_layer = norm_layer or nn.BatchNorm2d
        conv: Any = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        layers: list[nn.Module] = [conv(3, setting[0].input_channels, kernel_size=3, stride=2)]
        total, done = sum(cnf.num_layers for cnf in setting), 0
        for stage in setting:
            blocks: list[nn.Module] = []
            for i in range(stage.num_layers):
                cnf = copy.copy(stage)
                if i:
                    cnf.input_channels, cnf.stride = cnf.out_channels, 1
                blocks.append(cnf.block(cnf, stochastic_depth_prob * float(done) / total, norm_layer))
                done += 1
            layers.append(nn.Sequential(*blocks))
        last = last_channel if last_channel is not None else 4 * setting[-1].out_channels
        layers.append(conv(setting[-1].out_channels, last, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(last, num_classes))
        edge = 1.0 / math.sqrt(num_classes)
        start(self, he, partial(nn.init.uniform_, a=-edge, b=edge))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(taeda.flatten(self.avgpool(self.features(x)), 1))


# Of each stage: how much wider, kernel, stride, channels in and out, blocks.
_B = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
# The first three stages of the second version are fused.
_V2 = {
    "s": (
        (1, 3, 1, 24, 24, 2),
        (4, 3, 2, 24, 48, 4),
        (4, 3, 2, 48, 64, 4),
        (4, 3, 2, 64, 128, 6),
        (6, 3, 1, 128, 160, 9),
        (6, 3, 2, 160, 256, 15),
    ),
    "m": (
        (1, 3, 1, 24, 24, 3),
        (4, 3, 2, 24, 48, 5),
        (4, 3, 2, 48, 80, 5),
        (4, 3, 2, 80, 160, 7),
        (6, 3, 1, 160, 176, 14),
        (6, 3, 2, 176, 304, 18),
        (6, 3, 1, 304, 512, 5),
    ),
    "l": (
        (1, 3, 1, 32, 32, 4),
        (4, 3, 2, 32, 64, 7),
        (4, 3, 2, 64, 96, 7),
        (4, 3, 2, 96, 192, 10),
        (6, 3, 1, 192, 224, 19),
        (6, 3, 2, 224, 384, 25),
        (6, 3, 1, 384, 640, 7),
    ),
}


def _b(width: float, depth: float, dropout: float, weights: Any, config: dict[str, Any], momentum: bool = False) -> EfficientNet:
    setting = [MBConvConfig(*row, width_mult=width, depth_mult=depth) for row in _B]
    if momentum:
        config.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=0.001, momentum=0.01))
    return built(EfficientNet, setting, config.pop("dropout", dropout), weights=weights, config=config)


def _v2(size: str, dropout: float, weights: Any, config: dict[str, Any]) -> EfficientNet:
    setting = [(FusedMBConvConfig if i < 3 else MBConvConfig)(*row) for i, row in enumerate(_V2[size])]
    config = {"norm_layer": partial(nn.BatchNorm2d, eps=0.001), **config}
    return built(EfficientNet, setting, config.pop("dropout", dropout), weights=weights, config={"last_channel": 1280, **config})


@builder
def efficientnet_b0(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B0: 5.3 million parameters, for images of 224 x 224. Further arguments go to `EfficientNet`.

    >>> import taeda
    >>> from taeda.vision.models import efficientnet_b0
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = efficientnet_b0()
    ...     model.features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 1280, 7, 7])
    """
    return _b(1.0, 1.0, 0.2, weights, kwargs)


@builder
def efficientnet_b1(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B1: 7.8 million parameters, for images of 240 x 240; see `efficientnet_b0`."""
    return _b(1.0, 1.1, 0.2, weights, kwargs)


@builder
def efficientnet_b2(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B2: 9.1 million parameters, for images of 288 x 288; see `efficientnet_b0`."""
    return _b(1.1, 1.2, 0.3, weights, kwargs)


@builder
def efficientnet_b3(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B3: 12.2 million parameters, for images of 300 x 300; see `efficientnet_b0`."""
    return _b(1.2, 1.4, 0.3, weights, kwargs)


@builder
def efficientnet_b4(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B4: 19.3 million parameters, for images of 380 x 380; see `efficientnet_b0`."""
    return _b(1.4, 1.8, 0.4, weights, kwargs)


@builder
def efficientnet_b5(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B5: 30.4 million parameters, for images of 456 x 456; see `efficientnet_b0`."""
    return _b(1.6, 2.2, 0.4, weights, kwargs, momentum=True)


@builder
def efficientnet_b6(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B6: 43.0 million parameters, for images of 528 x 528; see `efficientnet_b0`."""
    return _b(1.8, 2.6, 0.5, weights, kwargs, momentum=True)


@builder
def efficientnet_b7(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNet-B7: 66.3 million parameters, for images of 600 x 600; see `efficientnet_b0`."""
    return _b(2.0, 3.1, 0.5, weights, kwargs, momentum=True)


@builder
def efficientnet_v2_s(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNetV2-S: 21.5 million parameters, for images of 384 x 384. Further arguments go to `EfficientNet`.

    Its first stages are `FusedMBConv`: a whole 3x3 convolution where the first version filters each channel.

    >>> import taeda
    >>> from taeda.vision.models import efficientnet_v2_s
    >>> with taeda.device("meta"):
    ...     type(efficientnet_v2_s().features[1][0]).__name__
    'FusedMBConv'
    """
    return _v2("s", 0.2, weights, kwargs)


@builder
def efficientnet_v2_m(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNetV2-M: 54.1 million parameters, for images of 480 x 480; see `efficientnet_v2_s`."""
    return _v2("m", 0.3, weights, kwargs)


@builder
def efficientnet_v2_l(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
    """Build EfficientNetV2-L: 118.5 million parameters, for images of 480 x 480; see `efficientnet_v2_s`."""
    return _v2("l", 0.4, weights, kwargs)

"""MobileNetV3: inverted residuals found by search, with squeeze-and-excitation and hard swish (Howard et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import built, he, make_divisible, small, start
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import Conv2dNormActivation, Layer, SqueezeExcitation

__all__ = ["MobileNetV3", "mobilenet_v3_large", "mobilenet_v3_small"]


class InvertedResidualConfig:
    """The numbers of one block: channels, kernel, wide channels, channels out, squeeze, activation (RE or HS), stride, dilation."""

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """Return a width times a factor, a multiple of 8."""
        return make_divisible(channels * width_mult, 8)


_squeeze = partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)


class InvertedResidual(nn.Module):
    """Widen, filter each channel, squeeze and excite, narrow; beside a shortcut where the shape stays."""

    def __init__(
        self,
        cnf: InvertedResidualConfig,
        norm_layer: Layer,
        se_layer: Layer = _squeeze,
    ) -> None:
        super().__init__()
        if not 1 <= cnf.stride <= 2:
            raise ValueError(f"[InvertedResidual] illegal stride value {cnf.stride}")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        wide = cnf.expanded_channels
        block: Any = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish if cnf.use_hs else nn.ReLU)
        layers: list[nn.Module] = [block(cnf.input_channels, wide, kernel_size=1)] if wide != cnf.input_channels else []
        stride = 1 if cnf.dilation > 1 else cnf.stride
        layers.append(block(wide, wide, kernel_size=cnf.kernel, stride=stride, dilation=cnf.dilation, groups=wide))
        if cnf.use_se:
            layers.append(se_layer(wide, make_divisible(wide // 4, 8)))
        layers.append(Conv2dNormActivation(wide, cnf.out_channels, kernel_size=1, norm_layer=norm_layer, activation_layer=None))
        self.block = nn.Sequential(*layers)
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        if self.use_res_connect:
            result += input
        return result


class MobileNetV3(nn.Module):
    """A stem, inverted residuals, a 1x1 convolution, a mean and two linear layers.

    Args:
        inverted_residual_setting: the blocks, an `InvertedResidualConfig` each.
        last_channel: width between the two linear layers.
        num_classes: outputs of the last layer.
        dropout: before the last layer.

    Shape: B x 3 x H x W gives B x num_classes.

    Raises:
        ValueError: there are no blocks.
        TypeError: they are no list of InvertedResidualConfig.

    >>> import taeda
    >>> from taeda.vision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
    >>> block = InvertedResidualConfig(16, 3, 16, 24, True, "HS", 2, 1, 1.0)    # in, kernel, wide, out, squeeze, act, stride ...
    >>> MobileNetV3([block], last_channel=32, num_classes=10)(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        inverted_residual_setting: list[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ValueError("[MobileNetV3] The inverted_residual_setting should not be empty")
        if not (isinstance(setting, Sequence) and all(isinstance(s, InvertedResidualConfig) for s in setting)):
            raise TypeError("[MobileNetV3] The inverted_residual_setting should be List[InvertedResidualConfig]")
        block = block or InvertedResidual
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        end: Any = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish)
        out = setting[-1].out_channels
        layers = [end(3, setting[0].input_channels, kernel_size=3, stride=2)]
        layers += [block(cnf, norm_layer) for cnf in setting]
        layers.append(end(out, 6 * out, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * out, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(p=dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        start(self, he, small)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(taeda.flatten(self.avgpool(self.features(x)), 1))


# channels, kernel, wide, out, squeeze, activation, stride; the tail can be halved and dilated
_LARGE = """16 3 16 16 0 RE 1, 16 3 64 24 0 RE 2, 24 3 72 24 0 RE 1, 24 5 72 40 1 RE 2, 40 5 120 40 1 RE 1, 40 5 120 40 1 RE 1,
40 3 240 80 0 HS 2, 80 3 200 80 0 HS 1, 80 3 184 80 0 HS 1, 80 3 184 80 0 HS 1, 80 3 480 112 1 HS 1, 112 3 672 112 1 HS 1,
112 5 672 160 1 HS 2 tail, 160 5 960 160 1 HS 1 tail, 160 5 960 160 1 HS 1 tail"""
_SMALL = """16 3 16 16 1 RE 2, 16 3 72 24 0 RE 2, 24 3 88 24 0 RE 1, 24 5 96 40 1 HS 2, 40 5 240 40 1 HS 1, 40 5 240 40 1 HS 1,
40 5 120 48 1 HS 1, 48 5 144 48 1 HS 1, 48 5 288 96 1 HS 2 tail, 96 5 576 96 1 HS 1 tail, 96 5 576 96 1 HS 1 tail"""


def _mobilenet_v3_conf(
    arch: str, width_mult: float = 1.0, reduced_tail: bool = False, dilated: bool = False, **kwargs: Any
) -> tuple[list[InvertedResidualConfig], int]:
    """Return the blocks of an architecture and the width of its first linear layer."""
    if arch not in ("mobilenet_v3_large", "mobilenet_v3_small"):
        raise ValueError(f"[mobilenet_v3] Unsupported model type {arch}")
    large = arch.endswith("large")
    divider = 2 if reduced_tail else 1
    rows = [row.split() for row in (_LARGE if large else _SMALL).split(",")]
    setting = []
    for i, row in enumerate(rows):
        wide_tail, tail = (divider if i > len(rows) - 3 else 1), len(row) == 8
        c, k, wide, out = (int(v) for v in row[:4])
        # Of the tail's blocks, all give fewer channels, and all but the first are narrower from the start.
        c, wide, out = c // wide_tail, wide // wide_tail, out // (divider if tail else 1)
        setting.append(
            InvertedResidualConfig(c, k, wide, out, row[4] == "1", row[5], int(row[6]), 2 if dilated and tail else 1, width_mult)
        )
    return setting, InvertedResidualConfig.adjust_channels((1280 if large else 1024) // divider, width_mult)


def _mobilenet_v3(arch: str, weights: Any, config: dict[str, Any]) -> MobileNetV3:
    setting, last = _mobilenet_v3_conf(arch, **config)
    return built(MobileNetV3, setting, last, weights=weights, config=config, name=arch)


@builder
def mobilenet_v3_large(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MobileNetV3:
    """Build the large MobileNetV3: 5.5 million parameters, for images of 224 x 224. Further arguments go to `MobileNetV3`.

    >>> import taeda
    >>> from taeda.vision.models import mobilenet_v3_large
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     mobilenet_v3_large().features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 960, 7, 7])
    """
    return _mobilenet_v3("mobilenet_v3_large", weights, kwargs)


@builder
def mobilenet_v3_small(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MobileNetV3:
    """Build the small MobileNetV3: 2.5 million parameters, 11 blocks for the 15 of `mobilenet_v3_large`."""
    return _mobilenet_v3("mobilenet_v3_small", weights, kwargs)

"""MobileNetV2: inverted residuals with linear bottlenecks (Sandler et al., 2018)."""

from __future__ import annotations

from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import built, he, make_divisible, small, start
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import Conv2dNormActivation, Layer

__all__ = ["MobileNetV2", "mobilenet_v2"]

_make_divisible = make_divisible                        # as models that were made after this one take it


class InvertedResidual(nn.Module):
    """Widen by 1x1, filter each channel by 3x3, narrow by 1x1; beside a shortcut where the shape stays.

    Raises:
        ValueError: the stride is neither 1 nor 2.
    """

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Layer | None = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"[InvertedResidual] stride should be 1 or 2 instead of {stride}")
        self.stride = stride
        norm_layer = norm_layer or nn.BatchNorm2d
        hidden = round(inp * expand_ratio)
        self.use_res_connect = stride == 1 and inp == oup
        block: Any = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        layers: list[nn.Module] = [block(inp, hidden, kernel_size=1)] if expand_ratio != 1 else []
        layers += [block(hidden, hidden, stride=stride, groups=hidden), nn.Conv2d(hidden, oup, 1, 1, 0, bias=False), norm_layer(oup)]
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup
        self._is_cn = stride > 1

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


_STAGES = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]]


class MobileNetV2(nn.Module):
    """A stem, stages of inverted residuals, a 1x1 convolution, a mean and a linear layer.

    Args:
        width_mult: of all widths, that are then rounded to multiples of `round_nearest`.
        inverted_residual_setting: for each stage how much wider, channels, blocks, stride.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models import MobileNetV2
    >>> model = MobileNetV2(num_classes=10, width_mult=0.5)
    >>> model(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: list[list[int]] | None = None,
        round_nearest: int = 8,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        block, norm_layer = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        stages = _STAGES if inverted_residual_setting is None else inverted_residual_setting
        if len(stages) == 0 or len(stages[0]) != 4:
            raise ValueError(f"[MobileNetV2] inverted_residual_setting should be non-empty or a 4-element list, got {stages}")
        width = make_divisible(32 * width_mult, round_nearest)
        self.last_channel = make_divisible(1280 * max(1.0, width_mult), round_nearest)
        end: Any = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        features: list[nn.Module] = [end(3, width, stride=2)]
        for expand, channels, depth, stride in stages:
            out = make_divisible(channels * width_mult, round_nearest)
            for i in range(depth):
                features.append(block(width, out, stride if i == 0 else 1, expand_ratio=expand, norm_layer=norm_layer))
                width = out
        features.append(end(width, self.last_channel, kernel_size=1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        start(self, he, small)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(taeda.flatten(x, 1))


@builder
def mobilenet_v2(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MobileNetV2:
    """Build MobileNetV2: 3.5 million parameters, for images of 224 x 224. Further arguments go to `MobileNetV2`.

    >>> import taeda
    >>> from taeda.vision.models import mobilenet_v2
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     mobilenet_v2().features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 1280, 7, 7])
    """
    return built(MobileNetV2, weights=weights, config=kwargs)

"""ShuffleNet V2: half of the channels pass by, then all are shuffled (Ma et al., 2018)."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import Layer

__all__ = ["ShuffleNetV2", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"]


class InvertedResidual(nn.Module):
    """1x1, a 3x3 filter of each channel, 1x1; beside the other half, or with a stride beside a filter of its own.

    Raises:
        ValueError: the stride is not 1 to 3, or with stride 1 the number of channels changes.
    """

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        half = oup // 2
        if not 1 <= stride <= 3 or (stride == 1 and inp != 2 * half):
            raise ValueError(f"[InvertedResidual] Invalid combination of stride {stride}, inp {inp} and oup {oup} values.")
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride > 1:
            self.branch1 = nn.Sequential(
                nn.Conv2d(inp, inp, 3, stride, 1, bias=False, groups=inp),
                nn.BatchNorm2d(inp),
                nn.Conv2d(inp, half, kernel_size=1, bias=False),
                nn.BatchNorm2d(half),
                nn.ReLU(inplace=True),
            )
        self.branch2 = nn.Sequential(
            nn.Conv2d(inp if stride > 1 else half, half, kernel_size=1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
            nn.Conv2d(half, half, 3, stride, 1, bias=False, groups=half),
            nn.BatchNorm2d(half),
            nn.Conv2d(half, half, kernel_size=1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1) if self.stride == 1 else (self.branch1(x), x)
        return nn.functional.channel_shuffle(taeda.cat((left, self.branch2(right)), dim=1), 2)


class ShuffleNetV2(nn.Module):
    """A stem, three stages, a 1x1 convolution, a mean and a linear layer.

    Args:
        stages_repeats: blocks of the three stages.
        stages_out_channels: widths of the stem, the stages and the last convolution.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models import ShuffleNetV2
    >>> model = ShuffleNetV2([1, 1, 1], [8, 16, 32, 64, 128], num_classes=10)
    >>> model(taeda.zeros(2, 3, 64, 64)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        stages_repeats: list[int],
        stages_out_channels: list[int],
        num_classes: int = 1000,
        inverted_residual: Layer = InvertedResidual,
    ) -> None:
        super().__init__()
        if len(stages_repeats) != 3:
            raise ValueError(f"[ShuffleNetV2] expected stages_repeats as list of 3 positive ints, got {stages_repeats}")
        if len(stages_out_channels) != 5:
            raise ValueError(f"[ShuffleNetV2] expected stages_out_channels as list of 5 positive ints, got {stages_out_channels}")
        self._stage_out_channels = stages_out_channels
        width = stages_out_channels[0]
        self.conv1 = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for i, (depth, out) in enumerate(zip(stages_repeats, stages_out_channels[1:4], strict=True), 2):
            blocks = [inverted_residual(width, out, 2)] + [inverted_residual(out, out, 1) for _ in range(depth - 1)]
            setattr(self, f"stage{i}", nn.Sequential(*blocks))
            width = out
        out = stages_out_channels[-1]
        self.conv5 = nn.Sequential(nn.Conv2d(width, out, 1, 1, 0, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True))
        self.fc = nn.Linear(out, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        stages: Any = self
        x = stages.stage4(stages.stage3(stages.stage2(self.maxpool(self.conv1(x)))))
        return self.fc(self.conv5(x).mean([2, 3]))


def _shufflenet(widths: list[int], weights: Any, config: dict[str, Any]) -> ShuffleNetV2:
    return built(ShuffleNetV2, [4, 8, 4], widths, weights=weights, config=config)


@builder
def shufflenet_v2_x0_5(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """Build ShuffleNetV2 with half the widths, 1.4 million parameters; further arguments go to `ShuffleNetV2`."""
    return _shufflenet([24, 48, 96, 192, 1024], weights, kwargs)


@builder
def shufflenet_v2_x1_0(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """Build ShuffleNetV2, 2.3 million parameters, for images of 224 x 224; further arguments go to `ShuffleNetV2`.

    >>> from taeda import nn
    >>> from taeda.vision.models import shufflenet_v2_x1_0
    >>> model = shufflenet_v2_x1_0()
    >>> model.fc = nn.Linear(model.fc.in_features, 10)          # your own classes
    >>> model.fc
    Linear(in_features=1024, out_features=10, bias=True)
    """
    return _shufflenet([24, 116, 232, 464, 1024], weights, kwargs)


@builder
def shufflenet_v2_x1_5(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """Build ShuffleNetV2 with 1.5 times the widths, 3.5 million parameters; further arguments go to `ShuffleNetV2`."""
    return _shufflenet([24, 176, 352, 704, 1024], weights, kwargs)


@builder
def shufflenet_v2_x2_0(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ShuffleNetV2:
    """Build ShuffleNetV2 with twice the widths, 7.4 million parameters; further arguments go to `ShuffleNetV2`."""
    return _shufflenet([24, 244, 488, 976, 2048], weights, kwargs)

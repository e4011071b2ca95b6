"""MNASNet: found by a search that counts time on a phone (Tan et al., 2018)."""

from __future__ import annotations

from functools import partial
from typing import Any

from taeda import Tensor, nn
from taeda.vision.models._build import built, he, make_divisible, start
from taeda.vision.models.registry import builder

__all__ = ["MNASNet", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"]

_MOMENTUM = 1 - 0.9997


class _InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; beside a shortcut where the shape stays."""

    def __init__(self, in_ch: int, out_ch: int, kernel_size: int, stride: int, expansion_factor: int) -> None:
        super().__init__()
        wide = in_ch * expansion_factor
        self.apply_residual = in_ch == out_ch and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(in_ch, wide, 1, bias=False),
            nn.BatchNorm2d(wide, momentum=_MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, wide, kernel_size, padding=kernel_size // 2, stride=stride, groups=wide, bias=False),
            nn.BatchNorm2d(wide, momentum=_MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, out_ch, 1, bias=False),
            nn.BatchNorm2d(out_ch, momentum=_MOMENTUM),
        )

    def forward(self, input: Tensor) -> Tensor:
        return self.layers(input) + input if self.apply_residual else self.layers(input)


# kernel, stride, how much wider, blocks
_STAGES = ((3, 2, 3, 3), (5, 2, 3, 3), (5, 2, 6, 3), (3, 1, 6, 2), (5, 2, 6, 4), (3, 1, 6, 1))


class MNASNet(nn.Module):
    """A stem, six stages, a 1x1 convolution, a mean and a linear layer.

    Args:
        alpha: factor of all widths, which are then rounded to multiples of 8.
        num_classes: outputs of the last layer.
        dropout: before the linear layer.

    Shape: B x 3 x H x W gives B x num_classes.

    Raises:
        ValueError: `alpha` is not positive.

    >>> import taeda
    >>> from taeda.vision.models import MNASNet
    >>> MNASNet(0.35, num_classes=10)(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    _version = 2

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0.0:
            raise ValueError(f"[MNASNet] alpha should be greater than 0.0 instead of {alpha}")
        self.alpha = alpha
        self.num_classes = num_classes
        first, second, *widths = (make_divisible(width * alpha) for width in (32, 16, 24, 40, 80, 96, 192, 320))
        layers: list[nn.Module] = [
            nn.Conv2d(3, first, 3, padding=1, stride=2, bias=False),
            nn.BatchNorm2d(first, momentum=_MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, first, 3, padding=1, stride=1, groups=first, bias=False),
            nn.BatchNorm2d(first, momentum=_MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, second, 1, padding=0, stride=1, bias=False),
            nn.BatchNorm2d(second, momentum=_MOMENTUM),
        ]
        width = second
        for out, (kernel, stride, expand, depth) in zip(widths, _STAGES, strict=True):
            blocks = [_InvertedResidual(width, out, kernel, stride, expand)]
            blocks += [_InvertedResidual(out, out, kernel, 1, expand) for _ in range(depth - 1)]
            layers.append(nn.Sequential(*blocks))
            width = out
        layers += [
            nn.Conv2d(width, 1280, 1, padding=0, stride=1, bias=False),
            nn.BatchNorm2d(1280, momentum=_MOMENTUM),
            nn.ReLU(inplace=True),
        ]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(1280, num_classes))
        start(self, he, partial(nn.init.kaiming_uniform_, mode="fan_out", nonlinearity="sigmoid"))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x).mean([2, 3]))


@builder
def mnasnet0_5(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """Build MNASNet with half the widths, 2.2 million parameters; further arguments go to `MNASNet`."""
    return built(MNASNet, 0.5, weights=weights, config=kwargs)


@builder
def mnasnet0_75(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """Build MNASNet with three quarters of the widths, 3.2 million parameters; further arguments go to `MNASNet`."""
    return built(MNASNet, 0.75, weights=weights, config=kwargs)


@builder
def mnasnet1_0(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """Build MNASNet, 4.4 million parameters; further arguments go to `MNASNet`.

    >>> from taeda import nn
    >>> from taeda.vision.models import mnasnet1_0
    >>> model = mnasnet1_0()
    >>> model.classifier[1] = nn.Linear(1280, 10)               # your own classes
    >>> model.classifier
    Sequential(
      (0): Dropout(p=0.2, inplace=True)
      (1): Linear(in_features=1280, out_features=10, bias=True)
    )
    """
    return built(MNASNet, 1.0, weights=weights, config=kwargs)


@builder
def mnasnet1_3(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MNASNet:
    """Build MNASNet with 1.3 times the widths, 6.3 million parameters; further arguments go to `MNASNet`."""
    return built(MNASNet, 1.3, weights=weights, config=kwargs)

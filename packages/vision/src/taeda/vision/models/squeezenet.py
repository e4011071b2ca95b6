"""SqueezeNet: few channels, then many (Iandola et al., 2016)."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import nn
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder

__all__ = ["SqueezeNet", "squeezenet1_0", "squeezenet1_1"]


class Fire(nn.Module):
    """A 1x1 convolution to few channels, then 1x1 and 3x3 ones beside each other."""

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        return taeda.cat([self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))], 1)


# The squeezed widths of the blocks, 0 for a pool; a block gives eight times (at first four times) as many channels.
_STEMS = {"1_0": (96, 7, (16, 16, 32, 0, 32, 48, 48, 64, 0, 64)), "1_1": (64, 3, (16, 16, 0, 32, 32, 0, 48, 48, 64, 64))}


class SqueezeNet(nn.Module):
    """A stem, eight Fire blocks and a convolution to classes, whose maps are averaged: there is no linear layer.

    Args:
        version: ``"1_0"`` is the paper's, ``"1_1"`` begins with a smaller kernel and pools earlier.
        num_classes: channels of the last convolution.
        dropout: before it.

    Shape: B x 3 x H x W gives B x num_classes.

    Raises:
        ValueError: the version is neither.

    >>> import taeda
    >>> from taeda.vision.models import SqueezeNet
    >>> SqueezeNet("1_1", num_classes=10)(taeda.zeros(1, 3, 32, 32)).shape
    taeda.Size([1, 10])
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in _STEMS:
            raise ValueError(f"[SqueezeNet] Unsupported SqueezeNet version {version}: 1_0 or 1_1 expected")
        self.num_classes = num_classes
        width, size, blocks = _STEMS[version]
        layers = [nn.Conv2d(3, width, kernel_size=size, stride=2), nn.ReLU(inplace=True), self._pool()]
        for squeezed in blocks:
            layers.append(Fire(width, squeezed, 4 * squeezed, 4 * squeezed) if squeezed else self._pool())
            width = 8 * squeezed or width
        self.features = nn.Sequential(*layers)
        final_conv = nn.Conv2d(512, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), final_conv, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                if m is final_conv:
                    nn.init.normal_(m.weight, mean=0.0, std=0.01)
                else:
                    nn.init.kaiming_uniform_(m.weight)
                nn.init.zeros_(m.bias)  # type: ignore[arg-type]

    def _pool(self) -> nn.Module:
        return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        return taeda.flatten(self.classifier(self.features(x)), 1)


@builder
def squeezenet1_0(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SqueezeNet:
    """Build SqueezeNet 1.0, 1.2 million parameters; further arguments go to `SqueezeNet`."""
    return built(SqueezeNet, "1_0", weights=weights, config=kwargs)


@builder
def squeezenet1_1(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SqueezeNet:
    """Build SqueezeNet 1.1, 1.2 million parameters: as good as 1.0 with less than half the arithmetic.

    The classes are the channels of a convolution; for other classes, exchange it:

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models import squeezenet1_1
    >>> model = squeezenet1_1()
    >>> model.classifier[1] = nn.Conv2d(512, 10, kernel_size=1)
    >>> model(taeda.zeros(1, 3, 64, 64)).shape
    taeda.Size([1, 10])
    """
    return built(SqueezeNet, "1_1", weights=weights, config=kwargs)

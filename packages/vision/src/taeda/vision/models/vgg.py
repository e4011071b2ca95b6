"""VGG: 3x3 convolutions, one after another (Simonyan, Zisserman: Very Deep Convolutional Networks, 2014)."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import nn
from taeda.vision.models._build import built, he, small, start
from taeda.vision.models.registry import builder

__all__ = ["VGG", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]


class VGG(nn.Module):
    """Features, a 7x7 mean and three linear layers.

    Args:
        features: a module that gives 512 channels; `make_layers` makes the usual ones.
        num_classes: outputs of the last layer.
        init_weights: draw them from He's normal distribution.
        dropout: before the last two linear layers.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.vgg import VGG, make_layers
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     VGG(make_layers([64, 0, 512, 0]), num_classes=10)(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            start(self, he, small)

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        return self.classifier(taeda.flatten(self.avgpool(self.features(x)), 1))


def make_layers(cfg: list[int | str], batch_norm: bool = False) -> nn.Sequential:
    """Make convolutions of these widths; 0 or "M" is a pool that halves the image."""
    layers: list[nn.Module] = []
    width = 3
    for v in cfg:
        if not v or isinstance(v, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(width, v, kernel_size=3, padding=1))
        layers += [nn.BatchNorm2d(v)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        width = v
    return nn.Sequential(*layers)


# How many convolutions stand between the pools.
_DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_WIDTHS = (64, 128, 256, 512, 512)

# What make_layers takes, by the letters of the paper.
cfgs: dict[str, list[int | str]] = {
    letter: sum(([width] * n + ["M"] for n, width in zip(_DEPTHS[depth], _WIDTHS, strict=True)), start=list[Any]())
    for letter, depth in (("A", 11), ("B", 13), ("D", 16), ("E", 19))
}
_LETTERS = dict(zip(_DEPTHS, cfgs, strict=True))


def _vgg(depth: int, batch_norm: bool, weights: Any, config: dict[str, Any]) -> VGG:
    cfg = cfgs[_LETTERS[depth]]
    return built(lambda **kwargs: VGG(make_layers(cfg, batch_norm), **kwargs), weights=weights, config=config, name=f"vgg{depth}")


@builder
def vgg11(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build VGG-11: 132.9 million parameters, most of them of the linear layers. Further arguments go to `VGG`.

    >>> import taeda
    >>> from taeda.vision.models import vgg11
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = vgg11(num_classes=10)
    ...     model.features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 512, 7, 7])
    """
    return _vgg(11, False, weights, kwargs)


@builder
def vgg11_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build `vgg11` with batch normalisation after each convolution."""
    return _vgg(11, True, weights, kwargs)


@builder
def vgg13(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build VGG-13: 133.0 million parameters, two convolutions in each of the five blocks; see `vgg11`."""
    return _vgg(13, False, weights, kwargs)


@builder
def vgg13_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build `vgg13` with batch normalisation after each convolution."""
    return _vgg(13, True, weights, kwargs)


@builder
def vgg16(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build VGG-16: 138.4 million parameters, three convolutions in each of the last three blocks; see `vgg11`.

    After a checkpoint is loaded, the last of the three linear layers is exchanged for your own classes:

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models import vgg16
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = vgg16()
    ...     model.classifier[6] = nn.Linear(4096, 10)
    ...     model(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 10])
    """
    return _vgg(16, False, weights, kwargs)


@builder
def vgg16_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build `vgg16` with batch normalisation after each convolution."""
    return _vgg(16, True, weights, kwargs)


@builder
def vgg19(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build VGG-19: 143.7 million parameters, four convolutions in each of the last three blocks; see `vgg11`."""
    return _vgg(19, False, weights, kwargs)


@builder
def vgg19_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Build `vgg19` with batch normalisation after each convolution."""
    return _vgg(19, True, weights, kwargs)

"""S3D: Inception blocks for videos, with convolutions over space, then over time (Xie, Sun, Huang, Tu, Murphy, 2018)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import Conv3dNormActivation

__all__ = ["S3D", "s3d"]

Layer = Callable[..., nn.Module]


class TemporalSeparableConv(nn.Sequential):
    """k x k over space, then k over time, each with a normalisation and ReLU."""

    def __init__(self, in_planes: int, out_planes: int, kernel_size: int, stride: int, padding: int, norm_layer: Layer) -> None:
        k, s, p = kernel_size, stride, padding
        how: dict[str, Any] = {"bias": False, "norm_layer": norm_layer}
        super().__init__(
            Conv3dNormActivation(in_planes, out_planes, kernel_size=(1, k, k), stride=(1, s, s), padding=(0, p, p), **how),
            Conv3dNormActivation(out_planes, out_planes, kernel_size=(k, 1, 1), stride=(s, 1, 1), padding=(p, 0, 0), **how),
        )


class SepInceptionBlock3D(nn.Module):
    """Four branches side by side: 1; 1 and 3; 1 and 3; a maximum and 1.

    Args:
        widths: channels of the first branch, between and after the convolutions of the second and third, and of the fourth.
    """

    def __init__(self, in_planes: int, widths: tuple[int, int, int, int, int, int], norm_layer: Layer) -> None:
        super().__init__()
        first, mid1, out1, mid2, out2, last = widths

        def one(inputs: int, outputs: int) -> nn.Module:
            return Conv3dNormActivation(inputs, outputs, kernel_size=1, stride=1, norm_layer=norm_layer)

        self.branch0 = one(in_planes, first)
        self.branch1 = nn.Sequential(one(in_planes, mid1), TemporalSeparableConv(mid1, out1, 3, 1, 1, norm_layer))
        self.branch2 = nn.Sequential(one(in_planes, mid2), TemporalSeparableConv(mid2, out2, 3, 1, 1, norm_layer))
        self.branch3 = nn.Sequential(nn.MaxPool3d(kernel_size=(3, 3, 3), stride=1, padding=1), one(in_planes, last))

    def forward(self, x: Tensor) -> Tensor:
        return taeda.cat((self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)), 1)


# The blocks' widths, and the pools (size, stride, padding) between them.
_BODY: tuple[tuple[Any, ...], ...] = (
    ((1, 3, 3), (1, 2, 2), (0, 1, 1)),
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    ((3, 3, 3), (2, 2, 2), (1, 1, 1)),
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    ((2, 2, 2), (2, 2, 2), (0, 0, 0)),
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)


class S3D(nn.Module):
    """A stem, nine blocks of four branches, and a convolution of 1 that classifies.

    Args:
        num_classes: number of classes.
        dropout: probability before the classifier.
        norm_layer: makes the normalisations; BatchNorm3d with eps 0.001 and momentum 0.001 by default.

    Shape: B x 3 x T x H x W gives B x num_classes; T is at least 13, H and W at least 209.

    >>> import taeda
    >>> from taeda.vision.models.video import S3D
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     S3D(num_classes=10)(taeda.zeros(1, 3, 16, 224, 224)).shape
    taeda.Size([1, 10])
    """

    def __init__(self, num_classes: int = 400, dropout: float = 0.2, norm_layer: Layer | None = None) -> None:
        super().__init__()
        norm = partial(nn.BatchNorm3d, eps=0.001, momentum=0.001) if norm_layer is None else norm_layer
        layers: list[nn.Module] = [
            TemporalSeparableConv(3, 64, 7, 2, 3, norm),
            nn.MaxPool3d(kernel_size=(1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
            Conv3dNormActivation(64, 64, kernel_size=1, stride=1, norm_layer=norm),
            TemporalSeparableConv(64, 192, 3, 1, 1, norm),
        ]
        channels = 192
        for part in _BODY:
            if isinstance(part[0], tuple):
                layers.append(nn.MaxPool3d(kernel_size=part[0], stride=part[1], padding=part[2]))
            else:
                layers.append(SepInceptionBlock3D(channels, part, norm))
                channels = part[0] + part[2] + part[4] + part[5]
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AvgPool3d(kernel_size=(2, 7, 7), stride=1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Conv3d(channels, num_classes, kernel_size=1, stride=1, bias=True))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x))).mean(dim=(2, 3, 4))


@builder
def s3d(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> S3D:
    """Build S3D: 8.3 million parameters, 400 classes by default; further arguments go to `S3D`.

    >>> import taeda
    >>> from taeda.vision.models.video import s3d
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     s3d().features(taeda.zeros(1, 3, 64, 224, 224)).shape        # an eighth of the frames
    taeda.Size([1, 1024, 8, 7, 7])
    """
    return built(S3D, weights=weights, config=kwargs, name="s3d")

"""DeepLabV3: filters of several dilations beside each other (Chen et al., Rethinking Atrous Convolution, 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import refuse_weights
from taeda.vision.models.registry import builder
from taeda.vision.models.segmentation._model import SegmentationModel, mobilenet_backbone
from taeda.vision.models.segmentation.fcn import FCNHead, on_resnet

__all__ = [
    "ASPP",
    "DeepLabHead",
    "DeepLabV3",
    "deeplabv3_mobilenet_v3_large",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
]


class DeepLabV3(SegmentationModel):
    """A backbone and a `DeepLabHead` (Chen et al.: Rethinking Atrous Convolution for Semantic Image Segmentation, 2017).

    Args and shapes are those of `FCN`; only the head differs.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.segmentation import DeepLabV3
    >>> from taeda.vision.models.segmentation.deeplabv3 import DeepLabHead
    >>> class Maps(nn.Module):
    ...     def forward(self, x):
    ...         return {"out": nn.functional.avg_pool2d(x, 4)}
    >>> model = DeepLabV3(Maps(), DeepLabHead(3, 5)).eval()
    >>> model(taeda.rand(1, 3, 32, 48))["out"].shape
    taeda.Size([1, 5, 32, 48])
    """


class ASPPConv(nn.Sequential):
    """A dilated 3x3 convolution, a norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int) -> None:
        conv = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False)
        super().__init__(conv, nn.BatchNorm2d(out_channels), nn.ReLU())


class ASPPPooling(nn.Sequential):
    """The mean of the whole map, everywhere."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        super().__init__(nn.AdaptiveAvgPool2d(1), conv, nn.BatchNorm2d(out_channels), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(super().forward(x), size=x.shape[-2:], mode="bilinear", align_corners=False)


class ASPP(nn.Module):
    """1x1, dilated ones and the mean beside each other, then joined by 1x1."""

    def __init__(self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = 256) -> None:
        super().__init__()
        first = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        modules: list[nn.Module] = [nn.Sequential(first, nn.BatchNorm2d(out_channels), nn.ReLU())]
        modules += [ASPPConv(in_channels, out_channels, rate) for rate in atrous_rates]
        modules.append(ASPPPooling(in_channels, out_channels))
        self.convs = nn.ModuleList(modules)
        join = nn.Conv2d(len(modules) * out_channels, out_channels, 1, bias=False)
        self.project = nn.Sequential(join, nn.BatchNorm2d(out_channels), nn.ReLU(), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(taeda.cat([conv(x) for conv in self.convs], dim=1))


class DeepLabHead(nn.Sequential):
    """ASPP, a 3x3 convolution, then classes."""

    def __init__(self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = (12, 24, 36)) -> None:
        super().__init__(
            ASPP(in_channels, atrous_rates),
            nn.Conv2d(256, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Conv2d(256, num_classes, 1),
        )


@builder
def deeplabv3_resnet50(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    aux_loss: bool | None = None,
    weights_backbone: Any = None,
) -> DeepLabV3:
    """Build DeepLabV3 on ResNet-50: 39.6 million parameters, 21 classes by default, a second head with `aux_loss`.

    >>> import taeda
    >>> from taeda.vision.models.segmentation import deeplabv3_resnet50
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = deeplabv3_resnet50(num_classes=5).eval()
    ...     {name: scores.shape for name, scores in model(taeda.zeros(1, 3, 64, 96)).items()}
    {'out': taeda.Size([1, 5, 64, 96])}
    """
    return on_resnet(DeepLabV3, DeepLabHead, 50, weights, num_classes, aux_loss, weights_backbone)


@builder
def deeplabv3_resnet101(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    aux_loss: bool | None = None,
    weights_backbone: Any = None,
) -> DeepLabV3:
    """Build DeepLabV3 on ResNet-101: 58.6 million parameters; see `deeplabv3_resnet50`."""
    return on_resnet(DeepLabV3, DeepLabHead, 101, weights, num_classes, aux_loss, weights_backbone)


@builder
def deeplabv3_mobilenet_v3_large(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    aux_loss: bool | None = None,
    weights_backbone: Any = None,
) -> DeepLabV3:
    """Build DeepLabV3 on the large MobileNetV3: 11.0 million parameters; see `deeplabv3_resnet50`."""
    refuse_weights("deeplabv3_mobilenet_v3_large", weights)
    classes = 21 if num_classes is None else num_classes
    backbone, width, aux_width = mobilenet_backbone(weights_backbone, aux_loss)
    aux = FCNHead(aux_width, classes) if aux_loss else None
    return DeepLabV3(backbone, DeepLabHead(width, classes), aux)

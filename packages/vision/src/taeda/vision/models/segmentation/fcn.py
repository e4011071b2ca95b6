"""Fully convolutional networks (Long, Shelhamer, Darrell, 2014)."""

from __future__ import annotations

from typing import Any, TypeVar

from taeda import nn
from taeda.vision.models._build import refuse_weights
from taeda.vision.models.registry import builder
from taeda.vision.models.segmentation._model import SegmentationModel, resnet_backbone

__all__ = ["FCN", "FCNHead", "fcn_resnet50", "fcn_resnet101"]

S = TypeVar("S", bound=SegmentationModel)


class FCN(SegmentationModel):
    """A backbone and an `FCNHead` (Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, 2015).

    Args:
        backbone: images to a dict of maps, "out" and, for the second head, "aux".
        classifier: turns the map "out" into classes.
        aux_classifier: turns "aux" into classes, or None.

    Shape: B x 3 x H x W gives a dict with "out": B x classes x H x W, and "aux" likewise where there is a second head.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.segmentation import FCN
    >>> from taeda.vision.models.segmentation.fcn import FCNHead
    >>> class Maps(nn.Conv2d):
    ...     def forward(self, x):
    ...         return {"out": super().forward(x)}
    >>> model = FCN(Maps(3, 8, 3, stride=4, padding=1), FCNHead(8, 5)).eval()
    >>> model(taeda.rand(1, 3, 32, 48))["out"].shape
    taeda.Size([1, 5, 32, 48])
    """


class FCNHead(nn.Sequential):
    """A 3x3 convolution to a quarter of the channels, then classes."""

    def __init__(self, in_channels: int, channels: int) -> None:
        inner = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, inner, 3, padding=1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(inner, channels, 1),
        )


def on_resnet(
    model: type[S], head: type[nn.Module], depth: int, weights: Any, num_classes: int | None, aux_loss: bool | None, weights_backbone: Any
) -> S:
    """Build a model of a dilated ResNet and a head; 21 classes by default, an `FCNHead` beside it with `aux_loss`."""
    refuse_weights(f"{model.__name__.lower()}_resnet{depth}", weights)
    classes = 21 if num_classes is None else num_classes
    backbone = resnet_backbone(depth, weights_backbone, aux_loss)
    aux = FCNHead(1024, classes) if aux_loss else None
    return model(backbone, head(2048, classes), aux)


@builder
def fcn_resnet50(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    aux_loss: bool | None = None,
    weights_backbone: Any = None,
) -> FCN:
    """Build an FCN on ResNet-50: 33.0 million parameters, 21 classes by default, a second head with `aux_loss`.

    >>> import taeda
    >>> from taeda.vision.models.segmentation import fcn_resnet50
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = fcn_resnet50(num_classes=5, aux_loss=True).eval()
    ...     {name: scores.shape for name, scores in model(taeda.zeros(1, 3, 64, 96)).items()}
    {'out': taeda.Size([1, 5, 64, 96]), 'aux': taeda.Size([1, 5, 64, 96])}
    """
    return on_resnet(FCN, FCNHead, 50, weights, num_classes, aux_loss, weights_backbone)


@builder
def fcn_resnet101(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    aux_loss: bool | None = None,
    weights_backbone: Any = None,
) -> FCN:
    """Build an FCN on ResNet-101: 51.9 million parameters; see `fcn_resnet50`."""
    return on_resnet(FCN, FCNHead, 101, weights, num_classes, aux_loss, weights_backbone)

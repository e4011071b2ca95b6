"""LR-ASPP: a light head for MobileNetV3 (Howard et al., Searching for MobileNetV3, 2019)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import refuse_weights
from taeda.vision.models.registry import builder
from taeda.vision.models.segmentation._model import mobilenet_backbone

__all__ = ["LRASPP", "LRASPPHead", "lraspp_mobilenet_v3_large"]


class LRASPPHead(nn.Module):
    """The coarse map, scaled by its mean, and the fine one, each classified, then added."""

    def __init__(self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int) -> None:
        super().__init__()
        first = nn.Conv2d(high_channels, inter_channels, 1, bias=False)
        self.cbr = nn.Sequential(first, nn.BatchNorm2d(inter_channels), nn.ReLU(inplace=True))
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(high_channels, inter_channels, 1, bias=False), nn.Sigmoid()
        )
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: dict[str, Tensor]) -> Tensor:
        low, high = input["low"], input["high"]
        x = F.interpolate(self.cbr(high) * self.scale(high), size=low.shape[-2:], mode="bilinear", align_corners=False)
        return self.low_classifier(low) + self.high_classifier(x)


class LRASPP(nn.Module):
    """A backbone with a map "low" and a map "high", and an `LRASPPHead` (Howard et al.: Searching for MobileNetV3, 2019).

    Args:
        backbone: images to a dict of the two maps.
        low_channels, high_channels: of the maps.
        num_classes: outputs for each pixel.
        inter_channels: width between.

    Shape: B x 3 x H x W gives a dict with "out": B x num_classes x H x W.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.segmentation import LRASPP
    >>> class Maps(nn.Module):
    ...     def forward(self, x):
    ...         return {"low": nn.functional.avg_pool2d(x, 4), "high": nn.functional.avg_pool2d(x, 8)}
    >>> LRASPP(Maps(), 3, 3, num_classes=5).eval()(taeda.rand(1, 3, 32, 48))["out"].shape
    taeda.Size([1, 5, 32, 48])
    """

    def __init__(
        self, backbone: nn.Module, low_channels: int, high_channels: int, num_classes: int, inter_channels: int = 128
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: Tensor) -> dict[str, Tensor]:
        out = self.classifier(self.backbone(input))
        return OrderedDict(out=F.interpolate(out, size=input.shape[-2:], mode="bilinear", align_corners=False))


@builder
def lraspp_mobilenet_v3_large(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    **kwargs: Any,
) -> LRASPP:
    """Build LR-ASPP on the large MobileNetV3: 3.2 million parameters, 21 classes by default.

    Raises:
        NotImplementedError: a second head is asked for.

    >>> import taeda
    >>> from taeda.vision.models.segmentation import lraspp_mobilenet_v3_large
    >>> model = lraspp_mobilenet_v3_large(num_classes=5).eval()
    >>> model(taeda.zeros(1, 3, 64, 64))["out"].shape
    taeda.Size([1, 5, 64, 64])
    """
    refuse_weights("lraspp_mobilenet_v3_large", weights)
    if kwargs.pop("aux_loss", False):
        raise NotImplementedError("[lraspp_mobilenet_v3_large] This model does not use auxiliary loss")
    backbone, high, low = mobilenet_backbone(weights_backbone, True, ("high", "low"))
    return LRASPP(backbone, low, high, 21 if num_classes is None else num_classes, **kwargs)

"""What models of segmentation share: a backbone, a classifier of its pixels, and results at the size of the image."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._utils import IntermediateLayerGetter, stage_starts
from taeda.vision.models.mobilenetv3 import mobilenet_v3_large
from taeda.vision.models.resnet import resnet50, resnet101

__all__ = ["SegmentationModel", "mobilenet_backbone", "resnet_backbone"]


class SegmentationModel(nn.Module):
    """Shape: B x 3 x H x W gives a dict with "out", and "aux" where there is a second head: B x classes x H x W."""

    def __init__(self, backbone: nn.Module, classifier: nn.Module, aux_classifier: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        size = x.shape[-2:]
        features = self.backbone(x)
        result: dict[str, Tensor] = OrderedDict()
        for name, head in (("out", self.classifier), ("aux", self.aux_classifier)):
            if head is not None:
                result[name] = F.interpolate(head(features[name]), size=size, mode="bilinear", align_corners=False)
        return result


def resnet_backbone(depth: int, weights: Any, aux: bool | None) -> nn.Module:
    """Return a ResNet whose last two stages are dilated, with its last map, and the one before if asked for."""
    build = resnet50 if depth == 50 else resnet101
    net = build(weights=weights, replace_stride_with_dilation=[False, True, True])
    return IntermediateLayerGetter(net, {"layer4": "out", **({"layer3": "aux"} if aux else {})})


def mobilenet_backbone(weights: Any, aux: bool | None, names: tuple[str, str] = ("out", "aux")) -> tuple[nn.Module, int, int]:
    """Return the features of a dilated MobileNetV3 as the last map and, with `aux`, a finer one; and the widths of both."""
    features: Any = mobilenet_v3_large(weights=weights, dilated=True).features
    stages = stage_starts(features)
    last, before = stages[-1], stages[-4]
    maps = {str(last): names[0], **({str(before): names[1]} if aux else {})}
    return IntermediateLayerGetter(features, maps), features[last].out_channels, features[before].out_channels

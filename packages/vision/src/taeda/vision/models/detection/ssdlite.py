"""SSDlite: SSD of separable convolutions on MobileNetV3 (Sandler et al., 2018; Howard et al., 2019)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from taeda import Tensor, nn
from taeda.vision.models._build import refuse_weights, start
from taeda.vision.models.detection._detector import COCO_CLASSES
from taeda.vision.models.detection.anchor_utils import DefaultBoxGenerator
from taeda.vision.models.detection.backbone_utils import _validate_trainable_layers, freeze_stages
from taeda.vision.models.detection.ssd import SSD, SSDScoringHead, checked_channels, size_is_fixed
from taeda.vision.models.mobilenetv3 import mobilenet_v3_large
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import Conv2dNormActivation, Layer

__all__ = [
    "SSDLiteClassificationHead",
    "SSDLiteFeatureExtractorMobileNet",
    "SSDLiteHead",
    "SSDLiteRegressionHead",
    "ssdlite320_mobilenet_v3_large",
]


_normal = partial(nn.init.normal_, mean=0.0, std=0.03)


def _predictors(in_channels: list[int], num_anchors: list[int], columns: int, norm_layer: Layer) -> nn.ModuleList:
    layers = nn.ModuleList()
    for n, anchors in zip(in_channels, num_anchors, strict=True):
        apart = Conv2dNormActivation(n, n, kernel_size=3, groups=n, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        layers.append(nn.Sequential(apart, nn.Conv2d(n, columns * anchors, 1)))
    start(layers, _normal)
    return layers


class SSDLiteClassificationHead(SSDScoringHead):
    """Logits of the classes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: Layer) -> None:
        super().__init__(_predictors(in_channels, num_anchors, num_classes, norm_layer), num_classes)


class SSDLiteRegressionHead(SSDScoringHead):
    """Codes of the boxes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], norm_layer: Layer) -> None:
        super().__init__(_predictors(in_channels, num_anchors, 4, norm_layer), 4)


class SSDLiteHead(nn.Module):
    """Both heads: a list of maps gives a dict of "bbox_regression" and "cls_logits"."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: Layer) -> None:
        super().__init__()
        self.classification_head = SSDLiteClassificationHead(in_channels, num_anchors, num_classes, norm_layer)
        self.regression_head = SSDLiteRegressionHead(in_channels, num_anchors, norm_layer)

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


class SSDLiteFeatureExtractorMobileNet(nn.Module):
    """A MobileNet cut in two inside of a block, and four further blocks: B x 3 x H x W gives a dict of six maps.

    Args:
        backbone: its layers.
        c4_pos: the block whose first convolution ends the first part.
        width_mult, min_depth: factor and least number of the further blocks' channels.

    Raises:
        ValueError: that block has a shortcut.
    """

    def __init__(
        self, backbone: Any, c4_pos: int, norm_layer: Layer, width_mult: float = 1.0, min_depth: int = 16
    ) -> None:
        super().__init__()
        if backbone[c4_pos].use_res_connect:
            raise ValueError("[SSDLiteFeatureExtractorMobileNet] backbone[c4_pos].use_res_connect should be False")
        inner = backbone[c4_pos].block
        self.features = nn.Sequential(
            nn.Sequential(*backbone[:c4_pos], inner[0]), nn.Sequential(inner[1:], *backbone[c4_pos + 1 :])
        )
        widths = [backbone[-1].out_channels, *(max(min_depth, int(n * width_mult)) for n in (512, 256, 256, 128))]
        self.extra = nn.ModuleList()
        conv: Callable[..., nn.Module] = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        for before, after in pairwise(widths):
            half = after // 2
            apart = [conv(before, half, kernel_size=1), conv(half, half, kernel_size=3, stride=2, groups=half)]
            self.extra.append(nn.Sequential(*apart, conv(half, after, kernel_size=1)))
        start(self.extra, _normal)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = []
        for block in (*self.features, *self.extra):
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), v) for i, v in enumerate(maps))


@builder
def ssdlite320_mobilenet_v3_large(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    norm_layer: Layer | None = None,
    **kwargs: Any,
) -> SSD:
    """Build SSDlite on the large MobileNetV3 for images of 320 x 320: 3.4 million parameters, 91 classes by default.

    Further arguments go to `SSD`.

    >>> import taeda
    >>> from taeda.vision.models.detection import ssdlite320_mobilenet_v3_large
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = ssdlite320_mobilenet_v3_large(num_classes=3)
    >>> model.anchor_generator.num_anchors_per_location()                # of each of the six maps
    [6, 6, 6, 6, 6, 6]
    """
    refuse_weights("ssdlite320_mobilenet_v3_large", weights)
    size_is_fixed(kwargs)
    layers = _validate_trainable_layers(False, trainable_backbone_layers, 6, 6)
    norm = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    model = mobilenet_v3_large(weights=weights_backbone, norm_layer=norm, reduced_tail=True, **kwargs)
    start(model, _normal)
    stages = freeze_stages(model.features, layers, "ssdlite320_mobilenet_v3_large")
    backbone = SSDLiteFeatureExtractorMobileNet(model.features, stages[-2], norm)
    size, classes = (320, 320), COCO_CLASSES if num_classes is None else num_classes
    anchors = DefaultBoxGenerator([[2, 3] for _ in range(6)], min_ratio=0.2, max_ratio=0.95)
    channels = checked_channels(backbone, anchors, size, "ssdlite320_mobilenet_v3_large")
    options = {
        "score_thresh": 0.001,
        "nms_thresh": 0.55,
        "detections_per_img": 300,
        "topk_candidates": 300,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "head": SSDLiteHead(channels, anchors.num_anchors_per_location(), classes, norm),
        **kwargs,
    }
    return SSD(backbone, anchors, size, classes, **options)

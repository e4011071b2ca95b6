"""FCOS: every place of a map says how far away the sides of its object are (Tian, Shen, Chen, He, 2019)."""

from __future__ import annotations

from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import small, start
from taeda.vision.models.detection import _utils as det_utils
from taeda.vision.models.detection._detector import (
    COCO_CLASSES,
    IMAGE_MEAN,
    IMAGE_STD,
    check_labels,
    checked,
    flattened,
    needs_out_channels,
)
from taeda.vision.models.detection._utils import Target
from taeda.vision.models.detection.anchor_utils import AnchorGenerator
from taeda.vision.models.detection.retinanet import AnchorDetector, Outputs, pyramid, rare
from taeda.vision.models.detection.transform import GeneralizedRCNNTransform
from taeda.vision.models.registry import builder
from taeda.vision.ops import generalized_box_iou_loss, sigmoid_focal_loss
from taeda.vision.ops.misc import Layer

__all__ = ["FCOS", "FCOSClassificationHead", "FCOSHead", "FCOSRegressionHead", "fcos_resnet50_fpn"]


def _convolutions(channels: int, count: int, norm_layer: Layer | None) -> nn.Sequential:
    norm = norm_layer or partial(nn.GroupNorm, 32)
    layers: list[nn.Module] = []
    for _ in range(count):
        layers += [nn.Conv2d(channels, channels, kernel_size=3, stride=1, padding=1), norm(channels), nn.ReLU()]
    return nn.Sequential(*layers)


class FCOSClassificationHead(nn.Module):
    """Logits of each class for each place: a list of maps B x C x H_i x W_i gives B x n x classes."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        num_convs: int = 4,
        prior_probability: float = 0.01,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.num_anchors = num_anchors
        self.conv = _convolutions(in_channels, num_convs, norm_layer)
        start(self.conv, small)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, kernel_size=3, stride=1, padding=1)
        nn.init.normal_(self.cls_logits.weight, std=0.01)
        rare(self.cls_logits, prior_probability)

    def forward(self, x: list[Tensor]) -> Tensor:
        return taeda.cat([flattened(self.cls_logits(self.conv(features)), self.num_classes) for features in x], dim=1)


class FCOSRegressionHead(nn.Module):
    """Distances of the sides, and the centerness of a place in its object: a list of maps gives B x n x 4 and B x n x 1."""

    def __init__(self, in_channels: int, num_anchors: int, num_convs: int = 4, norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.conv = _convolutions(in_channels, num_convs, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, kernel_size=3, stride=1, padding=1)
        self.bbox_ctrness = nn.Conv2d(in_channels, num_anchors * 1, kernel_size=3, stride=1, padding=1)
        for part in (self.bbox_reg, self.bbox_ctrness, self.conv):
            start(part, small)

    def forward(self, x: list[Tensor]) -> tuple[Tensor, Tensor]:
        maps = [self.conv(features) for features in x]
        codes = taeda.cat([flattened(F.relu(self.bbox_reg(features)), 4) for features in maps], dim=1)
        return codes, taeda.cat([flattened(self.bbox_ctrness(features), 1) for features in maps], dim=1)


class FCOSHead(nn.Module):
    """Both heads: a list of maps gives a dict of "cls_logits", "bbox_regression" and "bbox_ctrness"."""

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int = 4) -> None:
        super().__init__()
        self.box_coder = det_utils.BoxLinearCoder(normalize_by_size=True)
        self.classification_head = FCOSClassificationHead(in_channels, num_anchors, num_classes, num_convs)
        self.regression_head = FCOSRegressionHead(in_channels, num_anchors, num_convs)

    def compute_loss(
        self, targets: list[Target], head_outputs: Outputs, anchors: list[Tensor], matched_idxs: list[Tensor]
    ) -> Outputs:
        """Return the focal loss of the classes, 1 - GIoU of the boxes and the cross entropy of the centerness, each per matched place."""
        logits = head_outputs["cls_logits"]
        labels, boxes = [], []
        for target, match in zip(targets, matched_idxs, strict=True):
            if len(target["labels"]) == 0:
                label, box = target["labels"].new_zeros(len(match)), target["boxes"].new_zeros((len(match), 4))
            else:
                check_labels(target["labels"], logits.shape[-1], "FCOS", negative=True)
                label, box = (target[key][match.clamp(min=0)] for key in ("labels", "boxes"))
            label[match < 0] = -1
            labels.append(label)
            boxes.append(box)
        truth, label, places = taeda.stack(boxes), taeda.stack(labels), taeda.stack(anchors)
        matched = label >= 0
        count = max(1, int(matched.sum()))
        wanted = taeda.zeros_like(logits)
        wanted[matched, label[matched]] = 1.0
        found = self.box_coder.decode(head_outputs["bbox_regression"], places)
        # The centerness is sqrt(min(left, right) / max(left, right) * min(top, bottom) / max(top, bottom)).
        sides = self.box_coder.encode(places, truth)[matched]
        across, down = sides[:, 0::2], sides[:, 1::2]
        centerness = taeda.sqrt((across.amin(-1) / across.amax(-1)) * (down.amin(-1) / down.amax(-1)))
        logit = head_outputs["bbox_ctrness"].squeeze(dim=2)[matched]
        return {
            "classification": sigmoid_focal_loss(logits, wanted, reduction="sum") / count,
            "bbox_regression": generalized_box_iou_loss(found[matched], truth[matched], reduction="sum") / count,
            "bbox_ctrness": F.binary_cross_entropy_with_logits(logit, centerness, reduction="sum") / count,
        }

    def forward(self, x: list[Tensor]) -> Outputs:
        logits = self.classification_head(x)
        codes, centerness = self.regression_head(x)
        return {"cls_logits": logits, "bbox_regression": codes, "bbox_ctrness": centerness}


class FCOS(AnchorDetector):
    """A backbone with a pyramid, and heads that classify every place; called as every `Detector` is.

    Args:
        backbone: images to a dict of maps, with an attribute `out_channels`.
        num_classes: classes with the background.
        min_size, max_size, image_mean, image_std: of `GeneralizedRCNNTransform`, which further arguments go to as well.
        anchor_generator, head: instead of the usual ones; a place has one anchor.
        center_sampling_radius: places nearer to an object's centre than so many anchors' sizes belong to it.
        score_thresh, nms_thresh, detections_per_img, topk_candidates: which detections are kept.

    Raises:
        ValueError: the backbone has no `out_channels`, or a place several anchors.
        TypeError: the anchors are of another type.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.detection import FCOS
    >>> from taeda.vision.models.detection.fcos import AnchorGenerator
    >>> body = nn.Conv2d(3, 32, 3, stride=16, padding=1)        # has an out_channels of its own
    >>> model = FCOS(body, 3, min_size=32, max_size=64, anchor_generator=AnchorGenerator(((16,),), ((1.0,),))).eval()
    >>> sorted(model([taeda.rand(3, 32, 40)])[0])
    ['boxes', 'labels', 'scores']
    """

    def __init__(
        self,
        backbone: Any,
        num_classes: int,
        min_size: Any = 800,
        max_size: int = 1333,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        anchor_generator: AnchorGenerator | None = None,
        head: nn.Module | None = None,
        center_sampling_radius: float = 1.5,
        score_thresh: float = 0.2,
        nms_thresh: float = 0.6,
        detections_per_img: int = 100,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        needs_out_channels(backbone, "FCOS")
        checked(anchor_generator, AnchorGenerator, "anchor_generator", "FCOS")
        anchors = anchor_generator or AnchorGenerator(((8,), (16,), (32,), (64,), (128,)), ((1.0,),) * 5)
        per_place = anchors.num_anchors_per_location()[0]
        if per_place != 1:
            raise ValueError(f"[FCOS] anchor_generator.num_anchors_per_location()[0] should be 1 instead of {per_place}")
        self.backbone = backbone
        self.anchor_generator = anchors
        self.head = head or FCOSHead(backbone.out_channels, 1, num_classes)
        self.box_coder = det_utils.BoxLinearCoder(normalize_by_size=True)
        self.transform = GeneralizedRCNNTransform(min_size, max_size, image_mean or IMAGE_MEAN, image_std or IMAGE_STD, **kwargs)
        self.center_sampling_radius = center_sampling_radius
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates

    def matches(self, anchors: Tensor, boxes: Tensor, per_level: list[int]) -> Tensor:
        """Match places that lie near the centre of an object, inside of it, on the level for its size; the smallest object wins."""
        centers, sizes = (anchors[:, :2] + anchors[:, 2:]) / 2, anchors[:, 2] - anchors[:, 0]
        low, high = boxes[:, :2], boxes[:, 2:]
        near = (centers[:, None] - (low + high) / 2).abs().amax(2) < self.center_sampling_radius * sizes[:, None]
        distances = taeda.cat([centers[:, None] - low, high - centers[:, None]], dim=2)
        least, most = sizes * 4, sizes * 8
        least[: per_level[0]] = 0
        most[-per_level[-1] :] = float("inf")
        farthest = distances.amax(2)
        fits = near & (distances.amin(2) > 0) & (farthest > least[:, None]) & (farthest < most[:, None])
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        value, match = (fits.to(taeda.float32) * (1e8 - area)).max(dim=1)
        match[value < 1e-5] = -1
        return match

    def scores(self, outputs: Outputs) -> Tensor:
        """Return the geometric mean of a class's probability and the centerness."""
        return taeda.sqrt(taeda.sigmoid(outputs["cls_logits"]) * taeda.sigmoid(outputs["bbox_ctrness"]))

    def decode(self, codes: Tensor, anchors: Tensor) -> Tensor:
        """Return the boxes with sides at these distances."""
        return self.box_coder.decode(codes, anchors)


@builder
def fcos_resnet50_fpn(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FCOS:
    """Build FCOS on ResNet-50 with a pyramid: 32.3 million parameters, 91 classes by default. Further arguments go to `FCOS`.

    After a checkpoint of COCO is loaded, the head that classifies is exchanged for your own classes; the one that moves boxes stays:

    >>> import taeda
    >>> from taeda.vision.models.detection import fcos_resnet50_fpn
    >>> from taeda.vision.models.detection.fcos import FCOSClassificationHead
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = fcos_resnet50_fpn()
    ...     model.head.classification_head = FCOSClassificationHead(256, num_anchors=1, num_classes=3)
    >>> model.head.classification_head.cls_logits
    Conv2d(256, 3, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """
    backbone = pyramid("fcos_resnet50_fpn", weights, weights_backbone, trainable_backbone_layers)
    return FCOS(backbone, COCO_CLASSES if num_classes is None else num_classes, **kwargs)

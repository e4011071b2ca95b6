"""RetinaNet: every anchor is classified at once, under the focal loss (Lin, Goyal, Girshick, He, Dollar, 2017)."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import refuse_weights, small, start
from taeda.vision.models.detection import _utils as det_utils
from taeda.vision.models.detection._detector import (
    COCO_CLASSES,
    IMAGE_MEAN,
    IMAGE_STD,
    Detector,
    best_of,
    check_labels,
    checked,
    flattened,
    level_candidates,
    needs_out_channels,
)
from taeda.vision.models.detection._utils import Detections, Target
from taeda.vision.models.detection.anchor_utils import AnchorGenerator
from taeda.vision.models.detection.backbone_utils import BackboneWithFPN, _resnet_fpn_extractor, _validate_trainable_layers
from taeda.vision.models.detection.image_list import ImageList
from taeda.vision.models.detection.transform import GeneralizedRCNNTransform
from taeda.vision.models.registry import builder
from taeda.vision.models.resnet import resnet50
from taeda.vision.ops import Conv2dNormActivation, boxes as box_ops, sigmoid_focal_loss
from taeda.vision.ops.feature_pyramid_network import LastLevelP6P7
from taeda.vision.ops.misc import Layer

__all__ = [
    "RetinaNet",
    "RetinaNetClassificationHead",
    "RetinaNetHead",
    "RetinaNetRegressionHead",
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
]

Outputs = dict[str, Tensor]


def _default_anchors() -> AnchorGenerator:
    sizes = tuple((x, int(x * 2 ** (1.0 / 3)), int(x * 2 ** (2.0 / 3))) for x in (32, 64, 128, 256, 512))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


def rare(layer: nn.Conv2d, probability: float) -> None:
    """Set a bias so that at first every class has this probability."""
    nn.init.constant_(layer.bias, -math.log((1 - probability) / probability))  # type: ignore[arg-type]


class _Head(nn.Module):
    """Base of both heads: four convolutions, `conv`."""

    _version = 2

    def _convolutions(self, channels: int, norm_layer: Layer | None) -> nn.Sequential:
        return nn.Sequential(*(Conv2dNormActivation(channels, channels, norm_layer=norm_layer) for _ in range(4)))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any) -> None:
        if (local_metadata.get("version") or 0) < 2:        # once the convolutions were bare, with ReLU between them
            for i in range(4):
                for name in ("weight", "bias"):
                    old = f"{prefix}conv.{2 * i}.{name}"
                    if old in state_dict:
                        state_dict[f"{prefix}conv.{i}.0.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class RetinaNetClassificationHead(_Head):
    """Logits of each class for each anchor: a list of maps B x C x H_i x W_i gives B x n x classes.

    Args:
        prior_probability: of a class at the start of training.
    """

    def __init__(
        self, in_channels: int, num_anchors: int, num_classes: int, prior_probability: float = 0.01, norm_layer: Layer | None = None
    ) -> None:
        super().__init__()
        self.conv = self._convolutions(in_channels, norm_layer)
        start(self.conv, small)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, kernel_size=3, stride=1, padding=1)
        nn.init.normal_(self.cls_logits.weight, std=0.01)
        rare(self.cls_logits, prior_probability)
        self.num_classes = num_classes
        self.num_anchors = num_anchors
        self.BETWEEN_THRESHOLDS = det_utils.Matcher.BETWEEN_THRESHOLDS

    def compute_loss(self, targets: list[Target], head_outputs: Outputs, matched_idxs: list[Tensor]) -> Tensor:
        """Return the focal loss of matched and unmatched anchors, those in between left out, per matched anchor."""
        losses = []
        for target, logits, match in zip(targets, head_outputs["cls_logits"], matched_idxs, strict=True):
            matched = match >= 0
            wanted = taeda.zeros_like(logits)
            wanted[matched, check_labels(target["labels"], self.num_classes, "RetinaNet")[match[matched]]] = 1.0
            valid = match != self.BETWEEN_THRESHOLDS
            losses.append(sigmoid_focal_loss(logits[valid], wanted[valid], reduction="sum") / max(1, int(matched.sum())))
        return sum(losses[1:], losses[0]) / len(targets)

    def forward(self, x: list[Tensor]) -> Tensor:
        return taeda.cat([flattened(self.cls_logits(self.conv(features)), self.num_classes) for features in x], dim=1)


class RetinaNetRegressionHead(_Head):
    """The code of a box for each anchor: a list of maps B x C x H_i x W_i gives B x n x 4."""

    def __init__(self, in_channels: int, num_anchors: int, norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.conv = self._convolutions(in_channels, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, kernel_size=3, stride=1, padding=1)
        start(self.bbox_reg, small)
        start(self.conv, small)
        self.box_coder = det_utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self._loss_type = "l1"

    def compute_loss(self, targets: list[Target], head_outputs: Outputs, anchors: list[Tensor], matched_idxs: list[Tensor]) -> Tensor:
        """Return the loss of the matched anchors' codes, per matched anchor."""
        losses = []
        for target, codes, boxes, match in zip(targets, head_outputs["bbox_regression"], anchors, matched_idxs, strict=True):
            matched = taeda.where(match >= 0)[0]
            truth = target["boxes"][match[matched]]
            loss = det_utils.box_loss(self._loss_type, self.box_coder, boxes[matched], truth, codes[matched])
            losses.append(loss / max(1, matched.numel()))
        return sum(losses[1:], losses[0]) / max(1, len(targets))

    def forward(self, x: list[Tensor]) -> Tensor:
        return taeda.cat([flattened(self.bbox_reg(self.conv(features)), 4) for features in x], dim=1)


class RetinaNetHead(nn.Module):
    """Both heads: a list of maps gives a dict of "cls_logits" and "bbox_regression"."""

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(in_channels, num_anchors, num_classes, norm_layer=norm_layer)
        self.regression_head = RetinaNetRegressionHead(in_channels, num_anchors, norm_layer=norm_layer)

    def compute_loss(self, targets: list[Target], head_outputs: Outputs, anchors: list[Tensor], matched_idxs: list[Tensor]) -> Outputs:
        """Return the losses of both."""
        return {
            "classification": self.classification_head.compute_loss(targets, head_outputs, matched_idxs),
            "bbox_regression": self.regression_head.compute_loss(targets, head_outputs, anchors, matched_idxs),
        }

    def forward(self, x: list[Tensor]) -> Outputs:
        return {"cls_logits": self.classification_head(x), "bbox_regression": self.regression_head(x)}


class AnchorDetector(Detector):
    """Base of detectors that classify every anchor of every level at once: RetinaNet and FCOS.

    Subclasses write `matches` and `scores`, and set what is read here.
    """

    head: Any
    anchor_generator: AnchorGenerator
    score_thresh: float
    nms_thresh: float
    detections_per_img: int
    topk_candidates: int

    def matches(self, anchors: Tensor, boxes: Tensor, per_level: list[int]) -> Tensor:
        """Return the number of each anchor's target, or a negative one; there are targets."""
        raise NotImplementedError

    def scores(self, outputs: Outputs) -> Tensor:
        """Return probabilities n x classes of an image's outputs."""
        raise NotImplementedError

    def decode(self, codes: Tensor, anchors: Tensor) -> Tensor:
        """Return boxes n x 4."""
        raise NotImplementedError

    def compute_loss(self, targets: list[Target], head_outputs: Outputs, anchors: list[Tensor], per_level: list[int]) -> Outputs:
        """Return the losses of the head."""
        matched = []
        for boxes, target in zip(anchors, targets, strict=True):
            if target["boxes"].numel() == 0:
                matched.append(taeda.full((len(boxes),), -1, dtype=taeda.int64, device=boxes.device))
            else:
                matched.append(self.matches(boxes, target["boxes"], per_level))
        return self.head.compute_loss(targets, head_outputs, anchors, matched)

    def postprocess_detections(
        self, head_outputs: Outputs, anchors: list[Tensor], image_shapes: list[tuple[int, int]], per_level: list[int]
    ) -> Detections:
        """Return each image's detections: of the best anchors of each level those that overlap nothing better."""
        detections = []
        for i, size in enumerate(image_shapes):
            outputs = {name: value[i] for name, value in head_outputs.items()}
            levels = [x.split(per_level) for x in (self.scores(outputs), outputs["bbox_regression"], anchors[i])]
            limits = (self.score_thresh, self.topk_candidates, size)
            candidates = [level_candidates(s, codes, a, self.decode, *limits) for s, codes, a in zip(*levels, strict=True)]
            detections.append(best_of(candidates, self.nms_thresh, self.detections_per_img))
        return detections

    def detect(self, images: ImageList, features: dict[str, Tensor], targets: list[Target] | None) -> tuple[Outputs, Detections]:
        """Classify all anchors."""
        maps = list(features.values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        places = [x.shape[2] * x.shape[3] for x in maps]
        per_level = [n * (outputs["cls_logits"].shape[1] // sum(places)) for n in places]
        if self.training:
            return self.compute_loss(targets, outputs, anchors, per_level), []  # type: ignore[arg-type]
        return {}, self.postprocess_detections(outputs, anchors, images.image_sizes, per_level)


class RetinaNet(AnchorDetector):
    """A backbone with a pyramid, and heads that classify every anchor and move it; called as every `Detector` is.

    Args:
        backbone: images to a dict of maps, with an attribute `out_channels`.
        num_classes: classes with the background.
        min_size, max_size, image_mean, image_std: of `GeneralizedRCNNTransform`, which further arguments go to as well.
        anchor_generator, head, proposal_matcher: instead of the usual ones.
        score_thresh, nms_thresh, detections_per_img, topk_candidates: which detections are kept.
        fg_iou_thresh, bg_iou_thresh: overlap from which an anchor is matched with a target, and below which it is background.

    Raises:
        ValueError: the backbone has no `out_channels`.
        TypeError: the anchors are of another type.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.detection import RetinaNet
    >>> from taeda.vision.models.detection.retinanet import AnchorGenerator
    >>> body = nn.Conv2d(3, 8, 3, stride=16, padding=1)         # has an out_channels of its own
    >>> anchors = AnchorGenerator(((16, 32),), ((0.5, 1.0),))
    >>> model = RetinaNet(body, 3, min_size=32, max_size=64, anchor_generator=anchors)
    >>> target = {"boxes": taeda.tensor([[4.0, 4.0, 20.0, 20.0]]), "labels": taeda.tensor([1])}
    >>> sorted(model([taeda.rand(3, 32, 40)], [target]))        # in training: the losses, to be added
    ['bbox_regression', 'classification']
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
        proposal_matcher: det_utils.Matcher | None = None,
        score_thresh: float = 0.05,
        nms_thresh: float = 0.5,
        detections_per_img: int = 300,
        fg_iou_thresh: float = 0.5,
        bg_iou_thresh: float = 0.4,
        topk_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        needs_out_channels(backbone, "RetinaNet")
        checked(anchor_generator, AnchorGenerator, "anchor_generator", "RetinaNet")
        self.backbone = backbone
        self.anchor_generator = anchors = anchor_generator or _default_anchors()
        self.head = head or RetinaNetHead(backbone.out_channels, anchors.num_anchors_per_location()[0], num_classes)
        self.proposal_matcher = proposal_matcher or det_utils.Matcher(fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True)
        self.box_coder = det_utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.transform = GeneralizedRCNNTransform(min_size, max_size, image_mean or IMAGE_MEAN, image_std or IMAGE_STD, **kwargs)
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates

    def matches(self, anchors: Tensor, boxes: Tensor, per_level: list[int]) -> Tensor:
        """Match by overlaps."""
        return self.proposal_matcher(box_ops.box_iou(boxes, anchors))

    def scores(self, outputs: Outputs) -> Tensor:
        """Return the probability of each class by itself."""
        return taeda.sigmoid(outputs["cls_logits"])

    def decode(self, codes: Tensor, anchors: Tensor) -> Tensor:
        """Move the anchors."""
        return self.box_coder.decode_single(codes, anchors)


def pyramid(name: str, weights: Any, weights_backbone: Any, layers: int | None, p6: int = 256) -> BackboneWithFPN:
    """Return ResNet-50 with the levels 3 to 7; the sixth is made of as many channels as `p6`."""
    refuse_weights(name, weights)
    layers = _validate_trainable_layers(False, layers, 5, 3)
    return _resnet_fpn_extractor(resnet50(weights=weights_backbone), layers, [2, 3, 4], LastLevelP6P7(p6, 256))


@builder
def retinanet_resnet50_fpn(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> RetinaNet:
    """Build RetinaNet on ResNet-50 with a pyramid: 34.1 million parameters, 91 classes by default. Further arguments go to `RetinaNet`.

    After a checkpoint of COCO is loaded, the head that classifies is exchanged for your own classes; the one that moves boxes stays:

    >>> import taeda
    >>> from taeda.vision.models.detection import retinanet_resnet50_fpn
    >>> from taeda.vision.models.detection.retinanet import RetinaNetClassificationHead
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = retinanet_resnet50_fpn()
    ...     anchors = model.head.classification_head.num_anchors
    ...     model.head.classification_head = RetinaNetClassificationHead(256, anchors, num_classes=3)
    >>> model.head.classification_head.cls_logits
    Conv2d(256, 27, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """
    backbone = pyramid("retinanet_resnet50_fpn", weights, weights_backbone, trainable_backbone_layers)
    return RetinaNet(backbone, COCO_CLASSES if num_classes is None else num_classes, **kwargs)


@builder
def retinanet_resnet50_fpn_v2(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> RetinaNet:
    """Build RetinaNet with normalisation in the heads and GIoU for boxes (Zhang et al., ATSS, 2019); see `retinanet_resnet50_fpn`."""
    classes = COCO_CLASSES if num_classes is None else num_classes
    backbone = pyramid("retinanet_resnet50_fpn_v2", weights, weights_backbone, trainable_backbone_layers, 2048)
    anchors = _default_anchors()
    head = RetinaNetHead(
        backbone.out_channels, anchors.num_anchors_per_location()[0], classes, norm_layer=partial(nn.GroupNorm, 32)
    )
    head.regression_head._loss_type = "giou"
    return RetinaNet(backbone, classes, **{"anchor_generator": anchors, "head": head, **kwargs})

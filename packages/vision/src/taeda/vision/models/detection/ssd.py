"""SSD: default boxes on maps of many sizes, all classified at once (Liu et al., Single Shot MultiBox Detector, 2015)."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import refuse_weights, start
from taeda.vision.models.detection import _utils as det_utils
from taeda.vision.models.detection._detector import COCO_CLASSES, IMAGE_MEAN, IMAGE_STD, Detector, best_of, flattened
from taeda.vision.models.detection._utils import Detections, Target
from taeda.vision.models.detection.anchor_utils import DefaultBoxGenerator
from taeda.vision.models.detection.backbone_utils import _validate_trainable_layers
from taeda.vision.models.detection.image_list import ImageList
from taeda.vision.models.detection.transform import GeneralizedRCNNTransform
from taeda.vision.models.registry import builder
from taeda.vision.models.vgg import vgg16
from taeda.vision.ops import boxes as box_ops

__all__ = [
    "SSD",
    "SSDClassificationHead",
    "SSDFeatureExtractorVGG",
    "SSDHead",
    "SSDRegressionHead",
    "SSDScoringHead",
    "ssd300_vgg16",
]

Outputs = dict[str, Tensor]


class SSDScoringHead(nn.Module):
    """A convolution for each map: a list of maps B x C_i x H_i x W_i gives B x n x num_columns."""

    def __init__(self, module_list: nn.ModuleList, num_columns: int) -> None:
        super().__init__()
        self.module_list = module_list
        self.num_columns = num_columns

    def forward(self, x: list[Tensor]) -> Tensor:
        parts = [flattened(module(features), self.num_columns) for module, features in zip(self.module_list, x, strict=False)]
        return taeda.cat(parts, dim=1)


def _predictors(in_channels: list[int], num_anchors: list[int], columns: int) -> nn.ModuleList:
    layers = nn.ModuleList()
    for channels, anchors in zip(in_channels, num_anchors, strict=True):
        layers.append(nn.Conv2d(channels, columns * anchors, kernel_size=3, padding=1))
    start(layers, nn.init.xavier_uniform_)
    return layers


class SSDClassificationHead(SSDScoringHead):
    """Logits of the classes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int) -> None:
        super().__init__(_predictors(in_channels, num_anchors, num_classes), num_classes)


class SSDRegressionHead(SSDScoringHead):
    """Codes of the boxes."""

    def __init__(self, in_channels: list[int], num_anchors: list[int]) -> None:
        super().__init__(_predictors(in_channels, num_anchors, 4), 4)


class SSDHead(nn.Module):
    """Both heads: a list of maps gives a dict of "bbox_regression" and "cls_logits"."""

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int) -> None:
        super().__init__()
        self.classification_head = SSDClassificationHead(in_channels, num_anchors, num_classes)
        self.regression_head = SSDRegressionHead(in_channels, num_anchors)

    def forward(self, x: list[Tensor]) -> Outputs:
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


class SSD(Detector):
    """A backbone with maps of several sizes, and a head that classifies all default boxes; called as every `Detector` is.

    Args:
        backbone: images to a dict of maps; their channels are its `out_channels`, or found by running it.
        anchor_generator: the default boxes.
        size: (width, height) that images are resized to.
        num_classes: classes with the background, which is 0.
        image_mean, image_std: of `GeneralizedRCNNTransform`, which further arguments go to as well.
        head: instead of `SSDHead`.
        score_thresh, nms_thresh, detections_per_img, topk_candidates: which detections are kept.
        iou_thresh: overlap from which a box is matched with a target.
        positive_fraction: for each matched box the loss counts the worst of the others, up to this share.

    Raises:
        ValueError: the backbone and the boxes have different numbers of maps.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.detection import SSD
    >>> from taeda.vision.models.detection.ssd import DefaultBoxGenerator
    >>> body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=16, padding=1))
    >>> model = SSD(body, DefaultBoxGenerator([[2]]), size=(64, 64), num_classes=3).eval()
    >>> sorted(model([taeda.rand(3, 40, 50)])[0])
    ['boxes', 'labels', 'scores']
    """

    def __init__(
        self,
        backbone: Any,
        anchor_generator: DefaultBoxGenerator,
        size: tuple[int, int],
        num_classes: int,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        head: nn.Module | None = None,
        score_thresh: float = 0.01,
        nms_thresh: float = 0.45,
        detections_per_img: int = 200,
        iou_thresh: float = 0.5,
        topk_candidates: int = 400,
        positive_fraction: float = 0.25,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.anchor_generator = anchor_generator
        self.box_coder = det_utils.BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
        if head is None:
            channels = checked_channels(backbone, anchor_generator, size, "SSD")
            head = SSDHead(channels, anchor_generator.num_anchors_per_location(), num_classes)
        self.head = head
        self.proposal_matcher = det_utils.SSDMatcher(iou_thresh)
        self.transform = GeneralizedRCNNTransform(
            min(size), max(size), image_mean or IMAGE_MEAN, image_std or IMAGE_STD, size_divisible=1, fixed_size=size, **kwargs
        )
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.topk_candidates = topk_candidates
        self.neg_to_pos_ratio = (1.0 - positive_fraction) / positive_fraction

    def compute_loss(self, targets: list[Target], head_outputs: Outputs, anchors: list[Tensor], matched_idxs: list[Tensor]) -> Outputs:
        """Return the losses of the matched boxes' codes, and of the classes of these and of the worst others, per matched box."""
        logits = head_outputs["cls_logits"]
        box_losses, labels, count = [], [], 0
        for target, codes, boxes, match in zip(targets, head_outputs["bbox_regression"], anchors, matched_idxs, strict=True):
            matched = taeda.where(match >= 0)[0]
            which = match[matched]
            count += which.numel()
            wanted = self.box_coder.encode_single(target["boxes"][which], boxes[matched])
            box_losses.append(F.smooth_l1_loss(codes[matched], wanted, reduction="sum"))
            label = target["labels"].new_zeros(len(match))
            label[matched] = target["labels"][which]
            labels.append(label)
        label = taeda.stack(labels)
        losses = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), label.reshape(-1), reduction="none").reshape(label.shape)
        objects = label > 0
        most = self.neg_to_pos_ratio * objects.sum(1, keepdim=True)
        order = losses.detach().masked_fill(objects, -float("inf")).sort(1, descending=True)[1]
        worst = order.sort(1)[1] < most                 # the rank of each among the others
        return {
            "bbox_regression": taeda.stack(box_losses).sum() / max(1, count),
            "classification": (losses[objects].sum() + losses[worst].sum()) / max(1, count),
        }

    def postprocess_detections(
        self, head_outputs: Outputs, image_anchors: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> Detections:
        """Return each image's detections: of the best boxes of each class those that overlap nothing better."""
        probabilities = F.softmax(head_outputs["cls_logits"], dim=-1)
        detections = []
        for codes, scores, anchors, size in zip(
            head_outputs["bbox_regression"], probabilities, image_anchors, image_shapes, strict=True
        ):
            boxes = box_ops.clip_boxes_to_image(self.box_coder.decode_single(codes, anchors), size)
            candidates = []
            for label in range(1, scores.shape[-1]):
                above = taeda.where(scores[:, label] > self.score_thresh)[0]
                score, order = scores[above, label].topk(min(self.topk_candidates, len(above)))
                candidates.append((boxes[above[order]], score, taeda.full_like(order, label)))
            detections.append(best_of(candidates, self.nms_thresh, self.detections_per_img))
        return detections

    def detect(
        self, images: ImageList, features: dict[str, Tensor], targets: list[Target] | None
    ) -> tuple[Outputs, Detections]:
        """Classify all default boxes."""
        maps = list(features.values())
        outputs = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        if not self.training:
            return {}, self.postprocess_detections(outputs, anchors, images.image_sizes)
        matched = []
        for boxes, target in zip(anchors, targets or [], strict=True):
            if target["boxes"].numel() == 0:
                matched.append(taeda.full((len(boxes),), -1, dtype=taeda.int64, device=boxes.device))
            else:
                matched.append(self.proposal_matcher(box_ops.box_iou(target["boxes"], boxes)))
        return self.compute_loss(targets or [], outputs, anchors, matched), []


def checked_channels(backbone: Any, anchors: DefaultBoxGenerator, size: tuple[int, int], op: str) -> list[int]:
    """Return the channels of a backbone's maps, one for each level of the default boxes."""
    channels = getattr(backbone, "out_channels", None) or det_utils.retrieve_out_channels(backbone, size)
    if len(channels) != len(anchors.aspect_ratios):
        raise ValueError(
            f"[{op}] The length of the output channels from the backbone ({len(channels)}) do not match the length of the anchor "
            f"generator aspect ratios ({len(anchors.aspect_ratios)})"
        )
    return channels


class SSDFeatureExtractorVGG(nn.Module):
    """VGG without its last pool, and further blocks of convolutions: B x 3 x H x W gives a dict of six maps, seven with `highres`."""

    def __init__(self, backbone: nn.Sequential, highres: bool) -> None:
        super().__init__()
        pools = [i for i, layer in enumerate(backbone) if isinstance(layer, nn.MaxPool2d)]
        third: Any = backbone[pools[2]]
        third.ceil_mode = True
        self.scale_weight = nn.Parameter(taeda.ones(512) * 20)
        self.features = nn.Sequential(*backbone[: pools[3]])

        def block(inputs: int, outputs: int, **how: Any) -> nn.Sequential:
            first, second = nn.Conv2d(inputs, outputs // 2, kernel_size=1), nn.Conv2d(outputs // 2, outputs, **how)
            return nn.Sequential(first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True))

        strided: dict[str, int] = {"kernel_size": 3, "padding": 1, "stride": 2}
        extra = nn.ModuleList([block(1024, 512, **strided), block(512, 256, **strided)])
        extra += [block(256, 256, kernel_size=3), block(256, 256, kernel_size=3)]
        if highres:
            extra.append(block(256, 256, kernel_size=4))
        start(extra, nn.init.xavier_uniform_)
        last = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=False),
            nn.Conv2d(512, 1024, kernel_size=3, padding=6, dilation=6),
            nn.ReLU(inplace=True),
            nn.Conv2d(1024, 1024, kernel_size=1),
            nn.ReLU(inplace=True),
        )
        start(last, nn.init.xavier_uniform_)
        extra.insert(0, nn.Sequential(*backbone[pools[3] : -1], last))
        self.extra = extra

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.features(x)
        maps = [self.scale_weight.reshape(1, -1, 1, 1) * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), v) for i, v in enumerate(maps))


def size_is_fixed(kwargs: dict[str, Any]) -> None:
    """Warn of a size that is given where there is one already, and drop it."""
    if "size" in kwargs:
        warnings.warn("The size of the model is already fixed; ignoring the parameter.", stacklevel=3)
        del kwargs["size"]


@builder
def ssd300_vgg16(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> SSD:
    """Build SSD on VGG-16 for images of 300 x 300: 35.6 million parameters, 91 classes by default. Further arguments go to `SSD`.

    After a checkpoint of COCO is loaded, the head that classifies is exchanged for your own classes; the one that moves boxes stays:

    >>> import taeda
    >>> from taeda.vision.models.detection import ssd300_vgg16
    >>> from taeda.vision.models.detection.ssd import SSDClassificationHead
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = ssd300_vgg16()
    ...     channels = [conv.in_channels for conv in model.head.classification_head.module_list]
    ...     anchors = model.anchor_generator.num_anchors_per_location()
    ...     model.head.classification_head = SSDClassificationHead(channels, anchors, num_classes=3)
    >>> [conv.out_channels for conv in model.head.classification_head.module_list]     # 4 or 6 anchors of 3 classes
    [12, 18, 18, 18, 12, 12]
    """
    refuse_weights("ssd300_vgg16", weights)
    size_is_fixed(kwargs)
    _validate_trainable_layers(False, trainable_backbone_layers, 5, 4)
    features: Any = vgg16(weights=weights_backbone).features
    backbone = SSDFeatureExtractorVGG(features, False)
    scales, steps = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], [8, 16, 32, 64, 100, 300]
    anchors = DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=scales, steps=steps)
    # The backbone's weights come from Caffe, whose images range from 0 to 255 and are not divided by a deviation.
    options = {"image_mean": [0.48235, 0.45882, 0.40784], "image_std": [1.0 / 255.0] * 3, **kwargs}
    return SSD(backbone, anchors, (300, 300), COCO_CLASSES if num_classes is None else num_classes, **options)

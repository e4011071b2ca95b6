"""The network that proposes regions (Ren et al., Faster R-CNN, 2015)."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import small, start
from taeda.vision.models.detection import _utils as det_utils
from taeda.vision.models.detection._detector import flattened
from taeda.vision.models.detection._utils import Target
from taeda.vision.models.detection.anchor_utils import AnchorGenerator
from taeda.vision.models.detection.image_list import ImageList
from taeda.vision.ops import Conv2dNormActivation, boxes as box_ops

__all__ = ["RPNHead", "RegionProposalNetwork", "concat_box_prediction_layers"]


class RPNHead(nn.Module):
    """3x3 convolutions, then for each anchor a logit of being an object, and the code of a box.

    Shape: a list of maps B x C x H x W gives two lists, B x A x H x W and B x 4 A x H x W.
    """

    _version = 2

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        convs = [Conv2dNormActivation(in_channels, in_channels, kernel_size=3, norm_layer=None) for _ in range(conv_depth)]
        self.conv = nn.Sequential(*convs)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, kernel_size=1, stride=1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, kernel_size=1, stride=1)
        start(self, small)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any) -> None:
        if (local_metadata.get("version") or 0) < 2:        # once the convolution was bare
            for name in ("weight", "bias"):
                if f"{prefix}conv.{name}" in state_dict:
                    state_dict[f"{prefix}conv.0.0.{name}"] = state_dict.pop(f"{prefix}conv.{name}")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        maps = [self.conv(feature) for feature in x]
        return [self.cls_logits(t) for t in maps], [self.bbox_pred(t) for t in maps]


def concat_box_prediction_layers(box_cls: list[Tensor], box_regression: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Join the predictions of all levels, image by image and anchor by anchor: n x classes and n x 4."""
    logits = []
    for logit, code in zip(box_cls, box_regression, strict=True):
        logits.append(flattened(logit, logit.shape[1] * 4 // code.shape[1]))
    codes = taeda.cat([flattened(code, 4) for code in box_regression], dim=1)
    return taeda.cat(logits, dim=1).flatten(0, -2), codes.reshape(-1, 4)


class RegionProposalNetwork(nn.Module):
    """Propose boxes: the best anchors of each level, moved, that overlap no better one.

    Args:
        anchor_generator, head: see `AnchorGenerator` and `RPNHead`.
        fg_iou_thresh, bg_iou_thresh: an anchor that overlaps a target as much is positive, one that overlaps all less is negative.
        batch_size_per_image, positive_fraction: of the anchors that the loss is taken over.
        pre_nms_top_n, post_nms_top_n: how many boxes of a level go into nms, and how many of an image come out: dicts with
            "training" and "testing".
        nms_thresh: overlap at which the worse box is dropped.
        score_thresh: probability that a proposal needs.

    Called with an `ImageList`, the maps and, in training, targets; gives for each image boxes n x 4, and losses.
    """

    def __init__(
        self,
        anchor_generator: AnchorGenerator,
        head: nn.Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        pre_nms_top_n: dict[str, int],
        post_nms_top_n: dict[str, int],
        nms_thresh: float,
        score_thresh: float = 0.0,
    ) -> None:
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.box_coder = det_utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))
        self.box_similarity = box_ops.box_iou
        self.proposal_matcher = det_utils.Matcher(fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True)
        self.fg_bg_sampler = det_utils.BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self._pre_nms_top_n = pre_nms_top_n
        self._post_nms_top_n = post_nms_top_n
        self.nms_thresh = nms_thresh
        self.score_thresh = score_thresh
        self.min_size = 1e-3

    def pre_nms_top_n(self) -> int:
        """Return how many boxes of a level go into nms."""
        return self._pre_nms_top_n["training" if self.training else "testing"]

    def post_nms_top_n(self) -> int:
        """Return how many boxes of an image are proposed."""
        return self._post_nms_top_n["training" if self.training else "testing"]

    def assign_targets_to_anchors(self, anchors: list[Tensor], targets: list[Target]) -> tuple[list[Tensor], list[Tensor]]:
        """Return for each image labels n (1 positive, 0 negative, -1 neither) and the box of each anchor's target n x 4."""
        labels, matched = [], []
        for boxes, target in zip(anchors, targets, strict=True):
            truth = target["boxes"]
            if truth.numel() == 0:
                labels.append(taeda.zeros(len(boxes), device=boxes.device))
                matched.append(taeda.zeros(boxes.shape, device=boxes.device))
                continue
            match = self.proposal_matcher(self.box_similarity(truth, boxes))
            label = (match >= 0).to(taeda.float32)
            label[match == self.proposal_matcher.BETWEEN_THRESHOLDS] = -1.0
            labels.append(label)
            matched.append(truth[match.clamp(min=0)])
        return labels, matched

    def filter_proposals(
        self, proposals: Tensor, objectness: Tensor, image_shapes: list[tuple[int, int]], num_anchors_per_level: list[int]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the boxes and probabilities that remain, image by image, of proposals B x n x 4."""
        objectness = objectness.detach().reshape(len(proposals), -1)
        levels = taeda.cat([taeda.full((n,), i, dtype=taeda.int64) for i, n in enumerate(num_anchors_per_level)]).to(proposals.device)
        best, offset = [], 0
        for logits in objectness.split(num_anchors_per_level, 1):
            n = logits.shape[1]
            best.append(logits.topk(min(self.pre_nms_top_n(), n), dim=1)[1] + offset)
            offset += n
        top = taeda.cat(best, dim=1)
        boxes_out, scores_out = [], []
        for all_boxes, logits, chosen, size in zip(proposals, objectness, top, image_shapes, strict=True):
            boxes = box_ops.clip_boxes_to_image(all_boxes[chosen], size)
            scores, level = taeda.sigmoid(logits[chosen]), levels[chosen]
            keep = box_ops.remove_small_boxes(boxes, self.min_size)
            keep = keep[scores[keep] >= self.score_thresh]
            boxes, scores = boxes[keep], scores[keep]
            keep = box_ops.batched_nms(boxes, scores, level[keep], self.nms_thresh)[: self.post_nms_top_n()]
            boxes_out.append(boxes[keep])
            scores_out.append(scores[keep])
        return boxes_out, scores_out

    def compute_loss(
        self, objectness: Tensor, pred_bbox_deltas: Tensor, labels: list[Tensor], regression_targets: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of the logits and that of the codes, over sampled anchors."""
        positive, negative = (taeda.where(taeda.cat(masks))[0] for masks in self.fg_bg_sampler(labels))
        sampled = taeda.cat([positive, negative])
        wanted = taeda.cat(regression_targets)[positive]
        box_loss = F.smooth_l1_loss(pred_bbox_deltas[positive], wanted, beta=1 / 9, reduction="sum") / sampled.numel()
        return F.binary_cross_entropy_with_logits(objectness.flatten()[sampled], taeda.cat(labels)[sampled]), box_loss

    def forward(
        self, images: ImageList, features: dict[str, Tensor], targets: list[Target] | None = None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        maps = list(features.values())
        logits, codes = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        per_level = [x[0].numel() for x in logits]
        objectness, deltas = concat_box_prediction_layers(logits, codes)
        proposals = self.box_coder.decode(deltas.detach(), anchors).reshape(len(anchors), -1, 4)
        boxes, _ = self.filter_proposals(proposals, objectness, images.image_sizes, per_level)
        if not self.training:
            return boxes, {}
        if targets is None:
            raise ValueError("[RegionProposalNetwork] targets should not be None in training")
        labels, matched = self.assign_targets_to_anchors(anchors, targets)
        wanted = list(self.box_coder.encode(matched, anchors))
        loss_objectness, loss_box = self.compute_loss(objectness, deltas, labels, wanted)
        return boxes, {"loss_objectness": loss_objectness, "loss_rpn_box_reg": loss_box}

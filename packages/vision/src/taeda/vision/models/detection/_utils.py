"""What detectors share: codes of boxes, matches of boxes with targets, and the samples that a loss is taken over."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.ops import FrozenBatchNorm2d, complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss

__all__ = [
    "BalancedPositiveNegativeSampler",
    "BoxCoder",
    "BoxLinearCoder",
    "Matcher",
    "SSDMatcher",
    "box_loss",
    "encode_boxes",
    "overwrite_eps",
    "retrieve_out_channels",
]

Target = dict[str, Tensor]
Detections = list[dict[str, Tensor]]


class BalancedPositiveNegativeSampler:
    """Draw a fixed number of boxes for the loss: positive ones (1 and above) up to a share, the rest negative (0).

    Args:
        batch_size_per_image: how many are drawn from an image.
        positive_fraction: at most this share of them is positive.
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        self.batch_size_per_image = batch_size_per_image
        self.positive_fraction = positive_fraction

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return for each image two uint8 masks: the positive ones drawn, and the negative ones."""
        masks: tuple[list[Tensor], list[Tensor]] = ([], [])
        for labels in matched_idxs:
            positive, negative = taeda.where(labels >= 1)[0], taeda.where(labels == 0)[0]
            n_positive = min(positive.numel(), int(self.batch_size_per_image * self.positive_fraction))
            n_negative = min(negative.numel(), self.batch_size_per_image - n_positive)
            for kept, members, n in zip(masks, (positive, negative), (n_positive, n_negative), strict=True):
                mask = taeda.zeros_like(labels, dtype=taeda.uint8)
                mask[members[taeda.randperm(members.numel(), device=members.device)[:n]]] = 1
                kept.append(mask)
        return masks


def _center_and_size(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return x and y of the centres, widths and heights of boxes n x 4."""
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return boxes[:, 0] + 0.5 * widths, boxes[:, 1] + 0.5 * heights, widths, heights


def encode_boxes(reference_boxes: Tensor, proposals: Tensor, weights: Tensor) -> Tensor:
    """Return the codes (dx, dy, dw, dh) that lead from proposals to reference boxes: n x 4 twice gives n x 4.

    ``dx = wx (x_ref - x) / w``, ``dw = ww log(w_ref / w)``, and so for y and h.
    """
    x, y, w, h = _center_and_size(proposals)
    x_ref, y_ref, w_ref, h_ref = _center_and_size(reference_boxes)
    wx, wy, ww, wh = weights.unbind(0)
    shifts = [wx * (x_ref - x) / w, wy * (y_ref - y) / h]
    return taeda.stack([*shifts, ww * taeda.log(w_ref / w), wh * taeda.log(h_ref / h)], dim=1)


class BoxCoder:
    """Boxes as shifts and scales of other boxes (Ren et al., Faster R-CNN, 2015); see `encode_boxes`.

    Args:
        weights: factors of (dx, dy, dw, dh).
        bbox_xform_clip: dw and dh are cut off here before exp.

    >>> import taeda
    >>> from taeda.vision.models.detection._utils import BoxCoder
    >>> coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
    >>> a, b = taeda.tensor([[0.0, 0, 4, 4]]), taeda.tensor([[1.0, 0, 9, 4]])
    >>> coder.decode_single(coder.encode_single(b, a), a)
    tensor([[1., 0., 9., 4.]])
    """

    def __init__(self, weights: tuple[float, float, float, float], bbox_xform_clip: float = math.log(1000.0 / 16)) -> None:
        self.weights = weights
        self.bbox_xform_clip = bbox_xform_clip

    def encode(self, reference_boxes: list[Tensor], proposals: list[Tensor]) -> tuple[Tensor, ...]:
        """Encode the boxes of several images; returns as many tensors n x 4."""
        counts = [len(b) for b in reference_boxes]
        return self.encode_single(taeda.cat(reference_boxes), taeda.cat(proposals)).split(counts, 0)

    def encode_single(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Encode boxes n x 4."""
        weights = taeda.as_tensor(self.weights, dtype=reference_boxes.dtype, device=reference_boxes.device)
        return encode_boxes(reference_boxes, proposals, weights)

    def decode(self, rel_codes: Tensor, boxes: list[Tensor]) -> Tensor:
        """Decode codes n x 4 k of boxes of several images, n in all: gives n x k x 4.

        Raises:
            AssertionError: the arguments are of other types.
        """
        if not isinstance(boxes, (list, tuple)):
            raise AssertionError(f"[BoxCoder.decode] This function expects boxes of type list or tuple, got {type(boxes).__name__}")
        if not isinstance(rel_codes, Tensor):
            raise AssertionError(f"[BoxCoder.decode] This function expects rel_codes of type Tensor, got {type(rel_codes).__name__}")
        joined = taeda.cat(list(boxes))
        n = len(joined)
        if n == 0:
            return self.decode_single(rel_codes, joined)
        return self.decode_single(rel_codes.reshape(n, -1), joined).reshape(n, -1, 4)

    def decode_single(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Decode codes n x 4 k of boxes n x 4: gives n x 4 k."""
        x, y, w, h = (v[:, None] for v in _center_and_size(boxes.to(rel_codes.dtype)))
        dx, dy, dw, dh = (rel_codes[:, i::4] / weight for i, weight in enumerate(self.weights))
        x, y = dx * w + x, dy * h + y
        half_w = 0.5 * (taeda.exp(dw.clamp(max=self.bbox_xform_clip)) * w)
        half_h = 0.5 * (taeda.exp(dh.clamp(max=self.bbox_xform_clip)) * h)
        return taeda.stack((x - half_w, y - half_h, x + half_w, y + half_h), dim=2).flatten(1)


class BoxLinearCoder:
    """Boxes as distances of their sides from the centres of other boxes, ... x 4 (Tian et al., FCOS, 2019).

    Args:
        normalize_by_size: in units of those boxes' sizes.
    """

    def __init__(self, normalize_by_size: bool = True) -> None:
        self.normalize_by_size = normalize_by_size

    @staticmethod
    def _centers(boxes: Tensor) -> Tensor:
        return 0.5 * (boxes[..., :2] + boxes[..., 2:])

    def _sizes(self, boxes: Tensor) -> Tensor:
        size = boxes[..., 2:] - boxes[..., :2]
        return taeda.cat((size, size), dim=-1)

    def encode(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Return the distances from the centres of `reference_boxes` to the sides of `proposals`: left, top, right, bottom."""
        centers = self._centers(reference_boxes)
        out = taeda.cat((centers - proposals[..., :2], proposals[..., 2:] - centers), dim=-1)
        return out / self._sizes(reference_boxes) if self.normalize_by_size else out

    def decode(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Return the boxes whose sides lie at these distances from the centres of `boxes`."""
        boxes = boxes.to(dtype=rel_codes.dtype)
        centers = self._centers(boxes)
        if self.normalize_by_size:
            rel_codes = rel_codes * self._sizes(boxes)
        return taeda.cat((centers - rel_codes[..., :2], centers + rel_codes[..., 2:]), dim=-1)


class Matcher:
    """Give each box the target that it overlaps most, or a negative number.

    Args:
        high_threshold: from this overlap on a box is matched.
        low_threshold: below it, it is `BELOW_LOW_THRESHOLD`; else `BETWEEN_THRESHOLDS`.
        allow_low_quality_matches: the boxes that overlap a target most of all are matched however little that is.

    Raises:
        AssertionError: the thresholds are the wrong way round.

    >>> import taeda
    >>> from taeda.vision.models.detection._utils import Matcher
    >>> Matcher(0.5, 0.3)(taeda.tensor([[0.9, 0.4, 0.1], [0.2, 0.1, 0.2]]))
    tensor([ 0, -2, -1])
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(self, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool = False) -> None:
        if not low_threshold <= high_threshold:
            raise AssertionError(f"[Matcher] low_threshold should be <= high_threshold, got {low_threshold} and {high_threshold}")
        self.high_threshold = high_threshold
        self.low_threshold = low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        """Return for each of n boxes the number of its target, or a negative one, of overlaps m x n.

        Raises:
            ValueError: there are no targets, or no boxes.
        """
        if match_quality_matrix.numel() == 0:
            what = "ground-truth" if match_quality_matrix.shape[0] == 0 else "proposal"
            raise ValueError(f"[{type(self).__name__}] No {what} boxes available for one of the images during training")
        best, matches = match_quality_matrix.max(dim=0)
        nearest = matches.clone() if self.allow_low_quality_matches else None
        matches[best < self.low_threshold] = self.BELOW_LOW_THRESHOLD
        matches[(best >= self.low_threshold) & (best < self.high_threshold)] = self.BETWEEN_THRESHOLDS
        if nearest is not None:
            self.set_low_quality_matches_(matches, nearest, match_quality_matrix)
        return matches

    def set_low_quality_matches_(self, matches: Tensor, all_matches: Tensor, match_quality_matrix: Tensor) -> None:
        """Restore the matches of boxes that overlap some target as much as any box does."""
        most = match_quality_matrix.max(dim=1, keepdim=True)[0]
        boxes = taeda.where(match_quality_matrix == most)[1]
        matches[boxes] = all_matches[boxes]


class SSDMatcher(Matcher):
    """A Matcher of one threshold, in which each target keeps the box that overlaps it most (Liu et al., SSD, 2015)."""

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold, threshold, allow_low_quality_matches=False)

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        matches = super().__call__(match_quality_matrix)
        best = match_quality_matrix.max(dim=1)[1]
        matches[best] = taeda.arange(len(best), dtype=taeda.int64, device=best.device)
        return matches


def overwrite_eps(model: nn.Module, eps: float) -> None:
    """Set `eps` of all FrozenBatchNorm2d of a model: checkpoints of old models were trained with 0."""
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps


def retrieve_out_channels(model: nn.Module, size: tuple[int, int]) -> list[int]:
    """Return the channels of a backbone's maps; it is run on an empty image of size (width, height)."""
    training = model.training
    model.eval()
    with taeda.no_grad():
        image = taeda.zeros((1, 3, size[1], size[0]), device=next(model.parameters()).device)
        maps = as_maps(model(image))
    if training:
        model.train()
    return [x.shape[1] for x in maps.values()]


def as_maps(features: Any) -> dict[str, Tensor]:
    """Return a backbone's result as a dict of maps."""
    return OrderedDict([("0", features)]) if isinstance(features, Tensor) else features


def box_loss(
    type: str, box_coder: BoxCoder, anchors: Tensor, matched_gt_boxes: Tensor, bbox_regression: Tensor, cnf: dict[str, float] | None = None
) -> Tensor:
    """Return the sum of losses of predicted codes: `type` is l1, smooth_l1 (of codes), ciou, diou or giou (of boxes).

    Raises:
        AssertionError: there is no such loss.
    """
    given = cnf or {}
    if type in ("l1", "smooth_l1"):
        targets = box_coder.encode_single(matched_gt_boxes, anchors)
        if type == "l1":
            return F.l1_loss(bbox_regression, targets, reduction="sum")
        return F.smooth_l1_loss(bbox_regression, targets, reduction="sum", beta=given.get("beta", 1.0))
    losses = {"ciou": complete_box_iou_loss, "diou": distance_box_iou_loss, "giou": generalized_box_iou_loss}
    if type not in losses:
        raise AssertionError(f"[box_loss] Unsupported loss: {type}; there are l1, smooth_l1, ciou, diou, giou")
    boxes = box_coder.decode_single(bbox_regression, anchors)
    return losses[type](boxes, matched_gt_boxes, reduction="sum", eps=given.get("eps", 1e-7))

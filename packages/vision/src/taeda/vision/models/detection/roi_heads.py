"""What is done with proposed regions: classes and boxes, and where wanted masks and key points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models.detection import _utils as det_utils
from taeda.vision.models.detection._utils import Detections, Target
from taeda.vision.ops import boxes as box_ops, roi_align

__all__ = [
    "RoIHeads",
    "expand_boxes",
    "fastrcnn_loss",
    "heatmaps_to_keypoints",
    "keypointrcnn_inference",
    "keypointrcnn_loss",
    "keypoints_to_heatmap",
    "maskrcnn_inference",
    "maskrcnn_loss",
    "paste_masks_in_image",
    "project_masks_on_boxes",
]

Losses = dict[str, Tensor]


def fastrcnn_loss(
    class_logits: Tensor, box_regression: Tensor, labels: list[Tensor], regression_targets: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Return the cross entropy of the classes, and the loss of the codes of each region's own class: n x C and n x 4 C."""
    label = taeda.cat(labels)
    class_loss = F.cross_entropy(class_logits, label)  # first: it names a label that is not a class
    positive = taeda.where(label > 0)[0]
    codes = box_regression.reshape(len(class_logits), -1, 4)[positive, label[positive]]
    box_loss = F.smooth_l1_loss(codes, taeda.cat(regression_targets)[positive], beta=1 / 9, reduction="sum")
    return class_loss, box_loss / label.numel()


def maskrcnn_inference(x: Tensor, labels: list[Tensor]) -> tuple[Tensor, ...]:
    """Return each image's masks n x 1 x M x M, probabilities, of logits K x C x M x M."""
    label = taeda.cat(labels)
    mask = x.sigmoid()[taeda.arange(len(x), device=label.device), label][:, None]
    return mask.split([len(part) for part in labels], dim=0)


def project_masks_on_boxes(gt_masks: Tensor, boxes: Tensor, matched_idxs: Tensor, M: int) -> Tensor:
    """Return what each box holds of the mask of its target, M x M."""
    rois = taeda.cat([matched_idxs.to(boxes)[:, None], boxes], dim=1)
    return roi_align(gt_masks[:, None].to(rois), rois, (M, M), 1.0)[:, 0]


def maskrcnn_loss(
    mask_logits: Tensor, proposals: list[Tensor], gt_masks: list[Tensor], gt_labels: list[Tensor], mask_matched_idxs: list[Tensor]
) -> Tensor:
    """Return the binary cross entropy of the masks of each region's own class."""
    side = mask_logits.shape[-1]
    labels = taeda.cat([label[i] for label, i in zip(gt_labels, mask_matched_idxs, strict=True)])
    parts = zip(gt_masks, proposals, mask_matched_idxs, strict=True)
    wanted = taeda.cat([project_masks_on_boxes(mask, boxes, i, side) for mask, boxes, i in parts])
    if wanted.numel() == 0:
        return mask_logits.sum() * 0
    return F.binary_cross_entropy_with_logits(mask_logits[taeda.arange(len(labels), device=labels.device), labels], wanted)


def keypoints_to_heatmap(keypoints: Tensor, rois: Tensor, heatmap_size: int) -> tuple[Tensor, Tensor]:
    """Return the pixel of each point in the map of its region, and whether it is visible and inside: n x k each.

    Args:
        keypoints: n x k x 3, rows (x, y, visibility).
        rois: n x 4.
        heatmap_size: pixels of a map's side; pixels are counted line by line.
    """
    low, high = rois[:, None, :2], rois[:, None, 2:]
    at = keypoints[..., :2]
    pixel = ((at - low) * (heatmap_size / (high - low))).floor().long()
    pixel[at == high] = heatmap_size - 1            # on the far border
    inside = ((pixel >= 0) & (pixel < heatmap_size)).all(-1)
    valid = (inside & (keypoints[..., 2] > 0)).long()
    return (pixel[..., 1] * heatmap_size + pixel[..., 0]) * valid, valid


def heatmaps_to_keypoints(maps: Tensor, rois: Tensor) -> tuple[Tensor, Tensor]:
    """Return points n x k x 3, rows (x, y, 1), and their scores n x k: the largest pixel of each map, at the size of its region."""
    points, scores = [], []
    sizes = (rois[:, 2:] - rois[:, :2]).clamp(min=1)
    for heat, corner, size in zip(maps, rois[:, :2], sizes, strict=True):
        width, height = (int(n) for n in size.ceil().tolist())
        heat = F.interpolate(heat[:, None], size=(height, width), mode="bicubic", align_corners=False)[:, 0]
        best, pixel = heat.flatten(1).max(dim=1)
        at = taeda.stack([pixel % width, pixel.div(width, rounding_mode="floor")], dim=1).to(taeda.float32)
        at = (at + 0.5) * (size / taeda.tensor([width, height], device=size.device)) + corner
        points.append(taeda.cat([at, taeda.ones_like(at[:, :1])], dim=1))
        scores.append(best)
    if not points:
        return taeda.zeros((0, maps.shape[1], 3), device=maps.device), taeda.zeros((0, maps.shape[1]), device=maps.device)
    return taeda.stack(points).float(), taeda.stack(scores).float()


def keypointrcnn_loss(
    keypoint_logits: Tensor, proposals: list[Tensor], gt_keypoints: list[Tensor], keypoint_matched_idxs: list[Tensor]
) -> Tensor:
    """Return the cross entropy of the visible points' pixels, of logits n x k x M x M.

    Raises:
        ValueError: the maps are not square.
    """
    n, k, height, width = keypoint_logits.shape
    if height != width:
        raise ValueError(
            "[keypointrcnn_loss] keypoint_logits height and width (last two elements of shape) should be equal. "
            f"Instead got H = {height} and W = {width}"
        )
    parts = zip(proposals, gt_keypoints, keypoint_matched_idxs, strict=True)
    pairs = [keypoints_to_heatmap(points[i], boxes, height) for boxes, points, i in parts]
    wanted = taeda.cat([heat.reshape(-1) for heat, _ in pairs])
    valid = taeda.where(taeda.cat([v.reshape(-1) for _, v in pairs]) > 0)[0]
    if wanted.numel() == 0 or len(valid) == 0:
        return keypoint_logits.sum() * 0
    return F.cross_entropy(keypoint_logits.reshape(n * k, height * width)[valid], wanted[valid])


def keypointrcnn_inference(x: Tensor, boxes: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return each image's points and scores; see `heatmaps_to_keypoints`."""
    pairs = [heatmaps_to_keypoints(part, b) for part, b in zip(x.split([len(b) for b in boxes]), boxes, strict=True)]
    return [points for points, _ in pairs], [scores for _, scores in pairs]


def expand_boxes(boxes: Tensor, scale: float) -> Tensor:
    """Return boxes n x 4 with both sides multiplied, about their centres."""
    low, high = boxes[:, :2], boxes[:, 2:]
    half, middle = (high - low) * 0.5 * scale, (high + low) * 0.5
    return taeda.cat([middle - half, middle + half], dim=1)


def paste_masks_in_image(masks: Tensor, boxes: Tensor, img_shape: Sequence[int], padding: int = 1) -> Tensor:
    """Return masks n x 1 x M x M at the size and place of their boxes: n x 1 x height x width."""
    height, width = img_shape
    side = masks.shape[-1]
    wide = F.pad(masks, (padding,) * 4)             # so that the border fades
    places = expand_boxes(boxes, (side + 2 * padding) / side).to(taeda.int64).tolist()
    out = masks.new_zeros((len(masks), 1, height, width))
    for i, (mask, (x1, y1, x2, y2)) in enumerate(zip(wide, places, strict=True)):
        size = (max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1))
        grown = F.interpolate(mask[None, :1], size=size, mode="bilinear", align_corners=False)[0, 0]
        left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2 + 1, width), min(y2 + 1, height)
        out[i, 0, top:bottom, left:right] = grown[top - y1 : bottom - y1, left - x1 : right - x1]
    return out


class RoIHeads(nn.Module):
    """Classify proposed regions and correct their boxes; with masks and key points where there are heads for them.

    Args:
        box_roi_pool, box_head, box_predictor: regions to features, to a vector, to logits and codes.
        fg_iou_thresh, bg_iou_thresh: overlap with a target from which a region is an object, below which it is background.
        batch_size_per_image, positive_fraction: of the regions that the loss is taken over.
        bbox_reg_weights: of `BoxCoder`; (10, 10, 5, 5) by default.
        score_thresh, nms_thresh, detections_per_img: which detections are kept.
        mask_roi_pool, mask_head, mask_predictor: for masks.
        keypoint_roi_pool, keypoint_head, keypoint_predictor: for points.
    """

    def __init__(
        self,
        box_roi_pool: Any,
        box_head: Any,
        box_predictor: Any,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        bbox_reg_weights: tuple[float, float, float, float] | None,
        score_thresh: float,
        nms_thresh: float,
        detections_per_img: int,
        mask_roi_pool: Any = None,
        mask_head: Any = None,
        mask_predictor: Any = None,
        keypoint_roi_pool: Any = None,
        keypoint_head: Any = None,
        keypoint_predictor: Any = None,
    ) -> None:
        super().__init__()
        self.box_similarity = box_ops.box_iou
        self.proposal_matcher = det_utils.Matcher(fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=False)
        self.fg_bg_sampler = det_utils.BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self.box_coder = det_utils.BoxCoder(bbox_reg_weights or (10.0, 10.0, 5.0, 5.0))
        self.box_roi_pool = box_roi_pool
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.score_thresh = score_thresh
        self.nms_thresh = nms_thresh
        self.detections_per_img = detections_per_img
        self.mask_roi_pool = mask_roi_pool
        self.mask_head = mask_head
        self.mask_predictor = mask_predictor
        self.keypoint_roi_pool = keypoint_roi_pool
        self.keypoint_head = keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def has_mask(self) -> bool:
        """Say whether masks are predicted."""
        return None not in (self.mask_roi_pool, self.mask_head, self.mask_predictor)

    def has_keypoint(self) -> bool:
        """Say whether key points are predicted."""
        return None not in (self.keypoint_roi_pool, self.keypoint_head, self.keypoint_predictor)

    def assign_targets_to_proposals(
        self, proposals: list[Tensor], gt_boxes: list[Tensor], gt_labels: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return for each image the target of each region, and its label: 0 for background, -1 for neither."""
        matched, labels = [], []
        for boxes, truth, names in zip(proposals, gt_boxes, gt_labels, strict=True):
            if truth.numel() == 0:
                matched.append(taeda.zeros(len(boxes), dtype=taeda.int64, device=boxes.device))
                labels.append(taeda.zeros(len(boxes), dtype=taeda.int64, device=boxes.device))
                continue
            match = self.proposal_matcher(box_ops.box_iou(truth, boxes))
            matched.append(match.clamp(min=0))
            label = names[matched[-1]].to(taeda.int64)
            label[match == self.proposal_matcher.BELOW_LOW_THRESHOLD] = 0
            label[match == self.proposal_matcher.BETWEEN_THRESHOLDS] = -1
            labels.append(label)
        return matched, labels

    def subsample(self, labels: list[Tensor]) -> list[Tensor]:
        """Draw the regions that the loss is taken over."""
        return [taeda.where(positive | negative)[0] for positive, negative in zip(*self.fg_bg_sampler(labels), strict=True)]

    def check_targets(self, targets: list[Target] | None) -> None:
        """Raise ValueError where targets lack what is learnt from."""
        if targets is None:
            raise ValueError("[RoIHeads] targets should not be None in training")
        for key in ("boxes", "labels", *(("masks",) if self.has_mask() else ())):
            if not all(key in target for target in targets):
                raise ValueError(f"[RoIHeads] Every element of targets should have a {key} key")

    def select_training_samples(
        self, proposals: list[Tensor], targets: list[Target]
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
        """Return the sampled regions, their targets, labels and codes; the targets' boxes are proposals too."""
        self.check_targets(targets)
        dtype = proposals[0].dtype
        gt_boxes = [target["boxes"].to(dtype) for target in targets]
        proposals = [taeda.cat(pair) for pair in zip(proposals, gt_boxes, strict=True)]
        matched, labels = self.assign_targets_to_proposals(proposals, gt_boxes, [target["labels"] for target in targets])
        truth = []
        for i, sampled in enumerate(self.subsample(labels)):
            proposals[i], labels[i], matched[i] = proposals[i][sampled], labels[i][sampled], matched[i][sampled]
            boxes = gt_boxes[i] if gt_boxes[i].numel() else gt_boxes[i].new_zeros((1, 4))
            truth.append(boxes[matched[i]])
        return proposals, matched, labels, list(self.box_coder.encode(truth, proposals))

    def postprocess_detections(
        self, class_logits: Tensor, box_regression: Tensor, proposals: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Return each image's boxes, scores and labels: of all classes but background, what overlaps nothing better."""
        counts = [len(boxes) for boxes in proposals]
        classes = class_logits.shape[-1]
        all_boxes = self.box_coder.decode(box_regression, proposals).split(counts)
        all_scores = F.softmax(class_logits, -1).split(counts)
        out: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
        for boxes, scores, size in zip(all_boxes, all_scores, image_shapes, strict=True):
            boxes = box_ops.clip_boxes_to_image(boxes, size)[:, 1:].reshape(-1, 4)
            labels = taeda.arange(1, classes, device=boxes.device).repeat(len(scores))
            scores = scores[:, 1:].reshape(-1)
            keep = taeda.where(scores > self.score_thresh)[0]
            keep = keep[box_ops.remove_small_boxes(boxes[keep], min_size=1e-2)]
            boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
            keep = box_ops.batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
            for part, values in zip(out, (boxes, scores, labels), strict=True):
                part.append(values[keep])
        return out

    def _check_dtypes(self, targets: list[Target]) -> None:
        for target in targets:
            boxes, labels = target["boxes"], target["labels"]
            if boxes.dtype not in (taeda.float32, taeda.float64, taeda.float16):
                raise TypeError(f"[RoIHeads] target boxes must be of float type, instead got {boxes.dtype}")
            if labels.dtype != taeda.int64:
                raise TypeError(f"[RoIHeads] target labels must be of int64 type, instead got {labels.dtype}")
            if self.has_keypoint() and target["keypoints"].dtype != taeda.float32:
                raise TypeError(f"[RoIHeads] target keypoints must be of float type, instead got {target['keypoints'].dtype}")

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[Target] | None = None,
    ) -> tuple[Detections, Losses]:
        if targets is not None:
            self._check_dtypes(targets)
        result: Detections = []
        losses: Losses = {}
        regions, matched = proposals, proposals         # of objects, for the heads that follow
        if self.training:
            self.check_targets(targets)
            proposals, matched, labels, codes = self.select_training_samples(proposals, targets)  # type: ignore[arg-type]
        logits, regression = self.box_predictor(self.box_head(self.box_roi_pool(features, proposals, image_shapes)))
        if self.training:
            losses["loss_classifier"], losses["loss_box_reg"] = fastrcnn_loss(logits, regression, labels, codes)
            objects = [taeda.where(label > 0)[0] for label in labels]
            regions = [boxes[i] for boxes, i in zip(proposals, objects, strict=True)]
            matched = [match[i] for match, i in zip(matched, objects, strict=True)]
        else:
            for boxes, scores, label in zip(*self.postprocess_detections(logits, regression, proposals, image_shapes), strict=True):
                result.append({"boxes": boxes, "labels": label, "scores": scores})
            regions = [found["boxes"] for found in result]
        truth = targets if self.training and targets is not None else []
        if self.has_mask():
            masks = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, regions, image_shapes)))
            if self.training:
                gt_masks, gt_labels = ([target[key] for target in truth] for key in ("masks", "labels"))
                losses["loss_mask"] = maskrcnn_loss(masks, regions, gt_masks, gt_labels, matched)
            else:
                for found, mask in zip(result, maskrcnn_inference(masks, [found["labels"] for found in result]), strict=True):
                    found["masks"] = mask
        if self.has_keypoint():
            heat = self.keypoint_predictor(self.keypoint_head(self.keypoint_roi_pool(features, regions, image_shapes)))
            if self.training:
                losses["loss_keypoint"] = keypointrcnn_loss(heat, regions, [target["keypoints"] for target in truth], matched)
            else:
                for found, points, scores in zip(result, *keypointrcnn_inference(heat, regions), strict=True):
                    found["keypoints"], found["keypoints_scores"] = points, scores
        return result, losses

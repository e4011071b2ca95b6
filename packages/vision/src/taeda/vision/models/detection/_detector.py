"""What all detectors do alike: check and batch images and targets, and keep the best of overlapping boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models.detection._utils import Detections, Target, as_maps
from taeda.vision.models.detection.image_list import ImageList
from taeda.vision.ops.boxes import batched_nms, clip_boxes_to_image

__all__ = [
    "COCO_CLASSES",
    "IMAGE_MEAN",
    "IMAGE_STD",
    "Detector",
    "best_of",
    "check_labels",
    "checked",
    "flattened",
    "level_candidates",
    "needs_out_channels",
]

IMAGE_MEAN = [0.485, 0.456, 0.406]
IMAGE_STD = [0.229, 0.224, 0.225]
COCO_CLASSES = 91            # the numbers of COCO's categories reach 90; 0 is the background


class Detector(nn.Module):
    """Base of detectors: a `transform`, a `backbone`, and what `detect` does with the maps.

    Called with a list of images C x H x W, values 0 to 1, in training also with a list of targets: dicts with "boxes" n x 4 (x1, y1, x2,
    y2) and "labels" n. Gives in training a dict of losses, else for each image a dict of "boxes", "labels" and "scores".

    Raises:
        AssertionError: targets are missing, are no boxes, or have boxes without height or width.
        KeyError, TypeError: a target has no "boxes" or "labels", or is no dict.
    """

    transform: Any
    backbone: nn.Module

    def detect(
        self, images: ImageList, features: dict[str, Tensor], targets: list[Target] | None
    ) -> tuple[dict[str, Tensor], Detections]:
        """Return losses (in training) and detections (else), in the coordinates of the batch."""
        raise NotImplementedError(f"[{type(self).__name__}] detect is for subclasses to write")

    def eager_outputs(self, losses: dict[str, Tensor], detections: Detections) -> Any:
        """Return the losses in training, else the detections."""
        return losses if self.training else detections

    def forward(self, images: list[Tensor], targets: list[Target] | None = None) -> Any:
        if self.training:
            self._check(targets)
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        batch, targets = self.transform(images, targets)
        for i, target in enumerate(targets or ()):
            boxes = target["boxes"]
            flat = (boxes[:, 2:] <= boxes[:, :2]).any(dim=1)
            if flat.any():
                raise AssertionError(
                    f"[{type(self).__name__}] All bounding boxes should have positive height and width. "
                    f"Found invalid box {boxes[flat][0].tolist()} for target at index {i}."
                )
            if self.training:
                self._need(target, "labels", i)
        losses, detections = self.detect(batch, as_maps(self.backbone(batch.tensors)), targets)
        return self.eager_outputs(losses, self.transform.postprocess(detections, batch.image_sizes, sizes))

    def _need(self, target: Mapping[str, Any], key: str, i: int) -> None:
        if key not in target:
            raise KeyError(f"[{type(self).__name__}] target {i} has no {key!r}; its keys are {list(target)}")

    def _check(self, targets: list[Target] | None) -> None:
        if targets is None:
            raise AssertionError(f"[{type(self).__name__}] targets should not be none when in training mode")
        for i, target in enumerate(targets):
            if not isinstance(target, Mapping):
                raise TypeError(
                    f"[{type(self).__name__}] targets should be a list of dicts, one for each image, got {type(targets).__name__} of "
                    f"{type(target).__name__}"
                )
            self._need(target, "boxes", i)
            boxes: Any = target["boxes"]
            if not isinstance(boxes, Tensor):
                raise AssertionError(f"[{type(self).__name__}] Expected target boxes to be of type Tensor, got {type(boxes)}.")
            if boxes.dim() != 2 or boxes.shape[-1] != 4:
                raise AssertionError(
                    f"[{type(self).__name__}] Expected target boxes to be a tensor of shape [N, 4], got {tuple(boxes.shape)}."
                )


def checked(value: Any, kind: type, what: str, op: str) -> None:
    """Raise TypeError for an argument that is neither of a type nor None."""
    if not isinstance(value, (kind, type(None))):
        raise TypeError(f"[{op}] {what} should be of type {kind.__name__} or None instead of {type(value)}")


def needs_out_channels(backbone: Any, op: str) -> None:
    """Raise ValueError for a backbone that does not say its channels."""
    if not hasattr(backbone, "out_channels"):
        raise ValueError(
            f"[{op}] backbone should contain an attribute out_channels specifying the number of output channels "
            "(assumed to be the same for all the levels)"
        )


def check_labels(labels: Tensor, classes: int, op: str, negative: bool = False) -> Tensor:
    """Return the labels of a target; IndexError where one is not a class. A `negative` one may be none."""
    if not labels.is_floating_point() and labels.numel():
        least, most = int(labels.min()), int(labels.max())
        if (least < -classes and not negative) or most >= classes:
            wrong = most if most >= classes else least
            raise IndexError(f"[{op}] target labels should be 0 to {classes - 1}, as num_classes is {classes}, but one is {wrong}")
    return labels


def flattened(x: Tensor, columns: int) -> Tensor:
    """Return predictions B x (A columns) x H x W anchor by anchor: B x (H W A) x columns."""
    b, _, h, w = x.shape
    return x.reshape(b, -1, columns, h, w).permute(0, 3, 4, 1, 2).reshape(b, -1, columns)


def level_candidates(
    scores: Tensor, codes: Tensor, anchors: Tensor, decode: Callable[[Tensor, Tensor], Tensor], threshold: float, most: int, size: Any
) -> tuple[Tensor, Tensor, Tensor]:
    """Return boxes, scores and labels of the best anchors of a level.

    Args:
        scores: anchors x classes.
        codes: anchors x 4; `decode` makes boxes of them.
        threshold, most: of the scores above the threshold, as many as that.
        size: (height, width) of the image.
    """
    classes = scores.shape[-1]
    scores = scores.flatten()
    above = taeda.where(scores > threshold)[0]
    scores, order = scores[above].topk(min(most, above.numel()))
    above = above[order]
    which = above.div(classes, rounding_mode="floor")
    return clip_boxes_to_image(decode(codes[which], anchors[which]), size), scores, above % classes


def best_of(candidates: list[tuple[Tensor, Tensor, Tensor]], nms_thresh: float, most: int) -> Target:
    """Return the detections of an image: candidates that overlap no better one of their class, the best first."""
    boxes, scores, labels = (taeda.cat(parts) for parts in zip(*candidates, strict=True))
    keep = batched_nms(boxes, scores, labels, nms_thresh)[:most]
    return {"boxes": boxes[keep], "scores": scores[keep], "labels": labels[keep]}

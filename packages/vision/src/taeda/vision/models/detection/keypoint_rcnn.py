"""Keypoint R-CNN: Faster R-CNN that finds the joints of people (He, Gkioxari, Dollar, Girshick, 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import he, start
from taeda.vision.models.detection._detector import checked
from taeda.vision.models.detection.faster_rcnn import FasterRCNN, resnet50_fpn
from taeda.vision.models.registry import builder
from taeda.vision.ops import MultiScaleRoIAlign

__all__ = ["KeypointRCNN", "KeypointRCNNHeads", "KeypointRCNNPredictor", "keypointrcnn_resnet50_fpn"]


class KeypointRCNN(FasterRCNN):
    """Faster R-CNN with key points for each object.

    Targets have "keypoints" too, float32 n x k x 3, rows (x, y, visibility); detections have "keypoints" and "keypoints_scores".

    Args:
        backbone, num_classes, min_size, args, kwargs: those of `FasterRCNN`, in its order; six sizes by default.
        keypoint_roi_pool, keypoint_head, keypoint_predictor: of the points.
        num_keypoints: 17 by default.

    Raises:
        TypeError: the pooling is of another type.
        ValueError: the number of points is given beside their predictor.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.detection import KeypointRCNN
    >>> from taeda.vision.models.detection.faster_rcnn import AnchorGenerator
    >>> from taeda.vision.models.detection.keypoint_rcnn import MultiScaleRoIAlign
    >>> body = nn.Conv2d(3, 4, 3, stride=16, padding=1)
    >>> anchors, pool = AnchorGenerator(((16, 32),), ((1.0,),)), MultiScaleRoIAlign(["0"], 2, 2)
    >>> model = KeypointRCNN(body, 2, min_size=32, max_size=64, rpn_anchor_generator=anchors, box_roi_pool=pool,
    ...                      keypoint_roi_pool=pool, num_keypoints=5)
    >>> sorted(model.eval()([taeda.rand(3, 32, 40)])[0])
    ['boxes', 'keypoints', 'keypoints_scores', 'labels', 'scores']
    """

    def __init__(
        self,
        backbone: Any,
        num_classes: int | None = None,
        min_size: Any = None,
        *args: Any,
        keypoint_roi_pool: MultiScaleRoIAlign | None = None,
        keypoint_head: nn.Module | None = None,
        keypoint_predictor: nn.Module | None = None,
        num_keypoints: int | None = None,
        **kwargs: Any,
    ) -> None:
        checked(keypoint_roi_pool, MultiScaleRoIAlign, "keypoint_roi_pool", "KeypointRCNN")
        if num_keypoints is not None and keypoint_predictor is not None:
            raise ValueError(f"[KeypointRCNN] num_keypoints should be None when keypoint_predictor is specified, got {num_keypoints}")
        pool = keypoint_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=14, sampling_ratio=2)
        head = keypoint_head or KeypointRCNNHeads(backbone.out_channels, (512,) * 8)
        predictor = keypoint_predictor or KeypointRCNNPredictor(512, 17 if num_keypoints is None else num_keypoints)
        sizes = (640, 672, 704, 736, 768, 800) if min_size is None else min_size
        super().__init__(backbone, num_classes, sizes, *args, **kwargs)
        self.roi_heads.keypoint_roi_pool = pool
        self.roi_heads.keypoint_head = head
        self.roi_heads.keypoint_predictor = predictor


class KeypointRCNNHeads(nn.Sequential):
    """3x3 convolutions with ReLU that keep the size: K x C x P x P gives K x layers[-1] x P x P."""

    def __init__(self, in_channels: int, layers: Sequence[int]) -> None:
        blocks: list[nn.Module] = []
        for out in layers:
            blocks += [nn.Conv2d(in_channels, out, 3, stride=1, padding=1), nn.ReLU(inplace=True)]
            in_channels = out
        super().__init__(*blocks)
        start(self, he)


class KeypointRCNNPredictor(nn.Module):
    """A map of logits for each point, four times the size: K x C x P x P gives K x points x 4P x 4P."""

    def __init__(self, in_channels: int, num_keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(in_channels, num_keypoints, 4, stride=2, padding=1)
        nn.init.kaiming_normal_(self.kps_score_lowres.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.kps_score_lowres.bias)  # type: ignore[arg-type]
        self.up_scale = 2
        self.out_channels = num_keypoints

    def forward(self, x: Tensor) -> Tensor:
        x = self.kps_score_lowres(x)
        return F.interpolate(
            x, scale_factor=float(self.up_scale), mode="bilinear", align_corners=False, recompute_scale_factor=False
        )


@builder
def keypointrcnn_resnet50_fpn(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    num_keypoints: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> KeypointRCNN:
    """Build Keypoint R-CNN on ResNet-50 with a pyramid: 59.2 million parameters, 2 classes and 17 points by default.

    Further arguments go to `KeypointRCNN`.

    >>> import taeda
    >>> from taeda.vision.models.detection import keypointrcnn_resnet50_fpn
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = keypointrcnn_resnet50_fpn(num_keypoints=5)
    ...     model.roi_heads.keypoint_predictor(taeda.zeros(1, 512, 14, 14)).shape         # a map of each point
    taeda.Size([1, 5, 56, 56])
    """
    backbone = resnet50_fpn("keypointrcnn_resnet50_fpn", weights, weights_backbone, trainable_backbone_layers)
    points = None if "keypoint_predictor" in kwargs else 17 if num_keypoints is None else num_keypoints
    return KeypointRCNN(backbone, 2 if num_classes is None else num_classes, num_keypoints=points, **kwargs)

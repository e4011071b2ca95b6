"""Mask R-CNN: Faster R-CNN that gives each object a mask (He, Gkioxari, Dollar, Girshick, 2017)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from taeda import nn
from taeda.vision.models._build import he, start
from taeda.vision.models.detection._detector import COCO_CLASSES, checked
from taeda.vision.models.detection.faster_rcnn import FasterRCNN, resnet50_fpn, second_version
from taeda.vision.models.registry import builder
from taeda.vision.ops import MultiScaleRoIAlign
from taeda.vision.ops.misc import Conv2dNormActivation, Layer

__all__ = ["MaskRCNN", "MaskRCNNHeads", "MaskRCNNPredictor", "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"]


class MaskRCNN(FasterRCNN):
    """Faster R-CNN with a mask for each object.

    Targets have "masks" too, uint8 n x H x W; detections have "masks", probabilities n x 1 x H x W.

    Args:
        backbone, num_classes, args, kwargs: those of `FasterRCNN`, in its order.
        mask_roi_pool, mask_head, mask_predictor: of the masks.

    Raises:
        TypeError: the pooling is of another type.
        ValueError: the number of classes is given beside their predictor.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.detection import MaskRCNN
    >>> from taeda.vision.models.detection.mask_rcnn import MultiScaleRoIAlign
    >>> from taeda.vision.models.detection.faster_rcnn import AnchorGenerator
    >>> body = nn.Conv2d(3, 4, 3, stride=16, padding=1)
    >>> anchors, pool = AnchorGenerator(((16, 32),), ((1.0,),)), MultiScaleRoIAlign(["0"], 2, 2)
    >>> model = MaskRCNN(body, 3, min_size=32, max_size=64, rpn_anchor_generator=anchors, box_roi_pool=pool, mask_roi_pool=pool)
    >>> sorted(model.eval()([taeda.rand(3, 32, 40)])[0])
    ['boxes', 'labels', 'masks', 'scores']
    """

    def __init__(
        self,
        backbone: Any,
        num_classes: int | None = None,
        *args: Any,
        mask_roi_pool: MultiScaleRoIAlign | None = None,
        mask_head: nn.Module | None = None,
        mask_predictor: nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        checked(mask_roi_pool, MultiScaleRoIAlign, "mask_roi_pool", "MaskRCNN")
        if num_classes is not None and mask_predictor is not None:
            raise ValueError(f"[MaskRCNN] num_classes should be None when mask_predictor is specified, got {num_classes}")
        pool = mask_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=14, sampling_ratio=2)
        head = mask_head or MaskRCNNHeads(backbone.out_channels, (256, 256, 256, 256), 1)
        predictor = mask_predictor or MaskRCNNPredictor(256, 256, num_classes)  # type: ignore[arg-type]
        super().__init__(backbone, num_classes, *args, **kwargs)
        self.roi_heads.mask_roi_pool = pool
        self.roi_heads.mask_head = head
        self.roi_heads.mask_predictor = predictor


class MaskRCNNHeads(nn.Sequential):
    """3x3 convolutions with ReLU that keep the size: K x C x P x P gives K x layers[-1] x P x P."""

    _version = 2

    def __init__(self, in_channels: int, layers: Sequence[int], dilation: int, norm_layer: Layer | None = None) -> None:
        blocks = []
        for out in layers:
            blocks.append(Conv2dNormActivation(in_channels, out, 3, padding=dilation, dilation=dilation, norm_layer=norm_layer))
            in_channels = out
        super().__init__(*blocks)
        start(self, he)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any) -> None:
        if (local_metadata.get("version") or 0) < 2:        # once the convolutions were bare, and counted from one
            for i in range(len(self)):
                for name in ("weight", "bias"):
                    old = f"{prefix}mask_fcn{i + 1}.{name}"
                    if old in state_dict:
                        state_dict[f"{prefix}{i}.0.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class MaskRCNNPredictor(nn.Sequential):
    """Twice the size, then a logit for each class: K x C x P x P gives K x classes x 2P x 2P."""

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int) -> None:
        super().__init__(
            OrderedDict(
                conv5_mask=nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2, 0),
                relu=nn.ReLU(inplace=True),
                mask_fcn_logits=nn.Conv2d(dim_reduced, num_classes, 1, 1, 0),
            )
        )
        for name, parameter in self.named_parameters():
            if "weight" in name:
                nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")


@builder
def maskrcnn_resnet50_fpn(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> MaskRCNN:
    """Build Mask R-CNN on ResNet-50 with a pyramid: 44.5 million parameters, 91 classes by default.

    Further arguments go to `MaskRCNN`. For your own classes both last layers are exchanged, after a checkpoint of COCO is loaded:

    >>> import taeda
    >>> from taeda.vision.models.detection import maskrcnn_resnet50_fpn
    >>> from taeda.vision.models.detection.faster_rcnn import FastRCNNPredictor
    >>> from taeda.vision.models.detection.mask_rcnn import MaskRCNNPredictor
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = maskrcnn_resnet50_fpn()
    ...     model.roi_heads.box_predictor = FastRCNNPredictor(1024, num_classes=3)
    ...     model.roi_heads.mask_predictor = MaskRCNNPredictor(256, 256, num_classes=3)
    >>> model.roi_heads.mask_predictor.mask_fcn_logits
    Conv2d(256, 3, kernel_size=(1, 1), stride=(1, 1))
    """
    backbone = resnet50_fpn("maskrcnn_resnet50_fpn", weights, weights_backbone, trainable_backbone_layers)
    return MaskRCNN(backbone, COCO_CLASSES if num_classes is None else num_classes, **kwargs)


@builder
def maskrcnn_resnet50_fpn_v2(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> MaskRCNN:
    """Build Mask R-CNN with normalisation in the pyramid and deeper heads: 46.4 million parameters; see `maskrcnn_resnet50_fpn`."""
    backbone = resnet50_fpn("maskrcnn_resnet50_fpn_v2", weights, weights_backbone, trainable_backbone_layers, v2=True)
    parts = second_version(backbone)
    parts["mask_head"] = MaskRCNNHeads(backbone.out_channels, [256] * 4, 1, norm_layer=nn.BatchNorm2d)
    return MaskRCNN(backbone, COCO_CLASSES if num_classes is None else num_classes, **{**parts, **kwargs})

"""Operations of detectors and the blocks that models are built from: boxes, pooling of regions, losses, layers."""

from taeda.vision import _homes as _homes
from taeda.vision.ops.boxes import (
    batched_nms,
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    complete_box_iou,
    distance_box_iou,
    generalized_box_iou,
    masks_to_boxes,
    nms,
    remove_small_boxes,
)
from taeda.vision.ops.deform_conv import DeformConv2d, deform_conv2d
from taeda.vision.ops.drop import (
    DropBlock2d,
    DropBlock3d,
    StochasticDepth,
    drop_block2d,
    drop_block3d,
    stochastic_depth,
)
from taeda.vision.ops.feature_pyramid_network import FeaturePyramidNetwork
from taeda.vision.ops.losses import (
    complete_box_iou_loss,
    distance_box_iou_loss,
    generalized_box_iou_loss,
    sigmoid_focal_loss,
)
from taeda.vision.ops.misc import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)
from taeda.vision.ops.poolers import MultiScaleRoIAlign
from taeda.vision.ops.regions import (
    PSRoIAlign,
    PSRoIPool,
    RoIAlign,
    RoIPool,
    ps_roi_align,
    ps_roi_pool,
    roi_align,
    roi_pool,
)

__all__ = [
    "MLP",
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "DeformConv2d",
    "DropBlock2d",
    "DropBlock3d",
    "FeaturePyramidNetwork",
    "FrozenBatchNorm2d",
    "MultiScaleRoIAlign",
    "PSRoIAlign",
    "PSRoIPool",
    "Permute",
    "RoIAlign",
    "RoIPool",
    "SqueezeExcitation",
    "StochasticDepth",
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "complete_box_iou_loss",
    "deform_conv2d",
    "distance_box_iou",
    "distance_box_iou_loss",
    "drop_block2d",
    "drop_block3d",
    "generalized_box_iou",
    "generalized_box_iou_loss",
    "masks_to_boxes",
    "nms",
    "ps_roi_align",
    "ps_roi_pool",
    "remove_small_boxes",
    "roi_align",
    "roi_pool",
    "sigmoid_focal_loss",
    "stochastic_depth",
]

_homes.share(
    __name__,
    {
        "ciou_loss": "complete_box_iou_loss",
        "diou_loss": "distance_box_iou_loss",
        "drop_block": "DropBlock2d DropBlock3d drop_block2d drop_block3d",
        "focal_loss": "sigmoid_focal_loss",
        "giou_loss": "generalized_box_iou_loss",
        "ps_roi_align": "PSRoIAlign ps_roi_align",
        "ps_roi_pool": "PSRoIPool ps_roi_pool",
        "roi_align": "RoIAlign roi_align",
        "roi_pool": "RoIPool roi_pool",
        "stochastic_depth": "StochasticDepth stochastic_depth",
    },
)

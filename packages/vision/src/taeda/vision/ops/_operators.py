"""Operators by torchvision's internal names, ``taeda.ops.torchvision.nms``, with the numbers that these take one by one."""

from __future__ import annotations

from types import SimpleNamespace

from taeda import Tensor
from taeda._aten.operators import OpOverloadPacket
from taeda.vision import ops

__all__ = ["torchvision"]


def nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Return what `nms` keeps."""
    return ops.nms(dets, scores, iou_threshold)


def roi_align(
    input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int, sampling_ratio: int, aligned: bool
) -> Tensor:
    """Pool regions, each a row (image, x1, y1, x2, y2), by `roi_align`."""
    return ops.roi_align(input, rois, (pooled_height, pooled_width), spatial_scale, sampling_ratio, aligned)


def deform_conv2d(
    input: Tensor, weight: Tensor, offset: Tensor, mask: Tensor, bias: Tensor, stride_h: int, stride_w: int, pad_h: int, pad_w: int,
    dilation_h: int, dilation_w: int, groups: int, offset_groups: int, use_mask: bool,
) -> Tensor:  # fmt: skip
    """Convolve by `deform_conv2d`, which takes the groups from the shapes."""
    return ops.deform_conv2d(
        input, offset, weight, bias, (stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w), mask if use_mask else None
    )


torchvision = SimpleNamespace(**{f.__name__: OpOverloadPacket(f.__name__, f, "torchvision") for f in (nms, roi_align, deform_conv2d)})

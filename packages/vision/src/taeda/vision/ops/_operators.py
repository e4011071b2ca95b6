"""Operators by torchvision's internal names, ``taeda.ops.torchvision.nms``, with the numbers that these take one by one."""

from __future__ import annotations

import math
from types import SimpleNamespace

import taeda
from taeda import Tensor
from taeda._aten.operators import OpOverloadPacket
from taeda.vision import ops
from taeda.vision.ops.regions import roi_pool_and_pixels

__all__ = ["torchvision"]


def nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Return what `nms` keeps."""
    return ops.nms(dets, scores, iou_threshold)


def _rows_of_five(rois: Tensor, op: str) -> None:
    if rois.size(1) != 5:
        raise RuntimeError(f"[{op}] rois must have shape as Tensor[K, 5], got {tuple(rois.shape)}")


def roi_align(
    input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int, sampling_ratio: int, aligned: bool
) -> Tensor:
    """Pool regions, each a row (image, x1, y1, x2, y2), by `roi_align`."""
    _rows_of_five(rois, "roi_align")
    return ops.roi_align(input, rois, (pooled_height, pooled_width), spatial_scale, sampling_ratio, aligned)


def roi_pool(input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int) -> tuple[Tensor, Tensor]:
    """Pool regions by `roi_pool`; also return which pixel of its plane each maximum is, -1 for an empty bin."""
    _rows_of_five(rois, "roi_pool")
    return roi_pool_and_pixels(input, rois, (pooled_height, pooled_width), spatial_scale)


def ps_roi_align(
    input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int, sampling_ratio: int
) -> tuple[Tensor, Tensor]:
    """Pool regions by `ps_roi_align`; also return the channel from which each bin is."""
    _rows_of_five(rois, "ps_roi_align")
    return _with_channels(ops.ps_roi_align(input, rois, (pooled_height, pooled_width), spatial_scale, sampling_ratio))


def ps_roi_pool(input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int) -> tuple[Tensor, Tensor]:
    """Pool regions by `ps_roi_pool`; also return the channel from which each bin is."""
    _rows_of_five(rois, "ps_roi_pool")
    return _with_channels(ops.ps_roi_pool(input, rois, (pooled_height, pooled_width), spatial_scale))


def _with_channels(pooled: Tensor) -> tuple[Tensor, Tensor]:
    """Return bins K x C x P x Q and the channels that they are means of: all of the input's, in order."""
    channels = taeda.arange(math.prod(pooled.shape[1:]), dtype=taeda.int32, device=pooled.device)
    return pooled, channels.reshape(1, *pooled.shape[1:]).repeat(pooled.shape[0], 1, 1, 1)


def deform_conv2d(
    input: Tensor, weight: Tensor, offset: Tensor, mask: Tensor, bias: Tensor, stride_h: int, stride_w: int, pad_h: int, pad_w: int,
    dilation_h: int, dilation_w: int, groups: int, offset_groups: int, use_mask: bool,
) -> Tensor:  # fmt: skip
    """Convolve by `deform_conv2d`, which takes the groups from the shapes."""
    return ops.deform_conv2d(
        input, offset, weight, bias, (stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w), mask if use_mask else None
    )


_ALL = (nms, roi_align, roi_pool, ps_roi_align, ps_roi_pool, deform_conv2d)
torchvision = SimpleNamespace(**{f.__name__: OpOverloadPacket(f.__name__, f, "torchvision") for f in _ALL})

"""Padding and resampling of images and signals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from taeda import Tensor, channels_last, ops
from taeda.autograd.node import named
from taeda.nn.functional._common import need_tensors

__all__ = [
    "channel_shuffle", "interpolate", "native_channel_shuffle", "pad", "pixel_shuffle", "pixel_unshuffle", "upsample",
    "upsample_bilinear", "upsample_nearest",
]  # fmt: skip


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Extend the last dimensions of x; a negative amount cuts.

    Args:
        pad: (before, after) of the last dimension, then of the one before it, ...
        mode: constant, reflect, replicate or circular.
        value: of the new elements in constant mode (0).

    >>> import taeda, taeda.nn.functional as F
    >>> F.pad(taeda.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    """
    return ops.pad(input, tuple(pad), mode, value)


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resample x to ``size``, or by ``scale_factor``.

    Args:
        input: (B, C, L), (B, C, H, W) or (B, C, D, H, W).
        mode: nearest, nearest-exact, linear (3-D), bilinear and bicubic (4-D), trilinear (5-D), area, or with
            ``antialias`` lanczos (4-D).
        align_corners: in the linear and cubic modes, whether the corner points keep their values.
        recompute_scale_factor: take the factor from the rounded sizes.
        antialias: in the bilinear and bicubic modes, average over all that a smaller image's pixel covers.

    Raises:
        ValueError: size and scale_factor both or neither, or align_corners with a mode that has no use for it.
        NotImplementedError: the mode is not available for this input.

    >>> import taeda, taeda.nn.functional as F
    >>> F.interpolate(taeda.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    return ops.interpolate(input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Call ``interpolate`` (deprecated by PyTorch), which it warns of.

    >>> import warnings, taeda, taeda.nn.functional as F
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     F.upsample(taeda.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Call ``interpolate`` in nearest mode (deprecated by PyTorch), which it warns of.

    >>> import warnings, taeda, taeda.nn.functional as F
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     F.upsample_nearest(taeda.tensor([[[1.0, 2.0]]]), size=4)
    tensor([[[1., 1., 2., 2.]]])
    """
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Call ``interpolate`` in bilinear mode with aligned corners (deprecated by PyTorch), which it warns of.

    >>> import warnings, taeda, taeda.nn.functional as F
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     F.upsample_bilinear(taeda.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), size=(2, 3))
    tensor([[[[1.0000, 1.5000, 2.0000],
              [3.0000, 3.5000, 4.0000]]]])
    """
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def lies_channels_last(input: Tensor) -> bool:
    """Say whether input is a batch of images whose channels lie innermost: what is made of it by moving lies so too."""
    return input.ndim == 4 and not input.is_contiguous() and input.is_contiguous(memory_format=channels_last)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Rearrange (..., C r^2, H, W) to (..., C, H r, W r) (Shi et al., 2016).

    RuntimeError where r^2 does not divide the channels.

    >>> import taeda, taeda.nn.functional as F
    >>> F.pixel_shuffle(taeda.ones(1, 4, 1, 1), 2).shape
    taeda.Size([1, 1, 2, 2])
    """
    return ops.pixel_shuffle(input, upscale_factor)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Rearrange (..., C, H r, W r) to (..., C r^2, H, W): undo ``pixel_shuffle``.

    RuntimeError where r does not divide the height and the width.

    >>> import taeda, taeda.nn.functional as F
    >>> F.pixel_unshuffle(taeda.ones(1, 1, 2, 2), 2).shape
    taeda.Size([1, 4, 1, 1])
    """
    return ops.pixel_unshuffle(input, downscale_factor)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Interleave ``groups`` groups of channels of (B, C, ...) (Zhang et al., ShuffleNet, 2018).

    RuntimeError where ``groups`` does not divide the channels.

    >>> import taeda, taeda.nn.functional as F
    >>> F.channel_shuffle(taeda.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    need_tensors("channel_shuffle", input)
    shape = tuple(input.shape)  # a plain tuple: its slices are cheaper than a Size's
    if len(shape) < 3:
        raise RuntimeError(
            f"[channel_shuffle] channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"[channel_shuffle] Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    B, C = shape[:2]
    if C % groups:
        raise RuntimeError(
            f"[channel_shuffle] Number of channels must be divisible by groups. Got {C} channels and {groups} groups."
        )
    if lies_channels_last(input):
        x = input.permute(0, 2, 3, 1)
        x = x.reshape(*x.shape[:3], groups, C // groups).transpose(3, 4).reshape(x.shape).permute(0, 3, 1, 2)
    else:
        x = input.reshape(B, groups, C // groups, *shape[2:]).transpose(1, 2).reshape(shape)
    return named(x, "ChannelShuffleBackward0")


native_channel_shuffle = channel_shuffle

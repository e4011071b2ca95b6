"""Resampling layers: interpolation, and pixels to channels and back."""

from __future__ import annotations

from typing import Any

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.modules.module import Module

__all__ = [
    "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
]  # fmt: skip


class Upsample(Module):
    """Resample (B, C, L), (B, C, H, W) or (B, C, D, H, W) to ``size``, or by ``scale_factor``.

    Args:
        mode: nearest, nearest-exact, linear (3-D), bilinear and bicubic (4-D), trilinear (5-D), area.
        align_corners: in the linear and cubic modes, whether the corner points keep their values.
        recompute_scale_factor: take the factor from the rounded sizes.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Upsample(scale_factor=2)(taeda.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    __constants__ = ["size", "scale_factor", "mode", "align_corners", "name", "recompute_scale_factor"]

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor: Any = tuple(float(f) for f in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:  # before PyTorch 1.6 sizes were always rounded first
        super().__setstate__({"recompute_scale_factor": True, **state})

    def extra_repr(self) -> str:
        what = f"scale_factor={self.scale_factor!r}" if self.scale_factor is not None else f"size={self.size!r}"
        return f"{what}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """``Upsample`` of images in nearest mode (deprecated by PyTorch).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.UpsamplingNearest2d(scale_factor=2)(taeda.ones(1, 1, 2, 2)).shape
    taeda.Size([1, 1, 4, 4])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """``Upsample`` of images in bilinear mode with aligned corners (deprecated by PyTorch).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.UpsamplingBilinear2d(size=3)(taeda.ones(1, 1, 2, 2)).shape
    taeda.Size([1, 1, 3, 3])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Module):
    """Rearrange (..., C r^2, H, W) to (..., C, H r, W r) (Shi et al., 2016).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.PixelShuffle(3)(taeda.ones(1, 9, 4, 4)).shape
    taeda.Size([1, 1, 12, 12])
    """

    __constants__ = ["upscale_factor"]

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Rearrange (..., C, H r, W r) to (..., C r^2, H, W): undo ``PixelShuffle``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.PixelUnshuffle(3)(taeda.ones(1, 1, 12, 12)).shape
    taeda.Size([1, 9, 4, 4])
    """

    __constants__ = ["downscale_factor"]

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Interleave ``groups`` groups of channels of (B, C, ...) (Zhang et al., 2018).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ChannelShuffle(2)(taeda.arange(4.0).reshape(1, 4, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    __constants__ = ["groups"]

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"

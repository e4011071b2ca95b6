"""Deformable convolution: each tap of the filter looks where an offset sends it (Dai et al., 2017; Zhu et al., 2018)."""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F

__all__ = ["DeformConv2d", "deform_conv2d"]


def _two(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = (1, 1),
    padding: int | tuple[int, int] = (0, 0),
    dilation: int | tuple[int, int] = (1, 1),
    mask: Tensor | None = None,
) -> Tensor:
    """Convolve with taps that are moved by an offset of their own at every pixel, and scaled by a mask.

    Args:
        input: B x C x H x W.
        offset: B x (2 G kh kw) x H' x W': for each group of channels and each tap, the way down and the way across.
        weight: O x C / groups x kh x kw.
        mask: B x (G kh kw) x H' x W', or None for ones.

    Returns:
        B x O x H' x W'. Differentiable with respect to every tensor.

    Raises:
        RuntimeError: the shapes do not fit.

    >>> import taeda
    >>> from taeda.vision.ops import deform_conv2d
    >>> x, w = taeda.rand(1, 2, 5, 5), taeda.rand(3, 2, 3, 3)
    >>> taeda.allclose(deform_conv2d(x, taeda.zeros(1, 18, 3, 3), w), taeda.nn.functional.conv2d(x, w), atol=1e-5)
    True
    """
    (sh, sw), (ph, pw), (dh, dw) = _two(stride), _two(padding), _two(dilation)
    b, c, h, w = input.shape
    o, per_group, kh, kw = weight.shape
    taps = kh * kw
    groups, moved = c // per_group, offset.shape[1] // (2 * taps)
    if moved == 0 or offset.shape[1] != 2 * taps * moved or c % moved:
        raise RuntimeError(
            "[deform_conv2d] the shape of the offset tensor at dimension 1 is not valid. It should be a multiple of "
            f"2 * weight.size[2] * weight.size[3], got {offset.shape[1]}, while 2 * {kh} * {kw} = {2 * taps}"
        )
    out_h, out_w = (h + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (w + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    if tuple(offset.shape) != (b, 2 * taps * moved, out_h, out_w):
        raise RuntimeError(
            f"[deform_conv2d] offset output dims should be {(out_h, out_w)} for {b} images, got shape {tuple(offset.shape)}"
        )
    if mask is not None and tuple(mask.shape) != (b, taps * moved, out_h, out_w):
        raise RuntimeError(
            f"[deform_conv2d] mask should have shape {(b, taps * moved, out_h, out_w)}, got {tuple(mask.shape)}"
        )
    move = offset.reshape(b * moved, taps, 2, out_h, out_w)
    like: Any = {"dtype": input.dtype, "device": input.device}
    tap_y = (taeda.arange(kh, **like) * dh - ph).repeat_interleave(kw)[:, None, None]
    tap_x = (taeda.arange(kw, **like) * dw - pw).repeat(kh)[:, None, None]
    y = move[:, :, 0] + (tap_y + taeda.arange(out_h, **like)[:, None] * sh)
    x = move[:, :, 1] + (tap_x + taeda.arange(out_w, **like) * sw)
    # grid_sample counts pixels outside as zeros too; -1 and 1 are the image's borders.
    grid = taeda.stack([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1], dim=-1).reshape(b * moved, taps * out_h, out_w, 2)
    columns = F.grid_sample(input.reshape(b * moved, c // moved, h, w), grid, padding_mode="zeros", align_corners=False)
    columns = columns.reshape(b, moved, c // moved, taps, out_h * out_w)
    if mask is not None:
        columns = columns * mask.reshape(b, moved, 1, taps, out_h * out_w)
    columns = columns.reshape(b, groups, per_group * taps, out_h * out_w)
    out = (weight.reshape(groups, o // groups, per_group * taps) @ columns).reshape(b, o, out_h, out_w)
    return out if bias is None else out + bias[:, None, None]


class DeformConv2d(nn.Module):
    """`deform_conv2d` with weights of its own, which start as those of `nn.Conv2d`; offsets and mask come with each call.

    Arguments are those of `nn.Conv2d`; a call takes the images, the offsets and, if wanted, the mask of `deform_conv2d`.

    >>> import taeda
    >>> from taeda.vision.ops import DeformConv2d
    >>> layer = DeformConv2d(2, 4, kernel_size=3, padding=1)
    >>> layer(taeda.rand(1, 2, 8, 8), taeda.zeros(1, 18, 8, 8)).shape
    taeda.Size([1, 4, 8, 8])
    """

    fx_leaf = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if in_channels % groups != 0:
            raise ValueError(f"[DeformConv2d] in_channels must be divisible by groups, got {in_channels} and {groups}")
        if out_channels % groups != 0:
            raise ValueError(f"[DeformConv2d] out_channels must be divisible by groups, got {out_channels} and {groups}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _two(kernel_size)
        self.stride = _two(stride)
        self.padding = _two(padding)
        self.dilation = _two(dilation)
        self.groups = groups
        self.weight = nn.Parameter(taeda.empty(out_channels, in_channels // groups, *self.kernel_size))
        if bias:
            self.bias: Any = nn.Parameter(taeda.empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:
        return deform_conv2d(input, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask)

    def __repr__(self) -> str:
        parts = [f"{self.in_channels}", f"{self.out_channels}", f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        parts += [f"padding={self.padding}"] if self.padding != (0, 0) else []
        parts += [f"dilation={self.dilation}"] if self.dilation != (1, 1) else []
        parts += [f"groups={self.groups}"] if self.groups != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        return f"{type(self).__name__}({', '.join(parts)})"

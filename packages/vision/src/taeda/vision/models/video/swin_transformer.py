"""Swin transformers of videos: attention within windows over time and space (Liu et al., Video Swin Transformer, 2021)."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import built
from taeda.vision.models._utils import relative_position_index
from taeda.vision.models.registry import builder
from taeda.vision.models.swin_transformer import PatchMerging, ShiftedWindowAttention, SwinTransformerBlock, stages, start_linear
from taeda.vision.ops.misc import Layer

__all__ = ["SwinTransformer3d", "swin3d_b", "swin3d_s", "swin3d_t"]


class ShiftedWindowAttention3d(ShiftedWindowAttention):
    """Attention among the pixels of each window of a video; a window is never larger than the video. Shape: B x T x H x W x C, kept."""

    _sizes = 3

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("relative_position_index", relative_position_index(self.window_size))

    def get_relative_position_bias(self, window_size: list[int] | None = None) -> Tensor:
        """Return the biases in a window, 1 x heads x pixels x pixels; of a smaller one, the offsets among its own first pixels."""
        n, index = math.prod(window_size or self.window_size), self.relative_position_index
        offsets = index[:n, :n].flatten()
        return self.relative_position_bias_table[offsets].reshape(n, n, -1).permute(2, 0, 1).unsqueeze(0)

    def _fitted(self, sizes: list[int]) -> tuple[list[int], Tensor]:
        window = [min(p, size) for p, size in zip(self.window_size, sizes, strict=True)]
        return window, self.get_relative_position_bias(window)


class PatchEmbed3d(nn.Module):
    """Cut a video into patches: B x 3 x T x H x W gives B x T' x H' x W' x C; what is left over is filled up with zeros."""

    def __init__(self, patch_size: list[int], in_channels: int = 3, embed_dim: int = 96, norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.tuple_patch_size = (patch_size[0], patch_size[1], patch_size[2])
        self.proj = nn.Conv3d(in_channels, embed_dim, kernel_size=self.tuple_patch_size, stride=self.tuple_patch_size)
        self.norm = nn.Identity() if norm_layer is None else norm_layer(embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        try:
            _, _, t, h, w = x.shape
        except ValueError:
            raise ValueError(f"[PatchEmbed3d] expected videos, B x 3 x T x H x W, got {tuple(x.shape)}") from None
        p, q, r = self.tuple_patch_size
        x = self.proj(F.pad(x, (0, -w % r, 0, -h % q, 0, -t % p)))
        return self.norm(x.permute(0, 2, 3, 4, 1))


class SwinTransformer3d(nn.Module):
    """Patches, stages of blocks with merging between them, a norm, a mean and a linear layer.

    Args:
        patch_size, window_size: of time, height and width.
        patch_embed: makes the layer of patches; `PatchEmbed3d` by default. Other arguments as in `SwinTransformer`.

    Shape: B x 3 x T x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.video import SwinTransformer3d
    >>> model = SwinTransformer3d([2, 4, 4], embed_dim=8, depths=[2, 2], num_heads=[2, 4], window_size=[2, 4, 4], num_classes=10)
    >>> model(taeda.zeros(1, 3, 4, 32, 32)).shape
    taeda.Size([1, 10])
    """

    def __init__(
        self,
        patch_size: list[int],
        embed_dim: int,
        depths: list[int],
        num_heads: list[int],
        window_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.1,
        num_classes: int = 400,
        norm_layer: Layer | None = None,
        block: Layer | None = None,
        downsample_layer: Layer = PatchMerging,
        patch_embed: Layer | None = None,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        block, norm_layer = block or SwinTransformerBlock, norm_layer or partial(nn.LayerNorm, eps=1e-5)
        self.patch_embed = (patch_embed or PatchEmbed3d)(patch_size=patch_size, embed_dim=embed_dim, norm_layer=norm_layer)
        self.pos_drop = nn.Dropout(p=dropout)
        options: dict[str, Any] = {"mlp_ratio": mlp_ratio, "dropout": dropout, "attention_dropout": attention_dropout}
        how = (embed_dim, depths, num_heads, window_size, stochastic_depth_prob, block, downsample_layer, norm_layer)
        layers, self.num_features = stages(*how, attn_layer=ShiftedWindowAttention3d, **options)
        self.features = nn.Sequential(*layers)
        self.norm = norm_layer(self.num_features)
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.head = nn.Linear(self.num_features, num_classes)
        start_linear(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.features(self.pos_drop(self.patch_embed(x))))
        return self.head(self.avgpool(x.permute(0, 4, 1, 2, 3)).flatten(1))


def _swin3d(width: int, depth: int, heads: int, weights: Any, config: dict[str, Any], name: str) -> SwinTransformer3d:
    sizes = ([2, 4, 4], width, [2, 2, depth, 2], [heads * 2**i for i in range(4)], [8, 7, 7])
    return built(SwinTransformer3d, *sizes, weights=weights, config=config, name=name)


@builder
def swin3d_t(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer3d:
    """Build Swin-T for videos: 28.2 million parameters, 400 classes by default; further arguments go to `SwinTransformer3d`.

    >>> import taeda
    >>> from taeda.vision.models.video import swin3d_t
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     swin3d_t(num_classes=10)(taeda.zeros(1, 3, 16, 224, 224)).shape
    taeda.Size([1, 10])
    """
    return _swin3d(96, 6, 3, weights, kwargs, "swin3d_t")


@builder
def swin3d_s(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer3d:
    """Build Swin-S for videos: 49.8 million parameters, 18 blocks in the third stage for 6 of `swin3d_t`."""
    return _swin3d(96, 18, 3, weights, kwargs, "swin3d_s")


@builder
def swin3d_b(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer3d:
    """Build Swin-B for videos: 88.0 million parameters, a third wider than `swin3d_s`."""
    return _swin3d(128, 18, 4, weights, kwargs, "swin3d_b")

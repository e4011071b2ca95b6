"""Swin transformers: attention within windows that are shifted from block to block (Liu et al., 2021), and the second version (2022)."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import built, start
from taeda.vision.models.registry import register_model
from taeda.vision.ops.drop import StochasticDepth
from taeda.vision.ops.misc import MLP, Layer, Permute

__all__ = ["SwinTransformer", "swin_b", "swin_s", "swin_t", "swin_v2_b", "swin_v2_s", "swin_v2_t"]


def _quarters(x: Tensor) -> Tensor:
    """Put each 2 x 2 pixels into the channels of one: ... x H x W x C gives ... x H/2 x W/2 x 4C."""
    h, w = x.shape[-3:-1]
    x = F.pad(x, (0, 0, 0, w % 2, 0, h % 2))
    return taeda.cat([x[..., i::2, j::2, :] for j in (0, 1) for i in (0, 1)], -1)


class PatchMerging(nn.Module):
    """Half the size, twice the channels: norm, then linear."""

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(4 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduction(self.norm(_quarters(x)))


class PatchMergingV2(nn.Module):
    """Half the size, twice the channels: linear, then norm."""

    def __init__(self, dim: int, norm_layer: Layer = nn.LayerNorm) -> None:
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.reduction(_quarters(x)))


def _regions(h: int, w: int, window: list[int], shift: list[int], like: Tensor) -> Tensor:
    """Return what to add to the scores of each window: -100 between pixels that the shift has brought together; n x m x m."""
    number = like.new_zeros((h, w))
    cuts = [(0, -size, -s or None, None) for size, s in zip(window, shift, strict=True)]
    count = 0
    for top, bottom in zip(cuts[0][:3], cuts[0][1:], strict=True):
        for left, right in zip(cuts[1][:3], cuts[1][1:], strict=True):
            if top is not None and left is not None:
                number[top:bottom, left:right] = count
            count += 1
    number = _windows(number[None, :, :, None], window)[..., 0]
    apart = number[:, None] != number[:, :, None]
    return like.new_zeros(apart.shape).masked_fill_(apart, -100.0)


def _windows(x: Tensor, window: list[int]) -> Tensor:
    """Cut B x H x W x C into windows: (B n) x pixels x C."""
    b, h, w, c = x.shape
    p, q = window
    return x.reshape(b, h // p, p, w // q, q, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, p * q, c)


class ShiftedWindowAttention(nn.Module):
    """Attention among the pixels of each window, with a learnt bias for each way from pixel to pixel. Shape: B x H x W x C, kept."""

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(window_size) != 2 or len(shift_size) != 2:
            raise ValueError(f"[ShiftedWindowAttention] window_size and shift_size must be of length 2, got {window_size}, {shift_size}")
        self.window_size = window_size
        self.shift_size = shift_size
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.define_relative_position_bias_table()
        p, q = window_size
        y, x = (t.flatten() for t in taeda.meshgrid(taeda.arange(p), taeda.arange(q), indexing="ij"))
        down, across = y[:, None] - y + (p - 1), x[:, None] - x + (q - 1)
        self.register_buffer("relative_position_index", (down * (2 * q - 1) + across).flatten())

    def define_relative_position_bias_table(self) -> None:
        """Draw a bias for each way and head."""
        p, q = self.window_size
        self.relative_position_bias_table = nn.Parameter(taeda.zeros((2 * p - 1) * (2 * q - 1), self.num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def _bias(self, table: Tensor) -> Tensor:
        n = self.window_size[0] * self.window_size[1]
        index: Any = self.relative_position_index
        return table[index].reshape(n, n, -1).permute(2, 0, 1).unsqueeze(0)

    def get_relative_position_bias(self) -> Tensor:
        """Return the biases, 1 x heads x pixels x pixels."""
        return self._bias(self.relative_position_bias_table)

    def _scores(self, q: Tensor, k: Tensor) -> Tensor:
        return (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)

    def _qkv_bias(self) -> Any:
        return self.qkv.bias

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        window = self.window_size
        x = F.pad(x, (0, 0, 0, -w % window[1], 0, -h % window[0]))
        _, high, wide, _ = x.shape
        shift = [0 if p >= size else s for s, p, size in zip(self.shift_size, window, (high, wide), strict=True)]
        if any(shift):
            x = taeda.roll(x, shifts=(-shift[0], -shift[1]), dims=(1, 2))
        x = _windows(x, window)
        n, m, _ = x.shape
        qkv = F.linear(x, self.qkv.weight, self._qkv_bias())
        q, k, v = qkv.reshape(n, m, 3, self.num_heads, c // self.num_heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = self._scores(q, k) + self.get_relative_position_bias()
        if any(shift):
            apart = _regions(high, wide, window, shift, x)
            scores = (scores.reshape(b, n // b, self.num_heads, m, m) + apart[:, None]).reshape(n, self.num_heads, m, m)
        weights = F.dropout(F.softmax(scores, dim=-1), p=self.attention_dropout, training=self.training)
        x = F.dropout(self.proj((weights @ v).transpose(1, 2).reshape(n, m, c)), p=self.dropout, training=self.training)
        x = x.reshape(b, high // window[0], wide // window[1], *window, c).permute(0, 1, 3, 2, 4, 5).reshape(b, high, wide, c)
        if any(shift):
            x = taeda.roll(x, shifts=(shift[0], shift[1]), dims=(1, 2))
        return x[:, :h, :w].contiguous()


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Scores are cosines times a learnt factor, and the biases come from a small network of the ways."""

    def __init__(
        self,
        dim: int,
        window_size: list[int],
        shift_size: list[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(dim, window_size, shift_size, num_heads, qkv_bias, proj_bias, attention_dropout, dropout)
        self.logit_scale = nn.Parameter(taeda.log(10 * taeda.ones((num_heads, 1, 1))))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, 512, bias=True), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False))
        if qkv_bias:
            self.qkv.bias.data[dim : 2 * dim].zero_()

    def define_relative_position_bias_table(self) -> None:
        """Set out the ways, on a logarithmic scale."""
        ways = [taeda.arange(-(n - 1), n, dtype=taeda.float32) / (n - 1) * 8 for n in self.window_size]
        table = taeda.stack(taeda.meshgrid(*ways, indexing="ij"), dim=-1).unsqueeze(0)
        self.register_buffer("relative_coords_table", table.sign() * taeda.log2(table.abs() + 1.0) / 3.0)

    def get_relative_position_bias(self) -> Tensor:
        """Return the biases, 1 x heads x pixels x pixels."""
        return 16 * taeda.sigmoid(self._bias(self.cpb_mlp(self.relative_coords_table).reshape(-1, self.num_heads)))

    def _scores(self, q: Tensor, k: Tensor) -> Tensor:
        cosines = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        return cosines * self.logit_scale.clamp(max=math.log(100.0)).exp()

    def _qkv_bias(self) -> Any:
        """Return the biases of queries and values; keys have none."""
        if self.qkv.bias is None:
            return None
        bias = self.qkv.bias.clone()
        third = bias.numel() // 3
        bias[third : 2 * third].zero_()
        return bias


class SwinTransformerBlock(nn.Module):
    """Attention, then an MLP, each after a norm and beside a shortcut."""

    def __init__(
        self,
        dim: int,
        num_heads: int,
        window_size: list[int],
        shift_size: list[int],
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
        attn_layer: Layer = ShiftedWindowAttention,
    ) -> None:
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = attn_layer(dim, window_size, shift_size, num_heads, attention_dropout=attention_dropout, dropout=dropout)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        self.mlp = MLP(dim, [int(dim * mlp_ratio), dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for m in self.mlp.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.normal_(m.bias, std=1e-6)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """The norms come after attention and MLP."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"attn_layer": ShiftedWindowAttentionV2, **kwargs})

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


class SwinTransformer(nn.Module):
    """Patches, stages of blocks with merging between them, a norm, a mean and a linear layer.

    Args:
        patch_size, window_size: height and width.
        embed_dim: channels of the first stage; each has twice those of the one before.
        depths, num_heads: of the stages.
        stochastic_depth_prob: of the last block; it grows from 0 with depth.

    Shape: B x 3 x H x W gives B x num_classes.
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
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        block: Layer | None = None,
        downsample_layer: Layer = PatchMerging,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        block, norm_layer = block or SwinTransformerBlock, norm_layer or partial(nn.LayerNorm, eps=1e-5)
        patches = nn.Conv2d(3, embed_dim, kernel_size=tuple(patch_size), stride=tuple(patch_size))  # type: ignore[arg-type]
        layers: list[nn.Module] = [nn.Sequential(patches, Permute([0, 2, 3, 1]), norm_layer(embed_dim))]
        done, width = 0, embed_dim
        for i, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
            width = embed_dim * 2**i
            stage = []
            for j in range(depth):
                drop = stochastic_depth_prob * float(done) / (sum(depths) - 1)
                shift = [0 if j % 2 == 0 else size // 2 for size in window_size]
                options: dict[str, Any] = {"mlp_ratio": mlp_ratio, "dropout": dropout, "attention_dropout": attention_dropout}
                stage.append(block(width, heads, window_size, shift, stochastic_depth_prob=drop, norm_layer=norm_layer, **options))
                done += 1
            layers.append(nn.Sequential(*stage))
            if i < len(depths) - 1:
                layers.append(downsample_layer(width, norm_layer))
        self.features = nn.Sequential(*layers)
        self.norm = norm_layer(width)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(width, num_classes)
        start(nn.ModuleList([m for m in self.modules() if isinstance(m, nn.Linear)]), lambda w: w, partial(nn.init.trunc_normal_, std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        x = self.permute(self.norm(self.features(x)))
        return self.head(self.flatten(self.avgpool(x)))


_SIZES = {"t": (96, [2, 2, 6, 2], 3, 0.2), "s": (96, [2, 2, 18, 2], 3, 0.3), "b": (128, [2, 2, 18, 2], 4, 0.5)}


def _swin(size: str, second: bool, weights: Any, config: dict[str, Any]) -> SwinTransformer:
    width, depths, heads, drop = _SIZES[size]
    window = [8, 8] if second else [7, 7]
    if second:
        config = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2, **config}
    config = {"stochastic_depth_prob": drop, **config}
    every = [heads * 2**i for i in range(4)]
    return built(SwinTransformer, [4, 4], width, list(depths), every, window, weights=weights, config=config)


@register_model()
def swin_t(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-T, 28.3 million parameters; further arguments go to `SwinTransformer`."""
    return _swin("t", False, weights, kwargs)


@register_model()
def swin_s(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-S; further arguments go to `SwinTransformer`."""
    return _swin("s", False, weights, kwargs)


@register_model()
def swin_b(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-B; further arguments go to `SwinTransformer`."""
    return _swin("b", False, weights, kwargs)


@register_model()
def swin_v2_t(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-T of the second version; further arguments go to `SwinTransformer`."""
    return _swin("t", True, weights, kwargs)


@register_model()
def swin_v2_s(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-S of the second version; further arguments go to `SwinTransformer`."""
    return _swin("s", True, weights, kwargs)


@register_model()
def swin_v2_b(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-B of the second version; further arguments go to `SwinTransformer`."""
    return _swin("b", True, weights, kwargs)

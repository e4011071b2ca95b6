"""Swin transformers: attention within windows that are shifted from block to block (Liu et al., 2021), and the second version (2022)."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import built, start
from taeda.vision.models._utils import relative_position_index
from taeda.vision.models.registry import builder
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


def _windows(x: Tensor, window: list[int]) -> Tensor:
    """Cut B x sizes x C, of two sizes or more, into windows: (B n) x pixels x C."""
    b, *sizes, c = x.shape
    d = len(window)
    split = [part for size, p in zip(sizes, window, strict=True) for part in (size // p, p)]
    return x.reshape(b, *split, c).permute(0, *range(1, 2 * d, 2), *range(2, 2 * d + 1, 2), 2 * d + 1).reshape(-1, math.prod(window), c)


def _joined(x: Tensor, window: list[int], sizes: list[int]) -> Tensor:
    """Put windows, (B n) x pixels x C, together again: B x sizes x C."""
    d, c = len(window), x.shape[-1]
    x = x.reshape(-1, *(size // p for size, p in zip(sizes, window, strict=True)), *window, c)
    return x.permute(0, *(axis for i in range(1, d + 1) for axis in (i, i + d)), 2 * d + 1).reshape(-1, *sizes, c)


def _regions(sizes: list[int], window: list[int], shift: list[int], like: Tensor) -> Tensor:
    """Return what to add to the scores of each window: -100 between pixels that the shift has brought together; n x m x m."""
    number = like.new_zeros(sizes)
    cuts = [[slice(0, -p), slice(-p, -s or None), *([slice(-s, None)] if s else [])] for p, s in zip(window, shift, strict=True)]
    for count, region in enumerate(itertools.product(*cuts)):
        number[region] = count
    number = _windows(number[None, ..., None], window)[..., 0]
    apart = number[:, None] != number[:, :, None]
    return like.new_zeros(apart.shape).masked_fill_(apart, -100.0)


class ShiftedWindowAttention(nn.Module):
    """Attention among the pixels of each window, with a learnt bias for each offset between two. Shape: B x H x W x C, kept."""

    fx_leaf = True      # whether it shifts depends on the image's size
    _sizes = 2

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
        if not len(window_size) == len(shift_size) == self._sizes:
            name = type(self).__name__
            raise ValueError(f"[{name}] window_size and shift_size must be of length {self._sizes}, got {window_size}, {shift_size}")
        self.window_size = window_size
        self.shift_size = shift_size
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.define_relative_position_bias_table()
        self.register_buffer("relative_position_index", relative_position_index(self.window_size).flatten())

    def define_relative_position_bias_table(self) -> None:
        """Draw a bias for each offset and head."""
        offsets = math.prod(2 * p - 1 for p in self.window_size)
        self.relative_position_bias_table = nn.Parameter(taeda.zeros(offsets, self.num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def _bias(self, table: Tensor) -> Tensor:
        n = math.prod(self.window_size)
        index: Any = self.relative_position_index
        return table[index].reshape(n, n, -1).permute(2, 0, 1).unsqueeze(0)

    def get_relative_position_bias(self) -> Tensor:
        """Return the biases, 1 x heads x pixels x pixels."""
        return self._bias(self.relative_position_bias_table)

    def _scores(self, q: Tensor, k: Tensor) -> Tensor:
        return (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)

    def _qkv_bias(self) -> Any:
        return self.qkv.bias

    def _fitted(self, sizes: list[int]) -> tuple[list[int], Tensor]:
        """Return the window for an image of these sizes, and the biases in it."""
        return self.window_size, self.get_relative_position_bias()

    def forward(self, x: Tensor) -> Tensor:
        b, *sizes, c = x.shape
        window, bias = self._fitted(sizes)
        x = F.pad(x, (0, 0, *(n for size, p in zip(sizes[::-1], window[::-1], strict=True) for n in (0, -size % p))))
        padded = list(x.shape[1:-1])
        shift = [0 if size <= p else s for s, p, size in zip(self.shift_size, window, padded, strict=True)]
        axes = tuple(range(1, 1 + len(sizes)))
        if any(shift):
            x = taeda.roll(x, shifts=tuple(-s for s in shift), dims=axes)
        x = _windows(x, window)
        n, m, _ = x.shape
        qkv = F.linear(x, self.qkv.weight, self._qkv_bias())
        q, k, v = qkv.reshape(n, m, 3, self.num_heads, c // self.num_heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = self._scores(q, k) + bias
        if any(shift):
            apart = _regions(padded, window, shift, x)
            scores = (scores.reshape(b, n // b, self.num_heads, m, m) + apart[:, None]).reshape(n, self.num_heads, m, m)
        weights = F.dropout(F.softmax(scores, dim=-1), p=self.attention_dropout, training=self.training)
        x = F.dropout(self.proj((weights @ v).transpose(1, 2).reshape(n, m, c)), p=self.dropout, training=self.training)
        x = _joined(x, window, padded)
        if any(shift):
            x = taeda.roll(x, shifts=tuple(shift), dims=axes)
        return x[(slice(None), *map(slice, sizes))].contiguous()


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Scores are cosines times a learnt factor, and the biases come from a small network that sees the offsets."""

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
        """Set out the offsets, on a logarithmic scale."""
        offsets = [taeda.arange(-(n - 1), n, dtype=taeda.float32) / (n - 1) * 8 for n in self.window_size]
        table = taeda.stack(taeda.meshgrid(*offsets, indexing="ij"), dim=-1).unsqueeze(0)
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
                nn.init.normal_(m.bias, std=1e-6)

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


def stages(
    embed_dim: int,
    depths: list[int],
    num_heads: list[int],
    window_size: list[int],
    stochastic_depth_prob: float,
    block: Layer,
    downsample_layer: Layer,
    norm_layer: Layer,
    **options: Any,
) -> tuple[list[nn.Module], int]:
    """Build stages of blocks with merging between them; return them and the channels of the last. Arguments as in `SwinTransformer`."""
    layers: list[nn.Module] = []
    done, width = 0, embed_dim
    for i, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
        width = embed_dim * 2**i
        stage = []
        for j in range(depth):
            drop = stochastic_depth_prob * float(done) / (sum(depths) - 1)
            shift = [0 if j % 2 == 0 else size // 2 for size in window_size]
            stage.append(block(width, heads, window_size, shift, stochastic_depth_prob=drop, norm_layer=norm_layer, **options))
            done += 1
        layers.append(nn.Sequential(*stage))
        if i < len(depths) - 1:
            layers.append(downsample_layer(width, norm_layer))
    return layers, width


def start_linear(model: nn.Module) -> None:
    """Draw the weights of all linear layers anew, in the order of the modules; their biases are zero."""
    linear = nn.ModuleList([m for m in model.modules() if isinstance(m, nn.Linear)])
    start(linear, lambda w: w, partial(nn.init.trunc_normal_, std=0.02))


class SwinTransformer(nn.Module):
    """Patches, stages of blocks with merging between them, a norm, a mean and a linear layer.

    Args:
        patch_size, window_size: height and width.
        embed_dim: channels of the first stage; each has twice those of the one before.
        depths, num_heads: of the stages.
        stochastic_depth_prob: of the last block; it grows from 0 with depth.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models import SwinTransformer
    >>> model = SwinTransformer([4, 4], embed_dim=8, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4], num_classes=10)
    >>> model.features(taeda.zeros(1, 3, 32, 32)).shape       # channels come last
    taeda.Size([1, 4, 4, 16])
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
        patches = nn.Conv2d(3, embed_dim, kernel_size=tuple(patch_size), stride=tuple(patch_size))
        first = nn.Sequential(patches, Permute([0, 2, 3, 1]), norm_layer(embed_dim))
        options: dict[str, Any] = {"mlp_ratio": mlp_ratio, "dropout": dropout, "attention_dropout": attention_dropout}
        how = (embed_dim, depths, num_heads, window_size, stochastic_depth_prob, block, downsample_layer, norm_layer)
        layers, width = stages(*how, **options)
        self.features = nn.Sequential(first, *layers)
        self.norm = norm_layer(width)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(width, num_classes)
        start_linear(self)

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


@builder
def swin_t(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-T: 28.3 million parameters, for images of 224 x 224. Further arguments go to `SwinTransformer`.

    >>> import taeda
    >>> from taeda.vision.models import swin_t
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     swin_t().features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 7, 7, 768])
    """
    return _swin("t", False, weights, kwargs)


@builder
def swin_s(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-S: 49.6 million parameters, 18 blocks in the third stage for 6 of `swin_t`."""
    return _swin("s", False, weights, kwargs)


@builder
def swin_b(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-B: 87.8 million parameters, a third wider than `swin_s`."""
    return _swin("b", False, weights, kwargs)


@builder
def swin_v2_t(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-T of the second version: 28.4 million parameters, for images of 256 x 256.

    Attention goes by cosines, and a small network gives the bias of each offset, so that windows may grow afterwards.
    Further arguments go to `SwinTransformer`.

    >>> import taeda
    >>> from taeda.vision.models import swin_v2_t
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     swin_v2_t().features(taeda.zeros(1, 3, 256, 256)).shape      # channels last
    taeda.Size([1, 8, 8, 768])
    """
    return _swin("t", True, weights, kwargs)


@builder
def swin_v2_s(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-S of the second version: 49.7 million parameters, for images of 256 x 256; see `swin_v2_t`."""
    return _swin("s", True, weights, kwargs)


@builder
def swin_v2_b(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> SwinTransformer:
    """Build Swin-B of the second version: 87.9 million parameters, for images of 256 x 256; see `swin_v2_t`."""
    return _swin("b", True, weights, kwargs)

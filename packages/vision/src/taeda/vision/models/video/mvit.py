"""Multiscale vision transformers: attention whose queries, keys and values are pooled over time and space (Fan et al., Li et al., 2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder
from taeda.vision.ops.drop import StochasticDepth
from taeda.vision.ops.misc import MLP, Layer

__all__ = ["MViT", "mvit_v1_b", "mvit_v2_s"]

Sizes = tuple[int, int, int]


@dataclass
class MSBlockConfig:
    """A block: its heads and channels, and the kernels and strides over time, height and width by which its tokens are pooled."""

    num_heads: int
    input_channels: int
    output_channels: int
    kernel_q: list[int]
    kernel_kv: list[int]
    stride_q: list[int]
    stride_kv: list[int]


class Pool(nn.Module):
    """Pool tokens that lie on a grid; the class token in front of them is kept.

    Shape: B x (1 + T * H * W) x C, also with heads after B, and (T, H, W), give the same of the smaller grid.
    """

    fx_leaf = True

    def __init__(
        self, pool: nn.Module, norm: nn.Module | None, activation: nn.Module | None = None, norm_before_pool: bool = False
    ) -> None:
        super().__init__()
        self.pool = pool
        layers = [layer for layer in (norm, activation) if layer is not None]
        self.norm_act = nn.Sequential(*layers) if layers else None
        self.norm_before_pool = norm_before_pool

    def forward(self, x: Tensor, thw: Sizes) -> tuple[Tensor, Sizes]:
        if x.dim() not in (3, 4):
            raise ValueError(f"[Pool] Unsupported input dimension {x.shape}; expected B x tokens x C or B x heads x tokens x C")
        token, x = x[..., :1, :], x[..., 1:, :]
        *many, _, c = x.shape
        x = x.transpose(-1, -2).reshape(-1, c, *thw)
        if self.norm_act is not None and self.norm_before_pool:
            x = self.norm_act(x)
        x = self.pool(x)
        t, h, w = x.shape[2:]
        x = taeda.cat((token, x.reshape(*many, c, -1).transpose(-1, -2)), dim=-2)
        if self.norm_act is not None and not self.norm_before_pool:
            x = self.norm_act(x)
        return x, (t, h, w)


def _relative_rows(table: Tensor, q: int, k: int) -> Tensor:
    """Return the rows of a table of distances for q and k places along an axis, q x k x C; a table of another size is stretched."""
    size = 2 * max(q, k) - 1
    if len(table) != size:
        table = F.interpolate(table.permute(1, 0).unsqueeze(0), size=size, mode="linear").squeeze(0).permute(1, 0)
    from_q = taeda.arange(q)[:, None] * max(k / q, 1.0)
    from_k = (taeda.arange(k)[None, :] + (1.0 - k)) * max(q / k, 1.0)
    return table[(from_q - from_k).long()]


class MultiscaleAttention(nn.Module):
    """Attention among pooled tokens, which can know how far apart they are.

    Args:
        input_size: of the grid, over time, height and width.
        residual_pool: whether the queries are added to the result, with the class token or without it (`residual_with_cls_embed`).
        rel_pos_embed: whether distances are learnt along each axis.
    """

    fx_leaf = True

    def __init__(
        self,
        input_size: list[int],
        embed_dim: int,
        output_dim: int,
        num_heads: int,
        kernel_q: list[int],
        kernel_kv: list[int],
        stride_q: list[int],
        stride_kv: list[int],
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        dropout: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.output_dim = output_dim
        self.num_heads = num_heads
        self.head_dim = output_dim // num_heads
        self.scaler = 1.0 / math.sqrt(self.head_dim)
        self.residual_pool = residual_pool
        self.residual_with_cls_embed = residual_with_cls_embed
        self.qkv = nn.Linear(embed_dim, 3 * output_dim)
        layers: list[nn.Module] = [nn.Linear(output_dim, output_dim)]
        if dropout > 0.0:
            layers.append(nn.Dropout(dropout, inplace=True))
        self.project = nn.Sequential(*layers)
        self.pool_q = self._pool(kernel_q, stride_q, norm_layer)
        self.pool_k = self._pool(kernel_kv, stride_kv, norm_layer)
        self.pool_v = self._pool(kernel_kv, stride_kv, norm_layer)
        self.rel_pos_h: nn.Parameter | None = None
        self.rel_pos_w: nn.Parameter | None = None
        self.rel_pos_t: nn.Parameter | None = None
        if rel_pos_embed:
            size = max(input_size[1:])
            space = 2 * max(size // stride[1] if stride else size for stride in (stride_q, stride_kv)) - 1
            self.rel_pos_h = nn.Parameter(taeda.zeros(space, self.head_dim))
            self.rel_pos_w = nn.Parameter(taeda.zeros(space, self.head_dim))
            self.rel_pos_t = nn.Parameter(taeda.zeros(2 * input_size[0] - 1, self.head_dim))
            for table in (self.rel_pos_h, self.rel_pos_w, self.rel_pos_t):
                nn.init.trunc_normal_(table, std=0.02)

    def _pool(self, kernel: list[int], stride: list[int], norm_layer: Layer) -> Pool | None:
        if math.prod(kernel) <= 1 and math.prod(stride) <= 1:
            return None
        options: Any = {"stride": stride, "padding": [k // 2 for k in kernel], "groups": self.head_dim, "bias": False}
        return Pool(nn.Conv3d(self.head_dim, self.head_dim, kernel, **options), norm_layer(self.head_dim))

    def _bias(self, q: Tensor, q_thw: Sizes, k_thw: Sizes) -> Tensor:
        """Return what the distances add to the scores of all but the class token: B x heads x queries x keys."""
        grid = q[:, :, 1:].unflatten(2, q_thw)
        tables = zip((self.rel_pos_t, self.rel_pos_h, self.rel_pos_w), q_thw, k_thw, strict=True)
        t, h, w = (_relative_rows(table, *sizes) for table, *sizes in tables)  # type: ignore[arg-type]
        over_h = taeda.einsum("bnthwc,hkc->bnthwk", grid, h)[..., None, :, None]
        over_w = taeda.einsum("bnthwc,wkc->bnthwk", grid, w)[..., None, None, :]
        over_t = taeda.einsum("bnthwc,tkc->bnthwk", grid, t)[..., :, None, None]
        return (over_h + over_w + over_t).flatten(5).flatten(2, 4)

    def forward(self, x: Tensor, thw: Sizes) -> tuple[Tensor, Sizes]:
        b, n, _ = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.num_heads, self.head_dim).transpose(1, 3).unbind(dim=2)
        k, k_thw = (k, thw) if self.pool_k is None else self.pool_k(k, thw)
        v, _ = (v, thw) if self.pool_v is None else self.pool_v(v, thw)
        q, thw = (q, thw) if self.pool_q is None else self.pool_q(q, thw)
        scores = (self.scaler * q) @ k.transpose(2, 3)
        if self.rel_pos_h is not None:
            scores[:, :, 1:, 1:] += self._bias(q, thw, k_thw)
        x = scores.softmax(dim=-1) @ v
        if self.residual_pool:
            if self.residual_with_cls_embed:
                x += q
            else:
                x[:, :, 1:] += q[:, :, 1:]
        return self.project(x.transpose(1, 2).reshape(b, -1, self.output_dim)), thw


class MultiscaleBlock(nn.Module):
    """Attention and an MLP, each after a normalisation and beside a shortcut, which is pooled as the queries are.

    Args:
        input_size, residual_pool, residual_with_cls_embed, rel_pos_embed: as in `MultiscaleAttention`.
        proj_after_attn: whether channels change in attention, not in the MLP.
    """

    def __init__(
        self,
        input_size: list[int],
        cnf: MSBlockConfig,
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        proj_after_attn: bool,
        dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        norm_layer: Layer = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.proj_after_attn = proj_after_attn
        self.pool_skip: Pool | None = None
        if math.prod(cnf.stride_q) > 1:
            kernel = [s + 1 if s > 1 else s for s in cnf.stride_q]
            pool = nn.MaxPool3d(kernel, stride=cnf.stride_q, padding=[k // 2 for k in kernel])
            self.pool_skip = Pool(pool, None)
        width = cnf.output_channels if proj_after_attn else cnf.input_channels
        self.norm1 = norm_layer(cnf.input_channels)
        self.norm2 = norm_layer(width)
        self.needs_transposal = isinstance(self.norm1, nn.BatchNorm1d)
        self.attn = MultiscaleAttention(
            input_size,
            cnf.input_channels,
            width,
            cnf.num_heads,
            kernel_q=cnf.kernel_q,
            kernel_kv=cnf.kernel_kv,
            stride_q=cnf.stride_q,
            stride_kv=cnf.stride_kv,
            residual_pool=residual_pool,
            residual_with_cls_embed=residual_with_cls_embed,
            rel_pos_embed=rel_pos_embed,
            dropout=dropout,
            norm_layer=norm_layer,
        )
        self.mlp = MLP(width, [4 * width, cnf.output_channels], activation_layer=nn.GELU, dropout=dropout, inplace=None)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.project: nn.Linear | None = None
        if cnf.input_channels != cnf.output_channels:
            self.project = nn.Linear(cnf.input_channels, cnf.output_channels)

    def forward(self, x: Tensor, thw: Sizes) -> tuple[Tensor, Sizes]:
        normed = self._normed(self.norm1, x)
        attended, after = self.attn(normed, thw)
        if self.project is not None and self.proj_after_attn:
            x = self.project(normed)
        if self.pool_skip is not None:
            x, _ = self.pool_skip(x, thw)
        x = x + self.stochastic_depth(attended)
        normed = self._normed(self.norm2, x)
        if self.project is not None and not self.proj_after_attn:
            x = self.project(normed)
        return x + self.stochastic_depth(self.mlp(normed)), after

    def _normed(self, norm: nn.Module, x: Tensor) -> Tensor:
        return norm(x.transpose(1, 2)).transpose(1, 2) if self.needs_transposal else norm(x)


class PositionalEncoding(nn.Module):
    """Put a class token before the tokens and, unless distances are learnt instead, add to each a vector of its place and its time."""

    def __init__(self, embed_size: int, spatial_size: tuple[int, int], temporal_size: int, rel_pos_embed: bool) -> None:
        super().__init__()
        self.spatial_size = spatial_size
        self.temporal_size = temporal_size
        self.class_token = nn.Parameter(taeda.zeros(embed_size))
        self.spatial_pos: nn.Parameter | None = None
        self.temporal_pos: nn.Parameter | None = None
        self.class_pos: nn.Parameter | None = None
        if not rel_pos_embed:
            self.spatial_pos = nn.Parameter(taeda.zeros(math.prod(spatial_size), embed_size))
            self.temporal_pos = nn.Parameter(taeda.zeros(temporal_size, embed_size))
            self.class_pos = nn.Parameter(taeda.zeros(embed_size))

    def forward(self, x: Tensor) -> Tensor:
        x = taeda.cat((self.class_token.expand(x.shape[0], 1, -1), x), dim=1)
        if self.spatial_pos is None or self.temporal_pos is None or self.class_pos is None:
            return x
        places = (self.temporal_pos[:, None] + self.spatial_pos).flatten(0, 1)
        return x + taeda.cat((self.class_pos[None], places))


class MViT(nn.Module):
    """A convolution cuts a video into tokens; blocks of attention pool them to ever fewer and wider ones; the class token is classified.

    Args:
        spatial_size, temporal_size: height and width, and count of frames.
        block_setting: of each block.
        residual_pool, residual_with_cls_embed, rel_pos_embed, proj_after_attn: as in `MultiscaleBlock`.
        dropout: before the classifier; `attention_dropout` in the blocks.
        stochastic_depth_prob: of the last block; it grows from 0 with depth.
        block, norm_layer: make the blocks and normalisations; `MultiscaleBlock` and LayerNorm with eps 1e-6 by default.

    Shape: B x 3 x T x H x W, or B x 3 x H x W for T = 1, gives B x num_classes.

    Raises:
        ValueError: there are no blocks; in `forward`, the input does not have 4 or 5 dimensions.

    >>> import taeda
    >>> from taeda.vision.models.video import MViT
    >>> from taeda.vision.models.video.mvit import MSBlockConfig
    >>> block = MSBlockConfig(num_heads=1, input_channels=16, output_channels=16, kernel_q=[], kernel_kv=[], stride_q=[], stride_kv=[])
    >>> model = MViT((32, 32), 4, [block, block], residual_pool=False, residual_with_cls_embed=False, rel_pos_embed=False,
    ...              proj_after_attn=False, num_classes=10)
    >>> model(taeda.zeros(2, 3, 4, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        spatial_size: tuple[int, int],
        temporal_size: int,
        block_setting: Sequence[MSBlockConfig],
        residual_pool: bool,
        residual_with_cls_embed: bool,
        rel_pos_embed: bool,
        proj_after_attn: bool,
        dropout: float = 0.5,
        attention_dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        num_classes: int = 400,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        patch_embed_kernel: Sizes = (3, 7, 7),
        patch_embed_stride: Sizes = (2, 4, 4),
        patch_embed_padding: Sizes = (1, 3, 3),
    ) -> None:
        super().__init__()
        if not block_setting:
            raise ValueError("[MViT] The configuration parameter can't be empty: block_setting has no blocks")
        block, norm_layer = block or MultiscaleBlock, norm_layer or partial(nn.LayerNorm, eps=1e-6)
        width, last = block_setting[0].input_channels, block_setting[-1].output_channels
        self.conv_proj = nn.Conv3d(3, width, patch_embed_kernel, stride=patch_embed_stride, padding=patch_embed_padding)
        size = _divided([temporal_size, *spatial_size], patch_embed_stride)
        self.pos_encoding = PositionalEncoding(width, (size[1], size[2]), size[0], rel_pos_embed)
        self.blocks = nn.ModuleList()
        for i, cnf in enumerate(block_setting):
            made = block(
                input_size=size,
                cnf=cnf,
                residual_pool=residual_pool,
                residual_with_cls_embed=residual_with_cls_embed,
                rel_pos_embed=rel_pos_embed,
                proj_after_attn=proj_after_attn,
                dropout=attention_dropout,
                stochastic_depth_prob=stochastic_depth_prob * i / (len(block_setting) - 1.0),
                norm_layer=norm_layer,
            )
            self.blocks.append(made)
            size = _divided(size, cnf.stride_q or [1, 1, 1])
        self.norm = norm_layer(last)
        self.head = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(last, num_classes))
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                nn.init.zeros_(m.bias)
            elif isinstance(m, PositionalEncoding):
                for parameter in m.parameters():
                    nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        known = isinstance(x, Tensor)       # what fx traces with stands for videos of any shape
        if known and x.dim() not in (4, 5):
            raise ValueError(f"[MViT] Unsupported input dimension {x.shape}; expected B x 3 x T x H x W or B x 3 x H x W")
        if not known or x.dim() == 4:
            x = x.reshape(x.shape[0], x.shape[1], -1, x.shape[-2], x.shape[-1])
        x = self.conv_proj(x)
        thw = (self.pos_encoding.temporal_size, *self.pos_encoding.spatial_size)
        if known and math.prod(x.shape[2:]) != math.prod(thw):
            raise RuntimeError(f"[MViT] the video is cut into {tuple(x.shape[2:])} patches over time, height and width, and the model has "
                               f"places for {thw}; give videos of the size that it was built for, or build it with other sizes")
        x = self.pos_encoding(x.flatten(2).transpose(1, 2))
        for block in self.blocks:
            x, thw = block(x, thw)
        return self.head(self.norm(x)[:, 0])


def _divided(sizes: Sequence[int], strides: Sequence[int]) -> list[int]:
    return [size // stride for size, stride in zip(sizes, strides, strict=True)]


# Of the sixteen blocks of both models: heads, and the stride over space of keys and values. Queries are pooled where heads grow in number.
_HEADS = [1, 2, 2, *[4] * 11, 8, 8]
_KEYS = [8, 4, 4, *[2] * 11, 1, 1]
_WIDTHS = [96 * heads for heads in _HEADS]


def _blocks(inputs: list[int], outputs: list[int], always: bool) -> list[MSBlockConfig]:
    """Return the blocks' settings; queries pass through a convolution `always`, or only where they are pooled."""
    setting = []
    for i, (heads, stride) in enumerate(zip(_HEADS, _KEYS, strict=True)):
        fewer = i > 0 and heads > _HEADS[i - 1]
        kernel_q = [3, 3, 3] if fewer or always else []
        stride_q = [1, 2, 2] if fewer else [1, 1, 1] if always else []
        setting.append(MSBlockConfig(heads, inputs[i], outputs[i], kernel_q, [3, 3, 3], stride_q, [1, stride, stride]))
    return setting


@builder
def mvit_v1_b(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MViT:
    """Build MViT-B of the first version: 36.6 million parameters, videos of 16 frames of 224 x 224; further arguments go to `MViT`."""
    options: dict[str, Any] = {"rel_pos_embed": False, "proj_after_attn": False, "stochastic_depth_prob": 0.2, **kwargs}
    blocks = _blocks(_WIDTHS, [*_WIDTHS[1:], _WIDTHS[-1]], always=False)
    return built(MViT, (224, 224), 16, blocks, False, False, weights=weights, config=options, name="mvit_v1_b")


@builder
def mvit_v2_s(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MViT:
    """Build MViT-S of the second version: 34.5 million parameters, videos of 16 frames of 224 x 224; further arguments go to `MViT`.

    >>> import taeda
    >>> from taeda.vision.models.video import mvit_v2_s
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     mvit_v2_s(num_classes=10)(taeda.zeros(1, 3, 16, 224, 224)).shape
    taeda.Size([1, 10])
    """
    options: dict[str, Any] = {"stochastic_depth_prob": 0.2, **kwargs}
    blocks = _blocks([_WIDTHS[0], *_WIDTHS[:-1]], _WIDTHS, always=True)
    return built(MViT, (224, 224), 16, blocks, True, False, True, True, weights=weights, config=options, name="mvit_v2_s")

"""MaxViT: attention in windows, then between windows, after each convolution (Tu et al., Multi-Axis Vision Transformer, 2022)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import built, start
from taeda.vision.models._utils import relative_position_index
from taeda.vision.models.registry import builder
from taeda.vision.ops import StochasticDepth
from taeda.vision.ops.misc import Conv2dNormActivation, Layer, SqueezeExcitation

__all__ = ["MaxVit", "maxvit_t"]

Size = tuple[int, int]


def _halved(size: Size) -> Size:
    """Return the size after a 3x3 convolution with stride 2 and padding 1."""
    return (size[0] - 1) // 2 + 1, (size[1] - 1) // 2 + 1


class MBConv(nn.Module):
    """A normalised inverted bottleneck with squeeze and excitation, and a shortcut."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion_ratio: float,
        squeeze_ratio: float,
        stride: int,
        activation_layer: Layer,
        norm_layer: Layer,
        p_stochastic_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.proj: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            pool = [nn.AvgPool2d(kernel_size=3, stride=stride, padding=1)] if stride == 2 else []
            self.proj = nn.Sequential(*pool, nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=1, bias=True))
        inner = int(out_channels * expansion_ratio)
        rate = p_stochastic_dropout
        self.stochastic_depth: nn.Module = StochasticDepth(rate, mode="row") if rate else nn.Identity()
        conv = partial(Conv2dNormActivation, activation_layer=activation_layer, norm_layer=norm_layer, inplace=None)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["pre_norm"] = norm_layer(in_channels)
        layers["conv_a"] = conv(in_channels, inner, kernel_size=1, stride=1, padding=0)
        layers["conv_b"] = conv(inner, inner, kernel_size=3, stride=stride, padding=1, groups=inner)
        layers["squeeze_excitation"] = SqueezeExcitation(inner, int(out_channels * squeeze_ratio), activation=nn.SiLU)
        layers["conv_c"] = nn.Conv2d(inner, out_channels, kernel_size=1, bias=True)
        self.layers = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x) + self.stochastic_depth(self.layers(x))


class RelativePositionalMultiHeadAttention(nn.Module):
    """Attention within each group, with a bias for each offset: B x G x P x D gives the same shape.

    Raises:
        ValueError: the heads do not divide the features.
    """

    def __init__(self, feat_dim: int, head_dim: int, max_seq_len: int) -> None:
        super().__init__()
        if feat_dim % head_dim != 0:
            raise ValueError(f"[MaxVit] feat_dim: {feat_dim} must be divisible by head_dim: {head_dim}")
        self.n_heads = feat_dim // head_dim
        self.head_dim = head_dim
        self.size = round(max_seq_len**0.5)
        self.max_seq_len = max_seq_len
        self.to_qkv = nn.Linear(feat_dim, feat_dim * 3)
        self.scale_factor = feat_dim**-0.5
        self.merge = nn.Linear(feat_dim, feat_dim)
        self.relative_position_bias_table = nn.Parameter(taeda.empty((2 * self.size - 1) ** 2, self.n_heads))
        self.register_buffer("relative_position_index", relative_position_index([self.size, self.size]))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def get_relative_positional_bias(self) -> Tensor:
        """Return the biases 1 x heads x P x P."""
        n = self.max_seq_len
        bias = self.relative_position_bias_table[self.relative_position_index.reshape(-1)]
        return bias.reshape(n, n, -1).permute(2, 0, 1)[None]

    def forward(self, x: Tensor) -> Tensor:
        b, g, p, d = x.shape
        q, k, v = self.to_qkv(x).reshape(b, g, p, 3, self.n_heads, self.head_dim).permute(3, 0, 1, 4, 2, 5).unbind(0)
        weights = F.softmax(q @ (k * self.scale_factor).transpose(-1, -2) + self.get_relative_positional_bias(), dim=-1)
        return self.merge((weights @ v).permute(0, 1, 3, 2, 4).reshape(b, g, p, d))


class SwapAxes(nn.Module):
    """Swap two dimensions."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.a = a
        self.b = b

    def forward(self, x: Tensor) -> Tensor:
        return taeda.swapaxes(x, self.a, self.b)


class WindowPartition(nn.Module):
    """Cut B x C x H x W into windows of p x p: B x windows x p^2 x C."""

    def forward(self, x: Tensor, p: int) -> Tensor:
        b, c, h, w = x.shape
        try:
            x = x.reshape(b, c, h // p, p, w // p, p)
        except RuntimeError as error:
            raise RuntimeError(f"[MaxVit] windows of {p} x {p} do not tile a map of {h} x {w}; resize images to the input_size that the "
                               "model was built with, or build it with theirs") from error
        return x.permute(0, 2, 4, 3, 5, 1).reshape(b, -1, p * p, c)


class WindowDepartition(nn.Module):
    """Put windows together again: B x windows x p^2 x C gives B x C x H x W."""

    def forward(self, x: Tensor, p: int, h_partitions: int, w_partitions: int) -> Tensor:
        b, _, _, c = x.shape
        x = x.reshape(b, h_partitions, w_partitions, p, p, c).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(b, c, h_partitions * p, w_partitions * p)


class PartitionAttentionLayer(nn.Module):
    """Attention within windows ("window"), or between the same places of all windows ("grid"), then two linear layers.

    Raises:
        ValueError: `partition_type` is another.
        AssertionError: the windows do not divide the map.
    """

    def __init__(
        self,
        in_channels: int,
        head_dim: int,
        partition_size: int,
        partition_type: str,
        grid_size: Size,
        mlp_ratio: int,
        activation_layer: Layer,
        norm_layer: Layer,
        attention_dropout: float,
        mlp_dropout: float,
        p_stochastic_dropout: float,
    ) -> None:
        super().__init__()
        if partition_type not in ("grid", "window"):
            raise ValueError(f"[MaxVit] partition_type must be either 'grid' or 'window', got {partition_type!r}")
        self.n_heads = in_channels // head_dim
        self.head_dim = head_dim
        self.n_partitions = grid_size[0] // partition_size
        self.partition_type = partition_type
        self.grid_size = grid_size
        grid = partition_type == "grid"
        self.p, self.g = (self.n_partitions, partition_size) if grid else (partition_size, self.n_partitions)
        self.partition_op = WindowPartition()
        self.departition_op = WindowDepartition()
        self.partition_swap = SwapAxes(-2, -3) if grid else nn.Identity()
        self.departition_swap = SwapAxes(-2, -3) if grid else nn.Identity()
        attention = RelativePositionalMultiHeadAttention(in_channels, head_dim, partition_size**2)
        self.attn_layer = nn.Sequential(norm_layer(in_channels), attention, nn.Dropout(attention_dropout))
        wide = in_channels * mlp_ratio
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(in_channels),
            nn.Linear(in_channels, wide),
            activation_layer(),
            nn.Linear(wide, in_channels),
            nn.Dropout(mlp_dropout),
        )
        self.stochastic_dropout = StochasticDepth(p_stochastic_dropout, mode="row")

    def forward(self, x: Tensor) -> Tensor:
        (h, w), p = self.grid_size, self.p
        if h % p or w % p:
            raise AssertionError(
                f"[MaxVit] Grid size must be divisible by partition size. Got grid size of {self.grid_size} and partition size of {p}"
            )
        x = self.partition_swap(self.partition_op(x, p))
        x = x + self.stochastic_dropout(self.attn_layer(x))
        x = x + self.stochastic_dropout(self.mlp_layer(x))
        return self.departition_op(self.departition_swap(x), p, h // p, w // p)


class MaxVitLayer(nn.Module):
    """An `MBConv`, attention in windows, attention between them."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        squeeze_ratio: float,
        expansion_ratio: float,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        head_dim: int,
        mlp_ratio: int,
        mlp_dropout: float,
        attention_dropout: float,
        p_stochastic_dropout: float,
        partition_size: int,
        grid_size: Size,
    ) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["MBconv"] = MBConv(
            in_channels, out_channels, expansion_ratio, squeeze_ratio, stride, activation_layer, norm_layer, p_stochastic_dropout
        )
        for kind in ("window", "grid"):
            layers[f"{kind}_attention"] = PartitionAttentionLayer(
                out_channels,
                head_dim,
                partition_size,
                kind,
                grid_size,
                mlp_ratio,
                activation_layer,
                nn.LayerNorm,
                attention_dropout,
                mlp_dropout,
                p_stochastic_dropout,
            )
        self.layers = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class MaxVitBlock(nn.Module):
    """Layers of one width; the first halves the size.

    Raises:
        ValueError: there is not a rate for each layer.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        squeeze_ratio: float,
        expansion_ratio: float,
        norm_layer: Layer,
        activation_layer: Layer,
        head_dim: int,
        mlp_ratio: int,
        mlp_dropout: float,
        attention_dropout: float,
        partition_size: int,
        input_grid_size: Size,
        n_layers: int,
        p_stochastic: Sequence[float],
    ) -> None:
        super().__init__()
        if len(p_stochastic) != n_layers:
            raise ValueError(f"[MaxVit] p_stochastic must have length n_layers={n_layers}, got p_stochastic={p_stochastic}.")
        self.layers = nn.ModuleList()
        self.grid_size = _halved(input_grid_size)
        for i, rate in enumerate(p_stochastic):
            self.layers.append(
                MaxVitLayer(
                    out_channels if i else in_channels,
                    out_channels,
                    squeeze_ratio,
                    expansion_ratio,
                    1 if i else 2,
                    norm_layer,
                    activation_layer,
                    head_dim,
                    mlp_ratio,
                    mlp_dropout,
                    attention_dropout,
                    rate,
                    partition_size,
                    self.grid_size,
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def _check_sizes(size: Size, blocks: int, partition_size: int) -> None:
    """Raise ValueError where the windows do not divide the map of some block; `size` is that of the stem's."""
    for i in range(blocks):
        size = _halved(size)
        if size[0] % partition_size or size[1] % partition_size:
            raise ValueError(
                f"[MaxVit] Input size {size} of block {i} is not divisible by partition size {partition_size}. "
                "Consider changing the partition size or the input size."
            )


class MaxVit(nn.Module):
    """A stem, blocks that halve the size, a mean and two linear layers.

    Args:
        input_size: height and width of the images.
        stem_channels, block_channels, block_layers: widths, and how many layers each block has.
        partition_size: side of a window; it divides the size of every block.
        head_dim: features of an attention's head.
        stochastic_depth_prob: probability that the last layer is skipped; the others' rise to it.

    Shape: B x 3 x H x W gives B x num_classes.

    Raises:
        ValueError: the windows do not divide the map of some block.

    >>> import taeda
    >>> from taeda.vision.models import MaxVit
    >>> model = MaxVit((32, 32), stem_channels=8, partition_size=2, block_channels=[8, 16], block_layers=[1, 1],
    ...                head_dim=4, stochastic_depth_prob=0.0, num_classes=10)
    >>> model(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        input_size: Size,
        stem_channels: int,
        partition_size: int,
        block_channels: list[int],
        block_layers: list[int],
        head_dim: int,
        stochastic_depth_prob: float,
        norm_layer: Layer | None = None,
        activation_layer: Layer = nn.GELU,
        squeeze_ratio: float = 0.25,
        expansion_ratio: float = 4,
        mlp_ratio: int = 4,
        mlp_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        size = _halved(input_size)
        _check_sizes(size, len(block_channels), partition_size)
        self.stem = nn.Sequential(
            Conv2dNormActivation(
                3, stem_channels, 3, stride=2, norm_layer=norm, activation_layer=activation_layer, bias=False, inplace=None
            ),
            Conv2dNormActivation(stem_channels, stem_channels, 3, stride=1, norm_layer=None, activation_layer=None, bias=True),
        )
        self.partition_size = partition_size
        self.blocks = nn.ModuleList()
        rates = np.linspace(0, stochastic_depth_prob, sum(block_layers)).tolist()
        width, done = stem_channels, 0
        for out, count in zip(block_channels, block_layers, strict=True):
            block = MaxVitBlock(
                width,
                out,
                squeeze_ratio,
                expansion_ratio,
                norm,
                activation_layer,
                head_dim,
                mlp_ratio,
                mlp_dropout,
                attention_dropout,
                partition_size,
                size,
                count,
                rates[done : done + count],
            )
            self.blocks.append(block)
            size, width, done = block.grid_size, out, done + count
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(width), nn.Linear(width, width), nn.Tanh(),
            nn.Linear(width, num_classes, bias=False),
        )
        normal = partial(nn.init.normal_, std=0.02)
        start(self, normal, normal)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(x)


@builder
def maxvit_t(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MaxVit:
    """Build MaxViT-T, 30.9 million parameters, for images of 224 x 224 (`input_size`); further arguments go to `MaxVit`.

    >>> import taeda
    >>> from taeda.vision.models import maxvit_t
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     maxvit_t(num_classes=10)(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 10])
    """
    shape: dict[str, Any] = {"stem_channels": 64, "block_channels": [64, 128, 256, 512], "block_layers": [2, 2, 5, 2], "head_dim": 32}
    config = {"input_size": (224, 224), "stochastic_depth_prob": 0.2, "partition_size": 7, **shape, **kwargs}
    return built(MaxVit, weights=weights, config=config)

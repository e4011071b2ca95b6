"""The vision transformer: patches as words (Dosovitskiy et al., 2020)."""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import partial
from typing import Any, NamedTuple

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import MLP, Conv2dNormActivation, Layer

__all__ = ["VisionTransformer", "vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32"]

_norm = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """One convolution of a stem."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Layer = nn.BatchNorm2d
    activation_layer: Layer = nn.ReLU


class MLPBlock(MLP):
    """Two linear layers with GELU between them."""

    _version = 2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.normal_(m.bias, std=1e-6)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any) -> None:
        if (local_metadata.get("version") or 0) < 2:     # once the layers had names of their own
            for i in range(2):
                for name in ("weight", "bias"):
                    old = f"{prefix}linear_{i + 1}.{name}"
                    if old in state_dict:
                        state_dict[f"{prefix}{3 * i}.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class EncoderBlock(nn.Module):
    """Attention, then an MLP, each after a norm and beside a shortcut."""

    def __init__(
        self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float, attention_dropout: float, norm_layer: Layer = _norm
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Tensor) -> Tensor:
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Add an embedding of each position, then apply the blocks and a norm. Shape: B x length x hidden_dim, kept."""

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Layer = _norm,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(taeda.empty(1, seq_length, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for i in range(num_layers):
            layers[f"encoder_layer_{i}"] = EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer)
        self.layers = nn.Sequential(layers)
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Tensor) -> Tensor:
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """Patches and a class token through an encoder; the token's result through a linear layer.

    Args:
        image_size: height and width, a multiple of `patch_size`.
        representation_size: width of a layer before the last, if there is one.
        conv_stem_configs: convolutions that make the patches, instead of one.

    Shape: B x 3 x image_size x image_size gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models import VisionTransformer
    >>> model = VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=10)
    >>> model(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer: Layer = _norm,
        conv_stem_configs: list[ConvStemConfig] | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise AssertionError(f"[VisionTransformer] Input shape indivisible by patch size! Got {image_size} and {patch_size}")
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.mlp_dim = mlp_dim
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.num_classes = num_classes
        self.representation_size = representation_size
        self.norm_layer = norm_layer
        self.conv_proj = self._stem(conv_stem_configs)
        self.class_token = nn.Parameter(taeda.zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer)
        heads: OrderedDict[str, nn.Module] = OrderedDict()
        if representation_size is not None:
            heads["pre_logits"] = nn.Linear(hidden_dim, representation_size)
            heads["act"] = nn.Tanh()
        heads["head"] = nn.Linear(representation_size or hidden_dim, num_classes)
        self.heads = nn.Sequential(heads)
        self._start()

    def _stem(self, configs: list[ConvStemConfig] | None) -> Any:
        if configs is None:
            return nn.Conv2d(3, self.hidden_dim, kernel_size=self.patch_size, stride=self.patch_size)
        stem = nn.Sequential()
        width = 3
        for i, c in enumerate(configs):
            layer = Conv2dNormActivation(
                width, c.out_channels, c.kernel_size, c.stride, norm_layer=c.norm_layer, activation_layer=c.activation_layer
            )
            stem.add_module(f"conv_bn_relu_{i}", layer)
            width = c.out_channels
        stem.add_module("conv_last", nn.Conv2d(width, self.hidden_dim, kernel_size=1))
        return stem

    def _start(self) -> None:
        stem = self.conv_proj
        if isinstance(stem, nn.Conv2d):
            nn.init.trunc_normal_(stem.weight, std=math.sqrt(1 / stem.weight[0].numel()))
            nn.init.zeros_(stem.bias)  # type: ignore[arg-type]
        else:
            nn.init.normal_(stem.conv_last.weight, mean=0.0, std=math.sqrt(2.0 / stem.conv_last.out_channels))
            nn.init.zeros_(stem.conv_last.bias)
        heads: Any = self.heads
        if self.representation_size is not None:
            nn.init.trunc_normal_(heads.pre_logits.weight, std=math.sqrt(1 / heads.pre_logits.in_features))
            nn.init.zeros_(heads.pre_logits.bias)
        nn.init.zeros_(heads.head.weight)
        nn.init.zeros_(heads.head.bias)

    def _process_input(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        for name, size in (("height", h), ("width", w)):
            text = f"[VisionTransformer] Wrong image {name}! Expected {self.image_size} but got {size}!"
            taeda._assert(size == self.image_size, f"{text} Resize images, or build the model with their image_size")
        return self.conv_proj(x).reshape(n, self.hidden_dim, -1).permute(0, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self._process_input(x)
        x = taeda.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)
        return self.heads(self.encoder(x)[:, 0])


def _vit(patch: int, layers: int, heads: int, width: int, weights: Any, config: dict[str, Any]) -> VisionTransformer:
    size = config.pop("image_size", 224)
    return built(VisionTransformer, size, patch, layers, heads, width, 4 * width, weights=weights, config=config)


@builder
def vit_b_16(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """Build ViT-B/16: 86.6 million parameters, for images of 224 x 224 in patches of 16 x 16. Further arguments go to `VisionTransformer`.

    >>> import taeda
    >>> from taeda.vision.models import vit_b_16
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     vit_b_16(num_classes=10, image_size=384)(taeda.zeros(1, 3, 384, 384)).shape
    taeda.Size([1, 10])
    """
    return _vit(16, 12, 12, 768, weights, kwargs)


@builder
def vit_b_32(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """Build ViT-B/32: 88.2 million parameters, `vit_b_16` with patches of 32 x 32."""
    return _vit(32, 12, 12, 768, weights, kwargs)


@builder
def vit_l_16(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """Build ViT-L/16: 304.3 million parameters, 24 layers of width 1024 for the 12 of 768 of `vit_b_16`."""
    return _vit(16, 24, 16, 1024, weights, kwargs)


@builder
def vit_l_32(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """Build ViT-L/32: 306.5 million parameters, `vit_l_16` with patches of 32 x 32."""
    return _vit(32, 24, 16, 1024, weights, kwargs)


@builder
def vit_h_14(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """Build ViT-H/14: 632.0 million parameters, 32 layers of width 1280 over patches of 14 x 14; see `vit_b_16`."""
    return _vit(14, 32, 16, 1280, weights, kwargs)

"""ConvNeXt: a convolutional net built as transformers are (Liu et al., 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import built, start
from taeda.vision.models.registry import builder
from taeda.vision.ops.drop import StochasticDepth
from taeda.vision.ops.misc import Conv2dNormActivation, Layer, Permute

__all__ = ["ConvNeXt", "convnext_base", "convnext_large", "convnext_small", "convnext_tiny"]


class LayerNorm2d(nn.LayerNorm):
    """LayerNorm over the channels of B x C x H x W."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """A 7x7 filter of each channel, then two linear layers over channels; scaled, beside a shortcut."""

    def __init__(self, dim: int, layer_scale: float, stochastic_depth_prob: float, norm_layer: Layer | None = None) -> None:
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim, bias=True),
            Permute([0, 2, 3, 1]),
            norm_layer(dim),
            nn.Linear(dim, 4 * dim, bias=True),
            nn.GELU(),
            nn.Linear(4 * dim, dim, bias=True),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(taeda.ones(dim, 1, 1) * layer_scale)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        result = self.stochastic_depth(self.layer_scale * self.block(input))
        result += input
        return result


class CNBlockConfig:
    """A stage: channels, channels of the next stage or None, blocks."""

    def __init__(self, input_channels: int, out_channels: int | None, num_layers: int) -> None:
        self.input_channels = input_channels
        self.out_channels = out_channels
        self.num_layers = num_layers

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(input_channels={self.input_channels}, out_channels={self.out_channels}, "
            f"num_layers={self.num_layers})"
        )


class ConvNeXt(nn.Module):
    """Patches of 4x4, stages of blocks with halving between them, a mean, a norm and a linear layer.

    Args:
        block_setting: the stages.
        stochastic_depth_prob: of the last block; it grows from 0 with depth.
        layer_scale: what blocks are scaled with at first.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.convnext import CNBlockConfig, ConvNeXt
    >>> model = ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 2)], num_classes=10)
    >>> model.features(taeda.zeros(1, 3, 32, 32)).shape       # a patch is 4 x 4 pixels, a stage halves the map
    taeda.Size([1, 16, 4, 4])
    """

    def __init__(
        self,
        block_setting: list[CNBlockConfig],
        stochastic_depth_prob: float = 0.0,
        layer_scale: float = 1e-6,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if not block_setting:
            raise ValueError("[ConvNeXt] The block_setting should not be empty")
        if not (isinstance(block_setting, Sequence) and all(isinstance(s, CNBlockConfig) for s in block_setting)):
            raise TypeError("[ConvNeXt] The block_setting should be List[CNBlockConfig]")
        block, norm_layer = block or CNBlock, norm_layer or partial(LayerNorm2d, eps=1e-6)
        width = block_setting[0].input_channels
        patches: dict[str, Any] = {"kernel_size": 4, "stride": 4, "padding": 0, "activation_layer": None, "bias": True}
        layers: list[nn.Module] = [Conv2dNormActivation(3, width, norm_layer=norm_layer, **patches)]
        total, done = sum(cnf.num_layers for cnf in block_setting), 0
        for cnf in block_setting:
            width = cnf.input_channels
            stage = []
            for _ in range(cnf.num_layers):
                stage.append(block(width, layer_scale, stochastic_depth_prob * done / (total - 1.0)))
                done += 1
            layers.append(nn.Sequential(*stage))
            if cnf.out_channels is not None:
                layers.append(nn.Sequential(norm_layer(width), nn.Conv2d(width, cnf.out_channels, kernel_size=2, stride=2)))
                width = cnf.out_channels
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(norm_layer(width), nn.Flatten(1), nn.Linear(width, num_classes))
        normal = partial(nn.init.trunc_normal_, std=0.02)
        start(self, normal, normal)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))


def _convnext(widths: tuple[int, ...], depths: tuple[int, ...], drop: float, weights: Any, config: dict[str, Any]) -> ConvNeXt:
    setting = [CNBlockConfig(a, b, n) for a, b, n in zip(widths, (*widths[1:], None), depths, strict=True)]
    return built(ConvNeXt, setting, config.pop("stochastic_depth_prob", drop), weights=weights, config=config)


@builder
def convnext_tiny(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """Build ConvNeXt-T: 28.6 million parameters, for images of 224 x 224. Further arguments go to `ConvNeXt`.

    >>> import taeda
    >>> from taeda.vision.models import convnext_tiny
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = convnext_tiny()
    ...     model.features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 768, 7, 7])
    """
    return _convnext((96, 192, 384, 768), (3, 3, 9, 3), 0.1, weights, kwargs)


@builder
def convnext_small(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """Build ConvNeXt-S: 50.2 million parameters, 27 blocks in the third stage for 9 of `convnext_tiny`."""
    return _convnext((96, 192, 384, 768), (3, 3, 27, 3), 0.4, weights, kwargs)


@builder
def convnext_base(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """Build ConvNeXt-B: 88.6 million parameters, a third wider than `convnext_small`."""
    return _convnext((128, 256, 512, 1024), (3, 3, 27, 3), 0.5, weights, kwargs)


@builder
def convnext_large(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ConvNeXt:
    """Build ConvNeXt-L: 197.8 million parameters, twice as wide as `convnext_small`."""
    return _convnext((192, 384, 768, 1536), (3, 3, 27, 3), 0.5, weights, kwargs)

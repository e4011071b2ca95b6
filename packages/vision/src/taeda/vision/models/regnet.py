"""RegNets: four numbers give the widths of all blocks (Radosavovic et al., Designing Network Design Spaces, 2020)."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import built, make_divisible
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import Conv2dNormActivation, Layer, SqueezeExcitation

__all__ = [
    "RegNet",
    "regnet_x_1_6gf",
    "regnet_x_3_2gf",
    "regnet_x_8gf",
    "regnet_x_16gf",
    "regnet_x_32gf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_y_1_6gf",
    "regnet_y_3_2gf",
    "regnet_y_8gf",
    "regnet_y_16gf",
    "regnet_y_32gf",
    "regnet_y_128gf",
    "regnet_y_400mf",
    "regnet_y_800mf",
]

Block = Callable[..., nn.Module]


class SimpleStemIN(Conv2dNormActivation):
    """A strided 3x3 convolution."""

    def __init__(self, width_in: int, width_out: int, norm_layer: Layer, activation_layer: Layer) -> None:
        super().__init__(width_in, width_out, kernel_size=3, stride=2, norm_layer=norm_layer, activation_layer=activation_layer)


class BottleneckTransform(nn.Sequential):
    """1x1, a grouped 3x3, squeeze and excitation where wanted, 1x1."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None,
    ) -> None:
        inner = round(width_out * bottleneck_multiplier)
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=activation_layer)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["a"] = conv(width_in, inner, kernel_size=1, stride=1)
        layers["b"] = conv(inner, inner, kernel_size=3, stride=stride, groups=inner // group_width)
        if se_ratio:
            layers["se"] = SqueezeExcitation(inner, round(se_ratio * width_in), activation=activation_layer)
        layers["c"] = Conv2dNormActivation(inner, width_out, kernel_size=1, stride=1, norm_layer=norm_layer, activation_layer=None)
        super().__init__(layers)


class ResBottleneckBlock(nn.Module):
    """A `BottleneckTransform` and a shortcut, projected where shapes differ."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int = 1,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
    ) -> None:
        super().__init__()
        self.proj = None
        if width_in != width_out or stride != 1:
            self.proj = Conv2dNormActivation(
                width_in, width_out, kernel_size=1, stride=stride, norm_layer=norm_layer, activation_layer=None
            )
        self.f = BottleneckTransform(
            width_in, width_out, stride, norm_layer, activation_layer, group_width, bottleneck_multiplier, se_ratio
        )
        self.activation = activation_layer(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation((x if self.proj is None else self.proj(x)) + self.f(x))


class AnyStage(nn.Sequential):
    """Blocks of one width; the first is strided."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        depth: int,
        block_constructor: Block,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None = None,
        stage_index: int = 0,
    ) -> None:
        super().__init__()
        for i in range(depth):
            ends = (width_out, width_out, 1) if i else (width_in, width_out, stride)
            block = block_constructor(*ends, norm_layer, activation_layer, group_width, bottleneck_multiplier, se_ratio)
            self.add_module(f"block{stage_index}-{i}", block)


class BlockParams:
    """Depth, width, width of groups, bottleneck and stride of each stage."""

    def __init__(
        self,
        depths: list[int],
        widths: list[int],
        group_widths: list[int],
        bottleneck_multipliers: list[float],
        strides: list[int],
        se_ratio: float | None = None,
    ) -> None:
        self.depths = depths
        self.widths = widths
        self.group_widths = group_widths
        self.bottleneck_multipliers = bottleneck_multipliers
        self.strides = strides
        self.se_ratio = se_ratio

    @classmethod
    def from_init_params(
        cls,
        depth: int,
        w_0: int,
        w_a: float,
        w_m: float,
        group_width: int,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
        **kwargs: Any,
    ) -> BlockParams:
        """Return the stages that four numbers describe.

        Block j is ``w_0 w_m^k`` wide, k the whole number nearest to ``log(1 + j w_a / w_0) / log(w_m)``, rounded to a multiple of 8; blocks
        of one width are a stage.

        Raises:
            ValueError: the numbers are out of their ranges.

        >>> BlockParams.from_init_params(depth=4, w_0=24, w_a=20.0, w_m=2.0, group_width=8).widths
        [24, 48, 96]
        """
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % 8 != 0:
            raise ValueError(f"[RegNet] Invalid RegNet settings: w_0 {w_0}, w_a {w_a}, w_m {w_m}")
        power = taeda.round(taeda.log((taeda.arange(depth, device="cpu") * w_a + w_0) / w_0) / math.log(w_m))
        each = (taeda.round(w_0 * w_m**power / 8) * 8).int().tolist()
        stages = [(width, len(list(blocks))) for width, blocks in groupby(each)]
        inner = [int(width * bottleneck_multiplier) for width, _ in stages]
        groups = [min(group_width, width) for width in inner]
        widths = [int(make_divisible(w, g) / bottleneck_multiplier) for w, g in zip(inner, groups, strict=True)]
        n = len(stages)
        return cls([depth for _, depth in stages], widths, groups, [bottleneck_multiplier] * n, [2] * n, se_ratio)

    def _get_expanded_params(self) -> Iterator[tuple[int, int, int, int, float]]:
        return zip(self.widths, self.strides, self.depths, self.group_widths, self.bottleneck_multipliers, strict=True)


class RegNet(nn.Module):
    """A stem, stages of blocks, a mean and a linear layer.

    Args:
        block_params: of the stages.
        stem_width: channels of the stem.
        stem_type, block_type, norm_layer, activation: classes, instead of the usual ones.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.regnet import BlockParams, RegNet
    >>> stages = BlockParams.from_init_params(depth=4, w_0=24, w_a=20.0, w_m=2.0, group_width=8)
    >>> RegNet(stages, num_classes=10)(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        block_params: BlockParams,
        num_classes: int = 1000,
        stem_width: int = 32,
        stem_type: Block | None = None,
        block_type: Block | None = None,
        norm_layer: Layer | None = None,
        activation: Layer | None = None,
    ) -> None:
        super().__init__()
        norm, act = norm_layer or nn.BatchNorm2d, activation or nn.ReLU
        self.stem = (stem_type or SimpleStemIN)(3, stem_width, norm, act)
        width, stages = stem_width, OrderedDict()
        for i, (out, stride, depth, group, bottleneck) in enumerate(block_params._get_expanded_params(), start=1):
            stages[f"block{i}"] = AnyStage(
                width, out, stride, depth, block_type or ResBottleneckBlock, norm, act, group, bottleneck, block_params.se_ratio, i
            )
            width = out
        self.trunk_output = nn.Sequential(stages)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(width, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                fan_out = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                nn.init.normal_(m.weight, mean=0.0, std=math.sqrt(2.0 / fan_out))
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, mean=0.0, std=0.01)
                nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.avgpool(self.trunk_output(self.stem(x))).flatten(start_dim=1))


# depth, w_0, w_a, w_m, width of groups, millions of parameters; those of y have squeeze and excitation
_SIZES: dict[str, tuple[int, int, float, float, int, float]] = {
    "y_400mf": (16, 48, 27.89, 2.09, 8, 4.3),
    "y_800mf": (14, 56, 38.84, 2.4, 16, 6.4),
    "y_1_6gf": (27, 48, 20.71, 2.65, 24, 11.2),
    "y_3_2gf": (21, 80, 42.63, 2.66, 24, 19.4),
    "y_8gf": (17, 192, 76.82, 2.19, 56, 39.4),
    "y_16gf": (18, 200, 106.23, 2.48, 112, 83.6),
    "y_32gf": (20, 232, 115.89, 2.53, 232, 145.0),
    "y_128gf": (27, 456, 160.83, 2.52, 264, 644.8),
    "x_400mf": (22, 24, 24.48, 2.54, 16, 5.5),
    "x_800mf": (16, 56, 35.73, 2.28, 16, 7.3),
    "x_1_6gf": (18, 80, 34.01, 2.25, 24, 9.2),
    "x_3_2gf": (25, 88, 26.31, 2.25, 48, 15.3),
    "x_8gf": (23, 80, 49.56, 2.88, 120, 39.6),
    "x_16gf": (22, 216, 55.59, 2.1, 128, 54.3),
    "x_32gf": (23, 320, 69.86, 2.0, 168, 107.8),
}


def _builder(size: str) -> Callable[..., RegNet]:
    depth, w_0, w_a, w_m, group, millions = _SIZES[size]

    def build(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> RegNet:
        ratio = 0.25 if size[0] == "y" else None
        params = BlockParams.from_init_params(depth, w_0, w_a, w_m, group, se_ratio=ratio, **kwargs)
        config = {"norm_layer": partial(nn.BatchNorm2d, eps=1e-05, momentum=0.1), **kwargs}
        return built(RegNet, params, weights=weights, config=config, name=f"regnet_{size}")

    build.__name__ = build.__qualname__ = f"regnet_{size}"
    build.__doc__ = (
        f"Build RegNet{size[0].upper()}-{size[2:].replace('_', '.').upper()}, {millions} million parameters; "
        "further arguments go to `RegNet`."
    )
    return builder(build)


regnet_y_400mf = _builder("y_400mf")
regnet_y_800mf = _builder("y_800mf")
regnet_y_1_6gf = _builder("y_1_6gf")
regnet_y_3_2gf = _builder("y_3_2gf")
regnet_y_8gf = _builder("y_8gf")
regnet_y_16gf = _builder("y_16gf")
regnet_y_32gf = _builder("y_32gf")
regnet_y_128gf = _builder("y_128gf")
regnet_x_400mf = _builder("x_400mf")
regnet_x_800mf = _builder("x_800mf")
regnet_x_1_6gf = _builder("x_1_6gf")
regnet_x_3_2gf = _builder("x_3_2gf")
regnet_x_8gf = _builder("x_8gf")
regnet_x_16gf = _builder("x_16gf")
regnet_x_32gf = _builder("x_32gf")

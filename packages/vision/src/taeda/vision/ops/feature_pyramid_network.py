"""Feature pyramids: maps of several sizes, each told what the coarser ones saw (Lin et al., 2016)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.ops.misc import Conv2dNormActivation, Layer

__all__ = ["ExtraFPNBlock", "FeaturePyramidNetwork", "LastLevelMaxPool", "LastLevelP6P7"]

Maps = list[Tensor]


class ExtraFPNBlock(nn.Module):
    """Base of what adds levels to a pyramid: given its results, its inputs and their names, returns results and names."""

    def forward(self, results: Maps, x: Maps, names: list[str]) -> tuple[Maps, list[str]]:
        raise NotImplementedError("[ExtraFPNBlock] forward is for subclasses to write")


class FeaturePyramidNetwork(nn.Module):
    """Give every map the same channels and add to it the coarser ones, enlarged.

    Args:
        in_channels_list: channels of the maps, in the order in which they come (finest first).
        out_channels: channels of the results.
        extra_blocks: adds further levels.
        norm_layer: normalisation after the convolutions; None for none.

    Shape: a dict of maps B x C_i x H_i x W_i gives one of the same names, B x out_channels x H_i x W_i.

    Raises:
        ValueError: a level has no channels.
        TypeError: `extra_blocks` is not an ExtraFPNBlock.

    >>> import taeda
    >>> from taeda.vision.ops import FeaturePyramidNetwork
    >>> pyramid = FeaturePyramidNetwork([8, 16], out_channels=4)
    >>> maps = pyramid({"low": taeda.rand(1, 8, 16, 16), "high": taeda.rand(1, 16, 8, 8)})
    >>> [(name, tuple(x.shape)) for name, x in maps.items()]
    [('low', (1, 4, 16, 16)), ('high', (1, 4, 8, 8))]
    """

    _version = 2

    def __init__(
        self,
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        self.inner_blocks = nn.ModuleList()
        self.layer_blocks = nn.ModuleList()
        for channels in in_channels_list:
            if channels == 0:
                raise ValueError("[FeaturePyramidNetwork] in_channels=0 is currently not supported")
            block: Any = {"norm_layer": norm_layer, "activation_layer": None}
            self.inner_blocks.append(Conv2dNormActivation(channels, out_channels, kernel_size=1, padding=0, **block))
            self.layer_blocks.append(Conv2dNormActivation(out_channels, out_channels, kernel_size=3, **block))
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_uniform_(m.weight, a=1)
                if m.bias is not None:
                    nn.init.constant_(m.bias, 0)
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise TypeError(
                f"[FeaturePyramidNetwork] extra_blocks should be of type ExtraFPNBlock not {type(extra_blocks)}"
            )
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any) -> None:
        if (local_metadata.get("version") or 0) < 2:     # once the blocks were bare convolutions
            for block in ("inner_blocks", "layer_blocks"):
                for i in range(len(self.inner_blocks)):
                    for name in ("weight", "bias"):
                        old = f"{prefix}{block}.{i}.{name}"
                        if old in state_dict:
                            state_dict[f"{prefix}{block}.{i}.0.{name}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def forward(self, x: dict[str, Tensor]) -> dict[str, Tensor]:
        names, maps = list(x), list(x.values())
        inner = self.inner_blocks[-1](maps[-1])
        results = [self.layer_blocks[-1](inner)]
        for i in range(len(maps) - 2, -1, -1):
            lateral = self.inner_blocks[i](maps[i])
            inner = lateral + F.interpolate(inner, size=lateral.shape[-2:], mode="nearest")
            results.insert(0, self.layer_blocks[i](inner))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return OrderedDict(zip(names, results, strict=True))


class LastLevelMaxPool(ExtraFPNBlock):
    """Add a level: every second pixel of the coarsest.

    >>> import taeda
    >>> from taeda.vision.ops.feature_pyramid_network import LastLevelMaxPool
    >>> maps, names = LastLevelMaxPool()([taeda.rand(1, 8, 6, 6)], [], ["0"])
    >>> [tuple(m.shape) for m in maps], names
    ([(1, 8, 6, 6), (1, 8, 3, 3)], ['0', 'pool'])
    """

    def forward(self, results: Maps, x: Maps, names: list[str]) -> tuple[Maps, list[str]]:
        return [*results, F.max_pool2d(results[-1], kernel_size=1, stride=2, padding=0)], [*names, "pool"]


class LastLevelP6P7(ExtraFPNBlock):
    """Add two levels by strided convolutions, as RetinaNet does.

    Args:
        in_channels: of the coarsest map of the backbone, which p6 is made of unless it is as wide as the pyramid.
        out_channels: of the pyramid's maps.

    >>> import taeda
    >>> from taeda.vision.ops.feature_pyramid_network import LastLevelP6P7
    >>> maps, names = LastLevelP6P7(8, 8)([taeda.rand(1, 8, 6, 6)], [taeda.rand(1, 8, 6, 6)], ["0"])
    >>> [tuple(m.shape) for m in maps], names
    ([(1, 8, 6, 6), (1, 8, 3, 3), (1, 8, 2, 2)], ['0', 'p6', 'p7'])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        for module in (self.p6, self.p7):
            nn.init.kaiming_uniform_(module.weight, a=1)
            nn.init.constant_(module.bias, 0)  # type: ignore[arg-type]
        self.use_P5 = in_channels == out_channels

    def forward(self, results: Maps, x: Maps, names: list[str]) -> tuple[Maps, list[str]]:
        p6 = self.p6(results[-1] if self.use_P5 else x[-1])
        return [*results, p6, self.p7(F.relu(p6))], [*names, "p6", "p7"]

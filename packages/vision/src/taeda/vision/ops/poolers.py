"""Pooling of regions from a pyramid: each from the level that suits its size (Lin et al., 2016)."""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.ops.boxes import box_area
from taeda.vision.ops.regions import checked_boxes, roi_align

__all__ = ["LevelMapper", "MultiScaleRoIAlign"]


class LevelMapper:
    """Say which level of a pyramid a box belongs to: ``lvl0 + log2(sqrt(area) / s0)``, rounded down, counted from `k_min`."""

    def __init__(self, k_min: int, k_max: int, canonical_scale: int = 224, canonical_level: int = 4, eps: float = 1e-6) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.s0 = canonical_scale
        self.lvl0 = canonical_level
        self.eps = eps

    def __call__(self, boxlists: list[Tensor]) -> Tensor:
        s = taeda.sqrt(taeda.cat([box_area(boxes) for boxes in boxlists]))
        level = taeda.floor(self.lvl0 + taeda.log2(s / self.s0) + taeda.tensor(self.eps, dtype=s.dtype))
        return level.clamp(self.k_min, self.k_max).to(taeda.int64) - self.k_min


class MultiScaleRoIAlign(nn.Module):
    """Pool boxes from one or several levels of a pyramid by `roi_align`.

    Args:
        featmap_names: the levels to use, by their names in the dict of maps.
        output_size: bins down and across.
        sampling_ratio: samples of a bin on each axis.
        canonical_scale, canonical_level: a box with sides of that scale is taken from that level.

    Called with a dict of maps B x C x H_i x W_i, a list of boxes n x 4 for each image and the images' sizes; gives K x C x P x Q.
    The scales of the levels are read off at the first call.

    >>> import taeda
    >>> from taeda.vision.ops import MultiScaleRoIAlign
    >>> pool = MultiScaleRoIAlign(["low", "high"], output_size=3, sampling_ratio=2)
    >>> maps = {"low": taeda.rand(1, 5, 64, 64), "high": taeda.rand(1, 5, 16, 16)}
    >>> pool(maps, [taeda.tensor([[0.0, 0.0, 200.0, 100.0]])], [(512, 512)]).shape
    taeda.Size([1, 5, 3, 3])
    """

    fx_leaf = True

    def __init__(
        self,
        featmap_names: list[str],
        output_size: int | tuple[int, int] | list[int],
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:
        super().__init__()
        self.featmap_names = featmap_names
        self.sampling_ratio = sampling_ratio
        self.output_size: Any = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
        self.scales: list[float] | None = None
        self.map_levels: LevelMapper | None = None
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def _measure(self, maps: list[Tensor], image_shapes: list[tuple[int, int]]) -> None:
        if not image_shapes:
            raise ValueError("[MultiScaleRoIAlign] images list should not be empty")
        height = max(shape[0] for shape in image_shapes)
        self.scales = [2.0 ** round(math.log2(float(x.shape[-2]) / height)) for x in maps]
        low, high = (int(-math.log2(s)) for s in (self.scales[0], self.scales[-1]))
        self.map_levels = LevelMapper(low, high, self.canonical_scale, self.canonical_level)

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        maps = [v for k, v in x.items() if k in self.featmap_names]
        if self.scales is None or self.map_levels is None:
            self._measure(maps, image_shapes)
        assert self.scales is not None and self.map_levels is not None
        rois = checked_boxes(boxes, "MultiScaleRoIAlign")
        if len(maps) == 1:
            return roi_align(maps[0], rois, self.output_size, self.scales[0], self.sampling_ratio)
        levels = self.map_levels(boxes)
        out = maps[0].new_zeros((len(rois), maps[0].shape[1], *self.output_size))
        for level, (features, scale) in enumerate(zip(maps, self.scales, strict=False)):
            here = taeda.where(levels == level)[0]
            pooled = roi_align(features, rois[here], self.output_size, scale, self.sampling_ratio)
            out[here] = pooled.to(out.dtype)
        return out

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(featmap_names={self.featmap_names}, output_size={self.output_size}, "
            f"sampling_ratio={self.sampling_ratio})"
        )

"""Anchors: boxes of several sizes and shapes at every place of a feature map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models.detection.image_list import ImageList

__all__ = ["AnchorGenerator", "DefaultBoxGenerator"]


def _grid(xs: Tensor, ys: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y of all places of a map, line by line."""
    y, x = taeda.meshgrid(ys, xs, indexing="ij")
    return x.reshape(-1), y.reshape(-1)


class AnchorGenerator(nn.Module):
    """Anchors of given sizes and aspect ratios, at every pixel of each level.

    Args:
        sizes: for each level the sizes (roots of the area) in pixels of the image.
        aspect_ratios: for each level the ratios height / width.

    Called with an `ImageList` and the levels' maps; gives for each image its anchors n x 4, as (x1, y1, x2, y2).

    >>> from taeda.vision.models.detection.anchor_utils import AnchorGenerator
    >>> AnchorGenerator(((4,),), ((1.0,),)).cell_anchors
    [tensor([[-2., -2.,  2.,  2.]])]
    """

    def __init__(self, sizes: Any = ((128, 256, 512),), aspect_ratios: Any = ((0.5, 1.0, 2.0),)) -> None:
        super().__init__()
        if not isinstance(sizes[0], (list, tuple)):
            sizes = tuple((s,) for s in sizes)
        if not isinstance(aspect_ratios[0], (list, tuple)):
            aspect_ratios = (aspect_ratios,) * len(sizes)
        self.sizes = sizes
        self.aspect_ratios = aspect_ratios
        self.cell_anchors = [self.generate_anchors(s, a) for s, a in zip(sizes, aspect_ratios, strict=False)]

    def generate_anchors(
        self, scales: Sequence[float], aspect_ratios: Sequence[float], dtype: Any = taeda.float32, device: Any = "cpu"
    ) -> Tensor:
        """Return the anchors around the origin, rounded to whole pixels: len(aspect_ratios) len(scales) x 4."""
        sizes = taeda.as_tensor(scales, dtype=dtype, device=device)
        root = taeda.sqrt(taeda.as_tensor(aspect_ratios, dtype=dtype, device=device))
        w, h = ((1 / root)[:, None] * sizes).reshape(-1), (root[:, None] * sizes).reshape(-1)
        return (taeda.stack([-w, -h, w, h], dim=1) / 2).round()

    def set_cell_anchors(self, dtype: Any, device: Any) -> None:
        """Convert the anchors around the origin."""
        self.cell_anchors = [anchors.to(dtype=dtype, device=device) for anchors in self.cell_anchors]

    def num_anchors_per_location(self) -> list[int]:
        """Return for each level how many anchors a place has."""
        return [len(s) * len(a) for s, a in zip(self.sizes, self.aspect_ratios, strict=False)]

    def grid_anchors(self, grid_sizes: Sequence[Sequence[int]], strides: Sequence[Sequence[Any]]) -> list[Tensor]:
        """Return for each level its anchors n x 4, place by place, given its (height, width) and its pixels' (height, width).

        Raises:
            AssertionError: the numbers of levels differ.
        """
        if not len(grid_sizes) == len(strides) == len(self.cell_anchors):
            raise AssertionError(
                "[AnchorGenerator] There needs to be a match between the number of feature maps passed and the number of sizes / aspect "
                f"ratios specified, got {len(grid_sizes)} maps, {len(strides)} strides and {len(self.cell_anchors)} sizes"
            )
        anchors = []
        for (height, width), (down, across), cell in zip(grid_sizes, strides, self.cell_anchors, strict=True):
            xs = taeda.arange(0, width, dtype=taeda.int32, device=cell.device) * across
            ys = taeda.arange(0, height, dtype=taeda.int32, device=cell.device) * down
            x, y = _grid(xs, ys)
            shifts = taeda.stack((x, y, x, y), dim=1)
            anchors.append((shifts[:, None] + cell).reshape(-1, 4))
        return anchors

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        sizes = [(x.shape[-2], x.shape[-1]) for x in feature_maps]
        height, width = image_list.tensors.shape[-2:]
        self.set_cell_anchors(feature_maps[0].dtype, feature_maps[0].device)
        anchors = taeda.cat(self.grid_anchors(sizes, [(height // h, width // w) for h, w in sizes]))
        return [anchors.clone() for _ in image_list.image_sizes]


class DefaultBoxGenerator(nn.Module):
    """The default boxes of SSD: at every place of each level two squares, and for each ratio a wide and a tall box.

    Args:
        aspect_ratios: for each level the ratios of its boxes.
        min_ratio, max_ratio: sizes at the first and the last level, as shares of the image, where `scales` is None.
        scales: sizes of the levels as shares of the image, one more than levels.
        steps: pixels of the image between the places of each level; by default what the maps' sizes give.
        clip: cut sizes off at the whole image.

    Raises:
        ValueError: `steps` has another length than `aspect_ratios`.
    """

    def __init__(
        self,
        aspect_ratios: list[list[int]],
        min_ratio: float = 0.15,
        max_ratio: float = 0.9,
        scales: list[float] | None = None,
        steps: list[int] | None = None,
        clip: bool = True,
    ) -> None:
        super().__init__()
        if steps is not None and len(aspect_ratios) != len(steps):
            raise ValueError(
                f"[DefaultBoxGenerator] aspect_ratios and steps should have the same length, got {len(aspect_ratios)} and {len(steps)}"
            )
        self.aspect_ratios = aspect_ratios
        self.steps = steps
        self.clip = clip
        levels = len(aspect_ratios)
        if scales is not None:
            self.scales = scales
        elif levels > 1:
            self.scales = [min_ratio + (max_ratio - min_ratio) * k / (levels - 1.0) for k in range(levels)] + [1.0]
        else:
            self.scales = [min_ratio, max_ratio]
        self._wh_pairs = [self._sizes(k) for k in range(levels)]

    def _sizes(self, level: int) -> Tensor:
        s, between = self.scales[level], math.sqrt(self.scales[level] * self.scales[level + 1])
        pairs = [[s, s], [between, between]]
        for ratio in self.aspect_ratios[level]:
            w, h = s * math.sqrt(ratio), s / math.sqrt(ratio)
            pairs += [[w, h], [h, w]]
        return taeda.tensor(pairs, dtype=taeda.float32)

    def num_anchors_per_location(self) -> list[int]:
        """Return for each level how many boxes a place has."""
        return [2 + 2 * len(ratios) for ratios in self.aspect_ratios]

    def _boxes(self, sizes: list[Any], image_size: Any, dtype: Any) -> Tensor:
        """Return all boxes as shares of the image, (centre, size): n x 4."""
        out = []
        for k, (height, width) in enumerate(sizes):
            down, across = (height, width) if self.steps is None else (image_size[0] / self.steps[k], image_size[1] / self.steps[k])
            xs, ys = ((taeda.arange(0, n) + 0.5) / by for n, by in ((width, across), (height, down)))
            pairs = self._wh_pairs[k].clamp(min=0, max=1) if self.clip else self._wh_pairs[k]
            places = taeda.stack(_grid(xs.to(dtype), ys.to(dtype)), dim=-1)
            out.append(taeda.cat((places.repeat_interleave(len(pairs), 0), pairs.repeat(height * width, 1)), dim=1))
        return taeda.cat(out)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(aspect_ratios={self.aspect_ratios}, clip={self.clip}, scales={self.scales}, steps={self.steps})"

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        height, width = image_size = image_list.tensors.shape[-2:]
        boxes = self._boxes([x.shape[-2:] for x in feature_maps], image_size, feature_maps[0].dtype).to(feature_maps[0].device)
        extent = taeda.tensor([width, height], device=boxes.device)
        centers, halves = boxes[:, :2], 0.5 * boxes[:, 2:]
        corners = taeda.cat([(centers - halves) * extent, (centers + halves) * extent], -1)
        return [corners.clone() for _ in image_list.image_sizes]

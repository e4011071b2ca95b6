"""Pooling of regions: what lies in a box of a feature map becomes a map of fixed size.

A sample of a map at a point is the weighted sum of four pixels, and a bin of a region the mean of samples: so all bins are one sum of
rows with weights, that `embedding_bag` has a kernel for. Its table is the map with the channels innermost.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.ops._node import one_node

__all__ = [
    "PSRoIAlign",
    "PSRoIPool",
    "RoIAlign",
    "RoIPool",
    "ps_roi_align",
    "ps_roi_pool",
    "roi_align",
    "roi_pool",
]

Boxes = Tensor | list[Tensor] | tuple[Tensor, ...]
Size = int | tuple[int, int] | list[int]
_SPARE = 3      # times as many samples as are needed, if that saves going through the sizes of grids one by one


def checked_boxes(boxes: Boxes, op: str) -> Tensor:
    """Return regions as K x 5: the number of the image, x1, y1, x2, y2."""
    if isinstance(boxes, (list, tuple)):
        for b in boxes:
            if b.shape[1] != 4:
                raise AssertionError(
                    f"[{op}] The shape of the tensor in the boxes list is not correct as List[Tensor[L, 4]]: {tuple(b.shape)}"
                )
        numbers = taeda.cat([taeda.full_like(b[:, :1], i) for i, b in enumerate(boxes)])
        return taeda.cat([numbers, taeda.cat(list(boxes))], dim=1)
    if not isinstance(boxes, Tensor):
        raise AssertionError(f"[{op}] boxes is expected to be a Tensor[L, 5] or a List[Tensor[K, 4]], got {type(boxes).__name__}")
    if boxes.shape[1] != 5:
        raise AssertionError(f"[{op}] The boxes tensor shape is not correct as Tensor[K, 5]: {tuple(boxes.shape)}")
    return boxes


def _two(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _dtypes(input: Tensor, rois: Tensor, op: str) -> None:
    if input.dtype != rois.dtype:
        raise RuntimeError(f"[{op}] Expected tensor for input to have the same type as for rois, got {input.dtype} and {rois.dtype}")
    if input.device != rois.device and not input.is_meta:
        raise RuntimeError(
            f"[{op}] Expected input and rois to be on the same device, got {input.device} and {rois.device}; move one with .to()"
        )


def _shape_alone(input: Tensor, rois: Tensor, channels: int, bins: tuple[int, int]) -> Tensor | None:
    """Return the result where its shape is all there is to it: no region, or a map without values."""
    if rois.shape[0] and not input.is_meta:
        return None
    return input.new_zeros((rois.shape[0], channels, *bins)) + 0 * input.sum()


def _taps(start: Tensor, length: Tensor, bins: int, grid: Tensor | int, most: int, size: int) -> tuple[Tensor, Tensor]:
    """Return the pixels that the samples of one axis touch, and their weights: K x bins x 2 most each.

    A sample more than a pixel outside counts nothing; within that pixel it is moved to the border. Nor do samples count beyond `grid`,
    where that is the number of each region (K) and `most` the largest.
    """
    width = length / bins
    at = taeda.arange(bins, dtype=start.dtype)[:, None]
    step = taeda.arange(most, dtype=start.dtype)[None] + 0.5
    x = start[:, None, None] + at * width[:, None, None] + step * (width / grid)[:, None, None]
    inside = (x >= -1.0) & (x <= size)
    if isinstance(grid, Tensor):
        there = step < grid[:, None, None]
        inside &= there
        x = x.where(there, 0.0)
    counts = inside.to(x.dtype)
    x = x.clamp(min=0)
    low = x.to(taeda.int64).clamp(max=size - 1)
    high = (low + 1).clamp(max=size - 1)
    above = taeda.where(low >= size - 1, taeda.zeros_like(x), x - low)
    return taeda.cat([low, high], -1), taeda.cat([(1 - above) * counts, above * counts], -1)


def _bags(table: Tensor, y: tuple[Tensor, Tensor], x: tuple[Tensor, Tensor], first: Tensor, width: int, count: Tensor | int) -> Tensor:
    """Return the bins K x P x Q x C: means of the rows of `table` that the taps of both axes name.

    Args:
        table: rows of C channels, one per pixel.
        y, x: pixels and weights of the axes, K x P x a and K x Q x b.
        first: the row where a bin's map begins, broadcastable to K x P x Q.
        width: pixels in a line.
        count: samples in a bin, broadcastable to K x Q x b.
    """
    (rows, row_weights), (columns, column_weights) = y, x
    k, p, a = rows.shape
    q, b = columns.shape[1:]
    index = first[..., None, None] + rows[:, :, None, :, None] * width + columns[:, None, :, None, :]
    weight = row_weights[:, :, None, :, None] * (column_weights / count)[:, None, :, None, :]
    bags = F.embedding_bag(
        index.reshape(-1, a * b), table, per_sample_weights=weight.reshape(-1, a * b).to(table.dtype), mode="sum"
    )
    return bags.reshape(k, p, q, -1)


def _sampled(
    table: Tensor, rois: Tensor, bins: tuple[int, int], size: tuple[int, int], ratio: int, first: Tensor, shortest: float | None
) -> Tensor:
    """Return means of samples K x P x Q x C of regions whose coordinates are pixels; see `_bags`."""
    x1, y1, x2, y2 = rois.unbind(1)
    w, h = x2 - x1, y2 - y1
    if shortest is not None:
        w, h = w.clamp(min=shortest), h.clamp(min=shortest)

    def some(which: Any, gh: Tensor | int, gw: Tensor | int, high: int, wide: int, count: Tensor | int) -> Tensor:
        y = _taps(y1[which], h[which], bins[0], gh, high, size[0])
        x = _taps(x1[which], w[which], bins[1], gw, wide, size[1])
        return _bags(table, y, x, first[which], size[1], count)

    everything = slice(None)
    if ratio > 0:
        return some(everything, ratio, ratio, ratio, ratio, ratio * ratio)
    # About a sample a pixel: regions with grids of about the same size go together, those that lack samples with weights of zero.
    grids = taeda.stack([taeda.ceil(h / bins[0]), taeda.ceil(w / bins[1])], 1).to(taeda.int64).clamp(min=0)
    high, wide = grids.amax(0).tolist()
    if not high * wide:
        return table.new_zeros((rois.shape[0], *bins, table.shape[1])) + table[:0].sum()
    count = grids.prod(1)
    if high * wide * rois.shape[0] <= _SPARE * int(count.sum()):
        gh, gw = grids.clamp(min=1).to(rois.dtype).unbind(1)
        out = some(everything, gh, gw, high, wide, count.clamp(min=1)[:, None, None])
        return out if int(count.min()) else out * (count > 0)[:, None, None, None]
    kinds, kind = taeda.unique(grids, dim=0, return_inverse=True)
    out = table.new_zeros((rois.shape[0], *bins, table.shape[1]))
    for i, (gh, gw) in enumerate(kinds.tolist()):
        which = taeda.where(kind == i)[0]
        if gh * gw:
            out = out.index_copy(0, which, some(which, gh, gw, gh, gw, gh * gw))
    return out


@one_node
def roi_align(
    input: Tensor,
    boxes: Boxes,
    output_size: Size,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Pool regions by the means of bilinear samples, without rounding their coordinates (He et al., Mask R-CNN, 2017).

    Args:
        input: B x C x H x W.
        boxes: K x 5, rows (number of the image, x1, y1, x2, y2); or a list of one n x 4 per image.
        output_size: bins down and across, P and Q.
        spatial_scale: pixels of `input` per unit of the boxes.
        sampling_ratio: samples of a bin on each axis; 0 or less for about one per pixel.
        aligned: shift by half a pixel, so that pixels are centred at whole numbers; without it, regions are at least one pixel wide.

    Returns:
        K x C x P x Q. Differentiable with respect to `input`, any number of times.

    Raises:
        AssertionError: the boxes have the wrong shape.
        RuntimeError: the dtypes differ.

    >>> import taeda
    >>> from taeda.vision.ops import roi_align
    >>> x = taeda.arange(16.0).reshape(1, 1, 4, 4)
    >>> roi_align(x, [taeda.tensor([[0.0, 0, 4, 4]])], 2, aligned=True)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    rois = checked_boxes(boxes, "roi_align")
    _dtypes(input, rois, "roi_align")
    bins = _two(output_size)
    _, c, h, w = input.shape
    empty = _shape_alone(input, rois, c, bins)
    if empty is not None:
        return empty
    rois = rois.detach()
    scaled = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    first = (rois[:, 0].to(taeda.int64) * (h * w))[:, None, None]
    table = input.permute(0, 2, 3, 1).reshape(-1, c)
    out = _sampled(table, scaled, bins, (h, w), sampling_ratio, first, None if aligned else 1.0)
    return out.permute(0, 3, 1, 2).contiguous()


@one_node
def ps_roi_align(input: Tensor, boxes: Boxes, output_size: Size, spatial_scale: float = 1.0, sampling_ratio: int = -1) -> Tensor:
    """Pool regions as `roi_align` does, each bin from channels of its own (Li et al., Light-Head R-CNN, 2017).

    Args:
        input: B x (C P Q) x H x W.

    Returns:
        K x C x P x Q.

    >>> import taeda
    >>> from taeda.vision.ops import ps_roi_align
    >>> ps_roi_align(taeda.ones(1, 8, 6, 6), taeda.tensor([[0.0, 0, 0, 4, 4]]), output_size=2).flatten()
    tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    rois = checked_boxes(boxes, "ps_roi_align")
    _dtypes(input, rois, "ps_roi_align")
    bins = _two(output_size)
    table, own = _planes(input, bins, "ps_roi_align")
    h, w = input.shape[-2:]
    empty = _shape_alone(input, rois, table.shape[1], bins)
    if empty is not None:
        return empty
    rois = rois.detach()
    first = (rois[:, 0].to(taeda.int64)[:, None, None] * own.numel() + own) * (h * w)
    out = _sampled(table, rois[:, 1:] * spatial_scale - 0.5, bins, (h, w), sampling_ratio, first, None)
    return out.permute(0, 3, 1, 2).contiguous()


def _planes(input: Tensor, bins: tuple[int, int], op: str) -> tuple[Tensor, Tensor]:
    """Return the pixels of B x (C P Q) x H x W as rows of C channels, bin by bin, and the numbers of the bins, P x Q."""
    b, c, h, w = input.shape
    p, q = bins
    if c % (p * q):
        raise RuntimeError(f"[{op}] input channels must be a multiple of pooling height * pooling width, got {c} and {p} * {q}")
    maps = input.reshape(b, c // (p * q), p, q, h, w)
    return maps.permute(0, 2, 3, 4, 5, 1).reshape(-1, maps.shape[1]), taeda.arange(p * q).reshape(p, q)


def _half_up(x: Tensor) -> Tensor:
    """Round to whole numbers, halves away from zero."""
    return taeda.where(x < 0, taeda.ceil(x - 0.5), taeda.floor(x + 0.5)).to(taeda.int64)


def _edges(start: Tensor, length: Tensor, bins: int, size: int, dtype: Any) -> tuple[Tensor, Tensor]:
    """Return where each bin of one axis begins, and how many pixels of the map it has: K x bins twice."""
    at = taeda.arange(bins + 1, dtype=dtype) * (length.to(dtype) / bins)[:, None]
    low, high = taeda.floor(at[:, :-1]).to(taeda.int64), taeda.ceil(at[:, 1:]).to(taeda.int64)
    low, high = (low + start[:, None]).clamp(0, size), (high + start[:, None]).clamp(0, size)
    return low, (high - low).clamp(min=0)


def _pooled(
    table: Tensor, first: Tensor, rows: tuple[Tensor, Tensor], columns: tuple[Tensor, Tensor], width: int, mode: int
) -> tuple[Tensor, Tensor]:
    """Return maxima (mode 2) or means (1) of the whole pixels of bins, K x C x P x Q, 0 for one without any; and the maxima's rows, or -1.

    Args:
        table: rows of C channels, one per pixel.
        first: the row where a bin's map begins, broadcastable to K x P x Q.
        rows, columns: see `_edges`.
        width: pixels in a line.
    """
    (y, h), (x, w) = rows, columns
    shape = (*h.shape, w.shape[1])
    corner = (first + y[:, :, None] * width + x[:, None]).expand(shape).reshape(-1)
    across = w[:, None].expand(shape).reshape(-1)
    count = (h[:, :, None] * w[:, None]).reshape(-1)
    ends = count.cumsum(0)
    step = taeda.arange(int(ends[-1])) - (ends - count).repeat_interleave(count)
    across, corner = across.repeat_interleave(count), corner.repeat_interleave(count)
    pixels = corner + step.div(across, rounding_mode="floor") * width + step % across
    bags, _, _, where = taeda.embedding_bag(table, pixels, ends - count, False, mode)
    pooled = bags.reshape(*shape, -1).permute(0, 3, 1, 2).contiguous()
    return pooled, where.reshape(*shape, -1).permute(0, 3, 1, 2).contiguous() if mode == 2 else where


@one_node
def roi_pool(input: Tensor, boxes: Boxes, output_size: Size, spatial_scale: float = 1.0) -> Tensor:
    """Pool regions by maxima over bins of whole pixels (Girshick, Fast R-CNN, 2015); an empty bin is 0.

    Arguments and shapes are those of `roi_align`.

    >>> import taeda
    >>> from taeda.vision.ops import roi_pool
    >>> x = taeda.arange(16.0).reshape(1, 1, 4, 4)
    >>> roi_pool(x, [taeda.tensor([[0.0, 0, 3, 3]])], 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return roi_pool_and_pixels(input, checked_boxes(boxes, "roi_pool"), _two(output_size), spatial_scale)[0]


def roi_pool_and_pixels(input: Tensor, rois: Tensor, bins: tuple[int, int], spatial_scale: float) -> tuple[Tensor, Tensor]:
    """Return what `roi_pool` does and which pixel of its plane each maximum is, -1 for an empty bin."""
    _dtypes(input, rois, "roi_pool")
    _, c, h, w = input.shape
    empty = _shape_alone(input, rois, c, bins)
    if empty is not None:
        return empty, taeda.zeros_like(empty, dtype=taeda.int32)
    x1, y1, x2, y2 = _half_up(rois.detach()[:, 1:] * spatial_scale).unbind(1)
    rows = _edges(y1, (y2 - y1 + 1).clamp(min=1), bins[0], h, input.dtype)
    columns = _edges(x1, (x2 - x1 + 1).clamp(min=1), bins[1], w, input.dtype)
    first = (rois[:, 0].to(taeda.int64) * (h * w))[:, None, None]
    maxima, where = _pooled(input.permute(0, 2, 3, 1).reshape(-1, c), first, rows, columns, w, 2)
    return maxima, taeda.where(where < 0, where, where - first[:, None]).to(taeda.int32)


@one_node
def ps_roi_pool(input: Tensor, boxes: Boxes, output_size: Size, spatial_scale: float = 1.0) -> Tensor:
    """Pool regions by means over bins of whole pixels, each bin from channels of its own (Dai et al., R-FCN, 2016).

    Args:
        input: B x (C P Q) x H x W.

    Returns:
        K x C x P x Q; an empty bin is 0.

    >>> import taeda
    >>> from taeda.vision.ops import ps_roi_pool
    >>> ps_roi_pool(taeda.ones(1, 8, 6, 6), taeda.tensor([[0.0, 0, 0, 4, 4]]), output_size=2).flatten()
    tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    rois = checked_boxes(boxes, "ps_roi_pool")
    _dtypes(input, rois, "ps_roi_pool")
    bins = _two(output_size)
    table, own = _planes(input, bins, "ps_roi_pool")
    h, w = input.shape[-2:]
    empty = _shape_alone(input, rois, table.shape[1], bins)
    if empty is not None:
        return empty
    x1, y1, x2, y2 = _half_up(rois.detach()[:, 1:] * spatial_scale).unbind(1)
    # As in the original, the last line and column of the map belong to no bin.
    rows = _edges(y1, (y2 - y1).clamp(min=1), bins[0], h - 1, input.dtype)
    columns = _edges(x1, (x2 - x1).clamp(min=1), bins[1], w - 1, input.dtype)
    first = (rois[:, 0].to(taeda.int64)[:, None, None] * own.numel() + own) * (h * w)
    return _pooled(table, first, rows, columns, w, 1)[0]


class _Regions(nn.Module):
    """A function of an image's regions with fixed options, which the layer has as attributes."""

    _options: tuple[str, ...] = ("output_size", "spatial_scale")

    def __init__(self, output_size: Size, spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in self._options)})"


class RoIAlign(_Regions):
    """`roi_align` with fixed options.

    Arguments are those of `roi_align`; a call takes the maps and the boxes.

    >>> import taeda
    >>> from taeda.vision.ops import RoIAlign
    >>> RoIAlign(2, spatial_scale=1.0, sampling_ratio=2)(taeda.zeros(1, 3, 8, 8), [taeda.tensor([[0.0, 0.0, 4.0, 4.0]])]).shape
    taeda.Size([1, 3, 2, 2])
    """

    _options = ("output_size", "spatial_scale", "sampling_ratio", "aligned")

    def __init__(self, output_size: Size, spatial_scale: float, sampling_ratio: int, aligned: bool = False) -> None:
        super().__init__(output_size, spatial_scale)
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)


class RoIPool(_Regions):
    """`roi_pool` with fixed options.

    >>> import taeda
    >>> from taeda.vision.ops import RoIPool
    >>> RoIPool(2, spatial_scale=1.0)(taeda.zeros(1, 3, 8, 8), [taeda.tensor([[0.0, 0.0, 4.0, 4.0]])]).shape
    taeda.Size([1, 3, 2, 2])
    """

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return roi_pool(input, rois, self.output_size, self.spatial_scale)


class PSRoIAlign(_Regions):
    """`ps_roi_align` with fixed options.

    >>> import taeda
    >>> from taeda.vision.ops import PSRoIAlign
    >>> PSRoIAlign(output_size=2, spatial_scale=1.0, sampling_ratio=2)(taeda.rand(1, 8, 6, 6), taeda.tensor([[0.0, 0, 0, 4, 4]])).shape
    taeda.Size([1, 2, 2, 2])
    """

    _options = ("output_size", "spatial_scale", "sampling_ratio")

    def __init__(self, output_size: Size, spatial_scale: float, sampling_ratio: int) -> None:
        super().__init__(output_size, spatial_scale)
        self.sampling_ratio = sampling_ratio

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return ps_roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio)


class PSRoIPool(_Regions):
    """`ps_roi_pool` with fixed options.

    >>> import taeda
    >>> from taeda.vision.ops import PSRoIPool
    >>> PSRoIPool(output_size=2, spatial_scale=1.0)(taeda.rand(1, 8, 6, 6), taeda.tensor([[0.0, 0, 0, 4, 4]])).shape
    taeda.Size([1, 2, 2, 2])
    """

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)

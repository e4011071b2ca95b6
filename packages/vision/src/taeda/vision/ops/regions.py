"""Pooling of regions: what lies in a box of a feature map becomes a map of fixed size.

A sample of a map at a point is the weighted sum of four pixels, and a bin of a region the mean of samples: so all bins are one sum of
rows with weights, that `embedding_bag` has a kernel for. Its table is the map with the channels innermost.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F

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


def _checked(boxes: Boxes, op: str) -> Tensor:
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


def _taps(start: Tensor, length: Tensor, bins: int, grid: int, size: int) -> tuple[Tensor, Tensor]:
    """Return the pixels that the samples of one axis touch, and their weights: K x bins x 2 grid each.

    A sample more than a pixel outside counts nothing; within that pixel it is moved to the border.
    """
    width = length / bins
    at = taeda.arange(bins, dtype=start.dtype)[:, None]
    step = taeda.arange(grid, dtype=start.dtype)[None] + 0.5
    x = start[:, None, None] + at * width[:, None, None] + step * (width / grid)[:, None, None]
    counts = ((x >= -1.0) & (x <= size)).to(x.dtype)
    x = x.clamp(min=0)
    low = x.to(taeda.int64).clamp(max=size - 1)
    high = (low + 1).clamp(max=size - 1)
    above = taeda.where(low >= size - 1, taeda.zeros_like(x), x - low)
    return taeda.cat([low, high], -1), taeda.cat([(1 - above) * counts, above * counts], -1)


def _bags(table: Tensor, y: tuple[Tensor, Tensor], x: tuple[Tensor, Tensor], first: Tensor, width: int, count: int) -> Tensor:
    """Return the bins K x P x Q x C: means of the rows of `table` that the taps of both axes name.

    Args:
        table: rows of C channels, one a pixel.
        y, x: pixels and weights of the axes, K x P x a and K x Q x b.
        first: the row where a bin's map begins, broadcastable to K x P x Q.
        width: pixels in a line.
        count: samples in a bin.
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

    def some(which: Any, gh: int, gw: int) -> Tensor:
        y = _taps(y1[which], h[which], bins[0], gh, size[0])
        x = _taps(x1[which], w[which], bins[1], gw, size[1])
        return _bags(table, y, x, first[which], size[1], max(gh * gw, 1))

    if ratio > 0:
        return some(slice(None), ratio, ratio)
    # About a sample a pixel: regions with grids of the same size go together.
    grids = taeda.stack([taeda.ceil(h / bins[0]), taeda.ceil(w / bins[1])], 1).to(taeda.int64).clamp(min=0)
    kinds, kind = taeda.unique(grids, dim=0, return_inverse=True)
    out = table.new_zeros((rois.shape[0], *bins, table.shape[1]))
    for i, (gh, gw) in enumerate(kinds.tolist()):
        which = taeda.where(kind == i)[0]
        if gh * gw:
            out = out.index_copy(0, which, some(which, gh, gw))
    return out


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
        sampling_ratio: samples of a bin on each axis; 0 or less for about one a pixel.
        aligned: shift by half a pixel, so that pixels are centred at whole numbers; without it, regions are at least one pixel wide.

    Returns:
        K x C x P x Q. Differentiable with respect to `input`, any number of times.

    Raises:
        AssertionError: the boxes have the wrong shape.
        RuntimeError: the dtypes differ.

    >>> x = taeda.arange(16.0).reshape(1, 1, 4, 4)
    >>> roi_align(x, [taeda.tensor([[0.0, 0, 4, 4]])], 2, aligned=True)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    rois = _checked(boxes, "roi_align")
    _dtypes(input, rois, "roi_align")
    bins = _two(output_size)
    _, c, h, w = input.shape
    if rois.shape[0] == 0:
        return input.new_zeros((0, c, *bins)) + 0 * input.sum()
    rois = rois.detach()
    scaled = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    first = (rois[:, 0].to(taeda.int64) * (h * w))[:, None, None]
    table = input.permute(0, 2, 3, 1).reshape(-1, c)
    out = _sampled(table, scaled, bins, (h, w), sampling_ratio, first, None if aligned else 1.0)
    return out.permute(0, 3, 1, 2).contiguous()


def ps_roi_align(input: Tensor, boxes: Boxes, output_size: Size, spatial_scale: float = 1.0, sampling_ratio: int = -1) -> Tensor:
    """Pool regions as `roi_align` does, each bin from channels of its own (Li et al., Light-Head R-CNN, 2017).

    Args:
        input: B x (C P Q) x H x W.

    Returns:
        K x C x P x Q.
    """
    rois = _checked(boxes, "ps_roi_align")
    _dtypes(input, rois, "ps_roi_align")
    bins = p, q = _two(output_size)
    maps = _split(input, bins, "ps_roi_align")
    h, w = input.shape[-2:]
    if rois.shape[0] == 0:
        return input.new_zeros((0, maps.shape[1], *bins)) + 0 * input.sum()
    rois = rois.detach()
    image = rois[:, 0].to(taeda.int64)[:, None, None]
    own = taeda.arange(p)[:, None] * q + taeda.arange(q)
    table = maps.permute(0, 2, 3, 4, 5, 1).reshape(-1, maps.shape[1])
    first = (image * (p * q) + own) * (h * w)
    out = _sampled(table, rois[:, 1:] * spatial_scale - 0.5, bins, (h, w), sampling_ratio, first, None)
    return out.permute(0, 3, 1, 2).contiguous()


def _split(input: Tensor, bins: tuple[int, int], op: str) -> Tensor:
    b, c, h, w = input.shape
    p, q = bins
    if c % (p * q):
        raise RuntimeError(f"[{op}] input channels must be a multiple of pooling height * pooling width, got {c} and {p} * {q}")
    return input.reshape(b, c // (p * q), p, q, h, w)


def _half_up(x: Tensor) -> Tensor:
    """Round to whole numbers, halves away from zero."""
    return taeda.where(x < 0, taeda.ceil(x - 0.5), taeda.floor(x + 0.5)).to(taeda.int64)


def _edges(start: int, length: int, bins: int, size: int, dtype: Any) -> list[tuple[int, int]]:
    """Return where each bin of one axis begins and ends, within the map."""
    width = taeda.tensor(length, dtype=dtype) / bins
    at = taeda.arange(bins + 1, dtype=dtype) * width
    lows, highs = taeda.floor(at[:-1]).tolist(), taeda.ceil(at[1:]).tolist()
    return [
        (min(max(int(a) + start, 0), size), min(max(int(b) + start, 0), size)) for a, b in zip(lows, highs, strict=True)
    ]


def roi_pool(input: Tensor, boxes: Boxes, output_size: Size, spatial_scale: float = 1.0) -> Tensor:
    """Pool regions by maxima over bins of whole pixels (Girshick, Fast R-CNN, 2015); an empty bin is 0.

    Arguments and shapes are those of `roi_align`.

    >>> x = taeda.arange(16.0).reshape(1, 1, 4, 4)
    >>> roi_pool(x, [taeda.tensor([[0.0, 0, 3, 3]])], 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    rois = _checked(boxes, "roi_pool")
    _dtypes(input, rois, "roi_pool")
    bins = _two(output_size)
    _, c, h, w = input.shape
    corners = _half_up(rois.detach()[:, 1:] * spatial_scale).tolist()
    out = []
    for image, (x1, y1, x2, y2) in zip(rois[:, 0].to(taeda.int64).tolist(), corners, strict=True):
        rows = _edges(y1, max(y2 - y1 + 1, 1), bins[0], h, input.dtype)
        columns = _edges(x1, max(x2 - x1 + 1, 1), bins[1], w, input.dtype)
        out.append(_maxima(input[image], rows, columns))
    return taeda.stack(out) if out else input.new_zeros((0, c, *bins)) + 0 * input.sum()


def _maxima(x: Tensor, rows: list[tuple[int, int]], columns: list[tuple[int, int]]) -> Tensor:
    """Return the maxima of x (C x H x W) over bins: C x P x Q. The bins are padded with their last pixel to one size."""
    i, full_rows = _padded(rows)
    j, full_columns = _padded(columns)
    (p, a), (q, b) = i.shape, j.shape
    window = x[:, i.reshape(-1, 1), j.reshape(1, -1)].reshape(-1, p, a, q, b).permute(0, 1, 3, 2, 4).reshape(-1, p, q, a * b)
    return taeda.max(window, dim=-1)[0] * (full_rows[:, None] & full_columns).to(x.dtype)


def _padded(edges: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    """Return the pixels of each bin, and which bins have any."""
    longest = max(max(b - a for a, b in edges), 1)
    index = [[min(a + k, max(b - 1, a)) if b > a else 0 for k in range(longest)] for a, b in edges]
    return taeda.tensor(index), taeda.tensor([b > a for a, b in edges])


def ps_roi_pool(input: Tensor, boxes: Boxes, output_size: Size, spatial_scale: float = 1.0) -> Tensor:
    """Pool regions by means over bins of whole pixels, each bin from channels of its own (Dai et al., R-FCN, 2016).

    Args:
        input: B x (C P Q) x H x W.

    Returns:
        K x C x P x Q; an empty bin is 0.
    """
    rois = _checked(boxes, "ps_roi_pool")
    _dtypes(input, rois, "ps_roi_pool")
    bins = _two(output_size)
    maps = _split(input, bins, "ps_roi_pool")
    h, w = input.shape[-2:]
    corners = _half_up(rois.detach()[:, 1:] * spatial_scale).tolist()
    out = []
    for image, (x1, y1, x2, y2) in zip(rois[:, 0].to(taeda.int64).tolist(), corners, strict=True):
        # As in the original, the last line and column of the map belong to no bin.
        rows = _means(_edges(y1, max(y2 - y1, 1), bins[0], h - 1, input.dtype), h, input)
        columns = _means(_edges(x1, max(x2 - x1, 1), bins[1], w - 1, input.dtype), w, input)
        out.append(taeda.einsum("cpqhw,ph,qw->cpq", maps[image], rows, columns))
    return taeda.stack(out) if out else input.new_zeros((0, maps.shape[1], *bins)) + 0 * input.sum()


def _means(edges: list[tuple[int, int]], size: int, like: Tensor) -> Tensor:
    """Return the weights of each bin's mean along one axis: bins x size."""
    weights = like.new_zeros((len(edges), size))
    for i, (a, b) in enumerate(edges):
        if b > a:
            weights[i, a:b] = 1.0 / (b - a)
    return weights


class RoIAlign(nn.Module):
    """`roi_align` with fixed options."""

    def __init__(self, output_size: Size, spatial_scale: float, sampling_ratio: int, aligned: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned})"
        )


class RoIPool(nn.Module):
    """`roi_pool` with fixed options."""

    def __init__(self, output_size: Size, spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(output_size={self.output_size}, spatial_scale={self.spatial_scale})"


class PSRoIAlign(nn.Module):
    """`ps_roi_align` with fixed options."""

    def __init__(self, output_size: Size, spatial_scale: float, sampling_ratio: int) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return ps_roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio})"
        )


class PSRoIPool(nn.Module):
    """`ps_roi_pool` with fixed options."""

    def __init__(self, output_size: Size, spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: Tensor, rois: Boxes) -> Tensor:
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(output_size={self.output_size}, spatial_scale={self.spatial_scale})"

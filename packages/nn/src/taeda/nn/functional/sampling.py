"""Sampling at grids, and pooling with windows at pseudo-random places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda import Tensor, ops
from taeda.nn.functional._common import need_tensors, with_indices

__all__ = [
    "affine_grid", "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "grid_sample",
]  # fmt: skip

affine_grid = ops.affine_grid
grid_sample = ops.grid_sample
GRID_SAMPLE_INTERPOLATION_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}      # as ``taeda.grid_sampler`` takes them
GRID_SAMPLE_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}


def _fractional(
    n: int,
    input: Tensor,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    _random_samples: Tensor | None,
) -> tuple[Tensor, Tensor]:
    op = f"fractional_max_pool{n}d"
    need_tensors(op, input)
    if output_size is None and output_ratio is None:
        raise ValueError(f"[{op}] requires specifying either an output_size or an output_ratio")
    if output_size is None:
        ratios = tuple(output_ratio) if isinstance(output_ratio, Sequence) else (output_ratio,) * n
        if len(ratios) != n:
            raise ValueError(
                f"[{op}] requires output_ratio to either be a single number or {n} of them, got {ratios}"
            )
        output_size = tuple(int(s * r) for s, r in zip(input.shape[-n:], ratios, strict=False))
    pool = ops.fractional_max_pool2d if n == 2 else ops.fractional_max_pool3d
    return pool(input, kernel_size, output_size, _random_samples)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Take maxima over windows at pseudo-random places of (B, C, H, W) or (C, H, W) (Graham, 2015).

    Args:
        kernel_size: a number or (h, w).
        output_size: a number or (h, w); or output_ratio: the fraction of the input's sizes that is left.
        return_indices: whether to return the places of the maxima too.
        _random_samples: (B, C, 2) numbers in [0, 1) that place the windows, in place of new draws.

    Raises:
        ValueError: neither a size nor a ratio.
        RuntimeError: the windows do not fit.

    >>> import taeda, taeda.nn.functional as F
    >>> F.fractional_max_pool2d(taeda.arange(16.0).reshape(1, 4, 4), 2, output_ratio=0.25)
    tensor([[[15.]]])
    """
    found = _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


fractional_max_pool2d_with_indices = with_indices(fractional_max_pool2d)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Take maxima over windows at pseudo-random places of (B, C, D, H, W) or (C, D, H, W) (Graham, 2015).

    Arguments as ``fractional_max_pool2d``, with three numbers for two.

    >>> import taeda, taeda.nn.functional as F
    >>> F.fractional_max_pool3d(taeda.rand(1, 2, 6, 6, 6), kernel_size=2, output_size=3).shape
    taeda.Size([1, 2, 3, 3, 3])
    """
    found = _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


fractional_max_pool3d_with_indices = with_indices(fractional_max_pool3d)

"""Pooling with windows at pseudo-random places."""

from __future__ import annotations

from typing import Any

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.modules.module import Module
from taeda.nn.modules.utils import ntuple

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPool(Module):
    __constants__ = ["kernel_size", "return_indices", "output_size", "output_ratio"]
    _n: int

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = ntuple(kernel_size, self._n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else ntuple(output_size, self._n)
        self.output_ratio = None if output_ratio is None else ntuple(output_ratio, self._n)
        if output_size is None and output_ratio is None:
            raise ValueError(f"[{name}] requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError(f"[{name}] only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"[{name}] output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPool):
    """Take maxima over windows at pseudo-random places (Graham, 2015): sizes shrink by any factor.

    Args:
        kernel_size: a number or (h, w).
        output_size: a number or (h, w); or output_ratio: the fraction of the input's sizes that is left.
        return_indices: whether to return the places of the maxima too, for ``MaxUnpool2d``.

    Shapes:
        x: (B, C, H, W) or (C, H, W); y: (B, C, h, w) or (C, h, w).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.FractionalMaxPool2d(3, output_ratio=(0.5, 0.25))(taeda.randn(2, 16, 12, 12)).shape
    taeda.Size([2, 16, 6, 3])
    """

    _n = 2

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool2d(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool3d(_FractionalMaxPool):
    """``FractionalMaxPool2d`` of volumes.

    Shapes:
        x: (B, C, D, H, W) or (C, D, H, W); y: (B, C, d, h, w) or (C, d, h, w).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.FractionalMaxPool3d(2, output_size=3)(taeda.randn(2, 4, 6, 6, 6)).shape
    taeda.Size([2, 4, 3, 3, 3])
    """

    _n = 3

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool3d(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )

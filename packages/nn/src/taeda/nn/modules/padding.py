"""Padding layers: new elements at the ends of the last dimensions."""

from __future__ import annotations

from typing import Any

from taeda import Tensor, ops
from taeda.nn.modules.module import Module
from taeda.nn.modules.utils import ntuple

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """Padding of the last ``_n`` dimensions by a number, or by (before, after) of each, the last one first."""

    __constants__ = ["padding"]
    _n: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = ntuple(padding, 2 * self._n)

    def forward(self, input: Tensor) -> Tensor:
        return ops.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]
    value: float

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return ops.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Put ``value`` at the ends of the last dimension.

    Args:
        padding: a number, or (left, right).
        value: of the new elements.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ConstantPad1d((1, 2), 3.5)(taeda.zeros(1, 1))
    tensor([[3.5000, 0.0000, 3.5000, 3.5000]])
    """

    _n = 1


class ConstantPad2d(_ConstantPadNd):
    """Put ``value`` around the last two dimensions: (left, right, top, bottom).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ConstantPad2d(2, 3.5)(taeda.zeros(1, 2, 2)).shape
    taeda.Size([1, 6, 6])
    """

    _n = 2


class ConstantPad3d(_ConstantPadNd):
    """Put ``value`` around the last three dimensions: (left, right, top, bottom, front, back).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ConstantPad3d(1, 3.5)(taeda.zeros(1, 2, 2, 2)).shape
    taeda.Size([1, 4, 4, 4])
    """

    _n = 3


class _ZeroPad(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Put zeros at the ends of the last dimension: a number, or (left, right).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ZeroPad1d(1)(taeda.ones(1, 1))
    tensor([[0., 1., 0.]])
    """

    _n = 1


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Put zeros around the last two dimensions: a number, or (left, right, top, bottom).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ZeroPad2d((1, 1, 2, 0))(taeda.ones(1, 1, 3, 3)).shape
    taeda.Size([1, 1, 5, 5])
    """

    _n = 2


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Put zeros around the last three dimensions.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ZeroPad3d(1)(taeda.ones(1, 1, 2, 2, 2)).shape
    taeda.Size([1, 1, 4, 4, 4])
    """

    _n = 3


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Mirror the last dimension at its ends, without repeating the end itself.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ReflectionPad1d(2)(taeda.tensor([[0.0, 1.0, 2.0]]))
    tensor([[2., 1., 0., 1., 2., 1., 0.]])
    """

    _n = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Mirror the last two dimensions at their ends.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ReflectionPad2d(1)(taeda.ones(1, 1, 2, 2)).shape
    taeda.Size([1, 1, 4, 4])
    """

    _n = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Mirror the last three dimensions at their ends.

    >>> from taeda import nn
    >>> nn.ReflectionPad3d(1)
    ReflectionPad3d((1, 1, 1, 1, 1, 1))
    """

    _n = 3


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Repeat the ends of the last dimension.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ReplicationPad1d((1, 2))(taeda.tensor([[0.0, 1.0]]))
    tensor([[0., 0., 1., 1., 1.]])
    """

    _n = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Repeat the borders of the last two dimensions.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ReplicationPad2d(1)(taeda.ones(1, 1, 2, 2)).shape
    taeda.Size([1, 1, 4, 4])
    """

    _n = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Repeat the borders of the last three dimensions.

    >>> from taeda import nn
    >>> nn.ReplicationPad3d(1)
    ReplicationPad3d((1, 1, 1, 1, 1, 1))
    """

    _n = 3


class _CircularPadNd(_Pad):
    """Circular padding of inputs with channels, of a batch or of one sample."""

    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (self._n + 1, self._n + 2):
            raise ValueError(
                f"[{type(self).__name__}] expected {self._n + 1}D or {self._n + 2}D input (got {input.dim()}D input)"
            )
        return super().forward(input)


class CircularPad1d(_CircularPadNd):
    """Continue the last dimension with its other end.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CircularPad1d(1)(taeda.tensor([[0.0, 1.0, 2.0]]))
    tensor([[2., 0., 1., 2., 0.]])
    """

    _n = 1


class CircularPad2d(_CircularPadNd):
    """Continue the last two dimensions with their other ends.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CircularPad2d(1)(taeda.ones(1, 1, 2, 2)).shape
    taeda.Size([1, 1, 4, 4])
    """

    _n = 2


class CircularPad3d(_CircularPadNd):
    """Continue the last three dimensions with their other ends.

    >>> from taeda import nn
    >>> nn.CircularPad3d(1)
    CircularPad3d((1, 1, 1, 1, 1, 1))
    """

    _n = 3

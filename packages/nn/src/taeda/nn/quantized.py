"""What a model in floating point carries so that it could be quantised: marks of where, and sums as modules.

There are no quantised tensors, so the marks pass their input on, and the sums are what their names say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import taeda
from taeda import Tensor
from taeda.nn.modules.linear import Identity
from taeda.nn.modules.module import Module

__all__ = ["BatchNorm2d", "DeQuantStub", "FloatFunctional", "QuantStub"]


class QuantStub(Module):
    """Marks where numbers would become quantised ones: the input as it is."""

    def __init__(self, qconfig: Any = None) -> None:
        super().__init__()
        if qconfig:
            self.qconfig = qconfig

    def forward(self, x: Tensor) -> Tensor:
        """Return the input."""
        return x


class DeQuantStub(QuantStub):
    """Marks where quantised numbers would become ordinary ones: the input as it is."""


class BatchNorm2d(Module):
    """Would normalise quantised images; programs name it among the layers that they exchange."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("[nn.quantized.BatchNorm2d] there are no quantised tensors; use nn.BatchNorm2d")


class FloatFunctional(Module):
    """Sums and products as methods of a module, so that what they give could be observed and quantised.

    >>> import taeda
    >>> from taeda.nn.quantized import FloatFunctional
    >>> FloatFunctional().add(taeda.tensor(1.0), taeda.tensor(2.0))
    tensor(3.)
    """

    def __init__(self) -> None:
        super().__init__()
        self.activation_post_process: Module = Identity()

    def forward(self, x: Any) -> NoReturn:
        """Raise RuntimeError: the methods are what is called."""
        raise RuntimeError("[FloatFunctional] is not called itself; use one of its methods, as add or cat")

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """Return x + y."""
        return self.activation_post_process(taeda.add(x, y))

    def add_scalar(self, x: Tensor, y: float) -> Tensor:
        """Return x + y, which is not observed."""
        return taeda.add(x, y)

    def mul(self, x: Tensor, y: Tensor) -> Tensor:
        """Return x y."""
        return self.activation_post_process(taeda.mul(x, y))

    def mul_scalar(self, x: Tensor, y: float) -> Tensor:
        """Return x y, which is not observed."""
        return taeda.mul(x, y)

    def cat(self, x: Sequence[Tensor], dim: int = 0) -> Tensor:
        """Return the tensors joined along a dimension."""
        return self.activation_post_process(taeda.cat(x, dim=dim))

    def add_relu(self, x: Tensor, y: Tensor) -> Tensor:
        """Return max(x + y, 0)."""
        return self.activation_post_process(taeda.relu(taeda.add(x, y)))

    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the product of matrices."""
        return self.activation_post_process(taeda.matmul(x, y))

"""Two operators that stay visible in an exported model; plain functions here."""

from __future__ import annotations

from taeda.symbolic import _shape_as_tensor as shape_as_tensor
from taeda.tensor import Tensor

__all__ = ["reshape_from_tensor_shape", "shape_as_tensor"]


def reshape_from_tensor_shape(self: Tensor, shape: Tensor) -> Tensor:
    """Return the tensor in the shape that a tensor holds.

    >>> import taeda
    >>> from taeda.onnx.operators import reshape_from_tensor_shape
    >>> reshape_from_tensor_shape(taeda.arange(4), taeda.tensor([2, 2]))
    tensor([[0, 1],
            [2, 3]])
    """
    return self.reshape(shape.tolist())

"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import taeda
from taeda import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return the elements of all parameters, one after another, as a vector; gradients flow back.

    >>> from taeda import nn
    >>> nn.utils.parameters_to_vector(nn.Linear(2, 3).parameters()).shape[0]
    9
    """
    if not isinstance(parameters, Iterable):
        hint = "; did you mean model.parameters()?" if hasattr(parameters, "parameters") else ""
        raise TypeError(f"[parameters_to_vector] expected an iterable of Tensors, got {type(parameters).__name__}{hint}")
    return taeda.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make the parameters views of consecutive parts of ``vec``.

    Raises:
        TypeError: vec is not a tensor.
        RuntimeError: it has too few elements.

    >>> from taeda import nn, tensor
    >>> from taeda.nn.utils import vector_to_parameters
    >>> layer = nn.Linear(2, 1)
    >>> vector_to_parameters(tensor([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer.weight.tolist(), layer.bias.tolist()
    ([[1.0, 2.0]], [3.0])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"[vector_to_parameters] expected taeda.Tensor, but got: {type(vec).__name__}")
    start = 0
    for p in parameters:
        n = p.numel()
        if start + n > vec.numel():
            raise RuntimeError(
                f"[vector_to_parameters] vec has {vec.numel()} elements, too few for a parameter of shape "
                f"{tuple(p.shape)} at {start}"
            )
        p.data = vec[start : start + n].view_as(p).data
        start += n

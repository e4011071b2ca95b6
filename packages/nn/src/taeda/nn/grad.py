"""Gradients of convolutions, each by itself: ``nn.grad.conv2d_input``, ``nn.grad.conv2d_weight`` and their kin.

With y = conv(x, w) and g the gradient of y, ``convNd_input`` is the gradient of x, a transposed convolution of g, and
``convNd_weight`` that of w.  Both can be differentiated again.

>>> import taeda
>>> from taeda import nn
>>> nn.grad.conv1d_input((1, 1, 4), taeda.tensor([[[1.0, 2.0]]]), taeda.ones(1, 1, 3))
tensor([[[1., 3., 3., 2.]]])
>>> nn.grad.conv1d_weight(taeda.tensor([[[1.0, 2.0, 3.0]]]), (1, 1, 2), taeda.ones(1, 1, 2))
tensor([[[3., 5.]]])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import taeda
from taeda import Tensor, ops
from taeda.autograd.node import named

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]

Sizes = int | Sequence[int]
_CONVOLUTIONS = {1: ops.conv1d, 2: ops.conv2d, 3: ops.conv3d}
_TRANSPOSED = {1: ops.conv_transpose1d, 2: ops.conv_transpose2d, 3: ops.conv_transpose3d}


def _each(value: Sizes, n: int) -> list[int]:
    return [value] * n if isinstance(value, int) else list(value)


def _extra(op: str, n: int, size: Sequence[int], kernel: Sequence[int], g: Tensor, geometry: tuple[Sizes, ...]) -> list[int]:
    """Return how far the last window ends before the padded input's end in each dimension; g must be what the sizes give."""
    stride, padding, dilation = (_each(value, n) for value in geometry)
    rest, expected = [], []
    for i in range(n):
        room = size[2 + i] + 2 * padding[i] - dilation[i] * (kernel[2 + i] - 1) - 1
        rest.append(room % stride[i])
        expected.append(room // stride[i] + 1)
    if tuple(g.shape) != (size[0], kernel[0], *expected):
        raise RuntimeError(
            f"[{op}] grad_output must be of shape {(size[0], kernel[0], *expected)} for an input of shape {tuple(size)} and a "
            f"weight of shape {tuple(kernel)}, got {tuple(g.shape)}"
        )
    return rest


def _check(op: str, n: int, **shapes: Sequence[int]) -> None:
    for name, shape in shapes.items():
        if len(shape) != n + 2:
            raise RuntimeError(f"[{op}] {name} must have {n + 2} dimensions, got shape {tuple(shape)}; a batch of one is unsqueeze(0)")


def _of_input(n: int) -> Callable[..., Tensor]:
    op = f"conv{n}d_input"

    def gradient(
        input_size: Sequence[int],
        weight: Tensor,
        grad_output: Tensor,
        stride: Sizes = 1,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> Tensor:
        _check(op, n, input=input_size, weight=weight.shape, grad_output=grad_output.shape)
        rest = _extra(op, n, input_size, weight.shape, grad_output, (stride, padding, dilation))
        if input_size[1] != weight.shape[1] * groups:
            raise RuntimeError(
                f"[{op}] Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(input_size)} to have "
                f"{weight.shape[1] * groups} channels, but got {input_size[1]} channels instead"
            )
        found = _TRANSPOSED[n](grad_output, weight, None, stride, padding, rest, groups, dilation)
        return cast(Tensor, named(found, "ConvolutionBackwardBackward0"))

    gradient.__doc__ = f"""Return the gradient of the input of ``conv{n}d``.

    Args:
        input_size: the input's shape, (B, groups * weight.shape[1], ...).
        weight: what the convolution had.
        grad_output: the gradient of its result, of the result's shape.
        stride, padding, dilation, groups: the convolution's.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the convolution's result, or the channels do not fit.

    >>> import taeda
    >>> from taeda import nn
    >>> x, w = taeda.rand({(1, 1) + (4,) * n}, requires_grad=True), taeda.rand({(1, 1) + (2,) * n})
    >>> y = nn.functional.conv{n}d(x, w)
    >>> y.sum().backward()
    >>> taeda.allclose(x.grad, nn.grad.conv{n}d_input(x.shape, w, taeda.ones_like(y)))
    True
    """
    gradient.__name__ = gradient.__qualname__ = op
    return gradient


def _of_weight(n: int) -> Callable[..., Tensor]:
    op = f"conv{n}d_weight"

    def gradient(
        input: Tensor,
        weight_size: Sequence[int],
        grad_output: Tensor,
        stride: Sizes = 1,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> Tensor:
        _check(op, n, input=input.shape, weight=weight_size, grad_output=grad_output.shape)
        _extra(op, n, input.shape, weight_size, grad_output, (stride, padding, dilation))
        recorded = taeda.is_grad_enabled()
        with taeda.enable_grad():
            weight = input.new_zeros(tuple(weight_size)).requires_grad_()
            y = _CONVOLUTIONS[n](input, weight, None, stride, padding, dilation, groups)
            (found,) = taeda.autograd.grad(y, weight, grad_output, create_graph=recorded)
        needed = recorded and (input.requires_grad or grad_output.requires_grad)
        return found if needed else found.detach()

    gradient.__doc__ = f"""Return the gradient of the weight of ``conv{n}d``.

    Args:
        input: what the convolution had.
        weight_size: the weight's shape.
        grad_output: the gradient of its result, of the result's shape.
        stride, padding, dilation, groups: the convolution's.

    Raises:
        RuntimeError: ``grad_output`` has not the shape of the convolution's result.

    >>> import taeda
    >>> from taeda import nn
    >>> x, w = taeda.rand({(1, 1) + (4,) * n}), taeda.rand({(1, 1) + (2,) * n}, requires_grad=True)
    >>> y = nn.functional.conv{n}d(x, w)
    >>> y.sum().backward()
    >>> taeda.allclose(w.grad, nn.grad.conv{n}d_weight(x, w.shape, taeda.ones_like(y)))
    True
    """
    gradient.__name__ = gradient.__qualname__ = op
    return gradient


conv1d_input, conv2d_input, conv3d_input = _of_input(1), _of_input(2), _of_input(3)
conv1d_weight, conv2d_weight, conv3d_weight = _of_weight(1), _of_weight(2), _of_weight(3)

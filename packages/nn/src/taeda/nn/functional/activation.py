"""Activations: elementwise functions, and softmax with its kin."""

from __future__ import annotations

import warnings
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.autograd.node import named
from taeda.dtype import type_name
from taeda.nn.functional._common import in_place, need_tensors

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip

gelu = ops.gelu
softplus = ops.softplus
logsigmoid = ops.log_sigmoid


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(x, 0) elementwise; with ``inplace`` into x itself.

    >>> import taeda, taeda.nn.functional as F
    >>> F.relu(taeda.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return relu_(input) if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """In-place :func:`relu`."""
    need_tensors("relu_", input)
    return input.relu_()


def sigmoid(input: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)).

    >>> import taeda, taeda.nn.functional as F
    >>> F.sigmoid(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """Return tanh(x).

    >>> import taeda, taeda.nn.functional as F
    >>> F.tanh(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.9640,  0.0000,  0.9640])
    """
    return input.tanh()


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x limited to [min_val, max_val].

    Raises:
        ValueError: min_val is greater than max_val.

    >>> import taeda, taeda.nn.functional as F
    >>> F.hardtanh(taeda.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    need_tensors("hardtanh", input)
    if min_val > max_val:
        raise ValueError(f"[hardtanh] min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return (ops.hardtanh_ if inplace else ops.hardtanh)(input, min_val, max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """In-place :func:`hardtanh`."""
    need_tensors("hardtanh_", input)
    return ops.hardtanh_(input, min_val, max_val)          # in place nobody compares the bounds, as in PyTorch


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(x, 0), 6).

    >>> import taeda, taeda.nn.functional as F
    >>> F.relu6(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else alpha (exp(x) - 1).

    >>> import taeda, taeda.nn.functional as F
    >>> F.elu(taeda.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """
    return (ops.elu_ if inplace else ops.elu)(input, alpha)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place :func:`elu`."""
    return elu(input, alpha, inplace=True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return scale (max(0, x) + min(0, alpha (exp(x) - 1))) with the constants of self-normalising networks.

    >>> import taeda, taeda.nn.functional as F
    >>> F.selu(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-1.5202,  0.0000,  2.1014])
    """
    return (ops.selu_ if inplace else ops.selu)(input)


def selu_(input: Tensor) -> Tensor:
    """In-place :func:`selu`."""
    return selu(input, inplace=True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return max(0, x) + min(0, alpha (exp(x / alpha) - 1)).

    Raises:
        RuntimeError: alpha is 0.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.celu(taeda.tensor([-1.0, 1.0]), alpha=0.5)
    tensor([-0.4323,  1.0000])
    """
    return (ops.celu_ if inplace else ops.celu)(input, alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """In-place :func:`celu`."""
    return celu(input, alpha, inplace=True)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else negative_slope x.

    >>> import taeda, taeda.nn.functional as F
    >>> F.leaky_relu(taeda.tensor([-1.0, 2.0]), 0.5)
    tensor([-0.5000,  2.0000])
    """
    return (ops.leaky_relu_ if inplace else ops.leaky_relu)(input, negative_slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """In-place :func:`leaky_relu`."""
    return leaky_relu(input, negative_slope, inplace=True)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return x where x > 0, else weight x, with one weight for all or one per channel (dimension 1).

    Args:
        input: (B, C, ...) or any shape with a single weight.
        weight: (1,) or (C,), or a scalar.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.prelu(taeda.tensor([-4.0, 1.0]), taeda.tensor([0.25]))
    tensor([-1.,  1.])
    """
    return ops.prelu(input, weight)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return x where x > 0, else a x with a drawn from U(lower, upper), or their mean when not training.

    With ``inplace`` into x itself.

    Args:
        lower, upper: bounds of the slope a.
        training: draw a for every element, by the default generator.

    Raises:
        RuntimeError: lower is above upper.

    >>> import taeda, taeda.nn.functional as F
    >>> F.rrelu(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.4583,  0.0000,  2.0000])
    """
    need_tensors("rrelu", input)
    if lower > upper:
        raise RuntimeError(f"[rrelu] lower bound must not exceed upper bound, got {lower} and {upper}")
    if not input.is_floating_point():
        raise NotImplementedError(f"[rrelu] not implemented for '{type_name(input.dtype)}'; convert it with .float()")
    if not training or input.is_meta:
        slope = (lower + upper) / 2
        if inplace:
            return in_place(leaky_relu, input, slope, name="RreluWithNoiseBackward1")
        return named(leaky_relu(input.contiguous(), slope), "RreluWithNoiseBackward0")
    # A slope is drawn for each element that is not positive, in order and in double precision, each step of it rounded, as PyTorch does.
    if not inplace:
        input = input.contiguous()
    negative = input.detach() <= 0
    slopes = taeda.ones_like(input.detach())
    drawn = taeda.rand(int(negative.sum().item()), dtype=taeda.float64, device=input.device).mul_(upper - lower).add_(lower)
    slopes = slopes.masked_scatter(negative, drawn.to(input.dtype))
    if inplace:
        return in_place(taeda.mul, input, slopes, name="RreluWithNoiseBackward1")
    return named(input * slopes, "RreluWithNoiseBackward0")


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """In-place :func:`rrelu`."""
    return rrelu(input, lower, upper, training, inplace=True)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x sigmoid(x).

    >>> import taeda, taeda.nn.functional as F
    >>> F.silu(taeda.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return (ops.silu_ if inplace else ops.silu)(input)


def _mish(x: Tensor) -> Tensor:
    if x.dtype in (taeda.float16, taeda.bfloat16):  # each part would be rounded, and its derivative's differences lose all digits
        return _mish(x.float()).to(x.dtype)
    return x * softplus(x).tanh()


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x tanh(softplus(x)) (Misra, 2019).

    >>> import taeda, taeda.nn.functional as F
    >>> F.mish(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.2525,  0.0000,  1.9440])
    """
    need_tensors("mish", input)
    return in_place(_mish, input, name="MishBackward0") if inplace else named(_mish(input), "MishBackward0")


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(x + 3, 0), 6) / 6.

    >>> import taeda, taeda.nn.functional as F
    >>> F.hardsigmoid(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1667, 0.5000, 0.8333])
    """
    need_tensors("hardsigmoid", input)
    return (ops.hardsigmoid_ if inplace else ops.hardsigmoid)(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x min(max(x + 3, 0), 6) / 6 (Howard et al., Searching for MobileNetV3, 2019).

    >>> import taeda, taeda.nn.functional as F
    >>> F.hardswish(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.3333,  0.0000,  1.6667])
    """
    need_tensors("hardswish", input)
    return (ops.hardswish_ if inplace else ops.hardswish)(input)


def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """Return x where abs(x) > lambd, else 0.

    >>> import taeda, taeda.nn.functional as F
    >>> F.hardshrink(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-2.,  0.,  2.])
    """
    need_tensors("hardshrink", input)
    return ops.hardshrink(input, lambd, out=out)


def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """Return x moved by lambd towards 0, and 0 where it would cross.

    Raises:
        RuntimeError: lambd is negative.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.softshrink(taeda.tensor([0.25, -1.0]))
    tensor([ 0.0000, -0.5000])
    """
    need_tensors("softshrink", input)
    return ops.softshrink(input, lambd, out=out)


def tanhshrink(input: Tensor) -> Tensor:
    """Return x - tanh(x).

    >>> import taeda, taeda.nn.functional as F
    >>> F.tanhshrink(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-1.0360,  0.0000,  1.0360])
    """
    need_tensors("tanhshrink", input)
    return input - input.tanh()


def softsign(input: Tensor) -> Tensor:
    """Return x / (1 + abs(x)).

    >>> import taeda, taeda.nn.functional as F
    >>> F.softsign(taeda.tensor([-2.0, 0.0, 2.0]))
    tensor([-0.6667,  0.0000,  0.6667])
    """
    need_tensors("softsign", input)
    return input / (input.abs() + 1)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return x where x > threshold, else value.

    With ``inplace`` into x itself.

    >>> import taeda, taeda.nn.functional as F
    >>> F.threshold(taeda.tensor([-2.0, 0.0, 2.0]), 0.5, 9.0)
    tensor([9., 9., 2.])
    """
    return (ops.threshold_ if inplace else ops.threshold)(input, threshold, value)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """In-place :func:`threshold`."""
    return ops.threshold_(input, threshold, value)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return a sigmoid(b), where a and b are the halves of x along ``dim``.

    Args:
        input: (..., 2 n, ...); the result has n there.

    Raises:
        RuntimeError: the size along dim is odd, or x is a scalar.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.glu(taeda.tensor([4.0, 0.0]))
    tensor([2.])
    """
    need_tensors("glu", input)
    return ops.glu(input, dim)


def _softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    dim = 0 if ndim in (0, 1, 3) else 1
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=min(stacklevel, 4),  # layers say 5, as PyTorch's, whose calls have a frame more
    )
    return dim


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return exp(x_i) / sum_j exp(x_j) along ``dim``.

    Args:
        input: any shape.
        dim: where the result sums to 1.
        dtype: cast to it first.

    >>> import taeda, taeda.nn.functional as F
    >>> F.softmax(taeda.zeros(4), dim=0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    need_tensors("softmax", input)
    if dim is None:
        dim = _softmax_dim("softmax", input.ndim, _stacklevel)
    return ops.softmax(input, dim) if dtype is None else ops.softmax(input, dim, dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return softmax(-x) along ``dim``.

    A tensor of the same shape; along ``dim`` the values add up to 1.

    >>> import taeda, taeda.nn.functional as F
    >>> F.softmin(taeda.tensor([-2.0, 0.0, 2.0]), dim=0)
    tensor([0.8668, 0.1173, 0.0159])
    """
    need_tensors("softmin", input)
    if dim is None:
        dim = _softmax_dim("softmin", input.ndim, _stacklevel)
    return ops.softmax(-input, dim) if dtype is None else ops.softmax(-input, dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """Return log(softmax(x)) along ``dim``, without overflow.

    >>> import taeda, taeda.nn.functional as F
    >>> F.log_softmax(taeda.zeros(2), dim=0)
    tensor([-0.6931, -0.6931])
    """
    need_tensors("log_softmax", input)
    if dim is None:
        dim = _softmax_dim("log_softmax", input.ndim, _stacklevel)
    return ops.log_softmax(input, dim) if dtype is None else ops.log_softmax(input, dim, dtype=dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """Sample from the Gumbel-softmax distribution (Jang et al., 2017).

    Args:
        logits: (..., n), unnormalised log probabilities.
        tau: temperature.
        hard: give one-hot samples whose gradient is that of the soft ones.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.gumbel_softmax(taeda.zeros(2, 3), hard=True).sum(1)
    tensor([1., 1.])
    """
    need_tensors("gumbel_softmax", logits)
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    drawn = taeda.empty_like(logits, memory_format=taeda.contiguous_format)  # in the order of the elements, however they lie
    noise = -drawn.exponential_().log()
    soft = ops.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one_hot = taeda.zeros_like(logits, memory_format=taeda.contiguous_format).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft

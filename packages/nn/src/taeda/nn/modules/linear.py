"""Linear layers: dense and bilinear maps, and the identity."""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.nn import functional as F, init
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter

__all__ = ["Bilinear", "Identity", "Linear"]


def dtype_cure(name: str, input: Any, weight: Tensor) -> str | None:
    """Say how to bring input and weight to one dtype, or None where they agree."""
    if isinstance(input, Tensor) and input.dtype != weight.dtype:
        got = f"{name} has {weight.dtype} weights and got a {input.dtype} input; did you mean"
        model, x = f"model.to({input.dtype})", f"x.to({weight.dtype})"
        if input.is_complex() and not weight.is_complex():  # its imaginary part would be lost
            return f"{got} {model}?"
        return f"{got} {x} or {model}?" if input.is_floating_point() else f"{got} {x}?"
    return None


class Identity(Module):
    """Return the input.  Takes and forgets any arguments.

    >>> from taeda import nn
    >>> nn.Identity(54, unused=True)(3)
    3
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """y = x W^T + b.

    Args:
        in_features: size of the last dimension of x.
        out_features: size of the last dimension of y.
        bias: whether there is a b.

    Shapes:
        x: (..., in_features); y: (..., out_features); weight: (out_features, in_features);
        bias: (out_features,).  Both are drawn from U(-k, k) with k = 1 / sqrt(in_features).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Linear(20, 30)(taeda.randn(128, 20)).shape
    taeda.Size([128, 30])
    """

    __constants__ = ["in_features", "out_features"]
    in_features: int
    out_features: int
    weight: Tensor
    bias: Tensor  # None without one; typed as in PyTorch, whose programs need not ask

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(taeda.empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(taeda.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return ops.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        x = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor) or x.ndim == 0:
            return None
        n, shape = self.in_features, tuple(x.shape)
        if shape[-1] == n:
            return dtype_cure("Linear", x, self.weight)
        line = f"Linear(in_features={n}) got {shape}"
        flat = math.prod(shape[1:])
        if len(shape) > 2 and flat == n:
            return f"{line}; did you mean nn.Flatten before it?"
        if (len(shape) > 2 and flat % n == 0) or len(shape) == 4:
            return f"{line}; did you mean nn.Flatten before it? That gives {flat} features: Linear(in_features={flat})"
        if len(shape) == 2 and shape[0] == n:
            return f"{line}; did you mean x.T?"
        if n == 1:
            return f"{line}; did you mean x.unsqueeze(-1)?"
        return f"{line}; its last dimension must be {n}, or the layer Linear(in_features={shape[-1]})"


class NonDynamicallyQuantizableLinear(Linear):
    """The output projection of ``MultiheadAttention``: a ``Linear`` under the name that PyTorch prints."""


class Bilinear(Module):
    """y_o = x1^T W_o x2 + b_o.

    Args:
        in1_features, in2_features: sizes of the last dimensions of x1 and x2.
        out_features: size of the last dimension of y.
        bias: whether there is a b.

    Shapes:
        x1: (..., in1_features); x2: (..., in2_features); y: (..., out_features);
        weight: (out_features, in1_features, in2_features).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Bilinear(20, 30, 40)(taeda.randn(8, 20), taeda.randn(8, 30)).shape
    taeda.Size([8, 40])
    """

    __constants__ = ["in1_features", "in2_features", "out_features"]
    weight: Tensor
    bias: Tensor  # None without one; typed as in PyTorch, whose programs need not ask

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if in1_features <= 0:
            raise ValueError(f"[Bilinear] in1_features must be > 0, but got {in1_features}")
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(taeda.empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(taeda.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        bound = 1 / math.sqrt(self.weight.shape[1])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )

"""Normalisation of single samples: by layer, group, root mean square, neighbouring channels."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.nn import functional as F, init
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(normalized_shape, numbers.Integral):
        return (int(normalized_shape),)
    return tuple(normalized_shape)  # type: ignore[arg-type]


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) weight + bias, over the last dimensions of each sample (Ba et al., 2016).

    Args:
        normalized_shape: those dimensions, a number for the last one.
        eps: added to the variance.
        elementwise_affine: whether there are weight and bias.
        bias: whether a bias goes with the weight.

    Shapes:
        x, y: (..., *normalized_shape); weight, bias: normalized_shape.

    Raises:
        RuntimeError: x does not end in normalized_shape.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LayerNorm([5, 10])(taeda.randn(20, 5, 10)).shape
    taeda.Size([20, 5, 10])
    """

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]
    weight: Tensor  # None without one, as in Linear
    bias: Tensor

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine

        def parameter() -> Parameter:
            return Parameter(taeda.empty(self.normalized_shape, device=device, dtype=dtype))

        self.register_parameter("weight", parameter() if elementwise_affine else None)
        self.register_parameter("bias", parameter() if elementwise_affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to 1 and the biases to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return ops.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        x = args[0] if args else kwargs.get("input")
        shape = self.normalized_shape
        if not isinstance(x, Tensor) or tuple(x.shape[-len(shape) :]) == shape:
            return None
        line = f"LayerNorm(normalized_shape={shape}) got {tuple(x.shape)}"
        if len(shape) == 1 and x.ndim > 2 and x.shape[1] == shape[0]:
            return f"{line}; it takes the last dimension: did you mean x.movedim(1, -1), or GroupNorm(1, {shape[0]})?"
        return f"{line}; its shape must end in {shape if len(shape) > 1 else shape[0]}"


class GroupNorm(Module):
    """y = (x - mean) / sqrt(var + eps) weight + bias, over groups of channels of each sample (Wu and He, 2018).

    Args:
        num_groups: divides num_channels.
        num_channels: C.
        eps: added to the variance.
        affine: whether there are weight and bias, one per channel.
        bias: whether a bias goes with the weight.

    Shapes:
        x, y: (B, C, ...); weight, bias: (C,).

    Raises:
        ValueError: num_groups does not divide num_channels.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.GroupNorm(3, 6)(taeda.randn(20, 6, 10, 10)).shape
    taeda.Size([20, 6, 10, 10])
    """

    __constants__ = ["num_groups", "num_channels", "eps", "affine"]
    weight: Tensor  # None without one, as in Linear
    bias: Tensor

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"[GroupNorm] num_channels must be divisible by num_groups, got {num_channels} and {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine

        def parameter() -> Parameter:
            return Parameter(taeda.empty(num_channels, device=device, dtype=dtype))

        self.register_parameter("weight", parameter() if affine else None)
        self.register_parameter("bias", parameter() if affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to 1 and the biases to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """y = x / sqrt(mean(x^2) + eps) weight, over the last dimensions (Zhang and Sennrich, 2019).

    Args:
        normalized_shape: those dimensions, a number for the last one.
        eps: None takes ``taeda.finfo(x.dtype).eps``.
        elementwise_affine: whether there is a weight.

    Shapes:
        x, y: (..., *normalized_shape); weight: normalized_shape.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.RMSNorm(3)(taeda.ones(2, 3)).shape
    taeda.Size([2, 3])
    """

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]
    weight: Tensor  # None without one, as in Linear

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(taeda.empty(self.normalized_shape, device=device, dtype=dtype))
        else:
            self.register_parameter("weight", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """y = x / (k + alpha mean of x^2 over ``size`` neighbouring channels)^beta (Krizhevsky et al., 2012).

    Shapes:
        x, y: (B, C, ...) of 3 dimensions or more.

    Args:
        size: channels that are looked at, half of them on each side.
        alpha, beta, k: as in the formula.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LocalResponseNorm(2)(taeda.randn(32, 5, 24, 24)).shape
    taeda.Size([32, 5, 24, 24])
    """

    __constants__ = ["size", "alpha", "beta", "k"]

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """y = x / (k + alpha / size sum of x^2 over neighbouring channels)^beta: Torch's form of ``LocalResponseNorm``.

    The neighbours of channel c are those less than r = floor((size + 1) / 2) away, and always channel 0: the running
    sum that defined this layer never lets it go.

    Shapes:
        x, y: (B, C, H, W).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CrossMapLRN2d(1, alpha=1.0, beta=1.0)(taeda.ones(1, 2, 1, 1)).flatten()
    tensor([0.5000, 0.3333])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() != 4:
            raise ValueError(f"[CrossMapLRN2d] Expected input to be 4D, got {input.dim()}D instead.")
        B, C, H, W = input.shape
        reach = min((self.size + 1) // 2, C)
        channel = taeda.arange(C, device=input.device)
        near = ((channel.unsqueeze(1) - channel).abs() < reach) | (channel == 0)
        squares = near.to(input.dtype) @ input.square().reshape(B, C, H * W)
        return input * (squares * (self.alpha / self.size) + self.k).pow(-self.beta).reshape(B, C, H, W)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"

"""Normalisation: by batch, layer, group, instance, root mean square (core's), neighbouring channels, length."""

from __future__ import annotations

import math
from collections.abc import Sequence

import taeda
from taeda import Tensor, ops
from taeda.nn.functional._common import need_tensors

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize", "rms_norm",
]  # fmt: skip


batch_norm = ops.batch_norm
group_norm = ops.group_norm
instance_norm = ops.instance_norm
layer_norm = ops.layer_norm
rms_norm = ops.rms_norm


def _verify_batch_size(size: Sequence[int]) -> None:
    """Raise ValueError where a channel of (B, C, ...) has one value, of which no statistics can be taken."""
    if math.prod(size[:1]) * math.prod(size[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {tuple(size)}")


def _verify_spatial_size(size: Sequence[int]) -> None:
    """Raise ValueError where a channel of one sample of (B, C, ...) has one value."""
    if math.prod(size[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {tuple(size)}")


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Return x / (k + alpha mean of x^2 over ``size`` neighbouring channels)^beta (Krizhevsky et al., 2012).

    Args:
        input: (B, C, L...).

    Raises:
        ValueError: input has fewer than 3 dimensions.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.local_response_norm(taeda.ones(1, 2, 1), 2, alpha=1.0, beta=1.0)
    tensor([[[0.6667],
             [0.5000]]])
    """
    need_tensors("local_response_norm", input)
    if input.ndim < 3:
        raise ValueError(
            f"[local_response_norm] Expected 3D or higher dimensionality input (got {input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    B, C = input.shape[:2]
    square = (input * input).reshape(B, 1, C, -1)
    square = ops.pad(square, (0, 0, size // 2, (size - 1) // 2))
    mean = ops.avg_pool2d(square, (size, 1), stride=1).reshape(input.shape)
    return input / (mean * alpha + k).pow(beta)


def normalize(
    input: Tensor, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Return x / max(norm_p(x), eps), the norm taken along ``dim``.

    Args:
        p: order of the norm.
        dim: along which it is taken, or several.
        eps: norms below it count as it, so that zeros stay zeros.
        out: tensor that the result is written to.

    >>> import taeda, taeda.nn.functional as F
    >>> F.normalize(taeda.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    need_tensors("normalize", input)
    denominator = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / denominator if out is None else taeda.div(input, denominator, out=out)

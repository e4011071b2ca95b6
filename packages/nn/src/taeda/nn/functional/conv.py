"""Linear maps: dense, bilinear, convolutions and their transposes.  The arithmetic is core's."""

from __future__ import annotations

from taeda import Tensor, ops
from taeda.nn.functional._common import need_tensors

__all__ = [
    "bilinear", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "linear",
]  # fmt: skip

linear = ops.linear
conv1d = ops.conv1d
conv2d = ops.conv2d
conv3d = ops.conv3d
conv_tbc = ops.conv_tbc
conv_transpose1d = ops.conv_transpose1d
conv_transpose2d = ops.conv_transpose2d
conv_transpose3d = ops.conv_transpose3d


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return y_o = x1^T W_o x2 + b_o.

    Args:
        input1: (..., n1).
        input2: (..., n2), the same leading dimensions.
        weight: (o, n1, n2).
        bias: (o,).

    Raises:
        RuntimeError: the shapes do not fit.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> F.bilinear(taeda.ones(1, 2), taeda.ones(1, 3), taeda.ones(4, 2, 3))
    tensor([[6., 6., 6., 6.]])
    """
    need_tensors("bilinear", input1, input2, weight)
    shapes = f"input1 {tuple(input1.shape)}, input2 {tuple(input2.shape)}, weight {tuple(weight.shape)}"
    if weight.ndim != 3 or input1.ndim == 0 or input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"[bilinear] inputs must agree in all but the last dimension and weight be 3-D, got {shapes}"
        )
    if input1.shape[-1] != weight.shape[1] or input2.shape[-1] != weight.shape[2]:
        raise RuntimeError(
            f"[bilinear] weight must be (out, input1's last size, input2's last size), got {shapes}"
        )
    o, n1, n2 = weight.shape
    lead = input1.shape[:-1]
    left = input1.reshape(-1, n1) @ weight.permute(1, 0, 2).reshape(n1, o * n2)
    y = (left.reshape(-1, o, n2) * input2.reshape(-1, 1, n2)).sum(-1).to(input1.dtype).reshape(*lead, o)
    return y if bias is None else y + bias

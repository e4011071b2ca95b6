"""Rounding to what a quantised tensor could hold, in floating point: training learns what the rounding costs.

The derivative passes through where the rounded value lies inside the range, and is 0 where it was cut off
(straight-through; Bengio et al. 2013, https://arxiv.org/abs/1308.3432).
"""

from __future__ import annotations

import operator
from typing import Any

from taeda.autograd.node import named
from taeda.dtype import NAMES, type_name
from taeda.operands import need_tensor
from taeda.ops.conversion import tensor
from taeda.ops.masking import where
from taeda.tensor_base import TensorBase

__all__ = ["fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine"]
PUBLIC = ("fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine")

FLOAT32, INT32 = NAMES["float32"], NAMES["int32"]
WIDE = (FLOAT32, NAMES["float64"])


def _check(op: str, x: Any, low: Any, high: Any) -> tuple[int, int]:
    need_tensor(op, "input", x)
    if not x.is_floating_point():
        raise NotImplementedError(f"[{op}] not implemented for '{type_name(x.dtype)}'; convert it with .float()")
    low, high = operator.index(low), operator.index(high)
    if low > high:
        raise RuntimeError(f"[{op}] quant_min must be less than or equal to quant_max, got {low} and {high}")
    return low, high


def _round(x: Any, scale: Any, zero: Any, low: int, high: int, name: str) -> Any:
    """Round x to multiples of scale around zero, both float32 that broadcast with x, or zero whole numbers."""
    plain = x.detach()
    steps = (plain if x.dtype in WIDE else plain.float()) * scale.reciprocal()
    # a zero point that is not a whole number shifts what is rounded
    steps = (steps + zero).round() if isinstance(zero, TensorBase) and zero.is_floating_point() else steps.round() + zero
    value = (steps.nan_to_num(low).clamp(low, high) - zero) * scale
    value = value if value.dtype is x.dtype else value.to(x.dtype)
    if not x.requires_grad:
        return value
    inside = (steps >= low) & (steps <= high)
    return named(where(inside, x - plain + value, value), name)


def fake_quantize_per_tensor_affine(input: Any, scale: Any, zero_point: Any, quant_min: int, quant_max: int) -> Any:
    """Round to what a quantised tensor could hold: (clamp(round(x / scale) + zero_point, quant_min, quant_max) - zero_point) scale.

    Args:
        input: floating point tensor of any shape.
        scale: a number, or a float32 tensor of one element that requires no grad.
        zero_point: a whole number within the range, or an integer tensor of one element.
        quant_min, quant_max: the range of the whole numbers.

    Raises:
        RuntimeError: the range is empty, zero_point (a number) lies outside, or a tensor has several elements.

    >>> import taeda
    >>> taeda.fake_quantize_per_tensor_affine(taeda.tensor([0.04, 0.26, 9.0]), 0.1, 0, 0, 15)
    tensor([0.0000, 0.3000, 1.5000])
    """
    op = "fake_quantize_per_tensor_affine"
    low, high = _check(op, input, quant_min, quant_max)
    name = "FakeQuantizePerTensorAffineCachemaskBackward0"
    if isinstance(scale, TensorBase) and isinstance(zero_point, TensorBase):
        name = "FakeQuantizePerTensorAffineCachemaskTensorQparamsBackward0"
        for what, t in (("scale", scale), ("zero_point", zero_point)):
            if t.numel() != 1:
                raise RuntimeError(f"[{op}] {what} should have one element, got shape {tuple(t.shape)}; "
                                   "fake_quantize_per_channel_affine takes one per channel")
            if t.requires_grad:
                raise RuntimeError(f"[{op}] is not differentiable with respect to {what}, which requires grad; use {what}.detach()")
        scale, zero = scale.reshape(()).float(), zero_point.reshape(()).to(INT32)
    else:
        if isinstance(zero_point, float):
            raise TypeError(f"[{op}] argument 'zero_point' must be int or Tensor, not float")
        zero = int(zero_point)
        if not low <= zero <= high:
            raise RuntimeError(f"[{op}] zero_point must be between quant_min and quant_max, got {zero} for {low} to {high}")
        scale = tensor(float(scale), dtype=FLOAT32, device=input.device)
        from taeda.amp.casting import is_autocast_enabled

        if input.dtype not in WIDE and is_autocast_enabled("cpu"):  # PyTorch's autocast knows this overload alone
            input = input.float()
    return _round(input, scale, zero, low, high, name)


def fake_quantize_per_channel_affine(input: Any, scale: Any, zero_point: Any, axis: int, quant_min: int, quant_max: int) -> Any:
    """Round to what a tensor quantised with one scale per channel could hold, as :func:`fake_quantize_per_tensor_affine`.

    Args:
        input: floating point tensor.
        scale: float32, (C,).
        zero_point: int32 within the range, or floating point; (C,).
        axis: the dimension of the C channels.
        quant_min, quant_max: the range of the whole numbers.

    Raises:
        RuntimeError: the range is empty, a zero point lies outside, or shapes or dtypes are others.
        IndexError: there is no such axis.

    >>> import taeda
    >>> x, scale = taeda.tensor([[0.26, 0.74], [0.26, 0.74]]), taeda.tensor([0.1, 0.5])
    >>> taeda.fake_quantize_per_channel_affine(x, scale, taeda.zeros(2, dtype=taeda.int32), 0, 0, 15)
    tensor([[0.3000, 0.7000],
            [0.5000, 0.5000]])
    """
    op = "fake_quantize_per_channel_affine"
    low, high = _check(op, input, quant_min, quant_max)
    if not 0 <= axis < input.dim():
        raise (IndexError if axis > 0 else RuntimeError)(
            f"[{op}] axis must be between 0 and the number of dimensions of input, got {axis} for shape {tuple(input.shape)}"
        )
    channels = (input.shape[axis],)
    for what, t in (("scale", scale), ("zero_point", zero_point)):
        need_tensor(op, what, t)
        if tuple(t.shape) != channels:
            raise RuntimeError(f"[{op}] {what} must have one element for each of {channels[0]} channels, got shape {tuple(t.shape)}")
    if scale.dtype != FLOAT32:
        raise RuntimeError(f"[{op}] Scale must be Float, found {scale.dtype}")
    if zero_point.dtype != INT32 and not zero_point.is_floating_point():
        raise RuntimeError(f"[{op}] Zero-point must be Int32, Float or Half, found {zero_point.dtype}")
    if zero_point.dtype == INT32 and not zero_point.is_meta and not bool(((zero_point >= low) & (zero_point <= high)).all()):
        raise RuntimeError(f"[{op}] zero_point must be between quant_min and quant_max, {low} to {high}, got {zero_point.tolist()}")
    shape = [-1 if d == axis else 1 for d in range(input.dim())]
    return _round(input, scale.detach().reshape(shape), zero_point.detach().reshape(shape), low, high,
                  "FakeQuantizePerChannelAffineCachemaskBackward0")

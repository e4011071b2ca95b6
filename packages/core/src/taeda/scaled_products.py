"""Products of matrices of eight-bit numbers: floats with the scales that they stand for, and integers.

>>> import taeda
>>> a = taeda.tensor([[1.0, 2.0]]).to(taeda.float8_e4m3fn)
>>> taeda._scaled_mm(a, a.t(), taeda.tensor(0.5), taeda.tensor(4.0), out_dtype=taeda.float32)
tensor([[10.]])
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor

__all__ = ["_convert_weight_to_int4pack_for_cpu", "_int_mm", "_scaled_mm", "_weight_int4pack_mm_for_cpu", "_weight_int8pack_mm",
           "scaled_product"]

_FACTORS = taeda.float32, taeda.float16, taeda.bfloat16
_BLOCK = 64             # rows of weights of four bits that are packed together


def by_tensor(scale: Tensor) -> bool:
    """Is it one scale?"""
    return scale.dtype is taeda.float32 and scale.numel() == 1


def of_size(scale: Tensor, size: tuple[int, int]) -> bool:
    """Are they scales of rows or columns, as they lie in memory?"""
    return scale.dtype is taeda.float32 and scale.is_contiguous() and tuple(scale.shape) == size


def scaled_product(
    op: str, a: Tensor, b: Tensor, scale_a: Tensor, scale_b: Tensor, by_rows: bool, bias: Tensor | None, dt: Any
) -> Tensor:
    r"""Return :math:`(s_a A)(s_b B) + bias`, added up in float32 and rounded once.

    Args:
        op: name for errors.
        a, b: matrices (M, K) and (K, N) of floats of one byte.
        scale_a, scale_b: float32; of one element, or ``by_rows`` of shapes (M, 1) and (1, N).
        by_rows: whether a row of ``a`` and a column of ``b`` has a scale of its own.
        bias: (N,), or None.
        dt: dtype of the result; None: that of ``a``.

    Raises:
        ValueError: for other shapes and dtypes.
    """
    for name, m in (("mat_a", a), ("mat_b", b)):
        if m.ndim != 2:
            raise ValueError(f"[{op}] {name} must be a matrix, got shape {tuple(m.shape)}")
    if a.shape[1] != b.shape[0]:
        shapes = " and ".join("x".join(map(str, m.shape)) for m in (a, b))
        raise ValueError(f"[{op}] mat_a and mat_b shapes cannot be multiplied ({shapes}); hint: B is (K, N), often w.t()")
    rows = (a.shape[0], 1), (1, b.shape[1])
    if by_rows:
        fits = all(of_size(s, size) for s, size in ((scale_a, rows[0]), (scale_b, rows[1])))
    else:
        fits = by_tensor(scale_a) and by_tensor(scale_b)
    if not fits or any(m.itemsize != 1 or not m.is_floating_point() for m in (a, b)):
        named = {"mat_a": a, "mat_b": b, "scale_a": scale_a, "scale_b": scale_b}
        found = ", ".join(f"{name} {m.dtype} {tuple(m.shape)}" for name, m in named.items())
        raise ValueError(
            f"[{op}] Invalid scaling configuration: the matrices must be float8; the scales float32, of one element each or, by rows, "
            f"contiguous of shapes {rows[0]} and {rows[1]}; got {found}"
        )
    if bias is not None and bias.numel() != b.shape[1]:
        raise ValueError(f"[{op}] Bias must be size {b.shape[1]} but got {bias.numel()}")
    with taeda.no_grad():
        y = (a.float() @ b.float()) * (scale_a * scale_b if by_rows else (scale_a * scale_b).reshape(()))
        if bias is not None:
            y += bias.reshape(-1)
        return y.to(a.dtype if dt is None else dt)


def _scaled_mm(
    input: Tensor,
    mat2: Tensor,
    scale_a: Tensor,
    scale_b: Tensor,
    bias: Tensor | None = None,
    scale_result: Tensor | None = None,
    out_dtype: Any = None,
    use_fast_accum: bool = False,
) -> Tensor:
    """Return the product of two matrices of float8 with their scales, one per matrix or one per row (see ``scaled_product``).

    ``scale_result`` and ``use_fast_accum`` are accepted: a result in float8 is not scaled, sums are always taken in float32.
    """
    by_rows = not (by_tensor(scale_a) and by_tensor(scale_b))
    return scaled_product("_scaled_mm", input, mat2, scale_a, scale_b, by_rows, bias, out_dtype)


def _int_mm(self: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the product of two matrices of bytes, (M, K) of int8 or uint8 and (K, N) of int8, added up in int32.

    Raises:
        RuntimeError: for other shapes and dtypes; ``out`` is int32 and has the result's shape.

    >>> import taeda
    >>> a = taeda.tensor([[100, 100]], dtype=taeda.int8)
    >>> taeda._int_mm(a, a.t())
    tensor([[20000]], dtype=taeda.int32)
    """
    shapes = f"{tuple(self.shape)} and {tuple(mat2.shape)}"
    if self.ndim != 2 or mat2.ndim != 2 or self.shape[1] != mat2.shape[0]:
        raise RuntimeError(f"[_int_mm] expected matrices (M, K) and (K, N), got shapes {shapes}")
    if self.dtype not in (taeda.int8, taeda.uint8) or mat2.dtype is not taeda.int8:
        raise RuntimeError(f"[_int_mm] expected int8 or uint8, and int8, got {self.dtype} and {mat2.dtype}")
    wanted = self.shape[0], mat2.shape[1]
    if out is not None and (out.dtype is not taeda.int32 or tuple(out.shape) != wanted):
        raise RuntimeError(f"[_int_mm] expected out of int32 and shape {wanted}, got {out.dtype} and {tuple(out.shape)}")
    y = self.to(taeda.int32) @ mat2.to(taeda.int32)
    return y if out is None else out.copy_(y)


def _factor(op: str, x: Tensor) -> None:
    """Check the left factor of a product with packed weights."""
    if x.ndim != 2 or x.dtype not in _FACTORS:
        raise RuntimeError(f"[{op}] expect A to be either 32-bit or 16-bit float tensor, and 2D tensor, got {x.dtype} of shape "
                           f"{tuple(x.shape)}; hint: flatten the dimensions before the last")


def _weight_int8pack_mm(self: Tensor, mat2: Tensor, scales: Tensor) -> Tensor:
    """Return ``(self @ mat2.t()) * scales``, added up in float32 and rounded once.

    Args:
        self: (M, K), of float32, float16 or bfloat16.
        mat2: (N, K), of int8.
        scales: (N,), of the dtype of ``self``.

    Raises:
        RuntimeError: for other shapes and dtypes.

    >>> import taeda
    >>> taeda._weight_int8pack_mm(taeda.tensor([[1.0, 2.0]]), taeda.tensor([[3, 4]], dtype=taeda.int8), taeda.tensor([0.5]))
    tensor([[5.5000]])
    """
    _factor("_weight_int8pack_mm", self)
    if mat2.dtype is not taeda.int8 or mat2.ndim != 2 or mat2.shape[1] != self.shape[1]:
        raise RuntimeError(f"[_weight_int8pack_mm] expect B to be int8 tensor of shape (N, {self.shape[1]}), got {mat2.dtype} of shape "
                           f"{tuple(mat2.shape)}")
    if scales.dtype is not self.dtype or tuple(scales.shape) != (mat2.shape[0],):
        raise RuntimeError(f"[_weight_int8pack_mm] expect scales to be 1d tensor with size {mat2.shape[0]} of {self.dtype}, got "
                           f"{scales.dtype} of shape {tuple(scales.shape)}")
    return ((self.float() @ mat2.t().float()) * scales.float()).to(self.dtype)


def _convert_weight_to_int4pack_for_cpu(self: Tensor, innerKTiles: int) -> Tensor:
    """Pack numbers of 0 to 15 by twos: rows by blocks of 64, a block column by column.

    A byte of a whole block has rows i and i + 32, one of the rest at the end rows 2i and 2i + 1, the first in the lower half.

    Args:
        self: (N, K) of int32; N is a multiple of 16, K even.
        innerKTiles: 2, 4 or 8; of no consequence.

    Returns:
        (N, K / 2) of uint8, for :func:`_weight_int4pack_mm_for_cpu`.

    Raises:
        RuntimeError: for other shapes and dtypes.
    """
    if self.dtype is not taeda.int32 or self.ndim != 2 or self.shape[0] % 16 or self.shape[1] % 2 or innerKTiles not in (2, 4, 8):
        raise RuntimeError("[_convert_weight_to_int4pack_for_cpu] expect N to be dividable by 16, K by 2, int32 and innerKTiles 2, 4 or 8, "
                           f"got {self.dtype} of shape {tuple(self.shape)} and {innerKTiles}")
    n, k = self.shape
    whole = n - n % _BLOCK
    halves = self[:whole].reshape(whole // _BLOCK, 2, _BLOCK // 2, k)   # block, half, row, column
    pairs = self[whole:].reshape((n - whole) // 2, 2, k)                # of the rest
    blocks = halves[:, 0] | halves[:, 1] << 4
    rest = pairs[:, 0] | pairs[:, 1] << 4
    return taeda.cat((blocks.mT.reshape(-1), rest.mT.reshape(-1))).to(taeda.uint8).view(n, k // 2)


def _unpacked(packed: Tensor) -> Tensor:
    """What ``_convert_weight_to_int4pack_for_cpu`` got."""
    n, k = packed.shape[0], 2 * packed.shape[1]
    whole = n - n % _BLOCK
    flat = packed.reshape(-1)
    blocks = flat[: whole * k // 2].view(whole // _BLOCK, k, _BLOCK // 2).mT
    rest = flat[whole * k // 2 :].view(k, (n - whole) // 2).mT
    return taeda.cat((taeda.stack((blocks & 15, blocks >> 4), 1).view(whole, k), taeda.stack((rest & 15, rest >> 4), 1).view(n - whole, k)))


def _weight_int4pack_mm_for_cpu(self: Tensor, mat2: Tensor, qGroupSize: int, qScaleAndZeros: Tensor) -> Tensor:
    """Return ``self @ W.t()``, added up in float32 and rounded once; W is ``(q - 8) * scale + zero`` of each group of columns.

    Args:
        self: (M, K), of float32, float16 or bfloat16.
        mat2: q, as :func:`_convert_weight_to_int4pack_for_cpu` gives it: (N, K / 2) of uint8.
        qGroupSize: 32, 64, 128 or 256; divides K.
        qScaleAndZeros: (K / qGroupSize, N, 2), of the dtype of ``self``.

    Raises:
        RuntimeError: for other shapes and dtypes.
    """
    op = "_weight_int4pack_mm_for_cpu"
    _factor(op, self)
    if mat2.dtype is not taeda.uint8 or mat2.ndim != 2 or mat2.shape[0] % 16 or 2 * mat2.shape[1] != self.shape[1]:
        raise RuntimeError(f"[{op}] expect B to be uint8 of shape (N, {self.shape[1]} / 2), N dividable by 16, got {mat2.dtype} of shape "
                           f"{tuple(mat2.shape)}")
    if qGroupSize not in (32, 64, 128, 256):
        raise RuntimeError(f"[{op}] expect qGroupSize to be 32, 64, 128 or 256, got {qGroupSize}")
    if self.shape[1] % qGroupSize:
        raise RuntimeError(f"[{op}] expect K to be divisible by qGroupSize, got K:{self.shape[1]}, qGroupSize:{qGroupSize}")
    wanted = self.shape[1] // qGroupSize, mat2.shape[0], 2
    if qScaleAndZeros.dtype is not self.dtype or tuple(qScaleAndZeros.shape) != wanted:
        raise RuntimeError(f"[{op}] expect qScaleAndZeros to be of {self.dtype} and shape {wanted}, got {qScaleAndZeros.dtype} of shape "
                           f"{tuple(qScaleAndZeros.shape)}")
    scale, zero = qScaleAndZeros.float().permute(2, 1, 0).unsqueeze(-1)         # each (N, groups, 1)
    weight = ((_unpacked(mat2).float() - 8).view(*wanted[1::-1], qGroupSize) * scale + zero).view(mat2.shape[0], -1)
    return (self.float() @ weight.t()).to(self.dtype)

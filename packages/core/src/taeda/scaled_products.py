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

__all__ = ["_int_mm", "_scaled_mm", "scaled_product"]


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

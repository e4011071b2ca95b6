"""Matrix products by groups, and those of scaled eight-bit numbers."""

from __future__ import annotations

import enum
from typing import Any, NoReturn

import taeda
from taeda import Tensor
from taeda.nn.functional._common import need_tensors
from taeda.scaled_products import scaled_product

__all__ = ["ScalingType", "SwizzleType", "grouped_mm", "scaled_grouped_mm", "scaled_mm"]


class ScalingType(enum.IntEnum):
    """What shares a scale: the whole tensor, a row, or a block of it."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(enum.IntEnum):
    """How the scales of blocks lie in memory."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


def grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    *,
    offs: Tensor | None = None,
    bias: Tensor | None = None,
    out_dtype: Any = None,
) -> Tensor:
    """Return the matrix products of groups of different sizes, as experts have them.

    Args:
        mat_a, mat_b: (M, K) and (G, K, N), group g takes the rows up to offs[g], the result is (M, N);
            (G, M, K) and (K, N), group g takes the columns up to offs[g], the result is (M, N);
            (M, K) and (K, N), group g takes the part of K up to offs[g], the result is (G, M, N);
            (G, M, K) and (G, K, N) without offs, the result is (G, M, N).
        offs: (G,) of int32, where each group ends; what lies behind the last is 0 in the result.
        bias: must be None.
        out_dtype: the operands' own, or None.

    Raises:
        RuntimeError: shapes, dtypes or offsets do not fit.

    >>> import taeda, taeda.nn.functional as F
    >>> ends = taeda.tensor([1, 3], dtype=taeda.int32)
    >>> F.grouped_mm(taeda.ones(3, 2), taeda.tensor([[[1.0], [1.0]], [[2.0], [2.0]]]), offs=ends).tolist()
    [[2.0], [4.0], [4.0]]
    """
    need_tensors("grouped_mm", mat_a, mat_b)
    shapes = f"mat_a {tuple(mat_a.shape)} and mat_b {tuple(mat_b.shape)}"
    for name, m in (("mat_a", mat_a), ("mat_b", mat_b)):
        if m.ndim not in (2, 3):
            raise RuntimeError(f"[grouped_mm] {name} has to be 2 or 3d, got shape {tuple(m.shape)}")
        if m.dtype not in (taeda.float32, taeda.bfloat16, taeda.float16):
            raise RuntimeError(
                f"[grouped_mm] Expected {name} to be Float32, BFloat16 or Float16 matrix, got {m.dtype}"
            )
    if mat_a.dtype is not mat_b.dtype:
        raise RuntimeError(f"[grouped_mm] expected one dtype, got {mat_a.dtype} and {mat_b.dtype}")
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError(f"[grouped_mm] contraction dimension of mat_a and mat_b must match, got {shapes}")
    if (offs is None) != (mat_a.ndim == mat_b.ndim == 3):
        raise RuntimeError(
            "[grouped_mm] Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d; got "
            f"{shapes}, offs {'absent' if offs is None else 'given'}"
        )
    if bias is not None:
        raise RuntimeError("[grouped_mm] Bias not supported yet; add it to the result")
    if out_dtype is not None and out_dtype is not mat_a.dtype:
        raise RuntimeError(
            f"[grouped_mm] Grouped gemm output dtype must match `mat_a` dtype, got {out_dtype} and {mat_a.dtype}"
        )
    if offs is None:
        if mat_a.shape[0] != mat_b.shape[0]:
            raise RuntimeError(f"[grouped_mm] batched dimension has to match, got {shapes}")
        return taeda.bmm(mat_a, mat_b)
    return _jagged(mat_a, mat_b, _bounds(offs, mat_a, mat_b))


def _bounds(offs: Tensor, mat_a: Tensor, mat_b: Tensor) -> list[tuple[int, int]]:
    """Return start and end of each group, cut to the size of what is grouped."""
    if offs.ndim != 1:
        raise RuntimeError(f"[grouped_mm] offs has to be 1D, got shape {tuple(offs.shape)}")
    if offs.dtype is not taeda.int32:
        raise RuntimeError(
            f"[grouped_mm] Offsets have to be int32, got {offs.dtype}; convert them with .int()"
        )
    for m in (mat_a, mat_b):
        if m.ndim == 3 and m.shape[0] != offs.shape[0]:
            raise RuntimeError(
                f"[grouped_mm] matrix batch sizes have to match, got {offs.shape[0]} offsets for shape {tuple(m.shape)}"
            )
    size = mat_b.shape[-1] if mat_a.ndim == 3 else mat_a.shape[0] if mat_b.ndim == 3 else mat_a.shape[1]
    ends = [min(int(end), size) for end in offs.tolist()]
    return [(start, max(start, end)) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _jagged(a: Tensor, b: Tensor, bounds: list[tuple[int, int]]) -> Tensor:
    if a.ndim == b.ndim:
        return taeda.stack([a[:, i:j] @ b[i:j] for i, j in bounds])
    if a.ndim == 2:
        parts, dim, rest = [a[i:j] @ b[g] for g, (i, j) in enumerate(bounds)], 0, a.shape[0]
    else:
        parts, dim, rest = [a[g] @ b[:, i:j] for g, (i, j) in enumerate(bounds)], 1, b.shape[1]
    rest -= sum(j - i for i, j in bounds)
    if rest > 0:
        parts.append(a.new_zeros((rest, b.shape[-1]) if dim == 0 else (a.shape[1], rest)))
    return taeda.cat(parts, dim)


def scaled_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    scale_a: Any,
    scale_recipe_a: Any,
    scale_b: Any,
    scale_recipe_b: Any,
    swizzle_a: Any = None,
    swizzle_b: Any = None,
    bias: Tensor | None = None,
    output_dtype: Any = taeda.bfloat16,
    contraction_dim: Any = (),
    use_fast_accum: bool = False,
) -> Tensor:
    r"""Return :math:`(s_a A)(s_b B) + bias` of matrices of eight-bit floats, added up in float32 and rounded once.

    Args:
        mat_a, mat_b: (M, K) and (K, N), float8.
        scale_a, scale_b: float32: of one element each (``ScalingType.TensorWise``), or (M, 1) and (1, N) (``RowWise``); also in a list
            of one.
        scale_recipe_a, scale_recipe_b: the ScalingType of the scales.
        swizzle_a, swizzle_b, contraction_dim, use_fast_accum: accepted; they choose kernels of GPUs.
        bias: (N,), or None.
        output_dtype: dtype of the result; None: that of ``mat_a``.

    Raises:
        ValueError: for other shapes or dtypes, and for scales of blocks, which PyTorch's CPU refuses too.

    >>> import taeda
    >>> from taeda.nn import functional as F
    >>> a = taeda.tensor([[1.0, 2.0]]).to(taeda.float8_e4m3fn)
    >>> s, kind = taeda.tensor(0.5), F.ScalingType.TensorWise
    >>> F.scaled_mm(a, a.t(), s, kind, s, kind, output_dtype=taeda.float32)
    tensor([[1.2500]])
    """
    need_tensors("scaled_mm", mat_a, mat_b)
    a, b, kind_a, kind_b = (_alone(x) for x in (scale_a, scale_b, scale_recipe_a, scale_recipe_b))
    need_tensors("scaled_mm", a, b)
    if kind_a != kind_b or kind_a not in (ScalingType.TensorWise, ScalingType.RowWise):
        raise ValueError(
            "[scaled_mm] Invalid scaling configuration: on the CPU both scales are TensorWise or both RowWise, "
            f"got {kind_a!r} and {kind_b!r}"
        )
    return scaled_product("scaled_mm", mat_a, mat_b, a, b, kind_a == ScalingType.RowWise, bias, output_dtype)


def _alone(x: Any) -> Any:
    """Return what a list of one holds, and anything else as it is."""
    return x[0] if isinstance(x, (list, tuple)) and len(x) == 1 else x


def scaled_grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    scale_a: Any,
    scale_recipe_a: Any,
    scale_b: Any,
    scale_recipe_b: Any,
    swizzle_a: Any = None,
    swizzle_b: Any = None,
    bias: Tensor | None = None,
    offs: Tensor | None = None,
    output_dtype: Any = taeda.bfloat16,
    contraction_dim: Any = (),
    use_fast_accum: bool = False,
) -> NoReturn:
    """Refuse as PyTorch does on the CPU.

    Raises:
        NotImplementedError: always.
    """
    need_tensors("scaled_grouped_mm", mat_a, mat_b)
    raise NotImplementedError(
        "[scaled_grouped_mm] there is no such product on the CPU, of any dtype; multiply the scaled matrices with grouped_mm"
    )

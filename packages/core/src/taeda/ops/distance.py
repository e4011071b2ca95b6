"""Distances between rows, and rows brought to a length."""

from __future__ import annotations

import math

from taeda.autograd.grad_mode import no_grad
from taeda.autograd.node import named, own
from taeda.dispatch import in_place
from taeda.dtype import bfloat16, float16, float32, promote_types
from taeda.operands import need_tensor, real_number, wrapped_dim
from taeda.ops.broadcasting import broadcast_shapes, broadcast_tensors
from taeda.ops.masking import where
from taeda.ops.matmul import write_result
from taeda.ops.norms import vector_norm
from taeda.ops.pairs import cdist_rows, pdist_rows
from taeda.tensor_base import TensorBase

__all__ = ["cdist", "cosine_similarity", "pairwise_distance", "pdist", "renorm", "renorm_"]
PUBLIC = ("cdist", "cosine_similarity", "pairwise_distance", "pdist", "renorm")

_MODES = {"use_mm_for_euclid_dist_if_necessary": 25, "use_mm_for_euclid_dist": 0, "donot_use_mm_for_euclid_dist": None}


def _rows(op, name, x):
    need_tensor(op, name, x)
    if not x.is_floating_point():
        raise RuntimeError(f"[{op}] only supports floating-point dtypes, {name} got: {x.dtype}; convert it with .float()")


def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """Return the distances of every row of x1 to every row of x2: y_ij = |x1_i - x2_j|_p.

    Args:
        x1: (..., P, M).
        x2: (..., R, M); the leading dimensions broadcast, the result is (..., P, R).
        p: from 0 to inf, as in :func:`taeda.norm`.
        compute_mode: how Euclidean distances are made of more than 25 rows: "use_mm_for_euclid_dist_if_necessary" by one
            matrix product, |a|^2 + |b|^2 - 2 a b, which is fast and cancels for near rows, or
            "donot_use_mm_for_euclid_dist"; "use_mm_for_euclid_dist" does so always.

    Raises:
        RuntimeError: the rows differ in length or dtype, are not floating point, or p is negative.

    >>> import taeda
    >>> taeda.cdist(taeda.zeros(1, 2), taeda.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    _rows("cdist", "x1", x1)
    _rows("cdist", "x2", x2)
    if compute_mode not in (*_MODES, None):
        raise ValueError(f"[cdist] {compute_mode} is not a valid value for compute_mode; it is one of {', '.join(_MODES)}")
    p = real_number("cdist", "p", p)
    shapes = f"{tuple(x1.shape)} and {tuple(x2.shape)}"
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"[cdist] only supports at least 2D tensors, {name} got: {x.ndim}D; shapes {shapes}")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"[cdist] X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}; "
                           f"shapes {shapes}")
    if x1.dtype is not x2.dtype:
        raise RuntimeError(f"[cdist] expected one dtype, got {x1.dtype} and {x2.dtype}")
    if not p >= 0:
        raise RuntimeError(f"[cdist] only supports non-negative p values, got {p}")
    limit = _MODES[compute_mode or "use_mm_for_euclid_dist_if_necessary"]
    if p == 2 and limit is not None and max(x1.shape[-2], x2.shape[-2]) > limit:
        return named(_euclidean(x1, x2), "ViewBackward0")
    if x1.ndim == x2.ndim == 2:
        return own(cdist_rows(x1.unsqueeze(0), x2.unsqueeze(0), p).squeeze(0), "CdistBackward0")
    if x1.ndim == x2.ndim == 3 and x1.shape[0] == x2.shape[0]:
        return cdist_rows(x1, x2, p)
    lead = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    a, b = (x.expand(*lead, *x.shape[-2:]).reshape(math.prod(lead), *x.shape[-2:]) for x in (x1, x2))
    return own(cdist_rows(a, b, p).reshape(*lead, x1.shape[-2], x2.shape[-2]), "CdistBackward0")


def _euclidean(a, b):
    """sqrt(|a|^2 + |b|^2 - 2 a b), with a derivative of 0 where it is 0."""
    square, product = (a * a).sum(-1, keepdim=True) + (b * b).sum(-1).unsqueeze(-2), a @ b.transpose(-1, -2)
    if not product.requires_grad:
        return square.sub_(product, alpha=2).clamp_min_(0).sqrt_()
    square = square - 2 * product
    none = square <= 0
    return square.masked_fill(none, 1).sqrt().masked_fill(none, 0)


def pdist(input, p=2):
    """Return the p-norm distances of all pairs of rows, in the order (0, 1), (0, 2), ..., (n - 2, n - 1).

    Args:
        input: (n, M); the result is (n (n - 1) / 2,).

    Raises:
        RuntimeError: ``input`` is not a floating-point matrix, or p is negative.

    >>> import taeda
    >>> taeda.pdist(taeda.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    if isinstance(input, TensorBase) and input.ndim != 2:
        raise RuntimeError(f"[pdist] only supports 2D tensors, got: {input.ndim}D; shape {tuple(input.shape)}")
    _rows("pdist", "input", input)
    if not p >= 0:
        raise RuntimeError(f"[pdist] only supports non-negative p values, got {p}")
    return pdist_rows(input, p)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """Return x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along ``dim``; the operands broadcast.

    >>> import taeda
    >>> taeda.cosine_similarity(taeda.tensor([[1.0, 0.0]]), taeda.tensor([[1.0, 0.0]]))
    tensor([1.])
    """
    for name, x in (("x1", x1), ("x2", x2)):
        need_tensor("cosine_similarity", name, x)
    eps = real_number("cosine_similarity", "eps", eps)
    common = promote_types(x1.dtype, x2.dtype)
    if not common.is_floating_point:
        raise RuntimeError(f"[cosine_similarity] expected common dtype to be floating point, yet common dtype is {common}")
    x1, x2 = broadcast_tensors(x1.to(common), x2.to(common))
    n1, n2 = (vector_norm(x, 2, dim, True).clone() for x in (x1, x2))
    with no_grad():                        # as in PyTorch: small norms are limited, their derivatives are not
        n1.clamp_(min=eps)
        n2.clamp_(min=eps)
    return ((x1 / n1) * (x2 / n2)).sum(dim)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """Return |x1 - x2 + eps|_p along the last dimension; the operands broadcast.

    >>> import taeda
    >>> taeda.pairwise_distance(taeda.tensor([[3.0, 4.0]]), taeda.zeros(1, 2))
    tensor([5.0000])
    """
    for name, x in (("x1", x1), ("x2", x2)):
        need_tensor("pairwise_distance", name, x)
    eps = real_number("pairwise_distance", "eps", eps)
    return named(vector_norm(x1 - x2 + eps, p, -1, keepdim), "NormBackward1")


def renorm(input, p, dim, maxnorm, *, out=None):
    """Scale down the slices along ``dim`` whose p-norm exceeds ``maxnorm``, to that norm.

    Raises:
        RuntimeError: ``input`` has fewer than two dimensions, p is not positive, or maxnorm is negative.

    >>> import taeda
    >>> taeda.renorm(taeda.tensor([[3.0, 4.0], [0.5, 0.0]]), 2, 0, 1)
    tensor([[0.6000, 0.8000],
            [0.5000, 0.0000]])
    """
    need_tensor("renorm", "input", input)
    p, maxnorm = real_number("renorm", "p", p), real_number("renorm", "maxnorm", maxnorm)
    if not p > 0:
        raise RuntimeError(f"[renorm] non-positive-norm not supported, got p={p}")
    if maxnorm < 0:
        raise RuntimeError(f"[renorm] expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(f"[renorm] input needs at least 2 dimensions, got shape {tuple(input.shape)}")
    kept = wrapped_dim("renorm", dim, input.ndim)
    wide = float32 if input.dtype in (float16, bfloat16) else None              # the factor alone is rounded
    norm = vector_norm(input, p, [i for i in range(input.ndim) if i != kept], True, dtype=wide)
    over = norm > maxnorm
    if not norm.requires_grad:
        scale = where(over, maxnorm / (norm + 1e-7), 1)
        return write_result(out, input.contiguous() * (scale.to(input.dtype) if wide else scale), "renorm")    # in rows, as in PyTorch
    # where nothing is scaled, no gradient may come from a division by a norm near 0
    scale = (maxnorm / (norm.masked_fill(~over, 1) + 1e-7)).masked_fill(~over, 1)
    return write_result(out, named(input.contiguous() * (scale.to(input.dtype) if wide else scale), "RenormBackward0"), "renorm")


def renorm_(input, p, dim, maxnorm):
    """In-place :func:`renorm`."""
    y = in_place("renorm_", renorm, input, p, dim, maxnorm)
    return y if y._base is not None else named(y, "RenormBackward0")


METHODS = {"renorm": renorm, "renorm_": renorm_}

"""Rows by index: embedding and one-hot vectors."""

from __future__ import annotations

import warnings

import taeda
from taeda import Tensor, ops
from taeda.autograd.forward_ad import _set_fwd_grad_enabled
from taeda.nn.functional._common import need_tensors

__all__ = ["embedding", "embedding_bag", "one_hot"]


def renormalise(weight: Tensor, index: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are used down to ``max_norm``, in place."""
    if index.dtype not in (taeda.int64, taeda.int32):
        return  # the lookup refuses it; as an index of rows it could be a mask
    with taeda.no_grad(), _set_fwd_grad_enabled(False):     # to neither kind of derivative the table was always so
        used = index.reshape(-1).unique()
        rows = weight[used]
        norms = rows.norm(norm_type, 1, keepdim=True)
        weight[used] = taeda.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of ``weight`` that ``input`` names.

    Args:
        input: integers of any shape (*).
        weight: (n, d); the result is (*, d).
        padding_idx: a row that gets no gradient.
        max_norm: rows that are used and longer than this are scaled down first, in ``weight`` itself.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it is used.
        sparse: the gradient of weight is a sparse tensor, a row for each index.

    Raises:
        IndexError: an index is out of range.
        AssertionError: padding_idx is out of range.

    >>> import taeda, taeda.nn.functional as F
    >>> F.embedding(taeda.tensor([1, 0]), taeda.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    need_tensors("embedding", input, weight)
    if max_norm is not None and not weight.is_meta:
        renormalise(weight, input, max_norm, norm_type)
    return ops.embedding(input, weight, padding_idx, scale_grad_by_freq, sparse)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the sum, mean or maximum of the rows of ``weight`` that each bag of ``input`` names.

    Args:
        input: integers (B, n), a bag a row; or (n,), cut into B bags at ``offsets``.
        weight: (rows, d); the result is (B, d), zero for empty bags.
        offsets: (B,) where each bag starts; with ``include_last_offset`` (B + 1,), the last one being n.
        max_norm: rows that are used and longer than this are scaled down first, in ``weight`` itself.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it is used.
        mode: sum, mean or max.
        sparse: the gradient of weight is a sparse tensor, a row for each number (not in mode max).
        per_sample_weights: of the input's shape, factors of the rows, in mode sum.
        padding_idx: a number that is left out of its bag.

    Raises:
        ValueError: shapes or modes that do not fit.
        RuntimeError: an index is out of range.

    >>> import taeda, taeda.nn.functional as F
    >>> F.embedding_bag(taeda.tensor([[0, 1]]), taeda.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 3.]])
    """
    need_tensors("embedding_bag", input, weight)
    if weight.dtype == taeda.int64 and input.is_floating_point():
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.", stacklevel=2,
        )
        input, weight = weight, input
    if sparse and mode == "max":
        raise ValueError("[embedding_bag] max mode does not support sparse weights")
    if max_norm is not None and not weight.is_meta:
        renormalise(weight, input, max_norm, norm_type)
    return ops.embedding_bag(
        input, weight, offsets, scale_grad_by_freq, mode, per_sample_weights, include_last_offset, padding_idx, sparse
    )


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return integers (*) as rows (*, num_classes) of zeros with a single 1.

    Args:
        tensor: int64.
        num_classes: -1 takes the largest value plus one.

    Raises:
        RuntimeError: a value is negative, or not below num_classes.

    >>> import taeda, taeda.nn.functional as F
    >>> F.one_hot(taeda.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    need_tensors("one_hot", tensor)
    return ops.one_hot(tensor, num_classes)

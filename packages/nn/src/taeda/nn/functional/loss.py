"""Losses for classes: likelihoods and cross entropies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import taeda
from taeda import Tensor, ops
from taeda.nn.functional._common import check_reduction, legacy_reduction, need_tensors, reduced
from taeda.operands import real_number

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "ctc_loss", "gaussian_nll_loss",
    "kl_div", "nll_loss", "poisson_nll_loss",
]  # fmt: skip


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return -log softmax(x)[target], or for a target of probabilities -sum_c target_c log softmax(x)_c.

    Args:
        input: logits, (C,), (B, C) or (B, C, ...).
        target: class numbers of input's shape without C, or probabilities of input's shape.
        weight: (C,), of each class.
        ignore_index: target that counts nothing.
        reduction: none, mean (over the weights of what counts) or sum.
        label_smoothing: how much of each target is spread over all classes.

    Raises:
        RuntimeError, ValueError, IndexError: shapes or classes do not fit.

    >>> import taeda, taeda.nn.functional as F
    >>> F.cross_entropy(taeda.zeros(2, 4), taeda.tensor([0, 3]))
    tensor(1.3863)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return -x[target]: the negative likelihood of log probabilities.

    Args:
        input: log probabilities, (C,), (B, C) or (B, C, ...).
        target: class numbers, input's shape without C.
        weight: (C,), of each class.
        ignore_index: target that counts nothing.

    >>> import taeda, taeda.nn.functional as F
    >>> F.nll_loss(taeda.tensor([[-0.5, -1.0]]), taeda.tensor([1]))
    tensor(1.)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.nll_loss(input, target, weight, ignore_index, reduction)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return -(t log x + (1 - t) log(1 - x)), logarithms not below -100.

    Args:
        input: probabilities in [0, 1].
        target: the same shape.
        weight: broadcasts to it.

    Raises:
        ValueError: the shapes differ.
        RuntimeError: a probability is outside [0, 1].

    >>> import taeda, taeda.nn.functional as F
    >>> F.binary_cross_entropy(taeda.tensor([0.5]), taeda.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return -(t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))), computed without overflow.

    Args:
        input: logits of any shape.
        target: the same shape.
        weight: broadcasts to it.
        pos_weight: factor of the first term, broadcasts.

    Raises:
        ValueError: the shapes differ.

    >>> import taeda, taeda.nn.functional as F
    >>> F.binary_cross_entropy_with_logits(taeda.tensor([0.0]), taeda.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return -log of the probability that the classes of each time spell the target (Graves et al., 2006).

    Args:
        log_probs: (T, N, C) or (T, C), logarithms of probabilities.
        targets: (N, S), (S,) or (sum of target_lengths,).
        input_lengths, target_lengths: (N,) or (), both tensors or both sequences.
        blank: the class that spells nothing.
        reduction: none, mean (of each loss over its target's length) or sum.
        zero_infinity: an infinite loss, that of a target too long for its input, counts 0 and has no gradient.

    Raises:
        RuntimeError: shapes, lengths or the blank do not fit.
        IndexError: a label is not a class.

    >>> import taeda, taeda.nn.functional as F
    >>> F.ctc_loss(taeda.full((2, 1, 2), 0.5).log(), taeda.tensor([[1]]), [2], [1]).exp()
    tensor(1.3333)
    """
    return ops.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return target (log target - x): the Kullback-Leibler divergence of log probabilities x.

    Args:
        input: log probabilities.
        target: probabilities, or with ``log_target`` their logarithms.
        reduction: none, batchmean (sum over the batch size: the mathematical one), sum, mean.

    >>> import taeda, taeda.nn.functional as F
    >>> F.kl_div(taeda.tensor([[0.5, 0.5]]).log(), taeda.tensor([[0.25, 0.75]]), reduction="batchmean")
    tensor(0.1308)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    need_tensors("kl_div", input, target)
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            f"[kl_div] Integral inputs not supported, got {input.dtype}; convert them with .float()"
        )
    return ops.kl_div(input, target, reduction, log_target)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return exp(x) - t x, or without ``log_input`` x - t log(x + eps): the Poisson likelihood of counts t.

    Args:
        full: add Stirling's approximation of log t! where t > 1.

    >>> import taeda, taeda.nn.functional as F
    >>> F.poisson_nll_loss(taeda.tensor([0.0]), taeda.tensor([1.0]))
    tensor(1.)
    """
    need_tensors("poisson_nll_loss", input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction("poisson_nll_loss", reduction)
    eps = real_number("poisson_nll_loss", "eps", eps)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        large = target > 1
        t = taeda.where(large, target, 1.0)
        stirling = t * t.log() - t + 0.5 * (2 * math.pi * t).log()
        loss = loss + taeda.where(large, stirling, taeda.zeros_like(stirling))
    return reduced("poisson_nll_loss", loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Return (log v + (x - t)^2 / v) / 2 with v = max(var, eps) (Nix and Weigend, 1994).

    Args:
        input: means.
        target: the same shape.
        var: that shape, or one value for the last dimension, or a number.
        full: add log(2 pi) / 2.

    Raises:
        ValueError: var has the wrong shape or a negative entry.

    >>> import taeda, taeda.nn.functional as F
    >>> F.gaussian_nll_loss(taeda.tensor([0.0]), taeda.tensor([1.0]), taeda.tensor([1.0]))
    tensor(0.5000)
    """
    need_tensors("gaussian_nll_loss", input, target)
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("[gaussian_nll_loss] var has negative entry/entries")
        v = taeda.full_like(input, var)
    elif var.shape != input.shape and tuple(input.shape[:-1]) == tuple(var.shape):
        v = var.unsqueeze(-1)
    else:
        v = var
    if v.shape != input.shape:
        if input.ndim != v.ndim or any(n not in (1, s) for n, s in zip(v.shape, input.shape, strict=True)):
            raise ValueError(
                f"[gaussian_nll_loss] var is of incorrect size {tuple(v.shape)} for input {tuple(input.shape)}"
            )
    check_reduction("gaussian_nll_loss", reduction)
    if not v.is_meta and bool((v < 0).any()):
        raise ValueError("[gaussian_nll_loss] var has negative entry/entries")
    # The limit must not stop the gradient of var, only of the value that is used.
    limited = v.clone()
    with taeda.no_grad():
        limited.clamp_(min=eps)
    loss = 0.5 * (limited.log() + (input - target) ** 2 / limited)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced("gaussian_nll_loss", loss, reduction)

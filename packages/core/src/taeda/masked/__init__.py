"""Reductions and normalisations that leave elements out: ``taeda.masked.mean(x, 1, mask=m)``, and tensors that carry their mask.

A mask is true where an element counts.  What is left out is replaced by what changes no result (0 in a sum, -inf in a maximum), so
a result of nothing at all is that value, and gradients of what is left out are 0.
"""

from __future__ import annotations

from taeda.masked import maskedtensor  # noqa: F401
from taeda.masked._ops import (
    amax,
    amin,
    argmax,
    argmin,
    cumprod,
    cumsum,
    log_softmax,
    logaddexp,
    logsumexp,
    mean,
    median,
    norm,
    normalize,
    prod,
    softmax,
    softmin,
    std,
    sum,
    var,
)
from taeda.masked.tensor import MaskedTensor, as_masked_tensor, is_masked_tensor, masked_tensor

__all__ = [
    "MaskedTensor", "amax", "amin", "argmax", "argmin", "as_masked_tensor", "cumprod", "cumsum", "is_masked_tensor",
    "log_softmax", "logaddexp", "logsumexp", "masked_tensor", "mean", "median", "norm", "normalize", "prod", "softmax",
    "softmin", "std", "sum", "var",
]  # fmt: skip

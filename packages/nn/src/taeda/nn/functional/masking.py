"""Dropout: zeros at random in training, nothing in evaluation."""

from __future__ import annotations

import warnings

from taeda import Tensor, ops
from taeda.nn.functional._common import need_tensors

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _check_probability(op: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"[{op}] dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability p and divide the others by 1 - p, so that the mean stays (Hinton et al., 2012).

    Outside of training the input comes back as it is.

    Raises:
        ValueError: p is not in [0, 1].

    >>> import taeda, taeda.nn.functional as F
    >>> F.dropout(taeda.ones(2), 0.5, training=False)
    tensor([1., 1.])
    """
    need_tensors("dropout", input)
    return ops.dropout(input, p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of (B, C, L) or (C, L) with probability p; divide the others by 1 - p.

    Raises:
        ValueError: p is not in [0, 1].
        RuntimeError: x has another number of dimensions.

    >>> import taeda, taeda.nn.functional as F
    >>> F.dropout1d(taeda.ones(1, 2, 2), 0.5, training=False).shape
    taeda.Size([1, 2, 2])
    """
    need_tensors("dropout1d", input)
    _check_probability("dropout1d", p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"[dropout1d] Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    batched = input.ndim == 3
    x = input if batched else input.unsqueeze(0)
    y = ops.feature_dropout(x, p, training, inplace)
    return input if inplace else y if batched else y.squeeze(0)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of (B, C, H, W) with probability p; divide the others by 1 - p.

    A 3-D input is taken as (B, C, L), as PyTorch still does, with its warning.

    Raises:
        ValueError: p is not in [0, 1].

    >>> import taeda, taeda.nn.functional as F
    >>> F.dropout2d(taeda.ones(1, 1, 2, 2), 0.5, training=False).shape
    taeda.Size([1, 1, 2, 2])
    """
    need_tensors("dropout2d", input)
    _check_probability("dropout2d", p)
    if input.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and will result in an "
            "error in a future release. To retain the behavior and silence this warning, please use dropout instead. "
            "Note that dropout2d exists to provide channel-wise dropout on inputs with 2 spatial dimensions, a "
            "channel dimension, and an optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=2,
        )
    elif input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change "
            "in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To "
            "maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return ops.feature_dropout(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of (B, C, D, H, W) or (C, D, H, W) with probability p; divide the others by 1 - p.

    Raises:
        ValueError: p is not in [0, 1].

    >>> import taeda, taeda.nn.functional as F
    >>> F.dropout3d(taeda.ones(1, 1, 2, 2, 2), 0.5, training=False).shape
    taeda.Size([1, 1, 2, 2, 2])
    """
    need_tensors("dropout3d", input)
    _check_probability("dropout3d", p)
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and will result in an "
            "error in a future release. To retain the behavior and silence this warning, please use dropout instead. "
            "Note that dropout3d exists to provide channel-wise dropout on inputs with 3 spatial dimensions, a "
            "channel dimension, and an optional batch dimension (i.e. 4D or 5D inputs).",
            stacklevel=2,
        )
    batched = input.ndim == 5
    x = input if batched else input.unsqueeze(0)
    y = ops.feature_dropout(x, p, training, inplace)
    return input if inplace else y if batched else y.squeeze(0)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Drop elements to SELU's negative limit and rescale, so that mean 0 and variance 1 stay (Klambauer et al., 2017).

    Raises:
        ValueError: p is not in [0, 1].

    >>> import taeda, taeda.nn.functional as F
    >>> F.alpha_dropout(taeda.ones(2), 0.5, training=False)
    tensor([1., 1.])
    """
    need_tensors("alpha_dropout", input)
    return ops.alpha_dropout(input, p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Apply ``alpha_dropout`` to whole channels of (B, C, ...).

    Raises:
        ValueError: p is not in [0, 1].

    >>> import taeda, taeda.nn.functional as F
    >>> F.feature_alpha_dropout(taeda.ones(1, 2, 2), 0.5, training=False).shape
    taeda.Size([1, 2, 2])
    """
    need_tensors("feature_alpha_dropout", input)
    return ops.feature_alpha_dropout(input, p, training, inplace)

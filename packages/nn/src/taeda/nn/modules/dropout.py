"""Dropout layers: zeros at random in training, nothing in evaluation."""

from __future__ import annotations

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.modules.module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    __constants__ = ["p", "inplace"]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if isinstance(p, str):
            raise TypeError(f"[{type(self).__name__}] p must be a number from 0 to 1, got the text {p!r}")
        if p < 0 or p > 1:
            raise ValueError(f"[{type(self).__name__}] dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """In training, zero each element with probability p and divide the others by 1 - p (Hinton et al., 2012).

    Args:
        p: in [0, 1].
        inplace: change the input itself.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Dropout(0.2).eval()(taeda.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """In training, zero whole channels of (B, C, L) or (C, L) with probability p (Tompson et al., 2015).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Dropout1d(1.0)(taeda.ones(1, 2, 2)).sum().item()
    0.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """In training, zero whole channels of (B, C, H, W) with probability p (Tompson et al., 2015).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Dropout2d(1.0)(taeda.ones(1, 2, 2, 2)).sum().item()
    0.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """In training, zero whole channels of (B, C, D, H, W) with probability p (Tompson et al., 2015).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Dropout3d(1.0)(taeda.ones(1, 2, 2, 2, 2)).sum().item()
    0.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout for self-normalising networks: mean 0 and variance 1 stay (Klambauer et al., 2017).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.AlphaDropout(0.2).eval()(taeda.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """``AlphaDropout`` of whole channels of (B, C, ...).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.FeatureAlphaDropout(0.2).eval()(taeda.ones(1, 1, 3)).tolist()
    [[[1.0, 1.0, 1.0]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)

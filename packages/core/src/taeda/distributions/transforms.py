"""Invertible functions of tensors with log |det dy/dx|: what densities are transformed by.

A transform maps its ``domain`` to its ``codomain``; the constraints' ``event_dim`` says how many dimensions it mixes,
and its log-determinant has none of those.  ``t.inv`` is the transform back.

>>> import taeda
>>> from taeda.distributions import AffineTransform, ComposeTransform, ExpTransform
>>> t = ComposeTransform([AffineTransform(1.0, 2.0), ExpTransform()])
>>> x = taeda.tensor([0.0, 1.0])
>>> t.inv(t(x)), t.log_abs_det_jacobian(x, t(x))
(tensor([0., 1.]), tensor([1.6931, 3.6931]))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.distribution import broadcast_all, sum_rightmost
from taeda.distributions.transform import (
    ComposeTransform,
    IndependentTransform,
    ReshapeTransform,
    Transform,
    _InverseTransform as _InverseTransform,
    at_least,
    identity_transform,
)  # fmt: skip
from taeda.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix
from taeda.tensor import Tensor

__all__ = [
    "AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform", "CumulativeDistributionTransform",
    "ExpTransform", "IndependentTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform",
    "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform", "StickBreakingTransform", "TanhTransform",
    "Transform", "identity_transform",
]  # fmt: skip


class _Plain(Transform):
    """A transform without parameters: any two are equal."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = object.__hash__


class _Elementwise(_Plain):
    """A rising bijection of each element."""

    domain = constraints.real
    bijective = True
    sign = 1


class ExpTransform(_Elementwise):
    """y = e^x.

    >>> import taeda
    >>> from taeda.distributions import ExpTransform
    >>> ExpTransform()(taeda.zeros(2))
    tensor([1., 1.])
    """

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """y = x^exponent, for positive x.

    >>> import taeda
    >>> from taeda.distributions import PowerTransform
    >>> PowerTransform(taeda.tensor(2.0))(taeda.tensor([1.0, 3.0]))
    tensor([1., 9.])
    """

    domain = codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @property
    def sign(self) -> Any:
        return self.exponent.sign()

    def with_cache(self, cache_size: int = 1) -> Any:
        return self if self._cache_size == cache_size else PowerTransform(self.exponent, cache_size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and bool((self.exponent == other.exponent).all())

    __hash__ = object.__hash__

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Any) -> Any:
        return taeda.broadcast_shapes(shape, self.exponent.shape)

    inverse_shape = forward_shape


def _clipped_sigmoid(x: Tensor) -> Tensor:
    """The sigmoid, kept within the dtype's numbers that are neither 0 nor 1; programs import it."""
    info = taeda.finfo(x.dtype)
    return x.sigmoid().clamp(info.tiny, 1.0 - info.eps)


class SigmoidTransform(_Elementwise):
    """y = 1 / (1 + e^-x).

    >>> import taeda
    >>> from taeda.distributions import SigmoidTransform
    >>> SigmoidTransform().inv(taeda.tensor(0.5))
    tensor(0.)
    """

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        return _clipped_sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        info = taeda.finfo(y.dtype)
        y = y.clamp(info.tiny, 1.0 - info.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -taeda.ops.softplus(-x) - taeda.ops.softplus(x)


class SoftplusTransform(_Elementwise):
    """y = log(1 + e^x).

    >>> import taeda
    >>> from taeda.distributions import SoftplusTransform
    >>> SoftplusTransform()(taeda.tensor(0.0))
    tensor(0.6931)
    """

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return taeda.ops.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -taeda.ops.softplus(-x)


class TanhTransform(_Elementwise):
    """y = tanh x; a sample keeps its x only with ``cache_size=1``, where y rounds to 1.

    >>> import taeda
    >>> from taeda.distributions import TanhTransform
    >>> TanhTransform()(taeda.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2.0 * (math.log(2.0) - x - taeda.ops.softplus(-2.0 * x))


class AbsTransform(_Plain):
    """y = |x|, whose inverse is y.

    >>> import taeda
    >>> from taeda.distributions import AbsTransform
    >>> AbsTransform()(taeda.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """y = loc + scale x.

    >>> import taeda
    >>> from taeda.distributions import AffineTransform
    >>> AffineTransform(loc=1.0, scale=2.0)(taeda.tensor([0.0, 3.0]))
    tensor([1., 7.])
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @property
    def domain(self) -> Any:
        return constraints.widened(constraints.real, self._event_dim)

    codomain = domain

    @property
    def sign(self) -> Any:
        return self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)

    def with_cache(self, cache_size: int = 1) -> Any:
        return self if self._cache_size == cache_size else AffineTransform(self.loc, self.scale, self._event_dim, cache_size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        pairs = ((self.loc, other.loc), (self.scale, other.scale))
        return all(bool((a == b).all()) if isinstance(a == b, Tensor) else bool(a == b) for a, b in pairs)

    __hash__ = object.__hash__

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = self.scale if isinstance(self.scale, Tensor) else taeda.full_like(x, self.scale)
        found = sum_rightmost(scale.abs().log().expand(taeda.broadcast_shapes(x.shape, scale.shape)), self._event_dim)
        return found.expand(x.shape[: x.dim() - self._event_dim]) if found.dim() < x.dim() - self._event_dim else found

    def forward_shape(self, shape: Any) -> Any:
        return taeda.broadcast_shapes(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    inverse_shape = forward_shape


class CumulativeDistributionTransform(Transform):
    """y = P(X <= x) under a distribution; its inverse are the quantiles.

    >>> import taeda
    >>> from taeda.distributions import CumulativeDistributionTransform, Normal
    >>> CumulativeDistributionTransform(Normal(0.0, 1.0))(taeda.tensor([0.0, 9.0]))
    tensor([0.5000, 1.0000])
    """

    bijective = True
    sign = 1
    codomain = constraints.unit_interval

    def __init__(self, distribution: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        return self.distribution.support

    def with_cache(self, cache_size: int = 1) -> Any:
        return self if self._cache_size == cache_size else CumulativeDistributionTransform(self.distribution, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)


class SoftmaxTransform(_Plain):
    """y = softmax of the last dimension; one of its inverses is log y.

    >>> import taeda
    >>> from taeda.distributions import SoftmaxTransform
    >>> SoftmaxTransform()(taeda.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()


class StickBreakingTransform(_Plain):
    """n numbers break a stick into n + 1 pieces: z_i = sigmoid(x_i - log(n - i)) of what is left is piece i.

    >>> import taeda
    >>> from taeda.distributions import StickBreakingTransform
    >>> StickBreakingTransform()(taeda.zeros(2)).sum()
    tensor(1.)
    """

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def _offset(self, x: Tensor) -> Tensor:
        n = x.shape[-1]
        return taeda.arange(n, 0, -1, dtype=x.dtype, device=x.device)

    def _call(self, x: Tensor) -> Tensor:
        z = _clipped_sigmoid(x - self._offset(x).log())
        left = (1 - z).cumprod(-1)
        one = x.new_ones((*x.shape[:-1], 1))
        return taeda.cat([z, one], -1) * taeda.cat([one, left], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        pieces = y[..., :-1]
        left = (1 - pieces.cumsum(-1)).clamp(min=taeda.finfo(y.dtype).tiny)
        return pieces.log() - left.log() + self._offset(pieces).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._offset(x).log()
        return (-taeda.ops.softplus(-x) - x + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        at_least(self, shape, 1)
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape: Any) -> Any:
        at_least(self, shape, 1)
        return shape[:-1] + (shape[-1] - 1,)


class LowerCholeskyTransform(_Plain):
    """The lower triangle of a matrix, with e to the diagonal.

    >>> import taeda
    >>> from taeda.distributions import LowerCholeskyTransform
    >>> LowerCholeskyTransform()(taeda.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class CorrCholeskyTransform(Transform):
    """n (n - 1) / 2 numbers to the factor of an n x n correlation matrix: tanh x fills the triangle, and each row takes what length
    the entries before leave of 1 (Lewandowski, Kurowicka and Joe, 2009).

    >>> import taeda
    >>> from taeda.distributions import CorrCholeskyTransform
    >>> CorrCholeskyTransform()(taeda.zeros(1))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = taeda.finfo(x.dtype).eps
        r = vec_to_tril_matrix(x.tanh().clamp(-1 + eps, 1 - eps), diag=-1)
        left = (1 - r**2).sqrt().cumprod(-1)
        r = r + taeda.eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return r * taeda.cat([taeda.ones_like(left[..., :1]), left[..., :-1]], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = 1 - (y * y).cumsum(-1)
        left = taeda.cat([taeda.ones_like(left[..., :1]), left[..., :-1]], -1)
        t = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(left, diag=-1).sqrt()
        return (t.log1p() - (-t).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        left = 1 - (y * y).cumsum(-1)
        rows = 0.5 * tril_matrix_to_vec(left, diag=-2).log().sum(-1)
        return rows - 2 * (x + taeda.ops.softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        at_least(self, shape, 1)
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError(f"[CorrCholeskyTransform] Input is not a flattened lower-diagonal number: {shape[-1]} entries")
        return shape[:-1] + (n, n)

    def inverse_shape(self, shape: Any) -> Any:
        at_least(self, shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError(f"[CorrCholeskyTransform] Input is not square: {tuple(shape)}")
        return shape[:-2] + (shape[-1] * (shape[-1] - 1) // 2,)


class PositiveDefiniteTransform(_Plain):
    """L L^T of the lower triangle with e to the diagonal.

    >>> import taeda
    >>> from taeda.distributions import PositiveDefiniteTransform
    >>> PositiveDefiniteTransform()(taeda.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        lower = LowerCholeskyTransform()(x)
        return lower @ lower.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(taeda.linalg.cholesky(y))


class _PartsTransform(Transform):
    """Transforms side by side along a dimension; a subclass says how a tensor is cut and put together."""

    transforms: list[Transform]
    dim: int

    @property
    def bijective(self) -> bool:
        return all(t.bijective for t in self.transforms)

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _call(self, x: Tensor) -> Tensor:
        return self._join([t(part) for t, part in zip(self.transforms, self._cut(x), strict=True)])

    def _inverse(self, y: Tensor) -> Tensor:
        return self._join([t.inv(part) for t, part in zip(self.transforms, self._cut(y), strict=True)])

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        parts = zip(self.transforms, self._cut(x), self._cut(y), strict=True)
        return self._join([t.log_abs_det_jacobian(a, b) for t, a, b in parts])


def _need_size(x: Tensor, dim: int, size: int) -> None:
    if not -x.dim() <= dim < x.dim() or x.size(dim) != size:
        raise AssertionError(f"[distributions] the transforms side by side take {size} entries along dim {dim}, got shape {tuple(x.shape)}")


class StackTransform(_PartsTransform):
    """Transform i of entry i along ``dim``.

    >>> import taeda
    >>> from taeda.distributions import AbsTransform, ExpTransform, StackTransform
    >>> StackTransform([ExpTransform(), AbsTransform()])(taeda.tensor([0.0, -2.0]))
    tensor([1., 2.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms, self.dim = [t.with_cache(cache_size) if cache_size else t for t in tseq], dim

    @property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def with_cache(self, cache_size: int = 1) -> Any:
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        _need_size(x, self.dim, len(self.transforms))
        return x.unbind(self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        return taeda.stack(parts, self.dim)


class CatTransform(_PartsTransform):
    """Transform i of the i-th run of entries along ``dim``, ``lengths[i]`` long (1 unless given).

    >>> import taeda
    >>> from taeda.distributions import AbsTransform, CatTransform, ExpTransform
    >>> CatTransform([ExpTransform(), AbsTransform()], lengths=[1, 2])(taeda.tensor([0.0, -2.0, -3.0]))
    tensor([1., 2., 3.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms, self.dim = [t.with_cache(cache_size) if cache_size else t for t in tseq], dim
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    @property
    def length(self) -> int:
        """The number of entries along ``dim``."""
        return sum(self.lengths)

    def with_cache(self, cache_size: int = 1) -> Any:
        return self if self._cache_size == cache_size else CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _cut(self, x: Tensor) -> Sequence[Tensor]:
        _need_size(x, self.dim, self.length)
        return x.split(self.lengths, self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        return taeda.cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        n = self.event_dim
        parts = [sum_rightmost(t.log_abs_det_jacobian(a, b), n - t.event_dim)
                 for t, a, b in zip(self.transforms, self._cut(x), self._cut(y), strict=True)]
        at = (self.dim if self.dim < 0 else self.dim - x.dim()) + n               # from the end of what no event takes
        return taeda.cat(parts, at) if at < 0 else sum(parts[1:], parts[0])

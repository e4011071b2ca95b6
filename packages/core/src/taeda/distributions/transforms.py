"""Distributions of functions of a random variable: y = f(x) has the density p(x) / |f'(x)|.

>>> import taeda
>>> from taeda.distributions import Normal
>>> d = TransformedDistribution(Normal(0.0, 1.0), [AffineTransform(1.0, 2.0)])
>>> d.log_prob(taeda.tensor(1.0)) == Normal(1.0, 2.0).log_prob(taeda.tensor(1.0))
tensor(True)
"""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.continuous import Normal
from taeda.distributions.distribution import Distribution
from taeda.tensor import Tensor

__all__ = [
    "AffineTransform", "ComposeTransform", "ExpTransform", "LogNormal", "SigmoidTransform", "TanhTransform", "Transform",
    "TransformedDistribution",
]  # fmt: skip


class Transform:
    """An invertible function of each element; ``transform(x)``, ``transform.inv(y)`` and log |dy/dx|.

    Args:
        cache_size: 1 keeps the last pair, so that the inverse of a sample is exact.
    """

    codomain: Any = constraints.real
    sign = 1

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"[Transform] cache_size must be 0 or 1, got {cache_size}")
        self.cache_size = cache_size
        self._last: Any = (None, None)

    def __call__(self, x: Tensor) -> Tensor:
        if self.cache_size and self._last[0] is x:
            return self._last[1]
        y = self._call(x)
        self._last = (x, y) if self.cache_size else self._last
        return y

    def inv(self, y: Tensor) -> Tensor:
        """Return the x with ``transform(x) == y``."""
        if self.cache_size and self._last[1] is y:
            return self._last[0]
        return self._inverse(y)

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log |dy/dx|."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ExpTransform(Transform):
    """y = e^x."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class SigmoidTransform(Transform):
    """y = 1 / (1 + e^-x)."""

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        info = taeda.finfo(x.dtype)
        return x.sigmoid().clamp(info.tiny, 1.0 - info.eps)

    def _inverse(self, y: Tensor) -> Tensor:
        info = taeda.finfo(y.dtype)
        y = y.clamp(info.tiny, 1.0 - info.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -taeda.ops.softplus(-x) - taeda.ops.softplus(x)


class TanhTransform(Transform):
    """y = tanh x; a sample keeps its x only with ``cache_size=1``, where y rounds to 1."""

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2.0 * (math.log(2.0) - x - taeda.ops.softplus(-2.0 * x))


class AffineTransform(Transform):
    """y = loc + scale x."""

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self.event_dim = loc, scale, event_dim

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = taeda.as_tensor(self.scale, dtype=x.dtype)
        found = scale.abs().log().expand(taeda.broadcast_shapes(x.shape, scale.shape))
        return found.sum(tuple(range(-self.event_dim, 0))) if self.event_dim else found


class ComposeTransform(Transform):
    """One transform after another."""

    def __init__(self, parts: list[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = list(parts)

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        return self.parts[-1].codomain if self.parts else constraints.real

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part.inv(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        total: Any = 0
        for part in self.parts:
            after = part(x)
            total = total + part.log_abs_det_jacobian(x, after)
            x = after
        return total


class TransformedDistribution(Distribution):
    """The distribution of transforms of a base distribution's values."""

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"[TransformedDistribution] transforms must be a Transform or a list of Transforms, got {transforms!r}")
        self.base_dist = base_distribution
        super().__init__(base_distribution.batch_shape, base_distribution.event_shape, validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return bool(self.base_dist.has_rsample)

    @property
    def support(self) -> Any:  # type: ignore[override]
        last = self.transforms[-1].codomain if self.transforms else self.base_dist.support
        n = len(self._event_shape) - last.event_dim
        return constraints.independent(last, n) if n > 0 else last

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return TransformedDistribution(self.base_dist.expand(batch_shape), self.transforms, self._validate_args)

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        event = len(self._event_shape)
        total: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            step = transform.log_abs_det_jacobian(x, y)
            n = event - getattr(transform, "event_dim", 0)
            total = total - (step.sum(tuple(range(-n, 0))) if n > 0 else step)
            y = x
        return total + self.base_dist.log_prob(y)

    def _direction(self) -> int:
        return math.prod(1 if not isinstance(t, AffineTransform) else int(math.copysign(1, float(t.scale))) for t in self.transforms)

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        found = self.base_dist.cdf(value)
        return found if self._direction() > 0 else 1 - found

    def icdf(self, value: Tensor) -> Tensor:
        return self._forward(self.base_dist.icdf(value if self._direction() > 0 else 1 - value))


class LogNormal(TransformedDistribution):
    """e^x with x from N(loc, scale^2).

    >>> LogNormal(0.0, 1.0).mean
    tensor(1.6487)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args), ExpTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithm."""
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the logarithm."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return LogNormal(self.loc.expand(batch_shape), self.scale.expand(batch_shape), self._validate_args)

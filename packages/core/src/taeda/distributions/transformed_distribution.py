"""Distributions of functions of a random variable: y = f(x) has the density p(x) / |det f'(x)|.

>>> import taeda
>>> from taeda.distributions import AffineTransform, Normal, TransformedDistribution
>>> d = TransformedDistribution(Normal(0.0, 1.0), [AffineTransform(1.0, 2.0)])
>>> d.log_prob(taeda.tensor(1.0)) == Normal(1.0, 2.0).log_prob(taeda.tensor(1.0))
tensor(True)
"""

from __future__ import annotations

import copy
import math
from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.continuous import Cauchy, Exponential, Normal, Uniform
from taeda.distributions.distribution import Distribution, Independent, broadcast_all, sum_rightmost
from taeda.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    PowerTransform,
    StickBreakingTransform,
    Transform,
)
from taeda.tensor import Tensor

__all__ = ["Gumbel", "HalfCauchy", "Kumaraswamy", "LogNormal", "LogisticNormal", "Pareto", "TransformedDistribution", "Weibull"]

EULER = 0.57721566490153286060


class TransformedDistribution(Distribution):
    """The distribution of transforms of a base distribution's values.

    Raises ValueError for what is not a transform, and for a base with fewer dimensions than the transforms mix.

    >>> import taeda
    >>> from taeda import distributions as D
    >>> from taeda.distributions import TransformedDistribution
    >>> d = TransformedDistribution(D.Normal(0.0, 1.0), [D.ExpTransform()])
    >>> d.log_prob(taeda.tensor(2.0)) == D.LogNormal(0.0, 1.0).log_prob(taeda.tensor(2.0))
    tensor(True)
    """

    arg_constraints: dict[str, Any] = {}

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms = list(transforms) if isinstance(transforms, (list, tuple)) else [transforms]
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"[TransformedDistribution] transforms must be a Transform or a list of Transforms, got {transforms!r}")
        whole = self._whole
        base_event, mixed = len(base_distribution.event_shape), whole.domain.event_dim
        shape = base_distribution.batch_shape + base_distribution.event_shape
        if len(shape) < mixed:
            raise ValueError(
                f"[TransformedDistribution] base_distribution needs to have shape with size at least {mixed}, but got {tuple(shape)}."
            )
        after = whole.forward_shape(shape)
        before = whole.inverse_shape(after)
        if tuple(before) != tuple(shape):                   # the transforms' parameters are a wider batch
            base_distribution = base_distribution.expand(before[: len(before) - base_event])
        if mixed > base_event:
            base_distribution = Independent(base_distribution, mixed - base_event)
        self.base_dist = base_distribution
        cut = len(after) - whole.codomain.event_dim - max(base_event - mixed, 0)
        super().__init__(after[:cut], after[cut:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return bool(self.base_dist.has_rsample)

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        return constraints.widened(self.transforms[-1].codomain, len(self._event_shape))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = copy.copy(self) if _instance is None else _instance
        shape = self._whole.inverse_shape(tuple(batch_shape) + tuple(self._event_shape))
        made.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        made.transforms = self.transforms
        return super().expand(batch_shape, made)

    def _parameters(self) -> dict[str, Tensor]:
        return {k: v for k, v in super()._parameters().items() if k in self.arg_constraints}

    @property
    def _whole(self) -> ComposeTransform:
        return ComposeTransform(self.transforms)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            return self._whole(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._whole(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        event = len(self._event_shape)
        total: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(transform.log_abs_det_jacobian(x, y), event - transform.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), event - len(self.base_dist.event_shape))

    def _upside_down(self, p: Tensor) -> Tensor:
        """Return p, or 1 - p where the transforms fall."""
        sign = self._whole.sign
        return p if isinstance(sign, int) and sign == 1 else sign * (p - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        x = self._whole.inv(value)                          # an end of the support is no value, but its cdf is 0 or 1
        if self._validate_args:
            self.base_dist._validate_sample(x)
        return self._upside_down(self.base_dist.cdf(x))

    def icdf(self, value: Tensor) -> Tensor:
        return self._whole(self.base_dist.icdf(self._upside_down(value)))


class LogNormal(TransformedDistribution):
    """e^x with x from N(loc, scale^2).

    >>> from taeda.distributions import LogNormal
    >>> LogNormal(0.0, 1.0).mean
    tensor(1.6487)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive

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


class LogisticNormal(TransformedDistribution):
    """The stick-breaking of a normal vector: n numbers become n + 1 shares.

    >>> import taeda
    >>> from taeda.distributions import LogisticNormal
    >>> LogisticNormal(taeda.zeros(2), taeda.ones(2)).event_shape
    taeda.Size([3])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args)
        super().__init__(base if base.batch_shape else base.expand((1,)), StickBreakingTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the normal vector."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations of the normal vector."""
        return self.base_dist.base_dist.scale


class Gumbel(TransformedDistribution):
    """loc - scale log(-log u) with u uniform: the largest of many.

    >>> from taeda.distributions import Gumbel
    >>> Gumbel(0.0, 1.0).mean
    tensor(0.5772)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        info = taeda.finfo(self.loc.dtype)
        base = Uniform(taeda.full_like(self.loc, info.tiny), taeda.full_like(self.loc, 1 - info.eps), validate_args)
        log = ExpTransform().inv
        super().__init__(base, [log, AffineTransform(0, -1), log, AffineTransform(self.loc, -self.scale)], validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + EULER)


class Weibull(TransformedDistribution):
    """scale e^(1 / concentration) with e exponential.

    >>> from taeda.distributions import Weibull
    >>> Weibull(2.0, 1.0).mean
    tensor(2.)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(taeda.ones_like(self.scale), validate_args)
        power = PowerTransform(self.concentration_reciprocal)
        super().__init__(base, [power, AffineTransform(0, self.scale)], validate_args)

    @property
    def concentration_reciprocal(self) -> Tensor:
        """1 / concentration."""
        return self.concentration.reciprocal()

    @property
    def mean(self) -> Tensor:
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        c = self.concentration
        return self.scale * ((c - 1) / c) ** c.reciprocal()

    @property
    def variance(self) -> Tensor:
        r = self.concentration_reciprocal
        return self.scale.pow(2) * ((1 + 2 * r).lgamma().exp() - (2 * (1 + r).lgamma()).exp())

    def entropy(self) -> Tensor:
        r = self.concentration_reciprocal
        return EULER * (1 - r) + (self.scale * r).log() + 1


class Pareto(TransformedDistribution):
    """scale e^x with x exponential of rate alpha: values from ``scale`` on.

    >>> from taeda.distributions import Pareto
    >>> Pareto(1.0, 3.0).mean
    tensor(1.5000)
    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        super().__init__(Exponential(self.alpha, validate_args), [ExpTransform(), AffineTransform(0, self.scale)], validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        a = self.alpha.clamp(min=1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha.clamp(min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())


class HalfCauchy(TransformedDistribution):
    """|x| with x from a Cauchy distribution around 0.

    >>> from taeda.distributions import HalfCauchy
    >>> HalfCauchy(1.0).mode
    tensor(0.)
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args), AbsTransform(), validate_args)

    @property
    def scale(self) -> Tensor:
        """The scale of the Cauchy distribution."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return taeda.full(self._extended(), math.inf, dtype=self.scale.dtype)

    @property
    def mode(self) -> Tensor:
        return taeda.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value = taeda.as_tensor(value, dtype=self.scale.dtype)
        return taeda.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Tensor) -> Tensor:
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)


class Kumaraswamy(TransformedDistribution):
    """(1 - u^(1 / b))^(1 / a) with u uniform: like a beta distribution, with a closed cdf 1 - (1 - x^a)^b.

    >>> from taeda.distributions import Kumaraswamy
    >>> Kumaraswamy(1.0, 1.0).mean
    tensor(0.5000)
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        a, b = self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(taeda.zeros_like(b), taeda.ones_like(b), validate_args)
        steps = [PowerTransform(b.reciprocal()), AffineTransform(1.0, -1.0), PowerTransform(a.reciprocal())]
        super().__init__(base, steps, validate_args)

    def _moment(self, n: int) -> Tensor:
        """E[x^n] = b B(1 + n / a, b)."""
        a, b = self.concentration1, self.concentration0
        first = 1 + n / a
        return (b.log() + first.lgamma() + b.lgamma() - (first + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return taeda.where((a < 1) | (b < 1), math.nan, ((a - 1) / (a * b - 1)) ** a.reciprocal())

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self._moment(1).pow(2)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * ((b + 1).digamma() + EULER) - a.log() - b.log()

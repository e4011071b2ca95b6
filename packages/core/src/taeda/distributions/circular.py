"""Distributions on an interval or a circle, and of excesses: von Mises, continuous Bernoulli, generalised Pareto."""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.discrete import OfOdds
from taeda.distributions.distribution import Distribution, all_true, broadcast_all, clamp_probs, lazy_property
from taeda.distributions.exponential_family import ExponentialFamily
from taeda.ops import binary_cross_entropy_with_logits
from taeda.tensor import Tensor

__all__ = ["ContinuousBernoulli", "GeneralizedPareto", "VonMises"]


class VonMises(Distribution):
    """e^(k cos(x - loc)) / (2 pi I_0(k)) for angles x, k the concentration: the normal distribution's like on a circle.

    Samples lie in [-pi, pi); they are drawn by rejection in float64 (Best and Fisher, 1979).

    >>> import taeda
    >>> from taeda.distributions import VonMises
    >>> VonMises(taeda.tensor(0.0), taeda.tensor(1.0)).log_prob(taeda.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean direction."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The circular variance 1 - I_1(k) / I_0(k)."""
        return 1 - taeda.special.i1e(self.concentration) / taeda.special.i0e(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            shape = self._extended(sample_shape)
            loc, k = self.loc.double(), self.concentration.double()
            tau = 1 + (1 + 4 * k**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            r = taeda.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))       # the formula cancels for small k
            x, done = taeda.zeros(shape, dtype=taeda.float64), taeda.zeros(shape, dtype=taeda.bool)
            while not done.all():
                u1, u2, u3 = taeda.rand((3, *shape), dtype=taeda.float64).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accept = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                x = taeda.where(accept, (u3 - 0.5).sign() * f.acos(), x)
                done |= accept
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        k = self.concentration
        return k * ((value - self.loc).cos() - 1) - math.log(2 * math.pi) - taeda.special.i0e(k).log()


class ContinuousBernoulli(OfOdds, ExponentialFamily):
    """C(p) p^x (1-p)^(1-x) for x between 0 and 1 (Loaiza-Ganem and Cunningham, 2019).

    Args:
        probs, logits: p, or its logit; exactly one of them.
        lims: where p is within them its functions are computed by their series about 1/2.

    >>> import taeda
    >>> from taeda.distributions import ContinuousBernoulli
    >>> ContinuousBernoulli(taeda.tensor([0.5])).log_prob(taeda.tensor([0.3]))
    tensor([0.])
    """

    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None
    ) -> None:
        value = self._take(probs, logits)
        self._lims = lims
        if probs is not None:
            if validate_args is not None and not all_true(constraints.unit_interval.check(value)):
                raise ValueError(f"[ContinuousBernoulli] The parameter probs has invalid values: {value}")
            self.probs = clamp_probs(value)
        super().__init__(value.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(ContinuousBernoulli, _instance)
        made._lims = self._lims
        return super().expand(batch_shape, made)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities, a rounding away from 0 and 1, where the formulas have no value."""
        return clamp_probs(self.logits.sigmoid())

    def _outside_unstable_region(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut_probs(self) -> Tensor:
        """The probabilities, the lower limit in place of those near 1/2."""
        return taeda.where(self._outside_unstable_region(), self.probs, self._lims[0] * taeda.ones_like(self.probs))

    def _either(self, far: Tensor, near: Any) -> Tensor:
        return taeda.where(self._outside_unstable_region(), far, near)

    def _cont_bern_log_norm(self) -> Tensor:
        """log C(p) = log |2 atanh(1 - 2p) / (1 - 2p)|."""
        p = self._cut_probs()
        far = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        x = (self.probs - 0.5) ** 2
        return self._either(far, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Tensor:
        p = self._cut_probs()
        x = self.probs - 0.5
        return self._either(p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log()), 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x**2) * x)

    @property
    def variance(self) -> Tensor:
        p = self._cut_probs()
        x = (self.probs - 0.5) ** 2
        far = p * (p - 1.0) / (1.0 - 2.0 * p) ** 2 + 1.0 / ((-p).log1p() - p.log()) ** 2
        return self._either(far, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(taeda.rand(self._extended(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._cont_bern_log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        p = self._cut_probs()
        inside = self._either((p**value * (1.0 - p) ** (1.0 - value) + p - 1.0) / (2.0 * p - 1.0), value)
        return taeda.where(value <= 0.0, 0.0, taeda.where(value >= 1.0, 1.0, inside))

    def icdf(self, value: Tensor) -> Tensor:
        p = self._cut_probs()
        far = ((-p + value * (2.0 * p - 1.0)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return self._either(far, value)

    def entropy(self) -> Tensor:
        rest, log_p = (-self.probs).log1p(), self.probs.log()
        return self.mean * (rest - log_p) - self._cont_bern_log_norm() - rest

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """log((e^x - 1) / x), by its series where p would be within the limits."""
        low, high = (limit - 0.5 for limit in self._lims)
        outside = (x <= low) | (x > high)
        cut = taeda.where(outside, x, low * taeda.ones_like(x))
        return taeda.where(outside, (cut.exp() - 1).abs().log() - cut.abs().log(), 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0)


class GeneralizedPareto(Distribution):
    """What exceeds a threshold: P(x > loc + scale z) = (1 + c z)^(-1 / c), e^-z for c = 0, c the concentration.

    As in PyTorch, the mean is NaN from a concentration of 1 on, the variance from 1/2 on, though both are infinite.

    >>> import taeda
    >>> from taeda.distributions import GeneralizedPareto
    >>> GeneralizedPareto(0.0, 1.0, 0.0).log_prob(taeda.tensor(2.0))
    tensor(-2.)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        top = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, taeda.where(self.concentration < 0, top, math.inf))

    @property
    def mean(self) -> Tensor:
        c = self.concentration
        return taeda.where(c < 1, self.loc + self.scale / (1 - c), math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        c = self.concentration
        return taeda.where(c < 0.5, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(taeda.rand(self._extended(sample_shape), dtype=self.loc.dtype))

    def _shape(self) -> tuple[Tensor, Tensor]:
        """Return whether the concentration is 0, and the concentration with 1 in its place."""
        zero = taeda.isclose(self.concentration, taeda.zeros_like(self.concentration))
        return zero, taeda.where(zero, 1.0, self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, c = self._shape()
        power = 1 / c + 1
        log = taeda.where(power == 0, power, power * (c * z).log1p())
        return -self.scale.log() - taeda.where(zero, z, log)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """Return log P(x > value)."""
        z = (value - self.loc) / self.scale
        zero, c = self._shape()
        return taeda.where(zero, -z, -(c * z).log1p() / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """Return the logarithm of ``cdf``."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        zero, c = self._shape()
        log_rest = (-value).log1p()
        return taeda.where(zero, self.loc - self.scale * log_rest, self.loc + self.scale * (-c * log_rest).expm1() / c)

    def entropy(self) -> Tensor:
        return (self.scale.log() + self.concentration + 1).expand(self._batch_shape)

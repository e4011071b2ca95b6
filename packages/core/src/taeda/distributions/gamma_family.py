"""The gamma family: gamma, chi-squared, beta, Dirichlet, Student's t, F, inverse gamma.

Their values are made of gamma variables, whose gradients are implicit: the quantile is kept while the parameter moves
(``taeda._standard_gamma_grad``, ``taeda._dirichlet_grad``).
"""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda.autograd import Function
from taeda.distributions import constraints
from taeda.distributions.distribution import Distribution, all_true, broadcast_all, standard_normal
from taeda.distributions.exponential_family import ExponentialFamily
from taeda.distributions.transformed_distribution import TransformedDistribution
from taeda.distributions.transforms import PowerTransform
from taeda.tensor import Tensor

__all__ = ["Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "InverseGamma", "StudentT"]


def at_least_tiny(value: Tensor) -> Tensor:
    """Raise a new value to the least normal number in place, without a trace in its gradient."""
    value.detach().clamp_(min=taeda.finfo(value.dtype).tiny)
    return value


class Gamma(ExponentialFamily):
    """rate^a x^(a-1) e^(-rate x) / Gamma(a) for x from 0 on, a the concentration.

    >>> import taeda
    >>> from taeda.distributions import Gamma
    >>> Gamma(2.0, 4.0).mean, Gamma(1.0, 2.0).log_prob(taeda.tensor(0.5))
    (tensor(0.5000), tensor(-0.3069))
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended(sample_shape)
        return at_least_tiny(taeda._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape))

    def log_prob(self, value: Any) -> Tensor:
        value = taeda.as_tensor(value, dtype=self.rate.dtype)
        self._validate_sample(value)
        a, rate = self.concentration, self.rate
        return taeda.xlogy(a, rate) + taeda.xlogy(a - 1, value) - rate * value - a.lgamma()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return taeda.special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1.0 - a) * a.digamma()

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return (x + 1).lgamma() + (x + 1) * (-y.reciprocal()).log()


class Chi2(Gamma):
    """The sum of ``df`` squares of standard normals: Gamma(df / 2, 1 / 2).

    >>> from taeda.distributions import Chi2
    >>> Chi2(3.0).mean
    tensor(3.)
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)
        if self._validate_args and not all_true(constraints.positive.check(self.concentration)):
            raise ValueError(f"[Chi2] Expected parameter df to satisfy the constraint {constraints.positive!r}, but found {self.df}")

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2


class _DirichletSample(Function):
    """Shares with the implicit gradient: what one concentration moves, all shares give way to alike."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        x = taeda._sample_dirichlet(concentration)
        ctx.save_for_backward(x, concentration)
        return x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, concentration = ctx.saved_tensors
        slope = taeda._dirichlet_grad(x, concentration, concentration.sum(-1, True).expand_as(concentration))
        return slope * (grad - (x * grad).sum(-1, True))


class Dirichlet(ExponentialFamily):
    """Shares x that add up to 1: Gamma(sum_k a_k) prod_k x_k^(a_k - 1) / Gamma(a_k).

    Args:
        concentration: (..., K), positive.

    >>> import taeda
    >>> from taeda.distributions import Dirichlet
    >>> d = Dirichlet(taeda.tensor([1.0, 3.0]))
    >>> d.mean, d.log_prob(taeda.tensor([0.5, 0.5]))
    (tensor([0.2500, 0.7500]), tensor(-0.2877))
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("[Dirichlet] `concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0.0)
        inside = above / above.sum(-1, True)
        corner = taeda.zeros_like(inside).scatter_(-1, inside.argmax(-1, keepdim=True), 1.0)
        return taeda.where((self.concentration < 1).all(-1, keepdim=True), corner, inside)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        found: Tensor = _DirichletSample.apply(self.concentration.expand(self._extended(sample_shape)))
        return found

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a = self.concentration
        return taeda.xlogy(a - 1.0, value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def entropy(self) -> Tensor:
        a, n = self.concentration, self.concentration.size(-1)
        total = a.sum(-1)
        return a.lgamma().sum(-1) - total.lgamma() - (n - total) * total.digamma() - ((a - 1.0) * a.digamma()).sum(-1)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()


class Beta(ExponentialFamily):
    """x^(a-1) (1-x)^(b-1) / B(a, b) for x between 0 and 1, a and b being concentration1 and concentration0.

    >>> import taeda
    >>> from taeda.distributions import Beta
    >>> Beta(2.0, 2.0).log_prob(taeda.tensor(0.5)), Beta(1.0, 3.0).mean
    (tensor(0.4055), tensor(0.2500))
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        both = taeda.stack(broadcast_all(concentration1, concentration0), -1)
        self._dirichlet = Dirichlet(both, validate_args=validate_args)
        super().__init__(self._dirichlet.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(Beta, _instance)
        made._dirichlet = self._dirichlet.expand(batch_shape)
        return super().expand(batch_shape, made)

    @property
    def concentration1(self) -> Tensor:
        """The power of x, plus 1."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """The power of 1 - x, plus 1."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._dirichlet.log_prob(taeda.stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        return self._dirichlet.entropy()

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return x.lgamma() + y.lgamma() - (x + y).lgamma()


class StudentT(Distribution):
    """loc + scale z / sqrt(c / df) with z standard normal and c from Chi2(df).

    >>> import taeda
    >>> from taeda.distributions import StudentT
    >>> StudentT(3.0).variance, StudentT(1.0).log_prob(taeda.tensor(0.0))
    (tensor(3.), tensor(-1.1447))
    """

    support = constraints.real
    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        df = self.df
        found = taeda.where(df > 2, self.scale.pow(2) * df / (df - 2), math.inf)
        return found.masked_fill(df <= 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        z = standard_normal(self._extended(sample_shape), self.df)
        return self.loc + self.scale * z * (Chi2(self.df, False).rsample(sample_shape) / self.df).rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        df = self.df
        z = (value - self.loc) / self.scale
        constant = self.scale.log() + 0.5 * (df.log() + math.log(math.pi)) + (0.5 * df).lgamma() - (0.5 * (df + 1.0)).lgamma()
        return -0.5 * (df + 1.0) * (z**2.0 / df).log1p() - constant

    def entropy(self) -> Tensor:
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = half.lgamma() + math.lgamma(0.5) - more.lgamma()
        return self.scale.log() + more * (more.digamma() - half.digamma()) + 0.5 * self.df.log() + log_beta


class FisherSnedecor(Distribution):
    """The ratio of two chi-squared variables, each over its degrees of freedom: F(df1, df2).

    >>> import taeda
    >>> from taeda.distributions import FisherSnedecor
    >>> FisherSnedecor(2.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        found = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return found.masked_fill(self.df1 <= 2, math.nan)

    @property
    def variance(self) -> Tensor:
        df1, df2 = self.df1, self.df2.masked_fill(self.df2 <= 4, math.nan)
        return 2 * df2.pow(2) * (df1 + df2 - 2) / (df1 * (df2 - 2).pow(2) * (df2 - 4))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        above, below = (Gamma(df * 0.5, df, False).rsample(sample_shape) for df in (self.df1, self.df2))
        return at_least_tiny(above / below)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        half1, half2, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        constant = (half1 + half2).lgamma() - half1.lgamma() - half2.lgamma()
        return constant + half1 * ratio.log() + (half1 - 1) * value.log() - (half1 + half2) * (ratio * value).log1p()


class InverseGamma(TransformedDistribution):
    """1 / x with x from Gamma(concentration, rate).

    >>> import taeda
    >>> from taeda.distributions import InverseGamma
    >>> InverseGamma(3.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True
    base_dist: Gamma

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(base, PowerTransform(-base.rate.new_ones(())), validate_args)

    @property
    def concentration(self) -> Tensor:
        """The concentration of 1 / x."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The rate of 1 / x."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        return taeda.where(self.concentration > 1, self.rate / (self.concentration - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return taeda.where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()

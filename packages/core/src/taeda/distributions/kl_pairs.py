"""Divergences between distributions of different families: -(entropy of p) - mean of log q(x) over x from p."""

from __future__ import annotations

import itertools
import math
from typing import Any

import taeda
from taeda.distributions.circular import ContinuousBernoulli
from taeda.distributions.continuous import Exponential, Laplace, Normal, Uniform
from taeda.distributions.discrete import Bernoulli, Binomial, Poisson
from taeda.distributions.distribution import LOG_2PI
from taeda.distributions.gamma_family import Beta, Gamma
from taeda.distributions.kl import inf_where, register_kl
from taeda.distributions.transformed_distribution import EULER, Gumbel, Pareto
from taeda.tensor import Tensor

__all__: list[str] = []


def _never(p: Any, q: Any) -> Tensor:
    """The support of p reaches beyond that of q."""
    like: Any = next(iter(vars(p).values())) if not hasattr(p, "mean") else p.mean
    return taeda.full(taeda.broadcast_shapes(p.batch_shape, q.batch_shape), math.inf, dtype=like.dtype)


_HALF_LINES, _BOUNDED = (Exponential, Gamma), (Beta, ContinuousBernoulli, Pareto, Uniform)
for _p, _q in (
    *itertools.product((Exponential, Gamma), _BOUNDED), *itertools.product((Gumbel, Laplace, Normal), (*_HALF_LINES, *_BOUNDED)),
    *itertools.product((Pareto,), (Beta, ContinuousBernoulli, Uniform)), *itertools.product((Poisson,), (Bernoulli, Binomial)),
    (Beta, Pareto), (ContinuousBernoulli, Pareto),
):  # fmt: skip
    register_kl(_p, _q)(_never)


def _square_over(loc: Tensor, variance: Tensor, q: Normal) -> Tensor:
    """The mean of -log q(x) for x of that mean and variance."""
    return 0.5 * (LOG_2PI + (variance + (loc - q.loc).pow(2)) / q.scale.pow(2)) + q.scale.log()


def _gamma_constant(q: Gamma) -> Tensor:
    return q.concentration.lgamma() - q.concentration * q.rate.log()


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
def _to_normal(p: Any, q: Normal) -> Tensor:
    return -p.entropy() + _square_over(p.mean, p.variance, q)


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
def _to_exponential(p: Any, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _unit_interval_uniform(p: Any, q: Uniform) -> Tensor:
    return inf_where((q.low > 0) | (q.high < 1), -p.entropy() + (q.high - q.low).log())


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    ours = p._cont_bern_log_norm() + (-p.probs).log1p()
    return p.mean * (p.logits - q.logits) + ours - q._cont_bern_log_norm() - (-q.probs).log1p()


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    found = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()
    return inf_where((p.high > 1) | (p.low < 0), found)


@register_kl(Beta, Gamma)
def _beta_gamma(p: Beta, q: Gamma) -> Tensor:
    mean_log = p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    return -p.entropy() + _gamma_constant(q) - (q.concentration - 1) * mean_log + q.rate * p.mean


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    a, ratio = q.concentration, q.rate / p.rate
    return -a * ratio.log() + ratio + a.lgamma() + a * EULER - (1 + EULER)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    product, loc = p.rate * q.scale, q.loc / q.scale
    return product.log() - 1 - loc + loc.exp() * product / (product + 1) + product.reciprocal()


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    a, product, loc = p.concentration, p.rate * q.scale, q.loc / q.scale
    ours = (a - 1) * a.digamma() - a.lgamma() - a
    return ours + product.log() + a / product + loc.exp() * (1 + product.reciprocal()).pow(-a) - loc


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    away, ratio = (p.loc - q.loc) / q.scale, p.scale / q.scale
    return away + (0.5 * ratio.pow(2) - away).exp() - ratio.log() - 0.5 * (1 + LOG_2PI)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    share, high, low = q.scale / (p.high - p.low), (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return share.log() + 0.5 * (high + low) - share * ((-high).exp() - (-low).exp())


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    away = p.loc - q.loc
    z = away / p.scale
    distance = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp() + away * taeda.erf(math.sqrt(0.5) * z)      # the mean |x - loc|
    return -(p.scale / q.scale).log() + distance / q.scale - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Pareto, q: Exponential) -> Tensor:
    product = p.scale * q.rate
    found = (p.alpha / product).log() - p.alpha.reciprocal() + p.alpha * product / (p.alpha - 1) - 1
    return inf_where(p.alpha <= 1, found)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Pareto, q: Gamma) -> Tensor:
    mean_log = p.scale.log() + p.alpha.reciprocal()
    found = p.alpha.log() - mean_log + _gamma_constant(q) + (1 - q.concentration) * mean_log - 1
    return inf_where(p.alpha <= 1, found + q.rate * p.alpha * p.scale / (p.alpha - 1))


@register_kl(Pareto, Normal)
def _pareto_normal(p: Pareto, q: Normal) -> Tensor:
    share = p.scale / (p.alpha - 1)
    spread = p.alpha * share.pow(2) / (p.alpha - 2) + (p.alpha * share - q.loc).pow(2)
    found = (math.sqrt(2 * math.pi) * q.scale * p.alpha / p.scale).log() - p.alpha.reciprocal() + spread / (2 * q.scale.pow(2)) - 1
    return inf_where(p.alpha <= 2, found)


def _mean_log(high: Tensor, low: Tensor) -> Tensor:
    """The mean of log x between two bounds."""
    return (taeda.xlogy(high, high) - taeda.xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    logs = (a - 1) * _mean_log(p.high, p.low) + (b - 1) * _mean_log(1 - p.low, 1 - p.high)
    return inf_where((p.high > 1) | (p.low < 0), a.lgamma() + b.lgamma() - (a + b).lgamma() - (p.high - p.low).log() - logs)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    return inf_where(p.low < 0, q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log())


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    logs = (1 - q.concentration) * _mean_log(p.high, p.low)
    return inf_where(p.low < 0, -(p.high - p.low).log() + _gamma_constant(q) + logs + q.rate * (p.high + p.low) / 2)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    ours = (q.alpha * q.scale.pow(q.alpha) * (p.high - p.low)).log()
    return inf_where(p.low < q.support.lower_bound, _mean_log(p.high, p.low) * (q.alpha + 1) - ours)

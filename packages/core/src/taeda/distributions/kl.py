"""The Kullback-Leibler divergence of two distributions: the mean of log p(x) - log q(x) over x from p.

Here are the road, and the rules for two of one family; kl_pairs.py has those for two families.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import taeda
from taeda.distributions.continuous import Cauchy, Exponential, HalfNormal, Laplace, Normal, Uniform
from taeda.distributions.discrete import Bernoulli, Binomial, Categorical, Geometric, OneHotCategorical, Poisson
from taeda.distributions.distribution import Distribution, Independent, sum_rightmost
from taeda.distributions.exponential_family import ExponentialFamily
from taeda.distributions.gamma_family import Beta, Dirichlet, Gamma
from taeda.distributions.matrices import LowRankMultivariateNormal, MultivariateNormal
from taeda.distributions.transformed_distribution import EULER, Gumbel, LogNormal, Pareto, TransformedDistribution
from taeda.tensor import Tensor

__all__ = ["kl_divergence", "register_kl"]

_KL_REGISTRY: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Callable[[Any, Any], Tensor]], Callable[[Any, Any], Tensor]]:
    """Make a function the rule for two classes, of distributions or that distributions inherit from, and for their subclasses.

    Raises TypeError for what is not a class.

    >>> from taeda.distributions import Normal, kl_divergence, register_kl
    >>> class Twice(Normal): ...
    >>> @register_kl(Twice, Normal)
    ... def _(p, q):
    ...     return p.loc
    >>> kl_divergence(Twice(3.0, 1.0), Normal(0.0, 1.0))
    tensor(3.)
    """
    for kind in (type_p, type_q):
        if not isinstance(kind, type):
            raise TypeError(f"[register_kl] expected a class, of distributions or that they inherit from, got {kind}")

    def register(rule: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
        _KL_REGISTRY[type_p, type_q] = rule
        return rule

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Return KL(p || q), by the rule of the nearest classes.

    Raises NotImplementedError where there is none.

    >>> from taeda.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    for a in type(p).__mro__:
        for b in type(q).__mro__:
            if (a, b) in _KL_REGISTRY:
                return _KL_REGISTRY[a, b](p, q)
    raise NotImplementedError(
        f"[kl_divergence] No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}; "
        "register_kl adds one"
    )


def inf_where(outside: Tensor, found: Tensor) -> Tensor:
    """Return infinity where ``outside`` holds (``p`` reaches beyond ``q``), else what was ``found``."""
    return taeda.where(outside, math.inf, found)


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(Normal(0 * p.scale, p.scale, False), Normal(0 * q.scale, q.scale, False))


@register_kl(LogNormal, LogNormal)
def _log_normal(p: LogNormal, q: LogNormal) -> Tensor:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * (-away / p.scale).exp() - 1


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    return inf_where((q.low > p.low) | (q.high < p.high), ((q.high - q.low) / (p.high - p.low)).log())


@register_kl(Uniform, Normal)
def _uniform_normal(p: Uniform, q: Normal) -> Tensor:
    width = p.high - p.low
    spread = (width / q.scale).pow(2) / 12 + ((p.high + p.low - 2 * q.loc) / 2 / q.scale).pow(2)
    return (math.sqrt(math.pi * 2) * q.scale / width).log() + 0.5 * spread


@register_kl(Exponential, Normal)
def _exponential_normal(p: Exponential, q: Normal) -> Tensor:
    square = q.scale.pow(2)
    rate_square = p.rate.pow(2)
    spread = (1 / rate_square - q.loc / p.rate + q.loc.pow(2) / 2) / square
    return 0.5 * (rate_square * square * 2 * math.pi).log() - 1 + spread


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


def _same_events(p: Any, q: Any, family: str) -> int:
    """Return how many numbers a value of each has; ValueError if it is not the same."""
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"[kl_divergence] KL-divergence between two {family} with different event shapes, {p.event_shape} and {q.event_shape}"
        )
    return int(p.event_shape[0])


def _batch_trace_XXT(bmat: Tensor) -> Tensor:
    """Return the trace of M M^T for matrices (..., n, m), under PyTorch's private name.

    >>> import taeda
    >>> from taeda.distributions.kl import _batch_trace_XXT
    >>> _batch_trace_XXT(taeda.tensor([[1.0, 2.0], [0.0, 3.0]]))
    tensor(14.)
    """
    return bmat.pow(2).sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    n = _same_events(p, q, "Multivariate Normals")
    turned = taeda.linalg.solve_triangular(q.scale_tril, p.scale_tril, upper=False)
    away = taeda.linalg.solve_triangular(q.scale_tril, (q.loc - p.loc).unsqueeze(-1), upper=False)
    squares = _batch_trace_XXT(turned) + _batch_trace_XXT(away)
    return q._half_log_det() - p._half_log_det() + 0.5 * (squares - n)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    softplus = taeda.ops.softplus
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones = taeda.where(p.probs == 0, 0.0, inf_where(q.probs == 0, ones))
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return ones + taeda.where(p.probs == 1, 0.0, inf_where(q.probs == 1, zeros))


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("[kl_divergence] KL between Binomials where q.total_count > p.total_count is not implemented")
    found = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return inf_where(p.total_count > q.total_count, found)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = inf_where(q.probs == 0, p.probs * (p.logits - q.logits))
    return taeda.where(p.probs == 0, 0.0, terms).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("[kl_divergence] two Independent with different reinterpreted_batch_ndims")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    same = len(p.transforms) == len(q.transforms) and all(a == b for a, b in zip(p.transforms, q.transforms, strict=False))
    if not same or p.event_shape != q.event_shape:
        raise NotImplementedError("[kl_divergence] two TransformedDistribution need the same transforms and event shapes")
    return kl_divergence(p.base_dist, q.base_dist)


# -- the gamma family --------------------------------------------------------------------------------


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    constants = total.lgamma() - b.sum(-1).lgamma() - (a.lgamma() - b.lgamma()).sum(-1)
    return constants + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, away = p.scale / q.scale, (q.loc - p.loc) / q.scale
    return -ratio.log() - away + ratio * EULER + (away + (1 + ratio).lgamma()).exp() - (1 + EULER)


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return inf_where(p.support.lower_bound < q.support.lower_bound, found)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """The Bregman divergence of the log-normaliser, for two of one family."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "[kl_divergence] The cross KL-divergence between different exponential families cannot be computed using Bregman "
            f"divergences, got {type(p).__name__} and {type(q).__name__}; register_kl adds a rule"
        )
    natural, normalizer, means = p._normalizer_and_means()
    theirs = q._natural_params
    found = q._log_normalizer(*theirs) - normalizer
    for a, b, mean in zip(natural, theirs, means, strict=True):
        found = found - sum_rightmost((b - a) * mean, mean.dim() - normalizer.dim())
    return found


# -- the low-rank normal: traces and distances without a matrix of n x n where there is a factor ----------


def _to_low_rank(p: Any, q: LowRankMultivariateNormal, factor: Tensor, diagonal: Any) -> Tensor:
    """KL from a normal with the covariance factor factor^T + diagonal, or without the second."""
    n = _same_events(p, q, "(Low Rank) Multivariate Normals")
    turned = q.cov_factor.mT / q.cov_diag.unsqueeze(-2)                 # W^T D^-1
    half = taeda.linalg.solve_triangular(q._capacitance_tril, turned, upper=False)
    trace = (factor.pow(2) / q.cov_diag.unsqueeze(-1)).sum((-2, -1)) - (half @ factor).pow(2).sum((-2, -1))
    if diagonal is not None:
        trace = trace + (diagonal / q.cov_diag).sum(-1) - (half.pow(2) * diagonal.unsqueeze(-2)).sum((-2, -1))
    return q._half_log_det() - p._half_log_det() + 0.5 * (trace + q._distance(q.loc - p.loc) - n)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: LowRankMultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    return _to_low_rank(p, q, p.cov_factor, p.cov_diag)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _normal_low_rank(p: MultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    return _to_low_rank(p, q, p.scale_tril, None)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_rank_normal(p: LowRankMultivariateNormal, q: MultivariateNormal) -> Tensor:
    n = _same_events(p, q, "(Low Rank) Multivariate Normals")
    spread = taeda.cat([p.cov_factor, p.cov_diag.sqrt().diag_embed()], -1)
    away, tril = (q.loc - p.loc).unsqueeze(-1), q.scale_tril
    squares = [taeda.linalg.solve_triangular(tril, x, upper=False).pow(2).sum((-2, -1)) for x in (spread, away)]
    return q._half_log_det() - p._half_log_det() + 0.5 * (squares[0] + squares[1] - n)

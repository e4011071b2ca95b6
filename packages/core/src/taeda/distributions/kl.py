"""The Kullback-Leibler divergence of two distributions: the mean of log p(x) - log q(x) over x from p."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import taeda
from taeda.distributions.continuous import Cauchy, Exponential, HalfNormal, Laplace, MultivariateNormal, Normal, Uniform
from taeda.distributions.discrete import Bernoulli, Binomial, Categorical, Geometric, OneHotCategorical, Poisson
from taeda.distributions.distribution import Distribution, Independent, sum_rightmost
from taeda.distributions.transformed_distribution import LogNormal, TransformedDistribution
from taeda.tensor import Tensor

__all__ = ["kl_divergence", "register_kl"]

_RULES: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Callable[[Any, Any], Tensor]], Callable[[Any, Any], Tensor]]:
    """Make a function the rule for two classes of distributions, and for their subclasses.

    Raises TypeError for what is no class of distributions.

    >>> class Twice(Normal): ...
    >>> @register_kl(Twice, Normal)
    ... def _(p, q):
    ...     return p.loc
    >>> kl_divergence(Twice(3.0, 1.0), Normal(0.0, 1.0))
    tensor(3.)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"[register_kl] expected a subclass of Distribution, got {kind}")

    def register(rule: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
        _RULES[type_p, type_q] = rule
        return rule

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Return KL(p || q), by the rule of the nearest classes.

    Raises NotImplementedError where there is none.

    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    for a in type(p).__mro__:
        for b in type(q).__mro__:
            if (a, b) in _RULES:
                return _RULES[a, b](p, q)
    raise NotImplementedError(
        f"[kl_divergence] No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}; "
        "register_kl adds one"
    )


def _inf_where(outside: Tensor, found: Tensor) -> Tensor:
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
    return _inf_where((q.low > p.low) | (q.high < p.high), ((q.high - q.low) / (p.high - p.low)).log())


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


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "[kl_divergence] KL-divergence between two Multivariate Normals with different event shapes, "
            f"{p.event_shape} and {q.event_shape}"
        )
    n = p.event_shape[0]
    turned = taeda.linalg.solve_triangular(q.scale_tril, p.scale_tril, upper=False)
    away = taeda.linalg.solve_triangular(q.scale_tril, (q.loc - p.loc).unsqueeze(-1), upper=False)
    squares = turned.pow(2).sum((-2, -1)) + away.pow(2).sum((-2, -1))
    return q._half_log_det() - p._half_log_det() + 0.5 * (squares - n)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    softplus = taeda.ops.softplus
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones = taeda.where(p.probs == 0, 0.0, _inf_where(q.probs == 0, ones))
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return ones + taeda.where(p.probs == 1, 0.0, _inf_where(q.probs == 1, zeros))


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("[kl_divergence] KL between Binomials where q.total_count > p.total_count is not implemented")
    found = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return _inf_where(p.total_count > q.total_count, found)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = _inf_where((q.probs == 0).expand_as(p.probs), p.probs * (p.logits - q.logits))
    return taeda.where((p.probs == 0).expand_as(terms), 0.0, terms).sum(-1)


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
    same = len(p.transforms) == len(q.transforms) and all(a is b for a, b in zip(p.transforms, q.transforms, strict=False))
    if not same or p.event_shape != q.event_shape:
        raise NotImplementedError("[kl_divergence] two TransformedDistribution need the same transforms and event shapes")
    return kl_divergence(p.base_dist, q.base_dist)

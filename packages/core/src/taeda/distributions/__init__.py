"""Probability distributions: PyTorch's ``torch.distributions``, as far as policies, autoencoders and regressions need them.

>>> import taeda
>>> from taeda.distributions import Categorical, Normal, kl_divergence
>>> policy = Categorical(logits=taeda.zeros(4))
>>> policy.log_prob(policy.sample())
tensor(-1.3863)
>>> kl_divergence(Normal(0.0, 1.0), Normal(0.0, 1.0))
tensor(0.)
"""

from __future__ import annotations

from taeda.distributions import constraints, kl, transforms
from taeda.distributions.continuous import Cauchy, Exponential, HalfNormal, Laplace, MultivariateNormal, Normal, Uniform
from taeda.distributions.discrete import Bernoulli, Binomial, Categorical, Geometric, OneHotCategorical, Poisson
from taeda.distributions.distribution import Distribution, Independent
from taeda.distributions.kl import kl_divergence, register_kl
from taeda.distributions.transforms import (
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    LogNormal,
    SigmoidTransform,
    TanhTransform,
    Transform,
    TransformedDistribution,
)

__all__ = [
    "AffineTransform", "Bernoulli", "Binomial", "Categorical", "Cauchy", "ComposeTransform", "Distribution", "ExpTransform", "Exponential",
    "Geometric", "HalfNormal", "Independent", "Laplace", "LogNormal", "MultivariateNormal", "Normal", "OneHotCategorical", "Poisson",
    "SigmoidTransform", "TanhTransform", "Transform", "TransformedDistribution", "Uniform", "constraints", "kl", "kl_divergence",
    "register_kl", "transforms",
]  # fmt: skip

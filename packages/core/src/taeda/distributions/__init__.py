"""Probability distributions: PyTorch's ``torch.distributions``, whole.

>>> import taeda
>>> from taeda.distributions import Categorical, Normal, kl_divergence
>>> policy = Categorical(logits=taeda.zeros(4))
>>> policy.log_prob(policy.sample())
tensor(-1.3863)
>>> kl_divergence(Normal(0.0, 1.0), Normal(0.0, 1.0))
tensor(0.)
"""

from __future__ import annotations

import sys
import types
from typing import Any

from taeda.distributions import (  # noqa: F401
    constraint_registry,
    constraints,
    distribution,
    kl,
    kl_pairs,
    transformed_distribution,
    transforms,
    utils,
)
from taeda.distributions.circular import ContinuousBernoulli, GeneralizedPareto, VonMises
from taeda.distributions.constraint_registry import biject_to, transform_to
from taeda.distributions.continuous import Cauchy, Exponential, HalfNormal, Laplace, Normal, Uniform
from taeda.distributions.discrete import Bernoulli, Binomial, Categorical, Geometric, NegativeBinomial, OneHotCategorical, Poisson
from taeda.distributions.distribution import Distribution, Independent
from taeda.distributions.exponential_family import ExponentialFamily
from taeda.distributions.gamma_family import Beta, Chi2, Dirichlet, FisherSnedecor, Gamma, InverseGamma, StudentT
from taeda.distributions.kl import kl_divergence, register_kl
from taeda.distributions.matrices import LKJCholesky, LowRankMultivariateNormal, MultivariateNormal, Wishart
from taeda.distributions.mixture_same_family import MixtureSameFamily, Multinomial
from taeda.distributions.relaxed import (
    ExpRelaxedCategorical,
    LogitRelaxedBernoulli,
    OneHotCategoricalStraightThrough,
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
)
from taeda.distributions.transformed_distribution import (
    Gumbel,
    HalfCauchy,
    Kumaraswamy,
    LogisticNormal,
    LogNormal,
    Pareto,
    TransformedDistribution,
    Weibull,
)
from taeda.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy", "Chi2",
    "ComposeTransform", "ContinuousBernoulli", "CorrCholeskyTransform", "CumulativeDistributionTransform", "Dirichlet", "Distribution",
    "ExpTransform", "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma", "GeneralizedPareto", "Geometric", "Gumbel",
    "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform", "InverseGamma", "Kumaraswamy", "LKJCholesky", "Laplace",
    "LogNormal", "LogisticNormal", "LowRankMultivariateNormal", "LowerCholeskyTransform", "MixtureSameFamily", "Multinomial",
    "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson",
    "PositiveDefiniteTransform", "PowerTransform", "RelaxedBernoulli", "RelaxedOneHotCategorical", "ReshapeTransform", "SigmoidTransform",
    "SoftmaxTransform", "SoftplusTransform", "StackTransform", "StickBreakingTransform", "StudentT", "TanhTransform", "Transform",
    "TransformedDistribution", "Uniform", "VonMises", "Weibull", "Wishart", "biject_to", "identity_transform",
    "kl_divergence", "register_kl", "transform_to",
]  # fmt: skip

# PyTorch has a module for each distribution, and programs import from those
_FILES: dict[str, list[Any]] = {
    "bernoulli": [Bernoulli], "binomial": [Binomial], "categorical": [Categorical], "cauchy": [Cauchy], "exponential": [Exponential],
    "geometric": [Geometric], "gumbel": [Gumbel], "half_cauchy": [HalfCauchy], "half_normal": [HalfNormal], "independent": [Independent],
    "kumaraswamy": [Kumaraswamy], "laplace": [Laplace], "log_normal": [LogNormal], "logistic_normal": [LogisticNormal],
    "multinomial": [Multinomial], "multivariate_normal": [MultivariateNormal], "normal": [Normal],
    "one_hot_categorical": [OneHotCategorical, OneHotCategoricalStraightThrough], "pareto": [Pareto], "poisson": [Poisson],
    "beta": [Beta], "chi2": [Chi2], "continuous_bernoulli": [ContinuousBernoulli], "dirichlet": [Dirichlet],
    "exp_family": [ExponentialFamily], "fishersnedecor": [FisherSnedecor], "gamma": [Gamma], "generalized_pareto": [GeneralizedPareto],
    "inverse_gamma": [InverseGamma], "lkj_cholesky": [LKJCholesky], "lowrank_multivariate_normal": [LowRankMultivariateNormal],
    "negative_binomial": [NegativeBinomial],
    "studentT": [StudentT], "von_mises": [VonMises], "wishart": [Wishart],
    "relaxed_bernoulli": [RelaxedBernoulli, LogitRelaxedBernoulli],
    "relaxed_categorical": [RelaxedOneHotCategorical, ExpRelaxedCategorical], "uniform": [Uniform], "weibull": [Weibull],
}  # fmt: skip


class _File(types.ModuleType):
    """A module of PyTorch's: its classes, and what programs take from it that it has imported itself."""

    _stands_for: list[Any]
    _source: types.ModuleType

    def __getattr__(self, name: str) -> Any:
        for module in (self._source, sys.modules[__package__], utils):
            if name in vars(module) and not name.startswith("__"):
                return vars(module)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


for _file, _classes in _FILES.items():
    _module = _File(f"{__name__}.{_file}", f"The name that PyTorch has for the place of {_classes[0].__name__}.")
    _module._stands_for, _module._source = _classes, sys.modules[_classes[0].__module__]
    vars(_module).update({c.__name__: c for c in _classes}, __all__=[c.__name__ for c in _classes])
    globals()[_file] = sys.modules[_module.__name__] = _module

"""Mixtures of distributions of one family, and counts of the classes of several draws."""

from __future__ import annotations

from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.discrete import Binomial, Categorical, OfClasses
from taeda.distributions.distribution import Distribution
from taeda.tensor import Tensor

__all__ = ["MixtureSameFamily", "Multinomial"]


class MixtureSameFamily(Distribution):
    """Draw a component, then a value of it: p(x) = sum_k w_k p_k(x).

    Args:
        mixture_distribution: a Categorical of K components.
        component_distribution: a distribution whose last batch dimension has K.

    Raises:
        ValueError: the first is no Categorical, or the batch shapes do not fit.

    >>> import taeda
    >>> from taeda.distributions import Categorical, MixtureSameFamily, Normal
    >>> d = MixtureSameFamily(Categorical(taeda.ones(2)), Normal(taeda.tensor([-1.0, 1.0]), 1.0))
    >>> d.mean, d.variance
    (tensor(0.), tensor(2.))
    """

    arg_constraints: dict[str, Any] = {}
    has_rsample = False

    def __init__(self, mixture_distribution: Categorical, component_distribution: Any, validate_args: bool | None = None) -> None:
        mix, parts = mixture_distribution, component_distribution
        if not isinstance(mix, Categorical):
            raise ValueError(f"[MixtureSameFamily] The Mixture distribution needs to be an instance of Categorical, got {mix!r}")
        if not isinstance(parts, Distribution):
            raise ValueError(f"[MixtureSameFamily] The Component distribution need to be an instance of Distribution, got {parts!r}")
        for i, j in zip(reversed(mix.batch_shape), reversed(parts.batch_shape[:-1]), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"[MixtureSameFamily] batch shapes do not fit: {tuple(mix.batch_shape)} of the mixture, "
                    f"{tuple(parts.batch_shape[:-1])} of the components"
                )
        if not parts.batch_shape or mix.logits.shape[-1] != parts.batch_shape[-1]:       # computed here, they show when it is printed
            raise ValueError(
                f"[MixtureSameFamily] {mix._num_events} weights for components of batch shape {tuple(parts.batch_shape)}; the last "
                "dimension is that of the components"
            )
        self._mixture_distribution, self._component_distribution = mix, parts
        super().__init__(parts.batch_shape[:-1], parts.event_shape, validate_args)

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the components."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components, along the last batch dimension."""
        return self._component_distribution

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support, -1 - len(self._event_shape))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(MixtureSameFamily, _instance)
        mix, parts = self._mixture_distribution, self._component_distribution
        made._mixture_distribution = mix.expand(batch_shape)
        made._component_distribution = parts.expand((*batch_shape, mix._num_events))
        return self._finish_expanding(made, batch_shape)

    def _over_events(self, weights: Tensor) -> Tensor:
        """Give weights (..., K) the dimensions of an event."""
        return weights.reshape(tuple(weights.shape) + (1,) * len(self._event_shape))

    def _mixed(self, values: Tensor) -> Tensor:
        """Return the mean over components of values (..., K, event)."""
        return (self._over_events(self._mixture_distribution.probs) * values).sum(-1 - len(self._event_shape))

    @property
    def mean(self) -> Tensor:
        return self._mixed(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        away = self._component_distribution.mean - self.mean.unsqueeze(-1 - len(self._event_shape))
        return self._mixed(self._component_distribution.variance) + self._mixed(away.pow(2))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            which = self._over_events(self._mixture_distribution.sample(sample_shape).unsqueeze(-1))
            values = self._component_distribution.sample(sample_shape)
            at = -1 - len(self._event_shape)
            return values.gather(at, which.expand(*which.shape[: which.dim() + at + 1], *self._event_shape)).squeeze(at)

    def log_prob(self, x: Tensor) -> Tensor:
        self._validate_sample(x)
        each = self._component_distribution.log_prob(x.unsqueeze(-1 - len(self._event_shape)))
        return (each + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def cdf(self, x: Tensor) -> Tensor:
        self._validate_sample(x)
        each = self._component_distribution.cdf(x.unsqueeze(-1 - len(self._event_shape)))
        return (each * self._mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution!r},\n  {self._component_distribution!r})"


class Multinomial(OfClasses):
    """How often each class comes in ``total_count`` draws.

    log p(k) = log n! - sum_i log k_i! + sum_i k_i log p_i.

    >>> import taeda
    >>> from taeda.distributions import Multinomial
    >>> Multinomial(4, taeda.tensor([1.0, 1.0])).log_prob(taeda.tensor([1.0, 3.0]))
    tensor(-1.3863)
    """

    _kept = ("total_count",)

    def __init__(
        self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("[Multinomial] inhomogeneous total_count is not supported")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        counts = taeda.zeros(self._extended(sample_shape), dtype=taeda.int64)
        drawn: Any = self._categorical.sample((self.total_count, *sample_shape))
        drawn = drawn.movedim(0, -1)
        return counts.scatter_add_(-1, drawn, taeda.ones_like(drawn)).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = taeda.broadcast_tensors(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -float("inf")), 0)
        return (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        n = taeda.tensor(self.total_count, dtype=self.probs.dtype)
        binomial = Binomial(self.total_count, self.probs)
        counts = binomial.enumerate_support(expand=False)[1:]
        weights = binomial.log_prob(counts).exp()
        return n * self._categorical.entropy() - (n + 1).lgamma() + (weights * (counts + 1).lgamma()).sum((0, -1))

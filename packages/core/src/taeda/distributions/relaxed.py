"""Classes that a gradient flows through: relaxed ones between the classes, and one-hot ones with a straight-through gradient.

Sources: Jang, Gu, Poole, "Categorical reparameterization with Gumbel-softmax", 2017; Maddison and others, "The concrete
distribution", 2017.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.discrete import OfClasses, OfOdds, OneHotCategorical
from taeda.distributions.distribution import clamp_probs
from taeda.distributions.transformed_distribution import TransformedDistribution
from taeda.distributions.transforms import ExpTransform, SigmoidTransform
from taeda.tensor import Tensor

__all__ = [
    "ExpRelaxedCategorical", "LogitRelaxedBernoulli", "OneHotCategoricalStraightThrough", "RelaxedBernoulli", "RelaxedOneHotCategorical",
]  # fmt: skip


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """:class:`OneHotCategorical` whose samples have the gradient of the probabilities.

    >>> import taeda
    >>> from taeda.distributions import OneHotCategoricalStraightThrough
    >>> OneHotCategoricalStraightThrough(taeda.tensor([0.0, 1.0])).rsample()
    tensor([0., 1.])
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class LogitRelaxedBernoulli(OfOdds):
    """The logit of :class:`RelaxedBernoulli`: (logit + log u - log(1 - u)) / temperature with u uniform."""

    support = constraints.real
    has_rsample = True

    def __init__(self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self.temperature = temperature
        super().__init__(self._take(probs, logits).shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(LogitRelaxedBernoulli, _instance)
        made.temperature = self.temperature
        return super().expand(batch_shape, made)

    def _parameters(self) -> dict[str, Tensor]:
        return {k: v for k, v in super()._parameters().items() if k != "temperature"}

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(taeda.rand(shape, dtype=probs.dtype))
        return (u.log() - (-u).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        away = self.logits - value * self.temperature
        return taeda.as_tensor(self.temperature).log() + away - 2 * away.exp().log1p()


class _Relaxed(TransformedDistribution):
    """A transform of a relaxed distribution, whose parameters are its own."""

    @property
    def temperature(self) -> Any:
        """How far from the classes the values are."""
        return self.base_dist.temperature

    @property
    def probs(self) -> Tensor:
        """The probabilities of the classes."""
        return self.base_dist.probs

    @property
    def logits(self) -> Tensor:
        """Their logits."""
        return self.base_dist.logits


class RelaxedBernoulli(_Relaxed):
    """Values between 0 and 1, the nearer to either the lower the temperature.

    >>> import taeda
    >>> from taeda.distributions import RelaxedBernoulli
    >>> RelaxedBernoulli(taeda.tensor(0.5), probs=taeda.tensor([0.3])).log_prob(taeda.tensor([0.5]))
    tensor([-0.8675])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval

    def __init__(self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(), validate_args)


class ExpRelaxedCategorical(OfClasses):
    """The logarithm of :class:`RelaxedOneHotCategorical`: log-softmax of (logits + Gumbel noise) / temperature."""

    _kept = ("temperature",)
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        super().__init__(probs, logits, validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = clamp_probs(taeda.rand(self._extended(sample_shape), dtype=self.logits.dtype))
        scores = (self.logits - (-u.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, temperature = self._event_shape[0], taeda.as_tensor(self.temperature)
        logits, value = taeda.broadcast_tensors(self.logits, value)
        scale = taeda.full_like(temperature, float(n)).lgamma() + (n - 1) * temperature.log()
        return (logits - value * temperature).log_softmax(-1).sum(-1) + scale


class RelaxedOneHotCategorical(_Relaxed):
    """Shares of classes, the nearer to one class the lower the temperature: Gumbel-softmax.

    >>> import taeda
    >>> from taeda.distributions import RelaxedOneHotCategorical
    >>> d = RelaxedOneHotCategorical(taeda.tensor(0.5), logits=taeda.zeros(3))
    >>> round(d.rsample().sum().item(), 4)
    1.0
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex

    def __init__(
        self, temperature: Any, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(ExpRelaxedCategorical(temperature, probs, logits, validate_args), ExpTransform(), validate_args)

"""Distributions of whole numbers and classes: Bernoulli, categorical, one-hot, binomial, geometric, negative binomial, Poisson."""

from __future__ import annotations

from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.distribution import Distribution, all_true, broadcast_all, lazy_property, probs_to_logits
from taeda.distributions.exponential_family import ExponentialFamily
from taeda.ops import binary_cross_entropy_with_logits, log_sigmoid
from taeda.tensor import Tensor

__all__ = ["Bernoulli", "Binomial", "Categorical", "Geometric", "NegativeBinomial", "OneHotCategorical", "Poisson"]


def one_of_two(name: str, probs: Any, logits: Any) -> None:
    """Raise ValueError unless exactly one is given."""
    if (probs is None) == (logits is None):
        raise ValueError(f"[{name}] Either `probs` or `logits` must be specified, but not both.")


class _ByEither(Distribution):
    """What is given by ``probs`` or by ``logits``."""

    probs: Any
    logits: Any

    @property
    def _param(self) -> Tensor:
        return self.probs if "probs" in vars(self) else self.logits

    @property
    def param_shape(self) -> Any:
        """The shape of the probabilities."""
        return self._param.size()


class OfOdds(_ByEither):
    """What is given by a probability or its logit: the other is worked out when asked for."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}

    def _take(self, probs: Any, logits: Any) -> Tensor:
        one_of_two(type(self).__name__, probs, logits)
        name = "logits" if probs is None else "probs"
        (value,) = broadcast_all(logits if probs is None else probs)
        setattr(self, name, value)
        return value

    @lazy_property
    def logits(self) -> Tensor:
        """The logits of the probabilities."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self.logits.sigmoid()


class Bernoulli(OfOdds, ExponentialFamily):
    """1 with probability ``probs``, else 0.

    >>> import taeda
    >>> from taeda.distributions import Bernoulli
    >>> Bernoulli(taeda.tensor([0.3])).log_prob(taeda.tensor([1.0]))
    tensor([-1.2040])
    """

    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(self._take(probs, logits).shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        found = (self.probs >= 0.5).to(self.probs.dtype)
        return taeda.where(self.probs == 0.5, float("nan"), found)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            return taeda.bernoulli(self.probs.expand(self._extended(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.exp().log1p()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = taeda.arange(2, dtype=self._param.dtype).view(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class Geometric(OfOdds):
    """The number of failures before the first success.

    >>> from taeda.distributions import Geometric
    >>> Geometric(0.25).mean
    tensor(3.)
    """

    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        value = self._take(probs, logits)
        super().__init__(value.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not all_true(value > 0):
            raise ValueError(f"[Geometric] Expected parameter probs of {self!r} to be positive, but found invalid values:\n{value}")

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return taeda.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        tiny = taeda.finfo(self.probs.dtype).tiny
        with taeda.no_grad():
            u = self.probs.new_empty(self._extended(sample_shape)).uniform_(tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        failure = taeda.where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-failure).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class _OfTrials(OfOdds):
    """What counts successes of several trials."""

    def __init__(self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        value = self._take(probs, logits)
        self.total_count, value = broadcast_all(total_count, value)
        self.total_count = self.total_count.type_as(value)
        setattr(self, "logits" if probs is None else "probs", value)
        super().__init__(value.shape, validate_args=validate_args)


class Binomial(_OfTrials):
    """The number of successes in ``total_count`` trials.

    >>> import taeda
    >>> from taeda.distributions import Binomial
    >>> Binomial(4, taeda.tensor([0.5])).log_prob(taeda.tensor([2.0])).exp()
    tensor([0.3750])
    """

    has_enumerate_support = True
    arg_constraints = {"total_count": constraints.nonnegative_integer, **OfOdds.arg_constraints}

    def __init__(self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(total_count, probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended(sample_shape)
        with taeda.no_grad():
            return taeda.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        choose = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        above = (logits.clamp(min=0) + logits - logits.clamp(max=0)) / 2           # max(logits, 0), of slope 1/2 at 0
        return choose + value * logits - n * (above + (-logits.abs()).exp().log1p())

    def _trials(self) -> int:
        """Return the number of trials; NotImplementedError unless it is one for all."""
        most = int(self.total_count.max())
        if not self.total_count.min() == most:
            raise NotImplementedError("[Binomial] Inhomogeneous total count not supported")
        return most

    def entropy(self) -> Tensor:
        self._trials()
        found = self.log_prob(self.enumerate_support(False))
        return -(found.exp() * found).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = taeda.arange(1 + self._trials(), dtype=self._param.dtype).view(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class NegativeBinomial(_OfTrials):
    """The number of successes before ``total_count`` failures, which need not be whole: a Poisson variable of a gamma rate.

    >>> import taeda
    >>> from taeda.distributions import NegativeBinomial
    >>> NegativeBinomial(2.0, taeda.tensor(0.5)).log_prob(taeda.tensor(0.0))
    tensor(-1.3863)
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0), "probs": constraints.half_open_interval(0.0, 1.0), "logits": constraints.real,
    }  # fmt: skip
    support = constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended(sample_shape)
        with taeda.no_grad():
            rate = taeda._standard_gamma(self.total_count.expand(shape)) / (-self.logits).exp().expand(shape)
            return taeda.poisson(rate.clamp(min=taeda.finfo(rate.dtype).tiny))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        choose = (n + value).lgamma() - (1.0 + value).lgamma() - n.lgamma()
        return n * log_sigmoid(-logits) + value * log_sigmoid(logits) + choose.masked_fill(n + value == 0.0, 0.0)


class Categorical(_ByEither):
    """A class from 0 to n - 1, by probabilities (which need not add up to 1) or logits along the last dimension.

    >>> import taeda
    >>> from taeda.distributions import Categorical
    >>> d = Categorical(taeda.tensor([1.0, 3.0]))
    >>> d
    Categorical(probs: taeda.Size([2]))
    >>> d.log_prob(taeda.tensor(1)), d.entropy()
    (tensor(-0.2877), tensor(0.5623))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        one_of_two(type(self).__name__, probs, logits)
        value: Any = logits if probs is None else probs
        if value.dim() < 1:
            raise ValueError(f"[Categorical] `{'logits' if probs is None else 'probs'}` parameter must be at least one-dimensional.")
        if probs is None:
            self.logits = value - value.logsumexp(-1, keepdim=True)
        else:
            self.probs = value / value.sum(-1, keepdim=True)
        self._num_events = value.shape[-1]
        super().__init__(value.shape[:-1], validate_args=validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities of the classes."""
        return self.logits.softmax(-1)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = super().expand(batch_shape, _instance)
        made._num_events = self._num_events
        return made

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return taeda.full(self._extended(), float("nan"), dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return taeda.full(self._extended(), float("nan"), dtype=self.probs.dtype)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended(sample_shape)
        rows = self.probs.detach().reshape(-1, self._num_events)
        return taeda.multinomial(rows, taeda.Size(sample_shape).numel(), True).T.reshape(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, table = taeda.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return table.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        least = taeda.finfo(self.logits.dtype).min
        return -(self.logits.clamp(min=least) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = taeda.arange(self._num_events).view(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class OfClasses(Distribution):
    """What is made of the draws of a ``Categorical``: its probabilities are the parameters, a value has a number per class."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _kept: tuple[str, ...] = ()                  # what a subclass has beside

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._new_instance(_instance)
        made._categorical = self._categorical.expand(batch_shape)
        for name in self._kept:
            setattr(made, name, getattr(self, name))
        return super().expand(batch_shape, made)

    def _parameters(self) -> dict[str, Tensor]:
        return {}

    @property
    def probs(self) -> Tensor:
        """The probabilities of the classes."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def _param(self) -> Tensor:
        return self._categorical._param

    @property
    def param_shape(self) -> Any:
        """The shape of the probabilities."""
        return self._categorical.param_shape


class OneHotCategorical(OfClasses):
    """:class:`Categorical` with a vector that has a 1 at the class, and 0 elsewhere.

    >>> import taeda
    >>> from taeda.distributions import OneHotCategorical
    >>> OneHotCategorical(taeda.tensor([0.0, 1.0])).sample()
    tensor([0., 1.])
    """

    support = constraints.one_hot
    has_enumerate_support = True

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._hot(self.probs.argmax(-1))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def _hot(self, classes: Tensor) -> Tensor:
        n = self._event_shape[0]
        return taeda.zeros(tuple(classes.shape) + (n,), dtype=self.probs.dtype).scatter_(-1, classes.unsqueeze(-1), 1.0)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._event_shape[0]
        values = taeda.eye(n, dtype=self._param.dtype).view(n, *[1] * len(self._batch_shape), n)
        return values.expand(n, *self._batch_shape, n) if expand else values


class Poisson(ExponentialFamily):
    """rate^k e^-rate / k! for whole numbers k.

    >>> import taeda
    >>> from taeda.distributions import Poisson
    >>> Poisson(2.0).log_prob(taeda.tensor(0.0))
    tensor(-2.)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            return taeda.poisson(self.rate.expand(self._extended(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return value.xlogy(rate) - rate - (value + 1).lgamma()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.rate.log(),)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.exp()

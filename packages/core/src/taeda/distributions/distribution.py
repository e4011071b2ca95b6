"""The base of all distributions: shapes, validation, and what follows from a distribution's own methods.

A sample's shape is sample_shape + batch_shape + event_shape: draws, distributions side by side, one value.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from types import GenericAlias
from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.stand_ins import is_stand_in
from taeda.tensor import Tensor
from taeda.tensor_base import Size

__all__ = ["Distribution", "Independent"]


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Return numbers and tensors as tensors of one shape; numbers take the tensors' dtype, or the default one.

    >>> import taeda
    >>> from taeda.distributions.utils import broadcast_all
    >>> broadcast_all(1, taeda.zeros(2, dtype=taeda.float64))[0]
    tensor([1., 1.], dtype=taeda.float64)
    """
    if not all(isinstance(v, (Tensor, int, float)) or hasattr(type(v), "__torch_function__") for v in values):
        raise ValueError("[distributions] parameters must be numbers or tensors, got " + ", ".join(type(v).__name__ for v in values))
    first = next((v for v in values if isinstance(v, Tensor)), None)
    dtype = taeda.get_default_dtype() if first is None else first.dtype
    device = getattr(first, "device", None)
    made = [taeda.tensor(v, dtype=dtype, device=device) if isinstance(v, (int, float)) else v for v in values]
    return tuple(taeda.broadcast_tensors(*made))


def all_true(holds: Any) -> bool:
    """Whether a condition holds everywhere; under ``vmap``, for every sample, so that arguments can be checked there."""
    while is_stand_in(holds):
        holds = holds._value
    return bool(holds.all())


def standard_normal(shape: Any, like: Tensor) -> Tensor:
    """Draw from N(0, 1) with the dtype of ``like``."""
    return taeda.normal(taeda.zeros(shape, dtype=like.dtype), taeda.ones(shape, dtype=like.dtype))


def clamp_probs(probs: Tensor) -> Tensor:
    """Return probabilities kept off 0 and 1 by the dtype's precision.

    >>> import taeda
    >>> from taeda.distributions.utils import clamp_probs
    >>> clamp_probs(taeda.tensor([0.0, 0.5, 1.0]))
    tensor([1.1921e-07, 5.0000e-01, 1.0000e+00])
    """
    eps = taeda.finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Return the logits of probabilities, which are kept off 0 and 1 by the dtype's precision.

    They are log p, or log p - log(1 - p) with ``is_binary``.

    >>> import taeda
    >>> from taeda.distributions.utils import probs_to_logits
    >>> probs_to_logits(taeda.tensor([0.5, 0.75]), is_binary=True)
    tensor([0.0000, 1.0986])
    """
    inside = clamp_probs(probs)
    return inside.log() - (-inside).log1p() if is_binary else inside.log()


class lazy_property:
    """A property that is worked out when first read, with gradients, and kept as an attribute, which may also be set beforehand.

    >>> from taeda.distributions.utils import lazy_property
    >>> class Circle:
    ...     radius = 2
    ...     @lazy_property
    ...     def area(self):
    ...         print("worked out")
    ...         return 3 * self.radius**2
    >>> circle = Circle()
    >>> circle.area, circle.area
    worked out
    (12, 12)
    """

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with taeda.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class Distribution:
    """What is common to distributions: ``sample``, ``log_prob``, ``entropy``, ``mean``, ``variance`` and so on.

    Args:
        validate_args: check parameters, and values given to ``log_prob``; on by default.

    >>> import taeda
    >>> from taeda.distributions import Distribution, Normal
    >>> d = Normal(taeda.zeros(3), 1.0)                # three independent ones: batch_shape
    >>> isinstance(d, Distribution), d.batch_shape, d.event_shape, d.sample((2,)).shape, d.log_prob(taeda.zeros(3)).shape
    (True, taeda.Size([3]), taeda.Size([]), taeda.Size([2, 3]), taeda.Size([3]))
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The constraint that each parameter meets, by its name; a class says which, in a dict."""
        raise NotImplementedError(f"[{type(self).__name__}] the distribution does not say what its parameters must be")

    @property
    def support(self) -> Any:
        """The constraint that every value meets; a class says which.

        >>> from taeda.distributions import Gamma
        >>> Gamma(1.0, 1.0).support
        GreaterThanEq(lower_bound=0.0)
        """
        raise NotImplementedError(f"[{type(self).__name__}] the distribution does not say what its support is")

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Say whether distributions check their arguments where they are not told."""
        if value not in (True, False):
            raise ValueError(f"[set_default_validate_args] expected a bool, got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        super().__init__()                              # of a class beside it
        if not self._validate_args:
            return
        try:
            rules = self.arg_constraints
        except NotImplementedError:
            rules = {}
            warnings.warn(f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the "
                          "distribution with `validate_args=False` to turn off validation.", UserWarning, stacklevel=2)
        for name, constraint in rules.items():
            if constraints.is_dependent(constraint) or (name not in vars(self) and isinstance(getattr(type(self), name), lazy_property)):
                continue
            value = getattr(self, name)
            if not all_true(constraint.check(value)):
                raise ValueError(
                    f"[{type(self).__name__}] Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of "
                    f"distribution {self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    @property
    def batch_shape(self) -> Size:
        """The shape of the distributions side by side."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one value."""
        return self._event_shape

    def _extended(self, sample_shape: Any = ()) -> Size:
        try:
            return Size(tuple(sample_shape) + tuple(self._batch_shape) + tuple(self._event_shape))
        except TypeError as error:
            raise TypeError(f"[{type(self).__name__}] sample_shape must be a shape such as (3,), got {sample_shape!r}") from error

    _extended_shape = _extended                 # PyTorch's name, which distributions of users' own call

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """Return the distribution with its batch dimensions expanded; parameters are views.

        >>> import taeda
        >>> from taeda.distributions import Normal
        >>> Normal(0.0, 1.0).expand((2, 3)).batch_shape
        taeda.Size([2, 3])
        """
        batch = tuple(batch_shape)
        made = self._new_instance(_instance)
        for name, value in self._parameters().items():
            extra = value.shape[len(self._batch_shape):] if value.ndim else ()
            setattr(made, name, value.expand(batch + tuple(extra)))
        return self._finish_expanding(made, batch)

    def _finish_expanding(self, made: Any, batch_shape: Any) -> Any:
        """Return an instance whose parameters are expanded, with its shapes; they are not checked again."""
        Distribution.__init__(made, batch_shape, self._event_shape, validate_args=False)
        made._validate_args = self._validate_args
        return made

    def _parameters(self) -> dict[str, Tensor]:
        """Return the tensors that the distribution is made of; what a class of a program's own has besides is none of them."""
        names: set[str] = set()
        for cls in type(self).__mro__:
            if issubclass(cls, Distribution) and cls is not Distribution and _made_here(cls):
                named = vars(cls).get("arg_constraints", {})
                names.update(named.__get__(self) if isinstance(named, property) else named)
        return {k: v for k, v in vars(self).items() if k in names and isinstance(v, Tensor)}

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw values, which no gradient flows through.

        >>> import taeda
        >>> from taeda.distributions import Normal
        >>> Normal(taeda.zeros(3), 1.0).sample((2,)).shape
        taeda.Size([2, 3])
        """
        with taeda.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw values as a function of the parameters, which gradients flow to; NotImplementedError where there is none.

        >>> import taeda
        >>> from taeda.distributions import Normal
        >>> mean = taeda.zeros(1, requires_grad=True)
        >>> Normal(mean, 1.0).rsample().backward()
        >>> mean.grad
        tensor([1.])
        """
        raise NotImplementedError(f"[{type(self).__name__}] has no reparametrised samples; use sample()")

    def sample_n(self, n: int) -> Tensor:
        """Draw n values of each (deprecated by PyTorch)."""
        warnings.warn("`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density, or of the probability, at ``value``.

        >>> import taeda
        >>> from taeda.distributions import Normal
        >>> Normal(0.0, 1.0).log_prob(taeda.tensor([0.0, 1.0]))
        tensor([-0.9189, -1.4189])
        """
        raise NotImplementedError(f"[{type(self).__name__}] the distribution has no log_prob")

    def entropy(self) -> Tensor:
        """Return the entropy, in nats.

        >>> import taeda
        >>> from taeda.distributions import Bernoulli
        >>> Bernoulli(taeda.tensor(0.5)).entropy()                             # log 2
        tensor(0.6931)
        """
        raise NotImplementedError(f"[{type(self).__name__}] the distribution has no entropy")

    def perplexity(self) -> Tensor:
        """Return e to the entropy."""
        return self.entropy().exp()

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of a value not above ``value``.

        >>> import taeda
        >>> from taeda.distributions import Exponential
        >>> Exponential(1.0).cdf(taeda.tensor(1.0))                            # 1 - 1 / e
        tensor(0.6321)
        """
        raise NotImplementedError(f"[{type(self).__name__}] the distribution has no cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """Return the quantile: the inverse of ``cdf``.

        >>> import taeda
        >>> from taeda.distributions import Normal
        >>> Normal(0.0, 1.0).icdf(taeda.tensor(0.975))
        tensor(1.9600)
        """
        raise NotImplementedError(f"[{type(self).__name__}] the distribution has no icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all values that there are, in a new first dimension.

        >>> import taeda
        >>> from taeda.distributions import Categorical
        >>> Categorical(taeda.ones(3)).enumerate_support()
        tensor([0, 1, 2])
        """
        raise NotImplementedError(f"[{type(self).__name__}] the values cannot be listed; has_enumerate_support tells where they can")

    @property
    def mean(self) -> Tensor:
        """The mean.

        >>> import taeda
        >>> from taeda.distributions import Gamma
        >>> Gamma(taeda.tensor(3.0), 2.0).mean
        tensor(1.5000)
        """
        raise NotImplementedError(f"[{type(self).__name__}] the distribution has no mean")

    @property
    def mode(self) -> Tensor:
        """The value of the greatest density."""
        raise NotImplementedError(f"[{type(self).__name__}] the distribution has no mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError(f"[{type(self).__name__}] the distribution has no variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def _validate_sample(self, value: Any) -> None:
        """Raise ValueError unless ``value`` is a tensor of fitting shape in the support."""
        if not self._validate_args:
            return
        name = type(self).__name__
        if not isinstance(value, Tensor):
            raise ValueError(f"[{name}] The value argument to log_prob must be a Tensor, got {type(value).__name__}")
        event = len(self._event_shape)
        if tuple(value.shape[value.ndim - event:]) != tuple(self._event_shape):
            raise ValueError(f"[{name}] The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}.")
        for i, j in zip(reversed(value.shape), reversed(self._batch_shape + self._event_shape), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"[{name}] Value is not broadcastable with batch_shape+event_shape: {value.shape} vs "
                    f"{self._batch_shape + self._event_shape}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self)} does not define `support` to enable sample validation. Please initialize the distribution with "
                          "`validate_args=False` to turn off validation.", stacklevel=3)
            return
        if not all_true(support.check(value)):
            raise ValueError(
                f"[{name}] Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """Return the object that a user's own ``expand`` fills in: a new one of the class, or the one that a subclass made."""
        return self._made_by(type(self).__init__ is cls.__init__, _instance)  # type: ignore[misc]

    def _new_instance(self, _instance: Any) -> Any:
        """The same, for classes of this package."""
        return self._made_by(_made_here(type(self)), _instance)

    def _made_by(self, known: bool, _instance: Any) -> Any:
        if _instance is not None:
            return _instance
        if not known:                                   # it may have set what an instance that was not made by it would lack
            raise NotImplementedError(f"[{type(self).__name__}] has an __init__ of its own and must have an expand of its own too")
        return type(self).__new__(type(self))

    def __repr__(self) -> str:
        shown = [(k, vars(self)[k]) for k in self.arg_constraints if k in vars(self)]
        return f"{type(self).__name__}({', '.join(f'{k}: {v if v.numel() == 1 else v.size()}' for k, v in shown)})"


def _made_here(cls: type) -> bool:
    """Whether a class has an ``__init__`` of this package."""
    return cls.__init__.__module__.startswith("taeda.distributions.")  # type: ignore[misc]


class Independent(Distribution):
    """Take the last batch dimensions as part of one value: log-probabilities and entropies are summed over them.

    >>> import taeda
    >>> from taeda.distributions import Independent, Normal
    >>> d = Independent(Normal(taeda.zeros(2, 3), taeda.ones(2, 3)), 1)
    >>> d.batch_shape, d.event_shape, d.log_prob(taeda.zeros(2, 3)).shape
    (taeda.Size([2]), taeda.Size([3]), taeda.Size([2]))
    """

    __class_getitem__: Any = classmethod(GenericAlias)                  # for annotations, Independent[Normal]
    arg_constraints: dict[str, Any] = {}

    def __init__(self, base_distribution: Any, reinterpreted_batch_ndims: int, validate_args: bool | None = None) -> None:
        n = reinterpreted_batch_ndims
        batch, event = base_distribution.batch_shape, base_distribution.event_shape
        if n > len(batch):
            raise ValueError(
                "[Independent] Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual "
                f"{n} vs {len(batch)}"
            )
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, n
        cut = len(batch) - n
        super().__init__(batch[:cut], batch[cut:] + event, validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return bool(self.base_dist.has_rsample)

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        return not self.reinterpreted_batch_ndims and bool(self.base_dist.has_enumerate_support)

    @constraints._DependentProperty
    def support(self) -> Any:
        base = self.base_dist.support
        return constraints.independent(base, self.reinterpreted_batch_ndims) if self.reinterpreted_batch_ndims else base

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(Independent, _instance)
        n = made.reinterpreted_batch_ndims = self.reinterpreted_batch_ndims
        made.base_dist = self.base_dist.expand(tuple(batch_shape) + tuple(self._event_shape[:n]))
        return self._finish_expanding(made, batch_shape)

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("[Independent] Enumeration over cartesian product is not implemented")
        return self.base_dist.enumerate_support(expand=expand)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"


def sum_rightmost(value: Tensor, n: int) -> Tensor:
    """Return the sums over the last n dimensions; none for n below 1."""
    return value.sum(tuple(range(-n, 0))) if n > 0 else value


LOG_2PI = math.log(2 * math.pi)

"""What parameters and values of distributions must satisfy; ``check`` returns a bool for each value.

>>> import taeda
>>> from taeda.distributions.constraints import positive
>>> positive.check(taeda.tensor([-1.0, 2.0]))
tensor([False,  True])
"""

from __future__ import annotations

from typing import Any

import taeda

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property", "greater_than",
    "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval", "is_dependent", "less_than",
    "lower_cholesky", "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive",
    "positive_definite", "positive_integer", "positive_semidefinite", "real", "real_vector", "simplex", "square", "stack", "symmetric",
    "unit_interval",
]  # fmt: skip


class Constraint:
    """A condition on values; the last ``event_dim`` dimensions are one value.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> isinstance(constraints.positive, constraints.Constraint), constraints.positive.check(taeda.tensor([1.0, -1.0]))
    (True, tensor([ True, False]))
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Any) -> Any:
        """Return whether each value satisfies the condition."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__.removeprefix("_") + "()"


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value == 0) | (value == 1)


class _OneHot(Constraint):
    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Any:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Real(Constraint):
    def check(self, value: Any) -> Any:
        return value == value                   # nan is not


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _LowerTriangular(Constraint):
    event_dim = 2

    def check(self, value: Any) -> Any:
        return (value.tril() == value).flatten(-2).all(-1)


class _LowerCholesky(Constraint):
    event_dim = 2

    def check(self, value: Any) -> Any:
        return (value.tril() == value).flatten(-2).all(-1) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class _Square(Constraint):
    event_dim = 2

    def check(self, value: Any) -> Any:
        return taeda.full(value.shape[:-2], value.shape[-2] == value.shape[-1], dtype=taeda.bool)


class _Symmetric(_Square):
    def check(self, value: Any) -> Any:
        square = super().check(value)
        return square & taeda.isclose(value, value.mT, atol=1e-6).flatten(-2).all(-1) if square.all() else square


class _PositiveDefinite(_Symmetric):
    def check(self, value: Any) -> Any:
        symmetric = super().check(value)
        return symmetric & taeda.linalg.cholesky_ex(value).info.eq(0) if symmetric.all() else symmetric


class _PositiveSemidefinite(_Symmetric):
    def check(self, value: Any) -> Any:
        symmetric = super().check(value)
        return symmetric & (taeda.linalg.eigvalsh(value) >= 0).all(-1) if symmetric.all() else symmetric


class _CorrCholesky(_LowerCholesky):
    """Factors of correlation matrices: rows of length 1."""

    def check(self, value: Any) -> Any:
        tolerance = taeda.finfo(value.dtype).eps * value.size(-1) * 10
        return super().check(value) & ((value.square().sum(-1).sqrt() - 1).abs() < tolerance).all(-1)


class _Multinomial(Constraint):
    """Counts of classes that add up to a bound, or at most to it.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.multinomial(3).check(taeda.tensor([[1, 2], [2, 2]]))
    tensor([ True, False])
    """

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, x: Any) -> Any:
        return (x >= 0).all(-1) & (x.sum(-1) <= self.upper_bound)


class _Bounded(Constraint):
    """Between bounds; a class for each kind of them, which programs subclass and ask for by isinstance."""

    lower_bound: Any = None
    upper_bound: Any = None

    def __repr__(self) -> str:
        return f"{type(self).__name__.removeprefix('_')}({', '.join(f'{k}={v}' for k, v in vars(self).items())})"


class _Above(_Bounded):
    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound


class _Between(_Bounded):
    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound


class _GreaterThan(_Above):
    """Values above a bound.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.greater_than(1).check(taeda.tensor([1.0, 2.0]))
    tensor([False,  True])
    """

    def check(self, value: Any) -> Any:
        return self.lower_bound < value


class _GreaterThanEq(_Above):
    """Values from a bound on.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.greater_than_eq(1).check(taeda.tensor([1.0, 0.0]))
    tensor([ True, False])
    """

    def check(self, value: Any) -> Any:
        return self.lower_bound <= value


class _LessThan(_Bounded):
    """Values below a bound.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.less_than(1).check(taeda.tensor([1.0, 0.0]))
    tensor([False,  True])
    """

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return value < self.upper_bound


class _Interval(_Between):
    """Values from one bound to another.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.interval(0, 1).check(taeda.tensor([0.0, 1.0, 2.0]))
    tensor([ True,  True, False])
    """

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class _HalfOpenInterval(_Between):
    """Values from one bound up to, but without, another.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.half_open_interval(0, 1).check(taeda.tensor([0.0, 1.0]))
    tensor([ True, False])
    """

    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value < self.upper_bound)


class _IntegerInterval(_Between):
    """Whole numbers from one bound to another.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.integer_interval(0, 3).check(taeda.tensor([0.0, 1.5, 4.0]))
    tensor([ True, False, False])
    """

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (self.lower_bound <= value) & (value <= self.upper_bound)


class _IntegerGreaterThan(_Above):
    """Whole numbers from a bound on."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value >= self.lower_bound)


class _IntegerLessThan(_Bounded):
    """Whole numbers up to a bound."""

    is_discrete = True

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value <= self.upper_bound)


class _IndependentConstraint(Constraint):
    """A condition that holds where it holds for all of the last dimensions.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.independent(constraints.positive, 1).check(taeda.tensor([[1.0, 2.0], [1.0, -2.0]]))
    tensor([ True, False])
    """

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """As the condition it is made of."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """Dimensions of one value: those of the condition it is made of, and the last ones that count as one."""
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        holds, n = self.base_constraint.check(value), self.reinterpreted_batch_ndims
        if holds.dim() < n:
            raise ValueError(f"[constraints] Expected value.dim() >= {self.event_dim}, got shape {tuple(value.shape)}")
        return holds.flatten(-n).all(-1) if n else holds

    def __repr__(self) -> str:
        return f"{type(self).__name__.removeprefix('_')}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


def widened(base: Any, event_dim: int) -> Any:
    """Return a condition on values of at least ``event_dim`` dimensions that holds where ``base`` does for all of them."""
    return independent(base, event_dim - base.event_dim) if event_dim > base.event_dim else base


class _Parts(Constraint):
    """Conditions side by side along a dimension."""

    def __init__(self, cseq: Any, dim: int) -> None:
        self.cseq, self.dim = list(cseq), dim
        if not all(isinstance(c, Constraint) for c in self.cseq):
            raise AssertionError(f"[constraints] All elements of cseq must be Constraint instances, got {self.cseq}")

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """Whether one of them is."""
        return any(c.is_discrete for c in self.cseq)


class _Cat(_Parts):
    """Condition i of the i-th run of entries along ``dim``, ``lengths[i]`` long (1 unless given).

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.cat([constraints.positive, constraints.unit_interval], lengths=[1, 2]).check(taeda.tensor([3.0, 3.0, 0.5]))
    tensor([ True, False,  True])
    """

    def __init__(self, cseq: Any, dim: int = 0, lengths: Any = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(f"[constraints] one length a constraint, got {self.lengths} for {len(self.cseq)}")

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """The most that one of them has."""
        return max(c.event_dim for c in self.cseq)

    def check(self, value: Any) -> Any:
        return taeda.cat([c.check(part) for c, part in zip(self.cseq, value.split(self.lengths, self.dim), strict=True)], self.dim)


class _Stack(_Parts):
    """Condition i of entry i along ``dim``.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.stack([constraints.positive, constraints.unit_interval]).check(taeda.tensor([3.0, 3.0]))
    tensor([ True, False])
    """

    def __init__(self, cseq: Any, dim: int = 0) -> None:
        super().__init__(cseq, dim)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """The most that one of them has, and the dimension of the stack where it is one of a value's."""
        return max(c.event_dim for c in self.cseq) + (self.dim < 0)

    def check(self, value: Any) -> Any:
        return taeda.stack([c.check(part) for c, part in zip(self.cseq, value.unbind(self.dim), strict=True)], self.dim)


class MixtureSameFamilyConstraint(Constraint):
    """The condition of a mixture's components, of a value that each of them may have given.

    Args:
        base_constraint: the components' condition.
        at: where the components' dimension goes into a value; just before the event's dimensions unless given.

    >>> import taeda
    >>> from taeda.distributions import constraints
    >>> constraints.MixtureSameFamilyConstraint(constraints.positive).check(taeda.tensor([1.0, -1.0]))
    tensor([ True, False])
    """

    def __init__(self, base_constraint: Constraint, at: int | None = None) -> None:
        self.base_constraint, self.at = base_constraint, -1 - base_constraint.event_dim if at is None else at
        self.is_discrete, self.event_dim = base_constraint.is_discrete, base_constraint.event_dim

    def check(self, value: Any) -> Any:
        if value.dim() < self.event_dim:
            raise ValueError(f"[constraints] Expected value.dim() >= {self.event_dim}, got shape {tuple(value.shape)}")
        return self.base_constraint.check(value.unsqueeze(self.at)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


class _Dependent(Constraint):
    """A condition on other parameters: a distribution knows it once it is made; what was not said of it raises NotImplementedError."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim
        super().__init__()

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        """Whether values are whole numbers."""
        if self._is_discrete is NotImplemented:
            raise NotImplementedError("[constraints] .is_discrete cannot be determined statically")
        return self._is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        """How many dimensions one value has."""
        if self._event_dim is NotImplemented:
            raise NotImplementedError("[constraints] .event_dim cannot be determined statically")
        return self._event_dim

    def _refined(self, is_discrete: Any, event_dim: Any) -> dict[str, Any]:
        return {
            "is_discrete": self._is_discrete if is_discrete is NotImplemented else is_discrete,
            "event_dim": self._event_dim if event_dim is NotImplemented else event_dim,
        }

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> _Dependent:
        """Return such a condition of which more is said."""
        return _Dependent(**self._refined(is_discrete, event_dim))

    def check(self, x: Any) -> Any:
        """Raise ValueError."""
        raise ValueError("[constraints] Cannot determine validity of dependent constraint")


class _DependentProperty(property, _Dependent):
    """A property of a distribution that is a condition; of the class it is a dependent one.

    >>> from taeda.distributions import constraints
    >>> class Above:
    ...     low = 2.0
    ...     @constraints.dependent_property(event_dim=0)
    ...     def support(self):
    ...         return constraints.greater_than(self.low)
    >>> Above().support, constraints.is_dependent(Above.support)
    (GreaterThan(lower_bound=2.0), True)
    """

    def __init__(self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        property.__init__(self, fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn: Any) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: Any) -> bool:
    """Say whether a condition depends on other parameters.

    >>> from taeda.distributions import constraints
    >>> constraints.is_dependent(constraints.dependent), constraints.is_dependent(constraints.positive)
    (True, False)
    """
    return isinstance(constraint, (_Dependent, property))        # a property: asked of a class, whose instances know


independent, dependent_property, multinomial, cat, stack = _IndependentConstraint, _DependentProperty, _Multinomial, _Cat, _Stack
greater_than, greater_than_eq, less_than = _GreaterThan, _GreaterThanEq, _LessThan
interval, half_open_interval, integer_interval = _Interval, _HalfOpenInterval, _IntegerInterval
real: Constraint = _Real()                  # typed in words: a checker may meet distribution.py first
boolean, one_hot, simplex, lower_cholesky = _Boolean(), _OneHot(), _Simplex(), _LowerCholesky()
corr_cholesky, positive_semidefinite = _CorrCholesky(), _PositiveSemidefinite()
positive_definite, dependent, lower_triangular, square, symmetric = (
    _PositiveDefinite(), _Dependent(), _LowerTriangular(), _Square(), _Symmetric()
)  # fmt: skip
real_vector = independent(real, 1)
positive, nonnegative, unit_interval = greater_than(0.0), greater_than_eq(0.0), interval(0.0, 1.0)
nonnegative_integer, positive_integer = _IntegerGreaterThan(0), _IntegerGreaterThan(1)

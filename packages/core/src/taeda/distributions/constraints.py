"""What parameters and values of distributions must satisfy; ``check`` returns a bool for each value.

>>> import taeda
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
    """A condition on values; the last ``event_dim`` dimensions are one value."""

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


class multinomial(Constraint):
    """Counts of classes that add up to a bound, or at most to it."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)

    def __repr__(self) -> str:
        return "Multinomial()"


class _Bounds(Constraint):
    """Between two bounds, each of which belongs to it or does not, or is None."""

    def __init__(
        self, name: str, lower: Any = None, upper: Any = None, strict: bool = False, whole: bool = False, half_open: bool = False
    ) -> None:
        self.name, self.lower_bound, self.upper_bound, self.strict, self.is_discrete = name, lower, upper, strict, whole
        self.half_open = half_open

    def check(self, value: Any) -> Any:
        holds = value == value
        if self.is_discrete:
            holds = holds & (value % 1 == 0)
        if self.lower_bound is not None:
            holds = holds & (value > self.lower_bound if self.strict else value >= self.lower_bound)
        if self.upper_bound is not None:
            holds = holds & (value < self.upper_bound if self.strict or self.half_open else value <= self.upper_bound)
        return holds

    def __repr__(self) -> str:
        pairs = (("lower_bound", self.lower_bound), ("upper_bound", self.upper_bound))
        return f"{self.name}({', '.join(f'{k}={v}' for k, v in pairs if v is not None)})"


class independent(Constraint):
    """A condition that holds where it holds for all of the last dimensions."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        holds, n = self.base_constraint.check(value), self.reinterpreted_batch_ndims
        if holds.dim() < n:
            raise ValueError(f"[constraints] Expected value.dim() >= {self.event_dim}, got shape {tuple(value.shape)}")
        return holds.flatten(-n).all(-1) if n else holds

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


def widened(base: Any, event_dim: int) -> Any:
    """Return a condition on values of at least ``event_dim`` dimensions that holds where ``base`` does for all of them."""
    return independent(base, event_dim - base.event_dim) if event_dim > base.event_dim else base


class _Parts(Constraint):
    """Conditions side by side along a dimension; ``lengths``: how many entries each is for, None: one, which loses the dimension."""

    def __init__(self, cseq: Any, dim: int, lengths: Any) -> None:
        self.cseq, self.dim, self.lengths = list(cseq), dim, lengths
        self.is_discrete = any(c.is_discrete for c in self.cseq)
        self.event_dim = max(c.event_dim for c in self.cseq) + (self.lengths is None and dim < 0)

    def check(self, value: Any) -> Any:
        parts = value.unbind(self.dim) if self.lengths is None else value.split(self.lengths, self.dim)
        holds = [c.check(part) for c, part in zip(self.cseq, parts, strict=True)]
        return taeda.stack(holds, self.dim) if self.lengths is None else taeda.cat(holds, self.dim)

    def __repr__(self) -> str:
        return "Stack()" if self.lengths is None else "Cat()"


class MixtureSameFamilyConstraint(Constraint):
    """The condition of a mixture's components, of a value that each of them may have given.

    Args:
        base_constraint: the components' condition.
        at: where the components' dimension goes into a value; just before the event's dimensions unless given.
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


def stack(cseq: Any, dim: int = 0) -> Constraint:
    """Condition i of entry i along ``dim``."""
    return _Parts(cseq, dim, None)


def cat(cseq: Any, dim: int = 0, lengths: Any = None) -> Constraint:
    """Condition i of the i-th run of entries along ``dim``, ``lengths[i]`` long (1 unless given)."""
    return _Parts(cseq, dim, [1] * len(cseq) if lengths is None else list(lengths))


class _Dependent(Constraint):
    """A condition on other parameters: the distribution knows it once it is made."""

    def __call__(self, *, is_discrete: bool = False, event_dim: int = 0) -> _Dependent:
        """Return such a condition on values of ``event_dim`` dimensions."""
        made = _Dependent()
        made.is_discrete, made.event_dim = is_discrete, event_dim
        return made


class dependent_property(property, _Dependent):
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

    def __init__(self, fget: Any = None, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        super().__init__(fget)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fget: Any) -> dependent_property:  # type: ignore[override]
        return dependent_property(fget, is_discrete=self.is_discrete, event_dim=self.event_dim)


def is_dependent(constraint: Any) -> bool:
    """Say whether a condition depends on other parameters."""
    return isinstance(constraint, (_Dependent, property))        # a property: asked of a class, whose instances know


def greater_than(lower_bound: Any) -> Constraint:
    """Values above a bound."""
    return _Bounds("GreaterThan", lower_bound, strict=True)


def greater_than_eq(lower_bound: Any) -> Constraint:
    """Values from a bound on."""
    return _Bounds("GreaterThanEq", lower_bound)


def less_than(upper_bound: Any) -> Constraint:
    """Values below a bound."""
    return _Bounds("LessThan", upper=upper_bound, strict=True)


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Values from one bound to another."""
    return _Bounds("Interval", lower_bound, upper_bound)


def half_open_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Values from one bound up to, but without, another."""
    return _Bounds("HalfOpenInterval", lower_bound, upper_bound, half_open=True)


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Whole numbers from one bound to another."""
    return _Bounds("IntegerInterval", lower_bound, upper_bound, whole=True)


real: Constraint = _Real()                  # typed in words: a checker may meet distribution.py first
boolean, one_hot, simplex, lower_cholesky = _Boolean(), _OneHot(), _Simplex(), _LowerCholesky()
corr_cholesky, positive_semidefinite = _CorrCholesky(), _PositiveSemidefinite()
positive_definite, dependent, lower_triangular, square, symmetric = (
    _PositiveDefinite(), _Dependent(), _LowerTriangular(), _Square(), _Symmetric()
)  # fmt: skip
real_vector = independent(real, 1)
positive, nonnegative, unit_interval = greater_than(0.0), greater_than_eq(0.0), interval(0.0, 1.0)
nonnegative_integer, positive_integer = _Bounds("IntegerGreaterThan", 0, whole=True), _Bounds("IntegerGreaterThan", 1, whole=True)

"""What parameters and values of distributions must satisfy; ``check`` returns a bool for each value.

>>> import taeda
>>> positive.check(taeda.tensor([-1.0, 2.0]))
tensor([False,  True])
"""

from __future__ import annotations

from typing import Any

import taeda

__all__ = [
    "Constraint", "boolean", "dependent", "greater_than", "greater_than_eq", "independent", "integer_interval", "interval", "less_than",
    "lower_cholesky", "nonnegative", "nonnegative_integer", "one_hot", "positive", "positive_definite", "real", "real_vector", "simplex",
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


class _LowerCholesky(Constraint):
    event_dim = 2

    def check(self, value: Any) -> Any:
        return (value.tril() == value).flatten(-2).all(-1) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class _PositiveDefinite(Constraint):
    event_dim = 2

    def check(self, value: Any) -> Any:
        symmetric = taeda.isclose(value, value.mT, atol=1e-6).flatten(-2).all(-1)
        return symmetric & taeda.linalg.cholesky_ex(value).info.eq(0)


class _Bounds(Constraint):
    """Between two bounds, each of which belongs to it or does not, or is None."""

    def __init__(self, name: str, lower: Any = None, upper: Any = None, strict: bool = False, whole: bool = False) -> None:
        self.name, self.lower_bound, self.upper_bound, self.strict, self.is_discrete = name, lower, upper, strict, whole

    def check(self, value: Any) -> Any:
        holds = value == value
        if self.is_discrete:
            holds = holds & (value % 1 == 0)
        if self.lower_bound is not None:
            holds = holds & (value > self.lower_bound if self.strict else value >= self.lower_bound)
        if self.upper_bound is not None:
            holds = holds & (value < self.upper_bound if self.strict else value <= self.upper_bound)
        return holds

    def __repr__(self) -> str:
        pairs = (("lower_bound", self.lower_bound), ("upper_bound", self.upper_bound))
        return f"{self.name}({', '.join(f'{k}={v}' for k, v in pairs if v is not None)})"


class independent(Constraint):
    """A condition that holds where it holds for all of the last dimensions."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.n = base_constraint, reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        holds = self.base_constraint.check(value)
        return holds.flatten(-self.n).all(-1) if self.n else holds

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.n})"


class _Dependent(Constraint):
    """A condition on other parameters: the distribution knows it once it is made."""


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


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Whole numbers from one bound to another."""
    return _Bounds("IntegerInterval", lower_bound, upper_bound, whole=True)


real: Constraint = _Real()                  # typed in words: a checker may meet distribution.py first
boolean, one_hot, simplex, lower_cholesky = _Boolean(), _OneHot(), _Simplex(), _LowerCholesky()
positive_definite, dependent = _PositiveDefinite(), _Dependent()
real_vector = independent(real, 1)
positive, nonnegative, unit_interval = greater_than(0.0), greater_than_eq(0.0), interval(0.0, 1.0)
nonnegative_integer = _Bounds("IntegerGreaterThan", 0, whole=True)

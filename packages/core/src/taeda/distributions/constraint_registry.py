"""From a constraint to a transform whose results satisfy it: parameters without bounds for an optimizer.

>>> import taeda
>>> from taeda.distributions import biject_to, constraints, transform_to
>>> transform_to(constraints.positive)(taeda.tensor([0.0, 1.0]))
tensor([1.0000, 2.7183])
>>> biject_to(constraints.simplex)
StickBreakingTransform()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.distributions import constraints, transforms
from taeda.distributions.transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], Transform]


class ConstraintRegistry:
    """Called with a constraint, return a transform from unbounded values to those that satisfy it.

    There are two: ``biject_to`` gives transforms that can be undone and have a density, ``transform_to`` may give simpler ones, which is
    enough where parameters are to be optimised.

    ``register`` adds a factory for a class of constraints, or for the class of a given one; it also works as a decorator.
    Calling it raises NotImplementedError where there is none.

    >>> import taeda
    >>> from taeda.distributions import biject_to, constraints, transform_to
    >>> transform_to(constraints.interval(0.0, 10.0))(taeda.tensor([0.0]))
    tensor([5.])
    >>> biject_to(constraints.simplex), transform_to(constraints.simplex)
    (StickBreakingTransform(), SoftmaxTransform())
    """

    def __init__(self) -> None:
        self._registry: dict[type, Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Make ``factory(constraint)`` the transform for a class of constraints; TypeError for what is none."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, constraints.Constraint)):
            raise TypeError(f"[register] Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Transform:
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"[constraint_registry] Cannot transform {type(constraint).__name__} constraints; register() "
                                      "adds a transform")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _beyond(c: Any) -> Transform:
    """e^x beyond one bound."""
    start, sign = (c.upper_bound, -1) if isinstance(c, constraints.less_than) else (c.lower_bound, 1)
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(start, sign)])


def _between(c: Any) -> Transform:
    """A sigmoid between two bounds."""
    lower, upper = c.lower_bound, c.upper_bound
    if isinstance(lower, (int, float)) and isinstance(upper, (int, float)) and (lower, upper) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(lower, upper - lower)])


def _independent(registry: ConstraintRegistry) -> Factory:
    return lambda c: transforms.IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims)


def _cat(registry: ConstraintRegistry) -> Factory:
    return lambda c: transforms.CatTransform([registry(part) for part in c.cseq], c.dim, c.lengths)


def _stack(registry: ConstraintRegistry) -> Factory:
    return lambda c: transforms.StackTransform([registry(part) for part in c.cseq], c.dim)


for _registry in (biject_to, transform_to):
    _registry.register(constraints.real, lambda c: transforms.identity_transform)
    _registry.register(constraints.greater_than, _beyond)
    _registry.register(constraints.greater_than_eq, _beyond)
    _registry.register(constraints.less_than, _beyond)
    _registry.register(constraints.interval, _between)
    _registry.register(constraints.half_open_interval, _between)
    _registry.register(constraints.independent, _independent(_registry))
    _registry.register(constraints.cat, _cat(_registry))
    _registry.register(constraints.stack, _stack(_registry))
biject_to.register(constraints.simplex, lambda c: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda c: transforms.SoftmaxTransform())
for _registry in (biject_to, transform_to):
    _registry.register(constraints.corr_cholesky, lambda c: transforms.CorrCholeskyTransform())
transform_to.register(constraints.lower_cholesky, lambda c: transforms.LowerCholeskyTransform())
transform_to.register(constraints.positive_semidefinite, lambda c: transforms.PositiveDefiniteTransform())
transform_to.register(constraints.positive_definite, lambda c: transforms.PositiveDefiniteTransform())

"""Several passes over one module, in an order that constraints may choose.

>>> import taeda
>>> from taeda.fx.passes.infra.pass_base import PassResult
>>> from taeda.fx.passes.infra.pass_manager import PassManager
>>> def drop_dead(gm):
...     return PassResult(gm, gm.graph.eliminate_dead_code())
>>> result = PassManager([drop_dead], steps=3)(taeda.fx.symbolic_trace(lambda x: x + 1))
>>> result.modified
False
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

from taeda.fx.passes.infra.pass_base import PassResult

__all__ = ["PassManager", "pass_result_wrapper", "this_before_that_pass_constraint"]

logger = logging.getLogger(__name__)

Pass = Callable[..., Any]
Constraint = Callable[[Pass, Pass], bool]           # whether the first may stand before the second


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def pass_result_wrapper(fn: Callable[..., Any]) -> Callable[..., PassResult | None]:
    """Make a pass of a function that changes a module in place, or returns the new one."""
    if fn is None:
        return None

    @functools.wraps(fn)
    def wrapped(gm: Any) -> PassResult | None:
        found = fn(gm)
        if isinstance(found, PassResult):
            return found
        return PassResult(gm if found is None else found, True)

    if not hasattr(fn, "__name__"):
        wrapped.__name__ = type(fn).__name__
    return wrapped


def this_before_that_pass_constraint(this: Pass, that: Pass) -> Constraint:
    """Make the constraint that one pass comes before another."""
    return lambda a, b: not (a is that and b is this)


class PassManager:
    """Run passes over a module, again and again until none changes it, ``steps`` times at most (1 by default).

    Args:
        passes: each takes a module and returns a PassResult.
        constraints: functions of two passes, whether the first may stand before the second.
        run_checks_after_each_pass: run what ``add_checks`` added after each pass, and not only at the end; graphs are checked too.
        suppress_check_failures: errors of checks are logged, not raised.

    Raises:
        RuntimeError: the passes do not keep to the constraints; ``solve_constraints`` puts them in order.
        Exception: a pass failed, or returned no PassResult.
    """

    def __init__(
        self, passes: list[Pass] | None = None, constraints: list[Constraint] | None = None, steps: int | None = None,
        run_checks_after_each_pass: bool = False, suppress_check_failures: bool = False,
    ) -> None:
        self.passes: list[Pass] = passes or []
        self.constraints: list[Constraint] = constraints or []
        self.checks: list[Callable[[Any], None]] = []
        self.steps = steps or 1
        self.run_checks_after_each_pass = run_checks_after_each_pass
        self.suppress_check_failures = suppress_check_failures
        self._validated = False

    def add_pass(self, _pass: Pass) -> None:
        """Add a pass at the end."""
        self.passes.append(_pass)
        self._validated = False

    def add_constraint(self, constraint: Constraint) -> None:
        """Add a constraint."""
        self.constraints.append(constraint)
        self._validated = False

    def add_checks(self, check: Callable[[Any], None]) -> None:
        """Add a function of a module that raises where something is wrong; TypeError if it takes anything else."""
        if len(inspect.signature(check).parameters) != 1:
            raise TypeError("[PassManager] a check takes one argument, a module")
        self.checks.append(check)

    def check(self, module: Any) -> None:
        """Run the checks."""
        for check in self.checks:
            check(module)

    def validate_constraints(self) -> None:
        """Raise RuntimeError where the passes stand in an order that a constraint forbids."""
        if self._validated:
            return
        for constraint in self.constraints:
            for i, a in enumerate(self.passes):
                for b in self.passes[i + 1 :]:
                    if not constraint(a, b):
                        raise RuntimeError(f"[PassManager] pass schedule constraint violated: {_name(b)} must come before {_name(a)}")
        self._validated = True

    def solve_constraints(self) -> None:
        """Put the passes in an order that keeps to the constraints, as near to theirs as may be; RuntimeError if there is none."""
        left, ordered = list(self.passes), []
        while left:
            first = next((a for a in left if all(rule(a, b) for rule in self.constraints for b in left if b is not a)), None)
            if first is None:
                raise RuntimeError(f"[PassManager] circular dependency within the passes {', '.join(map(_name, left))}")
            left.remove(first)
            ordered.append(first)
        self.passes = ordered
        self._validated = True

    def _checked(self, module: Any, after: str) -> None:
        try:
            self.check(module)
            if hasattr(module, "graph"):
                module.graph.lint()
        except Exception as error:
            if not self.suppress_check_failures:
                raise type(error)(f"[PassManager] a check failed after {after}: {error}") from error
            logger.warning("a check failed after %s: %s", after, error)

    def __call__(self, module: Any) -> PassResult:
        """Run the passes over a module."""
        self.validate_constraints()
        self._checked(module, "no pass")
        changed_at_all = False
        for _ in range(self.steps):
            changed = False
            for i, function in enumerate(self.passes):
                before = [_name(p) for p in self.passes[:i]]
                try:
                    found = function(module)
                    if not isinstance(found, PassResult) and not hasattr(found, "graph_module"):
                        raise TypeError(f"the result of {_name(function)} is no PassResult but {type(found).__name__}; "
                                        "hint: wrap it in pass_result_wrapper")
                except Exception as error:
                    raise Exception(f"[PassManager] an error occurred when running {_name(function)!r} after {before}: {error}") from error
                module, changed = found.graph_module, changed or found.modified
                if self.run_checks_after_each_pass:
                    self._checked(module, _name(function))
            changed_at_all = changed_at_all or changed
            if not changed:
                break
        return PassResult(module, changed_at_all)

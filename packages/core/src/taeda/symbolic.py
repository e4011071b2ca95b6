"""What code for PyTorch's compiler asks for: its symbolic numbers are plain ones here, and its control flow is Python's."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

from taeda._override import function_for
from taeda.dtype import bool_, int64
from taeda.ops import tensor, where
from taeda.stand_ins import is_stand_in
from taeda.tensor import Tensor

__all__ = [
    "SymBool", "SymFloat", "SymInt", "cond", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sqrt", "sym_sum",
    "while_loop",
]  # fmt: skip


class SymInt:
    """A whole number that a compiler does not know yet: sizes are ints here, so that nothing is one."""


class SymFloat:
    """A number that a compiler does not know yet; nothing is one."""


class SymBool:
    """A truth value that a compiler does not know yet; nothing is one."""


def _assert(condition: Any, message: str) -> None:
    """Raise AssertionError with ``message`` unless the condition, a bool or a tensor of one element, holds."""
    if not condition:
        raise AssertionError(message)


_assert = function_for(_assert, "_assert", __name__)            # a traced condition is recorded


def _assert_async(input: Tensor, assert_msg: str = "Expected Tensor with single nonzero value, but got zero") -> None:
    """Raise RuntimeError unless the tensor's one element is true; there is no queue of work to wait for."""
    if not input:
        raise RuntimeError(assert_msg)


def _shape_as_tensor(input: Tensor) -> Tensor:
    """Return the sizes of a tensor as a tensor."""
    return tensor(list(input.shape), dtype=int64)


def _check_with(error_type: type[Exception], cond: bool, message: Callable[[], Any] | None) -> None:
    """Raise an error of a type, with what ``message`` returns, unless the condition holds."""
    if not isinstance(cond, bool):
        hint = "; for tensors there is _check_tensor_all" if isinstance(cond, Tensor) else ""
        raise TypeError(f"[_check] cond must be a bool, but got {type(cond)}{hint}")
    if cond:
        return
    if message is not None and not callable(message):
        raise TypeError("[_check] message must be a callable")
    raise error_type("Expected cond to be True, but got False" if message is None else str(message()))


def _checks(error_type: type[Exception]) -> Callable[..., None]:
    def check(cond: bool, message: Callable[[], Any] | None = None) -> None:
        _check_with(error_type, cond, message)

    check.__doc__ = f"Raise {error_type.__name__}, with what ``message`` returns, unless the condition, a bool, holds."
    return check


_check, _check_index, _check_value, _check_type = map(_checks, (RuntimeError, IndexError, ValueError, TypeError))
_check_not_implemented = _checks(NotImplementedError)


def _check_is_size(i: Any, message: Callable[[], Any] | None = None, *, max: Any = None) -> None:
    """Raise RuntimeError unless the number can be a size: not negative, and not above ``max``."""
    _check(bool(i >= 0 and (max is None or i <= max)), message)


def _check_tensor_all_with(error_type: type[Exception], cond: Tensor, message: Callable[[], Any] | None = None) -> None:
    """Raise an error of a type, with what ``message`` returns, unless all elements are true."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"[_check_tensor_all] cond must be a tensor, but got {type(cond)}")
    if cond.dtype != bool_:
        raise TypeError(f"[_check_tensor_all] cond must have dtype bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond: Tensor, message: Callable[[], Any] | None = None) -> None:
    """Raise RuntimeError, with what ``message`` returns, unless all elements are true."""
    _check_tensor_all_with(RuntimeError, cond, message)


sym_int, sym_float, sym_max, sym_min, sym_not, sym_sqrt = int, float, max, min, operator.not_, math.sqrt


def sym_sum(args: Iterable[Any]) -> Any:
    """Return the sum of numbers.

    >>> import taeda
    >>> taeda.sym_sum([1, 2, 3])
    6
    """
    return sum(args)


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """Return ``t`` where ``b`` is true, else ``f``.

    >>> import taeda
    >>> taeda.sym_ite(True, 1, 2)
    1
    """
    return t if b else f


# -- control flow -------------------------------------------------------------------------------------


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()) -> Any:
    """Return ``true_fn(*operands)`` if ``pred`` is true, else ``false_fn(*operands)``; only one of them runs.

    Under ``vmap`` both run where ``pred`` differs from sample to sample, and ``where`` chooses between their results.

    Raises RuntimeError unless ``pred`` is a bool or a tensor of one element.

    >>> import taeda
    >>> taeda.cond(taeda.tensor(True), lambda x: x + 1, lambda x: x - 1, (taeda.tensor(1),))
    tensor(2)
    """
    if not isinstance(pred, (bool, int)) and not (isinstance(pred, Tensor) and pred.numel() == 1):
        raise RuntimeError(f"[cond] Expected pred to be bool or single-element tensor, but got {pred}.")
    for f in (true_fn, false_fn):
        if not callable(f):
            raise RuntimeError(f"[cond] Expect both branches to be callable, got {type(f).__name__}")
    if not isinstance(operands, (tuple, list, dict)):
        raise RuntimeError(f"[cond] Expect operands to be a tuple of tensors, got {type(operands).__name__}")
    if isinstance(pred, Tensor) and is_stand_in(pred):
        from taeda.func.pytree import tree_map  # loaded after this room

        choice = pred.reshape(()).bool()
        return tree_map(lambda t, f: where(choice, t, f) if isinstance(t, Tensor) else t, true_fn(*operands), false_fn(*operands))
    return (true_fn if pred else false_fn)(*operands)


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any) -> Any:
    """Replace the values by ``body_fn(*values)`` for as long as ``cond_fn(*values)`` is true; return the last ones.

    >>> import taeda
    >>> taeda.while_loop(lambda x: x < 9, lambda x: (2 * x,), (taeda.tensor(1),))
    (tensor(16),)
    """
    values = tuple(carried_inputs)
    while cond_fn(*values):
        found = body_fn(*values)
        values = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        if len(values) != len(carried_inputs):
            raise RuntimeError(f"[while_loop] body_fn must return as many values as it takes, {len(carried_inputs)}, got {len(values)}")
    return values

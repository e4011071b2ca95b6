"""PyTorch's inner room of TorchScript, from which libraries take decorators: functions come back as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final as Final

from taeda.jit import Future, export, ignore, is_scripting, unused

__all__ = ["Final", "Future", "boolean_dispatch", "export", "ignore", "is_scripting", "unused"]

_copy_to_script_wrapper = _overload = _overload_method = unused


class _BroadcastingList:
    """In annotations: a list of that length, or one value for all."""

    def __getitem__(self, kind: Any) -> Any:
        return Any


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = _BroadcastingList()


def boolean_dispatch(
    arg_name: str, arg_index: int, default: bool, if_true: Callable[..., Any], if_false: Callable[..., Any], module_name: str = "",
    func_name: str = "",
) -> Callable[..., Any]:
    """Return a function that calls ``if_true`` or ``if_false`` by its argument of that name, or at that position.

    >>> from taeda._jit_internal import boolean_dispatch
    >>> total = boolean_dispatch("both", 1, False, lambda x, both: sum(x), lambda x, both=False: x[0])
    >>> total([3, 4]), total([3, 4], True), total([3, 4], both=True)
    (3, 7, 7)
    """

    def function(*args: Any, **kwargs: Any) -> Any:
        chosen = args[arg_index] if arg_index < len(args) else kwargs.get(arg_name, default)
        return (if_true if chosen else if_false)(*args, **kwargs)

    if func_name:
        function.__name__ = func_name
    if module_name:
        function.__module__ = module_name
    return function

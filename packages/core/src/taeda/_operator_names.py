"""The operators of a program's own by name: ``taeda.ops.ns.name`` with its overloads, and where in a call they are."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from taeda._aten import operators
from taeda._override import call_overrides, mode_stack, overloaded_args
from taeda.schema import FunctionSchema, Tag

if TYPE_CHECKING:
    from taeda._operator import CustomOpDef

__all__ = ["OpOverload", "OpOverloadPacket", "below_autograd", "is_below_autograd"]

_state = threading.local()


def is_below_autograd() -> bool:
    """Return whether a kernel for PyTorch's key Autograd has called the operator."""
    return getattr(_state, "below", False)


class below_autograd(contextlib.ContextDecorator):
    """A block in which operators run the kernels of their devices, not those for the key Autograd: how the latter call the former."""

    def __enter__(self) -> None:
        self._was = is_below_autograd()
        _state.below = True

    def __exit__(self, *exc: object) -> None:
        _state.below = self._was


def _over(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Return the arguments, also of lists, whose ``__torch_function__`` takes the operator over; our own classes come to its kernel."""
    flat: list[Any] = []
    for x in (*args, *kwargs.values()):
        flat.extend(x if type(x) in (list, tuple) else (x,))
    return [x for x in overloaded_args(flat) if not getattr(type(x), "_looks_inside", False)]


class OpOverload(operators.OpOverload):
    """An overload of an operator of a program's own; call it as the operator."""

    def __init__(self, packet: OpOverloadPacket, op: CustomOpDef, overload: str) -> None:
        self.overloadpacket, self._of, self._overloadname = packet, op, overload
        self.namespace, self._opname = packet.namespace, packet.__name__
        self.__name__, self.__module__ = f"{self._opname}.{overload}", f"taeda.ops.{self.namespace}"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        recorded = operators.record(self, args, kwargs)
        if recorded is not None:
            return recorded
        over = _over(args, kwargs)
        if over or mode_stack():                    # they see the operator, not what its kernel calls
            return call_overrides(self, None, over, args, kwargs)
        return self._of._run(args, kwargs)

    def name(self) -> str:
        """Return the name with its namespace."""
        return self._of._qualname

    @property
    def tags(self) -> list[Tag]:
        """What the operator was said to be like where it was defined."""
        return list(self._of._tags)

    @property
    def _schema(self) -> FunctionSchema:
        return self._of._info

    @property
    def _writes(self) -> bool:
        return self._schema.is_mutable

    @property
    def _nondeterministic_seeded(self) -> bool:
        return Tag.nondeterministic_seeded in self.tags

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.namespace}.{self._opname}', overload='{self._overloadname}')>"


class OpOverloadPacket(operators.OpOverloadPacket):
    """``taeda.ops.ns.name``: an operator of a program's own; a call goes to the first of its overloads that takes the arguments."""

    def __init__(self, namespace: str, name: str) -> None:
        self.namespace, self._qualified_op_name = namespace, f"{namespace}::{name}"
        self.__name__, self.__module__ = name, f"taeda.ops.{namespace}"
        self._overloads: dict[str, OpOverload] = {}

    def _take(self, overload: str, made: OpOverload) -> None:
        self._overloads[overload] = made
        setattr(self, overload, made)

    def _drop(self, overload: str) -> None:
        del self._overloads[overload]
        delattr(self, overload)

    @property
    def _of(self) -> CustomOpDef:
        """The operator of the first overload."""
        return self._chosen((), {}, first=True)._of

    @property
    def _writes(self) -> bool:
        return any(one._writes for one in self._overloads.values())

    @property
    def _nondeterministic_seeded(self) -> bool:
        return any(one._nondeterministic_seeded for one in self._overloads.values())

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        recorded = operators.record(self, args, kwargs)
        if recorded is not None:
            return recorded
        over, modes = _over(args, kwargs), mode_stack()
        if not getattr(modes[-1], "_looks_inside", False) if modes else over:       # our own recorders count overloads
            return call_overrides(self, None, over, args, kwargs)
        return self._chosen(args, kwargs)(*args, **kwargs)

    def _chosen(self, args: tuple[Any, ...], kwargs: dict[str, Any], first: bool = False) -> OpOverload:
        several = list(self._overloads.values())
        if not several:
            raise RuntimeError(f"[{self._qualified_op_name}] the operator is gone with the Library that defined it")
        if first:
            return several[0]
        for one in several[:-1]:
            try:
                one._of._bound(args, kwargs)
            except RuntimeError:                    # for other arguments
                continue
            return one
        return several[-1]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"[library] The underlying op of '{self}' has no overload name '{name}'")

    def overloads(self) -> list[str]:
        """Return the names of the overloads, "default" for the one without."""
        return list(self._overloads)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"

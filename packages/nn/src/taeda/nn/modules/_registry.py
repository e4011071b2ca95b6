"""The named members of a module: a dict whose entries are also plain attributes of their owner.

``module.weight`` is then an ordinary attribute read (20 ns) instead of a failed one followed by
``__getattr__`` (350 ns), and ``module._parameters`` is still the dict that users read and write.  A class with a
``__getattr__`` of its own wants to see each read of a member, so its members are no attributes; nor is one whose name the
class has: reading it gives the class's, as in PyTorch (``self.parameters = nn.ParameterList(...)`` leaves the method).
"""

from __future__ import annotations

import weakref
from copy import deepcopy
from typing import Any, Self

_MISSING: Any = object()


class Registry(dict[str, Any]):
    """``_parameters``, ``_buffers`` or ``_modules`` of one module.

    Every change is repeated in the owner's ``__dict__``.  The owner is held weakly: a module and its
    registries form no cycle, so its memory goes as soon as the last user lets go.
    """

    __slots__ = ("_owner",)
    _is_plain = True                                    # a dict to taeda.func's trees, as PyTorch's are
    lookup: Any = None                                  # Module.__getattr__

    def __init__(self, owner: object, items: Any = ()) -> None:
        self._owner = weakref.ref(owner)
        if items:                                       # all at once: a copy of a module makes three
            dict.update(self, items)
            attributes = self._attributes()
            for name, value in self.items():
                if not self._is_of_class(name):
                    attributes[name] = value

    def _attributes(self) -> dict[str, Any]:
        owner = self._owner()
        return {} if owner is None or type(owner).__getattr__ is not Registry.lookup else owner.__dict__  # type: ignore[attr-defined]

    def _is_of_class(self, name: str) -> bool:
        return any(name in cls.__dict__ for cls in type(self._owner()).__mro__)

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if not self._is_of_class(name):
            self._attributes()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._attributes().pop(name, None)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]
        self.update(other)
        return self

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        if name not in self:
            if default is _MISSING:
                raise KeyError(name)
            return default
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        name, value = super().popitem()
        self._attributes().pop(name, None)
        return name, value

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def copy(self) -> dict[str, Any]:
        return dict(self)

    # A copy or a pickle is a plain dict; Module.__setstate__ makes it a registry of the new owner.
    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {name: deepcopy(value, memo) for name, value in self.items()}

    def __reduce_ex__(self, protocol: Any) -> Any:
        return dict, (), None, None, iter(list(self.items()))

"""Containers of parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from taeda import Tensor
from taeda.nn.modules.container import check_index, pairs
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _as_member(value: Any) -> Any:
    """Make a tensor a parameter; anything else is kept as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _line(key: Any, value: Any, kind: str) -> str:
    if not isinstance(value, Tensor):
        return f"  ({key}): Object of type: {type(value).__name__}"
    what = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(n) for n in value.shape)
    device = "" if value.device.type in ("cpu", "meta") else f" ({value.device})"
    return f"  ({key}): {what} containing: [{kind} of size {size}{device}]"


class ParameterList(Module):
    """A list of parameters that the module holding it finds.  Tensors become parameters.

    >>> import taeda
    >>> from taeda import nn
    >>> ws = nn.ParameterList([taeda.ones(2), taeda.ones(3)])
    >>> len(list(ws.parameters())), ws[1].shape
    (2, taeda.Size([3]))
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def _get_abs_string_index(self, idx: Any) -> str:  # PyTorch's name of it
        return str(check_index(idx, len(self), type(self).__name__))

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            out = type(self)()
            for i in range(*idx.indices(len(self))):
                out.append(self[i])
            return out
        return getattr(self, self._get_abs_string_index(idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        # A parameter, a buffer or anything else under this number before is forgotten.
        setattr(self, self._get_abs_string_index(idx), _as_member(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def __iadd__(self, parameters: Iterable[Any]) -> Self:
        return self.extend(parameters)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value: Any) -> Self:
        """Put ``value`` at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Put values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                f"[ParameterList] ParameterList.extend should be called with an iterable, but got {type(values).__name__}"
                + ("; put it in a list" if isinstance(values, Tensor) else "")
            )
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        lines = [_line(i, v, str(v.dtype) if isinstance(v, Tensor) else "") for i, v in enumerate(self)]
        return "\n".join(lines)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("[ParameterList] ParameterList should not be called: it only holds parameters; index it")


class ParameterDict(Module):
    """A dict of parameters that the module holding it finds.  Tensors become parameters.

    A mapping is taken in the order of its sorted keys, an ``OrderedDict`` or a ``ParameterDict`` in its own.

    >>> import taeda
    >>> from taeda import nn
    >>> ws = nn.ParameterDict({"left": taeda.ones(2), "right": taeda.ones(3)})
    >>> list(ws), ws["right"].shape
    (['left', 'right'], taeda.Size([3]))
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._name(key))

    def __setitem__(self, key: str, value: Any) -> None:
        name = self._name(key)
        if key not in self._keys and hasattr(type(self), name):
            raise KeyError(f"[ParameterDict] attribute '{name}' already exists: a method has the name")
        self._keys[key] = None
        setattr(self, name, _as_member(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._name(key))

    @staticmethod
    def _name(key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(
                "[ParameterDict] Index given to ParameterDict cannot be used as a key as it is not a string (type is "
                f"'{type(key).__name__}')."
            )
        return key

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Return another dict of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value under ``key``, put there as ``default`` if it was not."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Take everything out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take the value under ``key`` out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last entry out and return it."""
        if not self._keys:
            raise KeyError("[ParameterDict] popitem(): the dict is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under ``key``, or ``default``."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a new dict with ``default`` under each key."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> Any:
        """Return the names."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values."""
        return ((k, self[k]) for k in self._keys)

    def values(self) -> Iterator[Any]:
        """Yield the values."""
        return (self[k] for k in self._keys)

    def update(self, parameters: Any) -> None:
        """Add values from a mapping or from pairs; a mapping that is not an ``OrderedDict`` by sorted keys."""
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            parameters = sorted(parameters.items())
        for key, value in pairs("ParameterDict", parameters):
            self[key] = value

    def __or__(self, other: Any) -> ParameterDict:
        copy = self.copy()
        copy.update(other)
        return copy

    def __ror__(self, other: Any) -> Any:
        copy = other.copy()
        copy.update(OrderedDict(self.items()))
        return copy

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        lines = [_line(k, v, str(v.type()) if isinstance(v, Tensor) else "") for k, v in self.items()]
        return "\n".join(lines)

    def __call__(self, input: Any = None) -> Any:
        raise RuntimeError("[ParameterDict] ParameterDict should not be called: it only holds parameters; index it")

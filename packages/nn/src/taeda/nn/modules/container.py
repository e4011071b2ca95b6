"""Containers of modules and of parameters."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Self, overload

from taeda.nn.modules._in_order import call_in_order
from taeda.nn.modules.module import Module, indent

__all__ = ["Container", "ModuleDict", "ModuleList", "Sequential"]


def check_index(index: Any, length: int, of: str) -> int:
    """Return ``index`` counted from the start; IndexError where there is no such place."""
    i = operator.index(index)
    if not -length <= i < length:
        raise IndexError(f"[{of}] index {i} is out of range: it holds {length}")
    return i % length if length else 0


class Container(Module):
    """A module with the given children (deprecated by PyTorch: write a ``Module``), which it warns of.

    >>> import warnings
    >>> from taeda import nn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     sorted(nn.Container(hidden=nn.Linear(2, 3), act=nn.ReLU())._modules)
    ['act', 'hidden']
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        for key, value in kwargs.items():
            self.add_module(key, value)


class _Numbered(Module):
    """Children named "0", "1", ... in order: what ``Sequential`` and ``ModuleList`` share."""

    _modules: dict[str, Module]  # type: ignore[assignment]

    def _renumber(self, modules: Iterable[Module]) -> None:
        modules = list(modules)
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    # PyTorch's names: subclasses of programs index by these
    def _get_abs_string_index(self, idx: Any) -> str:
        return str(check_index(idx, len(self), type(self).__name__))

    def _get_item_by_idx(self, iterator: Iterable[Any], idx: Any) -> Any:
        return next(islice(iterator, check_index(idx, len(self), type(self).__name__), None))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._get_item_by_idx(self._modules, index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._get_item_by_idx(self._modules, index)]
        for name in names:
            delattr(self, name)
        self._renumber(self._modules.values())

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, module: Module) -> Self:
        """Put ``module`` at the end.

        >>> from taeda import nn
        >>> len(nn.Sequential(nn.ReLU()).append(nn.Tanh()))
        2
        """
        name = len(self)  # a slice keeps the names of its modules: the next number may be taken
        while str(name) in self._modules:
            name += 1
        self.add_module(str(name), module)
        return self


class Sequential(_Numbered):
    """Modules that are called one after another, each with what the one before it returned.

    Args:
        *args: modules, or one ``OrderedDict`` of names and modules.

    >>> import taeda
    >>> from taeda import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    >>> net(taeda.randn(3, 2, 2)).shape
    taeda.Size([3, 2])
    >>> net[1:]
    Sequential(
      (1): Linear(in_features=4, out_features=2, bias=True)
      (2): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), module)

    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    @overload
    def __getitem__(self, index: int) -> Module: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._get_item_by_idx(self._modules, index)]

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *self._addend(other))

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend(self._addend(other))

    def _addend(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"[Sequential] add operator supports only objects of Sequential class, but {type(other)} is given.")
        return other

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*list(self) * self._times(other))

    def __rmul__(self, other: int) -> Sequential:
        return self * other

    def __imul__(self, other: int) -> Self:
        modules = list(self)
        for _ in range(self._times(other) - 1):
            for module in modules:
                self.append(module)
        return self

    def _times(self, other: Any) -> int:
        if not isinstance(other, int):
            raise TypeError(f"[Sequential] unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"[Sequential] Non-positive multiplication factor {other} for {type(self)}")
        return other

    def pop(self, key: int | slice) -> Module:
        """Take the module at ``key`` out and return it; the names of those behind it move back.

        >>> from taeda import nn
        >>> net = nn.Sequential(nn.ReLU(), nn.Tanh())
        >>> net.pop(0), net[0]
        (ReLU(), Tanh())
        """
        module = self[key]
        del self[key]
        return module

    def insert(self, index: int, module: Module) -> Self:
        """Put ``module`` before the one at ``index``; the names of those behind it move on by one.

        Raises:
            IndexError: there is no such place.
            AssertionError: it is not a Module.

        >>> from taeda import nn
        >>> nn.Sequential(nn.ReLU(), nn.Tanh()).insert(1, nn.Dropout())
        Sequential(
          (0): ReLU()
          (1): Dropout(p=0.5, inplace=False)
          (2): Tanh()
        )
        """
        if not isinstance(module, Module):
            raise AssertionError(f"[Sequential.insert] module should be of type: {Module}, got {type(module).__name__}")
        n = len(self)
        if not -n <= index <= n:
            raise IndexError(f"[Sequential.insert] Index out of range: {index}; there are {n} modules")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Put the modules of another Sequential, or of any iterable, at the end.

        >>> from taeda import nn
        >>> len(nn.Sequential(nn.ReLU()).extend([nn.Tanh(), nn.Sigmoid()]))
        3
        """
        for module in list(sequential):
            self.append(module)
        return self

    def forward(self, input: Any) -> Any:
        return call_in_order(self._modules.values(), input)


class ModuleList(_Numbered):
    """A list of modules whose parameters are found; it has no forward.

    >>> from taeda import nn
    >>> layers = nn.ModuleList(nn.Linear(10, 10) for _ in range(3))
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=10, out_features=10, bias=True)
    )
    >>> len(layers[1:])
    2
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        if type(self).forward is not Module.forward:
            return None
        return "a ModuleList only holds modules: call them in a loop, or use nn.Sequential to chain them"

    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    @overload
    def __getitem__(self, index: int) -> Module: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        return self._modules[self._get_abs_string_index(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._get_abs_string_index(index), module)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        combined = ModuleList()
        for i, module in enumerate([*self, *other]):
            combined.add_module(str(i), module)
        return combined

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def pop(self, key: int | slice) -> Module:
        """Take the module at ``key`` out and return it."""
        module = self[key]
        del self[key]
        return module

    def insert(self, index: int, module: Module) -> None:
        """Put ``module`` before the one at ``index``.

        >>> from taeda import nn
        >>> layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
        >>> layers.insert(1, nn.Sigmoid())
        >>> [type(m).__name__ for m in layers]
        ['ReLU', 'Sigmoid', 'Tanh']
        """
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)

    def append(self, module: Module) -> Self:
        """Put ``module`` at the end.

        >>> from taeda import nn
        >>> layers = nn.ModuleList()
        >>> for width in (4, 2):
        ...     _ = layers.append(nn.Linear(3, width))
        >>> layers[1]
        Linear(in_features=3, out_features=2, bias=True)
        """
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Put modules at the end.

        >>> from taeda import nn
        >>> len(nn.ModuleList().extend(nn.ReLU() for _ in range(3)))
        3
        """
        if not isinstance(modules, Iterable):
            hint = "; put it in a list" if isinstance(modules, Module) else ""
            raise TypeError(f"[ModuleList] ModuleList.extend should be called with an iterable, but got {type(modules).__name__}{hint}")
        for i, module in enumerate(list(modules), start=len(self)):
            self.add_module(str(i), module)
        return self

    def __repr__(self) -> str:
        texts = [repr(module) for module in self]
        if not texts:
            return f"{self._get_name()}()"
        lines: list[str] = []
        start = 0
        for i in range(1, len(texts) + 1):  # equal neighbours share a line
            if i == len(texts) or texts[i] != texts[start]:
                text = indent(texts[start], 2)
                many = i - start
                lines.append(f"({start}): {text}" if many == 1 else f"({start}-{i - 1}): {many} x {text}")
                start = i
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dict of modules whose parameters are found; it has no forward.

    >>> from taeda import nn
    >>> acts = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
    >>> acts["relu"], "tanh" in acts, len(acts)
    (ReLU(), True, 2)
    """

    _modules: dict[str, Module]  # type: ignore[assignment]

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        if type(self).forward is not Module.forward:
            return None
        return "a ModuleDict only holds modules: call one by its key"

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Take the module under ``key`` out and return it.

        >>> from taeda import nn
        >>> acts = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
        >>> acts.pop("relu"), list(acts)
        (ReLU(), ['tanh'])
        """
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> Any:
        """Return the names and modules.

        >>> from taeda import nn
        >>> [(name, type(m).__name__) for name, m in nn.ModuleDict({"act": nn.ReLU()}).items()]
        [('act', 'ReLU')]
        """
        return self._modules.items()

    def values(self) -> Any:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules from a mapping or from pairs; those under a known name are replaced.

        >>> from taeda import nn
        >>> acts = nn.ModuleDict({"relu": nn.ReLU()})
        >>> acts.update({"relu": nn.ReLU6(), "tanh": nn.Tanh()})
        >>> acts
        ModuleDict(
          (relu): ReLU6()
          (tanh): Tanh()
        )
        """
        for key, module in pairs("ModuleDict", modules):
            self[key] = module


def pairs(name: str, values: Any) -> list[tuple[str, Any]]:
    """Return the entries of a mapping or of an iterable of pairs; TypeError or ValueError where it is neither."""
    if not isinstance(values, Iterable):
        raise TypeError(f"[{name}] {name}.update should be called with an iterable of key/value pairs, but got {type(values).__name__}")
    if hasattr(values, "items"):
        return list(values.items())
    entries = []
    for i, entry in enumerate(values):
        if not isinstance(entry, Iterable):
            raise TypeError(f"[{name}] update sequence element #{i} should be Iterable; is {type(entry).__name__}")
        pair = list(entry)
        if len(pair) != 2:
            raise ValueError(f"[{name}] update sequence element #{i} has length {len(pair)}; 2 is required")
        entries.append((pair[0], pair[1]))
    return entries

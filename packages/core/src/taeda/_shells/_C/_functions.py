"""The functions of PyTorch's compiled module, by which its pickles call ``torch.sin`` and its like: they are the public ones."""

from __future__ import annotations

import functools
import importlib
import sys
import types
from typing import Any

__all__ = ["Functions"]


class Functions(types.ModuleType):
    """A part of the compiled module.

    Args:
        name: its own.
        rooms: the modules that have its functions, first to last.
        prefix: what its names begin with, and those of the rooms do not.

    >>> import taeda
    >>> taeda._C._special.special_erf is taeda.special.erf and taeda._C._VariableFunctions.sin is taeda.sin
    True
    """

    def __init__(self, name: str, rooms: tuple[str, ...], prefix: str = "") -> None:
        super().__init__(f"{__package__}.{name}", "Functions of PyTorch's compiled module.")
        self._rooms, self._prefix = rooms, prefix
        sys.modules[self.__name__] = self

    def __getattr__(self, name: str) -> Any:
        if name.startswith(self._prefix) and not name.startswith("__"):
            for room in self._rooms:
                found = getattr(importlib.import_module(room), name[len(self._prefix) :], None)
                if callable(found):
                    return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)


class _Nn(Functions):
    def _parse_to(self, *args: Any, **kwargs: Any) -> Any:
        """Return (device, dtype, non_blocking, memory_format) of the arguments that ``Module.to`` takes."""
        return importlib.import_module("taeda.nn.modules._convert").parse_to(args, kwargs)

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name in ("adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d"):
            return functools.partial(_adaptive_pool, found, "max" in name)
        return found


def _adaptive_pool(pool: Any, indices: bool, input: Any, output_size: Any, *, out: Any = None) -> Any:
    """Give an adaptive pool as the compiled module has it: with the maxima's places, always, and into ``out``."""
    from taeda.dispatch import write_exact

    y = pool(input, output_size, True) if indices else pool(input, output_size)
    if out is None:
        return y
    if not indices:
        return write_exact(out, y, pool.__name__, input)
    return tuple(write_exact(one, part, pool.__name__, input) for one, part in zip(out, y, strict=True))


VARIABLE = Functions("_VariableFunctions", ("taeda",))
NN = _Nn("_nn", ("taeda.nn.functional", "taeda.ops"))
SPECIAL = Functions("_special", ("taeda.special",), "special_")
LINALG, FFT = Functions("_linalg", ("taeda.ops",)), Functions("_fft", ("taeda.ops",))

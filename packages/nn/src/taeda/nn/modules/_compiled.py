"""What ``taeda.compile`` makes of a module: PyTorch's wrapper, by whose shape programs and checkpoints go."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from taeda.nn.modules.module import Module

__all__ = ["OptimizedModule"]

_OWN = frozenset({"_orig_mod", "dynamo_ctx", "_parameters", "_buffers", "_modules", "forward", "__class__", "__dict__"})


class OptimizedModule(Module):
    """A module that calls ``_orig_mod``, and whose other attributes are that module's, for reading and for writing.

    The names of its parameters, of its state and of its modules begin with ``_orig_mod.``, as in checkpoints of compiled models.

    >>> import taeda
    >>> from taeda import nn
    >>> model = taeda.compile(nn.Linear(2, 3))
    >>> list(model.state_dict()), model.out_features
    (['_orig_mod.weight', '_orig_mod.bias'], 3)
    """

    _orig_mod: Module

    def __init__(self, mod: Module) -> None:
        super().__init__()
        self._modules["_orig_mod"] = mod

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the module."""
        return self._orig_mod(*args, **kwargs)

    @staticmethod
    def dynamo_ctx(function: Any) -> Any:
        """Return what would be compiled: libraries that unwrap a module compile its parts by it."""
        return function

    @property
    def training(self) -> bool:  # type: ignore[override]
        """Whether the module is in training mode."""
        return self._orig_mod.training

    @training.setter
    def training(self, mode: bool) -> None:
        self._orig_mod.training = mode

    def __getattr__(self, name: str) -> Any:
        module = self.__dict__.get("_modules", {}).get("_orig_mod")  # there is none yet while a copy is being made
        if module is None or name == "_orig_mod":
            return super().__getattr__(name)
        return getattr(module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        if name in _OWN:
            super().__delattr__(name)
        else:
            delattr(self._orig_mod, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._orig_mod)})

    def __len__(self) -> int:
        if isinstance(self._orig_mod, Sized):
            return len(self._orig_mod)
        raise TypeError(f"object of type {type(self._orig_mod).__name__!r} has no len()")


OptimizedModule.__module__ = "taeda._dynamo.eval_frame"  # where PyTorch's is, for what asks and for pickles

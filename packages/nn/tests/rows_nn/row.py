"""The sample of a layer or a function of taeda.nn, independent of any framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Layer:
    """What the harness needs to know to build a module and call it.

    ``inputs`` are the positional arguments of the call: a shape stands for normal numbers, ``"i9"`` and
    ``("i9", shape)`` for integers below 9, an array for itself, None for None, a list for a tuple of such.
    """

    name: str  # the class in taeda.nn
    args: tuple[Any, ...] = ()  # of the class; arrays become tensors
    kwargs: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()
    call: dict[str, Any] = field(default_factory=dict)  # keywords of the call; arrays become tensors
    prepare: Callable[..., tuple[Any, ...]] | None = None  # (lib, *tensors) -> the call's arguments
    after: Callable[..., Any] | None = None  # (lib, result) -> what is compared and differentiated
    targets: bool = False  # inputs after the first are targets: they get no gradient
    grad: bool = True  # results are differentiable
    gradgrad: bool = True
    numeric: bool = True  # gradients are compared with differences too (slow where there are many parameters)
    empty: bool | None = None  # takes a batch of no samples (True), refuses it (False), not tried (None)
    errors: tuple[tuple[tuple[Any, ...], type[BaseException], str], ...] = ()  # inputs, exception, its text

    def __str__(self) -> str:
        options = [_short(a) for a in self.args] + [f"{k}={_short(v)}" for k, v in self.kwargs.items()]
        called = [_short(a) for a in self.inputs] + [f"{k}={_short(v)}" for k, v in self.call.items()]
        return f"{self.name}({','.join(options)})({','.join(called)})".replace(" ", "")


@dataclass(frozen=True)
class Made:
    """An argument of a class that must be made of the framework under test: a layer, a function."""

    make: Callable[[Any], Any]  # lib -> the argument
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Function:
    """A call of ``taeda.nn.functional.<name>``; arguments are written as a layer's inputs are."""

    name: str
    inputs: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    targets: bool = False
    grad: bool = True
    gradgrad: bool = True
    numeric: bool = True

    def __str__(self) -> str:
        called = [_short(a) for a in self.inputs] + [f"{k}={_short(v)}" for k, v in self.kwargs.items()]
        return f"{self.name}({','.join(called)})".replace(" ", "")


def _short(a: Any) -> str:
    return f"array{a.shape}" if isinstance(a, np.ndarray) else getattr(a, "__name__", str(a))


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Draw normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def uniform(*shape: int, seed: int = 0) -> np.ndarray:
    """Draw numbers between 0.05 and 0.95."""
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape)


def signs(*shape: int, seed: int = 3) -> np.ndarray:
    """Draw numbers that are 1 or -1."""
    return np.where(np.random.default_rng(seed).random(shape) < 0.5, -1.0, 1.0)


def classes(*shape: int, below: int = 5, seed: int = 2) -> np.ndarray:
    """Draw class indices."""
    return np.random.default_rng(seed).integers(0, below, shape)

"""PyTorch's name for helpers that libraries take from it: lists of tensors as one, exceptions on their way between threads and processes,
and the functions that its pickles name."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from taeda import ops
from taeda.device import device as _device
from taeda.serialization.rebuild import (
    rebuild_meta_v2 as _rebuild_meta_tensor_no_storage,
    rebuild_parameter as _rebuild_parameter,
    rebuild_parameter_with_state as _rebuild_parameter_with_state,
    rebuild_sparse as _rebuild_sparse_tensor,
    rebuild_v2 as _rebuild_tensor_v2,
)

__all__ = [
    "ExceptionWrapper", "_dummy_type", "_element_size", "_flatten_dense_tensors", "_get_available_device_type", "_get_device_index",
    "_get_device_module", "_import_dotted_name", "_rebuild_meta_tensor_no_storage", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_sparse_tensor",
    "_rebuild_tensor", "_rebuild_tensor_v2", "_take_tensors", "_unflatten_dense_tensors",
]  # fmt: skip

_rebuild_tensor = _rebuild_tensor_v2                    # of the two, the later takes the earlier's arguments too


def _import_dotted_name(name: str) -> Any:
    """Return what a dotted name names: a module, or something in one.

    >>> from taeda._utils import _import_dotted_name
    >>> _import_dotted_name("math.pi")
    3.141592653589793
    """
    first, *rest = name.split(".")
    found: Any = __import__(first)
    for at, part in enumerate(rest, 2):
        if not hasattr(found, part):
            importlib.import_module(".".join(name.split(".")[:at]))
        found = getattr(found, part)
    return found


def _element_size(dtype: Any) -> int:
    """Return the bytes of an element of a dtype."""
    return int(dtype.itemsize)


def _flatten_dense_tensors(tensors: Sequence[Any]) -> Any:
    """Return the elements of all tensors one after another.

    >>> import taeda
    >>> from taeda._utils import _flatten_dense_tensors
    >>> _flatten_dense_tensors([taeda.ones(2), taeda.zeros(1, 2)]).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    return ops.cat([t.reshape(-1) for t in tensors])


def _unflatten_dense_tensors(flat: Any, tensors: Sequence[Any]) -> tuple[Any, ...]:
    """Return views of what ``_flatten_dense_tensors`` made, each of the shape of a tensor.

    >>> import taeda
    >>> from taeda._utils import _unflatten_dense_tensors
    >>> [t.tolist() for t in _unflatten_dense_tensors(taeda.arange(4), [taeda.ones(2), taeda.zeros(1, 2)])]
    [[0, 1], [[2, 3]]]
    """
    found, start = [], 0
    for t in tensors:
        found.append(flat.narrow(0, start, t.numel()).view(t.shape))
        start += t.numel()
    return tuple(found)


def _take_tensors(tensors: Sequence[Any], size_limit: int) -> Iterator[list[Any]]:
    """Yield the tensors in lists of one dtype, each closed before it would hold more than ``size_limit`` bytes."""
    lists: dict[Any, tuple[list[Any], int]] = {}
    for t in tensors:
        size = t.numel() * t.element_size()
        held, total = lists.get(t.dtype, ([], 0))
        if held and total + size > size_limit:
            yield held
            held, total = [], 0
        lists[t.dtype] = ([*held, t], total + size)
    for held, _ in lists.values():
        yield held


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """Return the number of a device: -1 of the CPU if ``allow_cpu``.  ValueError where it has none."""
    if isinstance(device, int) and not isinstance(device, bool):
        return device
    found = _device(device) if isinstance(device, str) else device
    if isinstance(found, _device):
        if found.type == "cpu" and allow_cpu:
            return -1
        if found.index is not None and found.type != "cpu":
            return int(found.index)
    raise ValueError(f"[_get_device_index] expected a device with an index, or an integer, but got: {device}")


def _get_available_device_type() -> None:
    """Return the type of the accelerator: None, since there is none."""


def _get_device_module(device_type: str) -> Any:
    """Return the room of a type of device.  RuntimeError where there is none.

    >>> from taeda._utils import _get_device_module
    >>> _get_device_module("cpu").__name__
    'taeda.cpu'
    """
    if device_type in ("cpu", "cuda"):
        return importlib.import_module(f"taeda.{device_type}")
    raise RuntimeError(f"[_get_device_module] Device '{device_type}' does not have a corresponding module 'taeda.{device_type}'")


def _dummy_type(name: str) -> type:
    """Return a class that stands where a build for an accelerator has one, and cannot be made."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"[{name}] Tried to instantiate dummy base class {name}")

    return type(name, (), {"__init__": refuse, "__new__": refuse})


class KeyErrorMessage(str):
    """A text whose repr is itself: KeyError shows its argument by repr, which would fold a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self


class ExceptionWrapper:
    """An exception on its way to another thread or process: its type, and its traceback as text.

    Args:
        exc_info: (type, exception, traceback); None: that of the exception that is being handled.
        where: ends the sentence "Caught ValueError ...".

    >>> from taeda._utils import ExceptionWrapper
    >>> try:
    ...     int("x")
    ... except ValueError:
    ...     caught = ExceptionWrapper(where="in thread 1")
    >>> caught.exc_type, caught.where
    (<class 'ValueError'>, 'in thread 1')
    """

    def __init__(self, exc_info: Any = None, where: str = "in background") -> None:
        kind, error, trace = sys.exc_info() if exc_info is None else exc_info
        self.exc_type: Any = kind
        self.exc_msg = "".join(traceback.format_exception(kind, error, trace))
        self.where = where

    def reraise(self) -> NoReturn:
        """Raise an exception of the same type that tells the traceback; RuntimeError where it cannot be made from a text."""
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if issubclass(self.exc_type, KeyError):
            text = KeyErrorMessage(text)
        elif getattr(self.exc_type, "message", None):
            raise self.exc_type(message=text)
        try:
            error = self.exc_type(text)
        except Exception:                                  # it wants other arguments
            raise RuntimeError(text) from None
        raise error

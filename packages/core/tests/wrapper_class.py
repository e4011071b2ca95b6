"""A class with a ``__torch_dispatch__`` as the documents of PyTorch show it: it holds a tensor, and writes down what is done to it."""

from __future__ import annotations

from typing import Any

import taeda
from taeda._C import _disabled_torch_function_impl
from taeda.utils._pytree import tree_map

seen: list[str] = []


def unwrap(x: Any) -> Any:
    return x.elem if isinstance(x, Wrapper) else x


class Wrapper(taeda.Tensor):
    """Holds another tensor and writes down the operators that it goes through."""

    elem: Any

    @staticmethod
    def __new__(cls: Any, elem: Any, requires_grad: bool = False) -> Any:
        return taeda.Tensor._make_wrapper_subclass(
            cls, elem.size(), strides=elem.stride(), dtype=elem.dtype, device=elem.device, requires_grad=requires_grad
        )

    def __init__(self, elem: Any, requires_grad: bool = False) -> None:
        self.elem = elem

    __torch_function__ = _disabled_torch_function_impl

    def __tensor_flatten__(self) -> Any:
        return ["elem"], None

    @classmethod
    def __tensor_unflatten__(cls, inner: Any, context: Any, size: Any, stride: Any) -> Any:
        return cls(inner["elem"])

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        seen.append(str(func).removeprefix("aten."))
        found = func(*tree_map(unwrap, args), **tree_map(unwrap, kwargs or {}))
        return tree_map(lambda x: cls(x) if isinstance(x, taeda.Tensor) else x, found)

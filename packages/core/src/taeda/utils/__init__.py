"""PyTorch's ``torch.utils``, as far as it is about tensors; ``taeda.utils.data`` is ``taeda.data``."""

from __future__ import annotations

import importlib
from typing import Any

from taeda.stand_ins import is_wrapper_tensor, twin_of
from taeda.tensor import Tensor
from taeda.utils import checkpoint, hooks

__all__ = ["checkpoint", "hooks", "set_module", "swap_tensors"]


def set_module(obj: Any, mod: str) -> None:
    """Let an object say that it comes from a module, for nicer printing."""
    if not isinstance(mod, str):
        raise TypeError(f"[set_module] The mod argument should be a string, got {type(mod).__name__}")
    obj.__module__ = mod


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Exchange what two leaves are: values, gradients, classes and attributes; each object stays where it is referred to.

    RuntimeError for tensors that are results of operations, or whose attributes are slots.

    >>> import taeda
    >>> from taeda.utils import swap_tensors
    >>> a, b = taeda.ones(2), taeda.zeros(3)
    >>> swap_tensors(a, b)
    >>> a, b
    (tensor([0., 0., 0.]), tensor([1., 1.]))
    """
    for t in (t1, t2):
        if not isinstance(t, Tensor):
            raise TypeError(f"[swap_tensors] expected tensors, got {type(t).__name__}")
        if not t.is_leaf:
            raise RuntimeError("[swap_tensors] Can't swap tensors that an operation returned: the graph refers to them")
    kept = [
        (twin_of(t) if is_wrapper_tensor(t) else t.detach(), t.requires_grad, t.grad, type(t), dict(getattr(t, "__dict__", {})))
        for t in (t1, t2)
    ]
    for t, (data, wanted, grad, kind, attributes) in zip((t2, t1), kept, strict=True):
        t.grad = None
        t.requires_grad_(False)
        t.data = data
        if type(t) is not kind:
            t.__class__ = kind
        if hasattr(t, "__dict__"):
            t.__dict__.clear()
            t.__dict__.update(attributes)
        t.requires_grad_(wanted)
        t.grad = grad


def __getattr__(name: str) -> Any:
    if name in (
        "backend_registration", "benchmark", "collect_env", "cpp_extension", "data", "deterministic", "dlpack", "flop_counter",
        "model_zoo", "module_tracker", "serialization", "weak", "_contextlib", "_foreach_utils", "_mode_utils",
        "_python_dispatch", "_pytree",
    ):
        try:
            return importlib.import_module(f"taeda.utils.{name}")
        except ModuleNotFoundError as error:
            raise AttributeError(str(error)) from None
    raise AttributeError(f"module 'taeda.utils' has no attribute {name!r}")

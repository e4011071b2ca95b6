"""Which modules a program is in, forward and backward: PyTorch's ``torch.utils.module_tracker``."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import taeda
from taeda.autograd.graph import register_multi_grad_hook
from taeda.autograd.passes import ask, current_id
from taeda.utils._pytree import tree_leaves

__all__ = ["ModuleTracker"]


def differentiable(values: Any) -> list[Any]:
    """Return the tensors in nested values that gradients come to."""
    return [x for x in tree_leaves(values) if isinstance(x, taeda.Tensor) and x.requires_grad]


class ModuleTracker:
    """In this block, ``parents`` is the set of names of the modules whose forward, or backward, is running, and "Global".

    A module called from outside any other is known by its class, those in it by its name and theirs: ``Net.encoder.0``. In
    backward a module has begun when the gradients of its outputs are there, and ends with those of its inputs.

    >>> import taeda
    >>> from taeda.utils.module_tracker import ModuleTracker
    >>> with ModuleTracker() as tracker:
    ...     print(tracker.parents, tracker.is_bw)
    {'Global'} False
    """

    def __init__(self) -> None:
        self._parents = {"Global"}
        self._names: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()
        self._pass: Any = None                # the backward pass that modules were last entered in
        self._handles: list[Any] = []

    @property
    def parents(self) -> set[str]:
        """The names of the modules that run."""
        if self._pass is not None and self._pass != current_id():        # what a pass left open ends with it
            self._parents, self._pass = {"Global"}, None
        return self._parents

    @property
    def is_bw(self) -> bool:
        """Whether a backward pass is under way."""
        return current_id() is not None

    def __enter__(self) -> ModuleTracker:
        ask(1)
        try:
            from taeda.nn.modules import module as modules
        except ModuleNotFoundError:           # without the add-on there are no modules to track
            return self
        self._handles = [modules.register_module_forward_pre_hook(self._before), modules.register_module_forward_hook(self._after)]
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        ask(-1)

    def _name(self, module: Any) -> str:
        name = self._names.setdefault(module, type(module).__name__)
        if module not in self._seen:
            self._seen.add(module)
            for child_name, child in module.named_children():
                self._names[child] = f"{name}.{child_name}"
                self._name(child)
        return name

    def _before(self, module: Any, args: Any) -> None:
        name = self._name(module)
        self.parents.add(name)
        self._on_gradients(args, lambda _: self.parents.discard(name))

    def _after(self, module: Any, args: Any, output: Any) -> None:
        name = self._name(module)
        self.parents.discard(name)

        def enter(_: Any) -> None:
            self.parents.add(name)
            self._pass = current_id()

        self._on_gradients(output, enter)

    def _on_gradients(self, values: Any, call: Callable[[Any], None]) -> None:
        tensors = differentiable(values)
        if tensors:
            self._handles.append(register_multi_grad_hook(tensors, call))

"""The sizes of all values of a graph, as one run sees them."""

from __future__ import annotations

from typing import Any, NamedTuple

import taeda
from taeda.fx.interpreter import Interpreter
from taeda.fx.node import Node, map_aggregate

__all__ = ["ShapeProp", "TensorMetadata"]


class TensorMetadata(NamedTuple):
    """What a tensor is, without its elements."""

    shape: Any
    dtype: Any
    requires_grad: bool
    stride: tuple[int, ...]
    memory_format: Any
    is_quantized: bool
    qparams: dict[str, Any]


def _extract_tensor_metadata(result: Any, include_contiguity: bool = True) -> TensorMetadata:
    """Return what a tensor is; ``memory_format`` is the first in which it is contiguous, None for no one."""
    memory_format = None
    if include_contiguity:
        formats = (taeda.contiguous_format, taeda.channels_last, taeda.channels_last_3d)
        ranks = (result.ndim, 4, 5)
        memory_format = next((f for f, n in zip(formats, ranks, strict=True)
                              if result.ndim == n and result.is_contiguous(memory_format=f)), None)
    return TensorMetadata(result.shape, result.dtype, result.requires_grad, result.stride(), memory_format, False, {})


class ShapeProp(Interpreter):
    """Runs a module and notes of each node, in ``meta``, what tensors it gave (``tensor_meta``) and of which ``type`` they were.

    Args:
        gm: the module.
        fake_mode: not used; tensors on the meta device have sizes and no elements.

    >>> import taeda
    >>> from taeda.fx.passes.shape_prop import ShapeProp
    >>> module = taeda.fx.symbolic_trace(taeda.nn.Sequential(taeda.nn.Linear(2, 3)))
    >>> _ = ShapeProp(module).propagate(taeda.ones(4, 2))
    >>> [tuple(node.meta["tensor_meta"].shape) for node in module.graph.nodes]
    [(4, 2), (4, 3), (4, 3)]
    """

    def __init__(self, gm: Any, fake_mode: Any = None) -> None:
        super().__init__(gm)
        self.fake_mode, self.fake_module, self.real_module = fake_mode, None, self.module

    def run_node(self, n: Node) -> Any:
        """Run a node and note what it gave."""
        try:
            result = super().run_node(n)
        except Exception as error:
            raise RuntimeError(f"[ShapeProp] ShapeProp error for: node={n.format_node()} with meta={n.meta}: {error}") from error
        found = False

        def note(x: Any) -> Any:
            nonlocal found
            if not isinstance(x, taeda.Tensor):
                return x
            found = True
            return _extract_tensor_metadata(x)

        meta = map_aggregate(result, note)
        if found:
            n.meta["tensor_meta"] = meta
        n.meta["type"] = type(result)
        return result

    def propagate(self, *args: Any) -> Any:
        """Run the module and return its result."""
        return self.run(*args)

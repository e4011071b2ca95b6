"""A call of an operator of a program's own as one step of the graph, and how tensors are taken out of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from taeda import ops
from taeda.autograd.function import Function
from taeda.tensor import Tensor

__all__ = ["Node", "Place", "put_back", "taken_out"]


class Place(int):
    """Where a tensor stood among the arguments: its number."""


def taken_out(args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the arguments with a Place for each tensor, also of lists, and the tensors."""
    tensors: list[Any] = []
    return [_placed(x, tensors) for x in args], tensors


def _placed(x: Any, tensors: list[Any]) -> Any:
    if isinstance(x, Tensor):
        tensors.append(x)
        return Place(len(tensors) - 1)
    if isinstance(x, (list, tuple)) and any(isinstance(y, Tensor) for y in x):
        return [_placed(y, tensors) for y in x]
    return x


def put_back(places: Sequence[Any], values: Sequence[Any], other: Callable[[Any], Any] = lambda x: x) -> tuple[Any, ...]:
    """Return the arguments with ``values`` for the tensors, and ``other(x)`` for what is none."""
    return tuple(_value(x, values, other) for x in places)


def _value(x: Any, values: Sequence[Any], other: Callable[[Any], Any]) -> Any:
    if isinstance(x, Place):
        return values[x]
    return [_value(y, values, other) for y in x] if isinstance(x, list) and any(isinstance(y, Place) for y in x) else other(x)


class Node(Function):
    """A call of an operator as one step of the graph."""

    @staticmethod
    def forward(ctx: Any, call: Any, *tensors: Any) -> Any:
        op, places, kwargs, lists, wanted = call
        ctx.call, ctx.results = (op, places), None
        args = put_back(places, tensors)
        found = op._compute(args, kwargs)
        ctx.needs_input_grad = put_back(places, ctx.needs_input_grad[1:], lambda x: False)
        if op._setup is not None and wanted:                     # nothing is kept for a pass that cannot come
            more = {"keyword_only_inputs": kwargs} if kwargs else {}
            op._setup(ctx=ctx, inputs=args, output=found, **more)
        several = isinstance(found, tuple)
        if not isinstance(found, list) and not (several and any(isinstance(x, (list, tuple)) for x in found)):
            return found
        ctx.results, flat = taken_out(found if several else (found,))
        lists.append((ctx.results, several))
        return tuple(flat)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        op, places = ctx.call
        if op._backward is None:
            raise RuntimeError(f"[{op._qualname}] Trying to backward through {op._opoverload} but no autograd formula "
                               "was registered. Please use register_autograd to add one.")
        if ctx.results is not None:                              # a list of results gets a list of gradients
            grads = put_back(ctx.results, grads, lambda x: None)
        found = op._backward(ctx, *grads)
        found = found if isinstance(found, tuple) else (found,)
        if op._given(places) <= len(found) < len(places):        # defaults that were filled in want none
            found += (None,) * (len(places) - len(found))
        if len(found) != len(places):
            raise RuntimeError(f"[{op._qualname}] expected a gradient or None for each of the {len(places)} inputs, got {len(found)}")
        flat: list[Any] = [None]
        for place, g in zip(places, found, strict=True):
            if isinstance(place, Place):
                flat.append(g)
            elif isinstance(place, list):
                several = [None] * len(place) if g is None else g
                flat += [h for p, h in zip(place, several, strict=True) if isinstance(p, Place)]
        return tuple(flat)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], call: Any, *tensors: Any) -> Any:
        op, places, kwargs = call[:3]
        if op._vmap is not None:
            given = places[: op._given(places)]
            return op._vmap(info, put_back(given, in_dims[1:], lambda x: None), *put_back(given, tensors), **kwargs)
        rows = [op(*put_back(places, [t if d is None else t.select(d, i) for t, d in zip(tensors, in_dims[1:], strict=True)]), **kwargs)
                for i in range(info.batch_size)]
        from taeda.func.pytree import tree_flatten, tree_unflatten

        spec = tree_flatten(rows[0])[1]
        columns = zip(*(tree_flatten(row)[0] for row in rows), strict=True)
        found = [(ops.stack(column), 0) if isinstance(column[0], Tensor) else (column[0], None) for column in columns]
        return tree_unflatten([x for x, _ in found], spec), tree_unflatten([d for _, d in found], spec)

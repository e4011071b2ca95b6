"""backward and grad: check what the user gave, then run the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda.autograd.engine import run_backward
from taeda._override import is_stand_in
from taeda.tensor_base import TensorBase


def _as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _cotangents(op: str, outputs: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    """Pair every output with its cotangent: the given one, or 1 for a scalar."""
    if len(given) != len(outputs):
        raise RuntimeError(f"[{op}] got {len(outputs)} tensors and {len(given)} gradients")
    roots: list[Any] = []
    grads: list[Any] = []
    for out, g in zip(outputs, given, strict=True):
        if not isinstance(out, TensorBase):
            raise TypeError(f"[{op}] expected Tensors to differentiate, got {type(out).__name__}")
        if is_stand_in(out):
            raise RuntimeError(f"[{op}] a tensor inside of vmap has no graph of its own; use taeda.func.grad or vjp in the function")
        if not out.requires_grad:
            raise RuntimeError(
                f"[{op}] element {len(roots)} of tensors does not require grad and does not have a grad_fn; "
                "set requires_grad=True on an input of the computation, and compute it outside of no_grad"
            )
        if g is None:
            if out.numel() != 1:
                raise RuntimeError(
                    f"[{op}] grad can be implicitly created only for scalar outputs, got shape {tuple(out.shape)}; "
                    "reduce it with .sum() or .mean(), or pass a gradient of that shape"
                )
            if not (out.is_floating_point() or out.is_complex()):
                raise RuntimeError(f"[{op}] grad can be computed only for floating point outputs, got {out.dtype}")
            g = out.new_ones(out.shape)
        elif not isinstance(g, TensorBase):
            raise TypeError(f"[{op}] gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g.shape != out.shape:
            raise RuntimeError(
                f"[{op}] Mismatch in shape: grad_output[{len(roots)}] has a shape of {tuple(g.shape)} and "
                f"output[{len(roots)}] has a shape of {tuple(out.shape)}."
            )
        elif g.dtype != out.dtype:
            g = g.to(out.dtype)
        roots.append(out)
        grads.append(g)
    return roots, grads


def _edge(op: str, x: Any) -> tuple[Any, int]:
    """Return what the engine captures for an input: (node, output number) or (leaf, -1)."""
    if not isinstance(x, TensorBase):
        raise TypeError(f"[{op}] inputs must be Tensors, got {type(x).__name__}")
    if not x.requires_grad:
        raise RuntimeError(f"[{op}] One of the differentiated Tensors does not require grad; its shape is {tuple(x.shape)}")
    return (x, -1) if x.grad_fn is None else (x.grad_fn, x.output_nr)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``.grad`` of the leaves that they came from.

    ``grad_tensors`` are the cotangents (1 for scalars when None); ``inputs`` limits the leaves.
    """
    outputs = _as_tuple(tensors)
    given = grad_tensors if grad_tensors is not None else grad_variables
    roots, grads = _cotangents("backward", outputs, (None,) * len(outputs) if given is None else _as_tuple(given))
    keep = create_graph if retain_graph is None else retain_graph
    captures = None
    if inputs is not None:
        wanted = _as_tuple(inputs)
        if not wanted:
            raise RuntimeError("[backward] inputs argument to backward() cannot be empty.")
        captures = [_edge("backward", x) for x in wanted]
    found = run_backward(roots, grads, keep, create_graph, captures, True)
    if captures is not None:
        for x, g in zip(_as_tuple(inputs), found, strict=True):
            if x.grad_fn is not None and g is not None:
                x.grad = g if x.grad is None else x.grad + g


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of ``outputs`` with respect to ``inputs``; no ``.grad`` is touched.

    Raises RuntimeError for an input that the outputs do not depend on, unless ``allow_unused``.

    >>> import taeda
    >>> x = taeda.tensor(3.0, requires_grad=True)
    >>> taeda.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    if allow_unused is False and materialize_grads:
        raise ValueError("[grad] Expected allow_unused to be True or not passed when materialize_grads=True")
    if is_grads_batched:
        return _of_batches(outputs, inputs, _as_tuple(grad_outputs), create_graph, allow_unused, materialize_grads)
    outs, ins = _as_tuple(outputs), _as_tuple(inputs)
    given: Sequence[Any] = (None,) * len(outs) if grad_outputs is None else _as_tuple(grad_outputs)
    roots, grads = _cotangents("grad", outs, tuple(given))
    captures = [_edge("grad", x) for x in ins]
    keep = create_graph if retain_graph is None else retain_graph
    found = run_backward(roots, grads, keep, create_graph, captures, False)
    for i, (x, g) in enumerate(zip(ins, found, strict=True)):
        if g is None and materialize_grads:
            found[i] = x.new_zeros(x.shape)
        elif g is None and not allow_unused:
            raise RuntimeError(
                f"[grad] One of the differentiated Tensors appears to not have been used in the graph: input {i} of shape "
                f"{tuple(x.shape)}. Set allow_unused=True if this is the desired behavior."
            )
    return tuple(found)


def _of_batches(
    outputs: Any, inputs: Any, given: tuple[Any, ...], create_graph: bool, allow_unused: bool | None, materialize_grads: bool
) -> tuple[Any, ...]:
    """Return the gradients of a batch of cotangents, each with the batch as its first dimension."""
    from taeda.func import vmap

    unused: list[bool] = []

    def one(*rows: Any) -> tuple[Any, ...]:
        row = iter(rows)
        full = tuple(None if g is None else next(row) for g in given)
        found = grad(outputs, inputs, full, True, create_graph, True, allow_unused, False, materialize_grads)
        unused[:] = [g is None for g in found]
        return tuple(g for g in found if g is not None)

    found = iter(vmap(one)(*[g for g in given if g is not None]))
    return tuple(None if none else next(found) for none in unused)

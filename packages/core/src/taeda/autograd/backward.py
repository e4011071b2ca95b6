"""backward and grad: check what the user gave, then run the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from taeda import _above
from taeda._override import asks, call_overrides, overloaded_args
from taeda.autograd import dual
from taeda.autograd.engine import run_backward
from taeda.autograd.graph import GradientEdge
from taeda.layout import preserve_format
from taeda.stand_ins import is_stand_in
from taeda.tensor_base import TensorBase

if TYPE_CHECKING:
    from taeda.tensor import Tensor

Key = TypeVar("Key")


def _as_tuple(op: str, what: str, x: Any) -> tuple[Any, ...]:
    """One tensor or edge (a named tuple), or a sequence of them, as a tuple."""
    if isinstance(x, (TensorBase, GradientEdge)):
        return (x,)
    try:
        return tuple(x)
    except TypeError as error:
        raise TypeError(f"[{op}] {what} must be a Tensor or a sequence of Tensors, got {type(x).__name__}") from error


def _cotangents(op: str, outputs: tuple[Any, ...], given: tuple[Any, ...]) -> list[Any]:
    """Return the cotangent of every output: the given one, or 1 for a scalar."""
    if len(given) != len(outputs):
        raise RuntimeError(f"[{op}] got {len(outputs)} tensors and {len(given)} gradients")
    return [_cotangent(op, i, out, g) for i, (out, g) in enumerate(zip(outputs, given, strict=True))]


def _one(op: str, out: Any) -> Any:
    """Return the cotangent 1 of a real scalar."""
    if isinstance(out, GradientEdge):
        if out._like is not None and all(size == 1 for size in out._like[0]):
            return _above.ones(out._like[0], dtype=out._like[1], device=out._like[2])
        raise RuntimeError(f"[{op}] grad can be implicitly created only for scalar outputs; an edge needs its gradient given")
    if out.numel() != 1:
        raise RuntimeError(
            f"[{op}] grad can be implicitly created only for scalar outputs, got shape {tuple(out.shape)}; "
            "reduce it with .sum() or .mean(), or pass a gradient of that shape"
        )
    if not out.is_floating_point():
        raise RuntimeError(f"[{op}] grad can be implicitly created only for real scalar outputs but got {out.dtype}")
    return _above.ones_like(out, memory_format=preserve_format) if asks(out) else out.new_ones(out.shape)


def _cotangent(op: str, i: int, out: Any, g: Any) -> Any:
    """Return the cotangent of output i, of its shape and dtype: g, or ones for a scalar where g is None."""
    edge = isinstance(out, GradientEdge)
    if not edge and not isinstance(out, TensorBase):
        raise TypeError(f"[{op}] expected Tensors to differentiate, got {type(out).__name__}")
    if is_stand_in(out):
        raise RuntimeError(f"[{op}] a tensor inside of vmap has no graph of its own; use taeda.func.grad or vjp in the function")
    if not edge and not out.requires_grad:
        raise RuntimeError(
            f"[{op}] element {i} of tensors does not require grad and does not have a grad_fn; "
            "set requires_grad=True on an input of the computation, and compute it outside of no_grad; argmax, comparisons, "
            "detach() and item() end the graph"
        )
    if g is None:
        return _one(op, out)
    if not isinstance(g, TensorBase):
        raise TypeError(f"[{op}] gradients can be either Tensors or None, but got {type(g).__name__}")
    shape = tuple(out.shape) if not edge else None if out._like is None else out._like[0]
    if shape is not None and tuple(g.shape) != shape:
        raise RuntimeError(
            f"[{op}] Mismatch in shape: grad_output[{i}] has a shape of {tuple(g.shape)} and output[{i}] has a shape of {shape}."
        )
    if edge:
        return g
    if g.is_complex() != out.is_complex():
        raise RuntimeError(
            f"[{op}] For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
            f"grad_output[{i}] has a dtype of {g.dtype} and output[{i}] has a dtype of {out.dtype}."
        )
    return g if g.dtype == out.dtype else g.to(out.dtype)


def _edge(op: str, x: Any) -> tuple[Any, int]:
    """Return what the engine captures for an input: (node, output number) or (leaf, -1)."""
    if isinstance(x, GradientEdge):
        leaf = getattr(x.node, "variable", None)
        return (x.node, x.output_nr) if leaf is None else (leaf, -1)
    if not isinstance(x, TensorBase):
        raise TypeError(f"[{op}] inputs must be Tensors or GradientEdges, got {type(x).__name__}")
    if not x.requires_grad:
        raise RuntimeError(f"[{op}] One of the differentiated Tensors does not require grad; its shape is {tuple(x.shape)}; "
                           "hint: set its requires_grad before what is differentiated is computed from it")
    return (x, -1) if x.grad_fn is None else (x.grad_fn, x.output_nr)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` (or GradientEdges) to the ``.grad`` of the leaves that they came from.

    ``grad_tensors`` are the cotangents (1 for scalars when None); ``inputs`` limits what takes gradients, and may name
    tensors that are no leaves.

    >>> import taeda
    >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
    >>> taeda.autograd.backward([x.sum(), (x ** 2).sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    if grad_variables is not None and grad_tensors is not None:
        raise RuntimeError("[backward] 'grad_tensors' and 'grad_variables' (deprecated) arguments both passed to backward(). Please only "
                           "use 'grad_tensors'.")
    outputs = _as_tuple("backward", "tensors", tensors)
    given = grad_tensors if grad_tensors is not None else grad_variables
    captures = None
    if inputs is not None:
        wanted = _as_tuple("backward", "inputs", inputs)
        if not wanted:
            raise RuntimeError("[backward] `inputs` argument to `backward()` cannot be empty.")
        for x in wanted:
            if isinstance(x, TensorBase):
                x.retain_grad()
        captures = [_edge("backward", x) for x in wanted]
    grads = _cotangents("backward", outputs, (None,) * len(outputs) if given is None else _as_tuple("backward", "grad_tensors", given))
    run_backward(outputs, grads, create_graph if retain_graph is None else retain_graph, create_graph, captures, True)


@overload
def grad(
    outputs: Any, inputs: dict[Key, Any], grad_outputs: Any = ..., retain_graph: bool | None = ..., create_graph: bool = ...,
    only_inputs: bool = ..., allow_unused: bool | None = ..., is_grads_batched: bool = ..., materialize_grads: bool = ...,
) -> dict[Key, Tensor]: ...
@overload
def grad(
    outputs: Any, inputs: Tensor | GradientEdge | Sequence[Tensor | GradientEdge], grad_outputs: Any = ...,
    retain_graph: bool | None = ..., create_graph: bool = ..., only_inputs: bool = ..., allow_unused: bool | None = ...,
    is_grads_batched: bool = ..., materialize_grads: bool = ...,
) -> tuple[Tensor, ...]: ...
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
) -> Any:
    """Return the gradients of ``outputs`` with respect to ``inputs``, a dict for a dict of them; no ``.grad`` is touched.

    Raises RuntimeError for an input that the outputs do not depend on, unless ``allow_unused``.

    >>> import taeda
    >>> x = taeda.tensor(3.0, requires_grad=True)
    >>> taeda.autograd.grad(x * x, x)
    (tensor(6.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError("[grad] Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.")
    if isinstance(inputs, dict):
        parts = grad(outputs, tuple(inputs.values()), grad_outputs, retain_graph, create_graph, only_inputs, allow_unused,
                     is_grads_batched, materialize_grads)
        return dict(zip(inputs, parts, strict=True))
    told = overloaded_args([x for given in (outputs, inputs) for x in (given if isinstance(given, (tuple, list)) else (given,))])
    if told and not all(isinstance(x, TensorBase) for x in told):         # what stands for a tensor and is none
        outputs, inputs = (tuple(x) if isinstance(x, (tuple, list)) else (x,) for x in (outputs, inputs))
        return call_overrides(grad, grad, told, (outputs, inputs), {
            "grad_outputs": grad_outputs, "retain_graph": retain_graph, "create_graph": create_graph, "only_inputs": only_inputs,
            "allow_unused": allow_unused, "is_grads_batched": is_grads_batched, "materialize_grads": materialize_grads})
    outs, ins = _as_tuple("grad", "outputs", outputs), _as_tuple("grad", "inputs", inputs)
    if not ins:
        raise RuntimeError("[grad] `inputs` argument to `grad()` cannot be empty.")
    given: Sequence[Any] = (None,) * len(outs) if grad_outputs is None else _as_tuple("grad", "grad_outputs", grad_outputs)
    if is_grads_batched:
        return _batched(outs, ins, given, create_graph, allow_unused, materialize_grads)
    grads = _cotangents("grad", outs, tuple(given))
    captures = [_edge("grad", x) for x in ins]
    keep = create_graph if retain_graph is None else retain_graph
    # forward mode goes through a pass that is recorded: derivatives may have a faster way that is not, which tangents cannot go
    travelling = not create_graph and dual.current_level() != 0 and not dual.is_asleep()
    found: Any = run_backward(outs, grads, keep, create_graph or travelling, captures, False)
    if travelling:
        found = [None if g is None else _above.cut_tape(g) for g in found]
    if materialize_grads or not allow_unused:
        return tuple(_unused(i, x, materialize_grads, create_graph) if g is None else g
                     for i, (x, g) in enumerate(zip(ins, found, strict=True)))
    return tuple(found)


def _unused(i: int, x: Any, materialize: bool, create_graph: bool) -> Any:
    """Return zeros for an input that the outputs do not depend on, if they are asked for; RuntimeError else."""
    edge = isinstance(x, GradientEdge)
    if not materialize:
        shape = "" if edge else f": input {i} of shape {tuple(x.shape)}"
        raise RuntimeError(
            f"[grad] One of the differentiated Tensors appears to not have been used in the graph{shape}. "
            "Set allow_unused=True if this is the desired behavior."
        )
    if edge:
        raise RuntimeError("[grad] materialize_grads cannot be used when the given input is a GradientEdge, which has no sizes: "
                           f"input {i} was not used in the graph")
    return _above.zeros_like(x, requires_grad=create_graph)


def _batched(
    outs: tuple[Any, ...], ins: tuple[Any, ...], given: Sequence[Any], create_graph: bool, allow_unused: bool | None, materialize: bool
) -> tuple[Any, ...]:
    """Return the gradients of a batch of cotangents, each with the batch as its first dimension."""
    for i, (out, g) in enumerate(zip(outs, given, strict=True)):
        if g is not None and tuple(g.shape[1:]) != tuple(out.shape):
            raise RuntimeError(
                "[grad] If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The "
                "sizes of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was "
                f"detected: grad_output[{i}] has a shape of {tuple(g.shape)} and output[{i}] has a shape of {tuple(out.shape)}."
            )

    unused: list[bool] = []

    def one(*rows: Any) -> tuple[Any, ...]:
        row = iter(rows)
        full = tuple(None if g is None else next(row) for g in given)
        found = grad(outs, ins, full, True, create_graph, True, allow_unused, False, materialize)
        unused[:] = [g is None for g in found]
        return tuple(g for g in found if g is not None)

    found = iter(_above.vmap(one)(*[g for g in given if g is not None]))
    return tuple(None if none else next(found) for none in unused)

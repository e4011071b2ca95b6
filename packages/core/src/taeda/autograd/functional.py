"""Jacobians, Hessians and their products, as ``torch.autograd.functional`` has them (``taeda.func`` has transforms that nest).

Inputs and outputs are a tensor or a tuple of tensors.  ``create_graph`` lets the results be differentiated; ``strict``
raises where an output does not depend on an input, instead of giving zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.autograd.backward import grad as autograd_grad
from taeda.autograd.grad_mode import enable_grad
from taeda.tensor_base import TensorBase

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(op: str, x: Any, what: str) -> tuple[bool, tuple[Any, ...]]:
    """Return whether x is a tuple, and x as one; TypeError for anything but tensors in it."""
    given = x if isinstance(x, tuple) else (x,)
    subject = f"The {what} given to {op} must be either a Tensor or a tuple of Tensors"
    for i, t in enumerate(given):
        if not isinstance(t, TensorBase):
            at = f"the value at index {i}" if isinstance(x, tuple) else f"the given {what}"
            raise TypeError(f"[{op}] {subject} but {at} has type {type(t)}.")
    return isinstance(x, tuple), given


def _call(op: str, func: Callable[..., Any], inputs: tuple[Any, ...], strict: bool) -> tuple[bool, tuple[Any, ...]]:
    """Run the function and check what it returns."""
    is_tuple, outputs = _tuple(op, func(*inputs), "outputs of the user-provided function")
    _check_requires_grad(outputs, "outputs", strict, op)
    return is_tuple, outputs


def _scalar(op: str, func: Callable[..., Any], inputs: tuple[Any, ...], strict: bool) -> Any:
    """Run a function that must return one element."""
    is_tuple, outputs = _call(op, func, inputs, strict)
    if is_tuple:
        raise RuntimeError(f"[{op}] The function given to {op} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"[{op}] The Tensor returned by the function given to {op} should contain a single element")
    return outputs[0]


def _vector(op: str, v: Any, like: tuple[Any, ...], like_is_tuple: bool, needs: str) -> tuple[Any, ...]:
    """Check v against the tensors that it goes with; None stands for 1 where there is a single element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"[{op}] The vector v can only be None if {needs} a single Tensor with a single element.")
        return (like[0].detach().new_ones(like[0].shape),)
    v = _tuple(op, v, "v")[1]
    if len(v) != len(like):
        if like_is_tuple:
            raise RuntimeError(f"[{op}] v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError(f"[{op}] The given v should contain a single Tensor.")
    for i, (a, b) in enumerate(zip(v, like, strict=True)):
        if a.shape != b.shape:
            entry = f"Entry {i} in v" if like_is_tuple else "v"
            raise RuntimeError(f"[{op}] {entry} has invalid size: should be {b.shape} but got {a.shape}.")
    return v


def _grad(outputs: tuple[Any, ...], inputs: tuple[Any, ...], v: tuple[Any, ...] | None, create_graph: bool) -> tuple[Any, ...]:
    """Return the gradients, None for what does not depend on the inputs; the graph is kept for another pass."""
    return _autograd_grad(outputs, inputs, v, create_graph, retain_graph=True)


def _leave(tensors: tuple[Any, ...], is_tuple: bool, create_graph: bool) -> Any:
    """Return results as they were asked for: with their graph or without, a tuple or its only tensor."""
    return _tuple_postprocess(_grad_postprocess(tensors, create_graph), is_tuple)


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """Return ``(func(inputs), v^T J)``.

    >>> import taeda
    >>> taeda.autograd.functional.vjp(taeda.square, taeda.tensor([1.0, 2.0]), taeda.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        is_tuple, given = _tuple("vjp", inputs, "inputs")
        leaves = _grad_preprocess(given, create_graph, need_graph=True)
        outs_tuple, outputs = _call("vjp", func, leaves, strict)
        v = _vector("vjp", v, outputs, outs_tuple, "the user-provided function returns")
        found = _fill_in_zeros(_grad(outputs, leaves, v, create_graph), leaves, strict, create_graph, "back", "vjp")
    return _leave(outputs, outs_tuple, create_graph), _leave(found, is_tuple, create_graph)


def _push(
    op: str, outputs: tuple[Any, ...], leaves: tuple[Any, ...], v: tuple[Any, ...], strict: bool, create_graph: bool, kind: str, stage: str,
) -> tuple[Any, ...]:
    """Return J v, by differentiating the pass of a dummy cotangent, which is linear in it.

    ``kind`` and ``stage`` say what strict mode says of results of the pass, and of its derivative.
    """
    dummies = tuple(y.detach().new_zeros(y.shape).requires_grad_() for y in outputs)
    back = _grad(outputs, leaves, dummies, True)
    _check_requires_grad(back, kind, strict, op)
    return _fill_in_zeros(_grad(back, dummies, v, create_graph), outputs, strict, create_graph, stage, op)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """Return ``(func(inputs), J v)``.

    >>> import taeda
    >>> taeda.autograd.functional.jvp(taeda.square, taeda.tensor([1.0, 2.0]), taeda.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        is_tuple, given = _tuple("jvp", inputs, "inputs")
        leaves = _grad_preprocess(given, create_graph, need_graph=True)
        v = _vector("jvp", v, leaves, is_tuple, "the input to the user-provided function is")
        outs_tuple, outputs = _call("jvp", func, leaves, strict)
        found = _push("jvp", outputs, leaves, v, strict, create_graph, "grad_inputs", "back_trick")
    return _leave(outputs, outs_tuple, create_graph), _leave(found, outs_tuple, create_graph)


def _strategy(name: str, value: str, hint: str = "") -> bool:
    """Whether a strategy is forward-mode; AssertionError for an unknown one."""
    if value not in ("forward-mode", "reverse-mode"):
        raise AssertionError(f'[{name}] Expected strategy to be either "forward-mode" or "reverse-mode".{hint}')
    return value == "forward-mode"


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian: for each output and each input a tensor of shape (*output, *input).

    Args:
        vectorize: whether all rows are computed in one pass over a batch of cotangents (or tangents).
        strategy: "reverse-mode" by rows, or "forward-mode" by columns (only vectorized).

    >>> import taeda
    >>> taeda.autograd.functional.jacobian(taeda.square, taeda.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    hint = ' Hint: If your function has more outputs than inputs, "forward-mode" tends to be more performant.'
    if _strategy("jacobian", strategy, hint + ' Otherwise, prefer to use "reverse-mode".'):
        return _jacobian_forward(func, inputs, create_graph, strict, vectorize)
    if strict and vectorize:
        raise RuntimeError("[jacobian] taeda.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
                           "Please either set `strict=False` or `vectorize=False`.")
    with enable_grad():
        is_tuple, given = _tuple("jacobian", inputs, "inputs")
        leaves = _grad_preprocess(given, create_graph, need_graph=True)
        outs_tuple, outputs = _call("jacobian", func, leaves, strict)
        found = tuple(_rows(i, y, leaves, create_graph, strict, vectorize) for i, y in enumerate(outputs))
        if len(outputs) > 1:                            # parts of one matrix in PyTorch, which are in no case expanded
            found = tuple(tuple(g.contiguous() for g in rows) for rows in found)
    per_output = tuple(_leave(rows, is_tuple, create_graph) for rows in found)
    return per_output if outs_tuple else per_output[0]


def _rows(i: int, y: Any, leaves: tuple[Any, ...], create_graph: bool, strict: bool, vectorize: bool) -> tuple[Any, ...]:
    """Return output i's part of the Jacobian for each input."""
    from taeda.ops import stack

    n = y.numel()
    basis = y.detach().new_zeros((n, n))
    basis.diagonal().fill_(1)
    basis = basis.reshape((n, *y.shape))
    if vectorize and y.requires_grad and n:
        found = autograd_grad(y, leaves, basis, True, create_graph, allow_unused=True, is_grads_batched=True)
        return tuple(x.detach().new_zeros((*y.shape, *x.shape)) if g is None else g.reshape((*y.shape, *x.shape))
                     for g, x in zip(found, leaves, strict=True))
    columns: list[list[Any]] = [[] for _ in leaves]
    for k in range(n):
        for j, (g, x) in enumerate(zip(_grad((y,), leaves, (basis[k],), create_graph), leaves, strict=True)):
            if strict and g is None:
                raise RuntimeError(f"[jacobian] Output {i} of the user-provided function is independent of input {j}. This is not "
                                   "allowed in strict mode.")
            if strict and create_graph and not g.requires_grad:
                raise RuntimeError(f"[jacobian] The jacobian of the user-provided function is independent of input {j}. This is not "
                                   "allowed in strict mode when create_graph=True.")
            columns[j].append(x.detach().new_zeros(x.shape) if g is None else g)
    return tuple(stack(c).reshape((*y.shape, *x.shape)) if c else x.detach().new_zeros((*y.shape, *x.shape))
                 for c, x in zip(columns, leaves, strict=True))


def _jacobian_forward(func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool, vectorize: bool) -> Any:
    if strict:
        raise RuntimeError('[jacobian] taeda.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not '
                           'supported together (yet). Please either set `strict=False` or `strategy="reverse-mode"`.')
    if create_graph:
        raise NotImplementedError('[jacobian] taeda.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are '
                                  'not supported together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.')
    if not vectorize:
        raise NotImplementedError("[jacobian] Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for "
                                  "`vectorize=True`.")
    from taeda.func import jacfwd

    is_tuple, given = _tuple("jacobian", inputs, "inputs")

    def checked(*xs: Any) -> Any:
        found = func(*xs)
        _tuple("jacobian", found, "outputs of the user-provided function")
        return found

    found = jacfwd(checked, tuple(range(len(given))))(*given)
    return found if is_tuple else _first_inputs(found)


def _first_inputs(found: Any) -> Any:
    """Take the only input's part out of a Jacobian made for a tuple of inputs."""
    return found[0] if isinstance(found[0], TensorBase) else tuple(part[0] for part in found)


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the second derivatives of a function with one element: for each pair of inputs a tensor of shape (*input, *input).

    >>> import taeda
    >>> taeda.autograd.functional.hessian(lambda x: (x**3).sum(), taeda.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    is_tuple, given = _tuple("hessian", inputs, "inputs")
    forward = _strategy("hessian", outer_jacobian_strategy)
    if forward:
        from taeda.func import vjp as func_vjp

    def first(*xs: Any) -> tuple[Any, ...]:
        if forward:
            y, pull = func_vjp(lambda *a: _scalar("hessian", func, a, False), *xs)
            return pull(y.new_ones(y.shape))
        y = _scalar("hessian", func, xs, strict)
        found = _fill_in_zeros(_grad((y,), xs, None, True), xs, False, False, "back")
        _check_requires_grad(found, "jacobian", strict, "hessian")
        return found

    found = jacobian(first, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if is_tuple else found[0][0]


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """Return ``(func(inputs), v^T H)`` of a function with one element.

    >>> import taeda
    >>> taeda.autograd.functional.vhp(lambda x: (x**3).sum(), taeda.tensor([1.0, 2.0]), taeda.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        is_tuple, given = _tuple("vhp", inputs, "inputs")
        leaves = _grad_preprocess(given, create_graph, need_graph=True)
        v = _vector("vhp", v, leaves, is_tuple, "the input to the user-provided function is")
        y = _scalar("vhp", func, leaves, strict)
        slopes = _grad((y,), leaves, None, True)
        _check_requires_grad(slopes, "jacobian", strict, "vhp")
        found = _fill_in_zeros(_grad(slopes, leaves, v, create_graph), leaves, strict, create_graph, "double_back", "vhp")
    return _leave((y,), False, create_graph), _leave(found, is_tuple, create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """Return ``(func(inputs), H v)`` of a function with one element (``vhp`` is the faster one, H being symmetric).

    >>> import taeda
    >>> taeda.autograd.functional.hvp(lambda x: (x**3).sum(), taeda.tensor([1.0, 2.0]), taeda.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        is_tuple, given = _tuple("hvp", inputs, "inputs")
        leaves = _grad_preprocess(given, create_graph, need_graph=True)
        v = _vector("hvp", v, leaves, is_tuple, "the input to the user-provided function is")
        y = _scalar("hvp", func, leaves, strict)
        slopes = _grad((y,), leaves, None, True)
        _check_requires_grad(slopes, "jacobian", strict, "hvp")
        slopes = _fill_in_zeros(slopes, leaves, False, False, "back")
        found = _push("hvp", slopes, leaves, v, strict, create_graph, "hessian", "double_back_trick")
    return _leave((y,), False, create_graph), _leave(found, is_tuple, create_graph)


# What libraries take from PyTorch's module of these functions, under its private names.


def _as_tuple(inp: Any, arg_name: str | None = None, fn_name: str | None = None) -> Any:
    """Return what a function was given as a tuple; with names for messages, whether it is a tuple and it as one, checked.

    >>> from taeda.autograd.functional import _as_tuple
    >>> _as_tuple(1), _as_tuple([1, 2])
    ((1,), (1, 2))
    """
    if arg_name is None and fn_name is None:
        return tuple(inp) if isinstance(inp, (tuple, list)) else (inp,)
    return _tuple(str(fn_name), inp, str(arg_name))


def _grad_preprocess(inputs: Any, create_graph: bool, need_graph: bool) -> tuple[Any, ...]:
    """Return inputs ready for a function: views that gradients flow through, new leaves, or, without a graph, what they are."""
    return tuple(x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(need_graph) for x in inputs)


def _grad_postprocess(inputs: Any, create_graph: bool) -> Any:
    """Return tensors, in tuples of any depth, with their graph or without."""
    if isinstance(inputs, TensorBase):
        return inputs if create_graph else inputs.detach()
    return tuple(_grad_postprocess(x, create_graph) for x in inputs)


def _tuple_postprocess(res: Any, to_unpack: bool | tuple[bool, bool]) -> Any:
    """Return results as tuples where what was given was one, else the only element; a pair of answers is for rows and columns.

    >>> from taeda.autograd.functional import _tuple_postprocess
    >>> _tuple_postprocess(((1, 2),), (False, True)), _tuple_postprocess(((1,), (2,)), (True, False)), _tuple_postprocess((1,), False)
    ((1, 2), (1, 2), 1)
    """
    outer, inner = to_unpack if isinstance(to_unpack, tuple) else (to_unpack, True)
    found = res if inner else tuple(row[0] for row in res)
    return found if outer else found[0]


def _construct_standard_basis_for(tensors: tuple[Any, ...], tensor_numels: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the identity matrix of all elements together, cut into the columns of each tensor.

    >>> import taeda
    >>> from taeda.autograd.functional import _construct_standard_basis_for
    >>> [b.tolist() for b in _construct_standard_basis_for((taeda.ones(1), taeda.ones(2)), (1, 2))]
    [[[1.0], [0.0], [0.0]], [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]]
    """
    found, start = [], 0
    for x, n in zip(tensors, tensor_numels, strict=True):
        columns = x.detach().new_zeros((sum(tensor_numels), n))
        columns.diagonal(-start).fill_(1)
        found.append(columns)
        start += n
    return tuple(found)


_STRICT = " This is not allowed in strict mode."
_AS_THEY_DEPEND = {                     # what does not require grad -> what is said of the one at place {}
    "outputs": "Output {} of the user-provided function does not require gradients. The outputs must be computed in a differentiable "
               "manner from the input when running in strict mode.",
    "grad_inputs": "The gradient with respect to input {} is independent of the inputs of the user-provided function." + _STRICT,
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
                "independent of the input." + _STRICT + " You should ensure that your function is twice differentiable and that the "
                "jacobian depends on the inputs (this would be violated by a linear function for example).",
    "hessian": "The hessian of the user-provided function with respect to input {} is independent of the input." + _STRICT + " You should "
               "ensure that your function is thrice differentiable and that the hessian depends on the inputs.",
}
_ABSENT = {                             # the stage of a derivation -> what is said where one found nothing
    "back": "The output of the user-provided function is independent of input {}." + _STRICT,
    "back_trick": "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the double backward "
                  "trick to compute forward mode gradients." + _STRICT,
    "double_back": "The jacobian of the user-provided function is independent of input {}." + _STRICT,
    "double_back_trick": "The hessian of the user-provided function is independent of entry {} in the grad_jacobian." + _STRICT.rstrip(".")
                         + " as it prevents from using the double backward trick to replace forward mode AD.",
}


def _check_requires_grad(inputs: Any, input_type: str, strict: bool, op: str = "_check_requires_grad") -> None:
    """In strict mode, raise RuntimeError for what does not depend on the inputs.

    >>> import taeda
    >>> from taeda.autograd.functional import _check_requires_grad
    >>> _check_requires_grad((taeda.ones(1),), "outputs", strict=False)
    """
    if not strict:
        return
    if input_type not in _AS_THEY_DEPEND:
        raise RuntimeError(f"[_check_requires_grad] Invalid input_type to _check_requires_grad: {input_type!r}; one of "
                           f"{[*_AS_THEY_DEPEND]}")
    for i, x in enumerate(inputs):
        if x is None or not x.requires_grad:
            what = _ABSENT["back"] if x is None else _AS_THEY_DEPEND[input_type]
            raise RuntimeError(f"[{op}] {what.format(i)}")


def _validate_v(v: Any, other: tuple[Any, ...], is_other_tuple: bool) -> None:
    """Raise RuntimeError unless the tensors of v have the shapes of those that they go with.

    >>> import taeda
    >>> from taeda.autograd.functional import _validate_v
    >>> _validate_v((taeda.ones(2),), (taeda.zeros(2),), False)
    """
    _vector("autograd.functional", v, other, is_other_tuple, "there is")


def _autograd_grad(
    outputs: Any, inputs: tuple[Any, ...], grad_outputs: Any = None, create_graph: bool = False, retain_graph: bool | None = None,
    is_grads_batched: bool = False,
) -> tuple[Any, ...]:
    """Return ``autograd.grad`` of those outputs that require grad; None for inputs that they do not depend on.

    >>> import taeda
    >>> from taeda.autograd.functional import _autograd_grad
    >>> x = taeda.ones(2, requires_grad=True)
    >>> _autograd_grad(((x * 3).sum(), taeda.ones(1)), (x, taeda.ones(1, requires_grad=True)))
    (tensor([3., 3.]), None)
    """
    if not isinstance(outputs, tuple):
        raise AssertionError(f"[_autograd_grad] Expected outputs to be a tuple, got {type(outputs)}")
    given = (None,) * len(outputs) if grad_outputs is None else grad_outputs
    if not isinstance(given, tuple) or len(given) != len(outputs):
        raise AssertionError(f"[_autograd_grad] Expected grad_outputs to be a tuple of the same length as outputs, {len(outputs)}, "
                             f"got {given}")
    pairs = [(y, g) for y, g in zip(outputs, given, strict=True) if y is not None and y.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return autograd_grad(tuple(y for y, _ in pairs), inputs, tuple(g for _, g in pairs), retain_graph, create_graph, allow_unused=True,
                         is_grads_batched=is_grads_batched)


def _fill_in_zeros(
    grads: tuple[Any, ...], refs: tuple[Any, ...], strict: bool, create_graph: bool, stage: str, op: str = "_fill_in_zeros",
) -> tuple[Any, ...]:
    """Put zeros in place of None; in strict mode raise RuntimeError there, and where a result cannot be differentiated again but should.

    >>> import taeda
    >>> from taeda.autograd.functional import _fill_in_zeros
    >>> _fill_in_zeros((None,), (taeda.ones(2),), False, False, "back")
    (tensor([0., 0.]),)
    """
    if stage not in _ABSENT:
        raise RuntimeError(f"[_fill_in_zeros] Invalid stage argument {stage!r} to _fill_in_zeros; one of {[*_ABSENT]}")
    for i, g in enumerate(grads if strict else ()):
        if g is None:
            raise RuntimeError(f"[{op}] {_ABSENT[stage].format(i)}")
        if create_graph and not g.requires_grad:
            what = "hessian" if "double" in stage else "jacobian"
            raise RuntimeError(f"[{op}] The {what} of the user-provided function is independent of input {i}.{_STRICT[:-1]} when "
                               "create_graph=True.")
    return tuple(x.detach().new_zeros(x.shape) if g is None else g for g, x in zip(grads, refs, strict=True))


def _jacfwd(func: Callable[..., Any], inputs: Any, strict: bool = False, vectorize: bool = False) -> Any:
    """Return the Jacobian in forward mode, which is ``jacobian(..., strategy="forward-mode")``.

    >>> import taeda
    >>> from taeda.autograd.functional import _jacfwd
    >>> _jacfwd(taeda.square, taeda.tensor([1.0, 2.0]), vectorize=True)
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _jacobian_forward(func, inputs, False, strict, vectorize)

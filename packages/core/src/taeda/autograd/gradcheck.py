"""gradcheck and gradgradcheck: analytical gradients against central differences in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.autograd.backward import grad
from taeda.tensor_base import TensorBase


class GradcheckError(RuntimeError):
    """An analytical gradient that differs from the numerical one."""


def _outputs(found: Any) -> list[Any]:
    outs = found if isinstance(found, (tuple, list)) else (found,)
    return [o for o in outs if isinstance(o, TensorBase) and o.is_floating_point()]


def _differentiable(inputs: tuple[Any, ...]) -> list[Any]:
    return [x for x in inputs if isinstance(x, TensorBase) and x.requires_grad]


def _numerical(function: Callable[..., Any], inputs: tuple[Any, ...], x: Any, eps: float) -> list[list[list[float]]]:
    """Return d output[j] / d x[i] by central differences: a list over outputs of rows over x's elements."""
    columns: list[list[list[float]]] = []
    flat = x.data                       # writes through it do not count as changes of saved tensors
    for index in _indices(tuple(x.shape)):
        was = flat[index].item()
        flat[index] = was + eps
        high = [o.detach().clone() for o in _outputs(function(*inputs))]
        flat[index] = was - eps
        low = [o.detach().clone() for o in _outputs(function(*inputs))]
        flat[index] = was
        columns.append([((a - b) / (2 * eps)).reshape(-1).tolist() for a, b in zip(high, low, strict=True)])
    count = len(columns[0]) if columns else 0
    return [[column[k] for column in columns] for k in range(count)]


def _indices(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for size in shape:
        found = [i + (k,) for i in found for k in range(size)]
    return found


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    **unused: Any,
) -> bool:
    """Check the gradients of ``func`` at ``inputs`` against central differences.

    Inputs that require grad should be float64.  Raises :class:`GradcheckError` with the first element that
    is off, or returns False if ``raise_exception`` is false.
    """
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    wanted = _differentiable(inputs)
    if not wanted:
        raise ValueError("[gradcheck] gradcheck expects at least one input tensor to require gradient, but none of the them have "
                         "requires_grad=True.")
    try:
        outputs = [o for o in _outputs(func(*inputs)) if o.requires_grad]
        if not outputs:
            raise GradcheckError("[gradcheck] no output requires grad: the function does not depend on its inputs differentiably")
        all_outputs = _outputs(func(*inputs))
        for number, x in enumerate(wanted):
            numeric = _numerical(func, inputs, x, eps)
            for j, out in enumerate(all_outputs):
                if out.requires_grad:
                    _compare(out, x, numeric[j] if numeric else [], j, number, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _compare(out: Any, x: Any, numeric: list[list[float]], j: int, number: int, atol: float, rtol: float) -> None:
    for row, index in enumerate(_indices(tuple(out.shape))):
        g = out.new_zeros(out.shape)
        g[index] = 1.0
        (analytic,) = grad(out, x, g, retain_graph=True, allow_unused=True)
        values = [0.0] * x.numel() if analytic is None else analytic.reshape(-1).tolist()
        if analytic is not None and analytic.shape != x.shape:
            raise GradcheckError(f"[gradcheck] gradient of input {number} has shape {tuple(analytic.shape)}, the input {tuple(x.shape)}")
        for column, a in enumerate(values):
            n = numeric[column][row]
            if not (abs(a - n) <= atol + rtol * abs(n) or (a != a and n != n)):
                raise GradcheckError(
                    f"[gradcheck] Jacobian mismatch for output {j} with respect to input {number}: at output element {row}, "
                    f"input element {column} the numerical value is {n:.8g}, the analytical {a:.8g}"
                )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    gen_non_contig_grad_outputs: bool = False,
    **unused: Any,
) -> bool:
    """Check second derivatives: :func:`gradcheck` of the gradients of ``func``."""
    from taeda.ops import linspace

    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    outputs = [o for o in _outputs(func(*inputs)) if o.requires_grad]
    if grad_outputs is None:
        cotangents = tuple(
            (linspace(0.5, 1.5, o.numel(), dtype=o.dtype).reshape(o.shape) if o.numel() else o.new_zeros(o.shape)).requires_grad_()
            for o in outputs
        )
    else:
        cotangents = tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
    count = len(inputs)

    def first(*args: Any) -> tuple[Any, ...]:
        xs, gs = args[:count], args[count:]
        outs = [o for o in _outputs(func(*xs)) if o.requires_grad]
        found = grad(outs, _differentiable(xs), gs, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    if not any(g.requires_grad for g in first(*inputs, *cotangents)):
        return True                     # the gradients are constants
    return gradcheck(first, inputs + cotangents, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)

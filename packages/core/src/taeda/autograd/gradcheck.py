"""gradcheck and gradgradcheck: analytical gradients, backward and forward, against central differences in float64.

A Jacobian is a list of rows of Python numbers: row i, column k is d out[i] / d in[k].  For complex tensors each number
is taken as two real ones (PyTorch's convention: the gradient of a real loss is dL/dRe + i dL/dIm).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from taeda.autograd.backward import grad
from taeda.autograd.engine import run_backward
from taeda.generator import Generator
from taeda.layout import strided
from taeda.ops import allclose, rand, stack
from taeda.stand_ins import is_wrapper_tensor
from taeda.tensor_base import TensorBase

Matrix = list[list[float]]


class GradcheckError(RuntimeError):
    """An analytical gradient that differs from the numerical one.

    >>> import taeda
    >>> class Wrong(taeda.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g
    >>> try:
    ...     taeda.autograd.gradcheck(Wrong.apply, taeda.ones(1, dtype=taeda.float64, requires_grad=True))
    ... except taeda.autograd.GradcheckError as error:
    ...     print(isinstance(error, RuntimeError))
    True
    """


def _is_value(x: Any) -> bool:
    return isinstance(x, TensorBase) and (x.is_floating_point() or x.is_complex())


def _outputs(found: Any) -> list[Any]:
    outs = found if isinstance(found, (tuple, list)) else (found,)
    return [o for o in outs if _is_value(o)]


def _differentiable(inputs: tuple[Any, ...]) -> list[Any]:
    return [x for x in inputs if _is_value(x) and x.requires_grad]


def _reals(t: Any) -> list[float]:
    """The elements as real numbers: two for a complex one."""
    flat = t.detach().reshape(-1)
    values = [v.item() for v in flat.unbind()] if is_wrapper_tensor(flat) else flat.tolist()
    return [part for v in values for part in (v.real, v.imag)] if t.is_complex() else values


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The places of a tensor's elements, row by row."""
    return itertools.product(*map(range, shape))


def _units(x: Any) -> list[complex | float]:
    """The directions in which one element of x can move."""
    return [1.0, 1j] if x.is_complex() else [1.0]


def _same_kinds(above: list[Any], below: list[Any]) -> None:
    """Raise unless outputs on both sides of an input have the same shapes and dtypes, so that they have a difference."""
    kinds = [[(tuple(o.shape), o.dtype) for o in outs] for outs in (above, below)]
    if kinds[0] != kinds[1]:
        raise GradcheckError(f"[gradcheck] Expected that changing an input a little changes no output's shape or dtype: got {kinds[0]} and "
                             f"{kinds[1]}")


def _by_output(columns: list[list[list[float]]], count: int) -> list[Matrix]:
    """Return the Jacobian of each of ``count`` outputs, given the column of each input element in all of them."""
    return [[list(row) for row in zip(*[column[j] for column in columns], strict=True)] for j in range(count)]


def _numerical(function: Callable[..., Any], inputs: tuple[Any, ...], x: Any, eps: float) -> list[Matrix]:
    """Return d output[j] / d x for each output by central differences."""
    columns: list[list[list[float]]] = []
    flat = x.data                       # writes through it do not count as changes of saved tensors
    for index in _indices(tuple(x.shape)):
        was = flat[index].item()
        try:
            for unit in _units(x):
                flat[index] = was + eps * unit
                above = _outputs(function(*inputs))
                high = [_reals(o) for o in above]            # now: an output may be a view of the input
                flat[index] = was - eps * unit
                below = _outputs(function(*inputs))
                low = [_reals(o) for o in below]
                _same_kinds(above, below)
                columns.append([[(a - b) / (2 * eps) for a, b in zip(p, q, strict=True)] for p, q in zip(high, low, strict=True)])
        finally:
            flat[index] = was
    return _by_output(columns, len(columns[0]) if columns else 0)


def _backward_rows(out: Any, x: Any, number: int) -> Matrix:
    """Return d out / d x row by row, each by a backward pass."""
    rows = []
    for index in _indices(tuple(out.shape)):
        for unit in _units(out):
            g = out.detach().new_zeros(out.shape)
            g[index] = unit
            (found,) = grad(out, x, g, retain_graph=True, allow_unused=True)
            if found is not None and found.shape != x.shape:
                raise GradcheckError(f"[gradcheck] gradient of input {number} has shape {tuple(found.shape)}, the input "
                                     f"{tuple(x.shape)}")
            rows.append([0.0] * (x.numel() * len(_units(x))) if found is None else _reals(found))
    return rows


def _forward_columns(function: Callable[..., Any], inputs: tuple[Any, ...], x: Any, count: int) -> list[Matrix]:
    """Return d output[j] / d x for each output, each column by a pass in forward mode."""
    from taeda.autograd import forward_ad

    columns = []
    for index in _indices(tuple(x.shape)):
        for unit in _units(x):
            t = x.detach().new_zeros(x.shape)
            t[index] = unit
            with forward_ad.dual_level():
                outs = _outputs(function(*[forward_ad.make_dual(x, t) if y is x else y for y in inputs]))
                tangents = [forward_ad.unpack_dual(o).tangent for o in outs]
            columns.append([_reals(o.detach() * 0 if t is None else t) for o, t in zip(outs, tangents, strict=True)])
    return _by_output(columns, count)


def _direction(x: Any, seed: int) -> Any:
    """A random direction of length 1 in the space of x, the same each time; the program's random numbers are left alone."""
    u = rand(x.shape, dtype=x.dtype, generator=Generator().manual_seed(seed)) + 0.01          # no element of it is zero
    return u / u.abs().square().sum().sqrt().clamp(min=1e-300)                              # of no elements the length is 0


def _dot(a: Any, b: Any) -> float:
    """The real product of two tensors, complex ones taken as pairs of real numbers."""
    return float((a.conj() * b).real.sum() if a.is_complex() or b.is_complex() else (a * b).sum())


def _is_nonzero(t: Any, atol: float) -> bool:
    return bool((t.abs() > atol).any())


def _along(function: Callable[..., Any], inputs: tuple[Any, ...], x: Any, u: Any, eps: float) -> list[Any]:
    """Return the change of each output for a small step of x along u, by a central difference."""
    kept, flat = x.detach().clone(), x.data
    try:
        flat.add_(u, alpha=eps)
        above = [o.detach().clone() for o in _outputs(function(*inputs))]
        flat.copy_(kept).sub_(u, alpha=eps)
        below = [o.detach() for o in _outputs(function(*inputs))]
        _same_kinds(above, below)
        return [(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)]
    finally:
        flat.copy_(kept)


class _Check:
    """One gradcheck: the function, its inputs and outputs, and what counts as equal."""

    fast = False                        # whether whole Jacobians are compared by one number first

    def __init__(self, function: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float) -> None:
        self.function, self.inputs, self.eps, self.atol, self.rtol = function, inputs, eps, atol, rtol
        self.wanted = _differentiable(inputs)
        self.outputs = _outputs(function(*inputs))

    def compare(self, analytic: Matrix, numeric: Matrix, j: int, number: int, how: str) -> None:
        """Compare two Jacobians element by element."""
        for row, (a_row, n_row) in enumerate(zip(analytic, numeric, strict=True)):
            for column, (a, n) in enumerate(zip(a_row, n_row, strict=True)):
                if not (a == n or abs(a - n) <= self.atol + self.rtol * abs(n) or (a != a and n != n)):
                    raise GradcheckError(
                        f"[gradcheck] Jacobian {how}mismatch for output {j} with respect to input {number}: at output element {row}, "
                        f"input element {column} the numerical value is {n:.8g}, the analytical {a:.8g}"
                    )

    def backward_mode(self, nondet_tol: float, check_grad_dtypes: bool) -> None:
        """Backward passes give the numerical Jacobian, and the same one twice."""
        for number, x in enumerate(self.wanted):
            if self.fast and self.agrees(x, number, nondet_tol, check_grad_dtypes):
                continue
            numeric = _numerical(self.function, self.inputs, x, self.eps)
            for j, out in enumerate(self.outputs):
                if not out.requires_grad:
                    continue
                analytic = _backward_rows(out, x, number)
                again = _backward_rows(out, x, number)
                if any(abs(a - b) > nondet_tol for p, q in zip(analytic, again, strict=True) for a, b in zip(p, q, strict=True)):
                    raise GradcheckError(
                        "[gradcheck] Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                        "gives different values, although analytical gradient matches numerical gradient. The tolerance for "
                        f"nondeterminism was {nondet_tol}."
                    )
                if check_grad_dtypes:
                    self.dtypes(out, x, number)
                self.compare(analytic, numeric[j] if numeric else [[] for _ in analytic], j, number, "")

    def agrees(self, x: Any, number: int, nondet_tol: float, check_grad_dtypes: bool) -> bool:
        """Whether v^T J u is the same by a backward pass and by one difference, for each output; a random u and v miss next to nothing."""
        u = _direction(x, 0)
        for j, numeric in enumerate(_along(self.function, self.inputs, x, u, self.eps)):
            out = self.outputs[j]
            if not out.requires_grad:
                continue
            v = _direction(out, 1 + j)
            found = [grad(out, x, v, retain_graph=True, allow_unused=True)[0] for _ in range(2)]
            if any(g is not None and g.shape != x.shape for g in found):
                return False
            a = 0.0 if found[0] is None else _dot(found[0].detach(), u)
            if found[0] is not None and found[0].layout is strided and _is_nonzero(found[0].detach() - found[1].detach(), nondet_tol):
                return False
            if check_grad_dtypes:
                self.dtypes(out, x, number)
            if not self.near(a, _dot(v, numeric), v, u):
                return False
        return True

    def agrees_forward(self, x: Any) -> bool:
        """Whether v^T J u is the same in forward mode and by one difference."""
        from taeda.autograd import forward_ad

        u = _direction(x, 0)
        with forward_ad.dual_level():
            outs = _outputs(self.function(*[forward_ad.make_dual(x, u) if y is x else y for y in self.inputs]))
            tangents = [forward_ad.unpack_dual(o).tangent for o in outs]
        for j, numeric in enumerate(_along(self.function, self.inputs, x, u, self.eps)):
            v = _direction(numeric, 1 + j)
            if not self.near(0.0 if tangents[j] is None else _dot(v, tangents[j].detach()), _dot(v, numeric), v, u):
                return False
        return True

    def near(self, a: float, n: float, v: Any, u: Any) -> bool:
        """Whether two numbers v^T J u are as close as elements of J would have to be."""
        slack = self.atol * float(v.abs().sum()) * float(u.abs().sum()) + self.rtol * abs(n)
        return a == n or abs(a - n) <= slack or (a != a and n != n)

    def dtypes(self, out: Any, x: Any, number: int) -> None:
        """A gradient has its input's dtype."""
        (g,) = grad(out, x, out.detach().new_ones(out.shape), retain_graph=True, allow_unused=True)
        if g is not None and g.dtype != x.dtype:
            raise GradcheckError(f"[gradcheck] Gradient has dtype mismatch: input {number} is {x.dtype}, its gradient {g.dtype}")

    def forward_mode(self) -> None:
        """Forward mode gives the numerical Jacobian."""
        for number, x in enumerate(self.wanted):
            if self.fast and self.agrees_forward(x):
                continue
            numeric = _numerical(self.function, self.inputs, x, self.eps)
            analytic = _forward_columns(self.function, self.inputs, x, len(self.outputs))
            for j in range(len(self.outputs)):
                if numeric:
                    self.compare(analytic[j], numeric[j], j, number, "computed with forward mode ")

    def no_outputs(self) -> None:
        """Without a differentiable output, the numerical Jacobian must be zero."""
        for x in self.wanted:
            if self.fast and all(not _is_nonzero(t, self.atol) for t in _along(self.function, self.inputs, x, _direction(x, 0), self.eps)):
                continue
            for matrix in _numerical(self.function, self.inputs, x, self.eps):
                if any(abs(v) > self.atol for row in matrix for v in row):
                    raise GradcheckError("[gradcheck] Numerical gradient for function expected to be zero")

    def undefined_grads(self) -> None:
        """A backward without a gradient for some outputs works, and means zero."""
        outs = [o for o in self.outputs if o.requires_grad]
        if not outs or not self.wanted:
            return
        captures = [(x, -1) if x.grad_fn is None else (x.grad_fn, x.output_nr) for x in self.wanted]
        patterns = [[None] * len(outs)] + [[None if i == k else o.detach() * 0 for i, o in enumerate(outs)] for k in range(len(outs))]
        for given in patterns:
            try:
                found = run_backward(outs, given, True, False, captures, False)
            except RuntimeError as error:
                raise GradcheckError("[gradcheck] Expected backward function to handle undefined output grads, but it raised: "
                                     f"{error}") from error
            if any(g is not None and not bool((g.detach() == 0).all()) for g in found):
                raise GradcheckError(
                    "[gradcheck] Expected all input grads to be undefined or zero when all output grads are undefined or zero. Please look "
                    "at \"Notes about undefined output gradients\" in the documentation"
                )

    def batched(self, forward: bool = False) -> None:
        """Several cotangents at once give the stacked gradients."""
        for out in self.outputs:
            if not out.requires_grad or out.numel() == 0:
                continue
            gs = [out.detach() * 0 + k for k in (1.0, 2.0)]
            one_by_one = [grad(out, self.wanted, g, retain_graph=True, allow_unused=True) for g in gs]
            at_once = grad(out, self.wanted, stack(gs), retain_graph=True, allow_unused=True, is_grads_batched=True)
            for i, g in enumerate(at_once):
                if g is not None and not allclose(g, stack([row[i] for row in one_by_one]), rtol=self.rtol, atol=self.atol):
                    raise GradcheckError(f"[gradcheck] failed while testing batched gradient computation of input {i}")


def _checked_inputs(inputs: Any) -> tuple[Any, ...]:
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    wanted = _differentiable(inputs)
    if not wanted:
        raise ValueError("[gradcheck] gradcheck expects at least one input tensor to require gradient, but none of the them have "
                         "requires_grad=True.")
    for i, x in enumerate(inputs):
        if not (_is_value(x) and x.requires_grad):
            continue
        if x.dtype.name not in ("float64", "complex128"):
            warnings.warn(f"Input #{i} requires gradient and is not a double precision floating point or complex. This "
                          "check will likely fail if all the inputs are not of double precision floating point or complex.", UserWarning,
                          stacklevel=3)
        if any(stride == 0 and size > 1 for stride, size in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(f"[gradcheck] The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                               "non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous on "
                               f"the input before passing it to gradcheck; its shape is {tuple(x.shape)}.")
    return inputs


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
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check the gradients of ``func`` at ``inputs`` against central differences.

    Inputs that require grad should be float64 or complex128.  ``check_forward_ad`` checks forward mode too.  ``fast_mode``
    compares one number for each input and output, v^T J u of random u and v, and elements only where that is off.  Of a sparse
    input (``masked`` or not) the elements that it has are compared.  Raises :class:`GradcheckError` with the first element
    that is off, or returns False if ``raise_exception`` is false.

    >>> import taeda
    >>> x = taeda.rand(3, dtype=taeda.float64, requires_grad=True)
    >>> taeda.autograd.gradcheck(taeda.sin, x, check_forward_ad=True)
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("[gradcheck] Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_undefined_grad and not check_backward_ad:
        check_undefined_grad = False
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("[gradcheck] Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("[gradcheck] Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    given = inputs if isinstance(inputs, (list, tuple)) else (inputs,)
    if any(isinstance(x, TensorBase) and x.layout is not strided for x in given):
        from taeda.sparse import of_values

        func, inputs = of_values(func, inputs)
    try:
        inputs = _checked_inputs(inputs)
        check = _Check(func, inputs, eps, atol, rtol)
        check.fast = fast_mode
        if check_backward_ad and not any(o.requires_grad for o in check.outputs):
            check.no_outputs()
            return True
        if check_forward_ad:
            check.forward_mode()
        if check_backward_ad:
            check.backward_mode(nondet_tol, check_grad_dtypes)
        if check_batched_grad:
            check.batched()
        if check_undefined_grad:
            check.undefined_grads()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check second derivatives: :func:`gradcheck` of the gradients of ``func``.

    ``grad_outputs`` are the cotangents; without them they are drawn between -1 and 1.  ``check_fwd_over_rev`` takes the second
    derivative in forward mode too.

    >>> import taeda
    >>> x = taeda.tensor([0.5, 1.5], dtype=taeda.float64, requires_grad=True)
    >>> taeda.autograd.gradgradcheck(taeda.sin, x)
    True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("[gradgradcheck] Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    outputs = [o for o in _outputs(func(*inputs)) if o.requires_grad]
    if grad_outputs is None:
        from taeda.testing import make_tensor

        cotangents = tuple(make_tensor(tuple(o.shape), dtype=o.dtype, device=o.device, low=-1, high=1, requires_grad=True,
                                       noncontiguous=gen_non_contig_grad_outputs) for o in outputs)
    else:
        cotangents = tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
    count = len(inputs)
    places = [i for i, x in enumerate(inputs) if _is_value(x) and x.requires_grad]

    def first(*args: Any) -> tuple[Any, ...]:
        xs = [x if i not in places or x.requires_grad else x.detach().requires_grad_() for i, x in enumerate(args[:count])]
        outs = [o for o in _outputs(func(*xs)) if o.requires_grad]
        found = grad(outs, [xs[i] for i in places], args[count:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(first, inputs + cotangents, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol,
                     check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
                     check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, fast_mode=fast_mode, masked=masked)

"""Differences, derivatives and integrals of samples along a dimension.

Everything is made of slices and arithmetic, so derivatives of any order come from the parts.
"""

from __future__ import annotations

from taeda.autograd.node import named
from taeda.dtype import bool_, promote_types, uint8
from taeda.operands import need_tensor, plain_number, wrapped_dim
from taeda.ops.join import cat
from taeda.ops.matmul import write_result
from taeda.tensor_base import TensorBase

__all__ = ["cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"]
PUBLIC = ("cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz")


def _pairs(x, dim):
    """The elements before each step along dim, and those after it."""
    steps = max(x.shape[dim] - 1, 0)
    return x.narrow(dim, 0, steps), x.narrow(dim, x.shape[dim] - steps, steps)


def diff(input, n=1, dim=-1, prepend=None, append=None, *, out=None):
    """Return the n-th difference along ``dim``: y_i = x_(i+1) - x_i, n times; of bool, where neighbours differ.

    Args:
        prepend, append: tensors that are put before and after ``input`` along ``dim`` first, if ``n`` is not 0.

    Raises:
        RuntimeError: ``input`` has no dimensions, ``n`` is negative, or ``prepend`` or ``append`` has another shape.

    >>> import taeda
    >>> taeda.diff(taeda.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    need_tensor("diff", "input", input)
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"[diff] argument 'n' must be int, not {type(n).__name__}")
    if input.ndim == 0:
        raise RuntimeError("[diff] expects input to be at least one-dimensional, got a tensor of shape ()")
    if n < 0:
        raise RuntimeError(f"[diff] order must be non-negative but got {n}")
    d = wrapped_dim("diff", dim, input.ndim)
    for name, other in (("prepend", prepend), ("append", append)):
        if other is None:
            continue
        need_tensor("diff", name, other)
        if other.ndim != input.ndim:
            raise RuntimeError(f"[diff] expects prepend or append to be the same dimension as input, got shapes "
                               f"{tuple(other.shape)} and {tuple(input.shape)}")
        if any(a != b for i, (a, b) in enumerate(zip(other.shape, input.shape, strict=True)) if i != d):
            raise RuntimeError(f"[diff] expects the shape of tensor to prepend or append to match that of input except along "
                               f"the differencing dimension {d}; got {name} {tuple(other.shape)}, input {tuple(input.shape)}")
    parts = [x for x in (prepend, input, append) if x is not None] if n else [input]
    y = cat(parts, d) if len(parts) > 1 else input
    if n == 0:
        y = named(input.clone(), "CopyBackwards")
    for _ in range(min(n, y.shape[d])):              # as many steps as there are elements leave nothing
        before, after = _pairs(y, d)
        y = before.logical_xor(after) if y.dtype is bool_ else after - before
    return write_result(out, y, "diff")


# -- gradient ---------------------------------------------------------------------------------------------


def gradient(input, *, spacing=1, dim=None, edge_order=1):
    """Estimate the derivative along each of ``dim`` by central differences, one-sided at the ends.

    Inside, with steps h before and k after a place: (h^2 x_(i+1) + (k^2 - h^2) x_i - k^2 x_(i-1)) / (h k (h + k)).

    Args:
        spacing: one step for all dimensions; or for each dimension a step, or a tensor of coordinates.
        dim: a dimension or several; all by default.
        edge_order: 1 or 2, the order to which the ends are exact.

    Returns a tuple with one tensor of input's shape for each dimension.

    Raises:
        RuntimeError: a dimension has fewer than edge_order + 1 elements, or ``spacing`` does not fit ``dim``.

    >>> import taeda
    >>> taeda.gradient(taeda.tensor([1.0, 4.0, 9.0, 16.0]))
    (tensor([3., 4., 6., 7.]),)
    """
    need_tensor("gradient", "input", input)
    if isinstance(spacing, TensorBase):
        spacing = plain_number("gradient", "spacing", spacing)
    if spacing is None and (dim is None or hasattr(dim, "__index__")):
        spacing = 1
    dims = list(range(input.ndim)) if dim is None else [dim] if hasattr(dim, "__index__") else list(dim)
    dims = [wrapped_dim("gradient", d, input.ndim) for d in dims]
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"[gradient] dim {d} appears multiple times in the list of dims")
    steps = list(spacing) if isinstance(spacing, (list, tuple)) else [spacing] * len(dims)
    if len(steps) != len(dims):
        raise RuntimeError(f"[gradient] expected spacing to be unspecified, a scalar, or a list with one entry for each of the "
                           f"{len(dims)} dimensions, but got {len(steps)}")
    if edge_order not in (1, 2):
        raise RuntimeError(f"[gradient] only supports edge_order=1 and edge_order=2, got {edge_order}")
    if input.dtype is uint8:
        raise RuntimeError("[gradient] does not support uint8 input; convert it with .float()")
    for d in dims:
        if input.ndim and input.shape[d] < edge_order + 1:
            raise RuntimeError(f"[gradient] expected each dimension size to be at least edge_order+1 = {edge_order + 1}, got "
                               f"shape {tuple(input.shape)}")
    return tuple([_derivative(input, step, d, edge_order) for step, d in zip(steps, dims, strict=True)])


def _derivative(x, spacing, d, edge_order):
    """The derivative of x along d, each value where its element is."""
    n = x.shape[d]
    before, after = _pairs(x, d)
    if isinstance(spacing, TensorBase):
        if spacing.ndim != 1 or spacing.shape[0] != n:
            raise RuntimeError(f"[gradient] expected one coordinate for each of the {n} elements of dimension {d}, got a spacing "
                               f"of shape {tuple(spacing.shape)}")
        if spacing.is_floating_point():                     # differences of neighbours would cancel in the narrower dtype
            x = x.to(promote_types(x.dtype, spacing.dtype))
            before, after = _pairs(x, d)
        h = diff(spacing).reshape([-1 if i == d else 1 for i in range(x.ndim)])
        slopes = (after - before) / h
        left, right = _pairs(slopes, d)
        h, k = _pairs(h, d)
        inside = (left * k + right * h) / (h + k)
    else:
        slopes = (after - before) / spacing
        inside = (x.narrow(d, 2, max(n - 2, 0)) - x.narrow(d, 0, max(n - 2, 0))) / (2 * spacing) if n > 2 else slopes.narrow(d, 0, 0)
        h = None
    first, last = slopes.narrow(d, 0, 1), slopes.narrow(d, n - 2, 1)
    if edge_order == 2:                    # the parabola through three points: slope plus half of what bends it
        second, second_last = slopes.narrow(d, 1, 1), slopes.narrow(d, n - 3, 1)
        if h is None:
            first, last = first + (first - second) / 2, last + (last - second_last) / 2
        else:
            bend = (second - first) / (h.narrow(d, 0, 1) + k.narrow(d, 0, 1))
            first = first - bend * h.narrow(d, 0, 1)
            bend = (last - second_last) / (h.narrow(d, n - 3, 1) + k.narrow(d, n - 3, 1))
            last = last + bend * k.narrow(d, n - 3, 1)
    return cat([first, inside, last], d)


# -- the trapezoidal rule ---------------------------------------------------------------------------------


def _areas(op, y, x, dx, dim):
    """Of each trapezoid twice the area, and the factor that is left; None for an area where the steps are all ``factor``, 1 by default."""
    need_tensor(op, "y", y)
    if x is not None and dx is not None:
        raise TypeError(f"[{op}] got both x and dx; give the places or the step, not both")
    if x is not None:
        need_tensor(op, "x", x)
    if y.dtype is bool_ or (x is not None and x.dtype is bool_):
        raise RuntimeError(f"[{op}] received a bool input for `x` or `y`, but bool is not supported")
    if y.ndim == 0:
        raise IndexError(f"[{op}] Dimension specified as {dim} but tensor has no dimensions")
    d = wrapped_dim(op, dim, y.ndim)
    if x is None:
        dx = 1 if dx is None else plain_number(op, "dx", dx)
        if isinstance(dx, (bool, complex)):
            raise RuntimeError(f"[{op}] Currently, we only support dx as a real number, got {dx}")
        return None, dx, d
    left, right = _pairs(y, d)
    if x.ndim == 1:
        if x.shape[0] != y.shape[d]:
            raise RuntimeError(f"[{op}] There must be one `x` value for each sample point, got {x.shape[0]} for the "
                               f"{y.shape[d]} along dimension {d} of shape {tuple(y.shape)}")
        width = diff(x).reshape([-1 if i == d else 1 for i in range(y.ndim)])
    elif x.ndim < y.ndim:                  # leading dimensions are broadcast; dim counts along y's
        x = x.reshape([1] * (y.ndim - x.ndim) + list(x.shape))
        width = diff(x, dim=d)
    else:
        width = diff(x, dim=d)
    return width * (left + right), 0.5, d


def trapezoid(y, x=None, *, dx=None, dim=-1):
    """Integrate along ``dim`` by the trapezoidal rule: sum_i (x_(i+1) - x_i) (y_i + y_(i+1)) / 2.

    Args:
        y: the samples.
        x: their places, of y's shape or (n,) along ``dim``.
        dx: their distance where ``x`` is not given, 1 by default.

    Raises:
        RuntimeError: of bool, or where ``x`` does not fit.

    >>> import taeda
    >>> taeda.trapezoid(taeda.tensor([1.0, 3.0, 5.0]), dx=2)
    tensor(12.)
    """
    area, factor, d = _areas("trapezoid", y, x, dx, dim)
    if area is not None:
        return named(area.sum(d) * factor, "DivBackward1")
    if y.shape[d] == 0:
        return y.detach().sum(d, dtype=y.dtype)
    return named((y.sum(d) - (y.select(d, 0) + y.select(d, -1)) * 0.5) * factor, "MulBackward1")       # doubling first could overflow


def trapz(y, x=None, *, dx=None, dim=-1):
    """The same as :func:`trapezoid`, under NumPy's former name."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y, x=None, *, dx=None, dim=-1):
    """Return the running integrals of the trapezoidal rule, one for each step; see :func:`trapezoid`.

    >>> import taeda
    >>> taeda.cumulative_trapezoid(taeda.tensor([1.0, 3.0, 5.0]))
    tensor([2., 6.])
    """
    area, factor, d = _areas("cumulative_trapezoid", y, x, dx, dim)
    if area is not None:
        return named(area.cumsum(d) * factor, "DivBackward1")
    left, right = _pairs(y, d)
    return ((left + right) * (factor / 2)).cumsum(d)


METHODS = {"diff": diff}

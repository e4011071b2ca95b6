# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Clamp and the activations that are linear between their corners."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (IN0, IN1, NOTHING, SAME, Op, any_needs_grad, as_tensor, binary, binary_params, broadcast_shapes,
                             check_same_device, define, empty_for, launch, needs_grad, record, to_dtype, unary, unary_, unary_params,
                             unary_params_, write_out)
from taeda.dtype cimport default_float, dtype_of, is_complex_, is_float, is_integral, name_of, promote
from taeda.kernels.cpu.abi cimport BOOL, I64, MAX_DIM, U8, Param, View
from taeda.operands cimport plain_number
from taeda.ops.activation cimport flat, floats
from taeda.ops.binary cimport in_dtype, one_pass_
from taeda.tensor_base cimport TensorBase

from taeda.autograd.node import named
from taeda.dispatch import in_place
from taeda.dtype import iinfo


# All of these are linear between its corners: the backward kernel of each tells the pieces apart by x, and is its own derivative.
cdef object piecewise_vjp(Op backward, Node n, object g):
    cdef Param p[2]
    p[0].f, p[1].f = n.extra
    return binary_params(backward, g, n.load(0), p, n.extra)

cdef object piecewise_backward_vjp(Op backward, Node n, object h):
    cdef Param p[2]
    p[0].f, p[1].f = n.extra
    return (binary_params(backward, h, n.load(0), p, n.extra) if n.needs(0) else None), flat(n, h)


# threshold: x where x > threshold, else value
cdef object threshold_vjp(Node n, object g):
    return piecewise_vjp(THRESHOLD_BACKWARD, n, g)

cdef object threshold_backward_vjp(Node n, object h):
    return piecewise_backward_vjp(THRESHOLD_BACKWARD, n, h)

cdef Op THRESHOLD = define("threshold", threshold_vjp, IN0, SAME)
cdef Op THRESHOLD_BACKWARD = define("threshold_backward", threshold_backward_vjp, IN1, SAME)

def threshold(input, threshold, value):
    """Return x where x > threshold, else value.

    The derivative is 1 above the threshold and 0 elsewhere.

    >>> import taeda
    >>> taeda.threshold(taeda.tensor([-1.0, 2.0]), 0.5, 9.0)
    tensor([9., 2.])
    """
    cdef TensorBase x = as_tensor(input, "threshold")
    cdef Param p[2]
    threshold, value = plain_number("threshold", "threshold", threshold), plain_number("threshold", "value", value)
    threshold_params(x, threshold, value, p)
    return unary_params(THRESHOLD, x, p, (float(threshold), 0.0))

def threshold_(input, threshold, value):
    """In-place :func:`threshold`; an expanded tensor too, since doing it twice changes nothing."""
    cdef TensorBase x = as_tensor(input, "threshold_")
    cdef Param p[2]
    threshold, value = plain_number("threshold_", "threshold", threshold), plain_number("threshold_", "value", value)
    threshold_params(x, threshold, value, p)
    return unary_params_(THRESHOLD, x, p, (float(threshold), 0.0))

cdef int threshold_params(TensorBase x, object threshold, object value, Param* p) except -1:
    if is_float(x.view.dtype):
        p[0].f, p[1].f = threshold, value
    elif is_integral(x.view.dtype):                  # of other dtypes there is no kernel, which the launch tells
        try:
            p[0].i, p[1].i = int(threshold), int(value)
        except (OverflowError, ValueError):          # beyond 64 bits, nan
            raise RuntimeError(f"[threshold] value cannot be converted to type int64_t without overflow, got threshold {threshold} and "
                               f"value {value} for a tensor of {name_of(x.view.dtype)}") from None
    return 0


# hardtanh: clamp, whose derivative at the two bounds themselves is 0
cdef object hardtanh_vjp(Node n, object g):
    return piecewise_vjp(HARDTANH_BACKWARD, n, g)

cdef object hardtanh_backward_vjp(Node n, object h):
    return piecewise_backward_vjp(HARDTANH_BACKWARD, n, h)

cdef Op HARDTANH = define("clamp", hardtanh_vjp, IN0, SAME, None, "HardtanhBackward0")
cdef Op HARDTANH_BACKWARD = define("hardtanh_backward", hardtanh_backward_vjp, IN1, SAME)

def hardtanh(input, min_val=-1.0, max_val=1.0):
    """Return min(max(x, min_val), max_val).

    >>> import taeda
    >>> taeda.ops.hardtanh(taeda.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    cdef Param p[2]
    cdef TensorBase x = as_tensor(input, "hardtanh")
    min_val, max_val = plain_number("hardtanh", "min_val", min_val), plain_number("hardtanh", "max_val", max_val)
    if hardtanh_clamps(x, min_val, max_val):
        return clamp(input, int(min_val), int(max_val))
    p[0].f, p[1].f = min_val, max_val
    return unary_params(HARDTANH, x, p, (float(min_val), float(max_val)))

def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """In-place :func:`hardtanh`."""
    cdef Param p[2]
    cdef TensorBase x = as_tensor(input, "hardtanh_")
    min_val, max_val = plain_number("hardtanh_", "min_val", min_val), plain_number("hardtanh_", "max_val", max_val)
    if hardtanh_clamps(x, min_val, max_val):
        return clamp_(input, int(min_val), int(max_val))
    p[0].f, p[1].f = min_val, max_val
    return unary_params_(HARDTANH, x, p, (float(min_val), float(max_val)))

cdef bint hardtanh_clamps(TensorBase x, object min_val, object max_val) except -1:
    """Whether x's dtype is one that :func:`clamp` takes; refuse those that hardtanh does not."""
    if x.view.dtype == BOOL:
        raise RuntimeError("[hardtanh] Bool inputs not supported for hardtanh; convert to float first")
    if not is_integral(x.view.dtype) and not is_complex_(x.view.dtype):
        return False
    if min(int(min_val), int(max_val)) < 0 and x.view.dtype == U8:
        raise RuntimeError(f"[hardtanh] cannot do hardtanh on an unsigned type with negative limits, got {min_val} and {max_val}")
    return True


# hardsigmoid: min(max(x + 3, 0), 6) / 6; hardswish: x times that
cdef object hardsigmoid_vjp(Node n, object g):
    return binary(HARDSIGMOID_BACKWARD, g, n.load(0))

cdef object hardsigmoid_backward_vjp(Node n, object h):
    return (binary(HARDSIGMOID_BACKWARD, h, n.load(0)) if n.needs(0) else None), flat(n, h)

cdef Op HARDSIGMOID = define("hardsigmoid", hardsigmoid_vjp, IN0, SAME)
cdef Op HARDSIGMOID_BACKWARD = define("hardsigmoid_backward", hardsigmoid_backward_vjp, IN1, SAME)

def hardsigmoid(input):
    """Return min(max(x + 3, 0), 6) / 6.

    >>> import taeda
    >>> taeda.ops.hardsigmoid(taeda.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return unary(HARDSIGMOID, floats(input, "hardsigmoid"))

def hardsigmoid_(input):
    """In-place :func:`hardsigmoid`."""
    return unary_(HARDSIGMOID, floats(input, "hardsigmoid_"))

cdef object hardswish_vjp(Node n, object g):
    return binary(HARDSWISH_BACKWARD, g, n.load(0))

cdef object hardswish_backward_vjp(Node n, object h):
    g, x = n.load(0), n.load(1)
    second = (h * g / 3).masked_fill((x <= -3) | (x >= 3), 0.0) if n.needs(1) else None
    return (binary(HARDSWISH_BACKWARD, h, x) if n.needs(0) else None), second

cdef Op HARDSWISH = define("hardswish", hardswish_vjp, IN0, SAME)
cdef Op HARDSWISH_BACKWARD = define("hardswish_backward", hardswish_backward_vjp, IN0 + IN1, SAME)

def hardswish(input):
    """Return x min(max(x + 3, 0), 6) / 6 (Howard et al., Searching for MobileNetV3, 2019).

    >>> import taeda
    >>> taeda.ops.hardswish(taeda.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return unary(HARDSWISH, floats(input, "hardswish"))

def hardswish_(input):
    """In-place :func:`hardswish`."""
    return unary_(HARDSWISH, floats(input, "hardswish_"))


# hardshrink: 0 from -lambd to lambd, else x; softshrink: x moved by lambd towards 0, which it does not cross; nan stays
cdef object shrink_vjp(Node n, object g):
    return piecewise_vjp(SHRINK_BACKWARD, n, g)

cdef object shrink_backward_vjp(Node n, object h):
    return piecewise_backward_vjp(SHRINK_BACKWARD, n, h)

cdef Op HARDSHRINK = define("hardshrink", shrink_vjp, IN0, SAME)
cdef Op SOFTSHRINK = define("softshrink", shrink_vjp, IN0, SAME)
cdef Op SHRINK_BACKWARD = define("shrink_backward", shrink_backward_vjp, IN1, SAME)

def hardshrink(input, lambd=0.5, *, out=None):
    """Return x where abs(x) > lambd, else 0.

    nan stays nan.  The derivative is 1 where the value is kept.

    >>> import taeda
    >>> taeda.hardshrink(taeda.tensor([-1.0, 0.2, 1.0]))
    tensor([-1.,  0.,  1.])
    """
    cdef Param p[2]
    cdef TensorBase x = floats(input, "hardshrink")
    p[0].f = in_dtype(float(plain_number("hardshrink", "lambd", lambd)), x.view.dtype)
    return unary_params(HARDSHRINK, x, p, (p[0].f, 0.0), out)

def softshrink(input, lambd=0.5, *, out=None):
    """Return x moved by lambd towards 0, and 0 where it would cross; RuntimeError if lambd is negative.

    >>> import taeda
    >>> taeda.ops.softshrink(taeda.tensor([-1.0, 0.2, 1.0]))
    tensor([-0.5000,  0.0000,  0.5000])
    """
    cdef Param p[2]
    lambd = plain_number("softshrink", "lambd", lambd)
    if lambd < 0:
        raise RuntimeError(f"[softshrink] lambda must be greater or equal to 0, but found to be {lambd}.")
    p[0].f = lambd
    return unary_params(SOFTSHRINK, floats(input, "softshrink"), p, (float(lambd), 0.0), out)


# clamp: min(max(x, low), high); nan stays; the derivative is 1 inside and at the ends
cdef object clamp_vjp(Node n, object g):
    cdef Param p[2]
    p[0].f, p[1].f = n.extra
    return binary_params(CLAMP_BACKWARD, g, n.load(0).detach(), p, n.extra)      # as masks, which gradients do not depend on

cdef object clamp_backward_vjp(Node n, object h):
    cdef Param p[2]
    p[0].f, p[1].f = n.extra
    return (binary_params(CLAMP_BACKWARD, h, n.load(0), p, n.extra) if n.needs(0) else None), None

cdef Op CLAMP = define("clamp", clamp_vjp, IN0, SAME, None, "ClampBackward1")
cdef Op CLAMP_BACKWARD = define("clamp_backward", clamp_backward_vjp, IN1, SAME)
INF = float("inf")

cdef TensorBase clamp_operand(TensorBase x, object low, object high, Param* p):
    """Fill in the bounds and return x in the dtype that the result has."""
    cdef int dtype = x.view.dtype
    low = None if low is None else plain_number("clamp", "min", low)
    high = None if high is None else plain_number("clamp", "max", high)
    if is_complex_(dtype) or isinstance(low, complex) or isinstance(high, complex):
        raise NotImplementedError("[clamp] clamp is not supported for complex types")
    if dtype == BOOL:
        dtype = I64
    if is_integral(dtype) and (isinstance(low, float) or isinstance(high, float)):
        dtype = default_float()
    if is_float(dtype):
        p[0].f = -INF if low is None else low
        p[1].f = INF if high is None else high
        if p[0].f != p[0].f or p[1].f != p[1].f:      # a nan bound makes everything nan
            p[0].f = p[1].f = float("nan")
        elif p[0].f > p[1].f:                         # the upper bound has the last word
            p[0].f = p[1].f
    else:
        limits = iinfo(dtype_of(dtype))
        lowest, highest = limits.min, min(limits.max, (1 << 63) - 1)
        p[0].i = lowest if low is None else max(min(int(low), highest), lowest)
        p[1].i = highest if high is None else max(min(int(high), highest), lowest)
        p[0].i = min(p[0].i, p[1].i)
    return to_dtype(x, dtype)

# bounds that are tensors: x has the gradient inside and at the bounds, a bound where x is beyond it, and where they cross the upper one
cdef object clamp_tensors_vjp(Node n, object g):
    x, low, high = n.load(0), n.load(1), n.load(2)
    inside = x >= low if high is None else x <= high if low is None else (x >= low) & (x <= high)
    grads = [g.masked_fill(~inside, 0.0) if n.needs(0) else None, None, None]
    if n.needs(1):
        below = x < low if high is None else (x < low) & (low < high)
        grads[1] = g.masked_fill(~below, 0.0)
    if n.needs(2):
        above = x > high if low is None else (x > high) | (high < low)
        grads[2] = g.masked_fill(~above, 0.0)
    return tuple(grads)

cdef Op CLAMP_TENSORS = define("clamp", clamp_tensors_vjp, NOTHING, SAME, None, "ClampBackward0")
cdef Op CLAMP_BETWEEN = define("clamp_between", NULL)

cdef TensorBase between(TensorBase x, TensorBase low, TensorBase high):
    """x between two bounds of its dtype, in one pass."""
    cdef TensorBase y
    cdef View* t[4]
    cdef int64_t sizes[MAX_DIM]
    cdef int d
    check_same_device("clamp", (x, low, high))
    shape = broadcast_shapes("clamp", broadcast_shapes("clamp", x.shape_tuple(), low.shape_tuple()), high.shape_tuple())
    t[1], t[2], t[3] = &x.view, &low.view, &high.view
    for d in range(len(shape)):
        sizes[d] = shape[d]
    y = empty_for(len(shape), sizes, x.view.dtype, x.device, 3, t + 1)
    t[0] = &y.view
    launch(CLAMP_BETWEEN, x.view.dtype, x.device, 1, 4, t, NULL, y.view.numel)
    return y

cdef TensorBase clamp_tensors(TensorBase x, object min, object max):
    cdef TensorBase low = bound(x, min), high = bound(x, max), y = <TensorBase>(<object>x).detach()
    cdef int code
    if low is not None and high is not None and low.view.dtype != high.view.dtype:      # of all three; two by two would be of the order
        code = common_code((y, low, high))
        y = to_dtype(y, code) if code >= 0 else y
    if low is not None and high is not None and one_dtype(y, low, high):
        y = between(y, low, high)
    else:
        if low is not None:
            y = <TensorBase>(<object>y).maximum(low.detach())
        if high is not None:
            y = <TensorBase>(<object>y).minimum(high.detach())
    if not any_needs_grad((x, low, high)):
        return y
    x = to_dtype(x, y.view.dtype)
    low = None if low is None else to_dtype(low, y.view.dtype)
    high = None if high is None else to_dtype(high, y.view.dtype)
    record(CLAMP_TENSORS, y, (x, low, high), (x, low, high))
    if y.grad_fn_ is not None:
        (<Node>y.grad_fn_).input_shapes = tuple([(y if t is None else t).shape for t in (x, low, high)])
    return y

cdef int rank(int code) noexcept:
    return 3 if is_complex_(code) else 2 if is_float(code) else code != BOOL

cdef int common_code(tuple tensors) except -2:
    """The dtype that several tensors give: 0-d ones count only where they are of a higher kind."""
    cdef int whole = -1, single = -1
    cdef TensorBase t
    for t in tensors:
        if t.view.ndim:
            whole = t.view.dtype if whole < 0 else promote(whole, t.view.dtype)
        else:
            single = t.view.dtype if single < 0 else promote(single, t.view.dtype)
    if whole < 0:
        return single
    return whole if single < 0 or rank(whole) >= rank(single) else promote(whole, single)

cdef bint one_dtype(TensorBase x, TensorBase low, TensorBase high):
    """Whether all are of one dtype that has the formula."""
    return x.view.dtype == low.view.dtype and x.view.dtype == high.view.dtype and x.view.dtype != BOOL and not is_complex_(x.view.dtype)

cdef TensorBase bound(TensorBase x, object number):
    return number if number is None or isinstance(number, TensorBase) else (<object>x).new_tensor(number)

def clamp(input, min=None, max=None, *, out=None):
    """Return min(max(x, ``min``), ``max``); the bounds are numbers or tensors, and one may be None.

    The upper bound has the last word where they cross; nan stays nan, and a nan bound makes all nan.  The derivative is 1 inside
    the bounds and at them, else 0; a bound that is a tensor has it where its value is the result.  Integers with a float bound become
    the default dtype.

    Raises:
        RuntimeError: both bounds are None.  NotImplementedError: complex values.

    >>> import taeda
    >>> taeda.clamp(taeda.tensor([-1.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    >>> taeda.clamp(taeda.tensor([1, 5]), max=taeda.tensor([3, 3]))
    tensor([1, 3])
    """
    cdef TensorBase x = as_tensor(input, "clamp"), y
    cdef Param p[2]
    if min is None and max is None:
        raise RuntimeError("[clamp] At least one of 'min' or 'max' must not be None")
    if isinstance(min, TensorBase) != isinstance(max, TensorBase) and min is not None and max is not None:
        min, max = plain_number("clamp", "min", min), plain_number("clamp", "max", max)
    if isinstance(min, TensorBase) or isinstance(max, TensorBase):
        y = clamp_tensors(x, min, max)
        return y if out is None else write_out(out, y, "clamp")
    x = clamp_operand(x, min, max, p)
    if is_float(x.view.dtype) and p[0].f != p[0].f:
        y = <TensorBase>((<object>x).detach() * float("nan"))
        record(CLAMP, y, (x,), (x,), limits(min, max))
        return y if out is None else write_out(out, y, "clamp")
    return unary_params(CLAMP, x, p, limits(min, max) if is_float(x.view.dtype) else None, out)

def clamp_(input, min=None, max=None):
    """In-place :func:`clamp`."""
    cdef TensorBase x = as_tensor(input, "clamp_"), y
    cdef Param p[2]
    if isinstance(min, TensorBase) and isinstance(max, TensorBase) and one_pass_(CLAMP_BETWEEN, "clamp_", x, (min, max), 0):
        return input
    if min is None and max is None or isinstance(min, TensorBase) or isinstance(max, TensorBase):
        return in_place("clamp_", clamp, input, min, max)
    y = clamp_operand(x, min, max, p)
    if y is not x or (is_float(x.view.dtype) and p[0].f != p[0].f):
        return in_place("clamp_", clamp, input, min, max)
    return unary_params_(CLAMP, x, p, limits(min, max) if is_float(x.view.dtype) else None)

cdef tuple limits(object min, object max):
    """What the derivative is told: nothing lies within bounds that cross, or are nan."""
    return -INF if min is None else float(min), INF if max is None else float(max)

cdef object written(TensorBase x, str name):
    """x, which has just been written to, with PyTorch's name of what did."""
    return named(x, name) if x.base is None and needs_grad(x) else x

def clamp_min(input, min, *, out=None):
    """Return max(x, ``min``).

    See :func:`clamp`; the bound is a number or a tensor.

    >>> import taeda
    >>> taeda.clamp_min(taeda.tensor([-1.0, 2.0]), 0)
    tensor([0., 2.])
    """
    return named(clamp(input, min, None, out=out), "ClampMinBackward1" if isinstance(min, TensorBase) else "ClampMinBackward0")

def clamp_min_(input, min):
    """In-place :func:`clamp_min`."""
    return written(clamp_(input, min, None), "ClampMinBackward1" if isinstance(min, TensorBase) else "ClampMinBackward0")

def clamp_max(input, max, *, out=None):
    """Return min(x, ``max``).

    See :func:`clamp`; the bound is a number or a tensor.

    >>> import taeda
    >>> taeda.clamp_max(taeda.tensor([-1.0, 2.0]), 0)
    tensor([-1.,  0.])
    """
    return named(clamp(input, None, max, out=out), "ClampMaxBackward1" if isinstance(max, TensorBase) else "ClampMaxBackward0")

def clamp_max_(input, max):
    """In-place :func:`clamp_max`."""
    return written(clamp_(input, None, max), "ClampMaxBackward1" if isinstance(max, TensorBase) else "ClampMaxBackward0")


clip, clip_ = clamp, clamp_

PUBLIC = (
    "threshold", "threshold_", "clamp", "clamp_", "clamp_min", "clamp_min_", "clamp_max", "clamp_max_", "clip", "clip_",
    "hardshrink",
)
__all__ = PUBLIC + ("hardtanh", "hardtanh_", "hardsigmoid", "hardsigmoid_", "hardswish", "hardswish_", "softshrink")
METHODS = {name: globals()[name] for name in PUBLIC if name not in ("threshold", "threshold_")}

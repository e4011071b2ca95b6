# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Numbers in even steps: arange, linspace, and linspace's powers."""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op, define, empty_shape, held_scalar, launch, to_dtype
from taeda.dtype cimport complex_code, default_float, dtype_of, is_complex_, is_float, is_integral
from taeda.kernels.cpu.abi cimport BF16, BOOL, C128, F16, F32, F64, I32, I64, U8, Param, View
from taeda.operands cimport plain_number
from taeda.ops.creation cimport device_code, dtype_code, finish, out_or, release_out
from taeda.tensor_base cimport CPU, TensorBase

import math
import warnings

from taeda._once import warn_once
from taeda.layout import need_strided
from taeda.ops.complex_numbers import complex as of_parts

cdef Op ARANGE = define("arange", NULL)
cdef Op LINSPACE = define("linspace", NULL)


cdef TensorBase in_order(str op, object out, TensorBase t, object dtype, object device):
    """The values in ``out``, if there is one, which keeps its shape where it has as many elements."""
    cdef TensorBase to
    if isinstance(out, TensorBase):
        to = <TensorBase>out
        release_out(op, to)
        if to.view.numel == t.view.numel and to.view.ndim != 1:
            t = <TensorBase>(<object>t).reshape(to.shape_tuple())
        elif to.view.numel and to.view.numel != t.view.numel and op == "arange":
            warnings.warn(f"The number of elements in the out tensor of shape {list(to.shape_tuple())} is {to.view.numel} which does not "
                          f"match the computed number of elements {t.view.numel}; it is resized", UserWarning, stacklevel=1)
    return out_or(op, out, t, dtype, device)


def arange(start=None, end=None, step=1, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return start, start + step, ... below end; int64 for ints, the default float dtype otherwise.

    >>> import taeda
    >>> taeda.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    cdef TensorBase t
    cdef View* v[1]
    cdef Param p[2]
    if layout is not None:
        need_strided("arange", layout)
    if end is None:
        start, end = 0, start
    elif start is None:
        start = 0
    whole = type(start) is int and type(end) is int and type(step) is int
    if not whole:
        start, end, step = [without_imaginary_part(plain_number("arange", name, x))
                            for name, x in (("start", start), ("end", end), ("step", step))]
        whole = all([isinstance(x, int) or PyIndex_Check(x) for x in (start, end, step)])
        if not (math.isfinite(start) and math.isfinite(end)):
            raise RuntimeError(f"[arange] unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("[arange] step must be nonzero")
    if (end - start) * (1 if step > 0 else -1) < 0:
        raise RuntimeError(f"[arange] upper bound and lower bound inconsistent with step sign: {start} -> {end} by {step}")
    code = dtype_code(out.dtype if dtype is None and isinstance(out, TensorBase) else dtype, "arange", I64 if whole else default_float())
    if code == BOOL:
        raise NotImplementedError("[arange] not implemented for 'Bool'")
    size = -1 if whole else math.ceil((end - start) / step)
    if is_integral(code) and not whole:          # counted in the dtype of the result; how many they are, for int64 alone
        start, end, step = int(start), int(end), int(step)
        whole = code == I64
        if step == 0:
            raise ValueError("[arange] step must be nonzero, and is 0 as an integer")
    if whole:
        size = -((start - end) // step)
    if size >= 1 << 60:
        raise RuntimeError(f"[arange] invalid size, possible overflow: {start} -> {end} by {step} has {size} elements")
    where = device_code(device, "arange")
    if code not in (I64, I32, U8, F16, BF16, F32, F64):
        end = start + size * step if is_integral(code) else end
        t = <TensorBase>arange(start, end, step, dtype=dtype_of(I64 if is_integral(code) else F64), device=device)
        return in_order("arange", out, finish(to_dtype(t, code), requires_grad), dtype, device)
    t = empty_shape((size,), code, where)
    if is_float(code):
        p[0].f, p[1].f = start, step
    else:
        p[0].i, p[1].i = int(start), int(step)
    v[0] = &t.view
    launch(ARANGE, code, where, 0, 1, v, p, t.view.numel)
    return in_order("arange", out, finish(t, requires_grad), dtype, device)


def range_(start, end=None, step=1, **options):
    """Return start, start + step, ... up to and with end; :func:`arange`, which leaves the end out, took its place."""
    warn_once("range", "taeda.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
              "Python's range; use taeda.arange, which leaves the end out")
    if end is None:
        start, end = 0, start
    out = options.get("out")
    options.setdefault("dtype", out.dtype if isinstance(out, TensorBase) else dtype_of(default_float()))
    if is_integral(dtype_code(options["dtype"], "range", I64)):
        start, end, step = int(start), int(end), int(step)
        return arange(start, end + (1 if step > 0 else -1), step, **options)
    return arange(start, end + step / 2, step, **options)


cdef object number_of(str op, object x):
    """An end of the range; a tensor's only element only where it has no dimensions."""
    if not isinstance(x, TensorBase):
        return plain_number(op, "start or end", x)
    if (<TensorBase>x).view.ndim:
        raise RuntimeError(f"[{op}] only supports 0-dimensional start and end tensors, got shape {(<TensorBase>x).shape_tuple()}")
    return x.item()


def linspace(start, end, steps, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return ``steps`` evenly spaced values from start to end, both ends exact.

    >>> import taeda
    >>> taeda.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    cdef int64_t n
    cdef TensorBase t
    cdef View* v[1]
    cdef Param p[2]
    cdef int code, where
    if layout is not None:
        need_strided("linspace", layout)
    start, end = number_of("linspace", start), number_of("linspace", end)
    if isinstance(steps, bool) or not PyIndex_Check(steps):
        raise TypeError(f"[linspace] steps must be an int, got {steps!r} ({type(steps).__name__})")
    n = steps.__index__()
    if n < 0:
        raise RuntimeError(f"[linspace] number of steps must be non-negative, got {steps}")
    code = code_between("linspace", start, end, out.dtype if dtype is None and isinstance(out, TensorBase) else dtype)
    where = device_code(device, "linspace")
    if code == BOOL:
        if n > 1:
            raise NotImplementedError("[linspace] not implemented for 'Bool'")
        t = empty_shape((n,), code, where)
        (<object>t).fill_(bool(start))
        return in_order("linspace", out, finish(t, requires_grad), dtype, device)
    if is_complex_(code):
        part = F64 if code == C128 else F32
        start, end = complex(start), complex(end)
        parts = [linspace(a, b, n, dtype=dtype_of(part), device=device) for a, b in ((start.real, end.real), (start.imag, end.imag))]
        return in_order("linspace", out, finish(to_dtype(of_parts(*parts), code), requires_grad), dtype, device)
    if is_integral(code):                          # the ends are integers too, and the steps between them are rounded down
        start = held(start, code) if n else 0
        end = held(end, code) if n > 1 else start
    elif n > 1:
        held(start, code), held(end, code)
    t = empty_shape((n,), code if is_float(code) else F64, where)
    p[0].f, p[1].f = start, end
    v[0] = &t.view
    launch(LINSPACE, t.view.dtype, where, 0, 1, v, p, n)
    return in_order("linspace", out, finish(to_dtype(t, code), requires_grad), dtype, device)


cdef object held(object x, int code):
    """What a dtype makes of a number; one that it cannot hold is refused."""
    return (<object>held_scalar(x, code, CPU)).item()


cdef object without_imaginary_part(object x):
    """A complex number without an imaginary part as the real one that it is."""
    if isinstance(x, complex):
        if x.imag:
            raise RuntimeError(f"[arange] value {x} cannot be converted to type float64 without overflow: it has an imaginary part")
        return x.real
    return x


def logspace(start, end, steps, base=10.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):
    """Return ``steps`` values from base^start to base^end, evenly spaced in the exponent.

    >>> import taeda
    >>> taeda.logspace(0, 3, steps=4)
    tensor([   1.,   10.,  100., 1000.])
    """
    if layout is not None:
        need_strided("logspace", layout)
    start, end = number_of("logspace", start), number_of("logspace", end)
    cdef int code = code_between("logspace", start, end, out.dtype if dtype is None and isinstance(out, TensorBase) else dtype)
    if code == BOOL and steps not in (0, 1):
        raise NotImplementedError("[logspace] not implemented for 'Bool'")
    if not is_complex_(code) and steps not in (0, 1):  # a single value is that of the start as it is given
        whole = held(start, code), held(end, code)
        start, end = whole if is_integral(code) else (start, end)
    t = float(base) ** linspace(start, end, steps, dtype=dtype_of(C128 if is_complex_(code) else F64), device=device)
    return in_order("logspace", out, finish(to_dtype(t, code), requires_grad), dtype, device)


cdef int code_between(str op, object start, object end, object dtype) except -1:
    """The dtype of values from start to end: complex if an end is."""
    cdef int code
    if not isinstance(start, complex) and not isinstance(end, complex):
        return dtype_code(dtype, op, default_float())
    code = dtype_code(dtype, op, complex_code(default_float()))
    if not is_complex_(code):
        raise RuntimeError(f"[{op}] inferred dtype {dtype_of(complex_code(default_float()))} can't be safely cast to passed dtype "
                           f"{dtype}; the ends are {start} and {end}")
    return code


PUBLIC = ("arange", "linspace", "logspace")
__all__ = PUBLIC + ("range_",)
METHODS = {}

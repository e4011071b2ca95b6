# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Formulas of three tensors that are computed in one pass: addcmul, addcdiv, lerp."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (NOTHING, SAME, Op, as_tensor, begin_inplace, broadcast_shapes, check_same_device, define, empty_for,
                             empty_shape, launch, record, result_type, scalar_tensor, to_dtype, write_out)
from taeda.dtype cimport dtype_of, is_complex_, is_float, is_integral, name_of, promote
from taeda.kernels.cpu.abi cimport BF16, BOOL, F16, F32, I8, I16, I32, I64, MAX_DIM, Param, View
from taeda.operands cimport plain_number
from taeda.ops.binary cimport is_one, one_pass_
from taeda.tensor_base cimport TensorBase

from taeda.autograd.node import named
from taeda.dispatch import in_place
from taeda.dtype import iinfo
from taeda.ops._help import describe


cdef int common_dtype(TensorBase x, object a, object b, TensorBase made) except -1:
    """The dtype of a sum of x and what was made of a and b: operands without dimensions count as in a sum of two."""
    cdef int several = -1, single = -1, code
    if not (isinstance(a, TensorBase) and isinstance(b, TensorBase)):
        return result_type(x, made)
    for t in (x, a, b):
        code = (<TensorBase>t).view.dtype
        if (<TensorBase>t).view.ndim:
            several = code if several < 0 else promote(several, code)
        else:
            single = code if single < 0 else promote(single, code)
    if several < 0 or single < 0:
        return several if single < 0 else single
    return result_type(empty_shape((0,), several, x.device), empty_shape((), single, x.device))

cdef object in_dtype(object a, int dtype):
    return to_dtype(<TensorBase>a, dtype) if isinstance(a, TensorBase) else a

# addcmul: x + value a b; addcdiv: x + value a / b; lerp: x + w (y - x)
cdef object scaled_product(TensorBase x, object a, object b, object value):
    """value a b, where a fraction of integers counts as the integer below it (towards 0)."""
    cdef TensorBase p = as_tensor(a * b, "addcmul")
    cdef int common = common_dtype(x, a, b, p)
    if common != p.view.dtype:                                   # in the dtype of the sum: bytes would wrap, halves be rounded
        p = as_tensor(in_dtype(a, common) * in_dtype(b, common), "addcmul")
    if x.view.dtype == BOOL and p.view.dtype == BOOL:
        raise NotImplementedError("[addcmul] not implemented for 'Bool'; convert with .int()")
    if isinstance(value, float) and is_integral(x.view.dtype) and is_integral(p.view.dtype):
        value = int(value)
    check_factor("addcmul", value, common)
    return p if is_one(value) else (<object>p) * value

cdef int check_factor(str op, object value, int dtype) except -1:
    if isinstance(value, complex) and not is_complex_(dtype):
        raise RuntimeError(f"[{op}] value {value} cannot be converted to type {name_of(dtype)} without overflow; its imaginary part is "
                           "lost")
    return 0

cdef object addcmul_vjp(Node n, object g):
    return (g if n.needs(0) else None, g * n.load(1) * n.extra if n.needs(1) else None,
            g * n.load(0) * n.extra if n.needs(2) else None)

cdef object addcdiv_vjp(Node n, object g):
    b = n.load(1) if n.needs(1) or n.needs(2) else None
    return (g if n.needs(0) else None, g * (n.extra / b) if n.needs(1) else None,
            -g * (n.load(0) / (b * b) * n.extra) if n.needs(2) else None)

cdef Op ADDCMUL = define("addcmul", addcmul_vjp, NOTHING, SAME)
cdef Op ADDCDIV = define("addcdiv", addcdiv_vjp, NOTHING, SAME)

cdef TensorBase laid_as_operands(object shape, TensorBase x, int count, View** operands):
    """A result of so many operands, in their memory order, of x's dtype."""
    cdef int64_t sizes[MAX_DIM]
    cdef int d, n = len(shape)
    for d in range(n):
        sizes[d] = shape[d]
    return empty_for(n, sizes, x.view.dtype, x.device, count, operands)

cdef int dtype_of_floats(tuple operands) except -1:
    """The common dtype; operands without dimensions count among themselves alone."""
    cdef bint flat = max([(<TensorBase>t).view.ndim for t in operands]) == 0
    cdef int code = -1
    for t in operands:
        if flat or (<TensorBase>t).view.ndim:
            code = (<TensorBase>t).view.dtype if code < 0 else promote(code, (<TensorBase>t).view.dtype)
    return code

cdef bint fits(object value, int dtype) except -1:
    """Whether value is a factor for a sum of integers of this dtype."""
    if dtype == BOOL or not isinstance(value, (int, float)):
        return False
    if -128 <= value <= 127 and (value >= 0 or dtype == I64 or dtype == I32 or dtype == I16 or dtype == I8):
        return True
    limits = iinfo(dtype_of(dtype))
    return limits.min <= value <= limits.max and -(1 << 62) < value < 1 << 62

cdef TensorBase fused(Op op, object input, object a, object b, object value):
    """input + value (a b or a / b) in one pass, where all are tensors of floating-point dtypes, or of one of integers; else None."""
    cdef TensorBase x, y, z, r
    cdef View* t[4]
    cdef Param p[1]
    cdef int common
    cdef bint integers
    if not (isinstance(input, TensorBase) and isinstance(a, TensorBase) and isinstance(b, TensorBase)) or isinstance(value, TensorBase):
        return None
    x, y, z = <TensorBase>input, <TensorBase>a, <TensorBase>b
    integers = x.view.dtype == y.view.dtype == z.view.dtype and is_integral(x.view.dtype) and fits(value, x.view.dtype)
    if not integers and not (is_float(x.view.dtype) and is_float(y.view.dtype) and is_float(z.view.dtype)) or isinstance(value, complex):
        return None
    if x.view.dtype != y.view.dtype or x.view.dtype != z.view.dtype:
        common = dtype_of_floats((x, y, z))
        x, y, z = to_dtype(x, common), to_dtype(y, common), to_dtype(z, common)
    check_same_device(op.name, (x, y, z))
    shape = broadcast_shapes(op.name, broadcast_shapes(op.name, x.shape_tuple(), y.shape_tuple()), z.shape_tuple())
    if integers:
        p[0].i = int(value)
    else:
        p[0].f = value
    t[1], t[2], t[3] = &x.view, &y.view, &z.view
    r = laid_as_operands(shape, x, 3, t + 1)
    t[0] = &r.view
    launch(op, x.view.dtype, x.device, 1, 4, t, p, r.view.numel)
    record(op, r, (x, y, z), (y, z), float(value))
    if r.grad_fn_ is not None:
        (<Node>r.grad_fn_).input_shapes = (x.shape_tuple(), y.shape_tuple(), z.shape_tuple())
    return r

cdef TensorBase fused_(Op op, object input, object a, object b, object value):
    """The same into input; None where the one pass cannot be had."""
    cdef TensorBase x, y
    if not isinstance(input, TensorBase):
        return None
    x = <TensorBase>input
    if isinstance(a, TensorBase) and isinstance(b, TensorBase) and isinstance(value, (int, float)):
        if is_integral(x.view.dtype):
            if not fits(value, x.view.dtype):
                return None
            value = int(value)
        if one_pass_(op, op.in_place, x, (a, b), value):
            return x
    y = fused(op, input, a, b, value)
    if y is None or y.shape_tuple() != x.shape_tuple():
        return None
    begin_inplace(op.in_place, x)
    return (<object>x).copy_(y)

def addcmul(input, tensor1, tensor2, *, value=1, out=None):
    """Return input + value * tensor1 * tensor2.

    >>> import taeda
    >>> taeda.addcmul(taeda.ones(2), taeda.tensor([1.0, 2.0]), taeda.tensor([3.0, 4.0]), value=10)
    tensor([31., 81.])
    """
    value = plain_number("addcmul", "value", value)
    y = fused(ADDCMUL, input, tensor1, tensor2, value)
    if y is None:
        y = named(input + scaled_product(as_tensor(input, "addcmul"), tensor1, tensor2, value), "AddcmulBackward0")
    return y if out is None else write_out(out, y, "addcmul")

def addcmul_(input, tensor1, tensor2, *, value=1):
    """In-place :func:`addcmul`."""
    value = plain_number("addcmul_", "value", value)
    y = fused_(ADDCMUL, input, tensor1, tensor2, value)
    return y if y is not None else input.add_(scaled_product(as_tensor(input, "addcmul_"), tensor1, tensor2, value))

def addcdiv(input, tensor1, tensor2, *, value=1, out=None):
    """Return input + value * tensor1 / tensor2 (floating point only).

    >>> import taeda
    >>> taeda.addcdiv(taeda.ones(2), taeda.tensor([1.0, 2.0]), taeda.tensor([2.0, 8.0]), value=10)
    tensor([6.0000, 3.5000])
    """
    value = plain_number("addcdiv", "value", value)
    float_operands(tensor1, tensor2)
    y = fused(ADDCDIV, input, tensor1, tensor2, value)
    if y is None:
        y = named(input + scaled_quotient(as_tensor(input, "addcdiv"), tensor1, tensor2, value), "AddcdivBackward0")
    return y if out is None else write_out(out, y, "addcdiv")

def addcdiv_(input, tensor1, tensor2, *, value=1):
    """In-place :func:`addcdiv`."""
    value = plain_number("addcdiv_", "value", value)
    float_operands(tensor1, tensor2)
    y = fused_(ADDCDIV, input, tensor1, tensor2, value)
    if y is not None:
        return y
    return input.add_(scaled_quotient(as_tensor(input, "addcdiv_"), tensor1, tensor2, value))

cdef object scaled_quotient(TensorBase x, object a, object b, object value):
    """value a / b in the dtype of the sum with x."""
    cdef TensorBase q = as_tensor(a / b, "addcdiv")
    cdef int common = common_dtype(x, a, b, q)
    if common != q.view.dtype:
        q = as_tensor(in_dtype(a, common) / in_dtype(b, common), "addcdiv")
    check_factor("addcdiv", value, common)
    return q if is_one(value) else (<object>q) * value

cdef int float_operands(object a, object b) except -1:
    if is_integral(as_tensor(a, "addcdiv").view.dtype) and is_integral(as_tensor(b, "addcdiv").view.dtype):
        raise RuntimeError("[addcdiv] Integer division with addcdiv is no longer supported; convert an operand to float")
    return 0

cdef object lerp_vjp(Node n, object g):
    if n.extra is not None:
        return g * (1 - n.extra) if n.needs(0) else None, g * n.extra if n.needs(1) else None
    w = n.load(2)
    return (g * (1 - w) if n.needs(0) else None, g * w if n.needs(1) else None,
            g * (n.load(1) - n.load(0)) if n.needs(2) else None)

cdef Op LERP = define("lerp", lerp_vjp, NOTHING, SAME)
cdef Op LERP_TENSOR = define("lerp", lerp_vjp, NOTHING, SAME, None, "LerpBackward1")

cdef TensorBase lerp_weight(TensorBase x, object weight):
    """A number as a weight; beside float16 and bfloat16 unrounded, since 0.999 is 1 in bfloat16."""
    cdef TensorBase w = scalar_tensor(weight, F32 if x.view.dtype == F16 or x.view.dtype == BF16 else x.view.dtype, x.device)
    w.wrapped_number = True
    return w


def lerp(input, end, weight, *, out=None):
    """Return input + weight * (end - input), from the nearer end so that weights 0 and 1 are exact (as PyTorch, from ``end`` below -1/2).

    >>> import taeda
    >>> taeda.lerp(taeda.tensor([0.0, 10.0]), taeda.tensor([10.0, 20.0]), 0.25)
    tensor([ 2.5000, 12.5000])
    """
    cdef TensorBase x = as_tensor(input, "lerp"), y = as_tensor(end, "lerp"), w, z
    cdef View* t[4]
    cdef bint number = not isinstance(weight, TensorBase)
    cdef int common
    weight = plain_number("lerp", "weight", weight) if number else weight
    if is_complex_(x.view.dtype) or not number and (<TensorBase>weight).view.ndim == 0 and is_complex_((<TensorBase>weight).view.dtype):
        z = <TensorBase>(input + weight * (end - input))
        return z if out is None else write_out(out, z, "lerp")
    w = lerp_weight(x, weight) if number else <TensorBase>weight
    check_same_device("lerp", (x, y, w))
    if w.view.ndim == 0 and not number and w.view.dtype != x.view.dtype and x.view.dtype == y.view.dtype:
        common = common_dtype(x, y, w, None)                 # a 0-d weight counts as a number does
        x, y, w = to_dtype(x, common), to_dtype(y, common), to_dtype(w, common)
    if x.view.dtype != y.view.dtype or x.view.dtype != w.view.dtype and not number:
        raise RuntimeError(f"[lerp] expected one dtype, got {input.dtype}, {end.dtype} and {w.dtype}")
    shape = broadcast_shapes("lerp", x.shape_tuple(), y.shape_tuple())
    if w.view.ndim:
        shape = broadcast_shapes("lerp", shape, w.shape_tuple())
    t[1], t[2], t[3] = &x.view, &y.view, &w.view
    z = laid_as_operands(shape, x, 2 if number else 3, t + 1)
    t[0] = &z.view
    launch(LERP, x.view.dtype, x.device, 1, 4, t, NULL, z.view.numel)
    if number:
        record(LERP, z, (x, y), None, weight)
    else:
        record(LERP_TENSOR, z, (x, y, w), (x, y, w))
    if z.grad_fn_ is not None:
        (<Node>z.grad_fn_).input_shapes = ((x.shape_tuple(), y.shape_tuple()) if number
                                           else (x.shape_tuple(), y.shape_tuple(), w.shape_tuple()))
    return z if out is None else write_out(out, z, "lerp")

def lerp_(input, end, weight):
    """In-place :func:`lerp`."""
    cdef TensorBase x = as_tensor(input, "lerp_")
    if isinstance(end, TensorBase) and is_float(x.view.dtype) and not (
            isinstance(weight, TensorBase) and (<TensorBase>weight).view.dtype != x.view.dtype):
        weight = weight if isinstance(weight, TensorBase) else plain_number("lerp_", "weight", weight)
        if one_pass_(LERP, "lerp_", x, (end, weight if isinstance(weight, TensorBase) else lerp_weight(x, weight)), 0):
            return input
    return in_place("lerp_", lerp, input, end, weight)


PUBLIC = ("addcmul", "addcdiv", "lerp")
INPLACE = ("addcmul_", "addcdiv_", "lerp_")
__all__ = PUBLIC + INPLACE
METHODS = {name: globals()[name] for name in __all__}
describe(list(METHODS.values()))

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Arithmetic of two tensors, or a tensor and a number."""
from cpython.number cimport PyIndex_Check

from taeda.autograd.dual cimport has_tangent, level
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (CROSS, FLOAT, IN0, IN1, NOTHING, OUT, SAME, Op, any_needs_grad, as_tensor, begin_inplace, binary, binary_,
                             binary_params, broadcast_shapes, define, end_inplace, held_scalar, launch, needs_grad, result_type as promoted,
                             scalar_tensor, to_dtype, write_out)
from taeda.dtype cimport complex_code, default_float, dtype_of, is_complex_, is_float, is_integral, name_of
from taeda.kernels.cpu.abi cimport BF16, BOOL, C128, F16, F32, F64, I64, Param, View
from taeda.operands cimport plain_number
from taeda.tensor_base cimport CPU, TensorBase

from taeda.autograd.node import named
from taeda.dtype import complex128, float64
from taeda.ops._help import describe


cdef bint is_one(object alpha):
    return alpha is ONE or (not isinstance(alpha, (TensorBase, bool)) and alpha == 1)

cdef object ONE = 1


cdef int kind_of(object x):
    """0 for booleans, 1 for integers, 2 for floating point, 3 for complex: of a tensor's elements or of a number."""
    cdef int dtype
    if isinstance(x, TensorBase):
        dtype = (<TensorBase>x).view.dtype
        return 0 if dtype == BOOL else 1 if is_integral(dtype) else 3 if is_complex_(dtype) else 2
    return 0 if isinstance(x, bool) else 1 if isinstance(x, int) else 3 if isinstance(x, complex) else 2


cdef object scaled(str op, object input, object other, object alpha):
    """alpha * other in the dtype of the result, after PyTorch's check of what alpha may be."""
    cdef int kind = max(kind_of(input), kind_of(other)), dtype
    alpha = plain_number(op, "alpha", alpha)
    if isinstance(alpha, bool) and kind > 0:
        raise RuntimeError(f"[{op}] Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and kind < 2:
        raise RuntimeError(f"[{op}] For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(alpha, complex) and kind < 3:
        raise RuntimeError(f"[{op}] For non-complex input tensors, argument alpha must not be a complex number.")
    if isinstance(other, TensorBase):
        dtype = promoted(operand(input), <TensorBase>other)
        if dtype != (<TensorBase>other).view.dtype:              # bytes would wrap, halves be rounded
            other = to_dtype(<TensorBase>other, dtype)
        return to_dtype(as_tensor(other * alpha, op), BOOL) if dtype == BOOL else other * alpha
    return other and alpha if isinstance(other, bool) and isinstance(alpha, bool) else other * alpha

# a + alpha b in one pass, where both are real tensors of one dtype
cdef object add_scaled_vjp(Node n, object g):
    return g, (g * n.extra if n.needs(1) else None)

cdef Op ADD_SCALED = define("add_scaled", add_scaled_vjp, NOTHING, SAME, None, "AddBackward0")
cdef Op SUB_SCALED = define("add_scaled", add_scaled_vjp, NOTHING, SAME, None, "SubBackward0")

cdef double in_dtype(object alpha, int dtype) except? -1:
    """alpha beside halves: one of theirs, as in PyTorch's vectors."""
    return (<object>scalar_tensor(alpha, dtype, CPU)).item() if dtype == F16 or dtype == BF16 else alpha

cdef object factor(object alpha, int dtype):
    """alpha as one_pass_ takes it."""
    return in_dtype(alpha, dtype) if is_float(dtype) else alpha

cdef TensorBase add_scaled(Op op, object input, object other, object alpha, int sign):
    """input + sign alpha other, or None where it takes two steps."""
    cdef Param p[1]
    if not isinstance(input, TensorBase) or not isinstance(other, TensorBase) or type(alpha) not in (int, float):
        return None
    cdef int dtype = (<TensorBase>input).view.dtype
    if (<TensorBase>other).view.dtype != dtype or is_complex_(dtype) or dtype == BOOL:
        return None
    if is_float(dtype):
        p[0].f = sign * in_dtype(alpha, dtype)
    elif type(alpha) is int and -(1 << 62) < alpha < 1 << 62:
        p[0].i = sign * alpha
    else:
        return None
    return binary_params(op, input, other, p, sign * alpha)


cdef bint one_pass_(Op op, str name, TensorBase x, tuple others, object value) except -1:
    """Run op's kernel on x and the others into x, unless that takes promotion, a derivative, or a look at what was written."""
    cdef View* t[4]
    cdef Param p[1]
    cdef TensorBase y
    cdef tuple shape = x.shape_tuple()
    cdef int k = 2
    if is_complex_(x.view.dtype) or x.view.dtype == BOOL or needs_grad(x):
        return False
    t[0] = t[1] = &x.view
    for y in others:
        if y.view.dtype != x.view.dtype and not (y.wrapped_number and y.view.dtype == F32 and x.view.itemsize == 2):
            return False
        if y.device != x.device or y.storage is x.storage or needs_grad(y):
            return False
        shape = broadcast_shapes(name, shape, y.shape_tuple())
        t[k] = &y.view
        k += 1
    if shape != x.shape_tuple():
        return False
    if is_float(x.view.dtype):
        p[0].f = value
    elif type(value) is int and -(1 << 62) < value < 1 << 62:
        p[0].i = value
    else:
        return False
    begin_inplace(name, x)
    launch(op, x.view.dtype, x.device, 1, k, t, p, x.view.numel)
    end_inplace(op, x, (x,), None)
    return True


# add: y = a + alpha b
cdef object add_vjp(Node n, object g):
    return g, g

cdef Op ADD = define("add", add_vjp, NOTHING, SAME)

def add(input, other, *, alpha=1, out=None):
    """Return input + alpha * other.

    >>> import taeda
    >>> taeda.add(taeda.tensor([1.0, 2.0]), 1)
    tensor([2., 3.])
    """
    cdef TensorBase y = None
    if is_one(alpha):
        return binary(ADD, input, other, out)
    if out is None:
        y = add_scaled(ADD_SCALED, input, other, alpha, 1)
    return y if y is not None else binary(ADD, input, scaled("add", input, other, alpha), out)

def add_(input, other, *, alpha=1):
    """In-place :func:`add`."""
    if is_one(alpha):
        return binary_(ADD, input, other)
    if isinstance(input, TensorBase) and isinstance(other, TensorBase) and type(alpha) in (int, float):
        if one_pass_(ADD_SCALED, "add_", input, (other,), factor(alpha, (<TensorBase>input).view.dtype)):
            return input
    return binary_(ADD, input, scaled("add_", input, other, alpha))


# sub: y = a - alpha b
cdef object sub_vjp(Node n, object g):
    return g, (-g if n.needs(1) else None)

cdef Op SUB = define("sub", sub_vjp, NOTHING, SAME)
cdef Op RSUB = define("sub", sub_vjp, NOTHING, SAME, None, "RsubBackward1")
cdef Op RSUB_TENSOR = define("sub", sub_vjp, NOTHING, SAME, None, "RsubBackward0")

cdef int no_bool(object a, object b) except -1:
    cdef bint first = (isinstance(a, TensorBase) and (<TensorBase>a).view.dtype == BOOL) or isinstance(a, bool)
    cdef bint second = (isinstance(b, TensorBase) and (<TensorBase>b).view.dtype == BOOL) or isinstance(b, bool)
    if first and second:
        raise RuntimeError("[sub] Subtraction, the `-` operator, with two bool tensors is not supported. Use the "
                           "`bitwise_xor()` or `logical_xor()` operator instead.")
    if first or second:
        raise RuntimeError("[sub] Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
                           "to invert a mask, use the `~` or `logical_not()` operator instead.")
    return 0

def sub(input, other, *, alpha=1, out=None):
    """Return input - alpha * other.

    >>> import taeda
    >>> taeda.sub(taeda.tensor([10, 20]), taeda.tensor([1, 2]), alpha=5)
    tensor([ 5, 10])
    """
    cdef TensorBase y = None
    no_bool(input, other)
    if is_one(alpha):
        return binary(SUB, input, other, out)
    if out is None:
        y = add_scaled(SUB_SCALED, input, other, alpha, -1)
    return y if y is not None else binary(SUB, input, scaled("sub", input, other, alpha), out)

def sub_(input, other, *, alpha=1):
    """In-place :func:`sub`."""
    no_bool(input, other)
    if is_one(alpha):
        return binary_(SUB, input, other)
    if isinstance(input, TensorBase) and isinstance(other, TensorBase) and type(alpha) in (int, float):
        if one_pass_(SUB_SCALED, "sub_", input, (other,), -factor(alpha, (<TensorBase>input).view.dtype)):
            return input
    return binary_(SUB, input, scaled("sub_", input, other, alpha))

def rsub(input, other, alpha=1):
    """Return other - alpha * input.

    >>> import taeda
    >>> taeda.rsub(taeda.tensor([1, 2]), 10)
    tensor([9, 8])
    """
    as_tensor(input, "rsub")
    no_bool(input, other)
    return binary(RSUB_TENSOR if isinstance(other, TensorBase) else RSUB, other,
                  input if is_one(alpha) else scaled("rsub", other, input, alpha))


# mul: y = a b
cdef object mul_vjp(Node n, object g):
    return (g * n.load(1) if n.needs(0) else None, g * n.load(0) if n.needs(1) else None)

cdef Op MUL = define("mul", mul_vjp, CROSS, SAME)

def mul(input, other, *, out=None):
    """Return input * other, element by element.

    >>> import taeda
    >>> taeda.mul(taeda.tensor([[1], [2]]), taeda.tensor([10, 20]))
    tensor([[10, 20],
            [20, 40]])
    """
    return binary(MUL, input, other, out)

def mul_(input, other):
    """In-place :func:`mul`."""
    return binary_(MUL, input, other)


# div: y = a / b; rounding_mode "trunc" and "floor" have no derivative but zero
cdef object div_vjp(Node n, object g):
    b = n.load(1)
    return (g / b if n.needs(0) else None, -g * ((n.load(0) / b) / b) if n.needs(1) else None)

cdef object rounded_div_vjp(Node n, object g):
    return (g.new_zeros(g.shape) if n.needs(0) else None, g.new_zeros(g.shape) if n.needs(1) else None)

cdef Op DIV = define("div", div_vjp, IN0 + IN1, FLOAT)
cdef Op FLOOR_DIV = define("floor_divide", rounded_div_vjp, NOTHING, SAME, None, "DivBackward2")
cdef Op TRUNC_DIV = define("trunc_divide", rounded_div_vjp, NOTHING, SAME, None, "DivBackward2")

cdef int no_zero_division(str op, object a, object b) except -1:
    """Refuse an integer division by zero, as PyTorch does, before the kernel runs."""
    cdef TensorBase t
    cdef int common
    cdef object bits = 64
    if isinstance(a, TensorBase) and (is_float((<TensorBase>a).view.dtype) or not (<TensorBase>a).view.numel) or isinstance(a, float):
        return 0
    if isinstance(b, TensorBase):
        t = <TensorBase>b
        if is_float(t.view.dtype) or t.device != CPU:
            return 0
        if isinstance(a, TensorBase):              # 256 is 0 as uint8: what counts is the divisor in the result's dtype
            common = promoted(<TensorBase>a, t)
            if common != t.view.dtype:
                t = to_dtype(t, common)
        if not bool((<object>t).all()):
            raise RuntimeError(f"[{op}] ZeroDivisionError: integer division by zero; shapes of the operands are "
                               f"{tuple(a.shape) if isinstance(a, TensorBase) else ()} and {t.shape_tuple()}")
    elif PyIndex_Check(b):
        if isinstance(a, TensorBase) and is_integral((<TensorBase>a).view.dtype) and (<TensorBase>a).view.dtype != BOOL:
            bits = 8 * (<TensorBase>a).view.itemsize
        if b.__index__() & ((1 << bits) - 1) == 0:
            raise RuntimeError(f"[{op}] ZeroDivisionError: integer division by the number 0")
    return 0

def div(input, other, *, rounding_mode=None, out=None):
    """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards.

    Integer operands give the default float dtype unless a rounding mode is given.

    >>> import taeda
    >>> x = taeda.tensor([7, -7])
    >>> taeda.div(x, 2), taeda.div(x, 2, rounding_mode="trunc"), taeda.div(x, 2, rounding_mode="floor")
    (tensor([ 3.5000, -3.5000]), tensor([ 3, -3]), tensor([ 3, -4]))
    """
    if rounding_mode is None:
        return binary(DIV, input, other, out)
    if rounding_mode == "floor":
        no_zero_division("div", input, other)
        return binary(FLOOR_DIV, input, other, out)
    if rounding_mode == "trunc":
        no_zero_division("div", input, other)
        return binary(TRUNC_DIV, input, other, out)
    raise RuntimeError(f"[div] expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}")

def div_(input, other, *, rounding_mode=None):
    """In-place :func:`div`."""
    if rounding_mode is None:
        return binary_(DIV, input, other)
    if rounding_mode not in ("floor", "trunc"):
        return div(input, other, rounding_mode=rounding_mode)
    no_zero_division("div_", input, other)
    return binary_(FLOOR_DIV if rounding_mode == "floor" else TRUNC_DIV, input, other)

def floor_divide(input, other, *, out=None):
    """Return floor(input / other).

    >>> import taeda
    >>> taeda.floor_divide(taeda.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """
    no_zero_division("floor_divide", input, other)
    return binary(FLOOR_DIV, input, other, out)

def floor_divide_(input, other):
    """In-place :func:`floor_divide`."""
    no_zero_division("floor_divide_", input, other)
    return binary_(FLOOR_DIV, input, other)


# remainder: a - b floor(a / b), the sign of b; fmod: a - b trunc(a / b), the sign of a
cdef object remainder_vjp(Node n, object g):
    return g, (-g * n.load(0).div(n.load(1), rounding_mode="floor") if n.needs(1) else None)

cdef object fmod_vjp(Node n, object g):
    return g, (-g * n.load(0).div(n.load(1), rounding_mode="trunc") if n.needs(1) else None)

cdef Op REMAINDER = define("remainder", remainder_vjp, IN0 + IN1, SAME)
cdef Op REMAINDER_OF_TENSORS = define("remainder", remainder_vjp, IN0 + IN1, SAME, None, "RemainderBackward1")
cdef Op FMOD = define("fmod", fmod_vjp, IN0 + IN1, SAME)
cdef Op FMOD_OF_TENSORS = define("fmod", fmod_vjp, IN0 + IN1, SAME, None, "FmodBackward1")

def remainder(input, other, *, out=None):
    """Return the remainder with the sign of ``other`` (Python's ``%``).

    >>> import taeda
    >>> x = taeda.tensor([5, -5])
    >>> taeda.remainder(x, 3), taeda.fmod(x, 3)
    (tensor([2, 1]), tensor([ 2, -2]))
    """
    no_zero_division("remainder", input, other)
    return binary(REMAINDER_OF_TENSORS if isinstance(other, TensorBase) else REMAINDER, input, other, out)

def remainder_(input, other):
    """In-place :func:`remainder`."""
    no_zero_division("remainder_", input, other)
    return binary_(REMAINDER_OF_TENSORS if isinstance(other, TensorBase) else REMAINDER, input, other)

def fmod(input, other, *, out=None):
    """Return the remainder with the sign of ``input`` (C's fmod).

    >>> import taeda
    >>> x = taeda.tensor([5, -5])
    >>> taeda.fmod(x, 3), taeda.remainder(x, 3)
    (tensor([ 2, -2]), tensor([2, 1]))
    """
    no_zero_division("fmod", input, other)
    return binary(FMOD_OF_TENSORS if isinstance(other, TensorBase) else FMOD, as_tensor(input, "fmod"), other, out)

def fmod_(input, other):
    """In-place :func:`fmod`."""
    no_zero_division("fmod_", input, other)
    return binary_(FMOD_OF_TENSORS if isinstance(other, TensorBase) else FMOD, input, other)


# pow: y = a^b, dy = b a^(b-1) da + y ln a db, with 0 where b = 0 and where a = 0 < b
cdef object pow_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    da = db = None
    if n.needs(0):
        if b.dim() == 0 and not any_needs_grad((b,)) and not (level and has_tangent(<TensorBase>b)):
            e = 2.0 if b.is_meta else b.item()
            da = g.new_zeros(g.shape) if e == 0 else g * (a * 2.0) if e == 2 else g * (a.pow(e - 1) * e)
        else:
            da = (g * (b * a.pow(b - 1))).masked_fill(b == 0, 0.0)
    if n.needs(1):
        db = (g * (n.load(2) * a.log())).masked_fill((a == 0) & ((b.real if b.is_complex() else b) >= 0), 0.0)
    return da, db

cdef Op POW = define("pow", pow_vjp, IN0 + IN1, SAME)             # of a number, without gradient: the result may be written to
cdef Op POW_TENSORS = define("pow", pow_vjp, IN0 + IN1 + OUT, SAME, None, "PowBackward1")
cdef Op POW_OF_NUMBER = define("pow", pow_vjp, IN0 + IN1 + OUT, SAME, None, "PowBackward2")

cdef int check_exponent(str op, object a, object b) except -1:
    if not isinstance(a, TensorBase) and not isinstance(b, TensorBase):
        raise TypeError(f"[{op}] base or exponent must be a Tensor, got {type(a).__name__} and {type(b).__name__}")
    if isinstance(b, int) and b < 0 and isinstance(a, TensorBase) and is_integral((<TensorBase>a).view.dtype):
        raise RuntimeError(f"[{op}] Integers to negative integer powers are not allowed; got exponent {b}")
    if isinstance(b, int) and b > 127 and isinstance(a, TensorBase) and is_integral((<TensorBase>a).view.dtype):
        held_scalar(b, (<TensorBase>a).view.dtype, CPU)          # RuntimeError where the dtype does not hold it
    return 0

cdef dict SIMPLE_POWERS = {
    2: lambda x: x.square(),
    3: lambda x: named(x.square() * x, "PowBackward0"),
    -1: lambda x: named(x.reciprocal(), "PowBackward0"),
    0.5: lambda x: named(x.sqrt(), "PowBackward0"),
}

def pow(input, exponent, *, out=None):
    """Return input raised to exponent; either may be a number.

    >>> import taeda
    >>> taeda.pow(taeda.tensor([1, 2, 3]), 2), taeda.pow(2, taeda.tensor([0.5, -1.0]))
    (tensor([1, 4, 9]), tensor([1.4142, 0.5000]))
    """
    check_exponent("pow", input, exponent)
    if type(exponent) is bool and isinstance(input, TensorBase) and (<TensorBase>input).view.dtype == BOOL:
        y = input | (not exponent)                  # x^1 = x, x^0 = 1; there is no power of bools else
        return y if out is None else write_out(out, <TensorBase>y, "pow")
    if (type(exponent) is int or type(exponent) is float) and is_complex_((<TensorBase>input).view.dtype) and exponent in SIMPLE_POWERS:
        y = SIMPLE_POWERS[exponent](input)          # loops in vectors; a power goes through the general formula
        return y if out is None else write_out(out, <TensorBase>y, "pow")
    return binary(POW if not isinstance(exponent, TensorBase) else POW_TENSORS if isinstance(input, TensorBase) else POW_OF_NUMBER,
                  input, exponent, out)

def pow_(input, exponent):
    """In-place :func:`pow`."""
    check_exponent("pow_", input, exponent)
    if type(exponent) is bool and isinstance(input, TensorBase) and (<TensorBase>input).view.dtype == BOOL:
        return input.bitwise_or_(not exponent)
    return binary_(POW_TENSORS if isinstance(exponent, TensorBase) else POW, input, exponent)

def float_power(input, exponent, *, out=None):
    """Return input^exponent, computed in float64 (complex128) whatever the dtypes; see also ``pow``.

    >>> import taeda
    >>> taeda.float_power(taeda.tensor([2, 10]), -1)
    tensor([0.5000, 0.1000], dtype=taeda.float64)
    """
    if not isinstance(input, TensorBase) and not isinstance(exponent, TensorBase):
        raise TypeError(f"[float_power] base or exponent must be a Tensor, got {type(input).__name__} and {type(exponent).__name__}")
    whole = any([isinstance(x, complex) or isinstance(x, TensorBase) and is_complex_((<TensorBase>x).view.dtype)
                 for x in (input, exponent)])
    wide, number = (complex128, complex) if whole else (float64, float)
    if isinstance(out, TensorBase) and out.dtype is not wide:
        raise RuntimeError(f"[float_power] the output given to float_power has dtype {name_of((<TensorBase>out).view.dtype)} but the "
                           f"operation's result requires dtype {wide}")
    a = input.to(wide) if isinstance(input, TensorBase) else number(plain_number("float_power", "input", input))
    b = exponent.to(wide) if isinstance(exponent, TensorBase) else number(plain_number("float_power", "exponent", exponent))
    return binary(POW if not isinstance(b, TensorBase) else POW_TENSORS if isinstance(a, TensorBase) else POW_OF_NUMBER, a, b, out)

def float_power_(input, exponent):
    """In-place :func:`float_power`, of float64 and complex128."""
    cdef TensorBase x = as_tensor(input, "float_power_")
    cdef bint whole = is_complex_(x.view.dtype) or isinstance(exponent, complex) or (
        isinstance(exponent, TensorBase) and is_complex_((<TensorBase>exponent).view.dtype))
    cdef int wide = C128 if whole else F64
    if x.view.dtype != wide:
        raise RuntimeError(f"[float_power_] the base given to float_power_ has dtype {name_of(x.view.dtype)} but the operation's result "
                           f"requires dtype {name_of(wide)}; use float_power")
    if isinstance(exponent, TensorBase):
        return binary_(POW_TENSORS, input, exponent.to(dtype_of(wide)))
    return binary_(POW, input, complex(exponent) if whole else float(exponent))


def result_type(tensor1, tensor2):
    """Return the dtype that an operation on two operands, tensors or numbers, gives."""
    return dtype_of(promoted(operand(weight_of(tensor1)), operand(weight_of(tensor2))))

cdef object weight_of(object x):
    """An int up to 2^64 - 1 counts by its kind, since only dtypes are asked for; a larger one is refused."""
    if isinstance(x, int) and not isinstance(x, bool):
        if not -1 << 63 <= x < 1 << 64:
            raise OverflowError(f"[result_type] {'int too big to convert' if x > 0 else 'negative int too big to convert'}: {x}")
        return 0
    return x

cdef TensorBase operand(object x):
    """A tensor, or a number as a weak 0-d tensor."""
    cdef TensorBase t
    if isinstance(x, TensorBase):
        return <TensorBase>x
    t = scalar_tensor(x, BOOL if isinstance(x, bool) else I64 if isinstance(x, int) else
                      complex_code(default_float()) if isinstance(x, complex) else default_float(), CPU)
    t.wrapped_number = True
    return t


subtract, subtract_ = sub, sub_
multiply, multiply_ = mul, mul_
divide, divide_ = div, div_
true_divide, true_divide_ = div, div_

PUBLIC = (
    "add", "sub", "rsub", "mul", "div", "floor_divide", "remainder", "fmod", "pow", "float_power", "subtract", "multiply", "divide",
    "true_divide",
)
INPLACE = (
    "add_", "float_power_", "sub_", "mul_", "div_", "floor_divide_", "remainder_", "fmod_", "pow_", "subtract_", "multiply_", "divide_",
    "true_divide_",
)
__all__ = PUBLIC + INPLACE + ("result_type",)
METHODS = {name: globals()[name] for name in PUBLIC + INPLACE if name != "rsub"}
describe([globals()[name] for name in PUBLIC + INPLACE])

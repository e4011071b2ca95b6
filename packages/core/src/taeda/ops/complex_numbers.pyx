# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Complex tensors: their parts as views, made from parts, conjugated, in polar form.

Arithmetic and functions of complex numbers are the ordinary ops, whose tables have complex kernels.  Here is what only
complex tensors have, and what is not holomorphic.  Gradients follow PyTorch: g = dL/dRe + i dL/dIm (see autograd/node.pyx).
``conj`` computes at once; there is no lazy conjugate bit, so ``is_conj`` is False and ``resolve_conj`` gives its input.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (FLOAT, IN0, NOTHING, Op, as_strided_view, as_tensor, broadcast_shapes, check_same_device, copy_into,
                             define, empty_for, launch, record, record_view, set_dtype, to_dtype, unary, write_out)
from taeda.dtype cimport complex_code, is_complex_, is_integral, name_of, real_code
from taeda.kernels.cpu.abi cimport C32, F16, F32, F64, MAX_DIM, Param, View
from taeda.tensor_base cimport TensorBase, refresh

from taeda.autograd import node as _node
from taeda.autograd.node import named
from taeda.dispatch import in_place, write_exact
from taeda.dtype import complex64

cdef enum:
    BOTH = 2                 # of parts_view: the parts as a last dimension


# -- views of the parts ------------------------------------------------------------------------------


cdef TensorBase parts_view(TensorBase x, int part):
    """x's memory as real numbers: the real parts (0), the imaginary ones (1), or both in a last dimension of size 2."""
    cdef int64_t shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int d, n = x.view.ndim
    cdef TensorBase y
    for d in range(n):
        shape[d], strides[d] = x.view.shape[d], 2 * x.view.strides[d]
    if part == BOTH:
        if n + 1 > MAX_DIM:
            raise RuntimeError(f"[view_as_real] a tensor has at most {MAX_DIM} dimensions, the result would have {n + 1}")
        shape[n], strides[n] = 2, 1
    y = as_strided_view(x, n + (part == BOTH), shape, strides, 2 * x.offset + (part == 1))
    set_dtype(y, real_code(x.view.dtype))
    refresh(y)
    return y


cdef object view_as_real_vjp(Node n, object g):
    return view_as_complex(g.contiguous())

cdef object view_as_complex_vjp(Node n, object g):
    return view_as_real(g)

cdef object real_vjp(Node n, object g):
    return to_dtype(<TensorBase>g, complex_code((<TensorBase>g).view.dtype))

cdef object imag_vjp(Node n, object g):
    return complex(g.new_zeros(()), g)

cdef Op VIEW_AS_REAL = define("view_as_real", view_as_real_vjp)
cdef Op VIEW_AS_COMPLEX = define("view_as_complex", view_as_complex_vjp)
cdef Op REAL = define("real", real_vjp, 0, 0, None, "SelectBackward0")
cdef Op IMAG = define("imag", imag_vjp, 0, 0, None, "SelectBackward0")


cdef TensorBase need_complex(object input, str op):
    cdef TensorBase x = as_tensor(input, op)
    if not is_complex_(x.view.dtype):
        raise RuntimeError(f"[{op}] {op} is only supported for complex tensors, got {name_of(x.view.dtype)} of shape "
                           f"{x.shape_tuple()}")
    return x


def view_as_real(input):
    """Return a view of a complex tensor as real numbers, the parts in a last dimension of size 2.

    >>> import taeda
    >>> taeda.view_as_real(taeda.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    cdef TensorBase x = need_complex(input, "view_as_real"), y = parts_view(x, BOTH)
    record_view(VIEW_AS_REAL, y, x)
    return y


def view_as_complex(input):
    """Return a view of a real tensor whose last dimension holds real and imaginary parts as a complex one.

    Raises RuntimeError unless the last dimension has size 2 and stride 1 and the other strides are even.

    >>> import taeda
    >>> taeda.view_as_complex(taeda.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    cdef TensorBase x = as_tensor(input, "view_as_complex"), y
    cdef int64_t strides[MAX_DIM]
    cdef int d, n = x.view.ndim, code = x.view.dtype
    if code != F32 and code != F64 and code != F16:
        raise RuntimeError(f"[view_as_complex] view_as_complex is only supported for half, float and double tensors, but got a "
                           f"tensor of scalar type: {name_of(code)}")
    if n == 0:
        raise RuntimeError("[view_as_complex] Input tensor must have one or more dimensions")
    if x.view.shape[n - 1] != 2:
        raise RuntimeError(f"[view_as_complex] Tensor must have a last dimension of size 2, got shape {x.shape_tuple()}")
    if x.view.strides[n - 1] != 1:
        raise RuntimeError(f"[view_as_complex] Tensor must have a last dimension with stride 1, got {x.stride_tuple()}; "
                           "call .contiguous() first")
    for d in range(n - 1):
        if x.view.strides[d] % 2 and x.view.shape[d] > 1:
            raise RuntimeError(f"[view_as_complex] Tensor must have a stride divisible by 2 for all but last dimension, got "
                               f"{x.stride_tuple()}; call .contiguous() first")
        strides[d] = x.view.strides[d] // 2
    if x.offset % 2:
        raise RuntimeError(f"[view_as_complex] Tensor must have a storage_offset divisible by 2, got {x.offset}")
    y = as_strided_view(x, n - 1, x.view.shape, strides, x.offset // 2)
    set_dtype(y, complex_code(code))
    refresh(y)
    record_view(VIEW_AS_COMPLEX, y, x)
    return y


def real(input):
    """Return a view of the real parts; a real tensor is returned as it is.

    It shares memory with the tensor, so that a write shows there.

    >>> import taeda
    >>> taeda.real(taeda.tensor([1 + 2j, 3.0]))
    tensor([1., 3.])
    """
    cdef TensorBase x = as_tensor(input, "real"), y
    if not is_complex_(x.view.dtype):
        return x
    y = parts_view(x, 0)
    record_view(REAL, y, x)
    return y


def imag(input):
    """Return a view of the imaginary parts; RuntimeError for a real tensor.

    It shares memory with the tensor, so that a write shows there.

    >>> import taeda
    >>> taeda.imag(taeda.tensor([1 + 2j, 3.0]))
    tensor([2., 0.])
    """
    cdef TensorBase x = as_tensor(input, "imag"), y
    if not is_complex_(x.view.dtype):
        raise RuntimeError(f"[imag] imag is not implemented for tensors with non-complex dtypes, got {name_of(x.view.dtype)}")
    y = parts_view(x, 1)
    record_view(IMAG, y, x)
    return y


# -- made from parts ---------------------------------------------------------------------------------


cdef object complex_vjp(Node n, object g):
    return (real(g) if n.needs(0) else None, imag(g) if n.needs(1) else None)

cdef Op COMPLEX = define("complex", complex_vjp)
cdef Op WOVEN = define("complex_woven", NULL, 0, 0, "cat")        # of pieces of one element


def complex(real, imag, *, out=None):
    """Return real + i imag, broadcast against each other; both float32 or both float64 (or both float16).

    >>> import taeda
    >>> taeda.complex(taeda.tensor([1.0]), taeda.tensor([2.0]))
    tensor([1.+2.j])
    """
    cdef TensorBase a = as_tensor(real, "complex"), b = as_tensor(imag, "complex"), y, both
    cdef View* t[2]
    cdef View* w[3]
    cdef Param p[2]
    cdef int64_t sizes[MAX_DIM]
    cdef tuple shape
    cdef int d, code = a.view.dtype
    cdef Node n
    if code != F32 and code != F64 and code != F16 or is_integral(b.view.dtype) or is_complex_(b.view.dtype):
        raise RuntimeError(f"[complex] Expected both inputs to be Half, Float or Double tensors but got {name_of(code)} and "
                           f"{name_of(b.view.dtype)}")
    if code != b.view.dtype:
        raise RuntimeError(f"[complex] Expected object of scalar type {name_of(code)} but got scalar type "
                           f"{name_of(b.view.dtype)} for second argument")
    check_same_device("complex", (a, b))
    shape = broadcast_shapes("complex", a.shape_tuple(), b.shape_tuple())
    for d in range(len(shape)):
        sizes[d] = shape[d]
    t[0], t[1] = &a.view, &b.view
    y = empty_for(len(shape), sizes, complex_code(code), a.device, 2, t)
    if a.view.contiguous and b.view.contiguous and y.view.contiguous and a.view.numel == b.view.numel == y.view.numel \
            and 0 < y.view.ndim < MAX_DIM:
        both = parts_view(y, BOTH)
        w[0], w[1], w[2] = &both.view, &a.view, &b.view
        p[0].i, p[1].i = y.view.ndim, 2
        launch(WOVEN, code, a.device, 1, 3, w, p, 2 * a.view.numel)
    else:
        copy_into(parts_view(y, 0), a)
        copy_into(parts_view(y, 1), b)
    record(COMPLEX, y, (a, b), None)
    if y.grad_fn_ is not None and not (a.shape_tuple() == shape and b.shape_tuple() == shape):
        n = <Node>y.grad_fn_
        n.input_shapes = (a.shape_tuple(), b.shape_tuple())
    return y if out is None else write_exact(out, y, "complex")


def polar(abs, angle, *, out=None):
    """Return abs (cos angle + i sin angle).

    Both are float32, or both float64; they broadcast.  RuntimeError for other dtypes.

    >>> import taeda
    >>> taeda.polar(taeda.tensor([1.0, 2.0]), taeda.tensor([0.0, 3.141592653589793 / 2])).imag
    tensor([0., 2.])
    """
    cdef TensorBase r = as_tensor(abs, "polar"), phi = as_tensor(angle, "polar")
    if r.view.dtype != phi.view.dtype or (r.view.dtype != F32 and r.view.dtype != F64):
        raise RuntimeError(f"[polar] Expected both inputs to be Float or both Double tensors but got {name_of(r.view.dtype)} and "
                           f"{name_of(phi.view.dtype)}")
    y = named(complex(r * (<object>phi).cos(), r * (<object>phi).sin()), "PolarBackward0")
    return y if out is None else write_exact(out, y, "polar")


# -- conjugate, absolute value, phase ----------------------------------------------------------------


cdef object conj_vjp(Node n, object g):
    return conj(g)

cdef Op CONJ = define("complex_conj", conj_vjp, NOTHING, 0, None, "ConjBackward0")


def conj(input):
    """Return the complex conjugate; a real tensor is returned as it is.

    >>> import taeda
    >>> taeda.conj(taeda.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    cdef TensorBase x = as_tensor(input, "conj")
    return unary(CONJ, x) if is_complex_(x.view.dtype) else x


def conj_physical(input, *, out=None):
    """Return the complex conjugate; the same as :func:`conj` here, where conjugates are computed at once."""
    cdef TensorBase x = as_tensor(input, "conj_physical")
    y = conj(x)
    return y if out is None else write_out(out, <TensorBase>y, "conj_physical")


def conj_physical_(input):
    """In-place :func:`conj_physical`."""
    cdef TensorBase x = as_tensor(input, "conj_physical_")
    return (<object>x).copy_(conj(x))                      # refused where it may not be written to, real or not


def resolve_conj(input):
    """Return the tensor: conjugates are never lazy here."""
    return as_tensor(input, "resolve_conj")


def resolve_neg(input):
    """Return the tensor: negatives are never lazy here."""
    return as_tensor(input, "resolve_neg")


cdef object abs_vjp(Node n, object g):
    return g * sgn(n.raw(0))

cdef object angle_vjp(Node n, object g):
    # d angle = (x dy - y dx) / |z|^2, so g i z / |z|^2
    z = n.raw(0)
    r = (real(z) * real(z) + imag(z) * imag(z))
    zero = r == 0
    f = (g / r.masked_fill(zero, 1)).masked_fill(zero, 0)         # forward mode differentiates this by g, where 1 / 0 is no number
    return complex(-imag(z) * f, real(z) * f)

cdef object angle_real_vjp(Node n, object g):
    return g.new_zeros(g.shape)

cdef object sgn_vjp(Node n, object g):
    # the part of g across z, over |z|
    z = n.raw(0)
    r, s = modulus(z), sgn(z)
    along, zero = real(g) * real(s) + imag(g) * imag(s), r == 0
    return ((g - s * along) / r.masked_fill(zero, 1)).masked_fill(zero, 0)

cdef Op ABS = define("complex_abs", abs_vjp, NOTHING, 0, None, "AbsBackward0")
cdef Op ANGLE = define("complex_angle", angle_vjp, NOTHING, 0, None, "AngleBackward0")
cdef Op ANGLE_REAL = define("angle", angle_real_vjp, NOTHING, FLOAT, None, "AngleBackward0")
cdef Op SGN = define("complex_sgn", sgn_vjp, IN0, 0, None, "SgnBackward0")


cdef TensorBase real_result(Op op, TensorBase x):
    """A real-valued function of a complex tensor."""
    cdef View* t[2]
    cdef TensorBase y
    if x.view.dtype == C32:
        return <TensorBase>(<object>real_result(op, <TensorBase>(<object>x).to(complex64))).half()
    t[0] = &x.view
    y = empty_for(x.view.ndim, x.view.shape, real_code(x.view.dtype), x.device, 1, t)
    t[0], t[1] = &y.view, &x.view
    launch(op, x.view.dtype, x.device, 1, 2, t, NULL, y.view.numel)
    record(op, y, (x,), (x,))
    return y


def modulus(input):
    """Return |z| of a complex tensor."""
    return real_result(ABS, need_complex(input, "abs"))


def angle(input, *, out=None):
    """Return the phase of each element in (-pi, pi]; of real numbers 0, or pi below zero.

    >>> import taeda
    >>> taeda.angle(taeda.tensor([1j, -1.0]))
    tensor([1.5708, 3.1416])
    """
    cdef TensorBase x = as_tensor(input, "angle"), y
    if is_complex_(x.view.dtype):
        y = real_result(ANGLE, x)
    else:
        return unary(ANGLE_REAL, input, out)
    return y if out is None else write_out(out, <TensorBase>(<object>y).contiguous(), "angle")     # rows, if resized


def sgn(input, *, out=None):
    """Return z / |z|, 0 at 0: the sign of a real tensor.

    >>> import taeda
    >>> taeda.sgn(taeda.tensor([3 + 4j, 0]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """
    cdef TensorBase x = as_tensor(input, "sgn"), y
    y = unary(SGN, x) if is_complex_(x.view.dtype) else named((<object>x).sign(), "SgnBackward0")
    return y if out is None else write_out(out, y, "sgn")


def sgn_(input):
    """In-place :func:`sgn`."""
    return in_place("sgn_", sgn, input)


# -- other ops of complex tensors by their parts -----------------------------------------------------


def bilinear(f, a, b):
    """Return f(a, b) of complex tensors for an f that is linear in each: four real ones."""
    a, b = _complex(a), _complex(b)
    ar, ai, br, bi = real(a), imag(a), real(b), imag(b)
    return complex(f(ar, br) - f(ai, bi), f(ar, bi) + f(ai, br))


def _complex(x):
    return to_dtype(<TensorBase>x, complex_code((<TensorBase>x).view.dtype))


def has_complex(*tensors):
    """Whether a tensor among the arguments (None: no tensor) is complex."""
    for t in tensors:
        if isinstance(t, TensorBase) and is_complex_((<TensorBase>t).view.dtype):
            return True
    return False


_node.set_conj(conj)

PUBLIC = (
    "angle", "complex", "conj", "conj_physical", "conj_physical_", "imag", "polar", "real", "resolve_conj", "resolve_neg", "sgn",
    "view_as_complex", "view_as_real",
)
__all__ = PUBLIC + ("sgn_",)
METHODS = {"angle": angle, "conj": conj, "conj_physical": conj_physical, "conj_physical_": conj_physical_, "resolve_conj": resolve_conj,
           "resolve_neg": resolve_neg, "sgn": sgn, "sgn_": sgn_}

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Products of two vectors: cross and dot."""
from libc.stdint cimport int64_t

from taeda.autograd.dual cimport level, propagate
from taeda.autograd.node cimport Node, save
from taeda.dispatch cimport Op, as_tensor, broadcast_shapes, check_same_device, define, empty, launch, needs_grad, wrap_dim, write_out
from taeda.dtype cimport differentiable, is_complex_, is_float, torch_name
from taeda.kernels.cpu.abi cimport BOOL, MAX_DIM, Param, View
from taeda.recording cimport attach, make_node
from taeda.tensor_base cimport TensorBase

from taeda._once import warn_once
from taeda.autograd.node import named
from taeda.ops.matmul import dot

__all__ = ["cross", "linalg_cross", "linalg_vecdot"]
PUBLIC = ("cross",)


# -- cross ------------------------------------------------------------------------------------------------------
cdef object cross_vjp(Node n, object g):
    dim = n.extra
    return (linalg_cross(n.load(1), g, dim=dim) if n.needs(0) else None, linalg_cross(g, n.load(0), dim=dim) if n.needs(1) else None)

cdef Op CROSS_OP = define("cross", cross_vjp, 0, 0, None, "LinalgCrossBackward0")


cdef bint repeats(TensorBase x, TensorBase y) noexcept:
    cdef int d
    for d in range(y.view.ndim):
        if x.view.shape[d] != y.view.shape[d]:
            return True
    return False


cdef View spread(TensorBase x, TensorBase y, int64_t* strides) noexcept:
    """The view of x in the shape of y: sizes of 1 are repeated."""
    cdef View v = x.view
    cdef int d
    for d in range(v.ndim):
        strides[d] = 0 if v.shape[d] != y.view.shape[d] else v.strides[d]
        if strides[d] != v.strides[d]:
            v.contiguous = False
    v.shape, v.strides, v.numel = y.view.shape, strides, y.view.numel
    return v


def linalg_cross(input, other, *, dim=-1, out=None):
    """Return the cross products along ``dim``, whose size is 3: y_i = a_j b_k - a_k b_j, (i, j, k) cyclic.

    Other dimensions broadcast.

    Raises RuntimeError where ranks, sizes or dtypes do not fit.

    >>> import taeda
    >>> taeda.linalg.cross(taeda.tensor([1., 0., 0.]), taeda.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    cdef str op = "linalg.cross"
    cdef TensorBase a = as_tensor(input, op), b = as_tensor(other, op), y
    cdef int64_t shape[MAX_DIM]
    cdef int64_t a_strides[MAX_DIM]
    cdef int64_t b_strides[MAX_DIM]
    cdef View views[2]
    cdef View* t[3]
    cdef Param p[1]
    cdef Node node
    cdef int d, at, n = a.view.ndim
    if n != b.view.ndim:
        raise RuntimeError(f"[{op}] inputs must have the same number of dimensions, got shapes {a.shape_tuple()} and {b.shape_tuple()}")
    if n == 0:
        raise IndexError(f"[{op}] Dimension out of range (expected to be in range of [-1, 0], but got {dim})")
    at = wrap_dim(op, dim, n)
    if a.view.shape[at] != 3 or b.view.shape[at] != 3:
        raise RuntimeError(f"[{op}] inputs dimension {dim} must have length 3. Got {a.view.shape[at]} and {b.view.shape[at]}")
    if a.view.dtype != b.view.dtype:
        raise RuntimeError(f"[{op}] expected both inputs to have the same dtype, but found {torch_name(a.view.dtype)} and "
                           f"{torch_name(b.view.dtype)}")
    if a.view.dtype == BOOL:
        raise NotImplementedError(f"[{op}] not implemented for 'Bool'")
    if a.device != b.device:
        check_same_device(op, (a, b))
    for d in range(n):
        shape[d] = b.view.shape[d] if a.view.shape[d] == 1 else a.view.shape[d]
        if b.view.shape[d] != shape[d] and b.view.shape[d] != 1:
            broadcast_shapes(op, a.shape_tuple(), b.shape_tuple())
    y = empty(n, shape, a.view.dtype, a.device)
    views[0], views[1] = spread(a, y, a_strides), spread(b, y, b_strides)
    t[0], t[1], t[2], p[0].i = &y.view, &views[0], &views[1], at
    launch(CROSS_OP, y.view.dtype, y.device, 1, 3, t, p, y.view.numel)
    if (needs_grad(a) or needs_grad(b)) and differentiable(y.view.dtype):
        node = make_node(CROSS_OP, y, (a, b), at)
        save(node, (a if needs_grad(b) else None, b if needs_grad(a) else None), y)
        if repeats(a, y) or repeats(b, y):
            node.input_shapes = (a.shape_tuple(), b.shape_tuple())
        attach(node, y, 0)
        if level:
            propagate(node, (y,))
    return y if out is None else write_out(out, y, op)


def cross(input, other, dim=None, *, out=None):
    """Return the cross products along ``dim``, by default the first dimension of size 3; see ``taeda.linalg.cross``.

    y = (a_1 b_2 - a_2 b_1, a_2 b_0 - a_0 b_2, a_0 b_1 - a_1 b_0); batches broadcast.

    >>> import taeda
    >>> taeda.cross(taeda.tensor([1.0, 0.0, 0.0]), taeda.tensor([0.0, 1.0, 0.0]), dim=0)
    tensor([0., 0., 1.])
    """
    if dim is None:
        for x in (input, other):
            if not isinstance(x, TensorBase):
                as_tensor(x, "cross")
        warn_once("cross", "Using taeda.cross without specifying the dim arg is deprecated.\nGive dim, or use taeda.linalg.cross.")
        sizes = (<TensorBase>input).shape_tuple()
        if 3 not in sizes:
            raise RuntimeError(f"[cross] no dimension of size 3 in input of shape {sizes}")
        dim = sizes.index(3)
    return linalg_cross(input, other, dim=dim, out=out)


# -- dot --------------------------------------------------------------------------------------------------------
def linalg_vecdot(x, y, *, dim=-1, out=None):
    """Return the dot products along ``dim``, the first conjugated: sum_i conj(x_i) y_i; other dimensions broadcast.

    >>> import taeda
    >>> taeda.linalg.vecdot(taeda.ones(2, 3), taeda.tensor([1., 2., 3.]))
    tensor([6., 6.])
    """
    cdef str op = "linalg.vecdot"
    cdef TensorBase a, b
    cdef bint complex_
    if not isinstance(x, TensorBase) or not isinstance(y, TensorBase):
        as_tensor(y if isinstance(x, TensorBase) else x, op)
    a, b = x, y
    complex_ = is_complex_(a.view.dtype)
    if not complex_ and not is_float(a.view.dtype):
        raise RuntimeError(f"[{op}] Expected a floating point or complex tensor as input. Got {torch_name(a.view.dtype)}; "
                           "convert with .float()")
    if a.view.dtype != b.view.dtype:
        raise RuntimeError(f"[{op}] Expected x and y to have the same dtype, but found x of type {torch_name(a.view.dtype)} and y of type "
                           f"{torch_name(b.view.dtype)} instead")
    if complex_:
        x = x.conj()
    if a.view.ndim == b.view.ndim == 1 and a.view.shape[0] == b.view.shape[0]:
        wrap_dim(op, dim, 1)
        return named(dot(x, y, out=out), "VdotBackward0")
    found = (x * y).sum(dim)
    return found if out is None else write_out(out, <TensorBase>found, op)


METHODS = {"cross": cross}

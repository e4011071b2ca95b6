# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""x[...] = v: the index is read as that of x[...] is (indexing), and every error is raised before anything is written."""
from cpython.bool cimport PyBool_Check
from cpython.float cimport PyFloat_Check
from cpython.long cimport PyLong_Check
from libc.stdint cimport int64_t
from libc.string cimport memcmp

from taeda.dispatch cimport (Op, any_needs_grad, as_strided_view, as_tensor, begin_inplace, check_same_device,
                             copy_into, define, end_inplace, held_scalar, scalar_tensor, to_dtype)
from taeda.dtype cimport is_complex_, name_of
from taeda.kernels.cpu.abi cimport BF16, BOOL, F16
from taeda.operands cimport check_partial_overlap
from taeda.ops.advanced cimport fill_where, index_put_core
from taeda.ops.conversion cimport has
from taeda.ops.indexing cimport ALIAS, Layout, index_of, is_tuple_like, make_view, numbers, parse, whole_mask
from taeda.tensor_base cimport CPU, META, TensorBase

from numbers import Integral

__all__ = ["setitem"]
PUBLIC = ()
METHODS = {}

cdef Op SETITEM = define("setitem", NULL)


cdef bint masks(object index):
    """Does a bool tensor on the meta device choose elements?"""
    cdef TensorBase t
    for item in index if isinstance(index, tuple) else (index,):
        if isinstance(item, TensorBase):
            t = <TensorBase>item
            if t.view.dtype == BOOL and t.view.ndim > 0 and t.device == META:
                return True
    return False


cdef TensorBase strip(TensorBase v, int ndim):
    """Drop leading dimensions of size 1 until v has no more than ndim, as assignment does."""
    cdef int extra = v.view.ndim - ndim, d = 0
    while d < extra and v.view.shape[d] == 1:
        d += 1
    return v.reshape(v.shape_tuple()[d:]) if d else v


cdef int check_assignable(TensorBase v, int nd, const int64_t* shape) except -1:
    cdef int m = nd - v.view.ndim, d
    for d in range(v.view.ndim):
        if m < 0 or v.view.shape[d] != 1 and v.view.shape[d] != shape[m + d]:
            of = f" ({shape[m + d]}) must match the existing size ({v.view.shape[d]})" if m >= 0 else " must match the existing size"
            raise RuntimeError(f"[setitem] The expanded size of the tensor{of}: a value of shape {list(v.shape_tuple())} does not "
                               f"broadcast to the assigned elements' shape {list(numbers(shape, nd))}")
    return 0


cdef bint all_of(TensorBase x, const Layout* q) noexcept:
    """Is what an index names x as it is?  Then the write is to x, and no view has a part in it."""
    return q.nd == x.view.ndim and q.offset == x.offset and not memcmp(q.shape, x.view.shape, q.nd * sizeof(int64_t)) and (
        not memcmp(q.strides, x.view.strides, q.nd * sizeof(int64_t)))


cdef TensorBase kept(object value, TensorBase x):
    """A number as x holds it; halves become infinite, as PyTorch's do here alone."""
    if x.view.dtype == F16 or x.view.dtype == BF16:
        return scalar_tensor(value, x.view.dtype, x.device)
    return held_scalar(value, x.view.dtype, x.device)


cdef object number_for(object value, TensorBase x):
    """The number that is written into x for a value that is no tensor."""
    if PyFloat_Check(value) or PyLong_Check(value):
        return value
    if isinstance(value, complex):
        if is_complex_(x.view.dtype) or x.view.dtype == BOOL:
            return value
        if value.imag:
            raise RuntimeError(f"[setitem] value cannot be converted to type {name_of(x.view.dtype)} without overflow: "
                               f"{value} has an imaginary part")
        return value.real
    if isinstance(value, Integral):                         # NumPy's
        return int(value)
    raise TypeError(f"[setitem] can't assign a {type(value).__name__} to a {name_of(x.view.dtype)} tensor; wrap it "
                    "with taeda.tensor(...)")


cdef bint written_unseen(TensorBase x, object index, TensorBase v) except -1:
    """Write to where a mask on the meta device chooses, unless the derivative needs more; how many elements is not known there."""
    if not any_needs_grad((x, v)):
        begin_inplace("setitem", x)
        end_inplace(SETITEM, x, (x,), None)
        return True
    if v.view.numel == 1 and isinstance(index, TensorBase):
        x.masked_fill_(index.reshape((*index.shape, *(1,) * (x.view.ndim - <int>index.ndim))), to_dtype(v, x.view.dtype).reshape(()))
        return True
    return False


cpdef object setitem(object input, object index, object value):
    """Write value, a number or a tensor that broadcasts, into input[index]; the target keeps its dtype.

    Raises as getitem does; TypeError for a value that is neither number nor tensor; RuntimeError for a value
    that does not broadcast to input[index], or a leaf that requires grad.

    >>> import taeda
    >>> x = taeda.zeros(2, 3)
    >>> x[:, 1] = taeda.tensor([1.0, 2.0])
    >>> x[x == 0] = -1
    >>> x
    tensor([[-1.,  1., -1.],
            [-1.,  2., -1.]])
    """
    cdef TensorBase x = as_tensor(input, "setitem"), v, y
    cdef Layout q
    cdef list pos = [], idx = []
    if isinstance(value, TensorBase):
        v = <TensorBase>value
    else:
        v = kept(number_for(value, x), x)
    if PyBool_Check(index):                                  # all of x, or nothing: no mask, so any dtype goes
        if not index:
            return None
        index = None
    if whole_mask(x, index) and v.view.numel == 1 and not any_needs_grad((x, v)):
        fill_where(x, <TensorBase>index, v)
        return None
    if x.device == META and masks(index) and written_unseen(x, index, v):
        return None
    parse(&q, x, index, pos, idx, "setitem")
    if v.device != x.device and v.view.ndim == 0 and v.device == CPU and x.device != META:
        v = v.to(x.device)
    if pos:
        if v.view.dtype != x.view.dtype and v.view.numel == 1 and lone_mask(index):
            v = to_dtype(v, x.view.dtype)
        y = make_view(x, &q) if q.last != ALIAS else x
        assign_advanced(x, y, pos, idx, v)
        return None
    if v.view.ndim > q.nd:
        v = strip(v, q.nd)
    check_assignable(v, q.nd, q.shape)
    if any_needs_grad((x, v)) or x.base is not None and any_needs_grad((x.base,)):
        y = x if all_of(x, &q) else make_view(x, &q)
        if v.view.ndim == 0 and q.nd > 0:
            y.fill_(v)
        else:
            y.copy_(v)
        return None
    check_same_device("setitem", (x, v))
    y = as_strided_view(x, q.nd, q.shape, q.strides, q.offset)
    begin_inplace("setitem", y)
    if v.storage is x.storage and v.view.numel > 1:
        if v.shape_tuple() == y.shape_tuple():
            check_partial_overlap("setitem", y, v)
        v = v.clone()
    copy_into(y, v)
    end_inplace(SETITEM, y, (y,), None)
    return None


cdef bint lone_mask(object index):
    """Is a mask the only index tensor?  Then a single element is cast to the target's dtype, as masked_fill does."""
    cdef list found = []
    for item in index if isinstance(index, tuple) or is_tuple_like(index) else (index,):
        if isinstance(item, TensorBase) and (<TensorBase>item).view.ndim or isinstance(item, list) or (
                has(item, "__array_interface__") and not isinstance(item, TensorBase) and item.ndim):
            found.append(item)
    if len(found) != 1:
        return False
    return (<TensorBase>(found[0] if isinstance(found[0], TensorBase) else index_of(found[0], "setitem"))).view.dtype == BOOL


cdef int assign_advanced(TensorBase x, TensorBase y, list pos, list idx, TensorBase v) except -1:
    cdef int nd = y.view.ndim - len(pos), k, widest = 0
    for k in range(len(idx)):
        widest = max(widest, (<TensorBase>idx[k]).view.ndim)
    if v.view.ndim > nd + widest:
        v = strip(v, nd + widest)
    if v.view.dtype != x.view.dtype:
        raise RuntimeError(f"[setitem] Index put requires the source and destination dtypes match, got "
                           f"{name_of(x.view.dtype)} for the destination and {name_of(v.view.dtype)} for the source; "
                           "convert the value with .to(...)")
    index_put_core(y, pos, idx, v, False, "setitem")
    return 0

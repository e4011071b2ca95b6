# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""x[...], and how an index is read; x[...] = v is in assignment.

An index is read once, from left to right.  Ints, slices, None and Ellipsis only change sizes, strides and
offset: together they are one view with one node.  Tensors, lists, arrays and masks are advanced: what is
left of them is a list of int64 tensors, each for one dimension of that view, and ops.advanced takes over.
"""
from cpython.bool cimport PyBool_Check
from cpython.long cimport PyLong_Check, PyLong_CheckExact
from cpython.number cimport PyIndex_Check
from cpython.sequence cimport PySequence_Check
from libc.stdint cimport int64_t, uint64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_strided_view, as_tensor, check_same_device, copy_into, define, empty, empty_like, empty_shape,
                             needs_grad, record, record_view, scalar_tensor, to_dtype)
from taeda.dtype cimport dtype_of, is_complex_, is_float, is_integral
from taeda.kernels.cpu.abi cimport BOOL, I32, I64, MAX_DIM, U8
from taeda.operands cimport relaid
from taeda.ops.advanced cimport index_core, long_index, nonzero_columns, select_where, zeros_of
from taeda.ops.conversion cimport has
from taeda.tensor_base cimport CPU, META, STAND_IN, TensorBase, is_wrapper

import warnings

from taeda import _above, _spoken
from taeda.operands import as_index
from taeda.ops.conversion import tensor

__all__ = ["getitem"]
PUBLIC = ()
METHODS = {}

cdef extern from "Python.h":
    int PySlice_Unpack(object s, Py_ssize_t* start, Py_ssize_t* stop, Py_ssize_t* step) except -1
    Py_ssize_t PySlice_AdjustIndices(Py_ssize_t n, Py_ssize_t* start, Py_ssize_t* stop, Py_ssize_t step)
    long long PyLong_AsLongLongAndOverflow(object n, int* overflow) except? -1


# -- views: one node for all ints, slices and Nones of an index -----------------------------------------
cdef object view_vjp(Node n, object g):
    return pulled(<TensorBase>g, n.extra)

cdef object view_pull_vjp(Node n, object g):
    return taken_again(<TensorBase>g, n.extra)

cdef Op ALIAS_VIEW = define("getitem", view_vjp, 0, 0, None, "AliasBackward0")
cdef Op SELECT_VIEW = define("getitem", view_vjp, 0, 0, None, "SelectBackward0")
cdef Op SLICE_VIEW = define("getitem", view_vjp, 0, 0, None, "SliceBackward0")
cdef Op UNSQUEEZE_VIEW = define("getitem", view_vjp, 0, 0, None, "UnsqueezeBackward0")
cdef Op VIEW_PULL = define("getitem_backward", view_pull_vjp)


cdef tuple numbers(const int64_t* values, int n):
    return tuple([values[i] for i in range(n)])


cdef TensorBase make_view(TensorBase x, Layout* q):
    cdef TensorBase y = as_strided_view(x, q.nd, q.shape, q.strides, q.offset)
    cdef tuple spec = None
    if needs_grad(x):
        spec = (x.shape_tuple(), numbers(q.start, x.view.ndim), numbers(q.source, q.nd), numbers(q.step, q.nd),
                numbers(q.shape, q.nd), q.last)
    record_view(SELECT_VIEW if q.last == SELECT else SLICE_VIEW if q.last == SLICE else
                UNSQUEEZE_VIEW if q.last == UNSQUEEZE else ALIAS_VIEW, y, x, spec)
    return y


cdef int place(Layout* q, TensorBase x, tuple spec) except -1:
    """Lay the view that spec describes on x, whatever x's strides are."""
    cdef int d
    cdef tuple start = spec[1], source = spec[2], step = spec[3], shape = spec[4]
    q.nd, q.last, q.offset = len(shape), spec[5], x.offset
    for d in range(x.view.ndim):
        q.start[d] = start[d]
        q.offset += q.start[d] * x.view.strides[d]
    for d in range(q.nd):
        q.shape[d], q.source[d], q.step[d] = shape[d], source[d], step[d]
        q.strides[d] = q.step[d] * x.view.strides[q.source[d]] if q.source[d] >= 0 else 1
    return 0


cdef TensorBase view_again(TensorBase x, tuple spec):
    cdef Layout q
    place(&q, x, spec)
    return make_view(x, &q)


cdef TensorBase view_pull(TensorBase g, tuple spec):
    """Zeros with g in the place of the view: the adjoint of view_again."""
    cdef Layout q
    cdef TensorBase out = zeros_of(spec[0], g.view.dtype, g.device)
    place(&q, out, spec)
    copy_into(as_strided_view(out, q.nd, q.shape, q.strides, q.offset), g)
    record(VIEW_PULL, out, (g,), None, spec)
    return out


cdef object pulled(TensorBase g, tuple spec):
    """view_pull, of a batch of cotangents with the batch as one more dimension in front."""
    if g.device != STAND_IN:
        return view_pull(g, spec)
    if is_wrapper(g):
        shape, start, source, step, sizes = spec[:5]
        taken = {d: (n, by) for d, n, by in zip(source, sizes, step)}
        part = (<object>g).reshape([taken.get(d, (1, 1))[0] for d in range(len(shape))])
        for d in range(len(shape)):                  # a write into a view would have no part in the history
            n, by = taken.get(d, (1, 1))
            if n != shape[d]:
                whole = part.new_zeros((*part.shape[:d], shape[d], *part.shape[d + 1:]))
                part = whole.slice_scatter(part, d, start[d], start[d] + n * by, by)
        return part
    value = (<object>g)._value
    return _above.batched(pulled(<TensorBase>value, of_batch(spec, value.shape[0])), (<object>g)._level)


cdef object taken_again(TensorBase x, tuple spec):
    """view_again, of a batch likewise."""
    if x.device != STAND_IN or is_wrapper(x):
        return view_again(x, spec)
    value = (<object>x)._value
    return _above.batched(taken_again(<TensorBase>value, of_batch(spec, value.shape[0])), (<object>x)._level)


cdef tuple of_batch(tuple spec, size):
    """What describes a view of one sample, with the batch in front."""
    return ((size, *spec[0]), (0, *spec[1]), (0, *[d + 1 if d >= 0 else d for d in spec[2]]), (1, *spec[3]), (size, *spec[4]), spec[5])


# -- reading an index -----------------------------------------------------------------------------------
cdef int no_more_dims(TensorBase x, str op) except -1:
    if x.view.ndim == 0:
        raise IndexError(f"[{op}] invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor "
                         "to a number")
    raise IndexError(f"[{op}] too many indices for tensor of dimension {x.view.ndim}, whose shape is "
                     f"{tuple(x.shape_tuple())}")


cdef inline int64_t to_i64(object n, str op) except? -1:
    cdef int overflow = 0
    cdef int64_t i = PyLong_AsLongLongAndOverflow(n, &overflow)
    if overflow:
        raise ValueError(f"[{op}] Overflow when unpacking long long: {n} is no possible index")
    return i


cdef inline int take_int(Layout* q, TensorBase x, int dim, int64_t i, str op) except -1:
    cdef int64_t size
    if dim >= x.view.ndim:
        no_more_dims(x, op)
    size = x.view.shape[dim]
    if i < -size or i >= size:
        raise IndexError(f"[{op}] index {i} is out of bounds for dimension {dim} with size {size}; the tensor's shape "
                         f"is {tuple(x.shape_tuple())}")
    if i < 0:
        i += size
    q.start[dim] = i
    q.offset += i * x.view.strides[dim]
    return 0


cdef int too_many(int n) except -1:
    raise RuntimeError(f"[getitem] a tensor has at most {MAX_DIM} dimensions, the result would have at least {n}")


cdef inline int slice_dim(TensorBase x, int dim, str op) except -1:
    if dim >= x.view.ndim:
        if x.view.ndim == 0:
            raise IndexError(f"[{op}] slice() cannot be applied to a 0-dim tensor")
        no_more_dims(x, op)
    return 0


cdef inline int take_slice(Layout* q, TensorBase x, int dim, object s, str op) except -1:
    cdef Py_ssize_t start, stop, step, n
    cdef bint whole
    slice_dim(x, dim, op)
    PySlice_Unpack(s, &start, &stop, &step)
    slice_dim(x, dim, op)                    # again: an object's __index__ may give x another layout
    if q.nd >= MAX_DIM:
        too_many(q.nd + 1)
    if step <= 0:
        raise ValueError(f"[{op}] step must be greater than zero, got {step}; use .flip({dim}) to reverse a dimension")
    whole = start == 0 and step == 1
    n = PySlice_AdjustIndices(x.view.shape[dim], &start, &stop, step)
    if not whole or n != x.view.shape[dim]:
        q.last = SLICE
    q.start[dim] = start
    q.offset += start * x.view.strides[dim]
    q.shape[q.nd] = n
    q.strides[q.nd] = <int64_t>(<uint64_t>step * <uint64_t>x.view.strides[dim])     # wraps for a step past the end, where n is 1 at most
    q.source[q.nd] = dim
    q.step[q.nd] = step
    q.nd += 1
    return 0


cdef inline int take_all(Layout* q, TensorBase x, int dim, int n) except -1:
    cdef int d
    if q.nd + n > MAX_DIM:
        too_many(q.nd + n)
    for d in range(dim, dim + n):
        q.start[d] = 0
        q.shape[q.nd] = x.view.shape[d]
        q.strides[q.nd] = x.view.strides[d]
        q.source[q.nd] = d
        q.step[q.nd] = 1
        q.nd += 1
    return 0


cdef inline int take_new(Layout* q, TensorBase x, int dim) except -1:
    if q.nd >= MAX_DIM:
        too_many(q.nd + 1)
    q.shape[q.nd] = 1
    q.strides[q.nd] = x.view.shape[dim] * x.view.strides[dim] if dim < x.view.ndim else 1
    q.source[q.nd] = -1
    q.step[q.nd] = 1
    q.nd += 1
    return 0


cdef bint is_tuple_like(object index):
    """PyTorch reads a short list that holds sequences, tensors, slices or None as a tuple of indices."""
    if not isinstance(index, list) or len(index) >= 32:
        return False
    for item in index:
        if item is None or item is Ellipsis or isinstance(item, (TensorBase, slice)) or PySequence_Check(item):
            return True
    return False


cdef TensorBase index_of(object item, str op):
    """A tensor from a sequence or an array of indices, which are integers but for bytes and bools; None for what cannot be an index."""
    cdef TensorBase t
    cdef int64_t n, i
    if isinstance(item, (list, tuple, range)):
        n = len(item)
        t = empty(1, &n, I64, CPU)
        for i in range(n):
            v = item[i]
            if not PyLong_Check(v) or PyBool_Check(v):
                break
            try:
                (<int64_t*>t.view.data)[i] = v
            except OverflowError:
                raise ValueError(f"[{op}] Overflow when unpacking long long: an index of {v} has no place in 64 bits") from None
        else:
            return t
    elif not has(item, "__array_interface__"):
        if not PySequence_Check(item) or isinstance(item, (str, bytes)):
            return None
        item = list(item)
    t = tensor(item)
    if t.view.dtype == BOOL or t.view.dtype == U8:
        return t
    if not has(item, "__array_interface__"):
        if is_complex_(t.view.dtype):
            raise TypeError(f"[{op}] 'complex' object cannot be interpreted as an integer, which indices in a list are")
        if is_float(t.view.dtype) and not bool((t.abs() < 2.0 ** 63).all()):
            raise RuntimeError(f"[{op}] value cannot be converted to type int64 without overflow: an index that is nan or has no place "
                               "in 64 bits")
    return t if is_complex_(t.view.dtype) else to_dtype(t, I64)


cdef int read_index(TensorBase t) except -1:
    if t.view.dtype == I64 or t.view.dtype == I32 or t.view.dtype == BOOL:
        return 0
    if t.view.dtype == U8:
        warnings.warn(f"indexing with dtype {_spoken.name}.uint8 is now deprecated, please use a dtype "
                      f"{_spoken.name}.bool instead.", UserWarning,
                      stacklevel=1)
        return 0
    raise IndexError("[getitem] tensors used as indices must be long, int, byte or bool tensors, got "
                     f"{dtype_of(t.view.dtype).name}; convert it with .long()")


cdef int take_tensor(Layout* q, TensorBase x, int dim, TensorBase t, list pos, list idx, str op) except -1:
    """Take the dimensions of x that t indexes as they are, and note t; returns how many they are."""
    cdef int d, n
    read_index(t)
    if t.device != x.device:
        if x.device == META:
            t = empty_like(t) if t.device == META else empty_shape(t.shape_tuple(), t.view.dtype, META)
        elif t.device == CPU:
            t = t.to(x.device)
        else:
            check_same_device(op, (x, t))
    if t.view.dtype == I64 or t.view.dtype == I32:
        if dim >= x.view.ndim:
            no_more_dims(x, op)
        pos.append(q.nd)
        idx.append(long_index(t))
        take_all(q, x, dim, 1)
        return 1
    if t.view.ndim == 0:
        pos.append(q.nd)
        q.last = UNSQUEEZE
        take_new(q, x, dim)
        idx.append(nonzero_columns(t.unsqueeze(0))[0])
        return 0
    n = t.view.ndim
    if dim + n > x.view.ndim:
        raise IndexError(f"[{op}] too many indices for tensor of dimension {x.view.ndim}: a mask of shape "
                         f"{tuple(t.shape_tuple())} at dimension {dim} of a tensor of shape {tuple(x.shape_tuple())}")
    for d in range(n):
        if t.view.shape[d] != x.view.shape[dim + d]:
            raise IndexError(f"[{op}] The shape of the mask {list(t.shape_tuple())} at index {d} does not match the "
                             f"shape of the indexed tensor {list(x.shape_tuple())} at index {dim + d}")
    for d in range(n):
        pos.append(q.nd + d)
    idx.extend(nonzero_columns(t))
    take_all(q, x, dim, n)
    return n


cdef int dims_of(object item) except -1:
    """How many dimensions of x an item of an index takes."""
    if item is None or item is Ellipsis or PyBool_Check(item):
        return 0
    if isinstance(item, TensorBase):
        return (<TensorBase>item).view.ndim if (<TensorBase>item).view.dtype in (BOOL, U8) else 1
    if has(item, "__array_interface__"):
        return item.ndim if item.dtype.kind == "b" or item.ndim and item.dtype == "u1" else 1
    if isinstance(item, (list, tuple)):
        t = index_of(item, "getitem")
        return (<TensorBase>t).view.ndim if (<TensorBase>t).view.dtype in (BOOL, U8) else 1
    return 1


cdef object WHOLE = slice(None)


cdef int parse(Layout* q, TensorBase x, object index, list pos, list idx, str op) except -1:
    """Read `index` into the view q of x, and its advanced part into pos and idx."""
    cdef int dim = 0, at, j, n
    cdef int rest = -1                       # what an Ellipsis stands for; a second one stands for as many dimensions again
    cdef TensorBase t
    cdef tuple items
    cdef int64_t before = relaid(0)
    q.nd, q.last, q.offset = 0, ALIAS, x.offset
    if isinstance(index, tuple):
        items = <tuple>index
    elif is_tuple_like(index):
        warnings.warn("Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] "
                      "instead of x[seq]", UserWarning, stacklevel=1)
        items = tuple(index)
    else:
        items = (index,)
        if isinstance(index, slice):
            q.last = SLICE
    for at in range(len(items)):
        item = items[at]
        if isinstance(item, slice):
            if dim < x.view.ndim or rest <= 0 or item != WHOLE:
                take_slice(q, x, dim, item, op)
            dim += 1
        elif item is None:
            if dim > x.view.ndim:
                no_more_dims(x, op)
            take_new(q, x, dim)
            q.last = UNSQUEEZE
        elif item is Ellipsis:
            if rest < 0:
                n = x.view.ndim - dim
                for j in range(at + 1, len(items)):
                    n -= dims_of(items[j])
                rest = max(n, 0)
            take_all(q, x, dim, min(rest, x.view.ndim - dim))
            dim += rest
        elif PyBool_Check(item):
            if dim > x.view.ndim:
                no_more_dims(x, op)
            pos.append(q.nd)
            take_new(q, x, dim)
            q.last = UNSQUEEZE
            t = empty_shape((1 if item else 0,), I64, x.device)
            if item and x.device != META:
                copy_into(t, scalar_tensor(0, I64, CPU))
            idx.append(t)
        elif PyLong_Check(item):
            take_int(q, x, dim, to_i64(item, op), op)
            q.last = SELECT
            dim += 1
        elif isinstance(item, TensorBase):
            t = <TensorBase>item
            if t.view.ndim == 0 and t.view.dtype != BOOL and t.view.dtype != U8:
                if is_integral(t.view.dtype):
                    take_int(q, x, dim, to_i64(t.item(), op), op)
                    q.last = SELECT
                    dim += 1
                    continue
            dim += take_tensor(q, x, dim, t, pos, idx, op)
        else:
            array = has(item, "__array_interface__")
            if array and item.ndim == 0 and item.dtype.kind == "b":
                item = [bool(item)]
                t = index_of(item, op).reshape(())
            elif item.ndim > 0 if array else PySequence_Check(item) and not isinstance(item, (str, bytes)):
                t = index_of(item, op)
            elif PyIndex_Check(item):
                take_int(q, x, dim, to_i64(as_index(op, item), op), op)
                q.last = SELECT
                dim += 1
                continue
            else:
                kind = TypeError if isinstance(item, (str, bytes)) else IndexError
                raise kind(f"[{op}] only integers, slices (`:`), ellipsis (`...`), None and long or bool tensors "
                                 f"are valid indices (got {type(item).__name__})")
            dim += take_tensor(q, x, dim, t, pos, idx, op)
    take_all(q, x, dim, x.view.ndim - dim)
    if relaid(0) != before:
        raise RuntimeError(f"[{op}] an object in the index changed a tensor's layout in the middle of a call")
    return 0


# -- x[index] --------------------------------------------------------------------------------------------
cdef bint whole_mask(TensorBase x, object index):
    """Is the index one bool tensor of x's shape?"""
    cdef TensorBase t
    if not isinstance(index, TensorBase):
        return False
    t = <TensorBase>index
    return t.view.dtype == BOOL and t.view.ndim == x.view.ndim and t.view.ndim > 0 and t.device == x.device and (
        t.shape_tuple() == x.shape_tuple())


cdef bint basic(object index):
    """Is it made of slices, ints, None and Ellipsis alone, so that nothing is gathered?"""
    if not isinstance(index, tuple):
        return isinstance(index, slice)
    for item in <tuple>index:
        if not (isinstance(item, slice) or PyLong_CheckExact(item) or item is None or item is Ellipsis):
            return False
    return True


cpdef object getitem(object input, object index):
    """Return input[index].

    Ints, slices, None and Ellipsis give a view; index tensors, lists, arrays and masks give a copy:
    y[b, p, a] = x[b, i_0[p], ..., i_k[p], a], with the index dimensions where the index tensors stand if
    these are next to each other, and in front if not.

    Raises IndexError for an index out of range, too many indices, an object that cannot be an index, or index
    shapes that do not broadcast; ValueError for a slice that goes backwards.

    >>> import taeda
    >>> x = taeda.arange(6).reshape(2, 3)
    >>> x[1], x[:, 1:], x[:, [2, 0]]
    (tensor([3, 4, 5]), tensor([[1, 2],
            [4, 5]]), tensor([[2, 0],
            [5, 3]]))
    """
    cdef TensorBase x = as_tensor(input, "getitem"), t
    cdef Layout q
    cdef list pos, idx
    if PyLong_CheckExact(index):
        q.nd, q.last, q.offset = 0, SELECT, x.offset
        take_int(&q, x, 0, to_i64(index, "getitem"), "getitem")
        take_all(&q, x, 1, x.view.ndim - 1)
        return make_view(x, &q)
    if isinstance(index, TensorBase):
        t = <TensorBase>index
        if t.view.dtype == I64 and t.view.ndim > 0 and x.view.ndim > 0 and t.device == x.device:
            return index_core(x, [0], [t], "getitem")
        if not needs_grad(x) and whole_mask(x, index):
            return select_where(x, t)
    pos, idx = (None, None) if basic(index) else ([], [])
    parse(&q, x, index, pos, idx, "getitem")
    if not pos:
        return make_view(x, &q)
    if q.last != ALIAS:
        x = make_view(x, &q)
    return index_core(x, pos, idx, "getitem")

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""index and index_put: reading and writing where int64 tensors point.

Everything that names rows goes through here: advanced indexing, index_select, index_add, take.  The
dimensions with an index are given by ``pos`` (ascending) and their tensors by ``idx``; these are broadcast
against each other.  The adjoint of reading is adding, so second derivatives need nothing more.
"""
from libc.stdint cimport INT32_MAX, int64_t
from libc.stdlib cimport calloc, free

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_strided_view, as_tensor, begin_inplace, check_same_device, contiguous, copy_into,
                             define, empty, empty_for, empty_shape, end_inplace, launch, needs_grad, record, scalar_tensor,
                             to_dtype)
from taeda.dtype cimport name_of
from taeda.kernels.cpu.abi cimport BF16, BOOL, F16, I32, I64, MAX_DIM, U8, Param, View
from taeda.kernels.cpu.lowering cimport wide_of
from taeda.tensor_base cimport CPU, META, TensorBase, is_wrapper

from taeda.autograd.dual import is_transposed
from taeda.autograd.node import written_copy
from taeda.dtype import int64
from taeda.operands import refuse_overlap
from taeda.ops.sequences import arange

__all__ = ["index_put", "index_put_"]
PUBLIC = ("index_put", "index_put_")


# -- pieces ----------------------------------------------------------------------------------------------
cdef Op ZERO = define("zero_fill", NULL, 0, 0, "zero")


cdef int clear(TensorBase out) except -1:
    cdef View* t[1]
    t[0] = &out.view
    launch(ZERO, out.view.dtype, out.device, 1, 1, t, NULL, out.view.numel >> 3)
    return 0


cdef TensorBase zeros_of(object shape, int dtype, int device):
    cdef TensorBase out = empty_shape(shape, dtype, device)
    clear(out)
    return out


cdef object zeros_beside(object g, tuple shape):
    """Zeros like the cotangent g; of its class where that has no memory of its own."""
    if is_wrapper(<TensorBase>g):
        return g.new_zeros(shape)
    return zeros_of(shape, (<TensorBase>g).view.dtype, (<TensorBase>g).device)


cdef object sum_to(object g, tuple shape):
    cdef int n = g.dim() - len(shape), d
    if n:
        g = g.sum(tuple(range(n)))
    dims = tuple([d for d in range(len(shape)) if shape[d] == 1 and g.shape[d] != 1])
    return g.sum(dims, True) if dims else g


cdef TensorBase long_index(TensorBase index):
    return index if index.view.dtype == I64 else to_dtype(index, I64)


# -- masks -----------------------------------------------------------------------------------------------
cdef Op MASK_COUNT = define("mask_count", NULL)
cdef Op NONZERO = define("nonzero", NULL)
cdef Op SELECT_WHERE = define("masked_select_plain", NULL, 0, 0, "masked_select")
cdef Op FILL_WHERE = define("masked_fill_plain", NULL, 0, 0, "where")


cdef int mask_count(TensorBase mask, int64_t* n) except -1:
    cdef TensorBase count = empty(0, NULL, I64, mask.device)
    cdef View* t[2]
    if mask.device == META:
        raise NotImplementedError(f"[nonzero] the shape of the result depends on the data, which a meta tensor of shape "
                                  f"{tuple(mask.shape_tuple())} does not have")
    t[0], t[1] = &count.view, &mask.view
    launch(MASK_COUNT, BOOL, mask.device, 1, 2, t, NULL, mask.view.numel >> 3)
    n[0] = (<int64_t*>count.view.data)[0]
    return 0


cdef TensorBase nonzero_rows(TensorBase x):
    """(ndim, n): one row of coordinates a dimension, of the n elements that are not zero."""
    cdef TensorBase mask = x if x.view.dtype == BOOL else to_dtype(x, BOOL), out
    cdef View* t[2]
    cdef int64_t shape[2]
    shape[0] = mask.view.ndim
    mask_count(mask, &shape[1])
    out = empty(2, shape, I64, mask.device)
    t[0], t[1] = &out.view, &mask.view
    launch(NONZERO, BOOL, mask.device, 1, 2, t, NULL, mask.view.numel)
    return out


cdef list nonzero_columns(TensorBase mask):
    cdef TensorBase rows = nonzero_rows(mask)
    cdef int64_t n = rows.view.shape[1]
    cdef int64_t one = 1
    cdef int d
    return [as_strided_view(rows, 1, &n, &one, d * n) for d in range(mask.view.ndim)]


cdef TensorBase select_where(TensorBase x, TensorBase mask):
    """The elements of x where mask, of the same shape, is true; nothing is recorded."""
    cdef TensorBase out
    cdef View* t[3]
    cdef int64_t n
    mask_count(mask, &n)
    out = empty(1, &n, x.view.dtype, x.device)
    t[0], t[1], t[2] = &out.view, &x.view, &mask.view
    launch(SELECT_WHERE, x.view.dtype, x.device, 1, 3, t, NULL, x.view.numel)
    return out


cdef int fill_where(TensorBase x, TensorBase mask, TensorBase value) except -1:
    """x = value, of one element, where mask is true; mask broadcasts to x; nothing is recorded."""
    cdef TensorBase y
    cdef View* t[4]
    check_same_device("masked_fill_", (x, mask, value))
    begin_inplace("masked_fill_", x)
    value = to_dtype(value, x.view.dtype)
    if mask.storage is x.storage:                  # the filling would change it under way
        mask = mask.clone()
    if value.storage is x.storage:
        value = value.clone()
    y, mask = once(x, mask)
    t[0], t[1], t[2], t[3] = &y.view, &mask.view, &value.view, &y.view
    launch(FILL_WHERE, x.view.dtype, x.device, 1, 4, t, NULL, y.view.numel)
    end_inplace(FILL_WHERE, x, (x,), None)
    return 0


cdef tuple once(TensorBase x, TensorBase mask):
    """(x, mask) of an x that is to be filled; of an expanded one each element once, with a mask that holds where that of a place does."""
    cdef int d, m
    if x.view.contiguous:
        return x, mask
    for d in range(x.view.ndim):
        if x.view.strides[d] == 0 and x.view.shape[d] > 1:
            x, m = x.detach().narrow(d, 0, 1), mask.view.ndim - x.view.ndim + d
            if m >= 0:
                mask = mask.any(m, True)
    return x, mask


# -- advanced indexing ----------------------------------------------------------------------------------
cdef struct Plan:                # what the kernels index and index_put get; see kernels/cpu/index.pyx.in
    View rest                    # x without its indexed dimensions
    int nd                       # the result: dimensions of rest with the broadcast index among them
    int64_t shape[MAX_DIM]
    int64_t dims[2 * MAX_DIM]
    View* t[MAX_DIM + 2]
    Param p[2 * MAX_DIM + 3]


cdef char NOTHING[8]             # where views of no elements point

cdef int make_plan(Plan* q, TensorBase x, list pos, list idx, str op) except -1:
    """Broadcast the indices (idx is changed) and lay out kernel operands; t[0] and t[1] are the caller's."""
    cdef int64_t wide[MAX_DIM]
    cdef int64_t zero[MAX_DIM]
    cdef int K = len(pos), nd = 0, k, d, m, before, rank = x.view.ndim - K
    cdef TensorBase t
    cdef bint same = True, together
    for k in range(K):
        t = <TensorBase>idx[k]
        if t.view.ndim > nd:
            nd = t.view.ndim
    for d in range(nd):
        wide[d] = 1
    for k in range(K):
        t = <TensorBase>idx[k]
        m = nd - t.view.ndim
        same = same and m == 0
        for d in range(m, nd):
            if t.view.shape[d - m] != wide[d]:
                same = same and k == 0
                if wide[d] == 1:
                    wide[d] = t.view.shape[d - m]
                elif t.view.shape[d - m] != 1:
                    shapes = ", ".join([str(list((<TensorBase>i).shape_tuple())) for i in idx])
                    raise IndexError(f"[{op}] shape mismatch: indexing tensors could not be broadcast together with "
                                     f"shapes {shapes}")
    if not same:
        for k in range(K):
            t = <TensorBase>idx[k]
            m = nd - t.view.ndim
            for d in range(nd):
                zero[d] = 0 if d < m or t.view.shape[d - m] != wide[d] else t.view.strides[d - m]
            idx[k] = as_strided_view(t, nd, wide, zero, t.offset)
    together = <int>pos[K - 1] - <int>pos[0] == K - 1
    before = <int>pos[0] if together else 0
    if rank + nd > MAX_DIM:
        raise RuntimeError(f"[{op}] a tensor has at most {MAX_DIM} dimensions, the result would have {rank + nd}")
    q.rest = x.view
    q.rest.shape, q.rest.strides, q.rest.ndim, q.rest.numel, q.rest.contiguous = q.dims, q.dims + MAX_DIM, rank, 1, False
    q.p[0].i, q.p[1].i, q.p[2].i = before, K, True
    q.nd = rank + nd
    m = k = 0
    for d in range(x.view.ndim):
        if k < K and <int>pos[k] == d:
            q.p[3 + 2 * k].i, q.p[4 + 2 * k].i = x.view.shape[d], x.view.strides[d]
            q.t[2 + k] = &(<TensorBase>idx[k]).view
            k += 1
        else:
            q.dims[m], q.dims[MAX_DIM + m] = x.view.shape[d], x.view.strides[d]
            q.rest.numel *= x.view.shape[d]
            q.shape[m if m < before else m + nd] = x.view.shape[d]
            m += 1
    for d in range(nd):
        q.shape[before + d] = wide[d]
    if q.rest.data == NULL and x.device == CPU:      # x is empty, the rest of its dimensions need not be
        q.rest.data = NOTHING
    return 0


cdef bint in_order(Plan* q, list idx) noexcept:
    """Do all operands lie in memory in the order of their dimensions?  Then so does the result."""
    cdef int d
    cdef int64_t last = 0
    for t in idx:
        if not (<TensorBase>t).view.contiguous:
            return False
    for d in range(q.rest.ndim):
        if q.rest.shape[d] > 1:
            if last and q.rest.strides[d] > last:
                return False
            last = q.rest.strides[d] if q.rest.strides[d] else last
    return True


cdef TensorBase as_inputs_lie(Plan* q, TensorBase out, list idx):
    """The result in the memory order that PyTorch gives it: x's, with the index tensors' where x leaves it open."""
    cdef int K = len(idx), nd = (<TensorBase>idx[0]).view.ndim, before = <int>q.p[0].i, k, d, m
    cdef int64_t* strides = <int64_t*>calloc((K + 1) * q.nd + 1, sizeof(int64_t))
    cdef View* views = <View*>calloc(K + 1, sizeof(View))
    cdef View** operands = <View**>calloc(K + 1, sizeof(View*))
    cdef TensorBase y, t
    if strides == NULL or views == NULL or operands == NULL:
        free(strides)
        free(views)
        free(operands)
        raise MemoryError("[index] no memory for the layouts of the operands")
    try:
        for k in range(K + 1):
            operands[k] = &views[k]
            views[k].ndim, views[k].shape, views[k].strides = q.nd, q.shape, strides + k * q.nd
        for m in range(q.rest.ndim):
            views[0].strides[m if m < before else m + nd] = q.rest.strides[m]
        for k in range(K):
            t = <TensorBase>idx[k]
            for d in range(nd):
                views[k + 1].strides[before + d] = t.view.strides[d]
        y = empty_for(q.nd, q.shape, out.view.dtype, out.device, K + 1, operands)
    finally:
        free(strides)
        free(views)
        free(operands)
    if y.view.contiguous:
        return out
    copy_into(y, out)
    return y


cdef object out_of_bounds(TensorBase x, list pos, list idx, int64_t bad, str op):
    """The IndexError for the kernel's answer 1 + k * P + p."""
    cdef int64_t P = (<TensorBase>idx[0]).view.numel, k = (bad - 1) // P
    i = idx[k].reshape(-1)[(bad - 1) % P].item()
    return IndexError(f"[{op}] index {i} is out of bounds for dimension {pos[k]} with size {x.view.shape[<int>pos[k]]}")


cdef object index_vjp(Node n, object g):
    pos, shape, idx = n.extra
    return index_pull(g, pos, saved_indices(n, pos, idx), shape)

cdef object index_pull_vjp(Node n, object g):
    pos, _, idx = n.extra
    return index_core(<TensorBase>g, pos, saved_indices(n, pos, idx), "index")

cdef object index_put_vjp(Node n, object g):
    cdef TensorBase x = None
    pos, accumulate, shape, idx = n.extra
    idx = saved_indices(n, pos, idx)
    if n.needs(0):
        x = g if accumulate else index_put_core(g.clone(), pos, list(idx), scalar_tensor(
            0, (<TensorBase>g).view.dtype, (<TensorBase>g).device), False, "index_put")
    if not n.needs(1):
        return x, None
    gs = index_core(<TensorBase>g, pos, idx, "index_put")
    if is_transposed(n) and not accumulate:
        places = numbers(gs)
        written = index_put_core(no_numbers(g), pos, list(idx), <TensorBase>places, False, "index_put")
        gs = of_last(gs, index_core(written, pos, idx, "index_put"), places)
    return x, sum_to(<object>gs, shape)


# Where several elements are written to one place, autograd gives the place's cotangent to each of them, as PyTorch does; but
# only the last one is there, and tangents are those of what is there.  Writing numbers shows which one that is.
cdef object numbers(object g):
    """Each element's own number, from 0."""
    return arange(g.numel(), device=g.device).reshape(g.shape)


cdef TensorBase no_numbers(object g):
    return <TensorBase>g.new_full(g.shape, -1, dtype=int64)


cdef object of_last(object g, object found, object places):
    """g where an element finds its own number where it was written, 0 elsewhere."""
    return g.masked_fill(found != places, 0)

cdef Op INDEX = define("index", index_vjp)
cdef Op INDEX_PULL = define("index_backward", index_pull_vjp, 0, 0, "index_put_add")
cdef Op INDEX_PUT = define("index_put", index_put_vjp)
cdef Op INDEX_PUT_ADD = define("index_put_add", index_put_vjp, 0, 0, None, "IndexPutBackward0")


cdef list saved_indices(Node n, list pos, object idx):
    cdef int k
    return list(idx) if idx is not None else [n.load(k) for k in range(len(pos))]


cdef TensorBase index_core(TensorBase x, list pos, list idx, str op, Op node=None, bint wrap=True):
    cdef Plan q
    cdef TensorBase out
    cdef int64_t bad
    node = INDEX if node is None else node
    make_plan(&q, x, pos, idx, op)
    out = empty(q.nd, q.shape, x.view.dtype, x.device)
    q.t[0], q.t[1], q.p[2].i = &out.view, &q.rest, wrap
    bad = launch(node, x.view.dtype, x.device, 1, 2 + len(pos), q.t, q.p, out.view.numel)
    if bad > 0:
        raise out_of_bounds(x, pos, idx, bad, op)
    if node is INDEX and not in_order(&q, idx):
        out = as_inputs_lie(&q, out, idx)
    if needs_grad(x):
        record(node, out, (x,), tuple(idx) if len(idx) <= 8 else None,
               (pos, x.shape_tuple(), None if len(idx) <= 8 else idx))
    return out


cdef bint is_half(int dtype) noexcept:
    return dtype == F16 or dtype == BF16


cdef int sum_dtype(int dtype) noexcept:
    return wide_of(dtype)


cdef bint sums_in_wide(Op op, TensorBase x, const Plan* q) noexcept:
    """Must the whole tensor be copied into a wider dtype to add to it?  Halves have a kernel for rows of some length, or few of many."""
    cdef int d, dtype = x.view.dtype
    cdef int64_t row = 1
    if op.cpu[dtype] == NULL or not is_half(dtype) or op.cpu[dtype] == INDEX_PUT.cpu[dtype]:
        return op.cpu[dtype] == NULL
    for d in range(q.rest.ndim - 1, <int>q.p[0].i - 1, -1):
        if q.rest.shape[d] != 1 and q.rest.strides[d] != row:
            return True
        row *= q.rest.shape[d]
    return row < 16 and 32 * q.t[2].numel * q.rest.numel > x.view.numel or q.t[2].numel > INT32_MAX


cdef object index_pull(object g, list pos, list idx, tuple shape):
    """Zeros of `shape` with the rows of g added where the indices point: the adjoint of index."""
    cdef Plan q
    cdef TensorBase x = <TensorBase>g, c, out
    c, out = contiguous(x), empty_shape(shape, x.view.dtype, x.device)
    make_plan(&q, out, pos, idx, "index")
    if sums_in_wide(INDEX_PULL, out, &q):
        return to_dtype(<TensorBase>index_pull(to_dtype(x, sum_dtype(x.view.dtype)), pos, idx, shape), x.view.dtype)
    clear(out)
    q.t[0], q.t[1] = &q.rest, &c.view
    launch(INDEX_PULL, x.view.dtype, x.device, 1, 2 + len(pos), q.t, q.p, x.view.numel)
    if needs_grad(x):
        record(INDEX_PULL, out, (x,), tuple(idx) if len(idx) <= 8 else None,
               (pos, shape, None if len(idx) <= 8 else idx))
    return out


cdef TensorBase index_put_core(TensorBase x, list pos, list idx, TensorBase value, bint accumulate, str op,
                               Op node=None, bint wrap=True):
    """x[idx] = value, or += with accumulate; x is changed and returned."""
    cdef Plan q
    cdef TensorBase v = value, wide
    cdef Op put = node if node is not None else INDEX_PUT_ADD if accumulate else INDEX_PUT
    cdef int d, m
    cdef int64_t strides[MAX_DIM]
    cdef int64_t bad
    cdef bint plain
    make_plan(&q, x, pos, idx, op)
    if sums_in_wide(put, x, &q):
        x.copy_(to_dtype(<TensorBase>index_put_core(to_dtype(x, sum_dtype(x.view.dtype)), pos, idx, to_dtype(v, sum_dtype(x.view.dtype)),
                                                    accumulate, op, node, wrap), x.view.dtype))
        return x
    m = q.nd - v.view.ndim
    plain = m == 0 and v.view.contiguous and v.storage is not x.storage
    for d in range(q.nd):
        strides[d] = 0 if d < m or v.view.shape[d - m] == 1 else v.view.strides[d - m]
        plain = plain and v.view.shape[d] == q.shape[d]
    for d in range(v.view.ndim):
        if m < 0 or v.view.shape[d] != 1 and v.view.shape[d] != q.shape[m + d]:
            raise RuntimeError(f"[{op}] shape mismatch: value tensor of shape {list(v.shape_tuple())} cannot be broadcast "
                               f"to indexing result of shape {[q.shape[d] for d in range(q.nd)]}")
    check_same_device(op, (x, v))
    if v.storage is x.storage:
        refuse_overlap(op, x, v)
    for ix in idx:
        if (<TensorBase>ix).storage is x.storage:
            refuse_overlap(op, x, ix)
    begin_inplace("index_put_" if op == "setitem" and not x.view.contiguous else op, x)        # by which expanded tensors are told
    if not plain and (v.view.numel != 1 or v.storage is x.storage or accumulate and is_half(x.view.dtype)):
        wide = empty(q.nd, q.shape, x.view.dtype, x.device)
        copy_into(wide, as_strided_view(v, q.nd, q.shape, strides, v.offset))
        v = wide
    q.t[0], q.t[1], q.p[2].i = &q.rest, &v.view, wrap
    bad = launch(put, x.view.dtype, x.device, 1, 2 + len(pos), q.t, q.p, v.view.numel)
    if bad > 0:
        raise out_of_bounds(x, pos, idx, bad, op)
    end_inplace(put, x, (x, value), tuple(idx) if len(idx) <= 8 else None,
                (pos, accumulate, value.shape_tuple(), None if len(idx) <= 8 else idx))
    return x


cdef int64_t add_rows(TensorBase x, int dim, TensorBase ix, TensorBase src, str op) except -2:
    cdef Plan q
    cdef TensorBase rows = contiguous(src)
    make_plan(&q, x, [dim], [ix], op)
    if sums_in_wide(INDEX_PUT_ADD, x, &q):
        return -1
    q.t[0], q.t[1], q.p[2].i = &q.rest, &rows.view, False
    return launch(INDEX_PUT_ADD, x.view.dtype, x.device, 1, 3, q.t, q.p, rows.view.numel)


cdef tuple read_indices(TensorBase x, list indices, str op):
    """(pos, idx) of index tensors, one a dimension of x."""
    cdef list pos = [], idx = []
    cdef TensorBase t
    cdef int dim = 0, d
    for item in indices:
        t = <TensorBase>item
        if t.device != x.device:
            if x.device != META:
                check_same_device(op, (x, t))
            t = empty_shape(t.shape_tuple(), t.view.dtype, META)
        if t.view.dtype == BOOL or t.view.dtype == U8:
            if dim + t.view.ndim <= x.view.ndim:
                for d in range(t.view.ndim):
                    if t.view.shape[d] != x.view.shape[dim + d]:
                        raise IndexError(f"[{op}] The shape of the mask {list(t.shape_tuple())} at index {d} does not match "
                                         f"the shape of the indexed tensor {list(x.shape_tuple())} at index {dim + d}")
                idx.extend(nonzero_columns(t))
            pos.extend(range(dim, dim + t.view.ndim))
            dim += t.view.ndim
        elif t.view.dtype == I64 or t.view.dtype == I32:
            pos.append(dim)
            idx.append(long_index(t))
            dim += 1
        else:
            raise IndexError(f"[{op}] tensors used as indices must be long, int, byte or bool tensors, got "
                             f"{name_of(t.view.dtype)}; convert it with .long()")
    if dim > x.view.ndim:
        raise IndexError(f"[{op}] too many indices for tensor of dimension {x.view.ndim} (got {dim})")
    if not pos:
        raise (IndexError if len(indices) else RuntimeError)(f"[{op}] at least one index tensor is needed, got {len(indices)} indices")
    return pos, idx


def index_put_(input, indices, values, accumulate=False):
    """Write values into input where the tuple of index tensors points, in place: input[indices] = values.

    With accumulate, add them, input[indices] += values, an element that is named several times getting every
    one; the order of the sum is that of the indices, for every number of threads.

    Raises IndexError for an index out of range, RuntimeError for values of another dtype or of a shape that
    does not broadcast to input[indices].

    >>> import taeda
    >>> taeda.zeros(3).index_put_((taeda.tensor([0, 2, 2]),), taeda.tensor(1.0), accumulate=True)
    tensor([1., 0., 2.])
    """
    cdef TensorBase x = as_tensor(input, "index_put_"), v = as_tensor(values, "index_put_"), mask
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"[index_put_] argument 'indices' (position 1) must be tuple of Tensors, not {type(indices).__name__}")
    cdef list items = [as_tensor(item, "index_put_") for item in indices]
    if len(items) > x.view.ndim:                       # masks without dimensions count, too
        raise IndexError(f"[index_put_] too many indices for tensor of dimension {x.view.ndim} (got {len(items)})")
    if len(items) == 1 and (<TensorBase>items[0]).view.dtype == BOOL and v.view.numel == 1 and not accumulate:
        v, mask = to_dtype(v, x.view.dtype), items[0]              # one mask, one value: as masked_fill does
        if mask.view.ndim == 0:
            return (<object>x).masked_fill_(mask, v.reshape(()))
    pos, idx = read_indices(x, items, "index_put_")
    if v.view.dtype != x.view.dtype:
        raise RuntimeError(f"[index_put_] Index put requires the source and destination dtypes match, got "
                           f"{name_of(x.view.dtype)} for the destination and {name_of(v.view.dtype)} for the source")
    return index_put_core(x, pos, idx, v, accumulate, "index_put_")


def index_put(input, indices, values, accumulate=False):
    """Return a copy of input with values written where the index tensors point; see index_put_.

    >>> import taeda
    >>> taeda.index_put(taeda.zeros(3), (taeda.tensor([1]),), taeda.tensor(5.0))
    tensor([0., 5., 0.])
    """
    return written_copy(index_put_, as_tensor(input, "index_put").clone(), indices, values, accumulate)


METHODS = {"index_put": index_put, "index_put_": index_put_}

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A kernel that lacks a dtype runs on copies in a wider one.

a. float16, bfloat16 and the floats of one byte are computed in float32, complex32 in complex64, narrow integers in int32 or int64:
   arithmetic of the wide dtype, written back, is what PyTorch's own kernels for the narrow one give.
b. A complex tensor is two real ones.  Where an op is linear in its tensors (sums, gathers, copies about), the real
   kernel runs on the real parts, then on the imaginary parts; ops that are not linear have complex kernels or are
   composed of others.
c. uint64 is computed in int64, where an op that goes by order would take its upper half for negative numbers: its copies
   have their highest bit turned over, which puts them into the same order.
d. Every view of the dtype is copied, outputs too, since a kernel may add to what stands there; only outputs are copied
   back.  A copy lies as its view does, if that repeats nothing, so that a transposed matrix is read as it lies; else it is
   row-major.  Views of other dtypes (indices, masks) are passed on as they are.

The price is memory traffic: kernels that are hot in a narrow dtype get loops of their own (the pointwise ones have).
"""
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset

from taeda.kernels.cpu.abi cimport (BF16, C32, C64, C128, E4M3FN, F16, F32, F64, I8, I16, I32, I64, MAX_DIM, U16, U32, U64, Kernel,
                                    Param, View)
from taeda.kernels.cpu.runtime cimport cpu_alloc, cpu_free


cdef int wide_of(int dtype) noexcept nogil:
    if dtype == F16 or dtype == BF16 or dtype == C64 or dtype >= E4M3FN:
        return F32
    if dtype == C128:
        return F64
    if dtype == C32:
        return C64
    if dtype == I8 or dtype == I16 or dtype == U16:
        return I32
    if dtype == U32 or dtype == U64:
        return I64
    return -1


cdef int bytes_of(int dtype) noexcept nogil:
    return 4 if dtype == F32 or dtype == I32 else 8


cdef void real_extent(View* v) noexcept nogil:
    """Count the elements again: a view of a matrix or of broadcast memory may still carry its tensor's flags."""
    cdef int d
    v.numel = 1
    for d in range(v.ndim):
        v.numel *= v.shape[d]
    v.contiguous = False


cdef int narrow_view(View* out, View* x, int64_t* strides, int part, int wide) noexcept nogil:
    """The real (0) or imaginary (1) part of a complex view; -1: the view itself."""
    cdef int d
    out[0] = x[0]
    real_extent(out)
    if part < 0:
        return 0
    out.strides = strides
    for d in range(x.ndim):
        strides[d] = 2 * x.strides[d]
    out.dtype, out.itemsize = <uint8_t>wide, <uint8_t>bytes_of(wide)
    out.contiguous = False
    if x.data != NULL:
        out.data = x.data + part * bytes_of(wide)
    return 0


cdef bint dense_as(const View* x, int64_t* strides) noexcept nogil:
    """Strides without gaps in x's order of dimensions, row-major where x repeats elements; returns whether they are row-major."""
    cdef int order[MAX_DIM]
    cdef int d, e, k, n = x.ndim
    cdef int64_t stride = 1
    cdef bint repeats = False, sorted_ = True
    for d in range(n):
        repeats = repeats or (x.strides[d] == 0 and x.shape[d] > 1)
    for d in range(n):                                       # largest stride first; those of dimensions of one element say nothing
        e, k = d, d - 1
        while k >= 0 and not repeats and x.shape[d] > 1 and (x.shape[order[k]] == 1 or x.strides[order[k]] < x.strides[d]):
            if x.shape[order[k]] > 1:
                e = k
            k -= 1
        sorted_ = sorted_ and e == d
        for k in range(d, e, -1):
            order[k] = order[k - 1]
        order[e] = d
    for e in range(n - 1, -1, -1):
        strides[order[e]] = stride
        stride *= x.shape[order[e]] if x.shape[order[e]] > 0 else 1
    return sorted_


cdef void turn_highest_bit(View* x) noexcept nogil:
    """In every element of a copy (they lie without gaps): uint64 to int64 in the same order, and back."""
    cdef uint64_t* words = <uint64_t*>x.data
    cdef int64_t i
    for i in range(x.numel):
        words[i] ^= <uint64_t>1 << 63


cdef int64_t lowered(Kernel kernel, int wide, int dtype, Kernel up, Kernel down, int outputs, int n, View** t, const Param* p,
                     bint ordered) noexcept nogil:
    """Run ``kernel``, of dtype ``wide``, on the n views of t; ``up`` and ``down`` copy from dtype to wide and back.

    ``ordered``: the kernel compares uint64 and hands them on, and does not calculate with them.
    """
    cdef int parts = 2 if dtype == C64 or dtype == C128 else 1, part, k
    cdef int64_t found = 0, dims = 0
    cdef int64_t* strides
    cdef View* copies
    cdef View** views
    cdef View one
    cdef View* pair[2]
    cdef int64_t part_strides[MAX_DIM]
    for k in range(n):
        dims += t[k].ndim if t[k] != NULL else 0
    cdef size_t size = n * (sizeof(View) + sizeof(View*)) + (dims + 1) * sizeof(int64_t)
    cdef char* room = <char*>cpu_alloc(size)
    if room == NULL:
        return -1
    memset(room, 0, size)
    copies = <View*>room
    views = <View**>(copies + n)
    strides = <int64_t*>(views + n)
    for k in range(n):
        views[k] = t[k]
        if t[k] == NULL or t[k].dtype != dtype:
            continue
        copies[k] = t[k][0]
        views[k] = &copies[k]
        real_extent(&copies[k])
        copies[k].dtype, copies[k].itemsize = <uint8_t>wide, <uint8_t>bytes_of(wide)
        copies[k].strides = strides
        strides += t[k].ndim
        copies[k].contiguous = dense_as(t[k], copies[k].strides)
        copies[k].data = NULL
        if copies[k].numel:
            copies[k].data = <char*>cpu_alloc(copies[k].numel * bytes_of(wide))
            if copies[k].data == NULL:
                found = -1
    for part in range(parts):
        if found:
            break
        for k in range(n):
            if views[k] == &copies[k] and copies[k].numel:
                narrow_view(&one, t[k], part_strides, part if parts == 2 else -1, wide)
                pair[0], pair[1] = &copies[k], &one
                up(pair, NULL)
                if ordered:
                    turn_highest_bit(&copies[k])
        found = kernel(views, p)
        for k in range(outputs if found >= 0 else 0):
            if views[k] == &copies[k] and copies[k].numel:
                if ordered:
                    turn_highest_bit(&copies[k])
                narrow_view(&one, t[k], part_strides, part if parts == 2 else -1, wide)
                pair[0], pair[1] = &one, &copies[k]
                down(pair, NULL)
    for k in range(n):
        if copies[k].data != NULL and views[k] == &copies[k]:
            cpu_free(copies[k].data, copies[k].numel * bytes_of(wide))
    cpu_free(room, size)
    return found

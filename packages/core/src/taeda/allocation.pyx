# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""New tensors: memory for results, laid out as PyTorch lays it out; numbers as tensors; views without history."""
from cpython.complex cimport PyComplex_Check
from cpython.float cimport PyFloat_Check
from libc.math cimport fabs, isfinite
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from taeda.autograd.grad_mode cimport inference_enabled
from taeda.dtype cimport dtype_of, is_complex_, is_float, itemsize_of, largest_of, name_of
from taeda.kernels.cpu.abi cimport BOOL, C64, C128, F32, F64, I64, MAX_DIM, U64
from taeda.memory_order cimport dense
from taeda.registry cimport copy_into
from taeda.storage cimport new_storage
from taeda.tensor_base cimport CPU, INLINE_DIM, new_tensor, refresh

cdef extern from *:
    """
    static int taeda_mul_overflow(int64_t a, int64_t b, int64_t *r) { return __builtin_mul_overflow(a, b, r); }
    """
    bint mul_overflow "taeda_mul_overflow"(int64_t a, int64_t b, int64_t* r) noexcept nogil


cdef int set_dtype(TensorBase t, int dtype) noexcept:
    t.view.dtype = <uint8_t>dtype
    t.view.itemsize = <uint8_t>itemsize_of(dtype)
    return 0


cdef TensorBase empty(int ndim, const int64_t* shape, int dtype, int device):
    """A contiguous tensor whose memory is not filled."""
    cdef TensorBase t = new_tensor()
    cdef int64_t n = 1, nbytes
    cdef int d
    cdef bint zero = False
    if ndim > INLINE_DIM:
        t.set_ndim(ndim)
    else:
        t.view.ndim = ndim
    for d in range(ndim - 1, -1, -1):
        t.view.shape[d] = shape[d]
        t.view.strides[d] = n
        if shape[d] == 0:
            zero = True
        elif mul_overflow(n, shape[d], &n):
            raise RuntimeError(f"[empty] Storage size calculation overflowed with sizes={[shape[i] for i in range(ndim)]}")
    if zero:
        for d in range(ndim - 1, -1, -1):          # strides of empty tensors count a size of 0 as 1
            t.view.strides[d] = 1 if d == ndim - 1 else t.view.strides[d + 1] * max(shape[d + 1], 1)
        n = 0
    set_dtype(t, dtype)
    if mul_overflow(n, t.view.itemsize, &nbytes):
        raise RuntimeError(f"[empty] Storage size calculation overflowed with sizes={[shape[i] for i in range(ndim)]}")
    t.storage = new_storage(nbytes, device)
    t.view.data = t.storage.data
    t.view.numel = n
    t.view.contiguous = True
    t.device = <uint8_t>device
    if inference_enabled():
        t.inference = True
    return t


cdef TensorBase empty_like(TensorBase x):
    return empty(x.view.ndim, x.view.shape, x.view.dtype, x.device)


cdef TensorBase empty_shape(object shape, int dtype, int device):
    cdef int64_t sizes[MAX_DIM]
    cdef int i, n = len(shape)
    if n > MAX_DIM:
        raise RuntimeError(f"[empty] a tensor has at most {MAX_DIM} dimensions, got {n}")
    for i in range(n):
        try:
            sizes[i] = shape[i]
        except OverflowError:
            raise RuntimeError(f"[empty] Storage size calculation overflowed with sizes={list(shape)}") from None
        if sizes[i] < 0:
            raise RuntimeError(f"[empty] Trying to create tensor with negative dimension {sizes[i]}: {tuple(shape)}")
    return empty(n, sizes, dtype, device)


cdef int swap_order(const View* t, int n, View** operands, int a, int b, int ndim) noexcept:
    """Which of two dimensions lies further in for the operands, as PyTorch orders them: 1 swap, -1 keep."""
    cdef int64_t x, y
    cdef int k, e, f
    for k in range(n):
        e, f = a - (ndim - operands[k].ndim), b - (ndim - operands[k].ndim)
        x = 0 if e < 0 or (operands[k].shape[e] == 1 and t.shape[a] != 1) else operands[k].strides[e]
        y = 0 if f < 0 or (operands[k].shape[f] == 1 and t.shape[b] != 1) else operands[k].strides[f]
        if x == 0 or y == 0:
            continue
        if x != y:
            return -1 if x < y else 1
        if t.shape[a] > t.shape[b]:
            return 1
    return 0


cdef bint in_rows(const View* x) noexcept:
    """Whether a contiguous operand lies as a new tensor of its shape does, also in dimensions of size 1, whose strides no element shows.

    They count where operands differ in shape: where all have the result's, PyTorch takes what is contiguous for plain.
    """
    cdef int64_t n = 1
    cdef int d
    for d in range(x.ndim - 1, -1, -1):
        if x.strides[d] != n:
            return False
        n *= x.shape[d]
    return True


cdef bint of_shape(const View* x, const View* t) noexcept:
    return x.ndim == t.ndim and memcmp(x.shape, t.shape, t.ndim * sizeof(int64_t)) == 0


cdef TensorBase empty_for(int ndim, const int64_t* shape, int dtype, int device, int n, View** operands):
    """Allocate a result laid out in memory as its operands are, by PyTorch's rule for pointwise results."""
    cdef TensorBase t = empty(ndim, shape, dtype, device)
    cdef int perm[MAX_DIM]
    cdef int i, j, at, c
    cdef int64_t stride = 1
    cdef bint plain = True, alike = True
    if ndim < 2 or t.view.numel <= 1:
        return t
    for i in range(n):
        plain = plain and operands[i].contiguous
        alike = alike and of_shape(operands[i], &t.view)
    for i in range(n):
        if not plain or alike:
            break
        plain = in_rows(operands[i])
    if plain:
        return t
    for i in range(ndim):
        perm[i] = ndim - 1 - i
    for i in range(1, ndim):
        at = i
        for j in range(i - 1, -1, -1):
            c = swap_order(&t.view, n, operands, perm[j], perm[at], ndim)
            if c > 0:
                perm[j], perm[at] = perm[at], perm[j]
                at = j
            elif c < 0:
                break
    for i in range(ndim):
        t.view.strides[perm[i]] = stride
        stride *= t.view.shape[perm[i]]
    refresh(t)
    return t


cdef TensorBase empty_as(TensorBase x, int dtype, int device):
    """Allocate another dtype or device with x's shape and order of dimensions in memory: its very strides where it is dense."""
    cdef View* t[1]
    cdef TensorBase y
    t[0] = &x.view
    if dense(&x.view):
        y = empty(x.view.ndim, x.view.shape, dtype, device)
        memcpy(y.view.strides, x.view.strides, x.view.ndim * sizeof(int64_t))
        y.view.contiguous = x.view.contiguous
        return y
    return empty_for(x.view.ndim, x.view.shape, dtype, device, 1, t)


cdef TensorBase scalar_tensor(object number, int dtype, int device):
    """A 0-d tensor of a Python number; RuntimeError where the dtype does not hold it."""
    cdef TensorBase t = empty(0, NULL, dtype, device)
    cdef object as_int
    if device != CPU:
        return t
    if PyComplex_Check(number) and not is_complex_(dtype) and dtype != BOOL:
        if number.imag != 0:
            raise RuntimeError(f"[tensor] value {number} cannot be converted to type {name_of(dtype)} without overflow; "
                               "its imaginary part would be lost")
        number = number.real
    if dtype == F32:
        (<float*>t.view.data)[0] = <float><double>number
    elif dtype == F64:
        (<double*>t.view.data)[0] = <double>number
    elif dtype == BOOL:
        (<uint8_t*>t.view.data)[0] = bool(number)
    elif dtype == C128:
        number = complex(number)
        (<double*>t.view.data)[0], (<double*>t.view.data)[1] = number.real, number.imag
    elif is_complex_(dtype):
        copy_into(t, scalar_tensor(number, C128, device))
    elif is_float(dtype):
        copy_into(t, scalar_tensor(number, F32, device))
    else:
        if PyFloat_Check(number) and not -9.3e18 < <double>number < 9.3e18:      # nan too
            raise RuntimeError(f"[tensor] value {number} cannot be converted to type {name_of(dtype)} without overflow")
        as_int = int(number)
        lowest, highest = limits_of(dtype)
        if not lowest <= as_int <= highest:
            raise RuntimeError(f"[tensor] value {as_int} cannot be converted to type {name_of(dtype)} without overflow")
        if dtype == I64:
            (<int64_t*>t.view.data)[0] = as_int
        elif dtype == U64:
            (<uint64_t*>t.view.data)[0] = as_int & 0xFFFFFFFFFFFFFFFF
        else:
            copy_into(t, scalar_tensor(as_int, I64, device))
    return t


cdef TensorBase held_scalar(object number, int dtype, int device):
    """``scalar_tensor`` of a number that the dtype must hold: a finite one beyond its range is refused, as it is of integers."""
    cdef double most, re, im = 0
    if is_float(dtype) and dtype != F64 or dtype == C64:
        most = largest_of(dtype)
        if PyComplex_Check(number):
            re, im = number.real, number.imag
        else:
            re = <double>number
        if isfinite(re) and fabs(re) > most or isfinite(im) and fabs(im) > most:
            raise RuntimeError(f"[tensor] value {number} cannot be converted to type {name_of(dtype)} without overflow")
    elif PyFloat_Check(number) and dtype != BOOL and not is_complex_(dtype) and dtype != F64:
        lowest, highest = limits_of(dtype)
        if not max(lowest, 0 if lowest == -highest else lowest) <= number <= highest:      # no wrapping: that is for ints
            raise RuntimeError(f"[tensor] value {number} cannot be converted to type {name_of(dtype)} without overflow")
    return scalar_tensor(number, dtype, device)


cdef tuple limits_of(int dtype):
    """The numbers that an integer dtype takes: its own range, and for unsigned ones, as in PyTorch, negated too."""
    cdef object bits = 8 * itemsize_of(dtype)            # a Python number: 1 << 63 is no C int
    if (<object>dtype_of(dtype)).is_signed:
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return 1 - (1 << bits), (1 << bits) - 1


cdef TensorBase as_strided_view(TensorBase x, int ndim, const int64_t* shape, const int64_t* strides, int64_t offset):
    cdef TensorBase t = new_tensor()
    cdef int64_t n = 1
    cdef int d
    cdef bint over = False, none = False
    for d in range(ndim):                    # strides of 0 need no memory, but elements are counted in 64 bits
        over = mul_overflow(n, shape[d], &n) or over
        none = none or shape[d] == 0
    if over and not none:
        raise RuntimeError(f"[view] numel: integer multiplication overflow for sizes {[shape[d] for d in range(ndim)]}")
    t.set_ndim(ndim)
    if ndim:
        memcpy(t.view.shape, shape, ndim * sizeof(int64_t))
        memcpy(t.view.strides, strides, ndim * sizeof(int64_t))
    t.storage = x.storage
    t.offset = offset
    t.device = x.device
    t.device_index = x.device_index
    t.detached_version = x.detached_version
    t.inference = x.inference
    t.view.dtype = x.view.dtype
    t.view.itemsize = x.view.itemsize
    refresh(t)
    return t

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A tensor's elements as Python numbers, and its memory as NumPy and the buffer protocol see it."""
from cpython.buffer cimport (PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_F_CONTIGUOUS, PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES,
                             PyBUF_WRITABLE)
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport malloc

from taeda.dtype cimport name_of
from taeda.kernels.cpu.abi cimport BF16, BOOL, C64, C128, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64
from taeda.tensor_base cimport CPU, alias

cdef extern from "narrow.h" nogil:
    float f16_to_f32(uint16_t h)
    float bf16_to_f32(uint16_t h)


cdef object element(char* p, int code):
    if code == F32:
        return <double>(<float*>p)[0]
    if code == F64:
        return (<double*>p)[0]
    if code == I64:
        return (<int64_t*>p)[0]
    if code == I32:
        return (<int32_t*>p)[0]
    if code == U8:
        return (<uint8_t*>p)[0]
    if code == BOOL:
        return (<uint8_t*>p)[0] != 0
    if code == I8:
        return (<int8_t*>p)[0]
    if code == I16:
        return (<int16_t*>p)[0]
    if code == U16:
        return (<uint16_t*>p)[0]
    if code == U32:
        return (<uint32_t*>p)[0]
    if code == U64:
        return (<uint64_t*>p)[0]
    if code == F16:
        return <double>f16_to_f32((<uint16_t*>p)[0])
    if code == BF16:
        return <double>bf16_to_f32((<uint16_t*>p)[0])
    if code == C64:
        return complex((<float*>p)[0], (<float*>p)[1])
    if code == C128:
        return complex((<double*>p)[0], (<double*>p)[1])
    return complex(f16_to_f32((<uint16_t*>p)[0]), f16_to_f32((<uint16_t*>p)[1]))


cdef list nested(TensorBase t, int d, char* p):
    cdef int64_t i, step = t.view.strides[d] * t.view.itemsize if t.view.numel else 0      # no elements: any stride
    cdef int last = t.view.ndim - 1
    if t.view.numel == 0 and d == last:
        return []
    if d == last:
        return [element(p + i * step, t.view.dtype) for i in range(t.view.shape[d])]
    return [nested(t, d + 1, p + i * step) for i in range(t.view.shape[d])]


class ArrayHolder:
    """What NumPy keeps as the owner of an array that lies on a tensor's memory."""

    CODES = {"float32": "<f4", "float64": "<f8", "int64": "<i8", "int32": "<i4", "int16": "<i2", "int8": "|i1", "uint8": "|u1",
             "bool": "|b1", "float16": "<f2", "complex64": "<c8", "complex128": "<c16", "uint16": "<u2", "uint32": "<u4",
             "uint64": "<u8"}

    def __init__(self, tensor):
        self.tensor = tensor
        if tensor.dtype.name not in self.CODES:
            raise TypeError(f"[numpy] Got unsupported ScalarType {tensor.dtype.name}")
        self.__array_interface__ = {
            "version": 3, "shape": tuple(tensor.shape), "typestr": self.CODES[tensor.dtype.name],
            "strides": tuple([s * tensor.itemsize for s in tensor.stride()]),
            "data": (tensor.data_ptr() or tensor.untyped_storage().data_ptr() or EMPTY, is_readonly(tensor)),
        }


# dtype -> struct's format; these bytes outlive every buffer that points to them
cdef bint LONG_IS_64 = sizeof(long) == 8         # then NumPy's int64 is a long
cdef dict FORMATS = {"float32": b"f", "float64": b"d", "int64": b"l" if LONG_IS_64 else b"q", "int32": b"i", "int16": b"h", "int8": b"b", "uint8": b"B",
                     "bool": b"?", "float16": b"e", "complex64": b"Zf", "complex128": b"Zd", "uint16": b"H", "uint32": b"I",
                     "uint64": b"L" if LONG_IS_64 else b"Q"}


cdef int fill_buffer(TensorBase t, Py_buffer* b, int flags) except -1:
    """Describe t's memory for the buffer protocol.

    The owner is another tensor on the same memory: t may be given other memory while the buffer is open.
    """
    cdef Py_ssize_t* block
    cdef int d
    form = FORMATS.get(name_of(t.view.dtype))
    if (<object>t).requires_grad:
        raise BufferError("[buffer] a tensor that requires grad has no buffer; use tensor.detach()")
    if t.device != CPU or form is None:
        raise BufferError(f"[buffer] a {name_of(t.view.dtype)} tensor on {(<object>t).device} has no buffer")
    if flags & PyBUF_WRITABLE and t.storage.readonly_:
        raise BufferError("[buffer] the tensor lies on read-only memory")
    strided = flags & PyBUF_STRIDES == PyBUF_STRIDES and flags & PyBUF_C_CONTIGUOUS != PyBUF_C_CONTIGUOUS
    if flags & PyBUF_F_CONTIGUOUS == PyBUF_F_CONTIGUOUS:
        fits = (<object>t).permute(tuple(range(t.view.ndim))[::-1]).is_contiguous()
    else:
        fits = t.view.contiguous or strided and flags & PyBUF_ANY_CONTIGUOUS != PyBUF_ANY_CONTIGUOUS
    if not fits:
        raise BufferError(f"[buffer] the tensor is not contiguous: shape {t.shape_tuple()}, strides {t.stride_tuple()}")
    block = <Py_ssize_t*>malloc(max(2 * t.view.ndim, 1) * sizeof(Py_ssize_t))
    if block == NULL:
        raise MemoryError("[buffer] no memory for the description of a tensor")
    for d in range(t.view.ndim):
        block[d], block[t.view.ndim + d] = t.view.shape[d], t.view.strides[d] * t.view.itemsize
    b.buf = t.view.data if t.view.data != NULL else EMPTY_BYTES
    b.obj = alias(t)
    b.len, b.itemsize, b.readonly = t.view.numel * t.view.itemsize, t.view.itemsize, t.storage.readonly_
    b.ndim = t.view.ndim
    b.format = <char*><bytes>form if flags & PyBUF_FORMAT else NULL
    b.shape = block if flags & PyBUF_ND else NULL
    b.strides = block + t.view.ndim if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
    b.suboffsets = NULL
    b.internal = block
    return 0


cdef char EMPTY_BYTES[64]
EMPTY = <size_t>&EMPTY_BYTES[0]          # NumPy wants an address for arrays without elements too


def is_readonly(TensorBase t):
    """Whether the tensor lies on memory that must not be written."""
    return t.storage.readonly_

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A tensor's elements as Python numbers, and its memory as NumPy and the buffer protocol see it."""
from cpython.buffer cimport (PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_F_CONTIGUOUS, PyBUF_ND, PyBUF_STRIDES,
                             PyBUF_WRITABLE)
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport malloc

from taeda.dtype cimport name_of, torch_name
from taeda.kernels.cpu.abi cimport (BF16, BOOL, C64, C128, E4M3FN, E4M3FNUZ, E5M2, E5M2FNUZ, E8M0FNU, F16, F32, F64, I8, I16, I32, I64,
                                    MAX_DIM, NDTYPES, U8, U16, U32, U64)
from taeda.tensor_base cimport CPU, alias

cdef extern from *:
    """
    typedef struct {                     /* what NumPy's protocol __array_struct__ hands over */
        int two, nd;
        char typekind;
        int itemsize, flags;
        Py_ssize_t *shape, *strides;
        void *data;
        PyObject *descr;
    } ArrayStruct;
    """
    ctypedef struct ArrayStruct:
        int two, nd
        char typekind
        int itemsize, flags
        Py_ssize_t *shape
        Py_ssize_t *strides
        void *data

cdef enum:
    ALIGNED = 0x100                      # of ArrayStruct.flags
    NATIVE = 0x200
    WRITABLE = 0x400

cdef extern from "narrow.h" nogil:
    float f16_to_f32(uint16_t h)
    float bf16_to_f32(uint16_t h)
    float e4m3fn_to_f32(uint8_t v)
    float e5m2_to_f32(uint8_t v)
    float e4m3fnuz_to_f32(uint8_t v)
    float e5m2fnuz_to_f32(uint8_t v)
    float e8m0fnu_to_f32(uint8_t v)


cdef inline int64_t step_of(TensorBase t, int d) noexcept:
    """A stride in bytes; that of a dimension of one element may be any number, so this wraps around."""
    return <int64_t>(<uint64_t>t.view.strides[d] * t.view.itemsize)


cdef object element(char* p, int code):
    """The element at p, of the dtype of a code, as a Python number."""
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
    if code == E4M3FN:
        return <double>e4m3fn_to_f32((<uint8_t*>p)[0])
    if code == E5M2:
        return <double>e5m2_to_f32((<uint8_t*>p)[0])
    if code == E4M3FNUZ:
        return <double>e4m3fnuz_to_f32((<uint8_t*>p)[0])
    if code == E5M2FNUZ:
        return <double>e5m2fnuz_to_f32((<uint8_t*>p)[0])
    if code == E8M0FNU:
        return <double>e8m0fnu_to_f32((<uint8_t*>p)[0])
    return complex(f16_to_f32((<uint16_t*>p)[0]), f16_to_f32((<uint16_t*>p)[1]))


cdef list nested(TensorBase t, int d, char* p):
    cdef bint last = d == t.view.ndim - 1
    cdef int64_t i, step = step_of(t, d), n = 0 if last and t.view.numel == 0 else t.view.shape[d]
    cdef list made = PyList_New(n)                 # at its size from the beginning: appending took a sixth of the time
    cdef object item
    for i in range(n):
        item = element(p + i * step, t.view.dtype) if last else nested(t, d + 1, p + i * step)
        Py_INCREF(item)                            # the list takes it over
        PyList_SET_ITEM(made, i, item)
    return made


# NumPy's letter of each dtype, blank where it has none
cdef str KINDS = "".join(["b" if code == BOOL else "i" if code in (I8, I16, I32, I64) else "u" if code in (U8, U16, U32, U64) else
                          "f" if code in (F16, F32, F64) else "c" if code in (C64, C128) else " " for code in range(NDTYPES)])


cdef char EMPTY[64]                      # NumPy wants an address for arrays without elements too


cdef class ArrayHolder:
    """What NumPy keeps as the owner of an array that lies on a tensor's memory; it reads __array_struct__, which is sooner made."""

    cdef TensorBase tensor
    cdef ArrayStruct seen
    cdef Py_ssize_t steps[MAX_DIM]                     # strides in bytes

    def __init__(self, TensorBase tensor):
        cdef int d
        cdef Py_UCS4 kind = KINDS[tensor.view.dtype]
        if kind == " ":
            raise TypeError(f"[numpy] Got unsupported ScalarType {torch_name(tensor.view.dtype)}: NumPy has none; hint: .float() first")
        self.tensor = tensor
        for d in range(tensor.view.ndim):
            self.steps[d] = step_of(tensor, d)
        self.seen.two, self.seen.nd = 2, tensor.view.ndim
        self.seen.typekind, self.seen.itemsize = <char>kind, tensor.view.itemsize
        self.seen.flags = ALIGNED | NATIVE | (0 if tensor.storage.readonly_ else WRITABLE)
        self.seen.shape, self.seen.strides = <Py_ssize_t*>tensor.view.shape, self.steps
        self.seen.data = tensor.view.data if tensor.view.data != NULL else EMPTY

    @property
    def __array_struct__(self):
        capsule = PyCapsule_New(&self.seen, NULL, forget_owner)
        PyCapsule_SetContext(capsule, <void*>self)
        Py_INCREF(self)
        return capsule


cdef void forget_owner(object capsule) noexcept:
    Py_DECREF(<object>PyCapsule_GetContext(capsule))


# dtype -> struct's format; these bytes outlive every buffer that points to them
cdef bint LONG_IS_64 = sizeof(long) == 8         # then NumPy's int64 is a long
cdef dict FORMATS = {"float32": b"f", "float64": b"d", "int64": b"l" if LONG_IS_64 else b"q", "int32": b"i", "int16": b"h", "int8": b"b",
                     "uint8": b"B", "bool": b"?", "float16": b"e", "complex64": b"Zf", "complex128": b"Zd", "uint16": b"H", "uint32": b"I",
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
        block[d], block[t.view.ndim + d] = t.view.shape[d], step_of(t, d)
    b.buf = t.view.data if t.view.data != NULL else EMPTY
    b.obj = alias(t)
    b.len, b.itemsize, b.readonly = t.view.numel * t.view.itemsize, t.view.itemsize, t.storage.readonly_
    b.ndim = t.view.ndim
    b.format = <char*><bytes>form if flags & PyBUF_FORMAT else NULL
    b.shape = block if flags & PyBUF_ND else NULL
    b.strides = block + t.view.ndim if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
    b.suboffsets = NULL
    b.internal = block
    return 0

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""DLPack 1.0: tensors to and from other array libraries without a copy.

Source: the DLPack specification (dmlc/dlpack, include/dlpack/dlpack.h), versions 0.8 and 1.0.
A capsule's memory belongs to whoever consumes it: its deleter drops the reference to the tensor.
"""
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_IsValid, PyCapsule_New, PyCapsule_SetName
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from taeda.dtype cimport itemsize_of, name_of
from taeda.kernels.cpu.abi cimport (BF16, BOOL, C64, C128, F16, F32, F64, I8, I16, I32, I64, MAX_DIM, U8, U16,
                                    U32, U64)
from taeda.storage cimport foreign_storage
from taeda.tensor_base cimport CPU, TensorBase, new_tensor, refresh

from taeda.device import device as device_type

cdef extern from *:
    """
    #include <stdint.h>
    typedef struct { int32_t device_type; int32_t device_id; } taeda_DLDevice;
    typedef struct { uint8_t code; uint8_t bits; uint16_t lanes; } taeda_DLDataType;
    typedef struct {
        void *data; taeda_DLDevice device; int32_t ndim; taeda_DLDataType dtype;
        int64_t *shape; int64_t *strides; uint64_t byte_offset;
    } taeda_DLTensor;
    typedef struct taeda_DLManaged {
        taeda_DLTensor tensor; void *context; void (*deleter)(struct taeda_DLManaged *);
    } taeda_DLManaged;
    typedef struct taeda_DLVersioned {
        struct { uint32_t major; uint32_t minor; } version;
        void *context; void (*deleter)(struct taeda_DLVersioned *); uint64_t flags; taeda_DLTensor tensor;
    } taeda_DLVersioned;
    """
    ctypedef struct DLDevice "taeda_DLDevice":
        int32_t device_type
        int32_t device_id
    ctypedef struct DLDataType "taeda_DLDataType":
        uint8_t code
        uint8_t bits
        uint16_t lanes
    ctypedef struct DLTensor "taeda_DLTensor":
        void *data
        DLDevice device
        int32_t ndim
        DLDataType dtype
        int64_t *shape
        int64_t *strides
        uint64_t byte_offset
    ctypedef struct DLManaged "taeda_DLManaged":
        DLTensor tensor
        void *context
        void (*deleter)(DLManaged *) noexcept
    ctypedef struct Version:
        uint32_t major
        uint32_t minor
    ctypedef struct DLVersioned "taeda_DLVersioned":
        Version version
        void *context
        void (*deleter)(DLVersioned *) noexcept
        uint64_t flags
        DLTensor tensor

cdef enum:
    READ_ONLY = 1
    COPIED = 2
    CPU_DEVICE = 1

cdef tuple ON_CPU = (CPU_DEVICE, 3, 11)     # types of devices whose memory is the CPU's: also what CUDA and ROCm have pinned
# dtype code -> DLPack's kind: 0 signed, 1 unsigned, 2 float, 4 bfloat, 5 complex, 6 bool
cdef dict KINDS = {U8: 1, U16: 1, U32: 1, U64: 1, I8: 0, I16: 0, I32: 0, I64: 0, F16: 2, F32: 2, F64: 2, BF16: 4, C64: 5, C128: 5, BOOL: 6}


cdef int describe(DLTensor* d, TensorBase t) except -1:
    """Fill in the tensor's description; sizes and strides are copied into one block."""
    cdef int i
    cdef int64_t* block = <int64_t*>malloc(max(2 * t.view.ndim, 1) * sizeof(int64_t))
    if block == NULL:
        raise MemoryError("[dlpack] no memory for the description of a tensor")
    d.data = t.view.data
    d.device.device_type, d.device.device_id = CPU_DEVICE, 0
    d.ndim = t.view.ndim
    d.dtype.code = KINDS[t.view.dtype]
    d.dtype.bits = 8 * t.view.itemsize
    d.dtype.lanes = 1
    d.shape, d.strides = block, block + t.view.ndim
    for i in range(t.view.ndim):
        d.shape[i] = t.view.shape[i]
        d.strides[i] = t.view.strides[i]
    d.byte_offset = 0
    return 0


cdef void drop(DLManaged* m) noexcept with gil:
    free(m.tensor.shape)
    Py_DECREF(<object>m.context)
    free(m)

cdef void drop_versioned(DLVersioned* m) noexcept with gil:
    free(m.tensor.shape)
    Py_DECREF(<object>m.context)
    free(m)

cdef void unused(object capsule) noexcept:
    """A capsule that nobody consumed lets its tensor go."""
    cdef DLManaged* m
    if PyCapsule_IsValid(capsule, "dltensor"):
        m = <DLManaged*>PyCapsule_GetPointer(capsule, "dltensor")
        m.deleter(m)

cdef void unused_versioned(object capsule) noexcept:
    cdef DLVersioned* m
    if PyCapsule_IsValid(capsule, "dltensor_versioned"):
        m = <DLVersioned*>PyCapsule_GetPointer(capsule, "dltensor_versioned")
        m.deleter(m)


def to_capsule(tensor, max_version=None, copy=None, stream=None, dl_device=None):
    """Return a DLPack capsule of a CPU tensor; version 1 if the consumer takes it.

    Raises BufferError for tensors that require grad, on meta, or of a dtype that DLPack has not, and for a device that is not
    the CPU; AssertionError for a stream.
    """
    cdef TensorBase t = <TensorBase?>tensor
    cdef DLManaged* m
    cdef DLVersioned* v
    if stream is not None and not isinstance(stream, int):
        raise TypeError(f"[dlpack] stream must be int or None, got {type(stream).__name__}")
    if stream is not None and stream != -1:
        raise AssertionError(f"[dlpack] stream should be None on cpu, got {stream!r}")
    if dl_device is not None and tuple(dl_device) != (CPU_DEVICE, 0):
        raise BufferError(f"[dlpack] a tensor on the cpu cannot be exported to device {tuple(dl_device)}; move it there first")
    if tensor.requires_grad:
        raise BufferError("[dlpack] Can't export tensors that require gradient, use tensor.detach()")
    if t.device != CPU:
        raise BufferError("[dlpack] a meta tensor has no data to export")
    if t.view.dtype not in KINDS:
        raise BufferError(f"[dlpack] dtype {name_of(t.view.dtype)} is not part of DLPack")
    if copy:
        t = <TensorBase>tensor.clone()
    if max_version is not None and max_version[0] >= 1:
        v = <DLVersioned*>malloc(sizeof(DLVersioned))
        if v == NULL:
            raise MemoryError("[dlpack] no memory for a capsule")
        describe(&v.tensor, t)
        v.version.major, v.version.minor = 1, 0
        v.flags = (READ_ONLY if t.storage.readonly_ else 0) | (COPIED if copy else 0)
        v.context, v.deleter = <void*>t, drop_versioned
        Py_INCREF(t)
        return PyCapsule_New(v, "dltensor_versioned", unused_versioned)
    if t.storage.readonly_:
        raise BufferError("[dlpack] read-only memory can be exported to consumers of DLPack 1.0 only")
    m = <DLManaged*>malloc(sizeof(DLManaged))
    if m == NULL:
        raise MemoryError("[dlpack] no memory for a capsule")
    describe(&m.tensor, t)
    m.context, m.deleter = <void*>t, drop
    Py_INCREF(t)
    return PyCapsule_New(m, "dltensor", unused)


def to_dlpack(tensor):
    """Return a DLPack capsule of the tensor (the older way: pass the tensor itself to a consumer).

    >>> import taeda
    >>> taeda.from_dlpack(taeda.utils.dlpack.to_dlpack(taeda.ones(2)))
    tensor([1., 1.])
    """
    return to_capsule(tensor)


cdef class Owner:
    """Keeps another library's memory until the last tensor on it goes."""

    cdef DLManaged* managed
    cdef DLVersioned* versioned

    def __dealloc__(self):
        if self.managed != NULL and self.managed.deleter != NULL:
            self.managed.deleter(self.managed)
        if self.versioned != NULL and self.versioned.deleter != NULL:
            self.versioned.deleter(self.versioned)


cdef object capsule_of(object x):
    """The capsule that an object gives of its memory, if that is the CPU's; a capsule itself as it is."""
    if not hasattr(x, "__dlpack__"):
        return x
    if hasattr(x, "__dlpack_device__") and x.__dlpack_device__()[0] not in ON_CPU:
        raise BufferError(f"[from_dlpack] the memory is on device {x.__dlpack_device__()}, taeda takes the CPU's")
    try:
        return x.__dlpack__(max_version=(1, 0))
    except TypeError:                                       # a producer from before version 1
        return x.__dlpack__()


cdef DLTensor* take(Owner owner, object capsule, object given) except NULL:
    """Let owner have what is in a capsule, which cannot be used again; return what it says of the tensor."""
    if PyCapsule_IsValid(capsule, "dltensor_versioned"):
        owner.versioned = <DLVersioned*>PyCapsule_GetPointer(capsule, "dltensor_versioned")
        if owner.versioned.version.major > 1:
            major = owner.versioned.version.major
            owner.versioned = NULL
            raise BufferError(f"[from_dlpack] DLPack version {major} is newer than 1")
        PyCapsule_SetName(capsule, "used_dltensor_versioned")
        return &owner.versioned.tensor
    if PyCapsule_IsValid(capsule, "dltensor"):
        owner.managed = <DLManaged*>PyCapsule_GetPointer(capsule, "dltensor")
        PyCapsule_SetName(capsule, "used_dltensor")
        return &owner.managed.tensor
    raise RuntimeError("[from_dlpack] expected an object with __dlpack__ or an unused DLPack capsule (each can be used once), "
                       f"got {type(given).__name__}")


cdef int dtype_for(const DLTensor* d) except -1:
    """The dtype of what DLPack describes; BufferError where taeda has none, or the memory is not the CPU's."""
    if d.device.device_type not in ON_CPU:
        raise BufferError(f"[from_dlpack] the memory is on device type {d.device.device_type}, taeda takes the CPU's")
    for known, kind in KINDS.items():
        if kind == d.dtype.code and 8 * itemsize_of(known) == d.dtype.bits and d.dtype.lanes == 1:
            return known
    raise BufferError(f"[from_dlpack] no dtype for DLPack's kind {d.dtype.code} with {d.dtype.bits} bits and {d.dtype.lanes} lanes")


def from_dlpack(ext_tensor, *, device=None, copy=None):
    """Return a tensor on the memory of an object with ``__dlpack__``, or of a capsule.

    Args:
        ext_tensor: the object or capsule.
        device: where the tensor shall be; without it, where the memory is.
        copy: True copies, False never does (BufferError where one is needed), None where one is needed.

    Raises BufferError for memory that is not the CPU's and dtypes that taeda has not.

    >>> import numpy as np, taeda
    >>> array = np.zeros(2)
    >>> taeda.from_dlpack(array).fill_(7)
    tensor([7., 7.], dtype=taeda.float64)
    >>> array
    array([7., 7.])
    """
    cdef Owner owner = Owner.__new__(Owner)
    cdef DLTensor* d
    cdef TensorBase t
    cdef int i, code
    cdef object reach = 0, step = 1, count = 1          # Python's numbers: they may have more than 64 bits
    if device is not None and device_type(device).type != "cpu":
        if copy is False:
            raise BufferError(f"[from_dlpack] a copy is needed to bring the memory to {device_type(device)}")
        return from_dlpack(ext_tensor).to(device)
    d = take(owner, capsule_of(ext_tensor), ext_tensor)
    readonly = owner.versioned != NULL and (owner.versioned.flags & READ_ONLY) != 0
    code = dtype_for(d)
    if d.ndim < 0 or d.ndim > MAX_DIM:
        raise BufferError(f"[from_dlpack] a tensor has at most {MAX_DIM} dimensions, got {d.ndim}")
    if d.shape == NULL and d.ndim:
        raise BufferError(f"[from_dlpack] {d.ndim} dimensions without sizes: shape is at address 0")
    t = new_tensor()
    t.set_ndim(d.ndim)
    t.view.dtype, t.view.itemsize = code, itemsize_of(code)
    for i in range(d.ndim - 1, -1, -1):
        if step >= 1 << 62:
            raise BufferError("[from_dlpack] the sizes have more than 64 bits")
        t.view.shape[i] = d.shape[i]
        t.view.strides[i] = step if d.strides == NULL else d.strides[i]
        if t.view.shape[i] < 0 or t.view.strides[i] < 0:
            raise BufferError("[from_dlpack] negative sizes and strides cannot be taken over; copy the array first")
        step = step * max(t.view.shape[i], 1)
        count = count * t.view.shape[i]
        reach += <object>max(t.view.shape[i] - 1, 0) * <object>t.view.strides[i]
    if (reach + 1) * t.view.itemsize >= 1 << 62 or count >= 1 << 62:
        raise BufferError("[from_dlpack] the sizes have more than 64 bits")
    if d.data == NULL and count:
        raise BufferError(f"[from_dlpack] {count} elements lie at address 0; the producer has no memory for them")
    t.storage = foreign_storage(<char*>d.data + d.byte_offset, (reach + 1) * t.view.itemsize, owner, readonly)
    refresh(t)
    return (<object>t).clone() if copy else t

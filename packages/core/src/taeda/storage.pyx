# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Storage: one block of memory on one device, shared by every view of it."""
cimport cython
from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove, memset

from taeda.kernels.cpu.runtime cimport shelf_alloc, shelf_free

from importlib import import_module

from taeda import _above, _spoken
from taeda.device import CPU as CPU_DEVICE, META as META_DEVICE
from taeda.kernels.cpu import memory_stats


cdef struct Old:
    char* data
    int64_t capacity
    Old* before


cdef class Retired:
    """Blocks that a storage has outgrown: views made before still point into them, so they live as long as it does."""

    cdef Old* last

    cdef int keep(self, char* data, int64_t capacity) except -1:
        cdef Old* one = <Old*>malloc(sizeof(Old))
        if one == NULL:
            raise MemoryError("[UntypedStorage.resize_] no memory")
        one.data, one.capacity, one.before = data, capacity, self.last
        self.last = one
        return 0

    def __dealloc__(self):
        cdef Old* one
        while self.last != NULL:
            one = self.last
            self.last = one.before
            shelf_free(one.data, one.capacity)
            free(one)


cdef class Shared:
    """Memory that processes share, and what the storage had before: arrays made of that may still point into it."""

    cdef readonly object block
    cdef Retired before
    cdef Py_buffer memory

    def __cinit__(self, block, memory):
        self.block, self.before = block, Retired.__new__(Retired)
        PyObject_GetBuffer(memory, &self.memory, PyBUF_WRITABLE)

    def __dealloc__(self):
        PyBuffer_Release(&self.memory)


cdef object bytes_of(object values):
    """A sequence of ints as bytes; RuntimeError names the first item that is none."""
    cdef list items
    if isinstance(values, (bytes, bytearray, memoryview)):
        return bytes(values)
    if isinstance(values, (str, dict)) or not (hasattr(values, "__getitem__") and hasattr(values, "__len__")):
        raise RuntimeError(f"[UntypedStorage] expected a size or a sequence of ints, got {type(values).__name__}; hint: list(...)")
    items = list(values)                                # once: another time it may give others
    for v in items:
        if not isinstance(v, int) or not 0 <= v < 256:
            raise RuntimeError(f"[UntypedStorage] the items must be ints from 0 to 255, got {v!r} ({type(v).__name__})")
    return bytes(items)


@cython.binding(False)                  # plain method descriptors: they check that self is a Storage
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
@cython.freelist(256)
cdef class Storage:
    """A block of bytes that tensors share (PyTorch's ``UntypedStorage``).

    ``Storage(nbytes)`` allocates, ``Storage([1, 2])`` holds those bytes; ``tensor.untyped_storage()`` gives
    a tensor's own.  It has the writable buffer protocol, so ``memoryview(storage)`` sees the bytes.

    >>> import taeda
    >>> taeda.zeros(3).untyped_storage().nbytes()
    12
    """

    def __cinit__(self, size=None, *, device=None):
        content = None
        if size is None and device is None:         # the road of every new tensor
            return
        if size is None:
            size = 0
        if not isinstance(size, int):
            content = size = bytes_of(size)
            size = len(content)
        if size < 0 or size >= 1 << 62:
            raise RuntimeError(f"[UntypedStorage] the size must not be negative nor above 2**62, got {size}")
        self.device = CPU if device is None or str(device) != "meta" else META
        allocate(self, size)
        if content and self.device == CPU:
            memcpy(self.data, <char*><bytes>content, size)

    def __dealloc__(self):
        if self.capacity:
            shelf_free(self.data, self.capacity)

    def nbytes(self):
        """Return the size in bytes."""
        return self.nbytes_

    def size(self):
        """Return the size in bytes (elements of an untyped storage are bytes)."""
        return self.nbytes_

    def __len__(self):
        return self.nbytes_

    def data_ptr(self):
        """Return the address of the first byte; 0 for none."""
        return <size_t>self.data

    @property
    def _cdata(self):
        """A number that stands for this storage as long as it lives."""
        return id(self)

    @property
    def device(self):
        return META_DEVICE if self.device == META else CPU_DEVICE

    @property
    def _version(self):
        return self.version

    def _increment_version(self):
        """Count a write that nobody else has counted."""
        self.version += 1

    def element_size(self):
        return 1

    def __getitem__(self, index):
        if not isinstance(index, slice):
            return memoryview(self)[index]
        if index.step is not None and index.step != 1:
            raise RuntimeError(f"[UntypedStorage] Trying to slice with a step of {index.step}, but only a step of 1 is supported")
        start, stop, _ = index.indices(self.nbytes_)
        self._check_data("__getitem__")
        # a part is a storage on the same memory; the view of the whole that it holds keeps that memory where it is
        made = <Storage>(<object>type(self)).__new__(type(self))
        made.data, made.nbytes_ = self.data + <int64_t>start, max(stop - start, 0)
        made.owner, made.readonly_ = memoryview(self), self.readonly_
        return made

    def __setitem__(self, index, value):
        if isinstance(index, slice) and isinstance(value, int):
            value = bytes([value]) * len(range(*index.indices(self.nbytes_)))
        if self.device == CPU:
            memoryview(self)[index] = value
        self.version += 1

    def __iter__(self):
        return iter(memoryview(self))

    def tolist(self):
        """Return the bytes as a list of ints."""
        return list(memoryview(self))

    def fill_(self, unsigned char value):
        """Set every byte."""
        self._check_written("fill_")
        if self.device == CPU:
            memset(self.data, value, self.nbytes_)
        self.version += 1
        return self

    def copy_(self, Storage source not None, non_blocking=False):
        """Copy the bytes of a storage of the same size."""
        if source.nbytes_ != self.nbytes_:
            raise RuntimeError(f"[UntypedStorage.copy_] sizes differ: {self.nbytes_} and {source.nbytes_} bytes")
        self._check_written("copy_")
        if self.device == CPU:
            source._check_data("copy_")
            if self.nbytes_:
                memmove(self.data, source.data, self.nbytes_)             # they may be parts of one
        self.version += 1
        return self

    def clone(self):
        """Return a copy."""
        if type(self) is Storage:
            made = new_storage(self.nbytes_, self.device)
        else:
            made = (<object>type(self))(self.nbytes_, device=(<object>self).device)
        return made if self.device == META else made.copy_(self)

    __copy__ = clone

    def __deepcopy__(self, memo):
        if id(self) not in memo:                    # tensors put their copies' storages there too
            memo[id(self)] = self.clone()
        return memo[id(self)]

    def __sizeof__(self):
        return object.__sizeof__(self) + self.nbytes_

    def cpu(self):
        self._check_data("cpu")
        return self

    def resize_(self, int64_t nbytes):
        """Grow or shrink to ``nbytes``; what fits is kept, new bytes are undefined."""
        cdef char* old = self.data
        cdef int64_t old_bytes = self.nbytes_, old_capacity = self.capacity
        if nbytes < 0:
            raise RuntimeError(f"[UntypedStorage.resize_] the size must not be negative, got {nbytes}")
        if self.owner is not None and not isinstance(self.owner, Retired):
            raise RuntimeError("[UntypedStorage.resize_] memory that belongs to another library cannot be resized; "
                               "clone the tensor first")
        if nbytes <= old_capacity or self.device == META:
            self.nbytes_ = nbytes
            return self
        self.data, self.capacity = NULL, 0
        try:
            allocate(self, nbytes)
        except MemoryError:
            self.data, self.capacity, self.nbytes_ = old, old_capacity, old_bytes
            raise
        if old_bytes and nbytes and old != NULL:
            memcpy(self.data, old, min(old_bytes, nbytes))
        if old_capacity:
            if self.owner is None:
                self.owner = Retired.__new__(Retired)
            (<Retired>self.owner).keep(old, old_capacity)
        return self

    def is_shared(self):
        """Whether the bytes lie in memory that processes share."""
        return isinstance(self.owner, Shared)

    def _block(self):
        """What was given to ``_move_into``, None before that."""
        return (<Shared>self.owner).block if isinstance(self.owner, Shared) else None

    def _move_into(self, memory, block):
        """Lie in ``memory``, a writable buffer of ``block``, from now on; whoever holds the old address has to ask again."""
        cdef Shared shared
        self._check_data("share_memory_")
        if self.owner is not None and not isinstance(self.owner, Retired):
            raise RuntimeError("[share_memory_] memory that belongs to another library cannot be moved; clone the tensor first")
        shared = Shared(block, memory)
        if shared.memory.len < self.nbytes_:
            raise ValueError(f"[share_memory_] {self.nbytes_} bytes do not fit into a block of {shared.memory.len}")
        if self.nbytes_:
            memcpy(shared.memory.buf, self.data, self.nbytes_)
        if self.owner is not None:
            shared.before = <Retired>self.owner
        if self.capacity:
            shared.before.keep(self.data, self.capacity)
        self.data, self.capacity, self.owner = <char*>shared.memory.buf if self.nbytes_ else NULL, 0, shared

    def is_pinned(self, device=None):
        """Whether the memory is pinned for a GPU: no."""
        return False

    def get_device(self):
        """Return the GPU's number, -1 on the CPU."""
        return -1

    def resizable(self):
        """Whether the memory is the storage's own, so that ``resize_`` can make it larger."""
        return self.owner is None or isinstance(self.owner, Retired)

    def untyped(self):
        """Return the storage itself."""
        return self

    def new(self):
        """Return an empty storage on the same device."""
        return new_storage(0, self.device)

    def type(self, dtype=None, non_blocking=False):
        """Return the name of the type."""
        if dtype is not None:
            raise RuntimeError(f"[UntypedStorage.type] bytes have no type to convert from, got {dtype!r}; use a TypedStorage")
        return f"{_spoken.name}.storage.UntypedStorage"

    def byteswap(self, dtype):
        """Reverse the bytes of every element of ``dtype``, in place."""
        if self.nbytes_ % dtype.itemsize:
            raise RuntimeError(f"[UntypedStorage.byteswap] {self.nbytes_} bytes are no whole number of elements of {dtype}")
        _above.swap_bytes(memoryview(self), dtype)
        self.version += 1

    @property
    def filename(self):
        return _above.file_name(self)

    @staticmethod
    def from_buffer(buffer, byte_order=None, count=-1, offset=0, *, dtype):
        """Return a copy of the bytes of ``count`` elements of ``dtype`` (-1: all) of a buffer, in this machine's order."""
        return _above.storage_from_buffer(buffer, byte_order, count, offset, dtype=dtype)

    @staticmethod
    def from_file(filename, shared=False, nbytes=0):
        """Return the first bytes of a file, mapped; with ``shared`` the file is written to, and grown if need be."""
        return _above.map_file(filename, shared, nbytes, "UntypedStorage.from_file")

    def share_memory_(self):
        """Move the bytes into memory that processes share; return the storage."""
        return _above.share(self)

    @property
    def is_cuda(self):
        return False

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        self._check_data("memoryview")
        PyBuffer_FillInfo(buffer, self, self.data, self.nbytes_, self.readonly_, flags)

    def __releasebuffer__(self, Py_buffer* buffer):
        pass

    def _check_written(self, op):
        if self.readonly_:
            raise RuntimeError(f"[UntypedStorage.{op}] the storage is read-only memory; clone it before writing")

    def _check_data(self, op):
        if self.device == META and self.nbytes_:
            raise NotImplementedError(f"[UntypedStorage.{op}] a storage on device meta has no data")

    def __reduce__(self):
        return _rebuild, (bytes(memoryview(self)),)

    def __repr__(self):
        lines = "..." if (<object>self).device.type == "meta" else " " + "\n ".join(map(str, (<object>self).tolist()))
        return f"{lines}\n[taeda.storage.UntypedStorage(device={(<object>self).device}) of size {self.nbytes_}]"


class OutOfMemoryError(MemoryError, RuntimeError):
    """The system has no memory for a tensor (Python's MemoryError, and PyTorch's RuntimeError)."""


def _load_from_bytes(content):
    """Return the storage that PyTorch put into a plain pickle, as a file of its own."""
    from io import BytesIO

    return _above.load(BytesIO(content), weights_only=True)


def _rebuild(content):
    storage = Storage(len(content))
    if content:
        memoryview(storage)[:] = content
    return storage


cdef int allocate(Storage s, int64_t nbytes) except -1:
    s.nbytes_ = nbytes
    if nbytes == 0 or s.device == META:
        return 0
    s.data = <char*>shelf_alloc(nbytes)
    if s.data == NULL:
        s.nbytes_ = 0
        raise OutOfMemoryError(
            f"[allocate] out of memory: can't allocate memory: you tried to allocate {nbytes} bytes; taeda holds "
            f"{memory_stats()['allocated_bytes.current']:,} bytes in tensors and its cache has been emptied; "
            "free tensors or use a smaller batch")
    s.capacity = nbytes
    return 0


cdef Storage new_storage(int64_t nbytes, int device):
    cdef Storage s = Storage.__new__(Storage)
    s.device = device
    allocate(s, nbytes)
    return s


cdef Storage foreign_storage(char* data, int64_t nbytes, object owner, bint readonly):
    cdef Storage s = Storage.__new__(Storage)
    s.data, s.nbytes_, s.owner, s.readonly_ = data, nbytes, owner, readonly
    return s


def storage_over(memory, block, int64_t nbytes):
    """Return a storage of the first ``nbytes`` of ``memory``, a writable buffer of ``block`` that processes share."""
    cdef Storage made = Storage.__new__(Storage)
    cdef Shared shared = Shared(block, memory)
    made.owner = shared
    made.data, made.nbytes_ = <char*>shared.memory.buf if nbytes else NULL, min(nbytes, shared.memory.len)
    return made


UntypedStorage = Storage               # PyTorch's name


def __getattr__(name):
    if name == "TypedStorage":         # PyTorch has it in this room too; it is written in Python, on top of this one
        return import_module("taeda.typed_storage").TypedStorage
    raise AttributeError(f"module 'taeda.storage' has no attribute {name!r}")

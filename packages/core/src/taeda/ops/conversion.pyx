# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Tensors from Python's numbers and sequences, and from the memory of other libraries' arrays."""
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
from cpython.list cimport PyList_GET_SIZE
from cpython.tuple cimport PyTuple_GET_SIZE
from libc.stdint cimport int64_t, uint8_t

from taeda.dispatch cimport as_tensor as need_tensor, clone_dense, copy_into, empty_shape, held_scalar, to_dtype
from taeda.dtype cimport code_of, complex_code, default_float, dtype_of, is_complex_, is_float, itemsize_of, promote
from taeda.kernels.cpu.abi cimport BOOL, C128, F32, F64, I64, MAX_DIM
from taeda.ops.creation cimport device_code, finish
from taeda.storage cimport Storage, foreign_storage
from taeda.tensor_base cimport CPU, META, SPARSE, TensorBase, new_tensor as bare_tensor, refresh

import warnings
from itertools import islice

from taeda import _above, _spoken
from taeda._once import warn_once
from taeda.device import CPU as CPU_DEVICE, DEFAULTS, META as META_DEVICE
from taeda.dtype import NAMES


# -- from Python values ------------------------------------------------------------------------------


cdef object nested_shape(object data):
    """The sizes of nested sequences, read off the first item of each."""
    shape = []
    while is_sequence(data):
        n = len(data)
        shape.append(n)
        if n == 0:
            break
        try:
            data = data[0]
        except Exception as e:                             # a table, a sequence by other keys than 0, 1, ...
            raise ValueError(f"[tensor] could not determine the shape of object type '{type(data).__name__}': it has {n} items, but "
                             "none at index 0; hint: its .to_numpy() or list") from e
        if len(shape) > MAX_DIM or (isinstance(data, (str, bytes)) and len(data)):
            raise ValueError(f"[tensor] too many dimensions '{type(data).__name__}'" + (
                "; text is no number: float() reads one, and words are numbered by a vocabulary" if isinstance(data, (str, bytes)) else
                f"; there are {MAX_DIM} at most"))
    return shape


cdef bint is_sequence(object data):
    return isinstance(data, (list, tuple)) or (not isinstance(data, (TensorBase, str, bytes, dict)) and hasattr(data, "__getitem__")
                                               and hasattr(data, "__len__") and getattr(data, "shape", None) != ())


cdef object uneven(int wanted, int depth, Py_ssize_t got):
    return ValueError(f"[tensor] expected sequence of length {wanted} at dim {depth} (got {got}); nested sequences of one depth have "
                      "one length: pad the shorter ones")


cdef int gather(object data, list shape, int depth, int code, list leaves) except -2:
    """Append the numbers of nested sequences to leaves; return their common dtype (-1: none seen yet).

    Of a sequence as many are taken as it has, or says that it has: one that grows while it is read, or goes on beyond its length, has no
    end.
    """
    cdef int last = len(shape) - 1, here
    cdef Py_ssize_t left = (PyList_GET_SIZE(data) if isinstance(data, list) else PyTuple_GET_SIZE(data) if isinstance(data, tuple) else
                            shape[depth] if depth <= last else 0)
    if depth == last and (type(data) is list or type(data) is tuple):
        if 0 in shape:
            return asked_for(data, code)
        if len(data) != shape[depth]:
            raise uneven(shape[depth], depth, len(data))
        for item in data:
            if left == 0:
                break
            left -= 1
            here = leaf_dtype(item)
            code = here if code < 0 or code == here else promote(code, here)
        leaves.extend(data)
        return code
    if depth > last:
        here = leaf_dtype(data)
        leaves.append(data)
        return here if code < 0 else promote(code, here)
    if not is_sequence(data):
        if isinstance(data, TensorBase) and list((<TensorBase>data).shape_tuple()) == shape[depth:]:     # among lists of numbers
            here = (<TensorBase>data).view.dtype
            leaves.extend((<object>data).flatten().tolist())
            return here if code < 0 else promote(code, here)
        if shape[last]:
            leaf_dtype(data)
            raise TypeError(f"[tensor] not a sequence: {data!r} at dim {depth}, where the first item has length {shape[depth]}")
        return asked_for(data, code)
    if len(data) != shape[depth] and 0 not in shape:
        raise uneven(shape[depth], depth, len(data))
    if has(data, "__array_interface__"):
        if 0 not in shape:
            warn_once("list of arrays", "Creating a tensor from a list of numpy.ndarrays is extremely slow; hint: numpy.array(...) of "
                      "the list first")
        name = getattr(getattr(data, "dtype", None), "name", None)
        here = code_of(NAMES[name], "tensor") if name in NAMES else (<TensorBase>as_tensor(data)).view.dtype
        code = here if code < 0 else promote(code, here)
        data = data.tolist()
        if depth == last:
            leaves.extend(data)
            return code
        here = gather(data, shape, depth, -1, leaves)
        return code
    if depth == last:
        if 0 in shape:
            return asked_for(data, code)
        # by position a column of a table gives NumPy's numbers, iterated Python's
        for item in islice(data, left) if isinstance(data, (list, tuple)) else map(data.__getitem__, range(left)):
            here = leaf_dtype(item)
            code = here if code < 0 or code == here else promote(code, here)
        leaves.extend(data if type(data) is list or type(data) is tuple else islice(data, left))
        return code
    for item in islice(data, left):
        code = gather(item, shape, depth + 1, code, leaves)
    return code


cdef int asked_for(object data, int code, int depth=0) except -2:
    """The common dtype of ``code`` and of what lies in or beside an empty sequence, which itself asks for the default."""
    cdef int here
    if depth > MAX_DIM:
        raise ValueError(f"[tensor] too many dimensions '{type(data).__name__}'")
    if is_sequence(data) and not has(data, "__array_interface__"):
        here = default_float()
        for item in (data if len(data) else ()):
            here = asked_for(item, here, depth + 1)
    else:
        here = leaf_dtype(data)
    return here if code < 0 else promote(code, here)


cdef int leaf_dtype(object x) except -2:
    """The dtype that one number asks for."""
    if type(x) is float:
        return default_float()
    if isinstance(x, bool):
        return BOOL
    if type(x) is int:
        return I64
    if isinstance(x, TensorBase):
        return (<TensorBase>x).view.dtype
    if has(x, "__array_interface__"):                  # NumPy's scalars
        if x.dtype.name not in NAMES:
            raise TypeError(f"[tensor] can't convert np.ndarray of type numpy.{x.dtype.name}")
        return code_of(NAMES[x.dtype.name], "tensor")
    if isinstance(x, int):
        return I64
    if isinstance(x, float):
        return default_float()
    if isinstance(x, complex):
        return complex_code(default_float())
    if isinstance(x, (str, bytes)):
        raise TypeError(f"[tensor] new(): invalid data type '{type(x).__name__}'; pass numbers, sequences of them, or arrays")
    if is_sequence(x):
        raise TypeError(f"[tensor] '{type(x).__name__}' object cannot be interpreted as a number: nested sequences must all be "
                        "of one depth")
    raise RuntimeError(f"[tensor] Could not infer dtype of {type(x).__name__}; pass numbers, sequences of them, or arrays")


cdef bint is_number(object data):
    """One of Python's numbers, but for NumPy's, some of which are of these classes too."""
    return isinstance(data, (int, float, complex)) and not has(data, "__array_interface__")


cdef bint is_array(object data):
    return isinstance(data, TensorBase) or has(data, "__array_interface__") or hasattr(data, "__dlpack__")


cdef int need_flag(str op, str name, object value) except -1:
    """True or False, NumPy's among them; 1, 0 and None are slips, as in PyTorch."""
    if not isinstance(value, bool) and type(value).__name__ != "bool":
        raise TypeError(f"[{op}] argument '{name}' must be bool, not {type(value).__name__}")
    return 0


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """Return a new tensor with a copy of ``data``: a number, nested sequences, a NumPy array or a tensor.

    Raises ValueError for ragged sequences, TypeError for what is no number.

    >>> import taeda
    >>> taeda.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    cdef TensorBase t
    cdef list shape, leaves = []
    cdef int code, where = device_code(device, "tensor")
    if requires_grad is not False and requires_grad is not True:
        need_flag("tensor", "requires_grad", requires_grad)
    if isinstance(data, TensorBase):
        warnings.warn(_spoken.said("To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                                   "sourceTensor.detach().clone().requires_grad_(True), rather than taeda.tensor(sourceTensor)."),
                      UserWarning, stacklevel=1)
    elif not isinstance(data, (list, tuple, int, float)):
        data = of_storage(data, dtype)
    if isinstance(data, TensorBase) and (<TensorBase>data).device == SPARSE:
        return finish(_above.sparse_copy(data, dtype), requires_grad)
    if isinstance(data, TensorBase) or (is_array(data) and not (isinstance(data, (list, tuple)) or is_number(data))):
        t = <TensorBase>(data if isinstance(data, TensorBase) else as_tensor(data)).detach()
        t = to_dtype(t, t.view.dtype if dtype is None else code_of(dtype, "tensor"))
        t = clone_dense(t) if where == t.device or (device is None and not <list>DEFAULTS) else (
            <TensorBase>(<object>t).to(META_DEVICE if where == META else CPU_DEVICE, copy=True))
        return finish(t, requires_grad)
    shape = nested_shape(data)
    if not isinstance(data, (list, tuple)):
        empty_shape(tuple(shape), F64, META)       # sizes that have no product, before items are counted one by one
    code = gather(data, shape, 0, -1, leaves)
    if dtype is not None:
        code = code_of(dtype, "tensor")
    elif code < 0:
        code = default_float()
    t = empty_shape(tuple(shape), code, CPU)
    if len(leaves) != t.view.numel:                # a class of lists whose len is not what it holds, or numbers that change the lists
        raise ValueError(f"[tensor] {len(leaves)} numbers for sequences that say that they have shape {tuple(shape)}")
    put(t, leaves, code)
    if where != CPU:
        t = <TensorBase>(<object>t).to(META_DEVICE)
    return finish(t, requires_grad)


cdef int put(TensorBase t, list leaves, int code) except -1:
    """Write Python numbers into a contiguous tensor."""
    cdef Py_ssize_t i, n = len(leaves)
    cdef TensorBase wide
    if code == F32:
        for i in range(n):
            (<float*>t.view.data)[i] = <float><double>leaves[i]
    elif code == F64:
        for i in range(n):
            (<double*>t.view.data)[i] = <double>leaves[i]
    elif code == BOOL:
        for i in range(n):
            (<uint8_t*>t.view.data)[i] = bool(leaves[i])
    elif code == I64:
        for i in range(n):
            v = leaves[i]
            try:
                (<int64_t*>t.view.data)[i] = int(v) if type(v) is not int else v
            except TypeError:
                raise TypeError(f"[tensor] only integer tensors of a single element can be converted to an int, got {v}") from None
            except OverflowError:
                if isinstance(v, float):
                    raise RuntimeError(f"[tensor] value {v} cannot be converted to type int64 without overflow") from None
                raise ValueError(f"[tensor] Overflow when unpacking long long: {v}") from None
            except ValueError:
                if isinstance(v, TensorBase):
                    raise TypeError(f"[tensor] only integer tensors of a single element can be converted to an int, got shape "
                                    f"{tuple(v.shape)}") from None
                raise RuntimeError(f"[tensor] value {v} cannot be converted to type int64 without overflow") from None
    elif is_complex_(code) and code != C128:
        wide = empty_shape((n,), C128, CPU)
        put(wide, leaves, C128)
        copy_into(<TensorBase>(<object>t).view(-1), wide)
    elif code == C128:
        for i in range(n):
            v = complex(leaves[i])
            (<double*>t.view.data)[2 * i], (<double*>t.view.data)[2 * i + 1] = v.real, v.imag
    elif is_float(code):
        wide = empty_shape((n,), F32, CPU)
        put(wide, leaves, F32)
        copy_into(<TensorBase>(<object>t).view(-1), wide)
    else:
        for i in range(n):
            copy_into(<TensorBase>(<object>t).view(-1)[i], held_scalar(leaves[i], code, CPU))
    return 0


def new_tensor(input, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return a copy of ``data`` (numbers, nested lists, an array, a tensor) with the dtype and device of ``input``.

    >>> import taeda
    >>> taeda.ones(1, dtype=taeda.float64).new_tensor([1, 2])
    tensor([1., 2.], dtype=taeda.float64)
    """
    x = need_tensor(input, "new_tensor")
    return tensor(data, dtype=(<object>x).dtype if dtype is None else dtype, device=(<object>x).device if device is None else device,
                  requires_grad=requires_grad)


# -- from other libraries ----------------------------------------------------------------------------

cdef dict FORMATS = {"?": "bool", "B": "uint8", "b": "int8", "h": "int16", "H": "uint16", "i": "int32", "I": "uint32",
                     "l": "int64", "L": "uint64", "q": "int64", "Q": "uint64", "e": "float16", "f": "float32",
                     "d": "float64", "Zf": "complex64", "Zd": "complex128"}


cdef class Buffer:
    """Holds another object's buffer open as long as a storage uses it."""

    cdef Py_buffer info
    cdef bint held

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.info)


cdef TensorBase from_buffer(object x, str op):
    """A tensor on the memory of an object with the buffer protocol."""
    cdef Buffer b = Buffer.__new__(Buffer)
    cdef TensorBase t = bare_tensor()
    cdef int d
    cdef int64_t extent = 0
    try:
        PyObject_GetBuffer(x, &b.info, PyBUF_STRIDED_RO | PyBUF_FORMAT)
    except ValueError as error:                 # NumPy's dates and the like have no buffer
        raise TypeError(f"[{op}] can't convert np.ndarray of type {getattr(x, 'dtype', type(x).__name__)}: {error}") from None
    b.held = True
    if b.info.format != NULL and b.info.format[0] in (b">"[0], b"!"[0]):
        raise ValueError(f"[{op}] given numpy array has byte order different from the native byte order. Conversion between "
                         "byte orders is currently not supported.")
    form = (b.info.format.decode() if b.info.format != NULL else "B").lstrip("@=<") or "B"
    if form not in FORMATS or (form in "lL" and b.info.itemsize != 8):
        kind = getattr(getattr(x, "dtype", None), "type", None)
        raise TypeError(f"[{op}] can't convert np.ndarray of type {form if kind is None else f'numpy.{kind.__name__}'}. The only "
                        "supported types are: float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, "
                        "uint32, uint16, uint8, and bool." + (" Rows of unequal length, None or text make an array of objects."
                                                              if form == "O" else ""))
    t.set_ndim(b.info.ndim)
    t.view.dtype = NAMES[FORMATS[form]].code
    t.view.itemsize = b.info.itemsize
    for d in range(b.info.ndim):
        if b.info.strides[d] < 0:
            raise ValueError(f"[{op}] At least one stride in the given array is negative, and tensors with negative strides are "
                             "not currently supported. (You can probably work around this by making a copy of your array "
                             "with array.copy().)")
        if b.info.strides[d] % b.info.itemsize:
            raise ValueError(f"[{op}] given array strides not a multiple of the element byte size. Copy the array first.")
        t.view.shape[d] = b.info.shape[d]
        t.view.strides[d] = b.info.strides[d] // b.info.itemsize
        extent += (b.info.shape[d] - 1) * b.info.strides[d] if b.info.shape[d] > 0 else 0
    t.storage = foreign_storage(<char*>b.info.buf, extent + b.info.itemsize if b.info.len else 0, b, b.info.readonly)
    refresh(t)
    return t


def from_numpy(ndarray):
    """Return a tensor on the array's own memory: writes to one show in the other.

    Raises TypeError for an element type without a dtype, ValueError for negative strides.  Warns of an array that is not writable.

    >>> import numpy as np, taeda
    >>> array = np.zeros(2)
    >>> taeda.from_numpy(array).fill_(7)
    tensor([7., 7.], dtype=taeda.float64)
    >>> array
    array([7., 7.])
    """
    cdef TensorBase t
    if not has(ndarray, "__array_interface__") or not has(ndarray, "ctypes"):      # a scalar has no ctypes
        raise TypeError(f"[from_numpy] expected np.ndarray (got {type(ndarray).__name__}); taeda.tensor copies numbers and lists")
    t = from_buffer(ndarray, "from_numpy")
    if t.storage.readonly_:
        warn_readonly("NumPy array")
    return t


cdef int warn_readonly(str what) except -1:
    warnings.warn(f"The given {what} is not writable: writing to the tensor will raise an error; clone it to write", UserWarning,
                  stacklevel=1)
    return 0


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """Return a 1-d tensor on the bytes of a buffer, from ``offset`` on, ``count`` elements (-1: all).

    >>> import taeda
    >>> taeda.frombuffer(bytearray(b"abcd"), dtype=taeda.uint8, offset=1)
    tensor([ 98,  99, 100], dtype=taeda.uint8)
    """
    cdef TensorBase bytes_, t
    cdef int code = code_of(dtype, "frombuffer")
    if not PyObject_CheckBuffer(buffer):
        raise ValueError(f"[frombuffer] object does not implement Python buffer protocol: {type(buffer).__name__}")
    bytes_ = from_buffer(memoryview(buffer).cast("B"), "frombuffer")
    itemsize, total = itemsize_of(code), bytes_.view.numel
    if total == 0:
        raise ValueError("[frombuffer] both buffer length (0) and count must not be 0")
    if offset < 0 or offset >= total:
        raise ValueError(f"[frombuffer] offset ({offset} bytes) must be non-negative and no greater than buffer length ({total} "
                         "bytes) minus 1")
    if count < 0:
        if (total - offset) % itemsize:
            raise ValueError(f"[frombuffer] buffer length ({total - offset} bytes) after offset ({offset} bytes) must be a "
                             f"multiple of element size ({itemsize})")
        count = (total - offset) // itemsize
    if count == 0 or offset + count * itemsize > total:
        raise ValueError(f"[frombuffer] requested buffer length ({count} * {itemsize} bytes) after offset ({offset} bytes) must "
                         f"not be greater than actual buffer length ({total} bytes)")
    t = tensor_on(foreign_storage(bytes_.view.data + <int64_t>offset, count * itemsize, bytes_, bytes_.storage.readonly_),
                      code, count)
    if t.storage.readonly_:
        warn_readonly("buffer")
    return finish(t, requires_grad)


cdef TensorBase tensor_on(Storage storage, int code, int64_t count):
    cdef TensorBase t = bare_tensor()
    t.set_ndim(1)
    t.view.shape[0], t.view.strides[0] = count, 1
    t.view.dtype, t.view.itemsize = code, itemsize_of(code)
    t.storage, t.device = storage, storage.device
    refresh(t)
    return t


cdef object of_storage(object data, object dtype):
    """A storage as a tensor on its memory, whose bytes are read in ``dtype`` (int64); anything else as it is."""
    cdef int code
    if not isinstance(data, Storage):
        if not hasattr(type(data), "pickle_storage_type"):              # TypedStorage, of a room above this one
            return data
        if dtype is not None and dtype != data.dtype:
            raise RuntimeError(f"[tensor] expected a storage of {dtype} or an untyped one, got one of {data.dtype}")
        data, dtype = data.untyped(), data.dtype
    code = I64 if dtype is None else code_of(dtype, "tensor")
    return tensor_on(data, code, (<Storage>data).nbytes_ // itemsize_of(code))


def mapped(str op, input, others, function):
    """The values ``function(element, elements of others)`` in the shape and dtype of ``input``: what apply_ and its kin write."""
    if not callable(function):
        raise TypeError(f"[{op}] the function is not callable: {function!r}")
    for t in (input, *others):
        if t.requires_grad:
            raise RuntimeError(f"[{op}] Can't call {op}() on a tensor that requires grad; use tensor.detach().{op}()")
        if t.dtype != input.dtype:
            raise TypeError(f"[{op}] expected tensors of one dtype, got {input.dtype} and {t.dtype}")
    columns = [t.expand(input.shape).reshape(-1).tolist() for t in (input, *others)]
    values = [function(*row) for row in zip(*columns, strict=True)]
    for v in values:
        if not isinstance(v, (int, float)) and not any(hasattr(v, way) for way in ("__float__", "__index__", "__complex__")):
            raise TypeError(f"[{op}] the function must return numbers, got {type(v).__name__}")
    return tensor(values, dtype=input.dtype).reshape(input.shape)


def as_tensor(data, dtype=None, device=None):
    """Return ``data`` as a tensor, sharing memory where it can (tensors, NumPy arrays); ``tensor`` always copies.

    A tensor of the wanted dtype and device is returned itself, with its history.  Numbers and nested lists are copied.

    >>> import taeda
    >>> x = taeda.ones(2)
    >>> taeda.as_tensor(x) is x, taeda.as_tensor([1, 2], dtype=taeda.float64)
    (True, tensor([1., 2.], dtype=taeda.float64))
    """
    cdef TensorBase t
    if isinstance(data, TensorBase):
        return data if dtype is None and device is None else data.to(
            dtype=data.dtype if dtype is None else dtype, device=data.device if device is None else device)
    if isinstance(data, (list, tuple)) and not has(data, "__array_interface__") or is_number(data):
        return tensor(data, dtype=dtype, device=device)
    if has(data, "__array_interface__"):
        if not PyObject_CheckBuffer(data) or not has(data, "ctypes"):      # NumPy's scalars, whose buffers may have no strides
            import numpy
            data = numpy.asarray(data)
        t = from_buffer(data, "as_tensor")
        if t.storage.readonly_:
            t = clone_dense(t)
        return as_tensor(t, dtype, device)
    if hasattr(data, "__dlpack__"):
        from taeda.dlpack import from_dlpack
        return as_tensor(from_dlpack(data), dtype, device)
    data = of_storage(data, dtype)
    if isinstance(data, TensorBase):
        return as_tensor(data, dtype, device)
    return tensor(data, dtype=dtype, device=device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """Return ``obj`` as a tensor; ``copy`` None shares memory where it can, False must, True never does.

    ``requires_grad``: None keeps what a tensor has, with its history; False cuts it off; a leaf that is returned is itself marked
    so.  Raises ValueError where ``copy=False`` would
    need a copy, RuntimeError for NumPy's scalars, which have no memory to share.

    >>> import taeda
    >>> x = taeda.ones(2)
    >>> taeda.asarray(x) is x, taeda.asarray(x, copy=True) is x
    (True, False)
    """
    for name, flag in (("copy", copy), ("requires_grad", requires_grad)):
        if flag is not None:
            need_flag("asarray", name, flag)
    if type(obj).__name__ == "PyCapsule":
        from taeda.dlpack import from_dlpack
        obj = from_dlpack(obj)
    array = has(obj, "__array_interface__")
    is_buffer = PyObject_CheckBuffer(obj) and not array and not isinstance(obj, TensorBase)
    shared = isinstance(obj, TensorBase) or array or is_buffer or hasattr(obj, "__dlpack__")
    if copy is False and array and not has(obj, "ctypes") and PyObject_CheckBuffer(obj) and not isinstance(obj, TensorBase):
        raise RuntimeError("[asarray] can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray.")
    if copy is False and not shared:
        raise ValueError(f"[asarray] can't alias arbitrary sequence into a tensor: {type(obj).__name__}; pass copy=None")
    if isinstance(obj, Storage):                            # on its whole elements, also where there are none
        code = code_of(dtype_of(default_float()) if dtype is None else dtype, "asarray")
        source = tensor_on(obj, code, obj.nbytes() // itemsize_of(code))
    elif is_buffer:
        source = frombuffer(obj, dtype=dtype_of(default_float()) if dtype is None else dtype)
    elif copy is False and has(obj, "ctypes"):
        source = from_numpy(obj)
    else:
        source = as_tensor(obj) if shared else as_tensor(obj, dtype, device)
    t = as_tensor(source, dtype, device)
    if copy is False and t is not source:
        raise ValueError(f"[asarray] can't alias tensor with dtype '{source.dtype}' on {source.device} into dtype '{t.dtype}' on "
                         f"{t.device}; pass copy=None")
    if copy and shared and t is source:
        t = t.clone()
    if requires_grad is None or bool(requires_grad) == t.requires_grad:
        return t
    return (t if requires_grad or t.is_leaf else t.detach()).requires_grad_(bool(requires_grad))


PUBLIC = ("tensor", "from_numpy", "frombuffer", "as_tensor", "asarray")
__all__ = PUBLIC + ("new_tensor",)
METHODS = {"new_tensor": new_tensor}

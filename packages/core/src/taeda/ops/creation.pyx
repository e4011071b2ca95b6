# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Making tensors: from Python values and other arrays, filled, or shaped like another."""
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
from cpython.long cimport PyLong_AsLongLongAndOverflow
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memset

from taeda.dispatch cimport as_tensor as need_tensor, clone_dense, copy_into, empty_as, empty_shape, scalar_tensor, to_dtype
from taeda.dtype cimport (code_of, complex_code, default_float, differentiable, dtype_of, is_complex_, is_float, itemsize_of,
                          name_of, promote)
from taeda.kernels.cpu.abi cimport BOOL, C128, F32, F64, I64, MAX_DIM
from taeda.memory_order cimport dense
from taeda.ops.channels_last cimport channels_innermost
from taeda.storage cimport Storage, foreign_storage
from taeda.tensor_base cimport CPU, META, TensorBase, new_tensor as bare_tensor, refresh

from taeda.device import CPU as CPU_DEVICE, DEFAULTS, META as META_DEVICE, code_of as code_of_device, default_code
from taeda.dtype import NAMES
from taeda.ops.copying import MemoryFormat


# -- shared pieces -----------------------------------------------------------------------------------


cdef TensorBase finish(TensorBase t, bint requires_grad):
    if requires_grad:
        if not differentiable(t.view.dtype):
            raise RuntimeError(f"[tensor] Only Tensors of floating point and complex dtype can require gradients, got "
                               f"{name_of(t.view.dtype)}")
        t.requires_grad_ = True
    return t


cdef bint plain(tuple size) except -1:
    """Are the sizes ints that need no word about them?"""
    cdef int overflow = 0
    cdef long long n
    for s in size:
        if type(s) is not int:
            return False
        n = PyLong_AsLongLongAndOverflow(s, &overflow)
        if overflow or n < 0 or n >= <long long>1 << 62:
            return False
    return True


cdef tuple sizes_of(str op, tuple size, dict named=None):
    """The sizes of f(2, 3), f((2, 3)), f([2, 3]) or f(size=(2, 3)) as a tuple of ints."""
    if named is not None:
        if named:
            for name in named:
                if name not in ("size", "names") or size:
                    raise TypeError(f"[{op}] got an unexpected keyword argument {name!r}")
            size = (named["size"],)
        elif not size:
            raise TypeError(f'[{op}] missing 1 required positional arguments: "size"')
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    if plain(size):
        return size
    found = []
    for s in size:
        if isinstance(s, bool) or not hasattr(s, "__index__"):
            raise TypeError(f"[{op}] sizes must be ints, got {s!r} ({type(s).__name__}) in {size}")
        s = s.__index__()
        if s < 0:
            raise RuntimeError(f"[{op}] Trying to create tensor with negative dimension {s}: {list(size)}")
        if s >= 1 << 62:
            raise RuntimeError(f"[{op}] Storage size calculation overflowed with sizes={list(size)}")
        found.append(s)
    return tuple(found)


cdef int dtype_code(object dtype, str op, int fallback) except -1:
    return fallback if dtype is None else code_of(dtype, op)


cdef int device_code(object device, str op) except -1:
    if device is None:
        return default_code() if <list>DEFAULTS else CPU
    return code_of_device(device, op)


cdef TensorBase filled(tuple size, object value, int dtype, int device):
    cdef TensorBase t = empty_shape(size, dtype, device)
    if device == CPU and t.view.numel:
        set_all(t, value)
    return t


cdef int set_all(TensorBase t, object value) except -1:
    """Give every element of a new tensor the value; zeros of no great number are bytes."""
    cdef int64_t nbytes = t.view.numel * t.view.itemsize
    if nbytes <= 1 << 14 and type(value) is int and value == 0 and dense(&t.view):
        memset(t.view.data, 0, nbytes)
    else:
        copy_into(t, scalar_tensor(value, t.view.dtype, CPU))
    return 0


cdef int check_out(str op, object out, object dtype, object device) except -1:
    """Is ``out`` a tensor of the dtype and on the device that are asked for, if they are?"""
    if not isinstance(out, TensorBase):
        raise TypeError(f"[{op}] argument 'out' must be Tensor, not {type(out).__name__}")
    if dtype is not None and code_of(dtype, op) != (<TensorBase>out).view.dtype:
        raise RuntimeError(f"[{op}] dtype {dtype} does not match dtype of out parameter ({out.dtype})")
    if device is not None and device_code(device, op) != (<TensorBase>out).device:
        raise RuntimeError(f"[{op}] device type {device} does not match device type of out parameter ({out.device})")
    return 0


cdef TensorBase out_or(str op, object out, TensorBase t, object dtype, object device):
    if out is None:
        return t
    check_out(op, out, dtype, device)
    out.resize_(t.shape_tuple())
    return <TensorBase>out if t.device == META else out.copy_(t)


cdef TensorBase in_format(TensorBase t, str op, object memory_format):
    """A new tensor that nothing has been written to, in the memory order that is asked for."""
    if not isinstance(memory_format, MemoryFormat):
        raise TypeError(f"[{op}] argument 'memory_format' must be taeda.memory_format, not {type(memory_format).__name__}")
    if memory_format.name == "preserve_format":
        return t
    if t.view.ndim == {"channels_last": 4, "channels_last_3d": 5}.get(memory_format.name):
        return channels_innermost(t)
    return <TensorBase>(<object>t).contiguous(memory_format=memory_format)


# -- filled ------------------------------------------------------------------------------------------


def empty(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None, **named):
    """Return a tensor of the given size whose elements are whatever was in memory.

    >>> import taeda
    >>> taeda.empty(2, 3).shape
    taeda.Size([2, 3])
    """
    cdef TensorBase t = empty_shape(sizes_of("empty", size, named), dtype_code(dtype, "empty", default_float()),
                                    device_code(device, "empty"))
    if memory_format is not None:
        t = in_format(t, "empty", memory_format)
    if out is None:
        return finish(t, requires_grad)
    check_out("empty", out, dtype, device)
    return out.resize_(t.shape_tuple())


def zeros(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, **named):
    """Return a tensor of zeros.

    >>> import taeda
    >>> taeda.zeros(2)
    tensor([0., 0.])
    """
    t = filled(sizes_of("zeros", size, named), 0, dtype_code(dtype, "zeros", default_float()), device_code(device, "zeros"))
    return out_or("zeros", out, finish(t, requires_grad), dtype, device)


def ones(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, **named):
    """Return a tensor of ones."""
    t = filled(sizes_of("ones", size, named), 1, dtype_code(dtype, "ones", default_float()), device_code(device, "ones"))
    return out_or("ones", out, finish(t, requires_grad), dtype, device)


cdef int need_number(str op, object value) except -1:
    if isinstance(value, (str, bytes)) or not (hasattr(value, "__index__") or hasattr(value, "__float__") or
                                               hasattr(value, "__complex__")):
        raise TypeError(f"[{op}] the value must be a number, not {type(value).__name__}")
    return 0


def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return a tensor of one value; its dtype is the value's unless given.

    >>> import taeda
    >>> taeda.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    cdef int code
    if isinstance(fill_value, TensorBase):
        fill_value = fill_value.item()
    need_number("full", fill_value)
    if not isinstance(fill_value, (int, float, complex)) and hasattr(fill_value, "__index__"):
        fill_value = fill_value.__index__()
    if isinstance(size, int):
        raise TypeError(f"[full] size must be a tuple of ints, got the int {size}; write ({size},)")
    code = BOOL if isinstance(fill_value, bool) else I64 if isinstance(fill_value, int) else (
        complex_code(default_float()) if isinstance(fill_value, complex) else default_float())
    t = filled(sizes_of("full", (size,)), fill_value, dtype_code(dtype, "full", code), device_code(device, "full"))
    return out_or("full", out, finish(t, requires_grad), dtype, device)


cdef TensorBase like(TensorBase x, str op, object dtype, object device, object value, object requires_grad, bint fill,
                     object size=None, object memory_format=None):
    cdef TensorBase t
    cdef int code = dtype_code(dtype, op, x.view.dtype), where = x.device if device is None else device_code(device, op)
    if fill:
        need_number(op, value)
    t = empty_as(x, code, where) if size is None else empty_shape(size, code, where)
    if memory_format is not None:
        t = in_format(t, op, memory_format)
    if fill and where == CPU and t.view.numel:
        set_all(t, value)
    return finish(t, requires_grad)


def empty_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return :func:`empty` with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.empty_like(taeda.ones(2, 3)).shape
    taeda.Size([2, 3])
    """
    return like(need_tensor(input, "empty_like"), "empty_like", dtype, device, 0, requires_grad, False, None, memory_format)

def zeros_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return zeros with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.zeros_like(taeda.tensor([[1, 2]]))
    tensor([[0, 0]])
    """
    return like(need_tensor(input, "zeros_like"), "zeros_like", dtype, device, 0, requires_grad, True, None, memory_format)

def ones_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return ones with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.ones_like(taeda.tensor([[1.0, 2.0]]))
    tensor([[1., 1.]])
    """
    return like(need_tensor(input, "ones_like"), "ones_like", dtype, device, 1, requires_grad, True, None, memory_format)

def full_like(input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return one value with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.full_like(taeda.ones(2), 3)
    tensor([3., 3.])
    """
    return like(need_tensor(input, "full_like"), "full_like", dtype, device, fill_value, requires_grad, True, None, memory_format)

def new_empty(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **named):
    """Return :func:`empty` of the given size with the dtype and device of ``input``."""
    return like(need_tensor(input, "new_empty"), "new_empty", dtype, device, 0, requires_grad, False, sizes_of("new_empty", size, named))

def new_zeros(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **named):
    """Return zeros of the given size with the dtype and device of ``input``."""
    return like(need_tensor(input, "new_zeros"), "new_zeros", dtype, device, 0, requires_grad, True, sizes_of("new_zeros", size, named))

def new_ones(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **named):
    """Return ones of the given size with the dtype and device of ``input``."""
    return like(need_tensor(input, "new_ones"), "new_ones", dtype, device, 1, requires_grad, True, sizes_of("new_ones", size, named))

def new_full(input, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return one value in the given size with the dtype and device of ``input``."""
    if isinstance(size, int):
        raise TypeError(f"[new_full] size must be a tuple of ints, got the int {size}; write ({size},)")
    return like(need_tensor(input, "new_full"), "new_full", dtype, device, fill_value, requires_grad, True,
                sizes_of("new_full", (size,)))

def new_tensor(input, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return :func:`tensor` of ``data`` with the dtype and device of ``input``."""
    x = need_tensor(input, "new_tensor")
    return tensor(data, dtype=(<object>x).dtype if dtype is None else dtype, device=(<object>x).device if device is None else device,
                  requires_grad=requires_grad)

def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return an uninitialised tensor of the given size and strides."""
    size, stride = sizes_of("empty_strided", (size,)), sizes_of("empty_strided", (stride,))
    if len(size) != len(stride):
        raise RuntimeError(f"[empty_strided] mismatch in length of strides and shape: {size} and {stride}")
    reach = 0 if 0 in size else 1 + sum([(s - 1) * st for s, st in zip(size, stride)])
    return finish(<TensorBase>empty(reach, dtype=dtype, device=device).as_strided(size, stride), requires_grad)


def new_empty_strided(input, size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return :func:`empty_strided` with the dtype and device of ``input``."""
    x = need_tensor(input, "new_empty_strided")
    return empty_strided(size, stride, dtype=(<object>x).dtype if dtype is None else dtype,
                         device=(<object>x).device if device is None else device, requires_grad=requires_grad)


def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return ones on the diagonal of an n x m matrix (n x n without m), zeros elsewhere.

    >>> import taeda
    >>> taeda.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    cdef TensorBase t, one
    cdef int64_t i
    m = n if m is None else m
    if n < 0 or m < 0:
        raise RuntimeError(f"[eye] n and m must be greater or equal to 0, got {n} and {m}")
    t = filled(sizes_of("eye", (n, m)), 0, dtype_code(dtype, "eye", default_float()), device_code(device, "eye"))
    if t.device == CPU and t.view.numel:
        one = scalar_tensor(1, t.view.dtype, CPU)
        for i in range(min(t.view.shape[0], t.view.shape[1])):
            memcpy(t.view.data + i * (t.view.shape[1] + 1) * t.view.itemsize, one.view.data, t.view.itemsize)
    return out_or("eye", out, finish(t, requires_grad), dtype, device)


# -- from Python values ------------------------------------------------------------------------------


cdef object nested_shape(object data):
    """The sizes of nested sequences, read off the first item of each."""
    shape = []
    while is_sequence(data):
        n = len(data)
        shape.append(n)
        if n == 0:
            break
        data = data[0]
        if len(shape) > MAX_DIM or (isinstance(data, (str, bytes)) and len(data)):
            raise ValueError(f"[tensor] too many dimensions '{type(data).__name__}'")
    return shape


cdef bint is_sequence(object data):
    return isinstance(data, (list, tuple)) or (not isinstance(data, (TensorBase, str, bytes, dict)) and hasattr(data, "__getitem__")
                                               and hasattr(data, "__len__") and getattr(data, "shape", None) != ())


cdef int gather(object data, list shape, int depth, int code, list leaves) except -2:
    """Append the numbers of nested sequences to leaves; return their common dtype (-1: none seen yet)."""
    cdef int last = len(shape) - 1, here
    if depth == last and (type(data) is list or type(data) is tuple):
        if 0 in shape:
            return code
        if len(data) != shape[depth]:
            raise ValueError(f"[tensor] expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
        for item in data:
            here = leaf_dtype(item)
            code = here if code < 0 or code == here else promote(code, here)
        leaves.extend(data)
        return code
    if depth > last:
        here = leaf_dtype(data)
        leaves.append(data)
        return here if code < 0 else promote(code, here)
    if not is_sequence(data):
        if shape[last]:
            leaf_dtype(data)
            raise TypeError(f"[tensor] not a sequence: {data!r} at dim {depth}, where the first item has length {shape[depth]}")
        return code
    if len(data) != shape[depth] and 0 not in shape:
        raise ValueError(f"[tensor] expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    if hasattr(data, "__array_interface__"):
        here = (<TensorBase>as_tensor(data)).view.dtype
        code = here if code < 0 else promote(code, here)
        data = data.tolist()
        if depth == last:
            leaves.extend(data)
            return code
        here = gather(data, shape, depth, -1, leaves)
        return code
    if 0 in shape and depth == last:
        return code
    for item in data:
        code = gather(item, shape, depth + 1, code, leaves)
    return code


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
    if hasattr(x, "__array_interface__"):                  # NumPy's scalars
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
        raise TypeError(f"[tensor] new(): invalid data type '{type(x).__name__}'")
    if is_sequence(x):
        raise TypeError(f"[tensor] '{type(x).__name__}' object cannot be interpreted as a number: nested sequences must all be "
                        "of one depth")
    raise RuntimeError(f"[tensor] Could not infer dtype of {type(x).__name__}; pass numbers, sequences of them, or arrays")


cdef bint is_array(object data):
    return isinstance(data, TensorBase) or hasattr(data, "__array_interface__") or hasattr(data, "__dlpack__")


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
    if isinstance(data, TensorBase):
        import warnings
        warnings.warn("[tensor] To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                      "sourceTensor.detach().clone().requires_grad_(True), rather than taeda.tensor(sourceTensor).",
                      UserWarning, stacklevel=2)
    if isinstance(data, TensorBase) or (is_array(data) and not isinstance(data, (list, tuple))):
        t = <TensorBase>(data if isinstance(data, TensorBase) else as_tensor(data)).detach()
        t = to_dtype(t, t.view.dtype if dtype is None else code_of(dtype, "tensor"))
        t = clone_dense(t) if where == t.device or (device is None and not <list>DEFAULTS) else (
            <TensorBase>(<object>t).to(META_DEVICE if where == META else CPU_DEVICE, copy=True))
        return finish(t, requires_grad)
    shape = nested_shape(data)
    code = gather(data, shape, 0, -1, leaves)
    if dtype is not None:
        code = code_of(dtype, "tensor")
    elif code < 0:
        code = default_float()
    t = empty_shape(tuple(shape), code, CPU)
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
            copy_into(<TensorBase>(<object>t).view(-1)[i], scalar_tensor(leaves[i], code, CPU))
    return 0


def scalar_tensor_(s, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return a 0-d tensor of a number, of the default float dtype unless given.
    """
    return full((), s, dtype=dtype_of(default_float()) if dtype is None else dtype, device=device, requires_grad=requires_grad)


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
        raise TypeError(f"[{op}] can't convert an array with elements of type {form!r}. The supported types are: float64, "
                        "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8 "
                        "and bool.")
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
    """
    cdef TensorBase t
    if not hasattr(ndarray, "__array_interface__") or not hasattr(ndarray, "ctypes"):      # a scalar has no ctypes
        raise TypeError(f"[from_numpy] expected np.ndarray (got {type(ndarray).__name__})")
    t = from_buffer(ndarray, "from_numpy")
    if t.storage.readonly_:
        warn_readonly("from_numpy", "NumPy array")
    return t


cdef int warn_readonly(str op, str what) except -1:
    import warnings
    warnings.warn(f"[{op}] The given {what} is not writable: writing to the tensor will raise an error; clone it to write", UserWarning,
                  stacklevel=2)
    return 0


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """Return a 1-d tensor on the bytes of a buffer, from ``offset`` on, ``count`` elements (-1: all)."""
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
        warn_readonly("frombuffer", "buffer")
    return finish(t, requires_grad)


cdef TensorBase tensor_on(Storage storage, int code, int64_t count):
    cdef TensorBase t = bare_tensor()
    t.set_ndim(1)
    t.view.shape[0], t.view.strides[0] = count, 1
    t.view.dtype, t.view.itemsize = code, itemsize_of(code)
    t.storage = storage
    refresh(t)
    return t


def as_tensor(data, dtype=None, device=None):
    """Return ``data`` as a tensor, sharing memory where it can (tensors, NumPy arrays)."""
    cdef TensorBase t
    if isinstance(data, TensorBase):
        return data if dtype is None and device is None else data.to(
            dtype=data.dtype if dtype is None else dtype, device=data.device if device is None else device)
    if isinstance(data, (list, tuple, int, float, bool, complex)) and not hasattr(data, "__array_interface__"):
        return tensor(data, dtype=dtype, device=device)
    if hasattr(data, "__array_interface__"):
        if not PyObject_CheckBuffer(data) or not hasattr(data, "ctypes"):      # NumPy's scalars, whose buffers may have no strides
            import numpy
            data = numpy.asarray(data)
        t = from_buffer(data, "as_tensor")
        if t.storage.readonly_:
            t = clone_dense(t)
        return as_tensor(t, dtype, device)
    if hasattr(data, "__dlpack__"):
        from taeda.dlpack import from_dlpack
        return as_tensor(from_dlpack(data), dtype, device)
    return tensor(data, dtype=dtype, device=device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """Return ``obj`` as a tensor; ``copy`` None shares memory where it can, False must, True never does.

    ``requires_grad``: None keeps what a tensor has, with its history; False cuts it off.  Raises ValueError where ``copy=False`` would
    need a copy, RuntimeError for NumPy's scalars, which have no memory to share.
    """
    array = hasattr(obj, "__array_interface__")
    is_buffer = PyObject_CheckBuffer(obj) and not array and not isinstance(obj, TensorBase)
    shared = isinstance(obj, TensorBase) or array or is_buffer or hasattr(obj, "__dlpack__")
    if copy is False and array and not hasattr(obj, "ctypes") and PyObject_CheckBuffer(obj) and not isinstance(obj, TensorBase):
        raise RuntimeError("[asarray] can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray.")
    if copy is False and not shared:
        raise ValueError(f"[asarray] can't alias arbitrary sequence into a tensor: {type(obj).__name__}; pass copy=None")
    if is_buffer:
        source = frombuffer(obj, dtype=dtype_of(default_float()) if dtype is None else dtype)
    elif copy is False and hasattr(obj, "ctypes"):
        source = from_numpy(obj)
    else:
        source = as_tensor(obj) if shared else as_tensor(obj, dtype, device)
    t = as_tensor(source, dtype, device)
    if copy is False and t is not source:
        raise ValueError(f"[asarray] can't alias tensor with dtype '{source.dtype}' on {source.device} into dtype '{t.dtype}' on {t.device}; "
                         "pass copy=None")
    if copy and shared and t is source:
        t = t.clone()
    if requires_grad is None or bool(requires_grad) == t.requires_grad:
        return t
    return finish(<TensorBase>t.detach(), requires_grad)


PUBLIC = (
    "empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like", "empty_strided", "eye", "tensor", "from_numpy", "frombuffer", "as_tensor", "asarray",
)
__all__ = PUBLIC + ("new_empty", "new_empty_strided", "new_zeros", "new_ones", "new_full", "new_tensor", "scalar_tensor_")
METHODS = {"new_empty": new_empty, "new_empty_strided": new_empty_strided, "new_zeros": new_zeros, "new_ones": new_ones, "new_full": new_full, "new_tensor": new_tensor}

# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Making tensors: from Python values and other arrays, filled, counted, or shaped like another."""
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
from libc.stdint cimport int32_t, int64_t, uint8_t

from taeda.dispatch cimport as_tensor as need_tensor, clone_dense, copy_into, empty as empty_raw, empty_shape, scalar_tensor, to_dtype
from taeda.dtype cimport code_of, default_float, dtype_of, is_float, is_integral, itemsize_of, name_of, promote
from taeda.kernels.cpu.abi cimport BOOL, F32, F64, I32, I64, MAX_DIM, U8
from taeda.storage cimport Storage, foreign_storage
from taeda.tensor_base cimport CPU, META, TensorBase, alias, new_tensor as bare_tensor, refresh

import math

from taeda.device import CPU as CPU_DEVICE, META as META_DEVICE, code_of as code_of_device, device as device_class
from taeda.dtype import NAMES


# -- shared pieces -----------------------------------------------------------------------------------


cdef TensorBase finish(TensorBase t, bint requires_grad):
    if requires_grad:
        if not is_float(t.view.dtype):
            raise RuntimeError(f"[tensor] Only Tensors of floating point and complex dtype can require gradients, got "
                               f"{name_of(t.view.dtype)}")
        t.requires_grad_ = True
    return t


cdef tuple sizes_of(str op, tuple size):
    if len(size) == 1 and not isinstance(size[0], int) and hasattr(size[0], "__iter__"):
        size = tuple(size[0])
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
    return CPU if device is None else code_of_device(device, op)


cdef TensorBase filled(tuple size, object value, int dtype, int device):
    cdef TensorBase t = empty_shape(size, dtype, device)
    if device == CPU and t.view.numel:
        copy_into(t, scalar_tensor(value, dtype, CPU))
    return t


cdef TensorBase out_or(object out, TensorBase t):
    if out is None:
        return t
    out.resize_(t.shape_tuple())
    return out.copy_(t)


# -- filled ------------------------------------------------------------------------------------------


def empty(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return a tensor of the given size whose elements are whatever was in memory."""
    cdef TensorBase t = empty_shape(sizes_of("empty", size), dtype_code(dtype, "empty", default_float()),
                                    device_code(device, "empty"))
    return finish(t, requires_grad) if out is None else out.resize_(t.shape_tuple())


def zeros(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return a tensor of zeros.

    >>> import taeda
    >>> taeda.zeros(2)
    tensor([0., 0.])
    """
    t = filled(sizes_of("zeros", size), 0, dtype_code(dtype, "zeros", default_float()), device_code(device, "zeros"))
    return out_or(out, finish(t, requires_grad))


def ones(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return a tensor of ones."""
    t = filled(sizes_of("ones", size), 1, dtype_code(dtype, "ones", default_float()), device_code(device, "ones"))
    return out_or(out, finish(t, requires_grad))


def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return a tensor of one value; its dtype is the value's unless given."""
    cdef int code
    if isinstance(fill_value, TensorBase):
        fill_value = fill_value.item()
    if isinstance(size, int):
        raise TypeError(f"[full] size must be a tuple of ints, got the int {size}; write ({size},)")
    code = BOOL if isinstance(fill_value, bool) else I64 if isinstance(fill_value, int) else default_float()
    t = filled(sizes_of("full", (size,)), fill_value, dtype_code(dtype, "full", code), device_code(device, "full"))
    return out_or(out, finish(t, requires_grad))


cdef TensorBase like(TensorBase x, str op, object dtype, object device, object value, object requires_grad, bint fill,
                     object size=None, object memory_format=None):
    cdef TensorBase t
    cdef int code = dtype_code(dtype, op, x.view.dtype), where = x.device if device is None else device_code(device, op)
    if size is not None or x.view.contiguous:
        t = empty_shape(x.shape_tuple() if size is None else size, code, where)
    else:
        t = ordered_like(x, code, where)
    if memory_format is not None:
        t = <TensorBase>(<object>t).contiguous(memory_format=memory_format) if memory_format.name != "preserve_format" else t
    if fill and where == CPU and t.view.numel:
        copy_into(t, scalar_tensor(value, code, CPU))
    return finish(t, requires_grad)


cdef TensorBase ordered_like(TensorBase x, int dtype, int device):
    """An empty tensor with x's order of dimensions in memory."""
    order = sorted(range(x.view.ndim), key=lambda d: (-x.view.strides[d], d))
    sizes = x.shape_tuple()
    t = empty_shape(tuple([sizes[d] for d in order]), dtype, device)
    back = [0] * len(order)
    for i, d in enumerate(order):
        back[d] = i
    y = <TensorBase>(<object>t).permute(back)
    return alias(y)


def empty_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return :func:`empty` with the size, dtype and device of ``input``."""
    return like(need_tensor(input, "empty_like"), "empty_like", dtype, device, 0, requires_grad, False, None, memory_format)

def zeros_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return zeros with the size, dtype and device of ``input``."""
    return like(need_tensor(input, "zeros_like"), "zeros_like", dtype, device, 0, requires_grad, True, None, memory_format)

def ones_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return ones with the size, dtype and device of ``input``."""
    return like(need_tensor(input, "ones_like"), "ones_like", dtype, device, 1, requires_grad, True, None, memory_format)

def full_like(input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return one value with the size, dtype and device of ``input``."""
    return like(need_tensor(input, "full_like"), "full_like", dtype, device, fill_value, requires_grad, True, None, memory_format)

def new_empty(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return :func:`empty` of the given size with the dtype and device of ``input``."""
    return like(need_tensor(input, "new_empty"), "new_empty", dtype, device, 0, requires_grad, False, sizes_of("new_empty", size))

def new_zeros(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return zeros of the given size with the dtype and device of ``input``."""
    return like(need_tensor(input, "new_zeros"), "new_zeros", dtype, device, 0, requires_grad, True, sizes_of("new_zeros", size))

def new_ones(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return ones of the given size with the dtype and device of ``input``."""
    return like(need_tensor(input, "new_ones"), "new_ones", dtype, device, 1, requires_grad, True, sizes_of("new_ones", size))

def new_full(input, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return one value in the given size with the dtype and device of ``input``."""
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


# -- counted -----------------------------------------------------------------------------------------


def arange(start, end=None, step=1, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return start, start + step, ... below end; int64 for ints, the default float dtype otherwise.

    >>> import taeda
    >>> taeda.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    cdef int64_t i, n, first, by
    cdef double f, d
    cdef TensorBase t
    if end is None:
        start, end = 0, start
    start, end, step = [x.item() if isinstance(x, TensorBase) else x for x in (start, end, step)]
    for x in (start, end, step):
        if not isinstance(x, (int, float)) and not hasattr(x, "__index__") and not hasattr(x, "__float__"):
            raise TypeError(f"[arange] start, end and step must be numbers, got {x!r}")
    whole = all([isinstance(x, int) or hasattr(x, "__index__") for x in (start, end, step)])
    if step == 0:
        raise RuntimeError("[arange] step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"[arange] unsupported range: {start} -> {end}")
    if (end - start) * (1 if step > 0 else -1) < 0:
        raise RuntimeError(f"[arange] upper bound and lower bound inconsistent with step sign: {start} -> {end} by {step}")
    size = -((start - end) // step) if whole else math.ceil((end - start) / step)
    if size >= 1 << 60:
        raise RuntimeError(f"[arange] invalid size, possible overflow: {start} -> {end} by {step} has {size} elements")
    code = dtype_code(dtype, "arange", I64 if whole else default_float())
    where = device_code(device, "arange")
    if code not in (I64, I32, F32, F64, U8):
        return arange(start, end, step, dtype=dtype_of(I64 if whole else F64)).to(dtype)
    t = empty_shape((size,), code, where)
    if where == CPU:
        n = t.view.numel
        if is_float(code):
            f, d = start, step
            if code == F32:
                for i in range(n):
                    (<float*>t.view.data)[i] = <float>(f + d * i)
            else:
                for i in range(n):
                    (<double*>t.view.data)[i] = f + d * i
        else:
            first, by = int(start), int(step)
            if code == I64:
                for i in range(n):
                    (<int64_t*>t.view.data)[i] = first + by * i
            elif code == I32:
                for i in range(n):
                    (<int32_t*>t.view.data)[i] = <int32_t>(first + by * i)
            else:
                for i in range(n):
                    (<uint8_t*>t.view.data)[i] = <uint8_t>(first + by * i)
    return out_or(out, finish(t, requires_grad))


def range_(start, end=None, step=1, **options):
    """Return start, start + step, ... up to and with end (arange leaves the end out)."""
    if end is None:
        start, end = 0, start
    options.setdefault("dtype", dtype_of(default_float()))
    return arange(start, end + step / 2, step, **options)


def linspace(start, end, steps, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return ``steps`` evenly spaced values from start to end, both ends exact."""
    cdef int64_t i, n = steps
    cdef double a, b, h
    cdef float af, bf, hf
    cdef TensorBase t
    cdef int code
    start, end = [x.item() if isinstance(x, TensorBase) else x for x in (start, end)]
    if n < 0:
        raise RuntimeError(f"[linspace] number of steps must be non-negative, got {steps}")
    code = dtype_code(dtype, "linspace", default_float())
    where = device_code(device, "linspace")
    t = empty_shape((n,), code if is_float(code) else F64, where)
    if where == CPU and n:
        # from the nearer end, in the dtype's own precision
        if t.view.dtype == F32:
            af, bf = start, end
            hf = (bf - af) / (n - 1) if n > 1 else 0
            for i in range(n):
                (<float*>t.view.data)[i] = af + hf * i if i < n // 2 or n == 1 else bf - hf * (n - 1 - i)
        else:
            a, b = start, end
            h = (b - a) / (n - 1) if n > 1 else 0
            for i in range(n):
                (<double*>t.view.data)[i] = a + h * i if i < n // 2 or n == 1 else b - h * (n - 1 - i)
    return out_or(out, finish(to_dtype(t, code), requires_grad))


def logspace(start, end, steps, base=10.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """Return ``steps`` values from base^start to base^end, evenly spaced in the exponent."""
    t = full((), base, dtype=dtype_of(F64)).pow(linspace(start, end, steps, dtype=dtype_of(F64), device=device))
    return out_or(out, finish(to_dtype(t, dtype_code(dtype, "logspace", default_float())), requires_grad))


def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return ones on the diagonal of an n x m matrix (n x n without m), zeros elsewhere."""
    m = n if m is None else m
    if n < 0 or m < 0:
        raise RuntimeError(f"[eye] n and m must be greater or equal to 0, got {n} and {m}")
    t = zeros(n, m, dtype=dtype, device=device)
    t.diagonal().fill_(1)
    return out_or(out, finish(t, requires_grad))


# -- from Python values ------------------------------------------------------------------------------


cdef int scan(object data, list shape, int depth, int kind, list leaves) except -2:
    """Walk nested sequences: fill in shape and leaves; return the highest kind seen (0 bool, 1 int, 2 float)."""
    cdef Py_ssize_t n
    cdef TensorBase t
    if isinstance(data, (list, tuple)):
        n = len(data)
        if depth == len(shape):
            shape.append(n)
            if len(shape) > MAX_DIM:
                raise ValueError(f"[tensor] too many dimensions: a tensor has at most {MAX_DIM}")
        elif shape[depth] != n:
            raise ValueError(f"[tensor] expected sequence of length {shape[depth]} at dim {depth} (got {n})")
        for item in data:
            kind = max(kind, scan(item, shape, depth + 1, kind, leaves))
            if depth + 1 < len(shape) and not isinstance(item, (list, tuple)) and not is_array(item):
                raise ValueError(f"[tensor] expected sequence of length {shape[depth + 1]} at dim {depth + 1} (got a number)")
        return kind
    if is_array(data):
        part = data if isinstance(data, TensorBase) else as_tensor(data)
        if part.dim():
            return scan(part.tolist() if part.numel() else [], shape, depth, kind_of(part), leaves) if part.numel() else \
                scan_empty(part, shape, depth, kind)
        t = <TensorBase>part
        leaves.append(part.item())
        kind = max(kind, kind_of(part))
    elif isinstance(data, bool):
        leaves.append(data)
        kind = max(kind, 0)
    elif isinstance(data, int):
        leaves.append(data)
        kind = max(kind, 1)
    elif isinstance(data, float):
        leaves.append(data)
        kind = max(kind, 2)
    elif isinstance(data, (str, bytes)) or data is None:
        raise TypeError(f"[tensor] new(): invalid data type '{type(data).__name__}'")
    elif hasattr(data, "__index__"):
        leaves.append(data.__index__())
        kind = max(kind, 1)
    elif hasattr(data, "__float__"):
        leaves.append(float(data))
        kind = max(kind, 2)
    elif hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        return scan(list(data), shape, depth, kind, leaves)
    else:
        raise TypeError(f"[tensor] could not infer dtype of {type(data).__name__}; pass numbers, sequences of them, or arrays")
    if depth != len(shape):
        if depth < len(shape):
            raise ValueError(f"[tensor] expected sequence of length {shape[depth]} at dim {depth} (got a number)")
    return kind


cdef int scan_empty(object part, list shape, int depth, int kind) except -2:
    if depth == len(shape):
        shape.extend(part.shape)
    return max(kind, kind_of(part))


cdef bint is_array(object data):
    return isinstance(data, TensorBase) or hasattr(data, "__array_interface__") or hasattr(data, "__dlpack__")


cdef int kind_of(object t):
    cdef int code = (<TensorBase>t).view.dtype
    return 0 if code == BOOL else 1 if is_integral(code) else 2


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """Return a new tensor with a copy of ``data``: a number, nested sequences, a NumPy array or a tensor.

    Raises ValueError for ragged sequences, TypeError for what is no number.

    >>> import taeda
    >>> taeda.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    cdef TensorBase t
    cdef list shape = [], leaves = []
    cdef int kind, code, where = device_code(device, "tensor")
    cdef Py_ssize_t i, n
    if isinstance(data, TensorBase):
        import warnings
        warnings.warn("[tensor] To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                      "sourceTensor.detach().clone().requires_grad_(True), rather than taeda.tensor(sourceTensor).",
                      UserWarning, stacklevel=2)
    if is_array(data) and not isinstance(data, (list, tuple)):
        t = <TensorBase>(data if isinstance(data, TensorBase) else as_tensor(data)).detach()
        t = to_dtype(t, t.view.dtype if dtype is None else code_of(dtype, "tensor"))
        t = clone_dense(t) if device is None or where == t.device else <TensorBase>(<object>t).to(device, copy=True)
        return finish(t, requires_grad)
    kind = scan(data, shape, 0, -1, leaves)
    code = dtype_code(dtype, "tensor", default_float() if kind == 2 or kind < 0 else I64 if kind == 1 else BOOL)
    n = 1
    for i in range(len(shape)):
        n *= <Py_ssize_t>shape[i]
    if n != len(leaves):
        raise ValueError(f"[tensor] ragged nested sequences: shape {shape} needs {n} numbers, got {len(leaves)}")
    t = empty_shape(tuple(shape), code if where == CPU else code, CPU)
    put(t, leaves, code)
    if where != CPU:
        t = <TensorBase>(<object>t).to(device)
    return finish(t, requires_grad)


cdef int put(TensorBase t, list leaves, int code) except -1:
    """Write Python numbers into a contiguous tensor."""
    cdef Py_ssize_t i, n = len(leaves)
    cdef double f
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
            except OverflowError:
                raise RuntimeError(f"[tensor] Overflow when unpacking long long: {v}") from None
    else:
        for i in range(n):
            copy_into(<TensorBase>(<object>t).view(-1)[i], scalar_tensor(leaves[i], code, CPU))
    return 0


def scalar_tensor_(s, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return a 0-d tensor of a number, of the default float dtype unless given."""
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
    PyObject_GetBuffer(x, &b.info, PyBUF_STRIDED_RO | PyBUF_FORMAT)
    b.held = True
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

    Raises TypeError for an element type without a dtype, ValueError for negative strides.
    """
    if not hasattr(ndarray, "__array_interface__"):
        raise TypeError(f"[from_numpy] expected np.ndarray (got {type(ndarray).__name__})")
    return from_buffer(ndarray, "from_numpy")


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """Return a 1-d tensor on the bytes of a buffer, from ``offset`` on, ``count`` elements (-1: all)."""
    cdef TensorBase bytes_ = from_buffer(memoryview(buffer).cast("B"), "frombuffer"), t
    cdef int code = code_of(dtype, "frombuffer")
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
    if isinstance(data, (list, tuple, int, float, bool)):
        return tensor(data, dtype=dtype, device=device)
    if hasattr(data, "__array_interface__"):
        if not PyObject_CheckBuffer(data) or not data.__array_interface__["shape"] and not hasattr(data, "flags"):
            import numpy
            data = numpy.asarray(data)
        try:
            t = from_buffer(data, "as_tensor")
        except ValueError:
            t = from_buffer(data.copy(), "as_tensor")
        if t.storage.readonly_:
            t = clone_dense(t)
        return as_tensor(t, dtype, device)
    if hasattr(data, "__dlpack__"):
        from taeda.dlpack import from_dlpack
        return as_tensor(from_dlpack(data), dtype, device)
    return tensor(data, dtype=dtype, device=device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """Return ``obj`` as a tensor; ``copy`` None shares memory where it can, False must, True never does."""
    shared = isinstance(obj, TensorBase) or hasattr(obj, "__array_interface__") or hasattr(obj, "__dlpack__") or (
        PyObject_CheckBuffer(obj))
    if PyObject_CheckBuffer(obj) and not isinstance(obj, TensorBase) and not hasattr(obj, "__array_interface__"):
        t = frombuffer(obj, dtype=dtype_of(default_float()) if dtype is None else dtype)
    else:
        t = as_tensor(obj, dtype, device)
    if copy and shared:
        t = t.detach().clone()
    elif copy is False and (not shared or (isinstance(obj, TensorBase) and t is not obj)):
        raise ValueError("[asarray] can't alias memory: this object or dtype needs a copy; pass copy=None")
    return finish(<TensorBase>t.detach(), True) if requires_grad else t


PUBLIC = (
    "empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like", "empty_strided", "arange",
    "linspace", "logspace", "eye", "tensor", "from_numpy", "frombuffer", "as_tensor", "asarray",
)
__all__ = PUBLIC + ("new_empty", "new_zeros", "new_ones", "new_full", "new_tensor", "range_", "scalar_tensor_")
METHODS = {"new_empty": new_empty, "new_zeros": new_zeros, "new_ones": new_ones, "new_full": new_full, "new_tensor": new_tensor}

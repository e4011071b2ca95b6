# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What an op is handed: checks of its arguments, and PyTorch's rules for the dtype and shape of what comes of them."""
from cpython.bool cimport PyBool_Check
from cpython.complex cimport PyComplex_Check
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check, PyFloat_CheckExact
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_Check, PyLong_CheckExact
from cpython.number cimport PyIndex_Check

from taeda.dtype cimport complex_code, default_float, is_complex_, is_float, is_integral, promote, refuse_float8
from taeda.kernels.cpu.abi cimport BOOL, C64, F16, F32, F64, I64
from taeda.registry cimport device_name, no_stand_in
from taeda.tensor_base cimport CPU, STAND_IN, is_wrapper

from taeda.registry import NoStorage

cdef extern from *:
    """
    static __thread int64_t taeda_relaid = 0;
    static int64_t taeda_times_relaid(int more) { return taeda_relaid += more; }
    """
    int64_t times_relaid "taeda_times_relaid"(int more) noexcept


# -- arguments ---------------------------------------------------------------------------------------


cdef int no_memory(str op, TensorBase t) except -1:
    """Refuse a tensor that has no memory which a kernel could read."""
    if is_wrapper(t):
        raise NoStorage(f"[{op}] Cannot access data pointer of Tensor that doesn't have storage: {type(t).__name__}.__torch_dispatch__ "
                        "was not asked for this use of the op")
    return no_stand_in(op, t.device)


cdef TensorBase as_tensor(object x, str op):
    if isinstance(x, TensorBase):
        if (<TensorBase>x).device >= STAND_IN:              # or a sparse tensor
            no_memory(op, <TensorBase>x)
        return <TensorBase>x
    raise TypeError(f"[{op}] argument must be Tensor, not {type(x).__name__}{tensor_from(x)}")


def need_tensor(str op, str name, x):
    """Raise TypeError unless the argument ``name`` is a tensor."""
    if not isinstance(x, TensorBase):
        raise TypeError(f"[{op}] argument '{name}' must be Tensor, not {type(x).__name__}{tensor_from(x)}")


def tensor_from(x):
    """Say how what stands where a tensor should becomes one; nothing where no one can know."""
    if x is None:
        return "; did a function forget to return it?"
    if isinstance(x, (tuple, list)):
        if any([isinstance(e, TensorBase) for e in x]):
            return "; choose one of its tensors, or join them with taeda.stack or taeda.cat"
        return "; wrap it with taeda.tensor(...)"
    if isinstance(x, dict):
        return "; choose one of its values"
    if isinstance(x, str):
        return ""
    if hasattr(x, "getbands"):                              # Pillow's
        return "; vision.transforms.ToTensor makes an image a tensor"
    return "; wrap it with taeda.tensor(...)"


cdef int check_same_device(str op, tuple tensors) except -1:
    cdef TensorBase first = None, t
    for x in tensors:
        if x is None:
            continue
        t = <TensorBase>x
        if t.device >= STAND_IN:
            no_memory(op, t)
        if first is None:
            first = t
        elif t.device != first.device and (t.device or t.view.ndim):         # a tensor without dimensions on the CPU counts as a number
            raise RuntimeError(f"[{op}] Expected all tensors to be on the same device, but found at least two devices, "
                               f"{device_name(first.device)} and {device_name(t.device)}; move one with .to(...)")
    return 0


cdef int64_t relaid(int more) noexcept:
    return times_relaid(more)


def as_index(op, x):
    """Return ``x.__index__()``; what a call has checked of its tensors must still hold afterwards, so it may change no layout."""
    cdef int64_t before = relaid(0)
    try:
        i = x.__index__()
    except TypeError as error:              # an array of floats, or of several elements
        raise TypeError(f"[{op}] argument must be int, not {type(x).__name__}; got {x!r}") from error
    if relaid(0) != before:
        raise RuntimeError(f"[{op}] the __index__ of {type(x).__name__} changed a tensor's layout in the middle of a call")
    return i


cdef object read_number(str op, str name, object x, str kind):
    if PyLong_CheckExact(x) or PyFloat_CheckExact(x) or PyBool_Check(x):
        return x
    if isinstance(x, TensorBase):
        if (<TensorBase>x).view.ndim or x.requires_grad:
            raise TypeError(f"[{op}] argument '{name}' must be {kind}, not Tensor, but for one without dimensions and gradient; got shape "
                            f"{(<TensorBase>x).shape_tuple()}")
        return x.item()
    if type(x).__module__ == "numpy" and hasattr(x, "item"):
        if hasattr(x, "__setitem__"):
            raise TypeError(f"[{op}] argument '{name}' must be {kind}, not {type(x).__name__}; got shape {x.shape}; give its .item()")
        x = x.item()
        return float(x) if PyBool_Check(x) else x                # PyTorch takes numpy.bool_ for a float
    if PyIndex_Check(x):
        return as_index(op, x)
    if PyComplex_Check(x):
        return x
    for read in (float, complex):
        if hasattr(x, f"__{read.__name__}__"):
            return read(x)
    raise TypeError(f"[{op}] argument '{name}' must be {kind}, not {type(x).__name__}; got {x!r}")


cpdef object plain_number(str op, str name, object x):
    """An argument that must be a number, as one of Python's; a tensor without dimensions and gradient stands for its element."""
    return read_number(op, name, x, "Number")


cpdef double real_number(str op, str name, object x) except? -1:
    """An argument that must be a real number; see :func:`plain_number`."""
    if not PyFloat_CheckExact(x):
        x = read_number(op, name, x, "float")
        if PyComplex_Check(x):
            raise TypeError(f"[{op}] argument '{name}' must be float, not complex; got {x}")
    return x


cdef int64_t integer(object x, str op) except? -1:
    cdef int overflow = 0
    cdef int64_t i
    if not PyLong_Check(x):
        if not PyIndex_Check(x):
            raise TypeError(f"[{op}] argument must be int, not {type(x).__name__}; got {x!r}")
        x = as_index(op, x)
    elif x is True or x is False:
        raise TypeError(f"[{op}] argument must be int, not bool; got {x}")
    i = PyLong_AsLongLongAndOverflow(x, &overflow)
    if overflow:
        raise ValueError(f"[{op}] Overflow when unpacking long long: {x} has more than 64 bits")
    return i


cdef int wrap_dim(str op, object dim, int ndim) except -1:
    cdef int n = ndim if ndim > 0 else 1
    cdef int64_t d = integer(dim, op)
    if d < -n or d >= n:
        raise IndexError(f"[{op}] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})")
    return <int>(d + n if d < 0 else d)


def wrapped_dim(str op, dim, int ndim):
    """Return a dimension counted from the front (a number has one, of size 1); IndexError if there is none such, TypeError for no int."""
    return wrap_dim(op, dim, ndim)


cdef int check_partial_overlap(str op, TensorBase a, TensorBase b) except -1:
    """In-place with an operand that shares some, not all, of the written memory would read its own results."""
    if a.storage is b.storage and meet(a, b) and not (
            a.view.data == b.view.data and a.view.numel == b.view.numel and (a.view.numel == 1 or a.stride_tuple() == b.stride_tuple())):
        raise shared_memory(op, b)
    return 0


def refuse_overlap(str op, written, *read):
    """Raise RuntimeError where an element of ``written``, a tensor or several, shares memory with another, or with one of ``read``."""
    cdef TensorBase x, t
    cdef int d
    if not isinstance(written, TensorBase):
        for part in written if isinstance(written, (tuple, list)) else ():
            refuse_overlap(op, part, *read)
        return
    x = <TensorBase>written
    for d in range(x.view.ndim):
        if x.view.strides[d] == 0 and x.view.shape[d] > 1:
            raise RuntimeError(f"[{op}] unsupported operation: more than one element of the written-to tensor of shape {x.shape_tuple()} "
                               "refers to a single memory location. Please clone() the tensor before performing the operation.")
    for other in read:
        if isinstance(other, TensorBase):
            t = <TensorBase>other
            if t.storage is x.storage and meet(x, t):
                raise shared_memory(op, t)


cdef object shared_memory(str op, TensorBase t):
    return RuntimeError(f"[{op}] unsupported operation: some elements of the input tensor of shape {t.shape_tuple()} and the written-to "
                        "tensor refer to a single memory location. Please clone() the tensor before performing the operation.")


cdef bint meet(TensorBase a, TensorBase b) noexcept:
    """Do two views of one storage have memory in common?  Answered, as in PyTorch, for those without gaps or repetitions."""
    return a.view.data != NULL and dense(a) and dense(b) and (
        a.view.data < b.view.data + b.view.numel * b.view.itemsize and b.view.data < a.view.data + a.view.numel * a.view.itemsize)


cdef bint dense(TensorBase x) noexcept:
    """Does x fill its memory from its first element on, in whatever order of the dimensions?"""
    cdef int64_t reach = 1
    cdef int d
    if x.view.contiguous or x.view.numel == 0:
        return x.view.numel > 0
    for d in range(x.view.ndim):
        reach += (x.view.shape[d] - 1) * x.view.strides[d]
    return reach == x.view.numel


# -- shapes and dtypes -------------------------------------------------------------------------------


cdef tuple broadcast_shapes(str op, tuple a, tuple b):
    cdef int na = len(a), nb = len(b), n = na if na > nb else nb, i
    cdef list shape = [0] * n
    for i in range(1, n + 1):
        x = a[na - i] if i <= na else 1
        y = b[nb - i] if i <= nb else 1
        if x != y and x != 1 and y != 1:
            raise RuntimeError(
                f"[{op}] The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension "
                f"{n - i}; got shapes {a} and {b}")
        shape[n - i] = y if x == 1 else x
    return tuple(shape)


cdef int combine(int high, int low) noexcept:
    """PyTorch's combination of operand groups: the lower one counts only if its kind is higher."""
    if high < 0:
        return low
    if low < 0 or is_complex_(high):
        return high
    if is_float(high):
        if not is_complex_(low):
            return high
        return C64 if high == F16 else complex_code(high)          # of the precision of high; nothing is computed in complex32
    if high == BOOL or is_float(low) or is_complex_(low):
        return promote(high, low)
    return high


cdef int group(TensorBase t) noexcept:
    return 2 if t.wrapped_number else 1 if t.view.ndim == 0 else 0


cdef int mixed_type(TensorBase a, TensorBase b) except -1:
    cdef int ga = group(a), gb = group(b)
    if ga == gb:
        refuse_float8(a.view.dtype, b.view.dtype)
        return promote(a.view.dtype, b.view.dtype)
    if ga < gb:
        return combine(a.view.dtype, b.view.dtype)
    return combine(b.view.dtype, a.view.dtype)


cdef bint castable(int from_, int to) noexcept:
    """May a result of one dtype be stored in another?  Never to a lower kind."""
    if is_float(from_) and is_integral(to) or is_complex_(from_) and not is_complex_(to):
        return False
    return not (to == BOOL and from_ != BOOL)


cdef int number_dtype(object x) noexcept:
    """The dtype of a Python number as an operand, or -1 for anything else."""
    if PyFloat_Check(x):
        return default_float()
    if PyBool_Check(x):
        return BOOL
    if PyLong_Check(x):
        return I64
    if PyComplex_Check(x):
        return complex_code(default_float())
    return -1


cdef bint as_number(object x, TensorBase beside, Number* n) noexcept:
    """Lay a Python float or int beside a tensor of float32 or float64 out as a 0-d operand; False where it takes a tensor's making."""
    cdef int overflow
    if beside.device != CPU or (beside.view.dtype != F32 and beside.view.dtype != F64):
        return False
    if PyFloat_CheckExact(x):
        n.wide = PyFloat_AS_DOUBLE(x)
    elif PyLong_CheckExact(x):
        n.wide = <double>PyLong_AsLongLongAndOverflow(x, &overflow)
        if overflow:
            return False
    else:
        return False
    n.narrow = <float>n.wide
    n.view.data = <char*>&n.narrow if beside.view.dtype == F32 else <char*>&n.wide
    n.view.shape, n.view.strides = beside.view.shape, beside.view.strides            # of which ndim lets nobody see a thing
    n.view.ndim, n.view.numel, n.view.contiguous = 0, 1, True
    n.view.dtype, n.view.itemsize = beside.view.dtype, beside.view.itemsize
    return True


cdef object in_64_bits(str op, object x):
    """An int as an operand: of 64 bits, those of an unsigned one read as a signed one's."""
    if -(1 << 63) <= x < (1 << 63):
        return x
    if 0 <= x < (1 << 64):
        return x - (1 << 64)
    raise OverflowError(f"[{op}] int too big to convert: {x} has more than 64 bits")

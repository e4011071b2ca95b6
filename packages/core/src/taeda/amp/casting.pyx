# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Autocast's state, one a thread, and the casts that it makes of a call's arguments.

``_override`` calls ``cast_arguments`` for the functions that ``_autocast`` lists, and for no other; while it is off, nothing here
is even looked at.  Casts of float32 leaves that require grad, the weights, are kept until the outermost ``autocast`` block ends.
"""
from taeda.autograd.grad_mode cimport grad_enabled
from taeda.autograd.node cimport grad_fn_of
from taeda.dispatch cimport to_dtype
from taeda.dtype cimport code_of, dtype as dtype_class, dtype_of, is_float, promote
from taeda.kernels.cpu.abi cimport BF16, F16, F32, F64
from taeda.tensor_base cimport CPU, TensorBase, is_wrapper

from _thread import _local

from taeda import _autocast
from taeda._override import set_caster, set_casting
from taeda.device import device as device_class

cdef enum Policy:                # the numbers of taeda._autocast
    LOWER = 1
    FLOAT32 = 2
    WIDEST = 3
    AS_STATE = 4
    AS_IS = 5
    PADDING = 6

assert (_autocast.LOWER, _autocast.FLOAT32, _autocast.WIDEST, _autocast.AS_STATE, _autocast.AS_IS, _autocast.PADDING) == (
    LOWER, FLOAT32, WIDEST, AS_STATE, AS_IS, PADDING)

# What each device's lower precision is until set_autocast_dtype: these are all the devices that PyTorch has autocast for.
cdef dict DTYPES = {"cpu": BF16, "cuda": F16, "ipu": F16, "xpu": F16, "xla": BF16, "mps": F16, "hpu": BF16, "maia": BF16, "mtia": F16,
                    "privateuseone": F16}


class State(_local):
    """A thread's autocast: what is on for which device, and the casts that are kept."""

    def __init__(self):
        self.enabled = set()                     # names of devices
        self.dtypes = {}                         # device -> code, where set
        self.cached = True                       # may casts of weights be kept?
        self.nesting = 0
        self.casts = {}                          # id of a leaf -> (leaf, its version, dtype code, cast)


cdef object state = State()


# -- casts -------------------------------------------------------------------------------------------


cdef bint eligible(object x):
    return (isinstance(x, TensorBase) and ((<TensorBase>x).device == CPU or is_wrapper(<TensorBase>x))
            and is_float((<TensorBase>x).view.dtype) and (<TensorBase>x).view.dtype != F64)


cdef TensorBase cast(TensorBase x, int code, dict kept):
    """x in another dtype; ``kept`` holds the casts that may be used again, None where there are none."""
    cdef TensorBase y
    if x.view.dtype == code:
        return x
    if is_wrapper(x):
        return (<object>x).to(dtype_of(code))
    if kept is None or x.view.dtype != F32 or not x.requires_grad_ or x.base is not None or grad_fn_of(x) is not None:
        return to_dtype(x, code)
    found = kept.get(id(x))
    if found is not None and found[1] == x.storage.version and found[2] == code:
        return <TensorBase>found[3]
    y = to_dtype(x, code)
    kept[id(x)] = (x, x.storage.version, code, y)
    return y


cdef object cast_in(object x, int code, dict kept):
    """Cast a tensor, or the tensors of a list or tuple; anything else is left as it is."""
    if eligible(x):
        return cast(<TensorBase>x, code, kept)
    if type(x) is list or type(x) is tuple:
        for y in x:
            if eligible(y):
                return type(x)([cast_in(y, code, kept) for y in x])
    return x


cdef int widest(object x, int code) except -1:
    """The wider of a dtype and those of the tensors in x."""
    if type(x) is list or type(x) is tuple:
        for y in x:
            code = widest(y, code)
    elif eligible(x) and (<TensorBase>x).view.dtype != code:
        if code != F32 and (<TensorBase>x).view.dtype != F32:
            raise RuntimeError(f"[autocast] Unexpected floating ScalarType in autocast: a {dtype_of((<TensorBase>x).view.dtype).name} "
                               f"tensor where the lower precision is {dtype_of(code).name}; convert it with .to(...)")
        code = F32
    return code


cdef bint pads_wide(tuple args, dict kwargs):
    """Does a call of ``pad`` repeat or reflect?  (Reflecting volumes is no function of autocast's in PyTorch.)"""
    mode = args[2] if len(args) > 2 else kwargs.get("mode")
    widths = args[1] if len(args) > 1 else kwargs.get("pad", ())
    return mode == "replicate" or mode == "reflect" and len(widths) < 6


cdef object state_of(tuple args, dict kwargs):
    """What a recurrent layer or cell begins with: h, or of an LSTM's (h, c) the latter, which h follows; without one, the input."""
    cdef object hx = kwargs.get("hx") if kwargs else None
    cdef Py_ssize_t k
    if hx is None and len(args) > 1:                     # after the input, or after the sizes of its batches
        k = 2 if isinstance(args[1], TensorBase) and not is_float((<TensorBase>args[1]).view.dtype) else 1
        hx = args[k] if len(args) > k else None
    if (type(hx) is tuple or type(hx) is list) and hx:
        hx = hx[len(hx) - 1]
    return hx if eligible(hx) else args[0]


def cast_arguments(int policy, tuple args, dict kwargs):
    """Return a listed function's arguments in the dtype that its policy asks for."""
    cdef object s = state
    cdef int lower = s.dtypes.get("cpu", BF16), code = lower
    cdef dict kept = None
    if policy == PADDING:
        policy = FLOAT32 if pads_wide(args, kwargs) else AS_IS
    if policy == AS_IS or policy == AS_STATE and not (args and eligible(args[0])):
        return args, kwargs
    if policy == FLOAT32:
        code = F32
    elif policy == AS_STATE:
        code = promote((<TensorBase>state_of(args, kwargs)).view.dtype, lower)
    elif policy == WIDEST:
        for x in args:
            code = widest(x, code)
        for x in kwargs.values():
            code = widest(x, code)
    if code == lower and s.cached and s.nesting and grad_enabled():
        kept = s.casts
    args = tuple([cast_in(x, code, kept) for x in args])
    return args, {name: cast_in(x, code, kept) for name, x in kwargs.items()} if kwargs else kwargs


set_caster(cast_arguments)


# -- the state ---------------------------------------------------------------------------------------


cdef str named_type(str op, object name):
    """The type in a device's name; TypeError for what is no string, RuntimeError for what is no device."""
    if not isinstance(name, str):
        raise TypeError(f"[{op}] argument 'device_type' must be str, not {type(name).__name__}")
    kind = name.partition(":")[0]
    return kind if kind in DTYPES else device_class(name).type


cdef int need_bool(str op, object enabled) except -1:
    if not isinstance(enabled, bool):
        raise TypeError(f"[{op}] argument 'enabled' must be bool, not {type(enabled).__name__}")
    return 0


cdef int need_dtype(str op, object dtype_) except -1:
    if not isinstance(dtype_, dtype_class):
        raise TypeError(f"[{op}] argument 'dtype' must be taeda.dtype, not {type(dtype_).__name__}")
    return 0


cdef int enable(object s, str kind, bint on) except -1:
    if on:
        s.enabled.add(kind)
    else:
        s.enabled.discard(kind)
    if kind == "cpu":
        set_casting(on)
    return 0


def enter_block(device, dtype_, enabled, cached):
    """Begin an autocast block in this thread; return what ``leave_block`` wants."""
    cdef object s = state
    cdef str kind = named_type("autocast", device)
    need_dtype("autocast", dtype_)
    need_bool("autocast", enabled)
    need_bool("autocast", cached)
    before = kind, kind in s.enabled, s.dtypes.get(kind, DTYPES[kind]), s.cached
    enable(s, kind, enabled)
    s.dtypes[kind] = code_of(dtype_, "autocast")
    s.cached = cached
    s.nesting += 1
    return before


def leave_block(before):
    """End an autocast block; after the outermost one no casts are kept."""
    cdef object s = state
    kind, enabled, code, s.cached = before
    enable(s, kind, enabled)
    s.dtypes[kind] = code
    s.nesting -= 1
    if s.nesting == 0:
        s.casts.clear()


def is_autocast_available(device_type):
    """Whether a type of device, such as "cpu", has an autocast.

    >>> import taeda
    >>> taeda.amp.is_autocast_available("cpu")
    True
    """
    return named_type("is_autocast_available", device_type) in DTYPES


def is_autocast_enabled(device_type="cuda"):
    """Whether autocast is on for a type of device in this thread (without an argument: for GPUs, as in PyTorch).

    >>> import taeda
    >>> with taeda.autocast("cpu"):
    ...     taeda.is_autocast_enabled("cpu")
    True
    """
    return named_type("is_autocast_enabled", device_type) in state.enabled


def set_autocast_enabled(device_type=None, enabled=None):
    """Turn autocast on or off for a type of device in this thread; ``set_autocast_enabled(enabled)`` means GPUs."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    elif device_type is None:
        device_type = "cuda"
    need_bool("set_autocast_enabled", enabled)
    enable(state, named_type("set_autocast_enabled", device_type), enabled)


def get_autocast_dtype(device_type):
    """Return the lower precision of autocast for a type of device; RuntimeError for one that has no autocast.

    >>> import taeda
    >>> taeda.get_autocast_dtype("cpu")
    taeda.bfloat16
    """
    kind = named_type("get_autocast_dtype", device_type)
    if kind not in DTYPES:
        raise RuntimeError(f"[get_autocast_dtype] unsupported scalarType: {kind} has no autocast")
    return dtype_of(state.dtypes.get(kind, DTYPES[kind]))


def set_autocast_dtype(device_type, dtype):
    """Choose the lower precision of autocast for a type of device in this thread."""
    kind = named_type("set_autocast_dtype", device_type)
    need_dtype("set_autocast_dtype", dtype)
    state.dtypes[kind] = code_of(dtype, "set_autocast_dtype")


def is_autocast_cache_enabled():
    """Whether the casts of weights are kept within an autocast block."""
    return state.cached


def set_autocast_cache_enabled(enabled):
    """Keep the casts of weights within autocast blocks, or cast them at every use."""
    need_bool("set_autocast_cache_enabled", enabled)
    state.cached = enabled


def clear_autocast_cache():
    """Forget the casts of weights that are kept."""
    state.casts.clear()


def autocast_increment_nesting():
    """Say that an autocast block begins; return how many are open."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting():
    """Say that an autocast block ends; return how many are open."""
    state.nesting -= 1
    return state.nesting


def state_casts():
    """Return the casts of weights that this thread keeps: id of a leaf -> (leaf, its version, dtype code, cast)."""
    return state.casts

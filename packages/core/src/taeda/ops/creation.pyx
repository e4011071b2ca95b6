# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Making tensors: filled, or shaped like another."""
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from taeda.autograd.grad_mode cimport grad_enabled
from taeda.dispatch cimport as_tensor as need_tensor, copy_into, empty_as, empty_shape, held_scalar, integer, scalar_tensor
from taeda.dtype cimport code_of, default_float, differentiable, dtype_of, name_of
from taeda.kernels.cpu.abi cimport BOOL, C64, C128, F64, I64, MAX_DIM
from taeda.memory_order cimport dense
from taeda.operands cimport plain_number
from taeda.ops.channels_last cimport channels_innermost
from taeda.ops.copying cimport fill_new
from taeda.tensor_base cimport CPU, META, TensorBase, refresh

from taeda import _above
from taeda.device import DEFAULTS, code_of as code_of_device, default_code
from taeda.layout import SPARSE, MemoryFormat, need_strided, strided as STRIDED
from taeda.operands import as_index


cdef int need_sparse(str op, object layout) except -1:
    if layout not in SPARSE:
        need_strided(op, layout)
    return 0


cdef object without_entries(object layout, str op, tuple size, object dtype, object device, bint requires_grad):
    """A tensor of a sparse layout that has no elements but zeros."""
    made = _above.sparse_empty(sizes_of(op, size), layout, dtype, device)
    return made.requires_grad_() if requires_grad else made


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
    for s in size:                                           # a bool counts as 0 or 1 but in the first place, as in PyTorch
        if isinstance(s, bool) and not found or not PyIndex_Check(s):
            raise TypeError(f"[{op}] sizes must be ints, got {s!r} ({type(s).__name__}) in {size}")
        s = as_index(op, s)
        if s < 0:
            raise RuntimeError(f"[{op}] Trying to create tensor with negative dimension {s}: {list(size)}")
        if s >= 1 << 63 or s >= 1 << 62 and 0 not in size:
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


cdef enum:
    CLEARED = 1 << 14        # bytes up to which zeros are one memset, without a kernel


cdef int set_all(TensorBase t, object value) except -1:
    """Give every element of a new tensor the value."""
    cdef int64_t nbytes = t.view.numel * t.view.itemsize
    if nbytes <= CLEARED and type(value) is int and value == 0 and dense(&t.view):
        memset(t.view.data, 0, nbytes)
    else:
        copy_into(t, held_scalar(value, t.view.dtype, CPU))
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


cdef int release_out(str op, TensorBase out) except -1:
    """A leaf may be filled anew where nothing is recorded; it requires grad afterwards where the call asks for it, as in PyTorch."""
    if out.requires_grad_ or out.grad_fn_ is not None:
        if grad_enabled():
            raise RuntimeError(f"[{op}] functions with out=... arguments don't support automatic differentiation, but one of the "
                               "arguments requires grad.")
        out.requires_grad_ = False
    return 0


cdef TensorBase out_or(str op, object out, TensorBase t, object dtype, object device):
    if out is None:
        return t
    check_out(op, out, dtype, device)
    release_out(op, <TensorBase>out)
    out.resize_(t.shape_tuple())
    if t.device != META:
        out.copy_(t.detach())                      # out is the leaf, if one is asked for
    return finish(<TensorBase>out, t.requires_grad_)


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
    cdef TensorBase t
    if layout is not None and layout is not STRIDED:
        need_sparse("empty", layout)
        return without_entries(layout, "empty", size or tuple(named.values()), dtype, device, requires_grad)
    t = empty_shape(sizes_of("empty", size, named), dtype_code(dtype, "empty", default_float()), device_code(device, "empty"))
    if memory_format is not None:
        if getattr(memory_format, "name", "") == "preserve_format":
            raise RuntimeError("[empty] unsupported memory format Preserve: there is no tensor whose order it could keep")
        t = in_format(t, "empty", memory_format)
    if out is None:
        return finish(fill_new(t), requires_grad)
    check_out("empty", out, dtype, device)
    return finish(<TensorBase>out.resize_(t.shape_tuple()), requires_grad)


def zeros(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, **named):
    """Return a tensor of zeros.

    >>> import taeda
    >>> taeda.zeros(2)
    tensor([0., 0.])
    """
    if layout is not None and layout is not STRIDED:
        need_sparse("zeros", layout)
        if out is not None:
            raise RuntimeError(f"[zeros] layout {layout} does not match layout of out parameter ({out.layout})")
        return without_entries(layout, "zeros", size or tuple(named.values()), dtype, device, requires_grad)
    t = filled(sizes_of("zeros", size, named), 0, dtype_code(dtype, "zeros", default_float()), device_code(device, "zeros"))
    return out_or("zeros", out, finish(t, requires_grad), dtype, device)


def ones(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, **named):
    """Return a tensor of ones, in the default floating-point dtype unless one is given.

    >>> import taeda
    >>> taeda.ones(2, 3), taeda.ones((2,), dtype=taeda.int64)
    (tensor([[1., 1., 1.],
            [1., 1., 1.]]), tensor([1, 1]))
    """
    if layout is not None and layout is not STRIDED:
        need_strided("ones", layout)
    t = filled(sizes_of("ones", size, named), 1, dtype_code(dtype, "ones", default_float()), device_code(device, "ones"))
    return out_or("ones", out, finish(t, requires_grad), dtype, device)


def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return a tensor of one value; its dtype is the value's unless given.

    >>> import taeda
    >>> taeda.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    if layout is not None and layout is not STRIDED:
        need_strided("full", layout)
    cdef int code
    fill_value = plain_number("full", "fill_value", fill_value)
    if isinstance(size, int):
        raise TypeError(f"[full] size must be a tuple of ints, got the int {size}; write ({size},)")
    code = BOOL if isinstance(fill_value, bool) else I64 if isinstance(fill_value, int) else (
        (C128 if default_float() == F64 else C64) if isinstance(fill_value, complex) else default_float())
    t = filled(sizes_of("full", (size,)), fill_value, dtype_code(dtype, "full", code), device_code(device, "full"))
    return finish(out_or("full", out, t, dtype, device), requires_grad)       # of the dtype of ``out``


cdef TensorBase like(TensorBase x, str op, object dtype, object device, object value, object requires_grad, bint fill,
                     object size=None, object memory_format=None):
    cdef TensorBase t
    cdef int code = dtype_code(dtype, op, x.view.dtype), where = x.device if device is None else device_code(device, op)
    if fill:
        value = plain_number(op, "fill_value", value)
    t = empty_as(x, code, where) if size is None else empty_shape(size, code, where)
    if memory_format is not None:
        t = in_format(t, op, memory_format)
    if fill and where == CPU and t.view.numel:
        set_all(t, value)
    elif not fill:
        fill_new(t)
    return finish(t, requires_grad)


def empty_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return :func:`empty` with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.empty_like(taeda.ones(2, 3)).shape
    taeda.Size([2, 3])
    """
    if layout is not None and layout is not STRIDED:
        need_strided("empty_like", layout)
    return like(need_tensor(input, "empty_like"), "empty_like", dtype, device, 0, requires_grad, False, None, memory_format)

def zeros_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return zeros with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.zeros_like(taeda.tensor([[1, 2]]))
    tensor([[0, 0]])
    """
    if layout is not None and layout is not STRIDED:
        need_sparse("zeros_like", layout)
        return without_entries(layout, "zeros_like", (tuple(input.shape),), input.dtype if dtype is None else dtype,
                               input.device if device is None else device, requires_grad)
    return like(need_tensor(input, "zeros_like"), "zeros_like", dtype, device, 0, requires_grad, True, None, memory_format)

def ones_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return ones with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.ones_like(taeda.tensor([[1.0, 2.0]]))
    tensor([[1., 1.]])
    """
    if layout is not None and layout is not STRIDED:
        need_strided("ones_like", layout)
    return like(need_tensor(input, "ones_like"), "ones_like", dtype, device, 1, requires_grad, True, None, memory_format)

def full_like(input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
    """Return one value with the size, dtype and device of ``input``.

    >>> import taeda
    >>> taeda.full_like(taeda.ones(2), 3)
    tensor([3., 3.])
    """
    if layout is not None and layout is not STRIDED:
        need_strided("full_like", layout)
    return like(need_tensor(input, "full_like"), "full_like", dtype, device, fill_value, requires_grad, True, None, memory_format)

def new_empty(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **named):
    """Return a tensor of the given size with the dtype and device of ``input``; what it holds is undefined.

    >>> import taeda
    >>> taeda.ones(1, dtype=taeda.int8).new_empty(2, 3).shape
    taeda.Size([2, 3])
    """
    if layout is not None and layout is not STRIDED:
        need_sparse("new_empty", layout)
        return without_entries(layout, "new_empty", size or tuple(named.values()), input.dtype if dtype is None else dtype,
                               input.device if device is None else device, requires_grad)
    return like(need_tensor(input, "new_empty"), "new_empty", dtype, device, 0, requires_grad, False, sizes_of("new_empty", size, named))

def new_zeros(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **named):
    """Return zeros of the given size with the dtype and device of ``input``.

    >>> import taeda
    >>> taeda.ones(1, dtype=taeda.float64).new_zeros(2)
    tensor([0., 0.], dtype=taeda.float64)
    """
    if layout is not None and layout is not STRIDED:
        need_sparse("new_zeros", layout)
        return without_entries(layout, "new_zeros", size or tuple(named.values()), input.dtype if dtype is None else dtype,
                               input.device if device is None else device, requires_grad)
    return like(need_tensor(input, "new_zeros"), "new_zeros", dtype, device, 0, requires_grad, True, sizes_of("new_zeros", size, named))

def new_ones(input, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **named):
    """Return ones of the given size with the dtype and device of ``input``.

    >>> import taeda
    >>> taeda.zeros(1, dtype=taeda.bool).new_ones(2)
    tensor([True, True])
    """
    if layout is not None and layout is not STRIDED:
        need_strided("new_ones", layout)
    return like(need_tensor(input, "new_ones"), "new_ones", dtype, device, 1, requires_grad, True, sizes_of("new_ones", size, named))

def new_full(input, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return one value in the given size with the dtype and device of ``input``.

    >>> import taeda
    >>> taeda.ones(1, dtype=taeda.float64).new_full((2,), 7)
    tensor([7., 7.], dtype=taeda.float64)
    """
    if layout is not None and layout is not STRIDED:
        need_strided("new_full", layout)
    if isinstance(size, int):
        raise TypeError(f"[new_full] size must be a tuple of ints, got the int {size}; write ({size},)")
    return like(need_tensor(input, "new_full"), "new_full", dtype, device, fill_value, requires_grad, True,
                sizes_of("new_full", (size,)))

cdef TensorBase of_strides(tuple size, tuple stride, int dtype, int device):
    """A tensor of its own memory, as much as the strides reach."""
    cdef TensorBase t
    cdef int d, n = len(size)
    if n != len(stride):
        raise RuntimeError(f"[empty_strided] mismatch in length of strides and shape: {size} and {stride}")
    if n > MAX_DIM:
        raise RuntimeError(f"[empty_strided] a tensor has at most {MAX_DIM} dimensions, got {n}")
    reach = count = 1                        # Python's integers, which do not overflow
    for d in range(n):
        reach += (size[d] - 1) * stride[d]
        count *= size[d]
    if count >= 1 << 63 or count and reach >= 1 << 62:
        raise RuntimeError(f"[empty_strided] Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}")
    t = fill_new(empty_shape((reach if count else 0,), dtype, device))
    t.set_ndim(n)
    for d in range(n):
        t.view.shape[d], t.view.strides[d] = size[d], stride[d]
    refresh(t)
    return t


def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return a tensor of the given size and strides (in elements); what it holds is undefined.

    >>> import taeda
    >>> taeda.empty_strided((2, 3), (1, 2)).is_contiguous(), taeda.empty_strided((2, 3), (1, 2)).t().is_contiguous()
    (False, True)
    """
    if layout is not None and layout is not STRIDED:
        need_strided("empty_strided", layout)
    size, stride = sizes_of("empty_strided", (size,)), sizes_of("empty_strided", (stride,))
    return finish(of_strides(size, stride, dtype_code(dtype, "empty_strided", default_float()), device_code(device, "empty_strided")),
                  requires_grad)


def new_empty_strided(input, size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return a tensor of the given size and strides with the dtype and device of ``input``; what it holds is undefined.

    >>> import taeda
    >>> taeda.ones(1).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    if layout is not None and layout is not STRIDED:
        need_strided("new_empty_strided", layout)
    x = need_tensor(input, "new_empty_strided")
    size, stride = sizes_of("new_empty_strided", (size,)), sizes_of("new_empty_strided", (stride,))
    return finish(of_strides(size, stride, dtype_code(dtype, "new_empty_strided", x.view.dtype),
                             x.device if device is None else device_code(device, "new_empty_strided")), requires_grad)


def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return ones on the diagonal of an n x m matrix (n x n without m), zeros elsewhere.

    >>> import taeda
    >>> taeda.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    cdef TensorBase t, one
    cdef int64_t i
    if layout is not None and layout is not STRIDED:
        need_strided("eye", layout)
    n, m = integer(n, "eye"), integer(n if m is None else m, "eye")
    if n < 0 or m < 0:
        raise RuntimeError(f"[eye] n and m must be greater or equal to 0, got {n} and {m}")
    t = filled((n, m), 0, dtype_code(dtype, "eye", default_float()), device_code(device, "eye"))
    if t.device == CPU and t.view.numel:
        one = scalar_tensor(1, t.view.dtype, CPU)
        for i in range(min(t.view.shape[0], t.view.shape[1])):
            memcpy(t.view.data + i * (t.view.shape[1] + 1) * t.view.itemsize, one.view.data, t.view.itemsize)
    return out_or("eye", out, finish(t, requires_grad), dtype, device)


def scalar_tensor_(s, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Return a 0-d tensor of a number, of the default float dtype unless given; ``tensor`` takes an int's dtype from it.

    >>> import taeda
    >>> taeda.scalar_tensor(3), taeda.tensor(3)
    (tensor(3.), tensor(3))
    """
    return full((), s, dtype=dtype_of(default_float()) if dtype is None else dtype, device=device, requires_grad=requires_grad)


PUBLIC = ("empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like", "empty_strided", "eye")
OF_TENSORS = ("new_empty", "new_empty_strided", "new_zeros", "new_ones", "new_full")
__all__ = PUBLIC + OF_TENSORS + ("scalar_tensor_",)
METHODS = {name: globals()[name] for name in OF_TENSORS}

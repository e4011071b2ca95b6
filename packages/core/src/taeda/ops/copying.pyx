# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Copies and conversions: clone, contiguous, to, copy_, fill_, detach, resize_, set_."""
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.autograd.grad_mode cimport grad_enabled
from taeda.autograd.node cimport Node, grad_fn_of
from taeda.dispatch cimport (NOTHING, Op, as_tensor, begin_inplace, broadcast_shapes, clone_dense, contiguous as
                             make_contiguous, copy_into, define, empty_as, end_inplace, held_scalar, needs_grad, record, scalar_tensor,
                             to_dtype)
from taeda.dtype cimport code_of, dtype as dtype_class, dtype_of, is_float
from taeda.kernels.cpu.abi cimport BOOL, C128, F64, I64, MAX_DIM, U64
from taeda.operands cimport check_partial_overlap, integer, plain_number, relaid
from taeda.ops.channels_last cimport laid_channels_last, lies_channels_last
from taeda.recording cimport bump
from taeda.storage cimport Storage
from taeda.tensor_base cimport CPU, META, TensorBase, alias, refresh

from math import nan, prod

from taeda.autograd.node import named
from taeda.device import code_of as code_of_device, device as device_class
from taeda.layout import MemoryFormat, channels_last, channels_last_3d, contiguous_format, preserve_format


cdef enum:
    SMALL = 65536            # bytes that are set without a thought of threads


cdef object relaid_vjp(Node n, object g):
    return g

cdef Op RELAID_COPY = define("clone", relaid_vjp)


cdef TensorBase channels_last_copy(TensorBase x, str op, int ndim):
    """A copy whose channels lie innermost: the strides tell, also where sizes of 1 leave nothing to move."""
    if x.view.ndim != ndim:
        raise RuntimeError(f"[{op}] required rank {ndim} tensor to use this memory format, got rank {x.view.ndim}")
    cdef TensorBase y = laid_channels_last(x)
    record(RELAID_COPY, y, (x,), None)
    return y


def clone(input, *, memory_format=preserve_format):
    """Return a copy that autograd sees; the order of dimensions in memory is kept.

    >>> import taeda
    >>> taeda.clone(taeda.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    cdef TensorBase x = as_tensor(input, "clone")
    if memory_format is channels_last or memory_format is channels_last_3d:
        return channels_last_copy(x, "clone", 4 if memory_format is channels_last else 5)
    if memory_format is contiguous_format and not x.view.contiguous:
        return make_contiguous(x)
    if memory_format is not preserve_format and memory_format is not None:
        need_format("clone", memory_format)
    return clone_dense(x)


cdef int need_format(str op, object memory_format) except -1:
    if not isinstance(memory_format, MemoryFormat):
        raise TypeError(f"[{op}] memory_format must be a memory format such as taeda.channels_last, not {type(memory_format).__name__}")
    return 0


cdef bint is_channels_last(TensorBase x, int ndim) noexcept:
    """Whether (N, C, *) lies without gaps, C innermost; also where there are no elements: the strides decide."""
    cdef int64_t expected = 1
    cdef int k, d
    if x.view.ndim != ndim:
        return False
    for k in range(ndim):
        d = 1 if k == 0 else 0 if k == ndim - 1 else ndim - k
        if x.view.shape[d] != 1:
            if x.view.strides[d] != expected:
                return False
            expected *= x.view.shape[d]
    return True


def contiguous(input, memory_format=contiguous_format):
    """Return the tensor itself if its elements lie in row-major order without gaps, else a copy that does.

    >>> import taeda
    >>> taeda.ones(2, 3).t().contiguous().stride()
    (2, 1)
    """
    cdef TensorBase x = as_tensor(input, "contiguous")
    cdef int n
    if memory_format is channels_last or memory_format is channels_last_3d:
        n = 4 if memory_format is channels_last else 5
        return x if is_channels_last(x, n) else channels_last_copy(x, "contiguous", n)
    if memory_format is not contiguous_format:
        need_format("contiguous", memory_format)
    return make_contiguous(x)


def is_contiguous(input, memory_format=contiguous_format):
    """Whether elements lie in row-major (or ``memory_format=taeda.channels_last``) order without gaps.

    >>> import taeda
    >>> x = taeda.zeros(2, 3)
    >>> x.is_contiguous(), x.t().is_contiguous()
    (True, False)
    """
    cdef TensorBase x = as_tensor(input, "is_contiguous")
    if memory_format is channels_last or memory_format is channels_last_3d:
        return is_channels_last(x, 4 if memory_format is channels_last else 5)
    if memory_format is not contiguous_format:
        need_format("is_contiguous", memory_format)
    return x.view.contiguous != 0


cdef TensorBase convert(TensorBase x, int dtype, int device, bint copy):
    cdef TensorBase y
    if device != x.device:
        if x.device == META:
            raise NotImplementedError("[to] Cannot copy out of meta tensor; no data! Use to_empty() or load real values")
        y = empty_as(x, dtype, device)
        record(TO, y, (x,), None, (<int>x.view.dtype, <int>x.device))
        return y
    if dtype != x.view.dtype:
        return to_dtype(x, dtype)
    return clone_dense(x) if copy else x


cdef object to_vjp(Node n, object g):
    return g.new_zeros(g.shape, dtype=dtype_of(n.extra[0]), device="cpu" if n.extra[1] == CPU else "meta")

cdef Op TO = define("to", to_vjp, NOTHING, 0, None, "ToCopyBackward0")


def to(input, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=preserve_format, other=None):
    """Return the tensor in another dtype or on another device: ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``.

    The tensor itself comes back when nothing is to change, unless ``copy`` is true.  Floating-point numbers lose their
    fraction when they become integers.  RuntimeError for a device that is not there.

    >>> import taeda
    >>> x = taeda.tensor([1.7, -1.7])
    >>> x.to(taeda.int64), x.to(taeda.float32) is x
    (tensor([ 1, -1]), True)
    """
    cdef TensorBase x = as_tensor(input, "to"), y
    cdef int code, dev
    if len(args) > 4:
        raise TypeError(f"[to] takes at most 4 positional arguments, got {len(args)}")
    for position, a in enumerate(args):
        if type(a) is str or type(a) is device_class:      # what programs write most, before the dearer questions
            device = a
        elif isinstance(a, TensorBase):
            other = a
        elif isinstance(a, dtype_class) or a in (float, int, bool, complex) and type(a) is type:
            if position and dtype is not None:
                raise TypeError(f"[to] takes one dtype, got {a} after {dtype}")
            dtype = a
        elif isinstance(a, bool):
            if position == 1 and dtype is None and other is None:
                raise TypeError(f"[to] takes (device, dtype, non_blocking), (dtype, non_blocking) or (tensor, non_blocking), got "
                                f"{a} after {args[0]!r}")
            if position == len(args) - 1 and len(args) > 2 or position >= 2 and isinstance(args[position - 1], bool):
                copy = a
            else:
                non_blocking = a
        elif isinstance(a, (str, device_class)) or position == 0 and isinstance(a, int):
            device = a
        elif a is not None:
            raise TypeError(f"[to] received an invalid argument {a!r}; expected a dtype, a device or a Tensor, then True or False for "
                            "non_blocking and copy")
    if other is not None:
        other = as_tensor(other, "to")
        dtype, device = (<object>other).dtype, (<object>other).device
    code = x.view.dtype if dtype is None else code_of(dtype, "to")
    dev = x.device if device is None else CPU if type(device) is str and device == "cpu" else code_of_device(device, "to")
    y = convert(x, code, dev, copy)
    if copy and code == x.view.dtype:
        named(y, "ToCopyBackward0")
    if memory_format is channels_last or memory_format is channels_last_3d:
        ndim = 4 if memory_format is channels_last else 5
        if y.view.ndim == ndim and lies_channels_last(y):
            return y
        return <TensorBase>named(channels_last_copy(y, "to", ndim), "ToCopyBackward0")
    return y if memory_format is preserve_format or memory_format is None else contiguous(y, memory_format)


cdef object copy_vjp(Node n, object g):
    # the old contents are gone; the source gets the gradient
    if n.needs(1) and n.extra is not None:
        return g.new_zeros(g.shape) if n.needs(0) else None, g.sum_to_size(n.extra)
    return g.new_zeros(g.shape) if n.needs(0) else None, (g if n.needs(1) else None)

cdef Op COPY = define("copy", copy_vjp, NOTHING, 0, None, "CopyBackwards")


def copy_(input, src, non_blocking=False):
    """Copy ``src``, broadcast and converted, into the tensor; autograd sends the gradient to ``src``.

    >>> import taeda
    >>> taeda.zeros(2, 2).copy_(taeda.tensor([1.0, 2.0]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    cdef TensorBase x = as_tensor(input, "copy_"), s
    s = <TensorBase>src if isinstance(src, TensorBase) else copied_number(src, x.view.dtype)
    cdef tuple shape
    if s.storage is x.storage and repeats(x) and same_place(x, s):
        return x                                            # nothing is written, so that it does no harm that elements are repeated
    if x is s:
        begin_inplace("copy_", x)                            # no element moves, but it counts as a write, as in PyTorch
        end_copy(x, s)
        return x
    if s.shape_tuple() != x.shape_tuple():
        shape = broadcast_shapes("copy_", x.shape_tuple(), s.shape_tuple())
        if shape != x.shape_tuple():
            raise RuntimeError(f"[copy_] output with shape {list(x.shape_tuple())} doesn't match the broadcast shape "
                               f"{list(shape)}")
    begin_inplace("copy_", x)
    if s.storage is x.storage and s.storage is not None:
        check_partial_overlap("copy_", x, s)
        s = clone_dense(s)
    if s.device == META and x.device != META:
        raise NotImplementedError("[copy_] Cannot copy out of meta tensor; no data!")
    copy_into(x, s)
    end_copy(x, s)
    return x


cdef TensorBase copied_number(object src, int dtype):
    """A number in its own dtype, which converts as the elements of a tensor do: out of range without an error."""
    if type(src).__module__ == "numpy" and hasattr(src, "item") and not getattr(src, "shape", None):
        src = src.item()
    if isinstance(src, bool):
        return scalar_tensor(src, BOOL, CPU)
    if isinstance(src, int):
        if src >= 2 ** 64 or src < -2 ** 63:
            raise OverflowError(f"[copy_] the number {src} does not fit into 64 bits")
        return scalar_tensor(src, dtype if is_float(dtype) else I64 if src < 2 ** 63 else U64, CPU)
    if isinstance(src, float):
        return scalar_tensor(src, dtype if is_float(dtype) else F64, CPU)
    return scalar_tensor(src, C128, CPU) if isinstance(src, complex) else as_tensor(src, "copy_")


cdef bint repeats(TensorBase x) noexcept:
    """Does x stand several times on some of its memory, by expand?"""
    cdef int d
    for d in range(x.view.ndim):
        if x.view.strides[d] == 0 and x.view.shape[d] > 1:
            return True
    return False


cdef bint same_place(TensorBase x, TensorBase s):
    return (x.offset == s.offset and x.view.dtype == s.view.dtype and x.shape_tuple() == s.shape_tuple()
            and x.stride_tuple() == s.stride_tuple())


cdef int end_copy(TensorBase x, TensorBase s) except -1:
    end_inplace(COPY, x, (x, s), None, None if s.shape_tuple() == x.shape_tuple() else s.shape_tuple())
    return 0


cdef object fill_vjp(Node n, object g):
    return (g.new_zeros(g.shape) if n.needs(0) else None), (g.sum() if n.needs(1) else None)

cdef Op FILL = define("fill", fill_vjp, NOTHING)


cdef TensorBase without_repeats(TensorBase x):
    """x, or a view of what an expanded tensor holds: there a number may be written, since all that repeat an element take it."""
    cdef int d
    if x.view.contiguous:
        return x
    for d in range(x.view.ndim):
        if x.view.strides[d] == 0 and x.view.shape[d] > 1:
            x = <TensorBase>(<object>x).narrow(d, 0, 1)
    return x


cdef int assign(str op, TensorBase x, TensorBase v) except -1:
    """x[...] = v, a 0-d tensor, and what is recorded of it."""
    cdef TensorBase value = v
    begin_inplace(op, x)
    if v.device == x.device:
        if v.storage is x.storage:                          # a part of an element, say, would change under way
            value = empty_as(v, v.view.dtype, v.device)
            copy_into(value, v)
        copy_into(x, value)
    elif v.device == META:
        raise NotImplementedError(f"[{op}] Cannot copy out of meta tensor; no data!")
    end_inplace(FILL, x, (x, v), None)
    return 0


def fill_(input, value):
    """Set every element to ``value``, a number or a 0-d tensor.

    The value is a number or a tensor without dimensions.  RuntimeError for another tensor.

    >>> import taeda
    >>> taeda.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    cdef TensorBase x = as_tensor(input, "fill_"), v
    if isinstance(value, TensorBase):
        v = <TensorBase>value
        if v.view.ndim:
            raise RuntimeError(f"[fill_] fill_ only supports 0-dimension value tensor but got tensor with {v.view.ndim} "
                               "dimensions.")
    else:
        v = held_scalar(plain_number("fill_", "value", value), x.view.dtype, CPU)
    assign("fill_", x if isinstance(value, TensorBase) else without_repeats(x), v)
    if x.grad_fn_ is None or x.base is not None:
        return x
    return named(x, "FillBackward3" if isinstance(value, TensorBase) else "FillBackward2")


def fill(input, value):
    """Return a tensor like ``input`` with every element ``value``, a number or a 0-d tensor.

    >>> import taeda
    >>> taeda.fill(taeda.zeros(3), 7)
    tensor([7., 7., 7.])
    """
    return named(fill_(clone_dense(as_tensor(input, "fill")), value), "FillBackward1" if isinstance(value, TensorBase) else "FillBackward0")


def zero_(input):
    """Set every element to 0.

    >>> import taeda
    >>> taeda.ones(2).zero_()
    tensor([0., 0.])
    """
    cdef TensorBase x = as_tensor(input, "zero_")
    if x.device == CPU and x.view.contiguous and 0 < x.view.numel * x.view.itemsize <= SMALL and not needs_grad(x):
        begin_inplace("zero_", x)
        memset(x.view.data, 0, x.view.numel * x.view.itemsize)
        bump(x)
        return x
    assign("zero_", without_repeats(x), scalar_tensor(0, x.view.dtype, CPU))
    return x if x.grad_fn_ is None or x.base is not None else named(x, "ZeroBackward0")


def detach(input):
    """Return the same memory without history; in-place writes still count for saved tensors.

    >>> import taeda
    >>> taeda.ones(2, requires_grad=True).detach().requires_grad
    False
    """
    cdef TensorBase x = as_tensor(input, "detach")
    return alias(x)


def detach_(input):
    """Cut the tensor off its history, in place: it becomes a leaf that does not require grad.

    RuntimeError for a view, whose history is its base's.

    >>> import taeda
    >>> y = taeda.ones(2, requires_grad=True) * 3
    >>> y.detach_().requires_grad
    False
    """
    cdef TensorBase x = as_tensor(input, "detach_")
    if x.base is not None:
        raise RuntimeError("[detach_] Can't detach views in-place. Use detach() instead.")
    x.grad_fn_, x.requires_grad_, x.output_nr, x.base = None, False, 0, None
    if x.extra is not None:
        x.extra.pop("tangent", None)
    return x


cdef object set_vjp(Node n, object g):
    raise RuntimeError("[set_] derivative for aten::set_ is not implemented; call it under taeda.no_grad()")

cdef Op SET = define("set_", set_vjp, NOTHING, 0, None, "NotImplemented")


def set_(input, source=None, storage_offset=0, size=None, stride=None):
    """Make the tensor look at another storage (or another tensor's), with an offset, size and stride.

    Raises RuntimeError when the layout would reach beyond the storage.

    >>> import taeda
    >>> x = taeda.empty(0).set_(taeda.arange(6.0).untyped_storage(), 2, (2, 2), (2, 1))
    >>> x
    tensor([[2., 3.],
            [4., 5.]])
    """
    cdef TensorBase x = as_tensor(input, "set_"), s = None
    cdef Storage storage
    cdef int i, n
    if x.requires_grad_ and x.grad_fn_ is None and grad_enabled():
        raise RuntimeError("[set_] a leaf Variable that requires grad is being used in an in-place operation; use taeda.no_grad(), or set "
                           "its .data")
    if source is None:
        storage, size, stride, storage_offset = Storage(), (0,), (1,), 0
    elif isinstance(source, TensorBase):
        s = <TensorBase>source
        storage = s.storage
        if size is None:
            size, stride, storage_offset = s.shape_tuple(), s.stride_tuple(), s.offset
        if s.view.dtype != x.view.dtype:
            raise RuntimeError(f"[set_] dtypes differ: {input.dtype} and {source.dtype}")
    else:
        if hasattr(source, "_untyped_storage"):
            if code_of(source.dtype, "set_") != x.view.dtype:
                raise RuntimeError(f"[set_] Expected a Storage of type {input.dtype} but got type {source.dtype} for argument 1 'storage'")
            source = source._untyped_storage
        if not isinstance(source, Storage):
            raise TypeError(f"[set_] source must be a Tensor or a storage, got {type(source).__name__}")
        storage = <Storage>source
        if size is None:
            size, stride = (storage.nbytes_ // x.view.itemsize,), (1,)
    if storage.device != x.storage.device and source is not None:
        raise RuntimeError(f"[set_] the tensor is on device {input.device} and the storage on another")
    size, storage_offset = tuple([integer(length, "set_") for length in size]), integer(storage_offset, "set_")
    if stride is None:
        stride, step = [], 1
        for length in reversed(size):
            stride.insert(0, step)
            step *= max(length, 1)
    else:
        stride = [integer(step, "set_") for step in stride]
    check_bounds("set_", size, tuple(stride), storage_offset, x.view.itemsize, storage.nbytes_)
    n = len(size)
    relaid(1)
    x.set_ndim(n)
    for i in range(n):
        x.view.shape[i] = size[i]
        x.view.strides[i] = stride[i]
    if x.base is not None and storage is not x.storage:
        x.grad_fn_, x.base, x.history = grad_fn_of(x), None, 0         # what it was a view of has nothing to do with it any more
    x.storage = storage
    x.offset = storage_offset
    refresh(x)
    if needs_grad(x) or s is not None and needs_grad(s):
        record(SET, x, (x, s), None)
    return x


cdef int check_bounds(str op, tuple size, tuple stride, object offset, int itemsize, object nbytes) except -1:
    """Refuse a layout that reaches outside its storage."""
    if len(size) != len(stride):
        raise RuntimeError(f"[{op}] mismatch in length of strides and shape: {len(size)} sizes, {len(stride)} strides")
    if len(size) > MAX_DIM:
        raise RuntimeError(f"[{op}] a tensor has at most {MAX_DIM} dimensions, got {len(size)}")
    if offset < 0:
        raise RuntimeError(f"[{op}] Tensor: invalid storage offset {offset}")
    last, count = offset, 1                                 # Python's numbers
    for length, step in zip(size, stride):
        if length < 0:
            raise RuntimeError(f"[{op}] Trying to create tensor with negative dimension {length}: {size}")
        if step < 0:
            raise RuntimeError(f"[{op}] as_strided: Negative strides are not supported at the moment, got strides: {stride}")
        count *= length
        last += (length - 1) * step
    if count >= 1 << 63:                                    # strides of 0 need no memory
        raise RuntimeError(f"[{op}] numel: integer multiplication overflow for sizes {list(size)}")
    if count and (last + 1) * itemsize > nbytes:
        raise RuntimeError(f"[{op}] setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and "
                           f"itemsize {itemsize} requiring a storage size of {(last + 1) * itemsize} are out of bounds for "
                           f"storage of size {nbytes}")
    return 0


def check_layout(op, size, stride, offset, itemsize, nbytes):
    """Refuse a layout that reaches outside its storage of ``nbytes``."""
    check_bounds(op, tuple(size), tuple(stride), offset, itemsize, nbytes)


def resize_(input, *sizes, size=None, memory_format=None):
    """Give the tensor another shape, in place; its storage grows when it must, new elements are undefined.

    Without ``memory_format`` a tensor that has the shape already is left as it is, another becomes contiguous.

    >>> import taeda
    >>> taeda.arange(6).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    cdef TensorBase x = as_tensor(input, "resize_"), new
    cdef int64_t numel = 1, need
    cdef int i, n
    sizes = sizes if size is None else (size,)
    shape = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    shape = tuple([integer(length, "resize_") for length in shape])
    if x.requires_grad_:
        raise RuntimeError("[resize_] cannot resize variables that require grad")
    total = x.view.itemsize
    for length in shape:
        if length < 0:
            raise RuntimeError(f"[resize_] requested resize to {tuple(shape)} has a negative size")
        total *= length
    if total >= 1 << 62:
        raise RuntimeError(f"[resize_] Storage size calculation overflowed with sizes={list(shape)}")
    if not total and prod([length or 1 for length in shape]) >= 1 << 63:
        raise RuntimeError(f"[resize_] Stride calculation overflowed with sizes={list(shape)}")
    if memory_format is None and x.shape_tuple() == shape:
        return x
    n = len(shape)
    if memory_format is not None and not isinstance(memory_format, MemoryFormat):
        raise TypeError(f"[resize_] memory_format must be a memory format such as taeda.channels_last, not {type(memory_format).__name__}")
    innermost = memory_format is not None and memory_format.name in ("channels_last", "channels_last_3d")
    if innermost and n != (4 if memory_format.name == "channels_last" else 5):
        raise RuntimeError(f"[resize_] required rank {4 if memory_format.name == 'channels_last' else 5} tensor to use "
                           f"{memory_format.name} format, got the sizes {list(shape)}")
    if memory_format is not None and memory_format.name == "preserve_format":
        raise RuntimeError("[resize_] Unsupported memory format: preserve_format; resize_as_ takes it")
    if total:                                               # the offset of a view without elements may be any
        total += (<object>x.offset) * x.view.itemsize
    if not 0 <= total < 1 << 62:
        raise RuntimeError(f"[resize_] Storage size calculation overflowed with sizes={list(shape)} and storage offset {x.offset}")
    need = total
    had = x.storage.nbytes_ // x.view.itemsize
    if need > x.storage.nbytes_:
        x.storage.resize_(need)
    relaid(1)
    bump(x)
    x.set_ndim(n)
    for i in ([1, *range(n - 1, 1, -1), 0] if innermost else range(n - 1, -1, -1)):
        x.view.shape[i] = shape[i]
        x.view.strides[i] = numel
        numel *= max(shape[i], 1)
    refresh(x)
    if filling and x.device == CPU and need > had * x.view.itemsize:
        new = alias(x)
        new.set_ndim(1)
        new.offset, new.view.shape[0], new.view.strides[0] = had, need // x.view.itemsize - had, 1
        refresh(new)
        fill_new(new)
    return x


cdef bint filling = False                # what deterministic runs ask for


def set_filling(bint on):
    """Let new memory be filled that nothing is written to, as PyTorch's deterministic runs do, or leave it as it is."""
    global filling
    filling = on


cdef TensorBase fill_new(TensorBase x):
    cdef object dtype
    if filling and x.device == CPU and x.view.numel:
        dtype = dtype_of(x.view.dtype)
        (<object>x).fill_(nan if dtype.is_floating_point or dtype.is_complex else True if x.view.dtype == BOOL
                          else (1 << (8 * dtype.itemsize - dtype.is_signed)) - 1)
    return x


def resize_as_(input, other, *, memory_format=None):
    """Give the tensor the shape of another, in place; with ``preserve_format`` its channels lie as the other's do.  See :func:`resize_`."""
    cdef TensorBase like = as_tensor(other, "resize_as_")
    if memory_format is preserve_format:
        memory_format = next((f for f, n in ((channels_last, 4), (channels_last_3d, 5)) if like.view.ndim == n and
                              not is_contiguous(other) and is_contiguous(other, memory_format=f)), contiguous_format)
    return resize_(input, like.shape_tuple(), memory_format=memory_format)


def type_as(input, other):
    """Return the tensor in the dtype of another.

    >>> import taeda
    >>> taeda.ones(2).type_as(taeda.tensor([1]))
    tensor([1, 1])
    """
    return to(input, dtype_of(as_tensor(other, "type_as").view.dtype))


PUBLIC = ("clone", "detach", "detach_", "fill", "fill_", "resize_as_", "zero_")
__all__ = PUBLIC + (
    "contiguous", "is_contiguous", "to", "copy_", "set_", "resize_", "type_as", "check_layout",
    "contiguous_format", "preserve_format", "channels_last", "channels_last_3d", "MemoryFormat",
)
METHODS = {
    "clone": clone, "contiguous": contiguous, "is_contiguous": is_contiguous, "to": to, "copy_": copy_, "fill_": fill_,
    "zero_": zero_, "detach": detach, "detach_": detach_, "set_": set_, "resize_": resize_, "resize_as_": resize_as_,
    "type_as": type_as,
}

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The one road from a call to a kernel: check -> promote -> allocate -> kernel of the device -> record.

Only this room allocates outputs, compares devices, promotes dtypes and makes nodes.  ``binary`` shows the
whole road on one screen; every other function here is a piece of it that structured ops use too.
"""
from cpython.bool cimport PyBool_Check
from cpython.complex cimport PyComplex_Check
from cpython.float cimport PyFloat_Check
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_Check
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from taeda.autograd.grad_mode cimport grad_enabled, inference_enabled, set_grad
from taeda.autograd.dual cimport carry, has_tangent, lend_tangent, level, propagate, propagate_inplace, propagate_view
from taeda.autograd.node cimport connect, grad_fn_of, save
from taeda.dtype cimport (complex_code, default_float, differentiable, dtype_of, is_complex_, is_float, is_integral, itemsize_of,
                          name_of, promote)
from taeda.kernels.cpu.abi cimport BF16, BOOL, C128, F16, F32, F64, I64, MAX_DIM, U64
from taeda.kernels.cpu.lowering cimport lowered, wide_of
from taeda.storage cimport new_storage
from taeda.tensor_base cimport CPU, META, alias, new_tensor, refresh

import warnings

from taeda.kernels.cpu import TABLE

cdef extern from *:
    """
    static int taeda_mul_overflow(int64_t a, int64_t b, int64_t *r) { return __builtin_mul_overflow(a, b, r); }
    """
    bint mul_overflow "taeda_mul_overflow"(int64_t a, int64_t b, int64_t* r) noexcept nogil

cdef enum:
    HOLD_GIL = 16384         # element touches below which releasing the GIL costs more than it gives

    UNRECORDED = -1          # ``history`` of a view made under no_grad: autograd does not know how it came from its base
    SEVERAL = -2             # of one of several views made at once of a tensor without history (ops.views)

cdef dict registry = {}
cdef Kernel copies[NDTYPES][NDTYPES]          # from, to


cdef class Op:
    """A row of the registry: name, kernels by dtype, derivative, dtype rule."""

    def __repr__(self):
        return f"<op {self.name}>"

    @property
    def differentiable(self):
        return self.vjp != NULL

    @property
    def dtypes(self):
        """The dtypes that there is a CPU kernel for."""
        return tuple([dtype_of(i).name for i in range(NDTYPES) if self.cpu[i] != NULL or lowers(self, i)])


cdef bint lowers(Op op, int dtype) noexcept:
    """Is there a kernel of a wider dtype that serves this one?  Complex needs an op that is linear in its tensors."""
    cdef int wide = wide_of(dtype)
    return wide >= 0 and op.cpu[wide] != NULL and (op.linear or not is_complex_(dtype))


def ops():
    """Return the registry: (name, grad name) -> Op."""
    return dict(registry)


cdef Op define(str name, vjp_fn vjp, int saves=0, int rule=0, str kernel=None, str grad_name=None):
    cdef Op op = Op.__new__(Op)
    cdef int i
    op.name, op.vjp, op.saves, op.rule = name, vjp, saves, rule
    op.opmath = name in ("add", "sub", "mul", "div")
    op.grad_name = grad_name or "".join([w[:1].upper() + w[1:] for w in name.split("_")]) + "Backward0"
    for i in range(NDTYPES):
        op.cpu[i] = <Kernel><void*><size_t>TABLE.get(f"{kernel or name}_{dtype_of(i).suffix}", 0)
    registry[(name, op.grad_name)] = op
    return op


cdef Op linear(Op op):
    """Mark an op as linear in its tensors (with real coefficients)."""
    op.linear = True
    return op


cdef int _fill_copies() except -1:
    cdef int a, b
    for a in range(NDTYPES):
        for b in range(NDTYPES):
            copies[a][b] = <Kernel><void*><size_t>TABLE.get(f"copy_{dtype_of(a).suffix}_{dtype_of(b).suffix}", TABLE["copy_any"])
    return 0

_fill_copies()


# -- checks ------------------------------------------------------------------------------------------


cdef enum:
    STAND_IN = 3             # the device code of a tensor that only stands in for a batch (_override)

cdef int no_stand_in(str op, int device) except -1:
    """Kernels have nothing to do on the meta device; they refuse what stands in for a batch of taeda.func.vmap."""
    if device == STAND_IN:
        raise RuntimeError(f"[{op}] vmap has no rule for this use of the op")
    return 0


cdef TensorBase as_tensor(object x, str op):
    if isinstance(x, TensorBase):
        if (<TensorBase>x).device == STAND_IN:
            no_stand_in(op, STAND_IN)
        return <TensorBase>x
    raise TypeError(f"[{op}] argument must be a Tensor, not {type(x).__name__}; wrap it with taeda.tensor(...)")


cdef str device_name(int device):
    return "meta" if device == META else "cpu" if device == CPU else "cuda"


cdef int check_same_device(str op, tuple tensors) except -1:
    cdef TensorBase first = None, t
    for x in tensors:
        if x is None:
            continue
        t = <TensorBase>x
        if first is None:
            first = t
        elif t.device != first.device:
            raise RuntimeError(f"[{op}] Expected all tensors to be on the same device, but found at least two devices, "
                               f"{device_name(first.device)} and {device_name(t.device)}; move one with .to(...)")
    return 0


cdef int64_t integer(object x, str op) except? -1:
    cdef int overflow = 0
    cdef int64_t i
    if not PyLong_Check(x):
        if not hasattr(x, "__index__"):
            raise TypeError(f"[{op}] argument must be int, not {type(x).__name__}; got {x!r}")
        x = x.__index__()
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
        return promote(high, low) if is_complex_(low) else high
    if high == BOOL or is_float(low) or is_complex_(low):
        return promote(high, low)
    return high


cdef int group(TensorBase t) noexcept:
    return 2 if t.wrapped_number else 1 if t.view.ndim == 0 else 0


cdef int result_type(TensorBase a, TensorBase b) noexcept:
    cdef int ga, gb
    if a.view.dtype == b.view.dtype:
        return a.view.dtype
    ga, gb = group(a), group(b)
    if ga == gb:
        return promote(a.view.dtype, b.view.dtype)
    if ga < gb:
        return combine(a.view.dtype, b.view.dtype)
    return combine(b.view.dtype, a.view.dtype)


# -- allocation --------------------------------------------------------------------------------------


cdef int set_dtype(TensorBase t, int dtype) noexcept:
    t.view.dtype = <uint8_t>dtype
    t.view.itemsize = <uint8_t>itemsize_of(dtype)
    return 0


cdef TensorBase empty(int ndim, const int64_t* shape, int dtype, int device):
    cdef TensorBase t = new_tensor()
    cdef int64_t n = 1, nbytes
    cdef int d
    cdef bint zero = False
    if ndim > 6:
        t.set_ndim(ndim)
    else:
        t.view.ndim = ndim
    for d in range(ndim - 1, -1, -1):
        t.view.shape[d] = shape[d]
        t.view.strides[d] = n
        if shape[d] == 0:
            zero = True
        elif mul_overflow(n, shape[d], &n):
            raise RuntimeError(f"[empty] Storage size calculation overflowed with sizes={[shape[i] for i in range(ndim)]}")
    if zero:
        for d in range(ndim - 1, -1, -1):          # strides of empty tensors count a size of 0 as 1
            t.view.strides[d] = 1 if d == ndim - 1 else t.view.strides[d + 1] * max(shape[d + 1], 1)
        n = 0
    set_dtype(t, dtype)
    if mul_overflow(n, t.view.itemsize, &nbytes):
        raise RuntimeError(f"[empty] Storage size calculation overflowed with sizes={[shape[i] for i in range(ndim)]}")
    t.storage = new_storage(nbytes, device)
    t.view.data = t.storage.data
    t.view.numel = n
    t.view.contiguous = True
    t.device = <uint8_t>device
    if inference_enabled():
        t.inference = True
    return t


cdef TensorBase empty_like(TensorBase x):
    return empty(x.view.ndim, x.view.shape, x.view.dtype, x.device)


cdef TensorBase empty_shape(object shape, int dtype, int device):
    cdef int64_t sizes[MAX_DIM]
    cdef int i, n = len(shape)
    if n > MAX_DIM:
        raise RuntimeError(f"[empty] a tensor has at most {MAX_DIM} dimensions, got {n}")
    for i in range(n):
        sizes[i] = shape[i]
        if sizes[i] < 0:
            raise RuntimeError(f"[empty] Trying to create tensor with negative dimension {sizes[i]}: {tuple(shape)}")
    return empty(n, sizes, dtype, device)


cdef int swap_order(const View* t, int n, View** operands, int a, int b, int ndim) noexcept:
    """Which of two dimensions lies further in for the operands, as PyTorch orders them: 1 swap, -1 keep."""
    cdef int64_t x, y
    cdef int k, e, f
    for k in range(n):
        e, f = a - (ndim - operands[k].ndim), b - (ndim - operands[k].ndim)
        x = 0 if e < 0 or (operands[k].shape[e] == 1 and t.shape[a] != 1) else operands[k].strides[e]
        y = 0 if f < 0 or (operands[k].shape[f] == 1 and t.shape[b] != 1) else operands[k].strides[f]
        if x == 0 or y == 0:
            continue
        if x != y:
            return -1 if x < y else 1
        if t.shape[a] > t.shape[b]:
            return 1
    return 0


cdef TensorBase empty_for(int ndim, const int64_t* shape, int dtype, int device, int n, View** operands):
    """Allocate a result laid out in memory as its operands are, by PyTorch's rule for pointwise results."""
    cdef TensorBase t = empty(ndim, shape, dtype, device)
    cdef int perm[MAX_DIM]
    cdef int i, j, at, c
    cdef int64_t stride = 1
    cdef bint plain = True
    if ndim < 2 or t.view.numel <= 1:
        return t
    for i in range(n):
        if not operands[i].contiguous:
            plain = False
    if plain:
        return t
    for i in range(ndim):
        perm[i] = ndim - 1 - i
    for i in range(1, ndim):
        at = i
        for j in range(i - 1, -1, -1):
            c = swap_order(&t.view, n, operands, perm[j], perm[at], ndim)
            if c > 0:
                perm[j], perm[at] = perm[at], perm[j]
                at = j
            elif c < 0:
                break
    for i in range(ndim):
        t.view.strides[perm[i]] = stride
        stride *= t.view.shape[perm[i]]
    refresh(t)
    return t


cdef bint dense(TensorBase x) noexcept:
    """Does every element of the memory that x spans belong to just one index?"""
    cdef int64_t expected = 1
    cdef int d, found, left = 0
    if x.view.contiguous and x.view.numel:
        return True
    for d in range(x.view.ndim):
        left += x.view.shape[d] > 1
    while left:
        found = -1
        for d in range(x.view.ndim):
            if x.view.shape[d] > 1 and x.view.strides[d] == expected:
                found = d
        if found < 0:
            return False
        expected *= x.view.shape[found]
        left -= 1
    return True


cdef TensorBase empty_as(TensorBase x, int dtype, int device):
    """Allocate another dtype or device with x's shape and order of dimensions in memory: its very strides where it is dense."""
    cdef View* t[1]
    cdef TensorBase y
    t[0] = &x.view
    if dense(x):
        y = empty(x.view.ndim, x.view.shape, dtype, device)
        memcpy(y.view.strides, x.view.strides, x.view.ndim * sizeof(int64_t))
        y.view.contiguous = x.view.contiguous
        return y
    return empty_for(x.view.ndim, x.view.shape, dtype, device, 1, t)


cdef TensorBase scalar_tensor(object number, int dtype, int device):
    cdef TensorBase t = empty(0, NULL, dtype, device)
    cdef object as_int
    if device != CPU:
        return t
    if PyComplex_Check(number) and not is_complex_(dtype) and dtype != BOOL:
        if number.imag != 0:
            raise RuntimeError(f"[tensor] value {number} cannot be converted to type {name_of(dtype)} without overflow; "
                               "its imaginary part would be lost")
        number = number.real
    if dtype == F32:
        (<float*>t.view.data)[0] = <float><double>number
    elif dtype == F64:
        (<double*>t.view.data)[0] = <double>number
    elif dtype == BOOL:
        (<uint8_t*>t.view.data)[0] = bool(number)
    elif dtype == C128:
        number = complex(number)
        (<double*>t.view.data)[0], (<double*>t.view.data)[1] = number.real, number.imag
    elif is_complex_(dtype):
        copy_into(t, scalar_tensor(number, C128, device))
    elif is_float(dtype):
        copy_into(t, scalar_tensor(number, F32, device))
    else:
        if PyFloat_Check(number) and not -9.3e18 < <double>number < 9.3e18:      # nan too
            raise RuntimeError(f"[tensor] value {number} cannot be converted to type {name_of(dtype)} without overflow")
        as_int = int(number)
        lowest, highest = limits_of(dtype)
        if not lowest <= as_int <= highest:
            raise RuntimeError(f"[tensor] value {as_int} cannot be converted to type {name_of(dtype)} without overflow")
        if dtype == I64:
            (<int64_t*>t.view.data)[0] = as_int
        elif dtype == U64:
            (<uint64_t*>t.view.data)[0] = as_int & 0xFFFFFFFFFFFFFFFF
        else:
            copy_into(t, scalar_tensor(as_int, I64, device))
    return t


cdef tuple limits_of(int dtype):
    """The numbers that an integer dtype takes: its own range, and for unsigned ones, as in PyTorch, negated too."""
    cdef object bits = 8 * itemsize_of(dtype)            # a Python number: 1 << 63 is no C int
    if (<object>dtype_of(dtype)).is_signed:
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return 1 - (1 << bits), (1 << bits) - 1


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


cdef object in_64_bits(str op, object x):
    """An int as an operand: of 64 bits, those of an unsigned one read as a signed one's."""
    if -(1 << 63) <= x < (1 << 63):
        return x
    if 0 <= x < (1 << 64):
        return x - (1 << 64)
    raise OverflowError(f"[{op}] int too big to convert: {x} has more than 64 bits")


cdef TensorBase wrapped(object x, TensorBase beside, str op, int rule, bint opmath=False):
    """A Python number as a 0-d operand of the dtype that the operation with ``beside`` has."""
    cdef int dtype = number_dtype(x), common
    cdef TensorBase t
    if dtype < 0:
        if hasattr(x, "__index__"):
            x = x.__index__()
            dtype = I64
        elif hasattr(x, "__float__") and not isinstance(x, (str, bytes)):
            x = float(x)
            dtype = default_float()
        else:
            raise TypeError(f"[{op}] an operand must be a Tensor or a number, got {type(x).__name__}")
    common = combine(beside.view.dtype, dtype)
    if dtype == I64:
        signed = in_64_bits(op, x)
        x = signed if is_integral(common) else x
    if dtype == I64 and common != I64 and is_integral(common) and not (rule == 1):
        t = scalar_tensor(x, I64, beside.device)     # wraps around in the kernel's dtype as PyTorch does
        t = to_dtype(t, common)
    else:
        if rule == 1 and is_integral(common):
            common = default_float()
        if opmath and (common == F16 or common == BF16):
            common = F32
        t = scalar_tensor(x, common, beside.device)
    t.wrapped_number = True
    return t


# -- kernels -----------------------------------------------------------------------------------------


cdef int64_t launch(Op op, int dtype, int device, int outputs, int n, View** t, const Param* p, int64_t work) except -1:
    cdef Kernel kernel
    cdef int64_t found
    cdef int wide, part, i
    if device != CPU:
        return no_stand_in(op.name, device)
    for i in range(n):       # a derivative may bring a stand-in beside tensors that have their data
        if t[i] != NULL and <size_t>t[i].data >> 60:
            no_stand_in(op.name, STAND_IN)
    kernel = op.cpu[dtype]
    if kernel == NULL:
        if outputs == 0 or not lowers(op, dtype):
            raise NotImplementedError(f"[{op.name}] not implemented for dtype {name_of(dtype)} on {device_name(device)}; "
                                      f"it takes {', '.join(op.dtypes)}")
        wide = wide_of(dtype)
        part = wide if is_complex_(dtype) else dtype
        with nogil:
            found = lowered(op.cpu[wide], wide, dtype, copies[part][wide], copies[wide][part], outputs, n, t, p)
        if found == -1:
            raise MemoryError(f"[{op.name}] no memory for a copy in {name_of(wide)}")
        return found
    if work < HOLD_GIL:
        found = kernel(t, p)
    else:
        with nogil:
            found = kernel(t, p)
    if found == -1:
        raise MemoryError(f"[{op.name}] no memory for the kernel's work space")
    return found


cdef int copy_into(TensorBase dst, TensorBase src) except -1:
    cdef View* t[2]
    cdef Kernel kernel = copies[src.view.dtype][dst.view.dtype]
    if dst.device != CPU or src.device != CPU:
        no_stand_in("copy_", max(dst.device, src.device))
    if dst.device == META or dst.view.numel == 0:
        return 0
    if src.device == META:
        raise NotImplementedError("[copy_] Cannot copy out of meta tensor; no data!")
    t[0], t[1] = &dst.view, &src.view
    if dst.view.numel < HOLD_GIL:
        kernel(t, NULL)
    else:
        with nogil:
            kernel(t, NULL)
    return 0


# -- recording ---------------------------------------------------------------------------------------


cdef bint needs_grad(TensorBase a) noexcept:
    return grad_enabled() and (a.requires_grad_ or stale(a)) or level and has_tangent(a)


cdef inline bint stale(TensorBase a) noexcept:
    """A view whose base got a history after the view was made."""
    return a.base is not None and a.base.requires_grad_ and a.history != a.base.history and a.history != UNRECORDED


cdef bint any_needs_grad(tuple inputs):
    cdef TensorBase t
    cdef bint recording = grad_enabled()
    if not recording and not level:
        return False
    for x in inputs:
        if x is not None:
            t = <TensorBase>x
            if recording and (t.requires_grad_ or stale(t)) or level and has_tangent(t):
                return True
    return False


cdef Node make_node(Op op, TensorBase out, tuple inputs, object extra):
    cdef Node n = plain_node(op, out, inputs, extra)
    if level:
        carry(n, inputs)
    return n


cdef Node plain_node(Op op, TensorBase out, tuple inputs, object extra):
    cdef Node n = Node.__new__(Node)
    n.vjp = op.vjp
    n.op = op
    n.n_outputs = 1
    n.dtype = out.view.dtype
    n.device = out.device
    n.extra = extra
    connect(n, inputs)
    return n


cdef int attach(Node n, TensorBase out, int nr) noexcept:
    out.grad_fn_ = n
    out.output_nr = nr
    out.requires_grad_ = True
    return 0


cdef int record(Op op, TensorBase out, tuple inputs, tuple saved, object extra=None) except -1:
    cdef Node n
    if op.vjp == NULL or not differentiable(out.view.dtype) or not any_needs_grad(inputs):
        return 0
    n = make_node(op, out, inputs, extra)
    save(n, saved, out)
    attach(n, out, 0)
    if level:
        propagate(n, (out,))
    return 0


cdef int record_multi(Op op, tuple outs, tuple inputs, tuple saved, object extra=None) except -1:
    cdef Node n
    cdef TensorBase out
    cdef int i
    if op.vjp == NULL or not any_needs_grad(inputs):
        return 0
    n = make_node(op, <TensorBase>outs[0], inputs, extra)
    n.n_outputs = len(outs)
    for i in range(n.n_outputs):
        out = <TensorBase>outs[i]
        if differentiable(out.view.dtype):
            attach(n, out, i)
    save(n, saved, None)
    if level:
        propagate(n, outs)
    return 0


cdef int record_view(Op op, TensorBase out, TensorBase x, object extra=None) except -1:
    cdef Node n
    out.inference = x.inference
    if level:
        propagate_view(out, x)
    if x.inference:
        return 0
    out.base = x if x.base is None else x.base
    if not grad_enabled():
        out.history = UNRECORDED
        return 0
    if x.requires_grad_ or stale(x):
        n = plain_node(op, out, (x,), extra)
        attach(n, out, 0)
    out.history = out.base.history if x.history >= 0 else x.history
    return 0


cdef int begin_inplace(str op, TensorBase x) except -1:
    cdef int d
    if x.storage.readonly_:
        raise RuntimeError(f"[{op}] the tensor is a view of read-only memory; clone it before writing")
    if not x.view.contiguous:
        for d in range(x.view.ndim):
            if x.view.strides[d] == 0 and x.view.shape[d] > 1:
                raise RuntimeError(
                    f"[{op}] unsupported operation: more than one element of the written-to tensor of shape "
                    f"{x.shape_tuple()} refers to a single memory location (it was expanded). Please clone() the "
                    "tensor before performing the operation.")
    if x.inference and not inference_enabled():
        raise RuntimeError(f"[{op}] Inplace update to inference tensor outside InferenceMode is not allowed. You can "
                           "make a clone to get a normal tensor before doing inplace update.")
    if grad_enabled():
        if x.requires_grad_ and x.grad_fn_ is None:
            raise RuntimeError(f"[{op}] a leaf Variable that requires grad is being used in an in-place operation; "
                               "use taeda.no_grad() to update it, or clone it")
        if x.base is not None and x.base.requires_grad_:
            check_view_write(op, x)
            if x.base.grad_fn_ is None:
                raise RuntimeError(f"[{op}] a view of a leaf Variable that requires grad is being used in an in-place "
                                   "operation; use taeda.no_grad() to update it, or clone it")
    if on_write is not None:
        on_write(op, x)
    return 0


cdef int check_view_write(str op, TensorBase x) except -1:
    """Refuse to record a write through a view whose place in its base is not autograd's to follow."""
    cdef object fn
    if x.history == UNRECORDED:
        raise RuntimeError(
            f"[{op}] A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use "
            "case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
            "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the "
            f"inplace to be tracked); the view has shape {x.shape_tuple()}")
    if x.history == SEVERAL:
        raise RuntimeError(f"[{op}] the view of shape {x.shape_tuple()} that is being modified inplace" + SEVERAL_VIEWS)
    fn = x.grad_fn_
    while fn is not None and fn is not x.base.grad_fn_ and isinstance(fn, Node) and (<Node>fn).edges:
        if (<Node>fn).op is not None and (<Op>(<Node>fn).op).name in MULTI_VIEWS:
            raise RuntimeError(
                f"[{op}] Output {x.output_nr} of {x.grad_fn_.name()}, a view of shape {x.shape_tuple()} that is being modified inplace,"
                + SEVERAL_VIEWS)
        fn = (<Node>fn).edges[0]
    return 0


cdef tuple MULTI_VIEWS = ("unbind", "split", "split_with_sizes")
cdef str SEVERAL_VIEWS = (" is the output of a function that returns multiple views. Such functions do not allow the output views to be "
                          "modified inplace. You should replace the inplace operation by an out-of-place one, or index its base.")
cdef object on_write = None            # called with (op, tensor) before every in-place write while somebody watches
cdef dict watchers = {}


def watch_writes(function, key):
    """Call ``function(op, tensor)`` before every in-place write; None takes the watcher ``key`` away."""
    global on_write
    watchers.pop(key, None)
    if function is not None:
        watchers[key] = function
    on_write = tell_watchers if watchers else None


def tell_watchers(op, tensor):
    for function in list(watchers.values()):
        function(op, tensor)


cdef inline int bump(TensorBase x) noexcept:
    if not x.detached_version:
        x.storage.version += 1
    return 0


cdef object make_copy_slices = None   # (view, inner node) -> node of the base; set by ops.views


cdef int end_inplace(Op op, TensorBase x, tuple inputs, tuple saved, object extra=None) except -1:
    bump(x)
    if op.vjp == NULL or not differentiable(x.view.dtype) or not any_needs_grad(inputs):
        return 0
    return rebase(x, make_node(op, x, inputs, extra), saved)


cdef int rebase(TensorBase x, Node n, tuple saved) except -1:
    """Make n the history of x; of a view, of its base."""
    cdef TensorBase base
    if saved is not None:
        save(n, saved, x)
    if level and not propagate_inplace(n, x):
        return 0
    if x.base is None:
        attach(n, x, 0)
        x.history += 1
        return 0
    if x.history < 0:
        check_view_write((<Op>n.op).name + "_", x)
    base = x.base
    outer = make_copy_slices(x, n)
    attach(outer, base, 0)
    base.history += 1
    return 0


def set_copy_slices(function):
    """Let ops.views say how an in-place write through a view becomes history of its base."""
    global make_copy_slices
    make_copy_slices = function


# -- dtype and layout conversions --------------------------------------------------------------------


cdef object to_copy_vjp(Node n, object g):
    return to_dtype(<TensorBase>g, <int>n.extra)

cdef object clone_vjp(Node n, object g):
    return g

cdef Op TO_COPY = define("to_copy", to_copy_vjp)
cdef Op CLONE = define("clone", clone_vjp)


cdef TensorBase to_dtype(TensorBase x, int dtype):
    cdef TensorBase y
    if x.view.dtype == dtype:
        return x
    y = empty_as(x, dtype, x.device)
    copy_into(y, x)
    if differentiable(x.view.dtype):
        record(TO_COPY, y, (x,), None, <int>x.view.dtype)
    y.wrapped_number = x.wrapped_number
    return y


cdef TensorBase contiguous(TensorBase x):
    cdef TensorBase y
    if x.view.contiguous:
        return x
    y = empty_like(x)
    copy_into(y, x)
    record(CLONE, y, (x,), None)
    return y


cdef TensorBase clone_dense(TensorBase x):
    """A copy that keeps the order of the dimensions in memory."""
    cdef TensorBase y = empty_as(x, x.view.dtype, x.device)
    copy_into(y, x)
    record(CLONE, y, (x,), None)
    return y


cdef TensorBase as_strided_view(TensorBase x, int ndim, const int64_t* shape, const int64_t* strides, int64_t offset):
    cdef TensorBase t = new_tensor()
    cdef int64_t n = 1
    cdef int d
    cdef bint over = False, none = False
    for d in range(ndim):                    # strides of 0 need no memory, but elements are counted in 64 bits
        over = mul_overflow(n, shape[d], &n) or over
        none = none or shape[d] == 0
    if over and not none:
        raise RuntimeError(f"[view] numel: integer multiplication overflow for sizes {[shape[d] for d in range(ndim)]}")
    t.set_ndim(ndim)
    if ndim:
        memcpy(t.view.shape, shape, ndim * sizeof(int64_t))
        memcpy(t.view.strides, strides, ndim * sizeof(int64_t))
    t.storage = x.storage
    t.offset = offset
    t.device = x.device
    t.device_index = x.device_index
    t.detached_version = x.detached_version
    t.inference = x.inference
    t.view.dtype = x.view.dtype
    t.view.itemsize = x.view.itemsize
    refresh(t)
    return t


# -- the pointwise roads -----------------------------------------------------------------------------


cdef inline bint same_shape(TensorBase a, TensorBase b) noexcept:
    return a.view.ndim == b.view.ndim and (
        a.view.ndim == 0 or memcmp(a.view.shape, b.view.shape, a.view.ndim * sizeof(int64_t)) == 0)


cdef inline int compute_dtype(Op op, int dtype) noexcept:
    return default_float() if op.rule == FLOAT and is_integral(dtype) else dtype


cdef TensorBase unary_params(Op op, object input, const Param* p, object extra, object out=None):
    cdef TensorBase x = as_tensor(input, op.name), y
    cdef View* t[2]
    cdef int dtype = compute_dtype(op, x.view.dtype)
    if x.view.dtype != dtype:
        x = to_dtype(x, dtype)
    t[0] = &x.view
    y = empty_for(x.view.ndim, x.view.shape, BOOL if op.rule == COMPARE else dtype, x.device, 1, t)
    t[0], t[1] = &y.view, &x.view
    launch(op, dtype, x.device, 1, 2, t, p, y.view.numel)
    if op.vjp != NULL and needs_grad(x) and differentiable(y.view.dtype):
        record(op, y, (x,), (x,) if op.saves == IN0 else (y,) if op.saves == OUT else
               (x, y) if op.saves == IN0 + OUT else None, extra)
    return y if out is None else write_out(out, y, op.name)


cdef TensorBase unary(Op op, object x, object out=None):
    return unary_params(op, x, NULL, None, out)


cdef TensorBase unary_params_(Op op, TensorBase x, const Param* p, object extra):
    cdef View* t[2]
    cdef TensorBase old
    cdef int dtype
    if x is None:
        raise TypeError(f"[{op.name}_] argument must be a Tensor, not NoneType")
    dtype = compute_dtype(op, x.view.dtype)
    if dtype != x.view.dtype:
        raise RuntimeError(f"[{op.name}_] result type {name_of(dtype)} can't be cast to the desired output type "
                           f"{name_of(x.view.dtype)}; use {op.name}, or convert the tensor first")
    begin_inplace(op.name + "_", x)
    t[0], t[1] = &x.view, &x.view
    if op.rule == COMPARE:
        y = unary_params(op, x.detach(), p, extra)
        copy_into(x, <TensorBase>y)
        end_inplace(op, x, (x,), None, extra)
        return x
    old = snapshot(x) if op.saves & IN0 and op.vjp != NULL and needs_grad(x) else None
    launch(op, dtype, x.device, 1, 2, t, p, x.view.numel)
    end_inplace(op, x, (x,), (old,) if op.saves == IN0 else (x,) if op.saves == OUT else
                (old, x) if op.saves == IN0 + OUT else None, extra)
    return x


cdef TensorBase unary_(Op op, TensorBase x):
    return unary_params_(op, x, NULL, None)


cdef TensorBase with_history(TensorBase x):
    """The tensor as it stands now, apart from x itself, whose history is about to change."""
    cdef TensorBase t = alias(x)
    t.grad_fn_ = grad_fn_of(x)
    t.output_nr = x.output_nr
    t.requires_grad_ = x.requires_grad_
    if level:
        lend_tangent(t, x)
    return t


cdef TensorBase snapshot(TensorBase x):
    """A copy of the tensor as it stands, with its history: what an in-place op that needs its input saves."""
    cdef TensorBase t = empty_as(x, x.view.dtype, x.device)
    copy_into(t, x)
    t.grad_fn_ = grad_fn_of(x)
    t.output_nr = x.output_nr
    t.requires_grad_ = x.requires_grad_
    if level:
        lend_tangent(t, x)
    return t


cdef TensorBase binary_params(Op op, object input, object other, const Param* p, object extra):
    return binary_road(op, input, other, p, extra, None)


cdef TensorBase binary(Op op, object a, object b, object out=None):
    return binary_road(op, a, b, NULL, None, out)


cdef set ARITHMETIC = {"add", "sub", "mul", "div", "floor_divide"}        # these take two numbers, as PyTorch's do

cdef TensorBase binary_road(Op op, object input, object other, const Param* p, object extra, object out):
    cdef TensorBase a, b, y
    cdef View* t[3]
    cdef int dtype
    cdef Node n
    # check
    if isinstance(input, TensorBase):
        a = <TensorBase>input
        b = <TensorBase>other if isinstance(other, TensorBase) else wrapped(other, a, op.name, op.rule, op.opmath)
    elif isinstance(other, TensorBase):
        b = <TensorBase>other
        a = wrapped(input, b, op.name, op.rule, op.opmath)
    elif op.name in ARITHMETIC and number_dtype(input) >= 0 and number_dtype(other) >= 0:
        a = scalar_tensor(input, number_dtype(input), CPU)
        b = wrapped(other, a, op.name, op.rule, op.opmath)
    else:
        raise TypeError(f"[{op.name}] one operand must be a Tensor, got {type(input).__name__} and {type(other).__name__}")
    if a.device != b.device:
        check_same_device(op.name, (a, b))
    # promote
    dtype = compute_dtype(op, result_type(a, b))
    if a.view.dtype != dtype and not (a.wrapped_number and op.opmath and kept_wide(a, dtype)):
        a = to_dtype(a, dtype)
    if b.view.dtype != dtype and not (b.wrapped_number and op.opmath and kept_wide(b, dtype)):
        b = to_dtype(b, dtype)
    # allocate
    if same_shape(a, b) or b.view.ndim == 0:
        t[0], t[1] = &a.view, &b.view
        y = empty_for(a.view.ndim, a.view.shape, BOOL if op.rule == COMPARE else dtype, a.device, 2, t)
    elif a.view.ndim == 0:
        t[0], t[1] = &a.view, &b.view
        y = empty_for(b.view.ndim, b.view.shape, BOOL if op.rule == COMPARE else dtype, a.device, 2, t)
    else:
        y = broadcast_result(op, a, b, BOOL if op.rule == COMPARE else dtype)
    # kernel
    t[0], t[1], t[2] = &y.view, &a.view, &b.view
    launch(op, dtype, a.device, 1, 3, t, p, y.view.numel)
    # record
    if op.vjp != NULL and (needs_grad(a) or needs_grad(b)) and differentiable(y.view.dtype):
        n = make_node(op, y, (a, b), extra)
        save_operands(op, n, a, b, y)
        if not (same_shape(a, y) and same_shape(b, y)):
            n.input_shapes = (a.shape_tuple(), b.shape_tuple())
        attach(n, y, 0)
        if level:
            propagate(n, (y,))
    return y if out is None else write_out(out, y, op.name)


cdef bint kept_wide(TensorBase x, int dtype) noexcept:
    """A number beside float16 or bfloat16 takes part in sums and products unrounded, as float32."""
    return x.view.dtype == F32 and (dtype == F16 or dtype == BF16)


cdef TensorBase broadcast_result(Op op, TensorBase a, TensorBase b, int dtype):
    cdef int64_t sizes[MAX_DIM]
    cdef View* t[2]
    cdef tuple shape = broadcast_shapes(op.name, a.shape_tuple(), b.shape_tuple())
    cdef int i, n = len(shape)
    for i in range(n):
        sizes[i] = shape[i]
    t[0], t[1] = &a.view, &b.view
    return empty_for(n, sizes, dtype, a.device, 2, t)


cdef int save_operands(Op op, Node n, TensorBase a, TensorBase b, TensorBase y) except -1:
    if op.saves == CROSS:
        save(n, (a if n.needs(1) else None, b if n.needs(0) else None), y)
    elif op.saves:
        save(n, kept(op.saves, a, b, y), y)
    return 0


cdef tuple kept(int saves, TensorBase a, TensorBase b, TensorBase y):
    """The tensors that a binary op saves, in the order in which its vjp loads them."""
    if saves == IN0 + IN1:
        return (a, b)
    if saves == OUT:
        return (y,)
    return (((a,) if saves & IN0 else ()) + ((b,) if saves & IN1 else ()) + ((y,) if saves & OUT else ()))


cdef TensorBase binary_(Op op, TensorBase a, object other):
    """a <- op(a, other), keeping a's shape and dtype."""
    cdef TensorBase b, old, y
    cdef View* t[3]
    cdef Node n
    cdef int dtype
    cdef tuple shape
    if a is None:
        raise TypeError(f"[{op.name}_] argument must be a Tensor, not NoneType")
    b = <TensorBase>other if isinstance(other, TensorBase) else wrapped(other, a, op.name, op.rule, op.opmath)
    dtype = compute_dtype(op, result_type(a, b))
    check_same_device(op.name + "_", (a, b))
    if op.rule != COMPARE and not castable(dtype, a.view.dtype):
        raise RuntimeError(f"[{op.name}_] result type {name_of(dtype)} can't be cast to the desired output type "
                           f"{name_of(a.view.dtype)}; use the out-of-place form")
    if not same_shape(a, b) and b.view.ndim:
        shape = broadcast_shapes(op.name + "_", a.shape_tuple(), b.shape_tuple())
        if shape != a.shape_tuple():
            raise RuntimeError(f"[{op.name}_] output with shape {list(a.shape_tuple())} doesn't match the broadcast "
                               f"shape {list(shape)}")
    begin_inplace(op.name + "_", a)
    check_partial_overlap(op.name + "_", a, b)
    recording = op.vjp != NULL and differentiable(a.view.dtype) and (needs_grad(a) or needs_grad(b))
    if recording and a.base is not None and a.history < 0:
        check_view_write(op.name + "_", a)
    keeps = op.saves & IN0 or (op.saves == CROSS and needs_grad(b))
    old = a if not recording else snapshot(a) if keeps else with_history(a)
    if op.rule == COMPARE or dtype != a.view.dtype:
        with_grad = to_dtype(b, dtype)
        y = binary_quiet(op, a, b)
        copy_into(a, y)
        b = with_grad
    else:
        if b.view.dtype != dtype and not (b.wrapped_number and op.opmath and kept_wide(b, dtype)):
            b = to_dtype(b, dtype)
        t[0], t[1], t[2] = &a.view, &a.view, &b.view
        launch(op, dtype, a.device, 1, 3, t, NULL, a.view.numel)
    bump(a)
    if recording:
        n = make_node(op, a, (old, b), None)
        if not same_shape(a, b):
            n.input_shapes = (a.shape_tuple(), b.shape_tuple())
        if op.saves == CROSS:
            rebase(a, n, (old if n.needs(1) else None, b if n.needs(0) else None))
        else:
            rebase(a, n, kept(op.saves, old, b, a) if op.saves else None)
    return a


cdef TensorBase binary_quiet(Op op, TensorBase a, TensorBase b):
    cdef bint was = set_grad(False)
    try:
        return binary(op, a, b)
    finally:
        set_grad(was)


cdef bint castable(int from_, int to) noexcept:
    """May a result of one dtype be stored in another?  Never to a lower kind."""
    if is_float(from_) and is_integral(to) or is_complex_(from_) and not is_complex_(to):
        return False
    return not (to == BOOL and from_ != BOOL)


cdef int check_partial_overlap(str op, TensorBase a, TensorBase b) except -1:
    """In-place with an operand that shares some, not all, of the written memory would read its own results."""
    if a.storage is not b.storage or a.view.numel == 0 or b.view.numel == 0:
        return 0
    if not (a.view.contiguous and b.view.contiguous) or a.view.data == b.view.data and a.view.numel == b.view.numel:
        return 0
    if a.view.data < b.view.data + b.view.numel * b.view.itemsize and b.view.data < a.view.data + a.view.numel * a.view.itemsize:
        raise RuntimeError(f"[{op}] unsupported operation: some elements of the input tensor and the written-to tensor "
                           "refer to a single memory location. Please clone() the tensor before performing the operation.")
    return 0


cdef TensorBase write_out(object target, TensorBase result, str op):
    cdef TensorBase out
    if not isinstance(target, TensorBase):
        raise TypeError(f"[{op}] argument 'out' must be a Tensor, not {type(target).__name__}")
    out = <TensorBase>target
    if result.requires_grad_ or (out.requires_grad_ and grad_enabled()):
        raise RuntimeError(f"[{op}] functions with out=... arguments don't support automatic differentiation, but one of "
                           "the arguments requires grad.")
    if not castable(result.view.dtype, out.view.dtype):
        raise RuntimeError(f"[{op}] result type {name_of(result.view.dtype)} can't be cast to the desired output type "
                           f"{name_of(out.view.dtype)}")
    check_same_device(op, (out, result))
    if not same_shape(out, result):
        if out.view.numel:
            warnings.warn(f"[{op}] an output with one or more elements was resized since it had shape "
                          f"{list(out.shape_tuple())}, which does not match the required output shape "
                          f"{list(result.shape_tuple())}", UserWarning, stacklevel=3)
        out.resize_(result.shape_tuple())
    begin_inplace(op, out)
    copy_into(out, result)
    bump(out)
    return out

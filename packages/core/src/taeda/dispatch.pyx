# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The one road from a call to a kernel: check -> promote -> allocate -> kernel of the device -> record.

``binary`` shows the whole road on one screen.  Its pieces lie in the rooms below, each on its own: ``operands`` (check,
promote), ``allocation``, ``registry`` (kernel) and ``recording``; structured ops put them together themselves.
"""
from cpython.float cimport PyFloat_Check
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t
from libc.string cimport memcmp, memcpy

from taeda.allocation cimport empty_as, empty_for, empty_like, scalar_tensor
from taeda.autograd.dual cimport has_tangent, lend_tangent, level, propagate
from taeda.autograd.grad_mode cimport grad_enabled, set_grad
from taeda.autograd.node cimport continue_history, grad_fn_of, save
from taeda.autograd.saved cimport packing
from taeda.dtype cimport default_float, differentiable, is_complex_, is_integral, name_of, torch_name
from taeda.kernels.cpu.abi cimport BF16, BOOL, F16, F32, F64, I64, MAX_DIM, View
from taeda.memory_order cimport dense
from taeda.operands cimport (Number, as_number, as_tensor, broadcast_shapes, castable, check_partial_overlap, check_same_device, combine,
                             in_64_bits, number_dtype, result_type)
from taeda.recording cimport (attach, begin_inplace, bump, check_view_write, end_inplace, make_node, needs_grad, rebase, record)
from taeda.registry cimport copy_into, define, launch
from taeda.tensor_base cimport CPU, STAND_IN, alias, is_wrapper, refresh

from taeda import _above
from taeda.autograd.node import named
from taeda.operands import refuse_overlap

import warnings


# -- dtype and layout conversions --------------------------------------------------------------------


cdef object to_copy_vjp(Node n, object g):
    if is_complex_((<TensorBase>g).view.dtype) and not is_complex_(<int>n.extra):
        g = g.real                                       # nothing that somebody could want is lost
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


# -- pointwise ---------------------------------------------------------------------------------------


cdef TensorBase wrapped(object x, TensorBase beside, str op, int rule, bint opmath=False):
    """A Python number as a 0-d operand of the dtype that the operation with ``beside`` has."""
    cdef int dtype, common
    cdef TensorBase t
    if PyFloat_Check(x) and beside.device == CPU and (beside.view.dtype == F32 or beside.view.dtype == F64):       # most of them
        t = empty(0, NULL, beside.view.dtype, CPU)
        if beside.view.dtype == F32:
            (<float*>t.view.data)[0] = <float><double>x
        else:
            (<double*>t.view.data)[0] = x
        t.wrapped_number = True
        return t
    dtype = number_dtype(x)
    if dtype < 0:
        if hasattr(x, "__setitem__"):                        # a list, or an array, which may say that it is an index
            raise TypeError(f"[{op}] an operand must be a Tensor or a number, got {type(x).__name__}; wrap it with taeda.tensor(...)")
        if PyIndex_Check(x):
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
    if dtype == I64 and common != I64 and is_integral(common) and rule != FLOAT:
        t = scalar_tensor(x, I64, beside.device)     # wraps around in the kernel's dtype as PyTorch does
        t = to_dtype(t, common)
    else:
        if rule == FLOAT and is_integral(common):
            common = default_float()
        if opmath and (common == F16 or common == BF16) and not is_integral(beside.view.dtype):
            common = F32
        t = scalar_tensor(x, common, beside.device)
    t.wrapped_number = True
    return t


cdef inline bint same_shape(TensorBase a, TensorBase b) noexcept:
    return a.view.ndim == b.view.ndim and (
        a.view.ndim == 0 or memcmp(a.view.shape, b.view.shape, a.view.ndim * sizeof(int64_t)) == 0)


cdef inline int compute_dtype(Op op, int dtype) noexcept:
    return default_float() if op.rule == FLOAT and is_integral(dtype) else dtype


cdef class KernelCall:
    # An op's kernel as an operator: what classes without memory are told where a derivative calls a kernel itself.

    cdef Op op
    cdef Param p[4]
    cdef object extra

    def __call__(self, *args):
        cdef const Param* p = self.p if self.extra is not None else NULL
        if len(args) > 1 and isinstance(args[1], TensorBase):
            return binary_road(self.op, args[0], args[1], p, self.extra, None)
        return unary_params(self.op, args[0], p, self.extra)


cdef object by_class(Op op, tuple tensors, const Param* p, object extra):
    """Ask the classes of tensors without memory what an op gives."""
    cdef KernelCall call = KernelCall()
    cdef int i
    call.op, call.extra = op, extra
    if p != NULL:
        if type(extra) is not tuple or len(<tuple>extra) > 4:
            for t in tensors:
                as_tensor(t, op.name)                   # refused
        for i in range(len(<tuple>extra)):             # by convention the values of the parameters
            call.p[i] = p[i]
    return _above.ask_of_kernel(op.name, call, tensors, extra if p != NULL else ())


cdef TensorBase unary_params(Op op, object input, const Param* p, object extra, object out=None):
    if isinstance(input, TensorBase) and is_wrapper(<TensorBase>input) and out is None:
        return by_class(op, (input,), p, extra)
    cdef TensorBase x = as_tensor(input, op.name), y
    cdef View* t[2]
    cdef int dtype = compute_dtype(op, x.view.dtype)
    if x.view.dtype != dtype:
        x = to_dtype(x, dtype)
    if out is not None and takes(out, BOOL if op.rule == COMPARE else dtype, x, None):
        y = <TensorBase>out
        begin_inplace(op.name, y)
        t[0], t[1] = &y.view, &x.view
        launch(op, dtype, x.device, 1, 2, t, p, y.view.numel)
        bump(y)
        return y
    t[0] = &x.view
    y = empty_for(x.view.ndim, x.view.shape, BOOL if op.rule == COMPARE else dtype, x.device, 1, t)
    t[0], t[1] = &y.view, &x.view
    launch(op, dtype, x.device, 1, 2, t, p, y.view.numel)
    if op.vjp != NULL and needs_grad(x) and differentiable(y.view.dtype):
        record(op, y, (x,), kept_of_one(op.saves, x, y), extra)
    return y if out is None else write_out(out, y, op.name)


cdef inline tuple kept_of_one(int saves, TensorBase x, TensorBase y):
    """The tensors that an op of one operand saves."""
    if saves == IN0:
        return (x,)
    if saves == OUT:
        return (y,)
    return (x, y) if saves == IN0 + OUT else None


cdef TensorBase unary(Op op, object x, object out=None):
    return unary_params(op, x, NULL, None, out)


cdef TensorBase unary_params_(Op op, TensorBase x, const Param* p, object extra):
    cdef View* t[2]
    cdef TensorBase old
    cdef int dtype
    if x is None:
        raise TypeError(f"[{op.name}_] argument must be Tensor, not NoneType")
    dtype = compute_dtype(op, x.view.dtype)
    if dtype != x.view.dtype:
        raise RuntimeError(f"[{op.name}_] result type {torch_name(dtype)} can't be cast to the desired output type "
                           f"{torch_name(x.view.dtype)}; use {op.name}, or convert the tensor first")
    begin_inplace(op.in_place, x)
    t[0], t[1] = &x.view, &x.view
    if op.rule == COMPARE:
        y = unary_params(op, x.detach(), p, extra)
        copy_into(x, <TensorBase>y)
        end_inplace(op, x, (x,), None, extra)
        return x
    old = snapshot(x) if op.saves & IN0 and op.vjp != NULL and needs_grad(x) else None
    launch(op, dtype, x.device, 1, 2, t, p, x.view.numel)
    end_inplace(op, x, (x,), kept_of_one(op.saves, old, x), extra)
    return x


cdef TensorBase unary_(Op op, TensorBase x):
    return unary_params_(op, x, NULL, None)


cdef TensorBase placed_as(TensorBase t, TensorBase x):
    """t with x's place in the graph, and its tangent."""
    t.grad_fn_ = grad_fn_of(x)
    t.output_nr = x.output_nr
    t.requires_grad_ = x.requires_grad_
    if level:
        lend_tangent(t, x)
    return t


cdef TensorBase with_history(TensorBase x):
    """The tensor as it stands now, apart from x itself, whose history is about to change."""
    return placed_as(alias(x), x)


cdef TensorBase snapshot(TensorBase x):
    """A copy of the tensor as it stands, with its history: what an in-place op that needs its input saves."""
    cdef TensorBase t = empty_as(x, x.view.dtype, x.device)
    copy_into(t, x)
    return placed_as(t, x)


def in_place(str op, function, input, *args, **kwargs):
    """Write ``function(input, *args)`` into ``input``: the in-place form of an op that is made of others, or has a kernel of its own.

    Where something is recorded, the function works on a copy: what it saves for backward must not be overwritten.

    Raises:
        RuntimeError: ``input``'s dtype cannot hold the result.
    """
    cdef TensorBase x = as_tensor(input, op), y
    cdef bint recording = needs_grad(x)
    begin_inplace(op, x)
    for other in args:
        recording = recording or isinstance(other, TensorBase) and needs_grad(<TensorBase>other)
    y = function(snapshot(x) if recording else x, *args, **kwargs)
    if not castable(y.view.dtype, x.view.dtype):
        raise RuntimeError(f"[{op}] result type {torch_name(y.view.dtype)} can't be cast to the desired output type "
                           f"{torch_name(x.view.dtype)}; use the out-of-place form")
    if not same_shape(x, y):
        raise RuntimeError(f"[{op}] output with shape {list(x.shape_tuple())} doesn't match the broadcast shape {list(y.shape_tuple())}")
    if y.grad_fn_ is not None and y.base is None and x.base is None and x.view.dtype == y.view.dtype and not level:
        copy_into(x, y)
        bump(x)
        continue_history(x, y.grad_fn_, y.output_nr)             # as out of place: all of x is y from now on
        x.history += 1
        return x
    (<object>x).copy_(y)
    if y.grad_fn_ is not None and x.base is None and needs_grad(x):
        named(x, y.grad_fn_.name())                              # as the op out of place
    return x


cdef TensorBase binary_params(Op op, object input, object other, const Param* p, object extra):
    return binary_road(op, input, other, p, extra, None)


cdef char* end_of(TensorBase x) noexcept:
    """Where the memory that x reaches ends."""
    cdef int64_t last = 0
    cdef int d
    for d in range(x.view.ndim):
        last += (x.view.shape[d] - 1) * x.view.strides[d]
    return <char*>x.view.data + (last + 1) * x.view.itemsize


cdef bint spreads(TensorBase x, TensorBase y) noexcept:
    """Whether x is broadcast to the shape of y."""
    cdef int d, before = y.view.ndim - x.view.ndim
    if before < 0:
        return False
    for d in range(x.view.ndim):
        if x.view.shape[d] != 1 and x.view.shape[d] != y.view.shape[before + d]:
            return False
    return True


cdef bint takes(object target, int dtype, TensorBase a, TensorBase b) except -1:
    """Whether a result of a and b (or of a alone) may be computed where ``out`` lies: it is like it, nothing is recorded, and an operand
    of its storage lies before or behind it, or is out itself, which is read before it is written."""
    cdef TensorBase out, x
    cdef int k
    if level or not isinstance(target, TensorBase):
        return False
    out = <TensorBase>target
    if out.view.dtype != dtype or out.device != CPU or a.device != CPU or needs_grad(a) or needs_grad(out):
        return False
    if not same_shape(out, a) and (b is None or not (same_shape(out, b) and spreads(a, out))):
        return False
    if b is not None and (needs_grad(b) or not spreads(b, out)):
        return False
    for k in range(2):
        x = b if k else a
        if x is None or x.storage is not out.storage or end_of(x) <= <char*>out.view.data or end_of(out) <= <char*>x.view.data:
            continue
        if not (x.view.data == out.view.data and x.view.dtype == dtype and (
                x.view.contiguous and out.view.contiguous and x.view.numel == out.view.numel)):
            return False
    return True


cdef TensorBase binary(Op op, object a, object b, object out=None):
    return binary_road(op, a, b, NULL, None, out)


cdef set ARITHMETIC = {"add", "sub", "mul", "div", "floor_divide", "trunc_divide"}        # these take two numbers, as PyTorch's do

cdef TensorBase binary_road(Op op, object input, object other, const Param* p, object extra, object out):
    """The road of an op of two operands, one of which may be a number; p: the kernel's parameters, extra: what its vjp needs besides."""
    cdef TensorBase a, b, y
    cdef View* t[3]
    cdef Number number
    cdef int dtype, device
    cdef Node n
    # check
    if isinstance(input, TensorBase):
        a = <TensorBase>input
        if not isinstance(other, TensorBase) and out is None and as_number(other, a, &number) and not needs_grad(a):
            return with_number(op, a, &a.view, &number.view, p)
        b = <TensorBase>other if isinstance(other, TensorBase) else wrapped(other, a, op.name, op.rule, op.opmath)
    elif isinstance(other, TensorBase):
        b = <TensorBase>other
        if out is None and as_number(input, b, &number) and not needs_grad(b):
            return with_number(op, b, &number.view, &b.view, p)
        a = wrapped(input, b, op.name, op.rule, op.opmath)
    elif op.name in ARITHMETIC and number_dtype(input) >= 0 and number_dtype(other) >= 0:
        a = scalar_tensor(input, number_dtype(input), CPU)
        b = wrapped(other, a, op.name, op.rule, op.opmath)
    else:
        raise TypeError(f"[{op.name}] one operand must be a Tensor, got {type(input).__name__} and {type(other).__name__}")
    if a.device + b.device >= STAND_IN and out is None and (is_wrapper(a) or is_wrapper(b)):
        return by_class(op, (input, other), p, extra)
    if a.device != b.device:
        check_same_device(op.name, (b, a) if a.device == CPU and a.view.ndim == 0 else (a, b))
    device = max(a.device, b.device)         # of a CPU's number beside a meta tensor, the other's
    # promote
    dtype = compute_dtype(op, result_type(a, b))
    if a.view.dtype != dtype and not (a.wrapped_number and op.opmath and kept_wide(a, dtype)):
        a = to_dtype(a, dtype)
    if b.view.dtype != dtype:
        b = to_dtype(b, F32 if op.opmath and b.view.ndim == 0 and kept_wide(b, dtype) else dtype)
    # allocate
    if out is not None and takes(out, BOOL if op.rule == COMPARE else dtype, a, b):
        y = <TensorBase>out
        begin_inplace(op.name, y)
        t[0], t[1], t[2] = &y.view, &a.view, &b.view
        launch(op, dtype, device, 1, 3, t, p, y.view.numel)
        bump(y)
        return y
    if same_shape(a, b) or b.view.ndim == 0:
        t[0], t[1] = &a.view, &b.view
        y = empty_for(a.view.ndim, a.view.shape, BOOL if op.rule == COMPARE else dtype, device,
                      1 if b.wrapped_number and op.exponent else 2, t)
    elif a.view.ndim == 0:
        t[0], t[1] = &a.view, &b.view
        y = empty_for(b.view.ndim, b.view.shape, BOOL if op.rule == COMPARE else dtype, device, 2, t)
    else:
        y = broadcast_result(op, a, b, BOOL if op.rule == COMPARE else dtype)
    # kernel
    t[0], t[1], t[2] = &y.view, &a.view, &b.view
    launch(op, dtype, device, 1, 3, t, p, y.view.numel)
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


cdef TensorBase with_number(Op op, TensorBase x, View* a, View* b, const Param* p):
    """The op of a tensor x and a number, one of which is a and one b, where nothing is recorded."""
    cdef View* t[3]
    cdef TensorBase y
    t[0], t[1] = a, b
    y = empty_for(x.view.ndim, x.view.shape, BOOL if op.rule == COMPARE else x.view.dtype, CPU,
                  1 if op.exponent and a is &x.view else 2, t)                        # PyTorch's exponent is a parameter
    t[0], t[1], t[2] = &y.view, a, b
    launch(op, x.view.dtype, CPU, 1, 3, t, p, y.view.numel)
    return y


cdef bint kept_wide(TensorBase x, int dtype) noexcept:
    """A number beside float16 or bfloat16 takes part in products and quotients as float32, unrounded; so does a second tensor without
    dimensions."""
    return (dtype == F16 or dtype == BF16) and (x.wrapped_number or not needs_grad(x)) and (
        x.view.dtype == F32 or x.view.dtype == F64 or is_integral(x.view.dtype))


cdef TensorBase broadcast_result(Op op, TensorBase a, TensorBase b, int dtype):
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t x, y
    cdef View* t[2]
    cdef int i, n = max(a.view.ndim, b.view.ndim)
    for i in range(1, n + 1):
        x = a.view.shape[a.view.ndim - i] if i <= a.view.ndim else 1
        y = b.view.shape[b.view.ndim - i] if i <= b.view.ndim else 1
        if x != y and x != 1 and y != 1:
            broadcast_shapes(op.name, a.shape_tuple(), b.shape_tuple())              # raises
        sizes[n - i] = y if x == 1 else x
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
    cdef TensorBase b, old, was, y
    cdef View* t[3]
    cdef Number number
    cdef Node n
    cdef int dtype
    cdef tuple shape
    if a is None:
        raise TypeError(f"[{op.name}_] argument must be Tensor, not NoneType")
    if not isinstance(other, TensorBase) and op.rule != COMPARE and as_number(other, a, &number) and not needs_grad(a):
        begin_inplace(op.in_place, a)
        t[0], t[1], t[2] = &a.view, &a.view, &number.view
        launch(op, a.view.dtype, CPU, 1, 3, t, NULL, a.view.numel)
        bump(a)
        return a
    b = <TensorBase>other if isinstance(other, TensorBase) else wrapped(other, a, op.name, op.rule, op.opmath)
    dtype = compute_dtype(op, result_type(a, b))
    if a.device != b.device or a.device >= STAND_IN:
        check_same_device(op.in_place, (a, b))
    if op.rule != COMPARE and not castable(dtype, a.view.dtype):
        raise RuntimeError(f"[{op.name}_] result type {torch_name(dtype)} can't be cast to the desired output type "
                           f"{torch_name(a.view.dtype)}; use the out-of-place form")
    if not same_shape(a, b) and b.view.ndim:
        shape = broadcast_shapes(op.in_place, a.shape_tuple(), b.shape_tuple())
        if shape != a.shape_tuple():
            raise RuntimeError(f"[{op.name}_] output with shape {list(a.shape_tuple())} doesn't match the broadcast "
                               f"shape {list(shape)}")
    begin_inplace(op.in_place, a)
    check_partial_overlap(op.in_place, a, b)
    recording = op.vjp != NULL and differentiable(a.view.dtype) and (needs_grad(a) or needs_grad(b))
    if recording and a.base is not None and a.history < 0:
        check_view_write(op.in_place, a)
    keeps = op.saves & IN0 or (op.saves == CROSS and needs_grad(b))
    old = a if not recording else snapshot(a) if keeps else with_history(a)
    overwrites = recording and b.storage is a.storage and (op.saves & IN1 or op.saves == CROSS)
    was = snapshot(b) if overwrites and (level or packing) else None               # what tangents and pack hooks are to see
    if op.rule == COMPARE or dtype != a.view.dtype:
        with_grad = to_dtype(b, dtype)
        y = binary_quiet(op, a, b)
        copy_into(a, y)
        b = with_grad
    else:
        if b.view.dtype != dtype:
            b = to_dtype(b, F32 if op.opmath and b.view.ndim == 0 and kept_wide(b, dtype) else dtype)
        t[0], t[1], t[2] = &a.view, &a.view, &b.view
        launch(op, dtype, a.device, 1, 3, t, NULL, a.view.numel)
    bump(a)
    if recording:
        n = make_node(op, a, (old, b), None)
        if not same_shape(a, b):
            n.input_shapes = (a.shape_tuple(), b.shape_tuple())
        if was is not None:
            b = was if was.view.dtype == dtype else to_dtype(was, dtype)
        if op.saves == CROSS:
            rebase(a, n, (old if n.needs(1) else None, b if n.needs(0) else None))
        else:
            rebase(a, n, kept(op.saves, old, b, a) if op.saves else None)
        if overwrites and was is None and not a.detached_version:
            n.versions[1 if op.saves & IN0 or op.saves == CROSS else 0] -= 1          # what b was has been overwritten
    return a


cdef TensorBase binary_quiet(Op op, TensorBase a, TensorBase b):
    cdef bint was = set_grad(False)
    try:
        return binary(op, a, b)
    finally:
        set_grad(was)


def write_exact(out, result, str op, *read):
    """``write_out`` for ops whose ``out`` has the result's dtype and shares no memory with the tensors that are read."""
    if isinstance(out, TensorBase) and out.dtype is not result.dtype:
        raise RuntimeError(f"[{op}] Expected out tensor to have dtype {result.dtype}, but got {out.dtype} instead")
    refuse_overlap(op, out, *read)
    return write_out(out, result, op)


# PyTorch has these write into the result's dtype only; other functions convert
cdef frozenset STRICT = frozenset((
    "addbmm addmm addmv argmax argmin avg_pool2d avg_pool3d baddbmm bmm bucketize ceil conj_physical cross diag diff dot float_power "
    "floor frac gelu "
    "hardshrink heaviside histc index_add index_copy index_reduce index_select inner linalg.cholesky linalg.cross linalg.det "
    "linalg.eigvalsh linalg.inv linalg.ldl_solve linalg.lu_solve linalg.matrix_norm linalg.multi_dot linalg.norm linalg.solve "
    "linalg.solve_triangular linalg.svdvals linalg.vecdot linalg.vector_norm linear logcumsumexp log_sigmoid logsigmoid lu_solve matmul "
    "mm msort multi_dot mv nan_to_num neg nonzero norm ormqr renorm round scatter scatter_add scatter_reduce searchsorted sgn sign signbit "
    "slice_scatter softplus softshrink tensordot tril triu trunc vdot vector_norm").split())


# these write into what requires grad, too, since they have no derivative that would be lost
cdef frozenset WITHOUT_DERIVATIVE = frozenset("eq ge gt le logical_and logical_not logical_or logical_xor lt ne".split())


# of these a resized out= lies in rows in PyTorch, whatever the result does; of the second set where it is converted
cdef frozenset IN_ROWS = frozenset(
    "cholesky cholesky_solve index_select kron linalg.matrix_power linalg.tensorinv nanquantile ndtr quantile renorm special.ndtr".split())
cdef frozenset IN_ROWS_IF_CONVERTED = frozenset("cholesky_inverse linalg.householder_product orgqr".split())


cdef bint keeps_layout(TensorBase out, TensorBase result, str op):
    """Whether a resized ``out`` is laid out as the result is, as one made without out= would be."""
    return (not result.view.contiguous and dense(&result.view) and op not in IN_ROWS
            and (out.view.dtype == result.view.dtype or op not in IN_ROWS_IF_CONVERTED))


cdef TensorBase write_out(object target, TensorBase result, str op):
    """Write a result into ``out=``, which is resized to hold it, and return that; refused where a derivative would be lost."""
    cdef TensorBase out
    if not isinstance(target, TensorBase):
        raise TypeError(f"[{op}] argument 'out' must be Tensor, not {type(target).__name__}")
    out = <TensorBase>target
    if out.requires_grad_ and grad_enabled() and op in WITHOUT_DERIVATIVE:
        set_grad(False)
        try:
            return write_out(out, result, op)
        finally:
            set_grad(True)
    if result.requires_grad_ or (out.requires_grad_ and grad_enabled()):
        raise RuntimeError(f"[{op}] functions with out=... arguments don't support automatic differentiation, but one of "
                           "the arguments requires grad.")
    if level and (has_tangent(result) or has_tangent(out)):
        raise NotImplementedError(f"[{op}] functions with out=... arguments don't support forward mode: one of the arguments has a "
                                  "tangent, and the result would have none")
    if result.view.dtype != out.view.dtype and op in STRICT:
        raise RuntimeError(f"[{op}] Expected out tensor to have dtype {name_of(result.view.dtype)}, but got {name_of(out.view.dtype)} "
                           "instead")
    if not castable(result.view.dtype, out.view.dtype):
        raise (TypeError if op == "cat" or op == "stack" else RuntimeError)(
            f"[{op}] result type {torch_name(result.view.dtype)} can't be cast to the desired output type {torch_name(out.view.dtype)}")
    check_same_device(op, (out, result))
    if not same_shape(out, result):
        if out.view.numel:
            warnings.warn(f"An output with one or more elements was resized since it had shape "
                          f"{list(out.shape_tuple())}, which does not match the required output shape "
                          f"{list(result.shape_tuple())}", UserWarning, stacklevel=1)
        tracked = out.requires_grad_                       # out is written to without a history, whatever it is
        out.requires_grad_ = False
        try:
            out.resize_(result.shape_tuple())
        finally:
            out.requires_grad_ = tracked
        if keeps_layout(out, result, op):
            memcpy(out.view.strides, result.view.strides, out.view.ndim * sizeof(int64_t))
            refresh(out)
    begin_inplace(op, out)
    check_partial_overlap(op, out, result)                 # an op may give an operand back
    copy_into(out, result)
    bump(out)
    return out

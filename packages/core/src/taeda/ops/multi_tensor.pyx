# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Multi-tensor calls: one call goes over all tensors, in one pass over their memory.

The lists are checked here (all of them, before the first write), handed to the kernel as one array of views, and the
versions of what was written bumped.  Nothing is recorded: the optimizers call with grad mode off, and their
differentiable road is composed of plain ops.  Complex tensors are stepped as pairs of real numbers.
"""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t
from libc.string cimport memcmp

from taeda.dispatch cimport Op, begin_inplace, define, empty_shape, launch, needs_grad
from taeda.dtype cimport default_float, differentiable, is_complex_, is_float, name_of
from taeda.kernels.cpu.abi cimport F32, F64, Param, View
from taeda.tensor_base cimport CPU, TensorBase

from taeda.ops.complex_numbers import view_as_real

__all__ = ["fused_lerp_", "fused_unscale_", "global_norm"]
PUBLIC = ()
METHODS = {}

cdef enum:
    SMALL = 192                 # views and constants of so many tensors live on the stack

cdef Op GLOBAL_NORM = define("global_norm", NULL)
cdef Op LERP = define("fused_lerp", NULL)
cdef Op UNSCALE = define("fused_unscale", NULL)


cdef class Constants:
    """Room for the constants of each tensor."""

    def __cinit__(self, int64_t count):
        self.p = <Param*>PyMem_Malloc(count * sizeof(Param) if count else 1)
        if self.p == NULL:
            raise MemoryError(f"[optimizer] out of memory: there is none for {count} constants of an optimizer step")

    def __dealloc__(self):
        PyMem_Free(self.p)


cdef list in_pairs(list tensors):
    """Give the complex tensors of a list as real ones with a last dimension of two."""
    return [view_as_real(x) if is_complex_((<TensorBase>x).view.dtype) else x for x in tensors]


cdef list checked(str op, list roles, tuple names):
    """Refuse all that a kernel must not see; roles[0] are the parameters, roles[-1] the gradients."""
    cdef int64_t n = len(<list>roles[0]), i
    cdef int k = <int>len(roles), j
    cdef TensorBase p, x
    cdef object item
    cdef bint has_complex = False
    for j in range(1, k):
        if len(<list>roles[j]) != n:
            raise ValueError(f"[{op}] all lists must be of one length, got {n} params and "
                             f"{len(<list>roles[j])} {names[j]}")
    for i in range(n):
        for j in range(k):
            item = (<list>roles[j])[i]
            if not isinstance(item, TensorBase):
                raise TypeError(f"[{op}] {names[j]}[{i}] must be a Tensor, got {type(item).__name__}")
            x = <TensorBase>item
            if j == 0:
                p = x
                if not differentiable(p.view.dtype):
                    raise RuntimeError(f"[{op}] parameters must be floating-point or complex, params[{i}] is "
                                       f"{name_of(p.view.dtype)}")
                has_complex |= is_complex_(p.view.dtype)
            else:
                if (x.view.ndim != p.view.ndim
                        or memcmp(x.view.shape, p.view.shape, p.view.ndim * sizeof(int64_t)) != 0):
                    raise RuntimeError(f"[{op}] {names[j]}[{i}] must have the shape of its parameter "
                                       f"{p.shape_tuple()}, got {x.shape_tuple()}")
                if x.view.dtype != p.view.dtype:
                    raise RuntimeError(f"[{op}] {names[j]}[{i}] must have the dtype of its parameter "
                                       f"{name_of(p.view.dtype)}, got {name_of(x.view.dtype)}; "
                                       f"was the model converted after the first step?")
                if x.device != p.device or x.device_index != p.device_index:
                    raise RuntimeError(f"[{op}] {names[j]}[{i}] must be on the device of its parameter; "
                                       f"was the model moved after the first step?")
            if j < k - 1:
                begin_inplace(op, x)
            if needs_grad(x):
                raise RuntimeError(f"[{op}] a step is not recorded for autograd, and {names[j]}[{i}] requires "
                                   f"grad; call it under taeda.no_grad()")
    return [in_pairs(role) for role in roles] if has_complex else roles


cdef int check_numbers(str op, str name, list numbers, int64_t n) except -1:
    cdef int64_t i
    cdef TensorBase s
    if len(numbers) != n:
        raise ValueError(f"[{op}] all lists must be of one length, got {n} params and {len(numbers)} {name}")
    for i in range(n):
        if not isinstance(numbers[i], TensorBase):
            raise TypeError(f"[{op}] {name}[{i}] must be a Tensor, got {type(numbers[i]).__name__}")
        s = <TensorBase>numbers[i]
        if s.view.numel != 1 or s.device != CPU or (s.view.dtype != F32 and s.view.dtype != F64):
            raise RuntimeError(f"[{op}] {name}[{i}] must be one float32 or float64 number on the cpu, got shape "
                               f"{s.shape_tuple()}, {name_of(s.view.dtype)}")
        begin_inplace(op, s)
    return 0


cdef inline void bump(TensorBase x) noexcept:
    if not x.detached_version:
        x.storage.version += 1


cdef double number_at(list numbers, int64_t i) noexcept:
    cdef TensorBase s = <TensorBase>numbers[i]
    return (<float*>s.view.data)[0] if s.view.dtype == F32 else (<double*>s.view.data)[0]


cdef int set_number(list numbers, int64_t i, double value) except -1:
    cdef TensorBase s = <TensorBase>numbers[i]
    if s.view.dtype == F32:
        (<float*>s.view.data)[0] = <float>value
    else:
        (<double*>s.view.data)[0] = value
    bump(s)
    return 0


cdef int advance(list steps) except -1:
    cdef int64_t i
    for i in range(len(steps)):
        set_number(steps, i, number_at(steps, i) + 1)
    return 0


cdef inline size_t extent(TensorBase x) noexcept:
    """Bytes from the first element to the end of the last."""
    cdef int64_t last = 0
    cdef int d
    for d in range(x.view.ndim):
        last += (x.view.shape[d] - 1) * x.view.strides[d]
    return (last + 1) * x.view.itemsize


cdef bint apart(list params):
    """Does no parameter lie in another's memory?  Such ones must be stepped one after the other, as a loop would."""
    cdef int64_t n = len(params), i
    cdef TensorBase p
    cdef list spans
    if len({<size_t><void*>(<TensorBase>p).storage for p in params}) == n:
        return True
    spans = sorted([(<size_t>(<TensorBase>p).view.data, extent(<TensorBase>p)) for p in params
                    if (<TensorBase>p).view.numel])
    for i in range(1, len(spans)):
        if spans[i - 1][0] + spans[i - 1][1] > spans[i][0]:
            return False
    return True


cdef int run_group(Op op, list roles, const Param* head, int shared, const Param* own, int per,
                   char* done, View** t, Param* c) except -1:
    """Step all tensors that share dtype and device with the first that is not done; 0 when none is left."""
    cdef list params = <list>roles[0]
    cdef int64_t n = len(params), i, count = 0, work = 0
    cdef int k = <int>len(roles), j
    cdef TensorBase first = None, p
    for i in range(n):
        if done[i]:
            continue
        p = <TensorBase>params[i]
        if first is None:
            first = p
        elif p.view.dtype != first.view.dtype or p.device != first.device or p.device_index != first.device_index:
            continue
        done[i] = 1
        for j in range(k):
            t[k * count + j] = &(<TensorBase>(<list>roles[j])[i]).view
        for j in range(per):
            c[shared + per * count + j] = own[per * i + j]
        work += k * p.view.numel
        count += 1
    if count == 0:
        return 0
    for j in range(1, shared):
        c[j] = head[j]
    c[0].i = count
    launch(op, first.view.dtype, first.device, k * <int>count, k * <int>count, t, c, work)
    return 1


cdef int run(Op op, list roles, Param* head, int shared, Constants own, int per, int kept=1) except -1:
    """Launch the step over checked lists, one launch for each dtype and device."""
    cdef list params = <list>roles[0]
    cdef int64_t n = len(params), i, views
    cdef int k = <int>len(roles), j
    cdef View* small_views[SMALL]
    cdef Param small_constants[SMALL]
    cdef char small_done[SMALL]
    cdef View** t = small_views
    cdef Param* c = small_constants
    cdef char* done = small_done
    cdef Param* each = NULL if own is None else own.p
    cdef void* block = NULL
    views = n * k
    if views > SMALL or shared + per * n > SMALL:
        block = PyMem_Malloc(views * sizeof(View*) + (shared + per * n) * sizeof(Param) + n)
        if block == NULL:
            raise MemoryError(f"[{op.name}_] no memory for the views of {n} tensors")
        t = <View**>block
        c = <Param*>(t + views)
        done = <char*>(c + shared + per * n)
    try:
        for i in range(n):
            done[i] = 0
        if apart(params):
            while run_group(op, roles, head, shared, each, per, done, t, c):
                pass
        else:
            for i in range(n):
                for j in range(k):
                    t[j] = &(<TensorBase>(<list>roles[j])[i]).view
                for j in range(1, shared):
                    c[j] = head[j]
                for j in range(per):
                    c[shared + j] = each[per * i + j]
                c[0].i = 1
                launch(op, t[0].dtype, (<TensorBase>params[i]).device, k, k, t, c, k * t[0].numel)
    finally:
        PyMem_Free(block)
    for j in range(k - kept):
        for i in range(n):
            bump(<TensorBase>(<list>roles[j])[i])
    return 0


def fused_lerp_(list averages not None, list values not None, double weight):
    """Move all averages towards the values, in place: x += weight (y - x), as `taeda.lerp` computes it.

    Args:
        averages, values: lists of n floating-point or complex tensors alike in shape, dtype and device.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.

    >>> import taeda
    >>> x = taeda.zeros(2)
    >>> taeda.ops.fused_lerp_([x], [taeda.ones(2)], 0.25)
    >>> x
    tensor([0.2500, 0.2500])
    """
    cdef Param head[HEAD]
    cdef list roles = checked("fused_lerp_", [averages, values], ("averages", "values"))
    head[1].f = weight
    run(LERP, roles, head, 2, None, 0)


def fused_unscale_(list tensors not None, double scale):
    """Multiply all tensors by a number, in place, and say whether an element was infinite or nan before that.

    Args:
        tensors: floating-point or complex tensors, such as the gradients of a scaled loss.

    Raises RuntimeError where autograd would have to record.

    >>> import taeda
    >>> x = taeda.tensor([2.0, 4.0])
    >>> taeda.ops.fused_unscale_([x], 0.5), x
    (False, tensor([1., 2.]))
    >>> taeda.ops.fused_unscale_([x, taeda.tensor(float("inf"))], 1.0)
    True
    """
    cdef Param head[HEAD]
    cdef int64_t found = 0
    # a gradient plays both parts: it is what is written and what is read
    cdef list roles = checked("fused_unscale_", [tensors, tensors], ("tensors", "tensors"))[:1]
    head[1].p = &found
    head[2].f = scale
    run(UNSCALE, roles, head, 3, None, 0, 0)
    return found != 0


def global_norm(tensors):
    """Return the Euclidean norm of all elements of all tensors, sqrt(Σ x²), as a 0-d tensor.

    The squares are added in double precision, in one pass, and in the same order for any number of threads.

    Args:
        tensors: any number of float32 or float64 tensors of one dtype and device.

    Raises RuntimeError for dtypes or devices that differ, and where autograd would have to record.

    >>> import taeda
    >>> taeda.ops.global_norm([taeda.tensor([3.0]), taeda.tensor([[4.0]])])
    tensor(5.)
    """
    cdef list xs = list(tensors)
    cdef int64_t n = len(xs), i, work = 0
    cdef TensorBase first, x, out
    cdef Param c[1]
    cdef View** t
    if n == 0:
        out = empty_shape((), default_float(), CPU)
        if out.view.dtype == F64:
            (<double*>out.view.data)[0] = 0
        else:
            (<float*>out.view.data)[0] = 0
        return out
    for i in range(n):
        if not isinstance(xs[i], TensorBase):
            raise TypeError(f"[global_norm] tensors[{i}] must be a Tensor, got {type(xs[i]).__name__}")
        x = <TensorBase>xs[i]
        if i == 0:
            first = x
        if x.view.dtype != first.view.dtype or not is_float(x.view.dtype):
            raise RuntimeError(f"[global_norm] tensors must share one floating dtype, tensors[0] is "
                               f"{name_of(first.view.dtype)}, tensors[{i}] is {name_of(x.view.dtype)}")
        if x.device != first.device or x.device_index != first.device_index:
            raise RuntimeError(f"[global_norm] tensors must be on one device, tensors[{i}] is not on that of tensors[0]")
        if needs_grad(x):
            raise RuntimeError(f"[global_norm] the norm is not recorded for autograd, and tensors[{i}] requires "
                               f"grad; call it under taeda.no_grad()")
        work += x.view.numel
    out = empty_shape((), first.view.dtype, first.device)
    t = <View**>PyMem_Malloc((n + 1) * sizeof(View*))
    if t == NULL:
        raise MemoryError(f"[global_norm] no memory for the views of {n} tensors")
    try:
        t[0] = &out.view
        for i in range(n):
            t[1 + i] = &(<TensorBase>xs[i]).view
        c[0].i = n
        launch(GLOBAL_NORM, first.view.dtype, first.device, 1, 1 + n, t, c, work)
    finally:
        PyMem_Free(t)
    return out

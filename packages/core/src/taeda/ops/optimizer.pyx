# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Multi-tensor optimizer steps: one call updates all parameters, in one pass over their memory.

``taeda.optim`` gathers the lists and owns the state; here they are checked (all of them, before the first
write), handed to the kernel as one array of views, and their versions bumped.  Steps are never recorded:
they are called with grad mode off, and the differentiable road of ``taeda.optim`` is composed of plain ops.
"""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport pow, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcmp

from taeda.dispatch cimport Op, begin_inplace, define, empty_shape, launch, needs_grad
from taeda.dtype cimport default_float, is_float, name_of
from taeda.kernels.cpu.abi cimport F32, F64, Param, View
from taeda.tensor_base cimport CPU, TensorBase

__all__ = ["fused_adam_", "fused_rmsprop_", "fused_sgd_", "global_norm"]
PUBLIC = ()
METHODS = {}

cdef enum:
    SMALL = 192                 # views and constants of so many tensors live on the stack
    HEAD = 7                    # at most so many constants that all tensors share

cdef Op ADAM = define("fused_adam", NULL)
cdef Op SGD = define("fused_sgd", NULL)
cdef Op RMSPROP = define("fused_rmsprop", NULL)
cdef Op GLOBAL_NORM = define("global_norm", NULL)


cdef int check(str op, list roles, tuple names) except -1:
    """Refuse all that a kernel must not see; roles[0] are the parameters, roles[-1] the gradients."""
    cdef int64_t n = len(<list>roles[0]), i
    cdef int k = <int>len(roles), j
    cdef TensorBase p, x
    cdef object item
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
                if p.view.dtype != F32 and p.view.dtype != F64:
                    raise RuntimeError(f"[{op}] parameters must be float32 or float64, params[{i}] is "
                                       f"{name_of(p.view.dtype)}")
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
    return 0


cdef int check_steps(str op, list steps, int64_t n) except -1:
    cdef int64_t i
    cdef TensorBase s
    if len(steps) != n:
        raise ValueError(f"[{op}] all lists must be of one length, got {n} params and {len(steps)} steps")
    for i in range(n):
        if not isinstance(steps[i], TensorBase):
            raise TypeError(f"[{op}] steps[{i}] must be a Tensor, got {type(steps[i]).__name__}")
        s = <TensorBase>steps[i]
        if s.view.numel != 1 or s.device != CPU or (s.view.dtype != F32 and s.view.dtype != F64):
            raise RuntimeError(f"[{op}] steps[{i}] must be one float32 or float64 number on the cpu, got shape "
                               f"{s.shape_tuple()}, {name_of(s.view.dtype)}")
        begin_inplace(op, s)
    return 0


cdef inline void bump(TensorBase x) noexcept:
    if not x.detached_version:
        x.storage.version += 1


cdef inline double step_of(TensorBase s) noexcept:
    return (<float*>s.view.data)[0] if s.view.dtype == F32 else (<double*>s.view.data)[0]


cdef void advance(TensorBase s) noexcept:
    if s.view.dtype == F32:
        (<float*>s.view.data)[0] += 1
    else:
        (<double*>s.view.data)[0] += 1
    bump(s)


cdef bint distinct(list params):
    """Is no parameter there twice?  Equal ones must be stepped one after the other, as a loop would."""
    cdef int64_t n = len(params), i, j
    cdef char* data
    if n > 64:
        return len({<size_t>(<TensorBase>p).view.data for p in params}) == n
    for i in range(1, n):
        data = (<TensorBase>params[i]).view.data
        for j in range(i):
            if (<TensorBase>params[j]).view.data == data and data != NULL:
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


cdef int run(Op op, list roles, const Param* head, int shared, const Param* own, int per) except -1:
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
        if distinct(params):
            while run_group(op, roles, head, shared, own, per, done, t, c):
                pass
        else:
            for i in range(n):
                for j in range(k):
                    t[j] = &(<TensorBase>(<list>roles[j])[i]).view
                for j in range(1, shared):
                    c[j] = head[j]
                for j in range(per):
                    c[shared + j] = own[per * i + j]
                c[0].i = 1
                launch(op, t[0].dtype, (<TensorBase>params[i]).device, k, k, t, c, k * t[0].numel)
    finally:
        PyMem_Free(block)
    for j in range(k - 1):
        for i in range(n):
            bump(<TensorBase>(<list>roles[j])[i])
    return 0


def fused_sgd_(list params not None, list grads not None, list momentum_buffers, *, double lr,
               double momentum=0.0, double dampening=0.0, double weight_decay=0.0, bint nesterov=False,
               bint maximize=False, bint first_step=False):
    """Step all parameters by stochastic gradient descent, in place.

    d = ±g + weight_decay p;  b = d on the first step, else momentum b + (1 - dampening) d;
    p -= lr (d + momentum b with nesterov, else b).

    Args:
        params, grads: lists of n tensors; a gradient has the shape, dtype and device of its parameter.
        momentum_buffers: n tensors like the parameters, or an empty list or None where momentum is 0.
        first_step: the buffers hold nothing yet and take d.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> import taeda
    >>> p, g = taeda.ones(2), taeda.tensor([1.0, 2.0])
    >>> taeda.ops.fused_sgd_([p], [g], [], lr=0.5)
    >>> p
    tensor([0.5000, 0.0000])
    """
    cdef Param head[HEAD]
    cdef list roles
    if momentum == 0:
        roles = [params, grads]
        check("fused_sgd_", roles, ("params", "grads"))
    else:
        roles = [params, [] if momentum_buffers is None else momentum_buffers, grads]
        check("fused_sgd_", roles, ("params", "momentum_buffers", "grads"))
    head[1].i = first_step | maximize << 1 | nesterov << 2
    head[2].f = lr
    head[3].f = momentum
    head[4].f = dampening
    head[5].f = weight_decay
    run(SGD, roles, head, 6, NULL, 0)


def fused_adam_(list params not None, list grads not None, list exp_avgs not None, list exp_avg_sqs not None,
                list max_exp_avg_sqs, list steps not None, *, double lr, double beta1, double beta2, double eps,
                double weight_decay=0.0, bint amsgrad=False, bint maximize=False, bint decoupled=False):
    """Step all parameters by Adam, or AdamW where decoupled, in place; every step count grows by one.

    d = ±g (+ weight_decay p, or p *= 1 - lr weight_decay where decoupled);  m += (1 - beta1) (d - m);
    v = beta2 v + (1 - beta2) d²;  p -= lr m / (1 - beta1^t) / (sqrt(v) / sqrt(1 - beta2^t) + eps);
    with amsgrad the largest v so far stands in place of v.

    Args:
        params, grads, exp_avgs, exp_avg_sqs: lists of n tensors alike in shape, dtype and device.
        max_exp_avg_sqs: the same with amsgrad, else an empty list or None.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Sources: Kingma and Ba, 2015; Loshchilov and Hutter, 2019 (decoupled); Reddi et al., 2018 (amsgrad).

    >>> import taeda
    >>> p, g, m, v, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(1), taeda.zeros(())
    >>> taeda.ops.fused_adam_([p], [g], [m], [v], [], [t], lr=0.25, beta1=0.9, beta2=0.999, eps=0.0)
    >>> p, t
    (tensor([0.7500]), tensor(1.))
    """
    cdef Param head[HEAD]
    cdef Param small_own[SMALL]
    cdef Param* own = small_own
    cdef void* block = NULL
    cdef int64_t n = len(params), i
    cdef double step
    cdef list roles
    if amsgrad:
        roles = [params, exp_avgs, exp_avg_sqs, [] if max_exp_avg_sqs is None else max_exp_avg_sqs, grads]
        check("fused_adam_", roles, ("params", "exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs", "grads"))
    else:
        roles = [params, exp_avgs, exp_avg_sqs, grads]
        check("fused_adam_", roles, ("params", "exp_avgs", "exp_avg_sqs", "grads"))
    check_steps("fused_adam_", steps, n)
    if 2 * n > SMALL:
        block = PyMem_Malloc(2 * n * sizeof(Param))
        if block == NULL:
            raise MemoryError(f"[fused_adam_] no memory for the constants of {n} tensors")
        own = <Param*>block
    try:
        head[1].i = amsgrad | maximize << 1 | decoupled << 2
        head[2].f = lr
        head[3].f = beta1
        head[4].f = beta2
        head[5].f = eps
        head[6].f = weight_decay
        for i in range(n):
            step = step_of(<TensorBase>steps[i]) + 1
            own[2 * i].f = lr / (1 - pow(beta1, step))
            own[2 * i + 1].f = sqrt(1 - pow(beta2, step))
        run(ADAM, roles, head, 7, own, 2)
        for i in range(n):
            advance(<TensorBase>steps[i])
    finally:
        PyMem_Free(block)


def fused_rmsprop_(list params not None, list grads not None, list square_avgs not None, list grad_avgs,
                   list momentum_buffers, list steps not None, *, double lr, double alpha, double eps,
                   double weight_decay=0.0, double momentum=0.0, bint centered=False, bint maximize=False):
    """Step all parameters by RMSprop, in place; every step count grows by one.

    d = ±g + weight_decay p;  s = alpha s + (1 - alpha) d²;  r = sqrt(s) + eps, or sqrt(s - a²) + eps where
    centered, a the mean of d;  p -= lr d / r, or b = momentum b + d / r and p -= lr b.

    Args:
        params, grads, square_avgs: lists of n tensors alike in shape, dtype and device.
        grad_avgs: the same where centered, momentum_buffers: where momentum > 0; else empty or None.
        steps: n tensors of one float32 or float64 number on the cpu: steps done so far.

    Raises RuntimeError for shapes, dtypes or devices that differ, and where autograd would have to record.
    Sources: Hinton's lecture 6e, 2012; Graves, "Generating sequences", 2013 (centered).

    >>> import taeda
    >>> p, g, s, t = taeda.ones(1), taeda.ones(1), taeda.zeros(1), taeda.zeros(())
    >>> taeda.ops.fused_rmsprop_([p], [g], [s], [], [], [t], lr=0.25, alpha=0.75, eps=0.0)
    >>> p
    tensor([0.5000])
    """
    cdef Param head[HEAD]
    cdef list roles = [params, square_avgs], names = ["params", "square_avgs"]
    cdef int64_t i
    if momentum > 0:
        roles.append([] if momentum_buffers is None else momentum_buffers)
        names.append("momentum_buffers")
    if centered:
        roles.append([] if grad_avgs is None else grad_avgs)
        names.append("grad_avgs")
    roles.append(grads)
    names.append("grads")
    check("fused_rmsprop_", roles, tuple(names))
    check_steps("fused_rmsprop_", steps, len(params))
    head[1].i = centered | maximize << 1
    head[2].f = lr
    head[3].f = alpha
    head[4].f = eps
    head[5].f = weight_decay
    head[6].f = momentum
    run(RMSPROP, roles, head, 7, NULL, 0)
    for i in range(len(params)):
        advance(<TensorBase>steps[i])


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

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Batch, instance, layer, group and root-mean-square normalisation.

Forward keeps each channel's (or row's) mean and 1 / sqrt(var + eps); backward is one fused kernel.  While
the graph of the gradient is wanted too, the gradient is written with tensor operations instead, and every
higher derivative follows from them.
"""
from libc.math cimport INFINITY
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.operands cimport integer
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, begin_inplace, check_same_device, contiguous, define, empty_like,
                             empty_shape, end_inplace, launch, needs_grad, record, to_dtype)
from taeda.dtype cimport is_complex_, is_float, promote, torch_name
from taeda.kernels.cpu.abi cimport BF16, C128, F16, F32, F64, MAX_DIM, Param, View
from taeda.tensor_base cimport CPU, TensorBase

from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, laid_channels_last, lies_channels_last, without_gaps

from taeda.ops.ternary import addcmul
from taeda.ops.moments import var_mean

__all__ = ["batch_norm", "instance_norm", "layer_norm", "group_norm", "rms_norm"]
PUBLIC = ("layer_norm", "rms_norm")
METHODS = {}


cdef inline View* view_of(TensorBase t) noexcept:
    return &t.view if t is not None else NULL


cdef TensorBase optional(object x, str op):
    return None if x is None else contiguous(as_tensor(x, op))


cdef int check_parameter(str op, str name, TensorBase x, TensorBase w) except -1:
    """A weight, bias or running buffer must have x's dtype."""
    if w is not None and w.view.dtype != x.view.dtype:
        raise RuntimeError(f"[{op}] mixed dtype (CPU): expect {name} to have scalar type of {torch_name(x.view.dtype)}, "
                           f"as the input has, got {torch_name(w.view.dtype)}; convert one of them")
    return 0


cdef bint mixed(TensorBase x, tuple parameters) noexcept:
    """Is x narrow and are its parameters float32, as under autocast?  Then all is computed in float32, and rounded once."""
    cdef bint found = False
    if x.view.dtype != F16 and x.view.dtype != BF16:
        return False
    for p in parameters:
        if isinstance(p, TensorBase):
            found = True
            if (<TensorBase>p).view.dtype != F32:
                return False
    return found


# -- batch norm --------------------------------------------------------------------------------------

# Images whose channels lie innermost are N H W rows of C values, which the kernel takes as they lie.

cdef Op BATCH_NORM_BACKWARD = define("batch_norm_backward", NULL)

cdef inline bint is_rows(TensorBase x) noexcept:
    return is_float(x.view.dtype) and lies_channels_last(x)

cdef TensorBase laid_as(TensorBase x, TensorBase t):
    """t's values in the memory order of x, which is contiguous or has its channels innermost."""
    if not is_rows(x):
        return contiguous(t)
    return without_gaps(t) if lies_channels_last(t) else laid_channels_last(t)

cdef inline View memory_of(TensorBase x, int64_t* room) noexcept:
    """x, contiguous or laid with its channels innermost, as a row-major view of its memory; room is for 2 ndim numbers."""
    return channels_as_columns(&x.view, room) if is_rows(x) else x.view

cdef TensorBase empty_laid_as(TensorBase x):
    cdef TensorBase y = empty_shape(x.shape_tuple(), x.view.dtype, x.device)
    return channels_innermost(y) if is_rows(x) else y

cdef object along(TensorBase w, int ndim):
    """w as (C, 1, ...), to multiply (N, C, ...)."""
    return (<object>w).reshape((-1,) + (1,) * (ndim - 2))

cdef object batch_norm_vjp(Node n, object g):
    cdef TensorBase x = n.load(0), mean = n.load(1), rstd = n.load(2), w = n.load(3) if n.extra[1] else None
    cdef TensorBase gy, gx = None, gw = None, gb = None
    cdef View* t[8]
    cdef View memory[3]
    cdef int64_t room[3 * 2 * MAX_DIM]
    cdef Param p[4]
    if any_needs_grad((g, x, w)):
        return batch_norm_composed(n, g, x, mean, rstd, w)
    if x.view.numel == 0:
        zeros = (<object>x).new_zeros(mean.shape_tuple())
        return g, zeros, zeros.clone()
    gy = laid_as(x, <TensorBase>g)
    if n.needs(0):
        gx = empty_laid_as(x)
    if n.needs(1):
        gw = empty_like(mean)
    if n.needs(2):
        gb = empty_like(mean)
    memory[0], memory[1] = memory_of(gy, room), memory_of(x, room + 2 * MAX_DIM)
    if gx is not None:
        memory[2] = memory_of(gx, room + 4 * MAX_DIM)
    t[0], t[1], t[2], t[3] = NULL if gx is None else &memory[2], view_of(gw), view_of(gb), &memory[0]
    t[4], t[5], t[6], t[7] = &memory[1], view_of(w), &mean.view, &rstd.view
    channels(x, p)
    p[3].i = n.extra[0]
    launch(BATCH_NORM_BACKWARD, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel + 1)
    return gx, gw, gb

cdef object batch_norm_composed(Node n, object g, TensorBase saved_x, TensorBase mean, TensorBase rstd, TensorBase w):
    cdef int ndim = saved_x.view.ndim
    cdef object x = saved_x, scale, xhat, gb, gw, gx
    cdef tuple dims = (0,) + tuple(range(2, ndim))
    cdef int64_t count = saved_x.view.numel // max(1, saved_x.view.shape[1])
    if n.extra[0]:
        centred = x - x.mean(dims, keepdim=True)
        scale = (centred.square().mean(dims, keepdim=True) + n.extra[2]).rsqrt()
        xhat = centred * scale
    else:
        scale = along(rstd, ndim)
        xhat = (x - along(mean, ndim)) * scale
    gb = g.sum(dims)
    gw = (g * xhat).sum(dims)
    gx = g
    if n.extra[0]:
        gx = g - along(gb, ndim) / count - xhat * (along(gw, ndim) / count)
    gx = gx * (scale * along(w, ndim) if w is not None else scale)
    return gx, gw if n.needs(1) else None, gb if n.needs(2) else None

cdef Op BATCH_NORM = define("batch_norm", batch_norm_vjp, 0, 0, None, "NativeBatchNormBackward0")

cdef int channels(TensorBase x, Param* p) noexcept:
    """p: N, C, L of (N, C, ...), where channels lie innermost of (N L, C, 1)."""
    p[0].i = x.view.shape[0]
    p[1].i = x.view.shape[1]
    p[2].i = x.view.numel // (p[0].i * p[1].i) if x.view.numel else 0
    if is_rows(x):
        p[0].i, p[2].i = p[0].i * p[2].i, 1
    return 0

cdef TensorBase buffer(str name, object running, TensorBase x, int64_t C):
    """A running buffer, or weight or bias, checked against C channels."""
    cdef TensorBase r
    if running is None:
        return None
    r = as_tensor(running, "batch_norm")
    if r.view.numel != C:
        raise RuntimeError(f"[batch_norm] {name} should contain {C} elements not {r.view.numel}; the input has shape "
                           f"{x.shape_tuple()}")
    check_parameter("batch_norm", name, x, r)
    return r


cdef TensorBase moved(TensorBase running, bint training):
    """The memory that the kernel moves; a narrow dtype's is widened, since what a lowered kernel writes to an operand is lost."""
    if running is None:
        return None
    if training and (running.view.dtype == F16 or running.view.dtype == BF16):
        return contiguous(to_dtype(running, F32))
    return contiguous(running)


# -- batch norm by known statistics

cdef Op CHANNEL_SCALE = define("channel_scale", NULL)

cdef int scale_channels(TensorBase y, TensorBase x, View** parts, object eps, double low, double high) except -1:
    """y = batch_norm of x by known statistics, limited to [low, high]; x and y, which may be one, are laid alike.

    parts: room for the mean and for 1 / sqrt(var + eps), or NULL; weight and bias, or NULL; mean and variance.
    """
    cdef View* t[8]
    cdef View memory[2]
    cdef int64_t room[4 * MAX_DIM]
    cdef Param p[6]
    memory[0], memory[1] = memory_of(y, room), memory_of(x, room + 2 * MAX_DIM)
    t[0], t[1], t[2], t[3] = &memory[0], parts[0], parts[1], &memory[1]
    t[4], t[5], t[6], t[7] = parts[2], parts[3], parts[4], parts[5]
    channels(x, p)
    p[3].f, p[4].f, p[5].f = eps, low, high
    launch(CHANNEL_SCALE, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel)
    return 0


cdef bint known_parts(TensorBase x, tuple given, View** parts) noexcept:
    """Whether (weight, bias, mean, variance) are what the kernel takes as it lies, and nothing wants a gradient."""
    cdef TensorBase each, mean
    cdef int64_t k
    if not is_float(x.view.dtype) or x.view.ndim < 2 or x.view.numel == 0 or x.device != CPU or not isinstance(given[2], TensorBase):
        return False
    mean = given[2]
    if mean.view.dtype != x.view.dtype and (mean.view.dtype != F32 or x.view.itemsize != 2):
        return False
    parts[0] = parts[1] = NULL
    for k in range(4):
        if given[k] is not None and not isinstance(given[k], TensorBase):
            return False
        each = given[k]
        parts[2 + k] = view_of(each)
        if each is None:
            if k > 1:
                return False
        elif (each.view.ndim != 1 or each.view.numel != x.view.shape[1] or not each.view.contiguous or each.device != CPU or
                each.view.dtype != mean.view.dtype):
            return False
    return not any_needs_grad((x, *given))


def batch_norm_here(TensorBase x, mean, var, weight, bias, eps, double low, double high):
    """Normalise x, whose memory nobody else knows, by known statistics where it lies, and limit it to [low, high].

    Returns False, and leaves x as it is, where this takes more than one pass or a gradient is wanted.
    """
    cdef View* parts[6]
    cdef bint rows = is_rows(x)
    if not (rows or x.view.contiguous) or not known_parts(x, (weight, bias, mean, var), parts):
        return False
    scale_channels(x, x, parts, eps, low, high)
    return True


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Normalise each channel over the batch: y = (x - mean) / sqrt(var + eps) * weight + bias.

    Args:
        input: (N, C) or (N, C, ...).
        running_mean, running_var: (C,), or None. In training they are moved towards the batch's mean and
            unbiased variance, r = (1 - momentum) r + momentum batch; else they are the mean and variance.
        weight, bias: (C,), or None.
        training: take mean and (biased) variance from the batch.

    Raises ValueError if training is asked for with one value a channel, and for an eps below 0, in training also of 0.
    Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.batch_norm(taeda.tensor([[1.], [3.]]), None, None, training=True, eps=1e-12)
    tensor([[-1.],
            [ 1.]])
    """
    cdef TensorBase x = as_tensor(input, "batch_norm"), laid, y
    cdef View* parts[6]
    if eps < 0 or training and eps == 0:
        rule = "positive during training" if training else "non-negative"
        raise ValueError(f"[batch_norm] batch_norm eps must be {rule}, but got {eps}")
    if training and x.view.ndim >= 2 and x.view.numel and x.view.numel == x.view.shape[1]:
        raise ValueError("[batch_norm] Expected more than 1 value per channel when training, got input size "
                         f"{x.shape_tuple()}; use a larger batch, or call .eval()")
    if not training and known_parts(x, (weight, bias, running_mean, running_var), parts):
        laid = laid_as(x, x)
        y = empty_laid_as(laid)
        scale_channels(y, laid, parts, eps, -INFINITY, INFINITY)
        return y
    return batch_norm_moments(x, running_mean, running_var, weight, bias, training, momentum, eps)[0]


cpdef tuple batch_norm_moments(object input, object running_mean, object running_var, object weight, object bias, object training,
                               object momentum, object eps):
    """Return :func:`batch_norm`, also of one value a channel and with any eps, and each channel's mean and 1 / sqrt(var + eps)."""
    cdef TensorBase x = as_tensor(input, "batch_norm"), laid, w, b, mean, rstd, y, run_mean, run_var, m, v
    cdef View* t[8]
    cdef View* parts[6]
    cdef View memory[2]
    cdef int64_t room[2 * 2 * MAX_DIM]
    cdef Param p[5]
    if mixed(x, (running_mean, running_var, weight, bias)):
        y, mean, rstd = batch_norm_moments(to_dtype(x, F32), running_mean, running_var, weight, bias, training, momentum, eps)
        return to_dtype(y, x.view.dtype), mean, rstd
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[batch_norm] not implemented for dtype {torch_name(x.view.dtype)}; convert the input with .float()")
    if x.view.ndim == 1 and x.view.numel == 0:              # without a channel: PyTorch takes the first one's parameters
        y = (<object>x).clone()
        y = y if weight is None else y * weight[0]
        return y if bias is None else y + bias[0], None, None
    if x.view.ndim < 2:
        raise RuntimeError(f"[batch_norm] expected an input of 2 or more dimensions (N, C, ...), got shape {x.shape_tuple()}")
    channels(x, p)
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("[batch_norm] running_mean and running_var must be defined in evaluation mode")
    if training and (running_mean is None) != (running_var is None):
        raise ValueError("[batch_norm] running_mean and running_var must either both be None or neither be None")
    if momentum is None:
        raise TypeError("[batch_norm] momentum must be a number, not None")
    run_mean, run_var = buffer("running_mean", running_mean, x, p[1].i), buffer("running_var", running_var, x, p[1].i)
    w, b = buffer("weight", weight, x, p[1].i), buffer("bias", bias, x, p[1].i)
    check_same_device("batch_norm", (x, w, b, run_mean, run_var))
    for running in (run_mean, run_var):
        if running is not None:
            if needs_grad(<TensorBase>running):
                raise RuntimeError("[batch_norm] The function is not differentiable with respect to the running buffers; "
                                   "detach them")
            if training:
                begin_inplace("batch_norm", <TensorBase>running)
    laid = laid_as(x, x)
    w = contiguous(w) if w is not None else None
    b = contiguous(b) if b is not None else None
    m, v = moved(run_mean, bool(training)), moved(run_var, bool(training))
    y, mean = empty_laid_as(laid), empty_shape((p[1].i,), x.view.dtype, x.device)
    rstd = empty_like(mean)
    if x.view.numel and training:
        memory[0], memory[1] = memory_of(y, room), memory_of(laid, room + 2 * MAX_DIM)
        t[0], t[1], t[2], t[3] = &memory[0], &mean.view, &rstd.view, &memory[1]
        t[4], t[5], t[6], t[7] = view_of(w), view_of(b), view_of(m), view_of(v)
        p[3].f, p[4].f = momentum, eps
        launch(BATCH_NORM, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel)
        for running, written in ((run_mean, m), (run_var, v)):
            if running is not None:
                if written is not running:
                    (<object>running).copy_(written)
                end_inplace(BATCH_NORM, <TensorBase>running, (running,), None)
    elif x.view.numel:
        parts[0], parts[1], parts[2], parts[3] = &mean.view, &rstd.view, view_of(w), view_of(b)
        parts[4], parts[5] = &m.view, &v.view
        scale_channels(y, laid, parts, eps, -INFINITY, INFINITY)
    else:
        (<object>mean).zero_()
        (<object>rstd).zero_()
    record(BATCH_NORM, y, (x, w, b), (laid, mean, rstd, w), (bool(training), w is not None, eps))
    return y, mean, rstd


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """Normalise each channel of each sample over its own values; see :func:`batch_norm`.

    The running buffers, if given, are moved towards the mean over the batch of the samples' statistics.
    Source: Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.instance_norm(taeda.tensor([[[1., 3.]]]), eps=1e-12)
    tensor([[[-1.,  1.]]])
    """
    cdef TensorBase x = as_tensor(input, "instance_norm")
    if use_input_stats and x.view.ndim >= 2 and x.view.numel and x.view.numel == x.view.shape[0] * x.view.shape[1]:
        raise ValueError("[instance_norm] Expected more than 1 spatial element when training, got input size "
                         f"{x.shape_tuple()}")
    return instance_norm_any(x, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


cpdef object instance_norm_any(object input, object running_mean, object running_var, object weight, object bias, object use_input_stats,
                               object momentum, object eps):
    """Return :func:`instance_norm`, also of one value a channel."""
    x = <object>as_tensor(input, "instance_norm")
    for buffer in (running_mean, running_var, weight, bias):
        if buffer is not None:
            as_tensor(buffer, "instance_norm")
    if x.dim() < 2:
        raise RuntimeError(f"[instance_norm] expected an input of 2 or more dimensions (N, C, ...), got {tuple(x.shape)}")
    n, c = x.shape[0], x.shape[1]
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("[instance_norm] Expected running_mean and running_var to be defined when use_input_stats is false")
        return batch_norm_moments(x, running_mean, running_var, weight, bias, False, momentum, eps)[0]
    if (running_mean is None) != (running_var is None):
        raise ValueError("[instance_norm] running_mean and running_var must either both be None or neither be None")
    means = None if running_mean is None else running_mean.repeat(n)
    variances = None if running_var is None else running_var.repeat(n)
    w = None if weight is None else weight.repeat(n)
    b = None if bias is None else bias.repeat(n)
    y = batch_norm_moments(x.reshape((1, n * c) + tuple(x.shape[2:])), means, variances, w, b, True, momentum, eps)[0]
    if means is not None:
        running_mean.copy_(means.reshape(n, c).mean(0))
    if variances is not None:
        running_var.copy_(variances.reshape(n, c).mean(0))
    return y.reshape(x.shape)


# -- layer norm --------------------------------------------------------------------------------------

cdef Op LAYER_NORM_BACKWARD = define("layer_norm_backward", NULL)

cdef object layer_norm_vjp(Node n, object g):
    cdef TensorBase x = n.load(0), mean = n.load(1), rstd = n.load(2), w = n.load(3) if n.extra[1] is not None else None
    cdef TensorBase gy, gx = None, gw = None, gb = None
    cdef View* t[8]
    cdef Param p[3]
    if any_needs_grad((g, x, w)):
        return layer_norm_composed(n, g, x, w)
    gy = contiguous(<TensorBase>g)
    p[1].i, p[2].i = n.extra[0], n.op is RMS_NORM
    p[0].i = x.view.numel // p[1].i if p[1].i else 0
    if n.needs(0):
        gx = empty_like(x)
    if n.needs(1):
        gw = empty_shape(n.extra[1], x.view.dtype, x.device)
    if n.needs(2):
        gb = empty_shape(n.extra[2], x.view.dtype, x.device)
    t[0], t[1], t[2], t[3] = view_of(gx), view_of(gw), view_of(gb), &gy.view
    t[4], t[5], t[6], t[7] = &x.view, view_of(w), &mean.view, &rstd.view
    launch(LAYER_NORM_BACKWARD, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel)
    return gx, gw, gb

cdef object layer_norm_composed(Node n, object cotangent, TensorBase saved_x, TensorBase weight):
    cdef object x = (<object>saved_x).reshape(-1, n.extra[0]), g = cotangent.reshape(-1, n.extra[0])
    cdef bint rms = n.op is RMS_NORM
    centred = x if rms else x - x.mean(-1, keepdim=True)
    rstd = (centred.square().mean(-1, keepdim=True) + n.extra[3]).rsqrt()
    xhat = centred * rstd
    gw = (g * xhat).sum(0).reshape(n.extra[1]) if n.needs(1) else None
    gb = g.sum(0).reshape(n.extra[2]) if n.needs(2) else None
    h = g if weight is None else g * (<object>weight).reshape(-1)
    gx = h - xhat * (h * xhat).mean(-1, keepdim=True)
    gx = rstd * (gx if rms else gx - h.mean(-1, keepdim=True))
    return gx.reshape(saved_x.shape_tuple()), gw, gb

cdef Op LAYER_NORM = define("layer_norm", layer_norm_vjp, 0, 0, None, "NativeLayerNormBackward0")
cdef Op RMS_NORM = define("rms_norm", layer_norm_vjp, 0, 0, "layer_norm", "MulBackward0")


cdef tuple trailing(str op, TensorBase x, object normalized_shape):
    """The normalised sizes as a tuple, checked against x's last ones."""
    cdef tuple shape
    if not isinstance(normalized_shape, (tuple, list)):
        raise TypeError(f"[{op}] argument 'normalized_shape' must be tuple of ints, not {type(normalized_shape).__name__}")
    shape = tuple([s if type(s) is int else integer(s, op) for s in normalized_shape])
    if not shape:
        raise RuntimeError(f"[{op}] Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
                           "element, but got normalized_shape = []")
    if op == "rms_norm" and len(shape) > x.view.ndim:
        raise ValueError(f"[rms_norm] Input tensor must have at least {len(shape)} dimensions, but got {x.view.ndim}")
    if len(shape) > x.view.ndim or x.shape_tuple()[x.view.ndim - len(shape):] != shape:
        raise RuntimeError(f"[{op}] Given normalized_shape={list(shape)}, expected input with shape "
                           f"[*, {', '.join(map(str, shape))}], but got input of size{list(x.shape_tuple())}")
    return shape


cdef int check_affine(str op, str name, TensorBase x, TensorBase w, tuple shape) except -1:
    if w is None:
        return 0
    if w.shape_tuple() != shape:
        raise RuntimeError(f"[{op}] Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                           f"{list(w.shape_tuple())} and normalized_shape = {list(shape)}")
    return check_parameter(op, name, x, w)


cdef tuple normalise_rows(Op op, TensorBase x, tuple shape, TensorBase w, TensorBase b, double eps):
    """Rows of the sizes in shape, each to mean 0 and variance 1 (or to mean square 1), times w plus b; and these moments."""
    cdef TensorBase y, mean, rstd
    cdef View* t[6]
    cdef Param p[4]
    cdef int64_t n = 1
    for size in shape:
        n *= size
    x = contiguous(x)
    p[0].i, p[1].i, p[2].f, p[3].i = x.view.numel // n if n else 0, n, eps, op is RMS_NORM
    y, mean = empty_like(x), empty_shape((p[0].i,), x.view.dtype, x.device)
    rstd = empty_like(mean)
    t[0], t[1], t[2], t[3] = &y.view, &mean.view, &rstd.view, &x.view
    t[4], t[5] = view_of(w), view_of(b)
    if x.view.numel or op.cpu[x.view.dtype] == NULL:
        launch(op, x.view.dtype, x.device, 3, 6, t, p, 2 * x.view.numel)
    record(op, y, (x, w, b), (x, mean, rstd, w), (n, None if w is None else w.shape_tuple(),
                                                  None if b is None else b.shape_tuple(), eps))
    return y, mean, rstd


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True):
    """Normalise over the last dimensions: y = (x - mean) / sqrt(var + eps) * weight + bias.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the sizes of the last dimensions, a tuple; mean and (biased) variance are over them.
        weight, bias: of shape normalized_shape, or None.

    Source: Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450.

    >>> import taeda
    >>> taeda.layer_norm(taeda.tensor([[1., 3.]]), (2,), eps=1e-12)
    tensor([[-1.,  1.]])
    """
    return layer_norm_moments(input, normalized_shape, weight, bias, eps)[0]


cpdef tuple layer_norm_moments(object input, object normalized_shape, object weight, object bias, object eps):
    """Return :func:`layer_norm` and each row's mean and 1 / sqrt(var + eps)."""
    cdef TensorBase x = as_tensor(input, "layer_norm"), w = optional(weight, "layer_norm"), b = optional(bias, "layer_norm")
    cdef tuple shape = trailing("layer_norm", x, normalized_shape)
    if mixed(x, (w, b)):
        y, mean, rstd = layer_norm_moments(to_dtype(x, F32), shape, w, b, eps)
        return to_dtype(y, x.view.dtype), mean, rstd
    check_affine("layer_norm", "weight", x, w, shape)
    check_affine("layer_norm", "bias", x, b, shape)
    check_same_device("layer_norm", (x, w, b))
    return normalise_rows(LAYER_NORM, x, shape, w, b, eps)


# -- group norm --------------------------------------------------------------------------------------

cdef Op GROUP_NORM_BACKWARD = define("group_norm_backward", NULL)

cdef object group_norm_vjp(Node n, object g):
    cdef TensorBase x = n.load(0), mean = n.load(1), rstd = n.load(2), w = n.load(3) if n.extra[0] else None
    cdef TensorBase gy, gx = None, gw = None, gb = None
    cdef View* t[8]
    cdef Param p[4]
    if any_needs_grad((g, x, w)):
        return group_norm_composed(n, g, x, w)
    gy, x = contiguous(<TensorBase>g), contiguous(x)
    if n.needs(0):
        gx = empty_like(x)
    if n.needs(1):
        gw = empty_shape((x.view.shape[1],), x.view.dtype, x.device)
    if n.needs(2):
        gb = empty_shape((x.view.shape[1],), x.view.dtype, x.device)
    if x.view.numel == 0:
        zeros = (<object>x).new_zeros((x.view.shape[1],))
        return gx, zeros, zeros.clone()
    t[0], t[1], t[2], t[3] = view_of(gx), view_of(gw), view_of(gb), &gy.view
    t[4], t[5], t[6], t[7] = &x.view, view_of(w), &mean.view, &rstd.view
    channels(x, p)
    p[3].i = n.extra[1]
    launch(GROUP_NORM_BACKWARD, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel)
    return laid_channels_last(gx) if gx is not None and n.extra[3] else gx, gw, gb

cdef object group_norm_composed(Node n, object g, TensorBase saved_x, TensorBase w):
    cdef int ndim = saved_x.view.ndim
    cdef tuple shape = saved_x.shape_tuple(), dims = (0,) + tuple(range(2, ndim))
    cdef object x = (<object>saved_x).reshape(shape[0], n.extra[1], -1), h, gx
    centred = x - x.mean(-1, keepdim=True)
    rstd = (centred.square().mean(-1, keepdim=True) + n.extra[2]).rsqrt()
    xhat = centred * rstd
    gw = (g * xhat.reshape(shape)).sum(dims) if n.needs(1) else None
    gb = g.sum(dims) if n.needs(2) else None
    h = (g if w is None else g * along(w, ndim)).reshape(x.shape)
    gx = rstd * (h - h.mean(-1, keepdim=True) - xhat * (h * xhat).mean(-1, keepdim=True))
    return gx.reshape(shape), gw, gb

cdef tuple group_norm_rows(TensorBase input, int64_t groups, TensorBase w, TensorBase b, double eps):
    """(y, mean, rstd) of an image whose channels lie innermost, without history: the moments of each channel, down its columns,
    make those of its group; then y = x a + c by rows, a = rstd w and c = b - mean a."""
    cdef object x = (<object>input).detach(), means, var, mean, rstd, a, c
    cdef tuple apart = (input.view.shape[0], groups, -1), together = (*input.shape_tuple()[:2], *(1,) * (input.view.ndim - 2))
    var, means = var_mean(x.flatten(2), 2, correction=0)
    var, means = var.reshape(apart), means.reshape(apart)
    mean = means.mean(-1, keepdim=True)
    rstd = (var.mean(-1, keepdim=True) + (means - mean).square().mean(-1, keepdim=True) + eps).rsqrt()
    a = rstd.expand_as(means).reshape(together)
    if w is not None:
        a = a * along((<object>w).detach(), input.view.ndim)
    c = -mean.expand_as(means).reshape(together) * a
    if b is not None:
        c = c + along((<object>b).detach(), input.view.ndim)
    return addcmul(c, x, a), mean.squeeze(-1), rstd.squeeze(-1)


cdef Op GROUP_NORM = define("group_norm", group_norm_vjp, 0, 0, None, "NativeGroupNormBackward0")


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """Normalise (N, C, ...) over groups of C / num_groups channels; weight and bias are (C,).

    Source: Wu and He 2018, https://arxiv.org/abs/1803.08494.

    >>> import taeda
    >>> taeda.group_norm(taeda.tensor([[1., 3., 5., 9.]]), 2, eps=1e-12)
    tensor([[-1.,  1., -1.,  1.]])
    """
    cdef TensorBase x = as_tensor(input, "group_norm")
    if x.view.ndim >= 2 and x.view.numel and x.view.numel == num_groups:
        raise ValueError("[group_norm] Expected more than 1 value per channel when training, got input size "
                         f"{x.shape_tuple()} and num_groups={num_groups}")
    return group_norm_moments(x, num_groups, weight, bias, eps)[0]


cpdef tuple group_norm_moments(object input, object num_groups, object weight, object bias, object eps):
    """Return :func:`group_norm`, also of one value a group, and each group's mean and 1 / sqrt(var + eps)."""
    cdef TensorBase x = as_tensor(input, "group_norm"), w = optional(weight, "group_norm"), b = optional(bias, "group_norm")
    cdef TensorBase y, mean, rstd, dense
    cdef int64_t channels_
    cdef bint last
    cdef View* t[6]
    cdef Param p[5]
    if mixed(x, (w, b)):
        y, mean, rstd = group_norm_moments(to_dtype(x, F32), num_groups, w, b, eps)
        return to_dtype(y, x.view.dtype), mean, rstd
    if x.view.ndim < 2:
        raise RuntimeError(f"[group_norm] Expected at least 2 dimensions for input tensor but received {x.view.ndim}")
    channels_ = x.view.shape[1]
    if isinstance(num_groups, (bool, float)):
        raise TypeError(f"[group_norm] argument 'num_groups' must be int, not {type(num_groups).__name__}")
    if num_groups <= 0:
        raise RuntimeError(f"[group_norm] Expected num groups to be greater than 0, got {num_groups}")
    if channels_ % num_groups:
        raise RuntimeError(f"[group_norm] Expected number of channels in input to be divisible by num_groups, but got input "
                           f"of shape {list(x.shape_tuple())} and num_groups={num_groups}")
    for name, v in (("weight", w), ("bias", b)):
        if v is not None and v.shape != (channels_,):
            raise RuntimeError(f"[group_norm] Expected {name} to be a vector of size equal to the number of channels in "
                               f"input, but got {name} of shape {list(v.shape)} and input of shape {list(x.shape_tuple())}")
        check_parameter("group_norm", name, x, v)
    check_same_device("group_norm", (x, w, b))
    last = lies_channels_last(x)
    if last and (x.view.dtype == F32 or x.view.dtype == F64):
        y, mean, rstd = group_norm_rows(x, num_groups, w, b, eps)
        record(GROUP_NORM, y, (x, w, b), (x, mean, rstd, w), (w is not None, num_groups, eps, last))
        return y, mean, rstd
    dense = contiguous(x)
    y, mean = empty_like(dense), empty_shape((x.view.shape[0], num_groups), x.view.dtype, x.device)
    rstd = empty_like(mean)
    t[0], t[1], t[2], t[3] = &y.view, &mean.view, &rstd.view, &dense.view
    t[4], t[5] = view_of(w), view_of(b)
    channels(dense, p)
    p[3].i, p[4].f = num_groups, eps
    if x.view.numel or GROUP_NORM.cpu[x.view.dtype] == NULL:
        launch(GROUP_NORM, x.view.dtype, x.device, 3, 6, t, p, 2 * x.view.numel)
    if last:
        y = laid_channels_last(y)
    record(GROUP_NORM, y, (x, w, b), (dense, mean, rstd, w), (w is not None, num_groups, eps, last))
    return y, mean, rstd


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Scale by the root mean square of the last dimensions: y = x / sqrt(mean(x^2) + eps) * weight.

    eps is the dtype's machine epsilon if None.  Source: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467.

    >>> import taeda
    >>> taeda.rms_norm(taeda.tensor([3., -3.]), (2,))
    tensor([ 1., -1.])
    """
    cdef TensorBase x = as_tensor(input, "rms_norm"), w = optional(weight, "rms_norm")
    cdef tuple shape = trailing("rms_norm", x, normalized_shape)
    cdef int wide
    if w is not None and w.view.dtype != x.view.dtype and is_float(w.view.dtype) and is_float(x.view.dtype):
        wide = promote(x.view.dtype, w.view.dtype)
        return to_dtype(rms_norm(to_dtype(x, wide), shape, to_dtype(w, wide), eps), x.view.dtype)
    if w is None or not is_complex_(x.view.dtype):
        check_affine("rms_norm", "weight", x, w, shape)
    check_same_device("rms_norm", (x, w))
    if eps is None:                                     # of the dtype that is computed in
        eps = 2.220446049250313e-16 if x.view.dtype == F64 or x.view.dtype == C128 else 1.1920928955078125e-07
    if is_complex_(x.view.dtype):                       # PyTorch's formula: the mean of the squares, not of their moduli
        x = contiguous(x)
        y = x * ((<object>x * x).mean(tuple(range(-len(shape), 0)), keepdim=True) + eps).rsqrt()
        return y if w is None else y * w
    return normalise_rows(RMS_NORM, x, shape, w, None, eps)[0]

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Batch and instance normalisation.

Forward keeps each channel's mean and 1 / sqrt(var + eps); backward is one fused kernel.  While the graph of the gradient is wanted
too, the gradient is written with tensor operations instead, and every higher derivative follows from them.  By statistics that are known,
it is one pass, which may write where it reads.
"""
from libc.math cimport INFINITY
from libc.stdint cimport int64_t

from taeda.autograd.dual cimport has_tangent, level
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (NOTHING, SAME, Op, any_needs_grad, as_tensor, begin_inplace, check_same_device, contiguous, define, empty_like,
                             empty_shape, end_inplace, joint, launch, needs_grad, record, to_dtype)
from taeda.dtype cimport is_float, torch_name
from taeda.kernels.cpu.abi cimport F32, MAX_DIM, Param, View
from taeda.operands cimport real_number
from taeda.tensor_base cimport CPU, TensorBase

from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, laid_channels_last, lies_channels_last, without_gaps
from taeda.ops.norm_parts cimport along, channels, check_parameter, mixed, view_of

__all__ = ["batch_norm", "instance_norm"]
PUBLIC = ()
METHODS = {}


# Images whose channels lie innermost are N H W rows of C values, which the kernel takes as they lie.

cdef Op BATCH_NORM_BACKWARD = define("batch_norm_backward", NULL)

cdef bint fills_rows(TensorBase x) noexcept:
    """Is x's memory one run of N H W rows of C values, whatever the strides of sizes of 1 say?"""
    cdef int64_t stride = 1
    cdef int k, d, n = x.view.ndim
    if n < 4 or x.view.numel == 0:
        return False
    for k in range(n):
        d = 1 if k == 0 else 0 if k == n - 1 else n - k            # C, W, H, N
        if x.view.shape[d] != 1 and x.view.strides[d] != stride:
            return False
        stride *= x.view.shape[d]
    return True

cdef inline bint is_rows(TensorBase x) noexcept:
    # what lies in both orders counts as row-major: so do its results, as in PyTorch
    return is_float(x.view.dtype) and not x.view.contiguous and (lies_channels_last(x) or fills_rows(x))

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

cdef object batch_norm_vjp(Node n, object g):
    """The gradients of input, weight and bias by one kernel; composed of other ops where they are to be differentiated again."""
    cdef TensorBase x = n.load(0), mean = n.load(1), rstd = n.load(2), w = n.load(3) if n.extra[1] else None
    cdef TensorBase gy, gx = None, gw = None, gb = None
    cdef View* t[8]
    cdef View memory[3]
    cdef int64_t room[3 * 2 * MAX_DIM]
    cdef Param p[4]
    if any_needs_grad((g, x, w)):
        return batch_norm_composed(n, g, x, mean, rstd, w)
    if x.view.numel == 0:
        zeros = (<object>mean).new_zeros(mean.shape_tuple())
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
    laid_channels(x, p)
    p[3].i = n.extra[0]
    launch(BATCH_NORM_BACKWARD, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel + 1)
    return gx, gw, gb

cdef object batch_norm_composed(Node n, object g, TensorBase saved_x, TensorBase mean, TensorBase rstd, TensorBase w):
    cdef int ndim = saved_x.view.ndim
    cdef object x = saved_x, scale, xhat, gb, gw, gx
    cdef tuple dims = (0,) + tuple(range(2, ndim))
    cdef int64_t count = saved_x.view.numel // max(1, saved_x.view.shape[1])
    if mean.view.dtype != saved_x.view.dtype:              # halves beside parameters in float32
        x, g = x.to((<object>mean).dtype), g.to((<object>mean).dtype)
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
    return gx.to((<object>saved_x).dtype), gw if n.needs(1) else None, gb if n.needs(2) else None

cdef Op BATCH_NORM = joint(define("batch_norm", batch_norm_vjp, NOTHING, SAME, None, "NativeBatchNormBackward0"))

cdef int laid_channels(TensorBase x, Param* p) noexcept:
    """p: N, C, L of (N, C, ...), where channels lie innermost of (N L, C, 1)."""
    channels(x, p)
    if is_rows(x):
        p[0].i, p[2].i = p[0].i * p[2].i, 1
    return 0

cdef TensorBase buffer(str name, object running, TensorBase x, int64_t C, bint wide):
    """A running buffer, or weight or bias, checked against C channels; of x's dtype, but for wide ones."""
    cdef TensorBase r
    if running is None:
        return None
    r = as_tensor(running, "batch_norm")
    if r.view.numel != C:
        raise RuntimeError(f"[batch_norm] {name} should contain {C} elements not {r.view.numel}; the input has shape "
                           f"{x.shape_tuple()}")
    if not wide:
        check_parameter("batch_norm", name, x, r)
    return r


cdef TensorBase without_tangent(TensorBase running):
    return running if running is None or running.requires_grad_ or not has_tangent(running) else <TensorBase>(<object>running).data


# -- batch norm by known statistics

cdef Op CHANNEL_SCALE = define("channel_scale", NULL)

cdef int scale_channels(TensorBase y, TensorBase x, View** parts, double eps, double low, double high) except -1:
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
    laid_channels(x, p)
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


def batch_norm_here(TensorBase x, mean, var, weight, bias, double eps, double low, double high):
    """Normalise x, whose memory nobody else knows, by known statistics where it lies, and limit it to [low, high].

    Returns False, and leaves x as it is, where this takes more than one pass, a gradient is wanted or eps is refused.
    """
    cdef View* parts[6]
    cdef bint rows = is_rows(x)
    if eps < 0 or not (rows or x.view.contiguous) or not known_parts(x, (weight, bias, mean, var), parts):
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
    cdef double least = real_number("batch_norm", "eps", eps)     # numbers first: what is checked of tensors must still hold afterwards
    if least < 0 or training and least == 0:
        rule = "positive during training" if training else "non-negative"
        raise ValueError(f"[batch_norm] batch_norm eps must be {rule}, but got {eps}")
    if training and x.view.ndim >= 2 and x.view.numel and x.view.numel == x.view.shape[1]:
        raise ValueError("[batch_norm] Expected more than 1 value per channel when training, got input size "
                         f"{x.shape_tuple()}; use a larger batch, or call .eval()")
    if not training and known_parts(x, (weight, bias, running_mean, running_var), parts):
        laid = laid_as(x, x)
        y = empty_laid_as(laid)
        scale_channels(y, laid, parts, least, -INFINITY, INFINITY)
        return y
    return batch_norm_moments(x, running_mean, running_var, weight, bias, training, momentum, least)[0]


cdef int begin_moving(TensorBase running, bint training) except -1:
    """Refuse a running buffer that requires grad, and one that cannot be written to where it is to move."""
    if running is not None:
        if needs_grad(running):
            raise RuntimeError("[batch_norm] The function is not differentiable with respect to the running buffers; detach them")
        if training:
            begin_inplace("batch_norm", running)
    return 0


cdef int end_moving(TensorBase running, TensorBase written) except -1:
    """Say that a running buffer has moved, whose elements the kernel has written in rows."""
    if running is not None:
        if written is not running:
            (<object>running).copy_(written)
        end_inplace(BATCH_NORM, running, (running,), None)
    return 0


cpdef tuple batch_norm_moments(object input, object running_mean, object running_var, object weight, object bias, object training,
                               object momentum, object eps):
    """Return :func:`batch_norm`, also of one value a channel and with any eps, and each channel's mean and 1 / sqrt(var + eps)."""
    cdef TensorBase x = as_tensor(input, "batch_norm"), laid, w, b, mean, rstd, y, run_mean, run_var, m, v
    cdef View* t[8]
    cdef View* parts[6]
    cdef View memory[2]
    cdef int64_t room[2 * 2 * MAX_DIM]
    cdef Param p[5]
    cdef bint wide = mixed(x, (running_mean, running_var, weight, bias))
    cdef double rate, least = real_number("batch_norm", "eps", eps)
    if momentum is None:
        raise TypeError("[batch_norm] momentum must be a number, not None")
    rate = real_number("batch_norm", "momentum", momentum)
    if wide and not training:
        y, mean, rstd = batch_norm_moments(to_dtype(x, F32), running_mean, running_var, weight, bias, training, rate, least)
        return to_dtype(y, x.view.dtype), mean, rstd
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[batch_norm] not implemented for '{torch_name(x.view.dtype)}'; convert the input with .float()")
    if x.view.ndim == 1 and x.view.numel == 0:              # without a channel: PyTorch takes the first one's parameters
        y = (<object>x).clone()
        y = y if weight is None else y * weight[0]
        return y if bias is None else y + bias[0], None, None
    if x.view.ndim < 2:
        raise RuntimeError(f"[batch_norm] expected an input of 2 or more dimensions (N, C, ...), got shape {x.shape_tuple()}")
    laid_channels(x, p)
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("[batch_norm] running_mean and running_var must be defined in evaluation mode")
    if training and (running_mean is None) != (running_var is None):
        raise ValueError("[batch_norm] running_mean and running_var must either both be None or neither be None")
    run_mean, run_var = buffer("running_mean", running_mean, x, p[1].i, wide), buffer("running_var", running_var, x, p[1].i, wide)
    w, b = buffer("weight", weight, x, p[1].i, wide), buffer("bias", bias, x, p[1].i, wide)
    check_same_device("batch_norm", (x, w, b, run_mean, run_var))
    if training and level:                                  # what is moved is no part of the result: its tangents stay as they are
        run_mean, run_var = without_tangent(run_mean), without_tangent(run_var)
    begin_moving(run_mean, training)
    begin_moving(run_var, training)
    laid = laid_as(x, x)
    w = contiguous(w) if w is not None else None
    b = contiguous(b) if b is not None else None
    m, v = None if run_mean is None else contiguous(run_mean), None if run_var is None else contiguous(run_var)
    y, mean = empty_laid_as(laid), empty_shape((p[1].i,), F32 if wide else x.view.dtype, x.device)
    rstd = empty_like(mean)
    if x.view.numel and training:
        memory[0], memory[1] = memory_of(y, room), memory_of(laid, room + 2 * MAX_DIM)
        t[0], t[1], t[2], t[3] = &memory[0], &mean.view, &rstd.view, &memory[1]
        t[4], t[5], t[6], t[7] = view_of(w), view_of(b), view_of(m), view_of(v)
        p[3].f, p[4].f = rate, least
        launch(BATCH_NORM, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel)
        end_moving(run_mean, m)
        end_moving(run_var, v)
    elif x.view.numel:
        parts[0], parts[1], parts[2], parts[3] = &mean.view, &rstd.view, view_of(w), view_of(b)
        parts[4], parts[5] = &m.view, &v.view
        scale_channels(y, laid, parts, least, -INFINITY, INFINITY)
    else:
        (<object>mean).zero_()
        (<object>rstd).zero_()
    record(BATCH_NORM, y, (x, w, b), (laid, mean, rstd, w), (bool(training), w is not None, least))
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


cdef object statistics_for(object x, object buffer, object weight):
    """Running statistics as batch_norm takes them: of the input's dtype, or beside halves those of float32 weights."""
    narrow = x.dtype.itemsize == 2 and weight is None
    return buffer if buffer.dtype == x.dtype or narrow or (weight is not None and weight.dtype != x.dtype) else buffer.to(x.dtype)


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
        running_mean, running_var = statistics_for(x, running_mean, weight), statistics_for(x, running_var, weight)
        return batch_norm_moments(x, running_mean, running_var, weight, bias, False, momentum, eps)[0]
    if (running_mean is None) != (running_var is None):
        raise ValueError("[instance_norm] running_mean and running_var must either both be None or neither be None")
    means = None if running_mean is None else statistics_for(x, running_mean, weight).repeat(n)
    variances = None if running_var is None else statistics_for(x, running_var, weight).repeat(n)
    w = None if weight is None else weight.repeat(n)
    b = None if bias is None else bias.repeat(n)
    y = batch_norm_moments(x.contiguous().reshape((1, n * c) + tuple(x.shape[2:])), means, variances, w, b, True, momentum, eps)[0]
    if means is not None:
        running_mean.copy_(means.reshape(n, c).mean(0))
    if variances is not None:
        running_var.copy_(variances.reshape(n, c).mean(0))
    return y.reshape(x.shape)

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Layer, group and root-mean-square normalisation.

Forward keeps each row's mean and 1 / sqrt(var + eps); backward is one fused kernel.  While
the graph of the gradient is wanted too, the gradient is written with tensor operations instead, and every
higher derivative follows from them.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, check_same_device, contiguous, define, empty_as, empty_like, empty_shape, joint,
                             launch, record, to_dtype)
from taeda.dtype cimport is_complex_, is_float, itemsize_of, promote
from taeda.kernels.cpu.abi cimport C128, F32, F64, Param, View
from taeda.operands cimport integer, real_number
from taeda.tensor_base cimport TensorBase

from taeda.ops.channels_last cimport laid_channels_last, lies_channels_last, without_gaps
from taeda.ops.norm_parts cimport along, channels, check_parameter, mixed, optional, view_of

__all__ = ["layer_norm", "group_norm", "rms_norm"]
PUBLIC = ("layer_norm", "rms_norm")
METHODS = {}


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
    cdef int64_t size = n.extra[0], rows = saved_x.view.numel // size if size else 0
    cdef object x = (<object>saved_x).reshape(rows, size), g = cotangent.reshape(rows, size)
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

cdef Op LAYER_NORM = joint(define("layer_norm", layer_norm_vjp, 0, 0, None, "NativeLayerNormBackward0"))
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
    cdef bint last = op is RMS_NORM and lies_channels_last(x)        # PyTorch composes it then: the result lies as its input
    for size in shape:
        n *= size
    x = contiguous(x)
    p[0].i, p[1].i, p[2].f, p[3].i = x.view.numel // n if n else 0, n, eps, op is RMS_NORM
    # rounded moments of halves are PyTorch's results of layer_norm; those of rms_norm are nobody's, and rounding would cost its gradients
    y, mean = empty_like(x), empty_shape((p[0].i,), F32 if op is RMS_NORM and itemsize_of(x.view.dtype) == 2 else x.view.dtype, x.device)
    rstd = empty_like(mean)
    t[0], t[1], t[2], t[3] = &y.view, &mean.view, &rstd.view, &x.view
    t[4], t[5] = view_of(w), view_of(b)
    if x.view.numel or op.cpu[x.view.dtype] == NULL:
        launch(op, x.view.dtype, x.device, 3, 6, t, p, 2 * x.view.numel)
    if last:
        y = laid_channels_last(y)
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
    return normalise_rows(LAYER_NORM, x, shape, w, b, real_number("layer_norm", "eps", eps))


# -- group norm --------------------------------------------------------------------------------------

cdef Op GROUP_NORM_BACKWARD = define("group_norm_backward", NULL)

cdef object group_norm_vjp(Node n, object g):
    cdef TensorBase x = n.load(0), mean = n.load(1), rstd = n.load(2), w = n.load(3) if n.extra[0] else None
    cdef TensorBase gy, gx = None, gw = None, gb = None
    cdef View* t[8]
    cdef Param p[4]
    if any_needs_grad((g, x, w)):
        return group_norm_composed(n, g, x, mean, w)
    gy, x = contiguous(<TensorBase>g), contiguous(x)
    if n.needs(0):
        gx = empty_like(x)
    if n.needs(1):
        gw = empty_shape((x.view.shape[1],), mean.view.dtype, x.device)
    if n.needs(2):
        gb = empty_shape((x.view.shape[1],), mean.view.dtype, x.device)
    if x.view.numel == 0:
        zeros = (<object>mean).new_zeros((x.view.shape[1],))
        return gx, zeros, zeros.clone()
    t[0], t[1], t[2], t[3] = view_of(gx), view_of(gw), view_of(gb), &gy.view
    t[4], t[5], t[6], t[7] = &x.view, view_of(w), &mean.view, &rstd.view
    channels(x, p)
    p[3].i = n.extra[1]
    launch(GROUP_NORM_BACKWARD, x.view.dtype, x.device, 3, 8, t, p, 2 * x.view.numel)
    return laid_channels_last(gx) if gx is not None and n.extra[3] else gx, gw, gb

cdef object group_norm_composed(Node n, object g, TensorBase saved_x, TensorBase mean, TensorBase w):
    cdef int ndim = saved_x.view.ndim
    cdef tuple shape = saved_x.shape_tuple(), dims = (0,) + tuple(range(2, ndim))
    cdef object x = (<object>saved_x).reshape(shape[0], n.extra[1], -1) if saved_x.view.numel else None, h, gx
    if x is None:
        return (<object>saved_x) * 0, *[(<object>mean).new_zeros((shape[1],)) if n.needs(i) else None for i in (1, 2)]
    if mean.view.dtype != saved_x.view.dtype:              # halves beside parameters in float32
        x, g = x.to((<object>mean).dtype), g.to((<object>mean).dtype)
    centred = x - x.mean(-1, keepdim=True)
    rstd = (centred.square().mean(-1, keepdim=True) + n.extra[2]).rsqrt()
    xhat = centred * rstd
    gw = (g * xhat.reshape(shape)).sum(dims) if n.needs(1) else None
    gb = g.sum(dims) if n.needs(2) else None
    h = (g if w is None else g * along(w, ndim)).reshape(x.shape)
    gx = rstd * (h - h.mean(-1, keepdim=True) - xhat * (h * xhat).mean(-1, keepdim=True))
    return gx.reshape(shape).to((<object>saved_x).dtype), gw, gb

cdef Op GROUP_NORM_LAST = define("group_norm_last", NULL)

cdef Op GROUP_NORM = define("group_norm", group_norm_vjp, 0, 0, None, "NativeGroupNormBackward0")


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """Normalise (N, C, ...) over groups of C / num_groups channels; weight and bias are (C,).

    Source: Wu and He 2018, https://arxiv.org/abs/1803.08494.

    >>> import taeda
    >>> taeda.group_norm(taeda.tensor([[1., 3., 5., 9.]]), 2, eps=1e-12)
    tensor([[-1.,  1., -1.,  1.]])
    """
    cdef TensorBase x = as_tensor(input, "group_norm")
    if x.view.ndim >= 2 and x.view.numel and num_groups > 0 and (x.view.shape[0] * x.view.shape[1] // num_groups *
                                                                 (x.view.numel // (x.view.shape[0] * x.view.shape[1]))) == 1:
        raise ValueError("[group_norm] Expected more than 1 value per channel when training, got input size "
                         f"{x.shape_tuple()} and num_groups={num_groups}")
    return group_norm_moments(x, num_groups, weight, bias, eps)[0]


cpdef tuple group_norm_moments(object input, object num_groups, object weight, object bias, object eps):
    """Return :func:`group_norm`, also of one value a group, and each group's mean and 1 / sqrt(var + eps)."""
    cdef TensorBase x = as_tensor(input, "group_norm"), w = optional(weight, "group_norm"), b = optional(bias, "group_norm")
    cdef TensorBase y, mean, rstd, dense
    cdef int64_t channels_
    cdef bint last = lies_channels_last(x), wide = mixed(x, (w, b)), followed
    cdef View* t[6]
    cdef Param p[5]
    if wide and last:
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
        if not wide:
            check_parameter("group_norm", name, x, v)
    check_same_device("group_norm", (x, w, b))
    followed = last and (x.view.dtype == F32 or x.view.dtype == F64)
    dense = without_gaps(x) if followed else contiguous(x)
    y = empty_as(dense, dense.view.dtype, dense.device) if followed else empty_like(dense)
    mean = empty_shape((x.view.shape[0], num_groups), F32 if wide else x.view.dtype, x.device)
    rstd = empty_like(mean)
    t[0], t[1], t[2], t[3] = &y.view, &mean.view, &rstd.view, &dense.view
    t[4], t[5] = view_of(w), view_of(b)
    channels(dense, p)
    p[3].i, p[4].f = num_groups, real_number("group_norm", "eps", eps)
    if x.view.numel or GROUP_NORM.cpu[x.view.dtype] == NULL:
        launch(GROUP_NORM_LAST if followed else GROUP_NORM, x.view.dtype, x.device, 3, 6, t, p, 2 * x.view.numel)
    if last and not followed:
        y = laid_channels_last(y)
    record(GROUP_NORM, y, (x, w, b), (x if followed else dense, mean, rstd, w), (w is not None, num_groups, p[4].f, last))
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
    eps = real_number("rms_norm", "eps", eps)
    if is_complex_(x.view.dtype):                       # PyTorch's formula: the mean of the squares, not of their moduli
        x = contiguous(x)
        y = x * ((<object>x * x).mean(tuple(range(-len(shape), 0)), keepdim=True) + eps).rsqrt()
        return y if w is None else y * w
    return normalise_rows(RMS_NORM, x, shape, w, None, eps)[0]

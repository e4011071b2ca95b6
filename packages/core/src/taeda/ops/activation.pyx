# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Activations with kernels of their own; piecewise.pyx has those that are linear between their corners."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (FLOAT, IN0, IN1, NOTHING, OUT, SAME, Op, as_tensor, binary, binary_params, check_same_device, contiguous,
                             define, empty, empty_as, empty_for, empty_like, launch, needs_grad, record, unary, unary_, unary_params,
                             unary_params_, wrap_dim)
from taeda.dtype cimport is_float, name_of, torch_name
from taeda.kernels.cpu.abi cimport BOOL, MAX_DIM, Param, View
from taeda.operands cimport plain_number
from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, laid_channels_last, lies_channels_last, without_gaps
from taeda.tensor_base cimport META, TensorBase

from taeda.autograd.node import named
from taeda.ops.join import cat


# what is linear between corners has the second derivative 0, which is a gradient all the same, not none
cdef object flat(Node n, object h):
    return h.new_zeros(h.shape) if n.needs(1) else None


# relu: max(x, 0); the derivative at 0 is 0
cdef object relu_vjp(Node n, object g):
    return binary(RELU_BACKWARD, g, n.load(0))

cdef object relu_backward_vjp(Node n, object g):
    return (binary(RELU_BACKWARD, g, n.load(0)) if n.needs(0) else None), flat(n, g)

cdef Op RELU = define("relu", relu_vjp, OUT, SAME)
cdef Op RELU_BACKWARD = define("relu_backward", relu_backward_vjp, IN1, SAME, None, "ThresholdBackwardBackward0")

cdef int no_bool(str op, object input) except -1:
    if as_tensor(input, op).view.dtype == BOOL:
        raise RuntimeError(f"[{op}] Boolean inputs not supported for relu; convert to float first")
    return 0

def relu(input):
    """Return max(x, 0).

    >>> import taeda
    >>> taeda.relu(taeda.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    no_bool("relu", input)
    return unary(RELU, input)

def relu_(input):
    """In-place :func:`relu`."""
    no_bool("relu_", input)
    return unary_(RELU, input)


# sigmoid: 1 / (1 + e^-x), dy = y (1 - y) dx
cdef object sigmoid_vjp(Node n, object g):
    return binary(SIGMOID_BACKWARD, g, n.load(0))

cdef object sigmoid_backward_vjp(Node n, object h):
    g, y = n.load(0), n.load(1)
    return (binary(SIGMOID_BACKWARD, h, y) if n.needs(0) else None, h * g * (1 - 2 * y) if n.needs(1) else None)

cdef Op SIGMOID = define("sigmoid", sigmoid_vjp, OUT, FLOAT)
cdef Op SIGMOID_BACKWARD = define("sigmoid_backward", sigmoid_backward_vjp, IN0 + IN1, SAME)

def sigmoid(input, *, out=None):
    """Return 1 / (1 + e^-x).

    dy = y (1 - y) dx.  Integers become the default dtype.

    >>> import taeda
    >>> taeda.sigmoid(taeda.tensor([-1.0, 0.0, 1.0]))
    tensor([0.2689, 0.5000, 0.7311])
    """
    return unary(SIGMOID, input, out)

def sigmoid_(input):
    """In-place :func:`sigmoid`."""
    return unary_(SIGMOID, input)


# tanh: dy = (1 - y^2) dx
cdef object tanh_vjp(Node n, object g):
    return binary(TANH_BACKWARD, g, n.load(0))

cdef object tanh_backward_vjp(Node n, object h):
    g, y = n.load(0), n.load(1)
    return (binary(TANH_BACKWARD, h, y) if n.needs(0) else None, h * g * (-2 * y) if n.needs(1) else None)

cdef Op TANH = define("tanh", tanh_vjp, OUT, FLOAT)
cdef Op TANH_BACKWARD = define("tanh_backward", tanh_backward_vjp, IN0 + IN1, SAME)

def tanh(input, *, out=None):
    """Return the hyperbolic tangent.

    y = (e^x - e^-x) / (e^x + e^-x), dy = (1 - y^2) dx.  Integers become the default dtype.

    >>> import taeda
    >>> taeda.tanh(taeda.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.7616,  0.0000,  0.7616])
    """
    return unary(TANH, input, out)

def tanh_(input):
    """In-place :func:`tanh`."""
    return unary_(TANH, input)


# gelu: x Phi(x), Phi the normal distribution function; or its tanh approximation
cdef object gelu_vjp(Node n, object g):
    return binary(GELU_BACKWARD, g, n.load(0))

cdef object gelu_backward_vjp(Node n, object h):
    # d/dx (Phi + x phi) = phi (2 - x^2)
    g, x = n.load(0), n.load(1)
    second = None
    if n.needs(1):
        second = h * g * ((x * x * -0.5).exp() * 0.39894228040143267794) * (2 - x * x)
    return (binary(GELU_BACKWARD, h, x) if n.needs(0) else None), second

cdef object gelu_tanh_vjp(Node n, object g):
    return binary(GELU_TANH_BACKWARD, g, n.load(0))

cdef object gelu_tanh_backward_vjp(Node n, object h):
    # d/dx (0.5 (1 + t) + 0.5 x (1 - t^2) u') = (1 - t^2) (u' + 0.5 x (u'' - 2 t u'^2)), t = tanh(u(x))
    g, x = n.load(0), n.load(1)
    second = None
    if n.needs(1):
        t = (0.79788456080286535588 * (x + 0.044715 * x * x * x)).tanh()
        slope = 0.79788456080286535588 * (1 + 0.134145 * x * x)
        second = h * g * (1 - t * t) * (slope + 0.5 * x * (0.79788456080286535588 * 0.26829 * x - 2 * t * slope * slope))
    return (binary(GELU_TANH_BACKWARD, h, x) if n.needs(0) else None), second

cdef Op GELU = define("gelu", gelu_vjp, IN0, SAME)
cdef Op GELU_TANH = define("gelu_tanh", gelu_tanh_vjp, IN0, SAME, None, "GeluBackward0")
cdef Op GELU_TANH_BACKWARD = define("gelu_tanh_backward", gelu_tanh_backward_vjp, IN0 + IN1, SAME)
cdef Op GELU_BACKWARD = define("gelu_backward", gelu_backward_vjp, IN0 + IN1, SAME)

def gelu(input, *, approximate="none", out=None):
    """Return x Phi(x); ``approximate="tanh"`` takes 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.

    >>> import taeda
    >>> taeda.ops.gelu(taeda.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate == "none":
        return unary(GELU, input, out)
    if approximate == "tanh":
        return unary(GELU_TANH, input, out)
    raise RuntimeError(f"[gelu] approximate argument must be either 'none' or 'tanh', got {approximate!r}")


# silu: x sigmoid(x)
cdef object silu_vjp(Node n, object g):
    return binary(SILU_BACKWARD, g, n.load(0))

cdef object silu_backward_vjp(Node n, object h):
    g, x = n.load(0), n.load(1)
    second = None
    if n.needs(1):
        s = x.sigmoid()
        second = h * g * (s * (1 - s) * (2 + x * (1 - 2 * s)))
    return (binary(SILU_BACKWARD, h, x) if n.needs(0) else None), second

cdef Op SILU = define("silu", silu_vjp, IN0, SAME)
cdef Op SILU_BACKWARD = define("silu_backward", silu_backward_vjp, IN0 + IN1, SAME)

def silu(input):
    """Return x sigmoid(x).

    >>> import taeda
    >>> taeda.ops.silu(taeda.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return unary(SILU, input)

def silu_(input):
    """In-place :func:`silu`."""
    return unary_(SILU, input)


# leaky_relu: x where x > 0, else slope x
cdef object leaky_relu_vjp(Node n, object g):
    cdef Param p[1]
    p[0].f = <double>n.extra
    return binary_params(LEAKY_RELU_BACKWARD, g, n.load(0), p, n.extra)

cdef object leaky_relu_backward_vjp(Node n, object h):
    cdef Param p[1]
    p[0].f = <double>n.extra
    return (binary_params(LEAKY_RELU_BACKWARD, h, n.load(0), p, n.extra) if n.needs(0) else None), flat(n, h)

cdef Op LEAKY_RELU = define("leaky_relu", leaky_relu_vjp, IN0, SAME)
cdef Op LEAKY_RELU_BACKWARD = define("leaky_relu_backward", leaky_relu_backward_vjp, IN1, SAME)

def leaky_relu(input, negative_slope=0.01):
    """Return x where x > 0, else negative_slope * x.

    >>> import taeda
    >>> taeda.ops.leaky_relu(taeda.tensor([-1.0, 1.0]), 0.1)
    tensor([-0.1000,  1.0000])
    """
    cdef Param p[1]
    p[0].f = plain_number("leaky_relu", "negative_slope", negative_slope)
    return unary_params(LEAKY_RELU, input, p, p[0].f)

def leaky_relu_(input, negative_slope=0.01):
    """In-place :func:`leaky_relu`."""
    cdef Param p[1]
    p[0].f = plain_number("leaky_relu_", "negative_slope", negative_slope)
    return unary_params_(LEAKY_RELU, input, p, p[0].f)


# elu: scale (x if x > 0 else alpha (e^(input_scale x) - 1))
cdef object elu_vjp(Node n, object g):
    cdef Param p[3]
    p[0].f, p[1].f, p[2].f = n.extra
    return binary_params(ELU_BACKWARD, g, n.load(0), p, n.extra)

cdef object elu_backward_vjp(Node n, object h):
    cdef Param p[3]
    p[0].f, p[1].f, p[2].f = alpha, scale, input_scale = n.extra
    g, x = n.load(0), n.load(1)
    second = None
    if n.needs(1):
        low = x.clamp(max=0)                  # e^x of a large x is inf, and inf * 0 nan
        second = h * g * (low * input_scale).exp().mul(alpha * scale * input_scale * input_scale).masked_fill(x >= 0, 0.0)
    return (binary_params(ELU_BACKWARD, h, x, p, n.extra) if n.needs(0) else None), second

cdef Op ELU_BACKWARD = define("elu_backward", elu_backward_vjp, IN0 + IN1, SAME)
cdef Op ELU = define("elu", elu_vjp, IN0, SAME)

def elu(input, alpha=1.0, scale=1.0, input_scale=1.0):
    """Return scale * (x where x > 0, else alpha * (e^(input_scale x) - 1)).

    >>> import taeda
    >>> taeda.ops.elu(taeda.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """
    cdef Param p[3]
    p[0].f, p[1].f = plain_number("elu", "alpha", alpha), plain_number("elu", "scale", scale)
    p[2].f = plain_number("elu", "input_scale", input_scale)
    return unary_params(ELU, input, p, (p[0].f, p[1].f, p[2].f))

def elu_(input, alpha=1.0, scale=1.0, input_scale=1.0):
    """In-place :func:`elu`."""
    cdef Param p[3]
    p[0].f, p[1].f = plain_number("elu_", "alpha", alpha), plain_number("elu_", "scale", scale)
    p[2].f = plain_number("elu_", "input_scale", input_scale)
    return unary_params_(ELU, input, p, (p[0].f, p[1].f, p[2].f))

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

def selu(input):
    """Return :func:`elu` with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017).

    y = 1.0507 (x where x > 0, else 1.6733 (e^x - 1)).

    >>> import taeda
    >>> taeda.selu(taeda.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """
    return elu(input, SELU_ALPHA, SELU_SCALE)

def selu_(input):
    """In-place :func:`selu`."""
    return elu_(input, SELU_ALPHA, SELU_SCALE)

def celu(input, alpha=1.0):
    """Return x where x > 0, else alpha * (e^(x / alpha) - 1).

    RuntimeError where alpha is 0.

    >>> import taeda
    >>> taeda.celu(taeda.tensor([-1.0, 1.0]), 2.0)
    tensor([-0.7869,  1.0000])
    """
    if alpha == 0:
        raise RuntimeError("[celu] ZeroDivisionError: alpha cannot be 0 for CELU")
    return named(elu(input, alpha, 1.0, 1.0 / alpha), "CeluBackward0")

def celu_(input, alpha=1.0):
    """In-place :func:`celu`."""
    if alpha == 0:
        raise RuntimeError("[celu_] ZeroDivisionError: alpha cannot be 0 for CELU")
    return named(elu_(input, alpha, 1.0, 1.0 / alpha), "CeluBackward0")


# softplus: log(1 + e^(beta x)) / beta, x itself where beta x > threshold
cdef object softplus_vjp(Node n, object g):
    cdef Param p[2]
    p[0].f, p[1].f = n.extra
    return binary_params(SOFTPLUS_BACKWARD, g, n.load(0), p, n.extra)

cdef object softplus_backward_vjp(Node n, object h):
    cdef Param p[2]
    p[0].f, p[1].f = beta, threshold = n.extra
    g, x = n.load(0), n.load(1)
    second = None
    if n.needs(1):
        s = (x * beta).sigmoid()
        second = (h * g * (s * (1 - s) * beta)).masked_fill(x * beta > threshold, 0.0)
    return (binary_params(SOFTPLUS_BACKWARD, h, x, p, n.extra) if n.needs(0) else None), second

cdef Op SOFTPLUS_BACKWARD = define("softplus_backward", softplus_backward_vjp, IN0 + IN1, SAME)
cdef Op SOFTPLUS = define("softplus", softplus_vjp, IN0, SAME)

def softplus(input, beta=1.0, threshold=20.0, *, out=None):
    """Return log(1 + e^(beta x)) / beta, and x itself where beta x is above the threshold.

    >>> import taeda
    >>> taeda.ops.softplus(taeda.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    cdef Param p[2]
    p[0].f, p[1].f = plain_number("softplus", "beta", beta), plain_number("softplus", "threshold", threshold)
    return unary_params(SOFTPLUS, input, p, (p[0].f, p[1].f), out)


# log_sigmoid: -log(1 + e^-x)
cdef object log_sigmoid_vjp(Node n, object g):
    return binary(LOG_SIGMOID_BACKWARD, g, n.load(0))

cdef object log_sigmoid_backward_vjp(Node n, object h):
    g, x = n.load(0), n.load(1)
    second = None
    if n.needs(1):
        s = x.sigmoid()
        second = h * g * (s * (s - 1))
    return (binary(LOG_SIGMOID_BACKWARD, h, x) if n.needs(0) else None), second

cdef Op LOG_SIGMOID_BACKWARD = define("log_sigmoid_backward", log_sigmoid_backward_vjp, IN0 + IN1, SAME)
cdef Op LOG_SIGMOID = define("log_sigmoid", log_sigmoid_vjp, IN0, SAME)

def log_sigmoid(input, *, out=None):
    """Return log(sigmoid(x)) without overflow.

    >>> import taeda
    >>> taeda.ops.log_sigmoid(taeda.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """
    return unary(LOG_SIGMOID, contiguous(as_tensor(input, "log_sigmoid")), out)


cdef TensorBase floats(object input, str op):
    cdef TensorBase x = as_tensor(input, op)
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[{op}] not implemented for '{torch_name(x.view.dtype)}'; convert it with .float()")
    return x


# prelu: x where x > 0, else w x
cdef tuple channels_of(TensorBase x, TensorBase w):
    """How x, contiguous or laid with its channels innermost, is read: weights, and elements that share each."""
    cdef int64_t inner = 1
    cdef int d
    if w.view.numel == 1:
        return 1, max(x.view.numel, 1)
    if not lies_channels_last(x):
        for d in range(2, x.view.ndim):
            inner *= x.view.shape[d]
    return w.view.numel, inner


cdef inline TensorBase laid_as(TensorBase x, TensorBase t):
    """t's values without gaps, in the memory order of x: contiguous, or the channels innermost."""
    if not lies_channels_last(x):
        return contiguous(t)
    return without_gaps(t) if lies_channels_last(t) else laid_channels_last(t)

cdef inline TensorBase empty_laid_as(TensorBase x):
    cdef TensorBase y = empty_as(x, x.view.dtype, x.device)
    return channels_innermost(y) if lies_channels_last(x) else y

cdef inline View memory_of(TensorBase x, int64_t* room) noexcept:
    """x, laid by laid_as, as a row-major view of its memory; room is for 2 ndim numbers."""
    return channels_as_columns(&x.view, room) if lies_channels_last(x) else x.view


cdef object prelu_vjp(Node n, object g):
    cdef TensorBase x = n.load(0), w = n.load(1), gx, gw, c, dense
    cdef View* t[5]
    cdef View memory[3]
    cdef int64_t room[3 * 2 * MAX_DIM]
    cdef Param p[2]
    if needs_grad(<TensorBase>g) or needs_grad(x) or needs_grad(w):            # a second derivative: plain operations
        wide = prelu_weight(x, w)
        below = ((<object>x) * g).masked_fill(x > 0, 0)
        return (binary(RELU_BACKWARD, g, x) + (g * wide).masked_fill(x > 0, 0) if n.needs(0) else None,
                below.sum_to_size(wide.shape).reshape(w.shape_tuple()) if n.needs(1) else None)
    c, dense = laid_as(x, <TensorBase>g), laid_as(x, x)
    gx, gw = empty_laid_as(dense), empty_like(w)
    p[0].i, p[1].i = channels_of(dense, w)
    memory[0], memory[1] = memory_of(gx, room), memory_of(c, room + 2 * MAX_DIM)
    memory[2] = memory_of(dense, room + 4 * MAX_DIM)
    t[0], t[1], t[2], t[3], t[4] = &memory[0], &gw.view, &memory[1], &memory[2], &w.view
    if x.view.numel:
        launch(PRELU_BACKWARD, x.view.dtype, x.device, 2, 5, t, p, x.view.numel)
    elif gw.device != META:
        (<object>gw).zero_()
    return (gx if n.needs(0) else None), (gw if n.needs(1) else None)

cdef Op PRELU = define("prelu", prelu_vjp, NOTHING, SAME, None, "PreluKernelBackward0")
cdef Op PRELU_BACKWARD = define("prelu_backward", NULL)


cdef object prelu_weight(object x, object w):
    """The weights as they stand beside x: one, or one a channel (dimension 1)."""
    return w.reshape([-1] + [1] * (x.dim() - 2)) if w.numel() != 1 else w.reshape(())


def prelu(input, weight):
    """Return x where x > 0, else weight x, with one weight for all or one a channel (dimension 1).

    Raises RuntimeError where the weights are not one a channel, or have another dtype.

    >>> import taeda
    >>> taeda.prelu(taeda.tensor([-2.0, 3.0]), taeda.tensor(0.25))
    tensor([-0.5000,  3.0000])
    """
    cdef TensorBase x = as_tensor(input, "prelu"), w = as_tensor(weight, "prelu"), y
    cdef int64_t channels
    cdef int64_t shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef View* t[3]
    cdef View beside
    cdef int d
    if x.view.dtype != w.view.dtype:
        raise RuntimeError(f"[prelu] Type promoting not supported. Got {name_of(x.view.dtype)} and {name_of(w.view.dtype)}")
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[prelu] not implemented for '{torch_name(x.view.dtype)}'; convert it with .float()")
    if w.view.ndim > 1:
        raise RuntimeError(f"[prelu] weight must have 0 or 1 dimensions, got shape {w.shape_tuple()}")
    if w.view.numel != 1:
        channels = x.view.shape[1] if x.view.ndim > 1 else 1
        if x.view.ndim == 0 or w.view.numel != channels:
            raise RuntimeError("[prelu] Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                               f"{w.view.numel} and channel size = {channels}; weight has one element or one a channel, got weight "
                               f"{w.shape_tuple()} for input {x.shape_tuple()}")
    check_same_device("prelu", (x, w))
    w = contiguous(w)
    y = empty_as(x, x.view.dtype, x.device)
    beside = w.view
    if w.view.numel != 1:                                                  # as (1, channels, 1, ...)
        for d in range(x.view.ndim):
            shape[d], strides[d] = w.view.numel if d == 1 else 1, 1
        beside.ndim, beside.shape, beside.strides = x.view.ndim, shape, strides
    t[0], t[1], t[2] = &y.view, &x.view, &beside
    launch(PRELU, x.view.dtype, x.device, 1, 3, t, NULL, x.view.numel)
    record(PRELU, y, (x, w), (x, w))
    return y


# glu: a sigmoid(b), the halves of x along a dimension
cdef int64_t inner_half(TensorBase x, int d) noexcept:
    cdef int64_t inner = x.view.shape[d] // 2
    for d in range(d + 1, x.view.ndim):
        inner *= x.view.shape[d]
    return inner


cdef bint lies_in_order(TensorBase x, const int64_t* shape) noexcept:
    """Whether a part of x, of these sizes, has no gaps."""
    cdef int64_t run = 1
    cdef int d
    for d in range(x.view.ndim - 1, -1, -1):
        if shape[d] != 1 and x.view.strides[d] != run:
            return False
        run *= shape[d]
    return True


cdef object glu_vjp(Node n, object g):
    cdef TensorBase x = contiguous(n.load(0)), c = contiguous(<TensorBase>g), gx = empty_like(x)
    cdef View* t[3]
    cdef Param p[1]
    p[0].i = inner_half(x, n.extra)
    t[0], t[1], t[2] = &gx.view, &c.view, &x.view
    launch(GLU_BACKWARD, x.view.dtype, x.device, 1, 3, t, p, x.view.numel)
    record(GLU_BACKWARD, gx, (c, x), (c, x), n.extra)
    return gx

cdef object glu_backward_vjp(Node n, object h):
    g, x = n.load(0), n.load(1)
    a, b = x.chunk(2, n.extra)
    ha, hb = h.chunk(2, n.extra)
    s = b.sigmoid()
    slope = s * (1 - s)
    return (ha * s + hb * a * slope if n.needs(0) else None,
            cat((hb * g * slope, g * slope * (ha + hb * a * (1 - 2 * s))), n.extra) if n.needs(1) else None)

cdef Op GLU = define("glu", glu_vjp)
cdef Op GLU_APART = define("glu_apart", NULL)       # of halves in any layout
cdef Op GLU_BACKWARD = define("glu_backward", glu_backward_vjp, NOTHING, SAME, None, "GluBackwardBackward0")


def glu(input, dim=-1):
    """Return a sigmoid(b), where a and b are the halves of x along ``dim``.

    Raises RuntimeError where the size along dim is odd, or x has no dimension, IndexError for dim out of range.

    >>> import taeda
    >>> taeda.ops.glu(taeda.tensor([2.0, 4.0, 0.0, 0.0]))
    tensor([1., 2.])
    """
    cdef TensorBase x = as_tensor(input, "glu"), y
    cdef int64_t shape[MAX_DIM]
    cdef View* t[3]
    cdef View half[2]
    cdef Param p[1]
    cdef int d, i
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[glu] not implemented for '{torch_name(x.view.dtype)}'; convert it with .float()")
    if x.view.ndim == 0:
        raise RuntimeError("[glu] does not support 0-dimensional tensors")
    d = wrap_dim("glu", dim, x.view.ndim)
    if x.view.shape[d] % 2:
        raise RuntimeError(f"[glu] Halving dimension must be even, but dimension {dim} is size {x.view.shape[d]}")
    for i in range(x.view.ndim):
        shape[i] = x.view.shape[i] // 2 if i == d else x.view.shape[i]
    if x.view.contiguous:
        y = empty(x.view.ndim, shape, x.view.dtype, x.device)
        p[0].i = inner_half(x, d)
        t[0], t[1] = &y.view, &x.view
        launch(GLU, x.view.dtype, x.device, 1, 2, t, p, y.view.numel)
    else:
        half[0] = x.view
        half[0].shape, half[0].numel, half[0].contiguous = shape, x.view.numel // 2, lies_in_order(x, shape)
        half[1] = half[0]
        half[1].data += shape[d] * x.view.strides[d] * x.view.itemsize
        t[1], t[2] = &half[0], &half[1]
        y = empty_for(x.view.ndim, shape, x.view.dtype, x.device, 2, t + 1)
        t[0] = &y.view
        launch(GLU_APART, x.view.dtype, x.device, 1, 3, t, NULL, y.view.numel)
    record(GLU, y, (x,), (x,), d)
    return y


PUBLIC = ("relu", "relu_", "sigmoid", "sigmoid_", "tanh", "tanh_", "selu", "selu_", "celu", "celu_", "prelu")
__all__ = PUBLIC + ("gelu", "glu", "silu", "silu_", "leaky_relu", "leaky_relu_", "elu", "elu_", "softplus",
                    "log_sigmoid")
METHODS = {name: globals()[name] for name in PUBLIC if name not in ("selu", "selu_", "celu", "celu_")}

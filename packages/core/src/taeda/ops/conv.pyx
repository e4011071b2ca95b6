# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolution and its transpose in one, two and three dimensions.

Convolution is bilinear in input and weight, so three ops are closed under differentiation: the convolution,
its input gradient and its weight gradient; the derivative of each is made of the other two.  A transposed
convolution is the input gradient with a bias.  Missing dimensions have size one: the kernels see only
5-d views.  Integers are convolved in 64 bits and have no gradient.
"""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, check_same_device, define, empty, joint, needs_grad, record, to_dtype
from taeda.dtype cimport name_of
from taeda.kernels.cpu.abi cimport F32, I8, I16, I32, I64, U8
from taeda.ops.channels_last cimport channels_innermost, lies_channels_last
from taeda.ops.conv_choice cimport compute
from taeda.ops.conv_geometry cimport INPUT_GRADIENT, RESULT, WEIGHT_GRADIENT, Geometry
from taeda.tensor_base cimport STAND_IN, TensorBase, is_wrapper

from taeda import _above
from taeda.autograd.node import own
from taeda.layout import channels_last, channels_last_3d
from taeda.operands import as_index
from taeda.ops.complex_numbers import bilinear, has_complex

PUBLIC = ("conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
__all__ = PUBLIC
METHODS = {}


# -- the three ops -----------------------------------------------------------------------------------


cdef tuple pack(const Geometry* q, TensorBase a, TensorBase b):
    """What a vjp must know: the geometry, and the shapes of both factors."""
    cdef list numbers = [q.n, q.groups, q.last]
    cdef int i
    for i in range(3):
        numbers += [q.stride[i], q.pad[i], q.dilation[i]]
    return (numbers, a.shape_tuple(), b.shape_tuple())


cdef int unpack(Geometry* q, tuple extra) except -1:
    cdef list numbers = extra[0]
    cdef int i
    q.n, q.groups, q.last = numbers[0], numbers[1], numbers[2]
    for i in range(3):
        q.stride[i], q.pad[i], q.dilation[i] = numbers[3 + 3 * i], numbers[4 + 3 * i], numbers[5 + 3 * i]
    return 0


cdef TensorBase allocate(tuple shape, TensorBase like, bint last):
    cdef int64_t sizes[5]
    cdef int i, n = len(shape)
    cdef TensorBase y
    for i in range(n):
        sizes[i] = shape[i]
    y = empty(n, sizes, like.view.dtype, like.device)
    return channels_innermost(y) if last else y


cdef int choose_order(Geometry* q, TensorBase x, TensorBase w) except -1:
    """Results of images lie as x or w does; of volumes where PyTorch has a kernel for it."""
    q.last = q.n > 1 and (lies_channels_last(x) or lies_channels_last(w)) and (
        q.n == 2 or (x.view.dtype == F32 and (x.view.shape[0] > 1 or q.groups > 1)))
    return 0


cdef object channel_sum(TensorBase g):
    """Sum over all dimensions but that of the channels: the gradient of a bias."""
    return g.sum((0, *range(2, g.view.ndim)))


cdef inline bint is_batch(TensorBase x) noexcept:
    return x.device == STAND_IN and not is_wrapper(x)


def product(int kind, list numbers, TensorBase a, TensorBase b, tuple shape):
    """One of the three ops, of two factors; the result has the given shape."""
    cdef Geometry q
    unpack(&q, (numbers,))
    if kind == RESULT:
        return forward(&q, a, b, None, shape)
    return input_gradient(&q, a, b, None, shape) if kind == INPUT_GRADIENT else weight_gradient(&q, a, b, shape)


cdef TensorBase of_batches(int kind, const Geometry* q, TensorBase a, TensorBase b, tuple shape):
    """One of the three of factors that are batches of cotangents or tangents."""
    return _above.convolution_of_batches(product, kind, pack(q, a, b)[0], a, b, shape)


cdef TensorBase forward(const Geometry* q, TensorBase x, TensorBase w, TensorBase bias, tuple shape):
    """y = convolution of x by w, plus bias; y has the given shape."""
    if bias is None and (is_batch(x) or is_batch(w)):
        return of_batches(RESULT, q, x, w, shape)
    cdef TensorBase y = allocate(shape, x, q.last)
    compute(RESULT, CONV, q, y, x, w, bias)
    if needs_grad(x) or needs_grad(w) or (bias is not None and needs_grad(bias)):
        record(CONV, y, (x, w, bias), (x if needs_grad(w) else None, w if needs_grad(x) else None), pack(q, x, w))
    return y


cdef TensorBase input_gradient(const Geometry* q, TensorBase g, TensorBase w, TensorBase bias, tuple shape):
    """The transpose of convolution by w, applied to g; the result has the given shape."""
    if bias is None and (is_batch(g) or is_batch(w)):
        return of_batches(INPUT_GRADIENT, q, g, w, shape)
    cdef TensorBase y = allocate(shape, g, q.last)
    compute(INPUT_GRADIENT, INPUT, q, y, g, w, bias)
    if needs_grad(g) or needs_grad(w) or (bias is not None and needs_grad(bias)):
        record(INPUT, y, (g, w, bias), (g if needs_grad(w) else None, w if needs_grad(g) else None), pack(q, g, w))
    return y


cdef TensorBase weight_gradient(const Geometry* q, TensorBase g, TensorBase x, tuple shape):
    """The gradient of sum(g * convolution of x by w) with respect to w, which has the given shape."""
    if is_batch(g) or is_batch(x):
        return of_batches(WEIGHT_GRADIENT, q, g, x, shape)
    cdef TensorBase y = allocate(shape, g, False)
    cdef bint last = q.last and taps_of(y) > 1
    if last and y.view.shape[1] > 1:
        channels_innermost(y)
    compute(WEIGHT_GRADIENT, WEIGHT, q, y, g, x, None)
    if last:
        channels_innermost(y)                # of one channel in the same memory
    if needs_grad(g) or needs_grad(x):
        record(WEIGHT, y, (g, x), (g if needs_grad(x) else None, x if needs_grad(g) else None), pack(q, g, x))
    return y


cdef inline int64_t taps_of(TensorBase w) noexcept:
    cdef int64_t n = 1
    cdef int d
    for d in range(2, w.view.ndim):
        n *= w.view.shape[d]
    return n


cdef object dense(const Geometry* q, object g):
    """g as the results lay: a sum's gradient is one number seen everywhere."""
    cdef TensorBase x = <TensorBase>g
    cdef int last = x.view.ndim - 1
    if q.last and x.device != STAND_IN:
        return g if lies_channels_last(x) else g.contiguous(channels_last if q.n == 2 else channels_last_3d)
    return g if x.view.strides[last] == 1 or x.view.shape[last] == 1 or lies_channels_last(x) else g.contiguous()


cdef object conv_vjp(Node n, object g):
    cdef Geometry q
    unpack(&q, n.extra)
    g = dense(&q, g)
    return (input_gradient(&q, <TensorBase>g, n.load(1), None, n.extra[1]) if n.needs(0) else None,
            weight_gradient(&q, <TensorBase>g, n.load(0), n.extra[2]) if n.needs(1) else None,
            channel_sum(<TensorBase>g) if n.needs(2) else None)


cdef object input_vjp(Node n, object g):
    cdef Geometry q
    unpack(&q, n.extra)
    g = dense(&q, g)
    return (forward(&q, <TensorBase>g, n.load(1), None, n.extra[1]) if n.needs(0) else None,
            weight_gradient(&q, n.load(0), <TensorBase>g, n.extra[2]) if n.needs(1) else None,
            channel_sum(<TensorBase>g) if n.needs(2) else None)


cdef object weight_vjp(Node n, object g):
    cdef Geometry q
    unpack(&q, n.extra)
    return (forward(&q, n.load(1), <TensorBase>g, None, n.extra[1]) if n.needs(0) else None,
            input_gradient(&q, n.load(0), <TensorBase>g, None, n.extra[2]) if n.needs(1) else None)


cdef Op CONV = joint(define("convolution", conv_vjp, 0, 0, "convolution", "ConvolutionBackward0"))
cdef Op INPUT = joint(define("convolution_input", input_vjp, 0, 0, "convolution_input", "ConvolutionBackward0"))
cdef Op WEIGHT = define("convolution_weight", weight_vjp, 0, 0, "convolution_weight", "ConvolutionBackwardBackward0")


# -- checks ------------------------------------------------------------------------------------------


cdef int read(str op, str name, object value, int n, int64_t low, int64_t* out) except -1:
    """An int, or a sequence of one or n ints, into out[3 - n:]."""
    cdef int i
    if type(value) is int:
        for i in range(3 - n, 3):
            out[i] = value
    elif isinstance(value, (tuple, list)):
        values = tuple([whole(op, name, v) for v in value])
        if len(values) != n and len(values) != 1:
            raise RuntimeError(f"[{op}] expected {name} to be a single integer value or a list of {n} values to match the "
                               f"convolution dimensions, but got {name}={list(values)}")
        for i in range(3 - n, 3):
            out[i] = values[i - 3 + n if len(values) == n else 0]
    else:
        for i in range(3 - n, 3):
            out[i] = whole(op, name, value)
    for i in range(3 - n, 3):
        if out[i] < low:
            what = "negative" if low == 0 else "non-positive"
            raise RuntimeError(f"[{op}] {what} {name} is not supported; got {name}={value}")
        if out[i] >= 1 << 31:
            raise RuntimeError(f"[{op}] {name} must be less than 2^31; got {name}={value}")
    return 0


cdef object whole(str op, str name, object value):
    if isinstance(value, (float, str, bool)) or not PyIndex_Check(value):
        raise TypeError(f"[{op}] argument '{name}' must be an int or a tuple of ints, not {type(value).__name__}")
    return value if type(value) is int else as_index(op, value)


cdef int read_geometry(str op, Geometry* q, int n, object stride, object dilation, object groups) except -1:
    cdef int i
    q.n = n
    for i in range(3):
        q.stride[i] = q.dilation[i] = 1
        q.pad[i] = 0
    read(op, "stride", stride, n, 1, q.stride)
    read(op, "dilation", dilation, n, 1, q.dilation)
    q.groups = whole(op, "groups", groups)
    if q.groups <= 0:
        raise RuntimeError(f"[{op}] non-positive groups is not supported; got groups={groups}")
    return 0


cdef int check_operands(str op, const Geometry* q, TensorBase x, TensorBase w, TensorBase b, bint transposed) except -1:
    """Ranks, dtypes, devices, channels and bias; x has its batch dimension."""
    cdef int64_t channels, results
    cdef int d
    if w.view.ndim != q.n + 2:
        raise RuntimeError(f"[{op}] expected a {q.n + 2}-dimensional weight for input of shape {x.shape_tuple()}, but got "
                           f"weight of shape {w.shape_tuple()} instead")
    if x.view.dtype != w.view.dtype:
        raise RuntimeError(f"[{op}] Input type ({name_of(x.view.dtype)}) and weight type ({name_of(w.view.dtype)}) should "
                           "be the same; convert one with .to(...)")
    for d in range(2, q.n + 2):
        if w.view.shape[d] == 0:
            raise RuntimeError(f"[{op}] kernel size must be greater than zero, but got weight of shape {w.shape_tuple()}")
    if w.view.shape[0] % q.groups or w.view.shape[0] < q.groups:
        raise RuntimeError(f"[{op}] Given groups={q.groups}, expected weight to be at least {q.groups} at dimension 0 and "
                           f"divisible by it, but got weight of shape {w.shape_tuple()} instead")
    results = w.view.shape[1] * q.groups if transposed else w.view.shape[0]
    channels = w.view.shape[0] if transposed else w.view.shape[1] * q.groups
    if x.view.shape[1] != channels:
        raise RuntimeError(f"[{op}] Given groups={q.groups}, weight of size {list(w.shape_tuple())}, expected input"
                           f"{list(x.shape_tuple())} to have {channels} channels, but got {x.view.shape[1]} channels instead")
    if b is not None:
        if b.view.dtype != x.view.dtype:
            raise RuntimeError(f"[{op}] Input type ({name_of(x.view.dtype)}) and bias type ({name_of(b.view.dtype)}) "
                               "should be the same; convert one with .to(...)")
        if b.view.ndim != 1 or b.view.shape[0] != results:
            raise RuntimeError(f"[{op}] Given weight of shape {w.shape_tuple()}, expected bias to be 1-dimensional with "
                               f"{results} elements, but got bias of shape {b.shape_tuple()} instead")
    check_same_device(op, (x, w, b))
    return 0


cdef int check_frame(str op, int n, const double* sides, int64_t channels) except -1:
    """The padded input must be countable; sides[3 - n:] are those of one channel."""
    cdef double places = max(channels, 1)
    cdef int i
    for i in range(3 - n, 3):
        places *= sides[i]
    if places >= <double>(1 << 56):
        told = " x ".join([f"{sides[i]:.0f}" for i in range(3 - n, 3)])
        raise RuntimeError(f"[{op}] the padded input would have {told} places in {channels} channels, which is more than "
                           "memory can address")
    return 0


cdef inline bint is_short(TensorBase x) noexcept:
    """Whether x holds integers that are convolved in 64 bits and cut back."""
    return x.view.dtype == I8 or x.view.dtype == I16 or x.view.dtype == I32 or x.view.dtype == U8


cdef object with_batch(str op, TensorBase x, int n):
    """x with a batch dimension (a view where it has none)."""
    if x.view.ndim == n + 2:
        return x
    if x.view.ndim == n + 1:
        return x.unsqueeze(0)
    raise RuntimeError(f"[{op}] Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {op}, but got input of "
                       f"shape {x.shape_tuple()}")


ctypedef TensorBase (*direction)(const Geometry* q, TensorBase x, TensorBase w, TensorBase bias, tuple shape)


cdef TensorBase run(direction way, Geometry* q, TensorBase x, TensorBase w, TensorBase bias, list shape):
    """``forward`` or ``input_gradient`` in the order in which the operands lie; short integers are summed in int64."""
    cdef int dtype = x.view.dtype
    choose_order(q, x, w)
    if is_short(x):
        x, w, bias = to_dtype(x, I64), to_dtype(w, I64), None if bias is None else to_dtype(bias, I64)
    return to_dtype(way(q, x, w, bias, tuple(shape)), dtype)


# -- the functions -----------------------------------------------------------------------------------


cdef object convolve(str op, int n, object input, object weight, object bias, object stride, object padding,
                     object dilation, object groups):
    """The convolution of n dimensions, its arguments checked as the caller gave them to ``op``."""
    cdef TensorBase x = as_tensor(input, op), w = as_tensor(weight, op), b = None if bias is None else as_tensor(bias, op)
    cdef Geometry q
    cdef int64_t size, kernel, total, room
    cdef double sides[3]
    cdef int i, d
    cdef bint unbatched = x.view.ndim == n + 1
    cdef list shape
    x = with_batch(op, x, n)
    read_geometry(op, &q, n, stride, dilation, groups)
    check_operands(op, &q, x, w, b, False)
    if isinstance(padding, str):
        if padding != "same" and padding != "valid":
            raise RuntimeError(f"[{op}] Invalid padding string: '{padding}'; use 'same', 'valid' or a number")
        if padding == "same" and max(q.stride[0], q.stride[1], q.stride[2]) != 1:
            raise RuntimeError(f"[{op}] padding='same' is not supported for strided convolutions; got stride={stride}")
    else:
        read(op, "padding", padding, n, 0, q.pad)
    shape = [x.view.shape[0], w.view.shape[0]]
    for i in range(3 - n, 3):
        d = n - 1 + i
        size, kernel = x.view.shape[d], w.view.shape[d]
        total = q.dilation[i] * (kernel - 1)
        if kernel >= 1 << 31 or size >= 1 << 62:
            raise RuntimeError(f"[{op}] input of shape {x.shape_tuple()} or weight of shape {w.shape_tuple()} is more than memory can "
                               "address")
        if isinstance(padding, str):
            q.pad[i] = total // 2 if padding == "same" else 0
            room = size - 1 if padding == "same" else size - total - 1
        else:
            room = size + 2 * q.pad[i] - total - 1
        if room < 0 and (padding != "same" or total):
            padded = tuple([x.view.shape[n - 1 + k] + 2 * q.pad[k] for k in range(3 - n, 3)])
            taken = tuple([q.dilation[k] * (w.view.shape[n - 1 + k] - 1) + 1 for k in range(3 - n, 3)])
            raise RuntimeError(f"[{op}] Kernel size can't be greater than actual input size: padded input size per "
                               f"channel is {padded}, kernel size {taken} (with dilation), for input {x.shape_tuple()} "
                               f"and weight {w.shape_tuple()}; hint: a larger input, more padding, or fewer strides and pools before")
        shape.append(room // q.stride[i] + 1 if room >= 0 else 0)
        sides[i] = <double>size + 2 * q.pad[i] + <double>q.dilation[i] * kernel
    check_frame(op, n, sides, x.view.shape[1])
    y = run(forward, &q, x, w, b, shape)
    return y.squeeze(0) if unbatched else y


cdef object convolve_transposed(str op, int n, object input, object weight, object bias, object stride, object padding,
                                object output_padding, object groups, object dilation):
    """The input gradient of a convolution of n dimensions as a function of its own, its arguments checked."""
    cdef TensorBase x = as_tensor(input, op), w = as_tensor(weight, op), b = None if bias is None else as_tensor(bias, op)
    cdef Geometry q
    cdef int64_t more[3]
    cdef double sides[3]
    cdef int i
    cdef bint unbatched = x.view.ndim == n + 1
    cdef list shape
    x = with_batch(op, x, n)
    read_geometry(op, &q, n, stride, dilation, groups)
    read(op, "padding", padding, n, 0, q.pad)
    read(op, "output_padding", output_padding, n, 0, more)
    check_operands(op, &q, x, w, b, True)
    shape = [x.view.shape[0], w.view.shape[1] * q.groups]
    for i in range(3 - n, 3):
        if more[i] >= q.stride[i] and more[i] >= q.dilation[i]:
            raise RuntimeError(f"[{op}] output padding must be smaller than either stride or dilation, but got "
                               f"output_padding={output_padding}, stride={stride}, dilation={dilation}")
        size = (<object>x.view.shape[n - 1 + i] - 1) * q.stride[i] - 2 * q.pad[i] + more[i] + 1
        size += <object>q.dilation[i] * (w.view.shape[n - 1 + i] - 1)
        if size <= 0:
            raise RuntimeError(f"[{op}] Output size is too small: dimension {n - 1 + i} would have size {size} for input "
                               f"{x.shape_tuple()}, weight {w.shape_tuple()}, stride={stride}, padding={padding}, "
                               f"dilation={dilation}, output_padding={output_padding}")
        shape.append(size)
        sides[i] = size + q.pad[i] + <double>q.dilation[i] * w.view.shape[n - 1 + i] + x.view.shape[n - 1 + i]
    check_frame(op, n, sides, x.view.shape[1])
    y = run(input_gradient, &q, x, w, b, shape)
    return y.squeeze(0) if unbatched else y


def by_parts(function, x, w, b, n, *rest):
    """A convolution of complex tensors: real ones of their parts."""
    op = function.__name__
    for name, t in (("input", x), ("weight", w), ("bias", x if b is None else b)):
        if as_tensor(t, op).view.dtype != as_tensor(x, op).view.dtype:
            raise RuntimeError(f"[{op}] Input type ({x.dtype}) and {name} type ({t.dtype}) should be the same; convert one "
                               "with .to(...)")
    y = bilinear(lambda p, q: function(p, q, None, *rest), x, w)
    return y if b is None else y + b.reshape((-1,) + (1,) * n)


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve sequences: y[n, o, i] = bias[o] + sum_{c, k} input[n, c, i stride + k dilation - padding] weight[o, c, k].

    ``input`` is (N, C, L) or (C, L), ``weight`` (O, C / groups, K), ``bias`` (O).  ``padding`` is a number,
    'valid' (none) or 'same' (as many places out as in; stride 1 only).  RuntimeError where they do not fit.

    >>> import taeda
    >>> taeda.conv1d(taeda.ones(1, 1, 5), taeda.ones(1, 1, 3), padding=1)
    tensor([[[2., 3., 3., 3., 2.]]])
    """
    if has_complex(input, weight):
        return by_parts(conv1d, input, weight, bias, 1, stride, padding, dilation, groups)
    return convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve images: y[n, o, i, j] = bias[o] + sum_{c, k, l} input[n, c, i' , j'] weight[o, c, k, l].

    Here i' = i stride + k dilation - padding, and j' likewise.  ``input`` is (N, C, H, W) or (C, H, W),
    ``weight`` (O, C / groups, KH, KW), ``bias`` (O).  ``padding`` is a number, a pair, 'valid' or 'same'.
    RuntimeError where they do not fit.

    >>> import taeda
    >>> taeda.conv2d(taeda.ones(1, 1, 3, 3), taeda.ones(1, 1, 2, 2), stride=1)
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    if has_complex(input, weight):
        return by_parts(conv2d, input, weight, bias, 2, stride, padding, dilation, groups)
    return convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve volumes: y[n, o, i] = bias[o] + sum_{c, k} input[n, c, i stride + k dilation - padding] weight[o, c, k].

    Here i and k count along depth, height and width.  ``input`` is (N, C, D, H, W) or (C, D, H, W), ``weight``
    (O, C / groups, KD, KH, KW), ``bias`` (O).  ``padding`` is a number, three of them, 'valid' or 'same'.
    RuntimeError where they do not fit.

    >>> import taeda
    >>> taeda.conv3d(taeda.ones(1, 1, 2, 2, 2), taeda.ones(1, 1, 2, 2, 2)).item()
    8.0
    """
    if has_complex(input, weight):
        return by_parts(conv3d, input, weight, bias, 3, stride, padding, dilation, groups)
    return convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_tbc(input, weight, bias, pad=0):
    """Convolve sequences that lie time first: :func:`conv1d` of (T, B, C), with ``weight`` (K, C, O) and ``bias`` (O).

    ``pad`` zeros are added at both ends; the result is (T + 2 pad - K + 1, B, O).

    >>> import taeda
    >>> taeda.conv_tbc(taeda.ones(3, 1, 1), taeda.ones(2, 1, 1), taeda.zeros(1)).flatten()
    tensor([2., 2.])
    """
    cdef TensorBase x = as_tensor(input, "conv_tbc"), w = as_tensor(weight, "conv_tbc"), b = as_tensor(bias, "conv_tbc")
    if x.view.ndim != 3:
        raise RuntimeError(f"[conv_tbc] Input must have 3 dims: time, batch, in_channel; got shape {x.shape_tuple()}")
    if w.view.ndim != 3:
        raise RuntimeError("[conv_tbc] Weight tensor must have 3 dims: kernel_width, in_channels, out_channels; got shape "
                           f"{w.shape_tuple()}")
    if b.view.ndim != 1:
        raise RuntimeError(f"[conv_tbc] Bias must be 1-D; got shape {b.shape_tuple()}")
    if x.view.shape[2] != w.view.shape[1]:
        raise RuntimeError("[conv_tbc] Input dim 2 (input channels) is not == dim 1 in the weight tensor; got input "
                           f"{x.shape_tuple()} and weight {w.shape_tuple()}")
    if b.view.shape[0] != w.view.shape[2]:
        raise RuntimeError("[conv_tbc] Bias size must equal dim 2 in the weight tensor (output channels); got bias "
                           f"{b.shape_tuple()} and weight {w.shape_tuple()}")
    y = conv1d(x.permute(1, 2, 0), w.permute(2, 1, 0), b, 1, pad).permute(2, 0, 1).contiguous()
    return own(y, "ConvTbcBackward0")


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Apply the transpose of conv1d: each input place adds a scaled copy of the kernel to the result.

    ``input`` is (N, C, L) or (C, L), ``weight`` (C, O / groups, K), ``bias`` (O); the result has
    (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1 places.

    >>> import taeda
    >>> taeda.conv_transpose1d(taeda.ones(1, 1, 2), taeda.ones(1, 1, 3), stride=2)
    tensor([[[1., 1., 2., 1., 1.]]])
    """
    if has_complex(input, weight):
        return by_parts(conv_transpose1d, input, weight, bias, 1, stride, padding, output_padding, groups, dilation)
    return convolve_transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Apply the transpose of conv2d: each input pixel adds a scaled copy of the kernel to the result.

    ``input`` is (N, C, H, W) or (C, H, W), ``weight`` (C, O / groups, KH, KW), ``bias`` (O); each side of the
    result has (size - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1 places.

    >>> import taeda
    >>> taeda.conv_transpose2d(taeda.ones(1, 1, 1, 2), taeda.ones(1, 1, 1, 2))
    tensor([[[[1., 2., 1.]]]])
    """
    if has_complex(input, weight):
        return by_parts(conv_transpose2d, input, weight, bias, 2, stride, padding, output_padding, groups, dilation)
    return convolve_transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Apply the transpose of conv3d: each input voxel adds a scaled copy of the kernel to the result.

    ``input`` is (N, C, D, H, W) or (C, D, H, W), ``weight`` (C, O / groups, KD, KH, KW), ``bias`` (O); each side
    of the result has (size - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1 places.

    >>> import taeda
    >>> taeda.conv_transpose3d(taeda.ones(1, 1, 1, 1, 1), taeda.ones(1, 1, 2, 1, 1)).flatten()
    tensor([1., 1.])
    """
    if has_complex(input, weight):
        return by_parts(conv_transpose3d, input, weight, bias, 3, stride, padding, output_padding, groups, dilation)
    return convolve_transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)

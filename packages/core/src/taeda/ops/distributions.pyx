# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Random values from other distributions: exponential, Cauchy, log-normal, geometric, Poisson, binomial, gamma, Dirichlet.

Streams, generators and derivatives are as in ops.random, but for gamma: its values move with their shape, and so the functions for
that are here too, under PyTorch's names.
"""
from taeda.autograd.grad_mode cimport set_grad
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, broadcast_shapes, check_same_device, define, empty_like, empty_shape, launch,
                             record, to_dtype)
from taeda.dtype cimport is_float, name_of, torch_name
from taeda.kernels.cpu.abi cimport BOOL, F32, F64, Param, View
from taeda.operands cimport real_number
from taeda.ops.random cimport draw, fill, must_be_float, must_be_plain, zero_vjp_of
from taeda.tensor_base cimport TensorBase

__all__ = ["_dirichlet_grad", "_sample_dirichlet", "_standard_gamma", "_standard_gamma_grad", "binomial", "cauchy_", "exponential_",
           "geometric_", "log_normal_", "poisson"]
PUBLIC = ("_dirichlet_grad", "_sample_dirichlet", "_standard_gamma", "_standard_gamma_grad", "binomial", "poisson")

cdef double LEAST_F32 = 1.1754943508222875e-38, LEAST_F64 = 2.2250738585072014e-308


cdef object zero_vjp(Node n, object g):
    return zero_vjp_of(<TensorBase>g)

cdef object binomial_vjp(Node n, object g):
    raise RuntimeError("[binomial] the derivative is not implemented")

cdef object underivable(Node n, object g):
    raise NotImplementedError(f"[{n.op.name}] the derivative for '{n.op.name}' is not implemented.")

cdef object standard_gamma_vjp(Node n, object g):
    return g * _standard_gamma_grad(n.load(0), n.load(1))

cdef Op EXPONENTIAL = define("exponential", zero_vjp)
cdef Op CAUCHY = define("cauchy", zero_vjp)
cdef Op LOG_NORMAL = define("log_normal", zero_vjp)
cdef Op GEOMETRIC = define("geometric", zero_vjp)
cdef Op POISSON = define("poisson", zero_vjp)
cdef Op BINOMIAL = define("binomial", binomial_vjp, 0, 0, None, "NotImplemented")
cdef Op STANDARD_GAMMA = define("_standard_gamma", standard_gamma_vjp, 0, 0, "standard_gamma", "StandardGammaBackward0")
cdef Op SAMPLE_DIRICHLET = define("_sample_dirichlet", underivable, 0, 0, "standard_gamma", "NotImplemented")
cdef Op STANDARD_GAMMA_GRAD = define("_standard_gamma_grad", underivable, 0, 0, "standard_gamma_grad", "NotImplemented")
cdef Op DIRICHLET_GRAD = define("_dirichlet_grad", underivable, 0, 0, "dirichlet_grad", "NotImplemented")


def exponential_(input, lambd=1.0, *, generator=None):
    """Overwrite with values from the exponential distribution: y = -log(1 - u) / lambd.

    Raises:
        RuntimeError: unless lambd > 0, or where the dtype is no floating-point one.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> bool((taeda.empty(100).exponential_() >= 0).all())
    True
    """
    cdef TensorBase x = as_tensor(input, "exponential_")
    cdef Param p[2]
    cdef double rate = real_number("exponential_", "lambd", lambd)
    if not is_float(x.view.dtype):
        raise RuntimeError("[exponential_] Exponential distribution is a continuous probability distribution. dtype must "
                           f"be a floating point but you specified {name_of(x.view.dtype)}")
    if not rate > 0:
        raise RuntimeError(f"[exponential_] expects lambda > 0.0, but found lambda={rate:g}")
    p[1].f = rate
    return fill("exponential_", EXPONENTIAL, x, p, generator)


def cauchy_(input, median=0.0, sigma=1.0, *, generator=None):
    """Overwrite with values from the Cauchy distribution: y = median + sigma tan(pi (u - 1/2)).

    Raises:
        RuntimeError: unless sigma > 0, or where the dtype is no floating-point one.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.empty(100_001).cauchy_(median=3.0).median().round()
    tensor(3.)
    """
    cdef TensorBase x = as_tensor(input, "cauchy_")
    cdef Param p[3]
    p[1].f, p[2].f = real_number("cauchy_", "median", median), real_number("cauchy_", "sigma", sigma)
    if not is_float(x.view.dtype):
        raise RuntimeError("[cauchy_] Cauchy distribution is a continuous probability distribution. dtype must be a "
                           f"floating point but you specified {name_of(x.view.dtype)}")
    if not p[2].f > 0:
        raise RuntimeError(f"[cauchy_] expects sigma > 0.0, but found sigma={p[2].f:g}")
    return fill("cauchy_", CAUCHY, x, p, generator)


def log_normal_(input, mean=1.0, std=2.0, *, generator=None):
    """Overwrite with y = exp(mean + std z), z standard normal.

    Raises:
        RuntimeError: unless std > 0.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.empty(100_000).log_normal_(mean=2.0, std=0.5).log().mean().round()
    tensor(2.)
    """
    cdef TensorBase x = as_tensor(input, "log_normal_")
    cdef Param p[3]
    p[1].f, p[2].f = real_number("log_normal_", "mean", mean), real_number("log_normal_", "std", std)
    if not p[2].f > 0:
        raise RuntimeError(f"[log_normal_] expects std > 0.0, but found std={p[2].f:g}")
    must_be_float("log_normal_", x)
    return fill("log_normal_", LOG_NORMAL, x, p, generator)


def geometric_(input, p, *, generator=None):
    """Overwrite with trials up to the first success: y = ceil(log(u) / log(1 - p)).

    Raises:
        RuntimeError: unless 0 < p < 1.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.empty(100_000).geometric_(0.25).mean().round()
    tensor(4.)
    """
    cdef TensorBase x = as_tensor(input, "geometric_")
    cdef Param params[2]
    params[1].f = real_number("geometric_", "p", p)
    must_be_plain("geometric_", x)
    if x.view.dtype == BOOL:
        raise NotImplementedError("[geometric_] not implemented for 'Bool'")
    if not 0 < params[1].f < 1:
        raise RuntimeError(f"[geometric_] expects p to be in (0, 1), but got p={params[1].f:g}")
    return fill("geometric_", GEOMETRIC, x, params, generator)


def poisson(input, generator=None):
    """Return counts from the Poisson distribution with the rates of ``input``.

    Args:
        input: float tensor of rates >= 0, any shape.
        generator: the stream; None for the default one.

    Returns:
        tensor of input's shape and dtype.

    Raises:
        RuntimeError: where a rate is negative or NaN.

    Source: Hoermann 1993, "The transformed rejection method for generating Poisson random variables".

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.poisson(taeda.tensor([0.0, 4.0, 100.0]))
    tensor([  0.,   7., 102.])
    """
    cdef TensorBase rate = as_tensor(input, "poisson"), t
    cdef View* v[2]
    cdef Param p[1]
    must_be_float("poisson", rate)
    t = empty_like(rate)
    v[0], v[1] = &t.view, &rate.view
    if draw(POISSON, rate.view.dtype, rate.device, 2, v, p, 64 * t.view.numel, generator):
        raise RuntimeError(f"[poisson] invalid Poisson rate, expected rate to be non-negative; shape {rate.shape_tuple()} "
                           "holds one below 0, or NaN")
    record(POISSON, t, (rate,), None)
    return t


def binomial(count, prob, generator=None):
    """Return how many of ``count`` trials succeed, each with probability ``prob``.

    Args:
        count: float32 or float64 tensor of whole numbers.
        prob: tensor of the same dtype, whose shape broadcasts with count's.
        generator: the stream; None for the default one.

    Returns:
        tensor of the dtype of count: 0 where count or prob is negative, count where prob is above 1, NaN where it is NaN.

    Raises:
        ValueError: for integer dtypes.  RuntimeError: where the dtypes differ.

    Source: Hoermann 1993, "The generation of binomial random variates".

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.binomial(taeda.tensor([10.0, 10.0, 1000.0]), taeda.tensor([0.0, 1.0, 0.5]))
    tensor([  0.,  10., 498.])
    """
    cdef TensorBase n = as_tensor(count, "binomial"), q = as_tensor(prob, "binomial"), t
    cdef View* v[3]
    cdef Param p[1]
    for what, dtype in (("count", n.view.dtype), ("prob", q.view.dtype)):
        if not is_float(dtype):
            raise ValueError(f"[binomial] only supports floating-point dtypes for {what}, got {name_of(dtype)}")
    if n.view.dtype != q.view.dtype:
        raise RuntimeError(f"[binomial] count and prob must have one dtype, got {name_of(n.view.dtype)} and "
                           f"{name_of(q.view.dtype)}")
    if n.view.dtype != F32 and n.view.dtype != F64:
        raise NotImplementedError(f"[binomial] not implemented for '{torch_name(n.view.dtype)}'; it takes float32 and float64")
    check_same_device("binomial", (n, q))
    t = empty_shape(broadcast_shapes("binomial", n.shape_tuple(), q.shape_tuple()), n.view.dtype, n.device)
    v[0], v[1], v[2] = &t.view, &n.view, &q.view
    draw(BINOMIAL, n.view.dtype, n.device, 3, v, p, 64 * t.view.numel, generator)
    record(BINOMIAL, t, (n, q), None)
    return t


# -- gamma and Dirichlet -----------------------------------------------------------------------------


cdef TensorBase wide_float(object x, str name):
    """The argument, of float32 or float64."""
    cdef TensorBase t = as_tensor(x, name)
    if t.view.dtype != F32 and t.view.dtype != F64:
        raise NotImplementedError(f"[{name}] not implemented for '{torch_name(t.view.dtype)}'; it takes float32 and float64")
    return t


cdef TensorBase draw_gamma(Op op, TensorBase a, double least, object generator):
    cdef TensorBase t = empty_like(a)
    cdef View* v[2]
    cdef Param p[2]
    v[0], v[1] = &t.view, &a.view
    p[1].f = least
    draw(op, a.view.dtype, a.device, 2, v, p, 32 * t.view.numel, generator)
    return t


def _standard_gamma(input, generator=None):
    """Return values y of the density y^(a-1) e^-y / Gamma(a) with the shapes a of ``input``.

    Args:
        input: float32 or float64 tensor of shapes a > 0; the least number of the dtype comes where a is 0 or below.
        generator: the stream; None for the default one.

    Returns:
        tensor of input's shape and dtype, at least the smallest normal number.  It has a first derivative in a.

    Raises:
        NotImplementedError: for other dtypes.

    Source: Marsaglia and Tsang, 2000, "A simple method for generating gamma variables".

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda._standard_gamma(taeda.tensor([0.5, 2.0, 100.0])).shape
    taeda.Size([3])
    """
    cdef TensorBase a = wide_float(input, "_standard_gamma")
    cdef TensorBase t = draw_gamma(STANDARD_GAMMA, a, LEAST_F32 if a.view.dtype == F32 else LEAST_F64, generator)
    record(STANDARD_GAMMA, t, (a,), (a, t))
    return t


def _sample_dirichlet(input, generator=None):
    """Return shares y_k = g_k / sum_j g_j along the last dimension, g_k gamma variables of the shapes in ``input``.

    Args:
        input: float32 or float64 tensor (..., K) of concentrations > 0.
        generator: the stream; None for the default one.

    Returns:
        tensor of input's shape and dtype, within (0, 1); the gradient is taken through taeda.distributions.Dirichlet.

    Raises:
        NotImplementedError: for other dtypes.

    >>> import taeda
    >>> bool((taeda._sample_dirichlet(taeda.ones(2, 3)).sum(-1) - 1).abs().max() < 1e-6)
    True
    """
    cdef TensorBase a = wide_float(input, "_sample_dirichlet"), t
    cdef bint was = set_grad(False)
    try:
        g = draw_gamma(SAMPLE_DIRICHLET, to_dtype(a, F64), LEAST_F64, generator)
        t = to_dtype(<TensorBase>(g / g.sum(-1, keepdim=True)), a.view.dtype)
        if a.view.dtype == F32:
            t = <TensorBase>(<object>t).clamp(LEAST_F32, 0.999999940395355224609375)
        else:
            t = <TensorBase>(<object>t).clamp(LEAST_F64, 0.99999999999999988897769753748)
    finally:
        set_grad(was)
    record(SAMPLE_DIRICHLET, t, (a,), None)
    return t


cdef TensorBase slopes(Op op, TensorBase x, tuple others):
    """Run a kernel on operands of one dtype, broadcast together."""
    cdef TensorBase t, y
    cdef View* v[4]
    cdef tuple shape = x.shape_tuple()
    cdef int i
    for y in others:
        if y.view.dtype != x.view.dtype:
            raise RuntimeError(f"[{op.name}] Found dtype {name_of(y.view.dtype)} but expected {name_of(x.view.dtype)}: all tensors "
                               "must have one dtype")
        shape = broadcast_shapes(op.name, shape, y.shape_tuple())
    check_same_device(op.name, (x, *others))
    t = empty_shape(shape, x.view.dtype, x.device) if others else empty_like(x)
    v[0], v[1] = &t.view, &x.view
    for i in range(len(others)):
        v[2 + i] = &(<TensorBase>others[i]).view
    launch(op, x.view.dtype, x.device, 1, 2 + len(others), v, NULL, 64 * t.view.numel)
    record(op, t, (x, *others), None)
    return t


def _standard_gamma_grad(input, output):
    """Return dy/da of gamma values y = ``output`` with shapes a = ``input``, their quantile kept: -(dP/da)(a, y) / p(y; a).

    Args:
        input, output: float32 or float64 tensors of one dtype, whose shapes broadcast.

    Returns:
        tensor of the common shape; 0 where y <= 0, NaN where a <= 0.

    Raises:
        NotImplementedError: for other dtypes, and for a derivative of it.  RuntimeError: where dtypes or shapes do not fit.

    Source: Figurnov, Mohamed and Mnih, 2018, "Implicit reparameterization gradients".

    >>> import taeda
    >>> taeda._standard_gamma_grad(taeda.tensor([1.0]), taeda.tensor([1.0]))
    tensor([1.1736])
    """
    return slopes(STANDARD_GAMMA_GRAD, wide_float(input, "_standard_gamma_grad"), (wide_float(output, "_standard_gamma_grad"),))


def _dirichlet_grad(x, alpha, total):
    """Return dx/da / (1 - x) of Beta(a, total - a) values x, their quantile and total - a kept.

    The derivative of a Dirichlet variable with shares x in its concentrations is grad * (g - sum_k x_k g_k) with it.

    Args:
        x, alpha, total: float32 or float64 tensors of one dtype, whose shapes broadcast; 0 < alpha < total.

    Raises:
        NotImplementedError: for other dtypes, and for a derivative of it.  RuntimeError: where dtypes or shapes do not fit.

    >>> import taeda
    >>> taeda._dirichlet_grad(taeda.tensor([0.5]), taeda.tensor([1.0]), taeda.tensor([2.0]))
    tensor([0.6931])
    """
    return slopes(DIRICHLET_GRAD, wide_float(x, "_dirichlet_grad"), (wide_float(alpha, "_dirichlet_grad"),
                                                                     wide_float(total, "_dirichlet_grad")))


METHODS = {"exponential_": exponential_, "cauchy_": cauchy_, "log_normal_": log_normal_, "geometric_": geometric_}

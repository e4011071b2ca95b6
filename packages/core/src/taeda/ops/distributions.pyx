# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Random values from other distributions: exponential, Cauchy, log-normal, geometric, Poisson, binomial.

Streams, generators and derivatives are as in ops.random.
"""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, broadcast_shapes, check_same_device, define, empty_like, empty_shape, record)
from taeda.dtype cimport is_float, name_of
from taeda.kernels.cpu.abi cimport BOOL, F32, F64, Param, View
from taeda.ops.random cimport draw, fill, must_be_float, must_be_plain, number, zero_vjp_of
from taeda.tensor_base cimport TensorBase

__all__ = ["binomial", "cauchy_", "exponential_", "geometric_", "log_normal_", "poisson"]
PUBLIC = ("binomial", "poisson")


cdef object zero_vjp(Node n, object g):
    return zero_vjp_of(<TensorBase>g)

cdef object binomial_vjp(Node n, object g):
    raise RuntimeError("[binomial] the derivative is not implemented")

cdef Op EXPONENTIAL = define("exponential", zero_vjp)
cdef Op CAUCHY = define("cauchy", zero_vjp)
cdef Op LOG_NORMAL = define("log_normal", zero_vjp)
cdef Op GEOMETRIC = define("geometric", zero_vjp)
cdef Op POISSON = define("poisson", zero_vjp)
cdef Op BINOMIAL = define("binomial", binomial_vjp, 0, 0, None, "NotImplemented")


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
    cdef double rate = number("exponential_", "lambd", lambd)
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
    """
    cdef TensorBase x = as_tensor(input, "cauchy_")
    cdef Param p[3]
    p[1].f, p[2].f = number("cauchy_", "median", median), number("cauchy_", "sigma", sigma)
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
    """
    cdef TensorBase x = as_tensor(input, "log_normal_")
    cdef Param p[3]
    p[1].f, p[2].f = number("log_normal_", "mean", mean), number("log_normal_", "std", std)
    if not p[2].f > 0:
        raise RuntimeError(f"[log_normal_] expects std > 0.0, but found std={p[2].f:g}")
    must_be_float("log_normal_", x)
    return fill("log_normal_", LOG_NORMAL, x, p, generator)


def geometric_(input, p, *, generator=None):
    """Overwrite with trials up to the first success: y = ceil(log(u) / log(1 - p)).

    Raises:
        RuntimeError: unless 0 < p < 1.
    """
    cdef TensorBase x = as_tensor(input, "geometric_")
    cdef Param params[2]
    params[1].f = number("geometric_", "p", p)
    must_be_plain("geometric_", x)
    if x.view.dtype == BOOL:
        raise NotImplementedError("[geometric_] not implemented for dtype bool")
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
        raise NotImplementedError(f"[binomial] not implemented for dtype {name_of(n.view.dtype)}; it takes float32 and float64")
    check_same_device("binomial", (n, q))
    t = empty_shape(broadcast_shapes("binomial", n.shape_tuple(), q.shape_tuple()), n.view.dtype, n.device)
    v[0], v[1], v[2] = &t.view, &n.view, &q.view
    draw(BINOMIAL, n.view.dtype, n.device, 3, v, p, 64 * t.view.numel, generator)
    record(BINOMIAL, t, (n, q), None)
    return t


METHODS = {"exponential_": exponential_, "cauchy_": cauchy_, "log_normal_": log_normal_, "geometric_": geometric_}

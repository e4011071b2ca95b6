# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Random tensors: uniform and normal values and Bernoulli trials, on PyTorch's CPU streams, seed for seed.

Every function takes ``generator=``, a Generator; without one it reads the default generator, which
``taeda.manual_seed`` starts.  On device meta nothing is drawn.  A random fill forgets what a tensor held, so
its derivative is zero.

Other distributions are in ops.distributions.
"""

from libc.math cimport sqrt
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.autograd.grad_mode cimport set_grad
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, begin_inplace, broadcast_shapes, check_same_device, define, empty_as,
                             empty_like, empty_shape, end_inplace, launch, needs_grad, record, to_dtype)
from taeda.dtype cimport code_of, default_float, is_complex_, is_float, largest_of, name_of, real_code, torch_name
from taeda.generator cimport Generator, generator_of
from taeda.kernels.cpu.abi cimport F32, F64, U16, U32, U64, Param, View
from taeda.operands cimport real_number
from taeda.ops.creation cimport release_out, size_named, sizes_of
from taeda.tensor_base cimport CPU, META, TensorBase, is_wrapper

import warnings

from taeda import device as devices
from taeda.layout import need_strided
from taeda.ops import complex_numbers

__all__ = ["bernoulli", "bernoulli_", "normal", "normal_", "rand", "rand_like", "randn", "randn_like", "uniform_"]
PUBLIC = ("bernoulli", "normal", "rand", "rand_like", "randn", "randn_like")

cdef tuple WIDE_UNSIGNED = (U16, U32, U64)


cdef object zero_vjp_of(TensorBase g):
    cdef TensorBase z
    if is_wrapper(g):
        return <TensorBase>(<object>g).new_zeros(g.shape_tuple())
    z = empty_like(g)
    if z.view.data != NULL:
        memset(z.view.data, 0, z.view.numel * z.view.itemsize)
    return z

cdef object zero_vjp(Node n, object g):
    return zero_vjp_of(<TensorBase>g)

cdef object zeros_vjp(Node n, object g):                  # a probability or a mean beside the filled tensor
    return zero_vjp_of(<TensorBase>g), None


cdef object moments_vjp(Node n, object g):                # mean and std may be broadcast, and std of another dtype
    return tuple([g.new_zeros(shape, dtype=dtype) for shape, dtype in n.extra])


cdef Op UNIFORM = define("uniform", zero_vjp)
cdef Op BERNOULLI = define("bernoulli", zero_vjp, 0, 0, None, "BernoulliBackward2")
cdef Op BERNOULLI_P32 = define("bernoulli_p32", zeros_vjp, 0, 0, None, "BernoulliBackward1")
cdef Op BERNOULLI_P64 = define("bernoulli_p64", zeros_vjp, 0, 0, None, "BernoulliBackward1")
cdef Op BERNOULLI_OF = define("bernoulli_of", zero_vjp, 0, 0, None, "BernoulliBackward0")
cdef Op NORMAL = define("normal", zero_vjp)
cdef Op NORMAL_MEAN = define("normal", zero_vjp, 0, 0, None, "NormalBackward1")
cdef Op NORMAL_STD = define("normal", zero_vjp, 0, 0, None, "NormalBackward2")
cdef Op NORMAL_BOTH = define("normal", moments_vjp, 0, 0, None, "NormalBackward3")


# -- the road of a fill ------------------------------------------------------------------------------


cdef int64_t draw(Op op, int dtype, int device, int n, View** t, Param* p, int64_t work, object generator) except -1:
    """Run a kernel that reads a stream, the generator's lock held."""
    cdef Generator g
    if device == META:
        return 0
    g = generator_of(generator, op.name)
    p[0].p = &g.mt
    g.acquire()
    try:
        return launch(op, dtype, device, 1, n, t, p, work)
    finally:
        g.release()


cdef TensorBase fill(str name, Op op, TensorBase x, Param* p, object generator):
    """Overwrite x with drawn values; of a complex x, its parts, one after the other."""
    cdef View* t[1]
    cdef TensorBase parts = x
    begin_inplace(name, x)
    if is_complex_(x.view.dtype):
        parts = complex_numbers.view_as_real((<object>x).detach())
    t[0] = &parts.view
    draw(op, parts.view.dtype, x.device, 1, t, p, parts.view.numel, generator)
    end_inplace(op, x, (x,), None)
    return x


cdef int must_be_float(str name, TensorBase x) except -1:
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[{name}] not implemented for '{torch_name(x.view.dtype)}'; it takes floating-point "
                                  "dtypes")
    return 0


cdef int must_have_parts(str name, TensorBase x) except -1:
    return 0 if is_complex_(x.view.dtype) else must_be_float(name, x)


cdef int must_be_plain(str name, TensorBase x) except -1:
    """Refuse the dtypes that PyTorch has no trials and no counts for: complex ones, and unsigned ones beyond uint8."""
    if is_complex_(x.view.dtype) or x.view.dtype in WIDE_UNSIGNED:
        raise NotImplementedError(f"[{name}] not implemented for '{torch_name(x.view.dtype)}'")
    return 0


# -- arguments of the creating functions --------------------------------------------------------------


cdef int device_of(str name, object device) except -1:
    if device is None:
        return devices.default_code() if devices.DEFAULTS else CPU
    return devices.code_of(device, name)


cdef int check_layout(str name, object layout, object pin_memory) except -1:
    if layout is not None:
        need_strided(name, layout)
    if pin_memory:
        raise RuntimeError(f"[{name}] pin_memory=True needs an accelerator, and this build has none")
    return 0


cdef TensorBase target(str name, tuple size, object out, object dtype, int normal_dtype, object layout, object device,
                       object pin_memory):
    """The tensor that a creating function fills: a new one, or ``out`` resized."""
    cdef TensorBase t
    check_layout(name, layout, pin_memory)
    if out is None:
        return empty_shape(size, normal_dtype if dtype is None else code_of(dtype, name), device_of(name, device))
    if not isinstance(out, TensorBase):
        raise TypeError(f"[{name}] argument 'out' must be Tensor, not {type(out).__name__}")
    t = <TensorBase>out
    if dtype is not None and code_of(dtype, name) != t.view.dtype:
        raise RuntimeError(f"[{name}] dtype {name_of(code_of(dtype, name))} does not match dtype of out parameter "
                           f"({name_of(t.view.dtype)})")
    if device is not None and device_of(name, device) != t.device:
        raise RuntimeError(f"[{name}] device {device} does not match device of out parameter ({out.device})")
    release_out(name, t)
    if t.shape_tuple() != size:
        t.resize_(size)
    return t


cdef int tell_resized(TensorBase out, tuple shape) except -1:
    if out.view.numel and out.shape_tuple() != shape:
        warnings.warn(f"An output with one or more elements was resized since it had shape {list(out.shape_tuple())}, which does not "
                      f"match the required output shape {list(shape)}", UserWarning, stacklevel=1)
    return 0


cdef TensorBase finish(str name, TensorBase t, object requires_grad):
    if requires_grad is not None and not isinstance(requires_grad, bool):
        raise TypeError(f"[{name}] argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
    if requires_grad:
        if not (is_float(t.view.dtype) or is_complex_(t.view.dtype)):
            raise RuntimeError(f"[{name}] Only Tensors of floating point and complex dtype can require gradients, got "
                               f"{name_of(t.view.dtype)}")
        t.requires_grad_ = True
    return t


cdef TensorBase like(str name, object input, object dtype, object layout, object device, object memory_format):
    """An empty tensor of input's shape, laid out in memory as input is."""
    cdef TensorBase x = as_tensor(input, name), t
    check_layout(name, layout, False)
    t = empty_as(x, x.view.dtype if dtype is None else code_of(dtype, name),
                 x.device if device is None else device_of(name, device))
    if memory_format is not None and getattr(memory_format, "name", None) != "preserve_format":
        t = <TensorBase>(<object>t).contiguous(memory_format=memory_format)
    return t


# -- uniform -----------------------------------------------------------------------------------------


def uniform_(input, *args, generator=None, **kwargs):
    """Overwrite with values from the uniform distribution on [from, to): y = u (to - from) + from.

    Args:
        input: float or complex tensor of any shape.
        from: lower bound, 0 by default.
        to: upper bound, 1 by default.
        generator: the stream; None for the default one.

    Raises:
        RuntimeError: unless from <= to, both within the dtype's range.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.empty(2).uniform_(-1, 1)
    tensor([-0.0075,  0.5364])
    """
    cdef TensorBase x = as_tensor(input, "uniform_")
    cdef double low, high, limit
    low, high = two_numbers("uniform_", args, kwargs, ("from", "to"), 0.0, 1.0)
    must_have_parts("uniform_", x)
    limit = largest_of(x.view.dtype)
    if not -limit <= low <= limit:
        raise RuntimeError(f"[uniform_] from is out of bounds for {name_of(x.view.dtype)}, got {low}")
    if not -limit <= high <= limit:
        raise RuntimeError(f"[uniform_] to is out of bounds for {name_of(x.view.dtype)}, got {high}")
    if low > high:
        raise RuntimeError(f"[uniform_] expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > limit:
        raise RuntimeError(f"[uniform_] expects to - from <= {limit:g}, the largest {name_of(x.view.dtype)}, but found "
                           f"to={high:g} and from={low:g}")
    return fill_uniform("uniform_", x, low, high, generator)


cdef TensorBase fill_uniform(str name, TensorBase x, double low, double high, object generator):
    cdef Param p[4]
    must_have_parts(name, x)
    p[1].f, p[2].f, p[3].f = low, high - low if real_code(x.view.dtype) == F64 else <double>(<float>high - <float>low), high
    return fill(name, UNIFORM, x, p, generator)


cdef tuple two_numbers(str name, tuple args, dict kwargs, tuple names, double first, double second):
    """Two arguments of which each may come by position or by name."""
    cdef list found = [first, second]
    cdef int i
    if len(args) > 2:
        raise TypeError(f"[{name}] takes at most {names[0]} and {names[1]}, got {len(args)} arguments")
    for i in range(len(args)):
        found[i] = real_number(name, names[i], args[i])
    for key, value in kwargs.items():
        if key not in names or names.index(key) < len(args):
            raise TypeError(f"[{name}] got an unexpected or repeated argument '{key}'")
        found[names.index(key)] = real_number(name, key, value)
    return found[0], found[1]


def rand(*size_args, size=None, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
         pin_memory=False):
    """Return values from the uniform distribution on [0, 1).

    Args:
        size: ints, or one tuple of ints: the shape.
        generator: the stream; None for the default one.
        out: tensor to resize and fill.
        dtype: a floating-point or complex dtype; the default one unless given.
        device: "cpu", or "meta" to draw nothing.
        requires_grad: let autograd record what is done to the result.

    Raises:
        TypeError: where the size is no tuple of ints.  RuntimeError: for negative sizes.
        NotImplementedError: for integer dtypes.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.rand(2, 2)
    tensor([[0.4963, 0.7682],
            [0.0885, 0.1320]])
    """
    t = target("rand", sizes_of("rand", size_args, size_named(size)), out, dtype, default_float(), layout, device, pin_memory)
    return finish("rand", fill_uniform("rand", t, 0.0, 1.0, generator), requires_grad)


def rand_like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
              memory_format=None):
    """Return values from the uniform distribution on [0, 1) in the shape, dtype and layout of ``input``.

    >>> import taeda
    >>> taeda.rand_like(taeda.ones(2, 3)).shape
    taeda.Size([2, 3])
    """
    t = like("rand_like", input, dtype, layout, device, memory_format)
    return finish("rand_like", fill_uniform("rand_like", t, 0.0, 1.0, generator), requires_grad)


# -- normal ------------------------------------------------------------------------------------------


cdef TensorBase fill_normal(str name, TensorBase x, double mean, double std, object generator):
    cdef Param p[3]
    if not std >= 0:
        raise RuntimeError(f"[{name}] expects std >= 0.0, but found std {std:g}")
    must_have_parts(name, x)
    p[1].f, p[2].f = mean, std / sqrt(2.0) if is_complex_(x.view.dtype) else std
    return fill(name, NORMAL, x, p, generator)


def normal_(input, mean=0.0, std=1.0, *, generator=None):
    """Overwrite with values from the normal distribution (Box and Muller, 1958).

    Args:
        input: float or complex tensor of any shape.
        mean, std: of the distribution, numbers; of complex values std^2 is halved between the parts.
        generator: the stream; None for the default one.

    Raises:
        RuntimeError: where std is negative or NaN.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.empty(2).normal_(10, 0.1)
    tensor([10.1541,  9.9707])
    """
    return fill_normal("normal_", as_tensor(input, "normal_"), real_number("normal_", "mean", mean),
                       real_number("normal_", "std", std), generator)


def randn(*size_args, size=None, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
          pin_memory=False):
    """Return values from the standard normal distribution; arguments as those of ``rand``.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.randn(2, 2)
    tensor([[ 1.5410, -0.2934],
            [-2.1788,  0.5684]])
    """
    t = target("randn", sizes_of("randn", size_args, size_named(size)), out, dtype, default_float(), layout, device, pin_memory)
    return finish("randn", fill_normal("randn", t, 0.0, 1.0, generator), requires_grad)


def randn_like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
               memory_format=None):
    """Return values from the standard normal distribution in the shape, dtype and layout of ``input``.

    >>> import taeda
    >>> taeda.randn_like(taeda.ones(2, 3)).shape
    taeda.Size([2, 3])
    """
    t = like("randn_like", input, dtype, layout, device, memory_format)
    return finish("randn_like", fill_normal("randn_like", t, 0.0, 1.0, generator), requires_grad)


def normal(mean=0.0, std=1.0, size=None, *, generator=None, out=None, dtype=None, layout=None, device=None,
           requires_grad=False, pin_memory=False):
    """Return values y = mean + std z with z standard normal.

    Args:
        mean, std: tensors that broadcast to one shape, or a tensor and a number; or two numbers with ``size``.
        size: shape of the result where mean and std are numbers.
        generator, out: as for ``rand``.
        dtype, layout, device, requires_grad, pin_memory: as for ``rand``, where mean and std are numbers.

    Raises:
        RuntimeError: where an std is negative.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.normal(taeda.tensor([0.0, 100.0]), taeda.tensor([1.0, 0.0]))
    tensor([  1.5410, 100.0000])
    """
    cdef TensorBase t
    if size is not None:                            # tensors of one element stand for their number, as in PyTorch
        mean, std = [x.item() if isinstance(x, TensorBase) and (<TensorBase>x).view.ndim == 0 else x for x in (mean, std)]
    if isinstance(mean, TensorBase) or isinstance(std, TensorBase):
        given = {"size": size, "dtype": dtype, "layout": layout, "device": device, "requires_grad": requires_grad or None,
                 "pin_memory": pin_memory or None}
        for key, value in given.items():
            if value is not None:
                raise TypeError(f"[normal] argument '{key}' goes with mean and std as numbers; tensors say it themselves")
        return normal_of_tensors(mean, std, generator, out)
    if size is None:
        raise TypeError("[normal] mean and std are numbers: give size=, a tuple of ints")
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"[normal] argument 'size' must be a tuple of ints, not {type(size).__name__}")
    t = target("normal", sizes_of("normal", (size,)), out, dtype, default_float(), layout, device, pin_memory)
    fill_normal("normal", t, real_number("normal", "mean", mean), real_number("normal", "std", std), generator)
    return finish("normal", t, requires_grad)


cdef object normal_of_tensors(object mean, object std, object generator, object out):
    """y = mean + std z, where at least one of mean and std is a tensor; z has the dtype of the first of them."""
    cdef TensorBase first = <TensorBase>(mean if isinstance(mean, TensorBase) else std), t
    cdef tuple shape = first.shape_tuple()
    cdef bint was, leaf = isinstance(out, TensorBase) and (<TensorBase>out).requires_grad_
    if isinstance(mean, TensorBase) and isinstance(std, TensorBase):
        check_same_device("normal", (mean, std))
        shape = broadcast_shapes("normal", shape, (<TensorBase>std).shape_tuple())
    if isinstance(out, TensorBase) and needs_grad(<TensorBase>out):
        raise RuntimeError("[normal] functions with out=... arguments don't support automatic differentiation, but one of the "
                           "arguments requires grad.")
    was = set_grad(False)
    try:
        if not isinstance(std, TensorBase):
            real_number("normal", "std", std)
        elif is_complex_((<TensorBase>std).view.dtype):
            raise RuntimeError("[normal] expects standard deviation to be non-complex")
        elif (<TensorBase>std).device != META and not bool((std >= 0).all()):
            raise RuntimeError("[normal] expects all elements of std >= 0.0, but found a negative one or NaN")
        if isinstance(out, TensorBase):
            tell_resized(<TensorBase>out, shape)
        t = target("normal", shape, out, None, first.view.dtype, None, None if out is not None else (<object>first).device, None)
        if isinstance(std, TensorBase):
            fill_normal("normal", t, 0.0, 1.0, generator)
            t.mul_(std).add_(mean)
        else:
            fill_normal("normal", t, 0.0, std, generator)
            t.add_(mean)
    finally:
        set_grad(was)
    if leaf:                                     # no argument of this form says whether it is to require grad
        t.requires_grad_ = True
    if out is None:
        if not isinstance(std, TensorBase):
            record(NORMAL_MEAN, t, (mean,), None)
        elif not isinstance(mean, TensorBase):
            record(NORMAL_STD, t, (std,), None)
        else:
            record(NORMAL_BOTH, t, (mean, std), None, ((mean.shape, mean.dtype), (std.shape, std.dtype)))
    return t


# -- Bernoulli ---------------------------------------------------------------------------------------


def bernoulli_(input, p=0.5, *, generator=None):
    """Overwrite with 1 where u < p and 0 elsewhere, u uniform on [0, 1).

    Args:
        input: tensor of any dtype and shape.
        p: probability of a 1: a number, or a float tensor that broadcasts to input's shape.
        generator: the stream; None for the default one.

    Raises:
        RuntimeError: where a probability is outside [0, 1].

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.empty(5).bernoulli_(0.5)
    tensor([0., 0., 1., 0., 0.])
    """
    cdef TensorBase x = as_tensor(input, "bernoulli_")
    cdef Param params[2]
    cdef double probability
    must_be_plain("bernoulli_", x)
    if isinstance(p, TensorBase):
        return fill_bernoulli("bernoulli_", x, <TensorBase>p, generator)
    probability = real_number("bernoulli_", "p", p)
    if not 0 <= probability <= 1:
        raise RuntimeError(f"[bernoulli_] expects p to be in [0, 1], but got p={probability:g}")
    params[1].f = probability
    return fill("bernoulli_", BERNOULLI, x, params, generator)


cdef TensorBase fill_bernoulli(str name, TensorBase x, TensorBase q, object generator):
    cdef View* t[2]
    cdef Param p[1]
    cdef Op op = BERNOULLI_P64 if q.view.dtype == F64 else BERNOULLI_P32
    cdef TensorBase wide
    must_be_float(name, q)
    must_be_plain(name, x)
    check_same_device(name, (x, q))
    if broadcast_shapes(name, x.shape_tuple(), q.shape_tuple()) != x.shape_tuple():
        raise RuntimeError(f"[{name}] the probabilities' shape {q.shape_tuple()} does not broadcast to {x.shape_tuple()}")
    begin_inplace(name, x)
    wide = q if q.view.dtype == F64 or q.device == META else to_dtype(<TensorBase>(<object>q).detach(), F32)
    t[0], t[1] = &x.view, &wide.view
    if draw(op, x.view.dtype, x.device, 2, t, p, 2 * x.view.numel, generator):
        raise RuntimeError(f"[{name}] expects every p to be in [0, 1]; shape {q.shape_tuple()} holds one outside, or NaN")
    end_inplace(op, x, (x, q), None)
    return x


def bernoulli(input, p=None, *, generator=None, out=None):
    """Return 1 where u < input and 0 elsewhere, u uniform on [0, 1).

    Args:
        input: float tensor of probabilities; with ``p``, only its shape, dtype and layout count.
        p: one probability for all elements.
        generator: the stream; None for the default one.
        out: tensor to resize and fill.

    Raises:
        RuntimeError: where a probability is outside [0, 1].

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.bernoulli(taeda.tensor([0.0, 0.5, 1.0]))
    tensor([0., 0., 1.])
    """
    cdef TensorBase x = as_tensor(input, "bernoulli"), t
    cdef bint was
    if out is not None:
        t = target("bernoulli", x.shape_tuple(), out, None, x.view.dtype, None, None, False)
    else:
        t = empty_like(x)
    was = set_grad(False)
    try:
        if p is None:
            fill_bernoulli("bernoulli", t, x, generator)
        else:
            if isinstance(p, TensorBase) and (<TensorBase>p).view.numel != 1:
                raise TypeError(f"[bernoulli] argument 'p' must be a number, not a tensor of shape {tuple(p.shape)}; bernoulli_ takes one")
            bernoulli_(t, real_number("bernoulli", "p", p), generator=generator)
    finally:
        set_grad(was)
    if out is None:
        record(BERNOULLI_OF, t, (x,), None)
    return t


METHODS = {
    "uniform_": uniform_, "normal_": normal_, "bernoulli": bernoulli, "bernoulli_": bernoulli_,
}

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Random integers, permutations and indices, on PyTorch's CPU streams, seed for seed."""
from cpython.number cimport PyIndex_Check
from libc.math cimport INFINITY
from libc.stdint cimport int64_t, uint64_t

from taeda.autograd.grad_mode cimport set_grad
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, begin_inplace, contiguous, define, empty_like, empty_shape, end_inplace, launch)
from taeda.dtype cimport is_float, is_integral, name_of, torch_name
from taeda.kernels.cpu.abi cimport BF16, BOOL, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Param, View
from taeda.ops.creation cimport sizes_of
from taeda.ops.random cimport draw, fill, finish, like, must_be_float, must_be_plain, target, zero_vjp_of
from taeda.tensor_base cimport CPU, META, TensorBase

import warnings

from taeda.operands import as_index

__all__ = ["multinomial", "randint", "randint_like", "random_", "randperm"]
PUBLIC = ("multinomial", "randint", "randint_like", "randperm")


cdef object zero_vjp(Node n, object g):
    return zero_vjp_of(<TensorBase>g)

cdef Op RANDOM = define("random", zero_vjp, 0, 0, None, "RandomBackward2")
cdef Op FROM_TO = define("random_from_to", zero_vjp, 0, 0, None, "RandomBackward0")
cdef Op RANDPERM = define("randperm", NULL)
cdef Op SOBOL = define("sobol", NULL)
cdef Op MULTINOMIAL = define("multinomial", NULL)
cdef Op EXPONENTIAL = define("exponential", NULL, 0, 0, None, "MultinomialBackward0")


# -- integers ----------------------------------------------------------------------------------------


cdef object INT64_MIN = -(1 << 63)
cdef dict DIGITS = {BF16: 8, F16: 11, F32: 24, F64: 53}          # of floats: every integer up to 2^digits is one
cdef dict LARGEST = {U8: (1 << 8) - 1, I8: (1 << 7) - 1, I16: (1 << 15) - 1, I32: (1 << 31) - 1, I64: (1 << 63) - 1, BOOL: 1,
                     U16: (1 << 16) - 1, U32: (1 << 32) - 1, U64: (1 << 64) - 1,
                     BF16: 1 << 8, F16: 1 << 11, F32: 1 << 24, F64: 1 << 53}
cdef dict SMALLEST = {U8: 0, I8: -(1 << 7), I16: -(1 << 15), I32: -(1 << 31), I64: -(1 << 63), BOOL: 0, U16: 0, U32: 0, U64: 0}


cdef object as_int(str name, str what, object x):
    if isinstance(x, TensorBase) and (<TensorBase>x).view.numel == 1 and is_integral((<TensorBase>x).view.dtype):
        x = int(x)
    if isinstance(x, bool) or not PyIndex_Check(x):
        raise TypeError(f"[{name}] argument '{what}' must be an int, not {type(x).__name__}")
    x = as_index(name, x)
    if not INT64_MIN <= x < -INT64_MIN:
        raise ValueError(f"[{name}] '{what}' must be in [-2^63, 2^63), got {x}")
    return x


cdef int check_bound(str name, str what, object x, int dtype) except -1:
    if dtype in SMALLEST:
        if not SMALLEST[dtype] <= x <= LARGEST[dtype]:
            raise RuntimeError(f"[{name}] {what} is out of bounds for {name_of(dtype)}, got {x}")
    elif dtype == F16 and abs(x) > 65504:
        raise RuntimeError(f"[{name}] {what} is out of bounds for float16, got {x}")
    elif abs(x) > LARGEST[dtype]:
        warnings.warn(f"{what} is out of bounds [-(2^{DIGITS[dtype]}), 2^{DIGITS[dtype]}]. [{name}] beyond them "
                      f"{name_of(dtype)} does not hold every integer", UserWarning, stacklevel=1)
    return 0


cdef object rounded(object x, int dtype):
    """An integer as a float dtype holds it: to nearest, ties to even."""
    cdef object shift = abs(x).bit_length() - DIGITS[dtype]            # a Python number, as 1 << 63 is no C int
    cdef object down, rest
    if shift <= 0:
        return x
    down, rest = x >> shift, x & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    return (down + (rest > half or (rest == half and down & 1))) << shift


cdef object next_held(object x, int dtype, int direction):
    """Move a bound that a float dtype does not hold to the next one inside, as PyTorch does."""
    cdef object beside = rounded(x + direction, dtype)
    if (direction > 0 and beside < x) or (direction < 0 and x <= beside < 1 << 63):         # no int64 is past the last float below 2^63
        return beside + direction * (1 << max(abs(x + direction).bit_length() - DIGITS[dtype], 0))
    return x


cdef TensorBase fill_from_to(str name, TensorBase x, object low, object high, object generator):
    """Integers from [low, high); high None: up to the largest of the dtype."""
    cdef Param p[3]
    cdef int dtype = x.view.dtype
    cdef object span
    if dtype not in LARGEST:
        raise RuntimeError(f"[{name}] handles only integral, floating-point and bool dtypes, got {name_of(dtype)}")
    if high is None and low == INT64_MIN:
        return fill_64_bits(name, x, generator)
    if high is None:
        last = LARGEST[dtype]
        if is_float(dtype):
            low = next_held(low, dtype, 1)
            if low >= last:
                raise RuntimeError(f"[{name}] expects 'from' casted to dtype to be less than {last}, the largest integer "
                                   f"that {name_of(dtype)} counts to, but got from={low}")
        elif last > LARGEST[I64]:
            raise RuntimeError(f"[{name}] to - 1 is out of bounds for {name_of(dtype)}; give 'to'")
    else:
        if low >= high:
            raise RuntimeError(f"[{name}] expects 'from' to be less than 'to', but got from={low} >= to={high}")
        if is_float(dtype):
            low, high = next_held(low, dtype, 1), next_held(high, dtype, -1)
            if low >= high:
                raise RuntimeError(f"[{name}] expects 'from' casted to dtype to be less than 'to' casted to dtype, but "
                                   f"got from={low} >= to={high}")
        last = high - 1
        check_bound(name, "to - 1", last, dtype)
    check_bound(name, "from", low, dtype)
    span = (last - low + 1) % (1 << 64)
    p[1].i, p[2].i = <int64_t><uint64_t>span, low
    return fill(name, FROM_TO, x, p, generator)


cdef TensorBase fill_64_bits(str name, TensorBase x, object generator):
    cdef Param p[3]
    if x.view.dtype in (U8, I8, I16, I32):
        raise RuntimeError(f"[{name}] all 64 bits can only be asked of int64, float64, float32 and bfloat16, got "
                           f"{name_of(x.view.dtype)}")
    if x.view.dtype not in (I64, BF16, F32, F64):
        raise NotImplementedError(f"[{name}] all 64 bits: not implemented for '{torch_name(x.view.dtype)}'")
    p[1].i = p[2].i = 0
    return fill(name, FROM_TO, x, p, generator)


def random_(input, *args, generator=None, **kwargs):
    """Overwrite with integers: ``random_()``, ``random_(to)``, ``random_(from, to)``.

    Args:
        input: tensor of any dtype and shape.
        from: smallest value, 0 by default.
        to: one more than the largest; without it, every value from 0 that the dtype holds (floats: up to 2^24 or
            2^53); None after a ``from``: up to the dtype's largest.
        generator: the stream; None for the default one.

    Raises:
        RuntimeError: where from >= to, or a bound does not fit the dtype.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.empty(4, dtype=taeda.int64).random_(1, 7)
    tensor([3, 4, 6, 1])
    """
    cdef TensorBase x = as_tensor(input, "random_")
    cdef Param p[1]
    for key in kwargs:
        if key not in ("from", "to"):
            raise TypeError(f"[random_] got an unexpected argument '{key}'")
    if len(args) + len(kwargs) > 2:
        raise TypeError("[random_] takes at most from and to")
    if not args and not kwargs:
        must_be_plain("random_", x)
        return fill("random_", RANDOM, x, p, generator)
    if len(args) == 2 or "from" in kwargs or (args and kwargs):
        low = args[0] if args else kwargs["from"]
        high = args[1] if len(args) == 2 else kwargs["to"] if "to" in kwargs else None
        if args and "from" in kwargs:
            raise TypeError("[random_] got argument 'from' twice")
    else:
        low, high = 0, args[0] if args else kwargs["to"]
    if high is not None:
        high = as_int("random_", "to", high)
    return fill_from_to("random_", x, as_int("random_", "from", low), high, generator)


cdef tuple low_high_size(str name, tuple args, object low, object high, object size, bint sized):
    """Sort the arguments of ``f(high, size)`` and ``f(low, high, size)``, by position or by name."""
    cdef list rest = list(args)
    cdef int wanted = 2 + sized
    if sized and size is None and rest:
        size = rest.pop()
    if len(rest) + (low is not None) + (high is not None) > 2 or len(args) > wanted:
        raise TypeError(f"[{name}] takes ([low,] high{', size' if sized else ''}), got {len(args)} arguments by position")
    if len(rest) == 2:
        low, high = rest
    elif len(rest) == 1:
        if high is None:
            high = rest[0]
        else:
            low = rest[0]
    if high is None:
        raise TypeError(f"[{name}] missing argument 'high': it is called as {name}({'high, size) or ' if sized else 'input, high) or '}"
                        f"{name}({'' if sized else 'input, '}low, high{', size' if sized else ''})")
    if sized and not isinstance(size, (tuple, list)):
        raise TypeError(f"[{name}] argument 'size' must be a tuple of ints, "
                        + ("and is missing" if size is None else f"not {type(size).__name__}"))
    return as_int(name, "low", 0 if low is None else low), as_int(name, "high", high), size


def randint(*args, low=None, high=None, size=None, generator=None, out=None, dtype=None, layout=None, device=None,
            requires_grad=False, pin_memory=False):
    """Return integers from [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    Args:
        low: smallest value, 0 by default.
        high: one more than the largest.
        size: tuple of ints, the shape.
        dtype: int64 unless given; others as ``rand``.

    Raises:
        RuntimeError: where low >= high, or a bound does not fit the dtype.  TypeError: where size is no tuple.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.randint(10, (2, 2))
    tensor([[4, 9],
            [3, 0]])
    """
    low, high, size = low_high_size("randint", args, low, high, size, True)
    t = target("randint", sizes_of("randint", (size,)), out, dtype, I64, layout, device, pin_memory)
    return finish("randint", fill_from_to("randint", t, low, high, generator), requires_grad)


def randint_like(input, *args, low=None, high=None, generator=None, dtype=None, layout=None, device=None,
                 requires_grad=False, pin_memory=False, memory_format=None):
    """Return integers from [low, high) in the shape, dtype and layout of ``input``.

    >>> import taeda
    >>> taeda.randint_like(taeda.ones(2, 3), 5).shape
    taeda.Size([2, 3])
    """
    low, high, _ = low_high_size("randint_like", args, low, high, None, False)
    t = like("randint_like", input, dtype, layout, device, memory_format)
    return finish("randint_like", fill_from_to("randint_like", t, low, high, generator), requires_grad)


def randperm(n, *, generator=None, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):
    """Return a random permutation of 0 .. n - 1 (Fisher and Yates, 1938).

    Args:
        n: how many numbers.
        dtype: int64 unless given; others as ``rand``.

    Raises:
        RuntimeError: for negative n, or where n does not fit the dtype.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    cdef TensorBase t, whole
    cdef View* v[1]
    cdef Param p[1]
    n = as_int("randperm", "n", n)
    if n < 0:
        raise RuntimeError(f"[randperm] n must be non-negative, got {n}")
    t = target("randperm", (n,), out, dtype, I64, layout, device, pin_memory)
    must_be_plain("randperm", t)
    if t.view.dtype == BOOL or t.view.dtype not in LARGEST:
        raise NotImplementedError(f"[randperm] not implemented for '{torch_name(t.view.dtype)}'")
    if n - 1 > LARGEST[t.view.dtype] and t.view.dtype != BF16:
        raise RuntimeError(f"[randperm] n={n} is too large for dtype {name_of(t.view.dtype)}")
    begin_inplace("randperm", t)
    whole = t if t.view.contiguous else empty_like(t)
    v[0] = &whole.view
    draw(RANDPERM, t.view.dtype, t.device, 1, v, p, n, generator)
    if whole is not t:
        t.copy_(whole)
    else:
        end_inplace(RANDPERM, t, (t,), None)
    return finish("randperm", t, requires_grad)


# -- Sobol sequences, for taeda.quasirandom ------------------------------------------------------------


def _sobol_points(TensorBase points, TensorBase state, TensorBase numbers, first, double scale):
    """Write the points of a Sobol sequence that follow point ``first``, whose bits are the state, times ``scale``."""
    cdef View* v[3]
    cdef Param p[2]
    v[0], v[1], v[2], p[0].i, p[1].f = &points.view, &state.view, &numbers.view, first, scale
    launch(SOBOL, points.view.dtype, points.device, 2, 3, v, p, points.view.numel)


# -- multinomial -------------------------------------------------------------------------------------


def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Return indices drawn with the probabilities (any positive multiple of them) of each row.

    Without replacement, and for one sample, by a race of exponentials: the largest input / q with q exponential.

    Args:
        input: float tensor (K,) or (B, K) of weights >= 0.
        num_samples: J, indices per row.
        replacement: whether an index may come again.
        generator: the stream; None for the default one.
        out: int64 tensor to resize and fill.

    Returns:
        int64 tensor (J,) or (B, J).

    Raises:
        RuntimeError: for a negative, infinite or NaN weight, a row of zeros, J < 1, or J > K without replacement.

    >>> import taeda
    >>> taeda.multinomial(taeda.tensor([0.0, 1.0, 0.0]), 4, replacement=True)
    tensor([1, 1, 1, 1])
    """
    cdef TensorBase w = as_tensor(input, "multinomial"), t
    cdef bint was
    cdef int64_t K
    cdef int one = w.view.ndim == 1
    if out is not None and not isinstance(out, TensorBase):
        raise TypeError(f"[multinomial] argument 'out' must be Tensor, not {type(out).__name__}")
    if out is not None and (<TensorBase>out).view.dtype != I64:
        raise RuntimeError(f"[multinomial] expects an int64 tensor as out, got {out.dtype}")
    num_samples = as_int("multinomial", "num_samples", num_samples)
    if not 1 <= w.view.ndim <= 2:
        raise RuntimeError(f"[multinomial] prob_dist must be 1 or 2 dim, got shape {w.shape_tuple()}")
    if not is_float(w.view.dtype):
        raise RuntimeError("[multinomial] only supports floating-point dtypes for input, got "
                           f"{name_of(w.view.dtype)}; convert it with .float()")
    if num_samples <= 0:
        raise RuntimeError(f"[multinomial] cannot sample n_sample <= 0 samples, got {num_samples}")
    K = w.view.shape[w.view.ndim - 1]
    if not replacement and num_samples > K:
        raise RuntimeError(f"[multinomial] cannot sample n_sample > prob_dist.size(-1) samples without replacement, got "
                           f"{num_samples} > {K}")
    if K > 1 << 24:
        raise RuntimeError(f"[multinomial] number of categories cannot exceed 2^24, got {K}")
    must_be_float("multinomial", w)
    t = target("multinomial", (num_samples,) if one else (w.view.shape[0], num_samples), out, None, I64, None,
               input.device if w.device else None, False)
    was = set_grad(False)
    try:
        if w.device == META or t.view.numel == 0:
            return t
        if replacement and num_samples > 1:
            return with_replacement(w, t, one, num_samples, generator)
        return race(w, t, num_samples, generator)
    finally:
        set_grad(was)


cdef object with_replacement(TensorBase w, TensorBase t, bint one, object num_samples, object generator):
    cdef TensorBase rows = contiguous(w.unsqueeze(0) if one else w)
    cdef TensorBase found = empty_shape((rows.view.shape[0], num_samples), I64, CPU)
    cdef View* v[2]
    cdef Param p[1]
    cdef int64_t bad
    v[0], v[1] = &found.view, &rows.view
    bad = draw(MULTINOMIAL, w.view.dtype, CPU, 2, v, p, found.view.numel + 4 * rows.view.numel, generator)
    if bad:
        raise RuntimeError("[multinomial] invalid multinomial distribution " + (
            "(encountering probability entry < 0)", "(encountering probability entry = infinity or NaN)",
            "(sum of probabilities <= 0)")[bad - 1] + f", shape {w.shape_tuple()}")
    return t.copy_(found.squeeze(0) if one else found)


cdef object race(TensorBase w, TensorBase t, object num_samples, object generator):
    cdef Param p[2]
    cdef object q
    if not (float(w.max()) < INFINITY and float(w.min()) >= 0):
        raise RuntimeError("[multinomial] probability tensor contains either `inf`, `nan` or element < 0, shape "
                           f"{w.shape_tuple()}")
    if bool((w.sum(-1) == 0).any()):
        raise RuntimeError("[multinomial] invalid multinomial distribution (sum of probabilities <= 0), shape "
                           f"{w.shape_tuple()}")
    p[1].f = 1.0
    q = w / fill("multinomial", EXPONENTIAL, like("multinomial", w, None, None, None, None), p, generator)
    return t.copy_(q.argmax(-1, keepdim=True) if num_samples == 1 else q.topk(num_samples, -1)[1])


METHODS = {"random_": random_, "multinomial": multinomial}

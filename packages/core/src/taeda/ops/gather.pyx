# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""gather and scatter: an index for every element along one dimension (rows.pyx: one for every row).

Reading and adding are each other's adjoint, so each is the other's derivative.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_strided_view, as_tensor, begin_inplace, check_same_device, contiguous, define, empty,
                             end_inplace, held_scalar, launch, linear, record, scalar_tensor, to_dtype, wrap_dim, write_out)
from taeda.dtype cimport differentiable, dtype_of, is_complex_, is_float, name_of, torch_name
from taeda.kernels.cpu.abi cimport BOOL, I32, I64, MAX_DIM, Param, View
from taeda.operands cimport plain_number
from taeda.ops.advanced cimport add_rows, is_half, long_index, no_numbers, numbers, of_last, zeros_of
from taeda.tensor_base cimport CPU, TensorBase, is_wrapper

from taeda import _above
from taeda._once import warn_once
from taeda.autograd.dual import is_transposed
from taeda.autograd.node import written_copy
from taeda.dispatch import in_place, write_exact
from taeda.operands import refuse_overlap

__all__ = [
    "gather", "scatter", "scatter_", "scatter_add", "scatter_add_", "scatter_reduce", "scatter_reduce_",
    "take_along_dim",
]
PUBLIC = ("gather", "scatter", "scatter_add", "scatter_reduce", "take_along_dim")


# -- checks ----------------------------------------------------------------------------------------------
cdef TensorBase flat(TensorBase t):
    """t, or a plain view of one dimension for a 0-d t: what the kernels of a dimension take."""
    cdef int64_t one = 1
    return t if t.view.ndim else as_strided_view(t, 1, &one, &one, t.offset)


cdef object outside(TensorBase x, TensorBase ix, int dim, int64_t bad, str op):
    i = ix.reshape(-1)[bad - 1].item()
    return RuntimeError(f"[{op}] index {i} is out of bounds for dimension {dim} with size {flat(x).view.shape[dim]}")


cdef TensorBase lane_index(TensorBase x, object index, int dim, str op):
    """The checked index of gather and scatter, as int64."""
    cdef TensorBase ix = as_tensor(index, op)
    cdef int d
    check_same_device(op, (x, ix))
    if ix.view.numel == 0:                                       # of any dtype
        return to_dtype(ix, I64)
    if ix.view.dtype != I64 and ix.view.dtype != I32:
        raise RuntimeError(f"[{op}] {op}(): Expected dtype int32/int64 for index, got {name_of(ix.view.dtype)}; convert it with "
                           ".long()")
    if max(ix.view.ndim, 1) != max(x.view.ndim, 1):
        raise RuntimeError(f"[{op}] Index tensor must have the same number of dimensions as input tensor, got shapes "
                           f"{tuple(ix.shape_tuple())} and {tuple(x.shape_tuple())}")
    for d in range(x.view.ndim if ix.view.ndim else 0):
        if d != dim and ix.view.shape[d] > x.view.shape[d]:
            raise RuntimeError(f"[{op}] Size does not match at dimension {d} expected index {list(ix.shape_tuple())} to be no "
                               f"larger than self {list(x.shape_tuple())} apart from dimension {dim}")
    return long_index(ix)


cdef object fresh(object x, str op):
    """A contiguous copy."""
    cdef TensorBase t = as_tensor(x, op)
    return t.clone() if t.view.contiguous else contiguous(t)


# -- gather: y[.., m, ..] = x[.., index[.., m, ..], ..] --------------------------------------------------
cdef object gather_vjp(Node n, object g):
    dim, shape = n.extra
    if is_wrapper(<TensorBase>g):
        return g.new_zeros(shape).scatter_add(dim, n.load(0), g)
    return scatter_add_core(zeros_of(shape, (<TensorBase>g).view.dtype, (<TensorBase>g).device), dim, n.load(0), g)

cdef object gather_sparse_vjp(Node n, object g):
    dim, shape = n.extra
    return _above.sparse_of_elements(n.load(0), g, dim, shape)

cdef Op GATHER = define("gather", gather_vjp)
cdef Op GATHER_SPARSE = define("gather_sparse", gather_sparse_vjp, 0, 0, "gather", "GatherBackward0")


def gather(input, dim, index, *, sparse_grad=False, out=None):
    """Take from input along dim where index says: y[i, j] = input[index[i, j], j] for dim 0 of a matrix.

    index has input's number of dimensions and is nowhere larger apart from dim; y has index's shape.  With
    sparse_grad the gradient is a sparse tensor.

    Raises RuntimeError for an index out of range (it does not count from the end) or of another dtype or rank.

    >>> import taeda
    >>> taeda.gather(taeda.tensor([[1, 2], [3, 4]]), 1, taeda.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    cdef TensorBase x = as_tensor(input, "gather"), ix, y, y1, x1, ix1
    cdef View* t[3]
    cdef Param p[1]
    cdef int64_t bad
    cdef int d = wrap_dim("gather", dim, x.view.ndim)
    ix = lane_index(x, index, d, "gather")
    y = empty(ix.view.ndim, ix.view.shape, x.view.dtype, x.device)
    if y.view.numel:
        y1, x1, ix1 = flat(y), flat(x), flat(ix)
        t[0], t[1], t[2], p[0].i = &y1.view, &x1.view, &ix1.view, d
        bad = launch(GATHER, x.view.dtype, x.device, 1, 3, t, p, y.view.numel)
        if bad > 0:
            raise outside(x, ix, d, bad, "gather")
    record(GATHER_SPARSE if sparse_grad else GATHER, y, (x,), (ix,), (d, x.shape_tuple()))
    return y if out is None else write_exact(out, y, "gather", x, index)


# -- scatter: x[.., index[.., m, ..], ..] op= src[.., m, ..] -----------------------------------------------
cdef object scatter_vjp(Node n, object g):
    dim = n.extra
    ix = n.load(0)
    gx, gs = g.scatter(dim, ix, 0) if n.needs(0) else None, g.gather(dim, ix) if n.needs(1) else None
    if gs is not None and is_transposed(n):
        places = numbers(gs)
        gs = of_last(gs, (<object>no_numbers(g)).scatter(dim, ix, places).gather(dim, ix), places)
    return gx, gs

cdef object scatter_value_vjp(Node n, object g):
    return g.scatter(n.extra, n.load(0), 0)

cdef object scatter_add_vjp(Node n, object g):
    return g, g.gather(n.extra, n.load(0)) if n.needs(1) else None

cdef Op SCATTER = define("scatter", scatter_vjp)
cdef Op SCATTER_VALUE = define("scatter", scatter_value_vjp, 0, 0, None, "ScatterBackward1")
cdef Op SCATTER_ADD = linear(define("scatter_add", scatter_add_vjp))
cdef Op SCATTER_MUL = define("scatter_mul", NULL)
cdef Op SCATTER_MAX = define("scatter_max", NULL)
cdef Op SCATTER_MIN = define("scatter_min", NULL)


cdef bint alike(TensorBase y, int dim, TensorBase ix) noexcept:
    """Whether ix, a vector along dim that is expanded over the other dimensions, names the same rows in all lanes of y."""
    cdef int d
    for d in range(ix.view.ndim):
        if d != dim and (ix.view.shape[d] != y.view.shape[d] or ix.view.shape[d] != 1 and ix.view.strides[d] != 0):
            return False
    return y.view.ndim == ix.view.ndim and ix.view.ndim > 0


cdef int run_scatter(Op kernel, TensorBase x, int dim, TensorBase ix, TensorBase src, str op) except -1:
    """The kernel alone; src has index's shape, or one element."""
    cdef TensorBase x1 = flat(x), s = flat(src), ix1 = flat(ix.clone() if ix.storage is x.storage else ix), vector
    cdef int64_t still[MAX_DIM]
    cdef View* t[3]
    cdef Param p[1]
    cdef int64_t bad
    cdef int d
    if ix.view.numel == 0:
        return 0
    if kernel is SCATTER_ADD and is_half(x.view.dtype) and src.view.ndim > 1 and alike(x, dim, ix):
        vector = <TensorBase>ix[tuple([slice(None) if d == dim else 0 for d in range(x.view.ndim)])]
        bad = add_rows(x, dim, vector, src, op)
        if bad > 0:
            raise outside(x, vector, dim, bad, op)
        if bad == 0:
            return 0
    if src.view.ndim == 0:
        for d in range(ix1.view.ndim):
            still[d] = 0
        s = as_strided_view(src, ix1.view.ndim, ix1.view.shape, still, src.offset)
    t[0], t[1], t[2], p[0].i = &x1.view, &s.view, &ix1.view, dim
    bad = launch(kernel, x.view.dtype, x.device, 1, 3, t, p, ix.view.numel)
    if bad > 0:
        raise outside(x, ix, dim, bad, op)
    return 0


cdef TensorBase source(TensorBase x, TensorBase ix, TensorBase s, int dim, str op):
    """The checked source, cut to index's shape."""
    cdef int d
    cdef bint same = True
    check_same_device(op, (x, s))
    if s.view.dtype != x.view.dtype:
        raise RuntimeError(f"[{op}] {op}(): Expected self.dtype to be equal to src.dtype, got {name_of(x.view.dtype)} and "
                           f"{name_of(s.view.dtype)}; convert src to the other's")
    if ix.view.numel == 0:
        return s if s.shape_tuple() == ix.shape_tuple() else s.reshape(-1)[:0].reshape(ix.shape_tuple())
    if max(s.view.ndim, 1) != max(ix.view.ndim, 1):
        raise RuntimeError(f"[{op}] Index tensor must have the same number of dimensions as src tensor, got shapes "
                           f"{tuple(ix.shape_tuple())} and {tuple(s.shape_tuple())}")
    if s.view.ndim != ix.view.ndim:
        return s.reshape(ix.shape_tuple())
    for d in range(ix.view.ndim):
        same = same and ix.view.shape[d] == s.view.shape[d]
        if ix.view.shape[d] > s.view.shape[d]:
            raise RuntimeError(f"[{op}] Expected index {list(ix.shape_tuple())} to be no larger than self "
                               f"{list(x.shape_tuple())} apart from dimension {dim} and to be no larger size than src "
                               f"{list(s.shape_tuple())}")
    if not same:
        s = s[tuple([slice(n) for n in ix.shape_tuple()])]
    return s.clone() if s.storage is x.storage else s


cdef TensorBase scatter_add_core(TensorBase x, int dim, TensorBase ix, TensorBase src):
    begin_inplace("scatter_add_", x)
    run_scatter(SCATTER_ADD, x, dim, ix, src, "scatter_add")
    end_inplace(SCATTER_ADD, x, (x, src), (ix,), dim)
    return x


def scatter_(input, dim, index, src=None, *, value=None, reduce=None):
    """Write src, or the number value, into input where index says, in place; see :func:`scatter`."""
    cdef TensorBase x = as_tensor(input, "scatter_"), ix, s
    cdef int d
    cdef bint number
    if (src is None) == (value is None):
        raise TypeError("[scatter] exactly one of src and value must be given")
    src = value if src is None else src
    number = value is not None or not isinstance(src, TensorBase)
    if number:                                         # before anything is checked of x
        src = held_scalar(plain_number("scatter", "value", src), x.view.dtype, x.device)
    d = wrap_dim("scatter", dim, x.view.ndim)
    if reduce is not None and reduce != "add" and reduce != "multiply":
        raise RuntimeError(f"[scatter] reduce argument must be either add or multiply, got {reduce!r}")
    if reduce is not None and not number:
        warn_once("scatter", "The reduce argument of taeda.scatter with Tensor src is deprecated; use taeda.scatter_reduce, "
                             "which has more of them")
    ix = lane_index(x, index, d, "scatter")
    refuse_overlap("scatter_", x, src, ix)
    s = <TensorBase>src if number else source(x, ix, <TensorBase>src, d, "scatter")
    if reduce is not None and ix.view.numel == 0:
        return x
    if reduce == "add":
        return scatter_add_core(x, d, ix, s.expand(ix.shape_tuple()) if number else s)
    if reduce == "multiply":
        return scatter_reduce_(x, d, ix, s.expand(ix.shape_tuple()), "prod")
    begin_inplace("scatter_", x)
    run_scatter(SCATTER, x, d, ix, s, "scatter")
    if number:
        end_inplace(SCATTER_VALUE, x, (x,), (ix,), d)
    else:
        end_inplace(SCATTER, x, (x, s), (ix,), d)
    return x


def scatter(input, dim, index, src=None, *, value=None, reduce=None, out=None):
    """Return input with src written along dim where index says: y[index[i, j], j] = src[i, j] for dim 0.

    src is a tensor at least as large as index, or a number.  Where an element is named several times the last one
    stays, in index's order.  reduce may be 'add' or 'multiply'.

    Raises RuntimeError for an index out of range or of another dtype or rank, or a src of another dtype.

    >>> import taeda
    >>> taeda.scatter(taeda.zeros(3), 0, taeda.tensor([2, 0]), taeda.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    y = written_copy(scatter_, fresh(input, "scatter"), dim, index, src, value=value, reduce=reduce)
    return y if out is None else write_out(out, y, "scatter")


def scatter_add_(input, dim, index, src):
    """Add src to input where index says, in place; see :func:`scatter_add`."""
    cdef TensorBase x = as_tensor(input, "scatter_add_"), s = as_tensor(src, "scatter_add"), ix
    cdef int d = wrap_dim("scatter_add", dim, x.view.ndim)
    ix = lane_index(x, index, d, "scatter_add")
    refuse_overlap("scatter_add_", x, s, ix)
    return scatter_add_core(x, d, ix, source(x, ix, s, d, "scatter_add"))


def scatter_add(input, dim, index, src, *, out=None):
    """Return input with src added along dim where index says: y[index[i, j], j] += src[i, j] for dim 0.

    Sums run in index's order for every number of threads.

    Raises RuntimeError as scatter does.

    >>> import taeda
    >>> taeda.scatter_add(taeda.zeros(3), 0, taeda.tensor([0, 2, 2]), taeda.ones(3))
    tensor([1., 0., 2.])
    """
    y = written_copy(scatter_add_, fresh(input, "scatter_add"), dim, index, src)
    return y if out is None else write_out(out, y, "scatter_add")


# -- scatter_reduce ------------------------------------------------------------------------------------------
cdef object scatter_reduce_vjp(Node n, object g):
    dim, reduce, keep = n.extra
    x, src, y, ix = n.load(0), n.load(1), n.load(2), n.load(3)
    gx = gs = None
    if reduce == "sum" or reduce == "mean":
        if reduce == "mean":
            ones = src.new_ones(src.shape)
            count = (x.new_ones(x.shape) if keep else x.new_zeros(x.shape)).scatter_add(dim, ix, ones)
            g = g / count.masked_fill(count == 0, 1)
        gx = g if keep else g.scatter(dim, ix, 0)
        gs = g.gather(dim, ix)
    elif reduce == "prod":
        one = x.new_ones(x.shape)
        gx = g * scatter_reduce(one, dim, ix, src, "prod") if keep else g.scatter(dim, ix, 0)
        zero = src == 0
        rest = src.masked_fill(zero, 1)
        product = scatter_reduce(x if keep else x.scatter(dim, ix, 1), dim, ix, rest, "prod")
        zeros = x.new_zeros(x.shape).scatter_add(dim, ix, zero.to(x.dtype))
        others = zeros.gather(dim, ix) - zero.to(x.dtype)            # zeros among the other factors
        gs = (g * product).gather(dim, ix) / rest
        if any_needs_grad((g, x, src)):                              # the zeros are 0 in it, but it changes with them
            first = scatter_reduce(one, dim, ix, src.masked_fill(~zero, 1), "prod").gather(dim, ix)
            second = x.new_zeros(x.shape).scatter_add(dim, ix, src.masked_fill(~zero, 0)).gather(dim, ix) - src
            second = second.masked_fill((others != 1) | ~zero, 0) + (zero & (others == 0))
            gs = gs * (first.masked_fill(zero, 0) + second)
        else:
            gs = gs.masked_fill(others != 0, 0)
    else:
        at_src = (src == y.gather(dim, ix)).to(x.dtype)
        at_x = (x == y).to(x.dtype) if keep else (x == y).to(x.dtype).scatter(dim, ix, 0)
        share = g / at_x.scatter_add(dim, ix, at_src).clamp(min=1)
        untouched = x.new_ones(x.shape).scatter(dim, ix, 0)
        gx = share * at_x if keep else g * untouched
        gs = share.gather(dim, ix) * at_src
    return gx if n.needs(0) else None, gs if n.needs(1) else None

cdef Op SCATTER_REDUCE = define("scatter_reduce", scatter_reduce_vjp)


cdef object extreme(int dtype, bint highest):
    """The identity of max (or of min, for highest) in a dtype, as a Python number."""
    if is_complex_(dtype):
        raise NotImplementedError(f"[scatter_reduce] amax and amin are not implemented for '{torch_name(dtype)}': it has no order")
    if is_float(dtype):
        return float("inf") if highest else float("-inf")
    if dtype == BOOL:
        return highest
    signed, width = dtype_of(dtype).is_signed, 8 * dtype_of(dtype).itemsize          # Python's numbers: 1 << 63 is no C int
    if highest:
        return (1 << (width - signed)) - 1
    return -(1 << (width - 1)) if signed else 0


cdef int reduce_into(TensorBase y, int dim, TensorBase ix, TensorBase s, str reduce, bint keep) except -1:
    """Reduce the elements of s into those of y that the index names; with ``keep`` what y holds is one of them."""
    cdef Op kernel = SCATTER_ADD
    cdef TensorBase count
    if reduce == "prod":
        kernel = SCATTER_MUL
    elif reduce == "amax":
        kernel = SCATTER_MAX
    elif reduce == "amin":
        kernel = SCATTER_MIN
    if not keep:
        start = 0 if kernel is SCATTER_ADD else 1 if kernel is SCATTER_MUL else extreme(
            y.view.dtype, kernel is SCATTER_MIN)
        run_scatter(SCATTER, y, dim, ix, scalar_tensor(start, y.view.dtype, y.device), "scatter_reduce")
    run_scatter(kernel, y, dim, ix, s, "scatter_reduce")
    if reduce == "mean":
        if alike(y, dim, ix):
            ix = ix[tuple([slice(None) if d == dim else slice(0, 1) for d in range(ix.view.ndim)])]
            count = zeros_of(tuple([n if d == dim else 1 for d, n in enumerate(y.shape_tuple())]), y.view.dtype, y.device)
        else:
            count = zeros_of(y.shape_tuple(), y.view.dtype, y.device)
        run_scatter(SCATTER_ADD, count, dim, ix, scalar_tensor(1, y.view.dtype, y.device), "scatter_reduce")
        if keep:
            count.add_(1)
        else:
            count.masked_fill_(count == 0, 1)
        if differentiable(y.view.dtype):
            y.div_(count)
        else:
            y.div_(count, rounding_mode="floor")
    return 0


cdef tuple reduce_operands(TensorBase x, int dim, object index, object src, object reduce):
    """The checked index, source and name of the reduction of scatter_reduce."""
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError("[scatter_reduce] reduce argument must be either sum, prod, mean, amax or amin, got "
                           f"{reduce}")
    if reduce == "mean" and x.view.dtype == BOOL:
        raise NotImplementedError("[scatter_reduce] 'mean' is not implemented for 'Bool'; convert with .float()")
    ix = lane_index(x, index, dim, "scatter_reduce")
    return ix, source(x, ix, as_tensor(src, "scatter_reduce"), dim, "scatter_reduce"), reduce


def scatter_reduce(input, dim, index, src, reduce, *, include_self=True, out=None):
    """Return input with src reduced into it along dim where index says.

    reduce is 'sum', 'prod', 'mean', 'amax' or 'amin' ('max' and 'min' are the same) over the values of src that
    name an element, and over the element itself with include_self.  Equal extremes share their gradient.

    Raises RuntimeError as scatter does, and for another reduce.

    >>> import taeda
    >>> taeda.scatter_reduce(taeda.ones(2), 0, taeda.tensor([0, 0]), taeda.tensor([4.0, 7.0]), "mean")
    tensor([4., 1.])
    """
    cdef TensorBase x = as_tensor(input, "scatter_reduce"), y
    cdef int d = wrap_dim("scatter_reduce", dim, x.view.ndim)
    ix, s, reduce = reduce_operands(x, d, index, src, reduce)
    y = fresh(x.detach(), "scatter_reduce")
    reduce_into(y, d, ix, s, reduce, include_self)
    record(SCATTER_REDUCE, y, (x, s), (x, s, y, ix), (d, reduce, bool(include_self)))
    return y if out is None else write_out(out, y, "scatter_reduce")


def scatter_reduce_(input, dim, index, src, reduce, *, include_self=True):
    """Reduce src into input where index says, in place; see :func:`scatter_reduce`."""
    cdef TensorBase x = as_tensor(input, "scatter_reduce_"), s
    cdef int d = wrap_dim("scatter_reduce", dim, x.view.ndim)
    ix, s, reduce = reduce_operands(x, d, index, src, reduce)
    refuse_overlap("scatter_reduce_", x, src, ix)
    if any_needs_grad((x, s)):                                   # the derivative asks for what x was
        return in_place("scatter_reduce_", scatter_reduce, x, d, ix, s, reduce, include_self=include_self)
    begin_inplace("scatter_reduce_", x)
    reduce_into(x, d, ix, s, reduce, include_self)
    end_inplace(SCATTER_REDUCE, x, (x, s), None)
    return x


def take_along_dim(input, indices, dim=None, *, out=None):
    """Take from input along dim where indices says, both broadcast apart from dim; flat without dim.

    Raises RuntimeError for indices out of range, of another dtype than int64, or of another rank.

    >>> import taeda
    >>> x = taeda.tensor([[3, 1], [2, 4]])
    >>> taeda.take_along_dim(x, x.argmax(1, keepdim=True), 1)
    tensor([[3],
            [4]])
    """
    cdef TensorBase x = as_tensor(input, "take_along_dim"), ix = as_tensor(indices, "take_along_dim")
    cdef int d, e
    if ix.view.dtype != I64 and not (ix.view.dtype == I32 and dim is None):
        raise RuntimeError("[take_along_dim] dtype of indices should be Long but got "
                           f"{torch_name(ix.view.dtype)}")
    ix = to_dtype(ix, I64)
    if dim is None:
        return gather(x.reshape(-1), 0, wrapped(ix.reshape(-1), x.view.numel), out=out)
    if x.view.ndim != ix.view.ndim:
        raise RuntimeError("[take_along_dim] input and indices should have the same number of dimensions, but got "
                           f"{x.view.ndim} dimensions for input, and {ix.view.ndim} dimensions for indices")
    if x.view.ndim == 0:
        raise IndexError(f"[take_along_dim] Dimension specified as {dim} but tensor has no dimensions; leave dim out")
    d = wrap_dim("take_along_dim", dim, x.view.ndim)
    xs, ixs = list(x.shape_tuple()), list(ix.shape_tuple())
    for e in range(x.view.ndim):
        if e != d:
            if xs[e] != ixs[e] and xs[e] != 1 and ixs[e] != 1:
                raise RuntimeError(f"[take_along_dim] The size of tensor a ({xs[e]}) must match the size of tensor b "
                                   f"({ixs[e]}) at non-singleton dimension {e}; got shapes {tuple(xs)} and {tuple(ixs)}")
            xs[e] = ixs[e] = ixs[e] if xs[e] == 1 else xs[e]
    return gather(x.expand(xs), d, wrapped(ix, xs[d] if xs else 1).expand(ixs), out=out)


cdef object wrapped(object ix, int64_t size):
    """Indices that count from the end, made to count from the start; a look whether there are any saves three passes."""
    cdef TensorBase t = ix
    if t.device == CPU and t.view.data != NULL and not (ix < 0).any():
        return ix
    return ix + (ix < 0) * size


METHODS = {name: globals()[name] for name in __all__}

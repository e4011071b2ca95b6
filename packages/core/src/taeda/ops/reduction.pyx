# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Reductions: many elements of a tensor become one.

The reduced dimensions are a bit mask.  A kernel sees the result with size 1 where a dimension was reduced;
the tensor that the user gets may lack those.  On the way back the same mask puts them in again, and the
cotangent is spread by an expanded view: ``sum`` copies nothing in its backward pass.
"""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t, uint64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_strided_view, as_tensor, binary, define, empty, integer, launch, linear, needs_grad, record, to_dtype,
                             wrap_dim, write_out)
from taeda.dtype cimport code_of, default_float, is_complex_, is_float, is_integral, itemsize_of, real_code, torch_name
from taeda.kernels.cpu.abi cimport BOOL, F32, F64, I64, MAX_DIM, Param, View
from taeda.ops.binary cimport MUL
from taeda.registry cimport copy_view
from taeda.tensor_base cimport CPU, STAND_IN, TensorBase

from taeda.ops.join import cat

__all__ = ["logsumexp", "mean", "nanmean", "nansum", "prod", "sum", "sum_to_size"]
PUBLIC = ("logsumexp", "mean", "nanmean", "nansum", "prod", "sum")


# -- which dimensions -------------------------------------------------------------------------------------


cdef object pick(str op, object value, object synonym, str name, str other):
    if synonym is None:
        return value
    if value is not None and value is not False:
        raise TypeError(f"[{op}] got {name}={value!r} and {other}={synonym!r}; they mean the same, give one")
    return synonym


cdef object one_dim(str op, object dim):
    if PyIndex_Check(dim) and not isinstance(dim, bool):
        return dim
    raise TypeError(f"[{op}] argument 'dim' must be int, a tuple of ints or None, not {dim!r} ({type(dim).__name__})")


cdef uint64_t read_dims(str op, object dim, int ndim) except? 0x8000000000000000:
    cdef uint64_t dims = 0, bit
    cdef uint64_t everything = 0xffffffffffffffffu if ndim == 64 else ((<uint64_t>1) << ndim) - 1
    if dim is None:
        return everything
    if isinstance(dim, (tuple, list)):
        for i, each in enumerate(dim):
            if i and isinstance(each, bool):             # PyTorch looks at the first alone, and takes the others as 0 and 1
                each = int(each)
            bit = (<uint64_t>1) << wrap_dim(op, one_dim(op, each), ndim)
            if dims & bit:
                raise RuntimeError(f"[{op}] dim {each} appears multiple times in the list of dims {tuple(dim)}")
            dims |= bit
        return dims & everything if dim else everything
    return (<uint64_t>1) << wrap_dim(op, one_dim(op, dim), ndim) & everything


cdef object extent(TensorBase x, uint64_t dims):
    cdef int64_t n = 1
    cdef int d
    for d in range(x.view.ndim):
        if dims >> d & 1:
            n *= x.view.shape[d]
    return n


cdef int check_not_empty(str op, TensorBase x, object dim, uint64_t dims) except -1:
    """Raise if a reduction without a neutral element has nothing to reduce."""
    cdef int d
    if x.view.numel:
        return 0
    if dim is None or isinstance(dim, (tuple, list)) and not dim:
        raise RuntimeError(f"[{op}] Expected reduction dim to be specified for input.numel() == 0, got shape "
                           f"{tuple(x.shape_tuple())}. Specify the reduction dim with the 'dim' argument.")
    for d in range(x.view.ndim):
        if dims >> d & 1 and x.view.shape[d] == 0:
            raise IndexError(f"[{op}] Expected reduction dim {d} to have non-zero size, got shape "
                             f"{tuple(x.shape_tuple())}")
    return 0


# -- there ------------------------------------------------------------------------------------------------


cdef TensorBase reduced_empty(TensorBase x, uint64_t dims, bint keepdim, int dtype):
    cdef int64_t shape[MAX_DIM]
    cdef int d, n = 0
    for d in range(x.view.ndim):
        if not dims >> d & 1:
            shape[n] = x.view.shape[d]
            n += 1
        elif keepdim:
            shape[n] = 1
            n += 1
    return empty(n, shape, dtype, x.device)


cdef View before_squeeze(TensorBase x, uint64_t dims, TensorBase y, int64_t* room) noexcept:
    """y with size 1 where x is reduced; room is for 2 ndim numbers."""
    cdef View seen = y.view
    cdef int64_t stride = 1
    cdef int d, n = x.view.ndim
    for d in range(n - 1, -1, -1):
        room[d] = 1 if dims >> d & 1 else x.view.shape[d]
        room[n + d] = stride
        stride *= room[d]
    seen.shape, seen.strides, seen.ndim = room, room + n, n
    return seen


cdef int launch_reduction(Op op, TensorBase x, uint64_t dims, TensorBase y, TensorBase z, const Param* p) except -1:
    """Run op's kernel from x into y (and z)."""
    cdef View* t[3]
    cdef View seen[2]
    cdef int64_t room[2 * MAX_DIM]
    cdef int outputs = 1 if z is None else 2
    seen[0] = before_squeeze(x, dims, y, room)
    t[0] = &seen[0]
    if z is not None:
        seen[1] = seen[0]
        seen[1].data = z.view.data
        seen[1].dtype = z.view.dtype
        seen[1].itemsize = z.view.itemsize
        t[1] = &seen[1]
    t[outputs] = &x.view
    launch(op, x.view.dtype, x.device, outputs, outputs + 1, t, p, x.view.numel)
    return 0


cdef bint one_each(TensorBase x, uint64_t dims) noexcept:
    """Does each result come of one element?  Then a pointwise kernel may stand in for the reduction: the views have one shape."""
    cdef int d
    for d in range(x.view.ndim):
        if dims >> d & 1 and x.view.shape[d] != 1:
            return False
    return x.view.ndim > 0


cdef Op LONE = linear(define("plus_zero", NULL))                   # the sum of one element: of -0 it is 0
cdef frozenset SUMS = frozenset(("sum", "mean"))
cdef frozenset ITSELF = frozenset(("sum", "prod", "amax", "amin"))
cdef frozenset TRUTHS = frozenset(("any", "all"))


cdef bint copied(str name, int dtype, int to) noexcept:
    """Is the reduction of one element that element?"""
    return dtype == to and name in ITSELF or to == BOOL and name in TRUTHS or to == I64 and name == "sum"


cdef enum:
    REPEATED = 4096                    # elements from which on a look for repeated ones is worth its time

cdef TensorBase sum_repeated(TensorBase x, uint64_t dims, bint keepdim, int dtype):
    """The sum over dimensions in which x repeats itself, as gradients of sums do: each of its elements once, times how often it is
    there.  None if there are no such dimensions, or if that would round twice."""
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t times = 1
    cdef int d
    cdef bint others = False
    cdef TensorBase once, y
    if x.device != CPU or dtype != x.view.dtype or is_complex_(dtype) or x.view.numel < REPEATED:
        return None
    for d in range(x.view.ndim):
        sizes[d] = x.view.shape[d]
        if dims >> d & 1 and x.view.shape[d] > 1:
            if x.view.strides[d]:
                others = True
            else:
                times *= sizes[d]
                sizes[d] = 1
    if times == 1 or others and dtype != F32 and dtype != F64:
        return None
    once = as_strided_view(x, x.view.ndim, sizes, x.view.strides, x.offset)
    y = reduce_one(SUM, once, dims, keepdim, dtype, NULL)
    return binary(MUL, y, times)


cdef TensorBase reduce_one(Op op, TensorBase x, uint64_t dims, bint keepdim, int dtype, const Param* p):
    cdef TensorBase y
    cdef View seen
    cdef int64_t room[2 * MAX_DIM]
    if op.name == "sum" and not x.view.contiguous:
        y = sum_repeated(x, dims, keepdim, dtype)
        if y is not None:
            return y
    y = reduced_empty(x, dims, keepdim, dtype)
    if not one_each(x, dims) or x.device != CPU:
        launch_reduction(op, x, dims, y, None, p)
    elif not is_integral(x.view.dtype) and op.name in SUMS:
        launch_reduction(LONE, x, dims, y, None, p)
    elif copied(op.name, x.view.dtype, dtype):
        seen = before_squeeze(x, dims, y, room)
        copy_view(&seen, &x.view)
    else:
        launch_reduction(op, x, dims, y, None, p)
    return y


cdef tuple write_pair(object out, TensorBase y, TensorBase at, str op):
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(f"[{op}] argument 'out' must be a tuple of two tensors, got {type(out).__name__}")
    for part, wanted in ((out[0], y), (out[1], at)):
        if isinstance(part, TensorBase) and (<TensorBase>part).view.dtype != (<TensorBase>wanted).view.dtype:
            raise RuntimeError(f"[{op}] Expected out tensor to have dtype {wanted.dtype}, but got {part.dtype} instead")
    return write_out(out[0], y, op), write_out(out[1], at, op)


cdef object dtype_with(object dtype, object out):
    """The dtype to accumulate in: the given one, else that of ``out``."""
    return out.dtype if dtype is None and isinstance(out, TensorBase) else dtype


def refuse_two_dtypes(str op, object dtype, object out):
    """A dtype that is given beside ``out`` must be its own."""
    if dtype is not None and isinstance(out, TensorBase) and code_of(dtype, op) != (<TensorBase>out).view.dtype:
        raise RuntimeError(f"[{op}] Expected out tensor to have dtype {dtype}, but got {out.dtype} instead; leave out dtype= or out=")


cdef TensorBase as_wide_as(TensorBase x, object out):
    """x in the real dtype of ``out`` where that is the wider one, so that what is written there has been rounded once."""
    if not isinstance(out, TensorBase) or is_complex_(x.view.dtype) or is_integral((<TensorBase>out).view.dtype):
        return x
    cdef int code = real_code((<TensorBase>out).view.dtype)
    return to_dtype(x, code) if itemsize_of(code) >= itemsize_of(x.view.dtype) else x


# -- and back ---------------------------------------------------------------------------------------------


cdef tuple way_back(TensorBase x, uint64_t dims, bint keepdim):
    """What a derivative needs to know of the shape; None where there will be none."""
    return (x.shape_tuple(), dims, keepdim) if needs_grad(x) else None


cdef tuple kept_shape(tuple shape, uint64_t dims):
    return tuple([1 if dims >> d & 1 else size for d, size in enumerate(shape)])


cdef TensorBase restore(TensorBase g, tuple back):
    if back[2] or g.view.ndim == len(back[0]):
        return g
    return g.reshape(kept_shape(back[0], back[1]))


cdef TensorBase expand_back(TensorBase g, tuple back):
    cdef tuple shape = back[0]
    cdef uint64_t dims = back[1]
    cdef bint keepdim = back[2]
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int d, k = 0, n = len(shape)
    if needs_grad(g) or g.device == STAND_IN:
        return (g if g.view.ndim == 0 else restore(g, back)).expand(shape)
    for d in range(n):
        sizes[d] = shape[d]
        if dims >> d & 1:
            strides[d] = 0
            k += keepdim
        else:
            strides[d] = g.view.strides[k]
            k += 1
    return as_strided_view(g, n, sizes, strides, g.offset)


cdef object select_back(TensorBase g, TensorBase indices, tuple back, int dim):
    if len(back[0]) == 0:
        return g.reshape(())
    return g.new_zeros(back[0]).scatter(dim, restore(indices, back), restore(g, back))


cdef object share_back(object g, object x, object y, tuple back, bint nan):
    """g [x = y] / (number of x equal to y); with ``nan``, NaN counts as equal to NaN"""
    cdef object mask
    y = restore(y, back)
    mask = x == y
    if nan:
        mask = mask | ((x != x) & (y != y))
    return restore(g, back) / sum(mask, listed(back), True) * mask


cdef tuple listed(tuple back):
    """The reduced dimensions as PyTorch's ``dim``."""
    cdef uint64_t dims = back[1]
    cdef int d
    return tuple([d for d in range(len(back[0])) if dims >> d & 1])


# -- sum: y = sum_i x_i -----------------------------------------------------------------------------------


cdef object sum_vjp(Node n, object g):
    return expand_back(<TensorBase>g, n.extra)

cdef Op SUM_ALL = linear(define("sum", sum_vjp, 0, 0, None, "SumBackward0"))
cdef Op SUM = linear(define("sum", sum_vjp, 0, 0, None, "SumBackward1"))


cdef enum:
    SHORT_SUM = 8192         # elements up to which a sum over all is launched without a look at dimensions


cdef TensorBase sum_all(TensorBase x):
    """The shortest road, for ``loss.sum()`` of a small tensor."""
    cdef TensorBase y
    cdef View* t[2]
    if not x.view.contiguous or x.view.numel > SHORT_SUM:
        y = reduce_one(SUM_ALL, x, read_dims("sum", None, x.view.ndim), False, x.view.dtype, NULL)
    else:
        y = empty(0, NULL, x.view.dtype, x.device)
        t[0], t[1] = &y.view, &x.view
        launch(SUM_ALL, x.view.dtype, x.device, 1, 2, t, NULL, x.view.numel)
    if needs_grad(x):
        record(SUM_ALL, y, (x,), None, (x.shape_tuple(), <uint64_t>-1, False))
    return y


def sum(input, dim=None, keepdim=False, *, dtype=None, out=None, axis=None, keepdims=None):
    """Return the sum of the elements, over all dimensions or those in ``dim``.

    y = sum_i x_i.  Integers and bool are summed in int64.  float32 is added up in blocks whose totals are
    float64, so the error does not grow with the length.

    Args:
        input: tensor of any shape.
        dim: int or tuple of ints; None or empty: all.
        keepdim: keep the reduced dimensions with size 1.
        dtype: cast to it before summing.

    >>> import taeda
    >>> taeda.sum(taeda.tensor([[1., 2.], [3., 4.]]), 0)
    tensor([4., 6.])
    """
    cdef TensorBase x = as_tensor(input, "sum"), y
    cdef uint64_t dims
    cdef Op op
    if dim is None and keepdim is False and dtype is None and out is None and axis is None and is_float(x.view.dtype) \
            and keepdims is None:
        return sum_all(x)
    dim, keepdim = pick("sum", dim, axis, "dim", "axis"), pick("sum", keepdim, keepdims, "keepdim", "keepdims")
    refuse_two_dtypes("sum", dtype, out)
    dtype = dtype_with(dtype, out)
    if dtype is not None:
        x = to_dtype(x, code_of(dtype, "sum"))
    op = SUM_ALL if dim is None else SUM
    dims = read_dims("sum", dim, x.view.ndim)
    y = reduce_one(op, x, dims, keepdim, I64 if is_integral(x.view.dtype) else x.view.dtype, NULL)
    record(op, y, (x,), None, way_back(x, dims, keepdim))
    if dtype is not None:
        y = to_dtype(y, code_of(dtype, "sum"))
    return y if out is None else write_out(out, y, "sum")


def sum_to_size(input, *sizes, size=None):
    """Sum down to ``size``, which must broadcast to the input's shape: the adjoint of ``expand``.

    >>> import taeda
    >>> taeda.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    cdef TensorBase x = as_tensor(input, "sum_to_size")
    cdef tuple shape = x.shape_tuple()
    cdef tuple given = sizes if size is None else (size,)
    cdef tuple want = tuple(given[0]) if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
    cdef int lead = len(shape) - len(want), d
    cdef list dims = []
    for s in want:
        if type(s) is not int:
            want = tuple([integer(s, "sum_to_size") for s in want])
            break
    if lead >= 0:
        dims = list(range(lead)) + [d for d in range(lead, len(shape)) if want[d - lead] == 1 and shape[d] != 1]
    if lead < 0 or [1 if d in dims else shape[d] for d in range(lead, len(shape))] != list(want):
        raise RuntimeError(f"[sum_to_size] size {list(want)} is not expandable to size {list(shape)}.")
    if not want:                                     # integers are summed in int64, as PyTorch's are, also where there is one
        return sum(input)
    if not dims:
        return input
    y = sum(input, dims, True)
    return y.reshape(want) if lead else y


# -- mean: y = sum_i x_i / n ------------------------------------------------------------------------------


cdef object mean_vjp(Node n, object g):
    cdef tuple back = n.extra
    return expand_back(<TensorBase>(g / back[3]), back[:3])

cdef Op MEAN_ALL = linear(define("mean", mean_vjp, 0, 0, None, "MeanBackward0"))
cdef Op MEAN = linear(define("mean", mean_vjp, 0, 0, None, "MeanBackward1"))


def mean(input, dim=None, keepdim=False, *, dtype=None, out=None, axis=None, keepdims=None):
    """Return the mean of the elements, over all dimensions or those in ``dim``: y = (1/n) sum_i x_i.

    The mean of nothing is NaN.  Integers have no mean: pass ``dtype``.

    Raises:
        RuntimeError: ``input`` is neither floating point nor complex.

    >>> import taeda
    >>> taeda.mean(taeda.tensor([1., 2., 6.]))
    tensor(3.)
    """
    cdef TensorBase x = as_tensor(input, "mean"), y
    cdef uint64_t dims
    cdef Op op
    dim, keepdim = pick("mean", dim, axis, "dim", "axis"), pick("mean", keepdim, keepdims, "keepdim", "keepdims")
    refuse_two_dtypes("mean", dtype, out)
    if dtype is not None:
        x = to_dtype(x, code_of(dtype, "mean"))
    if is_integral(x.view.dtype):
        raise RuntimeError(f"[mean] could not infer output dtype. Input dtype must be either a floating point or complex "
                           f"dtype. Got: {torch_name(x.view.dtype)}; pass dtype=taeda.float32")
    if dtype is None:
        x = as_wide_as(x, out)
    op = MEAN_ALL if dim is None else MEAN
    dims = read_dims("mean", dim, x.view.ndim)
    y = reduce_one(op, x, dims, keepdim, x.view.dtype, NULL)
    if needs_grad(x):
        record(op, y, (x,), None, way_back(x, dims, keepdim) + (extent(x, dims),))
    return y if out is None else write_out(out, y, "mean")


# -- nansum, nanmean: NaN counts for nothing --------------------------------------------------------------


cdef object nansum_vjp(Node n, object g):
    cdef object x = n.load(0)
    return expand_back(<TensorBase>g, n.extra) * (x == x)

cdef Op NANSUM = define("nansum", nansum_vjp)


def nansum(input, dim=None, keepdim=False, *, dtype=None, out=None, axis=None, keepdims=None):
    """Return the sum of the elements that are not NaN: y = sum_i [x_i = x_i] x_i.

    >>> import taeda
    >>> taeda.nansum(taeda.tensor([1., float('nan'), 3.]))
    tensor(4.)
    """
    cdef TensorBase x = as_tensor(input, "nansum"), y
    cdef uint64_t dims
    dim, keepdim = pick("nansum", dim, axis, "dim", "axis"), pick("nansum", keepdim, keepdims, "keepdim", "keepdims")
    refuse_two_dtypes("nansum", dtype, out)
    dtype = dtype_with(dtype, out)
    if is_integral(x.view.dtype):
        return sum(x, dim, keepdim, dtype=dtype, out=out)
    if dtype is not None and code_of(dtype, "nansum") != x.view.dtype:
        if is_float(x.view.dtype) and is_integral(code_of(dtype, "nansum")):
            x = <TensorBase>(<object>x).masked_fill(input != input, 0)          # an integer cannot say nan
        x = to_dtype(x, code_of(dtype, "nansum"))
    if is_integral(x.view.dtype):
        return sum(x, dim, keepdim, dtype=dtype, out=out)
    dims = read_dims("nansum", dim, x.view.ndim)
    y = reduce_one(NANSUM, x, dims, keepdim, x.view.dtype, NULL)
    record(NANSUM, y, (x,), (x,), way_back(x, dims, keepdim))
    return y if out is None else write_out(out, y, "nansum")


def nanmean(input, dim=None, keepdim=False, *, dtype=None, out=None, axis=None, keepdims=None):
    """Return the mean of the elements that are not NaN.

    >>> import taeda
    >>> taeda.nanmean(taeda.tensor([1., float('nan'), 3.]))
    tensor(2.)
    """
    cdef TensorBase x = as_tensor(input, "nanmean"), y
    if is_integral(x.view.dtype):
        raise RuntimeError(f"[nanmean] expected input to have floating point or complex dtype but got "
                           f"{torch_name(x.view.dtype)}")
    dim, keepdim = pick("nanmean", dim, axis, "dim", "axis"), pick("nanmean", keepdim, keepdims, "keepdim", "keepdims")
    if dtype is not None and is_integral(code_of(dtype, "nanmean")):
        raise RuntimeError(f"[nanmean] could not infer output dtype. Optional dtype must be either a floating point or complex "
                           f"dtype. Got: {torch_name(code_of(dtype, 'nanmean'))}; pass dtype=taeda.float32")
    refuse_two_dtypes("nanmean", dtype, out)
    if dtype is None:
        x = as_wide_as(x, out)
    y = nansum(x, dim, keepdim, dtype=dtype) / sum(input == input, dim, keepdim)
    return y if out is None else write_out(out, y, "nanmean")


# -- prod: y = prod_i x_i ---------------------------------------------------------------------------------


cdef object prod_back(object g, object x, object y, int dim):
    """g y / x; where a factor is 0: the products of what lies before and behind each element."""
    if (<TensorBase>x).is_meta or not (x == 0).any():
        return g * y / x
    one = x.new_ones([1 if d == dim else size for d, size in enumerate(x.shape)])
    size = x.shape[dim]
    before = _joined(one, x.narrow(dim, 0, size - 1), dim).cumprod(dim)
    behind = _joined(one, x.flip(dim).narrow(dim, 0, size - 1), dim).cumprod(dim).flip(dim)
    return g * before * behind


cdef object _joined(object a, object b, int dim):
    return cat([a, b], dim)


cdef object prod_all_vjp(Node n, object g):
    cdef object x = n.load(0)
    if (<TensorBase>x).view.ndim == 0:
        return g
    return prod_back(g, x.reshape(-1), n.load(1), 0).reshape(x.shape)

cdef object prod_vjp(Node n, object g):
    cdef object x = n.load(0)
    if (<TensorBase>x).view.ndim == 0:
        return g
    return prod_back(restore(g, n.extra[0]), x, restore(n.load(1), n.extra[0]), n.extra[1])

cdef Op PROD_ALL = define("prod", prod_all_vjp, 0, 0, None, "ProdBackward0")
cdef Op PROD = define("prod", prod_vjp, 0, 0, None, "ProdBackward1")


def prod(input, dim=None, keepdim=False, *, dtype=None, out=None, axis=None, keepdims=None):
    """Return the product of the elements, of all or along one dimension: y = prod_i x_i.

    >>> import taeda
    >>> taeda.prod(taeda.tensor([2., 3., 4.]))
    tensor(24.)
    """
    cdef TensorBase x = as_tensor(input, "prod"), y
    cdef uint64_t dims
    dim, keepdim = pick("prod", dim, axis, "dim", "axis"), pick("prod", keepdim, keepdims, "keepdim", "keepdims")
    if (dim is not None or keepdim is not False) and not PyIndex_Check(dim):
        raise TypeError(f"[prod] argument 'dim' must be int, not {type(dim).__name__}; reduce one dimension at a time")
    refuse_two_dtypes("prod", dtype, out)
    dtype = dtype_with(dtype, out)
    if dtype is not None:
        x = to_dtype(x, code_of(dtype, "prod"))
    dims = read_dims("prod", dim, x.view.ndim)
    y = reduce_one(PROD, x, dims, keepdim, I64 if is_integral(x.view.dtype) else x.view.dtype, NULL)
    if dim is None:
        record(PROD_ALL, y, (x,), (x, y))
    else:
        record(PROD, y, (x,), (x, y), (way_back(x, dims, keepdim), wrap_dim("prod", dim, x.view.ndim)))
    if dtype is not None:
        y = to_dtype(y, code_of(dtype, "prod"))
    return y if out is None else write_out(out, y, "prod")


# -- logsumexp: y = log sum_i exp(x_i) --------------------------------------------------------------------


cdef object logsumexp_vjp(Node n, object g):
    cdef object x = n.load(0), y = restore(n.load(1), n.extra)
    return restore(g, n.extra) * (x - y.masked_fill(y == -float("inf"), 0)).exp()

cdef Op LOGSUMEXP = define("logsumexp", logsumexp_vjp)


def logsumexp(input, dim=None, keepdim=False, *, out=None, axis=None, keepdims=None):
    """Return log sum exp over ``dim``, safe from overflow: y = m + log sum_i exp(x_i - m), m = max_i x_i.

    >>> import taeda
    >>> taeda.logsumexp(taeda.tensor([0., 0.]), 0)
    tensor(0.6931)
    """
    cdef TensorBase x = as_tensor(input, "logsumexp"), y
    cdef uint64_t dims
    dim = pick("logsumexp", dim, axis, "dim", "axis")
    keepdim = pick("logsumexp", keepdim, keepdims, "keepdim", "keepdims")
    if dim is None:
        raise TypeError("[logsumexp] argument 'dim' must be int or a tuple of ints, not NoneType")
    dims = read_dims("logsumexp", dim, x.view.ndim)
    if is_complex_(x.view.dtype):
        top = (<object>x).real.detach()
        top = top.amax(dim, keepdim=True) if x.view.numel else top.sum(dim, keepdim=True)
        top = top.masked_fill(top.isinf(), 0)
        y = (<object>x - top).exp().sum(dim, keepdim=keepdim).log()
        y = y + top.reshape(y.shape_tuple())
        return y if out is None else write_out(out, y, "logsumexp")
    if is_integral(x.view.dtype):
        x = to_dtype(x, default_float())
    x = as_wide_as(x, out)
    y = reduce_one(LOGSUMEXP, x, dims, keepdim, x.view.dtype, NULL)
    record(LOGSUMEXP, y, (x,), (x, y), way_back(x, dims, keepdim))
    return y if out is None else write_out(out, y, "logsumexp")


METHODS = {"logsumexp": logsumexp, "mean": mean, "nanmean": nanmean, "nansum": nansum, "prod": prod, "sum": sum,
           "sum_to_size": sum_to_size}

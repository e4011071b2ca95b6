# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Which values there are, and where a value belongs: unique, searchsorted, bucketize, bincount, histc.

The shape of unique's and bincount's result depends on data, so these refuse meta tensors.
"""
from cpython.number cimport PyIndex_Check
from libc.math cimport isfinite
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, check_same_device, contiguous, define, empty, empty_shape, launch, record,
                             result_type, scalar_tensor, to_dtype, wrap_dim, write_out)
from taeda.dtype cimport is_complex_, is_float, is_integral, torch_name
from taeda.kernels.cpu.abi cimport BOOL, F32, F64, I8, I16, I32, I64, U8, Param, View
from taeda.operands cimport integer, real_number
from taeda.tensor_base cimport META, TensorBase

from numbers import Number

from taeda._once import warn_once
from taeda.autograd.node import own

__all__ = ["bincount", "bucketize", "histc", "searchsorted", "unique", "unique_consecutive"]
PUBLIC = ("bincount", "bucketize", "histc", "searchsorted", "unique", "unique_consecutive")


cdef int refuse_meta(str op, TensorBase x) except -1:
    if x.device == META:
        raise NotImplementedError(f"[{op}] the result's shape depends on data, and a meta tensor has none")
    return 0


# -- unique -----------------------------------------------------------------------------------------------


cdef object no_vjp(Node n, object g):
    raise NotImplementedError(f"[{n.op.name}] the derivative is not implemented: its values have no defined origin; "
                              "detach the input")

cdef Op UNIQUE = define("unique", no_vjp, 0, 0, "unique", "Unique2Backward0")
cdef Op UNIQUE_RUNS = define("unique_consecutive", no_vjp, 0, 0, "runs", "UniqueConsecutiveBackward0")
cdef Op COUNT_RUNS = define("count_runs", NULL)
cdef Op UNIQUE_ROWS = define("unique", no_vjp, 0, 0, "unique_rows", "UniqueDimBackward0")


cdef object found(Op op, TensorBase input, TensorBase values, TensorBase inverse, TensorBase counts, bint return_inverse,
                  bint return_counts):
    record(op, values, (input,), None)
    if not (return_inverse or return_counts):
        return values
    return (values,) + ((inverse,) if return_inverse else ()) + ((counts,) if return_counts else ())


cdef enum:
    RUN_BLOCK = 16384        # elements that a thread looks at for runs


cdef object runs_flat(TensorBase x, bint return_inverse, bint return_counts):
    cdef TensorBase flat = contiguous(x.detach()), values, inverse, counts, first
    cdef int64_t n = x.view.numel, blocks = (n + RUN_BLOCK - 1) // RUN_BLOCK
    cdef View* t[5]
    cdef Param p[2]
    first = empty(1, &blocks, I64, x.device)
    t[0], t[1] = &first.view, &flat.view
    n = launch(COUNT_RUNS, x.view.dtype, x.device, 1, 2, t, p, n)
    values = empty(1, &n, x.view.dtype, x.device)
    counts = empty(1, &n, I64, x.device) if return_counts else first              # first: nobody writes it
    inverse = empty(1, &flat.view.numel, I64, x.device) if return_inverse else first
    t[0], t[1], t[2], t[3], t[4] = &values.view, &inverse.view, &counts.view, &first.view, &flat.view
    p[0].i, p[1].i = return_inverse, return_counts
    launch(UNIQUE_RUNS, x.view.dtype, x.device, 3, 5, t, p, 2 * x.view.numel)
    return found(UNIQUE_RUNS, x, values, own(inverse.reshape(x.shape_tuple())) if return_inverse else None,
                 counts if return_counts else None, return_inverse, return_counts)


cdef object unique_flat(TensorBase x, bint return_inverse, bint return_counts):
    cdef TensorBase flat = contiguous(x.detach()), values, inverse, counts
    cdef int64_t n = x.view.numel
    cdef View* t[4]
    cdef Param p[1]
    values = empty(1, &n, x.view.dtype, x.device)
    counts = empty(1, &n, I64, x.device)
    inverse = empty(1, &n, I64, x.device) if return_inverse else counts          # counts: nobody looks at it
    t[0], t[1], t[2], t[3] = &values.view, &inverse.view, &counts.view, &flat.view
    p[0].i = return_inverse
    n = launch(UNIQUE, x.view.dtype, x.device, 3, 4, t, p, 16 * n)
    return found(UNIQUE, x, values.narrow(0, 0, n).clone(), own(inverse.reshape(x.shape_tuple())) if return_inverse else None,
                 counts.narrow(0, 0, n).clone() if return_counts else None, return_inverse, return_counts)


cdef object unique_along(Op node, str op, TensorBase x, object dim, bint order, bint return_inverse, bint return_counts):
    cdef int d, i
    cdef TensorBase rows, first, inverse, counts
    cdef int64_t n
    cdef View* t[4]
    cdef Param p[1]
    if x.view.ndim == 0:
        raise IndexError(f"[{op}] Dimension specified as {dim} but tensor has no dimensions")
    d = wrap_dim(op, dim, x.view.ndim)
    for i in range(x.view.ndim):
        if i != d and x.view.shape[i] == 0:
            raise RuntimeError(f"[{op}] There are 0 sized dimensions, and they aren't selected, so unique cannot be "
                               f"applied; got shape {tuple(x.shape_tuple())} and dim {d}")
    n = x.view.shape[d]
    rows = contiguous(x.detach().movedim(d, 0)).reshape(n, x.view.numel // n if n else 0)
    first = empty(1, &n, I64, x.device)
    inverse = empty(1, &n, I64, x.device)
    counts = empty(1, &n, I64, x.device)
    t[0], t[1], t[2], t[3] = &first.view, &inverse.view, &counts.view, &rows.view
    p[0].i = order
    n = launch(UNIQUE_ROWS, x.view.dtype, x.device, 3, 4, t, p, 16 * x.view.numel)
    return found(node, x, own(x.detach().movedim(d, 0).index_select(0, first.narrow(0, 0, n)).movedim(0, d)), inverse,
                 counts.narrow(0, 0, n).clone(), return_inverse, return_counts)


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """Return the different values in ascending order, or the different slices along ``dim``.

    Args:
        return_inverse: also return where each element's value stands in the result.
        return_counts: also return how often each value occurs.

    Every NaN is different from every other.  ``sorted=False`` gives the same, as an order costs nothing more.

    >>> import taeda
    >>> taeda.unique(taeda.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    cdef TensorBase x = as_tensor(input, "unique")
    refuse_meta("unique", x)
    if dim is None:
        return unique_flat(x, return_inverse, return_counts)
    return unique_along(UNIQUE_ROWS, "unique", x, dim, True, return_inverse, return_counts)


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """Return the values, or slices along ``dim``, without those equal to the one before.

    >>> import taeda
    >>> taeda.unique_consecutive(taeda.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    cdef TensorBase x = as_tensor(input, "unique_consecutive")
    refuse_meta("unique_consecutive", x)
    if dim is None:
        return runs_flat(x, return_inverse, return_counts)
    return unique_along(UNIQUE_RUNS, "unique_consecutive", x, dim, False, return_inverse, return_counts)


# -- searchsorted -----------------------------------------------------------------------------------------

cdef Op SEARCHSORTED = define("searchsorted", NULL)


cdef object search(str op, TensorBase a, object input, object out_int32, bint right, object out):
    """How many elements of each sorted row of a come before those of input: the smaller ones, with ``right`` equal ones too."""
    cdef TensorBase v, y
    cdef View* t[3]
    cdef Param p[1]
    cdef int dtype, i
    if not isinstance(input, (TensorBase, int, float)) and isinstance(input, Number) and hasattr(input, "item"):
        input = input.item()                              # a number of NumPy's
    if isinstance(input, TensorBase):
        v = <TensorBase>input
        dtype = result_type(a, v)
    elif isinstance(input, (bool, int, float)):
        dtype = a.view.dtype if is_float(a.view.dtype) or not isinstance(input, float) else F64
        if is_integral(dtype) and dtype != BOOL:                 # what the dtype does not hold wraps, as in PyTorch
            v = to_dtype(scalar_tensor((int(input) + (1 << 63)) % (1 << 64) - (1 << 63), I64, a.device), dtype)
        else:
            v = scalar_tensor(input, dtype, a.device)
    elif isinstance(input, complex):
        raise NotImplementedError(f"[{op}] not implemented for complex numbers, which have no order; got {input}")
    else:
        raise TypeError(f"[{op}] input must be a Tensor or a number, not {type(input).__name__}")
    check_same_device(op, (a, v))
    if a.view.ndim == 0:
        raise RuntimeError(f"[{op}] the sorted sequence must have at least one dimension, got a 0-d tensor")
    same = a.view.ndim == v.view.ndim
    if same:
        for i in range(a.view.ndim - 1):
            same = same and a.view.shape[i] == v.view.shape[i]
    if a.view.ndim != 1 and not same:
        raise RuntimeError(f"[{op}] the sorted sequence should be 1 dimension or the first N-1 dimensions of it and the "
                           f"input must match, but we got {list(a.shape_tuple())} and {list(v.shape_tuple())}")
    y = empty_shape(v.shape_tuple(), I32 if out_int32 else I64, v.device)
    for what, each in (("input value", v), ("boundary", a)):
        if not (<TensorBase>each).view.contiguous:
            warn_once(what, f"taeda.searchsorted(): {what} tensor is non-contiguous, this will lower the performance due to a copy; a "
                            "contiguous one needs none. This message will only appear once per program.")
    a, v = contiguous(to_dtype(a.detach(), dtype)), contiguous(to_dtype(v.detach(), dtype))
    t[0], t[1], t[2] = &y.view, &a.view, &v.view
    p[0].i = right
    launch(SEARCHSORTED, dtype, v.device, 1, 3, t, p, 16 * v.view.numel)
    return y if out is None else write_out(out, y, op)


def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None, out=None):
    """Return where each value of ``input`` would be inserted into the last dimension of ``sorted_sequence``.

    The place i fulfils a[i-1] < v <= a[i]; with ``right``, a[i-1] <= v < a[i].

    Args:
        sorted_sequence: (n,), or (..., n) with the leading dimensions of ``input``.
        input: tensor or number.
        out_int32: int32 in place of int64.
        side: "left" or "right", the same as ``right``.
        sorter: indices that sort an unsorted sequence.

    >>> import taeda
    >>> taeda.searchsorted(taeda.tensor([1., 3., 5.]), taeda.tensor([3., 4.]))
    tensor([1, 2])
    """
    cdef TensorBase a = as_tensor(sorted_sequence, "searchsorted")
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"[searchsorted] side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError("[searchsorted] side and right can't be set to opposites, got side of left while right was True")
    if sorter is not None:
        if as_tensor(sorter, "searchsorted").view.dtype != I64:
            raise RuntimeError(f"[searchsorted] sorter must be a tensor of long dtype but got dtype {sorter.dtype}")
        if as_tensor(sorter, "searchsorted").shape_tuple() != a.shape_tuple():
            raise RuntimeError(f"[searchsorted] boundary and sorter must have the same size, but got boundary tensor "
                               f"{list(a.shape_tuple())} and got sorter tensor {list(sorter.shape)}")
        a = a.detach().gather(-1, sorter)
    return search("searchsorted", a, input, out_int32, right or side == "right", out)


def bucketize(input, boundaries, *, out_int32=False, right=False, out=None):
    """Return the bucket of each value: :func:`searchsorted` of ``input`` in the (n,) ``boundaries``.

    >>> import taeda
    >>> taeda.bucketize(taeda.tensor([0., 2., 9.]), taeda.tensor([1., 3.]))
    tensor([0, 1, 2])
    """
    cdef TensorBase a = as_tensor(boundaries, "bucketize")
    if a.view.ndim != 1:
        raise RuntimeError(f"[bucketize] boundaries tensor must be 1 dimension, but got dim({a.view.ndim}), shape "
                           f"{tuple(a.shape_tuple())}")
    return search("bucketize", a, input, out_int32, right, out)


# -- membership -------------------------------------------------------------------------------------------

cdef Op ISIN = define("isin", NULL)

cdef enum:
    FEW = 16                 # elements that are compared with each


def among(TensorBase elements, TensorBase test):
    """Where ``elements`` are among the (n,) ``test``, as bool; nan is in nothing."""
    cdef TensorBase x, a, y
    cdef View* t[3]
    cdef int dtype = result_type(elements, test)
    check_same_device("isin", (elements, test))
    x, a = contiguous(to_dtype(elements, dtype)), contiguous(to_dtype(test, dtype))
    if a.view.numel > FEW and a.device != META:
        if is_float(dtype):
            a = (<object>a)[a == a]
        a = (<object>a).sort()[0]
    y = empty(x.view.ndim, x.view.shape, BOOL, x.device)
    t[0], t[1], t[2] = &y.view, &x.view, &a.view
    launch(ISIN, dtype, x.device, 1, 3, t, NULL, 16 * x.view.numel)
    return y


# -- histograms -------------------------------------------------------------------------------------------

cdef Op BOUNDS = define("bounds", NULL)
cdef Op BINCOUNT = define("bincount", NULL)
cdef Op BINCOUNT_WEIGHTS = define("bincount", NULL, 0, 0, "bincount_weights", "BincountWeightsBackward0")
cdef Op HISTC = define("histc", NULL)
cdef Op HISTOGRAM = define("histogram", NULL)


def bincount(input, weights=None, minlength=0):
    """Return how often each of 0, 1, 2, ... occurs in ``input``, or the sums of the ``weights`` there.

    Args:
        input: (n,) non-negative integers.
        weights: (n,).
        minlength: least length of the result.

    >>> import taeda
    >>> taeda.bincount(taeda.tensor([1, 1, 3]))
    tensor([0, 2, 0, 1])
    """
    cdef TensorBase x = as_tensor(input, "bincount"), y, w
    cdef View* t[3]
    cdef int64_t size = 256, bytes_ = 256, two = 2, least = 0, most = -1
    refuse_meta("bincount", x)
    if is_float(x.view.dtype) or x.view.dtype == BOOL:
        raise NotImplementedError(f"[bincount] not implemented for '{torch_name(x.view.dtype)}'; it counts integers")
    minlength = integer(minlength, "bincount")
    if minlength < 0:
        raise RuntimeError(f"[bincount] minlength should be >= 0, got {minlength}")
    if x.view.dtype == U8 and x.view.ndim == 1 and weights is None:           # counted as they are: what there is shows in the counts
        x = contiguous(x)
        y = empty(1, &bytes_, I64, x.device)
        t[0], t[1] = &y.view, &x.view
        launch(BINCOUNT, U8, x.device, 1, 2, t, NULL, x.view.numel)
        while size > minlength and (<int64_t*>y.view.data)[size - 1] == 0:
            size -= 1
        if size == 256 < minlength:
            w = input.new_zeros((minlength,), dtype=y.dtype)
            (<object>w)[:256] = y
            return w
        return (<object>y)[:size].clone()
    x = contiguous(to_dtype(x, I32 if weights is None and x.view.dtype in (I8, I16, I32) else I64))
    y = empty(1, &two, I64, x.device)
    t[0], t[1] = &y.view, &x.view
    if x.view.numel:
        launch(BOUNDS, x.view.dtype, x.device, 1, 2, t, NULL, x.view.numel)
        least, most = (<int64_t*>y.view.data)[0], (<int64_t*>y.view.data)[1]
    if x.view.ndim != 1 or least < 0:
        raise RuntimeError(f"[bincount] only supports 1-d non-negative integral inputs, got shape "
                           f"{tuple(x.shape_tuple())}" + (f" with {least} in it" if x.view.numel else ""))
    size = most + 1 if most >= minlength else minlength
    if weights is None or x.view.numel == 0:
        y = input.new_zeros((size,), dtype=y.dtype)
        t[0], t[1] = &y.view, &x.view
        launch(BINCOUNT, x.view.dtype, x.device, 1, 2, t, NULL, x.view.numel)
        return y
    w = as_tensor(weights, "bincount")
    check_same_device("bincount", (x, w))
    if w.view.ndim != 1 or w.view.numel != x.view.numel:
        raise RuntimeError(f"[bincount] weights should be 1-d and have the same length as input, got shapes "
                           f"{tuple(w.shape_tuple())} and {tuple(x.shape_tuple())}")
    if is_complex_(w.view.dtype):
        w = (<object>w.detach()).double()                # which says that imaginary parts are left out
    w = contiguous(to_dtype(w.detach(), F32 if w.view.dtype == F32 else F64))
    y = w.new_zeros((size,))
    t[0], t[1], t[2] = &y.view, &x.view, &w.view
    launch(BINCOUNT_WEIGHTS, w.view.dtype, x.device, 1, 3, t, NULL, x.view.numel)
    return y


def bin_sums(TensorBase x not None, TensorBase edges not None, weight, bint even):
    """Sums of the weights, or counts, of x's elements between the edges, all of one dtype; even: the bins are equal."""
    cdef TensorBase y = (<object>x).new_zeros((edges.view.shape[0] - 1,)), w = x
    cdef View* t[4]
    cdef Param p[2]
    x, edges = contiguous(x), contiguous(edges)
    if weight is not None:
        w = contiguous(weight)
    t[0], t[1], t[2], t[3] = &y.view, &x.view, &edges.view, &w.view
    p[0].i, p[1].i = even, weight is not None
    launch(HISTOGRAM, x.view.dtype, x.device, 1, 4 if p[1].i else 3, t, p, x.view.numel)
    return y


def histc(input, bins=100, min=0, max=0, *, out=None):
    """Return the counts of ``bins`` equal intervals from ``min`` to ``max``; both 0: of the data's range.

    Elements outside count nowhere; the last interval is closed.

    Raises:
        RuntimeError: ``bins`` is not positive, ``max`` is below ``min``, or the range is not finite.

    >>> import taeda
    >>> taeda.histc(taeda.tensor([0., 1., 1., 3.]), bins=3, min=0, max=3)
    tensor([1., 2., 1.])
    """
    cdef TensorBase x = as_tensor(input, "histc"), y
    cdef View* t[2]
    cdef Param p[2]
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[histc] not implemented for '{torch_name(x.view.dtype)}'; convert with .float()")
    if not PyIndex_Check(bins):
        raise TypeError(f"[histc] argument 'bins' must be int, not {type(bins).__name__}")
    min, max = real_number("histc", "min", min), real_number("histc", "max", max)
    if bins <= 0:
        raise RuntimeError(f"[histc] bins must be > 0, but got {bins}")
    x = contiguous(x.detach())
    if min == max and x.view.numel and x.device != META:
        min, max = float(x.min()), float(x.max())
    if not (isfinite(min) and isfinite(max)):
        raise RuntimeError(f"[histc] range of [{min}, {max}] is not finite")
    if min > max:
        raise RuntimeError(f"[histc] max must be larger than min, got min={min} and max={max}")
    if min == max:
        min, max = min - 1, max + 1
    y = x.new_zeros((bins,))
    t[0], t[1] = &y.view, &x.view
    p[0].f, p[1].f = min, max
    launch(HISTC, x.view.dtype, x.device, 1, 2, t, p, x.view.numel)
    return y if out is None else write_out(out, y, "histc")


METHODS = {"bincount": bincount, "histc": histc, "unique": unique, "unique_consecutive": unique_consecutive}

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""By mask: where, masked_fill, masked_select, masked_scatter, nonzero.

where is the one kernel that chooses between two values; masked_fill is where with a single value.  The
results of masked_select and nonzero have a shape that depends on the data, so meta tensors refuse them.
"""
from cpython.bool cimport PyBool_Check
from cpython.float cimport PyFloat_Check
from cpython.long cimport PyLong_Check
from libc.stdint cimport int64_t
from libc.string cimport memcmp

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_strided_view, as_tensor, begin_inplace, broadcast_shapes, check_same_device,
                             contiguous, define, empty_for, end_inplace, held_scalar, integer, launch, needs_grad, record,
                             result_type, scalar_tensor, to_dtype, write_out)
from taeda.dtype cimport default_float, is_integral, name_of, torch_name
from taeda.kernels.cpu.abi cimport BOOL, C64, C128, F64, I64, MAX_DIM, U8, View
from taeda.operands cimport plain_number
from taeda.ops.advanced cimport mask_count, nonzero_rows, once, select_where, sum_to, zeros_beside
from taeda.tensor_base cimport CPU, META, TensorBase

from taeda._once import warn_once
from taeda.autograd.node import written_copy
from taeda.dispatch import write_exact
from taeda.ops.join import cat

__all__ = [
    "argwhere", "masked_fill", "masked_fill_", "masked_scatter", "masked_scatter_", "masked_select", "nonzero",
    "nonzero_static", "unravel_index", "where",
]
PUBLIC = ("argwhere", "masked_fill", "masked_scatter", "masked_select", "nonzero", "nonzero_static", "unravel_index", "where")


cdef TensorBase widen(TensorBase x, tuple shape):
    """A plain view of x, broadcast to shape."""
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int d, n = len(shape), m = n - x.view.ndim
    for d in range(n):
        sizes[d] = shape[d]
        strides[d] = 0 if d < m or x.view.shape[d - m] != sizes[d] else x.view.strides[d - m]
    return as_strided_view(x, n, sizes, strides, x.offset)


cdef TensorBase check_mask(object mask, str op):
    cdef TensorBase m = as_tensor(mask, op)
    if m.view.dtype != BOOL:
        raise RuntimeError(f"[{op}] {op} only supports boolean masks (expected BoolTensor for mask), but got mask with dtype "
                           f"{name_of(m.view.dtype)}; convert it with .bool()")
    return m


# -- where: y = a where c else b -------------------------------------------------------------------------
cdef object where_vjp(Node n, object g):
    sa, sb = n.extra
    c = n.load(0)
    return (sum_to(where(c, g, 0), sa) if n.needs(0) else None, sum_to(where(c, 0, g), sb) if n.needs(1) else None)

cdef Op WHERE = define("where", where_vjp)


cdef bint covers(TensorBase c, TensorBase a) noexcept:
    """Does a have c's shape, or no dimensions?"""
    return a.view.ndim == 0 or a.view.ndim == c.view.ndim and memcmp(
        a.view.shape, c.view.shape, a.view.ndim * sizeof(int64_t)) == 0


cdef TensorBase choose(Op node, TensorBase c, TensorBase a, TensorBase b):
    """The kernel: c, a, b of one device, a and b of one dtype, all broadcast."""
    cdef View* t[4]
    cdef int64_t sizes[MAX_DIM]
    cdef TensorBase y
    cdef int i, device = max(c.device, a.device, b.device)
    cdef int laid = 0 if node is FILL else 3               # what is filled becomes plain, as in PyTorch
    t[1], t[2], t[3] = &c.view, &a.view, &b.view
    if covers(c, a) and covers(c, b):
        y = empty_for(c.view.ndim, c.view.shape, a.view.dtype, device, laid, &t[1])
    else:
        shape = broadcast_shapes(node.name, broadcast_shapes(node.name, c.shape_tuple(), a.shape_tuple()), b.shape_tuple())
        for i in range(len(shape)):
            sizes[i] = shape[i]
        y = empty_for(len(shape), sizes, a.view.dtype, device, laid, &t[1])
    t[0] = &y.view
    launch(node, y.view.dtype, y.device, 1, 4, t, NULL, y.view.numel)
    return y


cdef TensorBase operand(object x, int device):
    cdef TensorBase t
    if isinstance(x, TensorBase):
        return <TensorBase>x
    if PyBool_Check(x):
        t = scalar_tensor(x, BOOL, device)
    elif PyLong_Check(x):
        t = scalar_tensor(x, I64, device)
    elif PyFloat_Check(x):
        t = scalar_tensor(x, default_float(), device)
    elif isinstance(x, complex):
        t = scalar_tensor(x, C128 if default_float() == F64 else C64, device)
    elif type(x).__module__ == "numpy" and hasattr(x, "dtype") and not x.ndim:
        return operand(x.item(), device)                       # a number of NumPy's
    else:
        raise TypeError(f"[where] input and other must be tensors or numbers, got {type(x).__name__}")
    t.wrapped_number = True
    return t


def where(condition, input=None, other=None, *, out=None):
    """Return input where condition is true and other where it is not: y = condition ? input : other, broadcast.

    input and other are tensors or numbers, and are promoted to one dtype.  With condition alone, return
    nonzero(condition, as_tuple=True).

    Raises RuntimeError for a condition that is not bool or shapes that do not broadcast.

    >>> import taeda
    >>> x = taeda.tensor([-1.0, 2.0])
    >>> taeda.where(x > 0, x, 0)
    tensor([0., 2.])
    """
    cdef TensorBase c, a, b, y
    cdef int dtype
    if not isinstance(condition, TensorBase):
        raise TypeError(f"[where] condition must be Tensor, not {type(condition).__name__}")
    c = <TensorBase>condition
    if input is None and other is None:
        return nonzero(c, as_tuple=True)
    if input is None or other is None:
        raise TypeError("[where] input and other must both be given, or neither")
    if c.view.dtype == U8:
        warn_once("where", "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a "
                  "future version; use a boolean condition instead.", stacklevel=2)
        c = to_dtype(c, BOOL)
    if c.view.dtype != BOOL:
        raise RuntimeError("[where] where expected condition to be a boolean tensor, but got a tensor with dtype "
                           f"{torch_name(c.view.dtype)}; convert it with .bool()")
    a, b = operand(input, c.device), operand(other, c.device)
    check_same_device("where", (c, a, b) if c.device != CPU or c.view.ndim else (a, b, c) if a.device != CPU or a.view.ndim else (b, a, c))
    dtype = result_type(a, b)
    if a.view.dtype != dtype:                            # a number is rounded to the result's dtype alone
        a = to_dtype(a, dtype) if isinstance(input, TensorBase) else scalar_tensor(input, dtype, c.device)
    if b.view.dtype != dtype:
        b = to_dtype(b, dtype) if isinstance(other, TensorBase) else scalar_tensor(other, dtype, c.device)
    y = choose(WHERE, c, a, b)
    if needs_grad(a) or needs_grad(b):
        record(WHERE, y, (a, b), (c,), (a.shape_tuple(), b.shape_tuple()))
    return y if out is None else write_out(out, y, "where")


def where_method(input, condition, other):
    """Return input where condition is true and other where it is not; see :func:`where`."""
    return where(condition, input, other)


# -- masked_fill: y = value where mask else x --------------------------------------------------------------
cdef object fill_vjp(Node n, object g):
    return sum_to(masked_fill(g, n.load(0), 0), n.extra)

cdef object fill_tensor_vjp(Node n, object g):
    mask = n.load(0)
    return (sum_to(masked_fill(g, mask, 0), n.extra) if n.needs(0) else None,
            where(mask, g, 0).sum() if n.needs(1) else None)

cdef Op FILL = define("masked_fill", fill_vjp, 0, 0, "where")
cdef Op FILL_TENSOR = define("masked_fill", fill_tensor_vjp, 0, 0, "where", "MaskedFillBackward1")


cdef TensorBase fill_value(TensorBase x, object value, str op):
    cdef TensorBase v
    if not isinstance(value, TensorBase):
        return held_scalar(plain_number(op, "value", value), x.view.dtype, x.device)
    v = <TensorBase>value
    if v.view.ndim:
        raise RuntimeError(f"[{op}] masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                           f"{v.view.ndim} dimension(s).")
    if v.device == CPU and v.view.dtype != x.view.dtype:
        held_scalar(v.item(), x.view.dtype, CPU)                      # refuses what the dtype cannot hold
    return to_dtype(v, x.view.dtype)


def masked_fill(input, mask, value):
    """Return input with value where mask is true: y = mask ? value : input; mask broadcasts with input.

    value is a number or a 0-d tensor and takes input's dtype.

    Raises RuntimeError for a mask that is not bool, a value with dimensions, or shapes that do not broadcast.

    >>> import taeda
    >>> taeda.ones(3).masked_fill(taeda.tensor([True, False, True]), 0)
    tensor([0., 1., 0.])
    """
    cdef TensorBase x = as_tensor(input, "masked_fill"), v = fill_value(x, value, "masked_fill"), m, y
    m = check_mask(mask, "masked_fill")
    check_same_device("masked_fill", (x, m, v))
    y = choose(FILL, m, v, x)
    if isinstance(value, TensorBase):
        record(FILL_TENSOR, y, (x, v), (m,), x.shape_tuple())
    else:
        if needs_grad(x):
            record(FILL, y, (x,), (m,), x.shape_tuple())
    return y


def masked_fill_(input, mask, value):
    """Write value into input where mask, which broadcasts to input, is true, in place; see :func:`masked_fill`."""
    cdef TensorBase x = as_tensor(input, "masked_fill_"), v = fill_value(x, value, "masked_fill_")
    cdef TensorBase m = check_mask(mask, "masked_fill_"), y, held
    cdef View* t[4]
    cdef tuple shape = broadcast_shapes("masked_fill_", x.shape_tuple(), m.shape_tuple())
    if shape != x.shape_tuple():
        raise RuntimeError(f"[masked_fill_] output with shape {list(x.shape_tuple())} doesn't match the broadcast shape "
                           f"{list(shape)}")
    check_same_device("masked_fill_", (x, m, v))
    begin_inplace("masked_fill_", x)
    if m.storage is x.storage:                     # a mask that the filling would change under way
        m = m.clone()
    if v.storage is x.storage:
        v = v.clone()
    y, held = once(x, m)
    t[0], t[1], t[2], t[3] = &y.view, &held.view, &v.view, &y.view
    launch(FILL, x.view.dtype, x.device, 1, 4, t, NULL, y.view.numel)
    if isinstance(value, TensorBase):
        end_inplace(FILL_TENSOR, x, (x, v), (m,), x.shape_tuple())
    else:
        end_inplace(FILL, x, (x,), (m,), x.shape_tuple())
    return x


# -- masked_select and masked_scatter ------------------------------------------------------------------------
cdef object masked_select_vjp(Node n, object g):
    shape, wide = n.extra
    zeros = zeros_beside(g, wide)
    return sum_to(zeros.masked_scatter_(n.load(0), g), shape)

cdef object masked_scatter_vjp(Node n, object g):
    cdef int64_t count, total = 1
    mask = n.load(0)
    gx = masked_fill(g, mask, 0) if n.needs(0) else None
    if not n.needs(1):
        return gx, None
    gs = masked_select(g, mask)
    for size in n.extra:
        total *= size
    count = gs.numel()
    if count < total:
        gs = cat([gs, gs.new_zeros(total - count)])
    return gx, gs.reshape(n.extra)

cdef Op MASKED_SELECT = define("masked_select", masked_select_vjp)
cdef Op MASKED_SCATTER = define("masked_scatter", masked_scatter_vjp)


def masked_select(input, mask, *, out=None):
    """Return the elements of input where mask is true, as a vector in row-major order; the two broadcast.

    Raises RuntimeError for a mask that is not bool or shapes that do not broadcast.

    >>> import taeda
    >>> x = taeda.tensor([[1, 2], [3, 4]])
    >>> taeda.masked_select(x, x > 2)
    tensor([3, 4])
    """
    cdef TensorBase x = as_tensor(input, "masked_select"), m = check_mask(mask, "masked_select"), y
    cdef tuple shape = x.shape_tuple(), wide
    check_same_device("masked_select", (x, m))
    wide = broadcast_shapes("masked_select", shape, m.shape_tuple())
    m = m if m.shape_tuple() == wide else widen(m, wide)
    y = select_where(x if shape == wide else widen(x, wide), m)
    record(MASKED_SELECT, y, (x,), (m,), (shape, wide))
    return y if out is None else write_exact(out, y, "masked_select", input, mask)


def masked_scatter_(input, mask, source):
    """Write the elements of source, in order, into input where mask is true, in place; see :func:`masked_scatter`."""
    cdef TensorBase x = as_tensor(input, "masked_scatter_"), m = check_mask(mask, "masked_scatter_")
    cdef TensorBase s = as_tensor(source, "masked_scatter_"), dense
    cdef View* t[3]
    cdef int64_t n
    cdef tuple shape = broadcast_shapes("masked_scatter_", x.shape_tuple(), m.shape_tuple())
    if s.view.dtype != x.view.dtype:
        raise RuntimeError("[masked_scatter_] expected self and source to have same dtypes but got "
                           f"{torch_name(x.view.dtype)} and {torch_name(s.view.dtype)}")
    if shape != x.shape_tuple():
        raise RuntimeError(f"[masked_scatter_] output with shape {list(x.shape_tuple())} doesn't match the broadcast shape "
                           f"{list(shape)}")
    check_same_device("masked_scatter_", (x, m, s))
    m = m if m.shape_tuple() == shape else widen(m, shape)
    if m.device != META:
        mask_count(m, &n)
    else:
        n = 0
    if n > s.view.numel:
        raise RuntimeError(f"[masked_scatter_] Number of elements of source < number of ones in mask: {s.view.numel} < {n}")
    begin_inplace("masked_scatter_", x)
    if m.storage is x.storage:
        m = m.clone()
    dense = contiguous(s.detach())
    if dense.storage is x.storage:
        dense = dense.clone()
    t[0], t[1], t[2] = &x.view, &dense.view, &m.view
    launch(MASKED_SCATTER, x.view.dtype, x.device, 1, 3, t, NULL, x.view.numel)
    end_inplace(MASKED_SCATTER, x, (x, s), (m,), s.shape_tuple())
    return x


def masked_scatter(input, mask, source):
    """Return input with the elements of source, in row-major order, where mask is true; mask broadcasts.

    Raises RuntimeError for a mask that is not bool, a source of another dtype or with too few elements.

    >>> import taeda
    >>> taeda.zeros(3).masked_scatter(taeda.tensor([True, False, True]), taeda.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    cdef TensorBase x = as_tensor(input, "masked_scatter"), m
    as_tensor(source, "masked_scatter")
    m = check_mask(mask, "masked_scatter")
    shape = broadcast_shapes("masked_scatter", x.shape_tuple(), m.shape_tuple())
    if shape == x.shape_tuple():
        return written_copy(masked_scatter_, x.clone() if x.view.contiguous else contiguous(x), m, source)
    return written_copy(masked_scatter_, x.expand(shape).clone(), m, source)          # a copy: an expanded x may lie on x's own memory


# -- nonzero -------------------------------------------------------------------------------------------------
cdef TensorBase coordinates(TensorBase x):
    """(n, ndim), the transposed view of one row a dimension, as in PyTorch."""
    cdef TensorBase rows = nonzero_rows(x)
    cdef int64_t shape[2]
    cdef int64_t strides[2]
    shape[0], shape[1] = rows.view.shape[1], rows.view.shape[0]
    strides[0], strides[1] = 1, rows.view.shape[1] if rows.view.ndim and rows.view.shape[1] else 1
    return as_strided_view(rows, 2, shape, strides, 0)


def nonzero(input, *, out=None, as_tuple=False):
    """Return the coordinates of the elements that are not zero, in row-major order: (n, input.dim()) int64.

    With as_tuple, return one vector a dimension: what indexes input.

    >>> import taeda
    >>> taeda.nonzero(taeda.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    cdef TensorBase x = as_tensor(input, "nonzero"), y
    if as_tuple and out is not None:
        raise RuntimeError("[nonzero] does not support the out kwarg when as_tuple is True")
    if as_tuple:
        return coordinates(x if x.view.ndim else x.reshape(1)).unbind(1)
    y = coordinates(x)
    return y if out is None else write_out(out, y, "nonzero")


def nonzero_static(input, *, size, fill_value=-1, out=None):
    """Return the first ``size`` rows of :func:`nonzero`, filled up with rows of ``fill_value``: a shape that no data change.

    >>> import taeda
    >>> taeda.nonzero_static(taeda.tensor([0, 3, 0]), size=2)
    tensor([[ 1],
            [-1]])
    """
    cdef TensorBase x = as_tensor(input, "nonzero_static")
    cdef int64_t length = integer(size, "nonzero_static"), found
    if length < 0:
        raise RuntimeError(f"[nonzero_static] 'size' must be an non-negative integer, got {length}")
    y = (<object>x).new_full((length, x.view.ndim), fill_value, dtype=int)
    if x.device != META:
        at = <object>coordinates(x)
        found = min(length, at.shape[0])
        y.narrow(0, 0, found).copy_(at.narrow(0, 0, found))
    return y if out is None else write_exact(out, y, "nonzero_static")


def argwhere(input):
    """Return the coordinates of the elements that are not zero; see nonzero.

    >>> import taeda
    >>> taeda.argwhere(taeda.tensor([0, 3, 0]))
    tensor([[1]])
    """
    return coordinates(as_tensor(input, "argwhere"))


def unravel_index(indices, shape):
    """Return the coordinates of flat indices in a tensor of the given shape: one tensor a dimension.

    >>> import taeda
    >>> taeda.unravel_index(taeda.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    cdef TensorBase x = as_tensor(indices, "unravel_index")
    if not is_integral(x.view.dtype) or x.view.dtype == BOOL:
        raise TypeError(f"[unravel_index] expected 'indices' to be integer dtype, but got {name_of(x.view.dtype)}")
    if not isinstance(shape, (int, tuple, list)):
        raise TypeError(f"[unravel_index] expected 'shape' to be int or sequence of ints, but got {type(shape).__name__}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all([isinstance(n, int) for n in sizes]):
        raise TypeError(f"[unravel_index] expected 'shape' sequence to only contain ints, but got {sizes}")
    if any([n < 0 for n in sizes]):
        raise ValueError(f"[unravel_index] 'shape' cannot have negative values, but got {sizes}")
    if not sizes:
        return ()
    below, step = [], 1
    for n in reversed(sizes):
        below.insert(0, step)
        step *= n
    x = to_dtype(x, I64).unsqueeze(-1)
    return x.div(x.new_tensor(below), rounding_mode="floor").remainder(x.new_tensor(sizes)).unbind(-1)


METHODS = {
    "argwhere": argwhere, "masked_fill": masked_fill, "masked_fill_": masked_fill_, "masked_scatter": masked_scatter,
    "masked_scatter_": masked_scatter_, "masked_select": masked_select, "nonzero": nonzero,
    "nonzero_static": nonzero_static, "where": where_method,
}

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Triangles and diagonals of matrices."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_strided_view, as_tensor, begin_inplace, copy_into, define, empty, empty_like, end_inplace, integer,
                             launch, linear, needs_grad, record, to_dtype, wrap_dim, write_out)
from taeda.dtype cimport code_of, dtype_of, is_integral, torch_name
from taeda.kernels.cpu.abi cimport BOOL, I32, I64, MAX_DIM, U8, Param, View
from taeda.operands cimport plain_number
from taeda.ops.advanced cimport zeros_beside, zeros_of
from taeda.ops.reduction cimport reduce_one
from taeda.tensor_base cimport TensorBase

from taeda import device as _device

__all__ = [
    "diag", "diag_embed", "diagflat", "fill_diagonal_", "trace", "tril", "tril_", "tril_indices", "triu", "triu_",
    "triu_indices",
]
PUBLIC = ("diag", "diag_embed", "diagflat", "trace", "tril", "tril_indices", "triu", "triu_indices")


# -- triangles --------------------------------------------------------------------------------------------------
cdef object tril_vjp(Node n, object g):
    return tril(g, n.extra)

cdef object triu_vjp(Node n, object g):
    return triu(g, n.extra)

cdef Op TRIL = linear(define("tril", tril_vjp, 0, 0, "tri"))
cdef Op TRIU = linear(define("triu", triu_vjp, 0, 0, "tri"))
cdef Op TRI_INDICES = define("tri_indices", NULL)


cdef TensorBase triangle(Op op, TensorBase x, int64_t diagonal, bint upper):
    cdef TensorBase y
    if x.view.ndim < 2:
        raise RuntimeError(f"[{op.name}] input tensor must have at least 2 dimensions, got shape {tuple(x.shape_tuple())}")
    y = empty_like(x)
    keep_triangle(op, y, x, diagonal, upper)
    return y


cdef int keep_triangle(Op op, TensorBase y, TensorBase x, int64_t diagonal, bint upper) except -1:
    cdef View* t[2]
    cdef Param p[2]
    t[0], t[1], p[0].i, p[1].i = &y.view, &x.view, diagonal, upper
    launch(op, x.view.dtype, x.device, 1, 2, t, p, x.view.numel)
    return 0


cdef TensorBase triangle_of_repeats(Op op, TensorBase x, int64_t diagonal, bint upper):
    """Clear the memory of an expanded tensor wherever one of the elements that share it is to be cleared."""
    cdef TensorBase held = x
    kept = <object>triangle(op, <TensorBase>(<object>x).new_ones(x.shape_tuple(), dtype=dtype_of(U8)), diagonal, upper)
    for d in range(x.view.ndim):
        if repeats(x, d):
            held, kept = <TensorBase>(<object>held).narrow(d, 0, 1), kept.amin(d, True)
    begin_inplace(op.in_place, held)
    copy_into(held, <TensorBase>(<object>held).where(kept != 0, 0))
    end_inplace(op, x, (x,), None, diagonal)
    return x


cdef inline bint repeats(TensorBase x, int d) noexcept:
    return x.view.strides[d] == 0 and x.view.shape[d] > 1


cdef TensorBase triangle_(Op op, TensorBase x, int64_t diagonal, bint upper):
    cdef int d
    if not x.view.contiguous and x.view.ndim >= 2 and not needs_grad(x):
        for d in range(x.view.ndim):
            if repeats(x, d):
                return triangle_of_repeats(op, x, diagonal, upper)
    begin_inplace(op.in_place, x)
    if x.view.ndim < 2:
        triangle(op, x, diagonal, upper)               # refuses it
    keep_triangle(op, x, x, diagonal, upper)
    end_inplace(op, x, (x,), None, diagonal)
    return x


def tril(input, diagonal=0, *, out=None):
    """Keep the lower triangles of input's matrices: y[i, j] = input[i, j] where j - i <= diagonal, else 0.

    Raises RuntimeError for fewer than two dimensions.

    >>> import taeda
    >>> taeda.tril(taeda.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    cdef TensorBase x = as_tensor(input, "tril"), y = triangle(TRIL, x, integer(diagonal, "tril"), False)
    record(TRIL, y, (x,), None, diagonal)
    return y if out is None else write_out(out, y, "tril")


def triu(input, diagonal=0, *, out=None):
    """Keep the upper triangles of input's matrices: y[i, j] = input[i, j] where j - i >= diagonal, else 0.

    Raises RuntimeError for fewer than two dimensions.

    >>> import taeda
    >>> taeda.triu(taeda.ones(2, 2), 1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    cdef TensorBase x = as_tensor(input, "triu"), y = triangle(TRIU, x, integer(diagonal, "triu"), True)
    record(TRIU, y, (x,), None, diagonal)
    return y if out is None else write_out(out, y, "triu")


def tril_(input, diagonal=0):
    """Clear input above a diagonal, in place; see :func:`tril`."""
    return triangle_(TRIL, as_tensor(input, "tril_"), integer(diagonal, "tril_"), False)


def triu_(input, diagonal=0):
    """Clear input below a diagonal, in place; see :func:`triu`."""
    return triangle_(TRIU, as_tensor(input, "triu_"), integer(diagonal, "triu_"), True)


cdef object triangle_size(object rows, object cols, object k):
    """How many elements of a matrix have j - i <= k; in Python's integers, which do not overflow."""
    first = min(max(-k, 0), rows)                  # the rows before are empty
    full = max(first, min(rows, cols - k))         # the rows from here on are whole
    return (full - first) * (first + k + 1 + full + k) // 2 + (rows - full) * cols


cdef int64_t small_size(int64_t rows, int64_t cols, int64_t k) noexcept:
    """``triangle_size`` of a matrix whose elements are counted in 64 bits."""
    cdef int64_t first = min(max(-k, 0), rows), full = max(first, min(rows, cols - k))
    return (full - first) * (first + k + 1 + full + k) // 2 + (rows - full) * cols


cdef TensorBase triangle_indices(object rows, object cols, object k, object dtype, object device, bint upper, str op):
    cdef int64_t shape[2]
    cdef Param p[4]
    cdef View* t[1]
    cdef TensorBase y
    cdef int code = I64 if dtype is None else code_of(dtype, op)
    cdef int64_t R = integer(rows, op), C = integer(cols, op), at = integer(k, op), n
    if R < 0 or C < 0:
        raise RuntimeError(f"[{op}] row and col must be non-negative, got {R} and {C}")
    if code != I64 and code != I32:
        raise NotImplementedError(f"[{op}] not implemented for '{torch_name(code)}'; it takes int64, int32")
    if max(R, C) < 1 << 29 and -(1 << 29) < at < 1 << 29:
        n = R * C - small_size(R, C, at - 1) if upper else small_size(R, C, at)
    else:
        rows, cols, k = R, C, at
        wanted = rows * cols - triangle_size(rows, cols, k - 1) if upper else triangle_size(rows, cols, k)
        if wanted >= 1 << 59:
            raise RuntimeError(f"[{op}] Storage size calculation overflowed with sizes=[2, {wanted}]")
        n = wanted
    shape[0], shape[1] = 2, n
    y = empty(2, shape, I64, _device.default_code() if device is None else _device.code_of(device, op))
    t[0], p[0].i, p[1].i, p[2].i, p[3].i = &y.view, R, C, at, upper
    launch(TRI_INDICES, I64, y.device, 1, 1, t, p, n)
    return to_dtype(y, code)


def tril_indices(row, col, offset=0, *, dtype=None, device=None, layout=None, requires_grad=False, pin_memory=None):
    """Return the rows and columns of the lower triangle of a row x col matrix: (2, n), int64 if not said otherwise.

    >>> import taeda
    >>> taeda.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    y = triangle_indices(row, col, offset, dtype, device, False, "tril_indices")
    return (<object>y).requires_grad_() if requires_grad else y


def triu_indices(row, col, offset=0, *, dtype=None, device=None, layout=None, requires_grad=False, pin_memory=None):
    """Return the rows and columns of the upper triangle of a row x col matrix: (2, n), int64 if not said otherwise.

    >>> import taeda
    >>> taeda.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    y = triangle_indices(row, col, offset, dtype, device, True, "triu_indices")
    return (<object>y).requires_grad_() if requires_grad else y


# -- diagonals ----------------------------------------------------------------------------------------------------
cdef object diag_embed_vjp(Node n, object g):
    offset, a, b = n.extra
    return g.diagonal(offset, a, b)

cdef Op DIAG_EMBED = define("diag_embed", diag_embed_vjp)


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Put the vectors along input's last dimension on the diagonals of zero matrices, in dimensions dim1 and dim2.

    Raises RuntimeError for dims that are the same, IndexError for one out of range.

    >>> import taeda
    >>> taeda.diag_embed(taeda.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    cdef TensorBase x = as_tensor(input, "diag_embed"), y
    cdef int nd = x.view.ndim + 1, d, a, b, m = 0
    cdef int64_t n, k = integer(offset, "diag_embed"), at
    cdef int64_t strides[MAX_DIM]
    if x.view.ndim == 0:
        raise IndexError("[diag_embed] Dimension out of range (expected to be in range of [-1, 0], but got -2): input must "
                         "have at least one dimension")
    if nd > MAX_DIM:
        raise RuntimeError(f"[diag_embed] a tensor has at most {MAX_DIM} dimensions")
    a, b = wrap_dim("diag_embed", dim1, nd), wrap_dim("diag_embed", dim2, nd)
    if a == b:
        raise RuntimeError(f"[diag_embed] diagonal dimensions cannot be identical {dim1}, {dim2}")
    if not -(1 << 61) < k < 1 << 61:
        raise RuntimeError(f"[diag_embed] Storage size calculation overflowed for offset={k}")
    n = x.view.shape[x.view.ndim - 1] + (k if k >= 0 else -k)
    shape = []
    for d in range(nd):
        if d == a or d == b:
            shape.append(n)
        else:
            shape.append(x.view.shape[m])
            m += 1
    y = zeros_of(shape, x.view.dtype, x.device)
    m = 0
    for d in range(nd):
        if d != a and d != b:
            strides[m] = y.view.strides[d]
            m += 1
    strides[m] = y.view.strides[a] + y.view.strides[b]
    at = k * y.view.strides[b] if k >= 0 else -k * y.view.strides[a]
    if x.view.numel:
        copy_into(as_strided_view(y, x.view.ndim, x.view.shape, strides, at), x)
    record(DIAG_EMBED, y, (x,), None, (k, a, b))
    return y


cdef object diag_vjp(Node n, object g):
    (rows, cols), k = n.extra
    zeros = zeros_beside(g, (rows, cols))
    return zeros.diagonal_scatter(g, k) if g.numel() else zeros

cdef Op DIAG = define("diag", diag_vjp, 0, 0, None, "DiagonalBackward0_copy")


def diag(input, diagonal=0, *, out=None):
    """Return the matrix with a vector on its diagonal, or a copy of the diagonal of a matrix.

    Raises RuntimeError for another number of dimensions.

    >>> import taeda
    >>> taeda.diag(taeda.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    cdef TensorBase x = as_tensor(input, "diag")
    if x.view.ndim != 1 and x.view.ndim != 2:
        raise RuntimeError(f"[diag] diag(): Supports 1D or 2D tensors. Got {x.view.ndim}D")
    if x.view.ndim == 1:
        y = diag_embed(x, diagonal)
    else:
        y = x.detach().diagonal(diagonal, 0, 1).clone()
        record(DIAG, y, (x,), None, (x.shape_tuple(), int(diagonal)))
    return y if out is None else write_out(out, y, "diag")


def diagflat(input, offset=0):
    """Return the matrix with input's elements, read as a vector, on a diagonal.

    >>> import taeda
    >>> taeda.diagflat(taeda.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(as_tensor(input, "diagflat").reshape(-1), offset)


def fill_diagonal_(input, fill_value, wrap=False):
    """Write a number on the main diagonal, in place; with wrap, start anew below it in a tall matrix.

    Raises RuntimeError for fewer than two dimensions, or more than two that differ.

    >>> import taeda
    >>> taeda.zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    cdef TensorBase x = as_tensor(input, "fill_diagonal_")
    cdef int64_t size, stride = 0, top = 0
    cdef int d
    fill_value = plain_number("fill_diagonal_", "fill_value", fill_value)
    if x.view.ndim < 2:
        raise RuntimeError(f"[fill_diagonal_] dimensions must larger than 1, got shape {tuple(x.shape_tuple())}")
    size = x.view.shape[0]
    for d in range(x.view.ndim):
        if x.view.ndim > 2 and x.view.shape[d] != x.view.shape[0]:
            raise RuntimeError("[fill_diagonal_] all dimensions of input must be of equal length, got shape "
                               f"{tuple(x.shape_tuple())}")
        size = x.view.shape[d] if x.view.shape[d] < size else size
        stride += x.view.strides[d]
    x.as_strided((size,), (stride,), x.offset).fill_(fill_value)
    while wrap and x.view.ndim == 2 and top + x.view.shape[1] + 1 < x.view.shape[0]:
        top += x.view.shape[1] + 1
        x[top:].diagonal().fill_(fill_value)
    return x


# -- trace: y = sum_i x_ii --------------------------------------------------------------------------------
cdef object trace_vjp(Node n, object g):
    diagonal = g.detach().new_zeros(n.extra)
    diagonal.diagonal().fill_(1)
    return g * diagonal

cdef Op TRACE = linear(define("trace", trace_vjp, 0, 0, "sum"))


def trace(input):
    """Return the sum of the diagonal of a matrix: y = sum_i x_ii.

    Raises:
        RuntimeError: ``input`` is not a matrix.

    >>> import taeda
    >>> taeda.trace(taeda.tensor([[1., 2.], [3., 4.]]))
    tensor(5.)
    """
    cdef TensorBase x = as_tensor(input, "trace"), y, diagonal
    cdef int64_t size[1]
    cdef int64_t stride[1]
    if x.view.dtype == BOOL:
        raise NotImplementedError("[trace] not implemented for 'Bool'; convert with .long()")
    if x.view.ndim != 2:
        raise RuntimeError(f"[trace] expected a matrix, but got tensor with dim {x.view.ndim}, shape "
                           f"{tuple(x.shape_tuple())}")
    size[0] = x.view.shape[0] if x.view.shape[0] < x.view.shape[1] else x.view.shape[1]
    stride[0] = x.view.strides[0] + x.view.strides[1]
    diagonal = as_strided_view(x, 1, size, stride, x.offset)
    y = reduce_one(TRACE, diagonal, 1, False, I64 if is_integral(x.view.dtype) else x.view.dtype, NULL)
    record(TRACE, y, (x,), None, x.shape_tuple())
    return y


METHODS = {
    "diag": diag, "diag_embed": diag_embed, "diagflat": diagflat, "fill_diagonal_": fill_diagonal_, "trace": trace,
    "tril": tril, "tril_": tril_, "triu": triu, "triu_": triu_,
}

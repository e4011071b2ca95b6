# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What taeda.sparse has kernels for: entries grouped by a key, the products of a sparse and a dense matrix.

A sparse matrix is its pattern, an object with the row and the column of each entry and both groupings (``taeda.sparse.pattern``), and
a tensor of values.  The two products are each other's derivatives: ``y = A x``, and the entries of ``a b^T`` where A has some.
"""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, contiguous, define, empty_shape, launch, record
from taeda.kernels.cpu.abi cimport BF16, F16, F32, F64, I64, Param, View
from taeda.tensor_base cimport CPU, TensorBase

__all__ = ["group_by", "merge", "sparse_product", "sparse_sample"]
PUBLIC = ()
METHODS = {}

cdef Op GROUP = define("sparse_group", NULL)
cdef Op MERGE = define("sparse_merge", NULL)


cdef TensorBase list_of(object x, str op):
    """A list of numbers as the kernels read it."""
    cdef TensorBase t = as_tensor(x, op)
    if t.view.ndim != 1 or t.view.dtype != I64:
        raise TypeError(f"[{op}] expected a list of int64, got shape {tuple(t.shape)}, dtype {t.dtype}")
    return contiguous(t)


cdef TensorBase matrix_of(object x, object pattern, str op):
    """A dense matrix that goes with a pattern."""
    cdef TensorBase t = as_tensor(x, op)
    if not hasattr(type(pattern), "by_row"):
        raise TypeError(f"[{op}] expected the pattern of a sparse matrix (taeda.sparse.pattern), got {type(pattern).__name__}")
    if t.view.ndim != 2:
        raise RuntimeError(f"[{op}] expected a matrix, got shape {tuple(t.shape)}")
    return t


def group_by(key, n, sorted=False):
    """Return where each of the keys 0, ..., n - 1 begins, and the entries of each in their order; None for these if the keys are sorted.

    >>> import taeda
    >>> taeda.ops.group_by(taeda.tensor([1, 0, 1]), 3)
    (tensor([0, 1, 3, 3]), tensor([1, 0, 2]))
    """
    cdef TensorBase k = list_of(key, "group_by"), start, place
    cdef View* t[3]
    cdef Param p[1]
    start, place = empty_shape((n + 1,), I64, CPU), empty_shape((0 if sorted else k.view.numel,), I64, CPU)
    t[0], t[1], t[2], p[0].i = &start.view, &place.view, &k.view, sorted
    bad = launch(GROUP, I64, k.device, 2, 3, t, p, k.view.numel)
    if bad > 0:
        raise RuntimeError(f"[sparse] index {(<object>k)[bad - 1].item()} of entry {bad - 1} is out of bounds for a dimension of size {n}")
    return start, None if sorted else place


def merge(a, b):
    """Walk along two lists of numbers, the smaller first and equal ones together: where the entries of each go, and how many there are.

    >>> import taeda
    >>> taeda.ops.merge(taeda.tensor([1, 3]), taeda.tensor([2, 3]))
    (tensor([0, 2]), tensor([1, 2]), 3)
    """
    cdef TensorBase x = list_of(a, "merge"), y = list_of(b, "merge"), of_x, of_y
    cdef View* t[4]
    of_x, of_y = empty_shape((x.view.numel,), I64, CPU), empty_shape((y.view.numel,), I64, CPU)
    t[0], t[1], t[2], t[3] = &of_x.view, &of_y.view, &x.view, &y.view
    return of_x, of_y, launch(MERGE, I64, x.device, 2, 4, t, NULL, x.view.numel + y.view.numel)


# y = A x:  gx = A^T g;  the values' gradient is that of g x^T where A has entries
cdef object product_vjp(Node n, object g):
    gv = sparse_sample(n.extra, g, n.load(1)) if n.needs(0) else None
    return gv, sparse_product(n.extra.transposed(), n.load(0), g) if n.needs(1) else None

# v = entries of a b^T:  ga = V(g) b;  gb = V(g)^T a
cdef object sample_vjp(Node n, object g):
    ga = sparse_product(n.extra, g, n.load(1)) if n.needs(0) else None
    return ga, sparse_product(n.extra.transposed(), g, n.load(0)) if n.needs(1) else None

cdef Op PRODUCT = define("sparse_product", product_vjp, 0, 0, None, "SparseAddmmBackward0")
cdef Op SAMPLE = define("sparse_sample", sample_vjp, 0, 0, None, "SparseSampledAddmmBackward0")


def sparse_product(pattern, value, x):
    """Return A x of a sparse matrix A, (n, r), and a dense one, (r, k), of one dtype."""
    cdef TensorBase v = as_tensor(value, "sparse_product"), d = matrix_of(x, pattern, "sparse_product"), y, start, column, sorted_
    cdef View* t[5]
    if v.view.dtype != d.view.dtype:
        raise RuntimeError(f"[sparse_product] the matrices have one dtype, got {v.dtype} and {d.dtype}")
    if v.view.dtype not in (F32, F64, F16, BF16):              # what has no kernel is composed
        rows, columns = pattern.entries
        return (<object>d).new_zeros((pattern.shape[0], d.view.shape[1])).index_add(0, rows, d.index_select(0, columns) * v.unsqueeze(1))
    start, column, place = pattern.by_row()
    if v.view.ndim != 1 or v.view.numel != column.view.numel or start.view.numel != pattern.shape[0] + 1:
        raise RuntimeError(f"[sparse] {v.view.numel} values for {column.view.numel} entries in {start.view.numel - 1} of "
                           f"{pattern.shape[0]} rows")
    sorted_ = contiguous(v) if place is None else (<object>v.detach()).index_select(0, place)
    dense = contiguous(d)
    y = empty_shape((pattern.shape[0], d.view.shape[1]), v.view.dtype, v.device)
    t[0], t[1], t[2], t[3], t[4] = &y.view, &start.view, &column.view, &sorted_.view, &dense.view
    if y.view.numel:
        bad = launch(PRODUCT, v.view.dtype, v.device, 1, 5, t, NULL, (v.view.numel + pattern.shape[0]) * d.view.shape[1])
        if bad > v.view.numel:
            raise RuntimeError(f"[sparse] where the {pattern.shape[0]} rows begin must rise from 0 to the number of entries, "
                               f"{v.view.numel}, got {start.tolist()[:8]} ...")
        if bad > 0:
            raise RuntimeError(f"[sparse] a column index {(<object>column)[bad - 1].item()} is out of bounds for a matrix of "
                             f"{d.view.shape[0]} columns")
    record(PRODUCT, y, (v, d), (v, d), pattern)
    return y


def sparse_sample(pattern, a, b):
    """Return the entries of a b^T at the places of a pattern (n, r); a is (n, k), b (r, k)."""
    cdef TensorBase x = matrix_of(a, pattern, "sparse_sample"), y = matrix_of(b, pattern, "sparse_sample"), out, rows, columns, left, right
    cdef View* t[5]
    if x.view.dtype != y.view.dtype or x.view.shape[1] != y.view.shape[1]:
        raise RuntimeError(f"[sparse_sample] the matrices have one dtype and as many columns, got {x.dtype} of {tuple(x.shape)} and "
                           f"{y.dtype} of {tuple(y.shape)}")
    rows, columns = pattern.entries
    if rows.view.numel != columns.view.numel:
        raise RuntimeError(f"[sparse] {rows.view.numel} rows for {columns.view.numel} columns of entries")
    if x.view.dtype not in (F32, F64, F16, BF16):
        return (x.index_select(0, rows) * y.index_select(0, columns)).sum(1)
    left, right = contiguous(x), contiguous(y)
    out = empty_shape((rows.view.numel,), x.view.dtype, x.device)
    t[0], t[1], t[2], t[3], t[4] = &out.view, &rows.view, &columns.view, &left.view, &right.view
    if out.view.numel:
        if launch(SAMPLE, x.view.dtype, x.device, 1, 5, t, NULL, out.view.numel * x.view.shape[1]) > 0:
            raise RuntimeError(f"[sparse] an entry lies outside of the matrix of shape {tuple(pattern.shape)}")
    record(SAMPLE, out, (x, y), (x, y), pattern)
    return out

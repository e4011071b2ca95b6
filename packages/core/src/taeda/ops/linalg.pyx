# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""What the rooms of linear algebra share: checks of operands, column-major copies, and the errors of LAPACK.

LAPACK works on column-major matrices in place, so an op copies its input into one (``columns``), runs the
kernel over the batch (``call``) and returns that copy: results lie in memory as PyTorch's do.  Batches of small
matrices (``small``, ``small_pairs``) go to kernels of our own instead, which read any strides and need no copy.  The functions of
``taeda.linalg`` are called ``linalg_<name>`` here, since some names mean other things at top level.
"""
from taeda.autograd.grad_mode cimport grad_enabled
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, broadcast_shapes, check_same_device, copy_into, define, empty_shape, launch, write_out)
from taeda.dtype cimport dtype_of, is_complex_, is_float, torch_name
from taeda.kernels.cpu.abi cimport C64, C128, F32, F64, I32, I64
from taeda.tensor_base cimport META, refresh

from taeda import _once
from taeda.ops import creation
from taeda.ops.sequences import arange

__all__ = ["LinAlgError"]


class LinAlgError(RuntimeError):
    """A factorisation that cannot be: the matrix is singular, not positive-definite, or did not converge."""


LinAlgError.__module__ = "taeda.linalg"                     # where programs have it from


# -- operands ----------------------------------------------------------------------------------------


cdef TensorBase need_matrix(str op, object x, str name="A"):
    cdef TensorBase t = as_tensor(x, op)
    if t.view.ndim < 2:
        raise RuntimeError(f"[{op}] The input tensor {name} must have at least 2 dimensions; its shape is {tuple(t.shape_tuple())}")
    return t


cdef TensorBase need_square(str op, object x, str name="A"):
    cdef TensorBase t = need_matrix(op, x, name)
    if rows(t) != cols(t):
        raise RuntimeError(f"[{op}] {name} must be batches of square matrices, but they are {rows(t)} by {cols(t)} matrices")
    return t


cdef int need_float(str op, TensorBase x, bint low=False) except -1:
    cdef int code = x.view.dtype
    if code == F32 or code == F64 or code == C64 or code == C128:
        return 0
    if not (is_float(code) or is_complex_(code)):
        raise RuntimeError(f"[{op}] Expected a floating point or complex tensor as input. Got {torch_name(code)}; convert with .float()")
    if low:
        raise RuntimeError(f"[{op}] Low precision dtypes not supported. Got {torch_name(code)}; convert with .float()")
    raise NotImplementedError(f"[{op}] not implemented for '{torch_name(code)}'; convert with .float()")


cdef int need_same(str op, TensorBase a, TensorBase b, str first, str second) except -1:
    if a.view.dtype != b.view.dtype:
        raise RuntimeError(f"[{op}] Expected {first} and {second} to have the same dtype, but found {first} of type "
                           f"{torch_name(a.view.dtype)} and {second} of type {torch_name(b.view.dtype)} instead")
    if a.device != b.device:
        check_same_device(op, (a, b))
    return 0


cdef int64_t rows(TensorBase x) noexcept:
    return x.view.shape[x.view.ndim - 2]


cdef int64_t cols(TensorBase x) noexcept:
    return x.view.shape[x.view.ndim - 1]


cdef tuple batch_of(TensorBase x):
    return tuple([x.view.shape[d] for d in range(x.view.ndim - 2)])


cdef int64_t count_of(tuple batch) except -1:
    cdef int64_t n = 1, size
    for size in batch:
        n *= size
    return n


cdef tuple common_batch(str op, TensorBase a, TensorBase b):
    return broadcast_shapes(op, batch_of(a), batch_of(b))


cdef object with_batch(TensorBase x, tuple batch):
    cdef tuple have = batch_of(x)
    return x if have == batch else x.expand(batch + (rows(x), cols(x)))


# -- memory ------------------------------------------------------------------------------------------


cdef TensorBase empty_columns(TensorBase x, tuple batch, int64_t m, int64_t n, int dtype):
    cdef TensorBase t
    cdef int d
    if m > 0x7fffffff or n > 0x7fffffff:
        raise RuntimeError(f"[linalg] LAPACK counts rows and columns in 32 bits, got a matrix of {m} by {n}")
    t = empty_shape(batch + (m, n), dtype, x.device)
    d = t.view.ndim
    t.view.strides[d - 2], t.view.strides[d - 1] = 1, m if m > 1 else 1
    refresh(t)
    return t


cdef TensorBase columns(TensorBase x):
    cdef TensorBase t = empty_columns(x, batch_of(x), rows(x), cols(x), x.view.dtype)
    copy_into(t, x)
    return t


cdef bint in_columns(TensorBase x) noexcept:
    """Is every matrix column-major and the batch dense?"""
    cdef int64_t expected = rows(x) * cols(x)
    cdef int d
    if (rows(x) > 1 and x.view.strides[x.view.ndim - 2] != 1) or (cols(x) > 1 and x.view.strides[x.view.ndim - 1] != rows(x)):
        return False
    for d in range(x.view.ndim - 3, -1, -1):
        if x.view.shape[d] > 1 and x.view.strides[d] != expected:
            return False
        expected *= x.view.shape[d]
    return True


cdef TensorBase readable(TensorBase x):
    """x if it lies as LAPACK reads it: a kernel that only reads it needs no copy."""
    return x if in_columns(x) else columns(x)


cdef TensorBase numbers(TensorBase x, tuple shape, int dtype):
    cdef TensorBase t = empty_shape(shape, dtype, x.device)
    if t.device != META:
        t.zero_()
    return t


cdef object identity(TensorBase x, tuple batch, int64_t n):
    eye = creation.eye(n, dtype=dtype_of(x.view.dtype), device=(<object>x).device)
    return eye.expand(batch + (n, n)) if batch else eye


cdef int call(Op op, TensorBase x, int64_t count, tuple views, Param* p) except -1:
    cdef View* t[MAX_VIEWS]
    cdef Py_ssize_t i
    if count == 0:
        return 0
    for i in range(len(views)):
        t[i] = NULL if views[i] is None else &(<TensorBase>views[i]).view
    p[0].i = count
    return launch(op, x.view.dtype, x.device, 0, <int>len(views), t, p,       # 0 outputs: never run in a wider dtype
                  t[0].numel * max(t[0].shape[t[0].ndim - 1], 1) // 8)


cdef bint few(tuple batch, int64_t m, int64_t n) except -1:
    """Whether matrices fill lanes, or are so small that LAPACK's calls cost more than idle lanes."""
    cdef int64_t size = max(m, n), count = count_of(batch)
    return min(m, n) > 0 and count > 0 and (size <= SMALL_ALONE or size <= SMALL_SIZE and count >= SMALL_BATCH)


cdef bint small(TensorBase x, tuple batch, int64_t m, int64_t n) except -1:
    """Whether kernels/cpu/small_matrices takes this batch."""
    return (x.view.dtype == F32 or x.view.dtype == F64) and few(batch, m, n)


cdef bint small_pairs(TensorBase x, tuple batch, int64_t m, int64_t n) except -1:
    """As ``small``, for what has a routine for complex matrices too."""
    return (x.view.dtype == C64 or x.view.dtype == C128) and few(batch, m, n) or small(x, batch, m, n)


cdef bint alone(tuple batch, int64_t least, int64_t n) except -1:
    """Whether this is one matrix of at least so many rows (or columns): kernels/cpu/lapack_blocks shares it out among threads then."""
    return n >= least and count_of(batch) == 1


cdef bint in_caches(TensorBase A, int64_t columns) except -1:
    """Whether kernels/cpu/reflectors.h takes so many columns of A's height."""
    cdef int64_t parts = 2 if is_complex_(A.view.dtype) else 1
    return rows(A) * columns * parts <= QR_AREA and rows(A) * A.view.itemsize // parts <= QR_HIGH


cdef bint qr_in_blocks(TensorBase A) except -1:
    """As ``alone``, for QR and what makes Q: those of a matrix that lies in the caches are quicker on one thread."""
    return alone(batch_of(A), QR_ALONE, min(rows(A), cols(A))) and not in_caches(A, cols(A))


cdef Op LU_BLOCKS = define("linalg_lu_factor_ex", NULL, 0, 0, "getrf_blocks")
cdef Op SMALL_LU = define("linalg_lu_factor_ex", NULL, 0, 0, "small_lu")


cdef tuple lu_factors(Op op, TensorBase A, int how=0):
    """A's LU factors, pivots, info, and what ``how`` asks for: determinants (1), signs of the permutations (2), or None (0)."""
    cdef tuple batch = batch_of(A)
    cdef int64_t k = min(rows(A), cols(A))
    cdef TensorBase LU, pivots, info, sign = None
    cdef Param p[2]
    if small_pairs(A, batch, rows(A), cols(A)):
        LU = empty_columns(A, batch, rows(A), cols(A), A.view.dtype)
        pivots, info = empty_shape(batch + (k,), I32, A.device), empty_shape(batch, I32, A.device)
        if how:
            sign = empty_shape(batch, A.view.dtype, A.device)
        p[1].i = how
        call(SMALL_LU, LU, count_of(batch), (LU, pivots, info, A, sign), p)
        return LU, pivots, info, sign
    LU, pivots, info = columns(A), numbers(A, batch + (k,), I32), numbers(A, batch, I32)
    call(LU_BLOCKS if alone(batch, LU_ALONE, k) else op, LU, count_of(batch) if k else 0, (LU, pivots, info), p)
    if how == 0:
        return LU, pivots, info, None
    swaps = (pivots != arange(1, k + 1, device=(<object>A).device)).sum(-1)
    result = 1 - 2 * (swaps % 2)
    return LU, pivots, info, LU.diagonal(0, -2, -1).prod(-1) * result if how == 1 else result


cdef object first_failure(TensorBase info):
    """Which matrix failed first, and how; None when all is well or on the meta device."""
    if info.device == META or info.view.numel == 0:
        return None
    flat = info.reshape(-1)
    bad = flat.nonzero()
    if bad.shape[0] == 0:
        return None
    first = int(bad[0, 0])
    return (first if info.view.ndim else None), int(flat[first])


cdef object batch_element(object failure):
    return "" if failure[0] is None else f"(Batch element {failure[0]}): "


cdef object underivable(Node n, object g):
    raise NotImplementedError(f"[{n.op.name}] the derivative for '{n.op.name}' is not implemented.")


cdef bint recording():
    return grad_enabled()


# -- pivots ------------------------------------------------------------------------------------------


cdef Op PERMUTATION = define("lu_permutation", NULL, 0, 0, "permutation")


cdef object permutation(str op, TensorBase pivots, int64_t n):
    cdef TensorBase swaps = pivots.contiguous(), at
    cdef tuple batch = swaps.shape_tuple()[:-1]
    cdef Param p[1]
    at = empty_shape(batch + (n,), I64, pivots.device)
    if call(PERMUTATION, swaps, count_of(batch) if n else 0, (at, swaps), p):
        raise RuntimeError(f"[{op}] pivots must be between 1 and {n} inclusive; pass those that lu_factor gave")
    return at


# -- results -----------------------------------------------------------------------------------------


cdef object give(str op, object type, tuple results, object out):
    if out is None:
        return type(results)
    if not isinstance(out, (tuple, list)) or len(out) != len(results):
        raise TypeError(f"[{op}] argument 'out' must be a tuple of {len(results)} Tensors, not {out.__class__.__name__}")
    return type([write_out(target, <TensorBase>result, op) for target, result in zip(out, results)])


def deprecated(op, instead, stacklevel=1):
    """Say once in a process, as PyTorch does, that another function has taken the place of ``op``."""
    warn_once(op, f"taeda.{op} is deprecated in favor of taeda.{instead} and will be removed in a future release", stacklevel)


def warn_once(op, text, stacklevel=1):
    """Warn the first time that ``op`` is called in a process; compiled callers have no frame, Python ones count as one level."""
    _once.warn_once(op, text, stacklevel + 1)

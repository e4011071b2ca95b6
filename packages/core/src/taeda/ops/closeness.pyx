# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Are two tensors the same, or nearly: equal, isclose, allclose."""
from libc.stdint cimport int64_t, uint16_t
from libc.string cimport memcmp

from taeda.dispatch cimport as_tensor
from taeda.dtype cimport differentiable, is_integral, torch_name
from taeda.kernels.cpu.abi cimport BF16, BOOL, C64, C128, F16, F32, F64, I32, I64, U8
from taeda.tensor_base cimport CPU, META, TensorBase

__all__ = ["allclose", "equal", "isclose"]
PUBLIC = ("allclose", "equal", "isclose")

cdef enum:
    FEW = 64                 # elements that are compared here: a call of a kernel costs more
    FIRST_PIECE = 1 << 10
    LARGEST_PIECE = 1 << 18


ctypedef fused real:
    float
    double


cdef bint few_equal(const real* x, const real* y, int64_t n) noexcept:
    cdef int64_t i
    for i in range(n):
        if x[i] != y[i]:
            return False
    return True


cdef inline bint same_shape(TensorBase a, TensorBase b) noexcept:
    cdef int d
    if a.view.ndim != b.view.ndim:
        return False
    for d in range(a.view.ndim):
        if a.view.shape[d] != b.view.shape[d]:
            return False
    return True


def equal(input, other):
    """Return True if both tensors have the same shape and equal elements (NaN equals nothing).

    >>> import taeda
    >>> taeda.equal(taeda.tensor([1, 2]), taeda.tensor([1, 3]))
    False
    """
    cdef TensorBase a = as_tensor(input, "equal"), b = as_tensor(other, "equal")
    if a.device == META or b.device == META:
        raise NotImplementedError("[equal] the answer depends on data, and a meta tensor has none")
    if not same_shape(a, b):
        return False
    if a.view.numel <= FEW and a.view.dtype == b.view.dtype and a.view.contiguous and b.view.contiguous:
        if a.view.dtype == F32:
            return few_equal(<const float*>a.view.data, <const float*>b.view.data, a.view.numel)
        if a.view.dtype == F64:
            return few_equal(<const double*>a.view.data, <const double*>b.view.data, a.view.numel)
        if a.view.dtype == I64 or a.view.dtype == I32 or a.view.dtype == U8:
            return a.view.numel == 0 or memcmp(a.view.data, b.view.data, a.view.numel * a.view.itemsize) == 0
    return all_equal((<object>a).detach(), (<object>b).detach())


cdef bint first_differs(TensorBase a, TensorBase b):
    """Whether the first elements tell at once that two tensors differ: most that do differ there already."""
    cdef uint16_t p, q
    if a.view.numel == 0 or a.view.dtype != b.view.dtype or a.view.data == NULL or b.view.data == NULL:
        return False
    if a.view.dtype == F32:
        return (<float*>a.view.data)[0] != (<float*>b.view.data)[0]
    if a.view.dtype == F64:
        return (<double*>a.view.data)[0] != (<double*>b.view.data)[0]
    if a.view.dtype == C64:
        return not few_equal(<const float*>a.view.data, <const float*>b.view.data, 2)
    if a.view.dtype == C128:
        return not few_equal(<const double*>a.view.data, <const double*>b.view.data, 2)
    if a.view.dtype == F16 or a.view.dtype == BF16:                 # zeros of both signs are equal
        p, q = (<uint16_t*>a.view.data)[0], (<uint16_t*>b.view.data)[0]
        return p != q and (p | q) & 0x7fff != 0
    return is_integral(a.view.dtype) and a.view.dtype != BOOL and memcmp(a.view.data, b.view.data, a.view.itemsize) != 0


cdef bint all_equal(TensorBase a, TensorBase b) except -1:
    """Compare growing pieces of what is long, so that an early difference ends the search."""
    cdef int64_t n = a.view.numel, at = 0, size = FIRST_PIECE, rows = n
    cdef int d = 0
    if a.device == CPU and b.device == CPU and first_differs(a, b):
        return False
    if n <= 4 * FIRST_PIECE:
        return bool((<object>a == b).all())
    x, y = (<object>a), (<object>b)
    if a.view.contiguous and b.view.contiguous:
        x, y = x.reshape(-1), y.reshape(-1)
    else:                                   # pieces along the first dimension that has any
        while a.view.shape[d] == 1:
            d += 1
        rows = a.view.shape[d]
        size = max(<int64_t>1, rows * FIRST_PIECE // n)
    while at < rows:
        if not (x.narrow(d, at, min(size, rows - at)) == y.narrow(d, at, min(size, rows - at))).all():
            return False
        at += size
        size = min(2 * size, max(size, <int64_t>(rows * LARGEST_PIECE // n)))
    return True


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Return where |input - other| <= atol + rtol |other|; infinities are close to themselves alone.

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.

    >>> import taeda
    >>> taeda.isclose(taeda.tensor([1., 2.]), taeda.tensor([1. + 1e-7, 2.1]))
    tensor([ True, False])
    """
    cdef TensorBase a = as_tensor(input, "isclose"), b = as_tensor(other, "isclose")
    if a.view.dtype != b.view.dtype:
        raise RuntimeError(f"[isclose] {torch_name(a.view.dtype)} did not match {torch_name(b.view.dtype)}; convert one")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if isinstance(value, TensorBase) and ((<TensorBase>value).view.ndim or value.requires_grad):
            raise TypeError(f"[isclose] argument '{name}' must be float, not a tensor of shape {tuple(value.shape)}"
                            f"{' that requires grad' if value.requires_grad else ''}")
    if not rtol >= 0:
        raise RuntimeError(f"[isclose] rtol must be greater than or equal to zero, but got {rtol}")
    if not atol >= 0:
        raise RuntimeError(f"[isclose] atol must be greater than or equal to zero, but got {atol}")
    x, y = a.detach(), b.detach()
    close = x == y
    if rtol == 0 and atol == 0 and not equal_nan:
        return close
    if not differentiable(a.view.dtype):
        x, y = x.double(), y.double()
    elif equal_nan:
        close = close | ((x != x) & (y != y))
    error = (x - y).abs()
    return close | ((error <= (y * rtol).abs() + atol) & (error != float("inf")))


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Return True if all elements are close: see :func:`isclose`.

    >>> import taeda
    >>> taeda.allclose(taeda.tensor([1.]), taeda.tensor([1. + 1e-7]))
    True
    """
    cdef TensorBase a = as_tensor(input, "allclose")
    if a.device == META:
        raise NotImplementedError("[allclose] the answer depends on data, and a meta tensor has none")
    return bool(isclose(a, other, rtol, atol, equal_nan).all())


METHODS = {"allclose": allclose, "equal": equal, "isclose": isclose}

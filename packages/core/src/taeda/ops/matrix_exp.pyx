# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""The exponential and the powers of square matrices.

exp(A) = r(A / 2^s)^(2^s) with r the [13/13] Padé approximant ([7/7] in float32) and s chosen by the 1-norm; a single matrix of
small norm takes a lower degree (Nicholas Higham, "The scaling and squaring method for the matrix exponential revisited", 2005).
"""
from cpython.number cimport PyIndex_Check

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, define, record, write_out
from taeda.dtype cimport is_complex_, is_float, torch_name
from taeda.kernels.cpu.abi cimport C64, C128, F32, F64
from taeda.ops.linalg cimport batch_of, count_of, identity, need_square, rows
from taeda.tensor_base cimport META, TensorBase

import math

from taeda.dtype import complex64, float32
from taeda.operands import as_index
from taeda.ops.join import cat
from taeda.ops.masking import where
from taeda.ops.solve import linalg_inv, linalg_solve_ex

__all__ = ["linalg_matrix_exp", "linalg_matrix_power", "matrix_exp", "matrix_power"]
PUBLIC = ("matrix_exp", "matrix_power")

# degrees and the largest 1-norms for which each approximant has full precision: Higham's theta
cdef tuple PADE_FLOAT = ((3, 0.4258730016922831), (5, 1.880152677804762), (7, 3.925724783138660))
cdef tuple PADE_DOUBLE = ((3, 0.01495585217958292), (5, 0.2539398330063230), (7, 0.9504178996162932), (9, 2.097847961257068),
                          (13, 5.371920351148152))
cdef dict PADE = {F32: PADE_FLOAT, C64: PADE_FLOAT, F64: PADE_DOUBLE, C128: PADE_DOUBLE}
MOST_SQUARINGS = 1100                      # beyond the largest float64 there is nothing to scale


cdef object weighted(list powers, list weights):
    """The sum of matrices, each by its number; powers beyond the weights are left out."""
    total = powers[0] * weights[0]
    for x, w in zip(powers[1:], weights[1:], strict=False):
        total.add_(x, alpha=w)
    return total


cdef object pade(object A, int degree, object eye):
    """r(A) = q(-A)^-1 q(A); even and odd powers apart, so that q(A) and q(-A) share their products.

    Beyond the seventh, powers are those up to the sixth times the sixth: six products for degree 13, four for degree 7.
    """
    cdef int k
    # q(x) = sum b_k x^k, b_k = (2d - k)! d! / ((2d)! k! (d - k)!)
    b = [math.factorial(2 * degree - k) * math.comb(degree, k) / math.factorial(2 * degree) for k in range(degree + 1)]
    powers = [eye, A @ A]
    while len(powers) < min(degree, 7) // 2 + 1:
        powers.append(powers[1] @ powers[len(powers) - 1])
    even, odd = weighted(powers, b[:8:2]), weighted(powers, b[1:8:2])
    if degree > 7:
        even = even + powers[3] @ weighted(powers[1:], b[8::2])
        odd = odd + powers[3] @ weighted(powers[1:], b[9::2])
    odd = A @ odd
    return linalg_solve_ex(even - odd, even + odd).result


cdef object exponential(TensorBase A):
    degree, theta = PADE[A.view.dtype][len(PADE[A.view.dtype]) - 1]
    eye = identity(A, batch_of(A), rows(A))
    size = A.abs().sum(-2).amax(-1)
    size = size.masked_fill(~size.isfinite(), 0)       # nan and inf spread by themselves
    if count_of(batch_of(A)) == 1:                     # of more each would want its own degree, whatever its neighbours are
        norm = float(size)
        degree, theta = next((pair for pair in PADE[A.view.dtype] if norm <= pair[1]), (degree, theta))
    squarings = (size / theta).clamp(min=1).log2().ceil()
    x = pade(A * (-squarings).exp2().unsqueeze(-1).unsqueeze(-1), degree, eye)
    for k in range(min(int(squarings.max()), MOST_SQUARINGS)):
        x = where((squarings > k).unsqueeze(-1).unsqueeze(-1), x @ x, x)
    return x.contiguous()


cdef object exp_vjp(Node n, object g):
    """exp([[A^H, G], [0, A^H]]) has gA in its upper right corner"""
    cdef object A = n.raw(0).mH
    k = A.shape[-1]
    both = cat((cat((A, g), -1), cat((A.new_zeros(A.shape), A), -1)), -2)
    return linalg_matrix_exp(both)[..., :k, k:]

cdef Op EXP = define("linalg_matrix_exp", exp_vjp, 0, 0, "gesdd", "LinalgMatrixExpBackward0")


def linalg_matrix_exp(A):
    """Return the exponentials of square matrices (..., n, n): I + A + A^2 / 2! + ...

    >>> import taeda
    >>> taeda.linalg.matrix_exp(taeda.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    cdef TensorBase x = need_square("linalg.matrix_exp", A), y
    cdef object wide = x
    if not (is_float(x.view.dtype) or is_complex_(x.view.dtype)):
        raise RuntimeError(f"[linalg.matrix_exp] Expected a floating point or complex tensor as input. Got {torch_name(x.view.dtype)}; "
                           "convert with .float()")
    if x.view.dtype not in PADE:                       # half precision
        wide = wide.to(complex64 if is_complex_(x.view.dtype) else float32)
        return linalg_matrix_exp(wide).to((<object>x).dtype)
    if x.view.numel == 0 or x.device == META:
        y = (<object>x).detach().clone()
        y = y.contiguous()
    else:
        y = exponential(x.detach())
    record(EXP, y, (x,), (x,))
    return y


def matrix_exp(input):
    """Return the exponentials of square matrices; see ``taeda.linalg.matrix_exp``.

    >>> import taeda
    >>> taeda.matrix_exp(taeda.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return linalg_matrix_exp(input)


def linalg_matrix_power(A, n, *, out=None):
    """Return the n-th powers of square matrices (..., k, k): by squaring; of the inverse where n is negative.

    >>> import taeda
    >>> taeda.linalg.matrix_power(taeda.tensor([[1., 1.], [0., 1.]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    cdef TensorBase x = need_square("linalg.matrix_power", A)
    cdef object power = None, square
    if isinstance(n, bool) or not PyIndex_Check(n):
        raise TypeError(f"[linalg.matrix_power] argument 'n' must be int, not {type(n).__name__}")
    n = as_index("linalg.matrix_power", n)
    if n == 0:
        y = x.clone().contiguous().copy_(identity(x, batch_of(x), rows(x)))      # in the graph, as PyTorch's
        return y if out is None else write_out(out, <TensorBase>y, "linalg.matrix_power")
    square = linalg_inv(x) if n < 0 else x
    n = abs(n)
    if n == 1:
        power = square.clone().contiguous() if square is x else square
    else:
        while True:
            if n & 1:
                power = square if power is None else power @ square
            n >>= 1
            if not n:
                break
            square = square @ square
    return power if out is None else write_out(out, <TensorBase>power, "linalg.matrix_power")


def matrix_power(input, n, *, out=None):
    """Return the n-th powers of square matrices; see ``taeda.linalg.matrix_power``.

    >>> import taeda
    >>> taeda.matrix_power(taeda.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    return linalg_matrix_power(input, n, out=out)


METHODS = {"matrix_exp": matrix_exp, "matrix_power": matrix_power}

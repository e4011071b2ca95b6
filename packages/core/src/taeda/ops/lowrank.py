"""A few singular values or eigenpairs of large matrices: by random projections, and by the interface of LOBPCG.

Nathan Halko, Per-Gunnar Martinsson, Joel Tropp, "Finding structure with randomness" (2009): algorithms 4.4
and 5.1.  The range of A is sought in q random combinations of its columns, refined by power iterations.
"""

from __future__ import annotations

from taeda.operands import need_tensor
from taeda.ops.eigen import linalg_eigh, linalg_svd
from taeda.ops.factor import linalg_cholesky, linalg_qr
from taeda.ops.random import randn
from taeda.ops.solve import linalg_solve_triangular

__all__ = ["lobpcg", "pca_lowrank", "svd_lowrank"]
PUBLIC = ("lobpcg", "pca_lowrank", "svd_lowrank")
METHODS: dict = {}


def _basis(A, q, niter):
    """Return q orthonormal columns that span about the range of A."""
    x = A @ randn(A.shape[-1], q, dtype=A.dtype, device=A.device)
    Q = linalg_qr(x).Q
    for _ in range(min(niter, 1000)):                       # by then nothing moves that rounding lets settle
        Q = linalg_qr(A.mH @ Q).Q
        Q = linalg_qr(A @ Q).Q
    return Q


def svd_lowrank(A, q=6, niter=2, M=None):
    """Return U (..., m, q), S (..., q) and V (..., n, q) with A (or A - M) about U diag(S) V^H.

    ``niter`` power iterations sharpen the result; q slightly above the rank is best.  Results depend on the
    random number generator.

    >>> import taeda
    >>> A = taeda.outer(taeda.tensor([3.0, 4.0]), taeda.tensor([1.0, 0.0, 0.0]))
    >>> taeda.svd_lowrank(A, q=1)[1].round(decimals=3)
    tensor([5.])
    """
    need_tensor("svd_lowrank", "A", A)
    if M is not None:
        A = A - M
    m, n = A.shape[-2:]
    if m < n:                          # the shorter side is projected
        A = A.mH
    Q = _basis(A, q, niter)
    U, S, Vh = linalg_svd(Q.mH @ A, False)
    U, V = Q @ U, Vh.mH
    return (V, S, U) if m < n else (U, S, V)


def pca_lowrank(A, q=None, center=True, niter=2):
    """Return U, S and V of the principal components of the rows of A (..., m, n), centred unless told otherwise.

    V's columns are the directions, S^2 / (m - 1) the variances along them.  q is min(6, m, n) if not said.

    Raises ValueError where q is negative or larger than min(m, n).

    >>> import taeda
    >>> x = taeda.tensor([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])             # on a line through the mean (1, 2)
    >>> U, S, V = taeda.pca_lowrank(x, q=1)
    >>> (V[1] / V[0]).round(decimals=3), (S ** 2 / 2).round(decimals=3)
    (tensor([2.]), tensor([5.]))
    """
    need_tensor("pca_lowrank", "A", A)
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"[pca_lowrank] q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if not niter >= 0:
        raise ValueError(f"[pca_lowrank] niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, True) if center else A, q, niter)


def lobpcg(A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None, tracker=None,
           ortho_iparams=None, ortho_fparams=None, ortho_bparams=None):
    """Return the k largest (or smallest) eigenvalues E (..., k) and eigenvectors X (..., m, k) of A x = E B x.

    A is symmetric and B (the identity, if not given) positive-definite, both dense, so the answer is that of
    the direct solver: what steers LOBPCG's iteration (X, iK, niter, tol, method, ortho_*) is not needed.

    Raises ValueError where m < 3 k, and NotImplementedError for a ``tracker``, since nothing is iterated.

    >>> import taeda
    >>> A = taeda.diag(taeda.tensor([5.0, 1.0, 3.0]))
    >>> taeda.lobpcg(A, k=1)[0]
    tensor([5.])
    """
    need_tensor("lobpcg", "A", A)
    if tracker is not None:
        raise NotImplementedError("[lobpcg] a tracker follows iterations; the direct solver has none")
    if X is not None:
        need_tensor("lobpcg", "X", X)
    m = A.shape[-2]
    k = (1 if X is None else X.shape[-1]) if k is None else k
    n = k if n is None and X is None else X.shape[-1] if n is None else n
    if m < 3 * n:
        raise ValueError(f"[lobpcg] LPBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of "
                         f"requested eigenpairs (={n})")
    if B is not None:                  # B = L L^H: the eigenvalues are those of L^-1 A L^-H
        L = linalg_cholesky(B)
        A = linalg_solve_triangular(L, linalg_solve_triangular(L, A, upper=False).mH, upper=False).mH
    E, V = linalg_eigh((A + A.mH) / 2)           # A enters by both of its triangles, as it does in products
    if largest is None or largest:
        E, V = E.flip(-1), V.flip(-1)
    E, V = E[..., :k], V[..., :k]
    return E, V if B is None else linalg_solve_triangular(L.mH, V, upper=True)

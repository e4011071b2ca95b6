"""Linear algebra, as PyTorch's ``torch.linalg``: solvers, factors, eigenvalues, norms, products.

Inputs are (..., m, n): all leading dimensions are batches.  The functions live in ``taeda.ops``; this room
gives them their short names.
"""

from __future__ import annotations

from taeda.ops import LinAlgError
from taeda.ops import linalg_cholesky as cholesky
from taeda.ops import linalg_cholesky_ex as cholesky_ex
from taeda.ops import linalg_cond as cond
from taeda.ops import linalg_cross as cross
from taeda.ops import linalg_det as det
from taeda.ops import linalg_diagonal as diagonal
from taeda.ops import linalg_eig as eig
from taeda.ops import linalg_eigh as eigh
from taeda.ops import linalg_eigvals as eigvals
from taeda.ops import linalg_eigvalsh as eigvalsh
from taeda.ops import linalg_householder_product as householder_product
from taeda.ops import linalg_inv as inv
from taeda.ops import linalg_inv_ex as inv_ex
from taeda.ops import linalg_ldl_factor as ldl_factor
from taeda.ops import linalg_ldl_factor_ex as ldl_factor_ex
from taeda.ops import linalg_ldl_solve as ldl_solve
from taeda.ops import linalg_lstsq as lstsq
from taeda.ops import linalg_lu as lu
from taeda.ops import linalg_lu_factor as lu_factor
from taeda.ops import linalg_lu_factor_ex as lu_factor_ex
from taeda.ops import linalg_lu_solve as lu_solve
from taeda.ops import linalg_matmul as matmul
from taeda.ops import linalg_matrix_exp as matrix_exp
from taeda.ops import linalg_matrix_norm as matrix_norm
from taeda.ops import linalg_matrix_power as matrix_power
from taeda.ops import linalg_matrix_rank as matrix_rank
from taeda.ops import linalg_multi_dot as multi_dot
from taeda.ops import linalg_norm as norm
from taeda.ops import linalg_pinv as pinv
from taeda.ops import linalg_qr as qr
from taeda.ops import linalg_slogdet as slogdet
from taeda.ops import linalg_solve as solve
from taeda.ops import linalg_solve_ex as solve_ex
from taeda.ops import linalg_solve_triangular as solve_triangular
from taeda.ops import linalg_svd as svd
from taeda.ops import linalg_svdvals as svdvals
from taeda.ops import linalg_tensorinv as tensorinv
from taeda.ops import linalg_tensorsolve as tensorsolve
from taeda.ops import linalg_vander as vander
from taeda.ops import linalg_vecdot as vecdot
from taeda.ops import linalg_vector_norm as vector_norm

__all__ = ["LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
           "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
           "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv",
           "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot",
           "vector_norm"]

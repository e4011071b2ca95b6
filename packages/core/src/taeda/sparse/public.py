"""The functions of ``creation`` as programs call them: modes see these calls, and not those that taeda makes itself."""

from __future__ import annotations

from taeda._override import function_for
from taeda.sparse import creation

__all__ = [
    "sparse_bsc_tensor", "sparse_bsr_tensor", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor",
]  # fmt: skip

sparse_bsc_tensor, sparse_bsr_tensor, sparse_compressed_tensor, sparse_coo_tensor, sparse_csc_tensor, sparse_csr_tensor = (
    function_for(getattr(creation, name), name, creation.__name__, False) for name in __all__
)

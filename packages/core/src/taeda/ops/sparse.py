"""Methods of every tensor by which it becomes sparse, or that only sparse tensors have; the work is done in ``taeda.sparse``."""

from __future__ import annotations

import importlib
from typing import Any

from taeda.ops.matmul import mm

__all__: list = []
PUBLIC = ("dsmm", "hspmm", "smm", "spmm", "sspaddmm")


def _form() -> Any:
    return importlib.import_module("taeda.sparse").rules.rules_form       # at the first use: other programs need none of it


def to_sparse(input, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
    """Return the tensor in a sparse layout, its elements that are not zero.

    Args:
        sparse_dim: of coordinates, how many dimensions, from the first on, are sparse; by default all.
        layout: ``taeda.sparse_coo`` (the default), ``sparse_csr``, ``sparse_csc``, ``sparse_bsr`` or ``sparse_bsc``.
        blocksize: the size of a block, for the last two.
        dense_dim: how many of the last dimensions are dense: each element is a tensor of them.

    >>> import taeda
    >>> taeda.tensor([0.0, 2.0]).to_sparse().indices()
    tensor([[1]])
    """
    return _form().to_sparse(input, sparse_dim, layout=layout, blocksize=blocksize, dense_dim=dense_dim)


def to_sparse_coo(input):
    """Return the tensor in coordinate format.

    >>> import taeda
    >>> taeda.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse_coo().indices().tolist()
    [[0], [1]]
    """
    return _form().to_sparse(input)


def to_sparse_csr(input, dense_dim=None):
    """Return a matrix, or a batch of them, in compressed sparse row format; its elements have the last ``dense_dim`` dimensions.

    >>> import taeda
    >>> taeda.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse_csr().crow_indices()
    tensor([0, 1, 1])
    """
    return _form().CONVERSIONS["to_sparse_csr"](input, dense_dim=dense_dim)


def to_sparse_csc(input, dense_dim=None):
    """Return a matrix in compressed sparse column format.

    >>> import taeda
    >>> taeda.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse_csc().ccol_indices()
    tensor([0, 0, 1])
    """
    return _form().CONVERSIONS["to_sparse_csc"](input, dense_dim=dense_dim)


def to_sparse_bsr(input, blocksize, dense_dim=None):
    """Return a matrix in compressed sparse row format of blocks: those that have an element other than zero.

    >>> import taeda
    >>> blocks = taeda.eye(4).to_sparse_bsr((2, 2))
    >>> blocks.crow_indices().tolist(), blocks.col_indices().tolist(), tuple(blocks.values().shape)
    ([0, 1, 2], [0, 1], (2, 2, 2))
    """
    return _form().CONVERSIONS["to_sparse_bsr"](input, blocksize, dense_dim)


def to_sparse_bsc(input, blocksize, dense_dim=None):
    """Return a matrix in compressed sparse column format of blocks.

    >>> import taeda
    >>> taeda.eye(4).to_sparse_bsc((2, 2)).ccol_indices()
    tensor([0, 1, 2])
    """
    return _form().CONVERSIONS["to_sparse_bsc"](input, blocksize, dense_dim)


def sparse_mask(input, mask):
    """Return the elements where the sparse tensor ``mask`` has some, as a tensor of its indices.

    >>> import taeda
    >>> mask = taeda.eye(2).to_sparse()
    >>> taeda.tensor([[1.0, 2.0], [3.0, 4.0]]).sparse_mask(mask).to_dense()
    tensor([[1., 0.],
            [0., 4.]])
    """
    return _form().sparse_mask(input, mask)


def smm(input, mat2):
    """Return the product of a sparse and a dense matrix as a sparse tensor.

    >>> import taeda
    >>> s = taeda.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse()
    >>> taeda.smm(s, taeda.ones(2, 2)).to_dense()
    tensor([[2., 2.],
            [0., 0.]])
    """
    return _refuse("smm", "sparse coordinate tensor layout")


def hspmm(mat1, mat2, *, out=None):
    """Return the product of a sparse and a dense matrix as a hybrid tensor: the rows in which the sparse one has elements.

    >>> import taeda
    >>> s = taeda.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse()
    >>> product = taeda.hspmm(s, taeda.ones(2, 3))
    >>> product.sparse_dim(), product.dense_dim(), product.to_dense().tolist()
    (1, 1, [[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    """
    return _refuse("hspmm", "sparse coordinate tensor layout")


def sspaddmm(input, mat1, mat2, *, beta=1, alpha=1, out=None):
    """Return beta input + alpha (mat1 @ mat2), of a sparse input and mat1, as a sparse tensor.

    >>> import taeda
    >>> s = taeda.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse()
    >>> taeda.sspaddmm(s, s, taeda.ones(2, 2), beta=10.0).to_dense()
    tensor([[ 2., 22.],
            [ 0.,  0.]])
    """
    return _refuse("sspaddmm", "sparse coordinate tensor layout")


def spmm(input, mat2):
    """Return the product of two matrices, of which the first is sparse as a rule.

    >>> import taeda
    >>> taeda.spmm(taeda.eye(2).to_sparse(), taeda.ones(2, 1))
    tensor([[1.],
            [1.]])
    """
    return mm(input, mat2)


dsmm = spmm


def _refuse(name: str, wanted: str, error: type[Exception] = RuntimeError) -> Any:
    raise error(f"[{name}] {name} expected {wanted} but got Strided; hint: .to_sparse()")


# what these return of a sparse tensor, and an example
_COO_EXAMPLE = ">>> s = taeda.sparse_coo_tensor([[2, 0, 0]], [1., 2., 3.], (3,))"
_CSR_EXAMPLE = ">>> s = taeda.tensor([[0., 7.], [0., 8.]]).to_sparse_csr()"
_CSC_EXAMPLE = ">>> s = taeda.tensor([[0., 7.], [0., 8.]]).to_sparse_csc()"
_SAID = {
    "coalesce": ("the sparse tensor with its indices sorted, each once; values at one place are added", _COO_EXAMPLE,
                 ">>> s.coalesce().indices(), s.coalesce().values()\n(tensor([[0, 2]]), tensor([5., 1.]))"),
    "indices": ("the indices (dimensions, elements) of a coalesced tensor", _COO_EXAMPLE,
                ">>> s.coalesce().indices()\ntensor([[0, 2]])"),
    "values": ("the values of the elements, one for each index; of a COO tensor once it is coalesced", _COO_EXAMPLE,
               ">>> s.coalesce().values()\ntensor([5., 1.])"),
    "is_coalesced": ("whether the indices are sorted and each is there once", _COO_EXAMPLE,
                     ">>> s.is_coalesced(), s.coalesce().is_coalesced()\n(False, True)"),
    "crow_indices": ("where each row begins among the elements, and their number at the end", _CSR_EXAMPLE,
                     ">>> s.crow_indices()\ntensor([0, 1, 2])"),
    "col_indices": ("the column of each element", _CSR_EXAMPLE, ">>> s.col_indices()\ntensor([1, 1])"),
    "ccol_indices": ("where each column begins among the elements, and their number at the end", _CSC_EXAMPLE,
                     ">>> s.ccol_indices()\ntensor([0, 0, 2])"),
    "row_indices": ("the row of each element", _CSC_EXAMPLE, ">>> s.row_indices()\ntensor([0, 1])"),
    "sparse_resize_": ("this sparse tensor with other sizes and numbers of dimensions, changed in place", _COO_EXAMPLE,
                       ">>> s.sparse_resize_((5,), 1, 0).shape\ntaeda.Size([5])"),
    "sparse_resize_and_clear_": ("this sparse tensor with other sizes and no elements, changed in place", _COO_EXAMPLE,
                                 ">>> s.sparse_resize_and_clear_((5,), 1, 0)._nnz()\n0"),
}


def _only(name: str, wanted: str, error: type[Exception] = RuntimeError) -> Any:
    def raises(input, *args, **kwargs):
        _refuse(name, wanted, error)

    raises.__name__ = raises.__qualname__ = name
    what, *example = _SAID.get(name, (f"what only a tensor of {wanted} has",))
    raises.__doc__ = f"Return {what}.\n\n{error.__name__} for a tensor of another layout than the {wanted}."
    if example:
        raises.__doc__ += "\n\n" + "\n".join([">>> import taeda", *example])
    return raises


_COO = "sparse coordinate tensor layout"
METHODS = {
    "smm": smm, "sparse_mask": sparse_mask, "sspaddmm": sspaddmm, "to_sparse": to_sparse, "to_sparse_bsc": to_sparse_bsc,
    "to_sparse_bsr": to_sparse_bsr, "to_sparse_coo": to_sparse_coo, "to_sparse_csc": to_sparse_csc, "to_sparse_csr": to_sparse_csr,
    **{name: _only(name, _COO) for name in ("coalesce", "indices", "is_coalesced", "sparse_resize_", "sparse_resize_and_clear_",
                                            "_coalesced_")},
    **{name: _only(name, _COO, NotImplementedError) for name in ("_indices", "_nnz", "_values")},
    **{name: _only(name, "sparse row compressed tensor layout") for name in ("col_indices", "crow_indices")},
    **{name: _only(name, "sparse column compressed tensor layout") for name in ("ccol_indices", "row_indices")},
    "values": _only("values", "sparse tensor layout"),
}  # fmt: skip

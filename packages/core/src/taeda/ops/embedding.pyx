# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Rows of a table by index."""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, check_same_device, contiguous, define, empty_shape, integer, launch, linear, record
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport I32, I64, Param, View
from taeda.tensor_base cimport TensorBase

from taeda import _above

__all__ = ["embedding"]
PUBLIC = ()
METHODS = {}


# embedding_backward: gw[ix] += g, but for the padding row; with counts, each row over how often it was asked for
cdef object embedding_backward_vjp(Node n, object g):
    cdef TensorBase ix = n.load(0)
    padding_idx, by_freq = n.extra
    gg = lookup(ix, <TensorBase>g, padding_idx, False)
    if padding_idx >= 0:
        gg = gg * (<object>ix != padding_idx).unsqueeze(-1)
    if by_freq:
        flat = (<object>ix).flatten()
        count = flat.new_zeros(g.shape[0]).index_add(0, flat, flat.new_ones(flat.shape[0]))
        gg = gg / count[ix].unsqueeze(-1)
    return gg

cdef Op EMBEDDING_BACKWARD = linear(define("embedding_backward", embedding_backward_vjp, 0, 0, None,
                                    "EmbeddingDenseBackwardBackward0"))

cdef TensorBase embedding_backward(object cotangent, TensorBase ix, object rows, object padding_idx, bint by_freq):
    cdef TensorBase g = contiguous(<TensorBase>cotangent), gw
    cdef View* t[3]
    cdef Param p[2]
    gw = empty_shape((rows, g.view.shape[g.view.ndim - 1]), g.view.dtype, g.device)
    t[0], t[1], t[2] = &gw.view, &g.view, &ix.view
    p[0].i, p[1].i = padding_idx, by_freq
    if gw.view.numel:
        launch(EMBEDDING_BACKWARD, g.view.dtype, g.device, 1, 3, t, p, g.view.numel + gw.view.numel)
    record(EMBEDDING_BACKWARD, gw, (g,), (ix,), (padding_idx, by_freq))
    return gw

cdef object embedding_vjp(Node n, object g):
    rows, padding_idx, by_freq = n.extra
    return embedding_backward(g, n.load(0), rows, padding_idx, by_freq)

# the same as a sparse tensor: a row for each index, but for the padding row's
cdef object embedding_sparse_vjp(Node n, object g):
    rows, padding_idx, by_freq = n.extra
    if by_freq:
        raise RuntimeError("[embedding_backward] scale_grad_by_freq not supported with sparse gradients; hint: sparse=False")
    return _above.sparse_of_rows(n.load(0), g, rows, padding_idx)

cdef Op EMBEDDING = linear(define("embedding", embedding_vjp))
cdef Op EMBEDDING_SPARSE = linear(define("embedding_sparse", embedding_sparse_vjp, 0, 0, "embedding", "EmbeddingBackward0"))

cdef TensorBase lookup(TensorBase ix, TensorBase w, object padding_idx, bint by_freq, bint sparse=False):
    cdef TensorBase out
    cdef View* t[3]
    cdef long long bad
    out = empty_shape(ix.shape_tuple() + (w.view.shape[1],), w.view.dtype, w.device)
    ix, w = contiguous(ix), contiguous(w)
    t[0], t[1], t[2] = &out.view, &w.view, &ix.view
    if ix.view.numel:
        bad = launch(EMBEDDING, w.view.dtype, w.device, 1, 3, t, NULL, out.view.numel)
        if bad > 0:
            value = (<object>ix).flatten()[bad - 1].item()
            raise IndexError(f"[embedding] index out of range in self: index {value} at position {bad - 1} of the flattened "
                             f"input is not in [0, {w.view.shape[0]}), the rows of the weight of shape {w.shape_tuple()}")
    record(EMBEDDING_SPARSE if sparse else EMBEDDING, out, (w,), (ix,), (w.view.shape[0], padding_idx, by_freq))
    return out


def embedding(input, weight, padding_idx=None, scale_grad_by_freq=False, sparse=False):
    """Return the rows of a table that the input's numbers name: out[...] = weight[input[...]].

    Args:
        input: int64 or int32 indices of any shape, each in [0, rows).
        weight: the table, (rows, D); the result has the input's shape and D.
        padding_idx: a row that gets no gradient; a negative one counts from the end.
        scale_grad_by_freq: divide each row's gradient by how often the input names it.
        sparse: the gradient is a sparse tensor, a row for each index.

    The dense gradient is added in the order of the indices, and so is the same for any number of threads.
    An index out of range is an IndexError that names it.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.embedding(taeda.tensor([2, 0]), taeda.tensor([[1., 2.], [3., 4.], [5., 6.]]))
    tensor([[5., 6.],
            [1., 2.]])
    """
    cdef TensorBase ix = as_tensor(input, "embedding"), w = as_tensor(weight, "embedding")
    if w.view.ndim != 2:
        raise RuntimeError(f"[embedding] 'weight' must be 2-D, got shape {w.shape_tuple()}")
    if ix.view.dtype != I64 and ix.view.dtype != I32:
        raise RuntimeError(f"[embedding] Expected tensor for argument #1 'indices' to have one of the following scalar types: "
                           f"Long, Int; but got {torch_name(ix.view.dtype)}; convert it with .long()")
    check_same_device("embedding", (w, ix))
    if padding_idx is None:
        padding_idx = -1
    else:
        rows, padding_idx = w.view.shape[0], integer(padding_idx, "embedding")
        if not -rows <= padding_idx < rows:
            raise AssertionError(f"[embedding] Padding_idx must be within num_embeddings: got {padding_idx} for a weight of "
                                 f"shape {w.shape_tuple()}")
        padding_idx %= rows
    return lookup(ix, w, padding_idx, scale_grad_by_freq, sparse)

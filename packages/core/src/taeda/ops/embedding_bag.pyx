# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Sums, means and maxima of bags of a table's rows."""
from libc.stdint cimport int32_t, int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, check_same_device, contiguous, define, empty_like, empty_shape, integer, launch,
                             needs_grad, record)
from taeda.dtype cimport is_float, torch_name
from taeda.kernels.cpu.abi cimport I32, I64, Param, View
from taeda.ops.arguments cimport view_of, whole_numbers
from taeda.tensor_base cimport CPU, TensorBase

from taeda import _above
from taeda.ops.searching import searchsorted
from taeda.ops.sequences import arange

__all__ = ["embedding_bag"]
PUBLIC = ()
METHODS = {}

cdef dict MODES = {"sum": 0, "mean": 1, "max": 2}


cdef Op BAG_BACKWARD = define("embedding_bag_backward", NULL)
cdef Op MAX_BACKWARD = define("embedding_bag_max_backward", NULL)
cdef Op SCALE_BACKWARD = define("embedding_bag_scale_backward", NULL)

cdef object embedding_bag_vjp(Node n, object g):
    return bag_gradients(n, g, False)

cdef object embedding_bag_sparse_vjp(Node n, object g):
    return bag_gradients(n, g, True)

cdef object bag_gradients(Node n, object g, bint sparse):
    cdef TensorBase w = n.load(0), ix = n.load(1), offsets = n.load(2), scale = n.load(3), at = n.load(4), gy, gw = None, gscale = None
    cdef View* t[5]
    cdef Param p[4]            # mode, index that is left out or -1, bags, whether gradients are divided by the index's count
    if sparse or any_needs_grad((g, w, scale)):
        return embedding_bag_composed(n, g, w, ix, offsets, scale, at, sparse)
    gy = contiguous(<TensorBase>g)
    whole_numbers(n.extra, 4, p)
    if n.needs(0):
        gw = empty_shape((n.extra[4], gy.view.shape[1]), gy.view.dtype, gy.device)
        t[0], t[1] = &gw.view, &gy.view
        if at is not None:
            t[2] = &at.view
            if gw.view.numel:
                launch(MAX_BACKWARD, gy.view.dtype, gy.device, 1, 3, t, p, gw.view.numel)
        else:
            t[2], t[3], t[4] = &ix.view, &offsets.view, view_of(scale)
            if gw.view.numel:
                launch(BAG_BACKWARD, gy.view.dtype, gy.device, 1, 5, t, p, gw.view.numel + ix.view.numel * gy.view.shape[1])
    if n.needs(1):
        gscale = empty_like(scale)
        t[0], t[1], t[2], t[3], t[4] = &gscale.view, &gy.view, &w.view, &ix.view, &offsets.view
        if gscale.view.numel:
            launch(SCALE_BACKWARD, gy.view.dtype, gy.device, 1, 5, t, p, ix.view.numel * gy.view.shape[1])
    return gw, gscale

cdef object embedding_bag_composed(Node n, object g, object w, object ix, object offsets, object scale, object at,
                                   bint sparse):
    """The gradients as differentiable functions of the cotangent, the table and the factors."""
    gw = gscale = None
    nothing = None if sparse else g.new_zeros((n.extra[4], g.shape[1]))
    if at is not None:
        return nothing.scatter_add(0, at.clamp(0), g * (at >= 0)) if n.needs(0) else None, None
    skip, bags = n.extra[1:3]
    bag = searchsorted(offsets[:bags], arange(ix.shape[0], dtype=offsets.dtype, device=ix.device), right=True) - 1
    kept = ix != skip
    if offsets.shape[0] > bags:                          # what lies behind the last bag is in none
        kept = kept & (arange(ix.shape[0], dtype=offsets.dtype, device=ix.device) < offsets[bags])
    kept = kept.to(g.dtype)
    factor = kept if scale is None else kept * scale
    if n.extra[0] == 1:
        factor = factor / kept.new_zeros(bags).index_add(0, bag, kept).clamp(1)[bag]
    if n.extra[3] and sparse:
        raise RuntimeError("[embedding_backward] scale_grad_by_freq not supported with sparse gradients; hint: sparse=False")
    if n.extra[3]:
        count = kept.new_zeros(n.extra[4]).index_add(0, ix, kept.new_ones(ix.shape[0]))
        factor = factor / count[ix]
    rows = g[bag]
    if n.needs(0) and sparse:
        gw = _above.sparse_of_rows(ix, rows * factor.unsqueeze(1), n.extra[4], skip)
    elif n.needs(0):
        gw = nothing.index_add(0, ix, rows * factor.unsqueeze(1))
    if n.needs(1):
        gscale = (rows * w[ix]).sum(1) * kept
    return gw, gscale

cdef Op EMBEDDING_BAG = define("embedding_bag", embedding_bag_vjp)
cdef Op EMBEDDING_BAG_SPARSE = define("embedding_bag_sparse", embedding_bag_sparse_vjp, 0, 0, "embedding_bag", "EmbeddingBagBackward0")


cdef TensorBase index_tensor(str name, object value):
    cdef TensorBase t = as_tensor(value, "embedding_bag")
    if t.view.dtype != I64 and t.view.dtype != I32:
        raise RuntimeError(f"[embedding_bag] Expected tensor for argument '{name}' to have one of the following scalar types: Long, "
                           f"Int; but got {torch_name(t.view.dtype)}; convert it with .long()")
    return contiguous(t)


cdef int check_offsets(TensorBase offsets, int64_t n, bint include_last) except -1:
    if offsets.view.ndim != 1:
        raise ValueError(f"[embedding_bag] offsets has to be a 1D Tensor, got shape {offsets.shape_tuple()}")
    if include_last and offsets.view.numel == 0:
        raise RuntimeError("[embedding_bag] include_last_offset: number of offset should be at least 1")
    if offsets.view.numel == 0 or offsets.device != CPU:
        return 0
    cdef const int32_t* narrow = <const int32_t*>offsets.view.data
    cdef const int64_t* wide = <const int64_t*>offsets.view.data
    cdef bint short = offsets.view.dtype == I32
    cdef int64_t count = offsets.view.numel, i, least = 0
    cdef int64_t first = narrow[0] if short else wide[0], last = narrow[count - 1] if short else wide[count - 1]
    if first != 0:
        raise RuntimeError("[embedding_bag] offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
                           f"position 0. However, got {first}")
    if last > n:
        raise RuntimeError(f"[embedding_bag] offsets[-1] can not be greater than input's length {n} but got offsets[-1] of {last}")
    for i in range(count):
        least = min(least, <int64_t>narrow[i] if short else wide[i])
    if least < 0:
        raise IndexError(f"[embedding_bag] offsets must not be negative, got {least}")
    return 0


def embedding_bag(input, weight, offsets=None, scale_grad_by_freq=False, mode="mean", per_sample_weights=None,
                  include_last_offset=False, padding_idx=None, sparse=False):
    """Return the sum, mean or maximum of the rows of each bag: y[b] = reduce over i in bag b of weight[input[i]].

    Args:
        input: int64 or int32 indices: (B, n), a bag a row; or (n,), cut into bags at ``offsets``.
        weight: the table, (rows, D); the result is (B, D), zero for empty bags.
        offsets: (B,) where each bag starts; with ``include_last_offset`` (B + 1,), the last one being n.
        scale_grad_by_freq: divide each row's gradient by how often the input names it ('sum' and 'mean').
        mode: 'sum', 'mean' or 'max'.
        per_sample_weights: of the input's shape: factors of the rows in sums.
        padding_idx: an index that is left out of its bag; a negative one counts from the end.
        sparse: the gradient is a sparse tensor, a row for each index ('sum' and 'mean').

    Raises ValueError for shapes or modes that do not fit, RuntimeError for an index out of range, which it names.

    >>> import taeda
    >>> from taeda import ops
    >>> table = taeda.tensor([[1., 2.], [3., 4.], [5., 6.]])
    >>> ops.embedding_bag(taeda.tensor([0, 1, 2]), table, taeda.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [5., 6.]])
    """
    return with_places(input, weight, offsets, scale_grad_by_freq, mode, per_sample_weights, include_last_offset, padding_idx,
                       sparse)[0]


cdef int check_arguments(TensorBase w, TensorBase ix, TensorBase scale, object mode) except -1:
    """Raise for a table, a mode or factors that no bag can be made of."""
    if mode not in MODES:
        raise ValueError(f"[embedding_bag] mode has to be one of sum, mean or max, got {mode!r}")
    if w.view.ndim != 2:
        raise ValueError(f"[embedding_bag] weight has to be a 2D Tensor, but got Tensor of dimension {w.view.ndim}")
    if not is_float(w.view.dtype):
        raise RuntimeError("[embedding_bag] Expected tensor for argument 'weight' to have one of the following scalar types: Half, "
                           f"BFloat16, Float, Double; but got {torch_name(w.view.dtype)}")
    if scale is not None and scale.shape_tuple() != ix.shape_tuple():
        raise ValueError(f"[embedding_bag] If per_sample_weights ({scale.shape_tuple()}) is not None, then it must have the same "
                         f"shape as the input ({ix.shape_tuple()})")
    return 0


cdef int check_together(TensorBase w, TensorBase scale, object mode, object scale_grad_by_freq) except -1:
    """Raise for options that do not go together."""
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("[embedding_bag] max mode does not support scaling the gradient by the frequency")
    if scale is not None and mode != "sum":
        raise NotImplementedError("[embedding_bag] per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
                                  f"(got mode='{mode}')")
    if scale is not None and scale.view.dtype != w.view.dtype:
        raise RuntimeError("[embedding_bag] Expected tensor for argument 'weight' to have the same type as tensor for argument "
                           f"'per_sample_weights'; but type {torch_name(w.view.dtype)} does not equal {torch_name(scale.view.dtype)}")
    return 0


cdef TensorBase starts_of(TensorBase ix, object offsets, bint include_last_offset):
    """Where in the indices each bag starts: a row of two dimensions is a bag, those of one are cut at the offsets."""
    cdef TensorBase starts
    if ix.view.ndim == 2:
        if offsets is not None:
            raise ValueError("[embedding_bag] if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed "
                             f"length sequences. However, found offsets of type {type(offsets)}")
        return arange(ix.view.shape[0] + include_last_offset, dtype=(<object>ix).dtype, device=(<object>ix).device) * ix.view.shape[1]
    if ix.view.ndim != 1:
        raise ValueError(f"[embedding_bag] input has to be 1D or 2D Tensor, but got Tensor of dimension {ix.view.ndim}")
    if offsets is None:
        raise ValueError("[embedding_bag] offsets has to be a 1D Tensor but got None")
    starts = index_tensor("offsets", offsets)
    check_offsets(starts, ix.view.numel, include_last_offset)
    return starts


cdef object padding_row(object padding_idx, int64_t rows):
    """The row that counts for nothing, from the front; -1 for none."""
    if padding_idx is None:
        return -1
    padding_idx = integer(padding_idx, "embedding_bag")
    if not -rows <= padding_idx < rows:
        raise RuntimeError(f"[embedding_bag] padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, but got "
                           f"{padding_idx}")
    return padding_idx % rows


def with_places(input, weight, offsets, scale_grad_by_freq, mode, per_sample_weights, include_last_offset, padding_idx, sparse=False):
    """Return :func:`embedding_bag`, the rows that hold the maxima (None for other modes), and where the bags start."""
    cdef TensorBase w = as_tensor(weight, "embedding_bag"), ix = index_tensor("indices", input), at = None, scale = None, y, table, starts
    cdef View* t[6]
    cdef Param p[4]
    cdef long long bad
    cdef int64_t bags, rows
    if per_sample_weights is not None:
        scale = as_tensor(per_sample_weights, "embedding_bag")
    check_arguments(w, ix, scale, mode)
    starts = starts_of(ix, offsets, include_last_offset)
    bags = starts.view.numel - include_last_offset
    check_together(w, scale, mode, scale_grad_by_freq)
    check_same_device("embedding_bag", (w, ix, starts, scale))
    rows = w.view.shape[0]
    padding_idx = padding_row(padding_idx, rows)
    if ix.view.ndim == 2:
        ix, scale = (<object>ix).reshape(-1), None if scale is None else (<object>scale).reshape(-1)
    scale = None if scale is None else contiguous(scale)
    table = contiguous(w)
    y = empty_shape((bags, w.view.shape[1]), w.view.dtype, w.device)
    if mode == "max":
        at = empty_shape((bags, w.view.shape[1]), I64, w.device)
    how = (MODES[mode], padding_idx, bags, bool(scale_grad_by_freq), rows)
    whole_numbers(how, 4, p)
    t[0], t[1], t[2], t[3], t[4], t[5] = &y.view, view_of(at), &table.view, &ix.view, &starts.view, view_of(scale)
    bad = launch(EMBEDDING_BAG, w.view.dtype, w.device, 2, 6, t, p, ix.view.numel * w.view.shape[1]) if bags else 0
    if bad > 0:
        value = (<object>ix)[bad - 1].item()
        raise RuntimeError(f"[embedding_bag] Index {bad - 1} of input takes value {value} which is not in the valid range [0, {rows})")
    # the table is saved only for the factors' gradient: max_norm writes into it between two calls
    kept = table if scale is not None and needs_grad(scale) else None
    record(EMBEDDING_BAG_SPARSE if sparse and mode != "max" else EMBEDDING_BAG, y, (table, scale), (kept, ix, starts, scale, at), how)
    return y, at, starts

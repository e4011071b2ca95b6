# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Scaled dot-product attention: softmax(scale Q K^T + mask) V.

One kernel computes it by blocks, one its three gradients; the matrix of scores never exists.  What the kernels do not
give, the derivative by an added mask and by the gradients themselves, is composed of other ops and does hold that matrix.
"""
from libc.math cimport sqrt
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, check_same_device, contiguous, define, empty, empty_as, empty_shape,
                             launch, needs_grad, record, to_dtype)
from taeda.dtype cimport dtype_of, is_complex_, is_float, name_of, torch_name
from taeda.kernels.cpu.abi cimport BF16, BOOL, F16, F32, F64, MAX_DIM, Param, View
from taeda.operands cimport real_number
from taeda.tensor_base cimport TensorBase, alias

__all__ = ["scaled_dot_product_attention"]
PUBLIC = ()
METHODS = {}


# -- arguments ---------------------------------------------------------------------------------------


cdef int check_operands(TensorBase q, TensorBase k, TensorBase v, TensorBase mask, bint grouped) except -1:
    """Raise unless query, key, value and mask go together."""
    cdef int64_t E = q.view.shape[q.view.ndim - 1] if q.view.ndim else 0
    if q.view.ndim < 2 or k.view.ndim < 2 or v.view.ndim < 2:
        raise RuntimeError("[scaled_dot_product_attention] Expected query, key, and value to all be at least 2 dimensional, but got "
                           f"shapes {q.shape_tuple()}, {k.shape_tuple()} and {v.shape_tuple()}; they are (..., L, E), (..., S, E) and "
                           "(..., S, D)")
    if q.view.dtype != k.view.dtype or q.view.dtype != v.view.dtype:
        raise RuntimeError("[scaled_dot_product_attention] Expected query, key, and value to have the same dtype, but got "
                           f"query.dtype: {name_of(q.view.dtype)}, key.dtype: {name_of(k.view.dtype)} and value.dtype: "
                           f"{name_of(v.view.dtype)} instead; convert one with .to(...)")
    check_same_device("scaled_dot_product_attention", (q, k, v, mask))
    if is_complex_(q.view.dtype):
        raise NotImplementedError(f"[scaled_dot_product_attention] not implemented for '{torch_name(q.view.dtype)}'; softmax has no "
                                  "complex kernel")
    if not is_float(q.view.dtype):
        raise RuntimeError(f"[scaled_dot_product_attention] expected scalar type {torch_name(F32)} but found "
                           f"{torch_name(q.view.dtype)}; convert query, key and value with .float()")
    if k.view.shape[k.view.ndim - 1] != E or v.view.shape[v.view.ndim - 2] != k.view.shape[k.view.ndim - 2]:
        raise RuntimeError("[scaled_dot_product_attention] query (..., L, E), key (..., S, E) and value (..., S, D) must agree in E and "
                           f"S, but got shapes {q.shape_tuple()}, {k.shape_tuple()} and {v.shape_tuple()}")
    if mask is not None and mask.view.dtype != BOOL and mask.view.dtype != F32 and mask.view.dtype != q.view.dtype:
        raise RuntimeError("[scaled_dot_product_attention] Expected attn_mask dtype to be bool or float or to match query dtype, but got "
                           f"attn_mask.dtype: {name_of(mask.view.dtype)} and query.dtype: {name_of(q.view.dtype)} instead")
    if grouped and (q.view.ndim < 3 or k.view.ndim < 3 or v.view.ndim < 3):
        raise IndexError("[scaled_dot_product_attention] enable_gqa wants a dimension of heads, the third from the end, but got shapes "
                         f"{q.shape_tuple()}, {k.shape_tuple()} and {v.shape_tuple()}")
    return 0


cdef int64_t heads_of(TensorBase x) noexcept:
    return x.view.shape[x.view.ndim - 3]


cdef object in_groups(TensorBase x, TensorBase q, TensorBase beside):
    """Keys or values whose heads serve groups of query heads: as they are, or repeated where the kernel cannot count them."""
    cdef int64_t heads = heads_of(q), own = heads_of(x)
    if own == heads:
        return x
    if own == 0 or heads % own:
        raise RuntimeError("[scaled_dot_product_attention] the number of heads in key and value must divide the number of heads in query, "
                           f"but got {heads_of(x)} and {heads} in shapes {x.shape_tuple()} and {q.shape_tuple()}")
    if own == heads_of(beside):
        return x
    return (<object>x).repeat_interleave(heads // own, -3)


cdef object with_leading(TensorBase x, tuple leading):
    """x with its leading dimensions expanded to those given."""
    cdef tuple shape = leading + x.shape_tuple()[x.view.ndim - 2:]
    return x if shape == x.shape_tuple() else (<object>x).expand(shape)


cdef tuple common(tuple a, tuple b, tuple c):
    """The shape that three sequences of leading dimensions broadcast to."""
    cdef int n = max(len(a), len(b), len(c)), i
    cdef list shape = [1] * n
    for sizes in (a, b, c):
        for i in range(len(sizes)):
            size = sizes[len(sizes) - 1 - i]
            if size != 1:
                if shape[n - 1 - i] not in (1, size):
                    raise RuntimeError(f"[scaled_dot_product_attention] The size of tensor a ({shape[n - 1 - i]}) must match the size of "
                                       f"tensor b ({size}) at non-singleton dimension {n - 1 - i}; the leading dimensions of query, key "
                                       f"and value are {a}, {b} and {c}")
                shape[n - 1 - i] = size
    return tuple(shape)


cdef int check_mask(TensorBase mask, tuple scores) except -1:
    cdef int d, n = len(scores), e
    cdef bint good = mask.view.ndim <= n
    if good:
        for d in range(mask.view.ndim):
            e = n - mask.view.ndim + d
            good = good and (mask.view.shape[d] == 1 or mask.view.shape[d] == scores[e])
    if not good:
        raise RuntimeError(f"[scaled_dot_product_attention] attn_mask of shape {mask.shape_tuple()} does not broadcast to the scores' "
                           f"shape {scores} (..., L, S)")
    return 0


cdef TensorBase rows(TensorBase x):
    """x, or a copy without history whose rows have unit stride."""
    cdef int n = x.view.ndim
    if x.view.contiguous or x.view.shape[n - 1] <= 1 or x.view.strides[n - 1] == 1:
        return x
    return contiguous(alias(x))


# -- composed of other ops ---------------------------------------------------------------------------


cdef object probabilities(object q, object k, object mask, bint causal, double scale):
    """softmax(scale q k^T + mask), where rows that see no key are 0."""
    scores = (q * scale).matmul(k.transpose(-2, -1))
    hidden = None
    if mask is not None:
        if (<TensorBase>mask).view.dtype == BOOL:
            hidden = mask.logical_not()
        else:
            scores = scores + mask
    if causal:
        seen = scores.new_ones(scores.shape[-2:], dtype=dtype_of(BOOL)).tril()
        hidden = seen.logical_not() if hidden is None else hidden.logical_or(seen.logical_not())
    if hidden is not None:
        scores = scores.masked_fill(hidden, -float("inf"))
    none = (scores.detach() == -float("inf")).all(-1, keepdim=True)       # 0 in, so that no NaN comes back through softmax
    return scores.masked_fill(none, 0.0).softmax(-1).masked_fill(none, 0.0)


cdef object repeated(object x, object q):
    """Each head of keys or values as often as query heads share it."""
    if x.shape[:-2] == q.shape[:-2]:
        return x
    return x.repeat_interleave(q.shape[-3] // x.shape[-3], -3)


cdef object composed(object q, object k, object v, object mask, object keep, double keep_scale, bint causal, double scale):
    """Attention as PyTorch's documentation writes it."""
    p = probabilities(q, repeated(k, q), mask, causal, scale)
    if keep is not None:
        p = p * (keep.to(p.dtype) * keep_scale)
    return p.matmul(repeated(v, q))


cdef object grouped_sum(object g, object like):
    """The gradient of keys or values: that of the heads which share one, added up."""
    if g.shape == like.shape:
        return g
    return g.unflatten(-3, (like.shape[-3], -1)).sum(-3)


cdef tuple composed_gradients(object g, object q, object k, object v, object mask, object keep, double keep_scale, bint causal,
                              double scale):
    """(dq, dk, dv) that can be differentiated again."""
    whole_k, whole_v = repeated(k, q), repeated(v, q)
    p = probabilities(q, whole_k, mask, causal, scale)
    dp = g.matmul(whole_v.transpose(-2, -1))
    kept = p
    if keep is not None:
        by = keep.to(p.dtype) * keep_scale
        kept, dp = p * by, dp * by
    ds = p * (dp - (dp * p).sum(-1, keepdim=True)) * scale
    return (ds.matmul(whole_k), grouped_sum(ds.transpose(-2, -1).matmul(q), k),
            grouped_sum(kept.transpose(-2, -1).matmul(g), v))


# -- the op ------------------------------------------------------------------------------------------


cdef object attention_vjp(Node n, object cotangent):
    cdef TensorBase g = <TensorBase>cotangent, q = n.load(0), k = n.load(1), v = n.load(2), y = n.load(3), lse = n.load(4)
    cdef TensorBase mask = n.load(5), keep = n.load(6), dq = None, dk = None, dv = None
    cdef View* t[11]
    cdef Param p[3]
    scale, causal, keep_scale, exact = n.extra
    if any_needs_grad((g, q, k, v)):
        return composed_gradients(g, q, k, v, mask, keep, keep_scale, causal, scale)
    if n.needs(0):
        dq = empty_rows(q)
    if n.needs(1):
        dk = empty_rows(k)
    if n.needs(2):
        dv = empty_rows(v)
    q, k, v = rows(q), rows(k), rows(v)
    t[0], t[1], t[2] = address(dq), address(dk), address(dv)
    t[3], t[4], t[5], t[6], t[7], t[8] = &g.view, &q.view, &k.view, &v.view, &y.view, &lse.view
    t[9], t[10] = address(mask), address(keep)
    p[0].f, p[1].i, p[2].f = scale, causal + 2 * exact, keep_scale
    launch(BACKWARD, q.view.dtype, q.device, 3, 11, t, p, work_of(q, k))
    return dq, dk, dv


cdef Op ATTENTION = define("attention", attention_vjp, 0, 0, None, "ScaledDotProductFlashAttentionForCpuBackward0")
cdef Op BACKWARD = define("attention_backward", NULL)


cdef inline View* address(TensorBase x) noexcept:
    return NULL if x is None else &x.view


cdef int64_t work_of(TensorBase q, TensorBase k) noexcept:
    return q.view.numel * k.view.shape[k.view.ndim - 2]


cdef TensorBase empty_rows(TensorBase x):
    """A tensor that lies in memory as x does, if rows have unit stride there."""
    cdef TensorBase y = empty_as(x, x.view.dtype, x.device)
    cdef int n = y.view.ndim
    if y.view.shape[n - 1] > 1 and y.view.strides[n - 1] != 1:
        return empty(n, x.view.shape, x.view.dtype, x.device)
    return y


cdef TensorBase result_for(TensorBase q, int64_t width, bint as_query):
    """(..., L, width), lying in memory as the queries do if that is asked for: heads and positions in their order."""
    cdef int64_t shape[MAX_DIM]
    cdef int n = q.view.ndim, d
    if as_query:
        return empty_rows(q)
    for d in range(n):
        shape[d] = q.view.shape[d]
    shape[n - 1] = width
    return empty(n, shape, q.view.dtype, q.device)


cdef TensorBase attend(TensorBase q, TensorBase k, TensorBase v, TensorBase mask, TensorBase keep, double keep_scale, bint causal,
                       double scale, bint as_query):
    cdef TensorBase y = result_for(q, v.view.shape[v.view.ndim - 1], as_query)
    cdef TensorBase lse = empty(q.view.ndim - 1, q.view.shape, F64 if q.view.dtype == F64 else F32, q.device)
    cdef TensorBase rq = rows(q), rk = rows(k), rv = rows(v)
    cdef View* t[7]
    cdef Param p[3]
    p[0].f, p[1].i, p[2].f = scale, causal, keep_scale
    t[0], t[1], t[2], t[3], t[4], t[5], t[6] = &y.view, &lse.view, &rq.view, &rk.view, &rv.view, address(mask), address(keep)
    if y.view.numel:
        launch(ATTENTION, q.view.dtype, q.device, 1, 7, t, p, work_of(q, k))
    # PyTorch's fused kernel, which knows no dropout, loses log l in a huge lse; what it composes has the derivative
    record(ATTENTION, y, (q, k, v), (q, k, v, y, lse, mask, keep), (scale, causal, keep_scale, not as_query or keep is not None))
    return y


cdef bint fused_there(TensorBase q, TensorBase k, TensorBase v, TensorBase mask):
    """Whether PyTorch's fused kernel takes the call (with dropout it would not): its result lies as the queries do."""
    cdef int64_t d = q.view.shape[q.view.ndim - 1]
    if q.view.ndim != 4 or k.view.ndim != 4 or v.view.ndim != 4 or v.view.shape[3] != d:
        return False
    if q.view.strides[3] != 1 or k.view.strides[3] != 1 or v.view.strides[3] != 1 or not (q.view.numel and k.view.numel):
        return False
    if q.view.shape[0] != k.view.shape[0] or q.view.shape[0] != v.view.shape[0] or k.view.shape[1] != v.view.shape[1]:
        return False
    return mask is None or not needs_grad(mask) and (mask.view.ndim == 2 or mask.view.ndim == 4)


cdef double probability(object p) except? -1:
    cdef double x = real_number("scaled_dot_product_attention", "dropout_p", p)
    if not 0 <= x <= 1:
        raise RuntimeError(f"[scaled_dot_product_attention] dropout probability has to be between 0 and 1, but got {p}")
    return x


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False):
    """Let every query take the mean of the values, weighted by how well their keys fit: y = softmax(scale Q K^T + mask) V.

    Computed by blocks: memory grows with L + S, not with L S (with dropout, by a byte an entry).

    Args:
        query: (..., L, E), of a floating-point dtype.
        key: (..., S, E).
        value: (..., S, D); leading dimensions broadcast.
        attn_mask: broadcasts to (..., L, S): bool, False where a query must not see a key, or float, added to the scores.
        dropout_p: probability with which a weight is set to zero; 0 in evaluation.
        is_causal: query i sees keys 0 to i.
        scale: 1 / sqrt(E) if None.
        enable_gqa: key and value (..., Hk, S, E) have fewer heads than query (..., H, L, E); head h uses number h Hk // H.

    Returns (..., L, D).  A query that sees no key gives zeros.

    Raises:
        RuntimeError: shapes, dtypes or devices do not fit, or a probability is outside [0, 1].

    Source: Vaswani et al., "Attention is all you need" (2017); Dao et al., "FlashAttention" (2022).

    >>> import taeda
    >>> from taeda import ops
    >>> x = taeda.eye(2).reshape(1, 2, 2)
    >>> ops.scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[[1.0000, 0.0000],
             [0.3302, 0.6698]]])
    """
    cdef TensorBase q = as_tensor(query, "scaled_dot_product_attention"), k = as_tensor(key, "scaled_dot_product_attention")
    cdef TensorBase v = as_tensor(value, "scaled_dot_product_attention"), mask = None, keep = None
    cdef double p = probability(dropout_p), by = 0, keep_scale = 1
    cdef tuple leading, scores
    cdef bint as_query
    cdef int dtype
    if attn_mask is not None:
        mask = as_tensor(attn_mask, "scaled_dot_product_attention")
    if not isinstance(is_causal, bool):
        raise TypeError(f"[scaled_dot_product_attention] argument 'is_causal' must be bool, not {type(is_causal).__name__}")
    if scale is not None:
        by = real_number("scaled_dot_product_attention", "scale", scale)
    check_operands(q, k, v, mask, enable_gqa)
    if scale is None:
        by = 1.0 / sqrt(<double>q.view.shape[q.view.ndim - 1]) if q.view.shape[q.view.ndim - 1] else 1.0
    as_query = fused_there(q, k, v, mask)
    if is_causal and mask is not None and not (as_query and p == 0):
        raise RuntimeError("[scaled_dot_product_attention] Explicit attn_mask should not be set when is_causal=True; put the causal mask "
                           "into attn_mask")
    if enable_gqa:
        k, v = in_groups(k, q, v), in_groups(v, q, k)
        leading = common(q.shape_tuple()[:q.view.ndim - 3], k.shape_tuple()[:k.view.ndim - 3], v.shape_tuple()[:v.view.ndim - 3])
        q, k, v = [with_leading(x, leading + (heads_of(x),)) for x in (q, k, v)]
    else:
        leading = common(q.shape_tuple()[:q.view.ndim - 2], k.shape_tuple()[:k.view.ndim - 2], v.shape_tuple()[:v.view.ndim - 2])
        q, k, v = with_leading(q, leading), with_leading(k, leading), with_leading(v, leading)
    scores = q.shape_tuple()[:q.view.ndim - 1] + (k.view.shape[k.view.ndim - 2],)
    if mask is not None:
        check_mask(mask, scores)
    if p > 0:
        keep_scale = 1 / (1 - p) if p < 1 else 0
        keep = empty_shape(scores, BOOL, q.device)
        if p < 1:
            (<object>keep).bernoulli_(1 - p)
        else:
            (<object>keep).zero_()
    dtype = q.view.dtype
    if (dtype == F16 or dtype == BF16) and not (as_query and p == 0):   # PyTorch rounds once there too: the y of backward is exact
        q, k, v = to_dtype(q, F32), to_dtype(k, F32), to_dtype(v, F32)
        if mask is not None and mask.view.dtype != BOOL:
            mask = to_dtype(mask, F32)
    if mask is not None and needs_grad(mask):
        return to_dtype(composed(q, k, v, mask, keep, keep_scale, is_causal, by), dtype)
    if mask is not None and mask.view.dtype != BOOL and q.view.dtype == F64:
        mask = to_dtype(mask, F64)
    return to_dtype(attend(q, k, v, mask, keep, keep_scale, is_causal, by, as_query), dtype)

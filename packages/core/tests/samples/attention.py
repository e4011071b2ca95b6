"""Rows of scaled dot-product attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def samples(rng: np.random.Generator) -> Iterator[Call]:
    for q in layouts(array(rng, 1, 2, 3, 4)):
        yield Call(q, array(rng, 1, 2, 5, 4), array(rng, 1, 2, 5, 4))
    q, k, v = array(rng, 1, 2, 3, 2), array(rng, 1, 2, 4, 2), array(rng, 1, 2, 4, 2)
    mask = np.array([[True, False, True, False], [False] * 4, [True] * 4])
    yield Call(q, k, v, is_causal=True)
    yield Call(q, k, v, mask)
    yield Call(q, k, v, scale=-0.7)
    yield Call(q, k, v, mask, scale=0.7)
    yield Call(q, k, v, mask[:1])
    yield Call(q, k, v, mask[None, None, :, :1])
    yield Call(q, k, v, array(rng, 2, 1, 4))
    yield Call(q, k[:, :1], v[:, :1], enable_gqa=True)
    yield Call(array(rng, 3, 4), array(rng, 5, 4), array(rng, 5, 2))
    yield Call(array(rng, 2, 3, 4), array(rng, 1, 5, 4), array(rng, 5, 2))
    yield Call(array(rng, 1, 3, 0), array(rng, 1, 2, 0), array(rng, 1, 2, 2))
    yield Call(array(rng, 2, 0, 3), array(rng, 2, 5, 3), array(rng, 2, 5, 3))
    yield Call(array(rng, 2, 3, 4), array(rng, 2, 0, 4), array(rng, 2, 0, 4))
    yield Call(array(rng, 0, 3, 4), array(rng, 0, 2, 4), array(rng, 0, 2, 4))
    yield Call(array(rng, 1, 1, 300), array(rng, 1, 270, 300), array(rng, 1, 270, 20))       # few queries
    yield Call(array(rng, 1, 2, 250, 17), array(rng, 1, 2, 300, 17), array(rng, 1, 2, 300, 17), is_causal=True)
    yield Call(array(rng, 1, 6, 55, 16), array(rng, 1, 2, 60, 16), array(rng, 1, 2, 60, 32), enable_gqa=True)
    yield Call(array(rng, 2, 8, 50, 16), array(rng, 2, 8, 70, 16), array(rng, 2, 8, 70, 16), array(rng, 8, 50, 70))
    yield Call(array(rng, 2, 3, 4) * 40, array(rng, 2, 5, 4) * 40, array(rng, 2, 5, 4))


def attention(q: Any, k: Any, v: Any, mask: Any = None, is_causal: bool = False, scale: Any = None, enable_gqa: bool = False) -> np.ndarray:
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    if scale is None:
        scale = q.shape[-1] ** -0.5 if q.shape[-1] else 1.0
    s = scale * q @ np.swapaxes(k, -1, -2)
    if mask is not None:
        s = np.where(mask, s, -np.inf) if mask.dtype == bool else s + mask
    if is_causal:
        s = np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf)
    top = s.max(-1, keepdims=True, initial=-np.inf)
    e = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = e.sum(-1, keepdims=True)
    return np.asarray(e / np.where(total == 0, 1, total) @ v)          # a query that sees no key gives zeros


X = np.ones((2, 3, 4))
SDPA = r"\[scaled_dot_product_attention\] "
ERRORS = (
    (Call(X[0, 0], X, X), RuntimeError, SDPA + "Expected query, key, and value to all be at least 2 dimensional"),
    (Call(X, X.astype(np.int64), X), RuntimeError, SDPA + "Expected query, key, and value to have the same dtype"),
    (Call(*[X.astype(np.int64)] * 3), RuntimeError, SDPA + "expected scalar type Float but found Long"),
    (Call(*[X.astype(np.complex64)] * 3), NotImplementedError, SDPA + "not implemented for 'ComplexFloat'"),
    (Call(X, X[..., :2], X), RuntimeError, SDPA + r"query \(..., L, E\), key \(..., S, E\) and value \(..., S, D\) must agree"),
    (Call(X, X, X[:, :2]), RuntimeError, SDPA + r"query .* got shapes \(2, 3, 4\), \(2, 3, 4\) and \(2, 2, 4\)"),
    (Call(X, np.ones((3, 3, 4)), X), RuntimeError, SDPA + r"The size of tensor a \(2\) must match the size of tensor b \(3\)"),
    (Call(X, X, X, np.ones((2, 3), bool)), RuntimeError, SDPA + r"attn_mask of shape \(2, 3\) does not broadcast .* \(2, 3, 3\)"),
    (Call(X, X, X, np.ones((3, 3), int)), RuntimeError, SDPA + "Expected attn_mask dtype to be bool or float"),
    (Call(X, X, X, np.ones((3, 3), bool), is_causal=True), RuntimeError, SDPA + "Explicit attn_mask should not be set"),
    (Call(X, X, X, dropout_p=1.5), RuntimeError, SDPA + "dropout probability has to be between 0 and 1, but got 1.5"),
    (Call(X[0], X[0], X[0], enable_gqa=True), IndexError, SDPA + "enable_gqa wants a dimension of heads"),
    (Call(np.ones((3, 2, 4)), X, X, enable_gqa=True), RuntimeError, SDPA + "the number of heads in key and value must divide"),
    (Call(X, X, X, is_causal=1), TypeError, SDPA + "argument 'is_causal' must be bool, not int"),
    (Call(X, X, X, scale="1"), TypeError, SDPA + "argument 'scale' must be float, not str"),
    (Call(X, X, 3), TypeError, SDPA + "argument must be Tensor, not int"),
)

ROWS = [
    Row("scaled_dot_product_attention", samples, attention, torch="nn.functional.scaled_dot_product_attention", errors=ERRORS),
]

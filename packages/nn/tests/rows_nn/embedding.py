"""Embeddings."""

from __future__ import annotations

from rows_nn.row import Layer

# the gradients of padded, renormed and frequency-scaled tables are not derivatives, on purpose: PyTorch is the judge
LAYERS = [
    Layer("Embedding", (9, 3), inputs=("i9",)),
    Layer("Embedding", (9, 3), {"padding_idx": -2}, inputs=("i9",), grad=False),
    Layer("Embedding", (9, 3), {"max_norm": 1.0, "norm_type": 1.5}, inputs=("i9",), grad=False),
    Layer("Embedding", (9, 3), {"scale_grad_by_freq": True, "padding_idx": 1}, inputs=("i9",), grad=False),
]

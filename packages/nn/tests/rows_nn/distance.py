"""Distances."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("CosineSimilarity", inputs=((4, 5), (4, 5))),
    Layer("CosineSimilarity", (-1,), inputs=((4, 5), (5,))),
    Layer("PairwiseDistance", inputs=((4, 5), (4, 5))),
    Layer("PairwiseDistance", (1,), {"keepdim": True}, inputs=((4, 5), (4, 5))),
]

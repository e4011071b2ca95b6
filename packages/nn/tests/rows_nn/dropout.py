"""Dropouts."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("Dropout", inputs=((20, 7),), empty=True),
    Layer("Dropout", (0.3,), {"inplace": False}, inputs=((20, 7),), empty=True),
    Layer("Dropout1d", (0.4,), inputs=((6, 7, 4),), empty=True),
    Layer("Dropout1d", (0.4,), inputs=((30, 4),)),
    Layer("Dropout2d", (0.4,), inputs=((6, 7, 4, 2),), empty=True),
    Layer("Dropout3d", (0.4,), inputs=((6, 7, 4, 2, 2),), empty=True),
    Layer("AlphaDropout", (0.4,), inputs=((20, 7),), empty=True),
    Layer("FeatureAlphaDropout", (0.4,), inputs=((6, 7, 4),), empty=True),
]

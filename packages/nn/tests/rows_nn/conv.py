"""Convolutions of signals and images."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1}, inputs=((2, 4, 7),), empty=True),
    Layer("Conv1d", (4, 6, 3), {"padding": 2, "padding_mode": "reflect", "groups": 2}, inputs=((2, 4, 7),), empty=True),
    Layer("Conv1d", (4, 6, 3), {"padding": "same", "dilation": 2}, inputs=((4, 9),)),
    Layer("Conv2d", (4, 6, 3), inputs=((1, 4, 5, 4),), empty=True),
    Layer("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 2), "bias": False}, inputs=((1, 4, 5, 4),), empty=True),
    Layer("Conv2d", (4, 6, 3), {"padding": "same", "groups": 2}, inputs=((4, 4, 5),)),
    Layer("Conv2d", (4, 6, 2), {"padding": "same", "padding_mode": "circular"}, inputs=((1, 4, 5, 4),), empty=True),
    Layer("Conv2d", (4, 6, 3), {"padding": (1, 2), "padding_mode": "replicate"}, inputs=((1, 4, 5, 4),), empty=True),
    Layer("Conv2d", (4, 4, 3), {"padding": "valid", "groups": 4, "dilation": 2}, inputs=((1, 4, 5, 6),), empty=True),
    Layer("ConvTranspose1d", (4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1}, inputs=((2, 4, 5),), empty=True),
    Layer("ConvTranspose2d", (4, 6, 3), {"stride": 2, "groups": 2}, inputs=((1, 4, 3, 4),), empty=True),
    Layer("ConvTranspose2d", (4, 6, (3, 2)), {"dilation": 2, "bias": False}, inputs=((4, 3, 4),)),
]

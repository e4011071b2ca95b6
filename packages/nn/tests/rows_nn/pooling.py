"""Pooling of signals and images."""

from __future__ import annotations

import numpy as np

from rows_nn.row import Layer

LAYERS = [
    Layer("MaxPool1d", (2,), inputs=((2, 3, 9),), empty=True),
    Layer("MaxPool1d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, inputs=((3, 9),)),
    Layer("MaxPool2d", (2,), inputs=((2, 3, 7, 8),), empty=True),
    Layer("MaxPool2d", ((3, 2),), {"stride": (2, 1), "padding": (1, 0), "dilation": 2}, inputs=((3, 9, 8),)),
    Layer("AvgPool1d", (2,), inputs=((2, 3, 9),), empty=True),
    Layer("AvgPool1d", (3,), {"stride": 2, "padding": 1, "count_include_pad": False}, inputs=((2, 3, 9),), empty=True),
    Layer("AvgPool2d", (2,), inputs=((2, 3, 7, 8),), empty=True),
    Layer("AvgPool2d", (3,), {"stride": 2, "padding": 1, "divisor_override": 4, "ceil_mode": True}, inputs=((2, 3, 7, 8),), empty=True),
    Layer("LPPool1d", (2, 3), inputs=((2, 3, 9),), empty=True),
    Layer("LPPool2d", (2, (3, 2)), {"stride": 2}, inputs=((2, 3, 7, 8),), empty=True),
    Layer("AdaptiveAvgPool1d", (4,), inputs=((2, 3, 9),), empty=True),
    Layer("AdaptiveAvgPool2d", ((3, None),), inputs=((2, 3, 7, 8),), empty=True),
    Layer("AdaptiveAvgPool2d", (1,), inputs=((3, 7, 8),)),
    Layer("AdaptiveMaxPool1d", (4,), inputs=((2, 3, 9),), empty=True),
    Layer("AdaptiveMaxPool2d", ((3, 2),), inputs=((2, 3, 7, 8),), empty=True),
    Layer("MaxUnpool1d", (2,), inputs=((1, 1, 2), np.array([[[1, 2]]]))),
    Layer("MaxUnpool2d", (2,), inputs=((1, 1, 2, 2), np.array([[[[0, 6], [9, 15]]]]))),
    Layer("MaxUnpool2d", (2,), inputs=((1, 2, 2), np.array([[[0, 6], [9, 15]]])), call={"output_size": (5, 4)}),
]

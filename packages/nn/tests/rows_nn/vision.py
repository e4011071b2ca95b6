"""Resizing and shuffling of images."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("Upsample", kwargs={"scale_factor": 2}, inputs=((2, 3, 4),)),
    Layer("Upsample", ((5, 7),), inputs=((2, 3, 4, 4),)),
    Layer("Upsample", kwargs={"scale_factor": (1.5, 2.0), "mode": "bilinear"}, inputs=((2, 3, 4, 4),)),
    Layer("Upsample", (7,), {"mode": "linear", "align_corners": True}, inputs=((2, 3, 4),)),
    Layer("UpsamplingNearest2d", kwargs={"scale_factor": 2}, inputs=((2, 3, 4, 4),)),
    Layer("UpsamplingBilinear2d", kwargs={"size": 7}, inputs=((2, 3, 4, 4),)),
    Layer("PixelShuffle", (2,), inputs=((2, 8, 3, 4),), empty=True),
    Layer("PixelUnshuffle", (2,), inputs=((2, 2, 6, 4),)),
    Layer("ChannelShuffle", (2,), inputs=((2, 6, 3, 2),)),
]

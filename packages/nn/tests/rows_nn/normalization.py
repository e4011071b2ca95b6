"""Normalisations."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("BatchNorm1d", (3,), inputs=((5, 3),)),
    Layer("BatchNorm1d", (3,), {"momentum": None, "affine": False}, inputs=((5, 3, 4),)),
    Layer("BatchNorm1d", (3,), {"track_running_stats": False, "bias": False}, inputs=((5, 3, 4),)),
    Layer("BatchNorm2d", (3,), {"eps": 0.001, "momentum": 0.3}, inputs=((5, 3, 4, 2),)),
    Layer("BatchNorm3d", (3,), inputs=((2, 3, 4, 2, 2),)),
    Layer("InstanceNorm1d", (3,), inputs=((5, 3, 4),)),
    Layer("InstanceNorm2d", (3,), {"affine": True, "track_running_stats": True}, inputs=((5, 3, 4, 2),)),
    Layer("InstanceNorm2d", (3,), {"affine": True}, inputs=((3, 4, 2),)),
    Layer("InstanceNorm3d", (3,), inputs=((2, 3, 4, 2, 2),)),
    Layer("LayerNorm", (4,), inputs=((2, 3, 4),), empty=True),
    Layer("LayerNorm", ([3, 4],), {"bias": False}, inputs=((2, 3, 4),), empty=True),
    Layer("LayerNorm", (4,), {"elementwise_affine": False, "eps": 0.001}, inputs=((2, 3, 4),), empty=True),
    Layer("GroupNorm", (2, 6), inputs=((3, 6, 4),), empty=True),
    Layer("GroupNorm", (6, 6), {"affine": False}, inputs=((3, 6, 4, 2),), empty=True),
    Layer("GroupNorm", (1, 6), {"bias": False}, inputs=((3, 6),), empty=True),
    Layer("RMSNorm", (4,), inputs=((2, 3, 4),), empty=True),
    Layer("RMSNorm", ((3, 4),), {"eps": 0.001, "elementwise_affine": False}, inputs=((2, 3, 4),), empty=True),
    Layer("LocalResponseNorm", (3,), {"alpha": 0.1, "k": 2.0}, inputs=((2, 5, 4, 3),)),
    Layer("LocalResponseNorm", (2,), {"alpha": 0.1}, inputs=((2, 5, 4),)),
]

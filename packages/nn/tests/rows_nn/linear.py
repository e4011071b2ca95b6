"""Linear layers and reshaping ones."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("Linear", (5, 3), inputs=((4, 5),), empty=True),
    Layer("Linear", (5, 3), {"bias": False}, inputs=((2, 4, 5),), empty=True),
    Layer("Linear", (5, 3), inputs=((5,),)),
    Layer("Bilinear", (5, 4, 3), inputs=((2, 6, 5), (2, 6, 4))),
    Layer("Bilinear", (5, 4, 3), {"bias": False}, inputs=((5,), (4,))),
    Layer("Identity", inputs=((3,),)),
    Layer("Flatten", inputs=((2, 3, 4),), empty=True),
    Layer("Flatten", (0, 1), inputs=((2, 3, 4),), empty=True),
    Layer("Unflatten", (1, (3, 2)), inputs=((2, 6),)),
]

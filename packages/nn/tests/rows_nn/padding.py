"""Padding layers."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("ConstantPad1d", ((1, 2), 3.5), inputs=((2, 3, 4),)),
    Layer("ConstantPad2d", (1, 3.5), inputs=((2, 3, 4),)),
    Layer("ConstantPad3d", (1, 3.5), inputs=((2, 3, 4, 2),)),
    Layer("ZeroPad1d", (2,), inputs=((2, 3, 4),)),
    Layer("ZeroPad2d", ((1, 0, -1, 2),), inputs=((2, 3, 4),)),
    Layer("ZeroPad3d", (1,), inputs=((2, 3, 4, 2),)),
    Layer("ReflectionPad1d", (2,), inputs=((2, 3, 4),)),
    Layer("ReflectionPad2d", ((1, 2, 0, 1),), inputs=((2, 3, 4, 4),)),
    Layer("ReplicationPad1d", (2,), inputs=((2, 3, 4),)),
    Layer("ReplicationPad2d", (2,), inputs=((2, 3, 4, 4),)),
    Layer("CircularPad1d", (2,), inputs=((2, 3, 4),)),
    Layer("CircularPad2d", ((1, 2, 0, 1),), inputs=((2, 3, 4, 4),)),
    Layer("CircularPad3d", ((1, 0, 1, 1, 0, 2),), inputs=((2, 3, 4, 2, 3),)),
    Layer("ReflectionPad3d", (1,), inputs=((2, 3, 4, 2, 3),)),
    Layer("ReplicationPad3d", ((0, 2, 1, 0, 1, 1),), inputs=((2, 3, 4, 2, 3),)),
]

"""Activations."""

from __future__ import annotations

from rows_nn.row import Layer

LAYERS = [
    Layer("CELU", kwargs={"alpha": 0.7}, inputs=((4, 5),)),
    Layer("ELU", kwargs={"alpha": 0.7}, inputs=((4, 5),)),
    Layer("GELU", inputs=((4, 5),), empty=True),
    Layer("GELU", kwargs={"approximate": "tanh"}, inputs=((4, 5),), empty=True),
    Layer("GLU", inputs=((4, 6),), empty=True),
    Layer("GLU", (0,), inputs=((4, 6),), empty=True),
    Layer("Hardshrink", inputs=((4, 5),)),
    Layer("Hardsigmoid", inputs=((4, 5),)),
    Layer("Hardswish", inputs=((4, 5),)),
    Layer("Hardtanh", (-0.5, 2), inputs=((4, 5),)),
    Layer("LeakyReLU", inputs=((4, 5),), empty=True),
    Layer("LogSigmoid", inputs=((4, 5),)),
    Layer("LogSoftmax", (1,), inputs=((4, 5),), empty=True),
    Layer("Mish", inputs=((4, 5),), empty=True),
    Layer("PReLU", inputs=((4, 5),), empty=True),
    Layer("PReLU", (5,), {"init": 0.1}, inputs=((4, 5, 2),), empty=True),
    Layer("RReLU", inputs=((4, 5),), empty=True),
    Layer("ReLU", inputs=((4, 5),), empty=True),
    Layer("ReLU6", inputs=((4, 5),), empty=True),
    Layer("SELU", inputs=((4, 5),)),
    Layer("SiLU", inputs=((4, 5),)),
    Layer("Sigmoid", inputs=((4, 5),)),
    Layer("Softmax", (-1,), inputs=((4, 5),), empty=True),
    Layer("Softmax", (0,), inputs=((4, 5),), empty=True),
    Layer("Softmax2d", inputs=((2, 3, 4, 5),), empty=True),
    Layer("Softmin", (1,), inputs=((4, 5),)),
    Layer("Softplus", (2.0, 1.0), inputs=((4, 5),)),
    Layer("Softshrink", inputs=((4, 5),)),
    Layer("Softsign", inputs=((4, 5),)),
    Layer("Tanh", inputs=((4, 5),)),
    Layer("Tanhshrink", inputs=((4, 5),)),
    Layer("Threshold", (0.1, 20.0), inputs=((4, 5),)),
]

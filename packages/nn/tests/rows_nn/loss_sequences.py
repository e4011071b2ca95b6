"""Losses of sequences and of many classes: CTC, adaptive log-softmax, a linear layer with its cross entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from rows_nn.row import Function, Layer, classes, normal, uniform


def of_softmax(lib: Any, x: Any, *rest: Any) -> tuple[Any, ...]:
    """The gradient of ctc_loss is that of log_softmax's input."""
    return (lib.log_softmax(x, -1), *rest)


LABELS = np.array([[1, 2, 2, 1], [3, 1, 0, 0], [2, 0, 0, 0]])
LENGTHS = np.array([6, 5, 3]), np.array([4, 2, 0])
TOO_SHORT = np.array([4, 5, 3]), np.array([4, 2, 1])  # 1 2 2 1 takes five steps
FREQUENT = np.array([0, 3, 5, 9, 11, 2])
WEIGHT = np.array([0.5, 1.0, 2.0, 0.1, 1.5])

LAYERS = [
    *(
        Layer("CTCLoss", kwargs=options, inputs=inputs, prepare=of_softmax, targets=True, gradgrad=False)
        for reduction in ("mean", "sum", "none")
        for options, inputs in (
            ({"reduction": reduction}, ((6, 3, 4), LABELS, *LENGTHS)),
            ({"reduction": reduction}, ((6, 3, 4), np.array([1, 2, 2, 1, 3, 1]), *LENGTHS)),
            ({"reduction": reduction, "zero_infinity": True}, ((6, 3, 4), LABELS, *TOO_SHORT)),
            ({"reduction": reduction, "blank": 3}, ((7, 4), np.array([0, 1, 1]), np.array(7), np.array(3))),
        )
    ),
    Layer("AdaptiveLogSoftmaxWithLoss", (6, 12, [3, 6]), {"div_value": 2.0}, ((6, 6), FREQUENT), targets=True),
    Layer(
        "AdaptiveLogSoftmaxWithLoss", (6, 12, [2, 4, 9]), {"div_value": 1.5, "head_bias": True}, ((6,), np.array(9)), targets=True
    ),
    *(
        Layer("LinearCrossEntropyLoss", (3, 5), {**options, "reduction": reduction}, inputs, targets=True)
        for reduction in ("mean", "sum", "none")
        for options, inputs in (
            ({"bias": True}, ((4, 3), classes(4))),
            ({"weight": WEIGHT, "ignore_index": 2, "label_smoothing": 0.1}, ((4, 3), classes(4))),
            ({"out_features": (2,), "bias": True}, ((4, 3), classes(4, 2))),
            ({}, ((3,), np.array(1))),
            ({}, ((4, 3), uniform(4, 5))),
        )
    ),
]

FUNCTIONS = [
    Function("linear_cross_entropy", (normal(4, 3), normal(5, 3)), {"target": classes(4)}),
    Function("conv_tbc", (normal(7, 2, 3), normal(3, 3, 4), normal(4)), {"pad": 1}),
    Function("pdist", (normal(5, 3),)),
    Function("pdist", (normal(5, 3),), {"p": 1.0}),
]

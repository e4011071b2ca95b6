"""Losses, each with its three reductions."""

from __future__ import annotations

import numpy as np

from rows_nn.row import Layer, classes, normal, signs, uniform

ONE, TWO, THREE = normal(4, 5), normal(4, 5, seed=1), normal(4, 5, seed=2)
SHARES, BITS = uniform(4, 5, seed=1), (uniform(4, 5) > 0.5).astype(np.float64)
WEIGHT = np.array([0.5, 1.0, 2.0, 0.1, 1.5])
LABELS = classes(4)

# class, options, inputs, are all inputs but the first targets
_LOSSES = [
    ("CrossEntropyLoss", {}, (ONE, LABELS), True),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, (ONE, LABELS), True),
    ("CrossEntropyLoss", {"ignore_index": 1}, (normal(4, 5, 3), classes(4, 3)), True),
    ("CrossEntropyLoss", {"weight": WEIGHT}, (ONE, uniform(4, 5)), False),
    ("CrossEntropyLoss", {}, (normal(5), np.array(3)), True),
    ("NLLLoss", {}, (ONE, LABELS), True),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 2}, (normal(4, 5, 3), classes(4, 3)), True),
    ("NLLLoss2d", {}, (normal(2, 5, 2, 3), classes(2, 2, 3)), True),
    ("BCELoss", {}, (uniform(4, 5), SHARES), True),
    ("BCELoss", {"weight": WEIGHT}, (uniform(4, 5), SHARES), True),
    ("BCEWithLogitsLoss", {}, (ONE, SHARES), False),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT, "weight": WEIGHT}, (ONE, SHARES), False),
    ("KLDivLoss", {}, (ONE, SHARES), False),
    ("KLDivLoss", {"log_target": True}, (ONE, TWO), False),
    ("MSELoss", {}, (ONE, TWO), False),
    ("L1Loss", {}, (ONE, TWO), False),
    ("SmoothL1Loss", {"beta": 0.7}, (ONE, TWO), False),
    ("SmoothL1Loss", {"beta": 0.0}, (ONE, TWO), False),
    ("HuberLoss", {"delta": 0.7}, (ONE, TWO), False),
    ("PoissonNLLLoss", {"full": True}, (ONE, 3 * SHARES), False),
    ("PoissonNLLLoss", {"log_input": False}, (uniform(4, 5), 3 * SHARES), False),
    ("GaussianNLLLoss", {"full": True}, (ONE, TWO, uniform(4, 5)), False),
    ("GaussianNLLLoss", {}, (ONE, TWO, uniform(4)), False),
    ("HingeEmbeddingLoss", {"margin": 0.7}, (ONE, signs(4, 5)), True),
    ("SoftMarginLoss", {}, (ONE, signs(4, 5)), True),
    ("MarginRankingLoss", {"margin": 0.5}, (normal(4), normal(4, seed=1), signs(4)), False),
    ("CosineEmbeddingLoss", {"margin": 0.2}, (ONE, TWO, signs(4)), False),
    ("CosineEmbeddingLoss", {}, (normal(5), normal(5, seed=1), signs(1)[0]), False),
    ("MultiMarginLoss", {}, (ONE, LABELS), True),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, (ONE, LABELS), True),
    ("MultiMarginLoss", {}, (normal(5), np.array(3)), True),
    ("MultiLabelMarginLoss", {}, (normal(2, 4), np.array([[3, 0, -1, 1], [1, 2, 0, -1]])), True),
    ("MultiLabelMarginLoss", {}, (normal(4), np.array([-1, 0, 2, 1])), True),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, (ONE, BITS), True),
    ("TripletMarginLoss", {}, (ONE, TWO, THREE), False),
    ("TripletMarginLoss", {"swap": True, "p": 1, "margin": 3.0}, (ONE, TWO, THREE), False),
    ("TripletMarginWithDistanceLoss", {"swap": True}, (ONE, TWO, THREE), False),
]
LAYERS = [
    Layer(name, (), {**options, "reduction": reduction}, inputs, targets=targets)
    for name, options, inputs, targets in _LOSSES
    for reduction in ("mean", "sum", "none")
]

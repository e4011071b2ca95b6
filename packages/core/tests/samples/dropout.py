"""Rows of the dropouts where nothing is drawn; test_dropout.py has the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opinfo import Call, Row, array, layouts


def samples(rng: np.random.Generator) -> Iterator[Call]:
    x = array(rng, 2, 3, 4)
    yield Call(x, 0.0, True)
    yield Call(x, 0.5, False)
    for y in layouts(x):
        yield Call(y, 1.0, True)
    yield Call(array(rng, 0, 3), 0.5, True)


def nothing_or_all(x: np.ndarray, p: float, training: bool) -> np.ndarray:
    return x * 0 if p == 1 and training else x


X = np.ones((2, 3))
RANGE = r"\[\w+\] dropout probability has to be between 0 and 1, but got 1.5"

ROWS = [
    Row(name, samples, nothing_or_all, torch=torch, errors=((Call(X, 1.5, True), ValueError, RANGE),))
    for name, torch in (
        ("dropout", "nn.functional.dropout"),
        ("feature_dropout", None),
        ("alpha_dropout", "nn.functional.alpha_dropout"),
        ("feature_alpha_dropout", "nn.functional.feature_alpha_dropout"),
    )
]

"""Rows of recurrent networks and their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def step(kind: str, x: np.ndarray, h: np.ndarray, c: Any, w_ih: np.ndarray, w_hh: np.ndarray, b_ih: Any = 0, b_hh: Any = 0, w_hr: Any = None) -> tuple[Any, Any]:
    """h' and of an LSTM c'."""
    a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    if kind == "lstm":
        i, f, g, o = np.split(a + b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return h if w_hr is None else h @ w_hr.T, c
    if kind == "gru":
        (ar, az, an), (br, bz, bn) = np.split(a, 3, axis=-1), np.split(b, 3, axis=-1)
        z = sigmoid(az + bz)
        return (1 - z) * np.tanh(an + sigmoid(ar + br) * bn) + z * h, None
    return np.tanh(a + b) if kind == "rnn_tanh" else np.maximum(a + b, 0), None


def layer(kind: str, rows: list[np.ndarray], h: np.ndarray, c: Any, weights: Any, back: bool) -> tuple[list[np.ndarray], np.ndarray, Any]:
    """One layer in one direction over the rows of each step."""
    h, c = h.copy(), None if c is None else c.copy()
    made: list[Any] = [None] * len(rows)
    for t in range(len(rows))[:: -1 if back else 1]:
        n = len(rows[t])
        new, cell = step(kind, rows[t], h[:n], None if c is None else c[:n], *weights)
        made[t], h[:n] = new, new
        if c is not None:
            c[:n] = cell
    return made, h, c


def reference(kind: str) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        given = list(args)
        sizes = given.pop(1) if isinstance(given[2 - (kind == "lstm")], np.ndarray) else None
        x, hx, params, biases, layers, _, _, both, *batch_first = given
        first = bool(batch_first and batch_first[0])
        if first:
            x = x.swapaxes(0, 1)
        rows = list(x) if sizes is None else np.split(x, np.cumsum(sizes)[:-1])
        h, c = hx if kind == "lstm" else (hx, None)
        directions = 1 + both
        per = len(params) // (layers * directions)
        ends, cells = [], []
        for k in range(layers):
            found = []
            for d in range(directions):
                at = k * directions + d
                weights = list(params[at * per : (at + 1) * per])
                if not biases:
                    weights[2:2] = [0, 0]
                y, end, cell = layer(kind, rows, h[at], None if c is None else c[at], weights, d == 1)
                found.append(y)
                ends.append(end)
                cells.append(cell)
            rows = [np.concatenate(parts, -1) for parts in zip(*found, strict=True)]
        y = np.stack(rows) if sizes is None else np.concatenate(rows)
        out = (y.swapaxes(0, 1) if first else y, np.stack(ends))
        return out if c is None else (*out, np.stack(cells))

    return run


def samples(kind: str) -> Callable[[np.random.Generator], Iterator[Call]]:
    def make(rng: np.random.Generator) -> Iterator[Call]:
        def call(T: int, B: int, I: int, H: int, layers: int = 1, both: bool = False, biases: bool = True, proj: int = 0,
                 first: bool = False, sizes: Any = None) -> Call:  # fmt: skip
            def draw(*shape: int) -> np.ndarray:
                return array(rng, *shape, low=-1, high=1) / np.sqrt(H)           # long products stay near 1

            rows, state, params = GATES[kind] * H, proj or H, []
            for k in range(layers):
                for _ in range(1 + both):
                    params += [draw(rows, I if k == 0 else state * (1 + both)), draw(rows, state)]
                    params += [draw(rows), draw(rows)] if biases else []
                    params += [draw(proj, H)] if proj else []
            count = layers * (1 + both)
            h = draw(count, B, state)
            hx: Any = [h, draw(count, B, H)] if kind == "lstm" else h
            rest = (params, biases, layers, 0.0, True, both)
            if sizes is not None:
                return Call(draw(sum(sizes), I), np.array(sizes), hx, *rest)
            return Call(draw(B, T, I) if first else draw(T, B, I), hx, *rest, first)

        yield call(2, 1, 1, 1, biases=False)
        yield call(0, 2, 1, 1, biases=False, sizes=[2, 1])
        yield call(3, 2, 1, 1, both=True, first=True)
        yield call(3, 5, 17, 9, layers=2, both=True)
        yield call(40, 8, 20, 33)                                      # weights packed, several blocks of rows
        yield call(0, 5, 6, 7, layers=2, both=True, sizes=[5, 5, 3, 1, 1])
        yield call(5, 0, 3, 4)
        if kind == "lstm":
            yield call(2, 1, 1, 2, proj=1, biases=False)
            yield call(4, 3, 5, 8, layers=2, both=True, proj=3)

    return make


def cell_samples(kind: str) -> Callable[[np.random.Generator], Iterator[Call]]:
    def make(rng: np.random.Generator) -> Iterator[Call]:
        for B, I, H, biases in ((1, 1, 2, False), (2, 2, 1, True), (3, 40, 37, True), (9, 20, 16, False), (0, 2, 3, True)):
            rows = GATES[kind] * H
            h = array(rng, B, H)
            hx: Any = [h, array(rng, B, H)] if kind == "lstm" else h
            weights = [array(rng, rows, I, low=-0.8, high=0.8), array(rng, rows, H, low=-0.8, high=0.8)]
            yield Call(array(rng, B, I), hx, *weights, *([array(rng, rows), array(rng, rows)] if biases else []))

    return make


def cell_reference(kind: str) -> Callable[..., Any]:
    def run(x: np.ndarray, hx: Any, *weights: np.ndarray) -> Any:
        h, c = hx if kind == "lstm" else (hx, None)
        h, c = step(kind, x, h, c, *weights)
        return h if c is None else (h, c)

    return run


def bad(kind: str) -> tuple[tuple[Call, type[BaseException], str], ...]:
    """Calls of a network that must be refused."""
    x, h, g = np.zeros((3, 2, 4)), np.zeros((1, 2, 5)), GATES[kind]
    hx: Any = [h, h] if kind == "lstm" else h
    w = [np.zeros((g * 5, 4)), np.zeros((g * 5, 5))]
    rest = (False, 1, 0.0, False, False)
    return (
        (Call(np.zeros((3, 2, 3)), hx, w, *rest, False), RuntimeError, r"inconsistent input_size: got 3 expected 4"),
        (Call(np.zeros((0, 2, 4)), hx, w, *rest, False), RuntimeError, r"Expected sequence length to be larger than 0"),
        (Call(np.zeros((3, 3, 4)), hx, w, *rest, False), RuntimeError, r"Expected hidden.* size \(1, 3, 5\), got \[1, 2, 5\]"),
        (Call(x, hx, w, False, 2, 0.0, False, False, False), RuntimeError, r"for each of 2 layers"),
        (Call(x, hx, [w[0], w[1][:, :4]] if kind != "lstm" else [w[0][:8], w[1]], *rest, False), RuntimeError, r"\[" + kind),
        (Call(x, hx, w, *rest), TypeError, r"missing arguments: batch_first"),
        (Call(np.zeros((6, 4)), np.array([2, 3, 1]), hx, w, *rest), RuntimeError, r"never rise"),
        (Call(np.zeros((7, 4)), np.array([2, 2, 2]), hx, w, *rest), RuntimeError, r"add up to the 7 rows"),
        (Call(np.zeros((4, 4)), np.array([2, 2, 0]), hx, w, *rest), RuntimeError, r"must be positive"),
    )


def bad_cell(kind: str) -> tuple[tuple[Call, type[BaseException], str], ...]:
    h, g = np.zeros((2, 5)), GATES[kind]
    hx: Any = [h, h] if kind == "lstm" else h
    three: Any = [np.zeros((3, 5)), np.zeros((3, 5))] if kind == "lstm" else np.zeros((3, 5))
    w = (np.zeros((g * 5, 4)), np.zeros((g * 5, 5)))
    return (
        (Call(np.zeros((2, 3)), hx, *w), RuntimeError, r"inconsistent input_size: got 3 expected 4"),
        (Call(np.zeros((2, 4)), three, *w), RuntimeError, r"Input batch size 2 doesn't match hidden0 batch size 3"),
        (Call(np.zeros((2, 4)), hx, *w, np.zeros(5 * g + 1)), RuntimeError, r"expected biases of shape"),
        (Call(np.zeros(4), hx, *w), IndexError, r"input must have 2 dimensions"),
    )


RTOL = {"float32": 1e-4, "float64": 1e-10}
ATOL = {"float32": 1e-5, "float64": 1e-12}
ROWS = [
    *[Row(kind, samples(kind), reference(kind), errors=bad(kind), rtol=RTOL, atol=ATOL) for kind in GATES],
    *[Row(f"{kind}_cell", cell_samples(kind), cell_reference(kind), errors=bad_cell(kind), rtol=RTOL, atol=ATOL) for kind in GATES],
]

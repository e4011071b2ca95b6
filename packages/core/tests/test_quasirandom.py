"""Sobol sequences: against SciPy's and the definition, at the ends of blocks, skipped, scrambled, refused."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

import taeda
from taeda.quasirandom import SobolEngine, direction_numbers

BLOCK = 1 << 15


def by_definition(engine: SobolEngine, count: int) -> np.ndarray:
    """The points as the definition has them: one direction number a step, that of the lowest zero bit of the index before."""
    numbers, state = engine.sobolstate.numpy(), engine.shift.numpy().copy()
    points = [state.copy()]
    for i in range(count - 1):
        state ^= numbers[:, (~i & i + 1).bit_length() - 1]
        points.append(state.copy())
    return np.stack(points) / 2.0**30


@pytest.mark.parametrize("dimension", [1, 2, 3, 8, 14, 53, 54, 1000, 21201])
def test_points_are_scipys(dimension: int) -> None:
    expected = qmc.Sobol(dimension, scramble=False, bits=30).random_base2(4)
    got = SobolEngine(dimension).draw(16, dtype=taeda.float64)
    assert got.dtype == taeda.float64 and (got.numpy() == expected).all()


def test_a_shorter_table_is_the_start_of_a_longer_one() -> None:
    whole = direction_numbers(21201)
    assert whole.shape == (21201, 30) and whole.min() > 0 and whole.max() < 1 << 30
    for dimension in (1, 2, 3, 4, 5, 7, 8, 13, 14, 37, 38, 2000, 13425, 13426):
        assert (direction_numbers(dimension) == whole[:dimension]).all(), dimension


@pytest.mark.parametrize("dimension", [1, 3, 127, 128, 129, BLOCK // 2, 21201])
@pytest.mark.parametrize("scramble", [False, True])
def test_pieces_of_any_size_are_the_sequence(dimension: int, scramble: bool) -> None:
    if scramble and dimension > 129:
        dimension //= 64
    engine = SobolEngine(dimension, scramble=scramble, seed=5)
    pieces = [1, 1, 2, 0, 3, 255, 256, 257, 64] if dimension < 1000 else [1, 2, 0, 5, 8]
    expected = by_definition(engine, sum(pieces))
    start = 0
    for n in pieces:
        got = engine.draw(n, dtype=taeda.float64).numpy()
        want = expected[start:start + n].copy()
        if start == 0 and n:
            want[0] = want[0].astype(np.float32)             # the first point is kept in the default dtype
        assert got.shape == (n, dimension) and (got == want).all(), n
        start += n
        assert engine.num_generated == start and (engine.quasi.numpy() == expected[start - 1] * 2**30).all()


def test_one_dimension_over_several_blocks() -> None:
    engine = SobolEngine(1, scramble=True, seed=0)
    expected = by_definition(engine, 3 * BLOCK + 5).astype(np.float32)
    assert (engine.draw(3 * BLOCK + 5).numpy() == expected).all()


@pytest.mark.parametrize("skipped", [0, 1, 2, 7, 1023, 1024, 70000])
def test_skipping_is_drawing_unseen(skipped: int) -> None:
    for drawn in (0, 1, 3):
        a, b = SobolEngine(4, scramble=True, seed=1), SobolEngine(4, scramble=True, seed=1)
        for engine in (a, b):
            if drawn:
                engine.draw(drawn)
        if skipped or drawn:
            a.draw(skipped)
        assert b.fast_forward(skipped) is b
        assert b.num_generated == a.num_generated == drawn + skipped and (a.quasi == b.quasi).all()
        assert (a.draw(5) == b.draw(5)).all()


def test_a_scrambled_sequence_fills_every_dyadic_interval() -> None:
    points = SobolEngine(50, scramble=True, seed=3).draw(1 << 10).numpy()
    for column in (points * 1024).astype(int).T:
        assert (np.sort(column) == np.arange(1024)).all()


def test_a_seed_repeats_and_none_draws_from_the_default_generator() -> None:
    assert (SobolEngine(3, True, 9).draw(4) == SobolEngine(3, True, 9).draw(4)).all()
    assert (SobolEngine(3, True, 9).draw(4) != SobolEngine(3, True, 10).draw(4)).any()
    taeda.manual_seed(4)
    first = SobolEngine(3, True).draw(4)
    assert (SobolEngine(3, True).draw(4) != first).any()
    taeda.manual_seed(4)
    assert (SobolEngine(3, True).draw(4) == first).all()


def test_reset_base2_and_out() -> None:
    engine = SobolEngine(3)
    quasi = engine.quasi
    first = engine.draw_base2(3)
    assert first.shape == (8, 3) and first.dtype == taeda.float32
    second = engine.draw_base2(3, dtype=taeda.float64)
    with pytest.raises(ValueError, match=r"power of 2. 16 points have been previously generated, then: n=16\+2\*\*2=20"):
        engine.draw_base2(2)
    assert engine.reset() is engine and engine.num_generated == 0
    out = taeda.empty(2, dtype=taeda.float64)
    assert engine.draw(16, out=out) is out and out.shape == (16, 3)
    assert (out == taeda.cat((first.double(), second))).all()
    engine.reset()
    assert (engine.quasi == 0).all() and (quasi == 0).all()


def test_representation_and_copies() -> None:
    assert repr(SobolEngine(4)) == "SobolEngine(dimension=4)"
    assert repr(SobolEngine(4, True, 3)) == "SobolEngine(dimension=4, scramble=True, seed=3)"
    engine = SobolEngine(2, True, 3)
    engine.draw(5)
    for twin in (copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))):
        assert (twin.draw(3) == copy.deepcopy(engine).draw(3)).all()


def test_under_another_default_dtype_and_device() -> None:
    taeda.set_default_dtype(taeda.float64)
    try:
        assert SobolEngine(2, True, 1).draw(3).dtype == taeda.float64
    finally:
        taeda.set_default_dtype(taeda.float32)
    with taeda.device("meta"):
        assert SobolEngine(2, True, 1).draw(3).device.type == "cpu"


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: SobolEngine(0), ValueError, r"\[SobolEngine\] Supported range .* is \[1, 21201\], got 0"),
    (lambda: SobolEngine(21202), ValueError, "21202"),
    (lambda: SobolEngine(2.5), TypeError, "must be an int, not float"),
    (lambda: SobolEngine(True), TypeError, "bool"),
    (lambda: SobolEngine(2).draw(2.0), TypeError, r"\[draw\] n must be an int"),
    (lambda: SobolEngine(2).draw(0), RuntimeError, r"negative dimension -1: \[-1, 2\]"),
    (lambda: SobolEngine(2).draw(-1), RuntimeError, "negative dimension"),
    (lambda: SobolEngine(2).draw(3, dtype=taeda.float16), NotImplementedError, "float16"),
    (lambda: SobolEngine(2).draw(3, dtype=taeda.int64), NotImplementedError, "int64"),
    (lambda: SobolEngine(2).fast_forward(-1), ValueError, "must not be negative"),
    (lambda: SobolEngine(2).fast_forward(2**30).draw(1), ValueError, r"2\*\*30 points"),
])
def test_refusals(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_the_last_points_can_be_drawn() -> None:
    engine = SobolEngine(1).fast_forward(2**30 - 3)
    indices = np.arange(2**30 - 3, 2**30)
    gray = indices ^ indices >> 1
    expected = [int(f"{g:030b}"[::-1], 2) / 2**30 for g in gray]        # in one dimension: the Gray code's bits reversed
    assert engine.draw(3, dtype=taeda.float64)[:, 0].tolist() == expected

"""Sobol sequences of both libraries: the same bits, plain and scrambled, and the same state after them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import taeda


def both(name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    return tuple(getattr(t.quasirandom, name)(*args, **kwargs) for t in (torch, taeda))


@pytest.mark.parametrize("dimension", [1, 2, 5, 40, 1111, 21201])
@pytest.mark.parametrize("scramble", [{}, {"scramble": True, "seed": 11}, {"scramble": True}])
def test_the_same_bits(dimension: int, scramble: dict[str, Any]) -> None:
    if scramble and dimension > 2000:
        pytest.skip("a quarter of a minute of matrices: 1111 dimensions pass through every degree that matters")
    torch.manual_seed(2)
    taeda.manual_seed(2)
    ours, theirs = reversed(both("SobolEngine", dimension, **scramble))
    assert repr(ours) == repr(theirs) and torch.rand(1).item() == taeda.rand(1).item()
    for name in ("sobolstate", "shift", "quasi"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
    for dtype in ("float32", "float64"):
        for n in (1, 2, 3, 70000 // dimension + 3, 5, 0, 1):
            got, expected = ours.draw(n, dtype=getattr(taeda, dtype)), theirs.draw(n, dtype=getattr(torch, dtype))
            assert got.numpy().tobytes() == expected.numpy().tobytes(), (dtype, n)
            assert ours.quasi.tolist() == theirs.quasi.tolist() and ours.num_generated == theirs.num_generated
        ours.fast_forward(77)
        theirs.fast_forward(77)
    for engine in (ours.reset(), theirs.reset()):
        engine.fast_forward(5)
    assert ours.draw(3).tolist() == theirs.draw(3).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
def test_the_first_point_alone_is_converted(dtype: str) -> None:
    theirs, ours = both("SobolEngine", 6, scramble=True, seed=1)
    got, expected = ours.draw(1, dtype=getattr(taeda, dtype)), theirs.draw(1, dtype=getattr(torch, dtype))
    assert got.tolist() == expected.tolist() and str(got.dtype).split(".")[1] == dtype


@pytest.mark.parametrize("call", [
    lambda t: t.quasirandom.SobolEngine(0), lambda t: t.quasirandom.SobolEngine(21202), lambda t: t.quasirandom.SobolEngine(2.5),
    lambda t: t.quasirandom.SobolEngine("a"), lambda t: t.quasirandom.SobolEngine(2).draw(0), lambda t: t.quasirandom.SobolEngine(2).draw(-1),
    lambda t: t.quasirandom.SobolEngine(2).draw(2.0), lambda t: t.quasirandom.SobolEngine(2).draw(4, dtype=t.bfloat16),
    lambda t: t.quasirandom.SobolEngine(2).fast_forward(1).draw_base2(1),
])
def test_the_same_kinds_of_error(call: Any) -> None:
    with pytest.raises(Exception) as expected:
        call(torch)
    with pytest.raises(expected.type):
        call(taeda)

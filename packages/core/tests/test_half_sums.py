"""Rows of float16 and bfloat16 added to those that an index names: what float32 gives, rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import taeda
from taeda import ops

HALVES = ("float16", "bfloat16")
SHAPES = [(10, 16, 40), (1000, 64, 500), (60, 700, 200), (7, 33, 1), (5, 20, 0), (1000, 3, 20), (2000, 1, 30), (10, 2, 50)]


def operands(dtype: str, rows: int, columns: int, count: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    x = taeda.tensor(rng.standard_normal((rows, columns)).astype("float32")).to(getattr(taeda, dtype))
    s = taeda.tensor(rng.standard_normal((count, columns)).astype("float32")).to(x.dtype)
    return x, taeda.tensor(rng.integers(0, rows, count)), s


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_of_adding_rows_rounds_float32s_sum(dtype: str, shape: tuple[int, int, int]) -> None:
    x, at, s = operands(dtype, *shape)
    wanted = x.float().index_add(0, at, s.float()).to(x.dtype)
    every = at[:, None].expand(s.shape)
    for threads in (1, 2):
        taeda.set_num_threads(threads)
        assert taeda.equal(x.index_add(0, at, s), wanted)
        assert taeda.equal(x.index_put((at - shape[0],), s, accumulate=True), wanted)
        assert taeda.equal(x.scatter_add(0, every, s), wanted)
        assert taeda.equal(x.scatter_reduce(0, every, s, "sum"), wanted)
        assert taeda.equal(x.t().contiguous().t().index_add(0, at, s), wanted)
    one = x.new_tensor(1.5)
    assert taeda.equal(x.index_put((at,), one, accumulate=True), x.float().index_put((at,), one.float(), accumulate=True).to(x.dtype))
    x3, s3 = x.repeat(3, 1, 1), s * taeda.tensor([1, 2, -1], dtype=x.dtype)[:, None, None]
    wanted = x3.float().index_add(1, at, s3.float()).to(x.dtype)
    assert taeda.equal(x3.index_add(1, at, s3), wanted)
    assert taeda.equal(x3.scatter_add(1, every.expand(s3.shape), s3), wanted)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("options", [{}, {"padding_idx": 0}, {"scale_grad_by_freq": True}])
def test_gradients_of_rows_are_float32s_rounded_once(dtype: str, options: dict[str, Any]) -> None:
    for shape in SHAPES:
        x, at, g = operands(dtype, *shape)
        w, wide = x.requires_grad_(), x.detach().float().requires_grad_()
        for index in (at, at.int()):
            found, = taeda.autograd.grad(ops.embedding(index, w, **options), w, g)
            wanted, = taeda.autograd.grad(ops.embedding(index, wide, **options), wide, g.float())
            assert taeda.equal(found, wanted.to(w.dtype))
        found, = taeda.autograd.grad(w[at], w, g)
        assert taeda.equal(found, taeda.autograd.grad(wide[at], wide, g.float())[0].to(w.dtype))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("reduce", ["amax", "amin"])
def test_extremes_scattered_into_halves_are_float32s(dtype: str, reduce: str) -> None:
    for shape in SHAPES:
        x, at, s = operands(dtype, *shape)
        for index in (at[:, None].expand(s.shape), (at[:, None] + taeda.arange(s.shape[1])) % shape[0]):
            assert taeda.equal(x.scatter_reduce(0, index, s, reduce), x.float().scatter_reduce(0, index, s.float(), reduce).to(x.dtype))
    x, at, s = operands(dtype, 10, 40, 30)
    x[3, 0], s[4, 20], s[5, 38] = float("nan"), float("nan"), float("nan")
    y = x.scatter_reduce(0, at[:, None].expand(s.shape), s, reduce)
    assert sorted(y.isnan().nonzero().tolist()) == sorted([[3, 0], [int(at[4]), 20], [int(at[5]), 38]])


def test_a_wrong_index_is_named_before_anything_is_written() -> None:
    x, s = taeda.zeros(10, 16).half(), taeda.ones(2, 16).half()
    with pytest.raises(RuntimeError, match=r"\[scatter_add\] index 10 is out of bounds for dimension 0 with size 10"):
        x.scatter_add_(0, taeda.tensor([[0], [10]]).expand(2, 16), s)
    with pytest.raises(RuntimeError, match=r"\[index_add_\] index -1 is out of bounds for dimension 0 with size 10"):
        x.index_add_(0, taeda.tensor([0, -1]), s)
    with pytest.raises(IndexError, match=r"\[index_put_\] index -11 is out of bounds for dimension 0 with size 10"):
        x.index_put_((taeda.tensor([0, -11]),), s, accumulate=True)
    assert not x.any()

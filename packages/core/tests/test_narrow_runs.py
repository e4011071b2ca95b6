"""Runs of narrow numbers that have loops of their own: shifts of int16, bfloat16's rounding, conversions in vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import taeda
from taeda import ops


@pytest.mark.parametrize("n", [1, 5, 16, 17, 100, 1000])
def test_shifts_of_int16_by_any_count(n: int) -> None:
    rng = np.random.default_rng(n)
    a = rng.integers(-32768, 32767, n).astype("int16")
    for count in (rng.integers(0, 15, n), rng.integers(-5, 40, n), np.full(n, 16), rng.integers(-32768, 32767, n)):
        inside, few = (count >= 0) & (count < 16), np.clip(count, 0, 15)
        left = np.where(inside, a.astype("int64") << few, 0).astype("int16")
        right = np.where(inside, a.astype("int64") >> few, a >> 15).astype("int16")
        x, y = taeda.tensor(a), taeda.tensor(count.astype("int16"))
        assert (x << y).tolist() == left.tolist() and (x >> y).tolist() == right.tolist()
        apart = x.repeat_interleave(2)[::2]
        assert (apart << y).tolist() == left.tolist() and (apart >> y).tolist() == right.tolist()
        assert x.clone().bitwise_left_shift_(y).tolist() == left.tolist()
        one = int(count[0])
        assert (x << one).tolist() == (x << y[:1].expand(n)).tolist() and (x >> one).tolist() == (x >> y[:1].expand(n)).tolist()


FORMULAS: list[Callable[[Any], Any]] = [
    lambda v: v * v, lambda v: v + v, lambda v: v + 1.125, lambda v: v * float("nan"), lambda v: v**2, lambda v: v.clamp(-1, 1), lambda v: v.relu(),
    lambda v: v.sqrt(), lambda v: taeda.lerp(v, v.flip(0), 0.3), lambda v: 1 / v, lambda v: v.sigmoid(),
]


@pytest.mark.parametrize("formula", range(len(FORMULAS)))
def test_every_bfloat16_is_computed_in_float32_and_rounded_once(formula: int) -> None:
    every = taeda.tensor(np.arange(65536).astype("uint16").view("int16")).view(taeda.bfloat16)
    found, wanted = FORMULAS[formula](every), FORMULAS[formula](every.float()).to(taeda.bfloat16)
    assert taeda.equal(found.isnan(), wanted.isnan())
    assert taeda.equal(found[~found.isnan()], wanted[~found.isnan()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_real_numbers_become_int64_within_int32_and_beyond(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for n in (1, 63, 64, 200, 1000):
        for size in (1, 1e4, 3e9, 1e12):
            for odd in (0.5, 2147483648.0, -2147483648.0, -2147483904.0):
                x = (rng.standard_normal(n) * size).astype(dtype)
                x[n // 2] = odd
                assert taeda.tensor(x).long().tolist() == x.astype("int64").tolist()
                assert taeda.tensor(x)[::2].long().tolist() == x[::2].astype("int64").tolist()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "bool"])
def test_integers_become_bfloat16_by_way_of_float32(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for n in (1, 15, 16, 33, 1000):
        x = taeda.tensor(rng.integers(-2**31, 2**31, n).astype(dtype))
        assert taeda.equal(x.to(taeda.bfloat16), x.float().to(taeda.bfloat16))
        assert taeda.equal(x[::2].to(taeda.bfloat16), x[::2].float().to(taeda.bfloat16))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_squared_errors_of_tensors_that_are_not_contiguous(dtype: str) -> None:
    taeda.manual_seed(0)
    x, y = taeda.randn(70, 50).to(getattr(taeda, dtype)).requires_grad_(), taeda.randn(50).to(getattr(taeda, dtype)).requires_grad_()
    loss = ops.mse_loss(x, y.expand(70, 50), reduction="none")
    wanted = (x.double() - y.double()) ** 2
    loose = 1e-2 if x.itemsize == 2 else 1e-5
    assert taeda.allclose(loss.double(), wanted, rtol=loose)
    g = taeda.rand(70, 50).to(x.dtype)
    for found, right in zip(taeda.autograd.grad(loss, (x, y), g), taeda.autograd.grad(wanted, (x, y), g.double()), strict=True):
        assert taeda.allclose(found.double(), right.to(found.dtype).double(), rtol=loose, atol=20 * loose)
    assert ops.mse_loss(x.t(), 2 * x.t(), reduction="none").stride() == x.t().stride()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["erf", "log2", "log10", "exp", "tanh"])
def test_every_half_of_a_function_with_a_short_form_is_right_to_half_a_unit(name: str, dtype: str) -> None:
    every = taeda.tensor(np.arange(65536).astype("uint16").view("int16")).view(getattr(taeda, dtype))
    found, wanted = getattr(taeda, name)(every), getattr(taeda, name)(every.double())
    assert taeda.equal(found.isnan(), wanted.isnan())
    low, high = (taeda.nextafter(found, found.new_full((), end)).double() for end in (-np.inf, np.inf))
    middle = found.double()
    kept = found.isfinite() & low.isfinite() & high.isfinite()
    off = (middle - wanted).abs() > 0.501 * taeda.maximum(high - middle, middle - low)
    assert not (off & kept).any()
    assert taeda.equal(found[found.isinf()], wanted[found.isinf()].to(found.dtype))

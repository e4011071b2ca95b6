"""Reductions of runs and their gradients: runs of every length, zeros and nan among them, against one run at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

HOWS = ("sum", "mean", "prod", "max", "min")


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16])
@pytest.mark.parametrize("columns", [(), (3,), (5, 30)])
@pytest.mark.parametrize("how", HOWS)
def test_runs_are_reduced_one_by_one(how: str, columns: tuple[int, ...], dtype: taeda.dtype) -> None:
    lengths = [0, 1, 70, 15, 200, 0, 16, 33]
    values = np.random.default_rng(3).uniform(0.9, 1.1, (sum(lengths), *columns))
    x = taeda.tensor(values).to(dtype)
    y = taeda.segment_reduce(x, how, lengths=taeda.tensor(lengths))
    assert y.dtype is dtype
    tolerance = {taeda.float32: 1e-5, taeda.float64: 1e-13, taeda.bfloat16: 2e-2}[dtype]
    for run, result in zip(x.double().split(lengths), y.double(), strict=True):
        expected = {"max": run.amax, "min": run.amin}.get(how, getattr(run, how))(0) if len(run) else taeda.full(columns, {
            "sum": 0.0, "mean": math.nan, "prod": 1.0, "max": -math.inf, "min": math.inf}[how], dtype=taeda.float64)
        taeda.testing.assert_close(result, expected, rtol=tolerance, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.bfloat16])
@pytest.mark.parametrize("how", HOWS)
def test_bits_do_not_depend_on_threads(how: str, dtype: taeda.dtype) -> None:
    lengths = taeda.tensor([5, 0, 20000, 1, 3000] * 4)
    x = taeda.tensor(np.random.default_rng(4).normal(size=(int(lengths.sum()), 3))).to(dtype).requires_grad_()

    def both() -> list[taeda.Tensor]:
        y = taeda.segment_reduce(x, how, lengths=lengths)
        return [y, taeda.autograd.grad(y.sum(), x)[0]]

    assert_same_for_any_threads(both)


@pytest.mark.parametrize("columns", [1, 2])
def test_a_factor_of_zero_gets_the_product_of_the_others(columns: int) -> None:
    values = [2.0, 0.0, 3.0, 0.0, 5.0, 0.0, math.nan, 4.0, math.nan, 0.0, 7.0, math.inf]
    lengths = taeda.tensor([3, 3, 2, 2, 1, 1, 0])
    x = taeda.tensor(values).unsqueeze(1).expand(-1, columns).clone().squeeze(-1).requires_grad_()
    (g,) = taeda.autograd.grad(taeda.segment_reduce(x, "prod", lengths=lengths, initial=2.0).sum(), x)
    expected = [0, 12, 0, 0, 0, 0, 8, math.nan, 0, math.nan, 2, math.nan]          # as g y / x says of what is neither zero nor nan
    np.testing.assert_array_equal(g.reshape(12, columns).numpy(), np.repeat(np.array(expected)[:, None], columns, 1))


def test_second_derivatives_of_products_with_zeros() -> None:
    lengths = taeda.tensor([3, 4, 2, 1, 4])
    x = taeda.tensor([2.0, 3.0, 4.0, 0.0, 5.0, 6.0, 7.0, 0.0, 3.0, 0.0, 0.0, 2.0, 0.0, 3.0], dtype=taeda.float64).requires_grad_()
    c = taeda.tensor(np.random.default_rng(5).normal(size=14))

    def second(product: object) -> taeda.Tensor:
        (g,) = taeda.autograd.grad(product(), x, create_graph=True)
        return taeda.autograd.grad((g * c).sum(), x)[0]

    found = second(lambda: taeda.segment_reduce(x, "prod", lengths=lengths, initial=3.0).square().sum())
    expected = second(lambda: sum((3 * run.prod()).square() for run in x.split(lengths.tolist())))
    taeda.testing.assert_close(found, expected)


def test_lengths_that_are_not_checked_stay_within_the_data() -> None:
    x = taeda.arange(6.0).requires_grad_()
    for lengths in ([2, 9], [-3, 2, 4], [2**62, 2**62], [1]):
        y = taeda.segment_reduce(x, "sum", lengths=taeda.tensor(lengths), unsafe=True)
        (g,) = taeda.autograd.grad(y.sum(), x)
        ends = np.clip(np.cumsum(np.clip(lengths, 0, 6)), 0, 6)
        assert g.tolist() == [float(i < ends[-1]) for i in range(6)] and y.sum().item() == sum(range(ends[-1]))
    with pytest.raises(RuntimeError, match="sum to data.size"):
        taeda.segment_reduce(x, "sum", lengths=taeda.tensor([2**62, 2**62]))
    y = taeda.segment_reduce(x, "sum", offsets=taeda.tensor([-4, 3, 1, 99]), unsafe=True)
    assert y.tolist() == [3.0, 0.0, 12.0]

"""Deterministic runs fill new memory that nothing is written to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import taeda
from taeda.utils import deterministic


@pytest.fixture(autouse=True)
def _deterministic() -> Iterator[None]:
    taeda.use_deterministic_algorithms(True)
    yield
    deterministic.fill_uninitialized_memory = True
    taeda.use_deterministic_algorithms(False)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "complex64"])
def test_nan(dtype: str) -> None:
    x = taeda.empty(3, dtype=getattr(taeda, dtype))
    assert x.to(taeda.complex64 if x.is_complex() else taeda.float32).isnan().all()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint64"])
def test_largest(dtype: str) -> None:
    x = taeda.empty(2, dtype=getattr(taeda, dtype))
    assert x.tolist() == [taeda.iinfo(x.dtype).max] * 2


def test_every_way_to_new_memory() -> None:
    x = taeda.zeros(2)
    made = (
        taeda.empty_like(x), x.new_empty(2), taeda.empty_strided((2, 2), (1, 4)), x.new_empty_strided((2,), (3,)),
        taeda.empty_permuted((2, 3), (1, 0)), taeda.Tensor(2), x.new(2), taeda.FloatTensor(2),
        taeda.empty(1, 2, 3, 3, memory_format=taeda.channels_last), taeda.empty_like(taeda.ones(2, 3).t()),
    )  # fmt: skip
    assert all(y.isnan().all() for y in made)
    assert taeda.empty(2, dtype=taeda.bool).all() and taeda.empty(2, device="meta").is_meta
    assert taeda.empty_strided((2,), (3,)).untyped_storage().nbytes() == 16


def test_resize_fills_what_is_new() -> None:
    x = taeda.ones(2)
    x.resize_(2, 3)
    assert x[0, :2].tolist() == [1.0, 1.0] and x.flatten()[2:].isnan().all()
    y = taeda.ones(4)[1:]
    y.resize_(5)
    assert y[:3].tolist() == [1.0] * 3 and y[3:].isnan().all()
    y.resize_(2)
    assert y.tolist() == [1.0, 1.0]
    assert taeda.add(taeda.ones(2), 1, out=taeda.empty(0)).tolist() == [2.0, 2.0]


def test_switches() -> None:
    assert deterministic.fill_uninitialized_memory is True
    deterministic.fill_uninitialized_memory = False
    x = taeda.zeros(64)
    del x
    assert not taeda.empty(64).isnan().all()
    taeda.set_deterministic_debug_mode("warn")
    deterministic.fill_uninitialized_memory = True
    assert taeda.empty(2).isnan().all()
    with pytest.raises(RuntimeError, match="expected a bool, but got int"):
        deterministic.fill_uninitialized_memory = 3  # type: ignore[assignment]
    taeda.use_deterministic_algorithms(False)
    x = taeda.zeros(64)
    del x
    assert not taeda.empty(64).isnan().all()

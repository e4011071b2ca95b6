"""Results of transforms lie in memory as PyTorch's: what is not transformed first, each kind by falling strides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import taeda

CASES: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any], tuple[int, ...]]] = [
    ("fft", (2, 3, 4), (0, 1, 2), {"dim": 2}, (12, 4, 1)),
    ("fft", (2, 3, 4), (0, 1, 2), {"dim": 1}, (12, 1, 3)),
    ("fft", (2, 3, 4), (0, 1, 2), {"dim": 0}, (1, 8, 2)),
    ("fft", (2, 3, 4), (2, 0, 1), {"dim": 0}, (1, 2, 6)),
    ("fft", (2, 3, 4, 5), (0, 1, 2, 3), {"dim": 1}, (60, 1, 15, 3)),
    ("rfft", (2, 3, 4), (0, 1, 2), {"dim": 1}, (8, 1, 2)),
    ("irfft", (2, 3, 4), (0, 1, 2), {"dim": 0}, (1, 8, 2)),
    ("hfft", (2, 3, 4), (0, 1, 2), {"dim": 1}, (16, 1, 4)),
    ("fft2", (2, 3, 4), (0, 1, 2), {"dim": (0, 1)}, (3, 1, 6)),
    ("fft2", (2, 3, 4), (0, 2, 1), {}, (12, 1, 3)),
    ("fftn", (2, 3, 4, 5), (0, 1, 2, 3), {"dim": (1, 3)}, (60, 5, 15, 1)),
    ("rfftn", (2, 3, 4), (0, 1, 2), {"dim": (2, 0)}, (1, 8, 2)),
    ("irfft2", (2, 3, 4), (0, 1, 2), {"dim": (0, 1)}, (4, 1, 8)),
    ("ihfftn", (3, 5, 4), (0, 1, 2), {}, (5, 1, 15)),
]


@pytest.mark.parametrize(("name", "sizes", "order", "options", "strides"), CASES)
def test_strides(name: str, sizes: tuple[int, ...], order: tuple[int, ...], options: dict[str, Any], strides: tuple[int, ...]) -> None:
    back = [order.index(d) for d in range(len(sizes))]
    x = np.random.default_rng(0).standard_normal([sizes[d] for d in order]).transpose(back)
    if name in ("fft", "fft2", "hfft", "irfft", "irfft2"):
        x = x + 1j * x[::-1]
    t = taeda.empty([sizes[d] for d in order], dtype=taeda.complex128 if x.dtype.kind == "c" else taeda.float64).permute(back)
    t.copy_(taeda.tensor(x))
    y = getattr(taeda.fft, name)(t, **options)
    assert y.stride() == strides
    meta = getattr(taeda.fft, name)(t.to("meta"), **options)
    assert meta.stride() == strides
    assert np.allclose(y.numpy(), getattr(taeda.fft, name)(taeda.tensor(np.ascontiguousarray(x)), **options).numpy())
    if hasattr(np.fft, name):
        axes = {"axes" if isinstance(d, tuple) else "axis": d for d in options.values()}
        assert np.allclose(y.numpy(), getattr(np.fft, name)(x, **axes))


@pytest.mark.parametrize("sizes", [(3, 16, 40), (2, 257, 9), (5, 4, 3), (4, 1, 4), (1, 4096, 3), (7, 33, 64)])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_columns_are_written_as_rows(sizes: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(sizes) + 1j * rng.standard_normal(sizes)).astype(dtype)
    for dim in (0, 1):
        y, wanted = taeda.fft.fft(taeda.tensor(x), dim=dim), np.fft.fft(x, axis=dim)
        assert y.stride(dim) == 1 or sizes[dim] == 1
        np.testing.assert_allclose(y.numpy(), wanted, atol=(1e-5 if dtype == "complex64" else 1e-12) * np.abs(wanted).max())


def test_what_is_drawn_for_a_result_follows_its_memory() -> None:
    x = taeda.arange(24.0).view(2, 3, 4)
    y = taeda.fft.fft(x, dim=1).real
    taeda.manual_seed(0)
    mask = taeda.dropout(taeda.ones_like(y), 0.5, True)
    taeda.manual_seed(0)
    assert mask.transpose(1, 2).equal(taeda.dropout(taeda.ones(2, 4, 3), 0.5, True))

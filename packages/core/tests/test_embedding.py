"""What rows cannot say of embedding: the padding row, counts, order of sums, threads."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops


def test_the_padding_row_gets_no_gradient() -> None:
    w = taeda.ones(4, 2, requires_grad=True)
    for padding in (3, -1):
        (g,) = taeda.autograd.grad(ops.embedding(taeda.tensor([3, 0, 3]), w, padding_idx=padding).sum(), w)
        assert g.tolist() == [[1, 1], [0, 0], [0, 0], [0, 0]]


def test_the_padding_row_in_the_second_derivative() -> None:
    w = taeda.tensor(np.random.default_rng(0).normal(size=(4, 2)), requires_grad=True)
    (g,) = taeda.autograd.grad((ops.embedding(taeda.tensor([3, 0, 0]), w, padding_idx=3) ** 3).sum(), w, create_graph=True)
    (h,) = taeda.autograd.grad(g.sum(), w)
    want = np.zeros((4, 2))
    want[0] = 12 * w.detach().numpy()[0]
    np.testing.assert_allclose(h.numpy(), want, rtol=1e-12)


def test_gradients_divided_by_how_often_a_row_was_named() -> None:
    w = taeda.zeros(3, 2, requires_grad=True)
    ops.embedding(taeda.tensor([1, 1, 0, 1]), w, scale_grad_by_freq=True).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), [[1, 1], [1, 1], [0, 0]], rtol=1e-6)


def test_a_bad_index_is_named_whatever_its_type() -> None:
    w = taeda.zeros(3, 2)
    for dtype in (taeda.int32, taeda.int64):
        with pytest.raises(IndexError, match=r"index 9 at position 3 .* \[0, 3\), the rows of the weight of shape \(3, 2\)"):
            ops.embedding(taeda.tensor([[0, 1], [2, 9]], dtype=dtype), w)


def test_any_dtype_of_table() -> None:
    for dtype in (taeda.bool, taeda.uint8, taeda.int32, taeda.int64, taeda.float64):
        w = (taeda.arange(6) % 2).reshape(3, 2).to(dtype)
        assert taeda.equal(ops.embedding(taeda.tensor([2, 0]), w), w[taeda.tensor([2, 0])])


def test_threads_change_no_bit() -> None:
    rng = np.random.default_rng(0)
    ix, g = taeda.tensor(rng.integers(0, 50, 4000)), taeda.tensor(rng.normal(size=(4000, 24)).astype("float32"))
    w = taeda.tensor(rng.normal(size=(50, 24)).astype("float32"), requires_grad=True)
    assert_same_for_any_threads(lambda: taeda.autograd.grad(ops.embedding(ix, w), w, g), (1, 2, 5))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "complex64"])
def test_rows_of_a_narrow_table_are_moved_as_they_are(dtype: str) -> None:
    table = taeda.arange(24, dtype=taeda.float32).reshape(8, 3).to(getattr(taeda, dtype)).requires_grad_()
    ix = taeda.tensor([[7, 0, 7], [2, 2, 1]])
    y = ops.embedding(ix, table)
    assert y.dtype is table.dtype and y.tolist() == table.detach()[ix].tolist()
    y.sum().real.backward() if dtype == "complex64" else y.sum().backward()
    assert table.grad.real.sum(1).tolist() == [3, 3, 6, 0, 0, 0, 0, 6] if dtype == "complex64" else table.grad.sum(1).tolist() == [3, 3, 6, 0, 0, 0, 0, 6]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [1, 3, 8, 9, 31, 64, 65, 100, 128, 200, 256, 257, 300])
def test_bags_of_rows_of_any_length(columns: int, dtype: str) -> None:
    """Short rows are summed in registers, the last vector of which may reach beyond the table; long ones four at a time."""
    rng = np.random.default_rng(columns)
    starts, ends = [0, 0, 5, 20, 20, 61, 88], [0, 5, 20, 20, 61, 88, 90]
    for rows in (1, 5, 300):
        table, ix = rng.standard_normal((rows, columns)).astype(dtype), rng.integers(0, rows, 90)
        factors = rng.standard_normal(90).astype(dtype)
        for padding in (None, 0):
            kept = (ix != padding).astype(dtype)
            want = np.stack([((kept * factors)[a:b, None] * table[ix[a:b]].astype("float64")).sum(0) for a, b in zip(starts, ends, strict=True)])
            found = ops.embedding_bag(taeda.tensor(ix), taeda.tensor(table), taeda.tensor(starts), mode="sum",
                                      per_sample_weights=taeda.tensor(factors), padding_idx=padding)
            np.testing.assert_allclose(found.numpy(), want, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)
            plain = ops.embedding_bag(taeda.tensor(ix.astype("int32")), taeda.tensor(table), taeda.tensor(np.int32(starts)), padding_idx=padding)
            want = np.stack([(kept[a:b, None] * table[ix[a:b]]).sum(0) / max(1, kept[a:b].sum()) for a, b in zip(starts, ends, strict=True)])
            np.testing.assert_allclose(plain.numpy(), want, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float16])
@pytest.mark.parametrize("columns", [1, 15, 16, 33, 64, 512, 700])
def test_bags_of_halves_are_summed_in_float32_and_rounded_once(columns: int, dtype: taeda.dtype) -> None:
    rng = np.random.default_rng(columns)
    ix, starts = taeda.tensor(rng.integers(0, 40, 90)), taeda.tensor([0, 5, 20, 20, 61])
    wide = taeda.tensor(rng.standard_normal((40, columns))).to(dtype).float().requires_grad_()
    half = wide.detach().to(dtype).requires_grad_()
    factors = taeda.tensor(rng.standard_normal(90)).to(dtype).float().requires_grad_()
    g = taeda.tensor(rng.standard_normal((5, columns))).to(dtype)
    rtol = 2.0**-8 if dtype is taeda.bfloat16 else 2.0**-11
    for mode, by_count, padding in (("sum", False, None), ("sum", True, 3), ("mean", True, None), ("mean", False, 3), ("max", False, 3)):
        scales = [(None, None)] if mode != "sum" else [(None, None), (factors, factors.detach().to(dtype).requires_grad_())]
        for scale, half_scale in scales:

            def step(table: taeda.Tensor, factor: taeda.Tensor | None, g: taeda.Tensor) -> tuple[taeda.Tensor, ...]:
                y = ops.embedding_bag(ix, table, starts, by_count, mode, factor, padding_idx=padding)
                return y, *taeda.autograd.grad(y, (table,) if factor is None else (table, factor), g)

            found = assert_same_for_any_threads(lambda: step(half, half_scale, g))
            for a, b in zip(found, step(wide, scale, g.float()), strict=True):
                assert a.dtype is dtype
                taeda.testing.assert_close(a.float(), b, rtol=rtol, atol=2e-5, check_dtype=False)


def test_bags_of_halves_do_not_copy_the_table() -> None:
    w = taeda.ones(1 << 18, 8, dtype=taeda.bfloat16, requires_grad=True)
    ix, starts, factors = taeda.tensor([0, 2, 1]), taeda.tensor([0, 2]), taeda.ones(3, dtype=taeda.bfloat16, requires_grad=True)
    for mode, scale in (("sum", factors), ("mean", None), ("max", None)):
        before = taeda.cpu.memory_stats()["allocated_bytes.current"]
        taeda.cpu.reset_peak_memory_stats()
        y = ops.embedding_bag(ix, w, starts, mode=mode, per_sample_weights=scale)
        assert taeda.cpu.memory_stats()["allocated_bytes.peak"] - before < 1 << 16
        if mode != "max":                                    # its gradient has the table's size, once
            taeda.autograd.grad(y.sum(), w)
            assert taeda.cpu.memory_stats()["allocated_bytes.peak"] - before < (1 << 22) + (1 << 16)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_indices_behind_the_last_bag_are_in_none(mode: str) -> None:
    w = taeda.rand(7, 3, dtype=taeda.float64, requires_grad=True)
    ix, ends, g = taeda.tensor([1, 2, 3, 4, 5]), taeda.tensor([0, 2, 3]), taeda.rand(2, 3, dtype=taeda.float64, requires_grad=True)
    bags = [ops.embedding_bag(ix, w, ends, mode=mode, include_last_offset=True, sparse=sparse) for sparse in (False, True)]
    wanted = taeda.autograd.grad(bags[0], w, g.detach(), retain_graph=True)[0]
    assert wanted[4:].abs().max() == 0
    recorded = taeda.autograd.grad(bags[0], w, g, create_graph=True)[0]
    assert recorded.allclose(wanted) and taeda.autograd.grad(bags[1], w, g.detach())[0].to_dense().allclose(wanted)

"""Ordering beyond its rows: stability, NaN, long rows, ties, threads, repeated values, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

INF, NAN = float("inf"), float("nan")
DTYPES = (np.float32, np.float64, np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_)


def many_ties(dtype, *shape):
    """Few values, both signs, extremes; floats with both zeros and infinities."""
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, shape)
    if dtype == np.bool_:
        return x > 0
    if dtype == np.uint8:
        return (x * 40 % 256).astype(dtype)
    x = x.astype(dtype)
    flat = x.reshape(-1)
    if np.issubdtype(dtype, np.floating):
        flat[::7], flat[1::11], flat[2::13] = -0.0, INF, -INF
    else:
        flat[::7], flat[1::11] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [2, 13, 150, 191, 192, 5000])
def test_sort_is_stable_for_short_and_long_rows(dtype, n):
    x = many_ties(dtype, 3, n)
    t = taeda.from_numpy(x)
    values, indices = t.sort()
    np.testing.assert_array_equal(indices.numpy(), np.argsort(x, axis=-1, kind="stable"))
    np.testing.assert_array_equal(values.numpy(), np.sort(x, axis=-1))
    values, indices = t.sort(descending=True)
    order = n - 1 - np.argsort(x[:, ::-1], axis=-1, kind="stable")[:, ::-1]
    np.testing.assert_array_equal(indices.numpy(), order)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order, -1))
    np.testing.assert_array_equal(t.T.sort(0).indices.numpy(), np.argsort(x, axis=-1, kind="stable").T)


@pytest.mark.parametrize("n", [7, 400])
def test_nan_is_the_largest(n):
    x = np.arange(n, dtype=np.float32)[::-1].copy()
    x[[1, 4]] = NAN
    x[2] = INF
    t = taeda.from_numpy(x)
    assert t.sort().indices[-3:].tolist() == [2, 1, 4]
    assert t.sort(descending=True).indices[:3].tolist() == [1, 4, 2]
    assert sorted(t.topk(2).indices.tolist()) == [1, 4] and t.topk(3).indices[2] == 2
    assert t.topk(1, largest=False).values.tolist() == [0]
    assert math.isnan(t.kthvalue(n).values)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [15, 17, 25, 26, 300, 1000])
def test_rows_in_order_but_for_one_place(dtype, n):
    rising = np.sort(np.arange(n) // 3 % 100).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        rising[0], rising[-2:] = -0.0, NAN
    for place in (None, 1, 8, 9, 10, n - 2, n - 1):
        row = rising.copy()
        row[place or 0] = 0
        for x in (row, row[::-1].copy()):
            t = taeda.from_numpy(x)
            rises, falls = np.argsort(x, kind="stable"), n - 1 - np.argsort(x[::-1], kind="stable")[::-1]
            for y, dim in ((t.expand(3, n), 1), (taeda.stack([t, t], 1), 0)):
                for order, descending in ((rises, False), (falls, True)):
                    values, places = y.sort(dim, descending)
                    np.testing.assert_array_equal(places.numpy().T if dim == 0 else places.numpy(), np.stack([order] * y.shape[1 - dim]))
                    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(y.numpy(), places.numpy(), dim))


def test_an_element_repeated_along_the_dimension_is_in_order_as_it_lies():
    for x, dim in ((taeda.tensor([[3.0, math.nan, -1.0]]).expand(5, 3), 0), (taeda.arange(4).reshape(4, 1).expand(4, 50), 1),
                   (taeda.tensor([2.0, 1.0]).reshape(2, 1, 1).expand(2, 7, 3).transpose(0, 2), 1)):
        for descending in (False, True):
            values, places = x.sort(dim, descending=descending)
            assert taeda.equal(values.nan_to_num(9.0), x.nan_to_num(9.0))
            line = taeda.arange(x.shape[dim]).reshape([-1 if d == dim else 1 for d in range(x.dim())])
            assert taeda.equal(places, line.expand(x.shape))
    base = taeda.tensor([[1.0, 2.0]], requires_grad=True)
    base.expand(3, 2).sort(0).values[1:].sum().backward()
    assert base.grad.tolist() == [[2.0, 2.0]]


def test_expanded_rows_are_in_order():
    same = taeda.tensor([3.0, NAN, -1.0])[:, None].expand(3, 50)
    for descending in (False, True):
        assert taeda.equal(taeda.argsort(same, 1, descending), taeda.arange(50).expand(3, 50))
        assert taeda.equal(taeda.argsort(same.t(), 0, descending), taeda.arange(50)[:, None].expand(50, 3))


def test_sort_keeps_signs_of_zero_and_payloads():
    values = taeda.tensor([0.0, -0.0, 1.0, -0.0]).sort().values
    assert [math.copysign(1, v) for v in values.tolist()] == [1, -1, -1, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
@pytest.mark.parametrize("n", [2, 15, 32, 33, 48, 64, 65, 97, 129, 193, 257, 1000])
def test_topk_of_different_numbers_is_the_head_of_the_sort(dtype, n):
    """Few are ranked, up to 16 of them kept in order, more found from the k-th on."""
    draw = np.random.default_rng(n)
    x = draw.permuted(np.tile(np.arange(n) * 1000003 - 500000, (3, 1)), axis=1).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        x[:, 1] = np.inf
        x[2, 0] = np.nan
    for k in {1, 2, 16, 17, n // 33, n // 8, n // 3, n - 1, n}:
        if not 0 < k <= n:
            continue
        for t, dim in ((taeda.from_numpy(x), 1), (taeda.from_numpy(x.T.copy()), 0)):
            for largest in (True, False):
                values, places = t.topk(k, dim, largest=largest)
                wanted, there = t.sort(dim, descending=largest)
                assert taeda.equal(places, there.narrow(dim, 0, k))
                np.testing.assert_array_equal(values.numpy(), wanted.narrow(dim, 0, k).numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
@pytest.mark.parametrize("k", [1, 2, 50, 499, 500])
def test_topk_of_equals_has_the_values_of_the_sort_each_from_its_place(dtype, k):
    x = many_ties(dtype, 4, 500)
    t = taeda.from_numpy(x)
    for largest in (True, False):
        for in_order in (True, False):
            values, indices = t.topk(k, largest=largest, sorted=in_order)
            wanted = t.sort(descending=largest).values[:, :k]
            assert (values if in_order else values.sort(descending=largest).values).tolist() == wanted.tolist()
            assert t.gather(1, indices).tolist() == values.tolist()
            assert [len(set(row)) for row in indices.tolist()] == [k] * 4


# what PyTorch gives
@pytest.mark.parametrize(("n", "k", "places"), [
    (4, 1, [2]), (4, 2, [2, 3]), (4, 4, [2, 3, 0, 1]), (8, 4, [6, 5, 4, 7]), (8, 8, [4, 7, 6, 5, 2, 1, 0, 3]), (16, 2, [10, 11]),
    (64, 2, [42, 43]), (64, 8, [44, 41, 42, 43, 46, 47, 40, 45]), (100, 2, [67, 66]),
])
@pytest.mark.parametrize("dtype", [taeda.float32, taeda.bfloat16, taeda.float64, taeda.int64, taeda.uint8])
def test_topk_of_nothing_but_equals_takes_those_that_pytorch_takes(n, k, places, dtype):
    x = taeda.ones(2, n, dtype=dtype)
    assert x.topk(k).indices.tolist() == [places, places]
    assert x.T.topk(k, 0, largest=False).indices.T.tolist() == [places, places]


def test_order_does_not_depend_on_threads():
    x = taeda.from_numpy(np.random.default_rng(1).normal(size=(64, 700)).round(2))
    assert_same_for_any_threads(lambda: (x.sort(0), x.sort(1), x.topk(9), x.median(1), x.kthvalue(3, 0)))


def test_gradients_return_to_where_values_came_from():
    x = taeda.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]], requires_grad=True)
    weight = taeda.tensor([[1.0, 10.0, 100.0]] * 2)
    (g,) = taeda.autograd.grad((x.sort().values * weight).sum(), x)
    assert g.tolist() == [[100, 1, 10], [100, 10, 1]]
    (g,) = taeda.autograd.grad((x.topk(2, 0).values ** 2).sum(), x)
    assert g.tolist() == [[6, 2, 4], [12, 10, 8]]
    (g,) = taeda.autograd.grad(x.median(1).values.sum(), x)
    assert g.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert x.sort().values.grad_fn.name() == "SortBackward0"
    assert not x.sort().indices.requires_grad


def test_median_of_an_even_number_is_the_lower_and_nan_spreads():
    assert taeda.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2
    x = taeda.tensor([[1.0, NAN, 3.0], [9.0, 7.0, 8.0]])
    values, indices = x.median(1)
    assert math.isnan(values[0]) and values[1].item() == 8
    assert indices.tolist() == [1, 2]
    assert x.nanmedian(1).values.tolist() == [1, 8]
    assert math.isnan(taeda.empty(0).median())


def test_mode_is_the_smallest_of_the_most_frequent():
    values, indices = taeda.tensor([[2, 2, 1, 1, 3], [5, 4, 4, 5, 5]]).mode()
    assert values.tolist() == [1, 5]
    assert indices.tolist() == [3, 4]


def test_unique_gives_inverse_and_counts():
    x = np.random.default_rng(2).integers(-5, 5, (30, 40))
    values, inverse, counts = taeda.from_numpy(x).unique(return_inverse=True, return_counts=True)
    wanted = np.unique(x, return_counts=True)
    assert (values.tolist(), counts.tolist()) == (wanted[0].tolist(), wanted[1].tolist())
    np.testing.assert_array_equal(values[inverse].numpy(), x)
    assert len(taeda.tensor([NAN, 1.0, NAN]).unique()) == 3
    assert taeda.tensor([0.0, -0.0]).unique(return_counts=True)[1].tolist() == [2]


def test_unique_of_slices():
    x = taeda.tensor([[1, 2], [0, 9], [1, 2], [0, 1]])
    rows, inverse, counts = x.unique(dim=0, return_inverse=True, return_counts=True)
    assert rows.tolist() == [[0, 1], [0, 9], [1, 2]]
    assert (inverse.tolist(), counts.tolist()) == ([2, 1, 2, 0], [1, 1, 2])
    assert x.T.unique(dim=1).tolist() == [[0, 0, 1], [1, 9, 2]]
    runs = taeda.unique_consecutive(taeda.tensor([[1, 1], [1, 1], [2, 2], [1, 1]]), dim=0, return_counts=True)
    assert (runs[0].tolist(), runs[1].tolist()) == ([[1, 1], [2, 2], [1, 1]], [2, 1, 1])


def test_unique_has_no_derivative_and_says_so():
    x = taeda.ones(3, requires_grad=True)
    with pytest.raises(NotImplementedError, match=r"\[unique\] the derivative is not implemented"):
        x.unique().sum().backward()


def test_results_whose_shape_depends_on_data_refuse_meta():
    x = taeda.ones(3, dtype=taeda.int64, device="meta")
    for f in (taeda.unique, taeda.unique_consecutive, taeda.bincount):
        with pytest.raises(NotImplementedError, match="depends on data"):
            f(x)


def test_searchsorted_forms():
    a = taeda.tensor([1.0, 3.0, 3.0, 5.0])
    assert taeda.searchsorted(a, 3).item() == 1
    assert taeda.searchsorted(a, 3, right=True).item() == 3
    assert taeda.searchsorted(a, taeda.tensor([NAN, -INF, INF])).tolist() == [4, 0, 4]
    assert taeda.searchsorted(taeda.tensor([3.0, 1.0, 2.0]), 2.5, sorter=taeda.tensor([1, 2, 0])).item() == 2
    assert taeda.searchsorted(taeda.tensor([1, 3]), taeda.tensor([1.5])).tolist() == [1]
    assert taeda.bucketize(taeda.tensor([0, 9]), a, out_int32=True).dtype == taeda.int32
    with pytest.raises(RuntimeError, match="side and right can't be set to opposites"):
        taeda.searchsorted(a, 3, side="left", right=True)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("n", [0, 1, 7, 5000])
def test_bincount_counts_every_integer_dtype(dtype: str, n: int) -> None:
    x = np.random.default_rng(0).integers(0, 100, n).astype(dtype)
    for minlength in (0, 3, 300):
        found = taeda.bincount(taeda.from_numpy(x), minlength=minlength)
        assert found.dtype is taeda.int64 and np.array_equal(found.numpy(), np.bincount(x, minlength=minlength))
    weights = np.linspace(0, 1, n)
    found = taeda.bincount(taeda.from_numpy(x), taeda.from_numpy(weights))
    np.testing.assert_allclose(found.numpy(), np.bincount(x, weights))


def test_bincount_refuses_what_cannot_be_counted():
    assert taeda.bincount(taeda.tensor([1, 1]), taeda.tensor([0.5, 0.25])).tolist() == [0, 0.75]
    for call, error, text in [
        (lambda: taeda.bincount(taeda.ones(2)), NotImplementedError, r"\[bincount\] not implemented for 'Float'"),
        (lambda: taeda.bincount(taeda.tensor([[1]])), RuntimeError, r"only supports 1-d"),
        (lambda: taeda.bincount(taeda.tensor([1, -2])), RuntimeError, r"non-negative .* with -2 in it"),
        (lambda: taeda.bincount(taeda.tensor([1]), taeda.ones(2)), RuntimeError, r"same length as input"),
        (lambda: taeda.bincount(taeda.tensor([1]), minlength=-1), RuntimeError, r"minlength should be >= 0"),
    ]:
        with pytest.raises(error, match=text):
            call()


def test_histc_leaves_out_what_is_outside():
    x = taeda.tensor([0.0, 1.0, 2.0, 3.0, 3.0, -1.0, NAN])
    assert taeda.histc(x, 3, min=0, max=3).tolist() == [1, 1, 3]
    with pytest.raises(RuntimeError, match=r"\[histc\] range of .* is not finite"):
        taeda.histc(x, 3)


@pytest.mark.parametrize("spread", [1, 3, 2047, 2048, 2049, 1 << 40])
def test_medians_of_long_rows_do_not_depend_on_the_span(spread: int) -> None:
    x = np.random.default_rng(5).integers(0, spread, 9001) + 7
    for values in (x, -x, x.astype(np.int32), x.astype(np.float32), x.astype(np.float64) - spread / 2):
        t = taeda.from_numpy(values)
        assert t.median().item() == np.sort(values)[4500]
        at = t.kthvalue(4000)
        assert at.values.item() == np.sort(values)[3999] and values[at.indices.item()] == at.values.item()
    with_ends = x.astype(np.float64)
    with_ends[:3] = -INF, INF, -1e308
    assert taeda.from_numpy(with_ends).median().item() == np.sort(with_ends)[4500]
    with_ends[5] = NAN
    assert math.isnan(taeda.from_numpy(with_ends).median().item())
    assert taeda.from_numpy(with_ends).nanmedian().item() == np.sort(with_ends)[4499]


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "uint8"])
@pytest.mark.parametrize("span", [1, 200, 4095, 4096, 30000])
def test_integers_are_sorted_and_picked_whatever_they_span_and_however_they_lie(dtype: str, span: int) -> None:
    low = 0 if dtype == "uint8" else -1000
    x = np.random.default_rng(1).integers(low, low + (span if dtype != "uint8" else min(span, 255)) + 1, (5000, 3)).astype(dtype)
    t = taeda.from_numpy(x)
    for descending in (False, True):
        values, indices = t.sort(dim=0, descending=descending)
        order = np.argsort(-x.astype(np.int64) if descending else x, axis=0, kind="stable")
        np.testing.assert_array_equal(indices.numpy(), order)
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order, 0))
        values, indices = t.topk(40, 0, largest=descending)
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order, 0)[:40])
        np.testing.assert_array_equal(t.gather(0, indices).numpy(), values.numpy())


@pytest.mark.parametrize("n", [1, 2, 3, 8, 9, 16, 17, 31, 32, 33, 64, 65, 100, 159, 160, 191, 300, 2500])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_rows_of_every_length_are_ordered_as_numpy_orders_them(dtype, n):
    rng = np.random.default_rng(n)
    x = (rng.standard_normal((5, n)) * 50).astype(dtype)
    if dtype == np.int64:
        x[::2] *= 1 << 40
    if dtype in (np.float32, np.float64):
        x[1, n // 2] = NAN
    for t, along, back in ((taeda.from_numpy(x), 1, lambda y: y), (taeda.from_numpy(np.ascontiguousarray(x.T)), 0, lambda y: y.T)):
        np.testing.assert_array_equal(back(t.sort(along).indices.numpy()), np.argsort(x, 1, kind="stable"))
        for k in {1, (n + 1) // 2, n}:
            kth = t.kthvalue(k, along)
            np.testing.assert_array_equal(kth.values.numpy(), np.sort(x, 1)[:, k - 1])
            np.testing.assert_array_equal(np.take_along_axis(x, kth.indices.numpy()[:, None], 1)[:, 0], kth.values.numpy())
            top = t.topk(k, along, largest=False)
            np.testing.assert_array_equal(back(top.values.numpy()), np.sort(x, 1)[:, :k])
            np.testing.assert_array_equal(np.take_along_axis(x, back(top.indices.numpy()), 1), back(top.values.numpy()))
        middle = (
            np.where(np.isnan(x).any(1), NAN, np.sort(x, 1)[:, (n - 1) // 2]) if x.dtype.kind == "f" else np.sort(x, 1)[:, (n - 1) // 2]
        )
        np.testing.assert_array_equal(t.median(along).values.numpy(), middle)
        assert t[0].median().item() == np.sort(t[0].numpy())[(t.shape[1] - 1) // 2] or np.isnan(t[0].numpy()).any()


@pytest.mark.parametrize("n", [300, 1000, 5000])
def test_long_keys_that_differ_in_their_last_bits(n):
    g = np.random.default_rng(n)
    near = 1 + g.integers(0, 2**20, n) * 2.0**-52
    spread = near.copy()
    spread[:2] = -1e300, 1e300
    clusters = (g.integers(0, 4, n) << 60) + g.integers(0, 2**20, n)
    some = g.integers(-(2**62), 2**62, n)
    some[:: n // 5] = 7
    for x in (near, spread, clusters, some, np.sort(some), np.where(g.random(n) < 0.2, some >> 40, some)):
        for descending in (False, True):
            values, indices = taeda.from_numpy(x).sort(stable=True, descending=descending)
            order = np.argsort(x, kind="stable") if not descending else n - 1 - np.argsort(x[::-1], kind="stable")[::-1]
            np.testing.assert_array_equal(indices.numpy(), order)
            np.testing.assert_array_equal(values.numpy(), x[order])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32, np.int8, np.uint8])
@pytest.mark.parametrize("n", range(1, 10))
def test_many_short_rows(dtype, n):
    x = np.random.default_rng(n).integers(0, 4, (9000, n)).astype(dtype)
    if x.dtype.kind == "f":
        x[::5, 0], x[::7, n - 1], x[::11] = NAN, -0.0, INF
    t = taeda.from_numpy(x)
    wide = x.astype(np.float64)
    down = np.where(np.isnan(x), -INF, np.where(wide == INF, -9, -wide))
    for flip, order in ((False, np.argsort(x, 1, kind="stable")), (True, np.argsort(down, 1, kind="stable"))):
        values, indices = assert_same_for_any_threads(lambda flip=flip: t.sort(1, descending=flip))
        np.testing.assert_array_equal(indices.numpy(), order)
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order, 1))
        columns = t.mT.contiguous().sort(0, descending=flip)
        assert (columns.indices == indices.mT).all() and np.array_equal(columns.values.numpy(), values.numpy().T, equal_nan=True)
        for k in range(1, n + 1):
            top = t.topk(k, 1, largest=flip)
            if n <= 3:                                      # of more, equal ones come from where PyTorch has them
                np.testing.assert_array_equal(top.indices.numpy(), order[:, :k])
            np.testing.assert_array_equal(top.values.numpy(), np.take_along_axis(x, order, 1)[:, :k])
            np.testing.assert_array_equal(top.values.numpy(), np.take_along_axis(x, top.indices.numpy(), 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("n", [33, 64, 100, 159, 1000, 5001])
def test_first_few_of_long_rows(dtype, n):
    g = np.random.default_rng(n)
    for many in (7, 200, 10**6):
        x = (g.integers(0, many, (6, n)) - (0 if dtype == np.uint8 else many // 2)).astype(dtype)
        if x.dtype.kind == "f":
            x[1, ::3], x[2, 1::2], x[3, : n - 2], x[4, ::2] = NAN, INF, NAN, -0.0
        for rows in (x, np.sort(x, 1), -np.sort(-x, 1) if dtype != np.uint8 else x):
            t = taeda.from_numpy(np.ascontiguousarray(rows))
            for k in (1, 2, 3, 15, 16, 17):
                for values, places in (t.kthvalue(k, 1), t.mT.contiguous().kthvalue(k, 0)):
                    np.testing.assert_array_equal(values.numpy(), np.sort(rows, 1)[:, k - 1])
                    np.testing.assert_array_equal(np.take_along_axis(rows, places.numpy()[:, None], 1)[:, 0], values.numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 16_384, 16_385, 70_001])
def test_runs_of_values_wherever_they_end(dtype, n):
    g = np.random.default_rng(n)
    for x in (g.integers(0, 2, n), g.integers(0, 99, n), np.sort(g.integers(0, 1 + n // 500, n)), np.zeros(n)):
        x = x.astype(dtype)
        begins = np.flatnonzero(np.r_[True, x[1:] != x[:-1]])
        t = taeda.from_numpy(x)
        values, inverse, counts = assert_same_for_any_threads(lambda t=t: t.unique_consecutive(return_inverse=True, return_counts=True))
        np.testing.assert_array_equal(values.numpy(), x[begins])
        np.testing.assert_array_equal(counts.numpy(), np.diff(begins, append=n))
        np.testing.assert_array_equal(inverse.numpy(), np.repeat(np.arange(len(begins)), counts.numpy()))
        np.testing.assert_array_equal(t.unique_consecutive().numpy(), x[begins])
    x = taeda.full((200,), NAN).unique_consecutive(return_counts=True)
    assert x[0].isnan().all() and x[1].tolist() == [1] * 200


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16, taeda.int64, taeda.int32, taeda.uint8, taeda.bool], ids=str)
def test_short_rows_keep_the_order_of_equal_elements(dtype: taeda.dtype) -> None:
    for n in (2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40):
        x = (taeda.arange(37 * n) * 7919 % 11 - 5).reshape(37, n).abs().to(dtype)
        if dtype.is_floating_point:
            x = taeda.where(x > 1, x - 3, -x)                  # both zeros among them
            x[::3, ::4] = math.nan
            x[::5, 1] = -math.inf
        for descending in (False, True):
            rows = x.tolist()
            keys = [[(0, -v if descending else v) if v == v else (-1 if descending else 1, 0) for v in row] for row in rows]
            places = [sorted(range(n), key=row.__getitem__) for row in keys]
            for y, dim in ((x, 1), (x.t(), 0), (x.t().contiguous(), 0)):
                values, found = y.sort(dim, descending=descending, stable=True)
                values, found = (values, found) if dim else (values.t(), found.t())
                assert found.tolist() == places, (n, descending, dim)
                assert taeda.equal(values.nan_to_num(99.0) if dtype.is_floating_point else values,
                                   x.gather(1, taeda.tensor(places)).nan_to_num(99.0) if dtype.is_floating_point else x.gather(1, taeda.tensor(places)))

"""unique, isin, searchsorted, bincount, kth values and rows by index: each of their ways, at its edges, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

LOW, HIGH = -(2**63), 2**63 - 1


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def integers(rng: np.random.Generator) -> list[np.ndarray]:
    """Small spans are counted, spans below 2^32 sorted as such, others in full."""
    return [
        rng.integers(0, 5, 3000), rng.integers(-40, 6000, 3000), rng.integers(-9, 2 * 3000 + 1015, 3000), rng.integers(-(2**31), 2**31, 3000),
        rng.integers(LOW, HIGH, 3000), np.array([LOW, HIGH, 0, HIGH, LOW]), np.array([5]), np.zeros(0, np.int64), np.full(4099, -7),
        np.r_[rng.integers(0, 2**32 - 1, 1000), 0, 2**32 - 1], np.r_[rng.integers(0, 2**32, 1000), 0, 2**32],
    ]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "int16", "bool", "float32", "float64", "bfloat16"])
def test_unique_with_and_without_what_it_can_return(rng: np.random.Generator, dtype: str) -> None:
    for a in integers(rng):
        a = a if dtype == "int64" else a.astype({"bool": "bool", "bfloat16": "uint8"}.get(dtype, dtype))
        x = taeda.from_numpy(a).to(getattr(taeda, dtype))
        values, inverse, counts = np.unique(a, return_inverse=True, return_counts=True)
        assert x.unique().tolist() == values.tolist()
        found = x.unique(return_inverse=True, return_counts=True)
        assert [t.tolist() for t in found] == [values.tolist(), inverse.tolist(), counts.tolist()]
        assert x.unique(return_counts=True)[1].tolist() == counts.tolist()


def test_unique_keeps_nan_apart_and_the_first_zero() -> None:
    x = taeda.tensor([float("nan"), 1.0, -0.0, 0.0, float("nan"), 1.0])
    values, counts = x.unique(return_counts=True)
    assert values[:2].tolist() == [0, 1] and values[2:].isnan().all() and counts.tolist() == [2, 2, 1, 1]
    assert taeda.signbit(values[0])
    values, inverse, counts = taeda.tensor([0.0, -0.0, float("nan"), float("nan"), 2.0, 2.0, 0.0]).unique_consecutive(return_inverse=True, return_counts=True)
    assert inverse.tolist() == [0, 0, 1, 2, 3, 3, 4] and counts.tolist() == [2, 1, 1, 2, 1]
    assert not taeda.signbit(values[0]) and taeda.zeros(0).unique_consecutive().tolist() == []


@pytest.mark.parametrize("descending", [False, True])
def test_sort_of_integers_is_stable_whatever_their_span(rng: np.random.Generator, descending: bool) -> None:
    for a in integers(rng):
        values, at = taeda.from_numpy(a).sort(stable=True, descending=descending)
        order = np.argsort(np.invert(a) if descending else a, kind="stable")
        assert at.tolist() == order.tolist() and values.tolist() == a[order].tolist()
    a = rng.integers(-1000, 1000, (400, 3))
    assert taeda.from_numpy(a).sort(0, stable=True)[1].tolist() == np.argsort(a, 0, kind="stable").tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
@pytest.mark.parametrize("n", [4095, 4096, 10_001])
def test_kth_values_of_many(rng: np.random.Generator, n: int, dtype: str) -> None:
    for a in (rng.normal(size=n) * 100, rng.random(n) * 1e-3 + 1, np.full(n, 3), np.arange(n) - n // 2, rng.integers(0, 3, n)):
        a = a.astype(dtype)
        order = np.argsort(a, kind="stable")
        for k in (0, 1, n // 3, n - 1):
            value, at = taeda.from_numpy(a).kthvalue(k + 1)
            assert value == a[order[k]] and a[at] == value
        assert taeda.from_numpy(a).median() == a[order[(n - 1) // 2]]
    if dtype.startswith("float"):
        a[[5, 77]] = np.nan
        assert taeda.from_numpy(a).median().isnan() and taeda.from_numpy(a).median(0).indices == 5
        assert taeda.from_numpy(a).nanmedian() == np.sort(a)[(n - 3) // 2]
        assert taeda.from_numpy(a).kthvalue(n).values.isnan()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "int16", "float16"])
@pytest.mark.parametrize("count", [0, 1, 16, 17, 300])
def test_isin(rng: np.random.Generator, count: int, dtype: str) -> None:
    for spread in (3, 200, 2**40 if dtype == "int64" else 250):
        a, b = rng.integers(0, spread, 1000).astype(dtype), rng.integers(0, spread, count).astype(dtype)
        if dtype.startswith("float"):
            a[:3] = np.nan, np.inf, -0.0
            b[:2] = np.array([np.nan, 0])[:count]
        assert taeda.isin(taeda.from_numpy(a), taeda.from_numpy(b)).tolist() == np.isin(a, b).tolist()
        assert taeda.isin(taeda.from_numpy(a), taeda.from_numpy(b), invert=True).tolist() == np.isin(a, b, invert=True).tolist()
    ends = np.array([LOW, HIGH, 0, 1])
    many = np.r_[np.arange(30), LOW, HIGH]
    assert taeda.isin(taeda.from_numpy(ends), taeda.from_numpy(many)).all()


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8"])
def test_searchsorted(rng: np.random.Generator, dtype: str, right: bool) -> None:
    side = "right" if right else "left"
    for n in (0, 1, 2, 15, 16, 17, 100, 1023, 1024):
        a = np.sort(rng.integers(0, 200, n).astype(dtype))
        for m in (0, 1, 7, 8, 9, 63, 65, 500):
            v = rng.integers(0, 203, m).astype(dtype)
            x, y = taeda.from_numpy(a), taeda.from_numpy(v)
            assert taeda.searchsorted(x, y, right=right).tolist() == np.searchsorted(a, v, side).tolist()
            assert taeda.bucketize(y, x, right=right, out_int32=True).tolist() == np.searchsorted(a, v, side).tolist()
    rows, v = np.sort(rng.integers(0, 50, (3, 40)).astype(dtype), 1), rng.integers(0, 52, (3, 70)).astype(dtype)
    expected = [np.searchsorted(r, w, side).tolist() for r, w in zip(rows, v, strict=True)]
    assert taeda.searchsorted(taeda.from_numpy(rows), taeda.from_numpy(v), right=right).tolist() == expected


@pytest.mark.parametrize("right", [False, True])
def test_boundaries_in_no_order_are_halved_as_one_value_alone_would_be(rng: np.random.Generator, right: bool) -> None:
    """One row is in order, the others are not, and a nan ends the last: what is found does not hang on how many are looked for."""
    for n in (3, 20, 64):
        a = rng.permutation(np.repeat(np.arange(n // 2 + 1.0), 2)[:n])
        rows = np.stack([np.sort(a), a, np.r_[np.sort(a)[:-1], np.nan]])
        v = rng.integers(-1, n // 2 + 2, 70).astype(float)

        def place(row: np.ndarray, value: float) -> int:
            low, high = 0, n
            while low < high:
                middle = (low + high) // 2
                after = not row[middle] > value if right else not row[middle] >= value
                low, high = (middle + 1, high) if after else (low, middle)
            return low

        found = taeda.searchsorted(taeda.from_numpy(rows), taeda.from_numpy(np.stack([v] * 3)), right=right).tolist()
        assert found == [[place(row, value) for value in v] for row in rows]
        assert found == [taeda.searchsorted(taeda.from_numpy(row), taeda.from_numpy(v), right=right).tolist() for row in rows]


@pytest.mark.parametrize("n", [5, 40])
def test_nan_and_infinities_have_a_place(n: int) -> None:
    a = taeda.arange(float(n))
    v = taeda.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 2.5])
    assert taeda.searchsorted(a, v).tolist() == [n, n, 0, 0, 3]
    assert taeda.searchsorted(a, v, right=True).tolist() == [n, n, 0, 1, 3]


def test_bincount_of_few_and_of_many_values(rng: np.random.Generator) -> None:
    for span, n in ((1, 100), (3, 1001), (10, 79), (10, 80), (5000, 300)):
        a = rng.integers(0, span, n)
        assert taeda.from_numpy(a).bincount(minlength=span + 2).tolist() == np.bincount(a, minlength=span + 2).tolist()


def test_bincount_of_bytes(rng: np.random.Generator) -> None:
    for n, most in ((0, 1), (1, 256), (7, 9), (100, 200), (70_001, 256)):
        a = rng.integers(0, most, n).astype("uint8")
        x = taeda.from_numpy(a)
        for minlength in (0, 5, 256, 300):
            y = assert_same_for_any_threads(lambda x=x, m=minlength: x.bincount(minlength=m))
            assert y.dtype == taeda.int64 and y.tolist() == np.bincount(a, minlength=minlength).tolist()
        assert x[::2].bincount().tolist() == np.bincount(a[::2]).tolist()
    assert taeda.tensor([3, 3], dtype=taeda.uint8).bincount(taeda.tensor([1.0, 2.0])).tolist() == [0, 0, 0, 3]
    with pytest.raises(RuntimeError, match="only supports 1-d"):
        taeda.zeros(2, 2, dtype=taeda.uint8).bincount()


@pytest.mark.parametrize("width", [1, 2, 3, 5, 16, 33, 300])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "complex128"])
def test_rows_by_index(rng: np.random.Generator, dtype: str, width: int) -> None:
    a = rng.integers(0, 200, (50, width)).astype(dtype)
    i = rng.integers(0, 50, 77)
    x, at = taeda.from_numpy(a), taeda.from_numpy(i)
    assert np.array_equal(x.index_select(0, at).numpy(), a[i])
    assert np.array_equal(x[at].numpy(), a[i]) and np.array_equal(x[at - 50].numpy(), a[i])
    assert np.array_equal(x.t().index_select(1, at).numpy(), a.T[:, i])
    assert np.array_equal(x.gather(0, at[:, None].expand(77, width)).numpy(), a[i])
    if dtype == "float32":
        b = np.zeros((50, width), dtype)
        np.add.at(b, i, a[i])
        y = taeda.zeros(50, width).scatter_add(0, at[:, None].expand(77, width), x[at])
        assert np.array_equal(y.numpy(), b)


def test_scatter_add_of_every_rest(rng: np.random.Generator) -> None:
    for n in (0, 1, 3, 4, 5, 1001):
        i, v, expected = rng.integers(0, 9, n), rng.integers(0, 9, n).astype("float32"), np.zeros(9, "float32")
        np.add.at(expected, i, v)
        assert np.array_equal(taeda.zeros(9).scatter_add_(0, taeda.from_numpy(i), taeda.from_numpy(v)).numpy(), expected)


@pytest.mark.parametrize("bad", [-1, 50, LOW, HIGH])
def test_an_index_out_of_range_is_found_before_anything_is_written(bad: int) -> None:
    x, at = taeda.zeros(50, 4), taeda.arange(20)
    at[13] = bad
    with pytest.raises(IndexError):
        x.index_select(0, at)
    with pytest.raises((IndexError, RuntimeError)):
        x.gather(0, at[:, None].expand(20, 4))
    with pytest.raises((IndexError, RuntimeError)):
        x.scatter_add_(0, at[:, None].expand(20, 4), taeda.ones(20, 4))
    assert x.sum() == 0


def test_masked_scatter_stops_with_its_source() -> None:
    mask = taeda.tensor([True, False, True, True, False])
    assert taeda.zeros(5).masked_scatter(mask, taeda.tensor([1.0, 2, 3])).tolist() == [1, 0, 2, 3, 0]
    assert taeda.zeros(4).masked_scatter(taeda.tensor([False, True, True, False]), taeda.tensor([5.0, 6])).tolist() == [0, 5, 6, 0]


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("reduce", ["sum", "prod", "amax", "amin", "mean"])
def test_scatter_reduce_is_the_loop_in_order(rng: np.random.Generator, dim: int, reduce: str) -> None:
    """In place and not, by an index of its own for every lane and by one for all, with NaN among the values."""
    for shape in ((5, 7), (70, 33), (3, 130)):
        for count in (1, 4, 9):
            places = [count, shape[1]] if dim == 0 else [shape[0], count]
            ix = rng.integers(0, shape[dim], places)
            vector = rng.integers(0, shape[dim], count)
            x, v = (rng.standard_normal(s).astype(np.float32) for s in (shape, places))
            v[rng.random(v.shape) < 0.1] = np.nan if reduce in ("amax", "amin") else 1.0
            for expanded in (False, True):
                at = taeda.from_numpy(vector).view(-1, 1) if dim == 0 else taeda.from_numpy(vector)
                at = at.expand(places) if expanded else taeda.from_numpy(ix)
                for keep in (True, False):
                    want, seen, places_seen = x.astype(np.float64), np.full(shape, int(keep)), at.numpy()
                    for i, j in np.ndindex(*places):
                        to = (places_seen[i, j], j) if dim == 0 else (i, places_seen[i, j])
                        a, b = want[to], float(v[i, j])
                        if seen[to] == 0:
                            want[to] = b
                        elif reduce in ("sum", "mean"):
                            want[to] = a + b
                        elif reduce == "prod":
                            want[to] = a * b
                        else:
                            want[to] = (np.maximum if reduce == "amax" else np.minimum)(a, b)
                        seen[to] += 1
                    if reduce == "mean":
                        want /= np.maximum(seen, 1)
                    t, s = taeda.from_numpy(x.copy()), taeda.from_numpy(v)
                    found = t.scatter_reduce(dim, at, s, reduce, include_self=keep)
                    np.testing.assert_allclose(found.numpy(), want, rtol=2e-5, atol=1e-5)
                    assert t.scatter_reduce_(dim, at, s, reduce, include_self=keep) is t
                    np.testing.assert_array_equal(t.numpy(), found.numpy())
                    if expanded and reduce != "sum":
                        rows = taeda.index_reduce(taeda.from_numpy(x), dim, taeda.from_numpy(vector), s, reduce, include_self=keep)
                        np.testing.assert_array_equal(rows.numpy(), found.numpy())


def test_scatter_reduce_takes_max_and_min_by_their_short_names() -> None:
    ix, v = taeda.tensor([0, 0, 2]), taeda.tensor([2.0, -3.0, 5.0])
    for short, name in (("max", "amax"), ("min", "amin")):
        for keep in (True, False):
            found = []
            for reduce in (short, name):
                x = taeda.ones(3, requires_grad=True)
                y = x.scatter_reduce(0, ix, v, reduce, include_self=keep)
                y.backward(taeda.tensor([1.0, 2.0, 3.0]))
                found.append((y.tolist(), x.grad.tolist(), taeda.ones(3).scatter_reduce_(0, ix, v, reduce, include_self=keep).tolist()))
            assert found[0] == found[1]
    with pytest.raises(RuntimeError, match="amax or amin, got largest"):
        taeda.ones(3).scatter_reduce(0, ix, v, "largest")


def test_scatter_reduce_in_place_keeps_its_history_and_its_target() -> None:
    x = taeda.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y.scatter_reduce_(0, taeda.tensor([0, 0]), taeda.tensor([4.0, 7.0]), "prod")
    y.sum().backward()
    assert y.tolist() == [28, 2] and x.grad.tolist() == [28, 1]
    z = taeda.ones(3)
    with pytest.raises(RuntimeError, match="out of bounds"):
        z.scatter_reduce_(0, taeda.tensor([0, 3]), taeda.ones(2), "sum", include_self=False)
    assert z.tolist() == [1, 1, 1]


@pytest.mark.parametrize("width", [1, 4, 8, 16, 31, 32, 65, 130])
def test_rows_are_added_in_order_for_every_number_of_threads(rng: np.random.Generator, width: int) -> None:
    x = rng.standard_normal((300, width)).astype(np.float32)
    v = rng.standard_normal((9001, width)).astype(np.float32)
    ix = rng.integers(0, 300, 9001)
    want = x.copy()
    for i, row in zip(ix, v, strict=True):
        want[i] += row
    for count in (1, 2, 3):
        taeda.set_num_threads(count)
        args = 0, taeda.from_numpy(ix), taeda.from_numpy(v)
        np.testing.assert_array_equal(taeda.from_numpy(x).index_add(*args).numpy(), want)
        signed = taeda.from_numpy(np.where(ix % 2, ix - 300, ix))
        np.testing.assert_array_equal(taeda.from_numpy(x.copy()).index_put_((signed,), args[2], accumulate=True).numpy(), want)
        expanded = args[1].view(-1, 1).expand(9001, width)
        np.testing.assert_array_equal(taeda.from_numpy(x).scatter_add(0, expanded, args[2]).numpy(), want)


def test_the_first_bad_index_of_many_is_named() -> None:
    ix = taeda.zeros(300_000, dtype=taeda.int64)
    ix[70_001], ix[200_000] = 9, 8
    for count in (1, 2):
        taeda.set_num_threads(count)
        for call in (lambda: taeda.zeros(5)[ix], lambda: taeda.zeros(5).scatter_add(0, ix, taeda.ones(300_000)),
                     lambda: taeda.zeros(5).index_add(0, ix, taeda.ones(300_000)), lambda: taeda.zeros(5).gather(0, ix)):
            with pytest.raises((IndexError, RuntimeError), match="index 9 is out of bounds"):
                call()
        wide = ix[199_990:].view(-1, 1).expand(-1, 3)
        with pytest.raises(RuntimeError, match="index 8 is out of bounds"):
            taeda.zeros(5, 3).scatter_add(0, wide, taeda.ones(wide.shape))
    assert taeda.arange(4)[taeda.tensor([-1, 2, -4])].tolist() == [3, 2, 0]
    assert taeda.zeros(3).index_put((taeda.tensor([-1, 0]),), taeda.tensor([1.0, 2.0])).tolist() == [2, 0, 1]


def test_bincount_names_the_least_and_takes_any_integer() -> None:
    for dtype in (taeda.uint8, taeda.int8, taeda.int16, taeda.int32, taeda.int64):
        assert taeda.bincount(taeda.tensor([3, 0, 3], dtype=dtype)).tolist() == [1, 0, 0, 2]
    with pytest.raises(RuntimeError, match="with -2 in it"):
        taeda.bincount(taeda.tensor([1, -2, 3]))
    with pytest.raises(RuntimeError, match="1-d"):
        taeda.bincount(taeda.tensor([[1, 2]]))


def test_take_along_dim_counts_from_the_end_where_asked(rng: np.random.Generator) -> None:
    x = rng.standard_normal((5, 7))
    for low in (-7, 0):
        ix = rng.integers(low, 7, (5, 9))
        np.testing.assert_array_equal(taeda.take_along_dim(taeda.from_numpy(x), taeda.from_numpy(ix), 1).numpy(), np.take_along_axis(x, ix, 1))
    with pytest.raises(RuntimeError, match="out of bounds"):
        taeda.take_along_dim(taeda.from_numpy(x), taeda.tensor([[7]]), 1)
    assert taeda.take_along_dim(taeda.ones(3, 2), taeda.zeros(0, 2, dtype=taeda.int64), 0).shape == (0, 2)
    xs, at = taeda.from_numpy(rng.standard_normal((3, 4, 2))), taeda.tensor([[[-1, 0]], [[2, 1]], [[0, -2]]])
    each = taeda.stack([taeda.take_along_dim(a, b, 0) for a, b in zip(xs, at, strict=True)])
    assert taeda.equal(taeda.func.vmap(lambda a, b: taeda.take_along_dim(a, b, 0))(xs, at), each)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bins", [1, 7, 1000])
def test_a_value_lies_in_the_bin_between_whose_edges_it_is(rng: np.random.Generator, dtype: str, bins: int) -> None:
    x = np.concatenate([rng.normal(size=3001), [np.nan, np.inf, -np.inf, -1.0, 1.5]]).astype(dtype)
    w = rng.integers(0, 9, len(x)).astype(dtype)
    edges = taeda.histogram(taeda.from_numpy(x), bins, range=(-1.0, 1.5)).bin_edges.numpy()
    x = np.concatenate([x, edges]).astype(dtype)                # what lies on an edge belongs above it
    w = np.concatenate([w, np.ones(len(edges), dtype)])
    inside = (x >= edges[0]) & (x <= edges[-1])
    place = np.minimum(np.searchsorted(edges, x[inside], side="right") - 1, bins - 1)
    for weight in (None, w):
        expected = np.bincount(place, None if weight is None else weight[inside], bins)
        given = None if weight is None else taeda.from_numpy(weight)
        t = taeda.from_numpy(x)
        assert taeda.histogram(t, bins, range=(-1.0, 1.5), weight=given).hist.tolist() == expected.tolist()
        assert taeda.histogram(t, taeda.from_numpy(edges), weight=given).hist.tolist() == expected.tolist()
    for kinds in (("float16", dtype), (dtype, "float16")):
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype"):
            taeda.histogram(t, bins, range=(-1.0, 1.5), out=tuple(taeda.empty(0, dtype=getattr(taeda, kind)) for kind in kinds))


def test_a_hash_of_one_element_is_no_view_of_it():
    x = taeda.tensor([5])
    for y in (taeda.hash_tensor(x), taeda.hash_tensor(x, 0, keepdim=True), taeda.hash_tensor(x[0])):
        assert int(y) == 5 and y.data_ptr() != x.data_ptr()


def test_a_hash_over_no_dim_named_is_over_all() -> None:
    x = taeda.arange(6.0).reshape(2, 3)
    assert taeda.hash_tensor(x, None, keepdim=True).shape == (1, 1) and int(taeda.hash_tensor(x, dim=None)) == int(taeda.hash_tensor(x))


def test_a_hash_goes_to_out() -> None:
    x = taeda.arange(6.0).reshape(2, 3)
    for out in (taeda.empty(0, dtype=taeda.uint64), taeda.zeros(3, 2, dtype=taeda.uint64)[:, 0]):
        assert taeda.hash_tensor(x, 0, out=out) is out and taeda.equal(out.view(taeda.int64), taeda.hash_tensor(x, 0).view(taeda.int64))
    with pytest.raises(RuntimeError, match="uint64"):
        taeda.hash_tensor(x, 0, out=taeda.empty(3, dtype=taeda.int64))


def test_hash_tensor_takes_each_dimension_once() -> None:
    for shape, dim in (((3,), (0, -1)), ((2, 3), (1, -1)), ((2, 3), (0, 1, 0))):
        with pytest.raises(RuntimeError, match="multiple times"):
            taeda.hash_tensor(taeda.ones(shape), dim)


def test_bool_has_no_mean_to_reduce_by() -> None:
    x, at = taeda.tensor([True, False]), taeda.tensor([0, 0])
    with pytest.raises(NotImplementedError, match="'Bool'"):
        x.scatter_reduce(0, at, x, "mean")
    with pytest.raises(NotImplementedError, match="[Bb]ool"):
        x.index_reduce(0, at, x, "mean")


def test_inverses_are_tensors_of_their_own() -> None:
    x = taeda.tensor([[1, 2], [2, 2]])
    for found in (taeda.unique(x, return_inverse=True), taeda.unique_consecutive(x, return_inverse=True)):
        assert found[1].tolist() == [[0, 1], [1, 1]] and found[1]._base is None

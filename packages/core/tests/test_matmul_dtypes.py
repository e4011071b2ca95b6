"""Products of integers and complex numbers, of one term, and with vectors: the roads beside that of float matrices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
SHAPES = ((1, 1, 1), (1, 40, 9), (33, 1, 20), (7, 5, 300), (25, 33, 40), (97, 130, 65), (100, 260, 300), (13, 1000, 31))


def layouts(x):
    """The same matrix in rows, in columns, and as part of a larger one."""
    a = taeda.from_numpy(x)
    wide = taeda.zeros(x.shape[0], 2 * x.shape[1] + 1, dtype=a.dtype)
    wide[:, 1::2] = a
    return a, a.t().contiguous().t(), wide[:, 1::2]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
def test_integers_wrap_around_in_every_layout(dtype, m, n, k):
    rng = np.random.default_rng(m + n)
    info = np.iinfo(dtype)
    x, y, s = (rng.integers(info.min, info.max, shape, dtype=dtype) for shape in ((m, k), (k, n), (m, n)))
    with np.errstate(over="ignore"):
        want, scaled = x @ y, (3 * s + np.array(5, dtype) * (x @ y)).astype(dtype)
    for a in layouts(x):
        for b in layouts(y):
            assert np.array_equal((a @ b).numpy(), want)
            assert np.array_equal(taeda.addmm(taeda.from_numpy(s), a, b, beta=3, alpha=5).numpy(), scaled)
    assert np.array_equal((taeda.from_numpy(x) @ taeda.from_numpy(y[:, 0].copy())).numpy(), want[:, 0])
    assert np.array_equal(taeda.dot(taeda.from_numpy(x[0].copy()), taeda.from_numpy(y[:, 0].copy())).item(), want[0, 0])


def complex_numbers(rng, *shape, dtype):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def assert_near(got, want, terms):
    unit = 1.2e-7 if got.dtype == taeda.complex64 else 2.3e-16
    assert tuple(got.shape) == want.shape
    assert (np.abs(got.numpy() - want) <= 8 * unit * np.sqrt(terms + 8) * (np.abs(want) + np.sqrt(terms) + 1)).all()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
def test_complex_products_in_every_layout(dtype, m, n, k):
    rng = np.random.default_rng(m + n)
    x, y, s = (complex_numbers(rng, *shape, dtype=dtype) for shape in ((m, k), (k, n), (m, n)))
    want = x.astype(np.complex128) @ y.astype(np.complex128)
    for a in layouts(x):
        for b in layouts(y):
            assert_near(a @ b, want, k)
            for c in layouts(s):
                assert_near(taeda.addmm(c, a, b), s + want, k)
                assert_near(taeda.addmm(c, a, b, beta=0.5, alpha=-2), 0.5 * s - 2 * want, 4 * k)
                assert_near(taeda.addmm(c, a, b, beta=1j, alpha=0.5 - 1j), 1j * s + (0.5 - 1j) * want, 4 * k)
                assert_near(c.clone().addmm_(a, b, alpha=1j), s + 1j * want, 4 * k)
            assert_near(taeda.addmm(taeda.from_numpy(s[0].copy()), a, b.conj(), beta=2), 2 * s[:1] + x.astype(np.complex128) @ y.conj(), 4 * k)
    assert_near(taeda.from_numpy(x) @ taeda.from_numpy(y[:, 0].copy()), want[:, 0], k)


@pytest.mark.parametrize(("sa", "sb"), [((5, 7, 9), (5, 9, 11)), ((4, 1, 6, 8), (3, 8, 5)), ((6, 8), (2, 3, 8, 5)), ((2, 1, 6, 8), (8, 5)),
                                        ((2, 3, 4, 4), (1, 3, 4, 4)), ((70, 16, 16), (70, 16, 16))])
def test_complex_batches_broadcast(sa, sb):
    rng = np.random.default_rng(1)
    x, y = complex_numbers(rng, *sa, dtype="complex64"), complex_numbers(rng, *sb, dtype="complex64")
    a, b = taeda.from_numpy(x), taeda.from_numpy(y)
    assert_near(a @ b, x @ y, sa[-1])
    assert_near(a.transpose(-1, -2).contiguous().transpose(-1, -2) @ b.transpose(-1, -2).contiguous().transpose(-1, -2), x @ y, sa[-1])
    assert_near(a.expand(2, *sa)[0] @ b, x @ y, sa[-1])


def test_a_size_of_one_between_dimensions_does_not_join_them():
    x, y = taeda.arange(96.0).reshape(2, 1, 8, 6).transpose(-1, -2), taeda.arange(40.0).reshape(8, 5)
    want = x.numpy() @ y.numpy()
    assert np.array_equal((x @ y).numpy(), want)
    assert np.array_equal(taeda.ops.linear(x, y.t()).numpy(), want)


def test_a_complex_product_of_what_is_not_finite():
    x, y = taeda.ones(20, 8, dtype=taeda.complex64), taeda.ones(8, 30, dtype=taeda.complex64)
    x[3, 4] = complex(float("nan"), 0)
    got = (x @ y).numpy()
    assert np.isnan(got[3]).all() and (np.delete(got, 3, 0) == 8).all()
    assert (taeda.addmm(taeda.full((20, 30), complex(float("nan"))), x[:1].expand(20, 8), y, beta=0).numpy() == 8).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int16", "int64"])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 900), (900, 1), (17, 33), (900, 700)])
def test_products_of_one_term(dtype, m, n):
    rng = np.random.default_rng(0)
    x, y, s = (rng.integers(-9, 9, shape).astype(dtype) for shape in ((m, 1), (1, n), (m, n)))
    a, b, c = taeda.from_numpy(x), taeda.from_numpy(y), taeda.from_numpy(s)
    assert np.array_equal((a @ b).numpy(), x * y)
    assert np.array_equal((b.t() @ a.t()).numpy(), (x * y).T)
    assert np.array_equal(taeda.addmm(c, a, b, beta=2, alpha=3).numpy(), 2 * s + 3 * x * y)
    assert np.array_equal(taeda.addr(c[0], a[:, 0], b[0]).numpy(), s[:1] + x * y)
    assert np.array_equal(c.clone().t().addmm_(b.t(), a.t()).t().numpy(), s + x * y)
    assert np.array_equal(taeda.bmm(a.expand(3, m, 1), b.expand(3, 1, n)).numpy(), np.broadcast_to(x * y, (3, m, n)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int32"])
@pytest.mark.parametrize(("rows", "columns"), [(1, 9000), (700, 1000), (1000, 700), (3000, 257), (60, 9000), (9000, 61)])
def test_vectors_times_either_side_of_a_matrix(dtype, rows, columns):
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 9, (rows, columns)).astype(dtype)
    u, v = rng.integers(-9, 9, rows).astype(dtype), rng.integers(-9, 9, columns).astype(dtype)
    a = taeda.from_numpy(x)
    left, right = taeda.from_numpy(u), taeda.from_numpy(v)
    for matrix in (a, a.t().contiguous().t()):
        got = assert_same_for_any_threads(lambda: (left @ matrix, matrix @ right, taeda.addmv(left, matrix, right, beta=2)))
        assert np.array_equal(got[0].numpy(), u @ x) and np.array_equal(got[1].numpy(), x @ v)
        assert np.array_equal(got[2].numpy(), 2 * u + x @ v)
    if dtype == "float32":
        assert_same_for_any_threads(lambda: taeda.linspace(0, 1, rows) @ a.cos())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_products_in_every_layout(dtype):
    rng = np.random.default_rng(0)
    for m, n, k in ((1, 40, 9), (33, 1, 20), (20, 30, 50), (1, 64, 64), (3, 37, 65), (50, 2, 3), (13, 100, 2), (61, 33, 511), (29, 48, 2048)):
        x, y = rng.integers(-4, 4, (m, k)).astype(np.float32), rng.integers(-4, 4, (k, n)).astype(np.float32)
        for a in layouts(x):
            for b in layouts(y):
                got = a.to(getattr(taeda, dtype)) @ b.to(getattr(taeda, dtype))
                assert np.array_equal(got.float().numpy(), taeda.from_numpy(x @ y).to(getattr(taeda, dtype)).float().numpy())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_products_round_once(dtype):
    rng = np.random.default_rng(1)
    half = 2.0 ** (-8 if dtype == "bfloat16" else -11)
    narrow = lambda *shape: taeda.from_numpy(rng.standard_normal(shape)).to(getattr(taeda, dtype))  # noqa: E731
    for m, n, k in ((200, 300, 513), (3, 130, 70), (300, 1, 90), (40, 17, 1000), (260, 272, 2048), (500, 48, 300)):
        a, b, c = narrow(m, k), narrow(n, k).mT, narrow(m, n)
        exact, scale = (a.double() @ b.double()).numpy(), (a.double().abs() @ b.double().abs()).numpy()
        found = assert_same_for_any_threads(lambda: (a @ b, taeda.addmm(c, a, b, beta=0.5, alpha=2), taeda.stack([a, a]) @ b))
        plain, added, batch = (x.double().numpy() for x in found)
        assert (np.abs(plain - exact) <= half * np.abs(exact) + 2.0**-21 * scale).all()
        both = 2 * exact + 0.5 * c.double().numpy()
        assert (np.abs(added - both) <= half * np.abs(both) + 2.0**-20 * scale).all()
        assert np.array_equal(batch[0], plain) and np.array_equal(batch[1], plain)


@pytest.mark.parametrize(("equation", "shapes"), [("i,j->ij", [(5,), (7,)]), ("i,j->ji", [(5,), (7,)]), ("bi,bj->bij", [(3, 5), (3, 7)]),
                                                  ("bi,bj->ibj", [(3, 5), (3, 7)]), ("ij,kl->iklj", [(2, 3), (4, 5)]),
                                                  ("bi,bj,bk->ijk", [(6, 5), (6, 7), (6, 4)]), ("i,j,k->kij", [(3,), (4,), (5,)]),
                                                  ("ij,kj->ikj", [(3, 4), (5, 4)]), ("ai,bj,c->abijc", [(2, 3), (4, 5), (6,)])])
def test_einsum_without_sums(equation, shapes):
    rng = np.random.default_rng(0)
    xs = [rng.integers(-9, 9, s).astype(np.float64) for s in shapes]
    assert np.array_equal(taeda.einsum(equation, *map(taeda.from_numpy, xs)).numpy(), np.einsum(equation, *xs))
    flags = [x > 0 for x in xs]
    if "b" not in equation or "b" in equation.split("->")[1]:
        assert np.array_equal(taeda.einsum(equation, *map(taeda.from_numpy, flags)).numpy(), np.einsum(equation, *flags))


@pytest.mark.parametrize(("sa", "sb"), [((3, 4), (5, 6)), ((30, 2), (2, 30)), ((4,), (2, 3)), ((2, 3, 4), (3, 2)), ((7, 1), (1, 7)),
                                        ((), (3,)), ((2, 0), (3, 4)), ((80, 2), (2, 80))])
def test_kron_of_short_rows(sa, sb):
    rng = np.random.default_rng(0)
    x, y = rng.integers(-9, 9, sa).astype(np.float32), rng.integers(-9, 9, sb).astype(np.float32)
    assert np.array_equal(taeda.kron(taeda.from_numpy(np.asarray(x)), taeda.from_numpy(np.asarray(y))).numpy(), np.kron(x, y))


@pytest.mark.parametrize("dtype", [taeda.int8, taeda.uint8])
def test_products_of_bytes_are_added_up_in_int32(dtype: taeda.dtype) -> None:
    a = taeda.randint(0, 256, (5, 70)).to(dtype)
    b = taeda.randint(-128, 128, (3, 70), dtype=taeda.int8).t()
    y = taeda._int_mm(a, b)
    assert y.dtype == taeda.int32 and taeda.equal(y, (a.long() @ b.long()).int())
    out = taeda.empty(5, 3, dtype=taeda.int32)
    assert taeda._int_mm(a, b, out=out) is out and taeda.equal(out, y)
    assert taeda.ops.aten._int_mm(a[:, :0], b[:0]).tolist() == [[0] * 3] * 5
    for call in (
        lambda: taeda._int_mm(a, b.int()), lambda: taeda._int_mm(a.int(), b), lambda: taeda._int_mm(a, b.t()), lambda: taeda._int_mm(a[0], b),
        lambda: taeda._int_mm(a, b, out=out.long()), lambda: taeda._int_mm(a, b, out=out[:4]),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"^\[_int_mm\] expected"):
            call()


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize("k", [0, 1, 7, 8, 31, 33, 260, 16384, 40001])
def test_vectors_of_halves_are_summed_in_float32(k, dtype):
    rng = np.random.default_rng(k)
    m = 5 if k > 1000 else 130
    x, u = (taeda.from_numpy(rng.standard_normal(shape)).to(dtype) for shape in ((m, k), (k,)))
    rows = x.double().numpy() @ u.double().numpy()
    apart = taeda.zeros(m, k + 3, dtype=dtype)[:, :k].copy_(x)
    steps = taeda.zeros(2 * k, dtype=dtype)[::2].copy_(u)
    for found in (x @ u, apart @ u, x.t().contiguous().t() @ u, x @ steps, u @ x.t(), (u[None] @ x.t())[0], (x @ u[:, None])[:, 0],
                  taeda.stack([taeda.dot(row, u) for row in x]), taeda.inner(u, x)):
        np.testing.assert_allclose(found.double().numpy(), rows, rtol=taeda.finfo(dtype).eps * 2, atol=taeda.finfo(dtype).eps * max(k, 1) ** 0.5)
    assert_same_for_any_threads(lambda: (x @ u, taeda.dot(x[0], u)))


def test_float16_sums_beyond_its_range_are_infinite_and_nan_stays():
    x = taeda.full((100,), 60.0, dtype=taeda.float16)
    assert taeda.dot(x, x).item() == float("inf") and taeda.dot(x, -x).item() == -float("inf")
    x[3] = float("nan")
    assert taeda.dot(x, x).isnan()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex64"])
def test_a_column_by_a_single_number(dtype):
    rng = np.random.default_rng(1)
    a, s, c = (rng.integers(-9, 9, shape).astype(dtype) for shape in ((3, 701, 1), (1,), (701,)))
    x, v, z = (taeda.from_numpy(t) for t in (a, s, c))
    np.testing.assert_array_equal((x @ v).numpy(), a[..., 0] * s)
    np.testing.assert_array_equal((x[0].t().contiguous().t() @ v).numpy(), a[0, :, 0] * s)
    np.testing.assert_array_equal((x[0, ::2] @ v).numpy(), a[0, ::2, 0] * s)
    np.testing.assert_array_equal(taeda.addmv(z, x[0], v, beta=2, alpha=3).numpy(), 2 * c + 3 * a[0, :, 0] * s)
    wide = np.arange(4).astype(dtype)[None]
    np.testing.assert_array_equal((x[0] @ taeda.from_numpy(wide)).t().contiguous().numpy(), (a[0] @ wide).T)
    np.testing.assert_array_equal(taeda.mm(taeda.from_numpy(wide).t(), x[0].t()).numpy(), wide.T @ a[0].T)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(("m", "k", "n"), [(1, 70, 33), (2, 300, 100), (8, 20, 50), (9, 20, 50), (60, 40, 3), (60, 40, 8), (5, 1, 70), (3, 200, 2)])
def test_complex_products_of_few_rows_or_columns(m: int, k: int, n: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    a, b = ((rng.normal(size=s) + 1j * rng.normal(size=s)).astype(dtype) for s in ((2 * m, k), (k, 2 * n)))
    s, t = taeda.from_numpy(a), taeda.from_numpy(b)
    wanted, within = a[::2] @ b[:, ::2], {"rtol": 1e-4 if dtype == "complex64" else 1e-12, "atol": 1e-4 if dtype == "complex64" else 1e-12}
    left = (s[::2], s[::2].contiguous(), s[::2].t().contiguous().t(), s.flip(0).flip(0)[::2])
    right = (t[:, ::2], t[:, ::2].contiguous(), t[:, ::2].t().contiguous().t())
    for x, y in itertools.product(left, right):
        found = assert_same_for_any_threads(lambda x=x, y=y: x @ y)
        np.testing.assert_allclose(found.numpy(), wanted, **within)
        added = taeda.addmm(found, x, y, beta=0.5j, alpha=2 - 1j)
        np.testing.assert_allclose(added.numpy(), 0.5j * wanted + (2 - 1j) * wanted, **within)
    np.testing.assert_allclose((s[::2].mH.mH @ t[:, ::2].conj().conj()).numpy(), wanted, **within)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_products_commute_to_the_last_bit(dtype: str) -> None:
    u, v = (taeda.randn(n, dtype=getattr(taeda, dtype)) for n in (37, 51))
    full = u[:, None].expand(37, 51).contiguous() * v.expand(37, 51).contiguous()
    assert (u[:, None] * v).equal(full) and (v * u[:, None]).equal(full) and taeda.outer(u, v).equal(full) and (u[0] * v).equal(full[0])


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float16, taeda.bfloat16])
def test_products_with_packed_weights(dtype: taeda.dtype) -> None:
    taeda.manual_seed(0)                                # whole numbers and powers of two: the same in any order
    x, s = taeda.randint(-4, 5, (3, 64)).to(dtype), 2.0 ** taeda.randint(-3, 4, (112,)).to(dtype)
    w = taeda.randint(-128, 128, (112, 64), dtype=taeda.int8)
    y = taeda._weight_int8pack_mm(x, w, s)
    assert y.dtype is dtype and taeda.equal(y, ((x.float() @ w.float().t()) * s.float()).to(dtype))
    q = taeda.randint(0, 16, (112, 64), dtype=taeda.int32)
    packed = taeda._convert_weight_to_int4pack_for_cpu(q, 2)
    block, rest = packed.view(-1)[: 64 * 32].view(64, 32), packed.view(-1)[64 * 32 :].view(64, 24)
    assert taeda.equal(block.int(), (q[:32] + 16 * q[32:64]).t()) and taeda.equal(rest.int(), (q[64::2] + 16 * q[65::2]).t())
    assert taeda._convert_weight_to_int4pack_for_cpu(q[:, :0], 2).shape == (112, 0)
    by = 2.0 ** taeda.randint(-3, 4, (2, 112, 2)).to(dtype)
    scale, zero = (t.float().t().repeat_interleave(32, 1) for t in by.unbind(-1))
    y = taeda._weight_int4pack_mm_for_cpu(x, packed, 32, by)
    assert y.dtype is dtype and taeda.equal(y, (x.float() @ ((q - 8) * scale + zero).t()).to(dtype))
    for call in (
        lambda: taeda._weight_int8pack_mm(x[0], w, s), lambda: taeda._weight_int8pack_mm(x.double(), w, s.double()),
        lambda: taeda._weight_int8pack_mm(x, w.int(), s), lambda: taeda._weight_int8pack_mm(x, w[:, 1:], s),
        lambda: taeda._weight_int8pack_mm(x, w, s[1:]), lambda: taeda._convert_weight_to_int4pack_for_cpu(q[:8], 2),
        lambda: taeda._convert_weight_to_int4pack_for_cpu(q.long(), 2), lambda: taeda._weight_int4pack_mm_for_cpu(x, packed, 16, by),
        lambda: taeda._weight_int4pack_mm_for_cpu(x, packed, 128, by), lambda: taeda._weight_int4pack_mm_for_cpu(x, packed, 64, by),
        lambda: taeda._weight_int4pack_mm_for_cpu(x, packed.int(), 32, by),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="expect"):
            call()

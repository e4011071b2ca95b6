"""Copies between layouts: every way in which move.h moves elements, at the edges of its blocks, against NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

DTYPES = {1: "uint8", 2: "int16", 4: "float32", 8: "int64", 16: "complex128"}          # one of each size


def numbered(shape: tuple[int, ...], dtype: str) -> tuple[np.ndarray, taeda.Tensor]:
    """An array whose neighbours differ, and the same as a tensor."""
    n = int(np.prod(shape))
    a = (np.arange(n) * 7 % 251).astype(dtype).reshape(shape)
    if dtype == "complex128":
        a = np.asarray(a + 1j * np.arange(n).reshape(shape))
    return a, taeda.from_numpy(np.array(a))


def assert_same(x: taeda.Tensor, a: np.ndarray) -> None:
    assert tuple(x.shape) == a.shape
    assert np.array_equal(x.numpy(), a)


# lanes of 16 bytes, blocks of 128 rows by 512 bytes, and what is left of them
SIZES = [(1, 5), (2, 300), (3, 50), (4, 4), (5, 7), (7, 1000), (15, 17), (16, 16), (31, 33), (63, 65), (64, 128), (127, 129), (143, 144), (130, 515), (260, 270)]


@pytest.mark.parametrize("dtype", DTYPES.values())
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_transposes(size: tuple[int, int], dtype: str) -> None:
    for shape in (size, size[::-1]):
        a, x = numbered(shape, dtype)
        assert_same(x.t().contiguous(), a.T)
        y = taeda.zeros(shape, dtype=x.dtype).t()
        y.copy_(x.t())
        assert_same(y, a.T)


@pytest.mark.parametrize("dtype", DTYPES.values())
def test_all_orders_of_four_dimensions(dtype: str) -> None:
    for shape in ((2, 3, 9, 4), (3, 1, 20, 17), (5, 16, 3, 2)):
        a, x = numbered(shape, dtype)
        for order in itertools.permutations(range(4)):
            assert_same(x.permute(order).contiguous(), a.transpose(order))


@pytest.mark.parametrize("dtype", DTYPES.values())
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8])
def test_channels_last_and_back(channels: int, dtype: str) -> None:
    a, x = numbered((2, channels, 13, 29), dtype)
    last = x.permute(0, 2, 3, 1).contiguous()
    assert_same(last, a.transpose(0, 2, 3, 1))
    assert_same(last.permute(0, 3, 1, 2).contiguous(), a)


@pytest.mark.parametrize("dtype", DTYPES.values())
def test_slices_steps_and_broadcasts(dtype: str) -> None:
    a, x = numbered((40, 70), dtype)
    for i in (np.s_[:, ::2], np.s_[::3], np.s_[1:-1, 1:-1], np.s_[:, :3], np.s_[5:, 7], np.s_[::2, ::5], np.s_[:, 1:]):
        assert_same(x[i].contiguous(), a[i])
        b, y = numbered((40, 70), dtype)
        b[i] = a[i][..., ::-1]
        y[i] = x[i].flip(-1)
        assert_same(y, b)
    for shape, to in (((1, 70), (40, 70)), ((40, 1), (40, 70)), ((), (3, 5)), ((4, 1, 3), (4, 9, 3)), ((1,), (1000,)), ((6, 1), (6, 4))):
        b, y = numbered(shape, dtype)
        assert_same(y.expand(to).contiguous(), np.broadcast_to(b, to))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 15, 16, 31, 33, 63, 65, 127, 129, 1023, 1025, 2048, 9000])
def test_rows_of_every_length_and_alignment(n: int) -> None:
    a, x = numbered((3, n + 70), "uint8")
    for start in (0, 1, 13, 64):
        for to in (0, 3, 64):
            y, b = taeda.zeros(3, n + 70, dtype=taeda.uint8), np.zeros((3, n + 70), "uint8")
            y[:, to:to + n] = x[:, start:start + n]
            b[:, to:to + n] = a[:, start:start + n]
            assert_same(y, b)
    for dtype in DTYPES.values():
        y = taeda.zeros(2, n + 1, dtype=getattr(taeda, dtype))
        y[:, 1:] = 3
        assert_same(y, np.pad(np.full((2, n), 3, dtype), ((0, 0), (1, 0))))


@pytest.mark.parametrize("dtype", DTYPES.values())
def test_flipped_and_turned_rows_of_every_length(dtype: str) -> None:
    for n in (1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 79, 130):
        a, x = numbered((19, n), dtype)
        assert_same(x.flip(-1), a[:, ::-1])
        assert_same(x.t().contiguous(), a.T)
        assert_same(x[:18].t().contiguous(), a[:18].T)
        for step in (2, 3):
            assert_same(x[:, ::step].contiguous(), a[:, ::step])
    a, x = numbered((300_000,), dtype)
    assert_same(x[1::2].clone(), a[1::2])
    assert_same(x[::5].clone(), a[::5])


@pytest.mark.parametrize("dtype", DTYPES.values())
def test_flip_roll_and_rot90(dtype: str) -> None:
    for shape in ((5, 37), (3, 4, 18), (1, 129)):
        a, x = numbered(shape, dtype)
        for dims in ((0,), (-1,), (0, -1)):
            assert_same(x.flip(dims), np.flip(a, dims))
        for shifts, dims in ((3, -1), (-2, 0), ((2, 5), (0, 1)), ((1, 1, 4), (0, 1, 0)), (0, 1), (1000, -1)):
            assert_same(x.roll(shifts, dims), np.roll(a, shifts, dims))
        assert_same(x.roll(7), np.roll(a, 7))
        for k in range(4):
            assert_same(taeda.rot90(x, k), np.rot90(a, k))
    a, x = numbered((2, 2, 2, 2, 3), dtype)
    assert_same(x.roll((1,) * 5, tuple(range(5))), np.roll(a, (1,) * 5, tuple(range(5))))


def test_roll_of_what_stays_is_still_a_copy() -> None:
    x = taeda.zeros(3)
    x.roll(3)[0] = 1
    x.roll(0, 0)[0] = 1
    assert x.sum() == 0


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex128"])
def test_results_past_the_caches(dtype: str, threads: int) -> None:
    n = 4200 if dtype == "uint8" else 2100 if dtype == "float32" else 1100               # 17 to 19 MB
    a, x = numbered((n, n), dtype)
    taeda.set_num_threads(threads)
    assert_same(x.clone(), a)
    assert_same(x.t().contiguous(), a.T)
    assert_same(x[:, 3:].contiguous(), a[:, 3:])


@pytest.mark.parametrize("dtype", DTYPES.values())
def test_cat_and_stack_of_any_layout(dtype: str) -> None:
    a, x = numbered((6, 50, 7), dtype)
    b, y = numbered((7, 50, 6), dtype)
    for dim in range(3):
        for k in (1, 2, 9):
            assert_same(taeda.cat([x, y.permute(2, 1, 0)] * k, dim), np.concatenate([a, b.transpose(2, 1, 0)] * k, dim))
    for dim in range(4):
        assert_same(taeda.stack([x, y.permute(2, 1, 0), x], dim), np.stack([a, b.transpose(2, 1, 0), a], dim))
    a, x = numbered((900, 100), dtype)
    assert_same(taeda.cat([x, x[:, :3], x], 1), np.concatenate([a, a[:, :3], a], 1))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("widths", [(300, 300), (257, 64, 1000), (2000, 3), (64, 65), (2100,), (9000, 1)])
def test_pieces_side_by_side_past_the_caches_and_not(widths: tuple[int, ...], threads: int) -> None:
    taeda.set_num_threads(threads)
    for rows in (3, 1 + (18 << 20) // (4 * sum(widths))):                               # 18 MB: written past the caches
        parts = [numbered((rows, n), "float32") for n in widths]
        assert_same(taeda.cat([x for _, x in parts], 1), np.concatenate([a for a, _ in parts], 1))


@pytest.mark.parametrize("dtype", DTYPES.values())
def test_many_small_pieces(dtype: str) -> None:
    for shape in ((64, 3), (1, 5), (3, 2, 2)):
        a, x = numbered(shape, dtype)
        assert_same(taeda.cat([x, x[:, :0], x + x] * 50, 1), np.concatenate([a, a[:, :0], (x + x).numpy()] * 50, 1))
        assert_same(taeda.stack([x] * 70, -1), np.stack([a] * 70, -1))


def test_bits_that_only_change_their_name_are_moved() -> None:
    x = taeda.tensor([0, 1, 127, 128, 255], dtype=taeda.uint8)
    assert x.to(taeda.int8).tolist() == [0, 1, 127, -128, -1]
    for before in ("cpu", None):
        with pytest.raises(TypeError, match=r"\[to\] takes \(device, dtype, non_blocking\).* got True after"):
            x.to(before, True)
    assert x.to(taeda.int8).to(taeda.uint8).tolist() == x.tolist()
    assert taeda.tensor([True, False]).to(taeda.int8).tolist() == [1, 0]
    assert taeda.tensor([[-1, 2], [3, 4]], dtype=taeda.int32).t().to(taeda.uint32).tolist() == [[2**32 - 1, 3], [2, 4]]


@pytest.mark.parametrize("dtype", DTYPES.values())
@pytest.mark.parametrize("shape", [(1, 1), (300, 2), (2, 300), (50, 7), (5, 40, 3), (3, 8, 8), (2, 3, 33, 31)], ids=str)
def test_triangles_of_every_shape_layout_and_diagonal(shape: tuple[int, ...], dtype: str) -> None:
    a, x = numbered((*shape[:-1], 2 * shape[-1]), dtype)
    seen = [(x[..., ::2], a[..., ::2]), (x[..., : shape[-1]], a[..., : shape[-1]]), (x[..., : shape[-1]].contiguous(), a[..., : shape[-1]])]
    seen += [(t.mT, np.swapaxes(b, -1, -2)) for t, b in seen] + [(t.movedim(0, -1), np.moveaxis(b, 0, -1)) for t, b in seen]
    seen += [(t[..., :1, :].expand(shape), np.broadcast_to(b[..., :1, :], shape)) for t, b in seen[:3]]
    for t, b in seen:
        for k in (-(2**62), -400, -31, -3, -1, 0, 1, 2, 6, 33, 400, 2**62):
            edge = max(-500, min(500, k))
            assert_same(t.tril(k), np.tril(b, edge))
            assert_same(t.triu(k), np.triu(b, edge))
            assert_same(t.clone().tril_(k), np.tril(b, edge))


def test_triangles_of_many_rows_by_threads() -> None:
    a, x = numbered((3, 40000, 2), "float32")
    for k in (-39990, -20000, 0, 1):
        assert_same(assert_same_for_any_threads(lambda k=k: x.tril(k)), np.tril(a, k))
        assert_same(assert_same_for_any_threads(lambda k=k: x.triu(k)), np.triu(a, k))


@pytest.mark.parametrize("dtype", DTYPES.values())
@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 8, 9, 12, 15, 17, 31, 33])
def test_short_rows_turned_round(n: int, dtype: str) -> None:
    a, x = numbered((3, 700, n), dtype)
    for k in (n - 1, n // 2):
        assert_same(x[..., :k].contiguous(), a[..., :k])
        assert_same(x[:, 1:2, :k].flip(0), a[::-1, 1:2, :k])
    for dims in ((1,), (2,), (1, 2), (0, 2), (0, 1)):
        assert_same(x.flip(dims), np.flip(a, dims))
        assert_same(x.transpose(0, 1).flip(dims), np.flip(a.swapaxes(0, 1), dims))
        assert_same(x[:, ::2].flip(dims), np.flip(a[:, ::2], dims))


@pytest.mark.parametrize("dtype", DTYPES.values())
def test_fills_of_every_length(dtype: str) -> None:
    a, x = numbered((2, 1100), dtype)
    for n in (*range(1, 70), 511, 1000, 1023, 1024, 1100):
        assert_same(x[0, 100:101].expand(n).clone(), np.repeat(a[0, 100:101], n))
        y = x.clone()
        y[1:, :n] = y[0, 5]
        b = a.copy()
        b[1:, :n] = a[0, 5]
        assert_same(y, b)


def test_triangles_in_place_and_not() -> None:
    a, x = numbered((2, 5, 7), "float32")
    for k in (-9, -2, 0, 1, 9):
        assert_same(x.tril(k), np.tril(a, k))
        assert_same(x.clone().tril_(k), np.tril(a, k))
        assert_same(x.clone().triu_(k), np.triu(a, k))
        assert_same(x.transpose(1, 2).clone().triu_(k), np.triu(a.transpose(0, 2, 1), k))
    for shape in ((300, 3, 2), (40, 50, 1), (7, 30, 41, 5), (2, 1, 40000), (200, 300)):
        a, x = numbered(shape, "float32")
        for k in (-1, 0, 2):
            assert_same(x.tril(k), np.tril(a, k))
            assert_same(x[..., ::2].triu(k), np.triu(a[..., ::2], k))
            assert_same(x.transpose(0, 1).tril(k), np.tril(a.swapaxes(0, 1), k))


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64", "complex128"])
def test_triangles_of_views_in_place_leave_what_lies_beside(dtype: str) -> None:
    for shape in ((5, 7), (9, 4), (3, 6, 8), (2, 3, 5, 4), (3, 900)):
        for k in (-9, -1, 0, 2, 12):
            for change, wanted in ((taeda.Tensor.tril_, np.tril), (taeda.Tensor.triu_, np.triu)):
                for view in (lambda t: t.swapaxes(0, -1), lambda t: t[..., 1:], lambda t: t[..., ::2], lambda t: t[::2], lambda t: t.swapaxes(-1, -2)[..., 1:]):
                    x = taeda.arange(1, int(np.prod(shape)) + 1).reshape(shape).to(getattr(taeda, dtype))
                    a = x.to(taeda.complex128).numpy()
                    view(a)[...] = wanted(view(a), k)
                    assert_same_for_any_threads(lambda x=x, view=view, change=change, k=k: change(view(x), k))
                    assert_same(x.to(taeda.complex128), a)


def test_short_rows_are_filled_and_nothing_beside_them() -> None:
    for dtype in (taeda.uint8, taeda.float16, taeda.float32, taeda.int64, taeda.complex128):
        for columns in (1, 2, 3, 5, 7, 8, 9, 16, 33, 63):
            x = taeda.ones(40, columns + 3, dtype=dtype)
            x[1::2, 2 : 2 + columns].fill_(5)
            assert (x[::2] == 1).all() and (x[:, :2] == 1).all() and (x[:, 2 + columns :] == 1).all() and (x[1::2, 2 : 2 + columns] == 5).all()


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int16", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"])
def test_constant_padding(dtype: str) -> None:
    kind = getattr(taeda, dtype)
    for shape, pad in (((3, 4), (1, 2)), ((2, 3, 4, 5), (1, 0, 2, 3)), ((2, 3, 4), (0, 0, 0, 0, 1, 1)), ((4, 5), (-1, 2, 3, -2)), ((2, 3, 7, 7), (1, 1, 1, 1)),
                       ((5,), (-5, 4)), ((3, 2), (-1, -1, 1, 1)), ((2, 40, 300), (1, 3)), ((2, 3, 1, 1), (0, 0, 1, 1, 1, 0)), ((30, 70, 1), (1, 2)),
                       ((400, 2), (0, 1)), ((50, 9, 3), (2, 1, 1, 0)), ((60, 15), (0, 1)), ((60, 15), (1, 1))):
        x = taeda.arange(int(np.prod(shape))).reshape(shape).to(kind)
        amounts = [(0, 0)] * (len(shape) - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
        crop = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, amounts, strict=True))
        wide = x.float().numpy() if not dtype.startswith("complex") else x.numpy()
        expected = np.pad(wide[crop], [(max(a, 0), max(b, 0)) for a, b in amounts], constant_values=1)
        y = taeda.ops.pad(x, pad, value=1)
        assert y.dtype is kind
        assert_same(y.float() if not dtype.startswith("complex") else y, expected)
    z = taeda.ops.pad(taeda.ones(2, dtype=taeda.complex64), (1, 0), value=2 + 3j)
    assert z.tolist() == [2 + 3j, 1, 1]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_other_paddings_of_narrow_dtypes(mode: str) -> None:
    x = taeda.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    expected = taeda.ops.pad(x, (2, 1, 1, 3), mode=mode)
    for dtype in (taeda.bfloat16, taeda.int8, taeda.int16, taeda.complex64):
        assert taeda.ops.pad(x.to(dtype), (2, 1, 1, 3), mode=mode).to(taeda.int64 if not dtype.is_complex else dtype).tolist() == expected.to(
            taeda.int64 if not dtype.is_complex else dtype).tolist()


def test_block_diag_and_its_gradient() -> None:
    x, y = taeda.rand(2, 3, requires_grad=True), taeda.rand(1, 2, requires_grad=True)
    z = taeda.block_diag(x, y)
    assert z.tolist() == [*[[*row, 0, 0] for row in x.tolist()], [0, 0, 0, *y.tolist()[0]]]
    g = taeda.arange(15.0).reshape(3, 5)
    gx, gy = taeda.autograd.grad(z, (x, y), g)
    assert gx.tolist() == g[:2, :3].tolist() and gy.tolist() == g[2:, 3:].tolist()
    assert taeda.block_diag(taeda.tensor(1), taeda.tensor([2.5])).tolist() == [[1, 0], [0, 2.5]]


@pytest.mark.parametrize("n", [0, 1, 7, 16383, 16384, 16385, 100_003])
def test_ramps(n: int) -> None:
    assert np.array_equal(taeda.arange(n).numpy(), np.arange(n))
    assert np.array_equal(taeda.arange(5, 5 - 3 * n, -3, dtype=taeda.int32).numpy(), 5 - 3 * np.arange(n))
    assert np.array_equal(taeda.arange(0, n, dtype=taeda.float32).numpy(), np.arange(n, dtype=np.float32))
    assert np.array_equal(taeda.arange(0.5, n + 0.5, 1).numpy(), (0.5 + np.arange(n)).astype(np.float32))
    x = taeda.linspace(-1, 3, n, dtype=taeda.float64).numpy()
    np.testing.assert_allclose(x, np.linspace(-1, 3, n), rtol=0, atol=1e-15 * 4)
    if n > 1:
        assert x[0] == -1 and x[-1] == 3


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("n", [1, 7, 1000, 70001])
def test_two_elements_a_row_are_woven(dtype, n):
    a, b = (np.random.default_rng(k).integers(0, 2 if dtype == "bool" else 99, n).astype(dtype) for k in (0, 1))
    x, y = taeda.from_numpy(a), taeda.from_numpy(b)
    wanted = np.stack([a, b], -1)
    np.testing.assert_array_equal(assert_same_for_any_threads(lambda: taeda.stack([x, y], -1)).numpy(), wanted)
    np.testing.assert_array_equal(taeda.cat([x[:, None], y[:, None]], 1).numpy(), wanted)
    np.testing.assert_array_equal(taeda.stack([x, x], -1).numpy(), np.stack([a, a], -1))
    np.testing.assert_array_equal(taeda.stack([x.flip(0)[1:], y[1:]], -1).numpy(), np.stack([a[::-1][1:], b[1:]], -1))
    if dtype in ("float32", "float64"):
        np.testing.assert_array_equal(taeda.complex(x, y).numpy(), a + 1j * b)
        np.testing.assert_array_equal(taeda.complex(x[:3, None], y).numpy(), a[:3, None] + 1j * b)
        two = taeda.complex(x.reshape(1, n, 1), y.reshape(1, n, 1))
        assert two.shape == (1, n, 1) and two.is_contiguous() and taeda.equal(two.imag[0, :, 0], y)
        p, q = (v.clone().requires_grad_() for v in (x, y))
        g = taeda.complex(y, x)
        taeda.complex(p, q).backward(g)
        assert taeda.equal(p.grad, y) and taeda.equal(q.grad, x)


@pytest.mark.parametrize("dtype", DTYPES.values())
@pytest.mark.parametrize("order", [(0, 2, 1), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("shape", [(3, 40, 7), (5, 6, 70), (2, 300, 17)])
def test_triangles_of_matrices_that_lie_turned(shape, order, dtype):
    a, x = numbered(shape, dtype)
    a, x = a.transpose(order), x.permute(order)
    R, C = a.shape[1:]
    for k in (-2**63, -R, 1 - R, -3, -1, 0, 1, 5, C - R, C - 1, C, 2**63 - 1):
        near = max(-R, min(C, k))
        assert_same(assert_same_for_any_threads(lambda k=k: x.tril(k)), np.tril(a, near))
        assert_same(assert_same_for_any_threads(lambda k=k: x.triu(k)), np.triu(a, near))

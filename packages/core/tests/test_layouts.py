"""Pointwise ops whose operands lie in memory each in its own order: patches are turned on the way (kernels/cpu/turned.h), short rows go side
by side (short_rows.h), others by a loop of rows (row_loops.h)."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations

import pytest

import taeda
from any_threads import assert_same_for_any_threads

SIDES = (15, 16, 17, 31, 33, 79, 129, 143, 271, 530)           # around the sides of tiles and patches of every element size
SIZES = (taeda.int8, taeda.bfloat16, taeda.float32, taeda.float64, taeda.complex128)


def values(*shape: int, dtype: taeda.dtype) -> taeda.Tensor:
    count = 1
    for n in shape:
        count *= n
    x = (taeda.arange(count) * 37 % 101 - 50).reshape(shape)
    return taeda.complex(x.double(), x.double() + 1) if dtype.is_complex else x.to(dtype)


@pytest.mark.parametrize("dtype", SIZES, ids=str)
def test_a_transposed_operand_gives_the_sum_of_its_copy(dtype: taeda.dtype) -> None:
    for n in SIDES:
        for m in (16, 65, 131):
            a, b = values(n, m, dtype=dtype), values(m, n, dtype=dtype)
            assert taeda.equal(a + b.t(), a + b.t().contiguous()), (n, m)
            assert taeda.equal(b.t() - a, b.t().contiguous() - a), (n, m)
            assert taeda.equal(a.t() * b, a.t().contiguous() * b), (n, m)


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.float32], ids=str)
def test_every_order_of_three_and_four_dimensions(dtype: taeda.dtype) -> None:
    for shape in ((18, 5, 40), (3, 20, 33), (2, 17, 3, 19)):
        dims = range(len(shape))
        a = values(*shape, dtype=dtype)
        for order in permutations(dims):
            back = [order.index(d) for d in dims]
            b = values(*[shape[d] for d in order], dtype=dtype).permute(back)
            c = b.flip(0)
            assert taeda.equal(a + b, a + b.contiguous()), order
            assert taeda.equal(taeda.where(b > c, a, b), taeda.where(b.contiguous() > c.contiguous(), a, b.contiguous())), order


def test_operands_with_gaps_repeats_and_other_dtypes() -> None:
    a, wide = values(48, 90, dtype=taeda.float32), values(90, 200, dtype=taeda.float32)
    gaps, steps = wide[:, 7:55].t(), wide[:, 1:97:2].t()
    for b in (gaps, steps, gaps[:1].expand(48, 90), gaps[:, :1].expand(48, 90)):
        assert taeda.equal(a * b, a * b.contiguous())
    ints = values(90, 48, dtype=taeda.int64).t()
    assert taeda.equal(a + ints, a + ints.contiguous())
    assert taeda.equal(ints.double(), ints.contiguous().double())
    assert taeda.equal(taeda.addcmul(a, gaps, gaps, value=2), taeda.addcmul(a, gaps.contiguous(), gaps.contiguous(), value=2))
    assert taeda.equal(taeda.lerp(a, gaps, gaps), taeda.lerp(a, gaps.contiguous(), gaps.contiguous()))


def test_channels_last_meets_contiguous() -> None:
    x = values(2, 24, 13, 11, dtype=taeda.float32)
    y = x.to(memory_format=taeda.channels_last)
    assert taeda.equal(x + y, x + x) and taeda.equal(y + x, x + x)
    assert (y + x).is_contiguous(memory_format=taeda.channels_last)
    z = x.clone()
    z.mul_(y)
    assert taeda.equal(z, x * x)


def test_threads_do_not_change_a_bit() -> None:
    a, b = taeda.rand(300, 411), taeda.rand(411, 300)
    assert_same_for_any_threads(lambda: a.tanh() + (b.t() * a).exp() / b.t())


def test_padding_that_only_crops_keeps_the_order_of_dimensions() -> None:
    x = taeda.arange(120.0).reshape(2, 3, 4, 5)
    for y in (x.transpose(1, 2), x.permute(3, 2, 1, 0), x[:, ::2], x[:1].expand(2, 3, 4, 5), x[0].mT, x.int().mT, x.permute(3, 2, 1, 0).to("meta")):
        for pad in ((0, 0), (-1, 0), (0, -1, -1, 0)):
            rows, columns = slice(*((-pad[2], None) if len(pad) == 4 else (None,))), slice(-pad[0], y.shape[-1] + pad[1])
            expected, result = y[..., rows, columns].clone(), taeda.constant_pad_nd(y, pad, 7)
            assert result.stride() == expected.stride() and result.data_ptr() != y.data_ptr() or y.is_meta
            assert y.is_meta or taeda.equal(result, expected)
        assert taeda.constant_pad_nd(y, (0, 1)).is_contiguous()
    w = x.mT.requires_grad_()
    y = taeda.constant_pad_nd(w, (-1, -1))
    (y * y).sum().backward()
    assert y.grad_fn.name() == "ConstantPadNdBackward0"
    assert taeda.equal(w.grad, taeda.constant_pad_nd(2 * w.detach()[..., 1:-1], (1, 1)))


def test_random_numbers_are_drawn_in_the_order_of_the_result() -> None:
    p = taeda.rand(40, 40, generator=taeda.Generator().manual_seed(1))
    x = taeda.empty(40, 40)
    x.bernoulli_(p.t(), generator=taeda.Generator().manual_seed(2))
    assert taeda.equal(x, taeda.bernoulli(p.t().contiguous(), generator=taeda.Generator().manual_seed(2)))


@pytest.mark.parametrize("dtype", [taeda.bool, *SIZES], ids=str)
def test_short_rows_beside_operands_that_repeat_or_have_gaps(dtype: taeda.dtype) -> None:
    op = taeda.logical_xor if dtype == taeda.bool else taeda.add
    for n in (1, 2, 3, 10, 31, 32, 33, 49, 64, 65, 128, 129, 256, 257):      # kernels/cpu/short_rows.h: up to 32, 64 to 256, in runs of 1,024
        for m in (7, 8, 33, 1030) if n < 64 else (8, 33):
            a = values(m, n, dtype=dtype)
            others = [values(n, dtype=dtype), values(m, 1, dtype=dtype), values(n, m, dtype=dtype).t(), values(m, n + 3, dtype=dtype)[:, 1:n + 1],
                      values(2 * n, dtype=dtype)[::2], values(m, 2 * n, dtype=dtype)[:, ::2], values(1, dtype=dtype).expand(m, n)]
            for b in others:
                want = op(a, b.expand(m, n).contiguous())
                assert taeda.equal(op(a, b), want) and taeda.equal(op(b, a), want), (n, m, b.stride())


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.int8, taeda.int16, taeda.int32, taeda.int64, taeda.float16, taeda.float32, taeda.float64,
                                   taeda.complex64, taeda.complex128], ids=str)
def test_an_element_for_each_row_is_that_element_all_along_it(dtype: taeda.dtype) -> None:
    ops = [taeda.add, taeda.sub, taeda.mul, taeda.eq]
    if not dtype.is_complex:
        ops += [taeda.minimum, taeda.gt, taeda.fmax]
    for n in (7, 8, 9, 16, 31, 32, 33, 64, 100, 130, 160, 4100):
        x, columns = values(6, 5, n, dtype=dtype), values(31, 1, dtype=dtype)
        for column in (columns[:30].reshape(6, 5, 1), columns[1:].reshape(6, 5, 1), columns[:5], columns[:5].reshape(1, 5, 1), columns[:6].reshape(6, 1, 1)):
            full = column.expand(6, 5, n).contiguous()
            for op in ops:
                assert taeda.equal(op(x, column), op(x, full)) and taeda.equal(op(column, x), op(full, x)), (op, n, column.shape)
            there = x.clone()
            there -= column
            assert taeda.equal(there, x - full)
    for n in (8, 16, 33, 64):                                          # rows with gaps, even and uneven ones, and rows that overlap
        wide, column = values(9, 14, 2 * n, dtype=dtype), values(9, 7, 1, dtype=dtype)
        for x in (wide[:, ::2, :n], wide[:, 1::2, 1 : n + 1], wide[:, :7, :n], wide[:, 7:], wide.unfold(2, n, 1)[:, :7, 1], wide[:, :1, :n].expand(9, 7, n), wide[:, ::2, ::2]):
            c = column.expand(9, 7, x.shape[2]).contiguous()
            for op in ops:
                assert taeda.equal(op(x, column), op(x.contiguous(), c)) and taeda.equal(op(column, x), op(c, x.contiguous())), (op, n, x.stride())
    planes, scale = values(4, 10, 9, 8, dtype=dtype), values(10, 1, 1, dtype=dtype)
    assert taeda.equal(planes * scale, planes * scale.expand(4, 10, 9, 8).contiguous())
    assert taeda.equal(planes.reshape(4, 10, 1, 72) - scale, planes.reshape(4, 10, 1, 72) - scale.expand(4, 10, 1, 72).contiguous())


def test_rows_beside_a_column_are_the_same_for_any_threads() -> None:
    x, column = values(1501, 64, dtype=taeda.float32), values(1501, 1, dtype=taeda.float32)
    assert_same_for_any_threads(lambda: (x / column, column - x, x > column))
    assert taeda.equal(column - x, column.expand(1501, 64).contiguous() - x)


@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float32, taeda.float64], ids=str)
def test_a_number_beside_short_rows_stays_one(dtype: taeda.dtype) -> None:
    x = values(40, 18, dtype=dtype)
    for n in (1, 8, 17):
        rows = x[:, 1:n + 1]
        dense = rows.contiguous()
        for y, want in ((rows**2, dense**2), (rows * 3, dense * 3), (taeda.lerp(rows, dense, 0.25), taeda.lerp(dense, dense, 0.25)),
                        (taeda.addcmul(rows, rows[0], rows[:, :1]), taeda.addcmul(dense, dense[:1].expand(40, n).contiguous(), dense[:, :1].expand(40, n).contiguous()))):
            assert taeda.equal(y, want), n


def test_three_operands_of_any_strides_are_those_of_copies() -> None:
    a, b, c = (values(*shape, dtype=taeda.float32) for shape in ((300, 600), (1, 600), (300, 1)))
    steps = values(300, 1200, dtype=taeda.float32)[:, ::2]
    for x, y, z in ((a, b, c), (a, c, b), (steps, a, c), (a, steps, steps), (b, c, a), (c, a, values(1, dtype=taeda.float32))):
        full = [t.expand(300, 600).contiguous() for t in (x, y, z)]
        assert taeda.equal(taeda.addcmul(x, y, z), taeda.addcmul(*full)) and taeda.equal(taeda.lerp(x, y, z), taeda.lerp(*full))
        out = values(300, 1200, dtype=taeda.float32)[:, ::2]
        assert taeda.equal(taeda.addcmul(x, y, z, out=out), taeda.addcmul(*full))


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.int8, taeda.int16, taeda.uint16, taeda.int32, taeda.uint32, taeda.int64, taeda.float16,
                                   taeda.bfloat16, taeda.float32, taeda.float64], ids=str)
def test_clamp_between_tensors_is_a_formula_of_three_whatever_their_layouts(dtype: taeda.dtype) -> None:
    def drawn(*shape: int) -> taeda.Tensor:
        return (taeda.arange(math.prod(shape)) * 37 % 101).reshape(shape).to(dtype)

    x, low, high = drawn(30, 70), drawn(70, 30).t(), drawn(30, 140)[:, 1::2]
    for a, b, c in ((x, low, high), (low, x, high), (x, low[:1], high[:, :1]), (x, high[0, 0], low), (low[:1], x, high), (x[0, 0], low[1, 1], high[2, 2])):
        shape = taeda.broadcast_shapes(a.shape, b.shape, c.shape)
        y, full = taeda.clamp(a, b, c), [t.expand(shape).contiguous() for t in (a, b, c)]
        assert y.shape == shape and y.dtype == dtype
        assert y.tolist() == taeda.minimum(taeda.maximum(full[0], full[1]), full[2]).tolist() == taeda.clamp(*full).tolist()
        if a.shape == shape:
            there = a.clone()
            assert there.clamp_(b, c) is there and taeda.equal(there, y)
    with pytest.raises(TypeError, match="argument 'min' must be Number"):          # a tensor beside a number, as in PyTorch
        x.clamp(low, 50)
    assert x.clamp(low[3, 3], 50).tolist() == taeda.clamp(x, low[3, 3].item(), 50).tolist()
    if dtype.is_floating_point:
        nan = taeda.full((40,), float("nan"), dtype=dtype)
        some = taeda.arange(40.0).to(dtype)
        for a, b, c in ((nan, some, some + 1), (some, nan, some), (some, some - 1, nan), (nan, nan, some)):
            assert taeda.clamp(a, b, c).isnan().all()
        assert x.clamp_(x, x) is x                                     # bounds that are the tensor itself
        with pytest.raises(RuntimeError, match=r"\[clamp\]"):
            taeda.clamp(x, low[:, :7], high)


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.int8, taeda.int16, taeda.int32, taeda.int64], ids=str)
def test_sums_with_products_of_integers_wrap_in_one_pass_as_in_two(dtype: taeda.dtype) -> None:
    x, y, z = (((taeda.arange(2000) * k % 251).to(dtype)).reshape(40, 50) for k in (37, 41, 43))
    for a, b, c in ((x, y, z), (x, y.reshape(50, 40).t(), z[:1]), (x[:, ::2], y[:, 1::2], z[:, :1])):
        for value in (1, 2, 3.0, 7, 100):
            wanted = a + b * c * int(value)
            assert taeda.equal(taeda.addcmul(a, b, c, value=value), wanted) and wanted.dtype == dtype
            assert taeda.equal(a.clone().addcmul_(b, c, value=value), wanted)
        assert taeda.equal(a.clone().add_(b, alpha=3), a + b * 3) and taeda.equal(a.clone().sub_(b, alpha=3), a - b * 3)
    with pytest.raises(RuntimeError):
        x.add_(y, alpha=0.5)


@pytest.mark.parametrize("dtype", [taeda.uint8, *SIZES], ids=str)
@pytest.mark.parametrize("n", [1, 5, 255, 600])
def test_where_chooses_in_every_layout(dtype: taeda.dtype, n: int) -> None:
    masks = [values(5, n, dtype=taeda.int32) > 0, values(5, 1, dtype=taeda.int32) > 0, values(n, 5, dtype=taeda.int32).t() > 0,
             (values(5, 2 * n, dtype=taeda.int32) > 0)[:, ::2], values(n, dtype=taeda.int32) > 0]
    operands = [values(5, n, dtype=dtype), values(5, 3 * n, dtype=dtype)[:, ::3], values(n, 5, dtype=dtype).t(), values(5, 1, dtype=dtype),
                values(n, dtype=dtype), values(1, dtype=dtype) + 1, values(5, n, dtype=dtype).flip(1)]
    for c in masks:
        for a in operands:
            for b in operands:
                whole = [t.expand(5, n).contiguous() for t in (c, a, b)]
                wanted = (whole[0].to(dtype) * whole[1] + (~whole[0]).to(dtype) * whole[2]).contiguous()
                assert taeda.equal(taeda.where(c, a, b).expand(5, n), wanted), (c.stride(), a.stride(), b.stride())
                if taeda.broadcast_shapes(c.shape, a.shape, b.shape) == (5, n):
                    out = taeda.zeros(5, 2 * n, dtype=dtype)[:, ::2]
                    assert taeda.equal(taeda.where(c, a, b, out=out), wanted)


def test_short_rows_in_more_dimensions_and_by_any_number_of_threads() -> None:
    x, y, z = values(70, 1, 3, dtype=taeda.float32), values(1, 300, 3, dtype=taeda.float32), values(70, 300, 1, dtype=taeda.float32)
    want = (x.expand(70, 300, 3).contiguous() * y.expand(70, 300, 3).contiguous(), z.expand(70, 300, 3).contiguous())
    for n in (1, 2, 3):
        taeda.set_num_threads(n)
        assert taeda.equal(x * y, want[0]) and taeda.equal(x * y - z, want[0] - want[1])
        out = want[1].clone()
        assert taeda.equal(out.mul_(y[0]), want[1] * y.expand(70, 300, 3).contiguous())
        assert taeda.equal(taeda.where(x > 0, y, z), taeda.where((x > 0).expand(70, 300, 3).contiguous(), y.expand(70, 300, 3).contiguous(), want[1]))


@pytest.mark.parametrize("n", [29, 40, 113, 300])
def test_rows_beside_columns_in_more_dimensions_and_by_any_number_of_threads(n: int) -> None:
    x, column, plane = values(3, 70, 5, n, dtype=taeda.float32), values(3, 1, 5, 1, dtype=taeda.float32), values(70, 1, 1, dtype=taeda.float32)
    full = [t.expand(3, 70, 5, n).contiguous() for t in (x, column, plane)]
    for call in (lambda x, y, z: x + y * z, lambda x, y, z: y - x, taeda.addcmul, lambda x, y, z: taeda.where(x > z, x, y),
                 lambda x, y, z: taeda.atan2(x, y) + taeda.lgamma(x + y)[..., ::2].sum()):
        assert taeda.equal(assert_same_for_any_threads(lambda call=call: call(x, column, plane)), call(*full))


@pytest.mark.parametrize("n", [2048, 2049, 8192, 8193, 20_000])
def test_long_formulas_have_the_same_bits_on_any_number_of_threads(n: int) -> None:
    x = (values(n, dtype=taeda.float32) / 7).abs() + 0.1          # cut from 2,048 and 8,192 elements on
    for f in (taeda.lgamma, taeda.digamma, taeda.exp, lambda x: taeda.erfinv(x / 8), lambda x: taeda.pow(x, 2.5)):
        y = assert_same_for_any_threads(lambda f=f: f(x))
        assert taeda.equal(taeda.cat([f(x[:1000]), f(x[1000:])]), y)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int8", "int32", "int64", "bool", "complex64"])
def test_rows_of_one_repeated_element_are_those_of_a_copy(dtype: str) -> None:
    x = (taeda.arange(60) % 7).to(getattr(taeda, dtype)).reshape(3, 20)
    for t in (x[:, :1].expand(3, 70), x[:, :, None].expand(3, 20, 50), x[:1, :1].expand(40, 33)):
        copy = t.clone()
        for f in (lambda a: a == a, lambda a: a * a, lambda a: a + 1, lambda a: taeda.where(a != 0, a, a), lambda a: a.to(taeda.complex128)):
            assert taeda.equal(f(t), f(copy))


def test_walks_over_many_dimensions_and_operands() -> None:
    x, y, z = taeda.arange(5 * 7 * 11 * 3.0).reshape(5, 7, 11, 3), taeda.arange(7 * 3.0).reshape(7, 1, 3), taeda.arange(5 * 11.0).reshape(5, 1, 11, 1)
    x = x[:, :, ::2]
    z = z[:, :, ::2]
    wanted = x.numpy() + 2 * (y.numpy() * z.numpy())
    assert (taeda.addcmul(x, y, z, value=2).numpy() == wanted).all()
    assert (taeda.addcmul(x.permute(1, 0, 3, 2), y.permute(0, 2, 1).unsqueeze(1), z.permute(1, 0, 3, 2), value=2).numpy()
            == wanted.transpose(1, 0, 3, 2)).all()


def test_where_resized_outputs_and_sums_lie() -> None:
    z = taeda.ones(3, 2, dtype=taeda.complex64).t()
    assert taeda.sinc(z).stride() == taeda.sinc(z, out=taeda.empty(0, dtype=z.dtype)).stride() == (1, 2)
    assert taeda.abs(z, out=taeda.empty(0)).stride() == taeda.angle(z, out=taeda.empty(0)).stride() == (3, 1)
    turned = taeda.ones(3, 2).t()
    assert taeda.addr(turned, taeda.ones(2), taeda.ones(3)).stride() == (1, 2)
    assert taeda.addr(turned, taeda.ones(2), taeda.ones(3), out=taeda.empty(0)).tolist() == [[2.0] * 3] * 2
    assert taeda.addr(taeda.ones(3), taeda.ones(2), taeda.ones(3)).stride() == (3, 1)
    square = taeda.tensor([[2.0, 1.0], [0.0, 1.0]]).t()
    for n in (-1, 1, 2):
        assert taeda.matrix_power(square, n, out=taeda.empty(0)).stride() == (2, 1)
    assert taeda.matrix_power(square, 1).stride() == (2, 1)


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.float16, taeda.float32, taeda.float64, taeda.complex128], ids=str)
@pytest.mark.parametrize(
    ("shape", "to"),
    [((1,), (40000,)), ((7, 1), (7, 33)), ((300, 1), (300, 16)), ((300, 1), (300, 200)), ((5, 70, 1, 3), (5, 70, 9, 3)),
     ((2, 600, 1), (2, 600, 20)), ((3, 1, 5, 1), (3, 20, 5, 64)), ((1, 400, 1), (7, 400, 50))],
    ids=str,
)  # fmt: skip
def test_what_repeats_is_computed_once_and_written_everywhere(dtype: taeda.dtype, shape: tuple[int, ...], to: tuple[int, ...]) -> None:
    x = values(*shape, dtype=dtype).expand(to)
    dense = x.contiguous()
    assert_same_for_any_threads(lambda: x.square())
    assert taeda.equal(x.square(), dense.square()) and taeda.equal(x.square() + x, dense.square() + dense)
    out = taeda.empty(*to[:-1], to[-1] + 3, dtype=dtype)[..., 1:-2]
    taeda.mul(x, x, out=out)
    assert taeda.equal(out, dense * dense)


@pytest.mark.parametrize(("a", "b"), [((8, 50), (8, 1)), ((8, 50), (50,)), ((50,), (8, 50)), ((8, 50), ()), ((1, 50), (8, 1))], ids=str)
def test_out_where_an_operand_is_broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = values(*a, dtype=taeda.float32), values(*b, dtype=taeda.float32)
    out = taeda.full((8, 50), 7.0)
    assert taeda.sub(x, y, out=out) is out and taeda.equal(out, x - y)


@pytest.mark.parametrize(("source", "target"), [((0, 50), (50, 100)), ((50, 100), (0, 50)), ((0, 50), (0, 50)), ((0, 50), (20, 70)), ((20, 70), (0, 50))])
def test_out_in_the_operand_s_own_storage(source: tuple[int, int], target: tuple[int, int]) -> None:
    memory = values(100, dtype=taeda.float32)
    x, out = memory[slice(*source)], memory[slice(*target)]
    wanted, doubled, kept = x * x, x + x, memory.clone()
    taeda.square(x, out=out)
    assert taeda.equal(out, wanted)
    memory.copy_(kept)
    taeda.add(x, x, out=out)
    assert taeda.equal(out, doubled)
    pairs = values(10, 6, dtype=taeda.float32)
    wanted = pairs[:, :3] * 2
    taeda.mul(pairs[:, :3], 2, out=pairs[:, 3:])
    assert taeda.equal(pairs[:, 3:], wanted) and taeda.equal(pairs[:, :3] * 2, wanted)


def test_results_of_turned_inputs_lie_as_in_pytorch() -> None:
    x = taeda.rand(4, 3).t()
    assert taeda.ops.glu(x).stride() == (1, 3) and taeda.isreal(x).stride() == (1, 3)
    assert taeda.ops.glu(taeda.rand(4, 3, 2).permute(2, 0, 1), 1).stride() == (1, 6, 2)
    for y in (x.renorm(2, 0, 1), x.requires_grad_().renorm(2, 0, 1), taeda.mvlgamma(x.detach() + 5, 2)):
        assert y.stride() == (4, 1)


def test_glu_of_a_turned_input_is_that_of_the_rows() -> None:
    a, b = (taeda.rand(4, 3, generator=taeda.Generator().manual_seed(1)).t().requires_grad_() for _ in range(2))
    y, z = taeda.ops.glu(a), taeda.ops.glu(b.contiguous())
    assert y.equal(z) and y.grad_fn.name() == "GluBackward0"
    assert all(p.equal(q) for p, q in zip(taeda.autograd.grad(y.sum(), a), taeda.autograd.grad(z.sum(), b), strict=True))


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (2, 0, 4, 4), (2, 3, 4, 0)])
def test_tensors_without_elements_are_channels_last_by_their_strides(shape: tuple[int, ...]) -> None:
    x = taeda.empty(shape)
    assert x.is_contiguous() and not x.is_contiguous(memory_format=taeda.channels_last)
    y = x.contiguous(memory_format=taeda.channels_last)
    assert y.is_contiguous(memory_format=taeda.channels_last) and y.stride(1) == 1


def changed_at(base: taeda.Tensor, part: taeda.Tensor, change: Callable[[taeda.Tensor], taeda.Tensor]) -> list[taeda.Tensor]:
    copy = base.clone()
    seen = copy.as_strided(part.shape, part.stride(), part.storage_offset())
    change(seen)
    return [copy, seen]


@pytest.mark.parametrize("dtype", [*SIZES, taeda.float16, taeda.uint8, taeda.int64], ids=str)
def test_a_few_columns_changed_in_place_leave_the_others(dtype: taeda.dtype) -> None:
    for rows in (7, 9, 300, 5000):
        for columns, pitch in ((1, 4), (2, 3), (3, 7), (5, 6), (7, 16), (8, 9), (15, 16), (16, 20)):
            for step in (1, 2):
                base = values(rows, pitch * step, dtype=dtype)
                part = base[:, 1 : 1 + columns * step : step] if pitch > columns else base[:, : columns * step : step]
                row, column, other = values(columns, dtype=dtype), values(rows, 1, dtype=dtype), values(rows, columns, dtype=dtype)
                for change in (lambda x: x.add_(3), lambda x, v=row: x.add_(v), lambda x, v=column: x.mul_(v), lambda x, v=other: x.sub_(v)):

                    whole, seen = assert_same_for_any_threads(lambda a=base, b=part, f=change: changed_at(a, b, f), (1, 2))
                    assert taeda.equal(seen, change(part.contiguous().clone()))
                    whole.as_strided(part.shape, part.stride(), part.storage_offset()).copy_(part)
                    assert taeda.equal(whole, base)


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.int16, taeda.bfloat16, taeda.float16, taeda.float32, taeda.float64], ids=str)
def test_rows_with_gaps_are_computed_in_place_and_nothing_between_them_is_touched(dtype: taeda.dtype) -> None:
    for n in (*range(1, 36), 50, 63, 64, 65, 100, 129, 257):
        base = values(41, n + 5, dtype=dtype)
        rows, other, column, row = base[:, 2 : n + 2], values(41, n + 3, dtype=dtype)[:, 1 : n + 1], values(41, 1, dtype=dtype), values(n, dtype=dtype)
        plain = rows.clone()
        for name, found, expected in (
            ("add", rows + other, plain + other.clone()), ("column", rows * column, plain * column.expand(41, n).clone()),
            ("first", column - rows, column.expand(41, n).clone() - plain), ("row", rows + row, plain + row.expand(41, n).clone()),
            ("number", rows * 3, plain * 3), ("unary", -rows, -plain), ("compared", rows > other, plain > other.clone()),
            ("where", taeda.where(rows > 0, rows, other), taeda.where(plain > 0, plain, other.clone())),
            ("cast", rows.to(taeda.int32), plain.to(taeda.int32)), ("narrowed", rows.to(taeda.int8), plain.to(taeda.int8)),
        ):
            assert taeda.equal(found, expected), (name, n)
        for change in (lambda x: x.mul_(2), lambda x: x.neg_(), lambda x: x.add_(plain), lambda x: x.copy_(plain), lambda x: x.addcmul_(plain, plain),
                       lambda x: x.fill_(7), lambda x: x.copy_(column.expand(41, n))):
            written, alone = base.clone(), plain.clone()
            change(written[:, 2 : n + 2])
            change(alone)
            assert taeda.equal(written[:, 2 : n + 2], alone), n
            assert taeda.equal(written[:, :2], base[:, :2]) and taeda.equal(written[:, n + 2 :], base[:, n + 2 :]), n


@pytest.mark.parametrize("dtype", [taeda.int8, taeda.bfloat16, taeda.float16, taeda.float32, taeda.float64], ids=str)
def test_short_dimensions_that_lie_in_every_order(dtype: taeda.dtype) -> None:
    for shape in ((4, 6, 32), (3, 2, 50), (7, 9, 2), (2, 3, 5, 40), (3, 128, 3, 2)):
        dims = range(len(shape))
        for order in permutations(dims):
            back = [order.index(d) for d in dims]
            a = values(*[shape[d] for d in order], dtype=dtype).permute(back)
            b, c = a.flip(0).flip(-1), values(*shape, dtype=dtype)
            assert taeda.equal(a + c, a.contiguous() + c) and taeda.equal(c * a, c * a.contiguous()), order
            assert taeda.equal(a[::2] + b[::2], a[::2].contiguous() + b[::2].contiguous()), order
            assert taeda.equal(a.to(taeda.int16), a.contiguous().to(taeda.int16)), order
            assert taeda.equal(c + a[:, :1], c + a[:, :1].contiguous()), order
            x, y = a.clone(memory_format=taeda.preserve_format), c.clone()
            assert taeda.equal(x.mul_(c), y.copy_(a).mul_(c)), order

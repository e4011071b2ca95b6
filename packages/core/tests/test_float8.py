"""The floats of one byte: their numbers, the roundings to them, what moves them, and what refuses them."""

from __future__ import annotations

import copy
import io
import math
import pickle
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

import taeda

# mantissa, bias, codes of finite numbers without sign, what is beyond the largest (a code), NaNs, whether zero has a sign
FORMATS = {
    "float8_e4m3fn": (3, 7, range(0x7F), 0x7E, {0x7F, 0xFF}),
    "float8_e5m2": (2, 15, range(0x7C), 0x7C, {*range(0x7D, 0x80), *range(0xFD, 0x100)}),
    "float8_e4m3fnuz": (3, 8, range(0x80), 0x80, {0x80}),
    "float8_e5m2fnuz": (2, 16, range(0x80), 0x80, {0x80}),
}
NAMES = [*FORMATS, "float8_e8m0fnu"]


def number(name: str, code: int) -> float:
    """The number that a byte stands for, by the definition of the format."""
    if name == "float8_e8m0fnu":
        return math.nan if code == 0xFF else math.ldexp(1.0, code - 127)
    mantissa, bias, finite, _, nans = FORMATS[name]
    if code in nans:
        return math.nan
    sign, rest = (-1.0 if code & 0x80 else 1.0), code & 0x7F
    if rest not in finite:
        return sign * math.inf
    exponent, part = rest >> mantissa, rest & ((1 << mantissa) - 1)
    if exponent == 0:
        return sign * math.ldexp(part, 1 - bias - mantissa)
    return sign * math.ldexp((1 << mantissa) + part, exponent - bias - mantissa)


def nearest(name: str, x: float) -> int:
    """The code of the nearest number, ties to the even code; what is beyond the largest number by the format's rule."""
    mantissa, _, finite, beyond, nans = FORMATS[name]
    unsigned_zero = name.endswith("fnuz")
    if math.isnan(x):
        return 0x80 if unsigned_zero else 0x7F | (0x80 if math.copysign(1.0, x) < 0 else 0)
    codes = list(finite)
    size = abs(Fraction(x)) if math.isfinite(x) else None
    values = [Fraction(number(name, c)) for c in codes]
    step = values[-1] - values[-2]
    if size is None or size > values[-1] + step / 2 or (size == values[-1] + step / 2 and codes[-1] % 2):
        found = beyond
    else:
        found = min(codes, key=lambda c: (abs(values[c] - size), c % 2))
    if unsigned_zero and found in (0, 0x80):
        return found
    return found | (0x80 if math.copysign(1.0, x) < 0 else 0)


def bits(x: taeda.Tensor) -> list[int]:
    return x.view(taeda.uint8).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_is_the_number_of_the_format(name: str) -> None:
    d = getattr(taeda, name)
    x = taeda.arange(256, dtype=taeda.uint8).view(d)
    wanted = [number(name, code) for code in range(256)]
    for found in (x.to(taeda.float64).tolist(), x.float()[::1].tolist(), x.tolist(), [v.item() for v in x], x.flip(0).float().tolist()[::-1]):
        assert [repr(v) for v in found] == [repr(v) for v in wanted]
    assert [repr(v) for v in x[1::3].half().double().tolist()] == [repr(v) for v in x[1::3].double().half().double().tolist()]
    back = x.float().to(d)                                        # a NaN may come back as another
    assert [v for v, w in zip(bits(back), wanted, strict=True) if w == w] == [code for code, w in enumerate(wanted) if w == w]
    assert back.isnan().tolist() == [w != w for w in wanted]


@pytest.mark.parametrize("name", FORMATS)
def test_numbers_are_rounded_to_the_nearest_ties_to_even(name: str) -> None:
    d = getattr(taeda, name)
    finite = sorted({number(name, c) for c in FORMATS[name][2]})
    middles = [(a + b) / 2 for a, b in zip(finite, finite[1:], strict=False)]
    xs = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e30, -1e30, 1e-40, finite[-1] + (finite[-1] - finite[-2]) / 2, *finite, *middles]
    xs += [taeda.tensor(v).nextafter(taeda.tensor(t)).item() for v in middles for t in (0.0, math.inf)]
    xs += [-x for x in xs]
    x = taeda.tensor(xs)
    wanted = [nearest(name, v) for v in x.tolist()]
    assert bits(x.to(d)) == wanted
    assert bits(taeda.stack([x, x], 1)[:, 0].to(d)) == wanted and bits(x.double().to(d)) == wanted
    target = taeda.zeros(len(xs), 2, dtype=d)
    target[:, 1] = x
    assert target.view(taeda.uint8)[:, 1].tolist() == wanted and not any(target.view(taeda.uint8)[:, 0].tolist())


@given(st.floats(width=32), st.sampled_from(list(FORMATS)))
def test_any_number_is_rounded_to_the_nearest(x: float, name: str) -> None:
    assert bits(taeda.tensor([x]).to(getattr(taeda, name)))[0] == nearest(name, x)


def test_powers_of_two_lose_their_sign_and_are_rounded_by_halves() -> None:
    x = taeda.tensor([1.0, 3.0, 2.9, -3.0, 5.9, 6.0, 0.0, 1e-40, 2.0**-127, 2.0**-126 * 1.5, 3e38, math.inf, math.nan, 2.0**127 * 1.4])
    assert bits(x.to(taeda.float8_e8m0fnu)) == [127, 129, 128, 129, 129, 130, 0, 0, 0, 2, 255, 255, 255, 254]


@pytest.mark.parametrize("name", NAMES)
def test_what_moves_elements_takes_them(name: str) -> None:
    d = getattr(taeda, name)
    b = taeda.arange(24, dtype=taeda.uint8).reshape(4, 6) + 100
    x = b.view(d)
    index, mask = taeda.tensor([3, 0]), b > 110
    for f in (
        lambda t: t.clone(), lambda t: t.t().contiguous(), lambda t: taeda.cat([t, t], 1), lambda t: taeda.stack([t, t]), lambda t: t[index],
        lambda t: t[mask], lambda t: t[1:, ::2], lambda t: t.index_select(1, index), lambda t: t.flip(0), lambda t: t.roll(2, 1),
        lambda t: t.repeat(2, 1), lambda t: t.gather(1, taeda.tensor([[5, 0]])), lambda t: t.masked_select(mask), lambda t: t.unfold(1, 2, 2),
        lambda t: t.take(index), lambda t: taeda.where(mask, t, t.flip(1)), lambda t: t.tril(), lambda t: t.chunk(2)[1], lambda t: t.expand(2, 4, 6),
    ):  # fmt: skip
        y = f(x)
        assert y.dtype is d and taeda.equal(y.contiguous().view(taeda.uint8), f(b).contiguous())
    y = x.clone()
    y[0], y[1, 2] = 1.0, x[3, 3]
    y[index, 1] = x[2, :2]
    assert y[0, 2].item() == 1.0 and y.view(taeda.uint8)[1, 2] == b[3, 3] and y.view(taeda.uint8)[index, 1].tolist() == b[2, :2].tolist()
    assert taeda.zeros(2, dtype=d).tolist() == [2.0**-127 if name == "float8_e8m0fnu" else 0.0] * 2
    assert taeda.full((2,), 2.0, dtype=d).tolist() == [2.0, 2.0] and taeda.ones_like(x).sum(dtype=taeda.float32) == 24
    assert taeda.tensor([1.0, 2.0], dtype=d).dtype is d and (x == x).all() and taeda.empty(2, dtype=d, device="meta").dtype is d


@pytest.mark.parametrize("name", NAMES)
def test_files_copies_and_pickles_keep_them(name: str) -> None:
    d = getattr(taeda, name)
    x = taeda.tensor([0.5, 1.0, 4.0, 2.0], dtype=d)
    file = io.BytesIO()
    taeda.save({"x": x, "view": x[1:3]}, file)
    file.seek(0)
    found = taeda.load(file)
    assert found["x"].dtype is d and found["x"].tolist() == x.tolist() and found["view"].storage_offset() == 1
    assert found["view"].untyped_storage().data_ptr() == found["x"].untyped_storage().data_ptr()
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.dtype is d and y.tolist() == x.tolist()
    assert repr(x) == f"tensor([0.5000, 1.0000, 4.0000, 2.0000], dtype=taeda.{name})"


def test_arithmetic_is_done_in_float32_and_rounded() -> None:
    x = taeda.tensor([1.0, 1.125, -3.0], dtype=taeda.float8_e4m3fn)
    assert (x + x).tolist() == [2.0, 2.25, -6.0] and (x * 1.125).tolist() == [1.125, 1.25, -3.5] and x.abs().max().item() == 3.0
    w = taeda.tensor([[1.0, 2.0], [3.0, 4.0]]).to(taeda.float8_e5m2)
    assert (w @ w).tolist() == [[7.0, 10.0], [16.0, 24.0]]            # 15 and 22 lie between two numbers: ties to even


def test_gradients_pass_through_the_conversion() -> None:
    x = taeda.tensor([1.0, 2.0], requires_grad=True)
    y = x.to(taeda.float8_e5m2).float()
    y.backward(taeda.tensor([1.1, 3.0]))
    assert x.grad is not None and x.grad.tolist() == [1.0, 3.0]


@pytest.mark.parametrize("name", NAMES)
def test_they_are_not_mixed_with_other_dtypes(name: str) -> None:
    x = taeda.ones(2, dtype=getattr(taeda, name))
    for call in (
        lambda: x + taeda.ones(2), lambda: x * taeda.ones(2, dtype=taeda.int64), lambda: taeda.cat([x, taeda.ones(2)]),
        lambda: taeda.promote_types(x.dtype, taeda.float32), lambda: taeda.result_type(x, taeda.ones(2)),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"Promotion for Float8 Types is not supported, attempted to promote Float8.* and .*; hint: x.to"):
            call()
    with pytest.raises(TypeError, match=r"^\[set_default_dtype\]"):
        taeda.set_default_dtype(x.dtype)
    with pytest.raises(RuntimeError, match=r"^\[to_complex\]"):
        x.dtype.to_complex()
    with pytest.raises(BufferError, match="not part of DLPack"):
        taeda.to_dlpack(x)
    with pytest.raises(TypeError, match="Got unsupported ScalarType Float8"):
        x.numpy()
    with pytest.raises(RuntimeError, match="without overflow"):
        x.fill_(1e39 if name == "float8_e8m0fnu" else 1e9)

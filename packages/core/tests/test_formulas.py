"""The pointwise formulas at their ends, at corners of two arguments, and in forms that have loops of their own; errors: test_accuracy.py."""

from __future__ import annotations

import math

import numpy as np
import pytest

import taeda


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_corners_of_two_arguments_are_those_of_c(dtype: str) -> None:
    inf, nan = math.inf, math.nan
    points = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, inf, -inf, nan, 1.5, 1e30, -1e30, 16777217, 7e-41], dtype)
    x, y = (np.ravel(m) for m in np.meshgrid(points, points))
    for name, reference in (("pow", np.power), ("fmod", np.fmod), ("hypot", np.hypot), ("atan2", np.arctan2), ("nextafter", np.nextafter)):
        with np.errstate(all="ignore"):
            wanted = reference(x.astype("float64") if name == "pow" else x, y).astype(dtype)
        found = getattr(taeda, name)(taeda.from_numpy(x), taeda.from_numpy(y)).numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=0, err_msg=name)
        zero = wanted == 0
        np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(wanted[zero]), err_msg=name)


@pytest.mark.parametrize("exponent", [2, 3, 0.5, -1, -2, -0.5, 1.7, 0, -3])
def test_powers_by_one_number(exponent: float) -> None:
    x = np.linspace(0.1, 9, 1000)
    np.testing.assert_allclose((taeda.from_numpy(x) ** exponent).numpy(), x**exponent, rtol=1e-14)
    np.testing.assert_allclose((taeda.from_numpy(x.astype("float32")) ** exponent).numpy(), x**exponent, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_of_the_line(dtype: str) -> None:
    inf, nan = math.inf, math.nan
    x = taeda.tensor([inf, -inf, nan, 0.0], dtype=getattr(taeda, dtype))
    for name, wanted in (("exp", [inf, 0, nan, 1]), ("tanh", [1, -1, nan, 0]), ("sigmoid", [1, 0, nan, 0.5]), ("erf", [1, -1, nan, 0]), ("sin", [nan, nan, nan, 0]),
                         ("cos", [nan, nan, nan, 1]), ("log", [inf, nan, nan, -inf]), ("log1p", [inf, nan, nan, 0]), ("expm1", [inf, -1, nan, 0]), ("exp2", [inf, 0, nan, 1]),
                         ("log2", [inf, nan, nan, -inf]), ("log10", [inf, nan, nan, -inf]), ("sinh", [inf, -inf, nan, 0]), ("cosh", [inf, inf, nan, 1]),
                         ("asinh", [inf, -inf, nan, 0]), ("acosh", [inf, nan, nan, nan]), ("atanh", [nan, nan, nan, 0]), ("tan", [nan, nan, nan, 0]),
                         ("asin", [nan, nan, nan, 0])):  # fmt: skip
        np.testing.assert_array_equal(getattr(taeda, name)(x).numpy(), np.array(wanted, dtype), err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["exp", "log", "log2", "log10", "sin", "cos", "tan"])
def test_a_number_has_the_same_bits_whatever_stands_beside_it(name: str, dtype: str) -> None:
    f = getattr(taeda, name)
    x = taeda.randn(3000, dtype=getattr(taeda, dtype), generator=taeda.Generator().manual_seed(4)).abs() * 20
    wanted = f(x)
    for odd in (0.0, -1.0, 3e-39, 1e-45, 200.0, -200.0, 2e6, 720.0, -740.0, math.inf, -math.inf, math.nan):
        mixed = x.clone()
        mixed[::100] = odd                      # each block has rare numbers now
        found = f(mixed)
        kept = taeda.arange(3000) % 100 != 0
        assert taeda.equal(found[kept], wanted[kept])
        alone = f(x.new_tensor([odd]))
        assert taeda.equal(found[::100].isnan(), alone.isnan().expand(30))
        assert alone.isnan() or taeda.equal(found[::100], alone.expand(30))
        with np.errstate(all="ignore"):
            number = np.float64(np.dtype(dtype).type(odd))
            np.testing.assert_allclose(alone.numpy(), getattr(np, name)(number).astype(dtype), rtol=2e-7)
        again = x.clone()
        again[::100] = odd
        getattr(again, name + "_")()            # in place
        assert taeda.equal(again.nan_to_num(9.0), found.nan_to_num(9.0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_has_the_same_bits_alone_as_among_many(dtype: str) -> None:
    x = taeda.rand(600, dtype=getattr(taeda, dtype), generator=taeda.Generator().manual_seed(5)) * 2 - 1
    y = x.flip(0) * 3
    functions = {name: getattr(taeda, name) for name in ("asin", "acos", "sin", "cos", "tan", "erf", "exp", "tanh", "atan", "log1p", "sigmoid")}
    functions["derivative of gelu"] = lambda x: taeda.autograd.grad(taeda.ops.gelu(x.requires_grad_()).sum(), x)[0]
    two = {name: getattr(taeda, name) for name in ("pow", "float_power", "atan2", "hypot", "logaddexp")}
    two["logits"] = lambda x, y: taeda.ops.binary_cross_entropy_with_logits(x, y, reduction="none")
    two["probabilities"] = lambda x, y: taeda.ops.binary_cross_entropy(x.abs(), y.abs() / 3, reduction="none")
    for name, f in (functions | two).items():
        operands = (x, y)[: 1 + (name in two)]
        alone = taeda.cat([f(*[a[i : i + 1].clone() for a in operands]) for i in range(600)])
        np.testing.assert_array_equal(f(*[a.clone() for a in operands]).numpy(), alone.numpy(), err_msg=name)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint32"])
def test_integer_division_of_every_size_rounds_as_numpy_does(dtype: str) -> None:
    """Vectors of doubles divide what is below 2^51; a block with larger numbers goes one at a time."""
    info = np.iinfo(dtype)
    rng = np.random.default_rng(9)
    near = [info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 3, 7]
    numbers = np.concatenate([np.array(near, dtype), rng.integers(info.min, info.max, 500, dtype=dtype, endpoint=True), np.arange(100, dtype=dtype)])
    if dtype == "int64":
        numbers = np.concatenate([numbers, np.array([2**50 + k for k in (-2, -1, 0, 1)] + [-(2**50) + k for k in (-1, 0, 1)], dtype)])
    a, b = (np.ravel(m) for m in np.meshgrid(numbers[:40], numbers))
    small = rng.integers(1, 100, a.size).astype(dtype)
    for x, y in ((a, b), (a, small), (a % 97, small)):
        keep = y != 0
        x, y = x[keep], y[keep]
        p, q = taeda.from_numpy(x.copy()), taeda.from_numpy(y.copy())
        with np.errstate(all="ignore"):
            rounded, rest = x // y, x % y
            towards_zero = np.where((rest != 0) & ((x < 0) != (y < 0)), rounded + 1, rounded).astype(dtype)
        np.testing.assert_array_equal((p // q).numpy(), rounded)
        np.testing.assert_array_equal((p % q).numpy(), rest)
        np.testing.assert_array_equal(taeda.div(p, q, rounding_mode="trunc").numpy(), towards_zero)
        np.testing.assert_array_equal(taeda.fmod(p, q).numpy(), np.fmod(x, y))
        np.testing.assert_array_equal((p // 7).numpy(), x // np.array(7, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_remainders_are_exact_for_quotients_of_every_size(dtype: str) -> None:
    rng, most = np.random.default_rng(10), 30 if dtype == "float32" else 290
    x = np.concatenate([rng.normal(0, 10.0**k, 400) for k in (0, 3, 7, 15, most)]).astype(dtype)
    y = np.concatenate([rng.normal(0, 10.0 ** (k % 5 - 2), 400) for k in range(5)]).astype(dtype)
    y[::50] = 0.0
    y[7::50] = 5e-39
    y[9::50] = np.inf
    y[1600:1800] *= rng.choice([2.0**-40, 1.0, 2.0**30], 200).astype(dtype)
    y[1900:] = x[1900:] * rng.uniform(2.0**-60, 2.0**-50, 100).astype(dtype)              # quotients beside 2^52
    y[11::50], x[11::50] = -0.0, np.resize([0.0, -0.0, np.inf, np.nan], 40)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(taeda.fmod(taeda.from_numpy(x), taeda.from_numpy(y)).numpy(), np.fmod(x, y))
        wanted = np.fmod(x, y)
        wanted = np.where((wanted != 0) & ((y < 0) != (wanted < 0)), wanted + y, wanted)
    np.testing.assert_array_equal(taeda.remainder(taeda.from_numpy(x), taeda.from_numpy(y)).numpy(), wanted)


@pytest.mark.parametrize("size", [1, 511, 512, 513, 1500])
def test_blocks_of_positive_numbers_skip_the_exponential_and_nothing_else(size: int) -> None:
    x = np.abs(np.random.default_rng(size).standard_normal(size)) + 0.1
    for change in ({}, {0: -1.0}, {size - 1: np.nan}, {size // 2: 0.0}):
        for k, v in change.items():
            x[k] = v
        found = taeda.ops.elu(taeda.from_numpy(x), 1.5).numpy()
        np.testing.assert_allclose(found, np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))), rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_a_scaled_sum_is_that_of_the_product_with_its_derivatives(dtype: str) -> None:
    a, b = (taeda.tensor(v, dtype=getattr(taeda, dtype), requires_grad=True) for v in ([1.0, 2.0, 3.0], [[0.5], [4.0]]))
    for y, sign in ((taeda.add(a, b, alpha=0.25), 1), (taeda.sub(a, b, alpha=0.25), -1)):
        assert y.dtype is a.dtype
        np.testing.assert_array_equal(y.detach().float().numpy(), a.detach().float().numpy() + sign * 0.25 * b.detach().float().numpy())
        ga, gb = taeda.autograd.grad((y * y).sum(), (a, b), create_graph=True)
        np.testing.assert_allclose(gb.detach().float().numpy(), (2 * y * sign * 0.25).sum(1, keepdim=True).detach().float().numpy(), rtol=1e-2)
        (second,) = taeda.autograd.grad(gb.sum(), b)
        np.testing.assert_allclose(second.float().numpy(), 2 * 3 * 0.0625, rtol=1e-2)


def test_frexp_splits_every_kind_of_number() -> None:
    for dtype in ("float32", "float64"):
        tiny = np.finfo(dtype).smallest_subnormal
        x = np.array([0.0, -0.0, 1, -1, 0.5, 3e30, -3e-30, tiny, 100 * tiny, np.inf, -np.inf, np.nan, np.finfo(dtype).max], dtype)
        m, e = taeda.frexp(taeda.from_numpy(x))
        wanted, exponent = np.frexp(x)
        np.testing.assert_array_equal(m.numpy(), wanted)
        np.testing.assert_array_equal(np.signbit(m.numpy()), np.signbit(wanted))
        np.testing.assert_array_equal(e.numpy()[np.isfinite(x)], exponent[np.isfinite(x)])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_sign_of_a_narrow_number_is_one_bit(dtype: str) -> None:
    x = taeda.tensor([1.5, -2.0, 0.0, -0.0, math.inf, -math.inf, math.nan], dtype=getattr(taeda, dtype))
    np.testing.assert_array_equal((-x).float().numpy(), -x.float().numpy())
    np.testing.assert_array_equal(x.abs().float().numpy(), np.abs(x.float().numpy()))
    np.testing.assert_array_equal(np.signbit((-x).float().numpy()[:6]), ~np.signbit(x.float().numpy()[:6]))
    np.testing.assert_array_equal(taeda.copysign(x, -x).float().numpy(), -x.float().numpy())


@pytest.mark.parametrize("exponent", [2, 3, 0.5, -1, -2, -0.5, 1.7])
def test_powers_by_one_number_have_the_same_bits_in_every_layout(exponent: float) -> None:
    x = taeda.tensor(np.random.default_rng(2).uniform(0.1, 4, (7, 1201)), dtype=taeda.float32)
    wanted = x[:, ::2].contiguous() ** exponent
    assert taeda.equal(x[:, ::2] ** exponent, wanted)
    apart = x.clone()
    apart[:, ::2].pow_(exponent)
    assert taeda.equal(apart[:, ::2], wanted) and taeda.equal(apart[:, 1::2], x[:, 1::2])


@pytest.mark.parametrize("n", [1, 511, 512, 513, 1500])
def test_elu_is_its_formula_in_blocks_of_one_sign_and_of_both(n: int) -> None:
    positive = np.random.default_rng(4).uniform(0.1, 3, n).astype(np.float32)
    last = positive.copy()
    last[-1] = -1
    for x in (positive, -positive, last, np.where(np.arange(n) % 2, positive, -positive), np.full(n, np.nan, np.float32)):
        wanted = np.where(x > 0, 1.0507009873554805 * x, 1.0507009873554805 * 1.6732632423543772 * np.expm1(x.astype(np.float64)))
        for t in (taeda.from_numpy(x.copy()), taeda.from_numpy(np.repeat(x, 2))[::2]):
            np.testing.assert_allclose(taeda.selu(t).numpy(), wanted, rtol=2e-6)


@pytest.mark.parametrize("n", [1, 7, 31, 32, 33, 257])
def test_bytes_are_shifted_by_any_count(n: int) -> None:
    a, b = np.arange(n, dtype=np.uint8) * 7, np.arange(n, dtype=np.uint8) % 11
    wide, far = a.astype(np.int64), b > 7
    left, right = np.where(far, 0, wide << b) % 256, np.where(far, 0, wide >> b)
    x, y = taeda.tensor(a.tolist(), dtype=taeda.uint8), taeda.tensor(b.tolist(), dtype=taeda.uint8)
    assert (x << y).tolist() == left.tolist() and (x >> y).tolist() == right.tolist()
    assert (x >> 8).tolist() == [0] * n and (x >> 3).tolist() == (wide >> 3).tolist()


@pytest.mark.parametrize("n", [1, 255, 256, 257, 700])
@pytest.mark.parametrize("inplace", [False, True])
def test_division_of_blocks_with_large_numbers(n: int, inplace: bool) -> None:
    a = np.random.default_rng(n).integers(-(2**62), 2**62, n)
    a[: n // 2] >>= 20
    b = np.where(np.arange(n) % 3 == 0, -7, 12345678901)
    x, y = taeda.tensor(a.tolist()), taeda.tensor(b.tolist())
    for divide, expected in ((taeda.Tensor.floor_divide, a // b), (taeda.Tensor.remainder, a % b)):
        got = getattr(x.clone(), divide.__name__ + "_")(y) if inplace else divide(x, y)
        assert got.tolist() == expected.tolist()
        assert divide(taeda.stack((x, x), 1)[:, 0], y).tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_scaled_sums_in_place(dtype: str) -> None:
    x, y = (taeda.randn(5, 33).to(getattr(taeda, dtype)) for _ in range(2))
    for a, b in ((x, y), (x, y[0]), (x.t(), y.t()), (x[:, ::2], y[:, :17]), (x, x), (x, x[0])):
        for name, extra in (("add", {"alpha": 0.5}), ("sub", {"alpha": 2}), ("lerp", {"weight": 0.25}), ("lerp", {"weight": 0.75})):
            expected = getattr(a, name)(b, **extra)
            held = a._base if a._base is not None else a
            before = held.clone()
            assert taeda.allclose(getattr(a, name + "_")(b, **extra), expected, rtol=1e-2 if "16" in dtype else 1e-6, atol=1e-2 if "16" in dtype else 1e-6)
            held.copy_(before)
    with pytest.raises(RuntimeError):
        x[0].add_(y, alpha=2)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8"])
def test_every_second_element(dtype: str) -> None:
    for n in (1, 2, 8, 9, 16, 17, 255, 256, 257, 513):
        x = taeda.arange(3 * 2 * n).remainder(50).reshape(3, 2 * n).to(getattr(taeda, dtype))[2:, : 2 * n - 1 : 2]
        y = x.contiguous() + 1
        assert taeda.equal(x + y, x.contiguous() + y) and taeda.equal(y - x, y - x.contiguous()) and taeda.equal(x * x, x.contiguous() * x.contiguous())
        assert taeda.equal(x.square(), x.contiguous().square()) and taeda.equal(x > y, x.contiguous() > y) and taeda.equal(x.sum(1), x.contiguous().sum(1))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_greatest_common_divisors_and_powers_of_integers(dtype: str) -> None:
    rng = np.random.default_rng(3)
    info = np.iinfo(dtype)
    x, y = rng.integers(info.min, info.max, (2, 1000), dtype=dtype, endpoint=True)
    x[:40], y[::7], x[::50], y[60:70] = 0, 0, info.min, 1
    if info.min < 0:
        x[-20:] = y[-20:] = info.min
    a, b = taeda.from_numpy(x), taeda.from_numpy(y)
    gcd = np.array([math.gcd(int(u), int(v)) for u, v in zip(x, y, strict=True)], "uint64").astype(dtype)      # 2^63 wraps around
    np.testing.assert_array_equal(taeda.gcd(a, b).numpy(), gcd)
    n = rng.integers(0, 12, 1000).astype(dtype)
    power = np.array([pow(int(u), int(v)) % 256**x.itemsize for u, v in zip(x, n, strict=True)], "uint64").astype(dtype)
    for base, by in ((a, taeda.from_numpy(n)), (taeda.stack([a, a], 1)[:, 0], taeda.from_numpy(np.repeat(n, 3))[::3])):
        np.testing.assert_array_equal((base**by).numpy(), power)
    np.testing.assert_array_equal((a[:, None] ** taeda.tensor([0, 1, 7], dtype=a.dtype)).numpy()[:, 2], (a**7).numpy())
    np.testing.assert_array_equal((taeda.tensor(3, dtype=a.dtype) ** taeda.from_numpy(n)).numpy(), (3 ** n.astype("int64")).astype(dtype))
    if dtype == "uint8":
        np.testing.assert_array_equal((a**b).numpy(), [pow(int(u), int(v), 256) for u, v in zip(x, y, strict=True)])

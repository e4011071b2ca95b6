"""Narrow dtypes: every value of 16 bits converts exactly, arithmetic is the wide one rounded, integers wrap around."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads


def test_every_float16_converts_as_numpy_does() -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    half = taeda.from_numpy(bits.view(np.float16).copy())
    np.testing.assert_array_equal(half.float().numpy(), bits.view(np.float16).astype(np.float32))
    back = half.float().half().numpy()
    nan = np.isnan(bits.view(np.float16))
    np.testing.assert_array_equal(back.view(np.uint16)[~nan], bits[~nan])
    assert np.isnan(back[nan]).all()


def test_float32_rounds_to_the_nearest_half_ties_to_even() -> None:
    x = np.concatenate([np.linspace(-70000, 70000, 4001), 2.0 ** np.arange(-26, 17), 1 + np.arange(64) * 2.0**-12]).astype(np.float32)
    with np.errstate(over="ignore"):
        wanted = x.astype(np.float16)
    np.testing.assert_array_equal(taeda.from_numpy(x).half().numpy(), wanted)


def test_every_bfloat16_is_the_upper_half_of_a_float32() -> None:
    high = np.arange(1 << 16, dtype=np.uint32) << 16
    x = high.view(np.float32)
    finite = ~np.isnan(x)
    back = taeda.from_numpy(x.copy()).bfloat16().float().numpy()
    np.testing.assert_array_equal(back.view(np.uint32)[finite], high[finite])
    tie = (np.array([0x3F808000, 0x3F818000, 0x3F808001], dtype=np.uint32)).view(np.float32)
    assert taeda.from_numpy(tie.copy()).bfloat16().float().numpy().view(np.uint32).tolist() == [0x3F800000, 0x3F820000, 0x3F810000]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_number_beside_a_narrow_float_is_not_rounded(dtype: str) -> None:
    x = taeda.tensor([3.0], dtype=getattr(taeda, dtype))
    assert (x * 0.1).item() == taeda.tensor([3.0 * np.float32(0.1)]).to(x.dtype).item()
    assert (x + 1e-4).dtype is x.dtype and (x / 3).item() == 1.0


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "uint16", "uint32", "uint64", "int32", "int64"])
def test_integers_wrap_around(dtype: str) -> None:
    info = np.iinfo(dtype)
    a = np.array([info.max, info.min, 3, 7], dtype=dtype)
    b = np.array([2, 3, info.max, 5], dtype=dtype)
    x, y = taeda.from_numpy(a), taeda.from_numpy(b)
    with np.errstate(over="ignore"):
        for found, wanted in ((x + y, a + b), (x * y, a * b), (x - y, a - b), (x & y, a & b), (~x, ~a), (x // y, a // b), (x % y, a % b)):
            np.testing.assert_array_equal(found.numpy(), wanted)
        for found, wanted in ((x < y, a < b), (taeda.maximum(x, y), np.maximum(a, b)), (x.clamp(1, 5), np.clip(a, 1, 5))):
            np.testing.assert_array_equal(found.numpy(), wanted)


def test_kernels_without_a_narrow_loop_run_in_the_wide_dtype() -> None:
    x = taeda.arange(12, dtype=taeda.float32).reshape(3, 4).bfloat16()
    assert x.sum().dtype is taeda.bfloat16 and x.sum().item() == 66
    assert x.T.softmax(0).dtype is taeda.bfloat16
    assert (x @ x.T).tolist() == [[14, 38, 62], [38, 126, 214], [62, 214, 366]]
    assert x.cumsum(1)[2].tolist() == [8, 17, 27, 38]
    y = taeda.zeros(3, dtype=taeda.int8).index_put((taeda.tensor([1, 1]),), taeda.tensor([100, 100], dtype=taeda.int8), accumulate=True)
    assert y.tolist() == [0, -56, 0]
    values, at = taeda.tensor([3, -7, 5], dtype=taeda.int16).sort()
    assert values.dtype is taeda.int16 and values.tolist() == [-7, 3, 5] and at.tolist() == [1, 0, 2]


def test_float16_gradients_keep_the_dtype() -> None:
    x = taeda.tensor([1.0, 2.0, 4.0], dtype=taeda.float16, requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.dtype is taeda.float16 and x.grad.tolist() == [2, 4, 8]


def test_bfloat16_has_no_numpy_dtype() -> None:
    with pytest.raises(TypeError, match="unsupported ScalarType"):
        taeda.ones(2, dtype=taeda.bfloat16).numpy()


@pytest.mark.parametrize("towards", [np.inf, -np.inf, 0.0])
def test_the_next_float16_is_numpys_for_every_one(towards: float) -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16).copy()
    found = taeda.nextafter(taeda.from_numpy(every), taeda.tensor(towards, dtype=taeda.float16)).numpy()
    with np.errstate(all="ignore"):
        wanted = np.nextafter(every, np.float16(towards))
    wanted[every == towards] = towards                          # of two zeros the second is the answer, NumPy's is the first
    nan = np.isnan(wanted)
    np.testing.assert_array_equal(np.isnan(found), nan)
    np.testing.assert_array_equal(found.view(np.uint16)[~nan], wanted.view(np.uint16)[~nan])


def test_the_next_bfloat16_is_one_bit_away() -> None:
    x = taeda.tensor([1.0, -1.0, 0.0, 3.0], dtype=taeda.bfloat16)
    assert taeda.nextafter(x, x.new_full((), 9.0)).tolist() == [1.0078125, -0.99609375, 2.0**-133, 3.015625]
    y = x.clone().nextafter_(x)
    assert y.tolist() == x.tolist()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_histograms_of_narrow_floats_take_a_range(dtype: str) -> None:
    x = taeda.tensor([0.5, -0.25, 0.75, -1.0, 1.0], dtype=getattr(taeda, dtype))
    hist, edges = taeda.histogram(x, 4, range=(-1.0, 1.0))
    assert hist.dtype == edges.dtype == x.dtype and hist.tolist() == [1, 1, 0, 3] and edges.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert taeda.histogramdd(x[:4].reshape(2, 2), [1, 2], range=[-1.0, 1.0, -1.0, 1.0]).hist.tolist() == [[2, 0]]
    for shape in ((0, 0), (5, 0), (2, 3, 0)):
        hist, edges = taeda.histogramdd(taeda.ones(shape), [])
        assert hist.shape == () and hist.item() == 0 and edges == ()
        assert taeda.histogramdd(taeda.ones(shape), [], density=True).hist.isnan()
    with pytest.raises(NotImplementedError, match="histogram"):
        taeda.histogram(x, 4)


def test_rms_norm_of_narrow_floats_adds_the_epsilon_of_float32() -> None:
    x = taeda.tensor([1e-4, 1e-4], dtype=taeda.float16)
    assert taeda.rms_norm(x, (2,)).tolist() == taeda.rms_norm(x.float(), (2,)).half().tolist()


# -- light formulas, which halves run through registers, and reductions, which widen patches --------------------------------
HALVES = ["float16", "bfloat16"]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 6e-8, -6e-8, 6.1e-5, 65504.0, -65504.0, 1.0, -1.0, 0.5, 2.5, 3.0, -3.0]
LIGHT = {
    "sqrt": lambda a, b, c: a.sqrt(), "rsqrt": lambda a, b, c: a.rsqrt(), "reciprocal": lambda a, b, c: a.reciprocal(),
    "round": lambda a, b, c: a.round(), "trunc": lambda a, b, c: a.trunc(), "frac": lambda a, b, c: a.frac(), "sign": lambda a, b, c: a.sign(),
    "relu": lambda a, b, c: a.relu(), "clamp": lambda a, b, c: a.clamp(-0.7, 0.3), "nan_to_num": lambda a, b, c: a.nan_to_num(1.0, 2.0, 3.0),
    "leaky_relu": lambda a, b, c: taeda.ops.leaky_relu(a, 0.1), "hardswish": lambda a, b, c: taeda.ops.hardswish(a),
    "softshrink": lambda a, b, c: taeda.ops.softshrink(a, 0.25), "add": lambda a, b, c: a + b, "sub": lambda a, b, c: a - b,
    "mul": lambda a, b, c: a * b, "div": lambda a, b, c: a / b, "maximum": lambda a, b, c: taeda.maximum(a, b),
    "fmin": lambda a, b, c: taeda.fmin(a, b), "add_scaled": lambda a, b, c: taeda.add(a, b, alpha=0.3125),
    "addcmul": lambda a, b, c: taeda.addcmul(a, b, c, value=0.3), "addcdiv": lambda a, b, c: taeda.addcdiv(a, b, c, value=0.3),
    "lerp": lambda a, b, c: taeda.lerp(a, b, c),
}


def halves(n: int, dtype: str, seed: int) -> taeda.Tensor:
    x = np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    x[::3] = np.resize(SPECIAL, x[::3].shape)
    return taeda.from_numpy(x).to(getattr(taeda, dtype))


def assert_same(found: taeda.Tensor, wanted: taeda.Tensor) -> None:
    assert found.dtype is wanted.dtype and found.shape == wanted.shape
    a, b = found.float().numpy(), wanted.float().numpy()
    np.testing.assert_array_equal(a, b)
    kept = ~np.isnan(b)
    np.testing.assert_array_equal(np.signbit(a)[kept], np.signbit(b)[kept])


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", LIGHT)
def test_a_light_formula_of_halves_is_the_wide_one_rounded(name: str, dtype: str) -> None:
    f = LIGHT[name]
    for n in (1, 7, 15, 16, 17, 33, 511, 512, 513, 545):
        a, b, c = (halves(n, dtype, seed) for seed in range(3))
        assert_same(f(a, b, c), f(a.float(), b.float(), c.float()).to(a.dtype))
    a, b, c = (halves(90, dtype, seed) for seed in range(3))
    wide = [t.float() for t in (a, b, c)]
    for view in (lambda t: t[::2], lambda t: t[1:], lambda t: t.flip(0), lambda t: t.view(9, 10).t(), lambda t: t.view(3, 30)[:, 2:29]):
        assert_same(f(*map(view, (a, b, c))), f(*map(view, wide)).to(a.dtype))
    for one in range(3):                                            # each operand as a scalar, a row and a column
        for shape in ((1,), (1, 45), (2, 1)):
            ops = [t.view(2, 45) for t in (a, b, c)]
            ops[one] = ops[one].reshape(-1)[: int(np.prod(shape))].reshape(shape)
            assert_same(f(*ops), f(*[t.float() for t in ops]).to(a.dtype))


@pytest.mark.parametrize("dtype", HALVES)
def test_a_light_formula_of_halves_in_place_and_with_a_number_on_either_side(dtype: str) -> None:
    for n in (15, 16, 17, 70):
        a, b = halves(n, dtype, 1), halves(n, dtype, 2)
        wide, tenth = a.float(), taeda.tensor(0.1).to(a.dtype).item()             # a summand is rounded first, a factor is not
        for found, wanted in ((a + 0.1, wide + tenth), (0.1 - a, tenth - wide), (a * 3.3, wide * 3.3), (a * taeda.tensor(3.3), wide * 3.3)):
            assert_same(found, wanted.to(a.dtype))
        assert_same(taeda.add(a, b, alpha=0.1), (wide + tenth * b.float()).to(a.dtype))
        assert_same(a.clone().sub_(b, alpha=0.1), (wide - tenth * b.float()).to(a.dtype))
        wanted = (wide + b.float()).to(a.dtype)
        assert a.add_(b) is a
        assert_same(a, wanted)


REDUCTIONS = {
    "sum": lambda x, **d: x.sum(**d), "mean": lambda x, **d: x.mean(**d), "amax": lambda x, **d: x.amax(**d), "amin": lambda x, **d: x.amin(**d),
    "var": lambda x, **d: x.var(correction=0, **d), "logsumexp": lambda x, **d: x.logsumexp(**d), "norm": lambda x, **d: taeda.linalg.vector_norm(x, **d),
    "count": lambda x, **d: x.count_nonzero(**d), "any": lambda x, **d: x.any(**d),
}


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_halves_round_once(name: str, dtype: str) -> None:
    f = REDUCTIONS[name]
    for shape in ((3, 5), (70, 140), (129, 65), (5, 300, 7), (4100, 2), (2, 8200), (17, 4), (1, 9000), (6, 33, 129)):
        x = taeda.from_numpy(np.random.default_rng(0).standard_normal(shape).astype(np.float32)).to(getattr(taeda, dtype))
        for view in (x, x.transpose(0, -1), x[..., ::2], x.flip(0)):
            for dim in (*range(x.ndim), (0, x.ndim - 1), tuple(range(x.ndim))):
                found, wanted = f(view, dim=dim), f(view.double(), dim=dim)
                assert found.dtype is (x.dtype if wanted.dtype is taeda.float64 else wanted.dtype)
                step = 2.0**-11 if dtype == "float16" else 2.0**-8
                np.testing.assert_allclose(found.double().numpy(), wanted.double().numpy(), rtol=1.01 * step, atol=2e-5)


@pytest.mark.parametrize("dtype", HALVES)
def test_places_of_extremes_among_halves(dtype: str) -> None:
    x = taeda.from_numpy(np.random.default_rng(1).integers(-9, 9, (70, 300)).astype(np.float32)).to(getattr(taeda, dtype))
    x[3, 150] = float("nan")
    for view in (x, x.t(), x[::2, 1:]):
        for dim in (0, 1):
            values, at = view.max(dim)
            assert values.dtype is x.dtype and at.tolist() == view.float().argmax(dim).tolist() == view.argmax(dim).tolist()
            assert_same(values, view.float().amax(dim).to(x.dtype))
        assert view.argmin().item() == view.float().argmin().item()


@pytest.mark.parametrize("dtype", HALVES)
def test_reductions_of_halves_have_the_same_bits_for_every_number_of_threads(dtype: str) -> None:
    x = taeda.from_numpy(np.random.default_rng(2).standard_normal((300, 700)).astype(np.float32)).to(getattr(taeda, dtype))
    assert_same_for_any_threads(lambda: [f(x, dim=dim) for f in REDUCTIONS.values() for dim in (0, 1, (0, 1))])


@pytest.mark.parametrize("dtype", HALVES)
def test_an_optimizers_step_rounds_as_a_conversion_does(dtype: str) -> None:
    n = 40000                                          # every exponent, ties, what overflows
    g = taeda.from_numpy(np.random.default_rng(3).integers(0, 1 << 16, n).astype(np.uint16)).view(getattr(taeda, dtype))
    for start in (0.0, 1.0, 65504.0, -3e-5):
        p = taeda.full((n,), start, dtype=g.dtype)
        step = (g.float() + 0.25 * p.float()).to(g.dtype)
        wanted = (p.float() - step.float()).to(g.dtype)
        taeda.ops.fused_sgd_([p], [g], [], lr=1.0, weight_decay=0.25)
        assert_same(p, wanted)


@pytest.mark.parametrize("source", ["bool", "uint8", "int8", "int16", "uint16"])
def test_short_integers_convert_into_each_other_as_numpys_do(source: str) -> None:
    x = np.random.default_rng(0).integers(0, 65536, 1001).astype(source)
    for target in ("bool", "uint8", "int8", "int16", "uint16"):
        for n, t in ((x, taeda.from_numpy(x)), (x[::3], taeda.from_numpy(x)[::3])):
            np.testing.assert_array_equal(t.to(getattr(taeda, target)).numpy(), n.astype(target))


@pytest.mark.parametrize("source", ["int8", "int16", "uint16"])
def test_short_integers_become_wider_numbers_as_numpys_do(source: str) -> None:
    x = np.random.default_rng(0).integers(0, 65536, 1301).astype(source)
    for target in ("float32", "float64", "int64", "int32", "float16", "complex64"):
        for n, t in ((x, taeda.from_numpy(x)), (x[::3], taeda.from_numpy(x)[::3])):
            with np.errstate(over="ignore"):
                np.testing.assert_array_equal(t.to(getattr(taeda, target)).numpy(), n.astype(target))
    t = taeda.from_numpy(x)
    assert taeda.equal(t.bfloat16(), t.float().bfloat16())


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_a_number_that_is_lerps_weight_is_not_rounded(dtype):
    a, b = taeda.linspace(-2, 3, 37).to(dtype), taeda.linspace(5, -1, 37).to(dtype)
    for weight in (0.1, 0.7, 0.5, 1e-4, 0.9999):
        want = taeda.lerp(a.float(), b.float(), weight).to(dtype)
        assert taeda.equal(taeda.lerp(a, b, weight), want) and taeda.equal(a.clone().lerp_(b, weight), want)
    (average,) = taeda._foreach_lerp([a], [b], 0.9999)
    assert not taeda.equal(average, b)
    x = a.clone().requires_grad_()
    y = taeda.lerp(x, b, 0.1)
    y.backward(taeda.ones_like(y))
    assert y.grad_fn.name() == "LerpBackward0" and taeda.equal(x.grad, taeda.full_like(a, 0.9))


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "int32", "int64"])
def test_shifts_and_clamps_of_every_integer_are_those_of_wide_ones(dtype: str) -> None:
    info = taeda.iinfo(getattr(taeda, dtype))
    values = [info.min, info.min // 3, -7, -1, 0, 1, 3, 100, info.max // 3, info.max]
    a = taeda.tensor([v for v in values if v >= info.min] * 30, dtype=getattr(taeda, dtype))
    for by in (0, 1, 2, info.bits // 2, info.bits - 1, info.bits, info.bits + 3):
        shift = taeda.full_like(a, by)
        left = [((v << by) + (1 << 80)) % (1 << info.bits) if by < info.bits else 0 for v in a.tolist()]
        left = [v - (1 << info.bits) if info.min < 0 and v > info.max else v for v in left]
        right = [v >> by for v in a.tolist()]
        assert (a << shift).tolist() == left and (a << by).tolist() == left
        assert (a >> shift).tolist() == right and (a >> by).tolist() == right
    for low, high in ((-5, 60), (None, 3), (2, None), (90, 10), (-1000, 1000)):
        wanted = [min(max(v, info.min if low is None else low), info.max if high is None else high) for v in a.tolist()]
        if dtype != "uint8" or low is None or low >= 0:
            assert a.clamp(low, high).tolist() == wanted


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_squares_and_prelu_of_halves_are_the_wide_ones_rounded(dtype: str) -> None:
    x = taeda.linspace(-4, 4, 1003).to(getattr(taeda, dtype))
    assert taeda.equal(x**2, (x.float() * x.float()).to(x.dtype))
    w = taeda.tensor([0.3], dtype=x.dtype)
    assert taeda.equal(taeda.prelu(x, w), taeda.where(x > 0, x.float(), w.float() * x.float()).to(x.dtype))


@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float16], ids=str)
@pytest.mark.parametrize(("shape", "dim"), [
    ((5, 7), 1), ((300, 1000), 1), ((3, 9000), 1), ((40, 130, 3), 1), ((600, 300), 0), ((1003, 32), 1), ((7,), 0), ((2, 0), 1)])
def test_softmax_of_halves_is_the_wide_one_rounded(dtype: taeda.dtype, shape: tuple[int, ...], dim: int) -> None:
    generator = taeda.Generator().manual_seed(3)
    x, g = (taeda.randn(shape, generator=generator).to(dtype) for _ in range(2))
    for f in (taeda.softmax, taeda.log_softmax):
        def step(f=f):
            leaf = x.clone().requires_grad_()
            y = f(leaf, dim)
            return y.detach(), taeda.autograd.grad(y, leaf, g)[0]

        y, gx = assert_same_for_any_threads(step)
        assert y.dtype == gx.dtype == dtype and taeda.equal(y, f(x.float(), dim).to(dtype))
        wide = y.float()
        sums = (g.float() * wide).sum(dim, keepdim=True) if f is taeda.softmax else g.float().sum(dim, keepdim=True)
        want = wide * (g.float() - sums) if f is taeda.softmax else g.float() - wide.exp() * sums
        assert taeda.allclose(gx.float(), want, rtol=2 * taeda.finfo(dtype).eps, atol=1e-4)


HUGE = np.array([[3, 2**64 - 1, 0, 2**63], [2**63 - 1, 7, 2**63 + 5, 7]], dtype=np.uint64)


def test_uint64_goes_by_the_order_of_unsigned_numbers() -> None:
    for numbers, x in ((HUGE, taeda.from_numpy(HUGE)), (HUGE.T, taeda.from_numpy(HUGE).T)):
        for d in (0, 1):
            assert x.sort(d).values.tolist() == np.sort(numbers, d).tolist()
            assert x.topk(2, d).values.tolist() == np.flip(np.sort(numbers, d), d).take([0, 1], d).tolist()
            assert x.kthvalue(2, d).values.tolist() == np.sort(numbers, d).take(1, d).tolist()
            assert x.median(d).values.tolist() == np.sort(numbers, d).take((numbers.shape[d] - 1) // 2, d).tolist()
            assert x.amax(d).tolist() == x.max(d).values.tolist() == numbers.max(d).tolist()
            assert x.amin(d).tolist() == x.min(d).values.tolist() == numbers.min(d).tolist()
            assert x.argmax(d).tolist() == numbers.argmax(d).tolist()
            assert x.argmin(d).tolist() == numbers.argmin(d).tolist()
            assert x.cummax(d).values.tolist() == np.maximum.accumulate(numbers, d).tolist()
            assert x.cummin(d).values.tolist() == np.minimum.accumulate(numbers, d).tolist()
        assert [v.item() for v in (x.max(), x.min(), *x.aminmax())] == [2**64 - 1, 0, 0, 2**64 - 1]
        assert x.unique().tolist() == np.unique(numbers).tolist()
        assert x.median().item() == 7 and x.flatten().mode().values.item() == 7


def test_uint64_searches_scatters_and_divides_unsigned() -> None:
    x = taeda.from_numpy(HUGE)
    places = np.sort(HUGE.ravel())
    assert taeda.searchsorted(taeda.from_numpy(places), x).tolist() == np.searchsorted(places, HUGE).tolist()
    assert taeda.isin(x, taeda.from_numpy(places[::3].copy())).tolist() == np.isin(HUGE, places[::3]).tolist()
    index = taeda.zeros(1, 4, dtype=taeda.int64)
    assert x[:1].scatter_reduce(0, index, x[1:], "amax").tolist() == [HUGE.max(0).tolist()]
    assert x[:1].scatter_reduce(0, index, x[1:], "amin").tolist() == [HUGE.min(0).tolist()]
    assert x[0].index_reduce(0, taeda.tensor([0, 1]), x[1, :2], "amin").tolist() == [3, 7, 0, 2**63]
    assert taeda.gcd(x, taeda.full_like(x, 3)).tolist() == np.gcd(HUGE, np.uint64(3)).tolist()
    assert taeda.heaviside(x, taeda.full_like(x, 9)).tolist() == np.where(HUGE == 0, 9, 1).tolist()


def test_integrals_do_not_overflow_on_the_way_to_a_finite_one() -> None:
    y = taeda.full((3,), 2e4, dtype=taeda.float16)
    assert taeda.trapezoid(y).item() == 4e4 and taeda.cumulative_trapezoid(y).tolist() == [2e4, 4e4]
    whole = taeda.tensor([2**62, 2**62 - 1, 2**62])
    assert taeda.cumulative_trapezoid(whole).tolist() == [2.0**62, 2.0**63]
    assert taeda.trapezoid(taeda.zeros(2, 0)).tolist() == [0, 0] and taeda.cumulative_trapezoid(taeda.zeros(2, 1)).shape == (2, 0)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16], ids=str)
def test_means_of_halves_into_a_wider_out_are_rounded_once(dtype: taeda.dtype) -> None:
    x = (taeda.arange(50.0) * 0.37 - 3).to(dtype)
    for reduce in (taeda.mean, taeda.nanmean, taeda.logsumexp):
        for wide in (taeda.float32, taeda.float64):
            got = reduce(x, 0, out=taeda.empty((), dtype=wide))
            assert taeda.equal(got, reduce(x.to(wide), 0)), (reduce, wide)
            assert not taeda.equal(got, reduce(x, 0).to(wide)), (reduce, wide)


@pytest.mark.parametrize("chosen", [
    lambda x: x[taeda.tensor([3, 1, 3])], lambda x: x.index_select(0, taeda.tensor([3, 1, 3])), lambda x: x.take(taeda.tensor([3, 1, 3])),
    lambda x: x.as_strided((3,), (1,), 1), lambda x: x[1:3].repeat_interleave(taeda.tensor([1, 2])),
])
def test_chosen_complex32_have_gradients(chosen) -> None:
    x = taeda.tensor([1j, 2 + 1j, 3 + 0j, 4 - 1j]).to(taeda.complex32).requires_grad_()
    y = chosen(x)
    y.backward(taeda.tensor([1 + 2j, 3j, 4 + 0j]).to(taeda.complex32))
    wide = x.detach().to(taeda.complex64).requires_grad_()
    chosen(wide).backward(taeda.tensor([1 + 2j, 3j, 4 + 0j]))
    assert x.grad.dtype is taeda.complex32 and x.grad.to(taeda.complex64).tolist() == wide.grad.tolist()


@pytest.mark.parametrize("function", [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, lambda a, b: -a, lambda a, b: a.conj(), lambda a, b: a.abs(),
    lambda a, b: a == b, lambda a, b: a.isnan(), lambda a, b: a.isfinite(), lambda a, b: a.sgn(), lambda a, b: a + 1, lambda a, b: a * 2j,
    lambda a, b: a.sum(), lambda a, b: a.exp(), lambda a, b: a[None] @ b[:, None], lambda a, b: a.clone().add_(b), lambda a, b: a.angle(),
])
def test_complex32_is_computed_in_complex64(function) -> None:
    parts = taeda.tensor([1 + 2j, 0.5 - 1j, float("nan")]), taeda.tensor([2 - 1j, 3j, 1 + 0j])
    want, found = function(*parts), function(*[x.to(taeda.complex32) for x in parts])
    narrow = {taeda.complex64: taeda.complex32, taeda.float32: taeda.float16}.get(want.dtype, want.dtype)
    assert found.dtype is narrow
    assert taeda.equal(found.to(want.dtype).nan_to_num(7), want.to(narrow).to(want.dtype).nan_to_num(7)) if narrow is not taeda.bool else taeda.equal(found, want)


def test_products_of_complex32_have_derivatives() -> None:
    a, b = (taeda.tensor(v).to(taeda.complex32).requires_grad_() for v in ([1 + 2j, 0.5 - 1j], [2 - 1j, 3j]))
    (a * b).backward(taeda.tensor([1j, 1 + 0j]).to(taeda.complex32))
    assert a.grad.to(taeda.complex64).tolist() == [-1 + 2j, -3j] and b.grad.to(taeda.complex64).tolist() == [2 + 1j, 0.5 + 1j]


def test_rows_are_added_to_complex32() -> None:
    x, at, rows = taeda.zeros(3, dtype=taeda.complex32), taeda.tensor([2, 0, 2]), taeda.tensor([1j, 2.0, 3 + 0.5j]).to(taeda.complex32)
    want = [2 + 0j, 0j, 3 + 1.5j]
    for y in (x.index_add(0, at, rows), x.index_put((at,), rows, accumulate=True)):
        assert y.dtype is taeda.complex32 and y.to(taeda.complex64).tolist() == want


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_hardshrink_compares_halves_with_a_half(dtype: str) -> None:
    x = taeda.tensor([1, 0.5, 0.3, 0.6, -0.3], dtype=getattr(taeda, dtype), requires_grad=True)
    y = taeda.hardshrink(x, 0.3)
    y.sum().backward()
    assert y.tolist() == [1, 0.5, 0, x[3].item(), 0] and x.grad.tolist() == [1, 1, 0, 1, 0]
    assert x.detach().float().hardshrink(0.3)[2] > 0                                     # 0.3 of a half is more


def test_bytes_seen_as_bools_are_true_or_false() -> None:
    x = taeda.tensor([[0, 255, 1], [128, 0, 2]], dtype=taeda.uint8)
    for b in (x.view(taeda.bool), x.t().view(taeda.bool).t(), taeda.tensor([0x01_00_FF_00], dtype=taeda.int32).view(taeda.bool)[:3].logical_not()):
        assert b.dtype is taeda.bool and b.view(taeda.uint8).max() == 1
    b = x.view(taeda.bool)
    assert b.tolist() == [[False, True, True], [True, False, True]] and b.sum() == 4 and b.float().max() == 1 and x.max() == 255
    flags = taeda.tensor([0, 1, 1], dtype=taeda.uint8)
    flags.view(taeda.bool)[0] = True                                                     # of 0 and 1 it is a view
    assert flags.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("dtype", "by"), [("float16", 70000), ("bfloat16", 257)])
def test_halves_times_an_integer_without_dimensions_that_they_cannot_hold(dtype: str, by: int) -> None:
    x, n = taeda.tensor([0.5, 2.0], dtype=getattr(taeda, dtype)), taeda.tensor(by)
    wide = x.double()
    for found, exact in ((x * n, wide * by), (x / n, wide / by), (x.clone().div_(n), wide / by), (x.sum() / n, wide.sum() / by)):
        assert found.dtype is x.dtype and found.tolist() == exact.to(x.dtype).tolist()
    assert (n * x).tolist() == (wide * n.to(x.dtype).double()).to(x.dtype).tolist()              # the first is rounded before


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64", "uint8", "int16", "int64"])
def test_the_least_and_the_most_of_what_is_scattered_in_any_integer_dtype(dtype: str) -> None:
    bounds = taeda.iinfo(getattr(taeda, dtype))
    x, index = taeda.tensor([5, 6, 7], dtype=getattr(taeda, dtype)), taeda.tensor([0, 0, 2])
    source = taeda.tensor([bounds.max - 1, bounds.max, bounds.min], dtype=x.dtype)
    assert x.scatter_reduce(0, index, source, "amin", include_self=False).tolist() == [bounds.max - 1, 6, bounds.min]
    assert x.scatter_reduce(0, index, source, "amax", include_self=False).tolist() == [bounds.max, 6, bounds.min]

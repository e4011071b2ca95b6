"""Reductions and scans beyond their rows: accuracy, threads, layouts, ties, NaN, nothing, named results."""

from __future__ import annotations

import copy
import itertools
import math
import pickle

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

INF, NAN = float("inf"), float("nan")


def grad_of(f, values, second=False):
    """Return df/dx at values, and with ``second`` the gradient of its sum as well."""
    x = taeda.tensor(values, dtype=taeda.float64, requires_grad=True)
    y = f(x)
    (g,) = taeda.autograd.grad(y.sum(), x, create_graph=second)
    if not second:
        return g.tolist()
    return g.tolist(), taeda.autograd.grad(g.sum(), x)[0].tolist()


# -- layouts ----------------------------------------------------------------------------------------------

LAYOUTS = {
    "sum": np.sum, "mean": np.mean, "amax": np.max, "amin": np.min, "any": np.any, "count_nonzero": np.count_nonzero,
    "var": lambda x, axis: np.var(x, axis=axis, ddof=1),
    "norm": lambda x, axis: np.sqrt(np.sum(np.abs(x) ** 2, axis=axis)),
    "logsumexp": lambda x, axis: np.log(np.sum(np.exp(x), axis=axis)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_permutation_and_set_of_dims_agrees_with_numpy(name):
    base = np.random.default_rng(0).normal(size=(3, 5, 4))
    base[base < -1] = 0
    for order in itertools.permutations(range(3)):
        for x in (base.transpose(order), np.repeat(base, 2, axis=2)[:, :, ::2].transpose(order)):
            for dims in itertools.chain.from_iterable(itertools.combinations(range(3), r) for r in (1, 2, 3)):
                t = taeda.from_numpy(x)
                found = t.norm(2, dims) if name == "norm" else getattr(t, name)(dims)
                np.testing.assert_allclose(found.numpy(), LAYOUTS[name](x, axis=dims), rtol=1e-12)


def test_expanded_input_is_reduced_as_its_copy():
    x = taeda.arange(3, dtype=taeda.float64).reshape(3, 1).expand(3, 700)
    assert x.sum().item() == 2100
    assert x.sum(1).tolist() == [0, 700, 1400]
    assert x.sum(0)[5].item() == 3
    assert x.max(1).indices.tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", [(70, 3), (5000, 4), (3, 40000), (40000, 3), (65, 257), (4, 33, 300)])
def test_rows_and_columns_longer_than_a_block(shape):
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    t = taeda.from_numpy(x)
    for d in range(len(shape)):
        np.testing.assert_allclose(t.sum(d).numpy(), x.sum(d, dtype=np.float64), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(t.var(d).numpy(), x.var(d, ddof=1, dtype=np.float64), rtol=1e-5)
        values, indices = t.max(d)
        np.testing.assert_array_equal(values.numpy(), x.max(d))
        np.testing.assert_array_equal(indices.numpy(), x.argmax(d))
        np.testing.assert_array_equal(t.argmin(d).numpy(), x.argmin(d))
        np.testing.assert_array_equal((t > 0).sum(d).numpy(), (x > 0).sum(d))


# -- accuracy and threads ---------------------------------------------------------------------------------


def test_float32_sum_stays_within_a_few_roundings():
    x = np.random.default_rng(2).uniform(0, 1, (1000, 1000)).astype(np.float32)
    t, exact = taeda.from_numpy(x), math.fsum(x.ravel().tolist())
    assert abs(t.sum().item() - exact) / exact < 2e-7
    assert abs(t.T.sum().item() - exact) / exact < 2e-7
    assert np.abs(t.sum(0).numpy() / x.sum(0, dtype=np.float64) - 1).max() < 3e-7
    assert np.abs(t.sum(1).numpy() / x.sum(1, dtype=np.float64) - 1).max() < 3e-7


def test_variance_does_not_cancel_far_from_zero():
    x = taeda.arange(2000, dtype=taeda.float64) % 2 + 1e9
    assert x.var(correction=0).item() == 0.25
    x = taeda.arange(4096, dtype=taeda.float32) % 2 + 4096
    assert x.var(correction=0).item() == 0.25
    assert x.reshape(-1, 4).var(0, correction=0).tolist() == [0, 0, 0, 0]


def test_norm_of_huge_and_tiny_float32_neither_overflows_nor_vanishes():
    assert taeda.tensor([3e30, 4e30]).norm().item() == pytest.approx(5e30)
    assert taeda.tensor([3e-30, 4e-30]).norm().item() == pytest.approx(5e-30)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16, taeda.float32, taeda.float64], ids=str)
@pytest.mark.parametrize("p", [3, 4, 2.5])
def test_norms_of_powers_that_are_products_are_those_of_powers(dtype: taeda.dtype, p: float) -> None:
    x = (taeda.arange(-2000, 2347) * 0.37).cos().reshape(27, 161).to(dtype) - 0.25
    eps = taeda.finfo(dtype).eps * (1 if dtype != taeda.float64 else 8)
    for v in (x, x.t(), x[:, ::3], x[2:5], x[:, :3], x.expand(2, 27, 161)):
        for dims in (None, 0, 1, (0, 1)):
            exact = (v.double().abs() ** p).sum(dims) ** (1 / p)
            assert ((v.norm(p, dims).double() - exact).abs() <= eps * exact).all(), (v.shape, v.stride(), dims)
    if dtype == taeda.float32:                                  # sums are kept in float64
        assert taeda.tensor([3e30, -4e30]).norm(p).item() == pytest.approx(1e30 * (3**p + 4**p) ** (1 / p))
        assert taeda.tensor([3e-30, -4e-30]).norm(p).item() == pytest.approx(1e-30 * (3**p + 4**p) ** (1 / p))
    x[3, 5], x[4, 6] = NAN, -INF
    y = x.norm(p, 1)
    assert y[3].isnan() and y[4] == INF and y.isfinite().sum() == 25 and x[:0].norm(p) == 0


THREADED = {
    "sum": lambda x: [x.sum(), x.sum(0), x.sum(1)],
    "mean": lambda x: [x.mean(), x.mean(0), x.mean(1)],
    "var": lambda x: [x.var(), x.var(0), x.var(1)],
    "norm": lambda x: [x.norm(), x.norm(3), x.norm(dim=0)],
    "logsumexp": lambda x: [x.logsumexp(0), x.logsumexp(1), x.logsumexp((0, 1))],
    "max": lambda x: [*x.max(0), *x.max(1), x.argmax()],
    "cumsum": lambda x: [x.cumsum(0), x.cumsum(1)],
}


@pytest.mark.parametrize("name", THREADED)
@pytest.mark.parametrize("shape", [(300, 500), (100000, 3), (3, 100000)])
def test_same_bits_for_every_number_of_threads(name, shape):
    x = taeda.from_numpy(np.random.default_rng(3).normal(size=shape).astype(np.float32))
    assert_same_for_any_threads(lambda: THREADED[name](x))


# -- the way back -----------------------------------------------------------------------------------------


def test_gradient_of_sum_is_an_expanded_view():
    x = taeda.ones(3, 4, requires_grad=True)
    (g,) = taeda.autograd.grad(x.sum(), x)
    assert (g.stride(), tuple(g.shape)) == ((0, 0), (3, 4))
    (g,) = taeda.autograd.grad(x.sum(0), x, taeda.arange(4.0))
    assert g.stride() == (0, 1)
    assert g.tolist() == [[0, 1, 2, 3]] * 3
    (g,) = taeda.autograd.grad(x.mean(1, keepdim=True), x, taeda.tensor([[4.0], [8.0], [0.0]]))
    assert g.tolist() == [[1] * 4, [2] * 4, [0] * 4]


@pytest.mark.parametrize(("f", "values", "expected"), [
    (lambda x: x.amax(), [1, 3, 3, 2], [0, 0.5, 0.5, 0]),
    (lambda x: x.max(), [1, 3, 3, 2], [0, 0.5, 0.5, 0]),
    (lambda x: x.min(), [1, 3, 1, 1], [1 / 3, 0, 1 / 3, 1 / 3]),
    (lambda x: x.amin(0), [[1, 3], [1, 2]], [[0.5, 0], [0.5, 1]]),
    (lambda x: x.max(0).values, [1, 3, 3, 2], [0, 1, 0, 0]),
    (lambda x: x.median(), [1, 2, 2, 3, 3], [0, 0.5, 0.5, 0, 0]),
    (lambda x: taeda.aminmax(x)[1], [2, 2], [0.5, 0.5]),
    (lambda x: x.norm(INF), [1, -2, 2], [0, -0.5, 0.5]),
    (lambda x: x.max(), [1, NAN, 3, NAN], [0, 0.5, 0, 0.5]),
    (lambda x: x.cummax(0).values, [1, 3, 3, 2], [1, 1, 2, 0]),
    (lambda x: x.nansum(), [1, NAN], [1, 0]),
])
def test_ties_share_or_choose(f, values, expected):
    assert grad_of(f, values) == expected


@pytest.mark.parametrize(("f", "values", "first", "second"), [
    (lambda x: x.norm(), [0, 0], [0, 0], [0, 0]),
    (lambda x: x.norm(3), [0, 0], [0, 0], [0, 0]),
    (lambda x: x.norm(1), [0, -2], [0, -1], None),
    (lambda x: x.std(), [2, 2, 2], [0, 0, 0], [0, 0, 0]),
    (lambda x: x.prod(), [0, 2, 3], [6, 0, 0], [5, 3, 2]),
    (lambda x: x.prod(), [0, 0, 3], [0, 0, 0], [3, 3, 0]),
    (lambda x: x.prod(0), [[0, 1], [2, 3]], [[2, 3], [0, 1]], [[1, 1], [1, 1]]),
    (lambda x: x.cumprod(0), [2, 0, 3], [1, 8, 0], [4, 6, 2]),
    (lambda x: x.logsumexp(0), [-INF, 1], [0, 1], [0, 0]),
    (lambda x: x.logsumexp(0), [-INF, -INF], [0, 0], [0, 0]),
])
def test_gradients_where_formulas_divide_by_zero(f, values, first, second):
    if second is None:
        assert grad_of(f, values) == first
    else:
        assert grad_of(f, values, True) == (first, second)


@pytest.mark.parametrize(("f", "name"), [
    (lambda x: x.sum(), "SumBackward0"), (lambda x: x.sum(0), "SumBackward1"), (lambda x: x.mean(), "MeanBackward0"),
    (lambda x: x.mean(0), "MeanBackward1"), (lambda x: x.prod(), "ProdBackward0"), (lambda x: x.prod(0), "ProdBackward1"),
    (lambda x: x.max(), "MaxBackward1"), (lambda x: x.max(0)[0], "MaxBackward0"), (lambda x: x.amax(), "AmaxBackward0"),
    (lambda x: x.var(), "VarBackward0"), (lambda x: x.std(), "StdBackward0"), (lambda x: x.norm(), "LinalgVectorNormBackward0"),
    (lambda x: x.logsumexp(0), "LogsumexpBackward0"), (lambda x: x.cumsum(0), "CumsumBackward0"),
    (lambda x: x.median(), "MedianBackward0"), (lambda x: taeda.aminmax(x).min, "AminmaxBackward0"),
])
def test_nodes_carry_pytorchs_names(f, name):
    assert f(taeda.ones(2, 2, requires_grad=True)).grad_fn.name() == name


# -- values at the edges ----------------------------------------------------------------------------------


def test_reductions_of_nothing():
    e = taeda.empty(0)
    assert e.sum().item() == 0
    assert e.prod().item() == 1
    assert math.isnan(e.mean())
    assert e.norm().item() == 0
    assert e.logsumexp(0).item() == -INF
    assert (e.any().item(), e.all().item()) == (False, True)
    assert taeda.empty(2, 0).sum(1).tolist() == [0, 0]
    assert taeda.empty(0, 3).max(1).values.shape == (0,)
    assert taeda.empty(2, 0, dtype=taeda.int64).prod(1).tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [taeda.int64, taeda.bool])
def test_softmax_of_no_integers_is_empty(dtype):
    for f in (taeda.softmax, taeda.log_softmax):
        y = f(taeda.ones(0, 3, dtype=dtype), 1)
        assert y.shape == (0, 3) and y.dtype is dtype
        with pytest.raises(NotImplementedError):
            f(taeda.ones(1, 3, dtype=dtype), 1)


def test_the_order_of_a_norm_is_no_complex_number():
    for f in (taeda.linalg.vector_norm, taeda.linalg.norm, taeda.norm):
        with pytest.raises(RuntimeError, match="Expected a non-complex scalar as the order of norm"):
            f(taeda.ones(3), 2j)


def test_logsumexp_at_infinity():
    assert taeda.tensor([INF, 1.0]).logsumexp(0).item() == INF
    assert taeda.tensor([INF, -INF]).logsumexp(0).item() == INF
    assert taeda.tensor([-INF, -INF]).logsumexp(0).item() == -INF
    assert taeda.tensor([-INF, 2.0]).logsumexp(0).item() == 2
    assert taeda.tensor([1000.0, 1000.0]).logsumexp(0).item() == pytest.approx(1000 + math.log(2))
    assert taeda.tensor([3, 3]).logsumexp(0).item() == pytest.approx(3 + math.log(2))


def test_result_dtypes():
    for dtype in (taeda.bool, taeda.uint8, taeda.int32, taeda.int64):
        x = taeda.ones(300, dtype=dtype)
        assert (x.sum().dtype, x.sum().item()) == (taeda.int64, 300)
        assert x.cumsum(0).dtype == taeda.int64
        assert x.prod().dtype == taeda.int64
        assert x.amax().dtype == dtype
        assert x.any().dtype == (taeda.uint8 if dtype == taeda.uint8 else taeda.bool)
    x = taeda.ones(3, dtype=taeda.int32)
    assert x.sum(dtype=taeda.float64).dtype == taeda.float64
    assert x.sum(dtype=taeda.int32).dtype == taeda.int32
    assert x.mean(dtype=taeda.float32).item() == 1
    assert taeda.tensor([1.7, 1.7]).sum(dtype=taeda.int64).item() == 2
    assert taeda.count_nonzero(taeda.full((3000,), 255, dtype=taeda.uint8)).item() == 3000


def test_degrees_of_freedom():
    x = taeda.tensor([1.0, 2.0, 4.0])
    assert x.var(unbiased=False).item() == pytest.approx(np.var([1, 2, 4]))
    assert taeda.var(x, False).item() == pytest.approx(np.var([1, 2, 4]))
    assert taeda.var(x, 0, True).item() == pytest.approx(np.var([1, 2, 4], ddof=1))
    with pytest.warns(UserWarning, match=r"^var\(\): degrees of freedom is <= 0"):
        assert math.isnan(taeda.ones(1).var())
    with pytest.warns(UserWarning, match="degrees of freedom"):
        assert taeda.tensor([1.0, 2.0]).var(correction=3).item() == INF
    with pytest.raises(TypeError, match=r"\[std\] got both unbiased and correction"):
        x.std(unbiased=True, correction=0)


# -- forms ------------------------------------------------------------------------------------------------


def test_numpys_spelling_of_dim_and_keepdim():
    x = taeda.ones(2, 3)
    assert x.sum(axis=0, keepdims=True).shape == (1, 3)
    assert x.max(axis=1).values.shape == (2,)
    assert taeda.mean(x, axis=(0, 1)).item() == 1
    with pytest.raises(TypeError, match=r"\[sum\] got dim=0 and axis=1"):
        x.sum(0, axis=1)


def test_named_results_print_unpack_pickle_and_copy():
    found = taeda.tensor([[1.0, 5.0], [7.0, 2.0]]).max(1)
    assert repr(found) == "taeda.return_types.max(\nvalues=tensor([5., 7.]),\nindices=tensor([1, 0]))"
    values, indices = found
    assert values is found.values
    assert found[1] is indices
    assert isinstance(found, tuple)
    for other in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert type(other) is type(found)
        assert other.indices.tolist() == [1, 0]


def test_out_receives_the_result():
    x = taeda.tensor([[1.0, 5.0], [7.0, 2.0]])
    values, indices = taeda.empty(2), taeda.empty(2, dtype=taeda.int64)
    taeda.max(x, 1, out=(values, indices))
    assert (values.tolist(), indices.tolist()) == ([5, 7], [1, 0])
    out = taeda.empty(2, dtype=taeda.int64)
    assert taeda.sum(x, 0, out=out) is out
    assert out.tolist() == [8, 7]
    with pytest.raises(RuntimeError, match=r"can't be cast to the desired output type"):
        taeda.mean(x, 0, out=taeda.empty(2, dtype=taeda.int64))
    for name in ("sum", "mean", "prod", "nansum", "nanmean", "cumsum", "cumprod"):
        with pytest.raises(RuntimeError, match=rf"\[{name}\] Expected out tensor to have dtype taeda.float64, but got taeda.float32"):
            getattr(taeda, name)(x, 0, dtype=taeda.float64, out=taeda.empty(0))


def test_in_place_scans_write_their_tensor_and_keep_history():
    x = taeda.ones(3, requires_grad=True)
    y = x * 2
    assert y.cumsum_(0) is y
    y.sum().backward()
    assert x.grad.tolist() == [6, 4, 2]
    z = taeda.ones(3, dtype=taeda.int32)
    assert z.cumsum_(0).tolist() == [1, 2, 3]
    assert z.dtype == taeda.int32


def test_wrong_arguments_leave_a_clear_message():
    x = taeda.ones(2, 3)
    for call, error, text in [
        (lambda: taeda.sum(3.0), TypeError, r"\[sum\] argument must be Tensor"),
        (lambda: x.sum(True), TypeError, r"\[sum\] argument 'dim' must be int.*True"),
        (lambda: x.max((0, 1)), TypeError, r"\[max\] argument 'dim' must be int.*amax"),
        (lambda: x.max(keepdim=True), TypeError, r"\[max\] argument 'dim' must be int, not NoneType"),
        (lambda: x.prod(keepdim=True), TypeError, r"\[prod\] argument 'dim' must be int, not NoneType"),
        (lambda: x.logsumexp(None), TypeError, r"\[logsumexp\] argument 'dim' must be int or a tuple"),
        (lambda: x.argmax((0, 1)), TypeError, r"\[argmax\] argument 'dim' must be int"),
        (lambda: (x > 0).argmax(), RuntimeError, r"\[argmax\] does not support bool"),
        (lambda: x.sum((0, 5)), IndexError, r"\[sum\] Dimension out of range .*\[-2, 1\], but got 5"),
        (lambda: x.mean((1, -1)), RuntimeError, r"\[mean\] dim -1 appears multiple times"),
        (lambda: taeda.norm(x, "max"), RuntimeError, r"\[norm\] Order max not supported"),
        (lambda: taeda.empty(0).max(), RuntimeError, r"\[max\] Expected reduction dim to be specified"),
        (lambda: taeda.aminmax(taeda.empty(0)), RuntimeError, r"\[aminmax\] cannot compute aminmax over an empty"),
        (lambda: taeda.equal(x.to("meta"), x), NotImplementedError, r"\[equal\] the answer depends on data"),
    ]:
        with pytest.raises(error, match=text):
            call()


def test_sixty_four_dimensions():
    x = taeda.ones((1,) * 63 + (2,))
    assert x.sum().item() == 2
    assert x.sum(63).shape == (1,) * 63
    assert x.sum(tuple(range(64)), keepdim=True).shape == (1,) * 64


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "int8", "bool", "bfloat16", "complex64"])
def test_equal_of_few_and_of_many(dtype: str) -> None:
    for n in (0, 1, 3, 64, 65, 5000):
        x = (taeda.arange(n) % 3).to(getattr(taeda, dtype))
        y = x.clone()
        assert taeda.equal(x, y)
        assert not taeda.equal(x, y.unsqueeze(0))
        if n:
            y[-1] = not y[-1]
            assert not taeda.equal(x, y)
            assert not taeda.equal(x[::2], x[::2].logical_not())
    zero = taeda.zeros(2)
    assert taeda.equal(zero, -zero)
    assert not taeda.equal(zero / 0, zero / 0)
    assert taeda.equal(taeda.ones(2, 3).t(), taeda.ones(3, 2))
    assert not taeda.equal(taeda.ones(2, 3), taeda.ones(3, 2))


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "float16", "complex128"])
@pytest.mark.parametrize("shape", [(1, 70, 90), (5000, 3), (2, 3000), (9, 1, 1000)])
def test_equal_of_what_lies_apart_finds_a_difference_anywhere(shape: tuple[int, ...], dtype: str) -> None:
    x = (taeda.arange(math.prod(shape)) % 2).reshape(shape).to(getattr(taeda, dtype))
    y = taeda.stack([x, x], -1)[..., 1]
    turned = x.transpose(0, -1).contiguous().transpose(0, -1)
    assert taeda.equal(x, y) and taeda.equal(y, x) and taeda.equal(x, turned) and taeda.equal(turned, y)
    for place in (0, 1, x.numel() // 2, x.numel() - 1):
        z = x.clone()
        z.view(-1)[place] = not z.view(-1)[place]
        assert not taeda.equal(z, y) and not taeda.equal(turned, z) and not taeda.equal(z, x)


def test_isclose_equal_and_nan():
    a = taeda.tensor([1.0, NAN, INF, -INF, 0.0])
    assert taeda.isclose(a, a).tolist() == [True, False, True, True, True]
    assert taeda.isclose(a, a, equal_nan=True).tolist() == [True] * 5
    assert not taeda.equal(a, a)
    assert taeda.allclose(a, a, equal_nan=True)
    assert taeda.isclose(taeda.tensor([2**62]), taeda.tensor([2**62 + 1]), rtol=0, atol=0).tolist() == [False]
    assert taeda.isclose(taeda.tensor([INF]), taeda.tensor([1.0]), atol=INF).tolist() == [False]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "int16"])
@pytest.mark.parametrize("step", [2, 3, -2])
def test_rows_whose_elements_lie_apart(dtype, step):
    """Gathered in patches from 64 elements on; a patch holds 2,048 of 4 bytes and 1,024 of 8."""
    rng = np.random.default_rng(0)
    for shape in ((3, 126), (3, 128), (3, 130), (2, 4094), (2, 4098), (2, 8192), (1, 16386), (5, 24600)):
        x = (np.abs(rng.standard_normal(shape) * 50) if dtype == "uint8" else rng.standard_normal(shape) * 50).astype(dtype)
        view, want = taeda.from_numpy(x.copy()), x
        view, want = (view.flip(1)[:, ::2], want[:, ::-1][:, ::2]) if step < 0 else (view[:, ::step], want[:, ::step])
        if step > 0 and dtype == "float32":
            assert not view.is_contiguous()
        for dim in (1, (0, 1)):
            exact = want.astype(np.float64 if dtype.startswith("f") else np.int64)
            np.testing.assert_allclose(view.sum(dim).numpy(), exact.sum(dim), rtol=1e-5, atol=1e-3)
            np.testing.assert_array_equal(view.amax(dim).numpy(), want.max(dim))
            np.testing.assert_array_equal(view.amin(dim).numpy(), want.min(dim))
        np.testing.assert_array_equal(view.argmax(1).numpy(), want.argmax(1))


def test_a_permuted_tensor_is_reduced_as_it_lies() -> None:
    x = taeda.tensor(np.random.default_rng(3).normal(size=(30, 41, 52)), dtype=taeda.float32)
    for order in itertools.permutations(range(3)):
        for f in (taeda.sum, taeda.nansum, taeda.prod, taeda.amax, taeda.amin, taeda.mean, taeda.norm):
            assert taeda.equal(f(x.permute(order)), f(x)), (f, order)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64"])
def test_repeated_elements_are_reduced_as_copies_are(dtype: str) -> None:
    x = taeda.arange(600).remainder(7).to(getattr(taeda, dtype)).expand(70, 3, 600)
    for f in (
        taeda.sum, taeda.amax, taeda.argmax, lambda v: v.sum(0), lambda v: v.sum((0, 2)), lambda v: v.argmax(1),
        lambda v: v.transpose(0, 2).sum(1), lambda v: v.amin(2),
    ):  # fmt: skip
        assert taeda.equal(f(x), f(x.contiguous()))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16"])
@pytest.mark.parametrize("shape", [(3001,), (9, 700), (700, 9), (90, 17, 130)])
def test_short_integers_are_added_in_lanes_that_hold_them(dtype: str, shape: tuple[int, ...]) -> None:
    ends = np.iinfo(dtype)
    for x in (np.full(shape, ends.min, dtype), np.full(shape, ends.max, dtype),
              np.random.default_rng(0).integers(ends.min, ends.max + 1, shape, dtype)):  # fmt: skip
        t = taeda.from_numpy(x)
        for n, view in ((x, t), (x.T, t.permute(*range(len(shape))[::-1])), (x[..., ::2], t[..., ::2])):
            for dim in (None, 0, len(shape) - 1):
                args = () if dim is None else (dim,)
                np.testing.assert_array_equal(view.sum(*args).numpy(), n.sum(dim, dtype=np.int64))
                np.testing.assert_array_equal(view.amax(*args).numpy(), n.max(dim))
                np.testing.assert_array_equal(view.amin(*args).numpy(), n.min(dim))
                both = taeda.aminmax(view, dim=dim)
                assert taeda.equal(both.min, view.amin(*args)) and taeda.equal(both.max, view.amax(*args))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int32", "complex64", "complex128"])
def test_columns_that_lie_apart_are_reduced_as_their_copy(dtype):
    x = (taeda.arange(90 * 80) % 13 - 5).to(getattr(taeda, dtype)).reshape(90, 80)
    for part in (x[:, ::2], x[:, ::3], x[::2, 1::2], x[:, :6:2], x.t()[:, ::2]):
        for name in ("sum", "prod") if x.is_complex() else ("sum", "amax", "argmin"):
            for dim in (0, 1):
                got, wanted = getattr(part, name)(dim), getattr(part.contiguous(), name)(dim)
                assert taeda.allclose(got, wanted, rtol=1e-5) if name == "prod" else taeda.equal(got, wanted)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "int64", "float64", "complex128"])
def test_short_rows_of_every_length(dtype: str) -> None:
    for n in range(1, 19):
        for m in (1, 3, 64, 130):
            a = (np.arange(m * (n + 1)) * 37 % 101 % 7 + 1).astype(dtype).reshape(m, n + 1)
            for rows, part in ((taeda.from_numpy(a), a), (taeda.from_numpy(a)[:, 1:], a[:, 1:])):
                assert rows.sum(1).tolist() == part.sum(1).tolist()
                if dtype != "complex128":
                    assert rows.amax(1).tolist() == part.max(1).tolist() and rows.argmax(1).tolist() == part.argmax(1).tolist()
                    assert rows.max(1)[1].tolist() == part.argmax(1).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_the_norm_of_single_elements_is_their_size(dtype: str) -> None:
    x = taeda.tensor([[-3.0, 0.0, NAN, -INF, 1e-4]], dtype=getattr(taeda, dtype)).t()
    for p in (2, 1, 3, 0.5, -1, INF, -INF):
        assert taeda.equal(x.norm(p, 1).nan_to_num(7), x.abs()[:, 0].nan_to_num(7))
        assert x.norm(p, 1).stride() == (1,) and x.norm(p, 1, keepdim=True).shape == (5, 1)
    assert x.norm(0, 1).tolist() == [1, 0, 1, 1, 1]
    assert grad_of(lambda v: v.norm(dim=1), [[-3.0], [0.0]]) == [[-1], [0]]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("shape, dim", [((7, 3), 1), ((50, 40), 1), ((50, 40), 0), ((33, 17), 0), ((5, 15), 1), ((16, 16), 1), ((40, 3, 64), 1)])
def test_products_of_complex_numbers(dtype: str, shape: tuple[int, ...], dim: int) -> None:
    rng = np.random.default_rng(0)
    x = (np.exp(1j * rng.uniform(0, 6, shape)) * rng.uniform(0.9, 1.1, shape)).astype(dtype)
    wanted = x.astype("complex128").prod(dim)
    error = np.abs(taeda.tensor(x).prod(dim).numpy() - wanted) / np.abs(wanted)
    assert error.max() < (1e-7 if dtype == "complex64" else 1e-13)


def test_a_product_whose_parts_vanish_in_float32() -> None:
    x = taeda.tensor([0.1, 10.0]).repeat_interleave(16).repeat(64)
    assert abs(float(x.prod()) - 1) < 1e-4


def test_a_product_that_vanishes_keeps_its_sign() -> None:
    x = taeda.rand(5000)
    assert math.copysign(1, float(x.prod())) == 1 and float(x.prod()) == 0
    x[1234] = -0.5
    assert math.copysign(1, float(x.prod())) == -1 and float(x.prod()) == 0
    x[17] = NAN
    assert math.isnan(float(x.prod()))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64", "int16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "amax", "amin", "any", "all"])
def test_one_element_a_result(name, dtype):
    x = taeda.tensor([[0.0, -2.0, 3.0], [1.0, 0.0, -0.0]]).to(getattr(taeda, dtype if dtype != "uint8" else "int16")).to(getattr(taeda, dtype))
    if (name == "mean" and not (x.is_floating_point() or x.is_complex())) or (name in ("amax", "amin") and x.is_complex()):
        return
    for lone, dims in ((x[:, None], 1), (x.T[None, :, None], 2 if name == "prod" else (0, 2)), (x[:, None, ::2], -2)):
        kept = getattr(lone, name)(dims, keepdim=True)
        flat = getattr(lone, name)(dims)
        want = lone != 0 if name in ("any", "all") else lone
        assert kept.shape == lone.shape and kept.is_contiguous() and taeda.equal(kept.to(x.dtype), want.to(x.dtype))
        assert taeda.equal(flat, kept.reshape(flat.shape)) and flat.dtype == getattr(x, name)(0).dtype
        assert flat.storage().data_ptr() != x.storage().data_ptr()
    if x.is_floating_point():
        for name in ("sum", "mean"):
            assert not taeda.signbit(getattr(taeda.tensor([[-0.0]] * 3, dtype=x.dtype), name)(1)).any()
            assert getattr(taeda.tensor([[float("nan")], [1.5]], dtype=x.dtype), name)(1).nan_to_num(7).tolist() == [7, 1.5]
        assert not taeda.signbit(taeda.tensor([[-0.0]], dtype=x.dtype).sum(1)) and taeda.tensor([[float("nan")]], dtype=x.dtype).any(1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "int16", "uint8", "bool"])
@pytest.mark.parametrize("rows", [1, 5, 17, 20, 63, 70])
def test_columns_that_lie_apart(dtype: str, rows: int) -> None:
    x = (np.random.default_rng(rows).integers(0, 90, (rows, 3000)) % (2 if dtype == "bool" else 90)).astype(dtype)
    for step in (1, 2, 3):
        t, part = taeda.from_numpy(x)[:, ::step], x[:, ::step]
        for name in ("sum", "amax", "amin", "any", "all", "count_nonzero", *["argmax"] * (dtype != "bool")):
            wanted = getattr(np, name)(part, 0)
            np.testing.assert_array_equal(assert_same_for_any_threads(lambda t=t, name=name: getattr(t, name)(0)).numpy(), wanted)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16, taeda.float16, taeda.int64, taeda.complex64])
def test_sums_of_repeated_elements_are_products(dtype: taeda.dtype) -> None:
    """Dimensions of stride 0 are counted, not walked; those beside them are summed as ever."""
    base = (taeda.rand(3, 1, 50) * 8).round().to(dtype) / (1 if dtype == taeda.int64 else 4)
    base = base.to(dtype)
    base[0, 0, 0], base[1, 0, 1] = 0, -0.0
    seen = base.expand(3, 40, 50)
    for dims in (1, (0, 1), (1, 2), (0, 1, 2), None, 0, 2):
        for keep in (False, True):
            found = seen.sum(dims, keep)
            whole = seen.contiguous().sum(dims, keep)
            assert found.dtype == whole.dtype and found.shape == whole.shape and not found._is_view()
            taeda.testing.assert_close(found, whole, rtol=1e-2 if base.itemsize == 2 else 1e-6, atol=0)
    assert taeda.equal(seen.sum(1), base[:, 0] * 40)
    assert taeda.equal(base, seen[:, :1])
    if dtype.is_floating_point:
        assert not taeda.signbit(taeda.full((), -0.0, dtype=dtype).expand(5000).sum())      # as any sum of zeros
        assert taeda.full((), float("inf"), dtype=dtype).expand(5000).sum() == float("inf")
        assert taeda.full((), float("nan"), dtype=dtype).expand(100, 50).sum(0).isnan().all()


def test_gradients_that_repeat() -> None:
    """The gradient of a row that was added to a matrix is a count, exactly, and has derivatives of its own."""
    row, column = taeda.rand(100, requires_grad=True), taeda.rand(70, 1, requires_grad=True)
    (row + column).sum().backward()
    assert (row.grad == 70).all() and (column.grad == 100).all() and column.grad.shape == (70, 1)
    s = taeda.rand((), requires_grad=True)
    y = s.expand(100, 80).sum(0)
    g, = taeda.autograd.grad(y.square().sum(), s, create_graph=True)
    taeda.testing.assert_close(g, 2 * 80 * 100.0**2 * s)
    taeda.testing.assert_close(taeda.autograd.grad(g, s)[0], taeda.tensor(2 * 80 * 100.0**2))


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16, taeda.float32], ids=str)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7])
def test_means_of_few_rows_are_rounded_once(rows: int, dtype: taeda.dtype) -> None:
    x = taeda.tensor(np.random.default_rng(rows).integers(-99, 99, (rows, 333)) / 8).to(dtype)
    for y in (x.mean(0), x.t().contiguous().mean(1)):
        assert taeda.equal(y, (x.double().sum(0) / rows).float().to(dtype))


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.bool], ids=str)
@pytest.mark.parametrize("shape", [(1, 5), (3, 1000), (130, 77), (2, 3, 70)])
def test_any_and_all_of_bytes_along_each_dimension(shape: tuple[int, ...], dtype: taeda.dtype) -> None:
    for limit in (1, 50, 99):
        values = np.random.default_rng(limit).integers(0, 100, shape)
        values = np.where(values < limit, values, 0)
        x = taeda.tensor(values).to(dtype)
        for d in range(len(shape)):
            for t in (x, x.transpose(0, -1).contiguous().transpose(0, -1)):
                np.testing.assert_array_equal(t.any(d).numpy().astype(bool), (values != 0).any(d))
                np.testing.assert_array_equal((t == 0).all(d).numpy(), (values == 0).all(d))
                np.testing.assert_array_equal(t.all(d).numpy().astype(bool), (values != 0).all(d))


def test_logsumexp_of_complex_numbers_over_no_dimension_is_over_all() -> None:
    x = taeda.tensor([[0.5 + 1j, -2.0], [1.5, 3j]])
    y = taeda.logsumexp(x, ())
    assert y.shape == () and abs(y.item() - x.exp().sum().log().item()) < 1e-6
    assert taeda.logsumexp(x, (), keepdim=True).shape == (1, 1)

"""Complex tensors: parts, conjugates, phases, arithmetic beside NumPy, gradients by finite differences, views and their writes."""

from __future__ import annotations

import cmath
import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import taeda

NAN = float("nan")
RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))
B = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))


def tensor(a: np.ndarray) -> taeda.Tensor:
    return taeda.from_numpy(a.copy())


def test_parts_are_views_of_the_memory() -> None:
    z = tensor(A)
    assert z.real.stride() == (8, 2) and z.imag.storage_offset() == 1
    np.testing.assert_array_equal(z.real.numpy(), A.real)
    np.testing.assert_array_equal(z.imag.numpy(), A.imag)
    z.imag.zero_()
    np.testing.assert_array_equal(z.numpy(), A.real.astype(complex))
    z.real = taeda.ones(3, 4, dtype=taeda.float64)
    assert z.sum().item() == 12
    pairs = taeda.view_as_real(z)
    assert pairs.shape == (3, 4, 2) and pairs.data_ptr() == z.data_ptr()
    assert taeda.view_as_complex(pairs).equal(z)


def test_made_from_parts_and_in_polar_form() -> None:
    z = taeda.complex(taeda.tensor([1.0, 2.0]), taeda.tensor([[0.0], [3.0]]))
    assert z.dtype is taeda.complex64 and z.tolist() == [[1, 2], [1 + 3j, 2 + 3j]]
    r, phi = tensor(np.abs(A)), tensor(np.angle(A))
    np.testing.assert_allclose(taeda.polar(r, phi).numpy(), A, rtol=1e-14)
    with pytest.raises(RuntimeError, match=r"\[complex\] Expected object of scalar type float32 but got scalar type float64"):
        taeda.complex(taeda.ones(2), taeda.ones(2, dtype=taeda.float64))
    with pytest.raises(RuntimeError, match=r"\[view_as_complex\] Tensor must have a last dimension of size 2"):
        taeda.view_as_complex(taeda.ones(3))
    with pytest.raises(RuntimeError, match=r"\[imag\] imag is not implemented for tensors with non-complex dtypes"):
        _ = taeda.ones(2).imag


def test_conjugate_phase_and_sign() -> None:
    z = tensor(A)
    np.testing.assert_array_equal(z.conj().numpy(), A.conj())
    np.testing.assert_array_equal(z.mH.numpy(), A.conj().T)
    np.testing.assert_allclose(z.angle().numpy(), np.angle(A), rtol=1e-14)
    np.testing.assert_allclose(z.abs().numpy(), np.abs(A), rtol=1e-14)
    np.testing.assert_allclose(z.sgn().numpy(), A / np.abs(A), rtol=1e-14)
    assert taeda.sgn(taeda.tensor([0j, -2.0])).tolist() == [0, -1]
    assert taeda.angle(taeda.tensor([-1.0, 2.0, float("inf")])).tolist() == pytest.approx([cmath.pi, 0, 0])
    assert not z.is_conj() and z.resolve_conj() is z


FUNCTIONS = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "exp2": np.exp2, "expm1": np.expm1, "log1p": np.log1p, "log2": np.log2, "log10": np.log10,
    "reciprocal": np.reciprocal, "square": np.square, "neg": np.negative, "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_beside_numpy(name: str) -> None:
    np.testing.assert_allclose(getattr(tensor(A), name)().numpy(), FUNCTIONS[name](A), rtol=1e-12, atol=1e-14)
    single = getattr(tensor(A.astype(np.complex64)), name)()
    assert single.dtype is taeda.complex64
    np.testing.assert_allclose(single.numpy(), FUNCTIONS[name](A.astype(np.complex64).astype(complex)), rtol=5e-6, atol=1e-6)


def test_division_neither_overflows_nor_vanishes_early() -> None:
    big = taeda.tensor([1e300 + 1e300j], dtype=taeda.complex128)
    assert (big / big).tolist() == [1]
    assert (1 / big).item() == pytest.approx(complex(5e-301, -5e-301))


def difference(f: Callable[..., Any], args: list[np.ndarray], i: int, weight: np.ndarray, h: float = 1e-6) -> np.ndarray:
    """dL/dRe + i dL/dIm of L = Re sum conj(weight) f, by central differences."""

    def loss(shifted: np.ndarray) -> float:
        y = f(*[tensor(shifted if k == i else a) for k, a in enumerate(args)]).numpy()
        return float(np.real(np.sum(np.conj(weight) * y)))

    g = np.zeros(args[i].shape, complex)
    for at in np.ndindex(args[i].shape):
        for step in (h, 1j * h):
            up, down = args[i].copy(), args[i].copy()
            up[at] += step
            down[at] -= step
            g[at] += (loss(up) - loss(down)) / (2 * h) * (1 if step == h else 1j)
    return g


GRADIENTS: dict[str, Callable[..., Any]] = {
    **{name: (lambda z, name=name: getattr(z, name)()) for name in FUNCTIONS},
    "mul": lambda a, b: a * b, "div": lambda a, b: a / b, "pow": lambda a, b: a**b, "pow_number": lambda a: a ** (1.5 + 0.5j),
    "matmul": lambda a, b: a @ b.T, "vdot": lambda a, b: taeda.vdot(a[0], b[0]), "addmm": lambda a, b: taeda.addmm(a @ b.T, a, b.T, alpha=2j),
    "abs": lambda a: a.abs(), "angle": lambda a: a.angle(), "sgn": lambda a: a.sgn(), "conj": lambda a: a.conj(), "real": lambda a: a.real * a.imag,
    "prod": lambda a: a.prod(1), "cumprod": lambda a: a.cumprod(1), "var": lambda a: a.var(1), "norm": lambda a: a.norm(), "mean": lambda a: a.mean(0),
    "index": lambda a: a[[0, 0, 2]], "cat": lambda a, b: taeda.cat([a, b]), "where": lambda a, b: taeda.where(a.real > 0, a, b),
    "logsumexp": lambda a: a.logsumexp(1), "pad": lambda a: taeda.constant_pad_nd(a, (1, 1), 2j), "lerp": lambda a, b: taeda.lerp(a, b, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    f = GRADIENTS[name]
    args = [A, B][: f.__code__.co_argcount - len(f.__defaults__ or ())]
    leaves = [tensor(a).requires_grad_() for a in args]
    y = f(*leaves)
    weight = RNG.normal(size=tuple(y.shape)) + (1j * RNG.normal(size=tuple(y.shape)) if y.is_complex() else 0)
    y.backward(taeda.from_numpy(np.asarray(weight)).to(y.dtype))
    for i, leaf in enumerate(leaves):
        np.testing.assert_allclose(leaf.grad.numpy(), difference(f, args, i, weight), rtol=2e-5, atol=2e-6, err_msg=f"{name}, input {i}")


def test_a_real_input_gets_a_real_gradient() -> None:
    x = taeda.tensor([1.0, -2.0], requires_grad=True)
    (x * (2 + 3j)).abs().sum().backward()
    assert x.grad.dtype is taeda.float32
    assert x.grad.tolist() == pytest.approx([abs(2 + 3j), -abs(2 + 3j)])


def test_writes_through_a_part_are_history_of_the_whole() -> None:
    z = taeda.tensor([1 + 2j, 3 + 4j], requires_grad=True)
    w = z * 1
    w.real.mul_(10)
    (w.real.sum() + w.imag.sum()).backward()
    assert z.grad.tolist() == [10 + 1j, 10 + 1j]


def test_what_has_no_order_is_refused() -> None:
    z = taeda.tensor([1j])
    for call in (lambda: z < z, lambda: z.max(), lambda: z.sort(), lambda: z.floor(), lambda: z % z, lambda: z.clamp(0, 1)):
        with pytest.raises(RuntimeError, match=r"^\["):
            call()
    with pytest.raises(RuntimeError, match="imaginary"):
        float(z)
    with pytest.raises(RuntimeError, match=r"grad can be implicitly created only for real scalar outputs"):
        taeda.tensor(1j, requires_grad=True).exp().backward()


def test_numbers_that_are_replaced_reduced_and_scaled_part_by_part() -> None:
    inf, nan = float("inf"), float("nan")
    x = taeda.tensor([complex(nan, 1), complex(inf, nan), complex(-inf, 2)])
    assert x.nan_to_num(7.0, 5.0, -5.0).tolist() == [7 + 1j, 5 + 7j, -5 + 2j]
    assert x.nan_to_num_(posinf=5.0, neginf=-5.0) is x and x.tolist() == [1j, 5 + 0j, -5 + 2j]
    z, w = taeda.tensor([3 + 4j, 1j]), taeda.tensor([0j, 0j])
    assert taeda.ops.l1_loss(z, w).item() == 3 and taeda.ops.l1_loss(z, w, "none").tolist() == [5, 1]
    assert taeda.ldexp(z, taeda.tensor([1, 3])).tolist() == [6 + 8j, 8j] and taeda.ldexp(z, taeda.tensor([True, False])).tolist() == [6 + 8j, 1j]
    assert z[:0].cumprod(0).shape == (0,) and z[0].cumprod(0).item() == 3 + 4j


def test_factors_are_multiplied_in_where_an_index_says() -> None:
    z, i = taeda.tensor([1 + 1j, 2 + 0j, 5 + 0j]), taeda.tensor([0, 0, 1])
    src = taeda.tensor([1j, 2 + 0j, 1 - 1j])
    assert z.scatter(0, i, src, reduce="multiply").tolist() == [-2 + 2j, 2 - 2j, 5 + 0j]
    assert z.scatter(0, i, 2j, reduce="multiply").tolist() == [-4 - 4j, 4j, 5 + 0j]
    assert z.scatter_reduce(0, i, src, "mean", include_self=False).tolist() == [1 + 0.5j, 1 - 1j, 5 + 0j]
    assert z.index_reduce(0, i, src, "prod").tolist() == [-2 + 2j, 2 - 2j, 5 + 0j]
    with pytest.raises(NotImplementedError, match="it has no order"):
        z.scatter_reduce(0, i, src, "amax", include_self=False)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_angle_of_real_numbers_is_zero_or_pi_and_has_no_slope(dtype: str) -> None:
    x = taeda.tensor([1.0, -2.0, 0.0, -0.0, float("nan"), float("-inf"), float("inf")], dtype=getattr(taeda, dtype), requires_grad=True)
    y = taeda.angle(x)
    pi = taeda.tensor(cmath.pi, dtype=x.dtype).item()
    np.testing.assert_array_equal(y.detach().double().numpy(), [0, pi, 0, 0, np.nan, pi, 0])
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 7
    assert taeda.angle(taeda.tensor([3, -2])).dtype == taeda.float32


@pytest.mark.parametrize(("name", "along_real"), [("asin", True), ("acos", True), ("acosh", True), ("asinh", False)])
def test_derivative_on_a_branch_cut_is_that_of_the_side_of_the_value(name: str, along_real: bool) -> None:
    def slope(z: complex) -> complex:
        x = taeda.tensor([z], dtype=taeda.complex128, requires_grad=True)
        y = getattr(taeda, name)(x)
        return complex(taeda.autograd.grad(y, x, taeda.ones_like(y))[0].item())

    for far, zero in itertools.product((-3.0, -1.5, 1.5, 3.0), (0.0, -0.0)):
        beside = math.copysign(1e-12, zero)
        on, near = (complex(far, zero), complex(far, beside)) if along_real else (complex(zero, far), complex(beside, far))
        assert abs(slope(on) - slope(near)) < 1e-9, (name, on)


@pytest.mark.parametrize("dtype", [taeda.complex64, taeda.complex128])
def test_a_number_times_its_conjugate_is_real(dtype: Any) -> None:
    z = taeda.randn(103, dtype=dtype)
    assert (z * z.conj()).imag.eq(0).all()


def test_copies_of_the_views_between_complex_and_real_have_memory_of_their_own() -> None:
    z = taeda.tensor([1 + 2j, 3 - 1j])
    pairs = taeda.view_as_real_copy(z)
    back = taeda.view_as_complex_copy(pairs)
    pairs.zero_()
    assert z.tolist() == back.tolist() == [1 + 2j, 3 - 1j]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_sums_of_complex_numbers_in_every_layout(dtype):
    rng = np.random.default_rng(2)
    x = (rng.integers(-9, 9, (30, 41, 12)) + 1j * rng.integers(-9, 9, (30, 41, 12))).astype(dtype)
    a = taeda.from_numpy(x)
    for p, y in ((a, x), (a.transpose(0, 2), x.transpose(2, 1, 0)), (a[::2, 1:, ::3], x[::2, 1:, ::3]), (a[:1].expand(5, 41, 12), x[:1].repeat(5, 0))):
        for dim in (0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2)):
            for keep in (False, True):
                assert np.array_equal(p.sum(dim, keep).numpy(), y.sum(dim, keepdims=keep))
                assert np.allclose(p.mean(dim, keep).numpy(), y.mean(dim, keepdims=keep), rtol=1e-6, atol=1e-6)
        assert np.array_equal(p.sum().numpy(), y.sum())
        assert np.array_equal((p**2).numpy(), y * y)
    assert a.new_ones(3, 0).sum(0).shape == (0,) and a.new_ones(3, 0).sum(1).tolist() == [0, 0, 0] and a.new_ones(0).sum().item() == 0


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(7,), (1, 1), (9, 40), (40, 9), (3, 700), (700, 3), (4, 1100, 2), (5, 6, 7)])
def test_sums_and_products_of_complex_numbers_along_every_dimension(dtype: Any, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = np.exp(1j * rng.uniform(0, 6.28, shape)).astype(dtype)              # of size 1, so that products stay within reach
    within = {"rtol": 0, "atol": 1e-4 if dtype == np.complex64 else 1e-12}
    for name in ("sum", "mean", "prod", "cumsum", "cumprod"):
        for dim in range(len(shape)):
            for order in (np.ascontiguousarray, np.asfortranarray):
                y = getattr(taeda.from_numpy(order(x)), name)(dim)
                assert y.dtype == taeda.from_numpy(x).dtype
                np.testing.assert_allclose(y.numpy(), getattr(np, name)(x.astype(np.complex128), axis=dim), **within)
        if not name.startswith("cum"):
            np.testing.assert_allclose(getattr(taeda.from_numpy(x), name)().numpy(), getattr(np, name)(x.astype(np.complex128)), **within)
            np.testing.assert_allclose(getattr(taeda.from_numpy(x)[..., ::2], name)(0).numpy(),
                                       getattr(np, name)(x[..., ::2].astype(np.complex128), axis=0), **within)


@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_products_of_complex_numbers_have_the_derivatives_of_finite_differences(name: str) -> None:
    x = taeda.tensor([[1 + 2j, 0.5 - 1j, -1 + 0.1j], [0.3j, 0j, 2 - 1j]], dtype=taeda.complex128, requires_grad=True)
    assert taeda.autograd.gradcheck(lambda t: getattr(t, name)(1), (x,))


@pytest.mark.parametrize("source", ["int8", "uint8", "bool", "int32", "int64", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("target", ["complex64", "complex128"])
def test_real_numbers_become_complex_ones_wherever_they_lie(source: str, target: str) -> None:
    x = (taeda.arange(1300) % 100).to(getattr(taeda, source))
    for part in (x, x[::3], x.reshape(26, 50).t()):
        y = part.to(getattr(taeda, target))
        assert (y.real == part.to(y.real.dtype)).all() and not y.imag.any()


@pytest.mark.parametrize("source", ["complex64", "complex128"])
@pytest.mark.filterwarnings("ignore:Casting complex")
def test_complex_numbers_become_their_real_parts_and_bools_say_whether_any_part_is_there(source: str) -> None:
    x = taeda.complex((taeda.arange(1300) % 5).double(), (taeda.arange(1300) % 3).double()).to(getattr(taeda, source))
    for part in (x, x[::3], x.reshape(26, 50).t()):
        for target in (taeda.float32, taeda.float64, taeda.bfloat16, taeda.int64, taeda.int8, taeda.uint8):
            assert taeda.equal(part.to(target), part.real.contiguous().to(target))
        assert taeda.equal(part.bool(), (part.real != 0) | (part.imag != 0))
    assert taeda.complex(taeda.tensor([0.0, 0.0, NAN]), taeda.tensor([0.0, NAN, 0.0])).bool().tolist() == [False, True, True]


@pytest.mark.parametrize("exponent", [-1, 0.5, 2, 3])
def test_simple_powers_are_those_of_the_general_formula(exponent: float) -> None:
    z = tensor(A).requires_grad_()
    y = z**exponent
    np.testing.assert_allclose(y.detach().numpy(), A**exponent, rtol=1e-12)
    (g,) = taeda.autograd.grad(y, z, taeda.ones(3, 4, dtype=taeda.complex128))
    np.testing.assert_allclose(g.numpy(), (exponent * A ** (exponent - 1)).conj(), rtol=1e-12)


def test_casting_to_real_is_warned_of_and_gradients_are_not_cast() -> None:
    z, r = taeda.tensor([1 + 2j, 3 - 1j]), taeda.zeros(2)
    taeda.set_warn_always(True)
    try:
        for cast in (z.float, z.int, z.half, lambda: z.to(taeda.float64), lambda: r.copy_(z), lambda: r.__setitem__(0, z[0])):
            with pytest.warns(UserWarning, match="discards the imaginary part"):
                cast()
        assert r.tolist() == [1.0, 3.0]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert z.real.tolist() == [1.0, 3.0] and z.bool().all() and z[:0].float().numel() == 0
            x = taeda.tensor([3.0, 4.0], requires_grad=True)
            (x * z).abs().sum().backward()
            taeda.fft.rfft(x).abs().sum().backward()
    finally:
        taeda.set_warn_always(False)
    assert taeda.allclose(x.grad, z.abs() + taeda.tensor([0.0, 2.0]))


@pytest.mark.parametrize("dtype", [taeda.complex64, taeda.complex128], ids=str)
def test_products_are_those_of_the_parts_each_rounded_in_every_layout(dtype: taeda.dtype) -> None:
    def drawn(*shape: int) -> taeda.Tensor:
        n = math.prod(shape)
        return taeda.complex((taeda.arange(n) * 37 % 1009).double() / 7 - 70, (taeda.arange(n) * 53 % 997).double() / 11 - 40).reshape(shape).to(dtype)

    def product(a: taeda.Tensor, b: taeda.Tensor) -> taeda.Tensor:
        return taeda.complex(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)

    x, y = drawn(37, 45), drawn(45, 37).t()
    for a, b in ((x, y), (x, x[:1]), (x[:, :1], x), (x, x[3, 3]), (x[2, 1], y), (x[:, ::3], y[:, 1:16]), (x[:, :3], y[:, :3]), (x[0, 0], x[0, 1]), (x, x.conj())):
        assert taeda.equal(a * b, product(a, b)), (a.shape, b.shape)
        assert taeda.equal(a.square(), product(a, a)) and taeda.equal(b.square(), product(b, b))
    wanted = product(x, x)
    assert x.square_() is x and taeda.equal(x, wanted)
    assert taeda.equal(x.clone().mul_(x[:1]), product(x, x[:1])) and taeda.equal(x * (2 - 3j), product(x, taeda.tensor(2 - 3j, dtype=dtype)))

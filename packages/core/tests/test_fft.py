"""Fourier transforms of complex tensors, stft and istft, windows: what the rows, whose values are real, do not show."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import taeda
import taeda.signal

NAMES = ["fft", "ifft", "irfft", "hfft"]
MANY = ["fftn", "ifftn", "irfftn", "fft2", "ifft2", "irfft2"]


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    """Draw a complex array."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


@pytest.mark.parametrize("norm", ["backward", "forward", "ortho"])
@pytest.mark.parametrize("name", NAMES)
def test_transforms_of_complex_tensors(name: str, norm: str) -> None:
    z = draw(3, 5)
    for n in (None, 4, 9):
        found = getattr(taeda.fft, name)(taeda.from_numpy(z), n, 0, norm).numpy()
        np.testing.assert_allclose(found, getattr(np.fft, name)(z, n, 0, norm), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", MANY)
def test_transforms_of_complex_tensors_over_several_dimensions(name: str) -> None:
    z = draw(2, 3, 4)
    found = getattr(taeda.fft, name)(taeda.from_numpy(z), (3, 5), (2, 0)).numpy()
    np.testing.assert_allclose(found, getattr(np.fft, name.replace("2", "n"))(z, (3, 5), (2, 0)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [*NAMES, *MANY])
def test_derivatives_of_complex_tensors(name: str) -> None:
    z = taeda.from_numpy(draw(3, 4)).requires_grad_()
    for norm in ("backward", "ortho"):
        assert taeda.autograd.gradcheck(lambda z, norm=norm: getattr(taeda.fft, name)(z, norm=norm), (z,))
    assert taeda.autograd.gradgradcheck(lambda z: (lambda y: y * y)(getattr(taeda.fft, name)(z)), (z,))


@pytest.mark.parametrize("name", ["rfft", "ihfft", "rfftn", "rfft2", "fft", "ifftn"])
def test_derivatives_through_products_of_spectra(name: str) -> None:
    x = taeda.from_numpy(draw(3, 5).real.copy()).requires_grad_()
    assert taeda.autograd.gradgradcheck(lambda x: (lambda y: y * y)(getattr(taeda.fft, name)(x)), (x,))


def test_precision_is_the_inputs() -> None:
    x = taeda.ones(4)
    assert taeda.fft.fft(x).dtype is taeda.complex64 and taeda.fft.irfft(x).dtype is taeda.float32
    assert taeda.fft.fft(x.double()).dtype is taeda.complex128 and taeda.fft.rfft(taeda.arange(3)).dtype is taeda.complex64
    for dtype in (taeda.float16, taeda.bfloat16, taeda.float8_e4m3fn, taeda.float8_e5m2, taeda.complex32):
        for f in (taeda.fft.fft, taeda.fft.ifft2, taeda.fft.irfft, *([] if dtype.is_complex else [taeda.fft.rfft])):
            with pytest.raises(RuntimeError, match=rf"^\[{f.__name__.removeprefix('fft_')}\] Unsupported dtype"):
                f(x.to(dtype).expand(2, 4))


def test_a_convolution_by_transforms_is_a_convolution() -> None:
    x, w = taeda.arange(5.0).double(), taeda.tensor([1.0, -2.0, 0.5]).double()
    product = taeda.fft.irfft(taeda.fft.rfft(x, 7) * taeda.fft.rfft(w, 7), 7)
    np.testing.assert_allclose(product.numpy(), np.convolve(x.numpy(), w.numpy()), atol=1e-12)


def test_real_transforms_refuse_complex_tensors() -> None:
    z = taeda.ones(3, dtype=taeda.complex64)
    for name in ("rfft", "ihfft", "rfftn", "ihfftn", "rfft2"):
        with pytest.raises(RuntimeError, match=rf"\[{name}\] {name} expects a real input tensor, but got complex64"):
            getattr(taeda.fft, name)(z.expand(2, 3))


def test_out_must_be_able_to_hold_the_result() -> None:
    x = taeda.ones(2, 3)
    with pytest.raises(RuntimeError, match=r"\[fft\] fft expects a complex output tensor, but got float32"):
        taeda.fft.fft(x, out=taeda.empty(0))
    with pytest.raises(RuntimeError, match=r"\[irfft\] irfft expects a floating point output tensor, but got complex64"):
        taeda.fft.irfft(x, out=taeda.empty(0, dtype=taeda.complex64))
    out = taeda.empty(0, dtype=taeda.complex128)
    assert taeda.fft.fft(x, out=out) is out and out.tolist() == [[3, 0, 0]] * 2


def test_a_size_of_minus_one_is_left_open() -> None:
    z = taeda.from_numpy(draw(3, 4))
    assert taeda.fft.irfftn(z, (-1, -1)).equal(taeda.fft.irfftn(z)) and taeda.fft.hfft2(z, (2, -1)).shape == (2, 6)
    with pytest.raises(RuntimeError, match=r"Invalid number of data points \(-1\)"):
        taeda.fft.irfft(z, -1)


def test_no_signals_have_no_spectra() -> None:
    x = taeda.ones(0, 3)
    assert taeda.fft.fft(x).shape == (0, 3) and taeda.fft.rfft(x).shape == (0, 2) and taeda.fft.irfftn(taeda.ones(0, 3, 2), dim=(1, 2)).shape == (0, 3, 2)


def test_meta_tensors_have_shapes() -> None:
    x = taeda.empty(3, 4, device="meta")
    y = taeda.fft.irfftn(taeda.fft.rfftn(x, (5, 6)), (5, 6))
    assert (y.device.type, y.shape, y.dtype) == ("meta", (5, 6), taeda.float32)
    s = taeda.stft(x, 4, return_complex=True)
    assert (s.device.type, s.shape) == ("meta", (3, 3, 5)) and taeda.istft(s, 4).shape == (3, 4)


# -- short-time transforms ---------------------------------------------------------------------------

OPTIONS: list[dict[str, Any]] = [
    {}, {"hop_length": 2}, {"win_length": 6}, {"normalized": True}, {"onesided": False}, {"hop_length": 3, "win_length": 7},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS)
def test_istft_undoes_stft(options: dict[str, Any]) -> None:
    x = taeda.from_numpy(draw(2, 40).real.copy())
    window = taeda.hann_window(options.get("win_length", 8), dtype=taeda.float64) + 0.1
    s = taeda.stft(x, 8, window=window, return_complex=True, **options)
    y = taeda.istft(s, 8, window=window, length=40, **options)
    np.testing.assert_allclose(y.numpy(), x.numpy(), atol=1e-12)
    np.testing.assert_allclose(s[0].istft(8, window=window, length=40, **options).numpy(), x[0].numpy(), atol=1e-12)


def test_a_complex_signal_has_all_frequencies() -> None:
    z = taeda.from_numpy(draw(30))
    s = taeda.stft(z, 6)
    assert s.shape == (6, 31) and s.dtype is taeda.complex128
    np.testing.assert_allclose(taeda.istft(s, 6, length=30, return_complex=True).numpy(), z.numpy(), atol=1e-12)
    with pytest.raises(RuntimeError, match=r"\[stft\] Cannot have onesided output if window or input is complex"):
        taeda.stft(z, 6, onesided=True)


def test_derivatives_of_short_time_transforms() -> None:
    x = taeda.from_numpy(draw(12).real.copy()).requires_grad_()
    w = taeda.from_numpy(np.hanning(6)[1:5].copy()).requires_grad_()
    assert taeda.autograd.gradcheck(lambda x, w: taeda.stft(x, 4, 2, window=w, return_complex=True), (x, w))
    s = taeda.from_numpy(draw(3, 7)).requires_grad_()
    assert taeda.autograd.gradcheck(lambda s, w: taeda.istft(s, 4, 2, window=w), (s, w))
    assert taeda.autograd.gradgradcheck(lambda s: taeda.istft(s, 4, 2, window=w.detach()) ** 2, (s,))


S = draw(2, 5, 4)
ISTFT_ERRORS: list[tuple[Callable[[Any], Any], type[BaseException], str]] = [
    (lambda s: taeda.istft(s.real, 8), RuntimeError, "requires a complex-valued input tensor"),
    (lambda s: taeda.istft(s, 10), RuntimeError, "frequency dimension to match n_fft / 2 \\+ 1 when onesided=True, but got 5"),
    (lambda s: taeda.istft(s, 8, onesided=False), RuntimeError, "frequency dimension to match n_fft when onesided=False"),
    (lambda s: taeda.istft(s, 8, 9), RuntimeError, "expected 0 < hop_length <= win_length, but got hop_length=9"),
    (lambda s: taeda.istft(s, 8, 0), RuntimeError, "expected 0 < hop_length"),
    (lambda s: taeda.istft(s, 8, 2, 9), RuntimeError, "expected 0 < win_length <= n_fft, but got win_length=9"),
    (lambda s: taeda.istft(s, 8, 2, 8, taeda.ones(4)), RuntimeError, "window tensor of size equal to win_length=8"),
    (lambda s: taeda.istft(s, 8, 2, 8, taeda.zeros(8)), RuntimeError, r"\[istft\] window overlap add min: 0"),
    (lambda s: taeda.istft(s, 8, 2, window=taeda.hann_window(8), center=False), RuntimeError, "window overlap add min"),
    (lambda s: taeda.istft(s, 8, length=0), RuntimeError, "nothing is left of the signal"),
    (lambda s: taeda.istft(s, 8, return_complex=True), RuntimeError, "Cannot have onesided output"),
    (lambda s: taeda.istft(s, 8, window=taeda.ones(8, dtype=taeda.complex64)), RuntimeError, "Complex windows are incompatible"),
    (lambda s: taeda.istft(s[None], 8), RuntimeError, "expected a tensor with 2 or 3 dimensions"),
    (lambda s: taeda.istft(s[0, 0], 8), IndexError, "Dimension out of range"),
    (lambda s: taeda.istft(s[..., :0], 8), RuntimeError, "input tensor cannot be empty"),
    (lambda s: taeda.istft(s, 8.0), TypeError, "argument 'n_fft' must be int, not float"),
]


@pytest.mark.parametrize(("call", "error", "text"), ISTFT_ERRORS)
def test_istft_says_what_does_not_fit(call: Callable[[Any], Any], error: type[BaseException], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        call(taeda.from_numpy(S))
    assert str(caught.value).startswith("[istft]")


def test_a_length_beyond_the_signal_is_filled_with_zeros() -> None:
    with pytest.warns(UserWarning, match=r"^The length of signal is shorter"):
        y = taeda.istft(taeda.from_numpy(S), 8, length=100)
    assert y.shape == (2, 100) and not y[:, 14:].any() and y[:, :10].all()


def test_parts_in_a_last_dimension_are_deprecated() -> None:
    with pytest.warns(UserWarning, match="return_complex=False is deprecated"):
        assert taeda.stft(taeda.ones(8), 4, return_complex=False).shape == (3, 9, 2)


# -- windows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"])
def test_dtypes_of_windows(name: str) -> None:
    window = getattr(taeda, name)
    for dtype in (taeda.float64, taeda.float16, taeda.bfloat16):
        w = window(6, dtype=dtype)
        assert w.dtype is dtype and (w.double() - window(6, dtype=taeda.float64)).abs().max() <= 2 * taeda.finfo(dtype).eps
    assert window(4, requires_grad=True).requires_grad and window(4, device="meta").device.type == "meta"
    with pytest.raises(RuntimeError, match=rf"\[{name}\] {name} expects floating point dtypes"):
        window(4, dtype=taeda.int64)


def test_parameters_of_windows() -> None:
    assert taeda.hamming_window(5, False, 0.5, 0.5).allclose(taeda.hann_window(5, False))
    np.testing.assert_allclose(taeda.kaiser_window(9, False, 3.0, dtype=taeda.float64).numpy(), np.kaiser(9, 3.0), rtol=1e-12)
    for beta in (699.0, 701.0, 5000.0):                                        # I0(beta) overflows from 714 on
        s = np.sqrt(1 - np.linspace(-1, 1, 9) ** 2)
        wanted = np.exp(beta * (s - 1)) * scipy.special.i0e(beta * s) / scipy.special.i0e(beta)
        np.testing.assert_allclose(taeda.kaiser_window(9, False, beta, dtype=taeda.float64).numpy(), wanted, rtol=1e-11)


M = np.arange(7.0)
FORMULAS: list[tuple[str, dict[str, Any], np.ndarray]] = [
    ("bartlett", {}, np.bartlett(7)), ("blackman", {}, np.blackman(7)), ("hamming", {}, np.hamming(7)), ("hann", {}, np.hanning(7)),
    ("kaiser", {"beta": 2.5}, np.kaiser(7, 2.5)), ("cosine", {}, np.sin(math.pi * (M + 0.5) / 7)),
    ("exponential", {"tau": 2.0}, np.exp(-np.abs(M - 3) / 2)), ("gaussian", {"std": 1.5}, np.exp(-(((M - 3) / 1.5) ** 2) / 2)),
    ("general_hamming", {"alpha": 0.6}, 0.6 - 0.4 * np.cos(math.pi * M / 3)),
    ("general_cosine", {"a": [0.5, 0.3, 0.2]}, 0.5 - 0.3 * np.cos(math.pi * M / 3) + 0.2 * np.cos(2 * math.pi * M / 3)),
    ("nuttall", {}, sum((-1) ** k * a * np.cos(k * math.pi * M / 3) for k, a in enumerate((0.3635819, 0.4891775, 0.1365995, 0.0106411)))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "wanted"), FORMULAS, ids=[f[0] for f in FORMULAS])
def test_windows_of_the_room(name: str, parameters: dict[str, Any], wanted: np.ndarray) -> None:
    window = getattr(taeda.signal.windows, name)
    np.testing.assert_allclose(window(7, dtype=taeda.float64, **parameters).numpy(), wanted, rtol=1e-12, atol=1e-15)
    periodic, longer = window(6, sym=False, **parameters), window(7, **parameters)
    assert periodic.dtype is taeda.float32 and periodic.allclose(longer[:6], atol=1e-6)
    assert window(0, **parameters).shape == (0,) and window(1, **parameters).tolist() == [1]
    for wrong, error in (({"M": -1}, ValueError), ({"M": 2.0}, TypeError), ({"M": 3, "dtype": taeda.float16}, ValueError)):
        with pytest.raises(error, match=r"^\["):
            window(**wrong, **parameters)


def test_windows_check_their_parameters() -> None:
    w = taeda.signal.windows
    for call, error, text in (
        (lambda: w.exponential(3, tau=0), ValueError, "Tau must be positive"),
        (lambda: w.exponential(3, center=1), ValueError, "Center must be None for symmetric windows"),
        (lambda: w.gaussian(3, std=-1), ValueError, "Standard deviation must be positive"),
        (lambda: w.kaiser(3, beta=-1), ValueError, "beta must be non-negative"),
        (lambda: w.general_cosine(3, a=[]), ValueError, "Coefficients cannot be empty"),
        (lambda: w.general_cosine(3, a=0.5), TypeError, "Coefficients must be a list/tuple"),
    ):
        with pytest.raises(error, match=text):
            call()
    np.testing.assert_allclose(w.exponential(3, center=1, sym=False).numpy(), np.exp(-np.abs(np.arange(3.0) - 1)), rtol=1e-6)


def test_a_window_given_to_stft_is_not_warned_of() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        taeda.stft(taeda.ones(16), 8, window=taeda.hann_window(8), return_complex=True)
    assert not caught


@pytest.mark.parametrize("norm", ["backward", "forward", "ortho"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "fftn", "ifftn", "rfftn", "irfftn"])
def test_single_precision(name: str, norm: str) -> None:
    rng = np.random.default_rng(3)
    for size in (1, 7, 96, 257):
        x = rng.standard_normal((3, size)) + (0 if name.startswith("r") else 1j * rng.standard_normal((3, size)))
        if name.startswith(("irfft", "hfft")) and size == 1:
            continue
        wanted = getattr(np.fft, name)(x, norm=norm)
        found = getattr(taeda.fft, name)(taeda.from_numpy(x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)), norm=norm).numpy()
        assert found.dtype == (np.complex64 if wanted.dtype.kind == "c" else np.float32)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6 * np.abs(wanted).max())


def test_windows_round_as_pytorchs_do() -> None:
    # of 11 samples the slope is 0.2, so that 1 - |x - 1| would lose the last bits of x
    w, rising = taeda.bartlett_window(11, False), taeda.arange(6.0) * 0.2
    assert w[:6].equal(rising) and w[6:].equal(2 - taeda.arange(6.0, 11.0) * 0.2)
    first = (taeda.tensor(0.08) - 0.5) + 0.42
    assert taeda.blackman_window(5)[0] == first and first != 0


def test_windows_signatures_are_those_of_their_calls() -> None:
    keywords = "sym=True, dtype=None, layout=taeda.strided, device=None, requires_grad=False)"
    assert str(inspect.signature(taeda.signal.windows.kaiser)) == f"(M, *, beta=12.0, {keywords}"
    assert str(inspect.signature(taeda.signal.windows.hann)) == f"(M, *, {keywords}"


def test_transforms_of_tensors_of_many_dimensions() -> None:
    x = taeda.rand(*[1] * 38, 4, 6)
    flat = x.reshape(4, 6)
    for function in (taeda.fft.fft2, taeda.fft.rfft2, taeda.fft.fftn):
        assert function(x).squeeze().allclose(function(flat), atol=1e-5)
    assert taeda.fft.irfft2(taeda.fft.rfft2(x)).allclose(x, atol=1e-5)
    assert taeda.fft.fft(x, dim=-2).squeeze().allclose(taeda.fft.fft(flat, dim=0), atol=1e-5)

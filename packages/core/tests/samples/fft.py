"""Rows of the Fourier transforms, stft and istft, and the windows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import FLOATS, Call, Row, array

NORMS = (None, "forward", "ortho")


def one_dim(rng: np.random.Generator) -> Iterator[Call]:
    """Odd, even and single sizes, each dimension, cut and padded, each norm."""
    for norm in NORMS:
        yield Call(array(rng, 5), norm=norm)
        yield Call(array(rng, 3, 6), None, 0, norm)
    yield Call(array(rng, 2, 4), 7)
    yield Call(array(rng, 2, 4), 3, -1, "ortho")
    yield Call(array(rng, 3), 1)
    yield Call(array(rng, 2, 3, 4).transpose(2, 0, 1), 4, 1)
    yield Call(array(rng, 2, 128))


def many_dims(rng: np.random.Generator) -> Iterator[Call]:
    """All dimensions, some in another order, cut and padded, each norm."""
    for norm in NORMS:
        yield Call(array(rng, 3, 4), norm=norm)
    yield Call(array(rng, 2, 3, 4), None, (2, 0))
    yield Call(array(rng, 4, 5), (3, 6))
    yield Call(array(rng, 4, 3), (-1, 5), (1, 0), "ortho")
    yield Call(array(rng, 2, 3, 4), (2, 3), (0, -1))
    yield Call(array(rng, 7))


def two_dims(rng: np.random.Generator) -> Iterator[Call]:
    """As many_dims, over two dimensions."""
    for norm in NORMS:
        yield Call(array(rng, 3, 4), norm=norm)
    yield Call(array(rng, 2, 3, 4), None, (2, 0))
    yield Call(array(rng, 4, 5), (3, 6))
    yield Call(array(rng, 4, 3), (-1, 5), (1, 0), "ortho")
    yield Call(array(rng, 2, 2, 3))


def hermitian(x: np.ndarray, s: Any = None, dim: Any = None, norm: Any = None, *, inverse: bool = False) -> np.ndarray:
    """hfftn and ihfftn, which NumPy lacks, by irfftn and rfftn with the norm's names exchanged."""
    swapped = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}[norm]
    return np.conj(np.fft.rfftn(x, *fixed(x, s, dim), swapped)) if inverse else np.fft.irfftn(np.conj(x), *fixed(x, s, dim), swapped)


def fixed(x: np.ndarray, s: Any, dim: Any) -> tuple[Any, Any]:
    """Sizes and dimensions as NumPy wants them: all or none, no -1."""
    if s is None:
        return None, dim
    dim = tuple(range(x.ndim - len(s), x.ndim)) if dim is None else dim
    return [x.shape[d] if n == -1 else n for n, d in zip(s, dim, strict=True)], dim


def reference(name: str) -> Callable[..., np.ndarray]:
    """NumPy's function, with its arguments in our form and order."""

    def one(x: np.ndarray, n: Any = None, dim: int = -1, norm: Any = None) -> np.ndarray:
        return getattr(np.fft, name)(x, n, dim, norm)

    def many(x: np.ndarray, s: Any = None, dim: Any = (-2, -1) if name.endswith("2") else None, norm: Any = None) -> np.ndarray:
        if "hfft" in name:
            return hermitian(x, s, dim, norm, inverse=name.startswith("i"))
        return getattr(np.fft, name.replace("2", "n"))(x, *fixed(x, s, dim), norm)

    return many if name[-1] in "2n" else one


ONE = np.ones((2, 3))
WRONG_NORM = (Call(ONE, norm="half"), RuntimeError, r'Invalid normalization mode: "half"')
ONE_ERRORS = (
    WRONG_NORM,
    (Call(ONE, 0), RuntimeError, r"Invalid number of data points \(0\) specified"),
    (Call(ONE, -1), RuntimeError, r"Invalid number of data points \(-1\) specified"),
    (Call(ONE, None, 2), IndexError, r"Dimension out of range .*got 2"),
    (Call(np.ones(())), IndexError, r"tensor has no dimensions"),
    (Call(ONE, 2.5), TypeError, r"argument 'n' must be int, not float"),
    (Call(ONE, None, (0,)), TypeError, r"argument 'dim' must be int, not tuple"),
    (Call(ONE, norm=3), TypeError, r"argument 'norm' must be str, not int"),
    (Call(ONE.astype(np.float16)), RuntimeError, r"Unsupported dtype Half"),
)
TWO_ERRORS = (
    WRONG_NORM,
    (Call(ONE, (0, 2)), RuntimeError, r"Invalid number of data points \(0\) specified"),
    (Call(ONE, None, (0, -2)), RuntimeError, r"FFT dims must be unique"),
    (Call(ONE, (2,), (0, 1)), RuntimeError, r"dim and shape arguments must have the same length"),
    (Call(ONE, None, (0, 5)), IndexError, r"Dimension out of range"),
)
MANY_ERRORS = (*TWO_ERRORS, (Call(ONE, (1, 2, 3)), RuntimeError, r"Got shape with 3 values but input tensor only has 2 dimensions"))
NO_AXIS = (Call(np.ones(())), RuntimeError, r"must transform at least one axis")
KINDS = (*FLOATS, "int64", "int32", "uint8", "bool")
LOOSE: dict[str, Any] = {"rtol": {d: 1e-5 if d != "float64" else 1e-10 for d in KINDS}, "atol": {d: 2e-5 if d != "float64" else 1e-11 for d in KINDS}}


def transform(name: str) -> Row:
    """The row of a transform."""
    many = name[-1] in "2n"
    samples = two_dims if name.endswith("2") else many_dims if many else one_dim
    if name.startswith(("irfft", "hfft")):                # one column says nothing about the size of the result
        samples = functools.partial(wider, samples)
    errors = TWO_ERRORS if name.endswith("2") else MANY_ERRORS if many else ONE_ERRORS
    if many and name not in ("fft2", "ifft2", "fftn", "ifftn") and name[-1] == "n":
        errors = (*errors, NO_AXIS)
    return Row(f"fft.{name}", samples, reference(name), dtypes=KINDS, torch=f"fft.{name}", out=True,
               errors=errors, **LOOSE)


def wider(samples: Callable[[np.random.Generator], Iterator[Call]], rng: np.random.Generator) -> Iterator[Call]:
    """The samples whose result is not empty."""
    for call in samples(rng):
        if call.args[0].shape[-1] > 1 or len(call.args) > 1:
            yield call


def frequencies(rng: np.random.Generator) -> Iterator[Call]:
    """Odd, even and no elements, with spacings."""
    for n, d in ((5, 1.0), (6, 0.5), (1, 2.0), (8, -3.0), (0, 1.0)):
        yield Call(n, d)


def shifts(rng: np.random.Generator) -> Iterator[Call]:
    """All dimensions, one, several."""
    yield Call(array(rng, 5))
    yield Call(array(rng, 4, 3))
    yield Call(array(rng, 4, 3), 1)
    yield Call(array(rng, 2, 3, 4), (0, -1))


def signals(rng: np.random.Generator) -> Iterator[Call]:
    """Each option of stft."""
    w = np.hanning(9)[:8]
    yield Call(array(rng, 20), 8, return_complex=True)
    yield Call(array(rng, 2, 20), 8, 3, 8, w, return_complex=True)
    yield Call(array(rng, 20), 8, 2, 5, w[:5], True, "constant", True, return_complex=True)
    yield Call(array(rng, 2, 15), 8, 4, center=False, return_complex=True)
    yield Call(array(rng, 15), 7, 4, 4, center=False, onesided=False, return_complex=True)
    yield Call(array(rng, 21), 8, 2, 4, center=False, align_to_window=True, return_complex=True)
    yield Call(array(rng, 2, 10), 4, normalized=True, return_complex=False)
    yield Call(array(rng, 12), 6, 2, 6, pad_mode="replicate", onesided=True, return_complex=True)


def framed(x: np.ndarray, n: int, hop: int | None = None, size: int | None = None, window: np.ndarray | None = None, center: bool = True,
           pad_mode: str = "reflect", normalized: bool = False, onesided: bool | None = None, return_complex: bool | None = None,
           align_to_window: bool | None = None) -> np.ndarray:  # fmt: skip
    """stft, frame by frame."""
    hop, size = hop or n // 4, size or n
    if x.ndim == 2:
        return np.stack([framed(row, n, hop, size, window, center, pad_mode, normalized, onesided, return_complex) for row in x])
    left = (n - size) // 2
    full = np.pad(np.ones(size) if window is None else window, (left, n - size - left))
    if center:
        x = np.pad(x, n // 2, mode={"reflect": "reflect", "constant": "constant", "replicate": "edge"}[pad_mode])
    if align_to_window:
        x = np.pad(x, (left, n - size - left))
    transform = np.fft.fft if onesided is False else np.fft.rfft
    y = np.stack([transform(x[i:i + n] * full, norm="ortho" if normalized else None) for i in range(0, len(x) - n + 1, hop)], axis=-1)
    return y if return_complex else np.stack([y.real, y.imag], axis=-1)


SIGNAL = np.ones((2, 20))
STFT_ERRORS = (
    (Call(SIGNAL, 8), RuntimeError, r"requires the return_complex parameter"),
    (Call(SIGNAL, 8, 2, 8, np.ones(5), return_complex=True), RuntimeError, r"1D window tensor of size equal to win_length=8.*\[5\]"),
    (Call(SIGNAL, 0, return_complex=True), RuntimeError, r"expected 0 < n_fft < 20, but got n_fft=0"),
    (Call(SIGNAL, 8, 0, return_complex=True), RuntimeError, r"expected hop_length > 0, but got hop_length=0"),
    (Call(SIGNAL, 8, 2, 9, return_complex=True), RuntimeError, r"expected 0 < win_length <= n_fft, but got win_length=9"),
    (Call(SIGNAL, 50, center=False, return_complex=True), RuntimeError, r"expected 0 < n_fft < 20, but got n_fft=50"),
    (Call(SIGNAL[None], 8, return_complex=True), RuntimeError, r"expected a 1D or 2D tensor"),
    (Call(SIGNAL.astype(int), 8, return_complex=True), RuntimeError, r"floating point or complex values"),
    (Call(SIGNAL, 8, pad_mode="odd", return_complex=True), NotImplementedError, r"Unrecognised padding mode odd"),
    (Call(SIGNAL, 8, align_to_window=True, return_complex=True), RuntimeError, r"align_to_window should only be set when center = false"),
    (Call(SIGNAL[:, :3], 8, return_complex=True), RuntimeError, r"Padding size should be less"),
)


def lengths(rng: np.random.Generator) -> Iterator[Call]:
    """Symmetric and periodic, none, one, odd and even."""
    for n in (0, 1, 2, 5, 8):
        yield Call(n)
        yield Call(n, False)


def periodic(window: Callable[..., np.ndarray], *more: float) -> Callable[..., np.ndarray]:
    """NumPy's symmetric window as ours, in the float32 that is the default."""

    def shape(n: int, is_periodic: bool = True) -> np.ndarray:
        return np.ones(n) if n < 2 else window(n + 1, *more)[:-1] if is_periodic else window(n, *more)

    return shape


def window_errors(op: str) -> tuple[Any, ...]:
    """What every window refuses."""
    return ((Call(-1), RuntimeError, rf"{op} requires non-negative window_length, got window_length=-1"),
            (Call(2.5), TypeError, r"must be int, not float"))


WINDOWS = {"bartlett_window": (np.bartlett,), "blackman_window": (np.blackman,), "hamming_window": (np.hamming,), "hann_window": (np.hanning,),
           "kaiser_window": (np.kaiser, 12.0)}
NAMES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn", "fft2", "ifft2", "rfft2",
         "irfft2", "hfft2", "ihfft2")

ROWS = [
    *[transform(name) for name in NAMES],
    Row("fft.fftfreq", frequencies, lambda n, d: np.fft.fftfreq(n, d) if n else np.zeros(0), dtypes=("float32",), grad=False, torch="fft.fftfreq",
        out=True, layout=False, errors=((Call(-1), RuntimeError, r"negative dimension -1"), (Call(2.5), TypeError, r"argument 'n' must be int"),
                                          (Call(3, dtype=np.ones(2)), TypeError, r"\[fftfreq\] dtype must be a taeda.dtype"))),
    Row("fft.rfftfreq", frequencies, lambda n, d: np.fft.rfftfreq(n, d) if n else np.full(1, np.nan), dtypes=("float32",), grad=False,
        torch="fft.rfftfreq", out=True, layout=False, errors=((Call(-4), RuntimeError, r"negative dimension -4"),)),
    Row("fft.fftshift", shifts, lambda x, dim=None: np.fft.fftshift(x, dim), torch="fft.fftshift",
        errors=((Call(ONE, 5), IndexError, r"Dimension out of range"), (Call(np.ones(())), RuntimeError, r"`shifts` required"))),
    Row("fft.ifftshift", shifts, lambda x, dim=None: np.fft.ifftshift(x, dim), torch="fft.ifftshift",
        errors=((Call(ONE, 5), IndexError, r"Dimension out of range"),)),
    Row("stft", signals, framed, method="stft", errors=STFT_ERRORS, rtol={"float32": 1e-5, "float64": 1e-10},
        atol={"float32": 2e-5, "float64": 1e-11}),
    *[Row(name, lengths, periodic(*how), dtypes=("float32",), grad=False, out=True, layout=False, errors=window_errors(name),
          atol={"float32": 3e-7}) for name, how in WINDOWS.items()],
]

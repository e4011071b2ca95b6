"""The short-time Fourier transform and its inverse, made of overlapping frames, a window and ``taeda.fft``."""

from __future__ import annotations

import warnings

from taeda._once import warn_once
from taeda.autograd.node import own
from taeda.operands import as_index, need_tensor
from taeda.ops.complex_numbers import complex, view_as_real
from taeda.ops.creation import ones, zeros
from taeda.ops.fft import fft_fft as fft, fft_ifft as ifft, fft_irfft as irfft, fft_rfft as rfft
from taeda.ops.padding import constant_pad_nd, pad
from taeda.ops.sequences import arange
from taeda.tensor_base import TensorBase

PUBLIC = ("istft", "stft")
__all__ = list(PUBLIC)

LEAST_ENVELOPE = 1e-11           # what the windows must add up to everywhere, for istft to divide by it


def _sizes(op, n_fft, hop_length, win_length):
    """The three sizes as ints, the omitted ones filled in."""
    for name, value in (("n_fft", n_fft), ("hop_length", hop_length), ("win_length", win_length)):
        if (value is not None and (isinstance(value, bool) or not hasattr(value, "__index__"))) or (name == "n_fft" and value is None):
            raise TypeError(f"[{op}] argument '{name}' must be int, not {type(value).__name__}")
    n = as_index(op, n_fft)
    return n, n // 4 if hop_length is None else as_index(op, hop_length), n if win_length is None else as_index(op, win_length)


def _full_window(op, window, win_length, n_fft, like):
    """The window with zeros on both sides up to n_fft; of ones where none is given."""
    if window is None:
        warn_once(op, "A window was not provided. A rectangular window will be applied; taeda.hann_window leaks less between frequencies, "
                  "and istft wants the one that stft had. window=taeda.ones(win_length) says nothing.", 4)
        window = ones(win_length, dtype=like.dtype.to_real(), device=like.device)
    elif not isinstance(window, TensorBase):
        need_tensor(op, "window", window)
    elif tuple(window.shape) != (win_length,):
        raise RuntimeError(f"[{op}] expected a 1D window tensor of size equal to win_length={win_length}, but got window with size "
                           f"{list(window.shape)}")
    left = (n_fft - win_length) // 2
    return window if win_length == n_fft else constant_pad_nd(window, (left, n_fft - win_length - left))


def stft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect", normalized=False, onesided=None,
         return_complex=None, align_to_window=None):
    """Return the transforms of overlapping, windowed frames: X[f, t] = sum_k w_k x[t hop + k] exp(-2 pi i f k / n_fft).

    Args:
        input: a signal (L,) or a batch (B, L), real or complex.
        n_fft: the size of a frame.
        hop_length: the step between frames, n_fft // 4 by default.
        win_length: the window's size, n_fft by default; a shorter window is centred in the frame.
        window: (win_length,), ones by default.
        center: pad the signal by n_fft // 2 on both sides, so that frame t is centred at t hop.
        pad_mode: how, see ``taeda.nn.functional.pad``.
        normalized: divide by sqrt(n_fft).
        onesided: only the first n_fft // 2 + 1 frequencies; the default unless input or window is complex.
        return_complex: True, or for complex results None; False gives the parts in a last dimension, and is deprecated.
        align_to_window: without ``center``, let the first window rather than the first frame begin at the start.

    Returns (B?, frequencies, frames).  RuntimeError where sizes do not fit.

    >>> import taeda
    >>> taeda.stft(taeda.ones(8), 4, 2, window=taeda.hann_window(4), center=False, return_complex=True).shape
    taeda.Size([3, 3])
    """
    n_fft, hop, win_length = _sizes("stft", n_fft, hop_length, win_length)
    need_tensor("stft", "input", input)
    if window is not None:
        need_tensor("stft", "window", window)
    of_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None and not of_complex:
        raise RuntimeError("[stft] stft requires the return_complex parameter be given for real inputs; pass return_complex=True")
    if return_complex is False:
        warnings.warn("stft with return_complex=False is deprecated; use return_complex=True and view_as_real", UserWarning, stacklevel=2)
    if center and align_to_window is not None:
        raise RuntimeError("[stft] stft align_to_window should only be set when center = false")
    if input.ndim not in (1, 2) and not (input.ndim == 0 and center):
        raise RuntimeError(f"[stft] expected a 1D or 2D tensor, but got shape {tuple(input.shape)}")
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(f"[stft] expected a tensor of floating point or complex values, but got {input.dtype}")
    x = input.reshape((1,) * (2 - input.ndim) + tuple(input.shape))
    if center:
        x = _padded(x, n_fft // 2, pad_mode)
    length = x.shape[1]
    if not 0 < n_fft <= length:
        raise RuntimeError(f"[stft] expected 0 < n_fft < {length}, but got n_fft={n_fft} for shape {tuple(input.shape)}")
    if hop <= 0:
        raise RuntimeError(f"[stft] expected hop_length > 0, but got hop_length={hop}")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"[stft] expected 0 < win_length <= n_fft, but got win_length={win_length} and n_fft={n_fft}")
    window = _full_window("stft", window, win_length, n_fft, x)
    if onesided and of_complex:
        raise RuntimeError("[stft] Cannot have onesided output if window or input is complex")
    if align_to_window:
        left = (n_fft - win_length) // 2
        x = constant_pad_nd(x, (left, n_fft - win_length - left))
    frames = x.unfold(1, n_fft, hop) * window
    transform = fft if onesided is False or of_complex else rfft
    y = transform(frames, norm="ortho" if normalized else None).transpose(1, 2)
    if input.ndim < 2:
        y = y.squeeze(0)
    return view_as_real(own(y)) if return_complex is False else own(y)


def _padded(x, amount, mode):
    """Signals (B, L) padded on both sides; the modes but 'constant' want a channel dimension."""
    if x.is_complex():
        return complex(_padded(x.real, amount, mode), _padded(x.imag, amount, mode))
    return pad(x.unsqueeze(0), (amount, amount), mode=mode).squeeze(0)


def _overlap_add(frames, hop):
    """Add up frames (B, T, n), each ``hop`` further than the one before: (B, n + hop (T - 1))."""
    batch, count, n = frames.shape
    place = (arange(count, device=frames.device).unsqueeze(1) * hop + arange(n, device=frames.device)).flatten()
    total = zeros(batch, n + hop * (count - 1), dtype=frames.dtype, device=frames.device)
    return total.index_add(1, place, frames.flatten(1))


def istft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=None, length=None,
          return_complex=False):
    """Return the signal whose :func:`stft` the input is: frames are transformed back, windowed, added up, and divided by the sum of
    the squared windows (the least-squares estimate of Griffin and Lim, Signal estimation from modified short-time Fourier
    transform, 1984).

    Args:
        input: (B?, frequencies, frames), complex.
        n_fft, hop_length, win_length, window, center, normalized: as for :func:`stft`.
        onesided: whether the input has n_fft // 2 + 1 frequencies; by default read from its shape.
        length: the signal is cut or padded with zeros to this length.
        return_complex: whether the signal is complex.

    RuntimeError where sizes do not fit, and where the squared windows add up to less than 1e-11 somewhere.

    >>> import taeda
    >>> x, w = taeda.arange(12.0), taeda.hann_window(4)
    >>> taeda.istft(taeda.stft(x, 4, window=w, return_complex=True), 4, window=w, length=12).allclose(x, atol=1e-5)
    True
    """
    n_fft, hop, win_length = _sizes("istft", n_fft, hop_length, win_length)
    need_tensor("istft", "input", input)
    if not input.is_complex():
        raise RuntimeError("[istft] istft requires a complex-valued input tensor matching the output from stft with "
                           f"return_complex=True, got {input.dtype} of shape {tuple(input.shape)}")
    if input.ndim < 2:
        raise IndexError(f"[istft] Dimension out of range: expected (batch?, frequencies, frames), got shape {tuple(input.shape)}")
    if input.numel() == 0:
        raise RuntimeError(f"[istft] input tensor cannot be empty, got shape {tuple(input.shape)}")
    if input.ndim > 3:
        raise RuntimeError("[istft] expected a tensor with 2 or 3 dimensions (batch?, frequencies, frames), but got "
                           f"{input.ndim}: {tuple(input.shape)}")
    frequencies = input.shape[-2]
    onesided = frequencies != n_fft if onesided is None else onesided
    if frequencies != (n_fft // 2 + 1 if onesided else n_fft):
        raise RuntimeError(f"[istft] expected the frequency dimension to match n_fft{' / 2 + 1' if onesided else ''} when onesided="
                           f"{bool(onesided)}, but got {frequencies} for n_fft={n_fft} and shape {tuple(input.shape)}")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"[istft] expected 0 < win_length <= n_fft, but got win_length={win_length} and n_fft={n_fft}")
    if not 0 < hop <= win_length:
        raise RuntimeError(f"[istft] expected 0 < hop_length <= win_length, but got hop_length={hop} and win_length={win_length}")
    window = _full_window("istft", window, win_length, n_fft, input)
    if return_complex and onesided:
        raise RuntimeError("[istft] Cannot have onesided output if window or input is complex")
    if not return_complex and window.is_complex():
        raise RuntimeError("[istft] Complex windows are incompatible with return_complex=False")
    x = input if input.ndim == 3 else input.unsqueeze(0)
    frames, norm = x.transpose(1, 2), "ortho" if normalized else None
    frames = ifft(frames, norm=norm) if return_complex else irfft(frames[..., :n_fft // 2 + 1], n_fft, norm=norm)
    y = _overlap_add(frames * window, hop)
    envelope = _overlap_add((window * window).expand(1, frames.shape[1], n_fft), hop)
    start, reach = n_fft // 2 if center else 0, y.shape[1]
    end = start + length if length is not None else reach - start
    y, envelope = y[:, start:max(end, 0)], envelope[:, start:max(end, 0)]
    if y.shape[1] == 0:
        raise RuntimeError(f"[istft] nothing is left of the signal of {reach} samples between {start} and {end}")
    if y.device.type != "meta" and not envelope.abs().min().item() > LEAST_ENVELOPE:
        raise RuntimeError(f"[istft] window overlap add min: {envelope.abs().min().item():g}; the squared windows must add up to more than "
                           f"{LEAST_ENVELOPE} everywhere (n_fft={n_fft}, hop_length={hop}, win_length={win_length}, center={center})")
    y = y / envelope
    if end > reach:
        warnings.warn("The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
                      "Please check your center and hop_length settings.", UserWarning, stacklevel=2)
        y = constant_pad_nd(y, (0, end - reach))
    return y if input.ndim == 3 else y.squeeze(0)


METHODS = {"istft": istft, "stft": stft}

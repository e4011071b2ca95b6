"""Discrete Fourier transforms, as PyTorch's ``torch.fft``.

The functions live in ``taeda.ops``; this room gives them their short names.
"""

from __future__ import annotations

from taeda.ops import fft_fft as fft
from taeda.ops import fft_fft2 as fft2
from taeda.ops import fft_fftfreq as fftfreq
from taeda.ops import fft_fftn as fftn
from taeda.ops import fft_fftshift as fftshift
from taeda.ops import fft_hfft as hfft
from taeda.ops import fft_hfft2 as hfft2
from taeda.ops import fft_hfftn as hfftn
from taeda.ops import fft_ifft as ifft
from taeda.ops import fft_ifft2 as ifft2
from taeda.ops import fft_ifftn as ifftn
from taeda.ops import fft_ifftshift as ifftshift
from taeda.ops import fft_ihfft as ihfft
from taeda.ops import fft_ihfft2 as ihfft2
from taeda.ops import fft_ihfftn as ihfftn
from taeda.ops import fft_irfft as irfft
from taeda.ops import fft_irfft2 as irfft2
from taeda.ops import fft_irfftn as irfftn
from taeda.ops import fft_rfft as rfft
from taeda.ops import fft_rfft2 as rfft2
from taeda.ops import fft_rfftfreq as rfftfreq
from taeda.ops import fft_rfftn as rfftn

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
           "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn"]

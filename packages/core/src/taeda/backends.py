"""PyTorch's switches of GPU and CPU libraries.  None of those libraries is used here: flags are kept, nothing changes.

Each library is an object with the flags; ``import taeda.backends.cudnn as cudnn`` finds it as a module.
"""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Backend(types.ModuleType):
    """Flags of one library; any name can be set and read back.

    >>> import taeda
    >>> taeda.backends.cudnn.benchmark = True
    >>> taeda.backends.cudnn.is_available()
    False
    """

    def __init__(self, name: str, **flags: Any) -> None:
        super().__init__(f"taeda.backends.{name}", type(self).__doc__)
        self.__dict__.update(flags)

    def __getattr__(self, name: str) -> Any:
        flags = sorted(flag for flag in self.__dict__ if flag[0] != "_")
        raise AttributeError(f"[backends] no flag {name!r}; there are {', '.join(flags)}")

    def is_available(self) -> bool:
        """Whether the library computes here: never."""
        return False

    def is_built(self) -> bool:
        """Whether it was built in: never."""
        return False

    def version(self) -> None:
        """Return the library's version: None without it."""

    @contextmanager
    def flags(self, **flags: Any) -> Iterator[None]:
        """Set flags for a ``with`` block."""
        before = dict(self.__dict__)
        self.__dict__.update(flags)
        try:
            yield
        finally:
            self.__dict__.clear()
            self.__dict__.update(before)


class AttentionSwitches(Backend):
    """``backends.cuda``: besides its flags, which implementations of attention are allowed (there is one here).

    >>> import taeda
    >>> taeda.backends.cuda.enable_flash_sdp(True)
    >>> taeda.backends.cuda.flash_sdp_enabled()
    True
    """

    def enable_flash_sdp(self, enabled: bool) -> None:
        """Note whether flash attention is allowed."""
        _sdp["flash"] = enabled

    def enable_mem_efficient_sdp(self, enabled: bool) -> None:
        """Note whether memory-efficient attention is allowed."""
        _sdp["mem_efficient"] = enabled

    def enable_math_sdp(self, enabled: bool) -> None:
        """Note whether composed attention is allowed."""
        _sdp["math"] = enabled

    def enable_cudnn_sdp(self, enabled: bool) -> None:
        """Note whether cuDNN's attention is allowed."""
        _sdp["cudnn"] = enabled

    def allow_fp16_bf16_reduction_math_sdp(self, enabled: bool) -> None:
        """Note whether composed attention may add in half precision."""
        _sdp["half_sums"] = enabled

    def flash_sdp_enabled(self) -> bool:
        """Return what ``enable_flash_sdp`` noted."""
        return _sdp["flash"]

    def mem_efficient_sdp_enabled(self) -> bool:
        """Return what ``enable_mem_efficient_sdp`` noted."""
        return _sdp["mem_efficient"]

    def math_sdp_enabled(self) -> bool:
        """Return what ``enable_math_sdp`` noted."""
        return _sdp["math"]

    def cudnn_sdp_enabled(self) -> bool:
        """Return what ``enable_cudnn_sdp`` noted."""
        return _sdp["cudnn"]

    def fp16_bf16_reduction_math_sdp_allowed(self) -> bool:
        """Return what ``allow_fp16_bf16_reduction_math_sdp`` noted."""
        return _sdp["half_sums"]

    def is_flash_attention_available(self) -> bool:
        """Whether there is flash attention for GPUs: no."""
        return False

    @contextmanager
    def sdp_kernel(
        self, enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
    ) -> Iterator[dict[Any, Any]]:
        """Note what is allowed for a ``with`` block (deprecated: ``taeda.nn.attention.sdpa_kernel``)."""
        warnings.warn(
            "`taeda.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. Please see "
            "`taeda.nn.attention.sdpa_kernel()` for the new context manager, with updated signature.",
            FutureWarning,
            stacklevel=3,
        )
        before = sdp_switches()
        set_sdp_switches({"flash": enable_flash, "math": enable_math, "mem_efficient": enable_mem_efficient, "cudnn": enable_cudnn})
        try:
            yield {}
        finally:
            set_sdp_switches(before)


_sdp = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True, "half_sums": False}


def sdp_switches() -> dict[str, bool]:
    """Return a copy of what ``backends.cuda`` notes of attention."""
    return dict(_sdp)


def set_sdp_switches(switches: dict[str, bool]) -> None:
    """Note which implementations of attention are allowed, by name."""
    _sdp.update(switches)


class FastPath(Backend):
    """``backends.mha``: whether ``nn.MultiheadAttention`` may do in evaluation what PyTorch's fused inference does.

    >>> import taeda
    >>> taeda.backends.mha.get_fastpath_enabled()
    True
    """

    def get_fastpath_enabled(self) -> bool:
        """Whether it may."""
        return bool(self.enabled)

    def set_fastpath_enabled(self, value: bool) -> None:
        """Say whether it may."""
        self.enabled = value


cudnn = Backend("cudnn", enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True)
cuda = AttentionSwitches(
    "cuda",
    matmul=Backend(
        "cuda.matmul", allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True
    ),
)
mha = FastPath("mha", enabled=True)
mps, mkl, openmp = Backend("mps"), Backend("mkl"), Backend("openmp")
mkldnn = Backend("mkldnn", enabled=True, deterministic=False)
openmp.__dict__["is_available"] = lambda: True
sys.modules.update({library.__name__: library for library in (cudnn, cuda, mha, mps, mkl, mkldnn, openmp)})

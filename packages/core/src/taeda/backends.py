"""PyTorch's switches of GPU and CPU libraries, and taeda's own of its kernels (``cpu``).

None of PyTorch's libraries is used here: their flags are kept, and nothing changes.  Each library is an object with the
flags; ``import taeda.backends.cudnn as cudnn`` finds it as a module.
"""

from __future__ import annotations

import enum
import importlib
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taeda import _spoken
from taeda.kernels.cpu import BUILD, runtime
from taeda.ops.conv_choice import set_fast


class Backend(types.ModuleType):
    """Flags of one library; any name can be set and read back.

    >>> import taeda
    >>> taeda.backends.cudnn.benchmark = True
    >>> taeda.backends.cudnn.is_available()
    False
    """

    def __init__(self, name: str, **flags: Any) -> None:
        super().__init__(f"taeda.backends.{name}", type(self).__doc__)
        self.__dict__.update(flags, _names=tuple(flags))

    if TYPE_CHECKING:  # any name can be set
        def __setattr__(self, name: str, value: Any) -> None: ...

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

    def set_flags(self, *values: Any, **flags: Any) -> tuple[Any, ...]:
        """Set flags, by place or as ``_name``; None keeps one.  Return what all of them were.

        >>> import taeda
        >>> taeda.backends.mkldnn.set_flags(_deterministic=True), taeda.backends.mkldnn.set_flags(True, False)
        ((True, False), (True, True))
        """
        names = self._names
        given = {**{f"_{name}": value for name, value in zip(names, values, strict=False)}, **flags}
        unknown = given.keys() - {f"_{name}" for name in names}
        if unknown or len(values) > len(names):
            known = ", ".join(f"_{name}" for name in names)
            raise TypeError(f"[{self.__name__[6:]}.set_flags] takes {known}, got {', '.join(sorted(unknown)) or len(values)}")
        before = tuple(self.__dict__[name] for name in names)
        self.__dict__.update({name[1:]: value for name, value in given.items() if value is not None})
        return before

    @contextmanager
    def flags(self, **flags: Any) -> Iterator[None]:
        """Set flags for a ``with`` block."""
        before = dict(self.__dict__)
        try:
            for name, value in flags.items():
                setattr(self, name, value)
            yield
        finally:
            for name in self.__dict__.keys() - before.keys():
                delattr(self, name)
            for name, value in before.items():
                setattr(self, name, value)


def flags_frozen() -> bool:
    """Whether flags can be set by context managers only: no."""
    return False


@contextmanager
def __allow_nonbracketed_mutation() -> Iterator[None]:
    """A block in which flags can be set, as they can anywhere: MONAI seeds in one."""
    yield


class LinalgLibrary(enum.Enum):
    """What ``backends.cuda.preferred_linalg_library`` may name."""

    Default, Cusolver, Magma = 0, 1, 2


class BlasLibrary(enum.Enum):
    """What ``backends.cuda.preferred_blas_library`` may name."""

    Default, Cublas, Cublaslt, Ck = 0, 1, 2, 3


def _preferred(op: str, kind: Any, backend: Any, there: Any) -> Any:
    """Return the library that is preferred, after a choice of one that is there."""
    if isinstance(backend, str):
        name = {"hipblas": "cublas", "hipblaslt": "cublaslt"}.get(backend, backend).capitalize()
        if name not in kind.__members__:
            raise RuntimeError(f"[{op}] unknown library {backend!r}; choose from {', '.join(k.lower() for k in kind.__members__)}")
        backend = kind[name]
    elif backend is not None and not isinstance(backend, kind):
        raise RuntimeError(f"[{op}] unknown input value type {type(backend).__name__}")
    if backend not in (None, kind.Default, there):
        raise RuntimeError(f"[{op}] {backend.name} is not there, as there is no GPU; leave the choice to 'default'")
    return there


class AttentionSwitches(Backend):
    """``backends.cuda``: besides its flags, which implementations of attention are allowed (there is one here).

    >>> import taeda
    >>> taeda.backends.cuda.enable_flash_sdp(True)
    >>> taeda.backends.cuda.flash_sdp_enabled()
    True
    """

    def preferred_linalg_library(self, backend: str | LinalgLibrary | None = None) -> LinalgLibrary:
        """Return which library GPUs' linear algebra prefers; "default" chooses it, and the others (cusolver, magma) are not there.

        Raises:
            RuntimeError: an unknown library, or one that is not there.

        >>> import taeda
        >>> taeda.backends.cuda.preferred_linalg_library("default").name
        'Default'
        """
        return _preferred("preferred_linalg_library", LinalgLibrary, backend, LinalgLibrary.Default)

    def preferred_blas_library(self, backend: str | BlasLibrary | None = None) -> BlasLibrary:
        """Return which library GPUs' products prefer: "cublas", which "default" means; the others are not there.

        Raises:
            RuntimeError: an unknown library, or one that is not there.

        >>> import taeda
        >>> taeda.backends.cuda.preferred_blas_library().name
        'Cublas'
        """
        return _preferred("preferred_blas_library", BlasLibrary, backend, BlasLibrary.Cublas)

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

    @property
    def SDPBackend(self) -> type:
        """The kinds of attention: ``taeda.nn.attention.SDPBackend``."""
        return importlib.import_module("taeda.nn.attention").SDPBackend

    @contextmanager
    def sdp_kernel(
        self, enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
    ) -> Iterator[dict[Any, Any]]:
        """Note what is allowed for a ``with`` block (deprecated: ``taeda.nn.attention.sdpa_kernel``)."""
        warnings.warn(
            _spoken.said("`taeda.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. "
                         "Please see `taeda.nn.attention.sdpa_kernel()` for the new context manager, with updated signature."),
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


class Kernels(Backend):
    """``backends.cpu``: how taeda's own kernels compute.

    ``conv_precision`` says how convolutions of images in float32 by small square kernels (3x3, 5x5; with stride 2 3x3 to 6x6) and
    their gradients are computed where there is a choice.  "fast" (the default): Winograd's method on tiles of 6x6 pixels, up to
    four times faster; its error is at most some 5e-6 of the largest result, and a number much larger than its neighbours costs
    those within six pixels their last digits.  "precise": the sum as it stands, error about 5e-7.  float64 is always the sum.

    >>> import taeda
    >>> taeda.backends.cpu.conv_precision
    'fast'
    >>> with taeda.backends.cpu.flags(conv_precision="precise"):
    ...     taeda.backends.cpu.conv_precision
    'precise'
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "conv_precision":
            if value not in ("fast", "precise"):
                raise ValueError(f"[backends.cpu] conv_precision must be 'fast' or 'precise', got {value!r}")
            set_fast(value == "fast")
        super().__setattr__(name, value)

    def is_available(self) -> bool:
        """Whether these kernels compute here: always."""
        return True

    def is_built(self) -> bool:
        """Whether they were built in: always."""
        return True

    def get_cpu_capability(self) -> str:
        """Return what the kernels use of this processor: "DEFAULT", "AVX2" or "AVX512"."""
        return "DEFAULT" if BUILD == "baseline" else "AVX512" if runtime.has_v4() else "AVX2"


cpu = Kernels("cpu", conv_precision="fast")
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
nnpack = Backend("nnpack", enabled=False)
opt_einsum = Backend("opt_einsum", enabled=False, strategy=None)
quantized = Backend("quantized", engine="none", supported_engines=["none"])
openmp.__dict__["is_available"] = lambda: True
_LIBRARIES = (cpu, cudnn, cuda, mha, mps, mkl, mkldnn, nnpack, openmp, opt_einsum, quantized)
sys.modules.update({library.__name__: library for library in _LIBRARIES})

"""Switches that PyTorch's programs turn.  The arithmetic here is deterministic whatever they say; most are remembered, no more."""

from __future__ import annotations

import warnings
from typing import Any

from taeda import _once
from taeda.kernels.cpu import runtime
from taeda.ops import copying
from taeda.tensor import warn_always

__all__ = [
    "are_deterministic_algorithms_enabled", "get_deterministic_debug_mode", "get_float32_matmul_precision",
    "get_num_interop_threads", "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled",
    "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal", "set_num_interop_threads",
    "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip

_state: dict[str, Any] = {
    "deterministic": False, "fill": True, "warn_only": False, "precision": "highest", "warn_always": False, "interop": 1,
}  # fmt: skip
CONVERSION = {"overwrite": False, "swap": False}           # what nn's modules do with parameters that change: taeda.__future__
_MODES = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accept the choice: every operation gives the same bits each time and for each number of threads anyway.

    With ``mode`` new memory that nothing is written to (``empty``, ``resize_``) is filled with nan, the largest integer, or True,
    unless ``taeda.utils.deterministic.fill_uninitialized_memory`` is False.

    Raises TypeError unless both are bools.

    >>> import taeda
    >>> taeda.use_deterministic_algorithms(True)
    >>> taeda.are_deterministic_algorithms_enabled()
    True
    >>> taeda.use_deterministic_algorithms(False)
    """
    if not isinstance(mode, bool) or not isinstance(warn_only, bool):
        raise TypeError(f"[use_deterministic_algorithms] mode and warn_only must be bool, got {mode!r} and {warn_only!r}")
    _state["deterministic"], _state["warn_only"] = mode, warn_only
    copying.set_filling(mode and _state["fill"])


def fills_memory() -> bool:
    """Whether deterministic runs fill new memory: at first they do."""
    return bool(_state["fill"])


def fill_memory(mode: bool) -> None:
    """Choose whether deterministic runs fill new memory that nothing is written to: ``utils.deterministic.fill_uninitialized_memory``."""
    _state["fill"] = mode
    copying.set_filling(mode and _state["deterministic"])


def are_deterministic_algorithms_enabled() -> bool:
    """Return whether :func:`use_deterministic_algorithms` was last called with True.

    >>> import taeda
    >>> taeda.are_deterministic_algorithms_enabled()
    False
    """
    return bool(_state["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return whether :func:`use_deterministic_algorithms` was last called with ``warn_only=True``.

    >>> import taeda
    >>> taeda.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return bool(_state["warn_only"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Say the same as "default" (0), "warn" (1) or "error" (2).

    Raises RuntimeError for another mode, TypeError for another type.

    >>> import taeda
    >>> taeda.set_deterministic_debug_mode("warn")
    >>> taeda.get_deterministic_debug_mode()
    1
    >>> taeda.set_deterministic_debug_mode("default")
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"[set_deterministic_debug_mode] debug_mode must be str or int, got {type(debug_mode).__name__}")
    mode = _MODES.index(debug_mode) if debug_mode in _MODES else debug_mode
    if mode not in (0, 1, 2):
        raise RuntimeError(f"[set_deterministic_debug_mode] expected one of {', '.join(_MODES)}, got {debug_mode!r}")
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


def get_deterministic_debug_mode() -> int:
    """Return 0, 1 or 2: :func:`set_deterministic_debug_mode`.

    >>> import taeda
    >>> taeda.get_deterministic_debug_mode()
    0
    """
    return 0 if not _state["deterministic"] else 1 if _state["warn_only"] else 2


def set_float32_matmul_precision(precision: str) -> None:
    """Accept "highest", "high" or "medium"; float32 matrices are always multiplied in float32.

    Raises RuntimeError for another word.

    >>> import taeda
    >>> taeda.set_float32_matmul_precision("high")
    >>> taeda.get_float32_matmul_precision()
    'high'
    >>> taeda.set_float32_matmul_precision("highest")
    """
    if precision not in _PRECISIONS:
        raise RuntimeError(f"[set_float32_matmul_precision] expected one of {', '.join(_PRECISIONS)}, got {precision!r}")
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """Return what :func:`set_float32_matmul_precision` was told, "highest" at first.

    >>> import taeda
    >>> taeda.get_float32_matmul_precision()
    'highest'
    """
    return str(_state["precision"])


def set_flush_denormal(mode: bool) -> bool:
    """Let arithmetic flush denormal numbers to zero, or keep them (as at first); return whether the processor can.

    It holds for the calling thread and the kernels' threads, Python's own floats of this thread included.

    >>> import taeda
    >>> x = taeda.tensor(1e-323, dtype=taeda.float64)
    >>> taeda.set_flush_denormal(True)
    True
    >>> x * 1
    tensor(0., dtype=taeda.float64)
    >>> taeda.set_flush_denormal(False)
    True
    >>> x * 1
    tensor(9.8813e-324, dtype=taeda.float64)
    """
    if not isinstance(mode, bool):
        raise TypeError(f"[set_flush_denormal] expected a bool, got {type(mode).__name__}")
    return bool(runtime.flush_denormal(mode))


def set_warn_always(b: bool) -> None:
    """Choose whether what is warned of once in a process is warned of each time; Python's filters still have their say.

    Raises TypeError unless it is a bool.

    >>> import taeda
    >>> taeda.set_warn_always(True)
    >>> taeda.is_warn_always_enabled()
    True
    >>> taeda.set_warn_always(False)
    """
    if not isinstance(b, bool):
        raise TypeError(f"[set_warn_always] expected a bool, got {type(b).__name__}")
    _state["warn_always"] = b
    warn_always(b)
    _once.warn_always(b)


def is_warn_always_enabled() -> bool:
    """Return what :func:`set_warn_always` was told, False at first.

    >>> import taeda
    >>> taeda.is_warn_always_enabled()
    False
    """
    return bool(_state["warn_always"])


def set_num_interop_threads(num: int) -> None:
    """Accept a positive number: one operation runs at a time unless the program itself has threads.

    Raises RuntimeError for a number below 1.

    >>> import taeda
    >>> taeda.set_num_interop_threads(2)
    >>> taeda.get_num_interop_threads()
    2
    >>> taeda.set_num_interop_threads(1)
    """
    if num < 1:
        raise RuntimeError(f"[set_num_interop_threads] expected a positive number of threads, got {num}")
    _state["interop"] = num


def get_num_interop_threads() -> int:
    """Return what :func:`set_num_interop_threads` was told, 1 at first: operations do not run beside each other on their own.

    >>> import taeda
    >>> taeda.get_num_interop_threads()
    1
    """
    return int(_state["interop"])


# -- what a build has: asked by programs that choose a path by it -------------------------------------

has_lapack, has_openmp, has_spectral, has_mkl = True, True, True, False
_ASKED_ELSEWHERE = {
    "has_cuda": "backends.cuda.is_built",
    "has_cudnn": "backends.cudnn.is_available",
    "has_mkldnn": "backends.mkldnn.is_available",
    "has_mps": "backends.mps.is_built",
}


def __getattr__(name: str) -> bool:
    if name not in _ASKED_ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import taeda

    asked: Any = taeda
    for part in _ASKED_ELSEWHERE[name].split("."):
        asked = getattr(asked, part)
    warnings.warn(f"{name!r} is deprecated, please use 'torch.{_ASKED_ELSEWHERE[name]}()'", UserWarning, stacklevel=3)
    return bool(asked())


def compiled_with_cxx11_abi() -> bool:
    """Whether C++ strings have their present form: yes."""
    return True


def is_vulkan_available() -> bool:
    """Whether there is a Vulkan backend: no."""
    return False


def set_vital(vital: str, attr: str, value: str) -> bool:
    """Return False: no log is kept of what a program uses."""
    return False

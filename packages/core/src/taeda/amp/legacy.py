"""The deprecated spellings of autocast's switches, one pair a device: ``is_autocast_cpu_enabled`` and kin."""

from __future__ import annotations

import warnings
from typing import Any

from taeda import _spoken
from taeda.amp import casting
from taeda.dtype import dtype as dtype_class

_DEVICES = {"cpu": "cpu", "gpu": "cuda", "ipu": "ipu", "xla": "xla"}


def _warn(old: str, new: str) -> None:
    """Say what an old name is called now."""
    warnings.warn(_spoken.said(f"taeda.{old} is deprecated. Please use taeda.{new} instead."), DeprecationWarning, stacklevel=3)


def _switches(name: str, device: str) -> dict[str, Any]:
    """Return the four switches of a device by their public names."""

    def is_enabled() -> Any:
        _warn(f"is_autocast_{name}_enabled()", f"is_autocast_enabled('{device}')")
        return casting.is_autocast_enabled(device)

    def set_enabled(enabled: bool) -> None:
        _warn(f"set_autocast_{name}_enabled(enabled)", f"set_autocast_enabled('{device}', enabled)")
        casting.set_autocast_enabled(device, enabled)

    def get_dtype() -> Any:
        _warn(f"get_autocast_{name}_dtype()", f"get_autocast_dtype('{device}')")
        return casting.get_autocast_dtype(device)

    def set_dtype(dtype: dtype_class) -> None:
        _warn(f"set_autocast_{name}_dtype(dtype)", f"set_autocast_dtype('{device}', dtype)")
        casting.set_autocast_dtype(device, dtype)

    made = {
        f"is_autocast_{name}_enabled": is_enabled, f"set_autocast_{name}_enabled": set_enabled,
        f"get_autocast_{name}_dtype": get_dtype, f"set_autocast_{name}_dtype": set_dtype,
    }  # fmt: skip
    for public, function in made.items():
        function.__name__ = function.__qualname__ = public
        function.__doc__ = f"Call ``{public.replace(f'{name}_', '')}`` for {device!r} (deprecated by PyTorch, which it warns of)."
    return made


for _name, _device in _DEVICES.items():
    globals().update(_switches(_name, _device))
del is_autocast_gpu_enabled, set_autocast_gpu_enabled  # type: ignore[name-defined] # noqa: F821  (PyTorch has only their dtypes)

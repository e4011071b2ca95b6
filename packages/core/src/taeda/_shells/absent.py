"""What there is none of: ``taeda.mps``, ``taeda.xpu``, ``taeda.mtia``, for programs that ask before they use one; compiled classes."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["AcceleratorError", "DeviceObjType", "classes", "mps", "mtia", "xpu"]


class AcceleratorError(RuntimeError):
    """An accelerator failed: programs catch it, nothing here raises it."""


class DeviceObjType:
    """PyTorch's compiled type of devices, in the annotations of programs; nothing is one, as nothing is in PyTorch."""


class _Device:
    """A kind of device that is never there."""

    def __init__(self, name: str) -> None:
        self._name = name

    def is_available(self) -> bool:
        """Whether there is such a device: no."""
        return False

    is_initialized = is_available

    def device_count(self) -> int:
        """Return the number of such devices: 0."""
        return 0

    def empty_cache(self) -> None:
        """Do nothing: there is no cache."""

    def manual_seed(self, seed: int) -> None:
        """Do nothing: there is no generator; ``taeda.manual_seed`` seeds the CPU's."""

    manual_seed_all = manual_seed

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"taeda.{self._name} has no {name!r}: there is no such device; ask taeda.{self._name}.is_available() first")

    def __repr__(self) -> str:
        return f"<taeda.{self._name}: no such device>"


class _Classes:
    """Classes that extensions compile for PyTorch, by namespace: there are none."""

    __path__: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"taeda.classes has no {name!r}: compiled classes of PyTorch are not loaded")


classes = _Classes()
mps, xpu, mtia = _Device("mps"), _Device("xpu"), _Device("mtia")

"""The grid of devices that parts of a model would lie on, for programs that ask whether they were given one: nothing is an instance."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["DeviceMesh", "init_device_mesh"]


class DeviceMesh:
    """Devices of many processes in rows and columns."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise NotImplementedError."""
        raise NotImplementedError("[DeviceMesh] taeda trains in one process, on one device")


def init_device_mesh(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there is one process."""
    raise NotImplementedError("[init_device_mesh] taeda trains in one process, on one device")

"""What ``taeda.save`` and ``taeda.load`` do where their arguments do not say: fields that a program sets.

>>> from taeda.utils.serialization import config
>>> config.load.mmap, config.save.compute_crc32
(False, True)
>>> with config.patch("load.mmap", True):
...     config.load.mmap
True
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from taeda.serialization.settings import options

__all__ = ["load", "patch", "save"]


class _Part:
    """The options of one function: each field is one of ``serialization.settings``."""

    def __init__(self, **fields: str) -> None:
        self.__dict__["_fields"] = fields

    def __getattr__(self, name: str) -> Any:
        if name not in self._fields:
            raise AttributeError(f"[config] there is no option {name!r}; there are {', '.join(self._fields)}")
        return getattr(options, self._fields[name])

    def __setattr__(self, name: str, value: Any) -> None:
        getattr(self, name)
        setattr(options, self._fields[name], value)


load = _Part(mmap="mapped", endianness="endianness", mmap_flags="mmap_flags", calculate_storage_offsets="storage_offsets")
save = _Part(compute_crc32="checksums", use_pinned_memory_for_d2h="pinned", storage_alignment="alignment")


@contextlib.contextmanager
def patch(arg1: str | dict[str, Any] | None = None, arg2: Any = None, **kwargs: dict[str, Any]) -> Iterator[None]:
    """Set options in a block: ``patch("load.mmap", True)``, or a dict of such names and values."""
    wanted = {arg1: arg2} if isinstance(arg1, str) else {**(arg1 or {}), **kwargs}
    parts = {"load": load, "save": save}
    places = []
    for name in wanted:
        part, _, field = name.partition(".")
        if part not in parts:
            raise AttributeError(f"[config] there is no option {name!r}; a name begins with load. or save.")
        places.append((parts[part], field, getattr(parts[part], field)))
    try:
        for (part_, field, _), value in zip(places, wanted.values(), strict=True):
            setattr(part_, field, value)
        yield
    finally:
        for part_, field, before in places:
            setattr(part_, field, before)

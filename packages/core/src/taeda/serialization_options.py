"""What ``save`` and ``load`` can be told for the whole program or a block, besides their arguments."""

from __future__ import annotations

import mmap
from enum import Enum
from typing import Any

__all__ = [
    "LoadEndianness", "get_crc32_options", "get_default_load_endianness", "get_default_mmap_options", "set_crc32_options",
    "set_default_load_endianness", "set_default_mmap_options", "skip_data",
]  # fmt: skip


class LoadEndianness(Enum):
    """The byte order of files that do not tell it."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class _Options:
    endianness: LoadEndianness | None = None
    checksums: Any = True
    alignment: int = 64
    mapped: bool = False
    mmap_flags: int = mmap.MAP_PRIVATE
    skips: bool = False
    pinned = storage_offsets = False                     # PyTorch's ways to write from a GPU and to read fewer bytes: nothing to do here


options = _Options()


def get_default_load_endianness() -> LoadEndianness | None:
    """Return the byte order of files that do not tell it; None: little."""
    return options.endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order of files that do not tell it."""
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError(f"[set_default_load_endianness] expected a LoadEndianness or None, got {endianness!r}")
    options.endianness = endianness


def get_crc32_options() -> Any:
    """Whether ``save`` writes checksums."""
    return options.checksums


def set_crc32_options(compute_crc32: bool) -> None:
    """Set whether ``save`` writes checksums; ``load`` finds damage only by them."""
    options.checksums = compute_crc32


def get_default_mmap_options() -> int:
    """Return how ``load(mmap=True)`` maps a file: ``mmap.MAP_PRIVATE`` or ``mmap.MAP_SHARED``."""
    return options.mmap_flags


class set_default_mmap_options:
    """Set how ``load(mmap=True)`` maps a file, from now on or in a with-block: with MAP_SHARED writes reach the file,
    whose checksums, if it has any, then tell of damage (``set_crc32_options``)."""

    def __init__(self, flags: int) -> None:
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(f"[set_default_mmap_options] expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, got {flags}")
        self.before = options.mmap_flags
        options.mmap_flags = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        options.mmap_flags = self.before


class skip_data:
    """In the block ``save`` leaves room for the storages' bytes without writing them, and ``load`` makes storages without reading them.

    >>> import io, taeda
    >>> file = io.BytesIO()
    >>> with taeda.serialization.skip_data():
    ...     taeda.save(taeda.ones(2), file)
    >>> taeda.load(io.BytesIO(file.getvalue()))
    tensor([0., 0.])
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.before = False

    def __enter__(self) -> None:
        self.before, options.skips = options.skips, True

    def __exit__(self, *error: object) -> None:
        options.skips = self.before

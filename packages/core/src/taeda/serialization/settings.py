"""What ``save`` and ``load`` can be told for the whole program or a block, besides their arguments."""

from __future__ import annotations

import bisect
import mmap
import os
import warnings
from collections.abc import Callable
from enum import Enum
from typing import Any

from taeda.storage import Storage

__all__ = [
    "LoadEndianness", "default_restore_location", "get_crc32_options", "get_default_load_endianness", "get_default_mmap_options",
    "location_tag", "register_package", "set_crc32_options", "set_default_load_endianness", "set_default_mmap_options", "skip_data",
]  # fmt: skip


class LoadEndianness(Enum):
    """The byte order of files that do not tell it.

    >>> from taeda.serialization import LoadEndianness
    >>> list(LoadEndianness)
    [<LoadEndianness.NATIVE: 1>, <LoadEndianness.LITTLE: 2>, <LoadEndianness.BIG: 3>]
    """

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
    """Return what :func:`set_default_load_endianness` was told; None at first.

    >>> import taeda
    >>> print(taeda.serialization.get_default_load_endianness())
    None
    """
    return options.endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order of files that do not tell it; None: little.

    Raises:
        TypeError: it is neither a LoadEndianness nor None.

    >>> from taeda.serialization import LoadEndianness, get_default_load_endianness, set_default_load_endianness
    >>> set_default_load_endianness(LoadEndianness.LITTLE)
    >>> get_default_load_endianness()
    <LoadEndianness.LITTLE: 2>
    >>> set_default_load_endianness(None)
    """
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError(f"[set_default_load_endianness] expected a LoadEndianness or None, got {endianness!r}")
    options.endianness = endianness


def get_crc32_options() -> Any:
    """Return whether ``save`` writes checksums: :func:`set_crc32_options`.

    >>> import taeda
    >>> taeda.serialization.get_crc32_options()
    True
    """
    return options.checksums


def set_crc32_options(compute_crc32: bool) -> None:
    """Set whether ``save`` writes checksums; ``load`` finds damage only by them.

    >>> import taeda
    >>> taeda.serialization.set_crc32_options(False)
    >>> taeda.serialization.get_crc32_options()
    False
    >>> taeda.serialization.set_crc32_options(True)
    """
    options.checksums = compute_crc32


def get_default_mmap_options() -> int:
    """Return how ``load(mmap=True)`` maps a file, ``mmap.MAP_PRIVATE`` or ``mmap.MAP_SHARED``: :func:`set_default_mmap_options`.

    >>> import mmap, taeda
    >>> taeda.serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    True
    """
    return options.mmap_flags


class set_default_mmap_options:
    """Set how ``load(mmap=True)`` maps a file, from now on or in a with-block.

    With MAP_PRIVATE, the default, writes stay in memory; with MAP_SHARED they reach the file, whose checksums, if it has any, then tell of
    damage (``set_crc32_options``).

    Raises:
        ValueError: it is neither.

    >>> import mmap, taeda
    >>> from taeda.serialization import set_crc32_options, set_default_mmap_options
    >>> set_crc32_options(False)
    >>> taeda.save(taeda.zeros(2), "x.pt")
    >>> with set_default_mmap_options(mmap.MAP_SHARED):
    ...     taeda.load("x.pt", mmap=True)[0] = 5.0
    >>> taeda.load("x.pt")
    tensor([5., 0.])
    >>> set_crc32_options(True)
    """

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


_packages: list[tuple[int, Callable[[Any], str | None], Callable[[Any, str], Any]]] = []       # by priority


def only_weights(given: bool | None, pickle_module: Any) -> bool:
    """Return whether a load interprets the pickle: what the environment forces, what is given, or the default."""
    forced, freed = (os.environ.get(f"TORCH_FORCE_{word}WEIGHTS_ONLY_LOAD", "0") in ("1", "y", "yes", "true") for word in ("", "NO_"))
    if forced and freed:
        raise RuntimeError("[load] Only one of TORCH_FORCE_WEIGHTS_ONLY_LOAD and TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD should be set in the "
                           "environment, but both are")
    if forced:
        return True
    if freed and given is None:
        warnings.warn("Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, and weights_only is not given: "
                      "forcing weights_only=False", UserWarning, stacklevel=3)
        return False
    return pickle_module is None if given is None else bool(given)


def register_package(priority: int, tagger: Callable[[Any], str | None], deserializer: Callable[[Any, str], Any]) -> None:
    """Add places where storages may lie: ``tagger(storage)`` names one in files, ``deserializer(storage, name)`` brings a storage there.

    Both return None for what is not theirs.  Those of a lower priority are asked first, before the CPU.
    """
    bisect.insort(_packages, (priority, tagger, deserializer), key=lambda package: package[0])


def location_tag(storage: Any) -> str:
    """Return where a storage lies, as files tell it.

    >>> import taeda
    >>> from taeda.serialization import location_tag
    >>> location_tag(taeda.ones(2).untyped_storage())
    'cpu'
    """
    for _, tagger, _ in _packages:
        name = tagger(storage)
        if name:
            return name
    return str(storage.device.type)


def default_restore_location(storage: Any, location: str) -> Any:
    """Bring a storage that ``load`` has read to the place that a name means, as a ``map_location`` function may do.

    Raises:
        RuntimeError: there is no such device here.

    >>> import taeda
    >>> from taeda.serialization import default_restore_location
    >>> default_restore_location(taeda.ones(2).untyped_storage(), "meta").device
    device(type='meta')
    """
    if not isinstance(location, str):
        raise TypeError(f"[default_restore_location] location must be a str, got {type(location).__name__}")
    placed = restored(storage, location)
    if placed is None:
        raise RuntimeError(f"[load] there is no {location} here that a storage could go to; load the file with map_location='cpu'")
    return placed


def restored(storage: Any, location: str) -> Any:
    """Return the storage at a place, or None where nobody knows the place."""
    for _, _, deserializer in _packages:
        found = deserializer(storage, location)
        if found is not None:
            return found
    kind = location.partition(":")[0]
    if kind == "meta":
        return Storage(storage.nbytes(), device="meta")
    return storage if kind == "cpu" else None

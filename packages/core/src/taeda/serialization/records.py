"""Storages of a checkpoint: from the persistent ids in its pickle to memory, one block a record.

``ZipStorages`` reads today's files; ``load_stream`` and ``write_stream`` are for those from before PyTorch 1.6, a
sequence of pickles with the storages behind them.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
from collections.abc import Sequence
from typing import IO, Any

from taeda.device import device
from taeda.dtype import NAMES
from taeda.file_memory import swap_bytes
from taeda.ops.conversion import frombuffer
from taeda.serialization import unpickler, zip_archive
from taeda.serialization.rebuild import ELEMENT, TABLE, UNTYPED, Global, elements_come_later
from taeda.serialization.settings import LoadEndianness, options, restored
from taeda.storage import Storage
from taeda.typed_storage import TypedStorage


def readable(item: Any) -> Any:
    """Text that was read as bytes (``encoding="bytes"``) as text."""
    return item.decode("ascii", "replace") if isinstance(item, bytes) else item


class Storages:
    """From a persistent id to its storage; a class below says where the bytes come from."""

    def __init__(self, map_location: Any) -> None:
        if not (map_location is None or isinstance(map_location, (str, device, dict)) or callable(map_location)):
            raise TypeError(f"[load] map_location must be a device, its name, a dict or a function, got {type(map_location).__name__}")
        self.map_location = map_location
        self.loaded: dict[str, Any] = {}
        self.parts: dict[Any, Any] = {}
        self.swap = False

    def fetch(self, key: str, numel: int, dt: Any) -> Any:
        raise NotImplementedError

    def __call__(self, pid: Any) -> Any:
        view = None
        if isinstance(pid, tuple):
            pid = tuple(readable(item) for item in pid)
            if len(pid) == 6:
                pid, view = pid[:5], pid[5]  # the sixth was a view of the storage, before PyTorch 0.4
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage" and isinstance(pid[1], Global)):
            raise pickle.UnpicklingError("[load] a persistent id must be ('storage', type, key, location, numel)")
        _, kind, key, location, numel = pid
        if kind is not UNTYPED and kind.name not in ELEMENT:
            raise pickle.UnpicklingError(f"[load] {kind.module}.{kind.name} is no storage type")
        if not isinstance(key, str) or not isinstance(location, str) or type(numel) is not int or numel < 0:
            raise pickle.UnpicklingError(f"[load] a storage cannot have key {key!r} and {numel!r} elements")
        dt = None if kind is UNTYPED else ELEMENT[kind.name]
        if key not in self.loaded:
            self.loaded[key] = self.place(self.fetch(key, numel, dt), location)
        storage = self.loaded[key]
        if view is not None:
            storage = self.part(storage, view, dt)
        return storage if dt is None else TypedStorage(wrap_storage=storage, dtype=dt)

    def part(self, storage: Any, view: Any, dt: Any) -> Any:
        """Return a part of a storage, which has a key of its own."""
        key = readable(view[0]) if isinstance(view, tuple) and len(view) == 3 else None
        if not isinstance(key, str) or not all(type(n) is int and n >= 0 for n in view[1:]):
            raise pickle.UnpicklingError(f"[load] a view of a storage must be (key, offset, numel), got {view!r}")
        start, itemsize = view[1], dt.itemsize if dt else 1
        if (start + view[2]) * itemsize > storage.nbytes():
            raise pickle.UnpicklingError(f"[load] a view of elements {start} to {start + view[2]} does not lie in its storage")
        if key not in self.parts:
            self.parts[key] = storage[start * itemsize : (start + view[2]) * itemsize]
        return self.parts[key]

    def place(self, storage: Any, location: str) -> Any:
        """Apply map_location."""
        where = self.map_location
        if isinstance(where, dict):
            where = where.get(location, location)
        elif callable(where) and not isinstance(where, device):
            # PyTorch's callables get a storage and its location, and return a storage or None
            placed = where(storage, location)
            if placed is not None:
                placed = getattr(placed, "_untyped_storage", placed)
                if not isinstance(placed, Storage):
                    raise TypeError(f"[load] map_location must return a storage or None, got {type(placed).__name__}")
                return placed
            where = location
        elif where is None:
            where = location
        placed = restored(storage, str(where))
        if placed is None:
            cuda = str(where).startswith("cuda")
            rule = "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False: " if cuda else ""
            raise RuntimeError(
                f"[load] {rule}a storage that was on {location} would go to {where}, and there is no such device here; load the file with "
                "map_location='cpu'"
            )
        return placed


class ZipStorages(Storages):
    """Storages that are records of a zip archive; with a path they stay in the file."""

    def __init__(self, archive: zip_archive.Reader, map_location: Any, path: str | None) -> None:
        super().__init__(map_location)
        self.archive, self.path = archive, path
        order = archive.read("byteorder").decode("latin-1") if "byteorder" in archive else assumed_order()
        if order not in ("little", "big"):
            raise archive.error(f"byteorder must be little or big, got {order!r}")
        self.swap = order != sys.byteorder
        self.map: Any = None

    def fetch(self, key: str, numel: int, dt: Any) -> Any:
        record = f"data/{key}"
        itemsize = dt.itemsize if dt else 1
        if record not in self.archive:
            raise self.archive.error(f"record {record!r} is missing; the file may be truncated")
        nbytes = self.archive.nbytes(record)
        if nbytes != numel * itemsize:
            raise self.archive.error(
                f"record {record!r} has {nbytes} bytes, but its storage of {numel} elements of "
                f"{dt.name if dt else 'bytes'} needs {numel * itemsize}"
            )
        if self.path is not None and nbytes:
            return self.mapped(record, nbytes)
        storage = Storage(nbytes)
        if nbytes and not options.skips:
            self.archive.read_into(record, memoryview(storage))
            if self.swap:
                swap_bytes(memoryview(storage), dt)
        return storage

    def mapped(self, record: str, nbytes: int) -> Any:
        """A storage on the file's own pages, which are copied when they are written to unless the options say that they are shared."""
        if self.swap:
            raise RuntimeError("[load] mmap=True needs a file of this machine's byte order; load it without")
        if record in self.archive.deflated:
            raise RuntimeError(f"[load] mmap=True needs records as they are, {record!r} is compressed; load it without")
        if self.map is None:
            import mmap

            shared = options.mmap_flags == mmap.MAP_SHARED
            with open(str(self.path), "r+b" if shared else "rb") as file:
                self.map = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY))
        start = self.archive.records[record][0]
        return frombuffer(self.map[start : start + nbytes], dtype=NAMES["uint8"]).untyped_storage()


def assumed_order() -> str:
    """The byte order of an archive that does not tell it."""
    given = options.endianness
    return "big" if given is LoadEndianness.BIG or (given is LoadEndianness.NATIVE and sys.byteorder == "big") else "little"


# -- files from before PyTorch 1.6 -------------------------------------------------------------------

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001


class StreamStorages(Storages):
    """Storages whose bytes come behind the pickle; no more is allocated than the file can hold."""

    def __init__(self, size: int, map_location: Any) -> None:
        super().__init__(map_location)
        self.left = size
        self.blocks: dict[str, tuple[Any, Any]] = {}

    def fetch(self, key: str, numel: int, dt: Any) -> Any:
        nbytes = numel * (dt.itemsize if dt else 1)
        self.left -= nbytes
        if self.left < 0:
            raise RuntimeError(f"[load] storage {key!r} of {nbytes} bytes is larger than the rest of the file")
        storage = Storage(nbytes)
        self.blocks[key] = storage, dt
        return storage

    def fill(self, data: bytes, at: int, keys: Any) -> int:
        """Copy the storages' bytes, which lie behind each other from ``at`` on in the order of keys; return where they end."""
        if not (isinstance(keys, list) and all(isinstance(key, str) for key in keys) and sorted(keys) == sorted(self.blocks)):
            raise RuntimeError("[load] the storages behind the pickle are not those that it refers to")
        for key in keys:
            storage, dt = self.blocks[key]
            nbytes, itemsize = storage.nbytes(), dt.itemsize if dt else 1
            end = at + 8 + nbytes
            if end > len(data) or struct.unpack_from("<q", data, at)[0] * itemsize != nbytes:
                raise RuntimeError(f"[load] storage {key!r} of {nbytes} bytes is truncated or has another size")
            if nbytes:
                memoryview(storage)[:] = data[at + 8 : end]
                if self.swap:
                    swap_bytes(memoryview(storage), dt)
            at = end
        return at


class NoCheckpoint(RuntimeError, pickle.UnpicklingError):
    """A file that starts like none that ``save`` writes."""


def load_stream(
    file: IO[bytes], what: str, map_location: Any, allowed: dict[str, Any], full: Any = None, encoding: str | None = None
) -> Any:
    """Read a file that torch.save wrote before 1.6, or with _use_new_zipfile_serialization=False; leave it where the object ends.

    ``full``: for the object, (the rest of the file, storages) -> an unpickler that runs what the file says; None: one that runs nothing.
    """
    start = file.tell()
    data = file.read()
    at = 0

    def plain() -> Any:
        nonlocal at
        reader = unpickler.Unpickler(data, {}, None, None, at)
        found = reader.load()
        at = reader.at
        return found

    try:
        magic = plain()
    except pickle.UnpicklingError:
        magic = None
    if magic != MAGIC:
        raise NoCheckpoint(f"[load] {what} is no checkpoint: it starts with {data[:4]!r}; load reads what save of taeda or PyTorch wrote")
    version, system = plain(), plain()
    if version != VERSION or not isinstance(system, dict):
        raise RuntimeError(f"[load] the file's version {version!r} is not 1001, the last one before zip files")
    storages = StreamStorages(len(data), map_location)
    storages.swap = bool(system.get("little_endian", True)) != (sys.byteorder == "little")
    with elements_come_later():
        if full is None:
            reader = unpickler.Unpickler(data, TABLE, storages, allowed, at, encoding)
            obj = reader.load()
            at = reader.at
        else:
            rest = io.BytesIO(data[at:])
            obj = full(rest, storages).load()
            at += rest.tell()
        keys = plain()
        file.seek(start + storages.fill(data, at, keys))
    return obj


def write_stream(file: IO[bytes], protocol: int, pickled: bytes, blocks: Sequence[Any], numels: Sequence[int]) -> None:
    """Write the file that ``load_stream`` reads: the object's pickle, and its storages as their sizes and their bytes."""
    system = {
        "protocol_version": VERSION,
        "little_endian": sys.byteorder == "little",
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    for head in (MAGIC, VERSION, system):
        file.write(pickle.dumps(head, protocol))
    file.write(pickled)
    file.write(pickle.dumps([str(key) for key in range(len(blocks))], protocol))
    for block, numel in zip(blocks, numels, strict=True):
        file.write(struct.pack("=q", numel))
        file.write(block)

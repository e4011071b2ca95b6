"""Memory that is a file's, mapped, or the bytes of a buffer: ``from_file`` and the storages' ``from_file`` and ``from_buffer``."""

from __future__ import annotations

import os
import sys
import weakref
from operator import index
from typing import Any

from taeda.dtype import NAMES, get_default_dtype
from taeda.ops.conversion import frombuffer
from taeda.ops.creation import empty
from taeda.storage import Storage

__all__ = ["from_buffer", "from_file", "map_file", "name_of", "swap_bytes"]

_names: weakref.WeakKeyDictionary[Storage, str] = weakref.WeakKeyDictionary()


def name_of(storage: Storage) -> str | None:
    """Return the file that the storage is shared with."""
    return _names.get(storage)


def map_file(filename: Any, shared: bool | None, nbytes: int, op: str) -> Storage:
    """Return a storage on the first bytes of a file.

    ``shared``: writes go to the file, which is made, and grown, where it is too small; otherwise they stay in memory.

    Raises RuntimeError where the file cannot be opened or is too small.
    """
    if not isinstance(filename, (str, os.PathLike)):
        raise TypeError(f"[{op}] filename must be a str, got {type(filename).__name__}")
    if not 0 <= nbytes < 1 << 62:
        raise RuntimeError(f"[{op}] a file cannot be mapped to {nbytes} bytes")
    import mmap

    path, fresh = os.fspath(filename), not os.path.exists(filename)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY, 0o666)
    except OSError as error:
        mode = "read-write" if shared else "read-only"
        raise RuntimeError(f"[{op}] unable to open file <{path}> in {mode} mode: {error.strerror}") from None
    try:
        held = os.fstat(fd).st_size
        if held < nbytes and not shared:
            raise RuntimeError(f"[{op}] file <{path}> has {held} bytes, {nbytes} are to be mapped; shared=True makes it larger")
        if held < nbytes:
            os.ftruncate(fd, nbytes)
        if not nbytes:
            return Storage(0)
        memory = mmap.mmap(fd, nbytes, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
    except OSError as error:                                # no disk or address space for that much, or no file that can be mapped
        if fresh:
            os.unlink(path)
        elif os.fstat(fd).st_size > held:
            os.ftruncate(fd, held)
        raise RuntimeError(f"[{op}] unable to map {nbytes} bytes of file <{path}>: {error.strerror}") from None
    finally:
        os.close(fd)
    storage = frombuffer(memory, dtype=NAMES["uint8"]).untyped_storage()
    if shared:
        _names[storage] = path
    return storage


def from_file(
    filename: Any,
    shared: bool | None = None,
    size: int = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Return a 1-d tensor on the memory of a file.

    Args:
        filename: of raw elements, one after the other.
        shared: True writes what is written to the tensor to the file, which is made, and grown, where it is too small;
            otherwise the file stays as it is.
        size: the number of elements.
        dtype: of the elements; the default dtype where it is not given.

    Raises RuntimeError where the file cannot be opened or is too small, NotImplementedError for another device.

    >>> import taeda, tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     a = taeda.from_file(file.name, shared=True, size=2).fill_(3)
    ...     taeda.from_file(file.name, size=2)
    tensor([3., 3.])
    """
    dt = get_default_dtype() if dtype is None else dtype
    t = empty(0, dtype=dt, device=device)
    if t.device.type != "cpu":
        raise NotImplementedError(f"[from_file] a file's memory is on the cpu, not on {t.device}")
    t = t.set_(map_file(filename, shared, index(size) * dt.itemsize, "from_file"))
    return t.requires_grad_() if requires_grad else t


def from_buffer(buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0, *, dtype: Any = NAMES["uint8"]) -> Storage:
    """Return a copy of a buffer's bytes from ``offset`` on, ``count`` elements of ``dtype`` (-1: all), in this machine's order.

    ``byte_order``: "native", "little" or "big"; needed but for uint8.  Raises ValueError where the buffer holds fewer.
    """
    data = memoryview(buffer).cast("B")
    itemsize, left = dtype.itemsize, len(data) - offset
    if dtype != NAMES["uint8"]:
        if byte_order is None:
            raise RuntimeError("[from_buffer] missing required argument 'byte_order': 'native', 'little' or 'big'")
        if byte_order not in ("native", "little", "big"):
            raise ValueError(f"[from_buffer] byte_order must be 'native', 'little' or 'big', got {byte_order!r}")
    if offset < 0 or left < 0:
        raise ValueError(f"[from_buffer] offset {offset} must be non-negative and no greater than the buffer's {len(data)} bytes")
    if count < 0:
        if left % itemsize:
            raise ValueError(f"[from_buffer] {left} bytes after offset {offset} must be a multiple of the element size {itemsize}")
        count = left // itemsize
    if count * itemsize > left:
        raise ValueError(f"[from_buffer] {count} elements of {itemsize} bytes are asked for; after offset {offset} the buffer has {left}")
    storage = Storage(count * itemsize)
    if count:
        memoryview(storage)[:] = data[offset : offset + count * itemsize]
        if byte_order not in (None, "native", sys.byteorder):
            swap_bytes(memoryview(storage), dtype)
    return storage


def swap_bytes(block: memoryview, dt: Any) -> None:
    """Reverse the bytes of every number in place; a complex one is two."""
    width = (dt.itemsize // 2 if dt.is_complex else dt.itemsize) if dt else 1
    pieces = [block[i::width].tobytes() for i in range(width)]
    for i, piece in enumerate(reversed(pieces)):
        block[i::width] = piece

"""Transport: how a batch crosses from a worker to the training process.

A message is a pickle beside the raw bytes of its tensors and arrays. A small one goes through the connection
itself. A large one is written into an anonymous file in memory whose descriptor is sent; the receiver maps it
and builds the tensors over it without a copy. Such a file has no name, so neither a killed worker nor a
killed parent can leave anything behind, and it does not count against the size of /dev/shm, which containers
keep small.
"""

from __future__ import annotations

import contextlib
import errno
import io
import mmap
import os
import pickle
import socket
import struct
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import taeda

__all__ = ["receive", "send"]

INLINE = 32 * 1024  # bytes; a Unix socket takes several messages of this size without blocking
ALIGN = 64
# Every mapping holds a file descriptor. Past this many a batch is copied and its descriptor given back, so
# that list(loader) over thousands of batches does not run into the limit of open files.
MAX_MAPPED = 128
LARGEST_WRITE = 1 << 30

# in a file of its own?, bytes of the pickle, number of tensors' buffers, number of other buffers
_HEADER = struct.Struct("<?QII")

_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def _taken_by(buffers: list[memoryview]) -> Callable[[pickle.PickleBuffer], bool]:
    """A pickler's callback that puts buffers into a list, and knows no pickler: they would wait, tensors and all, for the collector."""

    def take(buffer: pickle.PickleBuffer) -> bool:
        try:
            buffers.append(buffer.raw())
        except BufferError:  # not contiguous: the pickle keeps it
            return True
        return False

    return take


class _Pickler(ForkingPickler):
    """Pickle everything but the bytes of tensors and of buffers, which are collected beside it."""

    def __init__(self, file: io.BytesIO) -> None:
        self.tensors: list[memoryview] = []
        self.others: list[memoryview] = []
        self.seen: dict[int, tuple[Any, Any]] = {}
        super().__init__(file, 5, True, _taken_by(self.others))

    def persistent_id(self, obj: Any) -> Any:
        """Replace a tensor in the CPU's memory by a description, once for each object."""
        if type(obj) is not taeda.Tensor:
            return None
        if id(obj) in self.seen:
            return self.seen[id(obj)][1]
        if obj.requires_grad and not obj.is_leaf:
            raise RuntimeError(
                "[DataLoader] a worker made a non-leaf tensor that requires grad, and autograd does not "
                "reach across processes; call detach() on it"
            )
        if obj.device.type != "cpu":
            return None
        try:
            array = obj.detach().contiguous().numpy()
        except (TypeError, RuntimeError):  # a dtype that NumPy lacks: the tensor pickles itself
            return None
        description = (len(self.tensors), array.dtype.str, array.shape, obj.requires_grad)
        self.tensors.append(memoryview(array.reshape(-1).view("u1")))
        self.seen[id(obj)] = (obj, description)  # keeps obj alive: an id must not be used twice
        return description


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, tensors: list[memoryview], others: list[memoryview]) -> None:
        self.tensors = tensors
        self.made: dict[int, taeda.Tensor] = {}
        super().__init__(file, buffers=others)

    def persistent_load(self, pid: Any) -> taeda.Tensor:
        import numpy as np

        index, dtype, shape, requires_grad = pid
        if index not in self.made:
            tensor = taeda.from_numpy(np.frombuffer(self.tensors[index], dtype=dtype).reshape(shape))
            self.made[index] = tensor.requires_grad_() if requires_grad else tensor
        return self.made[index]


def _memory_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("taeda-batch", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextlib.contextmanager
def _socket_of(connection: Connection) -> Iterator[socket.socket]:
    """Lend the connection's socket."""
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=connection.fileno())
    end.settimeout(None)  # whatever the program's default is
    try:
        yield end
    finally:
        end.detach()


def _send_descriptor(connection: Connection, fd: int) -> None:
    """Send a file's descriptor without waiting for an answer.

    ``multiprocessing.reduction.send_handle`` waits for one from Python 3.14 on, and would read the next request for it.
    """
    with _socket_of(connection) as end:
        socket.send_fds(end, [b"\0"], [fd])


def _receive_descriptor(connection: Connection) -> int:
    with _socket_of(connection) as end:
        message, fds, _, _ = socket.recv_fds(end, 1, 1)
    if not message:
        raise EOFError
    if not fds:
        raise OSError(
            errno.EMFILE,
            "[DataLoader] a batch could not be received, as this process has as many open files as it may; "
            "close some, or raise the limit (ulimit -n)",
        )
    return fds[0]


def _aligned(n: int) -> int:
    return -(-n // ALIGN) * ALIGN


def send(connection: Connection, obj: Any) -> None:
    """Send any object; tensors and arrays inside it go as raw bytes.

    Nothing has been sent where pickling raises, so the caller may send a report instead.
    """
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(obj)
    pickled = file.getbuffer()
    parts = [pickled, *pickler.tensors, *pickler.others]
    total = sum(_aligned(part.nbytes) for part in parts)
    apart = total > INLINE
    header = _HEADER.pack(apart, pickled.nbytes, len(pickler.tensors), len(pickler.others))
    header += struct.pack(f"<{len(parts) - 1}Q", *(part.nbytes for part in parts[1:]))
    if not apart:
        padded = (bytes(part).ljust(_aligned(part.nbytes), b"\0") for part in parts)
        connection.send_bytes(header + b"".join(padded))
        return
    fd = _memory_file()
    try:
        os.ftruncate(fd, total)
        offset = 0
        for part in parts:
            done = 0
            while done < part.nbytes:
                done += os.pwrite(fd, part[done : done + LARGEST_WRITE], offset + done)
            offset += _aligned(part.nbytes)
        connection.send_bytes(header)
        _send_descriptor(connection, fd)
    finally:
        os.close(fd)


def receive(connection: Connection) -> Any:
    """Receive what `send` sent; raise EOFError where the other end is gone."""
    message = memoryview(connection.recv_bytes())
    apart, pickled, n_tensors, n_others = _HEADER.unpack_from(message)
    count = n_tensors + n_others
    sizes = [pickled, *struct.unpack_from(f"<{count}Q", message, _HEADER.size)]
    region: Any
    if apart:
        fd = _receive_descriptor(connection)
        try:
            flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
            region = mmap.mmap(fd, sum(map(_aligned, sizes)), flags=flags)
        finally:
            os.close(fd)
        if len(_mapped) >= MAX_MAPPED:
            with region:
                region = bytearray(region)
        else:
            _mapped.add(region)
    else:
        region = bytearray(message[_HEADER.size + 8 * count :])
    whole = memoryview(region)
    parts = []
    offset = 0
    for size in sizes:
        parts.append(whole[offset : offset + size])
        offset += _aligned(size)
    return _Unpickler(io.BytesIO(parts[0]), parts[1 : 1 + n_tensors], parts[1 + n_tensors :]).load()

"""Memory that processes share: ``tensor.share_memory_()`` and what ``taeda.multiprocessing`` sends.

A block is an anonymous file in memory, mapped: it has no name, so that nothing is left behind when a process is
killed, and it goes when the last process lets go of it.  Children of a fork have the mapping already; others are
sent the file's descriptor.  A block is mapped once in a process: what arrives twice is one storage.
"""

from __future__ import annotations

import errno
import gc
import mmap
import os
import tempfile
import weakref
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import Any

from taeda.ops.copying import check_layout
from taeda.storage import OutOfMemoryError, Storage, storage_over
from taeda.tensor import Tensor
from taeda.tensor_base import TensorBase

_arrived: weakref.WeakValueDictionary[tuple[int, int], Storage] = weakref.WeakValueDictionary()   # by device and inode


def _new_file() -> int:
    """Return the descriptor of a file that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("taeda")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Block:
    """A mapped file without a name; ``memory`` is its writable buffer."""

    def __init__(self, fd: int, nbytes: int) -> None:
        self.fd = fd
        try:
            self.memory = mmap.mmap(fd, max(nbytes, 1))
        except OSError as error:
            if error.errno != errno.ENOMEM:
                raise
            raise OutOfMemoryError(f"[share_memory_] out of memory: {nbytes} bytes cannot be mapped") from error

    def __del__(self) -> None:
        os.close(self.fd)


def share(storage: Storage, alone: TensorBase | None = None) -> Storage:
    """Move the storage's bytes into a block of shared memory, with all tensors that lie on it: ``alone``, if that is known to be all."""
    if storage.is_shared():
        return storage
    holders: list[Any] = [alone]
    if alone is None:                                    # a walk over all objects: milliseconds, so once
        holders = [x for x in gc.get_referrers(storage) if isinstance(x, TensorBase)]
    for tensor in holders:                               # one that reaches beyond a shrunken storage cannot come along
        if tensor.numel():
            check_layout("share_memory_", tensor.shape, tensor.stride(), tensor.storage_offset(), tensor.element_size(), storage.nbytes())
    fd = _new_file()
    os.ftruncate(fd, max(storage.nbytes(), 1))
    block = Block(fd, storage.nbytes())
    storage._move_into(block.memory, block)
    for tensor in holders:
        tensor._storage_moved()
    _remember(storage, fd)
    return storage


def _remember(storage: Storage, fd: int) -> None:
    found = os.fstat(fd)
    _arrived[found.st_dev, found.st_ino] = storage


def _reduce(storage: Storage) -> tuple[Any, ...]:
    """Return how a storage crosses to another process: as the descriptor of its block, into which it moves first."""
    block = share(storage)._block()
    return _receive, (DupFd(block.fd), storage.nbytes())


def _receive(sent: Any, nbytes: int) -> Storage:
    fd = sent.detach()
    found = os.fstat(fd)
    storage = _arrived.get((found.st_dev, found.st_ino))
    if storage is not None:
        os.close(fd)
        return storage
    block = Block(fd, nbytes)
    storage = storage_over(block.memory, block, nbytes)
    _remember(storage, fd)
    return storage


def _reduce_tensor(tensor: Tensor) -> Any:
    """Return how a tensor crosses: by its storage.  Where it came from cannot cross with it."""
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(f"[multiprocessing] a tensor of shape {tuple(tensor.shape)} with a history cannot be sent: autograd does not "
                           "cross processes; send its detach()")
    return tensor.__reduce_ex__(2)


ForkingPickler.register(Storage, _reduce)
ForkingPickler.register(Tensor, _reduce_tensor)

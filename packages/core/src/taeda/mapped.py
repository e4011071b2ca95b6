"""Tensors whose memory is a file: ``taeda.from_file``."""

from __future__ import annotations

import mmap
import os
from typing import Any

from taeda.device import as_device, no_cuda
from taeda.dtype import get_default_dtype
from taeda.ops import empty, frombuffer

__all__ = ["from_file"]


def from_file(
    filename: str, shared: bool | None = None, size: int = 0, *, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Return the first ``size`` elements of a file as a tensor; no byte is read before it is used.

    With ``shared`` writes go to the file, which is made, or made longer, if need be; else they stay in memory.

    Raises:
        RuntimeError: the file cannot be opened, or is too short.

    >>> import os, tempfile, taeda
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     name = os.path.join(folder, "x")
    ...     _ = taeda.from_file(name, shared=True, size=3).copy_(taeda.tensor([1.0, 2.0, 3.0]))
    ...     taeda.from_file(name, size=3)
    tensor([1., 2., 3.])
    """
    if not isinstance(filename, (str, os.PathLike)):
        raise TypeError(f"[from_file] argument 'filename' must be str, not {type(filename).__name__}")
    if device is not None and as_device(device).type != "cpu":
        raise no_cuda("from_file")
    dtype = get_default_dtype() if dtype is None else dtype
    nbytes = size * dtype.itemsize
    if size < 0:
        raise RuntimeError(f"[from_file] size must not be negative, got {size}")
    try:
        file = os.open(filename, os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY, 0o666)
    except OSError as error:
        raise RuntimeError(f"[from_file] unable to open file <{filename}>: {error.strerror}") from error
    try:
        have = os.fstat(file).st_size
        if have < nbytes:
            if not shared:
                raise RuntimeError(f"[from_file] file <{filename}> has {have} bytes, {size} elements of {dtype} need {nbytes}")
            os.ftruncate(file, nbytes)
        if not nbytes:
            return empty(0, dtype=dtype)
        memory = mmap.mmap(file, nbytes, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
    finally:
        os.close(file)
    return frombuffer(memory, dtype=dtype)

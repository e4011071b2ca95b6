"""Files that are replaced whole or not at all: a new file beside the old one, synced, then renamed over it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


class SaveError(OSError, RuntimeError):
    """A file could not be written: an OSError with its errno, and the RuntimeError that PyTorch raises."""


@contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """Open a file that takes the name ``path`` at the end of the block, if the block and the disk agree."""
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"[save] Parent directory {folder} does not exist.")
    try:
        mode: int | None = os.stat(path).st_mode
    except OSError:
        mode = None
    if mode is not None and stat.S_ISDIR(mode):
        raise SaveError(errno.EISDIR, f"[save] {path} is a folder")
    if mode is not None and not stat.S_ISREG(mode):  # a device or a pipe has nothing to keep
        with guarded(path, None), open(path, "wb") as file:
            yield file
        return
    fresh = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(6)}.tmp")
    with guarded(path, fresh):
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), "wb") as file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(fresh, stat.S_IMODE(mode))
            os.fsync(file.fileno())
        os.replace(fresh, path)
        sync_folder(folder)


@contextmanager
def guarded(path: str, fresh: str | None) -> Iterator[None]:
    """Remove the new file after a failure, and say what became of the old one."""
    try:
        yield
    except BaseException as e:
        if fresh is not None and os.path.exists(fresh):
            os.unlink(fresh)
        if isinstance(e, OSError) and not isinstance(e, SaveError):
            text = f"[save] {e.strerror or e} while writing {path}; what was there before is unchanged"
            raise SaveError(e.errno or errno.EIO, text) from e
        raise


def sync_folder(folder: str) -> None:
    """Put a rename on the disk, where the system can."""
    try:
        fd = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)

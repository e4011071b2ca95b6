"""PyTorchFileReader: the records of a checkpoint file one by one, for programs that load weights piece by piece."""

from __future__ import annotations

import os
import weakref
from typing import IO, Any

from taeda.dtype import uint8
from taeda.ops import empty, frombuffer
from taeda.serialization.zip_archive import Reader
from taeda.storage import Storage
from taeda.typed_storage import TypedStorage

__all__ = ["PyTorchFileReader"]


class PyTorchFileReader:
    """Read the records of a file that ``taeda.save`` or PyTorch's wrote; nothing of it is run.

    Args:
        name_or_buffer: a path, or a file that can be read and sought.

    Raises RuntimeError for a file that is not there or no such archive, and for records that it does not have.

    >>> import io, taeda
    >>> from taeda.serialization.file_reader import PyTorchFileReader
    >>> file = io.BytesIO()
    >>> taeda.save({"w": taeda.tensor([1.0, 2.0])}, file)
    >>> reader = PyTorchFileReader(file)
    >>> reader.has_record("data/0"), reader.get_storage_from_record("data/0", 2, taeda.float32)
    (True, tensor([1., 2.]))
    """

    def __init__(self, name_or_buffer: str | os.PathLike[str] | IO[bytes]) -> None:
        what, file = "the file", name_or_buffer
        if isinstance(name_or_buffer, (str, os.PathLike)):
            what = os.fspath(name_or_buffer)
            try:
                file = open(name_or_buffer, "rb")  # noqa: SIM115 - as long as the reader lives
            except OSError as error:
                raise RuntimeError(f"[PyTorchFileReader] open file failed: {error.strerror}, file path: {what}") from error
            weakref.finalize(self, file.close)
        self._reader = Reader(file, what)  # type: ignore[arg-type]

    def _known(self, name: str) -> str:
        if name not in self._reader:
            raise RuntimeError(f"[PyTorchFileReader] failed locating file {name}: file not found; there are {self.get_all_records()}")
        return name

    def get_all_records(self) -> list[str]:
        """Return the names of all records."""
        return list(self._reader.records)

    def has_record(self, name: str) -> bool:
        """Whether there is a record of that name."""
        return name in self._reader

    def get_record(self, name: str) -> bytes:
        """Return a record's bytes."""
        return self._reader.read(self._known(name))

    def get_record_size(self, name: str) -> int:
        """Return how many bytes a record has."""
        return self._reader.nbytes(self._known(name))

    def get_record_offset(self, name: str) -> int:
        """Return where in the file a record's bytes begin."""
        return self._reader.records[self._known(name)][0]

    def get_storage_from_record(self, name: str, numel: int, dtype: Any) -> Any:
        """Return a record's bytes as a tensor of ``numel`` elements; for ``UntypedStorage`` in the dtype's place, of bytes."""
        if isinstance(dtype, type) and issubclass(dtype, (Storage, TypedStorage)):
            dtype = getattr(dtype, "dtype", uint8) if dtype is not Storage else uint8
        data = bytearray(self.get_record(name))
        return frombuffer(data, dtype=dtype, count=numel) if numel else empty(0, dtype=dtype)

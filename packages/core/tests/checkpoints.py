"""Checkpoints for tests: what is saved, and archives of pickles written by hand."""

from __future__ import annotations

import io
import struct
from typing import Any

import taeda
from taeda.serialization import zip_archive


def saved(obj: Any) -> io.BytesIO:
    file = io.BytesIO()
    taeda.save(obj, file)
    file.seek(0)
    return file


def around(obj: Any) -> Any:
    return taeda.load(saved(obj))


def archive(pickled: bytes, records: dict[str, bytes] | None = None, root: str = "a", order: bytes | None = b"little") -> io.BytesIO:
    """A checkpoint of a given pickle."""
    file = io.BytesIO()
    out = zip_archive.Writer(file, root)
    out.record("data.pkl", pickled)
    if order is not None:
        out.record("byteorder", order)
    for name, data in (records or {}).items():
        out.record(name, data)
    out.close()
    file.seek(0)
    return file


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def number(n: int) -> bytes:
    return b"\x8a\x10" + n.to_bytes(16, "little", signed=True)


def numbers(values: Any) -> bytes:
    return b"(" + b"".join(number(n) for n in values) + b"t"


def text(s: str) -> bytes:
    return b"X" + struct.pack("<I", len(s)) + s.encode()


def tensor_pickle(offset: int, size: Any, stride: Any, numel: int = 4, key: str = "0", kind: str = "FloatStorage") -> bytes:
    """The pickle of one tensor, as PyTorch writes it."""
    pid = b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + number(numel) + b"tQ"
    layout = number(offset) + numbers(size) + numbers(stride)
    return b"\x80\x02" + name("torch._utils", "_rebuild_tensor_v2") + b"(" + pid + layout + b"\x89}tR."


ONES = struct.pack("<4f", 1, 2, 3, 4)


class Mine:
    """A class of the user's."""

    def __init__(self, x: Any) -> None:
        self.x = x

"""The zip container of checkpoints: records stored uncompressed, their data 64-byte aligned.

The layout is PyTorch's, so its reader can map the file.  The reader here believes nothing that the file says
before it has been compared with the file's size: records must lie inside the file, not overlap, and carry plain
names, so what can be allocated from a file is bounded by its size.  Records that another program has deflated
are read too, as PyTorch's reader does, up to a size of all together that is bounded likewise (``ROOM``, ``RATIO``).
"""

from __future__ import annotations

import itertools
import os
import struct
import zipfile
import zlib
from typing import IO, Any

from taeda.checksum import crc32

ALIGNMENT = 64
LARGE = 0xFFFFFFFF  # sizes and offsets from here on go into zip64 fields ...
ELSEWHERE = 0xFFFFFFFF  # ... and this stands in their place
DATE = 0x0021  # 1980-01-01: the same objects give the same bytes
UTF8 = 0x0800
ROOM, RATIO = 1 << 28, 100  # deflated records may have 256 MiB and a hundred times the file's size together
CHUNK = 1 << 18  # bytes that stay in the second-level cache between being read and being summed


def short(n: int) -> int:
    """Return a size or offset as a 32-bit field shows it."""
    return ELSEWHERE if n >= LARGE else n


class Writer:
    """Write records one after the other to anything with ``write``."""

    def __init__(self, file: IO[bytes], root: str, checksums: bool = True, alignment: int = ALIGNMENT) -> None:
        self.file = file
        self.root = root
        self.checksums = checksums
        self.alignment = alignment
        self.at = 0
        self.entries: list[tuple[bytes, int, int, int]] = []  # name, crc, size, offset of the header

    def write(self, data: Any) -> None:
        self.file.write(data)
        self.at += len(data)

    def record(self, name: str, data: Any) -> None:
        """Write one record; data is bytes or a memoryview of bytes."""
        path = f"{self.root}/{name}".encode()
        size, crc, offset = len(data), crc32(data) if self.checksums else 0, self.at
        large = size >= LARGE
        extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
        start = offset + 30 + len(path) + len(extra) + 4
        padding = -start % self.alignment
        extra += struct.pack("<HH", 0x4246, padding) + b"Z" * padding  # an unknown field is skipped by readers
        shown = ELSEWHERE if large else size
        version = 45 if large else 20
        head = struct.pack("<IHHHHHIIIHH", 0x04034B50, version, UTF8, 0, 0, DATE, crc, shown, shown, len(path), len(extra))
        self.write(head + path + extra)
        for i in range(0, size, CHUNK):
            self.write(data[i : i + CHUNK])
        self.entries.append((path, crc, size, offset))

    def close(self) -> None:
        """Write the central directory."""
        start = self.at
        for path, crc, size, offset in self.entries:
            wide = b"".join(struct.pack("<Q", n) for n in (size, size, offset) if n >= LARGE)
            extra = struct.pack("<HH", 1, len(wide)) + wide if wide else b""
            version = 45 if wide else 20
            shown, where = short(size), short(offset)
            head = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, version, version, UTF8, 0, 0, DATE, crc, shown, shown,
                               len(path), len(extra), 0, 0, 0, 0, where)
            self.write(head + path + extra)
        count, size, end = len(self.entries), self.at - start, self.at
        if count >= 0xFFFF or size >= LARGE or start >= LARGE:
            self.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, start))
            self.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        shown = min(count, 0xFFFF)
        self.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, shown, shown, short(size), short(start), 0))


class Reader:
    """Read records of a zip file after all of them were checked.

    Raises:
        RuntimeError: where the file is not a zip file, or truncated, or a record is encrypted, outside the file, over
            another one, twice there, oddly named, compressed otherwise than by deflate, or too large then.
    """

    def __init__(self, file: IO[bytes], what: str) -> None:
        self.file = file
        self.what = what
        self.deflated: dict[str, int] = {}  # the records that are, and how many bytes they have in the file
        file.seek(0, os.SEEK_END)
        self.size = file.tell()
        try:
            infos = zipfile.ZipFile(file).infolist()
            self.records = self.check(infos)
        except (
            zipfile.BadZipFile,
            struct.error,
            NotImplementedError,
            ValueError,
            IndexError,
            OverflowError,
        ) as e:
            what = "failed finding central directory" if isinstance(e, zipfile.BadZipFile) else str(e)
            raise self.error(f"PytorchStreamReader failed reading zip archive: {what}; the file may be truncated or damaged") from e

    def error(self, text: str) -> RuntimeError:
        return RuntimeError(f"[load] {self.what}: {text}")

    def check(self, infos: list[zipfile.ZipInfo]) -> dict[str, tuple[int, int, int]]:
        """Return record name -> (start of the data, size, crc)."""
        found: dict[str, tuple[int, int, int]] = {}
        spans = []
        root = infos[0].filename.partition("/")[0] if infos else ""
        for info in infos:
            name = info.orig_filename
            parts = name.split("/")
            if "\\" in name or "\0" in name or "" in parts[:-1] or ".." in parts or len(parts) < 2:
                raise self.error(f"record name {name!r} is not a plain path below one folder")
            if parts[0] != root:
                raise self.error(f"records lie in two folders, {root!r} and {parts[0]!r}")
            if info.is_dir():
                continue
            key = name[len(root) + 1 :]
            if key in found:
                raise self.error(f"record {key!r} is there twice")
            if info.compress_type == zipfile.ZIP_DEFLATED:
                self.deflated[key] = info.compress_size
            elif info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise self.error(
                    f"record {key!r} is compressed ({info.compress_size} bytes for {info.file_size}) by a method other than deflate"
                )
            if info.flag_bits & 0x1:
                raise self.error(f"record {key!r} is encrypted")
            start = self.data_start(info, key)
            if start + info.compress_size > self.size:
                raise self.error(f"record {key!r} has {info.compress_size} bytes at {start}, but the file ends at {self.size}")
            spans.append((info.header_offset, start + info.compress_size, key))
            found[key] = (start, info.file_size, info.CRC)
        spans.sort()
        for (_, end, first), (begin, _, second) in itertools.pairwise(spans):
            if begin < end:
                raise self.error(f"records {first!r} and {second!r} overlap")
        total = sum(found[key][1] for key in self.deflated)
        if total > ROOM + RATIO * self.size:
            raise self.error(f"the compressed records say that they have {total} bytes, of a file of {self.size}")
        return found

    def data_start(self, info: zipfile.ZipInfo, key: str) -> int:
        header = b""
        if 0 <= info.header_offset < self.size:             # a file that is longer in its own words moves it by what is missing
            self.file.seek(info.header_offset)
            header = self.file.read(30)
        if len(header) < 30 or header[:4] != b"PK\3\4":
            raise self.error(f"record {key!r} has no header at {info.header_offset}")
        name, extra = struct.unpack_from("<HH", header, 26)
        return int(info.header_offset + 30 + name + extra)

    def __contains__(self, name: str) -> bool:
        return name in self.records

    def nbytes(self, name: str) -> int:
        """Return a record's size."""
        return self.records[name][1]

    def read(self, name: str) -> bytes:
        """Return a record's bytes, its checksum verified."""
        block = bytearray(self.nbytes(name))
        self.read_into(name, memoryview(block))
        return bytes(block)

    def read_into(self, name: str, block: memoryview) -> None:
        """Fill block, which has the record's size; a checksum of 0 says that the writer made none."""
        start, size, crc = self.records[name]
        self.file.seek(start)
        if name in self.deflated:
            self.inflate_into(name, block, crc)
            return
        sum_, i = 0, 0
        while i < size:
            piece = block[i : min(i + CHUNK, size)]
            n = self.into(piece)
            if not n:
                raise self.error(f"record {name!r} ends after {i} of {size} bytes")
            if not 0 < n <= len(piece):
                raise self.error(f"its object says that it has read {n} bytes of {len(piece)}")
            if crc:
                sum_ = crc32(piece[:n], sum_)
            i += n
        if crc and sum_ != crc:
            raise self.error(f"record {name!r} is damaged: its checksum is {sum_:08x}, the file says {crc:08x}")

    def inflate_into(self, name: str, block: memoryview, crc: int) -> None:
        """Fill block from the deflated record at which the file stands."""
        left, at, sum_ = self.deflated[name], 0, 0
        stream, given = zlib.decompressobj(-zlib.MAX_WBITS), b""
        try:
            while not stream.eof:
                if not given:
                    given = self.file.read(min(left, CHUNK))
                    left -= len(given)
                made = stream.decompress(given, CHUNK)          # the last bytes may be of several pieces
                if not (given or made or stream.eof):
                    raise self.error(f"record {name!r} ends after {at} of {len(block)} bytes")
                given = stream.unconsumed_tail
                if at + len(made) > len(block):
                    raise self.error(f"record {name!r} has more bytes than the {len(block)} that the file says")
                block[at : at + len(made)] = made
                at, sum_ = at + len(made), crc32(made, sum_) if crc else 0
        except zlib.error as e:
            raise self.error(f"record {name!r} is damaged: {e}") from e
        if at < len(block):
            raise self.error(f"record {name!r} ends after {at} of {len(block)} bytes")
        if crc and sum_ != crc:
            raise self.error(f"record {name!r} is damaged: its checksum is {sum_:08x}, the file says {crc:08x}")

    def into(self, piece: memoryview) -> int:
        if hasattr(self.file, "readinto"):
            return int(self.file.readinto(piece) or 0)
        data = self.file.read(len(piece))
        piece[: len(data)] = data
        return len(data)

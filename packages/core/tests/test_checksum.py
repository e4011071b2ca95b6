"""The checksum of records: zlib's, whatever the length and what came before."""

from __future__ import annotations

import zlib

import pytest

from taeda.checksum import crc32


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 271, 272, 300, 575, 576, 4099, 1 << 20])
def test_checksums_are_those_of_zlib(n: int) -> None:
    data = bytes((i * i * 37 + i // 251) & 0xFF for i in range(n))
    for value in (0, 1, 0xDEADBEEF, 0xFFFFFFFF):
        assert crc32(data, value) == zlib.crc32(data, value)
    assert crc32(memoryview(bytearray(data))) == zlib.crc32(data)
    assert crc32(data[n // 3:], crc32(data[:n // 3])) == zlib.crc32(data)

"""PNG files of 16 bits per channel, as flows and depths are kept in: Pillow would read their colours with 8."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["read_png16"]

Array = np.ndarray[Any, Any]
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}                        # of grey, RGB, and both with alpha


def read_png16(data: bytes) -> Array | None:
    """Return the values of a file, uint16 H x W x C; None for what is no PNG file of 16 bits, or an interlaced one.

    Raises:
        OSError: the file is damaged, or has more than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels.
    """
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    w, h, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if bits != 16 or interlaced or colour not in _CHANNELS:
        return None
    if not w or not h:
        raise OSError(f"[decode_png] the file is damaged: {w} x {h} pixels")
    if w * h > (Image.MAX_IMAGE_PIXELS or w * h):
        raise OSError(f"[decode_png] {w} x {h} pixels are refused: more than {Image.MAX_IMAGE_PIXELS}, PIL.Image.MAX_IMAGE_PIXELS")
    step = 2 * _CHANNELS[colour]
    size = h * (1 + w * step)
    try:
        rows = zlib.decompressobj().decompress(_packed(data), size)
    except (zlib.error, struct.error) as error:
        raise OSError(f"[decode_png] the file is damaged: {error}") from error
    if len(rows) != size:
        raise OSError(f"[decode_png] the file is damaged: it has {len(rows)} bytes for {w} x {h} pixels, not {size}")
    lines = np.frombuffer(rows, np.uint8).reshape(h, 1 + w * step)
    if lines[:, 0].max() > 4:
        raise OSError(f"[decode_png] the file is damaged: there is no filter {lines[:, 0].max()}")
    return _unfiltered(lines[:, 0], lines[:, 1:].reshape(h, w, step)).view(">u2").astype(np.uint16)


def _packed(data: bytes) -> bytes:
    """Return what all chunks of pixels hold together."""
    parts, at = [], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if struct.pack(">I", zlib.crc32(kind + body)) != data[at + 8 + length : at + 12 + length]:
            raise OSError(f"[decode_png] the file is damaged: the sum of a chunk {kind!r} is wrong")
        if kind == b"IDAT":
            parts.append(body)
        at += 12 + length
    return b"".join(parts)


def _unfiltered(kinds: Array, x: Array) -> Array:
    """Add to each byte what its row's filter foretells from the pixels to the left (a), above (b) and above left (c).

    Pixels on a line from bottom left to top right do not depend on each other: one line at a time, whichever filters the rows have.
    """
    h, w, step = x.shape
    y = np.zeros((h + 1, w + 1, step), np.int16)
    for line in range(h + w - 1):
        i = np.arange(max(0, line - w + 1), min(h, line + 1))
        j = line - i
        a, b, c = y[i + 1, j], y[i, j + 1], y[i, j]
        to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
        nearest = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
        foretold = np.choose(kinds[i, None], (np.zeros_like(a), a, b, (a + b) // 2, nearest))
        y[i + 1, j + 1] = (x[i, j] + foretold) & 255
    return np.ascontiguousarray(y[1:, 1:].astype(np.uint8))

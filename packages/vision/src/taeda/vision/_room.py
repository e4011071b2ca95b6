"""Room for pictures: the C library is told once to keep the memory of those that are gone for those that come.

Pillow and NumPy ask malloc for the memory of each picture. glibc takes what is larger than 128 KiB from the kernel and gives it back at
once, so that every picture costs a fault a page: 48 of 224 x 224 pixels, 100 us for a flip of 30. When a larger block is freed, glibc
raises both limits to its size, up to 32 MiB; a block of that size, never touched, costs nothing.
"""

from __future__ import annotations

import contextlib

import numpy as np

with contextlib.suppress(MemoryError):          # a process that may not have as much goes without
    np.empty((32 << 20) - (64 << 10), np.uint8)

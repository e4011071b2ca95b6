"""Write the table of Sobol direction numbers that ``taeda.quasirandom`` reads.

    python tools/pack_direction_numbers.py TABLE packages/core/src/taeda/quasirandom/direction_numbers.bin

TABLE is ``new-joe-kuo-6.21201`` of https://web.maths.unsw.edu.au/~fkuo/sobol/, or the same numbers as SciPy ships them:
``scipy/stats/_sobol_direction_numbers.npz`` (``poly``, the polynomials as bits; ``vinit``, the first numbers of each row).
The layout is described where it is read: ``taeda/quasirandom/direction_numbers.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def read(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return polynomials (n,) and first direction numbers (n, 18), the degenerate first dimension included."""
    if path.endswith(".npz"):
        with np.load(path) as table:
            return table["poly"], table["vinit"]
    rows = [[int(word) for word in line.split()] for line in Path(path).read_text().splitlines()[1:]]
    polynomials = np.array([1] + [(1 << s) + 2 * a + 1 for _, s, a, *_ in rows])
    numbers = np.zeros((len(rows) + 1, 18), np.int64)
    for i, (_, s, _, *m) in enumerate(rows):
        numbers[i + 1, :s] = m
    return polynomials, numbers


def pack(polynomials: np.ndarray, numbers: np.ndarray) -> bytes:
    """Return the file's bytes."""
    steps = np.diff(polynomials) // 2
    assert steps.min() > 0 and steps.max() < 256
    degree = np.array([int(p).bit_length() - 1 for p in polynomials])
    parts = [steps.astype(np.uint8).tobytes()]
    for j in range(2, 19):
        column = numbers[degree >= j, j - 1]
        assert (column % 2 == 1).all() and column.max() < 1 << j
        bits = column[:, None] >> np.arange(1, j) & 1
        parts.append(np.packbits(bits.astype(np.uint8).reshape(-1), bitorder="little").tobytes())
    return b"".join(parts)


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(pack(*read(sys.argv[1])))

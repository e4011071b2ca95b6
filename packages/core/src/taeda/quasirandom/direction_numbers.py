"""The direction numbers of Sobol sequences: a table of 21201 dimensions, and the recurrence that continues its rows.

The numbers are those of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections",
SIAM J. Sci. Comput. 30 (2008), 2635-2654: the set ``new-joe-kuo-6.21201``, published at
https://web.maths.unsw.edu.au/~fkuo/sobol/ under the BSD licence that lies beside the table (``direction_numbers.LICENSE``).
``tools/pack_direction_numbers.py`` writes the file.

Row d of the table is a primitive polynomial over GF(2) of degree s and s odd numbers, m_j < 2^j. In the file:

A. The polynomials, as bits, ascend through the rows from 1, that of the first row; 21200 bytes hold half of each step.
B. For j = 2 ... 18, the numbers m_j of all rows of degree j or more: (m_j - 1) / 2 in j - 1 bits, lowest bit first, rows
   end to end, the last byte of each j filled with zeros. m_1 is 1.

The numbers are as good as random, so that nothing could press them further. Only the rows asked for are unpacked.
"""

from __future__ import annotations

import functools
from importlib import resources

import numpy as np

__all__ = ["MAXBIT", "MAXDIM", "direction_numbers"]

MAXBIT = 30
MAXDIM = 21201


@functools.cache
def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the polynomials, their degrees, and the packed numbers (B)."""
    data = np.frombuffer(resources.files(__package__).joinpath("direction_numbers.bin").read_bytes(), np.uint8)
    polynomials = np.ones(MAXDIM, np.int64)
    polynomials[1:] += 2 * np.cumsum(data[: MAXDIM - 1], dtype=np.int64)
    degrees = np.frexp(polynomials)[1].astype(np.int64) - 1
    return polynomials, degrees, data[MAXDIM - 1:]


@functools.lru_cache(2)                    # a program makes engine after engine of the same dimension
def direction_numbers(dimension: int) -> np.ndarray:
    r"""Return the direction numbers of the first dimensions, int64 of shape (dimension, 30); not to be written to.

    Bit j of a point's index flips it by number j, m_j scaled to 30 bits. From the degree s on a row goes by its polynomial:
    :math:`m_j = m_{j-s} \oplus \bigoplus_{k=1}^{s} 2^k a_k m_{j-k}`, with :math:`a_s = 1`.
    """
    polynomials, degrees, packed = table()
    m = np.ones((MAXBIT, dimension), np.int64)
    start = 0
    for j in range(2, 19):
        first = int(np.searchsorted(degrees, j))           # degrees ascend, as the polynomials do
        if first < dimension:
            count, width = dimension - first, j - 1
            bits = np.unpackbits(packed[start:], count=count * width, bitorder="little").reshape(count, width)
            m[j - 1, first:] = 1 + (bits.astype(np.int64) << np.arange(1, j)).sum(1)
        start += ((MAXDIM - first) * (j - 1) + 7) // 8
    polynomials, degrees = polynomials[:dimension], degrees[:dimension]
    row = np.arange(dimension)
    shifts = range(1, int(degrees[-1]) + 1)
    coefficients = [np.where(degrees >= k, (polynomials >> np.maximum(degrees - k, 0) & 1) << k, 0) for k in shifts]
    for j in range(1, MAXBIT):
        rows = int(np.searchsorted(degrees, j, side="right"))          # those whose own numbers have run out
        value = m[j - degrees[1:rows], row[1:rows]]                    # the first row is all ones
        for k, coefficient in zip(range(1, j + 1), coefficients, strict=False):
            value ^= coefficient[1:rows] * m[j - k, 1:rows]
        m[j, 1:rows] = value
    return np.ascontiguousarray((m << np.arange(MAXBIT - 1, -1, -1)[:, None]).T)

# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""CRC-32, the checksum of the records of a checkpoint: as ``zlib.crc32``, at the speed of memory where the processor has the products."""
from libc.stdint cimport uint32_t

import zlib

cdef extern from "checksum.h" nogil:
    bint can_fold()
    void fold(const unsigned char* p, size_t n, uint32_t state, unsigned char* out)

cdef bint FOLDS = can_fold()


def crc32(const unsigned char[::1] data, uint32_t value=0):
    """Return the CRC-32 of ``value``'s bytes, whatever they were, and these after them."""
    cdef size_t n = data.shape[0], whole = n & ~<size_t>15
    cdef unsigned char out[16]
    if not FOLDS or n < 256:
        return zlib.crc32(data, value)
    with nogil:
        fold(&data[0], whole, ~value, out)
    return zlib.crc32(bytes(out[:16]) + bytes(data[whole:]), 0xFFFFFFFF)

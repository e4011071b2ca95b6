# Which 3x3 convolutions Winograd's method computes, by shape alone.
from libc.stdint cimport int64_t


cdef inline bint wins(int64_t images, int64_t rows, int64_t cols, int64_t c, int64_t o) noexcept nogil:
    """Whether it is clearly faster than the sum as it stands, for results of images x o x rows x cols from c channels.

    Both are counted in operations on 16 floats.  For each tile of 4x4 results, 36 products a pair of channels, and transforms of
    about 20 for each channel (8 at a time); 14 transform one pair's kernel.  The sum has 9 products a result and pair, and 4 pack
    one pair's kernel.  Checked against times of 100 shapes from 4 to 512 channels, 4x4 to 56x56 pixels.
    """
    cdef double tiles = <double>images * ((rows + 3) // 4) * ((cols + 3) // 4), c8 = (c + 7) // 8 * 8, o8 = (o + 7) // 8 * 8
    cdef double here = tiles * (36.0 / 16 * c8 * o8 + 20 * (c8 + o8)) + 14 * c8 * o8 + 12000
    cdef double there = <double>images * rows * cols * 9 / 16 * c * o + 4.0 * c * o + 6000
    return here < 0.9 * there

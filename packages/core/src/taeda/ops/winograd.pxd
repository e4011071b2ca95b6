# Which convolutions Winograd's method computes, by shape alone.
from libc.stdint cimport int64_t

cdef enum:
    WIDEST = 19                  # dilation: six pixels of a tile lie in a strip of 98 columns


cdef inline bint knows(int64_t side, int64_t stride, int64_t dilation) noexcept nogil:
    """Whether there is a method for kernels of side x side taps."""
    if stride == 1:
        return (side == 3 or side == 5) and dilation <= WIDEST
    return stride == 2 and dilation == 1 and 3 <= side <= 6


cdef inline int64_t tiles_along(int64_t n, int64_t size, int64_t dilation) noexcept nogil:
    cdef int64_t each = (n + dilation - 1) // dilation
    return min(n, dilation) * ((each + size - 1) // size)


cdef inline int64_t results_along(int64_t n, int64_t pad, int64_t stride) noexcept nogil:
    """What of n pixels of an input gradient tiles cover: each stride-th, from the first that some part of the kernel gives."""
    return (n - 1 + pad) // stride - pad // stride + 1 if stride > 1 else n


cdef inline int64_t up(int64_t n, int64_t to) noexcept nogil:
    return (n + to - 1) // to * to


cdef inline double cost(int64_t planes, int64_t rows, int64_t cols, int64_t c, int64_t o, int64_t deep, int64_t side, int64_t stride,
                        int64_t down, int64_t across, bint input_gradient) noexcept nogil:
    """Of results for planes x o images from c channels by kernels of deep x side x side taps, dilated by down and across, or a gradient
    of them, on tiles that cover rows x cols: in operations on 16 floats.

    For each tile, 36 products of every term (a channel in one plane; a stride makes four) and lane (a channel of what is computed, in
    panels), and transforms of about 20 for each of both (8 at a time), as much again where results do not lie side by side; 14 transform
    one pair's kernel.  Checked, with plain_cost, against times of 300 shapes from 4 to 512 channels, 4x4 to 56x56 pixels.
    """
    cdef int64_t size = 7 - (side + stride - 1) // stride, lanes = c if input_gradient else o, phases = stride * stride
    cdef double tiles = <double>planes * tiles_along(rows, size, down) * tiles_along(cols, size, across)
    cdef double terms = up(o if input_gradient else c, 8) * deep * (1 if input_gradient else phases)
    cdef double panels = (up(lanes, 32) if lanes > 16 else 16) * (phases if input_gradient else 1)
    cdef double eights = up(lanes, 8) * (phases if input_gradient else 1)
    cdef double spread = 40 if across > 1 or (input_gradient and stride > 1) else 20
    return tiles * (36.0 / 16 * terms * panels + 20 * terms + spread * eights) + 14 * terms * eights + 12000


cdef inline double plain_cost(int64_t results, double weights) noexcept nogil:
    """Of the sum as it stands, for so many results of every channel: one product a result and weight, 4 of 9 pack one weight."""
    return weights * (results / 16.0 + 4.0 / 9) + 6000

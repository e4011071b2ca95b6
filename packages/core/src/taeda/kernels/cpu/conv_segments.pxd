# Axes of a convolution cut where the taps that reach a pixel change: shared by the choice of kernels and by conv_places.
from libc.stdint cimport int64_t

cdef enum:
    SEGMENTS = 16                  # of an axis, at most

ctypedef struct Segment:           # of an axis of results: its places, and the taps that reach a pixel from any of them
    int64_t start, stop, low, high


cdef inline int64_t floored(int64_t a, int64_t b) noexcept nogil:
    return a // b if a >= 0 else -((b - 1 - a) // b)


cdef inline int64_t segments(Segment* s, int64_t places, int64_t pixels, int64_t taps, int64_t stride, int64_t pad, int64_t step,
                             int64_t least) noexcept nogil:
    """Cut an axis where place i's taps k, those with 0 <= i stride + k step - pad < pixels, change; how many segments there are.

    Going out from the widest one, as many are joined as have `least` places.  An axis of too many is one segment.
    """
    cdef Segment found[SEGMENTS]
    cdef int64_t i = 0, k, low, high, n = 0, m = 0, widest = 0, first, many
    while i < places:
        low = max(<int64_t>0, -floored(i * stride - pad, step))
        high = min(taps, floored(pixels - 1 + pad - i * stride, step) + 1)
        if high <= low:
            low = high = 0
        if n == 0 or found[n - 1].low != low or found[n - 1].high != high:
            if n == SEGMENTS:
                s[0].start, s[0].stop, s[0].low, s[0].high = 0, places, 0, taps
                return 1
            found[n].start, found[n].low, found[n].high = i, low, high
            n += 1
        if low == 0 and high == taps:            # no place changes before this one
            i = max(i, min(places - 1, floored(pixels - 1 + pad - (taps - 1) * step, stride)))
        i += 1
        found[n - 1].stop = i
    for i in range(n):
        if found[i].stop - found[i].start > found[widest].stop - found[widest].start:
            widest = i
    i = 0
    while i < n:
        first = i                                # how many of these are joined: before the widest the first group is the one that is cut
        many = found[i].stop - found[i].start
        i += 1
        while i < n and first != widest and i != widest and (
                (many < least) if first > widest else (found[widest].start - found[i].start) % least != 0):
            many += found[i].stop - found[i].start
            i += 1
        s[m].start, s[m].stop, s[m].low, s[m].high = found[first].start, found[i - 1].stop, taps, 0
        for k in range(first, i):
            if found[k].high > found[k].low:
                s[m].low, s[m].high = min(s[m].low, found[k].low), max(s[m].high, found[k].high)
        if s[m].high == 0:
            s[m].low = 0
        m += 1
    return m

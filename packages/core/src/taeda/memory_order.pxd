# The order in which a view's dimensions lie in memory.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport View


cdef inline bint dense(const View* v) noexcept:
    """Does every element of the memory that v spans belong to just one index?"""
    cdef int64_t expected = 1
    cdef int d, found, left = 0
    if v.contiguous and v.numel:
        return True
    for d in range(v.ndim):
        left += v.shape[d] > 1
    while left:
        found = -1
        for d in range(v.ndim):
            if v.shape[d] > 1 and v.strides[d] == expected:
                found = d
        if found < 0:
            return False
        expected *= v.shape[found]
        left -= 1
    return True


cdef inline bint same_order(const View* a, const View* b) noexcept:
    """Do two views of one shape have the same strides, but for dimensions of size 1?"""
    cdef int d
    for d in range(a.ndim):
        if a.shape[d] != 1 and a.strides[d] != b.strides[d]:
            return False
    return True

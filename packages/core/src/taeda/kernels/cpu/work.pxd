# How the work of a kernel is cut: in even pieces, and for how many threads.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.runtime cimport num_threads

cdef enum:
    WORTH_THREADS = 32768    # elements, or what takes as long, for which a second thread brings more than it costs


cdef inline int64_t cut(int64_t n, int64_t by) noexcept nogil:
    """How many pieces of ``by`` make n; the last may be smaller."""
    return (n + by - 1) // by


cdef inline int64_t up(int64_t n, int64_t to) noexcept nogil:
    """The first multiple of ``to`` from n on."""
    return cut(n, to) * to


cdef inline int threads_for(int64_t work, int64_t units) noexcept nogil:
    """Number of threads for ``units`` independent pieces: one while the work is small."""
    if work < WORTH_THREADS or units < 2:
        return 1
    return num_threads if num_threads < units else <int>units


cdef inline int all_threads_for(int64_t touches) noexcept nogil:
    """All threads, or one while so many elements are few; for pieces that are cut by elements."""
    return num_threads if touches > WORTH_THREADS else 1

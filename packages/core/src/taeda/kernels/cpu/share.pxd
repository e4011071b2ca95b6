# Items shared out to threads, each with a range of its own first (share.h).
from libc.stdint cimport int64_t

cdef extern from "share.h" nogil:
    ctypedef struct Share:
        pass
    void share_out(Share *s, int64_t items, int threads)
    int64_t share_next(Share *s, int64_t me)             # for thread `me`: the next item, or -1

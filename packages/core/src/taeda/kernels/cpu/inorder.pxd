# inorder.h for Cython.
from libc.stdint cimport int64_t

cdef extern from "inorder.h" nogil:
    enum:
        SCAN_BLOCK

    ctypedef struct Scan:
        int nd
        int64_t numel
        int64_t *shape
        int64_t *stride[4]

    ctypedef struct Cursor:
        int64_t left
        int64_t *at
        int64_t *offset

    void scan_init(Scan *w, int nd, const int64_t *shape, int k, const int64_t **strides)
    void scan_at(const Scan *w, Cursor *c, int k, int64_t first, int64_t count)
    int64_t scan_run(const Scan *w, const Cursor *c)
    void scan_next(const Scan *w, Cursor *c, int k, int64_t n)

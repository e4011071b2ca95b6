# One block of memory on one device, reference-counted by Python, with a version counter.
from libc.stdint cimport int64_t, uint8_t

cdef enum DeviceCode:
    CPU = 0
    META = 1
    CUDA = 2
    STAND_IN = 3    # of tensors without memory: batches of taeda.func and of cotangents, what programs' own classes wrap
    SPARSE = 4      # of sparse tensors, which no kernel takes


cdef class Storage:
    cdef char* data              # NULL for zero bytes and on meta
    cdef int64_t nbytes_
    cdef int64_t capacity        # what was asked of the allocator; 0 for foreign memory
    cdef int64_t version         # in-place writes through any view add one
    cdef uint8_t device          # DeviceCode
    cdef bint readonly_          # foreign memory that must not be written
    cdef object owner            # keeps foreign memory alive
    cdef object __weakref__

cdef Storage new_storage(int64_t nbytes, int device)
cdef Storage foreign_storage(char* data, int64_t nbytes, object owner, bint readonly)

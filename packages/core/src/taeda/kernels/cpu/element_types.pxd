# Types of elements that C has no name for: 16 bytes that are only moved; bools that are added by "or"; complex numbers.
from libc.stdint cimport uint8_t

cdef extern from *:
    """
    #include <stdint.h>
    typedef struct { uint64_t half[2]; } uint128_t;
    typedef uint8_t bint8;
    typedef float _Complex complex64;
    typedef double _Complex complex128;
    """
    ctypedef struct uint128_t:
        pass
    ctypedef uint8_t bint8
    ctypedef float complex64
    ctypedef double complex128

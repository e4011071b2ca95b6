# The kernel signature of abi.h for Cython.
from libc.stdint cimport int32_t, int64_t, uint8_t

cdef extern from "abi.h" nogil:
    enum:
        U8 "TAEDA_U8"
        I8 "TAEDA_I8"
        I16 "TAEDA_I16"
        I32 "TAEDA_I32"
        I64 "TAEDA_I64"
        F16 "TAEDA_F16"
        F32 "TAEDA_F32"
        F64 "TAEDA_F64"
        C32 "TAEDA_C32"
        C64 "TAEDA_C64"
        C128 "TAEDA_C128"
        BOOL "TAEDA_BOOL"
        BF16 "TAEDA_BF16"
        U16 "TAEDA_U16"
        U32 "TAEDA_U32"
        U64 "TAEDA_U64"
        E4M3FN "TAEDA_E4M3FN"          # the first of the floats of one byte; all after it are
        E5M2 "TAEDA_E5M2"
        E4M3FNUZ "TAEDA_E4M3FNUZ"
        E5M2FNUZ "TAEDA_E5M2FNUZ"
        E8M0FNU "TAEDA_E8M0FNU"
        NDTYPES "TAEDA_NDTYPES"
        MAX_DIM "TAEDA_MAX_DIM"

    ctypedef struct View:
        char *data
        int64_t *shape
        int64_t *strides
        int64_t numel
        int32_t ndim
        uint8_t dtype
        uint8_t itemsize
        uint8_t contiguous

    ctypedef union Param:
        int64_t i
        double f
        void *p

    ctypedef int64_t (*Kernel)(View **t, const Param *p) noexcept nogil
    ctypedef void (*Loop)(char **ptr, const int64_t *stride, int64_t n, const Param *p) noexcept nogil

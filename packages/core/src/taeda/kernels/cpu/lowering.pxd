# Run a kernel of one dtype on tensors of another (lowering.pyx).
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport Kernel, Param, View

cdef int64_t lowered(Kernel kernel, int wide, int dtype, Kernel up, Kernel down, int outputs, int n, View** t, const Param* p,
                     bint ordered) noexcept nogil
cdef int wide_of(int dtype) noexcept nogil         # the dtype whose kernels serve ``dtype``; -1: none

# The road of a random fill and the arguments of creating functions, shared with ops.sampling.
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport Param, View
from taeda.tensor_base cimport TensorBase

cdef int64_t draw(Op op, int dtype, int device, int n, View** t, Param* p, int64_t work, object generator) except -1
cdef TensorBase fill(str name, Op op, TensorBase x, Param* p, object generator)
cdef int must_be_float(str name, TensorBase x) except -1
cdef int must_be_plain(str name, TensorBase x) except -1
cdef object zero_vjp_of(TensorBase g)                     # zeros: a fill forgets what the tensor held
cdef TensorBase target(str name, tuple size, object out, object dtype, int normal_dtype, object layout, object device,
                       object pin_memory)
cdef TensorBase finish(str name, TensorBase t, object requires_grad)
cdef TensorBase like(str name, object input, object dtype, object layout, object device, object memory_format)

# The table of ops and the one place that runs a kernel.
from libc.stdint cimport int64_t

from taeda.autograd.node cimport CROSS, IN0, IN1, IN2, NOTHING, OUT, vjp_fn
from taeda.kernels.cpu.abi cimport NDTYPES, Kernel, Param, View
from taeda.tensor_base cimport TensorBase


cdef enum Rule:              # dtype rule of a pointwise op
    SAME = 0                 # compute and return the promoted input dtype
    FLOAT = 1                # integers and bool are computed in the default float dtype
    COMPARE = 2              # compute in the promoted dtype, return bool


cdef class Op:
    cdef readonly str name           # "exp"; its kernels are "exp_f32", "exp_f64", ...
    cdef readonly str in_place       # "exp_", for errors
    cdef readonly str grad_name      # "ExpBackward0"
    cdef Kernel cpu[NDTYPES]         # NULL where there is none
    cdef vjp_fn vjp                  # NULL: not differentiable
    cdef readonly int rule
    cdef readonly int saves
    cdef readonly bint opmath        # a number beside float16 or bfloat16 is not rounded
    cdef readonly bint exponent      # a number as second operand is a parameter: it has no say in how the result lies
    cdef readonly bint linear        # in its tensors: a complex one may be taken part by part
    cdef readonly bint joint         # one kernel takes the cotangent and every input: second derivatives are zero, and not an error
    cdef readonly str family         # module that defines it


# at module level of ops/*.pyx
cdef Op define(str name, vjp_fn vjp, int saves=*, int rule=*, str kernel=*, str grad_name=*)
cdef Op linear(Op op)                                             # a complex tensor may be taken part by part
cdef Op joint(Op op)                                              # a gradient that no input moves has zero as its derivative

cdef str device_name(int device)
cdef int no_stand_in(str op, int device) except -1
cdef int64_t launch(Op op, int dtype, int device, int outputs, int n, View** t, const Param* p, int64_t work) except -1
    # n views, outputs first (0: the kernel is never run in a wider dtype); runs kernel "<op.kernel>_<dtype suffix>"; nothing on meta;
    # GIL released when work (element touches) is large; NotImplementedError where there is no such kernel; kernel's return value back
cdef void copy_view(View* to, const View* source) noexcept              # elements on the CPU: broadcast, cast
cdef int copy_into(TensorBase dst, TensorBase src) except -1      # kernel only: broadcast, cast; no autograd, no version

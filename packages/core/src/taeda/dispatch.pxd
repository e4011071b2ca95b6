# The one road from a call to a kernel: check -> promote -> allocate -> kernel -> record.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport Kernel, NDTYPES, Param, View
from taeda.autograd.node cimport Node, vjp_fn
from taeda.tensor_base cimport TensorBase, alias


cdef enum Rule:              # dtype rule of a pointwise op
    SAME = 0                 # compute and return the promoted input dtype
    FLOAT = 1                # integers and bool are computed in the default float dtype
    COMPARE = 2              # compute in the promoted dtype, return bool

cdef enum Save:              # what the vjp wants kept, as bits
    NOTHING = 0
    IN0 = 1
    IN1 = 2
    IN2 = 4
    OUT = 8
    CROSS = 16               # of a binary op: each input only if the other's gradient is wanted (load(0): a, load(1): b)


cdef class Op:
    cdef readonly str name           # "exp"; its kernels are "exp_f32", "exp_f64", ...
    cdef readonly str grad_name      # "ExpBackward0"
    cdef Kernel cpu[NDTYPES]         # NULL where there is none
    cdef vjp_fn vjp                  # NULL: not differentiable
    cdef readonly int rule
    cdef readonly int saves
    cdef readonly bint opmath        # a number beside float16 or bfloat16 is not rounded
    cdef readonly bint linear        # in its tensors: a complex one may be taken part by part
    cdef readonly str family         # module that defines it


# -- defining ops (at module level of ops/*.pyx) ------------------------------------------------------
cdef Op define(str name, vjp_fn vjp, int saves=*, int rule=*, str kernel=*, str grad_name=*)
cdef Op linear(Op op)                                             # a complex tensor may be taken part by part

# -- pointwise roads ----------------------------------------------------------------------------------
cdef TensorBase unary(Op op, object x, object out=*)
cdef TensorBase unary_(Op op, TensorBase x)                       # in place
cdef TensorBase binary(Op op, object a, object b, object out=*)   # either may be a Python number
cdef TensorBase binary_(Op op, TensorBase a, object b)
cdef TensorBase binary_params(Op op, object a, object b, const Param* p, object extra)   # with kernel parameters
cdef TensorBase unary_params(Op op, object x, const Param* p, object extra, object out=*)
cdef TensorBase unary_params_(Op op, TensorBase x, const Param* p, object extra)
cdef int result_type(TensorBase a, TensorBase b) noexcept         # PyTorch's promotion of two operands
cdef tuple broadcast_shapes(str op, tuple a, tuple b)             # RuntimeError naming both
cdef int copy_into(TensorBase dst, TensorBase src) except -1      # kernel only: broadcast, cast; no autograd, no version

# -- pieces for every other op ------------------------------------------------------------------------
cdef TensorBase as_tensor(object x, str op)                       # TypeError in the op's name if it is none
cdef TensorBase empty(int ndim, const int64_t* shape, int dtype, int device)     # contiguous
cdef int set_dtype(TensorBase t, int dtype) noexcept               # of a tensor without memory
cdef TensorBase empty_like(TensorBase x)                          # same shape/dtype/device, contiguous
cdef TensorBase empty_as(TensorBase x, int dtype, int device)         # x's shape and memory order of dims
cdef TensorBase scalar_tensor(object number, int dtype, int device)   # 0-d, from a Python number
cdef TensorBase empty_shape(object shape, int dtype, int device)  # shape: any sequence of ints
cdef TensorBase empty_for(int ndim, const int64_t* shape, int dtype, int device, int n, View** operands)
    # laid out in memory as its operands are
cdef TensorBase contiguous(TensorBase x)                          # differentiable; x itself if it is
cdef TensorBase clone_dense(TensorBase x)                         # differentiable copy, memory order of dims kept
cdef TensorBase to_dtype(TensorBase x, int dtype)                 # differentiable; x itself if it is
cdef TensorBase as_strided_view(TensorBase x, int ndim, const int64_t* shape, const int64_t* strides,
                                int64_t offset)                   # plain view, no history
cdef int check_same_device(str op, tuple tensors) except -1
cdef int64_t integer(object x, str op) except? -1                 # an argument that must be an int, in 64 bits
cdef int wrap_dim(str op, object dim, int ndim) except -1         # -1 -> ndim-1; IndexError as PyTorch's
cdef int64_t launch(Op op, int dtype, int device, int outputs, int n, View** t, const Param* p, int64_t work) except -1
    # n views, outputs first (0: the kernel is never run in a wider dtype); runs kernel "<op.kernel>_<dtype suffix>"; nothing on meta; GIL released when work (element
    # touches) is large; NotImplementedError where there is no such kernel; kernel's return value back
cdef bint needs_grad(TensorBase a) noexcept                       # grad mode on and a requires grad
cdef bint any_needs_grad(tuple inputs)                            # entries may be None
cdef int record(Op op, TensorBase out, tuple inputs, tuple saved, object extra=*) except -1
    # one output; saved: tensors (inputs, or out itself) or None
cdef int record_multi(Op op, tuple outs, tuple inputs, tuple saved, object extra=*) except -1
cdef int record_view(Op op, TensorBase out, TensorBase x, object extra=*) except -1
    # out shares x's storage: in-place writes through either are seen by autograd
cdef int begin_inplace(str op, TensorBase x) except -1            # leaf / inference / overlap errors
cdef int end_inplace(Op op, TensorBase x, tuple inputs, tuple saved, object extra=*) except -1
    # bumps the version; records if an input or x needs grad. inputs[0] must be x itself
cdef TensorBase write_out(object out, TensorBase result, str op)  # out=: resize, cast check, copy, return out

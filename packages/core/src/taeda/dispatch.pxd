# The one road from a call to a kernel, and everything else that an op is made of: ops cimport from here.
from taeda.allocation cimport (as_strided_view, empty, empty_as, empty_for, empty_like, empty_shape, held_scalar, scalar_tensor,
                               set_dtype)
from taeda.autograd.node cimport Node, vjp_fn
from taeda.kernels.cpu.abi cimport Param
from taeda.operands cimport as_tensor, broadcast_shapes, check_same_device, integer, result_type, wrap_dim
from taeda.recording cimport (SEVERAL, any_needs_grad, begin_inplace, end_inplace, needs_grad, record, record_multi, record_view)
from taeda.registry cimport (COMPARE, CROSS, FLOAT, IN0, IN1, IN2, NOTHING, OUT, SAME, Op, copy_into, define, joint, launch, linear)
from taeda.tensor_base cimport TensorBase


# -- pointwise roads ----------------------------------------------------------------------------------
cdef TensorBase unary(Op op, object x, object out=*)
cdef TensorBase unary_(Op op, TensorBase x)                       # in place
cdef TensorBase binary(Op op, object a, object b, object out=*)   # either may be a Python number
cdef TensorBase binary_(Op op, TensorBase a, object b)
cdef TensorBase binary_params(Op op, object a, object b, const Param* p, object extra)   # with kernel parameters
cdef TensorBase unary_params(Op op, object x, const Param* p, object extra, object out=*)
cdef TensorBase unary_params_(Op op, TensorBase x, const Param* p, object extra)
cdef TensorBase write_out(object out, TensorBase result, str op)  # out=: resize, cast check, copy, return out

# -- conversions that autograd follows ----------------------------------------------------------------
cdef TensorBase contiguous(TensorBase x)                          # x itself if it is
cdef TensorBase clone_dense(TensorBase x)                         # a copy, memory order of dims kept
cdef TensorBase to_dtype(TensorBase x, int dtype)                 # x itself if it is

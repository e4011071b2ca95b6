# What the rooms that multiply matrices share: operands as the kernel takes them, and the products themselves.
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase

cdef bint reads(const View* v) noexcept                    # BLAS can read these matrices as they lie
cdef TensorBase readable(TensorBase x)                     # x, or a copy without history that BLAS can read
cdef void matrix(View* v, TensorBase x, int64_t* dims, bint transposed) noexcept      # dims: room for 4
cdef void column(View* v, TensorBase x, int64_t* dims) noexcept                       # a vector as (n, 1)
cdef bint foldable(const View* v) noexcept                 # all rows can be walked with one stride
cdef void folded(View* v, TensorBase x, int64_t* dims) noexcept                       # as a matrix of all rows
cdef int multiply(Op op, int dtype, int device, View* c, View* a, View* b, View* s, object alpha,
                  object beta) except -1                   # C = beta S + alpha A B; None is 1, s may be NULL
cdef int same_dtype(str op, TensorBase a, TensorBase b) except -1
cdef int raise_sizes(str op, TensorBase a, TensorBase b) except -1
cdef int need_ndim(str op, str name, TensorBase x, int ndim) except -1
cdef int check_bmm(str op, TensorBase a, TensorBase b) except -1
# Products of checked operands, recorded; a flag transposes its operand.
cdef TensorBase product(TensorBase a, bint ta, TensorBase b, bint tb)
cdef TensorBase matvec(TensorBase a, bint ta, TensorBase x)
cdef TensorBase batched(TensorBase a, bint ta, TensorBase b, bint tb)
cdef object rows_of(TensorBase x)                          # leading dimensions folded into one

# Index reading and writing, shared by the indexing, gather and masking rooms.
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op
from taeda.tensor_base cimport TensorBase

cdef TensorBase zeros_of(object shape, int dtype, int device)       # contiguous, filled with 0
cdef object zeros_beside(object g, tuple shape)                      # the same for a cotangent, of a class without memory too
cdef object sum_to(object g, tuple shape)                            # undo a broadcast from `shape`
cdef TensorBase long_index(TensorBase index)                         # an int32 index as int64
cdef int mask_count(TensorBase mask, int64_t* n) except -1           # how many are true
cdef TensorBase nonzero_rows(TensorBase x)                           # (ndim, n) coordinates
cdef list nonzero_columns(TensorBase mask)                           # the same, a list of vectors
cdef TensorBase select_where(TensorBase x, TensorBase mask)          # x[mask], not recorded
cdef int fill_where(TensorBase x, TensorBase mask, TensorBase value) except -1       # x[mask] = value, not recorded
cdef tuple once(TensorBase x, TensorBase mask)                       # of an expanded x each element once, and the mask
cdef TensorBase index_core(TensorBase x, list pos, list idx, str op, Op node=*, bint wrap=*)
    # x[.., idx_k at dimension pos_k, ..], recorded as node; wrap: -1 is the last
cdef TensorBase index_put_core(TensorBase x, list pos, list idx, TensorBase value, bint accumulate, str op,
                               Op node=*, bint wrap=*)              # in place
cdef bint is_half(int dtype) noexcept                                # float16 or bfloat16
cdef int64_t add_rows(TensorBase x, int dim, TensorBase ix, TensorBase src, str op) except -2
    # add rows of halves to those that the vector ix names, not recorded: 0, 1 + the place of a wrong index, or -1: not done
cdef object numbers(object g)                                        # 0, 1, ... in g's shape: to see which element stays where
cdef TensorBase no_numbers(object g)                                 # several are written
cdef object of_last(object g, object found, object places)           # g where the numbers found are its own, else 0
cdef object index_pull(object g, list pos, list idx, tuple shape)    # adjoint of index_core
cdef object index_vjp(Node n, object g)                             # vjp of an op that reads by index_core
cdef object index_put_vjp(Node n, object g)                         # vjp of an op that writes by index_put_core

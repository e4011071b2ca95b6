# What the rooms of linear algebra share: checks of operands, column-major copies, errors of LAPACK.
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport Param, View
from taeda.tensor_base cimport TensorBase

cdef enum:
    MAX_VIEWS = 6
    SMALL_SIZE = 32            # rows and columns of small_matrices.h
    SMALL_BATCH = 8            # matrices from which vectors are filled
    SMALL_ALONE = 16           # rows and columns up to which idle lanes do not matter
    LU_ALONE = 192             # of a single matrix, from which threads share its columns: measured on Zen 4
    CHOLESKY_ALONE = 257       # beyond what cholesky.h takes whole
    QR_ALONE = 40
    QR_AREA = 1 << 16          # real numbers of a matrix that kernels/cpu/reflectors.h takes whole, if a column's
    QR_HIGH = 3072             # real numbers have no more bytes
    SIDES_ALONE = 128          # right-hand sides
    INVERSE_ALONE = 48
    LONG_AREA = 2048           # numbers of a long matrix from which it is worth while to make a triangle of it first

cdef TensorBase need_matrix(str op, object x, str name=*)              # at least two dimensions
cdef TensorBase need_square(str op, object x, str name=*)              # ... and as many rows as columns
cdef int need_float(str op, TensorBase x, bint low=*) except -1        # a dtype that LAPACK has; low: word it as PyTorch's check
cdef int need_same(str op, TensorBase a, TensorBase b, str first, str second) except -1   # one dtype, one device
cdef int64_t rows(TensorBase x) noexcept
cdef int64_t cols(TensorBase x) noexcept
cdef tuple batch_of(TensorBase x)                                      # all sizes but the last two
cdef int64_t count_of(tuple batch) except -1                           # how many matrices
cdef tuple common_batch(str op, TensorBase a, TensorBase b)
cdef object with_batch(TensorBase x, tuple batch)                      # x expanded to a batch (differentiable)
cdef TensorBase empty_columns(TensorBase x, tuple batch, int64_t m, int64_t n, int dtype)   # each matrix column-major
cdef TensorBase columns(TensorBase x)                                  # such a copy, without history
cdef TensorBase numbers(TensorBase x, tuple shape, int dtype)          # contiguous zeros on x's device
cdef int call(Op op, TensorBase x, int64_t count, tuple views, Param* p) except -1
    # run the kernel for x's dtype over the views (None: no such view); p[0] is filled here
cdef bint small(TensorBase x, tuple batch, int64_t m, int64_t n) except -1   # do kernels/cpu/small_matrices take this batch?
cdef bint small_pairs(TensorBase x, tuple batch, int64_t m, int64_t n) except -1   # ... also where it is complex?
cdef bint alone(tuple batch, int64_t least, int64_t n) except -1           # do kernels/cpu/lapack_blocks take this single matrix?
cdef bint in_caches(TensorBase A, int64_t columns) except -1             # ... and so many columns of its height in reflectors.h?
cdef bint qr_in_blocks(TensorBase A) except -1                         # ... for its QR?
cdef tuple lu_factors(Op op, TensorBase A, int how=*)                  # LU, pivots, info; and det (how: 1) or the permutation's sign (2)
cdef object first_failure(TensorBase info)                             # (batch element or None, info) or None
cdef object batch_element(object failure)                              # how an error names it: "(Batch element 1): ", or nothing
cdef object identity(TensorBase x, tuple batch, int64_t n)             # a fresh eye of x's dtype, contiguous
cdef object permutation(str op, TensorBase pivots, int64_t n)          # which row of A each row of L U is: (..., n) int64
cdef object underivable(Node n, object g)                              # the vjp of an op without a derivative: raises
cdef bint recording()                                                  # is this pass itself being recorded?
cdef object give(str op, object type, tuple results, object out)       # the named tuple, or out's tensors written and in it
cdef bint in_columns(TensorBase x) noexcept                            # does x lie so already?
cdef TensorBase readable(TensorBase x)                                 # x itself where it is such a copy already, else columns(x)

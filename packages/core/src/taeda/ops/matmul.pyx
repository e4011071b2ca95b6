# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Matrix products: of matrices, vectors and batches.  (With a summand or a bias: see affine.)

All of them are one kernel, C = beta S + alpha A B.  Transposes are flags, not views: the gradients of
op(A) op(B) are again such products, so the family is closed and a step through a linear layer makes no
view.  Operands whose rows and columns are both strided are copied here; others reach BLAS as they lie.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, check_same_device, contiguous, define, empty, launch, needs_grad, record,
                             write_out)
from taeda.dtype cimport is_complex_, is_float, name_of, torch_name
from taeda.kernels.cpu.abi cimport BF16, BOOL, F16, F32, F64, MAX_DIM, Param, View
from taeda.tensor_base cimport STAND_IN, TensorBase, alias

from taeda.autograd.node import named, own

__all__ = ["matmul", "mm", "bmm", "mv", "dot", "vdot", "outer", "ger", "inner"]
PUBLIC = ("matmul", "mm", "bmm", "mv", "dot", "vdot", "outer", "ger", "inner")


# -- operands ----------------------------------------------------------------------------------------


cdef bint reads(const View* v) noexcept:
    """Can BLAS read these matrices as they lie: unit-stride rows or columns, not overlapping?"""
    cdef int64_t rows = v.shape[v.ndim - 2], cols = v.shape[v.ndim - 1]
    cdef int64_t rs = v.strides[v.ndim - 2], cs = v.strides[v.ndim - 1]
    if (cols <= 1 or cs == 1) and (rows <= 1 or rs >= cols) and (rows <= 1 or rs >= 1):
        return True
    return (rows <= 1 or rs == 1) and (cols <= 1 or (cs >= rows and cs >= 1))


cdef TensorBase readable(TensorBase x):
    """x itself, or a copy without history that BLAS can read."""
    return x if x.view.contiguous or reads(&x.view) else contiguous(alias(x))


cdef void matrix(View* v, TensorBase x, int64_t* dims, bint transposed) noexcept:
    """A view of a 2-d tensor, transposed on demand; dims has room for four numbers."""
    v[0] = x.view
    v.shape = dims
    v.strides = dims + 2
    dims[0] = x.view.shape[transposed]
    dims[1] = x.view.shape[not transposed]
    dims[2] = x.view.strides[transposed]
    dims[3] = x.view.strides[not transposed]


cdef void column(View* v, TensorBase x, int64_t* dims) noexcept:
    """A view of a vector as a matrix of one column."""
    v[0] = x.view
    v.ndim = 2
    v.shape = dims
    v.strides = dims + 2
    dims[0] = x.view.shape[0]
    dims[1] = 1
    dims[2] = x.view.strides[0]
    dims[3] = 1


cdef Op PAIRS = define("mm", NULL, 0, 0, "gemm_pairs")
cdef Op TINY = define("bmm", NULL, 0, 0, "gemm_small")
cdef Op LONG = define("mm", NULL, 0, 0, "gemm_long")
cdef Op DOTS = define("mm", NULL, 0, 0, "gemm_dots")

cdef enum:
    TINY_ROWS = 64           # of matrices that kernels/cpu/gemm_small takes
    TINY_TERMS = 16
    TINY_COLS = 32
    TINY_COMPLEX = 8         # rows, columns and terms of complex ones
    LONG_SIDE = 8            # rows and columns of a product of LONG_TERMS or more that it takes piece by piece
    LONG_TERMS = 512
    TINY_OUTER = 128         # numbers of an outer product, which is little but memory: larger ones gemm writes faster
    TINY_MACS = 8192         # from here on gemm's tiles are as fast (64 x 16 by 16 x 16)


cdef bint tiny(int dtype, const View* c, const View* a, bint plain) noexcept:
    """Is this a batch of products so small that each is computed by itself in registers?  plain: it is not scaled, nothing is added."""
    cdef int n = c.ndim
    cdef int64_t M, N, K
    if n < 3 or not (dtype == F32 or dtype == F64 or (plain and is_complex_(dtype))):
        return False
    M, N, K = c.shape[n - 2], c.shape[n - 1], a.shape[n - 1]
    if is_complex_(dtype) and max(M, N, K) > TINY_COMPLEX:
        return False
    return (M <= TINY_ROWS and N <= TINY_COLS and 0 < K <= TINY_TERMS and M * N * K <= (TINY_MACS if K > 1 else TINY_OUTER)
            and c.contiguous and c.numel > M * N)


cdef bint long_and_narrow(int dtype, const View* c, const View* a, const View* b) noexcept:
    """Are these products with few results of many terms, whose B lies by rows?"""
    cdef int n = c.ndim
    return ((dtype == F32 or dtype == F64) and 1 < c.shape[n - 2] <= LONG_SIDE and 1 < c.shape[n - 1] <= LONG_SIDE
            and a.shape[n - 1] >= LONG_TERMS and b.strides[n - 1] == 1 and c.contiguous)


cdef bint is_dots(int dtype, const View* c, const View* a, const View* b) noexcept:
    """Is this a row or a column of dot products of float16 or bfloat16, whose terms lie side by side?"""
    return (dtype == F16 or dtype == BF16) and c.ndim == 2 and min(c.shape[0], c.shape[1]) == 1 and a.strides[1] == 1 and b.strides[0] == 1


cdef int multiply(Op op, int dtype, int device, View* c, View* a, View* b, View* s, object alpha,
                  object beta) except -1:
    """Run the kernel: C = beta S + alpha A B; s is NULL where nothing is added."""
    cdef View* t[4]
    cdef Param p[5]
    cdef int64_t work = c.numel * a.shape[a.ndim - 1] // 16 + c.numel
    t[0] = c
    t[1] = a
    t[2] = b
    t[3] = s
    p[2].i = s != NULL
    if is_float(dtype):
        p[0].f = 1.0 if alpha is None else alpha
        p[1].f = 1.0 if beta is None else beta
    elif is_complex_(dtype):
        alpha, beta = complex(1 if alpha is None else alpha), complex(1 if beta is None else beta)
        p[0].f, p[1].f, p[3].f, p[4].f = alpha.real, beta.real, alpha.imag, beta.imag
    else:
        p[0].i = 1 if alpha is None else alpha
        p[1].i = 1 if beta is None else beta
    if (s == NULL or s.data != c.data) and tiny(dtype, c, a, s == NULL and (alpha is None or alpha == 1)):
        launch(TINY, dtype, device, 1, 3 if s == NULL else 4, t, p, work)
        return 0
    if s == NULL and alpha is None and long_and_narrow(dtype, c, a, b):
        launch(LONG, dtype, device, 1, 3, t, p, work)
        return 0
    if dtype == BF16 and launch(PAIRS, dtype, device, 1, 4, t, p, work) == 0:
        return 0
    if s == NULL and alpha is None and is_dots(dtype, c, a, b):
        launch(DOTS, dtype, device, 1, 3, t, p, work)
        return 0
    if launch(op, dtype, device, 1, 4, t, p, work):
        raise RuntimeError(f"[{op.name}] a matrix is too large for BLAS: its rows lie 2^31 or more elements apart")
    return 0


cdef int same_dtype(str op, TensorBase a, TensorBase b) except -1:
    if a.view.dtype != b.view.dtype:
        if a.view.ndim > 2 and b.view.ndim > 2:                                 # PyTorch's rule of each, by which programs know it
            rule = f"expected scalar type {torch_name(a.view.dtype)} but found {torch_name(b.view.dtype)}"
        elif op == "linear" or op == "addmm":
            rule = f"mat1 and mat2 must have the same dtype, but got {torch_name(a.view.dtype)} and {torch_name(b.view.dtype)}"
        else:
            rule = f"expected m1 and m2 to have the same dtype, but got: {name_of(a.view.dtype)} != {name_of(b.view.dtype)}"
        raise RuntimeError(f"[{op}] {rule}; convert one with .to(...)")
    if a.device != b.device:
        check_same_device(op, (a, b))
    return 0


cdef int raise_sizes(str op, TensorBase a, TensorBase b) except -1:
    cdef int64_t n = a.view.shape[a.view.ndim - 1], k = b.view.shape[max(b.view.ndim - 2, 0)]
    rows = a.view.numel // n if n else 0
    if b.view.ndim == 1:                                                       # PyTorch's rule of each, by which programs know it
        rule = f"size mismatch, got input ({rows}), mat ({rows}x{n}), vec ({k})"
    elif a.view.ndim > 2 and b.view.ndim > 2:
        count = b.view.numel // (k * b.view.shape[b.view.ndim - 1]) if b.view.numel else 0
        rule = f"Expected size for first two dimensions of batch2 tensor to be: [{count}, {n}] but got: [{count}, {k}]"
    else:
        rule = f"mat1 and mat2 shapes cannot be multiplied ({rows}x{n} and {k}x{b.view.shape[b.view.ndim - 1]})"
    raise RuntimeError(f"[{op}] {rule}: last dimension of input {a.shape_tuple()} must match the "
                       f"{'second to last' if b.view.ndim > 1 else 'only'} dimension of other {b.shape_tuple()}, got {n} and {k}")


cdef int need_ndim(str op, str name, TensorBase x, int ndim) except -1:
    if x.view.ndim != ndim:
        what = "a vector" if ndim == 1 else "a matrix" if ndim == 2 else "a 3D tensor"
        raise RuntimeError(f"[{op}] {name} must be {what}, got {x.view.ndim}D with shape {x.shape_tuple()}")
    return 0


def write_result(out, result, op):
    """Let compositions in Python honour ``out=``: return result, or out with result written into it."""
    return result if out is None else write_out(out, <TensorBase>result, op)


# -- matrix times matrix -----------------------------------------------------------------------------

cdef tuple product_of_stand_ins(Node n, object g, bint ta, bint tb):
    """The gradients of op(A) op(B) by operators."""
    cdef object a, b, ga = None, gb = None
    if n.needs(0):
        b = n.load(1)
        ga = g @ (b if tb else b.transpose(-2, -1))
        ga = ga.transpose(-2, -1) if ta else ga
    if n.needs(1):
        a = n.load(0)
        gb = (a if ta else a.transpose(-2, -1)) @ g
        gb = gb.transpose(-2, -1) if tb else gb
    return ga, gb

cdef object mm_vjp(Node n, object g):
    # C = op(A) op(B); dA = dC op(B)^T and dB = op(A)^T dC, with the flags carried along
    cdef int flags = n.extra
    cdef bint ta = flags & 1, tb = flags >> 1
    if (<TensorBase>g).device == STAND_IN:
        return product_of_stand_ins(n, g, ta, tb)
    ga = gb = None
    if n.needs(0):
        ga = product(n.load(1), tb, <TensorBase>g, True) if ta else product(<TensorBase>g, False, n.load(1), not tb)
    if n.needs(1):
        gb = product(<TensorBase>g, True, n.load(0), ta) if tb else product(n.load(0), not ta, <TensorBase>g, False)
    return ga, gb

cdef Op MM = define("mm", mm_vjp, 0, 0, "gemm")


cdef TensorBase product(TensorBase a, bint ta, TensorBase b, bint tb):
    """op(a) op(b) of two checked matrices; op transposes where its flag is set."""
    cdef TensorBase y, ra = readable(a), rb = readable(b)
    cdef View va, vb
    cdef int64_t da[4]
    cdef int64_t db[4]
    cdef int64_t shape[2]
    matrix(&va, ra, da, ta)
    matrix(&vb, rb, db, tb)
    shape[0], shape[1] = da[0], db[1]
    y = empty(2, shape, a.view.dtype, a.device)
    multiply(MM, a.view.dtype, a.device, &y.view, &va, &vb, NULL, None, None)
    if needs_grad(a) or needs_grad(b):
        record(MM, y, (a, b), (a if needs_grad(b) else None, b if needs_grad(a) else None), <int>ta + 2 * <int>tb)
    return y


def mm(input, mat2, *, out=None):
    """Multiply two matrices: y = input mat2.

    ``input`` is (n, k), ``mat2`` (k, m), the result (n, m).  RuntimeError where ranks, sizes or dtypes do not fit.

    >>> import taeda
    >>> taeda.mm(taeda.ones(2, 3), taeda.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    cdef TensorBase a = as_tensor(input, "mm"), b = as_tensor(mat2, "mm"), y
    need_ndim("mm", "input", a, 2)
    need_ndim("mm", "mat2", b, 2)
    if a.view.shape[1] != b.view.shape[0]:
        raise_sizes("mm", a, b)
    same_dtype("mm", a, b)
    y = product(a, False, b, False)
    return y if out is None else write_out(out, y, "mm")


# -- matrix times vector, vector times vector --------------------------------------------------------

cdef object mv_vjp(Node n, object g):
    cdef bint ta = n.extra
    cdef object x
    ga = gx = None
    if n.needs(0):
        x = n.load(1)
        ga = x.unsqueeze(1) * g if ta else g.unsqueeze(1) * x
    if n.needs(1):
        x = n.load(0)
        gx = (x if ta else x.t()) @ g if (<TensorBase>g).device == STAND_IN else matvec(<TensorBase>x, not ta, <TensorBase>g)
    return ga, gx

cdef Op MV = define("mv", mv_vjp, 0, 0, "gemm")


cdef TensorBase matvec(TensorBase a, bint ta, TensorBase x):
    """op(a) x of a checked matrix and vector."""
    cdef TensorBase y, ra = readable(a), rx = x if x.view.strides[0] > 0 else contiguous(alias(x))
    cdef View va, vx, vy
    cdef int64_t da[4]
    cdef int64_t dx[4]
    cdef int64_t dy[4]
    matrix(&va, ra, da, ta)
    column(&vx, rx, dx)
    y = empty(1, da, a.view.dtype, a.device)
    column(&vy, y, dy)
    multiply(MV, a.view.dtype, a.device, &vy, &va, &vx, NULL, None, None)
    if needs_grad(a) or needs_grad(x):
        record(MV, y, (a, x), (a if needs_grad(x) else None, x if needs_grad(a) else None), ta)
    return y


def mv(input, vec, *, out=None):
    """Multiply a matrix (n, k) by a vector (k): y = input vec.

    >>> import taeda
    >>> taeda.mv(taeda.ones(2, 3), taeda.ones(3))
    tensor([3., 3.])
    """
    cdef TensorBase a = as_tensor(input, "mv"), x = as_tensor(vec, "mv"), y
    if a.view.ndim == 0:
        raise IndexError("[mv] Dimension specified as 0 but tensor has no dimensions: input must be a matrix")
    need_ndim("mv", "input", a, 2)
    need_ndim("mv", "vec", x, 1)
    if a.view.shape[1] != x.view.shape[0]:
        raise_sizes("mv", a, x)
    same_dtype("mv", a, x)
    y = matvec(a, False, x)
    return y if out is None else write_out(out, y, "mv")


cdef object dot_vjp(Node n, object g):
    return g * n.load(1) if n.needs(0) else None, g * n.load(0) if n.needs(1) else None

cdef Op DOT = define("dot", dot_vjp, 0, 0, "gemm")

def dot(input, tensor, *, out=None):
    """Return the sum of the products of two vectors: y = sum_i input_i tensor_i.

    >>> import taeda
    >>> taeda.dot(taeda.tensor([1., 2.]), taeda.tensor([3., 4.]))
    tensor(11.)
    """
    cdef TensorBase a = as_tensor(input, "dot"), b = as_tensor(tensor, "dot"), y, ra, rb
    cdef View va, vb, vy
    cdef int64_t da[4]
    cdef int64_t db[4]
    cdef int64_t dy[4]
    if a.view.ndim != 1 or b.view.ndim != 1:
        raise RuntimeError(f"[dot] 1D tensors expected, but got {a.view.ndim}D and {b.view.ndim}D tensors of shapes "
                           f"{a.shape_tuple()} and {b.shape_tuple()}")
    if a.view.shape[0] != b.view.shape[0]:
        raise RuntimeError(f"[dot] inconsistent tensor size, expected both vectors to have the same number of elements, "
                           f"but got {a.view.shape[0]} and {b.view.shape[0]} elements respectively")
    same_dtype("dot", a, b)
    ra = a if a.view.strides[0] > 0 else contiguous(alias(a))
    rb = b if b.view.strides[0] > 0 else contiguous(alias(b))
    column(&va, ra, da)
    column(&vb, rb, db)
    da[0], da[1], da[2], da[3] = 1, da[0], 1, da[2]          # a row
    y = empty(0, NULL, a.view.dtype, a.device)
    vy = y.view
    vy.ndim = 2
    vy.shape, vy.strides = dy, dy + 2
    dy[0] = dy[1] = dy[2] = dy[3] = 1
    multiply(DOT, a.view.dtype, a.device, &vy, &va, &vb, NULL, None, None)
    if needs_grad(a) or needs_grad(b):
        record(DOT, y, (a, b), (a if needs_grad(b) else None, b if needs_grad(a) else None))
    return y if out is None else write_out(out, y, "dot")


def vdot(input, other, *, out=None):
    """Return the dot product of two vectors, the first conjugated (which changes nothing for real ones).

    >>> import taeda
    >>> taeda.vdot(taeda.tensor([1., 2.]), taeda.tensor([3., 4.]))
    tensor(11.)
    """
    return named(dot(as_tensor(input, "vdot").conj(), other, out=out), "VdotBackward0")


# -- batches -----------------------------------------------------------------------------------------

cdef object bmm_vjp(Node n, object g):
    cdef int flags = n.extra[0]
    cdef bint ta = flags & 1, tb = flags >> 1
    cdef tuple sa = n.extra[1], sb = n.extra[2]
    cdef TensorBase c = <TensorBase>g, x
    if c.device == STAND_IN:
        ga, gb = product_of_stand_ins(n, g, ta, tb)
        return None if ga is None else ga.sum_to_size(sa), None if gb is None else gb.sum_to_size(sb)
    ga = gb = None
    if n.needs(0):
        x = n.load(1)
        ga = batched(x, tb, c, True) if ta else batched(c, False, x, not tb)
        if (<TensorBase>ga).shape_tuple() != sa:
            ga = ga.sum_to_size(sa)
    if n.needs(1):
        x = n.load(0)
        if len(sb) == 2 and not ta:            # one matrix for the whole batch: fold the batch into the rows
            fx, fg = rows_of(x), rows_of(c)
            gb = product(<TensorBase>fg, True, <TensorBase>fx, False) if tb else product(<TensorBase>fx, True,
                                                                                        <TensorBase>fg, False)
        else:
            gb = batched(c, True, x, ta) if tb else batched(x, not ta, c, False)
            if (<TensorBase>gb).shape_tuple() != sb:
                gb = gb.sum_to_size(sb)
    return ga, gb

cdef Op BMM = define("bmm", bmm_vjp, 0, 0, "gemm")
# the same product as matmul's: PyTorch shows the last step of the way that it takes
cdef Op BMM_VIEWED = define("bmm", bmm_vjp, 0, 0, "gemm", "UnsafeViewBackward0")
cdef Op BMM_FOLDED = define("bmm", bmm_vjp, 0, 0, "gemm", "CloneBackward0")


cdef object rows_of(TensorBase x):
    """All leading dimensions folded into one (differentiable)."""
    cdef int64_t cols = x.view.shape[x.view.ndim - 1], rows = 1, d
    for d in range(x.view.ndim - 1):
        rows *= x.view.shape[d]
    return x if x.view.ndim == 2 else x.reshape(rows, cols)


cdef bint foldable(const View* v) noexcept:
    """Can all dimensions but the last be walked with one stride?"""
    cdef int d
    cdef int64_t wanted = -1                   # the stride that fits what lies inside; sizes of 1 say nothing
    if v.contiguous:
        return True
    for d in range(v.ndim - 2, -1, -1):
        if v.shape[d] != 1:
            if wanted >= 0 and v.strides[d] != wanted:
                return False
            wanted = v.strides[d] * v.shape[d]
    return True


cdef void folded(View* v, TensorBase x, int64_t* dims) noexcept:
    """A view of a foldable tensor as a matrix of all its rows."""
    cdef int n = x.view.ndim, d
    v[0] = x.view
    v.ndim = 2
    v.shape, v.strides = dims, dims + 2
    dims[0] = 1
    for d in range(n - 1):
        dims[0] *= x.view.shape[d]
    dims[1] = x.view.shape[n - 1]
    dims[2] = dims[1]
    for d in range(n - 2, -1, -1):             # the stride of a dimension of size 1 says nothing
        if x.view.shape[d] != 1:
            dims[2] = x.view.strides[d]
            break
    dims[3] = x.view.strides[n - 1]


cdef void stacked(View* v, TensorBase x, int64_t* dims, const View* y, bint transposed) noexcept:
    """A view of x with y's batch dimensions (stride 0 where x repeats), transposed on demand."""
    cdef int n = y.ndim, lead = n - x.view.ndim, d
    v[0] = x.view
    v.ndim = n
    v.shape, v.strides = dims, dims + n
    for d in range(n - 2):
        dims[d] = y.shape[d]
        dims[n + d] = 0 if d < lead or x.view.shape[d - lead] == 1 else x.view.strides[d - lead]
    for d in range(2):
        dims[n - 2 + d] = x.view.shape[x.view.ndim - 2 + (d ^ transposed)]
        dims[2 * n - 2 + d] = x.view.strides[x.view.ndim - 2 + (d ^ transposed)]


cdef TensorBase batched(TensorBase a, bint ta, TensorBase b, bint tb):
    """op(a) op(b) of checked tensors of rank two or more; batch dimensions broadcast."""
    cdef int n = a.view.ndim if a.view.ndim > b.view.ndim else b.view.ndim, d, i, j
    cdef int64_t shape[MAX_DIM]
    cdef int64_t da[2 * MAX_DIM]
    cdef int64_t db[2 * MAX_DIM]
    cdef int64_t dy[4]
    cdef View va, vb, vy
    cdef TensorBase y, ra = readable(a), rb = readable(b)
    if n == 2:
        return product(a, ta, b, tb)
    for d in range(n - 2):
        i, j = d - (n - a.view.ndim), d - (n - b.view.ndim)
        shape[d] = a.view.shape[i] if i >= 0 else 1
        if shape[d] == 1 and j >= 0:
            shape[d] = b.view.shape[j]
    shape[n - 2] = a.view.shape[a.view.ndim - 2 + ta]
    shape[n - 1] = b.view.shape[b.view.ndim - 1 - tb]
    y = empty(n, shape, a.view.dtype, a.device)
    if b.view.ndim == 2 and not ta and foldable(&ra.view):
        folded(&va, ra, da)
        matrix(&vb, rb, db, tb)
        folded(&vy, y, dy)
        multiply(BMM, a.view.dtype, a.device, &vy, &va, &vb, NULL, None, None)
    else:
        stacked(&va, ra, da, &y.view, ta)
        stacked(&vb, rb, db, &y.view, tb)
        multiply(BMM, a.view.dtype, a.device, &y.view, &va, &vb, NULL, None, None)
    if needs_grad(a) or needs_grad(b):
        record(BMM, y, (a, b), (a if needs_grad(b) else None, b if needs_grad(a) else None),
               (<int>ta + 2 * <int>tb, a.shape_tuple(), b.shape_tuple()))
    return y


cdef int check_batches(str op, TensorBase a, TensorBase b) except -1:
    cdef int i = a.view.ndim - 3, j = b.view.ndim - 3
    while i >= 0 and j >= 0:
        if a.view.shape[i] != b.view.shape[j] and a.view.shape[i] != 1 and b.view.shape[j] != 1:
            raise RuntimeError(f"[{op}] The size of tensor a ({a.view.shape[i]}) must match the size of tensor b ({b.view.shape[j]}) at "
                               f"non-singleton dimension {max(i, j)}: batch dimensions match or are 1; got shapes {a.shape_tuple()} and "
                               f"{b.shape_tuple()}")
        i -= 1
        j -= 1
    return 0


def times_transposed(a, b):
    """Return a @ b.mT of batches of matrices; unlike that expression's, the gradient of ``b`` lies as ``b`` does."""
    cdef TensorBase x = as_tensor(a, "linear"), w = as_tensor(b, "linear")
    same_dtype("linear", x, w)
    if x.view.shape[x.view.ndim - 1] != w.view.shape[w.view.ndim - 1]:
        raise RuntimeError(f"[linear] last dimension of input {x.shape_tuple()} must match the last dimension of weight "
                           f"{w.shape_tuple()}")
    return batched(x, False, w, True)


def bmm(input, mat2, *, out=None):
    """Multiply matrices pairwise: y[i] = input[i] mat2[i].

    ``input`` is (B, n, k), ``mat2`` (B, k, m), the result (B, n, m).

    >>> import taeda
    >>> taeda.bmm(taeda.ones(4, 2, 3), taeda.ones(4, 3, 5)).shape
    taeda.Size([4, 2, 5])
    """
    cdef TensorBase a = as_tensor(input, "bmm"), b = as_tensor(mat2, "bmm"), y
    need_ndim("bmm", "batch1", a, 3)
    need_ndim("bmm", "batch2", b, 3)
    check_bmm("bmm", a, b)
    y = batched(a, False, b, False)
    return y if out is None else write_out(out, y, "bmm")


cdef int check_bmm(str op, TensorBase a, TensorBase b) except -1:
    if a.view.shape[0] != b.view.shape[0] or a.view.shape[2] != b.view.shape[1]:
        raise RuntimeError(f"[{op}] Expected size for first two dimensions of batch2 tensor to be: "
                           f"[{a.view.shape[0]}, {a.view.shape[2]}] but got: [{b.view.shape[0]}, {b.view.shape[1]}]; "
                           f"shapes are {a.shape_tuple()} and {b.shape_tuple()}")
    same_dtype(op, a, b)
    return 0


def matmul(input, other, *, out=None):
    """Multiply tensors as matrices, by PyTorch's rules of rank: y = input @ other.

    Two vectors give their dot product; a vector is a row on the left and a column on the right, and its
    dimension does not appear in the result; higher ranks are batches of matrices, which broadcast.
    RuntimeError where sizes or dtypes do not fit.

    >>> import taeda
    >>> taeda.matmul(taeda.ones(5, 2, 3), taeda.ones(3, 4)).shape
    taeda.Size([5, 2, 4])
    """
    cdef TensorBase a = as_tensor(input, "matmul"), b = as_tensor(other, "matmul"), y
    cdef int na = a.view.ndim, nb = b.view.ndim
    if na == 0 or nb == 0:
        raise RuntimeError(f"[matmul] both arguments to matmul need to be at least 1D, but they are {na}D and {nb}D")
    if a.view.shape[na - 1] != b.view.shape[nb - 2 if nb > 1 else 0]:
        raise_sizes("matmul", a, b)
    if a.view.dtype != b.view.dtype or a.device != b.device:
        same_dtype("matmul", a, b)
    if na == 2 and nb == 2:
        y = product(a, False, b, False)
    elif na == 1 and nb == 1:
        y = dot(a, b)
    elif na == 2 and nb == 1:
        y = matvec(a, False, b)
    elif na == 1 and nb == 2:
        y = named(matvec(b, True, a), "SqueezeBackward4")
    elif na == 1:
        y = own(batched(a.unsqueeze(0), False, b, False).squeeze(-2), "UnsafeViewBackward0")
    elif nb == 1:
        y = own(batched(a, False, b.unsqueeze(1), False).squeeze(-1), "UnsafeViewBackward0")
    else:
        check_batches("matmul", a, b)
        y = batched(a, False, b, False)
        if y.grad_fn_ is not None:
            (<Node>y.grad_fn_).op = BMM_FOLDED if na == 2 and a.requires_grad_ else BMM_VIEWED
    return y if out is None else write_out(out, y, "matmul")


# -- outer and inner products ------------------------------------------------------------------------

cdef enum:
    OUTER = 1 << 14          # results below which a product of a column and a row has less to set up than a pointwise one


def outer(input, vec2, *, out=None):
    """Return all products of two vectors: y[i, j] = input_i vec2_j.

    >>> import taeda
    >>> taeda.outer(taeda.tensor([1., 2.]), taeda.tensor([3., 4.]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    cdef TensorBase a = as_tensor(input, "outer"), b = as_tensor(vec2, "outer")
    need_ndim("outer", "input", a, 1)
    need_ndim("outer", "vec2", b, 1)
    if (a.view.dtype == b.view.dtype != BOOL and not is_complex_(a.view.dtype) and a.device == b.device
            and a.view.numel * b.view.numel < OUTER and not needs_grad(a) and not needs_grad(b)):
        y = product(a.unsqueeze(1), False, b.unsqueeze(0), False)
    else:
        y = a.unsqueeze(1) * b
    return y if out is None else write_out(out, <TensorBase>y, "outer")


def ger(input, vec2, *, out=None):
    """Return all products of two vectors; the former name of ``outer``.

    >>> import taeda
    >>> taeda.ger(taeda.tensor([1., 2.]), taeda.tensor([3., 4.])).shape
    taeda.Size([2, 2])
    """
    return outer(input, vec2, out=out)


def inner(input, other, *, out=None):
    """Return the dot products of the last dimensions: y[..., ;...] = sum_k input[..., k] other[..., k].

    >>> import taeda
    >>> taeda.inner(taeda.ones(2, 3), taeda.ones(4, 3)).shape
    taeda.Size([2, 4])
    """
    cdef TensorBase a = as_tensor(input, "inner"), b = as_tensor(other, "inner")
    cdef int na = a.view.ndim, nb = b.view.ndim
    if na == 0 or nb == 0:
        y = a * b
    else:
        if a.view.shape[na - 1] != b.view.shape[nb - 1]:
            raise RuntimeError(f"[inner] the last dimension must match on both input tensors but got shapes "
                               f"{a.shape_tuple()} and {b.shape_tuple()}")
        same_dtype("inner", a, b)
        if na == 1 and nb == 1:
            y = named(dot(a, b), "ViewBackward0")
        else:
            y = mm(rows_of(a) if na > 1 else a.unsqueeze(0), (rows_of(b) if nb > 1 else b.unsqueeze(0)).t())
            y = y.reshape(a.shape_tuple()[:na - 1] + b.shape_tuple()[:nb - 1])
    return y if out is None else write_out(out, <TensorBase>y, "inner")


METHODS = {name: globals()[name] for name in __all__}

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Products with a summand: the linear layer, and beta S + alpha A B for matrices, vectors and batches.

The kernel writes the summand (a bias, say) into a block of the result just before the product is added to it,
so that no second pass over the result is needed.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, begin_inplace, check_same_device, contiguous, define, empty, empty_for,
                             end_inplace, needs_grad, record, result_type, to_dtype, write_out)
from taeda.dtype cimport differentiable, is_complex_, name_of
from taeda.kernels.cpu.abi cimport BOOL, F32, F64, MAX_DIM, View
from taeda.operands cimport plain_number
from taeda.ops.matmul cimport (batched, check_bmm, column, foldable, folded, matrix, matvec, multiply, need_ndim,
                               product, raise_sizes, readable, reads, rows_of, same_dtype)
from taeda.tensor_base cimport STAND_IN, TensorBase, alias, refresh

from taeda.autograd.node import named
from taeda.dispatch import in_place
from taeda.ops.matmul import matmul

__all__ = ["linear", "bilinear", "addmm", "addmm_", "addmv", "addmv_", "baddbmm", "baddbmm_", "addbmm", "addbmm_", "addr",
           "addr_"]
PUBLIC = ("addmm", "addmv", "addmv_", "baddbmm", "addbmm", "addr", "bilinear")


# -- affine: a product and a bias --------------------------------------------------------------------

cdef object linear_vjp(Node n, object g):
    cdef TensorBase c = <TensorBase>g
    gx = gw = gb = None
    if c.device == STAND_IN:
        rows = rows_of(c)
        return (g @ n.load(1) if n.needs(0) else None, (<object>rows).t() @ rows_of(n.load(0)) if n.needs(1) else None,
                (<object>rows).sum(0) if n.needs(2) else None)
    if n.needs(0):
        gx = batched(c if c.view.ndim > 1 else <TensorBase>rows_of(c), False, n.load(1), False)
        gx = gx if c.view.ndim > 1 else gx.view(-1)
    if n.needs(1):
        gw = product(<TensorBase>rows_of(c), True, <TensorBase>rows_of(n.load(0)), False)
    if n.needs(2):
        gb = c if c.view.ndim == 1 else c.sum(0) if c.view.ndim == 2 else c.sum(tuple(range(c.view.ndim - 1)))
    return gx, gw, gb

# one op; PyTorch shows the last step of the way that it takes, which the rank and the bias decide
cdef Op LINEAR = define("linear", linear_vjp, 0, 0, "gemm", "AddmmBackward0")
cdef Op LINEAR_ROWS = define("linear", linear_vjp, 0, 0, "gemm", "ViewBackward0")
cdef Op LINEAR_STRIDED = define("linear", linear_vjp, 0, 0, "gemm", "AddBackward0")
cdef Op LINEAR_PLAIN = define("linear", linear_vjp, 0, 0, "gemm", "MmBackward0")
cdef Op LINEAR_PLAIN_ROWS = define("linear", linear_vjp, 0, 0, "gemm", "UnsafeViewBackward0")


cdef Op linear_op(TensorBase x, bint biased):
    if x.view.ndim == 2:
        return LINEAR if biased else LINEAR_PLAIN
    if not biased:
        return LINEAR_PLAIN_ROWS
    return LINEAR_ROWS if x.view.contiguous else LINEAR_STRIDED


cdef str factors(TensorBase x, TensorBase w):
    """The sizes of the two matrices that a linear layer multiplies."""
    cdef int64_t size = x.view.shape[x.view.ndim - 1]
    rows = x.view.numel // size if size else 0
    return f"{rows}x{size} and {'x'.join([str(n) for n in reversed(w.shape_tuple())])}"


def linear(input, weight, bias=None, *, out=None):
    """Apply y = input weight^T + bias over the last dimension.

    ``input`` is (..., in), ``weight`` (out, in) or (in), ``bias`` (out); the result (..., out).

    >>> import taeda
    >>> taeda.ops.linear(taeda.ones(2, 3), taeda.ones(4, 3), taeda.ones(4))[0]
    tensor([4., 4., 4., 4.])
    """
    cdef TensorBase x = as_tensor(input, "linear"), w = as_tensor(weight, "linear"), b, y, rx, rw
    cdef int n = x.view.ndim, d
    cdef int64_t shape[MAX_DIM]
    cdef int64_t dx[4]
    cdef int64_t dw[4]
    cdef int64_t dy[4]
    cdef int64_t db[4]
    cdef View vx, vw, vy, vb
    if out is not None:
        return write_out(out, linear(input, weight, bias), "linear")
    if n == 0 or w.view.ndim < 1 or w.view.ndim > 2:
        raise RuntimeError(f"[linear] input must be at least 1D and weight 1D or 2D; got shapes {x.shape_tuple()} and "
                           f"{w.shape_tuple()}")
    if x.view.shape[n - 1] != w.view.shape[w.view.ndim - 1]:
        raise RuntimeError(f"[linear] mat1 and mat2 shapes cannot be multiplied ({factors(x, w)}): last dimension of input "
                           f"{x.shape_tuple()} must match the last dimension of weight {w.shape_tuple()}, expected "
                           f"{w.view.shape[w.view.ndim - 1]}, got {x.view.shape[n - 1]}")
    if x.view.dtype != w.view.dtype or x.device != w.device:
        same_dtype("linear", x, w)
    b = None if bias is None else as_tensor(bias, "linear")
    if b is not None:
        same_dtype("linear", x, b)
    if (n == 1 and b is None) or w.view.ndim == 1 or (b is not None and (b.view.ndim != 1 or b.view.shape[0] != w.view.shape[0])):
        y = matmul(x, w if w.view.ndim == 1 else w.t())
        if b is None:
            return y
        sizes, have = b.shape_tuple(), y.shape_tuple()
        if len(sizes) > len(have) or any([p != q and p != 1 for p, q in zip(sizes[::-1], have[::-1])]):
            raise RuntimeError(f"[linear] bias must have shape ({w.view.shape[0] if w.view.ndim == 2 else ''},), "
                               f"got {sizes} for weight {w.shape_tuple()}")
        return named(y + b, "ViewBackward0")
    rx = x if x.view.contiguous or (n > 1 and foldable(&x.view) and reads(&x.view)) else contiguous(alias(x))
    rw = readable(w)
    for d in range(n - 1):
        shape[d] = x.view.shape[d]
    shape[n - 1] = w.view.shape[0]
    y = empty(n, shape, x.view.dtype, x.device)
    folded(&vx, rx, dx)
    folded(&vy, y, dy)
    matrix(&vw, rw, dw, True)
    if b is not None:
        vb = b.view
        vb.ndim = 2
        vb.shape, vb.strides = db, db + 2
        db[0], db[1], db[2], db[3] = dy[0], dy[1], 0, b.view.strides[0]
    multiply(LINEAR, x.view.dtype, x.device, &vy, &vx, &vw, NULL if b is None else &vb, None, None)
    if needs_grad(x) or needs_grad(w) or (b is not None and needs_grad(b)):
        record(linear_op(x, b is not None), y, (x, w, b), (x if needs_grad(w) else None, w if needs_grad(x) else None))
    return y


def bilinear(input1, input2, weight, bias=None):
    """Apply y_o = input1^T weight_o input2 + bias_o over the last dimensions.

    ``input1`` is (..., n), ``input2`` (..., m), ``weight`` (out, n, m), ``bias`` (out).

    >>> import taeda
    >>> taeda.ops.bilinear(taeda.ones(2, 3), taeda.ones(2, 4), taeda.ones(5, 3, 4)).shape
    taeda.Size([2, 5])
    """
    cdef TensorBase a = as_tensor(input1, "bilinear"), b = as_tensor(input2, "bilinear")
    cdef TensorBase w = as_tensor(weight, "bilinear")
    need_ndim("bilinear", "weight", w, 3)
    sa, sb, sw = a.shape_tuple(), b.shape_tuple(), w.shape_tuple()
    lead = sa[:len(sa) - 1]
    if not sa or not sb or lead != sb[:len(sb) - 1] or sa[len(lead)] != sw[1] or sb[len(lead)] != sw[2]:
        raise RuntimeError(f"[bilinear] input1 (..., {sw[1]}) and input2 (..., {sw[2]}) must fit weight {sw} and have the "
                           f"same leading dimensions; got shapes {sa} and {sb}")
    left = matmul(rows_of(a) if a.view.ndim > 1 else a.unsqueeze(0), w.permute(1, 0, 2).reshape(sw[1], sw[0] * sw[2]))
    right = rows_of(b) if b.view.ndim > 1 else b.unsqueeze(0)
    y = (left.reshape(right.shape[0], sw[0], sw[2]) * right.unsqueeze(1)).sum(2, dtype=(<object>a).dtype)
    y = y.reshape(lead + (sw[0],))
    return y if bias is None else y + bias


# -- a product added to something --------------------------------------------------------------------

cdef object add_product_vjp(Node n, object g):
    beta, alpha, shape = n.extra
    cdef TensorBase a, b
    cdef object s = g if alpha == 1 else None
    gi = ga = gb = None
    if type(beta) is complex or type(alpha) is complex:
        beta, alpha = beta.conjugate(), alpha.conjugate()
    if n.needs(0):
        gi = (g if beta == 1 else g * beta)
        if tuple(gi.shape) != shape:
            gi = gi.sum_to_size(shape)
    if s is None and (n.needs(1) or n.needs(2)):
        s = g * alpha
    if (<TensorBase>g).device == STAND_IN:
        if n.needs(1):
            x = n.load(1)
            ga = s.unsqueeze(1) * x if x.dim() == 1 else s @ x.transpose(-2, -1)
        return gi, ga, (<object>n.load(0)).transpose(-2, -1) @ s if n.needs(2) else None
    if n.needs(1):
        b = n.load(1)
        ga = s.unsqueeze(1) * b if b.view.ndim == 1 else batched(<TensorBase>s, False, b, True)
    if n.needs(2):
        a = n.load(0)
        gb = matvec(a, True, <TensorBase>s) if (<TensorBase>s).view.ndim == 1 else batched(a, True, <TensorBase>s, False)
    return gi, ga, gb

cdef Op ADDMM = define("addmm", add_product_vjp, 0, 0, "gemm")
cdef Op ADDR = define("addr", add_product_vjp, 0, 0, "gemm")
cdef Op ADDMV = define("addmv", add_product_vjp, 0, 0, "gemm")
cdef Op BADDBMM = define("baddbmm", add_product_vjp, 0, 0, "gemm")


cdef object factor(str op, str name, object value, int dtype):
    """alpha or beta as a number that the dtype can hold."""
    value = plain_number(op, name, value)
    if type(value) is complex:
        if not is_complex_(dtype):
            raise RuntimeError(f"[{op}] argument {name!r} is complex, {value}, which {name_of(dtype)} cannot hold")
        return value
    if not differentiable(dtype):
        if type(value) is float and op != "addr" and -9.3e18 < value < 9.3e18:
            value = int(value)                     # cut off, as PyTorch does everywhere but in addr
        if type(value) is float:
            raise RuntimeError(f"[{op}] For integral input tensors, argument {name} must not be a floating point number; "
                               f"got {value}")
        if not -(1 << 63) <= value < (1 << 63):
            raise RuntimeError(f"[{op}] argument {name} does not fit int64: {value}")
    return value


cdef TensorBase add_product(Op op, object input, object first, object second, object beta, object alpha, bint inplace):
    """beta input + alpha first second; input broadcasts to the result, or is it (in place)."""
    cdef str name = op.name
    cdef TensorBase s = as_tensor(input, name), a = as_tensor(first, name), b = as_tensor(second, name), y, ra, rb
    cdef int rank = 3 if op is BADDBMM else 2, n, d, lead
    cdef int64_t shape[3]
    cdef int64_t da[6]
    cdef int64_t db[6]
    cdef int64_t dy[6]
    cdef int64_t ds[6]
    cdef View va, vb, vy, vs
    cdef View* seen[1]
    cdef bint vector = op is ADDMV
    beta = factor(name, "beta", beta, a.view.dtype)              # first: what is checked of tensors must still hold afterwards
    alpha = factor(name, "alpha", alpha, a.view.dtype)
    check_factors(name, s, a, b, rank, vector)
    n = result_shape(name, s, a, b, rank, vector, inplace, shape)
    lead = n - s.view.ndim
    if inplace:
        begin_inplace(name + "_", s)
        if s.storage is a.storage:
            a = a.clone()
        if s.storage is b.storage:
            b = b.clone()
        y = s
    elif op is ADDR and s.view.ndim == 2 and s.view.shape[0] == shape[0] and s.view.shape[1] == shape[1]:
        seen[0] = &s.view
        y = empty_for(n, shape, a.view.dtype, a.device, 1, seen)
    else:
        y = empty(n, shape, a.view.dtype, a.device)
    ra, rb = a, b
    if alpha == 0 and leaves_out(op, a, b):
        ra, rb = without_terms(a, a.view.ndim - 1), without_terms(b, 0 if vector else b.view.ndim - 2)
    ra = readable(ra)
    rb = readable(rb) if not vector else (rb if rb.view.strides[0] > 0 else contiguous(alias(rb)))
    if vector:
        matrix(&va, ra, da, False)
        column(&vb, rb, db)
        column(&vy, y, dy)
    elif rank == 2:
        matrix(&va, ra, da, False)
        matrix(&vb, rb, db, False)
        matrix(&vy, y, dy, False)
    else:
        va, vb, vy = ra.view, rb.view, y.view
    vs = vy
    if not inplace:
        vs.data = s.view.data
        vs.strides = ds
        for d in range(n):
            ds[d] = 0 if d < lead or s.view.shape[d - lead] == 1 else s.view.strides[d - lead]
        ds[n] = 1                                   # of a vector seen as a column
    multiply(op, a.view.dtype, a.device, &vy, &va, &vb, NULL if beta == 0 else &vs, alpha, beta)
    if any_needs_grad((s, a, b)):
        saved = (a if needs_grad(b) else None, b if needs_grad(a) else None)
        extra = (beta, alpha, s.shape_tuple())
    else:
        saved = extra = None
    if inplace:
        end_inplace(op, s, (s, a, b), saved, extra)
    elif saved is not None:
        record(op, y, (s, a, b), saved, extra)
    return y


cdef bint leaves_out(Op op, TensorBase a, TensorBase b):
    """With alpha 0, does BLAS, to which PyTorch leaves this product, not look at the factors, so that their inf and nan do not count?"""
    if op is ADDR or a.view.dtype not in (F32, F64) and (op is ADDMV or not is_complex_(a.view.dtype)):
        return False
    return op is not BADDBMM or a.view.shape[1] * a.view.shape[2] * b.view.shape[2] >= 400         # smaller ones it computes itself


cdef TensorBase without_terms(TensorBase x, int d):
    """A factor of which no element is left along dimension d."""
    cdef TensorBase t = alias(x)
    t.view.shape[d] = 0
    refresh(t)
    return t


cdef int check_factors(str op, TensorBase s, TensorBase a, TensorBase b, int rank, bint vector) except -1:
    """Do the factors fit each other, and have all three one dtype and device?"""
    need_ndim(op, "mat" if vector else "mat1" if rank == 2 else "batch1", a, rank)
    need_ndim(op, "vec" if vector else "mat2" if rank == 2 else "batch2", b, 1 if vector else rank)
    if rank == 3:
        check_bmm(op, a, b)
    elif a.view.shape[1] != b.view.shape[0]:
        raise_sizes(op, a, b)
    same_dtype(op, a, b)
    if s.view.dtype != a.view.dtype:
        raise RuntimeError(f"[{op}] self and mat2 must have the same dtype, but got {name_of(s.view.dtype)} and "
                           f"{name_of(a.view.dtype)}; convert one with .to(...)")
    return check_same_device(op, (s, a))


cdef int result_shape(str op, TensorBase s, TensorBase a, TensorBase b, int rank, bint vector, bint inplace, int64_t* shape) except -1:
    """Fill in the product's sizes, to which s must be expandable (in place: have them); return how many there are."""
    cdef int d, n = 1 if vector else rank, lead = n - s.view.ndim
    shape[0] = a.view.shape[0]
    if rank == 3:
        shape[1], shape[2] = a.view.shape[1], b.view.shape[2]
    elif not vector:
        shape[1] = b.view.shape[1]
    if lead < 0 or inplace and lead:
        raise_expand(op, s, n, shape)
    for d in range(s.view.ndim):
        if s.view.shape[d] != shape[d + lead] and (inplace or s.view.shape[d] != 1):
            raise_expand(op, s, n, shape)
    return n


cdef int raise_expand(str op, TensorBase s, int n, int64_t* shape) except -1:
    raise RuntimeError(f"[{op}] input must be expandable to the result (in place: have its shape); got shape "
                       f"{s.shape_tuple()} for a result of shape {tuple([shape[d] for d in range(n)])}")


def addmm(input, mat1, mat2, *, beta=1, alpha=1, out=None):
    """Add a product of matrices: y = beta input + alpha mat1 mat2.

    ``mat1`` is (n, k), ``mat2`` (k, m); ``input`` broadcasts to (n, m) and is not read where beta is 0.

    >>> import taeda
    >>> taeda.addmm(taeda.ones(1), taeda.ones(1, 2), taeda.ones(2, 2))
    tensor([[3., 3.]])
    """
    y = add_product(ADDMM, input, mat1, mat2, beta, alpha, False)
    return y if out is None else write_out(out, y, "addmm")


def addmm_(input, mat1, mat2, *, beta=1, alpha=1):
    """In place: input = beta input + alpha mat1 mat2.  See :func:`addmm`."""
    return add_product(ADDMM, input, mat1, mat2, beta, alpha, True)


def addmv(input, mat, vec, *, beta=1, alpha=1, out=None):
    """Add a product of a matrix and a vector: y = beta input + alpha mat vec.

    >>> import taeda
    >>> taeda.addmv(taeda.ones(2), taeda.ones(2, 3), taeda.ones(3))
    tensor([4., 4.])
    """
    y = add_product(ADDMV, input, mat, vec, beta, alpha, False)
    return y if out is None else write_out(out, y, "addmv")


def addmv_(input, mat, vec, *, beta=1, alpha=1):
    """In place: input = beta input + alpha mat vec.  See :func:`addmv`."""
    return add_product(ADDMV, input, mat, vec, beta, alpha, True)


def baddbmm(input, batch1, batch2, *, beta=1, alpha=1, out=None):
    """Add products of matrices pairwise: y[i] = beta input[i] + alpha batch1[i] batch2[i].

    >>> import taeda
    >>> taeda.baddbmm(taeda.ones(1), taeda.ones(2, 1, 3), taeda.ones(2, 3, 1)).flatten()
    tensor([4., 4.])
    """
    y = add_product(BADDBMM, input, batch1, batch2, beta, alpha, False)
    return y if out is None else write_out(out, y, "baddbmm")


def baddbmm_(input, batch1, batch2, *, beta=1, alpha=1):
    """In place: input[i] = beta input[i] + alpha batch1[i] batch2[i].  See :func:`baddbmm`."""
    return add_product(BADDBMM, input, batch1, batch2, beta, alpha, True)


cdef tuple side_by_side(str op, object batch1, object batch2):
    """The matrices whose one product is the sum of a batch's products."""
    cdef TensorBase a = as_tensor(batch1, op), b = as_tensor(batch2, op)
    need_ndim(op, "batch1", a, 3)
    need_ndim(op, "batch2", b, 3)
    check_bmm(op, a, b)
    return (a.permute(1, 0, 2).reshape(a.view.shape[1], a.view.shape[0] * a.view.shape[2]),
            b.reshape(b.view.shape[0] * b.view.shape[1], b.view.shape[2]))


def addbmm(input, batch1, batch2, *, beta=1, alpha=1, out=None):
    """Add the sum of a batch's products: y = beta input + alpha sum_i batch1[i] batch2[i].

    >>> import taeda
    >>> taeda.addbmm(taeda.ones(1, 1), taeda.ones(2, 1, 3), taeda.ones(2, 3, 1))
    tensor([[7.]])
    """
    a, b = side_by_side("addbmm", batch1, batch2)
    y = named(add_product(ADDMM, input, a, b, beta, alpha, False), "AddbmmBackward0")
    return y if out is None else write_out(out, y, "addbmm")


def addbmm_(input, batch1, batch2, *, beta=1, alpha=1):
    """In place: input = beta input + alpha sum_i batch1[i] batch2[i]; see :func:`addbmm`.

    input gets the result's shape if it has another.
    """
    a, b = side_by_side("addbmm", batch1, batch2)
    if as_tensor(input, "addbmm_").shape_tuple() != (a.shape[0], b.shape[1]):
        y = add_product(ADDMM, input, a, b, beta, alpha, False)
        return input.resize_(y.shape).copy_(y)
    return add_product(ADDMM, input, a, b, beta, alpha, True)


def addr(input, vec1, vec2, *, beta=1, alpha=1, out=None):
    """Add an outer product: y[i, j] = beta input[i, j] + alpha vec1_i vec2_j.

    >>> import taeda
    >>> taeda.addr(taeda.ones(1), taeda.tensor([1.]), taeda.tensor([3., 4.]))
    tensor([[4., 5.]])
    """
    y = add_outer(input, vec1, vec2, beta, alpha, False)
    return y if out is None else write_out(out, y, "addr")


def addr_(input, vec1, vec2, *, beta=1, alpha=1):
    """In place: input[i, j] = beta input[i, j] + alpha vec1_i vec2_j.  See :func:`addr`."""
    return add_outer(input, vec1, vec2, beta, alpha, True)


cdef TensorBase add_outer(object input, object vec1, object vec2, object beta, object alpha, bint inplace):
    cdef TensorBase a = as_tensor(vec1, "addr"), b = as_tensor(vec2, "addr"), s
    need_ndim("addr", "vec1", a, 1)
    need_ndim("addr", "vec2", b, 1)
    s = as_tensor(input, "addr")
    if a.view.dtype != b.view.dtype or s.view.dtype != a.view.dtype:     # promoted, unlike the sums of products
        if inplace:
            return in_place("addr_", addr, input, vec1, vec2, beta=beta, alpha=alpha)
        a, b = to_dtype(a, result_type(a, b)), to_dtype(b, result_type(a, b))
        s, a = to_dtype(s, result_type(s, a)), to_dtype(a, result_type(s, a))
        input, b = s, to_dtype(b, a.view.dtype)
    if a.view.dtype == BOOL:
        for name, factor in (("beta", beta), ("alpha", alpha)):
            if isinstance(factor, (float, complex)):
                raise RuntimeError(f"[addr] For integral input tensors, argument {name} must not be a floating point number, got {factor}")
        y = (input & bool(beta)) | (<object>a).unsqueeze(1) & b & bool(alpha)
        return input.copy_(y) if inplace else y
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if isinstance(factor, bool):
            raise RuntimeError(f"[addr] Boolean {name} only supported for Boolean results, but the vectors are {name_of(a.view.dtype)}")
    return add_product(ADDR, input, a.unsqueeze(1), b.unsqueeze(0), beta, alpha, inplace)


METHODS = {name: globals()[name] for name in __all__ if name not in ("linear", "bilinear")}

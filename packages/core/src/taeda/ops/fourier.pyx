# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""The three discrete Fourier transforms that all others are made of: complex to complex, real to complex, complex to real.

Each is linear, so its derivative is the transposed transform, one of the three again.  Several dimensions are transformed one after
the other (``kernels/cpu/fft``): the real ones first or last, in place the others.  Plans, the tables of a length, are kept for the next call.
"""
from libc.math cimport sqrt
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport NOTHING, Op, define, empty_shape, launch, record, to_dtype
from taeda.dtype cimport complex_code, real_code
from taeda.kernels.cpu.abi cimport Param, View
from taeda.tensor_base cimport META, TensorBase

from taeda.autograd.node import named
from taeda.ops.creation import ones
from taeda.ops.padding import constant_pad_nd

# The factor in front: "backward" divides the inverse by n, "forward" the forward transform, "ortho" both by sqrt(n).
# A transform and its transpose run in opposite directions with one factor, which is the other name's.
cdef dict TRANSPOSED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}

cdef Op C2C = define("fft_c2c", c2c_vjp, NOTHING, 0, None, "FftC2CBackward0")
cdef Op R2C = define("fft_r2c", r2c_vjp, NOTHING, 0, None, "FftR2CBackward0")
cdef Op C2R = define("fft_c2r", c2r_vjp, NOTHING, 0, None, "FftC2RBackward0")
cdef Op MIRROR = define("fft_mirror", NULL)
cdef Op MAKE_PLAN = define("fft_plan", NULL)
cdef Op FORGET_PLAN = define("fft_forget", NULL)


# -- plans -------------------------------------------------------------------------------------------

cdef enum:
    SIDE = 8                 # so many columns, or rows of up to
    SHORT = 256              # numbers, are worth being transformed side by side; and
    MANY = 64                # rows of any length, unless the kernel knows better
    PLANS = 64               # that are kept, and
    NUMBERS = 1 << 21        # their numbers in all

cdef dict plans = {}         # (n, dtype, how, halves) -> Plan, the latest last
cdef int64_t planned = 0


cdef class Plan:
    """The tables of one length: they live as long as this."""

    cdef void *address
    cdef int64_t n
    cdef int dtype

    def __dealloc__(self):
        cdef Param p[1]
        if self.address != NULL:
            p[0].p = self.address
            FORGET_PLAN.cpu[self.dtype](NULL, p)


cdef Plan plan_of(int64_t n, int dtype, int64_t transforms, int64_t inner, bint halves):
    """A plan for transforms of n numbers of a complex dtype, so many times, `inner` of them in neighbouring columns."""
    global planned
    cdef int how = 0 if inner >= SIDE else 2 if transforms >= (SIDE if n <= SHORT else MANY) else 1
    cdef tuple key = (n, dtype, how, halves)
    cdef Param p[3]
    cdef Plan plan = plans.pop(key, None)
    if plan is None:
        p[0].i, p[1].i, p[2].i = n, how, halves
        plan = Plan.__new__(Plan)
        plan.n, plan.dtype = n, dtype
        plan.address = <void*><size_t>launch(MAKE_PLAN, dtype, 0, 0, 0, NULL, p, n)
        planned += n
        while plans and (len(plans) >= PLANS or planned > NUMBERS):
            planned -= (<Plan>plans.pop(next(iter(plans)))).n
    plans[key] = plan
    return plan


# -- along one dimension -----------------------------------------------------------------------------


cdef int along(TensorBase y, TensorBase x, int d, bint inverse, double scale) except -1:
    """Complex to complex along dimension d, both contiguous."""
    cdef View* t[2]
    cdef Param p[5]
    cdef int64_t n = y.view.shape[d], inner = 1, outer
    cdef int e
    for e in range(d + 1, y.view.ndim):
        inner *= y.view.shape[e]
    outer = y.view.numel // (n * inner)
    plan = plan_of(n, y.view.dtype, outer * inner, inner, False)
    t[0], t[1] = &y.view, &x.view
    p[0].p, p[1].i, p[2].i, p[3].i, p[4].f = plan.address, outer, inner, inverse, scale
    launch(C2C, y.view.dtype, y.device, 0, 2, t, p, 8 * y.view.numel)
    return 0


cdef int along_rows(Op op, TensorBase y, TensorBase x, int64_t n, int64_t rows, double scale) except -1:
    """Real to complex or back along the last dimension, both contiguous: rows of n real numbers."""
    cdef View* t[2]
    cdef Param p[5]
    cdef int64_t m = n // 2 if n % 2 == 0 else n
    cdef int code = (y if op is R2C else x).view.dtype
    plan = plan_of(m, code, rows, 1, n % 2 == 0)
    t[0], t[1] = &y.view, &x.view
    p[0].p, p[1].i, p[2].i, p[3].i, p[4].f = plan.address, rows, n, y.view.shape[y.view.ndim - 1], scale
    launch(op, code, y.device, 0, 2, t, p, 8 * rows * n)
    return 0


cdef double factor(str norm, bint inverse, tuple sizes):
    cdef double n = 1
    for size in sizes:
        n *= size
    return 1 / sqrt(n) if norm == "ortho" else 1 / n if (norm == "backward") == inverse else 1


# -- over several dimensions, without history --------------------------------------------------------


cdef TensorBase plain(object x):
    return <TensorBase>x.detach().contiguous()


cdef TensorBase run_c2c(TensorBase x, tuple dims, double scale, bint inverse):
    cdef TensorBase y = empty_shape(x.shape_tuple(), x.view.dtype, x.device), from_
    if y.device == META or y.view.numel == 0:
        return y
    from_ = plain(x)
    for d in reversed(dims):
        along(y, from_, d, inverse, scale)
        from_, scale = y, 1
    return y


cdef TensorBase run_r2c(TensorBase x, tuple dims, double scale, bint inverse, bint half):
    """The last of dims first, as rows; what half leaves out is the mirror image of the rest."""
    cdef list shape = list(x.shape_tuple())
    cdef int d = dims[-1], last = x.view.ndim - 1
    cdef int64_t n = shape[d], bits = 0
    cdef object result
    cdef TensorBase y, from_
    cdef View* t[1]
    cdef Param p[2]
    cdef int code = complex_code(x.view.dtype)
    if half:
        shape[d] = n // 2 + 1
    if x.device == META or x.view.numel == 0:
        return empty_shape(shape, code, x.device)
    from_ = plain(x if d == last else (<object>x).movedim(d, last))
    shape[d], shape[last] = shape[last], shape[d]
    if d != last:
        shape = list(from_.shape_tuple()[:last]) + [n // 2 + 1 if half else n]
    y = empty_shape(shape, code, x.device)
    along_rows(R2C, y, from_, n, x.view.numel // n, scale)
    result = y
    y = plain(result if d == last else result.movedim(last, d))
    if half:
        for e in reversed(dims[:-1]):
            along(y, y, e, inverse, 1)
        return y
    if len(dims) > 1:                    # only the half that is known
        known = plain((<object>y).narrow(d, 0, n // 2 + 1))
        for e in reversed(dims[:-1]):
            along(known, known, e, False, 1)
        (<object>y).narrow(d, 0, n // 2 + 1).copy_(known)
    for e in dims:
        bits |= 1 << <int>e
    t[0] = &y.view
    p[0].i, p[1].i = d, bits
    launch(MIRROR, code, y.device, 0, 1, t, p, y.view.numel)
    return <TensorBase>(<object>y).conj() if inverse else y


cdef TensorBase run_c2r(TensorBase x, tuple dims, double scale, int64_t n):
    """The other dimensions first, in place in a copy, then the last of dims as rows."""
    cdef list shape = list(x.shape_tuple())
    cdef int d = dims[-1], last = x.view.ndim - 1
    cdef int code = real_code(x.view.dtype)
    cdef TensorBase y, from_ = x
    shape[d] = n
    if x.device == META or x.view.numel == 0:
        return empty_shape(shape, code, x.device)
    if len(dims) > 1:
        from_ = run_c2c(x, dims[:-1], 1, True)
    from_ = plain(from_ if d == last else (<object>from_).movedim(d, last))
    y = empty_shape(list(from_.shape_tuple()[:last]) + [n], code, x.device)
    along_rows(C2R, y, from_, n, y.view.numel // n, scale)
    return y if d == last else plain((<object>y).movedim(last, d))


# -- the transforms and their derivatives ------------------------------------------------------------


cdef TensorBase c2c(TensorBase x, tuple dims, str norm, bint forward):
    """The transform of complex x over dims, forwards or backwards."""
    if not dims:
        return <TensorBase>(<object>x).clone()
    y = run_c2c(x, dims, factor(norm, not forward, tuple([x.view.shape[<int>d] for d in dims])), not forward)
    record(C2C, y, (x,), None, (dims, norm, forward))
    return y

cdef object c2c_vjp(Node n, object g):
    dims, norm, forward = n.extra
    return c2c(<TensorBase>g, dims, TRANSPOSED[norm], not forward)


cdef TensorBase r2c(TensorBase x, tuple dims, str norm, bint forward, bint half):
    """The transform of real x; half: only the first n / 2 + 1 columns of the last of dims, the others being their conjugates."""
    if not dims:
        return to_dtype(x, complex_code(x.view.dtype))
    size = x.view.shape[<int>dims[-1]]
    y = run_r2c(x, dims, factor(norm, not forward, tuple([x.view.shape[<int>d] for d in dims])), not forward, half)
    record(R2C, y, (x,), None, (dims, norm, forward, half, size))
    return y if half or len(dims) == 1 else named(y, "FftC2CBackward0")

cdef object r2c_vjp(Node n, object g):
    # the half that was not computed has no influence: the gradient is zero there
    dims, norm, forward, half, size = n.extra
    if half:
        last = dims[-1]
        g = constant_pad_nd(g, [0, 0] * (g.ndim - 1 - last) + [0, size - g.shape[last]])
    return (<object>c2c(<TensorBase>g, dims, TRANSPOSED[norm], not forward)).real


cdef TensorBase c2r(TensorBase x, tuple dims, str norm, object size):
    """The inverse transform of the half that r2c keeps; size: of the last of dims in the result."""
    columns = x.view.shape[<int>dims[-1]]
    y = run_c2r(x, dims, factor(norm, True, tuple([x.view.shape[<int>d] for d in dims[:-1]]) + (size,)), size)
    record(C2R, y, (x,), None, (dims, norm, columns))
    return y

cdef object c2r_vjp(Node n, object g):
    # every element but the first and, for even sizes, the middle one stands for its mirror image too
    dims, norm, columns = n.extra
    cdef int last = dims[-1]
    cdef TensorBase y = r2c(<TensorBase>g, dims, TRANSPOSED[norm], True, True)
    weight = ones(columns, dtype=g.dtype, device=g.device)
    weight[1:1 + (g.shape[last] - 1) // 2] = 2
    return y * weight.reshape([-1] + [1] * (y.view.ndim - 1 - last))

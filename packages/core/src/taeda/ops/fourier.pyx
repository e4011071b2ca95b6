# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""The three discrete Fourier transforms that all others are made of: complex to complex, real to complex, complex to real.

Each is linear, so its derivative is the transposed transform, one of the three again.  Several dimensions are transformed one after
the other (``kernels/cpu/fft``): the real ones first or last, in place the others.  Plans, the tables of a length, are kept for the
next call.
"""
from libc.math cimport sqrt
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport NOTHING, Op, define, empty, empty_as, empty_like, empty_shape, launch, record, to_dtype
from taeda.dtype cimport complex_code, real_code
from taeda.kernels.cpu.abi cimport MAX_DIM, Param, View
from taeda.tensor_base cimport META, TensorBase, refresh

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
    cdef int64_t n = y.view.shape[d], inner = 1
    cdef int e
    for e in range(d + 1, y.view.ndim):
        inner *= y.view.shape[e]
    return transform(y, x, n, inner, n * inner, 1, inner, inverse, scale)


cdef int transform(TensorBase y, TensorBase x, int64_t n, int64_t inner, int64_t outer_step, int64_t inner_step, int64_t step, bint inverse,
                   double scale) except -1:
    """Along the middle of (outer, n, inner) contiguous numbers, to those steps in y."""
    cdef View* t[2]
    cdef Param p[8]
    cdef int64_t outer = y.view.numel // (n * inner)
    plan = plan_of(n, y.view.dtype, outer * inner, inner, False)
    t[0], t[1] = &y.view, &x.view
    p[0].p, p[1].i, p[2].i, p[3].i, p[4].f = plan.address, outer, inner, inverse, scale
    p[5].i, p[6].i, p[7].i = outer_step, inner_step, step
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


cdef int order(int ndim, const int64_t* strides, tuple dims, bint keep_last, int* perm) except -1:
    """The order of dimensions in which a result lies in memory, the innermost last; whether it is another than theirs.

    It is that of PyTorch's library: those that are not transformed first, each kind by falling strides; half a dimension stays last.
    """
    cdef int64_t bits = 0
    cdef int i, j = ndim, k = len(dims), d, first = ndim - k
    cdef bint moved = False
    for d in dims:
        bits |= <int64_t>1 << d
    for i in range(ndim):
        perm[i] = i
    i = 0
    while True:                          # dimensions of equal strides stay in the order that exchanging from both ends leaves
        while i < j and not bits >> perm[i] & 1:
            i += 1
        j -= 1
        while i < j and bits >> perm[j] & 1:
            j -= 1
        if i >= j:
            break
        perm[i], perm[j] = perm[j], perm[i]
        i += 1
    for i in range(k):
        perm[first + i] = dims[i]
    fall(perm, first, strides)
    fall(perm + first, k - keep_last, strides)
    for i in range(ndim):
        moved = moved or perm[i] != i
    return moved


cdef int fall(int* dims, int n, const int64_t* strides) noexcept:
    """Sort dims by falling strides, stably."""
    cdef int i, j, d
    for i in range(1, n):
        d, j = dims[i], i
        while j > 0 and strides[dims[j - 1]] < strides[d]:
            dims[j] = dims[j - 1]
            j -= 1
        dims[j] = d
    return 0


cdef TensorBase laid(TensorBase x, const int* perm, bint moved):
    """x with its dimensions in that order, contiguous."""
    return plain((<object>x).permute([perm[i] for i in range(x.view.ndim)]) if moved else x)


cdef TensorBase turned(TensorBase y, const int* perm, bint moved):
    """Give a new tensor whose dimensions are in that order their own places."""
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int i
    if moved and y.view.numel != 0:      # an empty result is contiguous
        for i in range(y.view.ndim):
            sizes[i], strides[i] = y.view.shape[i], y.view.strides[i]
        for i in range(y.view.ndim):
            y.view.shape[perm[i]], y.view.strides[perm[i]] = sizes[i], strides[i]
        refresh(y)
    return y


cdef bint one_step(TensorBase x, const int64_t* steps, int from_, int to, int64_t* step) noexcept:
    """Whether neighbours in dimensions from_ to to of contiguous x are everywhere equally far apart by other steps; how far."""
    cdef int64_t n = 1
    cdef int d
    step[0] = 0
    for d in range(to - 1, from_ - 1, -1):
        if x.view.shape[d] == 1:
            continue
        if n == 1:
            step[0] = steps[d]
        elif steps[d] != n * step[0]:
            return False
        n *= x.view.shape[d]
    return True


cdef bint first_across(TensorBase y, TensorBase x, const int* perm, bint inverse, double scale) except -1:
    """Transform contiguous x along the dimension that is y's last, which is not its own, if that takes no copy."""
    cdef int64_t steps[MAX_DIM]
    cdef int64_t inner = 1, outer_step, inner_step
    cdef int last = x.view.ndim - 1, d = perm[last], e
    if not x.view.contiguous:
        return False
    for e in range(last + 1):
        steps[perm[e]] = y.view.strides[e]
    for e in range(d + 1, last + 1):
        inner *= x.view.shape[e]
    if not one_step(x, steps, 0, d, &outer_step) or not one_step(x, steps, d + 1, last + 1, &inner_step):
        return False
    transform(y, x, x.view.shape[d], inner, outer_step, inner_step, 1, inverse, scale)
    return True


cdef TensorBase run_c2c(TensorBase x, tuple dims, double scale, bint inverse):
    cdef int64_t shape[MAX_DIM]
    cdef int perm[MAX_DIM]
    cdef int last = x.view.ndim - 1, first = last + 1 - len(dims), d
    cdef bint moved = order(last + 1, x.view.strides, dims, False, perm)
    cdef TensorBase y, from_
    for d in range(last + 1):
        shape[d] = x.view.shape[perm[d]]
    y = empty(last + 1, shape, x.view.dtype, x.device)
    if y.device == META or y.view.numel == 0:
        return turned(empty_like(x) if y.view.numel == 0 else y, perm, moved)
    if not moved or not first_across(y, x, perm, inverse, scale):
        from_ = laid(x, perm, moved)
        along(y, from_, last, inverse, scale)
    for d in range(last - 1, first - 1, -1):
        along(y, y, d, inverse, 1)
    return turned(y, perm, moved)


cdef TensorBase run_r2c(TensorBase x, tuple dims, double scale, bint inverse, bint half):
    """The last of dims first, as rows; what half leaves out is the mirror image of the rest."""
    cdef int64_t shape[MAX_DIM]
    cdef int perm[MAX_DIM]
    cdef int last = x.view.ndim - 1, first = last + 1 - len(dims), d
    # several dimensions whole: as those of complex numbers
    cdef TensorBase like = x if half or first == last else empty_as(x, x.view.dtype, META)
    cdef bint moved = order(last + 1, like.view.strides, dims, half or first == last, perm)
    cdef int64_t n = x.view.shape[perm[last]], bits = 0
    cdef TensorBase y, known
    cdef View* t[1]
    cdef Param p[2]
    cdef int code = complex_code(x.view.dtype)
    if x.view.numel == 0:
        sizes = list(x.shape_tuple())
        if half:
            sizes[perm[last]] = n // 2 + 1
        return empty_shape(sizes, code, x.device)
    for d in range(last + 1):
        shape[d] = x.view.shape[perm[d]]
    if half:
        shape[last] = n // 2 + 1
    y = empty(last + 1, shape, code, x.device)
    if x.device == META:
        return turned(y, perm, moved)
    along_rows(R2C, y, laid(x, perm, moved), n, x.view.numel // n, scale)
    if half:
        for d in range(last - 1, first - 1, -1):
            along(y, y, d, inverse, 1)
        return turned(y, perm, moved)
    if len(dims) > 1:                    # only the half that is known
        known = plain((<object>y).narrow(last, 0, n // 2 + 1))
        for d in range(last - 1, first - 1, -1):
            along(known, known, d, False, 1)
        (<object>y).narrow(last, 0, n // 2 + 1).copy_(known)
    for d in range(first, last + 1):
        bits |= <int64_t>1 << d
    t[0] = &y.view
    p[0].i, p[1].i = last, bits
    launch(MIRROR, code, y.device, 0, 1, t, p, y.view.numel)
    return turned(<TensorBase>(<object>y).conj() if inverse else y, perm, moved)


cdef TensorBase run_c2r(TensorBase x, tuple dims, double scale, int64_t n):
    """The other dimensions first, in place in a copy, then the last of dims as rows."""
    cdef int64_t sizes[MAX_DIM]
    cdef int perm[MAX_DIM]
    cdef int last = x.view.ndim - 1, d
    cdef int64_t step = 1, bits = 0
    cdef bint moved
    cdef int code = real_code(x.view.dtype)
    cdef TensorBase y, from_, whole
    if x.view.numel == 0:
        shape = list(x.shape_tuple())
        shape[dims[-1]] = n
        return empty_shape(shape, code, x.device)
    for d in range(last + 1):
        sizes[d] = x.view.strides[d]
    if len(dims) > 1:                    # laid out as what is transformed back along the others would be
        order(last + 1, x.view.strides, dims[:-1], False, perm)
        for d in range(last, -1, -1):
            sizes[perm[d]] = step
            step *= x.view.shape[perm[d]]
    moved = order(last + 1, sizes, dims[-1:], True, perm)
    for d in range(last + 1):
        sizes[d] = x.view.shape[perm[d]]
    sizes[last] = n
    y = empty(last + 1, sizes, code, x.device)
    if x.device == META:
        return turned(y, perm, moved)
    from_ = laid(x, perm, moved)
    for d in dims[:-1]:
        bits |= <int64_t>1 << d
    whole = from_
    for d in range(last - 1, -1, -1):
        if bits >> perm[d] & 1:
            if whole is from_:
                whole = empty_like(from_)
            along(whole, from_, d, True, 1)
            from_ = whole
    along_rows(C2R, y, from_, n, y.view.numel // n, scale)
    return turned(y, perm, moved)


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

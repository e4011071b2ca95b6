# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""One layer of a recurrent network in one direction: one op over all steps, forward and backward.

While the graph of the gradient is wanted too, the layer is written out step by step with tensor operations, and the derivative of that
is taken instead.
"""
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, contiguous, define, empty, empty_like, empty_shape, launch, record_multi)
from taeda.dtype cimport is_float, is_integral, torch_name
from taeda.kernels.cpu.abi cimport F32, F64, MAX_DIM, Param, View
from taeda.tensor_base cimport TensorBase

import array

from taeda.autograd.backward import grad
from taeda.ops.affine import linear
from taeda.ops.join import cat


cdef inline View* view_of(TensorBase t) noexcept:
    return &t.view if t is not None else NULL


cdef inline TensorBase dense(object x):
    return None if x is None else contiguous(<TensorBase>x)


cdef int cell_of(Op op) noexcept:
    return (LSTM_CELL if op is LSTM else GRU_CELL if op is GRU else TANH_CELL if op is RNN_TANH else RELU_CELL)


cdef int gates_of(int cell) noexcept:
    return 4 if cell == LSTM_CELL else 3 if cell == GRU_CELL else 1


cdef class Course:
    """How a layer goes through its rows: as many sequences every step, or as many as ``sizes`` says."""

    cdef int put(self, Param* p) noexcept:
        p[0].i, p[1].i, p[2].i, p[3].i = self.cell, self.reverse, self.steps, self.batch
        p[4].p = NULL if self.sizes is None else <void*>PyBytes_AS_STRING(self.sizes)
        return 0

    cdef list rows(self):
        return [self.batch] * self.steps if self.sizes is None else array.array("q", self.sizes).tolist()


cdef object layer_vjp(Node n, object cotangent):
    """One kernel for all gradients of a layer; where they are to be differentiated again, those of the steps."""
    cdef Course course = n.extra[0]
    cdef tuple cotangents = cotangent if n.n_outputs > 1 else (cotangent,)
    cdef TensorBase x = n.load(0), hx = n.load(1), cx = n.load(2), w_ih = n.load(3), w_hh = n.load(4), w_hr = n.load(5)
    cdef TensorBase y = n.load(6), work = n.load(7), gh, gc = None
    cdef list g = list(cotangents), found
    cdef View* t[19]
    cdef Param p[5]
    cdef int i
    cdef tuple inputs = (x, hx, cx, w_ih, w_hh, n.extra[1], n.extra[2], w_hr)
    if any_needs_grad(cotangents + inputs):
        return differentiate_steps(n, course, g, inputs)
    g = [None] * (not course.whole) + [dense(c) for c in g] + [None]               # of y, h_n, c_n
    gh = empty(2, [course.batch, w_hh.view.shape[1]], x.view.dtype, x.device)
    if course.cell == LSTM_CELL:
        gc = empty(2, [course.batch, w_ih.view.shape[0] // 4], x.view.dtype, x.device)
    found = [empty_like(x) if n.needs(0) else None, gh, gc, empty_like(w_ih) if n.needs(3) else None,
             empty_like(w_hh) if n.needs(4) else None]
    for i in (5, 6):
        found.append(empty(1, w_ih.view.shape, x.view.dtype, x.device) if n.needs(i) else None)
    found.append(empty_like(w_hr) if n.needs(7) else None)
    for i in range(8):
        t[i] = view_of(<TensorBase>found[i])
    for i in range(3):
        t[8 + i] = view_of(<TensorBase>g[i])
    t[11], t[12], t[13], t[14], t[15] = &x.view, view_of(hx), view_of(cx), view_of(y), view_of(work)
    t[16], t[17], t[18] = &w_ih.view, &w_hh.view, view_of(w_hr)
    course.put(p)
    launch(BACKWARD, x.view.dtype, x.device, 8, 19, t, p, x.view.numel + w_ih.view.numel + w_hh.view.numel)
    return tuple(found)


cdef tuple versions(TensorBase b_ih, TensorBase b_hh):
    """Of the biases, which only a second derivative reads, so that they stand beside the node's saved tensors."""
    return (0 if b_ih is None else b_ih.storage.version, 0 if b_hh is None else b_hh.storage.version)


LSTM = define("lstm", layer_vjp, 0, 0, "recurrent", "MkldnnRnnLayerBackward0")
GRU = define("gru", layer_vjp, 0, 0, "recurrent", "StackBackward0")
RNN_TANH = define("rnn_tanh", layer_vjp, 0, 0, "recurrent", "StackBackward0")
RNN_RELU = define("rnn_relu", layer_vjp, 0, 0, "recurrent", "StackBackward0")
cdef Op BACKWARD = define("recurrent_backward", NULL)


cdef tuple run_layer(Op op, Course course, TensorBase x, TensorBase hx, TensorBase cx, tuple weights):
    """One layer in one direction: (y, h_n, c_n), y only if the course is whole, c_n only of an LSTM.

    x: (..., I), all rows of all steps; hx: (batch, P) or None; weights: w_ih, w_hh, b_ih, b_hh, w_hr, checked, or None.
    """
    cdef TensorBase w_ih = weights[0], w_hh = weights[1], b_ih = weights[2], b_hh = weights[3], w_hr = weights[4]
    cdef TensorBase y = None, work = None, h, c = None
    cdef int64_t H = w_ih.view.shape[0] // gates_of(course.cell), P = w_hh.view.shape[1], rows = 1
    cdef int64_t shape[MAX_DIM]
    cdef View* t[12]
    cdef Param p[5]
    cdef int d, last = x.view.ndim - 1
    cdef tuple outs
    if course.cell <= GRU_CELL and is_integral(x.view.dtype):
        raise RuntimeError(f"[{op.name}] result type Float can't be cast to the desired output type {torch_name(x.view.dtype)}: gates "
                           "are fractions; use a floating point dtype")
    if not is_float(x.view.dtype):                         # complex numbers, and integers as far as they go
        return step_by_step(course, x, hx, cx, weights)
    x, hx, cx, w_ih, w_hh = contiguous(x), dense(hx), dense(cx), contiguous(w_ih), contiguous(w_hh)
    b_ih, b_hh, w_hr = dense(b_ih), dense(b_hh), dense(w_hr)
    for d in range(last):
        shape[d] = x.view.shape[d]
        rows *= shape[d]
    shape[last] = P
    if course.whole:
        y = empty(x.view.ndim, shape, x.view.dtype, x.device)
    if course.cell == LSTM_CELL or course.cell == GRU_CELL or y is None:
        # of the dtype that the kernel computes in: rounding gates between the passes would cost digits
        work = empty_shape((rows, 5 * H if course.cell == LSTM_CELL else 4 * H if course.cell == GRU_CELL else H),
                           F64 if x.view.dtype == F64 else F32, x.device)
    h = empty(2, [course.batch, P], x.view.dtype, x.device)
    if course.cell == LSTM_CELL:
        c = empty(2, [course.batch, H], x.view.dtype, x.device)
    t[0], t[1], t[2], t[3], t[4], t[5], t[6] = &h.view, view_of(c), view_of(y), view_of(work), &x.view, view_of(hx), view_of(cx)
    t[7], t[8], t[9], t[10], t[11] = &w_ih.view, &w_hh.view, view_of(b_ih), view_of(b_hh), view_of(w_hr)
    course.put(p)
    launch(op, x.view.dtype, x.device, 4, 12, t, p, rows * (H + x.view.shape[last]) + w_ih.view.numel + w_hh.view.numel)
    outs = tuple([out for out in (y, h, c) if out is not None])
    if any_needs_grad((x, hx, cx) + weights):
        record_multi(op, outs, (x, hx, cx, w_ih, w_hh, b_ih, b_hh, w_hr), (x, hx, cx, w_ih, w_hh, w_hr, y, work),
                     (course, b_ih, b_hh, versions(b_ih, b_hh)))
    return outs


# -- the same, step by step --------------------------------------------------------------------------


cdef tuple lstm_step(object a, object c, object w_hr):
    i, f, g, o = a.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return h if w_hr is None else linear(h, w_hr), c

cdef object gru_step(object a, object h, object q):
    r, z, n = a.chunk(3, 1)
    n = (n + r.sigmoid() * q).tanh()
    return n + z.sigmoid() * (h - n)


cdef tuple step_by_step(Course course, object x, object hx, object cx, tuple weights):
    """Run a layer by tensor operations, which have derivatives of every order."""
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    cdef int64_t H = w_ih.shape[0] // gates_of(course.cell), start = 0
    cdef bint gru = course.cell == GRU_CELL
    rows = x.reshape((-1, x.shape[x.dim() - 1]))
    sums = linear(rows, w_ih, b_ih)
    h = rows.new_zeros((course.batch, w_hh.shape[1])) if hx is None else hx
    c = rows.new_zeros((course.batch, H)) if cx is None and course.cell == LSTM_CELL else cx
    starts = []
    for size in course.rows():
        starts.append((start, size))
        start += size
    states = []
    for start_, size in reversed(starts) if course.reverse else starts:
        a, last, kept = sums[start_:start_ + size], h[:size], None if c is None else c[:size]
        q = linear(last, w_hh, b_hh)
        if gru:                                            # n's own part of the hidden sums waits for r
            a, q = cat([a[:, :2 * H] + q[:, :2 * H], a[:, 2 * H:]], 1), q[:, 2 * H:]
        else:
            a = a + q
        if course.cell == LSTM_CELL:
            new, cell = lstm_step(a, kept, w_hr)
        elif gru:
            new, cell = gru_step(a, last, q), None
        else:
            new, cell = a.tanh() if course.cell == TANH_CELL else a.relu(), None
        states.append(new)
        h = new if size == course.batch else cat([new, h[size:]])
        if cell is not None:
            c = cell if size == course.batch else cat([cell, c[size:]])
    outs = (h,) if c is None else (h, c)
    if course.whole:
        y = cat(states[::-1] if course.reverse else states)
        outs = (y.reshape(tuple(x.shape[:x.dim() - 1]) + (w_hh.shape[1],)),) + outs
    return outs


cdef tuple differentiate_steps(Node n, Course course, list cotangents, tuple inputs):
    """The gradients of a layer with a graph of their own: those of the same layer step by step."""
    if versions(n.extra[1], n.extra[2]) != n.extra[3]:
        raise RuntimeError(f"[{n.name()}] one of the variables needed for gradient computation has been modified by an inplace "
                           "operation: a bias of the layer")
    # fresh tensors in the inputs' places: an input may depend on another, and in forward mode none requires grad
    fresh = [x if x is None or not n.needs(i) else x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
             for i, x in enumerate(inputs)]
    outs = step_by_step(course, fresh[0], fresh[1], fresh[2], tuple(fresh[3:]))
    pairs = [(out, g) for out, g in zip(outs, cotangents) if g is not None and out.requires_grad]
    wanted = [i for i in range(8) if n.needs(i)]
    found = grad([pair[0] for pair in pairs], [fresh[i] for i in wanted], [pair[1] for pair in pairs], create_graph=True,
                 allow_unused=True)
    of = dict(zip(wanted, found))
    return tuple([of.get(i) for i in range(8)])

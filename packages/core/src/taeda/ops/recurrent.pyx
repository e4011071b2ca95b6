# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Recurrent networks: LSTM, GRU and the plain (Elman) one, over whole sequences or one step at a time.

A layer in one direction is one op over all steps, forward and backward.  While the graph of the gradient is wanted too, the
layer is written out step by step with tensor operations, and the derivative of that is taken instead.
"""
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, check_same_device, contiguous, define, empty, empty_like, empty_shape,
                             integer, launch, record_multi)
from taeda.dtype cimport is_float, is_integral, name_of, torch_name
from taeda.kernels.cpu.abi cimport F32, F64, I64, MAX_DIM, Param, View
from taeda.tensor_base cimport TensorBase

import array

from taeda.autograd.backward import grad
from taeda.autograd.node import named
from taeda.ops.affine import linear
from taeda.ops.dropout import dropout
from taeda.ops.join import cat, stack

__all__ = ["lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"]
PUBLIC = ("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
METHODS = {}

cdef enum:
    LSTM_CELL = 0            # as the kernel numbers them
    GRU_CELL = 1
    TANH_CELL = 2
    RELU_CELL = 3


# -- one layer in one direction ----------------------------------------------------------------------

cdef inline View* view_of(TensorBase t) noexcept:
    return &t.view if t is not None else NULL


cdef inline TensorBase dense(object x):
    return None if x is None else contiguous(<TensorBase>x)


cdef inline int cell_of(Op op) noexcept:
    return (LSTM_CELL if op is LSTM else GRU_CELL if op is GRU else TANH_CELL if op is RNN_TANH else RELU_CELL)


cdef inline int gates_of(int cell) noexcept:
    return 4 if cell == LSTM_CELL else 3 if cell == GRU_CELL else 1


cdef class Course:
    """How a layer goes through its rows: as many sequences every step, or as many as ``sizes`` says."""
    cdef int cell
    cdef bint reverse, whole           # whole: every step's state is a result, not the last one alone
    cdef int64_t steps, batch
    cdef bytes sizes                   # int64, falling, or None

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
    if any_needs_grad(cotangents + (x, hx, cx, w_ih, w_hh, w_hr)):
        return differentiate_steps(n, course, g, (x, hx, cx, w_ih, w_hh, n.extra[1], n.extra[2], w_hr))
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


cdef Op LSTM = define("lstm", layer_vjp, 0, 0, "recurrent", "MkldnnRnnLayerBackward0")
cdef Op GRU = define("gru", layer_vjp, 0, 0, "recurrent", "StackBackward0")
cdef Op RNN_TANH = define("rnn_tanh", layer_vjp, 0, 0, "recurrent", "StackBackward0")
cdef Op RNN_RELU = define("rnn_relu", layer_vjp, 0, 0, "recurrent", "StackBackward0")
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


# -- checks ------------------------------------------------------------------------------------------


cdef int check_dtype(str op, str name, TensorBase x, TensorBase t) except -1:
    if t is not None and t.view.dtype != x.view.dtype:
        raise RuntimeError(f"[{op}] input and {name} must have the same dtype, but got {name_of(x.view.dtype)} and "
                           f"{name_of(t.view.dtype)}; convert one with .to(...)")
    return 0


cdef tuple check_weights(str op, int cell, TensorBase x, list given, bint projected):
    """w_ih, w_hh, b_ih, b_hh, w_hr of one layer and direction as they fit each other and x; None where there is none."""
    cdef TensorBase w_ih = given[0], w_hh = given[1], b, w_hr = given[4]
    cdef int gates = gates_of(cell)
    if w_ih.view.ndim != 2 or w_hh.view.ndim != 2:
        raise RuntimeError(f"[{op}] weights must be matrices, got shapes {w_ih.shape_tuple()} and {w_hh.shape_tuple()}")
    sums, size = w_ih.shape_tuple()
    hidden = sums // gates
    if x.view.shape[x.view.ndim - 1] != size:
        raise RuntimeError(f"[{op}] input has inconsistent input_size: got {x.view.shape[x.view.ndim - 1]} expected {size}; the input "
                           f"has shape {x.shape_tuple()}, the weight {w_ih.shape_tuple()} (shapes cannot be multiplied)")
    if sums % gates or w_hh.view.shape[0] != sums or (w_hh.view.shape[1] != hidden and not projected):
        raise RuntimeError(f"[{op}] weights must have shapes ({gates} * hidden_size, input_size) and ({gates} * hidden_size, "
                           f"hidden_size), got {w_ih.shape_tuple()} and {w_hh.shape_tuple()}")
    if projected and (w_hr is None or w_hr.shape_tuple() != (w_hh.view.shape[1], hidden)):
        raise RuntimeError(f"[{op}] expected a projection of shape {(w_hh.view.shape[1], hidden)}, got "
                           f"{None if w_hr is None else w_hr.shape_tuple()}")
    for b in given[2:4]:
        if b is not None and b.shape_tuple() != (sums,):
            raise RuntimeError(f"[{op}] expected biases of shape {(sums,)}, got {b.shape_tuple()}")
    for t in given:
        check_dtype(op, "weights", x, t)
    check_same_device(op, (x,) + tuple(given))
    return tuple(given)


cdef TensorBase check_state(str op, str name, TensorBase x, object state, tuple shape):
    cdef TensorBase h = as_tensor(state, op)
    if h.shape_tuple() != shape:
        raise RuntimeError(f"[{op}] Expected {name} size {shape}, got {list(h.shape_tuple())}")
    check_dtype(op, name, x, h)
    check_same_device(op, (x, h))
    return h


cdef Course course_of(str op, int cell, TensorBase x, object batch_sizes):
    """The course through (T, B, I), or through (rows, I) and the number of rows of each step."""
    cdef Course course = Course.__new__(Course)
    cdef TensorBase given
    cdef list sizes
    cdef int rank = 3 if batch_sizes is None else 2
    course.cell, course.whole = cell, True
    if x.view.ndim != rank:
        raise RuntimeError(f"[{op}] input must have {rank} dimensions, got {x.view.ndim} in shape {x.shape_tuple()}")
    if batch_sizes is None:
        course.steps, course.batch = x.view.shape[0], x.view.shape[1]
    else:
        given = as_tensor(batch_sizes, op)
        if given.view.ndim != 1 or given.view.dtype != I64:
            raise RuntimeError(f"[{op}] batch_sizes must be one dimension of int64, got {name_of(given.view.dtype)} of "
                               f"shape {given.shape_tuple()}")
        sizes = given.tolist()
        if any([a < b for a, b in zip(sizes, sizes[1:])]) or (sizes and sizes[len(sizes) - 1] <= 0) or sum(sizes) != x.view.shape[0]:
            raise RuntimeError(f"[{op}] batch_sizes must be positive, never rise, and add up to the {x.view.shape[0]} rows of the "
                               f"input, got {sizes if len(sizes) < 20 else sizes[:20] + ['...']}")
        course.steps, course.batch = len(sizes), sizes[0] if sizes else 0
        course.sizes = array.array("q", sizes).tobytes()
    if course.steps == 0:
        raise RuntimeError(f"[{op}] Expected sequence length to be larger than 0 in RNN")
    return course


cdef Course turned(Course course):
    """The same course in the other direction."""
    cdef Course back = Course.__new__(Course)
    back.cell, back.whole, back.steps, back.batch, back.sizes = course.cell, course.whole, course.steps, course.batch, course.sizes
    back.reverse = not course.reverse
    return back


# -- networks of layers ------------------------------------------------------------------------------


cdef tuple network(Op op, tuple args, dict kwargs):
    """All layers and directions: (y, h_n) or of an LSTM (y, h_n, c_n)."""
    cdef str name = op.name
    cdef int cell = cell_of(op), per
    cdef int64_t k, layer
    cdef bint lstm = op is LSTM, projected
    cdef Course course, back
    cdef dict a = arguments(name, lstm, args, kwargs)
    cdef TensorBase x = as_tensor(a["input"], name), w, h = None, c = None
    cdef list ends = [], cells = [], ys, given
    cdef int64_t layers = integer(a["num_layers"], name)
    cdef int directions = 2 if a["bidirectional"] else 1
    cdef double p = a["dropout"]
    if a["batch_first"]:
        if x.view.ndim != 3:
            raise RuntimeError(f"[{name}] input must have 3 dimensions, got {x.view.ndim} in shape {x.shape_tuple()}")
        x = (<object>x).transpose(0, 1)
    course = course_of(name, cell, x, a["batch_sizes"])
    back = turned(course)
    params = [as_tensor(w, name) for w in a["params"]]
    if len(params) < 2 or layers < 1:
        raise RuntimeError(f"[{name}] expected weights for {layers} layers, got {len(params)} tensors")
    w = params[1]
    projected = lstm and w.view.ndim == 2 and w.view.shape[1] * 4 != w.view.shape[0]
    per = (4 if a["has_biases"] else 2) + projected
    if layers > len(params) or len(params) < per * layers * directions:
        raise RuntimeError(f"[{name}] expected {per} weights for each of {layers} layers and {directions} directions, "
                           f"got {len(params)} tensors")
    if a["hx"] is not None:
        if w.view.ndim != 2:
            raise RuntimeError(f"[{name}] weights must be matrices, got shape {w.shape_tuple()}")
        states = a["hx"] if lstm else (a["hx"],)
        if len(states) != 1 + lstm:
            raise RuntimeError(f"[{name}] lstm expects two hidden states, got {len(states)}")
        h = check_state(name, "hidden[0]" if lstm else "hidden", x, states[0], (layers * directions, course.batch, w.view.shape[1]))
        if lstm:
            c = check_state(name, "hidden[1]", x, states[1], (layers * directions, course.batch, w.view.shape[0] // 4))
    for layer in range(layers):
        ys = []
        for k in range(layer * directions, (layer + 1) * directions):
            given = params[k * per:(k + 1) * per]
            if not a["has_biases"]:
                given[2:2] = [None, None]
            given += [None] * (not projected)
            outs = run_layer(op, back if k % directions else course, x, None if h is None else (<object>h).select(0, k),
                             None if c is None else (<object>c).select(0, k), check_weights(name, cell, x, given, projected))
            ys.append(outs[0])
            ends.append(outs[1])
            if lstm:
                cells.append(outs[2])
        x = ys[0] if directions == 1 else cat(ys, -1)
        if p != 0 and a["train"] and layer < layers - 1:
            x = dropout(x, p, True)
    y = x
    if a["batch_first"]:
        y = (<object>x).transpose(0, 1) if lstm else named((<object>x).transpose(0, 1), "TransposeBackward1")
    return (y, together(ends), together(cells)) if lstm else (y, together(ends))


cdef object together(list states):
    return named(states[0].unsqueeze(0), "StackBackward0") if len(states) == 1 else stack(states)


cdef tuple AFTER_HX = ("params", "has_biases", "num_layers", "dropout", "train", "bidirectional")
cdef tuple PADDED = ("input", "hx") + AFTER_HX + ("batch_first",)
cdef tuple PACKED = ("data", "batch_sizes", "hx") + AFTER_HX


cdef dict arguments(str op, bint lstm, tuple args, dict kwargs):
    """The arguments by name, of (input, hx, ...) or (data, batch_sizes, hx, ...): a tensor stands where the other has a list."""
    cdef int at = 1 if lstm else 2
    cdef bint packed = "data" in kwargs or "batch_sizes" in kwargs or (len(args) > at and isinstance(args[at], TensorBase))
    cdef tuple names = PACKED if packed else PADDED
    if len(args) > len(names):
        raise TypeError(f"[{op}] takes {len(names)} arguments ({', '.join(names)}), got {len(args)}")
    found = dict(zip(names, args))
    for name, value in kwargs.items():
        if name not in names or name in found:
            raise TypeError(f"[{op}] got an unexpected or repeated argument '{name}'; it takes {', '.join(names)}")
        found[name] = value
    missing = [name for name in names if name not in found]
    if missing:
        raise TypeError(f"[{op}] missing arguments: {', '.join(missing)}")
    if packed:
        found["input"], found["batch_first"] = found.pop("data"), False
    if not isinstance(found["params"], (list, tuple)):
        raise TypeError(f"[{op}] argument 'params' must be tuple of Tensors, not {type(found['params']).__name__}")
    if found["hx"] is not None and lstm != isinstance(found["hx"], (list, tuple)):
        raise TypeError(f"[{op}] argument 'hx' must be {'tuple of Tensors' if lstm else 'Tensor'}, not {type(found['hx']).__name__}")
    found.setdefault("batch_sizes", None)
    return found


def lstm(*args, **kwargs):
    """Run a long short-term memory network: lstm(input, hx, params, ...) or, of packed sequences, lstm(data, batch_sizes, hx, ...).

    For each step, with gates i, f, g, o from sums W_i* x + b_i* + W_h* h + b_h*:
    c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c'), and then W_hr h' if there are projections.

    Args:
        input: (T, B, I), with ``batch_first`` (B, T, I); data: (rows, I), the rows of step t being the next
            ``batch_sizes[t]`` ones, of the first sequences of the batch.
        hx: h_0 of (layers * directions, B, P) and c_0 of (layers * directions, B, H); None for zeros.
        params: for each layer and direction w_ih (4 H, I), w_hh (4 H, P), with ``has_biases`` b_ih and b_hh (4 H), and
            w_hr (P, H) where P is not H.
        has_biases, num_layers, dropout, train, bidirectional, batch_first: ``dropout`` is between layers, while ``train``.

    Returns (y, h_n, c_n).  RuntimeError where sizes or dtypes do not fit.
    Source: Hochreiter and Schmidhuber 1997; projections: Sak et al. 2014, https://arxiv.org/abs/1402.1128.

    >>> import taeda
    >>> x, h, w = taeda.ones(2, 1, 1), taeda.zeros(1, 1, 1), taeda.zeros(4, 1)
    >>> y, h_n, c_n = taeda.lstm(x, (h, h + 1), [w, w], False, 1, 0.0, False, False, False)
    >>> c_n                                              # half of it is forgotten at every step
    tensor([[[0.2500]]])
    """
    return network(LSTM, args, kwargs)


def gru(*args, **kwargs):
    """Run a network of gated recurrent units: gru(input, hx, params, ...) or, of packed sequences, gru(data, batch_sizes, hx, ...).

    For each step r, z = sigmoid(W_i* x + b_i* + W_h* h + b_h*),  n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
    h' = (1 - z) n + z h.  Arguments are :func:`lstm`'s, with h_0 alone as ``hx``, and 3 H rows of weights.

    Returns (y, h_n).  Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078.

    >>> import taeda
    >>> x, h, w = taeda.ones(1, 1, 1), taeda.ones(1, 1, 1), taeda.zeros(3, 1)
    >>> taeda.gru(x, h, [w, w], False, 1, 0.0, False, False, False)[1]
    tensor([[[0.5000]]])
    """
    return network(GRU, args, kwargs)


def rnn_tanh(*args, **kwargs):
    """Run a plain recurrent network, h' = tanh(W_ih x + b_ih + W_hh h + b_hh); arguments as :func:`gru`'s with H rows of weights.

    Returns (y, h_n).  Source: Elman 1990.

    >>> import taeda
    >>> w = taeda.ones(1, 1)
    >>> taeda.rnn_tanh(taeda.zeros(2, 1, 1), taeda.ones(1, 1, 1), [w, w], False, 1, 0.0, False, False, False)[0].squeeze()
    tensor([0.7616, 0.6420])
    """
    return network(RNN_TANH, args, kwargs)


def rnn_relu(*args, **kwargs):
    """Run a plain recurrent network, h' = max(W_ih x + b_ih + W_hh h + b_hh, 0); arguments as :func:`rnn_tanh`'s.

    >>> import taeda
    >>> w = taeda.ones(1, 1)
    >>> taeda.rnn_relu(taeda.ones(3, 1, 1), taeda.zeros(1, 1, 1), [w, w], False, 1, 0.0, False, False, False)[0].squeeze()
    tensor([1., 2., 3.])
    """
    return network(RNN_RELU, args, kwargs)


# -- single steps ------------------------------------------------------------------------------------


cdef dict STEPS = {"lstm": "MulBackward0", "gru": "AddBackward0", "rnn_tanh": "TanhBackward0", "rnn_relu": "ReluBackward0"}


cdef tuple step(Op op, str name, object input, object hx, object cx, object w_ih, object w_hh, object b_ih, object b_hh):
    """(h',) or of an LSTM (h', c')."""
    cdef TensorBase x = as_tensor(input, name), w = as_tensor(w_hh, name), h = as_tensor(hx, name), c = None
    cdef Course course = Course.__new__(Course)
    cdef tuple weights
    if x.view.ndim != 2:
        raise (IndexError if x.view.ndim < 2 else RuntimeError)(f"[{name}] input must have 2 dimensions, got shape {x.shape_tuple()}")
    course.cell, course.steps, course.batch = cell_of(op), 1, x.view.shape[0]
    weights = check_weights(name, course.cell, x, [as_tensor(w_ih, name), w, None if b_ih is None else as_tensor(b_ih, name),
                                                   None if b_hh is None else as_tensor(b_hh, name), None], False)
    check_step_state(name, 0, x, h, w.view.shape[1])
    if op is LSTM:
        c = as_tensor(cx, name)
        check_step_state(name, 1, x, c, w.view.shape[1])
    found = run_layer(op, course, x, h, c, weights)
    named(found[0], STEPS[op.name])                  # both results of an LSTM have one node: c' shows the name of h'
    return found


cdef int check_step_state(str op, int k, TensorBase x, TensorBase h, int64_t hidden) except -1:
    if h.view.ndim != 2:
        raise (IndexError if h.view.ndim < 2 else RuntimeError)(f"[{op}] hidden{k} must have 2 dimensions, got shape {h.shape_tuple()}")
    if h.view.shape[0] != x.view.shape[0]:
        raise RuntimeError(f"[{op}] Input batch size {x.view.shape[0]} doesn't match hidden{k} batch size {h.view.shape[0]}; got "
                           f"shapes {x.shape_tuple()} and {h.shape_tuple()}")
    if h.view.shape[1] != hidden:
        raise RuntimeError(f"[{op}] hidden{k} has inconsistent hidden_size: got {h.view.shape[1]}, expected {hidden}")
    check_dtype(op, f"hidden{k}", x, h)
    return check_same_device(op, (x, h))


def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """Run one step of an LSTM: (h', c') from input (B, I) and hx = (h, c), both (B, H); see :func:`lstm`.

    >>> import taeda
    >>> h, w = taeda.ones(1, 1), taeda.zeros(4, 1)
    >>> taeda.lstm_cell(h, (h, h), w, w)[1]
    tensor([[0.5000]])
    """
    if not isinstance(hx, (list, tuple)):
        raise TypeError(f"[lstm_cell] argument 'hx' must be tuple of Tensors, not {type(hx).__name__}")
    if len(hx) != 2:
        raise RuntimeError(f"[lstm_cell] lstm_cell expects two hidden states, got {len(hx)}")
    return step(LSTM, "lstm_cell", input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh)


def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """Run one step of a GRU: h' from input (B, I) and hx (B, H); see :func:`gru`.

    >>> import taeda
    >>> h, w = taeda.ones(1, 1), taeda.zeros(3, 1)
    >>> taeda.gru_cell(h, h, w, w)
    tensor([[0.5000]])
    """
    return step(GRU, "gru_cell", input, hx, None, w_ih, w_hh, b_ih, b_hh)[0]


def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """Run one step of a plain recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), x (B, I), h (B, H).

    >>> import taeda
    >>> h, w = taeda.ones(1, 1), taeda.ones(1, 1)
    >>> taeda.rnn_tanh_cell(h, h, w, w)
    tensor([[0.9640]])
    """
    return step(RNN_TANH, "rnn_tanh_cell", input, hx, None, w_ih, w_hh, b_ih, b_hh)[0]


def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """Run one step of a plain recurrent network: h' = max(W_ih x + b_ih + W_hh h + b_hh, 0).

    >>> import taeda
    >>> h, w = taeda.ones(1, 1), taeda.ones(1, 1)
    >>> taeda.rnn_relu_cell(h, h, w, w)
    tensor([[2.]])
    """
    return step(RNN_RELU, "rnn_relu_cell", input, hx, None, w_ih, w_hh, b_ih, b_hh)[0]

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Recurrent networks: LSTM, GRU and the plain (Elman) one, over whole sequences or one step at a time.

Arguments are checked here, and layers and directions put together; `recurrent_layer` computes one of them.
"""
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op, as_tensor, check_same_device, integer
from taeda.dtype cimport name_of
from taeda.kernels.cpu.abi cimport I64
from taeda.ops.recurrent_layer cimport GRU, LSTM, RNN_RELU, RNN_TANH, Course, cell_of, gates_of, run_layer
from taeda.tensor_base cimport TensorBase

import array

from taeda.autograd.node import named, own
from taeda.ops.dropout import dropout
from taeda.ops.join import cat, stack

__all__ = ["lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"]
PUBLIC = ("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
METHODS = {}


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
    return own(states[0].unsqueeze(0), "StackBackward0") if len(states) == 1 else stack(states)


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

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Connectionist temporal classification: the likelihood of a sequence of labels over all its alignments.

One kernel runs the forward variables, one the backward ones and the gradient; no alignment is ever written.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, contiguous, define, empty_like, empty_shape, integer, launch, needs_grad, record,
                             to_dtype)
from taeda.dtype cimport is_float, is_integral, torch_name
from taeda.kernels.cpu.abi cimport I64, Param, View
from taeda.ops.loss cimport reduction_code
from taeda.tensor_base cimport TensorBase, kind_of

__all__ = ["ctc_loss"]
PUBLIC = ()
METHODS = {}


cdef object ctc_backward_vjp(Node n, object g):
    raise RuntimeError("[ctc_loss] derivative for aten::_ctc_loss_backward is not implemented: the loss has a first "
                       "derivative only")

cdef Op CTC_BACKWARD = define("ctc_loss_backward", ctc_backward_vjp, 0, 0, None, "NotImplemented")

cdef object ctc_vjp(Node n, object cotangent):
    """g (exp x - posterior of each class at each time): the derivative by what log_softmax was given."""
    cdef TensorBase x = n.load(0), targets = n.load(1), info = n.load(2), loss = n.load(3), alpha = n.load(4)
    cdef TensorBase g = contiguous(<TensorBase>cotangent), gx = empty_like(x)
    cdef View* t[7]
    cdef Param p[7]
    fill(x, alpha.view.shape[2] - 4, n.extra[0], 1, n.extra[1], p)
    t[0], t[1], t[2], t[3], t[4] = &gx.view, &g.view, &loss.view, &alpha.view, &x.view
    t[5], t[6] = &targets.view, &info.view
    launch(CTC_BACKWARD, x.view.dtype, x.device, 1, 7, t, p, 16 * alpha.view.numel)
    record(CTC_BACKWARD, gx, (g, x), ())
    return gx

cdef Op CTC = define("ctc_loss", ctc_vjp)


cdef int fill(TensorBase x, int64_t states, int64_t blank, bint keep, bint zero_infinity, Param* p) except -1:
    p[0].i, p[1].i, p[2].i = x.view.shape[0], x.view.shape[1], x.view.shape[2]
    p[3].i, p[4].i, p[5].i, p[6].i = states, blank, keep, zero_infinity
    return 0


cdef TensorBase ctc(TensorBase x, TensorBase targets, TensorBase info, int64_t longest, int64_t blank, bint zero_infinity):
    """-log of the likelihood of each sample; x (T, N, C), targets (sum of lengths), info (3, N)."""
    cdef bint keep = needs_grad(x)
    cdef int64_t states = 2 * longest + 1
    cdef TensorBase loss = empty_shape((x.view.shape[1],), x.view.dtype, x.device), alpha
    cdef View* t[5]
    cdef Param p[7]
    x = contiguous(x)
    alpha = empty_shape((x.view.shape[1], x.view.shape[0] if keep else 2, states + 4), x.view.dtype, x.device)
    fill(x, states, blank, keep, zero_infinity, p)
    t[0], t[1], t[2], t[3], t[4] = &loss.view, &alpha.view, &x.view, &targets.view, &info.view
    launch(CTC, x.view.dtype, x.device, 2, 5, t, p, 16 * x.view.shape[0] * x.view.shape[1] * states)
    record(CTC, loss, (x,), (x, targets, info, loss, alpha), (blank, zero_infinity))
    return loss


cdef list lengths_of(str name, object given, int64_t n, int64_t most):
    """The lengths as integers, one a sample, each from 0 to `most` (-1: no limit)."""
    cdef TensorBase t
    if isinstance(given, TensorBase):
        t = <TensorBase>given
        if not is_integral(t.view.dtype):
            raise RuntimeError(f"[ctc_loss] {name} must be integral, got dtype {torch_name(t.view.dtype)}")
        given = given.reshape(-1).tolist()
    lengths = [integer(i, "ctc_loss") for i in given]
    if len(lengths) != n:
        raise RuntimeError(f"[ctc_loss] {name} must be of size batch_size; got {len(lengths)} for a batch of {n}")
    for value in lengths:
        if value < 0:
            raise RuntimeError(f"[ctc_loss] Expected {name} to have value at least 0, but got value {value}")
        if value > most >= 0:
            raise RuntimeError(f"[ctc_loss] Expected {name} to have value at most {most}, but got value {value}")
    return lengths


cdef list running(list lengths):
    """Where each part begins when they stand one after another."""
    cdef list begins = []
    cdef int64_t at = 0
    for value in lengths:
        begins.append(at)
        at += value
    return begins


cdef tuple labels_of(TensorBase targets, list lengths, int64_t n):
    """All labels one after another, and where those of each sample begin."""
    cdef int64_t total = sum(lengths), row
    if targets.view.ndim not in (1, 2):
        raise RuntimeError(f"[ctc_loss] Expected 1 to 2 dimensions, but got {targets.view.ndim}-dimensional tensor for argument "
                           f"targets; it is (N, S) or (sum(target_lengths),)")
    if targets.view.ndim == 1:
        if targets.view.shape[0] != total:
            raise RuntimeError(f"[ctc_loss] Expected targets to have size {total} at dimension 0, the sum of target_lengths, but "
                               f"got size {targets.view.shape[0]}")
        begins = running(lengths)
    else:
        row = targets.view.shape[1]
        if targets.view.shape[0] != n:
            raise RuntimeError(f"[ctc_loss] Expected targets to have size {n} at dimension 0, the batch, but got size "
                               f"{targets.view.shape[0]}; shape {targets.shape_tuple()}")
        if row < max(lengths):
            raise RuntimeError(f"[ctc_loss] Expected targets to have size at least {max(lengths)} at dimension 1, the longest of "
                               f"target_lengths, but got size {row}; shape {targets.shape_tuple()}")
        begins = [i * row for i in range(n)]
    return contiguous(to_dtype(targets, I64)), begins


cdef int check_labels(TensorBase targets, list begins, list lengths, int64_t classes) except -1:
    """IndexError for a label that the kernel would look up outside of the classes."""
    cdef int64_t* label = <int64_t*>targets.view.data
    cdef int64_t n, s, first
    for n in range(len(lengths)):
        first = begins[n]
        for s in range(<int64_t>lengths[n]):
            if not 0 <= label[first + s] < classes:
                raise IndexError(f"[ctc_loss] Target {label[first + s]} is out of bounds; with {classes} classes it must be in "
                                 f"[0, {classes - 1}] (label {s} of sample {n})")
    return 0


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Return -log of the probability that the classes of each time spell the target (Graves et al., 2006).

    A path of one class a time spells what is left of it when repeated classes are merged and blanks removed; the
    probabilities of all paths that spell the target are summed.

    Args:
        log_probs: logarithms of probabilities, (T, N, C) or for one sample (T, C).
        targets: labels, (N, S) or one after another (sum(target_lengths),); none is to be the blank.
        input_lengths, target_lengths: N integers each, as tensors or as sequences; at most T and S.
        blank: the class that spells nothing.
        reduction: 'mean' (of each loss over its target's length), 'sum' or 'none'.
        zero_infinity: an infinite loss, that of a target too long for its input, counts 0 and has no gradient.

    The gradient is that by what log_softmax made log_probs from, as PyTorch's; it has no derivative.

    Raises:
        RuntimeError: shapes, lengths or the blank do not fit; IndexError: a label is no class.

    >>> import taeda
    >>> from taeda import ops
    >>> half = taeda.full((2, 1, 2), 0.5).log()
    >>> ops.ctc_loss(half, taeda.tensor([[1]]), [2], [1]).exp()
    tensor(1.3333)
    """
    cdef TensorBase x = as_tensor(log_probs, "ctc_loss"), labels = as_tensor(targets, "ctc_loss"), info, loss
    cdef int code = reduction_code("ctc_loss", reduction)
    cdef int64_t classes, n
    cdef bint single = x.view.ndim == 2
    as_tensors = isinstance(input_lengths, TensorBase), isinstance(target_lengths, TensorBase)
    if as_tensors[0] is not as_tensors[1] or not (as_tensors[0] or isinstance(input_lengths, (list, tuple))
                                                  and isinstance(target_lengths, (list, tuple))):
        raise TypeError("[ctc_loss] input_lengths and target_lengths must be two tensors or two sequences of integers, got "
                        f"{type(input_lengths).__name__} and {type(target_lengths).__name__}")
    if x.view.ndim not in (2, 3):
        raise RuntimeError(f"[ctc_loss] Expected log_probs of shape (T, N, C) or (T, C), got {x.shape_tuple()}")
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[ctc_loss] \"ctc_loss_cpu\" not implemented for '{torch_name(x.view.dtype)}'; log_probs must "
                                  "be floating point")
    if single:
        x = (<object>x).unsqueeze(1)
    if x.view.numel == 0:
        raise RuntimeError(f"[ctc_loss] log_probs tensor must not be empty, got shape {x.shape_tuple()}")
    if (<object>labels).is_meta and not (<object>x).is_meta:      # before its values are looked at
        raise RuntimeError(f"[ctc_loss] expected log_probs and targets on the same device, got {(<object>x).device} and "
                           f"{(<object>labels).device}")
    n, classes = x.view.shape[1], x.view.shape[2]
    blank = integer(blank, "ctc_loss")
    if not 0 <= blank < classes:
        raise RuntimeError(f"[ctc_loss] blank must be in label range [0, {classes - 1}], got {blank}")
    inputs = lengths_of("input_lengths", input_lengths, n, x.view.shape[0])
    lengths = lengths_of("target_lengths", target_lengths, n, -1)
    labels, begins = labels_of(labels, lengths, n)
    if labels.view.numel and not (<object>labels).is_meta and not kind_of(&labels.view):     # no stand-in of vmap
        check_labels(labels, begins, lengths, classes)
    info = (<object>labels).new_tensor([inputs, lengths, begins])
    loss = ctc(x, labels, info, max(lengths), blank, zero_infinity)
    result = <object>loss
    if zero_infinity:
        result = result.where(result != float("inf"), 0)
    if code == 1:
        return (result / result.new_tensor([max(1, i) for i in lengths])).mean()
    if code == 2:
        return result.sum()
    return result.squeeze(0) if single else result

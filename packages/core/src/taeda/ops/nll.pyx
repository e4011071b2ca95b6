# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Losses of classes: nll_loss of log-probabilities, cross_entropy of logits.

Cross entropy with class indices is one kernel forward and one backward: log-probabilities are never
written.  With class probabilities it is composed of log_softmax and sums.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, check_same_device, contiguous, define, empty, empty_like, empty_shape, integer,
                             joint, launch, needs_grad, record, to_dtype)
from taeda.dtype cimport is_float, torch_name
from taeda.kernels.cpu.abi cimport I64, U8, Param, View
from taeda.ops.loss cimport reduction_code
from taeda.tensor_base cimport TensorBase

from taeda.autograd.node import named
from taeda.ops.softmax import log_softmax

__all__ = ["nll_loss", "cross_entropy"]
PUBLIC = ()
METHODS = {}


cdef str cure_of(TensorBase x, TensorBase target):
    """What to do about a target whose shape is not wanted, where that is clear."""
    cdef tuple xs = x.shape_tuple(), ts = target.shape_tuple()
    if ts[1:2] == (1,) and ts[2:] == xs[2:]:
        return "; did you mean target.squeeze(1)?"
    if is_float(target.view.dtype) and len(ts) == len(xs):
        return f"; class probabilities have the input's shape {list(xs)}"
    return ""


cdef int check_classes(str op, TensorBase x, TensorBase target, TensorBase w) except -1:
    """x: (C,) or (N, C, ...); target: x's shape without C; w: (C,)."""
    cdef tuple xs = x.shape_tuple(), ts = target.shape_tuple()
    check_same_device(op, (x, target, w))
    if x.view.ndim == 0:
        raise ValueError(f"[{op}] Expected 1 or more dimensions (got 0)")
    if x.view.ndim == 1:
        if target.view.numel != 1 or target.view.ndim > 1:
            raise ValueError(f"[{op}] For 1D input of shape {xs}, 1D target must have size 1 and 0D target is expected, got "
                             f"target of shape {ts}")
    elif target.view.ndim == 0 or xs[0] != ts[0]:
        raise ValueError(f"[{op}] Expected input batch_size ({xs[0]}) to match target batch_size "
                         f"({ts[0] if ts else 'none'}); got input of shape {xs} and target of shape {ts}")
    elif xs[2:] != ts[1:]:
        if len(xs) == 2:                                                       # PyTorch's rule of each, by which programs know it
            rule = "0D or 1D target tensor expected, multi-target not supported"
        elif len(xs) == 4 and len(ts) != 3:
            rule = f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {len(ts)}"
        elif len(xs) == 4:
            rule = f"size mismatch (got input: {list(xs)} , target: {list(ts)})"
        else:
            rule = f"Expected target size {[xs[0], *xs[2:]]}, got {list(ts)}"
        raise RuntimeError(f"[{op}] {rule}; input of shape {xs} takes a target of {(xs[0], *xs[2:])}, got one of {ts}{cure_of(x, target)}")
    if target.view.dtype != I64 and target.view.dtype != U8:
        raise RuntimeError(f"[{op}] expected target dtype to be Long or Byte, but got {torch_name(target.view.dtype)}; "
                           "convert class indices with .long()")
    if w is not None:
        if w.view.ndim != 1 or w.view.numel != (xs[0] if x.view.ndim == 1 else xs[1]):
            raise RuntimeError(f"[{op}] weight tensor should be defined either for all "
                               f"{xs[0] if x.view.ndim == 1 else xs[1]} classes or no classes but got weight tensor of shape: "
                               f"{list(w.shape_tuple())}")
        if w.view.dtype != x.view.dtype:
            raise RuntimeError(f"[{op}] expected scalar type {torch_name(x.view.dtype)} but found "
                               f"{torch_name(w.view.dtype)} for the weight; convert one of them")
        if needs_grad(w):
            raise RuntimeError(f"[{op}] The function is not differentiable with respect to argument 'weight'; detach it")
    return 0


cdef int fill(TensorBase x, TensorBase target, int reduction, object ignore_index, double smoothing, Param* p) except -1:
    if x.view.ndim == 1:
        p[0].i, p[1].i, p[2].i = 1, x.view.shape[0], 1
    else:
        p[0].i, p[1].i = x.view.shape[0], x.view.shape[1]
        p[2].i = target.view.numel // p[0].i if p[0].i else 0
    p[3].i, p[4].i, p[5].i, p[6].f = reduction, ignore_index, target.view.dtype == U8, smoothing
    return 0


cdef int out_of_bounds(str op, TensorBase target, int64_t bad, int64_t classes) except -1:
    value = (<object>target).reshape(-1)[bad - 1].item()
    raise IndexError(f"[{op}] Target {value} is out of bounds; with {classes} classes it must be in [0, {classes - 1}] "
                     f"(at position {bad - 1} of the flattened target of shape {target.shape_tuple()})")


cdef TensorBase loss_like(TensorBase x, TensorBase target, int reduction):
    return empty_shape(target.shape_tuple() if reduction == 0 and x.view.ndim > 1 else (), x.view.dtype, x.device)


# -- nll ---------------------------------------------------------------------------------------------

# nll_loss_backward: gx = -g w_t at each sample's class, over the total weight for the mean
cdef object nll_backward_vjp(Node n, object g):
    reduction, ignore_index, weighted, _ = n.extra
    return nll(<TensorBase>g, n.load(0), n.load(2) if weighted else None, reduction, ignore_index)

cdef Op NLL_BACKWARD = define("nll_loss_backward", nll_backward_vjp, 0, 0, None, "NllLossBackwardBackward0")

cdef object nll_vjp(Node n, object cotangent):
    cdef TensorBase target = n.load(0), total = n.load(1), w = n.load(2) if n.extra[2] else None, gx
    cdef TensorBase g = contiguous(<TensorBase>cotangent)
    cdef View* t[5]
    cdef Param p[7]
    gx = empty_shape(n.extra[3], g.view.dtype, g.device)
    fill(gx, target, n.extra[0], n.extra[1], 0, p)
    t[0], t[1], t[2], t[3], t[4] = &gx.view, &g.view, &total.view, &target.view, &w.view if w is not None else NULL
    if gx.view.numel:
        launch(NLL_BACKWARD, g.view.dtype, g.device, 1, 5, t, p, gx.view.numel)
    record(NLL_BACKWARD, gx, (g,), (target, total, w), n.extra)
    return gx

cdef Op NLL = joint(define("nll_loss", nll_vjp))
cdef Op NLL2D = joint(define("nll_loss2d", nll_vjp, 0, 0, "nll_loss", "NllLoss2DBackward0"))

cdef TensorBase nll(TensorBase x, TensorBase target, TensorBase w, int reduction, object ignore_index):
    cdef TensorBase out = loss_like(x, target, reduction), total
    cdef View* t[5]
    cdef Param p[7]
    cdef int64_t bad
    cdef Op op = NLL if x.view.ndim < 3 else NLL2D
    x, target = contiguous(x), contiguous(target)
    total = empty(0, NULL, x.view.dtype, x.device)
    fill(x, target, reduction, ignore_index, 0, p)
    t[0], t[1], t[2], t[3], t[4] = &out.view, &total.view, &x.view, &target.view, &w.view if w is not None else NULL
    bad = launch(op, x.view.dtype, x.device, 2, 5, t, p, target.view.numel)
    if bad:
        out_of_bounds("nll_loss", target, bad, p[1].i)
    record(op, out, (x,), (target, total, w), (reduction, ignore_index, w is not None, x.shape_tuple()))
    return out


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """Return the negative log-likelihood -w_t x_t of each sample's class t, or their mean or sum.

    Args:
        input: log-probabilities, (C,), (N, C) or (N, C, d1, ...).
        target: int64 or uint8 classes in [0, C): (), (N,) or (N, d1, ...).
        weight: (C,), one weight a class; the mean is over the weights' sum.
        ignore_index: a class whose samples count nothing.
        reduction: 'mean', 'sum' or 'none'.

    A class out of range is an IndexError that names it.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.nll_loss(taeda.tensor([[-1., -2.], [-3., -4.]]), taeda.tensor([0, 1]))
    tensor(2.5000)
    """
    cdef TensorBase x = as_tensor(input, "nll_loss"), t = as_tensor(target, "nll_loss"), w = None
    cdef int code = reduction_code("nll_loss", reduction)
    ignore_index = integer(ignore_index, "nll_loss")               # numbers first: what is checked of tensors must still hold afterwards
    if weight is not None:
        w = contiguous(as_tensor(weight, "nll_loss"))
    check_classes("nll_loss", x, t, w)
    return nll(x, t, w, code, ignore_index)


# -- cross entropy -----------------------------------------------------------------------------------

cdef Op CROSS_ENTROPY_BACKWARD = define("cross_entropy_backward", NULL)

cdef object cross_entropy_vjp(Node n, object g):
    """g (softmax(x) (k + q W) - k onehot - q w) with k = (1 - e) w_t, q = e / C, over the total weight for the mean."""
    cdef TensorBase x = n.load(0), target = n.load(1), total = n.load(2), lse = n.load(3), gy, gx
    cdef TensorBase w = n.load(4) if n.extra[3] else None
    cdef View* t[7]
    cdef Param p[7]
    if any_needs_grad((g, x)):
        return cross_entropy_composed(n, g, x, target, total, w)
    gx, gy = empty_like(x), contiguous(<TensorBase>g)
    fill(x, target, n.extra[0], n.extra[1], n.extra[2], p)
    t[0], t[1], t[2], t[3], t[4] = &gx.view, &gy.view, &total.view, &lse.view, &x.view
    t[5], t[6] = &target.view, &w.view if w is not None else NULL
    if gx.view.numel:
        launch(CROSS_ENTROPY_BACKWARD, x.view.dtype, x.device, 1, 7, t, p, 4 * x.view.numel)
    return gx

cdef object cross_entropy_composed(Node n, object g, object x, object target, object total, object w):
    reduction, ignore_index, smoothing, _ = n.extra
    cdef int dim = 0 if x.dim() == 1 else 1
    target = target.reshape(()) if dim == 0 else target
    kept = target != ignore_index
    index = (<object>to_dtype(target, I64)).masked_fill(~kept, 0).unsqueeze(dim)
    classes = x.shape[dim]
    prob = log_softmax(x, dim).exp()
    onehot = x.new_zeros(x.shape).scatter(dim, index, 1.0)
    share = smoothing / max(classes, 1)
    g = g.reshape(target.shape) if reduction == 0 else g
    if reduction == 1:
        g = g / total
    g = g.expand(target.shape).masked_fill(~kept, 0).unsqueeze(dim)        # a mean over nothing is nan: no gradient to pass on
    if w is None:
        return g * (prob - (1 - smoothing) * onehot - share)
    across = w.reshape((-1,) + (1,) * (x.dim() - dim - 1))
    picked = (1 - smoothing) * w[index]
    return g * (prob * (picked + share * w.sum()) - picked * onehot - share * across)

cdef Op CROSS_ENTROPY = define("cross_entropy", cross_entropy_vjp, 0, 0, None, "NllLossBackward0")
cdef Op CROSS_ENTROPY2D = define("cross_entropy2d", cross_entropy_vjp, 0, 0, "cross_entropy", "NllLoss2DBackward0")

cdef TensorBase cross_entropy_indices(TensorBase x, TensorBase target, TensorBase w, int reduction, object ignore_index,
                                      double smoothing):
    cdef TensorBase out = loss_like(x, target, reduction), total, lse
    cdef View* t[6]
    cdef Param p[7]
    cdef int64_t bad
    cdef Op op = CROSS_ENTROPY if x.view.ndim < 3 else CROSS_ENTROPY2D
    x, target = contiguous(x), contiguous(target)
    total = empty(0, NULL, x.view.dtype, x.device)
    lse = empty_shape((2, target.view.numel), x.view.dtype, x.device)
    fill(x, target, reduction, ignore_index, smoothing, p)
    t[0], t[1], t[2], t[3], t[4] = &out.view, &total.view, &lse.view, &x.view, &target.view
    t[5] = &w.view if w is not None else NULL
    bad = launch(op, x.view.dtype, x.device, 3, 6, t, p, 4 * x.view.numel)
    if bad:
        out_of_bounds("cross_entropy", target, bad, p[1].i)
    record(op, out, (x,), (x, target, total, lse, w), (reduction, ignore_index, smoothing, w is not None))
    if smoothing > 0:
        return <TensorBase>named(out, "AddBackward0")
    return <TensorBase>named(out, "ViewBackward0") if reduction == 0 and x.view.ndim in (3, 5, 6) else out


def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """Return the cross entropy of softmax(x) and a target of classes or of class probabilities.

    With log p = log_softmax(x) over the classes: -w_t log p_t for a class t, or -sum_c y_c w_c log p_c for
    probabilities y.

    Args:
        input: logits, (C,), (N, C) or (N, C, d1, ...).
        target: int64 or uint8 classes of the input's shape without C; or probabilities of the input's shape.
        weight: (C,), one weight a class; with class indices the mean is over the weights' sum.
        ignore_index: a class whose samples count nothing; for class indices alone.
        reduction: 'mean', 'sum' or 'none'.
        label_smoothing: share e in [0, 1] of the target that is spread over all classes.

    A class out of range is an IndexError that names it.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.cross_entropy(taeda.tensor([[0., 0.]]), taeda.tensor([1]))
    tensor(0.6931)
    >>> ops.cross_entropy(taeda.tensor([[0., 0.]]), taeda.tensor([[0.5, 0.5]]))
    tensor(0.6931)
    """
    cdef TensorBase x = as_tensor(input, "cross_entropy"), t = as_tensor(target, "cross_entropy"), w = None
    cdef int code = reduction_code("cross_entropy", reduction)
    cdef double smoothing = label_smoothing
    ignore_index = integer(ignore_index, "cross_entropy")
    if not 0 <= smoothing <= 1:
        raise RuntimeError(f"[cross_entropy] label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if weight is not None:
        w = contiguous(as_tensor(weight, "cross_entropy"))
    if x.view.ndim and x.shape_tuple() == t.shape_tuple():
        if not is_float(t.view.dtype):
            raise RuntimeError("[cross_entropy] Expected floating point type for target with class probabilities, got "
                               f"{torch_name(t.view.dtype)}; a target of classes has the shape {x.shape_tuple()} without C")
        if ignore_index >= 0:
            raise RuntimeError("[cross_entropy] ignore_index is not supported for floating point target, got "
                               f"ignore_index={ignore_index}")
        return cross_entropy_probabilities(x, t, w, code, smoothing)
    check_classes("cross_entropy", x, t, w)
    return cross_entropy_indices(x, t, w, code, ignore_index, smoothing)


cdef object cross_entropy_probabilities(TensorBase x, TensorBase target, TensorBase w, int reduction, double smoothing):
    cdef int dim = 0 if x.view.ndim == 1 else 1
    cdef object classes = x.view.shape[dim], y = target, loss
    check_same_device("cross_entropy", (x, target, w))
    if w is not None and (w.view.ndim != 1 or w.view.numel != classes):
        raise RuntimeError(f"[cross_entropy] weight tensor should be defined either for all {classes} classes or no classes "
                           f"but got weight tensor of shape: {list(w.shape_tuple())}")
    if smoothing > 0:
        y = y * (1 - smoothing) + smoothing / max(classes, 1)
    loss = log_softmax(x, dim) * y
    if w is not None:
        loss = loss * (<object>w).reshape((-1,) + (1,) * (x.view.ndim - dim - 1))
    if reduction == 0:
        return -loss.sum(dim)
    if reduction == 2:
        return -loss.sum()
    return named(-loss.sum() / (x.view.numel // max(1, x.view.shape[dim])), "DivBackward1")

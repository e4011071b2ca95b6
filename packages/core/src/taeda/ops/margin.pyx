# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Margin losses of one label or several a sample; their slopes are computed together with them."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, check_same_device, contiguous, define, empty_shape, joint, launch, needs_grad,
                             record)
from taeda.dtype cimport is_float, torch_name
from taeda.kernels.cpu.abi cimport I64, Param, View
from taeda.operands cimport real_number
from taeda.ops.loss cimport reduction_code
from taeda.tensor_base cimport TensorBase

from taeda.autograd.node import own

__all__ = ["multi_margin_loss", "multilabel_margin_loss"]
PUBLIC = ()
METHODS = {}


cdef object margin_vjp(Node n, object g):
    """g times the slope, which is constant between the margins."""
    reduction, samples, shape = n.extra
    if reduction == 1:
        g = g / max(1, samples)
    return (n.load(0) * (g.reshape(-1, 1) if reduction == 0 else g)).reshape(shape)

cdef Op MULTILABEL_MARGIN = joint(define("multilabel_margin_loss", margin_vjp))


def multilabel_margin_loss(input, target, reduction="mean"):
    """Return the sum over right classes j and wrong classes i of max(0, 1 - (x[j] - x[i])), over the number of classes.

    Args:
        input: (N, C) or (C,); target: int64 of the same shape, the right classes up to the first -1 of each row.
        reduction: 'mean', 'sum' or 'none'.

    Raises:
        RuntimeError: the shapes differ, the target is not int64, or a class is out of range.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.multilabel_margin_loss(taeda.tensor([[0.1, 0.2, 0.4, 0.8]]), taeda.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    cdef TensorBase x = as_tensor(input, "multilabel_margin_loss"), t = as_tensor(target, "multilabel_margin_loss")
    cdef TensorBase rows, loss, out, slope = None
    cdef int code = reduction_code("multilabel_margin_loss", reduction)
    cdef int64_t bad, n, classes = x.view.shape[x.view.ndim - 1] if x.view.ndim else 1
    cdef tuple shape = x.shape_tuple()
    cdef View* v[4]
    cdef Param p[2]
    check_same_device("multilabel_margin_loss", (x, t))
    if x.view.ndim > 2 or classes == 0:
        raise RuntimeError("[multilabel_margin_loss] Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
                           f"{list(shape)}")
    if t.shape_tuple() != shape:
        raise RuntimeError(f"[multilabel_margin_loss] inconsistent target size: {list(t.shape_tuple())} for input of size: "
                           f"{list(shape)}")
    if t.view.dtype != I64:
        raise RuntimeError(f"[multilabel_margin_loss] expected scalar type Long but found {torch_name(t.view.dtype)}; convert the "
                           "target with .long()")
    n = x.view.numel // classes
    rows, t = contiguous(x), contiguous(t)
    loss = empty_shape((n,), x.view.dtype, x.device)
    if needs_grad(x):
        slope = empty_shape((n, classes), x.view.dtype, x.device)
    v[0], v[1], v[2], v[3] = &loss.view, &slope.view if slope is not None else NULL, &rows.view, &t.view
    p[0].i, p[1].i = n, classes
    bad = launch(MULTILABEL_MARGIN, x.view.dtype, x.device, 2, 4, v, p, 4 * x.view.numel)
    if bad:
        value = (<object>t).reshape(-1)[bad - 1].item()
        raise RuntimeError(f"[multilabel_margin_loss] argument #2 'target' is out of range: class {value} is not in [-1, {classes - 1}]")
    out = <TensorBase>((<object>loss).sum() / max(1, n) if code == 1 else (<object>loss).sum() if code == 2 else
                       own((<object>loss).reshape(shape[:1] if x.view.ndim == 2 else ())))
    record(MULTILABEL_MARGIN, out, (x,), (slope,), (code, n, shape))
    return out


# -- one label a sample --


cdef object multi_margin_vjp(Node n, object g):
    """g times the slope; where that is to be differentiated in turn, it is composed of x."""
    cdef object x = n.raw(0), target = n.raw(1), weight = n.raw(2), slope
    code, power, margin, shape = n.extra
    rows = x.reshape(-1, shape[len(shape) - 1] if shape else 1)
    samples, classes = rows.shape
    if power == 1 or not any_needs_grad((x, g)):
        slope = n.raw(3)
    else:
        target = target.reshape(-1, 1)
        slope = 2 * (margin - rows.gather(1, target) + rows).clamp_min(0).scatter(1, target, 0.0) / classes
        if weight is not None:
            slope = slope * weight[target]
        slope = slope.scatter(1, target, -slope.sum(1, keepdim=True))
    if code == 1:
        g = g / max(1, samples)
    return ((g.reshape(-1, 1) if code == 0 else g) * slope).reshape(shape)

cdef Op MULTI_MARGIN = joint(define("multi_margin_loss", multi_margin_vjp))


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, reduction="mean"):
    """Return the sum over wrong classes c of w_t max(0, margin - x_t + x_c)^p, over the number of classes.

    Args:
        input: (N, C) or (C,); target: int64 classes t, (N,) or one number; p: 1 or 2; weight: (C,).
        reduction: 'mean', 'sum' or 'none'.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a class is out of range.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.multi_margin_loss(taeda.tensor([[0.1, 0.9]]), taeda.tensor([1]))
    tensor(0.1000)
    """
    cdef TensorBase x = as_tensor(input, "multi_margin_loss"), t = as_tensor(target, "multi_margin_loss")
    cdef TensorBase rows, loss, slope = None, w = None
    cdef int code = reduction_code("multi_margin_loss", reduction)
    cdef int64_t bad, n, classes = x.view.shape[x.view.ndim - 1] if x.view.ndim else 1
    cdef tuple shape = x.shape_tuple()
    cdef View* v[5]
    cdef Param q[5]
    check_same_device("multi_margin_loss", (x, t))
    margin = real_number("multi_margin_loss", "margin", margin)
    if p != 1 and p != 2:
        raise ValueError(f"[multi_margin_loss] only p == 1 and p == 2 supported, got {p}")
    if x.view.ndim > 2 or classes == 0:
        raise RuntimeError("[multi_margin_loss] Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
                           f"{list(shape)}")
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[multi_margin_loss] not implemented for {torch_name(x.view.dtype)}; convert with .float()")
    n = x.view.numel // classes
    if t.view.ndim > 1 or t.view.numel != n:
        raise RuntimeError(f"[multi_margin_loss] inconsistent target size, expected {n} but got {list(t.shape_tuple())}")
    if t.view.dtype != I64:
        raise RuntimeError(f"[multi_margin_loss] expected scalar type Long but found {torch_name(t.view.dtype)}; convert the target with "
                           ".long()")
    if weight is not None:
        w = as_tensor(weight, "multi_margin_loss")
        check_same_device("multi_margin_loss", (x, w))
        if w.view.ndim != 1 or w.view.numel != classes:
            raise RuntimeError(f"[multi_margin_loss] inconsistent weight size, expected {classes} but got {list(w.shape_tuple())}")
        if w.view.dtype != x.view.dtype:
            raise RuntimeError(f"[multi_margin_loss] expected scalar type {torch_name(x.view.dtype)} but found "
                               f"{torch_name(w.view.dtype)}; convert the weight")
        if needs_grad(w):
            raise RuntimeError("[multi_margin_loss] The function 'multi_margin_loss' is not differentiable with respect to argument "
                               "'weight'. This input cannot have requires_grad True.")
        w = contiguous(w)
    rows, t = contiguous(x), contiguous(t)
    loss = empty_shape(() if code or t.view.ndim == 0 else (n,), x.view.dtype, x.device)
    if needs_grad(x):
        slope = empty_shape((n, classes), x.view.dtype, x.device)
    v[0], v[1], v[2], v[3] = &loss.view, &slope.view if slope is not None else NULL, &rows.view, &t.view
    v[4] = &w.view if w is not None else NULL
    q[0].i, q[1].i, q[2].i, q[3].i, q[4].f = n, classes, code, 2 if p == 2 else 1, margin
    bad = launch(MULTI_MARGIN, x.view.dtype, x.device, 2, 5, v, q, 4 * x.view.numel)
    if bad:
        value = (<object>t).reshape(-1)[bad - 1].item()
        raise RuntimeError(f"[multi_margin_loss] target out of range: class {value} is not in [0, {classes - 1}]")
    record(MULTI_MARGIN, loss, (x,), (x, t, w, slope), (code, q[3].i, margin, shape))
    return loss

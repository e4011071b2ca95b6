# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The margin loss of several labels a sample; its slope is computed together with it."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, check_same_device, contiguous, define, empty_shape, launch, needs_grad, record
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport I64, Param, View
from taeda.ops.loss cimport reduction_code
from taeda.tensor_base cimport TensorBase

__all__ = ["multilabel_margin_loss"]
PUBLIC = ()
METHODS = {}


cdef object margin_vjp(Node n, object g):
    """g times the slope, which is constant between the margins."""
    reduction, samples, shape = n.extra
    if reduction == 1:
        g = g / max(1, samples)
    return (n.load(0) * (g.reshape(-1, 1) if reduction == 0 else g)).reshape(shape)

cdef Op MULTILABEL_MARGIN = define("multilabel_margin_loss", margin_vjp)


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
    cdef TensorBase rows, loss, slope = None
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
    out = (<object>loss).sum() / max(1, n) if code == 1 else (<object>loss).sum() if code == 2 else \
        (<object>loss).reshape(shape[:1] if x.view.ndim == 2 else ())
    record(MULTILABEL_MARGIN, <TensorBase>out, (x,), (slope,), (code, n, shape))
    return out

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Losses between two tensors: squared, absolute, Huber and cross entropies of probabilities.

One kernel computes and reduces the loss, one its derivative by the input.  While the graph of the gradient
is wanted too, the derivative (SLOPES) is written with tensor operations instead.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, broadcast_shapes, check_same_device, contiguous, copy_into, define,
                             empty, empty_for, empty_like, launch, needs_grad, record, result_type, to_dtype)
from taeda.dtype cimport is_complex_, is_float, is_integral, promote, torch_name
from taeda.kernels.cpu.abi cimport Param, View
from taeda.operands cimport real_number
from taeda.tensor_base cimport TensorBase

import warnings

from taeda.autograd.node import named
from taeda.ops.masking import where

__all__ = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
           "binary_cross_entropy_with_logits", "kl_div"]
PUBLIC = ()
METHODS = {}


cdef int reduction_code(str op, object reduction) except -1:
    """0 none, 1 mean, 2 sum."""
    if reduction == "mean":
        return 1
    if reduction == "sum":
        return 2
    if reduction == "none":
        return 0
    raise ValueError(f"[{op}] {reduction} is not a valid value for reduction; use 'none', 'mean' or 'sum'")


cdef str cure_of(TensorBase x, TensorBase target):
    """What to do about a target of another shape, where that is clear."""
    return "; did you mean target.view_as(input)?" if x.view.numel == target.view.numel else ""


cdef object in_dtype_of(TensorBase x, object loss):
    """A loss of two floating dtypes that PyTorch computes in the wider one and gives in the dtype of x."""
    return to_dtype(loss, x.view.dtype) if is_float(x.view.dtype) else loss

cdef object reduced(object loss, int reduction):
    return loss if reduction == 0 else loss.mean() if reduction == 1 else loss.sum()


# -- the derivative by the input, as tensor operations: slope(x, y, c, lw) ---------------------------

def mse_slope(x, y, c, lw):
    return 2 * (x - y)

def l1_slope(x, y, c, lw):
    return (x - y).sign()

def smooth_l1_slope(x, y, c, lw):
    d = x - y
    return where(d.abs() >= c, d.sign(), d / c)              # not clamp: the second derivative on the edge is 0, that of the lines

def huber_slope(x, y, c, lw):
    d = x - y
    return where(d.abs() >= c, c * d.sign(), d)

def bce_slope(x, y, c, lw):
    return (x - y) / ((1 - x) * x).clamp(min=1e-12)

def bce_with_logits_slope(x, y, c, lw):
    return x.sigmoid() - y if lw is None else 1 - y - lw * (-x).sigmoid()

SLOPES = {"mse_loss": mse_slope, "l1_loss": l1_slope, "smooth_l1_loss": smooth_l1_slope, "huber_loss": huber_slope,
          "binary_cross_entropy": bce_slope, "binary_cross_entropy_with_logits": bce_with_logits_slope}


# -- the road ----------------------------------------------------------------------------------------

cdef object scaled(object g, int reduction, int64_t n):
    """The cotangent of one summand."""
    return g / n if reduction == 1 else g


cdef object pair_vjp(Node n, object g):
    """(d loss/dx, d loss/dy) g; the second is minus the first where the loss is a function of x - y."""
    cdef TensorBase x = n.load(0), y = n.load(1), lw = n.load(2) if n.extra[3] else None, gy, gx = None
    cdef Op op = <Op>n.op, back
    cdef int reduction = n.extra[0]
    cdef View* t[5]
    cdef Param p[3]
    of_difference = n.extra[2]
    if any_needs_grad((g, x, y)):
        if lw is not None:
            lw = (<object>n.load(3) - 1) * y + 1             # as a function of the target again
        gx = scaled(g, reduction, x.view.numel) * SLOPES[op.name](x, y, n.extra[1], lw)
    elif n.needs(0) or of_difference:
        back = BACKWARD[op.name]
        x, y = contiguous(x), contiguous(y)
        gx = empty_like(x)
        gy = contiguous(<TensorBase>g)
        p[0].f = n.extra[1]
        p[1].f = 1.0 / max(1, x.view.numel) if reduction == 1 else 1.0
        p[2].i = reduction != 0
        t[0], t[1], t[2], t[3], t[4] = &gx.view, &gy.view, &x.view, &y.view, &lw.view if lw is not None else NULL
        if gx.view.numel:
            launch(back, x.view.dtype, x.device, 2, 5, t, p, 2 * x.view.numel)
    if not n.needs(1):
        return gx, None
    if of_difference:
        return gx if n.needs(0) else None, -(<object>gx)
    return gx, scaled(g, reduction, x.view.numel) * target_slope(op.name, x, lw, n.load(3) if n.extra[3] else None)


cdef object target_slope(str name, object x, object lw, object pos_weight):
    """d loss/dy of the cross entropies."""
    if name == "binary_cross_entropy":
        return ((1 - x).log().clamp(min=-100) - x.log().clamp(min=-100))
    if lw is None:
        return -x
    softplus = (-x.abs()).exp().log1p() + (-x).clamp(min=0)       # -log sigmoid(x)
    return (pos_weight - 1) * softplus - x


cdef Op MSE_APART = define("mse_loss", pair_vjp, 0, 0, "mse_loss_apart")      # element by element, of any layout
cdef Op MSE = define("mse_loss", pair_vjp)
cdef Op L1 = define("l1_loss", pair_vjp, 0, 0, None, "AbsBackward0")          # by reduction: none, mean, sum
cdef Op L1_MEAN = define("l1_loss", pair_vjp, 0, 0, None, "MeanBackward0")
cdef Op L1_SUM = define("l1_loss", pair_vjp, 0, 0, None, "SumBackward0")
cdef Op SMOOTH_L1 = define("smooth_l1_loss", pair_vjp, 0, 0, None, "SmoothL1LossBackward0")
cdef Op HUBER = define("huber_loss", pair_vjp)
cdef Op BCE = define("binary_cross_entropy", pair_vjp)
cdef Op BCE_LOGITS = define("binary_cross_entropy_with_logits", pair_vjp)
cdef dict BACKWARD = {
    "mse_loss": define("mse_loss_backward", NULL),
    "l1_loss": define("l1_loss_backward", NULL),
    "smooth_l1_loss": define("smooth_l1_loss_backward", NULL),
    "huber_loss": define("huber_loss_backward", NULL),
    "binary_cross_entropy": define("binary_cross_entropy_backward", NULL),
    "binary_cross_entropy_with_logits": define("binary_cross_entropy_with_logits_backward", NULL),
}


cdef TensorBase pair(Op op, TensorBase x, TensorBase y, int reduction, double c, bint of_difference,
                     TensorBase lw=None, TensorBase pos_weight=None):
    """The reduced loss of two tensors of one shape and dtype; lw and pos_weight too, if given."""
    cdef TensorBase out, laid, x0 = x, y0 = y
    cdef View* plain[2]
    cdef View* t[4]
    cdef Param p[2]
    cdef int64_t bad
    plain[0], plain[1] = &x0.view, &y0.view
    if reduction == 0 and op is MSE:
        out = empty_for(x.view.ndim, x.view.shape, x.view.dtype, x.device, 2, plain)       # in memory as the inputs are
        t[0], t[1], t[2] = &out.view, &x.view, &y.view
        launch(MSE_APART, x.view.dtype, x.device, 1, 3, t, NULL, 2 * x.view.numel)
        record(op, out, (x, y), (x, y, None, None), (reduction, c, of_difference, False))
        return out
    x, y = contiguous(x), contiguous(y)
    out = empty_like(x) if reduction == 0 else empty(0, NULL, x.view.dtype, x.device)
    t[0], t[1], t[2], t[3] = &out.view, &x.view, &y.view, &lw.view if lw is not None else NULL
    p[0].i, p[1].f = reduction, c
    bad = launch(op, x.view.dtype, x.device, 1, 4, t, p, 2 * x.view.numel)
    if bad:
        raise RuntimeError(f"[{op.name}] all elements of {'input' if bad == 1 else 'target'} should be between 0 and 1; hint: " + (
            "binary_cross_entropy_with_logits takes any input" if bad == 1 else "(target == k).float() says what is of class k"))
    if reduction == 0 and not (plain[0].contiguous and plain[1].contiguous):
        laid = empty_for(x.view.ndim, x.view.shape, x.view.dtype, x.device, 2, plain)
        copy_into(laid, out)
        out = laid
    record(op, out, (x, y), (x, y, lw, pos_weight), (reduction, c, of_difference, lw is not None))
    return out


cdef object difference_loss(Op op, object input, object target, object reduction, double c):
    """A loss of x - y: promoted, broadcast with a warning, reduced."""
    cdef TensorBase x = as_tensor(input, op.name), y = as_tensor(target, op.name)
    cdef int code = reduction_code(op.name, reduction), dtype
    cdef tuple a, b, shape
    if op is L1 and code:
        op = L1_MEAN if code == 1 else L1_SUM
    check_same_device(op.name, (x, y))
    dtype = promote(x.view.dtype, y.view.dtype)          # the shapes are made equal first: a 0-d tensor counts as any other
    x, y = to_dtype(x, dtype), to_dtype(y, dtype)
    a, b = x.shape_tuple(), y.shape_tuple()
    if a != b:
        warnings.warn(f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
                      "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
                      UserWarning, stacklevel=2)
        shape = broadcast_shapes(op.name, a, b)
        x, y = (<object>x).expand(shape), (<object>y).expand(shape)
    return pair(op, x, y, code, c, True)


def mse_loss(input, target, reduction="mean", weight=None):
    """Return the squared difference (x - y)^2, element by element, or its mean or sum.

    Args:
        input, target: of one shape; others are broadcast with a warning.
        reduction: 'mean', 'sum' or 'none'.
        weight: multiplies each element's loss; a mean is then over the weights' sum.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.mse_loss(taeda.tensor([1., 2.]), taeda.tensor([0., 4.]))
    tensor(2.5000)
    """
    if weight is None:
        return difference_loss(MSE, input, target, reduction, 1)
    return weighted(MSE, input, target, reduction, 1, weight)


def l1_loss(input, target, reduction="mean", weight=None):
    """Return the absolute difference |x - y|; arguments as :func:`mse_loss`.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.l1_loss(taeda.tensor([1., 2.]), taeda.tensor([0., 4.]))
    tensor(1.5000)
    """
    if weight is None:
        if isinstance(input, TensorBase) and isinstance(target, TensorBase) and \
                not is_float(promote((<TensorBase>input).view.dtype, (<TensorBase>target).view.dtype)):
            return reduced((input - target).abs(), reduction_code("l1_loss", reduction))
        return difference_loss(L1, input, target, reduction, 1)
    return weighted(L1, input, target, reduction, 1, weight)


def smooth_l1_loss(input, target, reduction="mean", beta=1.0):
    """Return d^2 / (2 beta) where d = |x - y| is below beta, else d - beta / 2; with beta = 0, |x - y|.

    Other arguments as :func:`mse_loss`.  Source: Girshick 2015, https://arxiv.org/abs/1504.08083.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.smooth_l1_loss(taeda.tensor([1., 2.]), taeda.tensor([0., 4.]), reduction="none")
    tensor([0.5000, 1.5000])
    """
    beta = real_number("smooth_l1_loss", "beta", beta)
    if beta < 0:
        raise RuntimeError(f"[smooth_l1_loss] smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction)
    return difference_loss(SMOOTH_L1, input, target, reduction, beta)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Return d^2 / 2 where d = |x - y| is at most delta, else delta (d - delta / 2), in the input's dtype.

    Other arguments as :func:`mse_loss`.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.huber_loss(taeda.tensor([1., 2.]), taeda.tensor([0., 4.]), reduction="none")
    tensor([0.5000, 1.5000])
    """
    delta = real_number("huber_loss", "delta", delta)
    if not delta > 0:
        raise RuntimeError(f"[huber_loss] huber_loss does not support non-positive values for delta, got {delta}")
    if weight is not None:
        return weighted(HUBER, input, target, reduction, delta, weight)
    return huber_in_dtype(as_tensor(input, "huber_loss"), difference_loss(HUBER, input, target, reduction, delta))


cdef object huber_in_dtype(TensorBase x, object loss):
    cdef int common = (<TensorBase>loss).view.dtype
    if is_integral(x.view.dtype) and not is_integral(common):
        raise RuntimeError(f"[huber_loss] result type {torch_name(common)} can't be cast to the desired output type "
                           f"{torch_name(x.view.dtype)}: the loss has the input's dtype; convert the input with .float()")
    return loss if common == x.view.dtype else named(in_dtype_of(x, loss), "HuberLossBackward0")


cdef object weighted(Op op, object input, object target, object reduction, double c, object weight):
    cdef int code = reduction_code(op.name, reduction)
    loss = difference_loss(op, input, target, "none", c)
    if op is HUBER:
        loss = huber_in_dtype(as_tensor(input, op.name), loss)
    if as_tensor(weight, op.name).shape_tuple() != (<TensorBase>loss).shape_tuple():
        raise ValueError(f"[{op.name}] Weights and input must have the same size, got {list(weight.shape)} and "
                         f"{list(loss.shape)}")
    loss = loss * weight
    if code == 1 and op is not HUBER:              # PyTorch's huber_loss takes the mean over the elements
        return loss.sum() / weight.sum()
    return reduced(loss, code)


# -- cross entropies of probabilities ----------------------------------------------------------------

def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """Return -(y log x + (1 - y) log(1 - x)) for probabilities x; logarithms stop at -100.

    Args:
        input, target: of one shape, values in [0, 1].
        weight: multiplies each element's loss; broadcast to the input.
        reduction: 'mean', 'sum' or 'none'.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.binary_cross_entropy(taeda.tensor([0.5]), taeda.tensor([1.]))
    tensor(0.6931)
    """
    cdef TensorBase x = as_tensor(input, "binary_cross_entropy"), y = as_tensor(target, "binary_cross_entropy")
    cdef int code = reduction_code("binary_cross_entropy", reduction)
    check_same_device("binary_cross_entropy", (x, y))
    if x.shape_tuple() != y.shape_tuple():
        raise ValueError(f"[binary_cross_entropy] Using a target size ({list(y.shape_tuple())}) that is different to the input "
                         f"size ({list(x.shape_tuple())}) is deprecated. Please ensure they have the same size.{cure_of(x, y)}")
    if x.view.dtype != y.view.dtype:
        raise RuntimeError(f"[binary_cross_entropy] Found dtype {torch_name(y.view.dtype)} but expected "
                           f"{torch_name(x.view.dtype)}; convert the target to the input's dtype")
    if weight is None:
        return pair(BCE, x, y, code, 1, False)
    loss = pair(BCE, x, y, 0, 1, False)
    return named(reduced(loss_by_weight("binary_cross_entropy", loss, weight, x), code), "BinaryCrossEntropyBackward0")


cdef TensorBase undifferentiated(str op, str name, object weight):
    """A weight, which has no derivative, as a tensor."""
    cdef TensorBase w = as_tensor(weight, op)
    if needs_grad(w):
        raise RuntimeError(f"[{op}] The function '{op}' is not differentiable with respect to argument '{name}'. This input cannot have "
                           "requires_grad True; detach it")
    return w


cdef object loss_by_weight(str op, object loss, object weight, TensorBase x):
    """The elements' losses, which keep their dtype, by a weight that is broadcast to the input."""
    cdef TensorBase w = undifferentiated(op, "weight", weight)
    if broadcast_shapes(op, x.shape_tuple(), w.shape_tuple()) != x.shape_tuple():
        raise RuntimeError(f"[{op}] a weight of shape {w.shape_tuple()} must be broadcastable to the input's shape "
                           f"{x.shape_tuple()}")
    return in_dtype_of(loss, loss * w)


def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None):
    """Return the binary cross entropy of sigmoid(x), without leaving the range of floating point.

        (1 - y) x + (1 + (pos_weight - 1) y) (log(1 + e^-|x|) + max(-x, 0))

    Args:
        input, target: of one shape; the input may be any number, the target is in [0, 1], and its dtype the result's.
        weight: multiplies each element's loss; broadcast to the input.
        pos_weight: weight of the positive term, broadcast to the input.

    >>> import taeda
    >>> from taeda import ops
    >>> x = taeda.tensor([0., 1000.])
    >>> ops.binary_cross_entropy_with_logits(x, taeda.ones(2), reduction="none")
    tensor([0.6931, 0.0000])
    """
    cdef str op = "binary_cross_entropy_with_logits"
    cdef TensorBase x = as_tensor(input, op), y = as_tensor(target, op), lw = None, positive = None, given
    cdef int code, dtype
    code = reduction_code(op, reduction)
    check_same_device(op, (x, y))
    if x.shape_tuple() != y.shape_tuple():
        raise ValueError(f"[{op}] Target size ({list(y.shape_tuple())}) must be the same as input size "
                         f"({list(x.shape_tuple())}){cure_of(x, y)}")
    dtype = result_type(x, y)
    if dtype != y.view.dtype and torch_name(y.view.dtype) in ("Long", "Int", "Byte", "Bool"):
        raise RuntimeError(f"[{op}] result type {torch_name(dtype)} can't be cast to the desired output type "
                           f"{torch_name(y.view.dtype)}; convert the target to the input's dtype")
    given = y
    x, y = to_dtype(x, dtype), to_dtype(y, dtype)
    if pos_weight is not None:
        broadcast_shapes(op, undifferentiated(op, "pos_weight", pos_weight).shape_tuple(), x.shape_tuple())
        positive = contiguous(to_dtype(pos_weight.expand(x.shape_tuple()), dtype))
        lw = contiguous(((<object>positive) - 1) * (<object>y).detach() + 1)
    if weight is None:
        return in_dtype_of(given, pair(BCE_LOGITS, x, y, code, 1, False, lw, positive))
    loss = in_dtype_of(given, pair(BCE_LOGITS, x, y, 0, 1, False, lw, positive))
    return named(reduced(loss_by_weight(op, loss, weight, x), code), "BinaryCrossEntropyWithLogitsBackward0")


def kl_div(input, target, reduction="mean", log_target=False):
    """Return the Kullback-Leibler divergence y (log y - x) of a distribution y from log-probabilities x.

    Args:
        input: log-probabilities.
        target: probabilities, or with ``log_target`` their logarithms.
        reduction: 'mean' (over all elements), 'batchmean' (over the first dimension), 'sum' or 'none'.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.kl_div(taeda.tensor([[0.5, 0.5]]).log(), taeda.tensor([[1., 0.]]), reduction="sum")
    tensor(0.6931)
    """
    cdef TensorBase x = as_tensor(input, "kl_div"), y = as_tensor(target, "kl_div")
    if reduction == "mean":
        warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the support size."
                      "'batchmean' divides only by the batch size, and aligns with the KL div math definition.",
                      UserWarning, stacklevel=2)
    check_same_device("kl_div", (x, y))
    broadcast_shapes("kl_div", x.shape_tuple(), y.shape_tuple())
    for z in (x, y):
        if not is_float((<TensorBase>z).view.dtype):
            kind = "Complex" if is_complex_((<TensorBase>z).view.dtype) else "Integral"
            raise RuntimeError(f"[kl_div] {kind} inputs not supported, got {torch_name((<TensorBase>z).view.dtype)}")
    if log_target:
        loss = (<object>y).exp() * ((<object>y) - x)
    else:
        zero = (<object>y) == 0
        safe = (<object>y).masked_fill(zero, 1)
        loss = (<object>y) * (safe.log() - x)           # y log y is 0 at 0
    if reduction == "batchmean":
        return loss.sum() / x.view.shape[0] if x.view.ndim else loss.sum()
    return reduced(loss, reduction_code("kl_div", reduction))

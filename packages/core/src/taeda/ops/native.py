"""PyTorch's top-level functions that layers were built on: modes and reductions are numbers, and what the kernels computed
beside the result comes with it.

``taeda.ops`` has the same arithmetic in the order of arguments of ``nn.functional``; programs that call ``torch.batch_norm``,
``torch.native_layer_norm`` or ``torch.grid_sampler`` find here what they expect.
"""

from __future__ import annotations

from taeda.autograd.dual import current_level
from taeda.autograd.node import named
from taeda.dtype import bool_
from taeda.operands import need_tensor
from taeda.ops import (  # type: ignore[attr-defined]
    conv as _conv,
    ctc as _ctc,
    embedding_bag as _bags,
    grid as _grid,
    loss as _loss,
    normalization as _normalization,
)
from taeda.ops.batch_norm import batch_norm_moments, instance_norm_any
from taeda.ops.creation import empty_like, ones_like, zeros_like
from taeda.ops.searching import searchsorted
from taeda.ops.sequences import arange

__all__ = ["batch_norm_update_stats", "convolution", "native_batch_norm", "native_dropout", "native_group_norm", "native_layer_norm"]
PUBLIC = (
    "batch_norm", "batch_norm_update_stats", "binary_cross_entropy_with_logits", "convolution", "ctc_loss", "embedding_bag",
    "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "group_norm", "instance_norm", "kl_div", "native_batch_norm", "native_dropout",
    "native_group_norm", "native_layer_norm",
)  # fmt: skip


# -- normalisation ----------------------------------------------------------------------------------------


def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True):
    """Normalise each channel over the batch: :func:`taeda.nn.functional.batch_norm` in PyTorch's top-level order of arguments."""
    return batch_norm_moments(input, running_mean, running_var, weight, bias, training, momentum, eps)[0]


def instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled=True):
    """Normalise each channel of each sample: :func:`taeda.nn.functional.instance_norm` in PyTorch's top-level order of arguments."""
    return instance_norm_any(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """Normalise (N, C, ...) over groups of C / num_groups channels; ``taeda.ops.group_norm``, also of a single value.

    >>> import taeda
    >>> taeda.group_norm(taeda.tensor([[1., 3., 5., 9.]]), 2, eps=1e-12)
    tensor([[-1.,  1., -1.,  1.]])
    """
    return _normalization.group_norm_moments(input, num_groups, weight, bias, eps)[0]


def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """Return :func:`taeda.batch_norm`, each channel's mean and 1 / sqrt(var + eps); the latter empty in evaluation.

    >>> import taeda
    >>> taeda.native_batch_norm(taeda.tensor([[1.], [3.]]), None, None, None, None, True, 0.1, 0.0 + 1e-12)[1]
    tensor([2.])
    """
    need_tensor("native_batch_norm", "input", input)
    if input.ndim < 2:
        raise IndexError(f"[native_batch_norm] Dimension out of range: dimension 1 holds the channels, got shape {tuple(input.shape)}")
    if input.numel() == 0 and 0 in input.shape[1:]:
        raise RuntimeError(f"[native_batch_norm] input tensor must have at least one element, but got input_sizes = "
                           f"{list(input.shape)}")
    y, mean, rstd = batch_norm_moments(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if training:
        return y, mean, rstd
    return y, input.new_empty(0), input.new_empty(0)


def batch_norm_update_stats(input, running_mean, running_var, momentum):
    """Move the running buffers, if given, towards each channel's mean and unbiased variance; return mean and biased variance.

    >>> import taeda
    >>> mean, var = taeda.zeros(1), taeda.ones(1)
    >>> taeda.batch_norm_update_stats(taeda.tensor([[1.0], [3.0]]), mean, var, 0.5)
    (tensor([2.]), tensor([1.]))
    >>> mean, var
    (tensor([1.]), tensor([1.5000]))
    """
    need_tensor("batch_norm_update_stats", "input", input)
    if input.ndim < 2:
        raise IndexError(f"[batch_norm_update_stats] dimension 1 holds the channels, got shape {tuple(input.shape)}")
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is not None:
            need_tensor("batch_norm_update_stats", name, running)
            if not running.is_floating_point():
                raise RuntimeError(f"[batch_norm_update_stats] {name} must be a floating-point tensor, got {running.dtype}")
            if running.shape != input.shape[1:2]:
                raise RuntimeError(f"[batch_norm_update_stats] {name} must hold a number for each of {input.shape[1]} channels, got shape "
                                   f"{tuple(running.shape)}")
    if input.numel() == 0:
        raise RuntimeError(f"[batch_norm_update_stats] input tensor must have at least one element, but got input_sizes = "
                           f"{list(input.shape)}")
    rows = input.detach().transpose(0, 1).flatten(1)
    mean, var = rows.mean(1), rows.var(1, correction=0)
    count = rows.shape[1]
    pairs = ((running_mean, mean), (running_var, var * (count / max(count - 1, 1))))
    moved = [(running, running.mul(1 - momentum).add(new, alpha=momentum)) for running, new in pairs if running is not None]
    for running, value in moved:                        # once neither can fail any more
        running.copy_(value)
    return mean, var


def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """Return :func:`taeda.layer_norm`, each row's mean and 1 / sqrt(var + eps), with sizes of 1 for the normalised dimensions.

    >>> import taeda
    >>> taeda.native_layer_norm(taeda.tensor([[1., 3.]]), (2,), None, None, 1e-12)[1]
    tensor([[2.]])
    """
    need_tensor("native_layer_norm", "input", input)
    y, mean, rstd = _normalization.layer_norm_moments(input, normalized_shape, weight, bias, eps)
    shape = (*input.shape[: input.ndim - len(normalized_shape)], *(1,) * len(normalized_shape))
    return y, mean.reshape(shape), rstd.reshape(shape)


def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """Return :func:`taeda.group_norm` of N x C x HxW values, each group's mean and 1 / sqrt(var + eps), (N, group).

    >>> import taeda
    >>> taeda.native_group_norm(taeda.tensor([[1., 3., 5., 9.]]), None, None, 1, 4, 1, 2, 1e-12)[1]
    tensor([[2., 7.]])
    """
    need_tensor("native_group_norm", "input", input)
    if group <= 0 or C % group:
        raise RuntimeError(f"[native_group_norm] Expected number of channels in input to be divisible by num_groups, but got input of "
                           f"shape {list(input.shape)} and num_groups={group}")
    if input.numel() != N * C * HxW:
        raise RuntimeError(f"[native_group_norm] expected N * C * HxW elements, got shape {tuple(input.shape)} for {N} * {C} * {HxW}")
    y, mean, rstd = _normalization.group_norm_moments(input.reshape(N, C, HxW), group, weight, bias, eps)
    if (input.requires_grad and y.requires_grad) or current_level():    # the moments have derivatives of their own
        rows = input.reshape(N, group, C // group * HxW)
        mean = rows.mean(-1)
        rstd = ((rows - mean.unsqueeze(-1)).square().mean(-1) + eps).rsqrt()
    return named(y.reshape(input.shape), "NativeGroupNormBackward0"), mean, rstd


def native_dropout(input, p, train):
    """Return the tensor with elements zeroed with probability p, the rest divided by 1 - p, and the mask of what is kept.

    Without ``train`` (None counts as True) nothing is dropped.  Raises RuntimeError unless p lies in [0, 1].

    >>> import taeda
    >>> taeda.native_dropout(taeda.ones(2), 1.0, True)
    (tensor([0., 0.]), tensor([False, False]))
    """
    need_tensor("native_dropout", "input", input)
    if input.numel() == 0:
        return input, empty_like(input, dtype=bool_)
    if train is not None and not train:
        return named(input.clone(), "NativeDropoutBackward0"), ones_like(input, dtype=bool_)
    if not 0 <= p <= 1:
        raise RuntimeError(f"[native_dropout] bernoulli_ expects p to be in [0, 1], but got p={1 - p}")
    if not input.is_floating_point() and not input.is_complex():
        raise RuntimeError(f"[native_dropout] result type Float can't be cast to the desired output type {input.dtype}")
    mask = empty_like(input, dtype=bool_).bernoulli_(1 - p)
    return named(input * mask * (0.0 if p == 1 else 1 / (1 - p)), "NativeDropoutBackward0"), mask


# -- sampling and convolution -----------------------------------------------------------------------------

_SAMPLING = ("bilinear", "nearest", "bicubic")
_PADDING = ("zeros", "border", "reflection")


def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """Sample images at the positions of a grid: :func:`taeda.nn.functional.grid_sample` with numbers for its modes.

    Interpolation is 0 bilinear, 1 nearest or 2 bicubic, padding 0 zeros, 1 border or 2 reflection; ValueError for others.
    """
    if not (0 <= interpolation_mode < 3 and 0 <= padding_mode < 3):
        mode, known = (padding_mode, _PADDING) if 0 <= interpolation_mode < 3 else (interpolation_mode, _SAMPLING)
        raise ValueError(f"[grid_sampler] expected a mode from 0 to 2 ({', '.join(known)}), got {mode}")
    return _grid.grid_sample(input, grid, _SAMPLING[interpolation_mode], _PADDING[padding_mode], bool(align_corners))


def _sampler(dims):
    def sample(input, grid, interpolation_mode, padding_mode, align_corners):
        need_tensor(name, "input", input)
        if input.ndim != dims + 2:
            raise RuntimeError(f"[{name}] expected {dims + 2}D input and grid with same number of dimensions, but got input with sizes "
                               f"{list(input.shape)}")
        return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)

    name = sample.__name__ = sample.__qualname__ = f"grid_sampler_{dims}d"
    sample.__doc__ = f"Return :func:`grid_sampler` of {'images' if dims == 2 else 'volumes'}, {dims + 2}-d tensors only."
    return sample


grid_sampler_2d, grid_sampler_3d = _sampler(2), _sampler(3)


def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """Convolve in as many dimensions as ``weight`` has, forwards or transposed; ``taeda.conv2d`` and kin with every option.

    RuntimeError unless input has a batch dimension, or where the sizes do not fit.

    >>> import taeda
    >>> taeda.convolution(taeda.ones(1, 1, 3), taeda.ones(1, 1, 2), None, [1], [0], [1], False, [0], 1)
    tensor([[[2., 2.]]])
    """
    need_tensor("convolution", "input", input)
    need_tensor("convolution", "weight", weight)
    n = weight.ndim - 2
    if n not in (1, 2, 3) or input.ndim != weight.ndim:
        raise RuntimeError(f"[convolution] Expected 3- to 5-dimensional weight and input of as many dimensions, got weight of shape "
                           f"{list(weight.shape)} and input of shape {list(input.shape)}")
    if transposed:
        return getattr(_conv, f"conv_transpose{n}d")(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return getattr(_conv, f"conv{n}d")(input, weight, bias, stride, padding, dilation, groups)


# -- losses and bags --------------------------------------------------------------------------------------

_REDUCTIONS = ("none", "mean", "sum")


def reduction_name(op, reduction):
    """Return the name of a reduction's number: 1 mean, 2 sum, any other none, as PyTorch takes them."""
    if isinstance(reduction, bool) or not isinstance(reduction, int):
        raise TypeError(f"[{op}] argument 'reduction' must be int, not {type(reduction).__name__}")
    return _REDUCTIONS[reduction] if reduction in (1, 2) else "none"


def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=0):
    """Return -(t log(s) + (1 - t) log(1 - s)) of s = sigmoid(input) and target t; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import taeda
    >>> taeda.binary_cross_entropy_with_logits(taeda.tensor([0.0, 100.0]), taeda.tensor([1.0, 0.0]))
    tensor([  0.6931, 100.0000])
    """
    name = reduction_name("binary_cross_entropy_with_logits", reduction)
    return _loss.binary_cross_entropy_with_logits(input, target, weight, name, pos_weight)


def kl_div(input, target, reduction=0, *, log_target=False):
    """Return target (log(target) - input), input being log-probabilities; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import taeda
    >>> p, q = taeda.tensor([0.5, 0.5]), taeda.tensor([0.9, 0.1])
    >>> taeda.kl_div(q.log(), p, reduction=2)
    tensor(0.5108)
    """
    name = reduction_name("kl_div", reduction)
    y = _loss.kl_div(input, target, "none", log_target)
    return y if name == "none" else getattr(y, name)()


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=0, zero_infinity=False):
    """Return the connectionist temporal classification loss; ``reduction`` is 0 none, 1 mean (over target lengths) or 2 sum.

    >>> import taeda
    >>> log_probs = taeda.tensor([[[0.6, 0.4]], [[0.5, 0.5]]]).log()        # two steps, one sample; classes blank and 1
    >>> taeda.ctc_loss(log_probs, taeda.tensor([[1]]), taeda.tensor([2]), taeda.tensor([1])).neg().exp()
    tensor([0.7000])
    """
    return _ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction_name("ctc_loss", reduction), zero_infinity)


def embedding_bag(weight, indices, offsets, scale_grad_by_freq=False, mode=0, sparse=False, per_sample_weights=None,
                  include_last_offset=False, padding_idx=None):  # fmt: skip
    """Return the sum (``mode`` 0), mean (1) or maximum (2) of the rows of each bag, and how they came about.

    The bags are ``indices`` (n,) cut at ``offsets`` (B,).  Beside the result (B, D) stand each index's bag, each bag's size, and the
    rows that hold the maxima; sums leave the first empty and the others 0, and means give the sizes twice, as PyTorch does.

    >>> import taeda
    >>> taeda.embedding_bag(taeda.tensor([[1., 2.], [3., 4.]]), taeda.tensor([0, 1]), taeda.tensor([0]))[0]
    tensor([[4., 6.]])
    """
    need_tensor("embedding_bag", "weight", weight)
    need_tensor("embedding_bag", "indices", indices)
    if mode not in (0, 1, 2):
        raise RuntimeError(f"[embedding_bag] mode has to be 0 (sum), 1 (mean) or 2 (max), got {mode}")
    padding = None if padding_idx is not None and padding_idx < 0 else padding_idx
    y, rows, starts = _bags.with_places(  # type: ignore[attr-defined]
        indices, weight, offsets, scale_grad_by_freq, ("sum", "mean", "max")[mode], per_sample_weights, include_last_offset, padding
    )
    if mode == 0 and padding is None:
        return y, starts.new_empty(0), zeros_like(starts), zeros_like(starts)
    at = arange(indices.numel(), dtype=starts.dtype, device=starts.device)
    bag_of = (searchsorted(starts, at, right=True) - 1).to(starts.dtype)
    counted = ones_like(bag_of) if padding is None else (indices != padding).to(starts.dtype)
    sizes = zeros_like(starts).index_add(0, bag_of, counted)
    return y, bag_of, sizes, sizes.clone() if rows is None else rows

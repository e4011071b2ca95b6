"""Calls of layers, losses and splits that PyTorch makes of other operators: entries of the table of ``calls``.

Each gets the function's arguments by its own names and calls operators; NotImplemented: told by its own name after all.
Source: what PyTorch 2.13 dispatches for the same calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda._aten.nodes import aten, group_norm_rule, node, pool_rule, up_to_defaults
from taeda.ops.dropout import SELU_DEPTH, alpha_scale
from taeda.tensor import Tensor

__all__ = ["MADE"]

# -- norms ---------------------------------------------------------------------------------------------


def _group_norm(a: Any) -> Any:
    x = a.input
    if x.ndim < 2 or not x.shape[0] or x.shape[1] % a.num_groups:
        return NotImplemented
    sizes = x.shape[0], x.shape[1], math.prod(x.shape[2:])
    return node(aten.native_group_norm.default, group_norm_rule, x, a.weight, a.bias, *sizes, a.num_groups, a.eps)[0]


def _rms_norm(a: Any) -> Any:
    x, n = a.input, len(a.normalized_shape) if isinstance(a.normalized_shape, Sequence) else 1
    if not x.is_floating_point() or x.ndim < n or x.dtype in (taeda.float16, taeda.bfloat16):
        return NotImplemented
    mean = aten.mean.dim(aten.pow.Tensor_Scalar(x, 2), list(range(x.ndim - n, x.ndim)), True)
    mean = aten.add_.Scalar(mean, taeda.finfo(x.dtype).eps if a.eps is None else a.eps)
    y = aten.mul.Tensor(x, aten.rsqrt.default(mean))
    return y if a.weight is None else aten.mul.Tensor(y, a.weight)


def _cosine_similarity(a: Any) -> Any:
    dim = a.dim
    if a.x1.dtype != a.x2.dtype or not a.x1.is_floating_point() or a.x1.ndim != a.x2.ndim or not isinstance(dim, int):
        return NotImplemented
    parts = [aten.div.Tensor(x, aten.clamp_min.default(aten.linalg_vector_norm.default(x, 2, [dim], True), a.eps)) for x in (a.x1, a.x2)]
    return aten.sum.dim_IntList(aten.mul.Tensor(*parts), [dim])


# -- dropout of channels, and SELU's -------------------------------------------------------------------


def _noise(x: Tensor, p: float, by_channel: bool) -> Any:
    noise = aten.new_empty.default(x, [*x.shape[:2], *(1 for _ in x.shape[2:])]) if by_channel else aten.empty_like.default(x)
    return aten.bernoulli_.float(noise) if p == 0.5 else aten.bernoulli_.float(noise, 1 - p)


def _scaling(a: Any) -> bool:
    """Whether a dropout makes a new tensor of noise and input."""
    return isinstance(a.p, float) and 0 < a.p < 1 and a.input.is_floating_point() and not a.inplace


def _passes(a: Any) -> bool:
    """Whether it gives its input."""
    return not a.training or a.p == 0 or not a.input.numel()


def _feature_dropout(a: Any) -> Any:
    if a.input.ndim < 2:
        return NotImplemented
    if _passes(a):
        return a.input
    if not _scaling(a):
        return NotImplemented
    return aten.mul.Tensor(a.input, aten.div_.Scalar(_noise(a.input, a.p, True), 1 - a.p))


def _alpha_dropout(by_channel: bool) -> Callable[[Any], Any]:
    def made(a: Any) -> Any:
        if by_channel and a.input.ndim < 2:
            return NotImplemented
        if _passes(a):
            return a.input
        if not _scaling(a):
            return NotImplemented
        scale = alpha_scale(a.p)
        noise = _noise(a.input, a.p, by_channel)
        shift = aten.mul_.Scalar(aten.add.Scalar(noise, -1), SELU_DEPTH * scale)
        shift = aten.add_.Scalar(shift, SELU_DEPTH * scale * a.p)
        return aten.add_.Tensor(aten.mul.Tensor(a.input, aten.mul_.Scalar(noise, scale)), shift)

    return made


# -- windows, and other sizes --------------------------------------------------------------------------


def _one(x: Any) -> int:
    return x if isinstance(x, int) else x[0]


def _max_pool1d(a: Any) -> Any:
    if getattr(a, "return_indices", False) or a.input.ndim not in (2, 3):
        return NotImplemented
    kernel = _one(a.kernel_size)
    stride = kernel if a.stride is None or a.stride == () else _one(a.stride)
    more = up_to_defaults([[0, _one(a.padding)], [1, _one(a.dilation)], a.ceil_mode], ([0, 0], [1, 1], False))
    x = aten.unsqueeze.default(a.input, -2)
    values, places = node(aten.max_pool2d_with_indices.default, pool_rule, x, [1, kernel], [1, stride], *more)
    values = aten.squeeze.dim(values, -2)
    aten.squeeze.dim(places, -2)                # which PyTorch does, wanted or not
    return values


def _avg_pool1d(a: Any) -> Any:
    if a.input.ndim not in (2, 3):
        return NotImplemented
    kernel = _one(a.kernel_size)
    stride = kernel if a.stride is None or a.stride == () else _one(a.stride)
    more = up_to_defaults([[0, _one(a.padding)], a.ceil_mode, a.count_include_pad], ([0, 0], False, True))
    x = aten.avg_pool2d.default(aten.unsqueeze.default(a.input, -2), [1, kernel], [1, stride], *more)
    return aten.squeeze.dim(x, -2)


def _averaged(x: Tensor, size: Sequence[int]) -> Any:
    return aten.mean.dim(x, [-1, -2], True) if list(size) == [1, 1] else aten._adaptive_avg_pool2d.default(x, list(size))


def _adaptive_avg_pool2d(a: Any) -> Any:
    x, size = a.input, a.output_size
    if x.ndim not in (3, 4):
        return NotImplemented
    size = [size, size] if isinstance(size, int) else [x.shape[i - 2] if n is None else n for i, n in enumerate(size)]
    return _averaged(x, size)


def _adaptive_avg_pool1d(a: Any) -> Any:
    if a.input.ndim not in (2, 3):
        return NotImplemented
    return aten.squeeze.dim(_averaged(aten.unsqueeze.default(a.input, -2), [1, _one(a.output_size)]), -2)


_RESAMPLED = {
    ("nearest", 1): "upsample_nearest1d", ("nearest", 2): "upsample_nearest2d", ("nearest", 3): "upsample_nearest3d",
    ("linear", 1): "upsample_linear1d", ("bilinear", 2): "upsample_bilinear2d", ("trilinear", 3): "upsample_trilinear3d",
    ("bicubic", 2): "upsample_bicubic2d",
}  # fmt: skip


def _interpolate(a: Any) -> Any:
    x, n = a.input, a.input.ndim - 2
    name = _RESAMPLED.get((a.mode, n))
    if name is None or getattr(a, "antialias", False) or (a.size is None) == (a.scale_factor is None):
        return NotImplemented
    scales: list[float] = []
    if a.scale_factor is None:
        size = [a.size] * n if isinstance(a.size, int) else [int(s) for s in a.size]
    else:
        given = [a.scale_factor] * n if isinstance(a.scale_factor, (int, float)) else list(a.scale_factor)
        size = [int(s * f) for s, f in zip(x.shape[2:], given, strict=True)]
        if not getattr(a, "recompute_scale_factor", None):
            scales = [float(f) for f in given]
    corners = [] if a.mode == "nearest" else [bool(a.align_corners)]
    return getattr(aten, name).default(x, size, *corners, *scales)


# -- losses --------------------------------------------------------------------------------------------


def _reduced(loss: Any, reduction: str) -> Any:
    return loss if reduction == "none" else getattr(aten, reduction).default(loss)


def _named(a: Any) -> bool:
    """Whether the reduction is given by its name, and the loss has no weights."""
    words = getattr(a, "size_average", None), getattr(a, "reduce", None), getattr(a, "weight", None)
    return words == (None, None, None) and isinstance(a.reduction, str)


def _l1_loss(a: Any) -> Any:
    if not _named(a) or a.reduction not in ("none", "mean", "sum") or a.input.shape != a.target.shape:
        return NotImplemented
    return _reduced(aten.abs.default(aten.sub.Tensor(a.input, a.target)), a.reduction)


def _kl_div(a: Any) -> Any:
    if not _named(a) or a.reduction not in ("none", "sum", "batchmean"):         # "mean" warns
        return NotImplemented
    x, target = a.input, a.target
    if a.log_target:
        loss = aten.mul.Tensor(aten.exp.default(target), aten.sub.Tensor(target, x))
    else:
        product = aten.mul.Tensor(target, x)
        loss = aten.sub.Tensor(aten.xlogy.Tensor(target, target), product)
    if a.reduction != "batchmean":
        return _reduced(loss, a.reduction)
    return aten.div.Tensor(aten.sum.default(loss), x.shape[0]) if x.ndim and x.shape[0] else aten.sum.default(loss)


# -- pieces --------------------------------------------------------------------------------------------


def _cut(x: Tensor, given: Any, dim: int) -> Any:
    if not x.ndim or isinstance(given, Tensor) or not -x.ndim <= dim < x.ndim:
        return NotImplemented
    n = x.shape[dim]
    if isinstance(given, int):
        if given < 1:
            return NotImplemented
        few, more = n // given, n % given
        ends = [few * (i + 1) + min(i + 1, more) for i in range(given)]
    else:
        ends = [*given, n]
    return tuple(aten.slice.Tensor(x, dim, start, end) for start, end in zip([0, *ends], ends, strict=False))


def _tensor_split(a: Any) -> Any:
    given = next((x for x in (a.indices_or_sections, a.indices, a.sections) if x is not None), None)
    return NotImplemented if given is None else _cut(a.input, given, a.dim)


def _split_along(least: int, dim: Callable[[int], int]) -> Callable[[Any], Any]:
    def make(a: Any) -> Any:
        x, given = a.input, a.indices_or_sections
        if x.ndim < least or (isinstance(given, int) and (given < 1 or x.shape[dim(x.ndim)] % given)):
            return NotImplemented
        return _cut(x, given, dim(x.ndim))

    return make


def _at_least(n: int) -> Callable[[Any], Any]:
    def make(a: Any) -> Any:
        if len(a.tensors) != 1 or not isinstance(a.tensors[0], Tensor) or not a.tensors[0].ndim:
            return NotImplemented
        x = a.tensors[0]
        if x.ndim == 1 and n > 1:
            x = aten.unsqueeze.default(x, 0)
        return aten.unsqueeze.default(x, -1) if x.ndim < n else x

    return make


MADE: dict[str, Callable[[Any], Any]] = {
    "adaptive_avg_pool1d": _adaptive_avg_pool1d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "alpha_dropout": _alpha_dropout(False),
    "atleast_1d": _at_least(1),
    "atleast_2d": _at_least(2),
    "atleast_3d": _at_least(3),
    "avg_pool1d": _avg_pool1d,
    "cosine_similarity": _cosine_similarity,
    "dsplit": _split_along(3, lambda n: 2),
    "feature_alpha_dropout": _alpha_dropout(True),
    "feature_dropout": _feature_dropout,
    "group_norm": _group_norm,
    "hsplit": _split_along(1, lambda n: 0 if n == 1 else 1),
    "interpolate": _interpolate,
    "kl_div": _kl_div,
    "l1_loss": _l1_loss,
    "max_pool1d": _max_pool1d,
    "rms_norm": _rms_norm,
    "tensor_split": _tensor_split,
    "vsplit": _split_along(2, lambda n: 0),
}

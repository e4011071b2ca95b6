"""Rows of PyTorch's top-level functions behind layers and losses: their order of arguments, and what they return beside the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts
from samples.loss import kl_div as kl_div_of, log_softmax
from samples.normalization import LOOSE, SMALL


def moments(x: np.ndarray, axes: tuple[int, ...], eps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps), mean, 1 / np.sqrt(var + eps)


def along(p: Any, ndim: int) -> Any:
    return None if p is None else p.reshape(-1, *(1,) * (ndim - 2))


def affine(y: np.ndarray, w: Any, b: Any) -> np.ndarray:
    return (y if w is None else y * w) + (0 if b is None else b)


def native_batch_norm(x: Any, w: Any, b: Any, mean: Any, var: Any, training: bool, momentum: float, eps: float) -> Any:
    axes = (0, *range(2, x.ndim))
    if training:
        y, m, r = moments(x, axes, eps)
        return affine(y, along(w, x.ndim), along(b, x.ndim)), m.reshape(-1), r.reshape(-1)
    y = (x - along(mean, x.ndim)) / np.sqrt(along(var, x.ndim) + eps)
    return affine(y, along(w, x.ndim), along(b, x.ndim)), np.zeros(0), np.zeros(0)


def native_layer_norm(x: Any, shape: Any, w: Any, b: Any, eps: float) -> Any:
    y, mean, r = moments(x, tuple(range(-len(shape), 0)), eps)
    return affine(y, w, b), mean, r


def native_group_norm(x: Any, w: Any, b: Any, N: int, C: int, HxW: int, group: int, eps: float) -> Any:
    y, mean, r = moments(x.reshape(N, group, -1), (2,), eps)
    return affine(y.reshape(x.shape), along(w, x.ndim), along(b, x.ndim)), mean[..., 0], r[..., 0]


def instance_norm(x: Any, w: Any, b: Any, mean: Any, var: Any, use: bool, momentum: float, eps: float, cudnn: bool) -> Any:
    return affine(moments(x, tuple(range(2, x.ndim)), eps)[0], along(w, x.ndim), along(b, x.ndim))


def update_stats(x: Any, mean: Any, var: Any, momentum: float) -> Any:
    axes = (0, *range(2, x.ndim))
    return x.mean(axes), x.var(axes)


def batch_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 4)):
        yield Call(x, array(rng, 3), array(rng, 3), None, None, True, 0.1, 1e-5)
    yield Call(array(rng, 5, 2), None, None, None, None, True, 0.1, 1e-3)


def layer_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 4)):
        yield Call(x, (4,), array(rng, 4), array(rng, 4), 1e-5)
        yield Call(x, (3, 4), None, None, 1e-5)


def group_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 2, 4, 3), array(rng, 4), array(rng, 4), 2, 4, 3, 2, 1e-5)
    yield Call(array(rng, 2, 4, 3), None, None, 2, 4, 3, 1, 1e-5)


def instance_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 4)):
        yield Call(x, array(rng, 3), array(rng, 3), None, None, True, 0.1, 1e-5, False)


def segment_reduce(x: Any, reduce: str, lengths: Any = None, offsets: Any = None, axis: int = 0, unsafe: bool = False, initial: Any = None) -> Any:
    axis %= x.ndim
    f = {"sum": np.add, "mean": np.add, "prod": np.multiply}.get(reduce) or (np.maximum if reduce.endswith("max") else np.minimum)
    empty = {"sum": 0.0, "mean": 0.0, "prod": 1.0}.get(reduce, -np.inf if reduce.endswith("max") else np.inf)
    starts = np.cumsum(lengths, -1) - lengths if lengths is not None else offsets[..., :-1]
    lengths = np.diff(offsets) if lengths is None else lengths
    y = np.full((*lengths.shape, *x.shape[axis + 1 :]), empty if initial is None else initial, dtype=x.dtype)
    for i in np.ndindex(*lengths.shape):
        for row in x[i[:-1]][starts[i] : starts[i] + lengths[i]]:
            y[i] = f(y[i], row)
        if reduce == "mean":
            y[i] = y[i] / lengths[i] if lengths[i] else np.nan if initial is None else initial
    return y


def segment_samples(rng: np.random.Generator) -> Iterator[Call]:
    for reduce in ("sum", "mean", "prod", "max", "min"):
        for x in layouts(array(rng, 6, 2)):
            yield Call(x, reduce, lengths=np.array([2, 1, 3]))
        yield Call(array(rng, 5), reduce, offsets=np.array([1, 3, 4]))
        yield Call(array(rng, 5, 3), reduce, offsets=np.array([0, 2, 2, 5]), initial=0.5)
        yield Call(array(rng, 2, 4, 2), reduce, lengths=np.array([[1, 3], [4, 0]], np.int32), axis=1, initial=2)
        yield Call(array(rng, 2, 3), reduce, lengths=np.array([[1, 1], [2, 1]]), axis=-1, unsafe=True)
    yield Call(array(rng, 3), "amax", lengths=np.array([2, 1]))
    yield Call(array(rng, 3, 0), "mean", lengths=np.array([2, 1]))
    yield Call(array(rng, 0, 2), "sum", lengths=np.array([0, 0]))


def conv_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 1, 2, 5), array(rng, 2, 2, 2), array(rng, 2), [2], [1], [1], False, [0], 1)
    yield Call(array(rng, 2, 4, 5, 4), array(rng, 4, 2, 2, 2), None, [2, 1], [0, 1], [1, 1], True, [1, 0], 2)


def sampler_samples(dims: int) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        size = (2, 3, 2)[:dims]
        for mode, padding, align in ((0, 0, False), (0, 1, True), (1, 2, False)):
            yield Call(array(rng, 1, 1, *size), array(rng, 1, *(2, 1, 1)[:dims], dims, low=-0.93, high=0.91), mode, padding, align)

    return samples


def kl_div(x: Any, y: Any, reduction: int = 0, *, log_target: bool = False) -> Any:
    return kl_div_of(x, y, ("none", "mean", "sum")[reduction], log_target)


def kl_samples(rng: np.random.Generator) -> Iterator[Call]:
    for reduction in (0, 1, 2):
        yield Call(log_softmax(array(rng, 2, 3), -1), array(rng, 2, 3, low=0.1, high=0.9), reduction)
    yield Call(log_softmax(array(rng, 2, 3), -1), log_softmax(array(rng, 2, 3), -1), log_target=True)


def ctc_samples(rng: np.random.Generator) -> Iterator[Call]:
    for reduction in (0, 1, 2):
        yield Call(log_softmax(array(rng, 5, 2, 4), -1), np.array([[1, 2], [3, 3]]), np.array([5, 4]), np.array([2, 1]), 0, reduction)


def bag_samples(rng: np.random.Generator) -> Iterator[Call]:
    for mode in (0, 1, 2):
        yield Call(array(rng, 5, 2), np.array([0, 2, 1, 4]), np.array([0, 3]), False, mode)
    yield Call(array(rng, 5, 2), np.array([0, 2, 1, 4]), np.array([0, 3]), False, 1, False, None, False, 2)


def logit_samples(rng: np.random.Generator) -> Iterator[Call]:
    for reduction in (0, 1, 2):
        yield Call(array(rng, 2, 3), array(rng, 2, 3, low=0.0, high=1.0), array(rng, 3, low=0.5), array(rng, 3, low=0.5), reduction)


def row(name: str, samples: Any, reference: Any = None, **options: Any) -> Row:
    return Row(name, samples, reference, **{"rtol": LOOSE, "atol": SMALL, **options})


def first(found: Any) -> Any:
    return found[0]


ONE = np.ones((2, 3))
ROWS = [
    row("native_batch_norm", batch_samples, native_batch_norm, errors=(
        (Call(np.ones(3), None, None, None, None, True, 0.1, 1e-5), IndexError, "dimension 1 holds the channels"),
        (Call(np.ones((3, 0)), None, None, None, None, True, 0.1, 1e-5), RuntimeError, "at least one element"))),
    row("native_layer_norm", layer_samples, native_layer_norm),
    row("native_group_norm", group_samples, native_group_norm, errors=(
        (Call(np.ones((2, 4, 3)), None, None, 2, 4, 3, 3, 1e-5), RuntimeError, "divisible by num_groups"),
        (Call(np.ones((2, 4, 3)), None, None, 2, 4, 2, 2, 1e-5), RuntimeError, r"N \* C \* HxW elements"))),
    row("instance_norm", instance_samples, instance_norm),
    row("batch_norm_update_stats", lambda rng: [Call(array(rng, 2, 3, 4), None, None, 0.1)], update_stats, grad=False),
    row("convolution", conv_samples, errors=(
        (Call(np.ones((3, 4)), np.ones((2, 3, 1)), None, [1], [0], [1], False, [0], 1), RuntimeError, "as many dimensions"),)),
    row("segment_reduce", segment_samples, segment_reduce, errors=(
        (Call(ONE, "sum"), RuntimeError, "Either lengths or offsets"), (Call(ONE, "most", lengths=np.array([2])), RuntimeError, "must be either"),
        (Call(ONE, "sum", lengths=np.array([1])), RuntimeError, "sum to data.size"), (Call(ONE, "sum", lengths=np.array([3, -1])), RuntimeError, "negative"),
        (Call(ONE, "sum", lengths=np.array([[2]])), RuntimeError, "Expected axis|must agree"), (Call(ONE, "sum", offsets=np.array([2, 0, 2])), RuntimeError, "not decrease"),
        (Call(ONE, "sum", lengths=np.array([2.0])), NotImplementedError, "must be int32 or int64"), (Call(ONE, "sum", indices=np.array([0])), RuntimeError, "not supported"),
        (Call(np.zeros(3, np.int64), "sum", lengths=np.array([3])), NotImplementedError, "floating point"))),
    row("grid_sampler", sampler_samples(2)), row("grid_sampler_2d", sampler_samples(2)),
    row("grid_sampler_3d", sampler_samples(3), errors=(
        (Call(np.ones((1, 1, 2, 2)), np.ones((1, 1, 1, 2)), 0, 0, True), RuntimeError, "expected 5D input"),
        (Call(np.ones((1, 1, 2, 2, 2)), np.ones((1, 1, 1, 1, 3)), 7, 0, True), ValueError, "mode from 0 to 2"))),
    row("kl_div", kl_samples, kl_div, errors=((Call(ONE, ONE, "mean"), TypeError, "must be int, not str"),)),
    row("ctc_loss", ctc_samples, grad=False),
    row("binary_cross_entropy_with_logits", logit_samples, grad=False),
    row("embedding_bag", bag_samples, gradgrad=False, after=first),
]

"""Rows of the normalisations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def along(w: Any, x: np.ndarray, default: float) -> Any:
    return default if w is None else w.reshape((-1,) + (1,) * (x.ndim - 2))


def batch_norm(
    x: np.ndarray, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> np.ndarray:
    axes = (0, *range(2, x.ndim))
    mean = x.mean(axes, keepdims=True) if training else along(running_mean, x, 0)
    var = x.var(axes, keepdims=True) if training else along(running_var, x, 1)
    return (x - mean) / np.sqrt(var + eps) * along(weight, x, 1) + along(bias, x, 0)


def batch_norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 4, 3, 5)):
        yield Call(x, None, None, training=True)
        yield Call(x, None, None, array(rng, 3), array(rng, 3), True)
    x, w, b = array(rng, 4, 3), array(rng, 3), array(rng, 3)
    yield Call(x, None, None, w, b, True)
    yield Call(array(rng, 130, 70), None, None, training=True)
    yield Call(array(rng, 3, 2, 4, 5), None, None, w[:2], None, True)
    yield Call(array(rng, 3, 2, 4, 5), None, None, None, b[:2], True, eps=1e-3)
    yield Call(array(rng, 2, 1, 2, 3, 2), None, None, w[:1], b[:1], True)
    yield Call(array(rng, 1, 2, 70) + 100, None, None, training=True)


def batch_norm_eval_samples(rng: np.random.Generator) -> Iterator[Call]:
    mean, var, w, b = array(rng, 3), array(rng, 3, low=0.5), array(rng, 3), array(rng, 3)
    for x in layouts(array(rng, 4, 3, 5)):
        yield Call(x, mean, var)
    for shape in ((4, 3), (1, 3), (0, 3), (2, 3, 2, 2), (1, 3, 1, 2, 1)):
        yield Call(array(rng, *shape), mean, var, w, b, False)


def layer_norm(x: np.ndarray, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> np.ndarray:
    axes = tuple(range(-len(shape), 0))
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps) if x.size else x
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


def layer_norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 4)):
        yield Call(x, (4,))
        yield Call(x, (3, 4), array(rng, 3, 4), array(rng, 3, 4))
    yield Call(array(rng, 7), (7,), array(rng, 7))
    yield Call(array(rng, 2, 3), [3], None, array(rng, 3), 1e-3)
    yield Call(array(rng, 0, 3), (3,))
    yield Call(array(rng, 70, 40), (40,), array(rng, 40), array(rng, 40))
    yield Call(array(rng, 2, 33) + 100, (33,))


def group_norm(x: np.ndarray, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> np.ndarray:
    rows = x.reshape(x.shape[0], groups, -1)
    y = (rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + eps)
    return y.reshape(x.shape) * along(weight, x, 1) + along(bias, x, 0)


def group_norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 4, 3)):
        yield Call(x, 2, array(rng, 4), array(rng, 4))
    yield Call(array(rng, 2, 6), 3)
    yield Call(array(rng, 2, 2, 3, 2), 1, None, array(rng, 2), 1e-3)


def instance_norm(x: np.ndarray, weight: Any = None, bias: Any = None) -> np.ndarray:
    axes = tuple(range(2, x.ndim))
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    return y * along(weight, x, 1) + along(bias, x, 0)


def instance_norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 5)):
        yield Call(x)
    yield Call(array(rng, 2, 3, 2, 2), weight=array(rng, 3), bias=array(rng, 3))


def rms_norm(x: np.ndarray, shape: Any, weight: Any = None, eps: float = 1e-5) -> np.ndarray:
    y = x / np.sqrt(np.square(x).mean(tuple(range(-len(shape), 0)), keepdims=True) + eps)
    return y if weight is None else y * weight


def rms_norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 4)):
        yield Call(x, (4,), eps=1e-5)
        yield Call(x, (3, 4), array(rng, 3, 4), 1e-5)
    yield Call(array(rng, 3, 40), [40], None, 1e-3)


X, I = np.ones((2, 3, 4)), np.ones((2, 3), np.int64)
LOOSE = {"float32": 2e-4, "float64": 1e-9}
SMALL = {"float32": 2e-5, "float64": 1e-10}


def row(name: str, samples: Any, reference: Any, errors: Any, grad: bool = True) -> Row:
    return Row(name, samples, reference, torch=f"nn.functional.{name.removeprefix('ops.')}", grad=grad, rtol=LOOSE, atol=SMALL, errors=errors)


ROWS = [
    row("ops.batch_norm", batch_norm_samples, batch_norm, (
        (Call(X, None, None), RuntimeError, r"\[batch_norm\] running_mean and running_var must be defined"),
        (Call(X, np.ones(4), np.ones(4)), RuntimeError, r"\[batch_norm\] running_mean should contain 3 elements not 4"),
        (Call(X, None, None, np.ones(2), None, True), RuntimeError, r"\[batch_norm\] weight should contain 3 elements not 2"),
        (Call(X[:1, :, 0], None, None, None, None, True), ValueError, r"\[batch_norm\] Expected more than 1 value per channel"),
        (Call(X, None, None, None, None, True, 0.1, 0), ValueError, r"\[batch_norm\] batch_norm eps must be positive"),
    )),
    row("ops.batch_norm", batch_norm_eval_samples, batch_norm, (
        (Call(X[0, 0], np.ones(4), np.ones(4)), RuntimeError, r"\[batch_norm\] expected an input of 2 or more dimensions"),
    ), grad=False),                             # running buffers take no gradient; see test_normalization.py
    row("layer_norm", layer_norm_samples, layer_norm, (
        (Call(X, (3, 5)), RuntimeError, r"\[layer_norm\] Given normalized_shape=\[3, 5\].*size\[2, 3, 4\]"),
        (Call(X, 4), TypeError, r"\[layer_norm\] argument 'normalized_shape' must be tuple of ints, not int"),
        (Call(X, []), RuntimeError, r"\[layer_norm\] Expected normalized_shape to be at least 1-dimensional"),
        (Call(X, (4,), np.ones(3)), RuntimeError, r"\[layer_norm\] Expected weight to be of same shape"),
        (Call(I, (3,)), NotImplementedError, r"\[layer_norm\] not implemented for 'Long'"),
    )),
    row("group_norm", group_norm_samples, group_norm, (
        (Call(X, 2), RuntimeError, r"\[group_norm\] Expected number of channels in input to be divisible"),
    )),
    row("ops.instance_norm", instance_norm_samples, instance_norm, (
        (Call(X[:, :, :1]), ValueError, r"\[instance_norm\] Expected more than 1 spatial element"),
    )),
    row("rms_norm", rms_norm_samples, rms_norm, (
        (Call(X, (3,)), RuntimeError, r"\[rms_norm\] Given normalized_shape=\[3\]"),
    )),
]

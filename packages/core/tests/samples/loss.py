"""Rows of the losses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts
from samples.softmax import log_softmax


def reduce(loss: np.ndarray, reduction: str) -> Any:
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.sum() / max(loss.size, 1)


def of_difference(formula: Any) -> Any:
    def run(x: np.ndarray, y: np.ndarray, reduction: str = "mean", **more: Any) -> Any:
        return reduce(formula(np.abs(x - y), *more.values()), reduction)

    return run


def smooth_l1(d: np.ndarray, beta: float = 1.0) -> np.ndarray:
    return np.where(d < beta, d * d / 2 / (beta or 1), d - beta / 2)


def huber(d: np.ndarray, delta: float = 1.0) -> np.ndarray:
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def difference_samples(option: str = "", values: Any = ()) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for x in layouts(array(rng, 3, 4)):
            yield Call(x, array(rng, 3, 4))
            yield Call(x, array(rng, 3, 4), reduction="none")
        for reduction in ("none", "mean", "sum"):
            yield Call(array(rng), array(rng), reduction=reduction)
            yield Call(array(rng, 2, 3, 2), array(rng, 2, 3, 2), reduction=reduction)
            for value in values:
                yield Call(array(rng, 5, 3), array(rng, 5, 3), reduction=reduction, **{option: value})
        yield Call(array(rng, 0, 3), array(rng, 0, 3), reduction="sum")
        yield Call(array(rng, 0, 3), array(rng, 0, 3), reduction="none")

    return samples


def probability_samples(rng: np.random.Generator) -> Iterator[Call]:
    def draw(*shape: int) -> np.ndarray:
        return array(rng, *shape, low=0.05, high=0.95)

    for x in layouts(draw(3, 4)):
        yield Call(x, draw(3, 4))
        yield Call(x, draw(3, 4), reduction="none")
    for reduction in ("none", "mean", "sum"):
        yield Call(draw(), draw(), reduction=reduction)
        yield Call(draw(2, 3), draw(2, 3), draw(3), reduction=reduction)
    yield Call(draw(0), draw(0), reduction="sum")


def bce(x: np.ndarray, y: np.ndarray, weight: Any = 1, reduction: str = "mean") -> Any:
    return reduce(-(y * np.log(x) + (1 - y) * np.log1p(-x)) * weight, reduction)


def logit_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, array(rng, 3, 4, low=0, high=1))
        yield Call(x, array(rng, 3, 4, low=0, high=1), reduction="none")
    y = array(rng, 2, 3, low=0, high=1)
    for reduction in ("none", "mean", "sum"):
        yield Call(array(rng), array(rng, low=0, high=1), reduction=reduction)
        yield Call(array(rng, 2, 3), y, np.array([0.5, 2.0, 3.0]), reduction=reduction)
    yield Call(array(rng, 2, 3) * 30, y)
    yield Call(array(rng, 0), array(rng, 0), reduction="sum")


def bce_with_logits(x: np.ndarray, y: np.ndarray, weight: Any = 1, reduction: str = "mean") -> Any:
    loss = (1 - y) * x + np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0)
    return reduce(loss * weight, reduction)


def class_samples(smoothing: bool) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        options: Any = [{}, {"label_smoothing": 0.3}] if smoothing else [{}]
        for more in options:
            for x in layouts(array(rng, 4, 5)):
                yield Call(x, rng.integers(0, 5, 4), **more)
            for reduction in ("none", "mean", "sum"):
                more = {**more, "reduction": reduction}
                yield Call(array(rng, 4, 5), np.array([0, 2, 2, 4]), **more)
                yield Call(array(rng, 4, 5), np.array([0, 2, 2, 4]), ignore_index=2, **more)
                yield Call(array(rng, 4, 5), np.array([0, -100, 1, 4], np.int64), **more)
                yield Call(array(rng, 2, 3, 4), rng.integers(0, 3, (2, 4)), **more)
                yield Call(array(rng, 2, 3, 2, 2), rng.integers(0, 3, (2, 2, 2)), ignore_index=1, **more)
                yield Call(array(rng, 1, 2, 2, 1, 2), rng.integers(0, 2, (1, 2, 1, 2)), **more)
                yield Call(array(rng, 1, 2, 140), rng.integers(0, 2, (1, 140)), **more)
                yield Call(array(rng, 5), np.array(3), **more)
            yield Call(array(rng, 4, 5) * 200, rng.integers(0, 5, 4), **more)
            yield Call(array(rng, 2, 1030), rng.integers(0, 1030, 2), **more)
        yield Call(array(rng, 0, 5), np.zeros(0, np.int64), reduction="sum")

    return samples


def of_classes(logits: bool) -> Any:
    def run(
        x: np.ndarray, target: np.ndarray, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> Any:
        dim = 0 if x.ndim == 1 else 1
        logp = log_softmax(x, dim) if logits else x
        kept = target != ignore_index
        index = np.where(kept, target, 0)
        loss = -np.take_along_axis(logp, np.expand_dims(index, dim), dim).squeeze(dim) * (1 - label_smoothing)
        loss = (loss - label_smoothing * logp.mean(dim)) * kept if label_smoothing else loss * kept
        return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.sum() / kept.sum()

    return run


def weighted_samples(smoothing: bool) -> Any:
    """Weights of classes get no gradient: torch is the judge of these, in forward alone."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        options: Any = [{}, {"label_smoothing": 0.3}] if smoothing else [{}]
        for more in options:
            for reduction in ("none", "mean", "sum"):
                w = array(rng, 3, low=0.2)
                yield Call(array(rng, 4, 3), np.array([0, 2, 1, 2]), w, ignore_index=1, reduction=reduction, **more)
                yield Call(array(rng, 2, 3, 4), rng.integers(0, 3, (2, 4)), w, reduction=reduction, **more)

    return samples


def share_samples(rng: np.random.Generator) -> Iterator[Call]:
    for reduction in ("none", "mean", "sum"):
        for shape in ((5,), (4, 5), (2, 3, 2)):
            y = array(rng, *shape, low=0, high=1)
            yield Call(array(rng, *shape), y, reduction=reduction)
            yield Call(array(rng, *shape), y, reduction=reduction, label_smoothing=0.2)
    yield Call(array(rng, 4, 3), array(rng, 4, 3), array(rng, 3))


def of_shares(x: np.ndarray, y: np.ndarray, weight: Any = None, reduction: str = "mean", label_smoothing: float = 0.0) -> Any:
    dim = 0 if x.ndim == 1 else 1
    y = y * (1 - label_smoothing) + label_smoothing / x.shape[dim]
    w = 1 if weight is None else weight.reshape((-1,) + (1,) * (x.ndim - dim - 1))
    loss = -(log_softmax(x, dim) * y * w).sum(dim)
    return reduce(loss, reduction)


def kl_samples(rng: np.random.Generator) -> Iterator[Call]:
    x = log_softmax(array(rng, 3, 4), 1)
    y = np.exp(log_softmax(array(rng, 3, 4), 1))
    for reduction in ("none", "sum", "batchmean"):
        yield Call(x, y, reduction=reduction)
        yield Call(x, np.log(y), reduction=reduction, log_target=True)


def kl_div(x: np.ndarray, y: np.ndarray, reduction: str, log_target: bool = False) -> Any:
    loss = np.exp(y) * (y - x) if log_target else y * (np.log(y) - x)
    return loss.sum() / len(x) if reduction == "batchmean" else reduce(loss, reduction)


def ctc_samples(rng: np.random.Generator) -> Iterator[Call]:
    def draw(*shape: int) -> np.ndarray:
        return log_softmax(array(rng, *shape), -1)

    lengths = np.array([6, 5, 4]), np.array([3, 0, 2])
    for x in layouts(draw(6, 3, 4)):
        yield Call(x, rng.integers(1, 4, (3, 3)), *lengths)
    for reduction in ("none", "mean", "sum"):
        yield Call(draw(6, 3, 4), rng.integers(1, 4, (3, 5)), *lengths, reduction=reduction)
        yield Call(draw(6, 3, 4), np.array([1, 1, 3, 2, 2]), *lengths, reduction=reduction)
        yield Call(draw(5, 2, 3), rng.integers(0, 2, (2, 2)), [5, 4], [2, 1], 2, reduction=reduction)
        yield Call(draw(7, 4), np.array([1, 2, 1]), [7], [3], reduction=reduction)
        yield Call(draw(3, 2, 3), np.array([[1, 1, 2], [1, 2, 0]]), [2, 3], [3, 2], reduction=reduction, zero_infinity=True)
    yield Call(draw(40, 2, 12), rng.integers(1, 12, (2, 15)), [40, 33], [15, 9])


def ctc_loss(
    x: np.ndarray, targets: np.ndarray, inputs: Any, lengths: Any, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
) -> Any:
    """The forward recursion on plain probabilities."""
    single = x.ndim == 2
    p = np.exp(x[:, None] if single else x)
    labels = np.split(targets.ravel(), np.cumsum(lengths)[:-1]) if targets.ndim == 1 else list(targets)
    losses = []
    for n, (T, S) in enumerate(zip(np.ravel(inputs), np.ravel(lengths), strict=True)):
        states = [blank, *(s for label in labels[n][:S] for s in (label, blank))]
        a = np.where(np.arange(len(states)) < 2, p[0, n, states], 0)
        for t in range(1, T):
            a = np.array([
                (a[max(0, s - 1) : s + 1].sum() + (a[s - 2] if s > 1 and states[s] not in (blank, states[s - 2]) else 0)) * p[t, n, c]
                for s, c in enumerate(states)
            ])
        likelihood = a[-2:].sum()
        losses.append(-np.log(likelihood) if likelihood else 0.0 if zero_infinity else np.inf)
    if reduction == "none":
        return losses[0] if single else np.array(losses)
    return np.sum(losses) if reduction == "sum" else np.mean(np.array(losses) / np.maximum(1, lengths))


def label_samples(rng: np.random.Generator) -> Iterator[Call]:
    labels = np.array([[3, 0, -1, 1], [1, 2, 0, -1], [-1, 2, 0, 1], [2, 2, 2, 2]])
    for reduction in ("none", "mean", "sum"):
        yield Call(array(rng, 4, 4), labels, reduction=reduction)
        yield Call(array(rng, 4), labels[0], reduction=reduction)
    for x in layouts(array(rng, 4, 4)):
        yield Call(x, labels)
    yield Call(array(rng, 0, 3), np.zeros((0, 3), np.int64), reduction="none")


def multilabel_margin(x: np.ndarray, target: np.ndarray, reduction: str = "mean") -> Any:
    losses = []
    for row, labels in zip(np.atleast_2d(x), np.atleast_2d(target), strict=True):
        right = [j for k, j in enumerate(labels) if (labels[: k + 1] >= 0).all()]
        wrong = [i for i in range(len(row)) if i not in right]
        losses.append(sum(max(0, 1 - row[j] + row[i]) for j in right for i in wrong) / len(row))
    return reduce(np.array(losses).reshape(x.shape[:-1]), reduction)


def margin_samples(rng: np.random.Generator) -> Iterator[Call]:
    t = np.array([3, 0, 1, 1])
    for reduction, p in itertools.product(("none", "mean", "sum"), (1, 2)):
        yield Call(array(rng, 4, 4), t, p=p, margin=0.75, reduction=reduction)
        yield Call(array(rng, 4), np.array(3), p=p, reduction=reduction)
    for x in layouts(array(rng, 4, 4)):
        yield Call(x, t)
    yield Call(array(rng, 0, 3), t[:0], reduction="none")


def weighted_margin_samples(rng: np.random.Generator) -> Iterator[Call]:
    for reduction, p in itertools.product(("none", "mean", "sum"), (1, 2)):
        yield Call(array(rng, 3, 4), np.array([3, 0, 1]), p=p, weight=np.array([0.5, 2.0, 1.5, 1.0]), reduction=reduction)


def multi_margin(x: np.ndarray, target: np.ndarray, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> Any:
    losses = []
    for row, t in zip(np.atleast_2d(x), np.atleast_1d(target), strict=True):
        beyond = [max(0, margin - row[t] + row[i]) ** p for i in range(len(row)) if i != t]
        losses.append(sum(beyond) / len(row) * (1 if weight is None else weight[t]))
    return reduce(np.array(losses).reshape(target.shape), reduction)


X, Y, T = np.ones((4, 5)), np.ones((3, 5)), np.array([0, 1, 2, 3])
P = np.full((4, 5), 0.5)


def row(name: str, samples: Any, reference: Any, errors: Any = (), **more: Any) -> Row:
    return Row(name, samples, reference, torch=f"nn.functional.{name.removeprefix('ops.')}", errors=errors, strides=False,
               rtol={"float32": 5e-5, "float64": 1e-10}, atol={"float32": 1e-5, "float64": 1e-12}, **more)


def class_errors(name: str) -> Any:
    return (
        (Call(X, T + 3), IndexError, rf"\[{name}\] Target 5 is out of bounds; with 5 classes"),
        (Call(X, T - 1), IndexError, rf"\[{name}\] Target -1 is out of bounds"),
        (Call(X, T[:3]), ValueError, rf"\[{name}\] Expected input batch_size \(4\) to match target batch_size \(3\)"),
        (Call(X, T.astype(np.int32)), RuntimeError, rf"\[{name}\] expected target dtype to be Long or Byte, but got Int"),
        (Call(X, T, np.ones(4)), RuntimeError, rf"\[{name}\] weight tensor should be defined either for all 5 classes"),
        (Call(X, T, reduction="foo"), ValueError, rf"\[{name}\] foo is not a valid value for reduction"),
        (Call(X[:, :, None], np.zeros((4, 2), np.int64)), RuntimeError, rf"\[{name}\] Expected target size \[4, 1\], got \[4, 2\]"),
    )


ROWS = [
    row("mse_loss", difference_samples(), of_difference(np.square), (
        (Call(X, X, reduction="foo"), ValueError, r"\[mse_loss\] foo is not a valid value for reduction"),
        (Call(T, T), NotImplementedError, r"\[mse_loss\] not implemented for 'Long'"),
    )),
    row("l1_loss", difference_samples(), of_difference(lambda d: d)),
    row("smooth_l1_loss", difference_samples("beta", (0.5, 2.0)), of_difference(smooth_l1), (
        (Call(X, X, beta=-1), RuntimeError, r"\[smooth_l1_loss\] smooth_l1_loss does not support negative values for beta"),
    )),
    row("huber_loss", difference_samples("delta", (0.5, 2.0)), of_difference(huber), (
        (Call(X, X, delta=0), RuntimeError, r"\[huber_loss\] huber_loss does not support non-positive values for delta"),
    )),
    row("binary_cross_entropy", probability_samples, bce, (
        (Call(P + 1, P), RuntimeError, r"\[binary_cross_entropy\] all elements of input should be between 0 and 1"),
        (Call(P, P + 1), RuntimeError, r"\[binary_cross_entropy\] all elements of target should be between 0 and 1"),
        (Call(P, P[:3]), ValueError, r"\[binary_cross_entropy\] Using a target size .* Please ensure they have the same size"),
        (Call(P, P, np.ones(4)), RuntimeError, r"\[binary_cross_entropy\] "),
    )),
    row("ops.binary_cross_entropy_with_logits", logit_samples, bce_with_logits, (
        (Call(X, Y), ValueError, r"\[binary_cross_entropy_with_logits\] Target size \(\[3, 5\]\) must be the same"),
    )),
    row("nll_loss", class_samples(False), of_classes(False), class_errors("nll_loss")),
    row("nll_loss", weighted_samples(False), None, grad=False),
    row("cross_entropy", class_samples(True), of_classes(True), (
        *class_errors("cross_entropy"),
        (Call(X, T, label_smoothing=1.1), RuntimeError, r"\[cross_entropy\] label_smoothing must be between 0.0 and 1.0"),
        (Call(X, X, ignore_index=2), RuntimeError, r"\[cross_entropy\] ignore_index is not supported for floating point"),
    )),
    row("cross_entropy", weighted_samples(True), None, grad=False),
    row("cross_entropy", share_samples, of_shares),
    row("ops.kl_div", kl_samples, kl_div),
    row("multilabel_margin_loss", label_samples, multilabel_margin, (
        (Call(X, X.astype(np.int64)[:3]), RuntimeError, r"\[multilabel_margin_loss\] inconsistent target size: \[3, 5\] for input"),
        (Call(X, X.astype(np.int64) + 4), RuntimeError, r"\[multilabel_margin_loss\] argument #2 'target' is out of range: class 5"),
        (Call(X, X.astype(np.int64) - 3), RuntimeError, r"\[multilabel_margin_loss\] argument #2 'target' is out of range: class -2"),
        (Call(X, X), RuntimeError, r"\[multilabel_margin_loss\] expected scalar type Long but found Float|Double"),
        (Call(X[None], X[None].astype(np.int64)), RuntimeError, r"\[multilabel_margin_loss\] Expected non-empty vector or matrix"),
    )),
    row("multi_margin_loss", margin_samples, multi_margin, (
        (Call(X, T[:3]), RuntimeError, r"\[multi_margin_loss\] inconsistent target size, expected 4 but got \[3\]"),
        (Call(X, T + 2), RuntimeError, r"\[multi_margin_loss\] target out of range: class 5 is not in \[0, 4\]"),
        (Call(X, T, weight=np.ones(4)), RuntimeError, r"\[multi_margin_loss\] inconsistent weight size, expected 5 but got \[4\]"),
        (Call(X, T.astype(np.int32)), RuntimeError, r"\[multi_margin_loss\] expected scalar type Long but found Int"),
        (Call(X, T, p=3), ValueError, r"\[multi_margin_loss\] only p == 1 and p == 2 supported, got 3"),
        (Call(X[None], T[:1]), RuntimeError, r"\[multi_margin_loss\] Expected non-empty vector or matrix"),
    )),
    row("multi_margin_loss", weighted_margin_samples, multi_margin, grad=False),
    row("ops.ctc_loss", ctc_samples, ctc_loss, (
        (Call(P, T, [4], [4], 5), RuntimeError, r"\[ctc_loss\] blank must be in label range \[0, 4\], got 5"),
        (Call(P, T + 3, [4], [4]), IndexError, r"\[ctc_loss\] Target 5 is out of bounds; with 5 classes"),
        (Call(P, T, [5], [4]), RuntimeError, r"\[ctc_loss\] Expected input_lengths to have value at most 4, but got value 5"),
        (Call(P, T, [-1], [4]), RuntimeError, r"\[ctc_loss\] Expected input_lengths to have value at least 0, but got value -1"),
        (Call(P, T, [4], [5]), RuntimeError, r"\[ctc_loss\] Expected targets to have size 5 at dimension 0"),
        (Call(P[:, None], T, [4], [3]), RuntimeError, r"\[ctc_loss\] Expected targets to have size 3 at dimension 0"),
        (Call(P, T, [4, 4], [4]), RuntimeError, r"\[ctc_loss\] input_lengths must be of size batch_size"),
        (Call(P, T, np.array([4]), [4]), TypeError, r"\[ctc_loss\] input_lengths and target_lengths must be two tensors or two"),
        (Call(P, T, np.array([4.0]), np.array([4])), RuntimeError, r"\[ctc_loss\] input_lengths must be integral"),
        (Call(P[:0], T, [0], [4]), RuntimeError, r"\[ctc_loss\] log_probs tensor must not be empty"),
        (Call(P[0], T, [4], [4]), RuntimeError, r"\[ctc_loss\] Expected log_probs of shape"),
        (Call(T[:, None], T, [4], [4]), NotImplementedError, r"\[ctc_loss\] \"ctc_loss_cpu\" not implemented for 'Long'"),
    ), gradgrad=False, before=lambda x, *rest: (x.log_softmax(-1), *rest)),
]

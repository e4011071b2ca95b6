"""Errors say what to do about the usual mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import taeda
from taeda import ops

X, CLASSES = taeda.ones(4, 3), taeda.tensor([0, 1, 2, 1])
MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: ops.cross_entropy(X, CLASSES[:, None]), RuntimeError,
     r"\[cross_entropy\] .*target: \[4, 1\]\); the target must be \[4\]; did you mean target.squeeze\(1\)\?$"),
    (lambda: ops.cross_entropy(X, taeda.ones(4, 5)), RuntimeError, r"must be \[4\]; class probabilities have the input's shape \[4, 3\]$"),
    (lambda: ops.cross_entropy(X, taeda.ones(4, 5, dtype=taeda.int64)), RuntimeError, r"the target must be \[4\]$"),
    (lambda: ops.cross_entropy(taeda.ones(2, 3, 5), taeda.ones(2, 1, 5, dtype=taeda.int64)), RuntimeError, r"target.squeeze\(1\)\?$"),
    (lambda: ops.binary_cross_entropy(taeda.ones(4, 1), taeda.ones(4)), ValueError, r"the same size.; did you mean target.view_as\(input\)\?$"),
    (lambda: ops.binary_cross_entropy_with_logits(taeda.ones(4, 1), taeda.ones(4)), ValueError, r"did you mean target.view_as\(input\)\?$"),
    (lambda: ops.binary_cross_entropy_with_logits(taeda.ones(4, 1), taeda.ones(3)), ValueError, r"input size \(\[4, 1\]\)$"),
    (lambda: X[taeda.tensor([0.0])], IndexError, r"got float32; convert it with .long\(\)$"),
    (lambda: taeda.index_put(X, (taeda.tensor([0.0]),), taeda.ones(())), IndexError, r"got float32; convert it with .long\(\)$"),
    (lambda: X.masked_fill(CLASSES[:, None], 0), RuntimeError, r"got mask with dtype int64; convert it with .bool\(\)$"),
    (lambda: taeda.where(CLASSES, 1, 0), RuntimeError, r"with dtype Long; convert it with .bool\(\)$"),
    (lambda: X.gather(0, taeda.zeros(1, 1)), RuntimeError, r"got float32; convert it with .long\(\)$"),
    (lambda: X[0].scatter(0, CLASSES[:1], CLASSES[:1]), RuntimeError, "got float32 and int64; convert src to the other's$"),
    (lambda: ops.one_hot(taeda.ones(2)), RuntimeError, r"got float32; convert it with .long\(\)$"),
    (lambda: taeda.softmax(CLASSES, 0), NotImplementedError, r"it takes .*; convert it with .float\(\)$"),
    (lambda: taeda.tensor([[1, 2], [3]]), ValueError, r"\(got 1\); nested sequences of one depth have one length: pad the shorter ones$"),
    (lambda: taeda.tensor("12"), TypeError, "invalid data type 'str'; pass numbers, sequences of them, or arrays$"),
    (lambda: taeda.from_numpy([1, 2]), TypeError, r"\(got list\); taeda.tensor copies numbers and lists$"),
    (lambda: X.to(taeda.float64, taeda.int64), TypeError, "takes one dtype, got taeda.int64 after taeda.float64$"),
    (lambda: X.split([1, -1, 4]), RuntimeError, r"only non-negative entries, but got split_sizes=\[1, -1, 4\]$"),
    (lambda: taeda.cat(X, X), TypeError, "not Tensor; put them in a tuple or a list$"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("mistake", "error", "text"), MISTAKES, ids=[text for _, _, text in MISTAKES])
def test_a_usual_mistake_is_told_its_cure(mistake: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        mistake()

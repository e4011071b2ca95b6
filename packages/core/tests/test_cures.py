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
     r"\[cross_entropy\] 0D or 1D target .*, multi-target not supported; .* got one of \(4, 1\); did you mean target.squeeze\(1\)\?$"),
    (lambda: ops.cross_entropy(X, taeda.ones(4, 5)), RuntimeError, r"got one of \(4, 5\); class probabilities have the input's shape \[4, 3\]$"),
    (lambda: ops.cross_entropy(X, taeda.ones(4, 5, dtype=taeda.int64)), RuntimeError, r"got one of \(4, 5\)$"),
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
    (lambda: taeda.relu(None), TypeError, r"not NoneType; did a function forget to return it\?$"),
    (lambda: taeda.relu((X, X)), TypeError, r"not tuple; choose one of its tensors, or join them with taeda.stack or taeda.cat$"),
    (lambda: taeda.relu({"x": X}), TypeError, r"not dict; choose one of its values$"),
    (lambda: taeda.relu("x"), TypeError, r"must be Tensor, not str$"),
    (lambda: taeda.relu([1.0]), TypeError, r"not list; wrap it with taeda.tensor\(...\)$"),
    (lambda: taeda.tensor(["a", "b"]), ValueError, r"too many dimensions 'str'; text is no number: float\(\) reads one"),
    (lambda: taeda.randint(10), TypeError, r"missing argument 'high': it is called as randint\(high, size\) or randint\(low, high, size\)$"),
    (lambda: ops.interpolate(taeda.ones(3, 8, 8), (4, 4)), ValueError, r"input of shape \(3, 8, 8\) is \(B, C, ...\): did you mean "
     r"input.unsqueeze\(0\)\?$"),
    (lambda: ops.interpolate(taeda.ones(1, 3, 8, 8), (4,)), ValueError, r"input of shape \(1, 3, 8, 8\) is \(B, C, ...\)$"),
    (lambda: X.argmax(1).float().sum().backward(), RuntimeError, r"argmax, comparisons, detach\(\) and item\(\) end the graph$"),
    (lambda: X.__setitem__(0, taeda.ones(2)), RuntimeError, r"tensor \(3\) must match the existing size \(2\): a value of shape \[2\] does "
     r"not broadcast to the assigned elements' shape \[3\]$"),
    (lambda: taeda.cat(X, X), TypeError, "not Tensor; put them in a tuple or a list$"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("mistake", "error", "text"), MISTAKES, ids=[text for _, _, text in MISTAKES])
def test_a_usual_mistake_is_told_its_cure(mistake: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        mistake()


def test_what_was_kept_from_the_last_iteration_is_to_be_detached() -> None:
    w = taeda.ones(2, requires_grad=True)
    state = (w * w).tanh()
    state.sum().backward()
    with pytest.raises(RuntimeError, match=r"detach\(\) what is kept from one iteration for the next, such as a hidden state.$"):
        (state * w).sum().backward()


def test_a_parameter_that_was_stepped_is_told_from_a_result_that_was_written_to() -> None:
    w = taeda.ones(2, 2, requires_grad=True)
    late = (w @ w).sum()
    with taeda.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="out-of-place form, and call backward before an optimizer steps"):
        late.backward()
    y = w.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="out-of-place form(; hint|$)"):
        y.sum().backward()

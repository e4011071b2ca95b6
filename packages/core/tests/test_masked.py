"""Masked operations against the plain ones of the elements that count."""

from __future__ import annotations

import pytest
import taeda
from taeda import masked
from taeda.autograd import gradcheck, gradgradcheck

MASK = taeda.tensor([[True, False, True, True], [False, True, True, False], [True, True, True, True]])
X = taeda.tensor([[0.3, -1.2, 2.0, 0.7], [1.1, 0.4, -0.6, 0.9], [-0.2, 0.8, 1.7, -1.5]], dtype=taeda.float64)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "amax", "amin", "logsumexp", "var", "std", "norm", "median"])
def test_a_row_is_reduced_as_what_counts_of_it(name: str) -> None:
    f = getattr(masked, name)
    options = {"dim": 1}
    found = f(X, **options, mask=MASK)
    for row, counts, y in zip(X, MASK, found, strict=True):
        assert taeda.allclose(y, f(row[counts].reshape(1, -1), **options)[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "normalize", "cumsum", "cumprod"])
def test_what_counts_is_mapped_as_if_alone(name: str) -> None:
    f = getattr(masked, name)
    options = {"ord": 2.0} if name == "normalize" else {}
    found = f(X, dim=1, mask=MASK, **options)
    for row, counts, y in zip(X, MASK, found, strict=True):
        assert taeda.allclose(y[counts], f(row[counts].reshape(1, -1), dim=1, **options)[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "amax", "logsumexp", "var", "std", "norm", "softmax", "softmin", "normalize", "cumprod"])
def test_derivatives(name: str) -> None:
    f = getattr(masked, name)
    options = {"ord": 2.0} if name == "normalize" else {}
    x = X.clone().requires_grad_()
    run = lambda x: f(x, dim=1, mask=MASK, **options)  # noqa: E731
    assert gradcheck(run, (x,)) and gradgradcheck(run, (x,))
    (g,) = taeda.autograd.grad(run(x).sum(), x)
    assert bool((g[~MASK] == 0).all())


def test_a_mask_must_broadcast() -> None:
    with pytest.raises(IndexError, match="dimensionality higher"):
        masked.sum(X, mask=MASK[None])
    with pytest.raises(RuntimeError, match="must match"):
        masked.sum(X, mask=MASK[:, :2])
    with pytest.raises(TypeError, match="argument 'mask' must be Tensor"):
        masked.sum(X, mask=[True])
    assert masked.sum(X, 0, mask=MASK[0]).tolist() == pytest.approx([1.2, 0, 3.1, 0.1])

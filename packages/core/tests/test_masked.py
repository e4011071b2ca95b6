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


@pytest.mark.parametrize("name", ["median", "softmax", "log_softmax", "softmin", "cumsum", "cumprod"])
@pytest.mark.parametrize("mask", [None, MASK])
def test_no_dimension_and_several_are_the_first(name: str, mask: taeda.Tensor | None) -> None:
    f = getattr(masked, name)
    for dim in (None, (), (0, 1), [0]):
        assert taeda.equal(f(X, dim, mask=mask), f(X, 0, mask=mask)), dim


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


# -- tensors that carry their mask -----------------------------------------------------------------------


def test_a_masked_tensor_goes_through_operations() -> None:
    a = masked.masked_tensor(X, MASK)
    assert masked.is_masked_tensor(a) and not masked.is_masked_tensor(X) and a.shape == X.shape and a.dtype is X.dtype
    b = (2 * a + a.exp()).t()[1:]
    assert taeda.equal(b.get_mask(), MASK.t()[1:]) and taeda.allclose(b.to_tensor(0), ((2 * X + X.exp()) * MASK).t()[1:])
    assert taeda.allclose(a.mean(1).get_data(), masked.mean(X, 1, mask=MASK)) and taeda.equal(masked.sum(a, 1), masked.sum(X, 1, mask=MASK))
    assert taeda.equal(a.softmax(1).to_tensor(0), masked.softmax(X, 1, mask=MASK))
    assert taeda.cat([a, a]).get_mask().sum() == 2 * MASK.sum() and [p.shape for p in a.split(2, 1)] == [(3, 2), (3, 2)]
    a.mul_(2)
    assert taeda.equal(a.get_data(), 2 * X) and a[0, 0].item() == 0.6
    assert taeda.where(X > 0, a, a).get_mask().equal(MASK)


def test_gradients_of_masked_tensors() -> None:
    a = masked.masked_tensor(X, MASK, requires_grad=True)
    (a * a).sum().backward()
    assert masked.is_masked_tensor(a.grad) and taeda.equal(a.grad.to_tensor(0), 2 * X * MASK)
    x = X.clone().requires_grad_()
    masked.as_masked_tensor(x, MASK).exp().sum().backward()
    assert taeda.allclose(x.grad, X.exp() * MASK)


def test_what_masked_tensors_refuse() -> None:
    a = masked.masked_tensor(X, MASK)
    with pytest.raises(ValueError, match="Input masks must match"):
        a + masked.masked_tensor(X, ~MASK)
    with pytest.raises(TypeError, match="relu is not supported on masked tensors"):
        a.relu()
    with pytest.raises(ValueError, match="does not count"):
        a[0, 1].item()
    with pytest.raises(TypeError, match="mask must have dtype bool"):
        masked.masked_tensor(X, X)
    with pytest.raises(ValueError, match="must equal mask.size"):
        masked.masked_tensor(X, MASK[0])
    with pytest.raises(TypeError, match="data must be a Tensor"):
        masked.masked_tensor([1.0], MASK)
    with pytest.raises(RuntimeError, match="no memory of its own"):
        a.tolist()


@pytest.mark.parametrize("dtype", [taeda.bool, taeda.uint8, taeda.int64])
def test_a_median_of_no_floats_has_the_dtype_that_was_asked_for(dtype: taeda.dtype) -> None:
    x = taeda.tensor([[0, 1, 1], [1, 0, 1]], dtype=dtype)
    mask = taeda.tensor([[True, True, False], [False, True, True]])
    for given, wanted in ((None, [1, 1]), (mask, [0, 0])):
        y = masked.median(x, 1, mask=given)
        assert (y.dtype, y.tolist()) == (dtype, wanted)
        y = masked.median(x, 1, mask=given, dtype=taeda.float64)
        assert (y.dtype, y.tolist()) == (taeda.float64, wanted)
    assert masked.median(x.float(), 1, dtype=taeda.float64).dtype == taeda.float32
    with pytest.raises(ValueError, match="fully masked out"):
        masked.median(x, 1, mask=taeda.zeros(3, dtype=taeda.bool))

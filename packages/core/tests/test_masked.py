"""Masked operations against the plain ones of the elements that count."""

from __future__ import annotations

import math

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
    with pytest.raises(TypeError, match="data must be Tensor"):
        masked.masked_tensor([1.0], MASK)
    with pytest.raises(RuntimeError, match="no memory of its own"):
        a.tolist()


@pytest.mark.parametrize(("name", "place"), [("argmax", 4.0), ("argmin", 1.0)])
def test_the_extreme_element_of_a_sparse_masked_tensor_is_named_by_its_place_among_all(name: str, place: float) -> None:
    x, mask = taeda.tensor([[9.0, 1.0, 3.0], [4.0, 7.0, 0.0]]), taeda.tensor([[False, True, True], [True, True, False]])
    a = masked.masked_tensor(x, mask)
    for found in (getattr(a, name)(), getattr(a.to_sparse(), name)()):
        assert found.get_data().item() == place and found.get_mask().item() and found.get_data().dtype is taeda.float32
    flat = masked.masked_tensor(x.flatten(), mask.flatten()).to_sparse()
    assert getattr(flat, name)().get_data().item() == place


def test_a_sparse_masked_tensor_refuses_to_be_made_contiguous() -> None:
    s = masked.masked_tensor(X, MASK).to_sparse()
    for ask in (s.is_contiguous, s.contiguous):
        with pytest.raises(ValueError, match="with sparse data do not have is_contiguous"):
            ask()
    turned = masked.masked_tensor(X.T, MASK.T).contiguous()
    assert turned.is_contiguous() and taeda.equal(turned.get_data(), X.T)


@pytest.mark.parametrize("layout", [taeda.sparse_coo, taeda.sparse_csr])
def test_a_masked_tensor_becomes_sparse_and_goes_on_through_operations(layout: taeda.layout) -> None:
    x = X.clone().requires_grad_()
    a = masked.as_masked_tensor(x, MASK)
    s = a.to_sparse() if layout is taeda.sparse_coo else a.to_sparse_csr()
    assert s.layout is layout and s.is_sparse and s.get_mask().layout is layout and not a.is_sparse and a.to_dense() is a
    assert s.is_sparse_csr == (layout is taeda.sparse_csr) and taeda.equal(s._values().get_data(), X[MASK])
    assert taeda.equal(s.get_mask().to_dense(), MASK) and taeda.equal(s.to_tensor(7), a.to_tensor(7)) and repr(s) == repr(s.to_dense())
    b = (s.cos() * s + 1).double()                             # 1 and cos(0) where elements count, and nothing elsewhere
    assert b.layout is layout and taeda.allclose(b.to_tensor(0), (X.cos() * X + 1) * MASK)
    assert taeda.allclose(s.sum().get_data(), X[MASK].sum()) and taeda.allclose(s.mean().get_data(), X[MASK].mean())
    (s * 2).to_dense().sum().backward()
    assert taeda.equal(x.grad, 2.0 * MASK)
    with pytest.raises(TypeError, match="over all dimensions"):
        s.sum(1)
    with pytest.raises(ValueError, match="must have the same layout"):
        s + a
    with pytest.raises(ValueError, match="do not have the same indices"):
        masked.masked_tensor(taeda.eye(2).to_sparse(layout=layout), taeda.eye(2).flip(0).bool().to_sparse(layout=layout))
    fewer = masked.masked_tensor(X.to_sparse(layout=layout), MASK.to_sparse(layout=layout))                # takes those of the mask
    assert taeda.equal(fewer.to_tensor(0), X * MASK) and taeda.equal(fewer.get_data().to_dense(), X * MASK)
    more = masked.masked_tensor((X * MASK).to_sparse(layout=layout), taeda.ones_like(MASK).to_sparse(layout=layout))
    assert taeda.equal(more.to_tensor(7), X * MASK)
    with pytest.raises(TypeError, match="same layout"):
        masked.masked_tensor(X, MASK.to_sparse(layout=layout))
    with pytest.raises(TypeError, match="data layout of taeda.sparse_csc is not supported"):
        masked.masked_tensor(X.to_sparse_csc(), X.bool().to_sparse_csc())


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("layout", [taeda.sparse_coo, taeda.sparse_csr])
def test_a_sparse_tensor_is_reduced_to_a_sparse_one(name: str, layout: taeda.layout) -> None:
    f = getattr(masked, name)
    x = X * taeda.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    mask = MASK.clone()
    mask[1], mask[:, 3] = False, False
    s = x.to_sparse(layout=layout)
    for m in (mask, mask.to_sparse(layout=layout)):
        for dim in (0, 1, (0, 1), None):
            y = f(s, dim, keepdim=True, mask=m)
            there = mask.sum((0, 1) if dim is None else dim, keepdim=True) > 0
            assert y.layout is layout and y._nnz() == there.sum()
            assert taeda.allclose(y.to_dense()[there], f(x, dim, keepdim=True, mask=mask)[there])
            if layout is taeda.sparse_coo:
                flat = f(s, dim, mask=m)
                assert flat.layout is layout and flat.shape == f(x, dim, mask=mask).shape and taeda.equal(flat._values(), y._values())
    line = mask.any(0)                                         # of another shape than the input's
    assert taeda.allclose(f(s, 1, keepdim=True, mask=line).to_dense(), f(x, 1, keepdim=True, mask=line))
    assert taeda.equal(f(x, 1, mask=mask.to_sparse(layout=layout)).nan_to_num(), f(x, 1, mask=mask).nan_to_num())
    assert f(s, 1, keepdim=True, mask=mask & ~mask)._nnz() == 0
    if name == "sum":
        assert taeda.allclose(f(s, 1, keepdim=True).to_dense(), x.sum(1, keepdim=True))
    else:
        with pytest.raises(ValueError, match="expects explicit mask"):
            f(s, 1, keepdim=True)
    if layout is taeda.sparse_csr:
        with pytest.raises(RuntimeError, match="keepdim=True only"):
            f(s, 1, mask=mask)
    with pytest.raises(ValueError, match=r"^\[masked.var\] expects strided tensor"):
        masked.var(s, 1, mask=mask)


def test_a_sparse_tensor_with_dense_dimensions_is_reduced_over_any_of_them() -> None:
    x = taeda.arange(24.0).reshape(3, 2, 4) * taeda.tensor([1.0, 0.0, 1.0]).reshape(3, 1, 1)
    mask = taeda.arange(24).reshape(3, 2, 4) % 3 > 0
    leaf = x.to_sparse(1).requires_grad_()
    for dim in (0, 1, 2, (0, 2), (1, 2), None):
        y = masked.sum(leaf, dim, mask=mask)
        assert y.is_sparse and taeda.equal(y.to_dense(), masked.sum(x, dim, mask=mask))
    y.to_dense().backward()
    assert taeda.equal(leaf.grad.to_dense(), (mask & (x.sum((1, 2), keepdim=True) > 0)).float())


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


def test_a_copy_of_what_requires_grad_is_advised_against() -> None:
    with pytest.warns(UserWarning, match="It is not recommended to create a MaskedTensor with a tensor that requires_grad") as told:
        x = masked.masked_tensor(X.clone().requires_grad_(), MASK)
    assert told[0].filename == __file__ and not x.requires_grad


@pytest.mark.parametrize(("name", "neutral"), [("sum", 0.0), ("prod", 1.0), ("amax", -math.inf), ("amin", math.inf)])
def test_a_sparse_reduction_of_nothing_at_all_is_the_neutral_number(name: str, neutral: float) -> None:
    s, nothing = taeda.eye(2).to_sparse(), taeda.zeros(2, 2, dtype=taeda.bool).to_sparse()
    for dim, keepdim in (((), False), ((0, 1), True)):
        found = getattr(masked, name)(s, dim=dim, keepdim=keepdim, mask=nothing)
        assert found.layout is taeda.sparse_coo and found.to_dense().reshape(()).item() == neutral
        assert found.shape == ((1, 1) if keepdim else ())


def test_a_product_over_an_empty_list_of_dimensions_multiplies_nothing() -> None:
    x, mask = taeda.tensor([[1.0, 2, 3], [4, 5, 6]]), taeda.tensor([[False, False, True], [True, True, True]])
    assert masked.prod(x, [], mask=mask).tolist() == [[1, 1, 3], [4, 5, 6]] and masked.prod(x, (), mask=mask) == 360
    assert masked.sum(x, [], mask=mask) == 18


def test_the_parts_of_a_masked_tensor_have_the_names_that_programs_read() -> None:
    x = masked.masked_tensor(X, MASK)                      # pomegranate looks for its evidence by them
    assert x._masked_data.tolist() == x.get_data().tolist() == X.tolist()
    assert x._masked_mask.tolist() == MASK.tolist() and (x[1] * 2)._masked_mask.tolist() == MASK[1].tolist()


@pytest.mark.parametrize(("name", "before"), [("sum", (1,)), ("amax", (1,)), ("mean", (1,)), ("norm", (2, 1)), ("std", (1, False)), ("var", (1, True))])
def test_a_reduction_takes_keepdim_by_its_place(name: str, before: tuple[int, ...]) -> None:
    x = masked.masked_tensor(X, MASK)
    kept, plain = getattr(x, name)(*before, True), getattr(x, name)(*before)
    assert kept.shape == (3, 1) and kept.get_mask().tolist() == [[True]] * 3
    assert kept.get_data().squeeze(1).equal(plain.get_data())

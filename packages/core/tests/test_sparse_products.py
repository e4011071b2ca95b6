"""Products with sparse tensors: every width and dtype, in place, with factors, where the result is to go."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import taeda
from sparse_examples import example


@pytest.mark.parametrize("k", [1, 2, 3, 7, 8, 20, 64, 100])
@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
def test_products_of_every_width(k: int, dtype: Any) -> None:
    taeda.manual_seed(0)
    x = taeda.where(taeda.rand(50, 40) < 0.1, taeda.randn(50, 40), 0.0).to(dtype)
    y = taeda.randn(40, k, dtype=dtype)
    for s in (x.to_sparse(), x.to_sparse_csr(), x.to_sparse_csc(), x.t().to_sparse().t(), x.to_sparse_bsr((5, 2)), x.to_sparse_bsc((2, 5))):
        assert (s @ y).allclose(x @ y, atol=1e-5)
    assert (x.to_sparse().mv(y[:, 0])).allclose(x @ y[:, 0], atol=1e-5)
    many = taeda.where(taeda.rand(700, 600) < 0.2, taeda.randn(700, 600), 0.0).to(dtype)     # enough for threads
    wide = taeda.randn(600, k, dtype=dtype)
    assert (many.to_sparse() @ wide).allclose(many @ wide, atol=1e-3)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16, taeda.int64, taeda.complex64])
def test_products_of_other_dtypes(dtype: Any) -> None:
    x = taeda.tensor([[0, 2, 1], [3, 0, 0]]).to(dtype)
    y = taeda.tensor([[1, 2], [0, 1], [2, 2]]).to(dtype)
    assert (x.to_sparse() @ y).equal(x.to(taeda.complex64).mm(y.to(taeda.complex64)).real.to(dtype) if not dtype.is_complex else x @ y)


def test_products_of_a_low_rank_and_in_low_precision() -> None:
    taeda.manual_seed(0)
    x = taeda.randn(12, 2) @ taeda.randn(2, 9)
    x = taeda.where(taeda.rand(12, 9) < 0.9, x, 0.0)
    for function in (taeda.svd_lowrank, taeda.pca_lowrank):
        taeda.manual_seed(1)
        expected = function(x, q=3)
        taeda.manual_seed(1)
        for a, b in zip(function(x.to_sparse(), q=3), expected, strict=True):
            assert a.abs().allclose(b.abs(), atol=1e-4)
    assert taeda.lobpcg((x @ x.t()).to_sparse(), k=2)[0].allclose(taeda.lobpcg(x @ x.t(), k=2)[0])
    with taeda.autocast("cpu", taeda.bfloat16):
        s, y, z = x.to_sparse().requires_grad_(), taeda.ones(9, 2, requires_grad=True), taeda.ones(len(x), 2)
        assert (s @ y).dtype is taeda.bfloat16
        for made in (taeda.sparse.mm(s, y), taeda.sparse.mm(s, y.bfloat16()), taeda.sparse.addmm(z, s, y), taeda.addmm(z, s, y)):
            assert made.dtype is taeda.bfloat16
            y.grad = s.grad = None
            made.sum().backward()
            assert y.grad.dtype is taeda.float32 and y.grad[:, 0].allclose(x.sum(0), atol=0.1) and s.grad.dtype is taeda.float32
        square = taeda.eye(3).to_sparse()
        assert taeda.sparse.mm(square, square).dtype is taeda.float32


def test_products_of_older_names() -> None:
    s, dense = example(), taeda.arange(6.0).reshape(3, 2)
    wanted = (s.to_dense() @ dense).tolist()
    assert taeda.spmm(s, dense).tolist() == taeda.dsmm(s, dense).tolist() == wanted
    assert taeda.smm(s, dense).to_dense().tolist() == taeda.hspmm(s, dense).to_dense().tolist() == wanted
    total = taeda.sspaddmm(taeda.ones(2, 2).to_sparse(), s, dense, beta=2, alpha=3)
    assert total.is_sparse and total.to_dense().tolist() == [[2 + 3 * x for x in row] for row in wanted]
    for name in ("smm", "hspmm"):
        with pytest.raises(RuntimeError, match=rf"\[{name}\] {name} expected sparse coordinate tensor layout but got Strided"):
            getattr(taeda, name)(dense, dense)


def test_factors_may_stand_between_the_tensors() -> None:
    s, dense = taeda.eye(2).to_sparse(), taeda.ones(2, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                 # that it is deprecated, said once in a process
        assert taeda.add(s, 2, s).to_dense().tolist() == s.clone().add_(2, s).to_dense().tolist() == [[3, 0], [0, 3]]
        assert taeda.add(dense, 2, s).tolist() == [[3, 1], [1, 3]]
        assert taeda.addmm(2, dense, 3, s, dense).tolist() == [[5, 5], [5, 5]]
        assert taeda.sspaddmm(2, s, 3, s, dense).to_dense().tolist() == [[5, 3], [3, 5]]
    with pytest.raises(TypeError):
        taeda.addmm(2, dense, 3, 4, s, dense)


def test_results_go_where_a_program_wants_them() -> None:
    s = taeda.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    sparse, dense = taeda.sparse_coo_tensor(size=(2, 3)), taeda.empty(2, 2)
    assert taeda.sub(s, 2 * s, out=sparse) is sparse and sparse.to_dense().tolist() == [[0, 0, -3], [-4, 0, -5]]
    with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
        taeda.atleast_2d(s, s, out=taeda.empty(3))
    assert taeda.abs(sparse, out=sparse).to_dense().tolist() == [[0, 0, 3], [4, 0, 5]]
    assert taeda.mm(s, taeda.ones(3, 2), out=dense) is dense and dense.tolist() == [[3, 3], [9, 9]]
    for call, error in (
        (lambda: taeda.add(dense, dense, out=sparse), NotImplementedError),
        (lambda: taeda.mm(s, taeda.ones(3, 2), out=sparse), RuntimeError),
        (lambda: taeda.neg(s, out=dense), RuntimeError),
        (lambda: dense.set_(s), RuntimeError),
    ):
        with pytest.raises(error, match=r"^\[(add|mm|neg|set_)\]"):
            call()
    assert dense.tolist() == [[3, 3], [9, 9]] and sparse.to_dense().tolist() == [[0, 0, 3], [4, 0, 5]]
    with pytest.raises(TypeError, match="or a size"):
        taeda.sparse_coo_tensor()


def test_a_dense_tensor_takes_a_product_in_place() -> None:
    s = taeda.tensor([[0.0, 2, 0], [3, 0, 4]]).to_sparse()
    x = taeda.full((2, 3), 5.0, requires_grad=True)
    y = (x * 1).mul_(s)
    y.sum().backward()
    assert y.tolist() == [[0, 10, 0], [15, 0, 20]] and x.grad.tolist() == s.to_dense().tolist()
    for dense, sparse in ((taeda.ones(2, 3, dtype=taeda.int64), s), (taeda.ones(2, 3), s.to_sparse_csr())):
        with pytest.raises(RuntimeError, match=r"^\[mul_\]"):
            dense.mul_(sparse)


def test_products_with_one_number_and_over_dense_dimensions() -> None:
    s = taeda.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    two = taeda.tensor(2.0).to_sparse()
    for t in (s, s.coalesce().to_sparse_csr()):
        assert (t * two).layout is t.layout and taeda.equal((t * two).to_dense(), 2 * s.to_dense()) and taeda.equal((two * t).to_dense(), 2 * s.to_dense())
    x, y = taeda.arange(24.0).reshape(2, 3, 4), taeda.arange(6.0).reshape(2, 3, 1) - 2
    for a, b in ((x.to_sparse(2), y.to_sparse(2)), (y.to_sparse(2), x.to_sparse(2)), (taeda.ones(2, 3, 4).to_sparse(2), taeda.ones(2, 3, 1).to_sparse(2))):
        assert taeda.equal((a * b).to_dense(), a.to_dense() * b.to_dense()) and (a * b).shape == (2, 3, 4)
    with pytest.raises(RuntimeError, match="the same shape in their sparse dimensions"):
        s * taeda.ones(1, 3).to_sparse()


@pytest.mark.parametrize("layout", [taeda.sparse_coo, taeda.sparse_csr, taeda.sparse_csc])
def test_a_product_with_a_vector_is_added(layout: Any) -> None:
    m, v, x = taeda.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]]), taeda.tensor([1.0, 2.0, 3.0]), taeda.tensor([0.5, 1.5])
    s = m.to_sparse(layout=layout)
    for options in ({}, {"beta": 2, "alpha": 3}, {"beta": 0}):
        assert taeda.equal(taeda.addmv(x, s, v, **options), taeda.addmv(x, m, v, **options))
        assert taeda.equal(x.addmv(s, v, out=taeda.empty(2), **options), taeda.addmv(x, m, v, **options))
    y, z = x.clone(), taeda.ones(2, 2)
    assert y.addmv_(s, v, alpha=2) is y and taeda.equal(y, taeda.addmv(x, m, v, alpha=2))
    assert z.addmm_(s, taeda.ones(3, 2), beta=2) is z and taeda.equal(z, 2 + m @ taeda.ones(3, 2))
    with pytest.raises(RuntimeError, match="cannot hold the result"):
        taeda.ones(1).addmv_(s, v)
    leaf = s.requires_grad_()
    taeda.addmv(x, leaf, v, alpha=2).sum().backward()
    assert taeda.equal(leaf.grad.to_dense()[m != 0], (2 * v).expand(2, 3)[m != 0])
    with pytest.raises(RuntimeError, match="cannot be expanded to the 2 rows"):
        taeda.addmv(v, s, v)


@pytest.mark.parametrize("form", ["to_sparse", "to_sparse_csr", "to_sparse_csc"])
def test_a_leaf_on_either_side_of_a_product_has_the_dense_gradient(form) -> None:
    d, x = taeda.tensor([[1.0, 0, 2], [0, 3, 0]]), taeda.tensor([[1.0, 2], [3, 4], [5, 6]])
    for call in (lambda s, x: s @ x, lambda s, x: x @ s, lambda s, x: taeda.addmm(taeda.ones(3, 3), x, s)):
        s, y, w, z = getattr(d, form)().requires_grad_(), x.clone().requires_grad_(), d.clone().requires_grad_(), x.clone().requires_grad_()
        (call(s, y) ** 2).sum().backward()
        (call(w, z) ** 2).sum().backward()
        assert s.grad.layout is taeda.strided and s.grad.tolist() == w.grad.tolist() and y.grad.tolist() == z.grad.tolist()


def test_compressed_matrices_keep_their_dtype_of_indices_and_have_batches_without_entries() -> None:
    at = [taeda.tensor(x, dtype=taeda.int32) for x in ([0, 1, 2], [0, 1])]
    s = taeda.sparse_csr_tensor(*at, taeda.tensor([1.0, 2.0]), (2, 2))
    for made in (s.to_sparse_csc(), s.to_sparse_bsr((1, 2))):
        parts = (made.ccol_indices(), made.row_indices()) if made.layout is taeda.sparse_csc else (made.crow_indices(), made.col_indices())
        assert [part.dtype for part in parts] == [taeda.int32] * 2 and made.to_dense().tolist() == [[1, 0], [0, 2]]
    for layout, lines in ((taeda.sparse_csr, 4), (taeda.sparse_csc, 5)):
        s = taeda.zeros(2, 3, 4, layout=layout)
        starts = s.crow_indices() if layout is taeda.sparse_csr else s.ccol_indices()
        assert starts.shape == (2, lines) and s.values().shape == (2, 0) and s.to_dense().shape == (2, 3, 4)


def test_a_copy_of_a_row_and_the_absolute_value_in_place() -> None:
    s = taeda.tensor([[1j, 0], [0, -2.0]]).to_sparse_csr()
    assert taeda.select_copy(s, 0, 1).to_dense().tolist() == [0, -2] and s.abs().to_dense().tolist() == [[1, 0], [0, 2]]
    with pytest.raises(RuntimeError, match="In-place abs is not supported for complex"):
        s.abs_()


def test_one_pattern_serves_a_batch_of_products() -> None:
    taeda.manual_seed(0)
    pattern = taeda.tensor([[1.0, 0, 2], [0, 3, 0]])
    a, b = taeda.randn(2, 4, 2, 5, dtype=taeda.float64, requires_grad=True), taeda.randn(2, 4, 5, 3, dtype=taeda.float64)
    s = pattern.double().to_sparse_csr()
    found = taeda.sparse.sampled_addmm(s, a, b, beta=0.5, alpha=2.0)
    assert found.shape == (2, 4, 2, 3) and found.crow_indices().tolist() == [[[0, 2, 3]] * 4] * 2 and found.values().shape == (2, 4, 3)
    want = 0.5 * pattern + 2.0 * (a @ b) * (pattern != 0)
    assert taeda.allclose(found.to_dense(), want)
    found.values().sum().backward()
    (g,) = taeda.autograd.grad((2.0 * (a @ b) * (pattern != 0)).sum(), a)
    assert taeda.allclose(a.grad, g)


@pytest.mark.parametrize(("s", "a", "b"), [((), (2,), ()), ((), (2,), (3,)), ((2,), (), ()), ((2,), (3,), (3,)), ((2,), (2, 2), (2, 2))])
def test_batches_of_sampled_products_must_agree(s, a, b) -> None:
    pattern = taeda.eye(3).expand(*s, 3, 3).clone().to_sparse_csr()
    with pytest.raises(RuntimeError, match=r"Expected self, mat1 and mat2 to have the same batch size, but got \["):
        taeda.sparse.sampled_addmm(pattern, taeda.ones(*a, 3, 4), taeda.ones(*b, 4, 3))

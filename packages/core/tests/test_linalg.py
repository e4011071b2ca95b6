"""Linear algebra beyond the rows: named results, out=, what is read, inputs that have no answer, what is not differentiable."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import linalg

NAN, INF = math.nan, math.inf


def well(n: int = 3, *batch: int, seed: int = 0, dtype: str = "float64") -> taeda.Tensor:
    rng = np.random.default_rng(seed)
    return taeda.from_numpy((rng.uniform(-0.4, 0.4, (*batch, n, n)) + np.diag(np.arange(1.0, n + 1))).astype(dtype))


def close(a: taeda.Tensor, b: taeda.Tensor, tolerance: float = 1e-10) -> bool:
    return a.shape == b.shape and bool((a - b).abs().max() < tolerance)


def test_results_are_named_as_pytorch_names_them():
    x = well()
    assert linalg.svd(x).__match_args__ == ("U", "S", "Vh")
    assert linalg.lstsq(x, x).__match_args__ == ("solution", "residuals", "rank", "singular_values")
    assert type(linalg.lu_factor_ex(x)).__name__ == "linalg_lu_factor_ex"
    assert type(taeda.slogdet(x)).__name__ == "slogdet"
    assert linalg.inv_ex(x).info.dtype == taeda.int32


def test_linalg_error_is_a_runtime_error():
    assert issubclass(linalg.LinAlgError, RuntimeError)
    with pytest.raises(linalg.LinAlgError, match=r"\[linalg.inv\] \(Batch element 2\): The diagonal element 1 is zero"):
        linalg.inv(taeda.stack([taeda.eye(2), taeda.eye(2), taeda.zeros(2, 2)]))


def test_out_takes_a_tuple_for_several_results():
    x = well()
    out = taeda.empty(0, dtype=taeda.float64), taeda.empty(0, dtype=taeda.float64)
    found = linalg.eigh(x @ x.mT, out=out)
    assert found[0] is out[0] and found[1] is out[1]
    assert close(out[1] @ out[0].diag() @ out[1].mT, x @ x.mT)
    with pytest.raises(TypeError, match="tuple of 2 Tensors"):
        linalg.qr(x, out=out[0])
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype"):
        linalg.inv(x, out=taeda.empty(3, 3, dtype=taeda.int64))


def test_only_one_triangle_is_read():
    x = well() @ well().mT
    spoiled = x.clone()
    spoiled[0, 2] = NAN
    assert close(linalg.cholesky(spoiled), linalg.cholesky(x))
    assert close(linalg.eigvalsh(spoiled), linalg.eigvalsh(x))
    assert close(linalg.eigvalsh(spoiled.mT, UPLO="U"), linalg.eigvalsh(x))
    assert close(linalg.cholesky(spoiled.mT, upper=True), linalg.cholesky(x).mT)
    assert close(linalg.solve_triangular(spoiled, x, upper=False), linalg.solve_triangular(x.tril(), x, upper=False))
    assert close(taeda.cholesky_solve(x, linalg.cholesky(x) + taeda.ones(3, 3).triu(1)), taeda.eye(3, dtype=taeda.float64))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_factors_multiply_to_the_matrix(dtype):
    x = well(4, 2).to(getattr(taeda, dtype))
    if x.is_complex():
        x = x + 1j * well(4, 2, seed=1).to(x.dtype) * 0.3
    tolerance = 1e-4 if dtype in ("float32", "complex64") else 1e-11
    positive = x @ x.mH
    P, L, U = linalg.lu(x[..., :3])
    assert close(P @ L @ U, x[..., :3], tolerance)
    Q, R = linalg.qr(x, mode="complete")
    assert close(Q @ R, x, tolerance)
    U, S, Vh = linalg.svd(x[..., :3, :])
    assert close(U @ (S.diag_embed().to(x.dtype) @ Vh[..., :3, :]), x[..., :3, :], tolerance)
    L, V = linalg.eigh(positive)
    assert close(V @ L.diag_embed().to(x.dtype) @ V.mH, positive, tolerance)
    L, V = linalg.eig(x)
    assert close(x.to(V.dtype) @ V, V @ L.diag_embed(), tolerance)
    L = linalg.cholesky(positive)
    assert close(L @ L.mH, positive, tolerance)
    for hermitian in (False, True):
        symmetric = positive if hermitian else x + x.mT
        LD, pivots = linalg.ldl_factor(symmetric, hermitian=hermitian)
        assert close(symmetric @ linalg.ldl_solve(LD, pivots, x, hermitian=hermitian), x, tolerance * 10)
    a, tau = taeda.geqrf(x)
    assert close(taeda.ormqr(a, tau, a.triu()), x, tolerance)
    assert close(taeda.ormqr(a, tau, x, transpose=True), a.triu(), tolerance)
    assert close(x @ linalg.lstsq(x, positive, driver="gelss").solution, positive, tolerance * 10)


def test_gelsy_sets_its_pivots_and_drops_small_columns():
    a, b = taeda.diag(taeda.tensor([3.0, 2.0, 0.1])), taeda.tensor([[3.0], [4.0], [1.0]])
    for _ in range(20):
        dirty = taeda.full((3,), 1, dtype=taeda.int32)
        del dirty                                       # its memory may come again as pivots
        found = linalg.lstsq(a, b, rcond=0.5)
        assert found.rank == 2
        assert found.solution.flatten().tolist() == pytest.approx([1.0, 2.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("value", [NAN, INF])
def test_inputs_that_are_not_finite_neither_hang_nor_crash(value):
    x = taeda.eye(3, dtype=taeda.float64)
    x[1, 0] = x[0, 1] = value
    for f in (linalg.eigh, linalg.svd, linalg.eigvalsh, linalg.svdvals):
        if value != value:
            with pytest.raises(linalg.LinAlgError, match="non-finite"):
                f(x)
        else:
            found = f(x)
            values = found if hasattr(found, "shape") else found[0] if f is linalg.eigh else found[1]
            assert values.isnan().all() and (f is not linalg.svd or found.U.isnan().all() and found.Vh.isnan().all())
    for f in (linalg.eig, linalg.eigvals):
        with pytest.raises(RuntimeError, match="infs or NaNs"):
            f(x)
    for driver in ("gels", "gelsy", "gelsd", "gelss"):
        with pytest.raises(linalg.LinAlgError, match="non-finite"):
            linalg.lstsq(x, x, driver=driver)
    assert linalg.inv_ex(x).inverse.shape == (3, 3)
    assert linalg.lu_factor_ex(x).pivots.min() >= 1
    assert linalg.qr(x).R.shape == (3, 3)
    assert linalg.matrix_exp(x).isnan().any()


def test_what_is_not_differentiable_says_so():
    x = well(4)[:, :3].requires_grad_()
    with pytest.raises(RuntimeError, match="not computed when mode='r'"):
        linalg.qr(x, mode="r").R.sum().backward()
    with pytest.raises(RuntimeError, match="nrows > ncols"):
        linalg.qr(x, mode="complete").R.sum().backward()
    with pytest.raises(NotImplementedError, match="the derivative for 'geqrf' is not implemented"):
        taeda.geqrf(x).a.sum().backward()
    with pytest.raises(NotImplementedError, match="the derivative for 'linalg_ldl_factor_ex' is not implemented"):
        linalg.ldl_factor(x[:3]).LD.sum().backward()


def test_products_with_reflectors_lie_in_columns_from_either_side() -> None:
    a, tau = taeda.geqrf(taeda.arange(6.0).reshape(3, 2).cos())
    c = taeda.arange(12.0).reshape(4, 3)
    y = taeda.ormqr(a, tau, c, left=False)
    assert y.stride() == (1, 4) and taeda.allclose(y, taeda.ormqr(a, tau, c.T, transpose=True).T)


def test_the_inverse_of_an_empty_tensor_of_two_sides() -> None:
    assert linalg.tensorinv(taeda.ones(0, 2, 0), ind=2).shape == (0, 0, 2)
    assert linalg.tensorinv(taeda.ones(2, 0, 0, 2)).shape == (0, 2, 2, 0)


def test_gradient_of_det_at_a_singular_matrix_is_the_adjugate():
    x = taeda.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=taeda.float64, requires_grad=True)
    linalg.det(x).backward()
    assert close(x.grad, taeda.tensor([[4.0, -2.0], [-2.0, 1.0]], dtype=taeda.float64))


def test_pinv_and_rank_take_tolerances():
    x = taeda.diag(taeda.tensor([4.0, 1.0, 0.01], dtype=taeda.float64))
    assert int(linalg.matrix_rank(x)) == 3
    assert int(linalg.matrix_rank(x, rtol=0.1)) == 2
    assert int(linalg.matrix_rank(x, atol=2.0)) == 1
    assert int(linalg.matrix_rank(x, 2.0)) == 1
    assert linalg.matrix_rank(x.expand(2, 3, 3), atol=taeda.tensor([0.5, 2.0])).tolist() == [2, 1]
    assert close(linalg.pinv(x, rtol=0.1).diagonal(), taeda.tensor([0.25, 1.0, 0.0], dtype=taeda.float64))
    assert close(linalg.pinv(-x, atol=2.0, hermitian=True).diagonal(), taeda.tensor([-0.25, 0.0, 0.0], dtype=taeda.float64))
    with pytest.raises(RuntimeError, match="complex type is not supported"):
        linalg.matrix_rank(x, atol=taeda.tensor(1j))


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
def test_matrix_exp_of_small_norm_takes_a_lower_degree_and_loses_nothing(dtype):
    a = taeda.tensor([[0.0, 0.6, -0.2], [0.1, -0.3, 0.4], [0.5, 0.0, 0.1]], dtype=taeda.float64)
    for norm in (1e-3, 0.012, 0.2, 0.4, 0.9, 1.7, 2.0, 3.9, 5.0, 11.0):
        x = (a * (norm / a.abs().sum(0).max())).to(dtype)
        term = exact = taeda.eye(3, dtype=taeda.float64)
        for k in range(1, 70):                                       # Taylor's series, in double
            term = term @ x.double() / k
            exact = exact + term
        error = (linalg.matrix_exp(x).double() - exact).abs().max() / exact.abs().max()
        assert error < 16 * taeda.finfo(dtype).eps, norm
        both = linalg.matrix_exp(taeda.stack([x, 20 * x]))[0].double()           # beside another matrix
        assert (both - exact).abs().max() / exact.abs().max() < 16 * taeda.finfo(dtype).eps


def test_matrix_exp_of_large_and_mixed_batches():
    x = taeda.stack([taeda.zeros(2, 2), taeda.eye(2) * 20, taeda.eye(2) * -30]).double()
    found = linalg.matrix_exp(x)
    wanted = taeda.tensor([1.0, math.exp(20), math.exp(-30)], dtype=taeda.float64)
    assert ((found[:, 0, 0] - wanted).abs() / wanted).max() < 1e-12
    turn = linalg.matrix_exp(taeda.tensor([[0.0, -math.pi], [math.pi, 0.0]], dtype=taeda.float64))
    assert close(turn, -taeda.eye(2, dtype=taeda.float64), 1e-13)
    half = linalg.matrix_exp(taeda.zeros(2, 2, dtype=taeda.float16))
    assert half.dtype == taeda.float16 and half.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_svd_lowrank_finds_a_matrix_of_low_rank():
    taeda.manual_seed(0)
    x = taeda.randn(20, 3, dtype=taeda.float64) @ taeda.randn(3, 12, dtype=taeda.float64)
    for a in (x, x.mT):
        U, S, V = taeda.svd_lowrank(a, 5)
        assert close(U @ S.diag() @ V.mT, a)
    U, S, V = taeda.pca_lowrank(x, 3)
    assert close(U @ S.diag() @ V.mT, x - x.mean(0))


def test_threads_change_no_result():
    x = well(40, 20)
    assert_same_for_any_threads(lambda: (linalg.inv(x), linalg.svdvals(x), linalg.cholesky(x @ x.mT)))


def test_half_precision_and_integers_are_refused():
    for f, error in ((linalg.inv, RuntimeError), (linalg.svd, NotImplementedError), (linalg.cholesky, NotImplementedError),
                     (linalg.lu_factor, NotImplementedError), (linalg.det, NotImplementedError)):
        with pytest.raises(error, match="float16|Half"):
            f(taeda.eye(2, dtype=taeda.float16))
        with pytest.raises((RuntimeError, NotImplementedError), match="Long|int64"):
            f(taeda.eye(2, dtype=taeda.int64))


def test_former_names_warn_once():
    x = well() @ well().mT
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(3):
            taeda.qr(x)
            taeda.lu(x)
    assert len(seen) <= 2 and all("is deprecated in favor of taeda.linalg" in str(w.message) for w in seen)


def test_removed_names_say_what_to_use():
    x = well()
    for call in (lambda: taeda.solve(x, x), lambda: x.eig(), lambda: taeda.symeig(x), lambda: x.lstsq(x), lambda: taeda.matrix_rank(x)):
        with pytest.raises(RuntimeError, match="is now removed; use taeda.linalg"):
            call()
    assert not hasattr(x, "matrix_rank")


def test_meta_tensors_give_shapes():
    x = taeda.empty(2, 4, 3, device="meta")
    U, S, Vh = linalg.svd(x)
    assert (U.shape, S.shape, Vh.shape) == ((2, 4, 4), (2, 3), (2, 3, 3))
    assert linalg.eig(x[:, :3]).eigenvalues.dtype == taeda.complex64
    assert linalg.inv(x[:, :3]).device.type == "meta"
    with pytest.raises(NotImplementedError, match="depends on the rank"):
        linalg.lstsq(x, x, driver="gelsd")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_few_right_hand_sides_have_the_solutions_of_many(dtype):
    numbers, n = getattr(taeda, dtype), 70
    tolerance = 1e-4 if dtype in ("float32", "complex64") else 1e-10
    x = taeda.randn(n, n, dtype=numbers, generator=taeda.Generator().manual_seed(3))
    A, B = x @ x.mH + n * taeda.eye(n, dtype=numbers), x[:, :9].clone()
    for upper in (False, True):
        factor = linalg.cholesky(A, upper=upper)
        for triangle in (factor, factor.contiguous(), factor.mT.contiguous().mT):
            for k in (1, 2, 3, 4, 9):
                b = B[:, :k]
                assert close(triangle @ linalg.solve_triangular(triangle, b, upper=upper), b, tolerance)
                assert close(linalg.solve_triangular(triangle, b.mH, upper=upper, left=False) @ triangle, b.mH.resolve_conj(), tolerance)
                assert close(triangle.mH @ linalg.solve_triangular(triangle.mH, b, upper=not upper), b, tolerance)
                assert close(A @ taeda.cholesky_solve(b, triangle, upper=upper), b, tolerance)
        Y = taeda.cholesky_inverse(factor, upper=upper)
        assert close(A @ Y, taeda.eye(n, dtype=numbers), tolerance) and bool((Y == Y.mH).all())


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.complex128, taeda.int64, taeda.int16, taeda.float16])
def test_cross_products_of_many_vectors_in_any_layout(dtype):
    taeda.manual_seed(0)
    a, b = (taeda.randint(-9, 9, (70, 3, 410)).to(dtype) for _ in range(2))
    wide = [x.to(taeda.complex128 if dtype.is_complex else taeda.float64).numpy() for x in (a, b)]
    want = np.cross(*wide, axis=1)
    for f in (lambda x: x, lambda x: x.mT.contiguous().mT, lambda x: x.permute(2, 1, 0).contiguous().permute(2, 1, 0), lambda x: x.flip(2)):
        y = linalg.cross(f(a), f(b), dim=1)
        assert y.is_contiguous() and np.array_equal(f(y).to(taeda.complex128 if dtype.is_complex else taeda.float64).numpy(), want)
    assert not linalg.cross(a / 7 if dtype.is_floating_point else a, a / 7 if dtype.is_floating_point else a, dim=1).any()


def test_cross_products_of_samples_and_tangents():
    a, b = taeda.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), taeda.tensor([2.0, 0.0, 1.0])
    assert taeda.func.vmap(lambda x: linalg.cross(x, b))(a).tolist() == [[2.0, 5.0, -4.0], [5.0, 8.0, -10.0]]
    assert taeda.equal(taeda.func.vmap(taeda.func.vmap(linalg.cross))(a[None], a.flip(0)[None]), linalg.cross(a, a.flip(0))[None])
    assert taeda.func.vmap(linalg.vecdot)(a, a).tolist() == [14.0, 77.0]
    _, tangent = taeda.func.jvp(lambda x: linalg.cross(x, a), (b[None],), (b[None],))
    assert taeda.equal(tangent, linalg.cross(b[None], a))
    _, tangent = taeda.func.jvp(lambda x: linalg.cross(x, b), (a[0],), (a[1],))
    assert tangent.tolist() == [5.0, 8.0, -10.0]
    assert taeda.func.jacrev(lambda x: linalg.cross(x, b))(a[0]).tolist() == [[0.0, 1.0, 0.0], [-1.0, 0.0, 2.0], [0.0, -2.0, 0.0]]


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
def test_least_squares_go_to_out(driver: str) -> None:
    a, b = taeda.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), taeda.tensor([[1.0], [3.0], [4.0]])
    wanted = linalg.lstsq(a, b, driver=driver)
    out = tuple(taeda.empty(0, dtype=y.dtype) for y in wanted)
    found = linalg.lstsq(a, b, driver=driver, out=out)
    assert all(y is o and taeda.equal(o, w) for y, o, w in zip(found, out, wanted, strict=True)) and found.solution is out[0]
    with pytest.raises(RuntimeError, match="cast"):
        linalg.lstsq(a, b, driver=driver, out=(taeda.empty(2, 1, dtype=taeda.int64), *out[1:]))


@pytest.mark.parametrize("complex_", [False, True])
def test_gradients_of_hermitian_matrices_are_hermitian_to_second_order(complex_: bool) -> None:
    a = taeda.tensor([[4.0, 1, 0.5], [1, 3, -1], [0.5, -1, 1]], dtype=taeda.float64)
    if complex_:
        a = a + 1j * taeda.tensor([[0, 0.3, 0.1], [-0.3, 0, 0.2], [-0.1, -0.2, 0]], dtype=taeda.float64)
    a.requires_grad_()
    w = taeda.tensor([[1.0, 2, -1], [0, 1, 3], [2, 0, 1]], dtype=taeda.float64)     # of no symmetry
    (g,) = taeda.autograd.grad((linalg.eigvalsh(a) ** 3)[0], a, create_graph=True)
    (second,) = taeda.autograd.grad((g * w).real.sum() if complex_ else (g * w).sum(), a)
    assert taeda.allclose(g, g.mH) and taeda.allclose(second, second.mH)
    step = 1e-5 * (w + w.mT)

    def derivative(at: taeda.Tensor) -> float:
        at = at.detach().requires_grad_()
        (g,) = taeda.autograd.grad((linalg.eigvalsh(at) ** 3)[0], at)
        return float(((g * w).real if complex_ else g * w).sum())

    assert (derivative(a + step) - derivative(a - step)) / 2 == pytest.approx(float((second * step).real.sum() if complex_ else (second * step).sum()), rel=1e-6)


def test_lobpcg_takes_both_triangles() -> None:
    x = taeda.tensor([[4.0, 1, 0.5], [1, 3, -1], [0.5, -1, 1]], dtype=taeda.float64, requires_grad=True)
    assert taeda.autograd.gradcheck(lambda a: taeda.lobpcg(a, 1)[0], x)
    (taeda.lobpcg(x, 1)[1] ** 3).sum().backward()
    assert taeda.allclose(x.grad, x.grad.mT)


@pytest.mark.parametrize("pivots", [[1, 2, -1], [-1, 2, -3], [0, 1, 2], [1, 2, 4], [-4, -4, 1]])
def test_ldl_pivots_that_lead_outside_are_refused(pivots: list[int]) -> None:
    batch = taeda.tensor([pivots, [1, 2, 3]], dtype=taeda.int32)
    with pytest.raises(RuntimeError, match=r"pivots must be between 1 and 3, or two by two their negatives"):
        linalg.ldl_solve(taeda.eye(3).expand(2, 3, 3), batch, taeda.ones(2, 3, 1))


@pytest.mark.parametrize("shape", [(4000, 40), (40, 4000)])
def test_singular_vectors_of_long_matrices_are_no_views(shape: tuple[int, int]) -> None:
    a = taeda.rand(shape, dtype=taeda.float64, requires_grad=True)
    U, _, Vh = taeda.linalg.svd(a, full_matrices=False)
    for vectors in (U, Vh):
        assert not vectors._is_view()
    vectors.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        vectors.sum().backward()

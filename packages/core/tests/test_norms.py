"""What rows cannot say of norms and what is made of them: derivatives at the ends of the range."""

from __future__ import annotations

import numpy as np
import pytest

import taeda


@pytest.mark.parametrize("p", [0.5, 1.5, 3, 4, 7])
@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1.0, 1e20, 1e30])
def test_gradients_of_norms_do_not_depend_on_the_scale(p: float, scale: float) -> None:
    x = np.random.default_rng(0).standard_normal((3, 20)).astype("float32") * np.float32(scale)
    leaf = taeda.tensor(x, requires_grad=True)
    found = taeda.autograd.grad(taeda.linalg.vector_norm(leaf, p, 1), leaf, taeda.ones(3))[0].numpy()
    wide = x.astype(np.longdouble)
    norm = (abs(wide) ** p).sum(1, keepdims=True) ** (1 / np.longdouble(p))
    if np.isfinite(norm.astype("float32")).all():
        np.testing.assert_allclose(found, (np.sign(wide) * (abs(wide) / norm) ** (p - 1)).astype("float32"), rtol=1e-5)


def test_norms_below_the_limit_of_cosine_similarity_keep_their_derivatives() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((4, 6)) * 1e-10 for _ in range(2))
    leaf = taeda.tensor(a, requires_grad=True)
    y = taeda.cosine_similarity(leaf, taeda.tensor(b), 1)
    np.testing.assert_allclose(y.detach().numpy(), (a * b).sum(1) / 1e-16)
    # x1 / n, where n is the limit, and dn / dx1 that of the norm
    wanted = b / 1e-16 - (a * b).sum(1, keepdims=True) / (1e-8**3) * a / np.linalg.norm(a, axis=1, keepdims=True)
    np.testing.assert_allclose(taeda.autograd.grad(y, leaf, taeda.ones_like(y))[0].numpy(), wanted)
    zero = taeda.zeros(2, 3, requires_grad=True)
    assert taeda.autograd.grad(taeda.cosine_similarity(zero, zero + 1, 1).sum(), zero)[0].isfinite().all()


def test_a_zero_in_a_row_leaves_the_second_derivatives_of_the_others():
    x = taeda.tensor([3.0, 0.0, 4.0], dtype=taeda.float64, requires_grad=True)
    (g,) = taeda.autograd.grad(taeda.linalg.vector_norm(x, 1.5), x, create_graph=True)
    (h,) = taeda.autograd.grad(g.sum(), x)
    y = taeda.tensor([3.0, 4.0], dtype=taeda.float64, requires_grad=True)
    (gy,) = taeda.autograd.grad(taeda.linalg.vector_norm(y, 1.5), y, create_graph=True)
    (hy,) = taeda.autograd.grad(gy.sum(), y)
    assert taeda.allclose(g[::2], gy) and taeda.allclose(h[::2], hy) and not h[::2].isnan().any()


@pytest.mark.parametrize(("dtype", "x"), [(taeda.float32, 1e-40), (taeda.float32, 1e-45), (taeda.float64, 5e-324), (taeda.bfloat16, 1e-40)])
def test_the_gradient_of_a_norm_whose_inverse_is_infinite_is_0(dtype: taeda.dtype, x: float) -> None:
    leaf = taeda.tensor([[x, -x], [3.0, 4.0]], dtype=dtype, requires_grad=True)
    leaf.norm(dim=1).sum().backward()
    assert leaf.grad[0].tolist() == [0.0, 0.0]
    assert taeda.allclose(leaf.grad[1], taeda.tensor([0.6, 0.8], dtype=dtype))


@pytest.mark.parametrize("f", [lambda x: x.norm(dim=1), lambda x: x / x.norm(dim=1, keepdim=True), lambda x: taeda.dist(x, x * 0)])
def test_gradients_of_float16_norms_stay_within_its_range(f) -> None:
    x = taeda.tensor([[1e-4, -2e-4, 3e-4, 5e-5]], dtype=taeda.float16, requires_grad=True)
    wide = x.detach().double().requires_grad_()
    found, expected = taeda.autograd.grad(f(x)[0].sum() if f(x).ndim else f(x), x)[0], None
    expected = taeda.autograd.grad(f(wide)[0].sum() if f(wide).ndim else f(wide), wide)[0]
    assert taeda.allclose(found.double(), expected, rtol=5e-3, atol=2e-3 * expected.abs().max().item())


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_rows_of_halves_are_brought_to_a_length_by_norms_in_float32(dtype: taeda.dtype) -> None:
    x = (taeda.randn(40, 9, generator=taeda.Generator().manual_seed(0)) * 3e4).clamp(-6e4, 6e4).to(dtype)
    norm = x.float().norm(dim=1, keepdim=True)
    assert taeda.equal(taeda.renorm(x, 2, 0, 7.0), x * (7.0 / (norm + 1e-7)).to(dtype))
    assert taeda.renorm(x.clone().requires_grad_(), 2, 0, 7.0).abs().max() > 1


@pytest.mark.parametrize(("dtype", "p"), [(taeda.float16, 0.5), (taeda.bfloat16, 0.5), (taeda.float16, 3)])
def test_gradients_of_norms_of_halves_know_small_parts_of_a_norm(dtype: taeda.dtype, p: float) -> None:
    x = taeda.randn(20, 70, generator=taeda.Generator().manual_seed(0)).to(dtype).requires_grad_()
    wide = x.detach().double().requires_grad_()
    found, expected = (taeda.autograd.grad(taeda.linalg.vector_norm(t, p, 1).sum(), t)[0].double() for t in (x, wide))
    assert (found - expected).abs().max() < 0.01 * expected.abs().max()

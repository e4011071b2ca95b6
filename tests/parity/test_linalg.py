"""Linear algebra of complex matrices beside PyTorch: values, first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import taeda


def matrices(*shape: int, seed: int = 0) -> np.ndarray:
    """Complex matrices with singular values that are apart."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.4, 0.4, shape) + 1j * rng.uniform(-0.4, 0.4, shape)
    for i in range(min(shape[-2:])):
        x[..., i, i] += 1.5 * (i + 1)
    return x


def hermitian(x: Any) -> Any:
    return (x + x.mH) / 2


def positive(x: Any) -> Any:
    return x @ x.mH + x.abs().sum() * 0.01 * type_of(x).eye(x.shape[-1], dtype=x.dtype)


def type_of(x: Any) -> Any:
    return taeda if isinstance(x, taeda.Tensor) else torch


A, TALL, WIDE, B = matrices(2, 3, 3), matrices(2, 4, 3, seed=1), matrices(2, 3, 4, seed=2), matrices(2, 3, 2, seed=3)
REFLECTORS, TAU = torch.geqrf(torch.from_numpy(TALL))
H, T = REFLECTORS.numpy(), TAU.numpy()

# name: function of the library and its inputs, whose outputs do not depend on phases or order; inputs
CASES: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "inv": (lambda m, x: m.linalg.inv(x), (A,)),
    "det": (lambda m, x: m.linalg.det(x), (A,)),
    "slogdet": (lambda m, x: m.linalg.slogdet(x), (A,)),
    "logdet": (lambda m, x: m.logdet(x), (A,)),
    "solve": (lambda m, x, y: m.linalg.solve(x, y), (A, B)),
    "solve right": (lambda m, x, y: m.linalg.solve(x, y.mT, left=False), (A, B)),
    "solve vector": (lambda m, x, y: m.linalg.solve(x, y), (A, B[..., 0])),
    "solve_triangular": (lambda m, x, y: m.linalg.solve_triangular(x, y, upper=True), (A, B)),
    "solve_triangular right": (lambda m, x, y: m.linalg.solve_triangular(x, y.mT, upper=False, left=False, unitriangular=True), (A, B)),
    "solve_triangular adjoint": (lambda m, x, y: m.linalg.solve_triangular(x.mH, y, upper=True), (A, B)),
    "cholesky": (lambda m, x: m.linalg.cholesky(positive(x)), (A,)),
    "cholesky upper": (lambda m, x: m.linalg.cholesky(positive(x), upper=True), (A,)),
    "cholesky_solve": (lambda m, x, y: m.cholesky_solve(y, m.linalg.cholesky(positive(x))), (A, B)),
    "cholesky_inverse": (lambda m, x: m.cholesky_inverse(m.linalg.cholesky(positive(x), upper=True), True), (A,)),
    "lu": (lambda m, x: m.linalg.lu(x)[1:], (A,)),
    "lu tall": (lambda m, x: m.linalg.lu(x)[1:], (TALL,)),
    "lu wide": (lambda m, x: m.linalg.lu(x)[1:], (WIDE,)),
    "lu_solve": (lambda m, x, y: m.linalg.lu_solve(*m.linalg.lu_factor(x), y), (A, B)),
    "lu_solve adjoint": (lambda m, x, y: m.linalg.lu_solve(*m.linalg.lu_factor(x), y, adjoint=True), (A, B)),
    "lu_solve right": (lambda m, x, y: m.linalg.lu_solve(*m.linalg.lu_factor(x), y.mT, left=False), (A, B)),
    "qr": (lambda m, x: m.linalg.qr(x), (TALL,)),
    "qr wide": (lambda m, x: m.linalg.qr(x), (WIDE,)),
    "householder_product": (lambda m, x, t: m.linalg.householder_product(x, t), (H, T)),
    "ormqr": (lambda m, x, t: m.ormqr(x, t, m.ones(2, 4, 2, dtype=x.dtype)), (H, T)),
    "ormqr adjoint": (lambda m, x, t: m.ormqr(x, t, m.ones(2, 2, 4, dtype=x.dtype), False, True), (H, T)),
    "eigh": (lambda m, x: eigh(m, hermitian(x)), (A,)),
    "eigvalsh": (lambda m, x: m.linalg.eigvalsh(hermitian(x), UPLO="U"), (A,)),
    "eig": (lambda m, x: eig(m, x), (A,)),
    "eig of real": (lambda m, x: eig(m, x), (A.real + np.triu(A.imag, 1) - np.tril(A.imag, -1),)),
    "eigvals": (lambda m, x: (m.linalg.eigvals(x) ** 3).sum(-1), (A,)),
    "eigvals of real": (lambda m, x: (m.linalg.eigvals(x) ** 3).sum(-1), (A.real,)),
    "svd": (lambda m, x: svd(m, x), (A,)),
    "svd tall": (lambda m, x: svd(m, x), (TALL,)),
    "svd wide": (lambda m, x: svd(m, x), (WIDE,)),
    "svdvals": (lambda m, x: m.linalg.svdvals(x), (TALL,)),
    "pinv": (lambda m, x: m.linalg.pinv(x), (TALL,)),
    "pinv wide": (lambda m, x: m.linalg.pinv(x), (WIDE,)),
    "lstsq": (lambda m, x, y: m.linalg.lstsq(x, y).solution, (WIDE, B)),
    "lstsq residuals": (lambda m, x, y: m.linalg.lstsq(x.mH, m.cat((y, y[..., :1, :]), -2), driver="gelsd")[:2], (WIDE, B)),
    "matrix_exp": (lambda m, x: m.linalg.matrix_exp(x), (A,)),
    "matrix_power": (lambda m, x: m.linalg.matrix_power(x, -3), (A,)),
    "cond": (lambda m, x: m.linalg.cond(x), (A,)),
    **{f"matrix_norm {p}": (lambda m, x, p=p: m.linalg.matrix_norm(x, p), (TALL,)) for p in ("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf)},
    "cross": (lambda m, x, y: m.linalg.cross(x, y), (A, A[:1, :, ::-1].copy())),
    "kron": (lambda m, x, y: m.kron(x, y), (A, B)),
    "vecdot": (lambda m, x, y: m.linalg.vecdot(x, y), (A, A[0] * 2)),
    "vander": (lambda m, x: m.linalg.vander(x, N=4), (A[0],)),
    "multi_dot": (lambda m, x, y: m.linalg.multi_dot([x[0], x[1], y[0]]), (A, B)),
    "tensorinv": (lambda m, x: m.linalg.tensorinv(x[0].reshape(3, 3, 1), ind=1), (A,)),
    "tensorsolve": (lambda m, x, y: m.linalg.tensorsolve(x[0], y[0, :, 0]), (A, B)),
}


def eigh(m: Any, x: Any) -> Any:
    L, V = m.linalg.eigh(x)
    return L, V * V.conj()


def eig(m: Any, x: Any) -> Any:
    L, V = m.linalg.eig(x)
    weight = (V * V.conj()) * m.arange(1, 4, dtype=m.float64).reshape(3, 1)
    return (L.unsqueeze(-2) * weight).sum(-1)


def svd(m: Any, x: Any) -> Any:
    U, S, Vh = m.linalg.svd(x, full_matrices=False)
    return U * U.conj(), S, Vh * Vh.conj(), U @ Vh


def run(m: Any, f: Callable[..., Any], arrays: tuple[np.ndarray, ...], order: int) -> list[np.ndarray]:
    """Outputs, or gradients of a weighted sum of them, or of a weighted sum of the gradients."""
    inputs = [m.from_numpy(a.copy()).requires_grad_(order > 0) for a in arrays]
    found = f(m, *inputs)
    outs = list(found) if isinstance(found, tuple) else [found]
    for level in range(order):
        total = 0
        for o in outs:
            if not o.requires_grad:
                continue
            weight = m.from_numpy(np.cos(np.arange(o.numel()) + level).reshape(tuple(o.shape)))
            parts = m.view_as_real(o.resolve_conj()) if o.is_complex() else o
            total = total + ((parts[..., 0] + 0.5 * parts[..., 1]) * weight if o.is_complex() else parts * weight).sum()
        outs = list(m.autograd.grad(total, inputs, create_graph=level + 1 < order, allow_unused=True))
        outs = [o for o in outs if o is not None]
    return [o.detach().resolve_conj().numpy() for o in outs]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("order", [0, 1, 2], ids=["values", "gradients", "second"])
@pytest.mark.parametrize("name", CASES)
def test_complex_matrices(name: str, order: int) -> None:
    f, arrays = CASES[name]
    mine, theirs = run(taeda, f, arrays, order), run(torch, f, arrays, order)
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("m", [taeda, torch], ids=["taeda", "torch"])
def test_a_loss_that_depends_on_the_phase_is_refused(m: Any) -> None:
    x = m.from_numpy(A[0].copy()).requires_grad_()
    for V in (m.linalg.eigh(hermitian(x))[1], m.linalg.eig(x)[1], m.linalg.svd(x)[0]):
        with pytest.raises(RuntimeError, match="ill-defined"):
            m.view_as_real(V)[..., 0].sum().backward()

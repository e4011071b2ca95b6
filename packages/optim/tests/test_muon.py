"""Muon: orthogonal updates, alone and in batches."""

import numpy as np
import pytest

import taeda
from taeda import optim
from taeda.optim.muon import COEFFICIENTS, orthogonalize


def test_muon_updates_have_singular_values_near_one():
    rng = np.random.default_rng(3)
    for shape in ((8, 20), (20, 8), (16, 16)):
        p = taeda.zeros(shape, requires_grad=True)
        p.grad = taeda.tensor(rng.normal(size=shape).astype(np.float32))
        optim.Muon([p], lr=1.0, weight_decay=0.0, adjust_lr_fn="match_rms_adamw").step()
        singular = np.linalg.svd(p.detach().numpy() / (0.2 * max(shape) ** 0.5), compute_uv=False)
        assert 0.6 < singular.min() and singular.max() < 1.3


def test_muon_steps_alike_alone_and_in_a_batch():
    rng = np.random.default_rng(4)
    values, grads = rng.normal(size=(5, 4, 6)), rng.normal(size=(5, 4, 6))
    together = [taeda.tensor(v, requires_grad=True) for v in values]
    for p, g in zip(together, grads, strict=True):
        p.grad = taeda.tensor(g)
    optim.Muon(together, lr=0.1).step()
    for p, v, g in zip(together, values, grads, strict=True):
        alone = taeda.tensor(v, requires_grad=True)
        alone.grad = taeda.tensor(g)
        optim.Muon([alone], lr=0.1).step()
        np.testing.assert_allclose(p.detach().numpy(), alone.detach().numpy(), atol=2e-3)


def test_muon_wants_matrices_and_a_sane_iteration():
    with pytest.raises(ValueError, match=r"only supports 2D parameters.*\(3,\)"):
        optim.Muon([taeda.ones(3, requires_grad=True)])
    p, vector = taeda.ones(2, 2, requires_grad=True), taeda.ones(3, requires_grad=True)
    p.grad, vector.grad = taeda.ones(2, 2), taeda.ones(3)
    opt = optim.Muon([p])
    opt.add_param_group({"params": [vector]})
    with pytest.raises(ValueError, match=r"must be a 2D matrix, got shape \(3,\)"):
        opt.step()
    with pytest.raises(ValueError, match="less than 100"):
        optim.Muon([p], ns_steps=100).step()
    with pytest.raises(ValueError, match="exactly 3 values"):
        optim.Muon([p], ns_coefficients=(1.0, 2.0)).step()


def test_weight_decay_and_the_update_are_rounded_one_after_the_other() -> None:
    p = taeda.full((2, 2), 1.5, dtype=taeda.bfloat16).requires_grad_()
    p.grad = taeda.tensor([[1.0, 2.0], [3.0, -4.0]], dtype=taeda.bfloat16)
    u = orthogonalize(p.grad[None], COEFFICIENTS, 5, 1e-7)[0]
    optim.Muon([p], lr=0.3, weight_decay=0.1, momentum=0.0).step()
    assert p.equal((taeda.full((2, 2), 1.5 * 0.97, dtype=taeda.bfloat16).float() - 0.3 * u.float()).bfloat16())
    assert not p.equal((1.5 * 0.97 - 0.3 * u.float()).bfloat16())

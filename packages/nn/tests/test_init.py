"""Initial values.  Literal arrays marked torch were made by PyTorch 2.13 with seed 0."""

from __future__ import annotations

import math

import pytest

import taeda
from taeda import nn
from taeda.nn import init

TORCH = [
    (init.xavier_uniform_, [-0.0082014, 0.5876445, -0.9016008, -0.8061808, -0.4219155, 0.2937517]),
    (init.trunc_normal_, [1.5409961, -0.2934289, -0.7192576, 0.5684313, -1.0845224, -1.3985955]),
    (init.kaiming_normal_, [1.2582181, -0.2395837, -1.7789741, 0.4641222, -0.8855088, -1.1419483]),
    (init.orthogonal_, [0.5739809, -0.1092946, -0.8115422, -0.3454151, -0.9308827, -0.1189355]),
]


@pytest.mark.parametrize("row", TORCH, ids=lambda r: r[0].__name__)
def test_values_are_torchs(row):
    fill, expected = row
    taeda.manual_seed(0)
    for a, b in zip(fill(taeda.empty(2, 3)).flatten().tolist(), expected, strict=True):
        assert math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6)


def test_functions_return_their_tensor_and_record_nothing():
    p = nn.Parameter(taeda.empty(4, 4))
    for fill in (
        init.uniform_,
        init.normal_,
        init.ones_,
        init.zeros_,
        init.eye_,
        init.orthogonal_,
        init.kaiming_uniform_,
    ):
        assert fill(p) is p and p.grad_fn is None and p.requires_grad


def test_statistics():
    taeda.manual_seed(0)
    x = init.kaiming_normal_(taeda.empty(200, 100), nonlinearity="relu")
    assert abs(x.std().item() - math.sqrt(2 / 100)) < 0.003
    x = init.kaiming_uniform_(taeda.empty(200, 100), mode="fan_out")
    assert x.abs().max().item() <= math.sqrt(3) * math.sqrt(2 / 200)
    x = init.xavier_normal_(taeda.empty(100, 300), gain=2)
    assert abs(x.std().item() - 2 * math.sqrt(2 / 400)) < 0.003
    x = init.trunc_normal_(taeda.empty(1000), mean=0.5, std=2.0, a=0.0, b=0.4)
    assert x.min().item() >= 0 and x.max().item() <= 0.4


def test_orthogonal_is_orthogonal():
    for shape in ((3, 5), (5, 3), (4, 2, 2)):
        x = init.orthogonal_(taeda.empty(shape), gain=2.0).reshape(shape[0], -1)
        g = x @ x.t() if x.shape[0] <= x.shape[1] else x.t() @ x
        assert (g - 4 * taeda.eye(g.shape[0])).abs().max().item() < 1e-5


def test_orthogonal_draws_for_each_sample_of_a_vmap():
    found = taeda.func.vmap(init.orthogonal_, randomness="different")(taeda.empty(4, 3, 3))
    assert ((found @ found.mT - taeda.eye(3)).abs() < 1e-5).all()
    assert (found[0] - found[1]).abs().max() > 0.1


def test_dirac_passes_channels_on():
    conv = nn.Conv1d(3, 3, 3, padding=1, bias=False)
    init.dirac_(conv.weight)
    x = taeda.randn(1, 3, 5)
    assert conv(x).tolist() == x.tolist()
    w = init.dirac_(taeda.empty(4, 2, 3), groups=2)
    assert [w[0, 0, 1].item(), w[1, 1, 1].item(), w[2, 0, 1].item(), w.sum().item()] == [1, 1, 1, 4]


def test_sparse_and_gain():
    x = init.sparse_(taeda.empty(10, 4), sparsity=0.25)
    assert (x == 0).sum(0).tolist() == [3, 3, 3, 3]
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    with pytest.raises(ValueError, match="not a valid number"):
        init.calculate_gain("leaky_relu", True)


def test_generator():
    g = taeda.Generator().manual_seed(3)
    a = init.uniform_(taeda.empty(3), generator=g)
    g.manual_seed(3)
    assert init.uniform_(taeda.empty(3), generator=g).tolist() == a.tolist()


def test_deprecated_names_warn():
    with pytest.warns(FutureWarning, match="nn.init.uniform_"):
        init.uniform(taeda.empty(1))


def test_empty_tensor_warns_and_meta_stays():
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(taeda.empty(0, 3))
    m = taeda.empty(2, 3, device="meta")
    assert init.trunc_normal_(m) is m and init.kaiming_uniform_(m) is m

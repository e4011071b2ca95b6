"""Layers and losses under autocast: which precision each computes in, and whose gradients are whose."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
from taeda import nn
from taeda.nn import functional as F

BF16, F32 = taeda.bfloat16, taeda.float32


def test_a_model_computes_in_the_lower_precision_and_keeps_its_parameters() -> None:
    net = nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 4), nn.LayerNorm(4))
    seen: list[Any] = []
    for layer in net:
        layer.register_forward_hook(lambda module, args, y: seen.append(y.dtype))
    with taeda.autocast("cpu"):
        loss = F.cross_entropy(net(taeda.randn(3, 2, 6)), taeda.tensor([0, 1, 2]))
    assert seen == [BF16] * 6 and loss.dtype == F32
    loss.backward()
    assert all(p.dtype == F32 and p.grad.dtype == F32 for p in net.parameters())
    assert net[1].running_mean.dtype == F32


@pytest.mark.parametrize("name", [
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss", "poisson_nll_loss", "hinge_embedding_loss",
])  # fmt: skip
def test_losses_are_computed_in_float32(name: str) -> None:
    x, target = taeda.tensor([[1.0, -2.0]], dtype=BF16), taeda.tensor([[1.0, 1.0]], dtype=BF16)
    loss = getattr(F, name)
    with taeda.autocast("cpu"):
        found = loss(x, target)
    assert found.dtype == F32 and found.item() == loss(x.float(), target.float()).item()
    assert loss(x, target).dtype == BF16


def test_a_wrapped_loss_is_still_a_function_of_its_name() -> None:
    assert F.soft_margin_loss.__name__ == "soft_margin_loss" and "log(1 + exp" in (F.soft_margin_loss.__doc__ or "")
    with pytest.raises(TypeError, match="soft_margin_loss"):
        F.soft_margin_loss(1, 2)


@pytest.mark.parametrize(("cls", "of_float32"), [(nn.LSTM, F32), (nn.GRU, F32), (nn.RNN, BF16)])
def test_recurrent_layers(cls: Any, of_float32: Any) -> None:
    layer, x = cls(3, 4, 2), taeda.randn(5, 2, 3)
    for given, wanted in ((x, of_float32), (x.bfloat16(), BF16)):
        with taeda.autocast("cpu"):
            y, h = layer(given)
        assert y.dtype == wanted and {t.dtype for t in (h if isinstance(h, tuple) else (h,))} == {wanted}
        y.float().sum().backward()
        assert {p.grad.dtype for p in layer.parameters()} == {F32}
    with pytest.raises(ValueError, match="does not match weight dtype"):
        layer(x.bfloat16())


def test_attention() -> None:
    layer, x = nn.MultiheadAttention(4, 2), taeda.randn(3, 2, 4)
    with taeda.autocast("cpu"):
        y, weights = layer(x, x, x)
        assert y.dtype == weights.dtype == F.scaled_dot_product_attention(x, x, x).dtype == BF16
        hidden = taeda.ones(3, 3).triu(1).bool()
        for mask in (hidden, taeda.zeros(3, 3).masked_fill(hidden, -taeda.inf)):
            assert layer(x, x, x, attn_mask=mask)[1].dtype == BF16
        weights = layer(x, x, x, key_padding_mask=taeda.tensor([[False, False, True]] * 2))[1]
        assert weights.dtype == BF16 and (weights[..., 2] == 0).all()
        assert nn.TransformerEncoderLayer(4, 2, 8)(x).dtype == F32


def test_losses_of_the_top_level_are_computed_in_float32_too() -> None:
    x, target = taeda.rand(4, 4).bfloat16(), taeda.ones(4).bfloat16()
    with taeda.autocast("cpu"):
        assert taeda.poisson_nll_loss(x, x, True, False, 1e-8, 1).dtype == taeda.hinge_embedding_loss(x, x).dtype == F32
        assert taeda.cosine_embedding_loss(x, x, target).dtype == taeda.margin_ranking_loss(x, x, x).dtype == F32
        assert taeda.triplet_margin_loss(x, x, x).dtype == F32

"""Dropout: what is kept, how it is scaled, and that masks are the generator's own draws."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from taeda import ops


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_mask_is_a_bernoulli_draw_over_the_probability(p: float) -> None:
    x = taeda.tensor(np.random.default_rng(0).normal(size=(5, 7)).astype("float32"))
    taeda.manual_seed(11)
    y = ops.dropout(x, p)
    taeda.manual_seed(11)
    mask = taeda.empty_like(x).bernoulli_(1 - p)
    assert taeda.equal(y, x * mask.div_(1 - p))


def test_the_gradient_has_the_same_mask() -> None:
    x = taeda.ones(1000, requires_grad=True)
    y = ops.dropout(x, 0.3)
    y.sum().backward()
    assert taeda.equal(x.grad, y.detach())
    assert 0.6 < (y != 0).float().mean().item() < 0.8


def test_extremes() -> None:
    x = taeda.ones(4, requires_grad=True)
    assert ops.dropout(x, 0.0) is x
    assert ops.dropout(x, 0.7, training=False) is x
    y = ops.dropout(x, 1.0)
    y.sum().backward()
    assert y.tolist() == x.grad.tolist() == [0.0] * 4
    assert ops.dropout(taeda.ones(0), 0.5).shape == (0,)


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize("drop", [ops.dropout, ops.feature_dropout, ops.alpha_dropout, ops.feature_alpha_dropout])
def test_a_probability_out_of_range_is_refused(drop, p: float) -> None:
    with pytest.raises(ValueError, match=r"dropout probability has to be between 0 and 1, but got"):
        drop(taeda.ones(2, 2, 2), p)


def test_in_place_writes_into_the_input() -> None:
    x = taeda.ones(50)
    y = ops.dropout(x, 0.5, inplace=True)
    assert y is x
    assert set(x.tolist()) == {0.0, 2.0}


def test_whole_channels_are_dropped() -> None:
    taeda.manual_seed(0)
    y = ops.feature_dropout(taeda.ones(6, 5, 3, 2), 0.5)
    per_channel = y.flatten(2)
    assert taeda.equal(per_channel, per_channel[:, :, :1].expand(6, 5, 6))
    assert set(per_channel.flatten().tolist()) == {0.0, 2.0}
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        ops.feature_dropout(taeda.ones(3), 0.5)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    taeda.manual_seed(0)
    y = ops.alpha_dropout(taeda.randn(200000), 0.3)
    assert abs(y.mean().item()) < 0.01
    assert abs(y.var().item() - 1) < 0.02


def test_integers_are_refused() -> None:
    with pytest.raises(RuntimeError, match="dropout takes floating point tensors"):
        ops.dropout(taeda.ones(3, dtype=taeda.int64), 0.5)


def test_native_dropout_gives_its_mask() -> None:
    x = taeda.ones(1000, requires_grad=True)
    y, mask = taeda.native_dropout(x, 0.25, True)
    assert mask.dtype is taeda.bool and not mask.requires_grad and 650 < int(mask.sum()) < 850
    assert taeda.equal(y, mask / 0.75)
    y.sum().backward()
    assert taeda.equal(x.grad, mask / 0.75)
    y, mask = taeda.native_dropout(x, 0.25, False)
    assert taeda.equal(y, x) and bool(mask.all())
    assert not taeda.native_dropout(x, 1.0, None)[1].any()
    with pytest.raises(RuntimeError, match="to be in"):
        taeda.native_dropout(x, 1.5, True)

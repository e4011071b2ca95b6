"""Functions that move pixels and channels about, on images whose channels lie innermost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import taeda
import taeda.nn.functional as F
from taeda import Tensor


@pytest.mark.parametrize(
    "move",
    [
        lambda x: F.pixel_shuffle(x, 2),
        lambda x: F.pixel_unshuffle(x, 2),
        lambda x: F.channel_shuffle(x, 4),
    ],
)
def test_what_moves_values_keeps_channels_innermost(move: Callable[[Tensor], Tensor]) -> None:
    x = taeda.arange(2.0 * 8 * 4 * 6).reshape(2, 8, 4, 6).requires_grad_()
    last = x.detach().contiguous(memory_format=taeda.channels_last).requires_grad_()
    a, b = move(x), move(last)
    assert taeda.equal(a, b) and b.is_contiguous(memory_format=taeda.channels_last) and a.is_contiguous()
    for y in (a, b):
        (y * a.detach()).sum().backward()
    assert taeda.equal(x.grad, x) and taeda.equal(last.grad, x)
    assert last.grad.is_contiguous(memory_format=taeda.channels_last)

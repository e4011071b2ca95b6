"""Sizes whose sums and products have more than 64 bits: refused, and nothing is written where no tensor is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import taeda

HUGE = 2**63 - 1


def expanded(*shape: int) -> taeda.Tensor:
    return taeda.ones((1,) * len(shape)).expand(*shape)


def far(offset: int) -> taeda.Tensor:
    """A tensor without elements, at any place of a small storage."""
    return taeda.empty(0).set_(taeda.arange(6.0).untyped_storage(), offset, (0,), (1,))


class Changing:
    """A number that is another one each time it is asked."""

    def __init__(self) -> None:
        self.n = 1

    def __index__(self) -> int:
        self.n *= 1000
        return self.n // 1000

    def __rmul__(self, other: Any) -> Any:
        return other

    def __lt__(self, other: Any) -> bool:
        return False


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: taeda.cat([expanded(2**62)] * 4), r"^\[cat\] the sizes .* along dimension 0 add up to more than 64 bits"),
        (lambda: taeda.cat([expanded(HUGE), expanded(HUGE), taeda.ones(3)]), r"^\[cat\] the sizes .*, 3\] along dimension 0"),
        (lambda: taeda.vstack([expanded(HUGE, 1), expanded(HUGE, 1), taeda.ones(3, 1)]), r"^\[cat\] the sizes"),
        (lambda: taeda.cat([taeda.empty(0, 2**62)] * 2, 1), r"^\[cat\] the sizes"),
        (lambda: taeda.block_diag(expanded(HUGE, 1), expanded(HUGE, 1)), "overflowed with sizes"),
        (lambda: taeda.repeat_interleave(taeda.tensor([HUGE, HUGE, 4])), r"^\[repeat_interleave\] the repeats add up"),
        (lambda: taeda.ones(3).repeat_interleave(taeda.tensor([2**62] * 3)), r"^\[repeat_interleave\] the repeats add up"),
        (lambda: taeda.ones(6).repeat(HUGE), "overflowed with sizes"),
        (lambda: taeda.empty(0, 2**62).tile(3, 4), "overflowed with sizes"),
        (lambda: taeda.ops.max_unpool2d(taeda.ones(1, 2, 2), taeda.zeros(1, 2, 2, dtype=taeda.int64), (HUGE, HUGE)), "overflowed with sizes"),
        (lambda: taeda.ops.im2col(taeda.ones(1, 1, 2, 2), 1, 1, 2**31 - 1, 1), "overflowed with sizes"),
        (lambda: taeda.adaptive_avg_pool1d(taeda.empty(0, 1, 3), 2**62), r"^\[adaptive_avg_pool1d\] an output_size of 2\^31"),
        (lambda: taeda.ops.adaptive_max_pool1d(taeda.empty(0, 1, 3), 2**62), r"^\[adaptive_max_pool1d\] an output_size of 2\^31"),
        (lambda: taeda.ones(1).expand(2**63), r"^\[expand\] a size of 9223372036854775808"),
        (lambda: taeda.empty(0, 2**61, dtype=taeda.float64).view(taeda.uint8), r"^\[view\] shape \[0, 2305843009213693952\]"),
        (lambda: far(HUGE).resize_(1), r"^\[resize_\] .* storage offset 9223372036854775807"),
        (lambda: far(2**61).resize_(3), r"^\[resize_\] .* storage offset 2305843009213693952"),
        (lambda: taeda.ones(1).as_strided((1,), (2**61,))[1:].resize_(3), r"^\[resize_\] .* storage offset"),
        (lambda: far(2**60).resize_(3), "memory|overflow"),
        (lambda: taeda.ones(1).set_(taeda.ones(1).untyped_storage(), 0, (2**62, 6), (0, 0)), r"^\[set_\] numel: integer multiplication overflow"),
        (lambda: taeda.ones(1).set_(taeda.ones(1).untyped_storage(), 0, (2**40, 2**40), (0, 0)), r"^\[set_\] numel"),
    ],
)
def test_refused(call: Callable[[], Any], match: str) -> None:
    with pytest.raises((RuntimeError, MemoryError), match=match):
        call()


def test_a_refused_resize_leaves_the_tensor_as_it_was() -> None:
    x = far(2**61)
    with pytest.raises(RuntimeError):
        x.resize_(3)
    assert x.shape == (0,) and x.untyped_storage().nbytes() == 24 and x.as_strided((6,), (1,), 0).tolist() == [0, 1, 2, 3, 4, 5]


def test_sizes_are_asked_once() -> None:
    x = taeda.ones(1).resize_(Changing())
    assert x.shape == (1,) and x.tolist() == [1]


def test_a_tensor_without_elements_is_computed_with_wherever_it_lies() -> None:
    for offset in (1, 2**60, 2**61, 3 * 2**60, 5 * 2**58, HUGE):
        x = far(offset)
        assert (x + 1).shape == (0,) and x.sum() == 0 and x.clone().tolist() == [] and taeda.cat([x, taeda.ones(1)]).tolist() == [1]


def test_a_step_past_the_end_takes_one_element() -> None:
    x = taeda.arange(6.0).view(2, 3)
    assert x[::HUGE].tolist() == [[0, 1, 2]] and x[1:, 1::HUGE].clone().tolist() == [[4]] and (x[::HUGE] + x).shape == (2, 3)

"""Writes in place whose operand shares memory with what is written, and views that have become invalid."""

from __future__ import annotations

import pytest

import taeda


@pytest.mark.parametrize("name", ["mul_", "add_", "div_", "copy_"])
def test_an_operand_that_is_the_first_part_of_what_is_written_is_refused(name: str) -> None:
    x = taeda.arange(1.0, 7.0).view(2, 3)
    for part in (x[:1], x[0, 1], x[1:]):
        with pytest.raises(RuntimeError, match="refer to a single memory location"):
            getattr(x, name)(part)
    assert x.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert (x * 1).mul_(x[:1]).tolist() == [[1.0, 4.0, 9.0], [4.0, 10.0, 18.0]]
    assert x.mul_(x).tolist() == [[1.0, 4.0, 9.0], [16.0, 25.0, 36.0]]


def test_a_column_of_what_is_written_is_read_before() -> None:
    for n in (3, 16, 40):
        x = taeda.arange(1.0, 1 + 2 * n).view(2, n)
        expected = x / x[..., -1:].clone()
        x /= x[..., -1:]
        assert x.equal(expected)


def test_views_of_several_that_are_no_more_are_printed() -> None:
    x = taeda.ones(2, requires_grad=True) * 1
    first, _ = x.unbind()
    x.mul_(2)
    assert first.requires_grad and repr(first) == "tensor(2., grad_fn=<Invalid>)"
    with pytest.raises(RuntimeError, match="returns multiple views"):
        first * 1


def test_index_select_lies_in_rows() -> None:
    x = taeda.arange(24.0).view(2, 4, 3).transpose(1, 2)
    for dim, strides in enumerate(((12, 4, 1), (8, 4, 1), (6, 2, 1))):
        y = x.index_select(dim, taeda.tensor([1, 0]))
        assert y.stride() == strides and y.equal(x.contiguous().index_select(dim, taeda.tensor([1, 0])))


def test_a_threshold_may_be_written_into_expanded_memory() -> None:
    x = taeda.arange(-1.0, 2.0)
    assert taeda.threshold_(x[:, None].expand(3, 2), 0.0, -2.0).tolist() == [[-2, -2], [-2, -2], [1, 1]]
    assert x.tolist() == [-2, -2, 1]


def test_a_copy_of_a_tensor_onto_itself_is_a_write() -> None:
    leaf = taeda.ones(3, requires_grad=True)
    x = leaf * 2
    first, _, _ = x.unbind()
    y = x * x
    x.copy_(x)
    assert x.grad_fn.name().endswith("CopyBackwards") and x._version == 1
    (x * 3).sum().backward()
    assert leaf.grad.tolist() == [6, 6, 6]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    with pytest.raises(RuntimeError, match="returns multiple views"):
        first * 1


def test_a_source_in_other_order_on_the_memory_that_is_written() -> None:
    whole = taeda.arange(8.0)
    x, source = whole[:4].view(2, 2), whole[4:].view(2, 2).t()
    assert x.masked_scatter_(taeda.ones(2, 2, dtype=taeda.bool), source).tolist() == [[4, 6], [5, 7]]


def test_a_fill_by_a_part_of_an_element_reads_it_once() -> None:
    x = taeda.complex(taeda.ones(400, 800), taeda.full((400, 800), 7.0))
    for y in (x.clone(), x.clone()[:, ::2], x.clone().t()):
        assert (y.fill_(y.imag[0, 0]) == 7).all()
    whole = taeda.full((300, 500), 2**33 + 5)
    assert (whole.t().fill_(whole.view(taeda.int32)[0, 1]) == 2).all()


def test_an_operand_that_comes_back_is_not_written_over_itself_in_another_order() -> None:
    x = taeda.arange(9.0).view(3, 3)
    for out in (x.t(), x.flatten()[1:5].view(2, 2)):
        with pytest.raises(RuntimeError, match=r"^\[conj_physical\] .* refer to a single memory location"):
            taeda.conj_physical(x[: len(out)] if out.shape == (3, 3) else x.flatten()[:4].view(2, 2), out=out)
    assert x.flatten().tolist() == list(range(9)) and taeda.conj_physical(x, out=x) is x


def test_results_that_nobody_else_holds_are_no_views() -> None:
    """So that what was made without gradients may be written to with them."""
    x, m = taeda.rand(6, 2), taeda.rand(3, 3)
    calls = [
        lambda: taeda.cdist(x, x), lambda: taeda.cdist(x.expand(2, 1, 6, 2), x), lambda: taeda.linalg.lstsq(x, x[:, 0])[0],
        lambda: taeda.stft(x[:, 0], 4, return_complex=True), lambda: taeda.conv_tbc(taeda.ones(3, 1, 1), taeda.ones(2, 1, 1), taeda.zeros(1)),
        lambda: taeda.ormqr(*taeda.geqrf(m), m, left=False), lambda: taeda.ops.affine_grid(taeda.rand(1, 2, 3), (1, 1, 2, 2), False),
    ]
    for call in calls:
        with taeda.no_grad():
            y = call()
        factor = taeda.tensor(2.0, requires_grad=True)
        y.mul_(factor)
        assert not y._is_view() and y.requires_grad

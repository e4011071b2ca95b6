"""What sparse tensors are refused for: indices that are not those of a matrix, layouts and sizes that do not fit."""

from __future__ import annotations

from typing import Any

import pytest

import taeda

CSR, BSR = taeda.sparse_csr, taeda.sparse_bsr


@pytest.mark.parametrize(
    ("layout", "starts", "places", "values", "size", "text"),
    [
        (CSR, [0, 2, 2], [1, 1], taeda.ones(2), (2, 2), "sorted and distinct"),
        (CSR, [0, 2, 2], [1, 0], taeda.ones(2), (2, 2), "sorted and distinct"),
        (CSR, [[0, 1, 2], [0, 0, 2]], [[1, 0], [1, 0]], taeda.ones(2, 2), (2, 2, 2), "sorted and distinct"),
        (taeda.sparse_csc, [0, 1, 3], [1, 1, 0], taeda.ones(3), (2, 2), "row_indices.*sorted and distinct"),
        (BSR, [0, 2], [0, 0], taeda.ones(2, 1, 1), (1, 2), "sorted and distinct"),
        (BSR, [0, 1], [0], taeda.ones(1, 2, 2), (3, 2), r"shape\[0\] \(=3\) must be divisible with blocksize\[0\] \(=2\)"),
        (BSR, [0, 1], [0], taeda.ones(1, 2, 0), (2, 2), r"blocksize\[1\] \(=0\)"),
    ],
)
def test_compressed_indices_that_are_not_those_of_a_matrix(layout: Any, starts: Any, places: Any, values: Any, size: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        taeda.sparse_compressed_tensor(starts, places, values, size, layout=layout, check_invariants=True)


@pytest.mark.parametrize("index", [taeda.int32, taeda.int64])
def test_compressed_indices_that_are(index: Any) -> None:
    starts, places = taeda.tensor([[0, 1, 2], [0, 0, 2]], dtype=index), taeda.tensor([[1, 0], [0, 1]], dtype=index)
    s = taeda.sparse_csr_tensor(starts, places, taeda.tensor([[1.0, 2.0], [3.0, 4.0]]), (2, 2, 2), check_invariants=True)
    assert s.to_dense().tolist() == [[[0, 1], [2, 0]], [[0, 0], [3, 4]]]
    empty = taeda.sparse_csr_tensor(taeda.zeros(3, dtype=index), taeda.zeros(0, dtype=index), [], (2, 2), check_invariants=True)
    assert empty.to_dense().tolist() == [[0, 0], [0, 0]]


def test_a_copy_into_another_layout_is_refused() -> None:
    coo, csr = taeda.eye(2).to_sparse(), (taeda.eye(2) * 2).to_sparse_csr()
    for s, source in ((coo, csr), (csr, coo)):
        with pytest.raises(RuntimeError, match="different layouts is not supported"):
            s.copy_(source)
    assert coo.layout is taeda.sparse_coo and coo.to_dense().equal(taeda.eye(2))


def test_sums_and_products_that_do_not_fit() -> None:
    s = taeda.eye(2).to_sparse()
    with pytest.raises(RuntimeError, match="alpha must not be a floating point number"):
        taeda.add(s.long(), s.long(), alpha=1.5)
    assert taeda.add(s, s, alpha=1.5).to_dense().equal(taeda.eye(2) * 2.5)
    with pytest.raises(RuntimeError, match="7"):
        taeda.sparse.addmm(taeda.ones(5, 7), s, taeda.eye(2), beta=0)
    assert taeda.sparse.addmm(taeda.ones(2), s, taeda.eye(2), beta=0).equal(taeda.eye(2))
    csr = taeda.eye(2).to_sparse_csr()
    assert taeda.sparse.addmm(csr, csr, csr, beta=0).to_dense().equal(taeda.eye(2))
    with pytest.raises(RuntimeError, match="3"):
        taeda.sparse.addmm(taeda.ones(3, 2).to_sparse_csr(), csr, csr, beta=0)


@pytest.mark.parametrize("other", [taeda.eye(2), taeda.eye(2).to_sparse(), taeda.eye(2).to_sparse_csr()])
def test_a_factor_of_a_sum_is_of_a_kind_that_the_sum_is_of(other: Any) -> None:
    s = taeda.eye(2).to_sparse_csr()
    for alpha, text in ((True, "Boolean alpha"), (1j, "must not be a complex number")):
        with pytest.raises(RuntimeError, match=text):
            taeda.add(s, other, alpha=alpha)
    for alpha in (0.5, taeda.tensor(0.5)):
        with pytest.raises(RuntimeError, match="must not be a floating point number"):
            taeda.add(s.long(), other.long(), alpha=alpha)
    assert taeda.add(s, other, alpha=taeda.tensor(2)).to_dense().equal(taeda.eye(2) * 3)


def test_factors_of_sums_of_bools_are_bools_and_bool_tensors_are_factors_in_place() -> None:
    dense = taeda.tensor([[True, False], [False, True]])
    s, other = dense.to_sparse(), taeda.ones(2, 2, dtype=taeda.bool).to_sparse()
    for alpha, expected in ((False, dense), (True, other.to_dense()), (2, other.to_dense()), (0, dense)):
        assert dense.clone().add_(other, alpha=alpha).equal(expected)
        assert s.clone().add_(other, alpha=alpha).to_dense().equal(expected)
        assert taeda.add(dense, other, alpha=alpha).equal(expected)
    assert taeda.eye(2).to_sparse().add_(taeda.eye(2).to_sparse(), alpha=taeda.tensor(True)).to_dense().equal(2 * taeda.eye(2))


def _written(kind: str, which: int, place: int, value: int) -> Any:
    """A matrix of which products were made, and then an index written that autograd is not told of."""
    dense = taeda.zeros(6, 6)
    dense[0, 1], dense[2, 3], dense[5, 5] = 1, 2, 3
    s = getattr(dense, kind)()
    s @ taeda.ones(6, 2), s.mv(taeda.ones(6)), s.to_dense(), s.t() @ taeda.ones(6, 2)
    parts = [s._indices()[0], s._indices()[1]] if kind == "to_sparse" else [s.crow_indices(), s.col_indices()]
    parts[which].data[place] = value
    return s


@pytest.mark.parametrize("kind", ["to_sparse", "to_sparse_csr"])
@pytest.mark.parametrize("value", [10**12, -(10**12), 6, -1])
def test_columns_written_after_a_product_do_not_lead_out_of_the_other_matrix(kind: str, value: int) -> None:
    s = _written(kind, 1, 2, value)
    for x in (taeda.ones(6, 1), taeda.ones(6, 40)):
        with pytest.raises(RuntimeError, match=rf"index {value} .*out of bounds"):
            s @ x
    for call in (lambda: taeda.sparse.mm(s, taeda.ones(6, 2), "amax"), lambda: s.sum(0).to_dense(), lambda: s + taeda.ones(6, 6)):
        try:
            found = call()
        except (IndexError, RuntimeError):
            continue
        assert found.shape in ((6, 2), (6,), (6, 6))


@pytest.mark.parametrize(("place", "value"), [(0, -(10**12)), (1, 10**12), (6, 10**12), (3, -1)])
def test_starts_of_rows_written_after_a_product_do_not_lead_out_of_the_entries(place: int, value: int) -> None:
    s = _written("to_sparse_csr", 0, place, value)
    with pytest.raises(RuntimeError, match="must rise from 0 to the number of entries, 3"):
        s @ taeda.ones(6, 2)
    with pytest.raises(RuntimeError, match="must rise from 0 to the number of entries, 3"):
        s.mv(taeda.ones(6))

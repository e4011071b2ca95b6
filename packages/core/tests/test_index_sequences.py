"""x[...] by arrays, lists and other sequences: integers, whatever numbers they hold, but masks of bytes and bools."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest

import taeda


@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "u4", "u8", "f4", "f8"])
def test_an_array_of_any_numbers_indexes_by_its_integers(dtype: str) -> None:
    x = taeda.arange(12).reshape(3, 4)
    rows = np.array([2, 0, 2]).astype(dtype)
    assert x[rows, 1].tolist() == x[list(rows), 1].tolist() == [9, 1, 9]
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[rows, 1]].tolist() == [9, 1, 9] and x[[rows]].shape == (3, 4)
    assert x[rows[:, None], ...].shape == (3, 1, 4) and x[..., rows].tolist() == x[:, [2, 0, 2]].tolist()
    x[rows] = -1
    assert x.sum(1).tolist() == [-4, 22, -4]


def test_sequences_that_are_no_lists_index_too() -> None:
    x = taeda.arange(12).reshape(3, 4)
    assert x[array.array("i", [2, 0]), 0].tolist() == x[bytearray(b"\2\0"), 0].tolist() == [8, 0]
    assert x[[2.0, 0.5], 0].tolist() == [8, 0]
    with pytest.warns(UserWarning, match="uint8"):
        assert x[..., np.array([1, 0, 0, 1], np.uint8)].tolist() == [[0, 3], [4, 7], [8, 11]]
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[np.array([True, False, True])]].tolist() == [[0, 1, 2, 3], [8, 9, 10, 11]]
    wrongs: Any = ((np.array([1j]), IndexError), ("a", TypeError), (np.array(["a"]), TypeError))
    for wrong, kind in wrongs:
        with pytest.raises(kind):
            x[wrong]


def test_numbers_in_a_list_that_are_no_indices_are_refused_as_by_pytorch() -> None:
    x = taeda.arange(3)
    wrongs: Any = (([1j], TypeError), ([0, 1j], TypeError), ([float("nan")], RuntimeError), ([float("inf")], RuntimeError),
                   ([2**63], ValueError), ([2**64], ValueError))
    for wrong, kind in wrongs:
        with pytest.raises(kind):
            x[wrong]
        with pytest.raises(kind):
            x[wrong] = 1
    assert x.tolist() == [0, 1, 2]


def test_dimensions_of_a_tensor_without_any_are_refused_with_an_index_error() -> None:
    number = taeda.ones(())
    calls: Any = (lambda: number.mv(taeda.ones(2)), lambda: number.take_along_dim(taeda.tensor(0), 0),
                  lambda: number.index_add(0, taeda.tensor(1), number))
    for call in calls:
        with pytest.raises(IndexError):
            call()

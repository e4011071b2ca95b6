"""Collation of nested samples, and errors that name what differs and where."""

from collections import OrderedDict, UserDict, namedtuple
from types import MappingProxyType

import numpy as np
import pytest

import taeda
from taeda.data import default_collate, default_convert
from taeda.data.collate import collate, default_collate_fn_map

Point = namedtuple("Point", ["x", "y"])


def test_results_of_several_tensors_become_lists():
    sample = taeda.tensor([[1.0, 3.0], [5.0, 2.0]]).max(1)
    batch = default_collate([sample, sample])
    assert type(batch) is list and batch[0].tolist() == [[3.0, 5.0]] * 2 and batch[1].tolist() == [[1, 0]] * 2


def test_numbers_become_tensors_of_pytorchs_dtypes():
    assert default_collate([1, 2]).dtype == taeda.int64
    assert default_collate([1.5, 2.0]).dtype == taeda.float64
    assert default_collate([True, False]).dtype == taeda.bool
    assert default_collate([np.float32(1), np.float32(2)]).dtype == taeda.float32
    assert default_collate([np.int32(1), np.int32(2)]).tolist() == [1, 2]


def test_tensors_and_arrays_are_stacked():
    assert default_collate([taeda.tensor([1, 2]), taeda.tensor([3, 4])]).tolist() == [[1, 2], [3, 4]]
    stacked = default_collate([np.zeros((2, 3), np.float32)] * 4)
    assert (tuple(stacked.shape), stacked.dtype) == ((4, 2, 3), taeda.float32)


def test_strings_stay():
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([b"a"]) == [b"a"]


def test_structures_are_collated_field_by_field():
    batch = [{"p": Point(1, 2.0), "q": [3, "a"], "r": (4,)}, {"p": Point(5, 6.0), "q": [7, "b"], "r": (8,)}]
    out = default_collate(batch)
    assert type(out["p"]) is Point
    assert (out["p"].x.tolist(), out["p"].y.tolist()) == ([1, 5], [2.0, 6.0])
    assert out["q"][0].tolist() == [3, 7]
    assert list(out["q"][1]) == ["a", "b"]
    assert type(out["r"]) is list
    assert out["r"][0].tolist() == [4, 8]


@pytest.mark.parametrize("kind", [OrderedDict, UserDict, MappingProxyType])
def test_mappings_keep_their_type(kind):
    out = default_collate([kind({"a": 1}), kind({"a": 2})])
    assert type(out) in (kind, dict)
    assert out["a"].tolist() == [1, 2]


def test_differing_shapes_name_the_entries_and_the_field():
    batch = [{"image": (taeda.zeros(3), 1)}, {"image": (taeda.zeros(3), 1)}, {"image": (taeda.zeros(4), 1)}]
    with pytest.raises(RuntimeError) as caught:
        default_collate(batch)
    text = str(caught.value)
    assert text.startswith(
        "[default_collate] stack expects each tensor to be equal size, but got [3] at entry 0"
    )
    assert "[4] at entry 2" in text
    assert "in sample['image'][0]" in text


@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        (
            [None, None],
            TypeError,
            "batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'NoneType'>; "
            r"does __getitem__ return its sample\?",
        ),
        ([object()], TypeError, "found <class 'object'>; pass a collate_fn that knows it"),
        (
            [(1, 2), (1,)],
            RuntimeError,
            "each element in list of batch should be of equal size.*2 at entry 0 and 1 at entry 1",
        ),
        ([(1, 2), 3], TypeError, "got int at entry 1"),
        ([{"a": 1}, {"b": 1}], KeyError, "'a' is missing at entry 1"),
        ([1, "a"], TypeError, "expected int as element 1 of the batch, but got str"),
        ([np.array(["a"])], TypeError, "found <U1"),
        ([], IndexError, "the batch is empty"),
    ],
)
def test_what_cannot_be_collated_is_named(batch, error, words):
    with pytest.raises(error, match=words):
        default_collate(batch)


def test_an_image_in_a_batch_is_told_of_transforms():
    image = type("Image", (), {"__module__": "PIL.Image"})()
    with pytest.raises(TypeError, match="found <class 'PIL.Image.Image'>; a transform such as ToTensor makes an image a tensor"):
        default_collate([(image, 1)])


def test_a_tensor_beside_a_number_is_named():
    with pytest.raises(TypeError, match="expected Tensor as element 1 of the batch, but got int"):
        default_collate([taeda.zeros(1), 2])


def test_a_map_of_ones_own_extends_collation():
    class Text(str):
        pass

    mine = {**default_collate_fn_map, Text: lambda batch, collate_fn_map: " ".join(batch)}
    assert collate([Text("a"), Text("b")], collate_fn_map={Text: mine[Text]}) == "a b"
    assert collate([(Text("a"), np.zeros(2))], collate_fn_map=mine)[1].shape == (1, 2)


def test_default_convert_turns_arrays_into_tensors_and_nothing_else():
    out = default_convert({"a": np.ones(2), "b": [Point(np.int64(1), "t"), 2.5], "c": (1,)})
    assert isinstance(out["a"], taeda.Tensor)
    assert type(out["b"][0]) is Point
    assert isinstance(out["b"][0].x, taeda.Tensor)
    assert out["b"][0].y == "t"
    assert out["b"][1] == 2.5
    assert out["c"] == [1]
    text = np.array(["a"])
    assert default_convert(text) is text


def test_a_tensor_is_no_batch_of_tensors():
    with pytest.raises(TypeError, match=r"tuple of Tensors, not Tensor: got a tensor of shape \(2, 3\)"):
        default_collate(taeda.ones(2, 3))
    assert default_convert(taeda.ones(2, 3)).shape == (2, 3) and default_collate(list(taeda.ones(2, 3))).shape == (2, 3)


def test_sparse_tensors_want_a_function_of_their_own():
    for sparse in (taeda.eye(2).to_sparse(), taeda.eye(2).to_sparse_csr()):
        with pytest.raises(RuntimeError, match="Batches of sparse tensors are not currently supported"):
            default_collate([sparse, sparse])

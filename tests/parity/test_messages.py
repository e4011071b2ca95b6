"""Errors' texts: what programs look for in PyTorch's (``"out of memory" in str(error)``, ``pytest.raises(match=...)``) is in taeda's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data

import taeda
import taeda.data
import taeda.nn
import taeda.optim

# what PyTorch says of a call, in words that programs know it by; T is either library
TEXTS = {
    "T.ones(2, 3) @ T.ones(2, 3)": "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
    "T.ones(4, 2, 3) @ T.ones(2, 3)": "mat1 and mat2 shapes cannot be multiplied (8x3 and 2x3)",
    "T.ones(3) @ T.ones(2, 3)": "mat1 and mat2 shapes cannot be multiplied (1x3 and 2x3)",
    "T.ones(4, 2, 3) @ T.ones(4, 2, 3)": "Expected size for first two dimensions of batch2 tensor to be: [4, 3] but got: [4, 2]",
    "T.ones(7, 2, 3, 4) @ T.ones(3, 4, 5)": "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1",
    "T.nn.PReLU(2)(T.ones(4, 3))": "Mismatch of parameter numbers and input channel size. Found parameter numbers = 2 and channel size = 3",
    "T.ones(2, 3) @ T.ones(2)": "size mismatch, got input (2), mat (2x3), vec (2)",
    "T.nn.Linear(5, 2)(T.ones(4, 3, 6))": "mat1 and mat2 shapes cannot be multiplied (12x6 and 5x2)",
    "T.nn.Linear(5, 2)(T.ones(1, 5).double())": "mat1 and mat2 must have the same dtype, but got Double and Float",
    "T.ones(2, 2) @ T.ones(2, 2).double()": "expected m1 and m2 to have the same dtype, but got: float",
    "T.ones(1, 2, 2) @ T.ones(1, 2, 2).double()": "expected scalar type Float but found Double",
    "T.nn.Linear(2, 2)([1.0, 2.0])": "must be Tensor, not list",
    "T.softmax(T.tensor([1, 2]), 0)": "not implemented for 'Long'",
    "T.linalg.inv(T.eye(2).half())": "Half",
    "T.ones(2).long().div_(2)": "result type Float can't be cast to the desired output type Long",
    "-T.tensor([True])": "Negation, the `-` operator, on a bool tensor is not supported",
    "T.nn.Conv2d(3, 4, 3)(T.ones(2, 1, 8, 8))": "Given groups=1, weight of size [4, 3, 3, 3], expected input[2, 1, 8, 8] to have 3 channels, "
                                                "but got 1 channels instead",
    "T.nn.CrossEntropyLoss()(T.ones(4, 5), T.tensor([[0], [1], [2], [3]]))": "0D or 1D target tensor expected, multi-target not supported",
    "T.nn.CrossEntropyLoss()(T.ones(4, 5, 6), T.tensor([[0], [1], [2], [3]]))": "Expected target size [4, 6], got [4, 1]",
    "T.nn.CrossEntropyLoss()(T.ones(2, 3, 4, 4), T.ones(2, 1, 4, 4).long())":
        "only batches of spatial targets supported (3D tensors) but got targets of dimension: 4",
    "T.nn.functional.nll_loss(T.ones(2, 3, 4, 4), T.ones(2, 5, 4).long())": "size mismatch (got input: [2, 3, 4, 4] , target: [2, 5, 4]",
    "T.zeros(3).index_add_(0, T.tensor([5]), T.ones(1))": "index out of range in self",
    "T.zeros(3, 2).index_add_(0, T.tensor([5]), T.ones(1, 2))": "index 5 is out of bounds for dimension 0 with size 3",
    "T.nn.Embedding(3, 2, padding_idx=3)": "Padding_idx must be within num_embeddings",
    "T.nn.Parameter(T.tensor([1]))": "Only Tensors of floating point and complex dtype can require gradients",
    "T.from_numpy(np.array([None]))": "can't convert np.ndarray of type numpy.object_. The only supported types are: float64",
    "T.from_numpy(np.array(['a']))": "can't convert np.ndarray of type numpy.str_",
    "T.tensor(['a'])": "too many dimensions 'str'",
    "T.ones(2).bfloat16().numpy()": "Got unsupported ScalarType BFloat16",
    "T.ones(2, 3)[0].copy_(T.ones(2))": "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0",
    "T.ones(2, 3).__setitem__(0, T.ones(2))": "The expanded size of the tensor (3) must match the existing size (2)",
    "setattr(T.ones(2, requires_grad=True), 'grad', T.ones(3))": "attempting to assign a gradient of size '[3]' to a tensor of size '[2]'",
    "T.ones(2**50)": "can't allocate memory: you tried to allocate 4503599627370496 bytes",
    "T.ones(2, device='cuda')": "Torch not compiled with CUDA enabled",
    "T.amp.GradScaler('cpu').step(T.optim.SGD([T.ones(1, requires_grad=True)], 0.1))": "Attempted step but _scale is None",
    "T.optim.SGD([], 0.1)": "optimizer got an empty parameter list",
    "copy.deepcopy(T.ones(1, requires_grad=True) * 2)": "Only Tensors created explicitly by the user",
    "T.nn.Linear(2, 2).load_state_dict(T.nn.Linear(3, 2).state_dict())": "size mismatch for weight: copying a param with shape",
    "T.nn.Linear(2, 2).load_state_dict({})": "Missing key(s) in state_dict: \"weight\", \"bias\"",
    "T.nn.Sequential(T.nn.ReLU())[1]": "index 1 is out of range",
    "T.nn.Sequential(T.nn.ReLU()).get_submodule('1')": "Sequential has no attribute `1`",
    "T.nn.Linear(2, 2).register_buffer('weight', None)": "attribute 'weight' already exists",
    "T.nn.Linear(2, 2).register_parameter('', None)": "parameter name can\\'t be empty string",
    "setattr(T.nn.Linear(2, 2), 'weight', T.ones(2, 2))": "as parameter 'weight'",
    "list(T.utils.data.DataLoader([T.ones(2), T.ones(3)], batch_size=2))":
        "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1",
}


def _said(library: Any, call: str) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011  of any class: the rows of the ops compare classes
        eval(call, {"T": library, "np": np, "copy": copy})
    return str(caught.value)


@pytest.mark.parametrize("call", TEXTS)
def test_the_words_that_programs_look_for_are_said(call: str) -> None:
    text = TEXTS[call]
    assert text in _said(torch, call)
    assert text in _said(taeda, call)


def test_an_index_beyond_a_vector_is_an_index_error() -> None:
    for library in (torch, taeda):
        with pytest.raises(IndexError):
            library.zeros(3).index_add_(0, library.tensor([-1]), library.ones(1))
        with pytest.raises(RuntimeError):
            library.zeros(3, 1).index_add_(0, library.tensor([-1]), library.ones(1, 1))


class Mine:
    """What no list of what a checkpoint may hold has."""


def test_files_that_are_refused_are_told_by_pytorchs_words(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
    torch.save({"w": torch.ones(3)}, tmp_path / "cuda.pt")
    torch.save(Mine(), tmp_path / "class.pt")
    (tmp_path / "part.pt").write_bytes((tmp_path / "cuda.pt").read_bytes()[:300])
    for library in (torch, taeda):
        assert "Attempting to deserialize object on a CUDA device" in _said(library, f"T.load({str(tmp_path / 'cuda.pt')!r})")
        text = _said(library, f"T.load({str(tmp_path / 'class.pt')!r})")
        assert "Weights only load failed" in text
        assert f"Unsupported global: GLOBAL {Mine.__module__}.Mine was not an allowed global by default" in text
        text = _said(library, f"T.load({str(tmp_path / 'part.pt')!r})")
        assert "PytorchStreamReader failed reading zip archive: failed finding central directory" in text

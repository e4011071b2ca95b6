"""Tables with sparse=True: their gradients have a row for each number that was looked up."""

from __future__ import annotations

import pytest

import taeda
from taeda import nn
from taeda.nn import functional as F


def test_the_gradient_of_an_embedding_has_a_row_for_each_number() -> None:
    table = nn.Embedding(5, 2, sparse=True)
    table(taeda.tensor([[1, 3], [1, 0]])).sum().backward()
    assert table.weight.grad.is_sparse and table.weight.grad._indices().tolist() == [[1, 3, 1, 0]]
    assert table.weight.grad.to_dense()[:, 0].tolist() == [1, 2, 0, 1, 0]
    table.zero_grad(set_to_none=False)
    assert table.weight.grad.is_sparse and table.weight.grad._nnz() == 0
    table = nn.Embedding(5, 2, sparse=True, padding_idx=1)
    table(taeda.tensor([1, 3])).sum().backward()
    assert table.weight.grad._indices().tolist() == [[3]]


@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize("padding", [None, 1])
def test_the_gradient_of_a_bag_is_that_of_a_dense_table(mode: str, padding: int | None) -> None:
    weight = taeda.arange(10.0).reshape(5, 2)
    grads = []
    for sparse in (True, False):
        w = weight.clone().requires_grad_()
        y = F.embedding_bag(taeda.tensor([1, 3, 1, 2, 4]), w, taeda.tensor([0, 3, 3]), mode=mode, sparse=sparse, padding_idx=padding)
        (y * taeda.arange(6.0).reshape(3, 2)).sum().backward()
        assert w.grad.is_sparse == sparse
        grads.append(w.grad.to_dense())
    taeda.testing.assert_close(*grads)
    with pytest.raises(RuntimeError, match="scale_grad_by_freq not supported with sparse"):
        F.embedding_bag(taeda.tensor([[1]]), weight.requires_grad_(), scale_grad_by_freq=True, mode=mode, sparse=True).sum().backward()


def test_sparse_parameters_buffers_and_norms() -> None:
    class Graph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("adjacency", taeda.eye(3).to_sparse())
            self.weight = nn.Parameter(taeda.eye(3).to_sparse())

        def forward(self, x: taeda.Tensor) -> taeda.Tensor:
            return taeda.sparse.mm(self.weight, self.adjacency @ x)

    model = Graph()
    assert [name for name, _ in model.named_parameters()] == ["weight"]
    model(taeda.ones(3, 2)).sum().backward()
    assert model.weight.grad.is_sparse and model.weight.grad.values().tolist() == [2, 2, 2]
    other = Graph()
    other.load_state_dict({name: x * 2 for name, x in model.state_dict().items()})
    assert other.adjacency.to_dense().tolist() == (taeda.eye(3) * 2).tolist() and other.double().adjacency.dtype is taeda.float64
    table = nn.Embedding(3, 1, sparse=True)
    table(taeda.tensor([1])).sum().backward()
    with pytest.raises(NotImplementedError):
        nn.utils.clip_grad_norm_(table.parameters(), 1.0)

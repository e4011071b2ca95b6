"""Optimizers and sparse gradients: what a dense step does to the rows that a gradient speaks of, and who refuses them."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
from taeda import ops, optim

NUMBERS = [1, 3, 1]


def trained(make: Any, sparse: bool = True, steps: int = 3) -> Any:
    """A table after some steps that lower the squares of three of its rows."""
    table = taeda.arange(8.0).reshape(4, 2).add(1).requires_grad_()
    opt = make([table])
    for _ in range(steps):
        opt.zero_grad()
        (ops.embedding(taeda.tensor(NUMBERS), table, sparse=sparse) ** 2).sum().backward()
        assert table.grad.is_sparse == sparse
        opt.step()
    return table, opt


@pytest.mark.parametrize("make", [
    lambda p: optim.SGD(p, lr=0.1), lambda p: optim.SGD(p, lr=0.1, momentum=0.5), lambda p: optim.SGD(p, lr=0.1, maximize=True),
    lambda p: optim.SGD(p, lr=0.1, momentum=0.5, nesterov=True), lambda p: optim.SGD(p, lr=0.1, momentum=0.5, dampening=0.1),
    lambda p: optim.Adagrad(p, lr=0.1), lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, maximize=True),
])  # fmt: skip
def test_steps_are_those_of_dense_gradients(make: Any) -> None:
    (sparse, _), (dense, _) = trained(make), trained(make, sparse=False)
    taeda.testing.assert_close(sparse.detach(), dense.detach())


def test_sparse_adam_is_adam_where_each_row_is_asked_for() -> None:
    table, opt = trained(lambda p: optim.SparseAdam(p, lr=0.1, betas=(0.5, 0.9)))
    other, dense = trained(lambda p: optim.Adam(p, lr=0.1, betas=(0.5, 0.9)), sparse=False)
    taeda.testing.assert_close(table[[1, 3]].detach(), other[[1, 3]].detach())
    assert table[[0, 2]].tolist() == [[1, 2], [5, 6]] and opt.state[table]["step"] == 3
    taeda.testing.assert_close(opt.state[table]["exp_avg"], dense.state[other]["exp_avg"])
    assert set(opt.state_dict()["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}


def test_sparse_adam_leaves_the_moments_of_other_rows() -> None:
    table = taeda.ones(3, 1, requires_grad=True)
    opt = optim.SparseAdam([table], lr=0.1)
    for row in (0, 1):
        opt.zero_grad()
        ops.embedding(taeda.tensor([row]), table, sparse=True).sum().backward()
        opt.step()
    assert opt.state[table]["exp_avg"].flatten().tolist() == pytest.approx([0.1, 0.1, 0])
    assert table[2].item() == 1 and table[0].item() == pytest.approx(0.9, abs=1e-6)


def test_dense_and_sparse_gradients_in_one_group() -> None:
    for make in (lambda p: optim.SGD(p, lr=0.5), lambda p: optim.Adagrad(p, lr=0.5)):
        table, w = taeda.ones(3, 1, requires_grad=True), taeda.ones(1, requires_grad=True)
        opt = make([w, table])
        (ops.embedding(taeda.tensor([1]), table, sparse=True).sum() + w.sum()).backward()
        opt.step()
        assert table.flatten().tolist() == pytest.approx([1, 0.5, 1]) and w.item() == pytest.approx(0.5)


def test_a_sparse_gradient_in_a_group_that_was_added_later() -> None:
    first, table = taeda.ones(1, requires_grad=True), taeda.ones(3, 1, requires_grad=True)
    opt = optim.Adagrad([first], lr=0.5, initial_accumulator_value=3.0)
    opt.add_param_group({"params": [table]})
    ops.embedding(taeda.tensor([1]), table, sparse=True).sum().backward()
    opt.step()
    assert table.flatten().tolist() == pytest.approx([1, 0.75, 1])
    assert opt.state[table]["sum"].flatten().tolist() == [3, 4, 3] and opt.state[table]["step"].item() == 1


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Adamax", "RMSprop", "Adadelta", "NAdam", "RAdam", "Rprop", "ASGD", "Adafactor", "Muon"])
def test_others_refuse(name: str) -> None:
    with pytest.raises(RuntimeError, match="does not support sparse gradients"):
        trained(getattr(optim, name))


def test_options_that_need_dense_gradients() -> None:
    with pytest.raises(RuntimeError, match=r"add\(sparse, dense\) is not supported"):
        trained(lambda p: optim.SGD(p, lr=0.1, weight_decay=0.1))
    with pytest.raises(RuntimeError, match="weight_decay option is not compatible"):
        trained(lambda p: optim.Adagrad(p, lr=0.1, weight_decay=0.1))
    for make in (lambda p: optim.SGD(p, lr=0.1, fused=True), lambda p: optim.Adagrad(p, lr=0.1, fused=True)):
        with pytest.raises(RuntimeError, match="does not support sparse"):
            trained(make)
    with pytest.raises(ValueError, match="Sparse params at indices"):
        optim.SparseAdam([taeda.eye(2).to_sparse().requires_grad_()])


def test_lbfgs_takes_them_as_dense() -> None:
    table = taeda.ones(3, 1, requires_grad=True)
    opt = optim.LBFGS([table], max_iter=5)

    def closure() -> Any:
        opt.zero_grad()
        loss = (ops.embedding(taeda.tensor([1]), table, sparse=True) ** 2).sum()
        loss.backward()
        return loss

    opt.step(closure)
    assert table[1].item() == pytest.approx(0, abs=1e-4) and table[0].item() == 1

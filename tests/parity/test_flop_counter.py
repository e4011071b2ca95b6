"""Floating-point operations of whole modules and single ops: PyTorch's numbers, by module, forward and backward."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
import torch.utils.flop_counter

import taeda
import taeda.utils.flop_counter


def counted(t: Any, call: Any, *, display: bool = False) -> tuple[dict[str, dict[str, int]], int, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with t.utils.flop_counter.FlopCounterMode(display=display) as counter:
            call(t)
    counts = {module: {str(op): n for op, n in ops.items() if n} for module, ops in counter.get_flop_counts().items()}
    return {module: ops for module, ops in counts.items() if ops}, counter.get_total_flops(), counter


def step(build: Any, *shapes: tuple[int, ...], requires_grad: bool = False) -> Any:
    def call(t: Any) -> None:
        out = build(t.nn)(*[t.randn(shape, requires_grad=requires_grad) for shape in shapes])
        (out[0] if isinstance(out, tuple) else out).sum().backward()
    return call


def cnn(nn: Any) -> Any:
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(4, 6, 3, stride=2), nn.Flatten(), nn.Linear(54, 5))


MODULES = {
    "mlp": step(lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3)),
    "mlp, input": step(lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3), requires_grad=True),
    "nested": step(lambda nn: nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Sequential(nn.Linear(4, 4))), (5, 3)),
    "linear 3-d": step(lambda nn: nn.Linear(3, 4), (2, 5, 3)), "linear 1-d": step(lambda nn: nn.Linear(3, 4), (3,)),
    "no bias": step(lambda nn: nn.Linear(3, 4, bias=False), (2, 5, 3)),
    "cnn": step(cnn, (2, 3, 16, 16)), "cnn, input": step(cnn, (2, 3, 16, 16), requires_grad=True),
    "groups": step(lambda nn: nn.Conv2d(4, 6, 3, groups=2), (1, 4, 7, 7), requires_grad=True),
    "unbatched": step(lambda nn: nn.Conv1d(4, 6, 3), (4, 9), requires_grad=True),
    "3-d": step(lambda nn: nn.Conv3d(2, 3, 2), (2, 2, 4, 5, 6), requires_grad=True),
    "transposed": step(lambda nn: nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (2, 4, 5, 5), requires_grad=True),
    "transformer": step(lambda nn: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 3, 8)),
    "transformer, input": step(lambda nn: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 3, 8), requires_grad=True),
    "decoder": step(lambda nn: nn.TransformerDecoderLayer(8, 2, 16), (3, 2, 8), (4, 2, 8)),
    "attention": step(lambda nn: nn.MultiheadAttention(8, 2), (3, 2, 8), (4, 2, 8), (4, 2, 8)),
}
OPS = [
    "r(3,4)@r(4)", "r(4)@r(4,3)", "r(2,3,4)@r(4)", "r(4)@r(2,4,3)", "r(2,3,4)@r(4,5)", "r(3,4)@r(2,4,5)", "r(2,3,4)@r(2,4,5)",
    "r(1,3,4)@r(2,4,5)", "r(2,3,4)@r(1,4,5)", "r(3,2,4).mT@r(2,5)", "r(2,3,4).transpose(0,1)@r(4,5)", "r(1,2,3,4)@r(2,2,4,5)",
    "r(7,1,3,4)@r(2,4,5)", "t.mm(r(3,4), mat2=r(4,5))", "r(2,3,4).bmm(r(2,4,5))", "t.addmm(r(3,5),r(3,4),r(4,5))",
    "t.baddbmm(r(2,3,5),r(2,3,4),r(2,4,5))", "t.einsum('bij,bjk->bik',r(2,3,4),r(2,4,5))", "t.einsum('ij,jk->ik',r(3,4),r(4,5))",
    "t.einsum('i,j->ij',r(3),r(4))", "t.einsum('bhid,bhjd->bhij',r(2,3,4,5),r(2,3,6,5))", "t.tensordot(r(3,4),r(4,5),1)",
    "t.tensordot(r(3,4,5),r(5,4,2),([1,2],[1,0]))", "t.inner(r(3,4),r(2,4))", "t.mv(r(3,4),r(4))", "t.dot(r(4),r(4))",
    "t.nn.functional.linear(r(2,3),r(4,3))", "t.nn.functional.linear(r(2,2,3),r(4,3),r(4))", "t.nn.functional.linear(r(2,3,2).mT,r(4,3),r(4))",
    "t.nn.functional.linear(r(2,3,2).mT,r(4,3))", "t.nn.functional.linear(r(3),r(4,3))",
    "t.nn.functional.linear(r(2,3),r(3))", "t.nn.functional.linear(input=r(2,3),weight=r(4,3),bias=r(4))", "t.matmul(r(2,0),r(0,3))",
    "t.nn.functional.scaled_dot_product_attention(r(2,3,4),r(2,3,4),r(2,3,4))",
    "t.nn.functional.scaled_dot_product_attention(r(1,2,3,4),r(1,2,5,4),r(1,2,5,4))",
    "t.nn.functional.scaled_dot_product_attention(r(1,2,3,4),r(1,2,5,4),r(1,2,5,4),dropout_p=0.5)",
    "t.nn.functional.scaled_dot_product_attention(r(1,2,3,4),r(1,2,5,4),r(1,2,5,6))",
    "t.nn.functional.conv1d(r(2,2,5),r(3,2,2),padding=1)",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    expected, total, _ = counted(torch, MODULES[name])
    assert counted(taeda, MODULES[name])[:2] == (expected, total) and total > 0


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("op", OPS)
def test_ops(op: str, grad: bool) -> None:
    def call(t: Any) -> None:
        out = eval(op, {"t": t, "r": lambda *s: t.randn(*s, requires_grad=grad)})
        if grad:
            out.sum().backward()

    assert counted(taeda, call)[:2] == counted(torch, call)[:2]


def test_a_pass_for_chosen_inputs_counts_their_gradients_alone() -> None:
    def call(t: Any) -> None:
        a, b = t.randn(3, 4, requires_grad=True), t.randn(4, 5, requires_grad=True)
        t.autograd.grad((a @ b).sum(), a)

    assert counted(taeda, call)[:2] == counted(torch, call)[:2] == ({"Global": {"aten.mm": 240}}, 240)


def test_recomputation_in_backward_is_counted() -> None:
    def call(t: Any) -> None:
        model = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 4), t.nn.Tanh())
        t.utils.checkpoint.checkpoint(model, t.randn(5, 3, requires_grad=True), use_reentrant=False).sum().backward()

    import torch.utils.checkpoint  # noqa: F401
    assert counted(taeda, call)[0]["Global"] == counted(torch, call)[0]["Global"]


@pytest.mark.parametrize("depth", [1, 2, None])
@pytest.mark.parametrize("name", ["mlp", "cnn, input", "transformer"])
def test_tables(name: str, depth: int | None) -> None:
    pytest.importorskip("tabulate")
    theirs, ours = (counted(t, MODULES[name])[2].get_table(depth) for t in (torch, taeda))
    assert [line.split() for line in ours.splitlines() if "--" not in line] == [
        line.split() for line in theirs.splitlines() if "--" not in line]       # from tabulate 0.10 on PyTorch's loses its margins

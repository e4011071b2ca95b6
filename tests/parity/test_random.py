"""One seed, two libraries: the same numbers, the same state afterwards, the same kinds of error."""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest
import taeda
import torch

FILLS = [
    "t.rand(s, dtype=d)", "t.randn(s, dtype=d)", "t.randint(10, s)", "t.randint(-5, 2**20, s)", "t.randint(2**28, s)",
    "t.randint(-7, 2**40, s)", "t.randint(0, 200, s, dtype=t.uint8)", "t.randint(0, 9, s, dtype=d)", "t.randperm(n)",
    "t.randperm(n, dtype=d)", "t.bernoulli(x)", "t.bernoulli(x, 0.3)", "t.rand_like(x)", "t.randn_like(x)",
    "t.randint_like(x, 3, 9)", "t.normal(x, 2.0)", "t.normal(1.0, x)", "t.normal(x, x)", "t.normal(1.0, 2.0, s)",
    "x.clone().uniform_(-1, 3)", "x.clone().uniform_(-0.3, 0.5)", "x.clone().normal_(1, 3)", "x.clone().random_()",
    "x.clone().random_(3, None)", "x.clone().random_(-9, 5)", "x.clone().exponential_(2)", "x.clone().bernoulli_(0.3)",
    "x.clone().bernoulli_(x)", "x.clone().cauchy_(1, 2)", "x.clone().log_normal_(1, 0.5)", "x.clone().geometric_(0.3)",
    "t.multinomial(w, 5, True)", "t.multinomial(w, w.shape[-1])", "t.multinomial(w[0], 1)", "t.empty(9, dtype=t.bool).random_()",
    "t.zeros(40, dtype=d)[::2].normal_()", "t.zeros(6, 7, dtype=d).t()[1::2].uniform_()", "t.empty(5, dtype=t.int64).random_(-2**63, None)",
    "t.nn.functional.dropout(t.ones(n), 0.3)",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", FILLS)
def test_the_same_stream(expression: str, dtype: str) -> None:
    r = random.Random(expression)
    for round in range(12):
        shape = tuple(r.choice([0, 1, 2, 3, 15, 16, 17, 33]) for _ in range(r.randrange(4)))
        n, found = r.randrange(60), []
        for t in (taeda, torch):
            t.manual_seed(round)
            d = getattr(t, dtype)
            x = t.rand(shape, dtype=d)
            x = x.transpose(0, 1) if len(shape) > 1 and round % 2 else x
            w = t.rand(3, 1 + n % 9)
            found.append(eval(expression, {"t": t, "s": shape, "n": n, "x": x, "w": w, "d": d}))
        a, b = found
        assert tuple(a.shape) == tuple(b.shape) and str(a.dtype)[6:] == str(b.dtype)[6:]
        tolerance = 2e-6 if "norm" in expression or "randn" in expression or "cauchy" in expression else 0.0
        wanted = b.double()
        assert torch.allclose(torch.from_numpy(a.numpy()).double(), wanted, rtol=tolerance, atol=tolerance), (shape, a, b)
        assert taeda.get_rng_state().tolist()[:5016] == torch.get_rng_state().tolist()[:5016]


def test_states_are_exchanged_both_ways() -> None:
    torch.manual_seed(4)
    torch.randn(3), torch.rand(700)
    taeda.set_rng_state(taeda.from_numpy(torch.get_rng_state().numpy()))
    assert taeda.randn(5, dtype=taeda.float64).tolist() == pytest.approx(torch.randn(5, dtype=torch.float64).tolist(), rel=1e-12)
    taeda.randn(3), taeda.rand(300)
    torch.set_rng_state(torch.from_numpy(taeda.get_rng_state().numpy()))
    assert taeda.rand(9).tolist() == torch.rand(9).tolist()
    assert torch.Generator().initial_seed() == taeda.Generator().initial_seed()


ERRORS = [
    "e(3).uniform_(2,1)", "e(3).normal_(0,-1)", "e(3).bernoulli_(1.5)", "t.bernoulli(t.tensor([2.]))", "t.randint(5,5,(2,))",
    "e(3,dtype=t.uint8).random_(0,300)", "e(3,dtype=t.uint8).random_(-1,30)", "t.randperm(-1)", "t.randperm(300,dtype=t.uint8)",
    "t.randperm(3,dtype=t.bool)", "e(3).exponential_(-1)", "e(3,dtype=t.int64).exponential_(1)", "e(3,dtype=t.int64).normal_()",
    "t.rand(3,dtype=t.bool)", "t.multinomial(t.tensor([1.,-1]),1)", "t.multinomial(t.tensor([1.,-1]),2,True)",
    "t.multinomial(t.tensor([0.,0]),2)", "t.multinomial(t.tensor([0.,float('inf')]),2,True)", "t.multinomial(t.tensor([0.,1]),3)",
    "t.multinomial(t.tensor([1,1]),1)", "t.multinomial(t.ones(2,2,2),1)", "t.multinomial(t.ones(2,0),2,True)", "t.rand(-1)",
    "t.rand('a')", "t.rand(2,3.5)", "t.rand(True)", "t.rand()", "t.manual_seed(2**64)", "t.manual_seed('a')",
    "t.Generator().manual_seed(1.5)", "t.Generator().set_state(t.zeros(10))", "t.Generator('foo')", "t.Generator('meta')",
    "t.Generator().set_state(t.zeros(5056,dtype=t.uint8))", "t.rand(2,generator=3)", "t.normal(t.zeros(2),t.tensor([1.,-1]))",
    "t.normal(t.zeros(2),t.zeros(3))", "t.normal(0.,1.)", "t.rand(2,out=e(2,dtype=t.float64),dtype=t.float32)", "t.randint(3,2)",
    "t.randint(3.5,(2,))", "e(3).bernoulli_(t.tensor([1,0,1]))", "e(3).bernoulli_(t.rand(2))", "e(3,requires_grad=True).uniform_()",
    "e(3).expand(2,3).uniform_()", "e(3).uniform_(-3.4e38,3.4e38)", "e(3).geometric_(0)", "e(3).log_normal_(0,-1)",
    "e(3).cauchy_(0,0)", "t.rand(2,layout=3)", "t.rand(2,pin_memory=True)", "t.randint(3,(2,),requires_grad=True)",
    "e(3).random_(5.5)", "e(3).random_(0)", "e(3,dtype=t.int32).random_(-2**63,None)", "t.rand(2,dtype='float32')",
    "t.multinomial(t.ones(3),1,out=e(1))", "t.rand(1,out=e(2,requires_grad=True))", "e(3).normal_(0,float('nan'))",
    "t.randint(2**63,(2,))", "t.randperm(3.)", "t.normal(0,1,3)", "t.rand_like([1])", "t.rand(2**61)", "t.set_rng_state(3)",
]  # fmt: skip


@pytest.mark.parametrize("expression", ERRORS)
def test_the_same_kind_of_error(expression: str) -> None:
    kinds: list[Any] = []
    for t in (torch, taeda):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as caught:
                eval(expression, {"t": t, "e": t.empty})
        kinds.append(caught.type)
    assert issubclass(kinds[1], kinds[0])

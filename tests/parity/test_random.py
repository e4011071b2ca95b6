"""One seed, two libraries: the same numbers, the same state afterwards, the same kinds of error."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import taeda

FILLS = [
    "t.rand(s, dtype=d)", "t.randn(s, dtype=d)", "t.rand_like(x)", "t.randn_like(x)", "t.normal(x, 2.0)", "t.normal(1.0, x)",
    "t.normal(x, x)", "t.normal(1.0, 2.0, s, dtype=d)", "t.bernoulli(x)", "t.bernoulli(x, 0.3)", "t.randint_like(x, 3, 9)",
    "t.randint(0, 9, s, dtype=d)", "t.randperm(n, dtype=d)", "t.poisson(x)", "t.poisson(x * 40)",
    "x.clone().uniform_(-1, 3)", "x.clone().uniform_(-0.3, 0.5)", "x.clone().uniform_(1000, 1001)", "x.clone().uniform_(3, 3)",
    "x.clone().normal_(1, 3)", "x.clone().random_()", "x.clone().random_(3, None)", "x.clone().random_(-9, 5)", "x.clone().random_(-999, 999)",
    "x.clone().exponential_(2)", "x.clone().bernoulli_(0.3)", "x.clone().bernoulli_(x)", "x.clone().cauchy_(1, 2)",
    "x.clone().log_normal_(1, 0.5)", "x.clone().geometric_(0.3)", "t.zeros(40, dtype=d)[::2].normal_()",
    "t.zeros(6, 7, dtype=d).t()[1::2].uniform_()", "t.zeros(99, dtype=d)[3:].normal_(0.1, 0.9)", "t.zeros(3, 4, 5, 6, dtype=d).transpose(1, 3).normal_()",
    "t.nn.functional.dropout(t.ones(n, dtype=d), 0.3)",
]  # fmt: skip
COUNTS = [
    "t.randint(10, s)", "t.randint(-5, 2**20, s)", "t.randint(2**28, s)", "t.randint(2**28 - 1, s)", "t.randint(-7, 2**40, s)",
    "t.randint(-2**63, 2**63 - 1, s)", "t.randint(3, s, dtype=t.int32)", "t.randint(-2**31, 2**31 - 1, s, dtype=t.int32)",
    "t.randint(0, 200, s, dtype=t.uint8)", "t.randint(0, 2, s, dtype=t.bool)", "t.randperm(n)", "t.randperm(n, dtype=t.int32)",
    "t.randperm(n, out=t.zeros(2 * n, dtype=t.int64)[::2])", "t.empty(9, dtype=t.bool).random_()", "t.empty(5, dtype=t.int64).random_(-2**63, None)",
    "t.empty(s, dtype=t.int32).random_()", "t.empty(s, dtype=t.uint8).bernoulli_(0.3)", "t.empty(s, dtype=t.int64).geometric_(0.3)",
    "t.multinomial(w, 5, True)", "t.multinomial(w, w.shape[-1])", "t.multinomial(w[0], 1)", "t.multinomial(w.double(), 3, True)",
    "t.binomial(w.floor(), w / 9)", "t.binomial(w * 1000, w[:1] / 9)", "t.binomial((w * 30).double(), w.double() / 9)", "t.binomial(w.t(), (w / 9).t())",
    "t.randint(-5, 100, s, dtype=t.int8)", "t.randint(-5, 999, s, dtype=t.int16)", "t.randint(2**16, s, dtype=t.uint16)",
    "t.randint(2**32, s, dtype=t.uint32)", "t.randint(2**63 - 1, s, dtype=t.uint64)", "t.empty(s, dtype=t.int8).random_()",
    "t.empty(s, dtype=t.int16).random_()", "t.empty(s, dtype=t.uint16).random_(3, None)", "t.empty(s, dtype=t.int8).bernoulli_(0.7)",
    "t.empty(x.shape, dtype=t.int16).bernoulli_(x)", "t.empty(x.shape).bernoulli_(x.half())", "t.empty(s, dtype=t.int16).geometric_(0.3)",
    "t.randperm(n, dtype=t.int8)", "t.randperm(n, dtype=t.int16)", "t.rand(s, dtype=t.complex64)", "t.rand(s, dtype=t.complex128)",
    "t.randn(s, dtype=t.complex64)", "t.randn(s, dtype=t.complex128)", "t.empty(s, dtype=t.complex64).normal_(1, 2)",
    "t.empty(s, dtype=t.complex128).uniform_(-1, 2)", "t.zeros(4, 6, dtype=t.complex64).t().normal_()", "t.normal(t.rand(s, dtype=t.complex64), 2.)",
    "t.multinomial(w.half(), 1)", "t.multinomial(w.half(), 3, True)", "t.multinomial(w.bfloat16(), 3, True)",
    "t.rand(s, out=t.empty(0))", "t.normal(x, 2.0, out=t.empty(x.shape, dtype=t.float64))", "t.randint(9, s, out=t.empty(0))",
]  # fmt: skip


def bits(x: Any, t: Any) -> np.ndarray:
    return x.contiguous().view(-1).view(t.uint8).numpy()


def check_the_same_stream(expression: str, dtype: str, sizes: tuple[int, ...]) -> None:
    """Evaluate in both libraries: shape, strides, dtype, every bit and the state afterwards must be equal."""
    r = random.Random(expression)
    for round in range(12):
        shape = tuple(r.choice(sizes) for _ in range(r.randrange(4)))
        n, found = r.randrange(60), []
        for t in (taeda, torch):
            t.manual_seed(round)
            d = getattr(t, dtype)
            x = t.rand(shape, dtype=d)
            x = x.transpose(0, 1) if len(shape) > 1 and round % 2 else x
            w = t.rand(3, 1 + n % 9) * 9
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")          # of integers that a float dtype does not hold
                found.append(eval(expression, {"t": t, "s": shape, "n": n, "x": x, "w": w, "d": d}))
        a, b = found
        assert (tuple(a.shape), a.stride(), str(a.dtype)[6:]) == (tuple(b.shape), b.stride(), str(b.dtype)[6:])
        np.testing.assert_array_equal(bits(a, taeda), bits(b, torch))
        assert taeda.get_rng_state().tolist() == torch.get_rng_state().tolist()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("expression", FILLS)
def test_the_same_stream(expression: str, dtype: str) -> None:
    check_the_same_stream(expression, dtype, (0, 1, 2, 3, 15, 16, 17, 33))


@pytest.mark.parametrize("expression", COUNTS)
def test_the_same_counts(expression: str) -> None:
    check_the_same_stream(expression, "float32", (0, 1, 2, 3, 17, 40))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_many_normals_are_equal_to_the_bit(dtype: str) -> None:
    """Every octant of sin and cos, both halves of log, and uniforms next to 0 and 1."""
    for n, mean, std in [(300_000, 0.0, 1.0), (65_549, -1.3, 0.7)]:
        found = []
        for t in (taeda, torch):
            t.manual_seed(n)
            found.append(bits(t.empty(n, dtype=getattr(t, dtype)).normal_(mean, std), t))
        np.testing.assert_array_equal(*found)


def test_states_are_exchanged_both_ways() -> None:
    torch.manual_seed(4)
    torch.randn(3), torch.rand(700)
    taeda.set_rng_state(taeda.from_numpy(torch.get_rng_state().numpy()))
    assert taeda.randn(5, dtype=taeda.float64).tolist() == torch.randn(5, dtype=torch.float64).tolist()
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
    "t.Generator().graphsafe_get_state()", "t.Generator().get_offset()", "t.Generator().manual_seed(True)", "t.rand(2,requires_grad=1)",
    "t.rand(2,names=None)", "t.randint(True,(2,))", "t.randint((2,))", "t.randperm(True)", "t.randperm(129,dtype=t.int8)",
    "t.normal(t.zeros(2),1.,dtype=t.float64)", "t.normal(t.zeros(2),1.,(2,))", "t.normal(t.zeros(2).long(),1.)", "t.poisson(t.tensor([-1.]))",
    "t.poisson(t.tensor([1]))", "t.poisson(1.)", "t.binomial(t.ones(2),.5)", "t.binomial(t.ones(2),t.ones(3))",
    "t.binomial(t.ones(2),t.ones(2).double())", "t.binomial(t.ones(2).long(),t.ones(2).long())", "t.poisson(t.ones(2),out=e(2))",
    "t.binomial(t.ones(2,requires_grad=True),t.ones(2)).sum().backward()", "e(3).random_(2**24,None)", "e(3,dtype=t.bool).random_(2,None)",
    "e(3,dtype=t.bool).random_(-2**63,None)", "e(3,dtype=t.bool).geometric_(.5)", "e(3,dtype=t.uint16).random_()",
    "e(3,dtype=t.uint32).bernoulli_(.5)", "e(3,dtype=t.uint64).random_(3,None)", "e(3,dtype=t.uint16).geometric_(.5)",
    "t.randperm(3,dtype=t.uint16)", "t.randint(3,(2,),dtype=t.complex64)", "e(3,dtype=t.complex64).exponential_()",
    "e(3,dtype=t.float16).random_(70000)", "e(3,dtype=t.float16).random_(-2**63,None)", "e(3,dtype=t.float16).uniform_(0,70000)",
    "t.binomial(t.ones(2,dtype=t.float16),t.ones(2,dtype=t.float16))", "t.randperm(2050,dtype=t.float16)", "t.set_rng_state(None)",
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

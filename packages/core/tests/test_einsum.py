"""einsum and tensordot against NumPy for equations that nobody chose: planned ones, repeated, broadcast, of one to three operands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import taeda

SIZES = {"a": 2, "b": 3, "c": 1, "d": 4, "e": 2}


@st.composite
def equations(draw):
    """An equation of one to three operands over five labels, its shapes, and whether operands are permuted views."""
    terms = draw(st.lists(st.text("abcde", max_size=4), min_size=1, max_size=3))
    known = sorted({t for term in terms for t in term})
    output = "".join(draw(st.permutations(known)))[: draw(st.integers(0, len(known)))]
    return f"{','.join(terms)}->{output}", [tuple(SIZES[t] for t in term) for term in terms], draw(st.booleans())


@given(equations(), st.integers(0, 100))
@settings(max_examples=300, deadline=None)
def test_random_equations_equal_numpys(case, seed) -> None:
    equation, shapes, strided = case
    rng = np.random.default_rng(seed)
    arrays = [np.array(rng.standard_normal(s)) for s in shapes]
    tensors = [taeda.tensor(x) for x in arrays]
    if strided:
        tensors = [t.permute(tuple(range(t.ndim))[::-1]).contiguous().permute(tuple(range(t.ndim))[::-1]) for t in tensors]
    got = taeda.einsum(equation, *tensors)
    want = np.einsum(equation, *arrays)
    assert tuple(got.shape) == want.shape
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("sa", "sb", "dims"), [((2, 3, 4), (4, 3, 5), ([2, 1], [0, 1])), ((2, 3), (3, 4), 1), ((2, 3), (4,), 0), ((2, 3, 4), (3, 4), 2),
                                                ((3, 2), (5, 3), ([0], [1])), ((2, 3), (2, 3), ([0, 1], [-2, -1])), ((), (2,), 0)])
def test_tensordot_equals_numpys(sa, sb, dims) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(sa), rng.standard_normal(sb)
    for _ in range(2):                                         # planned, and from what is remembered
        got = taeda.tensordot(taeda.tensor(x), taeda.tensor(y), dims)
        np.testing.assert_allclose(got.numpy(), np.tensordot(x, y, dims), rtol=1e-12)


def test_sizes_of_one_broadcast() -> None:
    x, y = taeda.arange(6.0).reshape(2, 3), taeda.arange(1.0, 3.0).reshape(2, 1)
    assert taeda.tensordot(x, y, ([0, 1], [0, 1])).item() == float((x * y).sum())
    assert taeda.equal(taeda.einsum("ij,ij->ij", x, y), x * y) and taeda.equal(taeda.einsum(" i j , i j -> i j ", x, y), x * y)
    assert taeda.equal(taeda.einsum("ij,ij->i", x, y), (x * y).sum(1))


@pytest.mark.parametrize(("call", "error"), [
    (lambda x: taeda.einsum("ij,jk->ik", x, x), "do not broadcast"), (lambda x: taeda.einsum("ij,k->ik", x, x), "does not match"),
    (lambda x: taeda.einsum("i. ..", x), "not part of any ellipsis"), (lambda x: taeda.einsum("ij- > i", x), "found '-'"),
    (lambda x: taeda.tensordot(x, x, ([1], [0])), "need to match"), (lambda x: taeda.tensordot(x, x, 3), "dims < ndim"),
])
def test_errors_come_every_time(call, error) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError, match=error):
            call(taeda.ones(2, 3))


@pytest.mark.parametrize(("equation", "stride"), [("bij->jb", (2, 1)), ("bij,bij->jb", (2, 1)), ("bij,bij->ji", (3, 1)),
                                                  ("bij,j->ib", (2, 1)), ("j,bij->jb", (2, 1)), ("bij,bjk->kb", (1, 5)), ("bij->jib", (1, 4, 12))])
def test_results_lie_in_memory_as_pytorchs(equation, stride) -> None:
    shapes = {"bij": (2, 3, 4), "j": (4,), "bjk": (2, 4, 5)}
    y = taeda.einsum(equation, *[taeda.ones(shapes[term]) for term in equation.split("->")[0].split(",")])
    assert y.stride() == stride


def test_operands_change_places_only_where_the_last_size_is_not_1() -> None:
    """PyTorch's strides again: a program took a view of the first one."""
    x, k = taeda.ones(2, 3, 8, 1, 6, 9), taeda.ones(2, 3, 5, 9, 8)
    assert taeda.einsum("bildsk,biokl->bolsd", x, k).stride()[:4] == (240, 1, 30, 5)
    assert taeda.einsum("bij,bjk->bki", taeda.ones(3, 2, 4), taeda.ones(3, 4, 5)).stride() == (10, 2, 1)


# by PyTorch: a size of 1 counts as one of the columns, a sum over one is none, and what sums nothing follows its operands
@pytest.mark.parametrize(("equation", "shapes", "stride"), [
    ("bik,dk->dib", [(2, 3, 4), (1, 4)], (2, 1)), ("fc,cd->dcf", [(7, 1), (1, 5)], (1, 5)), ("bea,fba->aebf", [(2, 3, 6), (1, 2, 6)], (1, 6, 18)),
    ("bij,bk->kbi", [(2, 3, 1), (2, 4)], (3, 12, 1)), ("de,b->edb", [(5, 6), (3,)], (3, 18, 1)),
    ("ebcf,ca,ba->ef", [(2, 3, 4, 1), (4, 5), (3, 5)], (1,)), ("ib,bj->bij", [(3, 2), (2, 4)], (4, 8, 1)), ("bik,kd->dib", [(2, 3, 4), (4, 5)], (6, 2, 1)),
])
def test_where_sizes_are_1_too(equation, shapes, stride) -> None:
    y = taeda.einsum(equation, *[taeda.ones(s) for s in shapes])
    assert tuple(s for s, n in zip(y.stride(), y.shape, strict=True) if n != 1) == stride


def test_an_equation_alone_is_a_value_error() -> None:
    for args in ((), ("",), ("ij", [])):
        with pytest.raises(ValueError, match=r"^\[einsum\] must"):
            taeda.einsum(*args)


def test_contractions_of_mixed_dtypes_are_refused_and_products_of_elements_promote() -> None:
    a, b = taeda.ones(2, 2), taeda.full((2, 2), 3.0, dtype=taeda.float64)
    for equation in ("ij,jk->ik", "ij,ij->", "ij,kj->ik"):
        for x, y in ((a, b), (b, a), (a, b.int()), (a, b.to(taeda.complex64))):
            with pytest.raises(RuntimeError, match="dtype"):
                taeda.einsum(equation, x, y)
    for equation in ("ij,ij->ij", "i...,j...->ij...", "ij,ik->i"):
        y = taeda.einsum(equation, a, b)
        assert y.dtype == taeda.float64 and taeda.equal(y, taeda.einsum(equation, a.double(), b))
    whole = taeda.ones(2, 2, dtype=taeda.int32)                      # one is summed first, which makes it int64
    assert taeda.einsum("ij,jk->k", whole, whole).tolist() == [4, 4]

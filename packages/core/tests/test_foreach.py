"""The ``_foreach_*`` functions: an operation on each tensor of a list."""

from __future__ import annotations

from typing import Any

import pytest

import taeda


def values(made: Any) -> list[Any]:
    return [t.tolist() for t in made]


def test_foreach() -> None:
    a, b = [taeda.tensor([1.0, 2.0]), taeda.tensor([3.0])], [taeda.tensor([10.0, 20.0]), taeda.tensor([30.0])]
    assert values(taeda._foreach_add(a, b, alpha=2)) == [[21, 42], [63]]
    assert values(taeda._foreach_mul(a, [2, 3])) == [[2, 4], [9]]
    assert values(taeda._foreach_div(a, taeda.tensor(2.0))) == [[0.5, 1], [1.5]]
    assert values(taeda._foreach_addcmul(a, b, b, value=0.5)) == [[51, 202], [453]]
    assert values(taeda._foreach_addcdiv(a, b, a, [1, 2])) == [[11, 12], [23]]
    assert values(taeda._foreach_addcdiv(a, b, a, taeda.tensor([1.0, 2.0]))) == [[11, 12], [23]]
    assert values(taeda._foreach_lerp(a, b, 0.5)) == values(taeda._foreach_lerp(a, tensors1=b, weight=0.5)) == [[5.5, 11], [16.5]]
    assert values(taeda._foreach_mul(a, scalar=2)) == values(taeda._foreach_mul(a, other=taeda.tensor(2.0))) == [[2, 4], [6]]
    assert values(taeda._foreach_addcdiv(a, b, a, scalars=[1, 2])) == [[11, 12], [23]]
    assert values(taeda._foreach_pow(a, exponent=2)) == [[1, 4], [9]]
    assert values(taeda._foreach_sub(a, other=b, alpha=2)) == [[-19, -38], [-57]]
    with pytest.raises(TypeError):
        taeda._foreach_mul(a, 2, scalar=3)
    assert values(taeda._foreach_norm(b, 1)) == [30, 30] and values(taeda._foreach_maximum(a, 2)) == [[2, 2], [3]]
    assert isinstance(taeda._foreach_sqrt(a), tuple)
    kept = a[0]
    assert taeda._foreach_add_(a, 1)[0] is kept and values(a) == [[2, 3], [4]]
    taeda._foreach_copy_(a, b)
    assert values(a) == values(b)
    taeda._foreach_zero_(a)
    assert values(a) == [[0, 0], [0]]
    with pytest.raises(RuntimeError, match="same number of tensors, got 2 and 1"):
        taeda._foreach_add(a, b[:1])
    with pytest.raises(RuntimeError, match="at least one"):
        taeda._foreach_add([], 1)
    with pytest.raises(TypeError, match="list of Tensors"):
        taeda._foreach_add(a[0], 1)
    with pytest.raises(AttributeError):
        _ = taeda._foreach_nothing


def test_foreach_changes_return_the_list_that_was_given() -> None:
    a = (taeda.tensor([1.0, 2.0]), taeda.tensor([3.0]))
    assert taeda._foreach_mul_(a, 2) is a and taeda._foreach_zero_(a) is a
    assert values(taeda._foreach_powsum((taeda.tensor([1.0, -2.0]),), 2)) == [5.0]
    assert values(taeda._foreach_clone(a, memory_format=taeda.contiguous_format)) == values(a)


def test_foreach_knows_arguments_by_their_names_in_any_order() -> None:
    a, b = [taeda.tensor([1.0, 2.0])], [taeda.tensor([4.0, 8.0])]
    assert values(taeda._foreach_addcdiv(a, tensor2=b, tensor1=a, value=2)) == [[1.5, 2.5]]
    assert values(taeda._foreach_addcdiv(a, scalars=[4], tensor2=b, tensor1=a)) == [[2, 3]]
    assert values(taeda._foreach_lerp(a, weight=0.5, tensors1=b)) == [[2.5, 5]]


def test_foreach_looks_at_each_call_anew() -> None:
    a, b = [taeda.tensor([1.0, 2.0])], [taeda.tensor([4.0, 8.0])]
    assert values(taeda._foreach_addcdiv(a, b, a, [taeda.tensor(2.0)])) == [[9, 10]]
    with pytest.raises(TypeError, match=r"\[_foreach_addcdiv\] received an invalid combination"):
        taeda._foreach_addcdiv(a, b, a, b)
    assert values(taeda._foreach_div(a, taeda.tensor(2.0))) == [[0.5, 1]]
    with pytest.raises(RuntimeError, match="0 dim but it has 1"):
        taeda._foreach_div(a, taeda.tensor([2.0]))
    assert values(taeda._foreach_maximum_(a, 1.5)) == [[1.5, 2]]
    with pytest.raises(TypeError, match="invalid combination"):
        taeda._foreach_maximum_(a, taeda.tensor(1.5, requires_grad=True))
    assert values(taeda._foreach_mul(a, [2])) == [[3, 4]] and values(taeda._foreach_mul(a, b)) == [[6, 16]]
    with pytest.raises(RuntimeError, match="1 and 2 numbers"):
        taeda._foreach_mul(a, [2, 3])


@pytest.mark.parametrize(
    ("name", "error", "args", "kwargs"),
    [
        ("abs", TypeError, (2,), {}),
        ("max", TypeError, ([taeda.ones(2)],), {}),
        ("add", RuntimeError, (taeda.ones(1),), {}),                     # a tensor for all has no dimensions
        ("add", TypeError, ([taeda.ones(2), 3],), {}),
        ("clamp_min", TypeError, (taeda.ones(2),), {}),
        ("copy_", TypeError, (1,), {}),
        ("addcmul", TypeError, ([taeda.ones(2)],), {}),
        ("addcmul", TypeError, ([taeda.ones(2)], [taeda.ones(2)], [taeda.ones(2)]), {}),
        ("addcdiv", RuntimeError, ([taeda.ones(2)], [taeda.ones(2)], taeda.ones(())), {}),
        ("addcdiv", RuntimeError, ([taeda.ones(2)], [taeda.ones(2)], taeda.ones(3)), {}),
        ("lerp", TypeError, ([taeda.ones(2)],), {}),
        ("add", TypeError, (1,), {"alpha": 2}),
    ],
)
def test_foreach_refuses_what_no_form_of_it_takes(name: str, error: type[Exception], args: Any, kwargs: Any) -> None:
    with pytest.raises(error, match=rf"\[_foreach_{name}\]"):
        getattr(taeda, f"_foreach_{name}")([taeda.ones(2)], *args, **kwargs)
    with pytest.raises(TypeError, match="list of Tensors"):
        taeda._foreach_neg(t for t in (taeda.ones(2),))

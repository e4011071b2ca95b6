"""Operators of a program's own, called with instances of classes that take calls over: they are told of the operator, not of its kernel."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
from taeda.func.pytree import tree_leaves, tree_map
from taeda.library import Library, custom_op
from taeda.overrides import TorchFunctionMode
from taeda.utils._python_dispatch import TorchDispatchMode

heard: list[str] = []


@custom_op("classes::cube", mutates_args=())
def cube(x: taeda.Tensor) -> taeda.Tensor:
    return taeda.from_numpy(x.numpy() ** 3)                         # which no wrapper without memory could do


cube.register_fake(taeda.empty_like)
cube.register_autograd(
    lambda ctx, g: 3 * g * ctx.saved_tensors[0] ** 2, setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs)
)


@custom_op("classes::overwrite", mutates_args=("x",))
def overwrite(x: taeda.Tensor, value: float) -> None:
    x.numpy()[:] = value


lib = Library("classes_lib", "DEF")
lib.define("sum_and_difference(Tensor[] pair) -> (Tensor, Tensor)")
lib.impl("sum_and_difference", lambda pair: (pair[0] + pair[1], pair[0] - pair[1]), "CompositeExplicitAutograd")
lib.define("sine_and_one(Tensor x) -> Tensor")
lib.impl("sine_and_one", lambda x: x.sin() + 1, "CompositeImplicitAutograd")


class Pair(taeda.Tensor):
    """Two tensors of one shape, which go through operators side by side."""

    a: Any
    b: Any

    @staticmethod
    def __new__(cls, a: Any, b: Any) -> Any:
        made = taeda.Tensor._make_wrapper_subclass(cls, a.shape, dtype=a.dtype)
        made.a, made.b = a, b
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        heard.append(str(func))
        found = [func(*tree_map(lambda x, side=side: getattr(x, side) if isinstance(x, Pair) else x, args), **(kwargs or {}))
                 for side in ("a", "b")]
        if found[0] is None:
            return None
        made = [Pair(a, b) for a, b in zip(*(tree_leaves(x) for x in found), strict=True)]
        return tuple(made) if isinstance(found[0], tuple) else made[0]


def pair() -> Any:
    heard.clear()
    return Pair(taeda.tensor([1.0, 2.0]), taeda.tensor([3.0, 4.0]))


def sides(x: Any) -> list[Any]:
    return [x.a.tolist(), x.b.tolist()]


@pytest.mark.parametrize("call", [cube, taeda.ops.classes.cube, taeda.ops.classes.cube.default])
def test_a_class_is_told_of_the_operator_and_not_of_what_its_kernel_calls(call: Any) -> None:
    assert sides(call(pair())) == [[1.0, 8.0], [27.0, 64.0]] and heard == ["classes.cube.default"]


def test_several_results_and_tensors_in_a_list() -> None:
    both = taeda.ops.classes_lib.sum_and_difference([taeda.ones(2), pair()])
    assert [sides(x) for x in both] == [[[2.0, 3.0], [4.0, 5.0]], [[0.0, -1.0], [-2.0, -3.0]]]
    assert heard == ["classes_lib.sum_and_difference.default"]


def test_an_operator_that_writes_into_an_argument_does_so_through_the_class() -> None:
    x = pair()
    before = x._version
    assert overwrite(x, 5.0) is None and sides(x) == [[5.0, 5.0], [5.0, 5.0]] and heard == ["classes.overwrite.default"]
    assert x._version == before + 1


def test_the_derivative_of_an_operator_is_told_by_operators_too() -> None:
    x = pair().requires_grad_()
    y = cube(x)
    assert isinstance(y, Pair) and y.requires_grad and heard == ["classes.cube.default"]
    y.sum().backward()
    assert sides(x.grad) == [[3.0, 12.0], [27.0, 48.0]]


def test_a_composite_operator_is_told_by_what_it_calls() -> None:
    y = taeda.ops.classes_lib.sine_and_one(pair())
    assert heard == ["aten.sin.default", "aten.add.Tensor"] and taeda.equal(y.a, taeda.tensor([1.0, 2.0]).sin() + 1)


def test_a_mode_comes_before_the_class() -> None:
    class Mode(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            heard.append(f"mode {func} {[t.__name__ for t in types]}")
            return func(*args, **(kwargs or {}))

    x = pair()
    with Mode():
        y = cube(x)
    assert sides(y) == [[1.0, 8.0], [27.0, 64.0]] and heard == ["mode classes.cube.default ['Pair']", "classes.cube.default"]


def test_a_class_that_answers_for_no_operator_is_named() -> None:
    class Silent(Pair):
        @classmethod
        def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return NotImplemented

    with pytest.raises(TypeError, match=r"Multiple dispatch failed for 'classes.cube.default'"):
        cube(Silent(taeda.ones(1), taeda.ones(1)))


class Told(taeda.Tensor):
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        heard.append(str(func))
        return super().__torch_function__(func, types, args, kwargs or {})


@pytest.mark.parametrize(("call", "name"), [
    (cube, "classes.cube.default"), (taeda.ops.classes.cube, "classes.cube"), (taeda.ops.classes.cube.default, "classes.cube.default"),
])
def test_a_class_with_a_torch_function_takes_the_operator_over(call: Any, name: str) -> None:
    x = taeda.tensor([2.0]).as_subclass(Told)
    heard.clear()
    y = call(x)
    assert heard == [name] and type(y) is Told and y.as_subclass(taeda.Tensor).tolist() == [8.0]


def test_what_is_no_tensor_may_take_an_operator_over() -> None:
    class Like:
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return func, [t.__name__ for t in types]

    assert taeda.ops.classes_lib.sum_and_difference([taeda.ones(1), Like()]) == (taeda.ops.classes_lib.sum_and_difference, ["Like"])
    assert cube(Like()) == (taeda.ops.classes.cube.default, ["Like"])


def test_a_mode_of_functions_is_told_of_the_classes_too() -> None:
    class Mode(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            heard.append(f"mode {func} {[t.__name__ for t in types]}")
            return func(*args, **(kwargs or {}))

    x = taeda.ones(1).as_subclass(Told)
    heard.clear()
    with Mode():
        y = taeda.ops.classes.cube(x)
    assert heard == ["mode classes.cube ['Told']", "classes.cube"] and type(y) is Told


def test_a_class_that_answers_for_a_number_with_a_tensor_is_refused() -> None:
    class Circular(Pair):
        @classmethod
        def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return Circular(taeda.tensor(0), taeda.tensor(0))

    place = Circular(taeda.tensor(0), taeda.tensor(0))
    for ask in (place.item, lambda: taeda.ones(3)[place], lambda: int(place)):
        with pytest.raises(RuntimeError, match="Cannot cast Circular to number"):
            ask()

"""Functions that a user writes: results, derivatives of any order, what their context keeps, what is refused; gradcheck on them."""

from __future__ import annotations

import pytest
import taeda
from taeda.autograd import GradcheckError


def leaf(*values: float) -> taeda.Tensor:
    return taeda.tensor(list(values), dtype=taeda.float64, requires_grad=True)


class Scale(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, g):
        assert ctx.needs_input_grad == (True, False)
        (x,) = ctx.saved_tensors
        return g * ctx.factor + 0 * x, None


def test_function_forward_backward_and_second_derivative() -> None:
    x = leaf(1, 2)
    y = Scale.apply(x, 3.0)
    assert y.grad_fn.name() == "ScaleBackward"
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert taeda.autograd.gradcheck(lambda t: Scale.apply(t, 2.0), leaf(1, 2))


class Cube(taeda.autograd.Function):
    @staticmethod
    def forward(x):
        return x**3, x**2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g, _):
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


def test_function_with_setup_context_several_outputs_and_double_backward() -> None:
    x = leaf(2)
    y, z = Cube.apply(x)
    assert y.requires_grad and not z.requires_grad
    assert taeda.autograd.gradgradcheck(lambda t: Cube.apply(t)[0], leaf(2, 3))


class CubeOnce(Cube):
    @staticmethod
    def backward(ctx, g, _):
        (x,) = ctx.saved_tensors
        return (3 * x * x * g).detach()


def test_gradgradcheck_finds_gradients_that_have_no_history() -> None:
    x = leaf(2, 3)
    with pytest.raises(GradcheckError, match="expected to be zero"):
        taeda.autograd.gradgradcheck(lambda t: CubeOnce.apply(t)[0], x)
    assert not taeda.autograd.gradgradcheck(lambda t: CubeOnce.apply(t)[0], x, raise_exception=False)
    assert taeda.autograd.gradgradcheck(lambda t: t * 2, x)


class Row(taeda.autograd.Function):
    @staticmethod
    def forward(x, index=1, *, factor=2.0):
        return x[index] * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.index = inputs
        ctx.shape = x.shape

    @staticmethod
    def backward(ctx, g):
        whole = g.new_zeros(ctx.shape)
        whole[ctx.index] = g
        return whole, None

    @staticmethod
    def vmap(info, in_dims, x, index):
        return Row.apply(x.movedim(in_dims[0], 1), index), 0


def test_setup_context_and_vmap_get_the_defaults_of_forward() -> None:
    x = leaf([1, 2], [3, 4])
    Row.apply(x).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert Row.apply(x, index=0).tolist() == [2.0, 4.0]
    assert taeda.func.vmap(Row.apply)(taeda.ones(3, 2, 4)).tolist() == [[2.0] * 4] * 3
    with pytest.raises(TypeError, match="too many positional arguments"):
        Row.apply(x, 0, 1.0)


class AddOne(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x.add_(1)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g


def test_mark_dirty_keeps_the_tensor_and_bumps_its_version() -> None:
    x = leaf(1, 2)
    y = x * 2
    before = y._version
    z = AddOne.apply(y)
    assert z is y and y._version > before and y.grad_fn.name() == "AddOneBackward"
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


class Once(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    @taeda.autograd.once_differentiable
    def backward(ctx, g):
        return g * 2


def test_once_differentiable() -> None:
    x = leaf(1)
    (g,) = taeda.autograd.grad(Once.apply(x).sum(), x, create_graph=True)
    assert g.tolist() == [2.0]
    w = taeda.ones(1, dtype=taeda.float64, requires_grad=True)
    (g,) = taeda.autograd.grad(Once.apply(x), x, w, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


class TooMany(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g, g


def test_function_errors() -> None:
    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        TooMany.apply(leaf(1)).sum().backward()
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        made = TooMany()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        made(leaf(1))

    class Empty(taeda.autograd.Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(leaf(1))


class WrongSine(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.cos() * 1.01


def test_the_checker_finds_a_wrong_derivative() -> None:
    assert taeda.autograd.gradcheck(lambda t: t.sin(), leaf(0.3, 0.7))
    with pytest.raises(taeda.autograd.GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        taeda.autograd.gradcheck(WrongSine.apply, leaf(0.3, 0.7))
    assert not taeda.autograd.gradcheck(WrongSine.apply, leaf(0.3, 0.7), raise_exception=False)
    with pytest.raises(ValueError, match="at least one input"):
        taeda.autograd.gradcheck(lambda t: t.sin(), taeda.ones(2))


class Largest(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        values, places = x.max(0)
        ctx.mark_non_differentiable(places)
        ctx.save_for_backward(places)
        ctx.rows = x.shape[0]
        return values, places

    @staticmethod
    def backward(ctx, g, g_places):
        assert g_places.dtype == taeda.int64 and g_places.tolist() == [0, 0]
        (places,) = ctx.saved_tensors
        return g.new_zeros(ctx.rows, 2).scatter(0, places[None], g[None])


class Number(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return 3


def test_cotangents_of_outputs_without_derivative_are_zeros_too() -> None:
    x = taeda.tensor([[1.0, 5.0], [2.0, 3.0]], requires_grad=True)
    Largest.apply(x)[0].sum().backward()
    assert x.grad.tolist() == [[0, 1], [1, 0]]


def test_a_backward_that_returns_no_tensor_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match=r"\[NumberBackward\] expected a Tensor or None as gradient of input 0, got int"):
        Number.apply(taeda.ones(1, requires_grad=True)).backward()


def test_a_saved_output_requires_grad_in_backward_too() -> None:
    seen = []

    class Root(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.detach().sqrt()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            seen.append((y.requires_grad, y.is_leaf, taeda.is_grad_enabled()))
            with taeda.enable_grad():
                (slope,) = taeda.autograd.grad((y**2).sum(), y)  # of the equation that y solves
            return g / slope

    for create_graph in (False, True):
        x = leaf(4, 9)
        (g,) = taeda.autograd.grad(Root.apply(x).sum(), x, create_graph=create_graph)
        assert g.tolist() == [0.25, 1 / 6]
    with taeda.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), taeda.from_numpy):
        y = Root.apply(x)
    y.sum().backward()
    assert seen == [(True, False, False), (True, False, True), (True, False, False)]

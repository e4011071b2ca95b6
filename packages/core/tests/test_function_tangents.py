"""Functions with a jvp of their own inside of vmap, jacfwd and nested jvp, where tangents come from the graph: the jvp is what counts."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
from taeda.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap

X = [1.0, 2.0, 3.0]


class Cube(taeda.autograd.Function):
    """x^3 without a backward; its jvp uses the output, 3 y / x t."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        return x * x * x

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_forward(*inputs, output)

    @staticmethod
    def jvp(ctx: Any, t: Any) -> Any:
        x, y = ctx.saved_tensors
        return 3 * y / x * t


class NumpyCube(taeda.autograd.Function):
    """x^3 computed by NumPy: its backward cannot be differentiated, nor can its vmap be made."""

    @staticmethod
    def forward(x: Any) -> Any:
        return taeda.from_numpy(x.detach().numpy() ** 3)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_forward(*inputs)
        ctx.save_for_backward(*inputs)

    @staticmethod
    @taeda.autograd.function.once_differentiable
    def backward(ctx: Any, g: Any) -> Any:
        return 3 * ctx.saved_tensors[0] ** 2 * g

    @staticmethod
    def jvp(ctx: Any, t: Any) -> Any:
        return 3 * ctx.saved_tensors[0] ** 2 * t

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any) -> Any:
        return NumpyCube.apply(x), in_dims[0]


class Scaled(taeda.autograd.Function):
    """k x y, x + y, and what has no derivative; backward's is another on purpose."""

    generate_vmap_rule = True

    @staticmethod
    def forward(ctx: Any, x: Any, k: float, y: Any) -> Any:
        ctx.k = k
        ctx.save_for_forward(x, y)
        over = x > 1
        ctx.mark_non_differentiable(over)
        return k * x * y, x + y, over

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any, none: Any) -> Any:
        return 100 * g, None, 100 * g

    @staticmethod
    def jvp(ctx: Any, tx: Any, none: None, ty: Any) -> Any:
        x, y = ctx.saved_tensors
        assert none is None and tx is not None and ty is not None
        return ctx.k * (tx * y + ty * x), tx + ty, None


@pytest.mark.parametrize("function", [Cube, NumpyCube])
def test_the_jacobian_of_a_function_with_a_jvp(function: Any) -> None:
    x = taeda.tensor(X)
    slopes = taeda.tensor([3.0, 12.0, 27.0])
    assert jacfwd(function.apply)(x).equal(slopes.diag())
    assert vmap(jacfwd(function.apply))(taeda.stack([x, -x])).equal(taeda.stack([slopes.diag()] * 2))
    y, along = vmap(lambda x, t: jvp(function.apply, (x,), (t,)))(x, x)
    assert y.equal(x**3) and along.equal(slopes * x)
    assert vmap(lambda t: jvp(function.apply, (x,), (t,))[1])(2 * taeda.eye(3)).equal(2 * slopes.diag())
    push = linearize(function.apply, x)[1]
    assert push(x).equal(slopes * x) and vmap(push)(taeda.eye(3)).equal(slopes.diag())
    twice = jacfwd(lambda x: function.apply(function.apply(x)))(x)
    taeda.testing.assert_close(twice, (9 * x**8).diag())


def test_derivatives_of_what_a_jvp_computes() -> None:
    x, ones = taeda.tensor(X), taeda.ones(3)
    assert jvp(lambda x: jvp(Cube.apply, (x,), (ones,))[1], (x,), (ones,))[1].tolist() == [6, 12, 18]
    second = jacfwd(jacfwd(Cube.apply))(x)
    assert second.sum() == 36 and [second[i, i, i].item() for i in range(3)] == [6, 12, 18]
    taeda.testing.assert_close(vmap(jacfwd(jacfwd(lambda x: Cube.apply(Cube.apply(x)))))(x), 72 * x**7)
    assert grad(lambda x: vmap(lambda x: jvp(NumpyCube.apply, (x,), (taeda.ones(()),))[1])(x).sum())(x).tolist() == [6, 12, 18]


def test_all_arguments_and_outputs_of_a_function_with_a_jvp() -> None:
    x, y = taeda.tensor(X), taeda.tensor([4.0, 5.0, 6.0])

    def f(x: Any, y: Any) -> Any:
        return Scaled.apply(x, 3.0, y)[:2]

    (dx, dy), (one, other) = jacfwd(f, argnums=(0, 1))(x, y)
    assert dx.equal(3 * y.diag()) and dy.equal(3 * x.diag()) and one.equal(taeda.eye(3)) and other.equal(taeda.eye(3))
    dy, one = jacfwd(f, argnums=1)(x, y)
    assert dy.equal(3 * x.diag()) and one.equal(taeda.eye(3))
    value, along = vmap(lambda x: jvp(lambda x: f(x, x * x)[0], (x,), (taeda.ones(()),)))(x)
    assert value.equal(3 * x**3) and along.equal(9 * x**2)


def test_passes_without_tangents_go_by_backward() -> None:
    x, y = taeda.tensor(X), taeda.tensor([4.0, 5.0, 6.0])

    def slope(x: Any) -> Any:
        return grad(lambda x: Scaled.apply(x, 3.0, y)[0].sum())(x)

    assert slope(x).tolist() == [100, 100, 100]
    value, along = vmap(lambda t: jvp(slope, (x,), (t,)))(taeda.eye(3))
    assert value.equal(taeda.full((3, 3), 100.0)) and not along.any()
    assert hessian(lambda x: NumpyCube.apply(x.square()).detach().sum() + x.square().sum())(x).equal(2 * taeda.eye(3))


def test_what_a_jvp_saved_goes_with_the_transform() -> None:
    import gc
    import weakref

    kept: list[Any] = []

    def f(x: Any) -> Any:
        y = Cube.apply(x)
        kept.append(weakref.ref(y.grad_fn or x))
        return y

    gc.disable()
    try:
        vmap(lambda t: jvp(f, (taeda.ones(3),), (t,)))(taeda.eye(3))
        assert len(kept) == 1 and kept[0]() is None
    finally:
        gc.enable()


def test_a_list_of_indices_for_several_dimensions_in_batches() -> None:
    x = taeda.arange(60.0).reshape(3, 4, 5)
    for index in ([slice(0, 2), taeda.tensor([1, 0])], [[0, 3], slice(None)], [[0, 3], Ellipsis], [None, slice(0, 2)], [0, 3]):
        at = index if index == [0, 3] else tuple(index)
        assert vmap(lambda x: x[index])(x).equal(taeda.stack([sample[at] for sample in x]))


class SlopeOfSin(taeda.autograd.Function):
    """cos x, as the tangent of sin inside of forward, where gradients and tangents of the outside are off."""

    @staticmethod
    def forward(ctx: Any, x: Any, way: Any) -> Any:
        return way(taeda.sin, x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, None


WAYS = {
    "jvp": lambda f, x: jvp(f, (x,), (taeda.ones(3),))[1],
    "jvp in vmap": lambda f, x: vmap(lambda x: jvp(f, (x,), (taeda.ones(()),))[1])(x),
    "jvp in jvp": lambda f, x: jvp(lambda z: jvp(f, (x,), (z,))[1], (x,), (taeda.ones(3),))[1],
    "jacfwd": lambda f, x: jacfwd(f)(x).diagonal(),
    "hessian": lambda f, x: hessian(lambda z: jvp(f, (x,), (z,))[1].square().sum() / 2)(x).diagonal().sqrt(),
    "linearize": lambda f, x: linearize(f, x)[1](taeda.ones(3)),
    "grad": lambda f, x: grad(lambda x: f(x).sum())(x),
    "vjp": lambda f, x: vjp(f, x)[1](taeda.ones(3))[0],
    "vjp in vmap": lambda f, x: vmap(vjp(f, x)[1])(taeda.eye(3))[0].diagonal(),
    "jacrev": lambda f, x: jacrev(f)(x).diagonal(),
}


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_transforms_where_gradients_are_off(way: Any, requires_grad: bool) -> None:
    slopes = taeda.tensor([0.1, 0.5, 1.2]).cos()
    for mode in (taeda.no_grad, taeda.inference_mode):
        x = taeda.tensor([0.1, 0.5, 1.2], requires_grad=requires_grad)
        with mode():
            for primal in (x, x * 1):
                found = way(taeda.sin, primal)
                taeda.testing.assert_close(found, slopes)
                assert not found.requires_grad
    taeda.testing.assert_close(SlopeOfSin.apply(x, way).detach(), slopes)

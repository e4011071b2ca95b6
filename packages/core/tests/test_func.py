"""Transforms of taeda.func and autograd.functional: against closed forms, loops and each other, in any nesting."""

from __future__ import annotations

import functools
import gc
import weakref
from typing import Any

import pytest

import harness
import taeda
from opinfo import Row
from taeda import library
from taeda.autograd import functional
from taeda.func import functionalize, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, rearrange, vjp, vmap
from taeda.func.pytree import broadcast_prefix, tree_flatten, tree_map, tree_unflatten
from taeda.utils._pytree import tree_flatten_with_path

ROWS = [r for r in harness.load_rows() if r.grad]
IDS = harness.row_ids(ROWS)
X = taeda.tensor([0.3, -1.2, 2.0], dtype=taeda.float64)
W = taeda.tensor([[0.5, -1.0, 2.0], [1.5, 0.2, -0.7], [0.1, 0.9, 1.1]], dtype=taeda.float64)
M = taeda.arange(12.0, dtype=taeda.float64).reshape(4, 3) / 7 - 0.6


def near(a: Any, b: Any) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and bool(taeda.allclose(a, b, rtol=1e-10, atol=1e-12))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_batch_of_cotangents_is_a_loop_over_them(row: Row) -> None:
    function = harness.find(taeda, row.name)
    for call in harness.gradient_calls(row)[:3]:
        args, kwargs, values = harness.tensors(taeda, call, grad=True)
        outs = [o for o in harness.flat_outputs(harness.run_quietly(function, *args, **kwargs)) if getattr(o, "requires_grad", False) and o.numel()]
        for y in outs[:2]:
            g = taeda.arange(float(3 * y.numel()), dtype=y.dtype).reshape((3, *y.shape)) / 5 + 0.1
            together = taeda.autograd.grad(y, values, g, retain_graph=True, allow_unused=True, is_grads_batched=True)
            for i in range(3):
                alone = taeda.autograd.grad(y, values, g[i], retain_graph=True, allow_unused=True)
                for a, b in zip(together, alone, strict=True):
                    assert (a is None) == (b is None)
                    if a is not None:
                        harness.assert_close(a[i], b, 1e-9, 1e-11, f"{row.name} {call}")


def test_gradients_of_any_order() -> None:
    f = functools.reduce(lambda g, _: grad(g), range(4), lambda x: x**5)
    assert f(taeda.tensor(2.0)).item() == 240.0
    assert grad(grad(taeda.sin))(X[0]).item() == pytest.approx(-taeda.sin(X[0]).item())
    assert grad(lambda x: grad(lambda y: x * y)(x))(taeda.tensor(3.0)).item() == 1.0          # the two x are not confused


def test_gradients_take_trees_positions_and_aux() -> None:
    def f(p: Any, x: Any, scale: float = 1.0) -> Any:
        return (p["w"] * x).sum() * scale + p["b"][0], {"x": x * 2}

    p = {"w": X, "b": [taeda.ones(())]}
    g, aux = grad(f, has_aux=True)(p, X, scale=2.0)
    assert near(g["w"], 2 * X) and g["b"][0].item() == 1 and near(aux["x"], 2 * X) and not aux["x"].requires_grad
    (gp, gx), (value, _) = grad_and_value(f, argnums=(0, 1), has_aux=True)(p, X)
    assert near(gx, X) and value.item() == pytest.approx((X * X).sum().item() + 1) and near(gp["w"], X)
    assert near(grad(lambda a, b: (a * b).sum(), argnums=-1)(X, 2 * X), X)


def test_results_carry_a_graph_only_where_somebody_wants_it() -> None:
    f = lambda a: (a**3).sum()  # noqa: E731
    assert not grad(f)(X).requires_grad
    x = X.clone().requires_grad_()
    grad(f)(x).sum().backward()
    assert near(x.grad, 6 * X)
    w = taeda.ones(3, dtype=taeda.float64, requires_grad=True)
    grad(lambda a: (a**2 * w).sum())(X).sum().backward()
    assert near(w.grad, 2 * X)
    with taeda.no_grad():
        assert not grad(f)(x).requires_grad and near(grad(f)(x), 3 * X**2)
    y, pull = vjp(f, X)
    assert not y.requires_grad and not pull(taeda.ones((), dtype=taeda.float64))[0].requires_grad


def test_cotangents_pulled_without_recording_have_no_graph() -> None:
    x = taeda.tensor(3.0, requires_grad=True)
    y, pull = vjp(taeda.square, x)
    with taeda.no_grad():
        (g,) = pull(taeda.tensor(1.0))
    assert g == 6 and not g.requires_grad and y.requires_grad and pull(taeda.tensor(1.0))[0].requires_grad


def test_pulled_and_pushed_without_recording_are_linear_maps_to_transforms_within() -> None:
    A = taeda.arange(9.0).view(3, 3)
    with taeda.no_grad():
        pull = vjp(lambda a: A @ a, taeda.ones(3))[1]
        assert jacrev(lambda c: pull(c)[0])(taeda.ones(3)).tolist() == A.T.tolist()
        assert vjp(lambda c: pull(c)[0], taeda.ones(3))[1](taeda.ones(3))[0].tolist() == [3, 12, 21]
        push = linearize(lambda a: A @ a, taeda.ones(3))[1]
        assert jacrev(push)(taeda.ones(3)).tolist() == A.tolist()
    c = taeda.ones(3, requires_grad=True)
    (found,) = pull(c)
    assert found.requires_grad and taeda.autograd.grad(found.sum(), c)[0].tolist() == [3, 12, 21]
    with taeda.no_grad():
        assert not pull(c)[0].requires_grad


def test_unused_inputs_have_a_gradient_of_zero() -> None:
    assert grad(lambda a: taeda.ones(()))(X).tolist() == [0, 0, 0]
    assert jvp(lambda a: taeda.ones(2), (X,), (X,))[1].tolist() == [0, 0]
    assert jacrev(lambda a: taeda.ones(2))(X).tolist() == jacfwd(lambda a: taeda.ones(2))(X).tolist() == [[0, 0, 0]] * 2


def test_samples_gradients_are_those_of_a_loop() -> None:
    def loss(w: Any, x: Any, y: Any) -> Any:
        return ((x @ w).tanh() - y).square().sum()

    targets = M.cos()
    found = vmap(grad(loss), in_dims=(None, 0, 0))(W, M, targets)
    assert near(found, taeda.stack([grad(loss)(W, x, y) for x, y in zip(M, targets, strict=True)]))
    ensemble = vmap(vmap(grad(loss), in_dims=(None, 0, 0)), in_dims=(0, None, None))(taeda.stack([W, 2 * W]), M, targets)
    assert near(ensemble[0], found) and near(ensemble[1], vmap(grad(loss), in_dims=(None, 0, 0))(2 * W, M, targets))
    assert near(grad(lambda w: vmap(loss, in_dims=(None, 0, 0))(w, M, targets).sum())(W), found.sum(0))


def test_vjp_and_jvp_are_products_with_the_jacobian() -> None:
    f = lambda x: (x @ W).sin() * x.prod()  # noqa: E731
    j = jacrev(f)(X)
    y, pull = vjp(f, X)
    assert near(y, f(X)) and near(pull(X)[0], j.T @ X) and near(vmap(pull)(M)[0], M @ j)
    y, t = jvp(f, (X,), (X.cos(),))
    assert near(y, f(X)) and near(t, j @ X.cos())
    y, push = linearize(f, X)
    assert near(push(X), j @ X) and near(push(2 * X), 2 * j @ X)
    assert near(vmap(lambda v: jvp(f, (X,), (v,))[1])(M), M @ j.T)


@pytest.mark.parametrize("f", [
    lambda x: x.sin() * x.sum(), lambda x: (x @ W).softmax(0), lambda x: taeda.cat([x, x.exp()])[1:5], lambda x: x.sort().values.cumsum(0),
    lambda x: taeda.einsum("i,jk->ik", x, W), lambda x: taeda.ops.layer_norm(x, (3,)), lambda x: x.reshape(3, 1).expand(3, 2).clone(),
    lambda x: taeda.where(x > 0, x**2, x.exp()), lambda x: x.norm(), lambda x: taeda.ops.conv1d(x.reshape(1, 1, 3), W.reshape(3, 1, 3), padding=1),
])  # fmt: skip
def test_all_ways_to_a_jacobian_agree(f: Any) -> None:
    wanted = functional.jacobian(f, X)
    for way in (jacrev(f), jacfwd(f), jacrev(f, chunk_size=2), functools.partial(functional.jacobian, f, vectorize=True),
                functools.partial(functional.jacobian, f, vectorize=True, strategy="forward-mode")):
        assert near(way(X), wanted)
    assert near(vmap(jacrev(f))(M), taeda.stack([functional.jacobian(f, x) for x in M]))
    assert near(vmap(jacfwd(f))(M), taeda.stack([functional.jacobian(f, x) for x in M]))
    total = lambda x: f(x).square().sum()  # noqa: E731
    second = functional.hessian(total, X)
    for way in (hessian(total), jacrev(jacrev(total)), jacrev(jacfwd(total)), jacfwd(jacfwd(total)), functools.partial(functional.hessian, total, vectorize=True),
                functools.partial(functional.hessian, total, vectorize=True, outer_jacobian_strategy="forward-mode")):
        assert near(way(X), second)
    assert near(vmap(hessian(total))(M)[1], hessian(total)(M[1]))


def test_jacobians_of_trees() -> None:
    f = lambda a, b: {"s": a * b, "t": [a.sum()]}  # noqa: E731
    for way in (jacrev, jacfwd):
        found = way(f, argnums=(0, 1))(X, 2 * X)
        assert near(found["s"][0], taeda.diag_embed(2 * X) if hasattr(taeda, "diag_embed") else (2 * X) * taeda.eye(3, dtype=taeda.float64))
        assert found["t"][0][1].tolist() == [0, 0, 0]
        inner, aux = way(lambda a: (a * 2, a.exp()), has_aux=True)(X)
        assert inner.diagonal().tolist() == [2, 2, 2] and near(aux, X.exp())


def test_forward_over_reverse_nests_with_itself() -> None:
    f = lambda x: (x**4).sum()  # noqa: E731
    assert near(jvp(grad(f), (X,), (X,))[1], 12 * X**3)
    assert near(grad(lambda x: jvp(f, (x,), (taeda.ones_like(x),))[1])(X), 12 * X**2)
    assert near(jvp(lambda x: jvp(f, (x,), (taeda.ones_like(x),))[1], (X,), (taeda.ones_like(X),))[1], (12 * X**2).sum())


def test_jvp_in_every_nesting() -> None:
    # tanh and exp keep their own results: what a transform inside saves must have the outer one's tangents
    f = lambda x: (x.tanh() * x.exp()).cumsum(0)  # noqa: E731
    total = lambda x: f(x).square().sum()  # noqa: E731
    v, ones = X.cos(), taeda.ones_like(X)
    second = jacrev(jacrev(f))(X)
    h = jacrev(jacrev(total))(X)
    third = jacrev(jacrev(jacrev(total)))(X)
    assert near(jvp(f, (X,), (v,))[1], jacrev(f)(X) @ v)
    for inner in (grad(total), jacrev(total), jacfwd(total), lambda x: vjp(total, x)[1](taeda.ones((), dtype=x.dtype))[0]):
        value, tangent = jvp(inner, (X,), (v,))
        assert near(value, grad(total)(X)) and near(tangent, h @ v) and not value.requires_grad and not tangent.requires_grad
    assert near(grad(lambda x: jvp(total, (x,), (v,))[1])(X), h @ v)
    assert near(grad(lambda t: jvp(total, (X,), (t,))[1])(v), grad(total)(X))
    assert near(vjp(lambda x: jvp(f, (x,), (v,))[1], X)[1](ones)[0], taeda.einsum("ijk,i,j->k", second, ones, v))
    twice = lambda x: jvp(f, (x,), (v,))[1]  # noqa: E731
    assert near(jvp(twice, (X,), (ones,))[1], taeda.einsum("ijk,j,k->i", second, v, ones))
    along = lambda x: jvp(lambda z: jvp(total, (z,), (v,))[1], (x,), (v,))[1]  # noqa: E731
    assert near(jvp(along, (X,), (v,))[1], taeda.einsum("ijk,i,j,k->", third, v, v, v))
    assert near(jvp(hessian(total), (X,), (v,))[1], third @ v)
    value, tangent = jvp(vmap(grad(total)), (M,), (M.cos(),))
    assert near(value, vmap(grad(total))(M)) and near(tangent[1], jacrev(grad(total))(M[1]) @ M[1].cos())
    assert near(vmap(lambda x, t: jvp(f, (x,), (t,))[1])(M, M.cos())[2], jacrev(f)(M[2]) @ M[2].cos())


def test_jvp_outside_of_the_graph() -> None:
    f = lambda x: x.exp() * x  # noqa: E731
    wanted = X.exp() * (1 + X) * X
    leaf = X.clone().requires_grad_()
    value, tangent = jvp(f, (leaf,), (X,))
    assert near(tangent.detach(), wanted) and value.requires_grad
    assert near(taeda.autograd.grad(tangent.sum(), leaf)[0], X.exp() * (2 + X) * X)
    for mode in (taeda.no_grad, taeda.inference_mode):
        with mode():
            assert near(jvp(f, (X,), (X,))[1], wanted) and near(jvp(f, (X.clone(),), (X,))[1], wanted)
    with taeda.autograd.forward_ad.dual_level():
        dual = taeda.autograd.forward_ad.make_dual(X, taeda.ones_like(X))
        value, tangent = jvp(f, (dual,), (X,))
        inner = taeda.autograd.forward_ad.unpack_dual(tangent).tangent
    assert near(tangent, wanted) and near(inner, X.exp() * (2 + X) * X)


def test_jvp_says_what_does_not_depend_on_its_inputs() -> None:
    constant = lambda x: (x * 2, taeda.ones(2))  # noqa: E731
    (_, y), (_, t) = jvp(constant, (X,), (X,))
    assert y.tolist() == [1, 1] and t.tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="output of f is independent of the inputs"):
        jvp(constant, (X,), (X,), strict=True)
    with pytest.raises(RuntimeError, match="output of f is independent of the inputs"):
        vmap(lambda x: jvp(constant, (x,), (x,), strict=True))(M)
    value, tangent, aux = jvp(lambda x: (x * 2, {"a": x + 1}), (X,), (X,), has_aux=True)
    assert near(value, X * 2) and near(tangent, X * 2) and near(aux["a"], X + 1)


ERRORS = [
    (lambda: grad(lambda a: a)(X), RuntimeError, "scalar Tensor, got tensor with 1 dims"),
    (lambda: grad(lambda a: 3)(X), RuntimeError, "Expected f\\(\\*args\\) to return a Tensor, got <class 'int'>"),
    (lambda: grad(lambda a: a.sum(), has_aux=True)(X), RuntimeError, "should be a tuple: \\(output, aux\\)"),
    (lambda: grad(lambda a: (a.sum(), "x"), has_aux=True)(X), RuntimeError, "got unsupported type <class 'str'>"),
    (lambda: grad(lambda a: a.sum(), argnums=1)(X), RuntimeError, "Got argnum=1, but only 1 positional inputs"),
    (lambda: grad(lambda a: a.sum(), argnums=(0, 0))(X), RuntimeError, "must be unique"),
    (lambda: grad(lambda a: a.sum(), argnums="x")(X), RuntimeError, "argnums must be int or"),
    (lambda: grad(lambda a: a)(3.0), ValueError, "must be Tensor, got <class 'float'>"),
    (lambda: grad(lambda a: a.sum())(taeda.arange(3)), RuntimeError, "floating point"),
    (lambda: grad(lambda a: a.sin_().sum())(X), RuntimeError, "a leaf Variable that requires grad"),
    (lambda: vjp(lambda a: 3, X), RuntimeError, "only tensors, got unsupported type <class 'int'>"),
    (lambda: vjp(lambda a: (a, a), X)[1](X), RuntimeError, "Expected pytree structure of cotangents"),
    (lambda: vjp(lambda a: a, X)[1](M), RuntimeError, "Mismatch in shape"),
    (lambda: jvp(lambda a: a, X, X), RuntimeError, "Expected primals to be a tuple"),
    (lambda: jvp(lambda a: a, (X,), (X, X)), RuntimeError, "same python structure"),
    (lambda: jvp(lambda a: a, (X,), (M,)), RuntimeError, "forward gradient that has a different size"),
    (lambda: jvp(lambda a: a, (), ()), RuntimeError, "at least one Tensor"),
    (lambda: jvp(lambda a: (), (X,), (X,)), RuntimeError, "non-empty output"),
    (lambda: jacrev(taeda.conj)(X + 0j), RuntimeError, "jacrev: Expected all inputs to be real"),
    (lambda: jacfwd(taeda.conj)(X + 0j), RuntimeError, "jacfwd: Expected all inputs to be real"),
    (lambda: jacrev(lambda a: a * 1j)(X), RuntimeError, "jacrev: Expected all outputs to be real"),
    (lambda: jacfwd(lambda a: a * 1j)(X), RuntimeError, "jacfwd: Expected all outputs to be real"),
    (lambda: jacrev(lambda a: a, chunk_size=0), ValueError, "`chunk_size` should be greater than 0"),
    (lambda: functionalize(lambda a: a, remove="x"), RuntimeError, "invalid argument for remove"),
    (lambda: vmap(lambda a: taeda.autograd.grad(a.sum(), a))(M), RuntimeError, "use taeda.func.grad"),
    (lambda: functional.jacobian(lambda a: a, 3), TypeError, "The inputs given to jacobian must be either a Tensor"),
    (lambda: functional.jacobian(lambda a: (a, 3), X), TypeError, "value at index 1 has type <class 'int'>"),
    (lambda: functional.jacobian(lambda a: taeda.ones(2), X, strict=True), RuntimeError, "Output 0 .* does not require gradients"),
    (lambda: functional.jacobian(lambda a, b: a, (X, X), strict=True), RuntimeError, "independent of input 1"),
    (lambda: functional.jacobian(lambda a: a, X, strict=True, create_graph=True), RuntimeError, "jacobian of .* independent of input 0"),
    (lambda: functional.jacobian(lambda a: a, X, strategy="x"), AssertionError, "Expected strategy"),
    (lambda: functional.jacobian(lambda a: a, X, strategy="forward-mode"), NotImplementedError, "only implemented for `vectorize=True`"),
    (lambda: functional.hessian(lambda a: a, X), RuntimeError, "should contain a single element"),
    (lambda: functional.hessian(lambda a: (a.sum(), a), X), RuntimeError, "should return a single Tensor"),
    (lambda: functional.hessian(lambda a: a.sum(), X, strict=True), RuntimeError, "twice differentiable"),
    (lambda: functional.vjp(lambda a: a, X), RuntimeError, "v can only be None if the user-provided function returns"),
    (lambda: functional.vjp(lambda a: a, X, X[:2]), RuntimeError, "v has invalid size"),
    (lambda: functional.vjp(lambda a: a, X, (X, X)), RuntimeError, "should contain a single Tensor"),
    (lambda: functional.jvp(lambda a: a, X), RuntimeError, "v can only be None if the input"),
    (lambda: functional.vhp(lambda a: (2 * a).sum(), X, X, strict=True), RuntimeError, "twice differentiable"),
    (lambda: functional.hvp(lambda a: (2 * a).sum(), X, X, strict=True), RuntimeError, "twice differentiable"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors_say_what_is_wrong(call: Any, error: type[BaseException], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        call()
    assert str(caught.value).startswith("[")


def test_products_of_autograd_functional() -> None:
    f = lambda a, b: (a**2 * b).sum()  # noqa: E731
    h = functional.hessian(f, (X, W[0]))
    v = (M[0], M[1])
    wanted = [h[i][0] @ v[0] + h[i][1] @ v[1] for i in range(2)]
    for product in (functional.vhp, functional.hvp):
        value, found = product(f, (X, W[0]), v)
        assert near(value, f(X, W[0])) and all(near(a, b) for a, b in zip(found, wanted, strict=True))
    y, t = functional.jvp(lambda a, b: (a * b, a), (X, W[0]), v)
    assert near(t[0], v[0] * W[0] + X * v[1]) and near(t[1], v[0])
    y, c = functional.vjp(lambda a, b: (a * b, a), (X, W[0]), v)
    assert near(c[0], v[0] * W[0] + v[1]) and near(c[1], v[0] * X)


def test_create_graph_lets_the_results_be_differentiated() -> None:
    x = X.clone().requires_grad_()
    functional.jacobian(lambda a: a**3, x, create_graph=True).sum().backward()
    assert near(x.grad, 6 * X)
    for vectorize in (False, True):
        assert functional.jacobian(lambda a: a**3, X, create_graph=True, vectorize=vectorize).requires_grad
        assert not functional.jacobian(lambda a: a**3, X, vectorize=vectorize).requires_grad


def test_trees_are_flattened_and_built_again() -> None:
    tree = {"a": [1, (2, None)], "b": {"c": 3}}
    leaves, spec = tree_flatten(tree)
    assert leaves == [1, 2, None, 3] and tree_unflatten(leaves, spec) == tree and spec.num_leaves == 4
    assert tree_map(lambda x: x, tree) == tree and repr(tree_flatten([1, (2,)])[1]) == "TreeSpec(list, None, [*,\n  TreeSpec(tuple, None, [*])])"
    assert broadcast_prefix({"a": 0, "b": 1}, spec) == [0, 0, 0, 1] and broadcast_prefix([0, 1], spec) is None


def test_a_tree_without_tensors_has_a_gradient_without_any() -> None:
    w = taeda.ones(2, requires_grad=True)
    assert vjp(lambda nothing: w * 2, {})[1](taeda.ones(2)) == ({},) and grad(lambda nothing: w.sum())([]) == []


def test_nothing_keeps_tensors_but_their_names() -> None:
    """No cycles: what a transform, a tree or an operator of one's own computed is freed at once."""
    @library.custom_op("tests::twice", mutates_args=())
    def twice(x: taeda.Tensor, more: list[taeda.Tensor]) -> taeda.Tensor:
        return x * 2 + sum(more)

    calls: list[Any] = [
        lambda: tree_map(lambda x: x + 1, {"a": [X], "b": (X, 2)})["a"][0],
        lambda: vmap(lambda x: x * 2)(M),
        lambda: grad(lambda x: (x**2).sum())(X),
        lambda: vmap(grad(lambda x: (x**2).sum()))(M),
        lambda: jacrev(lambda x: x**2)(X),
        lambda: tree_flatten_with_path([X + 1])[0][0][1],
        lambda: twice(X, [X, X]),
    ]
    for call in calls:
        call()
        gc.collect()
        gc.disable()
        try:
            left = weakref.ref(call())
            assert left() is None
        finally:
            gc.enable()


def test_rearrange_follows_its_pattern() -> None:
    x = taeda.arange(24).reshape(2, 3, 4)
    same = {"a b c -> c b a": x.permute(2, 1, 0), "a b c -> a (b c)": x.reshape(2, 12), "... c -> c ...": x.permute(2, 0, 1), "... -> (...)": x.flatten(),
            "a ... -> ... a": x.permute(1, 2, 0), "a b c -> a 1 b c ()": x.reshape(2, 1, 3, 4, 1), "a b c -> a (c) b": x.transpose(1, 2)}
    for pattern, wanted in same.items():
        assert rearrange(x, pattern).tolist() == wanted.tolist()
    assert rearrange(x, "a b (c d) -> d a b c", c=2).tolist() == x.reshape(2, 3, 2, 2).permute(3, 0, 1, 2).tolist()
    assert rearrange([x, x], "n a b c -> a n b c").shape == (2, 2, 3, 4) and rearrange(taeda.tensor(3), " -> ").item() == 3
    assert vmap(lambda a: rearrange(a, "b c -> (c b)"))(x).tolist() == x.transpose(1, 2).reshape(2, 12).tolist()


@pytest.mark.parametrize(("pattern", "sizes", "error", "text"), [
    ("a b c -> a b", {}, ValueError, "only on one side"), ("a b -> b a", {}, ValueError, "Number of dimensions in pattern \\(2\\)"),
    ("a b (c d) -> a b c d", {}, RuntimeError, "cannot infer the sizes of two"), ("a b (c d) -> a b c d", {"c": 3}, RuntimeError, "evenly fit"),
    ("a a c -> a c", {}, ValueError, "duplicate"), ("a b c", {}, ValueError, "single '->'"), ("a b c -> a b c", {"e": 3}, ValueError, "not found"),
    ("a b c -> a (b ...) c", {}, ValueError, "Ellipsis found in right"), ("(...) -> ...", {}, ValueError, "Ellipsis is parenthesis"),
    ("a+b -> a", {}, ValueError, "Unknown character"), ("a b 4 -> a b", {}, ValueError, "unnamed axes of size 1"),
    ("a ((b) c) -> a b c", {}, ValueError, "one-level"), ("a (b c -> a b c", {}, ValueError, "not balanced"), ("a b _c -> a b _c", {}, ValueError, "underscore"),
    ("a b (c d) -> a b c d", {"c": 2, "d": 3}, RuntimeError, "do not match"),
])  # fmt: skip
def test_patterns_of_rearrange_are_checked(pattern: str, sizes: Any, error: type[BaseException], text: str) -> None:
    with pytest.raises(error, match=text):
        rearrange(taeda.zeros(2, 3, 4), pattern, **sizes)


def test_views_by_index_broadcasts_and_activations_take_a_batch_of_cotangents_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("one cotangent after the other")

    functions = (
        lambda x: x[1] * x[:, 2:3], lambda x: x[::2, None, 1:] * x[0, 0], lambda x: (x[..., -1] + x[:, 0][:4, None]) * x[0, 1],
        lambda x: x[:2][:, 1:3][1] * 2, lambda x: x[None] * x.unsqueeze(1), lambda x: (x.relu() + x.clamp(-0.3, 0.4)) * x.sigmoid(),
        lambda x: taeda.ops.gelu(x)[1:] + taeda.ops.silu(x)[:-1].tanh(), lambda x: taeda.ops.softplus(x, 2.0) * taeda.ops.elu(x),
    )
    for f in functions:
        twice = jacrev(jacrev(lambda x, f=f: f(x).sin()))(M)
        assert near(twice, functional.jacobian(lambda x, f=f: functional.jacobian(lambda y: f(y).sin(), x, create_graph=True), M))
    monkeypatch.setattr("taeda.func.cotangents.one_by_one", refuse)
    monkeypatch.setattr("taeda.func.batched.loop", refuse)
    for f in functions:
        assert near(jacrev(f)(M), functional.jacobian(f, M))


def written(y: taeda.Tensor) -> taeda.Tensor:
    """(y0 y1 + y0^2, y1 + y1^2) by way of writes into a tensor that is no batch."""
    a = taeda.zeros(2, dtype=y.dtype)
    a.copy_(y)
    a[0] = y[0] * y[1]
    return a.add_(y * y)


@pytest.mark.parametrize("randomness", ["error", "same"])
def test_jacfwd_of_a_function_that_writes_into_tensors_of_its_own(randomness) -> None:
    y = taeda.tensor([3.0, 4.0])
    expected = [[4 + 6.0, 3.0], [0.0, 1 + 8.0]]
    assert jacfwd(written, randomness=randomness)(y).tolist() == jacrev(written)(y).tolist() == expected
    assert jacfwd(lambda x: x.clone().mul_(y * x.detach()), argnums=0)(y).tolist() == [[9.0, 0.0], [0.0, 16.0]]
    assert jacfwd(lambda x, z: x.clone().mul_(z), argnums=1)(y, y).tolist() == [[3.0, 0.0], [0.0, 4.0]]


def test_second_derivatives_of_a_function_that_writes_into_tensors_of_its_own() -> None:
    y = taeda.tensor([3.0, 4.0])
    expected = [[2.0, 1.0], [1.0, 2.0]]
    assert hessian(lambda y: written(y).sum())(y).tolist() == expected
    assert jacfwd(jacfwd(lambda y: written(y).sum()))(y).tolist() == expected


@pytest.mark.parametrize("write", [
    lambda y: y.mul_(y), lambda y: y.exp().mul_(2).clamp_(max=9), lambda y: y.sin() * y.cos_(), lambda y: (y * y) + y.zero_(),
    lambda y: y.sigmoid_().view(-1).mul_(3), lambda y: taeda.softmax(y, 0) * y.index_fill_(0, taeda.tensor([1]), 0.5),
])
def test_jacfwd_of_a_function_that_writes_over_what_its_graph_needs(write) -> None:
    wanted = taeda.stack([jvp(lambda x: write(x * 1), (X,), (row,))[1] for row in taeda.eye(3, dtype=taeda.float64)], 1)
    assert taeda.allclose(jacfwd(lambda x: write(x * 1))(X), wanted)
    assert taeda.allclose(vmap(jacfwd(lambda x: write(x * 1)))(X.expand(2, 3))[1], wanted)
    drawn = lambda x: write(x * 1) * taeda.rand(3, dtype=taeda.float64)  # noqa: E731
    taeda.manual_seed(0)
    factor = taeda.rand(3, dtype=taeda.float64)
    taeda.manual_seed(0)
    assert taeda.allclose(jacfwd(drawn, randomness="same")(X), wanted * factor[:, None])


def test_jacfwd_draws_once_where_it_has_to_run_twice() -> None:
    def noisy(y):
        noise = taeda.randn(2)
        return taeda.zeros(2).copy_(y * noise)

    taeda.manual_seed(3)
    expected = taeda.randn(2)
    taeda.manual_seed(3)
    assert jacfwd(noisy, randomness="same")(taeda.ones(2)).equal(expected.diag())


def test_a_batch_is_still_not_written_into_what_is_the_same_for_all_samples() -> None:
    with pytest.raises(RuntimeError, match="inplace arithmetic"):
        vmap(hessian(lambda y: written(y).sum()))(taeda.ones(3, 2))


def test_a_vjp_made_without_gradients_records_the_passes_that_are_asked_for_with_them() -> None:
    x = taeda.tensor([0.5, 2.0], requires_grad=True)
    with taeda.no_grad():
        y, pull, aux = taeda.func.vjp(lambda x: (x**3, x + 1), x, has_aux=True)
        assert not pull(taeda.ones(2))[0].requires_grad
    assert not y.requires_grad and not aux.requires_grad
    (g,) = pull(taeda.ones(2))
    assert g.tolist() == [0.75, 12]
    g.sum().backward()
    assert x.grad is not None and x.grad.tolist() == [3, 12]
    with taeda.no_grad():
        _, pull = taeda.func.vjp(taeda.square, x.detach())
    assert not pull(taeda.ones(2))[0].requires_grad and pull(taeda.ones(2, requires_grad=True))[0].requires_grad


@pytest.mark.parametrize("function", [
    lambda x: ((x * x if x.sum() > 0 else x) ** 2).sum(),
    lambda x: (x * x * x * x[0].item()).sum() / int(x[0].detach()),
    lambda x: (x[x > 0] ** 3).sum() + x.masked_select(x > 1).sum(),
    lambda x: x[x.nonzero()].sum() ** 3 if x.tolist()[0] == 1 else x.sum(),
])
def test_jacobians_by_tangents_of_functions_that_go_by_values(function: Any) -> None:
    """The primals are no batches: conditions, numbers and masks have one answer."""
    x = taeda.tensor([1.0, 2.0])
    first, second = jacrev(function)(x), jacrev(jacrev(function))(x)
    assert jacfwd(function)(x).tolist() == first.tolist()
    for found in (hessian(function)(x), jacfwd(jacfwd(function))(x), jacrev(jacfwd(function))(x), jacfwd(grad(function))(x)):
        assert found.tolist() == second.tolist()
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(hessian(function))(taeda.ones(3, 2))


def test_products_with_a_batch_of_tangents_of_functions_that_go_by_values() -> None:
    x, rows = taeda.tensor([1.0, 2.0]), taeda.eye(2)

    def function(x: taeda.Tensor) -> taeda.Tensor:
        return x**3 if x.sum() > 0 else x

    assert vmap(lambda v: jvp(function, (x,), (v,))[1])(rows).tolist() == [[3, 0], [0, 12]]
    assert vmap(lambda v: jvp(grad(lambda x: function(x).sum()), (x,), (v,))[1])(rows).tolist() == [[6, 0], [0, 12]]
    y, t = vmap(lambda v: jvp(function, (x,), (v,)), out_dims=(None, 0))(rows)
    assert y.tolist() == [1, 8] and t.tolist() == [[3, 0], [0, 12]]
    with pytest.raises(RuntimeError, match="data-dependent"):                    # of each sample another value
        vmap(lambda v: jvp(lambda x: function(x + v), (x,), (v,))[1])(rows)
    with pytest.raises(RuntimeError):                                            # nor a product of the batch and such a function
        vmap(lambda v: jvp(lambda x: function(x) * v, (x,), (v,))[1])(rows)


@pytest.mark.parametrize("name", [
    "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_sigmoid", "relu", "sigmoid", "silu",
    "softplus", "softshrink", "tanh",
])
def test_a_batch_of_cotangents_passes_activations(name: str) -> None:
    f = getattr(taeda.ops, name)
    x = taeda.tensor([[-2.0, 0.3], [0.8, 4.0]], dtype=taeda.float64)
    assert near(jacrev(f)(x), jacfwd(f)(x)) and near(vmap(jacrev(f))(x), vmap(jacfwd(f))(x))
    y = f(leaf := x.clone().requires_grad_())
    (found,) = taeda.autograd.grad(y, leaf, taeda.eye(4, dtype=taeda.float64).reshape(4, 2, 2), is_grads_batched=True)
    assert near(found.reshape(2, 2, 2, 2), jacfwd(f)(x))


def test_a_function_may_write_into_its_input_under_jvp_inside_of_vmap() -> None:
    x, t = taeda.arange(6.0).reshape(3, 2), taeda.ones(3, 2)
    value, tangent = vmap(lambda x, t: jvp(lambda x: x.add_(1) * x, (x,), (t,)))(x, t)
    assert x.equal(taeda.arange(6.0).reshape(3, 2) + 1) and value.equal(x * x) and tangent.equal(2 * x)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        vmap(grad(lambda x: x.mul_(2).sum()))(x)


def _written(w: Any, x: Any) -> Any:
    y = taeda.zeros(3)
    y.copy_(w)
    return (y * x).sum()


@pytest.mark.parametrize(("loss", "gradient"), [
    (lambda w, x: w[w > 0].sum() * x.sum(), [[0, 3, 3], [0, 12, 12]]),
    (lambda w, x: w.masked_select(w > 0).sum() * x[0], [[0, 0, 0], [0, 3, 3]]),
    (lambda w, x: (w * x).sum() * (2 if w[0] < 0 else 1), [[0, 2, 4], [6, 8, 10]]),
    (lambda w, x: (w * x).sum() * w[0].item(), [[0, -1, -2], [-3, -4, -5]]),
    (lambda w, x: (w * x).sum() * len(w.nonzero()), [[0, 3, 6], [9, 12, 15]]),
    (_written, [[0, 1, 2], [3, 4, 5]]),
])
def test_gradients_of_each_sample_by_an_input_of_all_whose_values_are_asked_for(loss: Any, gradient: Any) -> None:
    w, x = taeda.tensor([-1.0, 1.0, 2.0]), taeda.arange(6.0).reshape(2, 3)
    assert vmap(grad(loss), in_dims=(None, 0))(w, x).tolist() == gradient
    assert vmap(jacrev(loss), in_dims=(None, 0))(w, x).tolist() == gradient
    found, (value, aux) = vmap(taeda.func.grad_and_value(lambda w, x: (loss(w, x), x), has_aux=True), in_dims=(None, 0))(w, x)
    assert found.tolist() == gradient and value.tolist() == [loss(w, a).item() for a in x] and aux.equal(x)
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(lambda x: grad(lambda w: loss(w, x))(w))(x)         # a batch that is no argument


@pytest.mark.parametrize(("groups", "transposed"), [(1, False), (2, False), (1, True), (2, True)])
def test_convolutions_take_batches_of_cotangents_and_of_tangents_at_once(groups: int, transposed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("one after the other")

    f64 = taeda.float64
    taeda.manual_seed(0)
    x, w = taeda.rand(2, 4, 5, 4, dtype=f64), taeda.rand(4, 4 // groups, 2, 3, dtype=f64)
    conv = taeda.conv_transpose2d if transposed else taeda.conv2d

    def of_input(x: Any) -> Any:
        return conv(x, w, groups=groups).tanh()[..., 1:]

    def of_weight(w: Any) -> Any:
        return conv(x, w, groups=groups).tanh()[..., :2]

    def of_both(s: Any) -> Any:
        return conv(x * s[0], w * s, groups=groups).tanh().cumsum(1).split(2)[0]

    s = taeda.tensor([0.5, 2.0, 1.5], dtype=f64)
    wanted = functional.jacobian(of_input, x), functional.jacobian(of_weight, w), functional.jacobian(of_both, s)
    twice = functional.hessian(lambda s: of_both(s).mean(), s)
    over = taeda.stack([functional.jacobian(lambda s, a=a: of_both(s * a), s) for a in (0.5, 2.0)])
    monkeypatch.setattr("taeda.func.cotangents.one_by_one", refuse)
    monkeypatch.setattr("taeda.func.batched.loop", refuse)
    for jacobian in (jacrev, jacfwd):
        for f, at, what in zip((of_input, of_weight, of_both), (x, w, s), wanted, strict=True):
            assert near(jacobian(f)(at), what)
        assert near(vmap(lambda a, jacobian=jacobian: jacobian(lambda s: of_both(s * a))(s))(taeda.tensor([0.5, 2.0], dtype=f64)), over)
        assert near(jacobian(jacrev(lambda s: of_both(s).mean()))(s), twice)
    assert near(hessian(lambda s: of_both(s).mean())(s), twice)


def test_jacfwd_computes_the_function_once_on_the_primals_alone() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(type(x).__name__)
        return taeda.adaptive_avg_pool1d((x * 2).reshape(1, 2, 4), 2) if x.sum() > 0 else x

    x = taeda.arange(1.0, 9.0)
    assert jacfwd(f)(x).reshape(4, 8).tolist() == taeda.eye(4).repeat_interleave(2, 1).tolist()
    assert seen == ["Tensor"]


@pytest.mark.parametrize("transform", [grad, grad_and_value, jacrev, jacfwd, lambda f: lambda x: vjp(f, x)[1](taeda.ones(())),
                                       lambda f: lambda x: linearize(f, x)[1](x), lambda f: vmap(grad(f)), hessian], ids=range(8))  # fmt: skip
def test_what_a_transform_keeps_goes_without_the_collector(transform: Any) -> None:
    kept = []

    def f(x: taeda.Tensor) -> taeda.Tensor:
        kept.append(weakref.ref(y := x.sin() * x))
        return y.sum()

    gc.collect()
    gc.disable()
    try:
        transform(f)(taeda.ones(2, 3))
        assert kept and all(y() is None for y in kept)
        itself = weakref.ref(f)
        del f
        assert itself() is None
    finally:
        gc.enable()

"""Functions that a user writes: results, derivatives of any order, what their context keeps, what is refused; gradcheck on them."""

from __future__ import annotations

import threading

import pytest

import taeda
from leaves import leaf
from taeda.autograd import GradcheckError


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


def test_what_is_no_tensor_is_refused_where_a_backward_pass_will_ask_for_it() -> None:
    class Words(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x, word):
            ctx.save_for_backward(x, word)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g, None

    assert Words.apply(taeda.ones(1), "word").item() == 2              # as in PyTorch: nobody will ask
    with taeda.no_grad():
        assert Words.apply(leaf(1.0), "word").item() == 2
    with pytest.raises(TypeError, match=r"\[Words\] save_for_backward can only save variables, but argument 1 is of type str; set an attribute of ctx"):
        Words.apply(leaf(1.0), "word")


@pytest.mark.parametrize("save", ["save_for_backward", "save_for_forward"])
def test_setup_context_saves_no_input_that_leaves_as_it_is(save: str) -> None:
    class AsItIs(taeda.autograd.Function):
        view = False

        @staticmethod
        def forward(x):
            return x.view_as(x) if AsItIs.view else x

        @staticmethod
        def setup_context(ctx, inputs, output):
            getattr(ctx, save)(inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="returned as-is"):
        AsItIs.apply(leaf(1.0))
    AsItIs.view = True
    x = leaf(1.0)
    AsItIs.apply(x).sum().backward()
    assert x.grad.tolist() == taeda.ones_like(x).tolist()


def test_jvp_gets_what_was_saved_for_it_alone() -> None:
    class Saved(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x, forward_too):
            ctx.save_for_backward(x)
            if forward_too:
                ctx.save_for_forward(x, x)
            return x.clone()

        @staticmethod
        def jvp(ctx, t, _):
            seen.append(len(ctx.saved_tensors))
            return t.clone()

        @staticmethod
        def backward(ctx, g):
            seen.append(len(ctx.saved_tensors))
            return g, None

    seen = []
    fw = taeda.autograd.forward_ad
    for forward_too in (False, True):
        with fw.dual_level():
            Saved.apply(fw.make_dual(leaf(1.0), taeda.ones(1)), forward_too).sum().backward()
    assert seen == [0, 1, 2, 1]


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


class NeedsItsGradient(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        if g is None:
            raise RuntimeError("a gradient is missing")
        return g.clone()


@pytest.mark.parametrize(("function", "text"), [
    (NeedsItsGradient.apply, "undefined output grads.*a gradient is missing"),
    (lambda x: taeda.cat([x, x]) if x[0] > 1 else x.clone(), "shape or dtype"),
    (lambda x: x.float() if x[0] > 1 else x.clone(), "shape or dtype"),
])
def test_what_goes_wrong_in_a_check_is_a_finding_of_it(function, text) -> None:
    x = taeda.ones(2, dtype=taeda.float64, requires_grad=True)
    with pytest.raises(GradcheckError, match=text):
        taeda.autograd.gradcheck(function, x)
    assert not taeda.autograd.gradcheck(function, x, raise_exception=False) and x.tolist() == [1, 1]


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


def test_what_is_marked_dirty_is_an_input_and_an_output() -> None:
    class Wrong(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x, returned):
            y = x * 3
            ctx.mark_dirty(y if returned else x)
            return y

        @staticmethod
        def backward(ctx, g):
            return 3 * g, None

    with pytest.warns(UserWarning, match="received a tensor that was not an input"):
        Wrong.apply(leaf(1) * 1, True)
    for x in (leaf(1) * 1, taeda.ones(1)):
        with pytest.raises(RuntimeError, match="were not returned as output"):
            Wrong.apply(x, False)


def function_of(forward, jvp):
    return type("F", (taeda.autograd.Function,), {"forward": staticmethod(forward), "jvp": staticmethod(jvp),
                                                  "backward": staticmethod(lambda ctx, *g: g[0])})


def doubled_in_place(ctx, x):
    x.mul_(2)
    ctx.mark_dirty(x)
    return x


def two_of_which_one_differentiates(ctx, x):
    y = x.clone()
    ctx.mark_non_differentiable(y)
    return x.clone(), y


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize(
    ("forward", "right", "wrong", "match"),
    [
        (lambda ctx, x: x, lambda ctx, t: t.view_as(t), lambda ctx, t: t.clone(), "is not returning a view"),
        (lambda ctx, x: x[:2], lambda ctx, t: t[:2], lambda ctx, t: t[:2].clone(), "is not returning a view"),
        (lambda ctx, x: x[:2], lambda ctx, t: t[:2], lambda ctx, t: t.clone()[:2], "a view of the given grad input"),
        (doubled_in_place, lambda ctx, t: t.mul_(2), lambda ctx, t: t * 2, "not modifying the forward mode gradients inplace"),
        (two_of_which_one_differentiates, lambda ctx, t: (t.clone(), None), lambda ctx, t: (t, t.clone()), "return None at that position"),
        (lambda ctx, x: x * 1, lambda ctx, t: t, lambda ctx, t: 3, r"expected Variable or None \(got int\)"),
    ],
)
def test_a_tangent_is_made_as_its_output_is(requires_grad, forward, right, wrong, match) -> None:
    fwAD = taeda.autograd.forward_ad
    with fwAD.dual_level():
        def dual():
            return fwAD.make_dual(taeda.ones(4, requires_grad=requires_grad), taeda.ones(4)).clone()

        found = function_of(forward, right).apply(dual())
        tangent = fwAD.unpack_dual(found[0] if isinstance(found, tuple) else found).tangent
        assert tangent.tolist() == ([2.0] * 4 if forward is doubled_in_place else [1.0] * len(tangent))
        with pytest.raises(RuntimeError, match=match):
            function_of(forward, wrong).apply(dual())


def test_outputs_that_do_not_differentiate_may_have_no_cotangent() -> None:
    seen = []

    class Two(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x, materialize):
            y = x.clone()
            ctx.mark_non_differentiable(y)
            ctx._materialize_non_diff_grads = materialize
            return x.clone(), y

        @staticmethod
        def backward(ctx, g, h):
            seen.append(None if h is None else h.tolist())
            return g, None

    for materialize in (False, True):
        Two.apply(leaf(1), materialize)[0].sum().backward()
    assert seen == [None, [0.0]]


def test_saved_variables_is_an_old_name() -> None:
    class Old(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_variables
            return 2 * g + 0 * x

    x = leaf(1)
    with pytest.warns(DeprecationWarning, match="use 'saved_tensors'"):
        Old.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0]


class Countdown(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x, stop):
        ctx.at, ctx.stop = x.detach(), stop
        return x * 1

    @staticmethod
    def backward(ctx, g):
        if ctx.at < 0:
            raise KeyError("below zero")
        if ctx.at == ctx.stop:
            return g, None
        with taeda.enable_grad():
            y = (ctx.at - 1).requires_grad_()
            Countdown.apply(y, ctx.stop).backward()
        return g + y.grad, None


def test_backward_inside_of_backward_a_thousand_deep():
    x = taeda.tensor(1000.0, requires_grad=True)
    Countdown.apply(x, 0).backward()
    assert x.grad == 1001


def test_an_error_deep_inside_of_backward_comes_out():
    with pytest.raises(KeyError, match="below zero"):
        Countdown.apply(taeda.tensor(200.0, requires_grad=True), None).backward()


class OffByOne(taeda.autograd.Function):
    """x^2, whose gradient is wrong at element 3 alone."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return (2 * g * x).index_add(0, taeda.tensor([3]), g[3:4])


def test_fast_gradcheck_takes_one_difference_for_an_input_and_finds_one_wrong_element():
    calls = []

    def counted(x):
        calls.append(x.shape)
        return x.sin(), taeda.complex(x, x * x)

    state = taeda.get_rng_state()
    x = taeda.linspace(-1, 1, 1000, dtype=taeda.float64).requires_grad_()
    before = x.detach().clone()
    assert taeda.autograd.gradcheck(counted, x, fast_mode=True, check_forward_ad=True) and len(calls) < 10
    assert x.equal(before) and taeda.get_rng_state().equal(state)
    z = taeda.complex(leaf(0.5, -1.0), leaf(2.0, 0.25)).detach().requires_grad_()
    assert taeda.autograd.gradcheck(lambda z: z * z.conj() + z.exp(), z, fast_mode=True, check_forward_ad=True)
    with pytest.raises(GradcheckError, match="at output element 3, input element 3 the numerical value is 0.8"):
        taeda.autograd.gradcheck(OffByOne.apply, leaf(0.1, 0.2, 0.3, 0.4), fast_mode=True)
    assert not taeda.autograd.gradcheck(OffByOne.apply, leaf(0.1, 0.2, 0.3, 0.4), fast_mode=True, raise_exception=False)
    with pytest.raises(GradcheckError, match="expected to be zero"):
        taeda.autograd.gradcheck(lambda x: x.detach() * 2, leaf(1.0), fast_mode=True)


def test_a_write_into_a_view_lends_what_it_saved_to_any_number_of_passes_at_once():
    waiting = threading.Barrier(2, timeout=60)

    class Times(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.mark_dirty(x)
            ctx.save_for_backward(factor)
            return x.mul_(factor)

        @staticmethod
        def backward(ctx, g):
            waiting.wait()                                       # both are within
            (factor,) = ctx.saved_tensors
            waiting.wait()
            (factor,) = ctx.saved_tensors
            return g * factor, None

    leaf = taeda.ones(4, requires_grad=True)
    x = leaf * 1
    Times.apply(x[:2], taeda.tensor(3.0))
    found = []

    def run():
        found.append(taeda.autograd.grad(x.sum(), leaf, retain_graph=True)[0].tolist())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [[3, 3, 1, 1]] * 2
    waiting.reset()
    waiting = threading.Barrier(1)
    x.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        x.sum().backward()

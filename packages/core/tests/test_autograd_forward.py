"""Forward mode: dual tensors and their rules, and the tangent of every op against its vjp differentiated."""

from __future__ import annotations

import functools
from typing import Any

import pytest

import harness
import taeda
import taeda.autograd.forward_ad as fw
from opinfo import Row
from taeda.func import grad, jvp, vjp

ROWS = [r for r in harness.load_rows() if r.grad and r.name.removeprefix("ops.") != "ctc_loss"]      # which has a first derivative only


def ramp(x: taeda.Tensor) -> taeda.Tensor:
    return taeda.linspace(0.5, 1.5, max(x.numel(), 1), dtype=x.dtype)[: x.numel()].reshape(x.shape)


@pytest.mark.parametrize("row", ROWS, ids=harness.row_ids(ROWS))
def test_tangents_are_the_transpose_of_the_vjp(row: Row) -> None:
    function = harness.find(taeda, row.name)
    for call in harness.gradient_calls(row)[:2]:
        args, kwargs, values = harness.tensors(taeda, call, grad=True)
        f = functools.partial(harness._with_values, function, args, kwargs, [id(v) for v in values])
        taeda.manual_seed(0)                      # the ops that draw, draw the same both times
        outs = harness.run_quietly(f, *values)
        places = [i for i, o in enumerate(outs) if o.requires_grad]
        if not places:
            continue
        tangents = [ramp(v) for v in values]
        cs = [taeda.zeros_like(outs[i]).requires_grad_() for i in places]
        gs = taeda.autograd.grad([outs[i] for i in places], values, cs, create_graph=True, allow_unused=True)
        pairs = [(g, t) for g, t in zip(gs, tangents, strict=True) if g is not None and g.requires_grad]
        wanted = taeda.autograd.grad([g for g, _ in pairs], cs, [t for _, t in pairs], allow_unused=True) if pairs else [None] * len(cs)
        taeda.manual_seed(0)
        with fw.dual_level():
            found = harness.run_quietly(f, *[fw.make_dual(v.detach(), t) for v, t in zip(values, tangents, strict=True)])
            got = [fw.unpack_dual(found[i]).tangent for i in places]
        for out, t, w in zip([found[i] for i in places], got, wanted, strict=True):
            assert not out.requires_grad and t.shape == out.shape and t.dtype == out.dtype
            harness.assert_close(t, taeda.zeros_like(t) if w is None else w, 1e-9, 1e-12, f"{row.name} {call}")


def test_a_known_derivative() -> None:
    with fw.dual_level():
        x = fw.make_dual(taeda.tensor([1.0, 2.0]), taeda.tensor([3.0, 4.0]))
        value, tangent = fw.unpack_dual((x * x).sin())
    assert taeda.allclose(tangent, taeda.tensor([2.0, 4.0]) * taeda.tensor([3.0, 4.0]) * taeda.tensor([1.0, 4.0]).cos())
    assert taeda.allclose(value, taeda.tensor([1.0, 4.0]).sin())


def test_what_make_dual_refuses() -> None:
    x = taeda.ones(2)
    with pytest.raises(RuntimeError, match="no level exists"):
        fw.make_dual(x, x)
    with pytest.raises(RuntimeError, match="must be a positive number"):
        fw.exit_dual_level()
    with fw.dual_level() as level:
        assert level == 0
        with pytest.raises(RuntimeError, match=r"Tensor is of size \[2\] while the given forward gradient is of size \[3\]"):
            fw.make_dual(x, taeda.ones(3))
        with pytest.raises(ValueError, match="Expected tangent to be floating point or complex"):
            fw.make_dual(x, taeda.ones(2, dtype=taeda.int64))
        with pytest.raises(RuntimeError, match="already has a forward gradient"):
            fw.make_dual(fw.make_dual(x, x), x)
        with pytest.raises(RuntimeError, match="Nested forward mode AD"):
            fw.enter_dual_level()
        with pytest.raises(RuntimeError, match="not the last one"):
            fw.exit_dual_level(level=3)


def test_tangents_end_with_the_level_and_detach_drops_them() -> None:
    with fw.dual_level():
        x = fw.make_dual(taeda.ones(2), taeda.ones(2))
        assert fw.unpack_dual(x.detach()).tangent is None and fw.unpack_dual(x > 0).tangent is None
        assert fw.unpack_dual(fw.unpack_dual(x).primal).tangent is None
        assert fw.unpack_dual(x.clone().detach_() * 2).tangent is None
        assert repr(x) == "tensor([1., 1.], tangent=tensor([1., 1.]))"
        with taeda.no_grad():
            assert fw.unpack_dual(x * 2).tangent.tolist() == [2.0, 2.0]
        with taeda.inference_mode():
            assert fw.unpack_dual(x * 2).tangent is None
        with fw._set_fwd_grad_enabled(False):
            y = x * 2
        assert fw.unpack_dual(y).tangent is None
    assert fw.unpack_dual(x).tangent is None and repr(x) == "tensor([1., 1.])"
    with fw.dual_level():
        assert fw.unpack_dual(x * 2).tangent is None


def test_writes_through_views_and_bases_change_tangents() -> None:
    with fw.dual_level():
        d = fw.make_dual(taeda.tensor([1.0, 2.0]), taeda.tensor([3.0, 4.0]))
        head = d[:1]
        head.mul_(10)
        assert fw.unpack_dual(d).tangent.tolist() == [30.0, 4.0] and fw.unpack_dual(head).tangent.tolist() == [30.0]
        z = taeda.zeros(2)
        z[:1].copy_(d[:1])
        assert fw.unpack_dual(z).tangent.tolist() == [30.0, 0.0]
        w = taeda.zeros(2, 2)
        column = w.t()[1]
        w[:, 1] = d
        assert fw.unpack_dual(column).tangent.tolist() == [30.0, 4.0]
        d.zero_()
        assert fw.unpack_dual(d).tangent.tolist() == [0.0, 0.0]


def test_a_tangent_in_another_memory_order_reaches_views() -> None:
    with fw.dual_level():
        t = taeda.arange(6.0).reshape(2, 3)
        x = fw.make_dual(taeda.ones(3, 2).t(), t)
        assert fw.unpack_dual(x[1]).tangent.tolist() == [3.0, 4.0, 5.0]


def test_the_tangent_of_logcumsumexp() -> None:
    # its vjp takes logarithms of the cotangent, which have no derivative at the cotangent 0 that forward mode differentiates at
    x = taeda.tensor([[0.1, 0.5, -3.0, 2.0], [1.0, 2.0, 90.0, -70.0]], dtype=taeda.float64)
    t = taeda.tensor([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]], dtype=taeda.float64)
    for dim in (0, 1):
        y, tangent = taeda.func.jvp(lambda z, d=dim: z.logcumsumexp(d), (x,), (t,))
        weights = (x.movedim(dim, -1).unsqueeze(-2) - y.movedim(dim, -1).unsqueeze(-1)).exp().tril()
        assert taeda.allclose(tangent, (weights @ t.movedim(dim, -1).unsqueeze(-1)).squeeze(-1).movedim(-1, dim), rtol=1e-12)


def test_forward_over_reverse() -> None:
    x = taeda.tensor([0.3, 0.7], dtype=taeda.float64, requires_grad=True)
    with fw.dual_level():
        d = fw.make_dual(x, taeda.tensor([1.0, 2.0], dtype=taeda.float64))
        y = (d.sin() * d).sum()
        tangent = fw.unpack_dual(y).tangent
        (g,) = taeda.autograd.grad(tangent, x)          # the Hessian times the tangent
    expected = (2 * x.cos() - x * x.sin()) * taeda.tensor([1.0, 2.0], dtype=taeda.float64)
    assert taeda.allclose(g, expected.detach())


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("row", ROWS, ids=harness.row_ids(ROWS))
def test_a_backward_pass_carries_tangents(row: Row, create_graph: bool) -> None:
    # forward over reverse gives H t, and so does reverse over reverse
    function = harness.find(taeda, row.name)
    for call in harness.gradient_calls(row)[:1]:
        args, kwargs, values = harness.tensors(taeda, call, grad=True)
        f = functools.partial(harness._with_values, function, args, kwargs, [id(v) for v in values])

        def total(*inputs: taeda.Tensor, f: Any = f) -> taeda.Tensor | None:
            taeda.manual_seed(0)
            outs = [o for o in harness.run_quietly(f, *inputs) if o.requires_grad and not o.is_complex()]
            return sum(((o + 0.25) ** 2 * ramp(o)).sum() for o in outs) if outs else None

        tangents = [ramp(v) for v in values]
        y = total(*values)
        if y is None:
            continue
        gs = taeda.autograd.grad(y, values, create_graph=True, allow_unused=True)
        pairs = [(g, t) for g, t in zip(gs, tangents, strict=True) if g is not None and g.requires_grad]
        if any(g.is_complex() for g, _ in pairs):
            continue                                     # the gradient of a real function of complex numbers is not holomorphic
        along = sum((g * t).sum() for g, t in pairs) if pairs else None
        wanted = taeda.autograd.grad(along, values, allow_unused=True) if pairs else [None] * len(values)
        with fw.dual_level():
            duals = [fw.make_dual(v, t) for v, t in zip(values, tangents, strict=True)]
            found = taeda.autograd.grad(total(*duals), values, create_graph=create_graph, allow_unused=True)
            got = [None if g is None else fw.unpack_dual(g).tangent for g in found]
        for g, t, w in zip(found, got, wanted, strict=True):
            if g is not None:
                zero = taeda.zeros_like(g)
                harness.assert_close(zero if t is None else t, zero if w is None else w, 1e-7, 1e-9, f"{row.name} {call}")


class Scaled(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x, k, y):
        ctx.save_for_forward(x, y)
        ctx.k = k
        return x * k * y

    @staticmethod
    def jvp(ctx, tx, tk, ty):
        x, y = ctx.saved_tensors
        assert tk is None
        return tx * ctx.k * y + x * ctx.k * ty


def test_function_jvp() -> None:
    with fw.dual_level():
        x = fw.make_dual(taeda.tensor([1.0, 2.0]), taeda.ones(2))
        assert fw.unpack_dual(Scaled.apply(x, 3.0, taeda.tensor([5.0, 6.0]))).tangent.tolist() == [15.0, 18.0]

        class NoRule(taeda.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

        with pytest.raises(NotImplementedError, match="must implement the jvp function"):
            NoRule.apply(x)

        class TooFew(NoRule):
            @staticmethod
            def forward(ctx, x):
                return x * 2, x * 3

            @staticmethod
            def jvp(ctx, tx):
                return tx

        with pytest.raises(RuntimeError, match="expected 2 but got 1"):
            TooFew.apply(x)


class SavesItsOutput(taeda.autograd.Function):
    @staticmethod
    def forward(x):
        return x**3, 3 * x**2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output[1])
        ctx.save_for_forward(inputs[0], output[1])

    @staticmethod
    def backward(ctx, g, h):
        x, slope = ctx.saved_tensors
        return g * slope + h * 6 * x

    @staticmethod
    def jvp(ctx, t):
        x, slope = ctx.saved_tensors
        return t * slope, t * 6 * x


def test_what_a_function_saved_of_its_output_has_the_outputs_tangent() -> None:
    x = taeda.tensor([0.5, -2.0], dtype=taeda.float64)
    slope = taeda.func.grad(lambda x: SavesItsOutput.apply(x)[0].square().sum())
    value, tangent = taeda.func.jvp(slope, (x,), (taeda.ones_like(x),))
    assert value.allclose(6 * x**5) and tangent.allclose(30 * x**4)


class WrongTangent(taeda.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_forward(x)
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0].cos()

    @staticmethod
    def jvp(ctx, t):
        return t * ctx.saved_tensors[0].cos() * 1.01


def test_gradcheck_finds_a_wrong_forward_rule() -> None:
    x = taeda.tensor([0.3, 0.7], dtype=taeda.float64, requires_grad=True)
    assert taeda.autograd.gradcheck(taeda.sin, x, check_forward_ad=True, check_batched_grad=True, check_grad_dtypes=True)
    assert taeda.autograd.gradgradcheck(taeda.sin, x, check_fwd_over_rev=True, gen_non_contig_grad_outputs=True)
    assert taeda.autograd.gradcheck(WrongTangent.apply, x)
    with pytest.raises(taeda.autograd.GradcheckError, match="forward mode mismatch"):
        taeda.autograd.gradcheck(WrongTangent.apply, x, check_forward_ad=True)


def test_gradcheck_leaves_an_input_as_it_was_where_the_function_raises() -> None:
    calls = []

    def once(x):
        calls.append(x)
        if len(calls) > 1:
            raise ArithmeticError("no second time")
        return x * 2

    x = taeda.tensor([1.0, 2.0], dtype=taeda.float64, requires_grad=True)
    with pytest.raises(ArithmeticError):
        taeda.autograd.gradcheck(once, x)
    assert x.tolist() == [1.0, 2.0]


def test_gradcheck_options() -> None:
    x = taeda.tensor([0.3], dtype=taeda.float64, requires_grad=True)
    assert taeda.autograd.gradcheck(taeda.sin, x, fast_mode=True, nondet_tol=1e-7, masked=False)
    with pytest.raises(AssertionError, match="at least one of check_forward_ad or check_backward_ad"):
        taeda.autograd.gradcheck(taeda.sin, x, check_backward_ad=False)
    with pytest.warns(UserWarning, match="not a double precision"):
        taeda.autograd.gradcheck(taeda.sin, x.detach().float().requires_grad_(), atol=1e-1, eps=1e-2)
    with pytest.raises(RuntimeError, match="stride 0"):
        taeda.autograd.gradcheck(taeda.sin, x.detach().expand(3).requires_grad_())
    with pytest.raises(taeda.autograd.GradcheckError, match="expected to be zero"):
        taeda.autograd.gradcheck(lambda t: t.detach() * 2, x)


def test_what_unpack_dual_returns_has_no_tangent_any_more() -> None:
    with fw.dual_level():
        x = taeda.ones(3, requires_grad=True)
        y = fw.make_dual(x, taeda.full((3,), 2.0)) * 3
        for whole in (y, y[1:], y.view(3, 1)):
            value, tangent = fw.unpack_dual(whole)
            assert value.tolist() == whole.detach().tolist() and set(tangent.flatten().tolist()) == {6.0}
            for other in (value, value * 2, value[0], value.clone()):
                assert fw.unpack_dual(other).tangent is None
            assert "tangent" not in repr(value)
            assert fw.unpack_dual(fw.make_dual(value, tangent * 2)).tangent.flatten()[0] == 12
        value.sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_out_takes_no_part_in_forward_mode() -> None:
    with fw.dual_level():
        dual, plain = fw.make_dual(taeda.ones(2), taeda.ones(2)), taeda.ones(2)
        for call in (lambda: taeda.add(dual, 1, out=plain), lambda: taeda.add(plain, 1, out=dual), lambda: taeda.sum(dual, 0, out=taeda.ones(()))):
            with pytest.raises(NotImplementedError, match="don't support forward mode"):
                call()
        assert taeda.eq(dual, 1, out=taeda.zeros(2, dtype=taeda.bool)).all()
    assert taeda.add(dual, 1, out=plain).tolist() == [2.0, 2.0]


def test_a_tangent_has_no_tangent() -> None:
    with fw.dual_level():
        dual = fw.make_dual(taeda.ones(2), taeda.ones(2))
        with pytest.raises(RuntimeError, match="at the same level"):
            fw.make_dual(taeda.ones(2), dual)
        assert fw.unpack_dual(fw.make_dual(taeda.ones(2), fw.unpack_dual(dual).primal)).tangent.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("name", "args"), [("transpose_", (0, 1)), ("unsqueeze_", (0,)), ("squeeze_", ()), ("t_", ()), ("swapaxes_", (0, 1))])
@pytest.mark.parametrize("view", [False, True])
def test_what_lays_a_tensor_out_anew_does_so_with_its_tangent(name: str, args: tuple[int, ...], view: bool) -> None:
    x = taeda.arange(6.0).reshape((1, 6) if name == "squeeze_" else (2, 3))

    def f(x: taeda.Tensor) -> taeda.Tensor:
        y = (x * 1)[:] if view else x * 1
        return getattr(y, name)(*args) * 2

    y, tangent = taeda.func.jvp(f, (x,), (x + 1,))
    assert taeda.equal(y, f(x)) and taeda.equal(tangent, f(x + 1))


@pytest.mark.parametrize(("name", "derivative"), [
    ("mul_", lambda x: 2 * x), ("div_", lambda x: 0 * x), ("pow_", lambda x: x**x * (x.log() + 1)), ("atan2_", lambda x: 0 * x),
    ("hypot_", lambda x: 0 * x + 2**0.5), ("xlogy_", lambda x: x.log() + 1),
])
@pytest.mark.parametrize("view", [False, True])
def test_a_write_of_a_tensor_into_itself_has_the_tangent_of_what_it_was(name: str, derivative: Any, view: bool) -> None:
    x, t = taeda.tensor([0.5, 1.25], dtype=taeda.float64), taeda.tensor([1.0, -3.0], dtype=taeda.float64)

    def f(x: taeda.Tensor) -> taeda.Tensor:
        y = x * 1
        getattr(y[:] if view else y, name)(y)
        return y

    assert taeda.func.jvp(f, (x,), (t,))[1].tolist() == pytest.approx((derivative(x) * t).tolist())


AT = taeda.tensor([1, 1, 2])


@pytest.mark.parametrize("write", [
    lambda y, s: y.index_put_((AT,), s), lambda y, s: y.index_put((AT,), s), lambda y, s: y.index_copy_(0, AT, s), lambda y, s: y.scatter(0, AT, s),
    lambda y, s: y.put_(AT, s), lambda y, s: y.__setitem__(AT, s) or y,
])
def test_of_several_elements_written_to_one_place_the_last_ones_tangent_is_there(write) -> None:
    x, s = taeda.arange(4.0), taeda.tensor([10.0, 20.0, 30.0])
    y, tangent = taeda.func.jvp(lambda x, s: write(x.clone(), s), (x, s), (taeda.full((4,), 7.0), taeda.tensor([1.0, 2.0, 3.0])))
    assert y.tolist() == [0, 20, 30, 3] and tangent.tolist() == [7, 2, 3, 7]
    s.requires_grad_()                                       # cotangents go to each of them, as PyTorch's
    write(taeda.arange(4.0), s).backward(taeda.arange(4.0))
    assert s.grad.tolist() == [1, 1, 2]


def test_elements_added_to_one_place_add_their_tangents() -> None:
    x, s, t = taeda.arange(4.0), taeda.tensor([10.0, 20.0, 30.0]), taeda.tensor([1.0, 2.0, 3.0])
    for write in (lambda s: x.index_put((AT,), s, accumulate=True), lambda s: x.scatter_add(0, AT, s), lambda s: x.put(AT, s, accumulate=True)):
        assert taeda.func.jvp(write, (s,), (t,))[1].tolist() == [0, 3, 3, 0]


@pytest.mark.parametrize("convolution", ["conv1d", "conv_transpose1d"])
def test_tangents_pass_without_grad_mode_whatever_else_requires_grad(convolution: str) -> None:
    x, w = taeda.ones(1, 3, 4), taeda.full((3, 3, 3), 0.5)
    for a, b in ((x, w.clone().requires_grad_()), (x.clone().requires_grad_(), w)):
        with fw.dual_level(), taeda.no_grad():
            for i in range(2):
                duals = [fw.make_dual(t, t.detach()) if i == j else t for j, t in enumerate((a, b))]
                y = getattr(taeda, convolution)(*duals)
                assert taeda.equal(fw.unpack_dual(y).tangent, y) and not y.requires_grad


def test_gradients_of_convolutions_and_norms_have_tangents() -> None:
    x, w = taeda.ones(1, 3, 6), taeda.full((2, 3, 3), 0.5)
    tangent = jvp(lambda w: grad(lambda q: taeda.conv1d(q, w).sum())(x), (w,), (2 * w,))[1]
    assert tangent.tolist() == [[[2, 4, 6, 6, 4, 2]] * 3][0:1] and tangent.sum() == 72
    squares = lambda q: (taeda.conv1d(q, w) ** 2).sum()  # noqa: E731
    assert jvp(lambda x: jvp(squares, (x,), (x,))[1], (x,), (x,))[1] == 648
    mean, var = taeda.zeros(3), taeda.ones(3)
    cubes = lambda q: (taeda.batch_norm(q, None, None, mean, var, False, 0.1, 0.0, False) ** 3).sum()  # noqa: E731
    assert taeda.equal(jvp(grad(cubes), (2 * x,), (x,))[1], 12 * x)


def test_a_sample_inside_of_vmap_does_not_become_a_dual_tensor():
    def tangent(x, t):
        with taeda.autograd.forward_ad.dual_level():
            return taeda.autograd.forward_ad.unpack_dual(taeda.autograd.forward_ad.make_dual(x, t) * 2).tangent

    with pytest.raises(RuntimeError, match="Batching rule not implemented for aten::_make_dual"):
        taeda.func.vmap(tangent)(taeda.ones(2, 3), taeda.ones(2, 3))


@pytest.mark.parametrize("function", [taeda.abs, taeda.sgn, taeda.angle, taeda.norm], ids=lambda f: f.__name__)
def test_tangents_of_complex_functions_and_their_gradients_are_0_at_0_as_the_gradients_are(function: Any) -> None:
    z, t = taeda.zeros(2, dtype=taeda.complex128), taeda.tensor([1.0, 2j], dtype=taeda.complex128)

    def slope(z: taeda.Tensor) -> taeda.Tensor:
        return vjp(function, z)[1](taeda.ones_like(function(z)))[0]

    assert not jvp(function, (z,), (t,))[1].any() and not slope(z).any()
    assert jvp(slope, (z,), (t,))[1].tolist() == [0, 0]
    assert vjp(slope, z)[1](t)[0].tolist() == [0, 0]

"""Hooks of every kind: their order, what they may change, saved tensors packed and unpacked, several gradients at once."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import taeda
from leaves import leaf
from taeda.autograd import graph


def test_the_order_of_hooks_is_pytorchs() -> None:
    calls: list[str] = []

    def note(text: str):
        return lambda *args: calls.append(text)

    a, b = leaf(1), leaf(2)
    hidden = a * 2
    out = hidden * b
    for name, t in (("out", out), ("hidden", hidden), ("a", a), ("b", b)):
        t.register_hook(note(f"{name} tensor"))
    for name, t in (("out", out), ("hidden", hidden)):
        t.grad_fn.register_prehook(note(f"{name} pre"))
        t.grad_fn.register_hook(note(f"{name} post"))
    a.register_post_accumulate_grad_hook(note("a accumulated"))
    b.register_post_accumulate_grad_hook(note("b accumulated"))
    out.sum().backward()
    assert calls == ["out tensor", "out pre", "out post", "b tensor", "b accumulated", "hidden tensor", "hidden pre", "hidden post",
                     "a tensor", "a accumulated"]


def test_accumulator_hooks_run_around_the_accumulation_alone() -> None:
    x = leaf(1)
    y = x * 2
    node = y.grad_fn.next_functions[0][0]
    assert isinstance(node, graph.Node) and node.variable is x and node.next_functions == ()
    seen: list[object] = []
    node.register_prehook(lambda gs: (gs[0] * 10,))
    handle = node.register_hook(lambda ins, outs: seen.append((ins, outs[0].tolist())))
    (g,) = taeda.autograd.grad(y, x, retain_graph=True)
    assert g.tolist() == [2.0] and seen == []
    y.backward()
    assert x.grad.tolist() == [20.0] and seen == [((), [20.0])]
    handle.remove()


def test_a_node_hook_sees_gradients_of_the_inputs_shapes() -> None:
    x, y = leaf(1, 2), leaf(3)
    out = x * y
    seen = []
    out.grad_fn.register_hook(lambda ins, outs: seen.append([tuple(g.shape) for g in ins]))
    out.sum().backward()
    assert seen == [[(2,), (1,)]]


def test_a_leaf_with_hooks_takes_the_whole_gradient_once() -> None:
    x = leaf(1)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 2 + x * 3 + x).backward()
    assert seen == [6.0] and x.grad.tolist() == [6.0]
    (g,) = taeda.autograd.grad(x * 2 + x, x)
    assert g.tolist() == [3.0] and seen == [6.0, 3.0]


def test_what_a_hook_may_return() -> None:
    for wrong, error, text in ((lambda g: 3, TypeError, "hook returned 'int'"), (lambda g: taeda.ones(5), RuntimeError, "changed the size")):
        y = leaf(1) * 1
        y.register_hook(wrong)
        with pytest.raises(error, match=text):
            y.backward()
    with pytest.raises(TypeError, match="callable"):
        leaf(1).register_hook(3)


def test_multi_grad_hook_waits_for_all_that_come() -> None:
    x, y, z = leaf(1), leaf(2), leaf(3)
    seen: list[object] = []
    handle = graph.register_multi_grad_hook((x, y, z), lambda gs: seen.append([None if g is None else g.item() for g in gs]))
    (x * 2 + y).backward()
    (x * y * z).backward()
    assert seen == [[2.0, 1.0, None], [6.0, 3.0, 2.0]]
    handle.remove()
    (x * 2).backward()
    assert len(seen) == 2
    with graph.register_multi_grad_hook((x, y), lambda g: seen.append(g.item()), mode="any"):
        (x * 5 + y * 5).backward()
    assert seen[2:] == [5.0]
    with pytest.raises(ValueError, match="'all', 'any'"):
        graph.register_multi_grad_hook((x,), print, mode="some")


def test_multi_grad_hook_on_intermediates_and_chosen_inputs() -> None:
    x, y = leaf(1), leaf(2)
    hidden = x * 3
    seen: list[object] = []
    graph.register_multi_grad_hook([hidden, y], lambda gs: seen.append([None if g is None else g.item() for g in gs]))
    taeda.autograd.grad(hidden * y, [y], retain_graph=True)
    (hidden * y).backward()
    assert seen == [[None, 3.0], [2.0, 3.0]]


def test_saved_tensors_are_packed_and_unpacked() -> None:
    packed, unpacked = [], []

    def pack(t):
        assert not taeda.is_grad_enabled()
        packed.append(t.tolist())
        return t.tolist()

    def unpack(v):
        unpacked.append(v)
        return taeda.tensor(v, dtype=taeda.float64)

    x, y = leaf(1, 2), leaf(3, 4)
    with graph.saved_tensors_hooks(pack, unpack):
        z = (x * y).exp() * 2.0
    assert packed[:2] == [[1.0, 2.0], [3.0, 4.0]] and len(packed) == 3
    z.sum().backward()
    w = (x.detach() * y.detach()).exp() * 2
    assert taeda.allclose(x.grad, w * y.detach()) and len(unpacked) == 3


def test_second_derivatives_go_through_packed_tensors() -> None:
    x = leaf(0.5)
    with graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        y = x.exp() * x
    (g,) = taeda.autograd.grad(y, x, create_graph=True)
    (gg,) = taeda.autograd.grad(g, x)
    assert gg.item() == pytest.approx(2.5 * 0.5**0 * 2.718281828459045**0.5)


def test_wrong_pack_and_unpack_hooks() -> None:
    x = leaf(1)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x * x
    with pytest.raises(TypeError, match="expected to be a Tensor but got result of type int"):
        y.backward()
    with pytest.raises(RuntimeError, match="modifying its input in place"), graph.saved_tensors_hooks(lambda t: t.detach().add_(1), lambda t: t):
        x * x
    assert not (leaf(1) * 2).grad_fn._raw_saved_other.register_hooks(lambda t: t, lambda t: t)


def test_pack_hooks_can_be_refused() -> None:
    hooks = graph.saved_tensors_hooks(lambda t: t, lambda t: t)
    with pytest.raises(RuntimeError, match="not here"), graph.disable_saved_tensors_hooks("not here"), hooks:
        pass
    with pytest.raises(RuntimeError, match="not here"), hooks, graph.disable_saved_tensors_hooks("not here"):
        pass
    with hooks:
        pass


def test_raw_saved_tensors_take_hooks_once() -> None:
    x = leaf(1, 2)
    y = x.exp()
    raw = y.grad_fn._raw_saved_result
    raw.register_hooks(lambda t: t.tolist(), lambda v: taeda.tensor(v, dtype=taeda.float64))
    with pytest.raises(RuntimeError, match="already been set"):
        raw.register_hooks(lambda t: t, lambda t: t)
    assert y.grad_fn._saved_result.tolist() == y.tolist() and "_saved_result" in dir(y.grad_fn)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    with pytest.raises(RuntimeError, match="after it has been freed"):
        raw.register_hooks(lambda t: t, lambda t: t)
    with pytest.raises(RuntimeError, match="second time"):
        y.grad_fn._saved_result  # noqa: B018
    z = x * taeda.ones(2, dtype=taeda.float64)
    assert z.grad_fn._saved_self is None
    with pytest.raises(RuntimeError, match="value None is forbidden"):
        z.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t)


def test_save_on_cpu_changes_no_gradient() -> None:
    x = leaf(1, 2)
    with graph.save_on_cpu(pin_memory=True):
        y = (x * x).sin()
    y.sum().backward()
    assert taeda.allclose(x.grad, (2 * x * (x * x).cos()).detach())


def test_saved_tensors_may_be_changed_where_that_is_allowed() -> None:
    x = leaf(1, 2)
    with graph.allow_mutation_on_saved_tensors():
        y = x.clone()
        out = y.sin()
        y.mul_(5)
        out.sum().backward()
    assert taeda.allclose(x.grad, x.detach().cos())
    with graph.allow_mutation_on_saved_tensors():
        out = x.sin()
    with pytest.raises(AssertionError, match="outside of the 'allow_mutation_on_saved_tensors' context"):
        out.sum().backward()
    with pytest.raises(RuntimeError, match="cannot be nested"), graph.allow_mutation_on_saved_tensors(), graph.allow_mutation_on_saved_tensors():
        pass


def test_increment_version_makes_a_saved_tensor_stale() -> None:
    x = leaf(1)
    y = x.exp()
    before = y._version
    graph.increment_version([y, y])
    assert y._version == before + 2
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_packed_graphs_are_released_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        x = leaf(1, 2)
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            y = x.exp()                      # saves its own output
        ref = weakref.ref(y)
        del y
        assert ref() is None
    finally:
        gc.enable()


def test_a_hook_may_not_change_the_dtype() -> None:
    x = taeda.ones(2, requires_grad=True)
    x.register_hook(lambda g: g.double())
    with pytest.raises(RuntimeError, match=r"has changed the type of value: from taeda.float32 to taeda.float64"):
        (x * 2).sum().backward()
    assert x.grad is None


@pytest.mark.parametrize(("returned", "error", "match"), [
    (lambda g: (g, g, g, g), RuntimeError, "incorrect number of values \\(got 4"),
    (lambda g: (), RuntimeError, "got 0"),
    (lambda g: g, TypeError, "expected tuple, but hook returned 'Tensor'"),
    (lambda g: 3, TypeError, "expected tuple, but hook returned 'int'"),
])  # fmt: skip
def test_what_a_nodes_hooks_return_is_as_many_gradients(returned: Any, error: type[Exception], match: str) -> None:
    for register in ("register_prehook", "register_hook"):
        x = taeda.ones(2, requires_grad=True)
        y = x * taeda.ones(2)
        getattr(y.grad_fn, register)(lambda first, *_: returned(first[0]))
        with pytest.raises(error, match=match):
            y.sum().backward()


def test_what_a_nodes_hooks_return_has_the_shape_and_dtype_of_what_it_replaces() -> None:
    for change, match in ((lambda g: g.double(), "changed the type"), (lambda g: g[:1], "changed the size")):
        x = taeda.ones(2, requires_grad=True)
        y, z = x * 2, x * taeda.ones(2)
        y.grad_fn.register_prehook(lambda go, change=change: (change(go[0]),))
        z.grad_fn.register_hook(lambda gi, go, change=change: (change(gi[0]), None))
        for out in (y, z):
            with pytest.raises(RuntimeError, match=match):
                out.sum().backward()


def test_a_hook_after_accumulation_returns_nothing() -> None:
    x = taeda.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda p: 5)
    with pytest.raises(TypeError, match="hook returned 'int'"):
        (x * 2).sum().backward()
    y = taeda.ones(2, requires_grad=True)
    y.register_post_accumulate_grad_hook(lambda p: p.grad)
    with pytest.raises(RuntimeError, match="should return None"):
        (y * 2).sum().backward()
    z = taeda.zeros(3, requires_grad=True)
    z.register_post_accumulate_grad_hook(lambda p: p.add_(p.grad, alpha=-0.5))       # gives the leaf itself
    z.backward(taeda.tensor([1.0, 2.0, 3.0]))
    assert z.tolist() == [-0.5, -1.0, -1.5]


def test_a_retained_gradient_is_memory_of_its_own() -> None:
    x = taeda.ones(2, requires_grad=True)
    y = x * 2
    z = y.view(2)
    for t in (y, z):
        t.retain_grad()
    z.sum().backward()
    assert z.grad.stride() == (1,)
    z.grad.zero_()
    assert y.grad.tolist() == [1, 1] and x.grad.tolist() == [2, 2]


def retained_of(write) -> tuple:
    """The gradients of x and of y = 2 x, which retained its own before write(y) changed it; the loss is 7 y."""
    x = taeda.ones(2, 3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    write(y)
    (y * 7).sum().backward()
    return x.grad.tolist(), y.grad.tolist()


@pytest.mark.parametrize(
    "write, dx",
    [
        (lambda y: y.mul_(3), [[42.0] * 3] * 2),
        (lambda y: y.relu_(), [[14.0] * 3] * 2),
        (lambda y: y[0].mul_(3), [[42.0] * 3, [14.0] * 3]),             # through a view of it
        (lambda y: y.__setitem__((0, 0), 5.0), [[0.0, 14.0, 14.0], [14.0] * 3]),
        (lambda y: (y.mul_(3), y.retain_grad(), y.mul_(5)), [[210.0] * 3] * 2),
    ],
)
def test_a_retained_gradient_is_that_of_the_value_after_the_last_write(write, dx) -> None:
    assert retained_of(write) == (dx, [[7.0] * 3] * 2)


def test_a_retained_gradient_has_the_shape_that_the_tensor_took_in_place() -> None:
    x = taeda.ones(2, 3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.t_()
    (y * taeda.arange(6.0).view(3, 2)).sum().backward()
    assert y.grad.tolist() == [[0, 1], [2, 3], [4, 5]] and x.grad.tolist() == [[0, 4, 8], [2, 6, 10]]


def test_a_view_whose_base_is_written_to_retains_the_gradient_of_what_it_shows_now() -> None:
    x = taeda.ones(4, requires_grad=True)
    y = x * 2
    v = y[:2]
    y.retain_grad(), v.retain_grad()
    y.mul_(3)
    (v * 7).sum().backward()
    assert v.grad.tolist() == [7, 7] and y.grad.tolist() == [7, 7, 0, 0] and x.grad.tolist() == [42, 42, 0, 0]


def test_hooks_of_values_before_a_write_see_the_gradients_of_those_values() -> None:
    seen = []
    y = taeda.ones(2, requires_grad=True) * 2
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.retain_grad()
    y.mul_(3)
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.sum().backward()
    assert seen == [[1, 1], [3, 3]] and y.grad.tolist() == [1, 1]


def test_every_handle_is_a_removable_handle():
    import copy

    from taeda.utils.hooks import RemovableHandle

    p = taeda.ones(2, requires_grad=True)
    y = p * 2
    made = [p.register_hook(print), p.register_post_accumulate_grad_hook(print), y.grad_fn.register_hook(print), y.grad_fn.register_prehook(print),
            taeda.autograd.graph.register_multi_grad_hook([p, y], print)]
    assert all(isinstance(handle, RemovableHandle) for handle in made) and RemovableHandle.__module__ == "taeda.utils.hooks"
    for handle in copy.deepcopy(made[:2]):
        handle.remove()
    for handle in made:
        handle.remove()
    y.sum().backward()


def test_a_callback_runs_when_the_pass_is_over() -> None:
    engine = taeda.autograd.Variable._execution_engine
    x, log = leaf(1, 2), []

    class Step(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            engine.queue_callback(lambda: (log.append(x.grad.tolist()), engine.queue_callback(lambda: log.append("last"))))
            inner = leaf(3)
            inner.register_hook(lambda g: engine.queue_callback(lambda: log.append("inner")))
            with taeda.enable_grad():
                (inner * 2).sum().backward()
            log.append("backward")
            return g

    Step.apply(x * 2).sum().backward()
    assert log == ["inner", "backward", [2.0, 2.0], "last"]
    with pytest.raises(RuntimeError, match="only be installed during backward"):
        engine.queue_callback(print)
    with pytest.raises(TypeError, match="expected a function"):
        y = leaf(1)
        y.register_hook(lambda g: engine.queue_callback(3))
        y.sum().backward()


def test_the_callbacks_of_a_pass_that_fails_are_forgotten() -> None:
    engine, x, log = taeda.autograd.Variable._execution_engine, leaf(1), []

    def fail(g):
        engine.queue_callback(lambda: log.append("called"))
        raise ValueError("no")

    y = x * 2
    handle = y.register_hook(fail)
    with pytest.raises(ValueError, match="no"):
        y.sum().backward(retain_graph=True)
    handle.remove()
    y.sum().backward()
    assert log == [] and x.grad.tolist() == [2.0]


def test_the_table_of_hooks_can_be_set() -> None:
    x, seen = leaf(1), []
    x._backward_hooks = {0: seen.append}
    (x * 3).sum().backward()
    assert [g.item() for g in seen] == [3.0]
    x._backward_hooks = None
    assert x._backward_hooks is None
    (x * 3).sum().backward()
    assert len(seen) == 1


def test_a_pack_hook_sees_what_a_write_of_a_tensor_into_itself_overwrites() -> None:
    x = taeda.tensor([0.5, 1.25], dtype=taeda.float64, requires_grad=True)
    with taeda.autograd.graph.saved_tensors_hooks(taeda.clone, lambda kept: kept):
        y = x * 1
        y.mul_(y)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 2.5]

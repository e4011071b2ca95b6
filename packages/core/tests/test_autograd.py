"""The graph: backward and grad, accumulation, modes, hooks, views and in-place writes, deep chains."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref

import pytest

import taeda
from leaves import leaf


def test_backward_that_makes_a_graph_warns_once_of_the_cycle():
    from taeda import _once
    _once._told.discard("create_graph")
    x = taeda.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="reference cycle"):
        (x ** 2).sum().backward(create_graph=True)
    (x ** 2).sum().backward(create_graph=True)               # warnings are errors here
    taeda.autograd.grad((x ** 2).sum(), x, create_graph=True)


def test_inference_tensors_have_no_version():
    with taeda.inference_mode():
        x = taeda.ones(2)
    with pytest.raises(RuntimeError, match="do not track version"):
        x._version


def test_gradients_accumulate_over_backward_calls() -> None:
    x = leaf(1, 2)
    (x * x).sum().backward()
    (x * x).sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_a_tensor_used_twice_gets_both_gradients_and_leaves_do_not_share_memory() -> None:
    a, b = leaf(1, 2), leaf(3, 4)
    (a + b).sum().backward()
    a.grad.mul_(10)
    assert a.grad.tolist() == [10.0, 10.0] and b.grad.tolist() == [1.0, 1.0]


def test_diamond() -> None:
    x = leaf(2)
    y = x * x
    (y * y + y).sum().backward()
    assert x.grad.tolist() == [4 * 8.0 + 4.0]


def test_second_and_third_derivative() -> None:
    x = leaf(2)
    y = (x**4).sum()
    (g,) = taeda.autograd.grad(y, x, create_graph=True)
    (gg,) = taeda.autograd.grad(g.sum(), x, create_graph=True)
    (ggg,) = taeda.autograd.grad(gg.sum(), x)
    assert (g.tolist(), gg.tolist(), ggg.tolist()) == ([32.0], [48.0], [48.0])


def test_backward_twice_raises_unless_the_graph_is_kept() -> None:
    x = leaf(3)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12.0]
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_backward_wants_a_scalar_or_a_gradient() -> None:
    x = leaf(1, 2)
    with pytest.raises(RuntimeError, match=r"implicitly created only for scalar outputs, got shape \(2,\)"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * 2).backward(taeda.ones(3, dtype=taeda.float64))
    (x * 2).backward(taeda.tensor([1.0, 10.0], dtype=taeda.float64))
    assert x.grad.tolist() == [2.0, 20.0]


def test_backward_of_a_tensor_without_history() -> None:
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        taeda.ones(()).backward()


def test_grad_of_an_unused_input() -> None:
    x, y = leaf(1), leaf(1)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        taeda.autograd.grad(x.sum(), [x, y])
    assert taeda.autograd.grad(x.sum(), [x, y], allow_unused=True)[1] is None
    assert taeda.autograd.grad(x.sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0]
    used, unused = (taeda.autograd.graph.get_gradient_edge(t) for t in (x, y))
    found = taeda.autograd.grad(x.sum(), [used, y], materialize_grads=True)
    assert [g.tolist() for g in found] == [[1.0], [0.0]]
    with pytest.raises(RuntimeError, match="GradientEdge"):
        taeda.autograd.grad(x.sum(), [x, unused], materialize_grads=True)


def test_grad_of_an_intermediate_and_no_grad_field_touched() -> None:
    x = leaf(3)
    y = x * 2
    (g,) = taeda.autograd.grad((y * y).sum(), y)
    assert g.tolist() == [12.0] and x.grad is None


def test_backward_to_chosen_inputs_only() -> None:
    x, y = leaf(1), leaf(2)
    (x * y).sum().backward(inputs=[x])
    assert x.grad.tolist() == [2.0] and y.grad is None


@pytest.mark.parametrize("mode", [taeda.no_grad, taeda.inference_mode])
def test_modes_record_nothing(mode: type) -> None:
    x = leaf(1)
    with mode():
        y = x * 2
        with taeda.enable_grad():
            z = x * 2
    assert not y.requires_grad and y.grad_fn is None
    assert z.requires_grad == (mode is taeda.no_grad)


def test_modes_decorate_functions_and_generators() -> None:
    x = leaf(1)

    @taeda.no_grad()
    def f() -> bool:
        return (x * 2).requires_grad

    @taeda.no_grad
    def g() -> bool:
        return (x * 2).requires_grad

    @taeda.no_grad()
    def many():
        got = yield (x * 2).requires_grad
        yield got

    assert not f() and not g()
    running = many()
    assert next(running) is False and taeda.is_grad_enabled()
    assert running.send("sent") == "sent"


@pytest.mark.parametrize("mode", [taeda.no_grad, taeda.enable_grad, taeda.inference_mode])
def test_a_class_is_decorated_with_a_warning(mode) -> None:
    with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):
        @mode()
        class Made:
            def __init__(self) -> None:
                self.modes = taeda.is_grad_enabled(), taeda.is_inference_mode_enabled()

    assert Made().modes == (mode is taeda.enable_grad, mode is taeda.inference_mode)


def test_set_grad_enabled_acts_at_once_and_as_a_block() -> None:
    taeda.set_grad_enabled(False)
    assert not taeda.is_grad_enabled()
    taeda.set_grad_enabled(True)
    with taeda.set_grad_enabled(False):
        assert not taeda.is_grad_enabled()
    assert taeda.is_grad_enabled()


def test_grad_mode_is_a_threads_own() -> None:
    seen = []
    with taeda.no_grad():
        thread = threading.Thread(target=lambda: seen.append(taeda.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_inference_tensors_cannot_join_a_graph() -> None:
    with taeda.inference_mode():
        x = taeda.ones(2)
    assert x.is_inference()
    w = leaf(1, 1).float().detach().requires_grad_()
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        _ = w * x
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        x.add_(1)


def test_detach_shares_memory_and_counts_writes() -> None:
    x = leaf(1, 2)
    y = x.exp()
    d = y.detach()
    d.zero_()
    assert y.tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_writes_through_data_are_not_counted() -> None:
    x = leaf(1, 2)
    y = x * x
    x.data.mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_a_saved_tensor_changed_in_place_is_an_error_that_names_the_op() -> None:
    x = leaf(1, 2)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"\[ExpBackward0\].*shape \(2,\).*is at version 1; expected version 0"):
        y.sum().backward()


def test_leaf_in_place_is_refused_and_leaves_it_as_it_was() -> None:
    x = leaf(1, 2)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        x[0].add_(1)
    assert x.tolist() == [1.0, 2.0]
    with taeda.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0, 3.0]


def test_writing_rows_into_a_fresh_tensor() -> None:
    w = leaf(1, 1, 1)
    out = taeda.zeros(3, 3, dtype=taeda.float64)
    for i in range(3):
        out[i] = w * i
    (out * taeda.arange(3, dtype=taeda.float64).unsqueeze(1)).sum().backward()
    assert w.grad.tolist() == [5.0, 5.0, 5.0]


def test_write_through_a_view_rebases_the_base_and_its_other_views() -> None:
    x = leaf(1, 2, 3)
    y = x * 1
    head, tail = y[:2], y[1:]
    head.mul_(10)
    assert tail.grad_fn.name() == "AsStridedBackward0" and y.grad_fn.name() == "taeda::autograd::CopySlices"
    tail.sum().backward()
    assert x.grad.tolist() == [0.0, 10.0, 1.0]


def test_in_place_chain_matches_out_of_place() -> None:
    x = leaf(0.5, 1.5)
    y = x * 2
    y.sin_().mul_(x).add_(x)
    y.sum().backward()
    z = leaf(0.5, 1.5)
    ((z * 2).sin() * z + z).sum().backward()
    assert taeda.allclose(x.grad, z.grad)


def test_copy_into_a_slice_sends_the_gradient_to_the_source() -> None:
    src = leaf(5, 6)
    y = taeda.zeros(4, dtype=taeda.float64)
    y[1:3].copy_(src)
    (y * taeda.tensor([1.0, 2.0, 3.0, 4.0], dtype=taeda.float64)).sum().backward()
    assert src.grad.tolist() == [2.0, 3.0]


def test_hooks_change_gradients_and_can_be_removed() -> None:
    x = leaf(1)
    y = x * 3
    handle = y.register_hook(lambda g: g * 10)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (y * 1).sum().backward()
    assert x.grad.tolist() == [30.0] and seen == [[30.0]]
    handle.remove()
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0]


def test_node_hooks_and_post_accumulate_hook() -> None:
    x = leaf(2)
    y = x * 3
    calls = []
    y.grad_fn.register_prehook(lambda gs: calls.append("pre"))
    y.grad_fn.register_hook(lambda ins, outs: calls.append("post"))
    x.register_post_accumulate_grad_hook(lambda p: calls.append(p.grad.tolist()))
    y.sum().backward()
    assert calls == ["pre", "post", [3.0]]


def test_retain_grad_of_an_intermediate() -> None:
    x = leaf(2)
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [12.0] and y.retains_grad


def test_reading_grad_of_a_non_leaf_warns() -> None:
    y = leaf(1) * 2
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        assert y.grad is None


def test_grad_by_its_inner_name() -> None:
    x = leaf(1, 2)
    x._grad = taeda.ones_like(x)
    assert x.grad is x._grad and x.grad.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="different size"):
        x._grad = taeda.ones(3, dtype=taeda.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (x * 2)._grad is None
    del x._grad
    assert x.grad is None


def test_grad_fn_names_and_next_functions() -> None:
    x = leaf(1)
    y = (x * 2 + 1).exp()
    assert y.grad_fn.name() == "ExpBackward0"
    assert y.grad_fn.next_functions[0][0].name() == "AddBackward0"
    accumulate = y.grad_fn.next_functions[0][0].next_functions[0][0].next_functions[0][0]
    assert type(accumulate).__name__ == "AccumulateGrad" and accumulate.variable is x


def test_a_chain_of_100000_ops_neither_overflows_backward_nor_on_release() -> None:
    x = leaf(1)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    del y
    y = x
    for _ in range(100_000):
        y = y + 1
    del y
    gc.collect()


def test_graph_is_released_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        x = leaf(1, 2)
        y = x.exp()                      # saves its own output
        ref = weakref.ref(y)
        del y
        assert ref() is None
    finally:
        gc.enable()


def test_unbroadcast_in_backward() -> None:
    a, b = leaf(1, 2, 3), taeda.tensor([[1.0], [2.0]], dtype=taeda.float64, requires_grad=True)
    (a * b).sum().backward()
    assert a.grad.tolist() == [3.0, 3.0, 3.0] and b.grad.tolist() == [[6.0], [6.0]]


def test_mixed_dtypes_give_each_leaf_its_own() -> None:
    a = taeda.tensor([1.0, 2.0], requires_grad=True)
    b = leaf(3, 4)
    (a * b).sum().backward()
    assert a.grad.dtype == taeda.float32 and b.grad.dtype == taeda.float64


def test_a_failing_backward_leaves_gradients_as_they_were() -> None:
    class Fails(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise ValueError("on purpose")

    x = leaf(1)
    (x * 2).sum().backward()
    with pytest.raises(ValueError, match="on purpose"):
        (Fails.apply(x) + x * 5).sum().backward()
    assert x.grad.tolist() == [2.0] and taeda.is_grad_enabled()


def test_backward_inside_a_hook() -> None:
    x, w = leaf(1), leaf(2)

    def inner(g: taeda.Tensor) -> None:
        with taeda.enable_grad():
            (w * w).sum().backward()

    y = x * 3
    y.register_hook(inner)
    y.sum().backward()
    assert x.grad.tolist() == [3.0] and w.grad.tolist() == [4.0]


def test_grad_assignment_is_checked() -> None:
    x = leaf(1, 2)
    with pytest.raises(RuntimeError, match="different size"):
        x.grad = taeda.ones(3, dtype=taeda.float64)
    with pytest.raises(RuntimeError, match="different type"):
        x.grad = taeda.ones(2)
    with pytest.raises(TypeError, match="Tensor or None"):
        x.grad = 1.0
    x.grad = None


def test_only_floating_point_tensors_can_require_grad() -> None:
    with pytest.raises(RuntimeError, match="floating point"):
        taeda.ones(2, dtype=taeda.int64, requires_grad=True)
    with pytest.raises(RuntimeError, match="floating point"):
        taeda.ones(2, dtype=taeda.int64).requires_grad_()
    with pytest.raises(RuntimeError, match="leaf variables"):
        (leaf(1) * 2).requires_grad = False


def test_variable_is_a_tensor() -> None:
    x = taeda.autograd.Variable(taeda.ones(2), requires_grad=True)
    assert isinstance(x, taeda.autograd.Variable) and x.requires_grad


def test_grad_and_backward_of_what_is_no_tensor_say_which_argument_it_was() -> None:
    x = taeda.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=r"\[grad\] outputs must be a Tensor or a sequence of Tensors, got float"):
        taeda.autograd.grad(3.0, x)
    with pytest.raises(TypeError, match=r"\[backward\] inputs must be .*, got int"):
        x.sum().backward(inputs=3)
    with pytest.raises(RuntimeError, match="does not require grad.*hint: set its requires_grad before"):
        taeda.autograd.grad(x.sum(), taeda.ones(2))


def test_a_leaf_frozen_between_forward_and_backward_keeps_its_gradient() -> None:
    x, w = leaf(2), leaf(3)
    seen = []
    w.register_hook(lambda g: seen.append(g.tolist())), w.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad))
    y = x * w
    w.requires_grad_(False)
    y.sum().backward()
    assert w.grad is None and seen == [[2.0], None] and x.grad.tolist() == [3.0]


def test_a_leaf_that_became_a_result_after_its_use_is_refused() -> None:
    x, w = leaf(2), leaf(3)
    y = (x + w).sum()
    w.detach_()
    w[0] = x.sum()
    with pytest.raises(RuntimeError, match=r"\[backward\] leaf variable has been moved into the graph interior: a tensor of shape \(1,\)"):
        y.backward()


@pytest.mark.parametrize("name, args", [("clamp_", (0,)), ("cumsum_", (0,)), ("lerp_", (leaf(1), 0.5)), ("addcmul_", (leaf(1), leaf(1))),
                                        ("ldexp_", (2,)), ("mul_", (2,)), ("sin_", ()), ("fill_", (1,)), ("copy_", (leaf(1),))])
def test_the_refusal_to_write_to_a_leaf_names_the_call(name, args) -> None:
    with pytest.raises(RuntimeError, match=rf"^\[{name}\] a leaf Variable that requires grad is being used in an in-place operation"):
        getattr(leaf(2), name)(*args)


def test_comparisons_write_into_what_requires_grad_since_they_have_no_derivative() -> None:
    out = taeda.ones(2).requires_grad_()
    assert taeda.lt(taeda.tensor([1.0, 3.0]), 2.0, out=out) is out and out.is_leaf and out.tolist() == [1, 0]
    y = taeda.ones(2).requires_grad_() * 2
    taeda.logical_not(taeda.tensor([1.0, 0.0]), out=y)
    assert y.grad_fn.name() == "MulBackward0" and y.tolist() == [0, 1]
    with pytest.raises(RuntimeError, match=r"\[add\] functions with out"):
        taeda.add(taeda.ones(2), 1, out=out)


def test_conj_physical_of_a_real_leaf_is_refused() -> None:
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        taeda.ones(2).requires_grad_().conj_physical_()
    assert taeda.ones(2).conj_physical_().tolist() == [1, 1]


def test_nodes_of_what_is_made_of_others_bear_the_names_of_its_last_step() -> None:
    x, h, w = (taeda.rand(n, 4).requires_grad_() for n in (2, 2, 4))
    names = {
        taeda.fft.fft2(x): "FftC2CBackward0", taeda.fft.ifftn(x): "FftC2CBackward0", taeda.fft.rfft2(x): "FftR2CBackward0",
        taeda.fft.fft(x): "FftR2CBackward0", taeda.inner(x[0], h[0]): "ViewBackward0", taeda.linalg.cond(w): "SqueezeBackward1",
        taeda.linalg.cond(w, -2): "SqueezeBackward1", taeda.cdist(x, h): "CdistBackward0",
        taeda.cdist(x.view(2, 1, 1, 4), h): "CdistBackward0",
        taeda.cdist(x, h, compute_mode="use_mm_for_euclid_dist"): "ViewBackward0",
        taeda.ops.huber_loss(x, h.detach().double()): "HuberLossBackward0",
    }  # fmt: skip
    assert [y.grad_fn.name() for y in names] == list(names.values())


def test_out_that_requires_grad_is_resized_where_gradients_are_off() -> None:
    leaf, y = taeda.zeros(4, requires_grad=True), taeda.zeros(2, requires_grad=True) * 1
    with taeda.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        taeda.add(taeda.ones(3), 1, out=leaf)
        taeda.matmul(taeda.ones(2, 2), taeda.ones(2, 2), out=y)
        with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
            leaf.resize_(2)
    assert leaf.tolist() == [2, 2, 2] and leaf.requires_grad and leaf.is_leaf and y.tolist() == [[2, 2], [2, 2]] and y.requires_grad


def test_sgn_in_place_is_named_as_out_of_place() -> None:
    x = leaf(-1, 0, 2)
    y = (x * 1).sgn_()
    assert y.tolist() == [-1, 0, 1] and y.grad_fn.name() == "SgnBackward0"


@pytest.mark.parametrize("mode", [taeda.no_grad(), taeda.enable_grad(), taeda.inference_mode(False), taeda.inference_mode()])
def test_a_mode_has_clones(mode) -> None:
    other = mode.clone()
    assert type(other) is type(mode) and other is not mode and getattr(other, "mode", None) == getattr(mode, "mode", None)
    with mode:
        inside = taeda.is_grad_enabled(), taeda.is_inference_mode_enabled()
    with other:
        assert inside == (taeda.is_grad_enabled(), taeda.is_inference_mode_enabled())

"""The graph as a user sees it: classes and names of nodes, edges, what runs without a gradient, depth, threads, views."""

from __future__ import annotations

import math
import threading
import warnings
import weakref
from typing import Any

import pytest

import taeda
import taeda.autograd.forward_ad as fw
from leaves import leaf
from taeda import ops
from taeda.autograd import graph


def test_nodes_are_of_classes_named_after_their_op() -> None:
    x = leaf(1, 2)
    y = (x * 2 + 1).sum()
    assert type(y.grad_fn).__name__ == "SumBackward0" and isinstance(y.grad_fn, graph.Node)
    add = y.grad_fn.next_functions[0][0]
    assert type(add).__name__ == "AddBackward0" and repr(add).startswith("<AddBackward0 object at")
    assert y.grad_fn is y.grad_fn and type((x * 3).grad_fn) is type(add.next_functions[0][0])
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_deep_graph_whose_nodes_were_looked_at_is_freed_without_recursion() -> None:
    x = leaf(1)
    y = x
    for _ in range(100_000):
        y = y + 1
        y.grad_fn  # noqa: B018
    y.backward()
    assert x.grad.tolist() == [1.0]
    del y


def test_a_deep_chain_of_functions() -> None:
    class Double(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(1)
    y = x
    for _ in range(20_000):
        y = Double.apply(y)
    assert type(y.grad_fn).__name__ == "DoubleBackward"
    y.backward()
    assert x.grad.tolist() == [1.0]


def test_edges_are_outputs_and_inputs() -> None:
    x = leaf(3)
    y = x * 2
    z = y * y
    edge = graph.get_gradient_edge(y)
    assert edge.node is y.grad_fn and edge.output_nr == 0
    (g,) = taeda.autograd.grad(graph.get_gradient_edge(z), edge, retain_graph=True)
    assert g.tolist() == [12.0]
    taeda.autograd.backward(graph.get_gradient_edge(z), taeda.ones(1, dtype=taeda.float64), inputs=[graph.get_gradient_edge(x)])
    assert x.grad.tolist() == [24.0]
    with pytest.raises(RuntimeError, match="implicitly created only for scalar"):
        taeda.autograd.backward(graph.get_gradient_edge(leaf(1, 2) * 2))
    with pytest.raises(RuntimeError, match="does not require gradients"):
        graph.get_gradient_edge(taeda.ones(1))


def test_backward_to_an_intermediate_retains_its_grad() -> None:
    x = leaf(1)
    y = x * 2
    (y * y).backward(inputs=[y])
    assert y.grad.tolist() == [4.0] and y.retains_grad and x.grad is None


def test_a_function_behind_none_gets_zeros() -> None:
    seen = []

    class Stops(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return None

    class Looks(Stops):
        @staticmethod
        def backward(ctx, g):
            seen.append(g.tolist())
            return g

    x, y = leaf(1), leaf(1)
    Stops.apply(Looks.apply(x)).backward()
    assert seen == [[0.0]] and x.grad.tolist() == [0.0]
    Stops.apply(y * 2).backward()
    assert y.grad is None


def test_function_vjp_may_stand_for_backward_but_not_beside_it() -> None:
    class Squared(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def vjp(ctx, g):
            return 2 * ctx.saved_tensors[0] * g

    assert taeda.autograd.gradcheck(Squared.apply, leaf(1, 2))

    class Both(Squared):
        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="both 'backward' and 'vjp'"):
        Both.apply(leaf(1)).backward()


def test_function_saves_any_number_of_tensors_and_checks_their_versions() -> None:
    class Sum(taeda.autograd.Function):
        @staticmethod
        def forward(ctx, *xs):
            ctx.save_for_backward(*xs, None)
            return sum(xs)

        @staticmethod
        def backward(ctx, g):
            assert ctx.saved_tensors[-1] is None and len(ctx._raw_saved_tensors) == 21
            return tuple(g * x for x in ctx.saved_tensors[:-1])

    xs = [leaf(i) for i in range(20)]
    Sum.apply(*xs).backward()
    assert [x.grad.item() for x in xs] == [float(i) for i in range(20)]
    y = leaf(1) * 1
    out = Sum.apply(y, *xs[:19])
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"\[SumBackward\].*modified by an inplace operation"):
        out.backward()


def test_grad_batched_and_argument_checks() -> None:
    x = leaf(1, 2)
    (g,) = taeda.autograd.grad(x * x, x, taeda.eye(2, dtype=taeda.float64), is_grads_batched=True)
    assert g.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    with pytest.raises(RuntimeError, match="first dimension of each grad_output as the batch dimension"):
        taeda.autograd.grad(x * 2, x, taeda.ones(2, 3), is_grads_batched=True)
    with pytest.raises(ValueError, match="allow_unused=False"):
        taeda.autograd.grad(x.sum(), x, allow_unused=False, materialize_grads=True)
    with pytest.raises(RuntimeError, match="cannot be empty"):
        x.sum().backward(inputs=[])
    with pytest.raises(TypeError):
        taeda.autograd.backward(3)


def test_threads_add_to_the_same_leaf_without_losing_any() -> None:
    x = taeda.zeros(50_000, requires_grad=True)

    def work() -> None:
        for _ in range(10):
            (x * 1).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert x.grad.min().item() == x.grad.max().item() == 40.0


def test_a_gradient_has_the_layout_of_its_leaf() -> None:
    x = taeda.ones(2, 3, 4).permute(2, 0, 1).requires_grad_()
    (x * taeda.ones(4, 2, 3)).sum().backward()
    assert x.grad.stride() == x.stride()


def test_grad_dtype_says_what_a_leaf_takes() -> None:
    x = taeda.ones(2, requires_grad=True)
    assert x.grad_dtype is taeda.float32
    x.grad_dtype = taeda.float64
    (x * 2).sum().backward()
    assert x.grad.dtype is taeda.float64
    with pytest.raises(RuntimeError, match="already a gradient with dtype float64"):
        x.grad_dtype = taeda.float32
    with pytest.raises(RuntimeError, match="must be a taeda.dtype or None"):
        x.grad_dtype = 3
    with pytest.raises(RuntimeError, match="only be accessed on leaf"):
        (x * 2).grad_dtype  # noqa: B018
    with pytest.warns(UserWarning, match="volatile was removed"):
        assert x.volatile is False


def test_writes_that_autograd_cannot_follow_are_refused() -> None:
    y = leaf(1, 2) * 1
    with taeda.no_grad():
        view = y[:1]
        view.mul_(2)
    with pytest.raises(RuntimeError, match="created in no_grad mode"):
        view.mul_(2)
    for piece in (y.unbind()[0], y.split(1)[0], y.chunk(2)[0], y.unbind()[0].view(1)):
        with pytest.raises(RuntimeError, match="returns multiple views"):
            piece.mul_(2)
    assert y.tolist() == [2.0, 2.0]
    first = y.unbind()[0]
    y.mul_(2)
    with pytest.raises(RuntimeError, match="its base or another view of its base has been modified inplace"):
        first.grad_fn  # noqa: B018
    x = leaf(1, 2)
    z = x * 1
    z.tensor_split(2)[1].mul_(5)
    z.sum().backward()
    assert x.grad.tolist() == [1.0, 5.0]


@pytest.mark.parametrize("cut", [lambda z: z.unsafe_chunk(4, 1), lambda z: z.unsafe_split(2, 1), lambda z: z.unsafe_split_with_sizes([2] * 4, 1)])
def test_pieces_that_are_no_views_may_each_be_changed_in_place(cut) -> None:
    """As the gates of a recurrent cell are: what one keeps for its derivative is not what another writes."""
    x = taeda.linspace(-2, 2, 16).reshape(2, 8).requires_grad_()
    z = x * 2
    i, f, g, o = cut(z)
    assert not i._is_view() and f.data_ptr() == z.data_ptr() + 8 and f.stride() == (8, 1) and type(f.grad_fn).__name__.startswith("UnsafeSplit")
    i.sigmoid_(), f.sigmoid_(), g.tanh_(), o.sigmoid_()
    assert (i._version, z._version) == (1, 0) and taeda.equal(z[:, 4:6], g)
    found = taeda.autograd.grad((i * f + g * o).sum(), x)[0]
    i, f, g, o = (x * 2).chunk(4, 1)
    wanted = taeda.autograd.grad((i.sigmoid() * f.sigmoid() + g.tanh() * o.sigmoid()).sum(), x)[0]
    assert taeda.allclose(found, wanted)
    kept = cut(x * 2)[0]
    y = kept.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_write_through_a_view_is_freed_with_the_rest() -> None:
    x, w = leaf(1, 2), leaf(3)
    y = x * 1
    y[:1].mul_(w)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 2.0] and w.grad.tolist() == [2.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_switches_that_change_nothing_are_accepted() -> None:
    with taeda.autograd.set_multithreading_enabled(False):
        assert not taeda.autograd.is_multithreading_enabled()
    assert taeda.autograd.is_multithreading_enabled()
    with taeda.autograd.enforce_grad_layout_policy(False):
        pass
    graph.set_warn_on_accumulate_grad_stream_mismatch(False)
    with pytest.raises(RuntimeError, match="deprecated"):
        taeda.autograd.variable(1)


def test_a_node_can_be_called_as_long_as_it_has_what_it_saved() -> None:
    x, g = leaf(1, 2), taeda.tensor([3.0, 4.0], dtype=taeda.float64)
    y = x * x
    da, db = y.grad_fn(g)
    assert da.tolist() == db.tolist() == [3.0, 8.0] and (x * 2).grad_fn(g)[0].tolist() == [6.0, 8.0]
    assert (x.sum() + x).grad_fn(g)[0].item() == 7.0
    with pytest.raises(TypeError, match=r"\[MulBackward0\] expected 1 gradients, one for each output, got 2"):
        y.grad_fn(g, g)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.grad_fn(g)


class Flat(taeda.autograd.Function):
    """A view of its input, with a derivative of its own."""

    @staticmethod
    def forward(ctx: Any, x: taeda.Tensor) -> taeda.Tensor:
        return x.view(-1)

    @staticmethod
    def backward(ctx: Any, g: taeda.Tensor) -> taeda.Tensor:
        return g.view(2, 1) * 3


class Triple(taeda.autograd.Function):
    """Three times its input, in place."""

    @staticmethod
    def forward(ctx: Any, x: taeda.Tensor) -> taeda.Tensor:
        ctx.mark_dirty(x.mul_(3))
        return x

    @staticmethod
    def backward(ctx: Any, g: taeda.Tensor) -> taeda.Tensor:
        return g * 3


def test_a_view_that_a_user_function_returns_is_not_written_to() -> None:
    x = leaf(1, 2)
    z = x.view(2, 1) * 1
    y = Flat.apply(z)
    for write in (lambda: y.mul_(2), lambda: y[0].fill_(0)):
        with pytest.raises(RuntimeError, match=r"is a view and is being modified inplace. This view was created inside a custom Function"):
            write()
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0] and y.tolist() == [1.0, 2.0]
    z.mul_(2)
    with pytest.raises(RuntimeError, match=r"its base or another view of its base has been modified inplace"):
        y.grad_fn  # noqa: B018
    assert Flat.apply(taeda.ones(2, 1)).mul_(2).tolist() == [2.0, 2.0]


def test_a_user_function_that_changes_a_view_becomes_history_of_its_base() -> None:
    x = leaf(1, 2)
    z = x * 1
    first = z[:1]
    assert Triple.apply(first) is first and z.tolist() == [3.0, 2.0]
    (z * taeda.tensor([5.0, 7.0], dtype=taeda.float64)).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [15.0, 7.0]
    assert taeda.autograd.grad(first.sum(), x)[0].tolist() == [3.0, 0.0]
    with pytest.raises(RuntimeError, match="of a leaf Variable"):
        Triple.apply(leaf(1, 2)[:1])


def test_powers_and_erfinv_keep_nothing_of_their_result() -> None:
    x = leaf(0.25, 0.5)
    for f in (lambda a: a**2, lambda a: a**3, lambda a: a.pow(1.5), taeda.erfinv):
        (kept,) = taeda.autograd.grad(f(x).sum(), x)
        y = f(x)
        y += 1
        assert taeda.autograd.grad(y.sum(), x)[0].tolist() == kept.tolist()


def test_a_leaf_has_one_end_in_the_graph_while_somebody_holds_it() -> None:
    x, other = taeda.ones(2, requires_grad=True), taeda.ones(2, requires_grad=True)
    (first, _), (second, _) = (x * x).grad_fn.next_functions
    assert first is second is x.view_as(x).grad_fn.next_functions[0][0] and first.variable is x
    assert taeda.autograd.graph.get_gradient_edge(x).node is first
    assert other.exp().grad_fn.next_functions[0][0] is not first
    seen = weakref.ref(x)
    del x
    assert seen() is not None and first.variable is seen()
    del first, second
    assert seen() is None


def test_the_gradient_of_an_edge_has_the_shape_of_its_tensor() -> None:
    x = leaf(1, 2)
    edge = taeda.autograd.graph.get_gradient_edge(x * 2)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        taeda.autograd.grad(edge, x, grad_outputs=taeda.ones(3, dtype=x.dtype))
    assert taeda.autograd.grad(edge, x, grad_outputs=taeda.ones(2, dtype=x.dtype))[0].tolist() == [2.0, 2.0]


def test_a_gradient_is_also_found_by_its_inner_name() -> None:
    x = taeda.ones(2, requires_grad=True)
    x._grad = taeda.zeros(2)
    assert x.grad is x._grad and x.grad.tolist() == [0.0, 0.0]
    with pytest.raises(TypeError, match="int"):
        x._grad = 3
    x._grad = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x.grad is None and (x * 2)._grad is None


@pytest.mark.parametrize("function", [
    taeda.relu, taeda.ops.leaky_relu, taeda.ops.hardtanh, taeda.hardshrink, taeda.ops.softshrink, taeda.ops.hardsigmoid,
    lambda x: taeda.threshold(x, 0.1, 0.0), lambda x: taeda.prelu(x, taeda.tensor([0.25], dtype=taeda.float64)),
])
def test_what_is_linear_between_corners_has_second_derivatives_of_zero(function) -> None:
    x = leaf(-0.75, 2)
    g, = taeda.autograd.grad(function(x).sum(), x, create_graph=True)
    assert taeda.autograd.grad(g.sum(), x)[0].tolist() == [0, 0]
    assert not taeda.autograd.grad(x.clamp(-1, 1).sum(), x, create_graph=True)[0].requires_grad


@pytest.mark.parametrize(("function", "scale"), [(taeda.logaddexp, 1.0), (taeda.logaddexp2, math.log(2))])
def test_the_second_derivative_of_logaddexp_where_both_are_equal(function, scale) -> None:
    a, b = leaf(1, -math.inf), leaf(1, -math.inf)
    first = taeda.autograd.grad(function(a, b).sum(), (a, b), create_graph=True)
    assert [g.tolist() for g in first] == [[0.5, 0.5], [0.5, 0.5]]
    second = taeda.autograd.grad(first[0].sum(), (a, b))
    assert [g[0].item() for g in second] == pytest.approx([0.25 * scale, -0.25 * scale]) and second[0].isfinite().all()


def test_the_second_derivative_of_elu_at_zero_is_that_of_the_right_side() -> None:
    for alpha in (1.0, 2.0):
        x = leaf(0, -0.0, -1)
        g, = taeda.autograd.grad(taeda.ops.elu(x, alpha).sum(), x, create_graph=True)
        assert g.tolist() == pytest.approx([alpha, alpha, alpha / math.e])
        assert taeda.autograd.grad(g.sum(), x)[0].tolist() == pytest.approx([0, 0, alpha / math.e])


IMAGE, SIGNAL = taeda.linspace(-1, 1, 32, dtype=taeda.float64).reshape(1, 2, 4, 4), taeda.linspace(-1, 1, 12, dtype=taeda.float64).reshape(1, 2, 6)


@pytest.mark.parametrize(("function", "inputs"), [
    (lambda x: taeda.max_pool2d(x, 2), (IMAGE,)), (lambda x: taeda.ops.avg_pool2d(x, 2), (IMAGE,)), (lambda x: taeda.max_pool1d(x, 2), (SIGNAL,)),
    (lambda x: taeda.ops.adaptive_avg_pool2d(x, 3), (IMAGE,)), (lambda x: taeda.ops.adaptive_max_pool2d(x, 3)[0], (IMAGE,)),
    (lambda x: taeda.ops.nll_loss(x, taeda.tensor([1])), (SIGNAL[0, :1],)), (lambda x: taeda.ops.pad(x, (1, 1), "reflect"), (SIGNAL,)),
    (lambda x, w, b: taeda.conv1d(x, w, b), (SIGNAL, SIGNAL[:, :, :3], SIGNAL[0, 0, :1])),
    (lambda x, w, b: taeda.conv_transpose1d(x, w, b), (SIGNAL, SIGNAL[:, :, :3].transpose(0, 1), SIGNAL[0, 0, :1])),
    (lambda x, w, b: taeda.layer_norm(x, (6,), w, b), (SIGNAL, SIGNAL[0, 0], SIGNAL[0, 1])),
])
def test_derivatives_of_one_kernel_are_functions_of_every_input(function, inputs) -> None:
    """As PyTorch's: where they do not depend on an input, what comes of them is 0, and no error."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    g = taeda.autograd.grad(function(*leaves).sum(), leaves, create_graph=True)[-1]
    assert g.requires_grad and not g.is_leaf
    found = taeda.autograd.grad((g * g).sum(), leaves[-1])[0]
    assert found.shape == leaves[-1].shape and not found.any()


def test_means_of_whole_images_and_products_by_constants_stay_linear() -> None:
    x = IMAGE.clone().requires_grad_()
    for y in (taeda.ops.adaptive_avg_pool2d(x, 1), taeda.ops.adaptive_avg_pool1d(x[0], 1), x * 2, x.mean()):
        assert not taeda.autograd.grad(y.sum(), x, create_graph=True)[0].requires_grad


def test_the_derivative_by_a_base_alone_still_depends_on_the_exponent() -> None:
    a, b = (taeda.tensor(v, dtype=taeda.float64, requires_grad=True) for v in (2.0, 3.0))
    g, = taeda.autograd.grad(a ** b, a, create_graph=True)
    assert taeda.autograd.grad(g, b)[0].item() == pytest.approx(4 + 3 * 4 * math.log(2))
    with fw.dual_level():
        g, = taeda.autograd.grad(a ** fw.make_dual(b.detach(), taeda.ones_like(b)), a)
        assert fw.unpack_dual(g).tangent.item() == pytest.approx(4 + 3 * 4 * math.log(2))


def test_only_leaves_are_told_to_require_grad() -> None:
    y = leaf(1, 2) * 2
    for on in (True, False):
        with pytest.raises(RuntimeError, match=r"^\[requires_grad\] you can only change requires_grad flags of leaf variables\."):
            y.requires_grad = on
    assert y.requires_grad_() is y and y.requires_grad


def test_the_node_of_an_input_runs_where_it_has_hooks() -> None:
    y, seen = leaf(1, 2) * 2, []
    y.grad_fn.register_prehook(lambda g: seen.append(g[0].tolist()))
    y.grad_fn.register_hook(lambda found, g: seen.append(found[0].tolist()))
    (y * 3).sum().backward(inputs=[y])
    assert seen == [[3, 3], [6, 6]] and y.grad.tolist() == [3, 3]


def test_a_gradient_with_a_history_is_added_to_in_its_place() -> None:
    x = leaf(1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x**3).sum().backward(create_graph=True)
    first = x.grad
    (x**2).sum().backward()
    assert x.grad is first and first.tolist() == [5, 16] and first.requires_grad
    y = taeda.ones(2, 3).t().requires_grad_()
    assert taeda.autograd.grad(x.sum(), y, allow_unused=True, materialize_grads=True)[0].stride() == (1, 3)


def test_the_transpose_of_a_number_is_a_view() -> None:
    x = taeda.tensor(2.0, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert x.T is not x and x.T.grad_fn.name() == "PermuteBackward0"


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "exp", "sqrt", "selu"])
def test_what_overwrites_a_view_by_its_result_has_a_second_derivative(name: str) -> None:
    out_of_place = getattr(taeda, name)

    def written(root: Any) -> Any:
        y = root * 1
        getattr(taeda, f"{name}_")(y[1:4].view(3))
        return y * root

    def joined(root: Any) -> Any:
        return taeda.cat([root[:1], out_of_place(root[1:4]), root[4:]]) * root

    x = taeda.tensor([0.5, 1.5, 0.25, 2.0, 3.0], dtype=taeda.float64, requires_grad=True)
    found = []
    for f in (written, joined):
        (g,) = taeda.autograd.grad(f(x).square().sum(), x, create_graph=True)
        found.append((g.detach(), taeda.autograd.grad(g.square().sum(), x)[0]))
    taeda.testing.assert_close(found[0], found[1])
    assert taeda.autograd.gradgradcheck(written, x)
    y = written(x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_a_view_made_before_its_base_became_a_leaf_requires_grad_and_leads_nowhere() -> None:
    x = taeda.ones(3)
    view = x[:2]
    x.requires_grad_()
    assert view.requires_grad and view.is_leaf and view.grad_fn is None and "requires_grad=True" in repr(view)
    product = view * 2
    assert product.requires_grad and product.grad_fn.next_functions == ((None, 0), (None, 0))
    product.sum().backward()
    assert x.grad is None and view.grad is None and view[:1].grad_fn.next_functions == ((None, 0),)
    with pytest.raises(RuntimeError, match="view of a leaf"):
        view.mul_(2)
    with pytest.raises(RuntimeError, match="requires grad"):
        view.numpy()
    (x[1:] * 3).sum().backward()                         # a view made since leads to it
    assert x.grad.tolist() == [0.0, 3.0, 3.0]
    x.requires_grad_(False)
    assert not view.requires_grad


ONE = taeda.ones(1, dtype=taeda.float64)


@pytest.mark.parametrize("made", [
    lambda y, i: y.scatter(0, i, 2.0), lambda y, i: y.scatter_add(0, i, ONE), lambda y, i: y.index_add(0, i, ONE),
    lambda y, i: y.index_copy(0, i, ONE), lambda y, i: y.index_fill(0, i, 2.0), lambda y, i: y.index_put((i,), ONE),
    lambda y, i: y.put(i, ONE), lambda y, i: y.masked_scatter(y > 2, ONE.expand(3)),
    lambda y, i: taeda.as_strided_scatter(y, ONE, (1,), (1,)), lambda y, i: y.index_reduce(0, i, ONE, "mean"),
])
def test_what_writes_into_a_copy_leads_past_it(made: Any) -> None:
    x = leaf(1, 2, 3)
    kept = x * 1
    kept.retain_grad()
    found = made(kept, taeda.tensor([0]))
    assert found.grad_fn.next_functions[0][0] is kept.grad_fn
    (found * taeda.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert kept.grad.tolist() == x.grad.tolist() and x.grad[1:].sum() in (110, 10, 0)
    rows = (leaf([1, 2], [3, 4]) * 1).unbind()
    assert made(rows[1], taeda.tensor([0])).grad_fn.next_functions[0] == (rows[1].grad_fn, rows[1].output_nr)


def test_index_reduce_in_place_is_named_as_out_of_place_and_put_counts_one_write() -> None:
    x, source = leaf(1, 2, 3), leaf(5)
    y = x * 2
    assert type(y.index_reduce_(0, taeda.tensor([0]), source, "mean").grad_fn).__name__ == "IndexReduceBackward0"
    y.sum().backward()
    assert y.tolist() == [3.5, 4.0, 6.0] and x.grad.tolist() == [1.0, 2.0, 2.0] and source.grad.tolist() == [0.5]
    for z in (taeda.ones(3), taeda.ones(3, 3).t(), taeda.ones(3, 3)[:, :2]):
        assert z.put_(taeda.tensor([0]), taeda.ones(1))._version == 1
    assert z.put_(taeda.tensor([1]), taeda.ones(1), accumulate=True)._version == 2 and z.tolist() == [[1, 2], [1, 1], [1, 1]]


def test_threshold_in_place_takes_an_expanded_tensor_that_requires_grad() -> None:
    x = leaf(0.1, 3)
    y = (x * 2).expand(3, 2)
    assert taeda.threshold_(y, 0.5, 2.0) is y and y.tolist() == [[2.0, 6.0]] * 3
    assert y.requires_grad and type(y.grad_fn).__name__ == "AsStridedBackward0"
    with pytest.raises(RuntimeError, match="unsupported operation"):             # as PyTorch's
        y.sum().backward()

def test_a_pass_for_some_inputs_leaves_the_graph_as_it_is_for_others() -> None:
    """Also while it runs: a hook, or another thread, may ask the same graph for other gradients."""
    a, b = leaf(2, 3), leaf(5, 7)
    y = a * b
    loss, inner = y.sum(), []

    def ask(grads: Any) -> None:
        handle.remove()
        inner.append(len(y.grad_fn.next_functions))
        inner.append(taeda.autograd.grad(loss, b, retain_graph=True)[0].tolist())
        loss.backward(retain_graph=True)
        inner.append((a.grad.tolist(), b.grad.tolist()))

    handle = y.grad_fn.register_prehook(ask)
    assert taeda.autograd.grad(loss, a, retain_graph=True)[0].tolist() == [5, 7]
    assert inner == [2, [2, 3], ([5, 7], [2, 3])]


def test_threads_ask_one_graph_for_different_gradients() -> None:
    a, b = (taeda.rand(100_000, requires_grad=True) for _ in range(2))          # kernels let other threads run
    loss = ((a * b).exp() * a).sum()
    wanted = {x: taeda.autograd.grad(loss, x, retain_graph=True)[0] for x in (a, b)}
    wrong: list[Any] = []

    def ask(x: taeda.Tensor) -> None:
        try:
            wrong.extend(i for i in range(30) if not taeda.autograd.grad(loss, x, retain_graph=True)[0].equal(wanted[x]))
        except RuntimeError as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(x,)) for x in (a, b)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_a_pass_inside_of_a_write_through_a_view_leaves_it_what_it_saved() -> None:
    a, b, inner = leaf(1, 2, 3), leaf(4, 5), []

    def unpack(saved: Any) -> Any:
        if not inner:
            inner.append(None)
            inner[0] = taeda.autograd.grad(loss, a, retain_graph=True)[0].tolist()
        return saved

    with graph.saved_tensors_hooks(lambda t: t, unpack):
        y = a * 1
        y[1:].mul_(b)
    loss = y.sum()
    found = taeda.autograd.grad(loss, (a, b))
    assert [g.tolist() for g in found] == [[1, 4, 5], [2, 3]] and inner == [[1, 4, 5]]


ROWS = taeda.linspace(-1, 1, 24).reshape(2, 4, 3)


@pytest.mark.parametrize("made", [
    lambda: taeda.cdist(ROWS[0], ROWS[1]), lambda: taeda.cdist(ROWS, ROWS[0]), lambda: taeda.ops.affine_grid(ROWS[:, :2], (2, 1, 2, 2), False),
    lambda: taeda.stft(ROWS.flatten(), 4, window=taeda.ones(4), return_complex=True), lambda: taeda.triangular_solve(ROWS[0, :3], ROWS[1, :3])[1],
    lambda: taeda.ormqr(ROWS[0], ROWS[0, 0], ROWS[0].mT, False),
    lambda: taeda.lstm(ROWS, (ROWS[:1, :, :1],) * 2, [taeda.ones(4, 3), taeda.ones(4, 1)], False, 1, 0.0, False, False, False)[2],
    lambda: ops.multilabel_margin_loss(ROWS[0], taeda.zeros(4, 3, dtype=taeda.int64), "none"),
])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_results_of_their_own_are_no_views_and_may_be_written_to_where_a_graph_is_recorded(made: Any) -> None:
    with taeda.no_grad():
        y = made()
    assert not y._is_view()
    before, factor = y.clone(), taeda.tensor(2.0, requires_grad=True)
    y.mul_(factor)
    (y.real if y.is_complex() else y).sum().backward()
    assert y.equal(before * 2) and abs(factor.grad - before.real.sum()) < 1e-4


def test_a_grid_of_maps_may_be_written_to() -> None:
    theta = taeda.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], requires_grad=True)
    grid = ops.affine_grid(theta, (1, 1, 1, 2), align_corners=False)
    grid.mul_(3.0)
    (grid * taeda.tensor([1.0, 10.0])).sum().backward()
    assert theta.grad.tolist() == [[[0.0, 0.0, 6.0], [0.0, 0.0, 60.0]]]

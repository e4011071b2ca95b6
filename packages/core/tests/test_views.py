"""Views: shared memory, writes through them, history, and the errors where memory does not allow them."""

from __future__ import annotations

import pytest

import taeda


@pytest.fixture
def x() -> taeda.Tensor:
    return taeda.arange(24.0).reshape(2, 3, 4)


VIEWS = [
    "x.view(6, 4)", "x.reshape(-1)", "x.transpose(0, 2)", "x.permute(2, 0, 1)", "x[1]", "x[:, 1:]", "x[..., ::2]", "x.select(1, 2)", "x.narrow(2, 1, 2)", "x.unsqueeze(1)",
    "x[:1].squeeze(0)", "x[:1].expand(5, 3, 4)", "x.chunk(2, 2)[1]", "x.split(2, 1)[1]", "x.split([1, 2], 1)[1]", "x.unbind(1)[2]", "x.diagonal(0, 1, 2)", "x.unfold(2, 2, 1)",
    "x.as_strided((2, 2), (12, 1), 3)", "x.flatten(1)", "x.unflatten(2, (2, 2))", "x.movedim(0, 2)", "x.mT", "x.detach()", "x.view(2, 12)[1].view(3, 4)", "x[None, ..., 0]",
]  # fmt: skip


@pytest.mark.parametrize("source", VIEWS)
def test_a_view_reads_and_writes_its_bases_memory(x: taeda.Tensor, source: str) -> None:
    view = eval(source, {"x": x})
    assert view.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    x.mul_(2)
    copied = eval(source, {"x": taeda.arange(24.0).reshape(2, 3, 4) * 2})
    assert view.tolist() == copied.tolist()
    x.zero_()
    assert view.abs().sum().item() == 0


SEVERAL = ("unbind", "split(", "chunk")          # ops that return several views: writes through those are refused
NOT_WRITTEN = ("detach", "expand", "unfold", *SEVERAL)


@pytest.mark.parametrize("source", [v for v in VIEWS if any(name in v for name in SEVERAL) and "tensor_split" not in v])
def test_one_of_several_views_is_not_written_to_under_autograd(source: str) -> None:
    base = taeda.arange(24.0).reshape(2, 3, 4).requires_grad_() * 1
    with pytest.raises(RuntimeError, match="output of a function that returns multiple views"):
        eval(source, {"x": base}).mul_(3)
    assert base.tolist() == taeda.arange(24.0).reshape(2, 3, 4).tolist()


@pytest.mark.parametrize("source", [v for v in VIEWS if any(name in v for name in SEVERAL) and "tensor_split" not in v])
def test_one_of_several_views_of_a_tensor_without_history_takes_no_history(x: taeda.Tensor, source: str) -> None:
    view, factor = eval(source, {"x": x}), taeda.tensor(3.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="output of a function that returns multiple views"):
        view.mul_(factor)
    with pytest.raises(RuntimeError, match="output of a function that returns multiple views"):
        view[0].mul_(factor)
    assert x.tolist() == taeda.arange(24.0).reshape(2, 3, 4).tolist()
    view.mul_(3)                                                 # nothing to record
    with taeda.no_grad():
        view.mul_(factor)
    x.mul_(factor)
    with pytest.raises(RuntimeError, match="its base or another view of its base has been modified inplace"):
        view + 1


@pytest.mark.parametrize("source", [v for v in VIEWS if not any(name in v for name in NOT_WRITTEN)])
def test_the_gradient_of_a_write_through_a_view(source: str) -> None:
    leaf = taeda.arange(24.0).reshape(2, 3, 4).requires_grad_()
    base = leaf * 1
    eval(source, {"x": base}).mul_(3)
    base.sum().backward()
    marks = taeda.ones(2, 3, 4)
    eval(source, {"x": marks}).mul_(3)
    assert leaf.grad.tolist() == marks.tolist()


@pytest.mark.parametrize(("source", "error", "text"), [
    ("x.transpose(0, 1).view(24)", RuntimeError, "not compatible with input tensor's size .* and stride"), ("x.view(5, 5)", RuntimeError, "invalid for input of size 24"),
    ("x.view(-1, -1)", RuntimeError, "only one dimension can be inferred"), ("x.view(-2, 3)", RuntimeError, "invalid shape dimension"), ("x.view(2.0, 12)", TypeError, "argument must be int"),
    ("x.reshape(-1, 5)", RuntimeError, "invalid for input"), ("x[:0].view(-1, 0)", RuntimeError, "ambiguous"), ("x.permute(0, 0, 1)", RuntimeError, "duplicate"),
    ("x.permute(0, 1)", RuntimeError, "number of dimensions"), ("x.transpose(0, 3)", IndexError, "out of range"), ("x.transpose(0.0, 1)", TypeError, "argument must be int"),
    ("x.expand(3, 3, 4)", RuntimeError, "must match the existing size"), ("x.expand(3, 4)", RuntimeError, "greater or equal"), ("x.expand(-1, 2, 3, 4)", RuntimeError, "leading"),
    ("x.select(0, 2)", IndexError, "out of bounds"), ("x.narrow(2, 3, 2)", RuntimeError, "exceeds dimension size"), ("x.narrow(2, 0, -1)", RuntimeError, "non-negative"),
    ("x.split([1, 1], 1)", RuntimeError, "sum exactly to 3"), ("x.split(0, 1)", RuntimeError, "split_size"), ("x.chunk(0)", RuntimeError, "greater than 0"),
    ("x[:1, :1, :1].expand(2, 1 << 40, 1).unbind(1)", RuntimeError, "too many"), ("x[:1, :1, :1].expand(1, 1, 1 << 40).split(2, 2)", RuntimeError, "too many"),
    ("x.resize_(24, memory_format=0.5)", TypeError, "must be a memory format"), ("x.tensor_split(1 << 40)", RuntimeError, "too many"), ("x.hsplit(2)", RuntimeError, "not divisible"), ("x[0, 0].vsplit(2)", RuntimeError, "at least 2"),
    ("x[0, 0, 0].unbind()", IndexError, "no dimensions"), ("x.unfold(2, 5, 1)", RuntimeError, "maximum size"), ("x.unfold(2, 2, 0)", RuntimeError, "step"),
    ("x.as_strided((25,), (1,))", RuntimeError, "out of bounds for storage of size 96"), ("x.as_strided((2,), (-1,))", RuntimeError, "Negative strides"),
    ("x.as_strided((2, 2), (1,))", RuntimeError, "mismatch in length"), ("x.as_strided((2,), (1,), -1)", RuntimeError, "offset"), ("x.diagonal(0, 1, 1)", RuntimeError, "identical"),
    ("x.squeeze((0, 0))", RuntimeError, "multiple times"), ("x.unsqueeze(5)", IndexError, "out of range"), ("x.flatten(2, 1)", RuntimeError, "cannot come after"), ("x.t()", RuntimeError, "<= 2"),
    ("x.unflatten(2, (3, -1))", RuntimeError, "multiply up"), ("x.movedim((0, 0), (1, 2))", RuntimeError, "repeated dim"),
])  # fmt: skip
def test_a_view_that_cannot_be(x: taeda.Tensor, source: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        eval(source, {"x": x})
    assert str(caught.value).startswith("[")


def test_a_step_beyond_every_size_takes_the_first() -> None:
    assert taeda.arange(5)[:: 2**62].tolist() == [0]


def test_writing_to_an_expanded_tensor_is_refused(x: taeda.Tensor) -> None:
    with pytest.raises(RuntimeError, match="single memory location"):
        x[:1].expand(2, 3, 4).add_(1)


def test_one_memory_seen_as_another_dtype() -> None:
    x = taeda.tensor([1.0, 2.0])
    assert x.view(taeda.int32).tolist() == [0x3F800000, 0x40000000] and x.view(taeda.uint8).shape == (8,)
    with pytest.raises(RuntimeError, match=r"^\[view\]"):
        taeda.ones(3).view(taeda.float64)


@pytest.mark.parametrize(("view", "expected"), [
    (lambda x: x.expand(3, 5).as_strided((5,), (1,)), [1, 1, 1, 1, 1]), (lambda x: x.expand(3, 5).as_strided((3, 5), (0, 1)), [3, 3, 3, 3, 3]),
    (lambda x: x.unfold(0, 3, 1).as_strided((2, 3), (1, 1)), [1, 2, 2, 1, 0]),
    (lambda x: x.unfold(0, 3, 1).as_strided((5,), (1,)) * taeda.arange(5), [0, 1, 2, 3, 4]),
])
def test_gradients_of_as_strided_reach_what_overlaps_once(view, expected) -> None:
    x = taeda.arange(1.0, 6.0).requires_grad_()
    view(x).sum().backward()
    assert x.grad.tolist() == expected


@pytest.mark.parametrize("call", [
    lambda x: x.unsqueeze(True), lambda x: x.squeeze(False), lambda x: x.transpose(True, False), lambda x: x.permute(True, False),
    lambda x: x.select(0, True), lambda x: x.narrow(True, 0, 1), lambda x: taeda.cat([x, x], True), lambda x: taeda.stack([x, x], dim=True),
    lambda x: x.softmax(True), lambda x: x.chunk(True), lambda x: x.cumsum(True), lambda x: x.gather(True, taeda.zeros(2, 1).long()),
    lambda x: x.topk(True), lambda x: x.tril(True), lambda x: x.roll(1, True),
])
def test_true_and_false_are_no_dimensions(call) -> None:
    with pytest.raises(TypeError):
        call(taeda.ones(2, 3))


def test_a_reshape_that_copies_is_no_view_and_says_so() -> None:
    x = taeda.arange(6.0).reshape(2, 3).requires_grad_()
    for y in (x.t().reshape(6), x.t().flatten(), x.t().reshape_as(taeda.ones(6))):
        assert (y.grad_fn.name(), y._is_view(), y._base) == ("UnsafeViewBackward0", False, None)
    assert x.reshape(6).grad_fn.name() == x.t().ravel().grad_fn.name() == "ViewBackward0" and x.reshape(6)._is_view()
    y = x.t().reshape(6)
    y.mul_(taeda.arange(6.0))
    assert y.grad_fn.name() == "MulBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [[0, 2, 4], [1, 3, 5]] and x.tolist() == [[0, 1, 2], [3, 4, 5]]
    with taeda.autograd.forward_ad.dual_level():
        dual = taeda.autograd.forward_ad.make_dual(taeda.ones(2, 3), taeda.arange(6.0).reshape(2, 3))
        assert taeda.autograd.forward_ad.unpack_dual(dual.t().reshape(6)).tangent.tolist() == [0, 3, 1, 4, 2, 5]


def test_a_new_dimension_of_size_1_spans_what_lies_behind_it() -> None:
    x = taeda.ones(3, 4)
    assert x.expand(1, 3, 4).stride() == (12, 4, 1)
    assert x.t().expand(1, 1, 4, 3).stride() == (4, 4, 1, 4)
    assert x.expand(2, 1, 3, 4).stride() == (0, 12, 4, 1)
    assert taeda.ones(1).expand(1, 1).stride() == (1, 1)
    assert taeda.tensor(1.0).expand(1, 1).stride() == (0, 0)
    assert [y.stride() for y in taeda.broadcast_tensors(taeda.ones(1), taeda.ones(1, 1))] == [(1, 1), (1, 1)]
    with pytest.raises(RuntimeError, match=r"\[broadcast_tensors\] The size of tensor a \(3\) must match the size of tensor b \(6\)"):
        taeda.broadcast_tensors(taeda.ones(2, 3), taeda.ones(6))


def test_a_scattered_view_lies_where_its_input_does() -> None:
    x = taeda.arange(20.0).reshape(4, 5)[1:, ::2]
    for y in (x.select_scatter(taeda.zeros(3), 1, 0), x.slice_scatter(taeda.zeros(3, 1), 1, 0, 1), x.diagonal_scatter(taeda.zeros(3))):
        assert y.stride() == (5, 2) and y.storage_offset() == 5 and not y._is_view()
        assert (x - y).count_nonzero() == 3
    part = taeda.arange(12.0)[:4]                           # of a longer storage
    assert part.as_strided_scatter(taeda.ones(2), (2,), (1,), 6).tolist() == [0, 1, 2, 3]
    assert part.select_scatter(taeda.tensor(5.0), 0, 1).untyped_storage().nbytes() == 48
    assert x.expand(2, 3, 3).select_scatter(taeda.zeros(3, 3), 0, 1).stride() == (9, 3, 1)
    z = x.as_strided_scatter(taeda.zeros(2), (2,), (5,), 7)          # offsets count from the storage's beginning
    assert z.tolist() == [[5.0, 0.0, 9.0], [10.0, 0.0, 14.0], [15.0, 17.0, 19.0]] and z.stride() == (5, 2)
    assert x.as_strided_scatter(taeda.zeros(2), (2,), (2,)).tolist()[0] == [0.0, 0.0, 9.0]
    w = x.clone().requires_grad_()
    (w[:, 1:].select_scatter(taeda.zeros(2), 0, 1) * taeda.arange(6.0).reshape(3, 2)).sum().backward()
    assert w.grad is not None and w.grad.tolist() == [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 4.0, 5.0]]
    v = x.clone().requires_grad_()
    (v[:, 1:].as_strided_scatter(taeda.zeros(2), (2,), (3,), 2) * taeda.arange(6.0).reshape(3, 2)).sum().backward()
    assert v.grad is not None and v.grad.tolist() == [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 4.0, 5.0]]
    both = lambda a: a.select_scatter(taeda.zeros(3), 1, 0) + a.as_strided_scatter(taeda.zeros(2), (2,), (5,), 7)  # noqa: E731
    tangent = taeda.func.jvp(both, (x,), (taeda.ones(3, 3),))[1]
    assert tangent.tolist() == [[1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [1.0, 2.0, 2.0]]


def test_several_views_stay_readable_when_their_base_becomes_a_leaf_that_requires_grad():
    x = taeda.arange(6.0)
    a, b = x.chunk(2)
    (c, *_), (d, *_) = x.split(4), x.unbind()
    x.requires_grad_()
    assert (a * b).tolist() == [0, 4, 10] and (c + d).tolist() == [0, 1, 2, 3]
    with taeda.no_grad():
        x.mul_(2)
    assert a.tolist() == [0, 2, 4] and a.grad_fn is None
    (x * x).sum().backward()
    assert x.grad.tolist() == [0, 4, 8, 12, 16, 20]


@pytest.mark.parametrize("leaf", [True, False])
def test_a_view_made_under_no_grad_requires_grad_as_its_base_does_and_no_gradient_comes_by_it(leaf: bool) -> None:
    w = taeda.arange(6.0, requires_grad=True)
    base = w if leaf else w * 1
    with taeda.no_grad():
        view, detached = base[:3], base.detach()[:3]
        within = view[1:]
        assert (base * 1).requires_grad is False
    for v in (view, within):
        assert v.requires_grad and v.is_leaf and v.grad_fn is None and v._base is base
        with pytest.raises(RuntimeError, match="A view was created in no_grad mode and is being modified inplace"):
            v.mul_(2)
        with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
            v[0] = 1
    assert not detached.requires_grad
    y = view * 2
    assert y.requires_grad and y.grad_fn.next_functions == ((None, 0), (None, 0)) and view[1:].grad_fn.name() == "SliceBackward0"
    (y.sum() + base.sum()).backward()
    assert view.grad is None and w.grad.tolist() == [1.0] * 6
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        taeda.autograd.grad((view * 2).sum(), view)
    with taeda.no_grad():
        view.mul_(2)
    assert base.tolist() == [0, 2, 4, 3, 4, 5]
    view.requires_grad = False
    assert view.requires_grad and "requires_grad=True" in repr(view)


def test_a_view_made_under_no_grad_that_is_asked_to_require_grad_is_a_leaf_of_its_own() -> None:
    for base in (taeda.ones(4), taeda.ones(4, requires_grad=True)):
        with taeda.no_grad():
            view = base[:2]
        view.requires_grad_()
        (view * 3).sum().backward()
        assert view.grad.tolist() == [3, 3] and base.grad is None
        with pytest.raises(RuntimeError, match="in-place operation" if not base.requires_grad else "no_grad mode"):
            view.mul_(2)


def test_an_instance_of_a_subclass_is_a_view() -> None:
    class Named(taeda.Tensor):
        pass

    x = taeda.ones(3)
    named, w = x.as_subclass(Named), taeda.tensor(2.0, requires_grad=True)
    assert named._is_view() and named._base is x and not named.requires_grad
    x.mul_(w)
    named.sum().backward()
    assert w.grad.item() == 3


def test_a_view_made_under_no_grad_follows_what_its_base_requires_later() -> None:
    base = taeda.ones(2, 2, requires_grad=True)
    with taeda.no_grad():
        view = base[0]
    base.requires_grad_(False)
    assert not view.requires_grad and not (view * 2).requires_grad
    assert view.add_(1).tolist() == [2, 2] and view.numpy().tolist() == [2, 2]
    base.requires_grad_(True)
    assert view.requires_grad and view.is_leaf
    later = taeda.ones(2)
    with taeda.no_grad():
        early, whole = later[:1], later.view(taeda.int32)
    later.mul_(taeda.ones(2, requires_grad=True))
    assert early.requires_grad and early.grad_fn is None and not whole.requires_grad

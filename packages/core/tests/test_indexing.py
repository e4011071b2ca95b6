"""x[...] and x[...] = v: views, assignment, autograd through both, and what must be left alone."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest

import taeda
from taeda import ops

I64 = taeda.int64


def grid(*shape: int) -> Any:
    return taeda.arange(float(np.prod(shape))).reshape(shape)


# -- reading -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("index", [0, slice(1, 3), (slice(None), 1), (Ellipsis, None), (0, slice(1, None)), ()])
def test_basic_index_is_a_view(index: Any) -> None:
    x = grid(3, 4)
    y = x[index]
    assert y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    y.fill_(-1)
    assert (x[index] == -1).all()


@pytest.mark.parametrize("index", [[0], taeda.tensor([0]), taeda.tensor([True, False, False]), True])
def test_advanced_index_is_a_copy(index: Any) -> None:
    x = grid(3, 4)
    x[index].fill_(-1)
    assert (x >= 0).all()


@pytest.mark.parametrize(("index", "name"), [
    (0, "SelectBackward0"), ((slice(None), 1), "SelectBackward0"), (slice(None), "SliceBackward0"),
    (slice(1, 2), "SliceBackward0"), ((0, slice(1, 2)), "SliceBackward0"), (None, "UnsqueezeBackward0"),
    (Ellipsis, "AliasBackward0"), ([0], "IndexBackward0"), (True, "IndexBackward0"), (taeda.tensor(1), "SelectBackward0"),
])
def test_node_is_named_after_the_last_step(index: Any, name: str) -> None:
    assert grid(3, 4).requires_grad_()[index].grad_fn.name() == name


def test_strides_are_those_of_the_single_steps() -> None:
    x = grid(2, 3, 4)
    assert x[None].stride() == (24, 12, 4, 1)
    assert x[:, None].stride() == (12, 12, 4, 1)
    assert x[..., None].stride() == (12, 4, 1, 1)
    assert x[:, ::2, 1:].stride() == (12, 8, 1)


def test_objects_that_count_as_ints_and_arrays() -> None:
    class Third:
        def __index__(self) -> int:
            return 2

    x = grid(4)
    for index in (Third(), np.int64(2), np.array(2), taeda.tensor(2), taeda.tensor(2, dtype=taeda.int32)):
        assert x[index].item() == 2
    assert x[taeda.tensor(1):Third()].tolist() == [1]
    assert x[np.array([0, 3])].tolist() == x[range(0, 4, 3)].tolist() == x[(0, 3),].tolist() == [0, 3]
    assert x[np.array([True, False, False, True])].tolist() == x[[True, False, False, True]].tolist() == [0, 3]
    assert x[taeda.tensor([3, 0], dtype=taeda.int32)].tolist() == [3, 0]


def test_position_of_the_index_dimensions() -> None:
    x = grid(2, 3, 4, 5)
    i, j = taeda.tensor([0, 1]), taeda.tensor([[2], [0], [1]])
    assert x[:, i, j].shape == (2, 3, 2, 5)
    assert x[i, :, j].shape == (3, 2, 3, 5)
    assert x[0, :, j, i].shape == (3, 3, 2)
    assert x[i, None, 1, j].shape == (3, 2, 1, 5)
    assert x[..., i].shape == (2, 3, 4, 2)


def test_list_of_indices_is_read_as_a_tuple_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert grid(3, 4)[[slice(0, 2), 1]].tolist() == [1, 5]


def test_uint8_mask_warns_and_works() -> None:
    with pytest.warns(UserWarning, match="deprecated"):
        assert grid(3)[taeda.tensor([1, 0, 1], dtype=taeda.uint8)].tolist() == [0, 2]


@pytest.mark.parametrize(("shape", "index", "kind", "text"), [
    ((3,), 3, IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
    ((2, 3), (0, -4), IndexError, "index -4 is out of bounds for dimension 1 with size 3"),
    ((2, 3), (slice(None), [0, 9]), IndexError, "index 9 is out of bounds for dimension 1 with size 3"),
    ((0,), [0], IndexError, "index 0 is out of bounds for dimension 0 with size 0"),
    ((3,), (0, slice(None)), IndexError, "too many indices for tensor of dimension 1"),
    ((), 0, IndexError, "invalid index of a 0-dim tensor"),
    ((), slice(None), IndexError, "0-dim"),
    ((3,), "a", (IndexError, TypeError), "only integers, slices"),
    ((3,), 0.0, IndexError, "only integers, slices"),
    ((3,), slice(None, None, 0), ValueError, "step"),
    ((3,), slice(None, None, -2), ValueError, "step must be greater than zero"),
    ((3,), slice(0.5, 1), TypeError, "__index__"),
    ((3,), 10**30, (IndexError, OverflowError, ValueError), "."),
    ((3, 3), taeda.tensor([True, False]), IndexError, "shape of the mask"),
    ((3,), taeda.tensor([0.5]), IndexError, "long, int, byte or bool"),
    ((3, 3), ([0, 1], [0, 1, 2]), IndexError, r"could not be broadcast together with shapes \[2\], \[3\]"),
])
def test_wrong_index_is_refused_for_reading_and_writing(shape: Any, index: Any, kind: Any, text: str) -> None:
    x = taeda.ones(shape)
    with pytest.raises(kind, match=text):
        x[index]
    with pytest.raises(kind, match=text):
        x[index] = 5.0
    assert (x == 1).all()


# -- writing -------------------------------------------------------------------------------------------------
ASSIGNED: list[tuple[Any, Any]] = [
    (0, 5.0), ((slice(None), 1), 2), (slice(0, 2), np.ones((2, 4))), (Ellipsis, np.arange(4.0)), ((1, 2), np.array(9.0)),
    (0, np.arange(4.0).reshape(1, 1, 4)), ((slice(None), slice(1, 3)), np.arange(3.0).reshape(3, 1)),
    ([0, 2], 7.0), ([0, 2], np.arange(4.0)), ((slice(None), [3, 1]), np.arange(6.0).reshape(3, 2)),
    (([0, 1], [2, 3]), np.array([5.0, 6.0])), (np.array([True, False, True]), 3.0),
    (np.array([True, False, True]), np.arange(8.0).reshape(2, 4)), (slice(0, 0), 4.0),
    (np.zeros(0, np.int64), 4.0), (True, 1.0), (False, 1.0), ((slice(None, None, 2), None, [0, 3]), 8.0),
]


@pytest.mark.parametrize(("index", "value"), ASSIGNED)
def test_assignment_is_numpys(index: Any, value: Any) -> None:
    def tensors(a: Any) -> Any:
        return tuple(map(tensors, a)) if isinstance(a, tuple) else taeda.from_numpy(a) if isinstance(a, np.ndarray) else a

    for layout in (np.ascontiguousarray, np.asfortranarray):
        want = layout(np.random.default_rng(0).standard_normal((3, 4)))
        got = taeda.from_numpy(want.copy(order="K"))
        want[index] = value
        got[tensors(index)] = tensors(value)
        np.testing.assert_array_equal(got.numpy(), want)


def test_mask_assignment_with_one_value_or_as_many_as_chosen() -> None:
    x = grid(2, 3)
    x[x > 3] = taeda.tensor([7])                  # one value takes the target's dtype
    assert x.tolist() == [[0, 1, 2], [3, 7, 7]]
    x[x == 7] = taeda.tensor([8.0, 9.0])
    assert x.tolist() == [[0, 1, 2], [3, 8, 9]]
    with pytest.raises(RuntimeError, match=r"shape mismatch: value tensor of shape \[3\] cannot be broadcast"):
        x[x > 7] = taeda.ones(3)


def test_target_keeps_its_dtype() -> None:
    n = taeda.zeros(3, dtype=I64)
    n[0], n[1:] = 2.7, taeda.tensor([1.5, -1.5])
    assert n.tolist() == [2, 1, -1] and n.dtype == I64
    b = taeda.zeros(2, dtype=taeda.bool)
    b[0] = 5
    assert b.tolist() == [True, False]
    with pytest.raises(RuntimeError, match="source and destination dtypes match"):
        n[taeda.tensor([0])] = taeda.ones(1)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint32, np.int64])
def test_integers_of_numpy_can_be_assigned(kind: Any) -> None:
    for dtype in (taeda.float32, taeda.int16, I64):
        x = taeda.zeros(4, dtype=dtype)
        x[1], x[2:], x[x == 0] = kind(3), kind(5), kind(7)
        assert x.tolist() == [7, 3, 5, 5]


def test_where_chooses_from_numbers_of_numpy() -> None:
    c, x = taeda.tensor([True, False]), taeda.ones(2, dtype=taeda.float16)
    for number in (np.float32(1.5), np.float64(1.5), np.float16(1.5)):
        y = taeda.where(c, number, x)
        assert y.dtype is taeda.float16 and y.tolist() == [1.5, 1]
    assert taeda.where(c, x, np.int64(3)).tolist() == [1, 3] and taeda.where(c, x.bool(), np.False_).tolist() == [True, False]
    with pytest.raises(TypeError, match="must be tensors or numbers, got ndarray"):
        taeda.where(c, x, np.ones(2))


@pytest.mark.parametrize("value", [[1.0, 2.0], "a", None, np.ones(2)])
def test_only_numbers_and_tensors_can_be_assigned(value: Any) -> None:
    x = taeda.zeros(2)
    with pytest.raises(TypeError, match="can't assign a"):
        x[:] = value
    assert (x == 0).all()


@pytest.mark.parametrize(("index", "value"), [
    (0, taeda.ones(3)), (slice(0, 2), taeda.ones(3, 4)), ([0, 7], 1.0), ([0, 1], taeda.ones(3, 4)), ((0, 0), taeda.ones(2)),
])
def test_failed_assignment_leaves_the_target(index: Any, value: Any) -> None:
    x = taeda.zeros(3, 4)
    version = x._version
    with pytest.raises((RuntimeError, IndexError)):
        x[index] = value
    assert (x == 0).all() and x._version == version


def test_number_out_of_the_dtypes_range_is_refused() -> None:
    for dtype, value in [(taeda.uint8, 300), (I64, float("nan")), (I64, float("inf")), (taeda.int32, 2**40)]:
        x = taeda.zeros(2, dtype=dtype)
        with pytest.raises((RuntimeError, ValueError, OverflowError)):
            x[0] = value
        assert x.tolist() == [0, 0]


def test_overlapping_source_is_refused() -> None:
    x = grid(5)
    y = x[:4].view(2, 2)
    index = taeda.tensor([1, 2, 3])
    for write in (lambda: x.__setitem__(slice(1, None), x[:-1]), lambda: x[1:].copy_(x[:-1]), lambda: x.__setitem__(index, x[:3]),
                  lambda: y.__setitem__(slice(None), y.t()), lambda: y.mul_(y.t()), lambda: x.index_add_(0, index, x[:3]),
                  lambda: x.scatter_(0, index, x), lambda: x.put_(index, x[:3]), lambda: taeda.take(x, index, out=x[:3])):
        with pytest.raises(RuntimeError, match="single memory location"):
            write()
    assert x.tolist() == [0, 1, 2, 3, 4]
    x[:2] = x[2:4]
    x[::2] = x[1]
    assert x.tolist() == [3, 3, 3, 3, 3]
    z = grid(4)
    z[:] = z[taeda.tensor([3, 2, 1, 0])]
    z[index] = z[:3] * 1
    assert z.tolist() == [3, 3, 2, 1]


def test_expanded_target_is_refused() -> None:
    x = taeda.zeros(1, 3).expand(2, 3)
    with pytest.raises(RuntimeError, match="single memory location"):
        x[:] = 1.0
    with pytest.raises(RuntimeError, match="single memory location"):
        x.index_add_(1, taeda.tensor([0]), taeda.ones(2, 1))
    assert x.tolist() == [[0] * 3] * 2


def test_expanded_target_of_a_mask_or_an_index_is_written_with_a_warning() -> None:
    whole = taeda.zeros(1, 3)
    x = whole.expand(2, 3)
    mask = taeda.tensor([[True, False, False], [False, True, False]])
    for call in (lambda: x.masked_fill_(mask, 1.0), lambda: x.__setitem__(mask, 1.0)):
        whole.zero_()
        with pytest.warns(UserWarning, match="Use of masked_fill_ on expanded tensors is deprecated"):
            call()
        assert whole.tolist() == [[1, 1, 0]]
    with pytest.warns(UserWarning, match="Use of index_fill_ on expanded"):
        x.index_fill_(1, taeda.tensor([2]), 5.0)
    with pytest.warns(UserWarning, match="Use of index_put_ on expanded"):
        x[:, taeda.tensor([0])] = 4.0
    assert whole.tolist() == [[4, 1, 5]]


def test_a_source_cut_by_an_empty_index_has_a_gradient_of_its_own_shape() -> None:
    source = taeda.ones(2, 1, requires_grad=True)
    taeda.zeros(2, 3).scatter_add(1, taeda.empty(2, 0, dtype=taeda.int64), source).sum().backward()
    assert source.grad is not None
    assert source.grad.tolist() == [[0], [0]]


# -- autograd ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("index", "shape"), [
    (0, (4,)), (slice(1, 3), (1,)), ((Ellipsis, 1), (3,)), ([0, 2], (4,)), ((slice(None), [3, 1]), (3, 2)), (([0, 1], [2, 3]), ()),
    (Ellipsis, (3, 4)), (taeda.tensor([True, False, True]), (2, 4)),
])
def test_gradient_of_assignment(index: Any, shape: tuple[int, ...]) -> None:
    x = taeda.ones(3, 4, dtype=taeda.float64).requires_grad_()
    v = taeda.full(shape, 2.0, dtype=taeda.float64).requires_grad_()
    w = grid(3, 4).to(taeda.float64) + 1

    def run(x: Any, v: Any) -> Any:
        y = x * 1
        y[index] = v
        return y * y * w

    run(x, v).sum().backward()
    inside = np.zeros((3, 4))
    inside[index if not isinstance(index, taeda.Tensor) else index.numpy()] = 1
    np.testing.assert_allclose(x.grad.numpy(), 2 * (1 - inside) * w.numpy())
    want = (4 * inside * w.numpy())
    assert v.grad.sum().item() == pytest.approx(want.sum())
    assert taeda.autograd.gradcheck(run, (x, v))
    assert taeda.autograd.gradgradcheck(run, (x, v))


def test_writing_into_a_leaf_that_requires_grad_is_refused() -> None:
    x = taeda.ones(3).requires_grad_()
    for index in (0, slice(None), [0], x.detach() > 0):
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            x[index] = 0.0
    with taeda.no_grad():
        x[0] = 5.0
    assert x.tolist() == [5, 1, 1] and x.requires_grad and x.is_leaf


def test_target_joins_the_graph_of_its_value() -> None:
    v = taeda.ones(2).requires_grad_()
    for index in (slice(0, 2), [0, 1], taeda.tensor([True, True, False])):
        v.grad = None
        x = taeda.zeros(3)
        x[index] = v * 3
        assert x.requires_grad and not x.is_leaf
        x.sum().backward()
        assert v.grad.tolist() == [3, 3]


def test_write_through_a_view_of_a_view() -> None:
    x = taeda.ones(3, 4).requires_grad_()
    y = x * 2
    y[1:][0, 1:3] = 0.0
    y[0].mul_(5)
    y.sum().backward()
    assert x.grad.tolist() == [[10] * 4, [2, 0, 0, 2], [2] * 4]


def test_index_changed_before_backward_is_noticed() -> None:
    x, i = taeda.ones(3).requires_grad_(), taeda.tensor([0, 1])
    y = x[i]
    i[0] = 2
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_repeated_indices_accumulate() -> None:
    x = taeda.ones(3, 2).requires_grad_()
    x[taeda.tensor([1, 1, 1, 0])].sum().backward()
    assert x.grad.tolist() == [[1, 1], [3, 3], [0, 0]]


# -- threads, meta, limits -----------------------------------------------------------------------------------
@pytest.fixture
def threads() -> Any:
    before = taeda.get_num_threads()
    yield taeda.set_num_threads
    taeda.set_num_threads(before)


def test_results_do_not_depend_on_the_number_of_threads(threads: Any) -> None:
    rng = np.random.default_rng(0)
    g = taeda.from_numpy(rng.standard_normal((3000, 37)).astype(np.float32))
    wide = taeda.from_numpy(rng.standard_normal((60, 3000)).astype(np.float32))
    i, j = taeda.from_numpy(rng.integers(0, 50, 3000)), taeda.from_numpy(rng.integers(0, 5, 60))
    k = taeda.from_numpy(rng.integers(0, 50, (3000, 37)))
    m, few = g > 0, taeda.tensor([3, 0])
    cases = [
        lambda: g.index_copy(1, few, g[:, 5:7]), lambda: g.index_add(1, few, g[:, 5:7]), lambda: g.index_select(1, few), lambda: g.index_fill(1, few, 7),
        lambda: taeda.zeros(50, 37).index_add_(0, i, g), lambda: taeda.zeros(5, 3000).index_add_(0, j, wide),
        lambda: taeda.zeros(50, 37).scatter_add_(0, k, g), lambda: taeda.zeros(3000, 50).scatter_add_(1, k, g),
        lambda: taeda.zeros(50).index_put_((k.reshape(-1),), g.reshape(-1), accumulate=True),
        lambda: taeda.zeros(50).index_put_((k.reshape(-1),), g.reshape(-1)), lambda: g[i % 40], lambda: g.gather(0, k),
        lambda: taeda.where(m, g, -g), lambda: taeda.cat([g, g.t().reshape(3000, 37)], 1), lambda: taeda.stack([g, -g], 2),
        lambda: g.tril(3), lambda: g.flip(1), lambda: g.roll(5, 0),
        lambda: ops.unfold_backward(g.reshape(3000, 1, 37), (3036, 1), 0, 37, 1),
        lambda: ops.unfold_backward(g.reshape(30, 100, 37), (30, 136), 1, 37, 1),      # rows for every thread
    ]
    for case in cases:
        results = []
        for n in (1, 2, 5):
            threads(n)
            results.append(case())
        assert all(taeda.equal(results[0], r) for r in results[1:])


def test_meta_tensors_have_shapes_and_no_data() -> None:
    x = taeda.empty(3, 4, device="meta")
    assert x[0].shape == (4,) and x[:, [0, 1]].shape == (3, 2) and x[None, ..., 1:3].shape == (1, 3, 2)
    x[0] = 1.0
    x[[0, 1]] = taeda.empty(4, device="meta")
    assert taeda.cat([x, x]).shape == (6, 4) and taeda.stack([x, x], -1).shape == (3, 4, 2)
    assert taeda.where(x > 0, x, 0).device.type == "meta" and x.flip(0).shape == x.roll(1).shape == x.tril().shape == (3, 4)
    with pytest.raises(NotImplementedError, match="meta"):
        x.nonzero()
    with pytest.raises(NotImplementedError, match="meta"):
        x[x > 0]


def test_many_dimensions() -> None:
    x = taeda.zeros((1,) * 64)
    assert x[(0,) * 64].shape == ()
    with pytest.raises(RuntimeError, match="64"):
        x[None]
    assert taeda.zeros((2,) * 9)[(slice(None, None, 2),) * 9].shape == (1,) * 9
    assert taeda.ones((2,) * 9)[([0, 1],) * 9].tolist() == [1, 1]


def test_cat_of_many_pieces_and_of_promoted_dtypes() -> None:
    pieces = [taeda.full((i % 3,), float(i)) for i in range(500)]
    assert taeda.cat(pieces).shape == (sum(i % 3 for i in range(500)),)
    mixed = taeda.cat([taeda.ones(1), taeda.tensor([2]), taeda.tensor([True])])
    assert mixed.dtype == taeda.float32 and mixed.tolist() == [1, 2, 1]
    half = taeda.ones(1).requires_grad_()
    taeda.cat([half, taeda.ones(1, dtype=taeda.float64)]).sum().backward()
    assert half.grad.dtype == taeda.float32


@pytest.mark.parametrize(("a", "b", "want"), [
    (1, 0, taeda.int64), (1.0, 0, taeda.float32), (True, False, taeda.bool), (taeda.ones(2, dtype=I64), 2.5, taeda.float32),
    (taeda.ones(2, dtype=taeda.uint8), -1, taeda.uint8), (taeda.ones(2), taeda.tensor(1.0, dtype=taeda.float64), taeda.float32),
    (taeda.ones(2, dtype=taeda.int32), taeda.ones(2, dtype=taeda.uint8), taeda.int32),
])
def test_where_promotes(a: Any, b: Any, want: Any) -> None:
    assert taeda.where(taeda.tensor([True, False]), a, b).dtype == want


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("zeros", [(), (0,), (0, 1), (0, 1, 2), (1, 3)])
def test_products_of_zeros_have_a_second_derivative(zeros: tuple[int, ...], keep: bool) -> None:
    """One of three factors is 0: the derivative by another is 0 too, but not what it is by the 0."""
    src = taeda.tensor([0.7, -1.3, 0.4, 2.1, -0.6], dtype=taeda.float64).index_fill(0, taeda.tensor(zeros, dtype=I64), 0).requires_grad_()
    x = taeda.tensor([1.1, 0.0, -0.5], dtype=taeda.float64, requires_grad=True)
    i = taeda.tensor([0, 0, 0, 1, 1])
    for name in ("scatter_reduce", "index_reduce"):
        def product(x: taeda.Tensor, s: taeda.Tensor, name: str = name) -> Any:
            return getattr(x, name)(0, i, s, "prod", include_self=keep)

        assert taeda.autograd.gradcheck(product, (x, src)) and taeda.autograd.gradgradcheck(product, (x, src))
    H = taeda.autograd.functional.hessian(lambda s: x.detach().scatter_reduce(0, i, s, "prod", include_self=keep)[0], src)
    a, b, c = (src[k].item() * (1.1 if keep else 1) for k in range(3))
    assert H[:3, :3].flatten().tolist() == pytest.approx([0, c, b, c, 0, a, b, a, 0])


def test_scatter_reduce_of_integers_and_nan() -> None:
    i = taeda.tensor([0, 0, 1])
    n = taeda.tensor([5, 6, -7])
    assert taeda.zeros(2, dtype=I64).scatter_reduce(0, i, n, "mean").tolist() == [3, -4]
    assert taeda.zeros(2, dtype=I64).scatter_reduce(0, i, n, "amax", include_self=False).tolist() == [6, -7]
    assert taeda.zeros(2).scatter_reduce(0, i, taeda.tensor([1.0, float("nan"), 2.0]), "amax").isnan().tolist() == [True, False]


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (7, 3), (8, 3), (4, 3), (3, 3, 3)])
def test_fill_diagonal_is_numpys(shape: tuple[int, ...], wrap: bool) -> None:
    want = np.zeros(shape)
    np.fill_diagonal(want, 5, wrap=wrap)
    x = taeda.zeros(shape, dtype=taeda.float64)
    assert x.fill_diagonal_(5, wrap=wrap) is x
    np.testing.assert_array_equal(x.numpy(), want)


def test_fill_diagonal_refuses_what_has_none() -> None:
    with pytest.raises(RuntimeError, match="larger than 1"):
        taeda.zeros(3).fill_diagonal_(1)
    with pytest.raises(RuntimeError, match="equal length"):
        taeda.zeros(3, 3, 2).fill_diagonal_(1)


def test_scatter_by_an_index_that_is_its_own_target() -> None:
    x = taeda.tensor([0, 1, 2])
    with pytest.raises(RuntimeError, match="single memory location"):
        x.scatter_(0, x, 10**9)
    assert x.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("rows", "cols", "k", "n"), [(10**12, 1, 1 - 10**12, 1), (0, 5, 0, 0), (3, 3, 10**12, 9)])
def test_triangle_indices_of_extreme_shapes(rows: int, cols: int, k: int, n: int) -> None:
    assert taeda.tril_indices(rows, cols, k).shape == (2, n)


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.bfloat16, taeda.float32, taeda.int64, taeda.complex128])
def test_rows_of_every_layout_by_few_and_many_indices(dtype: taeda.dtype) -> None:
    """Few indices along a dimension behind many rows are taken one after the other; elements that repeat along a row are written as such."""
    g = np.random.default_rng(0)
    for shape in ((40, 6, 5), (90, 5), (7, 50, 3), (64, 4), (3, 20, 4, 9)):
        whole = taeda.from_numpy(g.integers(0, 100, shape)).to(dtype)
        seen = [whole, whole.transpose(0, 1), whole.transpose(0, -1), whole.flip(0)[::2]]
        seen += [whole.narrow(d, 0, 1).expand(shape) for d in range(len(shape))]
        for x in seen:
            a = x.to(taeda.complex128).numpy()
            for d in range(x.ndim):
                for m in (0, 1, 2, 3, 4, 5, 40):
                    i = g.integers(0, x.shape[d], m)
                    y = x.index_select(d, taeda.from_numpy(i))
                    assert y.dtype == dtype
                    assert (y.to(taeda.complex128).numpy() == np.take(a, i, d)).all()
                    if m and all(n == 1 or s for n, s in zip(x.shape, x.stride(), strict=True)):
                        z, c = x.clone(), a.copy()
                        rows = taeda.from_numpy(g.integers(0, 9, y.shape)).to(dtype)
                        np.moveaxis(c, d, 0)[i] = np.moveaxis(rows.to(taeda.complex128).numpy(), d, 0)
                        assert (z.index_copy(d, taeda.from_numpy(i), rows).to(taeda.complex128).numpy() == c).all()
                        np.add.at(np.moveaxis(c, d, 0), i, np.moveaxis(rows.to(taeda.complex128).numpy(), d, 0))
                        z.index_copy_(d, taeda.from_numpy(i), rows).index_add_(d, taeda.from_numpy(i), rows)
                        assert (z.to(taeda.complex128).numpy() == c).all()
            two = x[:, taeda.tensor([1, -1]), ...]
            assert (two.to(taeda.complex128).numpy() == a[:, [1, -1]]).all()
    with pytest.raises(IndexError, match="out of"):
        whole.index_select(3, taeda.tensor([9]))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (9,), (1000,), (3, 0), (17, 33), (5, 8, 16), (4, 1, 9), (40, 1), (1, 1, 1), (2, 1, 30, 1), (300, 2),
                                   (3, 3, 70, 2), (2, 50, 1, 3, 5), (4, 15, 16), (9, 2, 2, 2)])
def test_nonzero_of_every_density_and_layout(shape: tuple[int, ...]) -> None:
    """Rows are read eight bytes at a time; what is beside a row, or behind the last true element, is not written."""
    g = np.random.default_rng(len(shape))
    for density in (0, 0.05, 0.5, 0.97, 1):
        x = np.asarray(g.random(shape) < density)
        for dtype in (taeda.bool, taeda.float32):
            whole = taeda.tensor(x.tolist()).reshape(shape).to(dtype)
            seen = [(whole, x)]
            if shape:
                seen += [(whole.transpose(0, -1), x.swapaxes(0, -1)), (whole[..., ::2], x[..., ::2]), (whole.flip(0), x[::-1])]
            for t, wanted in seen:
                found = t.nonzero()
                assert found.shape == np.argwhere(wanted).shape and (found.numpy() == np.argwhere(wanted)).all()
                if shape:
                    assert all((a.numpy() == b).all() for a, b in zip(t.nonzero(as_tuple=True), np.nonzero(wanted), strict=True))


def test_an_index_that_lies_in_the_target_is_refused() -> None:
    for write in (
        lambda i: i.index_add_(0, i, i.clone()), lambda i: i.index_copy_(0, i, i.clone()), lambda i: i.index_fill_(0, i, 0),
        lambda i: i.index_put_((i,), i.clone()), lambda i: i.__setitem__(i, 0), lambda i: i.__setitem__(i[:1], 0),
    ):  # fmt: skip
        i = taeda.tensor([2, 1, 0])
        with pytest.raises(RuntimeError, match="unsupported operation: some elements of the input tensor"):
            write(i)
        assert i.tolist() == [2, 1, 0]
    mask = taeda.tensor([True, False])
    mask[mask] = False                              # a mask is counted first
    assert not mask.any()


def test_the_kind_of_error_of_an_index_out_of_range_is_that_of_its_dimension() -> None:
    x, i = taeda.ones(2, 3, 4), taeda.tensor([0, 5])
    for dim, kind in ((0, IndexError), (1, RuntimeError), (2, IndexError)):
        with pytest.raises(kind, match=r"^\[index_select\] index out of range in self"):
            x.index_select(dim, i)
    with pytest.raises(RuntimeError, match="index out of range in self"):
        taeda.ones(0, 3).index_select(0, i)
    with pytest.raises(RuntimeError, match="complex value"):
        taeda.zeros(3, dtype=taeda.bool).index_fill_(0, taeda.tensor([0]), 1 + 1j)
    for y in (x, taeda.tensor(1.0)):
        with pytest.raises(RuntimeError, match="at least one index tensor"):
            y.index_put([], taeda.ones(1))
    with pytest.raises(RuntimeError, match="out kwarg when as_tuple"):
        taeda.nonzero(x, as_tuple=True, out=taeda.empty(0, dtype=taeda.int64))


@pytest.mark.parametrize("size", [(2, 3), (8, 8), (5, 13), (16, 16), (3, 300)])
@pytest.mark.parametrize("many", [1, 3, 50])
def test_rows_with_gaps_are_picked_as_they_lie(size: tuple[int, int], many: int) -> None:
    base = grid(4, 6, 2 * size[0], size[1] + 1)
    i = taeda.arange(many) * 5 % 6
    for x in (base[..., ::2, 1:], base[..., ::2, 1:].mT, base.flip(-1)[..., 1::2, :-1], base.permute(0, 1, 3, 2)[..., :4].expand(4, 6, -1, 4)):
        for dtype in (taeda.float32, taeda.float64, taeda.int16, taeda.bool, taeda.complex128):
            y = x if dtype == taeda.float32 else x.to(dtype)
            y = taeda.as_strided(y, y.shape, y.stride()) if y.is_contiguous() else y
            want = taeda.stack([y[:, int(k)] for k in i], 1)
            assert (y[:, i] == want).all() and (y.index_select(1, i) == want).all() and (y.movedim(1, 0)[i] == want.movedim(1, 0)).all()


def test_coordinates_of_flat_indices_lie_beside_each_other() -> None:
    rows, columns = taeda.unravel_index(taeda.tensor([[1, 5], [2, 4]]), (2, 3))
    assert rows.tolist() == [[0, 1], [0, 1]] and columns.tolist() == [[1, 2], [2, 1]]
    assert rows.stride() == columns.stride() == (4, 2) and taeda.unravel_index(taeda.tensor(0), ()) == ()


def test_an_assignment_to_all_of_a_tensor_is_a_write_to_itself() -> None:
    """No view has a part in it: nothing of the old elements is left."""
    a = taeda.ones(2, 2, requires_grad=True)
    for index in ((), ..., slice(None), (slice(0, 5), ...), (slice(None), slice(None))):
        for value, name in ((1, "FillBackward3"), (taeda.ones(2), "CopyBackwards")):
            y = a * 2
            y[index] = value
            assert y.grad_fn is not None and y.grad_fn.name().endswith(name)
            y.sum().backward()
            assert a.grad is not None and a.grad.tolist() == [[0, 0], [0, 0]] and y.tolist() == [[1, 1], [1, 1]]
    y = a * 2
    y[0:1] = 1
    assert y.grad_fn is not None and y.grad_fn.name().endswith("CopySlices")


def test_true_assigns_everything_and_false_nothing_whatever_the_dtype() -> None:
    x = grid(3).float()
    x[True] = taeda.tensor([7])
    assert x.tolist() == [7, 7, 7] and x.dtype == taeda.float32
    x[False] = taeda.tensor([1, 2, 3, 4, 5])
    assert x.tolist() == [7, 7, 7]
    y = taeda.ones(3, requires_grad=True) * 2
    y[False] = 5
    assert y.grad_fn is not None and y.grad_fn.name() == "MulBackward0"


def test_a_list_of_a_mask_and_none_is_a_tuple_for_writing_too() -> None:
    x = grid(1, 3)
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        x[[taeda.tensor([[True, False, True]]), None]] = taeda.ones(1, 1, dtype=taeda.float64)
    assert x.tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("odd", [1e30, -1e19, float("inf"), float("nan")])
def test_a_float_without_place_in_64_bits_is_no_index(odd: float) -> None:
    with pytest.raises(RuntimeError, match="value cannot be converted to type int64 without overflow"):
        grid(3)[[odd]]


def test_a_single_element_may_be_assigned_to_itself() -> None:
    x = taeda.ones(1, 1, requires_grad=True) * 3
    x[:, 0] = x.flatten()[0]
    assert x.tolist() == [[3]]


def test_every_ellipsis_stands_for_as_many_dimensions() -> None:
    x = grid(2, 3, 4)
    assert x[..., 0, ...].tolist() == x[:, :, 0].tolist() and x[..., ..., 0, :].tolist() == x[:, :, 0].tolist()
    assert x[..., ..., :].tolist() == x[..., None, ...].squeeze(-1).tolist() == x.tolist()
    for index in ((..., ..., 0), (..., ..., None), (..., ..., [0, 1]), (..., ..., slice(1, 2)), (..., 0, ..., 0), (..., ..., True)):
        with pytest.raises(IndexError, match=r"^\[getitem\] too many indices"):
            x[index]


def test_a_mask_without_dimensions_chooses_all_or_nothing() -> None:
    for mask, wanted in ((True, [5.0] * 3), (False, [0.0, 1.0, 2.0])):
        for value in (taeda.tensor(5.0), taeda.tensor([5])):
            assert taeda.arange(3.0).index_put_((taeda.tensor(mask),), value).tolist() == wanted
    for x, indices in ((taeda.tensor(1.0), (taeda.tensor(True),)), (taeda.zeros(2), (taeda.tensor(True), taeda.tensor([1])))):
        with pytest.raises(IndexError, match=rf"too many indices for tensor of dimension {x.ndim} \(got {len(indices)}\)"):
            x.index_put_(indices, taeda.tensor(1.0))


def test_another_thread_may_lay_its_tensors_out_anew_meanwhile() -> None:
    stop, interval = threading.Event(), sys.getswitchinterval()

    def lay_out() -> None:
        other = taeda.zeros(3)
        while not stop.is_set():
            other.data = taeda.zeros(2)

    thread = threading.Thread(target=lay_out)
    x = taeda.zeros(100000, 3)
    mask = x[:, 0] == 0
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        for _ in range(300):                        # counting the mask lets go of the interpreter
            x[mask, 0] = 1.0
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert x.sum() == 100000


def test_one_value_of_another_dtype_is_not_added_where_a_mask_holds() -> None:
    with pytest.raises(RuntimeError, match="Index put requires the source and destination dtypes match"):
        taeda.zeros(3).index_put_((taeda.tensor([True, False, True]),), taeda.tensor(2), accumulate=True)


def test_where_finds_the_device_of_whatever_is_no_number() -> None:
    yes, one, far = taeda.tensor(True), taeda.tensor(1.0), taeda.zeros(2, device="meta")
    for found in (taeda.where(yes, one, far), taeda.where(yes, far, one), taeda.where(far == 0, one, one)):
        assert found.is_meta and found.shape == (2,)
    with pytest.raises(RuntimeError, match="on the same device"):
        taeda.where(yes.reshape(1), one, far)

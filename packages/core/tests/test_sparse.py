"""Sparse tensors: that they hold what dense ones would, that gradients go through them, and that no kernel takes one by mistake."""

from __future__ import annotations

import copy
import io
import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import taeda
from sparse_examples import INDICES, VALUES, dense, example, tensors, twice
from taeda import ops

# -- what it is ------------------------------------------------------------------------------------


def test_a_sparse_tensor_says_what_it_is() -> None:
    s = example()
    assert isinstance(s, taeda.Tensor) and s.layout is taeda.sparse_coo and s.is_sparse and not s.is_sparse_csr
    assert (s.sparse_dim(), s.dense_dim(), s._nnz(), s.numel(), s.ndim) == (2, 0, 3, 6, 2)
    assert s.shape == (2, 3) and s.dtype is taeda.float32 and s.device == taeda.device("cpu") and s.type() == "taeda.sparse.FloatTensor"
    assert repr(s) == ("tensor(indices=tensor([[0, 1, 1],\n                       [2, 0, 2]]),\n       values=tensor([3., 4., 5.]),\n"
                       "       size=(2, 3), nnz=3, layout=taeda.sparse_coo)")
    assert repr(s.coalesce().to_sparse_csr()) == (
        "tensor(crow_indices=tensor([0, 1, 3]),\n       col_indices=tensor([2, 0, 2]),\n"
        "       values=tensor([3., 4., 5.]), size=(2, 3), nnz=3,\n       layout=taeda.sparse_csr)")


def test_indices_and_values_are_checked() -> None:
    with pytest.raises(RuntimeError, match=r"len\(size\) == sparse_dim \+ dense_dim"):
        taeda.sparse_coo_tensor(INDICES, VALUES, (2, 3, 4))
    with pytest.raises(RuntimeError, match="must have same nnz"):
        taeda.sparse_coo_tensor(INDICES, VALUES[:2], (2, 3))
    with pytest.raises(RuntimeError, match="size is inconsistent with indices"):
        taeda.sparse_coo_tensor(INDICES, VALUES, (2, 2), check_invariants=True)
    with taeda.sparse.check_sparse_tensor_invariants(), pytest.raises(RuntimeError, match="is not satisfied"):
        taeda.sparse_csr_tensor([0, 1, 3], [2, 0, 5], VALUES, (2, 3))
    with pytest.raises(RuntimeError, match="uncoalesced"):
        example().indices()
    outside = taeda.sparse_coo_tensor(INDICES, VALUES, (2, 2))
    for use in (outside.to_dense, lambda: outside @ taeda.ones(2, 2), lambda: taeda.ones(2, 2) + outside):
        with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
            use()
    for start in ([0, 1, 4], [0, 3, 1], [1, 2, 3], [0, 3]):
        with pytest.raises(RuntimeError):
            _ = taeda.sparse_csr_tensor(start, [2, 0, 2], VALUES, (2, 3)) @ taeda.ones(3, 2)


def test_vectors_are_stacked_and_given_dimensions() -> None:
    x = taeda.tensor([0.0, 2.0, 3.0])
    a = x.to_sparse()
    for name in ("vstack", "hstack", "dstack", "column_stack"):
        assert getattr(taeda, name)([a, a]).to_dense().equal(getattr(taeda, name)([x, x]))
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        assert getattr(taeda, name)(a).to_dense().equal(getattr(taeda, name)(x))
        assert [s.shape for s in getattr(taeda, name)(a, a)] == [s.shape for s in getattr(taeda, name)(x, x)]
    with pytest.raises(RuntimeError, match="a dense tensor was found at position 1"):
        taeda.vstack([a, x])


def test_what_is_there_is_filled_in_compressed_layouts_alone() -> None:
    a = taeda.tensor([[0.0, 2.0], [3.0, 0.0]]).to_sparse_csr()
    assert a.fill_(7) is a and a.to_dense().tolist() == [[0, 7], [7, 0]]
    with pytest.raises(NotImplementedError, match="fill_"):
        a.to_sparse().fill_(7)


@pytest.mark.parametrize("name", ["to_sparse_bsr", "to_sparse_bsc"])
def test_the_size_of_a_block_is_one_number_or_two(name: str) -> None:
    x = taeda.eye(4)
    one, two = getattr(x, name)(2), getattr(x, name)((2, 2))
    assert one.values().shape == two.values().shape == (2, 2, 2) and taeda.equal(one.to_dense(), x)
    for block, error, text in (((2,), RuntimeError, "tuple of size 2, but got 1"), ((2, 2, 2), RuntimeError, "but got 3"), ("ab", TypeError, "'ab'"),
                               ((2.0, 2), TypeError, "must be an int"), ((0, 1), RuntimeError, "positive"), (-1, RuntimeError, "positive"),
                               (2**64, RuntimeError, "divisible"), ((3, 3), RuntimeError, "divisible")):  # fmt: skip
        with pytest.raises(error, match=text) as caught:
            getattr(x, name)(block)
        assert str(caught.value).startswith(f"[{name}]")


@pytest.mark.parametrize("layout", [taeda.sparse_coo, taeda.sparse_csr, taeda.sparse_csc, taeda.sparse_bsr, taeda.sparse_bsc])
@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.int64, taeda.bool, taeda.complex64, taeda.float16])
def test_dense_there_and_back(layout: Any, dtype: Any) -> None:
    x = taeda.tensor([[0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 5, 1]]).to(dtype)
    s = x.to_sparse(layout=layout, **({"blocksize": (2, 2)} if layout in (taeda.sparse_bsr, taeda.sparse_bsc) else {}))
    assert s.layout is layout and s.to_dense().equal(x) and s.to_sparse().to_dense().equal(x) and s.dtype is dtype
    assert s.transpose(0, 1).to_dense().equal(x.t()) and (s.to_sparse() * 2 if dtype is not taeda.bool else s).to_dense().equal(
        x * 2 if dtype is not taeda.bool else x)


def test_batches_of_compressed_matrices_there_and_back() -> None:
    x = taeda.tensor([[[0.0, 2.0], [3.0, 0.0]], [[0.0, 0.0], [1.0, 5.0]]])
    for layout in (taeda.sparse_csr, taeda.sparse_csc):
        s = x.to_sparse(layout=layout)
        assert s.shape == x.shape and s.values().shape == (2, 2) and s.to_dense().equal(x)
        assert s[1].layout is layout and s[1].to_dense().equal(x[1]) and s.to_sparse().to_dense().equal(x)
        assert (s + x).equal(x + x) and (s @ x).equal(x @ x) and (s * 2).to_dense().equal(x * 2)
        assert s.transpose(1, 2).to_dense().equal(x.mT) and s.to_sparse_csr().to_dense().equal(x)
        assert taeda.zeros_like(s).to_dense().equal(taeda.zeros(2, 2, 2)) and taeda.ones_like(s).to_dense().equal((x != 0).float())
        with pytest.raises(RuntimeError, match="rows and columns can be exchanged"):
            s.transpose(0, 1)
    values = taeda.arange(4.0).reshape(2, 2).requires_grad_()
    s = taeda.sparse_csr_tensor([[0, 1, 2], [0, 0, 2]], [[1, 0], [0, 1]], values, (2, 2, 2), check_invariants=True)
    (s @ x).sum().backward()
    assert values.grad.tolist() == [[3.0, 2.0], [0.0, 6.0]]
    with pytest.raises(RuntimeError, match="all batch dimensions"):
        taeda.sparse_csr_tensor([0, 1, 2], [[1, 0], [0, 1]], values, (2, 2, 2), check_invariants=True)


def test_compressed_matrices_of_vectors() -> None:
    h = taeda.sparse_csr_tensor([0, 1, 3], [0, 0, 1], taeda.arange(6.0).reshape(3, 2), (2, 2, 2), check_invariants=True)
    assert h.dense_dim() == 1 and h.to_dense().tolist() == [[[0.0, 1.0], [0.0, 0.0]], [[2.0, 3.0], [4.0, 5.0]]]
    assert (h * 2).to_dense().equal(h.to_dense() * 2) and h.to_sparse().to_dense().equal(h.to_dense())


# -- against dense ---------------------------------------------------------------------------------


def test_what_is_as_asked_already_is_given_back() -> None:
    s = taeda.eye(3).to_sparse()
    assert s.float() is s and s.to("cpu") is s and s.to(taeda.float32) is s
    assert s.double() is not s and s.to("cpu", copy=True) is not s


def test_a_sum_with_a_dense_tensor_is_recorded_where_something_is_differentiated() -> None:
    x, s = taeda.ones(3, 3), taeda.eye(3).to_sparse()
    assert (x + s).grad_fn is None and (x + s).tolist() == (x + taeda.eye(3)).tolist()
    assert (x + s.requires_grad_()).grad_fn is not None
    with taeda.no_grad():
        assert (x + s).grad_fn is None


def test_rows_are_picked_by_indices_from_both_ends() -> None:
    s = taeda.arange(9.0).reshape(3, 3).to_sparse()
    assert s.index_select(0, taeda.tensor([-1, 0])).to_dense().tolist() == [[6, 7, 8], [0, 1, 2]]
    assert s.index_select(0, taeda.tensor([], dtype=taeda.int64)).shape == (0, 3)
    for wrong in (3, -4):
        with pytest.raises(IndexError, match="out of range"):
            s.index_select(0, taeda.tensor([wrong]))


@settings(max_examples=60, deadline=None)
@given(s=tensors())
def test_coalesce_sorts_and_sums(s: Any) -> None:
    c = s.coalesce()
    places = [tuple(p) for p in c.indices().t().tolist()]
    assert places == sorted(set(places)) and c.to_dense().tolist() == dense(s) == s.to_dense().tolist()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_sums_and_products_are_those_of_dense_tensors(data: Any) -> None:
    a = data.draw(tensors())
    b = data.draw(tensors(tuple(a.shape)))
    x, y = a.to_dense(), b.to_dense()
    assert (a + b).to_dense().equal(x + y) and (a - b).to_dense().equal(x - y) and (x + b).equal(x + y) and (x - b).equal(x - y)
    assert (a * b).to_dense().equal(x * y) and (a * y).to_dense().equal(x * y) and (a / 2).to_dense().equal(x / 2)
    assert (a @ b.t()).to_dense().equal(x @ y.t()) and (a @ y.t()).equal(x @ y.t()) and (x @ b.t()).equal(x @ y.t())
    assert a.sum(0).to_dense().equal(x.sum(0)) and taeda.sparse.sum(a, 1).to_dense().equal(x.sum(1)) and a.sum().equal(x.sum())
    csr = a.to_sparse_csr()
    assert (csr @ y.t()).equal(x @ y.t()) and (csr + b.to_sparse_csr()).to_dense().equal(x + y)
    i = data.draw(st.lists(st.integers(-x.shape[1], x.shape[1] - 1), max_size=4))
    assert a.index_select(1, taeda.tensor(i, dtype=taeda.int64)).to_dense().equal(x.index_select(1, taeda.tensor(i, dtype=taeda.int64) % x.shape[1]))
    assert a[x.shape[0] - 1].to_dense().equal(x[-1]) and taeda.cat([a, b], 1).to_dense().equal(taeda.cat([x, y], 1))
    for name in ("vstack", "hstack", "dstack", "column_stack"):
        assert getattr(taeda, name)([a, b]).to_dense().equal(getattr(taeda, name)([x, y]))
    assert taeda.stack([a, b], 2).to_dense().equal(taeda.stack([x, y], 2)) and (-a).abs().sin().to_dense().allclose((-x).abs().sin())


def test_hybrid_tensors() -> None:
    h = taeda.sparse_coo_tensor([[0, 1, 1]], taeda.arange(6.0).reshape(3, 2), (3, 2))
    assert h.to_dense().tolist() == [[0, 1], [6, 8], [0, 0]] and (h.sparse_dim(), h.dense_dim()) == (1, 1)
    assert h[1].tolist() == [6, 8] and h.select(1, 0).to_dense().tolist() == [0, 6, 0] and h.sum(0).tolist() == [6, 9]
    assert (h + h).to_dense().tolist() == [[0, 2], [12, 16], [0, 0]] and taeda.cat([h, h], 1).to_dense().shape == (3, 4)


def test_softmax_is_among_the_elements_that_are_there() -> None:
    s = example()
    found = taeda.sparse.softmax(s, 1).to_dense()
    assert found[0].tolist() == [0, 0, 1] and found[1].tolist() == pytest.approx([1 / (1 + math.e), 0, 1 / (1 + 1 / math.e)])
    assert taeda.sparse.log_softmax(twice(), 0).values().tolist() == [0, 0]


# -- autograd --------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [
    lambda s: s.to_dense(), lambda s: s * 2 + s, lambda s: s * s, lambda s: s.sin(), lambda s: taeda.sparse.sum(s, 0),
    lambda s: taeda.sparse.mm(s, taeda.arange(12.0, dtype=taeda.float64).reshape(3, 4)), lambda s: taeda.sparse.softmax(s, 1),
    lambda s: taeda.sparse.mm(s, s.t()), lambda s: taeda.cat([s, s.t().t()]), lambda s: s.index_select(0, taeda.tensor([1, 1])),
    lambda s: s[1], lambda s: s.coalesce().values() ** 2, lambda s: taeda.eye(2, dtype=taeda.float64) @ s, lambda s: s.norm(),
    lambda s: taeda.ones(2, 3, dtype=taeda.float64) + s, lambda s: s * taeda.arange(3.0, dtype=taeda.float64),
])  # fmt: skip
def test_derivatives(function: Any) -> None:
    plain = example(dtype=taeda.float64)
    for s in (plain, *([plain.to_sparse_csr()] if _works(function, plain.to_sparse_csr()) else [])):
        s = s.detach().requires_grad_()
        assert taeda.autograd.gradcheck(function, (s,), masked=True) and taeda.autograd.gradgradcheck(*taeda.sparse.of_values(function, s))


def _works(function: Any, s: Any) -> bool:
    try:
        function(s)
    except (RuntimeError, NotImplementedError):
        return False
    return True


def test_gradients_of_leaves_are_sparse_where_pytorchs_are() -> None:
    s = twice().requires_grad_()
    (s.to_dense() * taeda.arange(6.0).reshape(2, 3)).sum().backward()
    assert s.grad.is_sparse and s.grad.indices().tolist() == [[0, 1], [2, 0]] and s.grad.values().tolist() == [2, 3]
    s = example(requires_grad=True)
    taeda.sparse.mm(s, taeda.ones(3, 4)).sum().backward()
    assert s.grad.is_sparse and s.grad.values().tolist() == [4, 4, 4]
    s = example(requires_grad=True)
    taeda.mm(s, taeda.ones(3, 4)).sum().backward()
    assert s.grad.layout is taeda.strided and s.grad.tolist() == [[4, 4, 4], [4, 4, 4]]
    (found,) = taeda.autograd.grad(taeda.sparse.sum(s * 2), s)
    assert found.is_sparse and found.to_dense().tolist() == [[0, 0, 2], [2, 0, 2]]
    s.register_hook(lambda g: g * 10)
    s.grad = None
    taeda.sparse.sum(s).backward()
    assert s.grad.to_dense().tolist() == [[0, 0, 10], [10, 0, 10]]


def test_gradients_go_through_values() -> None:
    v = taeda.tensor(VALUES, requires_grad=True)
    s = taeda.sparse_coo_tensor([[1, 0, 1], [0, 2, 0]], v, (2, 3))
    assert not s.is_leaf and s.requires_grad
    (taeda.spmm(s, taeda.arange(6.0).reshape(3, 2)) + taeda.spmm(s * 2, taeda.ones(3, 2))).sum().backward()
    assert v.grad.tolist() == [5, 13, 5]
    x = taeda.tensor([[0.0, 2.0], [3.0, 0.0]], requires_grad=True)
    taeda.sparse.sum(x.to_sparse() * 3).backward()
    assert x.grad.tolist() == [[0, 3], [3, 0]]


def test_writes_in_place_are_recorded_or_refused() -> None:
    v = taeda.tensor(VALUES, requires_grad=True)
    s = taeda.sparse_coo_tensor(INDICES, v, (2, 3))
    s.mul_(2).add_(example())
    s.to_dense().sum().backward()
    assert v.grad.tolist() == [2, 2, 2] and s.detach().to_dense().tolist() == [[0, 0, 9], [12, 0, 15]]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        example(requires_grad=True).mul_(2)


def test_sparse_gradients_of_tables_add_up() -> None:
    w = taeda.ones(5, 2, requires_grad=True)
    (ops.embedding(taeda.tensor([1, 3, 1]), w, sparse=True) * 2).sum().backward()
    assert w.grad.is_sparse and w.grad._indices().tolist() == [[1, 3, 1]]
    (ops.embedding(taeda.tensor([3]), w, sparse=True) ** 2).sum().backward()
    assert w.grad.is_sparse and w.grad.to_dense()[:, 0].tolist() == [0, 4, 0, 4, 0]
    w.sum().backward()
    assert w.grad.layout is taeda.strided and w.grad[:, 1].tolist() == [1, 5, 1, 5, 1]
    w.grad = None
    (w * 3 + 0).sum().backward()
    ops.embedding(taeda.tensor([3]), w, sparse=True).sum().backward()
    assert w.grad[:, 0].tolist() == [3, 3, 3, 4, 3]
    w.grad = None
    (ops.embedding(taeda.tensor([0]), w, sparse=True).sum() + w.sum()).backward()        # both kinds in one pass
    assert w.grad[:, 0].tolist() == [2, 1, 1, 1, 1]
    w.grad = None
    (ops.embedding(taeda.tensor([[0, 1]]), w, padding_idx=1, sparse=True) ** 2).sum().backward()
    assert w.grad._indices().tolist() == [[0]]
    w.grad, index = None, taeda.tensor([0, 1])
    ops.embedding(index, w, sparse=True).sum().backward()
    index[0] = 4                                             # the caller's own, not the gradient's
    assert w.grad._indices().tolist() == [[0, 1]]
    with pytest.raises(RuntimeError, match="scale_grad_by_freq not supported"):
        ops.embedding(taeda.tensor([0]), w, scale_grad_by_freq=True, sparse=True).sum().backward()


def test_the_sparse_gradient_of_a_number_that_was_gathered_often() -> None:
    x = taeda.tensor(2.0, requires_grad=True)
    taeda.gather(x, 0, taeda.zeros(3, dtype=taeda.int64), sparse_grad=True).sum().backward()
    assert x.grad.is_sparse and x.grad._nnz() == 3 and x.grad.to_dense().item() == 3.0


# -- nothing takes one by mistake ------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_every_function_answers_or_refuses() -> None:
    """Each public operation, called with sparse tensors in the places of dense ones, gives a right result or an exception."""
    s = example()
    refused = 0
    for name, function in ops.PUBLIC.items():
        if name in ("manual_seed", "set_printoptions") or not callable(function):
            continue
        for args in ((s,), (s, s), (s, 1), (s.to_dense(), s), ([s, s],), (s, taeda.eye(3)), (s, s, s)):
            try:
                found = function(*args)
            except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, AssertionError, AttributeError, KeyError):
                refused += 1
                continue
            for x in found if isinstance(found, (tuple, list)) else (found,):
                if isinstance(x, taeda.Tensor):
                    assert "tensor(" in repr(x) and (x.layout is not taeda.strided or x.tolist() is not None), name
    assert refused > 500


@pytest.mark.parametrize("use", [
    lambda s: s.data_ptr(), lambda s: s.numpy(), lambda s: s.tolist(), lambda s: s.item(), lambda s: s.storage(), lambda s: s.untyped_storage(),
    lambda s: memoryview(s), lambda s: taeda.to_dlpack(s), lambda s: s.__array__(), lambda s: s.view(6), lambda s: s.exp(), lambda s: s + 1,
    lambda s: s == s, lambda s: taeda.where(s.to_dense() > 0, s, s), lambda s: s[0:1], lambda s: s.contiguous(), lambda s: s.as_strided((1,), (1,)),
    lambda s: ops.fused_sgd_([s.to_dense()], [s], lr=0.1, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False,
                             first_step=False),
    lambda s: taeda.zeros(2, 3).copy_(s), lambda s: s.softmax(1), lambda s: taeda.zeros(2, 3).__setitem__(0, s), lambda s: taeda.zeros(3)[s],
])  # fmt: skip
def test_what_has_no_memory_gives_none(use: Any) -> None:
    with pytest.raises((RuntimeError, TypeError, NotImplementedError, BufferError, IndexError)):
        use(example())


def test_a_switch_that_turns_overriding_off_meets_no_kernel() -> None:
    with taeda.overrides.DisableTorchFunctionSubclass():
        for use in (lambda: taeda.sin(example()), lambda: example() + 1, lambda: taeda.ones(2, 3) * example()):
            with pytest.raises((RuntimeError, NotImplementedError)):
                use()


# -- copies and files ------------------------------------------------------------------------------


def test_copies_and_files() -> None:
    for s in (example(), twice().coalesce(), example().to_sparse_csr(), taeda.ones(4, 4).to_sparse_bsc((2, 2))):
        for t in (copy.deepcopy(s), pickle.loads(pickle.dumps(s)), _saved(s)):
            assert repr(t) == repr(s) and t._values().data_ptr() != s._values().data_ptr()
    leaf = example(requires_grad=True)
    assert copy.deepcopy(leaf).requires_grad and copy.deepcopy(leaf) is not leaf
    taeda.testing.assert_close(example(), example().coalesce())
    with pytest.raises(AssertionError, match="Sparse COO values are not close"):
        taeda.testing.assert_close(example(), example() * 2)
    with pytest.raises(AssertionError, match="'layout' do not match"):
        taeda.testing.assert_close(example(), example().to_dense())


def _saved(s: Any) -> Any:
    file = io.BytesIO()
    taeda.save([s], file)
    file.seek(0)
    return taeda.load(file)[0]


def test_a_file_whose_indices_are_not_within_the_sizes_is_refused() -> None:
    file = io.BytesIO()
    taeda.save(taeda.sparse_coo_tensor(INDICES, VALUES, (2, 2)), file)
    file.seek(0)
    with pytest.raises(Exception, match="size is inconsistent with indices"):
        taeda.load(file)


def test_powers_are_of_float64_and_promotion_goes_by_the_values() -> None:
    s = taeda.sparse_coo_tensor([[0, 2]], [2, 3], (3,))
    assert s.float_power(-1).to_dense().tolist() == [0.5, 0, 1 / 3] and s.float_power(2).dtype == taeda.float64
    assert taeda.result_type(s, 2.5) == taeda.float32 and taeda.result_type(taeda.ones(2, dtype=taeda.float64), s) == taeda.float64


def test_a_mode_sees_what_a_sparse_tensor_is_asked() -> None:
    class Seen(taeda.overrides.TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(func)
            return func(*args, **(kwargs or {}))

    seen: list[Any] = []
    s = example().coalesce()
    with Seen():
        assert s._nnz() == 3 and s.is_coalesced() and s.coalesce() is s and s.indices().shape == (2, 3)
    T = taeda.Tensor
    assert seen[:4] == [T._nnz, T.is_coalesced, T.coalesce, T.indices]
    assert T._nnz(s) == s._nnz() == 3 and type(s)._nnz is T._nnz
    with pytest.raises(TypeError, match=r"_nnz"):
        s._nnz(1)


def test_indices_that_are_written_to_are_read_again() -> None:
    s = taeda.tensor([[0.0, 2, 0], [3, 0, 4]]).to_sparse_csr()
    assert s.to_dense().tolist() == [[0, 2, 0], [3, 0, 4]] and (s.to_sparse_coo().indices().tolist()) == [[0, 1, 1], [1, 0, 2]]
    s.col_indices()[0] = 2
    assert s.to_dense().tolist() == [[0, 0, 2], [3, 0, 4]] and s.to_sparse_coo().indices().tolist() == [[0, 1, 1], [2, 0, 2]]


@pytest.mark.parametrize("lines", [3, 5000])
def test_softmax_of_few_entries_among_many_lines(lines: int) -> None:
    s = taeda.sparse_coo_tensor([[0, lines - 1, 2, 2], [1, 0, 0, 1]], [1.0, 2.0, 3.0, 4.0], (lines, 2), dtype=taeda.float64)
    e = math.exp(1)
    want = {(0, 1): 1.0, (2, 0): 1 / (1 + e), (2, 1): e / (1 + e)} if lines > 3 else {
        (0, 1): 1.0, (2, 0): math.exp(5) / (math.exp(5) + math.exp(4)), (2, 1): math.exp(4) / (math.exp(5) + math.exp(4))}
    for found in (taeda.sparse.softmax(s, 1), taeda.sparse.log_softmax(s, 1)):
        held = found.values().exp() if found.values().max() <= 0 else found.values()
        for place, value in zip(found.indices().t().tolist(), held.tolist(), strict=True):
            assert value == pytest.approx(want.get(tuple(place), 1.0))


def test_zero_leaves_no_entries_and_no_gradient_and_is_counted():
    v = taeda.ones(2, requires_grad=True)
    s = taeda.sparse_coo_tensor(taeda.tensor([[0, 1]]), v.detach(), (3,))
    assert s.zero_().zero_() is s and s._version == 2 and s._nnz() == 0 and s.is_coalesced() and s.shape == (3,)
    s = taeda.sparse_coo_tensor(taeda.tensor([[0, 1]]), v, (3,)) * 1
    s.zero_()
    assert s.requires_grad and type(s.grad_fn).__name__ == "ZeroBackward0"
    (s.to_dense().sum() + v.sum() * 2).backward()
    assert v.grad.tolist() == [2.0, 2.0]


def test_nothing_is_assigned_to_a_sparse_tensor() -> None:
    for s in (taeda.eye(2).to_sparse(), taeda.eye(2).to_sparse_csr()):
        with pytest.raises(TypeError, match="Cannot assign to a sparse tensor"):
            s[0] = 1
    with pytest.raises(RuntimeError, match="negative dimension -3"):
        taeda.sparse_coo_tensor([[0, 1]], [1.0, 2.0], (-3,))


def test_a_tensor_like_a_sparse_one_has_no_memory_format() -> None:
    s = taeda.eye(3).to_sparse()
    for f in (taeda.empty_like, taeda.zeros_like):
        assert f(s, memory_format=None).is_sparse and f(s.to_sparse_csr(), memory_format=taeda.contiguous_format)._nnz() == 0
        assert f(s, memory_format=taeda.preserve_format, layout=taeda.strided).layout is taeda.strided
        with pytest.raises(RuntimeError, match="memory format option is only supported by strided tensors"):
            f(s, memory_format=taeda.preserve_format)


def test_zeros_like_a_compressed_tensor_in_coordinates_keep_its_dense_dimensions() -> None:
    for behind, expected in ((0, (3, 0)), (1, (2, 1))):
        made = taeda.zeros_like(taeda.ones(2, 3, 2).to_sparse_csr(dense_dim=behind), layout=taeda.sparse_coo)
        assert (made.sparse_dim(), made.dense_dim()) == expected and made.shape == (2, 3, 2)


def test_new_makes_a_tensor_of_the_same_layout() -> None:
    made = example(dtype=taeda.float64).new(4, 5)
    assert made.layout is taeda.sparse_coo and made.shape == (4, 5) and made._nnz() == 0 and made.dtype is taeda.float64


def test_transpositions_in_place() -> None:
    s = taeda.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    x = s.to_dense()
    for turn in (lambda t: t.t_(), lambda t: t.transpose_(0, 1), lambda t: t.swapaxes_(-1, 0)):
        y = s.clone()
        assert turn(y) is y and y.shape == (3, 2) and taeda.equal(y.to_dense(), x.T)
    assert taeda.equal(s.permute(dims=(1, 0)).to_dense(), x.T)
    leaf = s.clone().requires_grad_()
    (leaf * 1).t_().to_dense()[2].sum().backward()
    assert leaf.grad.to_dense()[:, 2].tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="in-place transposition is not supported for layout taeda.sparse_csr"):
        s.coalesce().to_sparse_csr().t_()


def test_nothing_has_any_number_of_sparse_dimensions_in_a_sum() -> None:
    x = taeda.arange(24.0).reshape(2, 3, 4)
    nothing = taeda.zeros(2, 3, 4).to_sparse()
    for y in (nothing + x.to_sparse(2), x.to_sparse(2) + nothing, x.to_sparse(2) - nothing):
        assert taeda.equal(y.to_dense(), x)
    assert taeda.equal((nothing - x.to_sparse(1)).to_dense(), -x)
    with pytest.raises(RuntimeError, match="same number of sparse dimensions"):
        x.to_sparse(2) + x.to_sparse()


def test_a_number_is_the_value_of_one_element() -> None:
    assert taeda.sparse_coo_tensor([[1]], 3.0, (2,)).to_dense().tolist() == [0.0, 3.0]
    assert taeda.sparse_coo_tensor(taeda.zeros(0, 1).long(), 3.0, ()).to_dense().item() == 3.0
    with pytest.raises(RuntimeError, match="same nnz"):
        taeda.sparse_coo_tensor(taeda.zeros(1, 0).long(), taeda.tensor(3.0), (2,))


def test_tensors_in_the_likeness_of_sparse_ones() -> None:
    s = taeda.eye(3, dtype=taeda.float64).to_sparse()
    y = s.new(taeda.tensor([[0], [1]]), taeda.tensor([2.0]), (3, 3))
    assert y.dtype is taeda.float64 and y.to_dense()[0, 1] == 2 and s.new(taeda.tensor([[0]]), taeda.tensor([2.0])).shape == (1,)
    assert taeda.zeros(1, 2).to_sparse().resize_as_(s).shape == (3, 3)
    r = taeda.randn_like(s.to_sparse_csr())
    assert r.layout is taeda.sparse_csr and r.dtype is taeda.float64 and r._nnz() == 3 and r.values().std() > 0
    with pytest.raises(NotImplementedError, match="normal_"):
        taeda.randn_like(s)


@pytest.mark.parametrize("dense_dims", [0, 1])
def test_a_dense_factor_of_more_dimensions_repeats_the_sparse_one(dense_dims: int) -> None:
    x = taeda.tensor([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]]) if dense_dims == 0 else taeda.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    d = taeda.arange(36.0).reshape(3, 2, 2, 3)
    s = x.to_sparse(2 - dense_dims).requires_grad_()
    for factor in (d, d[0], d[:, :, :, :1]):
        for y in (s * factor, factor * s):
            assert y.shape == factor.shape[:-1] + (3,) and y.layout == taeda.sparse_coo and y.sparse_dim() == factor.ndim - dense_dims
            assert y.is_coalesced() and taeda.equal(y.to_dense(), x * factor)
    (s * d).to_dense().sum().backward()
    assert taeda.equal(s.grad.to_dense(), taeda.where(x.any(-1, keepdim=True).expand(2, 3) if dense_dims else x != 0, d.sum((0, 1)), 0.0))


@pytest.mark.parametrize("offsets", [taeda.tensor([0], dtype=taeda.int32), taeda.tensor([0.0]), taeda.tensor([[0]])])
def test_diagonals_are_numbered_by_a_vector_of_int64(offsets: taeda.Tensor) -> None:
    with pytest.raises(RuntimeError, match="Offsets must be a scalar or a vector of int64"):
        taeda.sparse.spdiags(taeda.ones(1, 3), offsets, (3, 3))


def test_a_zero_without_dimensions_has_no_entry() -> None:
    zero, one = taeda.tensor(0.0, requires_grad=True), taeda.tensor(1.0)
    assert zero.to_sparse()._nnz() == 0 and zero.to_sparse().to_dense().item() == 0 and one.to_sparse()._nnz() == 1
    zero.to_sparse().to_dense().backward()
    assert zero.grad.item() == 0 and one.to_sparse().to_dense().item() == 1        # what has no entry gets no gradient


def test_new_makes_tensors_of_its_layout() -> None:
    s = taeda.eye(3).to_sparse()
    assert [t.shape for t in (s.new(), s.new(device="cpu"), s.new(2, 3, device="cpu"), s.new(taeda.Size([2, 2])))] == [(0,), (0,), (2, 3), (2, 2)]
    assert all(t.is_sparse and t._nnz() == 0 and t.dtype is s.dtype for t in (s.new(), s.new(2, 3, device="cpu")))
    assert s.new(size=(5, 1)).shape == (5, 1)
    assert s.new(s._indices(), s._values() * 2, (4, 4), device="cpu").to_dense().sum() == 6
    with pytest.raises(TypeError, match=r"SparseTensor.new\(sequence\) only accepts sizes"):
        s.new([1, 2])
    with pytest.raises(TypeError, match=r"invalid combination of arguments"):
        s.new(taeda.ones(2))
    with pytest.raises(RuntimeError, match="legacy constructor expects device type: cpu but device type: meta"):
        s.new(device="meta")


@pytest.mark.parametrize("name", ["zeros", "empty"])
def test_out_of_what_has_no_entries(name: str) -> None:
    s = taeda.eye(3).to_sparse()
    assert getattr(taeda, name)(2, 3, out=s) is s and s.shape == (2, 3) and s._nnz() == 0
    assert getattr(taeda, name)((4,), out=s).shape == (4,) and s.to_dense().tolist() == [0.0] * 4
    with pytest.raises(RuntimeError, match="does not match dtype of out"):
        getattr(taeda, name)(2, dtype=taeda.float64, out=s)


def test_a_sum_over_all_dimensions_has_the_gradient_of_a_sum() -> None:
    for call in (lambda s: s.sum(), lambda s: s.sum((0, 1)), lambda s: s.sum((-1, 0), keepdim=True)):
        s = taeda.tensor([[0.0, 2.0], [3.0, 4.0]]).to_sparse().requires_grad_()
        y = call(s)
        y.backward(taeda.full_like(y, 5.0))
        assert y.layout is taeda.strided and y.sum().item() == 9 and s.grad.layout is taeda.strided and s.grad.tolist() == [[5, 5], [5, 5]]


def test_sums_of_integer_rows_are_int64() -> None:
    s = taeda.tensor([[1, 0, 2], [0, 3, 0]], dtype=taeda.int16).to_sparse_csr().sum(1, keepdim=True)
    assert s.dtype is taeda.int64 and s.to_dense().tolist() == [[3], [3]]


def test_sizes_whose_places_64_bits_cannot_count_are_refused() -> None:
    at = taeda.tensor([[100000, 99999]] * 4)
    assert taeda.sparse_coo_tensor(at[:3], [1.0, 2.0], (100001,) * 3).coalesce().indices().tolist() == [[99999, 100000]] * 3
    for call in (lambda: taeda.sparse_coo_tensor(at, [1.0, 2.0], (100001,) * 4), lambda: taeda.sparse_coo_tensor(size=(100001,) * 4)):
        with pytest.raises(RuntimeError, match="numel: integer multiplication overflow"):
            call()


def test_a_sparse_out_may_require_grad_and_the_older_constructors_warn() -> None:
    for make in (taeda.zeros, taeda.empty):
        out = taeda.ones(2, 3).to_sparse()
        assert make((2, 3), out=out, requires_grad=True) is out and out.requires_grad and out._nnz() == 0
    with pytest.warns(UserWarning, match=r"sparse.SparseTensor\(shape, \*, device=\) is deprecated.  Please use taeda.sparse_coo_tensor"):
        assert taeda.sparse.DoubleTensor(2, 3).shape == (2, 3)
    with pytest.warns(UserWarning, match=r"sparse.SparseTensor\(indices, values, shape"):
        assert taeda.sparse.FloatTensor(taeda.tensor([[0], [1]]), taeda.tensor([2.0]), taeda.Size([2, 2])).to_dense().tolist() == [[0, 2], [0, 0]]
        s = taeda.sparse.FloatTensor(taeda.tensor([[0], [1]]), taeda.tensor([2.0], dtype=taeda.float64), taeda.Size([2, 2]))
        assert s.dtype is taeda.float64 and s.to_dense().tolist() == [[0, 2], [0, 0]]    # values keep their dtype


@pytest.mark.parametrize(("layout", "block", "size"), [
    ("sparse_csr", (), (2, 4)), ("sparse_csc", (), (4, 2)), ("sparse_bsr", (2, 1), (4, 4)), ("sparse_bsc", (2, 1), (8, 2)),
])
def test_a_size_that_is_worked_out_has_the_dense_dimensions(layout: str, block: tuple[int, ...], size: tuple[int, ...]) -> None:
    for behind in ((), (3,)):
        values = taeda.ones(2, *block, *behind)
        s = taeda.sparse_compressed_tensor(
            [0, 1, 2], [0, 3], values.tolist(), layout=getattr(taeda, layout), check_invariants=True)
        assert s.shape == (*size, *behind) and s.to_dense().sum() == values.sum()


def test_compressed_matrices_are_resized_and_conjugated_in_place() -> None:
    s = taeda.eye(3).to_sparse_csr()
    assert s.resize_(5, 4) is s and s.shape == (5, 4) and s.to_dense().equal(taeda.eye(5)[:, :4] * taeda.tensor([1.0, 1, 1, 0]))
    assert s.resize_((2, 4)).to_dense().equal(taeda.eye(2, 4)) and s._nnz() == 2
    assert taeda.eye(3).to_sparse_csc().resize_(3, 4).to_dense().equal(taeda.eye(3, 4))
    with pytest.raises(RuntimeError, match="Resizing columns of sparse CSR tensors to a smaller value is not supported"):
        s.resize_(2, 3)
    with pytest.raises(NotImplementedError, match=r"^\[resize_\]"):
        taeda.eye(3).to_sparse().resize_(4, 4)
    z = (taeda.eye(2) * (1 + 2j)).to_sparse_csr()
    assert z.resolve_conj() is z and z.conj_physical_() is z and z.values().tolist() == [1 - 2j, 1 - 2j]
    c = (taeda.eye(2) * (1 + 2j)).to_sparse()
    assert c.resolve_conj().to_dense().sum() == 2 + 4j and c.conj().to_dense().sum() == 2 - 4j


@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr", "to_sparse_csc"])
def test_the_gradient_of_a_transposed_leaf_is_that_of_the_leaf(layout: str) -> None:
    dense, right = taeda.tensor([[1.0, 2, 0], [0, 0, 3]]), taeda.arange(4.0).reshape(2, 2)
    s = getattr(dense, layout)().requires_grad_()
    (s.t() @ right).sum().backward()
    assert s.grad.layout is taeda.strided and s.grad.tolist() == [[1, 1, 1], [5, 5, 5]]          # dense, as that of s @ right
    s.grad = None
    (s.t() * 2).to_dense().sum().backward()
    assert s.grad.layout is s.layout and s.grad.to_dense().tolist() == [[2, 2, 0], [0, 0, 2]]
    assert s.t().t().to_dense().equal(dense) and type(s.t().grad_fn).__name__ == "TBackward0"


@pytest.mark.parametrize("layout", [taeda.sparse_coo, taeda.sparse_csr])
def test_sparse_tensors_of_inference_mode_compute_and_follow_writes(layout):
    with taeda.inference_mode():
        dense = taeda.tensor([[0.0, 0.0, 1.0], [2.0, 0.0, 3.0]])
        s = dense.to_sparse(layout=layout)
        assert (s @ taeda.ones(3)).tolist() == [1, 5] and taeda.equal(s.to_dense(), dense) and taeda.equal(s.t().to_dense(), dense.t())
        assert taeda.equal((s * s).to_dense(), dense * dense)
        if layout is taeda.sparse_coo:
            assert taeda.equal(taeda.ones(2, 3).add_(s), dense + 1) and taeda.sparse.sum(s, 0).to_dense().tolist() == [2, 0, 4]
            s._indices()[1, 0] = 0
            assert s.to_dense().tolist() == [[1, 0, 0], [2, 0, 3]]
    assert (s @ taeda.ones(3)).tolist() == [1, 5]

"""What rows cannot say of matrix products: threads, long sums, shared memory, graph names, meta tensors."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

SHAPES = [((64, 784), (784, 10)), ((200, 300), (300, 250)), ((12, 20000), (20000, 13)), ((1, 40000), (40000, 1)),
          ((3000, 70), (70,)), ((70,), (70, 3000)), ((30, 40, 50), (30, 50, 20)), ((300, 8, 9), (300, 9, 7)),
          ((20, 40, 50), (50, 60)), ((1 << 17,), (1 << 17,))]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_bits_do_not_depend_on_the_number_of_threads(a, b):
    rng = np.random.default_rng(0)
    x = taeda.from_numpy(rng.standard_normal(a, np.float32))
    y = taeda.from_numpy(rng.standard_normal(b, np.float32))
    assert_same_for_any_threads(lambda: x @ y)


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_float32_products_are_accurate(a, b):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(a, np.float32), rng.standard_normal(b, np.float32)
    exact = x.astype(np.float64) @ y.astype(np.float64)
    error = np.abs((taeda.from_numpy(x) @ taeda.from_numpy(y)).numpy() - exact).max()
    assert error <= 4e-7 * max(a[-1], 16) ** 0.5 * 8


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.int32, taeda.int64])
def test_integers_wrap_around_and_cut_factors_off(dtype):
    x = taeda.tensor([[200, 100], [3, 4]], dtype=dtype)
    want = x.numpy() @ x.numpy()
    assert (x @ x).tolist() == want.tolist()
    assert taeda.addmm(x, x, x, beta=2, alpha=3).tolist() == (2 * x.numpy() + 3 * want).tolist()
    assert taeda.addmm(x, x, x, beta=1.9, alpha=0.5).equal(x)           # fractions are cut off, as PyTorch does


def test_bool_has_no_product_and_says_so():
    x = taeda.ones(2, 2, dtype=taeda.bool)
    with pytest.raises(NotImplementedError, match=r"\[mm\] not implemented for 'Bool'.*float32"):
        x @ x


def test_products_of_nothing_are_zero_and_keep_the_summand():
    assert (taeda.ones(2, 0) @ taeda.ones(0, 3)).tolist() == [[0.0] * 3] * 2
    assert taeda.addmm(taeda.ones(3), taeda.ones(2, 0), taeda.ones(0, 3), beta=2).tolist() == [[2.0] * 3] * 2
    assert taeda.dot(taeda.ones(0), taeda.ones(0)).item() == 0
    x = taeda.ones(2, 3)
    assert x.addmm_(taeda.ones(2, 0), taeda.ones(0, 3), beta=2).tolist() == [[2.0] * 3] * 2


def test_a_zero_factor_hides_nan():
    nan = taeda.full((2, 2), float("nan"))
    assert taeda.addmm(nan, taeda.ones(2, 2), taeda.ones(2, 2), beta=0).tolist() == [[2.0, 2.0]] * 2
    assert nan.clone().addmm_(taeda.ones(2, 2), taeda.ones(2, 2), beta=0).tolist() == [[2.0, 2.0]] * 2


def test_nan_and_infinity_reach_the_result():
    x = taeda.zeros(3, 3)
    x[1, 1] = float("nan")
    y = (x @ taeda.zeros(3, 3)).isnan()
    assert y[1].all() and not y[0].any()
    assert taeda.mv(x, taeda.zeros(3)).isnan().tolist() == [False, True, False]


def test_expanded_and_overlapping_operands_are_read_right():
    row = taeda.tensor([1.0, 2.0, 3.0])
    assert (row.expand(2, 3) @ row.expand(4, 3).t()).tolist() == [[14.0] * 4] * 2
    windows = taeda.arange(6.0).unfold(0, 3, 1)
    assert (windows @ taeda.eye(3)).tolist() == windows.tolist()
    assert taeda.mv(taeda.eye(3), taeda.ones(1).expand(3)).tolist() == [1.0] * 3
    assert (row.flip(0) @ row).item() == 10


@pytest.mark.parametrize("name", ["addmm_", "addmv_", "baddbmm_", "addbmm_", "addr_"])
def test_in_place_products_may_read_what_they_write(name):
    rng = np.random.default_rng(2)
    shape = (2, 3, 3) if name == "baddbmm_" else (3,) if name == "addmv_" else (3, 3)
    x = taeda.from_numpy(rng.standard_normal(shape))
    other = taeda.from_numpy(rng.standard_normal((2, 3, 3) if "bmm" in name else (3, 3)))
    operands = {"addmm_": (x, other), "baddbmm_": (x, other), "addbmm_": (other, other), "addmv_": (other, x),
                "addr_": (x[0], x[1])}[name]
    want = getattr(x, name[:-1])(*operands, beta=0.5, alpha=2)
    assert getattr(x, name)(*operands, beta=0.5, alpha=2) is x
    assert taeda.allclose(x, want)


def test_a_sum_of_products_in_place_of_another_shape_takes_its_own():
    y = taeda.ones(2)
    assert y.addbmm_(taeda.ones(2, 2, 3), taeda.ones(2, 3, 2)) is y and y.tolist() == [[7.0, 7.0], [7.0, 7.0]]


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.int64])
def test_factors_that_are_true_or_false_are_for_outer_products_of_bools(dtype):
    v = taeda.ones(2, dtype=dtype)
    for name in ("alpha", "beta"):
        with pytest.raises(RuntimeError, match=rf"^\[addr\] Boolean {name} only supported for Boolean results"):
            taeda.addr(taeda.ones(2, 2, dtype=dtype), v, v, **{name: True})
    assert taeda.addr(taeda.zeros(2, 2).bool(), v.bool(), v.bool(), alpha=True).all()


def test_in_place_product_writes_a_transposed_or_strided_target():
    for target in (taeda.zeros(3, 2).t(), taeda.zeros(2, 6)[:, ::2], taeda.zeros(4, 3)[::2]):
        y = target.addmm_(taeda.ones(2, 4), taeda.ones(4, 3), alpha=0.5)
        assert y is target and y.tolist() == [[2.0] * 3] * 2


def test_in_place_product_refuses_a_leaf_and_an_expanded_target():
    a = taeda.ones(2, 2)
    with pytest.raises(RuntimeError, match="leaf"):
        taeda.ones(2, 2, requires_grad=True).addmm_(a, a)
    with pytest.raises(RuntimeError, match="single memory location"):
        taeda.ones(1, 2).expand(2, 2).addmm_(a, a)
    with pytest.raises(RuntimeError, match=r"\[addmm\] input must be expandable.*\(2,\)"):
        taeda.ones(2).addmm_(a, a)


def test_nodes_have_pytorchs_names():
    a, v = taeda.ones(2, 2, requires_grad=True), taeda.ones(2, requires_grad=True)
    b = taeda.ones(1, 2, 2, requires_grad=True)
    names = {"Mm": a @ a, "Mv": a @ v, "Dot": v @ v, "Bmm": taeda.bmm(b, b), "Addmm": taeda.addmm(a, a, a),
             "Addmv": taeda.addmv(v, a, v), "Baddbmm": taeda.baddbmm(b, b, b)}
    assert {k: y.grad_fn.name() for k, y in names.items()} == {k: k + "Backward0" for k in names}
    assert taeda.ops.linear(a, a, v).grad_fn.name() == "AddmmBackward0"


def test_only_what_a_gradient_needs_is_kept_alive():
    a, w = taeda.ones(2, 3), taeda.ones(3, 4, requires_grad=True)
    y = a @ w
    with taeda.no_grad():
        w += 1                                         # the gradient of w needs a alone
    y.sum().backward()
    assert w.grad.tolist() == [[2.0] * 4] * 3


def test_changing_a_saved_operand_is_noticed():
    a, w = taeda.ones(2, 3, requires_grad=True), taeda.ones(3, 4)
    y = a @ w
    w += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_shared_matrix_sums_its_gradient_over_the_batch():
    w = taeda.ones(3, 4, requires_grad=True, dtype=taeda.float64)
    x = taeda.arange(24.0, dtype=taeda.float64).reshape(2, 4, 3)
    (x @ w).sum().backward()
    assert taeda.equal(w.grad, x.sum((0, 1)).unsqueeze(1).expand(3, 4))
    w.grad = None
    (x.transpose(0, 1) @ w).sum().backward()
    assert taeda.equal(w.grad, x.sum((0, 1)).unsqueeze(1).expand(3, 4))


def test_meta_tensors_give_shapes_without_memory():
    a, b = taeda.empty(7, 1 << 20, device="meta"), taeda.empty(1 << 20, 5, device="meta")
    assert (a @ b).shape == (7, 5) and (a @ b).device.type == "meta"
    assert taeda.ops.linear(a, b.t(), taeda.empty(5, device="meta")).shape == (7, 5)
    assert taeda.einsum("ij,jk->ki", a, b).shape == (5, 7)
    with pytest.raises(RuntimeError, match="same device"):
        a @ taeda.ones(1 << 20, 5)


def test_einsum_takes_lists_of_labels():
    x, y = taeda.arange(6.0).reshape(2, 3), taeda.arange(12.0).reshape(3, 4)
    assert taeda.equal(taeda.einsum(x, [0, 1], y, [1, 2], [0, 2]), x @ y)
    assert taeda.equal(taeda.einsum(x, [0, 1], y, [1, 2]), x @ y)
    assert taeda.equal(taeda.einsum(x, [..., 1], y, [1, 2], [..., 2]), x @ y)
    assert taeda.equal(taeda.einsum("ij,jk", [x, y]), x @ y)
    with pytest.raises(ValueError, match=r"range \[0, 52\)"):
        taeda.einsum(x, [0, 60])


def test_einsum_of_integers_multiplies_in_their_dtype_and_sums_as_sum_does():
    x = taeda.tensor([[1, 2], [3, 4]], dtype=taeda.int32)
    assert taeda.einsum("ij,jk->ik", x, x).dtype == taeda.int32
    assert taeda.einsum("ij->", x).dtype == taeda.int64
    assert taeda.einsum("ij,kl,m->jl", x, x, x[0]).tolist() == [[48, 72], [72, 108]]


def test_a_batch_of_single_rows_may_have_any_stride_there():
    x, y = taeda.arange(8.0).reshape(2, 4, 1), taeda.arange(12.0).reshape(4, 3)
    assert x.mT.is_contiguous() and x.mT.stride() == (4, 1, 1)
    assert (x.mT @ y).tolist() == (x.reshape(2, 1, 4) @ y).tolist() == [[[42.0, 48.0, 54.0]], [[114.0, 136.0, 158.0]]]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int16", "uint8"])
@pytest.mark.parametrize("k", [2, 16, 33])
def test_a_batch_of_products_of_two_vectors(dtype: str, k: int) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 9, shape).astype(dtype) for shape in ((40000, 1, k), (40000, k, 1)))
    expected = (a * b.transpose(0, 2, 1)).sum(-1, keepdims=True, dtype=dtype)
    x, y = taeda.from_numpy(a), taeda.from_numpy(b)
    for u, v in ((x, y), (x.transpose(0, 2).contiguous().transpose(0, 2), y.transpose(0, 1).contiguous().transpose(0, 1))):
        np.testing.assert_array_equal(taeda.bmm(u, v).numpy(), expected)
        np.testing.assert_array_equal(taeda.bmm(u[::7], v[::7]).numpy(), expected[::7])
    np.testing.assert_array_equal(taeda.bmm(x[:1].expand_as(x), y).numpy(), (a[:1] * b.transpose(0, 2, 1)).sum(-1, keepdims=True, dtype=dtype))


@pytest.mark.parametrize("beta", [0, 1, 2])
@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
def test_with_alpha_0_inf_and_nan_of_the_factors_do_not_count(dtype, beta):
    a, b = taeda.full((30, 20), float("inf"), dtype=dtype), taeda.full((20, 8), float("nan"), dtype=dtype)
    s = taeda.rand(30, 8, dtype=dtype)
    if beta == 0:
        s[0, 0] = float("nan")
    expected = (s * beta if beta else taeda.zeros(30, 8, dtype=dtype)).tolist()
    for x, y in ((a, b), (a.t().contiguous().t(), b.t().contiguous().t())):
        assert taeda.addmm(s, x, y, alpha=0, beta=beta).tolist() == expected
        assert s.clone().addmm_(x, y, alpha=0, beta=beta).tolist() == expected
        assert taeda.addmv(s[:, 0], x, y[:, 0], alpha=0, beta=beta).tolist() == [row[0] for row in expected]
        assert taeda.baddbmm(s, x[None], y[None], alpha=0, beta=beta)[0].tolist() == expected
        assert taeda.addbmm(s, x[None], y[None], alpha=0, beta=beta).tolist() == expected
    assert taeda.addr(s[:2, :2], a[0, :2], b[:2, 0], alpha=0).isnan().all()

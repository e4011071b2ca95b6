"""The meta device: shapes, strides and dtypes without memory; every row of every op is in test_ops.py."""

from __future__ import annotations

import pytest

import taeda
from taeda import ops


def meta(*size: int) -> taeda.Tensor:
    return taeda.empty(*size, device="meta")


def test_a_tensor_of_a_terabyte_takes_no_memory() -> None:
    x = meta(1 << 20, 1 << 18)
    y = (x @ x.T[:, :5]).softmax(-1).sum(0)
    assert (y.shape, y.dtype, y.is_meta, y.data_ptr(), x.nbytes) == ((5,), taeda.float32, True, 0, 1 << 40)


def test_layers_and_losses_give_their_shapes() -> None:
    y = ops.conv2d(meta(8, 3, 32, 32), meta(16, 3, 3, 3), stride=2, padding=1)
    assert y.shape == (8, 16, 16, 16)
    assert ops.max_pool2d(y, 2).shape == (8, 16, 8, 8) and ops.linear(y.flatten(1), meta(10, 4096)).shape == (8, 10)
    assert ops.cross_entropy(meta(8, 10), taeda.empty(8, dtype=taeda.int64, device="meta")).shape == ()


def test_gradients_flow_without_data() -> None:
    w = taeda.empty(3, 4, device="meta", requires_grad=True)
    (w.exp() @ meta(4, 2)).sum().backward()
    assert w.grad.is_meta and w.grad.shape == (3, 4)


@pytest.mark.parametrize("read", [lambda x: x.item(), lambda x: x.tolist(), lambda x: x.numpy(), lambda x: x.to("cpu"), lambda x: bool(x), lambda x: taeda.zeros(1).copy_(x)])
def test_what_needs_data_is_refused(read) -> None:
    with pytest.raises((NotImplementedError, RuntimeError, TypeError), match="meta"):
        read(meta(1))


def test_shapes_are_checked_as_on_the_cpu() -> None:
    with pytest.raises(RuntimeError, match="size of tensor"):
        meta(2, 3) + meta(4)
    with pytest.raises(RuntimeError):
        meta(2, 3) @ meta(2, 3)
    with pytest.raises(RuntimeError, match="device"):
        meta(2) + taeda.zeros(2)


@pytest.mark.parametrize("source", [
    "linalg.ldl_solve(x, p, x)", "linalg.lu_solve(x, p, x)", "ormqr(x, m[0], x)", "linalg.householder_product(x, m[0])", "cdist(x, m)",
    "lerp(x, m, m)",
])  # fmt: skip
def test_a_kernel_is_not_given_what_has_no_data(source: str) -> None:
    names = {"x": taeda.eye(2), "m": taeda.eye(2, device="meta"), "p": taeda.tensor([1, 2], dtype=taeda.int32).to("meta")}
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        eval(f"taeda.{source}", {"taeda": taeda, **names})


def test_what_a_mask_points_at_can_be_written() -> None:
    x, rows = meta(3, 4), taeda.empty(3, dtype=taeda.bool, device="meta")
    for index, value in ((rows, 0), (rows, meta(4)), ((rows, 1), taeda.tensor(2.0)), ((slice(None), meta(4) > 0), meta(3, 1)), (x > 0, meta(5))):
        version = x._version
        x[index] = value
        assert x.shape == (3, 4) and x.is_meta and x._version == version + 1
    with pytest.raises(NotImplementedError, match="depends on the data"):
        x[rows]
    leaf = taeda.empty(3, 4, device="meta", requires_grad=True)
    y = leaf * 2
    y[rows] = 0
    assert y.grad_fn.name() in ("MaskedFillBackward0", "MaskedFillBackward1")
    y.sum().backward()
    assert leaf.grad.shape == (3, 4)


def test_a_number_of_the_cpu_stands_beside_a_meta_tensor() -> None:
    """As in PyTorch, whose tensors without dimensions count as numbers wherever they are."""
    n, x, m = taeda.tensor(2.0), meta(2, 3), taeda.empty((), device="meta")
    for y in (x + n, n * x, n.expand(()) - x, taeda.where(x > n, x, n), taeda.where(n > 1, x, n), x.clone().mul_(n), x.clamp(n, n), x.lerp(x, n)):
        assert y.is_meta and y.shape == (2, 3)
    assert (x == n).dtype is taeda.bool and (n / m).is_meta and (m ** n).shape == ()
    for call in (lambda: taeda.ones(2, 3) + m, lambda: m + taeda.ones(2, 3), lambda: n.clone().add_(m), lambda: taeda.ones(1) * meta(2)):
        with pytest.raises(RuntimeError, match=r"same device, but found at least two devices, (cpu and meta|meta and cpu)"):
            call()


def test_a_negative_output_size_of_repeat_interleave_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"^\[repeat_interleave\] Trying to create tensor with negative dimension -1"):
        meta(3).repeat_interleave(taeda.empty(3, dtype=taeda.int64, device="meta"), output_size=-1)


def test_gradients_of_views_whose_elements_overlap_need_no_data() -> None:
    for x, size, stride in ((meta(16), (3, 4), (1, 1)), (meta(1, 4).expand(5, 4), (2, 2), (1, 1))):
        leaf = x.detach().requires_grad_()
        assert taeda.autograd.grad(leaf.as_strided(size, stride).sum(), leaf)[0].shape == x.shape


def test_a_histogram_has_as_many_bins_as_are_asked_for() -> None:
    for bounds in ((), (0, 5), (1, 1)):
        found = meta(4).histc(10, *bounds)
        assert found.is_meta and found.shape == (10,) and found.dtype is taeda.float32


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_convolutions_of_one_tap_have_gradients_of_their_weights_shape(dims: int) -> None:
    weight = meta(6, 4, *[1] * dims).requires_grad_()
    convolve = (taeda.conv1d, taeda.conv2d, taeda.conv3d)[dims - 1]
    assert taeda.autograd.grad(convolve(meta(2, 4, *[5] * dims), weight).sum(), weight)[0].shape == weight.shape

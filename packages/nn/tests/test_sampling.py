"""What the rows of sampling, bags and further layers do not show: warnings, gradients by frequency, conversions."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import taeda
from taeda import nn
from taeda.autograd import forward_ad, gradcheck, gradgradcheck
from taeda.nn import functional as F

CHANGED = "Default grid_sample and affine_grid behavior has changed"


def test_grids_warn_without_align_corners():
    theta = taeda.eye(2, 3).unsqueeze(0)
    here = sys._getframe().f_lineno
    with pytest.warns(UserWarning, match=CHANGED) as said:
        grid = F.affine_grid(theta, (1, 1, 2, 2))
        F.grid_sample(taeda.ones(1, 1, 2, 2), grid)
    assert [(w.filename, w.lineno) for w in said] == [(__file__, here + 2), (__file__, here + 3)]
    assert grid.flatten().tolist() == [-0.5, -0.5, 0.5, -0.5, -0.5, 0.5, 0.5, 0.5]
    with pytest.warns(UserWarning, match="unit-size grids when align_corners=True"):
        F.affine_grid(theta, (1, 1, 1, 2), align_corners=True)


def test_the_identity_gives_the_image_back():
    image = taeda.arange(12.0).reshape(1, 1, 3, 4)
    for align in (False, True):
        grid = F.affine_grid(taeda.eye(2, 3).unsqueeze(0), (1, 1, 3, 4), align_corners=align)
        for mode in ("bilinear", "nearest", "bicubic"):
            for padding in ("zeros", "border", "reflection"):
                y = F.grid_sample(image, grid, mode, padding, align)
                np.testing.assert_allclose(y.numpy(), image.numpy(), rtol=1e-5, atol=2e-6)


def test_positions_that_are_no_numbers_read_no_memory_outside():
    inf, nan = float("inf"), float("nan")
    points = taeda.tensor([[nan, 0.0], [inf, 0.0], [-inf, 0.0], [1e30, 0.5], [0.0, nan]]).reshape(1, 1, 5, 2)
    image = taeda.arange(1.0, 17.0).reshape(1, 1, 4, 4)
    expected = {"zeros": [0, 0, 0, 0, 0], "border": [9, 12, 9, 12, 3], "reflection": [9, 9, 9, 9, 3]}
    for padding, values in expected.items():
        assert F.grid_sample(image, points, "nearest", padding, False).flatten().tolist() == values
        for mode in ("bilinear", "bicubic"):
            x, grid = image.clone().requires_grad_(), points.clone().requires_grad_()
            F.grid_sample(x, grid, mode, padding, True).sum().backward()
            assert x.grad.shape == image.shape
            assert grid.grad.shape == points.shape


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_gradients_divided_by_how_often_a_row_is_named(mode):
    weight = taeda.ones(4, 2).requires_grad_()
    y = F.embedding_bag(
        taeda.tensor([0, 1, 1, 3]), weight, taeda.tensor([0, 2]), mode=mode, scale_grad_by_freq=True
    )
    each = 1.0 if mode == "sum" else 0.5
    y.sum().backward()
    assert weight.grad[:, 0].tolist() == [each, each, 0.0, each]
    again = taeda.autograd.grad(
        F.embedding_bag(
            taeda.tensor([0, 1, 1, 3]), weight, taeda.tensor([0, 2]), mode=mode, scale_grad_by_freq=True
        ).sum(),
        weight,
        create_graph=True,
    )[0]
    assert again.tolist() == weight.grad.tolist()


def test_bags_are_reductions_of_embeddings():
    table, ix = taeda.randn(7, 100), taeda.randint(0, 7, (5, 6))
    rows = F.embedding(ix, table)
    for mode, expected in (("sum", rows.sum(1)), ("mean", rows.mean(1)), ("max", rows.amax(1))):
        for index in (ix, ix.int()):
            np.testing.assert_allclose(
                F.embedding_bag(index, table, mode=mode).numpy(), expected.numpy(), rtol=1e-5, atol=1e-6
            )
    assert (
        F.embedding_bag(taeda.zeros(0, dtype=taeda.int64), table, taeda.tensor([0, 0])).tolist()
        == [[0.0] * 100] * 2
    )


def test_bags_take_their_table_first_as_they_once_did_and_warn():
    table, ix = taeda.randn(7, 4), taeda.randint(0, 7, (5, 6))
    with pytest.warns(UserWarning, match="Argument order of nn.functional.embedding_bag was changed"):
        swapped = F.embedding_bag(table, ix)
    assert swapped.tolist() == F.embedding_bag(ix, table).tolist()


def test_max_norm_shortens_the_rows_that_are_used_and_no_others():
    bags = nn.EmbeddingBag.from_pretrained(taeda.full((3, 4), 2.0), max_norm=1.0, mode="sum", freeze=False)
    first = bags(taeda.tensor([[0, 0]]))
    second = bags(taeda.tensor([[2]]))  # writes into the table, which the first call's gradient does not need
    (first.sum() + second.sum()).backward()
    np.testing.assert_allclose(bags.weight.detach().norm(dim=1).numpy(), [1.0, 4.0, 1.0], rtol=1e-5)
    assert bags.weight.grad[:, 0].tolist() == [2.0, 0.0, 1.0]
    assert bags.weight.requires_grad
    assert not nn.EmbeddingBag.from_pretrained(taeda.ones(3, 4)).weight.requires_grad


def test_max_norm_is_no_part_of_forward_derivatives():
    with forward_ad.dual_level():
        table = forward_ad.make_dual(taeda.full((3, 4), 2.0), taeda.ones(3, 4))
        y = forward_ad.unpack_dual(F.embedding(taeda.tensor([0, 2]), table, max_norm=1.0))
    np.testing.assert_allclose(y.primal.numpy(), 0.5, rtol=1e-5)
    assert y.tangent.tolist() == [[1.0] * 4] * 2


def test_bags_refuse_what_does_not_fit():
    with pytest.raises(
        AssertionError, match=r"\[EmbeddingBag\] padding_idx must be within num_embeddings, got 4 for 4 rows"
    ):
        nn.EmbeddingBag(4, 2, padding_idx=4)
    with pytest.raises(AssertionError, match=r"\[EmbeddingBag\] Shape of weight does not match"):
        nn.EmbeddingBag(4, 2, _weight=taeda.ones(2, 2))
    weight = taeda.ones(4, 2)
    with pytest.raises(ValueError, match="mode has to be one of sum, mean or max"):
        F.embedding_bag(taeda.tensor([[0]]), weight, mode="prod")
    with pytest.raises(ValueError, match="max mode does not support scaling the gradient"):
        F.embedding_bag(taeda.tensor([[0]]), weight, mode="max", scale_grad_by_freq=True)
    with pytest.raises(ValueError, match="max mode does not support sparse weights"):
        F.embedding_bag(taeda.tensor([[0]]), weight, mode="max", sparse=True)
    with pytest.raises(NotImplementedError, match="only supported for mode='sum'"):
        F.embedding_bag(taeda.tensor([[0]]), weight, per_sample_weights=taeda.ones(1, 1))
    with pytest.raises(RuntimeError, match="Index 1 of input takes value -1"):
        F.embedding_bag(taeda.tensor([[0, -1]]), weight)


@pytest.mark.parametrize(("mode", "kernel"), [("bilinear", 1), ("bicubic", 2), ("lanczos", 3)])
def test_antialiased_resizing_keeps_constants_and_shrinks_by_wide_windows(mode, kernel):
    constant = taeda.full((1, 2, 9, 11), 3.0)
    np.testing.assert_allclose(F.interpolate(constant, (4, 17), mode=mode, antialias=True).numpy(), 3.0, rtol=1e-5)
    point = taeda.zeros(1, 1, 1, 64)
    point[..., 32] = 1.0
    reached = F.interpolate(point, (1, 16), mode=mode, antialias=True).abs() > 1e-6
    assert reached.sum().item() == 2 * kernel
    byte = F.interpolate((constant * 50).byte(), (4, 17), mode=mode, antialias=True)
    assert byte.dtype == taeda.uint8
    assert byte.flatten().unique().tolist() == [150]


def test_fractional_windows_lie_where_the_draws_say():
    x = taeda.arange(25.0).reshape(1, 5, 5)
    places = taeda.tensor([[[0.0, 0.5]]])  # of columns, then of rows
    y, at = F.fractional_max_pool2d(x, 2, output_size=3, return_indices=True, _random_samples=places)
    rows, columns = [1, 3, 4], [1, 2, 4]
    assert y[0].tolist() == [[5.0 * r + c for c in columns] for r in rows]
    assert at.tolist() == y.long().tolist()
    for size in ((), (2,), (2, 2, 2)):
        with pytest.raises(RuntimeError, match=r"\[fractional_max_pool2d\] kernel_size must either be a single Int or tuple of 2 Ints"):
            F.fractional_max_pool2d(x, size, output_size=3)
    with pytest.raises(ValueError, match=r"\[fractional_max_pool2d\] requires specifying either"):
        F.fractional_max_pool2d(x, 2)
    with pytest.raises(ValueError, match=r"only one of output_size and output_ratio"):
        nn.FractionalMaxPool2d(2, 3, 0.5)
    with pytest.raises(ValueError, match=r"output_ratio must be between 0 and 1 \(got 1.5\)"):
        nn.FractionalMaxPool3d(2, output_ratio=1.5)
    with pytest.raises(RuntimeError, match=r"Expect _random_samples to have shape \(1, 1, 2\)"):
        F.fractional_max_pool2d(x, 2, 3, _random_samples=taeda.rand(1, 2, 2))


def test_gradients_of_the_local_response():
    layer = nn.CrossMapLRN2d(3, alpha=0.7, beta=0.5, k=2.0).double()
    x = taeda.randn(1, 6, 2, 2, dtype=taeda.float64).requires_grad_()
    assert gradcheck(layer, x)
    assert gradgradcheck(layer, x)


def test_converting_batch_norms_keeps_their_tensors():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Sequential(nn.BatchNorm2d(4, affine=False)))
    inner = net[1]
    made = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert made is net
    assert [type(m).__name__ for m in net.modules()].count("SyncBatchNorm") == 2
    assert net[1].weight is inner.weight
    assert net[1].running_var is inner.running_var
    x = taeda.randn(5, 3)
    assert net[1](x).tolist() == inner(x).tolist()
    with pytest.raises(ValueError, match=r"\[SyncBatchNorm\] expected at least 2D input \(got 1D input\)"):
        net[1](x[0])


def test_parallel_models_run_on_their_one_device():
    model = nn.DataParallel(nn.Linear(2, 3), device_ids=[0])
    x = taeda.randn(4, 2)
    assert list(model.state_dict()) == ["module.weight", "module.bias"]
    assert model.device_ids == []
    assert model(x).tolist() == model.module(x).tolist() == nn.parallel.data_parallel(model.module, x).tolist()
    with pytest.raises(NotImplementedError, match=r"\[DistributedDataParallel\] there are no process groups"):
        nn.parallel.DistributedDataParallel(model.module)
    with pytest.raises(NotImplementedError, match="there is one device"):
        nn.parallel.ReduceAddCoalesced([x], 1)
    assert nn.parallel.get_a_var({"a": [1, (x,)], "b": 2}) is nn.parallel.get_a_var([None, {x: 1}]) is nn.parallel.get_a_var(x) is x
    assert nn.parallel.get_a_var([1, {"a": "b"}]) is None


@pytest.mark.parametrize(("shape", "size"), [((2, 2, 3), (2, 1, 3, 4)), ((1, 3, 4), (1, 1, 2, 3, 2))])
def test_a_grid_keeps_nothing_that_a_backward_pass_frees(shape, size):
    theta = taeda.randn(shape, dtype=taeda.float64, requires_grad=True)
    grid = F.affine_grid(theta, size, align_corners=False)
    grid.sum().backward()
    first = theta.grad.clone()
    grid.sum().backward()
    assert theta.grad.tolist() == (2 * first).tolist()
    assert taeda.autograd.gradcheck(lambda t: F.affine_grid(t, size, align_corners=True), (theta,), check_forward_ad=True)
    assert taeda.autograd.gradgradcheck(lambda t: F.affine_grid(t, size, align_corners=True) ** 2, (theta,))
    one = taeda.func.vmap(lambda t: F.affine_grid(t, size, align_corners=False))(theta.detach().unsqueeze(0))
    assert taeda.allclose(one[0], grid)

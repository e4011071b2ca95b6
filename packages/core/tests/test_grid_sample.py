"""Sampling at grids: vectors of positions, rows of one pixel and of more, channels by the block, and both gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from samples.grid import grid_sample
from taeda import ops

# image, positions: fewer than a vector, several and a part of one, several blocks; rows of one pixel, of two and of more; more channels
# than are sampled together
SIZES = [((2, 1, 5, 7), (1, 3)), ((1, 3, 2, 2), (7, 19)), ((2, 17, 6, 1), (3, 5)), ((1, 35, 4, 9), (13, 11)), ((1, 1, 1, 6), (9, 3)), ((3, 2, 8, 5), (4, 4)),
         ((2, 2, 4, 3, 5), (3, 4, 3)), ((1, 19, 2, 2, 2), (5, 1, 7)), ((1, 1, 3, 2, 1), (2, 3, 3)), ((1, 2, 1, 1, 4), (3, 3, 1))]
HOW = [{"mode": mode, "padding_mode": padding, "align_corners": align}
       for mode, padding, align in itertools.product(("bilinear", "nearest"), ("zeros", "border", "reflection"), (False, True))]


def drawn(xs: tuple[int, ...], out: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    grid = rng.uniform(-1.6, 1.6, (xs[0], *out, len(out)))
    return rng.standard_normal(xs), grid


@pytest.mark.parametrize(("xs", "out"), SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values(xs: tuple[int, ...], out: tuple[int, ...], dtype: type) -> None:
    x, grid = drawn(xs, out)
    grid = grid.astype(dtype)
    for how in HOW:
        want = grid_sample(x, grid.astype(np.float64), **how)
        for u in (x.astype(dtype), np.ascontiguousarray(x.astype(dtype).swapaxes(0, 1)).swapaxes(0, 1)):
            got = taeda.ops.grid_sample(taeda.from_numpy(u), taeda.from_numpy(grid), **how)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=2e-5 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize(("xs", "out"), SIZES)
def test_gradients(xs: tuple[int, ...], out: tuple[int, ...]) -> None:
    x, grid = (taeda.from_numpy(a).requires_grad_() for a in drawn(xs, out))
    rng = np.random.default_rng(4)
    u, way = taeda.from_numpy(rng.standard_normal(xs)), taeda.from_numpy(rng.standard_normal(tuple(grid.shape)))
    step = 1e-7
    for how in HOW:
        y = taeda.ops.grid_sample(x, grid, **how)
        g = taeda.from_numpy(rng.standard_normal(tuple(y.shape)))
        dx, dgrid = assert_same_for_any_threads(lambda y=y, g=g: taeda.autograd.grad(y, (x, grid), g, retain_graph=True))
        with taeda.no_grad():
            np.testing.assert_allclose((dx * u).sum().item(), (taeda.ops.grid_sample(u, grid, **how) * g).sum().item(), rtol=1e-10, atol=1e-10)
            far, near = (taeda.ops.grid_sample(x, grid + s * way, **how) for s in (step, -step))
        if how["mode"] == "nearest":
            assert not dgrid.any()
        else:
            np.testing.assert_allclose((dgrid * way).sum().item(), (((far - near) * g).sum() / (2 * step)).item(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_a_pixel_that_is_not_finite_reaches_only_what_meets_it(bad: float, mode: str) -> None:
    x = taeda.ones(1, 1, 3, 5)
    x[0, 0, 1, 1] = bad                            # beside the first column, where positions outside of the image are read
    shift = 0.5 if mode == "bilinear" else 0.0
    across, down = taeda.arange(-3, 8) + shift, taeda.arange(-3, 6) + shift
    grid = taeda.stack(taeda.meshgrid(across / 2 - 1, down - 1, indexing="xy"), -1)[None]
    y = taeda.ops.grid_sample(x, grid, mode=mode, align_corners=True)[0, 0]
    want = [(3, 3), (3, 4), (4, 3), (4, 4)] if mode == "bilinear" else [(4, 4)]
    assert [tuple(i) for i in (~y.isfinite()).nonzero().tolist()] == want
    assert y[4, 2] == (0.5 if mode == "bilinear" else 0) and y[4, 7] == (0.5 if mode == "bilinear" else 1) and y[4, 1] == 0


def test_positions_that_are_far_away_or_no_numbers_read_nothing_outside() -> None:
    x = taeda.arange(1, 13.0).reshape(1, 1, 3, 4)
    grid = taeda.tensor([1e30, -1e30, float("inf"), float("-inf"), 3e9, -3e9, 0, 1, -1]).reshape(1, 1, 9, 1).expand(1, 1, 9, 2)
    assert taeda.ops.grid_sample(x, grid, mode="nearest", align_corners=True).flatten().tolist() == [0, 0, 0, 0, 0, 0, 7, 12, 1]
    assert taeda.ops.grid_sample(x, grid, padding_mode="border", align_corners=True).flatten().tolist()[:2] == [12, 1]
    taeda.ops.grid_sample(x, taeda.full((1, 3, 3, 2), float("nan")), align_corners=True)


def test_an_affine_grid_changed_in_place_leads_back_to_theta() -> None:
    theta = taeda.rand(2, 2, 3, requires_grad=True)
    factors = taeda.tensor([2.0, 1.0])
    wanted = taeda.autograd.grad((ops.affine_grid(theta, (2, 1, 3, 4), False) * factors).square().sum(), theta)[0]
    grid = ops.affine_grid(theta, (2, 1, 3, 4), False)
    assert not grid._is_view()
    grid[..., 0] *= 2
    assert taeda.autograd.grad(grid.square().sum(), theta)[0].allclose(wanted)

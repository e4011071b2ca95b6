"""Resizing of bytes bit for bit, and pools at random places in each dtype, beside PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import taeda
from taeda.nn import functional as F

SIZES = [
    {"size": (4, 5)},
    {"size": (13, 20)},
    {"size": (7, 9)},
    {"scale_factor": (2.3, 0.61)},
    {"scale_factor": 0.5, "recompute_scale_factor": True},
]


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_bytes_are_resized_bit_for_bit(mode, antialias):
    if mode == "lanczos" and not antialias:
        pytest.skip("Lanczos windows are antialiased")
    for channels in (1, 3, 6):
        x = np.random.default_rng(channels).integers(0, 256, (2, channels, 7, 9), dtype=np.uint8)
        for size in SIZES:
            ours = F.interpolate(taeda.tensor(x), mode=mode, antialias=antialias, **size)
            theirs = TF.interpolate(torch.tensor(x), mode=mode, antialias=antialias, **size)
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("n", [2, 3])
def test_fractional_pools_draw_as_pytorch(n, dtype):
    shape = (2, 3, 9, 8, 7)[: n + 2]
    x = np.random.default_rng(n).normal(size=shape).round(1)
    found = []
    for lib, functions in ((taeda, F), (torch, TF)):
        lib.manual_seed(4)
        pool = getattr(functions, f"fractional_max_pool{n}d_with_indices")
        y, at = pool(lib.tensor(x).to(getattr(lib, dtype)), 2, output_size=4)
        found.append((y.float().numpy(), at.numpy(), lib.rand(1).item()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)

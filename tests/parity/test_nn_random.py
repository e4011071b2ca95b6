"""Layers with random arguments on random, non-contiguous inputs, taeda and torch side by side.

Both must give the same values and gradients, or raise the same type of exception.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import taeda


class Draw:
    """Random arguments of one case."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.n = self.int(1, 2)  # spatial dimensions
        self.groups = self.int(1, 3)
        self.channels = self.groups * self.int(1, 3), self.groups * self.int(1, 3)
        self.kernel, self.stride, self.dilation = self.each(1, 4), self.each(1, 3), self.each(1, 2)
        batch = (self.int(0, 3) if self.int(0, 6) == 0 else self.int(1, 3),)
        self.shape = (*batch, self.channels[0], *self.each(1, 9))

    def int(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def each(self, low, high):
        return tuple(self.int(low, high) for _ in range(self.n))

    def choose(self, *options):
        return options[self.int(0, len(options) - 1)]

    def unbatched(self):
        if self.int(0, 3) == 0:
            self.shape = self.shape[1:]


def conv(d):
    d.unbatched()
    padding = d.choose("same", "valid", d.each(0, 3), d.each(0, 3), d.each(0, 3))
    kwargs = {
        "stride": 1 if padding == "same" else d.stride,
        "padding": padding,
        "dilation": d.dilation,
        "groups": d.groups,
        "bias": d.choose(True, False),
        "padding_mode": d.choose("zeros", "zeros", "zeros", "reflect", "replicate", "circular"),
    }
    return lambda m: getattr(m, f"Conv{d.n}d")(*d.channels, d.kernel, **kwargs)


def conv_transpose(d):
    d.unbatched()
    kwargs = {
        "stride": d.stride,
        "padding": d.each(0, 1),
        "output_padding": d.each(0, 1),
        "dilation": d.dilation,
        "groups": d.groups,
        "bias": d.choose(True, False),
    }
    return lambda m: getattr(m, f"ConvTranspose{d.n}d")(*d.channels, d.kernel, **kwargs)


def pool(d):
    d.unbatched()
    padding, ceil = d.each(0, 2), d.choose(True, False)
    kind = d.choose("MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool")
    if kind == "MaxPool":
        return lambda m: getattr(m, f"MaxPool{d.n}d")(d.kernel, d.stride, padding, d.dilation, ceil_mode=ceil)
    if kind == "AvgPool":
        include = d.choose(True, False)
        return lambda m: getattr(m, f"AvgPool{d.n}d")(d.kernel, d.stride, padding, ceil, include)
    size = d.each(1, 5) if d.n == 2 else d.int(1, 5)
    return lambda m: getattr(m, f"{kind}{d.n}d")(size)


def padding(d):
    d.unbatched()
    kind = d.choose("Reflection", "Replication", "Circular", "Zero")
    amounts = tuple(d.int(-1, 3) for _ in range(2 * d.n))
    return lambda m: getattr(m, f"{kind}Pad{d.n}d")(amounts)


def upsample(d):
    mode = d.choose(
        *(["nearest", "linear", "area"] if d.n == 1 else ["nearest", "bilinear", "area", "bicubic"])
    )
    align = d.choose(True, False) if mode in ("linear", "bilinear", "bicubic") else None
    if mode != "nearest" and d.choose(True, False):
        kwargs = {"scale_factor": tuple(float(d.rng.uniform(0.4, 2.5)) for _ in range(d.n))}
    else:
        kwargs = {"size": d.each(1, 9)}
    return lambda m: m.Upsample(mode=mode, align_corners=align, **kwargs)


def norm(d):
    C = d.channels[0]
    d.shape = (max(d.shape[0], 1), *d.shape[1:])  # torch's instance norm does not take an empty batch
    return d.choose(
        lambda m: getattr(m, f"BatchNorm{d.n}d")(C, momentum=0.3),
        lambda m: m.GroupNorm(d.groups, C),
        lambda m: m.LayerNorm(d.shape[-d.n :]),
        lambda m: getattr(m, f"InstanceNorm{d.n}d")(C, affine=True, track_running_stats=True),
        lambda m: m.LocalResponseNorm(2, alpha=0.5),
    )


def linear(d):
    d.shape = (*(d.int(0, 4) for _ in range(d.int(0, 3))), d.int(1, 5))
    return lambda m: m.Sequential(m.Linear(d.shape[-1], 3), m.Tanh(), m.Linear(3, 2))


FAMILIES = [conv, conv_transpose, pool, padding, upsample, norm, linear]


def run(lib, make, values, dtype):
    lib.manual_seed(1)
    module = make(lib.nn).to(getattr(lib, dtype))
    turned = np.ascontiguousarray(np.moveaxis(values.astype(dtype), -1, 0))
    x = lib.tensor(turned).permute(*range(1, values.ndim), 0).requires_grad_()
    y = module(x)
    (y * y).sum().backward()
    kept = [y.detach(), x.grad, *(p.grad for p in module.parameters()), *module.buffers()]
    return [t.numpy() for t in kept]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_random_layer(family, seed):
    d = Draw(seed)
    make = family(d)
    values = d.rng.normal(size=d.shape)
    dtype = d.choose("float64", "float64", "float32")
    outcomes = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for lib in (torch, taeda):
            try:
                outcomes.append(run(lib, make, values, dtype))
            except Exception as e:
                outcomes.append(e)
    theirs, ours = outcomes
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        assert type(theirs) is type(ours), (theirs, ours)
        return
    rtol, atol = (1e-6, 1e-8) if dtype == "float64" else (1e-3, 1e-4)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)

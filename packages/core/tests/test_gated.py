"""glu and prelu: blocks, channels, narrow dtypes, first and second derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from taeda import ops
from taeda.autograd import gradcheck, gradgradcheck


def weights_beside(w: np.ndarray, ndim: int) -> np.ndarray:
    return w.reshape([-1] + [1] * (ndim - 2)) if w.size != 1 else w.reshape(())


@pytest.mark.parametrize("shape", [(8191,), (3, 8193), (5, 7, 1200), (9000, 3), (2, 3, 4, 5), (0, 3), (4, 0)])
def test_prelu_of_every_block_with_one_weight_and_with_one_a_channel(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    a, g = rng.normal(size=shape), rng.normal(size=shape)
    for n in {1, shape[1] if len(shape) > 1 else 1}:
        w = rng.normal(size=n)
        x, u = taeda.tensor(a, requires_grad=True), taeda.tensor(w, requires_grad=True)
        y = taeda.prelu(x, u)
        beside = weights_beside(w, a.ndim)
        np.testing.assert_array_equal(y.detach().numpy(), np.where(a > 0, a, beside * a))
        gx, gu = taeda.autograd.grad(y, (x, u), taeda.tensor(g))
        np.testing.assert_array_equal(gx.numpy(), np.where(a > 0, g, beside * g))
        parts = np.where(a > 0, 0, a * g)
        along = tuple(d for d in range(a.ndim) if d != 1 or n == 1)
        np.testing.assert_allclose(gu.numpy(), parts.sum(along).reshape(-1) if n != 1 else parts.sum().reshape(1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16, taeda.float32, taeda.float64], ids=str)
def test_prelu_lies_as_its_input_does_whatever_that_is(dtype: taeda.dtype) -> None:
    x = ((taeda.arange(6 * 20 * 9 * 11) * 37 % 101 - 50) / 8).reshape(6, 20, 9, 11).to(dtype)
    for y in (x, x.contiguous(memory_format=taeda.channels_last), x.permute(3, 0, 2, 1), x.transpose(0, 1), x[:, :, :, ::2], x[:, :, 1:],
              x[:, :1].expand(6, 20, 9, 11), x[0, 0], x[:, :, 0, 0], x[0, 0, 0]):
        channels = y.shape[1] if y.dim() > 1 else 1
        for w in (taeda.full((1,), 0.3, dtype=dtype), (taeda.arange(2.0 * channels) / 16).to(dtype)[::2]):
            z = taeda.prelu(y, w)
            wide = w.reshape([-1] + [1] * (y.dim() - 2)) if y.dim() > 1 else w
            assert taeda.equal(z, taeda.where(y > 0, y, y * wide)) and z.stride() == (y + 0).stride(), (y.shape, y.stride(), len(w))


def test_prelu_keeps_nan_and_reads_any_layout() -> None:
    x = taeda.tensor([[float("nan"), -1.0], [2.0, -float("inf")]], requires_grad=True)
    w = taeda.tensor([0.5, 0.25], requires_grad=True)
    y = taeda.prelu(x.t(), w)
    assert y[0, 0].isnan() and y[1, 0] == -0.5 and y[0, 1] == 2 and y[1, 1] == -float("inf")
    gx, gw = taeda.autograd.grad(y, (x, w), taeda.ones(2, 2))
    assert gx.tolist() == [[0.5, 0.5], [1.0, 0.25]] and gw[0].isnan() and gw[1] == -float("inf")


@pytest.mark.parametrize("shape, dim", [((2,), 0), ((3, 4), 1), ((4, 3), 0), ((2, 6, 5), 1), ((2, 8200), 1), ((3, 2, 5000), -2),
                                        ((9001, 2), 1), ((3001, 6), 1), ((1300, 14), 1), ((700, 16), 1), ((600, 2, 5), 1)])
def test_glu_along_every_dimension(shape: tuple[int, ...], dim: int) -> None:
    rng = np.random.default_rng(2)
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-14), ("bfloat16", 2e-2), ("float16", 2e-3)):
        x = taeda.tensor(rng.normal(size=shape)).to(getattr(taeda, dtype)).requires_grad_()
        a, b = (t.double() for t in x.detach().chunk(2, dim))
        y = ops.glu(x, dim)
        assert y.dtype is x.dtype
        assert taeda.allclose(y.double(), a * b.sigmoid(), tolerance, tolerance)
        g = taeda.tensor(rng.normal(size=tuple(y.shape)))
        gx = taeda.autograd.grad(y, x, g.to(x.dtype))[0]
        g = g.to(x.dtype).double()
        s = b.sigmoid()
        assert taeda.allclose(gx.double(), taeda.cat((g * s, g * a * s * (1 - s)), dim), tolerance, tolerance)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16, taeda.float32, taeda.float64], ids=str)
def test_glu_follows_layouts_as_they_lie(dtype: taeda.dtype) -> None:
    x = (taeda.arange(4 * 6 * 30 * 34) * 37 % 101 / 17 - 3).reshape(4, 6, 30, 34).to(dtype)
    for laid in (x.contiguous(memory_format=taeda.channels_last), x.permute(2, 0, 3, 1), x[:, :, ::3, 1::2], x[:1].expand(2, 6, 30, 34), x.transpose(0, 1)[:, :2]):
        for dim in range(4):
            if laid.shape[dim] % 2 == 0:
                y, plain = ops.glu(laid, dim), ops.glu(laid.contiguous(), dim)
                half = laid.narrow(dim, 0, laid.shape[dim] // 2)
                assert taeda.equal(y, plain) and y.stride() == (half * half).stride()
                leaf = laid.clone().requires_grad_()
                assert taeda.equal(taeda.autograd.grad(ops.glu(leaf, dim).sum(), leaf)[0], taeda.autograd.grad(ops.glu(leaf.contiguous(), dim).sum(), leaf)[0])
    leaf = taeda.rand(3, 4, dtype=taeda.float64).requires_grad_()
    assert gradgradcheck(lambda v: ops.glu(v.t(), 0), (leaf,))


def test_second_derivatives() -> None:
    taeda.manual_seed(3)
    x = taeda.randn(3, 4, 2, dtype=taeda.float64, requires_grad=True)
    for dim in (1, 2):
        assert gradcheck(lambda v, d=dim: ops.glu(v, d), (x,)) and gradgradcheck(lambda v, d=dim: ops.glu(v, d), (x,))
    for n in (1, 4):
        w = taeda.rand(n, dtype=taeda.float64, requires_grad=True)
        assert gradcheck(taeda.prelu, (x, w)) and gradgradcheck(taeda.prelu, (x, w))

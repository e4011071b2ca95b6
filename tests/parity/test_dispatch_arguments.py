"""Modes below autograd beside PyTorch's: at which places, and by which words, operators get their arguments."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import taeda
from taeda.utils import _python_dispatch as ours

CALLS = """
t.sum(x, dim=0)  x.sum(dim=1, keepdim=True)  x.sum(axis=0)  x.sum(0, dtype=t.float64)  x.mean(dim=-1)  x.mean(0, True)
t.pow(input=x, exponent=2)  x.pow(exponent=2)  t.pow(2, exponent=x)  t.add(input=x, other=y)  t.add(x, y, alpha=2)  t.mul(x, other=y)
x.sub(other=1, alpha=2)  x.div(other=2)  t.div(x, y, rounding_mode="floor")  x.fmod(other=2)  t.eq(x, other=1)  x.lt(other=y)
x.clamp(min=0, max=1)  x.clamp(max=1)  x.clamp(min=y)  x.clip(max=1)  t.max(x, dim=1)  x.max(axis=0)  x.max(0, keepdim=True)  t.min(x, other=y)
x.argmax(dim=1)  t.cat((x, y), dim=1)  t.cat([x, y], dim=0)  t.cat(tensors=[x, y], dim=1)  t.stack([x, y], dim=1)
x.transpose(dim0=0, dim1=1)  x.permute(dims=(1, 0))  x.unsqueeze(dim=0)  x.squeeze(dim=0)  x.flip(dims=[0])  x.flip(0, 1)
x.roll(shifts=1, dims=0)  x.roll((1, 2), (0, 1))  x.tril(diagonal=1)  x.tril(0)  x.view(size=(3, 2))  x.unbind(dim=1)  x.unbind(0)
x.split(split_size=1, dim=0)  x.split([1, 1], dim=0)  t.split(x, split_size_or_sections=1, dim=1)  x.select(dim=0, index=1)
x.diagonal(dim1=1, dim2=0)  x.diagonal(offset=1)  x.unfold(dimension=1, size=2, step=1)
t.gather(x, dim=1, index=i)  x.scatter(dim=0, index=i, value=1.0)  x.scatter(dim=0, index=i, src=y)  x.index_select(dim=0, index=i[0])
x.index_add(dim=0, index=i[0, :1], source=y[:1])  x.index_fill(dim=0, index=i[0], value=1)  x.masked_fill(mask=x > 2, value=0.0)
x.masked_select(mask=x > 1)  t.where(x > 2, x, other=y)  x.lerp(y, weight=y)  t.lerp(x, end=y, weight=0.5)
x.var()  x.var(1)  x.var(False)  x.var(1, False, True)  x.var(dim=1, unbiased=False)  x.var(dim=1, keepdim=True)  x.var(1, correction=0)
x.std(dim=0)  t.var_mean(x, dim=1)  t.std_mean(x, 1, unbiased=False, keepdim=True)
x.topk(k=2, dim=1)  x.topk(1, largest=False)  x.sort(dim=1, descending=True)  x.sort(dim=0, stable=True)  x.cumsum(dim=0)
x.cumsum(0, dtype=t.float64)  x.kthvalue(k=1)  x.mode(dim=0)  x.median(dim=1)
(x > 1).all(dim=1)  x.prod(dim=1)  x.amax(dim=1)  x.amax(dim=(0, 1), keepdim=True)  x.logsumexp(dim=1)
x.clone().mul_(other=2)  x.clone().bernoulli_(p=0.3)  x.clone().normal_(0, 1)
t.addmm(input=x @ x.t(), mat1=x, mat2=x.t(), beta=2)  t.addcmul(x, tensor1=x, tensor2=y)  t.bmm(x[None], mat2=x.t()[None])
x @ y[0]  t.matmul(x[0], other=y[0])  x.mv(vec=y[0])
t.diff(x)  t.diff(x, 2)  x.diff(dim=0)  t.diff(x, 0)  t.diff(x > 2)  t.diff(x, prepend=x[:, :1])  t.diff(x, append=y, dim=0)
t.kron(x, y)  t.kron(x[0], y)  x.argsort()  x.argsort(0, True)  t.argsort(x, stable=True)  x.argsort(dim=0, descending=True, stable=True)
t.msort(x)  t.tensordot(x, y)  t.tensordot(x, y.t(), 1)  t.tensordot(x, y, ([0], [0]))  t.inner(x, y)  t.inner(x[0], y[0])  t.ger(x[0], y[0])
t.trapezoid(x)  t.trapz(x, dx=2.0)  t.trapezoid(x, y[0])  t.cumulative_trapezoid(x)  t.cumulative_trapezoid(x, y[0])
t.meshgrid(x[0], x[:, 0], indexing="ij")  t.meshgrid(x[0], x[:, 0], indexing="xy")  t.column_stack([x, y])  t.column_stack([x[0], y[0]])
t.dstack([x, y])  t.dstack([x[0], y[0]])  t.hstack([x[0], y[0]])  t.vstack([x[0], y[0]])  t.row_stack([x, y])  t.fliplr(x)  t.flipud(x)
t.diag(x)  t.diag(x[0])  t.diag(x, 1)  t.diagflat(x)  t.isfinite(x)  t.isfinite(i)  t.cross(x, y, dim=1)  t.isin(x, y)
t.isin(x, 1.0)  t.isin(1.0, x)  t.frexp(x)  t.ldexp(x, y)  x[0].repeat_interleave(2)  x.repeat_interleave(2, 0)  t.tile(x, (2, 2))  x.tile(2)
x.repeat_interleave(i[0] + 1, dim=0)  x.adjoint()  x.mH  t.real(x)  t.conj(x)  +x  x.float_power(2)  t.float_power(x, y)  t.argwhere(x)
t.fft.fftshift(x)  t.fft.ifftshift(x)  t.fft.fftshift(x, 1)  t.nanmean(x)  t.nanmean(x, 1)  t.linalg.norm(x)  t.linalg.norm(x, 1)
t.linalg.norm(x[0], 3)  t.linalg.norm(x, dim=1)  t.linalg.matrix_norm(x)  t.linalg.matrix_norm(x, float("inf"))  t.linalg.vecdot(x, y)
t.linalg.diagonal(x)  t.linalg.matrix_power(x @ x.t(), 3)  t.matrix_power(x @ x.t(), 2)
t.nn.functional.leaky_relu(x)  t.nn.functional.hardtanh(x, -1, 1)  t.nn.functional.softplus(x, beta=2)  t.nn.functional.threshold(x, threshold=1, value=0)
""".split("  ")
CALLS = [call.strip() for part in CALLS for call in part.splitlines() if call.strip()]


def shown(x):
    if isinstance(x, (list, tuple)):
        return [shown(y) for y in x]
    return list(x.shape) if hasattr(x, "shape") else x if isinstance(x, (int, float, str, type(None))) else str(x).rpartition(".")[2]


def seen(t, base, call):
    log = []

    class Log(base):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            log.append((str(func), shown(args), {k: shown(x) for k, x in (kwargs or {}).items()}))
            return func(*args, **(kwargs or {}))

    x = t.arange(6.0).reshape(2, 3) + 1
    names = {"t": t, "x": x, "y": x + 1, "i": t.zeros(2, 2, dtype=t.int64)}
    with Log():
        eval(call, names)
    return log


@pytest.mark.parametrize("call", CALLS)
def test_arguments_stand_where_pytorchs_operators_have_them(call):
    assert seen(taeda, ours.TorchDispatchMode, call) == seen(torch, TorchDispatchMode, call)

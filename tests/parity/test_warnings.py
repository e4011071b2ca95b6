"""Warnings: of the same category as PyTorch's, and with the same first words, by which programs filter them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.checkpoint
import torch.utils.data

import taeda
import taeda.data
import taeda.nn
import taeda.optim

# T is either library
CALLS = """
T.nn.functional.l1_loss(T.ones(2, 3), T.ones(3))
T.nn.functional.mse_loss(T.ones(2, 3), T.ones(3))
T.nn.functional.smooth_l1_loss(T.ones(2, 3), T.ones(3))
T.nn.functional.huber_loss(T.ones(2, 3), T.ones(3))
T.nn.functional.kl_div(T.zeros(2, 2), T.ones(2, 2))
T.nn.functional.l1_loss(T.ones(2), T.ones(2), size_average=False)
T.nn.MSELoss(reduce=False)
T.nn.InstanceNorm1d(4)(T.ones(2, 3, 5))
T.ones(1).std()
T.ones(1, 2).var(0)
T.tensor([]).var()
T.ones(0, 1).var(1)
T.std_mean(T.ones(1))
T.cov(T.ones(1, 1))
T.cholesky(T.eye(2))
T.qr(T.eye(2))
T.triangular_solve(T.eye(2), T.eye(2))
T.chain_matmul(T.eye(2), T.eye(2))
T.range(0, 2)
T.cross(T.ones(2, 3), T.ones(2, 3))
T.ones(3).scatter(0, T.tensor([0]), T.ones(1), reduce='add')
T.ones(3).scatter_(0, T.tensor([0]), 2., reduce='multiply')
T.ones(2).index_reduce(0, T.tensor([0]), T.ones(1), 'prod')
T.adjoint(T.tensor(1.))
T.tensor(1.).T
T.tensor(1.).H
T.tensor(1.).mT
T.tensor(1.).mH
T.ones(3).T
T.ones(2, 3, 4).T
T.ones(2, 3).T
T.ones(2).storage()
T.LongStorage(3)
T.tensor(T.ones(2))
T.ones(3).resize(3)
T.ones(3).resize_as(T.ones(3))
T.set_default_tensor_type(T.FloatTensor)
T.zeros(1, 3).expand(2, 3).masked_fill_(T.tensor([True, False, True]), 1.)
T.zeros(1, 3).expand(2, 3).index_fill_(1, T.tensor([0]), 1.)
T.zeros(1, 3).expand(2, 3).index_put_((T.tensor([0]),), T.tensor(1.))
T.zeros(1, 3).expand(2, 3).__setitem__(T.tensor([0]), 1.)
T.searchsorted(T.arange(4.), T.ones(4, 4).t())
T.searchsorted(T.arange(16.).reshape(4, 4).t().contiguous().t(), T.ones(4, 4))
T.bucketize(T.ones(4, 4).t(), T.arange(4.))
T.jit.script(T.nn.Linear(2, 2))
(T.ones(2, requires_grad=True) * 1).grad
T.ones(2).volatile
float(T.ones(1, requires_grad=True))
T.ones(3)[T.tensor([1, 0, 1], dtype=T.uint8)]
T.where(T.tensor([1, 0], dtype=T.uint8), 1., 2.)
T.from_numpy(np.broadcast_to(np.ones(1), (2,)))
T.frombuffer(bytes(8), dtype=T.float32)
T.add(T.ones(2), T.ones(2), out=T.empty(3))
T.ones(2, out=T.empty(3))
T.ones(2, dtype=T.complex64).to(T.float32)
T.meshgrid(T.ones(2), T.ones(2))
T.stft(T.ones(400), 100, window=T.ones(100), return_complex=False)
T.istft(T.stft(T.ones(400), 100, return_complex=True, window=T.ones(100)), 100, length=1000, window=T.ones(100))
T.stft(T.ones(40), 10, return_complex=True)
T.ones(40).stft(10, return_complex=True)
T.istft(T.stft(T.ones(40), 10, return_complex=True, window=T.ones(10)), 10)
T.empty(2).random_(0, 2**30)
T.nn.functional.grid_sample(T.ones(1, 1, 4, 4), T.zeros(1, 2, 2, 2))
T.nn.functional.softmax(T.ones(2, 2))
T.nn.LogSoftmax()(T.ones(2, 2))
T.nn.functional.dropout2d(T.ones(2, 2))
T.nn.functional.dropout2d(T.ones(2, 2, 2))
T.nn.functional.upsample(T.ones(1, 1, 4, 4), scale_factor=2)
T.nn.LSTM(2, 2, dropout=.5)
T.nn.TransformerEncoder(T.nn.TransformerEncoderLayer(4, 2), 1)
T.nn.init.uniform(T.ones(2))
T.nn.init.kaiming_uniform_(T.empty(0, 2))
T.nn.utils.clip_grad_norm(T.nn.Linear(2, 2).parameters(), 1.)
T.nn.utils.weight_norm(T.nn.Linear(2, 2))
T.nn.Linear(2, 2).to(T.complex64)
T.optim.lr_scheduler.StepLR(T.optim.SGD([T.ones(1, requires_grad=True)], .1), 1).step()
T.optim.lr_scheduler.ReduceLROnPlateau(T.optim.SGD([T.ones(1, requires_grad=True)], .1)).step(1., 2)
T.optim.SGD([T.ones(1, requires_grad=True)] * 2, .1)
T.cuda.amp.GradScaler()
T.amp.autocast('cuda')
T.autocast('cpu', dtype=T.float32)
T.is_autocast_cpu_enabled()
T.utils.checkpoint.checkpoint(lambda a: a * 2, T.ones(2, requires_grad=True))
T.utils.checkpoint.checkpoint(lambda a: a * 2, T.ones(2), use_reentrant=True)
T.autograd.detect_anomaly()
T.autograd.gradcheck(lambda a: a * 2, (T.ones(2, requires_grad=True),), raise_exception=False)
T.autograd.Function()
T.ones(2, requires_grad=True).sum().backward(create_graph=True)
T.testing.assert_allclose(T.ones(2), T.ones(2))
T.distributions.Normal(T.zeros(1), T.ones(1)).sample_n(2)
T.ones(2).add(T.ones(2), alpha=2)
T.ones(2, 3).std()
""".strip().splitlines()


@pytest.fixture(autouse=True)
def each_time() -> Iterator[None]:
    """Both libraries say each time what they say once in a process."""
    for lib in (torch, taeda):
        lib.set_warn_always(True)
    yield
    for lib in (torch, taeda):
        lib.set_warn_always(False)


def told(lib: Any, call: str) -> dict[str, list[str]]:
    """The warnings of a call, by category."""
    found: dict[str, list[str]] = {}
    lib.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        eval(call, {"T": lib, "np": np})
    for each in caught:
        found.setdefault(each.category.__name__, []).append(re.sub(r"\btaeda\b", "torch", str(each.message)))
    return found


@pytest.mark.parametrize("call", CALLS)
def test_what_is_warned_of(call: str) -> None:
    if "Storage(" in call or ".storage()" in call:          # PyTorch keeps its own account of this one
        torch.storage._warn_typed_storage_removal.__dict__.pop("has_warned", None)
    mine, theirs = told(taeda, call), told(torch, call)
    assert mine.keys() == theirs.keys(), (mine, theirs)
    for category, texts in theirs.items():
        heads = {text[:20] for text in texts}
        assert {text[:20] for text in mine[category]} == heads, (mine, theirs)

"""A user's program as a type checker sees it: this file must pass mypy."""

from __future__ import annotations

import taeda
from taeda import Tensor, nn, optim
from taeda.data import DataLoader, TensorDataset


def step(model: nn.Module, x: Tensor, y: Tensor, opt: optim.Optimizer) -> float:
    loss = nn.functional.mse_loss(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return float(loss)


def main() -> float:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    opt = optim.SGD(model.parameters(), lr=0.1)
    data = TensorDataset(taeda.randn(64, 8), taeda.zeros(64, 1))
    total = 0.0
    for x, y in DataLoader(data, batch_size=16, shuffle=True):
        total += step(model, x, y, opt)
    with taeda.no_grad():
        shape: taeda.Size = model(taeda.ones(2, 8)).shape
        dtype: taeda.dtype = taeda.float32
    return total + len(shape) + dtype.itemsize

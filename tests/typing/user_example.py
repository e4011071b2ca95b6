"""A user's program as a type checker sees it: this file must pass mypy and pyright."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import taeda
import taeda.nn.functional as F
from taeda import Tensor, nn, optim
from taeda.data import DataLoader, TensorDataset, random_split


@dataclass
class Settings:
    hidden: int = 32
    classes: int = 3
    epochs: int = 2
    lr: float = 1e-2
    dtype: taeda.dtype = taeda.float32
    device: taeda.device | str = "cpu"


class Block(nn.Module):
    """A residual block with a norm and a gate."""

    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, 2 * width)
        self.outer = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        a, gate = self.inner(self.norm(x)).chunk(2, dim=-1)
        return x + self.dropout(self.outer(a * taeda.sigmoid(gate)))


class Classifier(nn.Module):
    def __init__(self, inputs: int, settings: Settings) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, settings.hidden)
        self.blocks = nn.ModuleList([Block(settings.hidden) for _ in range(2)])
        self.last = nn.Linear(settings.hidden, settings.classes)
        self.register_buffer("mean", taeda.zeros(inputs))

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        for block in self.blocks:
            h = block(h)
        logits: Tensor = self.last(h)
        return logits


def make_data(n: int, generator: taeda.Generator) -> TensorDataset:
    x = taeda.randn(n, 8, generator=generator)
    w = taeda.linspace(-1.0, 1.0, 24).reshape(8, 3)
    y = (x @ w).argmax(dim=1)
    return TensorDataset(x, y)


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    right, seen = 0, 0
    with taeda.no_grad():
        for x, y in loader:
            guess = model(x).argmax(dim=-1)
            right += int((guess == y).sum().item())
            seen += y.numel()
    return right / max(seen, 1)


def penalty(model: nn.Module) -> Tensor:
    total = taeda.zeros(())
    for p in model.parameters():
        total = total + p.square().sum()
    return total.sqrt()


def indexing(x: Tensor) -> Tensor:
    rows: Tensor = x[x.isfinite().all(dim=1)]
    first: Tensor = rows[:, 0]
    picked = rows[taeda.tensor([0, 1]), :2]
    rows[:, -1] = 0.0
    rows += 1
    values, indices = rows.sort(dim=0, descending=True)
    largest = taeda.topk(first, k=2)
    joined = taeda.cat([picked, values[:2, :2]], dim=0)
    shape: tuple[int, ...] = tuple(joined.shape)
    count: int = joined.numel() + joined.dim() + len(shape) + int(indices[0, 0])
    return joined * count + largest.values.mean() / 2 - 1.5


def second_order(x: Tensor) -> Tensor:
    x = x.detach().requires_grad_(True)
    y = (x.exp() * x.sin()).sum()
    (g,) = taeda.autograd.grad(y, x, create_graph=True)
    (h,) = taeda.autograd.grad(g.sum(), x)
    return h


def train(settings: Settings, folder: Path) -> float:
    generator = taeda.Generator()
    generator.manual_seed(0)
    data = make_data(128, generator)
    train_set, test_set = random_split(data, [96, 32], generator=generator)
    loader: DataLoader[Any] = DataLoader(train_set, batch_size=16, shuffle=True)
    model = Classifier(8, settings).to(settings.device)
    opt = optim.AdamW(model.parameters(), lr=settings.lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=settings.epochs)
    for _ in range(settings.epochs):
        for x, y in loader:
            loss = F.cross_entropy(model(x.to(settings.dtype)), y) + 1e-3 * penalty(model)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
        schedule.step()
    taeda.save(model.state_dict(), folder / "model.pt")
    model.load_state_dict(taeda.load(folder / "model.pt"))
    model.eval()
    return accuracy(model, DataLoader(test_set, batch_size=32))


def step(model: nn.Module, x: Tensor, y: Tensor, opt: optim.Optimizer) -> float:
    loss = F.mse_loss(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return float(loss)


def main(folder: Path) -> float:
    with taeda.no_grad():
        size: taeda.Size = indexing(taeda.ones(3, 4)).shape
    dtype: taeda.dtype = second_order(taeda.ones(3)).dtype
    return train(Settings(), folder) + len(size) + dtype.itemsize


if __name__ == "__main__":
    print(main(Path(".")))

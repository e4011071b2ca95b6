"""The benchmark's rows: the same program for both frameworks.

A row is a function of a ``Lib`` (the framework's modules under common names) that prepares its data and
returns what is timed.  Its name and group stand in the table; ``target`` is the ratio that it must reach.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Lib:
    """A framework under one set of names: T, nn, F, optim, data."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.T = importlib.import_module(name)
        self.nn = importlib.import_module(f"{name}.nn")
        self.F = importlib.import_module(f"{name}.nn.functional")
        self.optim = importlib.import_module(f"{name}.optim")
        self.data = importlib.import_module("taeda.data" if name == "taeda" else "torch.utils.data")


@dataclass(frozen=True)
class Bench:
    """A row: `make` prepares its data for a framework and returns what is timed."""

    name: str
    group: str
    make: Callable[[Lib], Callable[[], Any]]
    target: float | None = None


ROWS: list[Bench] = []


def row(group: str, name: str, target: float | None = None) -> Callable[[Callable[[Lib], Callable[[], Any]]], None]:
    """Register the decorated function as a row."""

    def add(make: Callable[[Lib], Callable[[], Any]]) -> None:
        ROWS.append(Bench(name, group, make, target))

    return add


def expression(group: str, name: str, shapes: tuple[tuple[int, ...], ...], f: Callable[..., Any], grad: bool = False,
               target: float | None = None) -> None:
    """Register a row that calls f(lib, *tensors) on random tensors of the given shapes."""

    def make(lib: Lib) -> Callable[[], Any]:
        xs = [lib.T.rand(*s) + 0.1 for s in shapes]
        if grad:
            xs = [x.requires_grad_() for x in xs]
        return lambda: f(lib, *xs)

    ROWS.append(Bench(name, group, make, target))


# -- overhead ----------------------------------------------------------------------------------------

expression("overhead", "a + b, 4 floats", ((4,), (4,)), lambda lib, a, b: a + b, target=0.35)
expression("overhead", "a + b with grad, 4 floats", ((4,), (4,)), lambda lib, a, b: a + b, grad=True, target=0.35)
expression("overhead", "(a * b).sum().backward(), 4 floats", ((4,), (4,)), lambda lib, a, b: (a * b).sum().backward(), grad=True, target=0.15)
expression("overhead", "a.add_(b), 4 floats", ((4,), (4,)), lambda lib, a, b: a.add_(b))
expression("overhead", "a * 2.0, 4 floats", ((4,),), lambda lib, a: a * 2.0)
expression("overhead", "x[3]", ((64, 64),), lambda lib, x: x[3])
expression("overhead", "x[1:3, 2:9]", ((64, 64),), lambda lib, x: x[1:3, 2:9])
expression("overhead", "x.view(-1)", ((64, 64),), lambda lib, x: x.view(-1))
expression("overhead", "x @ w, 64x64", ((64, 64), (64, 64)), lambda lib, x, w: x @ w)


@row("overhead", "Module call, Identity", 0.3)
def identity(lib: Lib) -> Callable[[], Any]:
    m, x = lib.nn.Identity(), lib.T.ones(4)
    return lambda: m(x)


def mlp_step(optimizer: str) -> Callable[[Lib], Callable[[], Any]]:
    """Return the maker of a training step of a tiny network: nearly all of it is overhead."""

    def make(lib: Lib) -> Callable[[], Any]:
        nn = lib.nn
        model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
        opt = getattr(lib.optim, optimizer)(model.parameters(), lr=1e-3)
        x, y = lib.T.randn(16, 8), lib.T.randn(16, 1)

        def step() -> None:
            loss = lib.F.mse_loss(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()

        return step

    return make


ROWS.append(Bench("8-16-16-1 MLP, step with Adam", "overhead", mlp_step("Adam"), 0.3))
ROWS.append(Bench("8-16-16-1 MLP, step with SGD", "overhead", mlp_step("SGD")))


# -- the tutorials' programs -------------------------------------------------------------------------


@row("seed programs", "logistic tutorial, one epoch of 10,000 x 784, batch 64, shuffled DataLoader", 0.6)
def logistic(lib: Lib) -> Callable[[], Any]:
    T = lib.T
    x, y = T.randn(10_000, 784), T.randint(0, 10, (10_000,))
    loader = lib.data.DataLoader(lib.data.TensorDataset(x, y), batch_size=64, shuffle=True)
    model = lib.nn.Linear(784, 10)
    opt = lib.optim.SGD(model.parameters(), lr=0.1)

    def epoch() -> None:
        for xb, yb in loader:
            loss = lib.F.cross_entropy(model(xb), yb)
            loss.backward()
            opt.step()
            opt.zero_grad()

    return epoch


@row("seed programs", "tutorial CNN (three convolutions), step, batch 64 of 28x28", 0.8)
def tutorial_cnn(lib: Lib) -> Callable[[], Any]:
    nn, T = lib.nn, lib.T
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(16, 10, 3, stride=2, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )
    opt = lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = T.randn(64, 1, 28, 28), T.randint(0, 10, (64,))

    def step() -> None:
        loss = lib.F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        opt.zero_grad()

    return step


@row("seed programs", "two-convolution Net, step, batch 64 of 28x28")
def two_conv(lib: Lib) -> Callable[[], Any]:
    nn, T = lib.nn, lib.T
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, 1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 5 * 5, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    opt = lib.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = T.randn(64, 1, 28, 28), T.randint(0, 10, (64,))

    def step() -> None:
        opt.zero_grad()
        loss = lib.F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()

    return step


@row("seed programs", "DataLoader epoch over 50,000 x 784, batch 64, shuffled")
def loader_epoch(lib: Lib) -> Callable[[], Any]:
    x = lib.T.randn(50_000, 784)
    loader = lib.data.DataLoader(lib.data.TensorDataset(x), batch_size=64, shuffle=True)

    def epoch() -> None:
        for _ in loader:
            pass

    return epoch


# -- pointwise, reductions, memory -------------------------------------------------------------------

for _name in ("exp", "tanh", "sigmoid", "sin", "erf", "relu", "sqrt", "log"):
    expression("pointwise", f"{_name}, 1M", ((1_000_000,),), lambda lib, x, f=_name: getattr(x, f)())
expression("pointwise", "gelu, 1M", ((1_000_000,),), lambda lib, x: lib.F.gelu(x))
expression("pointwise", "a + b, 1M", ((1000, 1000), (1000, 1000)), lambda lib, a, b: a + b)
expression("pointwise", "a * row, 1M", ((1000, 1000), (1000,)), lambda lib, a, b: a * b)
expression("pointwise", "a * column, 1M", ((1000, 1000), (1000, 1)), lambda lib, a, b: a * b)
expression("pointwise", "where(a > b, a, b), 1M", ((1_000_000,), (1_000_000,)), lambda lib, a, b: lib.T.where(a > b, a, b))
for _name in ("sum", "mean", "var", "amax", "argmax"):
    for _dim in (None, 0, 1):
        expression("reductions, scans, order", f"{_name}, dim {_dim} of 1000 x 1000", ((1000, 1000),),
                   lambda lib, x, f=_name, d=_dim: getattr(x, f)() if d is None else getattr(x, f)(d))
expression("reductions, scans, order", "softmax, last dim of 1000 x 1000", ((1000, 1000),), lambda lib, x: lib.T.softmax(x, -1))
expression("reductions, scans, order", "logsumexp, last dim of 1000 x 1000", ((1000, 1000),), lambda lib, x: lib.T.logsumexp(x, -1))
expression("reductions, scans, order", "cumsum, last dim of 1000 x 1000", ((1000, 1000),), lambda lib, x: x.cumsum(-1))
expression("reductions, scans, order", "sort, last dim of 1000 x 1000", ((1000, 1000),), lambda lib, x: x.sort(-1))
expression("memory", "transpose copy, 1000x1000", ((1000, 1000),), lambda lib, x: x.t().contiguous())
expression("memory", "cat of four 250x1000", ((250, 1000),) * 4, lambda lib, *xs: lib.T.cat(xs))


@row("memory", "gather 64 rows of 10,000 x 784")
def gather_rows(lib: Lib) -> Callable[[], Any]:
    x, i = lib.T.randn(10_000, 784), lib.T.randint(0, 10_000, (64,))
    return lambda: x[i]


@row("memory", "embedding 10,000 x 64, 4,096 indices, forward and backward")
def embedding(lib: Lib) -> Callable[[], Any]:
    e, i = lib.nn.Embedding(10_000, 64), lib.T.randint(0, 10_000, (4096,))
    return lambda: e(i).sum().backward()


# -- matmul, convolution, norms, optimizers ----------------------------------------------------------

for _n in (32, 128, 512, 1024):
    expression("matmul", f"{_n} x {_n}", ((_n, _n), (_n, _n)), lambda lib, a, b: a @ b)
expression("matmul", "bmm 16 x 128 x 128", ((16, 128, 128), (16, 128, 128)), lambda lib, a, b: lib.T.bmm(a, b))


def layer_step(make: Callable[[Any], Any], *shape: int) -> Callable[[Lib], Callable[[], Any]]:
    """Return the maker of a layer's forward and backward pass over an input of a shape."""

    def prepared(lib: Lib) -> Callable[[], Any]:
        layer, x = make(lib.nn), lib.T.randn(*shape).requires_grad_()
        return lambda: layer(x).sum().backward()

    return prepared


ROWS.append(Bench("Linear 784 -> 512, batch 128, forward and backward", "matmul", layer_step(lambda nn: nn.Linear(784, 512), 128, 784)))
for _group, _name, _layer, _shape in (
    ("convolution", "Conv2d 16 -> 32, 3x3, 8x32x32", lambda nn: nn.Conv2d(16, 32, 3, padding=1), (8, 16, 32, 32)),
    ("convolution", "Conv2d 64 -> 64, 3x3, 4x28x28", lambda nn: nn.Conv2d(64, 64, 3, padding=1), (4, 64, 28, 28)),
    ("convolution", "Conv2d 64 -> 256, 1x1, 4x28x28", lambda nn: nn.Conv2d(64, 256, 1), (4, 64, 28, 28)),
    ("convolution", "Conv2d 3 -> 64, 7x7 stride 2, 2x112x112", lambda nn: nn.Conv2d(3, 64, 7, 2, 3), (2, 3, 112, 112)),
    ("convolution", "ConvTranspose2d 32 -> 16, 4x4 stride 2, 4x16x16", lambda nn: nn.ConvTranspose2d(32, 16, 4, 2, 1), (4, 32, 16, 16)),
    ("pooling and interpolation", "MaxPool2d 2, 16x32x32x32", lambda nn: nn.MaxPool2d(2), (16, 32, 32, 32)),
    ("pooling and interpolation", "AvgPool2d 2, 16x32x32x32", lambda nn: nn.AvgPool2d(2), (16, 32, 32, 32)),
    ("norms and losses", "BatchNorm2d 32, 16x32x32x32", lambda nn: nn.BatchNorm2d(32), (16, 32, 32, 32)),
    ("norms and losses", "LayerNorm 256, 1024x256", lambda nn: nn.LayerNorm(256), (1024, 256)),
):
    ROWS.append(Bench(f"{_name}, forward and backward", _group, layer_step(_layer, *_shape)))


@row("norms and losses", "cross_entropy 1024 x 1000, forward and backward")
def cross_entropy(lib: Lib) -> Callable[[], Any]:
    x, y = lib.T.randn(1024, 1000).requires_grad_(), lib.T.randint(0, 1000, (1024,))
    return lambda: lib.F.cross_entropy(x, y).backward()


def optimizer_step(name: str, count: int, size: int, **options: Any) -> Callable[[Lib], Callable[[], Any]]:
    """Return the maker of an optimizer's step over so many parameters of a size."""

    def make(lib: Lib) -> Callable[[], Any]:
        params = [lib.T.randn(size).requires_grad_() for _ in range(count)]
        for p in params:
            p.grad = lib.T.randn(size)
        opt = getattr(lib.optim, name)(params, lr=1e-3, **options)
        return opt.step

    return make


for _name, _options in (("SGD", {"momentum": 0.9}), ("Adam", {}), ("AdamW", {}), ("RMSprop", {})):
    ROWS.append(Bench(f"{_name}, 1,000 tensors of 100", "optimizers", optimizer_step(_name, 1000, 100, **_options)))
    ROWS.append(Bench(f"{_name}, 16 tensors of 100,000", "optimizers", optimizer_step(_name, 16, 100_000, **_options)))

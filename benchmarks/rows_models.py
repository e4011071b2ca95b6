"""Layers of many steps, models and optimizers: the rows of nn and optim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows import ROWS, Bench, Lib, layer_step, optimizer_step, row


def step_of(lib: Lib, model: Any, loss: Callable[[], Any], optimizer: str = "Adam") -> Callable[[], Any]:
    """Return a training step."""
    opt = getattr(lib.optim, optimizer)(model.parameters(), lr=1e-3)

    def step() -> None:
        opt.zero_grad()
        loss().backward()
        opt.step()

    return step


@row("models, training step", "LSTM, 2 layers of 256, 64 steps, batch 32", 0.6)
def lstm(lib: Lib) -> Callable[[], Any]:
    model, x = lib.nn.LSTM(256, 256, 2), lib.T.randn(64, 32, 256)
    return step_of(lib, model, lambda: model(x)[0].square().mean())


@row("models, training step", "GRU of 32, 20 steps, batch 8", 0.4)
def gru(lib: Lib) -> Callable[[], Any]:
    model, x = lib.nn.GRU(16, 32), lib.T.randn(20, 8, 16)
    return step_of(lib, model, lambda: model(x)[0].square().mean())


@row("models, inference", "LSTM, 2 layers of 256, 64 steps, batch 32")
def lstm_inference(lib: Lib) -> Callable[[], Any]:
    model, x = lib.nn.LSTM(256, 256, 2).eval(), lib.T.randn(64, 32, 256)

    def run() -> Any:
        with lib.T.no_grad():
            return model(x)

    return run


@row("models, training step", "Transformer encoder, 2 layers of 256, 8 x 128 tokens", 0.8)
def encoder(lib: Lib) -> Callable[[], Any]:
    layer = lib.nn.TransformerEncoderLayer(256, 8, 1024, batch_first=True)
    model, x = lib.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), lib.T.randn(8, 128, 256)
    return step_of(lib, model, lambda: model(x).square().mean())


@row("matmul", "attention 8 x 8 x 256 x 64, causal, forward and backward", 0.9)
def attention(lib: Lib) -> Callable[[], Any]:
    q, k, v = (lib.T.randn(8, 8, 256, 64).requires_grad_() for _ in range(3))
    return lambda: lib.F.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()


for _group, _name, _layer, _shape in (
    ("convolution", "Conv3d 16 -> 32, 3x3x3, 2x16x16x32x32", lambda nn: nn.Conv3d(16, 32, 3, padding=1), (2, 16, 16, 32, 32)),
    ("pooling and interpolation", "MaxPool3d 2, 2x16x16x32x32", lambda nn: nn.MaxPool3d(2), (2, 16, 16, 32, 32)),
    ("pooling and interpolation", "AvgPool3d 2, 2x16x16x32x32", lambda nn: nn.AvgPool3d(2), (2, 16, 16, 32, 32)),
    ("pooling and interpolation", "Upsample bilinear x2, 8x16x32x32", lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"), (8, 16, 32, 32)),
    ("pooling and interpolation", "Upsample bicubic x2, 8x16x32x32", lambda nn: nn.Upsample(scale_factor=2, mode="bicubic"), (8, 16, 32, 32)),
    ("norms and losses", "GroupNorm 8 of 32, 16x32x32x32", lambda nn: nn.GroupNorm(8, 32), (16, 32, 32, 32)),
    ("memory", "Unfold 3, 8x16x32x32", lambda nn: nn.Unfold(3, padding=1), (8, 16, 32, 32)),
):
    ROWS.append(Bench(f"{_name}, forward and backward", _group, layer_step(_layer, *_shape)))


@row("pooling and interpolation", "grid_sample 8x16x32x32, forward and backward")
def grid_sample(lib: Lib) -> Callable[[], Any]:
    x, grid = lib.T.randn(8, 16, 32, 32).requires_grad_(), (lib.T.rand(8, 32, 32, 2) * 2 - 1).requires_grad_()
    return lambda: lib.F.grid_sample(x, grid, align_corners=False).sum().backward()


@row("memory", "EmbeddingBag 10,000 x 64, 512 bags of 8, forward and backward")
def embedding_bag(lib: Lib) -> Callable[[], Any]:
    bag, i = lib.nn.EmbeddingBag(10_000, 64), lib.T.randint(0, 10_000, (512, 8))
    return lambda: bag(i).sum().backward()


@row("norms and losses", "ctc_loss, 50 steps, batch 16, 20 classes, forward and backward")
def ctc(lib: Lib) -> Callable[[], Any]:
    x, y = lib.T.randn(50, 16, 20).requires_grad_(), lib.T.randint(1, 20, (16, 20))
    lengths, goals = lib.T.full((16,), 50, dtype=lib.T.long), lib.T.full((16,), 20, dtype=lib.T.long)
    return lambda: lib.F.ctc_loss(x.log_softmax(2), y, lengths, goals).backward()


for _name in ("Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "Rprop", "ASGD", "Adafactor"):
    ROWS.append(Bench(f"{_name}, 1,000 tensors of 100", "optimizers", optimizer_step(_name, 1000, 100), 0.1))
for _name in ("SGD", "Adam", "AdamW", "RMSprop", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "Rprop", "ASGD", "Adafactor"):
    ROWS.append(Bench(f"{_name}, 64 tensors of 100,000", "optimizers", optimizer_step(_name, 64, 100_000), 0.8))

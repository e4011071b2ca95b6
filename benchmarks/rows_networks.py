"""Whole networks, trained and run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows import ROWS, Bench, Lib, row
from rows_models import step_of


def residual(nn: Any, F: Any) -> tuple[Any, Any]:
    """Return ResNet's two kinds of block as classes of the framework."""

    class Basic(nn.Module):  # type: ignore[misc]
        grows = 1

        def __init__(self, a: int, b: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
            self.conv2, self.bn2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
            self.short = nn.Sequential() if stride == 1 and a == b else nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))

        def forward(self, x: Any) -> Any:
            y = F.relu(self.bn1(self.conv1(x)), inplace=True)
            return F.relu(self.bn2(self.conv2(y)) + self.short(x), inplace=True)

    class Bottleneck(nn.Module):  # type: ignore[misc]
        grows = 4

        def __init__(self, a: int, b: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(a, b, 1, bias=False), nn.BatchNorm2d(b)
            self.conv2, self.bn2 = nn.Conv2d(b, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
            self.conv3, self.bn3 = nn.Conv2d(b, 4 * b, 1, bias=False), nn.BatchNorm2d(4 * b)
            self.short = nn.Sequential() if stride == 1 and a == 4 * b else nn.Sequential(nn.Conv2d(a, 4 * b, 1, stride, bias=False), nn.BatchNorm2d(4 * b))

        def forward(self, x: Any) -> Any:
            y = F.relu(self.bn1(self.conv1(x)), inplace=True)
            y = F.relu(self.bn2(self.conv2(y)), inplace=True)
            return F.relu(self.bn3(self.conv3(y)) + self.short(x), inplace=True)

    return Basic, Bottleneck


def resnet(lib: Lib, kind: int, counts: tuple[int, ...], classes: int, small: bool = False) -> Any:
    """Return ResNet of Basic (0) or Bottleneck (1) blocks; small: the form for images of 32 pixels."""
    nn, block = lib.nn, residual(lib.nn, lib.F)[kind]
    stem = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)] if small else [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    blocks, a = [], 64
    for stage, count in enumerate(counts):
        for i in range(count):
            blocks.append(block(a, 64 << stage, 2 if stage and not i else 1))
            a = (64 << stage) * block.grows
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(a, classes))


def resnet18(lib: Lib) -> Any:
    return resnet(lib, 0, (2, 2, 2, 2), 1000)


def resnet50(lib: Lib) -> Any:
    return resnet(lib, 1, (3, 4, 6, 3), 1000)


def inverted(nn: Any) -> Any:
    """Return MobileNetV2's block as a class of the framework."""

    class Inverted(nn.Module):  # type: ignore[misc]
        def __init__(self, a: int, b: int, stride: int, expand: int) -> None:
            super().__init__()
            h = a * expand
            wide = [] if expand == 1 else [nn.Conv2d(a, h, 1, bias=False), nn.BatchNorm2d(h), nn.ReLU6(inplace=True)]
            self.body = nn.Sequential(*wide, nn.Conv2d(h, h, 3, stride, 1, groups=h, bias=False), nn.BatchNorm2d(h), nn.ReLU6(inplace=True),
                                      nn.Conv2d(h, b, 1, bias=False), nn.BatchNorm2d(b))
            self.same = stride == 1 and a == b

        def forward(self, x: Any) -> Any:
            return x + self.body(x) if self.same else self.body(x)

    return Inverted


def mobilenet_v2(lib: Lib) -> Any:
    nn, block = lib.nn, inverted(lib.nn)
    parts, a = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(inplace=True)], 32
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(n):
            parts.append(block(a, c, s if i == 0 else 1, t))
            a = c
    return nn.Sequential(*parts, nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(1280, 1000))


def vgg(lib: Lib) -> Any:
    nn, parts, a = lib.nn, [], 3
    for b in (32, 32, 0, 64, 64, 0, 128, 128, 0):
        parts += [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(inplace=True)] if b else [nn.MaxPool2d(2)]
        a = b or a
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(128 * 16, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10))


def lenet(lib: Lib) -> Any:
    nn = lib.nn
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def mlp(lib: Lib) -> Any:
    nn = lib.nn
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def gpt(lib: Lib, width: int = 128, layers: int = 4, heads: int = 4, vocabulary: int = 65, length: int = 128) -> Any:
    """Return a character GPT; a call takes tokens, and keys and values of earlier tokens if there are any."""
    nn, F, T = lib.nn, lib.F, lib.T

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any, past: Any) -> tuple[Any, Any]:
            b, t, _ = x.shape
            q, k, v = (y.view(b, t, heads, width // heads).transpose(1, 2) for y in self.qkv(self.ln1(x)).chunk(3, dim=-1))
            if past is not None:
                k, v = T.cat((past[0], k), 2), T.cat((past[1], v), 2)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=past is None)
            x = x + self.out(y.transpose(1, 2).reshape(b, t, width))
            return x + self.mlp(self.ln2(x)), (k, v)

    class GPT(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.token, self.place = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
            self.blocks = nn.ModuleList(Block() for _ in range(layers))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

        def forward(self, i: Any, past: Any = None) -> tuple[Any, Any]:
            start = 0 if past is None else past[0][0].shape[2]
            x, kept = self.token(i) + self.place(T.arange(start, start + i.shape[1])), []
            for n, block in enumerate(self.blocks):
                x, kv = block(x, None if past is None else past[n])
                kept.append(kv)
            return self.head(self.norm(x)), kept

    return GPT()


def training(name: str, model: Callable[[Lib], Any], shape: tuple[int, ...], classes: int, optimizer: str = "SGD") -> None:
    """Register a row of a classifier's training step."""

    def make(lib: Lib) -> Callable[[], Any]:
        net, x, y = model(lib), lib.T.randn(*shape), lib.T.randint(0, classes, (shape[0],))
        return step_of(lib, net, lambda: lib.F.cross_entropy(net(x), y), optimizer)

    ROWS.append(Bench(f"{name}, {' x '.join(map(str, shape))}", "models, training step", make))


def inference(name: str, model: Callable[[Lib], Any], shape: tuple[int, ...]) -> None:
    """Register a row of a forward pass in eval mode."""

    def make(lib: Lib) -> Callable[[], Any]:
        net, x = model(lib).eval(), lib.T.randn(*shape)

        def run() -> Any:
            with lib.T.no_grad():
                return net(x)

        return run

    ROWS.append(Bench(f"{name}, {' x '.join(map(str, shape))}", "models, inference", make))


training("MLP 784-512-512-10, Adam", mlp, (64, 784), 10, "Adam")
training("LeNet", lenet, (64, 1, 28, 28), 10)
training("ResNet-18 for 32 pixels", lambda lib: resnet(lib, 0, (2, 2, 2, 2), 10, small=True), (16, 3, 32, 32), 10)
training("ResNet-18", resnet18, (4, 3, 224, 224), 1000)
training("small VGG", vgg, (32, 3, 32, 32), 10)
training("MobileNetV2", mobilenet_v2, (8, 3, 96, 96), 1000)


@row("models, training step", "character GPT, 4 layers of 128, 16 x 128 tokens, AdamW")
def gpt_training(lib: Lib) -> Callable[[], Any]:
    net, i, y = gpt(lib), lib.T.randint(0, 65, (16, 128)), lib.T.randint(0, 65, (16 * 128,))
    return step_of(lib, net, lambda: lib.F.cross_entropy(net(i)[0].flatten(0, 1), y), "AdamW")


for _batch in (1, 8):
    inference("ResNet-18", resnet18, (_batch, 3, 224, 224))
    inference("ResNet-50", resnet50, (_batch, 3, 224, 224))
    inference("MobileNetV2", mobilenet_v2, (_batch, 3, 224, 224))

    @row("models, inference", f"character GPT, 32 tokens one by one, batch {_batch}")
    def gpt_sampling(lib: Lib, batch: int = _batch) -> Callable[[], Any]:
        net = gpt(lib).eval()

        def run() -> Any:
            with lib.T.no_grad():
                i, past = lib.T.zeros(batch, 1, dtype=lib.T.long), None
                for _ in range(32):
                    logits, past = net(i, past)
                    i = logits[:, -1].argmax(-1, keepdim=True)
            return i

        return run

"""What PyTorch's programs do without asking a type checker: this file must pass mypy and pyright."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_type

import taeda
import taeda as torch
import taeda.distributed as dist
from taeda import Tensor, nn
from taeda.utils.data import ConcatDataset, DataLoader, Dataset, Subset, random_split

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "gelu": nn.functional.gelu, "silu": nn.SiLU()}


class Squares(Dataset[tuple[Tensor, int]]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return torch.ones(3) * i, i


def collate(batch: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor]:
    xs, ys = zip(*batch, strict=True)
    return torch.stack(list(xs)), torch.tensor(ys)


def initialise(m: nn.Module) -> None:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
    elif isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
        nn.init.ones_(m.weight)
        nn.init.zeros_(m.bias)
    elif isinstance(m, nn.Conv2d) and m.bias is not None:
        nn.init.constant_(m.bias, 0)


class Average:
    def __init__(self, model: nn.Module, decay: float) -> None:
        self.shadow = {k: v.clone().detach() for k, v in model.state_dict().items()}
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        for k, v in model.state_dict().items():
            self.shadow[k].mul_(self.decay).add_(v, alpha=1 - self.decay)
            self.shadow[k] = torch.lerp(self.shadow[k], v, 0.1)


def step(model: nn.Module, x: Tensor, y: Tensor, opt: torch.optim.Optimizer, loss_fn: nn.Module) -> float:
    opt.zero_grad(set_to_none=True)
    loss = loss_fn(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    opt.step()
    return float(loss)


def layers(x: Tensor, weights: Sequence[Tensor], name: str = "relu") -> Tensor:
    for w in weights[:-1]:
        x = ACTIVATIONS[name](x @ w)
    return x @ weights[-1]


torch.backends.cudnn.benchmark = True
generator = torch.Generator(device="cpu").manual_seed(0)
model = torch.compile(nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3)))
model.apply(initialise)
loader = DataLoader(Squares(), batch_size=2, shuffle=True, collate_fn=collate, generator=generator)
lists = DataLoader([1, 2, 3], batch_size=2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for inputs, labels in loader:
    print(step(model, inputs, nn.functional.one_hot(labels % 3, 3).float(), optimizer, nn.MSELoss()), len(loader.dataset))
if dist.is_available() and dist.is_initialized():
    print(dist.get_rank())
if taeda.jit.is_scripting() or taeda.compiler.is_compiling():
    print(layers(torch.ones(1, 3), [torch.eye(3)]), next(iter(lists)))
Average(nn.Linear(3, 3), 0.9).update(nn.Linear(3, 3))


@torch.no_grad()
def score(model: nn.Module, x: Tensor, top: int = 1) -> tuple[Tensor, int]:
    return model(x).topk(top).indices, top


def types_that_are_known(x: Tensor, layer: nn.Linear) -> None:
    assert_type(x.size(0), int)
    assert_type(nn.AdaptiveLogSoftmaxWithLoss(4, 9, [3])(x, x.argmax(1)).loss, Tensor)
    assert_type(x.size(), torch.Size)
    assert_type(x.stride(-1), int)
    assert_type(torch.where(x > 0, x, 0.0), Tensor)
    assert_type(torch.where(x > 0), tuple[Tensor, ...])
    assert_type(torch.autograd.grad(x.sum(), x), tuple[Tensor, ...])
    assert_type(torch.autograd.grad(x.sum(), {"x": x}), dict[str, Tensor])
    assert_type(score(layer, x), tuple[Tensor, int])
    assert_type(nn.Parameter(x), nn.Parameter)
    assert_type(layer.load_state_dict(layer.state_dict()).missing_keys, list[str])
    assert_type(random_split(Squares(), [1, 3]), list[Subset[tuple[Tensor, int]]])
    assert_type(ConcatDataset([Squares(), Squares()])[0], tuple[Tensor, int])
    assert_type(torch.Generator().manual_seed(0), torch.Generator)
    handle = x.register_hook(lambda g: g * 2)
    handle.remove()
    torch.vmap(torch.sum)(x)

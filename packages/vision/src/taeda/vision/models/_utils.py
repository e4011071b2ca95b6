"""Maps from within a model, where its stages begin, and offsets within windows of attention."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.models._build import make_divisible as _make_divisible

__all__ = ["IntermediateLayerGetter", "_make_divisible", "relative_position_index", "stage_starts"]


class IntermediateLayerGetter(nn.ModuleDict):
    """Run a model's children in turn up to the last one asked for, and return the results of those asked for.

    Args:
        return_layers: name of a child -> name of its result.

    Raises:
        ValueError: there is no such child.

    >>> from taeda import nn
    >>> from taeda.vision.models._utils import IntermediateLayerGetter
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    >>> sorted(IntermediateLayerGetter(net, {"0": "flat", "1": "out"})(nn.Parameter(nn.Linear(4, 1).weight.detach())))
    ['flat', 'out']
    """

    _version = 2

    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        names = [name for name, _ in model.named_children()]
        wanted = {str(name) for name in return_layers}
        if not wanted <= set(names):
            raise ValueError(f"[IntermediateLayerGetter] return_layers are not present in model: {sorted(wanted - set(names))}")
        last = max(names.index(name) for name in wanted)
        super().__init__(OrderedDict(list(model.named_children())[: last + 1]))
        self.return_layers: dict[str, str] = return_layers

    def forward(self, x: Tensor) -> dict[str, Any]:
        out: dict[str, Any] = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out


def stage_starts(features: Any) -> list[int]:
    """Return the numbers of the layers with which the stages of a MobileNet begin: the first, those with a stride, the last."""
    return [0, *(i for i, block in enumerate(features) if getattr(block, "_is_cn", False)), len(features) - 1]


def relative_position_index(window: Sequence[int]) -> Tensor:
    """Number the offset from each pixel of a window to each other one, row-major over the axes: pixels x pixels, int64.

    >>> from taeda.vision.models._utils import relative_position_index
    >>> relative_position_index([2, 1])             # one pixel below the other: offsets -1, 0 and 1
    tensor([[1, 0],
            [2, 1]])
    """
    index = taeda.zeros((), dtype=taeda.int64)
    for size, at in zip(window, taeda.meshgrid(*map(taeda.arange, window), indexing="ij"), strict=True):
        index = index * (2 * size - 1) + (at.flatten()[:, None] - at.flatten() + (size - 1))
    return index

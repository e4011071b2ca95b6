"""Maps from within a model."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from taeda import Tensor, nn
from taeda.vision.models._build import make_divisible as _make_divisible

__all__ = ["IntermediateLayerGetter", "_make_divisible"]


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

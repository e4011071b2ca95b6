"""DenseNet: every layer sees all layers before it (Huang, Liu, van der Maaten, Weinberger, 2016)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.utils.checkpoint import checkpoint
from taeda.vision.models._build import built, start
from taeda.vision.models.registry import builder

__all__ = ["DenseNet", "densenet121", "densenet161", "densenet169", "densenet201"]


class _DenseLayer(nn.Module):
    """Normalise, 1x1, normalise, 3x3: all maps so far give `growth_rate` channels more."""

    def __init__(
        self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float, memory_efficient: bool = False
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, kernel_size=1, stride=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, stride=1, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def bn_function(self, inputs: list[Tensor]) -> Tensor:
        """Join the maps and squeeze them."""
        return self.conv1(self.relu1(self.norm1(taeda.cat(inputs, 1))))

    def forward(self, input: Tensor | list[Tensor]) -> Tensor:
        maps = [input] if isinstance(input, Tensor) else input
        if self.memory_efficient and any(x.requires_grad for x in maps):
            squeezed = checkpoint(lambda *x: self.bn_function(list(x)), *maps, use_reentrant=False)
        else:
            squeezed = self.bn_function(maps)
        out = self.conv2(self.relu2(self.norm2(squeezed)))
        return F.dropout(out, p=self.drop_rate, training=self.training) if self.drop_rate > 0 else out


class _DenseBlock(nn.ModuleDict):
    _version = 2

    def __init__(
        self, num_layers: int, width: int, bn_size: int, growth_rate: int, drop_rate: float, memory_efficient: bool = False
    ) -> None:
        super().__init__()
        for i in range(num_layers):
            layer = _DenseLayer(width + i * growth_rate, growth_rate, bn_size, drop_rate, memory_efficient)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self.values():
            maps.append(layer(maps))
        return taeda.cat(maps, 1)


class _Transition(nn.Sequential):
    """Fewer channels, half the size."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, kernel_size=1, stride=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """A stem, dense blocks with transitions between them, and a linear layer.

    Args:
        growth_rate: channels that a layer adds.
        block_config: layers in each block.
        num_init_features: channels of the stem.
        bn_size: width of the squeezed maps, in growth rates.
        drop_rate: dropout after every layer.
        memory_efficient: compute squeezed maps again for the backward pass.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.densenet import DenseNet
    >>> model = DenseNet(growth_rate=4, block_config=(2, 2, 2, 2), num_init_features=8, num_classes=10)
    >>> model.features(taeda.zeros(1, 3, 64, 64)).shape       # 8 + 2 * 4 channels, halved, + 2 * 4 ...
    taeda.Size([1, 16, 2, 2])
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: tuple[int, int, int, int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        stem: OrderedDict[str, nn.Module] = OrderedDict()
        stem["conv0"] = nn.Conv2d(3, num_init_features, kernel_size=7, stride=2, padding=3, bias=False)
        stem["norm0"] = nn.BatchNorm2d(num_init_features)
        stem["relu0"] = nn.ReLU(inplace=True)
        stem["pool0"] = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.features = nn.Sequential(stem)
        width = num_init_features
        for i, depth in enumerate(block_config):
            block = _DenseBlock(depth, width, bn_size, growth_rate, drop_rate, memory_efficient)
            self.features.add_module(f"denseblock{i + 1}", block)
            width += depth * growth_rate
            if i != len(block_config) - 1:
                self.features.add_module(f"transition{i + 1}", _Transition(width, width // 2))
                width //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, num_classes)
        start(self, nn.init.kaiming_normal_, lambda weight: weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.features(x), inplace=True)
        return self.classifier(taeda.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


@builder
def densenet121(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """Build DenseNet-121: 8.0 million parameters. Further arguments go to `DenseNet`.

    >>> import taeda
    >>> from taeda.vision.models import densenet121
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = densenet121()
    ...     model.features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 1024, 7, 7])
    """
    return built(DenseNet, 32, (6, 12, 24, 16), 64, weights=weights, config=kwargs)


@builder
def densenet161(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """Build DenseNet-161: 28.7 million parameters, 48 channels more from each layer where `densenet121` has 32."""
    return built(DenseNet, 48, (6, 12, 36, 24), 96, weights=weights, config=kwargs)


@builder
def densenet169(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """Build DenseNet-169: 14.1 million parameters, `densenet121` with 32 layers in each of the last two blocks."""
    return built(DenseNet, 32, (6, 12, 32, 32), 64, weights=weights, config=kwargs)


@builder
def densenet201(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """Build DenseNet-201: 20.0 million parameters, `densenet121` with twice the layers in the last two blocks."""
    return built(DenseNet, 32, (6, 12, 48, 32), 64, weights=weights, config=kwargs)

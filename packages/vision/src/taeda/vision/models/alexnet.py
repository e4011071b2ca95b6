"""AlexNet, in the form for one device (Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014)."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import nn
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder

__all__ = ["AlexNet", "alexnet"]


class AlexNet(nn.Module):
    """Five convolutions, three linear layers (Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014).

    Args:
        num_classes: outputs of the last layer.
        dropout: before the first two linear layers.

    Shape: B x 3 x H x W, at least 63 x 63, gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models import AlexNet
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     AlexNet(num_classes=10)(taeda.zeros(2, 3, 63, 63)).shape
    taeda.Size([2, 10])
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        return self.classifier(taeda.flatten(self.avgpool(self.features(x)), 1))


@builder
def alexnet(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> AlexNet:
    """Build AlexNet: 61.1 million parameters, most of them of the linear layers. Further arguments go to `AlexNet`.

    >>> import taeda
    >>> from taeda.vision.models import alexnet
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = alexnet(num_classes=10)
    ...     model.features(taeda.zeros(1, 3, 224, 224)).shape
    taeda.Size([1, 256, 6, 6])
    """
    return built(AlexNet, weights=weights, config=kwargs)

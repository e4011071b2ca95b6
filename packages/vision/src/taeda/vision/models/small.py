"""Small networks for small images: LeNet and a normalised three-convolution net for the digits."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import nn
from taeda.vision.models.registry import builder

__all__ = ["LeNet", "SmallCNN", "lenet", "small_cnn"]


class LeNet(nn.Module):
    """LeNet-5 with ReLU and max pooling (after LeCun, Bottou, Bengio, Haffner, 1998).

    Args:
        num_classes: outputs of the last layer.
        in_channels: channels of the image.
        image_size: height and width of the image, at least 8. The second convolution of a 28-pixel image is
            unpadded, as in the paper; smaller images are padded so that something is left of them.

    Shape: B x in_channels x image_size x image_size gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models import LeNet
    >>> LeNet(image_size=8)(taeda.zeros(2, 1, 8, 8)).shape[1]
    10
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, image_size: int = 28) -> None:
        super().__init__()
        if image_size < 8:
            raise ValueError(f"[LeNet] image_size should be at least 8, got {image_size}")
        padding = 0 if image_size >= 28 else 2
        side = (image_size // 2 - 4 + 2 * padding) // 2
        self.conv1 = nn.Conv2d(in_channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5, padding=padding)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.fc1 = nn.Linear(16 * side * side, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        x = self.relu(self.fc1(taeda.flatten(x, 1)))
        return self.fc3(self.relu(self.fc2(x)))


class SmallCNN(nn.Module):
    """Three 3x3 convolutions with batch normalisation, a mean over the map, dropout and a linear layer.

    Shape: B x in_channels x H x W (at least 4 x 4) gives B x num_classes.

    >>> from taeda.vision.models import SmallCNN
    >>> sum(p.numel() for p in SmallCNN().parameters())
    94186
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, dropout: float = 0.25) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(128, num_classes)

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        x = taeda.flatten(self.pool(self.features(x)), 1)
        return self.fc(self.dropout(x))


@builder
def lenet(**kwargs: Any) -> LeNet:
    """Build LeNet; arguments go to `LeNet`.

    >>> import taeda
    >>> from taeda.vision.models import lenet
    >>> lenet(num_classes=5, in_channels=3, image_size=32)(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 5])
    """
    return LeNet(**kwargs)


@builder
def small_cnn(**kwargs: Any) -> SmallCNN:
    """Build the small network for the digits; arguments go to `SmallCNN`.

    >>> import taeda
    >>> from taeda.vision.models import small_cnn
    >>> small_cnn()(taeda.zeros(2, 1, 8, 8)).shape
    taeda.Size([2, 10])
    """
    return SmallCNN(**kwargs)

"""GoogLeNet: convolutions of several sizes beside each other (Szegedy et al., Going Deeper with Convolutions, 2014)."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.nn.modules._in_order import call_in_order
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder

__all__ = ["GoogLeNet", "GoogLeNetOutputs", "googlenet"]


class GoogLeNetOutputs(NamedTuple):
    """What GoogLeNet gives in training: logits, and those of the two auxiliary heads.

    The paper adds the heads' losses by 0.3: ``loss(out.logits) + 0.3 * (loss(out.aux_logits1) + loss(out.aux_logits2))``.

    >>> import taeda
    >>> from taeda.vision.models import GoogLeNet
    >>> with taeda.device("meta"):
    ...     out = GoogLeNet(num_classes=10, init_weights=False)(taeda.zeros(2, 3, 64, 64))
    >>> out._fields, out.aux_logits1.shape
    (('logits', 'aux_logits2', 'aux_logits1'), taeda.Size([2, 10]))
    """

    logits: Tensor
    aux_logits2: Tensor | None
    aux_logits1: Tensor | None


class BasicConv2d(nn.Module):
    """A convolution, a normalisation and ReLU."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(call_in_order((self.conv, self.bn), x), inplace=True)


class Inception(nn.Module):
    """1x1, 1x1 and 3x3, 1x1 and 3x3, a pool and 1x1: all beside each other."""

    def __init__(
        self, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
    ) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(
            BasicConv2d(in_channels, ch3x3red, kernel_size=1), BasicConv2d(ch3x3red, ch3x3, kernel_size=3, padding=1)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(in_channels, ch5x5red, kernel_size=1), BasicConv2d(ch5x5red, ch5x5, kernel_size=3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True), BasicConv2d(in_channels, pool_proj, kernel_size=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return taeda.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    """An auxiliary head: it classifies a map half-way, so that the early layers get larger gradients."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = BasicConv2d(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(p=dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = taeda.flatten(self.conv(F.adaptive_avg_pool2d(x, (4, 4))), 1)
        return self.fc2(self.dropout(F.relu(self.fc1(x), inplace=True)))


_BLOCKS = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


class GoogLeNet(nn.Module):
    """A stem, nine inception blocks, a mean and a linear layer.

    Args:
        aux_logits: with two auxiliary heads; in training the result is then a `GoogLeNetOutputs`.
        transform_input: from ImageNet's mean and deviation to 0.5 and 0.5.
        init_weights: draw from a truncated normal distribution; None for that and a warning.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models import GoogLeNet
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     GoogLeNet(num_classes=10, init_weights=False).eval()(taeda.zeros(2, 3, 64, 64)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool | None = None,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
    ) -> None:
        super().__init__()
        if init_weights is None:
            warnings.warn(
                "The default weight initialization of GoogleNet will be changed in future releases of torchvision. To keep this "
                "behaviour, please set init_weights=True.",
                FutureWarning,
                stacklevel=2,
            )
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.conv1 = BasicConv2d(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, kernel_size=1)
        self.conv3 = BasicConv2d(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for name, widths in _BLOCKS.items():
            if name == "4a":
                self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
            elif name == "5a":
                self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
            setattr(self, f"inception{name}", Inception(*widths))
        self.aux1 = InceptionAux(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = InceptionAux(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(p=dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights is not False:
            for m in self.modules():
                if isinstance(m, (nn.Conv2d, nn.Linear)):
                    nn.init.trunc_normal_(m.weight, mean=0.0, std=0.01, a=-2, b=2)

    def forward(self, x: Tensor) -> Any:
        net: Any = self
        x = from_imagenet(x) if self.transform_input else x
        x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
        x = net.inception4a(self.maxpool3(net.inception3b(net.inception3a(x))))
        heads = self.training and self.aux_logits
        aux1 = self.aux1(x) if heads and self.aux1 is not None else None
        x = net.inception4d(net.inception4c(net.inception4b(x)))
        aux2 = self.aux2(x) if heads and self.aux2 is not None else None
        x = net.inception5b(net.inception5a(self.maxpool4(net.inception4e(x))))
        x = self.fc(self.dropout(taeda.flatten(self.avgpool(x), 1)))
        return GoogLeNetOutputs(x, aux2, aux1) if heads else x


def from_imagenet(x: Tensor) -> Tensor:
    """Turn images normalised by ImageNet's mean and deviation into images normalised by 0.5 and 0.5."""
    scale = taeda.tensor([0.229, 0.224, 0.225], dtype=x.dtype) / 0.5
    shift = (taeda.tensor([0.485, 0.456, 0.406], dtype=x.dtype) - 0.5) / 0.5
    return x * scale[:, None, None] + shift[:, None, None]


@builder
def googlenet(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> GoogLeNet:
    """Build GoogLeNet: 13.0 million parameters with its two heads; see `GoogLeNetOutputs` for what it returns in training.

    Further arguments go to `GoogLeNet`; without `init_weights` it warns, as torchvision does, that the default will change.

    >>> import taeda
    >>> from taeda.vision.models import googlenet
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     outputs = googlenet(num_classes=10, init_weights=False)(taeda.zeros(2, 3, 224, 224))
    >>> outputs._fields                            # the auxiliary heads' losses count for less
    ('logits', 'aux_logits2', 'aux_logits1')
    >>> outputs.logits.shape
    taeda.Size([2, 10])
    """
    return built(GoogLeNet, weights=weights, config=kwargs)

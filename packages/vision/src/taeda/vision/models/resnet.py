"""Residual networks (He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015).

Names of parameters, order of construction and initialisation are torchvision's: a checkpoint of one loads
into the other, and a seed gives the same weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import taeda
from taeda import nn
from taeda.nn.modules._in_order import call_in_order
from taeda.vision.models._build import built, he, start
from taeda.vision.models.registry import builder

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNet",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]

Norm = Callable[[int], nn.Module]


def conv3x3(c_in: int, c_out: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    """Make a 3x3 convolution that keeps the size, but for its stride."""
    return nn.Conv2d(
        c_in,
        c_out,
        kernel_size=3,
        stride=stride,
        padding=dilation,
        groups=groups,
        bias=False,
        dilation=dilation,
    )


def conv1x1(c_in: int, c_out: int, stride: int = 1) -> nn.Conv2d:
    """Make a 1x1 convolution."""
    return nn.Conv2d(c_in, c_out, kernel_size=1, stride=stride, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: B x C x H x W gives B x planes x H/stride x W/stride.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.resnet import BasicBlock
    >>> shortcut = nn.Conv2d(8, 16, kernel_size=1, stride=2)               # brings the input to the result's shape
    >>> BasicBlock(8, 16, stride=2, downsample=shortcut)(taeda.zeros(1, 8, 10, 10)).shape
    taeda.Size([1, 16, 5, 5])
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        if groups != 1 or base_width != 64:
            raise ValueError(
                f"[BasicBlock] BasicBlock only supports groups=1 and base_width=64, got {groups} and "
                f"{base_width}"
            )
        if dilation > 1:
            raise NotImplementedError(
                f"[BasicBlock] Dilation > 1 not supported in BasicBlock, got {dilation}"
            )
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        out = call_in_order((self.conv1, self.bn1, self.relu), x)
        out = call_in_order((self.conv2, self.bn2), out)
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; gives 4 planes channels. The 3x3 has the stride.

    >>> import taeda
    >>> from taeda.vision.models.resnet import Bottleneck
    >>> Bottleneck(64, 16)(taeda.zeros(1, 64, 10, 10)).shape
    taeda.Size([1, 64, 10, 10])
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        out = call_in_order((self.conv1, self.bn1, self.relu), x)
        out = call_in_order((self.conv2, self.bn2, self.relu), out)
        out = call_in_order((self.conv3, self.bn3), out)
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """A stem, four stages of blocks, a mean over the map and a linear layer.

    Args:
        block: BasicBlock or Bottleneck.
        layers: number of blocks in each of the four stages.
        num_classes: outputs of the last layer.
        zero_init_residual: start each block as the identity (Goyal et al., 2017).
        groups, width_per_group: of the 3x3 convolutions of Bottleneck.
        replace_stride_with_dilation: for stages 2 to 4, dilate instead of stride.
        norm_layer: BatchNorm2d by default.

    Shape: B x 3 x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.resnet import BasicBlock, ResNet
    >>> ResNet(BasicBlock, [1, 1, 1, 1], num_classes=10)(taeda.zeros(2, 3, 32, 32)).shape
    taeda.Size([2, 10])
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        layers: list[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: list[bool] | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes = 64
        self.dilation = 1
        dilate = replace_stride_with_dilation or [False, False, False]
        if len(dilate) != 3:
            raise ValueError(
                "[ResNet] replace_stride_with_dilation should be None or a 3-element tuple, "
                f"got {replace_stride_with_dilation}"
            )
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], stride=2, dilate=dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], stride=2, dilate=dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], stride=2, dilate=dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        start(self, he)
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, Bottleneck):
                    nn.init.zeros_(module.bn3.weight)
                elif isinstance(module, BasicBlock):
                    nn.init.zeros_(module.bn2.weight)

    def _make_layer(
        self,
        block: type[BasicBlock | Bottleneck],
        planes: int,
        blocks: int,
        stride: int = 1,
        dilate: bool = False,
    ) -> nn.Sequential:
        norm_layer = self._norm_layer
        first_dilation = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        out = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != out:
            downsample = nn.Sequential(conv1x1(self.inplanes, out, stride), norm_layer(out))
        stage = [
            block(
                self.inplanes,
                planes,
                stride,
                downsample,
                self.groups,
                self.base_width,
                first_dilation,
                norm_layer,
            )
        ]
        self.inplanes = out
        for _ in range(1, blocks):
            stage.append(
                block(
                    out,
                    planes,
                    groups=self.groups,
                    base_width=self.base_width,
                    dilation=self.dilation,
                    norm_layer=norm_layer,
                )
            )
        return nn.Sequential(*stage)

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        x = self.maxpool(call_in_order((self.conv1, self.bn1, self.relu), x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(taeda.flatten(self.avgpool(x), 1))


def _resnet(
    name: str, block: type[BasicBlock | Bottleneck], layers: list[int], weights: Any, config: dict[str, Any]
) -> ResNet:
    return built(ResNet, block, layers, weights=weights, config=config, name=name)


@builder
def resnet18(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNet-18: 11.7 million parameters, for images of 224 x 224. Further arguments go to `ResNet`.

    After a checkpoint of a thousand classes is loaded, the last layer is exchanged for your own:

    >>> from taeda import nn
    >>> from taeda.vision.models import resnet18
    >>> model = resnet18()
    >>> model.fc = nn.Linear(model.fc.in_features, 10)
    >>> model.fc
    Linear(in_features=512, out_features=10, bias=True)
    """
    return _resnet("resnet18", BasicBlock, [2, 2, 2, 2], weights, kwargs)


@builder
def resnet34(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNet-34: 21.8 million parameters, `resnet18` with twice the blocks."""
    return _resnet("resnet34", BasicBlock, [3, 4, 6, 3], weights, kwargs)


@builder
def resnet50(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNet-50: 25.6 million parameters, for images of 224 x 224. Further arguments go to `ResNet`.

    The backbone of detectors and of segmentation; these keep its maps large by dilation:

    >>> import taeda
    >>> from taeda.vision.models import resnet50
    >>> from taeda.vision.models.feature_extraction import create_feature_extractor
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = resnet50(replace_stride_with_dilation=[False, True, True])
    ...     create_feature_extractor(model, ["layer4"])(taeda.zeros(1, 3, 224, 224))["layer4"].shape
    taeda.Size([1, 2048, 28, 28])
    """
    return _resnet("resnet50", Bottleneck, [3, 4, 6, 3], weights, kwargs)


@builder
def resnet101(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNet-101: 44.5 million parameters, `resnet50` with 23 blocks in the third stage for 6."""
    return _resnet("resnet101", Bottleneck, [3, 4, 23, 3], weights, kwargs)


@builder
def resnet152(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNet-152: 60.2 million parameters, `resnet50` with 8 and 36 blocks in the middle stages."""
    return _resnet("resnet152", Bottleneck, [3, 8, 36, 3], weights, kwargs)


@builder
def resnext50_32x4d(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNeXt-50: 25.0 million parameters, `resnet50` with 3x3 convolutions in 32 groups of 4 channels (Xie et al., 2016)."""
    return _resnet("resnext50_32x4d", Bottleneck, [3, 4, 6, 3], weights, {**kwargs, "groups": 32, "width_per_group": 4})


@builder
def resnext101_32x8d(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNeXt-101: 88.8 million parameters, `resnet101` with 3x3 convolutions in 32 groups of 8 channels."""
    return _resnet("resnext101_32x8d", Bottleneck, [3, 4, 23, 3], weights, {**kwargs, "groups": 32, "width_per_group": 8})


@builder
def resnext101_64x4d(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build ResNeXt-101: 83.5 million parameters, `resnet101` with 3x3 convolutions in 64 groups of 4 channels."""
    return _resnet("resnext101_64x4d", Bottleneck, [3, 4, 23, 3], weights, {**kwargs, "groups": 64, "width_per_group": 4})


@builder
def wide_resnet50_2(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build Wide ResNet-50-2: 68.9 million parameters, `resnet50` with 3x3 convolutions twice as wide (Zagoruyko, Komodakis, 2016)."""
    return _resnet("wide_resnet50_2", Bottleneck, [3, 4, 6, 3], weights, {**kwargs, "width_per_group": 128})


@builder
def wide_resnet101_2(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> ResNet:
    """Build Wide ResNet-101-2: 126.9 million parameters, `resnet101` with 3x3 convolutions twice as wide."""
    return _resnet("wide_resnet101_2", Bottleneck, [3, 4, 23, 3], weights, {**kwargs, "width_per_group": 128})

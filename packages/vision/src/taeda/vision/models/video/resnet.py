"""ResNets of videos: convolutions over space and time, whole or one after the other (Tran et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from taeda import Tensor, nn
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder

__all__ = ["VideoResNet", "mc3_18", "r2plus1d_18", "r3d_18"]


class Conv3DSimple(nn.Conv3d):
    """A 3x3x3 convolution."""

    def __init__(self, in_planes: int, out_planes: int, midplanes: int | None = None, stride: int = 1, padding: int = 1) -> None:
        super().__init__(in_planes, out_planes, kernel_size=(3, 3, 3), stride=stride, padding=padding, bias=False)

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """Return the strides of a shortcut."""
        return stride, stride, stride


class Conv2Plus1D(nn.Sequential):
    """A 3x3 convolution over space, then one of 3 over time."""

    def __init__(self, in_planes: int, out_planes: int, midplanes: int, stride: int = 1, padding: int = 1) -> None:
        space: dict[str, Any] = {"kernel_size": (1, 3, 3), "stride": (1, stride, stride), "padding": (0, padding, padding)}
        time: dict[str, Any] = {"kernel_size": (3, 1, 1), "stride": (stride, 1, 1), "padding": (padding, 0, 0)}
        super().__init__(
            nn.Conv3d(in_planes, midplanes, bias=False, **space),
            nn.BatchNorm3d(midplanes),
            nn.ReLU(inplace=True),
            nn.Conv3d(midplanes, out_planes, bias=False, **time),
        )

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """Return the strides of a shortcut."""
        return stride, stride, stride


class Conv3DNoTemporal(nn.Conv3d):
    """A 3x3 convolution over space, each frame by itself."""

    def __init__(self, in_planes: int, out_planes: int, midplanes: int | None = None, stride: int = 1, padding: int = 1) -> None:
        strides, edges = (1, stride, stride), (0, padding, padding)
        super().__init__(in_planes, out_planes, kernel_size=(1, 3, 3), stride=strides, padding=edges, bias=False)

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """Return the strides of a shortcut."""
        return 1, stride, stride


Conv = type[Conv3DSimple | Conv2Plus1D | Conv3DNoTemporal]


def _between(inplanes: int, planes: int) -> int:
    """Return the channels between space and time with which both have as many parameters as 3x3x3."""
    return inplanes * planes * 27 // (inplanes * 9 + 3 * planes)


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut."""

    expansion = 1

    def __init__(
        self, inplanes: int, planes: int, conv_builder: Conv, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        inner = _between(inplanes, planes)
        self.conv1 = nn.Sequential(conv_builder(inplanes, planes, inner, stride), nn.BatchNorm3d(planes), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(conv_builder(planes, planes, inner), nn.BatchNorm3d(planes))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2(self.conv1(x))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(nn.Module):
    """1x1x1, a convolution, 1x1x1, and a shortcut."""

    expansion = 4

    def __init__(
        self, inplanes: int, planes: int, conv_builder: Conv, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        wide, inner = planes * self.expansion, _between(inplanes, planes)
        first = nn.Conv3d(inplanes, planes, kernel_size=1, bias=False)
        self.conv1 = nn.Sequential(first, nn.BatchNorm3d(planes), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(conv_builder(planes, planes, inner, stride), nn.BatchNorm3d(planes), nn.ReLU(inplace=True))
        self.conv3 = nn.Sequential(nn.Conv3d(planes, wide, kernel_size=1, bias=False), nn.BatchNorm3d(wide))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv3(self.conv2(self.conv1(x)))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class BasicStem(nn.Sequential):
    """3x7x7, a normalisation and ReLU."""

    def __init__(self) -> None:
        first = nn.Conv3d(3, 64, kernel_size=(3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False)
        super().__init__(first, nn.BatchNorm3d(64), nn.ReLU(inplace=True))


class R2Plus1dStem(nn.Sequential):
    """7x7 over space, then 3 over time."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv3d(3, 45, kernel_size=(1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False),
            nn.BatchNorm3d(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, 64, kernel_size=(3, 1, 1), stride=(1, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(inplace=True),
        )


class VideoResNet(nn.Module):
    """A stem, four stages of blocks, a mean and a linear layer.

    Args:
        block: BasicBlock or Bottleneck.
        conv_makers: the kind of convolution in each stage.
        layers: number of blocks in each stage.
        stem: makes the stem.
        zero_init_residual: start each bottleneck as the identity.

    Shape: B x 3 x T x H x W gives B x num_classes.

    >>> import taeda
    >>> from taeda.vision.models.video.resnet import BasicBlock, BasicStem, Conv3DSimple, VideoResNet
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     VideoResNet(BasicBlock, [Conv3DSimple] * 4, [1, 1, 1, 1], BasicStem, num_classes=10)(taeda.zeros(1, 3, 4, 32, 32)).shape
    taeda.Size([1, 10])
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        conv_makers: Sequence[Conv],
        layers: list[int],
        stem: Callable[..., nn.Module],
        num_classes: int = 400,
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        self.inplanes = 64
        self.stem = stem()
        self.layer1 = self._make_layer(block, conv_makers[0], 64, layers[0], stride=1)
        self.layer2 = self._make_layer(block, conv_makers[1], 128, layers[1], stride=2)
        self.layer3 = self._make_layer(block, conv_makers[2], 256, layers[2], stride=2)
        self.layer4 = self._make_layer(block, conv_makers[3], 512, layers[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool3d((1, 1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv3d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.01)
                nn.init.zeros_(m.bias)
            elif isinstance(m, Bottleneck) and zero_init_residual:
                nn.init.zeros_(m.conv3[1].weight)

    def _make_layer(self, block: type[BasicBlock | Bottleneck], conv: Conv, planes: int, blocks: int, stride: int = 1) -> nn.Sequential:
        wide, downsample = planes * block.expansion, None
        if stride != 1 or self.inplanes != wide:
            first = nn.Conv3d(self.inplanes, wide, kernel_size=1, stride=conv.get_downsample_stride(stride), bias=False)
            downsample = nn.Sequential(first, nn.BatchNorm3d(wide))
        stage = [block(self.inplanes, planes, conv, stride, downsample)]
        self.inplanes = wide
        stage += [block(wide, planes, conv) for _ in range(1, blocks)]
        return nn.Sequential(*stage)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return self.fc(self.avgpool(x).flatten(1))


@builder
def r3d_18(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VideoResNet:
    """Build a ResNet of 18 layers with convolutions over space and time, 33.4 million parameters (Tran et al., 2018).

    It has 400 classes by default and takes videos of 112 x 112 pixels; further arguments go to `VideoResNet`.

    >>> import taeda
    >>> from taeda.vision.models.video import r3d_18
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     r3d_18(num_classes=10)(taeda.zeros(1, 3, 16, 112, 112)).shape
    taeda.Size([1, 10])
    """
    return built(VideoResNet, BasicBlock, [Conv3DSimple] * 4, [2] * 4, BasicStem, weights=weights, config=kwargs, name="r3d_18")


@builder
def mc3_18(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VideoResNet:
    """Build one whose later stages take each frame by itself, 11.7 million parameters; see `r3d_18`."""
    makers = [Conv3DSimple, *[Conv3DNoTemporal] * 3]
    return built(VideoResNet, BasicBlock, makers, [2] * 4, BasicStem, weights=weights, config=kwargs, name="mc3_18")


@builder
def r2plus1d_18(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VideoResNet:
    """Build one with space and time one after the other, 31.5 million parameters; see `r3d_18`."""
    return built(VideoResNet, BasicBlock, [Conv2Plus1D] * 4, [2] * 4, R2Plus1dStem, weights=weights, config=kwargs, name="r2plus1d_18")

"""RAFT: the motion between two images, refined step by step by a recurrent unit that looks up correlations (Teed, Deng, 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import built
from taeda.vision.models.registry import builder
from taeda.vision.ops.misc import Conv2dNormActivation, Layer

__all__ = ["RAFT", "raft_large", "raft_small"]


def _conv(inputs: int, outputs: int, kernel_size: int, norm_layer: Layer | None, **options: Any) -> Conv2dNormActivation:
    """Return a convolution with normalisation and ReLU. It has a bias beside a normalisation too, since trained ones are frozen."""
    return Conv2dNormActivation(inputs, outputs, kernel_size=kernel_size, norm_layer=norm_layer, bias=True, **options)


def _shortcut(inputs: int, outputs: int, stride: int, norm_layer: Layer | None, always_project: bool = False) -> nn.Module:
    if stride == 1 and not always_project:
        return nn.Identity()
    return _conv(inputs, outputs, 1, norm_layer, stride=stride, activation_layer=None)


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut, all followed by ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, *, norm_layer: Layer | None, stride: int = 1, always_project: bool = False
    ) -> None:
        super().__init__()
        self.convnormrelu1 = _conv(in_channels, out_channels, 3, norm_layer, stride=stride)
        self.convnormrelu2 = _conv(out_channels, out_channels, 3, norm_layer)
        self.downsample = _shortcut(in_channels, out_channels, stride, norm_layer, always_project)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.convnormrelu2(self.convnormrelu1(x))
        return self.relu(self.downsample(x) + y)


class BottleneckBlock(nn.Module):
    """Three convolutions, the middle one on a quarter of the channels, and a shortcut, all followed by ReLU."""

    def __init__(self, in_channels: int, out_channels: int, *, norm_layer: Layer | None, stride: int = 1) -> None:
        super().__init__()
        inner = out_channels // 4
        self.convnormrelu1 = _conv(in_channels, inner, 1, norm_layer)
        self.convnormrelu2 = _conv(inner, inner, 3, norm_layer, stride=stride)
        self.convnormrelu3 = _conv(inner, out_channels, 1, norm_layer)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, out_channels, stride, norm_layer)

    def forward(self, x: Tensor) -> Tensor:
        y = self.convnormrelu3(self.convnormrelu2(self.convnormrelu1(x)))
        return self.relu(self.downsample(x) + y)


class FeatureEncoder(nn.Module):
    """Turn images into maps an eighth as high and wide: a convolution, three pairs of blocks, a convolution of 1.

    Args:
        layers: channels after the first convolution, after each pair, and at the end.
        strides: of the first convolution and of each pair.

    Raises:
        ValueError: there are not five layers.
    """

    def __init__(
        self,
        *,
        block: Layer = ResidualBlock,
        layers: tuple[int, ...] = (64, 64, 96, 128, 256),
        strides: tuple[int, ...] = (2, 1, 2, 2),
        norm_layer: Layer | None = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        if len(layers) != 5:
            raise ValueError(f"[FeatureEncoder] The expected number of layers is 5, instead got {len(layers)}")
        first, *_, last = layers
        self.convnormrelu = _conv(3, first, 7, norm_layer, stride=strides[0])
        for i in (1, 2, 3):
            pair = (
                block(layers[i - 1], layers[i], norm_layer=norm_layer, stride=strides[i]),
                block(layers[i], layers[i], norm_layer=norm_layer, stride=1),
            )
            setattr(self, f"layer{i}", nn.Sequential(*pair))
        self.conv = nn.Conv2d(layers[3], last, kernel_size=1)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
        self.output_dim = last
        self.downsample_factor = 2 ** sum(s == 2 for s in strides)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.layer3(self.layer2(self.layer1(self.convnormrelu(x)))))


class MotionEncoder(nn.Module):
    """Encode the flow so far and the correlations around where it leads; the flow itself makes the last two channels.

    Raises:
        ValueError: there are not two flow layers, or not one or two layers of correlations.
    """

    def __init__(
        self,
        *,
        in_channels_corr: int,
        corr_layers: tuple[int, ...] = (256, 192),
        flow_layers: tuple[int, ...] = (128, 64),
        out_channels: int = 128,
    ) -> None:
        super().__init__()
        if len(flow_layers) != 2:
            raise ValueError(f"[MotionEncoder] The expected number of flow_layers is 2, instead got {len(flow_layers)}")
        if len(corr_layers) not in (1, 2):
            raise ValueError(f"[MotionEncoder] The number of corr_layers should be 1 or 2, instead got {len(corr_layers)}")
        self.convcorr1 = _conv(in_channels_corr, corr_layers[0], 1, None)
        self.convcorr2 = _conv(*corr_layers, 3, None) if len(corr_layers) == 2 else nn.Identity()
        self.convflow1 = _conv(2, flow_layers[0], 7, None)
        self.convflow2 = _conv(*flow_layers, 3, None)
        self.conv = _conv(corr_layers[-1] + flow_layers[-1], out_channels - 2, 3, None)
        self.out_channels = out_channels

    def forward(self, flow: Tensor, corr_features: Tensor) -> Tensor:
        both = [self.convcorr2(self.convcorr1(corr_features)), self.convflow2(self.convflow1(flow))]
        return taeda.cat([self.conv(taeda.cat(both, dim=1)), flow], dim=1)


class ConvGRU(nn.Module):
    """A gated recurrent unit of maps: its three layers are convolutions."""

    def __init__(self, *, input_size: int, hidden_size: int, kernel_size: Any, padding: Any) -> None:
        super().__init__()
        make = partial(nn.Conv2d, hidden_size + input_size, hidden_size, kernel_size=kernel_size, padding=padding)
        self.convz, self.convr, self.convq = make(), make(), make()

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        hx = taeda.cat([h, x], dim=1)
        z, r = self.convz(hx).sigmoid(), self.convr(hx).sigmoid()
        q = self.convq(taeda.cat([r * h, x], dim=1)).tanh()
        return (1 - z) * h + z * q


class RecurrentBlock(nn.Module):
    """One recurrent unit, or two of them in turn, as along rows and along columns.

    Raises:
        ValueError: the kernels are not one or two, or the paddings not as many.
    """

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int,
        kernel_size: tuple[Any, ...] = ((1, 5), (5, 1)),
        padding: tuple[Any, ...] = ((0, 2), (2, 0)),
    ) -> None:
        super().__init__()
        if len(kernel_size) != len(padding):
            lengths = f"len(kernel_size) = {len(kernel_size)} and len(padding) = {len(padding)}"
            raise ValueError(f"[RecurrentBlock] kernel_size should have the same length as padding, instead got {lengths}")
        if len(kernel_size) not in (1, 2):
            raise ValueError(f"[RecurrentBlock] there should be 1 or 2 kernel sizes, instead got {len(kernel_size)}")
        units = [
            ConvGRU(input_size=input_size, hidden_size=hidden_size, kernel_size=k, padding=p)
            for k, p in zip(kernel_size, padding, strict=True)
        ]
        self.convgru1 = units[0]
        self.convgru2 = units[1] if len(units) == 2 else None
        self.hidden_size = hidden_size

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        h = self.convgru1(h, x)
        return h if self.convgru2 is None else self.convgru2(h, x)


class FlowHead(nn.Module):
    """Two convolutions that read from the hidden state by how much the flow is to change."""

    def __init__(self, *, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden_size, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden_size, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.relu(self.conv1(x)))


class UpdateBlock(nn.Module):
    """A step: motion is encoded, the hidden state moves on, and the change of the flow is read from it."""

    def __init__(self, *, motion_encoder: nn.Module, recurrent_block: nn.Module, flow_head: nn.Module) -> None:
        super().__init__()
        self.motion_encoder = motion_encoder
        self.recurrent_block = recurrent_block
        self.flow_head = flow_head
        self.hidden_state_size = recurrent_block.hidden_size

    def forward(self, hidden_state: Tensor, context: Tensor, corr_features: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        x = taeda.cat([context, self.motion_encoder(flow, corr_features)], dim=1)
        hidden_state = self.recurrent_block(hidden_state, x)
        return hidden_state, self.flow_head(hidden_state)


class MaskPredictor(nn.Module):
    """Weights of the nine neighbours for each of the 8 x 8 pixels that a pixel of the flow becomes."""

    def __init__(self, *, in_channels: int, hidden_size: int, multiplier: float = 0.25) -> None:
        super().__init__()
        self.convrelu = _conv(in_channels, hidden_size, 3, None)
        self.conv = nn.Conv2d(hidden_size, 8 * 8 * 9, 1, padding=0)
        self.multiplier = multiplier        # less than 1 weakens this branch's gradients

    def forward(self, x: Tensor) -> Tensor:
        return self.multiplier * self.conv(self.convrelu(x))


class CorrBlock(nn.Module):
    """Correlations of all pairs of pixels of two maps, at `num_levels` scales, looked up in squares of `radius` around given places."""

    def __init__(self, *, num_levels: int = 4, radius: int = 4) -> None:
        super().__init__()
        self.num_levels = num_levels
        self.radius = radius
        self.corr_pyramid: list[Tensor] = []
        self.out_channels = num_levels * (2 * radius + 1) ** 2

    def build_pyramid(self, fmap1: Tensor, fmap2: Tensor) -> None:
        """Keep <a, b> / sqrt(C) for all pixels a of the first map and b of the second, and its means over 2 x 2, 4 x 4, ... pixels b.

        Raises:
            ValueError: the maps' shapes differ, or the smallest scale would have fewer than 2 x 2 pixels.
        """
        if fmap1.shape != fmap2.shape:
            shapes = f"{fmap1.shape} (fmap1.shape) != {fmap2.shape} (fmap2.shape)"
            raise ValueError(f"[CorrBlock] Input feature maps should have the same shape, instead got {shapes}")
        least = 2**self.num_levels
        if min(fmap1.shape[-2:]) < least:
            raise ValueError(
                "[CorrBlock] Feature maps are too small to be down-sampled by the correlation pyramid. H and W of feature maps should be "
                f"at least {least}; got: {fmap1.shape[-2:]}. Those of images should be at least 8 * {least} = {8 * least}."
            )
        b, c, h, w = fmap1.shape
        pairs = fmap1.flatten(2).transpose(1, 2) @ fmap2.flatten(2) / taeda.tensor(c).sqrt()
        self.corr_pyramid = [pairs.reshape(b * h * w, 1, h, w)]
        for _ in range(self.num_levels - 1):
            self.corr_pyramid.append(F.avg_pool2d(self.corr_pyramid[-1], kernel_size=2, stride=2))

    def index_pyramid(self, centroids_coords: Tensor) -> Tensor:
        """Return the correlations around the places B x 2 x H x W (x, then y), B x out_channels x H x W."""
        b, _, h, w = centroids_coords.shape
        side = taeda.linspace(-self.radius, self.radius, 2 * self.radius + 1, device=centroids_coords.device)
        around = taeda.stack(taeda.meshgrid(side, side, indexing="ij"), dim=-1)
        places = centroids_coords.permute(0, 2, 3, 1).reshape(b * h * w, 1, 1, 2)
        found = []
        for pairs in self.corr_pyramid:
            found.append(_sample(pairs, places + around).reshape(b, h, w, -1))
            places = places / 2
        return taeda.cat(found, dim=-1).permute(0, 3, 1, 2).contiguous()


def _sample(maps: Tensor, places: Tensor) -> Tensor:
    """Return the maps' values at places B x H x W x 2, counted in pixels, between which they are interpolated."""
    h, w = maps.shape[-2:]
    x, y = places[..., :1], places[..., 1:]
    return F.grid_sample(maps, taeda.cat([2 * x / (w - 1) - 1, 2 * y / (h - 1) - 1], dim=-1), mode="bilinear", align_corners=True)


def _coordinates(b: int, h: int, w: int, device: Any) -> Tensor:
    """Return the places of all pixels, b x 2 x h x w: x, then y."""
    y, x = taeda.meshgrid(taeda.arange(h, device=device), taeda.arange(w, device=device), indexing="ij")
    return taeda.stack([x, y]).float().repeat(b, 1, 1, 1)


def _upsample(flow: Tensor, mask: Tensor | None, factor: int = 8) -> Tensor:
    """Return the flow `factor` times as large, interpolated or, by a mask, as means of nine neighbours (appendix B of the paper)."""
    b, c, h, w = flow.shape
    size = [h * factor, w * factor]
    if mask is None:
        return factor * F.interpolate(flow, size=size, mode="bilinear", align_corners=True)
    weights = mask.reshape(b, 1, 9, factor, factor, h, w).softmax(dim=2)
    neighbours = F.unfold(factor * flow, kernel_size=3, padding=1).reshape(b, c, 9, 1, 1, h, w)
    return (weights * neighbours).sum(dim=2).permute(0, 1, 4, 2, 5, 3).reshape(b, c, *size)


class RAFT(nn.Module):
    """Start from no motion; look up correlations where it leads, and refine it, again and again.

    Args:
        feature_encoder, context_encoder: modules that turn images into maps an eighth as high and wide. The context's channels
            beyond the hidden state are what the unit sees at every step.
        corr_block: has ``build_pyramid(map1, map2)`` and ``index_pyramid(centroids_coords=)``.
        update_block: has `hidden_state_size`; (hidden state, context, correlations, flow) give the next state and the flow's change.
        mask_predictor: the hidden state gives weights by which the flow is enlarged; None interpolates it.

    Shape: two batches B x 3 x H x W, sides divisible by 8 and at least 128, give a list of `num_flow_updates` flows B x 2 x H x W.

    Raises:
        ValueError: the update block has no `hidden_state_size`; in `forward`, shapes of images or maps do not fit.

    The last flow is the answer; training adds the errors of all, later ones weighing more.

    >>> import taeda
    >>> from taeda.vision.models.optical_flow import raft_small
    >>> model, first, second = raft_small().eval(), taeda.rand(1, 3, 128, 128), taeda.rand(1, 3, 128, 128)
    >>> with taeda.no_grad():
    ...     flows = model(first, second, num_flow_updates=2)
    >>> len(flows), flows[-1].shape
    (2, taeda.Size([1, 2, 128, 128]))
    """

    def __init__(
        self,
        *,
        feature_encoder: nn.Module,
        context_encoder: nn.Module,
        corr_block: nn.Module,
        update_block: nn.Module,
        mask_predictor: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.feature_encoder = feature_encoder
        self.context_encoder = context_encoder
        self.corr_block = corr_block
        self.update_block = update_block
        self.mask_predictor = mask_predictor
        if not hasattr(update_block, "hidden_state_size"):
            raise ValueError("[RAFT] The update_block parameter should expose a 'hidden_state_size' attribute.")

    def forward(self, image1: Tensor, image2: Tensor, num_flow_updates: int = 12) -> list[Tensor]:
        b, _, h, w = image1.shape
        if (h, w) != image2.shape[-2:]:
            raise ValueError(f"[RAFT] input images should have the same shape, instead got ({h}, {w}) != {image2.shape[-2:]}")
        if h % 8 or w % 8:
            raise ValueError(f"[RAFT] input image H and W should be divisible by 8, instead got {h} (h) and {w} (w)")
        fmap1, fmap2 = self._encoded("feature", taeda.cat([image1, image2], dim=0)).chunk(2, dim=0)
        self.corr_block.build_pyramid(fmap1, fmap2)
        maps, size = self._encoded("context", image1), self.update_block.hidden_state_size
        if maps.shape[1] <= size:
            channels = f"outputs {maps.shape[1]} channels, but it should have strictly more than hidden_state={size} channels"
            raise ValueError(f"[RAFT] The context encoder {channels}")
        hidden_state, context = maps[:, :size].tanh(), maps[:, size:].relu()

        start = _coordinates(b, h // 8, w // 8, fmap1.device)
        places, flows = start, []
        for _ in range(num_flow_updates):
            places = places.detach()        # gradients go through the hidden state alone (section 3.3 of the paper)
            found = self.corr_block.index_pyramid(centroids_coords=places)
            hidden_state, change = self.update_block(hidden_state, context, found, places - start)
            places = places + change
            mask = None if self.mask_predictor is None else self.mask_predictor(hidden_state)
            flows.append(_upsample(places - start, mask))
        return flows

    def _encoded(self, which: str, images: Tensor) -> Tensor:
        maps = getattr(self, f"{which}_encoder")(images)
        h, w = images.shape[-2:]
        if maps.shape[-2:] != (h // 8, w // 8):
            raise ValueError(f"[RAFT] The {which} encoder should downsample H and W by 8, got {maps.shape[-2:]} for {(h, w)}")
        return maps


@dataclass(frozen=True)
class _Sizes:
    """What the two models differ in."""

    block: Layer
    feature_layers: tuple[int, ...]
    context_layers: tuple[int, ...]
    context_norm: Layer | None
    radius: int
    corr_layers: tuple[int, ...]
    flow_layers: tuple[int, ...]
    motion: int
    hidden: int
    kernels: dict[str, tuple[Any, ...]]
    head: int
    mask: bool


_WIDTHS = (64, 64, 96, 128, 256)
_ROWS_AND_COLUMNS: dict[str, tuple[Any, ...]] = {"kernel_size": ((1, 5), (5, 1)), "padding": ((0, 2), (2, 0))}
_SQUARE: dict[str, tuple[Any, ...]] = {"kernel_size": (3,), "padding": (1,)}
_LARGE = _Sizes(ResidualBlock, _WIDTHS, _WIDTHS, nn.BatchNorm2d, 4, (256, 192), (128, 64), 128, 128, _ROWS_AND_COLUMNS, 256, True)
_SMALL = _Sizes(BottleneckBlock, (32, 32, 64, 96, 128), (32, 32, 64, 96, 160), None, 3, (96,), (64, 32), 82, 96, _SQUARE, 128, False)


def _raft(
    sizes: _Sizes,
    feature_encoder: Any = None,
    context_encoder: Any = None,
    corr_block: Any = None,
    update_block: Any = None,
    mask_predictor: Any = None,
    **others: Any,
) -> RAFT:
    s = sizes
    feature_encoder = feature_encoder or FeatureEncoder(block=s.block, layers=s.feature_layers, norm_layer=nn.InstanceNorm2d)
    context_encoder = context_encoder or FeatureEncoder(block=s.block, layers=s.context_layers, norm_layer=s.context_norm)
    corr_block = corr_block or CorrBlock(num_levels=4, radius=s.radius)
    if update_block is None:
        layers: dict[str, Any] = {"corr_layers": s.corr_layers, "flow_layers": s.flow_layers}
        motion = MotionEncoder(in_channels_corr=corr_block.out_channels, out_channels=s.motion, **layers)
        seen = s.motion + s.context_layers[-1] - s.hidden
        recurrent = RecurrentBlock(input_size=seen, hidden_size=s.hidden, **s.kernels)
        head = FlowHead(in_channels=s.hidden, hidden_size=s.head)
        update_block = UpdateBlock(motion_encoder=motion, recurrent_block=recurrent, flow_head=head)
    if mask_predictor is None and s.mask:
        mask_predictor = MaskPredictor(in_channels=s.hidden, hidden_size=256)
    parts = {"feature_encoder": feature_encoder, "context_encoder": context_encoder, "corr_block": corr_block}
    return RAFT(**parts, update_block=update_block, mask_predictor=mask_predictor, **others)


@builder
def raft_large(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> RAFT:
    """Build RAFT: 5.3 million parameters; further arguments are parts of `RAFT` to put in the place of its own.

    It sees two images between -1 and 1; the last of its flows is the answer:

    >>> import taeda
    >>> from taeda.vision.models.optical_flow import raft_large
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     flows = raft_large()(taeda.zeros(1, 3, 128, 256), taeda.zeros(1, 3, 128, 256), num_flow_updates=3)
    >>> len(flows), flows[-1].shape
    (3, taeda.Size([1, 2, 128, 256]))
    """
    return built(_raft, _LARGE, weights=weights, config=kwargs, name="raft_large")


@builder
def raft_small(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> RAFT:
    """Build the small RAFT: 1.0 million parameters; further arguments are parts of `RAFT` to put in the place of its own."""
    return built(_raft, _SMALL, weights=weights, config=kwargs, name="raft_small")

"""Classifiers as backbones of detectors: their maps, joined by a feature pyramid."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from taeda import Tensor, nn
from taeda.vision.models import mobilenetv2, mobilenetv3, resnet
from taeda.vision.models._utils import IntermediateLayerGetter, stage_starts
from taeda.vision.models.registry import legacy_arguments
from taeda.vision.ops.feature_pyramid_network import ExtraFPNBlock, FeaturePyramidNetwork, LastLevelMaxPool
from taeda.vision.ops.misc import FrozenBatchNorm2d, Layer

__all__ = ["BackboneWithFPN", "mobilenet_backbone", "resnet_fpn_backbone"]


class BackboneWithFPN(nn.Module):
    """Some maps of a model, joined by a `FeaturePyramidNetwork`.

    Args:
        backbone: a model whose children are run in turn.
        return_layers: name of a child -> name of its map.
        in_channels_list: channels of those maps.
        out_channels: channels of all results.
        extra_blocks: adds further levels; `LastLevelMaxPool` by default.
        norm_layer: normalisation in the pyramid.
    """

    def __init__(
        self,
        backbone: nn.Module,
        return_layers: dict[str, str],
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(backbone, return_layers=return_layers)
        self.fpn = FeaturePyramidNetwork(in_channels_list, out_channels, extra_blocks or LastLevelMaxPool(), norm_layer)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.fpn(self.body(x))


@legacy_arguments
def resnet_fpn_backbone(
    *,
    backbone_name: str,
    weights: Any = None,
    norm_layer: Layer = FrozenBatchNorm2d,
    trainable_layers: int = 3,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> BackboneWithFPN:
    """Build a ResNet with a feature pyramid of 256 channels.

    Args:
        backbone_name: such as ``"resnet50"``.
        trainable_layers: how many of conv1 and layer1 to layer4 are learnt, counted from the last; 0 to 5.
        returned_layers: which of layer1 to layer4 the pyramid has; all by default.

    Raises:
        ValueError: a number lies outside its range, or weights are asked for.

    >>> from taeda.vision.models.detection.backbone_utils import resnet_fpn_backbone
    >>> backbone = resnet_fpn_backbone(backbone_name="resnet18")
    >>> backbone.out_channels, sorted(backbone.body.return_layers)
    (256, ['layer1', 'layer2', 'layer3', 'layer4'])
    """
    backbone = vars(resnet)[backbone_name](weights=weights, norm_layer=norm_layer)
    return _resnet_fpn_extractor(backbone, trainable_layers, returned_layers, extra_blocks)


def _resnet_fpn_extractor(
    backbone: resnet.ResNet,
    trainable_layers: int,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Layer | None = None,
) -> BackboneWithFPN:
    """Put a pyramid on a ResNet; see `resnet_fpn_backbone`."""
    if not 0 <= trainable_layers <= 5:
        raise ValueError(f"[resnet_fpn_backbone] Trainable layers should be in the range [0,5], got {trainable_layers}")
    learnt = ("layer4", "layer3", "layer2", "layer1", "conv1")[:trainable_layers]
    learnt = (*learnt, "bn1") if trainable_layers == 5 else learnt
    for name, parameter in backbone.named_parameters():
        if not name.startswith(learnt):
            parameter.requires_grad_(False)
    layers = [1, 2, 3, 4] if returned_layers is None else list(returned_layers)
    if min(layers) <= 0 or max(layers) >= 5:
        raise ValueError(f"[resnet_fpn_backbone] Each returned layer should be in the range [1,4]. Got {layers}")
    names = {f"layer{k}": str(i) for i, k in enumerate(layers)}
    channels = [backbone.inplanes // 8 * 2 ** (k - 1) for k in layers]
    return BackboneWithFPN(backbone, names, channels, 256, extra_blocks, norm_layer)


def _validate_trainable_layers(is_trained: bool, trainable_backbone_layers: int | None, max_value: int, default_value: int) -> int:
    """Return how many layers are learnt: all where no weights were trained before."""
    if not is_trained:
        if trainable_backbone_layers is not None:
            warnings.warn(
                "Changing trainable_backbone_layers has no effect if neither pretrained nor pretrained_backbone have been set to True, "
                f"falling back to trainable_backbone_layers={max_value} so that all layers are trainable",
                stacklevel=3,
            )
        return max_value
    layers = default_value if trainable_backbone_layers is None else trainable_backbone_layers
    if not 0 <= layers <= max_value:
        raise ValueError(f"[detection] Trainable backbone layers should be in the range [0,{max_value}], got {layers}")
    return layers


@legacy_arguments
def mobilenet_backbone(
    *,
    backbone_name: str,
    weights: Any = None,
    fpn: bool = True,
    norm_layer: Layer = FrozenBatchNorm2d,
    trainable_layers: int = 2,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
) -> nn.Module:
    """Build a MobileNet with a feature pyramid of 256 channels, or without `fpn` with one map of as many.

    Args:
        backbone_name: ``"mobilenet_v2"``, ``"mobilenet_v3_large"`` or ``"mobilenet_v3_small"``.
        trainable_layers: how many stages are learnt, counted from the last.
        returned_layers: which stages the pyramid has; the last two by default.

    Raises:
        ValueError: a number lies outside its range, or weights are asked for.
    """
    build = {**vars(mobilenetv2), **vars(mobilenetv3)}[backbone_name]
    backbone = build(weights=weights, norm_layer=norm_layer)
    return _mobilenet_extractor(backbone, fpn, trainable_layers, returned_layers, extra_blocks)


def freeze_stages(features: Any, trainable_layers: int, op: str) -> list[int]:
    """Freeze the stages of a MobileNet that are not learnt; return where all begin, see `stage_starts`."""
    stages = stage_starts(features)
    if not 0 <= trainable_layers <= len(stages):
        raise ValueError(f"[{op}] Trainable layers should be in the range [0,{len(stages)}], got {trainable_layers}")
    frozen = len(features) if trainable_layers == 0 else stages[len(stages) - trainable_layers]
    for block in features[:frozen]:
        for parameter in block.parameters():
            parameter.requires_grad_(False)
    return stages


def _mobilenet_extractor(
    backbone: Any,
    fpn: bool,
    trainable_layers: int,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ExtraFPNBlock | None = None,
    norm_layer: Layer | None = None,
) -> nn.Module:
    """Put a pyramid on a MobileNet; see `mobilenet_backbone`."""
    features = backbone.features
    stages = freeze_stages(features, trainable_layers, "mobilenet_backbone")
    if not fpn:
        joined: Any = nn.Sequential(features, nn.Conv2d(features[-1].out_channels, 256, 1))
        joined.out_channels = 256
        return joined
    layers = [len(stages) - 2, len(stages) - 1] if returned_layers is None else list(returned_layers)
    if min(layers) < 0 or max(layers) >= len(stages):
        raise ValueError(f"[mobilenet_backbone] Each returned layer should be in the range [0,{len(stages) - 1}], got {layers}")
    names = {str(stages[k]): str(i) for i, k in enumerate(layers)}
    channels = [features[stages[k]].out_channels for k in layers]
    return BackboneWithFPN(features, names, channels, 256, extra_blocks, norm_layer)

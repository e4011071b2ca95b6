"""Detectors in two steps: regions are proposed, then looked at one by one."""

from __future__ import annotations

from typing import Any

from taeda import Tensor, nn
from taeda.vision.models.detection._detector import Detector
from taeda.vision.models.detection._utils import Detections, Target
from taeda.vision.models.detection.image_list import ImageList

__all__ = ["GeneralizedRCNN"]


class GeneralizedRCNN(Detector):
    """A backbone, a network that proposes regions, and heads for what is in them; called as every `Detector` is.

    Args:
        backbone: images to a map, or a dict of maps.
        rpn: see `RegionProposalNetwork`.
        roi_heads: see `RoIHeads`.
        transform: see `GeneralizedRCNNTransform`.
    """

    def __init__(self, backbone: nn.Module, rpn: Any, roi_heads: Any, transform: nn.Module) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads

    def detect(
        self, images: ImageList, features: dict[str, Tensor], targets: list[Target] | None
    ) -> tuple[dict[str, Tensor], Detections]:
        """Propose regions, and classify them."""
        proposals, proposal_losses = self.rpn(images, features, targets)
        detections, losses = self.roi_heads(features, proposals, images.image_sizes, targets)
        return {**losses, **proposal_losses}, detections

"""Models that classify films."""

from taeda.vision.models.video.resnet import VideoResNet, mc3_18, r2plus1d_18, r3d_18

__all__ = ["VideoResNet", "mc3_18", "r2plus1d_18", "r3d_18"]

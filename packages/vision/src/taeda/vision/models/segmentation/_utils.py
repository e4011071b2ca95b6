"""The model that has a backbone and a classifier of its pixels, by torchvision's path and name."""

from taeda.vision.models.segmentation._model import SegmentationModel as _SimpleSegmentationModel

__all__ = ["_SimpleSegmentationModel"]

"""MobileNets, where torchvision has them together."""

from taeda.vision.models.mobilenetv2 import *  # noqa: F403
from taeda.vision.models.mobilenetv2 import __all__ as _second
from taeda.vision.models.mobilenetv3 import *  # noqa: F403
from taeda.vision.models.mobilenetv3 import __all__ as _third

__all__ = [*_second, *_third]

"""``functional`` under the module that torchvision keeps its functions of PIL images in; these take both kinds of images."""

from taeda.vision.transforms.functional import *  # noqa: F403
from taeda.vision.transforms.functional import __all__ as __all__

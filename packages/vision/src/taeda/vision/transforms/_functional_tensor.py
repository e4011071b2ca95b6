"""``functional`` under the module that torchvision keeps its functions of tensors in; these take both kinds of images."""

from taeda.vision.transforms.convert import largest_value
from taeda.vision.transforms.functional import *  # noqa: F403
from taeda.vision.transforms.functional import __all__ as __all__


def _max_value(dtype: object) -> int:
    """Return the largest value of an integer dtype, and 1 for the others."""
    return largest_value(dtype)

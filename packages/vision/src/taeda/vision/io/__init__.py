"""Reading and writing of images, and of files as bytes; see `image`."""

from taeda.vision.io import image
from taeda.vision.io.image import *  # noqa: F403

__all__ = [*image.__all__]

"""The two kinds of images, and what both have: channels, height, width.

Whatever is neither raises TypeError: an image that passed through untouched would only be missed much later.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeGuard, TypeVar

from PIL import Image

import taeda

__all__ = [
    "AnImage",
    "I",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "is_tensor_image",
]

AnImage: TypeAlias = Image.Image | taeda.Tensor
I = TypeVar("I", Image.Image, taeda.Tensor)


def is_tensor_image(img: Any, op: str) -> TypeGuard[taeda.Tensor]:
    """Say whether `img` is a tensor image (True) or a PIL image (False); refuse all else."""
    if isinstance(img, Image.Image):
        return False
    if not isinstance(img, taeda.Tensor):
        hint = "; ToTensor or ToPILImage makes it one" if hasattr(img, "__array__") else ""
        raise TypeError(f"[{op}] img should be PIL Image or Tensor. Got {type(img)}{hint}")
    if img.dim() < 2:
        raise TypeError(
            f"[{op}] Tensor is not an image: it needs at least 2 dimensions, got {tuple(img.shape)}"
        )
    return True


def get_dimensions(img: AnImage) -> list[int]:
    """Return [channels, height, width].

    >>> import taeda
    >>> from taeda.vision.transforms.kinds import get_dimensions
    >>> get_dimensions(taeda.zeros(3, 20, 30))
    [3, 20, 30]
    """
    if is_tensor_image(img, "get_dimensions"):
        return [1 if img.dim() == 2 else img.shape[-3], img.shape[-2], img.shape[-1]]
    return [len(img.getbands()), img.height, img.width]


def get_image_size(img: AnImage) -> list[int]:
    """Return [width, height].

    >>> import taeda
    >>> from taeda.vision.transforms.kinds import get_image_size
    >>> get_image_size(taeda.zeros(3, 20, 30))
    [30, 20]
    """
    _, h, w = get_dimensions(img)
    return [w, h]


def get_image_num_channels(img: AnImage) -> int:
    """Return the number of channels.

    >>> import taeda
    >>> from taeda.vision.transforms.kinds import get_image_num_channels
    >>> get_image_num_channels(taeda.zeros(3, 20, 30))
    3
    """
    return get_dimensions(img)[0]

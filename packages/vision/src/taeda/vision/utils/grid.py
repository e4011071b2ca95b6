"""Image grids: many small images as one large one."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import IO, Any

import taeda
from taeda.vision.io import save_pil
from taeda.vision.transforms.convert import to_pil_image

__all__ = ["make_grid", "save_image"]


def _batch(tensor: Any) -> taeda.Tensor:
    """Make B x C x H x W of an image, a batch or a list of images; grey becomes three channels."""
    if isinstance(tensor, taeda.Tensor):
        batch = tensor
    elif isinstance(tensor, (list, tuple)) and all(isinstance(image, taeda.Tensor) for image in tensor):
        shapes = {tuple(image.shape) for image in tensor}
        if len(shapes) > 1:
            raise RuntimeError(
                f"[make_grid] the images of a list should have one shape, got {sorted(shapes)}"
            )
        if not tensor:
            raise ValueError("[make_grid] the list of images is empty")
        batch = taeda.stack(list(tensor), 0)
    else:
        raise TypeError(f"[make_grid] tensor or list of tensors expected, got {type(tensor)}")
    if batch.dim() not in (2, 3, 4):
        raise ValueError(
            "[make_grid] images should have shape (H, W), (C, H, W) or (B, C, H, W), got "
            f"{tuple(batch.shape)}"
        )
    if batch.dim() == 2:
        batch = batch.unsqueeze(0)
    if batch.dim() == 3:
        batch = batch.unsqueeze(0)
    if batch.shape[0] == 0:
        raise ValueError(f"[make_grid] there are no images in a batch of shape {tuple(batch.shape)}")
    return taeda.cat((batch, batch, batch), 1) if batch.shape[1] == 1 else batch


def _to_unit(image: taeda.Tensor, value_range: tuple[float, float] | None) -> None:
    """Bring an image into 0 ... 1, in place: from `value_range`, or from its own least and greatest value."""
    low, high = value_range if value_range is not None else (float(image.min()), float(image.max()))
    image.clamp_(min=low, max=high).sub_(low).div_(max(high - low, 1e-5))


@taeda.no_grad()
def make_grid(
    tensor: taeda.Tensor | Sequence[taeda.Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> taeda.Tensor:
    """Lay images out in a grid.

    Args:
        tensor: B x C x H x W, or one image, or a list of images of one shape.
        nrow: images in a row.
        padding: pixels around each image.
        normalize: bring the values into 0 ... 1.
        value_range: (min, max) that become 0 and 1; by default the least and greatest value there are.
        scale_each: find those for each image by itself.
        pad_value: value of the padding.

    Returns:
        C x H' x W'; a single image comes back as it is, without padding.

    Raises:
        TypeError: `tensor` is neither tensor nor list of tensors, or `value_range` is not a tuple.
        ValueError: the shape is none of images, or there are none.

    >>> import taeda
    >>> from taeda.vision.utils import make_grid
    >>> make_grid(taeda.zeros(5, 1, 4, 4), nrow=3).shape == (3, 14, 20)
    True
    """
    batch = _batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(
                "[make_grid] value_range has to be a tuple (min, max) if specified. min and max are numbers, "
                f"got {value_range!r}"
            )
        batch = batch.clone()
        for part in batch if scale_each else (batch,):
            _to_unit(part, value_range)
    if nrow < 1 or padding < 0:
        raise ValueError(
            f"[make_grid] nrow should be at least 1 and padding at least 0, got {nrow} and {padding}"
        )
    count, channels, h, w = batch.shape
    if count == 1:
        return batch.squeeze(0)
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    h, w = h + padding, w + padding
    grid = batch.new_full((channels, h * rows + padding, w * columns + padding), pad_value)
    for i in range(count):
        top, left = i // columns * h + padding, i % columns * w + padding
        grid[:, top : top + h - padding, left : left + w - padding] = batch[i]
    return grid


@taeda.no_grad()
def save_image(
    tensor: taeda.Tensor | Sequence[taeda.Tensor],
    fp: str | os.PathLike[str] | IO[bytes],
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Save images with values 0.0 ... 1.0 as one image file; a batch becomes a grid.

    The file is written whole or not at all.

    Args:
        tensor: as for `make_grid`.
        fp: a file's name or an open binary file.
        format: of the file; by default from the name's ending.
        kwargs: for `make_grid`.

    >>> import taeda
    >>> from PIL import Image
    >>> from taeda.vision.utils import save_image
    >>> save_image(taeda.rand(6, 3, 4, 4), "grid.png", nrow=3, padding=1)
    >>> with Image.open("grid.png") as picture:
    ...     picture.size
    (16, 11)
    """
    grid = make_grid(tensor, **kwargs)
    save_pil(to_pil_image(grid.mul(255).add_(0.5).clamp_(0, 255).to("cpu", taeda.uint8)), fp, format)

"""Resizing tensors, for v1 and v2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import functional as NN

__all__ = ["resize_tensor"]

_FLOATS = (taeda.float32, taeda.float64)


def resize_tensor(
    img: Tensor, height: int, width: int, mode: str, antialias: bool, computed: Sequence[Any] = _FLOATS
) -> Tensor:
    """Resize the last two dimensions of `img`: ... x H x W gives ... x height x width.

    Args:
        img: any real dtype; whole numbers are rounded, and kept in 0 ... 255 where they are uint8.
        mode: ``nearest``, ``nearest-exact``, ``bilinear``, ``bicubic`` or, with antialiasing, ``lanczos``.
        antialias: stretch the filter where the image shrinks, as Pillow does; without meaning for the nearest modes.
        computed: dtypes that are resized as they are; others go by float32.
    """
    shape = (*img.shape[:-2], height, width)
    if img.numel() == 0:
        return img.reshape(shape)
    x = img if img.dim() == 4 else img.reshape(-1, *img.shape[-3:]) if img.dim() > 2 else img[None, None]
    as_it_is = img.dtype in computed
    x = x if as_it_is else x.to(taeda.float32)
    options: dict[str, Any] = {} if mode.startswith("nearest") else {"align_corners": False, "antialias": antialias}
    x = NN.interpolate(x, size=[height, width], mode=mode, **options)
    if not as_it_is:
        if not img.is_floating_point():
            x = x.round_()
            x = x.clamp_(0, 255) if img.dtype == taeda.uint8 and mode != "bilinear" else x
        x = x.to(img.dtype)
    return x if img.dim() == 4 else x.reshape(shape)

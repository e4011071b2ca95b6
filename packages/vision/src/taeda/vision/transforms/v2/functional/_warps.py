"""Warps of images, videos and masks: affine and perspective maps, displacements; boxes and points follow in `_boxes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.vision.transforms import warp
from taeda.vision.transforms.convert import pil_to_tensor, to_pil_image
from taeda.vision.transforms.v2.functional._dispatch import dispatched, kernel
from taeda.vision.transforms.v2.functional._geometry import BILINEAR, MASK, NEAREST, Fill, Mode, flat, mode_of
from taeda.vision.transforms.v2.functional._sizes import PIL_IMAGE, TENSORS

__all__ = ["affine", "elastic", "elastic_transform", "perspective", "rotate"]


@dispatched
def affine(
    inpt: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: Mode = NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Any:
    """Turn (clockwise), shear, scale and move, the size kept; see `transforms.functional.affine`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.affine(taeda.tensor([[[1.0, 2.0, 3.0]]]), angle=0, translate=[1, 0], scale=1.0, shear=[0.0, 0.0])
    tensor([[[0., 1., 2.]]])
    """
    raise NotImplementedError


@kernel(affine, *TENSORS)
def affine_image(
    image: Tensor, angle: Any, translate: Any, scale: float, shear: Any, interpolation: Mode = NEAREST,
    fill: Fill = None, center: Any = None,
) -> Tensor:
    """Warp a tensor by an affine map.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> image = taeda.arange(6.0).reshape(1, 2, 3)
    >>> F.affine_image(image, angle=0.0, translate=[1, 0], scale=1.0, shear=[0.0, 0.0])
    tensor([[[0., 0., 1.],
             [0., 3., 4.]]])
    """
    mode = mode_of(interpolation, "affine")
    return warp.affine_tensor(image, angle, translate, scale, shear, mode.value, fill, center)


@kernel(affine, PIL_IMAGE)
def _affine_pil(
    image: Any, angle: Any, translate: Any, scale: float, shear: Any, interpolation: Mode = NEAREST, fill: Fill = None, center: Any = None
) -> Any:
    return warp.affine(image, angle, translate, scale, shear, mode_of(interpolation, "affine"), fill, center)


@kernel(affine, MASK)
def affine_mask(
    mask: Tensor, angle: Any, translate: Any, scale: float, shear: Any, interpolation: Mode = NEAREST, fill: Fill = None, center: Any = None
) -> Tensor:
    """Warp a mask by an affine map; values are taken from the nearest pixel.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> mask = taeda.tensor([[[0, 1, 2]]])
    >>> F.affine_mask(mask, angle=0.0, translate=[1, 0], scale=1.0, shear=[0.0, 0.0])
    tensor([[[0, 0, 1]]])
    """
    mask, bare = flat(mask)
    out = affine_image(mask, angle, translate, scale, shear, NEAREST, fill, center)
    return out.squeeze(0) if bare else out


@dispatched
def rotate(
    inpt: Any,
    angle: float,
    interpolation: Mode = NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Any:
    """Turn counter-clockwise by degrees; with `expand`, the result holds all of it.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.rotate(taeda.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 90)
    tensor([[[2., 4.],
             [1., 3.]]])
    """
    raise NotImplementedError


@kernel(rotate, *TENSORS)
def rotate_image(
    image: Tensor, angle: float, interpolation: Mode = NEAREST, expand: bool = False, center: Any = None, fill: Fill = None
) -> Tensor:
    """Turn a tensor; quarter turns that fit move pixels onto pixels.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.rotate_image(taeda.arange(4).reshape(1, 2, 2), angle=90)
    tensor([[[1, 3],
             [0, 2]]])
    """
    angle = angle % 360
    h, w = image.shape[-2:]
    if center is None:
        if angle in (0, 180) or (angle in (90, 270) and (expand or h == w)):
            return taeda.rot90(image, k=int(angle) // 90, dims=(-2, -1)) if angle else image.clone()
    return warp.rotate_tensor(image, angle, mode_of(interpolation, "rotate").value, expand, center, fill)


@kernel(rotate, PIL_IMAGE)
def _rotate_pil(
    image: Any, angle: float, interpolation: Mode = NEAREST, expand: bool = False, center: Any = None, fill: Fill = None
) -> Any:
    return warp.rotate(image, angle, mode_of(interpolation, "rotate"), expand, center, fill)


@kernel(rotate, MASK)
def rotate_mask(
    mask: Tensor, angle: float, interpolation: Mode = NEAREST, expand: bool = False, center: Any = None, fill: Fill = None
) -> Tensor:
    """Turn a mask; values are taken from the nearest pixel.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.rotate_mask(taeda.arange(4).reshape(1, 2, 2), angle=90)
    tensor([[[1, 3],
             [0, 2]]])
    """
    mask, bare = flat(mask)
    out = rotate_image(mask, angle, NEAREST, expand, center, fill)
    return out.squeeze(0) if bare else out


def coefficients_of(startpoints: Any, endpoints: Any, coefficients: Any) -> list[float]:
    """Return the eight numbers of a perspective map, given as such or by points."""
    if coefficients is not None:
        if startpoints is not None and endpoints is not None:
            raise ValueError("[perspective] The startpoints/endpoints and the coefficients shouldn't be defined concurrently.")
        if len(coefficients) != 8:
            raise ValueError(f"[perspective] Argument coefficients should have 8 float values, got {len(coefficients)}")
        return list(coefficients)
    if startpoints is None or endpoints is None:
        raise ValueError("[perspective] Either the startpoints/endpoints or the coefficients must have non `None` values.")
    return warp.perspective_coefficients(startpoints, endpoints)


@dispatched
def perspective(
    inpt: Any, startpoints: Any, endpoints: Any, interpolation: Mode = BILINEAR, fill: Fill = None, coefficients: Any = None
) -> Any:
    """Map four points to four others and all between in perspective; or by the eight coefficients of the map back.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> corners = [[0, 0], [2, 0], [2, 1], [0, 1]]                         # (column, row), clockwise from the top left
    >>> F.perspective(taeda.arange(6.0).reshape(1, 2, 3), corners, corners).round()
    tensor([[[0., 1., 2.],
             [3., 4., 5.]]])
    """
    raise NotImplementedError


@kernel(perspective, *TENSORS)
def perspective_image(
    image: Tensor, startpoints: Any, endpoints: Any, interpolation: Mode = BILINEAR, fill: Fill = None, coefficients: Any = None
) -> Tensor:
    """Warp a tensor in perspective.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> corners, wider = [[0, 0], [4, 0], [4, 4], [0, 4]], [[0, 0], [8, 0], [8, 4], [0, 4]]
    >>> F.perspective_image(taeda.ones(1, 4, 8), corners, wider).shape
    taeda.Size([1, 4, 8])
    """
    numbers = coefficients_of(startpoints, endpoints, coefficients)
    return warp.perspective_tensor(image, numbers, mode_of(interpolation, "perspective").value, fill)


@kernel(perspective, PIL_IMAGE)
def _perspective_pil(
    image: Any, startpoints: Any, endpoints: Any, interpolation: Mode = BILINEAR, fill: Fill = None, coefficients: Any = None
) -> Any:
    numbers = coefficients_of(startpoints, endpoints, coefficients)
    return warp.perspective_pil(image, numbers, mode_of(interpolation, "perspective"), fill)


@kernel(perspective, MASK)
def perspective_mask(
    mask: Tensor, startpoints: Any, endpoints: Any, interpolation: Mode = NEAREST, fill: Fill = None, coefficients: Any = None
) -> Tensor:
    """Warp a mask in perspective; values are taken from the nearest pixel.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> corners, wider = [[0, 0], [4, 0], [4, 4], [0, 4]], [[0, 0], [8, 0], [8, 4], [0, 4]]
    >>> F.perspective_mask(taeda.ones(1, 4, 8, dtype=taeda.uint8), corners, wider).shape
    taeda.Size([1, 4, 8])
    """
    mask, bare = flat(mask)
    out = perspective_image(mask, startpoints, endpoints, NEAREST, fill, coefficients)
    return out.squeeze(0) if bare else out


@dispatched
def elastic(inpt: Any, displacement: Tensor, interpolation: Mode = BILINEAR, fill: Fill = None) -> Any:
    """Move every pixel by a displacement of its own, 1 x H x W x 2 in halves of the image's size.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> right = taeda.tensor([2 / 3, 0.0]).expand(1, 1, 3, 2)              # one pixel of three
    >>> F.elastic(taeda.tensor([[[1.0, 2.0, 3.0]]]), right)
    tensor([[[2., 3., 0.]]])
    """
    raise NotImplementedError


elastic_transform = elastic


@kernel(elastic, *TENSORS)
def elastic_image(image: Tensor, displacement: Tensor, interpolation: Mode = BILINEAR, fill: Fill = None) -> Tensor:
    """Warp a tensor by displacements.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> image = taeda.arange(4.0).reshape(1, 2, 2)
    >>> taeda.equal(F.elastic_image(image, taeda.zeros(1, 2, 2, 2)), image)
    True
    """
    return warp.elastic_tensor(image, displacement, mode_of(interpolation, "elastic").value, fill)


@kernel(elastic, PIL_IMAGE)
def _elastic_pil(image: Any, displacement: Tensor, interpolation: Mode = BILINEAR, fill: Fill = None) -> Any:
    return to_pil_image(elastic_image(pil_to_tensor(image), displacement, interpolation, fill), mode=image.mode)


@kernel(elastic, MASK)
def elastic_mask(mask: Tensor, displacement: Tensor, interpolation: Mode = NEAREST, fill: Fill = None) -> Tensor:
    """Warp a mask by displacements; values are taken from the nearest pixel.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> mask = taeda.arange(4).reshape(1, 2, 2)
    >>> taeda.equal(F.elastic_mask(mask, taeda.zeros(1, 2, 2, 2)), mask)
    True
    """
    mask, bare = flat(mask)
    out = elastic_image(mask, displacement, NEAREST, fill)
    return out.squeeze(0) if bare else out


affine_video, rotate_video, perspective_video, elastic_video = affine_image, rotate_image, perspective_image, elastic_image

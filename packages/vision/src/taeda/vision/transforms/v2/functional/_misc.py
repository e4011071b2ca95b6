"""Normalising, blur, noise, erasing, compression, and the choice of boxes and points that are valid."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

import taeda
from taeda import Tensor
from taeda.vision import tv_tensors
from taeda.vision.transforms import warp
from taeda.vision.transforms.convert import pil_to_tensor, to_pil_image
from taeda.vision.transforms.v2.functional._dispatch import dispatched, is_pure_tensor, kernel
from taeda.vision.transforms.v2.functional._formats import convert
from taeda.vision.transforms.v2.functional._sizes import PIL_IMAGE, TENSORS

__all__ = ["erase", "gaussian_blur", "gaussian_noise", "jpeg", "normalize", "sanitize_bounding_boxes", "sanitize_keypoints"]


@dispatched
def normalize(inpt: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """Return ``(image - mean) / std``, one number for each channel of a float image or video.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.normalize(taeda.tensor([[[0.0, 0.5, 1.0]]]), mean=[0.5], std=[0.25])
    tensor([[[-2.,  0.,  2.]]])
    """
    raise NotImplementedError


@kernel(normalize, *TENSORS)
def normalize_image(image: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Normalise a tensor ... x C x H x W.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.normalize_image(taeda.tensor([[[0.25, 0.75]]]), mean=[0.5], std=[0.25])
    tensor([[[-1.,  1.]]])
    """
    if not image.is_floating_point():
        raise TypeError(
            f"[normalize] Input tensor should be a float tensor. Got {image.dtype}. ToDtype(taeda.float32, scale=True) makes it one"
        )
    if image.dim() < 3:
        raise ValueError(f"[normalize] Expected tensor to be a tensor image of size (..., C, H, W). Got {tuple(image.shape)}.")
    if std == 0 if isinstance(std, (int, float)) else isinstance(std, (tuple, list)) and not all(std):
        raise ValueError("[normalize] std evaluated to zero, leading to division by zero.")
    means, stds = taeda.as_tensor(mean, dtype=image.dtype), taeda.as_tensor(std, dtype=image.dtype)
    means = means.reshape(-1, 1, 1) if means.dim() == 1 else means
    stds = stds.reshape(-1, 1, 1) if stds.dim() == 1 else stds
    return (image.sub_(means) if inplace else image.sub(means)).div_(stds)


@dispatched
def gaussian_blur(inpt: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """Smooth by a Gaussian; see `transforms.functional.gaussian_blur`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.gaussian_blur(taeda.eye(3)[None], [3, 3], [1.0, 1.0]).round(decimals=3)
    tensor([[[0.5050, 0.3720, 0.3000],
             [0.3720, 0.3540, 0.3720],
             [0.3000, 0.3720, 0.5050]]])
    """
    raise NotImplementedError


kernel(gaussian_blur, *TENSORS)(warp.blur_tensor)
gaussian_blur_image = warp.blur_tensor


@kernel(gaussian_blur, PIL_IMAGE)
def _gaussian_blur_pil(image: Any, kernel_size: Any, sigma: Any = None) -> Any:
    return to_pil_image(warp.blur_tensor(pil_to_tensor(image), kernel_size, sigma), mode=image.mode)


@dispatched
def gaussian_noise(inpt: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    """Add normal noise, in units of the range of the dtype; with `clip`, values stay in it.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.gaussian_noise(taeda.full((1, 100, 100), 0.5), mean=0.25, sigma=0.0).unique()
    tensor([0.7500])
    """
    raise NotImplementedError


@kernel(gaussian_noise, *TENSORS)
def gaussian_noise_image(image: Tensor, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Tensor:
    """Add normal noise to a tensor of floats or uint8.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.gaussian_noise_image(taeda.full((1, 2, 2), 0.5), sigma=0.0)                     # clipped to 0 ... 1
    tensor([[[0.5000, 0.5000],
             [0.5000, 0.5000]]])
    """
    if sigma < 0:
        raise ValueError(f"[gaussian_noise] sigma shouldn't be negative. Got {sigma}")
    if image.is_floating_point():
        out = image + (mean + taeda.randn_like(image) * sigma)
        return out.clamp(0, 1) if clip else out
    if image.dtype != taeda.uint8:
        raise ValueError(f"[gaussian_noise] Input tensor is expected to be in uint8 or float dtype, got dtype={image.dtype}")
    noise = (mean * 255 + taeda.randn_like(image, dtype=taeda.float32) * (sigma * 255)).to(taeda.int16)
    out = image + noise
    return (out.clamp(0, 255) if clip else out).to(taeda.uint8)


@kernel(gaussian_noise, PIL_IMAGE)
def _gaussian_noise_pil(image: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    raise ValueError("[gaussian_noise] Gaussian Noise is not implemented for PIL images; use ToImage first")


@dispatched
def erase(inpt: Any, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Any:
    """Set the h x w pixels from row i and column j to `v`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.erase(taeda.ones(1, 2, 3), i=0, j=1, h=2, w=2, v=taeda.zeros(1, 1, 1))
    tensor([[[1., 0., 0.],
             [1., 0., 0.]]])
    """
    raise NotImplementedError


@kernel(erase, *TENSORS)
def erase_image(image: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """Set pixels of a tensor.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.erase_image(taeda.ones(1, 2, 3), i=0, j=1, h=1, w=2, v=taeda.zeros(1))
    tensor([[[1., 0., 0.],
             [1., 1., 1.]]])
    """
    image = image if inplace else image.clone()
    image[..., i : i + h, j : j + w] = v
    return image


@kernel(erase, PIL_IMAGE)
def _erase_pil(image: Any, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Any:
    return to_pil_image(erase_image(pil_to_tensor(image), i, j, h, w, v), mode=image.mode)


@dispatched
def jpeg(image: Any, quality: int) -> Any:
    """Compress by JPEG and decompress; quality 1 to 100.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.jpeg(taeda.full((3, 16, 16), 128, dtype=taeda.uint8), quality=50).float().mean()
    tensor(128.)
    """
    raise NotImplementedError


@kernel(jpeg, PIL_IMAGE)
def _jpeg_pil(image: Any, quality: int) -> Any:
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=quality)
    return Image.open(file).copy()


@kernel(jpeg, *TENSORS)
def jpeg_image(image: Tensor, quality: int) -> Tensor:
    """Compress uint8 images ... x C x H x W with 1 or 3 channels.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.jpeg_image(taeda.zeros(3, 8, 8, dtype=taeda.uint8), quality=50).shape
    taeda.Size([3, 8, 8])
    """
    flat = image.reshape(-1, *image.shape[-3:])
    if flat.shape[0] == 0:
        return image.clone()
    done = [pil_to_tensor(_jpeg_pil(to_pil_image(x), quality)) for x in flat]
    return taeda.stack(done).reshape(image.shape)


def valid_boxes(boxes: Tensor, format: Any, canvas: Any, min_size: float, min_area: float) -> Tensor:
    """Say which plain boxes lie on the canvas and are large enough."""
    is_rotated = tv_tensors.is_rotated_bounding_format(format)
    kind = tv_tensors.BoundingBoxFormat.XYXYXYXY if is_rotated else tv_tensors.BoundingBoxFormat.XYXY
    x = convert(boxes, format, kind)
    if is_rotated:
        a, b, c = x[..., 0:2], x[..., 2:4], x[..., 4:6]
        w, h = (a - b).pow(2).sum(-1).sqrt(), (b - c).pow(2).sum(-1).sqrt()
    else:
        w, h = x[..., 2] - x[..., 0], x[..., 3] - x[..., 1]
    valid = (w >= min_size) & (h >= min_size) & (x >= 0).all(dim=-1) & (w * h >= min_area)
    return valid & (x[..., 0::2] <= canvas[1]).all(-1) & (x[..., 1::2] <= canvas[0]).all(-1)


def sanitize_bounding_boxes(
    bounding_boxes: Any, format: Any = None, canvas_size: Any = None, min_size: float = 1.0, min_area: float = 1.0
) -> tuple[Any, Tensor]:
    """Drop boxes that are too small or reach over the border; return the others and which those are.

    Raises:
        ValueError: a plain tensor comes without `format` and `canvas_size`, or boxes with them.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> boxes = taeda.tensor([[1, 1, 5, 5], [3, 3, 3, 8], [8, 8, 14, 9]])          # the second has no width, the third leaves
    >>> F.sanitize_bounding_boxes(boxes, "XYXY", canvas_size=(10, 10))
    (tensor([[1, 1, 5, 5]]), tensor([ True, False, False]))
    """
    if is_pure_tensor(bounding_boxes):
        if format is None or canvas_size is None:
            raise ValueError(
                "[sanitize_bounding_boxes] format and canvas_size cannot be None if bounding_boxes is a pure tensor, "
                f"got format={format} and canvas_size={canvas_size}"
            )
        kind = tv_tensors.as_format(format)
        valid = valid_boxes(bounding_boxes, kind, canvas_size, min_size, min_area)
        return bounding_boxes[valid], valid
    if not isinstance(bounding_boxes, tv_tensors.BoundingBoxes):
        raise ValueError("[sanitize_bounding_boxes] bounding_boxes must be a tv_tensors.BoundingBoxes instance or a pure tensor.")
    if format is not None or canvas_size is not None:
        raise ValueError(
            "[sanitize_bounding_boxes] format and canvas_size must be None when bounding_boxes is a tv_tensors.BoundingBoxes instance, "
            f"got format={format} and canvas_size={canvas_size}"
        )
    plain = bounding_boxes.as_subclass(Tensor)
    valid = valid_boxes(plain, bounding_boxes.format, bounding_boxes.canvas_size, min_size, min_area)
    return tv_tensors.wrap(plain[valid], like=bounding_boxes), valid


def valid_points(points: Tensor, canvas: Any) -> Tensor:
    """Say which groups of points (the first dimension) lie wholly on the canvas."""
    h, w = canvas
    x, y = points[..., 0], points[..., 1]
    valid = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    return valid.flatten(start_dim=1).all(dim=1) if valid.dim() > 1 else valid


def sanitize_keypoints(key_points: Any, canvas_size: Any = None) -> tuple[Any, Tensor]:
    """Drop points outside of the canvas; return the others and which those are.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.sanitize_keypoints(taeda.tensor([[1, 2], [30, 2]]), canvas_size=(10, 20))
    (tensor([[1, 2]]), tensor([ True, False]))
    """
    pure = is_pure_tensor(key_points)
    if not pure and not isinstance(key_points, tv_tensors.KeyPoints):
        raise ValueError("[sanitize_keypoints] key_points must be a tv_tensors.KeyPoints instance or a pure tensor.")
    if pure == (canvas_size is None):
        raise ValueError("[sanitize_keypoints] canvas_size has to be passed for a pure tensor, and must be None for tv_tensors.KeyPoints")
    plain = key_points.as_subclass(Tensor)
    valid = valid_points(plain, canvas_size if pure else key_points.canvas_size)
    return (plain[valid] if pure else tv_tensors.wrap(plain[valid], like=key_points)), valid


normalize_video, gaussian_blur_video, gaussian_noise_video = normalize_image, gaussian_blur_image, gaussian_noise_image
erase_video, jpeg_video = erase_image, jpeg_image

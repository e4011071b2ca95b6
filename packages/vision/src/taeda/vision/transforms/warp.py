"""Warps: rotations, affine, perspective and elastic maps of images, and blur.

A tensor is sampled on a grid of points (`grid_sample`); a PIL image goes to Pillow, or through a tensor where Pillow has no such map.
Matrices lead from the result to the image, as both need.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from PIL import Image

import taeda
from taeda import Tensor
from taeda.nn import functional as NN
from taeda.vision.transforms.convert import pil_to_tensor, to_pil_image
from taeda.vision.transforms.geometry import PILLOW_MODES, InterpolationMode, interpolation_mode
from taeda.vision.transforms.kinds import I, is_tensor_image

__all__ = ["affine", "elastic_transform", "gaussian_blur", "perspective", "rotate"]

Fill = float | Sequence[float] | None


def affine_matrix(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float], inverted: bool = True
) -> list[float]:
    """Return the six numbers of ``T(translate) C R(angle) Shear S(scale) C^-1`` with C the centre, or of its inverse; degrees."""
    turn, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    (cx, cy), (tx, ty) = center, translate
    a = math.cos(turn - shear_y) / math.cos(shear_y)
    b = -a * math.tan(shear_x) - math.sin(turn)
    c = math.sin(turn - shear_y) / math.cos(shear_y)
    d = math.cos(turn) - c * math.tan(shear_x)
    if inverted:
        p, q, r, s = d / scale, -b / scale, -c / scale, a / scale
        return [p, q, cx - p * (cx + tx) - q * (cy + ty), r, s, cy - r * (cx + tx) - s * (cy + ty)]
    p, q, r, s = a * scale, b * scale, c * scale, d * scale
    return [p, q, cx + tx - p * cx - q * cy, r, s, cy + ty - r * cx - s * cy]


def checked_affine(angle: Any, translate: Any, scale: float, shear: Any, center: Any) -> tuple[float, list[float], list[float], Any]:
    """Check the arguments of an affine map; return angle, translation, shear and centre as numbers.

    Raises:
        TypeError, ValueError: an argument has the wrong type, length or sign.
    """
    if not isinstance(angle, (int, float)):
        raise TypeError(f"[affine] Argument angle should be int or float, got {angle!r}")
    if not isinstance(translate, (list, tuple)):
        raise TypeError(f"[affine] Argument translate should be a sequence, got {translate!r}")
    if len(translate) != 2:
        raise ValueError(f"[affine] Argument translate should be a sequence of length 2, got {translate!r}")
    if scale <= 0.0:
        raise ValueError(f"[affine] Argument scale should be positive, got {scale}")
    if not isinstance(shear, (int, float, list, tuple)):
        raise TypeError(f"[affine] Shear should be either a single value or a sequence of two values, got {shear!r}")
    shears = [shear, 0.0] if isinstance(shear, (int, float)) else list(shear)
    shears = shears * 2 if len(shears) == 1 else shears
    if len(shears) != 2:
        raise ValueError(f"[affine] Shear should be a sequence containing two values. Got {shear}")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError(f"[affine] Argument center should be a sequence, got {center!r}")
    return float(angle), [float(t) for t in translate], [float(s) for s in shears], None if center is None else [float(c) for c in center]


def checked_sampling(mode: str, fill: Fill, channels: int, op: str) -> None:
    """Refuse a mode that is none for tensors, and a fill that is neither a number nor one for each channel."""
    if mode not in ("nearest", "bilinear"):
        raise ValueError(f"[{op}] Interpolation mode '{mode}' is unsupported with Tensor input")
    if fill is None or isinstance(fill, (int, float)):
        return
    if not isinstance(fill, (tuple, list)):
        raise ValueError(f"[{op}] Argument fill should be either int, float, tuple or list, got {fill!r}")
    if len(fill) not in (1, channels):
        raise ValueError(
            f"[{op}] The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
            f"({len(fill)} != {channels})"
        )


def sample_grid(image: Tensor, grid: Tensor, mode: str, fill: Fill) -> Tensor:
    """Read ... x C x H x W at the points of a grid 1 x H' x W' x 2; what lies outside has the value of `fill`, or 0."""
    c, h, w = image.shape[-3:]
    out_shape = (*image.shape[:-2], *grid.shape[1:3])
    if image.numel() == 0:
        return image.reshape(out_shape)
    x = image.reshape(-1, c, h, w).to(grid.dtype)
    if x.shape[0] > 1:
        grid = grid.expand(x.shape[0], -1, -1, -1)
    if fill is not None:
        x = taeda.cat([x, taeda.ones((x.shape[0], 1, h, w), dtype=x.dtype)], dim=1)
    x = NN.grid_sample(x, grid, mode=mode, padding_mode="zeros", align_corners=False)
    if fill is not None:
        x, inside = x[:, :-1], x[:, -1:].expand(-1, c, -1, -1)
        colour = taeda.tensor([fill] if isinstance(fill, (int, float)) else list(fill), dtype=x.dtype).reshape(1, -1, 1, 1)
        x = taeda.where(inside < 0.5, colour, x) if mode == "nearest" else (x - colour) * inside + colour
    return (x if image.is_floating_point() else x.round_()).to(image.dtype).reshape(out_shape)


def affine_grid(matrix: list[float], h: int, w: int, out_h: int, out_w: int, dtype: Any) -> Tensor:
    """Return the points of a map about the middle of an image h x w: 1 x out_h x out_w x 2."""
    theta = taeda.tensor(matrix, dtype=dtype).reshape(2, 3).T / taeda.tensor([0.5 * w, 0.5 * h], dtype=dtype)
    return _mapped(theta, out_h, out_w, (1.0 - out_w) * 0.5, (1.0 - out_h) * 0.5)


def _mapped(theta: Tensor, h: int, w: int, left: float, top: float) -> Tensor:
    """Return ``x theta[0] + y theta[1] + theta[2]`` of all pixels (x, y), the first at (left, top): 1 x h x w x 2.

    Each product and sum is rounded: which pixel is nearest to a point half-way is settled by that.
    """
    x = taeda.linspace(left, left + w - 1.0, w).to(theta.dtype)[:, None] * theta[0]
    y = taeda.linspace(top, top + h - 1.0, h).to(theta.dtype)[:, None] * theta[1]
    return (x + y[:, None]).add_(theta[2])[None]


def perspective_grid(coefficients: Sequence[float], h: int, w: int, dtype: Any) -> Tensor:
    """Return the points of a perspective map of an image h x w: 1 x h x w x 2."""
    a, b, c, d, e, f, g, k = coefficients
    above = taeda.tensor([[a, d], [b, e], [c, f]], dtype=dtype) / taeda.tensor([0.5 * w, 0.5 * h], dtype=dtype)
    below = taeda.tensor([[g, g], [k, k], [1.0, 1.0]], dtype=dtype)
    return _mapped(above, h, w, 0.5, 0.5).div_(_mapped(below, h, w, 0.5, 0.5)).sub_(1.0)


def identity_grid(h: int, w: int, dtype: Any) -> Tensor:
    """Return the middles of all pixels, in -1 ... 1: 1 x h x w x 2."""
    grid = taeda.empty(1, h, w, 2, dtype=dtype)
    grid[..., 0] = taeda.linspace((1 - w) / w, (w - 1) / w, w, dtype=dtype)
    grid[..., 1] = taeda.linspace((1 - h) / h, (h - 1) / h, h, dtype=dtype)[:, None]
    return grid


def working_dtype(image: Tensor) -> Any:
    """Return the dtype in which an image is sampled."""
    return image.dtype if image.is_floating_point() else taeda.float32


def pillow_fill(fill: Fill, img: Any, op: str) -> Any:
    """Return a fill as Pillow wants it."""
    bands = len(img.getbands())
    values = [0] if fill is None else [fill] if isinstance(fill, (int, float)) else list(fill)
    if len(values) not in (1, bands):
        raise ValueError(f"[{op}] fill has {len(values)} values for an image of {bands} channels")
    values = values * bands if len(values) == 1 else values
    values = values if img.mode == "F" else [int(v) for v in values]
    return values[0] if bands == 1 else tuple(values)


def affine_tensor(image: Tensor, angle: Any, translate: Any, scale: float, shear: Any, mode: str, fill: Fill, center: Any) -> Tensor:
    """Warp ... x C x H x W by an affine map."""
    angle, translate, shear, center = checked_affine(angle, translate, scale, shear, center)
    c, h, w = image.shape[-3:]
    checked_sampling(mode, fill, c, "affine")
    middle = [0.0, 0.0] if center is None else [center[0] - w * 0.5, center[1] - h * 0.5]
    grid = affine_grid(affine_matrix(middle, angle, translate, scale, shear), h, w, h, w, working_dtype(image))
    return sample_grid(image, grid, mode, fill)


def affine(
    img: I,
    angle: float,
    translate: Sequence[int],
    scale: float,
    shear: float | Sequence[float],
    interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> I:
    """Turn, shear, scale and move an image, its size kept.

    Args:
        img: a PIL image or a tensor ... x C x H x W.
        angle: in degrees, clockwise.
        translate: pixels to the right and down.
        scale: factor.
        shear: degrees along x, or (along x, along y).
        interpolation: nearest or bilinear.
        fill: value of what comes from outside, or one per channel; 0 by default.
        center: (x, y) of the fixed point; the middle by default.

    Raises:
        TypeError, ValueError: an argument has the wrong type, length or sign.

    >>> import taeda
    >>> from taeda.vision.transforms.warp import affine
    >>> affine(taeda.arange(9.0).reshape(1, 3, 3), angle=0, translate=[1, 0], scale=1.0, shear=[0.0, 0.0])
    tensor([[[0., 0., 1.],
             [0., 3., 4.],
             [0., 6., 7.]]])
    """
    x: Any = img
    mode = interpolation_mode(interpolation, "affine")
    if is_tensor_image(x, "affine"):
        return cast(Any, affine_tensor(x, angle, translate, scale, shear, mode.value, fill, center))
    degrees, move, shears, fixed = checked_affine(angle, translate, scale, shear, center)
    matrix = affine_matrix(fixed or [x.width * 0.5, x.height * 0.5], degrees, move, scale, shears)
    return x.transform(x.size, Image.Transform.AFFINE, matrix, PILLOW_MODES[mode], fillcolor=pillow_fill(fill, x, "affine"))


def expanded_size(matrix: list[float], h: int, w: int) -> tuple[int, int]:
    """Return the (height, width) that a turned image needs; corners a hair outside of a pixel do not count."""
    corners = taeda.tensor([[-w, -h, 2.0], [-w, h, 2.0], [w, h, 2.0], [w, -h, 2.0]]) * 0.5
    ends = corners @ taeda.tensor(matrix).reshape(2, 3).T
    half = taeda.tensor([0.5 * w, 0.5 * h])
    low, high = ((e + half).mul(1e4).trunc().mul(1e-4) for e in (ends.amin(0), ends.amax(0)))
    size = high.ceil() - low.floor()
    return int(size[1]), int(size[0])


def rotate_tensor(image: Tensor, angle: float, mode: str, expand: bool, center: Any, fill: Fill) -> Tensor:
    """Turn ... x C x H x W counter-clockwise."""
    c, h, w = image.shape[-3:]
    checked_sampling(mode, fill, c, "rotate")
    middle = [0.0, 0.0] if center is None else [center[0] - w * 0.5, center[1] - h * 0.5]
    matrix = affine_matrix(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    out_h, out_w = expanded_size(matrix, h, w) if expand else (h, w)
    return sample_grid(image, affine_grid(matrix, h, w, out_h, out_w, working_dtype(image)), mode, fill)


def rotate(
    img: I,
    angle: float,
    interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> I:
    """Turn an image counter-clockwise.

    Args:
        img: a PIL image or a tensor ... x C x H x W.
        angle: in degrees.
        interpolation: nearest or bilinear, for PIL images also bicubic.
        expand: make the result large enough for all of the image turned about its middle.
        center: (x, y) from the upper left corner; the middle by default.
        fill: value of the pixels that come from outside, or one for each channel; 0 by default.

    Raises:
        ValueError: `center` or `fill` has a wrong length, or the mode is none for this.

    >>> import taeda
    >>> from taeda.vision.transforms.warp import rotate
    >>> rotate(taeda.arange(9.0).reshape(1, 3, 3), 90)
    tensor([[[2., 5., 8.],
             [1., 4., 7.],
             [0., 3., 6.]]])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "rotate")
    mode = interpolation_mode(interpolation, "rotate")
    if center is not None and len(center) != 2:
        raise ValueError(f"[rotate] center should have 2 values, x and y, got {center!r}")
    if is_tensor:
        return cast(Any, rotate_tensor(x, angle, mode.value, expand, center, fill))
    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR, InterpolationMode.BICUBIC):
        raise ValueError(f"[rotate] This Interpolation mode ({mode.value}) is unsupported with PIL images")
    middle = None if center is None else (center[0], center[1])
    return cast(Any, x.rotate(angle, PILLOW_MODES[mode], expand, middle, fillcolor=pillow_fill(fill, x, "rotate")))


def perspective_coefficients(startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]]) -> list[float]:
    """Return the eight numbers of the map that takes four end points to four start points; see `perspective`."""
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(f"[perspective] startpoints and endpoints should have 4 points, got {len(startpoints)} and {len(endpoints)}")
    rows, values = [], []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solved = np.linalg.lstsq(np.array(rows, dtype=np.float64), np.array(values, dtype=np.float64), rcond=None)[0]
    return [float(v) for v in solved.astype(np.float32)]


def perspective_tensor(image: Tensor, coefficients: Sequence[float], mode: str, fill: Fill) -> Tensor:
    """Warp ... x C x H x W by a perspective map."""
    c, h, w = image.shape[-3:]
    checked_sampling(mode, fill, c, "perspective")
    return sample_grid(image, perspective_grid(coefficients, h, w, working_dtype(image)), mode, fill)


def perspective(
    img: I,
    startpoints: Sequence[Sequence[int]],
    endpoints: Sequence[Sequence[int]],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> I:
    """Map four points of an image to four others, and all between in perspective.

    Args:
        startpoints, endpoints: four (x, y) each.

    >>> import taeda
    >>> from taeda.vision.transforms import functional as F
    >>> corners, turned = [[0, 0], [3, 0], [3, 3], [0, 3]], [[3, 0], [3, 3], [0, 3], [0, 0]]
    >>> image = taeda.arange(16.0).reshape(1, 4, 4)
    >>> F.perspective(image, corners, turned).round()
    tensor([[[ 8.,  4.,  0.,  0.],
             [ 9.,  5.,  1.,  0.],
             [10.,  6.,  2.,  0.],
             [11.,  7.,  3.,  0.]]])
    """
    x: Any = img
    mode = interpolation_mode(interpolation, "perspective")
    coefficients = perspective_coefficients(startpoints, endpoints)
    if is_tensor_image(x, "perspective"):
        return cast(Any, perspective_tensor(x, coefficients, mode.value, fill))
    return cast(Any, perspective_pil(x, coefficients, mode, fill))


def perspective_pil(img: Any, coefficients: Sequence[float], mode: InterpolationMode, fill: Fill) -> Any:
    """Warp a PIL image by a perspective map."""
    colour = pillow_fill(fill, img, "perspective")
    return img.transform(img.size, Image.Transform.PERSPECTIVE, list(coefficients), PILLOW_MODES[mode], fillcolor=colour)


def elastic_tensor(image: Tensor, displacement: Tensor, mode: str, fill: Fill) -> Tensor:
    """Warp ... x C x H x W by displacements 1 x H x W x 2."""
    if not isinstance(displacement, Tensor):
        raise TypeError(f"[elastic] Argument displacement should be a Tensor, got {type(displacement).__name__}")
    h, w = image.shape[-2:]
    if tuple(displacement.shape) != (1, h, w, 2):
        raise ValueError(f"[elastic] Argument displacement shape should be {(1, h, w, 2)}, but given {tuple(displacement.shape)}")
    dtype = taeda.float32 if image.dtype == taeda.float16 else working_dtype(image)
    return sample_grid(image, identity_grid(h, w, dtype).add_(displacement.to(dtype)), mode, fill)


def elastic_transform(
    img: I,
    displacement: Tensor,
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> I:
    """Move every pixel by a displacement of its own.

    Args:
        img: a PIL image or a tensor ... x C x H x W.
        displacement: 1 x H x W x 2, (x, y) in halves of the image's size: pixel p of the result is read at p + displacement.
        interpolation, fill: between pixels, and outside of the image.

    >>> import taeda
    >>> from taeda.vision.transforms import functional as F
    >>> right = taeda.zeros(1, 1, 4, 2)
    >>> right[..., 0] = 2 * 1 / 4                            # one pixel of four
    >>> F.elastic_transform(taeda.tensor([[[1.0, 2.0, 3.0, 4.0]]]), right)
    tensor([[[2., 3., 4., 0.]]])
    """
    x: Any = img
    mode = interpolation_mode(interpolation, "elastic_transform")
    is_tensor = is_tensor_image(x, "elastic_transform")
    out = elastic_tensor(x if is_tensor else pil_to_tensor(x), displacement, mode.value, fill)
    return cast(Any, out if is_tensor else to_pil_image(out, mode=x.mode))


def blur_sizes(kernel_size: Any, sigma: Any) -> tuple[list[int], list[float]]:
    """Return the sizes and deviations of a Gaussian along x and y."""
    if not isinstance(kernel_size, (int, list, tuple)):
        raise TypeError(f"[gaussian_blur] kernel_size should be int or a sequence of integers. Got {type(kernel_size)}")
    sizes = [kernel_size, kernel_size] if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2:
        raise ValueError(f"[gaussian_blur] If kernel_size is a sequence its length should be 2. Got {len(sizes)}")
    if any(k % 2 == 0 or k < 0 for k in sizes):
        raise ValueError(f"[gaussian_blur] kernel_size should have odd and positive integers. Got {sizes}")
    if sigma is None:
        sigma = [k * 0.15 + 0.35 for k in sizes]
    elif isinstance(sigma, (int, float)):
        sigma = [float(sigma)] * 2
    elif not isinstance(sigma, (list, tuple)):
        raise TypeError(f"[gaussian_blur] sigma should be either float or sequence of floats. Got {type(sigma)}")
    sigmas = list(sigma) * 2 if len(sigma) == 1 else list(sigma)
    if len(sigmas) != 2:
        raise ValueError(f"[gaussian_blur] If sigma is a sequence, its length should be 2. Got {len(sigmas)}")
    if min(sigmas) <= 0.0:
        raise ValueError(f"[gaussian_blur] sigma should have positive values. Got {sigmas}")
    return sizes, sigmas


def _bell(size: int, sigma: float, dtype: Any) -> Tensor:
    edge = (size - 1) / (2.0 * math.sqrt(2.0))
    return taeda.softmax(taeda.linspace(-edge, edge, size, dtype=dtype).div(sigma).pow(2).neg(), dim=0)


def blur_tensor(image: Tensor, kernel_size: Any, sigma: Any = None) -> Tensor:
    """Smooth ... x C x H x W by a Gaussian; borders are mirrored.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> image = taeda.zeros(1, 5, 5)
    >>> image[0, 2, 2] = 1.0
    >>> F.gaussian_blur_image(image, kernel_size=[3, 3], sigma=[1.0, 1.0])[0, 2]
    tensor([0.0000, 0.1238, 0.2042, 0.1238, 0.0000])
    """
    (kx, ky), (sx, sy) = blur_sizes(kernel_size, sigma)
    if image.numel() == 0:
        return image
    c, h, w = image.shape[-3:]
    dtype = working_dtype(image)
    weights = _bell(ky, sy, dtype)[:, None] * _bell(kx, sx, dtype)
    x = NN.pad(image.reshape(-1, c, h, w).to(dtype), [kx // 2, kx // 2, ky // 2, ky // 2], mode="reflect")
    x = NN.conv2d(x, weights.expand(c, 1, ky, kx), groups=c)
    return (x if image.is_floating_point() else x.round_()).to(image.dtype).reshape(image.shape)


def gaussian_blur(img: I, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None) -> I:
    """Smooth an image by a Gaussian; borders are mirrored.

    Args:
        kernel_size: pixels of the filter, odd; or (along x, along y).
        sigma: standard deviation in pixels, or two; ``0.15 kernel_size + 0.35`` by default.

    >>> import taeda
    >>> from taeda.vision.transforms.warp import gaussian_blur
    >>> gaussian_blur(taeda.eye(3)[None], kernel_size=3, sigma=1.0).round(decimals=3)
    tensor([[[0.5050, 0.3720, 0.3000],
             [0.3720, 0.3540, 0.3720],
             [0.3000, 0.3720, 0.5050]]])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "gaussian_blur")
    out = blur_tensor(x if is_tensor else pil_to_tensor(x), kernel_size, sigma)
    return cast(Any, out if is_tensor else to_pil_image(out, mode=x.mode))


def elastic_displacement(alpha: Sequence[float], sigma: Sequence[float], h: int, w: int) -> Tensor:
    """Draw smooth displacements, 1 x h x w x 2."""
    moves = []
    for a, s, n in zip(alpha, sigma, (w, h), strict=True):
        d = taeda.rand(1, 1, h, w) * 2 - 1
        if s > 0.0:
            k = int(8 * s + 1)
            d = blur_tensor(d, [k | 1, k | 1], list(sigma))
        moves.append(d * a / n)
    return taeda.cat(moves, 1).permute(0, 2, 3, 1)

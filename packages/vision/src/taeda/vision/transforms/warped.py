"""Random warps, blur and sharpness of single images: each draws what torchvision's draws and calls a function of `functional`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.transforms import functional as F, warp
from taeda.vision.transforms._draws import checked_center, checked_fill, checked_p, uniform
from taeda.vision.transforms.geometry import InterpolationMode, interpolation_mode
from taeda.vision.transforms.transforms import two_sizes

__all__ = [
    "ElasticTransform",
    "GaussianBlur",
    "LinearTransformation",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomEqualize",
    "RandomPerspective",
]


def _range(value: Any, op: str, name: str, sizes: tuple[int, ...] = (2,)) -> list[float]:
    """Read one number as from -x to x."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"[{op}] If {name} is a single number, it must be positive, got {value}")
        return [float(-value), float(value)]
    if not isinstance(value, Sequence):
        raise TypeError(f"[{op}] {name} should be a sequence of length {' or '.join(map(str, sizes))}, got {value!r}")
    if len(value) not in sizes:
        raise ValueError(f"[{op}] {name} should be a sequence of length {' or '.join(map(str, sizes))}, got {value!r}")
    return [float(v) for v in value]


def _between(value: Any, op: str, name: str) -> list[float]:
    """Read two numbers."""
    if isinstance(value, (int, float)):
        raise TypeError(f"[{op}] {name} should be a sequence of length 2, got {value!r}")
    return _range(value, op, name)


def _pair(value: Any, op: str, name: str) -> list[float]:
    """Read one number as two equal ones."""
    values = [value] if isinstance(value, (int, float)) else list(value)
    if len(values) not in (1, 2):
        raise ValueError(f"[{op}] {name} is a sequence; its length should be 1 or 2, got {len(values)}")
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in values):
        raise TypeError(f"[{op}] {name} should be a float or a sequence of floats, got {value!r}")
    return [float(values[0]), float(values[-1])]


def _fill(fill: Any, img: Any) -> Any:
    """Return a fill with a value for each channel of a tensor."""
    if not isinstance(img, Tensor):
        return fill
    one = isinstance(fill, (int, float))
    return [float(fill)] * F.get_dimensions(img)[0] if one else [float(f) for f in fill]


class RandomAffine(nn.Module):
    """Turn, move, scale and shear by random amounts, the middle kept.

    Args:
        degrees: x for angles from -x to x, or (least, most).
        translate: largest shares of width and height to move by.
        scale: least and largest factor.
        shear: x for -x to x degrees along x, (least, most), or four numbers for both axes.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomAffine
    >>> RandomAffine((180, 180))(taeda.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[4., 3.],
             [2., 1.]]])
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
        fill: float | Sequence[float] | None = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = _range(degrees, "RandomAffine", "degrees")
        if translate is not None and not all(0.0 <= t <= 1.0 for t in _between(translate, "RandomAffine", "translate")):
            raise ValueError(f"[RandomAffine] translation values should be between 0 and 1, got {translate}")
        self.translate = translate
        if scale is not None and min(_between(scale, "RandomAffine", "scale")) <= 0:
            raise ValueError(f"[RandomAffine] scale values should be positive, got {scale}")
        self.scale = scale
        self.shear = None if shear is None else _range(shear, "RandomAffine", "shear", (2, 4))
        self.interpolation = interpolation_mode(interpolation, "RandomAffine")
        self.fill = checked_fill(fill, "RandomAffine")
        self.center = checked_center(center, "RandomAffine")

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draw angle, translation, scale and shear for an image of (width, height)."""
        angle = uniform(degrees[0], degrees[1])
        move = [0, 0]
        if translate is not None:
            for i in range(2):
                most = float(translate[i] * img_size[i])
                move[i] = round(uniform(-most, most))
        scale = 1.0 if scale_ranges is None else uniform(scale_ranges[0], scale_ranges[1])
        shear = [0.0, 0.0]
        for i in range(0 if shears is None else len(shears) // 2):
            shear[i] = uniform(shears[2 * i], shears[2 * i + 1])  # type: ignore[index]
        return angle, (move[0], move[1]), scale, (shear[0], shear[1])

    def forward(self, img: Any) -> Any:
        how = self.get_params(self.degrees, self.translate, self.scale, self.shear, F.get_image_size(img))
        return F.affine(img, *how, interpolation=self.interpolation, fill=_fill(self.fill, img), center=self.center)

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        parts += [f"{n}={getattr(self, n)}" for n in ("translate", "scale", "shear") if getattr(self, n) is not None]
        parts += [f"interpolation={self.interpolation.value}"] if self.interpolation is not InterpolationMode.NEAREST else []
        parts += [f"fill={self.fill}"] if self.fill != 0 else []
        parts += [f"center={self.center}"] if self.center is not None else []
        return f"{type(self).__name__}({', '.join(parts)})"


class RandomPerspective(nn.Module):
    """Move the four corners inwards by random amounts, with probability p.

    Args:
        distortion_scale: how far, 0 to 1 of half the size.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomPerspective
    >>> RandomPerspective(p=1.0)(taeda.zeros(3, 20, 30)).shape
    taeda.Size([3, 20, 30])
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        fill: float | Sequence[float] | None = 0,
    ) -> None:
        super().__init__()
        self.p = checked_p(p, "RandomPerspective")
        self.interpolation = interpolation_mode(interpolation, "RandomPerspective")
        self.distortion_scale = distortion_scale
        self.fill = checked_fill(fill, "RandomPerspective")

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """Draw the four corners; return them and where they go."""
        x, y = (int(distortion_scale * (n // 2)) + 1 for n in (width, height))
        left, right, top, bottom = (0, x), (width - x, width), (0, y), (height - y, height)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        ends = [[int(taeda.randint(low, high, size=(1,)).item()) for low, high in corner] for corner in corners]
        return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], ends

    def forward(self, img: Any) -> Any:
        if float(taeda.rand(1)) >= self.p:
            return img
        _, h, w = F.get_dimensions(img)
        return F.perspective(img, *self.get_params(w, h, self.distortion_scale), self.interpolation, _fill(self.fill, img))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class ElasticTransform(nn.Module):
    """Move every pixel at random, neighbours alike (Simard, Steinkraus, Platt, 2003).

    Args:
        alpha: how far, in pixels; one number or two.
        sigma: how smoothly, in pixels; one number or two.

    >>> import taeda
    >>> from taeda.vision.transforms import ElasticTransform
    >>> ElasticTransform()(taeda.zeros(3, 50, 60)).shape
    taeda.Size([3, 50, 60])
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 50.0,
        sigma: float | Sequence[float] = 5.0,
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        fill: float | Sequence[float] = 0,
    ) -> None:
        super().__init__()
        self.alpha = _pair(alpha, "ElasticTransform", "alpha")
        self.sigma = _pair(sigma, "ElasticTransform", "sigma")
        self.interpolation = interpolation_mode(interpolation, "ElasticTransform")
        fills = [fill] if isinstance(fill, (int, float)) else fill
        if not isinstance(fills, (list, tuple)) or not all(isinstance(f, (int, float)) for f in fills):
            raise TypeError(f"[ElasticTransform] fill should be int or float or a list or tuple of them, got {fill!r}")
        self.fill = [float(f) for f in fills]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
        """Draw displacements for an image of (height, width): 1 x height x width x 2."""
        return warp.elastic_displacement(alpha, sigma, size[0], size[1])

    def forward(self, tensor: Any) -> Any:
        _, h, w = F.get_dimensions(tensor)
        return F.elastic_transform(tensor, self.get_params(self.alpha, self.sigma, [h, w]), self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, interpolation={self.interpolation}, fill={self.fill})"
        )


class GaussianBlur(nn.Module):
    """Smooth by a Gaussian of random width.

    Args:
        kernel_size: odd; one number or (across, down).
        sigma: a number, or (least, most).

    >>> import taeda
    >>> from taeda.vision.transforms import GaussianBlur
    >>> GaussianBlur(3, sigma=1.0)(taeda.eye(3)[None]).round(decimals=3)
    tensor([[[0.5050, 0.3720, 0.3000],
             [0.3720, 0.3540, 0.3720],
             [0.3000, 0.3720, 0.5050]]])
    """

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = two_sizes(kernel_size, "GaussianBlur")
        if any(k <= 0 or k % 2 == 0 for k in self.kernel_size):
            raise ValueError(f"[GaussianBlur] Kernel size value should be one or two odd and positive numbers, got {kernel_size}")
        self.sigma = (sigma, sigma) if isinstance(sigma, (int, float)) else sigma
        if not isinstance(self.sigma, Sequence) or len(self.sigma) != 2 or isinstance(self.sigma, str):
            raise ValueError(f"[GaussianBlur] sigma should be a single number or a list/tuple with length 2, got {sigma!r}")
        if not 0.0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"[GaussianBlur] sigma values should be positive and of the form (min, max). Got {self.sigma}")

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """Draw a standard deviation."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class LinearTransformation(nn.Module):
    """Flatten a tensor image, subtract a mean and multiply by a matrix, as for whitening.

    Args:
        transformation_matrix: D x D, with D = C H W.
        mean_vector: D.

    Raises:
        ValueError: the shapes do not fit.

    >>> import taeda
    >>> from taeda.vision.transforms import LinearTransformation
    >>> LinearTransformation(2 * taeda.eye(4), taeda.ones(4))(taeda.ones(1, 2, 2) * 3)
    tensor([[[4., 4.],
             [4., 4.]]])
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        n, m = transformation_matrix.shape
        if n != m or mean_vector.shape[0] != n:
            raise ValueError(
                "[LinearTransformation] transformation_matrix should be square and mean_vector as long, "
                f"got {(n, m)} and {tuple(mean_vector.shape)}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        n = tensor.shape[-3] * tensor.shape[-2] * tensor.shape[-1]
        if n != self.transformation_matrix.shape[0]:
            raise ValueError(
                "[LinearTransformation] Input tensor and transformation matrix have incompatible shape: "
                f"{list(tensor.shape[-3:])} != {self.transformation_matrix.shape[0]}"
            )
        centred = tensor.reshape(-1, n) - self.mean_vector
        return (centred @ self.transformation_matrix.to(centred.dtype)).reshape(tensor.shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(transformation_matrix={self.transformation_matrix.tolist()}, "
            f"mean_vector={self.mean_vector.tolist()})"
        )


class RandomAdjustSharpness(nn.Module):
    """Sharpen (factor above 1) or smooth with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomAdjustSharpness
    >>> RandomAdjustSharpness(0.0, p=1.0)(taeda.eye(3)[None])
    tensor([[[1.0000, 0.0000, 0.0000],
             [0.0000, 0.5385, 0.0000],
             [0.0000, 0.0000, 1.0000]]])
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__()
        self.sharpness_factor = sharpness_factor
        self.p = checked_p(p, "RandomAdjustSharpness")

    def forward(self, img: Any) -> Any:
        return F.adjust_sharpness(img, self.sharpness_factor) if float(taeda.rand(1).item()) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sharpness_factor={self.sharpness_factor},p={self.p})"


class RandomEqualize(nn.Module):
    """Make all values about as frequent, with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomEqualize
    >>> RandomEqualize(p=1.0)((taeda.arange(4096) // 64).to(taeda.uint8).reshape(1, 64, 64)).max()
    tensor(255, dtype=taeda.uint8)
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = checked_p(p, "RandomEqualize")

    def forward(self, img: Any) -> Any:
        return F.equalize(img) if float(taeda.rand(1).item()) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"

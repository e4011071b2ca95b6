"""Turns and warps by random amounts: rotations, affine maps, perspectives, elastic ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda.vision.transforms import randomized, warp, warped
from taeda.vision.transforms._draws import uniform
from taeda.vision.transforms.v2 import functional as F
from taeda.vision.transforms.v2._transform import (
    RandomApplied,
    Transform,
    angles,
    fill_for,
    fills,
    query_size,
    randint,
    sequence_of,
    two_floats,
)
from taeda.vision.transforms.v2.functional._geometry import Mode

__all__ = ["ElasticTransform", "RandomAffine", "RandomPerspective", "RandomRotation"]


class RandomRotation(Transform):
    """Turn by a random angle.

    Args:
        degrees: x for -x to x, or (least, most).

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomRotation
    >>> RandomRotation((90, 90))(taeda.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2., 4.],
             [1., 3.]]])
    >>> RandomRotation(30, expand=True)(taeda.zeros(3, 20, 20)).shape[0]
    3
    """

    get_params = staticmethod(randomized.RandomRotation.get_params)

    def __init__(
        self, degrees: float | Sequence[float], interpolation: Mode = "nearest", expand: bool = False, center: Any = None, fill: Any = 0
    ) -> None:
        super().__init__()
        self.degrees = angles(degrees, "RandomRotation", "degrees")
        self.interpolation = interpolation
        self.expand = expand
        self.fill = fill
        self._fill = fills(fill, "RandomRotation")
        if center is not None:
            sequence_of(center, "RandomRotation", "center")
        self.center = center

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"angle": uniform(self.degrees[0], self.degrees[1])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.rotate,
            inpt,
            **params,
            interpolation=self.interpolation,
            expand=self.expand,
            center=self.center,
            fill=fill_for(self._fill, type(inpt)),
        )


class RandomAffine(Transform):
    """Turn, move, scale and shear by random amounts.

    Args:
        degrees: x for angles from -x to x, or (least, most).
        translate: largest shares of width and height to move by.
        scale: least and largest factor.
        shear: x for -x to x degrees along x, (least, most), or four numbers for both axes.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomAffine
    >>> RandomAffine(degrees=10, translate=(0.1, 0.1), scale=(0.8, 1.2))(taeda.zeros(3, 20, 30)).shape
    taeda.Size([3, 20, 30])
    >>> RandomAffine(degrees=0, scale=(2.0, 2.0))(taeda.eye(4)[None])
    tensor([[[1., 1., 0., 0.],
             [1., 1., 0., 0.],
             [0., 0., 1., 1.],
             [0., 0., 1., 1.]]])
    """

    get_params = staticmethod(warped.RandomAffine.get_params)

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: Mode = "nearest",
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = angles(degrees, "RandomAffine", "degrees")
        if translate is not None:
            sequence_of(translate, "RandomAffine", "translate")
            if not all(0.0 <= t <= 1.0 for t in translate):
                raise ValueError(f"[RandomAffine] translation values should be between 0 and 1, got {translate}")
        self.translate = translate
        if scale is not None:
            sequence_of(scale, "RandomAffine", "scale")
            if min(scale) <= 0:
                raise ValueError(f"[RandomAffine] scale values should be positive, got {scale}")
        self.scale = scale
        self.shear = None if shear is None else angles(shear, "RandomAffine", "shear", (2, 4))
        self.interpolation = interpolation
        self.fill = fill
        self._fill = fills(fill, "RandomAffine")
        if center is not None:
            sequence_of(center, "RandomAffine", "center")
        self.center = center

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        angle = uniform(*self.degrees)
        translate = (0, 0)
        if self.translate is not None:
            dx, dy = float(self.translate[0] * width), float(self.translate[1] * height)
            translate = (round(uniform(-dx, dx)), round(uniform(-dy, dy)))
        scale = 1.0 if self.scale is None else uniform(*self.scale)
        shear = [0.0, 0.0]
        if self.shear is not None:
            for i in range(len(self.shear) // 2):
                shear[i] = uniform(*self.shear[2 * i : 2 * i + 2])
        return {"angle": angle, "translate": translate, "scale": scale, "shear": tuple(shear)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = fill_for(self._fill, type(inpt))
        return self._call_kernel(F.affine, inpt, **params, interpolation=self.interpolation, fill=fill, center=self.center)


class RandomPerspective(RandomApplied):
    """Move the four corners inwards by random amounts, with probability p.

    Args:
        distortion_scale: how far, 0 to 1 of half the size.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomPerspective
    >>> RandomPerspective(distortion_scale=0.4, p=1.0)(taeda.zeros(3, 8, 8)).shape
    taeda.Size([3, 8, 8])
    """

    get_params = staticmethod(warped.RandomPerspective.get_params)

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Mode = "bilinear", fill: Any = 0) -> None:
        super().__init__(p)
        if not 0 <= distortion_scale <= 1:
            raise ValueError(
                f"[RandomPerspective] Argument distortion_scale value should be between 0 and 1, got {distortion_scale}"
            )
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation
        self.fill = fill
        self._fill = fills(fill, "RandomPerspective")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        y, x = (int(self.distortion_scale * (n // 2)) + 1 for n in (h, w))
        left, right, top, bottom = (0, x), (w - x, w), (0, y), (h - y, h)
        ends = [[randint(*a), randint(*b)] for a, b in ((left, top), (right, top), (right, bottom), (left, bottom))]
        starts = [[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]]
        return {"coefficients": warp.perspective_coefficients(starts, ends)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = fill_for(self._fill, type(inpt))
        return self._call_kernel(F.perspective, inpt, None, None, fill=fill, interpolation=self.interpolation, **params)


class ElasticTransform(Transform):
    """Move every pixel at random, neighbours alike (Simard, Steinkraus, Platt, 2003).

    Args:
        alpha: how far, in pixels; one number or two.
        sigma: how smoothly, in pixels; one number or two.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import ElasticTransform
    >>> ElasticTransform(alpha=20.0, sigma=2.0)(taeda.zeros(3, 20, 30)).shape
    taeda.Size([3, 20, 30])
    """

    get_params = staticmethod(warped.ElasticTransform.get_params)

    def __init__(self, alpha: Any = 50.0, sigma: Any = 5.0, interpolation: Mode = "bilinear", fill: Any = 0) -> None:
        super().__init__()
        self.alpha = two_floats(alpha, "ElasticTransform", "alpha")
        self.sigma = two_floats(sigma, "ElasticTransform", "sigma")
        self.interpolation = interpolation
        self.fill = fill
        self._fill = fills(fill, "ElasticTransform")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        return {"displacement": warp.elastic_displacement(self.alpha, self.sigma, h, w)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = fill_for(self._fill, type(inpt))
        return self._call_kernel(F.elastic, inpt, **params, fill=fill, interpolation=self.interpolation)

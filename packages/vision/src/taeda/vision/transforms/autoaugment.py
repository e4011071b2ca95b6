"""Automatic augmentation of single images; `v2` has those of samples, which draw otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.vision.transforms import functional as F
from taeda.vision.transforms._draws import randint
from taeda.vision.transforms.geometry import InterpolationMode
from taeda.vision.transforms.policies import AutoAugmentPolicy, augmix_space, auto_space, policy_of, rand_space, trivial_space

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]

NEAREST = InterpolationMode.NEAREST
_COLOURS = {
    "Brightness": F.adjust_brightness,
    "Color": F.adjust_saturation,
    "Contrast": F.adjust_contrast,
    "Sharpness": F.adjust_sharpness,
}
_PLAIN: dict[str, Any] = {"AutoContrast": F.autocontrast, "Equalize": F.equalize, "Invert": F.invert, "Identity": lambda img: img}


def applied(img: Any, name: str, strength: float, functional: Any = F, **how: Any) -> Any:
    """Apply the change `name` with a strength.

    Args:
        functional: where the functions are from, v1 or v2.
        how: interpolation and fill of what warps.
    """
    if name in ("ShearX", "ShearY"):
        shear = math.degrees(math.atan(strength))
        both = [shear, 0.0] if name == "ShearX" else [0.0, shear]
        return functional.affine(img, 0.0, [0, 0], 1.0, both, center=[0, 0], **how)
    if name in ("TranslateX", "TranslateY"):
        move = [int(strength), 0] if name == "TranslateX" else [0, int(strength)]
        return functional.affine(img, 0.0, move, 1.0, [0.0, 0.0], **how)
    if name == "Rotate":
        return functional.rotate(img, strength, **how)
    if name in _COLOURS:
        return getattr(functional, _COLOURS[name].__name__)(img, 1.0 + strength)
    if name == "Posterize":
        return functional.posterize(img, int(strength))
    if name == "Solarize":
        return functional.solarize(img, strength)
    if name == "Identity":
        return img
    if name not in _PLAIN:
        raise ValueError(f"[autoaugment] The provided operator {name} is not recognized.")
    return getattr(functional, _PLAIN[name].__name__)(img)


def mixed(image: Tensor, least: int, alpha: float, width: int, depth: int, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Mix an image with chains of random changes, as AugMix does: ``m_0 x + m_1 sum_i w_i chain_i(x)``.

    Args:
        least: dimensions that `change` wants; with fewer the image is one of a batch.
        alpha: of the Dirichlet distributions of m and w, drawn for each image of a batch.
        width: number of chains.
        depth: changes in each; one to three, drawn, if it is not positive.
    """
    batch = image.reshape([1] * max(least - image.dim(), 0) + list(image.shape))
    n, ones = batch.shape[0], [1] * (batch.dim() - 1)
    m = taeda._sample_dirichlet(taeda.tensor([alpha] * 2).expand(n, -1))
    shares = taeda._sample_dirichlet(taeda.tensor([alpha] * width).expand(n, -1)) * m[:, 1].reshape(n, -1)
    mix = m[:, 0].reshape(n, *ones) * batch
    for i in range(width):
        chain = batch
        for _ in range(depth if depth > 0 else int(taeda.randint(1, 4, (1,)))):
            chain = change(chain)
        mix.add_(shares[:, i].reshape(n, *ones) * chain)
    return mix.reshape(image.shape).to(image.dtype)


class _Automatic(nn.Module):
    """Base: holds how warps fill and interpolate."""

    interpolation: InterpolationMode
    fill: Any

    def _fill(self, img: Any) -> Any:
        channels = F.get_dimensions(img)[0]
        if not isinstance(img, Tensor) or self.fill is None:
            return self.fill
        one = isinstance(self.fill, (int, float))
        return [float(self.fill)] * channels if one else [float(f) for f in self.fill]

    def _changed(self, img: Any, name: str, strength: float) -> Any:
        return applied(img, name, strength, interpolation=self.interpolation, fill=self._fill(img))

    def _strength(self, space: Any, name: str, bins: int, img: Any, index: Any) -> tuple[float, bool]:
        _, h, w = F.get_dimensions(img)
        values, signed = space[name][0](bins, h, w), space[name][1]
        if name == "Solarize":          # here in levels of a byte, of whatever dtype; shares of 255 would round otherwise
            values = taeda.linspace(255.0, 0.0, bins)
        return (0.0 if values is None else float(values[index() if callable(index) else index])), signed

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v}" for k, v in self.__dict__.items() if not k.startswith("_") and k not in ("training", "policies"))
        return f"{type(self).__name__}({shown})"


class AutoAugment(_Automatic):
    """Apply one of the pairs of changes of a learnt policy (Cubuk et al., 2018).

    Args:
        policy: the data set that it was learnt on.
        interpolation, fill: of what warps.

    >>> import taeda
    >>> from taeda.vision.transforms import AutoAugment
    >>> AutoAugment()(taeda.zeros(3, 8, 8, dtype=taeda.uint8)).shape
    taeda.Size([3, 8, 8])
    """

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: InterpolationMode = NEAREST,
        fill: Sequence[float] | float | None = None,
    ) -> None:
        super().__init__()
        self.policy = policy
        self.interpolation = interpolation
        self.fill = fill
        self.policies = policy_of(policy)

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Tensor, Tensor]:
        """Draw the number of the pair, two probabilities and two signs."""
        return randint(transform_num), taeda.rand((2,)), taeda.randint(2, (2,))

    def forward(self, img: Any) -> Any:
        which, chances, signs = self.get_params(len(self.policies))
        for i, (name, p, index) in enumerate(self.policies[which]):
            if float(chances[i]) <= p:
                strength, signed = self._strength(auto_space, name, 10, img, index)
                img = self._changed(img, name, -strength if signed and int(signs[i]) == 0 else strength)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(policy={self.policy}, fill={self.fill})"


class RandAugment(_Automatic):
    """Apply several random changes, all of one strength (Cubuk et al., 2019).

    Args:
        num_ops: how many.
        magnitude: which of the `num_magnitude_bins` strengths.

    >>> import taeda
    >>> from taeda.vision.transforms import RandAugment
    >>> RandAugment()(taeda.zeros(3, 8, 8, dtype=taeda.uint8)).shape
    taeda.Size([3, 8, 8])
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: InterpolationMode = NEAREST,
        fill: Sequence[float] | float | None = None,
    ) -> None:
        super().__init__()
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, img: Any) -> Any:
        names = list(rand_space)
        for _ in range(self.num_ops):
            name = names[randint(len(names))]
            strength, signed = self._strength(rand_space, name, self.num_magnitude_bins, img, self.magnitude)
            img = self._changed(img, name, -strength if signed and randint(2) else strength)
        return img


class TrivialAugmentWide(_Automatic):
    """Apply one random change of random strength (Mueller, Hutter, 2021).

    >>> import taeda
    >>> from taeda.vision.transforms import TrivialAugmentWide
    >>> TrivialAugmentWide()(taeda.zeros(3, 8, 8, dtype=taeda.uint8)).shape
    taeda.Size([3, 8, 8])
    """

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: InterpolationMode = NEAREST,
        fill: Sequence[float] | float | None = None,
    ) -> None:
        super().__init__()
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, img: Any) -> Any:
        names = list(trivial_space)
        name = names[randint(len(names))]
        strength, signed = self._strength(trivial_space, name, self.num_magnitude_bins, img, lambda: randint(self.num_magnitude_bins))
        return self._changed(img, name, -strength if signed and randint(2) else strength)


class AugMix(_Automatic):
    """Mix an image with several chains of random changes (Hendrycks et al., 2019).

    Args:
        severity: strengths are drawn from the first so many of ten.
        mixture_width: number of chains.
        chain_depth: changes in a chain; 0 or less to draw 1 to 3.
        alpha: of the Beta and Dirichlet distributions that the shares are drawn from.
        all_ops: with changes of colour.

    >>> import taeda
    >>> from taeda.vision.transforms import AugMix
    >>> AugMix()(taeda.zeros(3, 8, 8, dtype=taeda.uint8)).shape
    taeda.Size([3, 8, 8])
    """

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        fill: Sequence[float] | float | None = None,
    ) -> None:
        super().__init__()
        if not 1 <= severity <= 10:
            raise ValueError(f"[AugMix] The severity must be between [1, 10]. Got {severity} instead.")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, orig_img: Any) -> Any:
        img = orig_img if isinstance(orig_img, Tensor) else F.pil_to_tensor(orig_img)
        space = augmix_space(self.all_ops)
        names = list(space)

        def change(chain: Tensor) -> Tensor:
            name = names[randint(len(names))]
            strength, signed = self._strength(space, name, 10, chain, lambda: randint(self.severity))
            return self._changed(chain, name, -strength if signed and randint(2) else strength)

        mix = mixed(img, 4, self.alpha, self.mixture_width, self.chain_depth, change)
        return mix if isinstance(orig_img, Tensor) else F.to_pil_image(mix)

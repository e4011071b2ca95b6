"""Automatic augmentation of the one image or video of a sample."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor
from taeda.utils._pytree import tree_flatten, tree_unflatten
from taeda.vision import tv_tensors
from taeda.vision.transforms import autoaugment
from taeda.vision.transforms.autoaugment import applied, mixed
from taeda.vision.transforms.convert import largest_value
from taeda.vision.transforms.policies import AutoAugmentPolicy, Space, augmix_space, auto_space, policy_of, rand_space, trivial_space
from taeda.vision.transforms.v2 import functional as F
from taeda.vision.transforms.v2._transform import PIL_IMAGE, Transform, check_type, fill_for, fills
from taeda.vision.transforms.v2.functional._geometry import Mode

__all__ = ["AugMix", "AutoAugment", "RandAugment", "TrivialAugmentWide"]

_REFUSED = (tv_tensors.BoundingBoxes, tv_tensors.Mask, tv_tensors.KeyPoints)
_BINS = 10         # strengths of AutoAugment's and AugMix's changes, as in the papers
_KINDS = (tv_tensors.Image, PIL_IMAGE, F.is_pure_tensor, tv_tensors.Video)


class _Automatic(Transform):
    """Base: finds the image, applies what `augmented` makes of it, and puts it back.

    Raises:
        TypeError: there is no image, or several, or boxes, masks or points.
    """

    def __init__(self, *, interpolation: Mode = "nearest", fill: Any = None) -> None:
        super().__init__()
        self.interpolation = interpolation
        self.fill = fill
        self._fill = fills(fill, type(self).__name__)

    def forward(self, *inputs: Any) -> Any:
        flat, spec = tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        found = []
        for i, (x, needed) in enumerate(zip(flat, self._needs_transform_list(flat), strict=True)):
            if needed and check_type(x, _KINDS):
                found.append(i)
            elif isinstance(x, _REFUSED):
                name = type(self).__name__
                raise TypeError(f"[{name}] Inputs of type {type(x).__name__} are not supported by {name}()")
        if not found:
            raise TypeError(f"[{type(self).__name__}] Found no image in the sample.")
        if len(found) > 1:
            raise TypeError(
                f"[{type(self).__name__}] Auto augment transformations are only properly defined for a single image or video, "
                f"but found {len(found)}."
            )
        flat[found[0]] = self.augmented(flat[found[0]])
        return tree_unflatten(flat, spec)

    def augmented(self, image: Any) -> Any:
        """Return the changed image."""
        raise NotImplementedError

    def _draw_name(self, space: Space) -> str:
        return list(space)[int(taeda.randint(len(space), ()))]

    def _apply_named(self, image: Any, space: Space, name: str, bins: int, index: Any, size: Any = None) -> Any:
        """Apply a change with the strength that `index` (a number, or what draws one) chooses, and a random sign."""
        values, signed = space[name][0](bins, *(size or F.get_size(image))), space[name][1]
        strength = 0.0
        if values is not None:
            strength = float(values[index() if callable(index) else index])
            if signed and float(taeda.rand(())) <= 0.5:
                strength = -strength
        if name == "Solarize":          # a share of the range
            strength *= largest_value(image.dtype) if isinstance(image, Tensor) else 255.0
        fill = fill_for(self._fill, type(image))
        return applied(image, name, strength, F, interpolation=self.interpolation, fill=fill)


class AutoAugment(_Automatic):
    """Apply one of the pairs of changes of a learnt policy (Cubuk et al., 2018).

    >>> import taeda
    >>> from taeda.vision.transforms import AutoAugmentPolicy
    >>> from taeda.vision.transforms.v2 import AutoAugment
    >>> AutoAugment(AutoAugmentPolicy.CIFAR10)(taeda.zeros(3, 32, 32, dtype=taeda.uint8)).shape
    taeda.Size([3, 32, 32])
    """

    get_params = staticmethod(autoaugment.AutoAugment.get_params)

    def __init__(
        self, policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET, interpolation: Mode = "nearest", fill: Any = None
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.policy = policy
        self._policies = policy_of(policy)

    def augmented(self, image: Any) -> Any:
        size = F.get_size(image)
        for name, p, index in self._policies[int(taeda.randint(len(self._policies), ()))]:
            if float(taeda.rand(())) <= p:
                image = self._apply_named(image, auto_space, name, _BINS, index, size)
        return image


class RandAugment(_Automatic):
    """Apply several random changes, all of one strength (Cubuk et al., 2019).

    Args:
        num_ops: changes one after another.
        magnitude: their strength, the number of a bin.
        num_magnitude_bins: how many strengths there are.
        interpolation, fill: of changes that move pixels.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandAugment
    >>> sample = {"image": taeda.zeros(3, 32, 32, dtype=taeda.uint8), "label": 3}
    >>> RandAugment(num_ops=2, magnitude=9)(sample)["label"]
    3
    """

    def __init__(
        self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31, interpolation: Mode = "nearest", fill: Any = None
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        if not isinstance(num_ops, int) or num_ops < 0:
            raise ValueError(f"[RandAugment] num_ops should be a non-negative integer, but got {num_ops} instead.")
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def augmented(self, image: Any) -> Any:
        size = F.get_size(image)
        for _ in range(self.num_ops):
            name = self._draw_name(rand_space)
            image = self._apply_named(image, rand_space, name, self.num_magnitude_bins, self.magnitude, size)
        return image


class TrivialAugmentWide(_Automatic):
    """Apply one random change of random strength (Mueller, Hutter, 2021).

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import TrivialAugmentWide
    >>> TrivialAugmentWide()(taeda.zeros(3, 32, 32, dtype=taeda.uint8)).shape
    taeda.Size([3, 32, 32])
    """

    def __init__(self, num_magnitude_bins: int = 31, interpolation: Mode = "nearest", fill: Any = None) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.num_magnitude_bins = num_magnitude_bins

    def augmented(self, image: Any) -> Any:
        bins = self.num_magnitude_bins
        name = self._draw_name(trivial_space)
        return self._apply_named(image, trivial_space, name, bins, lambda: int(taeda.randint(bins, ())))


class AugMix(_Automatic):
    """Mix an image with several chains of random changes (Hendrycks et al., 2019); arguments as `transforms.AugMix`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import AugMix
    >>> AugMix(severity=3, mixture_width=2)(taeda.zeros(3, 32, 32, dtype=taeda.uint8)).dtype
    taeda.uint8
    """

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Mode = "bilinear",
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        if not 1 <= severity <= _BINS:
            raise ValueError(f"[AugMix] The severity must be between [1, {_BINS}]. Got {severity} instead.")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def augmented(self, image: Any) -> Any:
        x = image if isinstance(image, Tensor) else F.pil_to_tensor(image)
        space, size = augmix_space(self.all_ops), F.get_size(image)

        def change(chain: Tensor) -> Tensor:
            name = self._draw_name(space)
            return self._apply_named(chain, space, name, _BINS, lambda: int(taeda.randint(self.severity, ())), size)

        least = 5 if isinstance(image, tv_tensors.Video) else 4
        mix = mixed(x, least, self.alpha, self.mixture_width, self.chain_depth, change)
        if isinstance(image, (tv_tensors.Image, tv_tensors.Video)):
            return tv_tensors.wrap(mix, like=image)
        return mix if isinstance(image, Tensor) else F.to_pil_image(mix)

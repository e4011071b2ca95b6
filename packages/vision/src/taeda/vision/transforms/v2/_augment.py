"""Erasing, compression, and mixtures of the samples of a batch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn.functional import one_hot
from taeda.utils._pytree import tree_flatten, tree_unflatten
from taeda.vision import tv_tensors
from taeda.vision.transforms import randomized
from taeda.vision.transforms._draws import uniform
from taeda.vision.transforms.v2 import functional as F
from taeda.vision.transforms.v2._transform import (
    PIL_IMAGE,
    RandomApplied,
    Transform,
    has_any,
    labels_of,
    query_chw,
    query_size,
    randint,
    sequence_of,
)

__all__ = ["JPEG", "CutMix", "MixUp", "RandomErasing"]

_PIXELS = (tv_tensors.Image, tv_tensors.Video)


class RandomErasing(RandomApplied):
    """Set a random rectangle to a value, or to noise, with probability p (Zhong et al., 2017).

    Args:
        scale: least and largest share of the area.
        ratio: least and largest height / width.
        value: a number, one for each channel, or ``"random"``.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomErasing
    >>> image = RandomErasing(p=1.0, scale=(0.25, 0.25), ratio=(1.0, 1.0), value=1.0)(taeda.zeros(1, 8, 8))
    >>> image.sum()
    tensor(16.)
    """

    get_params = staticmethod(randomized.RandomErasing.get_params)

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0.0,
        inplace: bool = False,
    ) -> None:
        super().__init__(p)
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError(f"[RandomErasing] Argument value should be either a number or str or a sequence, got {value!r}")
        if isinstance(value, str) and value != "random":
            raise ValueError(f"[RandomErasing] If value is str, it should be 'random', got {value!r}")
        for name, pair in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(pair, Sequence):
                raise TypeError(f"[RandomErasing] {name} should be a sequence, got {pair!r}")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"[RandomErasing] Scale should be between 0 and 1, got {scale}")
        self.scale = scale
        self.ratio = ratio
        if isinstance(value, str):
            self.value = None
        else:
            self.value = [float(v) for v in value] if isinstance(value, (tuple, list)) else [float(value)]
        self.inplace = inplace
        self._log_ratio = taeda.log(taeda.tensor(ratio)).tolist()

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        c, height, width = query_chw(flat_inputs)
        if self.value is not None and len(self.value) not in (1, c):
            raise ValueError(
                f"[RandomErasing] If value is a sequence, it should have either a single value or {c} (number of input channels), "
                f"got {len(self.value)}"
            )
        for _ in range(10):
            area = height * width * uniform(*self.scale)
            ratio = float(taeda.exp(taeda.empty(1).uniform_(*self._log_ratio)).item())
            h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if h < height and w < width:
                v = taeda.empty(c, h, w).normal_() if self.value is None else taeda.tensor(self.value)[:, None, None]
                return {"i": randint(0, height - h + 1), "j": randint(0, width - w + 1), "h": h, "w": w, "v": v}
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if params and isinstance(inpt, (tv_tensors.BoundingBoxes, tv_tensors.KeyPoints, tv_tensors.Mask)):
            warnings.warn(
                f"{type(self).__name__}() is currently passing through inputs of type tv_tensors.{type(inpt).__name__}. "
                "This will likely change in the future.",
                stacklevel=2,
            )
        return self._call_kernel(F.erase, inpt, **params, inplace=self.inplace) if params else inpt


class _Mixing(Transform):
    """Base of those that mix each sample of a batch with the one before, and their labels alike.

    Args:
        alpha: of the Beta distribution that the shares are drawn from.
        num_classes: where labels are numbers of classes.
        labels_getter: finds the labels in a sample; ``"default"`` takes the second of a pair, or the labels of a dict.

    Raises:
        ValueError: when called, for what cannot be mixed, or for labels that do not fit.
    """

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default") -> None:
        super().__init__()
        self.alpha = float(alpha)
        self._dist = taeda.distributions.Beta(taeda.tensor([alpha]), taeda.tensor([alpha]))
        self.num_classes = num_classes
        self._labels_getter = labels_of(labels_getter)

    def forward(self, *inputs: Any) -> Any:
        name = type(self).__name__
        sample = inputs if len(inputs) > 1 else inputs[0]
        flat, spec = tree_flatten(sample)
        needs = self._needs_transform_list(flat)
        if has_any(flat, PIL_IMAGE, tv_tensors.BoundingBoxes, tv_tensors.Mask, tv_tensors.KeyPoints):
            raise ValueError(f"[{name}] {name}() does not support PIL images, bounding boxes, keypoints and masks.")
        labels = self._labels_getter(sample)
        self._check_labels(labels, name)
        params = self.make_params([x for x, needed in zip(flat, needs, strict=True) if needed])
        params |= {"labels": labels, "batch_size": labels.shape[0]}
        out = [self.transform(x, params) if needed or x is labels else x for x, needed in zip(flat, needs, strict=True)]
        return tree_unflatten(out, spec)

    def _check_labels(self, labels: Any, name: str) -> None:
        if not isinstance(labels, Tensor):
            raise ValueError(f"[{name}] The labels must be a tensor, but got {type(labels)} instead.")
        if labels.dim() not in (1, 2):
            raise ValueError(
                f"[{name}] labels should be index based with shape (batch_size,) or probability based with shape "
                f"(batch_size, num_classes), but got a tensor of shape {tuple(labels.shape)} instead."
            )
        if labels.dim() == 1 and self.num_classes is None:
            raise ValueError(f"[{name}] num_classes must be passed if the labels are index-based (1D)")
        if labels.dim() == 2 and self.num_classes not in (None, labels.shape[-1]):
            raise ValueError(
                f"[{name}] When passing 2D labels, the number of elements in last dimension must match num_classes: "
                f"{labels.shape[-1]} != {self.num_classes}. You can leave num_classes None."
            )

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if inpt is params["labels"]:
            labels = one_hot(inpt, num_classes=self.num_classes) if inpt.dim() == 1 else inpt  # type: ignore[arg-type]
            return _mixed(labels if labels.is_floating_point() else labels.float(), params["label_share"])
        if not (isinstance(inpt, _PIXELS) or F.is_pure_tensor(inpt)):
            return inpt
        dims = 5 if isinstance(inpt, tv_tensors.Video) else 4
        if inpt.ndim != dims:
            raise ValueError(f"[{type(self).__name__}] Expected a batched input with {dims} dims, but got {inpt.ndim} dimensions instead.")
        if inpt.shape[0] != params["batch_size"]:
            raise ValueError(
                f"[{type(self).__name__}] The batch size of the image or video does not match the batch size of the labels: "
                f"{inpt.shape[0]} != {params['batch_size']}."
            )
        out = self.mixed(inpt, params)
        return tv_tensors.wrap(out, like=inpt) if isinstance(inpt, _PIXELS) else out

    def mixed(self, images: Any, params: dict[str, Any]) -> Any:
        """Mix a batch of images."""
        raise NotImplementedError


def _mixed(x: Any, share: float) -> Any:
    return x.roll(1, 0).mul_(1.0 - share).add_(x.mul(share))


class MixUp(_Mixing):
    """Mix samples as ``share x[i] + (1 - share) x[i - 1]`` (Zhang et al., 2017).

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import MixUp
    >>> images, labels = MixUp(num_classes=10)(taeda.zeros(4, 3, 8, 8), taeda.tensor([1, 2, 3, 4]))
    >>> labels.shape
    taeda.Size([4, 10])
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"label_share": float(self._dist.sample(()))}

    def mixed(self, images: Any, params: dict[str, Any]) -> Any:
        return _mixed(images, params["label_share"])


class CutMix(_Mixing):
    """Put a rectangle of each sample into the next; labels are mixed by area (Yun et al., 2019).

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import CutMix
    >>> images, labels = CutMix(num_classes=10)(taeda.zeros(4, 3, 8, 8), taeda.tensor([1, 2, 3, 4]))
    >>> labels.shape
    taeda.Size([4, 10])
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        share = float(self._dist.sample(()))
        h, w = query_size(flat_inputs)
        x, y = randint(0, w), randint(0, h)
        r = 0.5 * math.sqrt(1.0 - share)
        half_w, half_h = int(r * w), int(r * h)
        x1, y1, x2, y2 = max(x - half_w, 0), max(y - half_h, 0), min(x + half_w, w), min(y + half_h, h)
        return {"box": (x1, y1, x2, y2), "label_share": float(1.0 - (x2 - x1) * (y2 - y1) / (w * h))}

    def mixed(self, images: Any, params: dict[str, Any]) -> Any:
        x1, y1, x2, y2 = params["box"]
        out = images.clone()
        out[..., y1:y2, x1:x2] = images.roll(1, 0)[..., y1:y2, x1:x2]
        return out


class JPEG(Transform):
    """Compress and decompress with a random quality.

    Args:
        quality: 1 to 100, or (least, most).

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import JPEG
    >>> image = JPEG(quality=(50, 90))(taeda.full((3, 16, 16), 128, dtype=taeda.uint8))
    >>> image.shape, image.float().mean()
    (taeda.Size([3, 16, 16]), tensor(128.))
    """

    def __init__(self, quality: int | Sequence[int]) -> None:
        super().__init__()
        if isinstance(quality, bool):
            raise TypeError("[JPEG] quality can't be bool")
        if isinstance(quality, int):
            quality = [quality, quality]
        else:
            sequence_of(quality, "JPEG", "quality")
        if not all(isinstance(q, int) for q in quality) or not 1 <= quality[0] <= quality[1] <= 100:
            raise ValueError(f"[JPEG] quality must be an integer from 1 to 100, got quality={quality!r}")
        self.quality = quality

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"quality": int(taeda.randint(self.quality[0], self.quality[1] + 1, ()))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.jpeg, inpt, quality=params["quality"])

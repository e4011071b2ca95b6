"""Images of any sizes into one batch, and results back to their sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models.detection._utils import Detections, Target
from taeda.vision.models.detection.image_list import ImageList
from taeda.vision.models.detection.roi_heads import paste_masks_in_image

__all__ = ["GeneralizedRCNNTransform", "resize_boxes", "resize_keypoints"]

Size = Sequence[int]


class GeneralizedRCNNTransform(nn.Module):
    """Normalise images, resize them with their targets, and pad them to one size.

    Args:
        min_size: length of the shorter edge; of several, training draws one for each image and evaluation takes the last.
        max_size: the most that the longer edge may be.
        image_mean, image_std: of each channel.
        size_divisible: the padded sizes are multiples of it.
        fixed_size: (width, height) of all images, instead of the two sizes above.

    Called with a list of images C x H x W, values 0 to 1, and their targets; gives an `ImageList` and the targets.

    Raises:
        ValueError: an image does not have 3 dimensions.
        TypeError: an image is not floating-point.
    """

    def __init__(
        self,
        min_size: int | Sequence[int],
        max_size: int,
        image_mean: list[float],
        image_std: list[float],
        size_divisible: int = 32,
        fixed_size: tuple[int, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.min_size: Sequence[int] = min_size if isinstance(min_size, (list, tuple)) else (min_size,)
        self.max_size = max_size
        self.image_mean = image_mean
        self.image_std = image_std
        self.size_divisible = size_divisible
        self.fixed_size = fixed_size
        self._skip_resize = kwargs.pop("_skip_resize", False)

    def forward(self, images: list[Tensor], targets: list[Target] | None = None) -> tuple[ImageList, list[Target] | None]:
        images = list(images)
        if not images:
            raise IndexError(f"[{type(self).__name__}] the list of images is empty; give one image at least")
        if targets is not None and len(targets) < len(images):
            raise IndexError(f"[{type(self).__name__}] there are {len(images)} images and {len(targets)} targets; each image needs one")
        targets = None if targets is None else [dict(t) for t in targets]
        for i, image in enumerate(images):
            if image.dim() != 3:
                raise ValueError(
                    f"[{type(self).__name__}] images is expected to be a list of 3d tensors of shape [C, H, W], got {tuple(image.shape)}"
                    + ("; one image stands in a list too: model([image])" if image.dim() == 2 else "")
                )
            images[i], target = self.resize(self.normalize(image), None if targets is None else targets[i])
            if targets is not None and target is not None:
                targets[i] = target
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        return ImageList(self.batch_images(images, size_divisible=self.size_divisible), sizes), targets

    def normalize(self, image: Tensor) -> Tensor:
        """Return ``(image - mean) / std``."""
        if not image.is_floating_point():
            raise TypeError(
                f"[{type(self).__name__}] Expected input images to be of floating type (in range [0, 1]), but found type {image.dtype} "
                "instead"
            )
        mean, std = (taeda.as_tensor(v, dtype=image.dtype, device=image.device)[:, None, None] for v in (self.image_mean, self.image_std))
        return (image - mean) / std

    def torch_choice(self, k: Sequence[int]) -> int:
        """Draw one of several sizes."""
        return k[int(taeda.empty(1).uniform_(0.0, float(len(k))).item())]

    def resize(self, image: Tensor, target: Target | None = None) -> tuple[Tensor, Target | None]:
        """Resize an image, and the boxes, masks and points of its target, in place."""
        before = image.shape[-2:]
        if self.training and self._skip_resize:
            return image, target
        edge = self.torch_choice(self.min_size) if self.training else self.min_size[-1]
        how: dict[str, Any] = {"size": [self.fixed_size[1], self.fixed_size[0]]} if self.fixed_size is not None else {
            "scale_factor": min(edge / min(before), self.max_size / max(before)), "recompute_scale_factor": True
        }
        image = F.interpolate(image[None], mode="bilinear", align_corners=False, **how)[0]
        if target is None:
            return image, None
        if "masks" in target:
            target["masks"] = F.interpolate(target["masks"][:, None].float(), **how)[:, 0].byte()
        target["boxes"] = resize_boxes(target["boxes"], before, image.shape[-2:])
        if "keypoints" in target:
            target["keypoints"] = resize_keypoints(target["keypoints"], before, image.shape[-2:])
        return image, target

    def batch_images(self, images: list[Tensor], size_divisible: int = 32) -> Tensor:
        """Return the images as one tensor, zeros below and to the right of them."""
        channels, height, width = (max(image.shape[i] for image in images) for i in range(3))
        height, width = (math.ceil(n / size_divisible) * size_divisible for n in (height, width))
        batch = images[0].new_zeros((len(images), channels, height, width))
        for i, image in enumerate(images):                # by index: a row of an iteration takes no writes that autograd follows
            batch[i, : image.shape[0], : image.shape[1], : image.shape[2]].copy_(image)
        return batch

    def postprocess(self, result: Detections, image_shapes: Sequence[Size], original_image_sizes: Sequence[Size]) -> Detections:
        """Bring detections to the images' original sizes, in place; in training there are none."""
        if self.training:
            return result
        for found, now, before in zip(result, image_shapes, original_image_sizes, strict=True):
            found["boxes"] = resize_boxes(found["boxes"], now, before)
            if "masks" in found:
                found["masks"] = paste_masks_in_image(found["masks"], found["boxes"], before)
            if "keypoints" in found:
                found["keypoints"] = resize_keypoints(found["keypoints"], now, before)
        return result

    def __repr__(self) -> str:
        lines = [f"Normalize(mean={self.image_mean}, std={self.image_std})"]
        lines.append(f"Resize(min_size={self.min_size}, max_size={self.max_size}, mode='bilinear')")
        return "\n".join([f"{type(self).__name__}(", *(f"    {line}" for line in lines), ")"])


def _scales(original_size: Size, new_size: Size, device: Any) -> tuple[Tensor, Tensor]:
    """Return the factors of y and of x."""
    before, after = (taeda.tensor(list(size), dtype=taeda.float32, device=device) for size in (original_size, new_size))
    down, across = (after / before).unbind(0)
    return down, across


def resize_keypoints(keypoints: Tensor, original_size: Size, new_size: Size) -> Tensor:
    """Scale points ... x 3, rows (x, y, visibility), from an image of one (height, width) to another."""
    down, across = _scales(original_size, new_size, keypoints.device)
    return keypoints * taeda.stack([across, down, taeda.ones_like(down)])


def resize_boxes(boxes: Tensor, original_size: Size, new_size: Size) -> Tensor:
    """Scale boxes n x 4, as (x1, y1, x2, y2), from an image of one (height, width) to another."""
    down, across = _scales(original_size, new_size, boxes.device)
    out = boxes * taeda.stack([across, down, across, down])
    return out.to(boxes.dtype) if boxes.is_floating_point() else out

"""Geometry: mirrors, cuts, borders and sizes, random or not."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.vision import tv_tensors
from taeda.vision.ops.boxes import box_iou
from taeda.vision.transforms import randomized
from taeda.vision.transforms._draws import uniform
from taeda.vision.transforms.geometry import PADDING_MODES
from taeda.vision.transforms.v2 import functional as F
from taeda.vision.transforms.v2._transform import (
    PIL_IMAGE,
    RandomApplied,
    Transform,
    fill_for,
    fills,
    get_bounding_boxes,
    has_all,
    has_any,
    pair,
    query_size,
    randint,
    sequence_of,
)
from taeda.vision.transforms.v2.functional._formats import convert
from taeda.vision.transforms.v2.functional._geometry import Mode, edges

__all__ = [
    "CenterCrop",
    "FiveCrop",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomIoUCrop",
    "RandomResize",
    "RandomResizedCrop",
    "RandomShortestSize",
    "RandomVerticalFlip",
    "RandomZoomOut",
    "Resize",
    "ScaleJitter",
    "TenCrop",
]


class RandomHorizontalFlip(RandomApplied):
    """Mirror left and right with probability p.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import RandomHorizontalFlip
    >>> image, boxes = taeda.zeros(3, 10, 20), tv_tensors.BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 20))
    >>> RandomHorizontalFlip(p=1.0)(image, boxes)[1]
    BoundingBoxes([[16,  0, 20,  6]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 20), clamping_mode=soft)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.horizontal_flip, inpt)


class RandomVerticalFlip(RandomApplied):
    """Mirror top and bottom with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomVerticalFlip
    >>> RandomVerticalFlip(p=1.0)({"image": taeda.tensor([[[1.0], [2.0]]]), "label": 3})
    {'image': tensor([[[2.],
             [1.]]]), 'label': 3}
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.vertical_flip, inpt)


class _Resizing(Transform):
    """Base of those that resize to a size they draw."""

    interpolation: Mode
    antialias: bool | None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.resize, inpt, params["size"], interpolation=self.interpolation, antialias=self.antialias)


class Resize(Transform):
    """Resize to (height, width), the shorter edge to one number, or the longer to `max_size` where `size` is None.

    Args:
        size: (height, width), a number for the shorter edge, or None.
        interpolation: how pixels between pixels of images are found; masks take the nearest.
        max_size: the longer edge is at most that, or that where `size` is None.
        antialias: smooth a tensor before it is made smaller; PIL images always are.

    Raises:
        ValueError: `size` is none of these.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import Resize
    >>> image, boxes = taeda.zeros(3, 10, 20), tv_tensors.BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 20))
    >>> Resize(20)(image, boxes)[1]
    BoundingBoxes([[ 0,  0,  8, 12]], format=BoundingBoxFormat.XYXY, canvas_size=(20, 40), clamping_mode=soft)
    """

    def __init__(
        self,
        size: int | Sequence[int] | None,
        interpolation: Mode = "bilinear",
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if isinstance(size, int):
            size = [size]
        elif isinstance(size, Sequence) and len(size) in (1, 2):
            size = list(size)
        elif size is not None:
            raise ValueError(
                f"[Resize] size can be an integer, a sequence of one or two integers, or None, but got {size} instead."
            )
        elif not isinstance(max_size, int):
            raise ValueError(f"[Resize] max_size must be an integer when size is None, but got {max_size} instead.")
        self.size = size
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.resize, inpt, self.size, interpolation=self.interpolation, max_size=self.max_size, antialias=self.antialias
        )


class CenterCrop(Transform):
    """Cut (height, width) out of the middle.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import CenterCrop
    >>> CenterCrop(2)(taeda.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  6.],
             [ 9., 10.]]])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size, "CenterCrop")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.center_crop, inpt, output_size=self.size)


class RandomResizedCrop(Transform):
    """Cut out a part of random size and proportions, and resize it.

    Args:
        size: (height, width) of the result.
        scale: least and largest share of the area.
        ratio: least and largest width / height.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomResizedCrop
    >>> RandomResizedCrop(64)(taeda.zeros(3, 100, 200)).shape
    taeda.Size([3, 64, 64])
    """

    get_params = staticmethod(randomized.RandomResizedCrop.get_params)

    def __init__(
        self,
        size: int | Sequence[int],
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Mode = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size, "RandomResizedCrop")
        for name, value in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(value, Sequence) or len(value) != 2:
                raise TypeError(f"[RandomResizedCrop] {name} should be a sequence of two floats, got {value!r}")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation
        self.antialias = antialias
        self._log_ratio = taeda.log(taeda.tensor(ratio)).tolist()

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        for _ in range(10):
            area = height * width * uniform(*self.scale)
            ratio = float(taeda.exp(taeda.empty(1).uniform_(*self._log_ratio)).item())
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return {"top": randint(0, height - h + 1), "left": randint(0, width - w + 1), "height": h, "width": w}
        low, high = min(self.ratio), max(self.ratio)      # no luck: as much of the middle as the proportions allow
        w, h = width, height
        if width / height < low:
            h = round(width / low)
        elif width / height > high:
            w = round(height * high)
        return {"top": (height - h) // 2, "left": (width - w) // 2, "height": h, "width": w}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.resized_crop, inpt, **params, size=self.size, interpolation=self.interpolation, antialias=self.antialias
        )


class _Crops(Transform):
    """Base of those that give several crops of an image."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if has_any(flat_inputs, tv_tensors.BoundingBoxes, tv_tensors.Mask):
            raise TypeError(f"[{type(self).__name__}] BoundingBoxes'es and Mask's are not supported by {type(self).__name__}()")


class FiveCrop(_Crops):
    """Cut out the four corners and the middle; gives a tuple of five.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import FiveCrop
    >>> FiveCrop(8)(taeda.zeros(3, 20, 30))[0].shape
    taeda.Size([3, 8, 8])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size, "FiveCrop")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.five_crop, inpt, self.size)


class TenCrop(_Crops):
    """Cut five crops out of an image and five out of its mirror image; gives a tuple of ten.

    >>> import taeda
    >>> from taeda.vision.transforms import v2
    >>> len(v2.TenCrop(8)(taeda.zeros(3, 20, 30)))
    10
    """

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = pair(size, "TenCrop")
        self.vertical_flip = vertical_flip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.ten_crop, inpt, self.size, vertical_flip=self.vertical_flip)


def _check_padding(padding: Any, mode: str, op: str) -> None:
    whole = isinstance(padding, (tuple, list)) and len(padding) in (1, 2, 4) and all(isinstance(p, int) for p in padding)
    if not isinstance(padding, int) and not whole:
        raise ValueError(f"[{op}] Padding must be an int or a 1, 2, or 4 element of tuple or list, got {padding}.")
    if mode not in PADDING_MODES:
        raise ValueError(f"[{op}] Padding mode should be either constant, edge, reflect or symmetric, got {mode!r}")


class Pad(Transform):
    """Add pixels around; `fill` may be a dict with one for each type.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import Pad
    >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 20))
    >>> Pad((3, 1))(taeda.zeros(3, 10, 20), boxes)[1]
    BoundingBoxes([[3, 1, 7, 7]], format=BoundingBoxFormat.XYXY, canvas_size=(12, 26), clamping_mode=soft)
    """

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        _check_padding(padding, padding_mode, "Pad")
        self.padding = padding if isinstance(padding, int) else list(padding)
        self.fill = fill
        self._fill = fills(fill, "Pad")
        self.padding_mode = padding_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = fill_for(self._fill, type(inpt))
        return self._call_kernel(F.pad, inpt, padding=self.padding, fill=fill, padding_mode=self.padding_mode)


class RandomZoomOut(RandomApplied):
    """Put the image somewhere on a larger canvas, with probability p (Liu et al., SSD, 2016).

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import RandomZoomOut
    >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 20))
    >>> image, boxes = RandomZoomOut(side_range=(2.0, 2.0), p=1.0)(taeda.zeros(3, 10, 20), boxes)
    >>> image.shape, boxes.canvas_size
    (taeda.Size([3, 20, 40]), (20, 40))
    """

    def __init__(self, fill: Any = 0, side_range: Sequence[float] = (1.0, 4.0), p: float = 0.5) -> None:
        super().__init__(p)
        self.fill = fill
        self._fill = fills(fill, "RandomZoomOut")
        sequence_of(side_range, "RandomZoomOut", "side_range")
        self.side_range = side_range
        if side_range[0] < 1.0 or side_range[0] > side_range[1]:
            raise ValueError(f"[RandomZoomOut] Invalid side range provided {side_range}.")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        r = self.side_range[0] + taeda.rand(1) * (self.side_range[1] - self.side_range[0])
        width, height = int(w * r), int(h * r)
        r = taeda.rand(2)
        left, top = int((width - w) * r[0]), int((height - h) * r[1])
        return {"padding": [left, top, width - (left + w), height - (top + h)]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.pad, inpt, **params, fill=fill_for(self._fill, type(inpt)))


class RandomCrop(Transform):
    """Cut (height, width) out at a random place, after padding if asked for.

    Args:
        size: (height, width), or one number for both.
        padding: add this around the image first, as in `Pad`.
        pad_if_needed: add what is missing on both sides of an image that is too small.
        fill: value of the added pixels, or a dict from types to values.
        padding_mode: as in `Pad`.

    Raises:
        ValueError: when called, if the (padded) image is smaller than the crop.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomCrop
    >>> RandomCrop(32, padding=4)(taeda.zeros(3, 32, 32)).shape
    taeda.Size([3, 32, 32])
    """

    get_params = staticmethod(randomized.RandomCrop.get_params)

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = pair(size, "RandomCrop")
        if pad_if_needed or padding is not None:
            _check_padding(0 if padding is None else padding, padding_mode, "RandomCrop")
        left, top, right, bottom = edges(padding) if padding else (0, 0, 0, 0)
        self.padding = [left, right, top, bottom] if padding else None
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self._fill = fills(fill, "RandomCrop")
        self.padding_mode = padding_mode

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        left, right, top, bottom = self.padding or (0, 0, 0, 0)
        h, w = h + top + bottom, w + left + right
        height, width = self.size
        if self.pad_if_needed:
            down, across = max(height - h, 0), max(width - w, 0)
            top, bottom, left, right = top + down, bottom + down, left + across, right + across
            h, w = h + 2 * down, w + 2 * across
        if h < height or w < width:
            padded = "padded " if self.padding is not None else ""
            raise ValueError(
                f"[RandomCrop] Required crop size {(height, width)} is larger than {padded}input image size {(h, w)}."
            )
        y = int(taeda.randint(0, h - height + 1, size=())) if h > height else 0
        x = int(taeda.randint(0, w - width + 1, size=())) if w > width else 0
        where = None if (h, w) == (height, width) else {"top": y, "left": x, "height": height, "width": width}
        return {"crop": where, "padding": [left, top, right, bottom]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if any(params["padding"]):
            fill = fill_for(self._fill, type(inpt))
            inpt = self._call_kernel(F.pad, inpt, padding=params["padding"], fill=fill, padding_mode=self.padding_mode)
        return inpt if params["crop"] is None else self._call_kernel(F.crop, inpt, **params["crop"])


class RandomIoUCrop(Transform):
    """Cut out a part that overlaps the boxes enough; boxes whose centre it loses become zeros (Liu et al., SSD, 2016).

    `SanitizeBoundingBoxes` drops those.

    Args:
        min_scale, max_scale: of the sides.
        min_aspect_ratio, max_aspect_ratio: width / height.
        sampler_options: least overlaps of which one is drawn; 1 or more for no crop.
        trials: crops to try before another overlap is drawn.

    Raises:
        TypeError: when called, if there is no image or there are no boxes.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import RandomIoUCrop
    >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 40, 60], [50, 50, 90, 90]], format="XYXY", canvas_size=(100, 100))
    >>> image, boxes = RandomIoUCrop()(tv_tensors.Image(taeda.zeros(3, 100, 100)), boxes)
    >>> tuple(image.shape[-2:]) == boxes.canvas_size
    True
    """

    def __init__(
        self,
        min_scale: float = 0.3,
        max_scale: float = 1.0,
        min_aspect_ratio: float = 0.5,
        max_aspect_ratio: float = 2.0,
        sampler_options: list[float] | None = None,
        trials: int = 40,
    ) -> None:
        super().__init__()
        self.min_scale = min_scale
        self.max_scale = max_scale
        self.min_aspect_ratio = min_aspect_ratio
        self.max_aspect_ratio = max_aspect_ratio
        self.options = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0] if sampler_options is None else sampler_options
        self.trials = trials

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        images = has_any(flat_inputs, PIL_IMAGE, tv_tensors.Image, F.is_pure_tensor)
        if not (has_all(flat_inputs, tv_tensors.BoundingBoxes) and images):
            raise TypeError(
                f"[{type(self).__name__}] {type(self).__name__}() requires input sample to contain tensor or PIL images and bounding "
                "boxes. Sample can also contain masks."
            )

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        boxes = get_bounding_boxes(flat_inputs)
        xyxy = convert(boxes.as_subclass(Tensor), boxes.format, tv_tensors.BoundingBoxFormat.XYXY)
        cx, cy = 0.5 * (xyxy[..., 0] + xyxy[..., 2]), 0.5 * (xyxy[..., 1] + xyxy[..., 3])
        while True:
            least = self.options[randint(0, len(self.options))]
            if least >= 1.0:
                return {}
            for _ in range(self.trials):
                r = self.min_scale + (self.max_scale - self.min_scale) * taeda.rand(2)
                width, height = int(w * r[0]), int(h * r[1])
                if not self.min_aspect_ratio <= width / height <= self.max_aspect_ratio:
                    continue
                r = taeda.rand(2)
                left, top = int((w - width) * r[0]), int((h - height) * r[1])
                right, bottom = left + width, top + height
                if left == right or top == bottom:
                    continue
                inside = (left < cx) & (cx < right) & (top < cy) & (cy < bottom)
                if not inside.any():
                    continue
                cut = taeda.tensor([[left, top, right, bottom]], dtype=xyxy.dtype)
                if box_iou(xyxy[inside], cut).max() >= least:
                    return {"crop": {"top": top, "left": left, "height": height, "width": width}, "inside": inside}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not params:
            return inpt
        output = self._call_kernel(F.crop, inpt, **params["crop"])
        if isinstance(output, tv_tensors.BoundingBoxes):
            output[~params["inside"]] = 0
        return output


class ScaleJitter(_Resizing):
    """Resize by a random factor, relative to what fits into `target_size` (Ghiasi et al., Copy-Paste, 2020).

    Args:
        target_size: (height, width) that a factor of 1 fits into, the ratio of the edges kept.
        scale_range: bounds of the factor.
        interpolation, antialias: as in `Resize`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import ScaleJitter
    >>> ScaleJitter((32, 32), scale_range=(1.0, 1.0))(taeda.zeros(3, 16, 16)).shape
    taeda.Size([3, 32, 32])
    """

    def __init__(
        self,
        target_size: tuple[int, int],
        scale_range: tuple[float, float] = (0.1, 2.0),
        interpolation: Mode = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.target_size = target_size
        self.scale_range = scale_range
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        scale = self.scale_range[0] + taeda.rand(1) * (self.scale_range[1] - self.scale_range[0])
        r = min(self.target_size[1] / h, self.target_size[0] / w) * scale
        return {"size": (int(h * r), int(w * r))}


class RandomShortestSize(_Resizing):
    """Resize the shorter edge to one of several sizes, the longer to at most `max_size`.

    Args:
        min_size: a size, or several to draw from.
        max_size: of the longer edge; None for any.
        interpolation, antialias: as in `Resize`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomShortestSize
    >>> RandomShortestSize(min_size=20)(taeda.zeros(3, 10, 15)).shape
    taeda.Size([3, 20, 30])
    """

    def __init__(
        self,
        min_size: int | Sequence[int],
        max_size: int | None = None,
        interpolation: Mode = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        h, w = query_size(flat_inputs)
        r = self.min_size[int(taeda.randint(len(self.min_size), ()))] / min(h, w)
        if self.max_size is not None:
            r = min(r, self.max_size / max(h, w))
        return {"size": (int(h * r), int(w * r))}


class RandomResize(_Resizing):
    """Resize the shorter edge to a random size, `min_size` at least and below `max_size`.

    Args:
        min_size, max_size: bounds of the shorter edge.
        interpolation, antialias: as in `Resize`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomResize
    >>> RandomResize(min_size=12, max_size=13)(taeda.zeros(3, 10, 15)).shape
    taeda.Size([3, 12, 18])
    """

    def __init__(
        self, min_size: int, max_size: int, interpolation: Mode = "bilinear", antialias: bool | None = True
    ) -> None:
        super().__init__()
        self.min_size = min_size
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"size": [int(taeda.randint(self.min_size, self.max_size, ()))]}

"""Types and dtypes, normalising, blur and noise, and what keeps boxes and points valid."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import taeda
from taeda import Tensor
from taeda.utils._pytree import tree_flatten, tree_unflatten
from taeda.vision import tv_tensors
from taeda.vision.transforms import warped
from taeda.vision.transforms._draws import uniform
from taeda.vision.transforms.convert import to_tensor
from taeda.vision.transforms.v2 import functional as F
from taeda.vision.transforms.v2._transform import (
    PIL_IMAGE,
    Transform,
    get_bounding_boxes,
    get_keypoints,
    has_any,
    labels_of,
    pair,
    two_floats,
)
from taeda.vision.transforms.v2.functional._misc import valid_boxes, valid_points

__all__ = [
    "ClampBoundingBoxes",
    "ClampKeyPoints",
    "ConvertBoundingBoxFormat",
    "ConvertImageDtype",
    "GaussianBlur",
    "GaussianNoise",
    "Identity",
    "Lambda",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "SanitizeBoundingBoxes",
    "SanitizeKeyPoints",
    "SetClampingMode",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToPureTensor",
    "ToTensor",
    "UniformTemporalSubsample",
]

_PIXELS = (tv_tensors.Image, tv_tensors.Video)
_pure = F.is_pure_tensor


class Identity(Transform):
    """Change nothing.

    >>> from taeda.vision.transforms.v2 import Identity
    >>> Identity()(1, "two")
    (1, 'two')
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt


class Lambda(Transform):
    """Apply a function that you give to the parts of these types, by default all.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import Lambda
    >>> Lambda(lambda x: x * 2)(taeda.ones(3))
    tensor([2., 2., 2.])
    """

    _transformed_types = (object,)

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd = lambd
        self.types = types or self._transformed_types

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.lambd(inpt) if isinstance(inpt, self.types) else inpt

    def extra_repr(self) -> str:
        name = getattr(self.lambd, "__name__", None)
        return ", ".join(([name] if name else []) + [f"types={[t.__name__ for t in self.types]}"])


class _OfTensors(Transform):
    """Base of those that refuse images of PIL."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if has_any(flat_inputs, PIL_IMAGE):
            name = type(self).__name__
            raise TypeError(f"[{name}] {name}() does not support PIL images; put ToImage and ToDtype before it")


class LinearTransformation(_OfTensors):
    """Flatten an image, subtract a mean and multiply by a matrix, as for whitening.

    Args:
        transformation_matrix: D x D, with D = C H W.
        mean_vector: D.

    Raises:
        ValueError: the shapes or dtypes do not fit.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import LinearTransformation
    >>> whiten = LinearTransformation(taeda.eye(4) * 2, taeda.ones(4))
    >>> whiten(taeda.arange(4.0).reshape(1, 2, 2))
    tensor([[[-2.,  0.],
             [ 2.,  4.]]])
    """

    _transformed_types = (_pure, *_PIXELS)

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        shape = tuple(transformation_matrix.shape)
        if shape[0] != shape[1]:
            raise ValueError(f"[LinearTransformation] transformation_matrix should be square. Got {shape} rectangular matrix.")
        if mean_vector.shape[0] != shape[0]:
            raise ValueError(
                f"[LinearTransformation] mean_vector should have the same length {mean_vector.shape[0]} as any one of the dimensions "
                f"of the transformation_matrix [{shape}]"
            )
        if transformation_matrix.dtype != mean_vector.dtype:
            raise ValueError(
                "[LinearTransformation] Input tensors should have the same dtype. "
                f"Got {transformation_matrix.dtype} and {mean_vector.dtype}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        n = inpt.shape[-3] * inpt.shape[-2] * inpt.shape[-1]
        if n != self.transformation_matrix.shape[0]:
            raise ValueError(
                "[LinearTransformation] Input tensor and transformation matrix have incompatible shape: "
                f"{list(inpt.shape[-3:])} != {self.transformation_matrix.shape[0]}"
            )
        flat = inpt.reshape(-1, n) - self.mean_vector
        out = (flat @ self.transformation_matrix.to(flat.dtype)).reshape(inpt.shape)
        return tv_tensors.wrap(out, like=inpt) if isinstance(inpt, _PIXELS) else out


class Normalize(_OfTensors):
    """``(image - mean) / std``, a number for each channel of float images and videos.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import Normalize
    >>> Normalize(mean=[0.5], std=[0.25])(taeda.tensor([[[0.0, 0.5, 1.0]]]))
    tensor([[[-2.,  0.,  2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.inplace = inplace

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.normalize, inpt, self.mean, self.std, self.inplace)


class GaussianBlur(Transform):
    """Smooth by a Gaussian of random width.

    Args:
        kernel_size: odd; one number or (across, down).
        sigma: a number, or (least, most).

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import GaussianBlur
    >>> GaussianBlur(3, sigma=1.0)(taeda.zeros(3, 20, 30)).shape
    taeda.Size([3, 20, 30])
    """

    get_params = staticmethod(warped.GaussianBlur.get_params)

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "GaussianBlur", "Kernel size should be a tuple/list of two integers.")
        if any(k <= 0 or k % 2 == 0 for k in self.kernel_size):
            raise ValueError(f"[GaussianBlur] Kernel size value should be an odd and positive number, got {kernel_size}")
        self.sigma = two_floats(sigma, "GaussianBlur", "sigma")
        if not 0.0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"[GaussianBlur] sigma values should be positive and of the form (min, max). Got {self.sigma}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"sigma": [uniform(self.sigma[0], self.sigma[1])] * 2}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.gaussian_blur, inpt, list(self.kernel_size), **params)


class GaussianNoise(Transform):
    """Add normal noise to images and videos of floats or uint8.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import GaussianNoise
    >>> noise = GaussianNoise(sigma=0.5)(taeda.full((3, 8, 8), 0.5))
    >>> bool(noise.min() >= 0), bool(noise.max() <= 1), bool(noise.std() > 0.2)
    (True, True, True)
    """

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.gaussian_noise, inpt, mean=self.mean, sigma=self.sigma, clip=self.clip)


class ToDtype(Transform):
    """Convert dtypes, and with `scale` the values of images and videos.

    Args:
        dtype: for images and videos; or a dict from types (and ``"others"``) to dtypes, None for no change.

    Raises:
        ValueError: it is neither; or, when called, a type has no dtype.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import ToDtype
    >>> ToDtype(taeda.float32, scale=True)(taeda.tensor([[[255]]], dtype=taeda.uint8))
    tensor([[[1.]]])
    """

    _transformed_types = (Tensor,)

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, (dict, taeda.dtype)):
            raise ValueError(f"[ToDtype] dtype must be a dict or a dtype, such as taeda.float32, got {dtype!r} instead")
        if isinstance(dtype, dict) and Tensor in dtype and any(kind in dtype for kind in _PIXELS):
            warnings.warn(
                "Got dtypes for plain tensors and for tv_tensors.Image or tv_tensors.Video: where a sample has one of the latter, "
                "plain tensors are not transformed.",
                stacklevel=2,
            )
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        pixels = _pure(inpt) or isinstance(inpt, _PIXELS)
        if not isinstance(self.dtype, dict):
            dtype = self.dtype if pixels else None
            if dtype is None:
                return inpt
        elif type(inpt) in self.dtype or "others" in self.dtype:
            dtype = self.dtype.get(type(inpt)) if type(inpt) in self.dtype else self.dtype["others"]
        else:
            raise ValueError(f"[ToDtype] No dtype was specified for type {type(inpt)}; use 'others' as a catch-all key")
        if dtype is None:
            if self.scale and pixels:
                warnings.warn(
                    "scale was set to True but no dtype was specified for images or videos: no scaling will be done.", stacklevel=2
                )
            return inpt
        return self._call_kernel(F.to_dtype, inpt, dtype=dtype, scale=self.scale)


class ConvertImageDtype(Transform):
    """Convert the dtype of images and videos and scale their values; `ToDtype` with `scale`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import ConvertImageDtype
    >>> ConvertImageDtype(taeda.uint8)(taeda.tensor([[[0.0, 0.5, 1.0]]]))
    tensor([[[  0, 127, 255]]], dtype=taeda.uint8)
    """

    def __init__(self, dtype: Any = taeda.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.to_dtype, inpt, dtype=self.dtype, scale=True)


class PILToTensor(Transform):
    """PIL images become tensors C x H x W with the same numbers.

    >>> import PIL.Image
    >>> from taeda.vision.transforms.v2 import PILToTensor
    >>> PILToTensor()(PIL.Image.new("L", (3, 1), 7))
    tensor([[[7, 7, 7]]], dtype=taeda.uint8)
    """

    _transformed_types = (PIL_IMAGE,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.pil_to_tensor(inpt)


class ToImage(Transform):
    """Tensors, PIL images and arrays become tv_tensors.Image; values stay.

    >>> import PIL.Image
    >>> from taeda.vision.transforms.v2 import ToImage
    >>> ToImage()(PIL.Image.new("RGB", (4, 2), "red")).shape
    taeda.Size([3, 2, 4])
    """

    _transformed_types = (_pure, PIL_IMAGE, np.ndarray)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_image(inpt)


class ToPILImage(Transform):
    """Tensors and arrays become PIL images.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import ToPILImage
    >>> image = ToPILImage()(taeda.zeros(3, 2, 4, dtype=taeda.uint8))
    >>> image.mode, image.size
    ('RGB', (4, 2))
    """

    _transformed_types = (_pure, tv_tensors.Image, np.ndarray)

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_pil_image(inpt, mode=self.mode)


class ToPureTensor(Transform):
    """All tv_tensors become plain tensors.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import ToPureTensor
    >>> type(ToPureTensor()(tv_tensors.Image(taeda.zeros(3, 2, 4))))
    <class 'taeda.Tensor'>
    """

    _transformed_types = (tv_tensors.TVTensor,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt.as_subclass(Tensor)


class ToTensor(Transform):
    """PIL images and arrays become tensors, 8-bit pixels 0.0 ... 1.0; `ToImage` and `ToDtype` do the same for whole samples.

    >>> import numpy as np
    >>> import warnings
    >>> from taeda.vision.transforms.v2 import ToTensor
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     step = ToTensor()
    >>> step(np.full((1, 2, 1), 51, dtype=np.uint8))
    tensor([[[0.2000, 0.2000]]])
    """

    _transformed_types = (PIL_IMAGE, np.ndarray)

    def __init__(self) -> None:
        warnings.warn(
            "The transform `ToTensor()` is deprecated and will be removed in a future release. Instead, please use "
            "`v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])`.",
            stacklevel=2,
        )
        super().__init__()

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return to_tensor(inpt)


class UniformTemporalSubsample(Transform):
    """Take so many frames of videos at equal distances.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import UniformTemporalSubsample
    >>> UniformTemporalSubsample(4)(taeda.zeros(16, 3, 2, 2)).shape
    taeda.Size([4, 3, 2, 2])
    """

    _transformed_types = (Tensor,)

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.uniform_temporal_subsample, inpt, self.num_samples)


class ConvertBoundingBoxFormat(Transform):
    """Convert boxes to a format, as ``"CXCYWH"``.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import ConvertBoundingBoxFormat
    >>> ConvertBoundingBoxFormat("XYWH")(tv_tensors.BoundingBoxes([[1, 2, 4, 6]], format="XYXY", canvas_size=(10, 20)))
    BoundingBoxes([[1, 2, 3, 4]], format=BoundingBoxFormat.XYWH, canvas_size=(10, 20), clamping_mode=soft)
    """

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, format: Any) -> None:
        super().__init__()
        self.format = format

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.convert_bounding_box_format(inpt, new_format=self.format)


class ClampBoundingBoxes(Transform):
    """Cut boxes off at the borders of their canvas; by default as each set of boxes says.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import ClampBoundingBoxes
    >>> ClampBoundingBoxes()(tv_tensors.BoundingBoxes([[-1, 2, 40, 6]], format="XYXY", canvas_size=(10, 20)))
    BoundingBoxes([[ 0,  2, 20,  6]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 20), clamping_mode=soft)
    """

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, clamping_mode: str | None = "auto") -> None:
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_bounding_boxes(inpt, clamping_mode=self.clamping_mode)


class ClampKeyPoints(Transform):
    """Move points outside of their canvas to its last pixels.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import ClampKeyPoints
    >>> ClampKeyPoints()(tv_tensors.KeyPoints([[-1, 2], [40, 6]], canvas_size=(10, 20)))
    KeyPoints([[ 0,  2],
               [19,  6]], canvas_size=(10, 20))
    """

    _transformed_types = (tv_tensors.KeyPoints,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_keypoints(inpt)


class SetClampingMode(Transform):
    """Say what later transforms do with boxes that reach over the border.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import ClampBoundingBoxes, SetClampingMode
    >>> boxes = tv_tensors.BoundingBoxes([[-1, 2, 40, 6]], format="XYXY", canvas_size=(10, 20))
    >>> ClampBoundingBoxes()(SetClampingMode(None)(boxes))
    BoundingBoxes([[-1,  2, 40,  6]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 20), clamping_mode=None)
    """

    _transformed_types = (tv_tensors.BoundingBoxes,)

    def __init__(self, clamping_mode: str | None) -> None:
        super().__init__()
        if clamping_mode not in (None, "soft", "hard"):
            raise ValueError(f"[SetClampingMode] clamping_mode must be soft, hard or None, got {clamping_mode}")
        self.clamping_mode = clamping_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        out = inpt.clone()
        out.clamping_mode = self.clamping_mode
        return out


class _Sanitizing(Transform):
    """Base of those that drop what is not valid, with its labels."""

    def __init__(self, labels_getter: Any, **limits: float) -> None:
        super().__init__()
        for name, limit in limits.items():
            setattr(self, name, limit)
        self.labels_getter = labels_getter
        self._labels_getter = labels_of(labels_getter)

    def _valid(self, flat: list[Any]) -> tuple[Any, Tensor]:
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        name = type(self).__name__
        sample = inputs if len(inputs) > 1 else inputs[0]
        labels = self._labels_getter(sample)
        labels = [] if labels is None else [labels] if isinstance(labels, Tensor) else labels
        if not isinstance(labels, (tuple, list)) or not all(isinstance(label, Tensor) for label in labels):
            raise ValueError(f"[{name}] The labels in the input to forward() must be a tensor or None, got {type(labels)} instead.")
        flat, spec = tree_flatten(sample)
        things, valid = self._valid(flat)
        for label in labels:
            if things.shape[0] != label.shape[0]:
                raise ValueError(
                    f"[{name}] Number of {type(things).__name__} (shape={tuple(things.shape)}) must match the number of labels. "
                    f"Found labels with shape={tuple(label.shape)}."
                )
        params = {"valid": valid, "labels": labels}
        return tree_unflatten([self.transform(x, params) for x in flat], spec)


class SanitizeBoundingBoxes(_Sanitizing):
    """Drop boxes that are too small or reach over the border, with their labels and masks.

    Args:
        min_size: of both sides.
        min_area: of the box.
        labels_getter: finds the labels in a sample; None for none.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import SanitizeBoundingBoxes
    >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 4, 6], [5, 5, 5, 5]], format="XYXY", canvas_size=(10, 20))
    >>> SanitizeBoundingBoxes()({"boxes": boxes, "labels": taeda.tensor([1, 2])})["labels"]
    tensor([1])
    """

    min_size: float
    min_area: float

    def __init__(self, min_size: float = 1.0, min_area: float = 1.0, labels_getter: Any = "default") -> None:
        super().__init__(labels_getter, min_size=min_size, min_area=min_area)
        if min_size < 1:
            raise ValueError(f"[SanitizeBoundingBoxes] min_size must be >= 1, got {min_size}.")
        if min_area < 1:
            raise ValueError(f"[SanitizeBoundingBoxes] min_area must be >= 1, got {min_area}.")

    def _valid(self, flat: list[Any]) -> tuple[Any, Tensor]:
        boxes = get_bounding_boxes(flat)
        return boxes, valid_boxes(boxes.as_subclass(Tensor), boxes.format, boxes.canvas_size, self.min_size, self.min_area)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if any(inpt is label for label in params["labels"]):
            return inpt[params["valid"]]
        if not isinstance(inpt, (tv_tensors.BoundingBoxes, tv_tensors.Mask)):
            return inpt
        if inpt.shape[:1] != params["valid"].shape:        # one mask of all objects stays
            return inpt
        return tv_tensors.wrap(inpt[params["valid"]], like=inpt)


class SanitizeKeyPoints(_Sanitizing):
    """Drop points outside of the canvas, with their labels.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import SanitizeKeyPoints
    >>> points = tv_tensors.KeyPoints([[1, 2], [40, 6]], canvas_size=(10, 20))
    >>> SanitizeKeyPoints(labels_getter=lambda sample: sample[1])(points, taeda.tensor([5, 6]))[1]
    tensor([5])
    """

    def __init__(self, labels_getter: Any = None) -> None:
        super().__init__(labels_getter)

    def _valid(self, flat: list[Any]) -> tuple[Any, Tensor]:
        points = get_keypoints(flat)
        return points, valid_points(points.as_subclass(Tensor), points.canvas_size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if any(inpt is label for label in params["labels"]):
            return inpt[params["valid"]]
        if isinstance(inpt, tv_tensors.KeyPoints):
            return tv_tensors.wrap(inpt[params["valid"]], like=inpt)
        return inpt

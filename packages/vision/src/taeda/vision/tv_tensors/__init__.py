"""Tensors that say what they are to an image: pictures, videos, masks, boxes, points.

The transforms of `transforms.v2` treat each kind as it needs. Operations give plain tensors back, unless `set_return_type` asks for
the subclass; `clone`, `to`, `detach`, `requires_grad_` and `pin_memory` keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import Any, TypeVar

import PIL.Image

import taeda
from taeda import Tensor
from taeda._C import DisableTorchFunctionSubclass
from taeda.utils._pytree import tree_flatten
from taeda.vision import _homes as _homes

__all__ = [
    "BoundingBoxFormat",
    "BoundingBoxes",
    "Image",
    "KeyPoints",
    "Mask",
    "TVTensor",
    "Video",
    "is_rotated_bounding_format",
    "set_return_type",
    "wrap",
]

T = TypeVar("T", bound="TVTensor")
_KEEP = {Tensor.clone, Tensor.to, Tensor.detach, Tensor.requires_grad_, Tensor.pin_memory}
_returns_subclass = False


class _Restore:
    """Gives the earlier return type back at the end of a `with` block."""

    def __init__(self, earlier: bool) -> None:
        self.earlier = earlier

    def __enter__(self) -> _Restore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        global _returns_subclass
        _returns_subclass = self.earlier


def set_return_type(return_type: str) -> _Restore:
    """Say whether operations on tv_tensors return ``"Tensor"`` (as at first) or ``"TVTensor"``; for good, or for a `with` block.

    Raises:
        ValueError: it is neither.

    >>> import taeda
    >>> from taeda.vision.tv_tensors import Image, set_return_type
    >>> image = Image(taeda.zeros(3, 2, 2))
    >>> type(image + 1).__name__
    'Tensor'
    >>> with set_return_type("TVTensor"):
    ...     type(image + 1).__name__
    'Image'
    """
    global _returns_subclass
    kinds = {"tensor": False, "tvtensor": True}
    if return_type.lower() not in kinds:
        raise ValueError(f"[set_return_type] return_type must be 'TVTensor' or 'Tensor', got {return_type}")
    restore = _Restore(_returns_subclass)
    _returns_subclass = kinds[return_type.lower()]
    return restore


class TVTensor(Tensor):
    """Base of the kinds: a tensor that remembers what it is to an image.

    >>> import taeda
    >>> from taeda.vision.tv_tensors import Image, TVTensor
    >>> image = Image(taeda.zeros(3, 4, 5))
    >>> isinstance(image, TVTensor), type(image.clone()).__name__, type(image * 2).__name__
    (True, 'Image', 'Tensor')
    """

    @staticmethod
    def _to_tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool | None = None) -> Tensor:
        if requires_grad is None:
            requires_grad = data.requires_grad if isinstance(data, Tensor) else False
        return taeda.as_tensor(data, dtype=dtype, device=device).requires_grad_(requires_grad)

    @classmethod
    def _wrap_output(cls, output: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        if isinstance(output, Tensor) and not isinstance(output, cls):
            return output.as_subclass(cls)
        if isinstance(output, (tuple, list)):
            parts = [cls._wrap_output(part, args, kwargs) for part in output]
            return type(output)(parts)
        return output

    @classmethod
    def wrap(cls, tensor: Tensor, like: Any, **kwargs: Any) -> Any:
        """Return `tensor` as this class, with the attributes of `like`."""
        return tensor.as_subclass(cls)

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if not all(issubclass(cls, t) for t in types):
            return NotImplemented
        with DisableTorchFunctionSubclass():
            output = func(*args, **(kwargs or {}))
        if _returns_subclass or (func in _KEEP and isinstance(args[0], cls)):
            return cls._wrap_output(output, args, kwargs)
        return output.as_subclass(Tensor) if isinstance(output, cls) else output    # what works in place returns its argument

    def _describe(self, **attributes: Any) -> str:
        extra = "".join(f", {name}={value}" for name, value in attributes.items())
        return f"{super().__repr__()[:-1]}{extra})"

    @property
    def shape(self) -> Any:
        """The sizes; no call that a class can take over."""
        with DisableTorchFunctionSubclass():
            return super().shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        with DisableTorchFunctionSubclass():
            return super().ndim

    @property
    def device(self) -> Any:
        """Where the data is."""
        with DisableTorchFunctionSubclass():
            return super().device

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        with DisableTorchFunctionSubclass():
            return super().dtype

    def __deepcopy__(self: T, memo: dict[int, Any]) -> T:
        copied: Any = self.detach().clone().requires_grad_(self.requires_grad)
        return copied


class _Pixels(TVTensor):
    """What is made of pixels: data of at least so many dimensions, or a PIL image."""

    _least = 2

    def __new__(cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None) -> Any:
        if isinstance(data, PIL.Image.Image):
            from taeda.vision.transforms.convert import pil_to_tensor

            data = pil_to_tensor(data)
        tensor = cls._to_tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)
        return cls._checked(tensor).as_subclass(cls)

    @classmethod
    def _checked(cls, tensor: Tensor) -> Tensor:
        if tensor.dim() < cls._least:
            raise ValueError(f"[{cls.__name__}] Tensor must be {cls._least}D or higher, got {tensor.dim()}D tensor.")
        return tensor

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return self._describe()


class Image(_Pixels):
    """An image, ... x C x H x W; of two dimensions, one channel is added. Also made from a PIL image.

    Raises:
        ValueError: there are fewer than 2 dimensions.

    >>> import taeda
    >>> from taeda.vision.tv_tensors import Image
    >>> Image(taeda.zeros(4, 5)).shape
    taeda.Size([1, 4, 5])
    """

    @classmethod
    def _checked(cls, tensor: Tensor) -> Tensor:
        tensor = super()._checked(tensor)
        return tensor.unsqueeze(0) if tensor.dim() == 2 else tensor


class Video(_Pixels):
    """A video, ... x T x C x H x W.

    Raises:
        ValueError: there are fewer than 4 dimensions.

    >>> import taeda
    >>> from taeda.vision.transforms import v2
    >>> from taeda.vision.tv_tensors import Video
    >>> v2.CenterCrop(2)(Video(taeda.zeros(8, 3, 4, 5))).shape
    taeda.Size([8, 3, 2, 2])
    """

    _least = 4

    def __new__(cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None) -> Any:
        tensor = cls._to_tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)
        return cls._checked(tensor).as_subclass(cls)


class Mask(_Pixels):
    """Masks of objects or of classes, ... x H x W; transforms take their values from the nearest pixel. Also made from a PIL image.

    >>> import taeda
    >>> from taeda.vision.transforms import v2
    >>> from taeda.vision.tv_tensors import Mask
    >>> v2.Resize((2, 4))(Mask(taeda.tensor([[0, 7], [7, 0]], dtype=taeda.uint8))).tolist()
    [[0, 0, 7, 7], [7, 7, 0, 0]]
    """

    _least = 0


class BoundingBoxFormat(Enum):
    """How the numbers of a box are meant; see `ops.box_convert`.

    X, Y are corners, W, H width and height, CX, CY the centre; formats that end in R have an angle in degrees, counter-clockwise, and
    XYXYXYXY has all four corners.

    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> BoundingBoxFormat("CXCYWH")
    <BoundingBoxFormat.CXCYWH: 'CXCYWH'>
    """

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"


def as_format(format: Any) -> Any:
    """Return the format of a name, in capitals or not, and anything else as it is; KeyError for an unknown name."""
    if not isinstance(format, str):
        return format
    if format.upper() not in BoundingBoxFormat.__members__:
        raise KeyError(f"[BoundingBoxes] unknown format {format!r}; it is one of {', '.join(BoundingBoxFormat.__members__)}")
    return BoundingBoxFormat[format.upper()]


def is_rotated_bounding_format(format: BoundingBoxFormat | str) -> bool:
    """Say whether boxes of this format have an angle.

    >>> from taeda.vision.tv_tensors import is_rotated_bounding_format
    >>> is_rotated_bounding_format("CXCYWHR"), is_rotated_bounding_format("XYXY")
    (True, False)
    """
    if not isinstance(format, (str, BoundingBoxFormat)):
        raise ValueError(f"[is_rotated_bounding_format] format should be str or BoundingBoxFormat, got {type(format)}")
    return (format if isinstance(format, str) else format.value) in ("XYWHR", "CXCYWHR", "XYXYXYXY")


class BoundingBoxes(TVTensor):
    """Boxes of one image, n x 4 (5 or 8 for rotated ones).

    Args:
        format: a BoundingBoxFormat or its name.
        canvas_size: (height, width) of the image.
        clamping_mode: what transforms do with boxes that reach over the border: ``soft``, ``hard``, or None for nothing.

    Raises:
        ValueError: the data has neither 1 nor 2 dimensions, or rotated boxes are no floats.

    >>> from taeda.vision.tv_tensors import BoundingBoxes
    >>> BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 15))
    BoundingBoxes([[0, 0, 4, 6]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 15), clamping_mode=soft)
    """

    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: str | None

    def __new__(
        cls,
        data: Any,
        *,
        format: BoundingBoxFormat | str,
        canvas_size: tuple[int, int],
        clamping_mode: str | None = "soft",
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> Any:
        tensor = cls._to_tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)
        if not tensor.is_floating_point() and is_rotated_bounding_format(format):
            raise ValueError(f"[BoundingBoxes] Rotated bounding boxes should be floating point tensors, got {tensor.dtype}.")
        return cls._wrap(tensor, format=format, canvas_size=canvas_size, clamping_mode=clamping_mode)

    @classmethod
    def _wrap(
        cls, tensor: Tensor, *, format: Any, canvas_size: Any, clamping_mode: str | None = "soft", check_dims: bool = True
    ) -> Any:
        if check_dims:
            if tensor.dim() == 1:
                tensor = tensor.unsqueeze(0)
            elif tensor.dim() != 2:
                raise ValueError(f"[BoundingBoxes] Expected a 1D or 2D tensor, got {tensor.dim()}D")
        if clamping_mode not in (None, "hard", "soft"):
            raise ValueError(f"[BoundingBoxes] clamping_mode must be None, hard or soft, got {clamping_mode}.")
        boxes: Any = tensor.as_subclass(cls)
        boxes.format = as_format(format)
        boxes.canvas_size = canvas_size
        boxes.clamping_mode = clamping_mode
        return boxes

    @classmethod
    def wrap(cls, tensor: Tensor, like: Any, **kwargs: Any) -> Any:
        """Return `tensor` as boxes with the attributes of `like`, but for those given."""
        names = ("format", "canvas_size", "clamping_mode")
        return cls._wrap(tensor, **{name: kwargs.get(name, getattr(like, name)) for name in names})

    @classmethod
    def _wrap_output(cls, output: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        first = _first(cls, args, kwargs)
        own = {"format": first.format, "canvas_size": first.canvas_size, "clamping_mode": first.clamping_mode}
        if isinstance(output, Tensor) and not isinstance(output, BoundingBoxes):
            return cls._wrap(output, **own, check_dims=False)
        if isinstance(output, (tuple, list)):
            return type(output)([cls._wrap(part, **own, check_dims=False) for part in output])
        return output

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return self._describe(format=self.format, canvas_size=self.canvas_size, clamping_mode=self.clamping_mode)


class KeyPoints(TVTensor):
    """Points (x, y) of one image, ... x 2.

    Args:
        canvas_size: (height, width) of the image.

    >>> from taeda.vision.tv_tensors import KeyPoints
    >>> KeyPoints([[1, 2], [3, 4]], canvas_size=(10, 15))
    KeyPoints([[1, 2],
               [3, 4]], canvas_size=(10, 15))
    """

    canvas_size: tuple[int, int]

    def __new__(
        cls, data: Any, *, canvas_size: tuple[int, int], dtype: Any = None, device: Any = None, requires_grad: bool | None = None
    ) -> Any:
        tensor = cls._to_tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)
        return cls._wrap(tensor, canvas_size=canvas_size)

    @classmethod
    def _wrap(cls, tensor: Tensor, *, canvas_size: Any, check_dims: bool = True) -> Any:
        if check_dims:
            if tensor.dim() == 1:
                tensor = tensor.unsqueeze(0)
            elif tensor.shape[-1] != 2:
                raise ValueError(f"[KeyPoints] Expected a tensor of shape (..., 2), not {tuple(tensor.shape)}")
        points: Any = tensor.as_subclass(cls)
        points.canvas_size = canvas_size
        return points

    @classmethod
    def wrap(cls, tensor: Tensor, like: Any, **kwargs: Any) -> Any:
        """Return `tensor` as points on the canvas of `like`, or on the one given."""
        return cls._wrap(tensor, canvas_size=kwargs.get("canvas_size", like.canvas_size))

    @classmethod
    def _wrap_output(cls, output: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        canvas = _first(cls, args, kwargs).canvas_size
        if isinstance(output, Tensor) and not isinstance(output, KeyPoints):
            return cls._wrap(output, canvas_size=canvas, check_dims=False)
        if isinstance(output, (tuple, list)):
            return type(output)([cls._wrap(part, canvas_size=canvas, check_dims=False) for part in output])
        return output

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return self._describe(canvas_size=self.canvas_size)


def _first(kind: type, args: Any, kwargs: Any) -> Any:
    """Return the first argument that is of this kind."""
    flat, _ = tree_flatten((tuple(args), tuple((kwargs or {}).values())))
    return next(x for x in flat if isinstance(x, kind))


def wrap(wrappee: Tensor, *, like: Any, **kwargs: Any) -> Any:
    """Return a tensor as the class of `like`, with its attributes; keywords take their place.

    >>> from taeda.vision.tv_tensors import BoundingBoxes, wrap
    >>> boxes = BoundingBoxes([[0, 0, 2, 2]], format="XYXY", canvas_size=(4, 4))
    >>> wrap(boxes * 2, like=boxes, canvas_size=(8, 8)).canvas_size
    (8, 8)
    """
    method = getattr(type(like), "wrap", None)
    return wrappee.as_subclass(type(like)) if method is None else method(wrappee, like, **kwargs)


_homes.share(
    __name__,
    {
        "_bounding_boxes": "BoundingBoxFormat BoundingBoxes is_rotated_bounding_format",
        "_image": "Image",
        "_keypoints": "KeyPoints",
        "_mask": "Mask",
        "_tv_tensor": "TVTensor",
        "_video": "Video",
    },
)

"""The base of all transforms of v2: a sample of any structure goes in, each part is treated by its kind, and the same structure comes out.

Parameters are drawn once per sample, so that boxes and masks follow their image. Plain tensors are images; where a sample has an Image, a
Video or a PIL image, they pass through (labels), else the first of them is transformed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import PIL.Image

import taeda
from taeda import Tensor, nn
from taeda.utils._pytree import tree_flatten, tree_unflatten
from taeda.vision import tv_tensors
from taeda.vision.transforms.v2.functional._dispatch import find_kernel, is_pure_tensor
from taeda.vision.transforms.v2.functional._sizes import get_dimensions, get_size

__all__ = [
    "Transform",
    "check_type",
    "get_bounding_boxes",
    "get_keypoints",
    "has_all",
    "has_any",
    "query_chw",
    "query_size",
]

PIL_IMAGE = PIL.Image.Image
_SIZED = (is_pure_tensor, tv_tensors.Image, PIL_IMAGE, tv_tensors.Video)


def check_type(obj: Any, types_or_checks: Sequence[Any]) -> bool:
    """Say whether an object is of one of the types, or passes one of the checks.

    >>> from taeda.vision.transforms.v2 import check_type
    >>> check_type(3, (int, str)), check_type(3, (lambda x: x > 5,))
    (True, False)
    """
    return any(isinstance(obj, t) if isinstance(t, type) else t(obj) for t in types_or_checks)


def has_any(flat_inputs: list[Any], *types_or_checks: Any) -> bool:
    """Say whether any input is of one of the types.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import has_any
    >>> has_any([taeda.zeros(2), "label"], str), has_any([taeda.zeros(2)], str)
    (True, False)
    """
    return any(check_type(x, types_or_checks) for x in flat_inputs)


def has_all(flat_inputs: list[Any], *types_or_checks: Any) -> bool:
    """Say whether there is an input of each of the types.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import has_all
    >>> has_all([taeda.zeros(2), "label"], str, int)
    False
    """
    return all(any(check_type(x, (t,)) for x in flat_inputs) for t in types_or_checks)


def _first(flat_inputs: list[Any], kind: type, name: str) -> Any:
    for x in flat_inputs:
        if isinstance(x, kind):
            return x
    raise ValueError(f"[transforms.v2] No {name} were found in the sample")


def get_bounding_boxes(flat_inputs: list[Any]) -> Any:
    """Return the first BoundingBoxes of a sample.

    Raises:
        ValueError: there are none.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import get_bounding_boxes
    >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 20))
    >>> get_bounding_boxes(["label", boxes]) is boxes
    True
    """
    return _first(flat_inputs, tv_tensors.BoundingBoxes, "bounding boxes")


def get_keypoints(flat_inputs: list[Any]) -> Any:
    """Return the first KeyPoints of a sample.

    Raises:
        ValueError: there are none.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import get_keypoints
    >>> points = tv_tensors.KeyPoints([[1, 2]], canvas_size=(10, 20))
    >>> get_keypoints(["label", points]) is points
    True
    """
    return _first(flat_inputs, tv_tensors.KeyPoints, "keypoints")


def _the_one(sizes: set[Any], what: str, none: str) -> Any:
    if not sizes:
        raise TypeError(f"[transforms.v2] No {none} was found in the sample")
    if len(sizes) > 1:
        raise ValueError(f"[transforms.v2] Found multiple {what} dimensions in the sample: {sorted(sizes)}")
    return sizes.pop()


def query_chw(flat_inputs: list[Any]) -> tuple[int, int, int]:
    """Return (channels, height, width) of the images of a sample.

    Raises:
        TypeError: there is none.
        ValueError: they differ.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import query_chw
    >>> query_chw([taeda.zeros(3, 10, 20), 7])
    (3, 10, 20)
    """
    sizes = {tuple(get_dimensions(x)) for x in flat_inputs if check_type(x, _SIZED)}
    return _the_one(sizes, "CxHxW", "image or video")


def query_size(flat_inputs: list[Any]) -> tuple[int, int]:
    """Return (height, width) of the images, masks, boxes and points of a sample; errors as `query_chw`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import query_size
    >>> query_size([taeda.zeros(3, 10, 20), 7])
    (10, 20)
    """
    kinds = (*_SIZED, tv_tensors.Mask, tv_tensors.BoundingBoxes, tv_tensors.KeyPoints)
    sizes = {tuple(get_size(x)) for x in flat_inputs if check_type(x, kinds)}
    return _the_one(sizes, "HxW", "image, video, mask, bounding box or keypoint")


class Transform(nn.Module):
    """Base class. A subclass writes `transform`, and `make_params` and `check_inputs` where it needs them.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import Transform
    >>> class Brighten(Transform):
    ...     def make_params(self, flat_inputs):
    ...         return {"by": float(taeda.rand(()))}
    ...     def transform(self, inpt, params):
    ...         return inpt + params["by"]
    >>> image, other = Brighten()(taeda.zeros(3, 2, 2), taeda.zeros(5))
    >>> bool((image > 0).all()), other.sum()
    (True, tensor(0.))
    """

    _transformed_types: tuple[Any, ...] = (Tensor, PIL_IMAGE)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise for samples that cannot be transformed."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the parameters of one sample."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Transform one part of a sample."""
        raise NotImplementedError(f"[{type(self).__name__}] transform is for subclasses to write")

    def _call_kernel(self, functional: Callable[..., Any], inpt: Any, *args: Any, **kwargs: Any) -> Any:
        return find_kernel(functional, type(inpt), allow_passthrough=True)(inpt, *args, **kwargs)

    def forward(self, *inputs: Any) -> Any:
        """Transform a sample: one object or several, of any structure."""
        flat, spec = tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        self.check_inputs(flat)
        return tree_unflatten(self._transformed(flat), spec)

    def _transformed(self, flat: list[Any]) -> list[Any]:
        needs = self._needs_transform_list(flat)
        params = self.make_params([x for x, needed in zip(flat, needs, strict=True) if needed])
        return [self.transform(x, params) if needed else x for x, needed in zip(flat, needs, strict=True)]

    def _needs_transform_list(self, flat_inputs: list[Any]) -> list[bool]:
        first_plain = not has_any(flat_inputs, tv_tensors.Image, tv_tensors.Video, PIL_IMAGE)
        needs = []
        for x in flat_inputs:
            needed = check_type(x, self._transformed_types)
            if needed and is_pure_tensor(x):
                needed, first_plain = first_plain, False
            needs.append(needed)
        return needs

    def extra_repr(self) -> str:
        """Return the public attributes that are numbers, texts, sequences or enums."""
        shown = (bool, int, float, str, tuple, list, enum.Enum)
        return ", ".join(
            f"{name}={value}"
            for name, value in self.__dict__.items()
            if not name.startswith("_") and name != "training" and isinstance(value, shown)
        )


class RandomApplied(Transform):
    """Base of those that are applied with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"[{type(self).__name__}] `p` should be a floating point value in the interval [0.0, 1.0], got {p}")
        super().__init__()
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        flat, spec = tree_flatten(sample)
        self.check_inputs(flat)
        if float(taeda.rand(1)) >= self.p:
            return sample
        return tree_unflatten(self._transformed(flat), spec)


_RandomApplyTransform = RandomApplied


# Arguments


def pair(value: Any, op: str, what: str = "Please provide only two dimensions (h, w) for size.") -> Sequence[int]:
    """Read one number or two as (height, width); a pair stays what it is."""
    if isinstance(value, (int, float)):
        return int(value), int(value)
    if not isinstance(value, Sequence):
        raise TypeError(f"[{op}] {what} Got {type(value).__name__}")
    if len(value) not in (1, 2):
        raise ValueError(f"[{op}] {what} Got {value!r}")
    return value if len(value) == 2 else (value[0], value[0])


def two_floats(value: Any, op: str, name: str) -> list[float]:
    """Read one number or two as two."""
    if not isinstance(value, (int, float, Sequence)):
        raise TypeError(f"[{op}] {name} should be a number or a sequence of numbers. Got {type(value)}")
    if not isinstance(value, Sequence):
        return [float(value)] * 2
    if len(value) not in (1, 2) or not all(isinstance(v, (int, float)) for v in value):
        raise ValueError(f"[{op}] {name} should have 1 or 2 numbers. Got {value!r}")
    return [float(value[0]), float(value[-1])]


def angles(value: Any, op: str, name: str, sizes: tuple[int, ...] = (2,)) -> list[float]:
    """Read one number as from -x to x, or a sequence as it is."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"[{op}] If {name} is a single number, it must be positive, got {value}")
        return [float(-value), float(value)]
    sequence_of(value, op, name, sizes)
    return [float(v) for v in value]


def sequence_of(value: Any, op: str, name: str, sizes: tuple[int, ...] = (2,)) -> None:
    """Refuse what is not a sequence of one of these lengths."""
    if not isinstance(value, Sequence):
        raise TypeError(f"[{op}] {name} should be a sequence of length {' or '.join(map(str, sizes))}, got {type(value).__name__}")
    if len(value) not in sizes:
        raise ValueError(f"[{op}] {name} should be a sequence of length {' or '.join(map(str, sizes))}, got {value!r}")


def fills(fill: Any, op: str) -> dict[Any, Any]:
    """Read a fill, or one for each type, as a dict."""
    if isinstance(fill, Mapping):
        return {kind: fills(value, op)["others"] for kind, value in fill.items()}
    if fill is not None and not isinstance(fill, (int, float, tuple, list)):
        raise TypeError(f"[{op}] Got inappropriate fill arg, only Numbers, tuples, lists and dicts are allowed, got {fill!r}")
    return {"others": fill if fill is None or isinstance(fill, (int, float)) else [float(v) for v in fill]}


def fill_for(known: dict[Any, Any], kind: type) -> Any:
    """Return the fill of a type."""
    return known[kind] if kind in known else known.get("others")


def randint(low: int, high: int) -> int:
    """Draw a whole number, `low` at least and below `high`."""
    return int(taeda.randint(low, high, size=(1,)).item())


def labels_of(getter: Any) -> Callable[[Any], Any]:
    """Return the function that finds the labels of a sample.

    Raises:
        ValueError: it is neither ``"default"``, nor a callable, nor None.
    """
    if getter == "default":
        return find_labels
    if callable(getter):
        return getter
    if getter is None:
        return lambda _: None
    raise ValueError(f"[transforms.v2] labels_getter should either be 'default', a callable, or None, but got {getter}.")


def find_labels(inputs: Any) -> Any:
    """Return the second part of a pair, or what a dict has under a name with "label" in it."""
    inputs = inputs[1] if isinstance(inputs, (tuple, list)) else inputs
    if is_pure_tensor(inputs):
        return inputs
    if not isinstance(inputs, Mapping):
        raise ValueError(
            "[transforms.v2] When using the default labels_getter, the input passed to forward must be a dictionary or a two-tuple "
            f"whose second item is a dictionary or a tensor, but got {inputs} instead."
        )
    for fits in (lambda key: key.lower() == "labels", lambda key: "label" in key.lower()):
        for key in inputs:
            if fits(key):
                return inputs[key]
    raise ValueError(
        "[transforms.v2] Could not infer where the labels are in the sample; pass a callable as labels_getter, or None if there are none"
    )

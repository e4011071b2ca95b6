"""Data sets as `transforms.v2` wants them: boxes and masks as tensors that know what they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import taeda
from taeda.vision import tv_tensors
from taeda.vision.datasets._labelled import one_or_all
from taeda.vision.datasets.celeba import CelebA
from taeda.vision.datasets.coco import CocoCaptions, CocoDetection
from taeda.vision.datasets.oxford_iiit_pet import OxfordIIITPet
from taeda.vision.datasets.photographs import Caltech101
from taeda.vision.datasets.scenes import Cityscapes, Kitti, SBDataset, WIDERFace
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.datasets.voc import VOCDetection, VOCSegmentation
from taeda.vision.ops import box_convert
from taeda.vision.transforms.convert import pil_to_tensor

__all__ = ["wrap_dataset_for_transforms_v2"]

Target = Any
_VOC_CLASSES = (
    *("__background__", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


def _mask(image: Any) -> tv_tensors.Mask:
    return tv_tensors.Mask(pil_to_tensor(image))


def _boxes(rows: Any, image: Any, of: str = "xyxy") -> tv_tensors.BoundingBoxes:
    boxes = taeda.as_tensor(rows).reshape(-1, 4)
    boxes = boxes if of == "xyxy" else box_convert(boxes, of, "xyxy")
    return tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(image.height, image.width))


def _outline(segmentation: Any, size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Return the mask of polygons, or of run lengths column by column."""
    width, height = size
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        if isinstance(counts, (str, bytes)):
            raise NotImplementedError("[wrap_dataset_for_transforms_v2] compressed run lengths are not read; pycocotools decodes them")
        values = np.repeat(np.arange(len(counts)) % 2, counts).astype(np.uint8)
        return values.reshape(width, height).T
    picture = Image.new("L", size)
    for polygon in segmentation:
        if len(polygon) >= 6:
            ImageDraw.Draw(picture).polygon([float(v) for v in polygon], fill=1)
    return np.asarray(picture)


def _coco(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    out: dict[str, Any] = {"image_id": data.ids[index]}
    if not target:
        return {key: value for key, value in out.items() if key in keys}
    if "boxes" in keys:
        out["boxes"] = _boxes([one["bbox"] for one in target], image, "xywh")
    if "masks" in keys:
        out["masks"] = tv_tensors.Mask(taeda.from_numpy(np.stack([_outline(one["segmentation"], image.size) for one in target])))
    if "labels" in keys:
        out["labels"] = taeda.tensor([one["category_id"] for one in target])
    return {key: value for key, value in {**_together(target), **out}.items() if key in keys}


def _together(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return of each key all values."""
    together: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for key, value in row.items():
            together[key].append(value)
    return together


def _voc(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    objects = target["annotation"]["object"]
    boxes = [[int(one["bndbox"][side]) for side in ("xmin", "ymin", "xmax", "ymax")] for one in objects]
    labels = taeda.tensor([_VOC_CLASSES.index(one["name"]) for one in objects], dtype=taeda.int64)
    out = {**target, "boxes": _boxes(boxes, image), "labels": labels}
    return {key: value for key, value in out.items() if key in keys}


def _pets(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    parts = target if isinstance(target, tuple) else (target,)
    made = tuple(_mask(part) if kind == "segmentation" else part for kind, part in zip(data._target_types, parts, strict=True))
    return made if isinstance(target, tuple) else made[0]


_KITTI_CLASSES = ("Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc", "DontCare")


def _kitti(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    if target is None:
        return None
    labels = taeda.tensor([_KITTI_CLASSES.index(one["type"]) for one in target], dtype=taeda.int64)
    out = {**_together(target), "boxes": _boxes([one["bbox"] for one in target], image), "labels": labels}
    return {key: value for key, value in out.items() if key in keys}


def _faces(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    if target is None:
        return None
    return {key: _boxes(value, image, "xywh") if key == "bbox" else value for key, value in target.items() if key in keys}


def _unsupported(what: str) -> RuntimeError:
    return RuntimeError(f"[wrap_dataset_for_transforms_v2] {what} is currently not supported by this wrapper: there is no tv_tensor for it")


def _city(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    made: list[Any] = []
    for kind, part in zip(data.target_type, target if isinstance(target, tuple) else (target,), strict=True):
        if kind not in ("instance", "semantic"):
            raise _unsupported(f"Cityscapes with target_type {kind!r}")
        mask = _mask(part)
        if kind == "instance":              # a number is a class, or a thousand times a class and the instance
            numbers = mask.unique().to(taeda.int64)
            labels = taeda.where(numbers >= 1000, numbers // 1000, numbers)
            made.append({"masks": tv_tensors.Mask(taeda.stack([mask == number for number in numbers])), "labels": labels})
        else:
            made.append(mask)
    return one_or_all(tuple(made))


def _borders(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    if data.mode == "boundaries":
        raise _unsupported("SBDataset with mode 'boundaries'")
    return _mask(target)


def _celebrities(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    if "landmarks" in data.target_type:
        raise _unsupported("CelebA with target_type 'landmarks'")
    parts = target if isinstance(target, tuple) else (target,) * len(data.target_type)
    made = tuple(_boxes(part, image, "xywh") if kind == "bbox" else part for kind, part in zip(data.target_type, parts, strict=True))
    return made if isinstance(target, tuple) else made[0] if made else None


def _contours(data: Any, index: int, image: Any, target: Any, keys: Collection[str]) -> Target:
    if "annotation" in data.target_type:
        raise _unsupported("Caltech101 with target_type 'annotation'")
    return target


_FACE_KEYS = {"bbox", "blur", "expression", "illumination", "occlusion", "pose", "invalid"}
Wrapper = Callable[[Any, int, Any, Any, Collection[str]], Target]
# For each class how its targets are made, what they can have, and what they have by default.
_WRAPPERS: dict[type, tuple[Wrapper, set[str], set[str]]] = {
    CocoCaptions: (lambda data, i, image, target, keys: target, set(), set()),
    CocoDetection: (
        _coco,
        {"segmentation", "area", "iscrowd", "image_id", "bbox", "category_id", "id", "boxes", "masks", "labels"},
        {"image_id", "boxes", "labels"},
    ),
    VOCDetection: (_voc, {"annotation", "boxes", "labels"}, {"boxes", "labels"}),
    VOCSegmentation: (lambda data, i, image, target, keys: _mask(target), set(), set()),
    OxfordIIITPet: (_pets, set(), set()),
    Kitti: (
        _kitti,
        {"type", "truncated", "occluded", "alpha", "bbox", "dimensions", "location", "rotation_y", "boxes", "labels"},
        {"boxes", "labels"},
    ),
    WIDERFace: (_faces, _FACE_KEYS, _FACE_KEYS),
    Cityscapes: (_city, set(), set()),
    SBDataset: (_borders, set(), set()),
    CelebA: (_celebrities, set(), set()),
    Caltech101: (_contours, set(), set()),
    VisionDataset: (lambda data, i, image, target, keys: target, set(), set()),
}


def wrap_dataset_for_transforms_v2(dataset: Any, target_keys: Collection[str] | str | None = None) -> Any:
    """Return a data set whose targets hold boxes and masks as `tv_tensors`; its `transforms` get them so.

    Args:
        dataset: one of this package. Of classes without boxes and masks the targets stay.
        target_keys: what the dicts of COCO, VOC, KITTI and WIDERFace should have: of the file's own fields, and "boxes", "labels", of COCO
            "masks"; or "all".

    Raises:
        TypeError: it is no data set of this package.
        ValueError: keys are asked for that its targets cannot have.
        RuntimeError: when a sample is read, its target has a kind that transforms would leave behind.

    >>> from taeda.vision.datasets import FakeData, wrap_dataset_for_transforms_v2
    >>> data = wrap_dataset_for_transforms_v2(FakeData(size=2, image_size=(3, 8, 8)))
    >>> len(data)
    2
    """
    found = next((cls for cls in type(dataset).__mro__ if cls in _WRAPPERS), None)
    if found is None:
        name = type(dataset).__name__
        raise TypeError(f"[wrap_dataset_for_transforms_v2] No wrapper exists for dataset class {name}; it should be a VisionDataset")
    make, known, default = _WRAPPERS[found]
    if target_keys is not None and not known:
        raise ValueError("[wrap_dataset_for_transforms_v2] `target_keys` is currently only supported for CocoDetection, VOCDetection, "
                         f"Kitti and WIDERFace, but got {type(dataset).__name__}")
    keys = default if target_keys is None else known if target_keys == "all" else set(target_keys)
    if not set(keys) <= known:
        raise ValueError(f"[wrap_dataset_for_transforms_v2] Target keys should be some of {sorted(known)}, got {sorted(set(keys) - known)}")

    def __getitem__(self: Any, index: int) -> Any:
        sample = kind.__getitem__(self, index)
        if not isinstance(sample, tuple) or len(sample) != 2:
            raise TypeError(f"[wrap_dataset_for_transforms_v2] No wrapper exists for dataset class {kind.__name__}: its samples are no "
                            "pairs of an image and a target")
        image, target = sample
        target = make(self, index, image, target, keys)
        return (image, target) if self._then is None else self._then(image, target)

    def __reduce__(self: Any) -> Any:
        return wrap_dataset_for_transforms_v2, (dataset, target_keys)

    kind: Any = type(dataset)
    wrapped: Any = type(f"Wrapped{kind.__name__}", (kind,), {"__getitem__": __getitem__, "__reduce__": __reduce__})
    made = object.__new__(wrapped)
    made.__dict__.update(dataset.__dict__)
    made._then = dataset.transforms
    made.transforms = made.transform = made.target_transform = None
    return made

"""COCO: photographs with objects, outlines, key points or sentences in one JSON file (Lin et al., 2014)."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from taeda.vision.datasets.utils import within
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["CocoCaptions", "CocoDetection", "CocoIndex"]


def _list(ids: Any) -> list[Any]:
    return list(ids) if isinstance(ids, Iterable) and not isinstance(ids, str) else [ids]


class CocoIndex:
    """An annotation file, by the numbers of images, annotations and categories; the part of pycocotools' COCO that datasets use.

    Args:
        annotation_file: the JSON file.

    Raises:
        ValueError: it is no such file.
    """

    def __init__(self, annotation_file: str | os.PathLike[str]) -> None:
        try:
            with open(annotation_file, encoding="utf-8") as file:
                self.dataset: dict[str, Any] = json.load(file)
            self.imgs = {image["id"]: image for image in self.dataset["images"]}
            self.anns = {annotation["id"]: annotation for annotation in self.dataset.get("annotations", [])}
            self.cats = {category["id"]: category for category in self.dataset.get("categories", [])}
            self.imgToAnns: dict[Any, list[dict[str, Any]]] = defaultdict(list)
            for annotation in self.dataset.get("annotations", []):
                self.imgToAnns[annotation["image_id"]].append(annotation)
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"[CocoDetection] {os.fspath(annotation_file)!r} is no annotation file of COCO: {error!r}") from error

    def getImgIds(self) -> list[Any]:
        """Return the numbers of all images."""
        return list(self.imgs)

    def getCatIds(self) -> list[Any]:
        """Return the numbers of all categories."""
        return list(self.cats)

    def getAnnIds(self, imgIds: Any = ()) -> list[Any]:
        """Return the numbers of the annotations of some images, all by default."""
        ids = _list(imgIds)
        if not ids:
            return list(self.anns)
        return [annotation["id"] for i in ids for annotation in self.imgToAnns.get(i, [])]

    def loadImgs(self, ids: Any = ()) -> list[dict[str, Any]]:
        """Return the descriptions of images."""
        return [self.imgs[i] for i in _list(ids)]

    def loadAnns(self, ids: Any = ()) -> list[dict[str, Any]]:
        """Return annotations."""
        return [self.anns[i] for i in _list(ids)]

    def loadCats(self, ids: Any = ()) -> list[dict[str, Any]]:
        """Return the descriptions of categories."""
        return [self.cats[i] for i in _list(ids)]


class CocoDetection(VisionDataset):
    """COCO with the annotations of each image.

    Args:
        root: folder of the images.
        annFile: the annotation file.
        transform, target_transform, transforms: functions of the image, of the target, of both.

    Attributes:
        coco: a `CocoIndex`.
        ids: the numbers of the images, sorted.

    Sample i is (PIL image of mode RGB, list of dicts: "bbox" x, y, width, height, "category_id", "segmentation" ...).

    Raises:
        ValueError: the file is not an annotation file, or names an image outside the folder.

    >>> import json, os, pathlib
    >>> from PIL import Image
    >>> from taeda.vision.datasets import CocoDetection
    >>> os.mkdir("images")
    >>> Image.new("RGB", (8, 6)).save("images/cat.png")
    >>> _ = pathlib.Path("found.json").write_text(json.dumps({
    ...     "images": [{"id": 7, "file_name": "cat.png"}],
    ...     "annotations": [{"id": 1, "image_id": 7, "category_id": 17, "bbox": [1, 2, 3, 4]}],
    ...     "categories": [{"id": 17, "name": "cat"}],
    ... }))
    >>> image, found = CocoDetection("images", "found.json")[0]
    >>> image.size, found[0]["bbox"]
    ((8, 6), [1, 2, 3, 4])
    """

    root: str

    def __init__(
        self,
        root: str | os.PathLike[str],
        annFile: str | os.PathLike[str],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.coco = CocoIndex(annFile)
        self.ids = sorted(self.coco.imgs)

    def _load_image(self, id: Any) -> Any:
        return open_image(within(self.root, self.coco.imgs[id]["file_name"], f"{type(self).__name__}, image {id}"), "RGB")

    def _load_target(self, id: Any) -> list[Any]:
        return list(self.coco.imgToAnns.get(id, ()))        # a transform may add to it

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not isinstance(index, int):
            raise ValueError(f"[{type(self).__name__}] Index must be of type integer, got {type(index)} instead.")
        return self._jointly_transformed(self._load_image(self.ids[index]), self._load_target(self.ids[index]))

    def __len__(self) -> int:
        return len(self.ids)


class CocoCaptions(CocoDetection):
    """COCO with sentences: sample i is (PIL image of mode RGB, list of texts); arguments as `CocoDetection`."""

    def _load_target(self, id: Any) -> list[Any]:
        return [annotation["caption"] for annotation in super()._load_target(id)]

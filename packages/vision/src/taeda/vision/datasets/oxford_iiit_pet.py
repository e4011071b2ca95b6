"""Oxford-IIIT Pets: photographs of 37 breeds of cats and dogs (Parkhi, Vedaldi, Zisserman, Jawahar, 2012)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from taeda.vision.datasets._labelled import not_there, one_or_all
from taeda.vision.datasets._list_file import Lines
from taeda.vision.datasets.utils import download_and_extract_archive, verify_str_arg, within
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["OxfordIIITPet"]


class OxfordIIITPet(VisionDataset):
    """7,349 photographs with breed, species and outline.

    Args:
        root: the folder that contains ``oxford-iiit-pet``.
        split: ``"trainval"`` or ``"test"``.
        target_types: ``"category"`` (the breed), ``"binary-category"`` (0 cat, 1 dog), ``"segmentation"`` (a PIL image: 1 pet, 2
            background, 3 border), or several.
        transforms, transform, target_transform: functions of both, of the image, of the target.
        download: fetch and unpack the archives if they are not there.

    Sample i is (PIL image of mode RGB, the target; a tuple of several).

    Raises:
        RuntimeError: the files are not there.
        ValueError: an argument is none of those above.
    """

    _RESOURCES = (
        ("https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c"),
        ("https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f"),
    )
    root: str

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "trainval",
        target_types: Sequence[str] | str = "category",
        transforms: Callable[[Any, Any], Any] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        op = "OxfordIIITPet"
        self._split = verify_str_arg(split, "split", ("trainval", "test"), op)
        kinds = [target_types] if isinstance(target_types, str) else list(target_types)
        known = ("category", "binary-category", "segmentation")
        self._target_types = [verify_str_arg(kind, "target_types", known, op) for kind in kinds]
        super().__init__(root, transforms, transform, target_transform)
        base = os.path.join(self.root, "oxford-iiit-pet")
        path = os.path.join(base, "annotations", f"{split}.txt")
        if download and not os.path.isfile(path):
            for url, md5 in self._RESOURCES:
                download_and_extract_archive(url, base, md5=md5)
        if not os.path.isfile(path):
            raise not_there(op, path)
        self._labels: list[int] = []
        self._bin_labels: list[int] = []
        self._images: list[str] = []
        self._segs: list[str] = []
        breeds: dict[int, str] = {}
        with Lines(op, path, "ascii") as lines:
            for line in lines:
                if line.startswith("#"):
                    continue
                name, *numbers = line.split()
                label, kind = (int(number) - 1 for number in numbers[:2])
                breeds[label] = name.rpartition("_")[0]
                self._labels.append(label)
                self._bin_labels.append(kind)
                self._images.append(within(os.path.join(base, "images"), f"{name}.jpg", op))
                self._segs.append(within(os.path.join(base, "annotations", "trimaps"), f"{name}.png", op))
        self.bin_classes = ["Cat", "Dog"]
        self.classes = [" ".join(part.title() for part in breeds[label].split("_")) for label in sorted(breeds)]
        self.bin_class_to_idx = {name: i for i, name in enumerate(self.bin_classes)}
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _target(self, kind: str, index: int) -> Any:
        if kind == "segmentation":
            return open_image(self._segs[index])
        return (self._labels if kind == "category" else self._bin_labels)[index]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        targets = tuple(self._target(kind, index) for kind in self._target_types)
        return self._jointly_transformed(open_image(self._images[index], "RGB"), one_or_all(targets))

    def __len__(self) -> int:
        return len(self._images)

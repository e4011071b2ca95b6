"""CelebA: faces of celebrities with attributes, identities, boxes and landmarks (Liu, Luo, Wang, Tang, 2015)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

import taeda
from taeda.vision.datasets._labelled import one_or_all
from taeda.vision.datasets._list_file import Lines
from taeda.vision.datasets.utils import verify_str_arg, within
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["CelebA"]

_SPLITS = ("train", "valid", "test", "all")


class CelebA(VisionDataset):
    """202,599 faces of 178 x 218 pixels.

    Args:
        root: the folder that contains ``celeba``, with the text files and the folder ``img_align_celeba``.
        split: ``"train"``, ``"valid"``, ``"test"`` or ``"all"``.
        target_type: ``"attr"`` (int64 tensor of 40, 0 or 1), ``"identity"`` (0-d tensor), ``"bbox"`` (x, y, width, height in the
            picture before cropping), ``"landmarks"`` (five points), or a list of them.
        transform, target_transform: functions of the PIL image and of the target.
        download: refused where the files are not there: they lie on Google Drive.

    Attributes:
        filename: names of the images.
        attr, identity, bbox, landmarks_align: int64 tensors N x 40, N x 1, N x 4, N x 10.
        attr_names: names of the attributes.

    Raises:
        RuntimeError: the files are not there, or a target's transform is given without a target.
        ValueError: there is no such split, a target is none of those above, or a file is malformed.

    Sample i is (PIL image, target); several targets are a tuple, and without any the target is None.
    """

    base_folder = "celeba"
    root: str

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        target_type: list[str] | str = "attr",
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = split
        self.target_type = target_type if isinstance(target_type, list) else [target_type]
        if not self.target_type and target_transform is not None:
            raise RuntimeError("[CelebA] target_transform is specified but target_type is empty")
        number = _SPLITS.index(verify_str_arg(split.lower() if isinstance(split, str) else split, "split", _SPLITS, "CelebA"))
        self._images = self._there("img_align_celeba", download)
        names, parts, _ = self._table(self._there("list_eval_partition.txt", download), 0)
        chosen = np.flatnonzero(parts[:, 0] == number) if split.lower() != "all" else np.arange(len(names))
        self.filename = [names[i] for i in chosen]

        def rows(file: str, head: int) -> tuple[taeda.Tensor, list[str]]:
            path = self._there(file, download)
            others, values, header = self._table(path, head)
            if len(others) != len(names):
                raise ValueError(f"[CelebA] {path!r} is damaged: it has {len(others)} images, and list_eval_partition.txt {len(names)}")
            return taeda.from_numpy(values[chosen]), header

        self.identity, _ = rows("identity_CelebA.txt", 0)
        self.bbox, _ = rows("list_bbox_celeba.txt", 2)
        self.landmarks_align, _ = rows("list_landmarks_align_celeba.txt", 2)
        signs, self.attr_names = rows("list_attr_celeba.txt", 2)
        self.attr = taeda.div(signs + 1, 2, rounding_mode="floor")

    def _there(self, name: str, download: bool) -> str:
        path = os.path.join(self.root, self.base_folder, name)
        if not os.path.exists(path):
            why = "its files lie on Google Drive and are not fetched from here" if download else "they are put there by hand"
            raise RuntimeError(f"[CelebA] Dataset not found or corrupted: there is no {path!r}; {why}")
        return path

    @staticmethod
    def _table(path: str, head: int) -> tuple[list[str], np.ndarray[Any, Any], list[str]]:
        """Return the first column, the other columns as numbers, and the words of the last of `head` lines."""
        with Lines("CelebA", path, "ascii") as lines:
            header = [next(lines).split() for _ in range(head)]
            names: list[str] = []
            rows: list[list[int]] = []
            for name, *words in filter(None, map(str.split, lines)):
                names.append(name)
                rows.append([int(word) for word in words])
                if not words or len(words) != len(rows[0]):
                    raise ValueError(f"{len(words)} numbers of {name!r}, {len(rows[0])} before")
            return names, np.array(rows, dtype=np.int64), header[-1] if head else []

    def _target(self, kind: str, index: int) -> Any:
        if kind == "identity":
            return self.identity[index, 0]
        tables = {"attr": self.attr, "bbox": self.bbox, "landmarks": self.landmarks_align}
        if kind not in tables:
            raise ValueError(f"[CelebA] Target type {kind!r} is not recognized; one of identity, {', '.join(tables)} is wanted")
        return tables[kind][index]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = open_image(within(self._images, self.filename[index], "CelebA"))
        return self._transformed(image, one_or_all(tuple(self._target(kind, index) for kind in self.target_type)))

    def __len__(self) -> int:
        return len(self.attr)

    def extra_repr(self) -> str:
        return f"Target type: {self.target_type}\nSplit: {self.split}"

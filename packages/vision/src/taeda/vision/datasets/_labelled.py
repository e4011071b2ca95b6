"""The base of data sets whose files are images with a label each, and how an archive is fetched."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from taeda.vision.datasets.utils import download_and_extract_archive
from taeda.vision.datasets.vision import VisionDataset

__all__ = ["LabelledImages", "Path", "Transform", "fetch", "not_there", "numbered", "one_or_all"]

Path = str | os.PathLike[str]
Transform = Callable[[Any], Any]


def fetch(op: str, folder: str, download: bool, url: str, into: str, md5: str | None) -> None:
    """Unpack an archive from `url` into a folder, if asked to `download` and `folder` is not there.

    Raises:
        RuntimeError: `folder` is not there.
    """
    if download and not os.path.isdir(folder):
        download_and_extract_archive(url, into, md5=md5)
    if not os.path.isdir(folder):
        raise not_there(op, folder)


def not_there(op: str, path: str) -> RuntimeError:
    """Return the error of a data set without a file or folder that it needs."""
    return RuntimeError(f"[{op}] Dataset not found or corrupted: there is no {path!r}. You can use download=True to download it")


def numbered(names: list[Any]) -> dict[Any, int]:
    """Return the place of each name."""
    return {name: i for i, name in enumerate(names)}


def one_or_all(targets: tuple[Any, ...]) -> Any:
    """Return a sample's target: the only one by itself, a tuple of several, None for none."""
    return targets if len(targets) > 1 else targets[0] if targets else None


class LabelledImages(VisionDataset):
    """Base: sample i is (the image that `loader` reads from file i, label i), each after its transform."""

    root: str
    _SHOWN: ClassVar[tuple[str, ...]] = ()                  # arguments in the printed form

    def __init__(self, root: Path, transform: Transform | None, target_transform: Transform | None, loader: Callable[[str], Any]) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader
        self._image_files: list[str] = []
        self._labels: list[Any] = []

    @property
    def _samples(self) -> list[tuple[str, Any]]:
        """Pairs of a file and its label."""
        return list(zip(self._image_files, self._labels, strict=True))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(self.loader(self._image_files[index]), self._labels[index])

    def __len__(self) -> int:
        return len(self._image_files)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, '_' + name)}" for name in self._SHOWN)

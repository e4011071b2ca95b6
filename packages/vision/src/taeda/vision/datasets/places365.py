"""Places365: photographs of scenes of 365 categories (Zhou, Lapedriza, Khosla, Oliva, Torralba, 2017)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from taeda.vision.datasets._list_file import Lines
from taeda.vision.datasets.folder import default_loader
from taeda.vision.datasets.utils import download_and_extract_archive, verify_str_arg, within
from taeda.vision.datasets.vision import VisionDataset

__all__ = ["Places365"]

_URL = "http://data.csail.mit.edu/places/places365/"
_LISTS = {
    "standard": ("filelist_places365-standard.tar", "35a0585fee1fa656440f3ab298f8479c"),
    "challenge": ("filelist_places365-challenge.tar", "70a8307e459c3de41690a7c76c931734"),
}
_FILE_OF = {
    "train-standard": "places365_train_standard.txt",
    "train-challenge": "places365_train_challenge.txt",
    "val": "places365_val.txt",
    "test": "places365_test.txt",
}
# For each split the checksums of the archives of large and of small images.
_SUMS = {
    "train-standard": ("67e186b496a84c929568076ed01a8aa1", "53ca1c756c3d1e7809517cc47c5561c5"),
    "train-challenge": ("605f18e68e510c82b958664ea134545f", "741915038a5e3471ec7332404dfb64ef"),
    "val": ("9b71c4993ad89d2d8bcbdc4aef38042f", "e27b17d8d44f4af9a78502beb927f808"),
    "test": ("41a4b6b724b1d2cd862fb3871ed59913", "f532f6ad7b582262a2ec8009075e186b"),
}


class Places365(VisionDataset):
    """1,803,460 photographs for training (8 million in the challenge), 36,500 for validation, 328,500 without classes for testing.

    Args:
        root: folder of the lists, and of folders of images such as ``data_256_standard`` and ``val_large``.
        split: ``"train-standard"``, ``"train-challenge"``, ``"val"`` or ``"test"``.
        small: the images of 256 x 256 pixels, else the large ones.
        download: fetch the lists and images that are not there.
        transform, target_transform: functions of the image and of the class number.
        loader: reads an image, given its path.

    Attributes:
        classes: names of the categories.
        class_to_idx: from a name to its number.
        imgs: list of (path, class number); None in ``"test"``.
        targets: the class number of every image.

    Raises:
        RuntimeError: a list is not there.
        ValueError: there is no such split.
    """

    root: str

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train-standard",
        small: bool = False,
        download: bool = False,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] = default_loader,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(_FILE_OF), "Places365")
        self.small = small
        self.loader = loader
        with self._lines("categories_places365.txt", download) as lines:
            self.class_to_idx = {row[0]: int(row[1]) for row in map(str.split, lines)}
        self.classes = sorted(self.class_to_idx)
        self.imgs: list[tuple[str, int | None]] = []
        with self._lines(_FILE_OF[split], download) as lines:
            for row in map(str.split, lines):
                path = within(self.images_dir, row[0].lstrip("/").replace("/", os.sep), "Places365")
                self.imgs.append((path, int(row[1]) if len(row) > 1 else None))
        self.targets = [target for _, target in self.imgs]
        if download and not os.path.isdir(self.images_dir):
            self._download_images()

    @property
    def variant(self) -> str:
        """The part for training: ``"standard"`` or ``"challenge"``."""
        return "challenge" if "challenge" in self.split else "standard"

    @property
    def images_dir(self) -> str:
        """The folder of the images."""
        size = "256" if self.small else "large"
        return os.path.join(self.root, f"data_{size}_{self.variant}" if self.split.startswith("train") else f"{self.split}_{size}")

    def _lines(self, name: str, download: bool) -> Lines:
        """Open a list."""
        path = os.path.join(self.root, name)
        if download and not os.path.isfile(path):
            archive, md5 = _LISTS[self.variant]
            download_and_extract_archive(_URL + archive, self.root, md5=md5)
        if not os.path.isfile(path):
            raise RuntimeError(f"[Places365] The file {path} does not exist or is corrupted. You can set download=True to download it.")
        return Lines("Places365", path)

    def _download_images(self) -> None:
        size, train = "256" if self.small else "large", self.split.startswith("train")
        name = f"train_{size}_places365{self.variant}.tar" if train else f"{self.split}_{size}.tar"
        download_and_extract_archive(_URL + name, self.root, md5=_SUMS[self.split][self.small])
        if train:       # the archives of both parts unpack to a folder of one name
            os.rename(self.images_dir.rpartition("_")[0], self.images_dir)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.imgs[index]
        return self._transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.imgs)

    def extra_repr(self) -> str:
        return f"Split: {self.split}\nSmall: {self.small}"

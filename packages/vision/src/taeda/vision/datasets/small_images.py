"""Small images in one file or few: STL-10, SVHN, USPS."""

from __future__ import annotations

import bz2
import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from taeda.vision.datasets.utils import check_integrity, download_and_extract_archive, download_file, verify_str_arg
from taeda.vision.datasets.vision import VisionDataset

__all__ = ["STL10", "SVHN", "USPS"]

Path = str | os.PathLike[str]
Transform = Callable[[Any], Any]


class _Arrays(VisionDataset):
    """Base: `data` N x C x H x W or N x H x W, uint8, and `labels`; sample i is (PIL image, int), each after its transform."""

    data: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    root: str

    def _not_there(self, path: str) -> RuntimeError:
        return RuntimeError(
            f"[{type(self).__name__}] Dataset not found or corrupted: there is no whole {path!r}. You can use download=True to download it"
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        pixels = self.data[index]
        image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)) if pixels.ndim == 3 else pixels)
        return self._transformed(image, int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {self.split}" if hasattr(self, "split") else ""


class STL10(_Arrays):
    """113,000 colour images of 96 x 96 pixels in ten classes, most without a label (Coates, Lee, Ng, 2011).

    Args:
        root: the folder ``stl10_binary`` is looked for in it.
        split: ``"train"``, ``"test"``, ``"unlabeled"`` or ``"train+unlabeled"``; the label of what has none is -1.
        folds: one of the ten parts of the images for training.
        download: fetch and unpack the archive if the files are not there.

    Raises:
        RuntimeError: the files are not there.
        ValueError: an argument is out of its range, or a file has another size.
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(
        self,
        root: Path,
        split: str = "train",
        folds: int | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", self.splits, "STL10")
        if folds is not None and folds not in range(10):
            raise ValueError(f"[STL10] Value for argument folds should be in the range [0, 10), but got {folds}.")
        self.folds = folds
        if download and not os.path.isfile(self._path("train_X.bin")):
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.tgz_md5)
        parts = [self._part(name) for name in split.split("+")]
        self.data, self.labels = (np.concatenate(each) for each in zip(*parts, strict=True))
        if os.path.isfile(self._path("class_names.txt")):
            with open(self._path("class_names.txt"), encoding="ascii") as file:
                self.classes = file.read().splitlines()

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _bytes(self, name: str) -> np.ndarray[Any, Any]:
        if not os.path.isfile(self._path(name)):
            raise self._not_there(self._path(name))
        return np.fromfile(self._path(name), dtype=np.uint8)

    def _part(self, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        pixels = self._bytes(f"{name}_X.bin")
        if pixels.size % (3 * 96 * 96):
            raise ValueError(f"[STL10] {self._path(name + '_X.bin')!r} should hold images of 27648 bytes, but holds {pixels.size} bytes")
        images = pixels.reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)            # columns come first in the file
        if name == "unlabeled":
            return images, np.full(len(images), -1, dtype=np.int64)
        labels = self._bytes(f"{name}_y.bin").astype(np.int64) - 1
        if len(labels) != len(images):
            raise ValueError(f"[STL10] there are {len(images)} images but {len(labels)} labels")
        if name == "train" and self.folds is not None:
            if not os.path.isfile(self._path("fold_indices.txt")):
                raise self._not_there(self._path("fold_indices.txt"))
            with open(self._path("fold_indices.txt"), encoding="ascii") as file:
                chosen = [int(number) for number in file.read().splitlines()[self.folds].split()]
            images, labels = images[chosen], labels[chosen]
        return images, labels


class SVHN(_Arrays):
    """House numbers from street views: colour images of 32 x 32 pixels, a digit in the middle (Netzer et al., 2011).

    Args:
        root: folder of the files, such as ``train_32x32.mat``; SciPy reads them.
        split: ``"train"``, ``"test"`` or ``"extra"``.
        download: fetch the file if it is not there.

    Raises:
        RuntimeError: the file is not there, or has another sum.
        ValueError: there is no such split.
    """

    _HOST = "http://ufldl.stanford.edu/housenumbers/"
    split_list: ClassVar[dict[str, list[str]]] = {
        "train": [_HOST + "train_32x32.mat", "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"],
        "test": [_HOST + "test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"],
        "extra": [_HOST + "extra_32x32.mat", "extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"],
    }

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(self.split_list), "SVHN")
        self.url, self.filename, self.file_md5 = self.split_list[split]
        path = os.path.join(self.root, self.filename)
        if download:
            download_file([self.url], path, self.file_md5)
        if not check_integrity(path, self.file_md5):
            raise self._not_there(path)
        from scipy.io import loadmat

        content = loadmat(path)
        self.data = content["X"].transpose(3, 2, 0, 1)
        labels = content["y"].astype(np.int64).reshape(-1)
        self.labels = np.where(labels == 10, 0, labels)                     # the file says 10 of the digit 0


class USPS(_Arrays):
    """Digits from envelopes: 9,298 grey images of 16 x 16 pixels (Hull, 1994), in LIBSVM's form.

    Args:
        root: folder of the files ``usps.bz2`` and ``usps.t.bz2``.
        train: the 7,291 for training, else the 2,007 for testing.
        download: fetch the file if it is not there.

    Attributes:
        data: uint8 array N x 16 x 16.
        targets: list of digits.

    Raises:
        RuntimeError: the file is not there.
        ValueError: it has another form.
    """

    _HOST = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
    split_list: ClassVar[dict[str, list[str]]] = {
        "train": [_HOST + "usps.bz2", "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"],
        "test": [_HOST + "usps.t.bz2", "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"],
    }

    def __init__(
        self,
        root: Path,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        url, name, md5 = self.split_list["train" if train else "test"]
        path = os.path.join(self.root, name)
        if download and not os.path.isfile(path):
            download_file([url], path, md5)
        if not os.path.isfile(path):
            raise self._not_there(path)
        try:
            with bz2.open(path, "rt", encoding="ascii") as file:
                rows = [line.split() for line in file]
            values = np.array([[float(pair.rpartition(":")[2]) for pair in row[1:]] for row in rows], dtype=np.float32)
            self.data = ((values.reshape(-1, 16, 16) + 1) / 2 * 255).astype(np.uint8)
            self.labels = np.array([int(row[0]) - 1 for row in rows], dtype=np.int64)
        except (ValueError, EOFError, OSError) as error:
            raise ValueError(f"[USPS] {path!r} is damaged: {error}") from error
        self.targets = self.labels.tolist()

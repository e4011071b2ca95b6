"""Small images in one file or few: STL-10, SVHN, USPS, SEMEION, FER2013, MovingMNIST."""

from __future__ import annotations

import bz2
import csv
import os
from typing import Any, ClassVar

import numpy as np
from PIL import Image

import taeda
from taeda.vision.datasets._labelled import Path, Transform, not_there
from taeda.vision.datasets._list_file import Lines, Reading
from taeda.vision.datasets.utils import check_integrity, download_and_extract_archive, download_file, verify_str_arg
from taeda.vision.datasets.vision import VisionDataset

__all__ = ["FER2013", "SEMEION", "STL10", "SVHN", "USPS", "MovingMNIST"]


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
        return self._transformed(image, self._label(index))

    def _label(self, index: int) -> Any:
        return int(self.labels[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {self.split}" if hasattr(self, "split") else ""


class STL10(_Arrays):
    """113,000 colour images of 96 x 96 pixels in ten classes, most without a label (Coates, Lee, Ng, 2011).

    Args:
        root: the folder that contains ``stl10_binary``.
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
            with Lines("STL10", self._path("fold_indices.txt"), "ascii") as lines:
                for _ in range(self.folds):
                    next(lines)
                chosen = [int(number) for number in next(lines).split()]
                images, labels = images[chosen], labels[chosen]
        return images, labels


class SVHN(_Arrays):
    """House numbers from street views: colour images of 32 x 32 pixels, a digit in the middle (Netzer et al., 2011).

    Args:
        root: folder of the files, such as ``train_32x32.mat``; SciPy reads them.
        split: ``"train"``, ``"test"`` or ``"extra"``.
        download: fetch the file if it is not there.

    Raises:
        RuntimeError: the file is not there, or its checksum is wrong.
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

        with Reading("SVHN", path):
            content = loadmat(path)
            self.data = content["X"].transpose(3, 2, 0, 1)
            labels = content["y"].astype(np.int64).reshape(-1)
        self.labels = np.where(labels == 10, 0, labels)                     # the file says 10 of the digit 0


_MOST_TEXT = 1 << 26             # bytes; the larger file holds 21 million bytes of numbers


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
        ValueError: it is malformed.
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
            with bz2.open(path) as file:
                text = file.read(_MOST_TEXT + 1)
            if len(text) > _MOST_TEXT:
                raise ValueError(f"it unpacks to more than {_MOST_TEXT} bytes")
            rows = [line.split() for line in text.decode("ascii").splitlines()]
            values = np.array([[float(pair.rpartition(":")[2]) for pair in row[1:]] for row in rows], dtype=np.float32)
            self.data = ((values.reshape(-1, 16, 16) + 1) / 2 * 255).astype(np.uint8)
            self.labels = np.array([int(row[0]) - 1 for row in rows], dtype=np.int64)
        except (ValueError, EOFError, OSError) as error:
            raise ValueError(f"[USPS] {path!r} is damaged: {error}") from error
        self.targets = self.labels.tolist()


class SEMEION(_Arrays):
    """1,593 handwritten digits of 16 x 16 pixels, black or white (Semeion Research Center, 1998).

    Args:
        root: folder of the file ``semeion.data``.
        download: fetch the file if it is not there.

    Raises:
        RuntimeError: the file is not there, or its checksum is wrong.
    """

    url = "http://archive.ics.uci.edu/ml/machine-learning-databases/semeion/semeion.data"
    filename = "semeion.data"
    md5_checksum: str | None = "cb545d371d2ce14ec121470795a77432"

    def __init__(
        self, root: Path, transform: Transform | None = None, target_transform: Transform | None = None, download: bool = True
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        path = os.path.join(self.root, self.filename)
        if download:
            download_file([self.url], path, self.md5_checksum)
        if not check_integrity(path, self.md5_checksum):
            raise self._not_there(path)
        with Reading("SEMEION", path):
            rows = np.loadtxt(path, ndmin=2)
            self.data = (rows[:, :256] * 255).astype(np.uint8).reshape(-1, 16, 16)
            self.labels = np.nonzero(rows[:, 256:])[1]
            if len(self.labels) != len(self.data):
                raise ValueError("a row has no digit, or several")


class FER2013(_Arrays):
    """35,887 faces of 48 x 48 pixels with one of seven expressions (Goodfellow et al., 2013).

    Args:
        root: the folder that contains ``fer2013``, with ``fer2013.csv`` or ``icml_face_data.csv``, or else ``train.csv`` and
            ``test.csv``: in the latter images have no label, None.
        split: ``"train"`` or ``"test"``.

    Raises:
        RuntimeError: the file is not there, or its checksum is wrong.
        ValueError: there is no such split.
    """

    # file, checksum, columns of the pixels and of the part
    _WHOLE: ClassVar[tuple[tuple[str, str | None, str, str], ...]] = (
        ("fer2013.csv", "f8428a1edbd21e88f42c73edd2a14f95", "pixels", "Usage"),
        ("icml_face_data.csv", "b114b9e04e6949e5fe8b6a98b3892b1d", " pixels", " Usage"),
    )
    _PARTS: ClassVar[dict[str, tuple[str, str | None, str, str]]] = {
        "train": ("train.csv", "3f0dfb3d3fd99c811a1299cb947e3131", "pixels", ""),
        "test": ("test.csv", "b02c2298636a634e8c2faabbf3ea9a23", "pixels", ""),
    }

    def __init__(
        self, root: Path, split: str = "train", transform: Transform | None = None, target_transform: Transform | None = None
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split = verify_str_arg(split, "split", ("train", "test"), "FER2013")
        folder = os.path.join(self.root, "fer2013")
        whole = [file for file in self._WHOLE if os.path.exists(os.path.join(folder, file[0]))]
        name, md5, pixels, part = (whole or [self._PARTS[split]])[0]
        path = os.path.join(folder, name)
        if not check_integrity(path, md5):
            raise RuntimeError(f"[FER2013] {name} not found in {folder} or corrupted: it is put there by hand, from kaggle.com")
        wanted = ("Training",) if split == "train" else ("PublicTest", "PrivateTest")
        images: list[np.ndarray[Any, Any]] = []
        labels: list[int] = []
        with Lines("FER2013", path, "ascii") as lines:
            for row in csv.DictReader(lines):
                if not part or row[part] in wanted:
                    images.append(np.array(row[pixels].split(), dtype=np.uint8).reshape(48, 48))
                    labels.append(int(row["emotion"]) if "emotion" in row else -1)
        self.data, self.labels = np.array(images, dtype=np.uint8).reshape(-1, 48, 48), np.array(labels, dtype=np.int64)

    def _label(self, index: int) -> Any:
        label = super()._label(index)
        return None if label < 0 else label

    def extra_repr(self) -> str:
        return f"split={self._split}"


class MovingMNIST(VisionDataset):
    """10,000 videos of 20 frames of two digits that bounce within 64 x 64 pixels (Srivastava, Mansimov, Salakhutdinov, 2015).

    Args:
        root: the folder that contains ``MovingMNIST``.
        split: ``"train"``, the first `split_ratio` frames of each video; ``"test"``, the others; None, all.
        download: fetch the file if it is not there.
        transform: a function of a video.

    Attributes:
        data: uint8 tensor N x T x 1 x 64 x 64, of which sample i is video i.

    Raises:
        RuntimeError: the file is not there.
        TypeError: `split_ratio` is no int.
        ValueError: it lies outside 1 ... 19, or there is no such split.
    """

    root: str
    _URL = "http://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy"
    _MD5 = "be083ec986bfe91a449d63653c411eb2"

    def __init__(
        self, root: Path, split: str | None = None, split_ratio: int = 10, download: bool = False, transform: Transform | None = None
    ) -> None:
        super().__init__(root, transform=transform)
        self.split = split if split is None else verify_str_arg(split, "split", ("train", "test"), "MovingMNIST")
        if not isinstance(split_ratio, int):
            raise TypeError(f"[MovingMNIST] `split_ratio` should be an integer, but got {type(split_ratio)}")
        if not 1 <= split_ratio <= 19:
            raise ValueError(f"[MovingMNIST] `split_ratio` should be `1 <= split_ratio <= 19`, but got {split_ratio} instead.")
        self.split_ratio = split_ratio
        path = os.path.join(self.root, "MovingMNIST", "mnist_test_seq.npy")
        if download and not os.path.exists(path):
            download_file([self._URL], path, self._MD5)
        if not os.path.exists(path):
            raise not_there("MovingMNIST", path)
        frames = {None: slice(None), "train": slice(split_ratio), "test": slice(split_ratio, None)}[split]
        try:
            videos = np.load(path, mmap_mode="r")                # mapped: no more than the file holds, whatever its header says
            if videos.dtype != np.uint8 or videos.ndim != 4:
                raise ValueError(f"{videos.dtype} of shape {videos.shape}, not uint8 in 4 dimensions")
        except Exception as error:  # NumPy raises what it likes on damaged files
            raise ValueError(f"[MovingMNIST] {path!r} is damaged: {error}") from error
        self.data = taeda.from_numpy(np.array(videos[frames])).transpose(0, 1).unsqueeze(2).contiguous()

    def __getitem__(self, index: int) -> Any:
        video = self.data[index]
        return video if self.transform is None else self.transform(video)

    def __len__(self) -> int:
        return len(self.data)

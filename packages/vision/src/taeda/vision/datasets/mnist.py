"""MNIST and its relatives: idx files on disk, downloaded where they are wanted and not there."""

from __future__ import annotations

import gzip
import lzma
import math
import os
import string
import zlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from PIL import Image

import taeda
from taeda.vision.datasets.utils import download_and_extract_archive, download_file, verify_str_arg
from taeda.vision.datasets.vision import VisionDataset

__all__ = ["EMNIST", "KMNIST", "MNIST", "QMNIST", "FashionMNIST", "read_idx", "read_image_file", "read_label_file"]

Path = str | os.PathLike[str]
# The third byte of an idx file names the type; all are stored with the most significant byte first.
_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_MOST_DIMENSIONS = 8
_OPEN: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


def _read_at_most(file: Any, n: int) -> bytes:
    """Read n bytes or what there is, in pieces: a header that lies about n costs no memory."""
    pieces = []
    while n > 0 and (piece := file.read(min(n, 1 << 24))):
        pieces.append(piece)
        n -= len(piece)
    return b"".join(pieces)


def read_idx(path: Path) -> np.ndarray[Any, Any]:
    """Read an idx file, plain or compressed by gzip or xz, into an array.

    Raises:
        ValueError: it is not an idx file, or its size is not what its header says.
        OSError: it cannot be read.

    >>> import pathlib
    >>> from taeda.vision.datasets.mnist import read_idx
    >>> header = bytes([0, 0, 8, 1]) + (3).to_bytes(4, "big")                 # bytes, one dimension, of size 3
    >>> _ = pathlib.Path("numbers").write_bytes(header + bytes([1, 2, 3]))
    >>> read_idx("numbers").tolist()
    [1, 2, 3]
    """
    name = os.fspath(path)
    try:
        with _OPEN.get(os.path.splitext(name)[1], open)(name, "rb") as file:
            head = file.read(4)
            if (
                len(head) < 4
                or head[0]
                or head[1]
                or head[2] not in _TYPES
                or not 1 <= head[3] <= _MOST_DIMENSIONS
            ):
                raise ValueError(
                    f"[read_idx] {name!r} is not an idx file: it starts with {head.hex() or 'nothing'}"
                )
            sizes = file.read(4 * head[3])
            if len(sizes) < 4 * head[3]:
                raise ValueError(f"[read_idx] {name!r} is cut short in its header")
            shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
            dtype = np.dtype(_TYPES[head[2]])
            expected = math.prod(shape) * dtype.itemsize
            body = _read_at_most(file, expected + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
        raise ValueError(f"[read_idx] {name!r} is a damaged {'xz' if name.endswith('.xz') else 'gzip'} file: {error}") from error
    if len(body) != expected:
        raise ValueError(
            f"[read_idx] {name!r} should hold {expected} bytes for shape {shape}, "
            f"but holds {'more' if len(body) > expected else len(body)}"
        )
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def read_label_file(path: Path) -> taeda.Tensor:
    """Return the labels of an idx file as int64; ValueError where it holds something else."""
    found = read_idx(path)
    if found.dtype != np.uint8 or found.ndim != 1:
        raise ValueError(f"[read_label_file] {os.fspath(path)!r} holds {found.dtype} of shape {found.shape}, not a row of uint8")
    return taeda.from_numpy(found).long()


def read_image_file(path: Path) -> taeda.Tensor:
    """Return the images of an idx file, n x rows x columns of uint8; ValueError where it holds something else."""
    found = read_idx(path)
    if found.dtype != np.uint8 or found.ndim != 3:
        raise ValueError(f"[read_image_file] {os.fspath(path)!r} holds {found.dtype} of shape {found.shape}, not images of uint8")
    return taeda.from_numpy(found)


class MNIST(VisionDataset):
    """70,000 handwritten digits, 28 x 28 grey pixels (LeCun, Cortes, Burges).

    Args:
        root: the files are looked for in ``root/MNIST/raw``, then in `root` itself, plain or as ``.gz``.
        train: the 60,000 for training, else the 10,000 for testing.
        transform: a function of the PIL image.
        target_transform: a function of the digit.
        download: fetch files that are not there.

    Attributes:
        data: uint8 tensor N x 28 x 28.
        targets: int64 tensor N.

    Raises:
        RuntimeError: the files are not there, or no mirror gave them.
        ValueError: a file is damaged, or images and labels do not belong together.

    Sample i is (PIL image of mode L, int), each after its transform.

    With ``download=True`` the files come from the mirrors. Here a file of two images and one of their labels are written by hand:

    >>> import pathlib
    >>> from taeda.vision.datasets import MNIST
    >>> raw = pathlib.Path("MNIST", "raw")
    >>> raw.mkdir(parents=True)
    >>> size = lambda *sizes: bytes([0, 0, 8, len(sizes)]) + b"".join(n.to_bytes(4, "big") for n in sizes)
    >>> _ = (raw / "train-images-idx3-ubyte").write_bytes(size(2, 28, 28) + bytes(2 * 28 * 28))
    >>> _ = (raw / "train-labels-idx1-ubyte").write_bytes(size(2) + bytes([5, 0]))
    >>> digits = MNIST(".")
    >>> digits.data.shape, digits[0][1], digits.classes[5]
    (taeda.Size([2, 28, 28]), 5, '5 - five')
    """

    mirrors: ClassVar[list[str]] = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ]
    resources: ClassVar[list[tuple[str, str]]] = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes: ClassVar[list[str]] = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

    root: str

    def __init__(
        self,
        root: Path,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        self.data, self.targets = self._load()

    @property
    def raw_folder(self) -> str:
        """Where downloads go."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """From a class's name to its number."""
        return {name: i for i, name in enumerate(self.classes)}

    def _find(self, name: str) -> str | None:
        """Return the path of a file, plain or compressed."""
        for folder in (self.raw_folder, self.root):
            for path in (os.path.join(folder, os.path.splitext(name)[0]), os.path.join(folder, name)):
                if os.path.isfile(path):
                    return path
        return None

    def _files(self) -> list[tuple[str, str]]:
        """Name the files of images and of labels, with their checksums."""
        return self.resources[:2] if self.train else self.resources[2:4]

    def download(self) -> None:
        """Fetch the files that are not there."""
        self._fetch(self.resources)

    def _fetch(self, files: list[tuple[str, str]]) -> None:
        for name, md5 in files:
            if self._find(name) is None:
                download_file(
                    [mirror + name for mirror in self.mirrors], os.path.join(self.raw_folder, name), md5
                )

    def _load(self, of_labels: tuple[str, int] = ("uint8", 1)) -> tuple[taeda.Tensor, taeda.Tensor]:
        """Read images and labels; `of_labels` are the dtype and the number of dimensions that the labels should have."""
        op = type(self).__name__
        arrays = []
        for name, _ in self._files():
            path = self._find(name)
            if path is None:
                plain, end = os.path.splitext(name)
                raise RuntimeError(
                    f"[{op}] Dataset not found: there is no {plain} (or {end}) in "
                    f"{self.raw_folder!r} or {self.root!r}. You can use download=True to download it"
                )
            arrays.append(read_idx(path))
        images, labels = arrays
        if images.dtype != np.uint8 or images.ndim != 3 or (str(labels.dtype), labels.ndim) != of_labels:
            raise ValueError(
                f"[{op}] images should be uint8 with 3 dimensions and labels {of_labels[0]} with {of_labels[1]}, "
                f"got {images.dtype} {images.shape} and {labels.dtype} {labels.shape}"
            )
        if len(images) != len(labels):
            raise ValueError(f"[{op}] there are {len(images)} images but {len(labels)} labels")
        digits = labels if labels.ndim == 1 else labels[:, 0]
        own = type(self).__module__ == __name__                  # a program's class may read its own files, and leave `classes` as they are
        if own and digits.size and digits.max() >= len(self.classes):
            raise ValueError(f"[{op}] labels should be below {len(self.classes)}, got {digits.max()}")
        return taeda.from_numpy(images), taeda.from_numpy(labels.astype(np.int64))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(Image.fromarray(self.data[index].numpy()), self._target(index))

    def _target(self, index: int) -> Any:
        return int(self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """70,000 pictures of clothes in the form of MNIST (Xiao, Rasul, Vollgraf: Fashion-MNIST, 2017)."""

    mirrors: ClassVar[list[str]] = [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ]
    resources: ClassVar[list[tuple[str, str]]] = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes: ClassVar[list[str]] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """70,000 cursive Japanese characters in the form of MNIST (Clanuwat et al.: Deep Learning for Classical Japanese Literature, 2018)."""

    mirrors: ClassVar[list[str]] = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources: ClassVar[list[tuple[str, str]]] = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes: ClassVar[list[str]] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class EMNIST(MNIST):
    """Handwritten digits and letters in the form of MNIST, turned on their sides (Cohen, Afshar, Tapson, van Schaik: EMNIST, 2017).

    Args:
        split: ``"byclass"``, ``"bymerge"``, ``"balanced"``, ``"letters"``, ``"digits"`` or ``"mnist"``; further arguments as `MNIST`.

    Raises:
        ValueError: there is no such split.
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    _all = sorted(string.digits + string.ascii_letters)
    _merged = sorted(set(_all) - set("cijklmopsuvwxyz"))            # letters whose small form looks like the capital
    classes_split_dict: ClassVar[dict[str, list[str]]] = {
        "byclass": _all,
        "bymerge": _merged,
        "balanced": _merged,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: Path, split: str, **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "split", self.splits, "EMNIST")
        kinds = [(part, kind) for part in ("train", "test") for kind in ("images-idx3", "labels-idx1")]
        self.resources = [(f"emnist-{split}-{part}-{kind}-ubyte.gz", "") for part, kind in kinds]  # type: ignore[misc]
        self.classes = self.classes_split_dict[split]  # type: ignore[misc]
        super().__init__(root, **kwargs)

    def _find(self, name: str) -> str | None:
        inner = os.path.join(self.raw_folder, "gzip", name)         # where the archive has them
        return super()._find(name) or (inner if os.path.isfile(inner) else None)

    def download(self) -> None:
        """Fetch and unpack the archive unless the files are there."""
        if any(self._find(name) is None for name, _ in self.resources):
            download_and_extract_archive(self.url, self.raw_folder, md5=self.md5)


class QMNIST(MNIST):
    """MNIST found again in the files of NIST: 60,000 digits for training, 60,000 for testing, 402,953 in all (Yadav, Bottou, 2019).

    Args:
        what: ``"train"``, ``"test"``, ``"test10k"`` (those that MNIST has too), ``"test50k"`` (the others) or ``"nist"`` (all); by
            default what `train` says.
        compat: the target is the digit, else the int64 tensor of all eight numbers about it, the digit first.
        train: as in `MNIST`, as are the further arguments.

    Raises:
        ValueError: there is no such part.
    """

    subsets: ClassVar[dict[str, str]] = {"train": "train", "test": "test", "test10k": "test", "test50k": "test", "nist": "nist"}
    mirrors: ClassVar[list[str]] = ["https://raw.githubusercontent.com/facebookresearch/qmnist/master/"]
    resources: ClassVar[dict[str, list[tuple[str, str]]]] = {  # type: ignore[assignment]
        "train": [
            ("qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            ("qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            ("qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            ("qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            ("xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            ("xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }

    def __init__(self, root: Path, what: str | None = None, compat: bool = True, train: bool = True, **kwargs: Any) -> None:
        self.what = verify_str_arg(what or ("train" if train else "test"), "what", tuple(self.subsets), "QMNIST")
        self.compat = compat
        super().__init__(root, train, **kwargs)

    def _files(self) -> list[tuple[str, str]]:
        return self.resources[self.subsets[self.what]]

    def download(self) -> None:
        """Fetch the files of this part that are not there."""
        self._fetch(self._files())

    def _load(self, of_labels: tuple[str, int] = ("int32", 2)) -> tuple[taeda.Tensor, taeda.Tensor]:
        images, labels = super()._load(of_labels)
        part = {"test10k": slice(10000), "test50k": slice(10000, None)}.get(self.what, slice(None))
        return images[part], labels[part]

    def _target(self, index: int) -> Any:
        return int(self.targets[index][0]) if self.compat else self.targets[index]

    def extra_repr(self) -> str:
        return f"Split: {self.what}"

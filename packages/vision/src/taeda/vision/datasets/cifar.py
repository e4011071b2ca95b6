"""CIFAR-10 and CIFAR-100: small colour images (Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009)."""

from __future__ import annotations

import io
import os
import pickle
import re
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from taeda.vision.datasets._labelled import not_there
from taeda.vision.datasets.utils import download_file, extract_archive
from taeda.vision.datasets.vision import VisionDataset

__all__ = ["CIFAR10", "CIFAR100"]

# The files are pickles of dicts of lists, texts and one array: nothing else is let in.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),      # bytes in pickles of protocol 2
}


class _Refused(ValueError):
    """A file asks for more than data."""


class _Kind:
    """Stands for the dtype of an array, one of plain numbers: NumPy's own believes what a file says of its state."""

    def __init__(self, name: str, *flags: Any) -> None:
        if not re.fullmatch("b1|[iu][1248]|f[248]", name):
            raise _Refused(f"[CIFAR] the file asks for an array of dtype {name!r}; it is refused")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array, which NumPy would allocate as large as the file says, and fill with what it says."""

    array: np.ndarray[Any, Any] = np.empty(0)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, by_columns, data = state
        numbers = np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, kind.dtype)
        self.array = numbers.reshape(shape, order="F" if by_columns else "C")


def _reconstruct(kind: Any, shape: Any, dtype: Any) -> _Array:
    """Return the array without elements that a pickled one begins as."""
    if kind is not _Array or shape != (0,):
        raise _Refused(f"[CIFAR] the file asks for an array of shape {shape!r} before its data; it is refused")
    return _Array()


class _Plain(pickle._Unpickler):
    """Reads pickles of plain data and arrays; names no other function.

    Python's own reader keeps what the file numbers in a dict; the one in C makes room for as many as the largest number.
    """

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise _Refused(f"[CIFAR] the file asks for {module}.{name}, which no file of this dataset does; it is refused")
        stands: Any = {"ndarray": _Array, "dtype": _Kind, "_reconstruct": _reconstruct}.get(name)
        return stands or super().find_class(module, name)


class CIFAR10(VisionDataset):
    """60,000 images of 32 x 32 pixels in ten classes.

    Args:
        root: the folder that contains ``cifar-10-batches-py``.
        train: the 50,000 for training, else the 10,000 for testing.
        transform: a function of the PIL image.
        target_transform: a function of the class.
        download: fetch and unpack the archive if the files are not there.

    Attributes:
        data: uint8 array N x 32 x 32 x 3.
        targets: list of classes.
        classes: their names.

    Raises:
        RuntimeError: the files are not there.
        ValueError: a file is damaged, or asks for more than data.

    Sample i is (PIL image of mode RGB, int), each after its transform.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list: ClassVar[list[str]] = [f"data_batch_{i}" for i in range(1, 6)]
    test_list: ClassVar[list[str]] = ["test_batch"]
    meta: ClassVar[tuple[str, str]] = ("batches.meta", "label_names")
    label_key = "labels"

    root: str

    def __init__(
        self,
        root: str | os.PathLike[str],
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
        file, key = self.meta
        self.classes: list[str] = self._read(file)[key]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _there(self) -> bool:
        return all(os.path.isfile(self._path(name)) for name in (*self.train_list, *self.test_list, self.meta[0]))

    def download(self) -> None:
        """Fetch and unpack the archive unless the files are there."""
        if not self._there():
            archive = os.path.join(self.root, self.filename)
            download_file([self.url], archive, self.tgz_md5)
            extract_archive(archive, self.root)

    def _read(self, name: str) -> dict[str, Any]:
        op = type(self).__name__
        if not os.path.isfile(self._path(name)):
            raise not_there(op, self._path(name))
        try:
            with open(self._path(name), "rb") as file:
                content = _Plain(io.BytesIO(file.read()), encoding="latin1").load()
        except (_Refused, OSError):
            raise
        except Exception as error:  # a damaged pickle makes its reader raise what it likes
            raise ValueError(f"[{op}] {self._path(name)!r} is damaged: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"[{op}] {self._path(name)!r} should hold a dict, got {type(content).__name__}")
        return {key: value.array if isinstance(value, _Array) else value for key, value in content.items()}

    def _load(self) -> tuple[np.ndarray[Any, Any], list[int]]:
        images, targets = [], []
        for name in self.train_list if self.train else self.test_list:
            content = self._read(name)
            pixels, labels = np.asarray(content.get("data")), content.get(self.label_key)
            if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != 3072 or labels is None or len(labels) != len(pixels):
                raise ValueError(f"[{type(self).__name__}] {self._path(name)!r} should hold uint8 images N x 3072 and N {self.label_key}")
            images.append(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
            targets += [int(label) for label in labels]
        return np.concatenate(images), targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """60,000 images of 32 x 32 pixels in a hundred classes; as `CIFAR10`, in the folder ``cifar-100-python``."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list: ClassVar[list[str]] = ["train"]
    test_list: ClassVar[list[str]] = ["test"]
    meta: ClassVar[tuple[str, str]] = ("meta", "fine_label_names")
    label_key = "fine_labels"

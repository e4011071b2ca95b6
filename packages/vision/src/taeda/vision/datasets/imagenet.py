"""ImageNet 2012: a folder for each of 1,000 classes, made of the archives that its owners hand out."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

import taeda
from taeda.vision.datasets._list_file import Lines, Reading
from taeda.vision.datasets.folder import ImageFolder
from taeda.vision.datasets.utils import check_integrity, extract_archive, verify_str_arg, within

__all__ = ["ARCHIVE_META", "META_FILE", "ImageNet", "load_meta_file", "parse_devkit_archive"]

ARCHIVE_META = {
    "train": ("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"),
    "val": ("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"),
    "devkit": ("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf"),
}
META_FILE = "meta.bin"


def _archive(root: str, which: str) -> str:
    name, md5 = ARCHIVE_META[which]
    path = os.path.join(root, name)
    if not check_integrity(path, md5):
        raise RuntimeError(
            f"[ImageNet] The archive {name} is not present in the root directory or is corrupted. "
            f"You need to download it externally and place it in {root}."
        )
    return path


def load_meta_file(root: str | os.PathLike[str], file: str | None = None) -> tuple[dict[str, Any], list[str]]:
    """Return the names of each class, by WordNet's number, and the class of each image for validation.

    Args:
        root: the folder of the file that `ImageNet` or `parse_devkit_archive` wrote.
        file: another name than ``meta.bin``.

    Raises:
        RuntimeError: it is not there.
    """
    path = os.path.join(root, META_FILE if file is None else file)
    if not os.path.isfile(path):
        raise RuntimeError(
            f"[load_meta_file] The meta file {os.path.basename(path)} is not present in the root directory or is corrupted. "
            "This file is automatically created by the ImageNet dataset."
        )
    names, validation = taeda.load(path, weights_only=True)
    return names, validation


def parse_devkit_archive(root: str | os.PathLike[str]) -> None:
    """Write ``meta.bin`` of the archive of the development kit that lies in `root`; see `load_meta_file`.

    Raises:
        RuntimeError: the archive is not there, or its checksum is wrong.
    """
    archive = _archive(os.fspath(root), "devkit")
    from scipy.io import loadmat

    with tempfile.TemporaryDirectory() as folder:
        extract_archive(archive, folder)
        data = os.path.join(folder, "ILSVRC2012_devkit_t12", "data")
        with Reading("ImageNet", os.path.join(data, "meta.mat")) as meta:
            synsets = loadmat(meta.path, squeeze_me=True)["synsets"]
            leaves = [row for row in synsets if row[4] == 0]    # those without children are the classes
            wnid_of = {int(row[0]): str(row[1]) for row in leaves}
            names = {str(row[1]): tuple(str(row[2]).split(", ")) for row in leaves}
        with Lines("ImageNet", os.path.join(data, "ILSVRC2012_validation_ground_truth.txt"), "ascii") as lines:
            validation = [wnid_of[int(line)] for line in lines]
    taeda.save((names, validation), os.path.join(root, META_FILE))


class ImageNet(ImageFolder):
    """1,281,167 photographs for training and 50,000 for validation (Russakovsky et al., 2015).

    Args:
        root: folder of the folders ``train`` and ``val`` and of ``meta.bin``; what is missing is made of the archives that lie there.
        split: ``"train"`` or ``"val"``; further arguments as `ImageFolder`.

    Attributes:
        wnids: WordNet's number of each class, the name of its folder.
        wnid_to_idx: from that to the class number.
        classes: for each class a tuple of its names.
        class_to_idx: from each name to the class number.

    Raises:
        RuntimeError: an archive that is needed is not there, or its checksum is wrong.
        ValueError: there is no such split.

    Nothing is downloaded: https://image-net.org hands the archives out.
    """

    def __init__(self, root: str | os.PathLike[str], split: str = "train", **kwargs: Any) -> None:
        self.root = os.path.expanduser(os.fspath(root))
        self.split = verify_str_arg(split, "split", ("train", "val"), "ImageNet")
        if not os.path.isfile(os.path.join(self.root, META_FILE)):
            parse_devkit_archive(self.root)
        names, validation = load_meta_file(self.root)
        if not os.path.isdir(self.split_folder):
            self._unpack_images(validation)
        super().__init__(self.split_folder, **kwargs)
        self.root = os.path.expanduser(os.fspath(root))
        self.wnids = self.classes
        self.wnid_to_idx = self.class_to_idx
        self.classes = [names[wnid] for wnid in self.wnids]
        self.class_to_idx = {name: i for i, several in enumerate(self.classes) for name in several}

    @property
    def split_folder(self) -> str:
        """The folder of the class folders."""
        return os.path.join(self.root, self.split)

    def _unpack_images(self, validation: list[str]) -> None:
        """Unpack the archive of the split beside its place, and put it there when it is whole."""
        archive = _archive(self.root, self.split)
        part = f"{self.split_folder}.part"
        shutil.rmtree(part, ignore_errors=True)
        extract_archive(archive, part)
        if self.split == "train":                                   # an archive for each class
            for name in os.listdir(part):
                inner = os.path.join(part, name)
                extract_archive(inner, os.path.splitext(inner)[0], remove_finished=True)
        else:
            for wnid in set(validation):
                os.mkdir(within(part, wnid, "ImageNet"))
            images = sorted(name for name in os.listdir(part) if not os.path.isdir(os.path.join(part, name)))
            for wnid, name in zip(validation, images, strict=True):
                os.replace(os.path.join(part, name), os.path.join(part, wnid, name))
        os.replace(part, self.split_folder)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"

"""Photographs by category: Flowers-102, Caltech-101 and Caltech-256."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

from taeda.vision.datasets._labelled import LabelledImages, Path, Transform, not_there, one_or_all
from taeda.vision.datasets._list_file import Reading
from taeda.vision.datasets.folder import default_loader
from taeda.vision.datasets.utils import download_and_extract_archive, download_url, extract_archive, verify_str_arg
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["Caltech101", "Caltech256", "Flowers102"]

_FLOWERS = (
    "pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily, moon orchid, bird "
    "of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea, spear thistle, yellow iris, globe-flower, "
    "purple coneflower, peruvian lily, balloon flower, giant white arum lily, fire lily, pincushion flower, fritillary, red "
    "ginger, grape hyacinth, corn poppy, prince of wales feathers, stemless gentian, artichoke, sweet william, carnation, "
    "garden phlox, love in the mist, mexican aster, alpine sea holly, ruby-lipped cattleya, cape flower, great masterwort, "
    "siam tulip, lenten rose, barbeton daisy, daffodil, sword lily, poinsettia, bolero deep blue, wallflower, marigold, "
    "buttercup, oxeye daisy, common dandelion, petunia, wild pansy, primula, sunflower, pelargonium, bishop of llandaff, "
    "gaura, geranium, orange dahlia, pink-yellow dahlia?, cautleya spicata, japanese anemone, black-eyed susan, silverbush, "
    "californian poppy, osteospermum, spring crocus, bearded iris, windflower, tree poppy, gazania, azalea, water lily, "
    "rose, thorn apple, morning glory, passion flower, lotus, toad lily, anthurium, frangipani, clematis, hibiscus, "
    "columbine, desert-rose, tree mallow, magnolia, cyclamen, watercress, canna lily, hippeastrum, bee balm, ball moss, "
    "foxglove, bougainvillea, camellia, mallow, mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily"
)


class Flowers102(LabelledImages):
    """8,189 photographs of 102 kinds of flowers (Nilsback, Zisserman, 2008).

    Args:
        root: the folder that contains ``flowers-102``.
        split: ``"train"``, ``"val"`` or ``"test"``.
        transform, target_transform: functions of the image and of the class number.
        download: fetch the files that are not there; SciPy reads the lists.
        loader: reads an image, given its path.

    Raises:
        RuntimeError: the files are not there.
        ValueError: there is no such split.
    """

    classes = _FLOWERS.split(", ")
    _URL = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
    _ARCHIVE = ("102flowers.tgz", "52808999861908f626f3c1f4e79d11fa")
    _LISTS = (("imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"), ("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"))
    _SHOWN = ("split",)

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Callable[[str], Any] = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "val", "test"), "Flowers102")
        base = os.path.join(self.root, "flowers-102")
        folder = os.path.join(base, "jpg")
        labels, sets = (os.path.join(base, name) for name, _ in self._LISTS)
        if download:
            if not os.path.isdir(folder):
                download_and_extract_archive(self._URL + self._ARCHIVE[0], base, md5=self._ARCHIVE[1])
            for name, md5 in self._LISTS:
                download_url(self._URL + name, base, md5=md5)
        for path in (folder, labels, sets):
            if not os.path.exists(path):
                raise not_there("Flowers102", path)
        from scipy.io import loadmat

        with Reading("Flowers102", sets):
            numbers = loadmat(sets)[{"train": "trnid", "val": "valid", "test": "tstid"}[split]].reshape(-1).tolist()
        with Reading("Flowers102", labels):
            kinds = loadmat(labels)["labels"].reshape(-1)
            self._labels = [int(kinds[n - 1]) - 1 for n in numbers]         # images and kinds are counted from 1
        self._image_files = [os.path.join(folder, f"image_{n:05d}.jpg") for n in numbers]


class _Caltech(VisionDataset):
    """Base: numbered images in a folder for each category; `y` are the class numbers, `index` the images' numbers in their class."""

    root: str
    _FOLDER: str

    def _begin(self, download: bool) -> None:
        folder = os.path.join(self.root, self._FOLDER)
        if download and not os.path.isdir(folder):
            self.download()
        if not os.path.isdir(folder):
            raise not_there(type(self).__name__, folder)
        self.categories = sorted(name for name in os.listdir(folder) if name != "BACKGROUND_Google")    # no category of its own
        self.index: list[int] = []
        self.y: list[int] = []
        for i, name in enumerate(self.categories):
            n = sum(file.endswith(".jpg") for file in os.listdir(os.path.join(folder, name)))
            self.index += range(1, n + 1)
            self.y += [i] * n

    def download(self) -> None:
        """Fetch and unpack the archive."""
        raise NotImplementedError

    def _image(self, name: str, index: int) -> Any:
        return open_image(os.path.join(self.root, self._FOLDER, self.categories[self.y[index]], name))

    def __len__(self) -> int:
        return len(self.index)


class Caltech101(_Caltech):
    """9,146 photographs of objects of 101 categories, with outlines (Fei-Fei, Fergus, Perona, 2004).

    Args:
        root: the folder that contains ``caltech101``.
        target_type: ``"category"`` (the class number), ``"annotation"`` (points of the outline, array 2 x N; SciPy reads it), or a list.
        transform, target_transform: functions of the PIL image and of the target.
        download: fetch and unpack the archive if it is not there.

    Raises:
        RuntimeError: the files are not there.
        ValueError: a target is none of those above.
    """

    _FOLDER = "101_ObjectCategories"
    _OTHERWISE = {"Faces": "Faces_2", "Faces_easy": "Faces_3", "Motorbikes": "Motorbikes_16", "airplanes": "Airplanes_Side_2"}

    def __init__(
        self,
        root: Path,
        target_type: list[str] | str = "category",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(os.path.join(root, "caltech101"), transform=transform, target_transform=target_transform)
        kinds = [target_type] if isinstance(target_type, str) else target_type
        self.target_type = [verify_str_arg(kind, "target_type", ("category", "annotation"), "Caltech101") for kind in kinds]
        self._begin(download)
        self.annotation_categories = [self._OTHERWISE.get(name, name) for name in self.categories]

    def download(self) -> None:
        """Fetch the archive, and unpack what lies in it as archives."""
        url, md5 = "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip", "3138e1922a9193bfa496528edbbc45d0"
        download_and_extract_archive(url, self.root, md5=md5, remove_finished=True)
        inner = os.path.join(self.root, "caltech-101")
        for name in os.listdir(inner):
            if name.endswith((".gz", ".tar")):
                extract_archive(os.path.join(inner, name), self.root)
        shutil.rmtree(inner)

    def _target(self, kind: str, index: int) -> Any:
        if kind == "category":
            return self.y[index]
        from scipy.io import loadmat

        folder = self.annotation_categories[self.y[index]]
        path = os.path.join(self.root, "Annotations", folder, f"annotation_{self.index[index]:04d}.mat")
        with Reading("Caltech101", path):
            return loadmat(path)["obj_contour"]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        targets = tuple(self._target(kind, index) for kind in self.target_type)
        image = self._image(f"image_{self.index[index]:04d}.jpg", index)
        return self._transformed(image, one_or_all(targets))

    def extra_repr(self) -> str:
        return f"Target type: {self.target_type}"


class Caltech256(_Caltech):
    """30,607 photographs of objects of 257 categories (Griffin, Holub, Perona, 2007).

    Args:
        root: the folder that contains ``caltech256``.
        transform, target_transform: functions of the PIL image and of the class number.
        download: fetch and unpack the archive if it is not there.

    Raises:
        RuntimeError: the files are not there.
    """

    _FOLDER = "256_ObjectCategories"

    def __init__(
        self, root: Path, transform: Transform | None = None, target_transform: Transform | None = None, download: bool = False
    ) -> None:
        super().__init__(os.path.join(root, "caltech256"), transform=transform, target_transform=target_transform)
        self._begin(download)

    def download(self) -> None:
        """Fetch and unpack the archive."""
        url = "https://data.caltech.edu/records/nyy15-4j048/files/256_ObjectCategories.tar"
        download_and_extract_archive(url, self.root, md5="67b4f42ca05d46448c6bb8ecd2220f6d")

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        label = self.y[index]
        return self._transformed(self._image(f"{label + 1:03d}_{self.index[index]:04d}.jpg", index), label)

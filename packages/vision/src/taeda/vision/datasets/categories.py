"""Photographs and pictures by category, in folders or lists: food, textures, places, aircraft, cars, signs, scenes and others."""

from __future__ import annotations

import csv
import glob
import json
import os
from collections.abc import Callable
from typing import Any, ClassVar

from taeda.vision.datasets._labelled import LabelledImages, Path, Transform, fetch, numbered
from taeda.vision.datasets._list_file import Lines, Reading
from taeda.vision.datasets.folder import ImageFolder, default_loader, find_classes, make_dataset
from taeda.vision.datasets.utils import download_and_extract_archive, verify_str_arg, within

__all__ = [
    "DTD",
    "GTSRB",
    "SUN397",
    "CLEVRClassification",
    "Country211",
    "EuroSAT",
    "FGVCAircraft",
    "Food101",
    "Imagenette",
    "RenderedSST2",
    "StanfordCars",
]

Loader = Callable[[str], Any]


def _lines(op: str, path: str) -> list[str]:
    with Lines(op, path) as lines:
        return [line.strip() for line in lines]


class Food101(LabelledImages):
    """101,000 photographs of 101 dishes (Bossard, Guillaumin, Van Gool, 2014).

    Args:
        root: the folder that contains ``food-101``.
        split: ``"train"`` or ``"test"``.
        transform, target_transform: functions of the image and of the class number.
        download: fetch and unpack the archive if it is not there.
        loader: reads an image, given its path.

    Raises:
        RuntimeError: the files are not there.
        ValueError: there is no such split, or a list names a file outside the folder.
    """

    _URL = "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz"
    _MD5 = "85eeb15f3717b99a5da872d97d918f87"
    _SHOWN = ("split",)

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "test"), "Food101")
        base = os.path.join(self.root, "food-101")
        images = os.path.join(base, "images")
        fetch("Food101", images, download, self._URL, self.root, self._MD5)
        with open(os.path.join(base, "meta", f"{split}.json"), encoding="utf-8") as file:
            names: dict[str, list[str]] = json.load(file)
        self.classes = sorted(names)
        self.class_to_idx = numbered(self.classes)
        for category, files in names.items():
            self._labels += [self.class_to_idx[category]] * len(files)
            self._image_files += [within(images, f"{name}.jpg", "Food101") for name in files]


class DTD(LabelledImages):
    """5,640 photographs of textures of 47 kinds (Cimpoi et al., 2014).

    Args:
        root: the folder that contains ``dtd/dtd``.
        split: ``"train"``, ``"val"`` or ``"test"``.
        partition: 1 to 10, the ways of splitting.

    Other arguments, and errors, are those of `Food101`.
    """

    _URL = "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"
    _MD5 = "fff73e5086ae6bdbea199a49dfb8a4c1"
    _SHOWN = ("split", "partition")

    def __init__(
        self,
        root: Path,
        split: str = "train",
        partition: int = 1,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "val", "test"), "DTD")
        if not isinstance(partition, int) or not 1 <= partition <= 10:
            raise ValueError(f"[DTD] Parameter 'partition' should be an integer with `1 <= partition <= 10`, but got {partition} instead")
        self._partition = partition
        base = os.path.join(self.root, "dtd", "dtd")
        fetch("DTD", base, download, self._URL, os.path.dirname(base), self._MD5)
        names = _lines("DTD", os.path.join(base, "labels", f"{split}{partition}.txt"))
        kinds = [name.split("/")[0] for name in names]
        self.classes = sorted(set(kinds))
        self.class_to_idx = numbered(self.classes)
        self._labels = [self.class_to_idx[kind] for kind in kinds]
        self._image_files = [within(os.path.join(base, "images"), name, "DTD") for name in names]


class Country211(ImageFolder):
    """63,300 photographs from 211 countries, those of Radford et al. (CLIP, 2021).

    Args:
        root: the folder that contains ``country211``.
        split: ``"train"``, ``"valid"`` or ``"test"``.

    Other arguments, and errors, are those of `Food101`.
    """

    _URL = "https://openaipublic.azureedge.net/clip/data/country211.tgz"
    _MD5 = "84988d7644798601126c29e9877aab6a"

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        self._split = verify_str_arg(split, "split", ("train", "valid", "test"), "Country211")
        top = os.path.expanduser(os.fspath(root))
        base = os.path.join(top, "country211")
        fetch("Country211", base, download, self._URL, top, self._MD5)
        super().__init__(os.path.join(base, split), transform=transform, target_transform=target_transform, loader=loader)
        self.root = top


class EuroSAT(ImageFolder):
    """27,000 satellite pictures of land, in ten classes of use (Helber et al., 2019).

    Args:
        root: the folder that contains ``eurosat/2750``.

    Other arguments, and errors, are those of `Food101`.
    """

    _URL = "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip"
    _MD5 = "c8fa014336c82ac7804f0398fcb19387"

    def __init__(
        self,
        root: Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        top = os.path.expanduser(os.fspath(root))
        folder = os.path.join(top, "eurosat", "2750")
        fetch("EuroSAT", folder, download, self._URL, os.path.dirname(folder), self._MD5)
        super().__init__(folder, transform=transform, target_transform=target_transform, loader=loader)
        self.root = top


class FGVCAircraft(LabelledImages):
    """10,000 photographs of aircraft (Maji et al., 2013).

    Args:
        root: the folder that contains ``fgvc-aircraft-2013b``.
        split: ``"train"``, ``"val"``, ``"trainval"`` or ``"test"``.
        annotation_level: classes are each ``"variant"``, ``"family"`` or ``"manufacturer"``.

    Other arguments, and errors, are those of `Food101`.
    """

    _URL = "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz"
    _LEVELS: ClassVar[dict[str, str]] = {"variant": "variants", "family": "families", "manufacturer": "manufacturers"}

    def __init__(
        self,
        root: Path,
        split: str = "trainval",
        annotation_level: str = "variant",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        op = "FGVCAircraft"
        self._split = verify_str_arg(split, "split", ("train", "val", "trainval", "test"), op)
        self._annotation_level = verify_str_arg(annotation_level, "annotation_level", tuple(self._LEVELS), op)
        base = os.path.join(self.root, "fgvc-aircraft-2013b")
        fetch(op, base, download, self._URL, self.root, None)
        data = os.path.join(base, "data")
        self.classes = _lines("FGVCAircraft", os.path.join(data, f"{self._LEVELS[annotation_level]}.txt"))
        self.class_to_idx = numbered(self.classes)
        with Lines(op, os.path.join(data, f"images_{annotation_level}_{split}.txt")) as lines:
            for line in lines:
                name, label = line.strip().split(" ", 1)
                self._image_files.append(within(os.path.join(data, "images"), f"{name}.jpg", op))
                self._labels.append(self.class_to_idx[label])


class RenderedSST2(LabelledImages):
    """9,613 pictures of sentences, negative or positive, those of Radford et al. (CLIP, 2021).

    Args:
        root: the folder that contains ``rendered-sst2``.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Other arguments, and errors, are those of `Food101`.
    """

    _URL = "https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz"
    _MD5 = "2384d08e9dcfa4bd55b324e610496ee5"
    _SHOWN = ("split",)

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "val", "test"), "RenderedSST2")
        self.classes = ["negative", "positive"]
        self.class_to_idx = numbered(self.classes)
        folder = os.path.join(self.root, "rendered-sst2", "valid" if split == "val" else split)
        for name in self.classes:
            fetch("RenderedSST2", os.path.join(folder, name), download, self._URL, self.root, self._MD5)
        for path, label in make_dataset(folder, extensions=("png",)):
            self._image_files.append(path)
            self._labels.append(label)


class CLEVRClassification(LabelledImages):
    """100,000 rendered scenes, labelled by how many objects they show; those for testing have None (Johnson et al., 2017).

    Args:
        root: the folder that contains ``clevr/CLEVR_v1.0``.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Other arguments, and errors, are those of `Food101`.
    """

    _URL = "https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip"
    _MD5 = "b11922020e72d0cd9154779b2d3d07d2"
    _SHOWN = ("split",)

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "val", "test"), "CLEVRClassification")
        base = os.path.join(self.root, "clevr", "CLEVR_v1.0")
        fetch("CLEVRClassification", base, download, self._URL, os.path.dirname(base), self._MD5)
        self._image_files = sorted(glob.glob(os.path.join(glob.escape(os.path.join(base, "images", split)), "*")))
        self._labels = [None] * len(self._image_files)
        if split != "test":
            scenes = os.path.join(base, "scenes", f"CLEVR_{split}_scenes.json")
            with Reading("CLEVRClassification", scenes), open(scenes, encoding="utf-8") as file:
                counts = {scene["image_filename"]: len(scene["objects"]) for scene in json.load(file)["scenes"]}
                self._labels = [counts[os.path.basename(path)] for path in self._image_files]


class GTSRB(LabelledImages):
    """51,840 photographs of German traffic signs of 43 kinds (Stallkamp et al., 2012).

    Args:
        root: the folder that contains ``gtsrb``.
        split: ``"train"`` or ``"test"``.

    Other arguments, and errors, are those of `Food101`; there is no `loader`.
    """

    _HOST = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
    _TRAIN = ("GTSRB-Training_fixed.zip", "513f3c79a4c5141765e10e952eaa2478")
    _TEST = ("GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185")
    _LABELS = ("GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5")

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform, target_transform, default_loader)
        self._split = verify_str_arg(split, "split", ("train", "test"), "GTSRB")
        base = os.path.join(self.root, "gtsrb")
        labels = os.path.join(base, "GT-final_test.csv")
        if split == "train":
            folder = os.path.join(base, "GTSRB", "Training")
            fetch("GTSRB", folder, download, self._HOST + self._TRAIN[0], base, self._TRAIN[1])
            samples = make_dataset(folder, extensions=(".ppm",))
        else:
            folder = os.path.join(base, "GTSRB", "Final_Test", "Images")
            fetch("GTSRB", folder, download, self._HOST + self._TEST[0], base, self._TEST[1])
            if download and not os.path.isfile(labels):
                download_and_extract_archive(self._HOST + self._LABELS[0], base, md5=self._LABELS[1])
            with Lines("GTSRB", labels, "ascii") as lines:
                rows = csv.DictReader(lines, delimiter=";", skipinitialspace=True)
                samples = [(within(folder, row["Filename"], "GTSRB"), int(row["ClassId"])) for row in rows]
        self._image_files = [path for path, _ in samples]
        self._labels = [label for _, label in samples]


class SUN397(LabelledImages):
    """108,754 photographs of 397 kinds of scenes (Xiao et al., 2010).

    Args:
        root: the folder that contains ``SUN397``.

    Other arguments, and errors, are those of `Food101`.
    """

    _URL = "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz"
    _MD5 = "8ca2778205c41d23104230ba66911c7a"

    def __init__(
        self,
        root: Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        base = os.path.join(self.root, "SUN397")
        fetch("SUN397", base, download, self._URL, self.root, self._MD5)
        self.classes = [line[3:] for line in _lines("SUN397", os.path.join(base, "ClassName.txt"))]     # a class is written as "/a/abbey"
        self.class_to_idx = numbered(self.classes)
        self._image_files = sorted(glob.glob(os.path.join(glob.escape(base), "**", "sun_*.jpg"), recursive=True))
        with Reading("SUN397", os.path.join(base, "ClassName.txt")):
            for path in self._image_files:
                _, *kind = os.path.relpath(os.path.dirname(path), base).split(os.sep)
                self._labels.append(self.class_to_idx["/".join(kind)])


class StanfordCars(LabelledImages):
    """16,185 photographs of cars of 196 models (Krause et al., 2013); SciPy reads the lists.

    Args:
        root: the folder that contains ``stanford_cars``.
        split: ``"train"`` or ``"test"``.
        download: refused with ValueError: their authors no longer offer the files.

    Other arguments, and errors, are those of `Food101`.
    """

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        op = "StanfordCars"
        self._split = verify_str_arg(split, "split", ("train", "test"), op)
        if download:
            raise ValueError(f"[{op}] The original URL is broken so the StanfordCars dataset cannot be downloaded anymore.")
        base = os.path.join(self.root, "stanford_cars")
        devkit, images = os.path.join(base, "devkit"), os.path.join(base, f"cars_{split}")
        lists = os.path.join(devkit, "cars_train_annos.mat") if split == "train" else os.path.join(base, "cars_test_annos_withlabels.mat")
        for path in (devkit, images, lists):
            if not os.path.exists(path):
                raise RuntimeError(f"[{op}] Dataset not found: there is no {path!r}")
        from scipy.io import loadmat

        with Reading(op, lists):
            for row in loadmat(lists, squeeze_me=True)["annotations"]:
                self._image_files.append(within(images, str(row["fname"]), op))
                self._labels.append(int(row["class"]) - 1)
        names = os.path.join(devkit, "cars_meta.mat")
        with Reading(op, names):
            self.classes = loadmat(names, squeeze_me=True)["class_names"].tolist()
        self.class_to_idx = numbered(self.classes)


class Imagenette(LabelledImages):
    """13,394 photographs of ten classes of ImageNet (Howard, 2019).

    Args:
        root: the folder that contains ``imagenette2``, ``imagenette2-320`` or ``imagenette2-160``.
        split: ``"train"`` or ``"val"``.
        size: ``"full"``, ``"320px"`` or ``"160px"``.

    Attributes:
        classes: of each class its names.
        wnids, wnid_to_idx: the names of the classes' folders, and the number of each.

    Other arguments, and errors, are those of `Food101`.
    """

    _HOST = "https://s3.amazonaws.com/fast-ai-imageclas/"
    _SIZES: ClassVar[dict[str, tuple[str, str]]] = {
        "full": ("imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612"),
        "320px": ("imagenette2-320", "3df6f0d01a2c9592104656642f5e78a3"),
        "160px": ("imagenette2-160", "e793b78cc4c9e9a4ccc0c1155377a412"),
    }
    _NAMES: ClassVar[dict[str, tuple[str, ...]]] = {
        "n01440764": ("tench", "Tinca tinca"),
        "n02102040": ("English springer", "English springer spaniel"),
        "n02979186": ("cassette player",),
        "n03000684": ("chain saw", "chainsaw"),
        "n03028079": ("church", "church building"),
        "n03394916": ("French horn", "horn"),
        "n03417042": ("garbage truck", "dustcart"),
        "n03425413": ("gas pump", "gasoline pump", "petrol pump", "island dispenser"),
        "n03445777": ("golf ball",),
        "n03888257": ("parachute", "chute"),
    }

    def __init__(
        self,
        root: Path,
        split: str = "train",
        size: str = "full",
        download: bool = False,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self._split = verify_str_arg(split, "split", ("train", "val"), "Imagenette")
        self._size = verify_str_arg(size, "size", tuple(self._SIZES), "Imagenette")
        name, md5 = self._SIZES[size]
        base = os.path.join(self.root, name)
        fetch("Imagenette", base, download, f"{self._HOST}{name}.tgz", self.root, md5)
        folder = os.path.join(base, split)
        self.wnids, self.wnid_to_idx = find_classes(folder)
        self.classes = [self._NAMES[wnid] for wnid in self.wnids]
        self.class_to_idx = {word: i for i, words in enumerate(self.classes) for word in words}
        for path, label in make_dataset(folder, self.wnid_to_idx, extensions=".jpeg"):
            self._image_files.append(path)
            self._labels.append(label)

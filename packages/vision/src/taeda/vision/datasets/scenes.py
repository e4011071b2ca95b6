"""Photographs annotated with what they show and where: KITTI's boxes, Cityscapes' outlines, WIDER's faces, SBD's borders."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from PIL import Image

import taeda
from taeda.vision.datasets._labelled import Path, Transform, one_or_all
from taeda.vision.datasets._list_file import Lines, Reading
from taeda.vision.datasets.utils import download_and_extract_archive, download_url, extract_archive, verify_str_arg, within
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["Cityscapes", "Kitti", "SBDataset", "WIDERFace"]

Transforms = Callable[[Any, Any], tuple[Any, Any]]


class _Scenes(VisionDataset):
    """Base: sample i is (image i, of mode RGB, what `_target` makes of target i), after `transforms`."""

    root: str
    images: list[str]
    _MODE: str | None = "RGB"

    def _target(self, index: int) -> Any:
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._jointly_transformed(open_image(self.images[index], self._MODE), self._target(index))

    def __len__(self) -> int:
        return len(self.images)


class Kitti(_Scenes):
    """7,481 photographs from a car, with boxes in the image and in space, and 7,518 without (Geiger, Lenz, Urtasun, 2012).

    Args:
        root: the folder that contains ``Kitti/raw``.
        train: those with targets, else the others, whose target is None.
        transform, target_transform, transforms: functions of the image, of the target, of both.
        download: fetch and unpack the archives if they are not there.

    Sample i is (PIL image, list of dicts: "type", "truncated", "occluded", "alpha", "bbox" (left, top, right, bottom), "dimensions",
    "location", "rotation_y").

    Raises:
        RuntimeError: the files are not there.
    """

    data_url = "https://s3.eu-central-1.amazonaws.com/avg-kitti/"
    resources = ("data_object_image_2.zip", "data_object_label_2.zip")
    _MODE = None

    def __init__(
        self,
        root: Path,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: Transforms | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.train = train
        raw = os.path.join(self.root, "Kitti", "raw")
        folders = [os.path.join(raw, "training" if train else "testing", name) for name in ("image_2", "label_2")[: 1 + train]]
        if download and not all(map(os.path.isdir, folders)):
            for name in self.resources:
                download_and_extract_archive(self.data_url + name, raw, filename=name)
        for folder in folders:
            if not os.path.isdir(folder):
                raise RuntimeError(f"[Kitti] Dataset not found: there is no {folder!r}. You may use download=True to download it.")
        names = sorted(os.listdir(folders[0]))
        self.images = [os.path.join(folders[0], name) for name in names]
        self.targets = [os.path.join(folders[1], f"{name.split('.')[0]}.txt") for name in names] if train else []

    def _target(self, index: int) -> list[dict[str, Any]] | None:
        if not self.train:
            return None
        with Lines("Kitti", self.targets[index], "ascii") as lines:
            return [self._object(*row) for row in csv.reader(lines, delimiter=" ")]

    @staticmethod
    def _object(kind: str, truncated: str, occluded: str, *numbers: str) -> dict[str, Any]:
        alpha, *rest = map(float, numbers)
        return {
            "type": kind,
            "truncated": float(truncated),
            "occluded": int(occluded),
            "alpha": alpha,
            "bbox": rest[:4],
            "dimensions": rest[4:7],
            "location": rest[7:10],
            "rotation_y": rest[10],
        }


class CityscapesClass(NamedTuple):
    """A kind of things in Cityscapes."""

    name: str
    id: int
    train_id: int
    category: str
    category_id: int
    has_instances: bool
    ignore_in_eval: bool
    color: tuple[int, int, int]


# Of each category its classes in order of their numbers: name, number in training (255: left out), colour; * has instances.
_CITY = {
    "void": "unlabeled 255 000000, ego vehicle 255 000000, rectification border 255 000000, out of roi 255 000000, static 255 000000, "
    "dynamic 255 6f4a00, ground 255 510051",
    "flat": "road 0 804080, sidewalk 1 f423e8, parking 255 faaaa0, rail track 255 e6968c",
    "construction": "building 2 464646, wall 3 66669c, fence 4 be9999, guard rail 255 b4a5b4, bridge 255 966464, tunnel 255 96785a",
    "object": "pole 5 999999, polegroup 255 999999, traffic light 6 faaa1e, traffic sign 7 dcdc00",
    "nature": "vegetation 8 6b8e23, terrain 9 98fb98",
    "sky": "sky 10 4682b4",
    "human": "*person 11 dc143c, *rider 12 ff0000",
    "vehicle": "*car 13 00008e, *truck 14 000046, *bus 15 003c64, *caravan 255 00005a, *trailer 255 00006e, *train 16 005064, "
    "*motorcycle 17 0000e6, *bicycle 18 770b20, license plate -1 00008e",
}


def _city_classes() -> list[CityscapesClass]:
    made: list[CityscapesClass] = []
    for i, (category, rows) in enumerate(_CITY.items()):
        for row in rows.split(", "):
            name, train_id, colour = row.rsplit(" ", 2)
            number = int(train_id)
            red, green, blue = bytes.fromhex(colour)
            shown = (name.startswith("*"), number in (255, -1), (red, green, blue))
            made.append(CityscapesClass(name.lstrip("*"), -1 if number < 0 else len(made), number, category, i, *shown))
    return made


class Cityscapes(_Scenes):
    """5,000 photographs of streets with fine outlines of things, and 20,000 with coarse ones (Cordts et al., 2016).

    Args:
        root: folder of ``leftImg8bit`` and ``gtFine`` or ``gtCoarse``, or of their archives, which are unpacked.
        split: ``"train"``, ``"val"`` or, if fine, ``"test"``, if coarse, ``"train_extra"``.
        mode: ``"fine"`` or ``"coarse"``.
        target_type: ``"instance"``, ``"semantic"``, ``"color"`` (PIL images), ``"polygon"`` (dict), or a list of them.
        transform, target_transform, transforms: functions of the image, of the target, of both.

    Sample i is (PIL image of mode RGB, the target; a tuple of several).

    Raises:
        RuntimeError: the folders are not there.
        ValueError: an argument is none of those above.
    """

    CityscapesClass = CityscapesClass
    classes: ClassVar[list[Any]] = _city_classes()
    _ENDINGS: ClassVar[dict[str, str]] = {
        "instance": "instanceIds.png",
        "semantic": "labelIds.png",
        "color": "color.png",
        "polygon": "polygons.json",
    }

    def __init__(
        self,
        root: Path,
        split: str = "train",
        mode: str = "fine",
        target_type: list[str] | str = "instance",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        transforms: Transforms | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        op = "Cityscapes"
        self.mode = "gtFine" if verify_str_arg(mode, "mode", ("fine", "coarse"), op) == "fine" else "gtCoarse"
        self.split = verify_str_arg(split, "split", ("train", "test" if mode == "fine" else "train_extra", "val"), f"{op}, mode {mode}")
        kinds = target_type if isinstance(target_type, list) else [target_type]
        self.target_type = [verify_str_arg(kind, "target_type", tuple(self._ENDINGS), op) for kind in kinds]
        self.images_dir = os.path.join(self.root, "leftImg8bit", split)
        self.targets_dir = os.path.join(self.root, self.mode, split)
        folders = (self.images_dir, self.targets_dir)
        if not all(map(os.path.isdir, folders)):
            images = "leftImg8bit_trainextra.zip" if split == "train_extra" else "leftImg8bit_trainvaltest.zip"
            targets = "gtFine_trainvaltest.zip" if mode == "fine" else "gtCoarse.zip"
            archives = [os.path.join(self.root, name) for name in (images, targets)]
            if not all(map(os.path.isfile, archives)):
                raise RuntimeError(f"[{op}] Dataset not found or incomplete: there is no {folders[0]!r} or {folders[1]!r}, and no archives")
            for archive in archives:
                extract_archive(archive, self.root)
        self.images: list[str] = []
        self.targets: list[list[str]] = []
        for city in sorted(os.listdir(self.images_dir)):
            for name in sorted(os.listdir(os.path.join(self.images_dir, city))):
                start = os.path.join(self.targets_dir, city, name.split("_leftImg8bit")[0])
                self.images.append(os.path.join(self.images_dir, city, name))
                self.targets.append([f"{start}_{self.mode}_{self._ENDINGS[kind]}" for kind in self.target_type])

    def _target(self, index: int) -> Any:
        return one_or_all(tuple(map(self._read, self.targets[index])))

    @staticmethod
    def _read(path: str) -> Any:
        if not path.endswith(".json"):
            return open_image(path)
        with Reading("Cityscapes", path), open(path, encoding="utf-8") as file:
            return json.load(file)

    def extra_repr(self) -> str:
        return f"Split: {self.split}\nMode: {self.mode}\nType: {self.target_type}"


class WIDERFace(_Scenes):
    """32,203 photographs with 393,703 faces (Yang, Luo, Loy, Tang, 2016).

    Args:
        root: the folder that contains ``widerface``.
        split: ``"train"``, ``"val"`` or ``"test"``, whose targets are None.
        transform, target_transform: functions of the image and of the target.
        download: refused where the files are not there: they lie on Google Drive.

    Sample i is (PIL image, dict of int64 tensors: "bbox" N x 4 (x, y, width, height), "blur", "expression", "illumination",
    "occlusion", "pose", "invalid" N).

    Raises:
        RuntimeError: the files are not there.
        ValueError: there is no such split, or a list names a file outside the folder.
    """

    BASE_FOLDER = "widerface"
    _MODE = None
    _WHAT = ("blur", "expression", "illumination", "occlusion", "pose", "invalid")

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(os.path.join(root, self.BASE_FOLDER), transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", ("train", "val", "test"), "WIDERFace")
        for name in ("WIDER_train", "WIDER_val", "WIDER_test", "wider_face_split"):
            if not os.path.exists(os.path.join(self.root, name)):
                why = "its files lie on Google Drive and are not fetched from here" if download else "they are put there by hand"
                raise RuntimeError(f"[WIDERFace] Dataset not found or corrupted: there is no {name!r} in {self.root!r}; {why}")
        lists = "wider_face_test_filelist.txt" if split == "test" else f"wider_face_{split}_bbx_gt.txt"
        folder = os.path.abspath(os.path.join(self.root, f"WIDER_{split}", "images"))
        self.img_info: list[dict[str, Any]] = []
        with Lines("WIDERFace", os.path.join(self.root, "wider_face_split", lists)) as lines:
            for name in lines:
                info: dict[str, Any] = {"img_path": within(folder, name.rstrip(), "WIDERFace")}
                if split != "test":
                    n = max(int(next(lines)), 1)                # an image without faces has a line of zeros
                    rows = taeda.tensor([self._face(next(lines)) for _ in range(n)])
                    parts = {what: rows[:, 4 + i].clone() for i, what in enumerate(self._WHAT)}
                    info["annotations"] = {"bbox": rows[:, :4].clone(), **parts}
                self.img_info.append(info)
        self.images = [info["img_path"] for info in self.img_info]

    @classmethod
    def _face(cls, line: str) -> list[int]:
        numbers = [int(number) for number in line.split()]
        if len(numbers) != 4 + len(cls._WHAT):
            raise ValueError(f"a face has {4 + len(cls._WHAT)} numbers, not {len(numbers)}")
        return numbers

    def _target(self, index: int) -> Any:
        return self.img_info[index].get("annotations")

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


class SBDataset(_Scenes):
    """11,355 photographs of Pascal VOC with classes or borders of their pixels (Hariharan et al., 2011); SciPy reads them.

    Args:
        root: folder of ``img``, ``cls`` and the lists.
        image_set: ``"train"``, ``"val"`` or ``"train_noval"`` (without the images that VOC 2012 validates with).
        mode: ``"boundaries"`` (float array 20 x H x W) or ``"segmentation"`` (PIL image).
        download: fetch and unpack the archive.
        transforms: a function of image and target.

    Raises:
        RuntimeError: there is no such folder.
        ValueError: an argument is none of those above, or a list names a file outside the folder.
    """

    _HOST = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/"
    num_classes = 20

    def __init__(
        self,
        root: Path,
        image_set: str = "train",
        mode: str = "boundaries",
        download: bool = False,
        transforms: Transforms | None = None,
    ) -> None:
        super().__init__(root, transforms)
        self.image_set = verify_str_arg(image_set, "image_set", ("train", "val", "train_noval"), "SBDataset")
        self.mode = verify_str_arg(mode, "mode", ("segmentation", "boundaries"), "SBDataset")
        if download:
            self.download()
        if not os.path.isdir(self.root):
            raise RuntimeError(f"[SBDataset] Dataset not found or corrupted: there is no {self.root!r}; download=True fetches it")
        with open(os.path.join(self.root, f"{image_set}.txt"), encoding="ascii") as file:
            names = [line.strip() for line in file]
        self.images = [within(os.path.join(self.root, "img"), f"{name}.jpg", "SBDataset") for name in names]
        self.masks = [within(os.path.join(self.root, "cls"), f"{name}.mat", "SBDataset") for name in names]

    def download(self) -> None:
        """Fetch and unpack the archive, and bring its files where they are looked for."""
        download_and_extract_archive(self._HOST + "benchmark.tgz", self.root, md5="82b4d87ceb2ed10f6038a1cba92111cb")
        for name in ("cls", "img", "inst", "train.txt", "val.txt"):
            shutil.move(os.path.join(self.root, "benchmark_RELEASE", "dataset", name), self.root)
        if self.image_set == "train_noval":
            url = "https://www.cs.cornell.edu/~bharathh/train_noval.txt"
            download_url(url, self.root, md5="79bff800c5f0b1ec6b21080a3c066722")

    def _target(self, index: int) -> Any:
        from scipy.io import loadmat

        with Reading("SBDataset", self.masks[index]):
            classes = loadmat(self.masks[index])["GTcls"][0]
            if self.mode == "segmentation":
                return Image.fromarray(classes["Segmentation"][0])
            borders = classes["Boundaries"][0]
            return np.stack([borders[i][0].toarray() for i in range(self.num_classes)])

    def extra_repr(self) -> str:
        return f"Image set: {self.image_set}\nMode: {self.mode}"

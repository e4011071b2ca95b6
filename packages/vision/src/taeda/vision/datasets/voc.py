"""Pascal VOC: photographs with boxes and outlines of twenty classes of objects (Everingham et al., 2010)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar
from xml.etree import ElementTree
from xml.parsers import expat

from taeda.vision.datasets._labelled import not_there
from taeda.vision.datasets._list_file import Lines
from taeda.vision.datasets.utils import download_and_extract_archive, verify_str_arg, within
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["VOCDetection", "VOCSegmentation"]

_HOST = "https://thor.robots.ox.ac.uk/pascal/VOC/"
# address of the archive, its checksum, folder in it
_YEARS = {
    "2012": ("voc2012/VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd", "VOCdevkit/VOC2012"),
    "2011": ("voc2011/VOCtrainval_25-May-2011.tar", "6c3384ef61512963050cb5d687e5bf1e", "TrainVal/VOCdevkit/VOC2011"),
    "2010": ("voc2010/VOCtrainval_03-May-2010.tar", "da459979d0c395079b5c75ee67908abb", "VOCdevkit/VOC2010"),
    "2009": ("voc2009/VOCtrainval_11-May-2009.tar", "a3e00b113cfcfebf17e343f59da3caa1", "VOCdevkit/VOC2009"),
    "2008": ("voc2008/VOCtrainval_14-Jul-2008.tar", "2629fa636546599198acfcfbfcf1904a", "VOCdevkit/VOC2008"),
    "2007": ("voc2007/VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64", "VOCdevkit/VOC2007"),
    "2007-test": ("voc2007/VOCtest_06-Nov-2007.tar", "b6e924de25625d8de591ea690078ad9f", "VOCdevkit/VOC2007"),
}


class _VOC(VisionDataset):
    """Base: finds the images of a list, and the file of each one's target."""

    _LISTS: ClassVar[str]
    _TARGETS: ClassVar[str]
    _ENDING: ClassVar[str]

    root: str

    def __init__(
        self,
        root: str | os.PathLike[str],
        year: str = "2012",
        image_set: str = "train",
        download: bool = False,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        op = type(self).__name__
        self.year = verify_str_arg(year, "year", [str(y) for y in range(2007, 2013)], op)
        self.image_set = verify_str_arg(image_set, "image_set", ["train", "trainval", "val", *(["test"] if year == "2007" else [])], op)
        address, self.md5, folder = _YEARS["2007-test" if image_set == "test" else year]
        self.url, self.filename = _HOST + address, address.rpartition("/")[2]
        base = os.path.join(self.root, *folder.split("/"))
        names = os.path.join(base, "ImageSets", self._LISTS, f"{image_set}.txt")
        if download and not os.path.isfile(names):
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.md5)
        if not os.path.isfile(names):
            raise not_there(op, names)
        with Lines(op, names, "ascii") as lines:
            ids = [word for line in lines for word in line.split()]
        self.images = [within(os.path.join(base, "JPEGImages"), f"{name}.jpg", op) for name in ids]
        self.targets = [within(os.path.join(base, self._TARGETS), name + self._ENDING, op) for name in ids]

    def _target(self, path: str) -> Any:
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._jointly_transformed(open_image(self.images[index], "RGB"), self._target(self.targets[index]))

    def __len__(self) -> int:
        return len(self.images)


class VOCSegmentation(_VOC):
    """Pascal VOC with the class of each pixel.

    Sample i is (PIL image of mode RGB, PIL image of mode P: 0 background, 1 to 20 the classes, 255 nothing).
    Arguments and errors are those of `VOCDetection`.
    """

    _LISTS = "Segmentation"
    _TARGETS = "SegmentationClass"
    _ENDING = ".png"

    @property
    def masks(self) -> list[str]:
        """Paths of the masks."""
        return self.targets

    def _target(self, path: str) -> Any:
        return open_image(path)


class VOCDetection(_VOC):
    """Pascal VOC with boxes.

    Sample i is (PIL image of mode RGB, dict as the XML file has it: ``target["annotation"]["object"]`` is a list of objects, of each
    "name" and "bndbox" with the texts "xmin", "ymin", "xmax", "ymax").

    Args:
        root: the folder that contains ``VOCdevkit`` (of 2011, ``TrainVal``).
        year: ``"2007"`` to ``"2012"``.
        image_set: ``"train"``, ``"val"``, ``"trainval"``, of 2007 also ``"test"``.
        download: fetch and unpack the archive if the folder is not there.
        transform, target_transform, transforms: functions of the image, of the target, of both.

    Raises:
        RuntimeError: the files are not there.
        ValueError: an argument is none of those above.
    """

    _LISTS = "Main"
    _TARGETS = "Annotations"
    _ENDING = ".xml"

    @property
    def annotations(self) -> list[str]:
        """Paths of the XML files."""
        return self.targets

    def _target(self, path: str) -> Any:
        with open(path, "rb") as file:
            text = file.read()

        def refuse(*declared: Any) -> None:                     # entities can blow up, and no file of this dataset has any
            raise ValueError(f"[VOCDetection] {path!r} declares entities, which no file of this dataset does; it is refused")

        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = refuse
        try:
            parser.Parse(text, True)
            return self.parse_voc_xml(ElementTree.fromstring(text))
        except (expat.ExpatError, ElementTree.ParseError, LookupError, RecursionError) as error:
            raise ValueError(f"[VOCDetection] {path!r} is damaged: {error}") from error

    @staticmethod
    def parse_voc_xml(node: ElementTree.Element) -> dict[str, Any]:
        """Return an element as a dict; elements of one name become a list, and "object" is always one."""
        if not len(node):
            return {node.tag: node.text.strip()} if node.text else {}
        values: dict[str, list[Any]] = defaultdict(list)
        for child in node:
            for name, value in VOCDetection.parse_voc_xml(child).items():
                values[name].append(value)
        inner: dict[str, Any] = {name: v[0] if len(v) == 1 else v for name, v in values.items()}
        if node.tag == "annotation":
            inner["object"] = values.get("object", [])
        return {node.tag: inner}

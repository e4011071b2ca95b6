"""Photographs with sentences: Flickr8k, Flickr30k and SBU."""

from __future__ import annotations

import contextlib
import glob
import os
from collections import defaultdict
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from taeda.vision.datasets._labelled import LabelledImages, Path, Transform
from taeda.vision.datasets._list_file import Lines
from taeda.vision.datasets.folder import default_loader
from taeda.vision.datasets.utils import check_integrity, download_and_extract_archive, download_url, within

__all__ = ["SBU", "Flickr8k", "Flickr30k"]


class _Page(HTMLParser):
    """Read the table of Flickr8k's page: links to photographs, each before a list of its sentences."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.root = root
        self.annotations: dict[str, list[str]] = {}
        self._in_table = False
        self._tag: str | None = None
        self._image: str | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._tag = tag
        self._in_table = self._in_table or tag == "table"

    def handle_endtag(self, tag: str) -> None:
        self._tag = None
        self._in_table = self._in_table and tag != "table"

    def handle_data(self, data: str) -> None:
        if not self._in_table:
            return
        if data == "Image Not Found":
            self._image = None
        elif self._tag == "a":
            number = data.split("/")[-2]
            found = sorted(glob.glob(os.path.join(glob.escape(self.root), glob.escape(number) + "_*.jpg")))
            if not found:
                raise IndexError(f"[Flickr8k] there is no file {number + '_*.jpg'!r} in {self.root!r}, which the annotations name")
            self._image = found[0]
            self.annotations[self._image] = []
        elif self._tag == "li" and self._image is not None:
            self.annotations[self._image].append(data.strip())


class Flickr8k(LabelledImages):
    """8,000 photographs with five sentences each (Hodosh, Young, Hockenmaier, 2013): sample i is (PIL image, list of texts).

    Args:
        root: folder of the images.
        ann_file: the page that lists them and their sentences.
        transform, target_transform: functions of the image and of the sentences.
        loader: reads an image, given its path.
    """

    def __init__(
        self,
        root: Path,
        ann_file: Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self.ann_file = os.path.expanduser(os.fspath(ann_file))
        self.annotations = self._annotations()
        self.ids = sorted(self.annotations)
        self._labels = [self.annotations[name] for name in self.ids]
        self._image_files = [within(self.root, os.path.relpath(path, self.root), type(self).__name__) for path in self._paths()]

    def _annotations(self) -> dict[str, list[str]]:
        page = _Page(self.root)
        with open(self.ann_file, encoding="utf-8") as file:
            page.feed(file.read())
        return page.annotations

    def _paths(self) -> list[str]:
        return self.ids


class Flickr30k(Flickr8k):
    """31,783 photographs with five sentences each (Young et al., 2014); arguments as `Flickr8k`.

    Lines of `ann_file` are ``name.jpg#0``, a tabulator and a sentence.

    Raises:
        ValueError: a name leads out of the folder, or a line is malformed.
    """

    def _annotations(self) -> dict[str, list[str]]:
        annotations: dict[str, list[str]] = defaultdict(list)
        with Lines("Flickr30k", self.ann_file) as lines:
            for line in lines:
                name, caption = line.strip().split("\t")
                annotations[name[:-2]].append(caption)
        return annotations

    def _paths(self) -> list[str]:
        return [os.path.join(self.root, name) for name in self.ids]


class SBU(LabelledImages):
    """A million photographs with a sentence each (Ordonez, Kulkarni, Berg, 2011): sample i is (PIL image, text).

    Args:
        root: folder of the archive; the images lie in its folder ``dataset``, and missing ones are skipped.
        transform, target_transform: functions of the image and of the sentence.
        download: fetch the archive, and then the images one by one, those that are still online.
        loader: reads an image, given its path.

    Raises:
        RuntimeError: the archive is not there, or its checksum is wrong.
    """

    url = "https://www.cs.rice.edu/~vo9/sbucaptions/SBUCaptionedPhotoDataset.tar.gz"
    filename = "SBUCaptionedPhotoDataset.tar.gz"
    md5_checksum: str | None = "9aec147b3488753cf758b4d493422285"

    def __init__(
        self,
        root: Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = True,
        loader: Callable[[str], Any] = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        archive, folder = os.path.join(self.root, self.filename), os.path.join(self.root, "dataset")
        if download and not check_integrity(archive, self.md5_checksum):
            self.download()
        if not check_integrity(archive, self.md5_checksum):
            raise RuntimeError(f"[SBU] Dataset not found or corrupted: there is no whole {archive!r}; download=True fetches it")
        names = (os.path.basename(url) for url in self._list("urls"))
        rows = zip(names, self._list("captions"), strict=False)
        pairs = [(name, text) for name, text in rows if os.path.isfile(os.path.join(folder, name))]
        self.photos = [name for name, _ in pairs]
        self.captions = self._labels = [text for _, text in pairs]
        self._image_files = [os.path.join(folder, name) for name in self.photos]

    def _list(self, what: str) -> list[str]:
        with open(os.path.join(self.root, "dataset", f"SBU_captioned_photo_dataset_{what}.txt"), encoding="utf-8") as file:
            return [line.rstrip() for line in file]

    def download(self) -> None:
        """Fetch the archive and the photographs; those that their owners removed are skipped."""
        download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.md5_checksum)
        for url in self._list("urls"):
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                download_url(url, os.path.join(self.root, "dataset"))

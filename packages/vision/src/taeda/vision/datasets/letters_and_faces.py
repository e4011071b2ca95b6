"""Letters of Omniglot and faces of LFW."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from taeda.vision.datasets._labelled import LabelledImages, Path, Transform, not_there
from taeda.vision.datasets._list_file import Lines
from taeda.vision.datasets.folder import default_loader
from taeda.vision.datasets.utils import check_integrity, download_and_extract_archive, list_dir, list_files, verify_str_arg, within
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["LFWPairs", "LFWPeople", "Omniglot"]

Loader = Callable[[str], Any]
_MOST_PHOTOGRAPHS = 9999            # of a person


def _grey(path: str) -> Any:
    return open_image(path, "L")


class Omniglot(LabelledImages):
    """32,460 drawings of 1,623 letters of fifty alphabets (Lake, Salakhutdinov, Tenenbaum, 2015): sample i is (grey PIL image, letter).

    Args:
        root: the folder that contains ``omniglot-py``, with the archives and what was in them.
        background: the thirty alphabets for training, else the twenty for testing.
        transform, target_transform: functions of the image and of the letter's number.
        download: fetch and unpack the archive if it is not there.
        loader: reads an image, given its path.

    Raises:
        RuntimeError: the archive is not there, or its checksum is wrong.
    """

    folder = "omniglot-py"
    download_url_prefix = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"
    zips_md5: ClassVar[dict[str, str | None]] = {
        "images_background": "68d2efa1b9178cc56df9314c21c6e718",
        "images_evaluation": "6b91aef0f799c5bb55b94e3f2daec811",
    }

    def __init__(
        self,
        root: Path,
        background: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader | None = None,
    ) -> None:
        super().__init__(os.path.join(root, self.folder), transform, target_transform, loader or _grey)
        self.background = background
        name = "images_background" if background else "images_evaluation"
        archive = os.path.join(self.root, f"{name}.zip")
        if download and not check_integrity(archive, self.zips_md5[name]):
            download_and_extract_archive(f"{self.download_url_prefix}/{name}.zip", self.root, md5=self.zips_md5[name])
        if not check_integrity(archive, self.zips_md5[name]):
            raise not_there("Omniglot", archive)
        self.target_folder = os.path.join(self.root, name)
        alphabets = sorted(list_dir(self.target_folder))
        letters = [os.path.join(a, c) for a in alphabets for c in sorted(list_dir(os.path.join(self.target_folder, a)))]
        for number, letter in enumerate(letters):
            files = sorted(list_files(os.path.join(self.target_folder, letter), ".png", prefix=True))
            self._image_files += files
            self._labels += [number] * len(files)


class _LFW(VisionDataset):
    """Base: photographs of faces in a folder for each person, and lists of them in ten parts, or of those for training or testing."""

    root: str
    base_folder = "lfw-py"
    file_dict: ClassVar[dict[str, tuple[str, str, str | None]]] = {
        "original": ("lfw", "lfw.tgz", "a17d05bd522c52d84eca14327a23d494"),
        "funneled": ("lfw_funneled", "lfw-funneled.tgz", "1b42dfed7d15c9b2dd63d5e5840c86ad"),
        "deepfunneled": ("lfw-deepfunneled", "lfw-deepfunneled.tgz", "68331da3eb755a505a502b5aacb3c201"),
    }
    checksums: ClassVar[dict[str, str | None]] = {
        "pairs.txt": "9f1ba174e4e1c508ff7cdf10ac338a7d",
        "pairsDevTest.txt": "5132f7440eb68cf58910c8a45a2ac10b",
        "pairsDevTrain.txt": "4f27cbf15b2da4a85c1907eb4181ad21",
        "people.txt": "450f0863dd89e85e73936a6d71a3474b",
        "peopleDevTest.txt": "e4bf5be0a43b5dcd9dc5ccfcb8fb19c5",
        "peopleDevTrain.txt": "54eaac34beb6d042ed3a7d883e247a21",
        "lfw-names.txt": "a6d0a479bd074669f656265a6e693f6d",
    }
    view: ClassVar[str]
    data: list[Any]

    def __init__(
        self,
        root: Path,
        split: str = "10fold",
        image_set: str = "funneled",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(os.path.join(root, self.base_folder), transform=transform, target_transform=target_transform)
        op = type(self).__name__
        self.image_set = verify_str_arg(image_set.lower(), "image_set", tuple(self.file_dict), op)
        self.split = verify_str_arg(split.lower(), "split", ("10fold", "train", "test"), op)
        if download:
            raise ValueError(f"[{op}] LFW dataset is no longer available for automatic download; its files are put there by hand.")
        folder, self.filename, self.md5 = self.file_dict[self.image_set]
        self.labels_file = self.view + {"10fold": "", "train": "DevTrain", "test": "DevTest"}[self.split] + ".txt"
        needed = {self.filename: self.md5, self.labels_file: self.checksums[self.labels_file]}
        if self.view == "people":
            needed["lfw-names.txt"] = self.checksums["lfw-names.txt"]
        for name, md5 in needed.items():
            if not check_integrity(os.path.join(self.root, name), md5):
                raise RuntimeError(f"[{op}] Dataset not found or corrupted: there is no whole {name!r} in {self.root!r}")
        self.images_dir = os.path.join(self.root, folder)
        self._loader = loader
        with self._lines(self.labels_file) as lines:
            self._begin(lines)

    def _begin(self, lines: Lines) -> None:
        raise NotImplementedError

    def _lines(self, name: str) -> Lines:
        return Lines(type(self).__name__, os.path.join(self.root, name))

    def _get_path(self, identity: str, number: int | str) -> str:
        return within(self.images_dir, os.path.join(identity, f"{identity}_{int(number):04d}.jpg"), type(self).__name__)

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Alignment: {self.image_set}\nSplit: {self.split}"


class LFWPeople(_LFW):
    """13,233 photographs of 5,749 people (Huang et al., 2007): sample i is (PIL image, number of the person).

    Args:
        root: the folder that contains ``lfw-py``, with the archive, what was in it, and the lists.
        split: ``"10fold"`` (all), ``"train"`` or ``"test"``.
        image_set: ``"original"``, ``"funneled"`` or ``"deepfunneled"``: how faces are aligned.
        transform, target_transform: functions of the image and of the number.
        download: refused with ValueError: their authors no longer offer the files.
        loader: reads an image, given its path.

    Raises:
        RuntimeError: the files are not there, or their checksums are wrong.
        ValueError: an argument is none of those above.
    """

    view = "people"

    def _begin(self, lines: Lines) -> None:
        with self._lines("lfw-names.txt") as names:
            self.class_to_idx = {line.split()[0]: i for i, line in enumerate(names)}
        self.data, self.targets = [], []
        for _ in range(int(next(lines)) if self.split == "10fold" else 1):
            for _ in range(int(next(lines))):
                identity, word = next(lines).split()
                count = int(word)
                if count > _MOST_PHOTOGRAPHS:
                    raise ValueError(f"{count} photographs of a person, whose numbers have 4 digits")
                self.data += [self._get_path(identity, number) for number in range(1, count + 1)]
                self.targets += [self.class_to_idx[identity]] * count

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(self._loader(self.data[index]), self.targets[index])

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}\nClasses (identities): {len(self.class_to_idx)}"


class LFWPairs(_LFW):
    """Pairs of photographs of LFW: sample i is (PIL image, PIL image, 1 of one person or 0 of two); arguments as `LFWPeople`."""

    view = "pairs"

    def _begin(self, lines: Lines) -> None:
        self.data, self.targets = [], []
        self.pair_names: list[tuple[str, str]] = []
        head = next(lines).split()
        folds, n = (int(word) for word in head) if self.split == "10fold" else (1, int(head[0]))
        for i in range(folds * 2 * n):
            first, number, *other = next(lines).split()
            same = i % (2 * n) < n
            second, last = (first, other[0]) if same else (other[0], other[1])
            self.pair_names.append((first, second))
            self.data.append((self._get_path(first, number), self._get_path(second, last)))
            self.targets.append(int(same))

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        first, second = (self._loader(path) for path in self.data[index])
        if self.transform is not None:
            first, second = self.transform(first), self.transform(second)
        target: Any = self.targets[index]
        return first, second, target if self.target_transform is None else self.target_transform(target)

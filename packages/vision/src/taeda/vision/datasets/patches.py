"""Small patches of large pictures: PhotoTour (of photographs of three sights) and PCAM (of slices of tissue)."""

from __future__ import annotations

import glob
import importlib
import os
from typing import Any, ClassVar

import numpy as np
from PIL import Image

import taeda
from taeda.vision.datasets._labelled import Path, Transform
from taeda.vision.datasets._list_file import Lines
from taeda.vision.datasets.utils import download_url, extract_archive, verify_str_arg
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = ["PCAM", "PhotoTour"]

_SIDE = 64


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(f"[PhotoTour] there is no {path!r}; download=True fetches the data set")


class PhotoTour(VisionDataset):
    """Patches of 64 x 64 grey pixels around places that many photographs of a sight show (Winder, Brown, 2007; Balntas et al., 2016).

    Args:
        root: folder of the sights' folders; the tensors of each are kept there too, in ``NAME.pt``.
        name: ``"notredame"``, ``"yosemite"`` or ``"liberty"``, or one of those followed by ``"_harris"``.
        train: sample i is patch i, else (patch, patch, 1 where both show one place, else 0) of pair i.
        transform: a function of a patch, a uint8 tensor.
        download: fetch and unpack the sight's archive if it is not there.

    Attributes:
        data: the patches, uint8 N x 64 x 64.
        labels: the number of the place of each, int64 N.
        matches: pairs, int64 M x 3: two patches, and whether they show one place.
        mean, std: of the patches, as parts of 1.

    Raises:
        FileNotFoundError: the files are not there.
        ValueError: there is no such sight, or a file is malformed.
    """

    root: str
    _HARRIS, _OTHER = "http://matthewalunbrown.com/patchdata/", "http://icvl.ee.ic.ac.uk/vbalnt/"
    urls: ClassVar[dict[str, list[str]]] = {
        "notredame_harris": [f"{_HARRIS}notredame_harris.zip", "notredame_harris.zip", "69f8c90f78e171349abdf0307afefe4d"],
        "yosemite_harris": [f"{_HARRIS}yosemite_harris.zip", "yosemite_harris.zip", "a73253d1c6fbd3ba2613c45065c00d46"],
        "liberty_harris": [f"{_HARRIS}liberty_harris.zip", "liberty_harris.zip", "c731fcfb3abb4091110d0ae8c7ba182c"],
        "notredame": [f"{_OTHER}notredame.zip", "notredame.zip", "509eda8535847b8c0a90bbb210c83484"],
        "yosemite": [f"{_OTHER}yosemite.zip", "yosemite.zip", "533b2e8eb7ede31be40abc317b2fd4f0"],
        "liberty": [f"{_OTHER}liberty.zip", "liberty.zip", "fdd9152f138ea5ef2091746689176414"],
    }
    means: ClassVar[dict[str, float]] = {
        "notredame": 0.4854, "yosemite": 0.4844, "liberty": 0.4437,
        "notredame_harris": 0.4854, "yosemite_harris": 0.4844, "liberty_harris": 0.4437,
    }
    stds: ClassVar[dict[str, float]] = {
        "notredame": 0.1864, "yosemite": 0.1818, "liberty": 0.2019,
        "notredame_harris": 0.1864, "yosemite_harris": 0.1818, "liberty_harris": 0.2019,
    }
    lens: ClassVar[dict[str, int]] = {
        "notredame": 468159, "yosemite": 633587, "liberty": 450092,
        "notredame_harris": 325295, "yosemite_harris": 450912, "liberty_harris": 379587,
    }
    image_ext, info_file, matches_files = "bmp", "info.txt", "m50_100000_100000_0.txt"

    def __init__(self, root: Path, name: str, train: bool = True, transform: Transform | None = None, download: bool = False) -> None:
        super().__init__(root, transform=transform)
        self.name = verify_str_arg(name, "name", tuple(self.urls), "PhotoTour")
        self.data_dir, self.data_down, self.data_file = (os.path.join(self.root, name + end) for end in ("", ".zip", ".pt"))
        self.train, self.mean, self.std = train, self.means[name], self.stds[name]
        if download:
            self.download()
        if not os.path.exists(self.data_file):
            self.cache()
        self.data, self.labels, self.matches = taeda.load(self.data_file, weights_only=True)

    def download(self) -> None:
        """Fetch and unpack the sight's archive, unless its folder or its tensors are there."""
        if not os.path.exists(self.data_file) and not os.path.isdir(self.data_dir):
            url, file, md5 = self.urls[self.name]
            download_url(url, self.root, file, md5)
            extract_archive(os.path.join(self.root, file), self.data_dir, remove_finished=True)

    def cache(self) -> None:
        """Read the sight's files, and write what they hold as tensors."""
        if not os.path.isdir(self.data_dir):
            raise _missing(self.data_dir)
        tables = (self._table(self.info_file, (0,)), self._table(self.matches_files, (0, 1, 3, 4)))
        place = tables[0][:, 0]
        first, of_first, second, of_second = tables[1].T
        pairs = np.stack([first, second, of_first == of_second], 1)
        taeda.save((taeda.from_numpy(self._patches()), taeda.from_numpy(place), taeda.from_numpy(pairs)), self.data_file)

    def _patches(self) -> np.ndarray[Any, Any]:
        """Return the patches of all pictures, row by row, but those that fill up the last one."""
        found, files = [], sorted(glob.glob(os.path.join(glob.escape(self.data_dir), f"*{self.image_ext}")))
        for file in files:
            grey = np.asarray(open_image(file, "L"))
            h, w = grey.shape
            if h % _SIDE or w % _SIDE:
                raise ValueError(f"[PhotoTour] {file!r} has {w} x {h} pixels, no whole number of patches of 64 x 64")
            found.append(grey.reshape(h // _SIDE, _SIDE, w // _SIDE, _SIDE).swapaxes(1, 2).reshape(-1, _SIDE, _SIDE))
        if not found:
            raise _missing(os.path.join(self.data_dir, f"*{self.image_ext}"))
        return np.concatenate(found)[: self.lens[self.name]]

    def _table(self, name: str, columns: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Return some columns of a file of whole numbers."""
        path = os.path.join(self.data_dir, name)
        if not os.path.isfile(path):
            raise _missing(path)
        with Lines("PhotoTour", path, "ascii") as lines:
            rows = [[int(row[i]) for i in columns] for row in map(str.split, lines)]
            return np.array(rows, dtype=np.int64).reshape(-1, len(columns))

    def _patch(self, index: Any) -> Any:
        patch = self.data[index]
        return patch if self.transform is None else self.transform(patch)

    def __getitem__(self, index: int) -> Any:
        if self.train:
            return self._patch(index)
        first, second, same = self.matches[index]
        return self._patch(first), self._patch(second), same

    def __len__(self) -> int:
        return len(self.data if self.train else self.matches)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train is True else 'Test'}"


class PCAM(VisionDataset):
    """327,680 patches of 96 x 96 pixels of lymph nodes; 1 where the middle shows a tumour (Veeling et al., 2018), read with h5py.

    Args:
        root: the folder that contains ``pcam`` with the HDF5 files.
        split: ``"train"``, ``"test"`` or ``"val"``.
        transform, target_transform: functions of the PIL image and of the label, 0 or 1.
        download: refused where the files are not there: they lie on Google Drive.

    Raises:
        RuntimeError: h5py is not installed, or the files are not there.
        ValueError: there is no such split.
    """

    root: str

    def __init__(
        self,
        root: Path,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        try:
            self._h5py = importlib.import_module("h5py")
        except ImportError as error:
            raise RuntimeError("[PCAM] h5py is not found. This dataset needs it: please run pip install h5py") from error
        self._split = verify_str_arg(split, "split", ("train", "test", "val"), "PCAM")
        super().__init__(root, transform=transform, target_transform=target_transform)
        part = "valid" if split == "val" else split
        self._files = {name: os.path.join(self.root, "pcam", f"camelyonpatch_level_2_split_{part}_{name}.h5") for name in "xy"}
        for path in self._files.values():
            if not os.path.isfile(path):
                why = "its files lie on Google Drive and are not fetched from here" if download else "the files are put there by hand"
                raise RuntimeError(f"[PCAM] Dataset not found: there is no {path!r}; {why}")

    def _read(self, name: str, index: Any) -> Any:
        with self._h5py.File(self._files[name], "r") as file:
            return file[name][index]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = Image.fromarray(self._read("x", index)).convert("RGB")
        return self._transformed(image, int(self._read("y", (index, 0, 0, 0))))

    def __len__(self) -> int:
        with self._h5py.File(self._files["x"], "r") as file:
            return int(file["x"].shape[0])

"""Pairs of pictures from a left and a right camera, and the disparity: how far each pixel of one lies from its place in the other."""

from __future__ import annotations

import glob
import json
import os
import random
import shutil
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from taeda.vision.datasets._labelled import Path
from taeda.vision.datasets._list_file import Reading
from taeda.vision.datasets.optical_flow import read_pfm
from taeda.vision.datasets.utils import download_and_extract_archive, verify_str_arg
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = [
    "CREStereo",
    "CarlaStereo",
    "ETH3DStereo",
    "FallingThingsStereo",
    "InStereo2k",
    "Kitti2012Stereo",
    "Kitti2015Stereo",
    "Middlebury2014Stereo",
    "SceneFlowStereo",
    "SintelStereo",
    "StereoDataset",
]

Array = np.ndarray[Any, Any]
Two = tuple[Any, Any]
Transforms = Callable[[Two, Two, Two], tuple[Two, Two, Two]]
_NONE: Two = (None, None)


class StereoDataset(VisionDataset):
    """Base: sample i is (left image, right image, disparity of the left), and the mask of pixels where it is known, if there is one.

    Args:
        root: folder that holds the data set's.
        transforms: a function of three pairs, of the left and the right: images, disparities (1 x H x W), masks (H x W); it returns
            three pairs. What is not there is None.
    """

    root: str
    _has_built_in_disparity_mask = False        # then a sample has four parts, whatever the mask

    def __init__(self, root: Path, transforms: Transforms | None = None) -> None:
        super().__init__(root)
        self.transforms = transforms            # type: ignore[assignment]
        self._images: list[Two] = []
        self._disparities: list[Two] = []

    def _pairs(self, folder: str, left: str, right: str | None = None) -> list[Two]:
        """Return the files in `folder` that match `left`, beside those that match `right`, both in the order of their names.

        Raises:
            FileNotFoundError: none matches one of the patterns.
            ValueError: one matches more than the other.
        """
        found = [sorted(glob.glob(os.path.join(glob.escape(folder), pattern))) for pattern in (left, right) if pattern is not None]
        for pattern, files in zip((left, right), found, strict=False):
            if not files:
                raise FileNotFoundError(f"[{type(self).__name__}] Could not find any files matching {pattern!r} in {folder!r}")
        if right is None:
            return [(file, None) for file in found[0]]
        n, m = map(len, found)
        if n != m:
            raise ValueError(f"[{type(self).__name__}] {n} files match {left!r} and {m} {right!r} in {folder!r}; each has another side")
        return list(zip(*found, strict=True))

    def _add(self, folder: str, images: tuple[str, str], disparities: tuple[str, str | None] | None, truths: str | None = None) -> None:
        """Append the pairs that match two patterns, and those of their disparities, in the folder `truths` if that is another."""
        self._images += self._pairs(folder, *images)
        if disparities is None:
            self._disparities += [_NONE] * (len(self._images) - len(self._disparities))
        else:
            self._disparities += self._pairs(folder if truths is None else truths, *disparities)

    def _read_img(self, file_path: str) -> Image.Image:
        return open_image(file_path, "RGB")

    def _disparity(self, path: str) -> tuple[Array, Array | None]:
        """Return the disparities of a file, 1 x H x W, and where they are known."""
        return np.abs(read_pfm(path)[:1]), None

    def _read_disparity(self, file_path: str | None) -> tuple[Array | None, Array | None]:
        return _NONE if file_path is None else self._disparity(file_path)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        left, right = self._images[index]
        images: Two = self._read_img(left), self._read_img(right)
        (of_left, known_left), (of_right, known_right) = map(self._read_disparity, self._disparities[index])
        disparities, masks = (of_left, of_right), (known_left, known_right)
        if self.transforms is not None:
            images, disparities, masks = self.transforms(images, disparities, masks)  # type: ignore[call-arg, misc]
        sample = (images[0], images[1], disparities[0])
        return (*sample, masks[0]) if self._has_built_in_disparity_mask or masks[0] is not None else sample

    def __len__(self) -> int:
        return len(self._images)


def _scaled(path: str, divisor: float) -> Array:
    """Return the whole numbers of a picture of one channel, 1 x H x W, divided."""
    return np.asarray(open_image(path))[None] / divisor


class CarlaStereo(StereoDataset):
    """Rendered streets of high resolution (of the Carla simulator, as CREStereo's authors use it).

    Args:
        root: the folder that contains ``carla-highres``.
        transforms: as in `StereoDataset`.
    """

    def __init__(self, root: Path, transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        base = os.path.join(self.root, "carla-highres", "trainingF")
        self._add(base, ("*/im0.png", "*/im1.png"), ("*/disp0GT.pfm", "*/disp1GT.pfm"))


class _Kitti(StereoDataset):
    """Pairs from a car, in one folder a side; whole numbers stand for 1/256 of a pixel."""

    _has_built_in_disparity_mask = True
    _folder: str
    _sides: tuple[str, str]
    _truths: tuple[str, str | None]

    def __init__(self, root: Path, split: str = "train", transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(split, "split", ("train", "test"), type(self).__name__)
        base = os.path.join(self.root, self._folder, f"{split}ing")
        self._add(base, self._sides, self._truths if split == "train" else None)

    def _disparity(self, path: str) -> tuple[Array, None]:
        return _scaled(path, 256.0), None


class Kitti2012Stereo(_Kitti):
    """194 pairs from a car, and 195 without disparities (Geiger, Lenz, Urtasun, 2012).

    Args:
        root: the folder that contains ``Kitti2012``.
        split: ``"train"`` or ``"test"``, which has no disparities.
        transforms: as in `StereoDataset`.

    The fourth part of a sample is None, unless `transforms` makes a mask.
    """

    _folder = "Kitti2012"
    _sides = ("colored_0/*_10.png", "colored_1/*_10.png")
    _truths = ("disp_noc/*.png", None)


class Kitti2015Stereo(_Kitti):
    """200 pairs from a car, and as many without disparities (Menze, Geiger, 2015).

    Args:
        root: the folder that contains ``Kitti2015``.
        split: ``"train"`` or ``"test"``, which has no disparities.
        transforms: as in `StereoDataset`.

    The fourth part of a sample is None, unless `transforms` makes a mask.
    """

    _folder = "Kitti2015"
    _sides = ("image_2/*.png", "image_3/*.png")
    _truths = ("disp_occ_0/*.png", "disp_occ_1/*.png")


class Middlebury2014Stereo(StereoDataset):
    """Rooms measured with patterns of light: 23 scenes in two calibrations, and 15 without disparities (Scharstein et al., 2014).

    Args:
        root: the folder that contains ``Middlebury2014``.
        split: ``"train"``, ``"additional"`` or ``"test"``, which has no disparities.
        calibration: ``"perfect"``, ``"imperfect"`` or ``"both"``; of the test split None.
        use_ambient_views: take the right picture at random from those of other exposures and lights that are there.
        transforms: as in `StereoDataset`.
        download: fetch and unpack the scenes that are not there.

    Raises:
        FileNotFoundError: the split's folder, or its scenes, are not there.
        ValueError: an argument is none of those above.
    """

    splits: ClassVar[dict[str, list[str]]] = {
        "train": ["Adirondack", "Jadeplant", "Motorcycle", "Piano", "Pipes", "Playroom", "Playtable", "Recycle", "Shelves", "Vintage"],
        "additional": [
            "Backpack", "Bicycle1", "Cable", "Classroom1", "Couch", "Flowers", "Mask", "Shopvac", "Sticks", "Storage", "Sword1", "Sword2",
            "Umbrella",
        ],
        "test": [
            "Plants", "Classroom2E", "Classroom2", "Australia", "DjembeL", "CrusadeP", "Crusade", "Hoops", "Bicycle2", "Staircase",
            "Newkuba", "AustraliaP", "Djembe", "Livingroom", "Computer",
        ],
    }
    _has_built_in_disparity_mask = True
    _URL = "https://vision.middlebury.edu/stereo/"

    def __init__(
        self,
        root: Path,
        split: str = "train",
        calibration: str | None = "perfect",
        use_ambient_views: bool = False,
        transforms: Transforms | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transforms)
        op = type(self).__name__
        self.split = verify_str_arg(split, "split", tuple(self.splits), op)
        self.use_ambient_views = use_ambient_views
        if calibration is not None:
            verify_str_arg(calibration, "calibration", ("perfect", "imperfect", "both"), op)
        if (calibration is None) != (split == "test"):
            rule = "has no calibrations; give calibration=None" if split == "test" else "needs a calibration, perfect, imperfect or both"
            raise ValueError(f"[{op}] the split {split!r} {rule}")
        base = os.path.join(self.root, "Middlebury2014", split)
        if download:
            self._download(base)
        if not os.path.isdir(base):
            raise FileNotFoundError(f"[{op}] there is no folder {base!r}; download=True fetches it")
        if not any(scene.startswith(tuple(self.splits[split])) for scene in os.listdir(base)):
            raise FileNotFoundError(f"[{op}] {base!r} contains none of the scenes of the split {split!r}")
        for kind in {None: [""], "both": ["-perfect", "-imperfect"]}.get(calibration, [f"-{calibration}"]):
            scene = f"*{kind}/"
            self._add(base, (scene + "im0.png", scene + "im1.png"), (scene + "disp0.pfm", scene + "disp1.pfm") if kind else None)

    def _download(self, folder: str) -> None:
        if self.split != "test":
            for name in (f"{scene}-{kind}" for scene in self.splits[self.split] for kind in ("perfect", "imperfect")):
                if not os.path.isdir(os.path.join(folder, name)):
                    download_and_extract_archive(f"{self._URL}data/scenes2014/zip/{name}.zip", folder, remove_finished=True)
            return
        os.makedirs(folder, exist_ok=True)
        if set(self.splits["test"]) <= set(os.listdir(folder)):
            return
        above = os.path.dirname(folder)
        download_and_extract_archive(f"{self._URL}submit3/zip/MiddEval3-data-F.zip", above, remove_finished=True)
        for scene in os.listdir(os.path.join(above, "MiddEval3", "testF")):
            if not os.path.exists(os.path.join(folder, scene)):
                shutil.move(os.path.join(above, "MiddEval3", "testF", scene), folder)
        shutil.rmtree(os.path.join(above, "MiddEval3"))

    def _read_img(self, file_path: str) -> Image.Image:
        folder, name = os.path.split(file_path)
        if self.use_ambient_views and name == "im1.png":
            others = (os.path.join(folder, other) for other in ("im1E.png", "im1L.png"))
            file_path = random.choice([*filter(os.path.exists, others), file_path])
        return super()._read_img(file_path)

    def _disparity(self, path: str) -> tuple[Array, Array]:
        values = np.abs(read_pfm(path)[:1])
        values[values == np.inf] = 0            # infinite where nothing was measured
        return values, values[0] > 0


class CREStereo(StereoDataset):
    """400,000 rendered pairs with thin, shining and swaying things (Li et al., 2022).

    Args:
        root: the folder that contains ``CREStereo``.
        transforms: as in `StereoDataset`.

    The fourth part of a sample is None, unless `transforms` makes a mask.
    """

    _has_built_in_disparity_mask = True

    def __init__(self, root: Path, transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        for kind in ("shapenet", "reflective", "tree", "hole"):
            base = os.path.join(self.root, "CREStereo", kind)
            self._add(base, ("*_left.jpg", "*_right.jpg"), ("*_left.disp.png", "*_right.disp.png"))

    def _disparity(self, path: str) -> tuple[Array, None]:
        return _scaled(path, 32.0).astype(np.float32), None


class FallingThingsStereo(StereoDataset):
    """61,500 rendered pairs of household things in rooms and gardens, with their depths (Tremblay, To, Birchfield, 2018).

    Args:
        root: the folder that contains ``FallingThings``.
        variant: ``"single"`` (one thing), ``"mixed"`` (several) or ``"both"``.
        transforms: as in `StereoDataset`.

    Raises:
        ValueError: there is no such variant.

    The disparity is the base of 6 cm times the focal length (of ``_camera_settings.json``), over the depth in hundredths of a centimetre.
    """

    def __init__(self, root: Path, variant: str = "single", transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(variant, "variant", ("single", "mixed", "both"), "FallingThingsStereo")
        for kind in ("single", "mixed") if variant == "both" else (variant,):
            scenes = "*/*/" if kind == "single" else "*/"
            images, depths = ((f"{scenes}*.left.{end}", f"{scenes}*.right.{end}") for end in ("jpg", "depth.png"))
            self._add(os.path.join(self.root, "FallingThings", kind), images, depths)

    def _disparity(self, path: str) -> tuple[Array, None]:
        settings = os.path.join(os.path.dirname(path), "_camera_settings.json")
        with Reading("FallingThingsStereo", settings), open(settings, encoding="utf-8") as file:
            focal = float(json.load(file)["camera_settings"][0]["intrinsic_settings"]["fx"])
        depths = np.asarray(open_image(path)).astype(np.float32)
        with np.errstate(divide="ignore"):
            return (6 * focal * 100 / depths)[None], None


class SceneFlowStereo(StereoDataset):
    """39,000 rendered pairs: things in flight, a film of a monkey, drives through a town (Mayer et al., 2016).

    Args:
        root: the folder that contains ``SceneFlow``.
        variant: ``"FlyingThings3D"``, ``"Driving"`` or ``"Monkaa"``.
        pass_name: ``"clean"``, ``"final"`` (with blur) or ``"both"``.
        transforms: as in `StereoDataset`.

    Raises:
        ValueError: an argument is none of those above.
    """

    def __init__(
        self, root: Path, variant: str = "FlyingThings3D", pass_name: str = "clean", transforms: Transforms | None = None
    ) -> None:
        super().__init__(root, transforms)
        verify_str_arg(variant, "variant", ("FlyingThings3D", "Driving", "Monkaa"), "SceneFlowStereo")
        verify_str_arg(pass_name, "pass_name", ("clean", "final", "both"), "SceneFlowStereo")
        base, scenes = os.path.join(self.root, "SceneFlow", variant), "*/" if variant == "Monkaa" else "*/*/*/"
        images, truths = ((f"{scenes}left/*.{end}", f"{scenes}right/*.{end}") for end in ("png", "pfm"))
        for name in ("clean", "final") if pass_name == "both" else (pass_name,):
            self._add(os.path.join(base, f"frames_{name}pass"), images, truths, os.path.join(base, "disparity"))


class SintelStereo(StereoDataset):
    """1,064 pairs from an animated film; pixels that only one eye sees are masked (Butler et al., 2012).

    Args:
        root: the folder that contains ``Sintel``.
        pass_name: ``"final"`` (with blur and mist), ``"clean"`` or ``"both"``.
        transforms: as in `StereoDataset`.

    Raises:
        FileNotFoundError: upon a sample: a mask is not there.
        ValueError: there is no such pass.
    """

    _has_built_in_disparity_mask = True

    def __init__(self, root: Path, pass_name: str = "final", transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(pass_name, "pass_name", ("final", "clean", "both"), "SintelStereo")
        for name in ("final", "clean") if pass_name == "both" else (pass_name,):
            images = (f"{name}_left/*/*.png", f"{name}_right/*/*.png")
            self._add(os.path.join(self.root, "Sintel", "training"), images, ("disparities/*/*.png", None))

    def _disparity(self, path: str) -> tuple[Array, Array]:
        folder, name = os.path.split(path)
        parts, scene = os.path.split(folder)
        masks: list[Array] = []
        for kind in ("occlusions", "outofframe"):
            mask = os.path.join(os.path.dirname(parts), kind, scene, name)
            if not os.path.exists(mask):
                raise FileNotFoundError(f"[SintelStereo] there is no mask {mask!r}")
            masks.append(np.asarray(open_image(mask)) == 0)
        red, green, blue = np.asarray(open_image(path), dtype=np.float32).transpose(2, 0, 1)
        return (red * 4 + green / 2**6 + blue / 2**14)[None], masks[0] & masks[1]


class InStereo2k(StereoDataset):
    """2,050 pairs from rooms, measured with patterns of light (Bao et al., 2020).

    Args:
        root: the folder that contains ``InStereo2k``.
        split: ``"train"`` or ``"test"``.
        transforms: as in `StereoDataset`.

    Raises:
        ValueError: there is no such split.
    """

    def __init__(self, root: Path, split: str = "train", transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(split, "split", ("train", "test"), "InStereo2k")
        self._add(os.path.join(self.root, "InStereo2k", split), ("*/left.png", "*/right.png"), ("*/left_disp.png", "*/right_disp.png"))

    def _disparity(self, path: str) -> tuple[Array, None]:
        return _scaled(path, 1024.0).astype(np.float32), None


class ETH3DStereo(StereoDataset):
    """27 grey pairs of low resolution, measured by laser, and 20 without disparities (Schoeps et al., 2017).

    Args:
        root: the folder that contains ``ETH3D``.
        split: ``"train"`` or ``"test"``, which has no disparities.
        transforms: as in `StereoDataset`.

    Raises:
        ValueError: there is no such split.
    """

    _has_built_in_disparity_mask = True

    def __init__(self, root: Path, split: str = "train", transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(split, "split", ("train", "test"), "ETH3DStereo")
        base = os.path.join(self.root, "ETH3D", "two_view_training" if split == "train" else "two_view_test")
        self._add(base, ("*/im0.png", "*/im1.png"), ("*/disp0GT.pfm", None) if split == "train" else None, base + "_gt")

    def _disparity(self, path: str) -> tuple[Array, Array]:
        mask = open_image(os.path.join(os.path.dirname(path), "mask0nocc.png"))
        return np.abs(read_pfm(path)[:1]), np.asarray(mask).astype(bool)

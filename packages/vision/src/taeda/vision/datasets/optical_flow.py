"""Pairs of pictures with how far each pixel moves between them: Sintel, KITTI, FlyingChairs, FlyingThings3D and HD1K."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import taeda
from taeda.data import ConcatDataset
from taeda.vision.datasets._labelled import Path
from taeda.vision.datasets._list_file import Reading
from taeda.vision.datasets.folder import default_loader
from taeda.vision.datasets.utils import verify_str_arg
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import decode_png, read_file

__all__ = ["HD1K", "FlowDataset", "FlyingChairs", "FlyingThings3D", "KittiFlow", "Sintel"]

Array = np.ndarray[Any, Any]
Loader = Callable[[str], Any]
Transforms = Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]


def _found(*parts: str) -> list[str]:
    """Return the paths in a folder that match the last part, sorted."""
    *folder, pattern = parts
    return sorted(glob.glob(os.path.join(glob.escape(os.path.join(*folder)), pattern)))


class FlowDataset(VisionDataset):
    """Base: sample i is (first image, second image, flow), and where the files tell of each pixel whether its flow is known, that mask.

    Args:
        root: folder that holds the data set's.
        transforms: a function of both images, the flow and the mask that returns all four; the latter can be None.
        loader: reads an image, given its path.
    """

    root: str
    _has_builtin_flow_mask = False

    def __init__(self, root: Path, transforms: Transforms | None = None, loader: Loader = default_loader) -> None:
        super().__init__(root)
        self.transforms = transforms            # type: ignore[assignment]
        self._flow_list: list[str] = []
        self._image_list: list[list[str]] = []
        self._loader = loader

    def _read_flow(self, file_name: str) -> Any:
        """Return the flow of a file, 2 x H x W; where it has a mask, both."""
        return read_flo(file_name)

    def _add(self, firsts: Sequence[str], seconds: Sequence[str]) -> None:
        self._image_list += [[first, second] for first, second in zip(firsts, seconds, strict=False)]

    def _need(self, found: Sequence[Any]) -> None:
        if not found:
            name = type(self).__name__
            raise FileNotFoundError(f"[{name}] Could not find the {name} images in {self.root!r}; check the folders in it")

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        first, second = (self._loader(path) for path in self._image_list[index])
        flow: Any = self._read_flow(self._flow_list[index]) if self._flow_list else None
        mask = None
        if self._has_builtin_flow_mask and flow is not None:
            flow, mask = flow
        if self.transforms is not None:
            first, second, flow, mask = self.transforms(first, second, flow, mask)  # type: ignore[call-arg, misc]
        return (first, second, flow, mask) if self._has_builtin_flow_mask or mask is not None else (first, second, flow)

    def __len__(self) -> int:
        return len(self._image_list)

    def __rmul__(self, times: int) -> ConcatDataset[Any]:
        return ConcatDataset([self] * times)


class Sintel(FlowDataset):
    """1,041 pairs from an animated film, and 552 without their flow (Butler et al., 2012).

    Args:
        root: the folder that contains ``Sintel``.
        split: ``"train"`` or ``"test"``, which has no flow.
        pass_name: ``"clean"``, ``"final"`` (with blur and mist) or ``"both"``.
        transforms, loader: as in `FlowDataset`.

    Raises:
        FileNotFoundError: its folders are not there.
        ValueError: an argument is none of those above.
    """

    def __init__(
        self,
        root: Path,
        split: str = "train",
        pass_name: str = "clean",
        transforms: Transforms | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transforms, loader)
        verify_str_arg(split, "split", ("train", "test"), "Sintel")
        verify_str_arg(pass_name, "pass_name", ("clean", "final", "both"), "Sintel")
        base = os.path.join(self.root, "Sintel")
        for name in ("clean", "final") if pass_name == "both" else (pass_name,):
            folder = os.path.join(base, "training" if split == "train" else "test", name)
            for scene in sorted(os.listdir(folder)):
                images = _found(folder, scene, "*.png")
                self._add(images, images[1:])
                if split == "train":
                    self._flow_list += _found(base, "training", "flow", scene, "*.flo")


class KittiFlow(FlowDataset):
    """200 pairs from a car, and as many without their flow (Menze, Geiger, 2015); the flow is known where a laser met something.

    Args:
        root: the folder that contains ``KittiFlow``.
        split: ``"train"`` or ``"test"``, which has no flow.
        transforms, loader: as in `FlowDataset`.

    Raises:
        FileNotFoundError: there are no images.
        ValueError: there is no such split.
    """

    _has_builtin_flow_mask = True

    def __init__(self, root: Path, split: str = "train", transforms: Transforms | None = None, loader: Loader = default_loader) -> None:
        super().__init__(root, transforms, loader)
        verify_str_arg(split, "split", ("train", "test"), "KittiFlow")
        base = os.path.join(self.root, "KittiFlow", f"{split}ing")
        firsts, seconds = (_found(base, "image_2", f"*_{frame}.png") for frame in (10, 11))
        self._need(firsts and seconds)
        self._add(firsts, seconds)
        if split == "train":
            self._flow_list = _found(base, "flow_occ", "*_10.png")

    def _read_flow(self, file_name: str) -> tuple[Array, Array]:
        return read_flow_png(file_name)


class FlyingChairs(FlowDataset):
    """22,872 rendered pairs of chairs before photographs (Dosovitskiy et al., 2015).

    Args:
        root: the folder that contains ``FlyingChairs``, with ``FlyingChairs_train_val.txt`` in it.
        split: ``"train"`` or ``"val"``.
        transforms: as in `FlowDataset`.

    Raises:
        FileNotFoundError: the list is not there.
        ValueError: there is no such split.
    """

    def __init__(self, root: Path, split: str = "train", transforms: Transforms | None = None) -> None:
        super().__init__(root, transforms)
        verify_str_arg(split, "split", ("train", "val"), "FlyingChairs")
        base = os.path.join(self.root, "FlyingChairs")
        images, flows = _found(base, "data", "*.ppm"), _found(base, "data", "*.flo")
        lists = os.path.join(base, "FlyingChairs_train_val.txt")
        if not os.path.exists(lists):
            raise FileNotFoundError(f"[FlyingChairs] The FlyingChairs_train_val.txt file was not found: there is no {lists!r}")
        with Reading("FlyingChairs", lists):
            parts = np.loadtxt(lists, dtype=np.int32, ndmin=1)
            chosen = [i for i in range(len(flows)) if parts[i] == (1 if split == "train" else 2)]
        self._flow_list = [flows[i] for i in chosen]
        self._image_list = [images[2 * i : 2 * i + 2] for i in chosen]


class FlyingThings3D(FlowDataset):
    """40,302 rendered pairs of things in flight, there and back in time (Mayer et al., 2016).

    Args:
        root: the folder that contains ``FlyingThings3D``.
        split: ``"train"`` or ``"test"``.
        pass_name: ``"clean"``, ``"final"`` or ``"both"``.
        camera: ``"left"``, ``"right"`` or ``"both"``.
        transforms, loader: as in `FlowDataset`.

    Raises:
        FileNotFoundError: there are no images.
        ValueError: an argument is none of those above.
    """

    def __init__(
        self,
        root: Path,
        split: str = "train",
        pass_name: str = "clean",
        camera: str = "left",
        transforms: Transforms | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transforms, loader)
        op = "FlyingThings3D"
        verify_str_arg(split, "split", ("train", "test"), op)
        verify_str_arg(pass_name, "pass_name", ("clean", "final", "both"), op)
        verify_str_arg(camera, "camera", ("left", "right", "both"), op)
        base = os.path.join(self.root, "FlyingThings3D")
        passes = ("clean", "final") if pass_name == "both" else (pass_name,)
        cameras = ("left", "right") if camera == "both" else (camera,)
        for name, side, way in itertools.product(passes, cameras, ("into_future", "into_past")):
            scenes = _found(base, f"frames_{name}pass", split.upper(), "*/*")
            truths = _found(base, "optical_flow", split.upper(), "*/*")
            self._need(scenes and truths)
            for scene, truth in zip(scenes, truths, strict=False):
                images, flows = _found(scene, side, "*.png"), _found(truth, way, side, "*.pfm")
                n = len(flows) - 1
                if way == "into_future":
                    self._add(images[:n], images[1:])
                    self._flow_list += flows[:n]
                else:
                    self._add(images[1 : n + 1], images)
                    self._flow_list += flows[1:]

    def _read_flow(self, file_name: str) -> Array:
        return read_pfm(file_name)[:2]


class HD1K(FlowDataset):
    """1,047 pairs from a car in 36 sequences, and a few without their flow (Kondermann et al., 2016).

    Args:
        root: the folder that contains ``hd1k``.
        split: ``"train"`` or ``"test"``, which has no flow.
        transforms, loader: as in `FlowDataset`.

    Raises:
        FileNotFoundError: there are no images.
        ValueError: there is no such split.
    """

    _has_builtin_flow_mask = True

    def __init__(self, root: Path, split: str = "train", transforms: Transforms | None = None, loader: Loader = default_loader) -> None:
        super().__init__(root, transforms, loader)
        verify_str_arg(split, "split", ("train", "test"), "HD1K")
        base = os.path.join(self.root, "hd1k")
        if split == "train":
            for sequence in range(36):
                flows = _found(base, "hd1k_flow_gt", "flow_occ", f"{sequence:06d}_*.png")
                images = _found(base, "hd1k_input", "image_2", f"{sequence:06d}_*.png")
                n = max(len(flows) - 1, 0)
                self._flow_list += flows[:n]
                self._add(images[:n], images[1:])
        else:
            self._add(*(_found(base, "hd1k_challenge", "image_2", f"*{frame}.png") for frame in (10, 11)))
        self._need(self._image_list)

    def _read_flow(self, file_name: str) -> tuple[Array, Array]:
        return read_flow_png(file_name)


def read_flo(path: str) -> Array:
    """Return the flow of a file of Middlebury's form, float32 2 x H x W.

    Raises:
        ValueError: it is no such file, or not whole.
    """
    with open(path, "rb") as file:
        head, body = file.read(12), file.read()
    if head[:4] != b"PIEH":
        raise ValueError(f"[read_flo] Magic number incorrect. Invalid .flo file: {path!r}")
    w, h = np.frombuffer(head[4:], "<i4").tolist() if len(head) == 12 else (-1, -1)
    if w < 0 or h < 0 or len(body) != 8 * w * h:
        raise ValueError(f"[read_flo] {path!r} is damaged: {len(body)} bytes for {w} x {h} pixels")
    return np.frombuffer(body, "<f4").reshape(h, w, 2).transpose(2, 0, 1)


def read_pfm(path: str) -> Array:
    """Return the numbers of a portable float map, float32 C x H x W, of one or three channels; the file has its last row first.

    Raises:
        ValueError: it is no such file, or not whole.
    """
    with open(path, "rb") as file:
        kind, size, scale = (file.readline().rstrip() for _ in range(3))
        body = file.read()
    if kind not in (b"PF", b"Pf"):
        raise ValueError(f"[read_pfm] Invalid PFM file: {path!r}")
    channels = 3 if kind == b"PF" else 1
    try:
        w, h = (int(n) for n in size.split())
        if w < 0 or h < 0:                                     # reshape would find out such a size by itself
            raise ValueError(f"a picture of {w} x {h} pixels")
        values = np.frombuffer(body, "<f4" if float(scale) < 0 else ">f4").reshape(h, w, channels)
    except ValueError as error:
        raise ValueError(f"[read_pfm] {path!r} is damaged: {error}") from error
    return values[::-1].transpose(2, 0, 1).astype(np.float32)


def read_flow_png(path: str) -> tuple[Array, Array]:
    """Return the flow of a picture of 16 bits, float32 2 x H x W, and where it is known, H x W: 2^15 is no motion, and 64 a pixel."""
    values = decode_png(read_file(path)).to(taeda.float32)
    return ((values[:2] - 2**15) / 64).numpy(), values[2].bool().numpy()

"""The data sets of train.py, as tensors or files, and cut into training and held-out images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import taeda
from taeda import Tensor
from taeda.data import Dataset, Subset, TensorDataset
from taeda.vision import transforms
from taeda.vision.datasets import MNIST, Digits, ImageFolder

__all__ = ["Images", "WrongData", "load", "pictures"]

MNIST_ROOT = Path("data")


class WrongData(Exception):
    """What is asked for is no data set that can be trained on; the message says why."""


@dataclass
class Images:
    """A data set in two parts, with what a model must know of it."""

    name: str
    train: Dataset[Any]
    held_out: Dataset[Any]
    classes: list[str]
    channels: int
    size: int


def load(name: str, image_size: int) -> Images:
    """Open a data set by its name, or the folder of one.

    Args:
        name: ``digits``, ``mnist``, a folder with MNIST's idx files, or one with a sub-folder of images a
            class, of which every fifth image is held out.
        image_size: height and width that images of a folder are brought to.

    Raises WrongData.
    """
    if name == "digits":
        return _grey("digits", Digits(train=True), Digits(train=False))
    if name == "mnist":
        return _mnist(MNIST_ROOT, download=True)
    folder = Path(name)
    if not folder.exists():
        raise WrongData(
            f"--data {name!r} is neither 'digits' nor 'mnist', and there is no folder of that name"
        )
    if not folder.is_dir():
        raise WrongData(
            f"--data {name!r} is a file; a folder with one sub-folder of images a class is needed"
        )
    if any(folder.glob("**/train-images-idx3-ubyte*")):
        return _mnist(folder, download=False)
    return _folder(folder, image_size)


def _mnist(root: Path, download: bool) -> Images:
    try:
        return _grey("mnist", MNIST(root, True, download=download), MNIST(root, False, download=download))
    except (RuntimeError, ValueError, OSError) as error:
        raise WrongData(f"MNIST cannot be used: {error}") from error


def _grey(name: str, train: Any, held_out: Any) -> Images:
    """Scale grey images to mean 0 and deviation 1 of the training images, and shift labels into tensors."""
    pixels = train.data.float()
    mean, deviation = pixels.mean(), pixels.std()

    def part(images: Any) -> TensorDataset:
        return TensorDataset(((images.data.float() - mean) / deviation).unsqueeze(1), images.targets)

    return Images(name, part(train), part(held_out), [str(i) for i in range(10)], 1, train.data.shape[-1])


def _folder(folder: Path, size: int) -> Images:
    transform = transforms.Compose(
        [
            transforms.Resize((size, size)),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )
    try:
        images = ImageFolder(folder, transform=transform)
    except (FileNotFoundError, ValueError, OSError) as error:
        raise WrongData(f"--data {str(folder)!r} cannot be used: {error}") from error
    by_class: dict[int, list[int]] = {}
    for i, target in enumerate(images.targets):
        by_class.setdefault(target, []).append(i)
    held_out = sorted(i for members in by_class.values() for i in members[4::5])
    if not held_out:
        raise WrongData(
            f"--data {str(folder)!r} has {len(images)} images in {len(images.classes)} classes; at least "
            f"one class needs five, so that a fifth can be held out"
        )
    rest = sorted(set(range(len(images))) - set(held_out))
    return Images(folder.name, Subset(images, rest), Subset(images, held_out), images.classes, 3, size)


def pictures(images: Dataset[Any], indices: list[int]) -> Tensor:
    """Return some images of a part as one tensor N x C x H x W with values 0 to 1."""
    x = taeda.stack([images[i][0] for i in indices])
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low).clamp(min=1e-6)

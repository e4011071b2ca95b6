"""Folders of images: one sub-folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from PIL import Image

from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.io import open_image

__all__ = [
    "DatasetFolder",
    "ImageFolder",
    "accimage_loader",
    "default_loader",
    "find_classes",
    "has_file_allowed_extension",
    "is_image_file",
    "make_dataset",
    "pil_loader",
]

Path = str | os.PathLike[str]
IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Say whether a name ends in one of the extensions, in upper or lower case.

    >>> from taeda.vision.datasets.folder import has_file_allowed_extension
    >>> has_file_allowed_extension("scan.TIF", (".tif", ".png"))
    True
    """
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename: str) -> bool:
    """Say whether a name ends like an image's.

    >>> from taeda.vision.datasets.folder import is_image_file
    >>> is_image_file("cat.jpeg"), is_image_file("labels.csv")
    (True, False)
    """
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: Path) -> tuple[list[str], dict[str, int]]:
    """Return the names of the sub-folders, sorted, and the number of each.

    Raises:
        FileNotFoundError: there are none, or the folder is not there.

    >>> import pathlib
    >>> from taeda.vision.datasets.folder import find_classes
    >>> for name in ("dogs", "cats"):
    ...     pathlib.Path("animals", name).mkdir(parents=True)
    >>> find_classes("animals")
    (['cats', 'dogs'], {'cats': 0, 'dogs': 1})
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(
            f"[find_classes] Couldn't find any class folder in {os.fspath(directory)}; every class needs a "
            "folder of its own there"
        )
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory: Path,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """List (path, class number) of every file below the class folders, sorted by path in each class.

    Args:
        directory: the folder of the class folders.
        class_to_idx: from a folder's name to its number; by `find_classes` if None.
        extensions: count files that end so, or
        is_valid_file: count files for whose path this is true; one of the two.
        allow_empty: a class may have no file.

    Raises:
        ValueError: both or none of `extensions` and `is_valid_file` are given, or there are no classes.
        FileNotFoundError: a class has no file.

    >>> import pathlib
    >>> from taeda.vision.datasets.folder import make_dataset
    >>> pathlib.Path("animals/cats").mkdir(parents=True)
    >>> pathlib.Path("animals/cats/tom.png").touch()
    >>> make_dataset("animals", extensions=(".png",))
    [('animals/cats/tom.png', 0)]
    """
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError(
            "[make_dataset] 'class_to_index' must have at least one entry to collect any samples."
        )
    if (extensions is None) == (is_valid_file is None):
        raise ValueError(
            "[make_dataset] Both extensions and is_valid_file cannot be None or not None at the same time"
        )
    if is_valid_file is None:
        wanted = extensions or ()

        def is_valid_file(path: str) -> bool:
            return has_file_allowed_extension(path, wanted)

    samples = []
    empty = set(class_to_idx)
    for name in sorted(class_to_idx):
        for folder, _, filenames in sorted(os.walk(os.path.join(directory, name), followlinks=True)):
            for filename in sorted(filenames):
                path = os.path.join(folder, filename)
                if is_valid_file(path):
                    samples.append((path, class_to_idx[name]))
                    empty.discard(name)
    if empty and not allow_empty:
        message = f"[make_dataset] Found no valid file for the classes {', '.join(sorted(empty))}."
        if extensions is not None:
            shown = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f" Supported extensions are: {shown}"
        raise FileNotFoundError(message)
    return samples


def pil_loader(path: str) -> Image.Image:
    """Read an image file as RGB; OSError names the file that cannot be read."""
    return open_image(path, "RGB")


accimage_loader = pil_loader        # accimage is a library of Intel's that few have


def default_loader(path: str) -> Image.Image:
    """Read an image file by `pil_loader`."""
    return pil_loader(path)


class DatasetFolder(VisionDataset):
    """Files in ``root/class/.../file``; the classes are the sub-folders of `root` in sorted order.

    Args:
        root: the folder of the class folders.
        loader: reads a file, given its path.
        extensions: count files that end so, or
        transform: a function of what was read.
        target_transform: a function of the class number.
        is_valid_file: count files for whose path this is true, instead of `extensions`.
        allow_empty: a class may have no file.

    Attributes:
        classes: names of the classes.
        class_to_idx: from a name to its number.
        samples: list of (path, class number).
        targets: the class number of every sample.

    Raises:
        FileNotFoundError: the folder is not there, has no class, or a class has no file.

    >>> import pathlib
    >>> from taeda.vision.datasets import DatasetFolder
    >>> for name in ("even", "odd"):
    ...     pathlib.Path("numbers", name).mkdir(parents=True)
    >>> for i in range(4):
    ...     _ = pathlib.Path("numbers", "odd" if i % 2 else "even", f"{i}.txt").write_text(str(i))
    >>> numbers = DatasetFolder("numbers", lambda path: int(pathlib.Path(path).read_text()), extensions=(".txt",))
    >>> list(numbers)
    [(0, 0), (2, 0), (1, 1), (3, 1)]
    """

    root: str

    def __init__(
        self,
        root: Path,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        classes, class_to_idx = self.find_classes(self.root)
        self.loader = loader
        self.extensions = extensions
        self.classes = classes
        self.class_to_idx = class_to_idx
        self.samples = self.make_dataset(self.root, class_to_idx, extensions, is_valid_file, allow_empty)
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: Path,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """List the samples; override it for another layout of files."""
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: Path) -> tuple[list[str], dict[str, int]]:
        """Name and number the classes; override it to leave some out."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """A `DatasetFolder` of image files; sample i is (PIL image of mode RGB, class number).

    Arguments, attributes and errors are those of `DatasetFolder`. A file that cannot be read raises OSError with its path in the message,
    when it is asked for.

    >>> import os
    >>> from PIL import Image
    >>> from taeda.vision.datasets import ImageFolder
    >>> for name in ("cat", "dog"):
    ...     os.makedirs(f"animals/{name}")
    ...     Image.new("RGB", (8, 8)).save(f"animals/{name}/1.png")
    >>> animals = ImageFolder("animals")
    >>> animals.classes, animals[1][1]
    (['cat', 'dog'], 1)
    """

    def __init__(
        self,
        root: Path,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform,
            target_transform,
            is_valid_file,
            allow_empty,
        )
        self.imgs = self.samples

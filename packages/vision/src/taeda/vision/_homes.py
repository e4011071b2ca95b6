"""The files in which torchvision keeps its functions and classes, for programs that import from there."""

from __future__ import annotations

import sys
from types import ModuleType

__all__ = ["share"]


def share(package: str, homes: dict[str, str]) -> None:
    """Give a package a module for each file: with the names of the package that stand behind it, separated by spaces.

    The package's own attributes stay what they are, since a function may have its file's name (`ops.roi_align`).
    A file that is there already gets what it lacks.

    >>> import taeda.vision.ops
    >>> from taeda.vision.ops.focal_loss import sigmoid_focal_loss
    >>> sigmoid_focal_loss is taeda.vision.ops.sigmoid_focal_loss
    True
    """
    source = vars(sys.modules[package])
    for file, names in homes.items():
        path = f"{package}.{file}"
        room = sys.modules.get(path)
        if room is None:
            room = sys.modules[path] = ModuleType(path, f"What torchvision keeps in this file; all of it is `{package}`'s.")
            source.setdefault(file, room)
        for name in names.split():
            vars(room).setdefault(name, source[name])
        if "__all__" in vars(room):
            vars(room)["__all__"] = list(dict.fromkeys((*room.__all__, *names.split())))

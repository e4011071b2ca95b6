"""The base of the image datasets: where they lie, what is done to a sample, and how they print."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from taeda.data import Dataset

__all__ = ["StandardTransform", "VisionDataset"]

Transform = Callable[[Any], Any]


class StandardTransform:
    """A transform for the image beside one for the target; None leaves it as it is.

    >>> from taeda.vision.datasets import StandardTransform
    >>> StandardTransform(lambda image: image + 1, None)(3, "cat")
    (4, 'cat')
    """

    def __init__(self, transform: Transform | None = None, target_transform: Transform | None = None) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for head, transform in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if transform is not None:
                first, *rest = repr(transform).splitlines()
                lines += [head + first, *(" " * len(head) + line for line in rest)]
        return "\n".join(lines)


class VisionDataset(Dataset[Any]):
    """Base of datasets of images and targets.

    Args:
        root: folder of the files; ``~`` is understood.
        transforms: a function of (image, target) that returns both, instead of the two below.
        transform: a function of the image.
        target_transform: a function of the target.

    Raises:
        ValueError: `transforms` is given beside one of the others.

    >>> from taeda.vision.datasets import VisionDataset
    >>> class Squares(VisionDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, i):
    ...         return self.transforms(i, i * i)
    >>> Squares(transform=float, target_transform=str)[2]
    (2.0, '4')
    """

    _repr_indent = 4

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root = os.path.expanduser(os.fspath(root)) if root is not None else None
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError(
                f"[{type(self).__name__}] Only transforms or transform/target_transform can be passed as "
                "argument"
            )
        self.transform = transform
        self.target_transform = target_transform
        if transforms is None and (transform is not None or target_transform is not None):
            transforms = StandardTransform(transform, target_transform)
        self.transforms = transforms

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"[{type(self).__name__}] subclasses of VisionDataset should implement __getitem__."
        )

    def __len__(self) -> int:
        raise NotImplementedError(
            f"[{type(self).__name__}] subclasses of VisionDataset should implement __len__."
        )

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body.append(repr(self.transforms))
        return "\n".join(
            [f"Dataset {type(self).__name__}", *(" " * self._repr_indent + line for line in body)]
        )

    def extra_repr(self) -> str:
        """Return further lines for the printed form."""
        return ""

    def _jointly_transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        """Return both after `transforms`, which holds what was given for one of them too."""
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def _transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        if self.transforms is not None and not isinstance(self.transforms, StandardTransform):
            image, target = self.transforms(image, target)
        return image, target

"""Transforms made of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import nn
from taeda.vision.transforms.v2._transform import Transform

__all__ = ["Compose", "RandomApply", "RandomChoice", "RandomOrder"]


class _Several(Transform):
    """Base of those that hold a list of transforms."""

    def __init__(self, transforms: Any) -> None:
        super().__init__()
        if not isinstance(transforms, (Sequence, nn.ModuleList)):
            raise TypeError(f"[{type(self).__name__}] Argument transforms should be a sequence of callables, got {type(transforms)}")
        if not len(transforms):
            raise ValueError(f"[{type(self).__name__}] Pass at least one transform")
        self.transforms = transforms

    def _run(self, transforms: Any, inputs: tuple[Any, ...]) -> Any:
        several = len(inputs) > 1
        outputs: Any = inputs if several else inputs[0]
        for transform in transforms:
            outputs = transform(*inputs)
            inputs = outputs if several else (outputs,)
        return outputs

    def extra_repr(self) -> str:
        return "\n".join(f"    {t}" for t in self.transforms)


class Compose(_Several):
    """Apply transforms one after another.

    Raises:
        TypeError: no sequence.
        ValueError: an empty one.

    >>> import taeda
    >>> from taeda.vision.transforms import v2
    >>> from taeda.vision.transforms.v2 import Compose
    >>> step = Compose([v2.CenterCrop(2), v2.RandomHorizontalFlip(p=1.0)])
    >>> step(taeda.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 6.,  5.],
             [10.,  9.]]])
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__(transforms)

    def forward(self, *inputs: Any) -> Any:
        return self._run(self.transforms, inputs)


class RandomApply(_Several):
    """Apply all the transforms with probability p, else none.

    >>> import taeda
    >>> from taeda.vision.transforms import v2
    >>> from taeda.vision.transforms.v2 import RandomApply
    >>> RandomApply([v2.RandomHorizontalFlip(p=1.0), v2.Pad(1)], p=1.0)(taeda.tensor([[[1.0, 2.0]]]))
    tensor([[[0., 0., 0., 0.],
             [0., 2., 1., 0.],
             [0., 0., 0., 0.]]])
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]] | nn.ModuleList, p: float = 0.5) -> None:
        super().__init__(transforms)
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"[RandomApply] `p` should be a floating point value in the interval [0.0, 1.0], got {p}")
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        if float(taeda.rand(1)) >= self.p:
            return inputs if len(inputs) > 1 else inputs[0]
        return self._run(self.transforms, inputs)


class RandomChoice(_Several):
    """Apply one of the transforms, drawn with the weights `p`.

    >>> import taeda
    >>> from taeda.vision.transforms import v2
    >>> from taeda.vision.transforms.v2 import RandomChoice
    >>> RandomChoice([v2.Resize(20), v2.Resize(30)], p=[0.0, 1.0])(taeda.zeros(3, 10, 10)).shape
    taeda.Size([3, 30, 30])
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        weights = [1] * len(transforms) if p is None else list(p)
        if len(weights) != len(transforms):
            raise ValueError(
                f"[RandomChoice] Length of p doesn't match the number of transforms: {len(weights)} != {len(transforms)}"
            )
        self.p = [w / sum(weights) for w in weights]

    def forward(self, *inputs: Any) -> Any:
        return self.transforms[int(taeda.multinomial(taeda.tensor(self.p), 1))](*inputs)

    extra_repr = Transform.extra_repr


class RandomOrder(_Several):
    """Apply all the transforms in a random order.

    >>> import taeda
    >>> from taeda.vision.transforms import v2
    >>> from taeda.vision.transforms.v2 import RandomOrder
    >>> RandomOrder([v2.CenterCrop(8), v2.RandomHorizontalFlip()])(taeda.zeros(3, 10, 10)).shape
    taeda.Size([3, 8, 8])
    """

    def forward(self, *inputs: Any) -> Any:
        return self._run([self.transforms[i] for i in taeda.randperm(len(self.transforms)).tolist()], inputs)

    extra_repr = Transform.extra_repr

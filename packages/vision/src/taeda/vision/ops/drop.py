"""Dropout of blocks of a map, and of whole samples of a residual branch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.ops._node import one_node

__all__ = ["DropBlock2d", "DropBlock3d", "StochasticDepth", "drop_block2d", "drop_block3d", "stochastic_depth"]


def _drop_block(x: Tensor, p: float, block_size: int, inplace: bool, eps: float, training: bool, spatial: int) -> Tensor:
    op = f"drop_block{spatial}d"
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"[{op}] drop probability has to be between 0 and 1, but got {p}")
    if x.dim() != spatial + 2:
        raise ValueError(f"[{op}] input should be {spatial + 2} dimensional. Got {x.dim()} dimensions.")
    if not training or p == 0.0:
        return x
    sizes = x.shape[2:]
    block_size = min(block_size, *sizes)
    if block_size % 2 == 0:
        raise ValueError(f"[{op}] block size should be odd. Got {block_size} which is even.")
    seeds = [s - block_size + 1 for s in sizes]
    area, room = 1, 1
    for s, n in zip(sizes, seeds, strict=True):
        area, room = area * s, room * n
    gamma = p * area / (block_size**spatial * room)
    noise = taeda.empty((*x.shape[:2], *seeds), dtype=x.dtype, device=x.device).bernoulli_(gamma)
    half = block_size // 2
    pool: Any = F.max_pool2d if spatial == 2 else F.max_pool3d
    keep = 1 - pool(F.pad(noise, [half] * (2 * spatial)), kernel_size=block_size, stride=1, padding=half)
    scale = keep.numel() / (eps + keep.sum())
    return x.mul_(keep).mul_(scale) if inplace else x * keep * scale


@one_node
def drop_block2d(
    input: Tensor, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6, training: bool = True
) -> Tensor:
    """Zero square blocks of each map, about a share p of it, and scale the rest (Ghiasi, Lin, Le, 2018).

    Shape: B x C x H x W.

    Args:
        p: share of the elements that are dropped.
        block_size: side of a block, an odd number.
        inplace: write into `input`.
        eps: keeps the scale finite where everything is dropped.
        training: without it, `input` is returned.

    Raises:
        ValueError: p lies outside 0 ... 1, the input does not have 4 dimensions, or the block size is even.

    >>> import taeda
    >>> from taeda.vision.ops import drop_block2d
    >>> out = drop_block2d(taeda.ones(1, 2, 8, 8), p=0.2, block_size=3)
    >>> out.shape, drop_block2d(out, p=0.2, block_size=3, training=False) is out
    (taeda.Size([1, 2, 8, 8]), True)
    """
    return _drop_block(input, p, block_size, inplace, eps, training, 2)


@one_node
def drop_block3d(
    input: Tensor, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6, training: bool = True
) -> Tensor:
    """Zero cubes of each volume, as `drop_block2d` does squares. Shape: B x C x D x H x W.

    >>> import taeda
    >>> from taeda.vision.ops import drop_block3d
    >>> drop_block3d(taeda.ones(1, 2, 4, 8, 8), p=0.2, block_size=3).shape
    taeda.Size([1, 2, 4, 8, 8])
    """
    return _drop_block(input, p, block_size, inplace, eps, training, 3)


class DropBlock2d(nn.Module):
    """`drop_block2d` while training, else the identity.

    >>> import taeda
    >>> from taeda.vision.ops import DropBlock2d
    >>> DropBlock2d(p=0.1, block_size=3).eval()(taeda.ones(1, 1, 2, 2))
    tensor([[[[1., 1.],
              [1., 1.]]]])
    """

    def __init__(self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = p
        self.block_size = block_size
        self.inplace = inplace
        self.eps = eps

    def forward(self, input: Tensor) -> Tensor:
        return drop_block2d(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, block_size={self.block_size}, inplace={self.inplace})"


class DropBlock3d(DropBlock2d):
    """`drop_block3d` while training, else the identity.

    >>> from taeda.vision.ops import DropBlock3d
    >>> DropBlock3d(p=0.1, block_size=3)
    DropBlock3d(p=0.1, block_size=3, inplace=False)
    """

    def forward(self, input: Tensor) -> Tensor:
        return drop_block3d(input, self.p, self.block_size, self.inplace, self.eps, self.training)


@one_node
def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """Zero a residual branch with probability p and scale it by 1 / (1 - p) otherwise (Huang et al., 2016).

    Args:
        mode: ``batch`` draws once, ``row`` for each sample.

    Raises:
        ValueError: p lies outside 0 ... 1, or the mode is unknown.

    >>> import taeda
    >>> from taeda.vision.ops import stochastic_depth
    >>> stochastic_depth(taeda.ones(2, 3), p=0.5, mode="row", training=False)
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"[stochastic_depth] drop probability has to be between 0 and 1, but got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"[stochastic_depth] mode has to be either 'batch' or 'row', but got {mode!r}")
    if not training or p == 0.0:
        return input
    survives = 1.0 - p
    size: Sequence[int] = [input.shape[0] if mode == "row" else 1] + [1] * (input.dim() - 1)
    noise = taeda.empty(size if input.dim() else [], dtype=input.dtype, device=input.device).bernoulli_(survives)
    if survives > 0.0:
        noise.div_(survives)
    return input * noise


class StochasticDepth(nn.Module):
    """`stochastic_depth` while training, else the identity.

    >>> import taeda
    >>> from taeda.vision.ops import StochasticDepth
    >>> StochasticDepth(p=1.0, mode="row")(taeda.ones(2, 2))
    tensor([[0., 0.],
            [0., 0.]])
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Tensor) -> Tensor:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"

"""Rows of repeat, flip, roll, triangles, diagonals and the writing of views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import ALL, Call, Row, array, layouts


def repeat_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng), (3,))
    yield Call(array(rng), ())
    yield Call(array(rng, 3), (2,))
    yield Call(array(rng, 3), (0, 2))
    yield Call(array(rng, 2, 3), (1, 1))
    yield Call(array(rng, 0, 2), (2, 2))
    yield Call(array(rng, 2, 1, 3), (2, 1, 3, 2))
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, (2, 3))


def tile_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3), (2,))
    yield Call(array(rng, 2, 3), (2,))
    yield Call(array(rng, 2, 3), (2, 1, 2))
    yield Call(array(rng, 2, 3), ())


def shuffle_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 8, 2, 3)):
        yield Call(x, 2)
    yield Call(np.moveaxis(array(rng, 2, 2, 3, 8), -1, 1), 2)
    for shape, r in (((9, 1, 2), 3), ((2, 2, 4, 1, 1), 2), ((2, 3, 2), 1), ((0, 4, 2, 2), 2), ((1, 4, 0, 2), 2)):
        yield Call(array(rng, *shape), r)


def shuffled(x: np.ndarray, r: int) -> np.ndarray:
    *lead, C, H, W = x.shape
    y = np.moveaxis(x.reshape(*lead, C // r**2, r, r, H, W), (-4, -3), (-3, -1))
    return y.reshape(*lead, C // r**2, H * r, W * r)


def unshuffle_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 4, 6)):
        yield Call(x, 2)
    yield Call(np.moveaxis(array(rng, 2, 4, 2, 3), -1, 1), 2)
    for shape, r in (((1, 3, 6), 3), ((2, 2, 1, 2, 2), 2), ((2, 3, 2), 1)):
        yield Call(array(rng, *shape), r)


def unshuffled(x: np.ndarray, r: int) -> np.ndarray:
    *lead, C, H, W = x.shape
    y = np.moveaxis(x.reshape(*lead, C, H // r, r, W // r, r), (-3, -1), (-4, -3))
    return y.reshape(*lead, C * r**2, H // r, W // r)


def interleave_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3), 2)
    yield Call(array(rng, 2, 3), 2)
    yield Call(array(rng, 2, 3), 2, 0)
    yield Call(array(rng, 2, 3), 0, dim=1)
    yield Call(array(rng, 2, 3), np.array([2, 0, 1]), dim=1)
    yield Call(array(rng, 3), np.array([1, 3, 0]), dim=0, output_size=4)
    yield Call(array(rng, 2, 2), np.array([1]), 0)


def flip_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng), (0,))
    yield Call(array(rng, 5), (0,))
    yield Call(array(rng, 0, 2), (0, 1))
    yield Call(array(rng, 2, 3, 4), (0, -1))
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, (0,))
        yield Call(x, (1, 0))


def roll_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng), 1)
    yield Call(array(rng, 5), 2)
    yield Call(array(rng, 5), -7, 0)
    yield Call(array(rng, 2, 3), 1)
    yield Call(array(rng, 0, 3), 1, 0)
    yield Call(array(rng, 2, 3, 4), (1, -2), (0, 2))
    yield Call(array(rng, 3, 4), (1, 1), (1, 1))
    yield Call(array(rng, 3, 4), 0, 1)
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, 2, 0)
        yield Call(x, 1, 1)


def turn_samples(rng: np.random.Generator) -> Iterator[Call]:
    for k in range(-1, 5):
        yield Call(array(rng, 2, 3), k)
    yield Call(array(rng, 2, 3, 4), 1, (2, 0))


def tri_samples(rng: np.random.Generator) -> Iterator[Call]:
    for k in (0, 1, -1, 4, -9):
        yield Call(array(rng, 3, 4), k)
        yield Call(array(rng, 2, 4, 3), k)
    yield Call(array(rng, 0, 3))
    yield Call(array(rng, 2, 0))
    for x in layouts(array(rng, 5, 4)):
        yield Call(x, diagonal=1)


def tri_index_samples(rng: np.random.Generator) -> Iterator[Call]:
    for r, c, k in [(3, 3, 0), (2, 4, 1), (4, 2, -1), (3, 3, 5), (3, 3, -5), (0, 2, 0)]:
        yield Call(r, c, k)


def diag_samples(rng: np.random.Generator) -> Iterator[Call]:
    for k in (0, 1, -2):
        yield Call(array(rng, 3), k)
        yield Call(array(rng, 3, 4), k)
    yield Call(array(rng, 0))
    yield Call(array(rng, 2, 3), 7)
    for x in layouts(array(rng, 3, 4)):
        yield Call(x)


def embed_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3))
    yield Call(array(rng, 2, 3), 1)
    yield Call(array(rng, 2, 3), -1, 0, 2)
    yield Call(array(rng, 2, 0))
    yield Call(array(rng, 2, 3), 0, 2, 0)


def diag_embed(x: np.ndarray, offset: int = 0, dim1: int = -2, dim2: int = -1) -> np.ndarray:
    n = x.shape[-1] + abs(offset)
    y = np.zeros(x.shape[:-1] + (n, n), x.dtype)
    i = np.arange(x.shape[-1])
    y[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return np.moveaxis(y, (-2, -1), (dim1, dim2))


def flat_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng))
    yield Call(array(rng, 2, 2), 1)


def select_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3), array(rng), 0, 1)
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, array(rng, 3), 1, -1)


def select_scatter(x: np.ndarray, src: np.ndarray, dim: int, index: int) -> np.ndarray:
    y = x.copy()
    np.moveaxis(y, dim, 0)[index] = src
    return y


def slice_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 4), array(rng, 2), 0, 1, 3)
    yield Call(array(rng, 4, 3), array(rng, 2, 3), step=2)
    yield Call(array(rng, 4, 3), array(rng, 4, 1), 1, -1)
    yield Call(array(rng, 4, 3), array(rng, 0, 3), 0, 2, 2)


def slice_scatter(x: np.ndarray, src: np.ndarray, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> np.ndarray:
    y = x.copy()
    np.moveaxis(y, dim, 0)[start:end:step] = np.moveaxis(src, dim, 0)
    return y


def diagonal_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), array(rng, 3))
    yield Call(array(rng, 3, 4), array(rng, 2), -1)
    yield Call(array(rng, 2, 3, 4), array(rng, 3, 2), 1, 0, 2)


def diagonal_scatter(x: np.ndarray, src: np.ndarray, offset: int = 0, dim1: int = 0, dim2: int = 1) -> np.ndarray:
    y = np.moveaxis(x, (dim1, dim2), (-2, -1)).copy()
    i = np.arange(src.shape[-1])
    y[..., i + max(-offset, 0), i + max(offset, 0)] = src
    return np.moveaxis(y, (-2, -1), (dim1, dim2))


def window_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 2), (4,), 0, 2, 1)
    yield Call(array(rng, 2, 3, 3), (2, 8), 1, 3, 2)
    yield Call(array(rng, 2, 5, 2), (6, 5), 0, 2, 4)
    yield Call(array(rng, 2, 2, 3, 1), (2, 7, 3), 1, 1, 5)


def unfold_backward(g: np.ndarray, shape: tuple[int, ...], dim: int, size: int, step: int) -> np.ndarray:
    y = np.zeros(shape)
    rows, windows = np.moveaxis(y, dim, 0), np.moveaxis(g, dim, 0)
    for i in range(windows.shape[0]):
        for k in range(size):
            rows[i * step + k] += windows[i, ..., k]
    return y


def interleave(x: np.ndarray, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> np.ndarray:
    return np.repeat(x, repeats, dim)


def roll(x: np.ndarray, shifts: Any, dims: Any = None) -> np.ndarray:
    return np.roll(x, shifts, dims)


ROWS = [
    Row("repeat", repeat_samples, lambda x, n: np.tile(x, n), dtypes=ALL, torch="Tensor.repeat", method="repeat", errors=(
        (Call(np.zeros((2, 3)), (2,)), RuntimeError, "can not be smaller than number of dimensions"),
        (Call(np.zeros(3), (-1,)), RuntimeError, "negative dimension"),
    )),
    Row("tile", tile_samples, lambda x, n: np.tile(x, n), method="tile"),
    Row("repeat_interleave", interleave_samples, interleave, method="repeat_interleave", errors=(
        (Call(np.zeros(3), -1), RuntimeError, "must be non-negative"),
        (Call(np.zeros(3), np.array([1, -1, 1]), 0), RuntimeError, "can not be negative"),
        (Call(np.zeros(3), np.array([1, 1]), 0), RuntimeError, "same size as input along dim"),
        (Call(np.zeros(3), np.array([1, 1, 1]), 0, output_size=4), RuntimeError, "allocated size does not match required size"),
    )),
    Row("flip", flip_samples, lambda x, dims: x.copy() if x.ndim == 0 else np.flip(x, dims), dtypes=ALL, method="flip", errors=(
        (Call(np.zeros(3), (1,)), IndexError, "Dimension out of range"),
        (Call(np.zeros(3), (0, 0)), RuntimeError, "multiple times"),
    )),
    Row("fliplr", lambda rng: [Call(array(rng, 2, 3))], np.fliplr, method="fliplr", errors=(
        (Call(np.zeros(3)), RuntimeError, "must be >= 2-d"),)),
    Row("flipud", lambda rng: [Call(array(rng, 3))], np.flipud, method="flipud", errors=(
        (Call(np.zeros(())), RuntimeError, "must be >= 1-d"),)),
    Row("roll", roll_samples, roll, dtypes=ALL, method="roll", errors=(
        (Call(np.zeros(3), (1, 1), 0), RuntimeError, "must align. shifts: 2, dims:1"),
        (Call(np.zeros(3), 1, 1), IndexError, "Dimension out of range"),
    )),
    Row("rot90", turn_samples, lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims), method="rot90", errors=(
        (Call(np.zeros(3)), RuntimeError, "total dims >= 2"),
        (Call(np.zeros((3, 3)), 1, (0, 0)), RuntimeError, "to be different"),
    )),
    Row("tril", tri_samples, lambda x, diagonal=0: np.tril(x, diagonal), dtypes=ALL, method="tril", inplace="tril_", out=True,
        errors=((Call(np.zeros(3)), RuntimeError, "at least 2 dimensions"),)),
    Row("triu", tri_samples, lambda x, diagonal=0: np.triu(x, diagonal), dtypes=ALL, method="triu", inplace="triu_", out=True,
        errors=((Call(np.zeros(3)), RuntimeError, "at least 2 dimensions"),)),
    Row("tril_indices", tri_index_samples, lambda r, c, k: np.stack(np.tril_indices(r, k, c)), grad=False, errors=(
        (Call(-1, 2), RuntimeError, "non-negative"),)),
    Row("triu_indices", tri_index_samples, lambda r, c, k: np.stack(np.triu_indices(r, k, c)), grad=False, errors=(
        (Call(2, -1), RuntimeError, "non-negative"),)),
    Row("diag", diag_samples, lambda x, k=0: np.array(np.diag(x, k)), dtypes=ALL, method="diag", out=True, errors=(
        (Call(np.zeros(())), RuntimeError, "Supports 1D or 2D tensors. Got 0D"),
        (Call(np.zeros((2, 2, 2))), RuntimeError, "Supports 1D or 2D tensors. Got 3D"),
    )),
    Row("diag_embed", embed_samples, diag_embed, method="diag_embed", errors=(
        (Call(np.zeros(3), 0, 0, 0), RuntimeError, "cannot be identical"),
        (Call(np.zeros(())), IndexError, "Dimension out of range"),
    )),
    Row("diagflat", flat_samples, lambda x, k=0: np.diagflat(x, k), method="diagflat"),
    Row("select_scatter", select_samples, select_scatter, method="select_scatter", strides=False, errors=(
        (Call(np.zeros((3, 4)), np.zeros(3), 0, 0), RuntimeError, "size equal to the slice of self"),
        (Call(np.zeros((3, 4)), np.zeros(4), 0, 3), IndexError, "out of"),
    )),
    Row("slice_scatter", slice_samples, slice_scatter, method="slice_scatter", errors=(
        (Call(np.zeros((3, 4)), np.zeros((2, 4)), 0, 0, 1), RuntimeError, "size equal to the slice of self"),
    )),
    Row("diagonal_scatter", diagonal_samples, diagonal_scatter, method="diagonal_scatter", errors=(
        (Call(np.zeros((3, 4)), np.zeros(4)), RuntimeError, "size equal to the slice of self"),
    )),
    Row("ops.pixel_shuffle", shuffle_samples, shuffled, dtypes=ALL, torch="pixel_shuffle", errors=(
        (Call(np.zeros((2, 2)), 1), RuntimeError, "at least 3 dimensions"), (Call(np.zeros((4, 2, 2)), 0), RuntimeError, "positive upscale_factor"),
        (Call(np.zeros((6, 2, 2)), 2), RuntimeError, r"input.size\(-3\)=6 is not divisible by 4"),
        (Call(np.zeros((4, 2, 2)), 2.0), TypeError, "must be int, not float"),
    )),
    Row("ops.pixel_unshuffle", unshuffle_samples, unshuffled, dtypes=ALL, torch="pixel_unshuffle", errors=(
        (Call(np.zeros((2, 2)), 1), RuntimeError, "at least 3 dimensions"),
        (Call(np.zeros((1, 3, 4)), 2), RuntimeError, r"expects height .* input.size\(-2\)=3 is not divisible by 2"),
        (Call(np.zeros((1, 4, 3)), 2), RuntimeError, r"expects width .* input.size\(-1\)=3 is not divisible by 2"),
    )),
    Row("unfold_backward", window_samples, unfold_backward, torch=None),
]

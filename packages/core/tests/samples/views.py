"""Rows of the views, of copies and conversions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from opinfo import ALL, Call, Row, array

EXACT = {"rtol": {"float32": 0.0, "float64": 0.0}, "atol": {"float32": 0.0, "float64": 0.0}}


def of(*calls: tuple[tuple[int, ...], tuple[Any, ...]], **kwargs: Any) -> Callable[[np.random.Generator], Iterator[Call]]:
    """Make samples from (shape, further arguments), each contiguous and with swapped memory order."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for shape, args in calls:
            yield Call(array(rng, *shape), *args, **kwargs)
            if len(shape) > 1:
                yield Call(array(rng, *shape[::-1]).transpose(), *args, **kwargs)

    return samples


def bad(error: type[BaseException], text: str, shape: tuple[int, ...], *args: Any) -> tuple[Call, type[BaseException], str]:
    return Call(np.zeros(shape), *args), error, text


def row(name: str, reference: Callable[..., Any], samples: Any, **options: Any) -> Row:
    return Row(name, samples, reference, dtypes=ALL, **{**EXACT, "method": name, **options})


def squeeze(x: np.ndarray, dim: Any = None) -> np.ndarray:
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return np.squeeze(x, tuple(d for d in dims if x.ndim and x.shape[d] == 1))


def windows(x: np.ndarray, dim: int, size: int, step: int) -> np.ndarray:
    y = np.lib.stride_tricks.sliding_window_view(x, size, axis=dim)
    return y[(slice(None),) * (dim % x.ndim) + (slice(None, None, step),)]


def split(x: np.ndarray, n: Any, dim: int = 0) -> list[np.ndarray]:
    ends = range(n, x.shape[dim], n) if isinstance(n, int) else np.cumsum(n)[:-1]
    return np.split(x, list(ends), dim)


def as_strided_scatter(x: np.ndarray, src: np.ndarray, size: Any, stride: Any, offset: int = 0) -> np.ndarray:
    y = x.copy()
    np.lib.stride_tricks.as_strided(y.reshape(-1)[offset:], size, [i * y.itemsize for i in stride])[...] = src
    return y


ROWS = [
    row("reshape", lambda x, *s: x.reshape(*s), of(((2, 6), (3, 4)), ((2, 6), ((-1,),)), ((), (1, 1)), ((2, 0), (0, 5))), torch=None, errors=(
        bad(RuntimeError, "invalid for input of size 6", (2, 3), (4, 2)), bad(RuntimeError, "only one dimension can be inferred", (2, 3), (-1, -1)),
        bad(RuntimeError, "invalid shape dimension -2", (2, 3), (-2, 3)))),
    row("reshape", lambda x, s: x.reshape(s), of(((2, 6), ((3, 4),)), ((4, 3, 2), ((2, -1),)), ((2, 0), ((0, 5),)))),
    row("ravel", np.ravel, of(((), ()), ((2, 3), ()), ((0,), ()))),
    row("flatten", lambda x, a=0, b=-1: x.reshape(x.shape[:a] + (-1,) + x.shape[b % max(x.ndim, 1) + 1:]) if x.size else x.reshape(-1),
        of(((), ()), ((2, 3, 4), ()), ((2, 3, 4), (1,)), ((2, 3, 4), (0, 1))), errors=(bad(RuntimeError, "start_dim", (2, 3, 4), 2, 1),)),
    row("unflatten", lambda x, d, s: x.reshape(x.shape[:d] + tuple(s) + x.shape[d + 1:]), of(((6, 2), (0, (2, 3))), ((6, 2), (0, (-1, 3)))),
        errors=(bad(RuntimeError, "don't multiply up", (6,), 0, (4, 2)),)),
    row("transpose", np.swapaxes, of(((2, 3), (0, 1)), ((2, 3, 4), (-1, 0)), ((2, 3), (1, 1))), errors=(bad(IndexError, "Dimension out of range", (2, 3), 0, 2),)),
    row("t", np.transpose, of(((2, 3), ()), ((4,), ()), ((), ())), errors=(bad(RuntimeError, "<= 2 dimensions", (2, 3, 4)),)),
    row("permute", np.transpose, of(((2, 3, 4), ((2, 0, 1),)), ((2, 3), ((-1, 0),))), errors=(
        bad(RuntimeError, "number of dimensions", (2, 3), (0, 1, 2)), bad(RuntimeError, "duplicate dims", (2, 3), (0, 0)))),
    row("movedim", np.moveaxis, of(((2, 3, 4), (0, 2)), ((2, 3, 4), ((0, 1), (2, 0))))),
    row("unsqueeze", np.expand_dims, of(((2, 3), (0,)), ((2, 3), (-1,)), ((), (0,)), ((2,), (1,))), errors=(bad(IndexError, "Dimension out of range", (2,), 3),)),
    row("squeeze", squeeze, of(((1, 2, 1, 3), ()), ((1, 2, 1, 3), (0,)), ((1, 2, 1, 3), (1,)), ((1, 2, 1), ((0, 2),)), ((), ()))),
    row("select", lambda x, d, i: np.take(x, i, d), of(((3, 4), (0, 1)), ((3, 4), (-1, -1)), ((2, 3, 4), (1, 2))), errors=(
        bad(IndexError, "out of bounds|out of range", (3, 4), 0, 3),)),
    row("narrow", lambda x, d, a, n: np.take(x, range(a % x.shape[d], a % x.shape[d] + n), d), of(((5, 4), (0, 1, 3)), ((5, 4), (1, 0, 4)), ((5, 4), (0, 2, 0))),
        errors=(bad(RuntimeError, "exceeds dimension size", (3,), 0, 1, 3), bad(RuntimeError, "non-negative", (3,), 0, 0, -1))),
    row("unbind", lambda x, d=0: [np.take(x, i, d) for i in range(x.shape[d])], of(((3, 2), ()), ((3, 2), (1,)))),
    row("split", split, of(((7, 2), (3,)), ((6, 2), (2,)), ((5, 2), ([1, 4],)), ((2, 5), (2, 1))), errors=(
        bad(RuntimeError, "sum exactly", (5,), [1, 2]), bad(RuntimeError, "split_size", (5,), 0))),
    row("chunk", lambda x, n, d=0: split(x, -(-x.shape[d] // n), d), of(((7, 2), (3,)), ((2, 6), (4, 1)), ((5,), (2,))), errors=(
        bad(RuntimeError, "greater than 0", (5,), 0),)),
    row("tensor_split", lambda x, n, d=0: np.array_split(x, n, d), of(((7, 2), (3,)), ((7, 2), ((2, 5),)), ((2, 5), (3, 1)))),
    row("diagonal", np.diagonal, of(((3, 4), ()), ((3, 4), (1,)), ((3, 4), (-2,)), ((2, 3, 4), (0, 1, 2)), ((2, 3), (5,))),
        errors=(bad(RuntimeError, "cannot be identical", (3, 3), 0, 1, 1),)),
    row("broadcast_to", np.broadcast_to, of(((3,), ((2, 3),)), ((3, 1), ((3, 4),)), ((), ((2,),))), method="broadcast_to", errors=(
        bad(RuntimeError, "must match the existing size", (3,), (2, 4)),)),
    Row("expand", of(((3, 1), (3, 4)), ((3, 1), (2, -1, 4)), ((), (2, 2))), lambda x, *s: np.broadcast_to(x, [
        x.shape[i - (len(s) - x.ndim)] if n == -1 else n for i, n in enumerate(s)]), method="expand", torch=None, dtypes=ALL, **EXACT),
    Row("unfold", of(((7,), (0, 3, 2)), ((7,), (0, 3, 1)), ((2, 6), (1, 2, 3)), ((2, 6), (1, 4, 1))), windows, method="unfold", torch="Tensor.unfold", **EXACT,
        errors=(bad(RuntimeError, "maximum size", (3,), 0, 4, 1), bad(RuntimeError, "step is 0", (3,), 0, 2, 0))),
    Row("as_strided", lambda rng: [Call(array(rng, 12), (3, 2), (4, 1)), Call(array(rng, 12), (3, 3), (1, 2), 1), Call(array(rng, 3, 4), (2,), (5,))],
        lambda x, s, st, o=0: np.lib.stride_tricks.as_strided(x.reshape(-1)[o:], s, [i * x.itemsize for i in st]).copy(), method="as_strided", layout=False, **EXACT,
        errors=(bad(RuntimeError, "out of bounds", (4,), (5,), (1,)), bad(RuntimeError, "Negative strides", (4,), (2,), (-1,)))),
    Row("clone", of(((), ()), ((2, 3), ()), ((0, 2), ())), lambda x: x, method="clone", dtypes=ALL, **EXACT),
    Row("contiguous", of(((2, 3), ()), ((4, 2, 3), ())), lambda x: x, method="contiguous", torch="Tensor.contiguous", **EXACT),
    Row("slice_copy", of(((5, 4), (0, 1, 4, 2)), ((5, 4), (1, -3)), ((5, 4), (0, 3, 1))), lambda x, d=0, a=None, b=None, n=1: x[(slice(None),) * d + (
        slice(a, b, n),)], dtypes=ALL, **EXACT),
    Row("split_copy", of(((7, 2), (3,)), ((2, 5), (2, 1))), split, dtypes=ALL, **EXACT, errors=(bad(TypeError, "must be int", (5,), [1, 4]),)),
    Row("alias_copy", of(((), ()), ((2, 3), ())), lambda x: x, dtypes=ALL, **EXACT),
    Row("expand_copy", of(((3, 1), ((3, 4),)), ((), ((2, 2),))), np.broadcast_to, dtypes=ALL, **EXACT),
    Row("view_copy", of(((2, 6), ((3, 4),)), ((4, 3, 2), ((2, -1),)), ((2, 0), ((0, 5),))), lambda x, s: x.reshape(s), dtypes=ALL, **EXACT),
    Row("slice_inverse", lambda rng: [Call(array(rng, 2, 3), array(rng, 2, 3))], lambda x, y: x, layout=False, grad=False, **EXACT),
    # PyTorch's gradient of the input is that of the elements that are overwritten
    Row("as_strided_scatter", lambda rng: [Call(array(rng, 3, 3), array(rng, 2, 2), (2, 2), (1, 2), 1), Call(array(rng, 4), array(rng), (), ())],
        as_strided_scatter, torch=None, layout=False, **EXACT, errors=((Call(np.ones(4), np.ones(3), (2,), (1,)), RuntimeError, "size equal to the slice"),)),
    row("unsafe_split", split, of(((7, 2), (3,)), ((2, 5), (2, 1)))), row("unsafe_split_with_sizes", split, of(((5, 2), ([1, 4],)))),
    row("unsafe_chunk", lambda x, n, d=0: split(x, -(-x.shape[d] // n), d), of(((7, 2), (3,)), ((2, 6), (4, 1)))),
    row("detach", lambda x: x, of(((2, 3), ()), ((), ())), grad=False),
    row("split_with_sizes", split, of(((5, 2), ([1, 4],)), ((2, 5), ([2, 3], 1)))),
    row("hsplit", np.hsplit, of(((4,), (2,)), ((2, 6), (3,))), torch=None),
    row("vsplit", np.vsplit, of(((4, 2), (2,)),), torch=None), row("dsplit", np.dsplit, of(((2, 3, 4), (2,)),), torch=None),
    Row("fill", of(((2, 3), (1.5,)), ((), (2,)), ((0,), (1,))), np.full_like, inplace="fill_", **EXACT),
    Row("zeros_like", of(((2, 3), ()), ((0, 2), ())), np.zeros_like, grad=False, dtypes=ALL, **EXACT),
    Row("ones_like", of(((2, 3), ()), ((), ())), np.ones_like, grad=False, dtypes=ALL, **EXACT),
    Row("full_like", of(((2, 3), (2,)), ((), (1,))), np.full_like, grad=False, **EXACT),
    Row("arange", lambda rng: [Call(5), Call(2, 7), Call(1, 10, 3), Call(5, 1, -2), Call(0.0, 1.0, 0.25), Call(0)], np.arange, grad=False,
        rtol={"float32": 1e-6}, errors=((Call(0, 5, 0), RuntimeError, "nonzero"), (Call(0, 5, -1), RuntimeError, "inconsistent"))),
    Row("linspace", lambda rng: [Call(0.0, 1.0, 5), Call(-3.0, 3.0, 1), Call(0.0, 1.0, 0), Call(1.0, -1.0, 7)], np.linspace, grad=False, dtypes=("float32",),
        rtol={"float32": 1e-6}, atol={"float32": 1e-7}, errors=((Call(0.0, 1.0, -1), RuntimeError, "non-negative"),)),
    Row("logspace", lambda rng: [Call(0.0, 2.0, 5), Call(-1.0, 1.0, 3, 2.0)], lambda a, b, n, base=10.0: np.logspace(a, b, n, base=base), grad=False, dtypes=("float32",)),
    Row("eye", lambda rng: [Call(3), Call(2, 4), Call(0)], np.eye, grad=False, errors=((Call(-1), RuntimeError, "greater or equal to 0"),)),
    Row("zeros", lambda rng: [Call(2, 3), Call((2, 0)), Call(())], lambda *s: np.zeros(s[0] if isinstance(s[0], tuple) else s), grad=False,
        errors=((Call(-1), RuntimeError, "negative dimension"), (Call(2.5), TypeError, "sizes must be ints"))),
    Row("ones", lambda rng: [Call(2, 3), Call((2, 0))], lambda *s: np.ones(s[0] if isinstance(s[0], tuple) else s), grad=False),
    Row("full", lambda rng: [Call((2, 3), 1.5), Call((2,), 7), Call((), True)], np.full, grad=False),
]
# a copy of a view: the view's row
COPIED = ("as_strided", "detach", "diagonal", "narrow", "permute", "select", "split_with_sizes", "squeeze", "t", "transpose", "unbind", "unfold",
          "unsqueeze")
PIECES = ("split_with_sizes", "unbind")
ROWS += [replace(r, name=f"{r.name}_copy", method="narrow_copy" if r.name == "narrow" else None, torch="", out=r.name not in (*PIECES, "detach"),
                 strides=r.name not in PIECES) for r in ROWS if r.name in COPIED]

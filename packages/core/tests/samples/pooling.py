"""Rows of the pools: max, average, adaptive, in one to three dimensions, batched or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def distinct(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw values no two of which are closer than 0.05: maxima keep their place in a finite difference."""
    n = int(np.prod(shape))
    return (rng.permutation(n) - n / 2).reshape(shape) * 0.05


def pairs(value: Any, n: int) -> list[Any]:
    value = list(value) if isinstance(value, (tuple, list)) else [value]
    return value * n if len(value) == 1 else value


def windows(x: np.ndarray, n: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> Iterator[Any]:
    """Yield (output position, slices of the padded input, extent beyond it) for the last n dimensions."""
    k, p, d = pairs(kernel, n), pairs(padding, n), pairs(dilation, n)
    s = pairs(kernel if stride is None else stride, n)
    counts = []
    for a in range(n):
        size = x.shape[x.ndim - n + a]
        room = size + 2 * p[a] - d[a] * (k[a] - 1) - 1
        count = (-(-room // s[a]) if ceil else room // s[a]) + 1
        if ceil and (count - 1) * s[a] >= size + p[a]:
            count -= 1
        counts.append(count)
    for at in np.ndindex(*counts):
        starts = [at[a] * s[a] - p[a] for a in range(n)]
        yield at, [list(range(starts[a], starts[a] + d[a] * k[a], d[a])) for a in range(n)], counts


def reference(kind: str, n: int) -> Any:
    """Pool by loops, with PyTorch's rules for what the padding counts."""

    def run(x: np.ndarray, kernel_size: Any, stride: Any = None, padding: Any = 0, *rest: Any, **more: Any) -> Any:
        dilation, ceil = more.get("dilation", 1), more.get("ceil_mode", False)
        counted = more.get("count_include_pad", True)
        divisor = more.get("divisor_override")
        out: Any = None
        for at, taps, counts in windows(x, n, kernel_size, stride, padding, dilation, ceil):
            if out is None:
                out = np.zeros(x.shape[: x.ndim - n] + tuple(counts))
            sizes = x.shape[x.ndim - n :]
            inside = [[i for i in taps[a] if 0 <= i < sizes[a]] for a in range(n)]
            part = x[(..., *np.ix_(*inside))]
            axes = tuple(range(-n, 0))
            if kind == "max":
                out[(..., *at)] = part.max(axis=axes)
                continue
            p = pairs(padding, n)
            whole = np.prod([min(taps[a][-1] + 1, sizes[a] + p[a]) - taps[a][0] for a in range(n)])
            count = divisor or (whole if counted else np.prod([len(i) for i in inside]))
            out[(..., *at)] = part.sum(axis=axes) / count
        return out

    return run


def adaptive(kind: str, n: int) -> Any:
    def run(x: np.ndarray, output_size: Any) -> np.ndarray:
        sizes = x.shape[x.ndim - n :]
        wanted = [s if w is None else w for w, s in zip(pairs(output_size, n), sizes, strict=True)]
        out = np.zeros(x.shape[: x.ndim - n] + tuple(wanted))
        for at in np.ndindex(*wanted):
            part = x[(..., *[slice(i * s // w, -(-(i + 1) * s // w)) for i, s, w in zip(at, sizes, wanted, strict=True)])]
            axes = tuple(range(-n, 0))
            out[(..., *at)] = part.max(axis=axes) if kind == "max" else part.mean(axis=axes)
        return out

    return run


SMALL = {1: (2, 3, 9), 2: (2, 2, 7, 6), 3: (1, 2, 4, 4, 5)}


def max_samples(n: int) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        small = SMALL[n]
        for x in layouts(distinct(rng, *small)):
            yield Call(x, 2)
            yield Call(x, 3, 2, 1)
        x = distinct(rng, *small)
        yield Call(x[0], 2)
        yield Call(x[:0], 2)
        yield Call(x, 2, 1)
        yield Call(x, 3, 3)
        yield Call(x, 3, stride=2, padding=1, dilation=2)
        yield Call(x, 2, stride=2, ceil_mode=True)
        yield Call(x, 3, 2, 1, ceil_mode=True)
        yield Call(x, [3], [2], [1])
        if n == 2:
            yield Call(x, (2, 3), stride=(2, 1), padding=(1, 0))
            yield Call(distinct(rng, 1, 1, 2, 150), 2)
            yield Call(distinct(rng, 1, 1, 3, 140), 2, 1)
        elif n == 3:
            yield Call(x, (3, 2, 1), padding=(1, 1, 0), ceil_mode=True)
            yield Call(x, 2, (1, 2, 3), dilation=(2, 1, 2))
            yield Call(x, (1, 2, 2))
            yield Call(distinct(rng, 1, 1, 2, 3, 17), 2)
            yield Call(distinct(rng, 1, 1, 3, 2, 20), (3, 1, 3), (2, 1, 1), (1, 0, 1))
        else:
            yield Call(distinct(rng, 1, 1, 290), 3, 2)

    return samples


def avg_samples(n: int) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        small = SMALL[n]
        for x in layouts(array(rng, *small)):
            yield Call(x, 2)
            yield Call(x, 3, 2, 1)
        x = array(rng, *small)
        yield Call(x[0], 2)
        yield Call(x[:0], 2)
        yield Call(x, 3, 1, 1, count_include_pad=False)
        yield Call(x, 3, 2, 1, ceil_mode=True)
        yield Call(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)
        yield Call(x, 4, 3)
        if n == 2:
            yield Call(x, (2, 3), stride=(2, 1), padding=(1, 0))
            yield Call(x, 2, divisor_override=3)
            yield Call(x, 3, 2, 1, ceil_mode=True, divisor_override=-2)
            yield Call(array(rng, 1, 1, 2, 290), 2)
        elif n == 3:
            yield Call(x, (3, 2, 1), (1, 2, 3), padding=(1, 1, 0), ceil_mode=True)
            yield Call(x, (2, 1, 3), 1, (1, 0, 1), count_include_pad=False)
            yield Call(x, 2, divisor_override=3)
            yield Call(array(rng, 1, 1, 2, 3, 17), (2, 3, 2), (2, 1, 2), (1, 1, 1))
            yield Call(array(rng, 1, 1, 3, 2, 20), (2, 2, 3), 1, (0, 1, 1), count_include_pad=False)
        else:
            yield Call(array(rng, 1, 1, 290), 3, 2)

    return samples


def adaptive_samples(kind: str, n: int) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        small = SMALL[n]
        draw = distinct if kind == "max" else array
        for x in layouts(draw(rng, *small)):
            yield Call(x, 3)
            yield Call(x, 1)
        x = draw(rng, *small)
        yield Call(x[0], 2)
        yield Call(x[:0], 2)
        yield Call(x, 11)
        if n == 2:
            yield Call(x, (None, 3))
            yield Call(x, [2, None])
            yield Call(x, (0, 2))
            yield Call(draw(rng, 1, 2, 40, 41), 1)
        elif n == 3:
            yield Call(x, (2, None, 3))
            yield Call(x, [None, 2, 7])
            yield Call(x, (0, 2, 1))
            yield Call(draw(rng, 2, 4, 6, 11), 1)

    return samples


def unpool_samples(n: int) -> Any:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for x in layouts(array(rng, *((2, 3, 2, 3, 2)[:n + 2]))):
            size = (5, 4, 3)[:n]
            places = [rng.permutation(int(np.prod(size)))[: int(np.prod(x.shape[2:]))] for _ in range(6)]
            yield Call(x, np.array(places).reshape(x.shape), size)
        yield Call(x[0], np.array(places).reshape(x.shape)[0], size)
        yield Call(x[:0], np.zeros((0, *x.shape[1:]), np.int64), size)

    return samples


def unpooled(x: np.ndarray, at: np.ndarray, size: Any) -> np.ndarray:
    lead = x.shape[: x.ndim - len(size)]
    y = np.zeros((*lead, int(np.prod(size))))
    taken = (*lead, int(np.prod(x.shape[len(lead) :])))
    np.put_along_axis(y, at.reshape(taken), x.reshape(taken), -1)
    return y.reshape(*lead, *size)


X1, X2, X3 = np.ones((2, 3, 8)), np.ones((2, 3, 8, 8)), np.ones((2, 3, 4, 5, 6))
WINDOW_ERRORS = (
    (Call(X2, 0), RuntimeError, r"\[\w+\] kernel_size must be greater than zero"),
    (Call(X2, 2, 0), RuntimeError, r"\[\w+\] stride must be greater than zero"),
    (Call(X2, 2, padding=-1), RuntimeError, r"\[\w+\] padding must be non-negative"),
    (Call(X2, 2, padding=2), RuntimeError, r"\[\w+\] padding should be at most half of kernel size"),
    (Call(X2, 20), RuntimeError, r"\[\w+\] .*\(2, 3, 8, 8\).*Output size is too small"),
    (Call(X2, (1, 2, 3)), RuntimeError, r"\[\w+\] kernel_size must either be a single int, or a tuple of two ints"),
    (Call(X2, 2.0), TypeError, r"\[\w+\] argument 'kernel_size' must be tuple of ints, not float"),
    (Call(X2[:, :0], 2), RuntimeError, r"\[\w+\] Expected 3D or 4D"),
)


def row(name: str, samples: Any, ref: Any, errors: tuple[Any, ...] = ()) -> Row:
    return Row(name, samples, ref, torch=f"nn.functional.{name.removeprefix('ops.')}", errors=errors)


ROWS = [
    row("max_pool1d", max_samples(1), reference("max", 1), (
        (Call(X1, 20), RuntimeError, r"\[max_pool1d\] .*Output size is too small"),
        (Call(X1[0, 0], 2), RuntimeError, r"\[max_pool1d\] Expected 2D or 3D"),
        (Call(X1, 2, padding=2), RuntimeError, r"\[max_pool1d\] padding should be at most half"),
    )),
    row("max_pool2d", max_samples(2), reference("max", 2), (
        *WINDOW_ERRORS,
        (Call(X2[0, 0], 2), RuntimeError, r"\[max_pool2d\] Expected 3D or 4D"),
        (Call(X2, 2, dilation=0), RuntimeError, r"\[max_pool2d\] dilation must be greater than zero"),
    )),
    row("avg_pool1d", avg_samples(1), reference("avg", 1), (
        (Call(X1[0, 0], 2), RuntimeError, r"\[avg_pool1d\] Expected 2D or 3D"),
    )),
    row("avg_pool2d", avg_samples(2), reference("avg", 2), (
        *WINDOW_ERRORS,
        (Call(X2[0, 0], 2), IndexError, r"\[avg_pool2d\] Expected 3D or 4D"),
        (Call(X2, 2, divisor_override=0), RuntimeError, r"\[avg_pool2d\] divisor_override must be not zero"),
    )),
    row("adaptive_avg_pool1d", adaptive_samples("avg", 1), adaptive("avg", 1), (
        (Call(X1, (2, 2)), RuntimeError, r"\[adaptive_avg_pool1d\] output_size must be 1 int"),
    )),
    row("adaptive_avg_pool2d", adaptive_samples("avg", 2), adaptive("avg", 2), (
        (Call(X2, -1), RuntimeError, r"\[adaptive_avg_pool2d\] elements of output_size must be greater"),
        (Call(X2, (2, 2, 2)), RuntimeError, r"\[adaptive_avg_pool2d\] output_size must be 2 ints"),
    )),
    row("ops.adaptive_max_pool1d", adaptive_samples("max", 1), adaptive("max", 1)),
    row("adaptive_max_pool2d", adaptive_samples("max", 2), adaptive("max", 2), (
        (Call(X2, -1), RuntimeError, r"\[adaptive_max_pool2d\] elements of output_size must be greater"),
    )),
    row("max_pool3d", max_samples(3), reference("max", 3), (
        (Call(X3[0, 0], 2), RuntimeError, r"\[max_pool3d\] Expected 4D or 5D"),
        (Call(X3, 8), RuntimeError, r"\[max_pool3d\] .*\(2, 3, 4, 5, 6\).*Output size is too small"),
        (Call(X3, (1, 2)), RuntimeError, r"\[max_pool3d\] kernel_size must either be a single int, or a tuple of three ints"),
        (Call(X3, 2, (1, 0, 1)), RuntimeError, r"\[max_pool3d\] stride must be greater than zero"),
        (Call(X3, 2, padding=2), RuntimeError, r"\[max_pool3d\] padding should be at most half of kernel size"),
    )),
    row("avg_pool3d", avg_samples(3), reference("avg", 3), (
        (Call(X3[0, 0], 2), RuntimeError, r"\[avg_pool3d\] Expected 4D or 5D"),
        (Call(X3, (5, 1, 1), padding=(1, 0, 0)), RuntimeError, r"\[avg_pool3d\] input image of shape \(2, 3, 4, 5, 6\) smaller than kernel size"),
        (Call(X3, 2, divisor_override=0), RuntimeError, r"\[avg_pool3d\] divisor_override must be not zero"),
    )),
    row("adaptive_avg_pool3d", adaptive_samples("avg", 3), adaptive("avg", 3), (
        (Call(X3, -1), RuntimeError, r"\[adaptive_avg_pool3d\] elements of output_size must be greater"),
        (Call(X3, (2, 2)), RuntimeError, r"\[adaptive_avg_pool3d\] output_size must be 3 ints"),
    )),
    row("adaptive_max_pool3d", adaptive_samples("max", 3), adaptive("max", 3), (
        (Call(X3, (1, -1, 1)), RuntimeError, r"\[adaptive_max_pool3d\] elements of output_size must be greater"),
    )),
    Row("max_unpool2d", unpool_samples(2), unpooled, torch="_C._nn.max_unpool2d", errors=(
        (Call(X2, np.zeros((2, 3, 8, 8), np.int32), (9, 9)), RuntimeError, r"\[max_unpool2d\] elements in indices should be type int64"),
        (Call(X2, np.zeros((2, 3, 8, 7), np.int64), (9, 9)), RuntimeError, r"same as that of the input tensor \(\(2, 3, 8, 8\)\)"),
        (Call(X2, np.full((2, 3, 8, 8), 81), (9, 9)), RuntimeError, r"Found an invalid max index: 81 \(output volumes are of size 9x9\)"),
        (Call(X2, np.full((2, 3, 8, 8), -1), (9, 9)), RuntimeError, "Found an invalid max index: -1"),
        (Call(X2[0, 0], np.zeros((8, 8), np.int64), (9, 9)), RuntimeError, "Expected 3D or 4D"))),
    Row("max_unpool3d", unpool_samples(3), unpooled, torch=None, errors=(
        (Call(X3, np.full((2, 3, 4, 5, 6), 500), (7, 7, 7)), RuntimeError, "Found an invalid max index: 500 .* size 7x7x7"),
        (Call(X3[:, :0], np.zeros((2, 0, 4, 5, 6), np.int64), (7, 7, 7)), RuntimeError, "Expected 4D or 5D"))),
]

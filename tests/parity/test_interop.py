"""Tensors among other libraries' objects, beside PyTorch: what is shared, what is converted, which exceptions come."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import taeda


def outcome(call: Callable[[Any], Any], lib: Any) -> Any:
    """What a call gives, or the type of its exception, in words that do not name the library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = call(lib)
        except Exception as error:
            return type(error).__name__
    if isinstance(found, lib.Tensor):
        return ("tensor", str(found.dtype).rpartition(".")[2], tuple(found.shape), found.stride(), found.requires_grad, found.tolist())
    if isinstance(found, np.ndarray):
        return ("array", found.dtype.name, found.shape, found.strides, found.flags.writeable, found.tolist())
    return found


A = np.arange(6.0).reshape(2, 3)
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128"]


def readonly() -> np.ndarray:
    """Return an array that must not be written."""
    a = np.arange(3.0)
    a.flags.writeable = False
    return a


class Column:
    """A table's column: NumPy's numbers by key, Python's in turn."""

    def __init__(self, values: Any, keys: Any = None) -> None:
        self.values, self.keys = np.asarray(values), list(range(len(values)) if keys is None else keys)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, key: int) -> Any:
        return self.values[self.keys.index(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values.tolist())


BY_DTYPE: dict[str, Callable[[Any, str], Any]] = {
    "from_numpy": lambda t, d: t.from_numpy(np.ones((2, 2), d)),
    "numpy": lambda t, d: t.ones(2, dtype=getattr(t, d)).numpy(),
    "asarray": lambda t, d: np.asarray(t.ones(2, dtype=getattr(t, d))),
    "np.from_dlpack": lambda t, d: np.from_dlpack(t.ones(2, dtype=getattr(t, d))),
    "from_dlpack": lambda t, d: t.from_dlpack(np.ones(2, d)),
    "tensor of a column": lambda t, d: t.tensor(Column(np.ones(2, d))),
    "tensor of columns": lambda t, d: t.as_tensor([Column(np.ones(2, d))] * 2),
    "frombuffer": lambda t, d: t.frombuffer(bytearray(32), dtype=getattr(t, d)),
    "t.asarray": lambda t, d: t.asarray(np.ones(2, d)),
    "deepcopy": lambda t, d: copy.deepcopy(t.ones(2, dtype=getattr(t, d))),
}


@pytest.mark.parametrize("name", BY_DTYPE)
def test_every_dtype(name: str) -> None:
    for dtype in DTYPES:
        call = BY_DTYPE[name]
        assert outcome(lambda t, d=dtype: call(t, d), taeda) == outcome(lambda t, d=dtype: call(t, d), torch), dtype


CALLS: dict[str, Callable[[Any], Any]] = {
    "negative stride": lambda t: t.from_numpy(A[::-1]),
    "swapped bytes": lambda t: t.from_numpy(A.astype(">f8")),
    "objects": lambda t: t.from_numpy(np.array([None])),
    "strings": lambda t: t.from_numpy(np.array(["a"])),
    "dates": lambda t: t.from_numpy(np.array(["2020"], "M8[Y]")),
    "list": lambda t: t.from_numpy([1]),
    "scalar": lambda t: t.from_numpy(np.float32(1)),
    "misaligned": lambda t: t.from_numpy(np.zeros(5, "i1,f8")["f1"]),
    "field": lambda t: t.from_numpy(np.zeros(5, "f4,f4")["f1"]),
    "0-d": lambda t: t.from_numpy(np.array(3.0)),
    "broadcast": lambda t: t.from_numpy(np.broadcast_to(np.ones(3), (2, 3))),
    "read-only": lambda t: t.from_numpy(readonly()),
    "read-only by capsule": lambda t: t.from_dlpack(readonly()),
    "array of a dtype": lambda t: np.asarray(t.ones(2), dtype="f8"),
    "array with gradient": lambda t: np.asarray(t.ones(2, requires_grad=True)),
    "function of gradient": lambda t: np.sin(t.ones(2, requires_grad=True)),
    "numpy with gradient": lambda t: t.ones(2, requires_grad=True).numpy(),
    "forced": lambda t: t.ones(2, requires_grad=True).numpy(force=True),
    "meta": lambda t: t.ones(2, device="meta").numpy(),
    "bfloat16": lambda t: t.ones(2, dtype=t.bfloat16).numpy(),
    "np.sin": lambda t: np.sin(t.arange(3.0)),
    "np.add": lambda t: np.add(A, t.ones(2, 3)),
    "np.stack": lambda t: np.stack([t.ones(2), t.ones(2)]),
    "np.where": lambda t: np.where(t.arange(3) > 1, 1.0, 0.0),
    "tensor times scalar": lambda t: t.ones(2) * np.float64(2),
    "scalar times tensor": lambda t: np.float64(2) * t.ones(2),
    "integer scalar": lambda t: np.int64(2) - t.ones(2),
    "capsule with gradient": lambda t: t.ones(2, requires_grad=True).__dlpack__(),
    "capsule for a stream": lambda t: t.ones(2).__dlpack__(stream=1),
    "capsule of meta": lambda t: t.ones(2, device="meta").__dlpack__(),
    "device of meta": lambda t: t.ones(2, device="meta").__dlpack_device__(),
    "device": lambda t: tuple(map(int, t.ones(2).__dlpack_device__())),
    "capsule of a list": lambda t: t.from_dlpack([1]),
    "strided capsule": lambda t: np.from_dlpack(t.arange(6.0).reshape(2, 3).T),
    "copied": lambda t: t.from_dlpack(A, copy=True),
    "read-only buffer": lambda t: t.frombuffer(bytes(8), dtype=t.float32),
    "count and offset": lambda t: t.frombuffer(bytearray(8), dtype=t.float32, count=1, offset=4),
    "empty buffer": lambda t: t.frombuffer(bytearray(0), dtype=t.float32),
    "text": lambda t: t.frombuffer("abc", dtype=t.float32),
    "odd offset": lambda t: t.frombuffer(bytearray(8), dtype=t.float32, offset=3),
    "offset beyond": lambda t: t.frombuffer(bytearray(8), dtype=t.float32, offset=9),
    "count of none": lambda t: t.frombuffer(bytearray(8), dtype=t.float32, count=0),
    "integer gradient": lambda t: t.frombuffer(bytearray(8), dtype=t.int32, requires_grad=True),
    "list not copied": lambda t: t.asarray([1, 2], copy=False),
    "dtype not copied": lambda t: t.asarray(A, dtype=t.float32, copy=False),
    "scalar not copied": lambda t: t.asarray(np.float64(2), copy=False),
    "mapping": lambda t: t.asarray({}),
    "mapping not copied": lambda t: t.asarray({}, copy=False),
    "nothing": lambda t: t.asarray(None),
    "history kept": lambda t: t.asarray(t.ones(2, requires_grad=True) * 2),
    "history of a copy": lambda t: t.asarray(t.ones(2, requires_grad=True), copy=True),
    "history cut": lambda t: t.asarray(t.ones(2, requires_grad=True), requires_grad=False),
    "bytes": lambda t: t.asarray(bytearray(b"abcd"), dtype=t.uint8),
    "copy of no leaf": lambda t: copy.deepcopy(t.ones(2, requires_grad=True) * 2),
    "pickled view": lambda t: pickle.loads(pickle.dumps(t.arange(6.0).reshape(2, 3).T)),
    "pickled leaf": lambda t: pickle.loads(pickle.dumps(t.ones(2, requires_grad=True))),
    "column in another order": lambda t: t.tensor(Column([1.0, 2.0, 3.0], [2, 0, 1])),
    "column by other keys": lambda t: t.tensor(Column([1.0, 2.0], [5, 6])),
    "column by some other keys": lambda t: t.tensor(Column([1.0, 2.0], [0, 6])),
    "column of a dtype": lambda t: t.tensor(Column([1.5, 2.0]), dtype=t.int64),
    "empty column": lambda t: t.tensor(Column(np.ones(0, "i4"))),
    "typed column": lambda t: t.FloatTensor(Column([1.5, 2.0])),
    "copied meta": lambda t: copy.deepcopy(t.ones(2, device="meta")).device.type,
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    assert outcome(CALLS[name], taeda) == outcome(CALLS[name], torch)


def test_memory_goes_between_the_two() -> None:
    x = taeda.arange(6.0).reshape(2, 3)
    y = torch.from_dlpack(x)
    y[0, 0] = 9
    assert x[0, 0].item() == 9 and taeda.from_dlpack(y).data_ptr() == x.data_ptr() == y.data_ptr()
    for dtype in ("bfloat16", "bool", "uint64", "complex64"):
        z = taeda.from_dlpack(torch.ones(2, dtype=getattr(torch, dtype)))
        assert z.dtype is getattr(taeda, dtype) and torch.from_dlpack(z).dtype is getattr(torch, dtype)


EINOPS: dict[str, Callable[[Any, Any], Any]] = {
    "rearrange": lambda e, x: e.rearrange(x, "b (h p) c -> (b p) h c", p=2),
    "transposed": lambda e, x: e.rearrange(x, "b n c -> c b n"),
    "stacked": lambda e, x: e.rearrange([x, x], "k b n c -> b n (k c)"),
    "repeat": lambda e, x: e.repeat(x, "b n c -> b n c r", r=3),
    **{f"reduce {how}": lambda e, x, how=how: e.reduce(x, "b (n p) c -> b c", how, p=2) for how in ("sum", "mean", "max", "min", "prod")},
    "any": lambda e, x: e.reduce(x > 1, "b n c -> b", "any"),
    "own reduction": lambda e, x: e.reduce(x, "b n c -> c", lambda t, axes: t.logsumexp(axes)),
    "einsum": lambda e, x: e.einsum(x, x, "b n c, b m c -> b n m"),
    "pack": lambda e, x: e.pack([x, x], "b * c")[0],
    "unpack": lambda e, x: e.unpack(x, [[1], [3]], "b * c")[1],
    "parse": lambda e, x: e.parse_shape(x, "b n c"),
    "wrong": lambda e, x: e.rearrange(x, "b n -> n b"),
}


@pytest.mark.parametrize("name", EINOPS)
def test_einops(name: str) -> None:
    einops = pytest.importorskip("einops")
    x = np.random.default_rng(0).standard_normal((2, 4, 3))
    mine, theirs = (outcome(lambda t: EINOPS[name](einops, t.from_numpy(x.copy()).requires_grad_()), lib) for lib in (taeda, torch))
    if isinstance(theirs, tuple):
        assert mine[:5] == theirs[:5]
        np.testing.assert_allclose(mine[5], theirs[5], rtol=1e-12)
    else:
        assert mine == theirs

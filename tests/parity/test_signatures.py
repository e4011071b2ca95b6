"""Every overload that PyTorch's stubs name, called by position, by name and with each option: the same results.

The calls are in ``signatures/``, several in a line, apart by ``|``.  What the names stand for is in ``names``.
"""

from __future__ import annotations

import pathlib
import re
import warnings
from typing import Any

import pytest
import torch

import taeda
import taeda.nn

LINES = [
    pytest.param(line, id=f"{path.stem}-{number}")
    for path in sorted((pathlib.Path(__file__).parent / "signatures").glob("*.txt"))
    for number, line in enumerate(path.read_text().splitlines(), 1)
    if not line.startswith("#")
]


def names(lib: Any) -> dict[str, Any]:
    """Return what the names in a call mean, made anew for each."""
    t = lib.tensor
    return {
        "T": lib, "F": lib.nn.functional,
        "x": t([[0.5, -1.25, 2.0], [0.75, 0.1, -0.3]]), "y": t([[1.5, 0.25, -0.5], [0.2, 1.1, 3.0]]),
        "q": t([[2.0, 0.5, 0.1], [0.5, 3.0, 0.2], [0.1, 0.2, 1.5]]), "v": t([0.5, 0.25, 0.7]),
        "w": t([[0.5, 0.2], [0.1, 0.3], [0.7, 0.8]]), "bt": lib.arange(18.0).reshape(2, 3, 3) / 9 - 0.7,
        "im": lib.arange(32.0).reshape(1, 2, 4, 4) / 16 - 0.6, "s": t(0.5), "i": t([[0, 1, 2], [2, 1, 0]]), "k": t([0, 1]), "k0": t(1),
        "b": t([[True, False, True], [False, True, True]]), "c": t([[1 + 1j, 2 - 0.5j, 0.25], [1j, -1, 0.5 - 2j]]),
        "d": t([[0.5, 1.5, -0.25], [2.0, 0.75, -1.0]], dtype=lib.float64), "u": t([[250, 3, 7], [1, 2, 9]], dtype=lib.uint8),
        "o": lib.empty(0), "ob": lib.empty(0, dtype=lib.bool), "ol": lib.empty(0, dtype=lib.int64), "oc": lib.empty(0, dtype=lib.complex64),
    }  # fmt: skip


def plain(v: Any, lib: Any) -> Any:
    """Return a result as plain data: numbers to three digits, what is tiny as 0."""
    if isinstance(v, lib.Tensor):
        strides = tuple(v.stride()) if v.numel() > 1 and v.layout == lib.strided else ()
        values = v.detach().to_dense() if v.layout != lib.strided else v.detach()
        return str(v.dtype).rpartition(".")[2], tuple(v.shape), strides, v.requires_grad, plain(values.tolist(), lib)
    if isinstance(v, (list, tuple)):
        return [type(v).__name__, *(plain(x, lib) for x in v)]
    if isinstance(v, complex):
        return plain(v.real, lib), plain(v.imag, lib)
    if isinstance(v, float):
        return f"{0.0 if abs(v) < 1e-6 else v:.3g}"
    return re.sub("taeda", "torch", repr(v))


def outcome(call: str, lib: Any) -> Any:
    lib.manual_seed(0)
    space = names(lib)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = plain(eval(call, space), lib)
    return result, plain(space["x"], lib) if re.search(r"\w_\(", call) else None


@pytest.mark.parametrize("line", LINES)
def test_each_call_gives_what_it_gives_with_torch(line: str) -> None:
    for call in line.split(" | "):
        assert outcome(call, taeda) == outcome(call, torch), call

"""Programs as users write them: one source, run under PyTorch and under taeda, everything that they show compared.

A program sees ``torch``, ``nn``, ``F``, ``optim``, ``data`` (PyTorch's ``torch.utils.data``), ``show(*values)`` for what is
to agree, and ``fails(f)``, which shows the type of the exception that ``f`` raises.
"""

from __future__ import annotations

import pathlib
import re
import sys
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributions
import torch.nn.utils.parametrize
import torch.nn.utils.prune
import torch.utils.checkpoint
import torch.utils.data

import taeda
import taeda.data
import taeda.nn
import taeda.nn.functional
import taeda.optim

PROGRAMS = sorted((pathlib.Path(__file__).parent / "programs").glob("*.txt"))


def plain(value: Any) -> Any:
    """The value with tensors as arrays and the library's name as taeda's."""
    if isinstance(value, (torch.Tensor, taeda.Tensor)):
        kind = str(value.dtype).rpartition(".")[2], tuple(value.shape), tuple(value.stride()) if value.numel() > 1 else ()
        return (*kind, "meta" if value.is_meta else np.array(value.detach().numpy()))
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, int, float, type(None))):
        return value
    return re.sub(r"\btorch\b", "taeda", str(value).replace("torch.utils.data", "taeda.data"))


def agree(a: Any, b: Any, where: str) -> None:
    if isinstance(b, dict):
        assert list(a) == list(b), f"{where}: {list(a)}, PyTorch has {list(b)}"
        for key in b:
            agree(a[key], b[key], f"{where}.{key}")
    elif isinstance(b, (list, tuple)):
        assert len(a) == len(b), f"{where}: {a}, PyTorch has {b}"
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            agree(x, y, f"{where}[{i}]")
    elif isinstance(b, np.ndarray):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-5, err_msg=where)
    elif isinstance(b, float):
        assert a == pytest.approx(b, rel=1e-3, abs=2e-5, nan_ok=True), f"{where}: {a}, PyTorch has {b}"
    else:
        assert type(a) is type(b) and a == b, f"{where}: {a!r}, PyTorch has {b!r}"


def run(source: str, name: str, lib: Any, nn: Any, functional: Any, optim: Any, data: Any, folder: pathlib.Path) -> list[Any]:
    shown: list[Any] = []

    def fails(f: Any) -> None:
        try:
            f()
        except Exception as error:
            shown.append((sys._getframe(1).f_lineno, type(error).__name__))
        else:
            shown.append((sys._getframe(1).f_lineno, "no error"))

    def show(*values: Any) -> None:
        shown.append((sys._getframe(1).f_lineno, plain(values)))

    lib.manual_seed(0)
    np.random.seed(0)
    lib.distributions.Distribution.set_default_validate_args(True)       # PyTorch's compiler, once it is imported, turns it off
    space = {
        "torch": lib, "nn": nn, "F": functional, "optim": optim, "data": data, "folder": folder, "fails": fails,
        "show": show, "__name__": name,
    }  # fmt: skip
    exec(compile(source, name, "exec"), space)
    return shown


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", PROGRAMS, ids=[p.stem for p in PROGRAMS])
def test_program(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    source, found = path.read_text(), []
    for lib, data in ((taeda, taeda.data), (torch, torch.utils.data)):
        folder = tmp_path / lib.__name__
        folder.mkdir()
        found.append(run(source, path.stem, lib, lib.nn, lib.nn.functional, lib.optim, data, folder))
    assert found[1], "the program shows nothing"
    for (line, mine), (_, theirs) in zip(*found, strict=True):
        agree(mine, theirs, f"{path.name}:{line}")

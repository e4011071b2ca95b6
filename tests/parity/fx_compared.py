"""How what fx says here and in PyTorch is compared: all that a traced module tells, as plain values in taeda's name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch

import taeda


def plain(x: Any) -> Any:
    """A value with tensors as arrays, and text in taeda's name."""
    if isinstance(x, (torch.Tensor, taeda.Tensor)):
        return np.array(x.detach().numpy())
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (bool, int, float, type(None))):
        return x
    text = x.__name__ if callable(x) and hasattr(x, "__name__") and not isinstance(x, type) else str(x)
    text = re.sub(r"\btorch\b", "taeda", text)
    return re.sub(r" at 0x[0-9a-f]+|<eval_with_key>\.\d+|, line \d+", "", text)


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, np.ndarray):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), (ours, theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for k in theirs:
            assert_same(ours[k], theirs[k])
    else:
        assert ours == theirs


def told(traced: Any) -> list[Any]:
    """All that a GraphModule says of itself."""
    return [str(traced.graph), traced.code, traced.print_readable(False), str(traced), [(n.op, n.name, n.target, n.args, dict(n.kwargs)) for n in traced.graph.nodes]]

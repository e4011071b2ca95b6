"""The same tensor through both libraries' printing, character for character."""

from __future__ import annotations

import random

import numpy as np
import pytest
import taeda
import torch

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]
OPTIONS = [{}, {"precision": 2}, {"precision": 7}, {"threshold": 5}, {"threshold": 20, "edgeitems": 1}, {"threshold": 5, "edgeitems": 0},
           {"linewidth": 30}, {"linewidth": 120}, {"profile": "short"}, {"sci_mode": True}, {"sci_mode": False}]  # fmt: skip


def values(r: random.Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of one of the kinds that printing tells apart."""
    x = np.random.default_rng(r.randrange(2**32)).standard_normal(shape)
    kind = r.randrange(8)
    if kind == 1:
        x = x * 10 ** r.uniform(-8, 0)
    elif kind == 2:
        x = x * 10 ** r.uniform(0, 12)
    elif kind == 3:
        x = np.round(x * 10 ** r.uniform(0, 12))
    elif kind == 4:
        x = x * 0
    elif kind == 5:
        x = x * 10.0 ** np.random.default_rng(1).integers(-9, 9, shape)
    elif kind >= 6 and x.size:
        x = np.round(x) if kind == 7 else x
        x.reshape(-1)[r.randrange(x.size)] = r.choice([np.nan, np.inf, -np.inf, 0.0, -0.0])
    if dtype == "uint8":
        return (np.abs(np.nan_to_num(x, posinf=0, neginf=0)) % 256).astype(dtype)
    if "int" in dtype:
        return np.clip(np.nan_to_num(x, posinf=0, neginf=0) * 3, -(2**31) + 1, 2**31 - 1000).astype(dtype)
    return np.asarray(x).astype(dtype)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_texts_are_equal(options: dict) -> None:
    r = random.Random(str(options))
    try:
        for _ in range(60):
            dtype = r.choice(DTYPES)
            shape = tuple(r.choice([0, 1, 2, 3, 5, 7, 8, 40]) for _ in range(r.randrange(5)))
            if np.prod(shape) > 5000:
                continue
            x = np.array(values(r, dtype, shape))
            a, b = taeda.from_numpy(x), torch.from_numpy(x)
            if len(shape) > 1 and r.random() < 0.3:
                a, b = a.transpose(0, -1), b.transpose(0, -1)
            if "float" in dtype and r.random() < 0.3:
                a, b = a.requires_grad_(), b.requires_grad_()
                if r.random() < 0.5:
                    a, b = a * 1, b * 1
            if r.random() < 0.1:
                a, b = a.to("meta"), b.to("meta")
            taeda.set_printoptions(**options)
            torch.set_printoptions(**options)
            assert repr(a).replace("dtype=taeda.", "dtype=torch.") == repr(b)
    finally:
        taeda.set_printoptions(profile="default")
        torch.set_printoptions(profile="default")

"""The names that taeda's rooms lend under the name torch are those that PyTorch's files have."""

from __future__ import annotations

import importlib

import pytest
import torch

from taeda._borrowed import _ORIGINS, _ROOMS


@pytest.mark.parametrize("room", _ROOMS)
def test_pytorchs_file_has_the_names(room: str) -> None:
    module = importlib.import_module(room.replace("taeda.data", "torch.utils.data").replace("taeda", "torch"))
    for name in _ROOMS[room].split():
        origin, part = _ORIGINS[name]
        place = origin.replace("taeda.data", "taeda.utils.data").replace("taeda", "torch")
        there = torch if place == "torch" else importlib.import_module(place)
        assert getattr(module, name) is (getattr(there, part) if part else there), name

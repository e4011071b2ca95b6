"""Under the name torch, rooms of all packages have the names that PyTorch's files import: each is found, and is the one it should be."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import importlib
import taeda.as_torch
torch = taeda.as_torch.install()
from taeda._borrowed import _ORIGINS, _ROOMS
for room, names in _ROOMS.items():
    module = importlib.import_module(room.replace("taeda.data", "torch.utils.data").replace("taeda", "torch"))
    assert module.__name__ == room, (module.__name__, room)
    for name in names.split():
        origin, part = _ORIGINS[name]
        there = importlib.import_module(origin)
        assert getattr(module, name) is (torch if name == "torch" else getattr(there, part) if part else there), (room, name)
from torch.functional import F
from torch.nn.modules.conv import _ConvNd, _pair, _size_2_t
from torch.nn.modules.padding import F as f
from torch.optim.adam import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler, Optimizer as optimizer
from torch.utils.data.dataset import randperm
assert F is f is torch.nn.functional and _pair(2) == (2, 2) and Optimizer is optimizer is torch.optim.Optimizer
layer = torch.nn.LSTM(2, 3)
x, state = torch.ones(4, 1, 2), (torch.zeros(1, 1, 3), torch.zeros(1, 1, 3))
y = torch._VF.lstm(x, state, layer._flat_weights, True, 1, 0.0, True, False, False)[0]
print(torch.equal(y, layer(x)[0]))
"""


def test_every_name_is_found_and_is_the_one_it_should_be() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("True\n", "")

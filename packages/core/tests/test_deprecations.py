"""What is deprecated in PyTorch, and numbers made of what requires grad, are warned of once in a process, at the line that does it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import taeda
taeda.range(0, 3)
taeda.meshgrid(taeda.arange(2), taeda.arange(2))
taeda.chain_matmul(taeda.ones(2, 2), taeda.ones(2, 2))
taeda.cross(taeda.ones(3), taeda.ones(3))
taeda.qr(taeda.eye(2))
for _ in "ab":
    taeda.range(0, 3)
    taeda.meshgrid(taeda.arange(2), taeda.arange(2), indexing="ij")
"""


def test_each_names_its_successor_and_the_callers_line() -> None:
    done = subprocess.run([sys.executable, "-W", "always", "-c", PROGRAM], capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert [line.split(":")[:2] for line in said] == [["<string>", str(number)] for number in range(3, 8)]
    successors = ("taeda.arange", "indexing", "taeda.linalg.multi_dot", "taeda.linalg.cross", "taeda.linalg.qr")
    assert all(name in line for name, line in zip(successors, said, strict=True))


SCALARS = """
import math, taeda
x = taeda.tensor(2.0, requires_grad=True)
assert (int(x), bool(x), x.item(), f"{x:.1f}") == (2, True, 2.0, "2.0")
with taeda.no_grad():
    assert float(x) == 2.0
taeda.ones(2).uniform_(0, x)
assert math.sqrt(x * 2) == 2.0
assert float(x) == 2.0 and complex(x) == 2.0
"""


def test_a_number_of_what_requires_grad_is_warned_of_once() -> None:
    done = subprocess.run([sys.executable, "-W", "always", "-c", SCALARS], capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert said == ["<string>:8: UserWarning: Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior."]
    assert "Consider using tensor.detach() first." in done.stderr

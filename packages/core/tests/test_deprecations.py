"""Functions that PyTorch calls deprecated say so once in a process, at the line that calls them."""

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

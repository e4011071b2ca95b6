"""What only a process of its own can show: the peak of its memory, and the time of its start.

A peak is the growth of the resident set: its highest point during the work, less what was resident after the framework was
imported, a first small operation done and the data made.  A start is the time of a whole process less that of a bare interpreter.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rows import Lib

RUN = pathlib.Path(__file__).parent / "run.py"


@dataclass(frozen=True)
class Peak:
    """The memory that ``work`` takes, in bytes; ``work`` prepares its data and returns what is measured."""

    name: str
    work: Callable[[Lib], Callable[[], Any]]
    group: str = "peak memory"
    target: float = 0.8
    once: bool = True                       # the same in every round

    def measure(self, lib: str, threads: int) -> float:
        command = [sys.executable, str(RUN), "--peak", lib, self.name, "--threads", str(threads)]
        return float(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=environment(threads)).stdout)


@dataclass(frozen=True)
class Start:
    """The seconds of a process that runs ``code``, with LIB for the framework's name; ``torch`` is its code where that differs."""

    name: str
    target: float
    code: str
    torch: str = ""
    group: str = "start"
    once: bool = False

    def measure(self, lib: str, threads: int) -> float:
        code = self.torch if lib == "torch" and self.torch else self.code.replace("LIB", lib)

        def run(what: str) -> float:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", what], check=True, env=environment(threads))
            return time.perf_counter() - start

        run(code)                           # bytecode is written, files are in the page cache
        return min(run(code) for _ in range(3)) - min(run("pass") for _ in range(3))


def environment(threads: int) -> dict[str, str]:
    """Return the surroundings of a measured process."""
    found = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def resnet_training(lib: Lib) -> Callable[[], Any]:
    from rows_networks import resnet18

    net = resnet18(lib)
    x, y = lib.T.randn(16, 3, 224, 224), lib.T.randint(0, 1000, (16,))
    opt = lib.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def work() -> None:
        for _ in range(3):
            opt.zero_grad()
            lib.F.cross_entropy(net(x), y).backward()
            opt.step()

    return work


def attention_4096(lib: Lib) -> Callable[[], Any]:
    q, k, v = (lib.T.randn(1, 8, 4096, 64).requires_grad_() for _ in range(3))
    return lambda: lib.F.scaled_dot_product_attention(q, k, v).sum().backward()


FIRST_STEP = """
import LIB as T
from LIB import nn, optim
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
opt = optim.SGD(net.parameters(), lr=0.1)
nn.functional.mse_loss(net(T.randn(4, 8)), T.zeros(4, 1)).backward()
opt.step()
"""

FRESH: list[Peak | Start] = [
    Peak("ResNet-18, three training steps, 16 x 3 x 224 x 224", resnet_training),
    Peak("attention 1 x 8 x 4096 x 64, forward and backward", attention_4096),
    Start("import taeda", 0.06, "import LIB"),
    Start("import taeda.vision, against import torch", 0.15, "import taeda.vision", "import torch"),
    Start("first training step of a small MLP", 0.2, FIRST_STEP),
]


def resident(key: str) -> int:
    """Return a figure of this process's memory in bytes: VmRSS, or VmHWM, its highest point."""
    found = re.search(rf"{key}:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found.group(1))


def peak(name: str, title: str, threads: int) -> int:
    """Return the peak of a row's work in this process, in bytes."""
    lib = Lib(name)
    work_of = next(r.work for r in FRESH if isinstance(r, Peak) and r.name == title)
    lib.T.set_num_threads(threads)
    lib.T.manual_seed(0)
    (lib.T.ones(8, 8) @ lib.T.ones(8, 8)).sum()
    work = work_of(lib)
    pathlib.Path("/proc/self/clear_refs").write_text("5")       # forget how high it was before
    before = resident("VmRSS")
    work()
    return resident("VmHWM") - before

"""What is deprecated in PyTorch, and numbers made of what requires grad, are warned of once in a process, at the line that does it."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

import taeda

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
    assert all(name in done.stderr for name in successors)


SCALARS = """
import math, taeda
x = taeda.tensor(2.0, requires_grad=True)
assert (int(x), bool(x), x.item(), f"{x:.1f}") == (2, True, 2.0, "2.0")
with taeda.no_grad():
    assert float(x) == 2.0
assert math.sqrt(x * 2) == 2.0
assert float(x) == 2.0 and complex(x) == 2.0
"""


def test_a_number_of_what_requires_grad_is_warned_of_once() -> None:
    done = subprocess.run([sys.executable, "-W", "always", "-c", SCALARS], capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert said == ["<string>:7: UserWarning: Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior."]
    assert "Consider using tensor.detach() first." in done.stderr


LINES = """
import numpy, taeda
fixed = numpy.ones(2)
fixed.flags.writeable = False
byte = taeda.tensor([1, 0], dtype=taeda.uint8)
result = taeda.ones(2, requires_grad=True) * 2
taeda.set_warn_always(True)
START = None
taeda.where(byte, taeda.ones(2), taeda.zeros(2))
taeda.ones(2)[byte]
taeda.ones(2, 2)[[[0], [1]]]
taeda.tensor(taeda.ones(2))
taeda.from_numpy(fixed)
result.grad
taeda.ones(1).var()
taeda.add(taeda.ones(2), 1, out=taeda.ones(3))
taeda.ones(3).half().random_(-5000, 5000)
taeda.autograd.detect_anomaly()
taeda.ones(1).volatile
taeda.autograd.Variable(taeda.ones(1), volatile=True)
(taeda.ones(2, requires_grad=True) * 2).sum().backward(create_graph=True)
taeda.autograd.backward((taeda.ones(2, requires_grad=True) * 2).sum(), create_graph=True)
taeda.ones(4).resize(2, 2)
taeda.ones(4).resize_as(taeda.ones(2, 2))
taeda.testing.assert_allclose(taeda.ones(2), taeda.ones(2))
"""


def test_warnings_of_compiled_functions_point_at_the_callers_line() -> None:
    done = subprocess.run([sys.executable, "-W", "always", "-c", LINES], capture_output=True, text=True, check=True)
    lines = LINES.splitlines()
    expected = range(lines.index("START = None") + 2, len(lines) + 1)
    said = [line.split(":")[:2] for line in done.stderr.splitlines() if "Warning" in line]
    said = [at for i, at in enumerate(said) if i == 0 or at != said[i - 1]]             # random_ warns of both of its bounds
    assert said == [["<string>", str(number)] for number in expected]


def test_programs_that_script_are_told_only_where_all_warnings_are_asked_for() -> None:
    """PyTorch's warning is of its own file, which Python leaves out unless asked."""
    run = [sys.executable, "-c", "import taeda; f = taeda.jit.script(lambda x: x); taeda.jit.trace(f, (taeda.ones(1),))"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stderr == ""
    told = subprocess.run([run[0], "-W", "always", *run[1:]], capture_output=True, text=True, check=True).stderr
    assert "`taeda.jit.script` is deprecated" in told and "`taeda.jit.trace` is deprecated" in told


def test_lists_of_arrays_and_complex_weights_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taeda._once._told", set())
    with pytest.warns(UserWarning, match=r"^Creating a tensor from a list of numpy\.ndarrays is extremely slow"):
        assert taeda.tensor([[np.ones(2)], [np.zeros(2)]]).tolist() == [[[1.0, 1.0]], [[0.0, 0.0]]]
    with pytest.warns(UserWarning, match="^Casting complex values to real discards the imaginary part"):
        assert taeda.bincount(taeda.tensor([1, 1]), taeda.tensor([1 + 2j, 3])).tolist() == [0.0, 4.0]


def test_random_tensors_in_place_of_others_are_resized_without_a_word() -> None:
    for fill in (taeda.rand, taeda.randn):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert fill(2, out=taeda.ones(3)).shape == (2,)

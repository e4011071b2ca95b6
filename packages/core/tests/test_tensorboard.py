"""SummaryWriter where the package tensorboard is there, and what is said where it is not; its events: tests/parity/test_tensorboard.py."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys

import pytest

import taeda

THERE = importlib.util.find_spec("tensorboard") is not None


@pytest.mark.skipif(THERE, reason="tensorboard is installed")
def test_what_is_missing_is_said() -> None:
    with pytest.raises(ModuleNotFoundError, match="pip install tensorboard"):
        import taeda.utils.tensorboard  # noqa: F401


@pytest.mark.skipif(not THERE, reason="needs tensorboard")
def test_a_scalar_comes_back(tmp_path: pathlib.Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from taeda.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_scalar("loss", taeda.tensor(2.0**-step), step)
    log = EventAccumulator(str(tmp_path))
    log.Reload()
    assert [(e.step, e.value) for e in log.Scalars("loss")] == [(0, 1.0), (1, 0.5), (2, 0.25)]


@pytest.mark.skipif(not THERE, reason="needs tensorboard")
def test_complex_tensors_are_kept_part_by_part() -> None:
    from taeda.utils.tensorboard.summary import tensor_proto

    x = taeda.tensor([[1 + 3j, 2 + 4j]])
    assert list(tensor_proto("x", x).value[0].tensor.scomplex_val) == [1, 3, 2, 4]
    assert list(tensor_proto("x", x.to(taeda.complex128).T).value[0].tensor.dcomplex_val) == [1, 3, 2, 4]


@pytest.mark.skipif(not THERE, reason="needs tensorboard")
def test_charts_stay_in_the_folder(tmp_path: pathlib.Path) -> None:
    from taeda.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path / "log") as writer:
        writer.add_scalars("a/b", {"c/../d": 1.0})
        for tag in ("../../../x", "x/../../y"):
            with pytest.raises(ValueError, match=r"^\[add_scalars\] the tag .* leads out of"):
                writer.add_scalars("a", {tag: 1.0})
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_it_is_not_imported_with_taeda() -> None:
    code = "import sys, taeda, taeda.utils; print([m for m in sys.modules if m.startswith(('tensorboard', 'google'))])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"

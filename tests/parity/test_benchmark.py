"""Measurements of the same times through both libraries, character for character."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils import benchmark as theirs

import taeda
from taeda.utils import benchmark as ours

SCATTERS = ([1e-4], [1e-4, 2e-4], [3e-4, 1e-4, 2e-4, 9e-4], [1.0] * 4, [1, 1.01, 1.02, 1.03, 1.2], [3, 1, 2.0])
SPECS: tuple[dict[str, Any], ...] = (
    {},
    {"stmt": "a\nb", "label": None},
    {"setup": "q=1\nr=2", "description": None},
    {"label": None, "setup": "z=1", "num_threads": 3, "sub_label": None},
)


def measured(lib: Any, times: list[float], number: int = 10, **spec: Any) -> Any:
    words = {"stmt": "x+1", "setup": "pass", "description": "zz", "sub_label": "ss", "label": "ll", **spec}
    return lib.Measurement(number_per_run=number, raw_times=list(times), task_spec=lib.TaskSpec(**words))


def grid(lib: Any) -> list[Any]:
    keys = [(s, d, n, e) for s in ("small", "large") for d in ("a", "bbb") for n in (1, 2) for e in ("main", "br")]
    return [
        measured(lib, [1e-4 * i, 1.1e-4 * i, 1.2e-4 * i], sub_label=s, description=d, num_threads=n, env=e)
        for i, (s, d, n, e) in enumerate(keys, 1)
    ]


def ladder(lib: Any) -> list[Any]:
    return [measured(lib, [1e-3 * r] * 3, 1, sub_label=str(r)) for r in (1, 1.01, 1.04, 1.06, 1.1, 1.11, 1.9, 2, 2.1, 4.9, 5, 9)]


TABLES = {
    "threads and environments": grid,
    "ratios": ladder,
    "holes": lambda lib: [
        measured(lib, [1e-3] * 3),
        measured(lib, [2e-3] * 3, description="d"),
        measured(lib, [3], sub_label="a longer one", description="e"),
    ],
    "noise": lambda lib: [measured(lib, [1e-4, 3e-4, 5e-4, 9e-4]), measured(lib, [1e-4] * 3, description="d")],
    "labels": lambda lib: [measured(lib, [1e-3] * 3, label=label) for label in ("p", "q", None)],
    "merged": lambda lib: [measured(lib, [1.2345, 1.2346]), measured(lib, [123.4]), measured(lib, [0.012, 0.013], description="y")],
    "figures": lambda lib: [measured(lib, [1.23456, 1.2346], 1), measured(lib, [123.456] * 2, 1, sub_label="k")],
    "one environment": lambda lib: [measured(lib, [1e-3], env="main")],
}


@pytest.mark.parametrize("how", ["plain", "trim_significant_figures", "colorize", "rowwise", "highlight_warnings"])
@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str, how: str) -> None:
    texts = []
    for lib in (ours, theirs):
        table = lib.Compare(TABLES[name](lib))
        if how == "rowwise":
            table.colorize(rowwise=True)
        elif how != "plain":
            getattr(table, how)()
        texts.append(str(table))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("times", SCATTERS)
def test_measurements(times: list[float], spec: dict[str, Any]) -> None:
    mine, other = (measured(lib, times, **spec) for lib in (ours, theirs))
    assert repr(mine).split("\n")[1:] == repr(other).split("\n")[1:]
    for name in ("title", "as_row_name", "significant_figures", "has_warnings", "number_per_run", "times", "median"):
        assert getattr(mine, name) == getattr(other, name), name
    assert mine.iqr == pytest.approx(other.iqr) and mine.mean == pytest.approx(other.mean)


@pytest.mark.parametrize("stmt", ["pass", "x + 1", "\n    y = x\n    z = y\n"])
def test_timers_describe_alike(stmt: str) -> None:
    mine, other = (lib.Timer(stmt, "x = 1", label="l", num_threads=1).timeit(3) for lib in (ours, theirs))
    assert mine.title == other.title and mine.as_row_name == other.as_row_name
    assert taeda.get_num_threads() > 0 and torch.get_num_threads() > 0

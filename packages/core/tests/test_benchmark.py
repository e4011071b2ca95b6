"""taeda.utils.benchmark: what is timed, on how many threads, and how it is shown.  No test asserts how long something takes."""

from __future__ import annotations

import math
from typing import Any

import pytest

import taeda
from taeda.utils import benchmark
from taeda.utils.benchmark import Compare, Measurement, TaskSpec, Timer


def measured(times: list[float], number: int = 1, **spec: Any) -> Measurement:
    return Measurement(number, times, TaskSpec(**{"stmt": "f(x)", "setup": "pass", "label": "f", "description": "d", **spec}))


class Clock:
    """A clock that moves a second at each look."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_statement_runs_as_often_as_asked_after_a_warm_up() -> None:
    seen: list[int] = []
    m = Timer("seen.append(taeda.ones(2).sum().item())", globals={"seen": seen}, timer=Clock()).timeit(300)
    assert len(seen) == 303 and set(seen) == {2.0}
    assert m.number_per_run == 300 and m.raw_times == [1.0] and m.median == m.mean == 1 / 300 and m.iqr == 0


def test_threads_are_the_timers_and_then_what_they_were() -> None:
    before = taeda.get_num_threads()
    seen: list[int] = []
    try:
        taeda.set_num_threads(2)
        for n in (1, 3):
            Timer("seen.append(taeda.get_num_threads())", globals={"seen": seen}, num_threads=n).timeit(1)
            assert set(seen) == {n} and taeda.get_num_threads() == 2
            seen.clear()
        with pytest.raises(ZeroDivisionError):
            Timer("1 / 0").blocked_autorange()
        assert taeda.get_num_threads() == 2
    finally:
        taeda.set_num_threads(before)


def test_ranges_choose_their_blocks() -> None:
    calls: list[tuple[int, float]] = []
    m = Timer("x + 1", "x = taeda.ones(4)").blocked_autorange(lambda n, t: calls.append((n, t)), min_run_time=0.01)
    assert [t for _, t in calls] == m.raw_times and {n for n, _ in calls} == {m.number_per_run}
    assert sum(m.raw_times) >= 0.01 and math.log10(m.number_per_run).is_integer() and min(m.times) > 0
    m = Timer("pass").adaptive_autorange(threshold=1e9, min_run_time=0.0)
    assert len(m.times) == 4


def test_code_is_dedented() -> None:
    m = Timer("\n    y = a\n    z = y\n", setup="\n    a = 1\n    b = 2").timeit(1)
    assert m.task_spec.stmt == "y = a\nz = y" and m.title == "stmt:\n  y = a\n  z = y"
    assert m.stmt == "y = a\nz = y" and m.label is None
    with pytest.raises(AttributeError, match="nothing"):
        m.nothing  # noqa: B018


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="stmt must be a str"):
        Timer(lambda: 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Invalid language `c`"):
        Timer("1", language="c")
    with pytest.raises(NotImplementedError, match="not compiled"):
        Timer("1", language="c++")
    with pytest.raises(NotImplementedError, match="perf stat"):
        Timer("1").collect_callgrind()
    with pytest.raises(NotImplementedError, match="blocked_autorange"):
        Timer("1").repeat()
    with pytest.raises(ValueError, match="Measurements, got int"):
        Compare([1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="no times"):
        measured([]).median  # noqa: B018


def test_statistics() -> None:
    m = measured([9.0, 1.0, 2.0, 3.0], number=10)
    assert m.times == [0.9, 0.1, 0.2, 0.3] and m.median == 0.25 and m.mean == pytest.approx(0.375)
    assert m.iqr == pytest.approx(0.45 - 0.175) and m.has_warnings and not m.meets_confidence() and m.meets_confidence(2)
    assert m.significant_figures == 1 and measured([1.0] * 4).significant_figures == 4
    assert measured([1e-5]).significant_figures == 2, "no surer than the clock"
    a, b = measured([1.0], number=2), measured([3.0])
    (both,) = Measurement.merge([a, b])
    assert both.times == [0.5, 3.0] and both.number_per_run == 1
    assert len(Measurement.merge([a, measured([1.0], env="other")])) == 2


def test_measurement_as_text() -> None:
    text = repr(measured([1e-4, 2e-4, 3e-4, 9e-4], number=10, sub_label="s", setup="x = 1"))
    assert text.startswith("<taeda.utils.benchmark.Measurement object at 0x")
    assert text.split("\n")[1:] == [
        "f: s", "d", "setup: x = 1", "  Median: 25.00 us", "  IQR:    27.50 us (17.50 to 45.00)",
        "  4 measurements, 10 runs per measurement, 1 thread",
        "  WARNING: Interquartile range is 110.0% of the median measurement.",
        "           This suggests significant environmental influence.",
    ]
    assert repr(measured([0.1], num_threads=4)).endswith(
        "  100.00 ms\n  1 measurement, 1 runs , 4 threads")


def test_table() -> None:
    rows = [measured([1e-6 * t] * 5, sub_label=s, description=d) for s, d, t in
            [("small", "old", 30), ("small", "new", 20), ("large", "new", 80)]]
    compare = Compare(rows)
    assert str(compare) == (
        "[------------ f ------------]\n"
        "             |  old   |  new \n"
        "1 threads: ------------------\n"
        "      small  |  30.0  |  20.0\n"
        "      large  |        |  80.0\n"
        "\n"
        "Times are in microseconds (us).\n")
    compare.colorize(rowwise=True)
    assert "\033[92m\033[1m20.0\033[0m\033[0m" in str(compare) and "|  30.0  |" in str(compare)
    compare.extend_results([measured([1e-6, 9e-6], sub_label="noisy", description="old")])
    compare.highlight_warnings()
    assert "(! 80%)" in str(compare) and "high variance" in str(compare)


@pytest.mark.parametrize(("seconds", "unit"), [(1e-10, "ns"), (9.9e-7, "ns"), (1e-6, "us"), (1e-3, "ms"), (0.5, "ms"), (100, "s")])
def test_units(seconds: float, unit: str) -> None:
    assert benchmark.select_unit(seconds)[0] == unit
    assert benchmark.unit_to_english("ms") == "millisecond"
    assert [benchmark.trim_sigfig(x, 2) for x in (123.456, 0.0, -0.0567)] == pytest.approx([120, 0, -0.057])

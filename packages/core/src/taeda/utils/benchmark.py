"""Timing of statements, with the names of ``torch.utils.benchmark``: Timer takes times, Measurement holds them, Compare tabulates.

A timer runs its statement on a number of threads of its own and gives the caller's number back.  Blocks of runs are timed, long
enough that the clock's own cost does not show.

>>> from taeda.utils import benchmark
>>> timer = benchmark.Timer("x + 1", setup="x = taeda.ones(8)", label="add", sub_label="8")
>>> m = timer.timeit(100)
>>> m.number_per_run, len(m.times), m.title, m.median > 0
(100, 1, 'add: 8', True)
"""

from __future__ import annotations

import enum
import math
import statistics
import sys
import textwrap
import timeit
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import taeda
from taeda import _spoken, threads

__all__ = [
    "Colorize", "Compare", "Language", "Measurement", "TaskSpec", "Timer", "ordered_unique", "select_unit", "set_torch_threads", "timer",
    "trim_sigfig", "unit_to_english",
]

timer = timeit.default_timer

MOST_FIGURES = 4                # more are noise on any machine
CLOCK_ERROR = 25e-9             # seconds: no interval of confidence is smaller
UNITS = (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0))
ENGLISH = {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}
NOISY = 0.1                     # IQR / median from which a measurement warns; from 0.25 on it does so in stronger words
MOST_RUNS = 2**31 // 10


class Language(enum.Enum):
    """The language of a statement; only Python's are run."""

    PYTHON = 0
    CPP = 1


@contextmanager
def set_torch_threads(n: int) -> Iterator[None]:
    """Run a block on ``n`` threads; afterwards the number is what it was."""
    before = threads.get_num_threads()
    try:
        threads.set_num_threads(n)
        yield
    finally:
        threads.set_num_threads(before)


def select_unit(t: float) -> tuple[str, float]:
    """Return the largest of ns, us, ms and s that is not above ``t`` seconds, with its length.

    >>> from taeda.utils.benchmark import select_unit
    >>> select_unit(0.02)
    ('ms', 0.001)
    """
    # A hair of room: 1e-6 comes out of divisions as 9.999999999999999e-07.
    return next((unit for unit in reversed(UNITS) if t >= unit[1] * (1 - 1e-9)), UNITS[0])


def unit_to_english(u: str) -> str:
    """Return a unit's name in full.

    >>> from taeda.utils.benchmark import unit_to_english
    >>> unit_to_english("us")
    'microsecond'
    """
    return ENGLISH[u]


def leading_digits(x: float) -> int:
    """Return the number of digits in front of the decimal point; negative for the zeros after it."""
    return math.ceil(math.log10(abs(x))) if x else 0


def trim_sigfig(x: float, n: int) -> float:
    """Round ``x`` to ``n`` significant figures.

    >>> from taeda.utils.benchmark import trim_sigfig
    >>> trim_sigfig(123.456, 2)
    120.0
    """
    scale = 10.0 ** (leading_digits(x) - n)
    return float(round(x / scale) * scale)


def ordered_unique(elements: Iterable[Any]) -> list[Any]:
    """Return each element once, in the order in which they came first."""
    return list(dict.fromkeys(elements))


def percentile(ordered: list[float], q: float) -> float:
    """Return the ``q``-th quantile of ordered numbers, between two of them in proportion."""
    at = q * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


@dataclass(frozen=True)
class TaskSpec:
    """What is timed, and how it is labelled; measurements of equal ones belong together."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or the statement, with the sub-label."""
        if self.label is not None:
            return self.label + (f": {self.sub_label}" if self.sub_label else "")
        if "\n" not in self.stmt:
            return self.stmt + (f": {self.sub_label}" if self.sub_label else "")
        return f"stmt:{f' ({self.sub_label})' if self.sub_label else ''}\n{textwrap.indent(self.stmt, '  ')}"

    def setup_str(self) -> str:
        """The setup as it is shown: nothing for ``pass``."""
        if self.setup in ("pass", ""):
            return ""
        return f"setup:\n{textwrap.indent(self.setup, '  ')}" if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self) -> str:
        """Title, description and setup, one under the other."""
        sections = [self.title, self.description or "", self.setup_str()]
        return "\n".join(f"{s}\n" if "\n" in s else s for s in sections if s)


@dataclass(repr=False)
class Measurement:
    """Times of one task.

    Args:
        number_per_run: how often the statement ran for each of ``raw_times``.
        raw_times: seconds that each block of runs took.
        task_spec: what was timed.
        metadata: whatever its maker wants to keep.

    >>> from taeda.utils.benchmark import Measurement, TaskSpec
    >>> measured = Measurement(10, [0.5, 0.3, 0.4], TaskSpec("f()", "pass"))
    >>> measured.times, measured.median
    ([0.05, 0.03, 0.04], 0.04)
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None
    _ordered: list[float] = field(default_factory=list, init=False, compare=False)

    def __getattr__(self, name: str) -> Any:
        # label, sub_label, description, num_threads, stmt and the rest are the task's
        spec = self.__dict__.get("task_spec")
        if spec is None or name.startswith("__"):
            raise AttributeError(f"'Measurement' object has no attribute {name!r}")
        return getattr(spec, name)

    @property
    def times(self) -> list[float]:
        """Seconds a run, one for each block."""
        return [t / self.number_per_run for t in self.raw_times]

    def _sorted(self) -> list[float]:
        if not self.raw_times:
            raise ValueError("[Measurement] there are no times in it")
        if len(self._ordered) != len(self.raw_times):
            self._ordered = sorted(self.times)
        return self._ordered

    @property
    def median(self) -> float:
        """Seconds a run: the middle of the blocks."""
        return statistics.median(self._sorted())

    @property
    def mean(self) -> float:
        """Seconds a run: the mean of the blocks."""
        return math.fsum(self._sorted()) / len(self.raw_times)

    @property
    def iqr(self) -> float:
        """The distance between the first quartile and the third, in seconds a run."""
        ordered = self._sorted()
        return percentile(ordered, 0.75) - percentile(ordered, 0.25)

    @property
    def significant_figures(self) -> int:
        """How many figures of the median mean something: from the scatter of its middle half, 95% to either side."""
        ordered = self._sorted()
        n = len(ordered)
        middle = ordered[n // 4:max(math.ceil(3 * n / 4), n // 4 + 1)]
        interval = max(1.645 * statistics.pstdev(middle) / math.sqrt(len(middle)), CLOCK_ERROR)
        return min(max(math.floor(-math.log10(interval / self.median)), 1), MOST_FIGURES) if self.median > 0 else 1

    @property
    def has_warnings(self) -> bool:
        """Whether the times scatter so much that they should not be trusted."""
        return not self.meets_confidence()

    def meets_confidence(self, threshold: float = NOISY) -> bool:
        """Whether the inter-quartile range is below ``threshold`` of the median."""
        return self.iqr < threshold * self.median

    @property
    def title(self) -> str:
        """What was timed, in a line."""
        return self.task_spec.title

    @property
    def env(self) -> str | None:
        """The name of the environment, such as a branch."""
        return self.task_spec.env

    @property
    def as_row_name(self) -> str:
        """The name of its row in a table."""
        return self.task_spec.sub_label or self.task_spec.stmt or "[Unknown]"

    def __repr__(self) -> str:
        unit, scale = select_unit(self.median)
        n, runs = len(self.raw_times), self.number_per_run
        lines = [object.__repr__(self), self.task_spec.summarize()]
        if n > 1:
            lines.append(f"  Median: {self.median / scale:.2f} {unit}")
        else:
            lines.append(f"  {self.median / scale:.2f} {unit}")
        if n >= 4:
            low, high = percentile(self._sorted(), 0.25), percentile(self._sorted(), 0.75)
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit} ({low / scale:.2f} to {high / scale:.2f})")
        lines.append(f"  {n} measurement{'s' if n > 1 else ''}, {runs} runs {'per measurement' if n > 1 else ''}, "
                     f"{self.task_spec.num_threads} thread{'s' if self.task_spec.num_threads > 1 else ''}")
        if self.has_warnings:
            scatter = self.iqr / self.median if self.median else math.inf
            lines.append(f"  WARNING: Interquartile range is {scatter * 100:.1f}% of the median measurement.")
            lines.append("           This suggests significant environmental influence." if scatter >= 0.25
                         else "           This could indicate system fluctuation.")
        return "\n".join(lines)

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """Return one measurement for each task, with the times of all that there are of it, as seconds a run."""
        groups: dict[TaskSpec, list[Measurement]] = {}
        for m in measurements:
            groups.setdefault(m.task_spec, []).append(m)
        return [Measurement(1, [t for m in group for t in m.times], spec) for spec, group in groups.items()]


class Timer:
    """Time a statement.

    Args:
        stmt: Python code, as text.
        setup: code that runs first, untimed; both know ``taeda``.
        global_setup: only for C++, which is refused.
        timer: a clock, in seconds.
        globals: names that the code may use.
        label, sub_label, description, env: where Compare puts the result: table, row, column, and a mark before the row.
        num_threads: how many threads the kernels use while it runs.
        language: "python".

    Raises:
        ValueError: ``stmt`` is not text, or the language is unknown.
        NotImplementedError: the language is C++.

    >>> import taeda
    >>> from taeda.utils.benchmark import Timer
    >>> measured = Timer("x + x", globals={"x": taeda.ones(3)}).timeit(100)
    >>> measured.number_per_run, 0 < measured.median < 1
    (100, True)
    """

    def __init__(
        self, stmt: str = "pass", setup: str = "pass", global_setup: str = "", timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None, label: str | None = None, sub_label: str | None = None,
        description: str | None = None, env: str | None = None, num_threads: int = 1, language: Language | str = Language.PYTHON,
    ) -> None:
        if not isinstance(stmt, str):
            raise ValueError(f"[Timer] stmt must be a str, got {type(stmt).__name__}; put callables in globals and call them by name")
        if language in (Language.CPP, "cpp", "c++", "C++"):
            raise NotImplementedError("[Timer] C++ is not compiled here; time a Python statement")
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"[Timer] Invalid language `{language}`.")
        if global_setup:
            raise ValueError(f"[Timer] global_setup is for C++ only, got {global_setup!r}")
        stmt = textwrap.dedent(stmt)
        stmt = (stmt[1:] if stmt.startswith("\n") else stmt).rstrip()
        setup = textwrap.dedent(setup)
        setup = (setup[1:] if setup.startswith("\n") else setup).rstrip()
        self._globals = {"taeda": taeda, _spoken.name: taeda, **dict(globals or {})}
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)
        self._timer = timeit.Timer(stmt or "pass", setup or "pass", timer, self._globals)

    def _time(self, number: int) -> float:
        # a clock that stands still would make rates infinite
        return max(self._timer.timeit(number), 1e-9)

    def timeit(self, number: int = 1000000) -> Measurement:
        """Run the statement ``number`` times, after a short warm-up, and return the time in one block."""
        with set_torch_threads(self._task_spec.num_threads):
            self._time(max(number // 100, 2))
            return Measurement(number, [self._time(number)], self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """Raise NotImplementedError, as PyTorch's does."""
        raise NotImplementedError("[Timer.repeat] see Timer.blocked_autorange")

    def autorange(self, callback: Callable[[int, float], Any] | None = None) -> None:
        """Raise NotImplementedError, as PyTorch's does."""
        raise NotImplementedError("[Timer.autorange] see Timer.blocked_autorange")

    def _block_size(self, min_run_time: float) -> int:
        """Return a power of ten of runs, in which reading the clock is lost and of which many fit into ``min_run_time``."""
        overhead = statistics.median(self._time(0) for _ in range(5))
        number = 1
        while number <= MOST_RUNS:
            took = self._time(number)
            if took >= min_run_time or (took >= min_run_time / 1000 and overhead <= 1e-4 * took):
                break
            number *= 10
        return number

    def _blocks(self, number: int, least: float, most: float, enough: Callable[[list[float]], bool],
                callback: Callable[[int, float], Any] | None) -> list[float]:
        """Time blocks for ``least`` seconds at least, then until it is enough or ``most`` seconds have gone."""
        times: list[float] = []
        total = 0.0
        while total < least or (total < most and not enough(times)):
            took = self._time(number)
            times.append(took)
            total += took
            if callback is not None:
                callback(number, took)
        return times

    def blocked_autorange(self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2) -> Measurement:
        """Time blocks of runs for ``min_run_time`` seconds, each long enough for the clock.

        Args:
            callback: called with the number of runs and the seconds of each block.
        """
        with set_torch_threads(self._task_spec.num_threads):
            number = self._block_size(min_run_time)
            times = self._blocks(number, min_run_time, math.inf, lambda _: True, callback)
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:
        """Time blocks of runs until the inter-quartile range is below ``threshold`` of the median, or ``max_run_time`` has gone."""
        def steady(times: list[float]) -> bool:
            return len(times) >= 4 and Measurement(number, times, self._task_spec).meets_confidence(threshold)

        with set_torch_threads(self._task_spec.num_threads):
            number = self._block_size(min_run_time=0.05)
            times = self._blocks(number, min_run_time, max_run_time, steady, callback)
        return Measurement(number, times, self._task_spec)

    def collect_callgrind(
        self, number: int = 100, *, repeats: int | None = None, collect_baseline: bool = True, retain_out_file: bool = False,
    ) -> Any:
        """Raise NotImplementedError: counting instructions needs marks inside of an interpreter that runs under Valgrind."""
        raise NotImplementedError(
            "[Timer.collect_callgrind] instructions are not counted: that needs Valgrind's marks in the interpreter; "
            "run `perf stat -e instructions:u python program.py`, or `valgrind --tool=callgrind` on the program")


class Colorize(enum.Enum):
    """What the colours of a table compare: nothing, times of a column, or times of a row."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


# A time's ratio to the best of its group, and how it is shown up to there.
BEST, GOOD, PLAIN, SLOW, WORST = "\033[92m\033[1m", "\033[34m\033[1m", "", "\033[2m\033[91m", "\033[31m\033[1m"
END = "\033[0m\033[0m"


def painted(text: str, value: float, best: float) -> str:
    """Return text in the colour of its ratio to the best: bright green, blue, none, pale red, red."""
    ratio = value / best
    code = BEST if ratio < 1.02 else GOOD if ratio <= 1.1 else PLAIN if ratio < 2 else SLOW if ratio < 5 else WORST
    return f"{code}{text}{END}" if code else text


class Compare:
    """A table of measurements: one for each label, rows by sub-label and threads, columns by description.

    >>> from taeda.utils.benchmark import Compare, Measurement, TaskSpec
    >>> def measured(rows, kind, microseconds):
    ...     return Measurement(1, [microseconds * 1e-6] * 5, TaskSpec("f(x)", "pass", "", "f", rows, kind))
    >>> table = Compare([measured("small", "old", 30), measured("small", "new", 20)])
    >>> [line.split() for line in str(table).splitlines()][1:4]
    [['|', 'old', '|', 'new'], ['1', 'threads:', '------------------'], ['small', '|', '30.0', '|', '20.0']]
    """

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self.extend_results(results)
        self._trim_significant_figures = self._highlight_warnings = False
        self._colorize = Colorize.NONE

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements.

        Raises ValueError if one is not a Measurement.
        """
        results = list(results)
        for r in results:
            if not isinstance(r, Measurement):
                raise ValueError(f"[Compare] expects Measurements, got {type(r).__name__}")
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Show only as many figures of each time as its scatter allows."""
        self._trim_significant_figures = True

    def colorize(self, rowwise: bool = False) -> None:
        """Colour times by their ratio to the best of their column (and number of threads), or of their row."""
        self._colorize = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Mark times that scatter much."""
        self._highlight_warnings = True

    def print(self) -> None:
        """Print the tables."""
        print(str(self))

    def __str__(self) -> str:
        groups: dict[str, list[Measurement]] = {}
        for m in Measurement.merge(self._results):
            groups.setdefault(m.label or "", []).append(m)
        return "\n".join(self._table(label, group) for label, group in groups.items())

    def _table(self, label: str, results: list[Measurement]) -> str:
        """Return the results of one label as a table: a column a description, a row a number of threads, environment and sub-label."""
        unit, scale = select_unit(min(r.median for r in results))
        columns = ordered_unique(r.description or "" for r in results)
        # threads first; then environments by name, which stand together; then sub-labels as they came
        keys = ordered_unique((r.num_threads, r.env or "", r.as_row_name) for r in results)
        keys.sort(key=lambda key: key[:2])
        cells = {((r.num_threads, r.env or "", r.as_row_name), r.description or ""): r for r in results}
        bests = self._bests(cells)

        envs = ordered_unique(key[1] for key in keys)
        width = max(len(e) for e in envs)
        names, shown = [], None
        for key in keys:
            mark = f"({key[1]})" if len(envs) > 1 and key[1] and key[:2] != shown else ""
            shown = key[:2]
            names.append(f"  {mark.ljust(width + 4 if len(envs) > 1 else 4)}{key[2]}")
        texts = {column: self._column([cells.get((key, column)) for key in keys], scale) for column in columns}

        first = max(map(len, names))
        widths = {column: max(len(column), *map(len, texts[column])) for column in columns}
        header = "  |  ".join([" " * first, *(column.center(widths[column]) for column in columns)])
        lines = ["[" + f" {label} ".center(len(header) - 2, "-") + "]", header]
        group = None
        for i, key in enumerate(keys):
            if key[0] != group:
                group = key[0]
                lines.append(f"{group} threads: ".ljust(len(header), "-"))
            row = [names[i].ljust(first)]
            for column in columns:
                r, text = cells.get((key, column)), texts[column][i].ljust(widths[column])
                best = bests.get(key if self._colorize is Colorize.ROWWISE else (key[0], column))
                row.append(painted(text, r.median, best) if r is not None and best else text)
            lines.append("  |  ".join(row))
        lines += ["", f"Times are in {unit_to_english(unit)}s ({unit})."]
        if self._highlight_warnings and any(r.has_warnings for r in results):
            lines.append("(! XX%) Measurement has high variance, where XX is the IQR / median * 100.")
        return "\n".join(lines) + "\n"

    def _bests(self, cells: dict[Any, Measurement]) -> dict[Any, float]:
        """Return the smallest median of each group that colours compare."""
        found: dict[Any, float] = {}
        if self._colorize is not Colorize.NONE:
            for (key, column), r in cells.items():
                group = key if self._colorize is Colorize.ROWWISE else (key[0], column)
                found[group] = min(found.get(group, math.inf), r.median)
        return found

    def _column(self, results: list[Measurement | None], scale: float) -> list[str]:
        """Return the texts of a column: as many decimals as its least certain time has, points under each other."""
        there = [r for r in results if r is not None]
        before = max(max(leading_digits(r.median / scale) for r in there), 1)
        after = 1
        if self._trim_significant_figures:
            after = min(max(r.significant_figures - leading_digits(r.median / scale), 0) for r in there)
        width = before + after + (1 if after else 0)
        texts = []
        for r in results:
            if r is None:
                texts.append("")
                continue
            value = r.median / scale
            text = f"{trim_sigfig(value, r.significant_figures) if self._trim_significant_figures else value:>{width}.{after}f}"
            if self._highlight_warnings:
                text += f" (! {r.iqr / r.median * 100:.0f}%)" if r.has_warnings else ""
            texts.append(text)
        return texts


# the files in which PyTorch keeps these, for programs that import from there
sys.modules.update({f"{__name__}.{name}": sys.modules[__name__] for name in ("utils", "utils.common", "utils.compare", "utils.timer")})

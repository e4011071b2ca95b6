"""Time taeda against PyTorch in turn and print the ratio of each row.

    python benchmarks/run.py [--threads 1 2] [--rounds 5] [--only PATTERN] [--json FILE] [--write] [--check]

Each framework has a process of its own for each thread count; a row is timed in one, then in the other, and
so on for ``--rounds`` rounds.  The ratio is the median over the rounds of taeda's time divided by PyTorch's in
the same round.  Peak memory and the start of a process (``rows_fresh.py``) take a new process each time.
``--write`` writes benchmarks/RESULTS.md and results.json, which hold one table for each kind of processor, by its widest vectors; with
``--only`` these rows stand in the place of what the table had.  ``--check`` compares with results.json and fails on rows that became
15 % slower.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time
from typing import Any

HERE = pathlib.Path(__file__).parent
MINIMUM = 0.02                              # seconds that one timing lasts at least

# What the geometric mean of a group's ratios must reach; rows of "start" have a target each.
GROUP_TARGETS = {
    "overhead": 0.2, "seed programs": 0.4, "pointwise": 0.7, "reductions, scans, order": 0.7, "memory": 0.7, "norms and losses": 0.6, "matmul": 0.9,
    "convolution": 0.6, "pooling and interpolation": 0.5, "models, training step": 0.6, "models, inference": 0.6, "optimizers": 0.3, "peak memory": 0.8,
}


def all_rows() -> Any:
    """Return the module of rows, filled with those of all its companions."""
    sys.path.insert(0, str(HERE))
    rows = importlib.import_module("rows")
    for companion in ("rows_ops", "rows_models", "rows_families", "rows_networks"):
        importlib.import_module(companion)
    return rows


def serve(name: str, threads: int) -> None:
    """Time rows asked for by number on standard input; answer with seconds a call."""
    rows = all_rows()
    lib = rows.Lib(name)
    lib.T.set_num_threads(threads)
    prepared: dict[int, tuple[Any, int]] = {}
    for line in sys.stdin:
        number = int(line)
        if number not in prepared:
            prepared.clear()                # one row's data at a time
            lib.T.manual_seed(0)
            f = rows.ROWS[number].make(lib)
            f()
            start = time.perf_counter()
            f()
            once = time.perf_counter() - start
            prepared[number] = f, max(1, math.ceil(MINIMUM / max(once, 1e-7)))
        f, repeats = prepared[number]
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            for _ in range(repeats):
                f()
            best = min(best, (time.perf_counter() - start) / repeats)
        print(best, flush=True)


class Server:
    """A process that times rows of one framework."""

    def __init__(self, name: str, threads: int) -> None:
        env = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, "--threads", str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )

    def time(self, number: int) -> float:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the process of row {number} ended; see its message above")
        return float(answer)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def compare(group: str, name: str, target: float | None, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Return a row's entry of the table from taeda's and PyTorch's figures, round by round."""
    middle = [statistics.median(p[i] for p in pairs) for i in (0, 1)]
    return {"group": group, "name": name, "target": target, "ratio": statistics.median(a / b for a, b in pairs), "taeda": middle[0], "torch": middle[1]}


def measure(threads: int, rounds: int, only: str) -> list[dict[str, Any]]:
    """Time every row; return name, group, target, the figures of both (seconds, or bytes) and the ratio."""
    rows, found = all_rows(), []

    def note(row: Any, pairs: list[tuple[float, float]]) -> None:
        e = compare(row.group, row.name, row.target, pairs)
        found.append(e)
        print(f"{threads} thread{'s' if threads > 1 else ' '}  {e['ratio']:6.3f}  {figure(e, 'taeda'):>12} {figure(e, 'torch'):>12}  {e['group']}: {e['name']}", flush=True)

    mine, theirs = Server("taeda", threads), Server("torch", threads)
    for number, r in enumerate(rows.ROWS):
        if re.search(only, f"{r.group}: {r.name}"):
            note(r, [(mine.time(number), theirs.time(number)) for _ in range(rounds)])
    mine.close()
    theirs.close()
    for r in importlib.import_module("rows_fresh").FRESH:
        if re.search(only, f"{r.group}: {r.name}"):
            note(r, [(r.measure("taeda", threads), r.measure("torch", threads)) for _ in range(1 if r.once else rounds)])
    return found


def processor() -> tuple[str, str]:
    """Return the processor's name as the system gives it, and its widest vectors."""
    try:
        lines = (line.partition(":") for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines())
        told = {key.strip(): value.strip() for key, _, value in lines}
    except OSError:
        told = {}
    flags = told.get("flags", "").split()
    vectors = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "other vectors")
    return told.get("model name") or platform.processor() or platform.machine(), vectors


def known_tables() -> dict[str, Any]:
    """Return the committed tables by kind of processor: each how it was made, and the rows for each thread count."""
    return json.loads((HERE / "results.json").read_text()) if (HERE / "results.json").exists() else {}


def with_rows(known: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a table's rows, of which those that were found stand in place of the old ones."""
    new = {(e["group"], e["name"]): e for e in found}
    return [new.pop((e["group"], e["name"]), e) for e in known] + list(new.values())


def write(results: dict[str, list[dict[str, Any]]], only: str) -> None:
    """Put what was found into the table of this kind of processor."""
    import torch

    name, vectors = processor()
    tables = known_tables()
    made = f"with PyTorch {torch.__version__.partition('+')[0]} on {os.cpu_count()} cores of {name}, {datetime.date.today().isoformat()}"
    if only and vectors in tables:
        made = tables[vectors]["made"]
        known = tables[vectors]["rows"]
        results = {**known, **{count: with_rows(known.get(count, []), found) for count, found in results.items()}}
    tables[vectors] = {"made": made, "rows": results}
    ordered = {kind: tables[kind] for kind in sorted(tables)}
    (HERE / "results.json").write_text(dumped(ordered))
    (HERE / "RESULTS.md").write_text(report(ordered))


def dumped(tables: dict[str, Any]) -> str:
    """Return the tables as JSON with a row in each line."""
    kinds = []
    for kind, table in tables.items():
        rows = ",\n".join(f" {json.dumps(count)}: [\n" + ",\n".join(map(json.dumps, entries)) + "]" for count, entries in table["rows"].items())
        kinds.append(f'{json.dumps(kind)}: {{"made": {json.dumps(table["made"])}, "rows": {{\n{rows}}}}}')
    return "{" + ",\n".join(kinds) + "}\n"


def report(tables: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    lines = [
        "# taeda's time over PyTorch's",
        "",
        "Made by `nox -s bench -- --write`, a table for each kind of processor, by its widest vectors. Below 1: taeda is faster.",
        "Both run in turn in one session; a ratio is the median over the rounds. Times are taeda's and PyTorch's on one thread; of peak memory,",
        "the growth of the resident set over what it was after the import.",
    ]
    for kind, table in tables.items():
        lines += ["", f"## {kind}", "", f"Made {table['made']}.", "", *table_of(table["rows"])]
    return "\n".join(lines) + "\n"


def table_of(results: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return the lines of a table: a ratio for each thread count."""
    reason = importlib.import_module("reasons").reason
    counts = sorted(results, key=int)
    lines = [
        "| group | row | " + " | ".join(f"{c} thread{'s' if c != '1' else ''}" for c in counts) + " | target | taeda | PyTorch | above 1 because |",
        "| --- | --- | " + " | ".join("---" for _ in counts) + " | --- | --- | --- | --- |",
    ]
    for i, first in enumerate(results[counts[0]]):
        ratios = " | ".join(f"{results[c][i]['ratio']:.2f}" for c in counts)
        why = reason(first["group"], first["name"]) if any(results[c][i]["ratio"] > 1 for c in counts) else ""
        target = "" if first["target"] is None else f"{first['target']:.2f}"
        lines.append(f"| {first['group']} | {first['name']} | {ratios} | {target} | {figure(first, 'taeda')} | {figure(first, 'torch')} | {why} |")
    lines += ["", "Geometric means of the ratios, and what they must reach:", "", "| group | " + " | ".join(f"{c} thread{'s' if c != '1' else ''}" for c in counts) + " | target |",
              "| --- | " + " | ".join("---" for _ in counts) + " | --- |"]
    for group in dict.fromkeys(e["group"] for e in results[counts[0]]):
        means = " | ".join(f"{statistics.geometric_mean(e['ratio'] for e in results[c] if e['group'] == group):.2f}" for c in counts)
        target = GROUP_TARGETS.get(group)
        lines.append(f"| {group} | {means} | {'' if target is None else f'{target:.2f}'} |")
    return lines


def figure(entry: dict[str, Any], of: str) -> str:
    """Return what was measured, with a fitting unit."""
    s = entry[of]
    if entry["group"] == "peak memory":
        return f"{s / 2**20:.0f} MiB"
    return f"{s * 1e6:.2f} us" if s < 1e-3 else f"{s * 1e3:.2f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(description="Time taeda against PyTorch in turn.")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose group and name (`group: name`) this regular expression finds")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures to this file")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md and results.json")
    parser.add_argument("--check", action="store_true", help="fail on rows 15 %% slower than in results.json")
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.threads[0])
        return 0
    if options.peak:
        all_rows()
        print(importlib.import_module("rows_fresh").peak(*options.peak, options.threads[0]))
        return 0
    results = {str(n): measure(n, options.rounds, options.only) for n in options.threads}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    if options.write:
        write(results, options.only)
    if options.check:
        kind = processor()[1]
        known = known_tables().get(kind, {"rows": {}})["rows"]
        if not known:
            print(f"no table of a processor with {kind} is committed")
            return 1
        slower = []
        for n, entries in results.items():
            before = {(e["group"], e["name"]): e["ratio"] for e in known.get(n, [])}
            slower += [f"{e['name']} ({n} threads): {e['ratio']:.2f}, was {before[(e['group'], e['name'])]:.2f}" for e in entries
                       if e["ratio"] > 1.15 * before.get((e["group"], e["name"]), math.inf)]
        print("\n".join(slower) or "no row is 15 % slower than the committed table")
        return 1 if slower else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())

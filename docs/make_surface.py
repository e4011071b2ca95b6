"""Write docs/surface.md: every name of PyTorch's surface, whether taeda has it, its derivatives and its devices.

    python docs/make_surface.py [--check | --missing]

``--check`` writes nothing and fails if the document is not what would be written, ``--missing`` prints the names
that are neither there nor explained in docs/differences.md.  The names are those of surface_names.txt; what is said of
derivatives and devices is what the harness's rows say, and the tests hold them to it.
"""

from __future__ import annotations

import importlib
import pathlib
import re
import sys
from typing import Any

import taeda

HERE = pathlib.Path(__file__).parent
TARGET = HERE / "surface.md"
NAMES = HERE / "surface_names.txt"
DIFFERENCES = HERE / "differences.md"
sys.path.insert(0, str(HERE.parent / "packages" / "core" / "tests"))

ROOMS = ("taeda", "Tensor", "linalg", "fft", "special", "autograd", "func")


def names() -> dict[str, list[str]]:
    """Return room -> its names, as the list has them."""
    found: dict[str, list[str]] = {room: [] for room in ROOMS}
    for line in NAMES.read_text().split():
        room, _, name = line.partition(".")
        found[room].append(name)
    return found


def room_of(room: str) -> Any:
    """Return the module or class whose names a room has, or None where there is none yet."""
    if room == "taeda":
        return taeda
    if room == "Tensor":
        return taeda.Tensor
    try:
        return importlib.import_module(f"taeda.{room}")
    except ModuleNotFoundError:
        return None


def is_there(room: str, name: str) -> bool:
    """Whether a room has a name."""
    home = room_of(room)
    return home is not None and (found_in(home, name) is not None or (room == "Tensor" and hasattr(taeda.ones(1), name)))


def found_in(home: Any, name: str) -> Any:
    """Return home.name, a dotted name walked, or None."""
    for part in name.split("."):
        home = getattr(home, part, None)
    return home


def explained() -> set[str]:
    """Return the names that docs/differences.md speaks of between backticks, their last part alone."""
    quoted = re.findall(r"`([^`]+)`", DIFFERENCES.read_text())
    return {word.rpartition(".")[2] for text in quoted for word in re.findall(r"[A-Za-z_][\w.]*", text)}


def missing() -> list[str]:
    """Return room.name of every name that is neither there nor explained."""
    said = explained()
    return [f"{room}.{name}" for room, members in names().items() for name in members if not is_there(room, name) and name not in said]


def works_on_meta(row: Any) -> bool:
    """Whether the row's first call with tensors gives shapes without data."""
    import harness

    for call in harness.calls_of(row):
        args, kwargs, _ = harness.tensors(taeda, call, device="meta")
        if harness.tensors_in((args, kwargs)):
            try:
                harness.run_quietly(harness.find(taeda, row.name), *args, **kwargs)
            except NotImplementedError:
                return False
            return True
    return True


def said_by_rows() -> dict[int | str, tuple[str, str]]:
    """Return what the harness checks: id of the function, or a method's name -> (derivatives, devices)."""
    import harness

    found: dict[int | str, tuple[str, str]] = {}
    for row in harness.load_rows():
        derivatives = "" if not row.grad else "first and second" if row.gradgrad else "first"
        function = harness.find(taeda, row.name)
        entry = (derivatives, "cpu, meta" if works_on_meta(row) else "cpu")
        keys: list[int | str] = [id(function), *(f"Tensor.{m}" for m in (row.method, row.inplace) if m)]
        for key in keys:
            if key not in found or len(entry[0]) > len(found[key][0]):
                found[key] = entry
    return found


def document() -> str:
    """Return the document's text."""
    rows, said = said_by_rows(), explained()
    counts, tables = [], []
    for room, members in names().items():
        home, lines, there = room_of(room), [], 0
        for name in members:
            have = is_there(room, name)
            there += have
            function = found_in(home, name)
            derivatives, devices = rows.get(f"{room}.{name}") or rows.get(id(function)) or ("", "")
            state = "yes" if have else "see differences.md" if name in said else "no"
            lines.append(f"| `{name}` | {state} | {derivatives} | {devices} |")
        left = sum(not is_there(room, name) and name in said for name in members)
        title = room if room == "taeda" else f"taeda.{room}"
        counts.append(f"| {title} | {len(members)} | {there} | {left} | {len(members) - there - left} |")
        tables += ["", f"## {title}", "", "| name | there | derivatives checked | devices |", "| --- | --- | --- | --- |", *lines]
    return "\n".join([
        "# The surface", "",
        "PyTorch 2.13's names and what taeda has of them; made by `nox -s docs`, and a test compares it with the package. "
        "\"Derivatives checked\" and \"devices\" are",
        "what the rows of packages/core/tests/samples state and the harness verifies; empty where a name is no operation on values.", "",
        "| room | names | there | left out on purpose | missing |", "| --- | --- | --- | --- | --- |", *counts, *tables]) + "\n"


if __name__ == "__main__":
    if "--missing" in sys.argv[1:]:
        print(*missing(), sep="\n")
    elif "--check" in sys.argv[1:]:
        sys.exit(0 if TARGET.exists() and TARGET.read_text() == document() else f"{TARGET.name} is not up to date: nox -s docs")
    else:
        TARGET.write_text(document())

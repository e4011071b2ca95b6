"""Write docs/operations.md: every op of the registry with its dtypes, its grad_fn and where it is called.

    python docs/make_operations.py [--check]
"""

from __future__ import annotations

import pathlib
import sys

import taeda
from taeda.registry import ops as registry

TARGET = pathlib.Path(__file__).parent / "operations.md"


def table() -> str:
    """Return the document's text."""
    rows = sorted(registry().values(), key=lambda op: (op.name, op.grad_name))
    public, methods = set(taeda.ops.PUBLIC), set(taeda.ops.METHODS)
    functions = sorted(n for n in dir(taeda.ops) if not n.startswith("_") and callable(getattr(taeda.ops, n)) and n.islower())
    differentiable = sum(op.differentiable for op in rows)
    lines = [
        "# Operations", "",
        "Made from the registry by `nox -s docs`; a test compares the two.", "",
        f"{len(rows)} registered ops, {differentiable} of them with a derivative; {len(functions)} functions in `taeda.ops`, "
        f"{len(public)} in `taeda`, {len(methods)} methods of Tensor. Devices: cpu, and meta (shapes without data) where a result's "
        "shape does not depend on data.", "",
        "## The registry", "", "| op | grad_fn | kernels for |", "| --- | --- | --- |",
    ]
    for op in rows:
        dtypes = dict.fromkeys("float8" if d.startswith("float8") else d for d in op.dtypes)      # all five or none
        lines.append(f"| {op.name} | {op.grad_name if op.differentiable else ''} | {', '.join(dtypes) or '(views, or other ops)'} |")
    lines += ["", "## The functions", "", "| function | taeda. | Tensor. |", "| --- | --- | --- |"]
    for name in functions:
        lines.append(f"| {name} | {'yes' if name in public else ''} | {'yes' if name in methods else ''} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(0 if TARGET.exists() and TARGET.read_text() == table() else f"{TARGET.name} is not up to date: nox -s docs")
    TARGET.write_text(table())

"""Sort the imports of Cython files, which ruff does not read: modules in a block, and the names of each.

    python tools/sort_cimports.py [--check]

``--check`` writes nothing and fails if a block is not in order.  Constants come first, then classes, then the rest, numbers by their value
(I8, I16), as ruff sorts Python's.  A block ends at an empty line or where ``cimport`` gives way to ``import``.
"""

from __future__ import annotations

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[1] / "packages" / "core" / "src"
WIDTH = 140
STATEMENT = re.compile(r"^from ([\w.]+) (c?import) (\((?:[^()])*\)|(?:[^\n\\]|\\\n)*)\n", re.MULTILINE)


def order(name: str) -> tuple[int, list[str | int]]:
    """Return what a name is sorted by."""
    own = name.split()[0]
    kind = 0 if own.isupper() and len(own) > 1 else 1 if own[:1].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", own)]


def written(module: str, word: str, names: list[str]) -> str:
    """Return the statement, in as many lines as it takes."""
    line = f"from {module} {word} {', '.join(names)}"
    if len(line) <= WIDTH:
        return line + "\n"
    start = f"from {module} {word} ("
    lines, line = [], start
    for i, name in enumerate(names):
        piece = name + ("," if i < len(names) - 1 else ")")
        if len(line) + len(piece) + 1 > WIDTH:
            lines.append(line.rstrip())
            line = " " * len(start)
        line += piece if line.endswith(("(", " " * 4)) else f" {piece}"
    return "\n".join([*lines, line]) + "\n"


def in_order(text: str) -> str:
    """Return a file's text with its blocks sorted."""
    found = list(STATEMENT.finditer(text))
    blocks: list[list[re.Match[str]]] = []
    for statement in found:
        last = blocks[-1][-1] if blocks else None
        if last is not None and last.end() == statement.start() and last[2] == statement[2]:
            blocks[-1].append(statement)
        else:
            blocks.append([statement])
    for block in reversed(blocks):
        if any("#" in statement[0] for statement in block):          # a comment has its place
            continue
        made = []
        for statement in sorted(block, key=lambda s: s[1]):
            given = [name.strip() for name in re.sub(r"[()\\]", " ", statement[3]).split(",") if name.strip()]
            names = sorted(given, key=order)
            made.append(statement[0] if names == given else written(statement[1], statement[2], names))
        text = text[: block[0].start()] + "".join(made) + text[block[-1].end() :]
    return text


def main(check: bool) -> int:
    wrong = []
    for path in sorted(path for kind in ("pyx", "pxd", "pyx.in") for path in ROOT.rglob(f"*.{kind}")):
        text = path.read_text(encoding="utf-8")
        sorted_text = in_order(text)
        if sorted_text != text:
            wrong.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(sorted_text, encoding="utf-8")
    if wrong:
        print("imports that are not in order:" if check else "sorted the imports of:", *wrong, sep="\n  ")
    return int(check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))

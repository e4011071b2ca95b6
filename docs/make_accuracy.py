"""Write the tables of docs/accuracy.md: what packages/core/tests/accuracy.py states and its tests hold.

    python docs/make_accuracy.py [--check]

``--check`` writes nothing and fails if the document is not what would be written.  The text around the tables is written by hand.
"""

from __future__ import annotations

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
TARGET = HERE / "accuracy.md"
sys.path.insert(0, str(HERE.parent / "packages" / "core" / "tests"))


def document() -> str:
    """Return the document with its tables made anew."""
    import accuracy

    def filled(match: re.Match[str]) -> str:
        return f"<!-- {match[1]} -->\n{accuracy.table(match[1])}\n<!-- end -->"

    text = re.sub(r"<!-- ([a-z ]+) -->\n.*?<!-- end -->", filled, TARGET.read_text(), flags=re.S)
    missing = {c.family for c in accuracy.CASES} - set(re.findall(r"<!-- ([a-z ]+) -->", text))
    if missing:
        raise ValueError(f"[make_accuracy] docs/accuracy.md has no place for {sorted(missing)}")
    return text


if __name__ == "__main__":
    made = document()
    if "--check" in sys.argv:
        if made != TARGET.read_text():
            sys.exit("docs/accuracy.md is out of date; run python docs/make_accuracy.py")
    else:
        TARGET.write_text(made)

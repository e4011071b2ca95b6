"""Run cython-lint on what the kernels' templates (.pyx.in) become; it reads no templates.

    python tools/lint_templates.py

Names that are imported or defined and never used are told, with the line of the text that was made.  Style is checked where the text is
written, and what is natural in a template is passed over: a comparison of the constants of one dtype, a loop that only counts.
"""

from __future__ import annotations

import pathlib
import runpy
import subprocess
import sys
import tempfile

CORE = pathlib.Path(__file__).parents[1] / "packages" / "core"
NATURAL = ("Comparison between constants", "Loop control variable")


def main() -> int:
    build = runpy.run_path(str(CORE / "cythonize.py"))
    with tempfile.TemporaryDirectory() as folder:
        for template in sorted((CORE / "src" / "taeda" / "kernels" / "cpu").glob("*.pyx.in")):
            text = build["expanded"](template, build["tables_of"](template.name.split(".")[0], CORE / "src"))
            (pathlib.Path(folder) / template.stem).write_text(text, encoding="utf-8")
        told = subprocess.run(["cython-lint", "--no-pycodestyle", folder], capture_output=True, text=True, check=False)
    wrong = [line.replace(folder, "") for line in told.stdout.splitlines() if not any(kind in line for kind in NATURAL)]
    print(*wrong, told.stderr, sep="\n", end="")
    return int(bool(wrong) or told.returncode not in (0, 1))


if __name__ == "__main__":
    sys.exit(main())

"""``python -m taeda program.py ...`` and ``python -m taeda -m module ...``: run a program whose ``import torch`` means taeda."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

USAGE = """usage: python -m taeda [program.py | -m module] [argument ...]
Runs a program that imports torch: torch is taeda, torchvision is taeda.vision."""


def main(arguments: list[str]) -> None:
    """Run the program or module named first, with the arguments that follow."""
    from taeda import as_torch

    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["-m"]:
        print(USAGE)
        raise SystemExit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    if arguments[0] == "-m":
        as_torch.install()
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    program = Path(arguments[0])
    if not program.is_file():
        raise SystemExit(f"python -m taeda: no program {arguments[0]!r}")
    as_torch.install()
    sys.argv = arguments
    sys.path[0] = str(program.resolve().parent)
    runpy.run_path(str(program), run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])

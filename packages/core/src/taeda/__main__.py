"""``python -m taeda program.py ...``, and with ``-m module``, ``-c code`` or ``-`` as Python has them: ``import torch`` means taeda."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType

USAGE = """usage: python -m taeda [program.py | -m module | -c code | -] [argument ...]
Runs a program (-: what standard input holds) that imports torch: torch is taeda, torchvision is taeda.vision."""


def main(arguments: list[str]) -> None:
    """Run the program or module named first, with the arguments that follow."""
    from taeda import as_torch

    if not arguments or arguments[0] in ("-h", "--help") or arguments in (["-m"], ["-c"]):
        print(USAGE)
        raise SystemExit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    if arguments[0] == "-m":
        as_torch.install()
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    if arguments[0] in ("-c", "-"):
        as_torch.install()
        code = arguments.pop(1) if arguments[0] == "-c" else sys.stdin.read()
        sys.argv = arguments
        sys.path[0] = ""
        run_code(code, "<string>" if arguments[0] == "-c" else "<stdin>")
        return
    program = Path(arguments[0])
    if not program.is_file():
        raise SystemExit(f"python -m taeda: no program {arguments[0]!r}")
    as_torch.install()
    sys.argv = arguments
    sys.path[0] = str(program.resolve().parent)
    runpy.run_path(str(program), run_name="__main__")


def run_code(code: str, name: str) -> None:
    """Run a program's text as the main module; ``name`` is what a traceback shows for its file."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    exec(compile(code, name, "exec"), vars(module))


if __name__ == "__main__":
    main(sys.argv[1:])

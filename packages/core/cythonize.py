"""Make C of Cython modules, many in one process: Cython takes longer to start than to translate most of them.

    python cythonize.py [--plain] SOURCES PACKAGE OUTPUT_FOLDER FILE...

A file is a .pyx or a template of one (.pyx.in, by Tempita, with the names of taeda/kernels/dtypes.py); FOLDER gets name.c of each.
What is newer than its source, than every declaration (.pxd) below SOURCES, than those names and than this file is left as it is, so
that ninja compiles nothing anew for it.
With ``--plain`` functions are of CPython's own kind: Cython's, which know their signatures, take 14 kB in every module.
"""

from __future__ import annotations

import gc
import pathlib
import runpy
import sys

from Cython import Tempita
from Cython.Compiler.Main import CompilationOptions, compile_single, default_options


def source_of(path: pathlib.Path, folder: pathlib.Path, names: pathlib.Path) -> pathlib.Path:
    """Return the .pyx, written from its template with the names of a Python file if need be."""
    if path.suffix != ".in":
        return path
    made = folder / path.stem
    text = Tempita.sub(path.read_text(encoding="utf-8"), **runpy.run_path(str(names)))
    if not made.exists() or made.read_text(encoding="utf-8") != text:
        made.write_text(text, encoding="utf-8")
    return made


def main(sources: str, package: str, output: str, *files: str, plain: bool = False) -> int:
    gc.disable()                                  # trees of a few hundred MB, dropped at the end: a tenth of the time
    folder = pathlib.Path(output)
    names = pathlib.Path(sources, "taeda", "kernels", "dtypes.py")
    declared = max(p.stat().st_mtime for p in (pathlib.Path(__file__), names, *pathlib.Path(sources).rglob("*.pxd")))
    for path in map(pathlib.Path, files):
        name = path.name.split(".")[0]
        target = folder / f"{name}.c"
        if target.exists() and target.stat().st_mtime > max(path.stat().st_mtime, declared):
            continue
        options = CompilationOptions(default_options, language_level=3, include_path=[sources], output_file=str(target),
                                     compiler_directives={"binding": not plain})
        if compile_single(str(source_of(path, folder, names)), options, full_module_name=f"{package}.{name}").num_errors:
            target.unlink(missing_ok=True)
            return 1
    return 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    plain = arguments[0] == "--plain"
    sys.exit(main(*arguments[plain:], plain=plain))

"""Make C of Cython modules, many in one process: Cython takes longer to start than to translate most of them.

    python cythonize.py [--plain] SOURCES PACKAGE OUTPUT_FOLDER FILE...

A file is a .pyx or a template of one (name.pyx.in, by Tempita, with the names of taeda/kernels/dtypes.py and, if there is one, of
name_table.py beside that); FOLDER gets name.c of each.  What is newer than its source, than every declaration (.pxd) below SOURCES, than
those names and than this file is left as it is, so that ninja compiles nothing anew for it.
With ``--plain`` functions are of CPython's own kind: Cython's, which know their signatures, take 14 kB in every module.
"""

from __future__ import annotations

import gc
import pathlib
import runpy
import sys

from Cython import Tempita
from Cython.Compiler.Main import CompilationOptions, compile_single, default_options


def tables_of(name: str, sources: pathlib.Path) -> list[pathlib.Path]:
    """Return the files whose names the template of a module may use."""
    kernels = sources / "taeda" / "kernels"
    own = kernels / f"{name}_table.py"
    return [kernels / "dtypes.py", own] if own.exists() else [kernels / "dtypes.py"]


def expanded(path: pathlib.Path, tables: list[pathlib.Path]) -> str:
    """Return the text of a template, with the names of Python files."""
    names = {name: value for table in tables for name, value in runpy.run_path(str(table)).items()}
    return Tempita.sub(path.read_text(encoding="utf-8"), **names)


def source_of(path: pathlib.Path, folder: pathlib.Path, tables: list[pathlib.Path]) -> pathlib.Path:
    """Return the .pyx, written from its template if need be."""
    if path.suffix != ".in":
        return path
    made = folder / path.stem
    text = expanded(path, tables)
    if not made.exists() or made.read_text(encoding="utf-8") != text:
        made.write_text(text, encoding="utf-8")
    return made


def main(sources: str, package: str, output: str, *files: str, plain: bool = False) -> int:
    gc.disable()                                  # trees of a few hundred MB, dropped at the end: a tenth of the time
    folder = pathlib.Path(output)
    declared = max(p.stat().st_mtime for p in (pathlib.Path(__file__), *pathlib.Path(sources).rglob("*.pxd")))
    for path in map(pathlib.Path, files):
        name = path.name.split(".")[0]
        target = folder / f"{name}.c"
        tables = tables_of(name, pathlib.Path(sources))
        if target.exists() and target.stat().st_mtime > max(declared, *(p.stat().st_mtime for p in (path, *tables))):
            continue
        options = CompilationOptions(default_options, language_level=3, include_path=[sources], output_file=str(target),
                                     compiler_directives={"binding": not plain})
        if compile_single(str(source_of(path, folder, tables)), options, full_module_name=f"{package}.{name}").num_errors:
            target.unlink(missing_ok=True)
            return 1
    return 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    plain = arguments[0] == "--plain"
    sys.exit(main(*arguments[plain:], plain=plain))

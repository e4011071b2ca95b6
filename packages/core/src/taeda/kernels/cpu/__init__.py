"""The CPU's kernels: name -> address, from the build for this processor.

Every kernel module is compiled twice, for x86-64-v3 (AVX2 and FMA) and for the baseline of the architecture, and those whose
arithmetic is most of their time once more for x86-64-v4 (AVX-512).  ``TAEDA_CPU`` in the environment forces a lower build:
``baseline`` or ``v3``.
"""

from __future__ import annotations

import importlib
import os
import pkgutil

# What libraries read when they are loaded, which is below.  OpenMP's threads wait for more work by spinning, by default for
# milliseconds: on a machine that is shared that takes the time of whoever has work (a ResNet-18 pass went from 0.1 s to 3 s at load 10).
# A short spin, then sleep.  OpenBLAS starts threads of its own, which spin for 30 ms and then wait for work that we never give them.
_settings = {"OPENBLAS_NUM_THREADS": "1"}
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
    _settings["GOMP_SPINCOUNT"] = "10000"
_before = {name: os.environ.get(name) for name in _settings}
os.environ.update(_settings)

from taeda.kernels.cpu import runtime
from taeda.kernels.cpu.runtime import (
    empty_cache,
    memory_stats,
    reset_peak_memory_stats,
    set_cache_limit,
)

__all__ = ["BUILD", "TABLE", "empty_cache", "memory_stats", "reset_peak_memory_stats", "set_cache_limit"]


def modules_of(folder: str) -> list[str]:
    """Return the names of a folder's modules in order.

    ``pkgutil.iter_modules`` would import ``inspect`` for it, 7 ms; it serves where the folder is made up (editable installs).
    """
    if not os.path.isdir(folder):
        return sorted(module.name for module in pkgutil.iter_modules([folder]))
    names = {name.partition(".")[0] for name in os.listdir(folder) if name.endswith((".py", *importlib.machinery.EXTENSION_SUFFIXES))}
    return sorted(names - {"__init__"})


def _choose() -> str:
    wanted = os.environ.get("TAEDA_CPU", "")
    if wanted not in ("", "baseline", "v3", "v4"):
        raise ImportError(f"[taeda] TAEDA_CPU must be 'baseline', 'v3' or 'v4', got {wanted!r}")
    runs = ["baseline", *["v3"] * runtime.has_v3(), *["v4"] * runtime.has_v4()]
    if wanted and wanted not in runs:
        raise ImportError(f"[taeda] TAEDA_CPU={wanted} was asked for, but this processor or build runs {', '.join(runs)} alone")
    return wanted or runs[-1]


BUILD = _choose()
_FOLDERS = {"baseline": ("baseline",), "v3": ("v3",), "v4": ("v3", "v4")}[BUILD]
TABLE: dict[str, int] = {}
_builds = {name: folder for folder in _FOLDERS for name in modules_of(os.path.join(__path__[0], folder))}
for _module, _folder in _builds.items():
    TABLE.update(importlib.import_module(f"taeda.kernels.cpu.{_folder}.{_module}").table())
for _name, _value in _before.items():
    if _value is None:
        del os.environ[_name]
    else:
        os.environ[_name] = _value
os.register_at_fork(after_in_child=lambda: runtime.set_num_threads(1))  # OpenMP's threads do not survive a fork

"""PyTorch's name for ``taeda.data``, which is a package of its own: ``pip install taeda-data``.

``taeda.utils.data`` and its modules are the very modules of ``taeda.data``, so that a class is one class under both names.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taeda.data import *  # noqa: F403

try:
    _data = importlib.import_module("taeda.data")
except ModuleNotFoundError as error:
    if error.name != "taeda.data":
        raise
    raise ModuleNotFoundError(f"taeda.utils.data: {error.msg}", name=__name__) from None

for _name in ("dataloader", "datapipes", "datapipes._decorator", "datapipes.datapipe", "datapipes.iter",
              "datapipes.iter.combinatorics", "dataset", "distributed", "graph_settings",
              "sampler", "_utils", "_utils.collate", "_utils.fetch", "_utils.pin_memory", "_utils.signal_handling", "_utils.worker"):
    sys.modules[f"{__name__}.{_name}"] = importlib.import_module(f"taeda.data.{_name}")
sys.modules[__name__] = _data

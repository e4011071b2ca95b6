"""Image datasets, transforms, models and image grids: what a vision program needs beside taeda.nn.

Names, arguments, random draws and state_dict keys are those of torchvision.
"""

import importlib
from typing import TYPE_CHECKING, Any

import taeda

__version__ = "0.1.0"

if taeda.__version__ != __version__:
    raise ImportError(
        f"taeda-vision {__version__} works with taeda-core {__version__} alone, "
        f"but taeda-core {taeda.__version__} is installed; run: pip install taeda-core=={__version__} taeda-vision=={__version__}"
    )

if TYPE_CHECKING:
    from taeda.vision import datasets, io, models, ops, transforms, tv_tensors, utils

__all__ = ["datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils"]


def __getattr__(name: str) -> Any:
    """Import a room on first touch: NumPy, Pillow and what downloads need take longer than taeda itself."""
    if name in __all__:
        return importlib.import_module(f"taeda.vision.{name}")
    raise AttributeError(f"module 'taeda.vision' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Image datasets, transforms, models and image grids: what a vision program needs beside taeda.nn.

Names, arguments, random draws and state_dict keys are those of torchvision.
"""

import importlib
from typing import TYPE_CHECKING, Any

import taeda

__version__ = "0.1.0"

_core = getattr(taeda, "__version__", None)  # None: the namespace is there, core is not
if _core != __version__:
    raise ImportError(
        f"taeda-vision {__version__} needs taeda-core {__version__}, but "
        + (f"taeda-core {_core} is installed" if _core else "taeda-core is not installed")
        + f": pip install taeda-core=={__version__} taeda-vision=={__version__}"
    )

if TYPE_CHECKING:
    from taeda.vision import datasets, io, models, ops, transforms, tv_tensors, utils

__all__ = [
    "datasets",
    "disable_beta_transforms_warning",
    "get_image_backend",
    "get_video_backend",
    "io",
    "models",
    "ops",
    "set_image_backend",
    "set_video_backend",
    "transforms",
    "tv_tensors",
    "utils",
]
_ROOMS = [name for name in __all__ if "_" not in name] + ["tv_tensors"]


def get_image_backend() -> str:
    """Return ``"PIL"``: images are read by Pillow."""
    return "PIL"


def set_image_backend(backend: str) -> None:
    """Take ``"PIL"``, which images are read by anyway.

    Raises:
        ValueError: it is another.

    >>> import taeda.vision
    >>> taeda.vision.set_image_backend("PIL")
    >>> taeda.vision.get_image_backend()
    'PIL'
    """
    if backend != "PIL":
        raise ValueError(f"[set_image_backend] Invalid backend {backend!r}; images are read by 'PIL'")


def get_video_backend() -> str:
    """Return ``"pyav"``, as torchvision does."""
    return "pyav"


def set_video_backend(backend: str) -> None:
    """Do nothing: no videos are read."""


def disable_beta_transforms_warning() -> None:
    """Do nothing: there is no such warning."""


def __getattr__(name: str) -> Any:
    """Import a room on first touch: NumPy, Pillow and what downloads need take longer than taeda itself."""
    if name in _ROOMS:
        return importlib.import_module(f"taeda.vision.{name}")
    raise AttributeError(f"module 'taeda.vision' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

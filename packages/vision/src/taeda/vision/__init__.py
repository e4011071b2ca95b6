"""Image datasets, transforms, models and image grids: what a vision program needs beside taeda.nn.

Names, arguments, random draws and state_dict keys are those of torchvision.
"""

import taeda

__version__ = "0.1.0"

if taeda.__version__ != __version__:
    raise ImportError(
        f"taeda-vision {__version__} works with taeda-core {__version__} alone, "
        f"but taeda-core {taeda.__version__} is installed; run: pip install taeda-core=={__version__} taeda-vision=={__version__}"
    )

from taeda.vision import datasets, io, models, transforms, utils

__all__ = ["datasets", "io", "models", "transforms", "utils"]

"""The version of taeda-optim, and the check that core has the same one: both are released together."""

import taeda

__version__ = "0.1.0"

_core = getattr(taeda, "__version__", None)  # None: the namespace is there, core is not
if _core != __version__:
    raise ImportError(
        f"taeda-optim {__version__} needs taeda-core {__version__}, but "
        + (f"taeda-core {_core} is installed" if _core else "taeda-core is not installed")
        + f": pip install taeda-core=={__version__} taeda-optim=={__version__}"
    )

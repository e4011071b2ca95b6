"""The version of taeda-optim, and the check that core has the same one: both are released together."""

import taeda

__version__ = "0.1.0"

_core = getattr(taeda, "__version__", None)
if _core is None:
    raise ImportError(
        f"taeda-optim {__version__} needs taeda-core {__version__}, which is not installed: "
        f"pip install taeda-core=={__version__}"
    )
if _core.partition("+")[0] != __version__:
    raise ImportError(
        f"taeda-optim {__version__} needs taeda-core {__version__}, but taeda-core {_core} is installed: "
        f"pip install taeda-core=={__version__} taeda-optim=={__version__}"
    )

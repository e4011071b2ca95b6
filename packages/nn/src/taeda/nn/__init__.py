"""taeda.nn: layers, losses and their functions, with PyTorch's names, initial values and state_dicts.

``Module`` and the layers are in ``modules``, the functions they call in ``functional``, initial values in
``init``, tools for parameters in ``utils``.  All arithmetic is core's.
"""
# ruff: noqa: F403

import taeda

__version__ = "0.1.0"

_core = getattr(taeda, "__version__", None)  # None: the namespace is there, core is not
if _core != __version__:
    raise ImportError(
        f"taeda-nn {__version__} needs taeda-core {__version__}, but "
        + (f"taeda-core {_core} is installed" if _core else "taeda-core is not installed")
        + f": pip install taeda-core=={__version__} taeda-nn=={__version__}"
    )

from taeda.nn import attention, common_types, functional, grad, init, modules, parallel, parameter, quantized, utils
from taeda.nn.modules import *
from taeda.nn.modules.utils import factory_kwargs
from taeda.nn.parallel import DataParallel
from taeda.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from taeda.nn.summary import summary

__all__ = [
    "Buffer", "DataParallel", "Parameter", "UninitializedBuffer", "UninitializedParameter", "attention", "common_types",
    "factory_kwargs", "functional", "grad", "init", "modules", "parallel", "parameter", "quantized", "summary", "utils",
]  # fmt: skip
__all__ += modules.__all__

"""Layers and losses as functions: ``import taeda.nn.functional as F``.

One family a file; the functions check arguments and compose core's ops, which hold the arithmetic.
"""

# ruff: noqa: F403
from taeda.nn.functional import (
    activation,
    conv,
    distance,
    lookup,
    loss,
    loss_regression,
    masking,
    normalization,
    pooling,
    vision,
)
from taeda.nn.functional.activation import *
from taeda.nn.functional.conv import *
from taeda.nn.functional.distance import *
from taeda.nn.functional.lookup import *
from taeda.nn.functional.loss import *
from taeda.nn.functional.loss_regression import *
from taeda.nn.functional.masking import *
from taeda.nn.functional.normalization import *
from taeda.nn.functional.pooling import *
from taeda.nn.functional.vision import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += conv.__all__
__all__ += distance.__all__
__all__ += lookup.__all__
__all__ += loss.__all__
__all__ += loss_regression.__all__
__all__ += masking.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
__all__ += vision.__all__

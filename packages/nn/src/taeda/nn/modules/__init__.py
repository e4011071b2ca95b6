"""Layers and losses, one family a file."""

# ruff: noqa: F403
from taeda.nn.modules import (
    activation,
    batchnorm,
    container,
    conv,
    distance,
    dropout,
    flatten,
    linear,
    loss,
    loss_regression,
    normalization,
    padding,
    parameter_containers,
    pooling,
    sparse,
    upsampling,
)
from taeda.nn.modules.activation import *
from taeda.nn.modules.batchnorm import *
from taeda.nn.modules.container import *
from taeda.nn.modules.conv import *
from taeda.nn.modules.distance import *
from taeda.nn.modules.dropout import *
from taeda.nn.modules.flatten import *
from taeda.nn.modules.linear import *
from taeda.nn.modules.loss import *
from taeda.nn.modules.loss_regression import *
from taeda.nn.modules.module import Module as Module
from taeda.nn.modules.normalization import *
from taeda.nn.modules.padding import *
from taeda.nn.modules.parameter_containers import *
from taeda.nn.modules.pooling import *
from taeda.nn.modules.sparse import *
from taeda.nn.modules.upsampling import *

__all__ = ["Module"]
__all__ += activation.__all__
__all__ += batchnorm.__all__
__all__ += container.__all__
__all__ += conv.__all__
__all__ += distance.__all__
__all__ += dropout.__all__
__all__ += flatten.__all__
__all__ += linear.__all__
__all__ += loss.__all__
__all__ += loss_regression.__all__
__all__ += normalization.__all__
__all__ += padding.__all__
__all__ += parameter_containers.__all__
__all__ += pooling.__all__
__all__ += sparse.__all__
__all__ += upsampling.__all__

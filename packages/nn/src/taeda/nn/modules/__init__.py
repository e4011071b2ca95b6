"""Layers and losses, one family a file."""
# ruff: noqa: F403

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

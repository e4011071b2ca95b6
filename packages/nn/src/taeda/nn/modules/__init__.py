"""Layers and losses, one family a file."""

# ruff: noqa: F403, F405, RUF022
import sys as _sys
import types as _types

from taeda.nn.modules import (
    activation as _activation,
    attention as _attention,
    batchnorm as _batchnorm,
    container as _container,
    conv as _conv,
    lazy as _lazy,
    linear as _linear,
    loss as _loss,
    loss_regression as _loss_regression,
    parameter_containers as _parameter_containers,
    pooling as _pooling,
    sampling as _sampling,
    upsampling as _upsampling,
)
from taeda.nn.modules.activation import *
from taeda.nn.modules.adaptive import *
from taeda.nn.modules.attention import *
from taeda.nn.modules.batchnorm import *
from taeda.nn.modules.container import *
from taeda.nn.modules.conv import *
from taeda.nn.modules.distance import *
from taeda.nn.modules.dropout import *
from taeda.nn.modules.flatten import *
from taeda.nn.modules.fold import *
from taeda.nn.modules.lazy import *
from taeda.nn.modules.linear import *
from taeda.nn.modules.loss import *
from taeda.nn.modules.loss_regression import *
from taeda.nn.modules.module import Module as Module
from taeda.nn.modules.normalization import *
from taeda.nn.modules.padding import *
from taeda.nn.modules.parameter_containers import *
from taeda.nn.modules.pooling import *
from taeda.nn.modules.rnn import *
from taeda.nn.modules.sampling import *
from taeda.nn.modules.sparse import *
from taeda.nn.modules.transformer import *
from taeda.nn.modules.upsampling import *

# the files in which PyTorch keeps these layers, for programs that import from there
instancenorm, pixelshuffle, channelshuffle = _batchnorm, _upsampling, _upsampling
_sys.modules.update({f"{__name__}.{_name}": globals()[_name] for _name in ("instancenorm", "pixelshuffle", "channelshuffle")})
vars(_activation).update(MultiheadAttention=MultiheadAttention, __all__=[*_activation.__all__, "MultiheadAttention"])
vars(_activation).update((_name, vars(_attention)[_name]) for _name in ("_arg_requires_grad", "_check_arg_device", "_is_make_fx_tracing"))
for _home, _file, _prefix in (
    (_loss, _loss_regression, ""), (_pooling, _sampling, "Fractional"), (_container, _parameter_containers, "Parameter"),
    (_linear, _lazy, "LazyLinear"), (_conv, _lazy, "LazyConv"), (_batchnorm, _lazy, "LazyBatch"), (_batchnorm, _lazy, "LazyInstance"),
):  # fmt: skip
    _shared = {_name: vars(_file)[_name] for _name in _file.__all__ if _name.startswith(_prefix)}
    vars(_home).update(_shared, __all__=[*_home.__all__, *_shared])

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveLogSoftmaxWithLoss",
    "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AlphaDropout", "AvgPool1d", "AvgPool2d",
    "AvgPool3d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "Bilinear",
    "CELU", "CTCLoss", "ChannelShuffle", "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d",
    "ConstantPad2d", "ConstantPad3d", "Container", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d",
    "ConvTranspose2d", "ConvTranspose3d", "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss",
    "CrossMapLRN2d", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "ELU", "Embedding", "EmbeddingBag",
    "FeatureAlphaDropout", "Flatten", "Fold", "FractionalMaxPool2d", "FractionalMaxPool3d", "GELU", "GLU",
    "GRU", "GRUCell", "GaussianNLLLoss", "GroupNorm", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh",
    "HingeEmbeddingLoss", "HuberLoss", "Identity", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "KLDivLoss", "L1Loss", "LPPool1d", "LPPool2d", "LPPool3d", "LSTM", "LSTMCell", "LayerNorm",
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d",
    "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear", "LeakyReLU", "Linear", "LinearCrossEntropyLoss",
    "LinearCrossEntropyOptions", "LocalResponseNorm", "LogSigmoid", "LogSoftmax", "MSELoss",
    "MarginRankingLoss", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
    "Mish", "Module", "ModuleDict", "ModuleList", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MultiMarginLoss", "MultiheadAttention", "NLLLoss", "NLLLoss2d", "PReLU", "PairwiseDistance",
    "ParameterDict", "ParameterList", "PixelShuffle", "PixelUnshuffle", "PoissonNLLLoss", "RMSNorm", "RNN",
    "RNNBase", "RNNCell", "RNNCellBase", "RReLU", "ReLU", "ReLU6", "ReflectionPad1d", "ReflectionPad2d",
    "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "SELU", "Sequential", "SiLU",
    "Sigmoid", "SmoothL1Loss", "SoftMarginLoss", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink",
    "Softsign", "SyncBatchNorm", "Tanh", "Tanhshrink", "Threshold", "Transformer", "TransformerDecoder",
    "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss", "Unflatten", "Unfold", "Upsample", "UpsamplingBilinear2d",
    "UpsamplingNearest2d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


def _name_constructors(names: list[str]) -> None:
    """Give each layer whose constructor is that of a base a copy under its own name, so that errors say ``Conv2d.__init__()``."""
    for name in names:
        layer = globals()[name]
        owner = next(base for base in layer.__mro__ if "__init__" in vars(base))
        f = layer.__init__
        if owner is layer or not owner.__name__.startswith("_"):           # one of a public base may be replaced there
            continue
        own = _types.FunctionType(f.__code__, f.__globals__, "__init__", f.__defaults__, f.__closure__)
        own.__kwdefaults__, own.__annotations__, own.__doc__, own.__module__ = f.__kwdefaults__, f.__annotations__, f.__doc__, f.__module__
        own.__qualname__ = f"{name}.__init__"
        layer.__init__ = own


_name_constructors([_name for _name in __all__ if _name != "Module"])

"""Layers and losses as functions: ``import taeda.nn.functional as F``.

One family a file; the functions check arguments and compose core's ops, which hold the arithmetic.
"""

# ruff: noqa: F403, F405
import sys as _sys

from taeda._autocast import POLICIES as _POLICIES
from taeda._jit_internal import boolean_dispatch as boolean_dispatch
from taeda._override import Overridable as _Overridable, function_for as _function_for
from taeda._spelling import spelled as _spelled
from taeda.nn import (
    _reduction as _Reduction,  # noqa: F401 (copies of PyTorch's losses use it)
    grad as grad,
)
from taeda.nn.functional._common import assert_int_or_pair as assert_int_or_pair
from taeda.nn.functional.activation import *
from taeda.nn.functional.activation import _softmax_dim as _get_softmax_dim  # noqa: F401 (PyTorch's names; programs use these)
from taeda.nn.functional.attention import *
from taeda.nn.functional.attention import (
    _canonical_mask as _canonical_mask,  # copies of PyTorch's layers use these
    _check_ranks as _mha_shape_check,  # noqa: F401
    _in_projection as _in_projection,
    _in_projection_packed as _in_projection_packed,
    _none_or_dtype as _none_or_dtype,
)
from taeda.nn.functional.conv import *
from taeda.nn.functional.distance import *
from taeda.nn.functional.fold import *
from taeda.nn.functional.linear_loss import *
from taeda.nn.functional.lookup import *
from taeda.nn.functional.loss import *
from taeda.nn.functional.loss_regression import *
from taeda.nn.functional.masking import *
from taeda.nn.functional.normalization import *
from taeda.nn.functional.normalization import (
    _verify_batch_size as _verify_batch_size,
    _verify_spatial_size as _verify_spatial_size,
)
from taeda.nn.functional.pooling import *
from taeda.nn.functional.products import *
from taeda.nn.functional.sampling import *
from taeda.nn.functional.sampling import (
    GRID_SAMPLE_INTERPOLATION_MODES as GRID_SAMPLE_INTERPOLATION_MODES,
    GRID_SAMPLE_PADDING_MODES as GRID_SAMPLE_PADDING_MODES,
)
from taeda.nn.functional.vision import *
from taeda.overrides import handle_torch_function as handle_torch_function, has_torch_function as has_torch_function

__all__ = [
    "ScalingType", "SwizzleType", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
    "adaptive_max_pool1d", "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices",
    "affine_grid", "alpha_dropout", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "bilinear",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "celu_", "channel_shuffle", "conv1d",
    "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss", "dropout", "dropout1d",
    "dropout2d", "dropout3d", "elu", "elu_", "embedding", "embedding_bag", "feature_alpha_dropout", "fold",
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "gaussian_nll_loss", "gelu", "glu", "grid_sample", "group_norm",
    "grouped_mm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm",
    "leaky_relu", "leaky_relu_", "linear", "linear_cross_entropy", "local_response_norm", "log_softmax",
    "logsigmoid", "lp_pool1d", "lp_pool2d", "lp_pool3d", "margin_ranking_loss", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d",
    "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d", "mish", "mse_loss",
    "multi_head_attention_forward", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "native_channel_shuffle", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu",
    "relu6", "relu_", "rms_norm", "rrelu", "rrelu_", "scaled_dot_product_attention", "scaled_grouped_mm",
    "scaled_mm", "selu", "selu_", "sigmoid", "silu", "smooth_l1_loss", "soft_margin_loss", "softmax",
    "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
    "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold", "upsample", "upsample_bilinear",
    "upsample_nearest",
]  # fmt: skip

# PyTorch has these in C: a class that takes the call over is told of it as it was made, and of any other with all its arguments,
# required ones by position, the rest by keyword.
_AS_GIVEN = frozenset((
    "adaptive_avg_pool1d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "bilinear", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d",
    "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_similarity", "elu_", "gelu", "hardshrink",
    "hardtanh_", "leaky_relu_", "linear", "logsigmoid", "native_channel_shuffle", "one_hot", "pairwise_distance", "pdist",
    "pixel_shuffle", "pixel_unshuffle", "prelu", "relu_", "rrelu_", "scaled_dot_product_attention", "selu_", "softplus", "softshrink",
    "threshold_",
))  # fmt: skip
# ... and these are only other ways to call others
_CALLS_OTHERS = frozenset(("sigmoid", "tanh", "upsample", "upsample_bilinear", "upsample_nearest"))


def _open_to_classes() -> None:
    """Make every function one that classes and autocast can take over."""
    for name in __all__:
        function = globals()[name]
        if isinstance(function, type) or name in _CALLS_OTHERS:
            continue
        if not isinstance(function, _Overridable):
            made = _function_for(function, name, __name__)
            made.composite = name not in _POLICIES
            if made.composite:                     # its own family, and `_native`, have it too
                setattr(_sys.modules[function.__module__], name, made)
            globals()[name] = made
        if name not in _AS_GIVEN:
            globals()[name].spelled = _spelled(globals()[name], ("cudnn_enable",))


_open_to_classes()

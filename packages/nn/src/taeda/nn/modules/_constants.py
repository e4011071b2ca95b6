"""``__constants__``: the names of a layer's settings, which PyTorch's programs add to (``nn.Conv2d.__constants__ + ["scale"]``)."""

from __future__ import annotations

import sys
from typing import Any

CONSTANTS = {
    "inplace": "ReLU SELU SiLU Mish Hardsigmoid Hardswish",
    "min_val max_val inplace": "Hardtanh",
    "lower upper inplace": "RReLU",
    "alpha inplace": "ELU CELU",
    "inplace negative_slope": "LeakyReLU",
    "num_parameters": "PReLU",
    "threshold value inplace": "Threshold",
    "approximate": "GELU",
    "dim": "GLU Softmax Softmin LogSoftmax",
    "beta threshold": "Softplus",
    "lambd": "Hardshrink Softshrink",
    "track_running_stats momentum eps num_features affine": "batchnorm._NormBase",
    "stride padding dilation groups padding_mode output_padding in_channels out_channels kernel_size": "conv._ConvNd",
    "norm eps keepdim": "PairwiseDistance",
    "dim eps": "CosineSimilarity",
    "p inplace": "dropout._DropoutNd",
    "start_dim end_dim": "Flatten",
    "dim unflattened_size": "Unflatten",
    "output_size kernel_size dilation padding stride": "Fold",
    "kernel_size dilation padding stride": "Unfold",
    "in_features out_features": "Linear",
    "in1_features in2_features out_features": "Bilinear",
    "ignore_index reduction label_smoothing": "CrossEntropyLoss",
    "ignore_index reduction": "NLLLoss",
    "reduction": "BCELoss KLDivLoss MSELoss L1Loss SmoothL1Loss SoftMarginLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss",
    "log_input full eps reduction": "PoissonNLLLoss",
    "full eps reduction": "GaussianNLLLoss",
    "blank reduction": "CTCLoss",
    "num_classes out_features reduction ignore_index label_smoothing": "LinearCrossEntropyLoss",
    "reduction delta": "HuberLoss",
    "margin reduction": "HingeEmbeddingLoss MarginRankingLoss CosineEmbeddingLoss",
    "p margin reduction": "MultiMarginLoss",
    "margin p eps swap reduction": "TripletMarginLoss",
    "margin swap reduction": "TripletMarginWithDistanceLoss",
    "normalized_shape eps elementwise_affine": "LayerNorm RMSNorm",
    "num_groups num_channels eps affine": "GroupNorm",
    "size alpha beta k": "LocalResponseNorm",
    "padding value": "padding._ConstantPadNd",
    "padding": "padding._ReflectionPadNd padding._ReplicationPadNd padding._CircularPadNd",
    "kernel_size stride padding dilation return_indices ceil_mode": "pooling._MaxPoolNd",
    "kernel_size stride padding ceil_mode count_include_pad": "pooling._AvgPoolNd",
    "kernel_size stride padding ceil_mode count_include_pad divisor_override": "AvgPool2d AvgPool3d",
    "norm_type kernel_size stride ceil_mode": "pooling._LPPoolNd",
    "output_size": "pooling._AdaptiveAvgPoolNd",
    "output_size return_indices": "pooling._AdaptiveMaxPoolNd",
    "mode input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size": "rnn.RNNBase",
    "input_size hidden_size bias": "rnn.RNNCellBase",
    "input_size hidden_size bias nonlinearity": "RNNCell",
    "kernel_size return_indices output_size output_ratio": "FractionalMaxPool2d FractionalMaxPool3d",
    "num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq sparse": "Embedding",
    "num_embeddings embedding_dim max_norm norm_type scale_grad_by_freq mode sparse include_last_offset padding_idx": "EmbeddingBag",
    "size scale_factor mode align_corners name recompute_scale_factor": "Upsample",
    "upscale_factor": "PixelShuffle",
    "downscale_factor": "PixelUnshuffle",
    "groups": "ChannelShuffle",
}  # fmt: skip

modules: Any = sys.modules[__package__]
for names, classes in CONSTANTS.items():
    for place in classes.split():
        room, _, name = place.rpartition(".")
        getattr(getattr(modules, room) if room else modules, name).__constants__ = names.split()

"""Convolutions and pools of volumes, and windows as columns."""

from __future__ import annotations

import numpy as np

from rows_nn.row import Function, Layer, normal

ROOM = (1, 2, 4, 3, 5)

LAYERS = [
    Layer("Conv3d", (2, 4, 2), inputs=((1, 2, 3, 3, 2),), empty=True, errors=(
        (((3, 3, 3),), RuntimeError, r"Expected 4D \(unbatched\) or 5D \(batched\) input to conv3d"),
        (((1, 3, 3, 3, 3),), RuntimeError, "to have 2 channels, but got 3"),
        (((1, 2, 1, 3, 3),), RuntimeError, "Kernel size can't be greater than actual input size"),
    )),
    Layer("Conv3d", (2, 4, (1, 3, 2)), {"stride": (1, 2, 1), "padding": (0, 1, 2), "groups": 2, "bias": False}, inputs=(ROOM,), empty=True),
    Layer("Conv3d", (2, 2, 2), {"padding": "same", "dilation": (1, 2, 1)}, inputs=((2, 3, 3, 2),)),
    Layer("Conv3d", (2, 2, (2, 1, 3)), {"padding": "same", "padding_mode": "circular"}, inputs=((1, 2, 2, 2, 3),), empty=True),
    Layer("Conv3d", (2, 2, 3), {"padding": (1, 0, 1), "padding_mode": "reflect"}, inputs=((1, 2, 2, 3, 2),), empty=True),
    Layer("Conv3d", (2, 2, 3), {"padding": 1, "stride": 2, "padding_mode": "replicate"}, inputs=((1, 2, 2, 3, 2),), empty=True),
    Layer("Conv3d", (2, 3, 1), {"padding": "valid"}, inputs=((2, 2, 2, 2, 2),), empty=True),
    Layer("ConvTranspose3d", (2, 4, 2), {"stride": 2, "groups": 2}, inputs=((1, 2, 2, 1, 2),), empty=True),
    Layer("ConvTranspose3d", (2, 3, (2, 1, 3)), {"stride": (2, 1, 3), "padding": (1, 0, 1), "output_padding": (1, 0, 2), "bias": False},
          inputs=((2, 2, 2, 2),)),
    Layer("ConvTranspose3d", (2, 3, 2), {"stride": 2, "dilation": (1, 2, 1)}, inputs=((1, 2, 2, 1, 2),), call={"output_size": (5, 4, 4)}),
    Layer("ConvTranspose2d", (2, 3, 2), {"stride": 3}, inputs=((1, 2, 2, 2),), call={"output_size": [1, 3, 7, 5]}),
    Layer("ConvTranspose1d", (2, 3, 2), {"stride": 3}, inputs=((2, 2),), call={"output_size": [6]}),
    Layer("MaxPool3d", (2,), inputs=(ROOM,), empty=True, errors=((((3, 4, 5),), RuntimeError, "Expected 4D or 5D"),)),
    Layer("MaxPool3d", ((2, 1, 3),), {"stride": (1, 2, 2), "padding": (1, 0, 1), "ceil_mode": True, "return_indices": True}, inputs=(ROOM,), empty=True),
    Layer("MaxPool3d", (2,), {"stride": 1, "dilation": (2, 1, 3)}, inputs=((2, 4, 3, 5),)),
    Layer("AvgPool3d", (2,), inputs=(ROOM,), empty=True),
    Layer("AvgPool3d", ((2, 3, 2),), {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}, inputs=(ROOM,), empty=True),
    Layer("AvgPool3d", (3, 2), {"padding": 1, "divisor_override": 5}, inputs=((2, 4, 3, 5),)),
    Layer("LPPool3d", (2, 2), inputs=(ROOM,), empty=True),
    Layer("LPPool3d", (2, (2, 1, 3)), {"stride": (1, 2, 1), "ceil_mode": True}, inputs=((2, 4, 3, 5),)),
    Layer("LPPool3d", (float("inf"), 2), inputs=(ROOM,), empty=True),
    Layer("AdaptiveAvgPool3d", ((3, None, 2),), inputs=(ROOM,), empty=True),
    Layer("AdaptiveAvgPool3d", (1,), inputs=((2, 4, 3, 5),)),
    Layer("AdaptiveMaxPool3d", ((3, None, 2),), inputs=(ROOM,), empty=True),
    Layer("AdaptiveMaxPool3d", (2,), {"return_indices": True}, inputs=((2, 4, 3, 5),)),
    Layer("MaxUnpool3d", (2,), inputs=((1, 1, 2, 1, 2), np.array([[[[[0, 5]], [[20, 31]]]]]))),
    Layer("MaxUnpool3d", (2,), inputs=((1, 2, 1, 2), np.array([[[[0, 5]], [[20, 31]]]])), call={"output_size": (5, 2, 5)}),
    Layer("Unfold", (2,), inputs=((2, 2, 3, 4),), empty=True, errors=((((1, 2, 1, 4),), RuntimeError, "sliding blocks"),)),
    Layer("Unfold", ((2, 3),), {"dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}, inputs=((2, 3, 4),)),
    Layer("Fold", ((3, 4), 2), inputs=((2, 8, 6),), empty=True, errors=((((2, 8, 5),), RuntimeError, "sliding blocks"),)),
    Layer("Fold", (4, (2, 3)), {"dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}, inputs=((6, 12),)),
]
SERIES = normal(5, 2, 3)
FUNCTIONS = [
    Function("conv_tbc", (SERIES, normal(2, 3, 4, seed=1), normal(4, seed=2))),
    Function("conv_tbc", (SERIES, normal(2, 3, 4, seed=1), normal(4, seed=2)), {"pad": 1}),
    Function("max_pool3d_with_indices", (ROOM,), {"kernel_size": 2, "stride": 1}),
    Function("adaptive_max_pool3d_with_indices", (ROOM,), {"output_size": (2, 1, None)}),
    Function("max_pool1d", ((2, 7),), {"kernel_size": 3, "stride": []}),
    Function("lp_pool1d", ((2, 7),), {"norm_type": float("inf"), "kernel_size": 3}),
    Function("lp_pool2d", ((2, 5, 7),), {"norm_type": -float("inf"), "kernel_size": (1, 3), "stride": 2}),
    Function("lp_pool3d", (np.abs(normal(2, 4, 5, 3)),), {"norm_type": 3.5, "kernel_size": (1, 3, 2), "stride": 1}),
    Function("max_unpool2d", ((1, 1, 2, 2), np.array([[[[0, 6], [9, 15]]]])), {"kernel_size": 2, "output_size": (1, 1, 5, 4)}),
    Function("conv3d", ((1, 2, 3, 3, 3), normal(2, 1, 2, 2, 2)), {"groups": 2, "padding": "same"}),
]

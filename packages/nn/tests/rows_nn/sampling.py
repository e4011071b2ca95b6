"""Sampling at grids, resizing, fractional pooling, bags of embeddings, and the normalisations that go with images."""

from __future__ import annotations

import numpy as np

from rows_nn.row import Function, Layer, classes, normal, uniform

BAG = np.array([1, 4, 4, 0, 8, 2, 5])
STARTS = np.array([0, 2, 2, 6])
INDICES = classes(3, 4, below=9)


def inside(*shape: int, seed: int = 4) -> np.ndarray:
    """Draw positions, of which some lie outside the image."""
    return np.random.default_rng(seed).uniform(-1.3, 1.3, shape)


IMAGE, GRID = normal(2, 2, 4, 5), inside(2, 3, 3, 2)
PLACES = uniform(2, 3, 2)  # drawn ones depend on the dtype
VOLUME, CUBE = normal(1, 2, 3, 4, 2), inside(1, 2, 2, 3, 3)

LAYERS = [
    # the gradient of a table that is renormed is not a derivative, on purpose: PyTorch is the judge
    Layer("EmbeddingBag", (9, 3), inputs=(INDICES,), empty=True),
    Layer("EmbeddingBag", (9, 3), {"mode": "sum", "padding_idx": 4}, inputs=(BAG, STARTS)),
    Layer("EmbeddingBag", (9, 3), {"mode": "max", "padding_idx": -5}, inputs=(BAG, STARTS)),
    Layer("EmbeddingBag", (9, 3), {"mode": "max"}, inputs=(INDICES,)),
    Layer("EmbeddingBag", (9, 3), {"include_last_offset": True}, inputs=(BAG, np.array([0, 3, 7]))),
    Layer("EmbeddingBag", (9, 3), {"mode": "sum"}, inputs=(BAG, STARTS), call={"per_sample_weights": normal(7)}),
    Layer("EmbeddingBag", (9, 3), {"max_norm": 1.0, "norm_type": 1.5}, inputs=(BAG, STARTS), grad=False),
    Layer(
        "EmbeddingBag",
        (9, 3),
        {"mode": "sum"},
        inputs=(INDICES,),
        grad=False,
        errors=(
            (
                (np.array([[9]]),),
                RuntimeError,
                r"Index 0 of input takes value 9 which is not in the valid range \[0, 9\)",
            ),
            ((BAG,), ValueError, r"\[embedding_bag\] offsets has to be a 1D Tensor but got None"),
            ((INDICES, STARTS), ValueError, r"\[embedding_bag\] if input is 2D, then offsets has to be None"),
            ((BAG, STARTS + 1), RuntimeError, r"\[embedding_bag\] offsets\[0\] has to be 0"),
        ),
    ),
    Layer("FractionalMaxPool2d", (2, 3), {"_random_samples": PLACES}, inputs=((2, 3, 6, 7),), empty=True),
    Layer(
        "FractionalMaxPool2d",
        ((2, 3),),
        {"output_ratio": (0.5, 0.4), "_random_samples": PLACES},
        inputs=((3, 6, 7),),
    ),
    Layer(
        "FractionalMaxPool2d",
        (2, (4, 3)),
        {"return_indices": True, "_random_samples": PLACES},
        inputs=((2, 3, 6, 7),),
    ),
    Layer(
        "FractionalMaxPool2d",
        (2, 3),
        {"_random_samples": normal(2, 3, 2) * 0.1 + 0.5},
        inputs=((2, 3, 6, 7),),
    ),
    Layer(
        "FractionalMaxPool2d",
        (2, 6),
        inputs=((2, 3, 7, 7),),
        errors=((((2, 3, 6, 7),), RuntimeError, r"pool height 2 too large relative to input height 6"),),
    ),
    Layer(
        "FractionalMaxPool3d",
        (2, 3),
        {"_random_samples": uniform(2, 2, 3)},
        inputs=((2, 2, 5, 6, 6),),
        empty=True,
    ),
    Layer("FractionalMaxPool3d", (2,), {"output_ratio": 0.5, "return_indices": True}, inputs=((2, 5, 4, 6),)),
    Layer("CrossMapLRN2d", (3,), {"alpha": 0.7, "beta": 0.5, "k": 2.0}, inputs=((2, 2, 3, 2),), grad=False),
    Layer(
        "CrossMapLRN2d",
        (4,),
        {"alpha": 0.7},
        inputs=((2, 6, 3, 2),),
        grad=False,
        errors=((((2, 3, 4),), ValueError, "CrossMapLRN2d.*Expected input to be 4D, got 3D"),),
    ),
    Layer("SyncBatchNorm", (3,), inputs=((5, 3, 4),)),
    Layer(
        "SyncBatchNorm",
        (3,),
        {"momentum": None, "bias": False},
        inputs=((5, 3),),
        errors=((((3,),), ValueError, "expected at least 2D input"),),
    ),
]

FUNCTIONS = [
    *(
        Function("grid_sample", (x, grid), {"mode": mode, "padding_mode": padding, "align_corners": align})
        for x, grid in ((IMAGE, GRID), (VOLUME, CUBE))
        for mode in ("bilinear", "nearest", "bicubic")
        for padding in ("zeros", "border", "reflection")
        for align in (False, True)
        if mode != "bicubic" or x is IMAGE
    ),
    Function("affine_grid", (normal(2, 2, 3),), {"size": [2, 1, 3, 4], "align_corners": False}),
    Function("affine_grid", (normal(2, 2, 3),), {"size": [2, 1, 3, 4], "align_corners": True}),
    Function("affine_grid", (normal(1, 3, 4),), {"size": [1, 2, 2, 3, 4], "align_corners": False}),
    *(
        Function("interpolate", (IMAGE,), {"size": size, "mode": mode, "antialias": True})
        for mode in ("bilinear", "bicubic", "lanczos")
        for size in ((2, 3), (7, 2))
    ),
    Function(
        "interpolate",
        (IMAGE,),
        {"scale_factor": 0.6, "mode": "bicubic", "antialias": True, "align_corners": True},
    ),
    Function("interpolate", (VOLUME,), {"size": (2, 3, 1), "mode": "area"}),
    Function("interpolate", (VOLUME,), {"scale_factor": 1.5, "mode": "trilinear"}),
    Function("interpolate", (VOLUME,), {"size": 3, "mode": "nearest-exact"}),
    Function("fractional_max_pool2d", (normal(2, 3, 6, 7),), {"kernel_size": 2, "output_size": 3}),
    Function(
        "fractional_max_pool2d_with_indices",
        (normal(2, 3, 6, 7),),
        {"kernel_size": 2, "output_ratio": (0.5, 0.5)},
    ),
    Function("fractional_max_pool3d", (normal(1, 3, 6, 7, 5),), {"kernel_size": 2, "output_size": 3}),
    Function("fractional_max_pool3d_with_indices", (normal(3, 6, 7, 5),), {"kernel_size": 2, "output_ratio": 0.5}),
    Function("embedding_bag", (INDICES, normal(9, 3)), {"mode": "sum", "per_sample_weights": normal(3, 4)}),
]

"""Functions of taeda.nn.functional that no layer calls, or with options that no layer has."""

from __future__ import annotations

import numpy as np

from rows_nn.row import Function, classes, normal, uniform

ONE, TWO = normal(4, 5), normal(4, 5, seed=1)
IMAGE = normal(1, 2, 4, 4)

FUNCTIONS = [
    Function("relu", (ONE,)),
    Function("relu6", (ONE * 5,)),
    Function("hardtanh", (ONE,), {"min_val": -0.3}),
    Function("one_hot", (classes(4, 2),)),
    Function("one_hot", (classes(4),), {"num_classes": 7}),
    Function("normalize", (ONE,)),
    Function("normalize", (ONE,), {"p": 1.0, "dim": 0}),
    Function("threshold", (ONE,), {"threshold": 0.1, "value": 2.0}),
    Function("softmin", (ONE,), {"dim": 0}),
    Function("max_unpool1d", (np.array([[[3.0, 4.0]]]), np.array([[[1, 2]]])), {"kernel_size": 2}),
    Function("interpolate", (IMAGE,), {"size": (7, 3), "mode": "area"}),
    Function("interpolate", (IMAGE,), {"scale_factor": 1.7, "mode": "nearest-exact"}),
    Function("interpolate", (IMAGE,), {"scale_factor": 1.7, "mode": "bilinear", "recompute_scale_factor": True}),
    Function("pad", (IMAGE,), {"pad": (1, 2), "mode": "constant", "value": 3.0}),
    Function("huber_loss", (ONE, TWO), {"weight": uniform(4, 5)}),
    Function("mse_loss", (ONE, TWO), {"weight": uniform(4, 5)}),
    Function("l1_loss", (ONE, TWO), {"weight": uniform(4, 5)}),
    Function("gaussian_nll_loss", (ONE, TWO), {"var": 0.5}),
    Function("gumbel_softmax", (ONE,), {"tau": 0.7}),
    Function("gumbel_softmax", (ONE,), {"hard": True}, grad=False),
    Function("rrelu", (ONE,), {"training": True}),
]

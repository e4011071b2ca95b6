"""Why a row may lie above 1: what bounds it, on PyTorch's side too.  The table shows a reason where a row does."""

from __future__ import annotations

MEMORY = "memory's speed on both sides, give or take the noise"
MKL = "multiply-adds at the processor's limit, where PyTorch's MKL is too"
CONVOLUTION = "multiply-adds: 60 to 80 of some 95 GFLOP/s, where PyTorch's oneDNN is too"
CHAIN = "a chain: each step is an exponential and a logarithm that wait for the last sum"
ROOTS = "divisions and square roots, on PyTorch's side too"
HALVES = "a short formula between conversions, which take as long"
LAPACK = "OpenBLAS's LAPACK on one thread, beside MKL's, which has threaded ones"
PANELS = "OpenBLAS's kernels on panels and blocks of columns, beside MKL's"
PAGES = "in runs where the two processors share no cache, threads that write in turn to one page wait for each other's lines; else 0.2"
SPINNING = "0.3 where each thread has a core; in some runs PyTorch's threads still spin on the second one"
RANGES = "both ranges of the formula are computed in vectors; these numbers lie in one, the only one that PyTorch computes"

FORMULA = "multiply-adds: where vectors of 256 bits are two operations, the formula takes as long as PyTorch's"

POINTWISE = "pointwise, every one, 1M"
REDUCTIONS = "reductions, every one, 1M"

LINALG = "Fourier transforms, linear algebra"

GROUPS = {"matmul": MKL, "convolution": CONVOLUTION, "memory": MEMORY}                        # of every row of a group that has no reason of its own
ROWS = {
    **dict.fromkeys(((POINTWISE, name) for name in (
        "abs", "add", "addcdiv", "addcmul", "a ** 2", "clone", "div", "frac", "hardshrink", "hardtanh", "maximum", "minimum", "mul",
        "nan_to_num", "neg", "reciprocal", "relu", "relu6", "round", "selu", "sgn", "sign", "softshrink", "square", "sub", "to int64",
        "to float64", "clamp", "lerp", "ceil", "floor", "trunc", "fmax", "fmin", "leaky_relu", "celu", "elu", "deg2rad", "hardsigmoid", "eq", "ge", "lt")), MEMORY),
    **dict.fromkeys(((REDUCTIONS, f"{name}, dim {dim}") for name in ("amax", "amin", "sum", "prod", "max", "min", "nansum", "norm")
                     for dim in (None, 0, 1)), MEMORY),
    **dict.fromkeys((("reductions, scans, order", f"{name}, dim {dim} of 1000 x 1000") for name in ("amax", "sum", "mean")
                     for dim in (None, 0, 1)), MEMORY),
    **dict.fromkeys((("pointwise", name) for name in ("relu, 1M", "a + b, 1M", "a * row, 1M", "a * column, 1M", "a + b, float64, 1M", "a + b, float16, 1M", "a << b, int16, 1M", "add, out=, 1M")), MEMORY),
    **dict.fromkeys(((REDUCTIONS, f"logcumsumexp, dim {dim}") for dim in (0, 1)), CHAIN),
    **dict.fromkeys(((POINTWISE, f"special.{name}") for name in ("i1e", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1")), RANGES),
    **dict.fromkeys(((POINTWISE, name) for name in ("atan", "erf", "erfc", "exp2", "log10", "logit", "sin", "special.ndtri")), FORMULA),
    **dict.fromkeys((("pointwise", f"{name}, 1M") for name in ("erf", "exp, float64", "tanh, float64")), FORMULA),
    (POINTWISE, "rsqrt"): ROOTS,
    ("reductions, scans, order", "cumsum, dim 0 of 1000 x 1000"): PAGES,
    ("reductions, scans, order", "bincount and cumsum of 1M integers"): MEMORY,
    ("pooling and interpolation", "bytes 480 x 640 to 224 x 224, channels last, antialias"): "multiply-adds of 16 bits, three to a pixel, on both sides",
    **dict.fromkeys((("pointwise", f"a ** 2, {dtype}, 1M") for dtype in ("bfloat16", "float16")), HALVES),
    **dict.fromkeys((("pointwise", f"{name}, 1M") for name in ("exp, bfloat16", "exp, float16", "gelu, bfloat16")), HALVES),
    (LINALG, "svd, 256 x 256"): LAPACK,
    (LINALG, "rfft, 8 x 30011"): "not looked into: a prime length, a convolution by longer transforms",
    **dict.fromkeys(((LINALG, name) for name in ("rfft, 16 x 1024", "fft, 64 x 512 complex")),
                    "eight transforms of 512 side by side, and what they read and write, are twice the first-level cache"),
    ("reductions, scans, order", "cumsum of complex64, dim 1 of 1000 x 500"): MEMORY,
    (LINALG, "irfft2 of rfft2, forward and backward, 8 x 32 x 64 x 64"): MEMORY,
    ("reductions, scans, order", "prod of complex64, dim 0 of 1000 x 500"): "multiply-adds in double, on PyTorch's side too",
    (LINALG, "qr, 256 x 256"): PANELS,
    (LINALG, "cholesky_inverse, 512 x 512"): PANELS,
    ("reductions, scans, order", "sum, dim 2 of 64 x 128 x 256"): MEMORY,
    ("reductions, scans, order", "sum, 16M"): MEMORY,
    **dict.fromkeys(((REDUCTIONS, "cumsum, dim 0"), (REDUCTIONS, "cumprod, dim 0"), ("models, inference", "MobileNetV2, 8 x 3 x 224 x 224")), SPINNING),
    **dict.fromkeys(((REDUCTIONS, f"{name}, dim 1") for name in ("cummax", "cummin")), "branches foreseen on both sides"),
    ("models, inference", "LSTM, 2 layers of 256, 64 steps, batch 32"): MKL,
}  # fmt: skip


def reason(group: str, name: str) -> str:
    """Return why the row may lie above 1, or nothing."""
    return ROWS.get((group, name), GROUPS.get(group, ""))

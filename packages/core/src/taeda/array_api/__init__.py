"""The Python array API standard, 2024.12, for taeda's tensors; ``x.__array_namespace__()`` returns this module.

Names, signatures and rules are the standard's where PyTorch's differ: dtypes alone decide promotion, ``axis`` may be a tuple,
sums of small integers have 64 bits.  Functions take and return ``taeda.Tensor``, whose operators and methods keep PyTorch's rules.
With the extensions ``linalg`` and ``fft``.

>>> from taeda import array_api as xp
>>> xp.permute_dims(xp.ones((2, 3)), (1, 0)).shape
taeda.Size([3, 2])
"""

from __future__ import annotations

from math import e, inf, nan, pi

from taeda import (
    bool,
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from taeda.array_api import fft, linalg
from taeda.array_api._creation import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    meshgrid,
    ones,
    ones_like,
    tril,
    triu,
    zeros,
    zeros_like,
)
from taeda.array_api._elementwise import FUNCTIONS as _FUNCTIONS, clip, imag, positive, remainder, round, sign
from taeda.array_api._info import __array_namespace_info__
from taeda.array_api._manipulation import (
    argmax,
    argmin,
    argsort,
    broadcast_arrays,
    broadcast_to,
    concat,
    expand_dims,
    flip,
    moveaxis,
    nonzero,
    permute_dims,
    repeat,
    reshape,
    roll,
    searchsorted,
    sort,
    squeeze,
    stack,
    take,
    take_along_axis,
    tile,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
    unstack,
    where,
)
from taeda.array_api._promotion import astype, can_cast, finfo, iinfo, isdtype, result_type
from taeda.array_api._statistics import (
    all,
    any,
    count_nonzero,
    cumulative_prod,
    cumulative_sum,
    diff,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from taeda.array_api.linalg import matmul, matrix_transpose, tensordot, vecdot

__array_api_version__ = "2024.12"
newaxis = None
globals().update(_FUNCTIONS)

__all__ = [
    "__array_api_version__", "__array_namespace_info__", "all", "any", "arange", "argmax", "argmin", "argsort", "asarray", "astype",
    "bool", "broadcast_arrays", "broadcast_to", "can_cast", "clip", "complex64", "complex128", "concat", "count_nonzero",
    "cumulative_prod", "cumulative_sum", "diff", "e", "empty", "empty_like", "expand_dims", "eye", "fft", "finfo", "flip", "float32",
    "float64", "from_dlpack", "full", "full_like", "iinfo", "imag", "inf", "int8", "int16", "int32", "int64", "isdtype", "linalg",
    "linspace", "matmul", "matrix_transpose", "max", "mean", "meshgrid", "min", "moveaxis", "nan", "newaxis", "nonzero", "ones",
    "ones_like", "permute_dims", "pi", "positive", "prod", "remainder", "repeat", "reshape", "result_type", "roll", "round",
    "searchsorted", "sign", "sort", "squeeze", "stack", "std", "sum", "take", "take_along_axis", "tensordot", "tile", "tril", "triu",
    "uint8", "uint16", "uint32", "uint64", "unique_all", "unique_counts", "unique_inverse", "unique_values", "unstack", "var", "vecdot",
    "where", "zeros", "zeros_like", *_FUNCTIONS,
]  # fmt: skip

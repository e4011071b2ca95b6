"""Batching rules of pointwise functions: ranks are aligned, the values broadcast, nothing else changes."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.dtype import bool_
from taeda.func.batched import RULES, NotForBatches, at, check_target, wrap
from taeda.tensor import Tensor

UNARY = [
    "abs", "absolute", "acos", "acosh", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh", "atan",
    "atanh", "bitwise_not", "ceil", "clone", "conj", "conj_physical", "cos", "cosh", "deg2rad", "digamma", "erf", "erfc", "erfinv", "exp",
    "exp2", "expm1", "fix", "floor", "frac", "i0", "imag", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lgamma", "log",
    "log10", "log1p", "log2", "log_sigmoid", "logical_not", "logit", "nan_to_num", "neg", "negative", "polygamma", "positive", "rad2deg",
    "real", "reciprocal", "relu", "round", "rsqrt", "sgn", "sigmoid", "sign", "signbit", "silu", "sin", "sinc", "sinh", "sqrt", "square",
    "tan", "tanh", "trunc", "gelu", "elu", "selu", "celu", "leaky_relu", "softplus", "threshold", "hardtanh", "detach", "__invert__",
    "relu6", "hardsigmoid", "hardswish", "hardshrink", "softshrink", "mish", "softsign", "logsigmoid",
]
BINARY = [
    "add", "sub", "rsub", "subtract", "mul", "multiply", "div", "divide", "true_divide", "floor_divide", "remainder", "fmod", "pow",
    "float_power", "maximum", "minimum", "fmax", "fmin", "atan2", "arctan2", "hypot", "copysign", "xlogy", "logaddexp", "logaddexp2", "eq",
    "ne", "lt", "le", "gt", "ge", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "isclose", "heaviside", "nextafter", "ldexp",
    "gcd", "lcm", "addcmul", "addcdiv", "lerp", "where", "clamp", "clip", "clamp_min", "clamp_max", "masked_fill", "complex", "polar",
    "igamma", "igammac", "zeta",
]


def tensors_of(args: Any, kwargs: Any) -> list[Any]:
    """Return the tensors among the arguments (pointwise functions take none inside of lists)."""
    return [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]


def aligned(x: Any, rank: int, level: int) -> Any:
    """Return the batch with as many dimensions of size 1 after the first as make ``rank`` of a sample; others as they are."""
    if not at(x, level):
        return x
    missing = rank - x.ndim
    return x._value[(slice(None),) + (None,) * missing] if missing > 0 else x._value


def weaken(tensors: list[Any], level: int) -> dict[int, Any]:
    """Return batches of 0-d samples in the dtype that the operation has, by id.

    As samples they are weak in type promotion; as a batch, which has a dimension, they would not be.
    """
    pair = tensors[-2:]
    if len(pair) < 2 or pair[0].dtype == pair[1].dtype or all(t.ndim == 0 for t in pair):
        return {}
    common = ops.result_type.function(*pair)  # type: ignore[attr-defined]
    return {id(t): t.to(common) for t in pair if at(t, level) and t.ndim == 0 and t.dtype not in (common, bool_)}  # that may be a mask


def pointwise(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Align the ranks and call the function on the values."""
    tensors = tensors_of(args, kwargs)
    rank = max(t.ndim for t in tensors)
    recast = weaken(tensors, level)

    def value(x: Any) -> Any:
        return aligned(recast.get(id(x), x), rank, level) if isinstance(x, Tensor) else x

    return wrap(func(*map(value, args), **{k: value(v) for k, v in kwargs.items()}), level)


def pointwise_(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Write into the values of the target, which must be a batch itself."""
    target = args[0]
    check_target(func.__name__, target, level)
    rank = max(t.ndim for t in tensors_of(args, kwargs))

    def value(x: Any) -> Any:
        return aligned(x, rank, level) if isinstance(x, Tensor) else x

    func(target._value, *map(value, args[1:]), **{k: value(v) for k, v in kwargs.items()})
    return target


def where(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """``where(condition)`` alone would be nonzero, of no fixed shape."""
    if len(args) + len(kwargs) < 2:
        raise NotForBatches("[where] vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over "
                            "where.")
    return pointwise(func, level, args, kwargs)


def fill_(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Fill each sample with its own 0-d value."""
    target, value = args[0], (args[1] if len(args) > 1 else kwargs["value"])
    if not at(value, level):
        return pointwise_(func, level, args, kwargs)
    check_target("fill_", target, level)
    target._value.copy_(aligned(value, target.ndim, level).expand(target._value.shape))
    return target


def masked_fill(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """masked_fill, also by each sample's own 0-d value, which the function takes for one value of all."""
    value = args[2] if len(args) > 2 else kwargs.get("value")
    if len(args) < 2 or not at(value, level) or value.ndim:
        return (pointwise_ if func.__name__ == "masked_fill_" else pointwise)(func, level, args, kwargs)
    if func.__name__ == "masked_fill":
        return ops.where(args[1], value.to(args[0].dtype), args[0])
    check_target("masked_fill_", args[0], level)
    return args[0].copy_(ops.where(args[1], value.to(args[0].dtype), args[0]))


for _name in UNARY + BINARY:
    RULES[_name] = pointwise
    RULES[_name + "_"] = pointwise_
for _name in ("copy_", "zero_", "detach_"):
    RULES[_name] = pointwise_
RULES.update(where=where, fill_=fill_, masked_fill=masked_fill, masked_fill_=masked_fill)

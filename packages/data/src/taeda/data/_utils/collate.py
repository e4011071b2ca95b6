"""``taeda.data.collate`` by PyTorch's path."""

from taeda.data.collate import (
    _TEXT_OR_OBJECT as np_str_obj_array_pattern,
    _arrays as collate_numpy_array_fn,
    _as_batch as collate_str_fn,
    _floats as collate_float_fn,
    _ints as collate_int_fn,
    _numpy_scalars as collate_numpy_scalar_fn,
    _stack as collate_tensor_fn,
    collate,
    default_collate,
    default_collate_fn_map,
    default_convert,
)

default_collate_err_msg_format = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"

__all__ = [
    "collate", "collate_float_fn", "collate_int_fn", "collate_numpy_array_fn", "collate_numpy_scalar_fn", "collate_str_fn",
    "collate_tensor_fn", "default_collate", "default_collate_err_msg_format", "default_collate_fn_map",
    "default_convert", "np_str_obj_array_pattern",
]  # fmt: skip

"""``taeda.sparse.FloatTensor`` and kin: older programs' way to make and recognise COO tensors of a dtype."""

from __future__ import annotations

from typing import Any

from taeda._once import warn_once
from taeda.dtype import LEGACY_NAMES
from taeda.layout import sparse_coo
from taeda.sparse.creation import empty_of, sparse_coo_tensor
from taeda.sparse.tensor import is_sparse


class TypedSparseTensor(type):
    """The class of ``sparse.FloatTensor`` and kin: a call makes a COO tensor, and those of its dtype are its instances.

    >>> import taeda
    >>> s = taeda.sparse_coo_tensor([[0], [1]], [2.0], (2, 2))
    >>> isinstance(s, taeda.sparse.FloatTensor)
    True
    """

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return is_sparse(instance) and instance.layout is sparse_coo and instance.dtype == cls.dtype

    def __call__(cls, *args: Any, device: Any = None) -> Any:
        """Return a tensor of indices, values, whose dtype it has, and a size, or of a size alone."""
        shape = "(0,)" if not args else "shape" if isinstance(args[0], int) or type(args[0]).__name__ == "Size" else None
        given = ("shape" if args else "") if shape else "indices, values" if len(args) < 3 else "indices, values, shape"
        asked, wanted = (f"{given}, *, device=", f"{shape or given}, dtype=, device=") if given else ("", "(0,), dtype=")
        warn_once(f"SparseTensor({given})", f"taeda.sparse.SparseTensor({asked}) is deprecated.  Please use "
                                            f"taeda.sparse_coo_tensor({wanted}).", 3)
        if not args:
            return empty_of((0,), sparse_coo, cls.dtype, device or "cpu")
        if shape:
            return empty_of(args if isinstance(args[0], int) else args[0], sparse_coo, cls.dtype, device or "cpu")
        return sparse_coo_tensor(*args, device=device)


NAMES: dict[str, Any] = {
    f"{name}Tensor": TypedSparseTensor(f"{name}Tensor", (), {"dtype": dtype, "__doc__": f"Make or recognise COO tensors of {dtype}."})
    for name, dtype in LEGACY_NAMES.items()
    if name in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
}

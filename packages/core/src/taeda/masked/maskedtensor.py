"""The files in which PyTorch keeps masked tensors, for programs that import from there."""

import sys

from taeda.masked.tensor import MaskedTensor, as_masked_tensor, is_masked_tensor, masked_tensor

__all__ = ["MaskedTensor", "as_masked_tensor", "is_masked_tensor", "masked_tensor"]

core = creation = sys.modules[__name__]
sys.modules.update({f"{__name__}.{name}": core for name in ("core", "creation")})

"""How PyTorch's operators are exported, as functions that export others call; nothing is exported, so none of them is there.

The module can be imported, since libraries do so at their top; an operator asked of it raises AttributeError.
"""

from typing import NoReturn


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"[onnx] no rule for exporting {name!r}: models are not exported")

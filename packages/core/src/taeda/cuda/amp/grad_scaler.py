"""``taeda.cuda.amp.GradScaler`` by PyTorch's path."""

from taeda.cuda.amp import GradScaler  # type: ignore[attr-defined]

__all__ = ["GradScaler"]

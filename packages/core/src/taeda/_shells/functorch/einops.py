"""``taeda.func.rearrange`` by functorch's path."""

from taeda.func import rearrange

__all__ = ["rearrange"]

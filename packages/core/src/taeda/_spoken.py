"""What the library calls itself where it prints a dtype, a size or a type, and in warnings: ``as_torch`` changes it."""

__all__ = ["name", "said"]

name: str = "taeda"


def said(text: str) -> str:
    """Return a text that is written with ``taeda.`` as it is to be shown; programs filter warnings by PyTorch's words."""
    return text.replace("taeda.", f"{name}.")

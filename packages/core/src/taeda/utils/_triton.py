"""Whether Triton can compile kernels, as programs ask before they do: it cannot, for there is no device for them."""

__all__ = ["has_triton", "has_triton_package"]


def has_triton() -> bool:
    """Whether Triton's kernels can run here: no."""
    return False


has_triton_package = has_triton
